"""Covering a box: every equilibrium in it lies on a proved arc, or in a box that is listed as undecided.

Boxes are taken from a stack. A box is dropped when f has no zero in it (its enclosure, or the one by the mean value
theorem, with derivatives enclosed plainly or by their own changes, excludes zero). Else Newton's method is taken to the
curve from the middle, and an arc is proved in a tube about it. The tube holds nothing but that curve, so only the parts
of the box outside it go back on the stack; where no arc is proved, the box is cut in two.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bifrncrn.proofs.arcs import CUT, Arcs, image, inverses, others, prove_arcs, to_curve
from bifrncrn.proofs.problem import Problem
from bifrncrn.proofs.rounding import above, down, midpoint, radius, size, up

SMALLEST = 1e-9
"""A box whose sides are all below this fraction of the whole is not cut any more."""
MOST_SMALL = 1000
"""With so many boxes undecided the covering is given up: equilibria are not isolated points of curves there."""
BATCH = 8192
NEAR = 4.0
"""A curve further off than so many sides of the box is not its curve."""


@dataclass(frozen=True)
class Cover:
    """What a box holds.

    Attributes
    ----------
    arcs : Arcs
        Every equilibrium of the box lies on one of them, or in an undecided box; they may reach beyond the box.
    undecided : (low, high), each (k, n + 1)
    boxes : int
        How many were looked at.
    finished : bool
        Whether all were; the rest is among the undecided.
    """

    arcs: Arcs
    undecided: tuple[np.ndarray, np.ndarray]
    boxes: int
    finished: bool


def cover(problem: Problem, low: np.ndarray, high: np.ndarray, most: int, seconds: float) -> Cover:
    """Cover the box [low, high] (shape (n + 1,) each), with at most so many boxes and seconds."""
    whole = high - low
    deadline = time.monotonic() + seconds
    stack = [(low[None], high[None])]
    arcs: list[Arcs] = []
    small: list[tuple[np.ndarray, np.ndarray]] = []
    count = 0
    while stack:
        if count >= most or time.monotonic() > deadline or sum(len(part[0]) for part in small) > MOST_SMALL:
            break
        b_low, b_high = _next(stack)
        count += len(b_low)
        step = _Step(problem, b_low, b_high, whole)
        stack.extend(step.left)
        small.append(step.small)
        if len(step.arcs):
            arcs.append(step.arcs)
    small.extend(stack)
    m = problem.n + 1
    nothing = Arcs.none(m)
    undecided = tuple(np.concatenate([np.zeros((0, m)), *(part[i] for part in small)]) for i in (0, 1))
    return Cover(Arcs.joined([nothing, *arcs]), (undecided[0], undecided[1]), count, not stack)


def _next(stack: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Take up to BATCH boxes from the end of the stack."""
    parts, count = [], 0
    while stack and count < BATCH:
        part = stack.pop()
        room = BATCH - count
        if len(part[0]) > room:
            stack.append((part[0][:-room], part[1][:-room]))
            part = part[0][-room:], part[1][-room:]
        parts.append(part)
        count += len(part[0])
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


class _Step:
    """One round of the covering: arcs proved, boxes too small to go on with, boxes left."""

    def __init__(self, problem: Problem, low: np.ndarray, high: np.ndarray, whole: np.ndarray) -> None:
        self.problem, self.whole = problem, whole
        self.arcs = Arcs.none(problem.n + 1)
        self.left: list[tuple[np.ndarray, np.ndarray]] = []
        self.small = low[:0], high[:0]
        (f_low, f_high), slopes = problem.linear(low, high)
        smooth: np.ndarray = np.isfinite(f_low + f_high).all(axis=1) & np.isfinite(slopes[0] + slopes[1]).all(
            axis=(1, 2)
        )
        alive = np.asarray(~((f_low > 0.0) | (f_high < 0.0)).any(axis=1))
        rough = np.flatnonzero(alive & ~smooth)
        if len(rough):
            f_low, f_high = problem.loosely(low[rough], high[rough])
            alive[rough] = ~((f_low > 0.0) | (f_high < 0.0)).any(axis=1)
        low, high, smooth = low[alive], high[alive], smooth[alive]
        slopes = slopes[0][alive], slopes[1][alive]
        if not len(low):
            return
        middle = midpoint(low, high)
        value, at = problem.linear(middle, middle)
        alive = ~(smooth & _excluded(value, slopes, low, high, middle))
        left = np.flatnonzero(alive & smooth)
        f, exact, plain = ((pair[0][left], pair[1][left]) for pair in (value, at, slopes))
        sharp = problem.sharper(low[left], high[left], middle[left], exact, plain)
        alive[left] = ~_excluded(f, sharp, low[left], high[left], middle[left])
        for old, new in zip(slopes, sharp, strict=True):
            old[left] = new
        tiny = ((high - low) <= SMALLEST * whole).all(axis=1)
        self.small = low[alive & tiny], high[alive & tiny]
        alive &= ~tiny
        self._go_on(
            low[alive],
            high[alive],
            middle[alive],
            smooth[alive],
            tuple(v[alive] for v in value),
            tuple(a[alive] for a in at),
            tuple(s[alive] for s in slopes),
        )

    def _go_on(self, low, high, middle, smooth, value, at, slopes) -> None:  # type: ignore[no-untyped-def]
        """Prove arcs where Newton's method finds the curve; cut the other boxes."""
        tangent = tangents(0.5 * (at[0] + at[1]), self.whole)
        pivot = np.argmax(np.abs(tangent), axis=1)
        low, high, none = _contracted(low, high, middle, smooth, value, at, slopes, pivot)
        keep = ~none
        low, high, pivot, smooth = low[keep], high[keep], pivot[keep], smooth[keep]
        middle = midpoint(low, high)
        try_ = np.flatnonzero(smooth & np.isfinite(tangent[keep]).all(axis=1))
        used = np.zeros(len(low), bool)
        if len(try_):
            # boxes may have been cut to the width of a rounding error
            sides = np.maximum(high[try_] - low[try_], SMALLEST * self.whole)
            point, done = to_curve(self.problem, pivot[try_], middle[try_], NEAR * sides)
            sides = sides[done]
            try_, point = try_[done], point[done]
        if len(try_):
            q = pivot[try_, None]
            left, right = (np.take_along_axis(side[try_], q, 1)[:, 0] for side in (low, high))
            arcs, proved = prove_arcs(self.problem, pivot[try_], left, right, point, sides)
            meets = ((arcs.core_low <= high[try_]) & (arcs.core_high >= low[try_])).all(axis=1)
            covers = ((arcs.low <= low[try_]) & (arcs.high >= high[try_])).all(axis=1)
            self.arcs = arcs.take(proved & meets)
            # a tube that misses the box, or a good part of it, would only make slivers
            helps = proved & (meets | covers)
            try_, arcs = try_[helps], arcs.take(helps)
            used[try_] = True
            self._outside(low[try_].copy(), high[try_].copy(), arcs)
        self._cut(low[~used], high[~used])

    def _outside(self, low: np.ndarray, high: np.ndarray, arcs: Arcs) -> None:
        """Put what of the boxes lies outside the tubes back on the stack."""
        for k in range(low.shape[1]):
            for side in (0, 1):
                beyond = low[:, k] < arcs.low[:, k] if side == 0 else high[:, k] > arcs.high[:, k]
                if beyond.any():
                    part_low, part_high = low[beyond], high[beyond]
                    if side == 0:
                        part_high[:, k] = np.minimum(part_high[:, k], arcs.low[beyond, k])
                    else:
                        part_low[:, k] = np.maximum(part_low[:, k], arcs.high[beyond, k])
                    self.left.append((part_low, part_high))
            low[:, k], high[:, k] = np.maximum(low[:, k], arcs.low[:, k]), np.minimum(high[:, k], arcs.high[:, k])
            kept = low[:, k] <= high[:, k]
            low, high, arcs = low[kept], high[kept], arcs.take(kept)

    def _cut(self, low: np.ndarray, high: np.ndarray) -> None:
        """Cut boxes across their longest sides, in units of the whole box.

        Cutting where f varies most, as is often done, leaves long boxes beside steep curves, and many of them.
        """
        rows, k = np.arange(len(low)), np.argmax((high - low) / self.whole, axis=1)
        at = low[rows, k] + CUT * (high[rows, k] - low[rows, k])
        first, second = high.copy(), low.copy()
        first[rows, k] = second[rows, k] = at
        self.left += [(low, first), (second, high)]


def _contracted(
    low: np.ndarray,
    high: np.ndarray,
    middle: np.ndarray,
    smooth: np.ndarray,
    value: tuple[np.ndarray, np.ndarray],
    at: tuple[np.ndarray, np.ndarray],
    slopes: tuple[np.ndarray, np.ndarray],
    pivot: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut boxes to where Krawczyk's operator says that their zeros are; return them and which have none.

    Every zero of a box, on which f is smooth, lies in K about the middle, whatever the matrix C is.
    """
    rest = others(pivot, low.shape[1])
    inverse, good = inverses(np.take_along_axis(0.5 * (at[0] + at[1]), rest[:, None, :], 2))
    spread = radius(low, high, middle)
    half = np.take_along_axis(spread, pivot[:, None], 1)[:, 0]
    offset, reach = image(inverse, value, slopes, pivot, half, np.take_along_axis(spread, rest, 1))
    c = np.take_along_axis(middle, rest, 1)
    left, right = down(down(c - offset) - reach), up(up(c - offset) + reach)
    usable = (smooth & good)[:, None] & np.isfinite(left) & np.isfinite(right)
    new_low = np.where(usable, np.maximum(np.take_along_axis(low, rest, 1), left), np.take_along_axis(low, rest, 1))
    new_high = np.where(usable, np.minimum(np.take_along_axis(high, rest, 1), right), np.take_along_axis(high, rest, 1))
    none = np.asarray((new_low > new_high).any(axis=1))
    low, high = low.copy(), high.copy()
    np.put_along_axis(low, rest, new_low, 1)
    np.put_along_axis(high, rest, new_high, 1)
    return low, high, none


def _excluded(
    value: tuple[np.ndarray, np.ndarray],
    slopes: tuple[np.ndarray, np.ndarray],
    low: np.ndarray,
    high: np.ndarray,
    middle: np.ndarray,
) -> np.ndarray:
    """Say where f(y) in f(m) + f'(Y) (Y - m) cannot be zero."""
    reach = above((size(*slopes) @ radius(low, high, middle)[:, :, None])[:, :, 0], low.shape[1])
    least = np.maximum(np.maximum(value[0], -value[1]), 0.0)  # |f(m)| is at least this
    excluded: np.ndarray = (least > reach).any(axis=1)
    return excluded


def tangents(matrices: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return the null vectors (k, n + 1) of n by n + 1 matrices, in units of the box's sides."""
    scaled = np.where(np.isfinite(matrices), matrices, np.nan) * whole
    n = scaled.shape[1]
    out = np.empty((len(scaled), n + 1))
    for k in range(n + 1):
        minor = np.delete(scaled, k, axis=2)
        if n == 1:
            out[:, k] = minor[:, 0, 0]
        elif n == 2:
            out[:, k] = minor[:, 0, 0] * minor[:, 1, 1] - minor[:, 0, 1] * minor[:, 1, 0]
        else:
            out[:, k] = np.linalg.det(minor)
    with np.errstate(all="ignore"):
        found: np.ndarray = out / np.abs(out).max(axis=1, keepdims=True)
    return found

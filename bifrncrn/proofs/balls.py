"""Numbers with derivatives, as midpoints and radii: what the expansions of trajectories are computed with.

An array of shape (..., 1 + n, k) holds k numbers and their n derivatives by the start of a trajectory; products follow
Leibniz' rule. A sum of t products in floating point, in any order, misses the true one by at most t u / (1 - t u) times
the sum of the products' sizes (see `rounding`), which is added to the radius. nan is what nothing is known about, and
it spreads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.proofs.rounding import above, down, midpoint, radius, up

UNIT = 2.0**-52
"""Twice the unit roundoff u: what a rounded operation errs by, relatively, with room to spare."""


@dataclass(frozen=True)
class Ball:
    """All numbers within `r` of `m`, elementwise."""

    m: np.ndarray
    r: np.ndarray

    @staticmethod
    def between(low: np.ndarray, high: np.ndarray) -> Ball:
        """Return balls that hold intervals."""
        middle = midpoint(low, high)
        return Ball(middle, radius(low, high, middle))

    @staticmethod
    def exact(m: np.ndarray) -> Ball:
        """Return doubles as balls."""
        return Ball(m, np.zeros_like(m))

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds."""
        return down(self.m - self.r), up(self.m + self.r)

    def most(self) -> np.ndarray:
        """Return bounds of the sizes."""
        return above(np.abs(self.m) + self.r, 1)

    def __getitem__(self, at: Any) -> Ball:
        return Ball(self.m[at], self.r[at])

    def __neg__(self) -> Ball:
        return Ball(-self.m, self.r)


def added(*terms: Ball) -> Ball:
    """Return a sum of balls of one shape."""
    m, r, size = terms[0].m, terms[0].r, np.abs(terms[0].m)
    for term in terms[1:]:
        m, r, size = m + term.m, r + term.r, size + np.abs(term.m)
    return Ball(m, above(r + size * (len(terms) * UNIT), 2 * len(terms)))


def met(a: Ball, b: Ball) -> Ball:
    """Return balls that hold what is in both."""
    (a_low, a_high), (b_low, b_high) = a.ends(), b.ends()
    return Ball.between(np.maximum(a_low, b_low), np.minimum(a_high, b_high))


def convolved(a: Ball, b: Ball, weights: np.ndarray | None = None) -> Ball:
    """Return the sum over the first axis of products of numbers with derivatives, each times a whole number."""
    am, ar, bm, br = a.m, a.r, b.m, b.r
    if weights is not None:
        am, ar = am * weights[:, None, None], ar * weights[:, None, None]
    b_size, terms = np.abs(bm), 2 * len(am)
    rounded = br + b_size * ((terms + 4) * UNIT)
    r = _leibniz(np.abs(am), rounded) + _leibniz(ar, b_size + br)
    return Ball(_leibniz(am, bm), above(r, 2 * terms + 8))


def _leibniz(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.einsum("jdk,jk->dk", a, b[:, 0])
    out[1:] += np.einsum("jk,jdk->dk", a[:, 0], b[:, 1:])
    return out


def scaled(a: Ball, factor: Ball) -> Ball:
    """Return numbers and derivatives (..., 1 + n, k) times numbers (1, k) without derivatives."""
    size = np.abs(a.m) * np.abs(factor.m)
    r = np.abs(a.m) * factor.r + a.r * (np.abs(factor.m) + factor.r)
    return Ball(a.m * factor.m, above(r + size * UNIT, 6))


def divided(a: Ball, by: int) -> Ball:
    """Return balls divided by a whole number."""
    m = a.m / by
    return Ball(m, above(a.r / by + np.abs(m) * UNIT, 3))


def inverse(a: Ball) -> Ball:
    """Return the inverses of numbers with derivatives (..., 1 + n, k); nan where one may be zero."""
    low, high = a[..., :1, :].ends()
    with np.errstate(all="ignore"):
        ends = 1.0 / high, 1.0 / low
        known = (low > 0.0) | (high < 0.0)
    value = Ball.between(*(np.where(known, side, np.nan) for side in (down(ends[0]), up(ends[1]))))
    square = scaled(value, value)
    slopes = scaled(a[..., 1:, :], -square)
    return Ball(np.concatenate([value.m, slopes.m], axis=-2), np.concatenate([value.r, slopes.r], axis=-2))


def matrices(a: Ball, b: Ball) -> Ball:
    """Return the products of matrices (..., p, q) and (..., q, s)."""
    a_size, b_size = np.abs(a.m), np.abs(b.m)
    terms = a.m.shape[-1]
    r = a_size @ b.r + a.r @ (b_size + b.r) + (a_size @ b_size) * ((terms + 4) * UNIT)
    return Ball(a.m @ b.m, above(r, 2 * terms + 8))

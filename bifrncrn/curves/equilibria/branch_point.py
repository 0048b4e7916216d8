"""Simple branch points: refinement on an extended system, and the directions of the branches that meet there."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np

BESIDE = 0.1
"""Where, in units of length, equations are measured that vanish at a branch point to first order."""
SPREADS = (1e-3, 1.0, 1e-8)
"""How much smaller than the largest the smallest equation is allowed to count, tried in turn."""


class Problem(Protocol):
    """What is needed of a curve F(y) = 0, F: R^(n+1) -> R^n."""

    n: int

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F (n,) and its derivative (n, n + 1)."""

    def inside(self, y: np.ndarray) -> np.ndarray:
        """Return y with its states put back to where F may be evaluated."""

    def branch_point(
        self,
        guess: np.ndarray,
        left: np.ndarray,
        scale: np.ndarray,
        size: np.ndarray,
        box: tuple[np.ndarray, np.ndarray] | None,
    ) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Return what Newton's method from `guess` and the left null vector `left` converges to, as `refine` does."""

    def forms(self, y: np.ndarray, w: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[float, float, float]:
        """Return w'B(u, u), w'B(u, v) and w'B(v, v), B being the second derivative of F."""


def refine(
    problem: Problem, guess: np.ndarray, scale: np.ndarray, box: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Find the branch point near `guess`.

    Newton's method for y, w and an unfolding alpha (zero at a branch point) on F(y) + alpha w = 0, F_y' w = 0,
    w'w = 1, which is regular at a simple branch point (Kuznetsov, 10.2.1; Mei, Numerical Bifurcation Analysis, 5.3).

    Parameters
    ----------
    guess, scale : (n + 1,) arrays
        Where to start, and the unit of length of every component.
    box : two (n + 1,) arrays, optional
        Lower and upper bounds of y; nothing is evaluated beyond them.

    Returns
    -------
    (y, w, residual) or None
        The point, the left null vector, and the largest residual relative to the equations' size; None where it does
        not converge.
    """
    _, matrix = problem.linearize(guess)
    if not np.isfinite(matrix).all():
        return None
    # where two branch points are close, the null vector of the other one may be nearer at hand
    for which in (-1, -2)[: problem.n]:
        for size in _row_sizes(problem, guess, matrix, scale):
            with np.errstate(over="ignore", invalid="ignore"):
                scaled = matrix * scale / size[:, None]
            if not np.isfinite(scaled).all():
                return None  # on the way to infinity
            left = np.linalg.svd(scaled)[0][:, which]
            found = problem.branch_point(guess, left, scale, size, box)
            if found is not None:
                return found
    return None


def _row_sizes(problem: Problem, y: np.ndarray, matrix: np.ndarray, scale: np.ndarray) -> Iterator[np.ndarray]:
    """Give sizes of the equations, to be tried in turn.

    An equation may vanish to first order at a branch point (that of an extinct species does), so its size there alone
    is no measure: first that beside it counts, then a part of the largest equation's. Beside it what is zero is still
    zero: nothing tells its unit.
    """
    known = np.where(np.append(y[:-1], 1.0) != 0.0, scale, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = np.abs(matrix) @ scale
        beside = np.abs(problem.linearize(_beside(problem, y, known))[1]) @ scale
        if np.isfinite(beside).all() and (beside + rows).all():
            yield np.maximum(rows, beside)
        for spread in SPREADS:
            yield np.maximum(rows, spread * rows.max() or 1.0)


def _beside(problem: Problem, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return a point beside y, on the side of it that is inside."""
    ahead, back = problem.inside(y + BESIDE * scale), problem.inside(y - BESIDE * scale)
    return np.where(ahead != y, ahead, back)


def directions(problem: Problem, y: np.ndarray, w: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
    """Return the unit tangents, in scaled unknowns, of the two branches through a simple branch point.

    They solve the algebraic branching equation w'B(v, v) = 0 in the null space of F_y (Kuznetsov, 10.2.1). The equation
    that w depends on most is left out of F_y, and each of the others counts by its own size, so that fast ones do not
    drown slow ones.
    The list is empty where the equation has no two real solutions.
    """
    _, matrix = problem.linearize(y)
    beside = np.abs(problem.linearize(_beside(problem, y, scale))[1] * scale).max(axis=1)
    size = np.abs(matrix * scale).max(axis=1)
    # an equation may vanish here to first order; beside it does not
    natural = np.where(np.isfinite(beside), np.maximum(beside, size), size)
    rows = np.delete(matrix * scale / np.maximum(size, 1e-300)[:, None], np.argmax(np.abs(w) * natural), axis=0)
    first, second = np.linalg.svd(rows)[2][-2:]
    return branching_directions(problem.forms(y, w, first * scale, second * scale), first, second)


def branching_directions(forms: tuple[float, float, float], first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
    """Solve a s^2 + 2 b s t + c t^2 = 0, forms = (a, b, c), in the plane of two orthonormal null vectors."""
    a, b, c = forms
    gap = b * b - a * c
    big = max(abs(a), abs(b), abs(c))
    if not gap > 1e-16 * big * big:
        return []
    root = math.sqrt(gap)
    t = -(b + root) if b >= 0 else -(b - root)  # both roots without cancellation
    found = []
    for s_value, t_value in ((t, a), (c, t)):
        v = s_value * first + t_value * second
        found.append(v / math.sqrt(v @ v))
    return found

"""Simple branch points: refinement on an extended system, and the directions of the branches that meet there."""

from __future__ import annotations

from typing import Protocol

import numpy as np

SPREADS = (1e-3, 1.0, 1e-8)
"""How much smaller than the largest the smallest equation is allowed to count, tried in turn."""
ITERATIONS = 15


class Second(Protocol):
    """What the branching equation needs of a curve."""

    def second(self, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the second derivative B(u, v), shape (n,)."""


class Problem(Second, Protocol):
    """What the refinement needs of a curve F(y) = 0, F: R^(n+1) -> R^n."""

    n: int

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F (n,) and its derivative (n, n + 1)."""


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
    if not np.all(np.isfinite(matrix)):
        return None
    for spread in SPREADS:
        found = _newton(problem, guess, scale, _row_sizes(matrix, scale, spread), box)
        if found is not None:
            return found
    return None


def _row_sizes(matrix: np.ndarray, scale: np.ndarray, spread: float) -> np.ndarray:
    """Return the size of every equation, none smaller than `spread` times the largest.

    An equation may vanish to first order at a branch point (that of an extinct species does), so its own size alone
    is no measure.
    """
    rows = np.abs(matrix) @ scale
    return np.maximum(rows, spread * rows.max() or 1.0)


def _newton(
    problem: Problem, guess: np.ndarray, scale: np.ndarray, size: np.ndarray, box: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray, float] | None:
    n = problem.n
    y = np.array(guess, dtype=float)
    _, matrix = problem.linearize(y)
    w = np.linalg.svd(matrix * scale / size[:, None])[0][:, -1]
    alpha = 0.0
    previous = np.inf
    for _ in range(ITERATIONS):
        f, matrix = problem.linearize(y)
        if not (np.all(np.isfinite(f)) and np.all(np.isfinite(matrix))):
            return None
        f, matrix = f / size, matrix * scale / size[:, None]
        hessian = _weighted_hessian(problem, y, w / size, scale)
        system = np.zeros((2 * n + 2, 2 * n + 2))
        system[:n, : n + 1], system[:n, n + 1], system[:n, n + 2 :] = matrix, w, alpha * np.eye(n)
        system[n : 2 * n + 1, : n + 1], system[n : 2 * n + 1, n + 2 :] = hessian, matrix.T
        system[2 * n + 1, n + 2 :] = 2.0 * w
        rest = np.concatenate([f + alpha * w, matrix.T @ w, [w @ w - 1.0]])
        try:
            step = np.linalg.solve(system, -rest)
        except np.linalg.LinAlgError:
            return None
        y = y + step[: n + 1] * scale
        if box is not None:
            y = np.clip(y, *box)
        alpha += step[n + 1]
        w = w + step[n + 2 :]
        change = float(np.max(np.abs(step)))
        if not change < 1e3:
            return None
        if change < 1e-11 or (change < 1e-7 and change > 0.5 * previous):
            break
        previous = change
    else:
        return None
    f, matrix = problem.linearize(y)
    residual = max(float(np.max(np.abs(f / size))), float(np.max(np.abs((matrix * scale / size[:, None]).T @ w))))
    return (y, w / size, residual) if residual < 1e-8 and abs(alpha) < 1e-8 else None


def _weighted_hessian(problem: Problem, y: np.ndarray, w: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the second derivative of w'F in scaled unknowns, (n + 1, n + 1), from exact second derivatives."""
    m = problem.n + 1
    units = np.diag(scale)
    hessian = np.empty((m, m))
    for i in range(m):
        for j in range(i, m):
            hessian[i, j] = hessian[j, i] = w @ problem.second(y, units[i], units[j])
    return hessian


def directions(problem: Problem, y: np.ndarray, w: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
    """Return the unit tangents, in scaled unknowns, of the two branches through a simple branch point.

    They solve the algebraic branching equation w'B(v, v) = 0 in the null space of F_y (Kuznetsov, 10.2.1).
    The list is empty where the equation has no two real solutions.
    """
    _, matrix = problem.linearize(y)
    size = _row_sizes(matrix, scale, SPREADS[0])
    first, second = np.linalg.svd(matrix * scale / size[:, None])[2][-2:]
    return branching_directions(problem, y, w, scale, first, second)


def branching_directions(
    problem: Second, y: np.ndarray, w: np.ndarray, scale: np.ndarray, first: np.ndarray, second: np.ndarray
) -> list[np.ndarray]:
    """Solve the algebraic branching equation in the plane of two orthonormal null vectors (scaled unknowns)."""
    a = w @ problem.second(y, first * scale, first * scale)
    b = w @ problem.second(y, first * scale, second * scale)
    c = w @ problem.second(y, second * scale, second * scale)
    gap = b * b - a * c
    big = max(abs(a), abs(b), abs(c))
    if not gap > 1e-16 * big * big:
        return []
    root = np.sqrt(gap)
    # a s^2 + 2 b s t + c t^2 = 0; both roots without cancellation
    t = -(b + root) if b >= 0 else -(b - root)
    found = []
    for s_value, t_value in ((t, a), (c, t)):
        v = s_value * first + t_value * second
        found.append(v / np.linalg.norm(v))
    return found

"""Simple branch points of large curves: as `bifrncrn.curves.equilibria.branch_kernels`, without any full matrix.

With B = [F_y, b; C', 0] of size n + 2, the pair g(y) in B' (w, g) = (0, 0, 1) vanishes together with F_y' w at a branch
point. Newton's method for (F(y) + alpha b, g(y)) = 0 in y and alpha needs solutions with B and B' only, and second
derivatives of F in a few directions (minimally extended systems: Griewank & Reddien, IMA J. Numer. Anal. 4, 1984;
Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, 2000, 7.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bifrncrn.continuation.sparse import Bordered, Structure

ITERATIONS = 15
SPREAD = 1e-3
"""How much smaller than the largest the smallest equation is allowed to count."""


class SparseCurve(Protocol):
    """What the refinement needs of a curve F(y) = 0, F: R^(n+1) -> R^n."""

    n: int
    structure: Structure
    rows: np.ndarray
    cols: np.ndarray

    def entries(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return F (n,), the state Jacobian at (rows, cols), and the derivative by the parameter (n,)."""

    def second(self, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the second derivative B(u, v), shape (n,)."""


@dataclass(frozen=True, eq=False)
class _Borders:
    """Two rows C, (2, n + 1), and a column b, (n,), in scaled unknowns and equations."""

    rows: np.ndarray
    column: np.ndarray


class _Scaled:
    """The curve in units of `scale` for the unknowns and `size` for the equations."""

    def __init__(self, curve: SparseCurve, guess: np.ndarray, scale: np.ndarray) -> None:
        self.curve, self.scale = curve, scale
        _, values, slope = curve.entries(guess)
        rows = np.bincount(curve.rows, np.abs(values) * scale[curve.cols], curve.n) + np.abs(slope) * scale[-1]
        self.size = np.maximum(rows, SPREAD * rows.max() or 1.0)

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        curve, scale, size = self.curve, self.scale, self.size
        f, values, slope = curve.entries(y)
        return f / size, values * scale[curve.cols] / size[curve.rows], slope * scale[-1] / size

    def second(self, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self.curve.second(y, u * self.scale, v * self.scale) / self.size

    def bordered(self, values: np.ndarray, slope: np.ndarray, borders: _Borders) -> Bordered:
        """Return B, the columns being the states, the parameter, and the unfolding."""
        first, second = borders.rows
        inner = Bordered(self.curve.structure.factor(values), slope, first[:-1], first[-1])
        return Bordered(inner, np.append(borders.column, 0.0), second)

    def borders(self, values: np.ndarray, slope: np.ndarray) -> _Borders:
        """Return near null vectors of F_y and of its transpose by inverse iteration with borders that improve."""
        n = self.curve.n
        random = np.random.default_rng(1)
        rows = np.linalg.qr(random.normal(size=(n + 1, 2)))[0].T
        column = _unit(random.normal(size=n))
        for _ in range(4):
            matrix = self.bordered(values, slope, _Borders(rows, column))
            right = np.column_stack([matrix.solve(_unit_vector(n + 2, n + k))[:-1] for k in range(2)])
            left = matrix.solve(_unit_vector(n + 2, n + 1), transposed=True)[:n]
            rows, column = np.linalg.qr(right)[0].T, _unit(left)
        return _Borders(rows, column)


def refine(
    curve: SparseCurve, guess: np.ndarray, scale: np.ndarray, box: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Find the branch point near `guess`; as `bifrncrn.curves.equilibria.branch_kernels.refine`."""
    n = curve.n
    y, alpha = np.array(guess, dtype=float), 0.0
    scaled = _Scaled(curve, y, scale)
    f, values, slope = scaled.linearize(y)
    if not _finite(f, values, slope):
        return None
    borders = scaled.borders(values, slope)
    previous = np.inf
    for _ in range(ITERATIONS):
        f, values, slope = scaled.linearize(y)
        if not _finite(f, values, slope):
            return None
        step, _ = _newton_step(scaled, y, f + alpha * borders.column, scaled.bordered(values, slope, borders))
        if step is None:
            return None
        y = y + step[: n + 1] * scale
        if box is not None:
            y = np.clip(y, *box)
        alpha += step[n + 1]
        change = float(np.max(np.abs(step)))
        if not change < 1e3:
            return None
        if change < 1e-11 or (change < 1e-7 and change > 0.5 * previous):
            break
        previous = change
    else:
        return None
    f, values, slope = scaled.linearize(y)
    _, w = _newton_step(scaled, y, f, scaled.bordered(values, slope, borders))
    w = _unit(w)
    left = np.append(np.bincount(curve.cols, values * w[curve.rows], n), slope @ w)
    residual = max(float(np.max(np.abs(f))), float(np.max(np.abs(left))))
    return (y, w / scaled.size, residual) if residual < 1e-8 and abs(alpha) < 1e-8 else None


def _newton_step(
    scaled: _Scaled, y: np.ndarray, f: np.ndarray, matrix: Bordered
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the step in (y, alpha), None where the point is no simple branch point, and the left vector w.

    The derivative of g_k is -w'F_yy(v_k, .), so only the two components along v_1, v_2 are left to be found.
    """
    n = len(f)
    v = [matrix.solve(_unit_vector(n + 2, n + k)) for k in range(2)]
    ends = matrix.solve(_unit_vector(n + 2, n + 1), transposed=True)
    w, g = ends[:n], ends[n:]
    z = matrix.solve(np.append(-f, [0.0, 0.0]))
    hessian, rest = np.empty((2, 2)), np.empty(2)
    for k in range(2):
        hessian[k] = [w @ scaled.second(y, v[k][:-1], u[:-1]) for u in v]
        rest[k] = g[k] - w @ scaled.second(y, v[k][:-1], z[:-1])
    try:
        t = np.linalg.solve(hessian, rest)
    except np.linalg.LinAlgError:
        return None, w
    return z + t[0] * v[0] + t[1] * v[1], w


def directions(curve: SparseCurve, y: np.ndarray, w: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
    """Return the unit tangents of the two branches; as `bifrncrn.curves.equilibria.branch_kernels.directions`."""
    from bifrncrn.curves.equilibria.branch_point import branching_directions

    scaled = _Scaled(curve, y, scale)
    _, values, slope = scaled.linearize(y)
    first, second = scaled.borders(values, slope).rows
    u, v = first * scale, second * scale
    a, b, c = (float(w @ curve.second(y, *pair)) for pair in ((u, u), (u, v), (v, v)))
    return branching_directions((a, b, c), first, second)


def _finite(*arrays: np.ndarray) -> bool:
    return all(bool(np.all(np.isfinite(array))) for array in arrays)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


def _unit_vector(size: int, k: int) -> np.ndarray:
    out = np.zeros(size)
    out[k] = 1.0
    return out

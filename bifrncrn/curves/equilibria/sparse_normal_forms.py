"""Normal form coefficients of special points of large systems: as the compiled ones, without any full matrix."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from bifrncrn.curves.equilibria.newton import DOUBLE_ZERO


class SparsePoint(Protocol):
    """What the coefficients need of the problem of equilibria."""

    def null_vectors(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return unit vectors q, p with J q = 0 and J' p = 0."""

    def hopf_vectors(self, y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return omega and unit q with J q = i omega q, and p with J' p = -i omega p."""

    def solve_shifted(self, y: np.ndarray, shift: complex, rhs: np.ndarray) -> np.ndarray:
        """Return the solution x of (J - shift) x = rhs."""

    def jets(self, y: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return the first three derivatives of F(y + e v) by e for every row v of `steps`, shape (k, 3, n)."""

    def seconds(self, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the second derivatives B(u, v) of pairs of rows, shape (k, n)."""


def fold_coefficient(problem: SparsePoint, y: np.ndarray) -> float:
    """Return a at a fold; see `EquilibriumProblem.examine`."""
    q, p = problem.null_vectors(y)
    q = q * np.sign(q[np.argmax(np.abs(q))])
    scale = float(p @ q)
    if abs(scale) <= DOUBLE_ZERO:
        return float("nan")
    return float(p @ problem.jets(y, q[None])[0, 1]) / (2.0 * scale)


def first_lyapunov(problem: SparsePoint, y: np.ndarray) -> tuple[float, float]:
    """Return (omega, l1) at a Hopf point; see `EquilibriumProblem.examine`."""
    omega, q, p = problem.hopf_vectors(y)
    try:
        p = p / np.vdot(q, p)
        a, b = q.real, q.imag
        plus, minus, ja, jb = problem.jets(y, np.array([a + b, a - b, a, b]))
        aaa, bbb = ja[2], jb[2]
        aab = ((plus[2] - minus[2]) / 2.0 - bbb) / 3.0
        abb = ((plus[2] + minus[2]) / 2.0 - aaa) / 3.0
        cubic = aaa + abb + 1j * (aab + bbb)
        b_qq = ja[1] - jb[1] + 0.5j * (plus[1] - minus[1])
        h = problem.solve_shifted(y, 0.0, ja[1] + jb[1])
        g = -problem.solve_shifted(y, 2j * omega, b_qq)
    except np.linalg.LinAlgError:
        return omega, float("nan")
    pairs = np.array([a, b, a, b, a, b]), np.array([h, h, g.real, g.imag, g.imag, g.real])
    ah, bh, ar, bi, ai, br = problem.seconds(y, *pairs)
    b_qh = ah + 1j * bh
    b_qg = ar + bi + 1j * (ai - br)
    c1 = 0.5 * np.vdot(p, cubic - 2.0 * b_qh + b_qg)
    return omega, float(c1.real) / omega

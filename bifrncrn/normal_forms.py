"""Normal form coefficients of special points of equilibria (Kuznetsov, Elements of Applied Bifurcation Theory)."""

from __future__ import annotations

import numpy as np

from bifrncrn.curves.equilibrium import EquilibriumProblem


def fold_coefficient(problem: EquilibriumProblem, y: np.ndarray) -> float:
    """Return a = <p, B(q, q)> / 2 at a fold, with J q = 0, J' p = 0, <q, q> = <p, q> = 1 (Kuznetsov, 3.5, eq. 5.23).

    The sign depends on that of q, which is chosen with its largest component positive.
    """
    q, p = problem.null_vectors(y)
    q = q * np.sign(q[np.argmax(np.abs(q))])
    scale = float(p @ q)
    if scale == 0.0:
        return float("nan")  # zero is a double eigenvalue: no fold of this kind
    return float(p @ problem.jet(y, q)[1]) / (2.0 * scale)


def fold_gap(problem: EquilibriumProblem, y: np.ndarray) -> float:
    """Return |J q| of the unit vector q that comes nearest to J q = 0."""
    return float(np.linalg.norm(problem.linearize(y)[1][:, : problem.n] @ problem.null_vectors(y)[0]))


def first_lyapunov(problem: EquilibriumProblem, y: np.ndarray) -> tuple[float, float]:
    """Return (omega, l1) at a Hopf point, l1 = Re c1 / omega with <q, q> = <p, q> = 1 (Kuznetsov, eq. 5.34 and 3.20).

    c1 = <p, C(q, q, q') - 2 B(q, J^-1 B(q, q')) + B(q', (2 i omega - J)^-1 B(q, q))> / 2, q' the conjugate of q.
    Negative l1 is supercritical. It is NaN where J or 2 i omega - J is singular.
    """
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

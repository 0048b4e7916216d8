"""Points of codimension two: test functions along a locus, their zeros, and normal form coefficients.

Book: Kuznetsov, Elements of Applied Bifurcation Theory, chapters 8 and 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.loci.defining import Extended

Array = np.ndarray
DOUBLE = 1e-5
"""Two eigenvalues below this share of the Jacobian are one double zero."""
ROUNDING = 1e-14
"""A squared frequency below this share of the squared Jacobian is zero."""


@dataclass(frozen=True, eq=False)
class Local:
    """What is known at one point of a locus.

    Attributes
    ----------
    x : (n,) array
    values : (m,) array of parameter values
    jacobian : (n, n) array
    scaled : (n, n) array
        The Jacobian of states in units of their sizes.
    v : (n,) array
        The unknown vector of the defining system, in those units.
    kappa : float
        omega^2 at a Hopf point, 0 at a fold.
    others : array of complex
        Eigenvalues without the critical ones.
    """

    x: Array
    values: Array
    jacobian: Array
    scaled: Array
    v: Array
    kappa: float
    others: Array


def local(extended: Extended, y: Array) -> Local:
    """Return what is known at a point y of a locus."""
    n, hopf = extended.n, extended.kind == "hopf"
    matrix = extended.jacobian(y)
    scaled = extended.scaled(matrix)
    kappa = float(y[2 * n]) if hopf else 0.0
    others = np.linalg.eigvals(scaled).astype(complex)
    for value in (1j * np.emath.sqrt(kappa), -1j * np.emath.sqrt(kappa)) if hopf else (0.0,):
        others = np.delete(others, int(np.argmin(np.abs(others - value))))
    return Local(y[:n], extended.values(y), matrix, scaled, y[n : 2 * n], kappa, others)


def left_null(matrix: Array, q: Array) -> Array:
    """Return the unit left null vector of a matrix with the right null vector q, of a sign that is continuous with q.

    The matrix bordered by both is regular wherever the null vectors are unique, so its determinant keeps its sign.
    """
    p: Array = np.linalg.svd(matrix)[0][:, -1]
    return p * np.linalg.slogdet(np.block([[matrix, p[:, None]], [q[None], np.zeros((1, 1))]]))[0]


def sums(eigenvalues: Array) -> float:
    """Return the product of the sums of all pairs of eigenvalues, of the size of one sum; it changes sign with one."""
    i, j = np.triu_indices(len(eigenvalues), 1)
    return _signed_root(np.prod((eigenvalues[i] + eigenvalues[j]).astype(complex)), len(i))


def product(eigenvalues: Array) -> float:
    """Return the product of eigenvalues, of the size of one; it changes sign with a real one."""
    return _signed_root(np.prod(eigenvalues.astype(complex)), len(eigenvalues))


def _signed_root(value: complex, count: int) -> float:
    return float(np.sign(value.real) * abs(value.real) ** (1.0 / max(count, 1)))


def second(extended: Extended, at: Local, u: Array, v: Array | None = None) -> Array:
    """Return B(u, v), or B(u, u), at a point (n,)."""

    def twice(w: Array) -> Array:
        return extended.base.derivatives(at.x, at.values, w, None)[1]

    return twice(u) if v is None else 0.25 * (twice(u + v) - twice(u - v))


def lyapunov(extended: Extended, at: Local) -> float:
    """Return l1 at a Hopf point; NaN where omega is zero to rounding."""
    if not at.kappa > ROUNDING * float(np.linalg.norm(at.scaled)) ** 2:
        return float("nan")
    base = extended.base.with_(values=at.values)
    problem = EquilibriumProblem(base, base.parameter_index(extended.first))
    # the frequency is that of the locus: near Bogdanov-Takens the spectrum loses it
    return problem.lyapunov(np.append(at.x, at.values[problem.parameter]), 0.0, float(np.sqrt(at.kappa)))


def cusp_coefficient(extended: Extended, at: Local) -> float:
    """Return c = <p, C(q, q, q) + 3 B(q, h)> / 6 at a cusp, J h = -B(q, q), <q, q> = <p, q> = 1 (eq. 8.125)."""
    size, p = extended.size, left_null(at.scaled, at.v)
    q = size * at.v
    q, p = q / np.linalg.norm(q), p / size
    derivatives = extended.base.derivatives(at.x, at.values, q, None)
    h = size * _bordered(at.scaled, p * size, at.v, -derivatives[1] / size)
    return float(p @ (derivatives[2] + 3.0 * second(extended, at, q, h))) / (6.0 * float(p @ q))


def takens_coefficients(extended: Extended, at: Local) -> tuple[float, float]:
    """Return (a, b) at a Bogdanov-Takens point, <q0, q0> = 1 and <q0, q1> = 0 (sections 8.4 and 8.7).

    a = <p1, B(q0, q0)> / 2, b = <p0, B(q0, q0)> + <p1, B(q0, q1)>, with J q1 = q0, J' p0 = p1, <p0, q0> = <p1, q1> = 1.
    """
    size, matrix = extended.size, at.scaled
    left, _, right = np.linalg.svd(matrix)
    q, p = right[-1], left[:, -1]
    q0 = size * q / np.linalg.norm(size * q)
    q0 = q0 * np.sign(q0[np.argmax(np.abs(q0))])
    q1 = size * _bordered(matrix, p, q, q0 / size)
    q1 = q1 - (q1 @ q0) * q0
    p1 = p / size / ((p / size) @ q1)
    p0 = _bordered(matrix.T, q, p, p1 * size) / size
    p0 = p0 - (p0 @ q1) * p1
    quadratic = second(extended, at, q0)
    return float(p1 @ quadratic) / 2.0, float(p0 @ quadratic + p1 @ second(extended, at, q0, q1))


def has_double_zero(at: Local) -> bool:
    """Say whether zero is a double eigenvalue, up to the square root of what rounding makes of it."""
    sizes = np.sort(np.abs(np.linalg.eigvals(at.scaled)))
    return bool(sizes[1] <= DOUBLE * np.linalg.norm(at.scaled))


def _bordered(matrix: Array, p: Array, q: Array, rhs: Array) -> Array:
    """Return a solution of a singular linear system with left and right null vectors p and q."""
    whole = np.block([[matrix, p[:, None]], [q[None], np.zeros((1, 1))]])
    return np.linalg.solve(whole, np.append(rhs, 0.0))[: len(rhs)]


Test = Callable[[Extended, Local], float]
"""A test function of a locus."""


def cusp_test(extended: Extended, at: Local) -> float:
    """Return <p, B(q, q)> / 2 with unit vectors: zero at a cusp."""
    curved = second(extended, at, extended.size * at.v) / extended.size
    return 0.5 * float(left_null(at.scaled, at.v) @ curved)


def double_zero_test(extended: Extended, at: Local) -> float:
    """Return <p, q> with unit vectors: zero where the eigenvalue zero is double."""
    return float(left_null(at.scaled, at.v) @ at.v)


def pair_test(extended: Extended, at: Local) -> float:
    """Return the product of the sums of pairs of the other eigenvalues: zero where a pair is imaginary."""
    return sums(at.others)


def zero_test(extended: Extended, at: Local) -> float:
    """Return the product of the other eigenvalues: zero where one is."""
    return product(at.others)


TESTS: dict[str, dict[str, Test]] = {
    "fold": {"CP": cusp_test, "BT": double_zero_test, "ZH": pair_test},
    "hopf": {"GH": lyapunov, "ZH": zero_test, "HH": pair_test},
}

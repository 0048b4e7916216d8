"""The start of a locus: from a fold, a Hopf point or a point of codimension two to a solution of a defining system."""

from __future__ import annotations

import numpy as np

from bifrncrn.base.errors import ConvergenceError
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.loci.defining import Extended, fold_system, hopf_system
from bifrncrn.models.system import System

NEWTONS = 12
NEAR = 1e-5
"""Newton steps below this, relative to the unknowns, that do not shrink are rounding."""
ACROSS = 0.1
"""A phase vector whose part in a plane is a smaller share of it is taken as normal to the plane."""


def squared_frequency(matrix: np.ndarray, unlike: float | None = None) -> float:
    """Return omega^2 of the imaginary pair of eigenvalues, of two pairs of the one that differs more from `unlike`."""
    values = np.linalg.eigvals(matrix).astype(complex)
    values = values[values.imag > 0.0]
    if unlike is not None and len(values):
        values = np.delete(values, int(np.argmin(np.abs(values - 1j * unlike**0.5))))
    if not len(values):
        raise ConvergenceError("there is no imaginary pair of eigenvalues to start from")
    return float(values[np.argmin(np.abs(values.real))].imag) ** 2


def defining(
    kind: str, base: System, first: str, second: str, size: np.ndarray, x: np.ndarray, kappa: float
) -> Extended:
    """Return the defining system of a kind of points, made for a point (x, base.values) of states of size (n,).

    At a Bogdanov-Takens point (kappa = 0) the vector is kept away from the null vector, along which there are other
    solutions.
    """
    if kind == "fold":
        return fold_system(base, first, second, size)
    matrix = base.jacobian(x) * size / size[:, None]
    phase = np.linalg.svd(matrix)[2][-1] if kappa == 0.0 else _plane(matrix, kappa)[1]
    return hopf_system(base, first, second, size, phase)


def solution(extended: Extended, base: System, x: np.ndarray, kappa: float) -> np.ndarray:
    """Return the solution of a defining system at a point (x, base.values).

    At a Bogdanov-Takens point (kappa = 0) the solution beside it where there are Hopf points.

    Raises
    ------
    ConvergenceError
        If Newton's method finds none: the point is degenerate, or no special point at all.
    """
    y = _guess(extended, base, x, kappa)
    system = extended.system
    problem = EquilibriumProblem(system, system.parameter_index(extended.second), stability=False)
    scale = units(extended, y)
    takens = extended.kind == "hopf" and kappa == 0.0
    if takens:
        scale[2 * extended.n] = float(np.linalg.norm(extended.scaled(base.jacobian(x)))) ** 2
    tangent = problem.tangent(y, scale)
    found = (
        _beside_takens(extended, problem, y, tangent, scale) if takens else onto(problem, y, tangent / scale**2, scale)
    )
    if found is None:
        raise ConvergenceError("the point is degenerate")
    return found


def units(extended: Extended, y: np.ndarray) -> np.ndarray:
    """Return the units of length of the unknowns at a point of a locus: states may be zero there, the vector is one."""
    n = extended.n
    scale = np.maximum(np.abs(y), 1e-9)
    scale[:n] = np.maximum(scale[:n], 0.1 * extended.size)
    scale[n : 2 * n] = 1.0
    return scale


def onto(problem: EquilibriumProblem, y: np.ndarray, row: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Return the solution near y in the plane through y normal to `row`, by Newton's method; None where it fails."""
    size, last = np.inf, np.inf
    for _ in range(NEWTONS):
        step = problem.beside(y, row)
        if step is None:
            return None
        y, last, size = y + step, size, float(np.max(np.abs(step) / scale))
        if size < 1e-13 or NEAR > last <= 2.0 * size:  # no more to gain: rounding
            return y
    return None


def _guess(extended: Extended, base: System, x: np.ndarray, kappa: float) -> np.ndarray:
    matrix = extended.scaled(base.jacobian(x))
    if extended.kind == "fold":
        unknowns = np.linalg.svd(matrix)[2][-1]
    else:
        a, b = _plane(matrix, kappa)
        phase = extended.system.values[-extended.n :]
        v = a * (phase @ b) - b * (phase @ a)
        length = float(np.linalg.norm(v))
        if length < ACROSS * float(np.linalg.norm(phase)):
            raise ConvergenceError("the plane of this Hopf point is normal to the phase vector of the defining system")
        unknowns = np.append(v / length, kappa)
    parameters = [base.values[base.parameter_index(name)] for name in (extended.first, extended.second)]
    return np.concatenate([x, unknowns, parameters])


def _plane(matrix: np.ndarray, kappa: float) -> np.ndarray:
    """Return two orthonormal vectors (2, n) that J^2 + kappa makes smallest."""
    vectors: np.ndarray = np.linalg.svd(matrix @ matrix + kappa * np.eye(len(matrix)))[2][-2:]
    return vectors


def _beside_takens(
    extended: Extended, problem: EquilibriumProblem, y: np.ndarray, tangent: np.ndarray, scale: np.ndarray
) -> np.ndarray | None:
    """Return a solution with positive kappa beside a Bogdanov-Takens point."""
    at = 2 * extended.n
    step = tangent * np.sign(tangent[at])
    for length in (1e-3, 1e-4, 1e-5):
        found = onto(problem, y + length * step, step / scale**2, scale)
        if found is not None and found[at] > 0.0:
            return found
    return None

"""The start of a locus: null vectors at a point, and what the defining system has besides states and parameters."""

from __future__ import annotations

import math

import numpy as np

from bifrncrn.curves.loci.problem import EDGES, LocusProblem

NEWTONS = 12
ROUNDING = 1e-13
"""Newton steps below this, in units of the unknowns, are rounding."""
NEAR = 1e-6
"""Newton steps below this that do not shrink are rounding, too."""
SINGULAR = 1e-13
"""A singular value of the defining system below this share of the largest is zero."""
SMALLEST = 1e-12
"""An equation whose derivative is a smaller share of what it usually is has vanished."""
BESIDE = 1e-2
"""A point found by Newton's method is no further from where it is looked for than this, in units of the unknowns."""
DOUBLE = 1e-7
"""Below this share of the Jacobian a frequency is lost in the rounding of a double zero eigenvalue."""


def squared_frequency(matrix: np.ndarray, unlike: float | None = None) -> float | None:
    """Return omega^2 of the imaginary pair of eigenvalues, of two pairs of the one that differs more from `unlike`."""
    values = np.linalg.eigvals(matrix).astype(complex)
    values = values[values.imag > 0.0]
    if unlike is not None and len(values):
        values = np.delete(values, int(np.argmin(np.abs(values - 1j * unlike**0.5))))
    return float(values[np.argmin(np.abs(values.real))].imag) ** 2 if len(values) else None


def prepare(problem: LocusProblem, x: np.ndarray, first: float, second: float, extra: float = 0.0) -> np.ndarray | None:
    """Set the borders at a point near a locus; return its unknowns, or None where the point is degenerate.

    `extra` is the unknown of a pair: omega^2, or of a map the cosine of the angle.
    """
    matrix = problem.matrix(x, first, second)
    if not np.isfinite(matrix).all():
        return None
    jacobian, kappa = problem.critical(matrix[:, : problem.n], extra)
    if not problem.paired:
        _set_zero(problem, jacobian, 1.0)
        y = np.array([*x, first, second])
        return y if problem.accept(y) and problem.accept(y) else None
    y = np.array([*x, extra, first, second])
    size = problem.size[: problem.n]
    similar = jacobian * size / size[:, None]
    big = float(np.linalg.norm(similar))
    # a frequency this low beside fast states may be rounding of a double zero, or not: the equations tell
    low = kappa <= (DOUBLE * big) ** 2
    best, least = None, math.inf
    for of_zero in (low, not low) if low and kappa > 0.0 else (low,):
        if of_zero:
            _set_zero(problem, jacobian, big)  # accepting it finds the natural unit of frequency
        else:
            _set_pair(problem, similar, kappa**0.5)
        if problem.accept(y) and problem.accept(y):
            off = float(np.abs(problem.linearize(y)[0][problem.n :]).max())
            if off < least:
                best, least = problem.borders(), off
    if best is None:
        return None
    problem.set_all_borders(best)
    return y


def _set_zero(problem: LocusProblem, jacobian: np.ndarray, sigma: float) -> None:
    """Set the borders from the null vectors of a zero eigenvalue."""
    size, rows = problem.size[: problem.n], problem.equation_sizes()
    left, _, right = np.linalg.svd(jacobian * size / rows[:, None])
    problem.set_borders(left[:, -1], right[-1], sigma)


def _set_pair(problem: LocusProblem, similar: np.ndarray, omega: float) -> None:
    """Set the borders from the eigenvectors of an imaginary pair of the Jacobian in units of the states."""
    size, rows = problem.size[: problem.n], problem.equation_sizes()
    vectors = []
    for matrix in (similar, similar.T):
        values, columns = np.linalg.eig(matrix)
        vectors.append(columns[:, int(np.argmin(np.abs(values - 1j * omega)))])
    problem.set_borders(leading(vectors[1] / size * rows), leading(vectors[0]), omega)


def parts(problem: LocusProblem, y: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """Return the states, both parameters and the unknown of the pair (0 where there is none) of a point."""
    return y[: problem.n], float(y[-2]), float(y[-1]), float(y[problem.n]) if problem.paired else 0.0


def leading(vector: np.ndarray) -> np.ndarray:
    """Return the real part, of unit length, of the multiple of a complex vector whose real part is largest."""
    turned: np.ndarray = (vector * np.exp(-0.5j * np.angle(np.sum(vector * vector)))).real
    return turned / np.linalg.norm(turned)


def units(problem: LocusProblem, y: np.ndarray) -> np.ndarray:
    """Return the units of length of the unknowns at a point of a locus, none of them zero."""
    n = problem.n
    out = np.abs(y)
    out[:n] = np.maximum(out[:n], 0.1 * problem.size[:n])
    out[-2] = max(out[-2], 0.1 * problem.size[n])
    if problem.paired:
        out[n] = 1.0 if problem.of_map else max(out[n], problem.sigma**2)
    return out


def tangent(problem: LocusProblem, y: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return a tangent of the locus, of unit length in units of `scale`, the second parameter increasing.

    Also whether it is the only one: it is not at junctions, and all along what is no curve of this kind (branch points
    that persist solve the equations of folds, too).
    """
    _, matrix = problem.linearize(y)
    if not np.isfinite(matrix).all():
        return np.full(len(y), np.nan), False
    matrix = matrix * scale
    rows = np.abs(matrix).max(axis=1, keepdims=True)
    usual = problem.row_sizes()[:, None]  # equations have units of their own
    _, sizes, right = np.linalg.svd(matrix / np.where(rows > SMALLEST * usual, rows, usual))
    out: np.ndarray = right[-1] * scale
    return out if out[-1] >= 0.0 else -out, bool(sizes[-1] > SINGULAR * sizes[0])


def onto(problem: LocusProblem, y: np.ndarray, row: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Return the point of the locus near y in the plane through y normal to `row`; None where Newton's method fails."""
    size = last = np.inf
    for _ in range(NEWTONS):
        value, matrix = problem.linearize(y)
        whole = np.vstack([matrix * scale, row * scale])
        rows = np.abs(whole).max(axis=1)
        if not (np.isfinite(whole).all() and np.isfinite(value).all() and rows.all()):
            return None
        try:
            step = np.linalg.solve(whole / rows[:, None], np.append(-value, 0.0) / rows)
        except np.linalg.LinAlgError:
            return None
        y, last, size = y + step * scale, size, float(np.max(np.abs(step)))
        if size < ROUNDING or NEAR > last <= 2.0 * size:
            return y
    return None


def edge_of(problem: LocusProblem, y: np.ndarray) -> tuple[float, str]:
    """Return the end of the range of the pair's unknown that a point is nearest to, and the label of what is there."""
    return min(EDGES[problem.kind].items(), key=lambda edge: abs(edge[0] - float(y[problem.n])))


def at_edge(problem: LocusProblem, y: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Return the point of a curve of pairs beside y where the pair is real (BT, R1, R2); None where there is none."""
    n = problem.n
    start = y.copy()
    start[n] = edge_of(problem, y)[0]
    row = np.zeros(len(y))
    row[n] = 1.0
    if prepare(problem, *parts(problem, start)) is None:
        return None
    found = onto(problem, start, row / scale, scale)
    return found if found is not None and np.max(np.abs(found - start) / scale) < BESIDE else None

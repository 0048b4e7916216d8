"""Points of codimension two: what tells them apart, their refinement, and normal form coefficients.

Book: Kuznetsov, Elements of Applied Bifurcation Theory, chapters 8 and 10.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bifrncrn.curves.loci.problem import LocusProblem
from bifrncrn.curves.loci.starting import NEAR, NEWTONS, ROUNDING, parts, prepare, squared_frequency, units

Array = np.ndarray
REAL = 1e-7
"""A pair of eigenvalues whose imaginary parts are below this share of what they are made of is not imaginary."""
MOVED = 1e-3
"""A refined point is no further from the located one than this, in units of the unknowns."""


PAIRS = ("HH", "LPNS", "PDNS", "NSNS")
"""Points at which a second pair is critical; at LPNS and PDNS not on the curve of the pairs themselves."""


def is_real(problem: LocusProblem, y: Array, label: str) -> bool:
    """Say whether the pair that is critical at a point consists of real eigenvalues: it is no pair of the kind then.

    Their sum is zero, or of a map their product one.
    """
    if label not in PAIRS and (label != "ZH" or problem.kind != "fold"):
        return False
    if problem.kind == "map_torus" and label != "NSNS":
        return False
    x, first, second, extra = parts(problem, y)
    values = np.linalg.eigvals(problem.matrix(x, first, second)[:, : problem.n]).astype(complex)
    values = _without_critical(problem, extra, values) + (1.0 if problem.of_map else 0.0)
    i, j = np.triu_indices(len(values), 1)
    off = values[i] * values[j] - 1.0 if problem.of_map else values[i] + values[j]
    k = int(np.argmin(np.abs(off)))
    return not abs(values[i[k]].imag) > REAL * abs(values[i[k]])


def _without_critical(problem: LocusProblem, extra: float, values: Array) -> Array:
    """Return the eigenvalues of the Jacobian but for those that make the points what they are."""
    _, kappa = problem.critical(np.zeros((problem.n, problem.n)), extra)
    shift = 1.0 - extra if problem.kind == "map_torus" else problem.shift
    omega = max(kappa, 0.0) ** 0.5
    for critical in (1j * omega, -1j * omega) if problem.paired else (0.0,):
        values = np.delete(values, int(np.argmin(np.abs(values + shift - critical))))
    return values


def refine(problem: LocusProblem, y: Array, label: str) -> Array:
    """Return a ZH or HH point by Newton's method on the conditions of both loci that meet there; y where that fails.

    Eigenvalues tell such points with an error of rounding times the fastest of them; these conditions do not.
    """
    if label not in ("ZH", "HH"):
        return y
    x, first, second, kappa = parts(problem, y)
    partner = LocusProblem(
        problem.base, "fold" if label == "ZH" and problem.kind == "hopf" else "hopf", problem.first, problem.second,
        problem.size,
    )  # fmt: skip
    other = 0.0
    if partner.kind == "hopf":
        jacobian = problem.matrix(x, first, second)[:, : problem.n]
        found = squared_frequency(jacobian, kappa if problem.kind == "hopf" else None)
        if found is None:
            return y
        other = found
    z = prepare(partner, x, first, second, other)
    if z is None or prepare(problem, x, first, second, kappa) is None:
        return y
    return _newton_of_both(problem, partner, y, other)


def _newton_of_both(problem: LocusProblem, partner: LocusProblem, y: Array, other: float) -> Array:
    """Solve the defining systems of two loci together; the unknowns are those of the first, then the other's extra."""
    n, extra = problem.n, partner.kind == "hopf"
    scale = units(problem, y)
    last = max(other, partner.sigma**2)
    start, size = y, np.inf
    for _ in range(NEWTONS):
        value, matrix = problem.linearize(y)
        there = np.concatenate([y[:n], [other] if extra else [], y[-2:]])
        value2, matrix2 = partner.linearize(there)
        rows = np.zeros((len(value2) - n, len(y) + extra))
        rows[:, :n], rows[:, len(y) - 2 : len(y)] = matrix2[n:, :n], matrix2[n:, -2:]
        if extra:
            rows[:, -1] = matrix2[n:, n] * last
        rows[:, : len(y)] *= scale
        whole = np.vstack([np.pad(matrix * scale, ((0, 0), (0, int(extra)))), rows])
        rest = np.append(value, value2[n:])
        norms = np.abs(whole).max(axis=1)
        if not (np.isfinite(whole).all() and np.isfinite(rest).all() and norms.all()):
            return start
        try:
            step = np.linalg.solve(whole / norms[:, None], -rest / norms)
        except np.linalg.LinAlgError:
            return start
        y, other = y + step[: len(y)] * scale, other + (float(step[-1]) * last if extra else 0.0)
        before, size = size, float(np.max(np.abs(step)))
        if np.max(np.abs(y - start) / scale) > MOVED:
            return start
        if size < ROUNDING or NEAR > before <= 2.0 * size:
            return y
    return start


class At:
    """What the normal forms need at one point: J in physical and in scaled states, and derivatives along directions."""

    def __init__(self, problem: LocusProblem, y: Array) -> None:
        self.problem, self.y, self.x, self.values = problem, y, y[: problem.n], problem.values(y)
        self.size = problem.size[: problem.n]
        self.jacobian = problem.matrix(*parts(problem, y)[:3])[:, : problem.n]
        self.rows = problem.equation_sizes()
        self.scaled = self.jacobian * self.size / self.rows[:, None]
        left, _, right = np.linalg.svd(self.scaled)
        self.q, self.p = right[-1] * self.size, left[:, -1] / self.rows
        self._whole = np.zeros((problem.n + 1, problem.n + 1))
        self._whole[:-1, :-1], self._whole[:-1, -1], self._whole[-1, :-1] = self.scaled, left[:, -1], right[-1]

    def along(self, u: Array) -> Array:
        """Return the first three derivatives along a direction, (3, n)."""
        return self.problem.base.derivatives(self.x, self.values, u, None)

    def second(self, u: Array, v: Array) -> Array:
        """Return B(u, v)."""
        out: Array = 0.25 * (self.along(u + v)[1] - self.along(u - v)[1])
        return out

    def solve(self, rhs: Array) -> Array:
        """Return the solution of J h = rhs that is normal to the null vector in scaled states."""
        out: Array = self.size * np.linalg.solve(self._whole, np.append(rhs / self.rows, 0.0))[:-1]
        return out

    def solve_left(self, rhs: Array) -> Array:
        """Return the solution of J' h = rhs that is normal to the left null vector in scaled equations."""
        out: Array = np.linalg.solve(self._whole.T, np.append(rhs * self.size, 0.0))[:-1] / self.rows
        return out


def cusp(at: At) -> dict[str, float]:
    """Return c = <p, C(q, q, q) + 3 B(q, h)> / 6 at a cusp, J h = -B(q, q), <q, q> = <p, q> = 1 (eq. 8.125)."""
    q = at.q / np.linalg.norm(at.q)
    derivatives = at.along(q)
    h = at.solve(-derivatives[1])
    return {"c": float(at.p @ (derivatives[2] + 3.0 * at.second(q, h))) / (6.0 * float(at.p @ q))}


def takens(at: At) -> dict[str, float]:
    """Return (a, b) at a Bogdanov-Takens point, <q0, q0> = 1 and <q0, q1> = 0 (sections 8.4 and 8.7).

    a = <p1, B(q0, q0)> / 2, b = <p0, B(q0, q0)> + <p1, B(q0, q1)>, with J q1 = q0, J' p0 = p1, <p0, q0> = <p1, q1> = 1.
    """
    q0 = at.q / np.linalg.norm(at.q)
    q0 = q0 * np.sign(q0[np.argmax(np.abs(q0))])
    q1 = at.solve(q0)
    q1 = q1 - (q1 @ q0) * q0
    p1 = at.p / (at.p @ q1)
    p0 = at.solve_left(p1)
    p0 = p0 - (p0 @ q1) * p1
    quadratic = at.along(q0)[1]
    return {"a": float(p1 @ quadratic) / 2.0, "b": float(p0 @ quadratic + p1 @ at.second(q0, q1))}


def bautin(at: At) -> dict[str, float]:
    """Return l2 at a Bautin point; see `bifrncrn.curves.loci.bautin`."""
    from bifrncrn.curves.loci.bautin import second_lyapunov

    omega = float(np.sqrt(parts(at.problem, at.y)[3]))
    return {"l2": second_lyapunov(at.jacobian, omega, at.size, at.problem.along(at.y))}


FORMS: dict[str, Callable[[At], dict[str, float]]] = {"CP": cusp, "BT": takens, "GH": bautin}
"""The normal form coefficients of points."""


def coefficients(problem: LocusProblem, y: Array, label: str) -> dict[str, float]:
    """Return the normal form coefficients of a point of codimension two, those that are computed."""
    if label not in FORMS:
        return {}
    try:
        found = FORMS[label](At(problem, y))
    except np.linalg.LinAlgError:
        return {}
    return {name: value for name, value in found.items() if np.isfinite(value)}

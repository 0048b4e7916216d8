"""Bifurcations of cycles near points of codimension two: where their curves in two parameters begin.

At a Bautin point (GH) a curve of folds of cycles ends, at a zero-Hopf (ZH) or double Hopf point (HH) curves of tori may
(Kuznetsov, Elements of Applied Bifurcation Theory, sections 8.3, 8.5 and 8.6). Beside the point, at another value of
the second parameter, the cycles of the Hopf point there are followed, and have the fold or the torus soon, on one side
or the other, if there is one at all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.diagrams.families import from_hopf
from bifrncrn.diagrams.results import SpecialPoint
from bifrncrn.diagrams.setup import at_point

BEGIN = {"GH": "LPC", "ZH": "NS", "HH": "NS"}
"""What begins at a point of codimension two."""
ASIDE = (0.03, 0.01, 0.003, 0.001)
"""How far beside the point, in terms of the second parameter's range, it is looked for, in turn."""
AROUND = 10.0
"""The range of the first parameter is so many times as far as the Hopf point has moved, to both sides, ..."""
LEAST = 1e-3
"""... and at least this part of the range of the second."""
STEP, NEWTONS, SETTLED = 1e-5, 12, 1e-8
"""Differences are taken over the first part of the units; the last step of Newton's method is less than the last."""
SHORT = 80
"""So many cycles are followed."""


def starts(point: SpecialPoint, second: str, span: tuple[float, float], options: Options) -> list[SpecialPoint]:
    """Return folds of cycles or tori near a point, one for each Hopf point beside it that has one on its cycles.

    Beside it in the second parameter, the cycles followed in the first; or the other way round, where the curve of Hopf
    points has one value of the first.
    """
    (first,) = (name for name in point.parameters if name != second)
    width = span[1] - span[0]
    found: list[SpecialPoint] = []
    for omega in _frequencies(point):
        for along, aside in ((first, second), (second, first)):
            begun = [_on_side(point, along, aside, sign * width, omega, options) for sign in (1.0, -1.0)]
            if any(begun):
                found += [_in_first(one, first) for one in begun if one is not None]
                break
    return found


def _on_side(
    point: SpecialPoint, along: str, aside: str, width: float, omega: float, options: Options
) -> SpecialPoint | None:
    """Return the first fold or torus that is found at values of one parameter on one side of the point."""
    for share in ASIDE:
        if options.late:
            return None
        found = _beside(point, along, aside, point.parameters[aside] + share * width, omega, abs(width), options)
        if found is not None:
            return found
    return None


def _in_first(point: SpecialPoint, first: str) -> SpecialPoint:
    """Return a point of a branch in either parameter as one in the first, at its value of the second."""
    if first in point.parameters:
        return point
    assert point.system is not None
    value = float(point.system.values[point.system.parameter_index(first)])
    return replace(point, parameters={first: value}, system=point.system.with_(values=point.parameters))


def _frequencies(point: SpecialPoint) -> list[float]:
    """Return the angular frequencies of the critical pairs."""
    pairs = [value for value in point.eigenvalues.tolist() if value.imag > 0.0]
    pairs.sort(key=lambda value: abs(value.real))
    return [float(value.imag) for value in pairs[: 2 if point.label == "HH" else 1]]


def _beside(
    point: SpecialPoint, along: str, aside: str, value: float, omega: float, width: float, options: Options
) -> SpecialPoint | None:
    """Return the first fold or torus on the cycles of the Hopf point at a value of one parameter, in the other."""
    assert point.system is not None
    system = point.system.with_(values={**point.parameters, aside: value})
    problem = EquilibriumProblem(system, system.parameter_index(along))
    state = [point.state[name] for name in system.variables]
    hopf = _hopf(problem, np.array([*state, point.parameters[along]]), omega)
    if hopf is None:
        return None
    y, omega = hopf
    room = max(AROUND * abs(y[-1] - point.parameters[along]), LEAST * width)
    start = SpecialPoint(
        label="HB",
        branch=0,
        index=0,
        parameters={along: float(y[-1])},
        state=dict(zip(system.variables, y[:-1].tolist(), strict=True)),
        status="converged",
        residual=0.0,
        omega=omega,
        system=system,
        reduction=point.reduction,
        range=(float(y[-1]) - room, float(y[-1]) + room),
    )
    family = from_hopf(at_point(start, None, None, replace(options, max_points=SHORT)), start)
    if isinstance(family, str):
        return None
    wanted = BEGIN[point.label]
    return next((p for p in family.special_points(0) if p.label == wanted and p.status == "converged"), None)


def _hopf(problem: EquilibriumProblem, y: np.ndarray, omega: float) -> tuple[np.ndarray, float] | None:
    """Return the Hopf point (x, p) and its frequency near one at other parameters; None where Newton's method fails.

    With the eigenvector as an unknown: at a zero-Hopf point there may be no equilibrium at this value of p.
    """
    n = problem.n
    values, vectors = np.linalg.eig(problem.linearize(y)[1][:, :n])
    k = int(np.argmin(np.abs(values - 1j * omega)))
    q0 = vectors[:, k] / np.linalg.norm(vectors[:, k])

    def defect(z: np.ndarray) -> np.ndarray:
        f, matrix = problem.linearize(z[: n + 1])
        q = z[n + 2 : 2 * n + 2] + 1j * z[2 * n + 2 :]
        gap = matrix[:, :n] @ q - 1j * z[n + 1] * q
        length = q0.conj() @ q - 1.0
        return np.concatenate([f, gap.real, gap.imag, [length.real, length.imag]])

    z = np.concatenate([y, [omega], q0.real, q0.imag])
    unit = np.concatenate([np.maximum(np.abs(y), STEP * (np.abs(y).max() or 1.0)), [omega], np.ones(2 * n)])
    for _ in range(NEWTONS):
        columns = [defect(z + STEP * row) - defect(z - STEP * row) for row in np.diag(unit)]
        step = np.linalg.lstsq(np.column_stack(columns) / (2.0 * STEP), -defect(z), rcond=None)[0]
        z = z + step * unit
        if not np.all(np.isfinite(z)):
            return None
        if float(np.max(np.abs(step))) < SETTLED:
            return z[: n + 1], float(z[n + 1])
    return None

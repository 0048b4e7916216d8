"""Diagrams of a system whose conserved sums were divided out, given back with all its variables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint
from bifrncrn.models.conservation import Reduction
from bifrncrn.models.system import System


def expand(diagram: Diagram, reduction: Reduction, system: System) -> Diagram:
    """Return the diagram of the reduced system with the eliminated variables computed from the totals."""
    branches = tuple(_branch(branch, reduction, system, diagram.parameter) for branch in diagram.branches)
    points = tuple(_point(point, reduction, system) for point in diagram.special_points)
    notes = (*diagram.notes, reduction.sentence(system.variables))
    return replace(diagram, branches=branches, special_points=points, notes=notes, reduction=reduction)


def contract(diagram: Diagram, reduction: Reduction, system: System) -> Diagram:
    """Return the diagram without the eliminated variables: the inverse of `expand`."""
    names = [system.variables[i] for i in reduction.kept]
    columns = (diagram.parameter, *names)
    branches = tuple(
        replace(branch, columns=columns, points=frozen(np.column_stack([branch.column(name) for name in columns])))
        for branch in diagram.branches
    )
    points = tuple(_without(point, reduction, names) for point in diagram.special_points)
    said = reduction.sentence(system.variables)
    notes = tuple(note for note in diagram.notes if note != said)
    return replace(diagram, branches=branches, special_points=points, notes=notes, reduction=None)


def _without(point: SpecialPoint, reduction: Reduction, names: list[str]) -> SpecialPoint:
    states = frozen(point.states[:, list(reduction.kept)]) if point.states.size else point.states
    return replace(point, state={name: point.state[name] for name in names}, states=states)


def _branch(branch: Branch, reduction: Reduction, system: System, parameter: str) -> Branch:
    kept = np.column_stack([branch.points[:, 1:], branch.points[:, 0]])
    points = np.column_stack([branch.points[:, 0], _states(kept, reduction, parameter)])
    return replace(branch, columns=(parameter, *system.variables), points=frozen(points))


def _every(states: np.ndarray, p: float, reduction: Reduction, parameter: str) -> np.ndarray:
    """Return the points of a cycle of a map (k, n) for those without the eliminated variables (k, kept)."""
    if not states.size:
        return states
    return frozen(reduction.along(states, parameter, np.full(len(states), p)))


def _point(point: SpecialPoint, reduction: Reduction, system: System) -> SpecialPoint:
    ((parameter, p),) = point.parameters.items()
    kept = np.array([[*(point.state[system.variables[i]] for i in reduction.kept), p]])
    row = _states(kept, reduction, parameter)[0]
    states = _every(point.states, p, reduction, parameter)
    state = dict(zip(system.variables, row.tolist(), strict=True))
    return replace(point, state=state, states=states, reduction=reduction)


def _states(points: np.ndarray, reduction: Reduction, parameter: str) -> np.ndarray:
    """Return all states (k, n) at points (k, kept + 1)."""
    return reduction.along(points[:, :-1], parameter, points[:, -1])

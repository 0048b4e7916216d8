"""Diagrams of a system whose conserved sums were divided out, given back with all its variables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bifrncrn.results import Branch, Diagram, SpecialPoint, frozen
from bifrncrn.systems.conservation import Reduction
from bifrncrn.systems.system import System


def expand(diagram: Diagram, reduction: Reduction, system: System) -> Diagram:
    """Return the diagram of the reduced system with the eliminated variables computed from the totals."""
    branches = tuple(_branch(branch, reduction, system, diagram.parameter) for branch in diagram.branches)
    points = tuple(_point(point, reduction, system) for point in diagram.special_points)
    notes = (*diagram.notes, reduction.sentence(system.variables))
    return replace(diagram, branches=branches, special_points=points, notes=notes)


def _branch(branch: Branch, reduction: Reduction, system: System, parameter: str) -> Branch:
    states = _states(branch.points[:, 1:], _totals(reduction, parameter, branch.points[:, 0]), reduction, len(system.variables))
    points = np.column_stack([branch.points[:, 0], states])
    return replace(branch, columns=(parameter, *system.variables), points=frozen(points))


def _point(point: SpecialPoint, reduction: Reduction, system: System) -> SpecialPoint:
    ((parameter, p),) = point.parameters.items()
    kept = np.array([[point.state[system.variables[i]] for i in reduction.kept]])
    row = _states(kept, _totals(reduction, parameter, np.array([p])), reduction, len(system.variables))[0]
    return replace(point, state=dict(zip(system.variables, row.tolist(), strict=True)))


def _totals(reduction: Reduction, parameter: str, p: np.ndarray) -> np.ndarray:
    """Return the totals (k, r) along a branch; one of them may be the continuation parameter."""
    values = dict(zip(reduction.system.parameters, reduction.system.values.tolist(), strict=True))
    return np.column_stack([p if name == parameter else np.full(len(p), values[name]) for name in reduction.totals])


def _states(kept: np.ndarray, totals: np.ndarray, reduction: Reduction, n: int) -> np.ndarray:
    states = np.zeros((len(kept), n))
    states[:, list(reduction.kept)] = kept
    states[:, list(reduction.eliminated)] = totals - states @ reduction.laws.T
    return states

"""Loci as branches and special points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.curves.loci import codim2
from bifrncrn.curves.loci.problem import LocusProblem
from bifrncrn.curves.loci.starting import parts, prepare
from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint
from bifrncrn.models.conservation import Reduction
from bifrncrn.models.maps import orbit
from bifrncrn.models.system import System

if TYPE_CHECKING:
    from bifrncrn.diagrams.locus_collecting import Collector
    from bifrncrn.diagrams.locus_following import Found, Locus

SAME = 1e-6
"""Two points closer than this, relative to their size, are one."""


def assembled(collector: Collector, system: System, reduction: Reduction | None) -> Diagram:
    """Return the loci of a collector as a diagram; what was divided out of the system is computed again."""
    loci, first, second = collector.loci, collector.first, collector.second
    tables = [_table(one, reduction) for one in loci]
    names = reduction.whole.variables if reduction else system.variables
    columns, count = (first, second, *names), collector.iterations
    branches = [_branch(one, k, columns, table, count) for k, (one, table) in enumerate(zip(loci, tables))]
    size = _sizes(collector, reduction, tables)
    points: list[SpecialPoint] = []
    for one, branch, table in zip(loci, branches, tables, strict=True):
        for found in one.found:  # loci meet in such points; each is listed once
            if not any(_same(found.label, table[found.row], other, size) for other in points):
                points.append(_point(found, one, branch, system, reduction))
    edges = [(float(b.points[:, 0].min()), float(b.points[:, 0].max())) for b in branches]
    return Diagram(
        model=system.title,
        parameter=first,
        range=(min(low for low, _ in edges), max(high for _, high in edges)) if edges else (0.0, 0.0),
        branches=tuple(branches),
        special_points=tuple(points),
        system=system,
        second=second,
        second_range=collector.span,
        reduction=reduction,
        notes=tuple(collector.notes),
    )


def _sizes(collector: Collector, reduction: Reduction | None, tables: list[np.ndarray]) -> np.ndarray:
    """Return the units in which two points (first, second, states) are compared."""
    if not tables:
        return np.empty(0)
    size = np.max([np.abs(table).max(axis=0) for table in tables], axis=0)
    size[:2] = np.maximum(size[:2], (collector.size[-1], collector.span[1] - collector.span[0]))
    kept = list(reduction.kept) if reduction else list(range(len(size) - 2))
    for place, own in zip(kept, collector.size[:-1], strict=True):
        size[2 + place] = max(size[2 + place], own)
    size[2:] = np.where(size[2:] > 0.0, size[2:], size[2:].max())
    return size


def _table(one: Locus, reduction: Reduction | None) -> np.ndarray:
    """Return rows (first, second, states)."""
    base, states = one.problem.base, one.points[:, : one.problem.n]
    if reduction is not None:
        values = np.tile(base.values, (len(states), 1))
        values[:, list(one.problem.indices)] = one.points[:, -2:]
        states = reduction.states(states, values)
    return np.column_stack([one.points[:, -2:], states])


def _branch(one: Locus, number: int, columns: tuple[str, ...], table: np.ndarray, iterations: int | None) -> Branch:
    values, unstable = one.problem.spectra(one.points)
    nothing = np.empty((len(table), 0))
    return Branch(
        id=number,
        kind=one.problem.kind,
        columns=columns,
        points=frozen(table),
        unstable=frozen(unstable, int),
        eigenvalues=frozen(nothing if iterations else values, complex),
        multipliers=frozen(values if iterations else nothing, complex),
        origin=None,
        ended=one.ended,
        iterations=iterations,
    )


def _point(found: Found, one: Locus, branch: Branch, system: System, reduction: Reduction | None) -> SpecialPoint:
    row, y = branch.points[found.row], one.points[found.row]
    prepare(one.problem, *parts(one.problem, y))
    residual = one.problem.residual(y)
    coefficients = codim2.coefficients(one.problem, y, found.label)
    facts: dict[str, Any] = {name: coefficients.get(name) for name in ("a", "b", "c", "l2")}
    facts |= _of_map(one.problem, y, branch, found.row, system, reduction) if branch.iterations else {}
    kappa = 0.0 if branch.iterations else parts(one.problem, y)[3]
    return SpecialPoint(
        label=found.label,
        branch=branch.id,
        index=found.row,
        parameters={one.problem.first: float(row[0]), one.problem.second: float(row[1])},
        state=dict(zip(branch.columns[2:], row[2:].tolist(), strict=True)),
        status="converged" if found.bracket is None else "bracketed",
        residual=residual,
        bracket=found.bracket,
        omega=float(np.sqrt(kappa)) if kappa > 0.0 and found.label != "BT" else None,
        eigenvalues=branch.eigenvalues[found.row],
        system=system,
        reduction=reduction,
        **facts,
    )


def _of_map(
    problem: LocusProblem, y: np.ndarray, branch: Branch, row: int, system: System, reduction: Reduction | None
) -> dict[str, Any]:
    """Return what a point of a locus of a map has besides."""
    x, _, _, cosine = parts(problem, y)
    values = problem.values(y)
    assert branch.iterations is not None
    states = orbit(system, x, branch.iterations, values)
    if reduction is not None:
        states = reduction.states(states, np.tile(values, (len(states), 1)))
    return {
        "theta": float(np.arccos(np.clip(cosine, -1.0, 1.0))) if problem.paired else None,
        "multipliers": branch.multipliers[row],
        "iterations": branch.iterations,
        "states": frozen(states),
    }


def _same(label: str, row: np.ndarray, other: SpecialPoint, size: np.ndarray) -> bool:
    """Say whether a point is another, of a map by any of the points of its cycle."""
    states = other.states if other.states.size else np.array([[*other.state.values()]])
    there = np.column_stack([np.tile([*other.parameters.values()], (len(states), 1)), states])
    return other.label == label and bool(np.any(np.all(np.abs(row - there) <= SAME * size, axis=1)))

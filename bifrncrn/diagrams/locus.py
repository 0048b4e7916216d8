"""The verb `locus`: folds or Hopf points in two parameters, and all loci of a diagram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.continuation.options import Options
from bifrncrn.diagrams.locus_collecting import KINDS, Collector
from bifrncrn.diagrams.locus_following import Found, Locus
from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint
from bifrncrn.models.conservation import Reduction
from bifrncrn.models.system import System

LARGEST = 90
"""Most states of a model whose loci are followed: the defining systems have twice as many, and are dense."""
ROOM = 10.0
"""How far the loci of a diagram may leave the range of the first parameter, in units of its width."""
SAME = 1e-6
"""Two points closer than this, relative to their size, are one."""


def locus(point: SpecialPoint, second: str, bounds: tuple[float, float], *, options: Options | None = None) -> Diagram:
    """Follow a fold or Hopf point in two parameters.

    The curve is followed in both directions until the second parameter leaves its range; cusps, Bogdanov-Takens,
    Bautin, zero-Hopf and double Hopf points on it are located.

    Parameters
    ----------
    point : SpecialPoint
        A fold (LP) or Hopf point (HB) of a diagram computed in this process.
    second : str
        The second parameter; the first is that of the point's diagram.
    bounds : (float, float)
        The interval of the second parameter; it must contain the model's value.
    options : Options, optional
        Step control and limits.

    Returns
    -------
    Diagram
        With one branch of kind `fold` or `hopf`; its columns are both parameters and the states.

    Raises
    ------
    InputError
        If the point is of another kind, or the second parameter or its interval is not what it should be.
    ConvergenceError
        If the curve cannot be started at the point.

    Notes
    -----
    Kuznetsov, Elements of Applied Bifurcation Theory, sections 8.2 to 8.6 and 10.7.
    """
    if point.label not in KINDS:
        raise InputError(f"a {point.label} is not followed in two parameters; give a fold (LP) or a Hopf point (HB)")
    if point.system is None:
        raise InputError("the point has lost its model (it was loaded from a file); compute its diagram again")
    (first,) = point.parameters
    span = checked_range(point.system, first, second, bounds)
    collector = Collector(first, second, span, options or Options())
    collector.add(point)
    if not collector.loci:
        raise ConvergenceError(" ".join(collector.notes))
    return _diagram(collector.loci, point.system, point.reduction, first, second, span)


def with_loci(diagram: Diagram, second: str, bounds: tuple[float, float], options: Options | None = None) -> Diagram:
    """Return a diagram with the loci of all its folds and Hopf points added, each curve once."""
    if diagram.system is None:
        raise InputError("the diagram has lost its model (it was loaded from a file); compute it again")
    first, system = diagram.parameter, diagram.system
    span = checked_range(system, first, second, bounds)
    chosen = [point for point in diagram.special_points if point.label in KINDS and point.status == "converged"]
    low, high = diagram.range
    room = low - ROOM * (high - low), high + ROOM * (high - low)
    collector = Collector(first, second, span, options or Options(), room)
    for point in chosen:
        collector.add(point)
    collector.add_crossing()
    added = _diagram(collector.loci, system, diagram.reduction, first, second, span)
    count = len(diagram.branches)
    branches = [replace(branch, id=branch.id + count) for branch in added.branches]
    points = [replace(point, branch=point.branch + count) for point in added.special_points]
    return replace(
        diagram,
        branches=(*diagram.branches, *branches),
        special_points=(*diagram.special_points, *points),
        second=second,
        second_range=span,
        notes=(*diagram.notes, *collector.notes),
    )


def checked_range(system: System, first: str, second: str, bounds: tuple[float, float]) -> tuple[float, float]:
    """Return the interval of the second parameter, checked."""
    from bifrncrn.diagrams.diagram import bounds_of

    low, high = bounds_of(second, bounds)
    if not system.equations:
        raise InputError("curves in two parameters need the model's equations, but it is a Python function; give them")
    if len(system.variables) > LARGEST:
        count = len(system.variables)
        raise InputError(f"curves in two parameters are for models of up to {LARGEST} states, not {count}")
    value = float(system.values[system.parameter_index(second)])
    if second == first:
        raise InputError(f"the second parameter is {second!r}, which is the first as well; name another")
    if not low <= value <= high:
        raise InputError(
            f"the range of {second}, [{low:g}, {high:g}], leaves out its value {value:g}, where the curves start; "
            "widen it or set another value"
        )
    return low, high


def _diagram(
    loci: Sequence[Locus],
    system: System,
    reduction: Reduction | None,
    first: str,
    second: str,
    span: tuple[float, float],
) -> Diagram:
    tables = [_table(one, reduction) for one in loci]
    branches = [
        _branch(one, k, (first, second, *names), table) for k, (one, (names, table)) in enumerate(zip(loci, tables))
    ]
    size = np.max([np.abs(table).max(axis=0) for _, table in tables], axis=0) if tables else np.empty(0)
    size[2:] = size[2:].max(initial=1e-9)  # states that are all zero differ by rounding
    points: list[SpecialPoint] = []
    for number, (one, (_, table)) in enumerate(zip(loci, tables)):
        for found in one.found:  # loci meet in such points; each is listed once
            if not any(_same(found.label, table[found.row], other, size) for other in points):
                points.append(_point(found, one, branches[number], system, reduction))
    edges = [(float(b.points[:, 0].min()), float(b.points[:, 0].max())) for b in branches]
    extent = (min(low for low, _ in edges), max(high for _, high in edges)) if edges else (0.0, 0.0)
    return Diagram(
        model=system.title,
        parameter=first,
        range=extent,
        branches=tuple(branches),
        special_points=tuple(points),
        system=system,
        second=second,
        second_range=span,
        reduction=reduction,
    )


def _table(one: Locus, reduction: Reduction | None) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of the states, and rows (first, second, states) with what was divided out computed again."""
    base, n = one.extended.base, one.extended.n
    states, names = one.points[:, :n], base.variables
    if reduction is not None:
        kept, out = states, np.empty((len(states), reduction.laws.shape[1]))
        totals = [base.parameter_index(name) for name in reduction.totals]
        values = np.array([at.values[totals] for at in one.locals])
        out[:, list(reduction.kept)] = kept
        out[:, list(reduction.eliminated)] = values - kept @ reduction.laws[:, list(reduction.kept)].T
        states, names = out, reduction.whole.variables
    return names, np.column_stack([one.points[:, -2:], states])


def _branch(one: Locus, number: int, columns: tuple[str, ...], table: np.ndarray) -> Branch:
    spectra = [np.linalg.eigvals(at.jacobian) for at in one.locals]
    unstable = [int(np.sum(at.others.real > 0.0)) for at in one.locals]
    return Branch(
        id=number,
        kind=one.extended.kind,
        columns=columns,
        points=frozen(table),
        unstable=frozen(unstable, int),
        eigenvalues=frozen([values[np.lexsort((-values.imag, -values.real))] for values in spectra], complex),
        origin=None,
        ended=one.ended,
    )


def _point(found: Found, one: Locus, branch: Branch, system: System, reduction: Reduction | None) -> SpecialPoint:
    kappa, row = one.locals[found.row].kappa, branch.points[found.row]
    return SpecialPoint(
        label=found.label,
        branch=branch.id,
        index=found.row,
        parameters={one.extended.first: float(row[0]), one.extended.second: float(row[1])},
        state=dict(zip(branch.columns[2:], row[2:].tolist(), strict=True)),
        status="converged" if found.bracket is None else "bracketed",
        residual=found.residual,
        bracket=found.bracket,
        omega=float(np.sqrt(kappa)) if kappa > 0.0 and found.label != "BT" else None,
        eigenvalues=branch.eigenvalues[found.row],
        system=system,
        reduction=reduction,
        a=found.coefficients.get("a"),
        b=found.coefficients.get("b"),
        c=found.coefficients.get("c"),
    )


def _same(label: str, row: np.ndarray, other: SpecialPoint, size: np.ndarray) -> bool:
    there = np.array([*other.parameters.values(), *other.state.values()])
    return other.label == label and bool(np.all(np.abs(row - there) <= SAME * size))

"""The verb `locus`: folds or Hopf points in two parameters, and all loci of a diagram."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.base.labels import KINDS, locus_of
from bifrncrn.base.progress import progress
from bifrncrn.continuation.options import Options, begun
from bifrncrn.diagrams.cycle_loci import SURE, Locus, apart, branch_of
from bifrncrn.diagrams.cycle_loci import Task as CyclesTask
from bifrncrn.diagrams.cycle_loci import follow as follow_cycles
from bifrncrn.diagrams.cycle_loci import task_of as cycles_task
from bifrncrn.diagrams.homoclinic_loci import Loop, from_end, from_found
from bifrncrn.diagrams.homoclinic_loci import branch_of as homoclinic_branch
from bifrncrn.diagrams.homoclinic_loci import follow as follow_homoclinic
from bifrncrn.diagrams.locus_collecting import Collector
from bifrncrn.diagrams.locus_results import assembled
from bifrncrn.diagrams.map_loci import checked, loci_of, map_locus
from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint
from bifrncrn.diagrams.setup import at_point, bounds_of
from bifrncrn.diagrams.snic import added as with_circles
from bifrncrn.diagrams.unfolding import BEGIN, starts
from bifrncrn.models.cycle_events import fixes_period
from bifrncrn.models.maps import is_map, require_map
from bifrncrn.models.system import System
from bifrncrn.trajectories.heteroclinic import Heteroclinic
from bifrncrn.trajectories.homoclinic import Homoclinic

POINTS = (
    "give LP or HB, LPC, PD, NS or BPC of periodic orbits, GH, ZH or HH of a curve, 'period = 10', or a homoclinic or "
    "heteroclinic orbit"
)
"""What a curve in two parameters starts at."""
LARGEST = 90
"""Most states of a model whose loci are followed: the defining systems are dense."""
ROOM = 10.0
"""How far the loci of a diagram may leave the range of the first parameter, in units of its width."""
SAME_TURN = 1e-3
"""Small cycles turn as the equilibrium does, to this share: double Hopf points, where two turn, are further apart."""


def locus(
    point: SpecialPoint | Homoclinic | Heteroclinic,
    second: str,
    bounds: tuple[float, float],
    *,
    system: System | None = None,
    options: Options | None = None,
) -> Diagram:
    """Follow a fold, a Hopf point, a bifurcation of periodic orbits, or a homoclinic orbit in two parameters.

    The curve is followed in both directions until the second parameter leaves its range; cusps, Bogdanov-Takens,
    Bautin, zero-Hopf and double Hopf points on it are located. Curves of the same kind that cross it are followed too.
    On curves of periodic orbits cusps (CPC), degenerate doublings and tori (GPD, CH), strong resonances (R1 to R4) and
    points that are of two kinds (LPPD, LPNS, PDNS, NSNS) are located. On curves of homoclinic orbits there are neutral
    saddles (NSS), saddle-foci of no divergence (NDS, NDU), transitions from saddle to saddle-focus (DRS, DRU), orbit
    flips (OFS, OFU) and inclination flips (IFS, IFU); they end where an eigenvalue of the saddle passes zero (NCH, SH).

    Parameters
    ----------
    point : SpecialPoint, Homoclinic or Heteroclinic
        A fold (LP) or Hopf point (HB) of a diagram; of a map LP, a period doubling (PD) or a Neimark-Sacker point (NS)
        of fixed points or cycles; or a fold (LPC), a period doubling (PD), a torus (NS) or a branch
        point (BPC) of a branch of periodic orbits; or an orbit that `find_homoclinic` or `find_heteroclinic` found. Or
        a point of a curve in two parameters: GH, where folds of cycles begin, ZH or HH, where tori may. Or an event
        such as `"period = 10"` on a branch of periodic orbits: the cycles of that period.
    second : str
        The second parameter; the first is that of the point's diagram.
    bounds : (float, float)
        The interval of the second parameter; it must contain the model's value.
    system : System, optional
        The model, where an LP or HB, or a GH, ZH or HH, does not know it, having been loaded from a file.
    options : Options, optional
        Step control and limits.

    Returns
    -------
    Diagram
        With branches of kind `fold` or `hopf` (of a map `map_fold`, `map_doubling` or `map_torus`, with multipliers and
        the codimension-two points CP, GPD, CH, R1 to R4, LPPD, LPNS, PDNS, NSNS); their columns are both parameters and
        the states. Or of kind
        `fold_of_cycles`, `period_doubling`, `torus`, `branch_point_of_cycles` or `fixed_period`; both parameters, the
        period, and the states' extremes. Or of kind `homoclinic`; both parameters and the saddle, whose eigenvalues
        they hold, and the orbits. Or `heteroclinic`; both parameters, the saddle it comes from, and after `to` that
        which it goes to.

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
    if isinstance(point, (Homoclinic, Heteroclinic)):
        return _of_homoclinic(point, second, bounds, begun(options))
    if not isinstance(point, SpecialPoint):
        raise InputError(
            f"a curve starts at a special point of a diagram or a homoclinic orbit, not at {point!r:.60}; {POINTS}"
        )
    if point.iterations is not None:
        return _of_map(point, second, bounds, system, begun(options))
    if point.label in BEGIN and len(point.parameters) == 2:
        return _from_codim2(replace(point, system=point.system or system), second, bounds, begun(options))
    if point.place is not None and point.event and fixes_period(point.event) and len(point.parameters) == 1:
        return _of_cycles(point, second, bounds, begun(options))
    if not locus_of(point.label) or len(point.parameters) != 1:
        raise InputError(f"a {point.label} is not followed in two parameters; {POINTS}")
    if KINDS[locus_of(point.label)].cycles:
        return _of_cycles(point, second, bounds, begun(options))
    point = _with_model(point, system)
    assert point.system is not None
    (first,) = point.parameters
    span = checked_range(point.system, first, second, bounds)
    collector = Collector([point], first, second, span, begun(options))
    collector.add(point)
    if not collector.loci:
        raise ConvergenceError(" ".join(collector.notes))
    collector.switch_everywhere()
    return assembled(collector, point.system, point.reduction)


def _of_map(
    point: SpecialPoint, second: str, bounds: tuple[float, float], system: System | None, options: Options
) -> Diagram:
    """Follow a bifurcation of fixed points or cycles of a map in two parameters."""
    point = checked(point)
    own = point.system or system
    if own is None:
        raise InputError("the point has lost its model (it was loaded from a file that holds none); give it: system=")
    require_map(own)
    (first,) = point.parameters
    return map_locus(replace(point, system=own), second, checked_range(own, first, second, bounds), options)


def _of_cycles(point: SpecialPoint, second: str, bounds: tuple[float, float], options: Options) -> Diagram:
    """Follow a bifurcation of periodic orbits in two parameters."""
    if point.status != "converged":
        raise InputError(f"the {point.label} is not refined, so no curve starts there; give another")
    task = cycles_task(point, second, bounds, options)
    assert point.system is not None
    span = checked_range(point.system, task.first, second, bounds)
    found = _curves_of_cycles([task])
    if found is None:
        where = f"{task.first}={point.parameters[task.first]:.6g}"
        raise ConvergenceError(f"the curve through the {point.label} at {where} could not be started{apart(task)}")
    return replace(found, second_range=span)


def _from_codim2(point: SpecialPoint, second: str, bounds: tuple[float, float], options: Options) -> Diagram:
    """Follow the folds of cycles or the tori that begin at a point of codimension two."""
    what, where = BEGIN[point.label], ", ".join(f"{name}={value:.6g}" for name, value in point.parameters.items())
    if point.system is None:
        raise InputError(
            f"the {point.label} at {where} has lost its model (it was loaded from a file); compute it again"
        )
    if second not in point.parameters:
        names = " and ".join(point.parameters)
        raise InputError(
            f"the {point.label} is one in {names}, so the second parameter is one of these, not {second!r}"
        )
    (first,) = (name for name in point.parameters if name != second)
    system = point.system.with_(values=point.parameters)
    span = checked_range(system, first, second, bounds)
    size = max(abs(point.parameters[first]), span[1] - span[0])
    around = (point.parameters[first] - size, point.parameters[first] + size)
    begun = [replace(one, range=around) for one in starts(point, second, span, options)]
    found = _curves_of_cycles([cycles_task(one, second, span, options) for one in begun])
    if found is None:
        raise ConvergenceError(
            f"no {what} was found on the cycles beside the {point.label} at {where}: perhaps none begins there"
        )
    return replace(found, second_range=span)


def _curves_of_cycles(tasks: list[CyclesTask]) -> Diagram | None:
    """Follow bifurcations of periodic orbits, each curve once; None where no curve could be started."""
    known: list[Locus] = []
    for task in tasks:
        if not any(one.task.kind == task.kind and one.passes(task.point) for one in known):
            found = follow_cycles(task)
            known += [] if found is None else [found]
    if not known:
        return None
    branches: list[Branch] = []
    points: list[SpecialPoint] = []
    for one in known:
        branch, special = branch_of(one, len(branches))
        branches.append(branch)
        points += special
    task = known[0].task
    system, values = task.point.system, np.concatenate([branch.points[:, 0] for branch in branches])
    assert system is not None
    return Diagram(
        model=system.title,
        parameter=task.first,
        range=(float(values.min()), float(values.max())),
        branches=tuple(branches),
        special_points=tuple(points),
        system=system,
        second=task.second,
        reduction=None if system.period else task.point.reduction,
    )


def _of_homoclinic(
    found: Homoclinic | Heteroclinic, second: str, bounds: tuple[float, float], options: Options
) -> Diagram:
    """Follow a homoclinic orbit, or one between two saddles, in two parameters."""
    span = checked_range(found.system, found.parameter, second, bounds)
    loop = follow_homoclinic(from_found(found, second), ((-np.inf, np.inf), span), options)
    if loop is None:
        where = f"{found.parameter}={found.value:.6g}"
        raise ConvergenceError(f"the curve through the orbit at {where} could not be started")
    branch, points = homoclinic_branch(loop, 0)
    values = branch.points[:, 0]
    return Diagram(
        model=found.system.title,
        parameter=found.parameter,
        range=(float(values.min()), float(values.max())),
        branches=(branch,),
        special_points=tuple(points),
        system=found.system,
        second=second,
        second_range=span,
    )


def _room(span: tuple[float, float]) -> tuple[float, float]:
    """Return the range of the first parameter that curves may go through."""
    low, high = span
    return low - ROOM * (high - low), high + ROOM * (high - low)


def with_loci(diagram: Diagram, second: str, bounds: tuple[float, float], options: Options | None = None) -> Diagram:
    """Return a diagram with the loci of its folds, Hopf points, LPC, PD, NS, BPC and homoclinic ends, each curve once.

    Of a map with those of its LP, PD and NS, of fixed points and cycles.
    Where a cycle ends in a saddle-node on it, the curve of such ends is part of that of the fold (LP) there: see
    `with_snic`, which is done too, also where a curve of homoclinic orbits ends at a saddle-node.
    """
    require_kind(diagram, Diagram, "a diagram")
    if diagram.system is None:
        raise InputError("the diagram has lost its model (it was loaded from a file that holds none); compute it again")
    first, system = diagram.parameter, diagram.system
    span = checked_range(system, first, second, bounds)
    if is_map(system):
        return _with_loci_of_map(diagram, second, span, begun(options))
    every = [point for point in diagram.special_points if locus_of(point.label)]
    chosen = [point for point in every if not KINDS[locus_of(point.label)].cycles]
    room = _room(diagram.range)
    options = begun(options)
    collector = Collector(chosen, first, second, span, options, room)
    with progress("following curves in two parameters", len(chosen)) as step:
        for point in chosen:
            if options.late:
                where = f"{point.label} at {first}={point.parameters[first]:.9g}"
                collector.notes.append(f"the curve of the {where} was not followed: {options.said}")
            else:
                collector.add(point)
            step()
    collector.add_crossing()
    added = assembled(collector, system, diagram.reduction)
    count = len(diagram.branches)
    branches = [replace(branch, id=branch.id + count) for branch in added.branches]
    points = [replace(point, branch=point.branch + count) for point in added.special_points]
    notes = [*added.notes, *_add_of_cycles(every, second, span, options, room, count, branches, points)]
    notes += _add_homoclinic(diagram, second, (room, span), options, branches, points)
    whole = replace(
        diagram,
        branches=(*diagram.branches, *branches),
        special_points=(*diagram.special_points, *points),
        second=second,
        second_range=span,
        notes=tuple(dict.fromkeys([*diagram.notes, *notes])),  # two curves through one point say the same
    )
    on_circles = any(end.reason == "snic" for branch in diagram.branches for end in branch.ended)
    return with_circles(whole, options) if on_circles or whole.special("NCH") else whole


def _with_loci_of_map(diagram: Diagram, second: str, span: tuple[float, float], options: Options) -> Diagram:
    branches, points, notes = loci_of(diagram, second, span, options, _room(diagram.range))
    return replace(
        diagram,
        branches=(*diagram.branches, *branches),
        special_points=(*diagram.special_points, *points),
        second=second,
        second_range=span,
        notes=tuple(dict.fromkeys([*diagram.notes, *notes])),
    )


def _add_of_cycles(
    chosen: list[SpecialPoint],
    second: str,
    span: tuple[float, float],
    options: Options,
    room: tuple[float, float],
    count: int,
    branches: list[Branch],
    points: list[SpecialPoint],
) -> list[str]:
    """Follow the loci of LPC, PD, NS and BPC, each once; add to branches and points, and return what could not be."""
    notes: list[str] = []
    known: list[Locus] = []
    wanted = [point for point in chosen if KINDS[locus_of(point.label)].cycles]
    with progress("following curves of periodic orbits in two parameters", len(wanted)) as step:
        for point in wanted:
            (first,) = point.parameters
            where = f"{point.label} at {first}={point.parameters[first]:.9g}"
            if options.late:
                notes.append(f"the curve of the {where} was not followed: {options.said}")
            elif point.status != "converged" or point.place is None:
                what = (
                    "it is not refined" if point.place is not None else "its orbit is lost (it was loaded from a file)"
                )
                notes.append(f"The {where} was not followed in two parameters: {what}.")
            elif not any(one.task.kind == locus_of(point.label) and one.passes(point) for one in known):
                task = cycles_task(point, second, span, options, room)
                found = follow_cycles(task)
                if found is None:
                    why = f"the curve could not be started{apart(task)}"
                    notes.append(f"The {where} was not followed in two parameters: {why}.")
                    continue
                known.append(found)
                branch, special = branch_of(found, count + len(branches))
                branches.append(branch)
                units = found.problem.units
                points += [one for one in special if not any(_is_one(one, other, units) for other in points)]
            step()
    return notes


def _is_one(end: SpecialPoint, other: SpecialPoint, units: np.ndarray) -> bool:
    """Say whether the Bautin point at which folds of cycles end, extrapolated, is that of a curve of Hopf points."""
    if not end.label == other.label == "GH" or other.omega is None or end.period is None:
        return False
    there = other.parameters
    off = np.abs([value - there[name] for name, value in end.parameters.items()]) / units
    turn = 2.0 * np.pi / other.omega
    return bool(np.max(off) <= max(SURE, end.residual)) and abs(end.period - turn) <= SAME_TURN * turn


def _add_homoclinic(
    diagram: Diagram,
    second: str,
    spans: tuple[tuple[float, float], tuple[float, float]],
    options: Options,
    branches: list[Branch],
    points: list[SpecialPoint],
) -> list[str]:
    """Follow the homoclinic orbits at ends of branches, each curve once; add to the branches and points.

    Return notes: what could not be followed.
    """
    notes: list[str] = []
    known: list[Loop] = []
    ends = [(b, row, b.ended[row]) for b in diagram.branches if b.kind == "periodic" for row in (0, -1)]
    for branch, row, end in ends:
        where = f"{diagram.parameter}={branch.points[row, 0]:.9g}"
        if end.reason == "heteroclinic":
            notes.append(
                f"The heteroclinic cycle near {where} was not followed in two parameters: find its orbits from saddle "
                "to saddle by find_heteroclinic, and follow each."
            )
        if end.reason != "homoclinic":
            continue
        if options.late:
            notes.append(f"the curve of the homoclinic orbit near {where} was not followed: {options.said}")
            continue
        start = from_end(diagram, branch, row, second)
        with progress("following homoclinic orbits in two parameters"):
            loop = None if start is None else follow_homoclinic(start, spans, options, known)
        if loop is None:
            notes.append(
                f"The homoclinic orbit near {where} was not followed in two parameters: no curve started there."
            )
        elif loop not in known:
            known.append(loop)
            added, special = homoclinic_branch(loop, len(diagram.branches) + len(branches))
            branches.append(added)
            points += special
    return notes


def checked_range(system: System, first: str, second: str, bounds: tuple[float, float]) -> tuple[float, float]:
    """Return the interval of the second parameter, checked."""
    low, high = bounds_of(second, bounds)
    if not system.has_formulas:
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


def _with_model(point: SpecialPoint, system: System | None) -> SpecialPoint:
    """Return a point that knows its model, without conserved sums."""
    if system is None and point.system is not None:
        return point
    (value,) = point.parameters.values()
    setup = at_point(point, point.range or (value, value + (abs(value) or 1.0)), system, None)
    return replace(point, system=setup.system, reduction=setup.reduction)

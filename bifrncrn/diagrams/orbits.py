"""The verb `orbits`: the branch of periodic orbits that leaves a Hopf point, followed in the parameter."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.checks import require_kind, whole
from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.base.labels import leaving
from bifrncrn.base.progress import progress
from bifrncrn.continuation.options import Options, begun
from bifrncrn.curves.orbits.ends import KNOWN, MOTHER, UNFINISHED, Followed
from bifrncrn.diagrams.families import Family, check_inside, checked, from_cycle, from_hopf, same
from bifrncrn.diagrams.leaving import from_cycle_point
from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.diagrams.setup import at_point, bounds_of, checked_start, start_point
from bifrncrn.models.maps import is_map, require_flow
from bifrncrn.models.system import System
from bifrncrn.models.transitions import without_clock
from bifrncrn.trajectories.cycles import Cycle, describe_attractor, find_cycle

BESIDE = 0.02
"""So far beside a centre, in units of the parameter's range, it is seen whether a cycle persists: far enough for the
trajectory to settle within some dozens of turns."""
OUTSIDE, NESTED = 2.0, 8
"""The next cycle around a centre is looked for from this many times the size of the last one; no more than so many."""
SAME_CYCLE = 0.02
"""Rows of a branch are so close together that a line between two passes its cycles at less than this of their size."""
SAME_DOUBLING = 1e-5
SAME_PERIOD = 1e-3
"""A branch of doubled period that ends this close to a PD, in terms of the range and of the period, is the one that
leaves there; its end is interpolated in its last step."""


@dataclass(frozen=True, eq=False, repr=False)
class Orbits(Diagram):
    """A branch of periodic orbits, with its special points: a diagram of one branch, whose fields are also here."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `points`."""
        return self.branches[0].columns

    @property
    def points(self) -> np.ndarray:
        """The points of the branch."""
        return self.branches[0].points

    @property
    def unstable(self) -> np.ndarray:
        """The number of unstable multipliers of every point."""
        return self.branches[0].unstable

    @property
    def multipliers(self) -> np.ndarray:
        """The Floquet multipliers of every point."""
        return self.branches[0].multipliers

    @property
    def ended(self) -> tuple[End, ...]:
        """Why the branch ends at its first and at its last point."""
        return self.branches[0].ended

    def column(self, name: str) -> np.ndarray:
        """Return one column of the points by its name."""
        return self.branches[0].column(name)

    def orbit(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return times (k,) and states (k, n) of one of the orbits."""
        return self.branches[0].orbit(index)

    def plot_family(self, states: tuple[str, str] | None = None, count: int = 6) -> np.ndarray:
        """Draw some of the orbits, each in the plane of two states; see `bifrncrn.plots.cycles.plot_family`."""
        from bifrncrn.plots.cycles import plot_family

        return plot_family(self.branches[0], states, count)


def orbits(
    start: SpecialPoint | Cycle,
    bounds: tuple[float, float] | None = None,
    *,
    parameter: str | None = None,
    system: System | None = None,
    events: Sequence[str] = (),
    options: Options | None = None,
) -> Orbits:
    """Follow the periodic orbits that leave a special point, or the branch that a cycle lies on.

    Orbits are computed by orthogonal collocation on a mesh that adapts to them. Folds of cycles (LPC), period doublings
    (PD), Neimark-Sacker points (NS) and branch points of cycles (BPC) are located and refined until the mesh does not
    matter. The branch ends at the range, at a Hopf point, or where the period grows without bound; one of doubled
    period where it meets the one that it left.

    Parameters
    ----------
    start : SpecialPoint or Cycle
        A Hopf point of a diagram; a point of a branch of orbits: PD, where one of doubled period leaves, or BPC; or a
        cycle that `find_cycle` found. The branches of a cycle and at a BPC are followed both ways.
    bounds : (float, float), optional
        The range of the parameter; by default that of the diagram. The start must lie inside.
    parameter : str, optional
        With a cycle: the parameter to vary; by default `lam`, or the only one there is.
    system : System, optional
        Needed where the diagram was loaded: the system it belongs to.
    events : sequence of str
        Equations such as `"period = 10"`, `"max u1 = 2"` or `"D = 0.1"`, or expressions of period, extremes and
        parameters, whose zeros on the branch are located and labelled UZ.
    options : Options, optional
        Step control and limits.

    Returns
    -------
    Orbits

    Raises
    ------
    InputError
        If no orbits leave such a point, it lies outside the range, or the system is not known.
    ConvergenceError
        If no orbit is found near the point.

    Examples
    --------
    >>> from bifrncrn.diagrams.diagram import diagram
    >>> model = System.from_equations(
    ...     {"x": "lam*x - y - x*(x^2 + y^2)", "y": "x + lam*y - y*(x^2 + y^2)"}, {"lam": -1.0}, {"x": 0, "y": 0}
    ... )
    >>> found = orbits(diagram(model, bounds=(-1, 1)).special("HB")[0])
    >>> print(found.ended[1].message, f"{found.column('period')[-1]:.9f} {found.column('max x')[-1]:.8f}")
    lam reached 1 6.283185307 1.00000000
    """
    if isinstance(start, Cycle):
        if system is not None:
            raise InputError("a cycle knows its system; leave system out")
        family = from_cycle(start, parameter, bounds, begun(options), events=events)
        return _as_result(start.system.title, family)
    if isinstance(start, SpecialPoint) and start.label in leaving("periodic"):
        return _as_result(start.system.title if start.system else "", _left(start, bounds, parameter, events, options))
    if not isinstance(start, SpecialPoint) or start.label != "HB":
        what = getattr(start, "label", start)
        raise InputError(f"periodic orbits start at a Hopf point, at PD or at BPC; give one, not {what!r:.60}")
    task = checked(at_point(start, bounds, system, options))
    if parameter not in (None, task.parameter):
        raise InputError(f"the diagram of this point is in {task.parameter}; leave parameter={parameter!r:.40} out")
    check_inside(task, start.parameters[task.parameter], "the Hopf point")
    found = from_hopf(task, start, events)
    if isinstance(found, str):
        raise ConvergenceError(found)
    return _as_result(task.system.title, found)


def _left(
    point: SpecialPoint,
    bounds: tuple[float, float] | None,
    parameter: str | None,
    events: Sequence[str],
    options: Options | None,
) -> Family:
    """Return the branch that leaves another at a point."""
    (name,) = point.parameters
    if parameter not in (None, name):
        raise InputError(f"the branch of this point is in {name}; leave parameter={parameter!r:.40} out")
    family = from_cycle_point(point, bounds, begun(options), events)
    if isinstance(family, str):
        raise ConvergenceError(family)
    return family


def _as_result(title: str, family: Family) -> Orbits:
    task, branch = family.task, family.branch(0, None)
    return Orbits(
        model=title,
        parameter=task.parameter,
        range=task.span,
        branches=(branch,),
        special_points=tuple(family.special_points(0)),
        system=task.forced or task.system,
        notes=(*([task.system.note] if task.system.note else []), *family.notes(branch)),
        counters=family.counters(),
        reduction=None if task.forced else task.reduction,
    )


def with_orbits(
    diagram: Diagram,
    *,
    system: System | None = None,
    events: Sequence[str] = (),
    options: Options | None = None,
    doublings: int = 0,
) -> Diagram:
    """Return the diagram with the branches of periodic orbits that leave its Hopf points, each followed once.

    Arguments as for `orbits`. A Hopf point that no orbit is found at is named in a note. With `doublings` the branches
    of doubled period that leave at PD are followed too, those that leave at their PD, and so on, so many times.
    """
    require_kind(diagram, Diagram, "a diagram")
    if diagram.system is not None:
        require_flow(diagram.system, "with_orbits")
    hopf = [k for k, point in enumerate(diagram.special_points) if point.label == "HB" and len(point.parameters) == 1]
    if not hopf:
        return diagram
    task = checked(at_point(diagram.special_points[hopf[0]], diagram.range, system, options))
    branches, points, notes = list(diagram.branches), list(diagram.special_points), list(diagram.notes)
    counters = dict(diagram.counters)
    done: list[np.ndarray] = []
    unfinished: list[tuple[Followed, int]] = []
    for place in hopf:
        point = diagram.special_points[place]
        y = task.coordinates(point)
        if any(same(task, y, other) for other in done):
            continue
        if task.options.late:
            where = f"{task.parameter}={y[-1]:.9g}"
            notes.append(f"the orbits of the Hopf point at {where} were not followed: {task.options.said}")
            continue
        with progress(f"following periodic orbits from Hopf point {len(done) + 1} of {len(hopf)}"):
            family = from_hopf(task, point, events, [found for found, _ in unfinished])
        if isinstance(family, str):
            notes.append(family)
            continue
        branch = family.branch(len(branches), place)
        branches.append(branch)
        _meet(family.found, branches, unfinished)
        notes += family.notes(branch)
        points += family.special_points(branch.id)
        done += [end.y for end in family.ends if end is not None]
        _count(counters, family)
        others = _beside(family, point, branches, events) if family.vertical else _mothers(family, branches, events)
        for other in others:
            branches.append(other.branch(len(branches), None))
            notes += other.notes(branches[-1])
            points += other.special_points(branches[-1].id)
            _count(counters, other)
    found = replace(
        diagram, branches=tuple(branches), special_points=tuple(points), notes=tuple(notes), counters=counters
    )
    return with_doublings(found, doublings, events=events, options=options) if doublings else found


def _meet(found: Followed, branches: list[Branch], unfinished: list[tuple[Followed, int]]) -> None:
    """Say of the newest branch and of that whose last orbit it came to, if it did, that they are one family."""
    newest = len(branches) - 1
    if found.reason in UNFINISHED and len(found.rows) > 1:
        unfinished.append((found, newest))
    for other, number in unfinished:
        if found.reason == KNOWN and found.rows[-1] is other.rows[-1]:
            unfinished.remove((other, number))
            for one, joined, more in ((newest, number, ""), (number, newest, f"{branches[number].ended[1].message}; ")):
                first, last = branches[one].ended
                message = f"{more}branch {joined} goes on from there, as one family"
                branches[one] = replace(branches[one], ended=(first, replace(last, message=message)))
            return


def _mothers(family: Family, branches: list[Branch], events: Sequence[str]) -> list[Family]:
    """Follow the cycles of half the period that a family comes to, if they are not known."""
    task, found = family.task, family.found
    if found.reason != MOTHER or task.parameter not in task.whole.parameters:
        return []
    orbit = found.rows[-1].place.orbit
    start, values = task.states(orbit.nodes[:1], orbit.parameter)[0], {task.parameter: orbit.parameter}
    cycle = find_cycle(task.whole, values=values, state=start, period=0.5 * orbit.period)
    if cycle is None or any(_passes(branch, task.parameter, cycle) for branch in branches):
        return []
    try:
        return [from_cycle(cycle, task.parameter, task.span, task.options, events=events)]
    except ConvergenceError:
        return []


def _beside(family: Family, point: SpecialPoint, branches: list[Branch], events: Sequence[str]) -> list[Family]:
    """Follow the cycles that trajectories come to from beside a centre, on both sides of its parameter.

    Of the cycles around a centre only some persist where it is damped or driven, of whatever size: there the Hopf point
    tells nothing, and the family around the centre has no more than a branch point there. They lie around each other,
    attracting on one side and on the other by turns: from outside one that is found a trajectory comes to the next.
    """
    task, name = family.task, family.task.parameter
    found: list[Family] = []
    if name not in task.whole.parameters:  # a conserved sum
        return found
    known, inside = list(branches), np.array(list(point.state.values()))
    sides: tuple[float, ...] = (-BESIDE, BESIDE)
    state = inside
    while len(found) < NESTED:
        for side in sides:
            value = point.parameters[name] + side * task.unit
            if task.options.late or not task.span[0] < value < task.span[1]:
                continue
            cycle = find_cycle(task.whole, values={name: value}, state=state)
            if cycle is not None and not any(_passes(branch, name, cycle) for branch in known):
                break
        else:
            break
        try:
            found.append(from_cycle(cycle, name, task.span, task.options, events=events))
        except ConvergenceError:
            break
        known.append(found[-1].branch(len(known), None))
        state, sides = inside + OUTSIDE * (cycle.points[0] - inside), (-side,)
    return found


def with_cycle(
    diagram: Diagram | None,
    system: System,
    parameter: str | None = None,
    bounds: tuple[float, float] | None = None,
    *,
    start: Mapping[str, float] | None = None,
    events: Sequence[str] = (),
    options: Options | None = None,
) -> Diagram:
    """Return the diagram with the branch of the cycle that the trajectory from a start settles to; no HB is needed.

    Parameters
    ----------
    diagram : Diagram or None
        None for the branch alone.
    system : System
    parameter, bounds
        As for `diagram`.
    start : mapping, optional
        Values of states and of the parameter that differ from the system's own.
    events : sequence of str
        As for `orbits`.
    options : Options, optional

    Raises
    ------
    ConvergenceError
        If the trajectory settles to no cycle.
    """
    require_kind(system, System, "a system")
    system = without_clock(system)
    name, start = system.varying(parameter), checked_start(start)
    y = start_point(system, name, bounds_of(name, bounds), start)
    cycle = find_cycle(system, values={name: float(y[-1])}, state=y[:-1])
    if cycle is None:
        what = describe_attractor(system, values={name: float(y[-1])}, state=y[:-1])
        raise ConvergenceError(
            f"the trajectory from the start at {name}={y[-1]:.9g} settles to no cycle (but: {what}); start elsewhere"
        )
    family = from_cycle(cycle, name, bounds, begun(options), events=events)
    if diagram is None:
        return _as_result(system.title, family)
    if any(_passes(branch, name, cycle) for branch in diagram.branches):
        note = f"The cycle that the start settles to, of period {cycle.period:.6g}, lies on a branch followed already."
        return replace(diagram, notes=(*diagram.notes, note))
    number, counters = len(diagram.branches), dict(diagram.counters)
    _count(counters, family)
    branch = family.branch(number, None)
    return replace(
        diagram,
        branches=(*diagram.branches, branch),
        special_points=(*diagram.special_points, *family.special_points(number)),
        notes=(*diagram.notes, *family.notes(branch)),
        counters=counters,
    )


def _passes(branch: Branch, name: str, cycle: Cycle) -> bool:
    """Say whether a cycle lies on a branch: where that has its parameter, periods and extremes are about the same."""
    if branch.kind != "periodic":
        return False
    names = [f"{end} {variable}" for variable in cycle.system.variables for end in ("min", "max")]
    if not set(names) <= set(branch.columns):
        return False
    rows = np.column_stack([branch.column(key) for key in (name, "period", *names)])
    ends = np.column_stack([cycle.min, cycle.max]).ravel()
    own = np.concatenate([[cycle.system.values[cycle.system.parameter_index(name)], cycle.period], ends])
    size = np.concatenate([[cycle.period], np.repeat(cycle.max - cycle.min, 2)])
    for first, last in itertools.pairwise(rows):
        if min(first[0], last[0]) <= own[0] <= max(first[0], last[0]) and first[0] != last[0]:
            at = first + (own[0] - first[0]) / (last[0] - first[0]) * (last - first)
            if np.all(np.abs(at[1:] - own[1:]) <= SAME_CYCLE * size):
                return True
    return False


def _count(counters: dict[str, int], family: Family) -> None:
    for name, count in family.counters().items():
        counters[name] = counters.get(name, 0) + count


def with_doublings(
    diagram: Diagram, times: int = 1, *, events: Sequence[str] = (), options: Options | None = None
) -> Diagram:
    """Return the diagram with the branches of doubled period that leave at its PD points, and at theirs, `times` over.

    It may be one of orbits, or of a map.

    A branch that runs from one PD to another is followed once. A PD from which none is found is named in a note.
    """
    require_kind(diagram, Diagram, "a diagram")
    times = whole("times", times, least=0)
    if diagram.system is not None and is_map(diagram.system):
        from bifrncrn.diagrams.maps import doubled

        return doubled(diagram, times, begun(options))
    branches, points, notes = list(diagram.branches), list(diagram.special_points), list(diagram.notes)
    counters = dict(diagram.counters)
    done: list[tuple[float, float]] = []
    first = 0
    for _ in range(times):
        last = len(points)
        for place in range(first, last):
            point = points[place]
            if point.label != "PD" or _known(point, done):
                continue
            family = from_cycle_point(point, None, begun(options), events)
            if isinstance(family, str):
                notes.append(family)
                continue
            branch = family.branch(len(branches), place)
            branches.append(branch)
            notes += family.notes(branch)
            points += family.special_points(branch.id)
            if family.found.limit is not None and family.found.reason == MOTHER:
                done.append((family.found.limit, family.rows[-1].place.orbit.period / 2.0))
            _count(counters, family)
        first = last
    return replace(
        diagram, branches=tuple(branches), special_points=tuple(points), notes=tuple(notes), counters=counters
    )


def _known(point: SpecialPoint, done: list[tuple[float, float]]) -> bool:
    """Say whether a doubled branch has already ended at a PD, given by parameter and period."""
    (value,) = point.parameters.values()
    low, high = point.range or (value, value)
    near = SAME_DOUBLING * (high - low)
    period = point.period or 0.0
    return any(abs(value - v) <= near and abs(period - t) <= SAME_PERIOD * t for v, t in done)

"""The verb `extend`: go on with a diagram, a saved one too, over a wider range or with more points."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line, join
from bifrncrn.continuation.options import Options, begun
from bifrncrn.curves.equilibria.problem import EVENTS, EquilibriumProblem
from bifrncrn.curves.fixed_points.problem import growth_of
from bifrncrn.diagrams.map_tracing import MapTracer
from bifrncrn.diagrams.maps import Atlas, map_labels
from bifrncrn.diagrams.multiple import null_vectors
from bifrncrn.diagrams.piecewise import BORDER
from bifrncrn.diagrams.piecewise import tracer as tracer_of
from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.diagrams.setup import Setup, at_state, bounds_of, labels
from bifrncrn.diagrams.tracing import Tracer
from bifrncrn.models.branch_events import compile_events
from bifrncrn.models.maps import is_map
from bifrncrn.models.system import System

SEEN = {EVENTS[kind]: kind for kind in (layout.FOLD, layout.PAIR, layout.BRANCH)}
SEEN |= {"UZ": layout.USER_EVENT, "BC": BORDER, "NS": layout.PAIR}
"""What the march saw at a point of this label; of the doublings of a map its tracer knows."""
AGREES = 1e-6
"""The relative residual that a point of a diagram may have in its own model."""


def extend(
    diagram: Diagram,
    bounds: tuple[float, float] | None = None,
    *,
    system: System | None = None,
    events: Sequence[str] = (),
    walls: Mapping[str, tuple[float, float]] | None = None,
    stop: Collection[str] = (),
    options: Options | None = None,
    max_branches: int = 50,
) -> Diagram:
    """Go on with every branch of a diagram that ended at the range, at a limit of points or where it was told to stop.

    What was computed is kept; new branch points are switched at as `diagram` does. A branch that the new piece of
    another one turns out to contain is not listed twice. Branches of periodic orbits and curves in two parameters are
    left out: `with_orbits` and `with_loci` follow them anew. So are the doubled branches at doublings of a map that are
    found beyond (`with_doublings`).

    Parameters
    ----------
    diagram : Diagram
        The diagram to go on with, computed or loaded.
    bounds : (float, float), optional
        The new range; it must contain the old one. By default the old one.
    system : System, optional
        Needed for a diagram whose file holds no model; it must be the system that the diagram belongs to.
    events : sequence of str, optional
        Events to locate on the new pieces, beside those that the diagram has points of.
    walls : mapping of str to (float, float), optional
        Bounds of states for the new pieces. Where they are given, branches that ended at narrower ones go on too.
    stop : collection of str
        Labels at which the new pieces end.
    options : Options, optional
        Step control and limits of the new pieces; by default the step control of the diagram, and no new limits.
    max_branches : int
        As for `diagram`.

    Raises
    ------
    InputError
        If the range does not contain the old one, or the diagram is not one of this system.
    """
    require_kind(diagram, Diagram, "a diagram")
    owner = diagram.system if system is None else system
    if owner is None:
        raise InputError("the diagram was loaded from a file that holds no model; give it with system=...")
    require_kind(owner, System, "a system")
    kind = "fixed_point" if is_map(owner) else "equilibrium"
    diagram = _only(diagram, kind)
    name = diagram.parameter
    span = bounds_of(name, bounds or diagram.range)
    if span[0] > diagram.range[0] or span[1] < diagram.range[1]:
        raise InputError(
            f"the range [{span[0]:g}, {span[1]:g}] does not contain the diagram's own, "
            f"[{diagram.range[0]:g}, {diagram.range[1]:g}]; a diagram can only be extended"
        )
    setup = _setup(diagram, owner, span, begun(options or _as_before(diagram)), walls)
    if setup.reduction:
        _check_columns(diagram.branches, setup.whole)
        diagram = setup.contracted(diagram)
    stability = any(np.any(branch.unstable >= 0) for branch in diagram.branches)
    names = tuple(dict.fromkeys([*(p.event for p in diagram.special_points if p.event), *events]))
    known = compile_events(setup.system, names) if names else None
    wider = walls is not None
    if is_map(owner):
        result = _of_map(diagram, Atlas(
            setup.system, name, span, setup.options, max_branches,
            region=setup.region, events=known, stop=map_labels(stop), stability=stability,
        ), wider)  # fmt: skip
    else:
        problem = setup.problem(stability)
        _check_owner(diagram.branches, problem)
        tracer = tracer_of(problem, name, span, setup.options, max_branches, events=known, stop=labels(stop))
        for branch in diagram.branches:
            _adopt(tracer, diagram, branch, wider)
        tracer.switch_everywhere()
        result = tracer.diagram([])
    result = replace(result, notes=tuple(dict.fromkeys([*diagram.notes, *result.notes])))
    return setup.expanded(result)


def _of_map(diagram: Diagram, atlas: Atlas, wider: bool) -> Diagram:
    """Go on with the branches of a map, those of lower periods first."""
    for branch in sorted(diagram.branches, key=lambda branch: (branch.iterations or 1, branch.id)):
        tracer = atlas.tracer(branch.iterations or 1)
        _check_owner([branch], tracer.problem)
        _adopt(tracer, diagram, branch, wider)
    for tracer in atlas.tracers:
        tracer.switch_everywhere()
    return atlas.diagram([])


def _as_before(diagram: Diagram) -> Options:
    """Return the options that a diagram was made with, but for its limits, beyond which it is to go."""
    return (
        replace(diagram.options, max_points=Options.max_points, seconds=None, until=None)
        if diagram.options
        else Options()
    )


def _only(diagram: Diagram, kind: str) -> Diagram:
    """Return the diagram without branches of other kinds, which are listed after all of this one."""
    branches = tuple(branch for branch in diagram.branches if branch.kind == kind)
    kept = {branch.id for branch in branches}
    points = tuple(point for point in diagram.special_points if point.branch in kept)
    return diagram if len(kept) == len(diagram.branches) else replace(diagram, branches=branches, special_points=points)


def _setup(
    diagram: Diagram,
    owner: System,
    span: tuple[float, float],
    options: Options,
    walls: Mapping[str, tuple[float, float]] | None,
) -> Setup:
    """Return the setup of a diagram: that it was made with, or of its model, the totals as on its first branch."""
    name, kept = diagram.parameter, diagram.reduction
    if kept is not None and owner is diagram.system:
        return Setup(kept.whole, owner, kept, name, span, options, walls)
    if not diagram.branches or diagram.branches[0].columns[1:] != owner.variables:
        return Setup(owner, owner, None, name, span, options, walls)
    first = diagram.branches[0].points[0]
    return replace(at_state(owner, first[1:], name, span, options, {name: float(first[0])}), walls=walls)


def _check_columns(branches: Sequence[Branch], system: System) -> None:
    for branch in branches:
        columns = (branch.columns[0], *system.variables)
        if branch.columns != columns:
            theirs, ours = ", ".join(branch.columns), ", ".join(columns)
            raise InputError(f"the diagram has the columns {theirs}, the model {ours}; give the diagram's own model")


def _check_owner(branches: Sequence[Branch], problem: EquilibriumProblem) -> None:
    _check_columns(branches, problem.system)
    for branch in branches:
        rows = branch.points[:: max(len(branch.points) // 10, 1)]
        sizes = np.max(np.abs(branch.points), axis=0)
        unit = np.append(sizes[1:], sizes[0])
        worst = max(problem.gap(np.append(row[1:], row[0]), unit) for row in rows)
        if not worst < AGREES:
            raise InputError(
                f"the diagram's points are no equilibria of this model (residual {worst:.1e}); "
                "give the diagram's own model and parameter values"
            )


def _adopt(tracer: Tracer, diagram: Diagram, branch: Branch, wider: bool) -> None:
    """Keep a branch, continued at both ends; `wider` says that the walls may be wider than they were."""
    line, (first, last) = _line(tracer, diagram, branch), branch.ended
    if all(tracer.knows(line.points[row]) for row in (0, len(line) // 2, -1)):
        return  # the new piece of another branch contains it
    line, last = _go_on(tracer, line, last, wider)
    if last.reason == "closed":
        first = last
    line, first = _go_on(tracer, line.reversed(), first, wider)
    tracer.adopt(line.reversed(), (first, last), _place(diagram, branch))


def _line(tracer: Tracer, diagram: Diagram, branch: Branch) -> Line:
    """Return a finished branch as a line that can be continued."""
    points = np.column_stack([branch.points[:, 1:], branch.points[:, 0]])
    scale = np.maximum(np.max(np.abs(points), axis=0), 1e-12)
    tangents = np.roll(branch.tangents, -1, axis=1)  # there the parameter comes first
    if tangents.shape != points.shape or not np.all(np.isfinite(tangents)):  # in files of earlier versions
        tangents = np.gradient(points, axis=0) if len(points) > 1 else np.zeros_like(points)
    spectra = growth_of(branch.multipliers) if branch.iterations else np.array(branch.eigenvalues)
    largest = float(np.abs(spectra).max(initial=0.0))
    events = [
        _event(special, points[special.index], scale, tracer, largest)
        for special in diagram.special_points
        if special.branch == branch.id and (special.label in SEEN or special.label == "PD")
    ]
    return Line.of(points, tangents, spectra, np.array(branch.unstable), tuple(events))


def _event(special: SpecialPoint, y: np.ndarray, scale: np.ndarray, tracer: Tracer, largest: float) -> Event:
    if isinstance(tracer, MapTracer) and special.label == "PD":
        return Event(special.index, tracer.doubling_of(special), special.bracket)
    left, kind = None, SEEN[special.label]
    if special.label == "BP" and special.status == "converged":
        tracer.prepare(y)
        spectrum = growth_of(special.multipliers) if special.iterations else special.eigenvalues
        left = null_vectors(tracer.problem, y, scale, spectrum, largest)
    if special.label == "UZ" and tracer.events is not None and special.event is not None:
        kind += tracer.events.names.index(special.event)
    return Event(special.index, kind, special.bracket, left)


def _go_on(tracer: Tracer, line: Line, end: End, wider: bool) -> tuple[Line, End]:
    """Continue a line beyond its last row, if the reason it ended there no longer holds."""
    if len(line) < 3 or not _goes_on(tracer, line.points[-1], end, wider):
        return line, end
    if end.reason == "stop":
        line = line.head(len(line) - 1)  # so that what it stopped at is seen, and counted, on the way
    more, new_end = tracer.march_from(line.points[-1], line.tangents[-1])
    if new_end.reason == "closed":
        return more, new_end
    return join([line, more.tail()]), new_end


def _goes_on(tracer: Tracer, y: np.ndarray, end: End, wider: bool) -> bool:
    if end.reason == "range":
        return bool(tracer.span[0] < y[-1] < tracer.span[1])
    if end.reason == "bound":
        region = tracer.region
        free = np.all(y[:-1] > region.lower) and np.all(y[:-1] < region.upper) and np.all(region.slack(y[None]) > 0.0)
        return bool(wider and free)
    return end.reason in ("points", "stop", "time")


def _place(diagram: Diagram, branch: Branch) -> np.ndarray | None:
    """Return the branch point that a branch was switched at, as (x, p)."""
    if branch.origin is None:
        return None
    special = diagram.special_points[branch.origin]
    return np.array([*special.state.values(), special.parameters[diagram.parameter]])

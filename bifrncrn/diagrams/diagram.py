"""The verb `diagram`: all branches of equilibria that hang together with a start point."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.checks import as_sides, as_texts, require_kind
from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.base.progress import progress
from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options, begun
from bifrncrn.curves.equilibria.choose import SPARSE_ABOVE, is_large
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.start import find_start
from bifrncrn.diagrams.piecewise import tracer as tracer_of
from bifrncrn.diagrams.results import Diagram
from bifrncrn.diagrams.setup import (
    Setup,
    begin,
    bounds_of,
    checked_start,
    common,
    labels,
    start_point,
    with_totals,
)
from bifrncrn.diagrams.tracing import Tracer
from bifrncrn.models.branch_events import compile_events
from bifrncrn.models.cycle_events import refuse_cycles
from bifrncrn.models.maps import is_map
from bifrncrn.models.region import Region, checked_box
from bifrncrn.models.system import System
from bifrncrn.models.transitions import without_clock

if TYPE_CHECKING:
    from bifrncrn.diagrams.maps import Atlas

SEARCHED = (0.013, 0.27, 0.53, 0.74, 0.987)
"""Where in the range of the parameter `all` searches: not at its ends or middle, where special points like to be."""
MARGIN = 2.0
"""How far beyond the known branches `all` searches where no box is given, in units of their size."""


def diagram(
    system: System,
    parameter: str | None = None,
    bounds: tuple[float, float] | None = None,
    *,
    start: Mapping[str, float] | None = None,
    all: bool = False,
    box: Mapping[str, tuple[float, float]] | None = None,
    engine: str = "native",
    events: Sequence[str] = (),
    walls: Mapping[str, tuple[float, float]] | None = None,
    stop: Collection[str] = (),
    stability: bool = True,
    options: Options | None = None,
    max_branches: int = 50,
    iterations: int = 1,
    doublings: int = 0,
) -> Diagram:
    """Compute the bifurcation diagram of equilibria through a start point.

    The branch through the start is followed in both directions to the ends of the range; every fold, branch point and
    Hopf point on it is located and classified, and what leaves a branch point is followed too, or a note says that it
    could not be.

    Of a periodically forced system, which has no equilibria, the periodic orbits are followed: the start is the state
    at the time zero, LPC, PD, NS and BPC are located, and multipliers are those of the map of one period.

    Of a map, fixed points are followed, or cycles of `iterations` points; LP, BP, PD, NS and BC are located.

    Parameters
    ----------
    system : System
        What is analysed.
    parameter : str, optional
        The continuation parameter; by default `lam`, or the only one there is.
    bounds : (float, float)
        The interval of the parameter.
    start : mapping of str to float, optional
        Start values of states (and of the parameter, and of conserved sums) that replace the system's own. They need
        not be exact.
    all : bool
        Also find branches that are not connected to the start: equilibria are searched in `box` at several values of
        the parameter (`bifrncrn.curves.equilibria.search`), and those on no known branch are followed.
    box : mapping of str to (float, float), optional
        The region to search; a state that is not named is searched around the branches already found.
    engine : str
        `native`, or `pycont` for the points of the package pycont, corrected and examined by this package.
    events : sequence of str
        Equations such as `"u1 = 0.5"`, or expressions, whose zeros on a branch are located and labelled UZ. Of a
        periodically forced system such as `bifrncrn.orbits` takes: `"max u1 = 2"`.
    walls : mapping of str to (float, float), optional
        Bounds of states beyond which nothing is evaluated; a branch ends there. They narrow the system's own.
    stop : collection of str
        Labels (LP, BP, HB, UZ) at which a branch ends.
    stability : bool
        Whether to compute eigenvalues: all of a small system, a few rightmost ones of a large one. Without them a
        large system is followed much faster, but Hopf points are not found and `unstable` is -1.
    options : Options, optional
        Step control and limits, among them the greatest number of points.
    max_branches : int
        Stop switching after this many branches; a note says so.
    iterations : int
        Of a map: how many points the cycle has that the start leads to.
    doublings : int
        Of a map: how many times over the doubled branches at PD points are followed.

    Returns
    -------
    Diagram

    Raises
    ------
    InputError
        If a name is unknown, or bounds, walls, box or events are not what they should be.
    ConvergenceError
        If no equilibrium is found from the start.
    """
    require_kind(system, System, "a system")
    system = without_clock(system)
    if parameter is not None:
        require_kind(parameter, str, "the name of a parameter")
    start, events = checked_start(start), as_texts(events, "events")
    box, walls = as_sides(box, "a box"), as_sides(walls, "walls")
    if system.period:
        given = {"all": all, "box": box, "walls": walls, "stop": stop, "engine": engine != "native"}
        return _forced(system, parameter, bounds, start, options, max_branches, events, given)
    if is_map(system):
        if engine != "native":
            raise InputError(f"the engine {engine!r} does not follow maps; leave it out")
        walls = common(walls, checked_box(system, box)) if box else walls
        setup, rest = begin(system, parameter, bounds, options, start, walls)
        given = {"iterations": iterations, "stability": stability, "events": events, "stop": stop}
        atlas, notes = _of_map(setup, rest, max_branches, given)
        if all:
            notes += _searched(atlas.tracer(iterations), atlas.region, box)
        atlas.doublings(doublings)
        return setup.expanded(atlas.diagram(notes))
    if iterations != 1 or doublings:
        raise InputError("iterations and doublings are for maps; of orbits, with_doublings follows the doubled ones")
    refuse_cycles(system, events)
    setup, rest = begin(system, parameter, bounds, options, start, walls)
    problem = setup.problem(stability)
    if is_large(system) and (all or engine != "native"):
        what = "the search for unconnected branches" if all else f"the engine {engine!r}"
        raise InputError(f"{what} is for systems of up to {SPARSE_ABOVE} states, not {problem.n}; leave it out")
    inside = setup.region_within(common(walls, checked_box(system, box))) if box else setup.region
    tracer = tracer_of(
        problem, setup.parameter, setup.span, setup.options, max_branches,
        events=compile_events(setup.system, events) if events else None, stop=labels(stop),
        engine=_engine(engine, problem),
    )  # fmt: skip
    try:
        notes, nothing = _through_start(tracer, setup, problem, rest, elsewhere=all and bool(box))
        if all:
            notes += _searched(tracer, inside, box)
        if nothing and not tracer.branches:
            raise nothing
        return setup.expanded(tracer.diagram(notes))
    finally:
        problem.release()


def _through_start(
    tracer: Tracer, setup: Setup, problem: EquilibriumProblem, rest: Mapping[str, float], elsewhere: bool
) -> tuple[list[str], ConvergenceError | None]:
    """Trace the branch through the start; return notes, and why there is none, where others are sought `elsewhere`."""
    try:
        at, notes = _found_start(setup, problem, rest)
    except ConvergenceError as error:
        if not elsewhere:
            raise
        return ["No equilibrium was found from the start: all branches here were found by the search."], error
    with progress("following branches"):
        tracer.trace_through(at)
        tracer.switch_everywhere()
    return notes, None


def _forced(
    system: System,
    parameter: str | None,
    bounds: tuple[float, float] | None,
    start: Mapping[str, float],
    options: Options | None,
    most: int,
    events: Sequence[str],
    given: Mapping[str, object],
) -> Diagram:
    """Return the diagram of a periodically forced system; what was `given` that it cannot take is refused."""
    from bifrncrn.diagrams.forced import forced_diagram

    name = system.varying(parameter)
    span = bounds_of(name, bounds)
    system, rest = with_totals(system, name, start)
    for key, value in given.items():
        if value:
            raise InputError(f"{key} is for equilibria, and a periodically forced model has none; leave it out")
    at = start_point(system, name, span, rest)
    return forced_diagram(system, name, span, at, begun(options), most, events)


def _of_map(setup: Setup, start: Mapping[str, float], most: int, given: Mapping[str, Any]) -> tuple[Atlas, list[str]]:
    """Return the branches of a map through a start, and notes on the start."""
    from bifrncrn.diagrams.maps import trace

    at = start_point(setup.system, setup.parameter, setup.span, start)
    return trace(setup, at, most, **given)


def _engine(name: str, problem: EquilibriumProblem) -> Callable[..., Trace]:
    """Return what follows the curves."""
    if name == "native":
        return march
    if name == "pycont":
        from bifrncrn.continuation.pycont import pycont_march

        return pycont_march(problem)
    raise InputError(f"there is no engine {name!r}; choose native or pycont")


def _found_start(setup: Setup, problem: EquilibriumProblem, start: Mapping[str, float]) -> tuple[np.ndarray, list[str]]:
    """Return an equilibrium to start from, and notes on how it was found."""
    system, name = setup.system, setup.parameter
    y = start_point(system, name, setup.span, start)
    if not problem.region.holds(y):
        raise InputError(f"the start has {problem.region.trespass(y, system.variables)}; start inside")
    own = float(system.values[problem.parameter])
    notes = []
    if name not in start and y[-1] != own:
        notes.append(f"The model's own {name}={own:g} lies outside the range; the start was taken at {name}={y[-1]:g}.")
    problem.check_regular(y)
    at, note = find_start(problem, y)
    return at, [*notes, note] if note else notes


def _searched(tracer: Tracer, region: Region, box: Collection[str]) -> list[str]:
    with progress("searching for other branches", len(SEARCHED)) as step:
        return _search(tracer, region, box, step)


def _search(tracer: Tracer, region: Region, box: Collection[str], step: Callable[[], None]) -> list[str]:
    """Follow the branches through equilibria in a region that lie on no known branch; return notes about the search."""
    from bifrncrn.curves.equilibria.search import equilibria

    low, high = _corners(tracer, region, box)
    names = tracer.problem.system.variables
    values = [tracer.span[0] + fraction * (tracer.span[1] - tracer.span[0]) for fraction in SEARCHED]
    boxes = [region.narrowed(low, high, p) for p in values]
    corners = zip(names, np.min([a for a, _ in boxes], axis=0), np.max([b for _, b in boxes], axis=0), strict=True)
    sides = ", ".join(f"{name} in [{a:.4g}, {b:.4g}]" for name, a, b in corners)
    counts: list[str] = []
    evidence: dict[str, list[str]] = {}
    for p, (least, most) in zip(values, boxes, strict=True):
        if tracer.options.late:
            counts.append(f"not searched further: {tracer.options.said}")
            break
        found = equilibria(tracer.searched, p, least, most, region)
        for y in found.points:
            if not tracer.knows(y):
                tracer.trace_through(y)
                tracer.switch_everywhere()
        step()
        counts.append(f"{len(found.points)} at {tracer.parameter}={p:.4g}")
        evidence.setdefault(found.evidence, []).append(f"{p:.4g}")
    notes = [f"Searched {sides}; {tracer.noun} there: {', '.join(counts)}."]
    if len(evidence) == 1:
        return [*notes, *(f"{text[0].upper()}{text[1:]}." for text in evidence)]
    return [*notes, *(f"At {tracer.parameter}={', '.join(where)} {text}." for text, where in evidence.items())]


def _corners(tracer: Tracer, region: Region, box: Collection[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of what is searched: sides in `box` as the region has them, others about the known branches.

    There the search extends beyond the branches by MARGIN times their extent, as far as the region goes.
    """
    start = tracer.problem.system.state[None]  # all there is where nothing could be followed
    rows = np.concatenate([line.points[:, :-1] for line in tracer.lines]) if tracer.lines else start
    low, high = rows.min(axis=0), rows.max(axis=0)
    size = np.maximum(high - low, np.maximum(np.abs(high), np.abs(low)))
    size = MARGIN * np.where(size > 1e-9 * size.max(), size, size.max() or 1.0)
    given = np.array([name in box for name in tracer.problem.system.variables])
    low = np.where(given, region.lower, np.maximum(low - size, region.lower))
    return low, np.where(given, region.upper, np.minimum(high + size, region.upper))

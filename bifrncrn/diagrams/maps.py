"""Diagrams of maps: fixed points and cycles of given length through a start point, and the doubled ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.base.progress import progress
from bifrncrn.continuation.line import Line
from bifrncrn.continuation.options import Options, begun
from bifrncrn.curves.equilibria.choose import SPARSE_ABOVE, is_large
from bifrncrn.curves.fixed_points.problem import RESONANT, FixedPointProblem, growth_of
from bifrncrn.curves.fixed_points.start import find_start
from bifrncrn.diagrams.expansion import contract, expand
from bifrncrn.diagrams.map_tracing import MapTracer, tracer
from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint
from bifrncrn.diagrams.setup import Setup
from bifrncrn.models.branch_events import Events, compile_events
from bifrncrn.models.region import Region, region_of
from bifrncrn.models.system import System

LABELS = ("BC", "BP", "LP", "NS", "PD", "UZ")
"""The labels of points on branches of fixed points."""
MOST_BRANCHES = 4096
"""So many branches, doubled ones included, are followed where the user gives no number."""
MOST_ITERATIONS = 4096
"""A longer cycle is refused: its iterate would take minutes to compile."""


class Atlas:
    """All branches of a diagram of a map: a tracer for each length of cycles, which share what was found.

    Parameters
    ----------
    system : System
    parameter, span, options, max_branches
        As for a `Tracer`.
    region : Region, optional
        Where the states may be; by default within the system's own bounds.
    events : Events, optional
    stop : collection of str
    stability : bool
    """

    def __init__(
        self,
        system: System,
        parameter: str,
        span: tuple[float, float],
        options: Options,
        max_branches: int,
        *,
        region: Region | None = None,
        events: Events | None = None,
        stop: Collection[str] = (),
        stability: bool = True,
    ) -> None:
        if is_large(system):
            raise InputError(
                f"maps are followed up to {SPARSE_ABOVE} states, and this one has {len(system.variables)}; reduce it"
            )
        self.system, self.parameter, self.span, self.options = system, parameter, span, options
        self.max_branches = max_branches
        self.region = region or region_of(system)
        self.events, self.stop, self.stability = events, frozenset(stop), stability
        self.branches: list[Branch] = []
        self.special: list[SpecialPoint] = []
        self.notes: list[str] = []
        self.counters = {"points": 0, "newton_iterations": 0, "rejected_steps": 0}
        self._tracers: dict[int, MapTracer] = {}
        self._doubled: set[int] = set()

    def tracer(self, iterations: int) -> MapTracer:
        """Return the tracer of cycles of so many points."""
        if iterations not in self._tracers:
            made = tracer(
                self.system, iterations, self.parameter, self.span, self.options, self.max_branches,
                region=self.region, events=self.events, stop=self.stop, stability=self.stability,
            )  # fmt: skip
            made.branches, made.special, made.notes = self.branches, self.special, self.notes
            made.counters = self.counters
            self._tracers[iterations] = made
        return self._tracers[iterations]

    @property
    def tracers(self) -> tuple[MapTracer, ...]:
        """The tracers so far."""
        return tuple(self._tracers.values())

    def adopt(self, diagram: Diagram) -> None:
        """Begin with the branches and points of a diagram."""
        self.branches += diagram.branches
        self.special += diagram.special_points
        self.counters.update(diagram.counters)
        for branch in diagram.branches:
            if branch.kind == "fixed_point" and branch.iterations is not None:
                self.tracer(branch.iterations).lines.append(line_of(branch))

    def doublings(self, times: int) -> None:
        """Follow the doubled branches that leave at the period doublings, and at theirs, `times` over."""
        if isinstance(times, bool) or not isinstance(times, int) or times < 0:
            raise InputError(f"doublings is {times!r:.40}; give a whole number, how many times over they are followed")
        for _ in range(times):
            before = len(self.special)
            for place in range(before):
                point = self.special[place]
                if point.label != "PD" or place in self._doubled or point.iterations is None:
                    continue
                self._doubled.add(place)
                if self.options.late:
                    self.notes.append(f"Not all doubled branches were followed: {self.options.said}.")
                    return
                if len(self.branches) >= self.max_branches:
                    self.notes.append(f"Stopped after {self.max_branches} branches; more leave the doublings found.")
                    return
                self._double(place, point)

    def _double(self, place: int, point: SpecialPoint) -> None:
        count, p = point.iterations or 1, point.parameters[self.parameter]
        where = f"the period doubling of {_noun(count)} at {self.parameter}={p:.6g}"
        if point.status != "converged":
            self.notes.append(f"The branch that leaves {where} was not followed: the point is not refined.")
            return
        if 2 * count > MOST_ITERATIONS:
            self.notes.append(f"The branch that leaves {where} was not followed: it has over {MOST_ITERATIONS} points.")
            return
        y = np.array([*(point.state[name] for name in self.system.variables), p])
        problem = FixedPointProblem(self.system, count, self.system.parameter_index(self.parameter))
        if np.sum(np.abs(problem.multipliers(y) + 1.0) < RESONANT) > 1:
            self.notes.append(f"The branch that leaves {where} was not followed: another multiplier is -1 there, too.")
            return
        q = np.linalg.svd(problem.derivative(y) + np.eye(problem.n))[2][-1]
        doubled = self.tracer(2 * count)
        if not doubled.follow_doubled(place, y, q):
            self.notes.append(f"No doubled branch was found at {where}.")
        doubled.switch_everywhere()

    def diagram(self, notes: Sequence[str]) -> Diagram:
        """Return what was found."""
        first = next(iter(self._tracers.values()))
        found = first.diagram([*notes, *resonances(self.special, self.parameter)])
        points = tuple(replace(point, system=self.system) for point in self.special)
        return replace(found, system=self.system, special_points=points)


def _noun(iterations: int) -> str:
    return "fixed points" if iterations == 1 else f"cycles of {iterations} points"


def resonances(points: Sequence[SpecialPoint], parameter: str) -> list[str]:
    """Say at which Neimark-Sacker points a strong resonance leaves no normal form of an invariant curve."""
    where = [
        p
        for p in points
        if p.label == "NS" and p.status == "converged" and not np.isfinite(p.re_d or 0.0)
        if min(abs(np.exp(1j * k * (p.theta or 0.0)) - 1.0) for k in (1, 2, 3, 4)) < RESONANT
    ]
    return [
        f"The Neimark-Sacker point at {parameter}={p.parameters[parameter]:.6g} is in strong resonance: its "
        "multipliers are low roots of one, so it has no coefficient, and an invariant curve need not be born."
        for p in where
    ]


def trace(
    setup: Setup,
    start: np.ndarray,
    max_branches: int,
    *,
    iterations: int = 1,
    events: Sequence[str] = (),
    stop: Collection[str] = (),
    stability: bool = True,
) -> tuple[Atlas, list[str]]:
    """Trace the branches of cycles of `iterations` points through a start (x, p); return them and notes on the start.

    Raises
    ------
    InputError
        If the number of iterations or a label to stop at is none.
    ConvergenceError
        If no such cycle is found from the start.
    """
    system, parameter, span = setup.system, setup.parameter, setup.span
    if isinstance(iterations, bool) or not isinstance(iterations, int) or not 1 <= iterations <= MOST_ITERATIONS:
        raise InputError(f"iterations is {iterations!r:.40}; give a whole number from 1 to {MOST_ITERATIONS}")
    atlas = Atlas(
        system, parameter, span, setup.options, max_branches, region=setup.region,
        events=compile_events(system, events) if events else None, stop=map_labels(stop), stability=stability,
    )  # fmt: skip
    if not atlas.region.holds(start):
        raise InputError(f"the start has {atlas.region.trespass(start, system.variables)}; start inside")
    first = atlas.tracer(iterations)
    notes = []
    own = float(system.values[setup.index])
    if not span[0] <= own <= span[1]:
        notes = [f"The model's own {parameter}={own:g} lies outside the range."]
    problem = FixedPointProblem(system, iterations, setup.index, stability, atlas.region)
    at, note = find_start(problem, start)
    with progress("following branches"):
        first.trace_through(at)
        first.switch_everywhere()
    return atlas, [*notes, note] if note else notes


def map_labels(stop: Collection[str]) -> list[str]:
    """Return the labels to stop at, checked.

    Raises
    ------
    InputError
        If one is not a label of points on branches of a map.
    """
    wanted = [stop] if isinstance(stop, str) else [*stop]
    for label in wanted:
        if label not in LABELS:
            raise InputError(f"cannot stop at {label!r}: the labels of a map are {', '.join(LABELS)}")
    return wanted


def doubled(diagram: Diagram, times: int, options: Options) -> Diagram:
    """Return a diagram of a map with the doubled branches that leave at its period doublings, `times` over."""
    assert diagram.system is not None
    reduction = diagram.reduction
    if reduction is not None:
        return expand(
            doubled(contract(diagram, reduction, reduction.whole), times, options), reduction, reduction.whole
        )
    atlas = Atlas(diagram.system, diagram.parameter, diagram.range, options, MOST_BRANCHES)
    atlas.adopt(diagram)
    atlas.doublings(times)
    return replace(
        diagram,
        branches=tuple(atlas.branches),
        special_points=tuple(replace(point, system=diagram.system) for point in atlas.special),
        notes=(*diagram.notes, *atlas.notes),
        counters=dict(atlas.counters),
    )


def doubled_at(diagram: Diagram, point: SpecialPoint, options: Options | None) -> Diagram:
    """Return the branch of doubled period that leaves at a period doubling.

    Raises
    ------
    InputError
        If the point is none, or has lost its model.
    ConvergenceError
        If no branch is found there.
    """
    if point.label != "PD":
        raise InputError(
            f"a branch of a map is followed from PD, and this is {point.label}; "
            "what leaves at BP is in the diagram already"
        )
    if point.system is None:
        raise InputError("the point has lost its model: it was loaded from a file that holds none")
    atlas = Atlas(point.system, diagram.parameter, diagram.range, begun(options), MOST_BRANCHES)
    reduction = point.reduction
    own = point if reduction is None else replace(point, state={n: point.state[n] for n in point.system.variables})
    atlas.special.append(own)
    atlas.doublings(1)
    if not atlas.branches:
        raise ConvergenceError(" ".join(atlas.notes))
    found = atlas.diagram(())
    branches = tuple(replace(branch, origin=None) if branch.origin == 0 else branch for branch in found.branches)
    found = replace(found, branches=branches, special_points=found.special_points[1:])
    return found if reduction is None else expand(found, reduction, reduction.whole)


def line_of(branch: Branch) -> Line:
    """Return a branch as the tracer keeps it, without its events."""
    order = [*range(1, len(branch.columns)), 0]
    points = branch.points[:, order]
    tangents = branch.tangents[:, order] if branch.tangents.size else np.gradient(points, axis=0)
    return Line.of(points, tangents, growth_of(branch.multipliers), np.array(branch.unstable), ())

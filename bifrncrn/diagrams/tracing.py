"""Branches of equilibria: traced in both directions, their special points classified, switched at branch points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bifrncrn.base.arrays import own
from bifrncrn.base.made import made
from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line, from_trace, join
from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EVENTS, EquilibriumProblem
from bifrncrn.diagrams.angles import angles, come_round, unwound
from bifrncrn.diagrams.beginning import beside_special
from bifrncrn.diagrams.ending import end_of, reached, to_infinity
from bifrncrn.diagrams.facts import facts_of
from bifrncrn.diagrams.fan import SIDES, Fan, fan
from bifrncrn.diagrams.junctions import (
    Junction,
    grown,
    in_natural_units,
    units_at,
    unknown,
    up_to,
    without_rounding,
    without_turns,
)
from bifrncrn.diagrams.multiple import located, located_end, pairs_at, zeros_of
from bifrncrn.diagrams.refining import cut, refined_end, with_hopf_at_end
from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.diagrams.track import SAME, Track, length, scale_at, unit
from bifrncrn.diagrams.unresolved import AWAY, FINE, has_pole, limit_at_infinity
from bifrncrn.models.branch_events import Events

FAR = 1e60
"""A state that grows to this multiple of the unit of length is taken to go to infinity, whatever the parameter does."""
LEAVING = (1e-4, 1e-5, 1e-6, 1e-3, 1e-2)
"""How far from a branch point the first point of a branch is looked for, in units of length."""
SHRINK = (1.0, 1e-3, 1e-6, 1e-9)
"""By so much the unit of a state that is zero at a branch point may have to be made smaller; tried in turn."""
AHEAD = 0.9
"""The first point of a branch lies ahead where the cosine between the way to it and the direction is at least this."""
PASSED = 0.1
"""How far from its last row, in units of length, a point of several zeros is looked for where a march ends."""
ONE = 0.02
"""Points of a branch that leaves a branch point are known when a known branch passes them this near."""


KINDS = (*EVENTS.items(), (layout.USER_EVENT, "UZ"))
"""The kinds of events at which a march may stop, and their labels."""


class Tracer:
    """Collects the branches of one diagram.

    Parameters
    ----------
    problem : EquilibriumProblem
    parameter : str
        Name of the continuation parameter.
    span : (float, float)
        Its interval.
    options : Options
    max_branches : int
        No branch is switched to beyond this number.
    events : Events, optional
        User-defined events.
    stop : set of str
        The labels at which a branch ends.
    engine : callable
        What follows the curve: `bifrncrn.continuation.march.march` or a function of the same signature.
    """

    @property
    def noun(self) -> str:
        """What the points of a branch are."""
        return "equilibria"

    def __init__(
        self,
        problem: EquilibriumProblem,
        parameter: str,
        span: tuple[float, float],
        options: Options,
        max_branches: int,
        events: Events | None = None,
        stop: frozenset[str] = frozenset(),
        engine: Callable[..., Trace] = march,
    ) -> None:
        self.problem = problem
        self.track = Track(problem, span)
        self.parameter = parameter
        self.span = span
        self.options = options
        self.max_branches = max_branches
        self.march = engine
        self.events = events
        self.stops = tuple(kind for kind, label in KINDS if label in stop) if stop else ()
        self.curve = problem.curve(events)
        self.region = problem.region
        self.angles = angles(problem.system)
        self.order = [problem.n, *range(problem.n)]  # the parameter comes first in a branch
        self.branches: list[Branch] = []
        self.lines: list[Line] = []
        self.special: list[SpecialPoint] = []
        self.junctions: list[Junction] = []
        self.notes: list[str] = []
        self.came_to_known = False  # whether what left the last branch point is a branch that was followed already
        self.counters = {"points": 0, "newton_iterations": 0, "rejected_steps": 0}

    @property
    def searched(self) -> EquilibriumProblem:
        """The problem whose equilibria are searched for branches that are not connected."""
        return self.problem

    def prepare(self, y: np.ndarray) -> None:
        """Make the problem the one that holds at a point: a smooth one is the same everywhere."""

    def trace_through(self, y: np.ndarray) -> None:
        """Trace the branch through an equilibrium, in both directions."""
        floor = self.track.floor(y)
        given = y
        y, tangent = beside_special(self.track, y, floor)
        floor = floor if y is given else np.maximum(floor, self.track.floor(y))
        forward, end = self._march(y, tangent, floor)
        if end.reason == "closed":
            self._add(forward, (end, end), None, floor)
            return
        if len(forward) > 1 and y is given and y[-1] == self.span[0 if tangent[-1] > 0.0 else 1]:
            self._add(forward, (reached(self.parameter, float(y[-1])), end), None, floor)  # the other way leads out
            return
        backward, start = self._march(y, -tangent, floor)
        if not len(forward) + len(backward):
            free = self.problem.degrees_of_freedom(y, np.maximum(np.abs(y), floor))
            why = (
                f"the {self.noun} there form a continuum of {free} dimensions (the Jacobian is singular all along it, "
                "as where a sum is conserved)"
                if free > 1
                else end.message
            )
            where = ", ".join(f"{name}={v:.6g}" for name, v in zip(self.problem.system.variables, y, strict=False))
            self.notes.append(
                f"The branch through {where} at {self.parameter}={y[-1]:.6g} could not be followed: {why}."
            )
            return
        self._add(join([backward.reversed(), forward.tail()]), (start, end), None, floor)

    def march_from(self, y: np.ndarray, direction: np.ndarray) -> tuple[Line, End]:
        """Trace a branch from one of its points in a direction."""
        return self._march(y, direction, self.track.floor(y))

    def adopt(self, line: Line, ends: tuple[End, End], origin: np.ndarray | None) -> None:
        """Keep a branch of an earlier diagram; `origin` is the branch point it was switched at."""
        where = None
        for junction in self.junctions:
            if origin is not None and np.max(np.abs(origin - junction.y) / junction.scale) < SAME:
                where = junction.special
                row = int(np.argmin(np.sum(((line.points - junction.y) / junction.scale) ** 2, axis=1)))
                junction.known.append(unit(line.tangents[row] / junction.scale))
        self._add(line, ends, where, self.track.floor(line.points[0]))

    def switch_everywhere(self) -> None:
        """Follow the other branch at every branch point, and at those found on it, until none is new."""
        done = 0
        while done < len(self.junctions):
            junction = self.junctions[done]
            done += 1
            if zeros_of(junction.left) > 1:
                self._switch_together(junction)
                continue
            for direction in unknown(
                self.problem.directions(junction.y, junction.left, junction.scale), junction.known
            ):
                if self.options.late:
                    self.notes.append(f"Not all branch points were switched at: {self.options.said}.")
                    return
                if len(self.branches) >= self.max_branches:
                    self.notes.append(
                        f"Stopped after {self.max_branches} branches; more leave the branch points found."
                    )
                    return
                junction.known.append(direction)
                self._switch(junction, direction)
            if len(junction.known) < 2:  # their tangents are one, or the second derivatives say nothing
                self.notes.append(
                    f"No second direction was found at the branch point at {self.parameter}={junction.y[-1]:.6g}, "
                    "where branches may touch; all=True (--all) searches for others."
                )

    def knows(self, y: np.ndarray, near: float = 0.5) -> bool:
        """Say whether an equilibrium lies on a branch that was traced already.

        From the nearest row of each branch the point beside `y` is computed (Newton's method in the hyperplane through
        `y` normal to the row's tangent); it must be `y` itself. Branches further than `near` are left out.
        """
        scale = self.track.floor(y)
        scale[:-1] = np.maximum(scale[:-1], np.abs(y[:-1]))
        return any(self._beside(line, y, scale, near) for line in self.lines)

    def _beside(self, line: Line, y: np.ndarray, scale: np.ndarray, near: float) -> bool:
        points = unwound(line.points, y, self.angles)
        gaps = (points - y) / scale
        row = int((gaps * gaps).sum(axis=1).argmin())
        normal = unit(line.tangents[row] / scale)
        z = points[row] / scale
        z = z + normal * (normal @ (y / scale - z))
        if length(z - y / scale) > near:
            return False
        there = self.problem.slide(self.region.clip(z * scale), normal / scale, scale)
        return there is not None and bool((np.abs(self.region.clip(there) - y) / scale).max() < SAME)

    def diagram(self, notes: list[str]) -> Diagram:
        """Return what was found."""
        return Diagram(
            model=self.problem.system.title,
            parameter=self.parameter,
            range=self.span,
            branches=tuple(self.branches),
            special_points=tuple(self.special),
            system=self.problem.system,
            notes=(*notes, *self.notes, *self._not_followed(), *self.problem.notes()),
            counters=dict(self.counters),
            options=self.options,
        )

    def _not_followed(self) -> list[str]:
        """Say where branches may leave that are not known."""
        where = [p.parameters[self.parameter] for p in self.special if p.label == "BP" and p.status == "bracketed"]
        if not where:
            return []
        listed = ", ".join(f"{value:.6g}" for value in where[:5]) + (", ..." if len(where) > 5 else "")
        return [
            f"Not simple, or not located: the branch point near {self.parameter}={listed}. "
            "Branches that leave it were not followed; all=True (--all) searches for them."
        ]

    def _switch(self, junction: Junction, direction: np.ndarray) -> None:
        """Trace the branch that leaves a branch point in a direction and in its opposite."""
        junction, direction = in_natural_units(self.track, junction, without_rounding(self.track, junction, direction))
        self.came_to_known = False
        back = self._leave(junction, -direction * junction.scale)
        if back is not None and back[1].reason == "closed":
            line = up_to(back[0], junction).reversed()
            self._add(
                join([line, self._row(junction.y, direction * junction.scale, zeros_of(junction.left))]),
                (back[1],) * 2,
                junction.special,
                junction.scale,
            )
            return
        forth = self._leave(junction, direction * junction.scale)
        if back is None and forth is None:
            reach = LEAVING[0] * np.abs(direction * junction.scale)
            around = (
                self.track.inside(junction.y + sign * LEAVING[0] * direction * junction.scale, reach)
                for sign in (-1, 1)
            )
            if not self.came_to_known and all(point is not None for point in around):
                self.notes.append(
                    f"A branch that leaves the branch point at {self.parameter}={junction.y[-1]:.6g} could not be "
                    "followed; all=True (--all) searches for it."
                )
            return
        here = End("branch point", "the branch starts at a branch point")
        lines, ends = [], [here, here]
        if back is not None:
            lines.append(back[0].reversed())
            ends[0] = back[1]
        lines.append(self._row(junction.y, direction * junction.scale, zeros_of(junction.left)))
        if forth is not None:
            lines.append(forth[0])
            ends[1] = forth[1]
        self._add(join(lines), (ends[0], ends[1]), junction.special, junction.scale)

    def _switch_together(self, junction: Junction) -> None:
        """Trace the branches that leave a point of several zeros."""
        around = fan(self.track, junction.y, junction.left, junction.scale) or Fan((), junction.scale, 1.0, False)
        where = f"{self.parameter}={junction.y[-1]:.6g}"
        here = End("branch point", "the branch starts at a branch point")
        lost, known = False, 0
        for sides in around.sides:
            lines, ends = [], [here, here]
            for place, (start, ahead) in enumerate(sides):
                if self.options.late or len(self.branches) >= self.max_branches:
                    self.notes.append(f"Not all branches that leave the branch point at {where} were followed.")
                    return
                begin = self.track.inside(start, SAME * around.scale)
                lost |= not self.span[0] <= start[-1] <= self.span[1]
                if begin is None or self.knows(begin, near=ONE):
                    known += begin is not None
                    continue
                line, end = self._march(begin, ahead, around.scale, first_step=around.radius)
                lost |= len(line) < 2
                if len(line) > 1:
                    line = without_turns(self.track, line, junction.scale, (junction.y, junction.left))
                    row = self._row(junction.y, ahead if place else -ahead, zeros_of(junction.left))
                    lines += [line.reversed(), row] if place == 0 else [row, line]
                    ends[place] = end
            if lines:
                self._add(join(lines), (ends[0], ends[1]), junction.special, junction.scale)
        lost |= known > SIDES  # more than the branch that came here: it is known, or too near to one that is
        if not around.whole or (lost and junction.y[-1] not in self.span):
            self.notes.append(
                f"Not all branches may have been found at the branch point at {where}, where {zeros_of(junction.left)} "
                "eigenvalues are zero; all=True (--all) searches for others."
            )

    def _leave(self, junction: Junction, step: np.ndarray) -> tuple[Line, End] | None:
        """March away from a branch point along `step`; the first point is a small way off it.

        Of a state that is zero there nothing tells the size: where its unit of length proves too long, smaller ones are
        tried.
        """
        zero = np.abs(junction.y) < SAME * junction.scale
        zero[-1] = False
        for shrink in SHRINK if zero.any() else (1.0,):
            factor = np.where(zero, shrink, 1.0)
            scale, ahead = junction.scale * factor, step * factor
            left, settled = None, False
            for far in LEAVING:
                # a direction along a wall may point out of it by rounding
                start = self.track.inside(junction.y + far * ahead, SAME * far * scale)
                if start is None:
                    continue
                line, end = self._march(start, ahead, scale, first_step=far)
                if len(line) < 2:
                    continue
                line = without_turns(self.track, line, junction.scale, (junction.y, junction.left))
                away = (line.points[0] - junction.y) / scale
                onward = ahead / scale
                if away @ onward > AHEAD * length(away) * length(onward):
                    lost = end.reason in ("step", "points")  # it may have begun where rounding rules: try further off
                    if junction.opens(line) and not (lost and settled):
                        left, settled = (line, end), True
                        if not lost:
                            break
                    left = left or (line, end)
            if left is not None:
                # one of them may be another branch point
                rows = (share * (len(left[0]) - 1) // 4 for share in (1, 2, 3))
                known = all(self.knows(left[0].points[row], near=ONE) for row in rows)
                self.came_to_known |= known
                return None if known else left
        return None

    def _march(
        self,
        y: np.ndarray,
        tangent: np.ndarray,
        floor: np.ndarray,
        first_step: float | None = None,
        closing: bool = True,
    ) -> tuple[Line, End]:
        """March one way; see what the events are, and where the branch ends."""
        line, end = self._followed(y, tangent, floor, self.options, first_step, closing)
        open_ = next((event for event in line.events if event.bracket is not None), None) if line.events else None
        if open_ is not None and open_.row > 0:
            limit = limit_at_infinity(line.points[: open_.row], floor)
            if limit is None:
                line, end = self._narrowed(line, end, open_, floor)
            else:
                line = line.head(open_.row)
                end = to_infinity(self.track, self.parameter, line.points[-1], limit)
        if self.region.names:
            line, end = cut(self.track, line, end, floor)
        if not len(self.angles):
            return line, end
        round_ = come_round(line, self.angles, np.maximum(np.abs(y), floor), self.problem.beside)
        return (line, end) if round_ is None else (round_, End("closed", "the branch came round to its start"))

    def _followed(
        self,
        y: np.ndarray,
        tangent: np.ndarray,
        floor: np.ndarray,
        options: Options,
        first_step: float | None,
        closing: bool,
    ) -> tuple[Line, End]:
        """March one way; refine the branch points seen, and one that the branch ends at on a wall."""
        far = FAR * max(floor[:-1].tolist())
        walls = np.maximum(self.region.lower, -far), np.minimum(self.region.upper, far)
        trace = self.march(self.curve, y, tangent, self.span, walls, floor, options, first_step, closing, self.stops)
        counters = self.counters
        counters["points"] += len(trace.points)
        counters["newton_iterations"] += trace.newtons
        counters["rejected_steps"] += trace.rejected
        line = from_trace(trace)
        for event in reversed(line.events):
            line, note = located(self.track, self.parameter, line, event, floor)
            self.notes.extend([note] if note and note not in self.notes else [])
        if line.events:
            line = without_turns(self.track, line, floor)
        if trace.reason == layout.SHORT and (passed := self._passed(line, floor, options)) is not None:
            return passed
        if trace.reason in (layout.BOUND, layout.SHORT) and len(line) > 1:
            line = refined_end(self.track, line, floor)
        if trace.reason == layout.RANGE:
            line = with_hopf_at_end(line)
        if trace.reason == layout.STOPPED and line.events and line.events[-1].left is not None:
            line = line.head(line.events[-1].row + 1)
            if layout.BRANCH not in self.stops:  # what it stopped at was something else
                passed = self._passed(line.head(line.events[-1].row), floor, options)
                return passed or (line, end_of(self.track, self.parameter, self.options, trace, line, far))
        stop = next((e for e in line.events if e.left is not None), None) if layout.BRANCH in self.stops else None
        if stop is not None:
            line, trace = line.head(stop.row + 1), trace._replace(reason=layout.STOPPED)
        return line, end_of(self.track, self.parameter, self.options, trace, line, far)

    def _passed(self, line: Line, floor: np.ndarray, options: Options) -> tuple[Line, End] | None:
        """Go on beyond a point of several zeros that the steps became too small at; None where there is none.

        The other side of the branch is the one that is opposite to where it came from.
        """
        found = located_end(self.track, line, floor, PASSED)
        if found is None:
            return None
        y, left, spectrum = found
        scale = scale_at(y, floor)
        around = fan(self.track, y, left, scale)
        event = Event(len(line), layout.BRANCH, None, left)
        line = line.insert(len(line), y, spectrum, int(line.unstable[-1]), event)
        if min(abs(y[-1] - end) for end in self.span) <= SAME * self.track.width:
            return line, reached(self.parameter, float(y[-1]))
        lost = End("step", "the step became too small at a branch point of several zeros, and no way on was found")
        if around is None:
            return line, lost
        gaps = np.abs(np.linalg.norm((line.points - y) / around.scale, axis=1) - around.radius)
        came = line.points[int(gaps.argmin())]
        pair = min(
            (pair for pair in around.sides if len(pair) > 1),
            key=lambda pair: min(length((side - came) / around.scale) for side, _ in pair),
            default=None,
        )
        if pair is None:
            return line, lost
        start, ahead = max(pair, key=lambda side: length((side[0] - came) / around.scale))
        more, end = self._followed(start, ahead, around.scale, options, around.radius, closing=False)
        return (join([line, more]), end) if len(more) else (line, lost)

    def _narrowed(self, line: Line, end: End, event: Event, floor: np.ndarray) -> tuple[Line, End]:
        """Follow a branch once more from before an event that could not be located, in steps that jump no small gap.

        What is left then is no special point where the equations have a pole, or the branch goes to infinity.
        """
        closed = end.reason == "closed"
        row = 0 if closed else event.row - 1  # one that is closed must come back to its own start
        options = replace(self.options, event_step=min(FINE, self.options.event_step))
        y, ahead = line.points[row], line.tangents[row]
        rest, end = self._followed(y, ahead, floor, options, AWAY, closing=closed)
        if not len(rest):
            return line, end
        line = join([line.head(row), rest]) if row else rest
        scale = scale_at(y, floor)
        for event in line.events:
            if event.bracket is None or event.row <= row:
                continue
            before = line.head(event.row)
            if has_pole(self.problem, line, event, scale):
                where = 0.5 * sum(event.bracket)
                return before, End("pole", f"the equations have a pole at {self.parameter}={where:.9g}")
            limit = limit_at_infinity(before.points, floor)
            if limit is not None:
                return before, to_infinity(self.track, self.parameter, before.points[-1], limit)
        return line, end

    def _add(self, line: Line, ends: tuple[End, End], origin: int | None, floor: np.ndarray) -> None:
        """Keep a line as a branch, with its special points."""
        number = len(self.branches)
        self.lines.append(line)
        for event in line.events:
            y = line.points[event.row]
            if event.kind == layout.BRANCH and event.left is not None:
                self._meet(line, event, number, floor)
            elif not self._seen(event, y, floor):
                self.special.append(self._classify(line, event, y, number, floor))
        self.branches.append(self._branch(line, ends, origin, number))

    def _branch(self, line: Line, ends: tuple[End, End], origin: int | None, number: int) -> Branch:
        return made(
            Branch,
            id=number,
            kind="equilibrium",
            columns=(self.parameter, *self.problem.system.variables),
            points=own(line.points.take(self.order, axis=1)),
            unstable=own(line.unstable.copy()),
            eigenvalues=own(line.eigenvalues),
            origin=origin,
            ended=ends,
            tangents=own(line.tangents.take(self.order, axis=1)),
        )

    def _seen(self, event: Event, y: np.ndarray, floor: np.ndarray) -> bool:
        """Say whether a branch point that is only bracketed is one that was met, and noted, on another branch."""
        if event.kind != layout.BRANCH:
            return False
        scale, reach = scale_at(y, floor), 2.0 * self.options.event_step
        for point in self.special:
            if point.label == "BP" and point.status == "bracketed" and point.branch != len(self.branches):
                at = np.array([*point.state.values(), *point.parameters.values()])
                if np.max(np.abs(at - y) / scale) < reach:
                    return True
        return False

    def _meet(self, line: Line, event: Event, number: int, floor: np.ndarray) -> None:
        """Note that a line passes a branch point, which may be known already."""
        assert event.left is not None
        y = line.points[event.row]
        tangent = line.tangents[event.row]
        for junction in self.junctions:
            if (np.abs(unwound(y, junction.y, self.angles) - junction.y) / junction.scale).max() < SAME:
                junction.known.append(unit(tangent / junction.scale))
                return
        scale = units_at(self.track, y, event.left, grown(self.track, line, scale_at(y, floor)))
        place, spectrum = len(self.special), line.spectrum(event.row)
        self.special.append(self._classify(line, event, y, number, floor))
        self.junctions.append(Junction(y, event.left, scale, place, spectrum, [unit(tangent / scale)]))

    def _classify(self, line: Line, event: Event, y: np.ndarray, number: int, floor: np.ndarray) -> SpecialPoint:
        """Return the special point of an event, with its normal form coefficients; `floor` are units of length."""
        facts = self._facts(line, event, y, floor)
        named = self.events is not None and facts["label"] == "UZ"
        return made(
            SpecialPoint,
            branch=number,
            index=event.row,
            parameters={self.parameter: float(y[-1])},
            state=dict(zip(self.problem.system.variables, y.tolist(), strict=False)),
            status="converged" if event.bracket is None else "bracketed",
            bracket=event.bracket,
            event=self.events.names[event.kind - layout.USER_EVENT] if self.events and named else None,
            system=self.problem.system,
            along=line.points,
            range=self.span,
            **facts,
        )

    def _facts(self, line: Line, event: Event, y: np.ndarray, floor: np.ndarray) -> dict[str, Any]:
        """Return what is said of an event; of one at which several pairs cross a note says so."""
        facts = facts_of(self.problem, line, event, y, floor)
        if event.kind == layout.PAIR and (pairs := pairs_at(facts["eigenvalues"])) > 1:
            self.notes.append(
                f"{pairs} pairs of eigenvalues cross together at the Hopf point at {self.parameter}={y[-1]:.6g}: "
                "several families of cycles leave it; at most one is followed, and which are stable is not computed."
            )
        return facts

    def _row(self, y: np.ndarray, tangent: np.ndarray, zeros: int = 1) -> Line:
        """Return a branch point as a line of one row."""
        spectrum = self.problem.eigenvalues(y)
        others = sorted(spectrum.tolist(), key=abs)[zeros:]  # the rest are zero but for rounding
        unstable = np.array([sum(v.real > 0.0 for v in others) if self.problem.stability else -1])
        return Line.of(y[None], tangent[None], spectrum[None], unstable, ())

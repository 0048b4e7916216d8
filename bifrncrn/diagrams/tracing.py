"""Branches of equilibria: traced in both directions, their special points classified, switched at branch points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.continuation import layout
from bifrncrn.continuation.ends import said
from bifrncrn.continuation.line import Event, Line, from_trace, join
from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EVENTS, EquilibriumProblem
from bifrncrn.diagrams.angles import angles, come_round, unwound
from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.diagrams.unresolved import AWAY, FINE, has_pole, limit_at_infinity
from bifrncrn.models.branch_events import Events

SAME = 1e-6
"""Two located branch points are one when they differ by less than this, in units of their scale."""
SPECIAL = 1e-6
"""A start is a special point where a real part, of the largest eigenvalue, or the tangent's parameter is below this."""
RESOLVED = 1e-10
"""A limit of the parameter nearer to zero than this, in units of its range, is zero."""
FAR = 1e60
"""A state that grows to this multiple of the unit of length is taken to go to infinity, whatever the parameter does."""
TINY = 1e-8
"""A state smaller than this part of the largest may be zero but for rounding; so may one smaller than this itself."""
BESIDE = 1e-3
"""How far, in units of length, eigenvalues are followed to see whether one is about to vanish."""
LEAVING = (1e-4, 1e-5, 1e-6, 1e-3, 1e-2)
"""How far from a branch point the first point of a branch is looked for, in units of length."""
ROUNDED = 1e-12
"""A component of a unit tangent below this is rounding."""
SIZES = (1.0, 1e4, 1e-4, 1e8, 1e-8, 1e12, 1e-12, 1e16, 1e-16)
"""By so much the natural size of a state may differ from its unit; tried in turn."""
PROBE = 1e-2
"""How far from a branch point, in such a size, it is looked how the parameter moves."""
BLURRED = 1e-4
"""A turn that was located nearer than this to a branch point, in units of length, may be at the point itself."""
MOVED = (1e-13, 0.1)
"""Between these, in units of its range, the parameter's change tells the size to which the states grow."""
VANISHED = 1e-5
"""An eigenvalue that changes sign is zero at a branch point but for this part of what it is beside."""
PARALLEL = 0.999
"""Two unit tangents at a branch point belong to one branch when their product exceeds this."""


@dataclass
class Junction:
    """A located branch point, its place in the list of special points, and the directions known to leave it."""

    y: np.ndarray
    left: np.ndarray
    scale: np.ndarray
    special: int
    known: list[np.ndarray] = field(default_factory=list)


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

    noun = "equilibria"

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
        self.parameter = parameter
        self.span = span
        self.options = options
        self.max_branches = max_branches
        self.march = engine
        self.events = events
        self.stops = tuple(kind for kind, label in (*EVENTS.items(), (layout.USER_EVENT, "UZ")) if label in stop)
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
        floor = self._floor(y)
        given = y
        y, tangent = self._beside_special(y, floor)
        floor = floor if y is given else np.maximum(floor, self._floor(y))
        forward, end = self._march(y, tangent, floor)
        if end.reason == "closed":
            self._add(forward, (end, end), None, floor)
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

    def _beside_special(self, y: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where to start, and the tangent: `y`, or a point beside it on the branch where `y` is special.

        A change of sign shows between two points only.
        """
        tangent = self.problem.tangent(y, floor)
        scale = np.maximum(np.abs(y), floor)
        scale[-1] = floor[-1]
        ahead = _unit(tangent / scale)
        spectrum = self.problem.eigenvalues(y).tolist()
        big = max([*map(abs, spectrum), self.problem.largest(y)])
        near = [k for k, value in enumerate(spectrum) if abs(value.real) <= SPECIAL * big]
        if abs(ahead[-1]) > SPECIAL and not self._vanish(y, ahead * scale, spectrum, near):
            return y, tangent
        # a state that the branch point makes zero may be tiny, not yet zero, at the start
        tiny = np.abs(y[:-1]) * abs(tangent[-1]) < SPECIAL * np.abs(tangent[:-1]) * floor[-1]
        reach = SPECIAL * scale + np.append(np.where(tiny, 2.0 * np.abs(y[:-1]), 0.0), 0.0)
        found = self.problem.refine(y, scale, self._around(y, reach))
        origin = y
        if found is not None:
            y = found[0]
            scale = np.maximum(np.abs(y), self._floor(y))
            scale[-1] = floor[-1]
            ahead = max(self.problem.directions(found[0], found[1], scale), key=lambda v: abs(v[-1]), default=ahead)
        for length in (sign * size for size in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6) for sign in (1.0, -1.0)):
            start = self._onto_branch(y + length * ahead * scale, ahead, scale, abs(length))
            if start is not None:
                return start, ahead * scale
        return origin, tangent

    def _vanish(self, y: np.ndarray, ahead: np.ndarray, spectrum: list[complex], which: list[int]) -> bool:
        """Say whether the real part of one of these eigenvalues is zero within SPECIAL units along the branch."""
        if not which:
            return False
        there = self.problem.eigenvalues(self.region.clip(y + BESIDE * ahead))
        moved = [abs(there[k].real - spectrum[k].real) for k in which]
        far = (abs(spectrum[k].real) > SPECIAL / BESIDE * change for k, change in zip(which, moved, strict=True))
        return not all(far)

    def _onto_branch(self, y: np.ndarray, ahead: np.ndarray, scale: np.ndarray, reach: float) -> np.ndarray | None:
        """Return the point of the curve in the plane through `y` normal to `ahead`, if within reach and inside."""
        at = self.problem.slide(y, ahead / scale, scale, 0.5 * reach, 1e-11)
        return None if at is None else self._inside(at, SAME * reach * scale)

    def _inside(self, y: np.ndarray, rounding: np.ndarray) -> np.ndarray | None:
        """Return a point if it is in region and range; what is outside by less than `rounding` is put inside."""
        inside: np.ndarray = self.region.clip(y)
        outside = not self.span[0] <= y[-1] <= self.span[1] or (np.abs(inside - y) > rounding).any()
        return None if outside or not self.region.holds(inside) else inside

    def march_from(self, y: np.ndarray, direction: np.ndarray) -> tuple[Line, End]:
        """Trace a branch from one of its points in a direction."""
        return self._march(y, direction, self._floor(y))

    def adopt(self, line: Line, ends: tuple[End, End], origin: np.ndarray | None) -> None:
        """Keep a branch of an earlier diagram; `origin` is the branch point it was switched at."""
        where = None
        for junction in self.junctions:
            if origin is not None and np.max(np.abs(origin - junction.y) / junction.scale) < SAME:
                where = junction.special
                row = int(np.argmin(np.sum(((line.points - junction.y) / junction.scale) ** 2, axis=1)))
                junction.known.append(_unit(line.tangents[row] / junction.scale))
        self._add(line, ends, where, self._floor(line.points[0]))

    def switch_everywhere(self) -> None:
        """Follow the other branch at every branch point, and at those found on it, until none is new."""
        done = 0
        while done < len(self.junctions):
            junction = self.junctions[done]
            done += 1
            for direction in self.problem.directions(junction.y, junction.left, junction.scale):
                if any(abs(direction @ known) > PARALLEL for known in junction.known):
                    continue
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

    def knows(self, y: np.ndarray, near: float = 0.5) -> bool:
        """Say whether an equilibrium lies on a branch that was traced already.

        From the nearest row of each branch the point beside `y` is computed (Newton's method in the hyperplane through
        `y` normal to the row's tangent); it must be `y` itself. Branches further than `near` are left out.
        """
        scale = self._floor(y)
        scale[:-1] = np.maximum(scale[:-1], np.abs(y[:-1]))
        return any(self._beside(line, y, scale, near) for line in self.lines)

    def _beside(self, line: Line, y: np.ndarray, scale: np.ndarray, near: float) -> bool:
        points = unwound(line.points, y, self.angles)
        gaps = (points - y) / scale
        row = int((gaps * gaps).sum(axis=1).argmin())
        normal = _unit(line.tangents[row] / scale)
        z = points[row] / scale
        z = z + normal * (normal @ (y / scale - z))
        if _length(z - y / scale) > near:
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
        junction, direction = self._in_natural_units(junction, _without_rounding(junction, direction))
        self.came_to_known = False
        back = self._leave(junction, -direction * junction.scale)
        if back is not None and back[1].reason == "closed":
            line = _up_to(back[0], junction).reversed()
            self._add(
                join([line, self._row(junction.y, direction * junction.scale)]),
                (back[1],) * 2,
                junction.special,
                junction.scale,
            )
            return
        forth = self._leave(junction, direction * junction.scale)
        if back is None and forth is None:
            reach = LEAVING[0] * np.abs(direction * junction.scale)
            around = (
                self._inside(junction.y + sign * LEAVING[0] * direction * junction.scale, reach) for sign in (-1, 1)
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
        lines.append(self._row(junction.y, direction * junction.scale))
        if forth is not None:
            lines.append(forth[0])
            ends[1] = forth[1]
        self._add(join(lines), (ends[0], ends[1]), junction.special, junction.scale)

    def _in_natural_units(self, junction: Junction, direction: np.ndarray) -> tuple[Junction, np.ndarray]:
        """Return a branch point and a direction in units that fit the states which are zero there.

        Where the parameter does not move at first, as at a pitchfork, a state has grown to its natural size when the
        parameter has moved by its range, to second order.
        """
        zero = np.append(np.abs(junction.y[:-1]) < SAME * junction.scale[:-1], False) & (direction != 0.0)
        if not zero.any() or abs(direction[-1]) > SAME:
            return junction, direction
        step = direction * junction.scale
        share = np.where(zero, 0.0, np.abs(step) / junction.scale)[:-1]
        most = 1.0 / max(float(share.max()), 1e-300)
        for size in SIZES:
            length = PROBE * size
            if length > most:
                continue
            moved, half = (self._moved(junction, part * size, step, zero) for part in (1.0, 0.5))
            if MOVED[0] < moved < MOVED[1] and half < 0.3 * moved:  # else rounding moves it: the branch is vertical
                size = length / math.sqrt(moved)
                unit = np.where(zero, size * np.abs(step), junction.scale)
                scaled = size * step / unit if size < most else step / unit
                return self._with_driven(replace(junction, scale=unit), _unit(scaled))
        return junction, direction

    def _with_driven(self, junction: Junction, direction: np.ndarray) -> tuple[Junction, np.ndarray]:
        """Return a branch point and a direction in units that fit the states which only follow those that move.

        While the size of these was not known, what they drive could look like rounding beside them.
        """
        still = np.flatnonzero((junction.y[:-1] == 0.0) & (direction[:-1] == 0.0)).tolist()
        driven = self._with_followers(junction.y, np.abs(direction * junction.scale), still)
        places = [place for place in still if driven[place] > 0.0]
        if not places:
            return junction, direction
        unit = junction.scale.copy()
        unit[places] = driven[places]
        junction = replace(junction, scale=unit)
        found = self.problem.directions(junction.y, junction.left, unit)
        best = max(found, key=lambda other: abs(other @ direction), default=direction)
        return junction, _without_rounding(junction, best if best @ direction > 0.0 else -best)

    def _moved(self, junction: Junction, size: float, step: np.ndarray, zero: np.ndarray) -> float:
        """Return by how much of its range the parameter moves on the way to where the states have PROBE such sizes."""
        unit = np.where(zero, size * np.abs(step), junction.scale)
        start = self._onto_branch(junction.y + PROBE * size * step, _unit(size * step / unit), unit, PROBE)
        return 0.0 if start is None else float(abs(start[-1] - junction.y[-1]) / junction.scale[-1])

    def _leave(self, junction: Junction, step: np.ndarray) -> tuple[Line, End] | None:
        """March away from a branch point along `step`; the first point is a small way off it.

        Of a state that is zero there nothing tells the size: where its unit of length proves too long, smaller ones are
        tried.
        """
        zero = np.abs(junction.y) < SAME * junction.scale
        zero[-1] = False
        for shrink in (1.0, 1e-3, 1e-6, 1e-9) if zero.any() else (1.0,):
            factor = np.where(zero, shrink, 1.0)
            scale, ahead = junction.scale * factor, step * factor
            left, settled = None, False
            for length in LEAVING:
                # a direction along a wall may point out of it by rounding
                start = self._inside(junction.y + length * ahead, SAME * length * scale)
                if start is None:
                    continue
                line, end = self._march(start, ahead, scale, first_step=length)
                if len(line) < 2:
                    continue
                line = self._without_turns_at_branch_points(line, junction.scale, (junction.y, junction.left))
                away = (line.points[0] - junction.y) / scale
                unit = ahead / scale
                if away @ unit > 0.9 * _length(away) * _length(unit):
                    lost = end.reason in ("step", "points")  # it may have begun where rounding rules: try further off
                    if self._nothing_between(junction, line) and not (lost and settled):
                        left, settled = (line, end), True
                        if not lost:
                            break
                    left = left or (line, end)
            if left is not None:
                rows = (
                    share * (len(left[0]) - 1) // 4 for share in (1, 2, 3)
                )  # one of them may be another branch point
                known = all(self.knows(left[0].points[row], near=0.02) for row in rows)
                self.came_to_known |= known
                return None if known else left
        return None

    def _nothing_between(self, junction: Junction, line: Line) -> bool:
        """Say whether only the eigenvalue that is zero at the branch point has changed up to the line's first row."""
        spectrum = self.problem.eigenvalues(junction.y)
        if not len(spectrum):
            return True
        others = np.delete(spectrum, np.argmin(np.abs(spectrum)))
        return int(line.unstable[0]) - int(np.sum(others.real > 0.0)) in (0, 1)

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
        open_ = _first_open(line)
        if open_ is not None and open_.row > 0:
            limit = limit_at_infinity(line.points[: open_.row], floor)
            if limit is None:
                line, end = self._narrowed(line, end, open_, floor)
            else:
                line = line.head(open_.row)
                end = self._to_infinity(line.points[-1], limit)
        line, end = self._cut(line, end, floor)
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
        far = FAR * float(floor[:-1].max())
        walls = np.maximum(self.region.lower, -far), np.minimum(self.region.upper, far)
        trace = self.march(self.curve, y, tangent, self.span, walls, floor, options, first_step, closing, self.stops)
        self.counters["points"] += len(trace.points)
        self.counters["newton_iterations"] += trace.newtons
        self.counters["rejected_steps"] += trace.rejected
        line = from_trace(trace)
        for event in reversed(line.events):
            if event.kind == layout.BRANCH:
                line = self._refine(line, event, floor)
        line = self._without_turns_at_branch_points(line, floor)
        if trace.reason in (layout.BOUND, layout.SHORT) and len(line) > 1:
            line = self._refine_end(line, floor)
        if trace.reason == layout.RANGE:
            line = _with_hopf_at_end(line)
        if trace.reason == layout.STOPPED and line.events and line.events[-1].left is not None:
            line = line.head(line.events[-1].row + 1)
        return line, self._end(trace, line, far)

    def _narrowed(self, line: Line, end: End, event: Event, floor: np.ndarray) -> tuple[Line, End]:
        """Follow a branch once more from before an event that could not be located, in steps that jump no small gap.

        What is left then is no special point where the equations have a pole, or the branch goes to infinity.
        """
        row = event.row - 1
        options = replace(self.options, event_step=min(FINE, self.options.event_step))
        y, ahead = line.points[row], line.tangents[row]
        rest, end = self._followed(y, ahead, floor, options, AWAY, closing=end.reason == "closed")
        if not len(rest):
            return line, end
        line = join([line.head(row), rest])
        scale = np.maximum(np.abs(y), floor)
        scale[-1] = floor[-1]
        for event in line.events:
            if event.bracket is None or event.row <= row:
                continue
            before = line.head(event.row)
            if has_pole(self.problem, line, event, scale):
                where = 0.5 * sum(event.bracket)
                return before, End("pole", f"the equations have a pole at {self.parameter}={where:.9g}")
            limit = limit_at_infinity(before.points, floor)
            if limit is not None:
                return before, self._to_infinity(before.points[-1], limit)
        return line, end

    def _without_turns_at_branch_points(
        self, line: Line, floor: np.ndarray, *others: tuple[np.ndarray, np.ndarray]
    ) -> Line:
        """Leave out what looks like a fold where the parameter turns at a branch point, as on the side of a pitchfork.

        At a fold the derivative of the equations by the parameter lies outside of the range of the Jacobian.
        """
        here = ((line.points[event.row], event.left) for event in line.events if event.left is not None)
        junctions = [*others, *here]
        turns = [event for event in line.events if event.kind == layout.FOLD] if junctions else []
        false = [
            event
            for event in turns
            if any(self._turns_at(y, left, line, line.points[event.row], floor) for y, left in junctions)
        ]
        return replace(line, events=tuple(event for event in line.events if event not in false)) if false else line

    def _turns_at(self, y: np.ndarray, left: np.ndarray, line: Line, turn: np.ndarray, floor: np.ndarray) -> bool:
        """Say whether a turn of a line that was located beside the branch point `y` is at this point itself.

        Beside it the turn is known to the root of rounding only. From the direction of the line at `y`, and from a row
        that is some way off, it is known better.
        """
        unit = np.append(np.maximum(np.abs(turn[:-1]), floor[:-1]), floor[-1])
        apart = float(np.max(np.abs(turn - y) / unit))
        if not SAME <= apart < BLURRED:
            return apart < SAME
        chords = (line.points - y) / unit
        sizes = np.linalg.norm(chords, axis=1)
        row = int(np.argmin(np.abs(np.log(np.maximum(sizes, 1e-300) / PROBE))))
        found = self.problem.directions(y, left, unit)
        ahead = max(found, key=lambda v: abs(v @ chords[row]), default=None)
        if ahead is None or not 0.1 * PROBE < sizes[row] < 10.0 * PROBE:
            return False
        slope = ahead[-1] * np.sign(ahead @ chords[row])
        bend = 2.0 * (chords[row, -1] - slope * sizes[row]) / sizes[row] ** 2
        return bool(abs(slope) < SAME * abs(bend))

    def _to_infinity(self, y: np.ndarray, limit: float) -> End:
        """Say that a branch goes to infinity, at which value of the parameter."""
        largest = self.problem.system.variables[int(np.argmax(np.abs(y[:-1])))]
        limit = 0.0 if abs(limit) < RESOLVED * (self.span[1] - self.span[0]) else limit
        return End("infinity", f"{largest} grows without bound as {self.parameter} goes to {limit:.9g}")

    def _cut(self, line: Line, end: End, floor: np.ndarray) -> tuple[Line, End]:
        """Cut a line where it leaves the region through a bound that is not a wall."""
        if not self.region.names:
            return line, end
        slack = self.region.slack(line.points)
        outside = np.any(slack < 0.0, axis=1)
        if not outside.any():
            return line, end
        row = max(int(np.argmax(outside)), 1)
        before, after = slack[row - 1], slack[row]
        share = np.where(after < 0.0, before / np.where(after < 0.0, before - after, 1.0), np.inf)
        k = int(np.argmin(share))
        end = End("bound", f"{self.region.names[k]} reached its bound {self.region.levels[k]:g}")
        y = line.points[row - 1] + share[k] * (line.points[row] - line.points[row - 1])
        line = line.head(row)
        scale = np.maximum(np.abs(y), floor)
        for _ in range(8 if share[k] > 0.0 else 0):
            step = self.problem.beside(y, self.region.rows[k], scale)
            if step is None:
                break
            y = self.region.clip(y + step)
            if np.max(np.abs(step) / (np.abs(y) + 1e-12)) < 1e-12:
                return line.insert(row, y, self.problem.eigenvalues(y), int(line.unstable[-1]), None), end
        return line, end

    def _refine(self, line: Line, event: Event, floor: np.ndarray) -> Line:
        """Replace a bracketed branch point by a located one, as a row of its own, if it converges where it was seen."""
        before, after = line.points[event.row - 1], line.points[event.row]
        scale = np.maximum(np.maximum(np.abs(before), np.abs(after)), floor)
        scale[-1] = floor[-1]
        chord = (after - before) / scale
        # in the box of both rows and what the branch may bulge out of it, or where no neighbour can be taken for it
        middle, length, room = 0.5 * (before + after), _length(chord), (0.02, 1.0, 1e-6)
        # not quite at the zero of the eigenvalue: there the equations have no size of their own
        shares = (0.5, 0.1 + 0.8 * self._zero_between(line, event.row))
        # nor has a state that is zero; its unit of length may stem from a start where it was all but zero
        zero = np.append((before[:-1] == 0.0) & (after[:-1] == 0.0), False)
        units = [scale, np.where(zero, np.max(scale[:-1]), scale)]
        for unit, reach, share in itertools.product(units, room, shares):
            box = self._around(middle, 0.5 * np.abs(after - before) + reach * length * scale)
            found = self.problem.refine(before + share * (after - before), unit, box)
            # it must lie between the rows, or it is another one; and F must be zero, or it is not quite a branch point
            if found is not None and not self.problem.is_solved(found[0], found[1], scale):
                found = None
            if found is not None and not self._vanishes_at(found[0], line, event.row):
                found = None
            if found is not None and -1e-6 <= ((found[0] - before) / scale) @ chord / (chord @ chord) <= 1.0 + 1e-6:
                break
        else:
            return line
        rest = tuple(e for e in line.events if e is not event)
        unstable = int(min(line.unstable[event.row - 1], line.unstable[event.row]))
        clean = Line(line.points, line.tangents, line.eigenvalues, line.unstable, rest)
        return clean.insert(
            event.row,
            found[0],
            self.problem.eigenvalues(found[0]),
            unstable,
            Event(event.row, layout.BRANCH, None, found[1]),
        )

    def _around(self, y: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the corners of the box about a point within a reach, the range and the walls."""
        low, high = self.region.clip(y - reach), self.region.clip(y + reach)
        low[-1], high[-1] = max(low[-1], self.span[0]), min(high[-1], self.span[1])
        return low, high

    def _vanishes_at(self, y: np.ndarray, line: Line, row: int) -> bool:
        """Say whether the eigenvalue that changes sign between a row and the one before is zero at a point."""
        which = int(min(line.unstable[row - 1], line.unstable[row]))
        if not 0 <= which < line.eigenvalues.shape[1]:
            return True
        r0, r1 = line.eigenvalues[row - 1, which].real, line.eigenvalues[row, which].real
        return bool(r0 * r1 >= 0.0 or abs(self.problem.eigenvalues(y)[which].real) <= VANISHED * max(abs(r0), abs(r1)))

    def _zero_between(self, line: Line, row: int) -> float:
        """Return the fraction of the way from the row before at which the eigenvalue that changes sign is zero."""
        which = int(min(line.unstable[row - 1], line.unstable[row]))
        if not 0 <= which < line.eigenvalues.shape[1]:
            return 0.5
        r0, r1 = line.eigenvalues[row - 1, which].real, line.eigenvalues[row, which].real
        return float(r0 / (r0 - r1)) if r0 * r1 < 0.0 else 0.5

    def _refine_end(self, line: Line, floor: np.ndarray) -> Line:
        """Add the branch point that a branch runs into on a wall or at the end of the range, if there is one."""
        last = line.points[-1]
        scale = np.maximum(np.abs(last), floor)
        scale[-1] = floor[-1]
        found = self.problem.refine(last, scale, self._around(last, 1e-3 * scale))
        if found is None:
            return line
        y = found[0]
        nearest = min(self.span, key=lambda end: abs(end - y[-1]))
        y[-1] = nearest if abs(nearest - y[-1]) < 1e-9 * floor[-1] else y[-1]
        row = len(line)
        return line.insert(
            row, y, self.problem.eigenvalues(y), int(line.unstable[-1]), Event(row, layout.BRANCH, None, found[1])
        )

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
        return Branch(
            id=number,
            kind="equilibrium",
            columns=(self.parameter, *self.problem.system.variables),
            points=frozen(line.points.take(self.order, axis=1)),
            unstable=frozen(line.unstable, int),
            eigenvalues=frozen(line.eigenvalues, complex),
            origin=origin,
            ended=ends,
            tangents=frozen(line.tangents.take(self.order, axis=1)),
        )

    def _seen(self, event: Event, y: np.ndarray, floor: np.ndarray) -> bool:
        """Say whether a branch point that is only bracketed is one that was met, and noted, on another branch."""
        scale = np.maximum(np.abs(y), floor)
        scale[-1] = floor[-1]
        reach = 2.0 * self.options.event_step
        for point in self.special:
            if event.kind == layout.BRANCH and point.label == "BP" and point.status == "bracketed":
                at = np.array([*point.state.values(), *point.parameters.values()])
                if point.branch != len(self.branches) and np.max(np.abs(at - y) / scale) < reach:
                    return True
        return False

    def _meet(self, line: Line, event: Event, number: int, floor: np.ndarray) -> None:
        """Note that a line passes a branch point, which may be known already."""
        assert event.left is not None
        y = line.points[event.row]
        tangent = line.tangents[event.row]
        for junction in self.junctions:
            if (np.abs(unwound(y, junction.y, self.angles) - junction.y) / junction.scale).max() < SAME:
                junction.known.append(_unit(tangent / junction.scale))
                return
        scale = np.maximum(np.abs(y), floor)
        scale[-1] = floor[-1]
        scale = self._units(y, event.left, self._grown(line, scale))
        self.special.append(self._classify(line, event, y, number, floor))
        self.junctions.append(Junction(y, event.left, scale, len(self.special) - 1, [_unit(tangent / scale)]))

    def _grown(self, line: Line, scale: np.ndarray) -> np.ndarray:
        """Return units of length in which states that are tiny all along a line, but no rounding, count by themselves.

        A line that left a state of rest, all states zero, may know no size of some. One that solves its equation, by
        the terms of this, is not zero.
        """
        sizes = np.abs(line.points[:, :-1])
        grown = sizes.max(axis=0)
        tiny = (grown > 0.0) & (grown < SAME * scale[:-1])
        for place in np.flatnonzero(tiny).tolist():
            largest = line.points[sizes[:, place].argmax()]
            tiny[place] = self.problem.solved(largest)[place]
        return np.append(np.where(tiny, grown, scale[:-1]), scale[-1])

    def _units(self, y: np.ndarray, left: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the units of length at a branch point, smaller for what is zero there and stays small.

        Such a state gets a tenth of what the range makes of it along the branches, to first order; else two branches
        of which it is the whole difference would look like one.
        """
        zero = np.append(np.abs(y[:-1]) < SAME * scale[:-1], False)
        directions = np.abs(np.array(self.problem.directions(y, left, scale)).reshape(-1, len(y)))
        if not (len(directions) and zero.any()):
            return scale
        directions = np.where(directions > ROUNDED, directions, 0.0)
        reach = np.max(directions / np.maximum(directions[:, -1:], 1e-9), axis=0)
        return np.where(zero & (reach > 1e-9), np.minimum(scale, 0.1 * reach * scale), scale)

    def _classify(self, line: Line, event: Event, y: np.ndarray, number: int, floor: np.ndarray) -> SpecialPoint:
        """Return the special point of an event, with its normal form coefficients; `floor` are units of length."""
        facts = self._facts(line, event, y, floor)
        named = self.events is not None and facts["label"] == "UZ"
        return SpecialPoint(
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
        """Return the label of an event, its residual and spectrum, and the coefficients of its normal form."""
        problem = self.problem
        label, a, omega, l1 = EVENTS.get(event.kind, "UZ"), None, None, None
        located = event.bracket is None or event.kind == layout.FOLD
        residual, largest, first, second = problem.examine(y, floor, event.kind if located else 0)
        spectrum = line.eigenvalues[event.row].tolist()
        big = max([*map(abs, spectrum), largest])
        if event.kind == layout.FOLD:
            a, gap = first, second
            residual = max(residual, min(map(abs, spectrum), default=gap) / big)
        elif event.kind == layout.PAIR and located:
            omega, l1 = first, second
            residual = max(
                residual, min((abs(value.real) for value in spectrum if value.imag > 0.0), default=0.0) / big
            )
        elif event.kind == layout.PAIR:
            label = "HB" if any(value.imag != 0.0 for value in spectrum) else "BP"
        eigenvalues = frozen(line.eigenvalues[event.row], complex)
        return {"label": label, "residual": residual, "a": a, "omega": omega, "l1": l1, "eigenvalues": eigenvalues}

    def _row(self, y: np.ndarray, tangent: np.ndarray) -> Line:
        """Return a branch point as a line of one row."""
        spectrum = self.problem.eigenvalues(y)
        others = sorted(spectrum.tolist(), key=abs)[1:]  # one is zero but for rounding
        unstable = np.array([sum(v.real > 0.0 for v in others) if self.problem.stability else -1])
        return Line(y[None], tangent[None], spectrum[None], unstable, ())

    def _floor(self, y: np.ndarray) -> np.ndarray:
        """Return the least unit of length of every component.

        A tenth of its start; of a state that is zero, a tenth of what the range makes of it to first order; of one
        that stays zero, a tenth of the largest other state.
        """
        width = self.span[1] - self.span[0]
        sizes = np.abs(y[:-1])
        largest = float(sizes.max())
        floor = np.empty_like(y)
        floor[-1] = width
        if sizes.min() >= TINY * max(largest, 1.0):  # all have sizes of their own
            floor[:-1] = 0.1 * sizes
            return floor
        floor[:-1] = np.maximum(sizes, 1e-3 * (largest or 1.0))
        tiny = (sizes > 0.0) & (sizes < TINY * max(largest, 1.0))
        blur = self.problem.blur(y) if tiny.any() else np.zeros_like(sizes)
        *ahead, along = self.problem.tangent(y, floor).tolist()
        per_step = width / max(abs(along), 1e-300)
        own: list[float] = []
        for size, step, small, error in zip(sizes.tolist(), ahead, tiny.tolist(), blur.tolist(), strict=True):
            if size > 0.0 and not (small and size <= error):
                own.append(size)
            else:  # it is zero: what the range makes of it
                reach = abs(step) * per_step
                own.append(min(reach, max(1.0, largest)) if reach > max(1e-9 * largest, error) else 0.0)
        rest = max(own) or 1.0
        floor[:-1] = [0.1 * (size or rest) for size in own]
        unknown = [place for place, size in enumerate(own) if not size]
        return self._with_followers(y, floor, unknown) if len(unknown) > 1 else floor

    def _with_followers(self, y: np.ndarray, floor: np.ndarray, unknown: list[int]) -> np.ndarray:
        """Give states of unknown size that only follow others the size which these make them have, to first order."""
        jacobian = np.abs(self.problem.dense(y)[:, :-1])
        np.fill_diagonal(drives := jacobian.copy(), 0.0)
        waiting = [place for place in unknown if drives[place].any() and jacobian[place, place] > 0.0]
        while waiting:
            # one that influences nothing but others that wait is a follower; the last in the chain comes last
            inputs = {place: set(np.flatnonzero(drives[place]).tolist()) for place in waiting}
            ready = [place for place in waiting if not inputs[place] & set(waiting)]
            if not ready:
                break  # they depend on each other
            for place in ready:
                floor[place] = np.max(drives[place] * floor[:-1]) / jacobian[place, place]
            waiting = [place for place in waiting if place not in ready]
        return floor

    def _end(self, trace: Trace, line: Line, far: float) -> End:
        """Say why a march ended."""
        name = self.parameter
        at_branch_point = trace.reason == layout.SHORT and len(line) > 1 and line.points[-1, -1] in self.span
        if trace.reason == layout.RANGE or at_branch_point:
            return End("range", f"{name} reached {line.points[-1, -1]:.12g}")
        if trace.reason == layout.BOUND:
            variable, value = self.problem.system.variables[trace.wall], trace.points[-1, trace.wall]
            level = min(
                self.region.lower[trace.wall], self.region.upper[trace.wall], key=lambda wall: abs(wall - value)
            )
            if abs(abs(value) - far) <= SAME * far and abs(level - value) > SAME * far:
                where = f"{name} near {trace.points[-1, -1]:.6g}"
                return End("infinity", f"{variable} reached {value:.3g}: the branch seems to go to infinity at {where}")
            return End("bound", f"{variable} reached its bound {level:g}")
        if trace.reason == layout.INFINITY:
            return self._to_infinity(trace.points[-1], trace.limit)
        if trace.reason != layout.SHORT:
            return End(*said(trace, name, self.options))
        return End("step", "the step became too small: the Jacobian is singular or the branch is not smooth here")


def _first_open(line: Line) -> Event | None:
    """Return the first event that is only bracketed."""
    return next((event for event in line.events if event.bracket is not None), None)


def _without_rounding(junction: Junction, direction: np.ndarray) -> np.ndarray:
    """Return a direction in which states that are zero at a branch point stay zero where rounding alone moves them."""
    stays = np.append(junction.y[:-1] == 0.0, False) & (np.abs(direction) < 1e-5 * SAME)
    return np.where(stays, 0.0, direction)


def _up_to(line: Line, junction: Junction) -> Line:
    """Return a closed branch that left a branch point up to where it comes back to it."""
    gaps = np.max(np.abs(line.points - junction.y) / junction.scale, axis=1)
    back = [event.row for event in line.events if event.left is not None and gaps[event.row] < SAME]
    return line.head(back[-1] + 1) if back else line


def _with_hopf_at_end(line: Line) -> Line:
    """Add a Hopf point that lies on the last row, the end of the range, to rounding: no sign changes there."""
    last = len(line) - 1
    if last < 1 or not line.eigenvalues.size or any(event.row >= last - 1 for event in line.events):
        return line
    before, now = line.eigenvalues[last - 1].tolist(), line.eigenvalues[last].tolist()
    pairs = ((abs(a.real), abs(b.real), 1e-10 * abs(b)) for a, b in zip(before, now, strict=True) if b.imag > 0.0)
    if any(old > 10.0 * small and new <= small for old, new, small in pairs):
        return replace(line, events=(*line.events, Event(last, layout.PAIR)))
    return line


def _length(v: np.ndarray) -> float:
    return math.sqrt(v @ v)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / _length(v)

"""One way along a curve of equilibria: marched, its branch points located, and why it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line, from_trace, join
from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EVENTS, EquilibriumProblem
from bifrncrn.diagrams.angles import angles, come_round
from bifrncrn.diagrams.continua import is_continuum, resting, within_reach
from bifrncrn.diagrams.ending import end_of, reached, to_infinity
from bifrncrn.diagrams.fan import fan
from bifrncrn.diagrams.junctions import Junction, without_turns
from bifrncrn.diagrams.multiple import located, located_end
from bifrncrn.diagrams.noise import without_noise
from bifrncrn.diagrams.refining import cut, refined_end, with_hopf_at_end
from bifrncrn.diagrams.results import End
from bifrncrn.diagrams.touching import REJECTED, Touch, touch_beside, touches_between
from bifrncrn.diagrams.track import SAME, Track, length, scale_at
from bifrncrn.diagrams.unresolved import AWAY, FINE, has_pole, limit_at_infinity
from bifrncrn.models.branch_events import Events

FAR = 1e60
"""A state that grows to this multiple of the unit of length is taken to go to infinity, whatever the parameter does."""
PASSED = 0.1
"""How far from its last row, in units of length, a point of several zeros is looked for where a march ends."""
ACROSS = (1e-3, 1e-2)
"""How far beyond a branch point, in units of length, a branch that ended there is taken up again."""
ALONG = 0.9
"""The cosine of the least angle between the direction beyond a branch point and that of the rows before it."""
ENDLESS = (layout.BOUND, layout.CLOSED, layout.FULL, layout.INFINITY, layout.NOT_FINITE, layout.SHORT)
"""Why a march may end along which the parameter stays the same."""
KINDS = (*EVENTS.items(), (layout.USER_EVENT, "UZ"))
"""The kinds of events at which a march may stop, and their labels."""


class Marcher:
    """Follows one curve from one of its points in one direction.

    Parameters
    ----------
    problem : EquilibriumProblem
    parameter : str
        Name of the continuation parameter.
    span : (float, float)
        Its interval.
    options : Options
    events : Events, optional
        User-defined events.
    stop : set of str
        The labels at which a branch ends.
    engine : callable
        What follows the curve: `bifrncrn.continuation.march.march` or a function of the same signature.
    """

    def __init__(
        self,
        problem: EquilibriumProblem,
        parameter: str,
        span: tuple[float, float],
        options: Options,
        events: Events | None = None,
        stop: frozenset[str] = frozenset(),
        engine: Callable[..., Trace] = march,
    ) -> None:
        self.problem = problem
        self.track = Track(problem, span)
        self.parameter = parameter
        self.span = span
        self.options = options
        self.march = engine
        self.events = events
        self.stops = tuple(kind for kind, label in KINDS if label in stop) if stop else ()
        self.curve = problem.curve(events)
        self.region = problem.region
        self.angles = angles(problem.system)
        self.notes: list[str] = []
        self.noisy: set[tuple[float, float]] = set()  # between these, Hopf points cannot be told from rounding
        self.counters = {"points": 0, "newton_iterations": 0, "rejected_steps": 0}

    touching = ("an eigenvalue touches zero", "the real part of a pair of eigenvalues touches zero")
    """What is said of one that touches zero and turns back, and of a pair."""

    def prepare(self, y: np.ndarray) -> None:
        """Make the problem the one that holds at a point: a smooth one is the same everywhere."""

    def march_from(self, y: np.ndarray, direction: np.ndarray) -> tuple[Line, End]:
        """Trace a branch from one of its points in a direction."""
        return self._march(y, direction, self.track.floor(y))

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
        unsettled = (event for event in line.events if event.bracket is not None and event.bracket not in self.noisy)
        open_ = next(unsettled, None) if line.events else None
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
        endless = False
        if trace.reason in ENDLESS and len(line) > 1:
            near = line.head(within_reach(line, floor))
            if is_continuum(self.track, near):
                endless, line = len(near) < len(line), resting(near)
        line, noisy = without_noise(line) if len(line.events) > 1 else (line, [])
        self.noisy.update(noisy)
        self.notes.extend(
            f"Beside much larger rates the real part of a pair of eigenvalues is but rounding between {self.parameter}="
            f"{low:.9g} and {high:.9g}: how often it crosses zero there is not known."
            for low, high in noisy
        )
        for event in reversed(line.events):
            line, note = located(self.track, self.parameter, line, event, floor)
            self.notes.extend([note] if note and note not in self.notes else [])
        if line.events:
            line = without_turns(self.track, line, floor)
        if endless:
            return line, End("continuum", f"all on it are equilibria at one {self.parameter}; it goes on beyond")
        if trace.reason == layout.SHORT:
            passed = self._passed(line, floor, options) or self._past_touch(line, floor, options)
            if passed is not None:
                return passed
        if trace.rejected >= REJECTED:
            for touch in reversed(touches_between(self.track, line, floor)):
                line = self._touched(line, touch, floor)
        if trace.reason in (layout.BOUND, layout.SHORT) and len(line) > 1:
            line = refined_end(self.track, line, floor)
        if trace.reason == layout.SHORT and (crossed := self._crossed(line, floor, options)) is not None:
            return crossed
        if trace.reason == layout.RANGE:
            line = with_hopf_at_end(line)
        if trace.reason == layout.STOPPED and line.events and line.events[-1].left is not None:
            line = line.head(line.events[-1].row + 1)
            if layout.BRANCH not in self.stops:  # what it stopped at was something else
                passed = self._passed(line.head(line.events[-1].row), floor, options)
                return passed or (line, end_of(self.track, self.parameter, self.options, trace, line, far))
        stop = next((e for e in line.events if e.left is not None), None) if layout.BRANCH in self.stops else None
        if stop is not None:
            line, trace = line.head(stop.row + 1), replace(trace, reason=layout.STOPPED)
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

    def _crossed(self, line: Line, floor: np.ndarray, options: Options) -> tuple[Line, End] | None:
        """Go on beyond a branch point of one zero that the steps became too small at; None where that fails.

        Beside it the equations are so nearly singular that rounding alone may move Newton's iterates too far. Of the
        two branches that cross there, the one is gone on with whose direction is that of the last rows.
        """
        last = line.events[-1] if line.events else None
        if last is None or last.left is None or last.row != len(line) - 1 or layout.BRANCH in self.stops:
            return None
        y, scale = line.points[-1], scale_at(line.points[-1], floor)
        apart = np.linalg.norm((line.points - y) / scale, axis=1)
        if apart.max() <= ACROSS[-1]:  # it began beside this very point, and has come back to it
            return None
        came = (y - line.points[int(np.flatnonzero(apart >= min(ACROSS[0], apart.max()))[-1])]) / scale
        ahead = max(
            (side * way for way in self.track.problem.directions(y, last.left, scale) for side in (1.0, -1.0)),
            key=lambda way: float(way @ came) / length(way),
            default=None,
        )
        if ahead is None or ahead @ came < ALONG * length(ahead) * length(came):
            return None
        for far in ACROSS:
            start = self.track.inside(y + far * ahead / length(ahead) * scale, SAME * far * scale)
            if start is None:
                continue
            more, end = self._followed(start, ahead * scale, scale, options, far, closing=False)
            if len(more) > 1 and float((more.points[0] - y) / scale @ ahead) > 0.0:
                opens = Junction(y, last.left, scale, -1, line.spectrum(len(line) - 1)).opens(more)
                return (join([line, more]), end) if opens else None  # else something lies between
        return None

    def _past_touch(self, line: Line, floor: np.ndarray, options: Options) -> tuple[Line, End] | None:
        """Go on beyond a point at which an eigenvalue touches zero and the steps became too small, if it is one."""
        touch = touch_beside(self.track, line, len(line) - 1, floor)
        if touch is None:
            return None
        line = self._touched(line, touch, floor)
        more, end = self._followed(*touch.onward, scale_at(touch.y, floor), options, None, closing=False)
        return (join([line, more]), end) if len(more) else None

    def _touched(self, line: Line, touch: Touch, floor: np.ndarray) -> Line:
        """Return the line with a branch point where an eigenvalue touches zero and branches leave; else add a note."""
        where = f"At {self.parameter}={touch.y[-1]:.9g}"
        if touch.left is None:
            note = f"{where} {self.touching[1]} without a change of sign: cycles born there were not looked for."
        elif fan(self.track, touch.y, touch.left, scale_at(touch.y, floor)) is None:
            note = (
                f"{where} {self.touching[0]} without a change of sign: no branch was found to leave there (a search, "
                "--all or all=True, may find others)."
            )
        else:
            row, unstable = touch.row + 1, int(line.unstable[touch.row])
            return line.insert(row, touch.y, touch.spectrum, unstable, Event(row, layout.BRANCH, None, touch.left))
        self.notes.extend([note] if note not in self.notes else [])
        return line

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

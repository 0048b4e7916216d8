"""Branches of piecewise smooth systems: each piece is followed on the sides of its borders, and goes on beyond them.

On the sides of its borders held a system is smooth, and so is its curve, which the march follows past a border as if
there were none; where it crosses the border is an event like others. There the branch is cut, and goes on as the
half-branch that leaves the point on the other side. A change of the parameter's direction or of stability is a border
collision (di Bernardo, Budd, Champneys, Kowalczyk, Piecewise-smooth Dynamical Systems, 2008, chapters 2 and 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import without_rounding
from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line, join
from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.choose import equilibrium_problem
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.diagrams.corners import MOST_BORDERS, Corner, Half, Sides
from bifrncrn.diagrams.junctions import Junction
from bifrncrn.diagrams.refining import without_turns_of_rounding
from bifrncrn.diagrams.results import Diagram, End, SpecialPoint
from bifrncrn.diagrams.tracing import ONE, Tracer
from bifrncrn.models.borders import Borders, borders_of
from bifrncrn.models.branch_events import Events

BORDER = 1 << 20
"""The kind of event that is a border collision; the march knows it as a user's event."""
MOST_PIECES = 2000
"""A branch ends after so many borders."""
RESOLVED = 1e-11
"""A turn by less than this, in units of the range, is rounding: where a piece is all but vertical."""
ALIKE = 1e-6
"""Directions and spectra on two sides of a border that differ by less, relatively, are the same."""
FLAT, STEEP = 1e-9, 1e-6
"""A parameter component of a unit tangent below the first has no sign, and above the second one that is clear."""


def tracer(
    problem: EquilibriumProblem,
    parameter: str,
    span: tuple[float, float],
    options: Options,
    max_branches: int,
    events: Events | None = None,
    stop: frozenset[str] = frozenset(),
    engine: Callable[..., Trace] = march,
) -> Tracer:
    """Return what traces the branches of a system, which may be piecewise smooth."""
    borders = borders_of(problem.system)
    if borders is None:
        return Tracer(problem, parameter, span, options, max_branches, events, stop, engine)
    if engine is not march:
        rule = "follows smooth systems only, and this one has borders (abs, max, conditions ...)"
        raise InputError(f"the engine asked for {rule}; use the native one")
    held = equilibrium_problem(borders.held, problem.parameter, problem.stability, problem.region)
    return PiecewiseTracer(borders, problem, held, parameter, span, options, max_branches, events, stop)


class PiecewiseTracer(Tracer):
    """Collects the branches of a diagram of a piecewise smooth system.

    Parameters
    ----------
    borders : Borders
    whole, held : EquilibriumProblem
        Of the system itself, and of that whose sides are held.
    parameter, span, options, max_branches, events, stop
        As for `Tracer`.
    """

    every_border = False
    """Whether a border at which nothing turns or changes its stability is a collision all the same."""

    def __init__(
        self,
        borders: Borders,
        whole: EquilibriumProblem,
        held: EquilibriumProblem,
        parameter: str,
        span: tuple[float, float],
        options: Options,
        max_branches: int,
        events: Events | None,
        stop: frozenset[str],
    ) -> None:
        tests = borders.tests(events)
        super().__init__(held, parameter, span, options, max_branches, tests, stop | {"UZ"})
        self.whole = whole
        self.borders = borders
        self.user_stops = "UZ" in stop
        self.sides = Sides(borders, held, tests, self.track.onto)
        self.corners: list[Corner] = []

    @property
    def searched(self) -> EquilibriumProblem:
        """The problem whose equilibria are searched: on all sides."""
        return self.whole

    def prepare(self, y: np.ndarray) -> None:
        """Hold the problem on the sides of a point."""
        self.sides.hold_at(y)

    # -- following ----------------------------------------------------------------------------------------------

    def trace_through(self, y: np.ndarray) -> None:
        """Trace the branch through an equilibrium, in both directions; all half-branches of one on a border."""
        floor = self._scale_at(y)
        if len(self.sides.active(y, floor)):
            halves = self.sides.halves(y, floor)
            if halves:
                self._known_corner(y, floor, halves)
                self._follow_corners()
            else:
                self.notes.append(f"Nothing was followed: {self._border_end(y, floor).message}, where the start lies.")
            return
        self.sides.hold_at(y)
        super().trace_through(y)

    def knows(self, y: np.ndarray, near: float = 0.5) -> bool:
        """Say whether an equilibrium lies on a branch that was traced already."""
        self.sides.hold_at(y)
        return super().knows(y, near)

    def switch_everywhere(self) -> None:
        """Follow the other branches at branch points and corners, and at those found on them, until none is new."""
        before = -1
        while before < len(self.branches):
            before = len(self.branches)
            super().switch_everywhere()
            self._follow_corners()

    def diagram(self, notes: list[str]) -> Diagram:
        """Return what was found, as of the system itself."""
        return replace(super().diagram(notes), system=self.borders.system)

    def _march(
        self,
        y: np.ndarray,
        tangent: np.ndarray,
        floor: np.ndarray,
        first_step: float | None = None,
        closing: bool = True,
    ) -> tuple[Line, End]:
        """March one way, across borders; the problem is held as before in the end."""
        before = self.sides.sides.copy(), self.sides.watched.copy()
        self.sides.hold(*self._sides_along(y, tangent, floor))
        try:
            return self._chain(y, tangent, floor, first_step, closing)
        finally:
            self.sides.hold(*before)

    def _sides_along(self, y: np.ndarray, tangent: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sides that a branch is on, and which borders to watch: not those it lies on."""
        sides = self.sides.at(y)
        watched = np.ones(len(sides))
        for k in self.sides.active(y, floor):
            if self.sides.watched[k] == 0.0:
                sides[k], watched[k] = self.sides.sides[k], 0.0
        return sides, watched

    def _chain(
        self, y: np.ndarray, tangent: np.ndarray, floor: np.ndarray, first_step: float | None, closing: bool
    ) -> tuple[Line, End]:
        """March piece by piece from the sides held."""
        pieces: list[Line] = []
        crossed: list[tuple[np.ndarray, Half]] = []
        begun = Half(y, _unit(tangent / floor), self.sides.sides.copy(), self.sides.watched.copy())
        while len(pieces) < MOST_PIECES:
            line, end = super()._march(y, tangent, floor, first_step, closing and not pieces)
            line = without_turns_of_rounding(line, RESOLVED * (self.span[1] - self.span[0]))
            met = self._met(line) if end.reason == "stop" else None
            steep = met is None and self._ends_steep(line, end, floor)
            if met is None and not steep:
                return self._last_piece(pieces, line, end, floor)
            border = met is None or met.kind - layout.USER_EVENT < len(self.borders)
            if border:
                line = _without(line if met is None else line.head(met.row + 1), len(self.borders))
            scale = self._scale_at(line.points[-1], floor)
            if steep:
                line.points[-1] = self.sides.corner(line.points[-1], scale)
            corner = line.points[-1].copy()
            half, told = self._onward(corner, line.tangents[-1], scale, border)
            if half is None:
                return self._joined([*pieces, line], floor), told
            if half.is_same(begun) and _near(half.start, begun.start, scale):  # it started here
                return self._joined([*pieces, line], floor), End("closed", "the branch returned to its start")
            if border and any(half.is_same(other) and _near(corner, at, scale) for at, other in crossed):
                line = _up_to(line, pieces[0].points[0], scale)
                return self._joined([*pieces, line], floor), End("closed", "the branch returned to its start")
            if border:
                crossed.append((corner, half))
            pieces.append(line)
            self.sides.hold(half.sides, half.watched)
            y, tangent, first_step = half.start, half.direction * scale, None
        return self._joined(pieces, floor), End("points", f"the branch crossed {MOST_PIECES} borders")

    def _last_piece(self, pieces: list[Line], line: Line, end: End, floor: np.ndarray) -> tuple[Line, End]:
        """Return the branch whose last piece this is; a border that was seen but not located ends it before."""
        last = line.events[-1] if line.events else None
        seen = last is not None and 0 <= last.kind - layout.USER_EVENT < len(self.borders)
        if end.reason == "stop" and seen and last is not None:
            line = line.head(max(last.row, 1))
            where = f"{self.parameter} near {line.points[-1, -1]:.6g}"
            end = End("border", f"the branch meets a border at {where} where the model's derivatives are not finite")
        return self._joined([*pieces, _without(line, len(self.borders))], floor), end

    def _ends_steep(self, line: Line, end: End, floor: np.ndarray) -> bool:
        """Say whether a piece ends where it comes to a border on a side that is infinitely steep there."""
        if end.reason not in ("nan", "pole", "step") or len(line) < 2:
            return False
        return bool(len(self.sides.active(line.points[-1], self._scale_at(line.points[-1], floor))))

    def _met(self, line: Line) -> Event | None:
        """Return the border that ended a piece, or the user's event beyond which it goes on; None for any other end."""
        seen = [event for event in line.events if event.kind >= layout.USER_EVENT and event.bracket is None]
        borders = [event for event in seen if event.kind - layout.USER_EVENT < len(self.borders)]
        if borders:
            return borders[0]
        return seen[-1] if seen and seen[-1].row == len(line) - 1 and not self.user_stops else None

    def _onward(self, y: np.ndarray, tangent: np.ndarray, scale: np.ndarray, border: bool) -> tuple[Half | None, End]:
        """Return the half-branch on which a branch goes on from a point; without one, why it ends there."""
        ahead = _unit(tangent / scale)
        here = Half(y, ahead, self.sides.sides.copy(), self.sides.watched.copy())
        if not border:  # a user's event
            start = self.sides.beside(y, ahead, scale, self.sides.watched == 0.0)
            if start is not None:
                return replace(here, start=start), End("", "")
            return None, End("range", f"{self.parameter} reached {y[-1]:.12g}")
        found = self.sides.halves(y, scale)
        if (count := len(self.sides.active(y, scale))) > MOST_BORDERS:
            self.notes.append(
                f"{count} borders meet at {self.parameter}={y[-1]:.6g}: other branches than the one followed may leave."
            )
        others = [half for half in found if not half.is_same(here, -1.0)]
        if not others:
            half = self.sides.beyond(y, ahead, scale)
            return half, self._border_end(y, scale)
        onward = max(others, key=lambda half: float(half.direction @ ahead))
        if len(found) > 2:
            self._known_corner(y, scale, found, (here, onward))
        return onward, End("", "")

    def _border_end(self, y: np.ndarray, scale: np.ndarray) -> End:
        name, value = self.parameter, without_rounding(float(y[-1]), self.span[1] - self.span[0])
        if min(abs(y[-1] - end) for end in self.span) <= 1e-9 * scale[-1]:
            return End("range", f"{name} reached {y[-1]:.12g}")
        active = self.sides.active(y, scale)
        if not len(active):
            return End("border", f"no branch goes on beyond the border at {name}={value:.9g}")
        whole, text = self.borders.whole[active[0]], self.borders.text(int(active[0]))[:80]
        where = f"where {text} {'passes a whole number' if whole else 'changes sign'}, at {name}={value:.9g}"
        if self.sides.jumps(y, scale):
            return End("border", f"the model jumps {where}")
        return End("border", f"no branch that goes on was found {where}")

    # -- corners ------------------------------------------------------------------------------------------------

    def _known_corner(
        self, y: np.ndarray, scale: np.ndarray, halves: list[Half], used: tuple[Half, Half] | None = None
    ) -> Corner:
        """Return the corner at a point, noting that a branch passes it by two half-branches: in and out."""
        corner = next((c for c in self.corners if c.is_at(y)), None)
        if corner is None:
            corner = Corner(y, scale, halves, None, list(halves))
            self.corners.append(corner)
        if used:
            arriving, leaving = used
            corner.left = [h for h in corner.left if not (h.is_same(arriving, -1.0) or h.is_same(leaving))]
        return corner

    def _follow_corners(self) -> None:
        """Follow the half-branches of corners that are left."""
        for corner in self.corners:
            while corner.left:
                if len(self.branches) >= self.max_branches:
                    return
                first = corner.left.pop(0)
                second = min(corner.left, key=lambda half: float(half.direction @ first.direction), default=None)
                forth, back = self._leave_corner(corner, first), None
                if second is not None and second in corner.left:
                    corner.left.remove(second)
                    back = self._leave_corner(corner, second)
                self._add_corner(corner, (first, forth), (second, back))

    def _leave_corner(self, corner: Corner, half: Half) -> tuple[Line, End] | None:
        self.sides.hold(half.sides, half.watched)
        line, end = self._march(half.start, half.direction * corner.scale, corner.scale, closing=False)
        if not len(line) or self.knows(line.points[len(line) // 2], near=ONE):
            return None
        return line, end

    def _beside(self, line: Line, y: np.ndarray, scale: np.ndarray, near: float) -> bool:
        """Say whether a known line passes a point; a line on other sides of the borders does not pass one very near it.

        On the sides held there is the branch of the point alone, wherever Newton's method begins.
        """
        if near <= ONE:
            row = int((((line.points - y) / scale) ** 2).sum(axis=1).argmin())
            if not np.array_equal(self.sides.at(line.points[row]), self.sides.at(y)):
                return False
        return super()._beside(line, y, scale, near)

    def _add_corner(
        self,
        corner: Corner,
        first: tuple[Half, tuple[Line, End] | None],
        other: tuple[Half | None, tuple[Line, End] | None],
    ) -> None:
        """Keep what leaves a corner as one branch, which arrives by the second half-branch."""
        (half, forth), (second, back) = first, other
        if forth is None and back is None:
            return
        here = self._start_end(corner)
        lines, ends = [], [here, here]
        direction, held = half.direction, half
        if back is not None and second is not None:
            direction, held = -second.direction, second
            lines.append(back[0].reversed())
            ends[0] = back[1]
        self.sides.hold(held.sides, held.watched)
        lines.append(self._row(corner.y, direction * corner.scale))
        if forth is not None:
            lines.append(forth[0])
            ends[1] = forth[1]
            ends = [forth[1]] * 2 if forth[1].reason == "closed" else ends
        self._add(self._joined(lines, corner.scale), (ends[0], ends[1]), corner.origin, corner.scale)

    def _start_end(self, corner: Corner) -> End:
        """Say why a branch that leaves a corner goes no further back."""
        if min(abs(corner.y[-1] - end) for end in self.span) <= 1e-9 * corner.scale[-1]:
            return End("range", f"{self.parameter} reached {corner.y[-1]:.12g}")
        if len(corner.halves) > 2 or corner.origin is not None:
            return End("branch point", "the branch starts where others meet on a border")
        return End("border", f"nothing goes on beyond the border at {self.parameter}={corner.y[-1]:.9g}")

    def _switch(self, junction: Junction, direction: np.ndarray) -> None:
        """Trace the branch that leaves a branch point; all that leave it where it is on a border."""
        if not len(self.sides.active(junction.y, junction.scale)):
            self.sides.hold_at(junction.y)
            super()._switch(junction, direction)
            return
        if any(corner.is_at(junction.y) for corner in self.corners):
            return
        halves = self.sides.halves(junction.y, junction.scale, branch_point=True)
        corner = self._known_corner(junction.y, junction.scale, halves)
        corner.origin = junction.special
        corner.left = [half for half in halves if not any(abs(half.direction @ d) > 0.999 for d in junction.known[:-1])]

    # -- special points -----------------------------------------------------------------------------------------

    def _joined(self, pieces: list[Line], floor: np.ndarray) -> Line:
        """Join pieces; a border between two of them is a collision where the branch turns or changes stability.

        Units of length are at least `floor`: where a border is crossed states may be zero but for rounding.
        """
        done: list[Line] = []
        for piece in pieces:
            if done and len(piece) and len(done[-1]):
                done[-1] = self._collided(done[-1], piece, floor)
            done.append(piece)
        return join(done)

    def _collided(self, line: Line, after: Line, floor: np.ndarray) -> Line:
        last = len(line) - 1
        if any(event.row == last for event in line.events):
            return line
        y, scale = line.points[last], self._scale_at(line.points[last], floor)
        if not len(self.sides.active(y, scale)):
            return line
        slopes = [float(_unit(t / scale)[-1]) for t in (line.tangents[last], after.tangents[0])]
        if self._alike(line, after, scale):
            return line
        flat, clear = min(map(abs, slopes)), max(map(abs, slopes))
        turns = (slopes[0] * slopes[1] < 0.0 and flat > FLAT) or (flat <= FLAT and clear > STEEP)
        counts = int(line.unstable[max(last - 1, 0)]), int(after.unstable[0])
        unstable = line.unstable.copy()
        unstable[last] = max(counts)
        events = line.events
        if (
            self.every_border
            or turns
            or counts[0] != counts[1]
            or any(len(c.halves) > 2 and c.is_at(y) for c in self.corners)
        ):
            events = (*events, Event(last, BORDER))
        return replace(line, unstable=unstable, events=events)

    def _alike(self, line: Line, after: Line, scale: np.ndarray) -> bool:
        """Say whether direction and spectrum are the same before and after a border, which is none but in its form."""
        before, ahead = _unit(line.tangents[-1] / scale), _unit(after.tangents[0] / scale)
        spectra = line.spectrum(-1), after.spectrum(0)
        big = max((float(np.max(np.abs(values))) for values in spectra if len(values)), default=0.0)
        moved = float(np.max(np.abs(spectra[0] - spectra[1]), initial=0.0))
        return bool(np.max(np.abs(before - ahead)) < ALIKE and moved <= ALIKE * big)

    def _meet(self, line: Line, event: Event, number: int, floor: np.ndarray) -> None:
        self.sides.hold_at(line.points[event.row])
        super()._meet(line, event, number, floor)

    def _seen(self, event: Event, y: np.ndarray, floor: np.ndarray) -> bool:
        if event.kind != BORDER:
            return super()._seen(event, y, floor)
        scale = self._scale_at(y, floor)
        points = [point for point in self.special if point.label in ("BC", "BP")]
        return any(_near(np.array([*p.state.values(), *p.parameters.values()]), y, scale) for p in points)

    def _classify(self, line: Line, event: Event, y: np.ndarray, number: int, floor: np.ndarray) -> SpecialPoint:
        if event.kind != BORDER:
            self.sides.hold_at(y)
            point = replace(super()._classify(line, event, y, number, floor), system=self.borders.system)
            on_border = len(self.sides.active(y, self._scale_at(y)))  # no second derivatives: no coefficients
            return replace(point, a=None, l1=None, b=None, re_d=None) if on_border else point
        beside = self.sides.hold_smooth(y, self._scale_at(y, floor))
        point = super()._classify(line, Event(event.row, layout.BRANCH, event.bracket), beside, number, floor)
        point = replace(point, label="BC", system=self.borders.system)
        if beside is y:
            return point
        *state, parameter = y.tolist()
        at = dict(zip(point.state, state, strict=True)), {**point.parameters, self.parameter: parameter}
        return replace(point, state=at[0], parameters=at[1])

    def _scale_at(self, y: np.ndarray, floor: np.ndarray | None = None) -> np.ndarray:
        """Return the units of length at a point."""
        self.sides.hold_at(y) if floor is None else None
        least = self.track.floor(y) if floor is None else floor
        scale = np.maximum(np.abs(y), least)
        scale[-1] = least[-1]
        return scale


def _without(line: Line, borders: int) -> Line:
    """Return a line without the events that are borders."""
    events = tuple(e for e in line.events if not 0 <= e.kind - layout.USER_EVENT < borders)
    return line.with_events(events)


def _near(a: np.ndarray, b: np.ndarray, scale: np.ndarray) -> bool:
    return bool(np.max(np.abs(a - b) / scale) < 1e-6)


def _up_to(line: Line, home: np.ndarray, scale: np.ndarray) -> Line:
    """Return a piece up to the branch's first point, which lies on it."""
    along = np.sum((line.points - home) * line.tangents / scale**2, axis=1)
    row = max(int(np.argmax(along >= 0.0)), 1) if np.any(along >= 0.0) else len(line)
    near = min(row, len(line) - 1)
    return line.head(row).insert(row, home, line.spectrum(near), int(line.unstable[near]), None)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.sqrt(v @ v)

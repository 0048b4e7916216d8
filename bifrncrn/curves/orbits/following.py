"""Following a branch of orbits in one parameter: what the march passes on the way, and why the branch ends."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.orbits import events
from bifrncrn.curves.orbits import layout as at
from bifrncrn.curves.orbits.asked import LABEL, Asked, Watch
from bifrncrn.curves.orbits.branch import Place, between
from bifrncrn.curves.orbits.corrector import Corrected, Corrector, Metric
from bifrncrn.curves.orbits.ends import (
    CENTRE,
    CLOSED,
    FAR,
    FULL,
    HOPF,
    KNOWN,
    MOTHER,
    NOT_FINITE,
    RANGE,
    SHORT,
    TIME,
    WALL,
    Ends,
    Followed,
    Row,
)
from bifrncrn.curves.orbits.hopf import turns_before_vanishing
from bifrncrn.curves.orbits.march import March, Step, Units
from bifrncrn.curves.orbits.switching import half_difference
from bifrncrn.curves.orbits.turns import as_told

VANISHED = 1e-2
"""A state whose greatest value is this close to its wall, relative to its size, has come to it."""
NEAR_HOME = 0.05
"""A branch is back where its step passes the start this close, relative to the step."""
SAME_ORBIT = 1e-5
"""An orbit on another mesh is the same if it is as close as this: extremes are good to 4e-6."""
ALMOST = 1e-3
"""An event that is not located in a step of this length is bracketed by it."""
TOGETHER = 1e-6
"""Events that are not further apart than this are not told apart."""
UNDECIDED = 4
"""So many times a step is shortened so that it does not end where a multiplier is on the unit circle."""
BEFORE_CLOSED = 6
"""A branch has more rows than this before it is asked whether it is back."""

STALLED_ROWS, STALLED = 500, 4e-5
"""So many rows that together have moved by less than this part of as many of the largest steps are rounding's work:
what happens on the orbit, as a state that comes near to zero, is too small beside the rest."""


@dataclass(frozen=True, eq=False)
class Stand:
    """Where the march stands: a row; its place on another mesh and not corrected there, if it was put on one.

    `turned` is the interval of the row's first mesh at which that of the place starts.
    """

    row: Row | Step
    moved: Step | None = None
    turned: int = -1

    @functools.cached_property
    def place(self) -> Place:
        """The place that the next step starts from."""
        here = self.row.place
        return here if self.moved is None else replace(self.moved.place, corrected=here.corrected)


class Follower:
    """Follows the orbits of one system in one parameter.

    Parameters
    ----------
    corrector : Corrector
    span : (float, float)
        The range of the parameter.
    floor : (n,) array
        Least unit of length of every state.
    largest : float
        The size of the largest state; an orbit much larger goes to infinity.
    options : Options
    problem : EquilibriumProblem
        The equilibria of the system, near which orbits may end.
    home : float
        The parameter at which the branch begins.
    asked : Asked, optional
        Events of the user's.
    known : sequence of Followed
        Branches whose last orbits are not the last of their family: it may be met there from its other end.
    """

    def __init__(
        self,
        corrector: Corrector,
        span: tuple[float, float],
        floor: np.ndarray,
        largest: float,
        options: Options,
        problem: EquilibriumProblem,
        home: float,
        asked: Asked | None = None,
        known: Sequence[Followed] = (),
    ) -> None:
        self.corrector = corrector
        self.asked, self.known = asked, known
        self._watch: Watch | None = None
        self.span = span
        self.options = options
        self._ends = Ends(problem, span[1] - span[0], home, FAR * largest)
        self._units = Units(np.array(floor), np.full(len(floor), np.inf), np.full(len(floor), -np.inf))
        self._march = March(corrector, span, home, self._ends.far, options)
        self._doubled = self._closing = self._centre = False
        self._at_home = True
        self._held = 0
        self._stand: Stand
        self._before: Stand | None = None

    def metric(self, extremes: np.ndarray) -> Metric:
        """Return the units of length at an orbit: what it sweeps, or a tenth of what the whole branch has so far."""
        self._units = self._units.beside(extremes)
        return Metric(np.maximum(extremes[1] - extremes[0], self._units.floor), self.span[1] - self.span[0])

    def begin(self, corrected: Corrected) -> Place:
        """Return the first place, on a mesh that suits it."""
        metric = self.metric(self.corrector.extremes(corrected.orbit))
        place = Place.of(corrected, metric).measured(metric)
        self._march.start(place, None, 0.0, self._units, at.RENEWED)
        _, steps = self._march.run(0)
        return steps[-1].place if steps else place

    def follow(self, start: Place, first_step: float, closing: bool = False, doubled: bool = False) -> Followed:
        """Follow the branch from its first place in the direction of the tangent until it ends.

        With `closing` it ends where it comes back to its start, with `doubled` where its orbits go round twice.
        """
        self._doubled, self._closing, self._held = doubled, closing, 0
        self._at_home, self._centre = self._ends.at_home(start.orbit.parameter), False
        found = Followed([Row(start, self.corrector.extremes(start.orbit))])
        if self.asked is not None:
            self._watch = Watch(self.corrector, self.asked, found.rows[0])
        march = self._march
        march.tried = march.rejected = 0
        march.begin(found.rows[0].extremes, self._ends.alone(found))
        self._stand, self._before = Stand(found.rows[0]), None
        march.start(start, None, first_step, self._units)
        while not found.reason:
            left = self.options.max_points - len(found.rows)
            if self.options.late:
                found.reason = TIME
            elif left <= 0:
                found.reason = self._ends.stuck(found, FULL)
            else:
                self._go_on(found, min(left, march.rows))
        found.steps, found.rejected = march.tried, march.rejected
        as_told(found, self.span[1] - self.span[0])
        return found

    def _go_on(self, found: Followed, rows: int) -> None:
        """March for some rows, until the branch ends, or up to where another step has to be taken."""
        status, steps = self._march.run(rows)
        for step in steps:
            if not self._take(found, step) or found.reason:
                return
        if status == at.TOO_SHORT:
            failures = {at.BAD_VALUE: NOT_FINITE, at.OUTSIDE: WALL}
            reason = WALL if self._vanished(self._here) else failures.get(self._march.failure, SHORT)
            found.reason = TIME if self.options.late else self._ends.stuck(found, reason)

    @property
    def _here(self) -> Place:
        """The place where the march stands."""
        return self._stand.place

    def _vanished(self, here: Place) -> bool:
        """Say whether a state has come to its wall all along the orbit."""
        room = np.max(here.orbit.nodes, axis=0) - self.corrector.lower
        return bool(np.any(room < VANISHED * here.metric.scale))

    def _take(self, found: Followed, step: Step) -> bool:
        """Take what the march did into the branch; return false where it goes on with a shorter step from before."""
        if step.kind in (at.MOVED, at.REMESHED):
            if step.kind == at.REMESHED:
                found.rows[-1] = step
            self._stand = Stand(found.rows[-1], step if step.kind == at.MOVED else None, step.turned)
            return True
        if step.kind == at.TURNED_OVER:
            if self._before is not None and turns_before_vanishing(self._before.place, self._here):
                return self._retry(step, 0.5 * step.length)
            found.beyond, found.reason = step.place, HOPF
            return True
        row: Row | Step = step
        if step.kind == at.BEYOND:
            edge = self._edge(self._here, step.place, self.span[0] if step.parameter < self.span[0] else self.span[1])
            if edge is None:
                return self._retry(step, 0.5 * step.length)
            row = Row(edge, self.corrector.extremes(edge.orbit))
        elif (self._doubled or step.asks & at.ABOUT_EVENTS) and (met := _meeting(self._here, step.place)) is not None:
            found.limit, found.reason = met, MOTHER
            return True
        at_home = self._at_home and self._ends.at_home(row.parameter)
        if self._centre and not at_home:
            found.reason = CENTRE  # what leaves the parameter's value are errors
            return True
        rows: list[Row] = []
        # along a family at one value of the parameter 1 is a double multiplier: nothing is looked for there
        if (step.asks & at.ABOUT_EVENTS and not at_home) or row is not step:
            found_there = self._passed(self._here, row.place, step, row is not step)
            if isinstance(found_there, float):
                return self._retry(step, found_there)
            rows = found_there
        else:
            self._held = 0
        if self._watch is not None:
            earlier, rows = self._watch.step(self._here, row, rows)
            found.rows[-1:-1] = earlier
            if len(found.rows) == 1 and self._watch.begins:
                first = found.rows[0]
                found.rows[0] = Row(first.place, first.extremes, LABEL, asked=self._watch.begins)
        found.rows += [*rows, row]
        self._at_home = at_home
        self._centre = self._centre or (at_home and self._ends.surrounds_centre(found))
        self._go_to(found, row, step)
        return True

    def _go_to(self, found: Followed, row: Row | Step, step: Step) -> None:
        """Stand at the last row; see whether the branch ends there."""
        found.shortest = min(found.shortest, row.period)
        self._before, self._stand = self._stand, Stand(row)
        if row is not step:
            found.reason = RANGE
        elif step.asks & at.ABOUT_END:
            found.reason = self._ends.reached(found)
        if not found.reason and len(found.rows) % STALLED_ROWS == 0 and self._stalled(found.rows[-STALLED_ROWS], row):
            found.reason = self._ends.stuck(found, SHORT)
        closing = self._closing and not found.reason and len(found.rows) > BEFORE_CLOSED
        if closing and _passes(found.rows, found.rows[0], found.rows[1]):
            found.rows[-1], found.reason = found.rows[0], CLOSED
        for other in self.known if not found.reason else ():
            if _passes(found.rows, other.rows[-1], other.rows[-2], SAME_ORBIT):
                found.rows[-1], found.reason = other.rows[-1], KNOWN

    def _stalled(self, first: Row | Step, last: Row | Step) -> bool:
        """Say whether rows that are far apart along the branch are about the same."""
        states = np.max(np.abs(last.extremes - first.extremes) / last.place.metric.scale)
        moved = abs(last.parameter - first.parameter) / (self.span[1] - self.span[0])
        longer = abs(np.log(last.period / first.period))
        return bool(max(states, moved, longer) < STALLED * STALLED_ROWS * self.options.step)

    def _passed(self, here: Place, there: Place, step: Step, ending: bool) -> list[Row] | float:
        """Return the rows of events between two places; the length of another step where this one was too long."""
        there = there.beside(here)
        if there.trusted and not there.decided and not ending and self._held < UNDECIDED:
            self._held += 1
            return 0.8 * step.length
        stretch = here.length(there.coordinates - here.coordinates)
        rows = self._rows(here, there, events.signature(here, there), stretch)
        if rows is None:
            return 0.3 * stretch
        self._held = 0 if there.decided else self._held
        return rows

    def _retry(self, step: Step, h: float) -> bool:
        """Let the march take a shorter step in place of one; it stands where that began, or has gone on."""
        if step.kind == at.REACHED:
            stand, here = self._stand, self._here
            before = None if self._before is None else self._before.place
            if before is not None and before.orbit.mesh is not here.orbit.mesh:
                before = (before.rolled(stand.turned) if stand.turned > 0 else before).on(here.orbit.mesh)
            loose = stand.turned if stand.moved is not None else -1
            units = stand.row.units if isinstance(stand.row, Step) else self._units
            self._march.start(here, before, h, units, loose=loose)
        self._march.shorten(h)
        return False

    def _edge(self, here: Place, there: Place, level: float) -> Place | None:
        """Return the place between two where the parameter has a value."""
        p0, p1 = here.orbit.parameter, there.orbit.parameter
        coordinates, tangent = between(here, there, (level - p0) / (p1 - p0))
        coordinates[-1] = level
        normal = np.zeros_like(tangent)
        normal[-1] = np.sign(p1 - p0)
        at = events.correct_at(self.corrector, here, coordinates, normal)
        if at is None or _angle(here, at) > 2.0 * self.options.angle:
            return None
        return replace(at, orbit=replace(at.orbit, parameter=level))

    def _rows(self, here: Place, there: Place, event: str | None, stretch: float) -> list[Row] | None:
        """Return the row of the event between two places, if any; None where the step must be taken in pieces."""
        if event == "":
            return []
        if event is None:
            return None if stretch > TOGETHER else self._bracketed(here, there, events.likeliest(here, there))
        if event == events.FOLD and events.still(here, there):
            return self._bracketed(here, there, event)
        located = events.locate(self.corrector, here, there, event)
        if located is not None and events.explains(located):
            place, bracket = located.place, events.margin(located)
            return [Row(place, self.corrector.extremes(place.orbit), event, located.residual, bracket)]
        if event == events.TORUS and located is not None:
            return []  # two real multipliers with product one: nothing happens
        if stretch > (TOGETHER if event == events.BRANCHING else ALMOST):
            return None
        if events.resolved(event, here, there):
            return self._bracketed(here, there, event)
        if stretch > TOGETHER:
            return None
        return self._bracketed(here, there, event) if events.certain(here, there) else []

    def _bracketed(self, here: Place, there: Place, event: str) -> list[Row]:
        """Return the row of an event that is known to lie between two places and no better."""
        if not event:
            return []
        middle = events.correct_at(self.corrector, here, *between(here, there, 0.5))
        place = here if middle is None else middle
        low, *_, high = sorted(at.orbit.parameter for at in (here, place, there))
        return [Row(place, self.corrector.extremes(place.orbit), event, bracket=(low, high))]


def _meeting(here: Place, there: Place) -> float | None:
    """Return the parameter at which orbits of doubled period become such that go round twice, None where they do not.

    The difference that half a period makes turns its sign there; the parameter is even in it.
    """
    first, second = half_difference(here.orbit), half_difference(there.orbit)
    weights = here.dual[:-2].reshape(first.shape)
    if not np.sum(weights * first * second) < 0.0:
        return None
    a, b = (float(np.sum(weights * v * v)) for v in (first, second))
    p0, p1 = here.orbit.parameter, there.orbit.parameter
    return p0 - a * (p1 - p0) / (b - a) if abs(b - a) > 1e-3 * max(a, b) else 0.5 * (p0 + p1)


def _angle(here: Place, there: Place) -> float:
    """Return the angle between the tangents of two places measured alike, as curves in state space.

    What moves a state along its own orbit is left out: where a jump comes a little earlier, the states change much and
    the orbit does not.
    """
    first, second = here.across(here.tangent), here.across(there.tangent)
    lengths = here.length(first) * here.length(second)
    if not lengths > 0.0:
        return np.pi
    cosine = float(first @ (here.dual * second)) / lengths
    gap = second / here.length(second) - first / here.length(first)
    return 2.0 * float(np.arcsin(min(1.0, 0.5 * here.length(gap)))) if cosine > 0.0 else np.pi


def _passes(rows: list[Row | Step], goal: Row | Step, ahead: Row | Step, least: float = 0.0) -> bool:
    """Say whether the branch passes an orbit on its last step towards another, by period, parameter and extremes.

    Phases cannot be compared: the mesh may have been turned. It may be off by `least`, whatever the step.
    """
    unit = rows[-1].place.metric
    start, here, there = (_summary(row, unit) for row in (goal, rows[-2], rows[-1]))
    step, home = there - here, start - here
    along = float(home @ step / (step @ step))
    off = float(np.linalg.norm(home - along * step))
    on = _summary(ahead, unit) - start
    return 0.0 <= along < 1.0 and off < max(NEAR_HOME * float(np.linalg.norm(step)), least) and float(on @ step) > 0.0


def _summary(row: Row | Step, metric: Metric) -> np.ndarray:
    ends = (row.extremes / metric.scale).ravel()
    return np.concatenate([ends, [np.log(row.period), row.parameter / metric.unit]])

"""Following a branch of orbits in one parameter: steps, meshes, events on the way, and why it ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.orbits import events
from bifrncrn.curves.orbits.branch import Place, between, predict, swing
from bifrncrn.curves.orbits.corrector import Corrected, Corrector, Metric
from bifrncrn.curves.orbits.ends import (
    CLOSED,
    FAR,
    FULL,
    HOPF,
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
from bifrncrn.curves.orbits.layout import BAD_VALUE, OUTSIDE, POINTS
from bifrncrn.curves.orbits.orbit import MOST, Orbit, density, equidistributed, error, intervals_for
from bifrncrn.curves.orbits.switching import half_difference

CONTRACTION = 0.25
"""A Newton step must shrink at least this much, else another branch may be near."""
UNEVEN = 12.0
"""The mesh is made anew where an interval's error is this many times the mean."""
LEAST_ERROR = 1e-11
"""Errors smaller than this need no even distribution."""
FINEST = 3.0
"""How many times more intervals than the error asks for may be taken to have better multipliers."""
SLOWEST = 1e-4
"""An orbit starts where it is slowest, but not slower than this part of its greatest speed: from there on variations
grow before they decay, and a velocity that is very small is not known well."""
CORNER_TRIES, SAME_TURN, SHARPEST = 6, 0.95, 1.0
"""The branch has a corner where so many steps, each at most 0.7 times the last, turn by this much of the last turn; it
is passed where the angle is less."""
JUMPING = 0.6
"""The angle by which the branch may turn in a step where orbits jump between slow parts: the phase of a jump wanders,
and what changes at it turns the tangent without being a bend of the branch."""
VANISHED = 1e-2
"""A state whose greatest value is this close to its wall, relative to its size, has come to it."""
NEAR_HOME = 0.05
"""A branch is back where its step passes the start this close, relative to the step."""
ALMOST = 1e-3
"""An event that is not located in a step of this length is bracketed by it."""
PAIR_RESOLVED = 1e-4
"""Steps are not shortened below this to see whether the parameter turns twice in one."""
TOGETHER = 1e-6
"""Events that are not further apart than this are not told apart."""
SMALL_SWING = 0.1
"""Orbits smaller than this may shrink to a point in one step."""
SWELL = 1.5
"""Orbits grow or shrink by no more than this factor in one step, else folds near a Hopf point would be jumped."""


class Follower:
    """Follows the orbits of one system in one parameter.

    Parameters
    ----------
    corrector : Corrector
    span : (float, float)
        The range of the parameter.
    floor : (n,) array
        Least unit of length of every state.
    options : Options
    problem : EquilibriumProblem
        The equilibria of the system, near which orbits may end.
    home : float
        The parameter at which the branch begins.
    """

    def __init__(
        self,
        corrector: Corrector,
        span: tuple[float, float],
        floor: np.ndarray,
        options: Options,
        problem: EquilibriumProblem,
        home: float,
    ) -> None:
        self.corrector = corrector
        self.span = span
        self.options = options
        self._floor = np.array(floor)
        self._ends = Ends(problem, span[1] - span[0], home, FAR * float(np.max(floor)))
        self._low, self._high = np.full_like(self._floor, np.inf), np.full_like(self._floor, -np.inf)
        self._held = 0
        self._doubled = False
        self._turns: list[float] = []
        self._failure = 0
        self._finer = 1.0

    def metric(self, extremes: np.ndarray) -> Metric:
        """Return the units of length at an orbit: what it sweeps, or a tenth of what the whole branch has so far."""
        self._low, self._high = np.minimum(self._low, extremes[0]), np.maximum(self._high, extremes[1])
        self._floor = np.maximum(self._floor, 0.1 * (self._high - self._low))
        scale = np.maximum(extremes[1] - extremes[0], self._floor)
        return Metric(scale, self.span[1] - self.span[0])

    def begin(self, corrected: Corrected) -> Place:
        """Return the first place, on a mesh that suits it."""
        metric = self.metric(self.corrector.extremes(corrected.orbit))
        return self._meshed(Place.of(corrected, metric).measured(metric), force=True)[0]

    def follow(self, start: Place, first_step: float, closing: bool = False, doubled: bool = False) -> Followed:
        """Follow the branch from its first place in the direction of the tangent until it ends.

        With `closing` it ends where it comes back to its start, with `doubled` where its orbits go round twice.
        """
        self._doubled = doubled
        found = Followed([Row(start, self.corrector.extremes(start.orbit))])
        here, before, h = start, None, first_step
        while not found.reason:
            if self.options.late:
                found.reason = TIME
            elif len(found.rows) >= self.options.max_points:
                found.reason = self._ends.stuck(found, FULL)
            elif not h >= self.options.least_step:
                failures = {BAD_VALUE: NOT_FINITE, OUTSIDE: WALL}
                reason = WALL if self._vanished(here) else failures.get(self._failure, SHORT)
                found.reason = self._ends.stuck(found, reason)
            else:
                here, before, h = self._advance(found, here, before, h)
                if closing and not found.reason and len(found.rows) > 6 and _returns(found.rows):
                    found.rows[-1] = found.rows[0]
                    found.reason = CLOSED
        return found

    def _vanished(self, here: Place) -> bool:
        """Say whether a state has come to its wall all along the orbit."""
        room = np.max(here.orbit.nodes, axis=0) - self.corrector.lower
        return bool(np.any(room < VANISHED * here.metric.scale))

    def _advance(
        self, found: Followed, here: Place, before: Place | None, h: float
    ) -> tuple[Place, Place | None, float]:
        """Try one step; return the place reached (or the same), the one before, and the next length."""
        found.steps += 1
        there, growth = self._try(here, before, h)
        if there is not None and not _in_proportion(here, there):
            there, growth = None, 0.6
        if there is None:
            found.rejected += 1
            return here, before, h * growth
        stretch = here.length(there.coordinates - here.coordinates)
        ending = ""
        p = there.orbit.parameter
        if not self.span[0] <= p <= self.span[1]:
            edge = self._edge(here, there, self.span[0] if p < self.span[0] else self.span[1])
            if edge is None:
                found.rejected += 1
                return here, before, 0.5 * h
            there, ending = edge, RANGE
        elif self._vanishes(here, there):
            found.beyond, found.reason = there, HOPF
            return here, before, h
        elif self._doubled and (met := _meeting(here, there)) is not None:
            found.limit, found.reason = met, MOTHER
            return here, before, h
        if stretch > PAIR_RESOLVED and not ending and events.may_turn_twice(here, there):
            found.rejected += 1
            return here, before, 0.5 * stretch
        event = events.signature(here, there)
        if there.trusted and not there.decided and not ending and self._held < 4:
            self._held += 1
            found.rejected += 1
            return here, before, 0.8 * h
        rows = self._rows(here, there, event, stretch)
        if rows is None:
            found.rejected += 1
            return here, before, 0.3 * stretch
        self._held = 0 if there.decided else self._held
        self._turns = []
        found.rows += rows
        extremes = self.corrector.extremes(there.orbit)
        there, turned = there.measured(self.metric(extremes)), 0
        if not ending:
            there, turned = self._meshed(there)
        found.rows.append(Row(there, extremes))
        found.reason = ending or self._ends.reached(found)
        here = here.rolled(turned) if turned else here
        if here.orbit.mesh is not there.orbit.mesh:
            here = here.on(there.orbit.mesh)
        return there, here, min(h * growth, self.options.step)

    def _try(self, here: Place, before: Place | None, h: float) -> tuple[Place | None, float]:
        """Return the place a step ahead, None where the step is too long; and what to multiply its length by."""
        at = events.correct_at(self.corrector, here, predict(here, before, h), here.tangent, twice=False)
        if at is None:
            self._failure = self.corrector.failure
            return None, 0.4
        self._failure = 0
        done = at.corrected
        turn = _angle(here, at)
        slow = done.first > 1e-6 and done.contraction > CONTRACTION
        jumps = here.orbit.mesh.jumps
        limit = max(self.options.angle, JUMPING) if jumps else self.options.angle
        strange = done.first > 0.5 * max(turn, 0.02) * h + 1e-8 and not jumps
        if not turn <= limit and not self._corner(turn):
            return None, max(0.3, min(0.7, 0.8 * limit / turn))
        if slow or strange:
            return None, 0.5
        growth = 2.0
        if turn > 0.0:
            growth = min(growth, 0.6 * limit / turn)
        if done.contraction > 0.05:
            growth = min(growth, float(np.sqrt(0.05 / done.contraction)))
        return at, max(growth, 0.4)

    def _corner(self, turn: float) -> bool:
        """Say whether the branch has a corner: shorter and shorter steps have not made the turn smaller.

        Piecewise smooth models have such, where an orbit meets a border.
        """
        self._turns = [*(self._turns if self._turns and turn > SAME_TURN * self._turns[-1] else []), turn]
        return len(self._turns) > CORNER_TRIES and turn < SHARPEST

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

    def _vanishes(self, here: Place, there: Place) -> bool:
        """Say whether the orbit has shrunk to a point between two places: it turns up again half a turn later."""
        first, second = swing(here.orbit), swing(there.orbit)
        weights = here.dual[:-2].reshape(first.shape)
        return bool(here.size < SMALL_SWING and np.sum(weights * first * second) < 0.0)

    def _rows(self, here: Place, there: Place, event: str | None, stretch: float) -> list[Row] | None:
        """Return the row of the event between two places, if any; None where the step must be taken in pieces."""
        if event == "":
            return []
        if event is None:
            return None if stretch > TOGETHER else self._bracketed(here, there, events.likeliest(here, there))
        located = events.locate(self.corrector, here, there, event)
        if located is not None and events.explains(located):
            place = located.place
            bracket = None
            if located.moved > 10.0 * events.SETTLED:
                off = located.moved * place.metric.unit
                bracket = (place.orbit.parameter - off, place.orbit.parameter + off)
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

    def _meshed(self, place: Place, force: bool = False) -> tuple[Place, int]:
        """Return the place on a mesh that suits it, a new one where errors are uneven or too large.

        The new one starts where the multipliers are most accurate; the second result is the interval of the old one
        at which it starts.
        """
        orbit = place.orbit
        steep = self._density(orbit, place.metric)
        errors = error(orbit.mesh, steep)
        wanted = self._finer_for(place, intervals_for(orbit.mesh, steep))
        fits = 0.5 * orbit.count <= wanted <= orbit.count
        if not force and fits and np.max(errors) <= UNEVEN * np.mean(errors) + LEAST_ERROR:
            return place, 0
        speeds = np.linalg.norm(orbit.slopes[::POINTS] / place.metric.scale, axis=1) + 1e-300
        wish = max(float(speeds.min()), SLOWEST * float(speeds.max()))
        start = 0 if speeds[0] < 2.0 * wish else int(np.argmin(np.abs(np.log(speeds / wish))))
        mesh = equidistributed(orbit.mesh, steep, orbit.count if fits and not force else int(1.15 * wanted))
        if start:
            place = place.rolled(start)
            mesh = equidistributed(place.orbit.mesh, np.roll(steep, -start), mesh.count)
        guess = place.on(mesh)
        done = self.corrector.correct(guess.orbit, guess.tangent, guess.orbit, place.metric)
        return (place if isinstance(done, int) else Place.of(done, place.metric).measured(place.metric)), start

    def _finer_for(self, place: Place, count: int) -> int:
        """Return a number of intervals with which the trivial multiplier comes out as 1."""
        off = abs(place.multipliers[0] - 1.0)
        if len(place.multipliers) == 2:
            return count  # they do not depend on it
        if not off < 1e-7:
            self._finer = min(1.3 * self._finer, FINEST)
        elif off < 1e-9:
            self._finer = max(self._finer / 1.1, 1.0)
        return min(int(self._finer * count), MOST)

    def _density(self, orbit: Orbit, metric: Metric) -> np.ndarray:
        extent = np.ptp(orbit.nodes, axis=0)
        return density(orbit.mesh, orbit.nodes, np.maximum(extent, 0.01 * metric.scale))


def _in_proportion(here: Place, there: Place) -> bool:
    """Say whether an orbit has not grown or shrunk too much in a step; the smallest may shrink to a point."""
    return there.size < SWELL * here.size and (here.size < SMALL_SWING or here.size < SWELL * there.size)


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


def _returns(rows: list[Row]) -> bool:
    """Say whether the branch passes its first orbit on its last step, by period, parameter and extremes.

    Phases cannot be compared: the mesh may have been turned.
    """
    unit = rows[-1].place.metric
    start, here, there = (_summary(row, unit) for row in (rows[0], rows[-2], rows[-1]))
    step, home = there - here, start - here
    along = float(home @ step / (step @ step))
    near = float(np.linalg.norm(home - along * step)) < NEAR_HOME * float(np.linalg.norm(step))
    ahead = _summary(rows[1], unit) - start
    return 0.0 <= along < 1.0 and near and float(ahead @ step) > 0.0


def _summary(row: Row, metric: Metric) -> np.ndarray:
    orbit = row.place.orbit
    ends = (row.extremes / metric.scale).ravel()
    return np.concatenate([ends, [np.log(orbit.period), orbit.parameter / metric.unit]])

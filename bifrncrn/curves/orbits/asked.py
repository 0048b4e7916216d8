"""What the user asked for on a branch of orbits: where functions of period, extremes and parameter change sign."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bifrncrn.curves.orbits import events
from bifrncrn.curves.orbits.branch import Place, between
from bifrncrn.curves.orbits.corrector import Corrector
from bifrncrn.curves.orbits.ends import Row
from bifrncrn.curves.orbits.march import Step
from bifrncrn.curves.orbits.orbit import Orbit

LABEL = "UZ"
NEARLY = 0.2
"""A function is looked at inside of a step where a parabola turns there and comes this close to zero, in terms of its
greatest value at the three rows that it goes through."""
PROBES, SETTLED, INSIDE = 6, 1e-6, 1e-4
"""It is looked at so often, until the place where it turns moves by less than the second, and not closer to the ends
than the third, in terms of the step."""
BEGINS = 1e-9
"""A branch begins at an event where its function is smaller than this part of what it changes by on the first step."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Events that the user asked for.

    Attributes
    ----------
    names : tuple of str
    values : callable
        From an orbit and its extremes (2, n) the functions whose zeros they are.
    """

    names: tuple[str, ...]
    values: Callable[[Orbit, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class _Step:
    """A step of the branch: its ends on one mesh, the values at them, and which functions are known to turn in it."""

    here: Place
    there: Row | Step
    first: np.ndarray
    last: np.ndarray
    length: float
    turned: set[int] = field(default_factory=set)


class Watch:
    """Looks for the events along one branch, step by step.

    Parameters
    ----------
    corrector : Corrector
    asked : Asked
    first : Row or Step
        Where the branch begins.

    Attributes
    ----------
    begins : str
        The event that the branch begins at, known after the first step; an empty text for none.
    """

    def __init__(self, corrector: Corrector, asked: Asked, first: Row | Step) -> None:
        self.corrector, self.asked = corrector, asked
        self._values = self._at(first)
        self._last: _Step | None = None
        self._begun = False
        self.begins = ""

    def step(self, here: Place, there: Row | Step, inner: list[Row]) -> tuple[list[Row], list[Row]]:
        """Return the events on the step before this one that are only seen now, and all rows of this step but its last.

        `inner` are the rows of bifurcations passed on the step.
        """
        first, last = self._values, self._at(there)
        if not self._begun:
            self._begun, zero = True, np.abs(first) <= BEGINS * np.abs(last - first)
            first = np.where(zero, 0.0, first)
            self.begins = next((self.asked.names[k] for k in np.flatnonzero(zero & (last != first))), "")
        far = there.place.beside(here)
        step = _Step(here, there, first, last, here.length(far.coordinates - here.coordinates))
        inside = sorted(((self._share(step, row), self._at(row), row) for row in inner), key=lambda mark: mark[0])
        marks: list[tuple[float, np.ndarray, Row | Step | None]] = [(0.0, first, None), *inside, (1.0, last, there)]
        found: list[tuple[float, Row]] = [(self._share(step, row), row) for row in inner]
        for (a, at_a, _), (b, at_b, row) in itertools.pairwise(marks):
            for k in np.flatnonzero(at_a * at_b < 0.0):
                found += self._located(step, int(k), (a, b))
            if row is not None:
                zeros = np.flatnonzero(at_b == 0.0)
                found += [(b, Row(row.place, row.extremes, LABEL, asked=self.asked.names[k])) for k in zeros]
        earlier: list[Row] = []
        if not inner:
            earlier, twice = self._turns(step)
            found += twice
        self._values, self._last = last, None if inner else step
        return earlier, [row for _, row in sorted(found, key=lambda pair: pair[0])]

    def _at(self, row: Row | Step) -> np.ndarray:
        return self.asked.values(row.place.orbit, row.extremes)

    def _test(self, k: int, size: float) -> events.Indicator:
        def value(place: Place) -> float:
            return float(self.asked.values(place.orbit, self.corrector.extremes(place.orbit))[k]) / size

        return value

    def _share(self, step: _Step, row: Row) -> float:
        """Return how far along the step a row lies, from 0 to 1."""
        here = step.here
        mesh = here.orbit.mesh
        at, far = row.place if row.place.orbit.mesh is mesh else row.place.on(mesh), step.there.place
        way = far.coordinates - here.coordinates
        share = float((at.coordinates - here.coordinates) @ (here.dual * way)) / step.length**2
        return min(max(share, 0.0), 1.0)

    def _located(self, step: _Step, k: int, part: tuple[float, float]) -> list[tuple[float, Row]]:
        """Return the event between two shares of a step, bracketed where it is not refined."""
        size = float(max(abs(step.first[k]), abs(step.last[k]))) or 1.0
        there = step.there.place.beside(step.here)
        found = events.asked_for(self.corrector, step.here, there, self._test(k, size), part)
        if found is None:
            middle = 0.5 * (part[0] + part[1])
            place = events.correct_at(self.corrector, step.here, *between(step.here, there, middle)) or step.there.place
            ends = sorted(at.orbit.parameter for at in (step.here, step.there.place))
            bracket: tuple[float, float] | None = (ends[0], ends[1])
            residual = abs(self._test(k, size)(place))
        else:
            place, residual = found.place, found.residual
            bracket = events.margin(found)
        row = Row(place, self.corrector.extremes(place.orbit), LABEL, residual, bracket, asked=self.asked.names[k])
        return [(self._share(step, row), row)]

    def _turns(self, step: _Step) -> tuple[list[Row], list[tuple[float, Row]]]:
        """Return the events where a function turns and passes zero twice in one step: in the one before, and in this.

        A parabola through the last three rows says where that may be.
        """
        last = self._last
        earlier: list[tuple[float, Row]] = []
        now: list[tuple[float, Row]] = []
        if last is None:
            return [], []
        for k, (a, b, c) in enumerate(zip(last.first, last.last, step.last, strict=True)):
            if not (a * b > 0.0 and b * c > 0.0):
                continue
            turn = _vertex(last.length, step.length, float(a), float(b), float(c))
            if turn is None:
                continue
            for where, share in ((last, 1.0 + turn / last.length), (step, turn / step.length)):
                if 0.0 <= share <= 1.0 and k not in where.turned:
                    (earlier if where is last else now).extend(self._both(where, k, share))
        return [row for _, row in sorted(earlier, key=lambda pair: pair[0])], now

    def _both(self, step: _Step, k: int, share: float) -> list[tuple[float, Row]]:
        """Return the two events on both sides of where a function turns in a step, about at a share of it.

        None are returned where it does not pass zero. Where it turns is found by parabolas.
        """
        far, test = step.there.place.beside(step.here), self._test(k, 1.0)
        known = [(0.0, float(step.first[k])), (1.0, float(step.last[k]))]
        for _ in range(PROBES):
            share = min(max(share, INSIDE), 1.0 - INSIDE)
            place = events.correct_at(self.corrector, step.here, *between(step.here, far, share))
            if place is None:
                return []
            value = test(place)
            if value * known[0][1] < 0.0:
                step.turned.add(k)
                return [*self._located(step, k, (0.0, share)), *self._located(step, k, (share, 1.0))]
            known.append((share, value))
            (x, a), (y, b), (z, c) = sorted(sorted(known, key=lambda at: abs(at[1]))[:3])
            turn = _vertex(y - x, z - y, a, b, c)
            if turn is None or abs(turn) < SETTLED:
                return []
            share = y + turn
        return []


def _vertex(before: float, after: float, a: float, b: float, c: float) -> float | None:
    """Return where the parabola through values at -before, 0 and after turns, beyond zero; None where it does not."""
    slope0, slope1 = (b - a) / before, (c - b) / after
    bend = (slope1 - slope0) / (before + after)
    middle = (slope0 * after + slope1 * before) / (before + after)
    if not bend * b > 0.0:
        return None
    at = -0.5 * middle / bend
    near = (b - bend * at * at) * np.sign(b) < NEARLY * max(abs(a), abs(b), abs(c))
    return at if near and -before < at < after else None

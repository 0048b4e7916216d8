"""Why a branch of orbits ends: no bound of size or period, a centre, or no mesh that is fine enough."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.orbits.branch import Place
from bifrncrn.curves.orbits.layout import (
    LENGTHENED,
    LONGEST,
    SLOW_PERIODS,
    SNIC_CLOSE,
    SNIC_RATE,
    STANDSTILL,
)
from bifrncrn.curves.orbits.march import Step
from bifrncrn.curves.orbits.resting import Rest, saddle_node, saddles_passed, time_away

RANGE, HOPF, HOMOCLINIC, CENTRE, INFINITY, CLOSED = "range", "HB", "homoclinic", "centre", "infinity", "closed"
HETEROCLINIC, SNIC, MOTHER = "heteroclinic", "snic", "PD"
FULL, SHORT, NOT_FINITE, WALL, TIME = "points", "step", "nan", "bound", "time"
KNOWN = "known"
UNFINISHED = (FULL, SHORT, TIME)
"""Where a branch ends for these reasons its orbits go on."""
LONGER = 2.0
"""Where no step is left and the period is this many times the shortest, saddles nearby are the reason, ..."""
TENDS = 1e-3
"""... if the parameter will move by less than this part of its range until the period is infinite."""
ELSEWHERE = 0.5
"""Near a connecting orbit what a period is longer than before is spent at the saddles; along canards, which pass
saddles too and hardly move the parameter, it is not. No more than this part of it may be spent elsewhere."""
ALONE = 1e-10
"""Orbits for which the parameter moves by less than this part of its range surround a centre, ..."""
CENTRE_GROWN = 100.0
"""... if they have grown this much by then."""
MANY = 12
"""... or if there are more of them than this."""
ISOCHRONOUS = 1e-6
"""Nothing changes along such a family whose period has changed by less than this: the centre is linear."""
FAR = 1e6
"""Orbits this many times the size they were expected to have go to infinity."""


@dataclass(frozen=True, eq=False)
class Row:
    """A point of a branch: the place, its extremes (2, n), and the event located there, if any.

    `bracket` has the parameters between which an event lies that could not be refined, `asked` the text of one that the
    user asked for.
    """

    place: Place
    extremes: np.ndarray
    event: str = ""
    residual: float = 0.0
    bracket: tuple[float, float] | None = None
    asked: str = ""

    @property
    def period(self) -> float:
        """The period of the orbit."""
        return self.place.orbit.period

    @property
    def parameter(self) -> float:
        """The parameter of the orbit."""
        return self.place.orbit.parameter

    @property
    def rates(self) -> tuple[float, float]:
        """What the logarithm of the period and the parameter change by along the branch."""
        by_period, by_parameter = self.place.tangent[-2:].tolist()
        return by_period, by_parameter


@dataclass(eq=False)
class Followed:
    """A branch of orbits: its rows, why it ends, and what it cost."""

    rows: list[Row | Step]
    reason: str = ""
    steps: int = 0
    rejected: int = 0
    shortest: float = np.inf
    beyond: Place | None = field(default=None, repr=False)
    """Where a branch shrinks to an equilibrium, the place on its other side, with the phase turned by half."""
    limit: float | None = None
    """The parameter of the fold of equilibria, or of the period doubling, that ends the branch."""


@dataclass(frozen=True, eq=False)
class Ends:
    """Says why a branch ends.

    Attributes
    ----------
    problem : EquilibriumProblem
        The equilibria of the system.
    width : float
        Of the parameter's range.
    home : float
        The parameter at which the branch begins.
    far : float
        The size beyond which orbits go to infinity.
    """

    problem: EquilibriumProblem
    width: float
    home: float
    far: float

    def reached(self, found: Followed) -> str:
        """Return why the branch ends at its last row, an empty text where it does not."""
        first, last = found.rows[0], found.rows[-1]
        found.shortest = min(found.shortest, last.period)
        if np.max(np.abs(last.extremes)) > self.far:
            return CENTRE if self.alone(found) else INFINITY
        if self.surrounds_centre(found):
            periods = [row.period for row in (first, last)]
            if abs(periods[1] - periods[0]) < ISOCHRONOUS * periods[0]:
                return CENTRE
        return self._period_ends(found)

    def surrounds_centre(self, found: Followed) -> bool:
        """Say whether the orbits are many or have grown much, all of them at one value of the parameter."""
        first, last = found.rows[0], found.rows[-1]
        if len(found.rows) > MANY:
            return self.alone(found)
        grown = np.ptp(last.extremes, axis=0) > CENTRE_GROWN * np.ptp(first.extremes, axis=0)
        return bool(np.any(grown)) and self.alone(found)

    def at_home(self, value: float) -> bool:
        """Say whether a value of the parameter is that at which the branch begins."""
        return abs(value - self.home) < ALONE * self.width

    def stuck(self, found: Followed, otherwise: str) -> str:
        """Return why no further step can be taken: a saddle is near, all orbits are at one value, or what is given."""
        last = found.rows[-1].place
        if last.orbit.period > LONGER * found.shortest:
            saddles = saddles_passed(self.problem, last)
            if saddles and self._tends(found, saddles) and _lingers(found.rows, saddles):
                return HOMOCLINIC if len(saddles) == 1 else HETEROCLINIC
        return CENTRE if len(found.rows) > 2 and self.alone(found) else otherwise

    def alone(self, found: Followed) -> bool:
        """Say whether all orbits are at one value of the parameter."""
        return all(self.at_home(row.parameter) for row in found.rows)

    def _tends(self, found: Followed, saddles: list[Rest]) -> bool:
        """Say whether the parameter tends to a value close by as the period grows.

        Near a connecting orbit the period is -log(distance to its parameter) / rate, the rate being the least of its
        saddles' eigenvalues, so the distance is (change of the parameter by the period) / rate. Cycles of slow states
        pass saddles too, and their period grows with what makes them slow.
        """
        last = found.rows[-1]
        longer, moved = last.rates
        rate = min(float(np.min(np.abs(rest.eigenvalues.real))) for rest in saddles)
        return abs(moved) < TENDS * self.width * rate * last.period * abs(longer)

    def _period_ends(self, found: Followed) -> str:
        """Say whether the period grows without bound."""
        last = found.rows[-1]
        period, (longer, moved) = last.period, last.rates
        if period < SLOW_PERIODS * found.shortest:
            return ""
        if _stands_still(found.rows, period, self.width):
            saddles = saddles_passed(self.problem, last.place)
            if saddles and _lingers(found.rows, saddles):
                return HOMOCLINIC if len(saddles) == 1 else HETEROCLINIC
        if abs(moved) < SNIC_RATE * self.width * longer:
            node = saddle_node(self.problem, last.place)
            if node is not None and abs(node[-1] - last.parameter) < SNIC_CLOSE * self.width:
                found.limit = float(node[-1])
                return SNIC
        return HOMOCLINIC if period > LONGEST * found.shortest else ""


def _stands_still(rows: list[Row | Step], period: float, width: float) -> bool:
    """Say whether the parameter has hardly moved while the period became so much longer."""
    parameters: list[float] = []
    for row in reversed(rows):
        if row.period < period / LENGTHENED:
            return max(parameters) - min(parameters) < STANDSTILL * width
        parameters.append(row.parameter)
    return False


def _lingers(rows: list[Row | Step], saddles: list[Rest]) -> bool:
    """Say whether what the last period is longer than one before is spent near the saddles."""
    last = rows[-1]
    before = next((row for row in reversed(rows) if row.period < last.period / LENGTHENED), None)
    if before is None:
        return False
    scale = np.ptp(last.place.orbit.nodes, axis=0)
    away, earlier = (time_away(row.place.orbit, saddles, scale) for row in (last, before))
    return away - earlier < ELSEWHERE * (last.period - before.period)

"""What orbits of a map from many starts settle to: all are iterated together, and looked at now and then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.compile import rows
from bifrncrn.models.maps import least_period, orbit
from bifrncrn.models.system import System
from bifrncrn.trajectories.clouds import FEWEST, Cloud
from bifrncrn.trajectories.lyapunov import Exponent, largest_lyapunov

LOOKS = (200, 1_000, 5_000, 20_000)
"""After so many steps, and at the end, it is looked what an orbit has come to."""
LONGEST = 64
"""Cycles of more points are not told from sets that do not repeat."""
SELDOM = 16
"""Orbits that have no bounds are looked at for escape after so many steps."""
RETURNS = 1e-3
"""An orbit that comes back so closely, in units of the states, may be at a cycle: Newton's method tells."""
NEWTONS, SOLVED = 20, 1e-12
CLOSE = 1e-2
"""The cycle is no further from the orbit than this, in units of the states; ..."""
NEARER = 0.5
"""... and so many steps later the orbit is nearer than this part of that, ..."""
AT = 1e-9
"""... or as near as this."""
SAME = 1e-6
"""Two points are one where they differ by less than this, in units of the states."""
NEUTRAL = 1e-6
"""A multiplier whose modulus is no further from one than this attracts too slowly to be told from one that does not."""
FAR = 1e8
"""An orbit that is further away than this, in units of the states, has escaped."""
GROWN, CLEAR = 20.0, 3.0
"""A set is chaotic where differences grow on it by so many powers of e, and the exponent is so many times its error."""
PRESERVED = 1e-6
"""A map contracts volumes where the mean logarithm of what a step does to them is below minus this."""


@dataclass(eq=False)
class Seen:
    """A set that orbits settle to: its kind, points (k, n), and of a cycle its multipliers."""

    kind: str
    points: np.ndarray
    multipliers: np.ndarray
    cloud: Cloud | None = None
    exponent: Exponent | None = None
    count: int = 0


class MapSurvey:
    """Follows orbits and keeps what they settle to.

    Parameters
    ----------
    system : System
        A map.
    size : (n,) array
        Units of the states.
    steps : int
        How many steps each orbit is followed.
    """

    def __init__(self, system: System, size: np.ndarray, steps: int) -> None:
        self.system, self.size, self.steps = system, np.where(size > 0.0, size, 1.0), steps
        self.seen: list[Seen] = []
        self.outcomes: list[str] = []

    def run(self, starts: np.ndarray) -> None:
        """Follow the orbits from all starts (k, n); `outcomes` has what became of each, as text."""
        x, done = np.array(starts), 0
        self.outcomes = [""] * len(x)
        for look in (*(k for k in LOOKS if k < self.steps), self.steps):
            x = self._ahead(x, look - done)
            done = look
            for sample in self._waiting():
                self.outcomes[sample] = "" if np.all(np.isfinite(x[sample])) else "escape"
            self._look(x)
        waiting = self._waiting()
        trails = self._trails(x[waiting], FEWEST)
        for sample, trail in zip(waiting, trails.swapaxes(0, 1), strict=True):
            self.outcomes[sample] = self._cloud(trail)
        for number, each in enumerate(self.seen):
            each.count = self.outcomes.count(str(number))

    def _waiting(self) -> list[int]:
        return [sample for sample, outcome in enumerate(self.outcomes) if not outcome]

    def _ahead(self, x: np.ndarray, steps: int) -> np.ndarray:
        """Return the states (k, n) after so many steps of the orbits that are waiting; NaN for those that escaped."""
        out, waiting = np.full(x.shape, np.nan), np.array(self._waiting(), dtype=int)
        here = x[waiting]
        far, low = FAR * self.size, self.system.lower - SAME * self.size
        every = 1 if np.isfinite(low).any() else SELDOM
        for step in range(1, steps + 1):
            if not len(waiting):
                break
            here = rows.evaluate(self.system.native, here, self.system.values)
            if step % every == 0 or step == steps:
                inside = np.all((np.abs(here) <= far) & (here >= low), axis=1)  # false where not finite
                if not inside.all():
                    waiting, here = waiting[inside], here[inside]
        out[waiting] = here
        return out

    def _trails(self, x: np.ndarray, steps: int) -> np.ndarray:
        """Return the next states of orbits, (steps, k, n)."""
        out = np.empty((steps, *x.shape))
        for step in range(steps):
            out[step] = x
            x = rows.evaluate(self.system.native, x, self.system.values)
        return out

    def _look(self, x: np.ndarray) -> None:
        """See which of the orbits that are waiting have come to cycles; x (k, n) are all states."""
        waiting = self._waiting()
        trails = self._trails(x[waiting], 2 * LONGEST + 1).swapaxes(0, 1)
        for sample, trail in zip(waiting, trails, strict=True):
            self.outcomes[sample] = self._cycle(trail)

    def _cycle(self, trail: np.ndarray) -> str:
        """Return the cycle that an orbit has come to; empty where there is none, `neutral` where it attracts nothing.

        An orbit that comes back, (2 LONGEST + 1, n), must come back closer the next time, or as close as rounding lets.
        """
        x = trail[0]
        for number, each in enumerate(self.seen):
            if each.cloud is None and self._nearest(each.points, x) < SAME:
                return str(number)
        gaps = np.max(np.abs(trail[1 : LONGEST + 1] - x) / self.size, axis=1)
        tried: list[int] = []
        for period in (1 + np.flatnonzero(gaps < RETURNS)).tolist():
            if any(period % other == 0 for other in tried):
                continue
            again = float(np.max(np.abs(trail[2 * period] - trail[period]) / self.size))
            if again > max(gaps[period - 1], AT):
                continue
            tried.append(period)
            found = self._newton(x, period)
            if found is None or least_period(found, self.size) != period:
                continue
            off = self._nearest(found, x)
            if off > CLOSE:
                continue
            later = self._nearest(found, orbit(self.system, x, LONGEST * period + 1)[-1])
            return self._judged(found, later < NEARER * off or later < AT)
        return ""

    def _judged(self, points: np.ndarray, comes: bool) -> str:
        """Return the cycle (k, n), if it attracts and the orbit `comes` to it."""
        multipliers = np.linalg.eigvals(self._slope(points))
        largest = float(np.max(np.abs(multipliers)))
        if abs(largest - 1.0) <= NEUTRAL:
            return "neutral"
        if largest > 1.0 or not comes:
            return ""
        for number, each in enumerate(self.seen):
            if each.cloud is None and self._nearest(each.points, points[0]) < SAME:
                return str(number)
        kind = "fixed point" if len(points) == 1 else "cycle"
        return self._new(Seen(kind, points, multipliers[np.argsort(-np.abs(multipliers), kind="stable")]))

    def _newton(self, x: np.ndarray, period: int) -> np.ndarray | None:
        """Return the points (k, n) of the cycle beside a state; None where Newton's method does not lead to one."""
        for _ in range(NEWTONS):
            points = orbit(self.system, x, period + 1)
            if np.max(np.abs(points[-1] - x) / self.size) < SOLVED:  # not the step: a multiplier of one makes it slow
                return points[:-1]
            try:
                step = np.linalg.solve(self._slope(points[:-1]) - np.eye(len(x)), x - points[-1])
            except np.linalg.LinAlgError:
                return None
            x = x + step
            if not np.all(np.isfinite(x)):
                return None
        return None

    def _slope(self, points: np.ndarray) -> np.ndarray:
        """Return the derivative of the iterate along the points of a cycle."""
        total = np.eye(points.shape[1])
        for x in points:
            total = self.system.jacobian(x) @ total
        return total

    def _nearest(self, points: np.ndarray, x: np.ndarray) -> float:
        return float(np.min(np.max(np.abs(points - x) / self.size, axis=1)))

    def _cloud(self, trail: np.ndarray) -> str:
        """Return the set that an orbit (k, n) fills that neither rests nor repeats."""
        if not np.all(np.isfinite(trail)):
            return "escape"
        for number, each in enumerate(self.seen):
            if each.cloud is not None and each.cloud.holds(trail):
                return str(number)
        volumes = [np.linalg.slogdet(self.system.jacobian(state))[1] for state in trail[:: len(trail) // 200]]
        if trail.shape[1] > 1 and not np.mean(volumes) < -PRESERVED:
            return "neutral"
        exponent = largest_lyapunov(self.system, state=trail[-1], time=5 * FEWEST, settle=FEWEST)
        growth = exponent.value * exponent.time
        if not np.isfinite(growth) or growth < -GROWN:
            return "undecided"
        chaotic = growth > GROWN and exponent.value > CLEAR * exponent.error
        if not chaotic and trail.shape[1] == 1 and not self.system.periodic:
            return "undecided"  # a map of the line has no tori
        return self._new(Seen("chaotic" if chaotic else "quasiperiodic", trail, np.empty(0), Cloud(trail), exponent))

    def _new(self, seen: Seen) -> str:
        self.seen.append(seen)
        return str(len(self.seen) - 1)

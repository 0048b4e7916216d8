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
WATCHED = 20_000
"""An orbit that is on none of the known sets is watched for so many steps before it is said to be on another one: it
may be in a laminar phase, for thousands of steps on a small part of its set."""
GROWN, CLEAR = 20.0, 3.0
"""A set is chaotic where differences grow on it by so many powers of e, and the exponent is so many times its error."""
PRESERVED = 1e-6
"""A step preserves volumes where it changes their logarithm by less than this."""
PARTS, CERTAIN = 10, 6.0
"""Into so many parts an orbit is split to tell the mean of that, and so many of its standard errors are its bounds."""
UNDECIDED = "undecided"


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
            self.outcomes[sample] = self._set(trail)
        for number, each in enumerate(self.seen):
            each.count = self.outcomes.count(str(number))
        unclear = {str(number) for number, each in enumerate(self.seen) if each.kind == UNDECIDED}
        self.outcomes = [UNDECIDED if outcome in unclear else outcome for outcome in self.outcomes]
        self.seen = [each for each in self.seen if each.kind != UNDECIDED]

    def _waiting(self) -> list[int]:
        return [sample for sample, outcome in enumerate(self.outcomes) if not outcome]

    def _ahead(self, x: np.ndarray, steps: int) -> np.ndarray:
        """Return the states (k, n) after so many steps of the orbits that are waiting; NaN for those that escaped."""
        out, waiting = np.full(x.shape, np.nan), np.array(self._waiting(), dtype=int)
        here = x[waiting]
        every = 1 if np.isfinite(self.system.lower).any() else SELDOM
        for step in range(1, steps + 1):
            if not len(waiting):
                break
            here = rows.evaluate(self.system.native, here, self.system.values)
            if step % every == 0 or step == steps:
                inside = self._inside(here)
                if not inside.all():
                    waiting, here = waiting[inside], here[inside]
        out[waiting] = here
        return out

    def _inside(self, x: np.ndarray) -> np.ndarray:
        """Say of states (..., n) whether they are near and allowed; not of those that are not finite."""
        near = np.abs(x) <= FAR * self.size
        return np.asarray(np.all(near & (x >= self.system.lower - SAME * self.size), axis=-1))

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
            return self._judged(found, x, off)
        return ""

    def _judged(self, points: np.ndarray, x: np.ndarray, off: float) -> str:
        """Return the cycle (k, n), if it attracts and the orbit from x, so far off, comes to it."""
        slope = self._slope(points)
        if not np.isfinite(slope).all():
            return ""
        multipliers = np.linalg.eigvals(slope)
        largest = float(np.max(np.abs(multipliers)))
        if abs(largest - 1.0) <= NEUTRAL:
            return "neutral"
        if largest > 1.0:
            return ""
        later = self._nearest(points, orbit(self.system, x, LONGEST * len(points) + 1)[-1])
        if not (later < NEARER * off or later < AT):
            return ""
        for number, each in enumerate(self.seen):
            if each.cloud is None and self._nearest(each.points, points[0]) < SAME:
                return str(number)
        kind = "fixed point" if len(points) == 1 else "cycle"
        return self._new(Seen(kind, points, multipliers[np.argsort(-np.abs(multipliers), kind="stable")]))

    def _newton(self, x: np.ndarray, period: int) -> np.ndarray | None:
        """Return the points (k, n) of the cycle beside a state; None where Newton's method does not lead to one."""
        start = x
        for _ in range(NEWTONS):
            points = orbit(self.system, x, period + 1)
            if np.max(np.abs(points[-1] - x) / self.size) < SOLVED:  # not the step: a multiplier of one makes it slow
                return points[:-1]
            slope = self._slope(points[:-1])
            if not (np.isfinite(slope).all() and np.isfinite(points).all()):
                return None
            try:
                x = x + np.linalg.solve(slope - np.eye(len(x)), x - points[-1])
            except np.linalg.LinAlgError:
                return None
            if not np.all(np.abs(x - start) <= self.size):
                return None
        return None

    def _slope(self, points: np.ndarray) -> np.ndarray:
        """Return the derivative of the iterate along the points of a cycle; not finite where that is too large."""
        total = np.eye(points.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            for matrix in self._linear(points):
                total = matrix @ total
        return total

    def _linear(self, points: np.ndarray) -> np.ndarray:
        return rows.linearize(self.system.native, points, self.system.values)[1]

    def _nearest(self, points: np.ndarray, x: np.ndarray) -> float:
        return float(np.min(np.max(np.abs(points - x) / self.size, axis=1)))

    def _set(self, trail: np.ndarray) -> str:
        """Return the set that an orbit (k, n) fills that neither rests nor repeats."""
        if not self._inside(trail).all():
            return "escape"
        if trail.shape[1] > 1:
            preserves = self._preserves(trail)
            if preserves is not False:
                return "neutral" if preserves else UNDECIDED
        short = Cloud(trail)
        for number, each in enumerate(self.seen):
            if each.cloud is not None and short.lies_in(each.cloud):
                return str(number)
        trail = self._trails(trail[-1:], WATCHED)[:, 0]
        if not self._inside(trail).all():
            return "escape"
        return self._cycle(trail[-2 * LONGEST - 1 :]) or self._watched(Cloud(trail))

    def _watched(self, cloud: Cloud) -> str:
        """Return the set of an orbit that was watched for long: what is part of it was no set of its own."""
        clear, parts = True, []
        for number, each in enumerate(self.seen):
            if each.cloud is None:
                continue
            within = cloud.lies_in(each.cloud)
            if within:
                return str(number)
            holds = each.cloud.lies_in(cloud)
            parts += [str(number)] if holds else []
            clear &= bool(holds) or (within is False and holds is False)
        kind, exponent = self._kind(cloud.points[-1])
        new = self._new(Seen(kind if clear else UNDECIDED, cloud.points, np.empty(0), cloud, exponent))
        self.outcomes = [new if outcome in parts else outcome for outcome in self.outcomes]
        return new

    def _preserves(self, trail: np.ndarray) -> bool | None:
        """Say whether the map preserves volumes along an orbit; None where it does so in the mean but for its scatter.

        Where it does not, it contracts them, or it stretches them and folds: else the orbit would not have stayed.
        """
        parts = [np.linalg.slogdet(self._linear(part))[1] for part in np.array_split(trail, PARTS)]
        if max(np.abs(part).max() for part in parts) <= PRESERVED:
            return True
        means = np.array([np.maximum(part, np.log(np.finfo(float).tiny)).mean() for part in parts])
        certain = CERTAIN * float(np.std(means, ddof=1)) / PARTS**0.5 + PRESERVED
        return False if abs(means.mean()) > certain else None

    def _kind(self, x: np.ndarray) -> tuple[str, Exponent]:
        """Return what a set is that the orbit from x fills, and its exponent."""
        exponent = largest_lyapunov(self.system, state=x, time=WATCHED, settle=FEWEST)
        growth = exponent.value * exponent.time
        if not np.isfinite(growth) or growth < -GROWN:
            return UNDECIDED, exponent
        if growth > GROWN and exponent.value > CLEAR * exponent.error:
            return "chaotic", exponent
        flat = len(x) == 1 and not self.system.periodic  # a map of the line has no tori
        return UNDECIDED if flat else "quasiperiodic", exponent

    def _new(self, seen: Seen) -> str:
        self.seen.append(seen)
        return str(len(self.seen) - 1)

"""Cycles by multiple shooting: Krawczyk's operator on the points between the steps of one turn and the period.

A turn is cut into N steps of durations s h_i, h_i fixed. The unknowns are the points u_0 ... u_(N-1) and s; the
equations

    flow over s h_i from u_i = u_(i+1),  u_N = u_0,        l (u_0 - a) = 0

(a, l fixed: the phase). A zero is a cycle of period s times the sum of h_i, or of a part of that. Over one step from
one small box the flow is enclosed sharply (see `flow`), so nothing wraps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bifrncrn.proofs.balls import UNIT, Ball, added, matrices, scaled
from bifrncrn.proofs.flow import ORDER, Rest, beyond, rest, steps, trapped
from bifrncrn.proofs.rounding import above
from bifrncrn.proofs.taylor import Taylor

SAMPLES = 1000
"""Places of the guess at which the length of steps is looked for."""
SMALL_REST = 1e-14
"""What an expansion may leave out over a step, relative to the size of the cycle."""
LONGEST, REFINEMENTS = 0.8, 10
"""Steps are at most so long, times the size of the Jacobian, at first; how often they are shortened."""
FEWEST, MOST_UNKNOWNS = 8, 1600
"""Of steps; of unknowns, whose matrix is dense."""
NEWTON_STEPS = 8
ROUNDING = 1e-13
"""The least radius of the boxes, relative to the size of the cycle."""
WIDEST, WIDER = 1e-5, 1e3
"""What expansions leave out is bounded for all boxes of this size, relative to the cycle and to its period; where
parameters are intervals, of so many times their relative width, as the cycle moves with them."""
ALONE = (1.0, 0.1, 0.01, 1e-3, 1e-4)
"""How large a box may be in which there is no other solution, relative to the same."""

SLACK = 0.25
"""Bounds are given wider by so much of their width: others, in other arithmetic, are to be able to verify them."""
TOO_LONG = "a turn takes too many steps (the system is stiff, has many states, or the cycle is near a homoclinic one)"
NOT_NEAR = "Newton's method finds no cycle near the guess"
NO_CYCLE = (
    "no cycle is proved near the guess: it may not be isolated (a conserved quantity, or a fold of cycles), or some of "
    "its multipliers are too large"
)


@dataclass(frozen=True)
class Shot:
    """One turn of a proved cycle.

    Attributes
    ----------
    points : (N, n) balls
        The cycle's points at the beginnings of the steps.
    factor : (low, high)
        Bounds of s.
    durations : (N,) array, the h_i
    scale : (n,) array
        The sizes of the states on the cycle, about.
    alone : (N n + 1,) array
        There is no other solution with points within so much of the middles, and s within the last one.
    slopes : (N, n, n) balls
        The derivatives of the flow over the steps.
    left : Rest
        With the boxes that the steps do not leave.
    normal : (n,) array, l
    """

    points: Ball
    factor: tuple[float, float]
    durations: np.ndarray
    scale: np.ndarray
    alone: np.ndarray
    slopes: Ball
    left: Rest
    normal: np.ndarray


def shoot(taylor: Taylor, period: float, at: Callable[[np.ndarray], np.ndarray], spread: float = 0.0) -> Shot | str:
    """Prove a cycle near a guess; say why not, if it is not proved.

    Parameters
    ----------
    period : float
    at : function of times (k,) that returns states (k, n)
    spread : float
        The relative width of the parameters' intervals.
    """
    scale = _scale(at(np.linspace(0.0, period, SAMPLES)))
    times = _times(taylor, period, at, scale)
    if times is None:
        return TOO_LONG
    turn = _Turn(taylor, np.diff(times), scale, at(times[:-1]))
    turn.widest = max(WIDEST, WIDER * spread)
    center = turn.newton()
    if center is None:
        return NOT_NEAR
    return turn.proved(center)


def _scale(states: np.ndarray) -> np.ndarray:
    """Return the sizes of states on a cycle as powers of two; those of states at rest by what they are."""
    size = np.maximum(np.ptp(states, axis=0), 1e-6 * np.abs(states).max(axis=0))
    scale: np.ndarray = np.exp2(np.round(np.log2(np.where(size > 0.0, size, 1.0))))
    return scale


def _times(
    taylor: Taylor, period: float, at: Callable[[np.ndarray], np.ndarray], scale: np.ndarray
) -> np.ndarray | None:
    """Return times (N + 1,) from zero to the period between which what expansions leave out is small enough."""
    places = np.linspace(0.0, period, SAMPLES)
    found = taylor.coefficients(Ball.exact(at(places)), Ball.exact(np.ones((SAMPLES, 1))), 1)
    rows = (np.abs(found[1].m[:, 1:]) * scale[:, None]).sum(axis=1) / scale[:, None]
    rate = np.maximum(rows.max(axis=0) / LONGEST, FEWEST / period)
    if not np.isfinite(rate).all():
        return None
    for _ in range(REFINEMENTS):
        done = np.append(0.0, np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(places)))
        count = int(np.ceil(done[-1]))
        if count * taylor.n > MOST_UNKNOWNS:
            return None
        times: np.ndarray = np.interp(np.linspace(0.0, done[-1], count + 1), done, places)
        ratio = _rests(taylor, at(times[:-1]), np.diff(times), scale) / SMALL_REST
        more = np.where(np.isfinite(ratio), ratio, np.inf) ** (1.0 / (ORDER + 1))
        if (more <= 1.0).all():
            return times
        step = np.clip(np.searchsorted(times, places, side="right") - 1, 0, count - 1)
        rate = rate * np.clip(more * 1.05, 1.0, 2.0)[step]
    return None


def _rests(taylor: Taylor, points: np.ndarray, durations: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return what expansions about points leave out, relative to the scale, (k,)."""
    speed = Ball.exact(durations[:, None])
    low, high = trapped(taylor, Ball.exact(points), speed)
    left = beyond(taylor, low, high, speed)[-1][:, 0].most()
    found: np.ndarray = (left / scale[:, None]).max(axis=0)
    return found


class _Turn:
    """The equations of one turn.

    Attributes
    ----------
    widest : float
        See `WIDEST`.
    """

    widest = WIDEST

    def __init__(self, taylor: Taylor, durations: np.ndarray, scale: np.ndarray, guess: np.ndarray) -> None:
        self.taylor, self.durations, self.scale, self.guess = taylor, durations, scale, guess
        self.count, self.n = guess.shape
        first = np.concatenate([*taylor.field(guess[:1], guess[:1])])
        self.normal = first.mean(axis=0) / scale**2
        self.sizes = np.append(np.broadcast_to(scale, guess.shape).ravel(), 1.0)

    def _speed(self, factor: Ball) -> Ball:
        return scaled(Ball.exact(self.durations[:, None]), factor)

    def _matrix(self, slopes: np.ndarray, pace: np.ndarray, sign: float) -> np.ndarray:
        """Put the derivatives of the equations together, (m, m), but for the last row."""
        n, count = self.n, self.count
        m = n * count + 1
        matrix = np.zeros((m, m))
        for i in range(count):
            rows, after = slice(i * n, i * n + n), (i + 1) % count * n
            matrix[rows, rows] = slopes[i]
            matrix[rows, after : after + n] = sign * np.eye(n)
            matrix[rows, -1] = pace[i]
        return matrix

    def equations(self, points: Ball, factor: Ball, left: Rest) -> tuple[Ball, Ball]:
        """Return the equations (m,) and their derivatives (m, m) over a box of the unknowns."""
        end, slopes = steps(self.taylor, points, self._speed(factor), left)
        off = added(end, -Ball(np.roll(points.m, -1, axis=0), np.roll(points.r, -1, axis=0)))
        pace = scaled(Ball.between(*self.taylor.field(*end.ends())), Ball.exact(self.durations[:, None]))
        matrix = Ball(self._matrix(slopes.m, pace.m, -1.0), self._matrix(slopes.r, pace.r, 0.0))
        matrix.m[-1, : self.n] = self.normal
        return Ball(np.append(off.m.ravel(), 0.0), np.append(off.r.ravel(), 0.0)), matrix

    def newton(self) -> np.ndarray | None:
        """Return the points (N, n) of a cycle and the factor s, approximately, as one array."""
        shape = self.count, self.n
        center, guess = np.append(self.guess.ravel(), 1.0), np.append(self.guess.ravel(), 1.0)
        zero = np.zeros(shape)
        nothing = Rest(zero, zero, Ball(zero, zero), np.zeros((*shape, self.n)))
        for _ in range(NEWTON_STEPS):
            values, slopes = self.equations(*self._box(center, np.zeros_like(center)), nothing)
            values.m[-1] = self.normal @ (center - guess)[: self.n]
            if not np.isfinite(values.m).all() or not np.isfinite(slopes.m).all():
                return None
            try:
                step = -np.linalg.solve(slopes.m, values.m)
            except np.linalg.LinAlgError:
                return None
            center = center + step
            if (np.abs(center - guess) > 0.5 * self.sizes).any():
                return None
            if (np.abs(step) <= ROUNDING * self.sizes).all():
                break
        return center

    def proved(self, center: np.ndarray) -> Shot | str:
        """Prove a zero near a place (m,)."""
        points, factor = self._box(center, self.widest * self.sizes)
        left = rest(self.taylor, points, self._speed(factor), self.scale)
        values, slopes = self.equations(*self._box(center, np.zeros_like(center)), left)
        try:
            inverse = np.linalg.inv(slopes.m)
        except np.linalg.LinAlgError:
            return NO_CYCLE
        offset = matrices(Ball.exact(inverse), values[:, None])[:, 0].most()

        def image(reach: np.ndarray) -> np.ndarray:
            """Return bounds (m,) of |K - center|, K = center - C F(center) + (I - C F') (Z - center)."""
            if not (reach <= self.widest * self.sizes).all():
                return np.full_like(reach, np.inf)
            _, slopes = self.equations(*self._box(center, reach), left)
            near = matrices(Ball.exact(inverse), slopes)
            off = above(np.abs(near.m - np.eye(len(center))) + np.abs(near.m) * UNIT + near.r, 3)
            bound: np.ndarray = above(off @ reach + offset, len(center) + 1)
            return bound

        reach = 2.0 * offset + ROUNDING * self.sizes
        found = image(reach)
        if not (found < reach).all():
            reach = 2.0 * np.where(np.isfinite(found), found, np.inf)
            found = image(reach)
        if not (found < reach).all():
            return NO_CYCLE
        wide = (k * self.widest * self.sizes for k in ALONE)
        alone = next((w for w in wide if (w >= reach).all() and (image(w) < w).all()), reach)
        found = np.minimum((1.0 + SLACK) * found, alone)
        points, factor = self._box(center, found)
        _, turned = steps(self.taylor, points, self._speed(factor), left)
        low, high = factor.ends()
        ends = float(low[0, 0]), float(high[0, 0])
        return Shot(points, ends, self.durations, self.scale, alone, turned, left, self.normal)

    def _box(self, center: np.ndarray, reach: np.ndarray) -> tuple[Ball, Ball]:
        shape = self.count, self.n
        points = Ball(center[:-1].reshape(shape), reach[:-1].reshape(shape))
        return points, Ball(center[-1:, None], reach[-1:, None])

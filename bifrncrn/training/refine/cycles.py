"""Teach a network what becomes of it when it is followed: rollouts along wanted cycles, beside the field's loss.

A field fitted sample by sample is a little wrong everywhere, and along a long curve the errors add up: a trajectory
slips from one winding to the next where no sample teaches it to come back. Here the reduced system is integrated from
places on the wanted cycle, and its distances from the cycle are residuals beside those of the loss, with exact
sensitivities in all weights (but the influxes, which stay). It fails when a trajectory leaves the cycle for good
within a few steps of time, for distances that large say nothing about the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.training.fit.least_squares import turned, turned_jacobian
from bifrncrn.training.refine.rollouts import advance, still
from bifrncrn.training.refine.special_points import AllWeights
from bifrncrn.training.targets.behaviours import CycleWanted
from bifrncrn.training.targets.sampling import Samples, thin
from bifrncrn.training.weights import Weights

# a distance as large as the one allowed costs this share of the target's mean square, on the average
HEAVY = 0.15
# distances beyond this many times the one allowed count hardly more
FAR = 2.0
# the curve bends by this angle, about, in one step of the integration
BEND = 0.1
# rollouts, and at how many times of each the distance counts
ROLLOUTS, RECORDS = 31, 10
# samples that keep the loss, and evaluations
KEPT, EVALUATIONS = 1600, 15


def follow(
    weights: Weights,
    samples: Samples,
    loss: str,
    ridge: float,
    cycles: Sequence[CycleWanted],
    turns: float,
    rate_bound: float = np.inf,
) -> Weights:
    """Return `weights` changed so that trajectories stay near the wanted cycles.

    Parameters
    ----------
    weights : Weights
        A fitted network, gamma = tau = 1.
    samples : Samples
        What it was fitted to.
    loss : {"field", "relative"}
    ridge : float
        Penalty on the sum of squares of alpha, in the units of the loss.
    cycles : sequence of CycleWanted
        Attracting ones.
    turns : float
        How long to follow, in times that a turn takes.
    rate_bound : float
        Rates that are this large stay as they are; `weights` come back unchanged when another one grows beyond it.
    """
    from scipy.optimize import least_squares

    few = thin(samples, KEPT, np.random.default_rng(0))
    # below that floor, influxes stay as they are
    field = AllWeights(weights, few, loss, (), np.inf, rate_bound)
    problem = _Following(field, weights, few, ridge, cycles, turns)
    outcome = least_squares(
        lambda v: turned(problem.residual(v), v.size),
        field.start(),
        lambda v: turned_jacobian(problem.residual(v), problem.jacobian(v)),
        method="lm",
        x_scale="jac",
        max_nfev=EVALUATIONS,
        ftol=1e-5,
        xtol=1e-6,
    )
    followed = field.weights(outcome.x)
    return followed if followed.largest <= rate_bound else weights


class _Following:
    """Residuals of the loss, of the ridge and of the rollouts, as functions of the scaled weights."""

    def __init__(
        self,
        field: AllWeights,
        weights: Weights,
        samples: Samples,
        ridge: float,
        cycles: Sequence[CycleWanted],
        turns: float,
    ) -> None:
        self.field = field
        self.root = np.sqrt(ridge)
        self.alphas = weights.alpha.size
        power = float(samples.weight @ (samples.field**2).mean(axis=1) / samples.weight.sum())
        self.rollouts = [_rollout(weights, cycle, turns) for cycle in cycles]
        self.gains = [np.sqrt(HEAVY * power / len(cycles)) / cycle.within for cycle in cycles]

    def residual(self, unknowns: Array) -> Array:
        """Return the residuals."""
        weights = self.field.weights(unknowns)
        away = [gain * one.distances(weights) for gain, one in zip(self.gains, self.rollouts)]
        return np.concatenate([self.field.residual(unknowns), self.root * unknowns[: self.alphas], *away])

    def jacobian(self, unknowns: Array) -> Array:
        """Return their Jacobian."""
        weights = self.field.weights(unknowns)
        penalty = self.root * np.eye(self.alphas, len(unknowns))
        away = [
            gain * (one.sensitivities(weights) @ self.field.natural) * self.field.free
            for gain, one in zip(self.gains, self.rollouts)
        ]
        return np.vstack([self.field.slopes(unknowns), penalty, *away])


@dataclass(frozen=True, eq=False)
class _Rollout:
    """Trajectories of the reduced system from places on a closed curve, by the classical Runge-Kutta method."""

    points: Array  # (k, M) the curve
    start: Array  # (B, M)
    lam: Array  # (B, P)
    step: float
    every: int
    far: float

    def distances(self, weights: Weights) -> Array:
        """Return the vectors from the curve to the trajectories, large ones shortened; scaled to a mean square."""
        away, _ = self._away(self._run(weights, False)[0])
        return (self._shortening(away)[:, None] * away).ravel() / np.sqrt(len(away))

    def sensitivities(self, weights: Weights) -> Array:
        """Return the Jacobian of `distances` in all weights, in the order of `refinement.NAMES`."""
        x, by_weights = self._run(weights, True)
        away, across = self._away(x)
        short = self._shortening(away)
        shape = short[:, None, None] * np.eye(x.shape[1])
        shape -= (short**3 / self.far**2)[:, None, None] * away[:, :, None] * away[:, None, :]
        return (shape @ across @ by_weights).reshape(x.size, -1) / np.sqrt(len(away))

    def _shortening(self, away: Array) -> Array:
        return 1.0 / np.sqrt(1.0 + (away**2).sum(axis=1) / self.far**2)

    def _run(self, weights: Weights, sensitive: bool) -> tuple[Array, Array]:
        """Return the states (k, M) at the recorded times, and their derivatives in the weights (k, M, W) if asked."""
        x, slopes = self.start, still(weights, self.start, sensitive)
        states, derivatives = [], []
        with np.errstate(all="ignore"):  # a wild trial step may overflow; such states count as far away
            for k in range(RECORDS * self.every):
                x, slopes = advance(weights, self.lam, x, slopes, self.step)
                if (k + 1) % self.every == 0:
                    states.append(x)
                    derivatives.append(slopes)
        every, by_weights = np.concatenate(states), np.concatenate(derivatives)
        lost = ~(np.abs(every - self.points.mean(axis=0)) < 10 * np.ptp(self.points)).all(axis=1)
        every = np.where(lost[:, None], self.points.mean(axis=0) + 10 * np.ptp(self.points), every)
        return every, np.where(lost[:, None, None], 0.0, by_weights)

    def _away(self, x: Array) -> tuple[Array, Array]:
        """Return the vectors (k, M) to `x` from the nearest points of the polygon, and their derivatives in x."""
        following = np.roll(self.points, -1, axis=0) - self.points
        square = (following**2).sum(axis=1)
        vertex = ((x[:, None] - self.points[None]) ** 2).sum(axis=2).argmin(axis=1)
        best, where, side = np.full(len(x), np.inf), np.zeros_like(x), np.zeros_like(x)
        for segment in (vertex, vertex - 1):
            along = np.clip(((x - self.points[segment]) * following[segment]).sum(axis=1) / square[segment], 0, 1)
            away = x - self.points[segment] - along[:, None] * following[segment]
            inside = (along > 0) & (along < 1)
            nearer = (away**2).sum(axis=1) < best
            best = np.where(nearer, (away**2).sum(axis=1), best)
            where[nearer] = away[nearer]
            unit = following[segment] / np.sqrt(square[segment])[:, None] * inside[:, None]
            side[nearer] = unit[nearer]
        return where, np.eye(x.shape[1]) - side[:, :, None] * side[:, None, :]


def _rollout(weights: Weights, cycle: CycleWanted, turns: float) -> _Rollout:
    """Return rollouts along the cycle, of `turns` times the time a turn takes at the speeds of the network's field."""
    points = cycle.points
    chords = np.roll(points, -1, axis=0) - points
    length = np.linalg.norm(chords, axis=1)
    keep = length > 0
    points, chords, length = points[keep], chords[keep], length[keep]
    lam = np.tile(np.array(cycle.lam, dtype=float), (len(points), 1))
    speed = np.linalg.norm(weights.field(points, lam), axis=1)
    duration = turns * float(length.sum() / np.average(speed, weights=length))
    unit = chords / length[:, None]
    bend = turns * float(np.arccos(np.clip((unit * np.roll(unit, 1, axis=0)).sum(axis=1), -1, 1)).sum())
    every = int(np.ceil(bend / BEND / RECORDS))
    start = np.linspace(0, len(points), ROLLOUTS, endpoint=False).astype(int)
    step = duration / (every * RECORDS)
    return _Rollout(points, points[start], lam[start], step, every, FAR * cycle.within)

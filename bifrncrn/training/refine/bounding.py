"""Turn a network's field inward on the sides of a box larger than what it was taught, keeping loss and special points.

A component that points outward is a residual beside those of the loss, one that points inward costs nothing; the
defining equations of wanted special points stay heavy residuals, and are satisfied to rounding at the end. It fails
where the perceptrons have no shape left for it; the caller measures what became of the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import Array
from bifrncrn.training.fit.least_squares import turned, turned_jacobian
from bifrncrn.training.fit.start import beta_floor
from bifrncrn.training.outward import Walls
from bifrncrn.training.refine.defining import Wanted
from bifrncrn.training.refine.special_points import ARRIVED, ENOUGH, AllWeights, least_change
from bifrncrn.training.targets.sampling import Samples, thin
from bifrncrn.training.weights import Weights

# the field is to point inward by this share of the target's root mean square rate
MARGIN = 0.05
# rounds, each with the points that are outward by then, and evaluations of each
ROUNDS, EVALUATIONS = 6, 60
# a component outward by the target's root mean square rate, at all points, weighs so many times its mean square
HEAVY = 1.0
# heaviness of the equations of special points, in units of the root mean square of the target
POINTS = 1e2


def bound(
    weights: Weights,
    samples: Samples,
    loss: str,
    walls: Walls,
    wanted: Sequence[Wanted],
    rate_bound: float,
    spread: float = 0.0,
) -> Weights | None:
    """Return `weights` changed so that the reduced field points inward at all points of `walls`, or None.

    Parameters
    ----------
    weights : Weights
        A fitted network, gamma = tau = 1, that has the `wanted` special points.
    samples : Samples
        What it was fitted to.
    loss : {"field", "relative"}
    walls : Walls
    wanted : sequence of Wanted
    rate_bound : float
        Rates that are this large stay as they are.
    spread : float
        As for `refine`.
    """
    few, floor = thin(samples, ENOUGH, np.random.default_rng(0)), beta_floor(samples)
    typical = float(np.sqrt(np.average((samples.field**2).mean(axis=1), weights=samples.weight)))
    active: NDArray[np.bool_] = np.zeros(len(walls.x), bool)
    for _ in range(ROUNDS):
        now = walls.outward(weights) >= 0
        if not now.any():
            break
        active |= now
        problem = _Bounding(AllWeights(weights, few, loss, wanted, floor, rate_bound, spread), walls, active, typical)
        moved = problem.solved()
        if moved is None:
            return None
        weights = moved
    wrong = (walls.outward(weights) >= 0).any() or (weights.beta <= 0).any() or weights.largest > rate_bound
    return None if wrong else weights


class _Bounding:
    """Residuals of the loss, of what points outward and of the special points, in the scaled weights."""

    def __init__(self, field: AllWeights, walls: Walls, active: NDArray[np.bool_], typical: float) -> None:
        self.field = field
        field.heavy = POINTS * field.power
        x, lam = walls.x[active], walls.lam[active]
        self.count, self.species = len(x), walls.species[active]
        self.direction = walls.direction[active]
        zeros = np.zeros_like(x)
        weights = field.weights(field.start())
        self.sides = AllWeights(weights, Samples(x, lam, zeros, np.ones(len(x))), "field", (), 0.0, np.inf)
        # the same unknowns as those of the loss
        self.sides.natural, self.sides.free, self.sides.size = field.natural, field.free, field.size
        self.rows = self.species * self.count + np.arange(self.count)
        self.gain = np.sqrt(HEAVY) * field.power / typical
        self.margin = MARGIN * typical * self.sides.influx[0]

    def solved(self) -> Weights | None:
        """Return the weights of least residuals that satisfy the equations of the special points, or None."""
        from scipy.optimize import least_squares

        outcome = least_squares(
            lambda v: turned(self.residual(v), v.size),
            self.field.start(),
            lambda v: turned_jacobian(self.residual(v), self.jacobian(v)),
            method="lm",
            x_scale="jac",
            max_nfev=EVALUATIONS,
            ftol=1e-8,
            xtol=1e-9,
        )
        unknowns = self.field.floored(outcome.x)
        if self.field.wanted:
            unknowns, left = least_change(self.field, unknowns)
            if not left <= ARRIVED:
                return None
        return self.field.weights(unknowns)

    def residual(self, unknowns: Array) -> Array:
        """Return the residuals."""
        out = np.concatenate([self.field.residual(unknowns), self.gain * np.maximum(self._over(unknowns), 0.0)])
        return out if np.isfinite(out).all() else np.full(out.shape, 1e3 * self.field.power)

    def jacobian(self, unknowns: Array) -> Array:
        """Return their Jacobian."""
        over = self.gain * self.direction * (self._over(unknowns) > 0)
        sides = np.zeros((self.count, len(unknowns)))
        sides[:, : self.field.size] = over[:, None] * self.sides.slopes(unknowns)[self.rows, : self.field.size]
        top = self.field.jacobian(unknowns) if self.field.wanted else self.field.slopes(unknowns)
        return np.vstack([top, sides])

    def _over(self, unknowns: Array) -> Array:
        """Return by how much the field points outward, or inward by less than it should."""
        return self.direction * self.sides.errors(unknowns)[self.rows] + self.margin

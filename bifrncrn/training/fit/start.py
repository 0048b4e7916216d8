"""One start of a fit: random perceptrons, screened, then descended to a local best."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.base.errors import InputError
from bifrncrn.base.threads import single_threaded
from bifrncrn.training.fit.least_squares import turned
from bifrncrn.training.fit.pins import NOTHING, Pinned
from bifrncrn.training.fit.projection import Projection, Ridge
from bifrncrn.training.symmetry import Exchange, Tie
from bifrncrn.training.targets.sampling import Samples, thin
from bifrncrn.training.weights import Weights

# the first ridge, relative to the target's mean square: strong enough that no start runs off to huge rates
FIRST_RIDGE = 1e-6
# the rule for the ridges after it: the penalty is this share of the loss
SHARE = 0.02
# the inputs' penalty, as a share of the loss
INPUT_SHARE = 0.01
# polishing goes on while a round lowers the loss by a twentieth ...
WORTH = 0.95
POLISH = 4
# ... and no alpha exceeds this multiple of the target's typical rate
RATE_LIMIT = 1e3
# the smallest influx, in units of the target's typical rate; a fiftieth of it already kept a food chain's predator, at
# its lowest, from being learned to better than a tenth of its own rate
INFLUX = 1e-3
# samples on which starts are fitted (polishing takes all), and on which candidates are screened
STARTED = 1600
SCREENED = 800
# range of the scaled input weights a start draws from (log-uniform)
SCALES = (0.5, 5.0)


@dataclass(frozen=True)
class FitOptions:
    """How each start is fitted; see `training.train` for their meaning to a user."""

    perceptrons: int
    loss: str
    ridge: float | None = None
    candidates: int = 12
    screening: int = 20
    rounds: int = 2
    evaluations: int = 400
    seconds: float | None = None
    rate_bound: float | None = None
    exchanges: tuple[Exchange, ...] = ()
    spread: float = 0.0

    @property
    def bound(self) -> float:
        """The largest size of a rate that is allowed."""
        return np.inf if self.rate_bound is None else self.rate_bound

    def tie(self, samples: Samples) -> Tie | None:
        """Return how exchanges of species, if there are any, tie the perceptrons."""
        width = samples.x.shape[1] + samples.lam.shape[1] + 1
        return Tie(self.exchanges, self.perceptrons, width) if len(self.exchanges) > 1 else None


@dataclass(frozen=True, eq=False)
class Start:
    """What became of one start.

    Attributes
    ----------
    index : int
        Which of the seeds.
    weights : Weights
    loss : float
        On the samples it was fitted to, without penalty.
    ridge : float
        The last ridge on alpha, in the units of the loss per alpha squared.
    evaluations : int
        Solutions of the linear problem.
    seconds : float
    reason : str
        Why it ended: `converged`, `evaluations`, `seconds`.
    """

    index: int
    weights: Weights
    loss: float
    ridge: float
    evaluations: int
    seconds: float
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return the start as plain JSON data."""
        plain = {name: getattr(self, name) for name in ("index", "loss", "ridge", "evaluations", "seconds", "reason")}
        return {**plain, "weights": self.weights.to_json()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Start:
        """Build from the data of `to_json`."""
        return cls(**{**data, "weights": Weights.from_json(data["weights"])})


class _OutOfTimeError(Exception):
    """The time limit was reached inside the solver."""


class _Clock:
    """Residuals that remember their best point and stop at the deadline.

    They are turned (see `turning`), to go with `Projection.condensed`.
    """

    def __init__(self, problem: Projection, deadline: float) -> None:
        self.problem = problem
        self.deadline = deadline
        self.best: Array | None = None
        self.cost = np.inf

    def __call__(self, v: Array) -> Array:
        residual = self.problem.residual(v)
        cost = float(residual @ residual)
        if self.best is None or cost < self.cost:
            self.best, self.cost = v.copy(), cost
        if time.perf_counter() > self.deadline:
            raise _OutOfTimeError
        return turned(residual, v.size)


def run_start(samples: Samples, options: FitOptions, index: int, seed: np.random.SeedSequence) -> Start:
    """Fit one start; the outcome depends on nothing but the arguments (unless a time limit cuts it short).

    Several candidates are drawn and descended a few steps, the best is kept and descended to convergence, in
    rounds with a ridge that follows the loss down.
    """
    began = time.perf_counter()
    deadline = np.inf if options.seconds is None else began + options.seconds
    rng = np.random.default_rng(seed)
    samples = thin(samples, STARTED, rng)
    problem = problem_of(samples, options, 0.0)
    first = FIRST_RIDGE if options.ridge is None else options.ridge
    problem.set_ridge(Ridge(first * problem.power, 0.01 * first * problem.power))
    quick = problem_of(thin(samples, SCREENED, rng), options, 0.0, floor=problem.beta_floor)
    quick.set_ridge(problem.ridge)
    v, reason = _screen(quick, options, rng, deadline)
    v = problem.scaled(quick.weights(v))
    for _ in range(options.rounds if options.ridge is None else 1):
        if reason == "seconds":
            break
        v, reason = descend(problem, v, options.evaluations, deadline)
        if options.ridge is None:
            following_ridge(problem, v)
    return Start(
        index,
        problem.weights(v),
        problem.loss(v),
        problem.ridge.alpha,
        problem.evaluations,
        time.perf_counter() - began,
        reason,
    )


def polish(samples: Samples, options: FitOptions, start: Start, pinned: Pinned = NOTHING) -> Start:
    """Descend further from a finished start, the ridge following the loss down for as long as that pays."""
    began = time.perf_counter()
    deadline = np.inf if options.seconds is None else began + options.seconds
    problem = problem_of(samples, options, start.ridge, pinned)
    v, reason = problem.scaled(start.weights), start.reason
    best = v, problem.misfit(v), problem.ridge
    for _ in range(POLISH):
        if options.ridge is None:
            following_ridge(problem, v)
        ridge = problem.ridge
        v, reason = descend(problem, v, options.evaluations, deadline)
        misfit, alpha = problem.misfit(v), problem.weights(v).alpha
        previous = best[1]
        if misfit < previous and np.abs(alpha).max() < RATE_LIMIT * np.sqrt(problem.power):
            best = v, misfit, ridge
        if misfit > WORTH * previous or best[0] is not v or reason == "seconds":
            break
    problem.set_ridge(best[2])
    return Start(
        start.index,
        problem.weights(best[0]),
        problem.loss(best[0]),
        best[2].alpha,
        start.evaluations + problem.evaluations,
        start.seconds + time.perf_counter() - began,
        reason,
    )


def problem_of(
    samples: Samples, options: FitOptions, ridge: float, pinned: Pinned = NOTHING, floor: float | None = None
) -> Projection:
    """Return the problem of a fit, with a ridge on alpha in the units of the loss."""
    return Projection(
        samples,
        options.loss == "relative",
        Ridge(ridge, 0.0),
        beta_floor(samples) if floor is None else floor,
        options.bound,
        pinned,
        options.tie(samples),
        options.spread,
    )


def beta_floor(samples: Samples) -> float:
    """Return the smallest influx allowed: a small share of the typical rate of the target, so it stays a reaction."""
    return INFLUX * float(np.sqrt(np.average((samples.field**2).mean(axis=1), weights=samples.weight)))


def following_ridge(problem: Projection, v: Array) -> None:
    """Set the ridge by the rule: the penalties are fixed shares of the loss reached."""
    loss, alpha = problem.loss(v), problem.weights(v).alpha
    problem.set_ridge(Ridge(SHARE * loss / max(float((alpha**2).sum()), 1e-300), INPUT_SHARE * loss / float(v @ v)))


def _screen(problem: Projection, options: FitOptions, rng: np.random.Generator, deadline: float) -> tuple[Array, str]:
    """Return the best of several short descents from random starts of different scales."""
    best: tuple[float, Array, str] | None = None
    for _ in range(options.candidates):
        scale = float(np.exp(rng.uniform(*np.log(SCALES))))
        v = problem.random(options.perceptrons, scale, rng)
        v, reason = descend(problem, v, options.screening, deadline)
        cost = float((problem.residual(v) ** 2).sum())
        if best is None or cost < best[0]:
            best = cost, v, reason
        if reason == "seconds":
            break
    if best is None:
        raise InputError(f"{options.candidates} candidates leave nothing to fit; give at least 1")
    return best[1], best[2]


def descend(problem: Projection, v: Array, evaluations: int, deadline: float = np.inf) -> tuple[Array, str]:
    """Return the best point that `scipy.optimize.least_squares` reaches from `v`, and why it ended."""
    from scipy.optimize import least_squares

    clock = _Clock(problem, deadline)
    limits = {"x_scale": "jac", "max_nfev": evaluations, "ftol": 1e-8, "xtol": 1e-8, "gtol": 1e-15}
    try:
        with single_threaded():
            if np.isfinite(problem.rate_bound):
                outcome = _descend_within(clock, v, limits)
            else:
                outcome = least_squares(clock, v, problem.condensed, method="lm", **limits)
    except _OutOfTimeError:
        return (v if clock.best is None else clock.best), "seconds"
    return (v if clock.best is None else clock.best), "evaluations" if outcome.status == 0 else "converged"


def _descend_within(clock: _Clock, v: Array, limits: dict[str, Any]) -> Any:
    """Return the outcome of the search in omega, psi and theta themselves, none of them beyond the bound.

    The steps of the trust-region reflective method stay inside the bounds; `v` is moved there first.
    """
    from scipy.optimize import least_squares

    problem, width = clock.problem, clock.problem.inputs.shape[1]
    back = np.stack([problem.from_natural(row) for row in np.eye(width)], axis=1)

    def jacobian(rates: Array) -> Array:
        slopes = problem.condensed(problem.from_natural(rates))
        out: Array = (slopes.reshape(len(slopes), -1, width) @ back).reshape(slopes.shape)
        return out

    return least_squares(
        lambda rates: clock(problem.from_natural(rates)),
        np.clip(problem.natural(v), -problem.rate_bound, problem.rate_bound),
        jacobian,
        method="trf",
        bounds=(-problem.rate_bound, problem.rate_bound),
        **limits,
    )

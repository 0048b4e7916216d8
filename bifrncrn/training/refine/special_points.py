"""Bifurcation-aware refinement: move a network's special points onto the target's, keeping its loss.

A Newton iteration of least change satisfies the defining equations of every wanted Hopf point, fold and branch point
(see `defining`) at the target's parameter values to rounding. Where that changes the loss by more than a tenth, it is
minimised before over *all* weights with these equations as heavy residuals. The equations hold in the reduced system
and, if asked, in the full one at given time-scales, all at once.

It fails when the weights are too few for the points (each point takes one equation at each time-scale), or when a point
lies so far from what the network does that Newton does not converge; the network is then returned as it
was. It moves points, it removes none: a spurious one elsewhere stays, and the ranking sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import Array
from bifrncrn.models.system import System
from bifrncrn.training.fit.noise import Noise, noise
from bifrncrn.training.fit.start import beta_floor
from bifrncrn.training.refine.defining import Crossing, Wanted
from bifrncrn.training.symmetry import NAMES, classes, flattened, moves_of, unflattened
from bifrncrn.training.targets.behaviours import EquilibriaWanted
from bifrncrn.training.targets.sampling import Samples, thin
from bifrncrn.training.targets.target import Target
from bifrncrn.training.weights import Weights

# heaviness of the defining equations in the passes, in units of the root mean square of the target: of the loss, which
# may be a billion times smaller, they would weigh nothing
HEAVY = (1.0, 1e1, 1e2, 1e3)
# the last steps alone will do when they change the loss by less than this share: there is nothing to win or to mend
CHEAP = 0.1
# samples that are enough to keep a loss that is already small
ENOUGH = 700
# Newton steps of least change, and the relative residual at which they have arrived
STEPS = 25
ARRIVED = 1e-12
# relative step of the derivative in a parameter, and the singular values that are zero, relatively: a start is enough
STEP, NULL = 1e-6, 1e-6
# weight of the relative change of the unknowns themselves beside that of the loss's residuals, in the last steps
SMALL = 1e-8
# rates above this share of their bound are held where they are
HELD = 0.99
# shares by which a frequency may be off at the last time-scale and at the first, where a network's own differ between
# them: of the 0.03 that a verification allows at each the cycles need some
LAST, FIRST = 0.01, 0.025
# iterations for a frequency at a time-scale, which enters its own equation times mu
ITERATIONS = 8


@dataclass(frozen=True, eq=False)
class Refined:
    """What a refinement did.

    Attributes
    ----------
    weights : Weights
        The refined ones, or the old ones when it failed.
    before, after : float
        The loss on the samples.
    residual : float
        Largest residual of the defining equations, relative to the rates in them.
    converged : bool
    """

    weights: Weights
    before: float
    after: float
    residual: float
    converged: bool


def wanted_points(
    target: Target, points: Iterable[Any], mus: Sequence[float] = (0.0,), held: bool = False
) -> tuple[Wanted, ...]:
    """Return the defining equations of the target's `points` (special, or known ones) at the time-scales `mus`.

    With `held` their states are to be the target's as well, and the frequencies at the last time-scale. Hopf points are
    wanted at every time-scale, folds and states once (they do not depend on it); other labels, and points
    outside the target's box and range, are passed over.
    """
    system, name = target.system, target.parameter
    if system is None or name is None or target.box is None or target.sizes[1] != 1:
        return ()
    found = []
    for point in points:
        state = np.array([point.state[variable] for variable in system.variables])
        inside = all(low <= value <= high for value, (low, high) in zip(state, target.box.values()))
        lam = float(point.parameters[name])
        if point.label not in ("HB", "LP", "BP") or not inside:
            continue
        there = system.with_(values={name: lam})
        values, vectors = np.linalg.eig(there.jacobian(state))
        if point.label == "HB":
            # the pair nearest the imaginary axis
            pairs = np.flatnonzero(values.imag > 0)
            k = pairs[np.abs(values[pairs].real).argmin()]
            found += _hopf(np.array([lam]), state, complex(values[k]), vectors[:, k], mus, held)
        else:
            k = int(np.abs(values).argmin())
            vector = vectors[:, k].real.astype(complex)
            at = (np.array([lam]), state, 0.0, vector)
            if point.label == "LP":
                found.append(Wanted("LP", *at, held=(held, False)))
            else:
                found.append(Crossing("BP", *at, held=(held, False), along=_direction(system, name, lam, state)))
    return tuple(found)


def _direction(system: System, name: str, value: float, state: Array) -> Array:
    """Return how the state changes with the parameter on a branch through a branch point, the least change there is."""
    step = STEP * max(1.0, abs(value))
    ends = [system.with_(values={name: value + sign * step}).rhs(state) for sign in (1, -1)]
    change, *_ = np.linalg.lstsq(
        system.with_(values={name: value}).jacobian(state), -(ends[0] - ends[1]) / (2 * step), rcond=NULL
    )
    return np.asarray(change)


def neutral_points(
    behaviours: Iterable[Any], systems: dict[tuple[float, ...], System], mus: Sequence[float], held: bool = False
) -> tuple[Wanted, ...]:
    """Return the defining equations of wanted equilibria with a pair on the imaginary axis, at time-scales `mus`.

    `systems` holds the target's ODE by the values of the parameter species.
    """
    found: list[Wanted] = []
    for one in behaviours:
        if not isinstance(one, EquilibriaWanted) or one.lam not in systems:
            continue
        for state in one.points[one.stable == 0]:
            values, vectors = np.linalg.eig(systems[one.lam].jacobian(state))
            pairs = np.flatnonzero(values.imag > 0)
            if len(pairs):
                k = pairs[np.abs(values[pairs].real).argmin()]
                found += _hopf(np.array(one.lam), state, complex(values[k]), vectors[:, k], mus, held)
    return tuple(found)


def _hopf(lam: Array, state: Array, value: complex, vector: Array, mus: Sequence[float], held: bool) -> list[Wanted]:
    """Return the defining equations of a Hopf point at time-scales."""
    return [
        Wanted("HB", lam, state, value.imag, vector.astype(complex), mu, (held and k == 0, held and k == len(mus) - 1))
        for k, mu in enumerate(mus)
    ]


def shared(wanted: Sequence[Wanted], weights: Weights, both: bool) -> tuple[Wanted, ...]:
    """Return wanted points with held frequencies that the network can have at the first and the last time-scale.

    Perceptrons that lag behind change a frequency. Where the network's own differ by more than is allowed, they are to
    be off by `FIRST` and `LAST` at the two ends if `both` are held, else off by as much at each as they are apart.
    """
    found = list(wanted)
    ends = [k for k, one in enumerate(found) if one.hopf and one.held[1]]
    for last in ends:
        first = next(k for k, one in enumerate(found) if one.hopf and _same_place(one, found[last]))
        nu = found[last].nu
        apart = (frequency(weights, found[first]) - frequency(weights, found[last])) / nu
        sign = float(np.sign(apart))
        if abs(apart) > FIRST + LAST and both:
            held = (found[first].held[0], True)
            found[first] = replace(found[first], nu=nu * (1 + sign * FIRST), held=held)
            found[last] = replace(found[last], nu=nu * (1 - sign * LAST))
        elif abs(apart) > FIRST:
            off = max(abs(apart) - FIRST, 0.0) if abs(apart) <= FIRST + LAST else abs(apart) / 2
            found[last] = replace(found[last], nu=nu * (1 - sign * off))
    return tuple(found)


def _same_place(one: Wanted, other: Wanted) -> bool:
    return np.array_equal(one.lam, other.lam) and np.array_equal(one.state, other.state)


def frequency(weights: Weights, point: Wanted) -> float:
    """Return the frequency that a network has at a wanted Hopf point, at its time-scale; see `defining`."""
    x = point.state
    z = weights.omega @ x + weights.psi @ point.lam + weights.theta
    r = np.sqrt(z * z + 4.0)
    s = np.where(z >= 0, (z + r) / 2, 2 / (r - np.minimum(z, 0)))
    nu = point.nu
    for _ in range(ITERATIONS):
        lagging = weights.alpha * (s / (r + 1j * nu * point.mu))
        values = np.linalg.eigvals(np.diag(weights.alpha @ s) + x[:, None] * (lagging @ weights.omega))
        nu = float(values[np.argmin(np.abs(values - 1j * nu))].imag)
    return nu


def kept(wanted: Sequence[Wanted], weights: Weights) -> tuple[Wanted, ...]:
    """Return wanted points with the frequencies that a network has there, where they are held."""
    return tuple(replace(one, nu=frequency(weights, one)) if one.hopf and one.held[1] else one for one in wanted)


def refine(
    weights: Weights,
    samples: Samples,
    loss: str,
    wanted: Sequence[Wanted],
    evaluations: int = 40,
    rate_bound: float = np.inf,
    spread: float = 0.0,
) -> Refined:
    """Return `weights` moved so that the wanted points are met exactly, at the least loss found.

    Parameters
    ----------
    weights : Weights
        A fitted network, gamma = tau = 1.
    samples : Samples
        What it was fitted to.
    loss : {"field", "relative"}
    wanted : sequence of Wanted
    evaluations : int
        Limit for each of the passes.
    rate_bound : float
        Rates that are this large stay as they are; when another one grows beyond it the refinement has failed.
    spread : float
        By how much every rate may be off; what that does to the loss counts as the loss does (see `noise`).
    """
    few, floor = thin(samples, ENOUGH, np.random.default_rng(0)), beta_floor(samples)
    before = weights.loss(samples, loss)

    def measured(moved: Weights, residual: float) -> Refined:
        if not residual <= ARRIVED or (moved.beta <= 0).any() or moved.largest > rate_bound:
            return Refined(weights, before, before, residual, False)
        return Refined(moved, before, moved.loss(samples, loss), residual, True)

    near = measured(*_moved(AllWeights(weights, few, loss, wanted, floor, rate_bound, spread), (), evaluations))
    if near.converged and abs(near.after - before) <= CHEAP * before:
        return near
    start = weights
    for _ in range(len(weights.beta) + 1):
        moved, residual = _moved(AllWeights(start, few, loss, wanted, floor, rate_bound, spread), HEAVY, evaluations)
        low = moved.beta < floor
        if not low.any() or (start.beta[low] <= floor).any():
            break
        # an influx that would become negative is put at its floor, where it stays
        start = replace(start, beta=np.where(low, floor, start.beta))
    return measured(moved, residual)


def _moved(problem: AllWeights, passes: Sequence[float], evaluations: int) -> tuple[Weights, float]:
    """Return the weights after the passes and the last steps, and the residual of the defining equations."""
    from scipy.optimize import least_squares

    unknowns = problem.start()
    for heavy in passes:
        problem.heavy = heavy * problem.power
        outcome = least_squares(
            problem.residual,
            unknowns,
            problem.jacobian,
            method="lm",
            x_scale="jac",
            max_nfev=evaluations,
            ftol=1e-10,
            xtol=1e-10,
        )
        unknowns = outcome.x
    unknowns, residual = least_change(problem, unknowns)
    return problem.weights(unknowns), residual


def least_change(problem: AllWeights, unknowns: Array) -> tuple[Array, float]:
    """Return the unknowns that satisfy the defining equations, and the residual left.

    Every Newton step is the one that changes the loss's residuals least (to first order).
    """
    scale = np.maximum(np.abs(unknowns), 1e-3 * np.abs(unknowns).max())
    scale[: problem.size][~problem.free] = 0.0
    metric = problem.slopes(unknowns) * scale
    metric /= np.linalg.norm(metric)
    # directions that the loss does not feel are still to be small
    metric = np.vstack([metric, SMALL * np.eye(len(scale))])
    residual = np.inf
    for _ in range(STEPS):
        value, slope, size = problem.constraints(unknowns)
        residual = float(np.abs(value).max() / size)
        if not np.isfinite(residual) or residual <= 0.01 * ARRIVED:
            break
        scaled = slope * scale
        first, *_ = np.linalg.lstsq(scaled, -value, rcond=None)
        q, _ = np.linalg.qr(scaled.T, mode="complete")
        free = q[:, len(value) :]
        rest, *_ = np.linalg.lstsq(metric @ free, -metric @ first, rcond=None)
        unknowns = unknowns + scale * (first + free @ rest)
    return unknowns, residual


class AllWeights:
    """The loss over all weights, and the defining equations, as functions of one flat vector."""

    def __init__(
        self,
        weights: Weights,
        samples: Samples,
        loss: str,
        wanted: Sequence[Wanted],
        floor: float,
        rate_bound: float,
        spread: float = 0.0,
    ) -> None:
        self.samples, self.wanted, self.spread = samples, wanted, spread
        self.inputs = np.hstack([samples.x, samples.lam, np.ones((len(samples), 1))])
        self.shapes = [getattr(weights, name).shape for name in NAMES]
        every = flattened(weights)
        # weights that exchanging species makes of one another stay equal: of equal ones the first is unknown
        self.equal = classes(weights, moves_of(weights))
        first, back = np.unique(self.equal, return_inverse=True)
        # a rate that is zero was pruned, and stays so
        held = (np.abs(every) > HELD * rate_bound) | (every == 0)
        scaled = _natural(weights, samples, held)[np.ix_(first, first)]
        self.natural = scaled[back]
        self.flat = np.linalg.solve(scaled, every[first])
        self.size = len(first)
        self.influxes = int((first >= len(every) - len(weights.beta)).sum())
        self.floor = floor
        # an influx at its floor stays there
        self.free = ~held[first]
        self.free[self.size - self.influxes :] &= every[first][self.size - self.influxes :] > 1.01 * floor
        root = np.sqrt(samples.weight / samples.weight.sum() / samples.x.shape[1])
        self.gain = np.tile(root, (samples.x.shape[1], 1)) if loss == "relative" else root * samples.x.T
        self.influx = root / samples.x.T if loss == "relative" else np.tile(root, (samples.x.shape[1], 1))
        self.power = float(np.linalg.norm(self.influx * samples.field.T))
        self.heavy = 1.0

    def start(self) -> Array:
        """Return the unknowns: the scaled weights, then those of every wanted point."""
        return np.concatenate([self.flat, *(point.start() for point in self.wanted)])

    def weights(self, unknowns: Array) -> Weights:
        """Return the weights in `unknowns`."""
        return unflattened((self.natural @ unknowns[: self.size])[self.equal], self.shapes)

    def floored(self, unknowns: Array) -> Array:
        """Return the unknowns with influxes that fell below the floor on it, where they stay from now on."""
        out = unknowns.copy()
        influx = slice(self.size - self.influxes, self.size)
        low = out[influx] < self.floor
        out[influx][low] = self.floor
        self.free[influx] &= ~low
        return out

    def constraints(self, unknowns: Array) -> tuple[Array, Array, float]:
        """Return the defining equations' residuals, their Jacobian, and the size of the rates in them."""
        weights, at = self.weights(unknowns), self.size
        values, slopes = [], []
        for point in self.wanted:
            count = len(point.start())
            value, by_weights, by_extra = point.equations(weights, unknowns[at : at + count])
            slope = np.zeros((len(value), len(unknowns)))
            slope[:, : self.size] = (by_weights @ self.natural) * self.free
            slope[:, at : at + count] = by_extra
            values.append(value)
            slopes.append(slope)
            at += count
        size = max(1.0, float(np.abs(weights.beta).max()), float(np.abs(weights.alpha).max() * self.samples.x.max()))
        return np.concatenate(values), np.vstack(slopes), size

    def residual(self, unknowns: Array) -> Array:
        """Return the residuals of the loss, then the heavy equations."""
        if not self.wanted:
            return self.errors(unknowns)
        return np.concatenate([self.errors(unknowns), self.heavy * self.constraints(unknowns)[0]])

    def jacobian(self, unknowns: Array) -> Array:
        """Return the exact Jacobian of `residual`."""
        return np.vstack([self.slopes(unknowns), self.heavy * self.constraints(unknowns)[1]])

    def errors(self, unknowns: Array) -> Array:
        """Return the residuals of the loss, and those of what errors of the rates do to it."""
        weights = self.weights(unknowns)
        error = (self.influx * (weights.field(self.samples.x, self.samples.lam) - self.samples.field).T).ravel()
        if not self.spread:
            return error
        noise = self._noise(weights)
        return np.concatenate(
            [error, (np.sqrt(noise.alpha) * weights.alpha).ravel(), np.sqrt(noise.beta) * weights.beta]
        )

    def _noise(self, weights: Weights) -> Noise:
        rows = np.hstack([weights.omega, weights.psi, weights.theta[:, None]])
        return noise(self.spread, rows, self.inputs, self.gain, self.influx)

    def _noise_slopes(self, weights: Weights) -> Array:
        """Return the derivatives of the last residuals in all weights, in the order of `NAMES`."""
        off, (m, n) = self._noise(weights), weights.alpha.shape
        size = np.sqrt(off.alpha)
        by_alpha = np.diag(size.ravel())
        by_rows = np.zeros((m, n, n, self.inputs.shape[1]))
        by_rows[:, range(n), range(n)] = (weights.alpha / (2 * size))[:, :, None] * off.slope
        by_omega, by_psi, by_theta = by_rows[..., :m], by_rows[..., m:-1], by_rows[..., -1:]
        parts = [part.reshape(m * n, -1) for part in (by_omega, by_psi, by_theta)]
        top = np.hstack([by_alpha, *parts, np.zeros((m * n, m))])
        low = np.hstack([np.zeros((m, top.shape[1] - m)), np.diag(np.sqrt(off.beta))])
        return np.vstack([top, low])

    def slopes(self, unknowns: Array) -> Array:
        """Return the Jacobian of the loss's residuals."""
        weights, samples = self.weights(unknowns), self.samples
        m, n = weights.alpha.shape
        z = samples.x @ weights.omega.T + samples.lam @ weights.psi.T + weights.theta
        r = np.sqrt(z * z + 4.0)
        s = np.where(z >= 0, (z + r) / 2, 2 / (r - np.minimum(z, 0)))
        inputs = (samples.x, samples.lam)
        rows = []
        for i in range(m):
            by_alpha = np.zeros((len(samples), m, n))
            by_alpha[:, i] = self.gain[i][:, None] * s
            by_z = self.gain[i][:, None] * weights.alpha[i] * (s / r)
            by_inputs = [(by_z[:, :, None] * values[:, None, :]).reshape(len(samples), -1) for values in inputs]
            by_beta = np.zeros((len(samples), m))
            by_beta[:, i] = self.influx[i]
            rows.append(np.hstack([by_alpha.reshape(len(samples), -1), *by_inputs, by_z, by_beta]))
        rows += [self._noise_slopes(weights)] if self.spread else []
        every = np.vstack(rows)
        top = np.zeros((len(every), len(unknowns)))
        top[:, : self.size] = (every @ self.natural) * self.free
        return top


def _natural(weights: Weights, samples: Samples, held: NDArray[np.bool_]) -> Array:
    """Return the matrix (W, W) from weights of inputs scaled to [-1, 1] to natural ones; far better conditioned.

    The scaled weights of those that are `held` are theirs alone.
    """
    m, n = weights.alpha.shape
    p = weights.psi.shape[1]
    inputs = np.hstack([samples.x, samples.lam])
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    centre, half = (low + high) / 2, np.where(high > low, (high - low) / 2, 1.0)
    out = np.eye(2 * m * n + n * p + n + m)
    theta = 2 * m * n + n * p
    for j in range(n):
        columns = [m * n + j * m + k for k in range(m)] + [2 * m * n + j * p + k for k in range(p)]
        for column, c, h in zip(columns, centre, half):
            out[column, column] = 1 / h
            out[theta + j, column] = 0.0 if held[theta + j] else -c / h
    return out

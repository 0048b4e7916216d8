"""Variable projection: the loss of a network as a function of its perceptron inputs alone.

For given omega, psi, theta the best alpha and beta solve a linear least-squares problem, so they are eliminated
(Golub and Pereyra, SIAM J. Numer. Anal. 10 (1973) 413, with both terms of the exact Jacobian).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from bifrncrn.base.checks import Array
from bifrncrn.training.fit.least_squares import turned_jacobian
from bifrncrn.training.fit.noise import Noise, noise
from bifrncrn.training.fit.pins import NOTHING, Pinned, Rows, rows
from bifrncrn.training.symmetry import Tie
from bifrncrn.training.targets.sampling import Samples
from bifrncrn.training.weights import Weights

# the length with which pinned Jacobians are multiplied, in units of half the samples' extent
PIN_LENGTH = 0.1


# pivots below this, relative to the terms they are the difference of, leave a normal equation too few digits
CANCELLED = 1e-10


@dataclass(frozen=True, eq=False)
class Ridge:
    """Penalties `alpha` * sum(alpha^2) + `inputs` * sum(v^2) added to the loss; v are the inputs' scaled weights."""

    alpha: float
    inputs: float


@dataclass(frozen=True, eq=False)
class _Species:
    """The solved linear problem of one executive species."""

    q: Array  # (K + e + N, columns) orthonormal basis of the columns of the unknowns that are not at a bound
    r: Array  # (columns, columns) triangular factor
    free: NDArray[np.intp]  # the alphas that are not at a bound, which the first columns belong to
    alpha: Array  # (N,)
    beta: float
    residual: Array  # (K + e + N,) of the samples, the pins, the ridge; one more, of beta, where rates may be off


@dataclass(frozen=True, eq=False)
class _Solved:
    """Everything known at one point of the search."""

    point: Array
    slope: Array  # (K, N) ds/dz
    rows: Rows | None
    noise: Noise | None
    species: tuple[_Species, ...]


class Projection:
    """Residuals and their exact Jacobian in the scaled input weights v, with alpha and beta eliminated.

    Inputs are scaled to [-1, 1], so that one size of weight fits every problem; gamma = tau = 1.
    `v` is the flattened (N, M+P+1) array of weights and bias of each perceptron, or with a tie what that follows from.

    Parameters
    ----------
    samples : Samples
    relative : bool
        Divide each species' residual by its concentration.
    ridge : Ridge
    beta_floor : float
        Smallest beta allowed (an influx is a rate and must be positive).
    rate_bound : float
        Largest size allowed of alpha and beta; those of the other rates are up to `fitter.descend`. The bounded linear
        problem is solved exactly, so that the Jacobian stays exact too, with the rates at a bound held there.
    pinned : Pinned
        Equations at single points.
    tie : Tie, optional
        Which perceptrons exchanges of species turn into one another; images of the samples are added then.
    spread : float
        By how much, relatively, every rate may be off; what that does to the loss is added to it (see `noise`).
    """

    def __init__(
        self,
        samples: Samples,
        relative: bool,
        ridge: Ridge,
        beta_floor: float,
        rate_bound: float = np.inf,
        pinned: Pinned = NOTHING,
        tie: Tie | None = None,
        spread: float = 0.0,
    ) -> None:
        self.spread = spread
        self.tie = tie
        samples = samples if tie is None else tie.symmetric(samples)
        inputs = np.hstack([samples.x, samples.lam])
        low, high = inputs.min(axis=0), inputs.max(axis=0)
        self.centre = (low + high) / 2
        self.half = np.where(high > low, (high - low) / 2, 1.0)
        self.inputs = np.hstack([(inputs - self.centre) / self.half, np.ones((len(inputs), 1))])
        self.plain = np.hstack([inputs, np.ones((len(inputs), 1))])
        self.count, self.dimension = samples.x.shape
        root = np.sqrt(samples.weight / samples.weight.sum() / self.dimension)
        if relative:
            self.gain = np.tile(root, (self.dimension, 1))
            self.influx = root / samples.x.T
            self.wanted = root * samples.field.T / samples.x.T
        else:
            self.gain = root * samples.x.T
            self.influx = np.tile(root, (self.dimension, 1))
            self.wanted = root * samples.field.T
        self.ridge = ridge
        self.beta_floor = beta_floor
        self.rate_bound = rate_bound
        self.relative = relative
        self.pins, self.heavy = pinned.pins, np.sqrt(pinned.weight)
        self.extra = sum(pin.count for pin in pinned.pins)
        self.evaluations = 0
        self._solved: _Solved | None = None

    @property
    def power(self) -> float:
        """Mean square of the target, the loss of a network that does nothing."""
        return float((self.wanted**2).sum())

    def set_ridge(self, ridge: Ridge) -> None:
        """Change the penalties."""
        self.ridge = ridge
        self._solved = None

    def random(self, perceptrons: int, scale: float, rng: np.random.Generator) -> Array:
        """Return a random start: input weights of size `scale`, each perceptron's kink at a random sample."""
        width = self.inputs.shape[1] - 1
        v = rng.standard_normal((perceptrons, width))
        v *= scale * np.exp(0.5 * rng.standard_normal((perceptrons, 1))) / np.linalg.norm(v, axis=1, keepdims=True)
        at = self.inputs[rng.integers(self.count, size=perceptrons), :width]
        return self._chosen(np.hstack([v, -(v * at).sum(axis=1, keepdims=True)]))

    def worth(self, v: Array) -> Array:
        """Return by how much the penalised loss would grow without each of the perceptrons, (N,).

        The other alphas and beta would adapt; for one at a bound it is zero.
        """
        solved = self._solve(v)
        out = np.zeros(solved.slope.shape[1])
        for species in solved.species:
            free = species.free
            inverse = solve_triangular(species.r, np.eye(len(species.r)), check_finite=False)
            out[free] += species.alpha[free] ** 2 / (inverse[: len(free)] ** 2).sum(axis=1)
        return out

    def renewed(self, v: Array, which: int, scale: float, rng: np.random.Generator) -> Array:
        """Return `v` with a new perceptron for one: input weights of size `scale`, its kink where the field is off."""
        error = sum((species.residual[: self.count] ** 2 for species in self._solve(v).species), np.zeros(self.count))
        at = self.inputs[rng.choice(self.count, p=error / error.sum()), :-1]
        w = rng.standard_normal(len(at))
        w *= scale / np.linalg.norm(w)
        rows = self._every(v).copy()
        rows[which if self.tie is None else self.tie.leader(which)] = np.append(w, -(w @ at))
        return self._chosen(rows)

    def _every(self, v: Array) -> Array:
        """Return the inputs' weights and bias of all perceptrons, (N, M+P+1)."""
        flat = v if self.tie is None else self.tie.spread @ v
        return flat.reshape(-1, self.inputs.shape[1])

    def _chosen(self, rows: Array) -> Array:
        """Return `v` for the weights and biases of all perceptrons, the inverse of `_every`."""
        return rows.ravel() if self.tie is None else self.tie.chosen(rows.ravel())

    def residual(self, v: Array) -> Array:
        """Return the residuals, penalties last; their sum of squares is the penalised loss.

        Where the linear problem has no finite solution they are large, so that a trust region backs off.
        """
        solved = self._solve(v)
        parts = [species.residual for species in solved.species] + [np.sqrt(self.ridge.inputs) * v]
        out = np.concatenate(parts)
        if not np.isfinite(out).all():
            return np.full(out.shape, 1e3 * (1.0 + np.sqrt(self.power)))
        return out

    def jacobian(self, v: Array) -> Array:
        """Return the exact Jacobian of `residual`."""
        solved = self._solve(v)
        size = len(solved.species[0].residual)
        out = np.zeros((self.dimension * size + v.size, v.size))
        for i, (species, (first, second)) in enumerate(zip(solved.species, self._derivatives(solved))):
            given = len(first)
            block = species.q @ (species.q[:given].T @ first - second)
            block[:given] -= first
            out[i * size : (i + 1) * size] = block if self.tie is None else block @ self.tie.spread
        out[-v.size :] = np.sqrt(self.ridge.inputs) * np.eye(v.size)
        return out

    def condensed(self, v: Array) -> Array:
        """Return the Jacobian turned to few rows (see `turning`), from J^T J where that leaves digits enough."""
        residual = self.residual(v)
        length = max(float(np.linalg.norm(residual)), 1e-300)
        gram, gradient, terms = self._normal(v)
        along = gradient / length
        scale = np.sqrt(terms)
        try:
            factor = np.linalg.cholesky((gram - np.outer(along, along)) / np.outer(scale, scale))
        except np.linalg.LinAlgError:
            factor = np.zeros_like(gram)
        if np.diag(factor).min() ** 2 > CANCELLED:
            return np.vstack([along, factor.T * scale])
        return turned_jacobian(residual, self.jacobian(v))

    def _normal(self, v: Array) -> tuple[Array, Array, Array]:
        """Return J^T J and J^T r without forming J, and the diagonal of J^T J before anything is subtracted."""
        solved = self._solve(v)
        count = self._every(v).size
        gram, terms, gradient = np.zeros((count, count)), np.zeros(count), np.zeros(count)
        for species, (first, second) in zip(solved.species, self._derivatives(solved)):
            onto = species.q[: len(first)].T @ first
            own, other = first.T @ first, second.T @ second
            gram += own - onto.T @ onto + other
            terms += np.diag(own) + np.diag(other)
            # the residual of a solved linear problem is orthogonal to q
            gradient -= species.residual[: len(first)] @ first
        if self.tie is not None:
            spread = self.tie.spread
            gram, terms, gradient = spread.T @ gram @ spread, terms @ spread**2, gradient @ spread
        ridge = self.ridge.inputs
        return gram + ridge * np.eye(v.size), gradient + ridge * v, terms + ridge

    def _derivatives(self, solved: _Solved) -> Iterator[tuple[Array, Array]]:
        """Yield dA c and R^-T dA^T r of every species, where its design matrix is A = Q R, c and r its solution."""
        n, width = solved.slope.shape[1], self.inputs.shape[1]
        # A depends on v_jk through its column j only: ds_j / dv_jk
        change = (solved.slope[:, :, None] * self.inputs[:, None, :]).reshape(self.count, n * width)
        for i, species in enumerate(solved.species):
            first = change * self.gain[i][:, None]
            if solved.rows is not None:
                first = np.vstack([first, self.heavy * solved.rows.slope[i].reshape(self.extra, -1)])
            if solved.noise is not None:
                first = np.vstack([first, self._ridge_slope(solved.noise, i)])
            second = np.zeros((len(species.r), n, width))
            free = species.free
            second[np.arange(len(free)), free] = (species.residual[: len(first)] @ first).reshape(n, width)[free]
            first *= np.repeat(species.alpha, width)
            columns = second.reshape(len(species.r), -1)
            yield first, solve_triangular(species.r, columns, trans=1, check_finite=False)

    def _ridge_slope(self, noise: Noise, i: int) -> Array:
        """Return the derivative of the rows of a species' ridge, (N + 1, N * width)."""
        n, width = noise.slope.shape[1:]
        out = np.zeros((n + 1, n, width))
        size = np.sqrt(self.ridge.alpha + noise.alpha[i])
        out[np.arange(n), np.arange(n)] = noise.slope[i] / (2 * size[:, None])
        return out.reshape(n + 1, -1)

    def loss(self, v: Array) -> float:
        """Return the loss over the samples without penalties."""
        return sum(float((species.residual[: self.count] ** 2).sum()) for species in self._solve(v).species)

    def misfit(self, v: Array) -> float:
        """Return the loss, what the pins miss and what errors of the rates do, without other penalties."""
        given = None if self.spread else self.count + self.extra
        return sum(float((species.residual[:given] ** 2).sum()) for species in self._solve(v).species)

    def weights(self, v: Array) -> Weights:
        """Return the network's weights in natural units."""
        solved = self._solve(v)
        inputs, m = self.natural(v).reshape(-1, self.inputs.shape[1]), self.dimension
        alpha = np.stack([species.alpha for species in solved.species])
        beta = np.array([species.beta for species in solved.species])
        # what is at the bound may be beyond it by a rounding
        bounded = (np.clip(a, -self.rate_bound, self.rate_bound) for a in (alpha, inputs, beta))
        alpha, inputs, beta = bounded
        weights = Weights(alpha, inputs[:, :m], inputs[:, m:-1], inputs[:, -1], beta)
        return weights if self.tie is None else self.tie.exact(weights)

    def natural(self, v: Array) -> Array:
        """Return omega, psi and theta of every perceptron, flattened as `v` is."""
        scaled = self._every(v)
        inputs = scaled[:, :-1] / self.half
        return np.hstack([inputs, scaled[:, -1:] - (inputs @ self.centre)[:, None]]).ravel()

    def from_natural(self, rates: Array) -> Array:
        """Return `v` for omega, psi and theta of every perceptron, the inverse of `natural`."""
        rows = rates.reshape(-1, self.inputs.shape[1])
        return self._chosen(np.hstack([rows[:, :-1] * self.half, rows[:, -1:] + (rows[:, :-1] @ self.centre)[:, None]]))

    def scaled(self, weights: Weights) -> Array:
        """Return `v` for weights in natural units, the inverse of `weights` (alpha and beta are dropped)."""
        return self.from_natural(np.hstack([weights.omega, weights.psi, weights.theta[:, None]]))

    def _solve(self, v: Array) -> _Solved:
        if self._solved is not None and np.array_equal(self._solved.point, v):
            return self._solved
        self.evaluations += 1
        z = self.inputs @ self._every(v).T
        with np.errstate(all="ignore"):  # a wild trial step may overflow; `residual` answers for it
            root = np.sqrt(z * z + 4.0)
            s = np.where(z >= 0, root + z, 4.0 / (root - np.minimum(z, 0.0))) / 2.0
            asked, errors = self._asked(v), self._errors(v, s)
            species = tuple(self._linear(i, s, asked, errors) for i in range(self.dimension))
            self._solved = _Solved(v.copy(), s / root, asked, errors, species)
        return self._solved

    def _asked(self, v: Array) -> Rows | None:
        """Return the rows of the pins."""
        if not self.pins:
            return None
        length = PIN_LENGTH * self.half[: self.dimension]
        return rows(self.pins, self._every(v), self.centre, self.half, length, self.relative)

    def _errors(self, v: Array, s: Array) -> Noise | None:
        """Return what errors of the rates do."""
        if not self.spread:
            return None
        found = noise(self.spread, self.natural(v).reshape(s.shape[1], -1), self.plain, self.gain, self.influx)
        slope = found.slope.copy()
        slope[:, :, :-1] = (slope[:, :, :-1] - slope[:, :, -1:] * self.centre) / self.half
        return replace(found, slope=slope)

    def _linear(self, i: int, s: Array, asked: Rows | None, errors: Noise | None) -> _Species:
        (k, n), given = s.shape, len(s) + self.extra
        size = given + n + (errors is not None)
        design = np.zeros((size, n + 1))
        design[:k, :n] = self.gain[i][:, None] * s
        design[:k, n] = self.influx[i]
        ridge = self.ridge.alpha + (0.0 if errors is None else errors.alpha[i])
        design[given + np.arange(n), np.arange(n)] = np.sqrt(ridge)
        if errors is not None:
            design[-1, n] = np.sqrt(errors.beta[i])
        wanted = np.zeros(size)
        wanted[:k] = self.wanted[i]
        if asked is not None:
            design[k:given] = self.heavy * asked.design[i]
            wanted[k:given] = self.heavy * asked.wanted[i]
        q, r = np.linalg.qr(design)
        right = q.T @ wanted
        solution = solve_triangular(r, right, check_finite=False)
        high = np.full(n + 1, self.rate_bound)
        low = np.append(-high[:n], self.beta_floor)
        free = ~((solution < low) | (solution > high))  # also where it is no number
        if not free.all():
            solution, free = _bounded(r, right, low, high, solution)
            wanted = wanted - design[:, ~free] @ solution[~free]
            design = design[:, free]
            q, r = np.linalg.qr(design)
            solution[free] = solve_triangular(r, q.T @ wanted, check_finite=False)
        residual = wanted - design @ solution[free]
        return _Species(q, r, np.flatnonzero(free[:n]), solution[:n], float(solution[n]), residual)


def _bounded(r: Array, right: Array, low: Array, high: Array, solution: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the least-squares solution of ``r x = right`` within bounds, and which entries are at none.

    `solution` is the one without bounds.
    """
    from scipy.optimize import lsq_linear

    if not np.isfinite(high[0]):  # only the influx, the last, has a bound, and is beyond it
        return np.append(solution[:-1], low[-1]), np.append(np.ones(len(r) - 1, bool), False)
    found = lsq_linear(r, right, (low, high), method="bvls")
    return found.x, found.active_mask == 0

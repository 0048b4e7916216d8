"""Rates that contribute nothing: found, and set to zero, so that a network has no reaction that only costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import Array
from bifrncrn.training.symmetry import classes, moves_of
from bifrncrn.training.targets.sampling import Samples, thin
from bifrncrn.training.weights import Weights

# a rate contributes nothing when all it adds to the field is this share of what the field is off by, root mean squares
NOTHING = 1e-2
# samples on which that is judged
ENOUGH = 2000


def pruned(weights: Weights, samples: Samples, loss: str) -> Weights | None:
    """Return `weights` with idle rates zero and idle perceptrons left out, or None where every rate does something.

    Exchanges of species that leave the network unchanged do so afterwards too.

    Parameters
    ----------
    weights : Weights
        Gamma = tau = 1.
    samples : Samples
    loss : {"field", "relative"}
        With the relative one, what is added is divided by the concentration.
    """
    few = thin(samples, ENOUGH, np.random.default_rng(0))
    limit = NOTHING * np.sqrt(weights.loss(samples, loss))
    unit = few.x if loss == "relative" else np.ones_like(few.x)
    z = few.x @ weights.omega.T + few.lam @ weights.psi.T + weights.theta
    r = np.sqrt(z * z + 4.0)
    s = np.where(z >= 0, (z + r) / 2, 2 / (r - np.minimum(z, 0.0)))
    gain = few.x / unit  # (K, M)
    share = np.sqrt(few.weight / few.weight.sum())

    def size(terms: Array) -> Array:
        """Return the root mean square of terms (K, ...) over the samples."""
        return np.sqrt(np.einsum("k,k...->...", share**2, terms**2))

    keep_alpha = size(gain[:, :, None] * weights.alpha * s[:, None, :]) > limit
    # what a change of an input does to the species it matters to most, (K, N)
    reach = np.abs(gain[:, :, None] * weights.alpha * (s / r)[:, None, :]).max(axis=1)
    kept = [
        size(reach[:, :, None] * weights.omega * few.x[:, None, :]) > limit,
        size(reach[:, :, None] * weights.psi * few.lam[:, None, :]) > limit,
        size(reach * weights.theta) > limit,
    ]
    keep_alpha, *kept = _alike(weights, keep_alpha, *kept)
    working = keep_alpha.any(axis=0)
    if keep_alpha.all() and all(part.all() for part in kept):
        return None
    if not working.any():
        return None
    omega, psi, theta = (_only(part, keep)[working] for part, keep in zip(_inputs(weights), kept))
    return Weights(_only(weights.alpha, keep_alpha)[:, working], omega, psi, theta, weights.beta)


def _alike(weights: Weights, *keep: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Return which weights to keep (alpha, omega, psi, theta), those that exchanges of species turn into kept ones too.

    Of weights that are equal by symmetry the samples, a few at random, say slightly different things.
    """
    equal = classes(weights, moves_of(weights))
    flat = np.concatenate([part.ravel() for part in keep])
    whole = np.zeros(len(equal), bool)
    np.logical_or.at(whole, equal[: len(flat)], flat)
    ends = np.cumsum([part.size for part in keep])
    parts = np.split(whole[equal[: len(flat)]], ends[:-1])
    return [part.reshape(one.shape) for part, one in zip(parts, keep)]


def _inputs(weights: Weights) -> tuple[Array, Array, Array]:
    return weights.omega, weights.psi, weights.theta


def _only(values: Array, keep: NDArray[np.bool_]) -> Array:
    return np.where(keep, values, 0.0)

"""Trajectories of reduced networks, many at once, with their exact derivatives in all weights.

The integrator is the classical Runge-Kutta method of fixed step, and the derivatives are those of its result; reduced
systems are not stiff. The weights' order is that of `refinement.NAMES`: alpha, omega, psi, theta, beta.
"""

from __future__ import annotations

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.training.weights import Weights


def still(weights: Weights, x: Array, slopes: bool) -> Array:
    """Return the derivatives (k, M, W) of states (k, M) that depend on no weight; without `slopes`, none (W = 0)."""
    parts = (weights.alpha, weights.omega, weights.psi, weights.theta, weights.beta)
    return np.zeros((*x.shape, sum(part.size for part in parts) if slopes else 0))


def advance(weights: Weights, lam: Array, x: Array, d: Array, step: float) -> tuple[Array, Array]:
    """Return states (k, M) and their derivatives (k, M, W) after a step of time, at lam (k, P)."""
    f1, d1 = _rates(weights, lam, x, d)
    f2, d2 = _rates(weights, lam, x + step / 2 * f1, d + step / 2 * d1)
    f3, d3 = _rates(weights, lam, x + step / 2 * f2, d + step / 2 * d2)
    f4, d4 = _rates(weights, lam, x + step * f3, d + step * d3)
    return x + step / 6 * (f1 + 2 * f2 + 2 * f3 + f4), d + step / 6 * (d1 + 2 * d2 + 2 * d3 + d4)


def _rates(weights: Weights, lam: Array, x: Array, d: Array) -> tuple[Array, Array]:
    """Return the field (k, M) at states `x`, and the rates of change of their derivatives `d`."""
    z = x @ weights.omega.T + lam @ weights.psi.T + weights.theta
    r = np.sqrt(z * z + 4.0)
    s = np.where(z >= 0, (z + r) / 2, 2 / (r - np.minimum(z, 0.0)))
    growth = s @ weights.alpha.T
    f = weights.beta + x * growth
    if not d.shape[2]:
        return f, d
    k, m = x.shape
    by_z = x[:, :, None] * weights.alpha * (s / r)[:, None, :]  # (k, M, N)
    matrix = by_z @ weights.omega
    matrix[:, np.arange(m), np.arange(m)] += growth
    by_alpha = np.einsum("ki,ih,kj->kihj", x, np.eye(m), s)
    by_omega = by_z[..., None] * x[:, None, None, :]
    by_psi = by_z[..., None] * lam[:, None, None, :]
    by_beta = np.broadcast_to(np.eye(m), (k, m, m))
    own = [part.reshape(k, m, part.size // (k * m)) for part in (by_alpha, by_omega, by_psi, by_z, by_beta)]
    return f, matrix @ d + np.concatenate(own, axis=2)

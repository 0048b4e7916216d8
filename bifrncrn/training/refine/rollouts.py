"""Trajectories of reduced networks, many at once, with their exact derivatives in all weights.

The integrator is the classical Runge-Kutta method of fixed step, and the derivatives are those of its result; reduced
systems are not stiff. The weights' order is that of `refinement.NAMES`: alpha, omega, psi, theta, beta.

At a small time-scale mu the full system runs, to first order, like a reduced one with another field: the perceptrons
lag behind their quasi-static values s_j by mu h_j (w_j . f), h_j = s_j / r_j^2, so that

    dx_i/dt = f_i - mu x_i sum_j alpha_ij h_j (w_j . f)
"""

from __future__ import annotations

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.training.weights import Weights


def still(weights: Weights, x: Array, slopes: bool) -> Array:
    """Return the derivatives (k, M, W) of states (k, M) that depend on no weight; without `slopes`, none (W = 0)."""
    parts = (weights.alpha, weights.omega, weights.psi, weights.theta, weights.beta)
    return np.zeros((*x.shape, sum(part.size for part in parts) if slopes else 0))


def advance(
    weights: Weights, lam: Array, x: Array, d: Array, step: float | Array, mu: float | Array = 0.0
) -> tuple[Array, Array]:
    """Return states (k, M) and their derivatives (k, M, W) after a step of time, at lam (k, P).

    The step and the time-scale may be one for each state, (k, 1).
    """
    h = np.reshape(step, (-1, 1))
    wide, mu = h[:, :, None], np.reshape(mu, (-1, 1))
    f1, d1 = _rates(weights, lam, x, d, mu)
    f2, d2 = _rates(weights, lam, x + h / 2 * f1, d + wide / 2 * d1, mu)
    f3, d3 = _rates(weights, lam, x + h / 2 * f2, d + wide / 2 * d2, mu)
    f4, d4 = _rates(weights, lam, x + h * f3, d + wide * d3, mu)
    return x + h / 6 * (f1 + 2 * f2 + 2 * f3 + f4), d + wide / 6 * (d1 + 2 * d2 + 2 * d3 + d4)


def _rates(weights: Weights, lam: Array, x: Array, d: Array, mu: Array) -> tuple[Array, Array]:
    """Return the field (k, M) at states `x`, and the rates of change of their derivatives `d`."""
    z = x @ weights.omega.T + lam @ weights.psi.T + weights.theta
    r = np.sqrt(z * z + 4.0)
    s = np.where(z >= 0, (z + r) / 2, 2 / (r - np.minimum(z, 0.0)))
    growth = s @ weights.alpha.T
    f = weights.beta + x * growth
    lag = s / r**2 * (f @ weights.omega.T) if mu.any() else None
    slowed = f if lag is None else f - mu * x * (lag @ weights.alpha.T)
    if not d.shape[2]:
        return slowed, d
    m = x.shape[1]
    by_z = x[:, :, None] * weights.alpha * (s / r)[:, None, :]  # (k, M, N)
    matrix = by_z @ weights.omega
    matrix[:, np.arange(m), np.arange(m)] += growth
    own = _own(x, lam, s, by_z)
    if lag is not None:
        slope = (s / r**3 - 2 * s * z / r**4) * (f @ weights.omega.T)  # of the lag, by z alone
        each = x[:, :, None] * weights.alpha
        through = (each * (s / r**2)[:, None, :]) @ weights.omega  # by f
        by_lag = each * slope[:, None, :]
        direct = _own(x, lam, lag, by_lag, constant=False)
        at = weights.alpha.size
        direct[:, :, at : at + weights.omega.size] += _outer(each * (s / r**2)[:, None, :], f)
        turn = by_lag @ weights.omega + through @ matrix
        turn[:, np.arange(m), np.arange(m)] += lag @ weights.alpha.T
        slow = mu[:, :, None]
        own, matrix = own - slow * (direct + through @ own), matrix - slow * turn
    return slowed, matrix @ d + own


def _own(x: Array, lam: Array, s: Array, by_z: Array, constant: bool = True) -> Array:
    """Return the derivatives (k, M, W) in all weights of (beta, if `constant`) + x_i sum_j alpha_ij s_j, by s(z)."""
    k, m = x.shape
    by_alpha = np.einsum("ki,ih,kj->kihj", x, np.eye(m), s).reshape(k, m, -1)
    by_beta = np.broadcast_to(np.eye(m) if constant else np.zeros((m, m)), (k, m, m))
    return np.concatenate([by_alpha, _outer(by_z, x), _outer(by_z, lam), by_z, by_beta], axis=2)


def _outer(by_z: Array, inputs: Array) -> Array:
    """Return derivatives by the weights (N, I) of inputs (k, I), from those by the sums z, (k, M, N)."""
    k, m, n = by_z.shape
    return (by_z[..., None] * inputs[:, None, None, :]).reshape(k, m, n * inputs.shape[1])

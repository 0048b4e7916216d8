"""What errors of the rates do to a loss, in closed form: a ridge on every alpha that depends on its perceptron.

Where every rate is times a factor of its own, uniform in 1 +- spread (variance spread^2/3), the loss to expect is, to
first order in the errors, that of the network itself and

    spread^2/3 * (sum_j alpha_j^2 <gain^2 (s^2 + s'^2 sum_l (w_jl u_l)^2 + s_gamma^2 + s_tau^2)> + beta^2 <influx^2>),

for a field is linear in its terms: the error of alpha_j changes it by alpha_j s, that of an input's weight w_jl (of
species, parameter species and bias alike, u = (x, lam, 1)) by alpha_j s' w_jl u_l, those of gamma and tau by
s_gamma = 1/r and s_tau = -s^2/r, where r = sqrt(z^2 + 4) and s' = s/r. So terms that cancel each other are kept small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.base.checks import Array


@dataclass(frozen=True, eq=False)
class Noise:
    """The factors of alpha_ij^2 and beta_i^2 in the loss to expect.

    Attributes
    ----------
    alpha : (M, N) array
    slope : (M, N, width) array
        Derivative of entry (i, j) of `alpha` in the weights and bias of perceptron j.
    beta : (M,) array
    """

    alpha: Array
    slope: Array
    beta: Array


def noise(spread: float, w: Array, u: Array, gain: Array, influx: Array) -> Noise:
    """Return what errors of the rates by up to `spread` do.

    Parameters
    ----------
    spread : float
    w : (N, width) array
        Weights and bias of every perceptron, in natural units.
    u : (K, width) array
        The samples' states and parameter species, and 1.
    gain, influx : (M, K) arrays
        Of every species' alpha and beta in the residuals.
    """
    variance = spread**2 / 3
    z = u @ w.T
    r = np.sqrt(z * z + 4.0)
    s = np.where(z >= 0, (z + r) / 2, 2 / (r - np.minimum(z, 0)))
    first, second = s / r, s / r**2 - s * z / r**3  # derivatives of s
    squares = u * u
    terms = squares @ (w * w).T
    every = s**2 + first**2 * terms + (1.0 + s**4) / r**2
    along = 2.0 * (s * first + first * second * terms + 2.0 * s**3 * first / r**2 - (1.0 + s**4) * z / r**4)
    weight = variance * gain**2
    slope = np.einsum("ik,kj,kl->ijl", weight, along, u, optimize=True)
    slope += 2.0 * w * np.einsum("ik,kj,kl->ijl", weight, first**2, squares, optimize=True)
    return Noise(weight @ every, slope, variance * (influx**2).sum(axis=1))

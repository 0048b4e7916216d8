"""The fitted weights of a network on plain arrays, and the fields and losses that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.base.checks import Array, quasi_static
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.training.targets.sampling import Samples

# samples evaluated at a time: keeps the work arrays of big networks in cache and memory small
_BLOCK = 20000


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights that are fitted; gamma = tau = 1. Shapes and units as in `Network`."""

    alpha: Array
    omega: Array
    psi: Array
    theta: Array
    beta: Array

    @property
    def largest(self) -> float:
        """The largest rate in size, whatever it multiplies."""
        return max(float(np.abs(a).max()) for a in (self.alpha, self.omega, self.psi, self.theta, self.beta) if a.size)

    @property
    def spread(self) -> float:
        """Ratio of the largest rate to the smallest, over all rates that are not zero."""
        every = np.abs(np.concatenate([a.ravel() for a in (self.alpha, self.omega, self.psi, self.theta, self.beta)]))
        every = every[every > 0]
        return float(every.max() / every.min())

    def at_bound(self, bound: float | None) -> int:
        """Return how many rates are as large as `bound`, to a thousandth."""
        if bound is None:
            return 0
        arrays = (self.alpha, self.omega, self.psi, self.theta, self.beta)
        return sum(int((np.abs(a) > 0.999 * bound).sum()) for a in arrays)

    def field(self, x: Array, lam: Array) -> Array:
        """Return the reduced field (K, M) at states `x` (K, M) and parameter species `lam` (K, P)."""
        s = quasi_static(x @ self.omega.T + lam @ self.psi.T + self.theta, 1.0, 1.0)
        return self.beta + x * (s @ self.alpha.T)

    def loss(self, samples: Samples, kind: str) -> float:
        """Return the weighted mean square residual over samples and species, of kind `field` or `relative`."""
        total = 0.0
        for at in range(0, len(samples), _BLOCK):
            x = samples.x[at : at + _BLOCK]
            error = samples.field[at : at + _BLOCK] - self.field(x, samples.lam[at : at + _BLOCK])
            if kind == "relative":
                error = error / x
            total += float(samples.weight[at : at + _BLOCK] @ (error**2).sum(axis=1))
        return total / float(samples.weight.sum()) / samples.x.shape[1]

    def to_json(self) -> dict[str, Any]:
        """Return the arrays as lists."""
        return {name: getattr(self, name).tolist() for name in ("alpha", "omega", "psi", "theta", "beta")}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Weights:
        """Build from the lists of `to_json`."""
        arrays = {name: np.array(data[name], dtype=float) for name in ("alpha", "omega", "psi", "theta", "beta")}
        arrays["psi"] = arrays["psi"].reshape(len(arrays["theta"]), -1)
        return cls(**arrays)

    @classmethod
    def of(cls, network: Network) -> Weights:
        """Return the weights of `network`, rescaled to gamma = tau = 1 without changing its reduced field.

        With a_j = sqrt(gamma_j tau_j), s(z; gamma, tau) = (a/tau) s(z/a; 1, 1).
        """
        a = np.sqrt(network.gamma * network.tau)
        psi = np.zeros((len(a), 0)) if network.psi is None else network.psi
        return cls(
            network.alpha * (a / network.tau),
            network.omega / a[:, None],
            psi / a[:, None],
            network.theta / a,
            network.beta,
        )

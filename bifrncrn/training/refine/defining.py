"""The defining equations of a network's Hopf points, folds and branch points, with exact derivatives in every weight.

Write s_j for the quasi-static perceptrons, r_j = sqrt(z_j^2 + 4) (gamma = tau = 1) and w_j for row j of omega.
Linearise the full system about an equilibrium and eliminate the perceptrons' part of an eigenvector: the eigenvalue
i*nu with the executive part u obeys

    i nu u_i = u_i sum_j alpha_ij s_j + x_i sum_j alpha_ij h_j (w_j . u),    h_j = s_j / (r_j + i nu mu),

an M-dimensional problem at every mu; mu = 0 is the reduced system, nu = 0 a fold. At a branch point the derivative of
the field in lam is in the range of its Jacobian as well: some u with w_j . u + psi_j in place of w_j . u makes the
right-hand side vanish, the direction of a branch that goes through.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import Array
from bifrncrn.training.weights import Weights

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Wanted:
    """A special point that a network is to have.

    Attributes
    ----------
    label : str
        `HB`, `LP` or `BP`.
    lam : (P,) array
        Where, exactly.
    state : (M,) array
        Where about.
    nu : float
        Angular frequency, about (0 at a fold).
    vector : (M,) complex array
        Critical eigenvector, about.
    mu : float
        Time-scale of the perceptrons; 0 for the reduced system.
    held : (bool, bool)
        Whether the state and the frequency are to be just these.
    """

    label: str
    lam: Array
    state: Array
    nu: float
    vector: Complex
    mu: float = 0.0
    held: tuple[bool, bool] = (False, False)

    @property
    def hopf(self) -> bool:
        """Whether the point is a Hopf point."""
        return self.label == "HB"

    def start(self) -> Array:
        """Return the unknowns beside the weights: the state, the eigenvector, and at a Hopf point the frequency."""
        u = self.vector / np.linalg.norm(self.vector)
        if self.hopf:
            return np.concatenate([self.state, u.real, u.imag, [self.nu]])
        return np.concatenate([self.state, u.real])

    def equations(self, weights: Weights, extra: Array) -> tuple[Array, Array, Array]:
        """Return residuals (e,), derivatives in the weights (e, W) and in the extra unknowns (e, E).

        The weights are ordered alpha, omega, psi, theta, beta, each row by row. The norm of the eigenvector and its
        phase are fixed by its product with the start vector.
        """
        m = len(self.state)
        x, u, nu = self._split(extra, m)
        parts = self._linearised(weights, x, u, nu, 0.0)
        return self._holding(extra, *self._assemble(*parts[:2], u, *parts[2:]))

    def _linearised(
        self, weights: Weights, x: Array, u: Complex, nu: float, along: float
    ) -> tuple[Array, Complex, Complex, Complex, Complex, Complex]:
        """Return the field, its change in the direction u and `along` times the first of lam, and their derivatives.

        Those are in the weights, and in x; those of the change in u and nu.
        """
        m, n = weights.alpha.shape
        ahead = along * (np.arange(len(self.lam)) == 0)
        z = weights.omega @ x + weights.psi @ self.lam + weights.theta
        r = np.sqrt(z * z + 4.0)
        s = np.where(z >= 0, (z + r) / 2, 2 / (r - np.minimum(z, 0)))
        low = r + 1j * nu * self.mu
        h = s / low
        dh = s / r / low - s * z / r / low**2
        through = weights.omega @ u + weights.psi @ ahead
        rate = weights.alpha @ s
        f = weights.beta + x * rate
        g = u * rate + x * (weights.alpha @ (h * through)) - 1j * nu * u

        # derivatives: f and g stacked, (2, M, ...) complex
        d_alpha = np.zeros((2, m, m, n), complex)
        each = np.arange(m)
        d_alpha[0, each, each] = x[:, None] * s
        d_alpha[1, each, each] = u[:, None] * s + x[:, None] * (h * through)
        d_z = np.stack(
            [
                (x[:, None] * weights.alpha * (s / r)).astype(complex),
                weights.alpha * (u[:, None] * (s / r) + x[:, None] * (dh * through)),
            ]
        )
        d_omega = d_z[..., None] * x
        d_omega[1] += (x[:, None] * weights.alpha * h)[..., None] * u
        d_psi = d_z[..., None] * self.lam
        d_psi[1] += (x[:, None] * weights.alpha * h)[..., None] * ahead
        d_beta = np.stack([np.eye(m), np.zeros((m, m))]).astype(complex)
        by_weights = np.concatenate([a.reshape(2, m, -1) for a in (d_alpha, d_omega, d_psi, d_z, d_beta)], axis=2)
        d_x: Complex = (d_z @ weights.omega).astype(complex)
        d_x[0] += np.diag(rate)
        d_x[1] += np.diag(weights.alpha @ (h * through))
        d_u: Complex = np.diag(rate - 1j * nu) + x[:, None] * ((weights.alpha * h) @ weights.omega)
        d_nu = x * (weights.alpha @ (-1j * self.mu * s / low**2 * through)) - 1j * u
        return f, g, by_weights, d_x, d_u, d_nu

    def _holding(self, extra: Array, residual: Array, by_weights: Array, by_extra: Array) -> tuple[Array, Array, Array]:
        """Append the equations that hold the state and the frequency."""
        m, wanted = len(self.state), self.start()
        rows = [*(range(m) if self.held[0] else ()), *([len(extra) - 1] if self.held[1] and self.hopf else ())]
        return (
            np.concatenate([residual, (extra - wanted)[rows]]),
            np.vstack([by_weights, np.zeros((len(rows), by_weights.shape[1]))]),
            np.vstack([by_extra, np.eye(len(extra))[rows]]),
        )

    def _split(self, extra: Array, m: int) -> tuple[Array, Complex, float]:
        if self.hopf:
            return extra[:m], extra[m : 2 * m] + 1j * extra[2 * m : 3 * m], float(extra[-1])
        return extra[:m], extra[m:].astype(complex), 0.0

    def _assemble(
        self, f: Array, g: Complex, u: Complex, by_weights: Complex, d_x: Complex, d_u: Complex, d_nu: Complex
    ) -> tuple[Array, Array, Array]:
        """Write the complex equations as real ones and append the normalisation of the eigenvector."""
        m, count = len(f), by_weights.shape[2]
        c = np.conj(self.vector) / np.linalg.norm(self.vector)
        size = c @ u - 1.0
        zero = np.zeros((m, m))
        if not self.hopf:
            residual = np.concatenate([f, g.real, [size.real]])
            weights = np.vstack([by_weights[0].real, by_weights[1].real, np.zeros((1, count))])
            extra = np.block([[d_x[0].real, zero], [d_x[1].real, d_u.real], [np.zeros((1, m)), c.real[None]]])
            return residual, weights, extra
        residual = np.concatenate([f, g.real, g.imag, [size.real, size.imag]])
        weights = np.vstack([by_weights[0].real, by_weights[1].real, by_weights[1].imag, np.zeros((2, count))])
        none = np.zeros((1, m))
        extra = np.block(
            [
                [d_x[0].real, zero, zero, np.zeros((m, 1))],
                [d_x[1].real, d_u.real, -d_u.imag, d_nu.real[:, None]],
                [d_x[1].imag, d_u.imag, d_u.real, d_nu.imag[:, None]],
                [none, c.real[None], -c.imag[None], np.zeros((1, 1))],
                [none, c.imag[None], c.real[None], np.zeros((1, 1))],
            ]
        )
        return residual, weights, extra


@dataclass(frozen=True, eq=False)
class Crossing(Wanted):
    """A branch point that a network is to have; the null vector of its Jacobian is `vector`.

    Attributes
    ----------
    along : (M,) array
        How the state changes with the first of lam on a branch, about; as much of the null vector as it has, it keeps.
    """

    along: Array = field(default_factory=lambda: np.zeros(0))

    def start(self) -> Array:
        """Return the unknowns beside the weights: the state, the null vector, the direction."""
        return np.concatenate([super().start(), self.along])

    def equations(self, weights: Weights, extra: Array) -> tuple[Array, Array, Array]:
        """Return residuals, derivatives in the weights and in the extra unknowns, as at a fold and the direction's."""
        m = len(self.state)
        x, u, t = extra[:m], extra[m : 2 * m].astype(complex), extra[2 * m :].astype(complex)
        parts = self._linearised(weights, x, u, 0.0, 0.0)
        residual, by_weights, by_extra = self._assemble(*parts[:2], u, *parts[2:])
        _, g, d_weights, d_x, d_t, _ = self._linearised(weights, x, t, 0.0, 1.0)
        null = self.vector.real / np.linalg.norm(self.vector)
        zero, none = np.zeros((m, m)), np.zeros((1, m))
        residual = np.concatenate([residual, g.real, [null @ (t.real - self.along)]])
        by_weights = np.vstack([by_weights, d_weights[1].real, np.zeros((1, by_weights.shape[1]))])
        by_extra = np.block(
            [
                [by_extra, np.zeros((len(by_extra), m))],
                [d_x[1].real, zero, d_t.real],
                [none, none, null[None]],
            ]
        )
        return self._holding(extra, residual, by_weights, by_extra)

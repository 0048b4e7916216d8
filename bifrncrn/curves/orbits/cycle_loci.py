"""Loci of bifurcations of periodic orbits in two parameters: minimally augmented systems on the collocation equations.

The unknowns are the orbit, the logarithm of its period, both parameters, and of a torus the angle of the multiplier. To
the equations of the orbit comes g = 0, g being the last entry of the solution of a bordered system whose matrix is that
of variations: with the period as an unknown and the phase fixed at a fold (LPC), closing up to the factor -1 where the
period doubles (PD), to exp(i theta) where a torus is born (NS; g is then complex). Doedel, Govaerts & Kuznetsov, SIAM
J. Numer. Anal. 41, 2003, 401; of a torus their real system of twice the size is a complex one here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bifrncrn.curves.orbits.collocation import (
    STEP,
    Linearised,
    Sampler,
    at_gauss,
    bordered,
    null_vectors,
    to_nodes,
)
from bifrncrn.curves.orbits.orbit import Mesh, Orbit

FOLD, DOUBLING, TORUS = "fold_of_cycles", "period_doubling", "torus"
NEWTONS = 8
CONVERGED = 1e-10
"""The last Newton step, in units of the unknowns, of a point on the locus."""
SLOW = 0.5
"""Newton steps must shrink by this."""


@dataclass(frozen=True, eq=False)
class Borders:
    """What the equations at a point are made with: null vectors, and the orbit that fixes the phase."""

    right: np.ndarray
    left: np.ndarray
    near: Linearised


@dataclass(frozen=True, eq=False)
class State:
    """A point of a locus.

    Attributes
    ----------
    mesh : Mesh
    z : array
        Nodes in units of the scale, logarithm of the period, parameters in their units, angle of a torus.
    at : Linearised
    borders : Borders
        Made there.
    tangent : array
    """

    mesh: Mesh
    z: np.ndarray
    at: Linearised
    borders: Borders
    tangent: np.ndarray


class CycleLocus:
    """The defining equations of one kind of locus.

    Parameters
    ----------
    kind : str
    sampler : Sampler
        Of both parameters.
    units : (2,) array
        Of the parameters.
    """

    def __init__(self, kind: str, sampler: Sampler, units: np.ndarray) -> None:
        self.kind, self.sampler, self.units = kind, sampler, units
        self.n = sampler.n
        self.extra = 1 if kind == TORUS else 0

    # -- a vector of unknowns ------------------------------------------------------------------------------------

    def vector(self, orbit: Orbit, scale: np.ndarray, p: np.ndarray, theta: float) -> np.ndarray:
        """Return the unknowns of an orbit."""
        rest = [np.log(orbit.period), *(p / self.units), *([theta] if self.extra else [])]
        return np.append((orbit.nodes / scale).ravel(), rest)

    def parameters(self, z: np.ndarray) -> np.ndarray:
        """Return the parameters (2,)."""
        size = len(z) - 3 - self.extra
        out: np.ndarray = z[size + 1 : size + 3] * self.units
        return out

    def theta(self, z: np.ndarray) -> float:
        """Return the angle of the multiplier of a torus."""
        return float(z[-1])

    def factor(self, z: np.ndarray) -> complex:
        """Return that to which the critical variation closes up."""
        if self.kind == TORUS:
            return complex(np.exp(1j * self.theta(z)))
        return -1.0 if self.kind == DOUBLING else 1.0

    def linearised(self, mesh: Mesh, z: np.ndarray, scale: np.ndarray) -> Linearised:
        """Return the orbit of the unknowns, linearised."""
        size = len(z) - 3 - self.extra
        p = self.parameters(z)
        orbit = Orbit(mesh, z[:size].reshape(-1, self.n) * scale, float(np.exp(z[size])), float(p[0]))
        return Linearised.of(self.sampler, orbit, p, scale)

    def weights(self, mesh: Mesh) -> np.ndarray:
        """Return the weights of the inner product of changes of the unknowns."""
        states = np.repeat(mesh.weights / self.n, self.n)
        return np.append(states, np.ones(3 + self.extra))

    # -- the equations -------------------------------------------------------------------------------------------

    def variations(self, at: Linearised, z: np.ndarray, near: Linearised) -> Any:
        """Return the matrix whose singularity defines the locus."""
        from scipy.sparse import bmat, csc_matrix

        matrix = at.matrix(self.factor(z))
        if self.kind != FOLD:
            return matrix
        column = -at.rows(at.samples.f).ravel()[:, None]
        return bmat([[matrix, csc_matrix(column)], [csc_matrix(near.flow[None]), None]], format="csc")

    def borders(self, at: Linearised, z: np.ndarray, old: Borders | None) -> Borders:
        """Return the borders that belong to an orbit, oriented as old ones."""
        matrix = self.variations(at, z, at)
        guesses = None if old is None or len(old.right) != matrix.shape[0] else (old.right, old.left)
        right, left = null_vectors(matrix, guesses)
        return Borders(right, left, at)

    def system(self, mesh: Mesh, z: np.ndarray, b: Borders) -> tuple[np.ndarray, Any, Linearised]:
        """Return residual, Jacobian (a sparse array without its last row), and the orbit linearised."""
        from scipy.sparse import bmat, csc_matrix

        scale = b.near.scale
        at = self.linearised(mesh, z, scale)
        size = at.orbit.nodes.size
        v, w, g = bordered(self.variations(at, z, b.near), b.right, b.left)
        gradient = self._gradient(at, z, v, w)
        phase = b.near.flow @ (z[:size] - (b.near.orbit.nodes / scale).ravel())
        defects = [g.real, g.imag] if self.kind == TORUS else [g.real]
        residual = np.concatenate([at.residual, [phase], defects])
        columns = np.column_stack(
            [-at.rows(at.samples.f).ravel()]
            + [-at.rows(at.samples.rates[:, :, k]).ravel() * self.units[k] for k in range(2)]
            + [np.zeros(size)] * self.extra
        )
        head = bmat([[at.matrix(), csc_matrix(columns)]], format="csr")
        rest = np.zeros((1, len(z)))
        rest[0, :size] = b.near.flow
        return residual, bmat([[head], [csc_matrix(np.vstack([rest, gradient]))]], format="csr"), at

    def _gradient(self, at: Linearised, z: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Return the derivatives of g by the unknowns: -w^H (d matrix) v."""
        size, n, factor = at.orbit.nodes.size, self.n, self.factor(z)
        slower = v[size] if self.kind == FOLD else 0.0
        left = w[:size].reshape(at.orbit.count, -1, n).conj() * at.steps / at.scale
        states = v[:size].reshape(-1, n) * at.scale
        inner = at_gauss(states, factor).reshape(-1, n)
        jacobian, rates = at.samples.jacobian, at.samples.rates
        second, crossed = self._differences(at, self.parameters(z), inner)
        flat = left.reshape(-1, n)
        by_state = np.einsum("ka,kab->kb", flat, second + slower * jacobian).reshape(left.shape)
        moved = np.einsum("kab,kb->ka", jacobian, inner) + slower * at.samples.f
        out = np.zeros(len(z), complex)
        out[:size] = (to_nodes(by_state) * at.scale).ravel()
        out[size] = np.sum(flat * moved)
        for k in range(2):
            out[size + 1 + k] = np.sum(flat * (crossed[:, :, k] + slower * rates[:, :, k])) * self.units[k]
        if self.kind != TORUS:
            return out.real[None]
        last = np.einsum("kab,b->ka", at.entries[-1, :, -1], v[:n]) * (1j * factor)
        out[-1] = -np.sum(w[:size].reshape(at.orbit.count, -1, n)[-1].conj() * last)
        return np.array([out.real, out.imag])

    def _differences(self, at: Linearised, p: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return B(v, .) (k, n, n) and the derivative of df/dp along v, (k, n, q), at the Gauss points."""
        points = at_gauss(at.orbit.nodes).reshape(-1, self.n)
        parts = [v.real, v.imag] if np.iscomplexobj(v) else [v]
        found = []
        for part in parts:
            size = float(np.max(np.abs(part) / at.scale)) or 1.0
            step = STEP / size
            after, before = (self.sampler(points + sign * step * part, p) for sign in (1.0, -1.0))
            found.append(
                ((after.jacobian - before.jacobian) / (2.0 * step), (after.rates - before.rates) / (2.0 * step))
            )
        if len(found) == 1:
            return found[0]
        return found[0][0] + 1j * found[1][0], found[0][1] + 1j * found[1][1]

    # -- Newton --------------------------------------------------------------------------------------------------

    def correct(self, mesh: Mesh, z: np.ndarray, b: Borders, row: np.ndarray, level: float) -> State | None:
        """Return the point of the locus at which row . z is a level; None where Newton's method does not converge."""
        from scipy.sparse import bmat, csc_matrix
        from scipy.sparse.linalg import splu

        weights = self.weights(mesh)
        last = np.inf
        for _ in range(NEWTONS):
            try:
                residual, jacobian, at = self.system(mesh, z, b)
                if not np.all(np.isfinite(residual)):
                    return None
                factors = splu(bmat([[jacobian], [csc_matrix(row[None])]], format="csc"))
            except RuntimeError:  # a factor is exactly singular
                return None
            step = factors.solve(-np.append(residual, row @ z - level))
            length = float(np.sqrt(np.sum(weights * step**2)))
            if not length < 1.0 or (length > SLOW * last and length > 1e-7):
                return None
            z, done = z + step, length < CONVERGED or (length > SLOW * last and length < 1e-8)
            if done:
                tangent = factors.solve(np.append(np.zeros(len(residual)), 1.0))
                tangent /= np.sqrt(np.sum(weights * tangent**2))
                return State(mesh, z, at, b, tangent)
            last = length
        return None

    def renewed(self, state: State) -> State:
        """Return a point with borders made there."""
        at = self.linearised(state.mesh, state.z, state.at.scale)
        return replace(state, at=at, borders=self.borders(at, state.z, state.borders))

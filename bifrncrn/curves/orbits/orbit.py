"""A periodic orbit as polynomials of degree 4 on the intervals of a mesh."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.layout import POINTS

_PARTS = np.arange(POINTS) / POINTS


@dataclass(frozen=True, eq=False)
class Mesh:
    """Ends of intervals (N + 1,) in the phase, from 0 to 1, and what follows from them."""

    edges: np.ndarray

    @property
    def count(self) -> int:
        """The number of intervals."""
        return len(self.edges) - 1

    @functools.cached_property
    def widths(self) -> np.ndarray:
        """The widths of the intervals, (N,)."""
        widths: np.ndarray = self.edges[1:] - self.edges[:-1]
        return widths

    @functools.cached_property
    def phases(self) -> np.ndarray:
        """The phases of the nodes, (4 N,), read-only."""
        return frozen((self.edges[:-1, None] + self.widths[:, None] * _PARTS).ravel())

    @functools.cached_property
    def weights(self) -> np.ndarray:
        """The weights (4 N,) that integrate over a period from values at the nodes."""
        weights = self.widths[:, None] * basis().weights
        weights[:, 0] += _before(weights[:, -1])
        flat: np.ndarray = weights[:, :-1].ravel()
        return flat

    def halved(self) -> Mesh:
        """Return the mesh with every interval in two."""
        middles = 0.5 * (self.edges[:-1] + self.edges[1:])
        return Mesh(np.append(np.column_stack([self.edges[:-1], middles]).ravel(), self.edges[-1]))

    def rolled(self, count: int) -> Mesh:
        """Return the mesh with the phase counted from the start of interval `count`."""
        edges = self.edges - self.edges[count]
        return Mesh(np.concatenate([edges[count:-1], edges[: count + 1] + 1.0]))


@dataclass(frozen=True, eq=False)
class Orbit:
    """A periodic orbit.

    Attributes
    ----------
    mesh : Mesh
    nodes : (4 N, n) array
        States at four even phases of each interval, the first its left end.
    period, parameter : float
    offset : (n,) array, optional
        What the states grow by in a period: whole turns of angles that go round. None: nothing.
    """

    mesh: Mesh
    nodes: np.ndarray
    period: float
    parameter: float
    offset: np.ndarray | None = None

    @property
    def count(self) -> int:
        """The number of intervals."""
        return self.mesh.count

    def at(self, phase: np.ndarray) -> np.ndarray:
        """Return the states (k, n) at phases (k,), which may be outside 0 to 1."""
        return interpolate(self.mesh, self.nodes, phase, self.offset)

    def on(self, mesh: Mesh) -> Orbit:
        """Return the orbit interpolated to another mesh."""
        return replace(self, mesh=mesh, nodes=self.at(mesh.phases))

    @functools.cached_property
    def slopes(self) -> np.ndarray:
        """The derivatives by the phase at the nodes, (4 N, n); at ends of intervals the mean of both sides."""
        count, n = self.count, self.nodes.shape[1]
        inner = np.matmul(basis().node_slopes, blocks(self.nodes, self.offset)) / self.mesh.widths[:, None, None]
        inner[:, 0] = 0.5 * (inner[:, 0] + _before(inner[:, -1]))
        return inner[:, :-1].reshape(POINTS * count, n)


def _before(values: np.ndarray) -> np.ndarray:
    """Return the values shifted by one, so that each stands where the next was."""
    return np.concatenate([values[-1:], values[:-1]])


def _after(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values[1:], values[:1]])


def blocks(nodes: np.ndarray, offset: np.ndarray | None = None) -> np.ndarray:
    """Return the values at all five points of every interval, (N, 5, n), of what grows by `offset` in a period."""
    inner = nodes.reshape(-1, POINTS, nodes.shape[1])
    ends = _after(inner[:, :1])
    if offset is not None:
        ends[-1] += offset
    return np.concatenate([inner, ends], axis=1)


def interpolate(mesh: Mesh, nodes: np.ndarray, phase: np.ndarray, offset: np.ndarray | None = None) -> np.ndarray:
    """Return the values (k, n) at phases (k,) of what is given at the nodes, and grows by `offset` in a period."""
    phase = np.asarray(phase, dtype=float)
    values = evaluate(mesh, blocks(nodes, offset), phase % 1.0)
    return values if offset is None else values + np.floor(phase)[:, None] * offset


def evaluate(mesh: Mesh, values: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return the polynomials (k, n) at phases (k,) from 0 to 1, given at all five points of every interval."""
    i = np.clip(np.searchsorted(mesh.edges, phase, side="right") - 1, 0, mesh.count - 1)
    local = (phase - mesh.edges[i]) / mesh.widths[i]
    lagrange = local[:, None] ** np.arange(POINTS + 1) @ basis().monomials
    at: np.ndarray = np.einsum("kj,kjn->kn", lagrange, values[i])
    return at

"""A periodic orbit as polynomials of degree 4 on the intervals of a mesh, and meshes that suit it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.layout import POINTS

FEWEST, MOST = 20, 400
"""Intervals of a mesh."""
ACCURACY = 2e-7
"""Error between mesh points, relative to the states' size, that a mesh is made for. Period and parameter, which
converge with order 8 instead of 5, are then good to about 1e-10."""
CONSTANT = 3e-5
"""The error of collocation with 4 points is about this times width^5 times the fifth derivative."""
GRADING = 1.0
"""The rise of the width of intervals with the phase: the next is at most about twice as wide."""
JUMP = 100.0
"""An orbit jumps where its mesh has intervals of so different widths."""
SPREAD = 0.1
"""The share of the mesh that is spread evenly, whatever the error: it keeps intervals from growing without bound."""


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
        return np.diff(self.edges)

    @property
    def jumps(self) -> bool:
        """Whether the widths are very uneven, as they are where an orbit jumps between slow parts."""
        return bool(np.max(self.widths) > JUMP * np.min(self.widths))

    @functools.cached_property
    def phases(self) -> np.ndarray:
        """The phases of the nodes, (4 N,)."""
        phases: np.ndarray = (self.edges[:-1, None] + self.widths[:, None] * (np.arange(POINTS) / POINTS)).ravel()
        return phases

    @functools.cached_property
    def weights(self) -> np.ndarray:
        """The weights (4 N,) that integrate over a period from values at the nodes."""
        weights = self.widths[:, None] * basis().weights
        weights[:, 0] += _before(weights[:, -1])
        flat: np.ndarray = weights[:, :-1].ravel()
        return flat

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
    """

    mesh: Mesh
    nodes: np.ndarray
    period: float
    parameter: float

    @property
    def count(self) -> int:
        """The number of intervals."""
        return self.mesh.count

    def at(self, phase: np.ndarray) -> np.ndarray:
        """Return the states (k, n) at phases (k,), taken modulo 1."""
        return interpolate(self.mesh, self.nodes, phase)

    def on(self, mesh: Mesh) -> Orbit:
        """Return the orbit interpolated to another mesh."""
        return Orbit(mesh, self.at(mesh.phases), self.period, self.parameter)

    @functools.cached_property
    def slopes(self) -> np.ndarray:
        """The derivatives by the phase at the nodes, (4 N, n); at ends of intervals the mean of both sides."""
        count, n = self.count, self.nodes.shape[1]
        inner = np.matmul(basis().node_slopes, blocks(self.nodes)) / self.mesh.widths[:, None, None]
        inner[:, 0] = 0.5 * (inner[:, 0] + _before(inner[:, -1]))
        return inner[:, :-1].reshape(POINTS * count, n)


def _before(values: np.ndarray) -> np.ndarray:
    """Return the values shifted by one, so that each stands where the next was."""
    return np.concatenate([values[-1:], values[:-1]])


def _after(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values[1:], values[:1]])


def blocks(nodes: np.ndarray) -> np.ndarray:
    """Return the values at all five points of every interval, (N, 5, n)."""
    inner = nodes.reshape(-1, POINTS, nodes.shape[1])
    return np.concatenate([inner, _after(inner[:, :1])], axis=1)


def interpolate(mesh: Mesh, nodes: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return the values (k, n) at phases (k,), taken modulo 1, of what is given at the nodes."""
    edges = mesh.edges
    phase = np.asarray(phase, dtype=float) % 1.0
    i = np.clip(np.searchsorted(edges, phase, side="right") - 1, 0, mesh.count - 1)
    local = (phase - edges[i]) / mesh.widths[i]
    lagrange = local[:, None] ** np.arange(POINTS + 1) @ basis().monomials
    values: np.ndarray = np.einsum("kj,kjn->kn", lagrange, blocks(nodes)[i])
    return values


def density(mesh: Mesh, nodes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the fifth root of the fifth derivative in every interval, (N,), the largest over the states.

    The derivative is the jump of the fourth between neighbours (de Boor 1973; Ascher, Mattheij & Russell, 9.1).
    """
    widths = mesh.widths
    top = np.tensordot(blocks(nodes), basis().top, axes=(1, 0)) / (widths[:, None] ** POINTS * scale)
    jump = np.max(np.abs(_after(top) - top), axis=1) / (0.5 * (widths + _after(widths)))
    root: np.ndarray = np.maximum(jump, _before(jump)) ** (1.0 / (POINTS + 1))
    return root


def error(mesh: Mesh, steepness: np.ndarray) -> np.ndarray:
    """Return the estimated error in every interval, relative to the states' size."""
    estimate: np.ndarray = CONSTANT * (mesh.widths * steepness) ** (POINTS + 1)
    return estimate


def intervals_for(mesh: Mesh, steepness: np.ndarray) -> int:
    """Return the number of intervals that ACCURACY asks for."""
    total = float(mesh.widths @ steepness) * (CONSTANT / ACCURACY) ** (1.0 / (POINTS + 1))
    return min(max(int(np.ceil(total / (1.0 - SPREAD))), FEWEST), MOST)


def equidistributed(mesh: Mesh, steepness: np.ndarray, count: int) -> Mesh:
    """Return a mesh of `count` intervals with the error spread evenly over them, neighbours of similar widths.

    Widths follow a function of the phase that is linear between the old edges and nowhere steeper than GRADING.
    """
    smooth = np.maximum((_before(steepness) + 2.0 * steepness + _after(steepness)) / 4.0, 1e-300)
    share = smooth / float(smooth @ mesh.widths) * (1.0 - SPREAD) + SPREAD
    at_edges = 1.0 / np.maximum(share, _before(share))
    at_edges = _graded(at_edges, GRADING * count * mesh.widths)
    first, last = at_edges, _after(at_edges)
    slope = (last - first) / mesh.widths
    level = np.abs(last - first) < 1e-6 * first
    rises = np.where(level, 1.0, slope)
    steps = np.where(level, mesh.widths / first, np.log(last / first) / rises)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, along[-1], count + 1)[1:-1]
    i = np.clip(np.searchsorted(along, wanted, side="right") - 1, 0, mesh.count - 1)
    rest = wanted - along[i]
    inside = first[i] * np.where(level[i], rest, np.expm1(rises[i] * rest) / rises[i])
    return Mesh(np.concatenate([[0.0], mesh.edges[i] + np.minimum(inside, mesh.widths[i]), [1.0]]))


def _graded(values: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Return the largest values below these that rise by at most `reach[i]` from place i to the next, and falling too.

    Places go round in a circle, so both passes start at the smallest.
    """
    start = int(np.argmin(values))
    graded = np.append(np.roll(values, -start), values[start])
    along = np.concatenate([[0.0], np.cumsum(np.roll(reach, -start))])
    graded = along + np.minimum.accumulate(graded - along)
    graded = np.minimum.accumulate((graded + along)[::-1])[::-1] - along
    return np.roll(graded[:-1], start)

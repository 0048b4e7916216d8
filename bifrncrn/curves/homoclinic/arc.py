"""An orbit between saddles over a finite time: polynomials on a mesh, cut or lengthened so that its ends are near them.

Near a saddle the orbit is what the linear flow makes of it: where it ends too far away it goes on like that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.layout import POINTS
from bifrncrn.curves.orbits.orbit import Mesh, evaluate

NEAR = 1e-4
"""How far the ends of the orbit are from the saddle, in terms of its extent. The projection conditions are wrong by the
square of that, and the parameter by less."""
LONGEST = 1e3
"""The orbit lasts at most so many times as long as where it is away from the saddle."""
INTERVALS = 60
EVEN = 0.1
"""The part of the mesh's density that is the same everywhere, in terms of its mean."""
SAMPLES = 16
"""Phases per interval among which the places are looked for at which the orbit is near to the saddle."""


@dataclass(frozen=True, eq=False)
class Arc:
    """An orbit that leaves a saddle and comes back to it, or to another.

    Attributes
    ----------
    edges : (N + 1,) array
        Ends of the intervals, the phase running from 0 to 1.
    nodes : (4 N + 1, n) array
        States at four even phases of each interval, and at the last end.
    time : float
        That passes from the first to the last.
    saddle : (n,) array
    p : (2,) array
        Both parameters.
    goal : (n,) array, optional
        The saddle it comes to where that is another one.
    """

    edges: np.ndarray
    nodes: np.ndarray
    time: float
    saddle: np.ndarray
    p: np.ndarray
    goal: np.ndarray | None = None

    @property
    def rests(self) -> np.ndarray:
        """The saddle, or both, (1, n) or (2, n)."""
        return np.array([self.saddle] if self.goal is None else [self.saddle, self.goal])

    @property
    def count(self) -> int:
        """The number of intervals."""
        return len(self.edges) - 1

    @property
    def phases(self) -> np.ndarray:
        """The phases of the nodes, (4 N + 1,)."""
        return phases_of(self.edges)

    @property
    def extent(self) -> np.ndarray:
        """What every state sweeps, (n,); of those that hardly move a part of what the others sweep."""
        size: np.ndarray = np.ptp(self.nodes, axis=0)
        return np.maximum(size, 1e-3 * size.max())

    def blocks(self) -> np.ndarray:
        """Return the nodes of every interval, (N, 5, n)."""
        return blocks_of(self.nodes)

    def at(self, phase: np.ndarray) -> np.ndarray:
        """Return the states (k, n) at phases from 0 to 1."""
        return evaluate(Mesh(self.edges), self.blocks(), phase)


def phases_of(edges: np.ndarray) -> np.ndarray:
    """Return the phases (4 N + 1,) of the nodes of a mesh, the last end with them."""
    return np.append(Mesh(edges).phases, edges[-1])


def blocks_of(nodes: np.ndarray) -> np.ndarray:
    """Return what is given at the nodes (4 N + 1, n), interval by interval, (N, 5, n)."""
    count, n = (len(nodes) - 1) // POINTS, nodes.shape[1]
    return np.concatenate([nodes[:-1].reshape(count, POINTS, n), nodes[POINTS::POINTS, None]], axis=1)


def fitted(arc: Arc, matrices: np.ndarray) -> Arc | None:
    """Return the orbit with its ends near the saddles, on a mesh that suits it; None where it had to be too long.

    Parameters
    ----------
    arc : Arc
    matrices : (k, n, n) array
        The Jacobians at its saddle, or at both.
    """
    fine = (arc.edges[:-1, None] + np.diff(arc.edges)[:, None] * np.arange(SAMPLES) / SAMPLES).ravel()
    phases = np.append(fine, 1.0)
    states = arc.at(phases)
    begin, finish = arc.rests[0], arc.rests[-1]
    distances = [np.max(np.abs(states - rest) / arc.extent, axis=1) for rest in (begin, finish)]
    outward, inward = (np.flatnonzero(distance > NEAR) for distance in distances)
    if not len(outward) or not len(inward) or outward[0] > inward[-1]:
        return None
    head, tail = int(outward[0]), int(inward[-1])
    first, last = (float(phases[k]) * arc.time for k in (head, tail))
    before, after = _modes(matrices[0], states[0] - begin, 1.0), _modes(matrices[-1], states[-1] - finish, -1.0)
    if before is None or after is None:
        return None
    start = first if head else -float(np.log(distances[0][0] / NEAR)) / before.rate
    end = last if tail < len(phases) - 1 else arc.time + float(np.log(distances[1][-1] / NEAR)) / after.rate
    if not end - start <= LONGEST * (last - first):
        return None

    def state(phase: np.ndarray) -> np.ndarray:
        t = start + phase * (end - start)
        inside = arc.at(np.clip(t / arc.time, 0.0, 1.0))
        inside[t < 0.0] = begin + before(t[t < 0.0])
        inside[t > arc.time] = finish + after(t[t > arc.time] - arc.time)
        return inside

    edges = np.linspace(0.0, 1.0, len(arc.edges))
    grown = [np.clip((edge * arc.time - start) / (end - start), 0.0, 1.0) for edge in arc.edges]
    edges = np.unique(np.concatenate([grown, edges[[0, -1]], np.linspace(0.0, 1.0, INTERVALS)]))
    edges = spread(edges, state(phases_of(edges)), arc.extent)
    edges = spread(edges, state(phases_of(edges)), arc.extent)
    return Arc(edges, state(phases_of(edges)), end - start, arc.saddle, arc.p, arc.goal)


@dataclass(frozen=True, eq=False)
class _Modes:
    """How a deviation from the saddle goes on by the linear flow."""

    rates: np.ndarray
    parts: np.ndarray
    rate: float

    def __call__(self, times: np.ndarray) -> np.ndarray:
        """Return the deviations (k, n) after times (k,)."""
        values: np.ndarray = (np.exp(times[:, None] * self.rates) @ self.parts).real
        return values


def _modes(matrix: np.ndarray, deviation: np.ndarray, sign: float) -> _Modes | None:
    """Return the unstable (sign 1) or the stable (-1) modes in a deviation; None where there are none."""
    values, vectors = np.linalg.eig(matrix)
    try:
        parts = np.linalg.solve(vectors, deviation.astype(complex))
    except np.linalg.LinAlgError:
        return None
    kept = sign * values.real > 0.0
    if not np.any(kept):
        return None
    return _Modes(values[kept], (vectors[:, kept] * parts[kept]).T, float(np.min(np.abs(values[kept].real))))


def spread(edges: np.ndarray, nodes: np.ndarray, scale: np.ndarray, count: int = INTERVALS) -> np.ndarray:
    """Return the ends of intervals in which the error of the polynomials is about the same (de Boor's rule).

    Their fifth derivative is taken from the steps of the fourth.
    """
    widths = np.diff(edges)
    fourth = np.einsum("j,ijn->in", basis().top, blocks_of(nodes) / scale) / widths[:, None] ** 4
    steps = np.max(np.abs(np.diff(fourth, axis=0)), axis=1) / (0.5 * (widths[1:] + widths[:-1]))
    fifth = np.concatenate([steps[:1], 0.5 * (steps[1:] + steps[:-1]), steps[-1:]]) ** 0.2
    density = fifth + EVEN * float(np.sum(fifth * widths)) + 1e-12
    whole = np.append(0.0, np.cumsum(density * widths))
    new: np.ndarray = np.interp(np.linspace(0.0, whole[-1], count + 1), whole, edges)
    new[[0, -1]] = 0.0, 1.0
    return new

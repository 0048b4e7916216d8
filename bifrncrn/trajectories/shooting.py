"""Newton's method for a periodic orbit: shooting over many intervals at once, with the exact variational equations.

In every interval the integrator is Radau IIA with five stages (order 9, stiffly accurate: Hairer & Wanner, Solving
Ordinary Differential Equations II, IV.5), so that stiff systems need no more intervals than others; its stages are
unknowns too, and are eliminated interval by interval. The product of the intervals' sensitivities is the monodromy
matrix.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.models.field import Field
from bifrncrn.models.sizes import unit_choices
from bifrncrn.models.system import System

TURN = 2.0 * np.pi
STAGES = 5
ITERATIONS = 15
HARDLY = 1e-6
"""A state whose extent is below this part of its size, and of what makes it move, hardly moves."""
NOISE = 1e-13
"""Less than this part of the largest state is what linear algebra makes of a zero beside it."""
LOOKED = 5
"""So many states of an orbit tell the size of the terms in the equations."""
STEP_TOLERANCE = 1e-12
STAGNATED = 1e-8
"""A Newton step below this (relative to the orbit's size) that no longer halves is at the level of rounding."""
CLOSED = 1e-8
"""An orbit whose pieces do not meet this closely (relative to its size) is none: where neighbours part by 1e10 in a
turn rounding leaves such gaps, however small the step. One that is smaller itself is at rest."""
RANK = 1e-13
"""Singular values below this, relative to the largest, count as zero."""
LOST, RETURNED = 1e-10, 0.1
"""A state is known to no digit below the first part of its largest value. On a cycle its logarithm comes back, within
the second: sums over the mesh are good to a hundredth."""
SEEN = 20
"""At so many states it is looked whether an equation keeps zero what is zero."""
GROWTH = 1.5
MOST_INTERVALS = 420
MEMORY = 4_000_000
"""Numbers in the blocks that are eliminated together."""


@dataclass(frozen=True, eq=False)
class Orbit:
    """A periodic orbit, as polynomials of degree 5 on intervals of the phase 0 to 1.

    Attributes
    ----------
    period : float
    edges : (N + 1,) array
        Ends of the intervals.
    nodes : (N, 6, n) array
        States at the left edge and at the five stages of every interval.
    monodromy : (n, n) array
    residual : float
        The largest of the equations' residuals, relative to the size of the orbit.
    scale : (n,) array
        The size of the orbit in every direction.
    error : float
        Estimated relative error of the period: its change when the intervals were last refined.
    offset : (n,) array, optional
        What the states grow by in a period: whole turns of angles that go round. None: nothing.
    """

    period: float
    edges: np.ndarray
    nodes: np.ndarray
    monodromy: np.ndarray
    residual: float
    scale: np.ndarray
    error: float = np.inf
    offset: np.ndarray | None = None

    def phases(self, each: int) -> np.ndarray:
        """Return phases from 0 to less than 1, `each` of them in every interval: close where the orbit bends."""
        return (self.edges[:-1, None] + np.diff(self.edges)[:, None] * np.arange(each) / each).ravel()

    def at(self, phase: np.ndarray) -> np.ndarray:
        """Return the states (k, n) at phases (k,), which may be outside 0 to 1."""
        phase = np.asarray(phase, dtype=float)
        turns, phase = np.floor(phase), phase % 1.0
        i = np.clip(np.searchsorted(self.edges, phase, side="right") - 1, 0, len(self.edges) - 2)
        local = (phase - self.edges[i]) / np.diff(self.edges)[i]
        states = np.einsum("kj,kjn->kn", _lagrange(local), self.nodes[i])
        return states if self.offset is None else states + turns[:, None] * self.offset


@dataclass(frozen=True, eq=False)
class Phase:
    """What fixes the phase, normal . (first state - anchor) = 0, the size of the orbit in every direction, offset."""

    anchor: np.ndarray
    normal: np.ndarray
    scale: np.ndarray
    offset: np.ndarray | None = None

    def gaps(self, nodes: np.ndarray) -> np.ndarray:
        """Return how far the ends of the intervals are from the starts of the next, (N, n)."""
        gaps = nodes[:, -1] - np.roll(nodes[:, 0], -1, axis=0)
        if self.offset is not None:
            gaps[-1] -= self.offset
        return gaps


@functools.cache
def _tableau() -> tuple[np.ndarray, np.ndarray]:
    """Return the nodes c (5,) and the matrix A (5, 5) of Radau IIA."""
    from scipy.special import roots_jacobi

    c = np.append((1 + roots_jacobi(STAGES - 1, 1, 0)[0]) / 2, 1.0)
    powers = c[:, None] ** np.arange(STAGES + 1)
    integrals = powers[:, 1:] / np.arange(1, STAGES + 1)
    return c, np.linalg.solve(powers[:, :-1].T, integrals.T).T


def _lagrange(local: np.ndarray) -> np.ndarray:
    """Return the values (k, 6) of the Lagrange polynomials of 0 and the stages at places in [0, 1]."""
    points = np.append(0.0, _tableau()[0])
    basis = np.ones((local.size, points.size))
    for j, point in enumerate(points):
        for other in np.delete(points, j):
            basis[:, j] *= (local - other) / (point - other)
    return basis


@np.errstate(all="ignore")  # after a wild step, or along a trajectory at rest, numbers overflow: then there is no orbit
def find_orbit(
    field: Field, times: np.ndarray, states: np.ndarray, tolerance: float = 1e-10, offset: np.ndarray | None = None
) -> Orbit | None:
    """Return the periodic orbit near one turn of a trajectory, or None when Newton's method finds none.

    Parameters
    ----------
    field : Field
    times : (k,) array
        Ascending; the last minus the first is the guess of the period.
    states : (k, n) array
        The last about equal to the first, but for `offset`.
    tolerance : float
        The intervals are refined until the period changes relatively by less, and the orbit by a hundred times that.
    offset : (n,) array, optional
        What the states are to grow by in a period (`Orbit`).
    """
    period = float(times[-1] - times[0])
    if not period > 0 or len(times) < 8:
        return None
    for scale in _scales(field, states, period):
        orbit = _found(field, times, states, scale, tolerance, offset)
        if orbit is not None and not _is_open(field, orbit):
            return orbit
    return None


def _is_open(field: Field, orbit: Orbit) -> bool:
    """Say whether a state that falls far below its errors, and that its equation keeps zero, does not come back.

    An extinct species stays extinct: x' = x g, and on a cycle the integral of g is zero. Where x is smaller than its
    error, orbits close that are none.
    """
    phases = orbit.phases(2 * STAGES)
    states = orbit.at(phases)
    sizes = np.abs(states).max(axis=0)
    for k in np.flatnonzero(np.abs(states).min(axis=0) < LOST * sizes):
        there = states[:: len(states) // SEEN + 1].copy()
        there[:, k] = 0.0
        if any(field.rhs(0.0, x)[k] != 0.0 for x in there):
            continue
        growth = np.array([field.rhs(0.0, x)[k] / x[k] if x[k] != 0.0 else 0.0 for x in states])
        closed = np.append(growth, growth[0])
        total = 0.5 * np.sum((closed[1:] + closed[:-1]) * np.diff(np.append(phases, 1.0))) * orbit.period
        if abs(total) > RETURNED:
            return True
    return False


def _found(
    field: Field,
    times: np.ndarray,
    states: np.ndarray,
    scale: np.ndarray,
    tolerance: float,
    offset: np.ndarray | None,
) -> Orbit | None:
    """Return the periodic orbit near one turn of a trajectory, whose size in every direction is known."""
    period = float(times[-1] - times[0])
    count = int(np.clip(len(times) // 5, 20, 80))
    phases = (times - times[0]) / period
    edges = np.interp(np.linspace(0, len(times) - 1, count + 1), np.arange(len(times)), phases)
    nodes = hermite(phases, states, field.many(states) * period, _places(edges)).reshape(count, STAGES + 1, -1)
    anchor = states[0].copy()
    phase = Phase(anchor, field.rhs(0.0, anchor) / scale**2, scale, offset)
    orbit = _newton(field, edges, nodes, period, phase)
    sample = np.linspace(0, 1, 200, endpoint=False)
    while orbit is not None and count < MOST_INTERVALS:
        count = min(int(GROWTH * count) + 1, MOST_INTERVALS)
        edges = _remesh(orbit, count, scale)
        nodes = orbit.at(_places(edges)).reshape(count, STAGES + 1, -1)
        finer = _newton(field, edges, nodes, orbit.period, phase)
        if finer is None:
            return None
        error = abs(finer.period - orbit.period) / finer.period
        moved = float(np.max(np.abs(finer.at(sample) - orbit.at(sample)) / scale))
        orbit = replace(finer, scale=scale, error=error)
        if error < tolerance and moved < 100 * tolerance:
            break
    return orbit


def orbit_through(field: Field, times: np.ndarray, states: np.ndarray) -> Orbit:
    """Return the orbit through states (k, n) that are already exact; its monodromy matrix is not known (NaN).

    The last state equals the first but for whole turns of angles, and the last time minus the first is the period.
    """
    period, n = float(times[-1] - times[0]), states.shape[1]
    edges = (times - times[0]) / period
    nodes = hermite(edges, states, field.many(states) * period, _places(edges)).reshape(len(edges) - 1, STAGES + 1, -1)
    offset = turns_of(field.system, states[-1] - states[0])
    return Orbit(period, edges, nodes, np.full((n, n), np.nan), np.nan, np.ptp(states, axis=0), offset=offset)


def turns_of(system: System, change: np.ndarray) -> np.ndarray | None:
    """Return the whole turns of a system's angles that a change of the states (n,) is, None where it is of none."""
    places = [system.variables.index(name) for name in system.periodic]
    offset = np.zeros(len(change))
    offset[places] = TURN * np.round(change[places] / TURN)
    return offset if offset.any() else None


def _scales(field: Field, states: np.ndarray, period: float) -> list[np.ndarray]:
    """Return sizes of the orbit in every direction that are to be tried in turn.

    One in which it hardly moves counts by its magnitude, and that of the terms in its equation: below is rounding. So
    is what is next to nothing beside the largest, whatever unit that may have.
    """
    looked = states[:: len(states) // LOOKED + 1]
    terms = np.max([field.system.rounding(x, field.values) for x in looked], axis=0) / np.finfo(float).eps
    moves = np.maximum(np.abs(states).max(axis=0), terms * period)
    own = np.maximum(np.ptp(states, axis=0), HARDLY * moves)
    return [
        np.maximum(own, np.maximum(NOISE * units * float((moves / units).max()), 1e-300))
        for units in unit_choices(field.system, states[0], moves, NOISE, field.values)
    ]


def _places(edges: np.ndarray) -> np.ndarray:
    """Return the phases (N * 6,) of the left edges and stages."""
    return (edges[:-1, None] + np.diff(edges)[:, None] * np.append(0.0, _tableau()[0])).ravel()


def hermite(t: np.ndarray, x: np.ndarray, slope: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the cubic spline with these values (k, n) and slopes at times t (k,), at others."""
    from scipy.interpolate import CubicHermiteSpline

    return np.asarray(CubicHermiteSpline(t, x, slope)(np.clip(at, t[0], t[-1])))


def _remesh(orbit: Orbit, count: int, scale: np.ndarray) -> np.ndarray:
    """Return edges that spread the interpolation error evenly (de Boor; Ascher, Mattheij & Russell, 9.1)."""
    points = np.append(0.0, _tableau()[0])
    weights = np.array([1 / np.prod(p - np.delete(points, j)) for j, p in enumerate(points)])
    widths = np.diff(orbit.edges)
    top = np.einsum("j,ijn->in", weights, orbit.nodes) / widths[:, None] ** STAGES / scale
    jump = np.abs(np.diff(top, axis=0, append=top[:1])).max(axis=1) / (0.5 * (widths + np.roll(widths, -1)))
    density = np.maximum(jump, np.roll(jump, 1)) ** (1 / (STAGES + 1))
    total = float(np.sum(density * widths))
    density = density + 0.2 * total if total > 0 else np.ones_like(widths)
    along = np.concatenate([[0.0], np.cumsum(density * widths)])
    edges = np.interp(np.linspace(0, along[-1], count + 1), along, orbit.edges)
    edges[0], edges[-1] = 0.0, 1.0
    return edges


def _newton(field: Field, edges: np.ndarray, nodes: np.ndarray, period: float, phase: Phase) -> Orbit | None:
    """Correct nodes and period."""
    nodes = nodes.copy()
    previous = np.inf
    for _ in range(ITERATIONS):
        if not np.all(np.isfinite(nodes)) or not period > 0:
            return None
        with np.errstate(over="ignore", invalid="ignore"):  # a step that is not finite ends it below
            solved = _linear_solve(field, np.diff(edges), nodes, period, phase)
        if solved is None:
            return None
        change, change_period, monodromy, residual = solved
        size = max(float(np.max(np.abs(change) / phase.scale)), abs(change_period) / period)
        if not np.isfinite(size) or size > 1e3:
            return None
        nodes += change
        period += change_period
        gap = float(np.max(np.abs(phase.gaps(nodes)) / phase.scale))
        if gap < CLOSED and (size < STEP_TOLERANCE or (size < STAGNATED and size > 0.5 * previous)):
            if not np.any(np.ptp(nodes, axis=(0, 1)) > CLOSED * phase.scale):
                return None  # an equilibrium
            left = max(float(np.max(np.abs(residual) / phase.scale)), gap)
            return Orbit(float(period), edges, nodes, monodromy, left, phase.scale, offset=phase.offset)
        previous = size
    return None


def _linear_solve(
    field: Field, widths: np.ndarray, nodes: np.ndarray, period: float, phase: Phase
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray] | None:
    """Return the Newton step of nodes and period, the monodromy matrix, and the residuals of the stages (N, 5, n)."""
    count, _, n = nodes.shape
    solution = np.empty((count, STAGES * n, n + 2))
    residual = np.empty((count, STAGES, n))
    chunk = max(1, MEMORY // (STAGES * n) ** 2)
    try:
        for first in range(0, count, chunk):
            part = slice(first, first + chunk)
            solution[part], residual[part] = _eliminate(field, widths[part], nodes[part], period)
        gap = phase.gaps(nodes)
        last = solution[:, -n:]
        total = np.hstack([np.eye(n), np.zeros((n, 2))])  # of the first state, the period, and what is known
        known = last[:, :, n:].copy()
        known[:, :, 1] += gap
        for i in range(count):
            total = last[i, :, :n] @ total
            total[:, n:] += known[i]
        if not np.all(np.isfinite(total)):
            return None
        monodromy = total[:, :n].copy()
        step = _close(monodromy, total[:, n], total[:, n + 1], phase, period, nodes[0, 0])
    except np.linalg.LinAlgError:
        return None
    change = np.empty_like(nodes)
    at = step[:n]
    for i in range(count):
        change[i, 0] = at
        change[i, 1:] = (solution[i, :, :n] @ at + solution[i, :, n] * step[n] + solution[i, :, n + 1]).reshape(
            STAGES, n
        )
        at = change[i, -1] + gap[i]
    return change, float(step[n]), monodromy, residual


@dataclass(frozen=True, eq=False)
class NewtonStep:
    """What Newton's method would change of the first state (n,), and the monodromy matrix (n, n) there."""

    first: np.ndarray
    monodromy: np.ndarray


@np.errstate(all="ignore")
def newton_step(field: Field, orbit: Orbit, nodes: np.ndarray) -> NewtonStep | None:
    """Return the next step of Newton's method from nodes (N, 6, n) on the mesh of an orbit; None where it has none."""
    anchor = nodes[0, 0]
    phase = Phase(anchor, field.rhs(0.0, anchor) / orbit.scale**2, orbit.scale, orbit.offset)
    solved = _linear_solve(field, np.diff(orbit.edges), nodes, orbit.period, phase)
    return None if solved is None else NewtonStep(solved[0][0, 0], solved[2])


def carried(field: Field, orbit: Orbit, first: np.ndarray) -> np.ndarray:
    """Return how the nodes (N, 6, n) of an orbit change where the first state is changed, the time being the same."""
    change = np.empty_like(orbit.nodes)
    n = len(first)
    for i, width in enumerate(np.diff(orbit.edges)):
        solution, _ = _eliminate(field, np.array([width]), orbit.nodes[i : i + 1], orbit.period)
        change[i, 0] = first
        change[i, 1:] = (solution[0, :, :n] @ first).reshape(STAGES, n)
        first = change[i, -1]
    return change


def _close(
    monodromy: np.ndarray, by_period: np.ndarray, known: np.ndarray, phase: Phase, period: float, first: np.ndarray
) -> np.ndarray:
    """Return the change of the first state and of the period that closes the orbit, (n + 1,).

    Least squares because a conservation law makes the equations singular, and consistent: the orbit nearest is taken.
    """
    n = len(known)
    size = np.append(phase.scale, period)
    matrix = np.zeros((n + 1, n + 1))
    matrix[:n, :n] = np.eye(n) - monodromy
    matrix[:n, n] = -by_period
    matrix[n, :n] = phase.normal
    matrix[:n] /= phase.scale[:, None]
    matrix *= size
    right = np.append(known / phase.scale, -phase.normal @ (first - phase.anchor))
    matrix[n] /= (row := np.abs(matrix[n]).max())
    right[n] /= row
    if not np.isfinite(matrix).all():  # at rest the phase is fixed by nothing; LAPACK would complain on the terminal
        raise np.linalg.LinAlgError
    return size * np.linalg.lstsq(matrix, right, rcond=RANK)[0]


def _eliminate(field: Field, widths: np.ndarray, nodes: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Solve for the stages of each interval: by its first state (n columns), by the period, and what is known."""
    _, a = _tableau()
    count, _, n = nodes.shape
    stages = nodes[:, 1:]
    f, jacobians = field.linearize(stages.reshape(-1, n))
    f, jacobians = f.reshape(count, STAGES, n), jacobians.reshape(count, STAGES, n, n)
    integral = np.einsum("jk,ikn->ijn", a, f) * widths[:, None, None]
    residual = stages - nodes[:, :1] - period * integral
    blocks = -period * np.einsum("i,jk,ikab->ijakb", widths, a, jacobians).reshape(count, STAGES * n, STAGES * n)
    blocks[:, np.arange(STAGES * n), np.arange(STAGES * n)] += 1.0
    right = np.empty((count, STAGES, n, n + 2))
    right[..., :n] = np.eye(n)
    right[..., n] = integral
    right[..., n + 1] = -residual
    return np.linalg.solve(blocks, right.reshape(count, STAGES * n, n + 2)), residual

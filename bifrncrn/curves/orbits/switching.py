"""Leaving a branch of orbits at a branch point of cycles, or at a period doubling, where twice the orbit is one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.orbits import events
from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.branch import Place, orbit_from
from bifrncrn.curves.orbits.corrector import Corrector
from bifrncrn.curves.orbits.layout import POINTS, STIFF
from bifrncrn.curves.orbits.orbit import Mesh, Orbit, blocks

SIZES = (0.03, 0.01, 3e-3, 1e-3, 3e-4)
"""How far away along the new branch its first orbit is looked for, in units of the metric, tried in turn."""
ASTRAY = 2.0
"""The first orbit is not further away than this many times what was asked for."""
CONTRACTION = 0.3
"""Newton's method converges at least so fast to it."""


def doubled(place: Place) -> Place:
    """Return the orbit gone round twice: it lies on the branch of doubled period too."""
    orbit, n = place.orbit, place.orbit.nodes.shape[1]
    edges = np.concatenate([orbit.mesh.edges[:-1] / 2.0, (1.0 + orbit.mesh.edges) / 2.0])
    nodes, offset = np.tile(orbit.nodes, (2, 1)), orbit.offset
    if offset is not None:
        nodes[len(orbit.nodes) :] += offset
        offset = 2.0 * offset
    twice = Orbit(Mesh(edges), nodes, 2.0 * orbit.period, orbit.parameter, offset)
    tangent = np.append(np.tile(place.tangent[:-2].reshape(-1, n), (2, 1)).ravel(), place.tangent[-2:])
    return replace(place, orbit=twice, tangent=tangent, known=place.multipliers**2).measured(place.metric)


def half_difference(orbit: Orbit) -> np.ndarray:
    """Return half of what the states half a period later are beside those at the nodes, (4 N, n).

    Of angles that go round less what they do in half of a period.
    """
    gap = orbit.at(orbit.mesh.phases + 0.5) - orbit.nodes
    return 0.5 * (gap if orbit.offset is None else gap - 0.5 * orbit.offset)


def direction(problem: EquilibriumProblem, place: Place) -> np.ndarray | None:
    """Return the direction in which another branch leaves at a place, normal to the tangent and of unit length.

    It is the second null vector of the linearised collocation equations, computed with one random border.
    """
    from scipy.sparse import bmat, csc_matrix
    from scipy.sparse.linalg import splu

    matrix, units = _linearised(problem, place)
    size = matrix.shape[0]
    rng = np.random.default_rng(0)
    column, row = rng.standard_normal((2, size))
    whole = bmat([[matrix, csc_matrix(column[:, None])], [csc_matrix(row[None]), None]], format="csc")
    try:
        found = splu(whole).solve(np.append(np.zeros(size), 1.0))[:-1] * units
    except RuntimeError:  # a factor is exactly singular
        return None
    length = place.length(found)
    return found / length if np.isfinite(length) and length > 0.0 else None


def leave(corrector: Corrector, place: Place, along: np.ndarray) -> Place | None:
    """Return the first orbit of the branch that leaves a place in a direction, its tangent away from it."""
    for size in SIZES:
        guess = orbit_from(place.orbit, place.coordinates + size * along)
        done = corrector.correct(guess, along, place.orbit, place.metric)
        if isinstance(done, int) or done.contraction > CONTRACTION:
            continue
        found = Place.of(done, place.metric)
        gap = found.coordinates - place.coordinates
        if place.length(gap) < ASTRAY * size:
            found = found.measured(place.metric)
            if size > SIZES[-1] and not _beside(place, found):
                continue
            outward = float(found.tangent @ (place.dual * along)) >= 0.0
            return found if outward else replace(found, tangent=-found.tangent)
    return None


def _beside(place: Place, found: Place) -> bool:
    """Say whether nothing lies between the point and the first orbit but what one multiplier does that leaves 1."""
    changes = events.changes(place, found)
    return changes is None or (abs(changes[0]) <= 1 and changes[1] == changes[2] == 0)


def _linearised(problem: EquilibriumProblem, place: Place) -> tuple[Any, np.ndarray]:
    """Return the matrix of collocation, phase and tangent conditions, and the units of its unknowns."""
    from scipy.sparse import csc_matrix

    orbit, metric = place.orbit, place.metric
    values, slopes = basis().points(place.corrected.rate > STIFF)
    count, n = orbit.count, orbit.nodes.shape[1]
    unknowns = POINTS * count * n + 2
    units = np.append(np.tile(metric.scale, POINTS * count), [1.0, metric.unit])
    rows, columns, entries = [], [], []
    states = np.matmul(values, blocks(orbit.nodes, orbit.offset))  # (N, 4, n)
    for i in range(count):
        step = orbit.mesh.widths[i] * orbit.period
        nodes = (POINTS * i + np.arange(POINTS + 1)) % (POINTS * count)
        for k in range(POINTS):
            f, jacobian = problem.linearize(np.append(states[i, k], orbit.parameter))
            lead = (POINTS * i + k) * n + np.arange(n)
            for j, node in enumerate(nodes):
                block = slopes[k, j] * np.eye(n) - step * values[k, j] * jacobian[:, :n]
                rows.append(np.repeat(lead, n))
                columns.append(np.tile(node * n + np.arange(n), n))
                entries.append((block * metric.scale / metric.scale[:, None]).ravel())
            for column, rate in ((unknowns - 2, f), (unknowns - 1, jacobian[:, n] * metric.unit)):
                rows.append(lead)
                columns.append(np.full(n, column))
                entries.append(-step * rate / metric.scale)
    flow = np.append(orbit.slopes.ravel(), [0.0, 0.0])
    for row, v in ((unknowns - 2, flow / (place.length(flow) or 1.0)), (unknowns - 1, place.tangent)):
        rows.append(np.full(unknowns, row))
        columns.append(np.arange(unknowns))
        entries.append(place.dual * v * units)
    indices = (np.concatenate(rows), np.concatenate(columns))
    return csc_matrix((np.concatenate(entries), indices), shape=(unknowns, unknowns)), units

"""Where a trajectory comes back to, and the cycle that it is close to."""

from __future__ import annotations

from typing import Any

import numpy as np

from bifrncrn.base.polylines import furthest
from bifrncrn.models.field import Field
from bifrncrn.trajectories.shooting import Orbit, find_orbit

SLACK = 1e3
"""A state that is further below its bound than so many absolute tolerances, and driven on, has escaped; one that moves
by less than so many tolerances hardly moves."""
RETURNED = 1e-2
"""Two crossings of the section that differ by less, relative to the extent, may be one of a cycle."""
TURNS = 40
ATTEMPTS = 3
REPEATED = 1e-5
"""An orbit that repeats itself to this part of its size before it closes is one of a shorter period."""
NEAR = 0.05
"""How far, relative to its extent, a cycle may be from the trajectory that is said to settle to it."""
APPROACHED = 0.3
"""The same when the trajectory came nearer while it was watched."""
COMPARED = 200
NEUTRAL = 1e-7
"""Multipliers and eigenvalues (relative to the largest) this close to 1 and 0 are neither stable nor unstable."""


def cycle_of(field: Field, t: np.ndarray, x: np.ndarray, least: np.ndarray) -> Orbit | None:
    """Return the cycle that the trajectory is close to, or None."""
    if field.n < 2 or not (np.ptp(x, axis=0) > least / SLACK).any():
        return None
    scale = sizes_of_motion(x, least)
    back = crossings(field, t, x, scale)
    attempts, best = 0, RETURNED
    for turns in range(1, min(TURNS, (len(back) - 1) // 2) + 1):
        gap = float(np.max(np.abs(back[-1][1] - back[-1 - turns][1]) / scale))
        if gap >= best:
            continue
        best = 0.5 * gap
        times, states = _turn(t, x, back[-1 - turns], back[-1])
        first = _turn(t, x, back[0], back[turns])[1]
        orbit = _once_round(field, find_orbit(field, times, states), turns, least)
        if orbit is not None and _is_it(orbit, states, first, least) and not repels(orbit.monodromy):
            return orbit
        attempts += 1
        if attempts == ATTEMPTS:
            return None
    return None


def _once_round(field: Field, orbit: Orbit | None, turns: int, least: np.ndarray) -> Orbit | None:
    """Return the orbit that one found over several turns is, if it only goes round it several times."""
    if orbit is None:
        return None
    phases = orbit.phases(4)
    states = orbit.at(phases)
    for times in (m for m in range(turns, 1, -1) if turns % m == 0):
        if np.max(np.abs(orbit.at(phases + 1.0 / times) - states) / sizes_of_motion(states, least)) < REPEATED:
            part = np.append(phases[phases < 1.0 / times], 1.0 / times)
            return find_orbit(field, part * orbit.period, orbit.at(part))
    return orbit


def sizes_of_motion(x: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return the extent of the motion x (k, n) in every direction; one in which it hardly moves counts `least`.

    Each is judged by the tolerance of its own state: units differ.
    """
    return np.maximum(np.ptp(x, axis=0), least)


Crossing = tuple[float, np.ndarray]


def _turn(t: np.ndarray, x: np.ndarray, first: Crossing, last: Crossing) -> tuple[np.ndarray, np.ndarray]:
    """Return times and states from one crossing of the section to another."""
    inside = (t > first[0]) & (t < last[0])
    times = np.concatenate([[first[0]], t[inside], [last[0]]])
    return times, np.concatenate([first[1][None], x[inside], last[1][None]])


def crossings(field: Field, t: np.ndarray, x: np.ndarray, scale: np.ndarray) -> list[Crossing]:
    """Return times and states where the trajectory crosses, upwards, the plane across its longest axis."""
    weights = np.gradient(t)
    mean = np.average(x, axis=0, weights=weights)
    scaled = (x - mean) / scale
    _, _, axes = np.linalg.svd(scaled * np.sqrt(weights / weights.sum())[:, None], full_matrices=False)
    height = scaled @ axes[0]
    return upward(field, t, x, height, axes[0] / scale)


def upward(field: Field, t: np.ndarray, x: np.ndarray, height: np.ndarray, weights: np.ndarray) -> list[Crossing]:
    """Return times and states where a height (k,), which changes with the states by `weights`, goes up through zero."""
    before = np.flatnonzero((height[:-1] < 0) & (height[1:] >= 0))
    steps = t[before + 1] - t[before]
    here, there = (steps[:, None] * field.many(x[rows]) for rows in (before, before + 1))
    share = _hermite_roots(height[before], height[before + 1], here @ weights, there @ weights)
    states = _hermite(x[before], x[before + 1], here, there, share[:, None])
    return list(zip((t[before] + share * steps).tolist(), states, strict=True))


def _hermite(a: Any, b: Any, slope_a: Any, slope_b: Any, s: Any) -> Any:
    """Return the cubic on [0, 1] with these ends and slopes, at s."""
    r = 1 - s
    return r * r * ((1 + 2 * s) * a + s * slope_a) + s * s * ((1 + 2 * r) * b - r * slope_b)


def _hermite_roots(a: np.ndarray, b: np.ndarray, slope_a: np.ndarray, slope_b: np.ndarray) -> np.ndarray:
    """Return zeros of cubics on [0, 1], by bisection; a < 0 <= b."""
    low, high = np.zeros_like(a), np.ones_like(a)
    for _ in range(50):
        middle = 0.5 * (low + high)
        below = _hermite(a, b, slope_a, slope_b, middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def _is_it(orbit: Orbit, turn: np.ndarray, first: np.ndarray, least: np.ndarray) -> bool:
    """Say whether an orbit is where the trajectory's last turn is, or nearby and nearer than the first turn was."""
    scale = sizes_of_motion(turn, least)
    curve = orbit.at(orbit.phases(4)) / scale
    if np.max(np.ptp(curve, axis=0)) < 0.5:
        return False
    last, before = turn / scale, first / scale
    away = max(furthest(_some(last), curve, True), furthest(_some(curve), last, True))
    return away < NEAR or (away < APPROACHED and away < 0.9 * furthest(_some(before), curve, True))


def _some(points: np.ndarray) -> np.ndarray:
    return points[:: len(points) // COMPARED + 1]


def repels(monodromy: np.ndarray) -> bool:
    """Say whether a trajectory leaves a cycle; one of a family of neutral cycles does not."""
    return bool(np.any(np.abs(nontrivial(monodromy, 0)) > 1 + 10 * NEUTRAL))


def nontrivial(monodromy: np.ndarray, conserved: int) -> np.ndarray:
    """Return the multipliers but the trivial one, and those of conservation laws."""
    multipliers = np.linalg.eigvals(monodromy)
    return multipliers[np.argsort(np.abs(multipliers - 1))][1 + conserved :]

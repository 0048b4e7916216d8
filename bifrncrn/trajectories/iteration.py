"""Orbits of maps as simulations: time is the number of steps."""

from __future__ import annotations

import math

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.compile import rows
from bifrncrn.models.maps import orbit
from bifrncrn.models.system import System
from bifrncrn.trajectories.integration import Effort

BELOW = 1e-10
"""A state that cannot be negative has become so where it is below zero by more than this part of its size."""
CHUNK = 100
"""The derivatives of so many steps are taken in one call."""


def iterated(
    system: System, span: tuple[float, float], times: np.ndarray | None, limit: int
) -> tuple[np.ndarray, np.ndarray, str, str, Effort]:
    """Return step numbers (k,), states (k, n), status, message and effort of the orbit of the system's start.

    Raises
    ------
    InputError
        If the ends, or the times asked for, are no whole numbers.
    """
    if not (span[0].is_integer() and span[1].is_integer()):
        raise InputError(f"a map has steps, not times: give whole numbers, not [{span[0]:g}, {span[1]:g}]")
    if times is not None and np.any(times != np.round(times)):
        raise InputError(f"a map has steps, not times: give whole numbers, not {times[times != np.round(times)][0]:g}")
    count = int(span[1] - span[0])
    steps = min(count, limit)
    x = orbit(system, system.state, steps + 1)
    status, message = "completed", f"{count} steps were taken"
    if steps < count:
        status, message = "steps", f"{limit} steps were taken; raise max_steps to go on"
    size = np.abs(x).max(axis=0, initial=0.0, where=np.isfinite(x))
    beyond = np.any(x < system.lower - BELOW * size, axis=1)
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any() or beyond.any():
        last = int(np.argmax(bad | beyond))
        status = "nan" if bad[last] else "bound"
        which = ~np.isfinite(x[last]) if bad[last] else x[last] < system.lower - BELOW * size
        name = system.variables[int(np.argmax(which))]
        what = "is not finite" if bad[last] else "is negative"
        message = f"{name} {what} after step {last + span[0]:g}"
        x = x[:last]
    t = span[0] + np.arange(len(x), dtype=float)
    if times is not None:
        kept = np.isin(t, times)
        t, x = t[kept], x[kept]
    return t, x, status, message, Effort(steps, steps, 0, 0)


def stretching(system: System, settle: int, steps: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return by how much, in logarithms, each step stretches directions (k, n) and volumes (k,) on an orbit.

    The directions are made orthogonal again after every step; the first `settle` steps are left out. None where the
    orbit is not finite, or meets a derivative that is singular, where a direction shrinks to nothing.
    """
    n = len(system.variables)
    x, frame = np.array(system.state), np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
    growths, volumes = np.empty((steps, n)), np.empty(steps)
    for k in range(-settle, steps):
        matrix = system.jacobian(x)
        x = system.rhs(x)
        if not (np.isfinite(x).all() and np.isfinite(matrix).all()):
            return None
        frame, upper = np.linalg.qr(matrix @ frame)
        sizes = np.abs(np.diag(upper))
        if k >= 0:
            if not np.all(sizes > 0.0):
                return None
            growths[k], volumes[k] = np.log(sizes), np.linalg.slogdet(matrix)[1]
    return growths, volumes


def growth(system: System, settle: int, steps: int) -> np.ndarray | None:
    """Return by how much, in logarithms, each step stretches one direction on an orbit, (k,), after `settle` others.

    It is minus infinity from where a step makes the direction zero. None where the orbit is not finite.
    """
    rng, x = np.random.default_rng(0), np.array(system.state)
    direction = rng.normal(size=len(x))
    grown = np.full(steps, -np.inf)
    for first in range(-settle, steps, CHUNK):
        states = orbit(system, x, min(CHUNK, steps - first) + 1)
        x = states[-1]
        if not np.isfinite(states).all():
            return None
        for k, matrix in enumerate(rows.linearize(system.native, states[:-1], system.values)[1], first):
            with np.errstate(over="ignore", invalid="ignore"):  # an orbit that escapes
                direction = matrix @ direction
                size = math.sqrt(direction @ direction)
            if not math.isfinite(size):
                return None
            if size == 0.0 and k >= 0:
                return grown
            direction = direction / size if size > 0.0 else rng.normal(size=len(x))  # on the way it tells nothing
            if k >= 0:
                grown[k] = math.log(size)
    return grown


def whole_steps(name: str, number: float) -> int:
    """Return a number of steps of a map, checked."""
    if not float(number).is_integer():
        raise InputError(f"{name} is {number:g}, but a map has steps, not times; give a whole number")
    return int(number)

"""What a march saw and could not locate: a pole of the equations, or the limit at which a branch goes to infinity."""

from __future__ import annotations

import numpy as np

from bifrncrn.continuation.line import Event, Line
from bifrncrn.curves.equilibria.problem import EquilibriumProblem

FINE = 1e-6
"""The step, in units of length, to which what was not located is narrowed down: a gap this wide is not jumped."""
AWAY = 1e-3
"""The Jacobian beside is compared with that at a row at least this far off."""
GROWS = 30.0
"""An entry of the Jacobian that is so many times larger beside than AWAY, a thousand times further off, has a pole."""
GROWN = 1e3
"""A state that has grown by less than this is not on its way to infinity."""
CROWD, CROWDED = 12, 5
"""Special points lie as close as the steps where there are so many on a line, no more rows apart than this in the
middle: a fold alone takes more rows to turn."""
SHRINKS = 0.9
"""The parameter has a limit when its change shrinks at least by this factor while the state doubles."""


def has_pole(problem: EquilibriumProblem, line: Line, event: Event, scale: np.ndarray) -> bool:
    """Say whether the equations have a pole at an event that is bracketed by rows not further apart than FINE."""
    away = np.max(np.abs(line.points - line.points[event.row]) / scale, axis=1)
    before = np.flatnonzero(away[: event.row] >= AWAY)
    if not len(before):
        return False
    far = np.abs(problem.dense(line.points[before[-1]]))
    near = np.max([np.abs(problem.dense(line.points[row])) for row in (event.row - 1, event.row)], axis=0)
    if not np.all(np.isfinite(near)):
        return True
    least = 1e-12 * np.max(far, axis=1, keepdims=True)
    return bool(np.any(near > GROWS * np.maximum(far, least)))


def limit_at_infinity(points: np.ndarray, floor: np.ndarray) -> float | None:
    """Return the parameter's limit as the state grows without bound along points (k, n + 1), None where it does not.

    The changes of the parameter while the state doubles are a geometric series (a power law).
    """
    size = np.max(np.abs(points[:, :-1]) / floor[:-1], axis=1)
    if not size[-1] > GROWN:
        return None
    first = len(size) - 1 - int(np.argmax(size[::-1] < size[-1] / 8.0))  # the last time it was an eighth
    if first == len(size) - 1 or np.any(np.diff(size[first:]) <= 0.0):
        return None
    levels = np.log(size[-1]) - np.log(2.0) * np.arange(3, -1, -1)
    changes = np.diff(np.interp(levels, np.log(size[first:]), points[first:, -1]))
    if not np.all(changes * changes[0] > 0.0):
        return None
    ratios = changes[1:] / changes[:-1]
    if not np.max(ratios) < SHRINKS:
        return None
    return float(points[-1, -1] + changes[-1] * ratios[-1] / (1.0 - ratios[-1]))


def is_crowded(line: Line) -> bool:
    """Say whether the special points of a line lie so close, for its steps, that others may lie between."""
    return len(line.events) >= CROWD and bool(np.median(np.diff([event.row for event in line.events])) <= CROWDED)

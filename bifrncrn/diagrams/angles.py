"""States that are angles: a turn apart is the same point, and a branch that comes back a turn further on is closed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from bifrncrn.base.arrays import own
from bifrncrn.base.errors import InputError
from bifrncrn.continuation.line import Line
from bifrncrn.models.system import System

TURN = 2.0 * math.pi
NONE = own(np.empty(0, np.intp))
NEAR = 0.5
"""A segment of a branch passes its start no further off than this, in units of length."""
SAMPLE = 0.123
"""Where equations are compared with themselves a turn further on: off the start, which may be special."""
REPEATS, OF_ALL = 1e-9, 1e-13
"""Each is the same but for this part of itself, rounding of angles of many turns, and this part of the largest."""
SAME = 1e-6
"""Two points are one when they differ by less than this, in units of length."""


def angles(system: System) -> np.ndarray:
    """Return the places of the angles among the unknowns (x, p).

    Raises
    ------
    InputError
        If the equations do not repeat themselves after a turn of an angle.
    """
    if not system.periodic:
        return NONE
    places = np.array([system.variables.index(name) for name in system.periodic], dtype=np.intp)
    for name, place in zip(system.periodic, places.tolist(), strict=True):
        if not _repeats(system, place):
            rule = "the equations are not the same a turn (2 pi) further on; take it off the list"
            raise InputError(f"{name} is listed as periodic, but {rule}")
    return places


def _repeats(system: System, place: int) -> bool:
    """Say whether the equations are the same a turn of a state further on; of a system it is found out once."""
    known: dict[int, bool] = system.remembered.setdefault("repeats", {})
    if place not in known:
        known[place] = _is_same(system, place, system.state)
    return known[place]


def _is_same(system: System, place: int, state: np.ndarray) -> bool:
    """Say whether the equations are the same a turn of a state further on, near one state (n,)."""
    x = state + SAMPLE
    turned = x.copy()
    turned[place] += TURN
    before, after = system.rhs(x), system.rhs(turned)
    return np.allclose(before, after, rtol=REPEATS, atol=OF_ALL * float(np.max(np.abs(before))))


def not_listed(system: System, lines: Sequence[Line]) -> list[str]:
    """Say which states went more than a turn, are angles by the equations, and are not listed as such."""
    if not lines or not len(lines[0]):
        return []
    ends = [line.points[row].tolist() for line in lines if len(line) for row in (0, -1)]
    apart = [max(values) - min(values) for values in zip(*ends, strict=True)]
    names = [
        name for name, gap in zip(system.variables, apart, strict=False) if gap > TURN and name not in system.periodic
    ]
    if not names:
        return []
    found = [name for name in names if _repeats(system, system.variables.index(name))]
    # at one state alone they may be the same because nothing changes there any more, as where Hill terms saturate
    rows = [line.points[k] for line in lines if found and len(line) for k in (0, len(line) // 2, -1)]
    places = {name: system.variables.index(name) for name in found}
    found = [name for name, place in places.items() if all(_is_same(system, place, y[:-1]) for y in rows)]
    return [
        f"The equations are the same where {name} is 2 pi further on, so equilibria are listed once for every turn; "
        f'periodic=["{name}"] (periodic = ["{name}"] under [options] of the file) makes it an angle.'
        for name in found
    ]


def unwound(y: np.ndarray, near: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return points whose angles are turned back, by whole turns, to less than half a turn from those of another."""
    if not len(which):
        return y
    out = np.array(y)
    out[..., which] -= TURN * np.round((out[..., which] - near[..., which]) / TURN)
    return out


def come_round(
    line: Line,
    which: np.ndarray,
    scale: np.ndarray,
    beside: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray | None],
) -> Line | None:
    """Return a branch up to where it passes its first point again, one or more turns on; None where it does not.

    Parameters
    ----------
    line : Line
    which : array of int
        The places of the angles.
    scale : (n + 1,) array
        Units of length.
    beside : callable
        `beside(y, row, unit)` returns the Newton step from y normal to `row`, or None.
    """
    if not len(which) or len(line) < 2:
        return None
    scale = scale.copy()
    scale[which] = 1.0  # a radian, whatever the angle at the start
    home, ahead = line.points[0], line.tangents[0] / scale**2
    back = unwound(line.points, home, which)
    turned = np.any(np.abs(back - line.points) > 0.5 * TURN, axis=1)
    along = (back - home) @ ahead
    close = np.max(np.abs(back - home) / scale, axis=1) < NEAR
    passing = turned[1:] & (along[:-1] < 0.0) & (along[1:] >= 0.0) & close[:-1] & close[1:]
    for row in (np.flatnonzero(passing) + 1).tolist():
        goal = home + (line.points[row] - back[row])
        share = along[row - 1] / (along[row - 1] - along[row])
        y = line.points[row - 1] + share * (line.points[row] - line.points[row - 1])
        if _reaches(goal, y, ahead, scale, beside):
            unstable = int(line.unstable[0])
            return line.head(row).insert(row, goal, line.spectrum(0), unstable, None)
    return None


def _reaches(
    goal: np.ndarray,
    y: np.ndarray,
    row: np.ndarray,
    scale: np.ndarray,
    beside: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray | None],
) -> bool:
    """Say whether Newton's method in the hyperplane through `goal` leads from `y` to `goal`."""
    for _ in range(8):
        step = beside(y, row, scale)
        if step is None:
            return False
        y = y + step
        if np.max(np.abs(step) / scale) < 1e-10:
            return bool(np.max(np.abs(y - goal) / scale) < SAME)
    return False

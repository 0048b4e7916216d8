"""The region in which two diagrams are compared, and its units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.diagrams.results import Branch, Diagram

PARTNERS = 4.0  # tolerances count as one unit of distance in the parameter, where that is more than the range
ROOM = 0.25  # of the target's extent: how far beyond it the region reaches where no box is given

Box = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Window:
    """The rectangle of the parameter and the common states in which two diagrams are compared.

    Attributes
    ----------
    lower, upper : (1 + n,) array
        Its sides, the parameter first.
    scale : (1 + n,) array
        What counts as distance one along each side.
    bounded : bool
        Whether states outside it are not judged, as they are where no box was given.
    """

    lower: np.ndarray
    upper: np.ndarray
    scale: np.ndarray
    bounded: bool = True

    def wider(self, room: float) -> Window:
        """Return the window with `room` more of the parameter at both ends of its range."""
        more = np.zeros(len(self.lower))
        more[0] = room
        return replace(self, lower=self.lower - more, upper=self.upper + more)

    def covers(self, place: np.ndarray) -> bool:
        """Say whether a place's parameter, place[0], is in the range."""
        return bool(self.lower[0] <= place[0] <= self.upper[0])

    def unit(self, points: np.ndarray) -> np.ndarray:
        """Return points, shape (k, 1 + n), with the window's lower corner as origin, in units of its scale."""
        return (points - self.lower) / self.scale

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Return for each point, shape (k, 1 + n), whether it is inside, edges (to rounding) included."""
        slack = 1e-9 * self.scale
        inside = (points >= self.lower - slack) & (points <= self.upper + slack)
        return np.asarray(inside.all(axis=1))

    def judges(self, points: np.ndarray) -> np.ndarray:
        """Return for each point, shape (k, 1 + n), whether it is judged: of the states any where there is no box."""
        return self.holds(points) if self.bounded else np.isfinite(points).all(axis=1)

    @property
    def width(self) -> float:
        """The length of the parameter's range."""
        return float(self.upper[0] - self.lower[0])


def window_of(first: Diagram, second: Diagram, names: Mapping[str, str], box: Box | None, tolerance: float) -> Window:
    """Return the compared region: the common range; of the states the box, or else the extent in the first diagram."""
    low, high = common_range(first, second)
    lower, upper, scale = [low], [high], [(high - low) * max(1.0, PARTNERS * tolerance)]
    for name, other in names.items():
        if box is not None and name in box:
            a, b = box[name]
            side = b - a
        else:
            a, b, side = _extent(first, name, second, other)
        lower.append(a)
        upper.append(b)
        scale.append(side)
    return Window(np.array(lower), np.array(upper), np.array(scale), box is not None)


def common_range(first: Diagram, second: Diagram) -> tuple[float, float]:
    """Return the interval of the parameter that both diagrams cover."""
    low, high = max(first.range[0], second.range[0]), min(first.range[1], second.range[1])
    if not low < high:
        raise InputError(
            f"the ranges of the two diagrams, {list(first.range)} and {list(second.range)}, do not overlap; "
            "trace both on one range"
        )
    return float(low), float(high)


def common_states(theirs: Sequence[str], ours: Sequence[str]) -> dict[str, str]:
    """Return for each state of the target its name in the learned system: the same, or else its number's `x1`, ..."""
    same = {name: name for name in theirs if name in ours}
    return same or {name: f"x{k}" for k, name in enumerate(theirs, 1) if f"x{k}" in ours}


def states_of(diagram: Diagram) -> tuple[str, ...]:
    """Return the names of a diagram's states."""
    names: dict[str, None] = {}
    for branch in diagram.branches:
        names |= dict.fromkeys(column.removeprefix("min ") for column in branch.columns)
    for point in diagram.special_points:
        names |= dict.fromkeys(point.state)
    return tuple(name for name in names if name != diagram.parameter and " " not in name and name != "period")


def check_box(box: Box | None, states: Sequence[str]) -> None:
    """Raise InputError unless the box has two finite sides for states there are."""
    for name, (low, high) in (box or {}).items():
        if name not in states:
            raise InputError(f"the box names {name!r}, which is no state of the target; it has {', '.join(states)}")
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InputError(f"the box of {name!r} is {low} to {high}; give two finite numbers, the lower first")


def _extent(first: Diagram, name: str, second: Diagram, other: str) -> tuple[float, float, float]:
    """Return the ends of a state in the first diagram and their scale: the span, or half the largest value if more.

    Where the state is zero all along, the second diagram gives the scale.
    """
    values = _values(first, name)
    if not values.size:
        return -math.inf, math.inf, 1.0
    low, high = float(values.min()), float(values.max())
    scale = _size(values) or _size(_values(second, other)) or 1.0
    return low - ROOM * scale, high + ROOM * scale, scale


def _size(values: np.ndarray) -> float:
    return max(float(np.ptp(values)), 0.5 * float(np.abs(values).max())) if values.size else 0.0


def _values(diagram: Diagram, name: str) -> np.ndarray:
    """Return all values of a state along the branches of a diagram, of cycles their extremes."""
    columns = [branch.column(c) for branch in diagram.branches for c in _columns(branch, name)]
    values = np.concatenate(columns) if columns else np.empty(0)
    return values[np.isfinite(values)]


def _columns(branch: Branch, name: str) -> list[str]:
    return [column for column in (name, f"min {name}", f"max {name}") if column in branch.columns]

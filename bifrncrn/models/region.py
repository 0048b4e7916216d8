"""Where the states of a system may be: walls of each, and bounds of those that conserved sums divided out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.base.checks import as_sides
from bifrncrn.base.errors import InputError

if TYPE_CHECKING:
    from bifrncrn.models.conservation import Reduction
    from bifrncrn.models.system import System

ROUNDING = 1e-9
"""A bound of a sum of states counts as met when it is missed by less than this, relative to its terms."""


@dataclass(frozen=True, eq=False)
class Region:
    """Bounds of the states x of a point y = (x, p).

    Attributes
    ----------
    lower, upper : (n,) arrays
        Walls: nothing is evaluated beyond them.
    rows, offsets : (q, n + 1) and (q,) arrays
        Further bounds rows @ y + offsets >= 0, at which a branch is cut.
    names, levels, below : tuples of str, of float and of bool
        What each of the further bounds is about: a variable, its least or largest value, whether that is the least.
    """

    lower: np.ndarray
    upper: np.ndarray
    rows: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    offsets: np.ndarray = field(default_factory=lambda: np.zeros(0))
    names: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    below: tuple[bool, ...] = ()

    @functools.cached_property
    def open(self) -> bool:
        """Whether there are no walls."""
        return bool(np.isneginf(self.lower).all() and np.isposinf(self.upper).all())

    def clip(self, y: np.ndarray) -> np.ndarray:
        """Return the points (x, p), or x alone, with their states put back inside the walls."""
        inside = np.array(y, dtype=float)
        if self.open:
            return inside
        n = len(self.lower)
        states = inside[..., :n]
        np.maximum(states, self.lower, out=states)
        np.minimum(states, self.upper, out=states)
        return inside

    def slack(self, points: np.ndarray) -> np.ndarray:
        """Return how far points (k, n + 1) are inside the further bounds, (k, q); rounding counts as nothing."""
        if not self.names:
            return np.zeros((len(points), 0))
        gap = points @ self.rows.T + self.offsets
        size = np.abs(points) @ np.abs(self.rows).T + np.abs(self.offsets)
        return np.where(np.abs(gap) <= ROUNDING * size, 0.0, gap)

    def holds(self, y: np.ndarray) -> bool:
        """Say whether a point (x, p) is inside."""
        x = y[: len(self.lower)]
        if self.open:
            return not np.count_nonzero(np.isnan(x))
        if np.count_nonzero((x >= self.lower) & (x <= self.upper)) < len(x):
            return False
        return not self.names or bool((self.slack(y[None]) >= 0.0).all())

    def narrowed(self, low: np.ndarray, high: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
        """Return a box without those parts along its sides that the further bounds exclude at parameter p."""
        low, high = low.copy(), high.copy()
        for _ in range(len(low)):  # what one side loses may exclude more of another
            for row, offset in zip(self.rows, self.offsets, strict=True):
                most = np.where(row[:-1] > 0.0, row[:-1] * high, row[:-1] * low)
                rest = float(most.sum() + row[-1] * p + offset)
                for j in np.flatnonzero(row[:-1]).tolist():
                    edge = (float(most[j]) - rest) / float(row[j])
                    if row[j] > 0.0:
                        low[j] = min(max(low[j], edge), high[j])
                    else:
                        high[j] = max(min(high[j], edge), low[j])
        return low, high

    def covers(self, low: np.ndarray, high: np.ndarray, p: float) -> bool:
        """Say whether all of a box is inside the further bounds at parameter p."""
        if not self.names:
            return True
        least = np.where(self.rows[:, :-1] > 0.0, self.rows[:, :-1] * low, self.rows[:, :-1] * high)
        size = np.abs(least).sum(axis=1) + np.abs(self.offsets)
        return bool((least.sum(axis=1) + self.rows[:, -1] * p + self.offsets >= -ROUNDING * size).all())

    def trespass(self, y: np.ndarray, names: tuple[str, ...]) -> str:
        """Say which bound a point outside breaks, as `x=-1, but x must not be below 0`."""
        for name, value, low, high in zip(names, y, self.lower, self.upper, strict=False):
            if not low <= value <= high:
                return _broken(name, float(value), float(low if value < low else high))
        slack = self.slack(y[None])[0]
        k = int(np.argmin(slack))
        value = self.levels[k] + (float(slack[k]) if self.below[k] else -float(slack[k]))
        return _broken(self.names[k], value, self.levels[k])


def region_of(
    system: System,
    walls: Mapping[str, tuple[float, float]] | None = None,
    reduction: Reduction | None = None,
    parameter: str = "",
) -> Region:
    """Return the region of a system, or of the reduced one: the system's own bounds, narrowed by walls.

    Raises
    ------
    InputError
        If a wall is of no variable, or its lower end does not come first.
    """
    given = as_sides(walls, "walls")
    if not given and reduction is None:
        known: Region | None = system.remembered.get("region")
        if known is None:
            known = system.remembered["region"] = Region(system.lower, system.upper)
        return known
    lower, upper = system.lower.copy(), system.upper.copy()
    for name, (low, high) in given.items():
        index = system.variable_index(name)
        if not low < high:
            raise InputError(
                f"the walls of {name} must have the lower one first, not [{low:g}, {high:g}]; give low < high"
            )
        lower[index], upper[index] = max(lower[index], low), min(upper[index], high)
        if not lower[index] < upper[index]:
            least = system.lower[index]
            raise InputError(
                f"the walls of {name}, [{low:g}, {high:g}], leave nothing: it must be at least {least:g}; give others"
            )
    if reduction is None:
        return Region(lower, upper)
    kept = list(reduction.kept)
    bounds = []
    for index, row, offset in zip(reduction.eliminated, *reduction.solved(parameter), strict=True):
        for level, below in ((lower[index], True), (upper[index], False)):
            if np.isfinite(level) and np.isfinite(offset):
                sign = 1.0 if below else -1.0
                bounds.append((sign * row, sign * (offset - level), system.variables[index], float(level), below))
    if not bounds:
        return Region(lower[kept], upper[kept])
    rows, offsets, names, levels, sides = zip(*bounds, strict=True)
    return Region(lower[kept], upper[kept], np.array(rows), np.array(offsets), names, levels, sides)


def checked_box(system: System, box: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return the box, each of its sides being two finite numbers in order that the state may take."""
    box = as_sides(box, "a box")
    for name, (low, high) in box.items():
        least, most = system.lower[system.variable_index(name)], system.upper[system.variable_index(name)]
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise InputError(
                f"the box of {name} must be two finite numbers, the smaller first, not [{low:g}, {high:g}]"
            )
        if not (low < most and high > least):
            raise InputError(
                f"the box of {name}, [{low:g}, {high:g}], lies outside what it may be, at least {least:g}; move it"
            )
    return box


def _broken(name: str, value: float, level: float) -> str:
    return f"{name}={value:g}, but {name} must not be {'below' if value < level else 'above'} {level:g}"

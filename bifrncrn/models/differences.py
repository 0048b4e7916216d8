"""Derivatives of a function by differences: fourth order for Jacobians, columns grouped by their structure."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]

STEP = 2e-4
"""Step of a first derivative in units of a state's size: truncation and rounding are both near 1e-11 of f."""
EPS = 2.220446049250313e-16
NOISE_STEP, NOISE_ORDER = 1e-6, 6
"""Short enough that the third differences of a smooth function are below rounding, and no rounding step of float32."""
JET_STEP = 5e-3
"""Step of the stencil for three derivatives along a direction."""
OFFSETS = np.array([[-2.0, -1.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
WEIGHTS = np.array([[1.0, -8.0, 8.0, -1.0], [48.0, -36.0, 16.0, -3.0]]) / 12.0
CENTRE = np.array([0.0, -25.0 / 12.0])
"""Stencils of the first derivative: the central one, and a one-sided one for use at a wall."""
JET = np.array(
    [
        [-1.0 / 60.0, 3.0 / 20.0, -3.0 / 4.0, 0.0, 3.0 / 4.0, -3.0 / 20.0, 1.0 / 60.0],
        [1.0 / 90.0, -3.0 / 20.0, 3.0 / 2.0, -49.0 / 18.0, 3.0 / 2.0, -3.0 / 20.0, 1.0 / 90.0],
        [1.0 / 8.0, -1.0, 13.0 / 8.0, 0.0, -13.0 / 8.0, 1.0, -1.0 / 8.0],
    ]
)
"""Central stencils of the first three derivatives at the offsets -3 ... 3 (orders 6, 6 and 4)."""


def colour(rows: np.ndarray, cols: np.ndarray, n: int) -> np.ndarray:
    """Group the columns of a sparse matrix so that no two of a group meet in a row (Curtis, Powell & Reid, 1974).

    Returns
    -------
    (n,) int array
        The group of every column; greedy, so not always the fewest.

    Examples
    --------
    >>> band = np.array([(i, j) for i in range(5) for j in range(5) if abs(i - j) < 2])
    >>> colour(band[:, 0], band[:, 1], 5)
    array([0, 1, 2, 0, 1])
    """
    if len(rows) == n * n:
        return np.arange(n)
    in_column: list[list[int]] = [[] for _ in range(n)]
    for row, col in zip(rows.tolist(), cols.tolist(), strict=True):
        in_column[col].append(row)
    taken: list[set[int]] = [set() for _ in range(int(np.max(rows, initial=-1)) + 1)]
    groups = np.zeros(n, int)
    for col, own in enumerate(in_column):
        used = set().union(*(taken[row] for row in own))
        group = next(k for k in range(len(used) + 1) if k not in used)
        groups[col] = group
        for row in own:
            taken[row].add(group)
    return groups


class Differences:
    """The entries of a Jacobian at the places (rows, cols) by differences.

    Parameters
    ----------
    rows, cols : (nnz,) int arrays
    size : (n,) array
        The least size of every state; steps are relative to the larger of it and the state.
    lower : (n,) array
        Nothing is evaluated below these bounds.
    """

    def __init__(self, rows: np.ndarray, cols: np.ndarray, size: np.ndarray, lower: np.ndarray) -> None:
        self._rows, self._cols, self._size, self._lower = rows, cols, size, lower
        groups = colour(rows, cols, len(size))
        self.groups = int(groups.max()) + 1
        self._columns = [np.flatnonzero(groups == k) for k in range(self.groups)]
        self._entries = [np.flatnonzero(groups[cols] == k) for k in range(self.groups)]

    def jacobian(self, f: Function, x: np.ndarray, f0: np.ndarray) -> np.ndarray:
        """Return the entries at `x`, where f is `f0`; four evaluations for every group of columns."""
        step = STEP * np.maximum(np.abs(x), self._size)
        side = (x - 2.0 * step < self._lower).astype(int)
        values = np.empty(len(self._rows))
        for columns, entries in zip(self._columns, self._entries, strict=True):
            rows, cols = self._rows[entries], self._cols[entries]
            total = CENTRE[side[cols]] * f0[rows]
            for k in range(4):
                at = x.copy()
                at[columns] += OFFSETS[side[columns], k] * step[columns]
                total += WEIGHTS[side[cols], k] * f(at)[rows]
            values[entries] = total / step[cols]
        return values


def slope(f: Callable[[float], np.ndarray], step: float, forward: bool = False) -> np.ndarray:
    """Return df/de at e = 0, central, or from e >= 0 only."""
    side = int(forward)
    total = sum(w * f(o * step) for o, w in zip(OFFSETS[side], WEIGHTS[side], strict=True))
    return (total + CENTRE[side] * f(0.0) if forward else total) / step


def jet(f: Callable[[float], np.ndarray], step: float) -> np.ndarray:
    """Return the first three derivatives by e at e = 0, (3, n), from seven evaluations."""
    values = np.array([f((k - 3) * step) for k in range(7)])
    return (JET @ values) / step ** np.arange(1, 4)[:, None]


def noise(f: Callable[[float], np.ndarray]) -> np.ndarray:
    """Return the size of the jumps of f by rounding near e = 0, e being relative to what f depends on.

    A table of differences: those of high order leave nothing of a smooth function over so short a way, and of noise
    its standard deviation (More & Wild, SIAM J. Sci. Comput. 33, 2011, 1292).
    """
    table = np.array([f(NOISE_STEP * k) for k in range(NOISE_ORDER + 1)])
    worst = np.zeros(table.shape[1])
    for order in range(1, NOISE_ORDER + 1):
        table = np.diff(table, axis=0)
        if order > 2:
            weight = math.factorial(order) ** 2 / math.factorial(2 * order)
            worst = np.maximum(worst, np.sqrt(weight * np.mean(table * table, axis=0)))
    return worst

"""Hopf points that are rounding: real parts that no more than scatter about zero beside much faster states."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line

SCATTER = 8.0 * np.finfo(float).eps
"""Rounding may move a real part by this part of the largest eigenvalue, times the number of states."""
MANY = 3
"""Fewer crossings one after another may be what they are, however small the real parts between them."""


def without_noise(line: Line) -> tuple[Line, list[tuple[float, float]]]:
    """Return a line with many crossings whose real parts stay within rounding as one, or none, and where they were.

    Of such a group what is left is what the numbers of unstable eigenvalues before and after it differ by: a Hopf
    point that lies between two values of the parameter. At either end of a line that is not known, and nothing is.
    """
    pairs = [event for event in line.events if event.kind == layout.PAIR]
    if len(pairs) < MANY:
        return line, []
    still = _still(line)
    spans: list[tuple[float, float]] = []
    keep, unstable = [event for event in line.events if event.kind != layout.PAIR], line.unstable.copy()
    for quiet, group in itertools.groupby(pairs, key=lambda event: int(still[event.row])):
        events = list(group)
        if not quiet or len(events) < MANY:
            keep += events
            continue
        rows = np.flatnonzero(still == quiet)
        first, last = int(rows[0]), int(rows[-1])
        inside = first > 0 and last < len(line) - 1
        low, high = (int(unstable[k]) if 0 <= k < len(line) else -1 for k in (first - 1, last + 1))
        unstable[first : last + 1] = min(low, high) if inside else max(low, high, -1)
        bracket = float(line.points[events[0].row, -1]), float(line.points[events[-1].row, -1])
        spans.append(bracket)
        if inside and low != high:
            keep.append(Event(events[len(events) // 2].row, layout.PAIR, bracket))
    keep.sort(key=lambda event: event.row)
    return replace(line, unstable=unstable, events=tuple(keep)), spans


def _still(line: Line) -> np.ndarray:
    """Return for every row (k,) the number of its stretch in which a pair is imaginary but for rounding; 0 for none."""
    values = line.eigenvalues
    noise = SCATTER * values.shape[1] * np.abs(values).max(axis=1)
    quiet = ((values.imag > 0.0) & (np.abs(values.real) <= noise[:, None])).any(axis=1)
    return np.asarray(np.cumsum(np.diff(quiet.astype(int), prepend=0) > 0) * quiet)

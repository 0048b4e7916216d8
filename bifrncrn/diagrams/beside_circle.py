"""Multipliers of maps that cross the unit circle beside others that stay on it: what the march cannot tell from them.

A multiplier that stays on the circle is in or out by rounding, and where it is -1 the determinant whose sign tells
period doublings is zero all along. So those that are outside by more than rounding are counted, row by row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line
from bifrncrn.diagrams.neutral import TOGETHER, in_runs, on_circle
from bifrncrn.diagrams.track import Track, scale_at, unit

EXACTLY = 1e-14
"""How exactly a crossing is located, as a part of the way between two rows."""
CROSSED = 1e-9
"""A multiplier crosses at a point that is no further from the circle than this part of what it is at the rows."""
PAIR = 2


def clear_of_neutral(track: Track, line: Line, doubling: int) -> Line:
    """Return a line whose events are not those of multipliers that stay on the circle, with those of others beside.

    What cannot be located stays between its rows. `doubling` is the kind of event of period doublings.
    """
    if not line.spectra:
        return line
    growth = line.eigenvalues
    on = on_circle(1.0 + growth.real)
    minus = in_runs(np.any(on & (growth.imag == -math.pi), axis=1), TOGETHER)
    pair = in_runs(np.any(on & (growth.imag > 0.0), axis=1), TOGETHER)
    if not (minus | pair).any():
        return line
    within = {layout.PAIR: pair, doubling: minus}
    passed = [(row, last, kind) for row, last, kind in _crossings(growth, on, doubling) if (minus | pair)[last]]
    seen = [(first, last) for first, last, _ in passed]
    line = line.with_events(
        e
        for e in line.events
        if e.kind not in within or not within[e.kind][e.row] or any(first < e.row <= last for first, last in seen)
    )
    for first, last, kind in reversed(passed):
        if not any(first <= event.row <= last for event in line.events):
            line = _located(track, line, last, kind)
    return line


def crossing_at(line: Line, row: int) -> complex | None:
    """Return the multiplier, as the march knows it, that crosses the circle at a row; None where none is alone."""
    here = line.spectrum(row)
    near = [value for value in here.tolist() if abs(value.real) <= CROSSED * max(1.0, here.real.max())]
    for side in (row - 1, row + 1):
        if 0 <= side < len(line):
            stay = line.spectrum(side)[on_circle(1.0 + line.spectrum(side).real[None])[0]]
            for value in stay.tolist() if len(near) > len(stay) else ():
                near.remove(min(near, key=lambda each: abs(each - value)))
            break
    upper = [value for value in near if value.imag > 0.0 or value.imag == -math.pi]
    return upper[0] if len(upper) == 1 else None


def _crossings(growth: np.ndarray, on: np.ndarray, doubling: int) -> Iterator[tuple[int, int, int]]:
    """Yield rows between which the number outside changes, and the kind of event; at a crossing more are on it."""
    outside, minus = (growth.real > 0.0) & ~on, growth.imag == -math.pi
    least = on.sum(axis=1) == on.sum(axis=1)[on.any(axis=1)].min()
    rows = np.flatnonzero(least)
    for first, last in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
        jump = abs(int(outside[last].sum()) - int(outside[first].sum()))
        negative = abs(int((outside & minus)[last].sum()) - int((outside & minus)[first].sum()))
        if jump and jump == negative:
            yield first, last, doubling
        elif jump == PAIR and negative == 0:
            yield first, last, layout.PAIR


def _located(track: Track, line: Line, row: int, kind: int) -> Line:
    """Return the line with a crossing between a row and the one before, as a row of its own if it can be located."""
    from scipy.optimize import brentq

    before, after = line.points[row - 1], line.points[row]
    scale = scale_at(np.maximum(np.abs(before), np.abs(after)), track.floor(before))
    ahead = unit((after - before) / scale)
    ends = [line.spectrum(row - 1), line.spectrum(row)]
    staying = [int(on_circle(1.0 + end.real[None]).sum()) for end in ends]
    low, high = sorted(int(np.sum((end.real > 0.0) & ~on_circle(1.0 + end.real[None])[0])) for end in ends)
    group = slice(low, high + max(staying))

    def at(share: float) -> tuple[np.ndarray, np.ndarray]:
        there = track.problem.slide(before + share * (after - before), ahead / scale, scale)
        if there is None:
            raise ValueError("not on the branch")
        return there, track.problem.eigenvalues(there)

    def growth(share: float) -> float:
        """Those that stay on the circle add nothing but rounding."""
        return float(np.sort(at(share)[1].real)[::-1][group].sum())

    bounds = sorted((float(before[-1]), float(after[-1])))
    seen = Event(row, kind, (bounds[0], bounds[1]))
    open_ = line.with_events(sorted((*line.events, seen), key=lambda event: event.row))
    if high - low != (PAIR if kind == layout.PAIR else 1) or staying[0] != staying[1]:
        return open_
    try:
        y, spectrum = at(float(brentq(growth, 0.0, 1.0, xtol=EXACTLY)))
    except ValueError:  # not of two signs, or not on the branch: something else lies between the rows
        return open_
    off = np.abs(np.sort(spectrum.real)[::-1][group]).max()
    if off > CROSSED * max(np.abs(end.real[group]).max() for end in ends):
        return open_
    return line.insert(row, y, spectrum, low, Event(row, kind))

"""Branch points seen on a line, located; what lies on its last row; where it leaves the region."""

from __future__ import annotations

import itertools
import math

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line
from bifrncrn.diagrams.results import End
from bifrncrn.diagrams.track import Track, scale_at

VANISHED = 1e-5
"""An eigenvalue that changes sign is zero at a branch point but for this part of what it is beside."""
ROOM = (0.02, 1.0, 1e-6)
"""How far a branch point may lie outside of the box of the rows around it, in units of their distance; tried in turn.

The branch may bulge out of it; or no neighbour must be taken for it.
"""
BETWEEN = 1e-6
"""It lies between both rows, along the line from one to the other, but for this part of their distance."""
LONG = 1e-4
"""A state whose unit is longer than by this what it has in the direction of a branch costs a branch point digits."""
RELOCATED = 1e-6
"""Located again in better units a branch point moves by less than this; else it is another one."""
AT_WALL = 1e-3
"""How far from its last row, in units of length, a branch point that ends a branch may be."""
AT_END = 1e-9
"""How near to an end of the range, in units of it, a branch point is on it."""
IMAGINARY = 1e-10
"""An eigenvalue is imaginary where its real part is below this part of its size."""


def refined(track: Track, line: Line, event: Event, floor: np.ndarray) -> Line:
    """Replace a bracketed branch point by a located one, as a row of its own, if it converges where it was seen."""
    before, after = line.points[event.row - 1], line.points[event.row]
    scale = scale_at(np.maximum(np.abs(before), np.abs(after)), floor)
    chord = (after - before) / scale
    middle, extent, square = 0.5 * (before + after), 0.5 * np.abs(after - before), float(chord @ chord)
    # not quite at the zero of the eigenvalue: there the equations have no size of their own
    shares = (0.5, 0.1 + 0.8 * _zero_between(line, event.row))
    # nor has a state that is zero; its unit of length may stem from a start where it was all but zero
    zero = (before == 0.0) & (after == 0.0)
    zero[-1] = False
    units = (scale, np.where(zero, scale[:-1].max(), scale)) if zero.any() else (scale,)
    for unit, reach, share in itertools.product(units, ROOM, shares):
        box = track.around(middle, extent + reach * math.sqrt(square) * scale)
        found = track.problem.refine(before + share * (after - before), unit, box)
        # F must be zero, or it is not quite a branch point; and it must lie between the rows, or it is another one
        if found is None or not track.problem.is_solved(found[0], found[1], scale):
            continue
        spectrum = track.problem.eigenvalues(found[0])
        if not _vanishes(spectrum, line, event.row):
            continue
        if -BETWEEN <= float(((found[0] - before) / scale) @ chord) / square <= 1.0 + BETWEEN:
            found = _once_more(track, found, unit, box)
            break
    else:
        return line
    rest = tuple(e for e in line.events if e is not event)
    unstable = min(line.unstable[event.row - 1 : event.row + 1].tolist())
    return line.with_events(rest).insert(
        event.row, found[0], spectrum, unstable, Event(event.row, layout.BRANCH, None, found[1])
    )


def _once_more(
    track: Track, found: tuple[np.ndarray, np.ndarray, float], unit: np.ndarray, box: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Locate a branch point again where a unit was far too long: that of a state which is zero along the line.

    What it drives tells its size in the direction in which a branch leaves. Too long a unit costs digits.
    """
    y, left, _ = found
    zero = y == 0.0
    zero[-1] = False
    ahead = track.problem.directions(y, left, unit) if zero.any() else []
    if not ahead:
        return found
    grown = np.abs(np.array(ahead)).max(axis=0)
    tiny = zero & (grown > 0.0) & (grown < LONG)
    if not tiny.any():
        return found
    better = track.problem.refine(y, np.where(tiny, grown * unit, unit), box)
    if better is None or np.abs((better[0] - y) / unit).max() > RELOCATED:
        return found
    return better


def _crossing(line: Line, row: int) -> tuple[int, float, float] | None:
    """Return which eigenvalue changes sign between a row and the one before, and its real parts there."""
    which = min(line.unstable[row - 1 : row + 1].tolist())
    if not 0 <= which < line.spectra:
        return None
    r0, r1 = line.rows[row - 1 : row + 1, 2 * line.size + which].tolist()
    return (which, r0, r1) if r0 * r1 < 0.0 else None


def _vanishes(spectrum: np.ndarray, line: Line, row: int) -> bool:
    """Say whether the eigenvalue that changes sign between a row and the one before is zero in a spectrum."""
    seen = _crossing(line, row)
    if seen is None:
        return True
    which, r0, r1 = seen
    return bool(abs(spectrum[which].real) <= VANISHED * max(abs(r0), abs(r1)))


def _zero_between(line: Line, row: int) -> float:
    """Return the fraction of the way from the row before at which the eigenvalue that changes sign is zero."""
    seen = _crossing(line, row)
    return 0.5 if seen is None else seen[1] / (seen[1] - seen[2])


def refined_end(track: Track, line: Line, floor: np.ndarray) -> Line:
    """Add the branch point that a branch runs into on a wall or at the end of the range, if there is one."""
    last = line.points[-1]
    scale = scale_at(last, floor)
    found = track.problem.refine(last, scale, track.around(last, AT_WALL * scale))
    if found is None:
        return line
    y = found[0]
    nearest = min(track.span, key=lambda end: abs(end - y[-1]))
    y[-1] = nearest if abs(nearest - y[-1]) < AT_END * floor[-1] else y[-1]
    row = len(line)
    return line.insert(
        row, y, track.problem.eigenvalues(y), int(line.unstable[-1]), Event(row, layout.BRANCH, None, found[1])
    )


def without_turns_of_rounding(line: Line, least: float, about: int = 1) -> Line:
    """Return a line without the folds beside which the parameter moves by less than `least`.

    That is for `about` rows on both sides, and on one side also all the way to the next fold, or to the end: where the
    march has put several rows beside a fold the parameter hardly moves between them.
    """
    p = line.points[:, -1]
    folds = [event for event in line.events if event.kind == layout.FOLD]
    if not folds:
        return line
    ends = [0, *(event.row for event in folds), len(line) - 1]
    moves = [float(np.ptp(p[a : b + 1])) for a, b in itertools.pairwise(ends)]
    beside = [float(np.ptp(p[max(event.row - about, 0) : event.row + about + 1])) for event in folds]
    sides = zip(folds, beside, moves, moves[1:], strict=False)
    false = [fold for fold, near, before, after in sides if near < least and min(before, after) < least]
    return line.with_events(event for event in line.events if event not in false)


def with_hopf_at_end(line: Line) -> Line:
    """Add a Hopf point that lies on the last row, the end of the range, to rounding: no sign changes there."""
    last = len(line) - 1
    if last < 1 or not line.spectra or (line.events and line.events[-1].row >= last - 1):
        return line
    now = line.values(last)
    at_rest = [k for k, value in enumerate(now) if value.imag > 0.0 and abs(value.real) <= IMAGINARY * abs(value)]
    if at_rest and any(abs(line.rows[last - 1, 2 * line.size + k]) > 10.0 * IMAGINARY * abs(now[k]) for k in at_rest):
        return line.with_events((*line.events, Event(last, layout.PAIR)))
    return line


def cut(track: Track, line: Line, end: End, floor: np.ndarray) -> tuple[Line, End]:
    """Cut a line where it leaves the region through a bound that is not a wall."""
    slack = track.region.slack(line.points)
    outside = np.any(slack < 0.0, axis=1)
    if not outside.any():
        return line, end
    row = max(int(np.argmax(outside)), 1)
    before, after = slack[row - 1], slack[row]
    share = np.where(after < 0.0, before / np.where(after < 0.0, before - after, 1.0), np.inf)
    k = int(np.argmin(share))
    end = End("bound", f"{track.region.names[k]} reached its bound {track.region.levels[k]:g}")
    y = line.points[row - 1] + share[k] * (line.points[row] - line.points[row - 1])
    line = line.head(row)
    scale = np.maximum(np.abs(y), floor)
    for _ in range(8 if share[k] > 0.0 else 0):
        step = track.problem.beside(y, track.region.rows[k], scale)
        if step is None:
            break
        y = track.region.clip(y + step)
        if np.max(np.abs(step) / (np.abs(y) + 1e-12)) < 1e-12:
            return line.insert(row, y, track.problem.eigenvalues(y), int(line.unstable[-1]), None), end
    return line, end

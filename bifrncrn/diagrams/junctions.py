"""Branch points: the units in which the branches that meet there are measured, and what only looks like a turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Line
from bifrncrn.diagrams.multiple import zeros_of
from bifrncrn.diagrams.track import SAME, Track, length
from bifrncrn.diagrams.track import unit as unit_of

ROUNDED = 1e-12
"""A component of a unit tangent below this is rounding."""
SIZES = (1.0, 1e4, 1e-4, 1e8, 1e-8, 1e12, 1e-12, 1e16, 1e-16)
"""By so much the natural size of a state may differ from its unit; tried in turn."""
ALIKE = 16.0 * np.finfo(float).eps
"""Two values of the parameter that rounding cannot tell apart."""
PROBE = 1e-2
"""How far from a branch point, in such a size, it is looked how the parameter moves."""
BLURRED = 1e-4
"""A turn that was located nearer than this to a branch point, in units of length, may be at the point itself."""
MOVED = (1e-13, 0.1)
"""Between these, in units of its range, the parameter's change tells the size to which the states grow."""
SECOND_ORDER = 0.3
"""Half way the parameter has moved by less than this part of the whole where it moves to second order: by a quarter."""
ASKED, MOSTLY = 4, 0.5
"""At the ends and three rows between a state that is tiny must solve its equation, and at more than this share of all
rows be more than zero."""
STEEP = 1e-9
"""A parameter component of a unit tangent below this says nothing of what the range makes of a state."""


@dataclass
class Junction:
    """A located branch point with its left null vector (n,), or vectors (m, n), units of length and eigenvalues.

    `special` is its place in the list of special points; `known` are the directions known to leave it.
    """

    y: np.ndarray
    left: np.ndarray
    scale: np.ndarray
    special: int
    spectrum: np.ndarray
    known: list[np.ndarray] = field(default_factory=list)

    def opens(self, line: Line) -> bool:
        """Say whether only eigenvalues that are zero at the branch point have changed up to a line's first row."""
        if not len(self.spectrum):
            return True
        zeros = zeros_of(self.left)
        others = sorted(self.spectrum.tolist(), key=abs)[zeros:]
        return 0 <= int(line.unstable[0]) - sum(value.real > 0.0 for value in others) <= zeros


def unknown(directions: Sequence[np.ndarray], known: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return those of the unit tangents of branches through a point that are not the nearest one to any known tangent.

    However small the angle between them: it depends on the units of length.
    """
    left = dict(enumerate(directions))
    for tangent in known:
        apart = [min(length(way - tangent), length(way + tangent)) for way in directions]
        left.pop(int(np.argmin(apart)) if apart else -1, None)
    return [*left.values()]


def without_rounding(track: Track, junction: Junction, direction: np.ndarray) -> np.ndarray:
    """Return a direction in which states that are zero at a branch point stay zero where rounding alone moves them.

    Where one of them holds the balance with another state in any equation it is no rounding, however small its unit of
    length makes it look.
    """
    stays = (junction.y == 0.0) & (np.abs(direction) < 1e-5 * SAME)
    stays[-1] = False
    if stays.any():
        terms = np.abs(track.problem.dense(junction.y) * (direction * junction.scale))
        moving = np.where(stays, 0.0, terms).max(axis=1, keepdims=True)
        stays &= ~((terms > SAME * moving) & (moving > 0.0)).any(axis=0)
    return np.where(stays, 0.0, direction)


def up_to(line: Line, junction: Junction) -> Line:
    """Return a closed branch that left a branch point up to where it comes back to it."""
    gaps = np.max(np.abs(line.points - junction.y) / junction.scale, axis=1)
    back = [event.row for event in line.events if event.left is not None and gaps[event.row] < SAME]
    return line.head(back[-1] + 1) if back else line


def grown(track: Track, line: Line, scale: np.ndarray) -> np.ndarray:
    """Return units of length in which states that are tiny all along a line, but no rounding, count by themselves.

    A line that left a state of rest, all states zero, may know no size of some. One that solves its equation, by
    the terms of this, is not zero; that is asked at rows along the line: where a state that stays zero begins to grow,
    at the branch point itself, anything solves its equation. So does anything below the rounding of terms that do not
    vanish with it, as of 1 - exp(-x): it is zero.
    """
    sizes = np.abs(line.points[:, :-1])
    grown = sizes.max(axis=0)
    tiny = (grown > 0.0) & (grown < SAME * scale[:-1])
    if not tiny.any():
        return scale
    rows = [line.points[share * (len(line) - 1) // ASKED] for share in range(ASKED + 1)]
    solved = np.all([track.problem.solved(row) for row in rows], axis=0)
    clear = np.mean([np.abs(row[:-1]) > track.problem.blur(row) for row in rows], axis=0) > MOSTLY
    tiny &= solved & clear & ((sizes > 0.0).mean(axis=0) > MOSTLY)
    return np.append(np.where(tiny, grown, scale[:-1]), scale[-1])


def units_at(track: Track, y: np.ndarray, left: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the units of length at a branch point, smaller for what is zero there and stays small.

    Such a state gets a tenth of what the range makes of it along the branches, to first order; else two branches
    of which it is the whole difference would look like one.
    """
    zero = np.abs(y) < SAME * scale
    zero[-1] = False
    found = track.problem.directions(y, left, scale) if zero.any() else []
    if not found:
        return scale
    ways = np.abs(np.array(found))
    ways[ways <= ROUNDED] = 0.0
    reach = (ways / np.maximum(ways[:, -1:], STEEP)).max(axis=0)
    return np.where(zero & (reach > STEEP), np.minimum(scale, 0.1 * reach * scale), scale)


def in_natural_units(track: Track, junction: Junction, direction: np.ndarray) -> tuple[Junction, np.ndarray]:
    """Return a branch point and a direction in units that fit the states which are zero there.

    Where the parameter does not move at first, as at a pitchfork, a state has grown to its natural size when the
    parameter has moved by its range, to second order.
    """
    zero = (np.abs(junction.y) < SAME * junction.scale) & (direction != 0.0)
    zero[-1] = False
    if not zero.any() or abs(direction[-1]) > SAME:
        return junction, direction
    step = direction * junction.scale
    share = np.where(zero, 0.0, np.abs(step) / junction.scale)[:-1]
    most = 1.0 / max(float(share.max()), 1e-300)
    for size in SIZES:
        length = PROBE * size
        if length > most:
            continue
        moved, half = (_moved(track, junction, part * size, step, zero) for part in (1.0, 0.5))
        if (
            MOVED[0] < moved < MOVED[1] and half < SECOND_ORDER * moved
        ):  # else rounding moves it: the branch is vertical
            size = length / math.sqrt(moved)
            unit = np.where(zero, size * np.abs(step), junction.scale)
            scaled = size * step / unit if size < most else step / unit
            return _with_driven(track, replace(junction, scale=unit), unit_of(scaled))
    return junction, direction


def _with_driven(track: Track, junction: Junction, direction: np.ndarray) -> tuple[Junction, np.ndarray]:
    """Return a branch point and a direction in units that fit the states which only follow those that move.

    While the size of these was not known, what they drive could look like rounding beside them.
    """
    still = np.flatnonzero((junction.y[:-1] == 0.0) & (direction[:-1] == 0.0)).tolist()
    driven = track.with_followers(junction.y, np.abs(direction * junction.scale), still)
    places = [place for place in still if driven[place] > 0.0]
    if not places:
        return junction, direction
    unit = junction.scale.copy()
    unit[places] = driven[places]
    junction = replace(junction, scale=unit)
    found = track.problem.directions(junction.y, junction.left, unit)
    best = max(found, key=lambda other: abs(other @ direction), default=direction)
    return junction, without_rounding(track, junction, best if best @ direction > 0.0 else -best)


def _moved(track: Track, junction: Junction, size: float, step: np.ndarray, zero: np.ndarray) -> float:
    """Return by how much of its range the parameter moves on the way to where the states have PROBE such sizes."""
    unit = np.where(zero, size * np.abs(step), junction.scale)
    start = track.onto(junction.y + PROBE * size * step, unit_of(size * step / unit), unit, PROBE)
    return 0.0 if start is None else float(abs(start[-1] - junction.y[-1]) / junction.scale[-1])


def without_turns(track: Track, line: Line, floor: np.ndarray, *others: tuple[np.ndarray, np.ndarray]) -> Line:
    """Leave out what looks like a fold where the parameter turns at a branch point, as on the side of a pitchfork.

    At a fold the derivative of the equations by the parameter lies outside of the range of the Jacobian.
    """
    turns = [event for event in line.events if event.kind == layout.FOLD]
    if not turns:
        return line
    junctions = [*others, *((line.points[event.row], event.left) for event in line.events if event.left is not None)]
    false = [
        event
        for event in turns
        if any(_turns_at(track, y, left, line, line.points[event.row], floor) for y, left in junctions)
    ]
    return line.with_events(event for event in line.events if event not in false) if false else line


def _turns_at(track: Track, y: np.ndarray, left: np.ndarray, line: Line, turn: np.ndarray, floor: np.ndarray) -> bool:
    """Say whether a turn of a line that was located beside the branch point `y` is at this point itself.

    Beside it the turn is known to the root of rounding only. From the direction of the line at `y`, and from a row
    that is some way off, it is known better.
    """
    unit = np.append(np.maximum(np.abs(turn[:-1]), floor[:-1]), floor[-1])
    apart = float(np.max(np.abs(turn - y) / unit))
    if _is_flat(y, line, turn, unit):
        return True  # a turn flatter than quadratic, which rounding puts anywhere beside the point
    if not SAME <= apart < BLURRED:
        return apart < SAME
    chords = (line.points - y) / unit
    sizes = np.linalg.norm(chords, axis=1)
    row = int(np.argmin(np.abs(np.log(np.maximum(sizes, 1e-300) / PROBE))))
    found = track.problem.directions(y, left, unit)
    ahead = max(found, key=lambda v: abs(v @ chords[row]), default=None)
    if ahead is None or not 0.1 * PROBE < sizes[row] < 10.0 * PROBE:
        return False
    slope = ahead[-1] * np.sign(ahead @ chords[row])
    bend = 2.0 * (chords[row, -1] - slope * sizes[row]) / sizes[row] ** 2
    return bool(abs(slope) < SAME * abs(bend))


def _is_flat(y: np.ndarray, line: Line, turn: np.ndarray, unit: np.ndarray) -> bool:
    """Say whether rounding alone moves the parameter all the way along a line from a branch point to a turn."""
    if abs(turn[-1] - y[-1]) > ALIKE * abs(y[-1]):
        return False
    here, there = (int(np.argmin(np.max(np.abs(line.points - point) / unit, axis=1))) for point in (y, turn))
    between = line.points[min(here, there) : max(here, there) + 1, -1]
    return bool((np.abs(between - y[-1]) <= ALIKE * abs(y[-1])).all())

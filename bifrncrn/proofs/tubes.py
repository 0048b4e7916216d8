"""Tubes about the branches of a diagram, of models of any number of states.

Between neighbouring computed points an arc is proved (see `arcs`: Krawczyk's operator, Brouwer's theorem); where none
is, the segment is cut in two. Neighbouring arcs are pieces of one curve if a point of the one, at their joint, lies in
the tube of the other, which holds a single curve. So a chain of arcs is one smooth curve, near all computed points.

An equilibrium bifurcates only where an eigenvalue of f's Jacobian is on the imaginary axis. Enclosures of all
eigenvalues over the pieces of an arc (see `spectrum`) keep away from it, or the piece lies in a box in which a proved
special point is the only such equilibrium (`Proved.wide`). Nothing is said about what lies off the tubes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bifrncrn.proofs.arcs import CUT, Arcs, pieces, prove_arcs, to_curve
from bifrncrn.proofs.planes import NEAR, Plane, place, planes
from bifrncrn.proofs.problem import Bounds, Problem
from bifrncrn.proofs.rounding import up
from bifrncrn.proofs.spectrum import unstable_along, unstable_counts

OVERLAP = 0.02
"""Arcs reach so far over the ends of their segment, in its length: so joints lie well inside of tubes."""
DEPTH = 16
"""How often a segment is cut before the branch is given up there."""
PIECES_DEPTH = 45
"""How often an arc is cut to find out where eigenvalues may be on the axis."""
MOST_PIECES = 2000
"""With so many pieces undecided at a time they are given up: an eigenvalue is on the axis along the branch."""
ON_PLANE = 1e-12
"""A computed branch is taken to lie on a plane if all its points are so near, relative to the place or to one."""
ON_DIAGONAL = 1e-9
"""The same of a diagonal: each of the two states has an error of its own."""
SAME = 1e-13
"""Neighbouring points that differ by less, relative to the range of each coordinate, are taken as one."""
FAR = 1e-6
"""Points that are further off the curve, relative to their size, are not points of it: they come of another model."""
OFF = "a computed point is off the curve"
GAP = "whether the branch goes on there"
JOINT = "whether two pieces of the branch are one curve"
AXIS = "whether an eigenvalue is on the imaginary axis there"
CIRCLE = "whether a multiplier is on the unit circle there"
NO_TIME = "not looked at: no time left"

Doubt = tuple[str, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Followed:
    """What is proved about one branch.

    Attributes
    ----------
    pieces : int
        How many arcs were proved.
    error : float
        The curve passes every computed point at less than this, in each coordinate relative to its largest size.
    doubts : list of (reason, low, high)
        Empty if all is proved.
    """

    pieces: int
    error: float
    doubts: list[Doubt]


def follow(
    problem: Problem,
    rows: np.ndarray,
    unstable: np.ndarray,
    special: set[int],
    known: Sequence[Bounds],
    deadline: float,
) -> Followed:
    """Prove a branch through computed points.

    Parameters
    ----------
    rows : (k, n + 1) array
        The points in order, states first.
    unstable : (k,) integers
        How many eigenvalues are said to be unstable at each.
    special : the rows that are special points
    known : boxes in which a proved special point is the only one
    deadline : of `time.monotonic`
    """
    part = _part_of(problem, rows)
    size = np.abs(rows).max(axis=0)
    scale = np.maximum(np.ptp(rows, axis=0), 1e-6 * np.maximum(size, 1e-6 * size.max() + 1e-300))
    keep = np.append(True, (np.abs(np.diff(rows, axis=0)) > SAME * scale).any(axis=1))
    chain, doubts = _chain(part, rows[keep], scale, deadline)
    joints, error = _joined(part, chain, rows[keep], np.maximum(size, 1e-6 * size.max() + 1e-300))
    doubts += joints
    for low, high in known:
        special = special | set(np.flatnonzero(((rows >= low) & (rows <= high)).all(axis=1)).tolist())
    if len(chain.arcs):
        doubts += _stability(part, chain.arcs, known, deadline)
        doubts += _counted(part, chain, np.flatnonzero(keep), unstable, special)
    return Followed(len(chain.arcs), error + (0.0 if keep.all() else SAME), doubts)


def _part_of(problem: Problem, rows: np.ndarray) -> Problem:
    """Return the part of the equilibria that the points are on; f itself where they meet no invariant plane."""
    reach = NEAR * np.maximum(1.0, np.abs(rows).max(axis=0))
    found = planes(problem, rows.min(axis=0) - reach, rows.max(axis=0) + reach)
    on = {i for i, plane in found.items() if _lies_on(problem, rows, plane)}
    return problem.part(found, on) if found else problem


def _lies_on(problem: Problem, rows: np.ndarray, plane: Plane) -> bool:
    """Say whether computed points (k, n + 1) are to be taken to lie on a plane."""
    states = rows[:, plane.state]
    if plane.partner is not None:
        other = rows[:, plane.partner[0]]
        return bool(np.abs(states - other).max() <= ON_DIAGONAL * max(1.0, np.abs(other).min()))
    c = place(problem, plane.at)[0]
    return bool(np.abs(states - c).max() <= ON_PLANE * max(1.0, abs(c)))


@dataclass(frozen=True)
class _Chain:
    """Arcs in the order of the branch.

    Attributes
    ----------
    begin, end : (k,) arrays
        Where the segment of each begins and ends: row numbers and fractions.
    ends : (2, k) array
        What the arc's pivot is there, at most.
    """

    arcs: Arcs
    begin: np.ndarray
    end: np.ndarray
    ends: np.ndarray


def _chain(part: Problem, rows: np.ndarray, scale: np.ndarray, deadline: float) -> tuple[_Chain, list[Doubt]]:
    last = float(len(rows) - 1)
    begin, end = np.arange(last), np.arange(1.0, last + 1.0)
    start, stop = rows[:-1], rows[1:]
    found = [(Arcs.none(part.n + 1), begin[:0], begin[:0], np.zeros((2, 0)))]
    reason = GAP
    for _ in range(DEPTH):
        late = time.monotonic() > deadline
        if not len(begin) or late or len(begin) > max(MOST_PIECES, 2 * len(rows)):
            reason = NO_TIME if late else GAP
            break
        step = stop - start
        pivot = np.argmax(np.abs(step) / scale, axis=1)
        ends = np.take_along_axis(np.stack([start, stop]), pivot[None, :, None], 2)[:, :, 0]
        more = OVERLAP * (ends[1] - ends[0])
        wide = np.stack([ends[0] - np.where(begin > 0.0, more, 0.0), ends[1] + np.where(end < last, more, 0.0)])
        point, done = to_curve(part, pivot, 0.5 * (start + stop))
        length = (np.abs(step) / scale).max(axis=1)
        done &= (np.abs(point - 0.5 * (start + stop)) / scale).max(axis=1) <= length
        arcs, proved = prove_arcs(part, pivot, wide.min(axis=0), wide.max(axis=0), point)
        proved &= done
        found.append((arcs.take(proved), begin[proved], end[proved], ends[:, proved]))
        left = ~proved
        middle = np.where(done[left, None], point[left], 0.5 * (start + stop)[left])
        half = 0.5 * (begin + end)[left]
        start, stop = np.concatenate([start[left], middle]), np.concatenate([middle, stop[left]])
        begin, end = np.concatenate([begin[left], half]), np.concatenate([half, end[left]])
    arcs = Arcs.joined([item[0] for item in found])
    begins, finish, ends = (np.concatenate([item[i] for item in found], axis=-1) for i in (1, 2, 3))
    order = np.argsort(begins)
    chain = _Chain(arcs.take(order), begins[order], finish[order], ends[:, order])
    return chain, [(reason, np.minimum(a, b), np.maximum(a, b)) for a, b in zip(start, stop, strict=True)]


def _joined(part: Problem, chain: _Chain, rows: np.ndarray, size: np.ndarray) -> tuple[list[Doubt], float]:
    """Return where neighbouring arcs are not proved to be one curve, and the distance of the rows from the curve."""
    arcs = chain.arcs
    if not len(arcs):
        return [], np.inf
    tips = [pieces(part, arcs, at, at) for at in chain.ends]
    error = 0.0
    for tip, ends in zip(tips, (chain.begin, chain.end), strict=True):
        row = rows[ends.astype(int)]
        off = np.maximum(up(tip.core_high - row), up(row - tip.core_low)) / size
        error = max(error, float(off[ends == np.floor(ends)].max(initial=0.0)))
    before, after = slice(None, -1), slice(1, None)
    linked = _within(tips[1].take(before), arcs.take(after)) | _within(tips[0].take(after), arcs.take(before))
    bad = np.flatnonzero((chain.end[before] == chain.begin[after]) & ~linked)
    doubts = [(JOINT, arcs.core_low[i], arcs.core_high[i]) for i in bad]
    if error > FAR:
        doubts.append((f"{OFF} (by {error:.1e} of its size)", rows.min(axis=0), rows.max(axis=0)))
    return doubts, error


def _within(tips: Arcs, arcs: Arcs) -> np.ndarray:
    inside: np.ndarray = np.all((tips.core_low >= arcs.low) & (tips.core_high <= arcs.high), axis=1)
    return inside


def _stability(part: Problem, arcs: Arcs, known: Sequence[Bounds], deadline: float) -> list[Doubt]:
    """Return where eigenvalues may be on the axis although no known point is."""
    for _ in range(PIECES_DEPTH):
        if not len(arcs) or len(arcs) > MOST_PIECES:
            break
        if time.monotonic() > deadline:
            return [(NO_TIME, a, b) for a, b in zip(arcs.core_low, arcs.core_high, strict=True)]
        undecided = np.array([count is None for count in unstable_along(part, arcs)], bool)
        for low, high in known:
            undecided &= ~((arcs.core_low >= low) & (arcs.core_high <= high)).all(axis=1)
        arcs = arcs.take(undecided)
        left, right = arcs.ends(0), arcs.ends(1)
        at = left + CUT * (right - left)
        arcs = Arcs.joined([pieces(part, arcs, left, at), pieces(part, arcs, at, right)])
    return [(CIRCLE if part.circle else AXIS, a, b) for a, b in zip(arcs.core_low, arcs.core_high, strict=True)]


def _counted(part: Problem, chain: _Chain, numbers: np.ndarray, unstable: np.ndarray, special: set[int]) -> list[Doubt]:
    """Return where the numbers of unstable eigenvalues at the computed points are not those that are said.

    `numbers` are those of the chain's rows among the computed ones.
    """
    doubts: list[Doubt] = []
    for ends, at in ((chain.begin, chain.ends[0]), (chain.end[-1:], chain.ends[1, -1:])):
        arcs = chain.arcs.take(slice(-1, None) if ends is not chain.begin else slice(None))
        which = np.flatnonzero(ends == np.floor(ends))
        points = pieces(part, arcs.take(which), at[which], at[which])
        counts = unstable_counts(part, points.core_low, points.core_high)
        for i, (row, count) in enumerate(zip(numbers[ends[which].astype(int)].tolist(), counts, strict=True)):
            if row not in special and count != unstable[row]:
                known = "how many are is not known" if count is None else f"{count} are proved"
                text = f"the diagram has {unstable[row]} unstable eigenvalues there, and {known}"
                doubts.append((text, points.core_low[i], points.core_high[i]))
    return doubts

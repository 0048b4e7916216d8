"""Which arcs are pieces of the same curve, and which curves enter the box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.proofs.arcs import CUT, Arcs, at_end, pieces
from bifrncrn.proofs.problem import Problem

DEPTH, MOST_PIECES = 40, 1000
"""How often arcs are cut, and into how many, to find out whether they enter the box."""
ROWS = 64
"""So many end points are compared with all arcs at a time."""


@dataclass(frozen=True)
class Curves:
    """Arcs sorted into connected curves.

    Attributes
    ----------
    of : (k,) integers
        The curve of each arc, numbered from 0; -1 for arcs of curves that do not enter the box.
    count : int
    doubtful : list of int
        Arcs at which it is not known whether two curves are one.
    outside : list of int
        An arc of each curve of which it is not known whether it enters the box.
    """

    of: np.ndarray
    count: int
    doubtful: list[int]
    outside: list[int]


def linked(problem: Problem, arcs: Arcs, low: np.ndarray, high: np.ndarray) -> Curves:
    """Sort arcs into curves.

    Two arcs that meet share a piece of a smooth curve, whose ends are ends of one of the two. So arcs meet exactly if
    an end of one lies on the other; and a zero of f in a tube lies on the tube's arc.
    """
    count = len(arcs)
    group = list(range(count))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    maybe: list[tuple[int, int]] = []
    enters = np.zeros(count, bool)
    for side in (0, 1):
        e_low, e_high = at_end(problem, arcs, side)
        enters |= ((e_low >= low) & (e_high <= high)).all(axis=1)
        order = np.argsort(e_low[:, -1])
        for start in range(0, count, ROWS):
            rows = order[start : start + ROWS]
            p_low, p_high = e_low[rows], e_high[rows]
            close = (arcs.core_low <= p_high.max(axis=0)) & (arcs.core_high >= p_low.min(axis=0))
            columns = np.flatnonzero(close.all(axis=1))
            near = (p_low[:, None] <= arcs.core_high[columns]) & (p_high[:, None] >= arcs.core_low[columns])
            for i, k in zip(*np.nonzero(near.all(axis=2)), strict=True):
                end, arc = int(rows[i]), int(columns[k])
                if (p_low[i] >= arcs.low[arc]).all() and (p_high[i] <= arcs.high[arc]).all():
                    group[root(end)] = root(arc)
                else:
                    maybe.append((end, arc))
    roots = np.array([root(i) for i in range(count)], int)
    doubtful = sorted({i for i, k in maybe if roots[i] != roots[k]})
    names, of = np.unique(roots, return_inverse=True)
    numbers, outside = np.full(len(names), -1), []
    for c in range(len(names)):
        members = of == c
        inside = True if enters[members].any() else _enters(problem, arcs.take(members), low, high)
        if inside is None:
            outside.append(int(np.flatnonzero(members)[0]))
        if inside is not False:
            numbers[c] = numbers.max() + 1
    return Curves(numbers[of] if count else of, int(numbers.max(initial=-1)) + 1, doubtful, outside)


def _enters(problem: Problem, arcs: Arcs, low: np.ndarray, high: np.ndarray) -> bool | None:
    """Say whether a curve has a point in the box; None where that cannot be told."""
    for _ in range(DEPTH):
        near = ((arcs.core_low <= high) & (arcs.core_high >= low)).all(axis=1)
        arcs = arcs.take(near)
        if not len(arcs):
            return False
        if len(arcs) > MOST_PIECES:
            return None
        left, right = arcs.ends(0), arcs.ends(1)
        at = left + CUT * (right - left)
        halves = [pieces(problem, arcs, left, at), pieces(problem, arcs, at, right)]
        e_low, e_high = at_end(problem, halves[0], 1)
        if ((e_low >= low) & (e_high <= high)).all(axis=1).any():
            return True
        arcs = Arcs.joined(halves)
    return None

"""What a box holds, put together: the parts of its equilibria, their curves, special points, and where parts cross."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Any

import numpy as np

from bifrncrn.proofs import crossings, special
from bifrncrn.proofs.arcs import Arcs, to_curve
from bifrncrn.proofs.cover import Cover, cover
from bifrncrn.proofs.linking import Curves, linked
from bifrncrn.proofs.planes import Symmetry, planes, turnings
from bifrncrn.proofs.points import NOT_ALONE, Points, Proved
from bifrncrn.proofs.problem import FOLD, Problem
from bifrncrn.proofs.result import Interval, ProvedPoint, Undecided
from bifrncrn.proofs.rounding import midpoint

MOST_JOINED = 2000
"""More undecided boxes than this are joined to one."""
BEYOND = 0.0123
"""Where a side of the box is the middle of a symmetry, so much more of its width is covered: a branch that turns there
turns inside of what is covered."""
DRAWN = 9
"""So many points along an arc make its line in a picture."""
EQUILIBRIA = "what equilibria there are"
ONE_CURVE, ENTERS = "whether two curves are one", "whether a curve enters the box"
DEFINED = "whether the model is defined and smooth on an invariant plane"

Box = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Held:
    """What a box holds.

    Attributes
    ----------
    branches : int or None
    points : tuple of ProvedPoint
    undecided : tuple of Undecided
    boxes, arcs : how many
    certificate, paths : see `Proof`
    """

    branches: int | None
    points: tuple[ProvedPoint, ...]
    undecided: tuple[Undecided, ...]
    boxes: int
    arcs: int
    certificate: dict[str, list]
    paths: tuple[np.ndarray, ...]


def held(prover: Points, low: np.ndarray, high: np.ndarray, most: int, seconds: float) -> Held:
    """Prove what the box [low, high] holds, with at most so many boxes (for each part) and seconds."""
    problem, deadline = prover.problem, time.monotonic() + seconds
    found = planes(problem, low, high)
    known = turnings(problem, found)
    chosen = chain.from_iterable(combinations(found, k) for k in range(len(found), -1, -1))
    sets = (on for on in chosen if len({found[k].state for k in on}) == len(on))
    parts, undecided = [], []
    for on in sets:
        part = problem.part(found, on) if found else problem
        one, doubts = _part(part, known, low, high, most, deadline - time.monotonic())
        parts.append(one)
        undecided += doubts
    points, doubts = _points(prover, parts, known, low, high)
    whole = all(part.whole for part in parts)
    return Held(
        branches=sum(part.curves.count for part in parts) if whole else None,
        points=tuple(points),
        undecided=tuple(undecided + doubts),
        boxes=sum(part.cover.boxes for part in parts),
        arcs=sum(len(part.cover.arcs) for part in parts),
        certificate=_certificate(parts),
        paths=tuple(path for part in parts for path in _paths(part.problem, part.cover.arcs)),
    )


@dataclass(frozen=True)
class Part:
    """A part of the equilibria: its arcs, the curves that they make, the roots of its test functions.

    `undefined` are the arcs on which the model itself may not be defined.
    """

    problem: Problem
    cover: Cover
    curves: Curves
    roots: list[special.Root]
    undefined: list[int]

    @property
    def whole(self) -> bool:
        """Whether its curves are all known."""
        return not (len(self.cover.undecided[0]) or self.curves.doubtful or self.curves.outside or self.undefined)


def _part(
    problem: Problem,
    known: Sequence[Symmetry],
    low: np.ndarray,
    high: np.ndarray,
    most: int,
    seconds: float,
) -> tuple[Part, list[Undecided]]:
    wide_low, wide_high = low.copy(), high.copy()
    for i, plane in problem.planes.items():
        sides = plane.bounds(problem)
        if sides is None or i in problem.on or not any(symmetry.moves(plane) for symmetry in known):
            continue
        k, (left, right) = plane.state, sides
        width = BEYOND * (high[k] - low[k])
        wide_low[k] -= width if left <= low[k] else 0.0
        wide_high[k] += width if right >= high[k] else 0.0
    found = cover(problem, wide_low, wide_high, most, seconds)
    inside = _meet(found.undecided, low, high)
    found = replace(found, undecided=(found.undecided[0][inside], found.undecided[1][inside]))
    arcs = found.arcs
    complete = not len(found.undecided[0])
    curves = linked(problem, arcs, low, high) if complete else Curves(np.full(len(arcs), -1), 0, [], [])
    analysis = special.analyse(problem, arcs, wide_low, wide_high)
    undecided = _joined_boxes(problem, found)
    undecided += _joined_pieces(problem, analysis, low, high)
    undefined = _undefined(problem, arcs) if problem.on else []
    for reason, which in ((ONE_CURVE, curves.doubtful), (ENTERS, curves.outside), (DEFINED, undefined)):
        boxes = joined([(arcs.core_low[i], arcs.core_high[i]) for i in which])
        undecided += [doubt(problem, reason, *box) for box in boxes]
    return Part(problem, found, curves, analysis.roots, undefined), undecided


def _undefined(problem: Problem, arcs: Arcs) -> list[int]:
    """Return the arcs on planes, whose own equations may say nothing about f there, on which f may not be smooth."""
    low, high = problem.jacobian(arcs.core_low, arcs.core_high)
    which: list[int] = np.flatnonzero(~np.isfinite(low + high).all(axis=(1, 2))).tolist()
    return which


def _meet(boxes: Box, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    meets: np.ndarray = np.all((boxes[0] <= high) & (boxes[1] >= low), axis=1)
    return meets


def _certificate(parts: list[Part]) -> dict[str, list]:
    arcs = Arcs.joined([part.cover.arcs for part in parts])
    numbers, first = [], 0
    for part in parts:
        numbers += [n + first if n >= 0 else -1 for n in part.curves.of.tolist()]
        first += part.curves.count
    on = [[part.problem.planes[k].name(part.problem) for k in sorted(part.problem.on)] for part in parts]
    return {
        "pivot": arcs.pivot.tolist(),
        "low": arcs.low.tolist(),
        "high": arcs.high.tolist(),
        "core_low": arcs.core_low.tolist(),
        "core_high": arcs.core_high.tolist(),
        "curve": numbers,
        "on": [names for part, names in zip(parts, on, strict=True) for _ in range(len(part.cover.arcs))],
    }


def _paths(problem: Problem, arcs: Arcs) -> np.ndarray:
    """Return points along arcs, (k, DRAWN, n + 1)."""
    shares = np.linspace(0.0, 1.0, DRAWN)
    at = arcs.ends(0)[:, None] + (arcs.ends(1) - arcs.ends(0))[:, None] * shares
    start = np.repeat(midpoint(arcs.core_low, arcs.core_high), DRAWN, axis=0)
    pivot = np.repeat(arcs.pivot, DRAWN)
    np.put_along_axis(start, pivot[:, None], at.reshape(-1, 1), 1)
    points, good = to_curve(problem, pivot, start)
    points[~good] = np.nan
    return points.reshape(len(arcs), DRAWN, problem.n + 1)


# -- what is undecided ----------------------------------------------------------------------------------------------


def doubt(problem: Problem, reason: str, low: np.ndarray, high: np.ndarray) -> Undecided:
    """Return that something about a box is not known."""
    return Undecided(reason, {v: (float(a), float(b)) for v, a, b in zip(problem.names, low, high, strict=True)})


def _joined_boxes(problem: Problem, found: Cover) -> list[Undecided]:
    reason = EQUILIBRIA if found.finished else f"{EQUILIBRIA} (given up: too many boxes, or no time left)"
    return [doubt(problem, reason, *box) for box in joined(zip(*found.undecided, strict=True))]


def _joined_pieces(problem: Problem, analysis: special.Analysis, low: np.ndarray, high: np.ndarray) -> list[Undecided]:
    sorts: dict[str, list[Box]] = {}
    for _, arc, reason in analysis.unknown:
        if _meet((arc.core_low, arc.core_high), low, high)[0]:
            sorts.setdefault(reason, []).append((arc.core_low[0], arc.core_high[0]))
    return [doubt(problem, reason, *box) for reason, boxes in sorts.items() for box in joined(boxes)]


def joined(boxes: Iterable[Box]) -> list[Box]:
    """Join boxes that touch; all of them where there are too many."""
    listed = list(boxes)
    clusters: list[Box] = []
    if len(listed) > MOST_JOINED:
        lows, highs = (np.array([box[i] for box in listed]) for i in (0, 1))
        return [(lows.min(axis=0), highs.max(axis=0))]
    for low, high in listed:
        gap = high - low
        for k, (c_low, c_high) in enumerate(clusters):
            if ((low - gap <= c_high) & (high + gap >= c_low)).all():
                clusters[k] = np.minimum(c_low, low), np.maximum(c_high, high)
                break
        else:
            clusters.append((low, high))
    return clusters


# -- special points -------------------------------------------------------------------------------------------------


def _points(
    prover: Points, parts: list[Part], known: Sequence[Symmetry], low: np.ndarray, high: np.ndarray
) -> tuple[list[ProvedPoint], list[Undecided]]:
    """Return the special points in the box, each once, and what is not known."""
    doubts: list[Undecided] = []
    roots: dict[frozenset[int], list[special.Root]] = {}
    for part in parts:
        roots[part.problem.on], unclear = _distinct(part, low, high)
        doubts += unclear
    by_planes = {part.problem.on: part.problem for part in parts}
    found, taken, unclear = crossings.found(by_planes, roots, known)
    doubts += unclear
    points = [_described(crossing.problem, crossing.root, "BP", crossing.detail) for crossing in found]
    for on, several in roots.items():
        for root in several:
            if root.test in special.tests_of_crossings(by_planes[on]) or root in taken:
                continue
            if not crossings.apart(by_planes[on], root.arc.core_low, root.arc.core_high):
                doubts.append(doubt(by_planes[on], crossings.IN_ONE, root.arc.core_low[0], root.arc.core_high[0]))
                continue
            point = _point(prover, by_planes[on], root)
            if isinstance(point, str):
                doubts.append(doubt(by_planes[on], point, root.arc.core_low[0], root.arc.core_high[0]))
            else:
                points.append(point)
    return sorted(points, key=lambda point: point.parameters[prover.problem.names[-1]]), doubts


def _distinct(part: Part, low: np.ndarray, high: np.ndarray) -> tuple[list[special.Root], list[Undecided]]:
    """Return the roots of one part in the box, each once, and those about which that is not known."""
    kept: list[special.Root] = []
    doubts: list[Undecided] = []
    for root in part.roots:
        r_low, r_high = root.arc.core_low[0], root.arc.core_high[0]
        if (r_low > high).any() or (r_high < low).any():
            continue
        same = [_same(root, other) for other in kept if other.test == root.test]
        if True in same:
            continue
        if None in same:
            doubts.append(doubt(part.problem, "whether two special points are one", r_low, r_high))
            continue
        kept.append(root)
    return kept, doubts


def _same(one: special.Root, other: special.Root) -> bool | None:
    """Say whether two roots are one; None where it is not known."""
    for first, second in ((one, other), (other, one)):
        low, high = first.arc.core_low[0], first.arc.core_high[0]
        if ((low >= second.piece.low[0]) & (high <= second.piece.high[0])).all():
            return True  # in the tube of a piece that has a single root
    apart = (one.arc.core_low[0] > other.arc.core_high[0]) | (one.arc.core_high[0] < other.arc.core_low[0])
    return False if apart.any() else None


METHODS = {"LP": "fold", "HB": "hopf", "PD": "flip", "NS": "torus"}
"""What proves a single point of a label."""


def _point(prover: Points, problem: Problem, root: special.Root) -> ProvedPoint | str:
    """Describe a special point, with the coefficients of its normal form where they are proved for it.

    Or say why not: where it is not proved to be a single one, or, of a map, what it is called asks for more.
    """
    arc, piece, label = root.arc, root.piece, problem.tests.labels[root.test]
    beside = special.sides(problem, root)
    if not beside.single:
        return special.TWO_IN_ONE
    detail: dict[str, Any] = {"iterations": 1} if problem.circle else {}
    detail["unstable"] = beside.unstable
    if root.test == FOLD:
        detail["turns"] = beside.turns
    elif label == "HB":
        detail["omega"] = special.frequency(root.square)
    at = midpoint(arc.core_low[0], arc.core_high[0])
    again: Proved = getattr(prover, METHODS[label])(at)
    if (
        again.box is not None
        and ((again.box[0] >= piece.low[0]) & (again.box[1] <= piece.high[0])).all()
        and crossings.apart(problem, again.box[0][None], again.box[1][None])
    ):  # in the tube of a piece that holds a single one; and no other part of the equilibria is there
        return _described(problem, root, label, detail | again.detail, again.box)
    if label in ("PD", "NS"):
        return f"{label}: {again.reason or NOT_ALONE}"
    return _described(problem, root, label, detail)


def _described(
    problem: Problem, root: special.Root, label: str, detail: dict[str, Any], box: Box | None = None
) -> ProvedPoint:
    low, high = root.arc.core_low[0], root.arc.core_high[0]
    if box is not None:
        low, high = np.maximum(low, box[0]), np.minimum(high, box[1])
    sides: list[Interval] = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    names = problem.names
    return ProvedPoint(label, {names[-1]: sides[-1]}, dict(zip(names[:-1], sides[:-1], strict=True)), detail)

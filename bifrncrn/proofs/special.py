"""Special points on arcs: each alone on its piece of a curve, and no other ones.

Along an arc the determinant of the Jacobian (at folds) and the other tests are functions of the pivot. Where such
a function is not zero on a piece of the arc there is nothing to find; where its derivative is not zero it has a single
root, or none, as the signs at the ends tell. Pieces on which neither is known are cut in two.

The parameter's derivative along the curve is the determinant times a factor without zeros, so a simple root of the
determinant is a quadratic fold. Where the curve is a part of the equilibria on an invariant plane (see `problem`), the
roots of the plane's g are where another part crosses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.proofs.arcs import CUT, Arcs, at_end, pieces, slopes_along, to_curve
from bifrncrn.proofs.problem import FOLD, Problem
from bifrncrn.proofs.rounding import down, midpoint, times, total, up
from bifrncrn.proofs.spectrum import unstable_counts

DEPTH = 40
"""How often a piece is cut before its special points are given up."""
MOST_PIECES = 4000
"""With so many pieces undecided at a time they are all given up: a test function is zero along a curve."""
AT_ENDS = 1e-3
"""A root at the end of a piece is told from a neutral saddle on so much of the piece."""
RADII = tuple(10.0**k for k in range(-14, 1))
"""Half widths of the pivot's interval that are tried about a special point, relative to the arc's."""


@dataclass(frozen=True, eq=False)
class Root:
    """A simple root of a test function, the only one on a piece of an arc.

    Attributes
    ----------
    test : the number of a test
    parent : the arc it lies on
    arc : one arc, narrow about the root
    piece : one arc, on which it is the only root
    square : bounds of the squared frequency there (of a pair)
    """

    test: int
    parent: int
    arc: Arcs
    piece: Arcs
    square: tuple[float, float]


@dataclass(frozen=True)
class Analysis:
    """What was found on arcs: roots, and the pieces (parent, arcs, reason) about which nothing is known."""

    roots: list[Root]
    unknown: list[tuple[int, Arcs, str]]


def analyse(problem: Problem, arcs: Arcs, low: np.ndarray, high: np.ndarray) -> Analysis:
    """Find the special points on arcs, as far as they lie in the box [low, high]."""
    roots: list[Root] = []
    unknown: list[tuple[int, Arcs, str]] = []
    whole, parents = arcs, np.arange(len(arcs))
    narrowest = 1e-13 * (arcs.ends(1) - arcs.ends(0))
    for _ in range(DEPTH):
        inside = ((arcs.core_low <= high) & (arcs.core_high >= low)).all(axis=1)
        arcs, parents = arcs.take(inside), parents[inside]
        if not len(arcs):
            return Analysis(roots, unknown)
        free, monotone = _judged(problem, arcs)
        clear = (free | monotone).all(axis=1)
        maybe = np.flatnonzero(clear & ~free.all(axis=1))
        clear[maybe] = ~_open(problem, arcs.take(maybe), free[maybe], low, high)
        for test in range(free.shape[1]):
            which = np.flatnonzero(clear & ~free[:, test])
            _take_roots(problem, arcs.take(which), parents[which], test, roots, unknown)
        arcs, parents = arcs.take(~clear), parents[~clear]
        if len(arcs) > MOST_PIECES:
            break
        arcs, parents = _halves(problem, arcs), np.concatenate([parents, parents])
        wide = arcs.ends(1) - arcs.ends(0) > narrowest[parents]
        unknown += [(int(parents[i]), arcs.take(np.array([i])), DEGENERATE) for i in np.flatnonzero(~wide)]
        arcs, parents = arcs.take(wide), parents[wide]
    staying = _staying(problem, whole, low, high)[parents]
    for i in range(len(arcs)):
        reason = ALL_ALONG if staying[i] else DEGENERATE
        unknown.append((int(parents[i]), arcs.take(np.array([i])), reason))
    return Analysis(roots, unknown)


def _staying(problem: Problem, arcs: Arcs, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Say of arcs (k,) in a box whether the test of a pair is zero all along them, as far as rounding tells.

    On a short arc a test that has a multiple root may be rounding everywhere: of those this is not said.
    """
    test = problem.tests.pair
    left, width = arcs.ends(0), arcs.ends(1) - arcs.ends(0)
    staying: np.ndarray = (width >= LONG * (high - low)[arcs.pivot]) & (test > 0)
    for share in ASKED if staying.any() else ():
        start = midpoint(arcs.core_low, arcs.core_high)
        np.put_along_axis(start, arcs.pivot[:, None], (left + share * width)[:, None], 1)
        point, _ = to_curve(problem, arcs.pivot, start)
        (below, over), (slopes, _) = problem.tests.with_slopes(point, point)
        size = ROUNDING * np.sum(np.abs(slopes[:, test] * point), axis=1)
        staying &= (below[:, test] - size <= 0.0) & (over[:, test] + size >= 0.0)
    return staying


LONG = 0.05
"""A centre is told from a multiple root on arcs at least this part of the box long: on shorter ones a root of a high
order may be below rounding everywhere (that of the eighth on two hundredths of a unit)."""
ASKED = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
"""Where on an arc it is asked whether a test that no piece of it could rule out is zero all along."""
ROUNDING = 1e-13
"""It is zero where it is below this part of what it changes by when all states and the parameter double."""
ALL_ALONG = (
    "a pair of eigenvalues (multipliers) that stays on the imaginary axis (unit circle) all along, as far as rounding "
    "tells, as at the centre of predators and prey: no box is small enough to tell it from a Hopf point"
)
DEGENERATE = "a degenerate special point (a cusp, a tangency or two points in one), or nearly so"
AT_END = "a special point at the end of a piece of the curve"
TWO_IN_ONE = "two special points in one (a zero-Hopf point, say), or nearly so"
NO_KIND = "a double eigenvalue (a Bogdanov-Takens point, or a strong resonance), or nearly so: the kind is not known"


def _judged(problem: Problem, arcs: Arcs) -> tuple[np.ndarray, np.ndarray]:
    """Return, for every arc and test, whether it has no root and whether it is monotone, (k, tests) each."""
    tests = problem.tests
    (low, high), (g_low, g_high) = tests.with_slopes(arcs.core_low, arcs.core_high)
    y_low, y_high = slopes_along(problem, arcs)
    rate = total(*times(g_low, g_high, y_low[:, None, :], y_high[:, None, :]))
    free = (low[:, : tests.count] > 0.0) | (high[:, : tests.count] < 0.0)
    if tests.pair > 0:
        free[:, tests.pair] |= high[:, tests.square] < 0.0  # the pair is real
    return free, (rate[0] > 0.0) | (rate[1] < 0.0)


def _open(problem: Problem, arcs: Arcs, free: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Say which arcs end outside of the box in a point at which a test, of those not `free`, may be zero.

    Shorter pieces of them tell whether it has a root in the box.
    """
    found = np.zeros(len(arcs), bool)
    for side in (0, 1) if len(arcs) else ():
        p_low, p_high = at_end(problem, arcs, side)
        below, over = (values[:, : free.shape[1]] for values in problem.tests.values(p_low, p_high))
        unknown = (~free & ~((below > 0.0) | (over < 0.0))).any(axis=1)
        found |= unknown & ((p_low > high) | (p_high < low)).any(axis=1)
    return found


def _halves(problem: Problem, arcs: Arcs) -> Arcs:
    left, right = arcs.ends(0), arcs.ends(1)
    at = left + CUT * (right - left)
    return Arcs.joined([pieces(problem, arcs, left, at), pieces(problem, arcs, at, right)])


def _take_roots(
    problem: Problem,
    arcs: Arcs,
    parents: np.ndarray,
    test: int,
    roots: list[Root],
    unknown: list[tuple[int, Arcs, str]],
) -> None:
    """Sort arcs on which a test is monotone by whether it has a root."""
    if not len(arcs):
        return
    signs = [_signs(problem, at_end(problem, arcs, side), test) for side in (0, 1)]
    for i in range(len(arcs)):
        one, first, last = arcs.take(np.array([i])), signs[0][i], signs[1][i]
        if first * last > 0 or (
            _of_pair(problem, test) and first * last == 0 and _is_neutral(problem, one, first, last)
        ):
            continue
        found = _located(problem, one, int(parents[i]), test, first) if first * last < 0 else None
        if found is None:
            unknown.append((int(parents[i]), one, AT_END if first * last == 0 else DEGENERATE))
        elif _of_pair(problem, test) and found.square[1] < 0.0:
            continue  # a neutral saddle
        elif _of_pair(problem, test) and not found.square[0] > 0.0:
            unknown.append((int(parents[i]), found.arc, NO_KIND))
        else:
            roots.append(found)


def tests_of_crossings(problem: Problem) -> range:
    """Return the numbers of the tests whose roots are crossings."""
    tests = problem.tests
    return range(tests.count - len(tests.crossing), tests.count)


def _of_pair(problem: Problem, test: int) -> bool:
    return test == problem.tests.pair


def _signs(problem: Problem, boxes: tuple[np.ndarray, np.ndarray], test: int) -> np.ndarray:
    """Return the sign of a test in boxes, 0 where it is not known."""
    low, high = problem.tests.values(*boxes)
    return np.where(low[:, test] > 0.0, 1, np.where(high[:, test] < 0.0, -1, 0))


def _located(problem: Problem, arc: Arcs, parent: int, test: int, first: int) -> Root | None:
    """Enclose the root of a test on one arc, whose sign is `first` at the lower end and opposite at the upper."""
    left, right = arc.ends(0)[0], arc.ends(1)[0]
    middle = _bisected(problem, arc, test, first)
    for share in RADII:
        reach = share * max(right - left, abs(middle))
        ends = np.array([max(left, middle - reach)]), np.array([min(right, middle + reach)])
        narrow = pieces(problem, arc, *ends)
        signs = [_signs(problem, at_end(problem, narrow, side), test)[0] for side in (0, 1)]
        if signs[0] == first and signs[1] == -first:
            low, high = problem.tests.values(narrow.core_low, narrow.core_high)
            square = [side[0, problem.tests.square] if problem.tests.pair > 0 else np.nan for side in (low, high)]
            return Root(test, parent, narrow, arc, (float(square[0]), float(square[1])))
    return None


def _bisected(problem: Problem, arc: Arcs, test: int, first: int) -> float:
    """Return the root approximately: regula falsi (Illinois) on points of the curve, else bisection."""
    a, b = arc.ends(0)[0], arc.ends(1)[0]
    values = [_value(problem, arc, s, test) for s in (a, b)]
    if not (np.isfinite(values).all() and values[0] * values[1] < 0.0):
        return float(0.5 * (a + b))
    (fa, fb), side = values, 0
    s = 0.5 * (a + b)
    for _ in range(60):
        s = min(max((a * fb - b * fa) / (fb - fa), min(a, b)), max(a, b))
        f = _value(problem, arc, s, test)
        if f == 0.0 or not np.isfinite(f) or abs(b - a) <= 4e-16 * max(abs(a), abs(b)):
            break
        if f * first > 0.0:
            moved, a, fa = s - a, s, f
            fb, side = (0.5 * fb if side == -1 else fb), -1
        else:
            moved, b, fb = b - s, s, f
            fa, side = (0.5 * fa if side == 1 else fa), 1
        if abs(moved) <= 2e-16 * abs(s):
            break
    return float(s)


def _value(problem: Problem, arc: Arcs, s: float, test: int) -> float:
    """Return a test at the point of the curve over s, approximately."""
    start = midpoint(arc.core_low, arc.core_high)
    np.put_along_axis(start, arc.pivot[:, None], s, 1)
    point, _ = to_curve(problem, arc.pivot, start)
    low, high = problem.tests.values(point, point)
    return float(0.5 * (low[0, test] + high[0, test]))


@dataclass(frozen=True)
class Sides:
    """What is known on the two sides of a root: how many eigenvalues are unstable, and how the parameter turns.

    Where it is not `single`, another test function may vanish in the same place.
    """

    unstable: list[int] | None
    turns: str | None
    single: bool = True


def sides(problem: Problem, root: Root) -> Sides:
    """Look at the two sides of a root, near enough that no other root lies in between.

    On each side of a fold that is alone on its piece the parameter is monotone, so one point of a side tells whether it
    is smallest ("minimum") or largest there.
    """
    left, right = root.piece.ends(0)[0], root.piece.ends(1)[0]
    middle = midpoint(root.arc.ends(0), root.arc.ends(1))[0]
    width = right - left
    at = root.arc.core_low[0, -1], root.arc.core_high[0, -1]
    turning, single = None, False
    while width > 1e-12 * (right - left):
        ends = np.array([max(left, middle - width)]), np.array([min(right, middle + width)])
        width *= 0.2
        around = pieces(problem, root.piece, *ends)
        points = [at_end(problem, around, side) for side in (0, 1)]
        if root.test == FOLD and turning is None:
            turning = _turning(points, at)
        single = single or alone(problem, around, root.test)
        if not single or (root.test == FOLD and turning is None):
            continue
        counts = [unstable_counts(problem, *point)[0] for point in points]
        if root.test != FOLD and points[0][0][0, -1] > points[1][1][0, -1]:
            counts.reverse()  # the side of the smaller parameter first
        known = [count for count in counts if count is not None]
        return Sides(known if len(known) == 2 else None, turning)
    return Sides(None, turning, single)


def _is_neutral(problem: Problem, arc: Arcs, first: int, last: int) -> bool:
    """Say whether a root of the Hopf determinant at an end of an arc, on which it is monotone, is a neutral saddle.

    The signs at the two ends are given. Where that at the inner end of a short piece is the one of the other end, the
    root, if there is one, is on the short piece.
    """
    if first == 0 and last == 0:
        return False
    left, right = arc.ends(0), arc.ends(1)
    width = AT_ENDS * (right - left)
    short = pieces(problem, arc, left, left + width) if first == 0 else pieces(problem, arc, right - width, right)
    inner = _signs(problem, at_end(problem, short, 1 if first == 0 else 0), problem.tests.pair)[0]
    square = problem.tests.values(short.core_low, short.core_high)[1][0, problem.tests.square]
    return bool(inner == first + last and square < 0.0)


def alone(problem: Problem, arc: Arcs, test: int) -> bool:
    """Say whether no test but one can vanish on an arc, nor the distance from a plane."""
    low, high = (side[0] for side in problem.tests.values(arc.core_low, arc.core_high))
    free = (low > 0.0) | (high < 0.0)
    if problem.tests.pair > 0:
        free[problem.tests.pair] |= high[problem.tests.square] < 0.0
        free[problem.tests.square] = True
    free[test] = True
    return bool(free.all())


def _turning(points: list[tuple[np.ndarray, np.ndarray]], at: tuple[float, float]) -> str | None:
    for low, high in points:
        if low[0, -1] > at[1]:
            return "minimum"
        if high[0, -1] < at[0]:
            return "maximum"
    return None


def frequency(square: tuple[float, float]) -> tuple[float, float]:
    """Return bounds of the square root."""
    return float(down(np.sqrt(square[0]))), float(up(np.sqrt(square[1])))

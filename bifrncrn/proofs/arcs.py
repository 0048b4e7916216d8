"""Arcs: pieces of a curve of equilibria, each proved to be there and to be alone in its tube.

One coordinate of y = (x, p), the pivot, runs through an interval; the tube is a box over it. Krawczyk's operator

    K = c - C f(c) - C J_q (Q - c_q) + (I - C J_u(X)) (X_u - c_u)

(q the pivot, u the other coordinates, C an approximate inverse of J_u(c)) maps the tube X into its interior. Then, by
Brouwer's theorem, f has a zero in X for every value of the pivot in Q; as |I - C J_u| < 1, each J_u in X is regular, so
the zero is the only one, and the zeros form a smooth curve that goes through the tube from one end to the other. They
lie in K, which is `core`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from bifrncrn.proofs.problem import Bounds, Problem
from bifrncrn.proofs.rounding import above, down, midpoint, product, radius, up

CUT = 0.4871
"""Where a box, or an arc, is cut, as a fraction of its side: nothing that a person would choose, so that special points
do not lie on the cuts."""
NEWTON_STEPS = 8
CLOSE = 1e-6
"""Newton's method has settled where its step is below so much of the reach; a proof does not rest on it."""
SLACK = 1.2
"""A tube is tried at so many times the radius that the slope asks for, plus some of the room there is."""
NARROW = (0.0, 0.0, 0.0)
"""First a narrow tube is tried, and its radius widened to what K needs, so many times."""
ROOMS = (1.0, 0.3, 0.1, 0.03, 0.01)
"""Then how much of the room that is given is tried: a wide tube leaves less to be looked at beside it."""
WIDEN = 1.1
RELATIVE = 1e-13
"""The least radius of a tube, relative to the coordinates: some hundred roundings."""


@dataclass(frozen=True)
class Arcs:
    """k arcs.

    Attributes
    ----------
    pivot : (k,) integers
    low, high : (k, n + 1) arrays
        The tubes X; each holds exactly one curve, over the whole interval of its pivot.
    core_low, core_high : (k, n + 1) arrays
        Where the curve is in it.
    inverse : (k, n, n) array
        The matrices C.
    """

    pivot: np.ndarray
    low: np.ndarray
    high: np.ndarray
    core_low: np.ndarray
    core_high: np.ndarray
    inverse: np.ndarray

    def __len__(self) -> int:
        return len(self.pivot)

    def take(self, which: Any) -> Arcs:
        """Return some of the arcs."""
        return Arcs(*(getattr(self, item.name)[which] for item in fields(self)))

    @staticmethod
    def none(m: int) -> Arcs:
        """Return no arcs, in m coordinates."""
        empty = np.zeros((0, m))
        return Arcs(np.zeros(0, int), empty, empty, empty, empty, np.zeros((0, m - 1, m - 1)))

    @staticmethod
    def joined(parts: list[Arcs]) -> Arcs:
        """Return the arcs of several sets as one."""
        return Arcs(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Arcs)))

    def ends(self, side: int) -> np.ndarray:
        """Return the value of the pivot at the lower (0) or upper (1) end, (k,)."""
        return np.take_along_axis(self.high if side else self.low, self.pivot[:, None], 1)[:, 0]


def others(pivot: np.ndarray, m: int) -> np.ndarray:
    """Return the indices of the coordinates that are not the pivot, (k, m - 1)."""
    places = np.broadcast_to(np.arange(m - 1), (len(pivot), m - 1))
    return places + (places >= pivot[:, None])


def inverses(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return approximate inverses (k, n, n), and whether they are finite."""
    n = matrices.shape[-1]
    good = np.isfinite(matrices).all(axis=(1, 2))
    safe = np.where(good[:, None, None], matrices, np.eye(n))
    with np.errstate(all="ignore"):
        if n == 1:
            found = 1.0 / safe
        elif n == 2:
            a, b, c, d = safe[:, 0, 0], safe[:, 0, 1], safe[:, 1, 0], safe[:, 1, 1]
            found = np.stack([d, -b, -c, a], axis=-1).reshape(-1, 2, 2) / (a * d - b * c)[:, None, None]
        else:
            regular = np.abs(np.linalg.det(safe)) > 0.0
            found = np.linalg.inv(np.where(regular[:, None, None], safe, np.eye(n)))
            found[~regular] = np.nan
        good &= np.isfinite(found).all(axis=(1, 2))
    return np.where(good[:, None, None], found, 0.0), good


def to_curve(
    problem: Problem, pivot: np.ndarray, start: np.ndarray, reach: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Take Newton steps to the curve, the pivot fixed; return points (k, n + 1) and which of them converged.

    What goes further off than `reach` (k, n + 1) is given up.
    """
    m = problem.n + 1
    rest = others(pivot, m)
    point = start.copy()
    done = np.zeros(len(point), bool)
    going = np.arange(len(point))
    for _ in range(NEWTON_STEPS):
        y, index = point[going], rest[going]
        (below, over), (j_low, j_high) = problem.linear(y, y)
        matrix = np.take_along_axis(0.5 * (j_low + j_high), index[:, None, :], 2)
        inverse, good = inverses(matrix)
        step = -(inverse @ (0.5 * (below + over))[:, :, None])[:, :, 0]
        good &= np.isfinite(step).all(axis=1)
        moved = np.take_along_axis(y, index, 1) + np.where(good[:, None], step, 0.0)
        np.put_along_axis(y, index, moved, 1)
        point[going] = y
        small = good & (np.abs(step) <= RELATIVE * np.abs(moved) + 1e-300).all(axis=1)
        close = good & (np.abs(step) <= 1e-8 * np.abs(moved) + 1e-14 * np.abs(y).max(axis=1)[:, None]).all(axis=1)
        done[going] = small | close
        if reach is not None:
            done[going] |= good & (np.abs(step) <= CLOSE * np.take_along_axis(reach[going], index, 1)).all(axis=1)
            good &= (np.abs(y - start[going]) <= reach[going]).all(axis=1)
            done[going] &= good
        going = going[good & ~small]
        if not len(going):
            break
    return point, done


def prove_arcs(
    problem: Problem,
    pivot: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    center: np.ndarray,
    room: np.ndarray | None = None,
    within: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[Arcs, np.ndarray]:
    """Prove a curve over the pivot's interval near `center`.

    Parameters
    ----------
    pivot : (k,) integers
    low, high : (k,) arrays
        The interval of the pivot.
    center : (k, n + 1) array
        A point of the curve, approximately, its pivot in the interval.
    room : (k, n + 1) array, optional
        How wide the tube is to be, if possible, about the curve; by default as narrow as can be.
    within : two (k, n + 1) arrays, optional
        Boxes that the tubes may not leave.

    Returns
    -------
    Arcs, (k,) bool
        All of them, and which are proved; nothing is claimed about the others.
    """
    m = problem.n + 1
    rest = others(pivot, m)
    (below, over), (j_low, j_high) = problem.linear(center, center)
    middle = 0.5 * (j_low + j_high)
    inverse, good = inverses(np.take_along_axis(middle, rest[:, None, :], 2))
    c = np.take_along_axis(center, rest, 1)
    at = np.take_along_axis(center, pivot[:, None], 1)[:, 0]
    good &= (low <= at) & (at <= high)  # the tube has to hold its center
    half = np.maximum(up(high - at), up(at - low))
    slope = np.abs(inverse @ np.take_along_axis(middle, pivot[:, None, None], 2))[:, :, 0]
    reach = _reach(inverse, slope * half[:, None], (below, over), np.abs(c), np.abs(center).max(axis=1))
    space = np.zeros_like(reach) if room is None else np.take_along_axis(room, rest, 1)
    most = np.full_like(reach, np.inf)
    if within is not None:
        left, right = (np.take_along_axis(side, rest, 1) for side in within)
        most = np.minimum(right - c, c - left)
    tube_low, tube_high = center.copy(), center.copy()
    np.put_along_axis(tube_low, pivot[:, None], low[:, None], 1)
    np.put_along_axis(tube_high, pivot[:, None], high[:, None], 1)
    core_low, core_high = tube_low.copy(), tube_high.copy()
    proved = np.zeros(len(center), bool)
    going = np.flatnonzero(good & np.isfinite(reach).all(axis=1))
    for share in NARROW if room is None else (*NARROW, *ROOMS):
        if share == ROOMS[0]:
            going = np.flatnonzero(proved)  # those that hold when they are narrow are tried wider
        if not len(going):
            continue
        index = rest[going]
        wide = np.minimum(reach[going] + share * space[going], most[going])
        y_low, y_high = tube_low[going], tube_high[going]
        np.put_along_axis(y_low, index, c[going] - wide, 1)
        np.put_along_axis(y_high, index, c[going] + wide, 1)
        shift, inside = _krawczyk(
            problem, pivot[going], center[going], (y_low, y_high), half[going], inverse[going],
            (below[going], over[going]), (j_low[going], j_high[going]),
        )  # fmt: skip
        done = going[inside]
        tube_low[done], tube_high[done] = y_low[inside], y_high[inside]
        k_low, k_high = tube_low[done], tube_high[done]
        np.put_along_axis(k_low, rest[done], down(c[done] - shift[inside]), 1)
        np.put_along_axis(k_high, rest[done], up(c[done] + shift[inside]), 1)
        k_low, k_high = _on_planes(problem, k_low, k_high)
        known = proved[done, None]  # the curve of a wider tube is that of the narrower one inside it
        core_low[done] = np.where(known, np.maximum(k_low, core_low[done]), k_low)
        core_high[done] = np.where(known, np.minimum(k_high, core_high[done]), k_high)
        proved[done] = True
        going, shift = going[~inside], shift[~inside]
        if share == 0.0:
            sane = (WIDEN * shift <= 1e3 * (reach[going] + half[going, None])).all(axis=1)
            going, shift = going[sane], shift[sane]
            reach[going] = np.maximum(reach[going], WIDEN * shift)
    return Arcs(pivot, tube_low, tube_high, core_low, core_high, inverse), proved


def _reach(
    inverse: np.ndarray,
    along: np.ndarray,
    residual: tuple[np.ndarray, np.ndarray],
    size: np.ndarray,
    largest: np.ndarray,
) -> np.ndarray:
    """Return radii (k, n) of tubes that may hold: how far the curve moves `along` it, and by what F is not zero."""
    below, over = residual
    offset, spread = product(inverse, below[:, :, None], over[:, :, None])  # of parameters that are intervals
    size_of = size + largest[:, None] * 1e-3
    reach: np.ndarray = SLACK * (along + (np.abs(offset) + spread)[:, :, 0]) + RELATIVE * size_of + 1e-300
    return reach


def _on_planes(problem: Problem, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes cut to the planes that the curves lie on."""
    for k, (left, right) in problem.known():
        low[:, k], high[:, k] = np.maximum(low[:, k], left), np.minimum(high[:, k], right)
    return low, high


def _krawczyk(
    problem: Problem,
    pivot: np.ndarray,
    center: np.ndarray,
    tube: Bounds,
    half: np.ndarray,
    inverse: np.ndarray,
    value: Bounds,
    at: Bounds,
) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds (k, n) of |K - c|, and whether K lies inside the tube; f and its derivatives `at` c are given."""
    (f_low, f_high), slopes = problem.linear(*tube)
    smooth = np.isfinite(f_low + f_high).all(axis=1)  # a jump shows in f alone
    rest = others(pivot, center.shape[1])
    left, right, c = (np.take_along_axis(side, rest, 1) for side in (*tube, center))
    slopes = problem.sharper(*tube, center, at, slopes)
    offset, spread = image(inverse, value, slopes, pivot, half, radius(left, right, c))
    inner = np.minimum(down(right - c), down(c - left))
    shift = above(np.abs(offset) + spread, 2)
    inside = smooth & (shift < inner).all(axis=1)
    return shift, inside


def image(
    inverse: np.ndarray,
    value: tuple[np.ndarray, np.ndarray],
    slopes: tuple[np.ndarray, np.ndarray],
    pivot: np.ndarray,
    half: np.ndarray,
    outer: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle, C f(c), and the radius (k, n) of an interval that holds c - K.

    That is of C J_q (Q - c_q) and of (I - C J_u)(X_u - c_u), where |Q - c_q| <= half and |X_u - c_u| <= outer.
    """
    n = inverse.shape[-1]
    rest = others(pivot, n + 1)
    middle, spread = product(inverse, value[0][:, :, None], value[1][:, :, None])
    along = (np.take_along_axis(j, pivot[:, None, None], 2) for j in slopes)
    slope, slope_spread = product(inverse, *along)
    second = above(above(np.abs(slope) + slope_spread, 2)[:, :, 0] * half[:, None], 1)
    across = (np.take_along_axis(j, rest[:, None, :], 2) for j in slopes)
    near, near_spread = product(inverse, *across)
    off = above(np.abs(near - np.eye(n)) + np.abs(near) * 2.0**-52 + near_spread, 3)
    third = above((off @ outer[:, :, None])[:, :, 0], n)
    return middle[:, :, 0], above(spread[:, :, 0] + second + third, 3)


def slopes_along(problem: Problem, arcs: Arcs) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds (k, n + 1) of the derivative of the curves' points by their pivot.

    J_u y' = -J_q gives y' = z + (I - C J_u) y', z = -C J_q. In the norm that is weighted by the tube's radii the matrix
    in between is below one, which bounds y'.
    """
    rest = others(arcs.pivot, problem.n + 1)
    _, (j_low, j_high) = problem.linear(arcs.core_low, arcs.core_high)
    ends = (np.take_along_axis(j, arcs.pivot[:, None, None], 2) for j in (j_low, j_high))
    middle, spread = product(arcs.inverse, *ends)
    z, z_spread = -middle[:, :, 0], spread[:, :, 0]
    across = (np.take_along_axis(j, rest[:, None, :], 2) for j in (j_low, j_high))
    middle, spread = product(arcs.inverse, *across)
    off = above(np.abs(middle - np.eye(problem.n)) + np.abs(middle) * 2.0**-52 + spread, 3)
    weights = 0.5 * np.take_along_axis(arcs.high - arcs.low, rest, 1)
    norm = above((off @ weights[:, :, None])[:, :, 0], problem.n) / weights * (1.0 + 2.0**-50)
    contraction = norm.max(axis=1)
    largest = ((above(np.abs(z) + z_spread, 1) / weights) * (1.0 + 2.0**-50)).max(axis=1)
    with np.errstate(divide="ignore"):
        bound = above(largest / np.where(contraction < 1.0, down(1.0 - contraction), np.nan), 1)
    error = above(above(norm * weights, 1) * bound[:, None] + z_spread, 2)
    low, high = np.ones_like(arcs.low), np.ones_like(arcs.low)
    np.put_along_axis(low, rest, down(z - error), 1)
    np.put_along_axis(high, rest, up(z + error), 1)
    return low, high


def pieces(problem: Problem, arcs: Arcs, low: np.ndarray, high: np.ndarray) -> Arcs:
    """Return the parts of arcs over narrower intervals of their pivots, with narrower cores where those are proved.

    The tubes stay as wide as they are. A curve proved in a narrower tube inside is the same one, for the wider tube has
    no other; its core is then known better.
    """
    q = arcs.pivot[:, None]
    parts = [array.copy() for array in (arcs.low, arcs.high, arcs.core_low, arcs.core_high)]
    for array, end in zip(parts, (low, high, low, high), strict=True):
        np.put_along_axis(array, q, end[:, None], 1)
    plain = Arcs(arcs.pivot, parts[0], parts[1], parts[2], parts[3], arcs.inverse)
    start = midpoint(plain.core_low, plain.core_high)
    point, _ = to_curve(problem, arcs.pivot, start)  # near zero rounding may keep it from settling
    finer, proved = prove_arcs(problem, arcs.pivot, low, high, point, within=(plain.low, plain.high))
    inside = ((finer.low >= plain.low) & (finer.high <= plain.high)).all(axis=1)
    better = np.flatnonzero(proved & inside)
    core_low, core_high, inverse = (array.copy() for array in (plain.core_low, plain.core_high, plain.inverse))
    core_low[better] = np.maximum(core_low[better], finer.core_low[better])
    core_high[better] = np.minimum(core_high[better], finer.core_high[better])
    inverse[better] = finer.inverse[better]
    return Arcs(arcs.pivot, plain.low, plain.high, core_low, core_high, inverse)


def at_end(problem: Problem, arcs: Arcs, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return narrow boxes (k, n + 1) that hold the lower (0) or upper (1) end points of the curves."""
    end = arcs.ends(side)
    points = pieces(problem, arcs, end, end)
    return points.core_low, points.core_high

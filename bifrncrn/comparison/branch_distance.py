"""How far apart the branches of two diagrams lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.comparison.window import Window
from bifrncrn.diagrams.results import Branch, Diagram

SPACING = 0.005  # of a window's side: how densely branches are sampled
NEIGHBOURS = 4  # pieces of the other diagram tried for the nearest point; one would do but for their finite length
TINY = 1e-12  # of a window's side: a piece that extends less than this along one side stands still
MARGIN = 1.0  # in sides of the window: how far outside it the other diagram's branches still count as near


@dataclass(frozen=True, eq=False)
class Gap:
    """How far two sets of branches lie apart in a window, in units of its scale.

    Attributes
    ----------
    mean : float
        The root mean square along the set that is further from the other.
    most : float
        The largest distance.
    value : float
        The parameter where it is largest.
    """

    mean: float
    most: float
    value: float


def polylines(diagram: Diagram, names: tuple[str, ...]) -> list[np.ndarray]:
    """Return every branch's columns `names`, shape (k, len(names)), of the branches that have them all."""
    return [_columns(branch, names) for branch in diagram.branches if set(names) <= set(branch.columns)]


def branch_distance(target: list[np.ndarray], learned: list[np.ndarray], window: Window) -> float | None:
    """Return the symmetric root mean square distance between two sets of branches inside a window; see `branch_gap`."""
    gap = branch_gap(target, learned, window)
    return None if gap is None else gap.mean


def branch_gap(target: list[np.ndarray], learned: list[np.ndarray], window: Window) -> Gap | None:
    """Return how far two sets of branches are apart inside a window.

    The part of each set that lies in the window is sampled evenly by its length; each sample's distance to the
    other set (which may lie somewhat outside the window) is measured in units of the window's scale. The distances are
    0 for the same curves, whatever points they are given by, and large when one set has a piece the other lacks.

    Parameters
    ----------
    target, learned : list of (k, 1 + n) arrays
        Points along each branch, the parameter first.
    window : Window
        Where they are compared.

    Returns
    -------
    Gap or None
        None when one set has no piece in the window.
    """
    there, back = _one_way(target, learned, window), _one_way(learned, target, window)
    if there is None or back is None:
        return None
    furthest = max(there, back, key=lambda gap: gap.most)
    return Gap(max(there.mean, back.mean), furthest.most, furthest.value)


def _one_way(source: list[np.ndarray], other: list[np.ndarray], window: Window) -> Gap | None:
    """Return the distance of the samples of `source` to the curves of `other`."""
    from scipy.spatial import cKDTree

    near, far = window.unit(window.lower), window.unit(window.upper)
    start, end = _pieces(source, window, near, far)
    base, tip = _pieces(other, window, near - MARGIN, far + MARGIN)
    if not len(start) or not len(base):
        return None
    samples, weights = (start + end) / 2, np.linalg.norm(end - start, axis=1)
    tree = cKDTree((base + tip) / 2)
    _, index = tree.query(samples, k=min(NEIGHBOURS, len(base)))
    index = index.reshape(len(samples), -1)
    squares = _squared_distance(samples[:, None, :], base[index], tip[index]).min(axis=1)
    total, worst = weights.sum(), int(np.argmax(squares))
    mean = np.sqrt(np.average(squares, weights=weights if total > 0 else None))
    value = window.lower[0] + window.scale[0] * samples[worst, 0]
    return Gap(float(mean), float(np.sqrt(squares[worst])), float(value))


def _pieces(
    curves: list[np.ndarray], window: Window, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two ends, in the window's units, of short straight pieces of the curves clipped to a rectangle."""
    starts, ends = [], []
    for curve in curves:
        points = window.unit(curve)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) == 1:
            points = np.repeat(points, 2, axis=0)
        first, last = _clip(points[:-1], points[1:], low, high)
        count = np.maximum(1, np.ceil(np.linalg.norm(last - first, axis=1) / SPACING)).astype(int)
        which = np.repeat(np.arange(len(count)), count)
        place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        step = (last - first)[which] / count[which, None]
        starts.append(first[which] + place[:, None] * step)
        ends.append(starts[-1] + step)
    if not starts:
        empty = np.empty((0, len(low)))
        return empty, empty
    return np.concatenate(starts), np.concatenate(ends)


def _clip(a: np.ndarray, b: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of the segments a-b inside a rectangle (Liang and Barsky, ACM Trans. Graph. 3, 1984)."""
    d = b - a
    moving = np.abs(d) > TINY
    safe = np.where(moving, d, 1.0)
    t = np.stack([(low - a) / safe, (high - a) / safe])
    enter = np.where(moving, t.min(axis=0), 0.0).max(axis=1, initial=0.0)
    leave = np.where(moving, t.max(axis=0), 1.0).min(axis=1, initial=1.0)
    slack = 1e-9
    kept = (moving | ((a >= low - slack) & (a <= high + slack))).all(axis=1) & (enter <= leave)
    return (a + enter[:, None] * d)[kept], (a + leave[:, None] * d)[kept]


def _squared_distance(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the squared distance of points to segments a-b, broadcast over the leading axes."""
    d = b - a
    length = np.einsum("...k,...k", d, d)
    t = np.einsum("...k,...k", points - a, d) / np.where(length > 0, length, 1.0)
    gap = points - a - np.clip(t, 0.0, 1.0)[..., None] * d
    return np.einsum("...k,...k", gap, gap)


def _columns(branch: Branch, names: tuple[str, ...]) -> np.ndarray:
    return np.stack([branch.column(name) for name in names], axis=1)

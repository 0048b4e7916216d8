"""Where to put short labels so that they cover neither each other, nor points, nor curves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

DIRECTIONS = 16
RADII = (0.0, 8.0, 18.0, 32.0, 50.0)  # gaps between a point and its label that are tried, in pixels at 72 dpi
FORBIDDEN = 1e4  # the price of covering another label or leaving the axes, in pieces of curve covered

Rectangle = tuple[float, float, float, float]  # left, bottom, right, top


def place_labels(
    anchors: np.ndarray,
    sizes: Sequence[tuple[float, float]],
    obstacles: np.ndarray,
    frame: Rectangle,
    marker: float,
    unit: float = 1.0,
) -> list[tuple[float, float]]:
    """Choose the centre of each label, one after the other, at the cheapest of some places around its point.

    Parameters
    ----------
    anchors : (k, 2) array
        The points, in pixels.
    sizes : sequence of (width, height)
        Of the labels, in pixels.
    obstacles : (m, 2) array
        Points sampled along the curves, in pixels.
    frame : (left, bottom, right, top)
        The axes, in pixels.
    marker : float
        Half the side of a marker, in pixels.
    unit : float
        Pixels per point of 1/72 inch.

    Returns
    -------
    list of (x, y)
        The labels' centres, in pixels.
    """
    taken = [(x - marker, y - marker, x + marker, y + marker) for x, y in anchors]
    centres: list[tuple[float, float]] = []
    for (x, y), (width, height) in zip(anchors, sizes):
        best, price = (x, y), math.inf
        for place in _candidates(x, y, width, height, marker, unit):
            box = (place[0] - width / 2, place[1] - height / 2, place[0] + width / 2, place[1] + height / 2)
            cost = _cost(box, taken, obstacles, frame) + math.hypot(place[0] - x, place[1] - y) / (50 * unit)
            if cost < price:
                best, price = place, cost
        centres.append(best)
        taken.append((best[0] - width / 2, best[1] - height / 2, best[0] + width / 2, best[1] + height / 2))
    return centres


def _candidates(
    x: float, y: float, width: float, height: float, marker: float, unit: float
) -> list[tuple[float, float]]:
    """Return centres around (x, y) such that the label's rectangle touches a circle about it, nearest first."""
    places = []
    for radius in RADII:
        for k in range(DIRECTIONS):
            angle = math.pi / 4 + 2 * math.pi * k / DIRECTIONS
            c, s = math.cos(angle), math.sin(angle)
            reach = marker + 2 * unit + radius * unit
            places.append((x + c * (reach + width / 2), y + s * (reach + height / 2)))
    return places


def _cost(box: Rectangle, taken: list[Rectangle], obstacles: np.ndarray, frame: Rectangle) -> float:
    left, bottom, right, top = box
    overlaps = sum(left < r and right > a and bottom < t and top > b for a, b, r, t in taken)
    outside = left < frame[0] or bottom < frame[1] or right > frame[2] or top > frame[3]
    x, y = obstacles[:, 0], obstacles[:, 1]
    covered = np.count_nonzero((x > left) & (x < right) & (y > bottom) & (y < top))
    return FORBIDDEN * (overlaps + outside) + covered

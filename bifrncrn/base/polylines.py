"""Distances from points to a curve given by points."""

import numpy as np


def furthest(points: np.ndarray, curve: np.ndarray, closed: bool) -> float:
    """Return the largest distance from one of the points (k, n) to the line through the points `curve` (l, n)."""
    start = curve if closed or len(curve) == 1 else curve[:-1]
    along = np.roll(curve, -1, axis=0)[: len(start)] - start
    length = np.maximum(np.sum(along**2, axis=1), 1e-300)
    worst = 0.0
    for point in points:
        share = np.clip(np.einsum("ij,ij->i", point - start, along) / length, 0.0, 1.0)
        away = start + share[:, None] * along - point
        worst = max(worst, float(np.einsum("ij,ij->i", away, away).min()))
    return worst**0.5

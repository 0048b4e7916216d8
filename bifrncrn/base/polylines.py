"""Distances from points to a curve given by points."""

import numpy as np

TOGETHER = 200_000
"""Numbers in the differences of points and curve that are formed together."""


def furthest(points: np.ndarray, curve: np.ndarray, closed: bool) -> float:
    """Return the largest distance from one of the points (k, n) to the line through the points `curve` (l, n)."""
    start = curve if closed or len(curve) == 1 else curve[:-1]
    along = np.roll(curve, -1, axis=0)[: len(start)] - start
    length = np.maximum(np.sum(along**2, axis=1), 1e-300)
    worst = 0.0
    chunk = max(1, TOGETHER // max(start.size, 1))
    for first in range(0, len(points), chunk):
        away = points[first : first + chunk, None] - start
        share = np.clip(np.einsum("kln,ln->kl", away, along) / length, 0.0, 1.0)
        away -= share[..., None] * along
        worst = max(worst, float(np.einsum("kln,kln->kl", away, away).min(axis=1).max()))
    return worst**0.5

"""Floquet multipliers to report where a mesh does not resolve variations that decay fast."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

AGREE = 1e-7
"""Multipliers by different points that differ by less than this are the same."""
OF_ERROR = 2.0
"""A multiplier by Gauss points is the one by Radau points where they differ by no more than this many times the error
of the latter."""


def damped(
    gauss: np.ndarray, radau: np.ndarray, finer: Callable[[], tuple[np.ndarray, np.ndarray] | None]
) -> np.ndarray:
    """Return the multipliers to report, from those by Gauss points and by Radau points.

    They are the first where both agree. Where they do not, the mesh may not resolve variations that decay fast, which
    Gauss points then carry along almost undamped; the second are right as long as none grows fast: as many must be
    outside the unit circle. Which is better is told by what a finer mesh makes of both: Gauss points have the higher
    order (8 against 7), and where the mesh resolves a variation its multiplier moves less.

    Parameters
    ----------
    gauss, radau : (n,) array
        The trivial multiplier first.
    finer : callable
        Returns both on a mesh of half the widths, or None.
    """
    if not np.all(np.isfinite(radau)):
        return gauss
    same = np.sum(np.abs(gauss[1:]) > 1.0) == np.sum(np.abs(radau[1:]) > 1.0)
    apart = np.abs(np.abs(gauss[1:]) - np.abs(radau[1:])) > AGREE * np.maximum(np.abs(gauss[1:]), 1.0)
    if not (same and np.any(apart)) or (again := finer()) is None:
        return gauss
    found = _matched(gauss[1:], radau[1:])
    moved = np.abs(_matched(again[0][1:], found) - found)
    other = np.abs(_matched(again[1][1:], radau[1:]) - radau[1:])
    better = (moved < other) & (np.abs(found - radau[1:]) <= OF_ERROR * other)
    return np.append(radau[:1], np.where(better, found, radau[1:]))


def _matched(values: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Return the values in the order of those they belong to, each to one: nearest first, relative to their size."""
    size = np.abs(values)[:, None] + np.abs(to)
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = np.nan_to_num(np.abs(values[:, None] - to) / size, nan=1.0)
    out = np.empty_like(values)
    for _ in range(len(to)):
        i, k = np.unravel_index(int(np.argmin(gaps)), gaps.shape)
        out[k] = values[i]
        gaps[i, :] = gaps[:, k] = np.inf
    return out

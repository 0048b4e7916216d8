"""Floquet multipliers to report where a mesh does not resolve variations that decay fast."""

from __future__ import annotations

import numpy as np

AGREE = 1e-7
"""Multipliers by different points that differ by less than this are the same."""


def damped(gauss: np.ndarray, radau: np.ndarray) -> np.ndarray:
    """Return the multipliers to report, from those by Gauss points and by Radau points.

    They are the first where both agree. Where they do not, the mesh does not resolve variations that decay fast, and
    the second are right as long as none grows fast: as many must be outside the unit circle.
    """
    if not np.all(np.isfinite(radau)):
        return gauss
    same = np.sum(np.abs(gauss[1:]) > 1.0) == np.sum(np.abs(radau[1:]) > 1.0)
    apart = np.abs(np.abs(gauss[1:]) - np.abs(radau[1:])) > AGREE * np.maximum(np.abs(gauss[1:]), 1.0)
    return radau if same and np.any(apart) else gauss

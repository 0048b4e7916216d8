"""Whether a mesh suits an orbit: how large the error is in its intervals, and how many of them there should be.

The march along orbits asks its own kernels; this is for what is followed outside of it.
"""

from __future__ import annotations

import numpy as np

from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.layout import POINTS
from bifrncrn.curves.orbits.orbit import Orbit, blocks

FEWEST, MOST = 20, 400
"""Intervals of a mesh."""
ACCURACY = 2e-7
"""Error between mesh points, relative to the states' size, that a mesh is made for, as in the march along orbits."""
CONSTANT = 3e-5
"""The error of collocation with 4 points is about this times width^5 times the fifth derivative."""
UNEVEN, ROUNDING = 12.0, 1e-11
"""A mesh suits while no interval's error is more than this many times the mean, or all are as small as the second."""
ROOM = 0.5
"""A mesh has not more than twice the intervals that it needs."""


def wanted(orbit: Orbit, scale: np.ndarray) -> int | None:
    """Return how many intervals an orbit should have where its mesh does not suit it, None where it does."""
    root = _steepness(orbit, scale)
    errors = CONSTANT * (orbit.mesh.widths * root) ** (POINTS + 1)
    total = float(orbit.mesh.widths @ root) * (CONSTANT / ACCURACY) ** (1.0 / (POINTS + 1))
    count = min(max(int(np.ceil(total)), FEWEST), MOST)
    even = np.max(errors) <= UNEVEN * np.mean(errors) + ROUNDING
    if even and ROOM * orbit.count <= count <= orbit.count:
        return None
    return min(max(int(1.25 * count), FEWEST), MOST)


def _steepness(orbit: Orbit, scale: np.ndarray) -> np.ndarray:
    """Return the fifth root of the fifth derivative in every interval, (N,), the largest over the states.

    The derivative is the jump of the fourth between neighbours (de Boor 1973; Ascher, Mattheij & Russell, 9.1).
    """
    widths, values = orbit.mesh.widths, blocks(orbit.nodes, orbit.offset)
    top = np.tensordot(values, basis().top, axes=(1, 0)) / (widths[:, None] ** POINTS * scale)
    jump = np.max(np.abs(np.roll(top, -1, axis=0) - top), axis=1) / (0.5 * (widths + np.roll(widths, -1)))
    root: np.ndarray = np.maximum(jump, np.roll(jump, 1)) ** (1.0 / (POINTS + 1))
    return root

"""Chaotic sets and tori as clouds of points: whether a trajectory is on one that is known."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

PIECES = 4
"""Pieces of a cloud that are compared with the rest. So many points as one has are compared of a trajectory."""
FEWEST = 2000
"""Points (steps of the integrator) that make a cloud."""
COMPARED = 500
"""How many points of either are asked for the nearest one of the other."""
MOST = 0.75
"""The share of points whose distances are looked at: a trajectory is now and then where the cloud is thin. Pieces of
one set (Lorenz, Roessler) differ in it by factors of 0.7 to 1.5; at 0.95 by up to 2.8."""
NEARER = 3.0
"""A trajectory is on the cloud where it is no further from it than this many times its own pieces are from the rest of
it, ..."""
COVERS = 2.0
"""... and where the cloud is no further from the trajectory than this many times it is from a typical piece of its own
of the same length."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """The points (k, n) of a trajectory that neither rests nor repeats, in the order of time.

    What counts as near is taken from the cloud itself, whatever its dimension: each of its pieces is compared with the
    rest of it as a foreign trajectory is.
    """

    points: np.ndarray

    @functools.cached_property
    def _scale(self) -> np.ndarray:
        extent = np.ptp(self.points, axis=0)
        return np.maximum(extent, 1e-6 * extent.max()) + 1e-300

    @functools.cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self.points / self._scale)

    @functools.cached_property
    def _pieces(self) -> list[np.ndarray]:
        return np.array_split(self.points / self._scale, PIECES)

    @functools.cached_property
    def _own(self) -> tuple[float, float]:
        """How far pieces are from the rest, the most and the least of it."""
        nearness, coverage = [], []
        for i, piece in enumerate(self._pieces):
            rest = np.concatenate([other for j, other in enumerate(self._pieces) if j != i])
            nearness.append(_distance(piece, rest))
            coverage.append(_distance(rest, piece))
        return float(np.median(nearness)), float(np.median(coverage))

    def holds(self, trail: np.ndarray) -> bool:
        """Say whether the last points of a trajectory (k, n) are on the cloud and cover it; not of too few points."""
        window = len(self.points) // PIECES
        if len(trail) < window:
            return False
        nearness, coverage = self._own
        last, whole = trail[-window:] / self._scale, self.points / self._scale
        return _distance(last, whole) <= NEARER * nearness and _distance(whole, last) <= COVERS * coverage

    def lies_in(self, other: Cloud) -> bool | None:
        """Say whether this cloud is on another, or on a part of it; None where some of it is and some is not.

        An orbit that stays long on a part of its set, in a laminar phase, is on that part only.
        """
        some = self.points[:: len(self.points) // COMPARED + 1] / other._scale
        near = float(np.mean(other._tree.query(some)[0] <= NEARER * other._own[0]))
        return True if near >= MOST else False if near <= 1.0 - MOST else None

    def meets(self, other: Cloud) -> bool:
        """Say whether two clouds, both long, are of one set: each is on the other."""
        return self._near(other) and other._near(self)

    def _near(self, other: Cloud) -> bool:
        return _distance(self.points / other._scale, other.points / other._scale) <= NEARER * other._own[0]


def _distance(points: np.ndarray, cloud: np.ndarray) -> float:
    """Return the distance from the cloud that most of the points are within."""
    from scipy.spatial import cKDTree

    some = points[:: len(points) // COMPARED + 1]
    return float(np.quantile(cKDTree(cloud).query(some)[0], MOST))

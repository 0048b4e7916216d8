"""Which pieces of a piecewise linear map an orbit can pass through, one after the other: polyhedra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bifrncrn.models.pieces import Pieces

Sides = tuple[int, ...]
EMPTY = 1e-9
"""A polyhedron none of whose points is nearer to the origin than one over this, in units of the model, is empty."""
NO_SLOPE = 1e-13
"""What decides on a border does not change with the state where its gradient is smaller than this, relatively."""
ON_BORDER = 1e-9
"""A value of what decides is zero but for rounding below this part of its terms."""


class GivenUp(Exception):
    """More polyhedra had to be looked at than were allowed."""


@dataclass(frozen=True, eq=False)
class Polyhedron:
    """The states x with G x + h >= 0, one of which is `inside`; rows of G have length one."""

    G: np.ndarray
    h: np.ndarray
    inside: np.ndarray


@dataclass
class Regions:
    """The pieces of a map, and which can follow which.

    Attributes
    ----------
    pieces : Pieces
    left : int
        How many more polyhedra may be looked at.
    """

    pieces: Pieces
    left: int
    _maps: dict[Sides, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    _borders: dict[Sides, tuple[np.ndarray, float]] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """The number of states."""
        return len(self.pieces.system.variables)

    def everywhere(self) -> Polyhedron:
        """Return the polyhedron that is the whole space."""
        return Polyhedron(np.empty((0, self.n)), np.empty(0), np.zeros(self.n))

    def affine(self, sides: Sides) -> tuple[np.ndarray, np.ndarray]:
        """Return M and b of the map on these sides."""
        if sides not in self._maps:
            self._maps[sides] = self.pieces.affine(sides)
        return self._maps[sides]

    def border(self, sides: Sides) -> tuple[np.ndarray, float]:
        """Return g and c of what decides on the border after those whose sides are given."""
        key = sides if self.pieces.nested else (1,) * len(sides)
        if key not in self._borders:
            self._borders[key] = self.pieces.border(len(key), key)
        return self._borders[key]

    def entered(self, start: Polyhedron, M: np.ndarray, b: np.ndarray) -> Iterator[tuple[Sides, Polyhedron]]:
        """Yield the pieces that M x + b may be in, x in a polyhedron, with the polyhedra of these x."""
        waiting: list[tuple[Sides, Polyhedron]] = [((), start)]
        while waiting:
            sides, region = waiting.pop()
            if len(sides) == self.pieces.count:
                yield sides, region
                continue
            for side in (1, -1):
                part = self.cut(region, sides, side, M, b)
                if part is not None:
                    waiting.append(((*sides, side), part))

    def within(self, start: Polyhedron, sides: Sides, M: np.ndarray, b: np.ndarray) -> Polyhedron | None:
        """Return the part of a polyhedron whose M x + b is on these sides, None where there is none."""
        region: Polyhedron | None = start
        for k, side in enumerate(sides):
            if region is not None:
                region = self.cut(region, sides[:k], side, M, b)
        return region

    def cut(self, region: Polyhedron, before: Sides, side: int, M: np.ndarray, b: np.ndarray) -> Polyhedron | None:
        """Return the part of a polyhedron whose M x + b is on one side of the border after `before`."""
        g, c = self.border(before)
        row, offset = side * (g @ M), side * (g @ b + c)
        length = float(np.linalg.norm(row))
        if length <= NO_SLOPE * float(np.linalg.norm(g) * np.linalg.norm(M)):
            return region if offset >= -ON_BORDER * (abs(c) + float(np.abs(g) @ np.abs(b))) else None
        row, offset = row / length, offset / length
        G, h = np.vstack([region.G, row]), np.append(region.h, offset)
        if row @ region.inside + offset >= 0.0:
            return Polyhedron(G, h, region.inside)
        self.left -= 1
        if self.left < 0:
            raise GivenUp
        inside = nearest(G, h)
        return None if inside is None else Polyhedron(G, h, inside)


def nearest(G: np.ndarray, h: np.ndarray) -> np.ndarray | None:
    """Return the point nearest to the origin with G x + h >= 0, None where there is none.

    By nonnegative least squares (Lawson & Hanson, Solving Least Squares Problems, 23.4). A point that is not known to
    be one is returned all the same where the method comes to no end, so that nothing is left out.

    Examples
    --------
    >>> nearest(np.array([[1.0], [-1.0]]), np.array([-2.0, 3.0])).tolist()
    [2.0]
    >>> nearest(np.array([[1.0], [-1.0]]), np.array([-3.0, 2.0])) is None
    True
    """
    from scipy.optimize import nnls

    size = float(np.max(np.abs(h), initial=0.0)) or 1.0
    matrix = np.vstack([G.T, -h / size])
    goal = np.append(np.zeros(G.shape[1]), 1.0)
    try:
        u, _ = nnls(matrix, goal)
    except RuntimeError:
        return np.zeros(G.shape[1])
    rest = matrix @ u - goal
    if np.linalg.norm(rest) <= EMPTY:
        return None
    return np.asarray(-size * rest[:-1] / rest[-1])

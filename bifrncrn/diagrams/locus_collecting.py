"""All loci that hang together: each followed once, others switched to at the points of codimension two."""

from __future__ import annotations

import numpy as np

from bifrncrn.base.errors import ConvergenceError
from bifrncrn.continuation.options import Options
from bifrncrn.curves.loci.starting import defining, solution, squared_frequency
from bifrncrn.diagrams.locus_following import Follower, Locus
from bifrncrn.diagrams.results import SpecialPoint
from bifrncrn.models.system import System

KINDS = {"LP": "fold", "HB": "hopf"}
"""The kind of locus a special point lies on."""
ZERO = 1e-12
"""A state below this share of the largest is zero all along a branch, and tells nothing of its size."""


class Collector:
    """Collects the loci of a system, each curve once.

    Attributes
    ----------
    loci : list of Locus
    notes : list of str
        What could not be followed.
    """

    def __init__(
        self,
        first: str,
        second: str,
        span: tuple[float, float],
        options: Options,
        room: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        self.first, self.second, self.span, self.options, self.room = first, second, span, options, room
        self.followers: dict[str, list[Follower]] = {kind: [] for kind in KINDS.values()}
        self.loci: list[Locus] = []
        self.size = np.zeros(1)
        self.notes: list[str] = []

    def add(self, point: SpecialPoint) -> None:
        """Follow a fold or Hopf point; say so where it cannot be."""
        assert point.system is not None and point.along is not None
        size = np.abs(point.along[:, :-1]).max(axis=0)
        self.size = np.maximum(self.size, np.where(size > ZERO * size.max(), size, size.max() or 1.0))
        base = point.system.with_(values=point.parameters)
        x = np.array([point.state[name] for name in base.variables])
        kappa = 0.0 if point.omega is None else point.omega**2
        if not self._through(KINDS[point.label], base, x, kappa):
            where = f"{self.first}={point.parameters[self.first]:.6g}"
            self.notes.append(f"The {point.label} at {where} is degenerate: it was not followed in two parameters.")

    def add_crossing(self) -> None:
        """Follow the loci that cross those followed at their points of codimension two, and so on."""
        for one in self.loci:  # grows as it goes
            for found in (point for point in one.found if point.bracket is None):
                at = one.locals[found.row]
                base = one.extended.base.with_(values=at.values)
                if found.label in ("BT", "ZH") and one.extended.kind == "hopf":
                    self._through("fold", base, at.x, 0.0)
                elif found.label == "BT":
                    self._through("hopf", base, at.x, 0.0)
                elif found.label in ("ZH", "HH"):
                    unlike = at.kappa if found.label == "HH" else None
                    self._through("hopf", base, at.x, squared_frequency(at.jacobian, unlike))

    def _through(self, kind: str, base: System, x: np.ndarray, kappa: float) -> bool:
        """Follow the locus of a kind through a point, unless it is known; return whether that was possible."""
        for follower in self.followers[kind]:
            try:
                return self._follow(follower, solution(follower.extended, base, x, kappa))
            except ConvergenceError:
                continue  # not with this phase vector
        try:
            extended = defining(kind, base, self.first, self.second, self.size, x, kappa)
            y = solution(extended, base, x, kappa)
        except ConvergenceError:
            return False
        self.followers[kind].append(Follower(extended, self.span, self.options, self.room, self.size))
        return self._follow(self.followers[kind][-1], y)

    def _follow(self, follower: Follower, y: np.ndarray) -> bool:
        if not self.span[0] <= y[-1] <= self.span[1]:
            return False
        if follower.knows(y):
            return True
        found = follower.follow(y)
        if found is not None:
            self.loci.append(found)
        return found is not None

"""The trajectories that leave the saddle-nodes along a curve of folds, and where one comes back non-centrally."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.homoclinic.arc import INTERVALS, Arc, phases_of
from bifrncrn.curves.loci.problem import LocusProblem
from bifrncrn.curves.loci.starting import onto, parts, prepare, units
from bifrncrn.diagrams.angles import angles
from bifrncrn.models.field import Field
from bifrncrn.models.sizes import ZERO, natural_sizes
from bifrncrn.models.system import System
from bifrncrn.trajectories.saddle_nodes import FINE, Return, SaddleNode, returned, saddle_node

EXACT = 1e-12
"""The place of a non-central homoclinic orbit between two of them is found to this share of their distance."""
MEETS = 1e-6
"""There the trajectory comes back this near to the strong stable manifold, in terms of the loop's extent."""

LEAST = 1e-3
"""The units of the states are no smaller than this share of their sizes along the curve."""


@dataclass(frozen=True, eq=False)
class Loop:
    """What becomes of the trajectory that leaves the saddle-node at a point y of a curve of folds."""

    y: np.ndarray
    node: SaddleNode | None
    way: Return | None

    @property
    def home(self) -> bool | None:
        """Whether it is homoclinic; None where that is not known."""
        return None if self.way is None else self.way.home

    @property
    def is_noncentral(self) -> bool:
        """Whether it comes back in the strong stable manifold."""
        return self.way is not None and abs(self.way.value) < MEETS

    def arc(self) -> Arc:
        """Return it as an orbit on a mesh that is even in its length."""
        node, way = self.node, self.way
        assert node is not None and way is not None
        from scipy.interpolate import CubicHermiteSpline

        order = slice(None, None, -1) if node.backward else slice(None)
        times, points = way.times[order] - way.times[order][0], way.points[order]
        path = CubicHermiteSpline(times, points, Field(node.system).many(points))
        steps = np.linalg.norm(np.diff(points, axis=0) / node.size, axis=1)
        length = np.append(0.0, np.cumsum(steps / steps.sum()))
        edges = np.unique(np.interp(np.linspace(0.0, 1.0, INTERVALS + 1), length, times / times[-1]))
        edges[[0, -1]] = 0.0, 1.0
        time = float(times[-1])
        return Arc(edges, path(phases_of(edges) * time), time, node.x, self.y[-2:])


class Folds:
    """A curve of folds whose saddle-nodes are looked at.

    Parameters
    ----------
    problem : LocusProblem
        Of folds.
    points : (k, n + 2) array
        Along the curve: states and both parameters.
    """

    def __init__(self, problem: LocusProblem, points: np.ndarray) -> None:
        self.problem, self.points = problem, points
        self.angles = angles(problem.base)
        self._size = problem.size[: problem.n]

    def loop(self, y: np.ndarray, rtol: float) -> Loop:
        """Return what becomes of the trajectory at a point of the curve."""
        problem = self.problem
        names = (problem.first, problem.second)
        system = problem.base.with_(values=dict(zip(names, y[-2:].tolist(), strict=True)))
        node = saddle_node(system, y[: problem.n].copy(), self._size, self.angles)
        way = None if node is None else returned(node, rtol)
        if way is not None and way.home:  # the next loop is about as large: so are its units
            self._size = np.maximum(np.ptp(way.points, axis=0), LEAST * problem.size[: problem.n])
        return Loop(y, node, way)

    def end(self, before: np.ndarray, after: np.ndarray) -> Loop | None:
        """Return where a trajectory that comes home between two points of the curve ceases to.

        It `is_noncentral` there, or meets something else on its way. None where what becomes of it is not known.
        """
        from scipy.optimize import brentq

        def value(share: float) -> float:
            y = self._between(before, after, share)
            way = None if y is None else self.loop(y, FINE).way
            if way is None:
                raise _LostError
            return way.value

        try:
            y = self._between(before, after, float(brentq(value, 0.0, 1.0, xtol=EXACT)))
        except (_LostError, ValueError):  # lost, or no change of sign
            return None
        return None if y is None else self.loop(y, FINE)

    def _between(self, before: np.ndarray, after: np.ndarray, share: float) -> np.ndarray | None:
        """Return the point of the curve in the plane across the chord of two others."""
        y = before + share * (after - before)
        if prepare(self.problem, *parts(self.problem, y)) is None:
            return None
        scale = units(self.problem, y)
        chord = (after - before) / scale
        return onto(self.problem, y, chord / np.linalg.norm(chord) / scale, scale)


def folds_of(system: System, names: tuple[str, str], points: np.ndarray, width: float) -> Folds:
    """Return a curve of folds, given by rows (states, first, second); `width` is the unit of the first parameter."""
    states = points[:, :-2]
    sizes = np.maximum(np.median(np.abs(states), axis=0), np.ptp(states, axis=0))
    sizes = np.where(sizes <= ZERO * sizes.max(), 0.0, sizes)  # a state that is zero but for rounding tells no size
    middle = points[len(points) // 2]
    there = system.with_(values=dict(zip(names, middle[-2:].tolist(), strict=True)))
    size = np.append(natural_sizes(there, middle[:-2], sizes), width)
    return Folds(LocusProblem(system, "fold", *names, size), points)


class _LostError(Exception):
    """What becomes of a trajectory between two others is not known."""

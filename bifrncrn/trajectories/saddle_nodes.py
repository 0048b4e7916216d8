"""What becomes of the trajectory that leaves a saddle-node: whether it comes back to it, and on which side.

A saddle-node whose other eigenvalues all lie on one side of the imaginary axis (here: the left one, if need be after
turning time) is left along its centre direction q by one trajectory, c' = a c^2, c > 0. Where that comes back on the
side of the node, c < 0, it is homoclinic, and the saddle-node lies on an invariant circle (SNIC), which is so all over
an interval of a curve of folds. The interval ends where the trajectory comes back in the strong stable manifold, at c =
0: a non-central homoclinic orbit (Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., sections 7.1 and 7.2;
Chow & Lin, Differential and Integral Equations 3, 1990, 435).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bifrncrn.models.field import Field
from bifrncrn.models.system import System
from bifrncrn.trajectories.stepper import Stepper
from bifrncrn.trajectories.steps_layout import GOES_ON

BEGIN = (1e-3, 1e-5)
"""How far from the saddle-node the trajectory begins, in units of the states; the second where the loop is small. The
error of its start dies out while it goes slowly along the centre manifold."""
FLOOR = 1e-6
"""A state that has swept less than this, in its unit, rests."""
LARGE = 100.0
"""A loop is so many times larger than that at least."""
NEAR = 0.1
"""The trajectory is back where every state's distance from the saddle-node is below this share of what it swept, ..."""
ALIGNED = 0.1
"""... and on one side where its deviation off the centre direction is below this share of that along it."""
HOME = 1e-3
"""On which side it is this near (as a share of what is swept) it stays, c' = a c^2 being all that moves it."""
ARRIVED = 1e-5
"""Where the deviation off the centre direction is this small (a share of what is swept) c tells the distance from the
strong stable manifold, which bends away from c = 0 by the square of that."""
NOWHERE = 1e-7
"""At this distance (a share of what is swept) nothing but the sign of c decides."""
LEFT = 1.5
"""A trajectory that is so many times further than it was has passed."""
LAPS = 4
"""One whose distance was least so many times, and never small, does not come back."""
STILL, RESTS = 1e-6, 50
"""It rests elsewhere where so many steps in a row are shorter than this share of its distance."""
DOUBTFUL, LASTING = 1e-6, 0.01
"""A step that moves by less than this share of what is swept, ten times the error of a rough integration, and lasts
this share of all the time until then is about to rest, or goes past what is all but another saddle-node: errors decide
whether it gets through."""
FAR = 1e8
"""It has escaped when it is further away than this, in units of the states."""
ROUGH, FINE = 1e-7, 1e-11
"""Relative tolerances of the integration: to see what becomes of the trajectory, and where exactly it comes back."""
ATOL = 1e-2
"""The absolute tolerance, beside the relative one, in units of the states."""
PIECE, MOST_PIECES = 200, 100
"""Steps between two looks at the trajectory, and how many looks there are before its fate is given up."""


@dataclass(frozen=True, eq=False)
class SaddleNode:
    """A saddle-node, its other eigenvalues on one side.

    Attributes
    ----------
    system : System
        At its parameter values.
    x, size : (n,) arrays
        Where it is, and the units of the states.
    q, p : (n,) arrays
        The null vectors: q, of unit length in these units, points to where trajectories leave; <p, q> = 1.
    backward : bool
        Whether the other eigenvalues have positive real parts: time is turned, then.
    angles : array of int
        The places of states that are angles.
    """

    system: System
    x: np.ndarray
    size: np.ndarray
    q: np.ndarray
    p: np.ndarray
    backward: bool
    angles: np.ndarray


@dataclass(frozen=True, eq=False)
class Return:
    """How the trajectory that leaves a saddle-node comes back.

    Attributes
    ----------
    home : bool
        Whether it comes back on the node's side: it is homoclinic.
    value : float
        Where it does, c in terms of what it has swept; 1 where it does not come back.
    times, points : (k,) and (k, n) arrays
        The trajectory until then, backward in time where the saddle-node is so.
    """

    home: bool
    value: float
    times: np.ndarray
    points: np.ndarray


def saddle_node(system: System, x: np.ndarray, size: np.ndarray, angles: np.ndarray) -> SaddleNode | None:
    """Return what is known of a fold point; None where its other eigenvalues lie on both sides, or it is a cusp."""
    jacobian = system.jacobian(x) * size / size[:, None]
    rows = np.abs(jacobian).max(axis=1)
    left, _, right = np.linalg.svd(jacobian / np.where(rows > 0.0, rows, 1.0)[:, None])
    values = np.linalg.eigvals(jacobian)
    others = np.delete(values, int(np.argmin(np.abs(values)))).real
    if len(others) and others.min() < 0.0 < others.max():
        return None
    q, p = right[-1] * size, left[:, -1] / np.where(rows > 0.0, rows, 1.0) / size
    p = p / float(p @ q)
    backward = bool(len(others)) and bool(others.min() > 0.0)
    a = float(p @ system.derivatives(x, None, q, None)[1]) * (-1.0 if backward else 1.0)
    if not np.isfinite(a) or a == 0.0:
        return None
    return SaddleNode(system, x, size, np.sign(a) * q, np.sign(a) * p, backward, angles)


def returned(node: SaddleNode, rtol: float = FINE) -> Return | None:
    """Follow the trajectory that leaves a saddle-node; None where that does not tell what becomes of it."""
    for begin in BEGIN:
        watch = _Watch(node)
        found = _followed(node, begin, watch, rtol)
        if watch.reach > LARGE * begin:
            return found
    return None


class _Watch:
    """Looks at a trajectory step by step, in units of what each state has swept so far.

    Attributes
    ----------
    reach : float
        The furthest that it has been from the saddle-node, in the units of the states.
    doubtful : bool
        Whether on its way it was so slow that rounding decides whether it goes on.
    """

    def __init__(self, node: SaddleNode) -> None:
        self.node = node
        self.swept = FLOOR * node.size
        self.reach = 0.0
        self.last, self.still = node.x, 0  # the last state, and how many steps were hardly any
        self.nearest = np.inf  # of this passage
        self.arrived: float | None = None  # c where the trajectory has come to the centre direction
        self.laps, self.before, self.falls = 0, 0.0, False
        self.time, self.doubtful = 0.0, False
        self.left = np.inf  # it has left when its reach is larger

    def sees(self, t: np.ndarray, x: np.ndarray) -> tuple[int, bool, float] | None:
        """Take the next times (k,) and states (k, n); return at which it is known whether the trajectory is home.

        And whether it is, and c there.
        """
        node = self.node
        away = x - node.x
        away[:, node.angles] -= 2.0 * np.pi * np.round(away[:, node.angles] / (2.0 * np.pi))
        swept = np.maximum.accumulate(np.maximum(np.abs(away), self.swept), axis=0)
        along = away @ node.p
        c = along * np.max(np.abs(node.q) / swept, axis=1)
        moved = np.max(np.abs(np.diff(x, axis=0, prepend=self.last[None])) / swept, axis=1)
        distance, off = (np.max(np.abs(part) / swept, axis=1) for part in (away, away - along[:, None] * node.q))
        reach = np.max(swept / node.size, axis=1)
        self.left = min(self.left, LEFT * float(reach[0]))
        lasting = (np.diff(t, prepend=self.time) > LASTING * t) & (reach > self.left)
        slow = lasting & (moved < DOUBTFUL) & (distance > HOME)
        self.time, self.last, self.swept, self.reach = float(t[-1]), x[-1], swept[-1], float(reach[-1])
        rows = zip(c.tolist(), distance.tolist(), off.tolist(), moved.tolist(), strict=True)
        for k, row in enumerate(rows):
            self.doubtful |= bool(slow[k])
            seen = self._step(*row)
            if seen is not None:
                return k, *seen
        return None if self.reach < FAR else (len(x) - 1, False, 1.0)

    def _step(self, c: float, distance: float, off: float, moved: float) -> tuple[bool, float] | None:
        """Take the next state: c, how far it is from the saddle-node, from its centre direction, and from the last."""
        self.still = self.still + 1 if moved < STILL * distance else 0
        if distance > NEAR:
            return self._far(distance)
        self.falls, self.before = True, distance
        return self._near(c, distance, off)

    def _far(self, distance: float) -> tuple[bool, float] | None:
        """See whether a trajectory far from the saddle-node will not come back."""
        self.nearest, self.arrived = np.inf, None
        self.laps += self.falls and distance > self.before
        self.falls, self.before = distance < self.before, distance
        return (False, 1.0) if self.laps > LAPS or self.still > RESTS else None

    def _near(self, c: float, distance: float, off: float) -> tuple[bool, float] | None:
        """See on which side a trajectory near the saddle-node is."""
        self.nearest = min(self.nearest, distance)
        if self.arrived is None and off < ARRIVED:
            self.arrived = c
        value = c if self.arrived is None else self.arrived
        aligned = off < ALIGNED * abs(c)
        if distance < NOWHERE or (aligned and distance < HOME):
            return c < 0.0, value
        if c > 0.0 and aligned and distance > LEFT * self.nearest:
            return False, value
        return None


def _followed(node: SaddleNode, begin: float, watch: _Watch, rtol: float) -> Return | None:
    """Integrate from a distance until it is seen what becomes of the trajectory."""
    rhs = Field(node.system, node.backward)
    times, points = [np.zeros(1)], [(node.x + begin * node.q)[None]]
    watch.sees(times[0], points[0])
    for t, x in _pieces(rhs, points[0][0], rtol, ATOL * rtol * node.size):
        seen = watch.sees(t, x)
        if seen is not None and seen[1] and watch.doubtful:
            return None
        kept = slice(None) if seen is None else slice(seen[0] + 1)
        times.append(t[kept])
        points.append(x[kept])
        if seen is not None:
            sign = -1.0 if node.backward else 1.0
            return Return(seen[1], seen[2], sign * np.concatenate(times), np.concatenate(points))
    return None


def _pieces(rhs: Field, start: np.ndarray, rtol: float, atol: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield times and states of a trajectory, piece by piece. Slow passages are stiff."""
    run = Stepper(rhs, start, 0.0, rtol, atol, np.inf, np.inf, stiff=True)
    for _ in range(MOST_PIECES):
        status, times, states = run.advance(PIECE)
        if len(times) > 1:
            yield times[1:], states[1:]
        if status != GOES_ON:
            break

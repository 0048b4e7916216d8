"""How the one-dimensional manifold of a saddle passes a saddle, the same or another, as a parameter varies.

With the unstable eigenvalue u of the saddle that is passed, its leading stable one -s and the component c of the
trajectory along its unstable direction where it is nearest, the split of the manifolds is proportional to
sign(c) |c|^(1 + u/s); its zero is bracketed over a range of the parameter and found by Brent's method. Towards a
saddle-focus the trajectory spirals, and comes near in every turn: there the passage lasts until it leaves along the
unstable direction, which tells the side, and the nearest point tells |c|. Where the manifold is stable it is followed
backwards in time.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.models.field import Field
from bifrncrn.models.system import System

# how far from the saddle a trajectory begins, in units of the saddle's size: it leaves the manifold by the square of it
BEGIN = 1e-5
# a trajectory is back when its distance from the saddle has a minimum below this share of the furthest it has been;
# where passages on one side only are so near, the second is tried
BACK = (0.5, 0.9)
# it has escaped when it is further away than this, in units of the saddle's size
FAR = 1e3
# the passage of a homoclinic orbit is this near, in units of the orbit's size, or as much nearer than those at the ends
# of the bracket as half the exponent s/(s + u) of the distance in the parameter makes it; else the sides were exchanged
# by something else
NEAR = 1e-2
# how often the place between two values of the parameter is halved at which the saddle or its passage begins
HALVINGS = 6
# a trajectory leaves a saddle-focus where this share of its way from there is along the unstable direction
ALIGNED = 0.8
RTOL, ATOL = 1e-11, 1e-13
NEWTON = 30


@dataclass(frozen=True, eq=False)
class Passage:
    """How a manifold passes a saddle.

    Attributes
    ----------
    split, gap : float
        Of the manifolds; and how near the trajectory comes, as a part of the furthest it has been.
    start, goal : (n,) arrays
        The saddle whose manifold it is, and the one that it passes: the same for homoclinic orbits.
    eigenvalues, passed : (n,) complex arrays
        Of the two, by falling real part.
    points, times : (k, n) and (k,) arrays
        The trajectory, times falling where it was followed backwards.
    exponent : float
        Of the distance in the parameter, to which the gap is proportional.
    focus : bool
        Whether it spirals in.
    """

    split: float
    gap: float
    start: np.ndarray
    goal: np.ndarray
    eigenvalues: np.ndarray
    passed: np.ndarray
    points: np.ndarray
    times: np.ndarray
    exponent: float
    focus: bool


def checked_bounds(system: System, bounds: tuple[float, float], what: str) -> tuple[float, float]:
    """Return the range of the parameter, checked, and the size of the system with it."""
    if len(system.variables) > DENSE_LIMIT or len(system.variables) < 2:
        raise InputError(
            f"{what} are looked for in systems of 2 to {DENSE_LIMIT} variables, and this has {len(system.variables)}"
        )
    try:
        low, high = (float(end) for end in bounds)
    except (TypeError, ValueError, OverflowError):
        low = high = np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(f"bounds are {bounds!r:.60}; give two finite numbers, the lower first")
    return low, high


def along(manifold: Manifold, grid: np.ndarray) -> tuple[float, Passage] | None:
    """Return the value between two neighbours of the grid at which the manifold ends in the saddle, and how."""
    tolerance = 1e-10 * float(grid[-1] - grid[0])
    for low, high in itertools.pairwise(grid.tolist()):
        for start, end in _passages_between(manifold, low, high):
            found = _located(manifold, start, end, tolerance)
            if found is not None:
                return found
    return None


def _passages_between(manifold: Manifold, low: float, high: float) -> list[tuple[float, float]]:
    """Return pieces of an interval with passages on different sides at their ends.

    Where there is a passage at one end alone, the place where they begin is approached from there.
    """
    first, last = manifold.passage(low), manifold.passage(high)
    if (first is None) == (last is None):
        return [(low, high)] if first is not None and last is not None and first.split * last.split < 0 else []
    inside, outside = (low, high) if last is None else (high, low)
    pieces = []
    for _ in range(HALVINGS):
        middle = 0.5 * (inside + outside)
        passage = manifold.passage(middle)
        if passage is None:
            outside = middle
            continue
        known = manifold.passage(inside)
        if known is not None and known.split * passage.split < 0:
            pieces.append((min(inside, middle), max(inside, middle)))
        inside = middle
    return pieces


def _located(manifold: Manifold, low: float, high: float, tolerance: float) -> tuple[float, Passage] | None:
    """Return the connection between two values with passages on different sides, if there is one."""
    from scipy.optimize import brentq

    try:
        root = brentq(manifold.split, low, high, xtol=tolerance, rtol=1e-14)
    except _LostError:
        return None
    last, ends = manifold.passage(root), [manifold.passage(value) for value in (low, high)]
    if last is None or ends[0] is None or ends[1] is None:
        return None
    allowed = NEAR
    if not last.focus:
        nearer = (tolerance / (high - low)) ** (0.5 * last.exponent)
        allowed = max(NEAR, nearer * min(end.gap for end in ends if end is not None))
    return (float(root), last) if last.gap < allowed else None


class _LostError(Exception):
    """A saddle or the return of the manifold was lost between two values that have both."""


class Manifold:
    """One of the two branches of a one-dimensional manifold of a saddle, as a function of the parameter.

    Parameters
    ----------
    system : System
        Its state is about where the saddle is.
    parameter : str
    side : float
        1 or -1: which of the two.
    max_steps : int
        Of the integrator.
    back : float
        The share of the greatest distance from the saddle that is passed at which the trajectory is near it.
    goal : (n,) array, optional
        About where the saddle is that is passed; by default it is the same. Then the manifold is the unstable one of
        `system.state`, or where `backward`, the stable one.
    backward : bool or None
        Whether time runs backwards; None: as the saddle's eigenvalues are.
    """

    def __init__(
        self,
        system: System,
        parameter: str,
        side: float,
        max_steps: int,
        back: float,
        goal: np.ndarray | None = None,
        backward: bool | None = None,
    ) -> None:
        self.system, self.parameter, self.side, self.max_steps, self.back = system, parameter, side, max_steps, back
        self.start, self.goal, self.backward = np.array(system.state), goal, backward
        self.known: dict[float, Passage | None] = {}

    def split(self, value: float) -> float:
        """Return the split of the manifolds."""
        passage = self.passage(value)
        if passage is None:
            raise _LostError
        return passage.split

    def passage(self, value: float) -> Passage | None:
        """Return how the manifold passes the saddle, or None when there is no saddle, or no passage of it."""
        if value not in self.known:
            self.known[value] = self._passage(self.system.with_(values={self.parameter: value}))
        return self.known[value]

    def _passage(self, system: System) -> Passage | None:
        start = rest_near(Field(system), self.start)
        goal = start if self.goal is None else rest_near(Field(system), self.goal)
        if start is None or goal is None:
            return None
        matrix = Field(system).jacobian(0.0, start)
        backward = self.backward
        if backward is None:
            backward = int(np.sum(np.linalg.eigvals(matrix).real > 0.0)) > 1
        left = _lone(matrix, backward)
        passed = left if self.goal is None else _lone(Field(system).jacobian(0.0, goal), backward)
        if left is None or passed is None:
            return None
        self.start, self.goal = start, None if self.goal is None else goal
        size = float(max(np.abs(start).max(), np.abs(goal).max())) or 1.0
        focus = passed.leading.imag != 0.0
        leaving = passed.left * float(np.linalg.norm(passed.along)) if focus else None
        begin = start + self.side * BEGIN * size * left.along
        found = _out_and_back(Field(system, backward), goal, begin, (self.back, FAR * size, self.max_steps), leaving)
        if found is None:
            return None
        times, points, last = found
        distance = np.linalg.norm(points - goal, axis=1)
        c = self.side * float(passed.left @ (points[-1] - goal)) / distance.max()
        if focus:
            c = self.side * float(np.sign(passed.left @ (last - goal))) * distance[-1] / distance.max()
        lone, leading = passed.lone, passed.leading.real
        return Passage(
            split=float(np.sign(c) * abs(c) ** (1 - lone / leading)),
            gap=float(distance[-1] / distance.max()),
            start=start,
            goal=goal,
            eigenvalues=left.values,
            passed=passed.values,
            points=points,
            times=-times if backward else times,
            exponent=float(leading / (leading - lone)),
            focus=focus,
        )


@dataclass(frozen=True, eq=False)
class _Lone:
    """The eigenvalues of a saddle by falling real part, and those that count as time runs.

    The lone one on its side (positive), with its right and left eigenvector, and the leading one on the other.
    """

    values: np.ndarray
    lone: float
    leading: complex
    along: np.ndarray
    left: np.ndarray


def _lone(matrix: np.ndarray, backward: bool) -> _Lone | None:
    """Return what is known of a saddle with one unstable direction as time runs; None where it has not one."""
    values, vectors = np.linalg.eig(matrix)
    order = np.argsort(values.real if backward else -values.real)
    values, vectors = values[order], vectors[:, order]
    lone, leading = (-1.0 if backward else 1.0) * values[:2]
    if not lone.real > 0 > leading.real:
        return None
    along, left = vectors[:, 0].real, np.linalg.inv(vectors)[0].real
    # an eigenvector has no sign of its own: let its largest entry be positive
    turn = np.sign(along[np.abs(along).argmax()])
    return _Lone(values[np.argsort(-values.real)], float(lone.real), complex(leading), turn * along, turn * left)


def rest_near(rhs: Field, start: np.ndarray) -> np.ndarray | None:
    """Return the equilibrium that Newton's method reaches, to rounding."""
    x = start.copy()
    for _ in range(NEWTON):
        f, matrix = rhs.both(x)
        try:
            step = np.linalg.solve(matrix, -f)
        except np.linalg.LinAlgError:
            return None
        x = np.maximum(x + step, rhs.lower)
        if not np.isfinite(x).all():
            return None
        if np.abs(step).max() <= 1e-13 * np.abs(x).max():
            return x
    return x if np.abs(step).max() <= 1e-10 * np.abs(x).max() else None


def _out_and_back(
    rhs: Field,
    saddle: np.ndarray,
    start: np.ndarray,
    limits: tuple[float, float, int],
    leaving: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return times (k,) and points (k, n) of a trajectory up to where it is nearest to the saddle, and where it left.

    `limits`: the share of the greatest distance that is near, the distance that is too far, and the number of steps.
    With `leaving`, the left eigenvector of the direction along which the trajectory leaves the saddle, it may come near
    many times before it does so. None where it does not return.
    """
    from scipy.integrate import LSODA

    def towards(x: np.ndarray) -> float:
        return float((x - saddle) @ rhs.rhs(0.0, x))

    back, far, max_steps = limits
    solver = LSODA(rhs.rhs, 0.0, start, 1e300, rtol=RTOL, atol=ATOL, jac=rhs.jacobian)
    times, points, furthest, rate = [0.0], [start], 0.0, towards(start)
    nearest: np.ndarray | None = None  # the nearest point of the passage, its time, and how many points lead there
    when, count = 0.0, 0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a failed step is no return
        for _ in range(max_steps):
            before = solver.t
            solver.step()
            away = solver.y - saddle
            distance = float(np.linalg.norm(away))
            if solver.status != "running" or solver.t == before or not distance < far:
                return None
            furthest, last, rate = max(furthest, distance), rate, towards(solver.y)
            near = distance < back * furthest
            if last < 0 <= rate and near:
                at, point = _nearest(solver.dense_output(), towards, before, solver.t)
                if leaving is None:
                    return np.array([*times, at]), np.array([*points, point]), point
                if nearest is None or np.linalg.norm(point - saddle) < np.linalg.norm(nearest - saddle):
                    nearest, when, count = point, at, len(points)
            aligned = leaving is not None and abs(float(leaving @ away)) > ALIGNED * distance
            if nearest is not None and near and rate > 0.0 and aligned:
                return np.array([*times[:count], when]), np.array([*points[:count], nearest]), solver.y.copy()
            times.append(float(solver.t))
            points.append(solver.y.copy())
    return None


def _nearest(piece: Any, towards: Callable[[np.ndarray], float], start: float, end: float) -> tuple[float, np.ndarray]:
    """Return time and state of a step's interpolant where it comes no nearer."""
    from bifrncrn.trajectories.events import crossing_time

    at = float(crossing_time(lambda t: towards(piece(t)), start, end))
    return at, np.asarray(piece(at))

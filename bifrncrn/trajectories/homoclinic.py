"""Homoclinic orbits of a saddle with a one-dimensional manifold, found by where that passes it again.

At a homoclinic bifurcation the trajectory that leaves a saddle along its unstable direction comes back to it
(Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., chapter 6). For other values of the parameter it passes the
saddle on one side or on the other. With the unstable eigenvalue u, the leading stable one -s and the component c of the
trajectory along the unstable direction where it is nearest to the saddle, the split of the manifolds is
proportional to sign(c) |c|^(1 + u/s); its zero is bracketed over a range of the parameter and found by Brent's method.
Towards a saddle-focus the trajectory spirals, and comes near in every turn: there the passage lasts until it leaves
along the unstable direction, which tells the side, and the nearest point tells |c|. Where the stable manifold is the
one that is one-dimensional, it is followed backwards in time.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import Reported, folded, format_complex, printable
from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.models.field import Field
from bifrncrn.models.maps import require_flow
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Values, check_positive

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


@dataclass(frozen=True, eq=False, repr=False)
class Homoclinic(Reported):
    """A homoclinic orbit.

    Attributes
    ----------
    system : System
        With the parameter value of the orbit; its state is the saddle.
    parameter : str
    value : float
        Of the parameter, to about 1e-9 of the range (stiff systems 1e-8).
    saddle : (n,) array
    eigenvalues : (n,) complex array
        Of the saddle, by falling real part.
    points : (k, n) array
        Along the orbit, from the saddle to where it is nearest to it again; backwards where only one is stable.
    gap : float
        How near that is, in units of the orbit's size.
    times : (k,) array
        Of the points, from 0 on; falling where the orbit was followed backwards.
    range : (float, float)
        In which it was looked for.
    """

    system: System
    parameter: str
    value: float
    saddle: np.ndarray
    eigenvalues: np.ndarray
    points: np.ndarray = field(repr=False)
    gap: float
    times: np.ndarray = field(repr=False)
    range: tuple[float, float]

    @property
    def saddle_quantity(self) -> float:
        """Sum of the real parts of the two eigenvalues nearest to zero on each side.

        When it is negative at a saddle with one unstable eigenvalue, the cycle that ends here is stable.
        """
        real = self.eigenvalues.real
        return float(np.min(real[real > 0.0]) + np.max(real[real < 0.0]))

    def __str__(self) -> str:
        names = self.system.variables
        place = ", ".join(f"{name} = {value:.8g}" for name, value in zip(names, self.saddle.tolist(), strict=True))
        lines = [f"{self.system.title or 'model'}: homoclinic orbit at {self.parameter} = {self.value:.10g}"]
        lines.append(f"saddle at {place}")
        lines.append(f"eigenvalues {format_complex(self.eigenvalues.tolist())}")
        quantity = f"saddle quantity {self.saddle_quantity:.6g}"
        if np.count_nonzero(self.eigenvalues.real > 0.0) == 1:
            quantity += f": the cycle that ends here is {'stable' if self.saddle_quantity < 0.0 else 'unstable'}"
        return printable(folded("\n".join([*lines, quantity, f"closed to {self.gap:.2g} of its size"])))


@dataclass(frozen=True, eq=False)
class _Passage:
    """How the unstable manifold passes its saddle: the split, how near it comes, and the trajectory."""

    split: float
    gap: float
    saddle: np.ndarray
    eigenvalues: np.ndarray
    points: np.ndarray
    times: np.ndarray
    exponent: float
    """Of the distance in the parameter, to which the gap is proportional."""
    focus: bool


def find_homoclinic(
    system: System,
    parameter: str | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    saddle: Values = None,
    values: Values = None,
    steps: int = 10,
    max_steps: int = 20_000,
) -> Homoclinic | None:
    """Find a parameter value at which a saddle has a homoclinic orbit.

    Both branches of the saddle's one-dimensional manifold are followed at evenly spaced values of the parameter; where
    one passes the saddle on different sides at two neighbours, the value between is located.

    Parameters
    ----------
    system : System
        Of up to 400 variables. The saddle must have one eigenvalue with a positive real part, or one with a negative.
    parameter : str, optional
        By default the system's first.
    bounds : (low, high)
        Where to look.
    saddle : mapping or array, optional
        Where the saddle is about; by default the start state. It is followed by Newton's method.
    values : mapping or array, optional
        Values of other parameters that differ from the system's own.
    steps : int
        Number of intervals that `bounds` are divided into.
    max_steps : int
        Of the integrator along each trajectory, about 20 microseconds each.

    Returns
    -------
    Homoclinic, or None when none was found: no saddle there, its manifold never returns, or no side is exchanged

    Raises
    ------
    InputError
        If a name or number is not what it must be.

    Notes
    -----
    Two homoclinic orbits between neighbouring values are not seen (take more steps), nor are loops that pass the
    saddle before they close.

    Examples
    --------
    >>> loop = {"x": "y", "y": "x - x^2 + 0.1*(lam + x)*y"}
    >>> found = find_homoclinic(System.from_equations(loop, {"lam": -0.8}, {"x": 0, "y": 0}), bounds=(-1, -0.7))
    >>> print(f"{found.value:.2f} {found.gap < 1e-4}")
    -0.86 True
    """
    require_flow(system, "the search for a homoclinic orbit")
    system = system.with_(state=saddle, values=values)
    name = system.parameters[0] if parameter is None and system.parameters else parameter
    if name is None:
        raise InputError("the system has no parameter along which a homoclinic orbit could be looked for")
    system.parameter_index(name)
    low, high = _checked(system, bounds)
    grid = np.linspace(low, high, check_positive("steps", steps, whole=True) + 1)
    check_positive("max_steps", max_steps, whole=True)
    for back in BACK:
        for side in (1.0, -1.0):
            found = _along(_Branch(system, name, side, max_steps, back, (low, high)), grid)
            if found is not None:
                return found
    return None


def _checked(system: System, bounds: tuple[float, float]) -> tuple[float, float]:
    if len(system.variables) > DENSE_LIMIT or len(system.variables) < 2:
        raise InputError(
            f"homoclinic orbits are looked for in systems of 2 to {DENSE_LIMIT} variables, and this has "
            f"{len(system.variables)}"
        )
    try:
        low, high = (float(end) for end in bounds)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(f"bounds are {bounds!r:.60}; give two finite numbers, the lower first")
    return low, high


def _along(branch: _Branch, grid: np.ndarray) -> Homoclinic | None:
    """Return the homoclinic orbit between two neighbours of the grid, if there is one."""
    tolerance = 1e-10 * float(grid[-1] - grid[0])
    for low, high in itertools.pairwise(grid.tolist()):
        for start, end in _passages_between(branch, low, high):
            found = _located(branch, start, end, tolerance)
            if found is not None:
                return found
    return None


def _passages_between(branch: _Branch, low: float, high: float) -> list[tuple[float, float]]:
    """Return pieces of an interval with passages on different sides at their ends.

    Where there is a passage at one end alone, the place where they begin is approached from there.
    """
    first, last = branch.passage(low), branch.passage(high)
    if (first is None) == (last is None):
        return [(low, high)] if first is not None and last is not None and first.split * last.split < 0 else []
    inside, outside = (low, high) if last is None else (high, low)
    pieces = []
    for _ in range(HALVINGS):
        middle = 0.5 * (inside + outside)
        passage = branch.passage(middle)
        if passage is None:
            outside = middle
            continue
        known = branch.passage(inside)
        if known is not None and known.split * passage.split < 0:
            pieces.append((min(inside, middle), max(inside, middle)))
        inside = middle
    return pieces


def _located(branch: _Branch, low: float, high: float, tolerance: float) -> Homoclinic | None:
    """Return the homoclinic orbit between two values with passages on different sides, if there is one."""
    from scipy.optimize import brentq

    try:
        root = brentq(branch.split, low, high, xtol=tolerance, rtol=1e-14)
    except _LostError:
        return None
    last, ends = branch.passage(root), [branch.passage(value) for value in (low, high)]
    if last is None or ends[0] is None or ends[1] is None:
        return None
    allowed = NEAR
    if not last.focus:
        nearer = (tolerance / (high - low)) ** (0.5 * last.exponent)
        allowed = max(NEAR, nearer * min(end.gap for end in ends if end is not None))
    return branch.found(root, last) if last.gap < allowed else None


class _LostError(Exception):
    """The saddle or the return of its manifold was lost between two values that have both."""


class _Branch:
    """One of the two branches of the unstable manifold, as a function of the parameter."""

    def __init__(
        self,
        system: System,
        parameter: str,
        side: float,
        max_steps: int,
        back: float,
        range: tuple[float, float],
    ) -> None:
        self.system, self.parameter, self.side, self.max_steps, self.back = system, parameter, side, max_steps, back
        self.range = range
        self.saddle = np.array(system.state)
        self.known: dict[float, _Passage | None] = {}

    def split(self, value: float) -> float:
        """Return the split of the manifolds."""
        passage = self.passage(value)
        if passage is None:
            raise _LostError
        return passage.split

    def passage(self, value: float) -> _Passage | None:
        """Return how the branch passes the saddle, or None when there is no saddle, or no return to it."""
        if value not in self.known:
            self.known[value] = self._passage(self.system.with_(values={self.parameter: value}))
        return self.known[value]

    def found(self, value: float, passage: _Passage) -> Homoclinic:
        """Return the orbit at the value found."""
        return Homoclinic(
            self.system.with_(state=passage.saddle, values={self.parameter: value}),
            self.parameter,
            value,
            frozen(passage.saddle),
            frozen(passage.eigenvalues, complex),
            frozen(passage.points),
            passage.gap,
            frozen(passage.times),
            self.range,
        )

    def _passage(self, system: System) -> _Passage | None:
        saddle = _rest(Field(system), self.saddle)
        if saddle is None:
            return None
        values, vectors = np.linalg.eig(Field(system).jacobian(0.0, saddle))
        backward = int(np.sum(values.real > 0.0)) > 1
        order = np.argsort(values.real if backward else -values.real)
        values, vectors = values[order], vectors[:, order]
        lone, leading = (-1.0 if backward else 1.0) * values[:2]
        if not lone.real > 0 > leading.real:
            return None
        self.saddle = saddle
        size = float(np.abs(saddle).max()) or 1.0
        along, left = vectors[:, 0].real, np.linalg.inv(vectors)[0].real
        # an eigenvector has no sign of its own: let its largest entry be positive
        turn = self.side * np.sign(along[np.abs(along).argmax()])
        leaving = None if leading.imag == 0.0 else left * float(np.linalg.norm(along))
        start = saddle + turn * BEGIN * size * along
        rhs = Field(system, backward)
        found = _out_and_back(rhs, saddle, start, (self.back, FAR * size, self.max_steps), leaving)
        if found is None:
            return None
        times, points, last = found
        distance = np.linalg.norm(points - saddle, axis=1)
        if leaving is None:
            c = turn * float(left @ (points[-1] - saddle)) / distance.max()
        else:
            c = turn * float(np.sign(left @ (last - saddle))) * distance[-1] / distance.max()
        split = np.sign(c) * abs(c) ** (1 - lone.real / leading.real)
        ordered = values[np.argsort(-values.real)]
        gap, exponent = float(distance[-1] / distance.max()), leading.real / (leading.real - lone.real)
        times = -times if backward else times
        return _Passage(float(split), gap, saddle, ordered, points, times, float(exponent), leaving is not None)


def _rest(rhs: Field, start: np.ndarray) -> np.ndarray | None:
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

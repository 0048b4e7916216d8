"""Homoclinic orbits of a saddle with a one-dimensional unstable manifold, found by where that passes it again.

At a homoclinic bifurcation the trajectory that leaves a saddle along its unstable direction comes back to it
(Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., chapter 6). For other values of the parameter it passes the
saddle on one side or on the other. With the unstable eigenvalue u, the leading stable one -s and the component c of the
trajectory along the unstable direction where it is nearest to the saddle, the split of the manifolds is
proportional to sign(c) |c|^(1 + u/s); its zero is bracketed over a range of the parameter and found by Brent's method.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.errors import InputError
from bifrncrn.compile.model import DENSE_LIMIT
from bifrncrn.models.field import Field
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Values, check_positive

# how far from the saddle a trajectory begins, in units of the saddle's size: it leaves the manifold by the square of it
BEGIN = 1e-5
# a trajectory is back when its distance from the saddle has a minimum below this share of the furthest it has been
BACK = 0.5
# it has escaped when it is further away than this, in units of the saddle's size
FAR = 1e3
# the passage of a homoclinic orbit is this near, in units of the orbit's size; further off, the sides were exchanged
# by something else
NEAR = 1e-2
RTOL, ATOL = 1e-11, 1e-13
NEWTON = 30


@dataclass(frozen=True, eq=False)
class Homoclinic:
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
        Of the saddle, by falling real part; the first is the unstable one.
    points : (k, n) array
        Along the orbit, from the saddle to where it is nearest to it again.
    gap : float
        How near that is, in units of the orbit's size.
    """

    system: System
    parameter: str
    value: float
    saddle: np.ndarray
    eigenvalues: np.ndarray
    points: np.ndarray = field(repr=False)
    gap: float

    @property
    def saddle_quantity(self) -> float:
        """Sum of the two leading eigenvalues' real parts; when it is negative, the cycle that ends here is stable."""
        return float(self.eigenvalues[0].real + self.eigenvalues[1].real)


@dataclass(frozen=True, eq=False)
class _Passage:
    """How the unstable manifold passes its saddle: the split, how near it comes, and the trajectory."""

    split: float
    gap: float
    saddle: np.ndarray
    eigenvalues: np.ndarray
    points: np.ndarray


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

    Both branches of the saddle's unstable manifold are followed at evenly spaced values of the parameter; where one
    passes the saddle on different sides at two neighbours, the value between is located.

    Parameters
    ----------
    system : System
        Of up to 400 variables. The saddle must have one eigenvalue with a positive real part; for one with a single
        *negative* eigenvalue give the system with its time reversed.
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
    system = system.with_(state=saddle, values=values)
    name = system.parameters[0] if parameter is None and system.parameters else parameter
    if name is None:
        raise InputError("the system has no parameter along which a homoclinic orbit could be looked for")
    system.parameter_index(name)
    low, high = _checked(system, bounds)
    grid = np.linspace(low, high, check_positive("steps", steps, whole=True) + 1)
    for side in (1.0, -1.0):
        found = _along(_Branch(system, name, side, check_positive("max_steps", max_steps, whole=True)), grid)
        if found is not None:
            return found
    return None


def _checked(system: System, bounds: tuple[float, float]) -> tuple[float, float]:
    if len(system.variables) > DENSE_LIMIT or len(system.variables) < 2:
        raise InputError(
            f"homoclinic orbits are looked for in systems of 2 to {DENSE_LIMIT} variables, and this has "
            f"{len(system.variables)}"
        )
    low, high = (float(end) for end in bounds)
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(f"bounds are {bounds!r}; give two finite numbers, the lower first")
    return low, high


def _along(branch: _Branch, grid: np.ndarray) -> Homoclinic | None:
    """Return the homoclinic orbit between two neighbours of the grid, if there is one."""
    from scipy.optimize import brentq

    before: tuple[float, _Passage] | None = None
    for value in grid.tolist():
        passage = branch.passage(value)
        now = None if passage is None else (value, passage)
        if before is not None and now is not None and before[1].split * now[1].split < 0:
            try:
                root = brentq(branch.split, before[0], now[0], xtol=1e-10 * (grid[-1] - grid[0]), rtol=1e-14)
            except _LostError:
                root = None
            last = None if root is None else branch.passage(root)
            if last is not None and root is not None and last.gap < NEAR:
                return branch.found(root, last)
        before = now
    return None


class _LostError(Exception):
    """The saddle or the return of its manifold was lost between two values that have both."""


class _Branch:
    """One of the two branches of the unstable manifold, as a function of the parameter."""

    def __init__(self, system: System, parameter: str, side: float, max_steps: int) -> None:
        self.system, self.parameter, self.side, self.max_steps = system, parameter, side, max_steps
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
        )

    def _passage(self, system: System) -> _Passage | None:
        rhs = Field(system)
        saddle = _rest(rhs, self.saddle)
        if saddle is None:
            return None
        values, vectors = np.linalg.eig(rhs.jacobian(0.0, saddle))
        order = np.argsort(-values.real)
        values, vectors = values[order], vectors[:, order]
        if not values[0].real > 0 > values[1].real:
            return None
        self.saddle = saddle
        size = float(np.abs(saddle).max()) or 1.0
        along, left = vectors[:, 0].real, np.linalg.inv(vectors)[0].real
        # an eigenvector has no sign of its own: let its largest entry be positive
        turn = self.side * np.sign(along[np.abs(along).argmax()])
        points = _out_and_back(rhs, saddle, saddle + turn * BEGIN * size * along, FAR * size, self.max_steps)
        if points is None:
            return None
        distance = np.linalg.norm(points - saddle, axis=1)
        c = turn * float(left @ (points[-1] - saddle)) / distance.max()
        split = np.sign(c) * abs(c) ** (1 - values[0].real / values[1].real)
        return _Passage(float(split), float(distance[-1] / distance.max()), saddle, values, points)


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


def _out_and_back(rhs: Field, saddle: np.ndarray, start: np.ndarray, far: float, max_steps: int) -> np.ndarray | None:
    """Return the points (k, n) of a trajectory up to where it is nearest to the saddle again, or None if it is not."""
    from scipy.integrate import LSODA

    def towards(x: np.ndarray) -> float:
        return float((x - saddle) @ rhs.rhs(0.0, x))

    solver = LSODA(rhs.rhs, 0.0, start, 1e300, rtol=RTOL, atol=ATOL, jac=rhs.jacobian)
    points, furthest, rate = [start], 0.0, towards(start)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a failed step is no return
        for _ in range(max_steps):
            before = solver.t
            solver.step()
            distance = float(np.linalg.norm(solver.y - saddle))
            if solver.status != "running" or solver.t == before or not distance < far:
                return None
            furthest, last, rate = max(furthest, distance), rate, towards(solver.y)
            if last < 0 <= rate and distance < BACK * furthest:
                points.append(_nearest(solver.dense_output(), towards, before, solver.t))
                return np.array(points)
            points.append(solver.y.copy())
    return None


def _nearest(piece: Any, towards: Callable[[np.ndarray], float], start: float, end: float) -> np.ndarray:
    """Return the state of a step's interpolant where it comes no nearer."""
    from bifrncrn.trajectories.events import crossing_time

    return np.asarray(piece(crossing_time(lambda t: towards(piece(t)), start, end)))

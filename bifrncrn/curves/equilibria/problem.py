"""The curve of equilibria f(x, p) = 0 of a system in one parameter, y = (x, p)."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.curve import Curve
from bifrncrn.curves.equilibria.engine import POINTS
from bifrncrn.curves.equilibria.newton import ARRIVED, NOT_FINITE, WITHIN
from bifrncrn.curves.equilibria.work import CONTEXT_SIZE, TESTS, Work
from bifrncrn.models.branch_events import Events
from bifrncrn.models.maps import require_flow
from bifrncrn.models.region import Region
from bifrncrn.models.system import System

EVENTS = {layout.FOLD: "LP", layout.BRANCH: "BP", layout.PAIR: "HB", layout.REAL: "BP"}
"""The labels of what the march sees; a zero eigenvalue without a turn of the tangent counts as a branch point."""
EPS = 2.220446049250313e-16
SINGULAR = 1e-10
"""A singular value below this part of the largest is zero, where equations are measured by their largest term."""


class _Place(NamedTuple):
    """The work space of one problem at a time, and the curves in it without user tests, with and without spectra."""

    work: Work
    curves: dict[bool, Curve]


class EquilibriumProblem:
    """Values and derivatives of f at y = (x, p), for the refinement and the normal forms of single points.

    Attributes
    ----------
    system : System
    parameter : int
        Index of the continuation parameter among the system's parameters.
    n : int
        Number of states; a point y has n + 1 components.
    stability : bool
        Whether the eigenvalues of every point are computed.
    region : Region
        Where the states may be; by default within the system's own bounds.
    """

    integrator = "LSODA"
    """The method of scipy's `solve_ivp` that suits the Jacobian."""

    def __init__(self, system: System, parameter: int, stability: bool = True, region: Region | None = None) -> None:
        require_flow(system, "a diagram of equilibria")
        self.system = system
        self.parameter = parameter
        self.stability = stability
        self.n = len(system.variables)
        self.region = region or Region(system.lower, system.upper)
        self._check = system.native.check

    @property
    def _idle(self) -> list[_Place]:
        """Work spaces that nobody uses now."""
        idle: list[_Place] = self.system.remembered.setdefault(f"idle places {self.parameter}", [])
        return idle

    @functools.cached_property
    def _place(self) -> _Place:
        with contextlib.suppress(IndexError):
            place = self._idle.pop()
            place.work.values[:] = self.system.values
            return place
        return _Place(Work(self.system.native, self.parameter, self.system.values), {})

    @functools.cached_property
    def _work(self) -> Work:
        return self._place.work

    def release(self) -> None:
        """Leave the work space to the next problem of the same system; neither this one nor its curve is used again."""
        self.__dict__.pop("_work", None)
        place = self.__dict__.pop("_place", None)
        if place is not None:
            self._idle.append(place)

    @property
    def values(self) -> np.ndarray:
        """The values of all parameters, (m,), which may be overwritten between two calls."""
        return self._work.values

    def _evaluate(self, y: np.ndarray) -> Work:
        """Evaluate F and its derivative; `out` receives what the kernel `measure` writes, NaN where not finite."""
        work = self._work
        work.y[:] = y
        POINTS.engine.call["measure"](work.at, work.at_y, work.at_out)
        self._check()
        return work

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F, shape (n,), and its derivative by y, shape (n, n + 1)."""
        n, work = self.n, self._evaluate(y)
        matrix = np.empty((n, n + 1))
        matrix[:, :n] = work.jacobian
        matrix[:, n] = work.slope
        return work.f.copy(), matrix

    def rounding(self, y: np.ndarray) -> np.ndarray:
        """Return bounds (n,) of the rounding errors in F at y, found while it is evaluated, and of y itself."""
        work = self._work
        work.y[:] = y
        work.values[self.parameter] = y[-1]
        self._rounding(work.at_y, work.at_values, work.at_bounds)
        self._check()
        return EPS * work.bounds[: self.n]

    @functools.cached_property
    def _rounding(self) -> Callable[..., None]:
        call: Callable[..., None] = self.system.native.function("rounding")
        return call

    def dense(self, y: np.ndarray) -> np.ndarray:
        """Return the derivative of F by y as a full matrix, (n, n + 1)."""
        return np.asarray(self.linearize(y)[1])

    def _value_and_terms(self, y: np.ndarray) -> tuple[list[float], list[float]]:
        """Return F, and the size of all that it is made of, equation by equation."""
        f = self._evaluate(y).f.tolist()
        return f, (self.rounding(y) / EPS).tolist() if any(f) else [1.0] * self.n

    def residual(self, y: np.ndarray) -> float:
        """Return the largest |F_i|, relative to the size of what it is made of: the sum of all terms on the way."""
        pairs = zip(*self._value_and_terms(y), strict=True)
        return max(abs(f) / size if size > 0.0 else math.inf if f else 0.0 for f, size in pairs)

    def gap(self, y: np.ndarray, unit: np.ndarray) -> float:
        """Return how far y is from a solution: the largest |F_i|, relatively.

        To its terms, or to what it changes by within units of length, (n + 1,): where states are zero but for rounding
        the terms are rounding too, and tell nothing.
        """
        return self.judged(y, unit)[0]

    def judged(self, y: np.ndarray, unit: np.ndarray) -> tuple[float, float]:
        """Return the `gap` at y, and the largest entry of the derivative of F."""
        work = self._work
        work.y[:], work.row[:] = y, unit
        POINTS.engine.call["judge"](work.at_to_judge, work.at_y, work.at_row, work.at_found)
        self._check()
        gap, largest = work.found[:2].tolist()
        return gap, largest

    def examine(self, y: np.ndarray, unit: np.ndarray, kind: int) -> tuple[float, float, float, float]:
        """Return what `judged` does, and two numbers for the kind of special point that y is (`layout.FOLD`, `PAIR`).

        At a fold they are a = <p, B(q, q)> / 2 and |J q|, with J q = 0, J' p = 0, <q, q> = <p, q> = 1 (Kuznetsov, 3.5,
        eq. 5.23). The sign of a depends on that of q, whose largest component is positive; a is NaN where zero is a
        double eigenvalue.

        At a Hopf point they are omega, and l1 = Re c1 / omega with <q, q> = <p, q> = 1 (Kuznetsov, eq. 5.34 and 3.20).
        With J q = i omega q, J' p = -i omega p, q' the conjugate of q,
        c1 = <p, C(q, q, q') - 2 B(q, J^-1 B(q, q')) + B(q', (2 i omega - J)^-1 B(q, q))> / 2.
        Negative l1 is supercritical. It is NaN where J or 2 i omega - J is singular.
        """
        work = self._work
        work.y[:], work.row[:] = y, unit
        at = work.at_with_jet if kind in (layout.FOLD, layout.PAIR) else work.at_to_judge
        POINTS.engine.call["examine"](at, work.at_y, work.at_row, kind, work.at_found)
        self._check()
        gap, largest, first, second = work.found[:4].tolist()
        return gap, largest, first, second

    def vanishes(self, y: np.ndarray) -> bool:
        """Say whether F is zero at y but for rounding, equation by equation."""
        return all(self.solved(y))

    def solved(self, y: np.ndarray) -> list[bool]:
        """Say of every equation whether it holds at y but for rounding."""
        pairs = zip(*self._value_and_terms(y), strict=True)
        return [abs(f) <= WITHIN * EPS * size for f, size in pairs]

    def is_solved(self, y: np.ndarray, left: np.ndarray, unit: np.ndarray) -> bool:
        """Say whether the combination `left` of F, which does not change with y at a branch point, is zero there.

        It is not where the branch point is imperfect: two branches that pass each other. Of y, errors of the second
        order count, of a Newton method that has converged to POSITION.
        """
        work = self._work
        work.y[:], work.row[: self.n], work.out[:] = y, left, unit
        solved = POINTS.engine.call["holds_along"](work.at_to_judge, work.at_y, work.at_row, work.at_out)
        self._check()
        return solved == 1

    def blur(self, y: np.ndarray) -> np.ndarray:
        """Return how far (n,) rounding may move the states of an equilibrium, the parameter being given.

        At a fold or branch point the direction in which they are not determined is left out.
        """
        jacobian = self.dense(y)[:, :-1]
        rows = np.maximum(np.max(np.abs(jacobian), axis=1), 1e-300)
        scaled = jacobian / rows[:, None]
        columns = np.maximum(np.max(np.abs(scaled), axis=0), 1e-300)
        inverse = np.linalg.pinv(scaled / columns, rcond=SINGULAR)
        return np.asarray((np.abs(inverse) @ (self.rounding(y) / rows)) / columns)

    def degrees_of_freedom(self, y: np.ndarray, scale: np.ndarray) -> int:
        """Return in how many directions there are equilibria beside y, to first order: one on a regular branch."""
        _, matrix = self.linearize(y)
        if not np.isfinite(matrix).all():
            return 1
        matrix = matrix * scale
        sizes = np.linalg.svd(matrix / np.maximum(np.max(np.abs(matrix), axis=1, keepdims=True), 1e-300))[1]
        return 1 + int(np.sum(sizes <= SINGULAR * max(sizes[0], 1e-300)))

    def field(self, y: np.ndarray) -> np.ndarray:
        """Return F, (n,)."""
        return self._evaluate(y).f.copy()

    def solver(self, y: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray] | None]:
        """Return F and a function that solves with the state Jacobian; None where they are not finite.

        `unit`, (n,), positive, are units of the states. The function lasts until the next Newton step is computed.
        """
        work = self._work
        work.y[:] = y
        work.row[:-1], work.row[-1] = 0.0, 1.0
        work.out[:-1], work.out[-1] = unit, 1.0
        status = POINTS.engine.call["newton_step"](work.at, work.at_y, work.at_row, work.at_out, work.at_bounds)
        self._check()
        f = work.f.copy()
        if status == NOT_FINITE:
            return f, None
        return f, self._solve_again if status == 0 else functools.partial(_solve, work.jacobian.copy())

    def _solve_again(self, rhs: np.ndarray) -> np.ndarray:
        work = self._work
        work.out[:-1], work.out[-1] = rhs, 0.0
        POINTS.engine.call["solve_again"](work.at, work.at_out)
        return work.out[:-1].copy()

    def beside(self, y: np.ndarray, row: np.ndarray, unit: np.ndarray) -> np.ndarray | None:
        """Return the Newton step from `y` normal to `row`; None where there is none.

        `unit`, (n + 1,), positive, are units of the unknowns.
        """
        work = self._work
        work.y[:], work.row[:], work.out[:] = y, row, unit
        status = POINTS.engine.call["newton_step"](work.at, work.at_y, work.at_row, work.at_out, work.at_bounds)
        self._check()
        return work.out.copy() if status == 0 else None

    def slide(
        self, y: np.ndarray, row: np.ndarray, unit: np.ndarray, reach: float = math.inf, accuracy: float = 1e-10
    ) -> np.ndarray | None:
        """Return the point of the curve that Newton's method finds from `y` in the plane normal to `row`.

        The curve is evaluated within the walls only. None where it does not come to rest within `reach`, to `accuracy`,
        both in units of length (n + 1,).
        """
        n, work = self.n, self._work
        work.y[:], work.row[:] = y, row
        bounds, region = work.bounds, self.region
        bounds[: n + 1], bounds[n + 1 : 2 * n + 1], bounds[2 * n + 1 : 3 * n + 1] = unit, region.lower, region.upper
        bounds[3 * n + 1], bounds[3 * n + 2] = reach, accuracy
        status = POINTS.engine.call["slide"](work.at, work.at_y, work.at_row, work.at_bounds)
        self._check()
        return work.y.copy() if status == ARRIVED else None

    def descend(self, y: np.ndarray, iterations: int) -> tuple[np.ndarray, int, np.ndarray]:
        """Return where damped Newton iterations from `y` end, why, and the sizes of the states there, (n,).

        See `bifrncrn.curves.equilibria.start`; the reasons are those of `bifrncrn.curves.equilibria.newton`. Where the
        Jacobian is singular they go no further.
        """
        n, work = self.n, self._work
        work.y[:] = y
        work.bounds[:n], work.bounds[n : 2 * n] = self.region.lower, self.region.upper
        ended = POINTS.engine.call["descend"](work.at, work.at_y, work.at_bounds, iterations)
        self._check()
        return work.y.copy(), ended, work.bounds[2 * n : 3 * n].copy()

    def tangent(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return a tangent of the curve, of unit length in units of `scale`, with the parameter increasing."""
        work = self._work
        work.y[:], work.row[:] = y, scale
        POINTS.engine.call["tangent"](work.at, work.at_y, work.at_row, work.at_out)
        self._check()
        return work.out.copy()

    def eigenvalues(self, y: np.ndarray) -> np.ndarray:
        """Return the eigenvalues kept with a point, by descending real part: all, or none without `stability`."""
        return self.sized_eigenvalues(y)[0] if self.stability else np.empty(0, complex)

    def sized_eigenvalues(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        """Return what `eigenvalues` does, and the largest entry of the derivative of F in absolute value."""
        work = self._evaluate(y)
        largest = float(work.out[0])
        if not self.stability:
            return np.empty(0, complex), largest
        self._spectrum(work)
        values = np.empty(self.n, complex)
        values.real, values.imag = work.row[:-1], work.out[:-1]
        return values, largest

    def _spectrum(self, work: Work) -> None:
        """Compute the eigenvalues where F was evaluated: `row` receives their real, `out` their imaginary parts."""
        POINTS.engine.call["spectrum"](work.at, work.at_row, work.at_out, 0)

    def refine(
        self, guess: np.ndarray, scale: np.ndarray, box: tuple[np.ndarray, np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Find the branch point near `guess`; see `bifrncrn.curves.equilibria.branch_kernels`.

        States that are zero there but for rounding, and may stay zero, are made zero.

        Parameters
        ----------
        guess, scale : (n + 1,) arrays
            Where to start, and the unit of length of every component.
        box : two (n + 1,) arrays, optional
            Lower and upper bounds of y; nothing is evaluated beyond them.

        Returns
        -------
        (y, w, residual) or None
            The point, the left null vector, and the largest residual relative to the equations' size; None where it
            does not converge.
        """
        n, work = self.n, self._work
        low, high = box or (-np.inf, np.inf)
        work.y[:] = guess
        bounds = self._within_walls(scale)
        bounds[2 * n + 1 : 3 * n + 2], bounds[3 * n + 2 : 4 * n + 3] = low, high
        status = POINTS.engine.call["refine"](work.at_with_jet, work.at_y, work.at_row, work.at_bounds, work.at_found)
        self._check()
        return (work.y.copy(), work.row[:n].copy(), float(work.found[0])) if status == 0 else None

    def directions(self, y: np.ndarray, left: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
        """Return the unit tangents, in scaled unknowns, of the branches through a simple branch point; none or two."""
        if left.ndim > 1:
            return []
        n, work = self.n, self._work
        work.y[:], work.row[:n] = y, left
        self._within_walls(scale)
        call = POINTS.engine.call["directions"]
        count = call(work.at_with_jet, work.at_y, work.at_row, work.at_bounds, work.at_found)
        self._check()
        return [work.found[k * (n + 1) : (k + 1) * (n + 1)].copy() for k in range(count)]

    def _within_walls(self, scale: np.ndarray) -> np.ndarray:
        """Write units and walls to where the kernels for branch points expect them; return that array."""
        n, bounds = self.n, self._work.bounds
        bounds[: n + 1] = scale
        bounds[4 * n + 3 : 5 * n + 3], bounds[5 * n + 3 :] = self.region.lower, self.region.upper
        return bounds

    def check_regular(self, y: np.ndarray) -> None:
        """Raise InputError where f is not good to double precision (conserved sums are divided out beforehand)."""
        self.system.check_precision()

    def curve(self, events: Events | None = None) -> Curve:
        """Return the curve for the march; it shares the work space of this problem."""
        if events is not None:
            return self._curve(events)
        curves = self._place.curves
        if self.stability not in curves:
            curves[self.stability] = self._curve(None)
        return curves[self.stability]

    def _curve(self, events: Events | None) -> Curve:
        n, work, at = self.n, self._work, POINTS.engine.address
        context = work.context[:CONTEXT_SIZE].copy()
        context[TESTS] = events.native.f if events else 0
        return Curve(
            size=n + 1,
            spectra=n if self.stability else 0,
            tests=len(events.names) if events else 0,
            newton_step=at["newton_step"],
            solve_again=at["solve_again"],
            spectrum=at["spectrum"] if self.stability else 0,
            user_tests=at["user_tests"] if events else 0,
            context=context.__array_interface__["data"][0],
            keep=(self.system.native, events, work, context),
            check=self._check,
            parameters=work.values,
            events=EVENTS,
            memory=self.system.remembered.setdefault("memory of marches", {}),
        )

    def notes(self) -> list[str]:
        """Say what a reader of the diagram must know about how it was computed."""
        said = [self.system.note] if self.system.note else []
        if not self.stability:
            said.append("Stability was not computed: Hopf points were not looked for.")
        return said


def _solve(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(matrix, rhs)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(matrix, rhs, rcond=None)[0]


def equilibrium_curve(system: System, parameter: int, spectrum: bool = True, events: Events | None = None) -> Curve:
    """Return the curve f(x, p) = 0 of a system, p being the parameter with index `parameter`.

    `events` are user test functions of (x, p).
    """
    return EquilibriumProblem(system, parameter, spectrum).curve(events)

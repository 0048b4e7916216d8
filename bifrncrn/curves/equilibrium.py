"""The curve of equilibria f(x, p) = 0 of a system in one parameter, y = (x, p)."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

import numpy as np

from bifrncrn.compile.engine import engine
from bifrncrn.continuation import branch_point
from bifrncrn.continuation.curve import Curve
from bifrncrn.curves.work import work_size
from bifrncrn.systems.events import Events
from bifrncrn.systems.region import Region
from bifrncrn.systems.system import System

_ADDRESS = ctypes.c_void_p


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
        Where the states may be; the system's own bounds until it is narrowed.
    """

    integrator = "LSODA"
    """The method of scipy's `solve_ivp` that suits the Jacobian."""

    def __init__(self, system: System, parameter: int, stability: bool = True) -> None:
        self.system = system
        self.parameter = parameter
        self.stability = stability
        self.n = len(system.variables)
        self.region = Region(system.lower, system.upper)
        native = system.native
        self._values = np.array(system.values, dtype=float)
        self._unit = np.zeros_like(self._values)
        self._unit[parameter] = 1.0
        self._direction = np.zeros_like(self._values)
        self._point = np.empty(self.n + 1)
        self._check = native.check
        self.evaluations = 0

    @functools.cached_property
    def _linearize(self) -> Callable[[], None]:
        n = self.n
        self._value, self._slope, self._jacobian = np.empty(n), np.empty(n), np.empty((n, n))
        arrays = (self._point, self._values, self._unit, self._value, self._jacobian, self._slope)
        return _call(self.system.native.linearize, *arrays)

    @functools.cached_property
    def _jet(self) -> Callable[[], None]:
        self._step, self._derivatives = np.empty(self.n + 1), np.empty((3, self.n))
        return _call(self.system.native.jet, self._point, self._values, self._step, self._direction, self._derivatives)

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F, shape (n,), and its derivative by y, shape (n, n + 1)."""
        n = self.n
        self._point[:] = y
        self._values[self.parameter] = self._point[n]
        self._linearize()
        self.evaluations += 1
        self._check()
        matrix = np.empty((n, n + 1))
        matrix[:, :n] = self._jacobian
        matrix[:, n] = self._slope
        return self._value.copy(), matrix

    def jets(self, y: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return the first three derivatives of F(y + e v) by e at e = 0 for every row v of `steps`, shape (k, 3, n).

        A row may leave out the parameter, which then stays.
        """
        self._point[:] = y
        self._values[self.parameter] = self._point[self.n]
        call, width = self._jet, steps.shape[1]
        out = np.empty((len(steps), 3, self.n))
        for k in range(len(steps)):
            self._step[:width] = steps[k]
            self._direction[self.parameter] = self._step[self.n] if width > self.n else 0.0
            call()
            out[k] = self._derivatives
        self.evaluations += len(steps)
        self._check()
        return out

    def jet(self, y: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the first three derivatives of F(y + e v) by e at e = 0, shape (3, n)."""
        derivatives: np.ndarray = self.jets(y, v[None])[0]
        return derivatives

    def seconds(self, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the second derivatives B(u, v) of all pairs of rows, shape (k, n), each by polarisation of two jets.

        Both directions are brought to one length first, so that neither is lost in the other.
        """
        a, b = np.sqrt(np.sum(u * u, axis=1)), np.sqrt(np.sum(v * v, axis=1))
        u = u / np.where(a > 0.0, a, 1.0)[:, None]
        v = v / np.where(b > 0.0, b, 1.0)[:, None]
        jets = self.jets(y, np.concatenate([u + v, u - v]))[:, 1]
        second: np.ndarray = (jets[: len(u)] - jets[len(u) :]) * (0.25 * a * b)[:, None]
        return second

    def second(self, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the second derivative B(u, v), shape (n,)."""
        b: np.ndarray = self.seconds(y, u[None], v[None])[0]
        return b

    def residual(self, y: np.ndarray) -> float:
        """Return the largest |F_i|, relative to the size of what it is made of, sum of |dF_i/dy_j y_j|."""
        f, matrix = self.linearize(y)
        largest = float(np.max(np.abs(y[:-1])))
        states = np.maximum(np.abs(y[:-1]), 1e-9 * largest if largest > 1e-12 else 1e-9)  # what is smaller is rounding
        size = np.abs(matrix) @ np.append(states, abs(y[-1])) + np.abs(f) + 1e-300
        return float(np.max(np.abs(f) / size))

    def largest(self, y: np.ndarray) -> float:
        """Return the largest entry of the Jacobian in absolute value."""
        return float(np.max(np.abs(self.linearize(y)[1])))

    def solver(self, y: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray] | None]:
        """Return F and a function that solves with the state Jacobian; None where they are not finite."""
        f, matrix = self.linearize(y)
        if not (np.all(np.isfinite(f)) and np.all(np.isfinite(matrix))):
            return f, None
        return f, functools.partial(_solve, matrix[:, : self.n])

    def beside(self, y: np.ndarray, row: np.ndarray) -> np.ndarray | None:
        """Return the Newton step from `y` normal to `row`; None where there is none."""
        f, matrix = self.linearize(y)
        if not (np.all(np.isfinite(f)) and np.all(np.isfinite(matrix))):
            return None
        try:
            return np.linalg.solve(np.vstack([matrix, row]), np.append(-f, 0.0))
        except np.linalg.LinAlgError:
            return None

    def tangent(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return a tangent of the curve, of unit length in units of `scale`, with the parameter increasing."""
        _, matrix = self.linearize(y)
        size = np.maximum(np.abs(matrix) @ scale, 1e-300)
        tangent = np.linalg.svd(matrix * scale / size[:, None])[2][-1] * scale
        return tangent if tangent[-1] >= 0.0 else -tangent

    def eigenvalues(self, y: np.ndarray) -> np.ndarray:
        """Return the eigenvalues kept with a point, by descending real part: all, or none without `stability`."""
        if not self.stability:
            return np.empty(0, complex)
        values = np.linalg.eigvals(self.linearize(y)[1][:, : self.n]).astype(complex)
        return values[np.lexsort((-values.imag, -values.real))]

    def null_vectors(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return unit vectors q, p with J q = 0 and J' p = 0 at a fold."""
        left, _, right = np.linalg.svd(self.linearize(y)[1][:, : self.n])
        return right[-1], left[:, -1]

    def hopf_vectors(self, y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return omega and unit q with J q = i omega q, and p with J' p = -i omega p, at a Hopf point."""
        eigenvalues, vectors = np.linalg.eig(self.linearize(y)[1][:, : self.n])
        k = int(np.argmin(np.where(eigenvalues.imag > 0.0, np.abs(eigenvalues.real), np.inf)))
        try:
            left = np.linalg.inv(vectors)[k].conj()  # the row of the inverse is the left eigenvector
        except np.linalg.LinAlgError:
            left = np.full(self.n, np.nan)
        return float(eigenvalues[k].imag), vectors[:, k], left

    def solve_shifted(self, y: np.ndarray, shift: complex, rhs: np.ndarray) -> np.ndarray:
        """Return the solution x of (J - shift) x = rhs."""
        return np.linalg.solve(self.linearize(y)[1][:, : self.n] - shift * np.eye(self.n), rhs)

    def refine(
        self, guess: np.ndarray, scale: np.ndarray, box: tuple[np.ndarray, np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Find the branch point near `guess`; see `bifrncrn.continuation.branch_point.refine`."""
        return branch_point.refine(self, guess, scale, box)

    def directions(self, y: np.ndarray, left: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
        """Return the unit tangents, in scaled unknowns, of the branches through a branch point."""
        return branch_point.directions(self, y, left, scale)

    def check_regular(self, y: np.ndarray) -> None:
        """Do nothing: conserved sums of small systems are divided out beforehand."""

    def curve(self, events: Events | None = None) -> Curve:
        """Return the curve for the march."""
        return equilibrium_curve(self.system, self.parameter, self.stability, events)

    def notes(self) -> list[str]:
        """Say what a reader of the diagram must know about how it was computed."""
        said = [self.system.note] if self.system.note else []
        if not self.stability:
            said.append("Stability was not computed: Hopf points were not looked for.")
        return said


def _call(address: int, *arrays: np.ndarray) -> Callable[[], None]:
    """Return a compiled function bound to arrays, whose addresses are looked up once."""
    function = ctypes.CFUNCTYPE(None, *[_ADDRESS] * len(arrays))(address)
    return functools.partial(function, *(array.ctypes.data for array in arrays))


def _solve(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(matrix, rhs)
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(matrix, rhs, rcond=None)[0]


def equilibrium_curve(system: System, parameter: int, spectrum: bool = True, events: Events | None = None) -> Curve:
    """Return the curve f(x, p) = 0 of a system, p being the parameter with index `parameter`.

    `events` are user test functions of (x, p).
    """
    n, native, code = len(system.variables), system.native, engine()
    values = np.array(system.values, dtype=float)
    direction = np.zeros_like(values)
    direction[parameter] = 1.0
    work = np.zeros(work_size(n))
    pivots = np.zeros(n + 1, np.int64)
    addresses = [array.ctypes.data for array in (values, direction, work, pivots)]
    context = np.array([n, parameter, native.linearize, *addresses, events.native.f if events else 0], np.int64)
    return Curve(
        size=n + 1,
        spectra=n if spectrum else 0,
        tests=len(events.names) if events else 0,
        newton_step=code.newton_step,
        solve_again=code.solve_again,
        spectrum=code.spectrum if spectrum else 0,
        user_tests=code.user_tests if events else 0,
        context=context.ctypes.data,
        keep=(native, events, values, direction, work, pivots, context),
        check=native.check,
        parameters=values,
    )

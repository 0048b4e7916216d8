"""The curve of equilibria of a large system: sparse Jacobians, banded or sparse bordered solves, no full matrix.

The compiled march follows it as any other curve; what is behind its addresses is written in Python, because a
step costs far more than a call.
"""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.continuation import layout
from bifrncrn.continuation.callbacks import NOT_FINITE, Callbacks
from bifrncrn.continuation.curve import Curve
from bifrncrn.continuation.rightmost import Rightmost, all_of, rightmost
from bifrncrn.continuation.sparse import Bordered, Solver, Structure
from bifrncrn.curves.equilibria import sparse_branch_point, sparse_normal_forms
from bifrncrn.curves.equilibria.newton import ACROSS, POSITION, SINGULAR, WITHIN
from bifrncrn.curves.equilibria.problem import EPS, EVENTS, EquilibriumProblem
from bifrncrn.models.branch_events import Events
from bifrncrn.models.region import Region
from bifrncrn.models.system import System

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_ADDRESS = ctypes.c_void_p
EIGENVALUES = 12
"""How many of the rightmost eigenvalues of a large system are kept with every point."""


CONSERVED = 1e-13
"""A sum counts as conserved when its rate has no derivative larger than this part of its terms."""


class SparseProblem(EquilibriumProblem):
    """Values and derivatives of f at y = (x, p) for a large system.

    Parameters
    ----------
    system : System
    parameter : int
        Index of the continuation parameter.
    stability : bool
        Whether to compute the rightmost eigenvalues at every point.
    """

    integrator = "BDF"

    def __init__(self, system: System, parameter: int, stability: bool = True, region: Region | None = None) -> None:
        super().__init__(system, parameter, stability, region)
        native = system.native
        self.rows, self.cols = native.rows.astype(np.int64), native.cols.astype(np.int64)
        self.structure = Structure(self.rows, self.cols, self.n)
        self._sparse = ctypes.CFUNCTYPE(None, *[_ADDRESS] * 6)(native.sparse)
        self._kept = self.n if all_of(self.structure) else min(EIGENVALUES, self.n - 2)
        self._values = np.array(system.values)
        self._unit = np.zeros_like(self._values)
        self._unit[parameter] = 1.0
        self._incomplete = 0

    @property
    def values(self) -> np.ndarray:
        """The values of all parameters, (m,), which may be overwritten between two calls."""
        return self._values

    def entries(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return F (n,), the state Jacobian at (rows, cols), and the derivative by the parameter (n,)."""
        point = np.ascontiguousarray(y, dtype=float)
        f, values, slope = np.empty(self.n), np.empty(len(self.rows)), np.empty(self.n)
        self._values[self.parameter] = point[self.n]
        inputs = (point.ctypes.data, self._values.ctypes.data, self._unit.ctypes.data)
        self._sparse(*inputs, f.ctypes.data, values.ctypes.data, slope.ctypes.data)
        self._check()
        return f, values, slope

    def parameters(self, p: float) -> np.ndarray:
        """Return all parameter values, with `p` for the continuation parameter."""
        self._values[self.parameter] = p
        return self._values

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, Any]:
        """Return F, shape (n,), and its derivative by y, a sparse array of shape (n, n + 1)."""
        from scipy.sparse import csr_array

        f, values, slope = self.entries(y)
        n = self.n
        places = np.append(self.rows, np.arange(n)), np.append(self.cols, np.full(n, n))
        return f, csr_array((np.append(values, slope), places), shape=(n, n + 1))

    def rounding(self, y: np.ndarray) -> np.ndarray:
        """Return bounds (n,) of the rounding errors in F at y."""
        point, bounds = np.ascontiguousarray(y, dtype=float), np.empty(self.n)
        self._rounding(point.ctypes.data, self.parameters(float(point[self.n])).ctypes.data, bounds.ctypes.data)
        self._check()
        return EPS * bounds

    def _value_and_terms(self, y: np.ndarray) -> tuple[list[float], list[float]]:
        """Return F, and the size of all that it is made of, equation by equation."""
        return self.entries(y)[0].tolist(), (self.rounding(y) / EPS).tolist()

    def dense(self, y: np.ndarray) -> np.ndarray:
        """Return the derivative of F by y as a full matrix, (n, n + 1)."""
        return np.asarray(self.linearize(y)[1].toarray())

    def is_solved(self, y: np.ndarray, left: np.ndarray, unit: np.ndarray) -> bool:
        """Say whether the combination `left` of F, which does not change with y at a branch point, is zero there."""
        f, matrix = self.linearize(y)
        first_order = np.asarray(abs(matrix) @ unit)
        return bool(abs(left @ f) <= np.abs(left) @ (WITHIN * self.rounding(y) + POSITION**2 * first_order))

    def blur(self, y: np.ndarray) -> np.ndarray:
        """Return how far rounding may move the states of an equilibrium: some part of the largest."""
        return np.full(self.n, 1e2 * EPS * float(np.max(np.abs(y[:-1]))))

    def degrees_of_freedom(self, y: np.ndarray, scale: np.ndarray) -> int:
        """Return one: conserved sums of a large system are refused beforehand."""
        return 1

    def largest(self, y: np.ndarray) -> float:
        """Return the largest entry of the Jacobian in absolute value."""
        _, values, slope = self.entries(y)
        return float(max(np.max(np.abs(values)), np.max(np.abs(slope))))

    def judged(self, y: np.ndarray, unit: np.ndarray) -> tuple[float, float]:
        """Return how far y is from a solution, as `gap` says, and the largest entry of the derivative of F."""
        f, matrix = self.linearize(y)
        if not np.isfinite(f).all():
            return math.inf, math.nan
        sizes = np.abs(f)
        measures = (self.rounding(y) / EPS, abs(matrix) @ unit)
        nothing = np.where(sizes > 0.0, np.inf, 0.0)
        ratios = (np.divide(sizes, by, out=nothing.copy(), where=by > 0.0) for by in measures)
        return min(float(np.max(ratio)) for ratio in ratios), self.largest(y)

    def field(self, y: np.ndarray) -> np.ndarray:
        """Return F, (n,)."""
        return self.entries(y)[0]

    def solver(self, y: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray] | None]:
        """Return F and a function that solves with the state Jacobian; None where they are not finite.

        Rows of large matrices are not compared in units: `unit` is for the compiled problem, which has this face too.
        """
        f, values, _ = self.entries(y)
        if not (np.all(np.isfinite(f)) and np.all(np.isfinite(values))):
            return f, None
        return f, self.structure.factor(values).solve

    def beside(self, y: np.ndarray, row: np.ndarray, unit: np.ndarray) -> np.ndarray | None:
        """Return the Newton step from `y` normal to `row`; None where it is not finite. See `solver` for `unit`."""
        f, values, slope = self.entries(y)
        if not (np.all(np.isfinite(f)) and np.all(np.isfinite(values)) and np.all(np.isfinite(slope))):
            return None
        step = Bordered(self.structure.factor(values), slope, row[:-1], row[-1]).solve(np.append(-f, 0.0))
        return step if np.all(np.isfinite(step)) else None

    def slide(
        self, y: np.ndarray, row: np.ndarray, unit: np.ndarray, reach: float = math.inf, accuracy: float = 1e-10
    ) -> np.ndarray | None:
        """Return the point of the curve that Newton's method finds from `y` in the plane normal to `row`."""
        at = y
        for _ in range(ACROSS):
            step = self.beside(self.region.clip(at), row, unit)
            if step is None:
                return None
            at = at + step
            if not np.linalg.norm((at - y) / unit) < reach:
                return None
            if np.max(np.abs(step) / unit) < accuracy:
                return at
        return None

    def descend(self, y: np.ndarray, iterations: int) -> tuple[np.ndarray, int, np.ndarray]:
        """Return that nothing was done: only dense matrices are compiled."""
        return y, SINGULAR, np.abs(y[:-1])

    def tangent(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return a tangent of the curve, of unit length in units of `scale`, with the parameter increasing."""
        _, values, slope = self.entries(y)
        factors = self.structure.factor(values)
        row = np.append(np.full(self.n, 1e-3 / np.sqrt(self.n)), 1.0) / scale
        for _ in range(3):
            t = Bordered(factors, slope, row[:-1], row[-1]).solve(np.append(np.zeros(self.n), 1.0))
            t /= np.linalg.norm(t / scale)
            row = t / scale**2
        return t if t[-1] >= 0.0 else -t

    def eigenvalues(self, y: np.ndarray) -> np.ndarray:
        """Return the eigenvalues kept with a point, by descending real part."""
        if not self.stability:
            return np.empty(0, complex)
        _, values, _ = self.entries(y)
        return self.spectrum(values).values[: self._kept]

    def sized_eigenvalues(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        """Return what `eigenvalues` does, and the largest entry of the derivative of F in absolute value."""
        return self.eigenvalues(y), self.largest(y)

    def spectrum(self, values: np.ndarray) -> Rightmost:
        """Return the rightmost eigenvalues of the Jacobian with these entries."""
        found = rightmost(self._square(values), self.structure, values, self._kept)
        unstable = int(np.sum(found.values.real > 0.0))
        self._incomplete += not found.complete or self._kept <= unstable < self.n
        return found

    @functools.cached_property
    def _jet(self) -> Callable[[], None]:
        self._direction = np.zeros_like(self._values)
        self._point, self._step = np.empty(self.n + 1), np.empty(self.n + 1)
        self._derivatives = np.empty((3, self.n))
        return _call(self.system.native.jet, self._point, self._values, self._step, self._direction, self._derivatives)

    def jets(self, y: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return the first three derivatives of F(y + e v) by e at e = 0 for every row v of `steps`, shape (k, 3, n).

        A row may leave out the parameter, which then stays.
        """
        call, width = self._jet, steps.shape[1]
        self._point[:] = y
        self._values[self.parameter] = self._point[self.n]
        out = np.empty((len(steps), 3, self.n))
        for k in range(len(steps)):
            self._step[:width] = steps[k]
            self._direction[self.parameter] = self._step[self.n] if width > self.n else 0.0
            call()
            out[k] = self._derivatives
        self._check()
        return out

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

    def examine(self, y: np.ndarray, unit: np.ndarray, kind: int) -> tuple[float, float, float, float]:
        """Return what `judged` does, and at a fold a and |J q|, at a Hopf point omega and l1."""
        judged = self.judged(y, unit)
        if kind == layout.FOLD:
            q = self.null_vectors(y)[0]
            gap = float(np.linalg.norm(self._square(self.entries(y)[1]) @ q))
            return *judged, sparse_normal_forms.fold_coefficient(self, y), gap
        return *judged, *(sparse_normal_forms.first_lyapunov(self, y) if kind == layout.PAIR else (math.nan, math.nan))

    def null_vectors(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return unit vectors q, p with J q = 0 and J' p = 0 at a fold."""
        _, values, _ = self.entries(y)
        return _null_vectors(self.structure.factor(values), self.n, float)[:2]

    def hopf_vectors(self, y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return omega and unit q with J q = i omega q, and p with J' p = -i omega p, at a Hopf point."""
        _, values, _ = self.entries(y)
        spectrum = self.spectrum(values).values
        near = spectrum[np.argmin(np.where(spectrum.imag > 0.0, np.abs(spectrum.real), np.inf))]
        at = complex(0.0, near.imag)
        for _ in range(3):
            q, p, gap = _null_vectors(self.structure.factor(values, at), self.n, complex)
            at = at + gap
        return float(at.imag), q, p.conj()

    def solve_shifted(self, y: np.ndarray, shift: complex, rhs: np.ndarray) -> np.ndarray:
        """Return the solution x of (J - shift) x = rhs."""
        _, values, _ = self.entries(y)
        return self.structure.factor(values, shift).solve(rhs)

    def refine(
        self, guess: np.ndarray, scale: np.ndarray, box: tuple[np.ndarray, np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Find the branch point near `guess`."""
        return sparse_branch_point.refine(self, guess, scale, box)

    def directions(self, y: np.ndarray, left: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
        """Return the unit tangents, in scaled unknowns, of the branches through a branch point."""
        return sparse_branch_point.directions(self, y, left, scale)

    def check_regular(self, y: np.ndarray) -> None:
        """Raise InputError where a sum of states is conserved, so that the Jacobian is singular everywhere.

        Such a sum p has p'J = 0 at every point, so the null vector of one point is tried at another.
        """
        super().check_regular(y)
        _, values, _ = self.entries(y)
        if not np.all(np.isfinite(values)):
            return
        _, p, _ = _null_vectors(self.structure.factor(values), self.n, float)
        size = np.max(np.abs(y[:-1])) or 1.0
        shift = 0.1 * np.random.default_rng(1).random(self.n) * size
        other = self.entries(self.region.clip(np.append(y[:-1] + shift, y[-1])))[1]
        for entries in (values, other):
            terms = entries * p[self.rows]
            column = np.abs(np.bincount(self.cols, terms, self.n))
            if not np.max(column) < CONSERVED * np.max(np.abs(terms)):
                return
        raise InputError(
            f"a weighted sum of the {self.n} states is conserved, so every Jacobian is singular; in systems this large "
            "it is not divided out: replace one state by the sum minus the others"
        )

    def curve(self, events: Events | None = None) -> Curve:
        """Return the curve for the march."""
        return _Sparse(self, events).curve(self.kept, len(events.names) if events else 0, EVENTS)

    def notes(self) -> list[str]:
        """Say what a reader of the diagram must know about how it was computed."""
        said = super().notes()
        if self._incomplete:
            said.append(
                f"At {self._incomplete} evaluations the {self._kept} eigenvalues kept may not include all unstable "
                "ones: there the numbers of unstable eigenvalues are lower bounds, and Hopf points may be missed."
            )
        return said

    def _square(self, values: np.ndarray) -> csr_array:
        from scipy.sparse import csr_array

        return csr_array((values, (self.rows, self.cols)), shape=(self.n, self.n))

    @property
    def kept(self) -> int:
        """The number of eigenvalues kept with a point."""
        return self._kept if self.stability else 0


def _null_vectors(factors: Solver, n: int, dtype: type) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return right and left null vectors of a matrix that is nearly singular, and the eigenvalue next to zero.

    Inverse iteration with borders, which are replaced by the vectors found. The left one is of the transpose, not
    conjugated. (Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, 3.3.)
    """
    random = np.random.default_rng(1)
    column: np.ndarray = random.normal(size=n).astype(dtype)
    row: np.ndarray = random.normal(size=n).astype(dtype)
    last: np.ndarray = np.zeros(n + 1, dtype)
    last[n] = 1.0
    for _ in range(4):
        matrix = Bordered(factors, column, row)
        right, left = matrix.solve(last), matrix.solve(last, transposed=True)
        q, p = right[:n] / np.linalg.norm(right[:n]), left[:n] / np.linalg.norm(left[:n])
        # A q = -column * s: the eigenvalue nearest to zero is p'A q / p'q
        gap = -(p @ column) * right[n] / np.linalg.norm(right[:n]) / (p @ q)
        column, row = p.conj(), q.conj()
    return q, p, gap


def _call(address: int, *arrays: np.ndarray) -> Callable[[], None]:
    """Return a compiled function bound to arrays, whose addresses are looked up once."""
    function = ctypes.CFUNCTYPE(None, *[_ADDRESS] * len(arrays))(address)
    return functools.partial(function, *(array.ctypes.data for array in arrays))


class _Sparse(Callbacks):
    """The functions of a sparse curve."""

    def __init__(self, problem: SparseProblem, events: Events | None) -> None:
        super().__init__(problem.n + 1)
        self.problem, self.events = problem, events
        self.matrix: Bordered | None = None
        self.values = np.empty(0)

    def newton(self, y: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, float] | int:
        f, values, slope = self.problem.entries(y)
        if not (np.all(np.isfinite(f)) and np.all(np.isfinite(values)) and np.all(np.isfinite(slope))):
            return NOT_FINITE
        self.values = values
        self.matrix = Bordered(self.problem.structure.factor(values), slope, row[:-1].copy(), float(row[-1]))
        return self.matrix.solve(np.append(-f, 0.0)), float(self.matrix.sign)

    def solved(self, rhs: np.ndarray) -> np.ndarray:
        assert self.matrix is not None
        return self.matrix.solve(rhs)

    def eigenvalues(self) -> np.ndarray:
        return np.asarray(self.problem.spectrum(self.values).values[: self.problem.kept])

    def tests(self, y: np.ndarray, tangent: np.ndarray) -> np.ndarray:
        assert self.events is not None
        parameters, values = self.problem.parameters(float(y[-1])), np.empty(len(self.events.names))
        call = ctypes.CFUNCTYPE(None, *[_ADDRESS] * 3)(self.events.native.f)
        call(y.ctypes.data, parameters.ctypes.data, values.ctypes.data)
        return values

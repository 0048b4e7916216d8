"""The compiled right-hand side and Jacobian of a system as integrators call them: at fixed parameter values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bifrncrn.compile import rows
from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.models.maps import require_flow
from bifrncrn.models.system import System


class Field:
    """The vector field of a system at its parameter values, with buffers so that a call costs two microseconds.

    It is the model's own field everywhere. Only where that is not finite beyond a bound of the system (the root of a
    concentration that an integrator's error made negative) its value at the bound stands in for it. Whoever
    integrates keeps to the bounds: see `outward`. Not to be shared between threads.

    Parameters
    ----------
    system : System
    backward : bool
        Whether time runs backwards: the field and its Jacobian change their signs.

    Attributes
    ----------
    values : (m,) array
        The parameter values.
    sign : int
        The direction of time, 1 or -1.
    check : callable
        Raises what a model that is a Python function has raised.
    """

    def __init__(self, system: System, backward: bool = False) -> None:
        require_flow(system, "integration in time")
        self.n = n = len(system.variables)
        self.lower = system.lower
        self.system = system
        self._bounded = bool(np.isfinite(self.lower).any())
        self.sign = -1 if backward else 1
        self.values = np.array(system.values, dtype=float)
        self._x, self._f, self._rate = np.empty(n), np.empty(n), np.empty(n)
        self._still = np.zeros(len(system.parameters))
        self._dense = n <= DENSE_LIMIT
        self._pattern = None if self._dense else (system.native.rows, system.native.cols)
        self._entries = np.zeros(n * n if self._pattern is None else self._pattern[0].size)
        self.check = system.native.check
        self._call_f = system.native.function("f")
        self._f_arguments = [_address(array) for array in (self._x, self.values, self._f)]
        self._call_both = system.native.function("linearize" if self._dense else "sparse")
        self._matrix = np.zeros((n, n))
        where = self._matrix if self._dense else self._entries
        self._both_arguments = [_address(a) for a in (self._x, self.values, self._still, self._f, where, self._rate)]

    def at(self, values: np.ndarray) -> None:
        """Take other parameter values (m,)."""
        self.values[:] = values

    def rhs(self, _time: float, x: np.ndarray) -> np.ndarray:
        """Return f(x), a new (n,) array."""
        self._evaluate(self._call_f, self._f_arguments, x)
        return self._f * self.sign

    def jacobian(self, _time: float, x: np.ndarray) -> np.ndarray:
        """Return df/dx, a new (n, n) array."""
        return self.both(x)[1].copy()

    def both(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return f (n,) and df/dx (n, n) at x, in arrays that the next call overwrites."""
        self._evaluate(self._call_both, self._both_arguments, x)
        if self._pattern is not None:
            self._matrix[self._pattern] = self._entries
        if self.sign < 0:
            return -self._f, -self._matrix
        return self._f, self._matrix

    def outward(self, x: np.ndarray, slack: np.ndarray | float) -> np.ndarray:
        """Say which states (n,) are below their bound by more than `slack` and driven on by the field at the bound."""
        below = x < self.lower - slack
        return below & (self.rhs(0.0, np.maximum(x, self.lower)) < 0) if below.any() else below

    def _evaluate(self, call: Callable[..., object], arguments: list[int], x: np.ndarray) -> None:
        self._x[:] = x
        call(*arguments)
        if self._bounded and not np.isfinite(self._f).all():
            np.maximum(x, self.lower, out=self._x)
            call(*arguments)
        self.check()

    def linearize(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return f (k, n) and df/dx (k, n, n) at points (k, n)."""
        x = np.array(points, dtype=float)
        f, matrices = self._linearized(x)
        if self._bounded:
            outside = ~np.isfinite(f).all(axis=1) & (x < self.lower).any(axis=1)
            if outside.any():
                f[outside], matrices[outside] = self._linearized(np.maximum(x[outside], self.lower))
        if self.sign < 0:
            np.negative(f, out=f)
            np.negative(matrices, out=matrices)
        return f, matrices

    def _linearized(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the model's own f and df/dx at points."""
        if self._dense:
            return rows.linearize(self.system.native, x, self.values)
        f, matrices = np.empty(x.shape), np.empty((*x.shape, self.n))
        for i, state in enumerate(x):
            self._x[:] = state
            self._call_both(*self._both_arguments)
            self._matrix[self._pattern] = self._entries
            f[i], matrices[i] = self._f, self._matrix
        self.check()
        return f, matrices

    def many(self, points: np.ndarray) -> np.ndarray:
        """Return f (k, n) at points (k, n)."""
        x = np.array(points, dtype=float).reshape(-1, self.n)
        f = rows.evaluate(self.system.native, x, self.values)
        if self._bounded:
            outside = ~np.isfinite(f).all(axis=1)
            if outside.any():
                f[outside] = rows.evaluate(self.system.native, np.maximum(x[outside], self.lower), self.values)
        return self.sign * f


def _address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]

"""The curve of equilibria f(x, p) = 0 of a system in one parameter, y = (x, p)."""

from __future__ import annotations

import ctypes

import numpy as np

from bifrncrn.compile.engine import engine
from bifrncrn.continuation.curve import Curve
from bifrncrn.curves.work import work_size
from bifrncrn.systems.events import Events
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
    """

    def __init__(self, system: System, parameter: int) -> None:
        self.system = system
        self.parameter = parameter
        self.n = len(system.variables)
        native = system.native
        self._values = np.array(system.values, dtype=float)
        self._unit = np.zeros_like(self._values)
        self._unit[parameter] = 1.0
        self._direction = np.zeros_like(self._values)
        self._linearize = ctypes.CFUNCTYPE(None, *[_ADDRESS] * 6)(native.linearize)
        self._jet = ctypes.CFUNCTYPE(None, *[_ADDRESS] * 5)(native.jet)
        self.evaluations = 0

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F, shape (n,), and its derivative by y, shape (n, n + 1)."""
        n = self.n
        point = np.ascontiguousarray(y, dtype=float)
        out = np.empty(n * (n + 2))
        base = out.ctypes.data
        self._values[self.parameter] = point[n]
        values = self._values.ctypes.data
        self._linearize(point.ctypes.data, values, self._unit.ctypes.data, base, base + 16 * n, base + 8 * n)
        self.evaluations += 1
        matrix = np.empty((n, n + 1))
        matrix[:, :n] = out[2 * n :].reshape(n, n)
        matrix[:, n] = out[n : 2 * n]
        return out[:n], matrix

    def jet(self, y: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the first three derivatives of F(y + e v) by e at e = 0, shape (3, n)."""
        point, step = np.ascontiguousarray(y, dtype=float), np.ascontiguousarray(v, dtype=float)
        out = np.empty((3, self.n))
        self._values[self.parameter] = point[self.n]
        self._direction[self.parameter] = step[self.n] if len(step) > self.n else 0.0
        data = (point.ctypes.data, self._values.ctypes.data, step.ctypes.data, self._direction.ctypes.data, out.ctypes.data)
        self._jet(*data)
        self.evaluations += 1
        return out

    def second(self, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the second derivative B(u, v), shape (n,), by polarisation of two jets.

        Both directions are brought to one length first, so that neither is lost in the other.
        """
        a, b = float(np.linalg.norm(u)), float(np.linalg.norm(v))
        if a == 0.0 or b == 0.0:
            return np.zeros(self.n)
        plus, minus = self.jet(y, u / a + v / b)[1], self.jet(y, u / a - v / b)[1]
        return (plus - minus) * (0.25 * a * b)

    def residual(self, y: np.ndarray) -> float:
        """Return the largest |F_i|, relative to the size of what it is made of (sum of |dF_i/dy_j y_j|, at least 1e-300)."""
        f, matrix = self.linearize(y)
        size = np.abs(matrix) @ np.abs(y) + np.abs(f) + 1e-300
        return float(np.max(np.abs(f) / size))


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
    )

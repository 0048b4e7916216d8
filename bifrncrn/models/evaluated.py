"""The right-hand side of a system and its derivatives at a point, for arrays of Python."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.models.named import Named
from bifrncrn.models.numbers import vector

if TYPE_CHECKING:
    from bifrncrn.compile.interface import ModelFunctions


class Evaluated(Named):
    """What has compiled functions, `native`, of its states and parameter values."""

    values: np.ndarray

    if TYPE_CHECKING:

        @property
        def native(self) -> ModelFunctions:
            """The compiled functions."""

    def rhs(self, x: Any, values: Any = None) -> np.ndarray:
        """Return f(x; p), (n,); `values` are the system's own by default. Not finite where f is not."""
        out = np.empty(len(self.variables))
        self._call("f", self._point(x), self._parameters(values), out)
        return out

    def rounding(self, x: Any, values: Any = None) -> np.ndarray:
        """Return bounds of the rounding errors in f(x; p), (n,), x and p being known to their last digit."""
        out = np.empty(len(self.variables))
        self._call("rounding", self._point(x), self._parameters(values), out)
        return np.finfo(float).eps * out

    def jacobian(self, x: Any, values: Any = None) -> np.ndarray:
        """Return df/dx, (n, n), dense."""
        n = len(self.variables)
        point, parameters, still = self._point(x), self._parameters(values), np.zeros(len(self.parameters))
        matrix, scratch = np.zeros((n, n)), np.empty((2, n))
        if n <= DENSE_LIMIT:  # not `J`: whoever needs a Jacobian needs `linearize` as well, so one is compiled
            self._call("linearize", point, parameters, still, scratch[0], matrix, scratch[1])
        else:
            native: Any = self.native
            entries = np.empty(native.rows.size)
            self._call("sparse", point, parameters, still, scratch[0], entries, scratch[1])
            matrix[native.rows, native.cols] = entries
        return matrix

    def derivatives(self, x: Any, values: Any, dx: Any, dp: Any) -> np.ndarray:
        """Return the first three derivatives by e of f(x + e dx; p + e dp) at e = 0, (3, n).

        Parameters
        ----------
        x, dx : (n,) arrays
        values, dp : (m,) arrays, or None for the system's own values and no change of them
        """
        out = np.empty((3, len(self.variables)))
        step = np.zeros(len(self.parameters)) if dp is None else vector(dp, len(self.parameters), "dp")
        self._call("jet", self._point(x), self._parameters(values), vector(dx, len(self.variables), "dx"), step, out)
        return out

    def _point(self, x: Any) -> np.ndarray:
        return vector(x, len(self.variables), "x")

    def _parameters(self, values: Any) -> np.ndarray:
        return self.values if values is None else vector(values, len(self.parameters), "values")

    @functools.cached_property
    def _functions(self) -> dict[str, Any]:
        return {}

    def _call(self, name: str, *arrays: np.ndarray) -> None:
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = self.native.function(name)
        function(*[array.__array_interface__["data"][0] for array in arrays])  # faster than array.ctypes

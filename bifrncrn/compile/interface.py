"""What stands behind a system: functions of states and parameters at addresses, compiled or called back."""

from __future__ import annotations

from typing import Any

DENSE_LIMIT = 200
"""Largest number of variables for which there is a dense Jacobian."""

ARGUMENTS = {
    "f": ("x", "p", "F"),
    "J": ("x", "p", "J"),
    "linearize": ("x", "p", "dp", "F", "J", "Fp"),
    "jet": ("x", "p", "dx", "dp", "out"),
    "sparse": ("x", "p", "dp", "F", "V", "Fp"),
    "rounding": ("x", "p", "E"),
}


class ModelFunctions:
    """The functions of a model with n variables and m parameters, as addresses.

    Every function is `void name(double* ...)`; arrays are contiguous doubles, and the outputs must not overlap the
    inputs. `NativeModel` compiles them from formulas, `FunctionModel` calls a Python function.

    Attributes
    ----------
    n, m : int
    rows, cols : (nnz,) int32 arrays
        Of every structural nonzero of the Jacobian, row by row.
    """

    n: int
    m: int

    @property
    def f(self) -> int:
        """Address of `f(x, p, F)`: the right-hand side, F[n]."""
        return self._address("f")

    @property
    def J(self) -> int:
        """Address of `J(x, p, J)`: the Jacobian, row by row, J[n*n]; 0 when n is larger than 200."""
        return self._address("J") if self.n <= DENSE_LIMIT else 0

    @property
    def linearize(self) -> int:
        """Address of `linearize(x, p, dp, F, J, Fp)`: F[n], J[n*n] and Fp[n] = (df/dp) dp in one pass; 0 as for `J`."""
        return self._address("linearize") if self.n <= DENSE_LIMIT else 0

    @property
    def jet(self) -> int:
        """Address of `jet(x, p, dx, dp, out)`.

        out[3n] receives the first three derivatives by e of f(x + e dx, p + e dp) at e = 0.
        """
        return self._address("jet")

    @property
    def sparse(self) -> int:
        """Address of `sparse(x, p, dp, F, V, Fp)`: as `linearize`, V[nnz] being the Jacobian at (`rows`, `cols`)."""
        return self._address("sparse")

    @property
    def rounding(self) -> int:
        """Address of `rounding(x, p, E)`: bounds of the rounding errors in F, in units of that of the number one."""
        return self._address("rounding")

    def function(self, name: str) -> Any:
        """Return a function as a ctypes object that takes pointers, in the order of ARGUMENTS."""
        raise NotImplementedError

    def check(self) -> None:
        """Do nothing: compiled functions raise nothing that would have to be raised later."""

    def _address(self, name: str) -> int:
        raise NotImplementedError

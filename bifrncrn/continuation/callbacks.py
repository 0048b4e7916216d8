"""Curves whose functions are Python: the compiled march calls them back."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping

import numpy as np

from bifrncrn.compile.carried import Carried, view
from bifrncrn.continuation.curve import Curve

_I64 = ctypes.c_int64
_ARGUMENTS = {"newton_step": 5, "solve_again": 2, "spectrum": 4, "user_tests": 4}
"""How many numbers each function of a `Curve` is called with."""
NOT_FINITE, SINGULAR = 1, 2
"""What a Newton step returns where there is none."""


class Callbacks:
    """What stands behind the addresses of a curve in Python. An exception ends the march, which then raises it.

    Attributes
    ----------
    size : int
        The number of unknowns.
    carried : Carried
        What was raised.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.carried = Carried()

    def newton(self, y: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, float] | int:
        """Return the solution of [F_y; row] step = [-F(y); 0] and the sign of the determinant, or why there is none."""
        raise NotImplementedError

    def solved(self, rhs: np.ndarray) -> np.ndarray:
        """Return the solution with the same matrix again."""
        raise NotImplementedError

    def eigenvalues(self) -> np.ndarray:
        """Return the eigenvalues at the same point, by descending real part."""
        raise NotImplementedError

    def tests(self, y: np.ndarray, tangent: np.ndarray) -> np.ndarray:
        """Return the test functions at a point."""
        raise NotImplementedError

    def newton_step(self, context: int, y: int, row: int, step: int, info: int) -> int:
        """See `bifrncrn.continuation.curve.Curve`."""
        if self.carried.error is not None:
            return NOT_FINITE
        with self.carried:
            found = self.newton(self._vector(y), self._vector(row))
            if isinstance(found, int):
                return found
            self._vector(step)[:], ctypes.c_double.from_address(info).value = found
            return 0
        return NOT_FINITE

    def solve_again(self, context: int, rhs: int) -> int:
        """See `bifrncrn.continuation.curve.Curve`."""
        with self.carried:
            vector = self._vector(rhs)
            vector[:] = self.solved(vector.copy())
        return 0

    def spectrum(self, context: int, reals: int, imags: int, unused: int) -> int:
        """See `bifrncrn.continuation.curve.Curve`."""
        with self.carried:
            found = self.eigenvalues()
            view(reals, len(found))[:] = found.real
            view(imags, len(found))[:] = found.imag
        return 0

    def user_tests(self, context: int, y: int, tangent: int, values: int) -> int:
        """See `bifrncrn.continuation.curve.Curve`."""
        with self.carried:
            found = self.tests(self._vector(y), self._vector(tangent))
            view(values, len(found))[:] = found
        return 0

    def curve(
        self, spectra: int, tests: int, events: Mapping[int, str], labels: tuple[str, ...] = (), turns: bool = True
    ) -> Curve:
        """Return the curve; it keeps these callbacks alive."""
        functions = {
            name: ctypes.CFUNCTYPE(_I64, *[_I64] * count)(getattr(self, name)) for name, count in _ARGUMENTS.items()
        }
        address = {name: ctypes.cast(function, ctypes.c_void_p).value or 0 for name, function in functions.items()}
        return Curve(
            size=self.size,
            spectra=spectra,
            tests=tests,
            newton_step=address["newton_step"],
            solve_again=address["solve_again"],
            spectrum=address["spectrum"] if spectra else 0,
            user_tests=address["user_tests"] if tests else 0,
            context=0,
            keep=(self, functions),
            check=self.carried.check,
            turns=turns,
            events=events,
            labels=labels,
        )

    def _vector(self, address: int) -> np.ndarray:
        return view(address, self.size)

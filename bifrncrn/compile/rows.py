"""The functions of a model at many states in one call."""

from __future__ import annotations

import numpy as np

from bifrncrn.compile.engine import Kernels
from bifrncrn.compile.interface import ModelFunctions

ROWS = Kernels("rows", {"bifrncrn.compile.rows_kernels": {"evaluate_rows": 6, "linearize_rows": 9}})


def evaluate(native: ModelFunctions, points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return f (k, n) at states (k, n) and parameter values (m,)."""
    x, p = _doubles(points), _doubles(values)
    f = np.empty_like(x)
    ROWS.engine.call["evaluate_rows"](native.f, _at(x), _at(p), _at(f), native.n, len(x))
    native.check()
    return f


def linearize(native: ModelFunctions, points: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return f (k, n) and df/dx (k, n, n) at states (k, n) and parameter values (m,); the Jacobian must be dense."""
    x, p = _doubles(points), _doubles(values)
    f, jacobian = np.empty_like(x), np.empty((len(x), native.n, native.n))
    still, slope = np.zeros_like(p), np.empty(native.n)
    ROWS.engine.call["linearize_rows"](
        native.linearize, _at(x), _at(p), _at(still), _at(f), _at(jacobian), _at(slope), native.n, len(x)
    )
    native.check()
    return f, jacobian


def _doubles(numbers: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(numbers, dtype=float)


def _at(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address

"""Piecewise linear recurrent networks as maps: their equations, with every weight a parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.system import System
from bifrncrn.models.words import shorten


def plrnn(A: Any, W: Any, h: Any, title: str = "") -> System:
    """Return the map z -> A z + W relu(z) + h; see `System.plrnn`."""
    a = _diagonal(A)
    n = len(a)
    weights, shift = _array("W", W, (n, n)), _array("h", h, (n,))
    variables = [f"z{i + 1}" for i in range(n)]
    parameters = _named("A", a) | _named("W", weights) | _named("h", shift)
    definitions = {f"u{i + 1}": f"max(z{i + 1}, 0)" for i in range(n)}
    equations = {
        name: " + ".join([f"A{i + 1}*{name}", *(f"W{i + 1}_{j + 1}*u{j + 1}" for j in range(n)), f"h{i + 1}"])
        for i, name in enumerate(variables)
    }
    return System.from_map(equations, parameters, dict.fromkeys(variables, 0.0), definitions, title=title)


def shplrnn(A: Any, W1: Any, W2: Any, h1: Any, h2: Any, title: str = "") -> System:
    """Return the map z -> A z + W1 relu(W2 z + h2) + h1; see `System.shplrnn`."""
    a = _diagonal(A)
    n = len(a)
    inner = _array("h2", h2, (None,))
    count = len(inner)
    outer, within, shift = _array("W1", W1, (n, count)), _array("W2", W2, (count, n)), _array("h1", h1, (n,))
    variables = [f"z{i + 1}" for i in range(n)]
    parameters = _named("A", a) | _named("W1_", outer) | _named("W2_", within)
    parameters |= _named("h1_", shift) | _named("h2_", inner)
    definitions = {
        f"u{j + 1}": "max(" + " + ".join([*(f"W2_{j + 1}_{i + 1}*z{i + 1}" for i in range(n)), f"h2_{j + 1}"]) + ", 0)"
        for j in range(count)
    }
    equations = {
        name: " + ".join([f"A{i + 1}*{name}", *(f"W1_{i + 1}_{j + 1}*u{j + 1}" for j in range(count)), f"h1_{i + 1}"])
        for i, name in enumerate(variables)
    }
    return System.from_map(equations, parameters, dict.fromkeys(variables, 0.0), definitions, title=title)


def _named(name: str, values: np.ndarray) -> dict[str, float]:
    """Return the entries of an array by names that hold their indices, from 1."""
    return {name + "_".join(str(i + 1) for i in index): float(value) for index, value in np.ndenumerate(values)}


def _diagonal(A: Any) -> np.ndarray:
    """Return the diagonal of A, which is given as such or as a diagonal matrix."""
    a = _array("A", A, None)
    if a.ndim == 2 and a.shape[0] == a.shape[1] and not np.any(a - np.diag(np.diag(a))):
        a = np.diag(a)
    if a.ndim != 1 or not len(a):
        raise InputError(f"A must be the diagonal of a matrix, n numbers, not an array of shape {a.shape}")
    return a


def _array(name: str, value: Any, shape: tuple[int | None, ...] | None) -> np.ndarray:
    try:
        array = np.array(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be an array of numbers, not {shorten(repr(value))}") from None
    if shape is not None and (
        array.ndim != len(shape) or any(want not in (None, got) for want, got in zip(shape, array.shape, strict=True))
    ):
        wanted = "of shape " + " x ".join(map(str, shape)) if None not in shape else "a list of numbers"
        raise InputError(f"{name} must be {wanted}, to go with the other arrays, not of shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{name} must be finite numbers; it holds {array[~np.isfinite(array)][0]}")
    return array

"""Checks shared by everything that reads or builds a network."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bifrncrn.base.errors import InputError

Array = NDArray[np.float64]


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the name of a file in front of messages about what it holds."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def require_kind(value: Any, kind: type | tuple[type, ...], what: str) -> None:
    """Raise InputError unless a value is of a kind, which is called `what`."""
    if not isinstance(value, kind):
        hint = ""
        if isinstance(value, str):
            hint = "; a model file or library name becomes a system by bf.load_model(...)" if "system" in what else ""
        raise InputError(f"{value!r:.60} is not {what}, but {_a(type(value).__name__)}; give {what}{hint}")


def as_mapping(value: Any, what: str) -> dict[str, Any]:
    """Return a mapping from names as a dictionary, empty for None; `what` is for instance 'a start such as {...}'."""
    if value is None:
        return {}
    require_kind(value, Mapping, what)
    for name in value:
        if not isinstance(name, str):
            raise InputError(f"{name!r:.60} is not a name, but {_a(type(name).__name__)}; give {what}")
    return dict(value)


def as_sides(value: Any, what: str) -> dict[str, tuple[float, float]]:
    """Return a mapping from names to two numbers each, which may be infinite, as a dictionary; empty for None."""
    out = {}
    for name, side in as_mapping(value, f'{what} such as {{"x": (0, 1)}}').items():
        try:
            low, high = (float(end) for end in side)
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"{what} gives {name} {side!r:.60}; give two numbers, the smaller first") from None
        out[name] = (low, high)
    return out


def as_texts(value: Any, what: str) -> tuple[str, ...]:
    """Return a list of texts as a tuple; `what` is for instance 'events'."""
    if isinstance(value, str):
        raise InputError(f"{what} must be a list of texts, not the text {value!r:.60}; write [{value!r:.60}]")
    found = tuple(value) if isinstance(value, (tuple, list, Iterable)) else (None,)
    if not all(isinstance(text, str) for text in found):
        raise InputError(f"{what} must be a list of texts, not {value!r:.60}")
    return found


def file_name(value: Any) -> str:
    """Return the name of a file as text, or say that it is none."""
    require_kind(value, (str, os.PathLike), "the name of a file")
    return os.fspath(value)


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def number(name: str, value: Any) -> float:
    """Return `value` as a finite float, or say that `name` is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(f"{name} is {value!r:.60}, which is not a number; give a finite number")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        raise InputError(f"{name} is {value!r:.60}, which is not finite; give a finite number")
    return result


def whole(name: str, value: Any, least: int = 1) -> int:
    """Return `value` as an integer of at least `least`, or say that `name` is none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(
            f"{name} is {value!r:.60}; give a whole number {f'above {least - 1}' if least else 'from 0 on'}"
        )
    return int(value)


def concentrations(name: str, values: Sequence[float]) -> tuple[float, ...]:
    """Return `values` as finite floats that are not negative."""
    try:
        found = tuple(number(name, value) for value in values)
    except TypeError as error:
        raise InputError(f"{name} is {values!r:.60}; give a tuple of numbers") from error
    if min(found, default=0.0) < 0:
        raise InputError(f"{name} is {found!r:.60}, but concentrations must not be negative; shift them up")
    return found


def array(name: str, value: ArrayLike, dimensions: int) -> Array:
    """Return `value` as a new read-only float64 array of finite numbers with `dimensions` axes."""
    try:
        raw = np.asarray(value)
    except ValueError as error:  # ragged lists
        raise InputError(f"{name} is not a rectangular array; give rows of equal length") from error
    if raw.size == 0 and raw.ndim == dimensions:
        raw = raw.astype(np.float64)
    if raw.dtype.kind not in "iuf":
        raise InputError(f"{name} holds {raw.dtype} entries; give an array of real numbers")
    if raw.ndim != dimensions:
        kind = {1: "one-dimensional", 2: "two-dimensional"}[dimensions]
        raise InputError(f"{name} has shape {raw.shape} but must be {kind}; reshape it")
    result = np.array(raw, dtype=np.float64)
    if not np.isfinite(result).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(result))[0])
        raise InputError(f"{name} holds {result[where]} at index {where}; every entry must be finite")
    result.setflags(write=False)
    return result


def numbers(name: str, value: ArrayLike) -> Array:
    """Return `value`, a number or rows of numbers of equal length, as an array of floats."""
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} is {value!r:.60}; give numbers, in rows of equal length") from None


def shaped(name: str, value: ArrayLike, shape: Sequence[int], reason: str) -> Array:
    """Return `value` as a read-only array of exactly `shape`; a single number fills a vector.

    `reason` ends the message when the shape is another, for instance ``"to agree with alpha of shape (2, 5)"``.
    """
    if len(shape) == 1 and np.ndim(value) == 0:
        value = np.full(shape, number(name, value.item() if isinstance(value, np.ndarray) else value))
    result = array(name, value, len(shape))
    if result.shape != tuple(shape):
        raise InputError(f"{name} has shape {result.shape} but must have shape {tuple(shape)} {reason}")
    return result


def require_positive(name: str, values: Array, zero_allowed: bool = False) -> None:
    """Refuse an entry that is negative (or zero, unless `zero_allowed`), naming its index and value."""
    bad = values < 0 if zero_allowed else values <= 0
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        index = ", ".join(str(i) for i in where)
        rule = "must not be negative" if zero_allowed else "must be positive"
        raise InputError(f"{name}[{index}] is {float(values[where])!r} but every entry of {name} {rule}")


def time_scale(name: str, value: Any) -> float:
    """Return a positive finite time-scale."""
    result = number(name, value)
    if result <= 0:
        raise InputError(f"{name} is {result!r} but a time-scale must be positive; try 0.01")
    return result


def quasi_static(z: Array, gamma: Array | float, tau: Array | float) -> Array:
    """Return the positive root of ``gamma + y*z - tau*y**2 = 0`` without cancellation.

    Examples
    --------
    >>> quasi_static(np.array([0.0, -1e9]), 1.0, 1.0).tolist()
    [1.0, 1e-09]
    """
    root = np.hypot(z, 2.0 * np.sqrt(gamma) * np.sqrt(tau))
    far = root + np.abs(z)
    return np.where(z >= 0, far / (2.0 * np.asarray(tau)), 2.0 * np.asarray(gamma) / far)

"""Numbers that a user gives for a system: whole arrays, or a few of them by name."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.expressions import parse_number
from bifrncrn.models.words import shorten


def vector(values: Any, size: int, what: str) -> np.ndarray:
    """Return `size` numbers as an array, or say that `what` is something else."""
    try:
        array = np.ascontiguousarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        shown = shorten(repr(values))
        raise InputError(f"{what} must be an array of {size} numbers, not {shown}") from None
    if array.shape != (size,):
        raise InputError(f"{what} must be an array of {size} numbers, not of shape {array.shape}")
    return array


def changed_numbers(old: np.ndarray, new: Any, index: Callable[[str], int], what: str) -> np.ndarray:
    """Return an array with other numbers: all of them, those that a mapping names (`index` gives places), or none."""
    if new is None:
        return old
    array = old.copy()
    if isinstance(new, Mapping):
        for name, value in new.items():
            array[index(name)] = parse_number(value, f"{what} '{name}'")
    else:
        array[:] = vector(new, old.size, f"{what.split()[0]} values")
        if not np.isfinite(array).all():
            shown = shorten(repr(new))
            raise InputError(f"{what.split()[0]} values must be finite, not {shown}")
    array.setflags(write=False)
    return array

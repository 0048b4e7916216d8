"""Arrays as results hold them."""

from typing import Any

import numpy as np


def frozen(values: Any, dtype: Any = float) -> np.ndarray:
    """Return a read-only array of `values`."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def own(array: np.ndarray) -> np.ndarray:
    """Return an array that nobody else holds, made read-only as it is."""
    array.setflags(write=False)
    return array


NO_NUMBERS = frozen([], complex)
"""No complex numbers."""

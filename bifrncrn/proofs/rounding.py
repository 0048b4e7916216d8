"""Interval arithmetic on arrays, rounded outward.

`down` and `up` step beyond the neighbouring double (see `bifrncrn.compile.interval_code`). Matrix products are bounded
from their midpoints and radii instead: a sum of t products in floating point, in any order, misses the true one by at
most t u / (1 - t u) times the sum of the products' sizes, plus what underflows (Higham, Accuracy and Stability of
Numerical Algorithms, 3.1). nan is what nothing is known about, and it spreads.
"""

from __future__ import annotations

import numpy as np

from bifrncrn.base.errors import ConvergenceError
from bifrncrn.compile.interval_code import ETA, PHI

UNDERFLOW = 1e-290
"""More than all underflow in a sum of 10^6 products can amount to."""


def check_arithmetic() -> None:
    """Refuse to prove anything on a processor that flushes small numbers to zero, or does not round to nearest.

    Some compiled libraries switch to flushing when they are loaded, for the whole process.
    """
    tiny = np.array([5e-324, 2.0**-1022])
    flushed = tiny[0] * 1.0 == 0.0 or tiny[1] * 0.5 == 0.0
    nearest = np.array([1.0]) + 2.0**-53 == 1.0 and np.array([-1.0]) - 2.0**-53 == -1.0
    nearest = nearest and np.array([1.0]) + 1.5 * 2.0**-53 == 1.0 + 2.0**-52
    if flushed or not nearest:
        raise ConvergenceError(
            "nothing can be proved in this process: its floating-point arithmetic does not follow IEEE 754 (a library "
            "has switched the processor to another mode); start a fresh one"
        )


def down(a: np.ndarray) -> np.ndarray:
    """Return doubles below a, elementwise."""
    return a - (np.abs(a) * PHI + ETA)


def up(a: np.ndarray) -> np.ndarray:
    """Return doubles above a, elementwise."""
    return a + (np.abs(a) * PHI + ETA)


def above(total: np.ndarray, terms: int) -> np.ndarray:
    """Return a bound of a sum of `terms` products of numbers >= 0, given as floating point computed it."""
    return total * (1.0 + (terms + 4) * 2.0**-51) + UNDERFLOW


def around(values: np.ndarray, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of all numbers within a fraction of some, (m,) each."""
    reach = up(np.abs(values) * spread)
    return (down(values - reach), up(values + reach)) if spread else (values, values)


def midpoint(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return a number in each interval, near its middle."""
    return np.clip(0.5 * low + 0.5 * high, low, high)


def size(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the largest absolute value in each interval."""
    return np.maximum(np.abs(low), np.abs(high))


def radius(low: np.ndarray, high: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Return a bound of the distance from `middle` to any number of the interval."""
    return np.maximum(up(high - middle), up(middle - low))


def product(matrix: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return middle and radius of matrix @ interval, of shapes (..., a, b) and (..., b, c)."""
    middle = 0.5 * low + 0.5 * high
    spread = radius(low, high, middle)
    terms = matrix.shape[-1]
    sizes = np.abs(matrix)
    rounding = above(sizes @ np.abs(middle), terms) * ((terms + 2) * 2.0**-52)
    return matrix @ middle, above(above(sizes @ spread, terms) + rounding, 2)


def times(low: np.ndarray, high: np.ndarray, a_low: np.ndarray, a_high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the elementwise product of two intervals."""
    corners = (low * a_low, low * a_high, high * a_low, high * a_high)
    least = np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))
    most = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
    return down(least), up(most)


def total(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of intervals along the last axis."""
    below, over = low[..., 0], high[..., 0]
    for k in range(1, low.shape[-1]):
        below, over = down(below + low[..., k]), up(over + high[..., k])
    return below, over

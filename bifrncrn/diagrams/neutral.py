"""Points of branches at which nothing is unstable, but something neither grows nor decays: centres and their like."""

from __future__ import annotations

import numpy as np

IMAGINARY = 1e-13
"""A pair of eigenvalues is imaginary where its real part is below this part of its size: rounding may have made it
(as in the march's own count of unstable eigenvalues)."""
ON_CIRCLE = 1e-11
"""A multiplier of a map is on the unit circle where its modulus is this near to 1, relative to the largest."""

ONE_VALUE = 1e-10
"""Values of the parameter that differ by less than this part of them are one, and an eigenvalue is zero that is a
smaller part of the largest: more is no rounding."""
TOGETHER = 3
"""Fewer rows in a row are a crossing, with which one of the march's own steps may coincide but for rounding."""


def neutral_equilibria(eigenvalues: np.ndarray) -> np.ndarray:
    """Say of every row (k, n) of eigenvalues whether a pair is imaginary but for rounding."""
    pair = (eigenvalues.imag != 0.0) & (np.abs(eigenvalues.real) <= IMAGINARY * np.abs(eigenvalues))
    return in_runs(pair.any(axis=1), TOGETHER)


def is_continuum(values: np.ndarray, eigenvalues: np.ndarray) -> bool:
    """Say whether the parameter (k,) is the same along a branch, and an eigenvalue (k, n) is zero: that along it."""
    if len(values) < 2 or np.ptp(values) > ONE_VALUE * np.abs(values).max():
        return False
    sizes = np.abs(eigenvalues)
    return bool((sizes.min(axis=1) <= ONE_VALUE * sizes.max()).all())


def neutral_fixed_points(multipliers: np.ndarray) -> np.ndarray:
    """Say of every row (k, n) of multipliers of a map whether one is on the unit circle but for rounding."""
    return in_runs(np.asarray(on_circle(np.abs(multipliers)).any(axis=1)), TOGETHER)


def on_circle(moduli: np.ndarray) -> np.ndarray:
    """Say of moduli (k, n) of multipliers which are 1 but for rounding."""
    return np.asarray(np.abs(moduli - 1.0) <= ON_CIRCLE * moduli.max(axis=1, keepdims=True, initial=1.0))


def in_runs(marked: np.ndarray, least: int) -> np.ndarray:
    """Return the marks (k,) that stand in a row of at least so many.

    Examples
    --------
    >>> in_runs(np.array([True, False, True, True]), 2)
    array([False, False,  True,  True])
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(int), [0]])))
    out = np.zeros(len(marked), bool)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        out[first:last] = last - first >= least
    return out

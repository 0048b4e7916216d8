"""Points of branches at which nothing is unstable, but something neither grows nor decays: centres and their like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

IMAGINARY = 1e-13
"""A pair of eigenvalues is imaginary where its real part is below this part of its size: rounding may have made it
(as in the march's own count of unstable eigenvalues)."""
ON_CIRCLE = 1e-11
"""A multiplier of a map is on the unit circle where its modulus is this near to 1, relative to the largest."""

ONE_VALUE = 1e-10
"""Values of the parameter that differ by less than this part of its range are one, and an eigenvalue is zero that is a
smaller part of the largest: more is no rounding."""
CREEPING = 1e3
"""A multiplier that stays on the circle leaves it at once, to more than this multiple of what counts as on it; one that
comes to it where a branch goes to infinity was nearer the row before: steps there grow by a factor of ten at most."""
TOGETHER = 3
"""Fewer rows in a row are a crossing, with which one of the march's own steps may coincide but for rounding."""


def neutral_equilibria(eigenvalues: np.ndarray) -> np.ndarray:
    """Say of every row (k, n) of eigenvalues whether a pair is imaginary but for rounding."""
    pair = (eigenvalues.imag != 0.0) & (np.abs(eigenvalues.real) <= IMAGINARY * np.abs(eigenvalues))
    return in_runs(pair.any(axis=1), TOGETHER)


def is_one_value(values: np.ndarray, span: tuple[float, float]) -> bool:
    """Say whether the parameter (k,), of this range, is the same along several rows, but for rounding.

    Examples
    --------
    >>> is_one_value(np.array([1e-16, -2e-16]), (-1.0, 1.0)), is_one_value(np.array([1e-16, 1e-3]), (-1.0, 1.0))
    (True, False)
    """
    if len(values) < 2:
        return False
    rounding = float(np.spacing(np.abs(values).max()))  # more than the other where the range is narrow and far from 0
    return bool(np.ptp(values) <= max(ONE_VALUE * (span[1] - span[0]), 2.0 * rounding))


def is_continuum(values: np.ndarray, span: tuple[float, float], eigenvalues: np.ndarray) -> bool:
    """Say whether the parameter (k,) is the same along a branch, and an eigenvalue (k, n) is zero: that along it."""
    if not is_one_value(values, span):
        return False
    sizes = np.abs(eigenvalues)
    return bool((sizes.min(axis=1) <= ONE_VALUE * sizes.max()).all())


def neutral_fixed_points(moduli: np.ndarray, ended: Sequence[str]) -> np.ndarray:
    """Say of every row (k, n) of moduli of multipliers of a map whether one stays on the unit circle but for rounding.

    Towards an end where the branch grows without bound a multiplier may come as near to 1 as rounding tells, and so
    may one that touches the circle and turns back; both do so little by little. `ended` are the reasons why the branch
    ends at its first row and at its last.
    """
    gaps = (np.abs(moduli - 1.0) / moduli.max(axis=1, keepdims=True, initial=1.0)).min(axis=1, initial=np.inf)
    neutral = in_runs(gaps <= ON_CIRCLE, TOGETHER)
    for run in runs_of(neutral):
        beside = [gaps[row] for row in (run.start - 1, run.stop) if 0 <= row < len(gaps)]
        neutral[run] = len(beside) < 2 or max(beside) > CREEPING * ON_CIRCLE
    for reason, way in zip(ended, (1, -1), strict=False):
        from_end = neutral[::way]  # a view
        within = int(np.argmin(from_end))
        if reason == "infinity" and not from_end[within] and gaps[::way][within] <= CREEPING * ON_CIRCLE:
            from_end[:within] = False
    return neutral


def runs_of(marked: np.ndarray) -> list[slice]:
    """Return the runs of marks (k,) that stand in a row.

    Examples
    --------
    >>> runs_of(np.array([True, False, True, True]))
    [slice(0, 1, None), slice(2, 4, None)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(int), [0]])))
    return [slice(first, last) for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]


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
    out = np.zeros(len(marked), bool)
    for run in runs_of(marked):
        out[run] = run.stop - run.start >= least
    return out

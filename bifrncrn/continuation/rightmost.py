"""The rightmost eigenvalues of a large sparse matrix, with a check that no unstable one was missed.

Shift-and-invert finds the eigenvalues nearest to a point of the right half plane. All eigenvalues lie in the field of
values: right of nothing beyond the largest eigenvalue of the symmetric part, and no higher than the norm of the skew
part, both bounded by Gershgorin's discs. Where the disc that was searched covers what of this strip is unstable, the
count of unstable eigenvalues is complete. Without strong convection the bound does not grow with the grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.continuation.sparse import Structure

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FULL = 250
"""Up to this size all eigenvalues are computed by LAPACK (40 ms): which of them are rightmost need not be searched."""
DENSE = 0.1
"""So they are where more than this share of the entries is not zero: no search is faster there."""
STILL_FULL = 1000
"""The largest size for that, and where the search for the rightmost ones does not come to an end (1.5 s)."""
MOST = 64
"""Largest number of eigenvalues that is asked for in order to cover the strip."""


@dataclass(frozen=True, eq=False)
class Rightmost:
    """Eigenvalues by descending real part, and whether all unstable ones are known to be among them."""

    values: np.ndarray
    complete: bool


def all_of(structure: Structure) -> bool:
    """Say whether all eigenvalues of matrices of this structure are computed."""
    n = structure.n
    return n <= FULL or (n <= STILL_FULL and structure.nnz > DENSE * n * n)


def rightmost(matrix: csr_array, structure: Structure, entries: np.ndarray, count: int) -> Rightmost:
    """Return at least `count` eigenvalues of `matrix`, the most unstable ones.

    Parameters
    ----------
    matrix : (n, n) sparse array
    structure, entries
        The same matrix, prepared to be factored.
    count : int
    """
    n = structure.n
    if all_of(structure):
        return Rightmost(_sorted(np.linalg.eigvals(matrix.toarray())), True)
    real, imag = _strip(matrix)
    shift = max(1.01 * real, 0.1 * imag, 1e-6 * float(np.max(np.abs(entries))))
    need = float(np.hypot(shift, imag))
    solver = structure.factor(entries, shift)
    asked = min(count, n - 2)
    while True:
        found, all_found = _nearest(matrix, solver.solve, shift, asked, symmetric=imag == 0.0)
        complete = all_found and (real <= 0.0 or bool(np.max(np.abs(found - shift)) > need))
        if not complete and n <= STILL_FULL and (not all_found or asked >= MOST):
            return Rightmost(_sorted(np.linalg.eigvals(matrix.toarray())), True)
        if complete or not all_found or asked >= min(MOST, n - 2):
            return Rightmost(_sorted(found), complete)
        asked = min(2 * asked, MOST, n - 2)


def _strip(matrix: csr_array) -> tuple[float, float]:
    """Return bounds of the real parts and of the absolute imaginary parts of the eigenvalues."""
    even, odd = 0.5 * (matrix + matrix.T), 0.5 * (matrix - matrix.T)
    diagonal = even.diagonal()
    real = float(np.max(diagonal + abs(even).sum(axis=1) - np.abs(diagonal)))
    imag = float(np.max(abs(odd).sum(axis=1)))
    return real, imag if imag > 1e-14 * float(np.max(np.abs(matrix.data))) else 0.0


def _nearest(
    matrix: csr_array, solve: Callable[[np.ndarray], np.ndarray], shift: float, count: int, symmetric: bool
) -> tuple[np.ndarray, bool]:
    """Return the eigenvalues nearest to the shift, and whether all that were asked for were found."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs, eigsh

    n = matrix.shape[0]
    inverse = LinearOperator((n, n), matvec=lambda x: solve(x.ravel()), dtype=float)
    start = np.random.default_rng(1).normal(size=n)
    method = eigsh if symmetric else eigs
    try:
        found = method(matrix, count, sigma=shift, OPinv=inverse, v0=start, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        return np.append(error.eigenvalues, []).astype(complex), False
    return found.astype(complex), True


def _sorted(values: np.ndarray) -> np.ndarray:
    values = values.astype(complex)
    return values[np.lexsort((-values.imag, -values.real))]

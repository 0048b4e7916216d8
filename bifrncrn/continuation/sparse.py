"""Sparse linear algebra for large curves: one structure factored again and again, and bordered matrices.

The unknowns are put into an order of small bandwidth (reverse Cuthill-McKee). Where that makes a narrow band, LAPACK's
band solver is used; elsewhere SuperLU. A bordered matrix is solved by mixed block elimination, which stays accurate
where the block itself is singular, at a fold say (Govaerts & Pryce, BIT 30, 1990, and Govaerts, Numerical Methods for
Bifurcations of Dynamical Equilibria, 3.6).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

WIDEST_BAND = 100
"""Largest number of diagonals beside the main one for which the band solver is used."""
EPS = 2.220446049250313e-16


class Solver(Protocol):
    """A factored matrix."""

    sign: float

    def solve(self, rhs: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Return the solution for one right-hand side (of the transposed, not conjugated matrix)."""


class Structure:
    """The structure of a sparse n x n matrix, prepared for many factorisations.

    Parameters
    ----------
    rows, cols : (nnz,) int arrays
        Places of the entries, each at most once.
    n : int
    """

    def __init__(self, rows: np.ndarray, cols: np.ndarray, n: int) -> None:
        self.n = n
        self.nnz = len(rows)
        places = np.append(np.arange(n) * (n + 1), rows.astype(np.int64) * n + cols)
        kept, self._source = np.unique(places, return_inverse=True)
        row, col = kept // n, kept % n
        self._order = _narrow_order(row, col, n)
        rank = np.empty(n, np.int64)
        rank[self._order] = np.arange(n)
        row, col = rank[row], rank[col]
        self.lower, self.upper = int(np.max(row - col)), int(np.max(col - row))
        self.banded = self.lower + self.upper <= min(WIDEST_BAND, n)
        if self.banded:
            self._depth = 2 * self.lower + self.upper + 1
            where = col * self._depth + self.lower + self.upper + row - col
            self._diagonal = where[self._source[:n]]
        else:
            by_column = np.lexsort((row, col))
            where = np.empty(len(kept), np.int64)
            where[by_column] = np.arange(len(kept))
            self._indices = row[by_column].astype(np.int32)
            self._indptr = np.searchsorted(col[by_column], np.arange(n + 1)).astype(np.int32)
            self._diagonal = where[self._source[:n]]
        self._where = where[self._source[n:]]
        self._same = bool(np.all(self._order == np.arange(n)))

    def factor(self, values: np.ndarray, shift: complex = 0.0) -> Solver:
        """Factor the matrix with these entries minus `shift` times the identity; a zero pivot is made a tiny one."""
        dtype = complex if np.iscomplexobj(values) or isinstance(shift, complex) else float
        size = self._depth * self.n if self.banded else len(self._indices)
        data = np.zeros(size, dtype)
        data[self._where] = values
        if shift != 0.0:
            data[self._diagonal] -= shift
        inner: Solver
        if self.banded:
            inner = _Band(data.reshape(self._depth, self.n, order="F"), self.lower, self.upper)
        else:
            inner = _SuperLU(data, self._indices, self._indptr, self._diagonal)
        return inner if self._same else _Reordered(inner, self._order)


def _narrow_order(row: np.ndarray, col: np.ndarray, n: int) -> np.ndarray:
    """Return the order of the unknowns with the smaller bandwidth: as they are, or reverse Cuthill-McKee."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    graph = csr_array((np.ones(len(row), np.int8), (row, col)), shape=(n, n))
    order = reverse_cuthill_mckee(csr_array(graph + graph.T), symmetric_mode=True).astype(np.int64)
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    better = np.max(np.abs(rank[row] - rank[col])) < np.max(np.abs(row - col))
    return order if better else np.arange(n)


class _Reordered:
    """A factored matrix whose rows and columns were permuted alike (which leaves the determinant)."""

    def __init__(self, inner: Solver, order: np.ndarray) -> None:
        self._inner = inner
        self._order = order
        self.sign = inner.sign

    def solve(self, rhs: np.ndarray, transposed: bool = False) -> np.ndarray:
        out = np.empty(len(rhs), np.result_type(rhs, float))
        found = self._inner.solve(rhs[self._order], transposed)
        if np.iscomplexobj(found):
            out = out.astype(complex)
        out[self._order] = found
        return out


class _Band:
    """A band matrix factored by LAPACK."""

    def __init__(self, band: np.ndarray, lower: int, upper: int) -> None:
        from scipy.linalg import lapack

        prefix = "z" if np.iscomplexobj(band) else "d"
        self._solve = getattr(lapack, prefix + "gbtrs")
        self._lower, self._upper = lower, upper
        size = max(abs(float(band.real.max())), abs(float(band.real.min())), 1e-300)
        self._factors, self._pivots, info = getattr(lapack, prefix + "gbtrf")(band, lower, upper, overwrite_ab=1)
        diagonal = self._factors[lower + upper]
        if info > 0:
            diagonal[diagonal == 0.0] = EPS * size
        swaps = np.count_nonzero(self._pivots != np.arange(len(diagonal)))
        minus = 0 if prefix == "z" else np.count_nonzero(diagonal < 0.0)
        self.sign = -1.0 if (swaps + minus) % 2 else 1.0

    def solve(self, rhs: np.ndarray, transposed: bool = False) -> np.ndarray:
        found, _ = self._solve(self._factors, self._lower, self._upper, rhs, self._pivots, trans=int(transposed))
        return found


class _SuperLU:
    """A sparse matrix factored by SuperLU."""

    def __init__(self, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, diagonal: np.ndarray) -> None:
        from scipy.sparse import csc_array
        from scipy.sparse.linalg import splu

        n = len(indptr) - 1
        try:
            self._lu = splu(csc_array((data, indices, indptr), shape=(n, n)))
        except RuntimeError:  # exactly singular
            data[diagonal] += EPS * float(np.max(np.abs(data), initial=1e-300)) * np.linspace(1.0, 2.0, n)
            self._lu = splu(csc_array((data, indices, indptr), shape=(n, n)))
        self._complex = np.iscomplexobj(data)
        minus = 0 if self._complex else int(np.count_nonzero(self._lu.U.diagonal() < 0.0))
        swaps = _swaps(self._lu.perm_r) + _swaps(self._lu.perm_c)
        self.sign = -1.0 if (minus + swaps) % 2 else 1.0

    def solve(self, rhs: np.ndarray, transposed: bool = False) -> np.ndarray:
        if self._complex and not np.iscomplexobj(rhs):
            rhs = rhs.astype(complex)
        return self._lu.solve(rhs, trans="T" if transposed else "N")


def _swaps(permutation: np.ndarray) -> int:
    """Return how many transpositions make a permutation: its length minus the number of its cycles."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(permutation)
    graph = csr_array((np.ones(n, np.int8), permutation, np.arange(n + 1)), shape=(n, n))
    return n - int(connected_components(graph, directed=False, return_labels=False))


class Bordered:
    """The matrix [A, column; row, corner] with A factored already; nested for a wider border.

    Parameters
    ----------
    inner : Solver
        A, which may be singular to rounding.
    column, row : (n,) arrays
    corner : float
    """

    def __init__(self, inner: Solver, column: np.ndarray, row: np.ndarray, corner: float = 0.0) -> None:
        self._inner = inner
        self._column, self._row, self._corner = column, row, corner
        self._v, self._w = inner.solve(column), inner.solve(row, transposed=True)
        self._right = _not_zero(corner - row @ self._v)
        self._left = _not_zero(corner - self._w @ column)
        self.sign = inner.sign if self._right.real > 0.0 else -inner.sign

    def solve(self, rhs: np.ndarray, transposed: bool = False) -> np.ndarray:
        """Return the solution for a right-hand side of n + 1 entries."""
        column, row, v, w = self._column, self._row, self._v, self._w
        right, left = self._right, self._left
        if transposed:
            column, row, v, w, right, left = row, column, w, v, left, right
        top, last = rhs[:-1], rhs[-1]
        first = (last - w @ top) / left
        x = self._inner.solve(top - column * first, transposed)
        second = (last - self._corner * first - row @ x) / right
        return np.append(x - v * second, first + second)


def _not_zero(value: Any) -> Any:
    return value if value != 0.0 else 1e-300

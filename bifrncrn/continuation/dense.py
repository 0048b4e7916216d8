"""Small dense linear algebra for the compiled kernels: LU with pivoting, null vectors.

For fewer than about twenty unknowns these beat a LAPACK call; they allocate nothing and raise nothing. An array `a` is
a pointer to n x n doubles, row by row.
"""

import math

from bifrncrn.compile.pointers import kernel

EPS = 2.220446049250313e-16


@kernel
def lu_factor(a, n, pivots, scale):
    """Factor the n x n array `a` in place; return the sign of its determinant, 0 if it is singular to rounding.

    Rows are compared relative to their largest entry, so equations of very different size do not spoil the pivots
    (Golub & Van Loan, Matrix Computations, 3.4).
    """
    for i in range(n):
        big = 0.0
        for j in range(n):
            big = max(big, abs(a[i * n + j]))
        if big == 0.0:
            return 0.0
        scale[i] = 1.0 / big
    return _factor(a, n, pivots, scale)


@kernel
def lu_factor_in_units(a, n, pivots, scale, unit):
    """Do what `lu_factor` does for unknowns whose units differ: a row's largest entry is that in units of them."""
    for i in range(n):
        big = 0.0
        for j in range(n):
            big = max(big, abs(a[i * n + j]) * unit[j])
        if big == 0.0:
            return 0.0
        scale[i] = 1.0 / big
    return _factor(a, n, pivots, scale)


@kernel
def _factor(a, n, pivots, scale):
    """Factor `a` in place, rows compared by `scale`; return the sign of its determinant."""
    sign = 1.0
    for k in range(n):
        best = -1.0
        chosen = k
        for i in range(k, n):
            size = scale[i] * abs(a[i * n + k])
            if size > best:
                best = size
                chosen = i
        pivots[k] = chosen
        if chosen != k:
            sign = -sign
            for j in range(n):
                swap = a[k * n + j]
                a[k * n + j] = a[chosen * n + j]
                a[chosen * n + j] = swap
            scale[chosen] = scale[k]
        pivot = a[k * n + k]
        if pivot == 0.0:
            return 0.0
        if pivot < 0.0:
            sign = -sign
        for i in range(k + 1, n):
            factor = a[i * n + k] / pivot
            a[i * n + k] = factor
            if factor != 0.0:
                for j in range(k + 1, n):
                    a[i * n + j] -= factor * a[k * n + j]
    return sign


@kernel
def lu_solve(a, n, pivots, b):
    """Solve with the factors of `lu_factor`, in place in `b`."""
    for k in range(n):
        chosen = pivots[k]
        if chosen != k:
            swap = b[k]
            b[k] = b[chosen]
            b[chosen] = swap
    for i in range(1, n):
        total = b[i]
        for j in range(i):
            total -= a[i * n + j] * b[j]
        b[i] = total
    for i in range(n - 1, -1, -1):
        total = b[i]
        for j in range(i + 1, n):
            total -= a[i * n + j] * b[j]
        b[i] = total / a[i * n + i]


@kernel
def lu_solve_transposed(a, n, pivots, b):
    """Solve with the transpose of the matrix that `lu_factor` factored, in place in `b`."""
    for i in range(n):
        total = b[i]
        for j in range(i):
            total -= a[j * n + i] * b[j]
        b[i] = total / a[i * n + i]
    for i in range(n - 2, -1, -1):
        total = b[i]
        for j in range(i + 1, n):
            total -= a[j * n + i] * b[j]
        b[i] = total
    for k in range(n - 1, -1, -1):
        chosen = pivots[k]
        if chosen != k:
            swap = b[k]
            b[k] = b[chosen]
            b[chosen] = swap


@kernel
def eliminate(a, rows, columns, rank, order):
    """Eliminate `rank` times in a rows x columns array in place; return the rank it turns out to have, if smaller.

    The pivot is the largest entry of what is left (Golub & Van Loan, 3.4.8), so what is nearly zero comes last. `order`
    receives the places of rows, then of columns.
    """
    for i in range(rows + columns):
        order[i] = i if i < rows else i - rows
    for k in range(rank):
        best = 0.0
        row = k
        column = k
        for i in range(k, rows):
            for j in range(k, columns):
                if abs(a[i * columns + j]) > best:
                    best = abs(a[i * columns + j])
                    row = i
                    column = j
        if best == 0.0:
            return k
        _exchange(a, rows, columns, k, row, column, order)
        for i in range(k + 1, rows):
            factor = a[i * columns + k] / a[k * columns + k]
            a[i * columns + k] = factor
            for j in range(k + 1, columns):
                a[i * columns + j] -= factor * a[k * columns + j]
    return rank


@kernel
def _exchange(a, rows, columns, k, row, column, order):
    """Exchange row and column k with others, and note it."""
    for j in range(columns):
        swap = a[k * columns + j]
        a[k * columns + j] = a[row * columns + j]
        a[row * columns + j] = swap
    for i in range(rows):
        swap = a[i * columns + k]
        a[i * columns + k] = a[i * columns + column]
        a[i * columns + column] = swap
    order[k], order[row] = order[row], order[k]
    order[rows + k], order[rows + column] = order[rows + column], order[rows + k]


@kernel
def right_null(a, rows, columns, rank, order, x):
    """Write to x the unit vector with a x = 0 that the factors of `eliminate` give, the last free unknown not zero."""
    total = 1.0
    x[order[rows + columns - 1]] = 1.0
    for i in range(columns - 2, -1, -1):
        value = 0.0
        if i < rank:
            value = -a[i * columns + columns - 1]
            for j in range(i + 1, rank):
                value -= a[i * columns + j] * x[order[rows + j]]
            value /= a[i * columns + i]
        x[order[rows + i]] = value
        total += value * value
    length = math.sqrt(total)
    for i in range(columns):
        x[i] /= length


@kernel
def left_null(a, rows, columns, rank, order, x):
    """Write to x the unit vector with x' a = 0 that the factors of `eliminate` give, of the last row left over."""
    total = 1.0
    x[order[rows - 1]] = 1.0
    for i in range(rows - 2, -1, -1):
        value = 0.0
        if i < rank:
            value = -a[(rows - 1) * columns + i]
            for j in range(i + 1, rank):
                value -= a[j * columns + i] * x[order[j]]
        x[order[i]] = value
        total += value * value
    length = math.sqrt(total)
    for i in range(rows):
        x[i] /= length


@kernel
def null_of_row(a, rows, columns, rank, free, order, x):
    """Write to x the vector with x' a = 0 that `rank` steps of `eliminate` give for the row at place `free`."""
    for i in range(rows):
        x[i] = 0.0
    x[order[free]] = 1.0
    for i in range(rank - 1, -1, -1):
        value = -a[free * columns + i]
        for j in range(i + 1, rank):
            value -= a[j * columns + i] * x[order[j]]
        x[order[i]] = value


@kernel
def null_of_column(a, rows, columns, rank, free, order, x):
    """Write to x the vector with a x = 0 that the factors of `eliminate` give for the column at place `free`."""
    for j in range(columns):
        x[j] = 0.0
    x[order[rows + free]] = 1.0
    for i in range(rank - 1, -1, -1):
        value = -a[i * columns + free]
        for j in range(i + 1, rank):
            value -= a[i * columns + j] * x[order[rows + j]]
        x[order[rows + i]] = value / a[i * columns + i]


@kernel
def orthonormalise(x, unit, size):
    """Take out of x what lies along a unit vector, and bring it to length one; twice, for what rounding leaves."""
    for _twice in range(2):
        along = 0.0
        for i in range(size):
            along += x[i] * unit[i]
        total = 0.0
        for i in range(size):
            x[i] -= along * unit[i]
            total += x[i] * x[i]
        length = math.sqrt(total)
        for i in range(size):
            x[i] /= length

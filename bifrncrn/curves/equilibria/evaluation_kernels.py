"""What the compiled functions of single points share: the model at a point, the scratch space, a solve.

`c` is the context of `bifrncrn.curves.equilibria.work` as integers; a point y is (x, p), given by its address.
"""

from bifrncrn.compile.pointers import call_model5, call_model6, doubles, integers, kernel
from bifrncrn.continuation.dense import lu_factor, lu_solve
from bifrncrn.curves.equilibria.work import (
    DIRECTION,
    JET,
    JET_DIRECTION,
    LINEARIZE,
    PARAMETER,
    PIVOTS,
    STATES,
    VALUES,
    WORK,
)


@kernel
def evaluate(c, y):
    """Write F, F_p and J at y (an address) to the work space; return 0 where all are finite."""
    n, work = c[STATES], c[WORK]
    doubles(c[VALUES])[c[PARAMETER]] = doubles(y)[n]
    call_model6(c[LINEARIZE], y, c[VALUES], c[DIRECTION], work, work + 8 * (3 * n + 1), work + 8 * n)
    total = 0.0
    for i in range(2 * n):
        total += doubles(work)[i] * 0.0
    for i in range(n * n):
        total += doubles(work)[3 * n + 1 + i] * 0.0
    return 0 if total == 0.0 else 1


@kernel
def entry_of(c, i, j):
    """Return an entry of the derivative of F by y, as last evaluated."""
    n = c[STATES]
    return doubles(c[WORK])[3 * n + 1 + i * n + j] if j < n else doubles(c[WORK])[n + i]


@kernel
def scratch_of(c, place):
    """Return the address of the matrix (place 0) or of vector number `place` of the scratch space."""
    n = c[STATES]
    m = 2 * n + 2
    base = c[WORK] + 8 * (5 * n + 2 + 3 * n * n)
    return base if place == 0 else base + 8 * (m * m + (place - 1) * m)


@kernel
def largest_entry(c):
    """Return the largest entry of the derivative of F in absolute value, as last evaluated."""
    big = 0.0
    for i in range(c[STATES]):
        for j in range(c[STATES] + 1):
            big = max(big, abs(entry_of(c, i, j)))
    return big


@kernel
def write_jet(c, y, step, along, out):
    """Write the first three derivatives of F(y + e v) by e to `out`; v is `step` in the states, `along` in p."""
    doubles(c[JET_DIRECTION])[c[PARAMETER]] = along
    call_model5(c[JET], y, c[VALUES], step, c[JET_DIRECTION], out)


@kernel
def solve_in_place(matrix, size, c, rhs, spare):
    """Solve in place; return whether the matrix is regular."""
    pivots = integers(c[PIVOTS])
    if lu_factor(matrix, size, pivots, spare) == 0.0:
        return False
    lu_solve(matrix, size, pivots, rhs)
    return True

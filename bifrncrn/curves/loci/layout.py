"""The memory of the compiled functions of a locus: one int64 array of sizes and addresses, one block of doubles.

A NAME is an index into the int64 array. Unknowns are y = (x, kappa, p1, p2): the states, kappa = omega^2 at
Hopf points only (at Neimark-Sacker points of a map the cosine of the angle instead), and the two parameters.
"""

from __future__ import annotations

import itertools

FOLD, HOPF, MAP_FOLD, MAP_DOUBLING, MAP_TORUS = range(5)
"""The kinds. Those of a map are told of F = f^k(x) - x, whose Jacobian is that of f^k less one."""
TESTS = 6
"""The most test functions of a kind."""

# sizes and indices
(STATES, KIND, UNKNOWNS, FIRST, SECOND) = range(5)
# addresses of the model's functions
(PLANE, GRADIENT, JET) = range(5, 8)
# addresses of arrays
(
    VALUES, STILL, SIZE, ROWS, LEFT, RIGHT, NUMBERS, MODEL, BORDERED, BORDERED_SCALE, Z, T, V, W, G,
    SYSTEM, SYSTEM_SCALE, MATRIX, REALS, IMAGS, VECTORS, BORDERED_PIVOTS, SYSTEM_PIVOTS,
) = range(8, 31)  # fmt: skip
CONTEXT_SIZE = 31

# NUMBERS: kappa, 0 at folds; the unit of frequency; the last value of the Lyapunov test; what is added to the diagonal
# of the Jacobian before a zero eigenvalue, or +-i omega, is looked for (0, but for maps); the cosine of the angle
(KAPPA, SIGMA, HOLD, SHIFT, COSINE, NUMBERS_SIZE) = range(6)
SCRATCH = 12
"""Vectors of scratch, each of 3 n + 3 doubles."""


def array_sizes(n: int, parameters: int) -> dict[int, int]:
    """Return the doubles of every array for n states and so many parameters."""
    m, u = 2 * n + 2, n + 3
    return {
        VALUES: parameters,  # parameter values
        STILL: parameters,  # zeros: no change of parameters
        SIZE: n + 1,  # units of the states and of the first parameter
        ROWS: n,  # units of the equations
        LEFT: n,  # the border that is a column
        RIGHT: n,  # the border that is a row
        NUMBERS: NUMBERS_SIZE,
        MODEL: n * (n + 3),  # F (n), then its derivative by (x, p1, p2), row by row
        BORDERED: m * m,  # the bordered matrix, factored
        BORDERED_SCALE: m,
        Z: m,  # its solution
        T: m,  # and that of its transpose
        V: 2 * (n + 2),  # right null vectors
        W: 2 * n,  # left null vectors
        G: 4 * (n + 2),  # derivatives of w_i' F_y v_j
        SYSTEM: u * u,  # the derivative of the defining system, bordered, factored
        SYSTEM_SCALE: u,
        MATRIX: 4 * n * n,
        REALS: n,
        IMAGS: n,
        VECTORS: SCRATCH * (3 * n + 3),
        BORDERED_PIVOTS: m,
        SYSTEM_PIVOTS: u,
    }


def places(n: int, parameters: int) -> tuple[dict[int, tuple[int, int]], int]:
    """Return where each array begins and ends in the block, and the length of the block."""
    sizes = array_sizes(n, parameters)
    ends = list(itertools.accumulate(sizes.values()))
    return {k: (end - size, end) for (k, size), end in zip(sizes.items(), ends, strict=True)}, ends[-1]

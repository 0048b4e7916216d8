"""The shared memory of the collocation kernels: one int64 array of sizes and addresses.

Python fills it (`bifrncrn.curves.orbits.corrector`), the kernels read it. A NAME below is an index. With N intervals, n
states and 4 Gauss points an orbit has 4 N nodes: the left end and three points between, evenly, of every interval.
A vector of unknowns is the nodes (4 N, n) in units of SCALE, logarithm of the period, and parameter in its unit.
"""

POINTS = 4
"""Gauss points in an interval, and the degree of the polynomials."""
GAUSS_WEIGHTS = (0.17392742256872692, 0.32607257743127308, 0.32607257743127308, 0.17392742256872692)
"""Of an interval of length 1."""

# sizes and the model: intervals, states, index of the parameter, its address of linearize, values, unit vector
(INTERVALS, STATES, PARAMETER, LINEARIZE, VALUES, DIRECTION) = range(6)
# what is given: nodes (4 N, n), widths (N), states' units (n), lower walls (n), vectors of the phase condition (4 N, n)
# and of the hyperplane (4 N n + 2), quadrature weights of the nodes (4 N), period and parameter, settings
(NODES, WIDTHS, SCALE, LOWER, PHASE, ARC, WEIGHTS, UNKNOWNS, SETTINGS) = range(6, 15)
# constants of the polynomials (`bifrncrn.curves.orbits.basis`): values and slopes at the Gauss points, monomials
(VALUES_AT, SLOPES_AT, MONOMIALS) = range(15, 18)
# results: Newton step and tangent (vectors of unknowns), the pair (2 n, n), velocity at the first node (n), extremes
# (2, n), and what a correction leaves behind
(STEP, TANGENT, PAIR, VELOCITY, EXTREMES, INFO) = range(18, 24)
# work space: condensed intervals, chain, and the rest
(INNER, CHAIN, WORK, PIVOTS) = range(24, 28)
LAYOUT_SIZE = 28

# float: settings
(UNIT, TOLERANCE) = range(2)
# float: what a correction leaves behind
(INFO_SIGN, INFO_FIRST, INFO_CONTRACTION, INFO_GROWTH, INFO_RESIDUAL) = range(5)
INFO_SIZE = 5

# what a correction returns instead of a number of Newton iterations
(BAD_VALUE, SINGULAR, SLOW, OUTSIDE) = (-1, -2, -3, -4)


def sizes(intervals: int, n: int) -> dict[int, int]:
    """Return the number of doubles (PIVOTS: integers) of every array whose size depends on the mesh."""
    nodes = intervals * POINTS
    unknowns = nodes * n + 2
    width = n * (POINTS + 1) + 3
    return {
        NODES: nodes * n, WIDTHS: intervals, PHASE: nodes * n, ARC: unknowns, WEIGHTS: nodes,
        STEP: unknowns, TANGENT: unknowns,
        INNER: intervals * (POINTS * n + 2) * width,
        CHAIN: intervals * n * (3 * n + 3),
        WORK: 3 * n + n * n + 2 * n * (3 * n + 3) + 6 * n + 6 + (n + 2) * (n + 5),
        PIVOTS: n + 2,
    }  # fmt: skip

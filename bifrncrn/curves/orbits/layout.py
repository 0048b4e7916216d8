"""The shared memory of the collocation kernels: one int64 array of sizes and addresses.

Python fills it (`bifrncrn.curves.orbits.memory`), the kernels read it. A NAME below is an index. With N intervals, n
states and 4 Gauss points an orbit has 4 N nodes: the left end and three points between, evenly, of every interval.
A vector of unknowns is the nodes (4 N, n), the logarithm of the period, and the parameter.
"""

POINTS = 4
"""Gauss points in an interval, and the degree of the polynomials."""
GAUSS_WEIGHTS = (0.17392742256872692, 0.32607257743127308, 0.32607257743127308, 0.17392742256872692)
"""Of an interval of length 1."""

LAPACK_SPARE = 16
"""Besides 8 n doubles dggev needs this many."""
FEWEST, MOST = 20, 400
"""Intervals of a mesh."""

# sizes and the model: intervals, states, index of the parameter, its address of linearize, values, unit vector
(INTERVALS, STATES, PARAMETER, LINEARIZE, VALUES, DIRECTION) = range(6)
# what is given: nodes (4 N, n), ends of intervals (N + 1), their widths (N), states' units (n), lower walls (n),
# vectors of the phase condition (4 N, n) and of the hyperplane (4 N n + 2), quadrature weights of the nodes (4 N),
# period and parameter, settings
(NODES, EDGES, WIDTHS, SCALE, LOWER, PHASE, ARC, WEIGHTS, UNKNOWNS, SETTINGS) = range(6, 16)
# constants (`bifrncrn.curves.orbits.basis`): values and slopes at the Gauss points, monomials, slopes at the nodes
(VALUES_AT, SLOPES_AT, MONOMIALS, NODE_SLOPES) = range(16, 20)
# results: Newton step and tangent (vectors of unknowns, the step in units of SCALE), the pair (2 n, n), velocity at the
# first node (n), extremes (2, n), and what a correction leaves behind
(STEP, TANGENT, PAIR, VELOCITY, EXTREMES, INFO) = range(20, 26)
# work space: condensed intervals, chain, and the rest
(INNER, CHAIN, WORK, PIVOTS, MESH) = range(26, 31)
# the branch: the place a step starts from, the one before, slopes by the phase at both ends of the step, a vector of
# unknowns to spare; least units of length and extremes so far (3, n), extents of the first orbit (n); records of
# the places reached, and the numbers that the march goes on with
(HERE, HERE_TANGENT, BEFORE, BEFORE_TANGENT, FLOW, THERE_FLOW, SPARE, UNITS, RECORDS, MARCH) = range(31, 41)
# multipliers with the size up to which their signs are sure (2 n + 1), those of the place before, and their work space;
# the address of LAPACK's dggev, its letter, its sizes (32 bits: n, n - 1, that of its work space, what it returns)
(MULTIPLIERS, HERE_MULTIPLIERS, SPECTRUM, DGGEV, LAPACK_JOB, LAPACK_SIZES) = range(41, 47)
# the address of the model's right-hand side; the multipliers of the place before that a step starts from
FIELD, BEFORE_MULTIPLIERS = 47, 48
# constants: values and slopes at Gauss and at Radau points; VALUES_AT and SLOPES_AT are the ones or the others
GAUSS_VALUES, GAUSS_SLOPES, RADAU_VALUES, RADAU_SLOPES = range(49, 53)
# not 0: time is up, nothing more is to be eliminated
STOP = 53
# what the states grow by in a period (n): whole turns of angles that go round, zero of all others
OFFSET = 54
LAYOUT_SIZE = 55

# float: settings: unit of the parameter; largest angle and length of a step, the least; the range; what is far away,
# where the branch begins
(UNIT, ANGLE, LONGEST_STEP, LEAST_STEP, RANGE_LOW, RANGE_HIGH, FAR_AWAY, HOME) = range(8)
SETTINGS_SIZE = 8
# float: what a correction leaves behind; the rate is the largest size of the Jacobian times the width of an interval,
# the noise what rounding moves the multiplier by that is nearest to the unit circle
(INFO_FIRST, INFO_CONTRACTION, INFO_GROWTH, INFO_RESIDUAL, INFO_RATE, INFO_NOISE) = range(6)
INFO_SIZE = 6
# float: the march. Length of the next step; period, parameter and size of the place it starts from, period and
# parameter of the one before, whether there is one; what is to be done about the mesh, how many times finer it is to
# be; whether it is very uneven; steps in a row that turn alike, and the last turn; whether all orbits are at one
# parameter; the shortest period; counters; how many intervals there is room for, how many rows are asked for, how many
# intervals are wanted; doubles of RECORDS that are used; the largest error in an interval; one more
# than the old interval at which the place starts that was put on another mesh and not corrected there, else 0; whether
# all are to be corrected; a period, and the least and the greatest parameter while it grew to that, and since; how
# far the place before is
(
    NEXT, HERE_PERIOD, HERE_PARAMETER, HERE_SIZE, BEFORE_PERIOD, BEFORE_PARAMETER, HAS_BEFORE, MESHING,
    FINER, JUMPS, TURNS, LAST_TURN, ALONE, SHORTEST, TRIED, REJECTED, NEWTONS, FAILURE, MOST_INTERVALS, ROWS, WANTED,
    USED, WORST, LOOSE, ROUGH, MARK, OLD_LOW, OLD_HIGH, NOW_LOW, NOW_HIGH, BACK,
) = range(31)  # fmt: skip
MARCH_SIZE = 31
# MESHING
(KEPT, CHECKED, RENEWED) = range(3)

# a record begins with these numbers; then units, UNITS (3, n), extremes (2, n), pair, velocity, multipliers,
# edges, nodes, tangent
(
    KIND, COUNT, PERIOD, VALUE, RATE, NOISE, FIRST, CONTRACTION, LENGTH, ASKS, TURNED,
) = range(11)  # fmt: skip
HEAD = 11
# KIND: a place reached; the last one on another mesh, corrected or only interpolated; one beyond the range, or of an
# orbit beyond a point
(REACHED, REMESHED, MOVED, BEYOND, TURNED_OVER) = range(5)
# ASKS, bits: whether a bifurcation was passed, whether the branch ends
(ABOUT_EVENTS, ABOUT_END) = (1, 2)

STIFF = 1e5
"""The fastest rate times the width of an interval from which on orbits are collocated at Radau points: at Gauss points
a variation that decays so fast keeps the multiplier exp(-40/STIFF) over each (the Pade approximation (4, 4) of exp)."""
LESS_STIFF = 0.5
"""They are collocated at Gauss points again where that is less than this part of it."""
SLOW_PERIODS = 8.0
"""How many times the shortest period one must be before it is asked whether it grows without bound."""
STANDSTILL, LENGTHENED = 1e-7, 1.5
"""The period grows without bound where one this much longer moves the parameter by less than that part of its range,
and the orbits pass a saddle: along a canard they stand still too, and the period does not grow for ever."""
LONGEST = 1e5
"""The branch ends where the period is this many times the shortest."""
SNIC_CLOSE = 1e-6
"""The branch ends where a fold of equilibria on the orbit is this close, in terms of the range."""
SNIC_RATE = 10.0 * SNIC_CLOSE
"""It is looked for where the parameter moves slower than this with the logarithm of the period."""

# what a march returns: the rows asked for are there or a record asks, there is no room, the steps are too small
(PAUSED, NO_ROOM, TOO_SHORT) = range(3)

# what a correction returns instead of a number of Newton iterations
(BAD_VALUE, SINGULAR, SLOW, OUTSIDE, LATE) = (-1, -2, -3, -4, -5)


def sizes(intervals: int, n: int) -> dict[int, int]:
    """Return the number of doubles (PIVOTS: integers) of every array that a correction needs, by the mesh."""
    nodes = intervals * POINTS
    unknowns = nodes * n + 2
    width = n * (POINTS + 1) + 3
    return {
        NODES: nodes * n, EDGES: intervals + 1, WIDTHS: intervals, PHASE: nodes * n, ARC: unknowns, WEIGHTS: nodes,
        STEP: unknowns, TANGENT: unknowns, SPARE: unknowns, THERE_FLOW: nodes * n,
        INNER: intervals * (POINTS * n + 2) * width,
        CHAIN: intervals * chain_size(n),
        WORK: work_size(n),
        PIVOTS: n + 2 + intervals * (POINTS - 1) * n,
        MESH: intervals * (n + 4) + 2 * (intervals + 1) + n,
    }  # fmt: skip


def march_sizes(intervals: int, n: int) -> dict[int, int]:
    """Return the number of doubles of every array that a march needs besides, by the mesh."""
    nodes = intervals * POINTS * n
    return {HERE: nodes, HERE_TANGENT: nodes + 2, BEFORE: nodes, BEFORE_TANGENT: nodes + 2, FLOW: nodes}


def chain_size(n: int) -> int:
    """Return the doubles that eliminating one interval leaves: rows, reflectors, factors of borders and equations."""
    return n * (3 * n + 3) + n * (2 * n + 1) + (2 + POINTS) * n


def work_size(n: int) -> int:
    """Return the doubles of the work space: a state's functions, the chain's rows, borders, the last equations."""
    return 3 * n + n * n + 2 * n * (3 * n + 3) + 2 * (2 * n + 3) + (n + 2) * (n + 5) + (POINTS * n + 2) + 8 * n + 16


def spectrum_size(n: int) -> int:
    """Return the doubles of the work space of the multipliers: six matrices, for LAPACK, eigenvalues, and factors."""
    return 6 * n * n + 12 * n + LAPACK_SPARE + 6 * n


def record_size(intervals: int, n: int) -> int:
    """Return the doubles of a record."""
    return HEAD + 9 * n + 1 + 2 * n * n + intervals + 1 + 2 * intervals * POINTS * n + 2

"""What the compiled methods and their Python side share: an array of integers, and one of floats, the clock."""

(
    FIELD, SIGN, STATES, VALUES, STATE, CLOCK, LOWER, ATOLS, TIMES, TRAIL, WORK, STEPS, COUNT, STIFF_HITS, EASY_STEPS,
    LINEARIZE, STILL, TABLEAU,
) = range(18)  # fmt: skip
"""The model's `f`, the direction of time (1, -1), number of states, addresses (parameter values, the state, the clock,
lower bounds, absolute tolerances, times and states written, work space), steps asked for; then what is kept between two
calls: steps written, and what the test for stiffness has counted. The implicit method needs the model's `linearize`,
parameters at rest (m zeros) and its coefficients too."""
CONTEXT_SIZE = TABLEAU + 1
TIME, STEP, RTOL, UNTIL, LIMIT, SLACK, BEFORE, LONGEST = range(8)
"""The clock: time, next step, relative tolerance, the time to end at, the size of a state that has escaped, how many
absolute tolerances a state may be below its bound, the last error (in units of what is tolerated), and the longest
step."""
CLOCK_SIZE = LONGEST + 1
LEAST_ERROR = 1e-4
"""A smaller error counts as this in the control of the next step; so does that before the first one."""
WORK_VECTORS = 10
"""Vectors of work space of the explicit method."""
STAGES = 8
"""Stages of the implicit method."""
IMPLICIT_VECTORS, IMPLICIT_MATRICES = STAGES + 6, 2
"""Vectors and matrices of work space of the implicit method."""
GOES_ON, ESCAPED, NOT_FOR_THIS = 0, 1, 2
"""What `advance` returns: all steps were made, or the end was reached; the state has escaped; the method is not the one
for this trajectory, which is stiff, at rest, or has come where the field is not finite."""

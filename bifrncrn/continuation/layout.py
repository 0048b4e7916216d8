"""The shared memory of the march: one int64 array of sizes, addresses and state, one float array of settings.

Python fills it (`bifrncrn.continuation.march`), the kernels read and write it. A NAME below is an index.
"""

# int64: sizes; the functions and the context of the curve
(SIZE, SPECTRA, TESTS, CAPACITY, HOME, NEWTON_STEP, SOLVE_AGAIN, SPECTRUM, USER_TESTS, CONTEXT) = range(10)
# int64: addresses of settings, walls and results
(SETTINGS, LOWER, UPPER, FLOOR, POINTS, TANGENTS, REALS, IMAGS, VALUES, MARKS) = range(10, 20)
# int64: addresses of vectors: the trial point, a point between, and scratch
(TRIAL, TRIAL_TANGENT, TRIAL_REALS, TRIAL_IMAGS, TRIAL_VALUES) = range(20, 25)
(MID, MID_TANGENT, MID_REALS, MID_IMAGS, MID_VALUES) = range(25, 30)
(ROW, STEP, GUESS, SCALE, RUNNING, WEIGHT, INFO) = range(30, 37)
# int64: state and outcome (of the trial point: UNSTABLE, GROWS, SHRINKS)
# STOPS has the bit 1 << event set for every event that ends a march
# AT_ROW is the row that turned out to be a special point itself
(COUNT, REASON, WALL, STATUS, NEWTONS, REJECTED, HOLD, UNSTABLE, ENDING, USER, STOPS, GROWS, SHRINKS) = range(37, 50)
# int64: more of the curve: a function that hears of every accepted point, and whether turns are events
(ACCEPT, TURNS) = range(50, 52)
# CENTRES is how many eigenvalues are imaginary at both ends of a step with a Hopf point
AT_ROW, CENTRES = 52, 53
# int64: doubles from one row of results to the next: a row holds point, tangent, eigenvalues (real parts, then
# imaginary ones) and tests
STRIDE = 54
LAYOUT_SIZE = 55
VECTORS = range(TRIAL, INFO + 1)

# float: settings
(LOW, HIGH, FIRST_STEP, LEAST_STEP, LARGEST_STEP, EVENT_STEP, ANGLE, TOLERANCE, LEVEL) = range(9)
# of the way to infinity: the largest state when last noted, the parameter then (in the end its limit), the change of
# the parameter since the time before, and its ratio to the one before that
(NORM, LIMIT, CHANGE, RATIO) = range(9, 13)
SETTINGS_SIZE = 13
# float: what a Newton correction leaves behind
(INFO_SIGN, INFO_FIRST, INFO_CONTRACTION) = range(3)
# and what the curve says there of states that stay zero: bit i for state i, by the sign of its rate of growth
(INFO_GROWS, INFO_SHRINKS) = range(3, 5)
INFO_SIZE = 5
FACES = 52
"""Of so many states, the first ones, is noted whether they stay zero (the bits of a double)."""

# int64: the marks of a point
(MARK_SIGN, MARK_UNSTABLE, MARK_EVENT, MARK_NEWTON, MARK_GROWS, MARK_SHRINKS) = range(6)
MARKS_SIZE = 6

# why a march ends
(RANGE, BOUND, CLOSED, FULL, NOT_FINITE, SHORT, STOPPED, INFINITY) = range(1, 9)
# events; a negative one is not refined but bracketed by the point before it
(FOLD, BRANCH, PAIR, REAL, USER_EVENT) = range(1, 6)
EDGE = 99
"""Not an event: the indicator of the range's end."""
# what a correction returns instead of a number of Newton iterations
(BAD_VALUE, SINGULAR, SLOW, OUTSIDE) = (-1, -2, -3, -4)

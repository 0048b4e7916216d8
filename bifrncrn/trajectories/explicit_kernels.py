"""Dormand and Prince's method of order 5 with steps that adapt, compiled: many steps of a trajectory in one call.

Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, 1993: the coefficients are those of table II.5.2,
the control of steps is that of section II.4, the test for stiffness that of section IV.2 of the second volume (1996).

`c` is the context of `bifrncrn.trajectories.steps_layout` as integers.
"""

import math

from bifrncrn.compile.pointers import doubles, integers, kernel
from bifrncrn.trajectories.step_kernels import is_out, kept, rates_at
from bifrncrn.trajectories.steps_layout import (
    ATOLS,
    BEFORE,
    CLOCK,
    COUNT,
    EASY_STEPS,
    ESCAPED,
    GOES_ON,
    LEAST_ERROR,
    LONGEST,
    NOT_FOR_THIS,
    RTOL,
    STATE,
    STATES,
    STEP,
    STEPS,
    STIFF_HITS,
    TIME,
    UNTIL,
    WORK,
)

SHARPLY = 3.25
"""The method is stable up to this product of the step and an eigenvalue (as Hairer's code has it)."""
STIFF, EASY = 15, 6
"""So many steps at that border make a trajectory stiff, unless so many others come between."""
SAFETY, LEAST, MOST = 0.9, 0.2, 10.0
"""A new step is this part of the best one, and the old one times a factor between these."""
TICK = 0.1
"""So much of a step must move the clock: else its rounding is too coarse for it."""
DAMPING = 0.04
"""The exponent of the last error in the control of steps."""


@kernel
def _stages(c, h):
    """Compute the stages of a step, the new state and its field. Return whether all are finite."""
    n, work = c[STATES], c[WORK]
    x, trial, new = doubles(c[STATE]), doubles(work + 8 * 7 * n), doubles(work + 8 * 8 * n)
    spare = work + 8 * 9 * n
    k1, k2, k3 = doubles(work), doubles(work + 8 * n), doubles(work + 8 * 2 * n)
    k4, k5, k6 = doubles(work + 8 * 3 * n), doubles(work + 8 * 4 * n), doubles(work + 8 * 5 * n)
    for i in range(n):
        trial[i] = x[i] + h * (0.2 * k1[i])
    if not rates_at(c, work + 8 * 7 * n, work + 8 * n, spare):
        return False
    for i in range(n):
        trial[i] = x[i] + h * (3.0 / 40.0 * k1[i] + 9.0 / 40.0 * k2[i])
    if not rates_at(c, work + 8 * 7 * n, work + 8 * 2 * n, spare):
        return False
    for i in range(n):
        trial[i] = x[i] + h * (44.0 / 45.0 * k1[i] - 56.0 / 15.0 * k2[i] + 32.0 / 9.0 * k3[i])
    if not rates_at(c, work + 8 * 7 * n, work + 8 * 3 * n, spare):
        return False
    for i in range(n):
        trial[i] = x[i] + h * (
            19372.0 / 6561.0 * k1[i] - 25360.0 / 2187.0 * k2[i] + 64448.0 / 6561.0 * k3[i] - 212.0 / 729.0 * k4[i]
        )
    if not rates_at(c, work + 8 * 7 * n, work + 8 * 4 * n, spare):
        return False
    for i in range(n):
        trial[i] = x[i] + h * (
            9017.0 / 3168.0 * k1[i] - 355.0 / 33.0 * k2[i] + 46732.0 / 5247.0 * k3[i]
            + 49.0 / 176.0 * k4[i] - 5103.0 / 18656.0 * k5[i]
        )  # fmt: skip
    if not rates_at(c, work + 8 * 7 * n, work + 8 * 5 * n, spare):
        return False
    for i in range(n):
        new[i] = x[i] + h * (
            35.0 / 384.0 * k1[i] + 500.0 / 1113.0 * k3[i] + 125.0 / 192.0 * k4[i]
            - 2187.0 / 6784.0 * k5[i] + 11.0 / 84.0 * k6[i]
        )  # fmt: skip
    return rates_at(c, work + 8 * 8 * n, work + 8 * 6 * n, spare)


@kernel
def _error(c, h):
    """Return the error of a step, in units of what is tolerated."""
    n, work, clock = c[STATES], c[WORK], doubles(c[CLOCK])
    x, new = doubles(c[STATE]), doubles(work + 8 * 8 * n)
    total = 0.0
    for i in range(n):
        error = h * (
            71.0 / 57600.0 * doubles(work)[i] - 71.0 / 16695.0 * doubles(work)[2 * n + i]
            + 71.0 / 1920.0 * doubles(work)[3 * n + i] - 17253.0 / 339200.0 * doubles(work)[4 * n + i]
            + 22.0 / 525.0 * doubles(work)[5 * n + i] - 1.0 / 40.0 * doubles(work)[6 * n + i]
        )  # fmt: skip
        size = doubles(c[ATOLS])[i] + clock[RTOL] * max(abs(x[i]), abs(new[i]))
        total += (error / size) ** 2
    return math.sqrt(total / n)


@kernel
def _is_stiff(c, h):
    """Count a step; say whether the trajectory is stiff: stability, not accuracy, keeps its steps short."""
    n, work, new = c[STATES], c[WORK], doubles(c[WORK] + 8 * 8 * c[STATES])
    above = below = 0.0
    for i in range(n):  # states may differ in their units
        size = doubles(c[ATOLS])[i] + doubles(c[CLOCK])[RTOL] * abs(new[i])
        above += ((doubles(work)[6 * n + i] - doubles(work)[5 * n + i]) / size) ** 2
        below += ((doubles(work)[8 * n + i] - doubles(work)[7 * n + i]) / size) ** 2
    if below > 0.0 and h * math.sqrt(above / below) > SHARPLY:
        c[EASY_STEPS] = 0
        c[STIFF_HITS] += 1
        return c[STIFF_HITS] == STIFF
    c[EASY_STEPS] += 1
    if c[EASY_STEPS] == EASY:
        c[STIFF_HITS] = 0
    return False


@kernel
def _taken(c, h):
    """Take the step; return whether the field at the new state is finite."""
    n, work = c[STATES], c[WORK]
    for i in range(n):
        doubles(work)[i] = doubles(work)[6 * n + i]
    return rates_at(c, c[STATE], work, work + 8 * 9 * n) if kept(c, h, work + 8 * 8 * n) else True


@kernel
def advance(context):
    """Make steps until all that were asked for are made, the end is reached, or there is a reason to stop.

    Rows 1 to COUNT of the times and states are written.
    """
    c = integers(context)
    n, work, clock = c[STATES], c[WORK], doubles(c[CLOCK])
    c[COUNT] = 0
    if not rates_at(c, c[STATE], work, work + 8 * 9 * n):
        return NOT_FOR_THIS
    rejected = False
    while c[COUNT] < c[STEPS] and clock[TIME] < clock[UNTIL]:
        h = min(clock[STEP], clock[LONGEST])
        if not clock[TIME] + TICK * h > clock[TIME] or math.isinf(h):
            return NOT_FOR_THIS
        error = _error(c, h) if _stages(c, h) else math.inf
        if error == 0.0:
            return NOT_FOR_THIS  # at rest, to the last digit
        factor = SAFETY * error ** -(0.2 - 0.75 * DAMPING) if error < math.inf else 0.0
        if not error <= 1.0:
            clock[STEP] = h * max(LEAST, factor)
            rejected = True
            continue
        factor = min(max(factor * clock[BEFORE] ** DAMPING, LEAST), 1.0 if rejected else MOST)
        clock[BEFORE] = max(error, LEAST_ERROR)
        rejected = False
        if _is_stiff(c, h):
            return NOT_FOR_THIS
        if is_out(c, work + 8 * 8 * n, work + 8 * 7 * n, work + 8 * 9 * n):
            return ESCAPED
        if not _taken(c, h):
            return NOT_FOR_THIS
        clock[STEP] = h * factor
    return GOES_ON

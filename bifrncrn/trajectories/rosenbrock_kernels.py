"""A Rosenbrock method of order 5 for stiff systems with steps that adapt, compiled: many steps in one call.

The method is Rodas5P (Steinebach, BIT Numerical Mathematics 63 (2023) 27): eight stages, stiffly accurate, L-stable. It
is written as in Hairer and Wanner, Solving Ordinary Differential Equations II, 1996, section IV.7: each stage solves
`(I/(h gamma) - J) u = f + C u/h`, with J exact and factorised once a step. The last stage is the error of order 4.

`c` is the context of `bifrncrn.trajectories.steps_layout` as integers; `TABLEAU` has the rows of A, then those of C.
"""

import math

from bifrncrn.compile.pointers import call_model6, doubles, integers, kernel
from bifrncrn.trajectories.step_kernels import is_out, kept, rates_at
from bifrncrn.trajectories.steps_layout import (
    ATOLS,
    CLOCK,
    COUNT,
    ESCAPED,
    GOES_ON,
    LINEARIZE,
    LONGEST,
    LOWER,
    NOT_FOR_THIS,
    RTOL,
    SIGN,
    STAGES,
    STATE,
    STATES,
    STEP,
    STEPS,
    STILL,
    TABLEAU,
    TIME,
    UNTIL,
    VALUES,
    WORK,
)

GAMMA = 0.21193756319429014
SAFETY, LEAST, MOST = 0.9, 0.2, 6.0
"""A new step is this part of the best one, and the old one times a factor between these (Hairer and Wanner, IV.8)."""
TICK = 0.1
"""So much of a step must move the clock: else its rounding is too coarse for it."""
LAST = 1e300
"""The clock goes no further."""
FINEST = 1e-30
"""No error is smaller, so that it has a power."""


@kernel
def _linearised(c):
    """Write the field and its Jacobian at the state; return whether both are finite. See `rates_at`."""
    n, work = c[STATES], c[WORK]
    rates, matrix = doubles(work + 8 * 8 * n), doubles(work + 8 * 14 * n)
    at, lower, inside = doubles(c[STATE]), doubles(c[LOWER]), doubles(work + 8 * 12 * n)
    total = 0.0
    for attempt in range(2):
        for i in range(n):
            inside[i] = at[i] if attempt == 0 else max(at[i], lower[i])
        call_model6(
            c[LINEARIZE], work + 8 * 12 * n, c[VALUES], c[STILL], work + 8 * 8 * n, work + 8 * 14 * n, work + 8 * 13 * n
        )
        total = 0.0
        for i in range(n):
            total += rates[i] * 0.0
        if total == 0.0:
            break
    for i in range(n * n):
        total += matrix[i] * 0.0
    if c[SIGN] < 0:
        for i in range(n):
            rates[i] = -rates[i]
        for i in range(n * n):
            matrix[i] = -matrix[i]
    return total == 0.0


@kernel
def _factorised(c, h):
    """Write the factors of I/(h gamma) - J, with rows exchanged; return whether it is regular.

    Rows are compared in units of what is tolerated: rounding of large states would drown what is told of tiny ones.
    """
    n, work, x = c[STATES], c[WORK], doubles(c[STATE])
    matrix, lu, swaps = doubles(work + 8 * 14 * n), doubles(work + 8 * (14 * n + n * n)), doubles(work + 8 * 13 * n)
    unit = doubles(work + 8 * 12 * n)
    for i in range(n * n):
        lu[i] = -matrix[i]
    for i in range(n):
        lu[i * n + i] += 1.0 / (h * GAMMA)
        unit[i] = doubles(c[ATOLS])[i] + doubles(c[CLOCK])[RTOL] * abs(x[i])
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(lu[i * n + k]) * unit[pivot] > abs(lu[pivot * n + k]) * unit[i]:
                pivot = i
        swaps[k] = pivot
        if pivot != k:
            unit[k], unit[pivot] = unit[pivot], unit[k]
            for j in range(n):
                lu[k * n + j], lu[pivot * n + j] = lu[pivot * n + j], lu[k * n + j]
        if not abs(lu[k * n + k]) > 0.0:
            return False
        for i in range(k + 1, n):
            factor = lu[i * n + k] / lu[k * n + k]
            lu[i * n + k] = factor
            if factor != 0.0:
                for j in range(k + 1, n):
                    lu[i * n + j] -= factor * lu[k * n + j]
    return True


@kernel
def _solve(c, right):
    """Solve with the factors, in place."""
    n, work = c[STATES], c[WORK]
    lu, swaps, b = doubles(work + 8 * (14 * n + n * n)), doubles(work + 8 * 13 * n), doubles(right)
    for k in range(n):
        pivot = int(swaps[k])
        b[k], b[pivot] = b[pivot], b[k]
    for i in range(n):
        total = b[i]
        for j in range(i):
            total -= lu[i * n + j] * b[j]
        b[i] = total
    for i in range(n - 1, -1, -1):
        total = b[i]
        for j in range(i + 1, n):
            total -= lu[i * n + j] * b[j]
        b[i] = total / lu[i * n + i]


@kernel
def _stages(c, h):
    """Compute the stages of a step and the new state. Return whether all fields are finite."""
    n, work = c[STATES], c[WORK]
    x, trial, new = doubles(c[STATE]), doubles(work + 8 * 9 * n), doubles(work + 8 * 10 * n)
    stages, table = doubles(work), doubles(c[TABLEAU])
    for s in range(STAGES):
        rates = work + 8 * 8 * n
        if s > 0:
            for i in range(n):
                total = x[i]
                for j in range(s):
                    total += table[STAGES * s + j] * stages[n * j + i]
                trial[i] = total
            rates = work + 8 * 10 * n
            if not rates_at(c, work + 8 * 9 * n, rates, work + 8 * 11 * n):
                return False
        for i in range(n):
            total = 0.0
            for j in range(s):
                total += table[STAGES * (STAGES + s) + j] * stages[n * j + i]
            stages[n * s + i] = doubles(rates)[i] + total / h
        _solve(c, work + 8 * n * s)
    finite = 0.0
    for i in range(n):
        new[i] = trial[i] + stages[n * (STAGES - 1) + i]
        finite += new[i] * 0.0
    return finite == 0.0


@kernel
def _error(c):
    """Return the error of a step, in units of what is tolerated."""
    n, work, x = c[STATES], c[WORK], doubles(c[STATE])
    error, new = doubles(work + 8 * (STAGES - 1) * n), doubles(work + 8 * 10 * n)
    total = 0.0
    for i in range(n):
        size = doubles(c[ATOLS])[i] + doubles(c[CLOCK])[RTOL] * max(abs(x[i]), abs(new[i]))
        total += (error[i] / size) ** 2
    return math.sqrt(total / n)


@kernel
def advance_stiff(context):
    """Make steps until all that were asked for are made, the end is reached, or there is a reason to stop.

    Rows 1 to COUNT of the times and states are written; fewer than asked for where the clock goes no further.
    """
    c = integers(context)
    n, work, clock = c[STATES], c[WORK], doubles(c[CLOCK])
    c[COUNT] = 0
    fresh = rejected = False
    while c[COUNT] < c[STEPS] and clock[TIME] < clock[UNTIL]:
        h = min(clock[STEP], clock[LONGEST])
        if clock[TIME] + h > LAST:
            return GOES_ON
        if not clock[TIME] + TICK * h > clock[TIME]:
            return NOT_FOR_THIS
        if not fresh and not _linearised(c):
            return NOT_FOR_THIS
        fresh = True
        error = _error(c) if _factorised(c, h) and _stages(c, h) else math.inf
        factor = SAFETY * max(error, FINEST) ** -0.2 if error < math.inf else 0.0
        if not error <= 1.0:
            clock[STEP] = h * max(LEAST, factor)
            rejected = True
            continue
        if is_out(c, work + 8 * 10 * n, work + 8 * 9 * n, work + 8 * 11 * n):
            return ESCAPED
        kept(c, h, work + 8 * 10 * n)
        clock[STEP] = h * min(max(factor, LEAST), 1.0 if rejected else MOST)
        fresh = rejected = False
    return GOES_ON

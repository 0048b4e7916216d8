"""Newton's method on an equilibrium curve, compiled: from a rough start, and in a plane across the curve.

Every kernel gets the address of a context (`bifrncrn.curves.equilibria.work`); all arguments are addresses, of doubles
where nothing else is said. A point y is (x, p).
"""

import math

from bifrncrn.compile.pointers import doubles, integers, kernel
from bifrncrn.continuation.dense import lu_solve
from bifrncrn.curves.equilibria.evaluation_kernels import evaluate, scratch_of
from bifrncrn.curves.equilibria.newton import (
    ACROSS,
    ARRIVED,
    BY_ROUNDING,
    LEAST_DAMPING,
    NOT_FINITE,
    NOWHERE,
    SHORT,
    SINGULAR,
    SMALL,
    STOPPED,
    TOLERANCE,
)
from bifrncrn.curves.equilibria.step_kernels import newton_step
from bifrncrn.curves.equilibria.work import PIVOTS, STATES, WORK


@kernel
def slide(context, y, row, arrays):
    """Go from y to the curve in the plane normal to `row`; see `EquilibriumProblem.slide`.

    `arrays` holds units of the unknowns (n + 1), the walls (n and n), how far to go at most and how exactly to arrive,
    both in these units, in a row. y is overwritten. Returns 0 where it arrived.
    """
    c, at, unit = integers(context), doubles(y), doubles(arrays)
    n = c[STATES]
    m = n + 1
    low, high, limits = doubles(arrays + 8 * m), doubles(arrays + 8 * (m + n)), doubles(arrays + 8 * (m + 2 * n))
    at_inside, at_step = scratch_of(c, 2), scratch_of(c, 3)
    start, inside, step = doubles(scratch_of(c, 1)), doubles(at_inside), doubles(at_step)
    for j in range(m):
        start[j] = at[j]
    for _iteration in range(ACROSS):
        for j in range(m):
            inside[j] = min(max(at[j], low[j]), high[j]) if j < n else at[j]
            step[j] = unit[j]
        status = newton_step(context, at_inside, row, at_step, scratch_of(c, 12))
        if status != 0:
            return status
        total = 0.0
        change = 0.0
        for j in range(m):
            at[j] += step[j]
            away = (at[j] - start[j]) / unit[j]
            total += away * away
            change = max(change, abs(step[j]) / unit[j])
        if not math.sqrt(total) < limits[0]:
            return STOPPED
        if change < limits[1]:
            return ARRIVED
    return STOPPED


@kernel
def descend(context, y, arrays, iterations):
    """Do damped Newton iterations from y; see `bifrncrn.curves.equilibria.start`.

    Parameters
    ----------
    context, y
        The point is overwritten.
    arrays
        The walls of the states (n and n); then receives the states' sizes (n), as last measured, in a row.
    iterations
        A number.

    Returns
    -------
    int
        How it ended (`bifrncrn.curves.equilibria.newton`).
    """
    c, at = integers(context), doubles(y)
    n = c[STATES]
    size = doubles(arrays + 16 * n)
    at_row, at_step, at_trial = scratch_of(c, 1), scratch_of(c, 2), scratch_of(c, 3)
    row, step, trial, f = doubles(at_row), doubles(at_step), doubles(at_trial), doubles(c[WORK])
    first = _largest(at, n)
    for _iteration in range(iterations):
        least = max(_largest(at, n), first)
        for i in range(n):  # the units that a Newton step is told
            row[i] = 0.0
            step[i] = abs(at[i]) + (SMALL * least if least > 0.0 else 1.0)
        row[n] = 1.0
        step[n] = 1.0
        status = newton_step(context, y, at_row, at_step, scratch_of(c, 12))
        if status == NOT_FINITE:
            return NOWHERE
        if _largest(f, n) == 0.0:
            return ARRIVED
        if status != 0:
            return SINGULAR
        # a state that goes to zero has no size of its own: then that of the others counts, or what it was
        if least == 0.0:
            least = _largest(step, n)
        for i in range(n):
            size[i] = abs(at[i]) + SMALL * least
        if _largest(size, n) == 0.0:  # F is not zero, and there is no step
            return NOWHERE
        length = _ratio(step, size, n)
        if not length < math.inf:
            return NOWHERE
        if length < TOLERANCE:
            return SHORT
        damping = 1.0
        while not _shorter(c, at, step, damping, length, arrays, at_trial):
            damping *= 0.5
            if not damping > LEAST_DAMPING:
                return STOPPED
        for i in range(n):
            at[i] = trial[i]
    return STOPPED


@kernel
def _shorter(c, at, step, damping, length, arrays, at_trial):
    """Write a trial to its address; return whether the Newton step that its residual would cause is shorter.

    (Natural monotonicity; Deuflhard, Newton Methods for Nonlinear Problems, 3.1.)
    """
    n = c[STATES]
    m = n + 1
    low, high, size = doubles(arrays), doubles(arrays + 8 * n), doubles(arrays + 16 * n)
    trial, again, f = doubles(at_trial), doubles(scratch_of(c, 4)), doubles(c[WORK])
    for i in range(n):
        trial[i] = min(max(at[i] + damping * step[i], low[i]), high[i])
    trial[n] = at[n]
    evaluate(c, at_trial)
    for i in range(n):
        again[i] = -f[i]
    again[n] = 0.0
    lu_solve(doubles(c[WORK] + 8 * (3 * n + 1 + n * n)), m, integers(c[PIVOTS]), again)
    now = _ratio(again, size, n)
    return now <= max(1.0 - 0.25 * damping, 0.5) * length or now < BY_ROUNDING


@kernel
def _largest(x, n):
    """Return the largest entry in absolute value; NaN is left out."""
    big = 0.0
    for i in range(n):
        big = max(big, abs(x[i]))
    return big


@kernel
def _ratio(x, size, n):
    """Return the largest of |x_i| / size_i, infinity where one is not a number."""
    big = 0.0
    for i in range(n):
        share = abs(x[i]) / size[i]
        big = max(big, share) if share < math.inf else math.inf
    return big

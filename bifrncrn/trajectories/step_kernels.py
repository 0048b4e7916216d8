"""What every compiled method does at a step: evaluate the field, look for bounds, keep the state it came to.

`c` is the context of `bifrncrn.trajectories.steps_layout` as integers.
"""

from bifrncrn.compile.pointers import call_model3, doubles, kernel
from bifrncrn.trajectories.steps_layout import (
    ATOLS,
    CLOCK,
    COUNT,
    FIELD,
    LIMIT,
    LOWER,
    SIGN,
    SLACK,
    STATE,
    STATES,
    TIME,
    TIMES,
    TRAIL,
    VALUES,
)


@kernel
def rates_at(c, x, out, spare):
    """Write the field at x; where it is not finite beyond a bound, that at the bound. Return whether it is finite."""
    n = c[STATES]
    rates, lower, at = doubles(out), doubles(c[LOWER]), doubles(x)
    call_model3(c[FIELD], x, c[VALUES], out)
    total = 0.0
    for i in range(n):
        total += rates[i] * 0.0
    if total != 0.0:
        inside = doubles(spare)
        for i in range(n):
            inside[i] = max(at[i], lower[i])
        call_model3(c[FIELD], spare, c[VALUES], out)
        total = 0.0
        for i in range(n):
            total += rates[i] * 0.0
    if c[SIGN] < 0:
        for i in range(n):
            rates[i] = -rates[i]
    return total == 0.0


@kernel
def is_out(c, x, out, spare):
    """Say whether x is too large, or below its bounds with the field at the bound driving it on."""
    n = c[STATES]
    at, lower, clock = doubles(x), doubles(c[LOWER]), doubles(c[CLOCK])
    below = False
    for i in range(n):
        if not abs(at[i]) < clock[LIMIT]:
            return True
        below = below or at[i] < lower[i] - clock[SLACK] * doubles(c[ATOLS])[i]
    if not below:
        return False
    inside = doubles(spare)
    for i in range(n):
        inside[i] = max(at[i], lower[i])
    call_model3(c[FIELD], spare, c[VALUES], out)
    driven = False
    for i in range(n):
        driven = driven or (at[i] < lower[i] - clock[SLACK] * doubles(c[ATOLS])[i] and doubles(out)[i] * c[SIGN] < 0.0)
    return driven


@kernel
def kept(c, h, new):
    """Take a step: write the new state, put back to bounds that it is below by the error of a step.

    Returns whether it was put back.
    """
    n, clock = c[STATES], doubles(c[CLOCK])
    x, lower, at = doubles(c[STATE]), doubles(c[LOWER]), doubles(new)
    below = False
    for i in range(n):
        x[i] = at[i]
        below = below or x[i] < lower[i] - doubles(c[ATOLS])[i]
    clock[TIME] += h
    if below:
        for i in range(n):
            x[i] = max(x[i], lower[i])
    c[COUNT] += 1
    row = c[COUNT]
    doubles(c[TIMES])[row] = clock[TIME]
    for i in range(n):
        doubles(c[TRAIL])[row * n + i] = x[i]
    return below

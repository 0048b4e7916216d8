"""What is compared at both ends of a step, compiled: which special points lie between them.

`w` is the array of `bifrncrn.continuation.layout`; see `bifrncrn.continuation.march_kernels`.
"""

from bifrncrn.compile.pointers import doubles, kernel
from bifrncrn.continuation.layout import (
    BRANCH,
    FOLD,
    GROWS,
    INFO,
    INFO_SIGN,
    MARK_EVENT,
    MARK_GROWS,
    MARK_SHRINKS,
    MARK_SIGN,
    MARK_UNSTABLE,
    PAIR,
    REAL,
    SCALE,
    SHRINKS,
    SIZE,
    SPECTRA,
    SPECTRUM,
    TANGENTS,
    TESTS,
    TRIAL_REALS,
    TRIAL_TANGENT,
    TRIAL_VALUES,
    TURNS,
    UNSTABLE,
    USER,
    USER_EVENT,
    VALUES,
)
from bifrncrn.continuation.row_kernels import mark_of, row_of

NO_SLOPE = 1e-11
"""A parameter component of the unit tangent below this has no known sign: it is rounding."""
ONLY_NOISE = 1e-8
"""A lone real eigenvalue smaller than this, relatively, that changes sign where the determinant does not, is zero."""


@kernel
def is_flat(w, t):
    """Say whether the parameter does not move along a tangent but for rounding: which way it goes is not known."""
    last = w[SIZE] - 1
    return abs(t[last]) <= NO_SLOPE * doubles(w[SCALE])[last]


@kernel
def _turns(w, k):
    """Say whether the parameter turns between point k and the trial point, its way before being the last one known."""
    last = w[SIZE] - 1
    t = doubles(w[TRIAL_TANGENT])
    if is_flat(w, t):
        return False
    while k > 0 and mark_of(w, k, MARK_EVENT) == 0 and is_flat(w, row_of(w, TANGENTS, k)):
        k -= 1
    before = row_of(w, TANGENTS, k)
    return (before[last] > 0.0) != (t[last] > 0.0) and not is_flat(w, before)


@kernel
def special_between(w, k):
    """Return the one special point between point k and the trial point, 0 for none, -1 for more than one."""
    fold = w[TURNS] != 0 and _turns(w, k)
    turned = int(doubles(w[INFO])[INFO_SIGN]) != mark_of(w, k, MARK_SIGN)
    flat = is_flat(w, row_of(w, TANGENTS, k))
    jump = abs(w[UNSTABLE] - mark_of(w, k, MARK_UNSTABLE))
    crossed = (mark_of(w, k, MARK_GROWS) & w[SHRINKS]) | (mark_of(w, k, MARK_SHRINKS) & w[GROWS])
    if crossed != 0 and (not turned or crossed & (crossed - 1) != 0):
        return -1  # more than one of the states that stay zero, or one and something else
    found = 0
    event = 0
    if turned:  # an eigenvalue crosses zero, or touches it where the parameter turns as well
        event = BRANCH
        found = 1 if jump <= 1 else 2
    elif fold:
        event = FOLD
        found = 1 if jump == 1 or (jump == 0 and flat) or w[SPECTRUM] == 0 else 2
    elif jump > 1:
        event = PAIR if jump == 2 else REAL
        found = 1 if jump == 2 else 2
    elif jump == 1:
        _hold_zero(w, k)
    return event if found <= 1 else -1


@kernel
def _hold_zero(w, k):
    """Keep the number of unstable eigenvalues where it changed by one that is zero but for rounding.

    One alone changes sign at a turn of the determinant or the parameter; elsewhere its sign is not known.
    """
    reals = doubles(w[TRIAL_REALS])
    zero = reals[min(w[UNSTABLE], mark_of(w, k, MARK_UNSTABLE))]
    small = abs(zero) <= ONLY_NOISE * max(abs(reals[0]), abs(reals[w[SPECTRA] - 1]))
    if small or is_flat(w, doubles(w[TRIAL_TANGENT])):
        w[UNSTABLE] = mark_of(w, k, MARK_UNSTABLE)


@kernel
def crosses(w, k, i):
    """Say whether user test i changes sign between point k and the trial point."""
    return (row_of(w, VALUES, k)[i] > 0.0) != (doubles(w[TRIAL_VALUES])[i] > 0.0)


@kernel
def signature(w, k):
    """Return the one event between point k and the trial point, 0 for none, -1 for more than one; USER says which."""
    event = special_between(w, k)
    for i in range(w[TESTS]):
        if crosses(w, k, i):
            event = USER_EVENT if event == 0 else -1
            w[USER] = i
    return event

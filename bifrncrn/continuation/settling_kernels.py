"""What becomes of the events of a step, compiled: located, kept with a row, left where they cannot be.

`w` is the array of `bifrncrn.continuation.layout`; see `bifrncrn.continuation.march_kernels`.
"""

from bifrncrn.compile.pointers import doubles, integers, kernel
from bifrncrn.continuation.hidden_kernels import CLOSE_REAL, hidden_beside
from bifrncrn.continuation.layout import (
    AT_ROW,
    BRANCH,
    COUNT,
    EDGE,
    EVENT_STEP,
    FOLD,
    HIGH,
    INFO,
    INFO_SIGN,
    LEVEL,
    LOW,
    MARK_EVENT,
    MARK_SIGN,
    MARK_UNSTABLE,
    MARKS,
    MARKS_SIZE,
    MID,
    MID_IMAGS,
    MID_REALS,
    MID_TANGENT,
    NEWTONS,
    PAIR,
    RANGE,
    REASON,
    SETTINGS,
    SIZE,
    SPECTRA,
    SPECTRUM,
    STOPPED,
    STOPS,
    TANGENTS,
    TESTS,
    TRIAL,
    TRIAL_TANGENT,
    UNSTABLE,
    USER,
    USER_EVENT,
    WALL,
)
from bifrncrn.continuation.location_kernels import locate
from bifrncrn.continuation.row_kernels import mark_of, row_of, store
from bifrncrn.continuation.signature_kernels import crosses, special_between


@kernel
def _explains(w, k, event, which):
    """Say whether the event in MID alone accounts for the change since point k.

    A Hopf point beside a fold can change the number of unstable eigenvalues by one in all; it shows in the spectrum at
    the fold, where the eigenvalue that is zero has not the place it should have.
    """
    last = w[SIZE] - 1
    reals, imags = doubles(w[MID_REALS]), doubles(w[MID_IMAGS])
    if event == PAIR:
        same = (doubles(w[MID_TANGENT])[last] > 0.0) == (row_of(w, TANGENTS, k)[last] > 0.0)
        return imags[which] > 0.0 and same
    if event == FOLD and w[SPECTRUM] != 0:
        zero = abs(reals[which]) + abs(imags[which])
        for i in range(w[SPECTRA]):
            if abs(reals[i]) + abs(imags[i]) < zero:
                return False
    return True


@kernel
def settle(w, k, event, stretch):
    """Locate an event and store it after point k; return 1, 0 if only bracketed, -1 if the step must shrink."""
    which = w[USER] if event == USER_EVENT else min(w[UNSTABLE], mark_of(w, k, MARK_UNSTABLE))
    unstable, sign = w[UNSTABLE], doubles(w[INFO])[INFO_SIGN]
    found = locate(w, k, event, which)
    w[UNSTABLE] = unstable
    other = found >= 0 and not _explains(w, k, event, which)
    other |= found > 0 and event == FOLD and stretch > CLOSE_REAL and hidden_beside(w, k)
    if found < 0 or other:
        doubles(w[INFO])[INFO_SIGN] = sign
        least = 1e-6 if other else 1e-3 * doubles(w[SETTINGS])[EVENT_STEP]
        return -1 if stretch > least else 0
    w[NEWTONS] += found
    if found == 0:  # it is a row that was kept already; those after it lie beyond
        marks = integers(w[MARKS])
        at = w[AT_ROW] * MARKS_SIZE
        marks[at + MARK_EVENT] = USER_EVENT + which if event == USER_EVENT else event
        marks[at + MARK_UNSTABLE] = min(unstable, marks[at + MARK_UNSTABLE])
        for i in range(w[AT_ROW] + 1, k + 1):
            marks[i * MARKS_SIZE + MARK_UNSTABLE] = unstable
        return 1
    settings, p = doubles(w[SETTINGS]), doubles(w[MID])[w[SIZE] - 1]
    if p < settings[LOW] or p > settings[HIGH]:
        return _leave(w, k, settings[LOW] if p < settings[LOW] else settings[HIGH])
    code = USER_EVENT + which if event == USER_EVENT else event
    store(w, k + 1, MID, min(unstable, mark_of(w, k, MARK_UNSTABLE)), code, found)
    w[UNSTABLE] = unstable
    doubles(w[INFO])[INFO_SIGN] = sign
    return 1


@kernel
def settle_all(w, k):
    """Locate and store all that coincides between point k and the trial point; return the mark of the trial point."""
    unstable, sign, event = w[UNSTABLE], doubles(w[INFO])[INFO_SIGN], special_between(w, k)
    lower = min(unstable, mark_of(w, k, MARK_UNSTABLE))
    if event == -1:  # more than one special point: only bracketed
        before, after = row_of(w, TANGENTS, k)[w[SIZE] - 1], doubles(w[TRIAL_TANGENT])[w[SIZE] - 1]
        turned = int(sign) != mark_of(w, k, MARK_SIGN)
        mark = -BRANCH if turned else (-FOLD if before * after < 0.0 else -PAIR)
    elif event == 0 or (event != BRANCH and settle(w, k, event, 0.0) == 1):
        mark = 0
    else:
        mark = -event
    for i in range(w[TESTS]):
        if not crosses(w, k, i) or w[REASON] != 0:
            continue
        found = locate(w, k, USER_EVENT, i)
        if found > 0:
            w[NEWTONS] += found
            store(w, w[COUNT], MID, lower, USER_EVENT + i, found)
        w[UNSTABLE] = unstable
        doubles(w[INFO])[INFO_SIGN] = sign
        if found <= 0:
            store(w, w[COUNT], TRIAL, unstable, -USER_EVENT - i, 0)
        event = event if w[STOPS] & (1 << max(event, 0)) else USER_EVENT
    if w[REASON] == 0 and event > 0 and w[STOPS] & (1 << event):
        w[REASON] = STOPPED
    return mark


@kernel
def _leave(w, k, level):
    """End on the range's end before an event that lies beyond it (the event stands in MID)."""
    last = w[SIZE] - 1
    for i in range(last + 1):
        doubles(w[TRIAL])[i] = doubles(w[MID])[i]
        doubles(w[TRIAL_TANGENT])[i] = doubles(w[MID_TANGENT])[i]
    doubles(w[SETTINGS])[LEVEL] = level
    found = locate(w, k, EDGE, 0)
    if found < 0:
        return -1
    doubles(w[MID])[last] = level
    w[WALL] = last
    w[REASON] = RANGE
    store(w, k + 1, MID, mark_of(w, k, MARK_UNSTABLE), 0, found)
    return 1

"""The compiled march: predictor, corrector, step control, and the special points seen on the way.

It knows a curve only as N equations in N + 1 unknowns behind addresses; the last unknown is the continuation
parameter. Everything it needs stands in one array `w`, see `bifrncrn.continuation.layout`. Lengths are measured in
units of a scale that grows with the solution.

What a step may hide is looked for in three ways. The signs of the determinant of the bordered Jacobian, of the
parameter component of the tangent and of user tests, and the number of unstable eigenvalues, are compared at both
ends of a step: its signature. A state that stays zero (an extinct species) has an eigenvalue of its own, the rate at
which it would grow, whose sign belongs to the signature too. A signature of more than one special point makes the
step shrink until it holds one event, and what has one makes it shrink to a small length, beside which nothing else
hides. And where real parts of eigenvalues, continued from either side, may have touched zero without any change of
signature, or the parameter may have turned twice, the step is taken again in smaller pieces.
"""

from bifrncrn.compile.pointers import doubles, integers, kernel
from bifrncrn.continuation.correction_kernels import correct, finish, predict
from bifrncrn.continuation.end_kernels import (
    closes,
    drops,
    escapes,
    growth,
    onto_wall,
    passes_home,
    turn_between,
    wall_between,
)
from bifrncrn.continuation.hidden_kernels import CLOSE_REAL, hidden_folds, hides
from bifrncrn.continuation.layout import (
    ANGLE,
    BAD_VALUE,
    BOUND,
    BRANCH,
    CAPACITY,
    COUNT,
    ENDING,
    EVENT_STEP,
    FIRST_STEP,
    FLOOR,
    FOLD,
    FULL,
    GUESS,
    HIGH,
    HOLD,
    HOME,
    INFINITY,
    INFO,
    INFO_CONTRACTION,
    INFO_FIRST,
    INFO_SIGN,
    LARGEST_STEP,
    LEAST_STEP,
    LEVEL,
    LOW,
    NEWTONS,
    NOT_FINITE,
    OUTSIDE,
    PAIR,
    POINTS,
    RANGE,
    REASON,
    REJECTED,
    ROW,
    RUNNING,
    SCALE,
    SETTINGS,
    SHORT,
    SIZE,
    SLOW,
    SPECTRA,
    STATUS,
    STOPPED,
    STOPS,
    TANGENTS,
    TRIAL,
    TRIAL_TANGENT,
    UNSTABLE,
    USER,
    USER_EVENT,
    WALL,
    WEIGHT,
)
from bifrncrn.continuation.row_kernels import distance, row_of, set_weights, store
from bifrncrn.continuation.settling_kernels import settle, settle_all
from bifrncrn.continuation.signature_kernels import signature

CONTRACTION = 0.25
"""A Newton step must shrink at least this much, else another branch may be near."""
AT_WALL = 1e-5
"""A branch whose way to a wall is shorter than this, but which has no regular point on it, ends there."""
TOGETHER = 1e-6
"""Events that are not further apart than this are located as one."""
AGAIN = 0.3
"""What may hide something is taken again in steps of this part of it."""


@kernel
def _try(w, k, h):
    """Make the trial point, a step h from point k or on the wall before; return Newton iterations or a failure.

    ENDING is set where the trial point would be the last one, REASON where point k is the last one already.
    """
    settings, y = doubles(w[SETTINGS]), row_of(w, POINTS, k)
    t, guess, trial = row_of(w, TANGENTS, k), doubles(w[GUESS]), doubles(w[TRIAL])
    w[ENDING] = 0
    predict(w, k, h)
    wall = wall_between(w, y, guess)
    if wall < 0:
        for i in range(w[SIZE]):
            trial[i] = guess[i]
            doubles(w[ROW])[i] = doubles(w[WEIGHT])[i] * t[i]
        status = correct(w, trial)
        if status > 0 and (wall_between(w, y, trial) >= 0 or drops(w, y, trial)):
            return OUTSIDE
        if status > 0:
            finish(w, trial, TRIAL)
        return status
    w[WALL] = wall
    w[ENDING] = RANGE if wall == w[SIZE] - 1 else BOUND
    gap = abs(y[wall] - settings[LEVEL]) / doubles(w[SCALE])[wall]
    away = guess[wall] - y[wall]
    if gap <= 1e-12 and (t[wall] * away > 0.0 or abs(t[wall]) < 1e-9):
        y[wall] = settings[LEVEL]
        w[REASON] = w[ENDING]
        return 1
    status = onto_wall(w, y, wall)
    if status > 0 and distance(w, trial, y) > 2.0 * h:
        status = SLOW
    reach = h * abs(settings[LEVEL] - y[wall]) / abs(away) if away != 0.0 else 0.0
    if status < 0 and reach <= AT_WALL and w[ENDING] == BOUND:
        w[REASON] = BOUND  # it meets another branch on the wall: as near as can be before rounding rules
        return 1
    return status


@kernel
def _retry_length(w, k, h, status):
    """Return the length of the next try after a failed correction."""
    if w[ENDING] == 0:  # not by halving: that lands on a branch point in the middle of a symmetric range for ever
        return 0.25 * h if status == BAD_VALUE else 0.45 * h
    y, guess = row_of(w, POINTS, k), doubles(w[GUESS])
    gap = abs(doubles(w[SETTINGS])[LEVEL] - y[w[WALL]])
    return h * max(0.5 * min(gap / abs(guess[w[WALL]] - y[w[WALL]]), 1.0), 0.05)


@kernel
def _start(w):
    """Correct the first point and complete it: tangent (oriented as given), spectrum, tests."""
    size = w[SIZE]
    y, t = doubles(w[POINTS]), doubles(w[TANGENTS])
    for i in range(size):
        doubles(w[RUNNING])[i] = doubles(w[FLOOR])[i]
        doubles(w[SCALE])[i] = doubles(w[FLOOR])[i]
    set_weights(w, y)
    for i in range(size):
        doubles(w[TRIAL])[i] = y[i]
        doubles(w[ROW])[i] = doubles(w[WEIGHT])[i] * t[i]
    status = correct(w, doubles(w[TRIAL]))
    if status < 0:
        w[REASON] = NOT_FINITE if status == BAD_VALUE else SHORT
        return status
    settings, p = doubles(w[SETTINGS]), doubles(w[TRIAL])[size - 1]
    rounding = 1e-9 * doubles(w[SCALE])[size - 1]
    if p < settings[LOW] - rounding or p > settings[HIGH] + rounding:
        w[REASON] = SHORT
        return OUTSIDE
    finish(w, doubles(w[TRIAL]), TRIAL)
    store(w, 0, TRIAL, w[UNSTABLE], 0, status)
    return status


@kernel
def _look_for_home(w, k, h):
    """End the step on the first point where it passes that."""
    if w[HOME] == 0 or w[ENDING] != 0 or k <= 2:
        return
    info = doubles(w[INFO])
    sign, unstable = info[INFO_SIGN], w[UNSTABLE]
    if passes_home(w, k, h):
        closes(w)
    else:
        info[INFO_SIGN] = sign
        w[UNSTABLE] = unstable


@kernel
def _taken_again(w, k, event, stretch):
    """Return the length at which a step is taken again, for what it may hide or for one event alone; 0: it stands."""
    if event in (0, PAIR, USER_EVENT):
        hidden = 2 if stretch > CLOSE_REAL and hidden_folds(w, k) else 0
        if hidden == 0 and event == 0:
            hidden = hides(w, k)
        if hidden != 0:
            w[HOLD] = 3
            if hidden == 1:
                w[COUNT] = k
                return AGAIN * distance(w, row_of(w, POINTS, k), row_of(w, POINTS, k - 1))
            return AGAIN * stretch
    # beside one that crosses, others may cross to and fro
    pinned = event == BRANCH or (event in (PAIR, FOLD) and w[SPECTRA] > 1)
    if (event == -1 and stretch > TOGETHER) or (pinned and stretch > doubles(w[SETTINGS])[EVENT_STEP]):
        w[HOLD] = 1
        return AGAIN * stretch
    return 0.0


@kernel
def _advance(w, k, h):
    """Try one step of length h from point k; return the length for the next one (COUNT says what was stored)."""
    settings, info = doubles(w[SETTINGS]), doubles(w[INFO])
    y, t = row_of(w, POINTS, k), row_of(w, TANGENTS, k)
    set_weights(w, y)
    status = _try(w, k, h)
    w[STATUS] = status
    if w[REASON] != 0:
        return h
    w[REJECTED] += 1  # taken back below, where the step is accepted
    if status < 0:
        w[HOLD] = 2
        return _retry_length(w, k, h, status)
    newtons, contraction = status, info[INFO_CONTRACTION]
    w[NEWTONS] += newtons
    turn = turn_between(w, t, doubles(w[TRIAL_TANGENT]))
    slow = info[INFO_FIRST] > 1e-7 and contraction > CONTRACTION
    strange = w[ENDING] == 0 and info[INFO_FIRST] > 0.5 * max(turn, 0.01) * h + 1e-9
    if not turn <= settings[ANGLE] or slow or strange:
        w[HOLD] = 1
        w[STATUS] = SLOW
        return h * (max(0.3, min(0.7, 0.8 * settings[ANGLE] / turn)) if turn > settings[ANGLE] else 0.5)
    _look_for_home(w, k, h)
    stretch = distance(w, y, doubles(w[TRIAL]))
    event = signature(w, k)
    again = _taken_again(w, k, event, stretch)
    if again > 0.0:
        return again
    if event == BRANCH:
        event = -BRANCH
    elif event == -1:
        event = settle_all(w, k)
        if w[REASON] != 0 and event == 0:
            w[REJECTED] -= 1
            return h
    elif event != 0:
        settled = settle(w, k, event, stretch)
        if settled < 0:
            w[HOLD] = 1
            return AGAIN * stretch
        if settled == 1 and w[STOPS] & (1 << min(event, USER_EVENT)):
            w[REASON] = STOPPED
        if w[REASON] != 0:
            w[REJECTED] -= 1
            return h
        event = 0 if settled == 1 else (-event - w[USER] if event == USER_EVENT else -event)
    w[REJECTED] -= 1
    store(w, w[COUNT], TRIAL, w[UNSTABLE], event, newtons)
    w[REASON] = max(w[ENDING], w[REASON])
    if w[REASON] == 0 and escapes(w):
        w[REASON] = INFINITY
    if event < 0 and w[STOPS] & (1 << min(-event, USER_EVENT)):
        w[REASON] = STOPPED
    return min(h * growth(w, turn, newtons, contraction), settings[LARGEST_STEP])


@kernel
def march(address):
    """Follow a curve from its first point until it ends; the arrays behind `address` receive what was found."""
    w = integers(address)
    settings = doubles(w[SETTINGS])
    if w[COUNT] == 0:
        _start(w)
    h = settings[FIRST_STEP]
    while w[REASON] == 0:
        if w[COUNT] + 2 > w[CAPACITY]:
            w[REASON] = FULL
            settings[FIRST_STEP] = h  # with more room it goes on from here
        elif not h >= settings[LEAST_STEP]:
            w[REASON] = NOT_FINITE if w[STATUS] == BAD_VALUE else SHORT
        else:
            h = _advance(w, w[COUNT] - 1, h)
    return 0

"""From a guess to a point of the curve, compiled: predictor, Newton corrector, tangent and spectrum.

`w` is the array of `bifrncrn.continuation.layout`; see `bifrncrn.continuation.march_kernels`.
"""

import math

from bifrncrn.compile.pointers import address_of, call2, call4, call5, doubles, kernel
from bifrncrn.continuation.layout import (
    CONTEXT,
    GROWS,
    GUESS,
    INFO,
    INFO_CONTRACTION,
    INFO_FIRST,
    INFO_GROWS,
    INFO_SHRINKS,
    LOWER,
    NEWTON_STEP,
    OUTSIDE,
    POINTS,
    ROW,
    SCALE,
    SETTINGS,
    SHRINKS,
    SINGULAR,
    SIZE,
    SLOW,
    SOLVE_AGAIN,
    SPECTRUM,
    STEP,
    TANGENTS,
    TESTS,
    TOLERANCE,
    TRIAL,
    UNSTABLE,
    UPPER,
    USER_TESTS,
    WEIGHT,
)
from bifrncrn.continuation.row_kernels import BEYOND, count_unstable, distance, inner, row_of

MAX_NEWTON = 8
MAX_POLISH = 3
FRESH = 1e-9
"""The Jacobian, hence tangent and spectrum, of a point stem from the iterate before it: no further off than this."""
SMALL_STATE, DIGITS = 1e-2, 1e-9
"""A state below this fraction of its unit is corrected until so many digits of it stand."""


@kernel
def _outside(w, y):
    """Say whether a state is beyond its wall; rounding beyond a wall is put back onto it."""
    lower, upper, scale = doubles(w[LOWER]), doubles(w[UPPER]), doubles(w[SCALE])
    for i in range(w[SIZE] - 1):
        if y[i] < lower[i]:
            if y[i] < lower[i] - BEYOND * scale[i]:
                return True
            y[i] = lower[i]
        elif y[i] > upper[i]:
            if y[i] > upper[i] + BEYOND * scale[i]:
                return True
            y[i] = upper[i]
    return False


@kernel
def newton_step(w, y):
    """Write to STEP the Newton step from the point at the address `y` normal to ROW; return 0 or why there is none."""
    step, scale = doubles(w[STEP]), doubles(w[SCALE])
    for i in range(w[SIZE]):
        step[i] = scale[i]
    return call5(w[NEWTON_STEP], w[CONTEXT], y, w[ROW], w[STEP], w[INFO])


@kernel
def _iterate(w, y):
    """Do Newton iterations until the step is small in units of length; return their number or a failure."""
    step, info = doubles(w[STEP]), doubles(w[INFO])
    tolerance = doubles(w[SETTINGS])[TOLERANCE]
    previous = 0.0
    near = False
    info[INFO_CONTRACTION] = 0.0
    for k in range(MAX_NEWTON):
        if _outside(w, y):
            return OUTSIDE
        status = newton_step(w, address_of(y))
        if status != 0:
            return -status
        length = math.sqrt(inner(w, step, step))
        if not math.isfinite(length):
            return SINGULAR
        for i in range(w[SIZE]):
            y[i] += step[i]
        if k == 0:
            info[INFO_FIRST] = length
            if length <= tolerance:
                return 1
        elif near:
            return k + 1
        else:
            ratio = length / previous if previous > 0.0 else 0.0
            if length > 1e-9:
                info[INFO_CONTRACTION] = max(info[INFO_CONTRACTION], ratio)
                if ratio > 0.7:
                    return SLOW
            elif ratio > 0.5:
                return k + 1  # at the level of rounding
            if length * ratio <= tolerance:
                if length <= FRESH:
                    return k + 1
                near = True
        previous = length
    return SLOW


@kernel
def correct(w, y):
    """Bring `y` onto the curve inside the hyperplane whose normal is ROW; return Newton iterations or a failure.

    The unit of a state is not smaller than what it was: one that has become small beside it gets steps of its own.
    """
    spent = _iterate(w, y)
    step, scale = doubles(w[STEP]), doubles(w[SCALE])
    for _ in range(MAX_POLISH):
        if spent < 0:
            return spent
        rough = False
        for i in range(w[SIZE] - 1):
            rough |= abs(y[i]) < SMALL_STATE * scale[i] and abs(step[i]) > DIGITS * abs(y[i])
        if not rough or _outside(w, y):
            return spent
        status = newton_step(w, address_of(y))
        if status != 0:
            return -status
        for i in range(w[SIZE]):
            y[i] += step[i]
        spent += 1
    return spent


@kernel
def finish(w, y, base):
    """Compute tangent, spectrum and user tests of a corrected point into the vectors from `base` on."""
    t = doubles(w[base + 1])
    last = w[SIZE] - 1
    for i in range(last):
        t[i] = 0.0
    t[last] = 1.0
    call2(w[SOLVE_AGAIN], w[CONTEXT], w[base + 1])
    length = math.sqrt(inner(w, t, t))
    for i in range(last + 1):
        t[i] /= length
    if base == TRIAL:
        w[GROWS], w[SHRINKS] = int(doubles(w[INFO])[INFO_GROWS]), int(doubles(w[INFO])[INFO_SHRINKS])
    w[UNSTABLE] = -1
    if w[SPECTRUM] != 0:
        call4(w[SPECTRUM], w[CONTEXT], w[base + 2], w[base + 3], 0)
        w[UNSTABLE] = count_unstable(w, doubles(w[base + 2]), doubles(w[base + 3]))
    if w[TESTS] > 0:
        call4(w[USER_TESTS], w[CONTEXT], address_of(y), w[base + 1], w[base + 4])


@kernel
def predict(w, k, h):
    """Extrapolate a step h to GUESS, from points k-1 and k (cubic Hermite) or, with one point, along the tangent."""
    size = w[SIZE]
    guess, weight = doubles(w[GUESS]), doubles(w[WEIGHT])
    y, t = row_of(w, POINTS, k), row_of(w, TANGENTS, k)
    if k > 0:
        before, old = row_of(w, POINTS, k - 1), row_of(w, TANGENTS, k - 1)
        back = distance(w, y, before)
        if back > 0.2 * h:
            speed0, speed1 = math.sqrt(inner(w, old, old)), math.sqrt(inner(w, t, t))
            bend2 = 0.0
            for i in range(size):
                t0, t1 = old[i] / speed0, t[i] / speed1
                gap = before[i] - y[i]
                c2 = (3.0 * gap + back * (2.0 * t1 + t0)) / (back * back)
                c3 = (2.0 * gap + back * (t1 + t0)) / (back * back * back)
                bend = h * h * (c2 + h * c3)
                guess[i] = y[i] + h * t1 + bend
                bend2 += weight[i] * bend * bend
            if bend2 < 0.04 * h * h:
                return
    for i in range(size):
        guess[i] = y[i] + h * t[i]

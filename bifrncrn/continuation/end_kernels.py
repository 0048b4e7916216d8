"""Where a march ends, compiled: on a wall, at home again, on the way to infinity.

`w` is the array of `bifrncrn.continuation.layout`; see `bifrncrn.continuation.march_kernels`.
"""

import math

from bifrncrn.compile.pointers import doubles, kernel
from bifrncrn.continuation.correction_kernels import correct, finish, newton_step
from bifrncrn.continuation.hidden_kernels import ROUNDING
from bifrncrn.continuation.layout import (
    ANGLE,
    CHANGE,
    CLOSED,
    ENDING,
    FLOOR,
    GROWS,
    GUESS,
    HIGH,
    HOLD,
    IMAGS,
    INFO,
    INFO_SIGN,
    LEVEL,
    LIMIT,
    LOW,
    LOWER,
    MARK_GROWS,
    MARK_SHRINKS,
    MARK_SIGN,
    MARK_UNSTABLE,
    MID,
    NORM,
    POINTS,
    RATIO,
    REALS,
    ROW,
    SCALE,
    SETTINGS,
    SHRINKS,
    SINGULAR,
    SIZE,
    SPECTRA,
    STEP,
    TANGENTS,
    TESTS,
    TRIAL,
    TRIAL_IMAGS,
    TRIAL_REALS,
    TRIAL_TANGENT,
    TRIAL_VALUES,
    UNSTABLE,
    UPPER,
    VALUES,
    WEIGHT,
)
from bifrncrn.continuation.row_kernels import BEYOND, distance, inner, mark_of, put_between, row_of

ON_WALL = 1e-10
"""A state nearer to its wall than this, in units of its length, may be on it but for rounding."""
GROWN = 1e3
"""A state that has grown by less than this is not on its way to infinity."""
FAR_OUT = 1e12
"""One that has grown by more is, also where the parameter does not move at all."""
UNRESOLVED = 1e4
"""The parameter's change while the state doubles, in ten steps or so, is resolved above this multiple of rounding."""
SAMPLES, ASIDE = 8, 1e-9
"""Rounding is seen at so many states, one and the next differing by this fraction of them."""
STEADY = 0.2
"""The largest relative difference of two ratios that are one and the same on the way to infinity."""


@kernel
def wall_between(w, y, guess):
    """Return the first wall (a state's bound, or the last index: the range) from y to guess; LEVEL its value.

    Rounding beyond a wall is put back onto it: a state that is zero all along a branch does not leave the orthant.
    """
    lower, upper, settings, scale = doubles(w[LOWER]), doubles(w[UPPER]), doubles(w[SETTINGS]), doubles(w[SCALE])
    last = w[SIZE] - 1
    first = -1
    nearest = 2.0
    for i in range(last + 1):
        bottom = settings[LOW] if i == last else lower[i]
        top = settings[HIGH] if i == last else upper[i]
        if guess[i] < bottom or guess[i] > top:
            level = bottom if guess[i] < bottom else top
            # near a branch point on the wall the tangent of a state that is zero carries a thousandfold rounding
            slack = ON_WALL if abs(y[i] - level) <= BEYOND * scale[i] else BEYOND
            if i < last and abs(guess[i] - level) <= slack * scale[i]:
                guess[i] = level
                continue
            fraction = (level - y[i]) / (guess[i] - y[i]) if guess[i] != y[i] else 0.0
            if fraction < nearest or (i == last and fraction <= nearest + 1e-9):
                nearest = fraction
                first = i
                settings[LEVEL] = level
    return first


@kernel
def drops(w, y, trial):
    """Say whether a state has dropped onto its wall from well off it, that is onto another branch, which lies there."""
    lower, upper, scale = doubles(w[LOWER]), doubles(w[UPPER]), doubles(w[SCALE])
    for i in range(w[SIZE] - 1):
        gap = min(abs(trial[i] - lower[i]), abs(trial[i] - upper[i]))
        if (
            gap <= ON_WALL * scale[i]
            and min(abs(y[i] - lower[i]), abs(y[i] - upper[i])) > 1e3 * gap + BEYOND * scale[i]
        ):
            return True
    return False


@kernel
def onto_wall(w, y, wall):
    """Solve for the point of the curve on a wall, on the way from y to GUESS; return Newton iterations or a failure."""
    guess, trial, row = doubles(w[GUESS]), doubles(w[TRIAL]), doubles(w[ROW])
    level = doubles(w[SETTINGS])[LEVEL]
    fraction = (level - y[wall]) / (guess[wall] - y[wall]) if guess[wall] != y[wall] else 0.0
    for i in range(w[SIZE]):
        trial[i] = y[i] + fraction * (guess[i] - y[i])
        row[i] = 0.0
    trial[wall] = level
    row[wall] = 1.0
    status = correct(w, trial)
    if status < 0:
        return status
    trial[wall] = level
    finish(w, trial, TRIAL)
    t = doubles(w[TRIAL_TANGENT])
    if not math.isfinite(inner(w, t, t)):
        return SINGULAR
    if guess[wall] < y[wall]:
        # this border points back along the branch: turn tangent and determinant round
        for i in range(w[SIZE]):
            t[i] = -t[i]
        doubles(w[INFO])[INFO_SIGN] = -doubles(w[INFO])[INFO_SIGN]
    return status


@kernel
def turn_between(w, t0, t1):
    """Return the largest change of a component of the unit tangent: the angle between successive tangents."""
    n0, n1 = math.sqrt(inner(w, t0, t0)), math.sqrt(inner(w, t1, t1))
    weight = doubles(w[WEIGHT])
    worst = 0.0
    for i in range(w[SIZE]):
        worst = max(worst, abs(t1[i] / n1 - t0[i] / n0) * math.sqrt(weight[i]))
    return worst


@kernel
def passes_home(w, k, h):
    """Say whether the step from point k to the trial point passes the first point, going the same way."""
    size = w[SIZE]
    y, t = row_of(w, POINTS, k), row_of(w, TANGENTS, k)
    home, tangent = row_of(w, POINTS, 0), row_of(w, TANGENTS, 0)
    trial, mid, row, weight = doubles(w[TRIAL]), doubles(w[MID]), doubles(w[ROW]), doubles(w[WEIGHT])
    if distance(w, y, home) > 1.5 * h or distance(w, trial, home) > 1.5 * h:
        return False
    own = inner(w, tangent, tangent)
    before = inner(w, tangent, home) - inner(w, tangent, y)
    after = inner(w, tangent, trial) - inner(w, tangent, home)
    along = inner(w, tangent, doubles(w[TRIAL_TANGENT]))
    if before < 0.0 or after < 0.0 or before + after == 0.0 or along < 0.5 * math.sqrt(own):
        return False
    put_between(w, y, t, before / (before + after))
    beside = (inner(w, tangent, mid) - inner(w, tangent, home)) / own
    for i in range(size):
        row[i] = weight[i] * tangent[i]
        mid[i] -= beside * tangent[i]
    return correct(w, mid) > 0 and distance(w, mid, home) < 1e-7


@kernel
def closes(w):
    """Make the first point the trial point."""
    size, spectra = w[SIZE], w[SPECTRA]
    for i in range(size):
        doubles(w[TRIAL])[i] = doubles(w[POINTS])[i]
        doubles(w[TRIAL_TANGENT])[i] = doubles(w[TANGENTS])[i]
    for i in range(spectra):
        doubles(w[TRIAL_REALS])[i] = doubles(w[REALS])[i]
        doubles(w[TRIAL_IMAGS])[i] = doubles(w[IMAGS])[i]
    for i in range(w[TESTS]):
        doubles(w[TRIAL_VALUES])[i] = doubles(w[VALUES])[i]
    doubles(w[INFO])[INFO_SIGN] = mark_of(w, 0, MARK_SIGN)
    w[UNSTABLE] = mark_of(w, 0, MARK_UNSTABLE)
    w[GROWS], w[SHRINKS] = mark_of(w, 0, MARK_GROWS), mark_of(w, 0, MARK_SHRINKS)
    w[ENDING] = CLOSED


@kernel
def growth(w, turn, newtons, contraction):
    """Return by how much the next step may be longer, from the angle turned and the corrector's effort."""
    factor = 2.0
    if turn > 0.0:
        factor = min(factor, 0.6 * doubles(w[SETTINGS])[ANGLE] / turn)
    if contraction > 0.05:
        factor = min(factor, math.sqrt(0.05 / contraction))
    if newtons > 4 and contraction > 0.05:  # else the last iterations were rounding
        factor = min(factor, 0.8)
    if w[HOLD] > 0:
        w[HOLD] -= 1
        factor = min(factor, 1.0)
    return max(factor, 0.4)


@kernel
def escapes(w):
    """Say whether the branch goes to infinity at a limit of the parameter that rounding does not resolve any further.

    Each time the state has doubled, the change of the parameter since the last time is noted. On the way to infinity
    it is a constant share of the one before (a power law). The branch ends where it is no longer resolved.
    """
    settings, y = doubles(w[SETTINGS]), doubles(w[TRIAL])
    last = w[SIZE] - 1
    size = 0.0
    for i in range(last):
        size = max(size, abs(y[i]) / doubles(w[FLOOR])[i])
    if size < 2.0 * settings[NORM]:
        return False
    settings[NORM] = size
    change = y[last] - settings[LIMIT]
    ratio = change / settings[CHANGE] if settings[CHANGE] != 0.0 else 0.0
    steady = abs(ratio - settings[RATIO]) <= STEADY * ratio and 0.0 < ratio < 1.0 - STEADY
    settings[LIMIT], settings[CHANGE], settings[RATIO] = y[last], change, ratio
    if size < GROWN or not (steady or size > FAR_OUT):
        return False
    row, weight, t = doubles(w[ROW]), doubles(w[WEIGHT]), doubles(w[TRIAL_TANGENT])
    mid = doubles(w[MID])
    for i in range(last + 1):
        mid[i] = y[i]
        row[i] = weight[i] * t[i]
    noise = ROUNDING * max(abs(y[last]), settings[HIGH] - settings[LOW])
    # from states so little off, Newton's method goes to the same parameter but for rounding
    for turn in range(SAMPLES):
        for i in range(last):
            mid[i] = y[i] * (1.0 + ASIDE * turn)
        if newton_step(w, w[MID]) != 0:
            return True
        noise = max(noise, abs(doubles(w[STEP])[last]))
    if abs(change) > UNRESOLVED * noise:
        return False
    if steady:
        settings[LIMIT] += change * ratio / (1.0 - ratio)
    return True

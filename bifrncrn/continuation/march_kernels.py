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

import math

from bifrncrn.compile.pointers import address_of, call2, call4, call5, doubles, integers, kernel
from bifrncrn.continuation.layout import (
    ACCEPT,
    ANGLE,
    AT_ROW,
    BAD_VALUE,
    BOUND,
    BRANCH,
    CAPACITY,
    CHANGE,
    CLOSED,
    CONTEXT,
    COUNT,
    EDGE,
    ENDING,
    EVENT_STEP,
    FIRST_STEP,
    FLOOR,
    FOLD,
    FULL,
    GROWS,
    GUESS,
    HIGH,
    HOLD,
    HOME,
    IMAGS,
    INFINITY,
    INFO,
    INFO_CONTRACTION,
    INFO_FIRST,
    INFO_GROWS,
    INFO_SHRINKS,
    INFO_SIGN,
    LARGEST_STEP,
    LEAST_STEP,
    LEVEL,
    LIMIT,
    LOW,
    LOWER,
    MARK_EVENT,
    MARK_GROWS,
    MARK_NEWTON,
    MARK_SHRINKS,
    MARK_SIGN,
    MARK_UNSTABLE,
    MARKS,
    MARKS_SIZE,
    MID,
    MID_IMAGS,
    MID_REALS,
    MID_TANGENT,
    MID_VALUES,
    NEWTON_STEP,
    NEWTONS,
    NORM,
    NOT_FINITE,
    OUTSIDE,
    PAIR,
    POINTS,
    RANGE,
    RATIO,
    REAL,
    REALS,
    REASON,
    REJECTED,
    ROW,
    RUNNING,
    SCALE,
    SETTINGS,
    SHORT,
    SHRINKS,
    SINGULAR,
    SIZE,
    SLOW,
    SOLVE_AGAIN,
    SPECTRA,
    SPECTRUM,
    STATUS,
    STEP,
    STOPPED,
    STOPS,
    TANGENTS,
    TESTS,
    TOLERANCE,
    TRIAL,
    TRIAL_IMAGS,
    TRIAL_REALS,
    TRIAL_TANGENT,
    TRIAL_VALUES,
    TURNS,
    UNSTABLE,
    UPPER,
    USER,
    USER_EVENT,
    USER_TESTS,
    VALUES,
    WALL,
    WEIGHT,
)

MAX_NEWTON = 8
MAX_POLISH = 3
CONTRACTION = 0.25
"""A Newton step must shrink at least this much, else another branch may be near."""
FRESH = 1e-9
"""The Jacobian, hence tangent and spectrum, of a point stem from the iterate before it: no further off than this."""
AT_WALL = 1e-5
"""A branch whose way to a wall is shorter than this, but which has no regular point on it, ends there."""
ON_WALL = 1e-10
"""A state nearer to its wall than this, in units of its length, may be on it but for rounding."""
NO_SLOPE = 1e-11
"""A parameter component of the unit tangent below this has no known sign: it is rounding."""
TOGETHER = 1e-6
"""Events that are not further apart than this are located as one."""
CLOSE_PAIR = 1e-6
"""A shorter step is not searched for two Hopf points: between them the real part is but rounding."""
CLOSE_TESTS = 2e-3
"""A shorter step is not searched for two zeros of a user test."""
CLOSE_REAL = 2e-5
"""The same for two folds or branch points; nearer to a branch point, rounding has the tangent's direction."""
ZERO_REAL = 1e-13
"""The real part of a complex pair is but rounding below this fraction of its modulus: fast unknowns do not count."""
ROUNDING = 2e-16
"""Of the largest eigenvalue, what rounding may make of any, at worst."""
ONLY_NOISE = 1e-8
"""A lone real eigenvalue smaller than this, relatively, that changes sign where the determinant does not, is zero."""
ON_ROW = 1e-9
"""An indicator that has the same sign at both ends, but at one of them is this much smaller, is zero there."""
NO_ROOT = 0.1
"""Where an indicator is larger than this share of its ends, it has a pole or a jump, and no zero."""
SMALL_STATE, DIGITS = 1e-2, 1e-9
"""A state below this fraction of its unit is corrected until so many digits of it stand."""
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
def _row(w, block, k, width):
    """Return row k of a block of results."""
    return doubles(w[block] + 8 * k * width)


@kernel
def _mark(w, k, which):
    return integers(w[MARKS])[k * MARKS_SIZE + which]


@kernel
def _set_weights(w, y):
    """Set the unit of length of every component at `y`, and the weights of the inner product."""
    last = w[SIZE] - 1
    running, scale, weight = doubles(w[RUNNING]), doubles(w[SCALE]), doubles(w[WEIGHT])
    for i in range(last):
        size = abs(y[i])
        running[i] = max(running[i], 0.1 * size)
        scale[i] = max(size, running[i])
        weight[i] = 1.0 / (scale[i] * scale[i] * last)
    weight[last] = 1.0 / (scale[last] * scale[last])


@kernel
def _dot(w, u, v):
    weight = doubles(w[WEIGHT])
    total = 0.0
    for i in range(w[SIZE]):
        total += weight[i] * u[i] * v[i]
    return total


@kernel
def _distance(w, u, v):
    weight = doubles(w[WEIGHT])
    total = 0.0
    for i in range(w[SIZE]):
        total += weight[i] * (u[i] - v[i]) * (u[i] - v[i])
    return math.sqrt(total)


@kernel
def _outside(w, y):
    """Say whether a state is beyond its wall; rounding beyond a wall is put back onto it."""
    lower, upper, scale = doubles(w[LOWER]), doubles(w[UPPER]), doubles(w[SCALE])
    for i in range(w[SIZE] - 1):
        if y[i] < lower[i]:
            if y[i] < lower[i] - 1e-13 * scale[i]:
                return True
            y[i] = lower[i]
        elif y[i] > upper[i]:
            if y[i] > upper[i] + 1e-13 * scale[i]:
                return True
            y[i] = upper[i]
    return False


@kernel
def _newton_step(w, y):
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
        status = _newton_step(w, address_of(y))
        if status != 0:
            return -status
        length = math.sqrt(_dot(w, step, step))
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
def _correct(w, y):
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
        status = _newton_step(w, address_of(y))
        if status != 0:
            return -status
        for i in range(w[SIZE]):
            y[i] += step[i]
        spent += 1
    return spent


@kernel
def _finish(w, y, base):
    """Compute tangent, spectrum and user tests of a corrected point into the vectors from `base` on."""
    t = doubles(w[base + 1])
    last = w[SIZE] - 1
    for i in range(last):
        t[i] = 0.0
    t[last] = 1.0
    call2(w[SOLVE_AGAIN], w[CONTEXT], w[base + 1])
    length = math.sqrt(_dot(w, t, t))
    for i in range(last + 1):
        t[i] /= length
    if base == TRIAL:
        w[GROWS], w[SHRINKS] = int(doubles(w[INFO])[INFO_GROWS]), int(doubles(w[INFO])[INFO_SHRINKS])
    w[UNSTABLE] = -1
    if w[SPECTRUM] != 0:
        call4(w[SPECTRUM], w[CONTEXT], w[base + 2], w[base + 3], 0)
        before = _mark(w, w[COUNT] - 1, MARK_UNSTABLE) if w[COUNT] > 0 else 0
        w[UNSTABLE] = _count_unstable(doubles(w[base + 2]), doubles(w[base + 3]), w[SPECTRA], before)
    if w[TESTS] > 0:
        call4(w[USER_TESTS], w[CONTEXT], address_of(y), w[base + 1], w[base + 4])


@kernel
def _count_unstable(reals, imags, n, before):
    """Return the number of eigenvalues with positive real part; pairs of which it is not known stay as `before`."""
    count = 0
    unknown = 0
    for i in range(n):
        if imags[i] != 0.0 and abs(reals[i]) <= ZERO_REAL * abs(imags[i]):
            unknown += 1
        elif reals[i] > 0.0:
            count += 1
    return count + unknown if before >= count + unknown else count


@kernel
def _predict(w, k, h):
    """Extrapolate a step h to GUESS, from points k-1 and k (cubic Hermite) or, with one point, along the tangent."""
    size = w[SIZE]
    guess, weight = doubles(w[GUESS]), doubles(w[WEIGHT])
    y, t = _row(w, POINTS, k, size), _row(w, TANGENTS, k, size)
    if k > 0:
        before, old = _row(w, POINTS, k - 1, size), _row(w, TANGENTS, k - 1, size)
        back = _distance(w, y, before)
        if back > 0.2 * h:
            speed0, speed1 = math.sqrt(_dot(w, old, old)), math.sqrt(_dot(w, t, t))
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


@kernel
def _between(w, y0, t0, theta):
    """Interpolate (cubic Hermite) to MID at fraction theta from (y0, t0) to the trial point; ROW gets the normal."""
    y1, t1, out = doubles(w[TRIAL]), doubles(w[TRIAL_TANGENT]), doubles(w[MID])
    weight, row = doubles(w[WEIGHT]), doubles(w[ROW])
    length = _distance(w, y0, y1)
    n0, n1 = math.sqrt(_dot(w, t0, t0)), math.sqrt(_dot(w, t1, t1))
    u = 1.0 - theta
    a, b = u * u * (1.0 + 2.0 * theta), theta * theta * (3.0 - 2.0 * theta)
    c, d = length * theta * u * u / n0, -length * theta * theta * u / n1
    for i in range(w[SIZE]):
        out[i] = a * y0[i] + b * y1[i] + c * t0[i] + d * t1[i]
        row[i] = weight[i] * (u * t0[i] / n0 + theta * t1[i] / n1)


@kernel
def _indicator(w, kind, which, y, t, reals, values):
    """Return the scalar that vanishes at an event."""
    last = w[SIZE] - 1
    if kind == FOLD:
        return t[last]
    if kind == PAIR:
        return 0.5 * (reals[which] + reals[which + 1])
    if kind == REAL:
        return reals[which]
    if kind == EDGE:
        return y[last] - doubles(w[SETTINGS])[LEVEL]
    return values[which]


@kernel
def _indicate(w, k, kind, which):
    """Return an event's indicator at point k."""
    n, m = w[SIZE], w[SPECTRA]
    y, t = _row(w, POINTS, k, n), _row(w, TANGENTS, k, n)
    return _indicator(w, kind, which, y, t, _row(w, REALS, k, m), _row(w, VALUES, k, w[TESTS]))


@kernel
def _indicate_at(w, base, kind, which):
    """Return an event's indicator at the trial point or the point between."""
    y, t = doubles(w[base]), doubles(w[base + 1])
    return _indicator(w, kind, which, y, t, doubles(w[base + 2]), doubles(w[base + 4]))


@kernel
def _flat(w, t):
    """Say whether the parameter does not move along a tangent but for rounding: which way it goes is not known."""
    last = w[SIZE] - 1
    return abs(t[last]) <= NO_SLOPE * doubles(w[SCALE])[last]


@kernel
def _flattest(w, k):
    """Return of the rows up to k, as far back as the parameter's way is not known, that where it moves least."""
    last = w[SIZE] - 1
    best = k
    while k > 0 and _mark(w, k, MARK_EVENT) == 0 and _flat(w, _row(w, TANGENTS, k, w[SIZE])):
        if abs(_row(w, TANGENTS, k, w[SIZE])[last]) < abs(_row(w, TANGENTS, best, w[SIZE])[last]):
            best = k
        k -= 1
    return best


@kernel
def _on_row(w, k):
    """Make point k, which is the special point itself, the point between; return 0, as nothing had to be located."""
    w[AT_ROW] = k
    size, spectra, tests = w[SIZE], w[SPECTRA], w[TESTS]
    y, t = _row(w, POINTS, k, size), _row(w, TANGENTS, k, size)
    reals, imags = _row(w, REALS, k, spectra), _row(w, IMAGS, k, spectra)
    values = _row(w, VALUES, k, tests)
    for i in range(size):
        doubles(w[MID])[i] = y[i]
        doubles(w[MID_TANGENT])[i] = t[i]
    for i in range(spectra):
        doubles(w[MID_REALS])[i] = reals[i]
        doubles(w[MID_IMAGS])[i] = imags[i]
    for i in range(tests):
        doubles(w[MID_VALUES])[i] = values[i]
    return 0


@kernel
def _locate(w, k, kind, which):
    """Find the zero of an indicator between point k and the trial point, into MID.

    Bracketing with inverse quadratic interpolation (Chandrupatla, Adv. Eng. Software 28, 1997); every iterate is a
    corrected point of the curve. Returns the Newton iterations spent, or a failure.
    """
    y0, t0 = _row(w, POINTS, k, w[SIZE]), _row(w, TANGENTS, k, w[SIZE])
    if kind == FOLD and _flat(w, t0) and k > 0:
        return _on_row(w, _flattest(w, k))
    f0, f1 = _indicate(w, k, kind, which), _indicate_at(w, TRIAL, kind, which)
    if (f0 > 0.0) == (f1 > 0.0):
        return _on_row(w, k) if abs(f0) <= ON_ROW * abs(f1) and _mark(w, k, MARK_EVENT) == 0 else SLOW
    a, fa, b, fb = 1.0, f1, 0.0, f0
    c, fc = a, fa
    theta = min(max(f0 / (f0 - f1), 1e-3), 1.0 - 1e-3)
    spent = 0
    value = 0.0
    for _ in range(60):
        _between(w, y0, t0, theta)
        done = _correct(w, doubles(w[MID]))
        if done < 0:
            return done
        spent += done + 1
        # once more at the corrected point itself: the indicator must not lag one Newton step behind
        status = _newton_step(w, w[MID])
        if status != 0:
            return -status
        _finish(w, doubles(w[MID]), MID)
        value = _indicate_at(w, MID, kind, which)
        if value == 0.0:
            break
        if (value > 0.0) == (fa > 0.0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = theta, value
        width = abs(b - a)
        if width < 1e-12 or abs(value) < 1e-15 * max(abs(f0), abs(f1)):
            break
        least = (2e-16 + 2e-13) / width
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        t = 0.5
        if phi * phi < xi and (1.0 - phi) * (1.0 - phi) < 1.0 - xi:
            t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        theta = a + min(max(t, least), 1.0 - least) * (b - a)
    return spent if abs(value) <= NO_ROOT * max(abs(f0), abs(f1)) else SLOW


@kernel
def _store(w, k, base, unstable, event, newtons):
    """Keep the trial point or the point between as point k."""
    size, spectra, tests = w[SIZE], w[SPECTRA], w[TESTS]
    y, t = _row(w, POINTS, k, size), _row(w, TANGENTS, k, size)
    reals, imags = _row(w, REALS, k, spectra), _row(w, IMAGS, k, spectra)
    values = _row(w, VALUES, k, tests)
    for i in range(size):
        y[i] = doubles(w[base])[i]
        t[i] = doubles(w[base + 1])[i]
    for i in range(spectra):
        reals[i] = doubles(w[base + 2])[i]
        imags[i] = doubles(w[base + 3])[i]
    for i in range(tests):
        values[i] = doubles(w[base + 4])[i]
    marks = integers(w[MARKS] + 8 * k * MARKS_SIZE)
    marks[MARK_SIGN] = int(doubles(w[INFO])[INFO_SIGN])
    marks[MARK_UNSTABLE] = unstable
    marks[MARK_EVENT] = event
    marks[MARK_NEWTON] = newtons
    marks[MARK_GROWS] = w[GROWS]
    marks[MARK_SHRINKS] = w[SHRINKS]
    w[COUNT] = k + 1
    if base == TRIAL and w[ACCEPT] != 0:
        call2(w[ACCEPT], w[CONTEXT], address_of(y))


@kernel
def _turns(w, k):
    """Say whether the parameter turns between point k and the trial point, its way before being the last one known."""
    last = w[SIZE] - 1
    t = doubles(w[TRIAL_TANGENT])
    if _flat(w, t):
        return False
    while k > 0 and _mark(w, k, MARK_EVENT) == 0 and _flat(w, _row(w, TANGENTS, k, w[SIZE])):
        k -= 1
    before = _row(w, TANGENTS, k, w[SIZE])
    return (before[last] > 0.0) != (t[last] > 0.0) and not _flat(w, before)


@kernel
def _special(w, k):
    """Return the one special point between point k and the trial point, 0 for none, -1 for more than one."""
    fold = w[TURNS] != 0 and _turns(w, k)
    turned = int(doubles(w[INFO])[INFO_SIGN]) != _mark(w, k, MARK_SIGN)
    flat = _flat(w, _row(w, TANGENTS, k, w[SIZE]))
    jump = abs(w[UNSTABLE] - _mark(w, k, MARK_UNSTABLE))
    crossed = (_mark(w, k, MARK_GROWS) & w[SHRINKS]) | (_mark(w, k, MARK_SHRINKS) & w[GROWS])
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
    zero = reals[min(w[UNSTABLE], _mark(w, k, MARK_UNSTABLE))]
    small = abs(zero) <= ONLY_NOISE * max(abs(reals[0]), abs(reals[w[SPECTRA] - 1]))
    if small or _flat(w, doubles(w[TRIAL_TANGENT])):
        w[UNSTABLE] = _mark(w, k, MARK_UNSTABLE)


@kernel
def _crosses(w, k, i):
    """Say whether user test i changes sign between point k and the trial point."""
    return (_row(w, VALUES, k, w[TESTS])[i] > 0.0) != (doubles(w[TRIAL_VALUES])[i] > 0.0)


@kernel
def _signature(w, k):
    """Return the one event between point k and the trial point, 0 for none, -1 for more than one; USER says which."""
    event = _special(w, k)
    for i in range(w[TESTS]):
        if _crosses(w, k, i):
            event = USER_EVENT if event == 0 else -1
            w[USER] = i
    return event


@kernel
def _apex(near, slope, far, h):
    """Return the extreme value of the parabola with value and slope given at one end, value at the other."""
    curve = (far - near - slope * h) / (h * h)
    s = -slope / (2.0 * curve) if curve != 0.0 else -1.0
    return near + slope * s + curve * s * s if 0.0 < s < h else near


@kernel
def _slope(w, y, t, other):
    """Return the derivative of the parameter at a point, and its mean on the way to another point, by arclength."""
    last = w[SIZE] - 1
    return t[last] / math.sqrt(_dot(w, t, t)), (other[last] - y[last]) / _distance(w, y, other)


@kernel
def _hidden_folds(w, k):
    """Say whether the step to the trial point may hide two folds.

    The cubic through the parameter and its derivative at both ends: where that derivative, a parabola, comes to less
    than half of what it is at the ends, the step is suspicious.
    """
    y0, y1 = _row(w, POINTS, k, w[SIZE]), doubles(w[TRIAL])
    slope0, mean = _slope(w, y0, _row(w, TANGENTS, k, w[SIZE]), y1)
    slope1, mean = _slope(w, y1, doubles(w[TRIAL_TANGENT]), y0)
    mean = -mean
    least = min(abs(slope0), abs(slope1))
    if w[TURNS] == 0 or slope0 * slope1 <= 0.0 or least <= NO_SLOPE * doubles(w[SCALE])[w[SIZE] - 1]:
        return False
    bend = 3.0 * (slope0 + slope1 - 2.0 * mean)
    drop = 0.5 * (slope0 - slope1 + bend)  # the apex lies drop / bend of the way along the step
    if not (drop * bend > 0.0 and abs(drop) < abs(bend)):
        return False
    return (slope0 - drop * drop / bend) * slope0 < 0.5 * least * abs(slope0)


@kernel
def _hidden_beside(w, k):
    """Say whether a located fold, in MID, may have another one between it and the ends of the step.

    From a fold to where the parameter has the derivative d, its mean is d / 2 near the fold, and d / 3 where the
    derivative, as a parabola, has a second zero that far off.
    """
    mid = doubles(w[MID])
    slope0, mean0 = _slope(w, _row(w, POINTS, k, w[SIZE]), _row(w, TANGENTS, k, w[SIZE]), mid)
    slope1, mean1 = _slope(w, doubles(w[TRIAL]), doubles(w[TRIAL_TANGENT]), mid)
    return 0.4 * slope0 * slope0 > mean0 * slope0 or 0.4 * slope1 * slope1 > -mean1 * slope1


@kernel
def _swings(reals, imags, n):
    """Return the product of the real parts of all complex pairs, and their number."""
    pairs = 0
    product = 1.0
    for i in range(n):
        if imags[i] > 0.0:
            pairs += 1
            product *= reals[i]
    return product, pairs


@kernel
def _dips(g0, g1, g2, h1, h2, least):
    """Say which of two steps may hide a double zero: 1 that from g0 to g1, 2 that from g1 to g2, 0 none.

    A value is continued out of one step into the other by the parabola that meets its value at the far end; where
    that comes to less than half of the nearer end's value, the step is suspicious.
    """
    if h2 > least and abs(g1) < abs(g0) and _apex(g1, (g1 - g0) / h1, g2, h2) * g1 < 0.5 * g1 * g1:
        return 2
    if h1 > least and abs(g1) < abs(g2) and _apex(g1, (g1 - g2) / h2, g0, h1) * g1 < 0.5 * g1 * g1:
        return 1
    return 0


@kernel
def _hidden_tests(w, k):
    """Say whether the step to the trial point may hide two zeros of a user test: a parabola through three values."""
    before = k - 1
    while before > 0 and _mark(w, before, MARK_EVENT) != 0:
        before -= 1  # an event may be next to point k, and a test zero there
    if before < 0 or _mark(w, k, MARK_EVENT) != 0:
        return 0
    h1 = _distance(w, _row(w, POINTS, before, w[SIZE]), _row(w, POINTS, k, w[SIZE]))
    h2 = _distance(w, _row(w, POINTS, k, w[SIZE]), doubles(w[TRIAL]))
    for i in range(w[TESTS]):
        g0, g1 = _row(w, VALUES, before, w[TESTS])[i], _row(w, VALUES, k, w[TESTS])[i]
        g2 = doubles(w[TRIAL_VALUES])[i]
        if math.isfinite(g0 + g1 + g2) and g0 * g1 > 0.0 and _dips(g0, g1, g2, h1, h2, CLOSE_TESTS) == 2:
            return 2
    return 0


@kernel
def _hidden(w, k):
    """Say which step may hide a pair of crossings: 1 the one to point k, 2 the one to the trial point, 0 none.

    Looked at are the real parts next to zero on either side, whether any real part was about to cross, and, in case
    others come and go behind those next to zero, the product of the real parts of all complex pairs.
    """
    if w[TURNS] == 0:
        return _hidden_tests(w, k)
    unstable = w[UNSTABLE]
    size, n = w[SIZE], w[SPECTRA]
    before = k - 2 if k > 1 and _mark(w, k - 1, MARK_EVENT) > 0 else k - 1  # an event may be next to point k
    if before < 0 or w[SPECTRUM] == 0 or _mark(w, k, MARK_UNSTABLE) != unstable:
        return 0
    h1 = _distance(w, _row(w, POINTS, before, size), _row(w, POINTS, k, size))
    h2 = _distance(w, _row(w, POINTS, k, size), doubles(w[TRIAL]))
    same = before == k - 1 and _mark(w, before, MARK_UNSTABLE) == unstable
    reals0, reals1, reals2 = _row(w, REALS, before, n), _row(w, REALS, k, n), doubles(w[TRIAL_REALS])
    noise = ROUNDING * max(abs(reals2[0]), abs(reals2[n - 1]))
    for which in range(n):
        g0, g1, g2 = reals0[which], reals1[which], reals2[which]
        own = ZERO_REAL * abs(doubles(w[TRIAL_IMAGS])[which])
        if not math.isfinite(g0 + g1 + g2) or abs(g1) <= noise + own:
            continue
        least = CLOSE_PAIR if doubles(w[TRIAL_IMAGS])[which] != 0.0 else CLOSE_REAL
        # where it was about to cross, another one may have crossed the other way
        if h2 > least and (g1 + (g1 - g0) / h1 * h2) * g1 < 0.0:
            return 2
        if same and h1 > least and (g1 + (g1 - g2) / h2 * h1) * g1 < 0.0:
            return 1
        if which == unstable - 1 or which == unstable:
            dip = _dips(g0, g1, g2, h1, h2, least)
            if dip == 2 or (dip == 1 and same):
                return dip
    if n < 3:
        return 0
    p0, pairs0 = _swings(reals0, _row(w, IMAGS, before, n), n)
    p1, pairs1 = _swings(reals1, _row(w, IMAGS, k, n), n)
    p2, pairs2 = _swings(reals2, doubles(w[TRIAL_IMAGS]), n)
    if pairs0 != pairs1 or pairs1 != pairs2 or p1 * p2 <= 0.0:
        return 0
    dip = _dips(p0, p1, p2, h1, h2, CLOSE_PAIR)
    return dip if dip == 2 or same else 0


@kernel
def _wall_between(w, y, guess):
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
            slack = 1e-10 if abs(y[i] - level) <= 1e-13 * scale[i] else 1e-13
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
def _drops(w, y, trial):
    """Say whether a state has dropped onto its wall from well off it, that is onto another branch, which lies there."""
    lower, upper, scale = doubles(w[LOWER]), doubles(w[UPPER]), doubles(w[SCALE])
    for i in range(w[SIZE] - 1):
        gap = min(abs(trial[i] - lower[i]), abs(trial[i] - upper[i]))
        if gap <= ON_WALL * scale[i] and min(abs(y[i] - lower[i]), abs(y[i] - upper[i])) > 1e3 * gap + 1e-13 * scale[i]:
            return True
    return False


@kernel
def _onto_wall(w, y, wall):
    """Solve for the point of the curve on a wall, on the way from y to GUESS; return Newton iterations or a failure."""
    guess, trial, row = doubles(w[GUESS]), doubles(w[TRIAL]), doubles(w[ROW])
    level = doubles(w[SETTINGS])[LEVEL]
    fraction = (level - y[wall]) / (guess[wall] - y[wall]) if guess[wall] != y[wall] else 0.0
    for i in range(w[SIZE]):
        trial[i] = y[i] + fraction * (guess[i] - y[i])
        row[i] = 0.0
    trial[wall] = level
    row[wall] = 1.0
    status = _correct(w, trial)
    if status < 0:
        return status
    trial[wall] = level
    _finish(w, trial, TRIAL)
    t = doubles(w[TRIAL_TANGENT])
    if not math.isfinite(_dot(w, t, t)):
        return SINGULAR
    if guess[wall] < y[wall]:
        # this border points back along the branch: turn tangent and determinant round
        for i in range(w[SIZE]):
            t[i] = -t[i]
        doubles(w[INFO])[INFO_SIGN] = -doubles(w[INFO])[INFO_SIGN]
    return status


@kernel
def _turn(w, t0, t1):
    """Return the largest change of a component of the unit tangent: the angle between successive tangents."""
    n0, n1 = math.sqrt(_dot(w, t0, t0)), math.sqrt(_dot(w, t1, t1))
    weight = doubles(w[WEIGHT])
    worst = 0.0
    for i in range(w[SIZE]):
        worst = max(worst, abs(t1[i] / n1 - t0[i] / n0) * math.sqrt(weight[i]))
    return worst


@kernel
def _passes_home(w, k, h):
    """Say whether the step from point k to the trial point passes the first point, going the same way."""
    size = w[SIZE]
    y, t = _row(w, POINTS, k, size), _row(w, TANGENTS, k, size)
    home, tangent = _row(w, POINTS, 0, size), _row(w, TANGENTS, 0, size)
    trial, mid, row, weight = doubles(w[TRIAL]), doubles(w[MID]), doubles(w[ROW]), doubles(w[WEIGHT])
    if _distance(w, y, home) > 1.5 * h or _distance(w, trial, home) > 1.5 * h:
        return False
    own = _dot(w, tangent, tangent)
    before = _dot(w, tangent, home) - _dot(w, tangent, y)
    after = _dot(w, tangent, trial) - _dot(w, tangent, home)
    along = _dot(w, tangent, doubles(w[TRIAL_TANGENT]))
    if before < 0.0 or after < 0.0 or before + after == 0.0 or along < 0.5 * math.sqrt(own):
        return False
    _between(w, y, t, before / (before + after))
    beside = (_dot(w, tangent, mid) - _dot(w, tangent, home)) / own
    for i in range(size):
        row[i] = weight[i] * tangent[i]
        mid[i] -= beside * tangent[i]
    return _correct(w, mid) > 0 and _distance(w, mid, home) < 1e-7


@kernel
def _close(w):
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
    doubles(w[INFO])[INFO_SIGN] = _mark(w, 0, MARK_SIGN)
    w[UNSTABLE] = _mark(w, 0, MARK_UNSTABLE)
    w[GROWS], w[SHRINKS] = _mark(w, 0, MARK_GROWS), _mark(w, 0, MARK_SHRINKS)
    w[ENDING] = CLOSED


@kernel
def _try(w, k, h):
    """Make the trial point, a step h from point k or on the wall before; return Newton iterations or a failure.

    ENDING is set where the trial point would be the last one, REASON where point k is the last one already.
    """
    settings, y = doubles(w[SETTINGS]), _row(w, POINTS, k, w[SIZE])
    t, guess, trial = _row(w, TANGENTS, k, w[SIZE]), doubles(w[GUESS]), doubles(w[TRIAL])
    w[ENDING] = 0
    _predict(w, k, h)
    wall = _wall_between(w, y, guess)
    if wall < 0:
        for i in range(w[SIZE]):
            trial[i] = guess[i]
            doubles(w[ROW])[i] = doubles(w[WEIGHT])[i] * t[i]
        status = _correct(w, trial)
        if status > 0 and (_wall_between(w, y, trial) >= 0 or _drops(w, y, trial)):
            return OUTSIDE
        if status > 0:
            _finish(w, trial, TRIAL)
        return status
    w[WALL] = wall
    w[ENDING] = RANGE if wall == w[SIZE] - 1 else BOUND
    gap = abs(y[wall] - settings[LEVEL]) / doubles(w[SCALE])[wall]
    away = guess[wall] - y[wall]
    if gap <= 1e-12 and (t[wall] * away > 0.0 or abs(t[wall]) < 1e-9):
        y[wall] = settings[LEVEL]
        w[REASON] = w[ENDING]
        return 1
    status = _onto_wall(w, y, wall)
    if status > 0 and _distance(w, trial, y) > 2.0 * h:
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
    y, guess = _row(w, POINTS, k, w[SIZE]), doubles(w[GUESS])
    gap = abs(doubles(w[SETTINGS])[LEVEL] - y[w[WALL]])
    return h * max(0.5 * min(gap / abs(guess[w[WALL]] - y[w[WALL]]), 1.0), 0.05)


@kernel
def _explains(w, k, event, which):
    """Say whether the event in MID alone accounts for the change since point k.

    A Hopf point beside a fold can change the number of unstable eigenvalues by one in all; it shows in the spectrum at
    the fold, where the eigenvalue that is zero has not the place it should have.
    """
    last = w[SIZE] - 1
    reals, imags = doubles(w[MID_REALS]), doubles(w[MID_IMAGS])
    if event == PAIR:
        same = (doubles(w[MID_TANGENT])[last] > 0.0) == (_row(w, TANGENTS, k, w[SIZE])[last] > 0.0)
        return imags[which] > 0.0 and same
    if event == FOLD and w[SPECTRUM] != 0:
        zero = abs(reals[which]) + abs(imags[which])
        for i in range(w[SPECTRA]):
            if abs(reals[i]) + abs(imags[i]) < zero:
                return False
    return True


@kernel
def _settle(w, k, event, stretch):
    """Locate an event and store it after point k; return 1, 0 if only bracketed, -1 if the step must shrink."""
    which = w[USER] if event == USER_EVENT else min(w[UNSTABLE], _mark(w, k, MARK_UNSTABLE))
    unstable, sign = w[UNSTABLE], doubles(w[INFO])[INFO_SIGN]
    found = _locate(w, k, event, which)
    w[UNSTABLE] = unstable
    other = found >= 0 and not _explains(w, k, event, which)
    other |= found > 0 and event == FOLD and stretch > CLOSE_REAL and _hidden_beside(w, k)
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
    _store(w, k + 1, MID, min(unstable, _mark(w, k, MARK_UNSTABLE)), code, found)
    w[UNSTABLE] = unstable
    doubles(w[INFO])[INFO_SIGN] = sign
    return 1


@kernel
def _settle_all(w, k):
    """Locate and store all that coincides between point k and the trial point; return the mark of the trial point."""
    unstable, sign, event = w[UNSTABLE], doubles(w[INFO])[INFO_SIGN], _special(w, k)
    lower = min(unstable, _mark(w, k, MARK_UNSTABLE))
    if event == -1:  # more than one special point: only bracketed
        before, after = _row(w, TANGENTS, k, w[SIZE])[w[SIZE] - 1], doubles(w[TRIAL_TANGENT])[w[SIZE] - 1]
        turned = int(sign) != _mark(w, k, MARK_SIGN)
        mark = -BRANCH if turned else (-FOLD if before * after < 0.0 else -PAIR)
    elif event == 0 or (event != BRANCH and _settle(w, k, event, 0.0) == 1):
        mark = 0
    else:
        mark = -event
    for i in range(w[TESTS]):
        if not _crosses(w, k, i) or w[REASON] != 0:
            continue
        found = _locate(w, k, USER_EVENT, i)
        if found > 0:
            w[NEWTONS] += found
            _store(w, w[COUNT], MID, lower, USER_EVENT + i, found)
        w[UNSTABLE] = unstable
        doubles(w[INFO])[INFO_SIGN] = sign
        if found <= 0:
            _store(w, w[COUNT], TRIAL, unstable, -USER_EVENT - i, 0)
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
    found = _locate(w, k, EDGE, 0)
    if found < 0:
        return -1
    doubles(w[MID])[last] = level
    w[WALL] = last
    w[REASON] = RANGE
    _store(w, k + 1, MID, _mark(w, k, MARK_UNSTABLE), 0, found)
    return 1


@kernel
def _growth(w, turn, newtons, contraction):
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
def _start(w):
    """Correct the first point and complete it: tangent (oriented as given), spectrum, tests."""
    size = w[SIZE]
    y, t = doubles(w[POINTS]), doubles(w[TANGENTS])
    for i in range(size):
        doubles(w[RUNNING])[i] = doubles(w[FLOOR])[i]
        doubles(w[SCALE])[i] = doubles(w[FLOOR])[i]
    _set_weights(w, y)
    for i in range(size):
        doubles(w[TRIAL])[i] = y[i]
        doubles(w[ROW])[i] = doubles(w[WEIGHT])[i] * t[i]
    status = _correct(w, doubles(w[TRIAL]))
    if status < 0:
        w[REASON] = NOT_FINITE if status == BAD_VALUE else SHORT
        return status
    settings, p = doubles(w[SETTINGS]), doubles(w[TRIAL])[size - 1]
    rounding = 1e-9 * doubles(w[SCALE])[size - 1]
    if p < settings[LOW] - rounding or p > settings[HIGH] + rounding:
        w[REASON] = SHORT
        return OUTSIDE
    _finish(w, doubles(w[TRIAL]), TRIAL)
    _store(w, 0, TRIAL, w[UNSTABLE], 0, status)
    return status


@kernel
def _escapes(w):
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
    for turn in range(
        SAMPLES
    ):  # from states so little off, Newton's method goes to the same parameter but for rounding
        for i in range(last):
            mid[i] = y[i] * (1.0 + ASIDE * turn)
        if _newton_step(w, w[MID]) != 0:
            return True
        noise = max(noise, abs(doubles(w[STEP])[last]))
    if abs(change) > UNRESOLVED * noise:
        return False
    if steady:
        settings[LIMIT] += change * ratio / (1.0 - ratio)
    return True


@kernel
def _advance(w, k, h):
    """Try one step of length h from point k; return the length for the next one (COUNT says what was stored)."""
    settings, info = doubles(w[SETTINGS]), doubles(w[INFO])
    y, t = _row(w, POINTS, k, w[SIZE]), _row(w, TANGENTS, k, w[SIZE])
    _set_weights(w, y)
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
    turn = _turn(w, t, doubles(w[TRIAL_TANGENT]))
    slow = info[INFO_FIRST] > 1e-7 and contraction > CONTRACTION
    strange = w[ENDING] == 0 and info[INFO_FIRST] > 0.5 * max(turn, 0.01) * h + 1e-9
    if not turn <= settings[ANGLE] or slow or strange:
        w[HOLD] = 1
        w[STATUS] = SLOW
        return h * (max(0.3, min(0.7, 0.8 * settings[ANGLE] / turn)) if turn > settings[ANGLE] else 0.5)
    if w[HOME] != 0 and w[ENDING] == 0 and k > 2:
        sign, unstable = info[INFO_SIGN], w[UNSTABLE]
        if _passes_home(w, k, h):
            _close(w)
        else:
            info[INFO_SIGN] = sign
            w[UNSTABLE] = unstable
    stretch = _distance(w, y, doubles(w[TRIAL]))
    event = _signature(w, k)
    if event in (0, PAIR, USER_EVENT):
        hidden = 2 if stretch > CLOSE_REAL and _hidden_folds(w, k) else 0
        if hidden == 0 and event == 0:
            hidden = _hidden(w, k)
        if hidden != 0:
            w[HOLD] = 3
            if hidden == 1:
                w[COUNT] = k
                return 0.3 * _distance(w, y, _row(w, POINTS, k - 1, w[SIZE]))
            return 0.3 * stretch
    # beside one that crosses, others may cross to and fro
    pinned = event == BRANCH or (event in (PAIR, FOLD) and w[SPECTRA] > 1)
    if (event == -1 and stretch > TOGETHER) or (pinned and stretch > settings[EVENT_STEP]):
        w[HOLD] = 1
        return 0.3 * stretch
    if event == BRANCH:
        event = -BRANCH
    elif event == -1:
        event = _settle_all(w, k)
        if w[REASON] != 0 and event == 0:
            w[REJECTED] -= 1
            return h
    elif event != 0:
        settled = _settle(w, k, event, stretch)
        if settled < 0:
            w[HOLD] = 1
            return 0.3 * stretch
        if settled == 1 and w[STOPS] & (1 << min(event, USER_EVENT)):
            w[REASON] = STOPPED
        if w[REASON] != 0:
            w[REJECTED] -= 1
            return h
        event = 0 if settled == 1 else (-event - w[USER] if event == USER_EVENT else -event)
    w[REJECTED] -= 1
    _store(w, w[COUNT], TRIAL, w[UNSTABLE], event, newtons)
    w[REASON] = max(w[ENDING], w[REASON])
    if w[REASON] == 0 and _escapes(w):
        w[REASON] = INFINITY
    if event < 0 and w[STOPS] & (1 << min(-event, USER_EVENT)):
        w[REASON] = STOPPED
    return min(h * _growth(w, turn, newtons, contraction), settings[LARGEST_STEP])


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

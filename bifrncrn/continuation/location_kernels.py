"""Special points located within a step, compiled: the zero of an indicator, corrected onto the curve.

`w` is the array of `bifrncrn.continuation.layout`; see `bifrncrn.continuation.march_kernels`.
"""

from bifrncrn.compile.pointers import doubles, kernel
from bifrncrn.continuation.correction_kernels import correct, finish, newton_step
from bifrncrn.continuation.layout import (
    AT_ROW,
    CENTRES,
    EDGE,
    FOLD,
    IMAGS,
    LEVEL,
    MARK_EVENT,
    MID,
    MID_IMAGS,
    MID_REALS,
    MID_TANGENT,
    MID_VALUES,
    PAIR,
    POINTS,
    REAL,
    REALS,
    SETTINGS,
    SIZE,
    SLOW,
    SPECTRA,
    TANGENTS,
    TESTS,
    TRIAL,
    TRIAL_IMAGS,
    TRIAL_REALS,
    VALUES,
)
from bifrncrn.continuation.row_kernels import mark_of, neutral, put_between, row_of
from bifrncrn.continuation.signature_kernels import is_flat

ON_ROW = 1e-9
"""An indicator that has the same sign at both ends, but at one of them is this much smaller, is zero there."""
NO_ROOT = 0.1
"""Where an indicator is larger than this share of its ends, it has a pole or a jump, and no zero."""


@kernel
def _indicator(w, kind, which, y, t, reals, values):
    """Return the scalar that vanishes at an event.

    Beside a pair that crosses stand those that are imaginary at both ends of the step: the sum is of them all.
    """
    last = w[SIZE] - 1
    if kind == FOLD:
        return t[last]
    if kind == PAIR:
        total = 0.0
        for i in range(which, which + 2 + w[CENTRES]):
            total += reals[i]
        return 0.5 * total
    if kind == REAL:
        return reals[which]
    if kind == EDGE:
        return y[last] - doubles(w[SETTINGS])[LEVEL]
    return values[which]


@kernel
def _indicate(w, k, kind, which):
    """Return an event's indicator at point k."""
    y, t = row_of(w, POINTS, k), row_of(w, TANGENTS, k)
    return _indicator(w, kind, which, y, t, row_of(w, REALS, k), row_of(w, VALUES, k))


@kernel
def _indicate_at(w, base, kind, which):
    """Return an event's indicator at the trial point or the point between."""
    y, t = doubles(w[base]), doubles(w[base + 1])
    return _indicator(w, kind, which, y, t, doubles(w[base + 2]), doubles(w[base + 4]))


@kernel
def _flattest(w, k):
    """Return of the rows up to k, as far back as the parameter's way is not known, that where it moves least."""
    last = w[SIZE] - 1
    best = k
    while k > 0 and mark_of(w, k, MARK_EVENT) == 0 and is_flat(w, row_of(w, TANGENTS, k)):
        if abs(row_of(w, TANGENTS, k)[last]) < abs(row_of(w, TANGENTS, best)[last]):
            best = k
        k -= 1
    return best


@kernel
def _on_row(w, k):
    """Make point k, which is the special point itself, the point between; return 0, as nothing had to be located."""
    w[AT_ROW] = k
    size, spectra, tests = w[SIZE], w[SPECTRA], w[TESTS]
    y, t = row_of(w, POINTS, k), row_of(w, TANGENTS, k)
    reals, imags = row_of(w, REALS, k), row_of(w, IMAGS, k)
    values = row_of(w, VALUES, k)
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
def locate(w, k, kind, which):
    """Find the zero of an indicator between point k and the trial point, into MID.

    Bracketing with inverse quadratic interpolation (Chandrupatla, Adv. Eng. Software 28, 1997); every iterate is a
    corrected point of the curve. Returns the Newton iterations spent, or a failure.
    """
    y0, t0 = row_of(w, POINTS, k), row_of(w, TANGENTS, k)
    if kind == FOLD and is_flat(w, t0) and k > 0:
        return _on_row(w, _flattest(w, k))
    w[CENTRES] = 0
    if kind == PAIR:
        n, reals, imags = w[SPECTRA], row_of(w, REALS, k), row_of(w, IMAGS, k)
        w[CENTRES] = min(neutral(reals, imags, n), neutral(doubles(w[TRIAL_REALS]), doubles(w[TRIAL_IMAGS]), n))
    f0, f1 = _indicate(w, k, kind, which), _indicate_at(w, TRIAL, kind, which)
    if (f0 > 0.0) == (f1 > 0.0):
        return _on_row(w, k) if abs(f0) <= ON_ROW * abs(f1) and mark_of(w, k, MARK_EVENT) == 0 else SLOW
    a, fa, b, fb = 1.0, f1, 0.0, f0
    c, fc = a, fa
    theta = min(max(f0 / (f0 - f1), 1e-3), 1.0 - 1e-3)
    spent = 0
    value = 0.0
    for _ in range(60):
        put_between(w, y0, t0, theta)
        done = correct(w, doubles(w[MID]))
        if done < 0:
            return done
        spent += done + 1
        # once more at the corrected point itself: the indicator must not lag one Newton step behind
        status = newton_step(w, w[MID])
        if status != 0:
            return -status
        finish(w, doubles(w[MID]), MID)
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

"""What a step may hide without any change of signature, compiled: pairs of special points.

`w` is the array of `bifrncrn.continuation.layout`; see `bifrncrn.continuation.march_kernels`.
"""

import math

from bifrncrn.compile.pointers import doubles, kernel
from bifrncrn.continuation.layout import (
    IMAGS,
    MARK_EVENT,
    MARK_UNSTABLE,
    MID,
    POINTS,
    REALS,
    SCALE,
    SIZE,
    SPECTRA,
    SPECTRUM,
    TANGENTS,
    TESTS,
    TRIAL,
    TRIAL_IMAGS,
    TRIAL_REALS,
    TRIAL_TANGENT,
    TRIAL_VALUES,
    TURNS,
    UNSTABLE,
    VALUES,
)
from bifrncrn.continuation.row_kernels import ZERO_REAL, distance, inner, mark_of, row_of
from bifrncrn.continuation.signature_kernels import NO_SLOPE

CLOSE_PAIR = 1e-6
"""A shorter step is not searched for two Hopf points: between them the real part is but rounding."""
CLOSE_TESTS = 2e-3
"""A shorter step is not searched for two zeros of a user test."""
CLOSE_REAL = 2e-5
"""The same for two folds or branch points; nearer to a branch point, rounding has the tangent's direction."""
ROUNDING = 2e-16
"""What rounding may make of a number, relative to the largest it is made of: an eigenvalue, the parameter."""


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
    return t[last] / math.sqrt(inner(w, t, t)), (other[last] - y[last]) / distance(w, y, other)


@kernel
def hidden_folds(w, k):
    """Say whether the step to the trial point may hide two folds.

    The cubic through the parameter and its derivative at both ends: where that derivative, a parabola, comes to less
    than half of what it is at the ends, the step is suspicious.
    """
    y0, y1 = row_of(w, POINTS, k), doubles(w[TRIAL])
    slope0, mean = _slope(w, y0, row_of(w, TANGENTS, k), y1)
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
def hidden_beside(w, k):
    """Say whether a located fold, in MID, may have another one between it and the ends of the step.

    From a fold to where the parameter has the derivative d, its mean is d / 2 near the fold, and d / 3 where the
    derivative, as a parabola, has a second zero that far off.
    """
    mid = doubles(w[MID])
    slope0, mean0 = _slope(w, row_of(w, POINTS, k), row_of(w, TANGENTS, k), mid)
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
    while before > 0 and mark_of(w, before, MARK_EVENT) != 0:
        before -= 1  # an event may be next to point k, and a test zero there
    if before < 0 or mark_of(w, k, MARK_EVENT) != 0:
        return 0
    h1 = distance(w, row_of(w, POINTS, before), row_of(w, POINTS, k))
    h2 = distance(w, row_of(w, POINTS, k), doubles(w[TRIAL]))
    for i in range(w[TESTS]):
        g0, g1 = row_of(w, VALUES, before)[i], row_of(w, VALUES, k)[i]
        g2 = doubles(w[TRIAL_VALUES])[i]
        if math.isfinite(g0 + g1 + g2) and g0 * g1 > 0.0 and _dips(g0, g1, g2, h1, h2, CLOSE_TESTS) == 2:
            return 2
    return 0


@kernel
def hides(w, k):
    """Say which step may hide a pair of crossings: 1 the one to point k, 2 the one to the trial point, 0 none.

    Looked at are the real parts next to zero on either side, whether any real part was about to cross, and, in case
    others come and go behind those next to zero, the product of the real parts of all complex pairs.
    """
    if w[TURNS] == 0:
        return _hidden_tests(w, k)
    unstable = w[UNSTABLE]
    n = w[SPECTRA]
    before = k - 2 if k > 1 and mark_of(w, k - 1, MARK_EVENT) > 0 else k - 1  # an event may be next to point k
    if before < 0 or w[SPECTRUM] == 0 or mark_of(w, k, MARK_UNSTABLE) != unstable:
        return 0
    h1 = distance(w, row_of(w, POINTS, before), row_of(w, POINTS, k))
    h2 = distance(w, row_of(w, POINTS, k), doubles(w[TRIAL]))
    same = before == k - 1 and mark_of(w, before, MARK_UNSTABLE) == unstable
    reals0, reals1, reals2 = row_of(w, REALS, before), row_of(w, REALS, k), doubles(w[TRIAL_REALS])
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
    p0, pairs0 = _swings(reals0, row_of(w, IMAGS, before), n)
    p1, pairs1 = _swings(reals1, row_of(w, IMAGS, k), n)
    p2, pairs2 = _swings(reals2, doubles(w[TRIAL_IMAGS]), n)
    if pairs0 != pairs1 or pairs1 != pairs2 or p1 * p2 <= 0.0:
        return 0
    dip = _dips(p0, p1, p2, h1, h2, CLOSE_PAIR)
    return dip if dip == 2 or same else 0

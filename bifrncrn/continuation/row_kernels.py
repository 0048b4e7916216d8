"""What a march reads and writes, compiled: rows of results, units of length, what is kept of a point.

`w` is the array of `bifrncrn.continuation.layout`; see `bifrncrn.continuation.march_kernels`.
"""

import math

from bifrncrn.compile.pointers import address_of, call2, doubles, integers, kernel
from bifrncrn.continuation.layout import (
    ACCEPT,
    CONTEXT,
    COUNT,
    GROWS,
    IMAGS,
    INFO,
    INFO_SIGN,
    MARK_EVENT,
    MARK_GROWS,
    MARK_NEWTON,
    MARK_SHRINKS,
    MARK_SIGN,
    MARK_UNSTABLE,
    MARKS,
    MARKS_SIZE,
    MID,
    POINTS,
    REALS,
    ROW,
    RUNNING,
    SCALE,
    SHRINKS,
    SIZE,
    SPECTRA,
    STRIDE,
    TANGENTS,
    TESTS,
    TRIAL,
    TRIAL_TANGENT,
    VALUES,
    WEIGHT,
)

BEYOND = 1e-13
"""A state beyond its wall by less than this, in units of its length, is there by rounding and put back onto it."""
ZERO_REAL = 1e-13
"""The real part of a complex pair is but rounding below this fraction of its modulus: fast unknowns do not count."""


@kernel
def row_of(w, block, k):
    """Return what row k of the results has of a block: points, tangents, eigenvalues, tests."""
    return doubles(w[block] + 8 * k * w[STRIDE])


@kernel
def mark_of(w, k, which):
    """Return a mark of row k."""
    return integers(w[MARKS])[k * MARKS_SIZE + which]


@kernel
def set_weights(w, y):
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
def inner(w, u, v):
    """Return the inner product of two vectors in units of length."""
    weight = doubles(w[WEIGHT])
    total = 0.0
    for i in range(w[SIZE]):
        total += weight[i] * u[i] * v[i]
    return total


@kernel
def distance(w, u, v):
    """Return the distance of two points in units of length."""
    weight = doubles(w[WEIGHT])
    total = 0.0
    for i in range(w[SIZE]):
        total += weight[i] * (u[i] - v[i]) * (u[i] - v[i])
    return math.sqrt(total)


@kernel
def put_between(w, y0, t0, theta):
    """Interpolate (cubic Hermite) to MID at fraction theta from (y0, t0) to the trial point; ROW gets the normal."""
    y1, t1, out = doubles(w[TRIAL]), doubles(w[TRIAL_TANGENT]), doubles(w[MID])
    weight, row = doubles(w[WEIGHT]), doubles(w[ROW])
    length = distance(w, y0, y1)
    n0, n1 = math.sqrt(inner(w, t0, t0)), math.sqrt(inner(w, t1, t1))
    u = 1.0 - theta
    a, b = u * u * (1.0 + 2.0 * theta), theta * theta * (3.0 - 2.0 * theta)
    c, d = length * theta * u * u / n0, -length * theta * theta * u / n1
    for i in range(w[SIZE]):
        out[i] = a * y0[i] + b * y1[i] + c * t0[i] + d * t1[i]
        row[i] = weight[i] * (u * t0[i] / n0 + theta * t1[i] / n1)


@kernel
def neutral(reals, imags, n):
    """Return how many eigenvalues belong to complex pairs whose real parts are but rounding."""
    count = 0
    for i in range(n):
        if imags[i] != 0.0 and abs(reals[i]) <= ZERO_REAL * abs(imags[i]):
            count += 1
    return count


@kernel
def _definite(reals, imags, n):
    """Return how many eigenvalues have a positive real part that is more than rounding."""
    count = 0
    for i in range(n):
        if reals[i] > 0.0 and (imags[i] == 0.0 or reals[i] > ZERO_REAL * abs(imags[i])):
            count += 1
    return count


@kernel
def count_unstable(w, reals, imags):
    """Return the number of eigenvalues with positive real part; pairs of which it is not known stay as they were.

    Where as many are not known at the last point, those are the same (a centre): what changed are the others.
    """
    n, k = w[SPECTRA], w[COUNT] - 1
    count, unknown = _definite(reals, imags, n), neutral(reals, imags, n)
    if unknown == 0 or k < 0:
        return count
    before, last, others = mark_of(w, k, MARK_UNSTABLE), row_of(w, REALS, k), row_of(w, IMAGS, k)
    if neutral(last, others, n) == unknown:
        return before + count - _definite(last, others, n)
    return count + unknown if before >= count + unknown else count


@kernel
def store(w, k, base, unstable, event, newtons):
    """Keep the trial point or the point between as point k."""
    size, spectra, tests = w[SIZE], w[SPECTRA], w[TESTS]
    y, t = row_of(w, POINTS, k), row_of(w, TANGENTS, k)
    reals, imags = row_of(w, REALS, k), row_of(w, IMAGS, k)
    values = row_of(w, VALUES, k)
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

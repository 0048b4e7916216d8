"""What fixed points of a map need beside what equilibria do: multipliers as the march counts them, and a test for PD.

The march follows F(x, p) = f^k(x, p) - x, and takes what has a positive real part for unstable. So it is handed, for
every multiplier m of f^k, the number |m| - 1 + i arg m: a multiplier of 1 is zero, a pair that leaves the unit circle
crosses the imaginary axis. A multiplier that is real and negative has the imaginary part -pi and no conjugate, so that
no two of them are taken for a pair; where one of them passes through -1 a test function changes its sign.
"""

import math

from bifrncrn.compile.pointers import call_model3, doubles, integers, kernel
from bifrncrn.continuation.dense import lu_factor
from bifrncrn.continuation.eigenvalues import eigenvalues
from bifrncrn.curves.equilibria.work import JET_DIRECTION, PARAMETER, PIVOTS, STATES, TESTS, VALUES, WORK

PLACE = JET_DIRECTION + 1
"""The context has one more entry than that of equilibria: the number of the user's tests, behind which comes ours."""


@kernel
def growth(context, wr, wi, unused):
    """Write |m| - 1 and arg m of every multiplier m, by descending |m|; 0 on success.

    They are those of the matrix F_x of the last Newton step, plus one. (`unused` pads the call to four arguments.)
    """
    c, reals, imags = integers(context), doubles(wr), doubles(wi)
    n = c[STATES]
    m = n + 1
    jac = doubles(c[WORK] + 8 * (2 * n + m))
    copy = doubles(c[WORK] + 8 * (2 * n + m + n * n + m * m))
    for i in range(n * n):
        copy[i] = jac[i]
    for i in range(n):
        copy[i * n + i] += 1.0
    status = eigenvalues(copy, n, reals, imags)
    i = 0
    while i < n:
        size = 2 if imags[i] != 0.0 and i + 1 < n else 1
        radius = math.hypot(reals[i], imags[i]) - 1.0
        angle = math.atan2(abs(imags[i]), reals[i]) if size == 2 else (-math.pi if reals[i] < 0.0 else 0.0)
        k = i
        while k > 0 and reals[k - 1] < radius:
            reals[k - 1 + size] = reals[k - 1]
            imags[k - 1 + size] = imags[k - 1]
            k -= 1
        reals[k] = radius
        imags[k] = angle
        if size == 2:
            reals[k + 1] = radius
            imags[k + 1] = -angle
        i += size
    return status


@kernel
def doubling_tests(context, y, tangent, values):
    """Write the user's tests at y, then det (F_x + 2), whose rows are divided by their sizes. Returns 0.

    F_x + 2 is the derivative of f^k plus one: the determinant vanishes where a multiplier is -1.
    """
    c, out = integers(context), doubles(values)
    n = c[STATES]
    m = n + 1
    if c[TESTS] != 0:
        doubles(c[VALUES])[c[PARAMETER]] = doubles(y)[n]
        call_model3(c[TESTS], y, c[VALUES], values)
    jac = doubles(c[WORK] + 8 * (2 * n + m))
    a = doubles(c[WORK] + 8 * (2 * n + m + n * n + m * m))
    for i in range(n):
        size = 1.0
        for j in range(n):
            size += abs(jac[i * n + j])
        for j in range(n):
            a[i * n + j] = (jac[i * n + j] + (2.0 if i == j else 0.0)) / size
    product = lu_factor(a, n, integers(c[PIVOTS] + 8 * m), doubles(c[WORK] + 16 * n))
    if product != 0.0:
        for i in range(n):
            product *= abs(a[i * n + i])
    out[c[PLACE]] = product
    return 0

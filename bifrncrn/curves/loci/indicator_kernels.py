"""Test functions of loci, compiled: what vanishes at points of codimension two, and the eigenvalues of rows.

Tests of eigenvalues are signed by a product (of all of them, or of the sums of all pairs), which changes sign with one
factor, but are of the size of the smallest factor: they lose no digits, whatever the number of states.
"""

import math

from bifrncrn.compile.pointers import call_model5, doubles, integers, kernel
from bifrncrn.continuation.dense import lu_factor, lu_solve
from bifrncrn.continuation.eigenvalues import eigenvalues
from bifrncrn.curves.loci.layout import (
    BORDERED_PIVOTS,
    COSINE,
    FOLD,
    HOLD,
    HOPF,
    IMAGS,
    JET,
    KAPPA,
    KIND,
    MAP_DOUBLING,
    MAP_FOLD,
    MAP_TORUS,
    MATRIX,
    MODEL,
    NUMBERS,
    REALS,
    ROWS,
    SIGMA,
    SIZE,
    STATES,
    STILL,
    UNKNOWNS,
    VALUES,
    VECTORS,
    G,
    V,
    W,
)
from bifrncrn.curves.loci.step_kernels import evaluate, paired

ROUNDING = 1e-11
"""A sum below this share of its terms is their rounding."""
REAL_PAIR = 1e-6
"""Where the squared sine of a map's angle is below this the pair is all but real (R1, R2); <p, q> loses its digits."""


@kernel
def _vector(c, k):
    """Return the address of a vector of scratch."""
    return c[VECTORS] + 8 * k * (3 * c[STATES] + 3)


@kernel
def _spectrum(c):
    """Compute the eigenvalues of the Jacobian last evaluated, of a map its multipliers; return 0 on success."""
    n, copy, jac = c[STATES], doubles(c[MATRIX]), doubles(c[MODEL])
    for i in range(n):
        for j in range(n):
            copy[i * n + j] = jac[n + i * (n + 2) + j]
        if c[KIND] >= MAP_FOLD:
            copy[i * n + i] += 1.0
    return eigenvalues(copy, n, doubles(c[REALS]), doubles(c[IMAGS]))


@kernel
def _set_apart(reals, imags, count, real, omega):
    """Move the eigenvalue nearest to real + i omega behind the others; return how many others there are."""
    best = 0
    for i in range(count):
        here = math.hypot(reals[i] - real, imags[i] - omega)
        if here < math.hypot(reals[best] - real, imags[best] - omega):
            best = i
    last = count - 1
    reals[best], reals[last] = reals[last], reals[best]
    imags[best], imags[last] = imags[last], imags[best]
    return last


@kernel
def _others(c):
    """Move the critical eigenvalues behind the others; return how many others there are."""
    n, reals, imags = c[STATES], doubles(c[REALS]), doubles(c[IMAGS])
    kind, numbers = c[KIND], doubles(c[NUMBERS])
    if not paired(c):
        return _set_apart(reals, imags, n, 0.0 if kind == FOLD else 1.0 if kind == MAP_FOLD else -1.0, 0.0)
    omega = math.sqrt(max(numbers[KAPPA], 0.0))
    return _set_apart(reals, imags, _set_apart(reals, imags, n, numbers[COSINE], omega), numbers[COSINE], -omega)


@kernel
def _smallest_sum(reals, imags, count):
    """Return the smallest sum of two eigenvalues in absolute value, with the sign of the product of all."""
    sign = 1.0
    least = math.inf
    for i in range(count):
        for j in range(i):
            least = min(least, math.hypot(reals[i] + reals[j], imags[i] + imags[j]))
            if imags[i] == -imags[j] and reals[i] + reals[j] < 0.0:
                sign = -sign  # the sums of other pairs come in conjugate pairs
    return sign * least if count > 1 else 1.0


@kernel
def _nearest(reals, imags, count, value):
    """Return how far the eigenvalue nearest to a number is from it, with the sign of the product of all differences."""
    sign = 1.0
    least = math.inf
    for i in range(count):
        least = min(least, math.hypot(reals[i] - value, imags[i]))
        if imags[i] == 0.0 and reals[i] < value:
            sign = -sign
    return sign * least if count > 0 else 1.0


@kernel
def _least_product(reals, imags, count):
    """Return how far the product of two multipliers is from one at least, with the sign of the product of all."""
    sign = 1.0
    least = math.inf
    for i in range(count):
        for j in range(i):
            real = reals[i] * reals[j] - imags[i] * imags[j]
            least = min(least, math.hypot(real - 1.0, reals[i] * imags[j] + imags[i] * reals[j]))
            if imags[i] == -imags[j] and real < 1.0:
                sign = -sign  # the products of other pairs come in conjugate pairs
    return sign * least if count > 1 else 1.0


@kernel
def _jets(c, y, a, b):
    """Write B(a, a) + B(b, b), B(a, a) - B(b, b), 2 B(a, b) and the parts of C(q, q, q'), q = a + i b, to scratch 0..4.

    Third derivatives come from those along a, b, a + b and a - b by polarisation.
    """
    n, step, jet = c[STATES], doubles(_vector(c, 10)), doubles(_vector(c, 11))
    plus, minus, mixed = doubles(_vector(c, 0)), doubles(_vector(c, 1)), doubles(_vector(c, 2))
    real, imag = doubles(_vector(c, 3)), doubles(_vector(c, 4))
    for i in range(n):
        plus[i] = 0.0
        minus[i] = 0.0
        mixed[i] = 0.0
        real[i] = 0.0
        imag[i] = 0.0
    for k in range(4):
        for i in range(n):
            step[i] = (k != 1) * a[i] + (k != 0) * (1.0 - 2.0 * (k == 3)) * b[i]
        call_model5(c[JET], y, c[VALUES], _vector(c, 10), c[STILL], _vector(c, 11))
        sign = -1.0 if k == 3 else 1.0
        for i in range(n):
            second, third = jet[n + i], jet[2 * n + i]
            if k == 0:
                plus[i] += second
                minus[i] += second
                real[i] += 2.0 / 3.0 * third
            elif k == 1:
                plus[i] += second
                minus[i] -= second
                imag[i] += 2.0 / 3.0 * third
            else:
                mixed[i] += sign * 0.5 * second
                real[i] += third / 6.0
                imag[i] += sign * third / 6.0


@kernel
def _quadratic_terms(c, x, y):
    """Solve J h = B(q, q') and (x + i y - J) g = B(q, q) in place in scratch 0 and (1, real then imaginary part).

    Returns 0 where both matrices are regular.
    """
    n, jac, a, rows = c[STATES], doubles(c[MODEL]), doubles(c[MATRIX]), doubles(_vector(c, 10))
    h, g, mixed = doubles(_vector(c, 0)), doubles(_vector(c, 1)), doubles(_vector(c, 2))
    pivots = integers(c[BORDERED_PIVOTS])
    for i in range(n):
        g[n + i] = mixed[i]
        for j in range(n):
            a[i * n + j] = jac[n + i * (n + 2) + j]
    if lu_factor(a, n, pivots, rows) == 0.0:
        return 1
    lu_solve(a, n, pivots, h)
    m = 2 * n
    for i in range(n):
        for j in range(n):
            entry = -jac[n + i * (n + 2) + j]
            a[i * m + j] = entry
            a[(n + i) * m + n + j] = entry
            a[i * m + n + j] = 0.0
            a[(n + i) * m + j] = 0.0
        a[i * m + i] += x
        a[(n + i) * m + n + i] += x
        a[i * m + n + i] = -y
        a[(n + i) * m + i] = y
    if lu_factor(a, m, pivots, rows) == 0.0:
        return 1
    lu_solve(a, m, pivots, g)
    return 0


@kernel
def _lyapunov(c, y):
    """Return the first Lyapunov coefficient with q of unit length in units of the states; NaN where it is not defined.

    l1 = Re c1 / omega, c1 = <p, C(q, q, q') - 2 B(q, J^-1 B(q, q')) + B(q', (2 i omega - J)^-1 B(q, q))> / 2
    (Kuznetsov, eq. 5.34 and 3.20). w' B(q, .) are the gradients of the last step. Of a map Re d, d = e^(-i theta) c1
    with e^(2 i theta) - 1 for 2 i omega (eq. 5.57, J being the derivative less one).
    """
    n, size, grad = c[STATES], doubles(c[SIZE]), doubles(c[G])
    v, w, a, b = doubles(c[V]), doubles(c[W]), doubles(_vector(c, 5)), doubles(_vector(c, 6))
    kappa = doubles(c[NUMBERS])[KAPPA]
    discrete = c[KIND] == MAP_TORUS
    if not kappa > (REAL_PAIR if discrete else 0.0):
        return math.nan
    omega, cosine = math.sqrt(kappa), doubles(c[NUMBERS])[COSINE]
    ratio = omega / doubles(c[NUMBERS])[SIGMA]
    length = 0.0
    for i in range(n):
        a[i] = v[i]
        b[i] = ratio * v[n + 2 + i]
        length += (a[i] * a[i] + b[i] * b[i]) / (size[i] * size[i])
    _jets(c, y, a, b)
    if _quadratic_terms(c, -2.0 * kappa if discrete else 0.0, 2.0 * omega * (cosine if discrete else 1.0)) != 0:
        return math.nan
    h, g, real, imag = doubles(_vector(c, 0)), doubles(_vector(c, 1)), doubles(_vector(c, 3)), doubles(_vector(c, 4))
    re = 0.0
    im = 0.0
    terms = 0.0
    norm_re = 0.0
    norm_im = 0.0
    for i in range(n):
        w_re, w_im = w[i], ratio * w[n + i]
        norm_re += w_re * a[i] - w_im * b[i]
        norm_im += w_re * b[i] + w_im * a[i]
        re += w_re * real[i] - w_im * imag[i]
        im += w_re * imag[i] + w_im * real[i]
        g00, g01 = grad[i], ratio * grad[n + 2 + i]
        g10, g11 = ratio * grad[2 * (n + 2) + i], ratio * ratio * grad[3 * (n + 2) + i]
        terms += abs(w_re * real[i]) + abs(w_im * imag[i]) + abs(w_re * imag[i]) + abs(w_im * real[i])
        terms += (abs(g00) + abs(g11) + abs(g01) + abs(g10)) * (2.0 * abs(h[i]) + abs(g[i]) + abs(g[n + i]))
        re += -2.0 * (g00 - g11) * h[i] + (g00 + g11) * g[i] - (g10 - g01) * g[n + i]
        im += -2.0 * (g01 + g10) * h[i] + (g00 + g11) * g[n + i] + (g10 - g01) * g[i]
    squared = norm_re * norm_re + norm_im * norm_im
    if discrete:
        found = cosine * (re * norm_re + im * norm_im) + omega * (im * norm_re - re * norm_im)
    else:
        found = re * norm_re + im * norm_im
    # around centres, and of a map that keeps areas, nothing is left but rounding, whose sign means nothing
    if abs(found) <= ROUNDING * terms * math.sqrt(squared):
        return 0.0
    return 0.5 * found / squared / (length if discrete else omega * length)


@kernel
def _doubling(c, y):
    """Return 6 <p, q> b at a doubling of a map, q and p of unit length in units of states and equations.

    <p, q> b = <p, C(q, q, q) - 3 B(q, J^-1 B(q, q))> / 6 (Kuznetsov, eq. 5.49, J being the derivative less one). Not
    finite where J is singular.
    """
    n, size, rows, grad = c[STATES], doubles(c[SIZE]), doubles(c[ROWS]), doubles(c[G])
    v, w, jac, a = doubles(c[V]), doubles(c[W]), doubles(c[MODEL]), doubles(c[MATRIX])
    jet, h, pivots = doubles(_vector(c, 11)), doubles(_vector(c, 0)), integers(c[BORDERED_PIVOTS])
    call_model5(c[JET], y, c[VALUES], c[V], c[STILL], _vector(c, 11))
    for i in range(n):
        h[i] = jet[n + i]
        for j in range(n):
            a[i * n + j] = jac[n + i * (n + 2) + j]
    if lu_factor(a, n, pivots, doubles(_vector(c, 10))) == 0.0:
        return math.nan
    lu_solve(a, n, pivots, h)
    total = 0.0
    vv = 0.0
    ww = 0.0
    for i in range(n):
        total += w[i] * jet[2 * n + i] - 3.0 * grad[i] * h[i]
        vv += v[i] * v[i] / (size[i] * size[i])
        ww += w[i] * w[i] * rows[i] * rows[i]
    return total / (vv * math.sqrt(vv * ww))


@kernel
def _unit_products(c, which):
    """Return <p, B(q, q)>, or <p, q>, with null vectors of unit length in units of states and equations."""
    n, v, w, grad = c[STATES], doubles(c[V]), doubles(c[W]), doubles(c[G])
    size, rows = doubles(c[SIZE]), doubles(c[ROWS])
    vv = 0.0
    ww = 0.0
    vw = 0.0
    bend = 0.0
    for i in range(n):
        vv += v[i] * v[i] / (size[i] * size[i])
        ww += w[i] * w[i] * rows[i] * rows[i]
        vw += v[i] * w[i]
        bend += grad[i] * v[i]
    return bend / (vv * math.sqrt(ww)) if which == 0 else vw / math.sqrt(vv * ww)


@kernel
def _map_tests(c, y, out, others):
    """Write the tests of curves of a map: CP, R1, LPPD, LPNS; GPD, R2, LPPD, PDNS; CH, R3, R4, LPNS, PDNS, NSNS.

    The coefficients whose zeros are GPD and CH have poles where one is a multiplier, too: these are divided out, for a
    zero and a pole within one step would not be seen.
    """
    numbers, kind = doubles(c[NUMBERS]), c[KIND]
    reals, imags = doubles(c[REALS]), doubles(c[IMAGS])
    pairs = _least_product(reals, imags, others)
    if kind == MAP_TORUS:
        out[1] = numbers[COSINE] + 0.5
        out[2] = numbers[COSINE]
        out[3] = _nearest(reals, imags, others, 1.0)
        first = _lyapunov(c, y) * out[3]
        out[4] = _nearest(reals, imags, others, -1.0)
        out[5] = pairs
    elif kind == MAP_DOUBLING:
        out[1] = _unit_products(c, 1)
        out[2] = _nearest(reals, imags, others, 1.0)
        first = _doubling(c, y) * out[2]
        out[3] = pairs
    else:
        first = _unit_products(c, 0)
        out[1] = _unit_products(c, 1)
        out[2] = _nearest(reals, imags, others, -1.0)
        out[3] = pairs
    if math.isfinite(first):
        numbers[HOLD] = first
    out[0] = numbers[HOLD]


@kernel
def locus_tests(context, y, tangent, values):
    """Write the tests at y, where the last step was evaluated: CP, BT, ZH on folds; GH, ZH, HH on Hopf points."""
    c, out = integers(context), doubles(values)
    numbers = doubles(c[NUMBERS])
    _spectrum(c)
    others = _others(c)
    if c[KIND] >= MAP_FOLD:
        _map_tests(c, y, out, others)
        return 0
    reals, imags = doubles(c[REALS]), doubles(c[IMAGS])
    pairs = _smallest_sum(reals, imags, others)
    if c[KIND] == HOPF:
        l1 = _lyapunov(c, y)
        if math.isfinite(l1):
            numbers[HOLD] = l1
        out[0] = numbers[HOLD]
        out[1] = _nearest(reals, imags, others, 0.0)
        out[2] = pairs
        return 0
    out[0] = _unit_products(c, 0)
    out[1] = _unit_products(c, 1)
    out[2] = pairs
    return 0


@kernel
def locus_spectra(context, points, count, reals, imags, unstable):
    """Write the eigenvalues (n) of `count` points, and how many but the critical ones have positive real part.

    Of a map they are multipliers, and those outside the unit circle are counted.
    """
    c, kept = integers(context), integers(unstable)
    n, u = c[STATES], c[UNKNOWNS]
    re, im = doubles(c[REALS]), doubles(c[IMAGS])
    for k in range(count):
        evaluate(c, points + 8 * k * u)
        _spectrum(c)
        for i in range(n):
            doubles(reals)[k * n + i] = re[i]
            doubles(imags)[k * n + i] = im[i]
        others = _others(c)
        total = 0
        for i in range(others):
            total += (re[i] > 0.0) if c[KIND] < MAP_FOLD else (math.hypot(re[i], im[i]) > 1.0)
        kept[k] = total
    return 0

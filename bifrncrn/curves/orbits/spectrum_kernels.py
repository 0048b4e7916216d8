"""The compiled Floquet multipliers: eigenvalues of the condensed pair of an orbit, the trivial one divided out.

The velocity is the eigenvector of the trivial multiplier. Dividing it out leaves a pair of n - 1 rows whose eigenvalues
are well conditioned where a second multiplier is 1 as well, at a fold of cycles. Of two states the second multiplier is
known from the product of both (Liouville), however large or small it is.
"""

import math

from bifrncrn.compile.pointers import address_of, doubles, integers, kernel
from bifrncrn.continuation.dense import lu_factor, lu_solve
from bifrncrn.curves.orbits.collocation_kernels import to_one
from bifrncrn.curves.orbits.lapack_kernels import call_dggev
from bifrncrn.curves.orbits.layout import (
    DGGEV,
    INFO,
    INFO_GROWTH,
    INFO_NOISE,
    INTERVALS,
    LAPACK_JOB,
    LAPACK_SIZES,
    LAPACK_SPARE,
    MULTIPLIERS,
    PAIR,
    PIVOTS,
    SPECTRUM,
    STATES,
    VELOCITY,
    WORK,
)

SPOILT = 1e-4
"""Where the trivial multiplier comes out further off than this, so do the others."""
LARGEST = 700.0
"""Logarithm of the largest multiplier that is told."""
POOR = 1e-6
"""The velocity is improved where it is an eigenvector to less than this."""
PASSES = 3
"""It is improved so often: at a fold, where 1 is a double eigenvalue, one pass may make it another poor one."""
ERROR = 1e-7
"""What rounding and the mesh change the pair by, in terms of the sphere on which infinity is a number like any other:
with the neighbourhood of canards the signs of multipliers were seen to change at random where this predicts it."""
ROUNDED = 7e-16
"""What rounding changes the pair by, for every interval, beside equations of size one: three times its unit."""
QUIET = 1e-7
"""Less than this is not counted: at a bifurcation a multiplier is on the unit circle."""
MODERATE = 1e4
"""Multipliers between its inverse and this are taken from the divided pair: what is divided out is known to about 1e-9,
which is small beside 1 but not beside the entries that make a multiplier of 1e9."""


@kernel
def _both(pair, n, v, row):
    """Return a row of the pair's matrices times a vector."""
    a, b = 0.0, 0.0
    for k in range(n):
        a += pair[row * n + k] * v[k]
        b += pair[(n + row) * n + k] * v[k]
    return a, b


@kernel
def _defect(pair, n, v):
    """Return how far a vector is from being the eigenvector of the multiplier 1."""
    sums, squares = 0.0, 1e-300
    for row in range(n):
        a, b = _both(pair, n, v, row)
        sums += (a + b) * (a + b)
        squares += a * a + b * b
    return math.sqrt(sums / squares)


@kernel
def _normalised(v, n):
    """Make a vector one of unit length; return whether it has one."""
    square = 0.0
    for k in range(n):
        square += v[k] * v[k]
    if not square > 0.0:
        return False
    inverse = 1.0 / math.sqrt(square)
    for k in range(n):
        v[k] *= inverse
    return True


@kernel
def trivial(c):
    """Return the trivial multiplier: the ratio that the pair makes of the velocity at both ends, NaN at a standstill.

    Its eigenvector, left in WORK, is improved by inverse iteration where the velocity is a poor one: in stiff systems
    that has the error of the state times the fastest rate.
    """
    n = c[STATES]
    pair, velocity = doubles(c[PAIR]), doubles(c[VELOCITY])
    v, w, after = doubles(c[WORK]), doubles(c[WORK] + 8 * n), doubles(c[WORK] + 16 * n)
    matrix, scratch = doubles(c[WORK] + 32 * n), doubles(c[WORK] + 8 * (4 * n + n * n))
    for b in range(n):
        v[b] = velocity[b]
    if not _normalised(v, n):
        return math.nan
    off = _defect(pair, n, v)
    if off >= POOR:
        for k in range(n * n):
            matrix[k] = pair[k] + pair[n * n + k]
        for b in range(n):
            w[b] = v[b]
        passes = PASSES if lu_factor(matrix, n, integers(c[PIVOTS]), scratch) != 0.0 else 0
        for _ in range(passes):
            for row in range(n):
                _, after[row] = _both(pair, n, w, row)
            lu_solve(matrix, n, integers(c[PIVOTS]), after)
            if not _normalised(after, n):
                break
            better = _defect(pair, n, after) < 0.1 * off
            for b in range(n):
                w[b] = after[b]
                v[b] = w[b] if better else v[b]
            off = _defect(pair, n, v)
            if off < POOR:
                break
    along, back = 0.0, 0.0
    for row in range(n):
        a, b = _both(pair, n, v, row)
        along += a * (a - b)
        back -= b * (a - b)
    return along / back


@kernel
def _apart(a, b, x, y):
    """Return the distance of complex numbers (a, b) and (x, y) on the sphere on which infinity is one too."""
    gap = math.hypot(a - x, b - y) / (math.hypot(1.0, math.hypot(a, b)) * math.hypot(1.0, math.hypot(x, y)))
    return gap if math.isfinite(gap) else 1.0


@kernel
def _eigenvalues(c, a, b, m, out):
    """Write the eigenvalues (m, then m imaginary parts) of a pair by columns, which is overwritten."""
    n = c[STATES]
    work = c[SPECTRUM] + 8 * 6 * n * n
    real, imag, scale = doubles(work), doubles(work + 8 * n), doubles(work + 16 * n)
    left, right = c[SPECTRUM] + 8 * 4 * n * n, c[SPECTRUM] + 8 * 5 * n * n
    sizes = c[LAPACK_SIZES]
    call_dggev(
        c[DGGEV], c[LAPACK_JOB], sizes if m == n else sizes + 4, address_of(a), address_of(b), address_of(real),
        address_of(imag), address_of(scale), left, right, work + 8 * 3 * n, sizes + 8, sizes + 12,
    )  # fmt: skip
    for k in range(m):
        out[k] = real[k] / scale[k]
        out[m + k] = 0.0 if imag[k] == 0.0 else imag[k] / scale[k]


@kernel
def _form(a, m, left, right):
    """Return left . a right, the matrix by columns."""
    total = 0.0
    for j in range(m):
        for i in range(m):
            total += left[i] * a[j * m + i] * right[j]
    return total


@kernel
def _weight(y, m, left, factors):
    """Return the square of the length of a left vector (m,) of the divided pair, its equations before `_equalise`."""
    dot = 0.0
    for i in range(m):
        dot += left[i + 1] * y[i]
    dot /= 1.0 + abs(left[0])
    total = (dot * (1.0 + abs(left[0])) * factors[0]) ** 2
    for i in range(m):
        total += ((y[i] - dot * left[i + 1]) * factors[i + 1]) ** 2
    return total


@kernel
def _certainty(c, a, b, m, values, left, factors):
    """Return how far the least certain eigenvalue of a pair is from being undetermined; write the noise.

    That is |(y.a x, y.b x)| for unit eigenvectors x and y from the right and from the left: on the sphere an eigenvalue
    moves by the change of a and b divided by it (Stewart & Sun, Matrix Perturbation Theory, VI.2.1). Nothing is certain
    where one is so near to the unit circle that rounding may take it across.
    """
    n, info = c[STATES], doubles(c[INFO])
    least, nearest, unit = math.inf, math.inf, ROUNDED * c[INTERVALS]
    info[INFO_NOISE] = 0.0
    for k in range(m):
        if values[m + k] < 0.0:
            continue  # the conjugate of the one before
        y, x = doubles(c[SPECTRUM] + 8 * (4 * n * n + k * m)), doubles(c[SPECTRUM] + 8 * (5 * n * n + k * m))
        size, first, second, weight = 0.0, 0.0, 0.0, _weight(y, m, left, factors)
        if values[m + k] == 0.0:
            for i in range(m):
                first += x[i] * x[i]
                second += y[i] * y[i]
            size = math.hypot(_form(a, m, y, x), _form(b, m, y, x))
        else:
            u, v = doubles(address_of(x) + 8 * m), doubles(address_of(y) + 8 * m)
            weight += _weight(v, m, left, factors)
            for i in range(m):
                first += x[i] * x[i] + u[i] * u[i]
                second += y[i] * y[i] + v[i] * v[i]
            for which in range(2):
                matrix = a if which == 0 else b
                even = _form(matrix, m, y, x) + _form(matrix, m, v, u)
                odd = _form(matrix, m, y, u) - _form(matrix, m, v, x)
                size = math.hypot(size, math.hypot(even, odd))
        size /= math.sqrt(first * second)
        least = min(least, size) if math.isfinite(size) else 0.0
        modulus, noise = math.hypot(values[k], values[m + k]), math.inf
        off = _apart(modulus, 0.0, 1.0, 0.0)
        if size > 0.0:
            noise = unit * math.sqrt(1.0 + weight / second) / size
        if noise > QUIET and off <= noise:
            least = 0.0
        if off < nearest:
            nearest, info[INFO_NOISE] = off, 2.0 * noise  # near 1 the sphere makes distances half as large
    return least


@kernel
def _reflected(matrix, n, left, right, out, sign):
    """Write `sign` times a matrix (n, n) less its first row and column in axes that begin with two unit vectors.

    Both axes by the reflections that take the vectors to the first axis; the result (n - 1, n - 1) by columns.
    """
    m = n - 1
    for i in range(n):  # from the right
        dot = 0.0
        for k in range(n):
            dot += matrix[i * n + k] * (right[k] + (0.0 if k > 0 else (1.0 if right[0] >= 0.0 else -1.0)))
        dot /= 1.0 + abs(right[0])
        for k in range(1, n):
            matrix[i * n + k] -= dot * right[k]
    for k in range(1, n):  # from the left
        dot = 0.0
        for i in range(n):
            dot += matrix[i * n + k] * (left[i] + (0.0 if i > 0 else (1.0 if left[0] >= 0.0 else -1.0)))
        dot /= 1.0 + abs(left[0])
        for i in range(1, n):
            out[(k - 1) * m + i - 1] = sign * (matrix[i * n + k] - dot * left[i])


@kernel
def _merge(whole, divided, n, out):
    """Write the multipliers but the trivial one: those of moderate size of the divided pair, others of the whole.

    Each of the former is the nearest to one of the latter that is not taken yet.
    """
    m = n - 1
    one = 0
    for k in range(n):
        nearer = _apart(whole[k], whole[n + k], 1.0, 0.0) < _apart(whole[one], whole[n + one], 1.0, 0.0)
        one = k if nearer else one
    at = 1
    for k in range(n):
        if k == one:
            continue
        re, im = whole[k], whole[n + k]
        size = math.hypot(re, im)
        if 1.0 / MODERATE < size < MODERATE:
            best, gap = -1, math.inf
            for j in range(m):
                apart = _apart(divided[j], divided[m + j], re, im)
                if divided[2 * m + j] == 0.0 and apart < gap:
                    best, gap = j, apart
            if best >= 0:
                re, im, divided[2 * m + best] = divided[best], divided[m + best], 1.0
        to = at
        while to > 1 and math.hypot(out[to - 1], out[n + to - 1]) < math.hypot(re, im):
            out[to], out[n + to] = out[to - 1], out[n + to - 1]
            to -= 1
        out[to], out[n + to] = re, im
        at += 1


@kernel
def _units(pair, n, out):
    """Write powers of two that make the columns of a pair about equally long.

    Elimination by rows and by reflections, and the mesh too, change every column by a part of itself: how certain
    eigenvalues are must not depend on what a state that hardly matters is measured in.
    """
    for k in range(n):
        size = 0.0
        for row in range(2 * n):
            size = max(size, abs(pair[row * n + k]))
        out[k] = to_one(size)


@kernel
def _equalise(pair, n, out):
    """Multiply the equations of a pair by powers of two that make them about equally large; write these.

    A state that is fast or slow makes one of another size than those of the others, and is no less exact for it.
    """
    for row in range(n):
        size = 0.0
        for k in range(n):
            size = max(size, abs(pair[row * n + k]), abs(pair[(n + row) * n + k]))
        out[row] = to_one(size)
        for k in range(n):
            pair[row * n + k] *= out[row]
            pair[(n + row) * n + k] *= out[row]


@kernel
def find_multipliers(c, stiff):
    """Write the multipliers (n, then n imaginary parts), the trivial one first, NaN where rounding has spoilt it.

    The others follow by size; last comes the size up to which their signs are sure, below 1 nothing is. The equations
    of a `stiff` pair are made equally large.
    """
    n, m = c[STATES], c[STATES] - 1
    out, pair = doubles(c[MULTIPLIERS]), doubles(c[PAIR])
    factors = doubles(c[SPECTRUM] + 8 * (6 * n * n + 12 * n + LAPACK_SPARE + 5 * n))
    for k in range(n):
        factors[k] = 1.0
    if stiff:
        _equalise(pair, n, factors)
    doubles(c[INFO])[INFO_NOISE] = 0.0
    own = trivial(c)
    for k in range(2 * n):
        out[k] = 0.0
    out[0] = own if abs(own - 1.0) < SPOILT else math.nan
    out[2 * n] = math.inf
    if n == 2:
        out[1] = math.exp(min(doubles(c[INFO])[INFO_GROWTH], LARGEST))
    if n <= 2:
        return
    if not math.isfinite(own):
        for k in range(1, n):
            out[k] = math.nan
        out[2 * n] = 0.0
        return
    v, mean, units = doubles(c[WORK]), doubles(c[WORK] + 8 * n), doubles(c[WORK] + 16 * n)
    square = 0.0
    for row in range(n):
        a, b = _both(pair, n, v, row)
        mean[row] = a - b
    _units(pair, n, units)
    for k in range(n):
        v[k] /= units[k]
    _normalised(mean, n)
    _normalised(v, n)
    first, second = doubles(c[SPECTRUM]), doubles(c[SPECTRUM] + 8 * n * n)
    a, b = doubles(c[SPECTRUM] + 16 * n * n), doubles(c[SPECTRUM] + 24 * n * n)
    spare = doubles(c[SPECTRUM] + 8 * (6 * n * n + 12 * n + LAPACK_SPARE))
    whole, divided = spare, doubles(address_of(spare) + 16 * n)
    for which in range(2):
        for k in range(n * n):
            first[k] = pair[which * n * n + k] * units[k % n]
            square += first[k] * first[k]
        _reflected(first, n, mean, v, a if which == 0 else b, 1.0 if which == 0 else -1.0)
    for k in range(m * m):
        first[k], second[k] = a[k], b[k]
    _eigenvalues(c, first, second, m, divided)
    out[2 * n] = _certainty(c, a, b, m, divided, mean, factors) / (ERROR * math.sqrt(square))
    for k in range(m):
        divided[2 * m + k] = 0.0
    for i in range(n):
        for j in range(n):
            first[j * n + i], second[j * n + i] = pair[i * n + j], -pair[(n + i) * n + j]
    _eigenvalues(c, first, second, n, whole)
    _merge(whole, divided, n, out)

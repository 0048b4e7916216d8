"""Eigenvalues of small dense matrices for the compiled kernels: Hessenberg form and QR sweeps, block by block.

They allocate nothing and raise nothing. An array `a` is a pointer to doubles, row by row, `stride` from row to row.
"""

import math

from bifrncrn.compile.pointers import address_of, doubles, integers, kernel
from bifrncrn.continuation.dense import EPS

BITS = 62
"""Of so many unknowns it can be noted in one integer which depend on which."""
PATIENT = 20
"""After so many sweeps for one eigenvalue each further one doubles what counts as nothing."""
GRADED = 4.0
"""Rows that differ in size by less than this stay in their order."""


@kernel
def _balance(a, n, stride):
    """Scale rows against columns by powers of two (Parlett & Reinsch, Numer. Math. 13, 1969)."""
    for _sweep in range(20):
        done = True
        for i in range(n):
            column = 0.0
            row = 0.0
            for j in range(n):
                if j != i:
                    column += abs(a[j * stride + i])
                    row += abs(a[i * stride + j])
            if column == 0.0 or row == 0.0 or not math.isfinite(column + row):
                continue
            factor = 1.0
            total = column + row
            while column < row / 2.0:
                factor *= 2.0
                column *= 4.0
            while column >= row * 2.0:
                factor /= 2.0
                column /= 4.0
            if (column + row) / factor < 0.95 * total:
                done = False
                for j in range(n):
                    a[i * stride + j] /= factor
                for j in range(n):
                    a[j * stride + i] *= factor
        if done:
            return


@kernel
def _swap(a, n, stride, i, j):
    """Exchange two unknowns: rows i and j, and columns i and j."""
    if i == j:
        return
    for k in range(n):
        a[i * stride + k], a[j * stride + k] = a[j * stride + k], a[i * stride + k]
    for k in range(n):
        a[k * stride + i], a[k * stride + j] = a[k * stride + j], a[k * stride + i]


@kernel
def _grade(a, n, stride, sizes):
    """Bring what is large to the top left; `sizes` is scratch.

    The small eigenvalues of a matrix that is graded downwards keep their digits through Hessenberg form and QR sweeps
    (Stewart, Matrix Algorithms II, 2.3.4); in another order the rounding of a fast unknown would drown the slow ones.
    """
    for i in range(n):
        sizes[i] = 0.0
        for j in range(n):
            sizes[i] += abs(a[i * stride + j])
    for i in range(n - 1):
        best = i
        for j in range(i + 1, n):
            if sizes[j] > GRADED * sizes[best]:
                best = j
        if best != i:
            _swap(a, n, stride, i, best)
            sizes[best] = sizes[i]


@kernel
def _hessenberg(a, n, stride):
    """Reduce to upper Hessenberg form by Householder reflections, in place (Golub & Van Loan, 7.4.3)."""
    for k in range(n - 2):
        norm = 0.0
        for i in range(k + 1, n):
            norm += a[i * stride + k] * a[i * stride + k]
        norm = math.sqrt(norm)
        if norm == 0.0:
            continue
        head = a[(k + 1) * stride + k]
        alpha = -norm if head > 0.0 else norm
        v0 = head - alpha
        # reflect with v = (v0, the rest of column k), beta = 2 / v.v
        vv = v0 * v0
        for i in range(k + 2, n):
            vv += a[i * stride + k] * a[i * stride + k]
        if vv == 0.0:
            continue
        beta = 2.0 / vv
        for j in range(k + 1, n):
            dot = v0 * a[(k + 1) * stride + j]
            for i in range(k + 2, n):
                dot += a[i * stride + k] * a[i * stride + j]
            dot *= beta
            a[(k + 1) * stride + j] -= dot * v0
            for i in range(k + 2, n):
                a[i * stride + j] -= dot * a[i * stride + k]
        for i in range(n):
            dot = v0 * a[i * stride + k + 1]
            for j in range(k + 2, n):
                dot += a[j * stride + k] * a[i * stride + j]
            dot *= beta
            a[i * stride + k + 1] -= dot * v0
            for j in range(k + 2, n):
                a[i * stride + j] -= dot * a[j * stride + k]
        a[(k + 1) * stride + k] = alpha
        for i in range(k + 2, n):
            a[i * stride + k] = 0.0


@kernel
def pair_eigenvalues(a, b, c, d, wr, wi, at):
    """Write the eigenvalues of [[a, b], [c, d]] to places at, at + 1, without cancellation."""
    half = 0.5 * (a + d)
    gap = 0.5 * (a - d)
    disc = gap * gap + b * c
    if disc >= 0.0:
        root = math.sqrt(disc)
        big = half + root if half >= 0.0 else half - root
        # the small one from the determinant when that is the better conditioned way
        small = half - root if half >= 0.0 else half + root
        if big != 0.0 and abs(small) < 1e-3 * abs(big):
            small = (a * d - b * c) / big
        wr[at] = max(big, small)
        wr[at + 1] = min(big, small)
        wi[at] = 0.0
        wi[at + 1] = 0.0
    else:
        wr[at] = half
        wr[at + 1] = half
        wi[at] = math.sqrt(-disc)
        wi[at + 1] = -wi[at]


@kernel
def _shifts(a, stride, high, exceptional):
    """Return sum and product of the two shifts for a sweep that ends in row `high`.

    They are the eigenvalues of the last two rows. Of two real ones the one nearer to the last entry is taken twice
    (as LAPACK does): two of them, near two different conjugate pairs, may never converge to either.
    """
    p, q = a[(high - 1) * stride + high - 1], a[high * stride + high]
    if exceptional:
        size = abs(a[high * stride + high - 1]) + abs(a[(high - 1) * stride + high - 2])
        centre = 0.75 * size + q
        return 2.0 * centre, centre * centre + 0.4375 * size * size
    half = 0.5 * (p - q)
    cross = a[(high - 1) * stride + high] * a[high * stride + high - 1]
    square = half * half + cross
    if square < 0.0:
        return p + q, p * q - cross
    away = half + math.copysign(math.sqrt(square), half)
    near = q - cross / away if away != 0.0 else q
    return 2.0 * near, near * near


@kernel
def _francis(a, stride, low, high, s, t):
    """Do one implicit double-shift QR sweep on rows low..high with shift sum `s` and product `t` (G&VL 7.5.1)."""
    x = (
        a[low * stride + low] * a[low * stride + low]
        + a[low * stride + low + 1] * a[(low + 1) * stride + low]
        - s * a[low * stride + low]
        + t
    )
    y = a[(low + 1) * stride + low] * (a[low * stride + low] + a[(low + 1) * stride + low + 1] - s)
    z = a[(low + 1) * stride + low] * a[(low + 2) * stride + low + 1]
    for k in range(low, high - 1):
        norm = math.sqrt(x * x + y * y + z * z)
        if norm != 0.0:
            alpha = -norm if x > 0.0 else norm
            v0 = x - alpha
            beta = 2.0 / (v0 * v0 + y * y + z * z)
            start = k - 1 if k > low else low
            for j in range(start, high + 1):
                dot = beta * (v0 * a[k * stride + j] + y * a[(k + 1) * stride + j] + z * a[(k + 2) * stride + j])
                a[k * stride + j] -= dot * v0
                a[(k + 1) * stride + j] -= dot * y
                a[(k + 2) * stride + j] -= dot * z
            for i in range(low, min(k + 3, high) + 1):
                dot = beta * (v0 * a[i * stride + k] + y * a[i * stride + k + 1] + z * a[i * stride + k + 2])
                a[i * stride + k] -= dot * v0
                a[i * stride + k + 1] -= dot * y
                a[i * stride + k + 2] -= dot * z
        x = a[(k + 1) * stride + k]
        y = a[(k + 2) * stride + k]
        if k < high - 2:
            z = a[(k + 3) * stride + k]
    norm = math.sqrt(x * x + y * y)
    if norm != 0.0:
        k = high - 1
        alpha = -norm if x > 0.0 else norm
        v0 = x - alpha
        beta = 2.0 / (v0 * v0 + y * y)
        for j in range(high - 2, high + 1):
            dot = beta * (v0 * a[k * stride + j] + y * a[(k + 1) * stride + j])
            a[k * stride + j] -= dot * v0
            a[(k + 1) * stride + j] -= dot * y
        for i in range(low, high + 1):
            dot = beta * (v0 * a[i * stride + k] + y * a[i * stride + k + 1])
            a[i * stride + k] -= dot * v0
            a[i * stride + k + 1] -= dot * y


@kernel
def _negligible(a, stride, k, slack, norm):
    """Say whether the entry left of the diagonal in row k is nothing beside its neighbours, nor to an eigenvalue.

    What it does to the small eigenvalue is its product with the entry across, over the large one (Ahues & Tisseur,
    LAPACK Working Note 122): beside a diagonal that spans many orders, its own size says nothing.
    """
    below = abs(a[k * stride + k - 1])
    if below == 0.0:
        return True
    p, q = a[(k - 1) * stride + k - 1], a[k * stride + k]
    size = abs(p) + abs(q)
    if size == 0.0:
        return below <= slack * norm
    if below > slack * size:
        return False
    across = abs(a[(k - 1) * stride + k])
    most, least = max(below, across), min(below, across)
    large, small = max(abs(q), abs(p - q)), min(abs(q), abs(p - q))
    total = large + most
    return least * (most / total) <= slack * (small * (large / total)) or least * most <= slack * slack * norm * norm


@kernel
def _qr_iterate(a, n, stride, wr, wi):
    """Find the eigenvalues of a Hessenberg array with deflation; return 0, or 1 if some did not converge."""
    high = n - 1
    tries = 0
    slack = EPS
    norm = 0.0
    for i in range(n):
        for j in range(n):
            norm += abs(a[i * stride + j])
    while high >= 0:
        low = high
        while low > 0:
            if _negligible(a, stride, low, slack, norm):
                a[low * stride + low - 1] = 0.0
                break
            low -= 1
        if low == high:
            wr[high] = a[high * stride + high]
            wi[high] = 0.0
            high -= 1
            tries = 0
            slack = EPS
        elif low == high - 1:
            pair_eigenvalues(
                a[low * stride + low],
                a[low * stride + high],
                a[high * stride + low],
                a[high * stride + high],
                wr,
                wi,
                low,
            )
            high -= 2
            tries = 0
            slack = EPS
        else:
            tries += 1
            if tries > PATIENT:  # a defective block converges slowly, and to the root of rounding: less will do
                slack *= 2.0
            if tries > 60:
                for i in range(n):
                    wr[i] = math.nan
                    wi[i] = math.nan
                return 1
            s, t = _shifts(a, stride, high, tries % 11 == 10)
            _francis(a, stride, low, high, s, t)
            for i in range(low + 2, high + 1):
                a[i * stride + i - 2] = 0.0
                if i > low + 2:
                    a[i * stride + i - 3] = 0.0
    return 0


@kernel
def _sort_descending(wr, wi, n):
    """Sort by descending real part, a conjugate pair with its positive imaginary part first (insertion sort)."""
    for i in range(1, n):
        re = wr[i]
        im = wi[i]
        j = i - 1
        while j >= 0 and (wr[j] < re or (wr[j] == re and wi[j] < im and wi[j] == -im)):
            wr[j + 1] = wr[j]
            wi[j + 1] = wi[j]
            j -= 1
        wr[j + 1] = re
        wi[j + 1] = im


@kernel
def _condition(a, n):
    """Scale an array so that squares neither overflow nor vanish; return the factor that takes the eigenvalues back.

    Entries that are nothing beside the largest become zero (an extinct species leaves 1e-200 in a Jacobian).
    """
    big = 0.0
    for i in range(n * n):
        big = max(big, abs(a[i]))
    scale = big if (big > 1e50 or 0.0 < big < 1e-50) and big < math.inf else 1.0
    for i in range(n * n):
        a[i] = a[i] / scale if abs(a[i]) >= 1e-70 * big else 0.0
    return scale


@kernel
def _group(a, n, wr, wi):
    """Order the unknowns so that those which drive one another stand together; write to wr the number of each group.

    The matrix is block triangular in such an order, so the groups' own blocks have all its eigenvalues, and a fast
    unknown that drives no slow one cannot spoil a digit of theirs. (Which unknown depends on which, directly or not:
    Warshall's algorithm on bits, kept in wi.) Returns whether there is more than one group.
    """
    depends = integers(address_of(wi))
    for i in range(n):
        bits = 0
        for j in range(n):
            if a[i * n + j] != 0.0:
                bits |= 1 << j
        depends[i] = bits
        wr[i] = -1.0
    for k in range(n):
        for i in range(n):
            if depends[i] >> k & 1:
                depends[i] |= depends[k]
    groups = 0
    for i in range(n):
        if wr[i] >= 0.0:
            continue
        wr[i] = groups
        for j in range(i + 1, n):
            if depends[i] >> j & 1 and depends[j] >> i & 1:
                wr[j] = groups
        groups += 1
    if groups == 1:
        return False
    for i in range(n - 1):
        least = i
        for j in range(i + 1, n):
            if wr[j] < wr[least]:
                least = j
        if least != i:
            _swap(a, n, n, i, least)
            wr[i], wr[least] = wr[least], wr[i]
    return True


@kernel
def _block(a, n, stride, wr, wi):
    """Write the eigenvalues of one n x n block; return 0 on success."""
    if n == 1:
        wr[0] = a[0]
        wi[0] = 0.0
        return 0
    if n == 2:
        pair_eigenvalues(a[0], a[1], a[stride], a[stride + 1], wr, wi, 0)
        return 0
    _balance(a, n, stride)
    _grade(a, n, stride, wr)
    _hessenberg(a, n, stride)
    return _qr_iterate(a, n, stride, wr, wi)


@kernel
def eigenvalues(a, n, wr, wi):
    """Write the eigenvalues of `a` (destroyed) to wr + i wi by descending real part; return 0 on success.

    Small ones beside large ones keep their digits where the matrix determines them: where rows, columns or groups of
    unknowns are of different size.
    """
    if n <= 2:
        return _block(a, n, n, wr, wi)
    scale = _condition(a, n)
    status = 0
    if n > BITS or not _group(a, n, wr, wi):
        status = _block(a, n, n, wr, wi)
    else:
        first = 0
        while first < n:
            last = first + 1
            while last < n and wr[last] == wr[first]:
                last += 1
            at = 8 * (first * n + first)
            part = doubles(address_of(a) + at)
            reals, imags = doubles(address_of(wr) + 8 * first), doubles(address_of(wi) + 8 * first)
            status = max(status, _block(part, last - first, n, reals, imags))
            first = last
    for i in range(n):
        wr[i] *= scale
        wi[i] *= scale
    _sort_descending(wr, wi, n)
    return status

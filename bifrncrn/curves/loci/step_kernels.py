"""Defining systems of folds and Hopf points in two parameters, compiled: minimally augmented systems.

To f = 0 come as many scalar equations as make the points special. They are components of the solution of a linear
system with the Jacobian, bordered so that it is regular (Govaerts, Numerical Methods for Bifurcations of Dynamical
Equilibria, 2000, chapters 4 and 5), and their derivatives follow from that solution and the one of the transpose.

- Fold: (J v + b g, c'v) = (0, 1); g = 0.
- Hopf point: the same with J - lambda in place of J, in the ring of numbers x + lambda y, lambda^2 = -kappa:
  v = v0 + mu v1, g = g0 + mu g1 with mu = lambda / sigma. Both parts of g are zero. For kappa > 0 this is the complex
  bordered system with lambda = i omega; unlike that it is regular at kappa = 0 (Bogdanov-Takens) as well, and unlike
  the one with J^2 + kappa it loses no digits to fast states.

- Of a map with F = f^k(x) - x: folds are as above. Period doublings are those of J + 2. At Neimark-Sacker points the
  unknown beside states and parameters is c, the cosine of the angle: e^(i theta) is an eigenvalue of J + 1 where
  i sqrt(1 - c^2) is one of J + 1 - c, so they are Hopf points of that, kappa = 1 - c^2, regular at c = +-1 (R1, R2).

The borders are the null vectors of the last accepted point, so both ends of a step are judged by the same ones. The
context is described in `bifrncrn.curves.loci.layout`; all arguments are addresses.
"""

import math

from bifrncrn.compile.pointers import call_model5, doubles, integers, kernel
from bifrncrn.continuation.dense import lu_factor, lu_factor_in_units, lu_solve, lu_solve_transposed
from bifrncrn.curves.loci.layout import (
    BORDERED,
    BORDERED_PIVOTS,
    BORDERED_SCALE,
    COSINE,
    FIRST,
    GRADIENT,
    HOPF,
    KAPPA,
    KIND,
    LEFT,
    MAP_DOUBLING,
    MAP_TORUS,
    MODEL,
    NUMBERS,
    PLANE,
    RIGHT,
    ROWS,
    SECOND,
    SHIFT,
    SIGMA,
    SIZE,
    STATES,
    STILL,
    SYSTEM,
    SYSTEM_PIVOTS,
    SYSTEM_SCALE,
    UNKNOWNS,
    VALUES,
    VECTORS,
    G,
    T,
    V,
    W,
    Z,
)

FLAT = 0.1
"""Below this frequency, in units of the natural one, the parts of an eigenvector are told apart: near kappa = 0."""


@kernel
def evaluate(c, y):
    """Evaluate the model at y (an address); return 0 where all is finite."""
    n, last, at = c[STATES], c[UNKNOWNS] - 1, doubles(y)
    values, out = doubles(c[VALUES]), doubles(c[MODEL])
    values[c[FIRST]] = at[last - 1]
    values[c[SECOND]] = at[last]
    numbers, kind = doubles(c[NUMBERS]), c[KIND]
    numbers[KAPPA] = at[n] if kind == HOPF else 0.0
    numbers[SHIFT] = 2.0 if kind == MAP_DOUBLING else 0.0
    numbers[COSINE] = 0.0
    if kind == MAP_TORUS:
        numbers[COSINE] = at[n]
        numbers[SHIFT] = 1.0 - at[n]
        numbers[KAPPA] = (1.0 - at[n]) * (1.0 + at[n])
    call_model5(c[PLANE], y, c[VALUES], c[STILL], c[STILL], c[MODEL])
    total = 0.0
    for i in range(n * (n + 3)):
        total += out[i] * 0.0
    return 0 if total == 0.0 else 1


@kernel
def locus_evaluate(context, y):
    """Evaluate the model at y; return 0 where all is finite."""
    return evaluate(integers(context), y)


@kernel
def _entry(c, i, j):
    """Return an entry of dF/d(x, p1, p2), as last evaluated."""
    n = c[STATES]
    return doubles(c[MODEL])[n + i * (n + 2) + j]


@kernel
def _shifted(c, i, j):
    """Return an entry of the Jacobian with the shift of the kind on its diagonal."""
    return _entry(c, i, j) + (doubles(c[NUMBERS])[SHIFT] if i == j else 0.0)


@kernel
def paired(c):
    """Say whether the points have a pair of critical eigenvalues, and one unknown more for it."""
    return c[UNKNOWNS] > c[STATES] + 2


@kernel
def _fill_fold(c):
    """Write the bordered matrix of J, which acts on (v, g)."""
    n, a, size, b, right = c[STATES], doubles(c[BORDERED]), doubles(c[SIZE]), doubles(c[LEFT]), doubles(c[RIGHT])
    m = n + 1
    for i in range(n):
        for j in range(n):
            a[i * m + j] = _shifted(c, i, j) * size[j]
        a[i * m + n] = b[i]
        a[n * m + i] = right[i]
    a[n * m + n] = 0.0


@kernel
def _fill_hopf(c):
    """Write the bordered matrix of J - lambda, which acts on (v0, v1, g0, g1)."""
    n, a, size, b, right = c[STATES], doubles(c[BORDERED]), doubles(c[SIZE]), doubles(c[LEFT]), doubles(c[RIGHT])
    m = 2 * n + 2
    sigma, kappa = doubles(c[NUMBERS])[SIGMA], doubles(c[NUMBERS])[KAPPA]
    for i in range(m * m):
        a[i] = 0.0
    for i in range(n):
        for j in range(n):
            entry = _shifted(c, i, j) * size[j]
            a[i * m + j] = entry
            a[(n + i) * m + n + j] = entry
        a[i * m + n + i] = kappa / sigma * size[i]
        a[(n + i) * m + i] = -sigma * size[i]
        a[i * m + m - 2] = b[i]
        a[(n + i) * m + m - 1] = b[i]
        a[(m - 2) * m + i] = right[i]
        a[(m - 1) * m + n + i] = right[i]


@kernel
def borders(c):
    """Solve the bordered systems of the evaluated point, for Z and T, V and W; return 0 where they are regular."""
    n, size, pivots = c[STATES], doubles(c[SIZE]), integers(c[BORDERED_PIVOTS])
    a, z, t, v, w = doubles(c[BORDERED]), doubles(c[Z]), doubles(c[T]), doubles(c[V]), doubles(c[W])
    hopf = paired(c)
    m = 2 * n + 2 if hopf else n + 1
    if hopf:
        _fill_hopf(c)
    else:
        _fill_fold(c)
    if lu_factor(a, m, pivots, doubles(c[BORDERED_SCALE])) == 0.0:
        return 2
    for j in range(m):
        z[j] = 0.0
        t[j] = 0.0
    z[m - 2 if hopf else n] = 1.0
    t[m - 1] = 1.0
    lu_solve(a, m, pivots, z)
    lu_solve_transposed(a, m, pivots, t)
    for j in range(2 * (n + 2)):
        v[j] = 0.0  # the parameters stay
    for i in range(n):
        v[i] = size[i] * z[i]
        v[n + 2 + i] = size[i] * z[n + i] if hopf else 0.0
        w[i] = t[n + i] if hopf else t[i]
        w[n + i] = t[i] if hopf else 0.0
    return 0


@kernel
def _gradients(c, y):
    """Write the derivatives by (x, p1, p2) of w_i' (dF/dz) v_j to G, number 2 i + j."""
    n = c[STATES]
    for k in range(4 if paired(c) else 1):
        v, w = c[V] + 8 * (k % 2) * (n + 2), c[W] + 8 * (k // 2) * n
        call_model5(c[GRADIENT], y, c[VALUES], v, w, c[G] + 8 * k * (n + 2))


@kernel
def _conditions(c, a, rest):
    """Write the rows of the scalar equations to the system, the negative of their values to `rest`."""
    n, u = c[STATES], c[UNKNOWNS]
    g, z, v, w = doubles(c[G]), doubles(c[Z]), doubles(c[V]), doubles(c[W])
    if not paired(c):
        for j in range(n + 2):
            a[n * u + j] = -g[j]
        rest[n] = -z[n]
        return
    sigma, kappa = doubles(c[NUMBERS])[SIGMA], doubles(c[NUMBERS])[KAPPA]
    ratio = kappa / (sigma * sigma)
    for j in range(n + 2):
        to = j if j < n else j + 1  # kappa stands between
        a[n * u + to] = ratio * g[3 * (n + 2) + j] - g[j]
        a[(n + 1) * u + to] = -g[n + 2 + j] - g[2 * (n + 2) + j]
    a[n * u + n] = 0.0
    a[(n + 1) * u + n] = 0.0
    for i in range(n):
        a[n * u + n] -= w[i] * v[n + 2 + i] / sigma
        a[(n + 1) * u + n] -= w[n + i] * v[n + 2 + i] / sigma
    if c[KIND] == MAP_TORUS:  # kappa and the shift are functions of the cosine
        _by_cosine(c, a, ratio)
    rest[n] = -z[2 * n]
    rest[n + 1] = -z[2 * n + 1]


@kernel
def _by_cosine(c, a, ratio):
    """Turn the derivatives by kappa into those by the cosine, of which kappa is 1 - cos^2 and the shift 1 - cos."""
    n, u, v, w = c[STATES], c[UNKNOWNS], doubles(c[V]), doubles(c[W])
    slope = -2.0 * doubles(c[NUMBERS])[COSINE]
    for k in range(2):
        a[(n + k) * u + n] *= slope
    for i in range(n):
        a[n * u + n] += w[i] * v[i] - ratio * w[n + i] * v[n + 2 + i]
        a[(n + 1) * u + n] += w[i] * v[n + 2 + i] + w[n + i] * v[i]


@kernel
def assemble(c, y, rest):
    """Write the derivative (u - 1, u) of the defining system at y to SYSTEM, the negative of its value to `rest`.

    Returns 0, 1 where the model is not finite, 2 where the bordered matrix is singular.
    """
    if evaluate(c, y) != 0:
        return 1
    if borders(c) != 0:
        return 2
    _gradients(c, y)
    n, u, a, f = c[STATES], c[UNKNOWNS], doubles(c[SYSTEM]), doubles(c[MODEL])
    for i in range(n):
        for j in range(n):
            a[i * u + j] = _entry(c, i, j)
        if u > n + 2:
            a[i * u + n] = 0.0
        a[i * u + u - 2] = _entry(c, i, n)
        a[i * u + u - 1] = _entry(c, i, n + 1)
        rest[i] = -f[i]
    _conditions(c, a, rest)
    total = 0.0
    for i in range((u - 1) * u):
        total += a[i] * 0.0
    return 0 if total == 0.0 else 1


@kernel
def locus_step(context, y, row, step, info):
    """Write to `step` the solution of [F_y; row] step = [-F(y); 0], to info[0] the sign of the determinant.

    On entry `step` holds the units of the unknowns, all positive. Returns 0, 1 where the model is not finite, 2 where a
    matrix is singular.
    """
    c = integers(context)
    u, out, border = c[UNKNOWNS], doubles(step), doubles(row)
    unit = doubles(c[VECTORS])
    for j in range(u):
        unit[j] = out[j]
    status = assemble(c, y, out)
    if status != 0:
        return status
    a = doubles(c[SYSTEM])
    for j in range(u):
        a[(u - 1) * u + j] = border[j]
    out[u - 1] = 0.0
    sign = lu_factor_in_units(a, u, integers(c[SYSTEM_PIVOTS]), doubles(c[SYSTEM_SCALE]), unit)
    told = doubles(info)
    for k in range(5):
        told[k] = 0.0
    told[0] = sign
    if sign == 0.0:
        return 2
    lu_solve(a, u, integers(c[SYSTEM_PIVOTS]), out)
    return 0


@kernel
def locus_solve(context, rhs):
    """Solve with the bordered matrix of the last `locus_step`, in place in `rhs`."""
    c = integers(context)
    lu_solve(doubles(c[SYSTEM]), c[UNKNOWNS], integers(c[SYSTEM_PIVOTS]), doubles(rhs))
    return 0


@kernel
def _leading(n, a, b, ratio, out):
    """Write to `out` the real part of the multiple of a + i ratio b, of size one, whose real part is largest."""
    aa = 0.0
    bb = 0.0
    ab = 0.0
    for i in range(n):
        aa += a[i] * a[i]
        bb += ratio * ratio * b[i] * b[i]
        ab += ratio * a[i] * b[i]
    angle = -0.5 * math.atan2(2.0 * ab, aa - bb)
    total = 0.0
    for i in range(n):
        out[i] = math.cos(angle) * a[i] - math.sin(angle) * ratio * b[i]
        total += out[i] * out[i]
    length = math.sqrt(total)
    for i in range(n):
        out[i] /= length


@kernel
def _set_left(c, ratio):
    """Make the left null vector the border, in units of the equations."""
    n, b, rows, w, size = c[STATES], doubles(c[LEFT]), doubles(c[ROWS]), doubles(c[W]), doubles(c[SIZE])
    a, other = doubles(c[VECTORS]), doubles(c[VECTORS] + 8 * n)
    for i in range(n):
        total = 0.0
        for j in range(n + 1):
            total += abs(_entry(c, i, j)) * size[j]
        rows[i] = max(total, rows[i])  # a row may vanish at a special point
        a[i] = rows[i] * w[i]
        other[i] = rows[i] * w[n + i]
    _leading(n, a, other, ratio, b)
    for i in range(n):
        b[i] *= rows[i]


@kernel
def locus_accept(context, y):
    """Make the null vectors at y the borders. Returns 0 where that can be done; else the borders stay."""
    c = integers(context)
    n, z, right, numbers = c[STATES], doubles(c[Z]), doubles(c[RIGHT]), doubles(c[NUMBERS])
    if evaluate(c, y) != 0 or borders(c) != 0:
        return 1
    ratio = math.sqrt(max(numbers[KAPPA], 0.0)) / numbers[SIGMA] if paired(c) else 0.0
    if ratio < FLAT:
        ratio = 0.0
    _set_left(c, ratio)
    second = doubles(c[Z] + 8 * n)
    _leading(n, z, second, ratio, right)
    if paired(c):
        first = 0.0
        other = 0.0
        for i in range(n):
            first += z[i] * z[i]
            other += second[i] * second[i]
        # v1 as long as v0, but for flat ellipses; at kappa = 0 nothing else gives a unit of time
        natural = numbers[SIGMA] * math.sqrt(first / other) if other > 0.0 else 0.0
        numbers[SIGMA] = max(math.sqrt(max(numbers[KAPPA], 0.0)), natural)
    return 0


@kernel
def locus_linearize(context, y, out):
    """Write F (u - 1) and its derivative (u - 1, u), row by row; return as `locus_step`."""
    c, result = integers(context), doubles(out)
    u, a = c[UNKNOWNS], doubles(c[SYSTEM])
    rest = doubles(c[VECTORS])
    status = assemble(c, y, rest)
    for i in range(u - 1):
        result[i] = -rest[i]
    for i in range((u - 1) * u):
        result[u - 1 + i] = a[i]
    return status

"""What is computed at single points of an equilibrium curve, compiled: residual, tangent, coefficients, branch points.

Every kernel gets the address of a context (`bifrncrn.curves.equilibria.work`); all arguments are addresses, of doubles
where nothing else is said. A point y is (x, p).
"""

import math

from bifrncrn.compile.pointers import call_model5, call_model6, doubles, integers, kernel
from bifrncrn.continuation.dense import eliminate, left_null, lu_factor, lu_solve, right_null
from bifrncrn.curves.equilibria.work import (
    DIRECTION,
    JET,
    JET_DIRECTION,
    LINEARIZE,
    PARAMETER,
    PIVOTS,
    STATES,
    VALUES,
    WORK,
)

ITERATIONS = 15
"""Newton iterations for a branch point."""


@kernel
def _evaluate(c, y):
    """Write F, F_p and J at y (an address) to the work space; return 0 where all are finite."""
    n, work = c[STATES], c[WORK]
    doubles(c[VALUES])[c[PARAMETER]] = doubles(y)[n]
    call_model6(c[LINEARIZE], y, c[VALUES], c[DIRECTION], work, work + 8 * (3 * n + 1), work + 8 * n)
    total = 0.0
    for i in range(2 * n):
        total += doubles(work)[i] * 0.0
    for i in range(n * n):
        total += doubles(work)[3 * n + 1 + i] * 0.0
    return 0 if total == 0.0 else 1


@kernel
def _entry(c, i, j):
    """Return an entry of the derivative of F by y, as last evaluated."""
    n = c[STATES]
    return doubles(c[WORK])[3 * n + 1 + i * n + j] if j < n else doubles(c[WORK])[n + i]


@kernel
def _scratch(c, place):
    """Return the address of the matrix (place 0) or of vector number `place` of the scratch space."""
    n = c[STATES]
    m = 2 * n + 2
    base = c[WORK] + 8 * (5 * n + 2 + 3 * n * n)
    return base if place == 0 else base + 8 * (m * m + (place - 1) * m)


@kernel
def _largest(c):
    """Return the largest entry of the derivative of F in absolute value, as last evaluated."""
    big = 0.0
    for i in range(c[STATES]):
        for j in range(c[STATES] + 1):
            big = max(big, abs(_entry(c, i, j)))
    return big


@kernel
def measure(context, y, out):
    """Evaluate at y; write the residual of F relative to its terms, and the largest entry of its derivative.

    Returns 0 where all is finite; elsewhere both are NaN.
    """
    c, at, result = integers(context), doubles(y), doubles(out)
    n = c[STATES]
    result[0] = math.nan
    result[1] = math.nan
    if _evaluate(c, y) != 0:
        return 1
    f = doubles(c[WORK])
    largest = 0.0
    for j in range(n):
        largest = max(largest, abs(at[j]))
    least = 1e-9 * largest if largest > 1e-12 else 1e-9  # what is smaller is rounding
    worst = 0.0
    for i in range(n):
        size = abs(f[i]) + 1e-300 + abs(_entry(c, i, n) * at[n])
        for j in range(n):
            size += abs(_entry(c, i, j)) * max(abs(at[j]), least)
        worst = max(worst, abs(f[i]) / size)
    result[0] = worst
    result[1] = _largest(c)
    return 0


@kernel
def judge(context, y, unit, terms, out):
    """Write how far y is from a solution, and the largest entry of the derivative; infinity and NaN: not finite.

    That is the largest |F_i|, relative to its `terms`, or to what it changes by within units of length.
    """
    c, units, size, result = integers(context), doubles(unit), doubles(terms), doubles(out)
    n = c[STATES]
    result[0] = math.inf
    result[1] = math.nan
    if _evaluate(c, y) != 0:
        return 1
    f = doubles(c[WORK])
    by_terms = 0.0
    by_change = 0.0
    for i in range(n):
        change = 0.0
        for j in range(n + 1):
            change += abs(_entry(c, i, j)) * units[j]
        if f[i] != 0.0:
            by_terms = max(by_terms, abs(f[i]) / size[i] if size[i] > 0.0 else math.inf)
            by_change = max(by_change, abs(f[i]) / change if change > 0.0 else math.inf)
    result[0] = min(by_terms, by_change)
    result[1] = _largest(c)
    return 0


@kernel
def tangent(context, y, scale, out):
    """Write a tangent of unit length in units of `scale`, the parameter increasing; NaN where F is not finite."""
    c, unit, t = integers(context), doubles(scale), doubles(out)
    n = c[STATES]
    m = n + 1
    matrix, order = doubles(_scratch(c, 0)), integers(c[PIVOTS])
    for j in range(m):
        t[j] = math.nan
    if _evaluate(c, y) != 0:
        return 1
    for i in range(n):
        size = 1e-300
        for j in range(m):
            matrix[i * m + j] = _entry(c, i, j) * unit[j]
            size += abs(matrix[i * m + j])
        for j in range(m):
            matrix[i * m + j] /= size
    rank = eliminate(matrix, n, m, n, order)
    right_null(matrix, n, m, rank, order, t)
    sign = 1.0 if t[n] >= 0.0 else -1.0
    for j in range(m):
        t[j] *= sign * unit[j]
    return 0


@kernel
def _jet(c, y, step, along, out):
    """Write the first three derivatives of F(y + e v) by e to `out`; v is `step` in the states, `along` in p."""
    doubles(c[JET_DIRECTION])[c[PARAMETER]] = along
    call_model5(c[JET], y, c[VALUES], step, c[JET_DIRECTION], out)


@kernel
def fold(context, y, out):
    """Write a = <p, B(q, q)> / 2 at a fold and |J q|; see `EquilibriumProblem.fold`. Returns 0 where finite."""
    c, result = integers(context), doubles(out)
    n = c[STATES]
    matrix, order = doubles(_scratch(c, 0)), integers(c[PIVOTS])
    at_q, at_jet = _scratch(c, 1), _scratch(c, 3)
    q, p, jet = doubles(at_q), doubles(_scratch(c, 2)), doubles(at_jet)
    result[0] = math.nan
    result[1] = math.nan
    if _evaluate(c, y) != 0:
        return 1
    for i in range(n):
        for j in range(n):
            matrix[i * n + j] = _entry(c, i, j)
    rank = eliminate(matrix, n, n, n - 1, order)
    right_null(matrix, n, n, rank, order, q)
    left_null(matrix, n, n, rank, order, p)
    best = 0
    for i in range(n):
        if abs(q[i]) > abs(q[best]):
            best = i
    if q[best] < 0.0:
        for i in range(n):
            q[i] = -q[i]
    _jet(c, y, at_q, 0.0, at_jet)
    scale = 0.0
    total = 0.0
    gap = 0.0
    for i in range(n):
        scale += p[i] * q[i]
        total += p[i] * jet[n + i]
        row = 0.0
        for j in range(n):
            row += _entry(c, i, j) * q[j]
        gap += row * row
    if scale != 0.0:  # else zero is a double eigenvalue: no fold of this kind
        result[0] = total / (2.0 * scale)
    result[1] = math.sqrt(gap)
    return 0


@kernel
def _second(c, y, u, v, out):
    """Write B(u, v) of two directions in the states to `out`, by polarisation of two jets.

    Both directions are brought to one length first, so that neither is lost in the other.
    """
    n = c[STATES]
    at_step, at_jet = _scratch(c, 14), _scratch(c, 15)
    step, jet = doubles(at_step), doubles(at_jet)
    a = 0.0
    b = 0.0
    for i in range(n):
        a += u[i] * u[i]
        b += v[i] * v[i]
        out[i] = 0.0
    if a == 0.0 or b == 0.0:
        return
    a = math.sqrt(a)
    b = math.sqrt(b)
    sign = 1.0
    for _both in range(2):
        for i in range(n):
            step[i] = u[i] / a + sign * (v[i] / b)
        _jet(c, y, at_step, 0.0, at_jet)
        for i in range(n):
            out[i] += sign * (0.25 * a * b) * jet[n + i]
        sign = -1.0


@kernel
def _shifted(c, re, im, matrix):
    """Write the real form of J - re - i im, which acts on (real part, imaginary part), to a matrix."""
    n = c[STATES]
    m = 2 * n
    for i in range(m * m):
        matrix[i] = 0.0
    for i in range(n):
        for j in range(n):
            entry = _entry(c, i, j)
            matrix[i * m + j] = entry
            matrix[(n + i) * m + n + j] = entry
        matrix[i * m + i] -= re
        matrix[(n + i) * m + n + i] -= re
        matrix[i * m + n + i] = im
        matrix[(n + i) * m + i] = -im


@kernel
def _hopf_vectors(c, re, im, matrix, q, p):
    """Write q with J q = (re + i im) q and p with J' p = (re - i im) p, <p, q> = 1, real parts first."""
    n = c[STATES]
    m = 2 * n
    order = integers(c[PIVOTS])
    _shifted(c, re, im, matrix)
    rank = eliminate(matrix, m, m, m - 2, order)
    right_null(matrix, m, m, rank, order, q)
    left_null(matrix, m, m, rank, order, p)
    s = 0.0
    t = 0.0
    for i in range(n):
        s += q[i] * p[i] + q[n + i] * p[n + i]
        t += q[i] * p[n + i] - q[n + i] * p[i]
    size = s * s + t * t
    for i in range(n):
        a = p[i]
        b = p[n + i]
        p[i] = (a * s + b * t) / size
        p[n + i] = (b * s - a * t) / size


@kernel
def _solve(matrix, size, c, rhs, spare):
    """Solve in place; return whether the matrix is regular."""
    pivots = integers(c[PIVOTS])
    if lu_factor(matrix, size, pivots, spare) == 0.0:
        return False
    lu_solve(matrix, size, pivots, rhs)
    return True


@kernel
def hopf(context, y, pair, out):
    """Write the first Lyapunov coefficient at a Hopf point; see `EquilibriumProblem.hopf`.

    `pair` is the eigenvalue, its real and its imaginary part. Returns 0 where J and 2 i omega - J are regular.
    """
    c, result = integers(context), doubles(out)
    n = c[STATES]
    m = 2 * n
    at_q, at_step, at_jet = _scratch(c, 1), _scratch(c, 5), _scratch(c, 6)
    matrix, q, p, h = doubles(_scratch(c, 0)), doubles(at_q), doubles(_scratch(c, 2)), doubles(_scratch(c, 3))
    g, step, jet = doubles(_scratch(c, 4)), doubles(at_step), doubles(at_jet)
    re, omega = doubles(pair)[0], doubles(pair)[1]
    result[0] = math.nan
    if _evaluate(c, y) != 0:
        return 1
    _hopf_vectors(c, re, omega, matrix, q, p)
    # c1 = <p, C(q, q, q') - 2 B(q, h) + B(q', g)> / 2 with J h = B(q, q') and (2 i omega - J) g = B(q, q), q = a + i b
    total = 0.0
    for i in range(m):
        h[i] = 0.0
        g[i] = 0.0
    for row in range(4):  # jets along a, b, a + b, a - b
        for i in range(n):
            step[i] = (row != 1) * q[i] + (row != 0) * (1.0 - 2.0 * (row == 3)) * q[n + i]
        _jet(c, y, at_step, 0.0, at_jet)
        sign = 1.0 if row == 2 else -1.0
        for i in range(n):
            second, third = jet[n + i], jet[m + i]
            if row == 0:
                total += 2.0 / 3.0 * p[i] * third
                h[i] += second
                g[i] -= second
            elif row == 1:
                total += 2.0 / 3.0 * p[n + i] * third
                h[i] += second
                g[i] += second
            else:
                total += (p[i] + sign * p[n + i]) * third / 6.0
                g[n + i] -= sign * 0.5 * second
    _shifted(c, 0.0, 2.0 * omega, matrix)
    if not _solve(matrix, m, c, g, step):
        return 2
    for i in range(n):
        for j in range(n):
            matrix[i * n + j] = _entry(c, i, j)
    if not _solve(matrix, n, c, h, step):
        return 2
    # <p, ...> = p_re (B(a, g_re - 2 h) + B(b, g_im)) + p_im (B(a, g_im) - B(b, g_re + 2 h)) in its real part
    for row in range(4):
        along = at_q if row % 2 == 0 else at_q + 8 * n
        side = 0 if row == 0 or row == 1 else n
        for i in range(n):
            step[i] = g[n + i] if row == 1 or row == 2 else (g[i] - 2.0 * h[i] if row == 0 else -g[i] - 2.0 * h[i])
        _second(c, y, doubles(along), step, jet)
        for i in range(n):
            total += p[side + i] * jet[i]
    result[0] = 0.5 * total / omega
    return 0


@kernel
def _curvature(c, y, i, j, weight):
    """Return the second derivative of w'F by unknowns i and j; `weight` is w."""
    n = c[STATES]
    at_step, at_jet = _scratch(c, 14), _scratch(c, 15)
    step, jet = doubles(at_step), doubles(at_jet)
    total = 0.0
    sign = 1.0
    for _both in range(1 if i == j else 2):
        for k in range(n + 1):
            step[k] = 0.0
        step[j] = sign
        step[i] = 1.0
        _jet(c, y, at_step, step[n], at_jet)
        for k in range(n):
            total += sign * weight[k] * jet[n + k]
        sign = -1.0
    return total if i == j else 0.25 * total


@kernel
def _form(c, y, weight, u, v):
    """Return w'B(u, v) for two directions in states and parameter, by polarisation of two jets; `weight` is w."""
    n = c[STATES]
    at_step, at_jet = _scratch(c, 14), _scratch(c, 15)
    step, jet = doubles(at_step), doubles(at_jet)
    a = 0.0
    b = 0.0
    for i in range(n + 1):
        a += u[i] * u[i]
        b += v[i] * v[i]
    if a == 0.0 or b == 0.0:
        return 0.0
    a = math.sqrt(a)
    b = math.sqrt(b)
    total = 0.0
    sign = 1.0
    for _both in range(2):
        for i in range(n + 1):
            step[i] = u[i] / a + sign * (v[i] / b)
        _jet(c, y, at_step, step[n], at_jet)
        for i in range(n):
            total += sign * weight[i] * jet[n + i]
        sign = -1.0
    return 0.25 * a * b * total


@kernel
def forms(context, y, arrays, out):
    """Write w'B(u, u), w'B(u, v), w'B(v, v); `arrays` holds u, v (n + 1 each) and w (n) in a row. Returns 0."""
    c, u, result = integers(context), doubles(arrays), doubles(out)
    n = c[STATES]
    v, weight = doubles(arrays + 8 * (n + 1)), doubles(arrays + 8 * (2 * n + 2))
    doubles(c[VALUES])[c[PARAMETER]] = doubles(y)[n]
    result[0] = _form(c, y, weight, u, u)
    result[1] = _form(c, y, weight, u, v)
    result[2] = _form(c, y, weight, v, v)
    return 0


@kernel
def _branch_system(c, y, unit, size, w, alpha, rest):
    """Write the matrix of the extended system to scratch and the negative of its value to `rest`."""
    n = c[STATES]
    m = 2 * n + 2
    f, matrix, weight = doubles(c[WORK]), doubles(_scratch(c, 0)), doubles(_scratch(c, 3))
    for i in range(m * m):
        matrix[i] = 0.0
    square = 0.0
    for i in range(n):
        weight[i] = w[i] / size[i]
        rest[i] = -f[i] / size[i] - alpha * w[i]
        for j in range(n + 1):
            entry = _entry(c, i, j) * unit[j] / size[i]
            matrix[i * m + j] = entry
            matrix[(n + j) * m + n + 2 + i] = entry
        matrix[i * m + n + 1] = w[i]
        matrix[i * m + n + 2 + i] += alpha
        matrix[(m - 1) * m + n + 2 + i] = 2.0 * w[i]
        square += w[i] * w[i]
    for j in range(n + 1):
        rest[n + j] = 0.0
        for i in range(n):
            rest[n + j] -= matrix[(n + j) * m + n + 2 + i] * w[i]
        for i in range(j + 1):
            entry = _curvature(c, y, i, j, weight) * unit[i] * unit[j]
            matrix[(n + j) * m + i] = entry
            matrix[(n + i) * m + j] = entry
    rest[m - 1] = 1.0 - square


@kernel
def branch_point(context, y, left, arrays, out):
    """Find the branch point near y by Newton's method; see `bifrncrn.curves.equilibria.branch_point`.

    Parameters
    ----------
    context, y
        The point is overwritten.
    left
        A left null vector of the scaled derivative, overwritten.
    arrays
        Units of the unknowns (n + 1) and of the equations (n), lower and upper bounds of y (n + 1 each), in a row.
    out
        Receives the residual.

    Returns
    -------
    int
        0 where it converged.
    """
    c, at, w = integers(context), doubles(y), doubles(left)
    n = c[STATES]
    m = 2 * n + 2
    unit, size = doubles(arrays), doubles(arrays + 8 * (n + 1))
    low, high = doubles(arrays + 8 * (2 * n + 1)), doubles(arrays + 8 * (3 * n + 2))
    matrix, step, spare = doubles(_scratch(c, 0)), doubles(_scratch(c, 1)), doubles(_scratch(c, 2))
    f = doubles(c[WORK])
    alpha = 0.0
    previous = math.inf
    done = False
    for _iteration in range(ITERATIONS):
        if _evaluate(c, y) != 0:
            return 1
        _branch_system(c, y, unit, size, w, alpha, step)
        if not _solve(matrix, m, c, step, spare):
            return 2
        change = 0.0
        for i in range(m):
            if not abs(step[i]) < 1e3:
                return 3
            change = max(change, abs(step[i]))
        for j in range(n + 1):
            at[j] = min(max(at[j] + step[j] * unit[j], low[j]), high[j])
        alpha += step[n + 1]
        for i in range(n):
            w[i] += step[n + 2 + i]
        done = change < 1e-11 or (change < 1e-7 and change > 0.5 * previous)
        if done:
            break
        previous = change
    if not done or _evaluate(c, y) != 0:
        return 4
    worst = 0.0
    for i in range(n):
        worst = max(worst, abs(f[i] / size[i]))
    for j in range(n + 1):
        total = 0.0
        for i in range(n):
            total += _entry(c, i, j) * unit[j] / size[i] * w[i]
        worst = max(worst, abs(total))
    doubles(out)[0] = worst
    return 0 if worst < 1e-8 and abs(alpha) < 1e-8 else 5

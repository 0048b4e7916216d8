"""The compiled collocation: Newton's method for a periodic orbit inside a hyperplane, tangent, multipliers' pair.

On each of N intervals the orbit is a polynomial of degree 4 that satisfies the equations at 4 Gauss points (de Boor &
Swartz, SIAM J. Numer. Anal. 10, 1973: order 8 at the ends of the intervals). The unknowns inside an interval are
eliminated by LU with pivoting, which leaves A_i x_i + B_i x_(i+1) = r_i; then the ends of the intervals one after the
other by Householder reflections, which are stable whatever grows or decays along the orbit (Wright, SIAM J. Sci. Stat.
Comput. 13, 1992, where elimination with pivoting fails), down to A0 x_0 + A1 x_N = r and two borders. The multipliers
are the eigenvalues of the pair (A0, -A1).
"""

import math

from numba import njit

from bifrncrn.compile.pointers import address_of, call_model6, doubles, integers
from bifrncrn.continuation.dense import lu_factor, lu_solve
from bifrncrn.curves.orbits.layout import (
    ARC,
    BAD_VALUE,
    CHAIN,
    DIRECTION,
    EXTREMES,
    GAUSS_WEIGHTS,
    INFO,
    INFO_CONTRACTION,
    INFO_FIRST,
    INFO_GROWTH,
    INFO_RESIDUAL,
    INFO_SIGN,
    INNER,
    INTERVALS,
    LINEARIZE,
    LOWER,
    MONOMIALS,
    NODES,
    OUTSIDE,
    PAIR,
    PARAMETER,
    PHASE,
    PIVOTS,
    POINTS,
    SCALE,
    SETTINGS,
    SINGULAR,
    SLOPES_AT,
    SLOW,
    STATES,
    STEP,
    TANGENT,
    TOLERANCE,
    UNIT,
    UNKNOWNS,
    VALUES,
    VALUES_AT,
    VELOCITY,
    WEIGHTS,
    WIDTHS,
    WORK,
)

MAX_NEWTON = 10
FRESH = 1e-8
"""Tangent and pair of an orbit stem from the iterate before it: no further off than this."""
BEYOND = 1e-5
"""A polynomial may undershoot a wall by this much of a state's size; it is evaluated on the wall then."""
ROUNDING = 1e-14
"""Residuals this small beside the terms they are the sums of are rounding: Newton's method can do no more."""
UNLIKE = 1e-4
"""Where polynomial and integration differ by more than this part of a state's unit, the polynomial is kept."""
STEPS = 10
SAMPLES = 8

kernel = njit(error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@kernel
def _node(c, i, k):
    """Return node k (0 to 4) of interval i."""
    at = i * POINTS + k
    if at == c[INTERVALS] * POINTS:
        at = 0
    return doubles(c[NODES] + 8 * at * c[STATES])


@kernel
def _column(n, k):
    """Return the first column of node k in an interval's matrix: the inner nodes, the left end, the right end."""
    if k == 0:
        return n * (POINTS - 1)
    if k == POINTS:
        return n * POINTS
    return n * (k - 1)


@kernel
def _state_at(c, i, k, x):
    """Write the state at Gauss point k of interval i; return false where it is beyond a wall."""
    n = c[STATES]
    values, lower, scale = doubles(c[VALUES_AT]), doubles(c[LOWER]), doubles(c[SCALE])
    for b in range(n):
        x[b] = 0.0
    for j in range(POINTS + 1):
        weight, node = values[k * (POINTS + 1) + j], _node(c, i, j)
        for b in range(n):
            x[b] += weight * node[b]
    for b in range(n):
        if x[b] < lower[b]:
            if x[b] < lower[b] - BEYOND * scale[b]:
                return False
            x[b] = lower[b]
    return True


@kernel
def _fill(c, i):
    """Write the equations of interval i and its part of the borders; return 0 or a failure."""
    n = c[STATES]
    width = n * (POINTS + 1) + 3
    a = doubles(c[INNER] + 8 * i * (POINTS * n + 2) * width)
    scale, slopes, values = doubles(c[SCALE]), doubles(c[SLOPES_AT]), doubles(c[VALUES_AT])
    x, f, fp = doubles(c[WORK]), doubles(c[WORK] + 8 * n), doubles(c[WORK] + 16 * n)
    jac, info = doubles(c[WORK] + 24 * n), doubles(c[INFO])
    step = doubles(c[WIDTHS])[i] * doubles(c[UNKNOWNS])[0]
    unit = doubles(c[SETTINGS])[UNIT]
    for k in range(POINTS):
        if not _state_at(c, i, k, x):
            return OUTSIDE
        call_model6(c[LINEARIZE], c[WORK], c[VALUES], c[DIRECTION], c[WORK] + 8 * n, c[WORK] + 24 * n, c[WORK] + 16 * n)
        check = 0.0
        for row in range(n):
            at = (k * n + row) * width
            total, terms = 0.0, abs(step * f[row])
            for b in range(n):
                terms += abs(step * jac[row * n + b] * x[b])
            for j in range(POINTS + 1):
                column, weight = at + _column(n, j), -step * values[k * (POINTS + 1) + j] / scale[row]
                for b in range(n):
                    a[column + b] = weight * jac[row * n + b] * scale[b]
                slope = slopes[k * (POINTS + 1) + j]
                a[column + row] += slope
                total += slope * _node(c, i, j)[row]
                terms += abs(slope * _node(c, i, j)[row])
            last = at + n * (POINTS + 1)
            a[last] = -step * f[row] / scale[row]
            a[last + 1] = -step * fp[row] * unit / scale[row]
            a[last + 2] = (step * f[row] - total) / scale[row]
            if abs(step * f[row] - total) > info[INFO_RESIDUAL] * terms:
                info[INFO_RESIDUAL] = abs(step * f[row] - total) / terms
            check += a[last] * 0.0 + a[last + 1] * 0.0
            for b in range(n):
                check += jac[row * n + b] * 0.0
            info[INFO_GROWTH] += step * GAUSS_WEIGHTS[k] * jac[row * n + row]
        if check != 0.0:
            return BAD_VALUE
    for border in range(2):
        at = (POINTS * n + border) * width
        given = doubles(c[PHASE if border == 0 else ARC] + 8 * i * POINTS * n)
        for j in range(POINTS):
            for b in range(n):
                a[at + _column(n, j) + b] = given[j * n + b]
        for b in range(n + 3):
            a[at + n * POINTS + b] = 0.0
    return 0


@kernel
def _condense(a, rows, inner, width):
    """Eliminate the first `inner` columns by LU with pivoting among `rows` rows; two more rows follow along.

    Returns the sign of the determinant, 0 where a pivot is zero.
    """
    sign = 1.0
    for k in range(inner):
        chosen = k
        for i in range(k + 1, rows):
            if abs(a[i * width + k]) > abs(a[chosen * width + k]):
                chosen = i
        if chosen != k:
            sign = -sign
            for j in range(k, width):
                swap = a[k * width + j]
                a[k * width + j] = a[chosen * width + j]
                a[chosen * width + j] = swap
        pivot = a[k * width + k]
        if pivot == 0.0:
            return 0.0
        if pivot < 0.0:
            sign = -sign
        inverse = 1.0 / pivot
        for i in range(k + 1, rows + 2):
            factor = a[i * width + k] * inverse
            if factor != 0.0:
                for j in range(k + 1, width):
                    a[i * width + j] -= factor * a[k * width + j]
    return sign


@kernel
def _reflect(s, rows, columns, width):
    """Triangularise the first `columns` columns of `s`, (rows, width), by Householder reflections; return the sign."""
    sign = 1.0
    for k in range(columns):
        norm = 0.0
        for i in range(k, rows):
            norm += s[i * width + k] * s[i * width + k]
        norm = math.sqrt(norm)
        if norm == 0.0:
            return 0.0
        head = s[k * width + k]
        alpha = -norm if head > 0.0 else norm
        first = head - alpha
        beta = -1.0 / (alpha * first)
        for j in range(k + 1, width):
            dot = first * s[k * width + j]
            for i in range(k + 1, rows):
                dot += s[i * width + k] * s[i * width + j]
            dot *= beta
            s[k * width + j] -= dot * first
            for i in range(k + 1, rows):
                s[i * width + j] -= dot * s[i * width + k]
        s[k * width + k] = alpha
        sign = -sign if alpha > 0.0 else sign
    return sign


@kernel
def _link(c, i, s, borders):
    """Eliminate the left end of interval i from `s`, the relation of x_0 and x_i (columns x_i, x_0, x_(i+1), rest).

    `borders` has the two border rows: n of x_i, n of x_0, 3 of the rest. Returns the sign of the determinant.
    """
    n = c[STATES]
    wide, width, inner = 3 * n + 3, n * (POINTS + 1) + 3, n * (POINTS - 1)
    block = c[INNER] + 8 * i * (POINTS * n + 2) * width
    a = doubles(block + 8 * inner * width)
    rim = doubles(block + 8 * POINTS * n * width)
    for row in range(n):
        to = (n + row) * wide
        for b in range(n):
            s[row * wide + 2 * n + b] = 0.0
            s[to + b] = a[row * width + inner + b]
            s[to + n + b] = 0.0
            s[to + 2 * n + b] = a[row * width + inner + n + b]
        for b in range(3):
            s[to + 3 * n + b] = a[row * width + inner + 2 * n + b]
    sign = _reflect(s, 2 * n, n, wide)
    if sign == 0.0:
        return 0.0
    kept = doubles(c[CHAIN] + 8 * i * n * wide)
    for at in range(n * wide):
        kept[at] = s[at]
    for border in range(2):
        mine = border * (2 * n + 3)
        at = border * width + inner
        for b in range(n):
            borders[mine + b] += rim[at + b]
        for b in range(3):
            borders[mine + 2 * n + b] += rim[at + 2 * n + b]
        for k in range(n):
            factor = borders[mine + k] / kept[k * wide + k]
            for b in range(k + 1, n):
                borders[mine + b] -= factor * kept[k * wide + b]
            for b in range(n):
                borders[mine + n + b] -= factor * kept[k * wide + n + b]
                rim[at + n + b] -= factor * kept[k * wide + 2 * n + b]
            for b in range(3):
                borders[mine + 2 * n + b] -= factor * kept[k * wide + 3 * n + b]
        for b in range(n):
            borders[mine + b] = rim[at + n + b]
    for row in range(n):  # what is left relates x_0 and x_(i+1)
        for b in range(n):
            s[row * wide + b] = s[(n + row) * wide + 2 * n + b]
            s[row * wide + n + b] = s[(n + row) * wide + n + b]
        for b in range(3):
            s[row * wide + 3 * n + b] = s[(n + row) * wide + 3 * n + b]
    return sign


@kernel
def _first_link(c, s, borders):
    """Put the condensed equations and borders of the first interval where `_link` goes on."""
    n = c[STATES]
    wide, width, inner = 3 * n + 3, n * (POINTS + 1) + 3, n * (POINTS - 1)
    a = doubles(c[INNER] + 8 * inner * width)
    rim = doubles(c[INNER] + 8 * POINTS * n * width)
    for row in range(n):
        for b in range(n):
            s[row * wide + b] = a[row * width + inner + n + b]
            s[row * wide + n + b] = a[row * width + inner + b]
        for b in range(3):
            s[row * wide + 3 * n + b] = a[row * width + inner + 2 * n + b]
    for border in range(2):
        mine, at = border * (2 * n + 3), border * width + inner
        for b in range(n):
            borders[mine + b] = rim[at + n + b]
            borders[mine + n + b] = rim[at + b]
        for b in range(3):
            borders[mine + 2 * n + b] = rim[at + 2 * n + b]
    unknowns = c[INTERVALS] * POINTS * n
    borders[4 * n + 3] += doubles(c[ARC])[unknowns]
    borders[4 * n + 4] += doubles(c[ARC])[unknowns + 1]


@kernel
def _spread(c, out, end, known):
    """Fill in the solution from x_0 (at `out`) and the last two unknowns (at `end`); `known` is the weight of r."""
    n, count = c[STATES], c[INTERVALS]
    wide, width, inner = 3 * n + 3, n * (POINTS + 1) + 3, n * (POINTS - 1)
    by_period, by_parameter = end[0], end[1]
    for i in range(count - 1, 0, -1):
        kept, x = doubles(c[CHAIN] + 8 * i * n * wide), doubles(address_of(out) + 8 * i * POINTS * n)
        after = out if i == count - 1 else doubles(address_of(out) + 8 * (i + 1) * POINTS * n)
        for row in range(n - 1, -1, -1):
            at = row * wide
            total = known * kept[at + 3 * n + 2] - by_period * kept[at + 3 * n] - by_parameter * kept[at + 3 * n + 1]
            for b in range(n):
                total -= kept[at + n + b] * out[b] + kept[at + 2 * n + b] * after[b]
            for b in range(row + 1, n):
                total -= kept[at + b] * x[b]
            x[row] = total / kept[at + row]
    for i in range(count):
        a = doubles(c[INNER] + 8 * i * (POINTS * n + 2) * width)
        left = doubles(address_of(out) + 8 * i * POINTS * n)
        right = out if i == count - 1 else doubles(address_of(out) + 8 * (i + 1) * POINTS * n)
        x = doubles(address_of(out) + 8 * (i * POINTS + 1) * n)
        for row in range(inner - 1, -1, -1):
            at = row * width
            last = at + inner + 2 * n
            total = known * a[last + 2] - by_period * a[last] - by_parameter * a[last + 1]
            for b in range(n):
                total -= a[at + inner + b] * left[b] + a[at + inner + n + b] * right[b]
            for b in range(row + 1, inner):
                total -= a[at + b] * x[b]
            x[row] = total / a[at + row]


@kernel
def _solve(c):
    """Compute Newton step, tangent and pair at the nodes; return 0 or a failure."""
    n, count = c[STATES], c[INTERVALS]
    wide, width = 3 * n + 3, n * (POINTS + 1) + 3
    m = n + 2
    s = doubles(c[WORK] + 8 * (3 * n + n * n))
    borders = doubles(address_of(s) + 8 * 2 * n * wide)
    final = doubles(address_of(borders) + 8 * 2 * (2 * n + 3))
    scratch = doubles(address_of(final) + 8 * m * m)
    first, second = doubles(address_of(scratch) + 8 * m), doubles(address_of(scratch) + 16 * m)
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    doubles(c[INFO])[INFO_GROWTH] = doubles(c[INFO])[INFO_RESIDUAL] = 0.0
    sign = 1.0
    for i in range(count):
        status = _fill(c, i)
        if status != 0:
            return status
        sign *= _condense(doubles(c[INNER] + 8 * i * (POINTS * n + 2) * width), POINTS * n, n * (POINTS - 1), width)
    _first_link(c, s, borders)
    for i in range(1, count):
        sign *= _link(c, i, s, borders)
    pair = doubles(c[PAIR])
    for row in range(n):
        for b in range(n):
            pair[row * n + b] = s[row * wide + n + b]
            pair[(n + row) * n + b] = s[row * wide + b]
            final[row * m + b] = s[row * wide + n + b] + s[row * wide + b]
        final[row * m + n], final[row * m + n + 1] = s[row * wide + 3 * n], s[row * wide + 3 * n + 1]
        first[row], second[row] = s[row * wide + 3 * n + 2], 0.0
    for border in range(2):
        row, mine = n + border, border * (2 * n + 3)
        for b in range(n):
            final[row * m + b] = borders[mine + b] + borders[mine + n + b]
        final[row * m + n], final[row * m + n + 1] = borders[mine + 2 * n], borders[mine + 2 * n + 1]
        first[row], second[row] = borders[mine + 2 * n + 2], float(border)
    sign *= lu_factor(final, m, integers(c[PIVOTS]), scratch)
    doubles(c[INFO])[INFO_SIGN] = sign
    if sign == 0.0:
        return SINGULAR
    for which in range(2):
        rhs = first if which == 0 else second
        lu_solve(final, m, integers(c[PIVOTS]), rhs)
        out = doubles(c[STEP if which == 0 else TANGENT])
        for b in range(n):
            out[b] = rhs[b]
        end = doubles(address_of(out) + 8 * count * POINTS * n)
        end[0], end[1] = rhs[n], rhs[n + 1]
        _spread(c, out, end, 1.0 - which)
    return 0


@kernel
def _length(c, v):
    """Return the length of a vector of unknowns: root mean square over time and states, the last two added."""
    n = c[STATES]
    weights = doubles(c[WEIGHTS])
    total = 0.0
    count = c[INTERVALS] * POINTS
    for k in range(count):
        square = 0.0
        for b in range(n):
            square += v[k * n + b] * v[k * n + b]
        total += weights[k] * square
    return math.sqrt(total / n + v[count * n] * v[count * n] + v[count * n + 1] * v[count * n + 1])


@kernel
def _move(c):
    """Add the Newton step; return whether the period is still positive."""
    n = c[STATES]
    count = c[INTERVALS] * POINTS
    nodes, scale, step, unknowns = doubles(c[NODES]), doubles(c[SCALE]), doubles(c[STEP]), doubles(c[UNKNOWNS])
    for k in range(count):
        for b in range(n):
            nodes[k * n + b] += step[k * n + b] * scale[b]
    unknowns[0] += unknowns[0] * step[count * n]
    unknowns[1] += doubles(c[SETTINGS])[UNIT] * step[count * n + 1]
    return unknowns[0] > 0.0


@kernel
def _iterate(c):
    """Take Newton steps until they are small; return how many, or a failure."""
    info = doubles(c[INFO])
    tolerance = doubles(c[SETTINGS])[TOLERANCE]
    previous = 0.0
    near = False
    info[INFO_CONTRACTION] = 0.0
    for k in range(MAX_NEWTON):
        status = _solve(c)
        if status != 0:
            return status
        length = _length(c, doubles(c[STEP]))
        if not math.isfinite(length):
            return SINGULAR
        if k == 0:
            info[INFO_FIRST] = length
        if length > 0.5 or not _move(c):
            return SLOW
        if k == 0:
            if length <= tolerance:
                return 1
        elif near:
            return k + 1
        else:
            ratio = length / previous if previous > 0.0 else 0.0
            if ratio > 0.3 and info[INFO_RESIDUAL] < ROUNDING:
                return k + 1
            if length > 1e-8:
                info[INFO_CONTRACTION] = max(info[INFO_CONTRACTION], ratio)
                if ratio > 0.7:
                    return SLOW
            elif ratio > 0.3:
                return k + 1  # at the level of rounding
            if length * ratio <= tolerance:
                if length <= FRESH:
                    return k + 1
                near = True
        previous = length
    return SLOW


@kernel
def orbit_correct(context):
    """Bring the nodes onto the branch of orbits inside the hyperplane; return Newton iterations, or a failure.

    Leaves behind the tangent (of unit length), the pair, and the velocity at the first node in units of SCALE.
    """
    c = integers(context)
    n = c[STATES]
    done = _iterate(c)
    if done < 0:
        return done
    tangent = doubles(c[TANGENT])
    inverse = 1.0 / _length(c, tangent)
    for k in range(c[INTERVALS] * POINTS * n + 2):
        tangent[k] *= inverse
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    velocity, scale = doubles(c[VELOCITY]), doubles(c[SCALE])
    call_model6(c[LINEARIZE], c[NODES], c[VALUES], c[DIRECTION], c[VELOCITY], c[WORK], c[WORK] + 8 * n * n)
    for b in range(n):
        velocity[b] /= scale[b]
    return done


@kernel
def orbit_pair(context):
    """Compute the pair alone, at the nodes as they are; return 0 or a failure."""
    return _solve(integers(context))


@kernel
def _turning(p, t):
    """Return a zero of the slope of the polynomial p near t."""
    for _ in range(6):
        slope = ((4.0 * p[4] * t + 3.0 * p[3]) * t + 2.0 * p[2]) * t + p[1]
        bend = (12.0 * p[4] * t + 6.0 * p[3]) * t + 2.0 * p[2]
        if bend == 0.0:
            return t
        t = min(max(t - slope / bend, -0.2), 1.2)
    return t


@kernel
def _run(c, i, step, y, total):
    """Take STEPS steps of the classical Runge-Kutta method from the left end of interval i; f and Jacobian follow."""
    n = c[STATES]
    x, f, node = doubles(c[WORK]), doubles(c[WORK] + 8 * n), _node(c, i, 0)
    for k in range(n):
        y[k] = node[k]
    for at in range(STEPS + 1):
        for stage in range(4 if at < STEPS else 1):
            for k in range(n):
                x[k] = y[k]
                if stage > 0:
                    x[k] += (step if stage == 3 else 0.5 * step) * f[k]
            call_model6(
                c[LINEARIZE], c[WORK], c[VALUES], c[DIRECTION], c[WORK] + 8 * n, c[WORK] + 24 * n, c[WORK] + 16 * n
            )
            for k in range(n):
                total[k] = f[k] if stage == 0 else total[k] + (1.0 if stage == 3 else 2.0) * f[k]
        for k in range(n):
            y[k] += step / 6.0 * total[k] if at < STEPS else 0.0


@kernel
def _integrated(c, i, b, part, y, total):
    """Return state b where it turns near a part of interval i, by integration from its left end.

    At the ends of intervals the collocation solution converges with order 8, between them with order 5: so many steps
    of a method of order 4 have an error 1e4 times smaller than that of the polynomial.
    """
    n = c[STATES]
    f, jac = doubles(c[WORK] + 8 * n), doubles(c[WORK] + 24 * n)
    width = doubles(c[WIDTHS])[i] * doubles(c[UNKNOWNS])[0]
    value = math.nan
    for _ in range(2):
        _run(c, i, part * width / STEPS, y, total)
        bend = 0.0
        for k in range(n):
            bend += jac[b * n + k] * f[k]
        if bend == 0.0:
            return y[b]
        value = y[b] - 0.5 * f[b] * f[b] / bend
        part = min(max(part - f[b] / bend / width, -0.5), 1.5)
    return value


@kernel
def orbit_extremes(context):
    """Write the least and the greatest value of every state over the orbit."""
    c = integers(context)
    n = c[STATES]
    table, p = doubles(c[MONOMIALS]), doubles(c[WORK] + 8 * (3 * n + n * n))
    y, total = doubles(address_of(p) + 40), doubles(address_of(p) + 40 + 8 * n)
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    low, high = doubles(c[EXTREMES]), doubles(c[EXTREMES] + 8 * n)
    for b in range(n):
        low[b], high[b] = math.inf, -math.inf
        for direction in range(2):
            sign = 1.0 if direction == 0 else -1.0
            best, where, place = math.inf, 0, 0.0
            for again in range(2):
                # first the best sample; then the turning point of the polynomial there
                for i in range(c[INTERVALS] if again == 0 else 1):
                    interval = i if again == 0 else where
                    for d in range(POINTS + 1):
                        p[d] = 0.0
                        for j in range(POINTS + 1):
                            p[d] += sign * table[d * (POINTS + 1) + j] * _node(c, interval, j)[b]
                    for j in range(SAMPLES if again == 0 else 1):
                        t = j / SAMPLES if again == 0 else _turning(p, place)
                        value = (((p[4] * t + p[3]) * t + p[2]) * t + p[1]) * t + p[0]
                        if value < best:
                            best, where, place = value, interval, t
            finer = sign * _integrated(c, where, b, place, y, total)
            if abs(finer - best) < UNLIKE * doubles(c[SCALE])[b]:
                best = finer
            if direction == 0:
                low[b] = best
            else:
                high[b] = -best
    return 0

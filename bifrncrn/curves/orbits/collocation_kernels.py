"""The compiled collocation: Newton's method for a periodic orbit inside a hyperplane, tangent, multipliers' pair.

On each of N intervals the orbit is a polynomial of degree 4 that satisfies the equations at 4 Gauss points (de Boor &
Swartz, SIAM J. Numer. Anal. 10, 1973: order 8 at the ends of the intervals). The unknowns inside an interval are
eliminated by LU with pivoting, which leaves A_i x_i + B_i x_(i+1) = r_i; then the ends of the intervals one after the
other by Householder reflections, which are stable whatever grows or decays along the orbit (Wright, SIAM J. Sci. Stat.
Comput. 13, 1992, where elimination with pivoting fails), down to A0 x_0 + A1 x_N = r and two borders. The multipliers
are the eigenvalues of the pair (A0, -A1).
"""

import math

from bifrncrn.compile.pointers import address_of, call_model6, doubles, integers, kernel
from bifrncrn.curves.orbits.layout import (
    ARC,
    BAD_VALUE,
    CHAIN,
    DIRECTION,
    GAUSS_WEIGHTS,
    INFO,
    INFO_GROWTH,
    INFO_RATE,
    INFO_RESIDUAL,
    INNER,
    INTERVALS,
    LINEARIZE,
    LOWER,
    NODES,
    OFFSET,
    OUTSIDE,
    PHASE,
    PIVOTS,
    POINTS,
    SCALE,
    SETTINGS,
    SLOPES_AT,
    STATES,
    UNIT,
    UNKNOWNS,
    VALUES,
    VALUES_AT,
    WIDTHS,
    WORK,
)

UNEVEN = 1e3
"""An equation with a coefficient this much larger than that of the slope is divided by it: elimination, and reflections
above all, lose as many digits of the other equations as such a one is larger."""
BEYOND = 1e-5
"""A polynomial may undershoot a wall by this much of a state's size; it is evaluated on the wall then."""
MANY = 15
"""So many columns are eliminated four at a time."""


@kernel
def to_one(size):
    """Return the power of two that brings a size about to one; one where it is none."""
    return 2.0 ** -math.floor(math.log2(size) + 0.5) if 0.0 < size < math.inf else 1.0


@kernel
def node_at(c, i, k):
    """Return node k (0 to 4) of interval i, the first of all for the last: what goes round has OFFSET more there."""
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
def states_of(c, i):
    """Return the states (5, n) of interval i, copied together."""
    n, m, size = c[STATES], c[STATES] + 2, POINTS * c[STATES]
    out = doubles(c[WORK] + 8 * (3 * n + n * n + 2 * n * (3 * n + 3) + 2 * (2 * n + 3) + m * (m + 3) + 6 * n + 2))
    nodes = doubles(c[NODES] + 8 * i * size)
    for k in range(size):
        out[k] = nodes[k]
    end = doubles(c[NODES] + (8 * (i + 1) * size if i < c[INTERVALS] - 1 else 0))
    closing = i == c[INTERVALS] - 1
    for b in range(n):
        out[size + b] = end[b] + doubles(c[OFFSET])[b] if closing else end[b]
    return out


@kernel
def state_at(c, states, k, x):
    """Write the state at Gauss point k of an interval; return false where it is beyond a wall."""
    n = c[STATES]
    values, lower, scale = doubles(c[VALUES_AT]), doubles(c[LOWER]), doubles(c[SCALE])
    for b in range(n):
        total = 0.0
        for j in range(POINTS + 1):
            total += values[k * (POINTS + 1) + j] * states[j * n + b]
        x[b] = total
        if total < lower[b]:
            if total < lower[b] - BEYOND * scale[b]:
                return False
            x[b] = lower[b]
    return True


@kernel
def fill(c, i):
    """Write the equations of interval i and its part of the borders; return 0 or a failure."""
    n = c[STATES]
    width, states = n * (POINTS + 1) + 3, states_of(c, i)
    a = doubles(c[INNER] + 8 * i * (POINTS * n + 2) * width)
    scale, slopes, values = doubles(c[SCALE]), doubles(c[SLOPES_AT]), doubles(c[VALUES_AT])
    x, f, fp = doubles(c[WORK]), doubles(c[WORK] + 8 * n), doubles(c[WORK] + 16 * n)
    jac, info, factors = doubles(c[WORK] + 24 * n), doubles(c[INFO]), factors_at(c, i)
    step = doubles(c[WIDTHS])[i] * doubles(c[UNKNOWNS])[0]
    unit = doubles(c[SETTINGS])[UNIT]
    fastest, worst, growth = info[INFO_RATE], info[INFO_RESIDUAL], info[INFO_GROWTH]
    for k in range(POINTS):
        if not state_at(c, states, k, x):
            return OUTSIDE
        call_model6(c[LINEARIZE], c[WORK], c[VALUES], c[DIRECTION], c[WORK] + 8 * n, c[WORK] + 24 * n, c[WORK] + 16 * n)
        check, of = 0.0, k * (POINTS + 1)
        v0, v1, v2, v3, v4 = values[of], values[of + 1], values[of + 2], values[of + 3], values[of + 4]
        s0, s1, s2, s3, s4 = slopes[of], slopes[of + 1], slopes[of + 2], slopes[of + 3], slopes[of + 4]
        for row in range(n):
            at, last = (k * n + row) * width, (k * n + row) * width + n * (POINTS + 1)
            inverse, force = 1.0 / scale[row], step * f[row]
            terms, rate = abs(force), 0.0
            for b in range(n):  # the five nodes one by one, in the order of `_column`: half the time of a loop
                much = step * jac[row * n + b]
                linear = -much * scale[b] * inverse
                terms += abs(much * x[b])
                rate += abs(linear)
                check += linear * 0.0
                a[at + b], a[at + n + b], a[at + 2 * n + b] = v1 * linear, v2 * linear, v3 * linear
                a[at + 3 * n + b], a[at + 4 * n + b] = v0 * linear, v4 * linear
            a[at + row] += s1
            a[at + n + row] += s2
            a[at + 2 * n + row] += s3
            a[at + 3 * n + row] += s0
            a[at + 4 * n + row] += s4
            p0, p1, p2 = s0 * states[row], s1 * states[n + row], s2 * states[2 * n + row]
            p3, p4 = s3 * states[3 * n + row], s4 * states[4 * n + row]
            total = p0 + p1 + p2 + p3 + p4
            terms += abs(p0) + abs(p1) + abs(p2) + abs(p3) + abs(p4)
            a[last], a[last + 1], a[last + 2] = (
                -force * inverse,
                -step * fp[row] * unit * inverse,
                (force - total) * inverse,
            )
            fastest = max(fastest, rate)
            if abs(force - total) > worst * terms:
                worst = abs(force - total) / terms
            check += a[last] * 0.0 + a[last + 1] * 0.0
            factors[k * n + row] = 1.0
            if rate > UNEVEN:
                factors[k * n + row] = to_one(rate)
                for b in range(width):
                    a[at + b] *= factors[k * n + row]
            growth += step * GAUSS_WEIGHTS[k] * jac[row * n + row]
        if check != 0.0:
            return BAD_VALUE
    info[INFO_RATE], info[INFO_RESIDUAL], info[INFO_GROWTH] = fastest, worst, growth
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
def residual(c, i, out):
    """Write what is left of the equations of interval i, (4 n + 2,), as they are; return 0 or a failure."""
    n = c[STATES]
    scale, slopes = doubles(c[SCALE]), doubles(c[SLOPES_AT])
    x, f = doubles(c[WORK]), doubles(c[WORK] + 8 * n)
    step, states = doubles(c[WIDTHS])[i] * doubles(c[UNKNOWNS])[0], states_of(c, i)
    check = 0.0
    for k in range(POINTS):
        if not state_at(c, states, k, x):
            return OUTSIDE
        call_model6(c[LINEARIZE], c[WORK], c[VALUES], c[DIRECTION], c[WORK] + 8 * n, c[WORK] + 24 * n, c[WORK] + 16 * n)
        for row in range(n):
            total = step * f[row]
            for j in range(POINTS + 1):
                total -= slopes[k * (POINTS + 1) + j] * states[j * n + row]
            out[k * n + row] = total / scale[row]
            check += f[row] * 0.0
    out[POINTS * n] = out[POINTS * n + 1] = 0.0
    return BAD_VALUE if check != 0.0 else 0


@kernel
def order_at(c, i):
    """Return the rows that `condense` has chosen in interval i."""
    return integers(c[PIVOTS] + 8 * (c[STATES] + 2 + i * (POINTS - 1) * c[STATES]))


@kernel
def chain_at(c, i):
    """Return the address of what `link` keeps of interval i: rows, reflectors, factors of the borders.

    Behind them are the factors of the equations.
    """
    n = c[STATES]
    return c[CHAIN] + 8 * i * (n * (3 * n + 3) + n * (2 * n + 1) + (2 + POINTS) * n)


@kernel
def factors_at(c, i):
    """Return what `fill` has multiplied the equations of interval i by, (4 n,)."""
    n = c[STATES]
    return doubles(chain_at(c, i) + 8 * (n * (3 * n + 3) + n * (2 * n + 1) + 2 * n))


@kernel
def _panel(a, rows, width, first, last, order):
    """Eliminate some columns among themselves, and in the rows chosen for them; return false where a pivot is zero."""
    for k in range(first, last):
        chosen = k
        for i in range(k + 1, rows):
            if abs(a[i * width + k]) > abs(a[chosen * width + k]):
                chosen = i
        order[k] = chosen
        if chosen != k:
            for j in range(width):
                swap = a[k * width + j]
                a[k * width + j] = a[chosen * width + j]
                a[chosen * width + j] = swap
        if a[k * width + k] == 0.0:
            return False
        inverse = 1.0 / a[k * width + k]
        for i in range(k + 1, rows + 2):
            factor = a[i * width + k] * inverse
            a[i * width + k] = factor
            for j in range(k + 1, last):
                a[i * width + j] -= factor * a[k * width + j]
    for k in range(first + 1, last):
        for m in range(first, k):
            factor = a[k * width + m]
            for j in range(last, width):
                a[k * width + j] -= factor * a[m * width + j]
    return True


@kernel
def condense(a, rows, inner, width, order):
    """Eliminate the first `inner` columns by LU with pivoting among `rows` rows; two more rows follow along.

    The factors stay below the diagonal, the chosen rows in `order`, as LAPACK has them. Many columns go four at a time:
    the rest of the matrix is read a quarter as often. Returns false where a pivot is zero.
    """
    together = 4 if inner >= MANY else 1
    for first in range(0, inner, together):
        last = min(first + together, inner)
        if not _panel(a, rows, width, first, last, order):
            return False
        if last - first == 4:
            u, v, w, x = first * width, (first + 1) * width, (first + 2) * width, (first + 3) * width
            for i in range(last, rows + 2):
                at = i * width
                f, g, h, q = a[at + first], a[at + first + 1], a[at + first + 2], a[at + first + 3]
                if f != 0.0 or g != 0.0 or h != 0.0 or q != 0.0:
                    for j in range(last, width):
                        a[at + j] -= f * a[u + j] + g * a[v + j] + h * a[w + j] + q * a[x + j]
            continue
        for i in range(last, rows + 2):
            for m in range(first, last):
                factor = a[i * width + m]
                if factor != 0.0:
                    for j in range(last, width):
                        a[i * width + j] -= factor * a[m * width + j]
    return True


@kernel
def _reflect(s, n, width, reflectors):
    """Triangularise the first n columns of `s`, (2 n, width), by Householder reflections, which are kept.

    Returns false where a column is zero.
    """
    for k in range(n):
        norm = 0.0
        for i in range(k, 2 * n):
            norm += s[i * width + k] * s[i * width + k]
        norm = math.sqrt(norm)
        if norm == 0.0:
            return False
        head = s[k * width + k]
        alpha = -norm if head > 0.0 else norm
        first = head - alpha
        beta = -1.0 / (alpha * first)
        for j in range(k + 1, width):
            dot = first * s[k * width + j]
            for i in range(k + 1, 2 * n):
                dot += s[i * width + k] * s[i * width + j]
            dot *= beta
            s[k * width + j] -= dot * first
            for i in range(k + 1, 2 * n):
                s[i * width + j] -= dot * s[i * width + k]
        mine = k * (2 * n + 1)
        for i in range(k + 1, 2 * n):
            reflectors[mine + i] = s[i * width + k]
        reflectors[mine + k], reflectors[mine + 2 * n] = first, beta
        s[k * width + k] = alpha
    return True


@kernel
def link(c, i, s, borders):
    """Eliminate the left end of interval i from `s`, the relation of x_0 and x_i (columns x_i, x_0, x_(i+1), rest).

    `borders` has the two border rows: n of x_i, n of x_0, 3 of the rest. Returns false where that is not possible.
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
    kept = doubles(chain_at(c, i))
    if not _reflect(s, n, wide, doubles(address_of(kept) + 8 * n * wide)):
        return False
    for at in range(n * wide):
        kept[at] = s[at]
    factors = doubles(address_of(kept) + 8 * (n * wide + n * (2 * n + 1)))
    for border in range(2):
        mine = border * (2 * n + 3)
        at = border * width + inner
        for b in range(n):
            borders[mine + b] += rim[at + b]
        for b in range(3):
            borders[mine + 2 * n + b] += rim[at + 2 * n + b]
        for k in range(n):
            factor = borders[mine + k] / kept[k * wide + k]
            factors[border * n + k] = factor
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
    return True


@kernel
def first_link(c, s, borders):
    """Put the condensed equations and borders of the first interval where `link` goes on."""
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
def spread(c, out, closing, end, known):
    """Fill in the solution from x_0 (at `out`), x_N (at `closing`), and the last two unknowns (at `end`).

    `known` is the weight of the right-hand side.
    """
    n, count = c[STATES], c[INTERVALS]
    wide, width, inner = 3 * n + 3, n * (POINTS + 1) + 3, n * (POINTS - 1)
    by_period, by_parameter = end[0], end[1]
    for i in range(count - 1, 0, -1):
        kept, x = doubles(chain_at(c, i)), doubles(address_of(out) + 8 * i * POINTS * n)
        after = closing if i == count - 1 else doubles(address_of(out) + 8 * (i + 1) * POINTS * n)
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
        right = closing if i == count - 1 else doubles(address_of(out) + 8 * (i + 1) * POINTS * n)
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

"""The least and the greatest value of every state over an orbit, as exact as its ends of intervals.

There the collocation solution converges with order 8, between them with order 5. So where a state is extreme the
equations are integrated from the left end of the interval.
"""

import math

from bifrncrn.compile.pointers import address_of, call_model3, call_model6, doubles, integers, kernel
from bifrncrn.curves.orbits.collocation_kernels import node_at
from bifrncrn.curves.orbits.layout import (
    DIRECTION,
    EXTREMES,
    FIELD,
    INTERVALS,
    LINEARIZE,
    MONOMIALS,
    NODES,
    OFFSET,
    PARAMETER,
    POINTS,
    SCALE,
    STATES,
    UNKNOWNS,
    VALUES,
    WIDTHS,
    WORK,
)

UNLIKE = 1e-4
"""Where integral and polynomial differ by more than this part of a state's unit, the polynomial is kept."""
LEVELS = 5
"""The midpoint rule with 2, 4, ..., so many times 2 steps, extrapolated: order 10."""
PASSES, NEAR = 3, 1e-3
"""The turning point is improved until it moves by less than NEAR intervals: the value there is a parabola's."""
AROUND = 0.2
"""How far beyond its interval a polynomial may turn: the next has its extreme there then, or nearly so."""


@kernel
def _turning(p, t):
    """Return a zero of the slope of the polynomial p near t."""
    for _ in range(6):
        slope = ((4.0 * p[4] * t + 3.0 * p[3]) * t + 2.0 * p[2]) * t + p[1]
        bend = (12.0 * p[4] * t + 6.0 * p[3]) * t + 2.0 * p[2]
        if bend == 0.0:
            return t
        t = min(max(t - slope / bend, -AROUND), 1.0 + AROUND)
    return t


@kernel
def _value(p, t):
    return (((p[4] * t + p[3]) * t + p[2]) * t + p[1]) * t + p[0]


@kernel
def _integrate(c, start, time, y, work):
    """Write the state a time after another (Gragg, Bulirsch & Stoer; Hairer, Norsett & Wanner, II.9)."""
    n = c[STATES]
    x, f = doubles(c[WORK]), doubles(c[WORK] + 8 * n)
    first, before, table = work, doubles(address_of(work) + 8 * n), doubles(address_of(work) + 16 * n)
    call_model3(c[FIELD], address_of(start), c[VALUES], address_of(first))
    for level in range(LEVELS):
        steps = 2 * (level + 1)
        step = time / steps
        for k in range(n):
            before[k], x[k] = start[k], start[k] + step * first[k]
        for _ in range(steps - 1):
            call_model3(c[FIELD], c[WORK], c[VALUES], c[WORK] + 8 * n)
            for k in range(n):
                ahead = before[k] + 2.0 * step * f[k]
                before[k], x[k] = x[k], ahead
        for k in range(n):
            value = x[k]
            for j in range(level):
                ratio = (level + 1.0) / (level - j)
                coarser = table[j * n + k]
                table[j * n + k] = value
                value += (value - coarser) / (ratio * ratio - 1.0)
            table[level * n + k] = value
            y[k] = value


@kernel
def _integrated(c, i, b, part, y):
    """Return state b where it turns near a part of interval i, by integration from its left end."""
    n = c[STATES]
    f, jac = doubles(c[WORK] + 8 * n), doubles(c[WORK] + 24 * n)
    width = doubles(c[WIDTHS])[i] * doubles(c[UNKNOWNS])[0]
    value = math.nan
    for _ in range(PASSES):
        _integrate(c, node_at(c, i, 0), part * width, y, doubles(address_of(y) + 8 * n))
        call_model6(
            c[LINEARIZE], address_of(y), c[VALUES], c[DIRECTION], c[WORK] + 8 * n, c[WORK] + 24 * n, c[WORK] + 16 * n
        )
        bend = 0.0
        for k in range(n):
            bend += jac[b * n + k] * f[k]
        if bend == 0.0:
            return y[b]
        value = y[b] - 0.5 * f[b] * f[b] / bend
        move = -f[b] / bend / width
        if not abs(move) > NEAR:
            return value
        part = min(max(part + move, -AROUND), 1.0 + AROUND)
    return value


@kernel
def _quartic(c, i, b, sign, p):
    """Write the coefficients of the polynomial of state b in interval i."""
    table = doubles(c[MONOMIALS])
    for d in range(POINTS + 1):
        p[d] = 0.0
    for j in range(POINTS + 1):
        value = node_at(c, i, j)[b]
        value = sign * (value + doubles(c[OFFSET])[b] if i * POINTS + j == c[INTERVALS] * POINTS else value)
        for d in range(POINTS + 1):
            p[d] += table[d * (POINTS + 1) + j] * value


@kernel
def _lowest(c, b, sign, p):
    """Return the least value of a state times `sign` by the polynomials, the interval, and the place in it.

    A polynomial is looked at beside every node that is lower than its neighbours, unless it would have to fall by more
    than they rise.
    """
    n, count = c[STATES], c[INTERVALS] * POINTS
    nodes = doubles(c[NODES])
    least, best, where, place = math.inf, math.inf, 0, 0.0
    for k in range(count):
        least = min(least, sign * nodes[k * n + b])
    for k in range(count):
        value = sign * nodes[k * n + b]
        before, after = sign * nodes[(k - 1 if k > 0 else count - 1) * n + b], sign * nodes[(k + 1) % count * n + b]
        if value > before or value > after or 2.0 * value - max(before, after) > least:
            continue
        for side in range(2 if k % POINTS == 0 else 1):
            i = k // POINTS - side
            i = i if i >= 0 else c[INTERVALS] - 1
            _quartic(c, i, b, sign, p)
            start = 1.0 if side == 1 else (k % POINTS) / POINTS
            turn = _turning(p, start)
            turned = _value(p, turn)
            if turned > value:
                turned, turn = value, start
            if turned < best:
                best, where, place = turned, i, turn
    return best, where, place


@kernel
def _extreme(c, b, sign):
    """Return the least value of a state times `sign`."""
    n = c[STATES]
    p = doubles(c[WORK] + 8 * (3 * n + n * n))
    best, where, place = _lowest(c, b, sign, p)
    finer = sign * _integrated(c, where, b, place, doubles(address_of(p) + 8 * (POINTS + 1)))
    return finer if abs(finer - best) < UNLIKE * doubles(c[SCALE])[b] else best


@kernel
def find_extremes(c):
    """Write the least and the greatest value of every state over the orbit.

    What goes round takes all values of an angle, from -pi to pi, however often.
    """
    n, offset = c[STATES], doubles(c[OFFSET])
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    low, high = doubles(c[EXTREMES]), doubles(c[EXTREMES] + 8 * n)
    for b in range(n):
        if offset[b] != 0.0:
            low[b], high[b] = -math.pi, math.pi
        else:
            low[b], high[b] = _extreme(c, b, 1.0), -_extreme(c, b, -1.0)


@kernel
def orbit_extremes(context):
    """Write the extremes of the nodes as they are."""
    find_extremes(integers(context))
    return 0

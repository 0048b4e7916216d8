"""Meshes that suit an orbit: where the error of its polynomials is, and intervals that spread it evenly."""

import math

from bifrncrn.compile.pointers import doubles, integers, kernel
from bifrncrn.curves.orbits.layout import (
    EDGES,
    FEWEST,
    INNER,
    INTERVALS,
    MESH,
    MONOMIALS,
    MOST,
    NODES,
    OFFSET,
    POINTS,
    SCALE,
    STATES,
    WIDTHS,
)

FACTORIAL = 24.0  # of POINTS
ACCURACY = 2e-7
"""Error between mesh points, relative to the states' size, that a mesh is made for. Period and parameter, which
converge with order 8 instead of 5, are then good to about 1e-10."""
CONSTANT = 3e-5
"""The error of collocation with 4 points is about this times width^5 times the fifth derivative."""
GRADING = 1.0
"""The rise of the width of intervals with the phase: the next is at most about twice as wide."""
SPREAD = 0.1
"""The share of the mesh that is spread evenly, whatever the error: it keeps intervals from growing without bound."""
SMALLEST_SWING = 0.01
"""A state that sweeps less than this part of its unit is resolved as if it swept so much."""
LEVEL = 1e-6
"""Where the width changes by less than this part of it over an interval, it is taken not to."""


@kernel
def steepness(c):
    """Write the fifth root of the fifth derivative in every interval, (N,), the largest over the states.

    The derivative is the jump of the fourth between neighbours (de Boor 1973; Ascher, Mattheij & Russell, 9.1).
    """
    n, count = c[STATES], c[INTERVALS]
    nodes, widths, scale, table = doubles(c[NODES]), doubles(c[WIDTHS]), doubles(c[SCALE]), doubles(c[MONOMIALS])
    steep, jumps = doubles(c[MESH]), doubles(c[MESH] + 8 * count)
    top, units = doubles(c[MESH] + 16 * count), doubles(c[MESH] + 8 * (2 + n) * count)
    offset, last = doubles(c[OFFSET]), table[POINTS * (POINTS + 1) + POINTS]
    for b in range(n):
        low, high = math.inf, -math.inf
        for k in range(count * POINTS):
            low, high = min(low, nodes[k * n + b]), max(high, nodes[k * n + b])
        units[b] = max(high - low, SMALLEST_SWING * scale[b])
    for i in range(count):
        factor = FACTORIAL / (widths[i] * widths[i] * widths[i] * widths[i])
        for b in range(n):
            value = last * (nodes[POINTS * (i + 1) * n + b] if i < count - 1 else nodes[b] + offset[b])
            for j in range(POINTS):
                value += table[POINTS * (POINTS + 1) + j] * nodes[(POINTS * i + j) * n + b]
            top[i * n + b] = factor * value / units[b]
    for i in range(count):
        after = i + 1 if i < count - 1 else 0
        jump = 0.0
        for b in range(n):
            jump = max(jump, abs(top[after * n + b] - top[i * n + b]))
        jumps[i] = jump / (0.5 * (widths[i] + widths[after]))
    for i in range(count):
        steep[i] = max(jumps[i], jumps[i - 1 if i > 0 else count - 1]) ** (1.0 / (POINTS + 1))


@kernel
def error_in(c, i):
    """Return the estimated error in an interval, relative to the states' size."""
    return CONSTANT * (doubles(c[WIDTHS])[i] * doubles(c[MESH])[i]) ** (POINTS + 1)


@kernel
def intervals_for(c):
    """Return the number of intervals that ACCURACY asks for."""
    total = 0.0
    for i in range(c[INTERVALS]):
        total += doubles(c[WIDTHS])[i] * doubles(c[MESH])[i]
    total *= (CONSTANT / ACCURACY) ** (1.0 / (POINTS + 1))
    return min(max(math.ceil(total / (1.0 - SPREAD)), FEWEST), MOST)


@kernel
def _graded(c, start, most):
    """Write the widths wished for at the ends of intervals, counted from one: nowhere do they rise too steeply.

    They are the largest that rise by at most `most` times an interval's width from one of its ends to the other, and
    fall too. They go round in a circle, so both passes start at the smallest.
    """
    count, widths, steep = c[INTERVALS], doubles(c[WIDTHS]), doubles(c[MESH])
    wish, share = doubles(c[MESH] + 8 * count), doubles(c[MESH] + 16 * count)
    total = 0.0
    for i in range(count):
        before, after = steep[i - 1 if i > 0 else count - 1], steep[i + 1 if i < count - 1 else 0]
        share[i] = max((before + 2.0 * steep[i] + after) / 4.0, 1e-300)
        total += share[i] * widths[i]
    for i in range(count):
        share[i] = share[i] / total * (1.0 - SPREAD) + SPREAD
    least = 0
    for i in range(count):
        at = (start + i) % count
        wish[i] = 1.0 / max(share[at], share[at - 1 if at > 0 else count - 1])
        least = i if wish[i] < wish[least] else least
    for k in range(count):
        i, after = (least + k) % count, (least + k + 1) % count
        wish[after] = min(wish[after], wish[i] + most * widths[(start + i) % count])
    for k in range(count):
        i, after = (least - k - 1) % count, (least - k) % count
        wish[i] = min(wish[i], wish[after] + most * widths[(start + i) % count])


@kernel
def _pieces(width, first, last):
    """Return how many intervals fit into one of the old mesh, their widths going linearly from `first` to `last`."""
    if abs(last - first) < LEVEL * first:
        return width / first
    return math.log(last / first) * width / (last - first)


@kernel
def equidistribute(c, start, wanted, out):
    """Write the ends (wanted + 1,) of intervals that spread the error evenly, from the start of an old interval on.

    Widths follow a function of the phase that is linear between the old ends and nowhere steeper than GRADING.
    """
    count, widths = c[INTERVALS], doubles(c[WIDTHS])
    _graded(c, start, GRADING * wanted)
    wish = doubles(c[MESH] + 8 * count)
    total = 0.0
    for i in range(count):
        total += _pieces(widths[(start + i) % count], wish[i], wish[(i + 1) % count])
    i, behind, phase = 0, 0.0, 0.0
    width = widths[start]
    pieces = _pieces(width, wish[0], wish[1 % count])
    out[0] = 0.0
    for k in range(1, wanted):
        while i < count - 1 and behind + pieces < total * k / wanted:
            behind += pieces
            phase += width
            i += 1
            width = widths[(start + i) % count]
            pieces = _pieces(width, wish[i], wish[(i + 1) % count])
        first, rise = wish[i], (wish[(i + 1) % count] - wish[i]) / width
        rest = total * k / wanted - behind
        level = abs(rise * width) < LEVEL * first
        inside = first * rest if level else first * math.expm1(rise * rest) / rise
        out[k] = phase + min(inside, width)
    out[wanted] = 1.0


@kernel
def find_weights(c, start, count, edges):
    """Write into INNER what `interpolate` needs for a new mesh, whose phase begins at interval `start` of the old.

    Of every node the interval of the old mesh, and the weights of its five nodes.
    """
    old = c[INTERVALS]
    widths, table, out = doubles(c[WIDTHS]), doubles(c[MONOMIALS]), doubles(c[INNER])
    i, begun = start, 0.0  # the interval, and its start by the new phase
    for k in range(count * POINTS):
        j = k // POINTS
        phase = edges[j] + (edges[j + 1] - edges[j]) * (k % POINTS) / POINTS
        while phase >= begun + widths[i]:
            begun += widths[i]
            i = i + 1 if i < old - 1 else 0
        t = (phase - begun) / widths[i]
        of = k * (POINTS + 2)
        out[of] = i
        for node in range(POINTS + 1):
            weight = 0.0
            for d in range(POINTS, -1, -1):
                weight = weight * t + table[d * (POINTS + 1) + node]
            out[of + 1 + node] = weight


@kernel
def interpolate(c, values, count, out):
    """Write values given at the nodes on the mesh that `find_weights` was called for, of `count` intervals."""
    n, old, table = c[STATES], c[INTERVALS], doubles(c[INNER])
    for k in range(count * POINTS):
        of = k * (POINTS + 2)
        i = int(table[of])
        w0, w1, w2, w3, w4 = table[of + 1], table[of + 2], table[of + 3], table[of + 4], table[of + 5]
        at, end = POINTS * i * n, POINTS * (i + 1) * n if i < old - 1 else 0
        for b in range(at, at + n):
            inner = w0 * values[b] + w1 * values[n + b] + w2 * values[2 * n + b] + w3 * values[3 * n + b]
            out[k * n + b - at] = inner + w4 * values[end + b - at]


@kernel
def add_turns(c, count, out):
    """Add what angles have gone round to states that `interpolate` has written: behind the old start, and on to it."""
    n, old, table, offset = c[STATES], c[INTERVALS], doubles(c[INNER]), doubles(c[OFFSET])
    turns, before = 0.0, 0
    for k in range(count * POINTS):
        of = k * (POINTS + 2)
        i = int(table[of])
        turns, before = turns + (1.0 if i < before else 0.0), i
        share = turns + (table[of + POINTS + 1] if i == old - 1 else 0.0)
        for b in range(n):
            out[k * n + b] += share * offset[b]


@kernel
def set_mesh(c, count, edges):
    """Take another mesh."""
    ends, widths = doubles(c[EDGES]), doubles(c[WIDTHS])
    c[INTERVALS] = count
    for i in range(count + 1):
        ends[i] = edges[i]
    for i in range(count):
        widths[i] = edges[i + 1] - edges[i]


@kernel
def orbit_mesh(context, wanted):
    """Write the ends of `wanted` intervals that suit the nodes as they are, in place of those there are."""
    c = integers(context)
    steepness(c)
    equidistribute(c, 0, wanted, doubles(c[EDGES]))
    return 0

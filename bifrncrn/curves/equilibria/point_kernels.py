"""What is computed at single points of an equilibrium curve, compiled: residual, tangent, coefficients.

Every kernel gets the address of a context (`bifrncrn.curves.equilibria.work`); all arguments are addresses, of doubles
where nothing else is said. A point y is (x, p).
"""

import math

from bifrncrn.compile.pointers import call_model3, doubles, integers, kernel
from bifrncrn.continuation.dense import eliminate, left_null, right_null
from bifrncrn.continuation.layout import FOLD, PAIR
from bifrncrn.curves.equilibria.evaluation_kernels import (
    entry_of,
    evaluate,
    largest_entry,
    scratch_of,
    solve_in_place,
    write_jet,
)
from bifrncrn.curves.equilibria.newton import DOUBLE_ZERO
from bifrncrn.curves.equilibria.step_kernels import spectrum
from bifrncrn.curves.equilibria.work import PIVOTS, ROUNDING, STATES, VALUES, WORK

NOTHING = 1e-13
"""A coefficient that is a smaller share of the terms it is the sum of, a few hundred roundings, is zero but for these.
True ones may be as small beside fast states, whose terms cancel: -0.0345 of terms of 1e10, say."""


@kernel
def measure(context, y, out):
    """Evaluate at y; write the largest entry of the derivative of F. Returns 0 where all is finite; elsewhere NaN."""
    c, result = integers(context), doubles(out)
    result[0] = math.nan
    if evaluate(c, y) != 0:
        return 1
    result[0] = largest_entry(c)
    return 0


@kernel
def judge(context, y, unit, out):
    """Write how far y is from a solution, and the largest entry of the derivative; infinity and NaN: not finite.

    That is the largest |F_i|, relative to its terms (the bound of its rounding errors), or to what it changes by within
    units of length.
    """
    c, units, result = integers(context), doubles(unit), doubles(out)
    n = c[STATES]
    at_terms = scratch_of(c, 13)
    terms = doubles(at_terms)
    result[0] = math.inf
    result[1] = math.nan
    if evaluate(c, y) != 0:
        return 1
    call_model3(c[ROUNDING], y, c[VALUES], at_terms)
    f = doubles(c[WORK])
    by_terms = 0.0
    by_change = 0.0
    for i in range(n):
        change = 0.0
        for j in range(n + 1):
            change += abs(entry_of(c, i, j)) * units[j]
        if f[i] != 0.0:
            by_terms = max(by_terms, abs(f[i]) / terms[i] if terms[i] > 0.0 else math.inf)
            by_change = max(by_change, abs(f[i]) / change if change > 0.0 else math.inf)
    result[0] = min(by_terms, by_change)
    result[1] = largest_entry(c)
    return 0


@kernel
def tangent(context, y, scale, out):
    """Write a tangent of unit length in units of `scale`, the parameter increasing; NaN where F is not finite."""
    c, unit, t = integers(context), doubles(scale), doubles(out)
    n = c[STATES]
    m = n + 1
    matrix, order = doubles(scratch_of(c, 0)), integers(c[PIVOTS])
    for j in range(m):
        t[j] = math.nan
    if evaluate(c, y) != 0:
        return 1
    for i in range(n):
        size = 1e-300
        for j in range(m):
            matrix[i * m + j] = entry_of(c, i, j) * unit[j]
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
def fold(context, y, unit, out):
    """Write a = <p, B(q, q)> / 2 at a fold and |J q|; see `EquilibriumProblem.examine`. Returns 0 where finite."""
    c, units, result = integers(context), doubles(unit), doubles(out)
    n = c[STATES]
    matrix, order = doubles(scratch_of(c, 0)), integers(c[PIVOTS])
    at_q, at_jet = scratch_of(c, 1), scratch_of(c, 3)
    q, p, jet = doubles(at_q), doubles(scratch_of(c, 2)), doubles(at_jet)
    result[0] = math.nan
    result[1] = math.nan
    if evaluate(c, y) != 0:
        return 1
    for i in range(n):
        for j in range(n):
            matrix[i * n + j] = entry_of(c, i, j)
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
    write_jet(c, y, at_q, 0.0, at_jet)
    scale = 0.0
    total = 0.0
    gap = 0.0
    length = 0.0
    height = 0.0
    for i in range(n):
        length += (q[i] / units[i]) * (q[i] / units[i])
        height += (p[i] * units[i]) * (p[i] * units[i])
        scale += p[i] * q[i]
        total += p[i] * jet[n + i]
        row = 0.0
        for j in range(n):
            row += entry_of(c, i, j) * q[j]
        gap += row * row
    if abs(scale) > DOUBLE_ZERO * math.sqrt(length) * math.sqrt(
        height
    ):  # else zero is a double eigenvalue: no fold of this kind
        result[0] = total / (2.0 * scale)
    result[1] = math.sqrt(gap)
    return 0


@kernel
def _second(c, y, u, v, out):
    """Write B(u, v) of two directions in the states to `out`, by polarisation of two jets.

    Both directions are brought to one length first, so that neither is lost in the other.
    """
    n = c[STATES]
    at_step, at_jet = scratch_of(c, 14), scratch_of(c, 15)
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
        write_jet(c, y, at_step, 0.0, at_jet)
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
            entry = entry_of(c, i, j)
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
def hopf(context, y, pair, out):
    """Write the first Lyapunov coefficient at a Hopf point; see `EquilibriumProblem.examine`.

    It is zero where it is a smaller share of its terms than their rounding. `pair` is the eigenvalue, its real and its
    imaginary part. Returns 0 where J and 2 i omega - J are regular.
    """
    c, result = integers(context), doubles(out)
    n = c[STATES]
    m = 2 * n
    at_q, at_step, at_jet = scratch_of(c, 1), scratch_of(c, 5), scratch_of(c, 6)
    matrix, q, p, h = doubles(scratch_of(c, 0)), doubles(at_q), doubles(scratch_of(c, 2)), doubles(scratch_of(c, 3))
    g, step, jet = doubles(scratch_of(c, 4)), doubles(at_step), doubles(at_jet)
    re, omega = doubles(pair)[0], doubles(pair)[1]
    result[0] = math.nan
    if evaluate(c, y) != 0:
        return 1
    _hopf_vectors(c, re, omega, matrix, q, p)
    # c1 = <p, C(q, q, q') - 2 B(q, h) + B(q', g)> / 2 with J h = B(q, q') and (2 i omega - J) g = B(q, q), q = a + i b
    total = 0.0
    size = 0.0
    for i in range(m):
        h[i] = 0.0
        g[i] = 0.0
    for row in range(4):  # jets along a, b, a + b, a - b
        for i in range(n):
            step[i] = (row != 1) * q[i] + (row != 0) * (1.0 - 2.0 * (row == 3)) * q[n + i]
        write_jet(c, y, at_step, 0.0, at_jet)
        sign = 1.0 if row == 2 else -1.0
        for i in range(n):
            second, third = jet[n + i], jet[m + i]
            if row == 0:
                total += 2.0 / 3.0 * p[i] * third
                size += abs(p[i] * third)
                h[i] += second
                g[i] -= second
            elif row == 1:
                total += 2.0 / 3.0 * p[n + i] * third
                size += abs(p[n + i] * third)
                h[i] += second
                g[i] += second
            else:
                total += (p[i] + sign * p[n + i]) * third / 6.0
                size += (abs(p[i]) + abs(p[n + i])) * abs(third)
                g[n + i] -= sign * 0.5 * second
    _shifted(c, 0.0, 2.0 * omega, matrix)
    if not solve_in_place(matrix, m, c, g, step):
        return 2
    for i in range(n):
        for j in range(n):
            matrix[i * n + j] = entry_of(c, i, j)
    if not solve_in_place(matrix, n, c, h, step):
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
            size += abs(p[side + i] * jet[i])
    result[0] = 0.5 * total / omega if abs(total) > NOTHING * size else 0.0
    return 0


@kernel
def examine(context, y, unit, kind, out):
    """Write what is to be known of a special point of a `kind` (a number, not an address).

    First what `judge` writes; then at a fold what `fold` writes; where a pair of eigenvalues crosses the imaginary axis
    its imaginary part, and what `hopf` writes; else NaN. Returns 0 where all is finite.
    """
    c, result = integers(context), doubles(out)
    n = c[STATES]
    at_reals, at_pair = scratch_of(c, 12), scratch_of(c, 13)
    result[2] = math.nan
    result[3] = math.nan
    status = judge(context, y, unit, out)
    if status != 0 or (kind != FOLD and kind != PAIR):
        return status
    if kind == FOLD:
        return fold(context, y, unit, out + 16)
    spectrum(context, at_reals, at_reals + 8 * n, 0)
    reals, imags, pair = doubles(at_reals), doubles(at_reals + 8 * n), doubles(at_pair)
    chosen = -1
    for i in range(n):
        if imags[i] > 0.0 and (chosen < 0 or abs(reals[i]) < abs(reals[chosen])):
            chosen = i
    if chosen < 0:
        return 0
    pair[0] = reals[chosen]
    pair[1] = imags[chosen]
    result[2] = imags[chosen]
    return hopf(context, y, at_pair, out + 24)

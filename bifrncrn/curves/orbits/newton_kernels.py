"""The compiled Newton method for a periodic orbit inside a hyperplane; its tangent, and the pair of its multipliers.

What an elimination leaves behind is kept, so that a further residual takes a quarter of the time of a linearisation.
Newton's method does with the factors it has where a step has become small; the last linearisation is at the orbit
itself, so that tangent and pair belong to it.
"""

import math

from bifrncrn.compile.pointers import address_of, call_model6, doubles, integers, kernel
from bifrncrn.continuation.dense import lu_factor, lu_solve
from bifrncrn.curves.orbits.collocation_kernels import (
    chain_at,
    condense,
    factors_at,
    fill,
    first_link,
    link,
    order_at,
    residual,
    spread,
)
from bifrncrn.curves.orbits.layout import (
    ARC,
    DIRECTION,
    GAUSS_SLOPES,
    GAUSS_VALUES,
    INFO,
    INFO_CONTRACTION,
    INFO_FIRST,
    INFO_GROWTH,
    INFO_RATE,
    INFO_RESIDUAL,
    INNER,
    INTERVALS,
    LATE,
    LESS_STIFF,
    LINEARIZE,
    NODE_SLOPES,
    NODES,
    OFFSET,
    PAIR,
    PARAMETER,
    PHASE,
    PIVOTS,
    POINTS,
    RADAU_SLOPES,
    RADAU_VALUES,
    SCALE,
    SETTINGS,
    SINGULAR,
    SLOPES_AT,
    SLOW,
    SPARE,
    STATES,
    STEP,
    STIFF,
    STOP,
    TANGENT,
    THERE_FLOW,
    UNIT,
    UNKNOWNS,
    VALUES,
    VALUES_AT,
    VELOCITY,
    WEIGHTS,
    WIDTHS,
    WORK,
)
from bifrncrn.curves.orbits.spectrum_kernels import find_multipliers

MAX_NEWTON = 12
FRESH = 1e-10
"""Tangent and pair of an orbit stem from the iterate before it: no further off than this."""
SMALL = 1e-8
"""Steps smaller than this tell nothing about convergence."""
NEAR = 1e-7
"""After a first step smaller than this the orbit is fresh: Newton's method squares the error."""
CHORD, CHORD_RATE = 3e-4, 0.1
"""The factors are used again after a step smaller than this that is smaller than this part of the one before."""
ROUNDING = 1e-14
"""Residuals this small beside the terms they are the sums of are rounding: Newton's method can do no more."""
LEVEL = 0.3
"""Steps that shrink by less than this, small as they are, are rounding."""
SLOWEST = 0.7
"""Steps that shrink by less than this do not converge."""
LONGEST = 0.5
"""A longer Newton step does not lead to the branch."""
BOOLE = (7.0 / 90.0, 32.0 / 90.0, 12.0 / 90.0, 32.0 / 90.0)
"""Weights of the nodes of an interval of length 1; that of the first counts at both of its sides."""


@kernel
def weigh(c):
    """Write the weights of the nodes, which integrate over a period."""
    count, widths, weights = c[INTERVALS], doubles(c[WIDTHS]), doubles(c[WEIGHTS])
    for i in range(count):
        weights[POINTS * i] = BOOLE[0] * (widths[i] + widths[i - 1 if i > 0 else count - 1])
        for k in range(1, POINTS):
            weights[POINTS * i + k] = BOOLE[k] * widths[i]


@kernel
def slopes_of(c, nodes, out):
    """Write the derivatives of an orbit by the phase at the nodes, (4 N, n); at ends of intervals the mean of both."""
    n, count = c[STATES], c[INTERVALS]
    table, widths, offset = doubles(c[NODE_SLOPES]), doubles(c[WIDTHS]), doubles(c[OFFSET])
    for i in range(count):
        at, after = POINTS * i * n, POINTS * (i + 1) * n if i < count - 1 else 0
        inverse = 1.0 / widths[i]
        for k in range(POINTS + 1):
            row = k * (POINTS + 1)
            for b in range(n):
                slope = table[row + POINTS] * (nodes[after + b] if after > 0 else nodes[b] + offset[b])
                for j in range(POINTS):
                    slope += table[row + j] * nodes[at + j * n + b]
                slope *= inverse
                if k == 0:
                    out[at + b] = 0.5 * slope if i == 0 else out[at + b] + 0.5 * slope
                elif k < POINTS:
                    out[at + k * n + b] = slope
                elif after == 0:
                    out[b] += 0.5 * slope
                else:
                    out[after + b] = 0.5 * slope


@kernel
def conditions(c, flow, normal):
    """Write phase condition and hyperplane: normal to the slopes of an orbit, and to a vector of unknowns."""
    n, count = c[STATES], c[INTERVALS] * POINTS
    phase, arc, scale, weights = doubles(c[PHASE]), doubles(c[ARC]), doubles(c[SCALE]), doubles(c[WEIGHTS])
    square = 0.0
    for k in range(count):
        for b in range(n):
            share = weights[k] / (scale[b] * n)
            arc[k * n + b] = share * normal[k * n + b]
            phase[k * n + b] = share * flow[k * n + b]
            square += phase[k * n + b] * phase[k * n + b]
    inverse = 1.0 / math.sqrt(square) if square > 0.0 else 1.0
    for k in range(count * n):
        phase[k] *= inverse
    arc[count * n] = normal[count * n]
    arc[count * n + 1] = normal[count * n + 1] / doubles(c[SETTINGS])[UNIT]


@kernel
def chain_work(c):
    """Return the address of the chain's rows, (2 n, 3 n + 3), and of the borders, (2, 2 n + 3), behind them."""
    return c[WORK] + 8 * (3 * c[STATES] + c[STATES] * c[STATES])


@kernel
def last_work(c):
    """Return the address of the last equations: (m, m), scratch, two right-hand sides (m), what a chord needs."""
    n = c[STATES]
    return chain_work(c) + 8 * (2 * n * (3 * n + 3) + 2 * (2 * n + 3))


@kernel
def condensed(c):
    """Linearise and eliminate down to the first state, at the points that suit the rates; return 0 or a failure.

    Gauss points carry variations that decay much faster than the mesh resolves along almost undamped: they have
    multipliers next to 1, and hardly anything holds an orbit in their directions. At Radau points these multipliers are
    next to zero (L-stability; Hairer & Wanner, Solving Ordinary Differential Equations II, IV.3).
    """
    status = eliminated(c)
    if c[STATES] == 2:  # what is fast there are relaxations, which a mesh resolves
        return status
    rate, radau = doubles(c[INFO])[INFO_RATE], c[VALUES_AT] == c[RADAU_VALUES]
    if rate > (LESS_STIFF * STIFF if radau else STIFF):
        c[VALUES_AT], c[SLOPES_AT] = c[RADAU_VALUES], c[RADAU_SLOPES]
    else:
        c[VALUES_AT], c[SLOPES_AT] = c[GAUSS_VALUES], c[GAUSS_SLOPES]
    return status if radau == (c[VALUES_AT] == c[RADAU_VALUES]) else eliminated(c)


@kernel
def eliminated(c):
    """Linearise and eliminate down to the first state, whose pair results; return 0 or a failure."""
    n, count = c[STATES], c[INTERVALS]
    wide, width = 3 * n + 3, n * (POINTS + 1) + 3
    s = doubles(chain_work(c))
    borders = doubles(address_of(s) + 8 * 2 * n * wide)
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    info = doubles(c[INFO])
    info[INFO_GROWTH] = info[INFO_RESIDUAL] = info[INFO_RATE] = 0.0
    for i in range(count):
        if c[STOP] != 0:
            return LATE
        status = fill(c, i)
        if status != 0:
            return status
        block = doubles(c[INNER] + 8 * i * (POINTS * n + 2) * width)
        if not condense(block, POINTS * n, n * (POINTS - 1), width, order_at(c, i)):
            return SINGULAR
    first_link(c, s, borders)
    for i in range(1, count):
        if not link(c, i, s, borders):
            return SINGULAR
    pair = doubles(c[PAIR])
    for row in range(n):
        for b in range(n):
            pair[row * n + b] = s[row * wide + n + b]
            pair[(n + row) * n + b] = s[row * wide + b]
    return 0


@kernel
def _solve(c):
    """Linearise, and compute the Newton step; return 0 or a failure."""
    status = condensed(c)
    if status != 0:
        return status
    n, m = c[STATES], c[STATES] + 2
    wide, pair = 3 * n + 3, doubles(c[PAIR])
    s = doubles(chain_work(c))
    borders = doubles(address_of(s) + 8 * 2 * n * wide)
    final = doubles(last_work(c))
    scratch, rhs = doubles(last_work(c) + 8 * m * m), doubles(last_work(c) + 8 * m * (m + 1))
    for row in range(n):
        for b in range(n):
            final[row * m + b] = pair[row * n + b] + pair[(n + row) * n + b]
        final[row * m + n], final[row * m + n + 1] = s[row * wide + 3 * n], s[row * wide + 3 * n + 1]
        rhs[row] = s[row * wide + 3 * n + 2]
    for border in range(2):
        row, mine = n + border, border * (2 * n + 3)
        for b in range(n):
            final[row * m + b] = borders[mine + b] + borders[mine + n + b]
        final[row * m + n], final[row * m + n + 1] = borders[mine + 2 * n], borders[mine + 2 * n + 1]
        rhs[row] = borders[mine + 2 * n + 2]
    if lu_factor(final, m, integers(c[PIVOTS]), scratch) == 0.0:
        return SINGULAR
    _finish(c, rhs, doubles(c[STEP]), 1.0)
    return 0


@kernel
def _finish(c, rhs, out, known):
    """Solve the last equations and fill in the rest; `known` is the weight of the residual."""
    n, count = c[STATES], c[INTERVALS]
    lu_solve(doubles(last_work(c)), n + 2, integers(c[PIVOTS]), rhs)
    for b in range(n):
        out[b] = rhs[b]
    end = doubles(address_of(out) + 8 * count * POINTS * n)
    end[0], end[1] = rhs[n], rhs[n + 1]
    spread(c, out, out, end, known)


@kernel
def reduce(c, i, rest, carried):
    """Take the right-hand sides `rest` of interval i, (4 n + 2,), through the elimination; return those of the borders.

    They belong to the equations as they are, before `fill` has multiplied them by factors. `carried` (2 n,) goes from
    interval to interval.
    """
    n = c[STATES]
    wide, width, inner = 3 * n + 3, n * (POINTS + 1) + 3, n * (POINTS - 1)
    a, order, factors = doubles(c[INNER] + 8 * i * (POINTS * n + 2) * width), order_at(c, i), factors_at(c, i)
    for k in range(POINTS * n):
        rest[k] *= factors[k]
    for k in range(inner):
        swap = rest[order[k]]
        rest[order[k]] = rest[k]
        rest[k] = swap
    for k in range(inner):
        value = rest[k]
        a[k * width + width - 1] = value
        for q in range(k + 1, POINTS * n + 2):
            rest[q] -= a[q * width + k] * value
    first, second = rest[POINTS * n], rest[POINTS * n + 1]
    for b in range(n):
        carried[b if i == 0 else n + b] = rest[inner + b]
    if i == 0:
        return first, second
    kept = doubles(chain_at(c, i))
    for k in range(n):
        mine = n * wide + k * (2 * n + 1)
        dot = 0.0
        for q in range(k, 2 * n):
            dot += kept[mine + q] * carried[q]
        dot *= kept[mine + 2 * n]
        for q in range(k, 2 * n):
            carried[q] -= dot * kept[mine + q]
    of_borders = n * wide + n * (2 * n + 1)
    for b in range(n):
        kept[b * wide + 3 * n + 2] = carried[b]
        first -= kept[of_borders + b] * carried[b]
        second -= kept[of_borders + n + b] * carried[b]
        carried[b] = carried[n + b]
    return first, second


@kernel
def _chord(c):
    """Compute the Newton step with the factors of an iterate before; return 0 or a failure."""
    n, count, m = c[STATES], c[INTERVALS], c[STATES] + 2
    rhs, rest = doubles(last_work(c) + 8 * m * (m + 1)), doubles(last_work(c) + 8 * m * (m + 3))
    carried = doubles(address_of(rest) + 8 * (POINTS * n + 2))
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    first, second = 0.0, 0.0
    for i in range(count):
        status = residual(c, i, rest)
        if status != 0:
            return status
        of_phase, of_arc = reduce(c, i, rest, carried)
        first, second = first + of_phase, second + of_arc
    for b in range(n):
        rhs[b] = carried[b]
    rhs[n], rhs[n + 1] = first, second
    _finish(c, rhs, doubles(c[STEP]), 1.0)
    return 0


@kernel
def _length(c, v):
    """Return the length of a vector of unknowns in units of SCALE, root mean square over time and states."""
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
    """Take Newton steps until they are small, the last with a new linearisation.

    Returns how many linearisations it took, or a failure.
    """
    info = doubles(c[INFO])
    previous, ratio = 0.0, 0.0
    info[INFO_CONTRACTION] = 0.0
    last, made = False, 0
    for k in range(MAX_NEWTON):
        again = k > 0 and not last and previous <= CHORD and ratio <= CHORD_RATE
        status = _chord(c) if again else _solve(c)
        made += 0 if again else 1
        if status != 0:
            return status
        length = _length(c, doubles(c[STEP]))
        if not math.isfinite(length):
            return SINGULAR
        if length > LONGEST or not _move(c):
            return SLOW
        if k == 0:
            info[INFO_FIRST] = length
        if last or (length <= FRESH and not again):
            return made
        ratio = length / previous if k > 0 else 0.0
        if k > 0 and length > SMALL:
            info[INFO_CONTRACTION] = max(info[INFO_CONTRACTION], ratio)
        at_rounding = ratio > LEVEL and (length <= SMALL or info[INFO_RESIDUAL] < ROUNDING)
        if ratio > SLOWEST and not at_rounding:
            return SLOW
        last = length <= NEAR if k == 0 else length * ratio <= FRESH or at_rounding
        previous = length
    return SLOW


@kernel
def correct(c):
    """Bring the nodes onto the branch of orbits inside the hyperplane; return linearisations made, or a failure.

    Leaves behind the tangent (of unit length), the pair, and the velocity at the first node in units of SCALE.
    """
    n, count = c[STATES], c[INTERVALS] * POINTS
    done = _iterate(c)
    if done < 0:
        return done
    tangent, scale, m = doubles(c[TANGENT]), doubles(c[SCALE]), n + 2
    rhs = doubles(last_work(c) + 8 * m * (m + 2))
    for b in range(m):
        rhs[b] = 1.0 if b == n + 1 else 0.0
    _finish(c, rhs, tangent, 0.0)
    inverse = 1.0 / _length(c, tangent)
    for k in range(count):
        for b in range(n):
            tangent[k * n + b] *= inverse * scale[b]
    tangent[count * n] *= inverse
    tangent[count * n + 1] *= inverse * doubles(c[SETTINGS])[UNIT]
    find_velocity(c)
    return done


@kernel
def find_velocity(c):
    """Write the velocity at the first node."""
    n, velocity, scale = c[STATES], doubles(c[VELOCITY]), doubles(c[SCALE])
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    call_model6(c[LINEARIZE], c[NODES], c[VALUES], c[DIRECTION], c[VELOCITY], c[WORK], c[WORK] + 8 * n * n)
    for b in range(n):
        velocity[b] /= scale[b]


@kernel
def tell_multipliers(c):
    """Write the multipliers of the orbit that was eliminated last."""
    find_multipliers(c, c[VALUES_AT] == c[RADAU_VALUES])


@kernel
def orbit_correct(context):
    """Correct the nodes, normal to the vector of unknowns in TANGENT and to the shift in phase of those in SPARE."""
    c = integers(context)
    weigh(c)
    slopes_of(c, doubles(c[SPARE]), doubles(c[THERE_FLOW]))
    conditions(c, doubles(c[THERE_FLOW]), doubles(c[TANGENT]))
    done = correct(c)
    if done >= 0:
        tell_multipliers(c)
    return done


@kernel
def orbit_multipliers(context, at_radau):
    """Compute the multipliers alone, at the nodes as they are, by Gauss or by Radau points; return 0 or a failure."""
    c = integers(context)
    values, slopes = c[VALUES_AT], c[SLOPES_AT]
    c[VALUES_AT] = c[RADAU_VALUES if at_radau != 0 else GAUSS_VALUES]
    c[SLOPES_AT] = c[RADAU_SLOPES if at_radau != 0 else GAUSS_SLOPES]
    status = eliminated(c)
    if status == 0:
        find_velocity(c)
        find_multipliers(c, doubles(c[INFO])[INFO_RATE] > STIFF)
    c[VALUES_AT], c[SLOPES_AT] = values, slopes
    return status

"""The compiled linearised equations of an orbit: eliminated once, then solved for variations that close up in any way.

An elimination goes from interval to interval and knows nothing of how the orbit closes. What is left is
A0 x_0 + A1 x_N + t dT + p dp = r and the two borders, a few numbers, which Python closes: to the factor 1, to -1 where
a period doubles, to exp(i theta) where a torus is born. Variations have 4 N + 1 nodes, in units of SCALE, and two
numbers more: the changes of the logarithm of the period, and of the parameter in its unit.
"""

from bifrncrn.compile.pointers import address_of, call_model5, call_model6, doubles, integers, kernel
from bifrncrn.curves.orbits.collocation_kernels import spread, state_at, states_of
from bifrncrn.curves.orbits.layout import (
    DIRECTION,
    INTERVALS,
    LINEARIZE,
    OUTSIDE,
    PAIR,
    PARAMETER,
    POINTS,
    SCALE,
    SETTINGS,
    SPARE,
    STATES,
    TANGENT,
    THERE_FLOW,
    UNIT,
    UNKNOWNS,
    VALUES,
    VALUES_AT,
    WIDTHS,
    WORK,
)
from bifrncrn.curves.orbits.newton_kernels import (
    chain_work,
    condensed,
    conditions,
    find_velocity,
    last_work,
    reduce,
    slopes_of,
    tell_multipliers,
    weigh,
)


@kernel
def variations_eliminate(context, out):
    """Linearise at the nodes and eliminate; return 0 or a failure.

    Written are the last equations (n + 2, 2 n + 3), and the multipliers. The borders are normal to the shift in phase
    of the nodes in SPARE, and to the vector of unknowns in TANGENT.
    """
    c, end = integers(context), doubles(out)
    n = c[STATES]
    weigh(c)
    slopes_of(c, doubles(c[SPARE]), doubles(c[THERE_FLOW]))
    conditions(c, doubles(c[THERE_FLOW]), doubles(c[TANGENT]))
    status = condensed(c)
    if status != 0:
        return status
    wide, many, pair = 3 * n + 3, 2 * n + 3, doubles(c[PAIR])
    s = doubles(chain_work(c))
    borders = doubles(address_of(s) + 8 * 2 * n * wide)
    for row in range(n):
        for b in range(n):
            end[row * many + b], end[row * many + n + b] = pair[row * n + b], pair[(n + row) * n + b]
        for b in range(3):
            end[row * many + 2 * n + b] = s[row * wide + 3 * n + b]
    for border in range(2):
        to, mine = (n + border) * many, border * many
        for b in range(n):
            end[to + b], end[to + n + b] = borders[mine + n + b], borders[mine + b]
        for b in range(3):
            end[to + 2 * n + b] = borders[mine + 2 * n + b]
    find_velocity(c)
    tell_multipliers(c)
    return 0


@kernel
def variations_reduce(context, given, out):
    """Take right-hand sides (4 N n) at the Gauss points through the elimination; write the last ones (n + 2)."""
    c, values, end = integers(context), doubles(given), doubles(out)
    n, m, size = c[STATES], c[STATES] + 2, POINTS * c[STATES]
    rest = doubles(last_work(c) + 8 * m * (m + 3))
    carried = doubles(address_of(rest) + 8 * (size + 2))
    first, second = 0.0, 0.0
    for i in range(c[INTERVALS]):
        for q in range(size):
            rest[q] = values[i * size + q]
        rest[size] = rest[size + 1] = 0.0
        of_phase, of_arc = reduce(c, i, rest, carried)
        first, second = first + of_phase, second + of_arc
    for b in range(n):
        end[b] = carried[b]
    end[n], end[n + 1] = first, second
    return 0


@kernel
def variations_expand(context, known, given, out):
    """Write the nodes (4 N + 1, n) of a solution from its first and last state and the numbers behind them (2 n + 2).

    With `known` 0 the right-hand sides are nothing, with 1 those last reduced, or eliminated along.
    """
    c, ends, x = integers(context), doubles(given), doubles(out)
    n = c[STATES]
    last = c[INTERVALS] * POINTS * n
    for b in range(n):
        x[b], x[last + b] = ends[b], ends[n + b]
    spread(c, x, doubles(given + 8 * n), doubles(given + 16 * n), 1.0 if known == 1 else 0.0)
    return 0


@kernel
def _at_gauss(c, v, i, k, out):
    """Write a variation at a Gauss point, in the units of the states."""
    n, values, scale = c[STATES], doubles(c[VALUES_AT]), doubles(c[SCALE])
    for b in range(n):
        total = 0.0
        for j in range(POINTS + 1):
            total += values[k * (POINTS + 1) + j] * v[(i * POINTS + j) * n + b]
        out[b] = total * scale[b]


@kernel
def variations_apply(context, given, out):
    """Write what a variation (4 N + 1, n) and its two numbers change the right-hand sides by, (4 N n); 0 or a failure.

    That is w T (J v + f dT + f_p dp) at the Gauss points, in units of SCALE.
    """
    c, v, to = integers(context), doubles(given), doubles(out)
    n, count = c[STATES], c[INTERVALS]
    x, f, fp, jac = doubles(c[WORK]), doubles(c[WORK] + 8 * n), doubles(c[WORK] + 16 * n), doubles(c[WORK] + 24 * n)
    scale, direct = doubles(c[SCALE]), doubles(last_work(c))
    last = (count * POINTS + 1) * n
    longer, moved = v[last], v[last + 1] * doubles(c[SETTINGS])[UNIT]
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    for i in range(count):
        states, step = states_of(c, i), doubles(c[WIDTHS])[i] * doubles(c[UNKNOWNS])[0]
        for k in range(POINTS):
            if not state_at(c, states, k, x):
                return OUTSIDE
            call_model6(
                c[LINEARIZE], c[WORK], c[VALUES], c[DIRECTION], c[WORK] + 8 * n, c[WORK] + 24 * n, c[WORK] + 16 * n
            )
            _at_gauss(c, v, i, k, direct)
            for row in range(n):
                total = longer * f[row] + moved * fp[row]
                for b in range(n):
                    total += jac[row * n + b] * direct[b]
                to[(i * POINTS + k) * n + row] = step * total / scale[row]
    return 0


@kernel
def variations_jets(context, jet, still, given, out):
    """Write the first three derivatives of w T f along a variation at the Gauss points, (3, 4 N n); 0 or a failure.

    `jet` is the address of the model's jet, `still` that of a direction of the parameters in which none moves.
    """
    c, v, to = integers(context), doubles(given), doubles(out)
    n, count, size = c[STATES], c[INTERVALS], c[INTERVALS] * POINTS * c[STATES]
    x, scale = doubles(c[WORK]), doubles(c[SCALE])
    direct, found = doubles(last_work(c)), doubles(last_work(c) + 8 * n)
    doubles(c[VALUES])[c[PARAMETER]] = doubles(c[UNKNOWNS])[1]
    for i in range(count):
        states, step = states_of(c, i), doubles(c[WIDTHS])[i] * doubles(c[UNKNOWNS])[0]
        for k in range(POINTS):
            if not state_at(c, states, k, x):
                return OUTSIDE
            _at_gauss(c, v, i, k, direct)
            call_model5(jet, c[WORK], c[VALUES], address_of(direct), still, address_of(found))
            for order in range(3):
                for row in range(n):
                    at = order * size + (i * POINTS + k) * n + row
                    to[at] = step * found[order * n + row] / scale[row]
    return 0

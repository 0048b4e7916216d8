"""One step along a branch of orbits: predicted by the cubic through two places, corrected, and judged."""

import math

from bifrncrn.compile.pointers import doubles, kernel
from bifrncrn.curves.orbits.layout import (
    ANGLE,
    BACK,
    BEFORE,
    BEFORE_PARAMETER,
    BEFORE_PERIOD,
    BEFORE_TANGENT,
    FLOW,
    HAS_BEFORE,
    HERE,
    HERE_PARAMETER,
    HERE_PERIOD,
    HERE_SIZE,
    HERE_TANGENT,
    INFO,
    INFO_CONTRACTION,
    INFO_FIRST,
    INTERVALS,
    JUMPS,
    LAST_TURN,
    MARCH,
    NODES,
    POINTS,
    SCALE,
    SETTINGS,
    SPARE,
    STATES,
    TANGENT,
    THERE_FLOW,
    TURNS,
    UNIT,
    UNKNOWNS,
    WEIGHTS,
)
from bifrncrn.curves.orbits.newton_kernels import slopes_of

CONTRACTION = 0.25
"""A Newton step must shrink at least this much, else another branch may be near."""
CORNER_TRIES, SAME_TURN, SHARPEST = 6, 0.95, 1.0
"""The branch has a corner where so many steps, each at most 0.7 times the last, turn by this much of the last turn; it
is passed where the angle is less."""
JUMPING = 0.6
"""The angle by which the branch may turn in a step where orbits jump between slow parts: the phase of a jump wanders,
and what changes at it turns the tangent without being a bend of the branch."""
SMALL_SWING = 0.1
"""Orbits smaller than this may shrink to a point in one step."""
SWELL = 1.5
"""Orbits grow or shrink by no more than this factor in one step, else folds near a Hopf point would be jumped."""
BENT = 0.2
"""The cubic is used where it deviates by less than this part of the step from the tangent, and the step is not longer
than its inverse times the last."""
RESOLVED_SLOPE = 1e-7
"""Where the parameter moves by less than this part of a step, rounding decides whether it turns twice in one."""
DIP = 0.3
"""The parameter may turn and turn back inside a step where its rate is expected to fall to this part."""


@kernel
def inner(c, u, v):
    """Return the inner product of two changes of an orbit: mean over time and states, period and parameter added."""
    n, count = c[STATES], c[INTERVALS] * POINTS
    weights, scale, unit = doubles(c[WEIGHTS]), doubles(c[SCALE]), doubles(c[SETTINGS])[UNIT]
    total = 0.0
    for b in range(n):
        mine = 0.0
        for k in range(count):
            mine += weights[k] * u[k * n + b] * v[k * n + b]
        total += mine / (scale[b] * scale[b])
    last = count * n
    return total / n + u[last] * v[last] + u[last + 1] * v[last + 1] / (unit * unit)


@kernel
def without_shift(c, v, flow, along):
    """Take from a change the shift in phase, `along` the slopes of an orbit, that makes it normal to `flow`."""
    n, count = c[STATES], c[INTERVALS] * POINTS
    weights, scale = doubles(c[WEIGHTS]), doubles(c[SCALE])
    much, whole = 0.0, 0.0
    for b in range(n):
        inverse = 1.0 / (scale[b] * scale[b])
        for k in range(count):
            share = weights[k] * inverse * flow[k * n + b]
            much += share * v[k * n + b]
            whole += share * along[k * n + b]
    if whole != 0.0:
        for k in range(count * n):
            v[k] -= much / whole * along[k]


@kernel
def measure(c, tangent, flow):
    """Make a tangent normal to its orbit's own shift in phase, and of unit length."""
    without_shift(c, tangent, flow, flow)
    length = math.sqrt(inner(c, tangent, tangent))
    for k in range(c[INTERVALS] * POINTS * c[STATES] + 2):
        tangent[k] /= length


@kernel
def swing(c, first, second):
    """Return the inner product of the deviations of two orbits' states (4 N, n) from their means over time."""
    n, count = c[STATES], c[INTERVALS] * POINTS
    weights, scale = doubles(c[WEIGHTS]), doubles(c[SCALE])
    total = 0.0
    for b in range(n):
        mean, other, both = 0.0, 0.0, 0.0
        for k in range(count):
            mean += weights[k] * first[k * n + b]
            other += weights[k] * second[k * n + b]
        for k in range(count):
            both += weights[k] * (first[k * n + b] - mean) * (second[k * n + b] - other)
        total += both / (scale[b] * scale[b])
    return total / n


@kernel
def _bend(c, h, bend):
    """Write what the cubic through this place and the one before adds to the tangent; return whether it is to be used.

    Hermite's cubic in the length along the branch, with both places' tangents.
    """
    m = doubles(c[MARCH])
    m[BACK] = 0.0
    if m[HAS_BEFORE] == 0.0:
        return False
    size = c[INTERVALS] * POINTS * c[STATES]
    here, before, flow, shift = doubles(c[HERE]), doubles(c[BEFORE]), doubles(c[FLOW]), doubles(c[THERE_FLOW])
    for k in range(size):
        bend[k] = before[k] - here[k]
    bend[size] = math.log(m[BEFORE_PERIOD] / m[HERE_PERIOD])
    bend[size + 1] = m[BEFORE_PARAMETER] - m[HERE_PARAMETER]
    slopes_of(c, before, shift)
    without_shift(c, bend, flow, shift)
    back = m[BACK] = math.sqrt(inner(c, bend, bend))
    if not back > BENT * h:
        return False
    t, old, given = doubles(c[HERE_TANGENT]), doubles(c[TANGENT]), doubles(c[BEFORE_TANGENT])
    for k in range(size + 2):
        old[k] = given[k]
    measure(c, old, flow)
    part = h / back
    for k in range(size + 2):
        bend[k] = part * part * (
            3.0 * bend[k] + back * (2.0 * t[k] + old[k]) + part * (2.0 * bend[k] + back * (t[k] + old[k]))
        )  # fmt: skip
    return inner(c, bend, bend) < (BENT * h) * (BENT * h)


@kernel
def predict(c, h):
    """Write the orbit that is expected a step ahead into NODES and UNKNOWNS."""
    m = doubles(c[MARCH])
    size = c[INTERVALS] * POINTS * c[STATES]
    here, t, guess, bend = doubles(c[HERE]), doubles(c[HERE_TANGENT]), doubles(c[NODES]), doubles(c[SPARE])
    share = 1.0 if _bend(c, h, bend) else 0.0
    if share == 0.0:
        for k in range(size + 2):
            bend[k] = 0.0
    for k in range(size):
        guess[k] = here[k] + h * t[k] + bend[k]
    doubles(c[UNKNOWNS])[0] = m[HERE_PERIOD] * math.exp(h * t[size] + bend[size])
    doubles(c[UNKNOWNS])[1] = m[HERE_PARAMETER] + h * t[size + 1] + bend[size + 1]


@kernel
def stretch(c):
    """Return the length of the change from the place a step starts from to the one it reached."""
    m, gap = doubles(c[MARCH]), doubles(c[SPARE])
    size = c[INTERVALS] * POINTS * c[STATES]
    here, there = doubles(c[HERE]), doubles(c[NODES])
    for k in range(size):
        gap[k] = there[k] - here[k]
    gap[size] = math.log(doubles(c[UNKNOWNS])[0] / m[HERE_PERIOD])
    gap[size + 1] = doubles(c[UNKNOWNS])[1] - m[HERE_PARAMETER]
    return math.sqrt(inner(c, gap, gap))


@kernel
def _turn(c):
    """Return the angle between the tangents at both places, as curves in state space.

    What moves a state along its own orbit is left out: where a jump comes a little earlier, the states change much and
    the orbit does not.
    """
    n, count = c[STATES], c[INTERVALS] * POINTS
    weights, scale, unit = doubles(c[WEIGHTS]), doubles(c[SCALE]), doubles(c[SETTINGS])[UNIT]
    flow, t, later, s = doubles(c[FLOW]), doubles(c[HERE_TANGENT]), doubles(c[THERE_FLOW]), doubles(c[TANGENT])
    first, second, both = 0.0, 0.0, 0.0
    for k in range(count):
        speed, along, pace, ahead = 1e-300, 0.0, 1e-300, 0.0
        for b in range(k * n, k * n + n):
            inverse = 1.0 / (scale[b - k * n] * scale[b - k * n])
            speed += flow[b] * flow[b] * inverse
            along += flow[b] * t[b] * inverse
            pace += later[b] * later[b] * inverse
            ahead += later[b] * s[b] * inverse
        along /= speed
        ahead /= pace
        for b in range(k * n, k * n + n):
            share = weights[k] / (n * scale[b - k * n] * scale[b - k * n])
            u, v = t[b] - along * flow[b], s[b] - ahead * later[b]
            first += share * u * u
            second += share * v * v
            both += share * u * v
    for at in range(count * n, count * n + 2):
        share = 1.0 if at == count * n else 1.0 / (unit * unit)
        first += share * t[at] * t[at]
        second += share * s[at] * s[at]
        both += share * t[at] * s[at]
    product = math.sqrt(first * second)
    if not product > 0.0 or not both > 0.0:
        return math.pi
    return 2.0 * math.asin(min(1.0, 0.5 * math.sqrt(max(2.0 - 2.0 * both / product, 0.0))))


@kernel
def _corner(m, turn):
    """Say whether the branch has a corner: shorter and shorter steps have not made the turn smaller.

    Piecewise smooth models have such, where an orbit meets a border.
    """
    m[TURNS] = m[TURNS] + 1.0 if m[TURNS] > 0.0 and turn > SAME_TURN * m[LAST_TURN] else 1.0
    m[LAST_TURN] = turn
    return m[TURNS] > CORNER_TRIES and turn < SHARPEST


@kernel
def judge(c, h):
    """Return what to multiply the length of the next step by; less than 0 where this one was too long, minus that."""
    m, info = doubles(c[MARCH]), doubles(c[INFO])
    first, contraction, jumps = info[INFO_FIRST], info[INFO_CONTRACTION], m[JUMPS] != 0.0
    angle = doubles(c[SETTINGS])[ANGLE]
    limit = max(angle, JUMPING) if jumps else angle
    turn = _turn(c)
    if not turn <= limit and not _corner(m, turn):
        return -max(0.3, min(0.7, 0.8 * limit / turn))
    slow = first > 1e-6 and contraction > CONTRACTION
    strange = first > 0.5 * max(turn, 0.02) * h + 1e-8 and not jumps
    if slow or strange:
        return -0.5
    size = math.sqrt(swing(c, doubles(c[NODES]), doubles(c[NODES])))
    before = m[HERE_SIZE]
    if not (size < SWELL * before and (before < SMALL_SWING or before < SWELL * size)):
        return -0.6
    growth = 2.0
    if turn > 0.0:
        growth = min(growth, 0.6 * limit / turn)
    if contraction > 0.05:
        growth = min(growth, math.sqrt(0.05 / contraction))
    return max(growth, 0.4)


@kernel
def vanishes(c):
    """Say whether the orbit has shrunk to a point between both places: it turns up again half a turn later."""
    small = doubles(c[MARCH])[HERE_SIZE] < SMALL_SWING
    return small and swing(c, doubles(c[HERE]), doubles(c[NODES])) < 0.0


@kernel
def may_turn_twice(c, length):
    """Say whether the parameter may turn and turn back between both places.

    Its mean rate over the step and the rates at both ends give that in the middle (Simpson's rule), and the parabola
    through the three its least size between.
    """
    last, unit = c[INTERVALS] * POINTS * c[STATES] + 1, doubles(c[SETTINGS])[UNIT]
    g0, g1 = doubles(c[HERE_TANGENT])[last] / unit, doubles(c[TANGENT])[last] / unit
    if not (g0 * g1 > 0.0 and max(abs(g0), abs(g1)) > RESOLVED_SLOPE):
        return False
    mean = (doubles(c[UNKNOWNS])[1] - doubles(c[MARCH])[HERE_PARAMETER]) / unit / length
    bend = 6.0 * (g0 + g1 - 2.0 * mean)  # twice the coefficient of t^2, t from 0 to 1
    rise = g1 - g0 - 0.5 * bend
    t = -rise / bend if bend != 0.0 else -1.0
    if not 0.0 < t < 1.0:
        return False
    least = (g0 + t * (rise + 0.5 * bend * t)) * (1.0 if g0 > 0.0 else -1.0)
    return least < DIP * min(abs(g0), abs(g1))

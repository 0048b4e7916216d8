"""The compiled march along a branch of orbits: steps, units, meshes; a record of every place that is reached.

It goes on until the rows asked for are there, or a record asks for more than is known here: about a bifurcation passed
on the way, or whether the branch ends. A place is put on another mesh only when the next step starts from it.
"""

import math

from bifrncrn.compile.pointers import doubles, integers, kernel
from bifrncrn.curves.orbits.extreme_kernels import find_extremes
from bifrncrn.curves.orbits.layout import (
    ABOUT_END,
    ABOUT_EVENTS,
    ALONE,
    ASKS,
    BEFORE,
    BEFORE_PARAMETER,
    BEFORE_PERIOD,
    BEFORE_TANGENT,
    BEYOND,
    CHECKED,
    EXTREMES,
    FAILURE,
    FAR_AWAY,
    HAS_BEFORE,
    HERE,
    HERE_PARAMETER,
    HERE_PERIOD,
    HERE_TANGENT,
    HOME,
    INTERVALS,
    LEAST_STEP,
    LENGTH,
    LONGEST,
    LONGEST_STEP,
    LOOSE,
    MARCH,
    MARK,
    MESHING,
    NEWTONS,
    NEXT,
    NODES,
    NOW_HIGH,
    NOW_LOW,
    OLD_HIGH,
    OLD_LOW,
    PAIR,
    PAUSED,
    POINTS,
    RANGE_HIGH,
    RANGE_LOW,
    REACHED,
    REJECTED,
    ROWS,
    SCALE,
    SETTINGS,
    SHORTEST,
    SLOW_PERIODS,
    SNIC_RATE,
    STANDSTILL,
    STATES,
    TANGENT,
    THERE_FLOW,
    TOO_SHORT,
    TRIED,
    TURNED_OVER,
    TURNS,
    UNITS,
    UNKNOWNS,
    USED,
    VELOCITY,
)
from bifrncrn.curves.orbits.newton_kernels import correct, slopes_of, tell_multipliers
from bifrncrn.curves.orbits.place_kernels import (
    arrive,
    keep_multipliers,
    may_exchange,
    passed,
    record_place,
    remember_multipliers,
    settle,
    slope_of,
    tighten,
)
from bifrncrn.curves.orbits.step_kernels import judge, may_turn_twice, measure, predict, stretch, vanishes

OF_BRANCH = 0.1
"""A state's unit is what it sweeps on an orbit, or this part of what it sweeps on the branch so far."""
PAIR_RESOLVED = 1e-4
"""Steps are not shortened below this to see whether the parameter turns twice in one, or two multipliers pass."""
WINDOW = 1.2
"""While the period grows by this factor, and again, which is less than LENGTHENED, the parameter is looked at."""
STEEPEST = 5.0
"""Towards a saddle-node on the orbit the parameter goes with the period to the power -2, towards a saddle with larger
and larger ones: from this on no saddle-node is asked for."""
SAME_VALUE = 1e-10
"""Orbits for which the parameter moves by less than this part of its range surround a centre, ..."""
GROWN = 100.0
"""... if they have grown this much, and nothing has changed by then."""


@kernel
def _new_units(c):
    """Take the units of length that belong to the extremes; pair and velocity are put into them."""
    n, pair, velocity = c[STATES], doubles(c[PAIR]), doubles(c[VELOCITY])
    scale, units, extremes = doubles(c[SCALE]), doubles(c[UNITS]), doubles(c[EXTREMES])
    for b in range(n):
        units[n + b], units[2 * n + b] = min(units[n + b], extremes[b]), max(units[2 * n + b], extremes[n + b])
        units[b] = max(units[b], OF_BRANCH * (units[2 * n + b] - units[n + b]))
        new = max(extremes[n + b] - extremes[b], units[b])
        for row in range(2 * n):
            pair[row * n + b] *= new / scale[b]
        velocity[b] *= scale[b] / new
        scale[b] = new


@kernel
def _stands_still(c):
    """Say whether the parameter has hardly moved while the period became longer."""
    m, settings = doubles(c[MARCH]), doubles(c[SETTINGS])
    period, p = m[HERE_PERIOD], m[HERE_PARAMETER]
    if period > WINDOW * m[MARK] or period < m[MARK] / WINDOW:
        grown = period > m[MARK]
        m[OLD_LOW], m[OLD_HIGH] = (m[NOW_LOW], m[NOW_HIGH]) if grown else (p, p)
        m[NOW_LOW], m[NOW_HIGH], m[MARK] = p, p, period
    m[NOW_LOW], m[NOW_HIGH] = min(m[NOW_LOW], p), max(m[NOW_HIGH], p)
    moved = max(m[OLD_HIGH], m[NOW_HIGH]) - min(m[OLD_LOW], m[NOW_LOW])
    return moved < STANDSTILL * (settings[RANGE_HIGH] - settings[RANGE_LOW])


@kernel
def _saddle_node_near(c):
    """Say whether the parameter moves as slowly with the period as near a saddle-node on the orbit."""
    m, settings, last = doubles(c[MARCH]), doubles(c[SETTINGS]), c[INTERVALS] * POINTS * c[STATES]
    t, old = doubles(c[HERE_TANGENT]), doubles(c[BEFORE_TANGENT])
    if not abs(t[last + 1]) < SNIC_RATE * (settings[RANGE_HIGH] - settings[RANGE_LOW]) * t[last]:
        return False
    rate, before = abs(t[last + 1] / t[last]), abs(old[last + 1] / old[last])
    lengthened = math.log(m[HERE_PERIOD] / m[BEFORE_PERIOD])
    return not (lengthened > 0.0 and rate < before * math.exp(-STEEPEST * lengthened))


@kernel
def _questions(c, slope):
    """Return what is to be asked about the place reached; `slope` is that of the one before."""
    m, n, settings = doubles(c[MARCH]), c[STATES], doubles(c[SETTINGS])
    asks = ABOUT_EVENTS if passed(c, slope, slope_of(c, doubles(c[HERE_TANGENT]))) else 0
    m[SHORTEST] = min(m[SHORTEST], m[HERE_PERIOD])
    if abs(m[HERE_PARAMETER] - settings[HOME]) >= SAME_VALUE * (settings[RANGE_HIGH] - settings[RANGE_LOW]):
        m[ALONE] = 0.0
    units, extremes = doubles(c[UNITS]), doubles(c[EXTREMES])
    ends = _stands_still(c) or _saddle_node_near(c) or m[HERE_PERIOD] > LONGEST * m[SHORTEST]
    ends = ends and m[HERE_PERIOD] >= SLOW_PERIODS * m[SHORTEST]
    for b in range(n):
        ends = ends or max(abs(extremes[b]), abs(extremes[n + b])) > settings[FAR_AWAY]
        ends = ends or (m[ALONE] != 0.0 and extremes[n + b] - extremes[b] > GROWN * units[3 * n + b])
    return asks + (ABOUT_END if ends else 0)


@kernel
def _accept(c, h, growth):
    """Go on from the place reached; return what its record asks."""
    m, size = doubles(c[MARCH]), c[INTERVALS] * POINTS * c[STATES]
    here, t, before, old = doubles(c[HERE]), doubles(c[HERE_TANGENT]), doubles(c[BEFORE]), doubles(c[BEFORE_TANGENT])
    for k in range(size):
        before[k] = here[k]
    for k in range(size + 2):
        old[k] = t[k]
    m[BEFORE_PERIOD], m[BEFORE_PARAMETER], m[HAS_BEFORE] = m[HERE_PERIOD], m[HERE_PARAMETER], 1.0
    slope = slope_of(c, t)
    find_extremes(c)
    _new_units(c)
    measure(c, doubles(c[TANGENT]), doubles(c[THERE_FLOW]))
    arrive(c)
    asks = _questions(c, slope)
    remember_multipliers(c)
    keep_multipliers(c)
    m[NEXT] = min(h * growth, doubles(c[SETTINGS])[LONGEST_STEP])
    m[MESHING], m[TURNS], m[LOOSE] = CHECKED, 0.0, 0.0
    m[ROWS] -= 1.0
    record = record_place(c, REACHED, here, t, m[HERE_PERIOD], m[HERE_PARAMETER])
    record[LENGTH], record[ASKS] = h, asks
    return asks


@kernel
def _reject(c, h):
    """Take a shorter step next; the same from a better place where that was not corrected."""
    m = doubles(c[MARCH])
    if m[LOOSE] != 0.0:
        tighten(c)
        return
    m[REJECTED] += 1.0
    m[NEXT] = h


@kernel
def _attempt(c, h):
    """Try one step; return whether Python is to be asked."""
    m, settings = doubles(c[MARCH]), doubles(c[SETTINGS])
    m[TRIED] += 1.0
    predict(c, h)
    done = correct(c)
    m[FAILURE] = min(done, 0)
    if done < 0:
        _reject(c, 0.4 * h)
        return False
    m[NEWTONS] += done
    slopes_of(c, doubles(c[NODES]), doubles(c[THERE_FLOW]))
    growth = judge(c, h)
    if growth < 0.0:
        _reject(c, -growth * h)
        return False
    period, value = doubles(c[UNKNOWNS])[0], doubles(c[UNKNOWNS])[1]
    outside = not settings[RANGE_LOW] <= value <= settings[RANGE_HIGH]
    if outside or vanishes(c):
        kind = BEYOND if outside else TURNED_OVER
        tell_multipliers(c)
        record = record_place(c, kind, doubles(c[NODES]), doubles(c[TANGENT]), period, value)
        record[LENGTH] = h
        return True
    length = stretch(c)
    if length > PAIR_RESOLVED and may_turn_twice(c, length):
        _reject(c, 0.5 * length)
        return False
    tell_multipliers(c)
    if length > PAIR_RESOLVED and may_exchange(c, length):
        _reject(c, 0.5 * length)
        return False
    return _accept(c, h, growth) != 0


@kernel
def orbit_march(context):
    """Go on from the place in HERE; return why it pauses.

    Given are mesh, units, walls and settings, HERE and HERE_TANGENT, perhaps BEFORE and BEFORE_TANGENT, UNITS, and what
    MARCH has; of the pair and the velocity of the place where its mesh is to be checked.
    """
    c = integers(context)
    m = doubles(c[MARCH])
    m[USED] = 0.0
    while True:
        status = settle(c)
        if status != 0:
            return status
        if m[ROWS] <= 0.0:
            return PAUSED
        if not m[NEXT] >= doubles(c[SETTINGS])[LEAST_STEP]:
            return TOO_SHORT
        if _attempt(c, m[NEXT]):
            return PAUSED

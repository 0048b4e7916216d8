"""The place of a branch that a step starts from: its mesh, its multipliers, and the record that is made of it."""

import math

from bifrncrn.compile.pointers import doubles, kernel
from bifrncrn.curves.orbits.extreme_kernels import find_extremes
from bifrncrn.curves.orbits.layout import (
    ASKS,
    BACK,
    BEFORE,
    BEFORE_MULTIPLIERS,
    BEFORE_TANGENT,
    CONTRACTION,
    COUNT,
    EDGES,
    EXTREMES,
    FINER,
    FIRST,
    FLOW,
    HAS_BEFORE,
    HEAD,
    HERE,
    HERE_MULTIPLIERS,
    HERE_PARAMETER,
    HERE_PERIOD,
    HERE_SIZE,
    HERE_TANGENT,
    INFO,
    INFO_CONTRACTION,
    INFO_FIRST,
    INFO_NOISE,
    INFO_RATE,
    INTERVALS,
    JUMPS,
    KEPT,
    KIND,
    LENGTH,
    LOOSE,
    MARCH,
    MESH,
    MESHING,
    MOST,
    MOST_INTERVALS,
    MOVED,
    MULTIPLIERS,
    NEWTONS,
    NO_ROOM,
    NODES,
    NOISE,
    PAIR,
    PERIOD,
    POINTS,
    RATE,
    RECORDS,
    REMESHED,
    RENEWED,
    ROUGH,
    SCALE,
    SPARE,
    STATES,
    TANGENT,
    THERE_FLOW,
    TURNED,
    UNITS,
    UNKNOWNS,
    USED,
    VALUE,
    VELOCITY,
    WANTED,
    WIDTHS,
    WORST,
)
from bifrncrn.curves.orbits.mesh_kernels import (
    ACCURACY,
    add_turns,
    equidistribute,
    error_in,
    find_weights,
    interpolate,
    intervals_for,
    set_mesh,
    steepness,
)
from bifrncrn.curves.orbits.newton_kernels import conditions, correct, slopes_of, tell_multipliers, weigh
from bifrncrn.curves.orbits.spectrum_kernels import trivial
from bifrncrn.curves.orbits.step_kernels import measure, swing

UNEVEN = 4.0
"""The mesh is made anew where an interval's error is this many times the mean: errors grow with the fifth power of what
a pulse has moved, and a new mesh costs no correction as long as the old is not poor."""
UNEVEN_ROUGH = 12.0
"""The same where orbits have kinks, which no mesh spreads the error of: then every new one costs a correction."""
KINK = 1e-5
"""An orbit has kinks where a correction on a new mesh is longer than this: the errors of smooth ones on a mesh that is
not poor are a fifth of it."""
LEAST_ERROR = 1e-11
"""Errors smaller than this need no even distribution."""
POOR_MESH = 10.0
"""An orbit is corrected on its new mesh where an error on the old was this many times what meshes are made for; else
the next step does that."""
SPARED = 1.15
"""A new mesh has so many times the intervals that the error asks for."""
FINEST = 3.0
"""How many times more intervals than the error asks for may be taken to have better multipliers."""
UNSURE, SURE = 1e-7, 1e-9
"""How far the trivial multiplier is from 1 where more intervals are taken, and where fewer will do."""
JUMP = 100.0
"""An orbit jumps where its mesh has intervals of so different widths."""
SLOWEST = 1e-4
"""An orbit starts where it is slowest, but not slower than this part of its greatest speed: from there on variations
grow before they decay, and a velocity that is very small is not known well."""
ONE = 1e-7
"""A multiplier this close to the unit circle is not said to be inside or outside of it."""
AHEAD = 2.0
"""A multiplier may pass the unit circle in a step if it would at this many times the rate of the step before."""
BAND = 30.0
"""That is asked about those that are beside the circle by less than this factor."""
HUGE = 1e9
"""The sign of a larger multiplier is rounding (the largest that are computed at all are about 1e12)."""


@kernel
def slope_of(c, tangent):
    """Return the parameter component of a tangent."""
    return tangent[c[INTERVALS] * POINTS * c[STATES] + 1]


@kernel
def record_place(c, kind, nodes, tangent, period, value):
    """Write a record of a place; return it."""
    n, count, m, info = c[STATES], c[INTERVALS], doubles(c[MARCH]), doubles(c[INFO])
    out = doubles(c[RECORDS] + 8 * int(m[USED]))
    out[KIND], out[COUNT], out[PERIOD], out[VALUE] = kind, count, period, value
    out[RATE], out[NOISE] = info[INFO_RATE], info[INFO_NOISE]
    out[FIRST], out[CONTRACTION] = info[INFO_FIRST], info[INFO_CONTRACTION]
    out[LENGTH] = out[ASKS] = out[TURNED] = 0.0
    at = HEAD
    for k in range(n):
        out[at + k] = doubles(c[SCALE])[k]
    at += n
    for k in range(3 * n):
        out[at + k] = doubles(c[UNITS])[k]
    at += 3 * n
    for k in range(2 * n):
        out[at + k] = doubles(c[EXTREMES])[k]
    at += 2 * n
    for k in range(2 * n * n):
        out[at + k] = doubles(c[PAIR])[k]
    at += 2 * n * n
    for k in range(n):
        out[at + k] = doubles(c[VELOCITY])[k]
    at += n
    for k in range(2 * n + 1):
        out[at + k] = doubles(c[MULTIPLIERS])[k]
    at += 2 * n + 1
    for k in range(count + 1):
        out[at + k] = doubles(c[EDGES])[k]
    at += count + 1
    size = count * POINTS * n
    for k in range(size):
        out[at + k] = nodes[k]
    at += size
    for k in range(size + 2):
        out[at + k] = tangent[k]
    m[USED] += at + size + 2
    return out


@kernel
def _start(c):
    """Return the interval at whose left end the orbit is to start."""
    n, count = c[STATES], c[INTERVALS]
    flow, scale, speeds = doubles(c[FLOW]), doubles(c[SCALE]), doubles(c[MESH] + 8 * count)
    least, most = math.inf, 0.0
    for i in range(count):
        square = 0.0
        for b in range(n):
            square += (flow[POINTS * i * n + b] / scale[b]) ** 2
        speeds[i] = math.sqrt(square) + 1e-300
        least, most = min(least, speeds[i]), max(most, speeds[i])
    wish = max(least, SLOWEST * most)
    best = 0
    if speeds[0] >= 2.0 * wish:
        for i in range(count):
            if abs(math.log(speeds[i] / wish)) < abs(math.log(speeds[best] / wish)):
                best = i
    return best


@kernel
def _finer(c, finer):
    """Return how many times finer the mesh is to be, so that the trivial multiplier comes out as 1."""
    if c[STATES] == 2:
        return finer  # the multipliers do not depend on it
    off = abs(trivial(c) - 1.0)
    if not off < UNSURE:
        return min(1.3 * finer, FINEST)
    return max(finer / 1.1, 1.0) if off < SURE else finer


@kernel
def _turned_to(c, which, count, more):
    """Put states, or a tangent, on the mesh of `find_weights`, by way of SPARE; of a tangent `more` numbers follow."""
    values, out = doubles(c[which]), doubles(c[SPARE])
    old, size = c[INTERVALS] * POINTS * c[STATES], count * POINTS * c[STATES]
    first, second = values[old] if more else 0.0, values[old + 1] if more else 0.0
    interpolate(c, values, count, out)
    if not more:
        add_turns(c, count, out)
    for k in range(size):
        values[k] = out[k]
    if more:
        values[size], values[size + 1] = first, second


@kernel
def _outside(values, n):
    """Return one number for how many multipliers are real and above 1, real and below -1, and complex and outside.

    It is -1 where one is not known to be inside or outside, or its sign is not sure.
    """
    if n > 2 and not (values[2 * n] > 1.0 and math.isfinite(values[0])):
        return -1
    limit = min(values[2 * n], HUGE) if n > 2 else math.inf
    counts = 0
    for k in range(1, n):
        size = math.hypot(values[k], values[n + k])
        if abs(size - 1.0) <= ONE or not size <= limit:
            return -1
        if size > 1.0:
            counts += 1000000 if values[n + k] != 0.0 else (1 if values[k] > 0.0 else 1000)
    return counts


@kernel
def passed(c, slope, before):
    """Say whether a bifurcation may lie between the place before and this one, by slopes and multipliers of both."""
    first = _outside(doubles(c[HERE_MULTIPLIERS]), c[STATES])
    last = _outside(doubles(c[MULTIPLIERS]), c[STATES])
    return slope * before < 0.0 or first != last or first < 0


@kernel
def _nearest(values, n, re, im):
    """Return the size of the multiplier that is nearest to a number, as logarithms are compared."""
    best, nearest = math.inf, 1.0
    for k in range(1, n):
        size = max(math.hypot(values[k], values[n + k]), 1e-300)
        gap = math.hypot(values[k] - re, values[n + k] - im) / math.sqrt(size)
        if gap < best:
            best, nearest = gap, size
    return nearest


@kernel
def may_exchange(c, length):
    """Say whether a multiplier may have left the unit circle in a step of a length while another like it has entered.

    As many are outside then as were before. What they have done in the step before tells where they may go.
    """
    n, back = c[STATES], doubles(c[MARCH])[BACK]
    old, first, last = doubles(c[BEFORE_MULTIPLIERS]), doubles(c[HERE_MULTIPLIERS]), doubles(c[MULTIPLIERS])
    if n == 2 or back == 0.0 or not old[2 * n] > BAND:
        return False
    if _outside(first, n) < 0 or _outside(first, n) != _outside(last, n):
        return False
    leaving, entering = 0, 0  # bits: those that may pass as real ones above 1, as real ones below -1, as pairs
    for k in range(1, n):
        re, im = first[k], first[n + k]
        size = math.hypot(re, im)
        if 1.0 / BAND < size < BAND:
            here = math.log(size)
            there = here + AHEAD * (here - math.log(_nearest(old, n, re, im))) * length / back
            kind = 4 if im != 0.0 else (1 if re > 0.0 else 2)
            leaving |= kind if here < 0.0 < there else 0
            entering |= kind if there < 0.0 < here else 0
    return leaving & entering != 0


@kernel
def remember_multipliers(c):
    """Keep those of the place that a step started from as those of the place before."""
    for k in range(2 * c[STATES] + 1):
        doubles(c[BEFORE_MULTIPLIERS])[k] = doubles(c[HERE_MULTIPLIERS])[k]


@kernel
def keep_multipliers(c):
    """Keep the multipliers as those of the place that the next step starts from."""
    for k in range(2 * c[STATES] + 1):
        doubles(c[HERE_MULTIPLIERS])[k] = doubles(c[MULTIPLIERS])[k]


@kernel
def _remesh(c, wanted, exact):
    """Put the place on a mesh of `wanted` intervals, and correct it there if it is to be `exact`.

    Returns the old interval at which it starts, -1 where the correction fails.
    """
    n, count, m = c[STATES], c[INTERVALS], doubles(c[MARCH])
    most = int(m[MOST_INTERVALS])
    edges, kept = doubles(c[MESH] + 8 * (most * (n + 3) + n)), doubles(c[MESH] + 8 * (most * (n + 4) + n + 1))
    weigh(c)
    slopes_of(c, doubles(c[HERE]), doubles(c[FLOW]))
    start = _start(c)
    equidistribute(c, start, wanted, edges)
    for k in range(count + 1):
        kept[k] = doubles(c[EDGES])[k]
    size, new = count * POINTS * n, wanted * POINTS * n
    tangent, given, unknowns = doubles(c[TANGENT]), doubles(c[HERE_TANGENT]), doubles(c[UNKNOWNS])
    find_weights(c, start, wanted, edges)
    interpolate(c, doubles(c[HERE]), wanted, doubles(c[NODES]))
    add_turns(c, wanted, doubles(c[NODES]))
    interpolate(c, given, wanted, tangent)
    tangent[new], tangent[new + 1] = given[size], given[size + 1]
    set_mesh(c, wanted, edges)
    weigh(c)
    slopes_of(c, doubles(c[NODES]), doubles(c[THERE_FLOW]))
    conditions(c, doubles(c[THERE_FLOW]), tangent)
    unknowns[0], unknowns[1] = m[HERE_PERIOD], m[HERE_PARAMETER]
    done = correct(c) if exact else 0
    set_mesh(c, count, kept)
    if done < 0:
        return -1
    m[NEWTONS] += done
    if exact:
        tell_multipliers(c)
        sure = _outside(doubles(c[HERE_MULTIPLIERS]), n) >= 0
        if sure and passed(c, tangent[new + 1], given[size + 1]):
            return -1  # where the branch is not smooth that may be: a step is to find it, it is not lost between meshes
        keep_multipliers(c)
        find_extremes(c)
    if m[HAS_BEFORE] != 0.0:
        if exact:  # the correction has used their space
            find_weights(c, start, wanted, edges)
        _turned_to(c, BEFORE, wanted, False)
        _turned_to(c, BEFORE_TANGENT, wanted, True)
    set_mesh(c, wanted, edges)
    arrive(c)
    return start


@kernel
def arrive(c):
    """Start from the place that was corrected."""
    m, size = doubles(c[MARCH]), c[INTERVALS] * POINTS * c[STATES]
    here, t, nodes, tangent = doubles(c[HERE]), doubles(c[HERE_TANGENT]), doubles(c[NODES]), doubles(c[TANGENT])
    for k in range(size):
        here[k] = nodes[k]
    for k in range(size + 2):
        t[k] = tangent[k]
    m[HERE_PERIOD], m[HERE_PARAMETER] = doubles(c[UNKNOWNS])[0], doubles(c[UNKNOWNS])[1]


@kernel
def _intervals_wanted(c, finer):
    """Return how many intervals the place is to have, 0 where its mesh suits it."""
    count, renewed = c[INTERVALS], doubles(c[MARCH])[MESHING] == RENEWED
    steepness(c)
    worst, total = 0.0, 0.0
    for i in range(count):
        worst, total = max(worst, error_in(c, i)), total + error_in(c, i)
    doubles(c[MARCH])[WORST] = worst
    wanted = intervals_for(c)
    if c[STATES] > 2:
        wanted = min(int(finer * wanted), MOST)
    fits = 0.5 * count <= wanted <= count
    if fits and not renewed:
        uneven = UNEVEN if doubles(c[MARCH])[ROUGH] == 0.0 else UNEVEN_ROUGH
        return 0 if worst <= uneven * total / count + LEAST_ERROR else count
    return int(SPARED * wanted)


@kernel
def _frame(c):
    """Prepare the steps from the place reached."""
    m = doubles(c[MARCH])
    weigh(c)
    here, flow, t = doubles(c[HERE]), doubles(c[FLOW]), doubles(c[HERE_TANGENT])
    slopes_of(c, here, flow)
    measure(c, t, flow)
    conditions(c, flow, t)
    m[HERE_SIZE] = math.sqrt(swing(c, here, here))
    least, most = math.inf, 0.0
    for i in range(c[INTERVALS]):
        least, most = min(least, doubles(c[WIDTHS])[i]), max(most, doubles(c[WIDTHS])[i])
    m[JUMPS] = 1.0 if most > JUMP * least else 0.0


@kernel
def tighten(c):
    """Correct the place that a step starts from on its mesh.

    A place that was only interpolated is as good as its mesh was, and the step corrects it; but where orbits have
    kinks, and errors are not what they are estimated to be, the steps would then fail however short they are: from then
    on all places are corrected.
    """
    m, size = doubles(c[MARCH]), c[INTERVALS] * POINTS * c[STATES]
    start, m[LOOSE] = m[LOOSE] - 1.0, 0.0
    for k in range(size):
        doubles(c[NODES])[k] = doubles(c[HERE])[k]
    doubles(c[UNKNOWNS])[0], doubles(c[UNKNOWNS])[1] = m[HERE_PERIOD], m[HERE_PARAMETER]
    done = correct(c)
    if done < 0 or doubles(c[INFO])[INFO_FIRST] > KINK:
        m[ROUGH] = 1.0
    if done < 0:
        return
    m[NEWTONS] += done
    tell_multipliers(c)
    keep_multipliers(c)
    find_extremes(c)
    arrive(c)
    _frame(c)
    here, t = doubles(c[HERE]), doubles(c[HERE_TANGENT])
    record_place(c, REMESHED, here, t, m[HERE_PERIOD], m[HERE_PARAMETER])[TURNED] = start


@kernel
def settle(c):
    """Give the place reached a mesh that suits it, and prepare the steps from it; return 0 or NO_ROOM."""
    m, size = doubles(c[MARCH]), c[INTERVALS] * POINTS * c[STATES]
    start, exact = -1, False
    if m[MESHING] != KEPT:
        for k in range(size):
            doubles(c[NODES])[k] = doubles(c[HERE])[k]
        finer = _finer(c, m[FINER])
        wanted = _intervals_wanted(c, finer)
        if wanted > m[MOST_INTERVALS]:
            m[WANTED] = wanted
            return NO_ROOM
        exact = m[MESHING] == RENEWED or m[ROUGH] != 0.0 or m[WORST] > POOR_MESH * ACCURACY
        m[FINER], m[MESHING] = finer, KEPT
        start = _remesh(c, wanted, exact) if wanted > 0 else -1
    _frame(c)
    if start >= 0:
        kind, here, t = REMESHED if exact else MOVED, doubles(c[HERE]), doubles(c[HERE_TANGENT])
        m[LOOSE] = 0.0 if exact else start + 1.0
        record_place(c, kind, here, t, m[HERE_PERIOD], m[HERE_PARAMETER])[TURNED] = start
    return 0

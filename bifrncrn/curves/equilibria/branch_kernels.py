"""Simple branch points of an equilibrium curve, compiled: where they are, and the directions of what meets there.

Newton's method for y, w and an unfolding alpha (zero at a branch point) on F(y) + alpha w = 0, F_y' w = 0, w'w = 1,
which is regular at a simple branch point (Kuznetsov, 10.2.1; Mei, Numerical Bifurcation Analysis, 5.3).

Every kernel gets the address of a context (`bifrncrn.curves.equilibria.work`); all arguments are addresses, of doubles
where nothing else is said. A point y is (x, p).
"""

import math

from bifrncrn.compile.pointers import call_model3, doubles, integers, kernel
from bifrncrn.continuation.dense import EPS, eliminate, left_null, null_of_column, null_of_row, orthonormalise
from bifrncrn.curves.equilibria.branch_point import DOUBLE
from bifrncrn.curves.equilibria.evaluation_kernels import entry_of, evaluate, scratch_of, solve_in_place, write_jet
from bifrncrn.curves.equilibria.newton import POSITION, WITHIN
from bifrncrn.curves.equilibria.work import PIVOTS, ROUNDING, STATES, VALUES, WORK

ITERATIONS = 15
"""Newton iterations for a branch point."""
AWAY = 1e3
"""A step of more units of length than this leads away from what is looked for."""
CREEPS = 1e-7
"""A step below this that is not half of the one before is the best that rounding allows."""
SOLVED = 1e-8
"""The equations of a branch point hold where they are below this, in units of their size; its position is better."""
BESIDE = 0.1
"""Where, in units of length, equations are measured that vanish at a branch point to first order."""
SPREADS = (1e-3, 1.0, 1e-8)
"""How much smaller than the largest the smallest equation is allowed to count, tried in turn."""
NOTHING = 1e-13
"""A state smaller than this, in units of its length, is zero but for rounding."""
FLAT = 1e-9
"""A parameter component of a unit direction below this has no sign of its own."""


@kernel
def _curvature(c, y, i, j, weight):
    """Return the second derivative of w'F by unknowns i and j; `weight` is w."""
    n = c[STATES]
    at_step, at_jet = scratch_of(c, 14), scratch_of(c, 15)
    step, jet = doubles(at_step), doubles(at_jet)
    total = 0.0
    sign = 1.0
    for _both in range(1 if i == j else 2):
        for k in range(n + 1):
            step[k] = 0.0
        step[j] = sign
        step[i] = 1.0
        write_jet(c, y, at_step, step[n], at_jet)
        for k in range(n):
            total += sign * weight[k] * jet[n + k]
        sign = -1.0
    return total if i == j else 0.25 * total


@kernel
def _form(c, y, weight, u, v):
    """Return w'B(u, v) for two directions in states and parameter, by polarisation of two jets; `weight` is w."""
    n = c[STATES]
    at_step, at_jet = scratch_of(c, 14), scratch_of(c, 15)
    step, jet = doubles(at_step), doubles(at_jet)
    a = 0.0
    b = 0.0
    for i in range(n + 1):
        a += u[i] * u[i]
        b += v[i] * v[i]
    if a == 0.0 or b == 0.0:
        return 0.0
    a = math.sqrt(a)
    b = math.sqrt(b)
    total = 0.0
    sign = 1.0
    for _both in range(2):
        for i in range(n + 1):
            step[i] = u[i] / a + sign * (v[i] / b)
        write_jet(c, y, at_step, step[n], at_jet)
        for i in range(n):
            total += sign * weight[i] * jet[n + i]
        sign = -1.0
    return 0.25 * a * b * total


@kernel
def _branch_system(c, y, unit, size, w, alpha, rest):
    """Write the matrix of the extended system to scratch and the negative of its value to `rest`."""
    n = c[STATES]
    m = 2 * n + 2
    f, matrix, weight = doubles(c[WORK]), doubles(scratch_of(c, 0)), doubles(scratch_of(c, 3))
    for i in range(m * m):
        matrix[i] = 0.0
    square = 0.0
    for i in range(n):
        weight[i] = w[i] / size[i]
        rest[i] = -f[i] / size[i] - alpha * w[i]
        for j in range(n + 1):
            entry = entry_of(c, i, j) * unit[j] / size[i]
            matrix[i * m + j] = entry
            matrix[(n + j) * m + n + 2 + i] = entry
        matrix[i * m + n + 1] = w[i]
        matrix[i * m + n + 2 + i] += alpha
        matrix[(m - 1) * m + n + 2 + i] = 2.0 * w[i]
        square += w[i] * w[i]
    for j in range(n + 1):
        rest[n + j] = 0.0
        for i in range(n):
            rest[n + j] -= matrix[(n + j) * m + n + 2 + i] * w[i]
        for i in range(j + 1):
            entry = _curvature(c, y, i, j, weight) * unit[i] * unit[j]
            matrix[(n + j) * m + i] = entry
            matrix[(n + i) * m + j] = entry
    rest[m - 1] = 1.0 - square


@kernel
def _converge(context, y, left, arrays, out):
    """Find the branch point near y by Newton's method from a left null vector.

    Parameters
    ----------
    context, y
        The point is overwritten.
    left
        A left null vector of the scaled derivative, overwritten.
    arrays
        Units of the unknowns (n + 1) and of the equations (n), lower and upper bounds of y (n + 1 each), in a row.
    out
        Receives the residual.

    Returns
    -------
    int
        0 where it converged.
    """
    c, at, w = integers(context), doubles(y), doubles(left)
    n = c[STATES]
    m = 2 * n + 2
    unit, size = doubles(arrays), doubles(arrays + 8 * (n + 1))
    low, high = doubles(arrays + 8 * (2 * n + 1)), doubles(arrays + 8 * (3 * n + 2))
    matrix, step, spare = doubles(scratch_of(c, 0)), doubles(scratch_of(c, 1)), doubles(scratch_of(c, 2))
    f = doubles(c[WORK])
    alpha = 0.0
    previous = math.inf
    done = False
    for _iteration in range(ITERATIONS):
        if evaluate(c, y) != 0:
            return 1
        _branch_system(c, y, unit, size, w, alpha, step)
        if not solve_in_place(matrix, m, c, step, spare):
            return 2
        change = 0.0
        for i in range(m):
            if not abs(step[i]) < AWAY:
                return 3
            change = max(change, abs(step[i]))
        for j in range(n + 1):
            at[j] = min(max(at[j] + step[j] * unit[j], low[j]), high[j])
        alpha += step[n + 1]
        for i in range(n):
            w[i] += step[n + 2 + i]
        done = change < POSITION or (change < CREEPS and change > 0.5 * previous)
        if done:
            break
        previous = change
    if not done or evaluate(c, y) != 0:
        return 4
    worst = 0.0
    for i in range(n):
        worst = max(worst, abs(f[i] / size[i]))
    for j in range(n + 1):
        total = 0.0
        for i in range(n):
            total += entry_of(c, i, j) * unit[j] / size[i] * w[i]
        worst = max(worst, abs(total))
    doubles(out)[0] = worst
    return 0 if worst < SOLVED and abs(alpha) < SOLVED else 5


@kernel
def _beside(c, y, unit, walls, out):
    """Write a point beside y, on the side of it that is within the walls, to `out`."""
    n = c[STATES]
    low, high = doubles(walls), doubles(walls + 8 * n)
    for j in range(n + 1):
        ahead = y[j] + BESIDE * unit[j]
        back = y[j] - BESIDE * unit[j]
        if j < n:
            ahead = min(max(ahead, low[j]), high[j])
            back = min(max(back, low[j]), high[j])
        out[j] = ahead if ahead != y[j] else back


@kernel
def _left_vector(c, y, unit, size, other, w):
    """Write to w a left null vector of the scaled derivative at y, as if it were singular; return whether it is finite.

    Where two branch points are close, the null vector of the `other` one may be nearer at hand.
    """
    n = c[STATES]
    m = n + 1
    matrix, order, spare = doubles(scratch_of(c, 0)), integers(c[PIVOTS]), doubles(scratch_of(c, 10))
    total = 0.0
    evaluate(c, y)
    for i in range(n):
        for j in range(m):
            matrix[i * m + j] = entry_of(c, i, j) * unit[j] / size[i]
            total += matrix[i * m + j] * 0.0
    if total != 0.0:
        return False
    rank = eliminate(matrix, n, m, n - 1, order)
    left_null(matrix, n, m, rank, order, w)
    if other:
        null_of_row(matrix, n, m, min(rank, n - 2), n - 2, order, spare)
        orthonormalise(spare, w, n)
        for i in range(n):
            w[i] = spare[i]
    return True


@kernel
def _with_zeros(c, y, unit):
    """Make zero what is zero but for rounding: states, where their equations hold then, whatever the others are."""
    n = c[STATES]
    at_exact = scratch_of(c, 8)
    at, exact, zero, f = doubles(y), doubles(at_exact), doubles(scratch_of(c, 5)), doubles(c[WORK])
    if abs(at[n]) < NOTHING * EPS * unit[n]:  # far below its last digit: what Newton's method has left of zero
        at[n] = 0.0
    for i in range(n):
        zero[i] = 1.0 if abs(at[i]) < NOTHING * unit[i] else 0.0
    changed = True
    while changed:
        some = False
        for i in range(n):
            exact[i] = 0.0 if zero[i] == 1.0 else at[i]
            some |= zero[i] == 1.0
        if not some:
            return
        exact[n] = at[n]
        evaluate(c, at_exact)
        changed = False
        for i in range(n):
            stays = f[i] == 0.0
            for j in range(n + 1):
                stays &= j == i or entry_of(c, i, j) == 0.0
            if zero[i] == 1.0 and not stays:
                zero[i] = 0.0
                changed = True
    for i in range(n):
        at[i] = exact[i]


@kernel
def refine(context, y, left, arrays, out):
    """Find the branch point near y.

    Parameters
    ----------
    context, y
        The point is overwritten. States that are zero there but for rounding, and may stay zero, are made zero.
    left
        Receives the left null vector of the derivative.
    arrays
        Units of the unknowns (n + 1), room for those of the equations (n), lower and upper bounds of y (n + 1 each)
        and of the states (n each), in a row. Nothing is evaluated beyond the latter.
    out
        Receives the largest residual, relative to the equations' size.

    Returns
    -------
    int
        0 where one was found.
    """
    c, at, w, unit = integers(context), doubles(y), doubles(left), doubles(arrays)
    n = c[STATES]
    m = n + 1
    at_beside = scratch_of(c, 8)
    size, guess, known = doubles(arrays + 8 * m), doubles(scratch_of(c, 5)), doubles(scratch_of(c, 9))
    rows, beside = doubles(scratch_of(c, 6)), doubles(scratch_of(c, 7))
    for j in range(m):
        guess[j] = at[j]
        known[j] = unit[j] if at[j] != 0.0 or j == n else 0.0  # beside it what is zero is still zero: it has no unit
    # an equation may vanish to first order at a branch point (that of an extinct species does), so its size there
    # alone is no measure: first that beside it counts, then a part of the largest equation's
    _beside(c, at, known, arrays + 8 * (3 * m + n), doubles(at_beside))
    measured = evaluate(c, at_beside) == 0
    _row_sizes(c, unit, beside)
    if evaluate(c, y) != 0:
        return 1
    largest = _row_sizes(c, unit, rows)
    for i in range(n):
        measured &= rows[i] + beside[i] > 0.0
    status = 1
    for other in range(min(n, 2)):
        for attempt in range(0 if measured else 1, 1 + len(SPREADS)):
            for i in range(n):
                least = beside[i]
                if attempt > 0:
                    least = SPREADS[attempt - 1] * largest
                    if least == 0.0:
                        least = 1.0
                size[i] = max(rows[i], least)
            for j in range(m):
                at[j] = guess[j]
            if not _left_vector(c, y, unit, size, other == 1, w):
                return 1  # on the way to infinity
            status = _converge(context, y, left, arrays, out)
            if status == 0:
                _with_zeros(c, y, unit)
                for i in range(n):
                    w[i] /= size[i]
                return 0
    return status


@kernel
def holds_along(context, y, left, unit):
    """Return 1 where the combination `left` of F is zero at y; see `EquilibriumProblem.is_solved`.

    An equation that vanishes to first order at the branch point is measured beside it.
    """
    c, at, w, units = integers(context), doubles(y), doubles(left), doubles(unit)
    n = c[STATES]
    at_terms, at_beside = scratch_of(c, 13), scratch_of(c, 8)
    terms, f, beside = doubles(at_terms), doubles(c[WORK]), doubles(at_beside)
    sizes, here = doubles(scratch_of(c, 6)), doubles(scratch_of(c, 7))
    for j in range(n + 1):
        beside[j] = at[j] + (BESIDE * units[j] if at[j] != 0.0 or j == n else 0.0)
    measured = evaluate(c, at_beside) == 0
    _row_sizes(c, units, sizes)
    if evaluate(c, y) != 0:
        return 0
    _row_sizes(c, units, here)
    call_model3(c[ROUNDING], y, c[VALUES], at_terms)
    value = 0.0
    bound = 0.0
    for i in range(n):
        change = max(here[i], sizes[i]) if measured and math.isfinite(sizes[i]) else here[i]
        value += w[i] * f[i]
        bound += abs(w[i]) * (WITHIN * EPS * terms[i] + POSITION * POSITION * change)
    return 1 if abs(value) <= bound else 0


@kernel
def _row_sizes(c, unit, sizes):
    """Write by how much each equation changes within units of length, as last evaluated; return the largest."""
    largest = 0.0
    for i in range(c[STATES]):
        sizes[i] = 0.0
        for j in range(c[STATES] + 1):
            sizes[i] += abs(entry_of(c, i, j)) * unit[j]
        largest = max(largest, sizes[i])
    return largest


@kernel
def _largest_entries(c, unit, sizes):
    """Write the largest entry of each row of the derivative, in units of length, as last evaluated."""
    for i in range(c[STATES]):
        sizes[i] = 0.0
        for j in range(c[STATES] + 1):
            sizes[i] = max(sizes[i], abs(entry_of(c, i, j)) * unit[j])


@kernel
def _null_plane(c, unit, w, beside, first, second):
    """Write orthonormal null vectors of the scaled derivative, as last evaluated, but for one equation.

    The equation that w depends on most is left out, and each of the others counts by its own size, so that fast ones do
    not drown slow ones. One may vanish here to first order; `beside` has what it is beside.
    """
    n = c[STATES]
    m = n + 1
    matrix, order, sizes = doubles(scratch_of(c, 0)), integers(c[PIVOTS]), doubles(scratch_of(c, 7))
    _largest_entries(c, unit, sizes)
    out = 0
    for i in range(1, n):
        if abs(w[i]) * max(beside[i], sizes[i]) > abs(w[out]) * max(beside[out], sizes[out]):
            out = i
    row = 0
    for i in range(n):
        if i != out:
            for j in range(m):
                matrix[row * m + j] = entry_of(c, i, j) * unit[j] / max(sizes[i], 1e-300)
            row += 1
    rank = eliminate(matrix, n - 1, m, n - 1, order)
    null_of_column(matrix, n - 1, m, rank, n - 1, order, first)
    null_of_column(matrix, n - 1, m, rank, n, order, second)
    total = 0.0
    for j in range(m):
        total += first[j] * first[j]
    for j in range(m):
        first[j] /= math.sqrt(total)
    orthonormalise(second, first, m)


@kernel
def directions(context, y, left, arrays, out):
    """Write the unit tangents, in scaled unknowns, of the two branches through a simple branch point.

    They solve the algebraic branching equation w'B(v, v) = 0 in the null space of F_y (Kuznetsov, 10.2.1), and point
    the way the parameter grows; where it stays, the way of the state that changes most.

    Parameters
    ----------
    context, y
    left
        The left null vector.
    arrays
        As for `refine`; of it the units of the unknowns and the bounds of the states are read.
    out
        Receives the directions, n + 1 each.

    Returns
    -------
    int
        Their number: 2, or 0 where the equation has no two real solutions.
    """
    c, at, w, unit, found = integers(context), doubles(y), doubles(left), doubles(arrays), doubles(out)
    n = c[STATES]
    m = n + 1
    at_beside = scratch_of(c, 8)
    beside, first, second = doubles(scratch_of(c, 6)), doubles(scratch_of(c, 9)), doubles(scratch_of(c, 10))
    u, v = doubles(scratch_of(c, 11)), doubles(scratch_of(c, 12))
    _beside(c, at, unit, arrays + 8 * (3 * m + n), doubles(at_beside))
    measured = evaluate(c, at_beside) == 0
    _largest_entries(c, unit, beside)
    for i in range(n):
        beside[i] = beside[i] if measured else 0.0
    if evaluate(c, y) != 0:
        return 0
    _null_plane(c, unit, w, beside, first, second)
    for j in range(m):
        u[j] = first[j] * unit[j]
        v[j] = second[j] * unit[j]
    a, b, d = _form(c, y, w, u, u), _form(c, y, w, u, v), _form(c, y, w, v, v)
    gap = b * b - a * d
    big = max(abs(a), abs(b), abs(d))
    if not gap > DOUBLE * big * big:
        return 0
    t = -(b + math.sqrt(gap)) if b >= 0.0 else -(b - math.sqrt(gap))  # both roots without cancellation
    for k in range(2):
        for j in range(m):
            found[k * m + j] = t * first[j] + a * second[j] if k == 0 else d * first[j] + t * second[j]
        _point_ahead(doubles(out + 8 * k * m), m)
    return 2


@kernel
def _point_ahead(v, size):
    """Bring a direction to length one, and let it point the way its last component grows, or what changes most."""
    total = 0.0
    leading = 0
    for j in range(size):
        total += v[j] * v[j]
        if abs(v[j]) > abs(v[leading]):
            leading = j
    length = math.sqrt(total)
    if abs(v[size - 1]) > FLAT * length:
        leading = size - 1
    if v[leading] < 0.0:
        length = -length
    for j in range(size):
        v[j] /= length

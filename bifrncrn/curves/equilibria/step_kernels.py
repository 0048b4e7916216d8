"""The compiled face of an equilibrium curve f(x, p) = 0: a bordered Newton step, a solve, the spectrum.

A curve is known to the march by the addresses of these three and of a context, here that of
`bifrncrn.curves.equilibria.work`. All arguments are addresses.
"""

from bifrncrn.compile.pointers import call_model3, call_model6, doubles, integers, kernel
from bifrncrn.continuation.dense import lu_factor_in_units, lu_solve
from bifrncrn.continuation.eigenvalues import eigenvalues
from bifrncrn.continuation.layout import FACES, INFO_GROWS, INFO_SHRINKS
from bifrncrn.curves.equilibria.work import DIRECTION, LINEARIZE, PARAMETER, PIVOTS, STATES, TESTS, VALUES, WORK


@kernel
def _set_apart(n, f, fp, jac, a, info):
    """Take the states that stay zero out of the bordered matrix `a`; write to info which, by the sign of their growth.

    The equation of an extinct species, or of what a symmetry keeps at zero, has one entry only, its rate of growth.
    Its step is exactly zero then, and no rounding of the other equations comes into it. Each growth rate is a factor
    of the determinant.
    """
    m = n + 1
    grows = 0
    shrinks = 0
    for i in range(n):
        if f[i] != 0.0 or fp[i] != 0.0 or jac[i * n + i] == 0.0:
            continue
        alone = True
        for j in range(n):
            alone &= j == i or jac[i * n + j] == 0.0
        if not alone:
            continue
        for j in range(m):
            if j != i:
                a[j * m + i] = 0.0
        if i < FACES and jac[i * n + i] > 0.0:
            grows |= 1 << i
        elif i < FACES:
            shrinks |= 1 << i
    info[INFO_GROWS] = grows
    info[INFO_SHRINKS] = shrinks


@kernel
def newton_step(context, y, row, step, info):
    """Write to `step` the solution of [F_y; row] step = [-F(y); 0], to info[0] the sign of the determinant.

    On entry `step` holds the units of the unknowns, all positive. The states that stay zero
    (`_set_apart`) go to info as well.

    Returns 0, 1 where the model is not finite, 2 where the matrix is singular.
    """
    c = integers(context)
    n = c[STATES]
    m = n + 1
    work = c[WORK]
    at = doubles(y)
    border = doubles(row)
    out = doubles(step)
    doubles(c[VALUES])[c[PARAMETER]] = at[n]
    f = doubles(work)
    fp = doubles(work + 8 * n)
    jacobian = work + 8 * (2 * n + m)
    jac = doubles(jacobian)
    a = doubles(jacobian + 8 * n * n)
    call_model6(c[LINEARIZE], y, c[VALUES], c[DIRECTION], work, jacobian, work + 8 * n)
    total = 0.0
    for i in range(n):
        total += f[i] * 0.0 + fp[i] * 0.0
        for j in range(n):
            a[i * m + j] = jac[i * n + j]
            total += jac[i * n + j] * 0.0
        a[i * m + n] = fp[i]
    if total != 0.0:
        return 1
    for j in range(m):
        a[n * m + j] = border[j]
    _set_apart(n, f, fp, jac, a, doubles(info))
    sign = lu_factor_in_units(a, m, integers(c[PIVOTS]), doubles(work + 16 * n), out)
    doubles(info)[0] = sign
    if sign == 0.0:
        return 2
    for i in range(n):
        out[i] = -f[i]
    out[n] = 0.0
    lu_solve(a, m, integers(c[PIVOTS]), out)
    return 0


@kernel
def solve_again(context, rhs):
    """Solve with the bordered matrix of the last `newton_step`, in place in `rhs`."""
    c = integers(context)
    n = c[STATES]
    m = n + 1
    lu_solve(doubles(c[WORK] + 8 * (2 * n + m + n * n)), m, integers(c[PIVOTS]), doubles(rhs))
    return 0


@kernel
def spectrum(context, wr, wi, unused):
    """Write the eigenvalues of the Jacobian of the last `newton_step`, by descending real part; 0 on success.

    (`unused` pads the call to four arguments, like that of the user tests.)
    """
    c = integers(context)
    n = c[STATES]
    m = n + 1
    jac = doubles(c[WORK] + 8 * (2 * n + m))
    copy = doubles(c[WORK] + 8 * (2 * n + m + n * n + m * m))
    for i in range(n * n):
        copy[i] = jac[i]
    return eigenvalues(copy, n, doubles(wr), doubles(wi))


@kernel
def user_tests(context, y, tangent, values):
    """Write the user tests at `y` to `values`; they do not depend on the tangent. Returns 0."""
    c = integers(context)
    doubles(c[VALUES])[c[PARAMETER]] = doubles(y)[c[STATES]]
    call_model3(c[TESTS], y, c[VALUES], values)
    return 0

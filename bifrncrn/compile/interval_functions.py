"""The interval operations: arithmetic, and every function of a formula, built of arithmetic alone.

`POINTS` holds enclosures of a function at one double, `INTERVALS` those over intervals. A name with `~` is the loose
reading of the same operation: it bounds the values wherever the operation is defined, and does not mind where it is
not; it may exclude zeros, but proves no smoothness.
"""

from __future__ import annotations

from bifrncrn.compile.codegen import literal
from bifrncrn.compile.interval_arithmetic import ARITHMETIC, power
from bifrncrn.compile.interval_circular import CIRCULAR, CIRCULAR_POINTS
from bifrncrn.compile.interval_code import ONE, UNKNOWN, ZERO, Builder, Code, Pair, constant
from bifrncrn.compile.interval_exponentials import EXPONENTIALS, EXPONENTIALS_POINTS, expmean, odd
from bifrncrn.compile.interval_numbers import PI

ERF_TERMS, BESSEL_TERMS, BESSEL_REACH, BESSEL_ORDER = 100, 80, 30.0, 50


def _erf_positive(c: Code, a: list[str]) -> Pair:
    """Enclose 2/sqrt(pi) x exp(-x^2) sum (2 x^2)^n / (1 3 ... (2n+1)), and 1 - exp(-x^2) <= erf <= 1 beyond 5."""
    x = (a[0], a[0])
    square = c.call("power2", x)
    double = c.call("add", square, square)
    term = total = (ONE, ONE)
    for n in range(1, ERF_TERMS + 1):
        term = c.call("div", c.call("mul", term, double), (literal(2.0 * n + 1.0),) * 2)
        total = c.call("add", total, term)
    total = c.call("add", total, (ZERO, term[1]))  # the ratio is below 50/203: the rest is less than the last term
    decay = c.call("exp", c.negative(square))
    factor = c.call("div", (literal(2.0),) * 2, c.call("sqrt", constant(PI)))
    value = c.call("mul", c.call("mul", factor, c.call("mul", x, decay)), total)
    far = c.call("sub", (ONE, ONE), decay)[0], ONE
    return c.within(c.choose(c.compare("ole", a[0], literal(5.0)), value, far), 0.0, 1.0)


def bessel(order: int) -> Builder:
    """Build J_order: its series at the middle, and |J'| <= 1 from there."""

    def build(c: Code, a: list[str]) -> Pair:
        middle = c.binary("fmul", c.binary("fadd", a[0], a[1]), literal(0.5))
        radius = c.greatest(c.up(c.binary("fsub", a[1], middle)), c.up(c.binary("fsub", middle, a[0])), ZERO)
        value = c.call("add", _bessel_at(c, middle, order), (c.negated(radius), radius))
        return c.choose(c.unordered(*a), UNKNOWN, c.within(value, -1.0, 1.0))

    return build


def _bessel_at(c: Code, x: str, order: int) -> Pair:
    """Sum (-1)^k (x/2)^(2k+n) / (k! (n+k)!)."""
    half = c.call("mul", (x, x), (literal(0.5),) * 2)
    square = c.call("power2", half)
    term: Pair = (ONE, ONE)
    for k in range(1, min(order, BESSEL_ORDER) + 1):
        term = c.call("div", c.call("mul", term, half), (literal(float(k)),) * 2)
    total = term
    for k in range(1, BESSEL_TERMS + 1):
        term = c.call("div", c.call("mul", term, square), (literal(float(-k * (k + order))),) * 2)
        total = c.call("add", total, term)
    # the next ratio is below 225/81^2: what is left is less than the last term
    rest = c.greatest(c.absolute(term[0]), c.absolute(term[1]))
    total = c.call("add", total, (c.negated(rest), rest))
    near = c.compare("ole", c.absolute(x), literal(BESSEL_REACH))
    return c.choose(near, total, (literal(-1.0), ONE)) if order <= BESSEL_ORDER else (literal(-1.0), ONE)


def _root_at(c: Code, a: list[str]) -> Pair:
    """Enclose the positive root s of t s^2 - z s - g = 0 for one z and intervals g, t > 0."""
    z, gamma, tau = (a[0], a[0]), (a[2], a[3]), (a[4], a[5])
    q = _root_discriminant(c, z, gamma, tau)
    above = c.call("div", c.call("add", z, q), c.call("add", tau, tau))
    below = c.call("div", c.call("add", gamma, gamma), c.call("sub", q, z))
    return c.choose(c.compare("oge", a[0], ZERO), above, below)


def _root_discriminant(c: Code, z: Pair, gamma: Pair, tau: Pair) -> Pair:
    product = c.call("mul", (literal(4.0),) * 2, c.call("mul", gamma, tau))
    return c.call("sqrt", c.call("add", c.call("power2", z), product))


def _root(c: Code, a: list[str]) -> Pair:
    """Enclose the quasi-static perceptron, which increases with its input z."""
    low, high = (_root_at(c, [a[i], a[i], *a[2:]]) for i in (0, 1))
    positive = c.both(c.compare("ogt", a[2], ZERO), c.compare("ogt", a[4], ZERO))
    return c.choose(c.both(positive, c.compare("ord", a[0], a[1])), (low[0], high[1]), UNKNOWN)


def _root_slope(c: Code, a: list[str]) -> Pair:
    """Enclose the perceptron's derivative s / sqrt(z^2 + 4 g t), which increases with z as well."""
    ends = []
    for z in a[:2]:
        value = _root_at(c, [z, z, *a[2:]])
        ends.append(c.call("div", value, _root_discriminant(c, (z, z), (a[2], a[3]), (a[4], a[5]))))
    positive = c.both(c.compare("ogt", a[2], ZERO), c.compare("ogt", a[4], ZERO))
    return c.choose(c.both(positive, c.compare("ord", a[0], a[1])), (ends[0][0], ends[1][1]), UNKNOWN)


def _increasing(name: str) -> Builder:
    def build(c: Code, a: list[str]) -> Pair:
        return c.at(name, a[0])[0], c.at(name, a[1])[1]

    return build


POINTS: dict[str, Builder] = {
    **EXPONENTIALS_POINTS,
    **CIRCULAR_POINTS,
    "erf": odd(_erf_positive),
}

_MONOTONE = ("exp", "expm1", "acosh", "cbrt", "sinh", "tanh", "asinh", "atanh", "atan", "asin", "erf")

INTERVALS: dict[str, tuple[int, Builder]] = {
    **ARITHMETIC,
    **EXPONENTIALS,
    **CIRCULAR,
    "rncrn_s": (3, _root),
    "rncrn_s'": (3, _root_slope),
    **{name: (1, _increasing(name)) for name in _MONOTONE},
}
"""The number of arguments of each function of intervals, and what writes it."""


def interval_function(name: str) -> tuple[int, Builder]:
    """Return the number of arguments of a function of intervals and what writes it; KeyError where there is none."""
    for prefix, make in (("power", power), ("bessel", bessel), ("expmean", expmean)):
        if name.startswith(prefix) and name not in INTERVALS:
            return 1, make(int(name.removeprefix(prefix)))
    return INTERVALS[name]

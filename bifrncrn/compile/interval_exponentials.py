"""Intervals: exponentials, logarithms, powers, hyperbolic functions; see `bifrncrn.compile.interval_functions`."""

from __future__ import annotations

import math
from fractions import Fraction

from bifrncrn.compile.codegen import literal
from bifrncrn.compile.interval_arithmetic import EMPTY
from bifrncrn.compile.interval_code import INF, ONE, UNKNOWN, ZERO, Builder, Code, Pair, constant, enclosing
from bifrncrn.compile.interval_numbers import LOG2, pieces

SMALL_EXP = 0.36
"""Largest size of the reduced argument of exp: log(2)/2 and some room for rounding."""


def _exp_at(c: Code, a: list[str]) -> Pair:
    """Enclose exp(x) = 2^k exp(x - k log 2) by Taylor's polynomial of degree 14 and its remainder."""
    (head,), rest = pieces(LOG2, 32, 1)
    x = a[0]
    turns = c.external("llvm.rint.f64", c.binary("fmul", x, literal(1.0 / math.log(2.0))))
    exact = c.binary("fmul", turns, literal(head))  # k < 2^11 times 32 bits
    reduced = c.call("sub", (x, x), (exact, exact))
    reduced = c.call("sub", reduced, c.call("mul", (turns, turns), constant(rest)))
    value = c.series(reduced, [Fraction(1, math.factorial(j)) for j in range(15)])
    # |r|^15 / 15! exp(|r|) < 0.36^15 / 15! * 1.5
    remainder = enclosing(Fraction(SMALL_EXP) ** 15 / math.factorial(15) * Fraction(3, 2))[1]
    value = c.call("add", value, (literal(-remainder), literal(remainder)))
    for scale in _power_of_two(c, turns):
        value = c.call("mul", value, (scale, scale))
    small = c.both(c.compare("oge", reduced[0], literal(-SMALL_EXP)), c.compare("ole", reduced[1], literal(SMALL_EXP)))
    value = c.choose(small, c.within(value, 0.0, math.inf), UNKNOWN)
    # exp(709) < 8.3e307 and exp(-708) < 3.4e-308
    value = c.choose(c.compare("ogt", x, literal(709.0)), (literal(8.2e307), INF), value)
    return c.choose(c.compare("olt", x, literal(-708.0)), (ZERO, literal(3.4e-308)), value)


def _power_of_two(c: Code, k: str) -> list[str]:
    """Return two doubles whose product is 2^k, each a power of two, for whole k between -1100 and 1100."""
    whole = c.new(f"call i64 @llvm.fptosi.sat.i64.f64(double {k})")
    c.module.declare("declare i64 @llvm.fptosi.sat.i64.f64(double)")
    half = c.new(f"ashr i64 {whole}, 1")
    out = []
    for part in (half, c.new(f"sub i64 {whole}, {half}")):
        bits = c.new(f"shl i64 {c.new(f'add i64 {part}, 1023')}, 52")
        out.append(c.new(f"bitcast i64 {bits} to double"))
    return out


def _log_at(c: Code, a: list[str]) -> Pair:
    """Enclose log(x) = y + log(t), t = x exp(-y), about a guess y, by 1 - 1/t <= log(t) <= t - 1."""
    x = a[0]
    y = c.external("log", x)
    ratio = c.call("mul", (x, x), c.at("exp", c.negated(y)))
    inverse = c.call("div", (ONE, ONE), (ratio[0], ratio[0]))
    low = c.call("sub", (ONE, ONE), inverse)[0]
    high = c.call("sub", (ratio[1], ratio[1]), (ONE, ONE))[1]
    value = c.call("add", (y, y), (low, high))
    return c.choose(c.compare("ogt", x, ZERO), value, UNKNOWN)


def _log(c: Code, a: list[str]) -> Pair:
    return c.choose(c.compare("ogt", a[0], ZERO), (c.at("log", a[0])[0], c.at("log", a[1])[1]), UNKNOWN)


def _loose_log(c: Code, a: list[str]) -> Pair:
    usual = c.call("log", (a[0], a[1]))
    touches = c.both(c.compare("ole", a[0], ZERO), c.compare("ogt", a[1], ZERO))
    value = c.choose(touches, (literal(-math.inf), c.at("log", a[1])[1]), usual)
    return c.choose(c.compare("ole", a[1], ZERO), EMPTY, value)


def _pow(c: Code, a: list[str]) -> Pair:
    """Enclose a^b for a >= 0; monotone in each of the two, so it is largest and smallest at the corners."""
    values = []
    for base in a[:2]:
        logarithm = c.at("log", base)
        for exponent in a[2:]:
            value = c.call("exp", c.call("mul", (exponent, exponent), logarithm))
            zero = c.choose(c.compare("ogt", exponent, ZERO), (ZERO, ZERO), UNKNOWN)
            values.append(c.choose(c.compare("oeq", base, ZERO), zero, value))
    low, high = c.least(*(v[0] for v in values)), c.greatest(*(v[1] for v in values))
    return c.choose(c.compare("oge", a[0], ZERO), (low, high), UNKNOWN)


def _loose_pow(c: Code, a: list[str]) -> Pair:
    touches = c.both(c.compare("olt", a[0], ZERO), c.compare("oge", a[1], ZERO))
    value = c.call("pow", (c.select(touches, ZERO, a[0]), a[1]), (a[2], a[3]))
    # the exponent of a negative base may be a whole number: then it has values there
    whole = c.compare("ule", c.external("llvm.ceil.f64", a[2]), c.external("llvm.floor.f64", a[3]))
    negative = c.both(c.compare("olt", a[0], ZERO), c.compare("ord", a[1], a[1]))
    value = c.choose(c.both(negative, whole), UNKNOWN, value)
    fraction = c.compare("ogt", c.external("llvm.ceil.f64", a[2]), c.external("llvm.floor.f64", a[3]))
    return c.choose(c.both(c.compare("olt", a[1], ZERO), fraction), EMPTY, value)


def expmean(order: int) -> Builder:
    """Build the integral m_n(x) of t^n exp(t x) over t from 0 to 1, which increases with x."""

    def build(c: Code, a: list[str]) -> Pair:
        low, high = _expmean_at(c, a[0], order)[0], _expmean_at(c, a[1], order)[1]
        return c.choose(c.compare("ord", *a), c.within((low, high), 0.0, math.inf), UNKNOWN)

    return build


def _expmean_at(c: Code, x: str, order: int) -> Pair:
    """Sum x^k / (k! (k + n + 1)) near zero; else m_0 = (exp(x) - 1) / x, and x m_n = exp(x) - n m_(n-1)."""
    terms = 20
    series = c.series((x, x), [Fraction(1, math.factorial(k) * (k + order + 1)) for k in range(terms)])
    # for |x| <= 1 what is left is at most 1 / 20! + 1 / 21! + ... < 2 / 20!
    rest = enclosing(Fraction(2, math.factorial(terms)))[1]
    series = c.call("add", series, (literal(-rest), literal(rest)))
    whole = c.at("exp", x)
    value = c.call("div", c.call("sub", whole, (ONE, ONE)), (x, x))
    for n in range(1, order + 1):
        value = c.call("div", c.call("sub", whole, c.call("mul", (literal(float(n)),) * 2, value)), (x, x))
    return c.choose(c.compare("ole", c.absolute(x), ONE), series, value)


def _expm1_at(c: Code, a: list[str]) -> Pair:
    return c.call("sub", c.at("exp", a[0]), (ONE, ONE))


def _log1p(c: Code, a: list[str]) -> Pair:
    return c.call("log", c.call("add", (a[0], a[1]), (ONE, ONE)))


def _log_base(base: int) -> Builder:
    def build(c: Code, a: list[str]) -> Pair:
        return c.call("div", c.call("log", (a[0], a[1])), c.at("log", literal(float(base))))

    return build


def odd(positive: Builder) -> Builder:
    """Build an odd function from its values for positive numbers."""

    def build(c: Code, a: list[str]) -> Pair:
        value = positive(c, [c.absolute(a[0])])
        value = c.choose(c.compare("olt", a[0], ZERO), c.negative(value), value)
        return c.choose(c.compare("oeq", a[0], ZERO), (ZERO, ZERO), value)

    return build


def _cbrt_positive(c: Code, a: list[str]) -> Pair:
    third = c.call("div", c.at("log", a[0]), (literal(3.0),) * 2)
    return c.call("exp", third)


def _sinh_positive(c: Code, a: list[str]) -> Pair:
    value = c.at("exp", a[0])
    twice = c.call("sub", value, c.call("div", (ONE, ONE), value))
    return c.within(c.call("mul", twice, (literal(0.5),) * 2), 0.0, math.inf)


def _cosh_at(c: Code, a: list[str]) -> Pair:
    value = c.at("exp", c.absolute(a[0]))
    twice = c.call("add", value, c.call("div", (ONE, ONE), value))
    return c.call("mul", twice, (literal(0.5),) * 2)


def _cosh(c: Code, a: list[str]) -> Pair:
    low, high = c.size((a[0], a[1]))
    value = c.at("cosh", low)[0], c.at("cosh", high)[1]
    return c.choose(c.unordered(*a), UNKNOWN, c.within(value, 1.0, math.inf))


def _tanh_positive(c: Code, a: list[str]) -> Pair:
    """Enclose 1 - 2 / (exp(2 x) + 1)."""
    bottom = c.call("add", c.call("exp", c.call("mul", (a[0], a[0]), (literal(2.0),) * 2)), (ONE, ONE))
    return c.within(c.call("sub", (ONE, ONE), c.call("div", (literal(2.0),) * 2, bottom)), 0.0, 1.0)


def _asinh_positive(c: Code, a: list[str]) -> Pair:
    x = (a[0], a[0])
    root = c.call("sqrt", c.call("add", c.call("mul", x, x), (ONE, ONE)))
    return c.within(c.call("log", c.call("add", x, root)), 0.0, math.inf)


def _acosh_at(c: Code, a: list[str]) -> Pair:
    x = (a[0], a[0])
    inside = c.call("mul", c.call("sub", x, (ONE, ONE)), c.call("add", x, (ONE, ONE)))
    value = c.within(c.call("log", c.call("add", x, c.call("sqrt", inside))), 0.0, math.inf)
    return c.choose(c.compare("oeq", a[0], ONE), (ZERO, ZERO), value)


def _atanh_positive(c: Code, a: list[str]) -> Pair:
    x = (a[0], a[0])
    ratio = c.call("div", c.call("add", (ONE, ONE), x), c.call("sub", (ONE, ONE), x))
    value = c.within(c.call("mul", c.call("log", ratio), (literal(0.5),) * 2), 0.0, math.inf)
    return c.choose(c.compare("olt", a[0], ONE), value, UNKNOWN)


EXPONENTIALS_POINTS: dict[str, Builder] = {
    "exp": _exp_at,
    "log": _log_at,
    "expm1": _expm1_at,
    "cosh": _cosh_at,
    "acosh": _acosh_at,
    "cbrt": odd(_cbrt_positive),
    "sinh": odd(_sinh_positive),
    "tanh": odd(_tanh_positive),
    "asinh": odd(_asinh_positive),
    "atanh": odd(_atanh_positive),
}
"""Enclosures at one double."""

EXPONENTIALS: dict[str, tuple[int, Builder]] = {
    "log": (1, _log),
    "log~": (1, _loose_log),
    "pow": (2, _pow),
    "pow~": (2, _loose_pow),
    "log1p": (1, _log1p),
    "log2": (1, _log_base(2)),
    "log10": (1, _log_base(10)),
    "cosh": (1, _cosh),
}
"""The number of arguments of each function of intervals, and what writes it."""

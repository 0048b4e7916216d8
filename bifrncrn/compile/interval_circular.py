"""Intervals: circular functions and their inverses; see `bifrncrn.compile.interval_functions`."""

from __future__ import annotations

import math
from fractions import Fraction

from bifrncrn.compile.codegen import literal
from bifrncrn.compile.interval_code import ONE, UNKNOWN, ZERO, Builder, Code, Pair, constant, enclosing
from bifrncrn.compile.interval_exponentials import odd
from bifrncrn.compile.interval_numbers import PI, pieces

SMALL_TURN = 0.8
"""Largest size of the reduced argument of sin and cos: pi/4 and some room."""
TURNS = 5e5
"""Beyond this size sin and cos are only known to lie in [-1, 1]: the quotient by pi/2 has less than 20 bits below."""


def _turn(c: Code, x: str) -> tuple[Pair, Pair, str]:
    """Return enclosures of sin and cos of x - k pi/2, and k."""
    (first, second), rest = pieces(PI / 2, 33, 2)
    turns = c.external("llvm.rint.f64", c.binary("fmul", x, literal(2.0 / math.pi)))
    reduced = (x, x)
    for piece in (first, second):  # |k| < 2^20 times 33 bits is exact
        exact = c.binary("fmul", turns, literal(piece))
        reduced = c.call("sub", reduced, (exact, exact))
    reduced = c.call("sub", reduced, c.call("mul", (turns, turns), constant(rest)))
    square = c.call("power2", reduced)
    sine = c.series(square, [Fraction((-1) ** j, math.factorial(2 * j + 1)) for j in range(9)])
    sine = c.call("mul", reduced, sine)
    cosine = c.series(square, [Fraction((-1) ** j, math.factorial(2 * j)) for j in range(10)])
    # Taylor's remainders: below the first term that is left out
    for_sine = enclosing(Fraction(SMALL_TURN) ** 19 / math.factorial(19))[1]
    for_cosine = enclosing(Fraction(SMALL_TURN) ** 20 / math.factorial(20))[1]
    sine = c.call("add", sine, (literal(-for_sine), literal(for_sine)))
    cosine = c.call("add", cosine, (literal(-for_cosine), literal(for_cosine)))
    near = c.both(c.compare("oge", reduced[0], literal(-SMALL_TURN)), c.compare("ole", reduced[1], literal(SMALL_TURN)))
    anywhere = literal(-1.0), ONE
    return c.choose(near, sine, anywhere), c.choose(near, cosine, anywhere), turns


def _circular_at(quarter: int) -> Builder:
    """Build sin (0) or cos (1) at a point: which series and sign follows from k modulo 4."""

    def build(c: Code, a: list[str]) -> Pair:
        sine, cosine, turns = _turn(c, a[0])
        c.module.declare("declare i64 @llvm.fptosi.sat.i64.f64(double)")
        whole = c.new(f"call i64 @llvm.fptosi.sat.i64.f64(double {turns})")
        phase = c.new(f"and i64 {c.new(f'add i64 {whole}, {quarter}')}, 3")
        odd = c.new(f"trunc i64 {phase} to i1")
        value = c.choose(odd, cosine, sine)
        value = c.choose(c.new(f"icmp uge i64 {phase}, 2"), c.negative(value), value)
        value = c.within(value, -1.0, 1.0)
        value = c.choose(c.compare("ole", c.absolute(a[0]), literal(TURNS)), value, (literal(-1.0), ONE))
        return c.choose(c.compare("uno", a[0], a[0]), UNKNOWN, value)

    return build


def _meets(c: Code, a: list[str], period: Fraction, shift: Fraction) -> str:
    """Return whether some (j + shift) period, j whole, may lie in [a0, a1]; true where it cannot be told."""
    scaled = c.call("div", (a[0], a[1]), constant(period))
    scaled = c.call("sub", scaled, constant(shift))
    first, last = c.external("llvm.ceil.f64", scaled[0]), c.external("llvm.floor.f64", scaled[1])
    return c.compare("ule", first, last)


def _circular(name: str, shift: Fraction) -> Builder:
    """Build sin or cos, which is 1 at (j + shift) 2 pi and -1 half a turn later."""

    def build(c: Code, a: list[str]) -> Pair:
        left, right = c.at(name, a[0]), c.at(name, a[1])
        low, high = c.least(left[0], right[0]), c.greatest(left[1], right[1])
        top, bottom = (_meets(c, a, 2 * PI, s) for s in (shift, shift + Fraction(1, 2)))
        value = c.select(bottom, literal(-1.0), low), c.select(top, ONE, high)
        return c.choose(c.unordered(*a), UNKNOWN, value)

    return build


def _tan(c: Code, a: list[str]) -> Pair:
    ends = [c.call("div", c.at("sin", x), c.at("cos", x)) for x in a]
    pole = _meets(c, a, PI, Fraction(1, 2))
    return c.choose(c.either(pole, c.unordered(*a)), UNKNOWN, (ends[0][0], ends[1][1]))


def _atan_positive(c: Code, a: list[str]) -> Pair:
    """Enclose atan(x) = y + atan d, d = (x cos y - sin y) / (cos y + x sin y), about a guess y; |atan d| <= |d|.

    With y in [0, pi/2) and a positive denominator the difference of the two angles is less than a right one.
    """
    x = (a[0], a[0])
    y = c.external("atan", a[0])
    sine, cosine = c.at("sin", y), c.at("cos", y)
    bottom = c.call("add", cosine, c.call("mul", x, sine))
    miss = c.call("div", c.call("sub", c.call("mul", x, cosine), sine), bottom)
    largest = c.greatest(c.absolute(miss[0]), c.absolute(miss[1]))
    value = c.call("add", (y, y), (c.negated(largest), largest))
    fair = c.both(c.compare("oge", y, ZERO), c.compare("ole", y, literal(enclosing(PI / 2)[0])))
    value = c.choose(c.both(fair, c.compare("ogt", bottom[0], ZERO)), value, UNKNOWN)
    # for x >= 1e17 it is within 1e-17 of pi/2, whose lower neighbour is 6e-17 away
    return c.choose(c.compare("oge", a[0], literal(1e17)), constant(PI / 2), value)


def _asin_positive(c: Code, a: list[str]) -> Pair:
    x = (a[0], a[0])
    root = c.call("sqrt", c.call("mul", c.call("sub", (ONE, ONE), x), c.call("add", (ONE, ONE), x)))
    value = c.call("atan", c.call("div", x, root))
    return c.choose(c.compare("oeq", a[0], ONE), constant(PI / 2), value)


def _acos(c: Code, a: list[str]) -> Pair:
    return c.call("sub", constant(PI / 2), c.call("asin", (a[0], a[1])))


def _atan2(c: Code, a: list[str]) -> Pair:
    """Enclose the angle of (x, y) away from the cut y = 0, x <= 0."""
    y, x = (a[0], a[1]), (a[2], a[3])
    right = c.call("atan", c.call("div", y, x))
    turned = c.call("atan", c.call("div", x, y))
    upper = c.call("sub", constant(PI / 2), turned)
    lower = c.call("sub", c.negative(constant(PI / 2)), turned)
    value = c.choose(c.compare("olt", y[1], ZERO), lower, UNKNOWN)
    value = c.choose(c.compare("ogt", y[0], ZERO), upper, value)
    return c.choose(c.compare("ogt", x[0], ZERO), right, value)


CIRCULAR_POINTS: dict[str, Builder] = {
    "sin": _circular_at(0),
    "cos": _circular_at(1),
    "atan": odd(_atan_positive),
    "asin": odd(_asin_positive),
}
"""Enclosures at one double."""

CIRCULAR: dict[str, tuple[int, Builder]] = {
    "sin": (1, _circular("sin", Fraction(1, 4))),
    "cos": (1, _circular("cos", Fraction(0))),
    "tan": (1, _tan),
    "acos": (1, _acos),
    "atan2": (2, _atan2),
}
"""The number of arguments of each function of intervals, and what writes it."""

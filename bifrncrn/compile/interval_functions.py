"""The interval operations: arithmetic, and every function of a formula, built of arithmetic alone.

`POINTS` holds enclosures of a function at one double, `INTERVALS` those over intervals. A name with `~` is the loose
reading of the same operation: it bounds the values wherever the operation is defined, and does not mind where it is
not; it may exclude zeros, but proves no smoothness.
"""

from __future__ import annotations

import math
from fractions import Fraction

from bifrncrn.compile.codegen import literal
from bifrncrn.compile.interval_code import INF, NAN, ONE, UNKNOWN, ZERO, Builder, Code, Pair, constant, enclosing

PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706")
LOG2 = Fraction("0.69314718055994530941723212145817656807550013436025525412068000949339362196969471560586332699641868")
"""More than 90 digits: as long as no double is that close, the neighbouring doubles enclose the true number, too."""

SMALL_EXP = 0.36
"""Largest size of the reduced argument of exp: log(2)/2 and some room for rounding."""
SMALL_TURN = 0.8
"""Largest size of the reduced argument of sin and cos: pi/4 and some room."""
TURNS = 5e5
"""Beyond this size sin and cos are only known to lie in [-1, 1]: the quotient by pi/2 has less than 20 bits below."""
ERF_TERMS, BESSEL_TERMS, BESSEL_REACH, BESSEL_ORDER = 100, 80, 30.0, 50


def _pieces(number: Fraction, bits: int, count: int) -> tuple[list[float], Fraction]:
    """Return leading pieces of a number, of so few bits that small multiples of them are exact, and the rest."""
    parts = []
    for k in range(1, count + 1):
        unit = Fraction(1, 2 ** (bits * k))
        parts.append(float(number // unit * unit))
        number -= Fraction(parts[-1])
    return parts, number


# -- arithmetic ---------------------------------------------------------------------------------------------------


def _kept_sign(c: Code, low: str, high: str, positive: str, negative: str) -> Pair:
    """Take back the outward step where the operands' signs say that zero is a bound."""
    under, over = c.compare("olt", low, ZERO), c.compare("ogt", high, ZERO)
    return c.select(c.both(positive, under), ZERO, low), c.select(c.both(negative, over), ZERO, high)


def _add(c: Code, a: list[str]) -> Pair:
    low, high = c.down(c.binary("fadd", a[0], a[2])), c.up(c.binary("fadd", a[1], a[3]))
    positive = c.both(c.compare("oge", a[0], ZERO), c.compare("oge", a[2], ZERO))
    negative = c.both(c.compare("ole", a[1], ZERO), c.compare("ole", a[3], ZERO))
    return _kept_sign(c, low, high, positive, negative)


def _sub(c: Code, a: list[str]) -> Pair:
    return c.call("add", (a[0], a[1]), c.negative((a[2], a[3])))


def _signs(c: Code, a: list[str]) -> tuple[str, str]:
    """Return whether a product (or quotient) of [a0, a1] and [a2, a3] is known to be >= 0, and <= 0."""
    up, left = c.compare("oge", a[0], ZERO), c.compare("ole", a[1], ZERO)
    over, under = c.compare("oge", a[2], ZERO), c.compare("ole", a[3], ZERO)
    return c.either(c.both(up, over), c.both(left, under)), c.either(c.both(up, under), c.both(left, over))


def _corners(c: Code, op: str, a: list[str]) -> Pair:
    values = [c.binary(op, x, y) for x in a[:2] for y in a[2:]]
    low, high = c.down(c.least(*values)), c.up(c.greatest(*values))
    return _kept_sign(c, low, high, *_signs(c, a))


def _mul(c: Code, a: list[str]) -> Pair:
    return _corners(c, "fmul", a)


def _div(c: Code, a: list[str]) -> Pair:
    away = c.either(c.compare("ogt", a[2], ZERO), c.compare("olt", a[3], ZERO))
    return c.choose(away, _corners(c, "fdiv", a), UNKNOWN)


def _loose_div(c: Code, a: list[str]) -> Pair:
    """Divide; by an interval with zero at one end the quotient has one bound, by one with zero inside none."""
    usual = c.call("div", (a[0], a[1]), (a[2], a[3]))
    known = c.compare("ord", a[2], a[3])
    touches = c.either(c.compare("oeq", a[2], ZERO), c.compare("oeq", a[3], ZERO))
    far = c.select(c.compare("oeq", a[2], ZERO), a[3], a[2])  # the end that is not zero
    positive = c.compare("ogt", far, ZERO)
    top = c.choose(positive, (a[0], a[1]), c.negative((a[0], a[1])))  # the numerator over a positive divisor
    size = c.absolute(far)
    low = c.select(c.compare("ogt", top[0], ZERO), c.down(c.binary("fdiv", top[0], size)), literal(-math.inf))
    high = c.select(c.compare("olt", top[1], ZERO), c.up(c.binary("fdiv", top[1], size)), INF)
    low = c.select(c.compare("ord", top[0], top[1]), low, NAN)
    cut = c.both(c.both(known, touches), c.compare("one", far, ZERO))
    return c.choose(cut, (low, c.select(c.compare("ord", top[0], top[1]), high, NAN)), usual)


def _mulz(c: Code, a: list[str]) -> Pair:
    """Multiply; a first factor that is zero makes it zero whatever the second is."""
    nothing = c.both(c.compare("oeq", a[0], ZERO), c.compare("oeq", a[1], ZERO))
    return c.choose(nothing, (ZERO, ZERO), c.call("mul", (a[0], a[1]), (a[2], a[3])))


def power(exponent: int) -> Builder:
    """Return the builder of an integer power, at least the second."""

    def build(c: Code, a: list[str]) -> Pair:
        lost = c.unordered(*a)
        ends = c.size((a[0], a[1])) if exponent % 2 == 0 else (a[0], a[1])
        low, high = _repeated(c, ends[0], exponent), _repeated(c, ends[1], exponent)
        return c.choose(lost, UNKNOWN, (low[0], high[1]))

    return build


def _repeated(c: Code, x: str, exponent: int) -> Pair:
    total: Pair | None = None
    square = (x, x)
    while exponent:
        if exponent % 2:
            total = square if total is None else c.call("mul", total, square)
        exponent //= 2
        if exponent:
            square = c.call("mul", square, square)
    assert total is not None
    return total


def _sqrt(c: Code, a: list[str]) -> Pair:
    root = c.external("llvm.sqrt.f64", a[0]), c.external("llvm.sqrt.f64", a[1])
    low, high = c.down(root[0]), c.up(root[1])
    low = c.select(c.compare("olt", low, ZERO), ZERO, low)
    return c.choose(c.compare("oge", a[0], ZERO), (low, high), UNKNOWN)


EMPTY: Pair = (literal(1e300), literal(-1e300))
"""Where a function has no values: any bounds hold of them, so those are taken that exclude a zero of a sum."""


def _loose_sqrt(c: Code, a: list[str]) -> Pair:
    low = c.select(c.compare("olt", a[0], ZERO), ZERO, a[0])
    return c.choose(c.compare("olt", a[1], ZERO), EMPTY, c.call("sqrt", (low, a[1])))


def _abs(c: Code, a: list[str]) -> Pair:
    return c.choose(c.unordered(*a), UNKNOWN, c.size((a[0], a[1])))


def _step(below: float, above: float, straddling: Pair) -> Builder:
    """Build sign and heaviside."""

    def build(c: Code, a: list[str]) -> Pair:
        known = c.compare("ord", a[0], a[1])
        less, more = c.compare("olt", a[1], ZERO), c.compare("ogt", a[0], ZERO)
        value = c.choose(less, (literal(below),) * 2, c.choose(more, (literal(above),) * 2, straddling))
        return c.choose(known, value, UNKNOWN)

    return build


def _floor(c: Code, a: list[str]) -> Pair:
    low, high = c.external("llvm.floor.f64", a[0]), c.external("llvm.floor.f64", a[1])
    return c.choose(c.compare("oeq", low, high), (low, high), UNKNOWN)


def _loose_floor(c: Code, a: list[str]) -> Pair:
    return c.external("llvm.floor.f64", a[0]), c.external("llvm.floor.f64", a[1])


def _min(c: Code, a: list[str]) -> Pair:
    return c.choose(c.unordered(*a), UNKNOWN, (c.least(a[0], a[2]), c.least(a[1], a[3])))


def _max(c: Code, a: list[str]) -> Pair:
    return c.choose(c.unordered(*a), UNKNOWN, (c.greatest(a[0], a[2]), c.greatest(a[1], a[3])))


def _where(c: Code, a: list[str]) -> Pair:
    known = c.compare("ord", a[0], a[1])
    first = c.both(known, c.compare("oge", a[0], ZERO))
    second = c.both(known, c.compare("olt", a[1], ZERO))
    return c.choose(first, (a[2], a[3]), c.choose(second, (a[4], a[5]), UNKNOWN))


def _loose_where(c: Code, a: list[str]) -> Pair:
    known = c.compare("ord", a[0], a[1])
    one = c.call("where", (a[0], a[1]), (a[2], a[3]), (a[4], a[5]))
    hull = c.least(a[2], a[4]), c.greatest(a[3], a[5])
    straddles = c.both(c.compare("olt", a[0], ZERO), c.compare("oge", a[1], ZERO))
    return c.choose(c.both(known, straddles), hull, one)


# -- exponentials and logarithms ----------------------------------------------------------------------------------


def _exp_at(c: Code, a: list[str]) -> Pair:
    """Enclose exp(x) = 2^k exp(x - k log 2) by Taylor's polynomial of degree 14 and its remainder."""
    (head,), rest = _pieces(LOG2, 32, 1)
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


def _expm1_at(c: Code, a: list[str]) -> Pair:
    return c.call("sub", c.at("exp", a[0]), (ONE, ONE))


def _log1p(c: Code, a: list[str]) -> Pair:
    return c.call("log", c.call("add", (a[0], a[1]), (ONE, ONE)))


def _log_base(base: int) -> Builder:
    def build(c: Code, a: list[str]) -> Pair:
        return c.call("div", c.call("log", (a[0], a[1])), c.at("log", literal(float(base))))

    return build


def _odd(positive: Builder) -> Builder:
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


# -- circular functions -------------------------------------------------------------------------------------------


def _turn(c: Code, x: str) -> tuple[Pair, Pair, str]:
    """Return enclosures of sin and cos of x - k pi/2, and k."""
    (first, second), rest = _pieces(PI / 2, 33, 2)
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


# -- others -------------------------------------------------------------------------------------------------------


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
    "exp": _exp_at,
    "log": _log_at,
    "expm1": _expm1_at,
    "cosh": _cosh_at,
    "acosh": _acosh_at,
    "sin": _circular_at(0),
    "cos": _circular_at(1),
    "cbrt": _odd(_cbrt_positive),
    "sinh": _odd(_sinh_positive),
    "tanh": _odd(_tanh_positive),
    "asinh": _odd(_asinh_positive),
    "atanh": _odd(_atanh_positive),
    "atan": _odd(_atan_positive),
    "asin": _odd(_asin_positive),
    "erf": _odd(_erf_positive),
}

_MONOTONE = ("exp", "expm1", "acosh", "cbrt", "sinh", "tanh", "asinh", "atanh", "atan", "asin", "erf")

INTERVALS: dict[str, tuple[int, Builder]] = {
    "add": (2, _add),
    "sub": (2, _sub),
    "mul": (2, _mul),
    "mulz": (2, _mulz),
    "div": (2, _div),
    "div~": (2, _loose_div),
    "power2": (1, power(2)),
    "sqrt": (1, _sqrt),
    "sqrt~": (1, _loose_sqrt),
    "abs": (1, _abs),
    "sign": (1, _step(-1.0, 1.0, UNKNOWN)),
    "sign~": (1, _step(-1.0, 1.0, (literal(-1.0), ONE))),
    "heaviside": (1, _step(0.0, 1.0, UNKNOWN)),
    "heaviside~": (1, _step(0.0, 1.0, (ZERO, ONE))),
    "floor": (1, _floor),
    "floor~": (1, _loose_floor),
    "min": (2, _min),
    "max": (2, _max),
    "where": (3, _where),
    "where~": (3, _loose_where),
    "log": (1, _log),
    "log~": (1, _loose_log),
    "pow": (2, _pow),
    "pow~": (2, _loose_pow),
    "log1p": (1, _log1p),
    "log2": (1, _log_base(2)),
    "log10": (1, _log_base(10)),
    "cosh": (1, _cosh),
    "sin": (1, _circular("sin", Fraction(1, 4))),
    "cos": (1, _circular("cos", Fraction(0))),
    "tan": (1, _tan),
    "acos": (1, _acos),
    "atan2": (2, _atan2),
    "rncrn_s": (3, _root),
    "rncrn_s'": (3, _root_slope),
    **{name: (1, _increasing(name)) for name in _MONOTONE},
}
"""The number of arguments of each function of intervals, and what writes it."""


def interval_function(name: str) -> tuple[int, Builder]:
    """Return the number of arguments of a function of intervals and what writes it; KeyError where there is none."""
    for prefix, make in (("power", power), ("bessel", bessel)):
        if name.startswith(prefix) and name not in INTERVALS:
            return 1, make(int(name.removeprefix(prefix)))
    return INTERVALS[name]

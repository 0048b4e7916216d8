"""Intervals: arithmetic, and what compares, chooses and rounds; see `bifrncrn.compile.interval_functions`."""

from __future__ import annotations

import math

from bifrncrn.compile.codegen import literal
from bifrncrn.compile.interval_code import INF, NAN, ONE, UNKNOWN, ZERO, Builder, Code, Pair


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


ARITHMETIC: dict[str, tuple[int, Builder]] = {
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
}
"""The number of arguments of each function of intervals, and what writes it."""

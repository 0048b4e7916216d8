"""LLVM IR of interval operations whose bounds are certain.

An interval is a pair of doubles. Each end is a true bound, or nan where nothing is known: the operation is undefined
somewhere on the interval, or (in the smooth reading) not differentiable there. Whoever decides something compares
with `<`, which is false for nan.

Why the bounds are certain. Processors round `+ - * /` and square roots to the nearest double. `down` and `up` then step
beyond the neighbouring double: c - (phi |c| + eta) with phi = u (1 + 2 u), u = 2^-53, eta = 2^-1074 is at most the
predecessor of c (Rump, Zimmermann, Boldo and Melquiond, BIT 49 (2009), theorem 2.2), so a true bound whatever the
rounding was. Everything else (exp, sin, ...) is built of these operations: a series with the remainder added as an
interval. The C library's functions serve as first guesses, and what is found with them is verified.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from bifrncrn.compile.codegen import literal

PHI = 2.0**-53 * (1.0 + 2.0**-52)
ETA = 5e-324
PAIR = "{double, double}"

Pair = tuple[str, str]
"""The registers of an interval's ends."""
Builder = Callable[["Code", list[str]], Pair]

INF, NAN = literal(math.inf), literal(math.nan)
ZERO, ONE = literal(0.0), literal(1.0)
UNKNOWN: Pair = (NAN, NAN)


def enclosing(exact: Fraction) -> tuple[float, float]:
    """Return the doubles next to a number, or the number twice when it is one."""
    near = float(exact)
    if Fraction(near) == exact:
        return near, near
    below = near if Fraction(near) < exact else math.nextafter(near, -math.inf)
    return below, math.nextafter(below, math.inf)


def constant(exact: Fraction) -> Pair:
    """Return a number as an interval of literals."""
    low, high = enclosing(exact)
    return literal(low), literal(high)


class Code:
    """Writes the body of one function."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.lines: list[str] = []

    def new(self, text: str) -> str:
        """Append an instruction; return the register of its result."""
        self.lines.append(f"%r{len(self.lines)} = {text}")
        return f"%r{len(self.lines) - 1}"

    # -- plain doubles ------------------------------------------------------------------------------------------

    def binary(self, op: str, a: str, b: str) -> str:
        """Return the rounded result of fadd, fsub, fmul or fdiv."""
        return self.new(f"{op} double {a}, {b}")

    def compare(self, how: str, a: str, b: str) -> str:
        """Return a truth value (`o..` is false for nan)."""
        return self.new(f"fcmp {how} double {a}, {b}")

    def both(self, a: str, b: str) -> str:
        """Return a and b."""
        return self.new(f"and i1 {a}, {b}")

    def either(self, a: str, b: str) -> str:
        """Return a or b."""
        return self.new(f"or i1 {a}, {b}")

    def select(self, condition: str, a: str, b: str) -> str:
        """Return a where the condition holds, else b."""
        return self.new(f"select i1 {condition}, double {a}, double {b}")

    def external(self, symbol: str, *args: str) -> str:
        """Call a function of the C library or of LLVM on doubles."""
        self.module.declare(f"declare double @{symbol}({', '.join(['double'] * len(args))})")
        return self.new(f"call double @{symbol}({', '.join('double ' + a for a in args)})")

    def absolute(self, a: str) -> str:
        """Return |a|."""
        return self.external("llvm.fabs.f64", a)

    def least(self, *values: str) -> str:
        """Return the smallest, nan where one is nan."""
        return self._extreme("llvm.minimum.f64", values)

    def greatest(self, *values: str) -> str:
        """Return the largest, nan where one is nan."""
        return self._extreme("llvm.maximum.f64", values)

    def _extreme(self, symbol: str, values: tuple[str, ...]) -> str:
        found = values[0]
        for value in values[1:]:
            found = self.external(symbol, found, value)
        return found

    def negated(self, a: str) -> str:
        """Return -a."""
        return self.new(f"fneg double {a}")

    def down(self, a: str) -> str:
        """Return a double below a."""
        return self.binary("fsub", a, self._step(a))

    def up(self, a: str) -> str:
        """Return a double above a."""
        return self.binary("fadd", a, self._step(a))

    def _step(self, a: str) -> str:
        scaled = self.binary("fmul", self.absolute(a), literal(PHI))
        return self.binary("fadd", scaled, literal(ETA))

    # -- intervals ----------------------------------------------------------------------------------------------

    def call(self, name: str, *args: Pair) -> Pair:
        """Call an interval function."""
        return self._ends(self.module.interval(name), [end for arg in args for end in arg])

    def at(self, name: str, x: str) -> Pair:
        """Call a function that takes one double."""
        return self._ends(self.module.point(name), [x])

    def _ends(self, symbol: str, args: list[str]) -> Pair:
        both = self.new(f"call {PAIR} @{symbol}({', '.join('double ' + a for a in args)})")
        low, high = (self.new(f"extractvalue {PAIR} {both}, {i}") for i in (0, 1))
        return low, high

    def choose(self, condition: str, a: Pair, b: Pair) -> Pair:
        """Return one of two intervals."""
        return self.select(condition, a[0], b[0]), self.select(condition, a[1], b[1])

    def negative(self, a: Pair) -> Pair:
        """Return -a."""
        return self.negated(a[1]), self.negated(a[0])

    def unordered(self, *values: str) -> str:
        """Return whether one of the values is nan."""
        tests = [self.compare("uno", value, value) for value in values]
        found = tests[0]
        for test in tests[1:]:
            found = self.either(found, test)
        return found

    def size(self, a: Pair) -> Pair:
        """Return the interval |a|."""
        left, right = self.absolute(a[0]), self.absolute(a[1])
        inside = self.both(self.compare("ole", a[0], ZERO), self.compare("oge", a[1], ZERO))
        return self.select(inside, ZERO, self.least(left, right)), self.greatest(left, right)

    def within(self, a: Pair, low: float, high: float) -> Pair:
        """Return an interval cut to where its values are known to lie; nan stays."""
        under, over = self.compare("olt", a[0], literal(low)), self.compare("ogt", a[1], literal(high))
        return self.select(under, literal(low), a[0]), self.select(over, literal(high), a[1])

    def series(self, x: Pair, coefficients: list[Fraction]) -> Pair:
        """Return a polynomial by Horner's rule, the constant coefficient first."""
        total = constant(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = self.call("add", self.call("mul", total, x), constant(coefficient))
        return total


class Module:
    """Collects the functions that are called, each written once."""

    def __init__(self, intervals: Callable[[str], tuple[int, Builder]], points: Callable[[str], Builder]) -> None:
        self._intervals, self._points = intervals, points
        self.declarations: dict[str, None] = {}
        self.functions: dict[str, str] = {}

    def declare(self, text: str) -> None:
        """Note an external function."""
        self.declarations.setdefault(text)

    def interval(self, name: str) -> str:
        """Return the symbol of a function of intervals."""
        count, builder = self._intervals(name)
        plain = name.replace("~", "_loose").replace("'", "_slope")
        return self._written(f"iv_{plain}", 2 * count, builder)

    def point(self, name: str) -> str:
        """Return the symbol of a function of one double."""
        return self._written(f"pt_{name}", 1, self._points(name))

    def _written(self, symbol: str, count: int, builder: Builder) -> str:
        if symbol not in self.functions:
            self.functions[symbol] = ""
            code = Code(self)
            arguments = [f"%a{i}" for i in range(count)]
            low, high = builder(code, arguments)
            first = code.new(f"insertvalue {PAIR} undef, double {low}, 0")
            both = code.new(f"insertvalue {PAIR} {first}, double {high}, 1")
            head = f"define internal {PAIR} @{symbol}({', '.join('double ' + a for a in arguments)}) nounwind {{"
            self.functions[symbol] = "\n".join([head, *code.lines, f"ret {PAIR} {both}", "}"])
        return symbol

    def text(self) -> str:
        """Return all functions and declarations."""
        return "\n".join([*self.functions.values(), *self.declarations])

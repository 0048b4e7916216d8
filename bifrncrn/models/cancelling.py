"""Conserved sums read from the formulas: sums of the right-hand sides in which every term cancels.

Rates that differ by many orders leave nothing of the slow terms in a Jacobian of floating point numbers, in which a
sum of the fast ones seems to be conserved, or the sum of all not to be. Here nothing is rounded: the right-hand sides
are multiplied out, and what stands before a product of states is a rational number. What cannot be multiplied out (a
quotient by a sum, the value of a function) is one symbol, the same wherever it stands; where such symbols are left
that may be the same in other words, their values decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np

from bifrncrn.base.integer_nullspace import left_nullspace
from bifrncrn.compile.graph import Graph
from bifrncrn.models.starts import evaluate

MOST = 3000
"""The most terms of one formula multiplied out ..."""
PRODUCTS = 50_000
"""... and the most products formed, which take a third of a second: beyond, nothing is said."""
ENTRIES = 1500
"""The most coefficients eliminated without rounding, which takes up to half a second: beyond, no sum is read here."""
HIGHEST = 12
"""The highest power of a sum that is multiplied out."""
ROUNDED = 1e-12
"""Terms cancel when their sum is below this fraction of them: constants of a model have sixteen digits."""
LEFT = 1e-9
"""Values of functions cancel to this fraction of them: in their arguments digits may be lost."""

Monomial = tuple[tuple[int, int], ...]
"""Symbols with their exponents, sorted."""
Point = tuple[np.ndarray, np.ndarray]
"""States (n,) and parameters (m,)."""
Polynomial = dict[Monomial, Fraction]


class TooLargeError(Exception):
    """The formulas have too many terms."""


class Terms:
    """The right-hand sides of a system as sums of terms.

    Parameters
    ----------
    graph : Graph
        The formulas.
    roots : list of int
        The nodes of the right-hand sides.
    values : (m,) array
        The parameters.
    varied : int, optional
        The index of a parameter that stands for all its values.

    Raises
    ------
    TooLargeError
        If they have too many terms.
    """

    def __init__(self, graph: Graph, roots: list[int], values: np.ndarray, varied: int | None = None) -> None:
        self._symbols: dict[object, int] = {}
        self._numbers: dict[int, Fraction] = {}
        """The symbols that are parameters with a value."""
        self._nodes: dict[int, int] = {}
        """The nodes of the symbols that are formulas, variables and parameters among them."""
        self._sums: dict[int, Polynomial] = {}
        """The sums that the other symbols stand for."""
        self._leaves: set[int] = set()
        """The symbols that are variables or the parameter that varies: what differs from them in form differs."""
        self._products = 0
        self._graph, self._parameters = graph, values.tolist()
        known: dict[int, Polynomial] = {}
        for node in graph.reachable(roots):
            known[node] = self._expanded(graph, node, known, values, varied)
        self.equations = [known[root] for root in roots]

    def laws(self) -> np.ndarray:
        """Return the sums that are conserved, (r, n)."""
        n = len(self.equations)
        columns: dict[Monomial, dict[int, Fraction]] = {}
        for row, equation in enumerate(self.equations):
            for monomial, coefficient in equation.items():
                rest, value = self._split(monomial)
                column = columns.setdefault(rest, {})
                column[row] = column.get(row, Fraction(0)) + coefficient * value
        laws = np.zeros((0, n))
        if sum(map(len, columns.values())) > ENTRIES:
            return laws
        for law in left_nullspace(columns.values(), n):
            largest = max(map(abs, law.values()))
            laws = np.vstack([laws, [float(Fraction(law.get(i, 0), largest)) for i in range(n)]])
        return laws

    def cancel(self, law: np.ndarray, points: Sequence[Point]) -> bool:
        """Say whether every term cancels in a sum of the right-hand sides.

        Equal products of parameters cancel first, then the others by their values: a slow term that is left alone is
        no rounding beside the fast ones that have gone. Two symbols may be the same in other words, such as sin(x) and
        sin(-x): where some are left that are no variables, the values of all that is left decide, at these points.
        """
        sums: dict[Monomial, list[float]] = {}
        for factor, equation in zip(law.tolist(), self.equations, strict=True):
            for monomial, coefficient in equation.items() if factor else ():
                one = sums.setdefault(monomial, [0.0, 0.0])
                one[0] += factor * float(coefficient)
                one[1] += abs(factor * float(coefficient))
        left: dict[Monomial, list[float]] = {}
        for monomial, (total, size) in sums.items():
            if abs(total) > ROUNDED * size:
                rest, value = self._split(monomial)
                one = left.setdefault(rest, [0.0, 0.0])
                one[0] += total * float(value)
                one[1] += abs(total * float(value))
        left = {rest: pair for rest, pair in left.items() if abs(pair[0]) > ROUNDED * pair[1]}
        if self._leaves.issuperset(symbol for rest in left for symbol, _ in rest):
            return not left
        return all(self._vanishes({rest: total for rest, (total, _) in left.items()}, *point) for point in points)

    def _vanishes(self, terms: Mapping[Monomial, float], x: np.ndarray, p: np.ndarray) -> bool:
        """Say whether terms add up to nothing but rounding at a point; where they have no value it says nothing."""
        needed = {symbol for monomial in terms for symbol, _ in monomial}
        known = self._values(needed, x.tolist(), p.tolist())
        parts = [total * _value_of(monomial, known) for monomial, total in terms.items()]
        size = sum(map(abs, parts))
        return not math.isfinite(size) or abs(sum(parts)) <= LEFT * size

    def _values(self, needed: set[int], x: list[float], p: list[float]) -> dict[int, float]:
        """Return the values of symbols at a point."""
        direct = [symbol for symbol in needed if symbol in self._nodes]
        found = dict(zip(direct, evaluate(self._graph, [self._nodes[one] for one in direct], x, p), strict=True))
        for symbol in needed.difference(direct):
            poly = self._sums[symbol]
            inner = self._values({one for monomial in poly for one, _ in monomial}, x, p)
            found[symbol] = sum(float(value) * _value_of(monomial, inner) for monomial, value in poly.items())
        return found

    def _number(self, poly: Polynomial) -> Fraction | None:
        """Return the value of what holds parameters alone; None for anything else."""
        parts = [(*self._split(monomial), value) for monomial, value in poly.items()]
        return None if any(rest for rest, _, _ in parts) else sum((a * b for _, a, b in parts), Fraction(0))

    def _split(self, monomial: Monomial) -> tuple[Monomial, Fraction]:
        """Return a product without its parameters, and their value."""
        rest, value = [], Fraction(1)
        for symbol, exponent in monomial:
            if symbol in self._numbers:
                value *= self._numbers[symbol] ** exponent
            else:
                rest.append((symbol, exponent))
        return tuple(rest), value

    def _expanded(
        self, g: Graph, node: int, known: Mapping[int, Polynomial], values: np.ndarray, varied: int | None
    ) -> Polynomial:
        op, args = g.op[node], g.args[node]
        if op == "const":
            return _constant(_exact(args[0]))
        if op == "par" and int(args[0]) != varied:
            value = _exact(float(values[int(args[0])]))
            symbol = self._symbol((op, int(args[0])))
            self._numbers[symbol], self._nodes[symbol] = value, node
            return {((symbol, 1),): Fraction(1)} if value else {}
        if op in ("var", "par"):
            symbol = self._symbol((op, int(args[0])))
            self._leaves.add(symbol)
            self._nodes[symbol] = node
            return {((symbol, 1),): Fraction(1)}
        parts = [known[operand] for operand in g.operands(node)]
        if op == "add":
            return self._sum(parts)
        if op == "neg":
            return {monomial: -value for monomial, value in parts[0].items()}
        if op in ("mul", "mulz"):
            return self._product(*parts)
        if op == "div":
            return self._product(parts[0], self._inverse(parts[1]))
        if op == "ipow" and 0 < args[1] <= HIGHEST:
            power = parts[0]
            for _ in range(int(args[1]) - 1):
                power = self._product(power, parts[0])
            return power
        exponent = args[1] if op == "ipow" else None
        symbol = self._symbol((op, exponent, *map(_key, parts)))
        self._nodes[symbol] = node
        if symbol not in self._numbers and all(self._number(part) is not None for part in parts):
            self._numbers[symbol] = _exact(evaluate(g, [node], [], self._parameters)[0])
        return {((symbol, 1),): Fraction(1)}

    def _symbol(self, what: object) -> int:
        return self._symbols.setdefault(what, len(self._symbols))

    def _sum(self, parts: list[Polynomial]) -> Polynomial:
        total: Polynomial = {}
        for monomial, value in _all(parts):
            new = total.get(monomial, Fraction(0)) + value
            if new:
                total[monomial] = new
            else:
                del total[monomial]
        if len(total) > MOST:
            raise TooLargeError
        return total

    def _product(self, left: Polynomial, right: Polynomial) -> Polynomial:
        self._products += len(left) * len(right)
        if self._products > PRODUCTS:
            raise TooLargeError
        return self._sum([{_times(a, b): u * v} for a, u in left.items() for b, v in right.items()])

    def _inverse(self, poly: Polynomial) -> Polynomial:
        """Return 1 / a polynomial: a sum is one symbol, up to a factor."""
        if not poly:
            raise TooLargeError  # a quotient by zero is nothing to be multiplied out
        if len(poly) == 1:
            ((monomial, value),) = poly.items()
            return {tuple((symbol, -exponent) for symbol, exponent in monomial): 1 / value}
        first = poly[min(poly)]
        ratio = {monomial: value / first for monomial, value in poly.items()}
        symbol = self._symbol(_key(ratio))
        self._sums[symbol] = ratio
        number = self._number(ratio)
        if number:
            self._numbers[symbol] = number
        return {((symbol, -1),): 1 / first}


def _value_of(monomial: Monomial, known: Mapping[int, float]) -> float:
    """Return the value of a product of symbols; nan where it has none."""
    try:
        return math.prod(known[symbol] ** exponent for symbol, exponent in monomial)
    except (OverflowError, ZeroDivisionError):
        return math.nan


def _constant(value: Fraction) -> Polynomial:
    return {(): value} if value else {}


def _exact(value: float) -> Fraction:
    """Return the number that was written: 0.1 is a tenth.

    Raises
    ------
    TooLargeError
        If it is not finite.
    """
    if not np.isfinite(value):
        raise TooLargeError
    return Fraction(repr(float(value)))


def _key(poly: Polynomial) -> frozenset[tuple[Monomial, Fraction]]:
    return frozenset(poly.items())


def _all(parts: list[Polynomial]) -> Iterator[tuple[Monomial, Fraction]]:
    for part in parts:
        yield from part.items()


def _times(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    exponents = dict(left)
    for symbol, exponent in right:
        exponents[symbol] = exponents.get(symbol, 0) + exponent
    return tuple(sorted((symbol, exponent) for symbol, exponent in exponents.items() if exponent))

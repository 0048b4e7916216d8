"""Conserved sums read from the formulas: sums of the right-hand sides in which every term cancels.

Rates that differ by many orders leave nothing of the slow terms in a Jacobian of floating point numbers, in which a
sum of the fast ones seems to be conserved, or the sum of all not to be. Here nothing is rounded: the right-hand sides
are multiplied out, and what stands before a product of states is a rational number. What cannot be multiplied out (a
quotient by a sum, the value of a function) is one symbol, the same wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np

from bifrncrn.base.integer_nullspace import left_nullspace
from bifrncrn.compile.graph import Graph

MOST = 3000
"""The most terms of one formula multiplied out ..."""
PRODUCTS = 50_000
"""... and the most products formed, which take a third of a second: beyond, nothing is said."""
HIGHEST = 12
"""The highest power of a sum that is multiplied out."""
ROUNDED = 1e-12
"""Terms cancel when their sum is below this fraction of them: constants of a model have sixteen digits."""

Monomial = tuple[tuple[int, int], ...]
"""Symbols with their exponents, sorted."""
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
        self._products = 0
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
        for law in left_nullspace(columns.values(), n):
            largest = max(map(abs, law.values()))
            laws = np.vstack([laws, [float(Fraction(law.get(i, 0), largest)) for i in range(n)]])
        return laws

    def cancel(self, law: np.ndarray) -> bool:
        """Say whether every term cancels in a sum of the right-hand sides.

        Equal products of parameters cancel first, then the others by their values: a slow term that is left alone is
        no rounding beside the fast ones that have gone.
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
        return all(abs(total) <= ROUNDED * size for total, size in left.values())

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
            self._numbers[symbol] = value
            return {((symbol, 1),): Fraction(1)} if value else {}
        if op in ("var", "par"):
            return {((self._symbol((op, int(args[0]))), 1),): Fraction(1)}
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
        return {((self._symbol((op, exponent, *map(_key, parts))), 1),): Fraction(1)}

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
        symbol = self._symbol(_key({monomial: value / first for monomial, value in poly.items()}))
        return {((symbol, -1),): 1 / first}


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

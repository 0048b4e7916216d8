"""Nodes of an exact graph as polynomials: what proves that two formulas are equal as functions.

A form is a sum of monomials with rational coefficients, {monomial: coefficient}; a monomial is a sorted tuple of
(atom, power). Atoms are numbers given to variables, parameters, inverses of divisors, and functions of forms; odd and
even functions have one atom for an argument and its negative. Forms that are equal are equal functions, wherever both
are defined; of others nothing is known.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from fractions import Fraction

from bifrncrn.compile.exact import ExactGraph

Monomial = tuple[tuple[int, int], ...]
Form = dict[Monomial, Fraction]

MOST_TERMS = 400
"""Longer forms become atoms."""
ODD = frozenset({"sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "cbrt", "erf", "inverse"})
EVEN = frozenset({"cos", "cosh", "abs"})
NOTHING: Monomial = ()


class Forms:
    """The forms of the nodes of one graph."""

    def __init__(self, graph: ExactGraph) -> None:
        self.g = graph
        self._known: dict[int, Form] = {}
        self._atoms: dict[Hashable, int] = {}

    def of(self, node: int) -> Form:
        """Return the form of a node."""
        for item in self.g.reachable([node]):
            if item not in self._known:
                self._known[item] = self._made(item)
        return self._known[node]

    def equal(self, a: int, b: int) -> bool:
        """Say whether two nodes are proved to be equal wherever both are defined."""
        return self.of(a) == self.of(b)

    def _made(self, node: int) -> Form:
        op, args = self.g.op[node], self.g.args[node]
        parts = [self._known[arg] for arg in self.g.operands(node)]
        form: Form | None
        if op == "const":
            return {NOTHING: Fraction(args[0])} if args[0] else {}
        if op in ("var", "par"):
            return self._atom((op, args))
        if op == "add":
            form = _sum(parts)
        elif op == "neg":
            form = _scaled(parts[0], -1)
        elif op == "mul":
            form = _product(*parts)
        elif op == "div":
            form = _product(parts[0], self._function("inverse", [parts[1]]))
        elif op == "ipow":
            form = {NOTHING: Fraction(1)}
            for _ in range(args[1]):
                form = None if form is None else _product(form, parts[0])
        else:
            return self._function(op.removeprefix("call:"), parts)
        if form is None or len(form) > MOST_TERMS:
            return self._function(f"{op} {args[1]}" if op == "ipow" else op, parts)
        return form

    def _function(self, name: str, parts: list[Form]) -> Form:
        sign = 1
        if name in ODD | EVEN and parts[0] and min(parts[0].items())[1] < 0:
            parts, sign = [_scaled(parts[0], -1)], (-1 if name in ODD else 1)
        return _scaled(self._atom((name, *(frozenset(part.items()) for part in parts))), sign)

    def _atom(self, key: Hashable) -> Form:
        return {((self._atoms.setdefault(key, len(self._atoms)), 1),): Fraction(1)}


def _scaled(form: Form, factor: int) -> Form:
    return {monomial: factor * value for monomial, value in form.items()}


def _sum(forms: Iterable[Form]) -> Form:
    total: Form = {}
    for form in forms:
        for monomial, value in form.items():
            total[monomial] = total.get(monomial, Fraction(0)) + value
    return {monomial: value for monomial, value in total.items() if value}


def _product(a: Form, b: Form) -> Form | None:
    if len(a) * len(b) > MOST_TERMS:
        return None
    return _sum({_times(m, k): u * v} for m, u in a.items() for k, v in b.items())


def _times(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for atom, power in b:
        powers[atom] = powers.get(atom, 0) + power
    return tuple(sorted(powers.items()))

"""A graph in which nothing is rounded: the formulas that proofs are about.

`Graph` folds constants in floating point, which is what compiled code would do anyway. A derivative whose constants
were rounded is not the derivative any more, so proofs differentiate a graph that folds only what is exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from bifrncrn.compile.functions import CALL
from bifrncrn.compile.graph import LEAVES, MAX_REPEATED_POWER, Graph

EXACT: Mapping[tuple[str, float | None], float] = {
    **{(name, 0.0): 0.0 for name in ("sin", "tan", "sinh", "tanh", "asin", "atan", "asinh", "atanh", "expm1", "log1p")},
    **{(name, 0.0): 1.0 for name in ("exp", "cos", "cosh")},
    **{(name, 0.0): 0.0 for name in ("sqrt", "abs", "cbrt", "erf")},
    ("log", 1.0): 0.0,
    ("sqrt", 1.0): 1.0,
}
"""Values of functions that are not rounded."""


class ExactGraph(Graph):
    """A graph that keeps an operation on constants wherever its result is not a double."""

    def add(self, terms: list[int]) -> int:
        """Return the sum of nodes."""
        numbers = [self.value(term) for term in terms]
        if None not in numbers and len(numbers) > 1:
            exact = sum(Fraction(number) for number in numbers if number is not None)
            return self.const(float(exact)) if _is_double(exact) else self._sum(terms)
        return super().add(terms)

    def _sum(self, terms: list[int]) -> int:
        kept = [term for term in terms if term != self.zero]
        return kept[0] if len(kept) == 1 else self.node("add", *kept)

    def mul(self, a: int, b: int) -> int:
        """Return a * b."""
        left, right = self.value(a), self.value(b)
        if left is None or right is None or {left, right} & {0.0, 1.0, -1.0}:
            return super().mul(a, b)
        exact = Fraction(left) * Fraction(right)
        return self.const(float(exact)) if _is_double(exact) else self.node("mul", a, b)

    def div(self, a: int, b: int) -> int:
        """Return a / b."""
        left, right = self.value(a), self.value(b)
        if left is None or not right:
            return super().div(a, b)
        exact = Fraction(left) / Fraction(right)
        return self.const(float(exact)) if _is_double(exact) else self.node("div", a, b)

    def power(self, a: int, b: int) -> int:
        """Return a ** b."""
        base, exponent = self.value(a), self.value(b)
        if base is not None and exponent is not None and exponent not in (0.0, 1.0):
            whole = exponent.is_integer() and 2.0 <= exponent <= MAX_REPEATED_POWER
            return self.node("ipow", a, int(exponent)) if whole else self.node("pow", a, b)
        return super().power(a, b)

    def call(self, name: str, args: tuple[int, ...]) -> int:
        """Return the value of a function."""
        known = EXACT.get((name, self.value(args[0]))) if len(args) == 1 else None
        return self.node("call:" + name, *args) if known is None else self.const(known)


def _is_double(exact: Fraction | int) -> bool:
    try:
        return float(exact) == exact and math.isfinite(float(exact))
    except OverflowError:
        return False


def copied(g: Graph, roots: list[int], leaves: Mapping[tuple[str, int], int], into: ExactGraph) -> list[int]:
    """Copy nodes into an exact graph.

    Parameters
    ----------
    leaves : mapping
        The node in `into` of each ("var", i) and ("par", i) that becomes something else; the others stay what they are.
    """
    made: dict[int, int] = {}
    for node in g.reachable(roots):
        op, args = g.op[node], g.args[node]
        if op in LEAVES:
            known = leaves.get((op, int(args[0]))) if op != "const" else None
            made[node] = into.node(op, *args) if known is None else known
            continue
        made[node] = _rebuilt(into, op, args, [made[operand] for operand in g.operands(node)])
    return [made[root] for root in roots]


def _rebuilt(g: ExactGraph, op: str, args: tuple, values: list[int]) -> int:
    """Make one operation anew, so that what has become constant is simplified."""
    if op == "add":
        return g.add(values)
    if op == "neg":
        return g.neg(values[0])
    if op == "mul":
        return g.mul(*values)
    if op == "mulz":
        return g.mulz(*values)
    if op == "div":
        return g.div(*values)
    if op == "ipow":
        return g.power(values[0], g.const(args[1]))
    if op == "where":
        return g.where(*values)
    if op == "pow":
        return g.power(*values)  # an exponent that has become a number may be a whole one
    return g.call(op.removeprefix(CALL), tuple(values)) if op.startswith(CALL) else g.node(op, *values)

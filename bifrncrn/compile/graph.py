"""The expression graph: every formula of a model as one hash-consed, acyclic graph of integer nodes.

A node is an index; `op[node]` says what it is and `args[node]` what it is made of. Arguments always have smaller
indices than the node itself, so ascending order is a topological order and nothing here needs recursion.

Operations: `const` (value), `var` (i), `par` (i), the directions `dvar` (i) and `dpar` (i) used by derivatives,
`add` (n terms, summed left to right), `neg`, `mul`, `div`, `ipow` (base, int), `pow`, `mulz` (a product whose first
factor, when zero, makes it zero whatever the second is), `where` (c, a, b: a when c >= 0, else b), and `call:NAME`.
"""

import math
from collections.abc import Callable

from bifrncrn.base.errors import InputError
from bifrncrn.compile.functions import FUNCTIONS

LEAVES = frozenset({"const", "var", "par", "dvar", "dpar"})
MAX_NODES = 8_000_000
"""A model that needs more operations than this is refused: it would exhaust the memory before it could be compiled."""

MAX_TERMS = 500
"""Longer sums are nodes of so many terms, each the first term of the next: the same additions in the same order."""

MAX_REPEATED_POWER = 64
"""Integer powers up to this one become repeated multiplications, above it a call of `pow`."""


class Graph:
    """A growing set of expression nodes in which equal expressions are one node.

    The methods simplify only what is exact in floating point (0 + a, 1 * a, constants of finite value), apart from
    0 * a, which is 0 even where a is not finite.
    """

    def __init__(self) -> None:
        self.op: list[str] = []
        self.args: list[tuple] = []
        self._known: dict[tuple, int] = {}
        self.conditions: set[int] = set()  # nodes known to be zero or one
        self.vanishing: set[int] = set()  # nodes that a choice makes exactly zero on one of its sides
        self._chosen: dict[int, int] = {}
        self.zero: int = self.const(0.0)
        self.one: int = self.const(1.0)

    def __len__(self) -> int:
        return len(self.op)

    def node(self, op: str, *args: float) -> int:
        """Return the node for an operation without simplifying it."""
        key = (op, args)
        found = self._known.get(key)
        if found is not None:
            return found
        index = len(self.op)
        if index >= MAX_NODES:
            raise InputError(
                f"the model needs more than {MAX_NODES} operations, too many to compile; simplify the equations"
            )
        self._known[key] = index
        self.op.append(op)
        self.args.append(args)
        if (op == "where" or self.vanishing) and self._vanishes(op, args):
            self.vanishing.add(index)
        return index

    def _vanishes(self, op: str, args: tuple) -> bool:
        if op == "where":
            return self.zero in args[1:] or not self.vanishing.isdisjoint(args[1:])
        if op in ("neg", "mul", "mulz"):
            return not self.vanishing.isdisjoint(args)
        return (op == "div" and args[0] in self.vanishing) or (op == "add" and self.vanishing.issuperset(args))

    def chosen(self, node: int) -> int:
        """Return 0 where a choice makes a node zero, 1 elsewhere (as a node)."""
        known, stack = self._chosen, [node]
        known[self.zero] = self.zero
        while stack:  # no recursion: choices may be nested as deep as one likes
            top = stack[-1]
            op, args = self.op[top], self.args[top]
            within = {"where": args[1:], "div": args[:1]}.get(op, args) if top in self.vanishing else ()
            missing = [arg for arg in within if arg not in known]
            if missing:
                stack += missing
                continue
            stack.pop()
            if top not in known:
                known[top] = self._told(op, args, [known[arg] for arg in within])
        return known[node]

    def _told(self, op: str, args: tuple, within: list[int]) -> int:
        """Return what `chosen` does, of an operation whose operands that matter are `within`."""
        if op == "where" and within:
            return self.where(args[0], *within)
        told = self.zero if op == "add" and within else self.one
        for one in within:
            told = self.call("max", (told, one)) if op == "add" else self.mul(told, one)
        return told

    def const(self, value: float) -> int:
        """Return the node of a number (-0.0 is 0.0)."""
        return self.node("const", float(value) + 0.0)

    def value(self, node: int) -> float | None:
        """Return the number of a constant node, None for any other."""
        return self.args[node][0] if self.op[node] == "const" else None

    def operands(self, node: int) -> tuple[int, ...]:
        """Return the nodes a node is computed from."""
        op = self.op[node]
        if op in LEAVES:
            return ()
        return self.args[node][:1] if op == "ipow" else self.args[node]

    def add(self, terms: list[int]) -> int:
        """Return the sum of nodes, evaluated from left to right."""
        zero = self.zero
        kept = [term for term in terms if term != zero]
        if not kept:
            return zero
        if len(kept) == 1:
            return kept[0]
        if all(self.op[term] == "const" for term in kept):
            total = 0.0
            for term in kept:
                total += self.args[term][0]
            if math.isfinite(total):
                return self.const(total)
        total = self.node("add", *kept[:MAX_TERMS])
        for start in range(MAX_TERMS, len(kept), MAX_TERMS):
            total = self.node("add", total, *kept[start : start + MAX_TERMS])
        return total

    def neg(self, a: int) -> int:
        """Return -a."""
        op = self.op[a]
        if op == "const":
            return self.const(-self.args[a][0])
        return self.args[a][0] if op == "neg" else self.node("neg", a)

    def sub(self, a: int, b: int) -> int:
        """Return a - b."""
        return self.add([a, self.neg(b)])

    def mul(self, a: int, b: int) -> int:
        """Return a * b."""
        op, args = self.op, self.args
        if op[a] == "const":
            left = args[a][0]
            if op[b] == "const" and math.isfinite(left * args[b][0]):
                return self.const(left * args[b][0])
            if left == 0.0:
                return self.zero
            if left == 1.0:
                return b
            if left == -1.0:
                return self.neg(b)
        elif op[b] == "const":
            right = args[b][0]
            if right == 0.0:
                return self.zero
            if right == 1.0:
                return a
            if right == -1.0:
                return self.neg(a)
        if op[a] == "neg":
            return self.neg(self.mul(args[a][0], b))
        if op[b] == "neg":
            return self.neg(self.mul(a, args[b][0]))
        return self.node("mul", a, b)

    def mulz(self, a: int, b: int) -> int:
        """Return a * b, or 0 where a is 0 even if b is not finite there."""
        value = self.value(a)
        if value is not None or b == self.zero:
            return self.mul(a, b)
        return self.node("mulz", a, b)

    def div(self, a: int, b: int) -> int:
        """Return a / b."""
        op, args = self.op, self.args
        if op[b] == "const":
            divisor = args[b][0]
            if divisor == 1.0:
                return a
            if op[a] == "const" and divisor != 0.0 and math.isfinite(args[a][0] / divisor):
                return self.const(args[a][0] / divisor)
            if divisor == 0.0:
                return self.node("div", a, b)
        if a == self.zero:
            return self.zero
        if op[a] == "neg":
            return self.neg(self.div(args[a][0], b))
        if op[b] == "neg":
            return self.neg(self.div(a, args[b][0]))
        return self.node("div", a, b)

    def power(self, a: int, b: int) -> int:
        """Return a ** b: integer powers by multiplication, halves by square roots, the rest by `pow`."""
        exponent, base = self.value(b), self.value(a)
        if exponent is None:
            return self.one if base == 1.0 else self.node("pow", a, b)
        if exponent == 0.0:
            return self.one
        if exponent == 1.0:
            return a
        if base is not None:
            folded = _finite(math.pow, base, exponent)
            return self.node("pow", a, b) if folded is None else self.const(folded)
        if exponent < 0.0 and (exponent == -0.5 or exponent.is_integer()):
            return self.div(self.one, self.power(a, self.const(-exponent)))
        if exponent.is_integer() and exponent <= MAX_REPEATED_POWER:
            return self.node("ipow", a, int(exponent))
        return self.call("sqrt", (a,)) if exponent == 0.5 else self.node("pow", a, b)

    def call(self, name: str, args: tuple[int, ...]) -> int:
        """Return the value of one of the functions in `FUNCTIONS`; its number when all arguments are constants."""
        numbers = [self.value(arg) for arg in args]
        fold = FUNCTIONS[name].fold
        if fold is not None and None not in numbers:
            folded = _finite(fold, *numbers)
            if folded is not None:
                return self.const(folded)
        return self.node("call:" + name, *args)

    def where(self, c: int, a: int, b: int) -> int:
        """Return a where c >= 0, else b (also where c is not a number)."""
        return a if a == b else self.node("where", c, a, b)

    def reachable(self, roots: list[int]) -> list[int]:
        """Return every node that the roots depend on (themselves too), in ascending order."""
        seen = set(roots)
        stack = list(seen)
        while stack:
            for operand in self.operands(stack.pop()):
                if operand not in seen:
                    seen.add(operand)
                    stack.append(operand)
        return sorted(seen)


def _finite(function: Callable[..., float], *numbers: float | None) -> float | None:
    try:
        value = function(*numbers)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) else None

"""Conditions as graph nodes: numbers that are one where the condition holds and zero elsewhere."""

from __future__ import annotations

from bifrncrn.compile.graph import Graph

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


def compare(g: Graph, symbol: str, a: int, b: int) -> int:
    """Return 1 where `a symbol b` holds, else 0."""
    if symbol in (">=", "<"):
        c = g.sub(a, b)
        return _step(g, c, g.one, g.zero) if symbol == ">=" else _step(g, c, g.zero, g.one)
    if symbol in ("<=", ">"):
        c = g.sub(b, a)
        return _step(g, c, g.one, g.zero) if symbol == "<=" else _step(g, c, g.zero, g.one)
    equal = both(g, compare(g, ">=", a, b), compare(g, "<=", a, b))
    return equal if symbol == "==" else negation(g, equal)


def _step(g: Graph, c: int, above: int, below: int) -> int:
    """Return `above` where c >= 0, else `below`; at once where c is a number."""
    value = g.value(c)
    if value is None:
        return g.where(c, above, below)
    return above if value >= 0.0 else below


def truth(g: Graph, node: int) -> int:
    """Return 1 where a node is not zero, else 0; a condition is its own truth."""
    return node if _is_condition(g, node) else compare(g, "!=", node, g.zero)


def negation(g: Graph, a: int) -> int:
    """Return 1 where a condition does not hold."""
    return g.sub(g.one, a)


def both(g: Graph, a: int, b: int) -> int:
    """Return 1 where two conditions hold."""
    return g.mul(a, b)


def either(g: Graph, a: int, b: int) -> int:
    """Return 1 where at least one of two conditions holds."""
    return g.sub(g.one, g.mul(negation(g, a), negation(g, b)))


def choose(g: Graph, condition: int, a: int, b: int) -> int:
    """Return a where a condition holds, else b."""
    if g.op[condition] == "where":
        c, above, below = g.args[condition]
        if (above, below) == (g.one, g.zero):
            return g.where(c, a, b)
        if (above, below) == (g.zero, g.one):
            return g.where(c, b, a)
    return _step(g, g.sub(condition, g.const(0.5)), a, b)


def _is_condition(g: Graph, node: int) -> bool:
    """Tell whether a node takes no other values than zero and one; what is found to be so is kept."""
    stack, seen = [node], set[int]()
    while stack:
        top = stack.pop()
        if top in g.conditions or top in seen:
            continue
        seen.add(top)
        op, args = g.op[top], g.args[top]
        if op == "where":
            stack += args[1:]
        elif op == "mul":
            stack += args
        elif op == "add" and len(args) == 2 and args[0] == g.one and g.op[args[1]] == "neg":
            stack += g.args[args[1]]  # 1 - condition
        elif top not in (g.zero, g.one):
            return False
    g.conditions |= seen
    return True

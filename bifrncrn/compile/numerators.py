"""Numerators of formulas: what a formula is over its common denominator, so that its zeros are seen beside a pole.

Over a box in which a denominator has a zero a quotient can be anything; its numerator cannot.
"""

from __future__ import annotations

from bifrncrn.compile.exact import ExactGraph

MOST_TERMS = 8
"""Sums of more terms with denominators than this are left as they are: every term is multiplied by all others'."""


def numerators(g: ExactGraph, roots: list[int]) -> list[int]:
    """Return nodes of formulas that vanish wherever the roots are defined and vanish.

    Of sums, products, quotients, whole powers and tan the common denominator is taken off; functions stay.
    """
    parts: dict[int, tuple[int, int]] = {}
    for node in g.reachable(roots):
        op, args = g.op[node], g.args[node]
        known = [parts[operand] for operand in g.operands(node)]
        if op == "add":
            parts[node] = _sum(g, node, known)
        elif op == "neg":
            parts[node] = g.neg(known[0][0]), known[0][1]
        elif op == "mul":
            parts[node] = g.mul(known[0][0], known[1][0]), g.mul(known[0][1], known[1][1])
        elif op == "div":
            parts[node] = g.mul(known[0][0], known[1][1]), g.mul(known[0][1], known[1][0])
        elif op == "ipow":
            power = g.const(args[1])
            parts[node] = g.power(known[0][0], power), g.power(known[0][1], power)
        elif op == "call:tan":
            parts[node] = g.call("sin", args), g.call("cos", args)
        else:
            parts[node] = node, g.one
    return [parts[root][0] for root in roots]


def _sum(g: ExactGraph, node: int, terms: list[tuple[int, int]]) -> tuple[int, int]:
    by_divisor: dict[int, list[int]] = {}
    for top, divisor in terms:
        by_divisor.setdefault(divisor, []).append(top)
    if len(by_divisor) > MOST_TERMS:
        return node, g.one
    total, common = g.zero, g.one
    for divisor, tops in by_divisor.items():
        total = g.add([g.mul(total, divisor), g.mul(g.add(tops), common)])
        common = g.mul(common, divisor)
    return total, common

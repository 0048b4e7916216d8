"""Difference quotients of a graph, as formulas: (h(x) - h(c)) / (x_k - c) with the division carried out.

For sums, products, quotients, whole powers, sqrt, exp, tanh and the answer of a perceptron it is again such a formula,
defined where h is, at x_k = c too: of a b it is a' b + a(c) b', of a / b it is (a' - (a/b)(c) b') / b, of exp(a) it is
a' exp(a(c)) m(a - a(c)) with m(w) = (exp(w) - 1) / w, where a', b' are the quotients of a and b, and a - a(c) = (x_k -
c) a'. So where h vanishes on the plane x_k = c, h = (x_k - c) h'.
"""

from __future__ import annotations

from bifrncrn.compile.exact import ExactGraph, copied


def on_plane(g: ExactGraph, nodes: list[int], k: int, at: int) -> list[int]:
    """Return nodes with variable k replaced by the node `at`."""
    return copied(g, nodes, {("var", k): at}, g)


def quotient(g: ExactGraph, root: int, k: int, at: int) -> int | None:
    """Return the node of (h(x) - h(c)) / (x_k - c), h the root and c the node `at`; None where there is no rule."""
    order = g.reachable([root])
    there = dict(zip(order, on_plane(g, order, k, at), strict=True))
    distance = g.sub(g.node("var", k), at)
    found: dict[int, int | None] = {}
    depends: set[int] = set()
    for node in order:
        op, args = g.op[node], g.args[node]
        if op == "var" and args[0] == k:
            depends.add(node)
            found[node] = g.one
        elif depends.isdisjoint(g.operands(node)):
            found[node] = g.zero
        else:
            depends.add(node)
            found[node] = _ruled(g, node, there, found, distance)
    return found[root]


def _ruled(g: ExactGraph, node: int, there: dict[int, int], found: dict[int, int | None], distance: int) -> int | None:
    op, args = g.op[node], g.args[node]
    parts = [found[arg] for arg in g.operands(node)]
    if op == "add":
        terms = [part for part in parts if part is not None]
        return g.add(terms) if len(terms) == len(parts) else None
    if op == "neg":
        return None if parts[0] is None else g.neg(parts[0])
    if op == "mul":
        first = _two(g, parts[0], args[1], there[args[0]], parts[1])
        return _two(g, parts[1], args[0], there[args[1]], parts[0]) if first is None else first
    if op == "div":
        rest = _two(g, parts[0], g.one, g.neg(g.div(there[args[0]], there[args[1]])), parts[1])
        return None if rest is None else g.div(rest, args[1])
    if op == "ipow" and parts[0] is not None:
        base, power = args
        value = there[base]
        terms = [g.mul(_power(g, base, power - 1 - j), _power(g, value, j)) for j in range(power)]
        return g.mul(parts[0], g.add(terms))
    if op == "call:sqrt" and parts[0] is not None:
        return g.div(parts[0], g.add([node, there[node]]))
    if op == "call:rncrn_s" and parts[0] is not None and parts[1] == parts[2] == g.zero:
        # t s^2 - z s - c = 0 of s, c and t the same: (s - s0) (t s0 + c / s) = s0 (z - z0)
        _, c, t = args
        return g.div(g.mul(parts[0], there[node]), g.add([g.mul(t, there[node]), g.div(c, node)]))
    if op in ("call:exp", "call:tanh") and parts[0] is not None:
        way = g.mul(distance, parts[0])
        if op == "call:exp":
            return g.mul(parts[0], g.mul(there[node], _mean(g, way)))
        # tanh a - tanh b = tanh(a - b) (1 - tanh a tanh b), and tanh w = 2 w m(-2 w) / (1 + exp(-2 w))
        back = g.mul(g.const(-2.0), way)
        ratio = g.div(g.mul(g.const(2.0), _mean(g, back)), g.add([g.one, g.call("exp", (back,))]))
        return g.mul(parts[0], g.mul(ratio, g.sub(g.one, g.mul(node, there[node]))))
    return None


def _mean(g: ExactGraph, w: int) -> int:
    return g.call("expmean", (g.zero, w))


def _two(g: ExactGraph, a: int | None, b: int, c: int, d: int | None) -> int | None:
    """Return a b + c d, where a factor that is zero makes up for an unknown one."""
    if a is None or (d is None and c != g.zero):
        return None
    return g.mul(a, b) if c == g.zero or d is None else g.add([g.mul(a, b), g.mul(c, d)])


def _power(g: ExactGraph, base: int, exponent: int) -> int:
    return g.power(base, g.const(exponent))

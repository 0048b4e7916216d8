"""Derivatives of a graph by automatic differentiation: the sparse Jacobian, and directional ones of any order.

And what rounding makes of it: bounds of the errors of its values.
"""

from collections.abc import Mapping
from math import comb
from types import MappingProxyType

from bifrncrn.compile.functions import FUNCTIONS, INNER
from bifrncrn.compile.graph import Graph

NONE: Mapping[int, int] = MappingProxyType({})


def partial(g: Graph, node: int, i: int) -> int:
    """Return the derivative of a node by its i-th argument (not for `add`, `mulz`, `where`, `min` and `max`)."""
    op, args = g.op[node], g.args[node]
    if op == "mul":
        return args[1 - i]
    if op == "neg":
        return g.const(-1.0)
    if op == "div":
        inverse = g.div(g.one, args[1])
        return inverse if i == 0 else g.neg(g.mul(node, inverse))
    if op == "ipow":
        base, exponent = args
        return g.mul(g.const(exponent), g.power(base, g.const(exponent - 1)))
    if op == "pow":
        return _partial_of_power(g, node, i)
    rule = (FUNCTIONS | INNER)[op.removeprefix("call:")].partial
    assert rule is not None
    return rule(g, node, args, i)


def _partial_of_power(g: Graph, node: int, i: int) -> int:
    """Differentiate a ** b; finite at a = 0 wherever the limit is (a Hill exponent that is a parameter, x = 0)."""
    a, b = g.args[node]
    if i == 0:
        return g.mulz(b, g.power(a, g.sub(b, g.one)))
    logarithm = g.call("log", (a,))
    return g.mul(node, logarithm) if g.value(a) is not None else g.mulz(node, logarithm)


def _branches(g: Graph, node: int) -> tuple[int, int, int] | None:
    """Return (c, a, b) when a node equals a where c >= 0 and b elsewhere."""
    op, args = g.op[node], g.args[node]
    if op == "where":
        return args[0], args[1], args[2]
    if op == "call:min":
        return g.sub(args[0], args[1]), args[1], args[0]
    if op == "call:max":
        return g.sub(args[0], args[1]), args[0], args[1]
    return None


def jacobian(g: Graph, roots: list[int], moved: Mapping[int, int] = NONE) -> list[dict[int, int]]:
    """Return for every root its structurally nonzero derivatives by the variables, {variable: node}.

    `moved` are parameters that count as variables too, {parameter: variable}.

    Sparse forward propagation: a node carries the derivatives by the variables it depends on and no others, so
    expressions shared between equations are differentiated once.
    """
    tangents: dict[int, dict[int, int]] = {}
    nothing: dict[int, int] = {}
    for node in g.reachable(roots):
        tangent = _tangent(g, node, tangents, moved)
        if tangent:
            tangents[node] = tangent
    return [dict(sorted(tangents.get(root, nothing).items())) for root in roots]


def _tangent(g: Graph, node: int, known: dict[int, dict[int, int]], moved: Mapping[int, int] = NONE) -> dict[int, int]:
    op = g.op[node]
    if op == "var":
        return {g.args[node][0]: g.one}
    if op == "par" and g.args[node][0] in moved:
        return {moved[g.args[node][0]]: g.one}
    branches = _branches(g, node)
    if branches is not None:
        c, a, b = branches
        left, right = known.get(a, {}), known.get(b, {})
        return {k: g.where(c, left.get(k, g.zero), right.get(k, g.zero)) for k in left | right}
    parts = [(i, known[arg]) for i, arg in enumerate(g.operands(node)) if arg in known]
    if op != "add" and len(parts) == 1:
        i, tangent = parts[0]
        return _nonzero(g, {k: _times_partial(g, node, i, t) for k, t in tangent.items()})
    terms: dict[int, list[int]] = {}
    for i, tangent in parts:
        for k, t in tangent.items():
            terms.setdefault(k, []).append(t if op == "add" else _times_partial(g, node, i, t))
    return _nonzero(g, {k: g.add(parts) for k, parts in terms.items()})


def _times_partial(g: Graph, node: int, i: int, tangent: int) -> int:
    """Return the derivative of a node by its i-th argument, times that argument's own derivative."""
    if g.op[node] == "mulz":
        first, other = g.args[node]
        return g.mulz(tangent, other) if i == 0 else g.mulz(first, tangent)
    return _chained(g, partial(g, node, i), tangent)


def _chained(g: Graph, outer: int, inner: int) -> int:
    """Return the product of the derivatives of a function and of its argument.

    It is zero where a choice holds the argument still, even if the function is steep there: sqrt(max(x, 0)) at x < 0.
    Where the argument's derivative is zero of itself it is not: sqrt(x^2) at x = 0.
    """
    product = g.mul(outer, inner)
    return g.mulz(g.chosen(inner), product) if inner in g.vanishing else product


def _nonzero(g: Graph, tangent: dict[int, int]) -> dict[int, int]:
    return {k: t for k, t in tangent.items() if t != g.zero}


class Directional:
    """Derivatives of f(x + e dx, p + e dp) by e at e = 0, as nodes of the same graph.

    Every derivative follows from those of lower order by Leibniz' rule, so the third costs a small multiple of the
    first. Structural zeros are never computed.

    Parameters
    ----------
    g : Graph
    state, parameters : bool
        Which of the two directions are there (dx and dp).
    moved : mapping of int to int
        Parameters whose direction stands in dx, at these places.
    """

    def __init__(self, g: Graph, *, state: bool, parameters: bool, moved: Mapping[int, int] = NONE) -> None:
        self.g = g
        self._moved = moved
        self._seeds = {"var": "dvar"} if state else {}
        if parameters:
            self._seeds["par"] = "dpar"
        self._known: dict[tuple[int, int], int] = {}

    def derivatives(self, roots: list[int], orders: int) -> list[list[int]]:
        """Return the derivatives of the roots, one list per order from 1 on."""
        for node in self.g.reachable(roots):  # ascending: what a node needs is known, so recursion stays shallow
            for k in range(1, orders + 1):
                self._order(node, k)
        return [[self._order(root, k) for root in roots] for k in range(1, orders + 1)]

    def _order(self, node: int, k: int) -> int:
        if k == 0:
            return node
        found = self._known.get((node, k))
        if found is None:
            found = self._known[node, k] = self._derive(node, k)
        return found

    def _derive(self, node: int, k: int) -> int:
        g, op, args = self.g, self.g.op[node], self.g.args[node]
        if op in ("const", "var", "par", "dvar", "dpar"):
            if op == "par" and args[0] in self._moved:
                return g.node("dvar", self._moved[args[0]]) if k == 1 else g.zero
            seed = self._seeds.get(op)
            return g.node(seed, args[0]) if seed and k == 1 else g.zero
        if op == "add":
            return g.add([self._order(arg, k) for arg in args])
        if op == "neg":
            return g.neg(self._order(args[0], k))
        if op in ("mul", "mulz"):
            return self._product(args[0], args[1], k, guarded=op == "mulz")
        if op == "div":
            return self._quotient(node, k)
        branches = _branches(g, node)
        if branches is not None:
            return g.where(branches[0], self._order(branches[1], k), self._order(branches[2], k))
        return self._chain(node, k)

    def _product(self, a: int, b: int, k: int, guarded: bool) -> int:
        g = self.g
        multiply = g.mulz if guarded else g.mul
        terms = []
        for j in range(k + 1):
            left, right = self._order(a, k - j), self._order(b, j)
            if left != g.zero and right != g.zero:
                terms.append(g.mul(g.const(comb(k, j)), multiply(left, right)))
        return g.add(terms)

    def _quotient(self, node: int, k: int) -> int:
        """Solve the Leibniz rule of (a/b) b = a for the highest derivative of a/b."""
        g = self.g
        a, b = g.args[node]
        terms = [self._order(a, k)]
        for j in range(k):
            product = g.mul(self._order(node, j), self._order(b, k - j))
            terms.append(g.neg(g.mul(g.const(comb(k, j)), product)))
        return g.mul(g.add(terms), g.div(g.one, b))

    def _chain(self, node: int, k: int) -> int:
        """Differentiate w' = sum of (dw/da) a' over the arguments k - 1 times."""
        g = self.g
        terms = []
        for i, arg in enumerate(g.operands(node)):
            for j in range(k):
                inner = self._order(arg, k - j)
                if inner == g.zero:
                    continue
                outer = self._order(partial(g, node, i), j)
                # log(a) in the derivative by an exponent must not spoil a direction that leaves the exponent alone
                guarded = g.op[node] == "pow" and i == 1
                product = g.mulz(inner, outer) if guarded else _chained(g, outer, inner)
                terms.append(g.mul(g.const(comb(k - 1, j)), product))
        return g.add(terms)


def rounding(g: Graph, roots: list[int]) -> list[int]:
    """Return nodes that bound the rounding errors of the roots, in units of the relative rounding error of a number.

    Running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, 3.3): variables and parameters are
    known to their last digit, every operation adds the rounding of its result and hands on those of its operands.
    """
    bounds: dict[int, int] = {}
    for node in g.reachable(roots):
        bounds[node] = _bound(g, node, bounds)
    return [bounds[root] for root in roots]


def _bound(g: Graph, node: int, known: dict[int, int]) -> int:
    op, args = g.op[node], g.args[node]
    if op == "const":
        return g.zero
    size = g.call("abs", (node,))
    if op in ("var", "par", "dvar", "dpar"):
        return size
    if op == "neg":
        return known[args[0]]
    if op == "add":
        own = [size] if len(args) == 2 else [g.call("abs", (arg,)) for arg in args]
        return g.add([*own, *(known[arg] for arg in args)])
    branches = _branches(g, node)
    if branches is not None:
        return g.where(branches[0], known[branches[1]], known[branches[2]])
    parts = [(i, known[arg]) for i, arg in enumerate(g.operands(node)) if known[arg] != g.zero]
    slopes = [(args[1 - i] if op == "mulz" else partial(g, node, i), bound) for i, bound in parts]
    return g.add([size, *(g.mulz(bound, g.call("abs", (slope,))) for slope, bound in slopes)])

"""Jets in Arb's ball arithmetic: what the checker of proofs knows of a model.

Written independently of the engine's intervals and derivatives; only the model's expression graph is taken as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np


class UnknownError(Exception):
    """The model has something in it that the checker does not know; it says what."""


class Jet:
    """A ball with first derivatives, an array of balls, and second ones, a matrix; None where they are not wanted."""

    def __init__(self, v: Any, d: Any = None, h: Any = None) -> None:
        self.v, self.d, self.h = v, d, h

    def chain(self, f: Any, f1: Any, f2: Any) -> Jet:
        """Return f(self), given f and its derivatives at the value."""
        h = None if self.h is None else f2 * np.outer(self.d, self.d) + f1 * self.h
        return Jet(f, None if self.d is None else f1 * self.d, h)

    def __add__(self, o: Jet) -> Jet:
        d = None if self.d is None else self.d + o.d
        return Jet(self.v + o.v, d, None if self.h is None else self.h + o.h)

    def __mul__(self, o: Jet) -> Jet:
        d, h = None if self.d is None else self.d * o.v + o.d * self.v, None
        if self.h is not None:
            h = self.h * o.v + o.h * self.v + np.outer(self.d, o.d) + np.outer(o.d, self.d)
        return Jet(self.v * o.v, d, h)

    def __neg__(self) -> Jet:
        return self.chain(-self.v, -1, 0)

    def __truediv__(self, o: Jet) -> Jet:
        r = 1 / o.v
        return self * o.chain(r, -r * r, 2 * r * r * r)

    def power(self, k: int) -> Jet:
        """Return a whole power; of a ball that holds zero python-flint's is nan, a product is not."""
        p = [1, 1, self.v]
        for _ in range(k):
            p.append(p[-1] * self.v)
        return self.chain(p[k + 1], k * p[k] if k else 0, k * (k - 1) * p[k - 1] if k > 1 else 0)

    def is_zero(self) -> bool:
        """Say whether it is zero exactly, with its derivatives."""
        parts = [self.v, *([] if self.d is None else self.d), *([] if self.h is None else self.h.flat)]
        return all(bool(x == 0) for x in parts)


FUNCTIONS: dict[str, Callable[[Any], tuple[Any, Any, Any]]] = {
    "exp": lambda x: (x.exp(),) * 3,
    "log": lambda x: (x.log(), 1 / x, -1 / (x * x)),
    "sqrt": lambda x: (x.sqrt(), 1 / (2 * x.sqrt()), -1 / (4 * x * x.sqrt())),
    "sin": lambda x: (x.sin(), x.cos(), -x.sin()),
    "cos": lambda x: (x.cos(), -x.sin(), -x.cos()),
    "sinh": lambda x: (x.sinh(), x.cosh(), x.sinh()),
    "cosh": lambda x: (x.cosh(), x.sinh(), x.cosh()),
    "tanh": lambda x: (x.tanh(), 1 - x.tanh() * x.tanh(), -2 * x.tanh() * (1 - x.tanh() * x.tanh())),
}
"""Every function of one argument that is known here, with its first two derivatives."""


class Model:
    """The equations of one part of the equilibria on boxes, lists of (low, high): the states, then the parameter.

    `planes` are the places c of invariant planes by state; the part lies on those of `on` and off the others.
    """

    functions = FUNCTIONS

    def __init__(self, system: Any, proof: dict[str, Any], planes: dict[int, float], on: frozenset[int]) -> None:
        from flint import arb, ctx

        ctx.prec = 80
        self.arb, self.n, self.planes, self.on = arb, len(system.variables), planes, on
        self.system, self.proof = system, proof
        self.g, self.roots = system.native.graph
        self.order = self.g.reachable(list(self.roots))
        self.varied = system.parameter_index(proof["parameter"])
        self.values = {system.parameter_index(p): self.ball(side) for p, side in proof["values"].items()}

    def ball(self, side: Any) -> Any:
        """Return a ball that holds an interval."""
        return self.arb(float(side[0])).union(self.arb(float(side[1])))

    def nodes(self, box: Any, order: int, plane: int | None = None) -> dict[int, Jet]:
        """Return jets of all nodes, with derivatives up to an order; on the plane of a state, if one is given."""
        m = self.n + 1
        unit = np.array([[self.arb(int(i == k)) for k in range(m)] for i in range(m)], object)
        flat, none = (unit[0] * 0 if order else None), (unit * 0 if order > 1 else None)
        made: dict[int, Jet] = {}
        for node in self.order:
            op, args = self.g.op[node], self.g.args[node]
            if op == "const":
                made[node] = Jet(self.arb(args[0]), flat, none)
            elif op == "var" and args[0] == plane:
                made[node] = Jet(self.arb(self.planes[args[0]]), flat, none)
            elif op == "var" or (op == "par" and args[0] == self.varied):
                k = args[0] if op == "var" else self.n
                made[node] = Jet(self.ball(box[k]), unit[k] if order else None, none)
            elif op == "par":
                made[node] = Jet(self.values[args[0]], flat, none)
            else:
                made[node] = self.operation(op, args, [made[a] for a in self.g.operands(node)])
        return made

    def operation(self, op: str, args: Any, a: list[Jet]) -> Jet:
        """Return the jet of one operation."""
        name = op.removeprefix("call:")
        if op in ("add", "neg"):
            return -a[0] if op == "neg" else sum(a[1:], a[0])
        if op in ("mul", "mulz"):
            return a[0] * a[1]
        if op in ("div", "ipow"):
            return a[0] / a[1] if op == "div" else a[0].power(args[1])
        if op == "pow":
            return self.operation("exp", None, [a[1] * self.operation("log", None, [a[0]])])
        if name == "rncrn_s":
            return a[0].chain(*self.perceptron(a[0].v, a[1].v, a[2].v))  # gamma and tau do not vary
        if name not in self.functions:
            raise UnknownError(f"the checker does not know {name}")
        return a[0].chain(*self.functions[name](a[0].v))

    def perceptron(self, z: Any, gamma: Any, tau: Any) -> tuple[Any, Any, Any]:
        """Return s, s' and s''."""
        return _perceptron(z, gamma, tau)

    def f(self, box: Any, order: int = 1) -> list[Jet]:
        """Return jets of the part's equations: x_k - c on a plane, f_k / (x_k - c) off it."""
        here = self.nodes(box, order)
        out = [here[root] for root in self.roots]
        for k in self.planes:
            out[k] = self.distance(box, k, order) if k in self.on else self.quotient(box, k, order, here)
        return out

    def distance(self, box: Any, k: int, order: int) -> Jet:
        """Return the jet of x_k - c."""
        d = np.array([self.arb(int(i == k)) for i in range(self.n + 1)], object)
        flat = None if order < 2 else np.outer(d, d) * 0
        return Jet(self.ball(box[k]) - self.arb(self.planes[k]), d if order else None, flat)

    def quotient(self, box: Any, k: int, order: int, here: dict[int, Jet]) -> Jet:
        """Return the jet of f_k / (x_k - c), for f_k that is exactly zero on the plane."""
        there, root = self.nodes(box, order, k), self.roots[k]
        one = self.distance(box, k, order)
        one.v = self.arb(1)
        one.d = None if one.d is None else one.d * 0
        found: dict[int, Jet | str | None] = {}  # None is zero, a string what cannot be divided

        def total(*terms: tuple[Any, Jet]) -> Any:
            parts = [(a, b) for a, b in terms if a is not None and not b.is_zero()]
            bad = [a for a, _ in parts if isinstance(a, str)]
            return bad[0] if bad else sum((a * b for a, b in parts[1:]), parts[0][0] * parts[0][1]) if parts else None

        for node in self.g.reachable([root]):
            op, args = self.g.op[node], self.g.args[node]
            q = [found[a] for a in self.g.operands(node)]
            if op == "var" and args[0] == k:
                found[node] = one
            elif all(part is None for part in q):
                found[node] = None
            elif op in ("add", "neg"):
                found[node] = total(*((part, one if op == "add" else -one) for part in q))
            elif op in ("mul", "mulz"):
                found[node] = total((q[0], here[args[1]]), (q[1], there[args[0]]))
            elif op == "div":
                inverse = one / here[args[1]]
                found[node] = total((q[0], inverse), (q[1], -there[node] * inverse))
            elif op == "ipow":
                a, c, p = here[args[0]], there[args[0]], args[1]
                found[node] = total((q[0], sum((a.power(p - 1 - j) * c.power(j) for j in range(1, p)), a.power(p - 1))))
            else:
                found[node] = op
        result = Jet(one.v * 0, one.d, one.h) if found[root] is None else found[root]
        if not there[root].is_zero() or not isinstance(result, Jet):
            raise UnknownError(
                f"the checker cannot divide the equation of state {k + 1} by its distance from the plane"
            )
        return result

    def tests(self, box: Any) -> tuple[dict[str, Jet], Any]:
        """Return what vanishes at special points, with first derivatives, and the squared frequency."""
        n = self.n
        here = self.nodes(box, 2)
        rows = [[Jet(here[r].d[k], here[r].h[k]) for k in range(n)] for r in self.roots]
        own = [[Jet(e.d[k], e.h[k]) for k in range(n)] for e in self.f(box, 2)] if self.planes else rows
        sums = []
        for size in range(1, n + 1):
            minors = [_det([[rows[i][k] for k in c] for i in c]) for c in itertools.combinations(range(n), size)]
            sums.append(sum(minors[1:], minors[0]))
        found = {"LP": _det(own)} | {f"BP{k}": self.quotient(box, k, 1, self.nodes(box, 1)) for k in self.on}
        if n > 1:
            found["HB"] = sums[0] if n == 2 else sums[0] * sums[1] + -sums[2]
        return found, sums[1].v if n > 1 else None


def _perceptron(z: Any, gamma: Any, tau: Any) -> tuple[Any, Any, Any]:
    """Return s, s' and s'' of tau s^2 - z s - gamma = 0, s > 0; s and s' increase with z, so their ends suffice."""
    ends = []
    for x in (type(z)(z.lower()), type(z)(z.upper())):
        q = (x * x + 4 * gamma * tau).sqrt()
        s = (x + q) / (2 * tau) if x > 0 else 2 * gamma / (q - x)
        ends.append((s, s / q))
    (s, slope), (t, steep) = ends
    q = (z * z + 4 * gamma * tau).sqrt()
    return s.union(t), slope.union(steep), 2 * gamma / (q * q * q)


def _det(a: list[list[Jet]]) -> Jet:
    if len(a) == 1:
        return a[0][0]
    terms = [x * _det([[*row[:k], *row[k + 1 :]] for row in a[1:]]) for k, x in enumerate(a[0])]
    return sum((-t if k % 2 else t for k, t in enumerate(terms[1:], 1)), terms[0])

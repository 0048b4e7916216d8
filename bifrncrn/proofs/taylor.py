"""Taylor coefficients of trajectories, with derivatives by the start, enclosed over boxes of starts.

Of x' = s f(x) the coefficient x_(k+1) is s f_k / (k + 1), f_k the coefficients of f along the trajectory. They come
from those of every operation in turn: of a product by Cauchy's rule, of a function y = F(u) from y' = F'(u) u', which
gives k y_k = sum of j u_j G_(k-j), G = F'(u): a formula whose own coefficients are needed up to k - 1 only (Moore,
Kearfott and Cloud, Introduction to Interval Analysis, 9.3). Numbers are balls; compiled code encloses y_0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.compile.derivatives import jacobian, partial
from bifrncrn.compile.exact import ExactGraph, copied
from bifrncrn.compile.functions import CALL
from bifrncrn.compile.interval_model import IntervalFunction
from bifrncrn.proofs.balls import Ball, added, convolved, divided, inverse, met, scaled
from bifrncrn.proofs.rounding import above, down, midpoint, radius, size, up

if TYPE_CHECKING:
    from bifrncrn.models.system import System

_ROUGH_FUNCTIONS = ("abs", "sign", "heaviside", "floor", "ceil", "mod", "min", "max")
ROUGH = frozenset({"where", *(CALL + name for name in _ROUGH_FUNCTIONS)})
"""Operations with corners or jumps: a trajectory that crosses one has no Taylor series there."""
MOST_SLOPES = 500
"""With more functions among the derivatives of functions the series of derivatives does not end (a Bessel function)."""

Bounds = tuple[np.ndarray, np.ndarray]
Slopes = dict[int, list[tuple[int, int]]]


class Taylor:
    """Expansions of the trajectories of one system, for all values of its parameters between bounds (m,).

    Attributes
    ----------
    n : int

    Raises
    ------
    InputError
        If the model has corners or jumps, or a function without an enclosure.
    """

    def __init__(self, system: System, bounds: Bounds) -> None:
        self.n, self._bounds = len(system.variables), bounds
        self._g = ExactGraph()
        g, roots = system.native.graph
        pairs = enumerate(zip(*bounds, strict=True))
        values = {("par", i): self._g.const(float(low)) for i, (low, high) in pairs if low == high}
        self._roots = copied(g, roots, values, self._g)
        self._slopes = _slopes(self._g, self._roots)
        targets = [*self._roots, *(node for pairs in self._slopes.values() for _, node in pairs)]
        self._order = self._g.reachable(targets)
        # at the start the values of the functions and of their slopes are enclosed by compiled code
        inner = (node for found in self._slopes.values() for _, node in found)
        self._listed = list(dict.fromkeys([*self._slopes, *inner]))
        self._known = IntervalFunction(self._g, self._listed, self.n) if self._listed else None
        rows = [[row.get(k, self._g.zero) for k in range(self.n)] for row in jacobian(self._g, self._roots)]
        self._field = IntervalFunction(self._g, [*self._roots, *(node for row in rows for node in row)], self.n)
        self._still = _still(self._g, self._order)

    def field(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds of f over boxes (k, n): its own, and f(m) + f'(E) (E - m), where the terms of sums cancel."""
        n = self.n
        below, over = self._field(low, high, self._bounds)
        middle = midpoint(low, high)
        at = self._field(middle, middle, self._bounds)
        slopes = size(below[:, n:], over[:, n:]).reshape(-1, n, n)
        reach = above((slopes @ radius(low, high, middle)[:, :, None])[:, :, 0], n)
        b_low, b_high = down(at[0][:, :n] - reach), up(at[1][:, :n] + reach)
        return np.maximum(below[:, :n], b_low), np.minimum(over[:, :n], b_high)

    def coefficients(self, start: Ball, speed: Ball, order: int, about: list[Ball] | None = None) -> list[Ball]:
        """Return the coefficients 0 to `order` of trajectories of x' = s f(x).

        Parameters
        ----------
        start : (k, n) balls
        speed : (k, 1) balls, s
        about : list of balls, optional
            The coefficients at the middles of the starts: with x_k(m) + D x_k(E) (E - m) wide boxes are sharper.

        Returns
        -------
        list of (n, 1 + n, k) balls: every state with its derivatives by the start
        """
        count, n = start.m.shape
        first = Ball(np.zeros((n, n + 1, count)), np.zeros((n, n + 1, count)))
        first.m[:, 0], first.r[:, 0] = start.m.T, start.r.T
        first.m[range(n), range(1, n + 1)] = 1.0
        pace = Ball(speed.m.T, speed.r.T)
        series = _Series(self._g, self._slopes, self._still, (order, n + 1, count))
        series.values, series.bounds = self._values(start), self._bounds
        out = [first]
        for k in range(order):
            for node in self._order:
                series.extend(node, k, out[k])
            found = [divided(scaled(series.at(root, k), pace), k + 1) for root in self._roots]
            made = Ball(np.stack([part.m for part in found]), np.stack([part.r for part in found]))
            out.append(made if about is None else _sharper(made, about[k + 1], start))
        return out

    def _values(self, start: Ball) -> dict[int, Ball]:
        """Return the values (k, 1) of the functions, and of their slopes, at the start, (1, k)."""
        if self._known is None:
            return {}
        low, high = self._known(*start.ends(), self._bounds)
        return {node: Ball.between(low[None, :, i], high[None, :, i]) for i, node in enumerate(self._listed)}


def _sharper(made: Ball, about: Ball, start: Ball) -> Ball:
    """Return coefficients (n, 1 + n, k) with values that are cut to those by the mean value theorem."""
    reach = above((made[:, 1:].most() * start.r.T).sum(axis=1), made.m.shape[0])
    value = met(made[:, 0], Ball(about.m[:, 0], above(about.r[:, 0] + reach, 1)))
    made.m[:, 0], made.r[:, 0] = value.m, value.r
    return made


class _Series:
    """The coefficients of every operation, so far."""

    def __init__(self, g: ExactGraph, slopes: Slopes, still: set[int], shape: tuple[int, int, int]) -> None:
        self._g, self._slopes, self._still, self._shape = g, slopes, still, shape
        self._made: dict[int, Ball] = {}
        self._inverses: dict[int, Ball] = {}
        self.values: dict[int, Ball] = {}
        self.bounds: Bounds = (np.zeros(0), np.zeros(0))

    def at(self, node: int, k: int) -> Ball:
        """Return one coefficient."""
        return self._made[node][k]

    def extend(self, node: int, k: int, states: Ball) -> None:
        """Compute coefficient k of an operation; those of the states are given, (n, 1 + n, count)."""
        if k and node in self._still:
            return
        if node not in self._made:
            self._made[node] = Ball(np.zeros(self._shape), np.zeros(self._shape))
        found = self._coefficient(node, k, states)
        self._made[node].m[k], self._made[node].r[k] = found.m, found.r

    def _coefficient(self, node: int, k: int, states: Ball) -> Ball:
        op, args = self._g.op[node], self._g.args[node]
        if op in ("const", "par"):
            sides = (args[0], args[0]) if op == "const" else (side[args[0]] for side in self.bounds)
            number = Ball.between(*(np.array([side]) for side in sides))
            found = Ball(np.zeros(self._shape[1:]), np.zeros(self._shape[1:]))
            found.m[0], found.r[0] = number.m, number.r
            return found
        if op == "var":
            return states[args[0]]
        if op == "add":
            return added(*(self.at(arg, k) for arg in args))
        if op == "neg":
            return -self.at(args[0], k)
        if op in ("mul", "mulz"):
            return self._product(args[0], args[1], k)
        if op == "div":
            return self._quotient(node, args[0], args[1], k)
        return self._function(node, k)

    def _product(self, a: int, b: int, k: int) -> Ball:
        """Return the sum of a_j b_(k-j)."""
        if b in self._still:
            a, b = b, a
        last = 1 if a in self._still else k + 1
        return convolved(self._made[a][:last], self._made[b][k - last + 1 : k + 1][::-1])

    def _quotient(self, node: int, a: int, b: int, k: int) -> Ball:
        """Return (a_k - sum of b_j c_(k-j), j from 1 on) / b_0."""
        if k == 0:
            self._inverses[node] = inverse(self.at(b, 0))
        top = self.at(a, k)
        if k and b not in self._still:
            top = added(top, -convolved(self._made[b][1 : k + 1], self._made[node][:k][::-1]))
        return convolved(top[None], self._inverses[node][None])

    def _function(self, node: int, k: int) -> Ball:
        pairs = self._slopes[node]
        if k:
            weights = np.arange(1.0, k + 1.0)
            sums = [convolved(self._made[a][1 : k + 1], self._made[g][:k][::-1], weights) for a, g in pairs]
            return divided(added(*sums), k)
        value = self.values[node]
        terms = [scaled(self.at(a, 0)[1:], self.values[g]) for a, g in pairs]
        slopes = added(*terms) if terms else Ball.exact(np.zeros((self._shape[1] - 1, self._shape[2])))
        return Ball(np.concatenate([value.m, slopes.m]), np.concatenate([value.r, slopes.r]))


def _slopes(g: ExactGraph, roots: list[int]) -> Slopes:
    """Return, for every function that is needed, its arguments that move and the nodes of its derivatives by them."""
    found: Slopes = {}
    targets = list(roots)
    while True:
        order = g.reachable(targets)
        rough = [g.op[node].removeprefix(CALL) for node in order if g.op[node] in ROUGH]
        if rough:
            raise InputError(f"nothing can be proved about cycles of a model with corners or jumps ({rough[0]})")
        still = _still(g, order)
        new = [node for node in order if _is_function(g, node) and node not in found]
        if not new:
            return found
        if len(found) + len(new) > MOST_SLOPES:
            raise InputError("nothing can be proved about cycles: the derivatives of its functions come to no end")
        for node in new:
            moving = [(i, a) for i, a in enumerate(g.operands(node)) if a not in still]
            found[node] = [(a, _slope(g, node, i)) for i, a in moving]
            targets += [slope for _, slope in found[node]]


def _is_function(g: ExactGraph, node: int) -> bool:
    return g.op[node] in ("ipow", "pow") or g.op[node].startswith(CALL)


def _slope(g: ExactGraph, node: int, i: int) -> int:
    """Return the derivative of a function; of a power of a base that is not zero, in terms of that power."""
    if g.op[node] != "pow":
        return partial(g, node, i)
    a, b = g.args[node]
    return g.div(g.mul(b, node), a) if i == 0 else g.mul(node, g.call("log", (a,)))


def _still(g: ExactGraph, order: list[int]) -> set[int]:
    """Return the nodes that no state is in."""
    still: set[int] = set()
    for node in order:
        if g.op[node] != "var" and all(operand in still for operand in g.operands(node)):
            still.add(node)
    return still

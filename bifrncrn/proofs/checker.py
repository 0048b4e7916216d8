"""Check a proof again, independently: Arb's ball arithmetic, jets of its own, nothing of the engine but the model.

    python -m bifrncrn.proofs.checker MODEL PROOF.json

Of a proof about a box (schema `bifrncrn.proof/1`) it takes the tubes as suggestions, and verifies for itself: each
tube holds one curve (Krawczyk's operator); every equilibrium in the box lies in a tube; the tubes join to the stated
number of curves; on the curves there is a special point where one is listed, to 1e-8, and no other. The model is read
by this package, and its expression graph taken as it is; constants are doubles. Needs python-flint (the extra `proof`);
slow, as it is written to be read. Exit code 0 if all was verified, 1 if not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

CUT = 0.4871
NEAR = 1e-8
MOST = 5_000_000


class Jet:
    """A ball with its first (and second) derivatives by m variables."""

    def __init__(self, v: Any, d: list[Any], h: list[list[Any]] | None) -> None:
        self.v, self.d, self.h = v, d, h

    def chain(self, f: Any, f1: Any, f2: Any) -> Jet:
        """Return f(self), given f and its derivatives at the value."""
        d, m = self.d, range(len(self.d))
        h = None if self.h is None else [[f2 * d[i] * d[k] + f1 * self.h[i][k] for k in m] for i in m]
        return Jet(f, [f1 * x for x in d], h)

    def __add__(self, other: Jet) -> Jet:
        m = range(len(self.d))
        h = None if self.h is None or other.h is None else [[self.h[i][k] + other.h[i][k] for k in m] for i in m]
        return Jet(self.v + other.v, [a + b for a, b in zip(self.d, other.d, strict=True)], h)

    def __neg__(self) -> Jet:
        return Jet(-self.v, [-a for a in self.d], None if self.h is None else [[-a for a in row] for row in self.h])

    def __mul__(self, other: Jet) -> Jet:
        a, b, m = self, other, range(len(self.d))
        h = None
        if a.h is not None and b.h is not None:
            h = [[a.h[i][k] * b.v + a.d[i] * b.d[k] + a.d[k] * b.d[i] + a.v * b.h[i][k] for k in m] for i in m]
        return Jet(a.v * b.v, [x * b.v + a.v * y for x, y in zip(a.d, b.d, strict=True)], h)

    def inverse(self) -> Jet:
        """Return 1 / self."""
        r = 1 / self.v
        return self.chain(r, -r * r, 2 * r * r * r)


def _functions() -> dict[str, Callable[[Any], tuple[Any, Any, Any]]]:
    """Return f, f' and f'' of every function of one argument."""

    def tanh(x: Any) -> tuple[Any, Any, Any]:
        t = x.tanh()
        return t, 1 - t * t, -2 * t * (1 - t * t)

    def sqrt(x: Any) -> tuple[Any, Any, Any]:
        s = x.sqrt()
        return s, 1 / (2 * s), -1 / (4 * s * s * s)

    def atan(x: Any) -> tuple[Any, Any, Any]:
        r = 1 / (1 + x * x)
        return x.atan(), r, -2 * x * r * r

    return {
        "exp": lambda x: (x.exp(), x.exp(), x.exp()),
        "log": lambda x: (x.log(), 1 / x, -1 / (x * x)),
        "sin": lambda x: (x.sin(), x.cos(), -x.sin()),
        "cos": lambda x: (x.cos(), -x.sin(), -x.cos()),
        "sinh": lambda x: (x.sinh(), x.cosh(), x.sinh()),
        "cosh": lambda x: (x.cosh(), x.sinh(), x.cosh()),
        "tanh": tanh,
        "sqrt": sqrt,
        "atan": atan,
    }


class Model:
    """f with its derivatives on boxes, lists of (low, high): the states, then the parameter."""

    def __init__(self, system: Any, proof: dict[str, Any]) -> None:
        from flint import arb, ctx

        ctx.prec = 80
        self.arb, self.n = arb, len(system.variables)
        self.g, self.roots = system.native.graph
        self.order = self.g.reachable(list(self.roots))
        self.varied = system.parameter_index(proof["parameter"])
        names = [p for p in system.parameters if p != proof["parameter"]]
        self.values = {system.parameter_index(p): self.ball(proof["values"][p]) for p in names}
        self.functions = _functions()

    def ball(self, side: Any) -> Any:
        """Return a ball that holds an interval."""
        return self.arb(float(side[0])).union(self.arb(float(side[1])))

    def f(self, box: Any, second: bool = False) -> list[Jet]:
        """Return jets of the right-hand sides."""
        m, zero, one = self.n + 1, self.arb(0), self.arb(1)
        none = [[zero] * m for _ in range(m)] if second else None
        flat = [zero] * m
        made: dict[int, Jet] = {}
        for node in self.order:
            op, args = self.g.op[node], self.g.args[node]
            if op == "const":
                made[node] = Jet(self.arb(args[0]), flat, none)
            elif op == "var" or (op == "par" and args[0] == self.varied):
                k = args[0] if op == "var" else self.n
                made[node] = Jet(self.ball(box[k]), [one if i == k else zero for i in range(m)], none)
            elif op == "par":
                made[node] = Jet(self.values[args[0]], flat, none)
            else:
                made[node] = self._operation(op, args, [made[a] for a in self.g.operands(node)], Jet(one, flat, none))
        return [made[root] for root in self.roots]

    def _operation(self, op: str, args: Any, a: list[Jet], one: Jet) -> Jet:
        name = op.removeprefix("call:")
        if op == "add":
            return sum(a[1:], a[0])
        if op == "neg":
            return -a[0]
        if op in ("mul", "mulz"):
            return a[0] * a[1]
        if op == "div":
            return a[0] * a[1].inverse()
        if op == "ipow":
            k, x = args[1], a[0].v
            return a[0].chain(x**k, k * x ** (k - 1), k * (k - 1) * (x ** (k - 2) if k > 2 else self.arb(1)))
        if op == "pow":
            return self._operation("call:exp", None, [a[1] * self._operation("call:log", None, [a[0]], one)], one)
        if name == "rncrn_s":
            z, gamma, tau = a
            two = one + one
            square = z.chain(z.v**2, 2 * z.v, self.arb(2))
            q = self._operation("call:sqrt", None, [square + two * two * gamma * tau], one)
            if z.v.mid() > 0:
                return (z + q) * (two * tau).inverse()
            return two * gamma * (q + -z).inverse()
        if name not in self.functions:
            raise SystemExit(f"the checker does not know {name}")
        return a[0].chain(*self.functions[name](a[0].v))

    def tests(self, box: Any) -> list[Jet]:
        """Return the determinant, the Hopf determinant and the squared frequency with derivatives, and f' as jets."""
        f = self.f(box, second=True)
        n = self.n
        rows = [[Jet(e.d[k], e.h[k], None) for k in range(n)] for e in f if e.h is not None]
        sums = [
            _sum(_det([[rows[i][k] for k in c] for i in c]) for c in _subsets(n, order)) for order in range(1, n + 1)
        ]
        if n == 1:
            return sums
        return [sums[-1], sums[0], sums[1]] if n == 2 else [sums[2], sums[0] * sums[1] + -sums[2], sums[1]]


def _subsets(n: int, order: int) -> Iterator[tuple[int, ...]]:
    from itertools import combinations

    return combinations(range(n), order)


def _sum(jets: Iterator[Jet]) -> Jet:
    listed = list(jets)
    return sum(listed[1:], listed[0])


def _det(a: list[list[Jet]]) -> Jet:
    if len(a) == 1:
        return a[0][0]
    terms = []
    for k, entry in enumerate(a[0]):
        term = entry * _det([[*row[:k], *row[k + 1 :]] for row in a[1:]])
        terms.append(-term if k % 2 else term)
    return _sum(iter(terms))


def krawczyk(model: Model, q: int, box: Any) -> tuple[list[Any], bool]:
    """Return the box cut to where the curve can be, and whether it is proved to be there, alone, for each pivot."""
    arb, rest = model.arb, [k for k in range(model.n + 1) if k != q]
    c = [0.5 * low + 0.5 * high for low, high in box]
    at, over = model.f([(x, x) for x in c]), model.f(box)
    middle = np.array([[float(e.d[k].mid()) for k in rest] for e in at])
    try:
        inverse = np.linalg.inv(middle)
    except np.linalg.LinAlgError:
        return box, False
    moved = model.ball(box[q]) - c[q]
    out, inside = list(box), True
    for i, k in enumerate(rest):
        total, along = arb(c[k]), arb(0)
        for j, (value, slope) in enumerate(zip(at, over, strict=True)):
            total -= arb(float(inverse[i, j])) * value.v
            along += arb(float(inverse[i, j])) * slope.d[q]
        total -= along * moved
        for r, other in enumerate(rest):
            entry = arb(1 if k == other else 0)
            for j, slope in enumerate(over):
                entry -= arb(float(inverse[i, j])) * slope.d[other]
            total += entry * (model.ball(box[other]) - c[other])
        if not total.is_finite():
            return box, False
        low, high = box[k]
        inside &= bool(arb(low) < total) and bool(total < arb(high))
        down, up = (
            float(np.nextafter(float(end), way)) for end, way in ((total.lower(), -np.inf), (total.upper(), np.inf))
        )
        out[k] = max(low, down), min(high, up)
    return out, inside


def on_curve(model: Model, q: int, tube: Any, low: float, high: float) -> list[Any]:
    """Return a box that holds the tube's curve over a part of its pivot's interval."""
    box = [(low, high) if k == q else side for k, side in enumerate(tube)]
    for _ in range(6):
        smaller, _proved = krawczyk(model, q, box)
        if any(a > b for a, b in smaller) or smaller == box:
            break
        box = smaller
    return box


def covered(model: Model, tubes: np.ndarray, box: list[Any]) -> bool:
    """Verify that every equilibrium in the box lies in a tube."""
    stack, count = [box], 0
    lows, highs = tubes[:, :, 0], tubes[:, :, 1]
    while stack:
        top = stack.pop()
        count += 1
        low, high = np.array(top).T
        if count > MOST or ((high - low) < 1e-12 * (1 + np.abs(high))).all():
            return False
        if _without_zero(model, top):
            continue
        shared = np.prod(np.maximum(np.minimum(high, highs) - np.maximum(low, lows), 0.0), axis=1)
        best = int(np.argmax(shared)) if len(shared) else 0
        if len(shared) and shared[best] > 0.01 * np.prod(high - low):
            for k in range(len(top)):  # what lies outside this tube
                t_low, t_high = tubes[best, k]
                if low[k] < t_low:
                    stack.append([*top[:k], (top[k][0], t_low), *top[k + 1 :]])
                if high[k] > t_high:
                    stack.append([*top[:k], (t_high, top[k][1]), *top[k + 1 :]])
                top[k] = max(top[k][0], t_low), min(top[k][1], t_high)
            continue
        k = int(np.argmax((high - low) / np.array([b - a for a, b in box])))
        cut = low[k] + CUT * (high[k] - low[k])
        stack += [[*top[:k], (top[k][0], cut), *top[k + 1 :]], [*top[:k], (cut, top[k][1]), *top[k + 1 :]]]
    return True


def _without_zero(model: Model, box: Any) -> bool:
    over = model.f(box)
    if any(e.v > 0 or e.v < 0 for e in over):
        return True
    c = [0.5 * low + 0.5 * high for low, high in box]
    for at, e in zip(model.f([(x, x) for x in c]), over, strict=True):
        value = at.v
        for k, side in enumerate(box):
            value += e.d[k] * (model.ball(side) - c[k])
        if value > 0 or value < 0:
            return True
    return False


def roots_on(model: Model, q: int, tube: Any, box: Any) -> tuple[list[tuple[int, list[Any]]], bool]:
    """Return the roots (test, where) on a tube's curve inside the box, and whether these are all."""
    found: list[tuple[int, list[Any]]] = []
    stack = [tube[q]]
    while stack:
        low, high = stack.pop()
        part = on_curve(model, q, tube, low, high)
        if any(a > d or b < c for (a, b), (c, d) in zip(part, box, strict=True)):
            continue
        tests = model.tests(part)
        rate = _rates(model, q, part, tests)
        for k, test in enumerate(tests[:2]):
            real = k == 1 and tests[2].v < 0
            if test.v > 0 or test.v < 0 or real:
                continue
            if rate is None or not (rate[k] > 0 or rate[k] < 0):
                if high - low < 1e-13 * (tube[q][1] - tube[q][0]):
                    return found, False
                cut = low + CUT * (high - low)
                stack += [(low, cut), (cut, high)]
                break
            root = _root(model, q, tube, k, low, high)
            if root is False:
                return found, False
            if root is not None and not (k == 1 and model.tests(root)[2].v < 0):
                found.append((k, root))
    return found, True


def _rates(model: Model, q: int, part: Any, tests: list[Jet]) -> list[Any] | None:
    """Return the derivatives of the tests along the curve."""
    from flint import arb_mat

    f = model.f(part)
    rest = [k for k in range(model.n + 1) if k != q]
    try:
        slope = arb_mat([[e.d[k] for k in rest] for e in f]).solve(arb_mat([[-e.d[q]] for e in f]))
    except ZeroDivisionError:
        return None
    return [sum((t.d[k] * slope[i, 0] for i, k in enumerate(rest)), t.d[q]) for t in tests[:2]]


def _root(model: Model, q: int, tube: Any, k: int, low: float, high: float) -> Any:
    """Return where a monotone test has its root; None where it has none, False where that is not known."""

    def sign(s: float) -> int:
        value = model.tests(on_curve(model, q, tube, s, s))[k].v
        return 1 if value > 0 else -1 if value < 0 else 0

    first, last = sign(low), sign(high)
    if first * last > 0:
        return None
    if first * last == 0:
        return False
    for _ in range(60):
        cut = 0.5 * (low + high)
        s = sign(cut)
        if s == 0 or high - low < 1e-12 * max(abs(low), abs(high), 1e-3):
            break
        low, high = (cut, high) if s == first else (low, cut)
    return on_curve(model, q, tube, low, high)


def check(system: Any, proof: dict[str, Any], say: Callable[[str], Any] = print) -> bool:
    """Verify a proof; tell what was verified, and what was not."""
    model, arcs = Model(system, proof), proof["arcs"]
    box = [*(tuple(proof["box"][v]) for v in system.variables), tuple(proof["range"])]
    tubes = np.array([arcs["low"], arcs["high"]], float).reshape(2, -1, len(box)).transpose(1, 2, 0)
    sides = [[tuple(side) for side in tube] for tube in tubes.tolist()]
    held = [krawczyk(model, q, tube)[1] for q, tube in zip(arcs["pivot"], sides, strict=True)]
    say(f"{sum(held)} of {len(held)} tubes hold one curve")
    whole = covered(model, tubes, [*box])
    say("every equilibrium in the box lies in a tube" if whole else "not every box could be excluded")
    curves = _curves(model, arcs, sides, tubes)
    say(f"{curves} curves, stated: {proof['branches']}")
    listed = [(p["label"], [*p["state"].values(), *p["parameters"].values()]) for p in proof["special_points"]]
    met, all_known = set(), True
    for q, tube in zip(arcs["pivot"], sides, strict=True):
        found, sure = roots_on(model, q, tube, box)
        all_known &= sure
        for k, root in found:
            label = ("LP", "HB")[k]
            same = [i for i, (name, y) in enumerate(listed) if name == label and _near(y, root)]
            all_known &= bool(same)
            met.update(same)
    say(f"{len(met)} of {len(listed)} special points found again, {'no' if all_known else 'perhaps some'} others")
    return all(held) and whole and curves == proof["branches"] and all_known and len(met) == len(listed)


def _near(y: Any, root: Any) -> bool:
    return all(
        abs(0.5 * (a + b) - 0.5 * (c + d)) <= NEAR * (1 + abs(c)) for (a, b), (c, d) in zip(y, root, strict=True)
    )


def _curves(model: Model, arcs: Any, sides: Any, tubes: np.ndarray) -> int | None:
    """Count the curves that the tubes of curves in the box join to; None where it is not known."""
    group = list(range(len(sides)))

    def root(i: int) -> int:
        return i if group[i] == i else root(group[i])

    maybe = []
    for i, (q, tube) in enumerate(zip(arcs["pivot"], sides, strict=True)):
        for end in tube[q]:
            low, high = np.array(on_curve(model, q, tube, end, end)).T
            for k in np.flatnonzero(((low <= tubes[:, :, 1]) & (high >= tubes[:, :, 0])).all(axis=1)):
                if ((low >= tubes[k, :, 0]) & (high <= tubes[k, :, 1])).all():
                    group[root(i)] = root(int(k))
                else:
                    maybe.append((i, int(k)))
    if any(root(i) != root(k) for i, k in maybe):
        return None
    return len({root(i) for i in range(len(sides)) if arcs["curve"][i] >= 0})


def main(arguments: list[str]) -> int:
    """Check a file."""
    from bifrncrn.library.formats import load_model

    model, file = arguments
    with open(file, encoding="utf-8") as stream:
        good = check(load_model(model), json.load(stream), lambda text: sys.stdout.write(text + "\n"))
    sys.stdout.write("verified\n" if good else "NOT verified\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

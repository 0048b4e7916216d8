"""Check a proof again, independently: Arb's ball arithmetic, jets of its own, nothing of the engine but the model.

    python -m bifrncrn.cli.checker MODEL PROOF.json

Of a proof about a box (schema `bifrncrn.proof/1`) it takes the tubes as suggestions, and verifies for itself: each
tube, or a thinner one in it, holds one curve (Krawczyk's operator); every equilibrium in the box lies in a tube; the
tubes join to the stated number of curves; on them there is a special point where one is listed, to 1e-8, and no other.
The model is read by this package, and its expression graph taken as it is; constants are doubles. Needs python-flint
(the extra `proof`); slow, as it is written to be read. Exit code 0 if all was verified, 1 if not.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

CUT, NEAR, MOST = 0.4871, 1e-8, 5_000_000
SHRINK = (1.0, 0.7, 0.4, 0.2, 0.05, 0.01)
"""Products of balls are wider than those of intervals, so a tube that only just holds may have to be thinner."""


class Jet:
    """A ball with first derivatives, an array of balls, and second ones, a matrix or None."""

    def __init__(self, v: Any, d: Any, h: Any = None) -> None:
        self.v, self.d, self.h = v, d, h

    def chain(self, f: Any, f1: Any, f2: Any) -> Jet:
        """Return f(self), given f and its derivatives at the value."""
        h = None if self.h is None else f2 * np.outer(self.d, self.d) + f1 * self.h
        return Jet(f, f1 * self.d, h)

    def __add__(self, o: Jet) -> Jet:
        return Jet(self.v + o.v, self.d + o.d, None if self.h is None else self.h + o.h)

    def __neg__(self) -> Jet:
        return Jet(-self.v, -self.d, None if self.h is None else -self.h)

    def __mul__(self, o: Jet) -> Jet:
        h = None
        if self.h is not None:
            h = self.h * o.v + o.h * self.v + np.outer(self.d, o.d) + np.outer(o.d, self.d)
        return Jet(self.v * o.v, self.d * o.v + o.d * self.v, h)

    def __truediv__(self, o: Jet) -> Jet:
        r = 1 / o.v
        return self * o.chain(r, -r * r, 2 * r * r * r)


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
    """f with its derivatives on boxes, lists of (low, high): the states, then the parameter."""

    def __init__(self, system: Any, proof: dict[str, Any]) -> None:
        from flint import arb, ctx

        ctx.prec = 80
        self.arb, self.n = arb, len(system.variables)
        self.g, self.roots = system.native.graph
        self.order = self.g.reachable(list(self.roots))
        self.varied = system.parameter_index(proof["parameter"])
        self.values = {system.parameter_index(p): self.ball(side) for p, side in proof["values"].items()}

    def ball(self, side: Any) -> Any:
        """Return a ball that holds an interval."""
        return self.arb(float(side[0])).union(self.arb(float(side[1])))

    def f(self, box: Any, second: bool = False) -> list[Jet]:
        """Return jets of the right-hand sides."""
        m = self.n + 1
        unit = np.array([[self.arb(int(i == k)) for k in range(m)] for i in range(m)], object)
        flat, none = unit[0] * 0, unit * 0 if second else None
        made: dict[int, Jet] = {}
        for node in self.order:
            op, args = self.g.op[node], self.g.args[node]
            if op == "const":
                made[node] = Jet(self.arb(args[0]), flat, none)
            elif op == "var" or (op == "par" and args[0] == self.varied):
                k = args[0] if op == "var" else self.n
                made[node] = Jet(self.ball(box[k]), unit[k], none)
            elif op == "par":
                made[node] = Jet(self.values[args[0]], flat, none)
            else:
                made[node] = self.operation(op, args, [made[a] for a in self.g.operands(node)])
        return [made[root] for root in self.roots]

    def operation(self, op: str, args: Any, a: list[Jet]) -> Jet:
        """Return the jet of one operation."""
        name = op.removeprefix("call:")
        if op == "add":
            return sum(a[1:], a[0])
        if op == "neg":
            return -a[0]
        if op in ("mul", "mulz"):
            return a[0] * a[1]
        if op == "div":
            return a[0] / a[1]
        if op == "ipow":
            k, powers = args[1], [1]  # a power of a ball that holds zero is nan in python-flint, a product is not
            for _ in range(k):
                powers.append(powers[-1] * a[0].v)
            return a[0].chain(powers[k], k * powers[k - 1], k * (k - 1) * powers[k - 2])
        if op == "pow":
            return self.operation("exp", None, [a[1] * self.operation("log", None, [a[0]])])
        if name == "rncrn_s":
            return a[0].chain(*_perceptron(a[0].v, a[1].v, a[2].v))  # gamma and tau do not vary
        if name not in FUNCTIONS:
            raise SystemExit(f"the checker does not know {name}")
        return a[0].chain(*FUNCTIONS[name](a[0].v))

    def tests(self, box: Any) -> list[Jet]:
        """Return the determinant, the Hopf determinant and the squared frequency, with first derivatives."""
        n = self.n
        rows = [[Jet(e.d[k], e.h[k]) for k in range(n)] for e in self.f(box, second=True)]
        sums = []
        for order in range(1, n + 1):
            minors = [_det([[rows[i][k] for k in c] for i in c]) for c in itertools.combinations(range(n), order)]
            sums.append(sum(minors[1:], minors[0]))
        if n == 1:
            return sums
        return [sums[-1], sums[0], sums[1]] if n == 2 else [sums[2], sums[0] * sums[1] + -sums[2], sums[1]]


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


def krawczyk(model: Model, q: int, box: Any) -> tuple[list[Any], bool]:
    """Return the box cut to where the curve can be, and whether it is proved to be there, alone, for each pivot."""
    rest = [k for k in range(model.n + 1) if k != q]
    c = [0.5 * low + 0.5 * high for low, high in box]
    at, over = model.f([(x, x) for x in c]), model.f(box)
    try:
        inverse = np.linalg.inv([[float(e.d[k].mid()) for k in rest] for e in at])
    except np.linalg.LinAlgError:
        return box, False
    weights = np.array([[model.arb(x) for x in row] for row in inverse.tolist()], object)
    moved = np.array([model.ball(side) - x for side, x in zip(box, c, strict=True)], object)
    slopes = weights @ np.array([e.d for e in over], object)
    total = np.array([c[k] for k in rest], object) - weights @ np.array([e.v for e in at], object)
    total = (
        total - slopes[:, q] * moved[q] + (np.eye(model.n, dtype=int).astype(object) - slopes[:, rest]) @ moved[rest]
    )
    out, inside = list(box), True
    for value, k in zip(total, rest, strict=True):
        if not value.is_finite():
            return box, False
        inside &= bool(model.arb(box[k][0]) < value) and bool(value < model.arb(box[k][1]))
        low, high = np.nextafter(float(value.lower()), -np.inf), np.nextafter(float(value.upper()), np.inf)
        out[k] = max(box[k][0], float(low)), min(box[k][1], float(high))
    return out, inside


def verified_tube(model: Model, q: int, tube: Any, core: Any) -> Any:
    """Return the tube, or a thinner one about its core, that is proved to hold one curve; None where none is."""
    middle = [0.5 * (a + b) for a, b in core]
    for share in SHRINK:
        thin = [(m - share * (m - a), m + share * (b - m)) for (a, b), m in zip(tube, middle, strict=True)]
        thin[q] = tube[q]
        if holds(model, q, thin, 5):
            return thin
    return None


def holds(model: Model, q: int, tube: Any, depth: int) -> bool:
    """Say whether a tube holds one curve, as a whole or in each part of its pivot's interval."""
    if krawczyk(model, q, tube)[1]:
        return True
    low, high = tube[q]
    cut = low + CUT * (high - low)
    parts = [[*tube[:q], side, *tube[q + 1 :]] for side in ((low, cut), (cut, high))]
    return depth > 0 and all(holds(model, q, part, depth - 1) for part in parts)


def on_curve(model: Model, q: int, tube: Any, low: float, high: float) -> list[Any]:
    """Return a box that holds the tube's curve over a part of its pivot's interval."""
    box = [(low, high) if k == q else side for k, side in enumerate(tube)]
    for _ in range(6):
        smaller, _ok = krawczyk(model, q, box)
        if any(a > b for a, b in smaller) or smaller == box:
            break
        box = smaller
    return box


def covered(model: Model, tubes: np.ndarray, box: list[Any]) -> bool:
    """Verify that every equilibrium in the box lies in a tube."""
    stack, whole = [np.array(box, float)], np.array([b - a for a, b in box])
    for _ in range(MOST):
        if not stack:
            return True
        top = stack.pop()
        width = top[:, 1] - top[:, 0]
        if without_zero(model, top.tolist()):
            continue
        if (width < 1e-12 * whole).all():
            return False
        shared = np.minimum(top[:, 1], tubes[:, :, 1]) - np.maximum(top[:, 0], tubes[:, :, 0])
        shares = np.prod(np.maximum(shared, 0.0), axis=1)
        best = tubes[int(np.argmax(shares))] if len(tubes) and shares.max() > 0.01 * np.prod(width) else None
        k = int(np.argmax(width / whole))
        cuts = [(k, top[k, 0] + CUT * width[k])] if best is None else [(i, x) for i in range(len(box)) for x in best[i]]
        for k, cut in cuts:  # with a tube: what lies outside of it
            if not top[k, 0] < cut < top[k, 1]:
                continue
            left, right = top.copy(), top.copy()
            left[k, 1] = right[k, 0] = cut
            below = best is None or cut == best[k, 0]
            stack.append(left if below else right)
            top = right if below else left
        if best is None:
            stack.append(top)
    return False


def without_zero(model: Model, box: Any) -> bool:
    """Say whether f, or its mean value form, excludes zero."""
    over, c = model.f(box), [0.5 * low + 0.5 * high for low, high in box]
    moved = [model.ball(side) - x for side, x in zip(box, c, strict=True)]
    values = [at.v + e.d @ moved for at, e in zip(model.f([(x, x) for x in c]), over, strict=True)]
    return any(v > 0 or v < 0 for v in (*values, *(e.v for e in over)))


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
        doubtful = [k for k, t in enumerate(tests[:2]) if not (t.v > 0 or t.v < 0 or (k == 1 and tests[2].v < 0))]
        rates = rates_on(model, q, part, tests) if doubtful else []
        if any(not (rates[k] > 0 or rates[k] < 0) for k in doubtful):
            if high - low < 1e-13 * (tube[q][1] - tube[q][0]):
                return found, False
            cut = low + CUT * (high - low)
            stack += [(low, cut), (cut, high)]
            continue
        for k in doubtful:
            root = located(model, q, tube, k, low, high)
            if root is False:
                return found, False
            if root is not None and not (k == 1 and model.tests(root)[2].v < 0):
                found.append((k, root))
    return found, True


def rates_on(model: Model, q: int, part: Any, tests: list[Jet]) -> list[Any]:
    """Return the derivatives of the tests along the curve, of which J_u y' = -J_q."""
    from flint import arb_mat

    f, rest = model.f(part), [k for k in range(model.n + 1) if k != q]
    try:
        slope = arb_mat([[e.d[k] for k in rest] for e in f]).solve(arb_mat([[-e.d[q]] for e in f]))
    except ZeroDivisionError:
        return [model.arb("nan")] * 2
    return [sum((t.d[k] * slope[i, 0] for i, k in enumerate(rest)), t.d[q]) for t in tests[:2]]


def located(model: Model, q: int, tube: Any, k: int, low: float, high: float) -> Any:
    """Return where a monotone test has its root; None where it has none, False where that is not known."""

    def sign(s: float) -> int:
        value = model.tests(on_curve(model, q, tube, s, s))[k].v
        return int(value > 0) - int(value < 0)

    first, last = sign(low), sign(high)
    if first * last >= 0:
        return None if first * last else False
    for _ in range(60):
        cut = 0.5 * (low + high)
        s = sign(cut)
        if s == 0 or high - low < 1e-12 * max(abs(low), abs(high), 1e-3):
            break
        low, high = (cut, high) if s == first else (low, cut)
    return on_curve(model, q, tube, low, high)


def count_curves(model: Model, pivots: Any, numbers: Any, tubes: np.ndarray) -> int | None:
    """Count the curves in the box that the tubes join to; None where it is not known."""
    group = list(range(len(tubes)))
    maybe = []
    for i, (q, tube) in enumerate(zip(pivots, tubes.tolist(), strict=True)):
        for end in tube[q]:
            low, high = np.array(on_curve(model, q, [tuple(side) for side in tube], end, end)).T
            for k in np.flatnonzero(((low <= tubes[:, :, 1]) & (high >= tubes[:, :, 0])).all(axis=1)).tolist():
                if ((low >= tubes[k, :, 0]) & (high <= tubes[k, :, 1])).all():
                    old, new = group[i], group[k]
                    group = [new if g == old else g for g in group]
                else:
                    maybe.append((i, k))
    if any(group[i] != group[k] for i, k in maybe):
        return None
    return len({g for g, number in zip(group, numbers, strict=True) if number >= 0})


def check_proof(system: Any, proof: dict[str, Any], say: Callable[[str], Any] = lambda text: None) -> bool:
    """Verify a proof; tell what was verified, and what was not."""
    model, arcs = Model(system, proof), proof["arcs"]
    if any(arcs["on"]):
        say("curves that cross on invariant planes are not checked by this program")
        return False
    box = [*(tuple(proof["box"][v]) for v in system.variables), tuple(proof["range"])]
    pairs = [[list(zip(*ends, strict=True)) for ends in zip(arcs[a], arcs[b], strict=True)] for a, b in ENDS]
    held = [verified_tube(model, q, tube, core) for q, tube, core in zip(arcs["pivot"], *pairs, strict=True)]
    say(f"{sum(tube is not None for tube in held)} of {len(held)} tubes hold one curve")
    if None in held:
        return False
    tubes = np.array(held, float).reshape(-1, len(box), 2)
    whole = covered(model, tubes, box)
    say("every equilibrium in the box lies in a tube" if whole else "not every box could be excluded")
    curves = count_curves(model, arcs["pivot"], arcs["curve"], tubes)
    say(f"{curves} curves, stated: {proof['branches']}")
    listed = [(p["label"], [*p["state"].values(), *p["parameters"].values()]) for p in proof["special_points"]]
    met: set[int] = set()
    known = True
    for q, tube in zip(arcs["pivot"], held, strict=True):
        found, sure = roots_on(model, q, tube, box)
        known &= sure
        for k, root in found:
            same = [i for i, (name, y) in enumerate(listed) if name == ("LP", "HB")[k] and _near(y, root)]
            outside = any(b < c or a > d for (a, b), (c, d) in zip(root, box, strict=True))
            known &= bool(same) or outside
            met.update(same)
    say(f"{len(met)} of {len(listed)} special points found again, {'no' if known else 'perhaps some'} others")
    return whole and curves == proof["branches"] and known and len(met) == len(listed)


ENDS = (("low", "high"), ("core_low", "core_high"))


def _near(y: Any, root: Any) -> bool:
    return all(abs(a + b - c - d) <= 2 * NEAR * (1 + abs(c)) for (a, b), (c, d) in zip(y, root, strict=True))


def main(arguments: list[str]) -> int:
    """Check a file."""
    from bifrncrn.library.formats import load_model

    model, file = arguments
    with open(file, encoding="utf-8") as stream:
        good = check_proof(load_model(model), json.load(stream), lambda text: sys.stdout.write(text + "\n"))
    sys.stdout.write("verified\n" if good else "NOT verified\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Check a proof again, independently: Arb's ball arithmetic, jets of its own, nothing of the engine but the model.

    python -m bifrncrn.cli.checker MODEL PROOF.json

Of a proof about a box (schema `bifrncrn.proof/1`) it takes the tubes as suggestions, and verifies for itself: each
tube, or a thinner one in it, holds one curve (Krawczyk's operator); every equilibrium in the box lies in a tube; the
tubes join to the stated number of curves; on them there is a special point in each box that is listed, once, and no
other one; `turns`, `omega`, `unstable`, `plane` and `kind` are as listed (of a pitchfork, that a fold is where the
curves cross, as far as balls tell the two apart). It does not look at `a` and `l1`, and says so, nor at the
title (`model`) and the `counters`, which state nothing; a file that says anything else is refused. With invariant
planes x_k = c it does so for the equilibria on each set of planes and off the others, where it divides f_k by x_k - c.
Of a cycle's proof: see `checker_cycles`. The model is read by this package, and its expression graph taken as it is;
constants are doubles.
Needs python-flint (the extra `proof`); slow, as it is written to be read. Exit code 0 if all was verified, 1 if not.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from bifrncrn.cli.checker_cycles import check_cycle
from bifrncrn.cli.checker_jets import Jet, Model, UnknownError
from bifrncrn.cli.checker_shape import malformed, malformed_cycle

CUT, NEAR, MOST, ENDS = 0.4871, 1e-8, 5_000_000, (("low", "high"), ("core_low", "core_high"))
SHRINK = (1.0, 0.7, 0.4, 0.2, 0.05, 0.01)
"""Products of balls are wider than those of intervals, so a tube that only just holds may have to be thinner."""


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
    for k in model.on:
        box[k] = (model.planes[k], model.planes[k])
    for _ in range(6):
        smaller, _ok = krawczyk(model, q, box)
        if any(a > b for a, b in smaller) or smaller == box:
            break
        box = smaller
    return box


def covered(model: Model, tubes: np.ndarray, box: list[Any]) -> bool:
    """Verify that every equilibrium of the part in the box lies in a tube."""
    box = [(model.planes[k],) * 2 if k in model.on else side for k, side in enumerate(box)]
    stack, whole = [np.array(box, float)], np.array([b - a or 1.0 for a, b in box])
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
        some = width > 0.0  # not of the state of a plane
        ratios = np.where(some, np.maximum(shared, 0.0) / np.where(some, width, 1.0), shared >= 0.0)
        shares = np.prod(ratios, axis=1)
        best = tubes[int(np.argmax(shares))] if len(tubes) and shares.max() > 0.01 else None
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
    if any(e.v > 0 or e.v < 0 for e in model.f(box, 0)):
        return True
    over, c = model.f(box), [0.5 * low + 0.5 * high for low, high in box]
    moved = [model.ball(side) - x for side, x in zip(box, c, strict=True)]
    values = [at.v + e.d @ moved for at, e in zip(model.f([(x, x) for x in c], 0), over, strict=True)]
    return any(v > 0 or v < 0 for v in values)


def misses(part: Any, box: Any) -> bool:
    """Say whether a box lies outside of another."""
    return any(a > d or b < c for (a, b), (c, d) in zip(part, box, strict=True))


def roots_on(model: Model, q: int, tube: Any, box: Any) -> tuple[list[tuple[str, list[Any]]], bool]:
    """Return the roots (test, where) on a tube's curve inside the box, and whether these are all."""
    found: list[tuple[str, list[Any]]] = []
    stack = [tube[q]]
    while stack:
        low, high = stack.pop()
        part = on_curve(model, q, tube, low, high)
        if misses(part, box):
            continue
        tests, square = model.tests(part)
        doubtful = [k for k, t in tests.items() if not (t.v > 0 or t.v < 0 or (k == "HB" and square < 0))]
        rates = rates_on(model, q, part, tests) if doubtful else {}
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
            if root is not None and not (k == "HB" and model.tests(root)[1] < 0):
                found.append((k, root))
    return found, True


def rates_on(model: Model, q: int, part: Any, tests: dict[str, Jet]) -> dict[str, Any]:
    """Return the derivatives of the tests along the curve, of which J_u y' = -J_q."""
    from flint import arb_mat

    f, rest = model.f(part), [k for k in range(model.n + 1) if k != q]
    try:
        slope = arb_mat([[e.d[k] for k in rest] for e in f]).solve(arb_mat([[-e.d[q]] for e in f]))
    except ZeroDivisionError:
        return dict.fromkeys(tests, model.arb("nan"))
    return {name: sum((t.d[k] * slope[i, 0] for i, k in enumerate(rest)), t.d[q]) for name, t in tests.items()}


def located(model: Model, q: int, tube: Any, k: str, low: float, high: float) -> Any:
    """Return where a monotone test has its root; None where it has none, False where that is not known."""

    def sign(s: float) -> int:
        value = model.tests(on_curve(model, q, tube, s, s))[0][k].v
        return int(value > 0) - int(value < 0)

    first, last = sign(low), sign(high)
    if first * last >= 0:
        return None if first * last else False
    for _ in range(60):
        cut = 0.5 * (low + high)
        s = sign(cut)
        if s == 0:  # the root itself, nearly: the closest places about it whose signs are known
            size = max(abs(cut), 1e-3 * (high - low))
            pairs = ((max(low, cut - 10.0**e * size), min(high, cut + 10.0**e * size)) for e in range(-15, -5))
            low, high = next((ends for ends in pairs if (sign(ends[0]), sign(ends[1])) == (first, last)), (low, high))
        if s == 0 or high - low < 1e-12 * max(abs(low), abs(high), 1e-3):
            break
        low, high = (cut, high) if s == first else (low, cut)
    return on_curve(model, q, tube, low, high)


NOT_LOOKED_AT = ("a", "l1")


def as_listed(model: Model, q: int, tube: Any, k: str, root: Any, point: dict[str, Any]) -> bool:
    """Say whether what is listed of a point is so on the curve: the test k has a root there."""
    if k.startswith("BP") and point.get("kind") == "transcritical":
        other = Model(model.system, model.proof, model.planes, model.on - {int(k[2:])})
        if not bool(other.tests(root)[0]["LP"].v != 0):
            return False
    if k.startswith("BP") and point.get("plane") != model.system.variables[int(k[2:])]:
        return False
    if k == "HB":
        low, high = (model.arb(float(x)) for x in point["omega"])
        square = model.tests(root)[1]
        if not (bool(square > 0) and bool(low > 0) and square.overlaps((low * low).union(high * high))):
            return False
    ends = beside(model, q, tube, k, root)
    if ends is None:
        return False
    if k == "LP" and point.get("turns"):
        sign = 1 if point["turns"] == "minimum" else -1
        if not any(sign * (end[-1][0] - root[-1][1]) > 0 and sign * (end[-1][1] - root[-1][0]) > 0 for end in ends):
            return False
    if point.get("unstable") is not None and point["label"] == k[:2]:
        counts = [unstable(model, end) for end in ends]
        if k != "LP" and ends[0][-1][0] > ends[1][-1][0]:
            counts.reverse()  # the side of the smaller parameter first; of a fold the sides have no order
        return counts == list(point["unstable"]) or (k == "LP" and counts[::-1] == list(point["unstable"]))
    return True


def beside(model: Model, q: int, tube: Any, k: str, root: Any) -> Any:
    """Return boxes that hold points of the curve on both sides of a root, with no root of another test in between."""
    low, high = root[q]
    width = tube[q][1] - tube[q][0]
    for share in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
        left, right = max(tube[q][0], low - share * width), min(tube[q][1], high + share * width)
        part = on_curve(model, q, tube, left, right)
        tests, square = model.tests(part)
        others = [t.v for name, t in tests.items() if name != k and not (name == "HB" and square < 0)]
        single = left < low and high < right and all(v > 0 or v < 0 for v in others)
        if single and bool(rates_on(model, q, part, tests)[k] != 0):
            return [on_curve(model, q, tube, s, s) for s in (left, right)]
    return None


def unstable(model: Model, box: Any) -> int | None:
    """Return how many eigenvalues of f's Jacobian are unstable everywhere in a box; None where that is not known."""
    from flint import arb_mat

    here = model.nodes(box, 1)
    try:
        values = arb_mat([[here[r].d[k] for k in range(model.n)] for r in model.roots]).eig(multiple=True)
    except ValueError:
        return None
    return None if any(v.real.contains(0) for v in values) else sum(bool(v.real > 0) for v in values)


def count_curves(model: Model, pivots: Any, tubes: np.ndarray, box: Any) -> int | None:
    """Count the curves that enter the box which the tubes join to; None where it is not known."""
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
    inside = [
        enters(
            model,
            [(pivots[i], [tuple(side) for side in tubes[i].tolist()]) for i in np.flatnonzero(np.array(group) == g)],
            box,
        )
        for g in np.unique(group)
    ]
    return None if None in inside else sum(map(bool, inside))


def enters(model: Model, stack: list[tuple[int, Any]], box: Any) -> bool | None:
    """Say whether the curves of some tubes have a point in the box; None where it is not known."""
    for _ in range(2000):
        if not stack:
            return False
        q, tube = stack.pop(0)
        low, high = tube[q]
        if misses(on_curve(model, q, tube, low, high), box):
            continue
        cut = low + CUT * (high - low)
        for s in (cut, low, high):
            if all(c <= a and b <= d for (a, b), (c, d) in zip(on_curve(model, q, tube, s, s), box, strict=True)):
                return True
        stack += [(q, [*tube[:q], side, *tube[q + 1 :]]) for side in ((low, cut), (cut, high))]
    return None


def check_proof(system: Any, proof: dict[str, Any], say: Callable[[str], Any] = lambda text: None) -> bool:
    """Verify a proof of a box or of a cycle; tell what was verified, and what was not."""
    is_cycle = isinstance(proof, dict) and "cycles" in proof and not proof.get("parameter")
    reason = refused_cycle(system, proof) if is_cycle else refused(system, proof)
    if reason:
        say(reason)
        return False
    try:
        return check_cycle(system, proof, say) if is_cycle else _check_box(system, proof, say)
    except UnknownError as unknown:
        say(str(unknown))
        return False


def _check_box(system: Any, proof: dict[str, Any], say: Callable[[str], Any]) -> bool:
    """Verify a proof of a box."""
    arcs, names = proof["arcs"], list(system.variables)
    box = [*(tuple(proof["box"][v]) for v in names), tuple(proof["range"])]
    on = [frozenset(map(names.index, planes)) for planes in arcs["on"]]
    planes = {k: arcs["core_low"][i][k] for i, states in enumerate(on) for k in states}
    pairs = [[list(zip(*ends, strict=True)) for ends in zip(arcs[a], arcs[b], strict=True)] for a, b in ENDS]
    listed = [(p, [*(p["state"][v] for v in names), *p["parameters"].values()]) for p in proof["special_points"]]
    met: dict[int, list[Any]] = {}
    folded: set[int] = set()
    good, curves = True, 0
    for part in (frozenset(c) for k in range(len(planes) + 1) for c in itertools.combinations(planes, k)):
        model, which = Model(system, proof, planes, part), [i for i, states in enumerate(on) if states == part]
        pivots = [arcs["pivot"][i] for i in which]
        held = [verified_tube(model, arcs["pivot"][i], pairs[0][i], pairs[1][i]) for i in which]
        say(f"on {len(part)} planes: {sum(tube is not None for tube in held)} of {len(held)} tubes hold one curve")
        if None in held:
            return False
        tubes = np.array(held, float).reshape(-1, len(box), 2)
        whole = covered(model, tubes, box)
        say("every equilibrium in the box lies in a tube" if whole else "not every box could be excluded")
        count = count_curves(model, pivots, tubes, box)
        good, curves = good and whole and count is not None, curves + (count or 0)
        for q, tube in zip(pivots, held, strict=True):
            found, sure = roots_on(model, q, tube, box)
            good &= sure
            for k, root in found:
                same = [i for i, (p, y) in enumerate(listed) if _is(p, k) and _near(y, root)]
                own = [i for i in same if listed[i][0]["label"] == k[:2]]
                good &= (bool(same) or misses(root, box)) and len(own) < 2
                good &= all(as_listed(model, q, tube, k, root, listed[i][0]) for i in same)
                good &= not any(misses(root, listed[i][1]) for i in same)
                folded |= {*same} - {*own}
                for i in own:
                    good &= not misses(root, met.get(i, root))
                    met[i] = root
    good &= all(i in folded for i, (p, _) in enumerate(listed) if p.get("kind") == "pitchfork")
    say(f"{curves} curves, stated: {proof['branches']}")
    verdict = "as they are listed, and no others" if good else "not all as they are listed, or perhaps others"
    say(f"{len(met)} of {len(listed)} special points found again, {verdict}")
    passed = sorted({key for p, _ in listed for key in NOT_LOOKED_AT if key in p})
    say(f"not looked at: {', '.join(passed)}" if passed else "all that is listed of them was looked at")
    return good and curves == proof["branches"] and len(met) == len(listed)


def refused(system: Any, proof: dict[str, Any]) -> str:
    """Say why a file states nothing that can be checked here; nothing if it does."""
    names = [*system.variables]
    if (
        not isinstance(proof, dict)
        or proof.get("schema") != "bifrncrn.proof/1"
        or proof.get("kind", "ode") != "ode"
        or system.kind != "ode"
        or not proof.get("box")
    ):
        return "no proof of a box of differential equations (bifrncrn.proof/1)"
    reason = malformed(names, proof)
    if reason:
        return f"the file is damaged: {reason}"
    others = {*system.parameters} - {proof["parameter"]}
    if not proof["proved"] or proof["undecided"]:
        return "it says itself that something is undecided"
    if {*proof["box"]} != {*names} or {*proof["values"]} != others or len(others) == len(system.parameters):
        return "its states or parameters are not those of the model"
    arcs = proof["arcs"]
    if any(name not in names for planes in arcs["on"] for name in planes):
        return "it has an invariant diagonal: this program does not check that"
    places = {
        (name, arcs[side][i][names.index(name)]) for i, on in enumerate(arcs["on"]) for name in on for side in ENDS[1]
    }
    if len(places) != len(dict(places)):
        return "the place of a plane is not one number: this program does not check that"
    return ""


def refused_cycle(system: Any, proof: dict[str, Any]) -> str:
    """Say why a file states nothing about a cycle that can be checked here; nothing if it does."""
    of_flow = proof.get("kind", "ode") == system.kind == "ode" and not system.period
    if proof.get("schema") != "bifrncrn.proof/1" or not of_flow:
        return "no proof of a cycle of differential equations (bifrncrn.proof/1)"
    reason = malformed_cycle([*system.variables], proof)
    if reason:
        return f"the file is damaged: {reason}"
    if not proof["proved"] or proof["undecided"]:
        return "it says itself that something is undecided"
    return "" if {*proof["values"]} == {*system.parameters} else "its parameters are not those of the model"


def _is(point: dict[str, Any], test: str) -> bool:
    """Say whether a point is where a test vanishes; along the other curve of a pitchfork there is a fold."""
    return point["label"] == test[:2] or (test == "LP" and point.get("kind") == "pitchfork")


def _near(y: Any, root: Any) -> bool:
    ends = zip(y, root, strict=True)
    return all(max(abs(a + b - c - d), d - c) <= 2 * NEAR * (1 + abs(c)) for (a, b), (c, d) in ends)


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

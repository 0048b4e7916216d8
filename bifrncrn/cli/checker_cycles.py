"""Check the proof of a cycle again, in Arb's ball arithmetic with series of its own (see `checker`).

Of the file it takes the points between the steps of one turn, their durations and a plane for the first of them, as
suggestions, and verifies for itself: Krawczyk's operator maps the box `alone` about the points into itself, so that one
cycle is in it; that cycle's points, period, start and extremes are where it is said; the period is the least one; the
multipliers, and how many are outside the unit circle. Over a step a trajectory is its Taylor polynomial, of order 20;
what that leaves out is bounded over a box that trajectories do not leave (Picard).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bifrncrn.cli.checker_jets import Model

ORDER, TRIES, PARTS, ROUNDS = 20, 40, 4, 3
"""Of the polynomials; how often a box is widened; parts of a step that are looked at; how often the box is cut."""


def _tanh(x: Any) -> tuple[Any, Any, Any]:
    t = 1 - 2 / ((2 * x).exp() + 1)
    return t, 1 - t * t, 0


def _hyperbolic(sign: int) -> Callable[[Any], tuple[Any, Any, Any]]:
    return lambda x: ((x.exp() + sign * (-x).exp()) / 2, (x.exp() - sign * (-x).exp()) / 2, 0)


class Line:
    """A series in time with its derivatives by the start, series too."""

    def __init__(self, v: Any, d: list[Any]) -> None:
        self.v, self.d = v, d

    def chain(self, f: Any, slope: Any, _second: Any = None) -> Line:
        """Return f(self), given f and its derivative at the value."""
        return Line(f, [slope * x for x in self.d])

    def __add__(self, o: Line) -> Line:
        return Line(self.v + o.v, [x + y for x, y in zip(self.d, o.d, strict=True)])

    def __mul__(self, o: Line) -> Line:
        return Line(self.v * o.v, [x * o.v + y * self.v for x, y in zip(self.d, o.d, strict=True)])

    def __neg__(self) -> Line:
        return self.chain(-self.v, -1)

    def __truediv__(self, o: Line) -> Line:
        r = 1 / o.v
        return self * o.chain(r, -r * r)

    def power(self, k: int) -> Line:
        """Return a whole power."""
        below = self.v * 0 + 1
        for _ in range(k - 1):
            below = below * self.v
        return self.chain(below * self.v, k * below) if k else self.chain(self.v * 0 + 1, 0)


class Flow(Model):
    """The right-hand sides as series in time; second derivatives are not wanted, and 0 stands for them."""

    functions = {
        "exp": lambda x: (x.exp(), x.exp(), 0),
        "log": lambda x: (x.log(), 1 / x, 0),
        "sqrt": lambda x: (x.sqrt(), 1 / (2 * x.sqrt()), 0),
        "sin": lambda x: (x.sin(), x.cos(), 0),
        "cos": lambda x: (x.cos(), -x.sin(), 0),
        "atan": lambda x: (x.atan(), 1 / (1 + x * x), 0),
        "tanh": _tanh,
        "sinh": _hyperbolic(-1),
        "cosh": _hyperbolic(1),
    }

    def __init__(self, system: Any, proof: dict[str, Any]) -> None:
        from flint import arb, arb_series, ctx

        ctx.prec = 80
        self.arb, self.series, self.ctx, self.n = arb, arb_series, ctx, len(system.variables)
        self.g, self.roots = system.native.graph
        self.order = self.g.reachable(list(self.roots))
        self.values = {system.parameter_index(p): self.ball(side) for p, side in proof["values"].items()}

    def perceptron(self, z: Any, gamma: Any, tau: Any) -> tuple[Any, Any, Any]:
        """Return s and s' of tau s^2 - z s - gamma = 0, s > 0."""
        q = (z * z + 4 * gamma * tau).sqrt()
        first = z[0] if isinstance(z, self.series) else z
        s = (z + q) / (2 * tau) if first.mid() > 0 else 2 * gamma / (q - z)
        return s, s / q, 0

    def field(self, states: list[Line]) -> list[Line]:
        """Return the right-hand sides."""
        flat = [self.series([0])] * self.n
        made: dict[int, Any] = {}
        for node in self.order:
            op, args = self.g.op[node], self.g.args[node]
            if op in ("const", "par"):
                value = self.arb(args[0]) if op == "const" else self.values[args[0]]
                made[node] = Line(self.series([value]), flat)
            elif op == "var":
                made[node] = states[args[0]]
            else:
                made[node] = self.operation(op, args, [made[a] for a in self.g.operands(node)])
        return [made[root] for root in self.roots]

    def coefficients(self, start: Any, speed: Any, order: int, about: Any = None) -> list[tuple[Any, Any]]:
        """Return the coefficients (states (n,), derivatives by the start (n, n)) of x' = speed f(x).

        With those about the middle of a wide start they are cut to what the mean value theorem says.
        """
        one, zero = self.arb(1), self.arb(0)
        unit = np.array([[one if i == k else zero for k in range(self.n)] for i in range(self.n)], object)
        out = [(np.array(start, object), unit)]
        for k in range(order):
            self.ctx.cap = k + 1
            states = range(self.n)
            lines = [
                Line(self.series([v[i] for v, _ in out]), [self.series([d[i, j] for _, d in out]) for j in states])
                for i in states
            ]
            share = speed / (k + 1)
            f = self.field(lines)
            value = np.array([e.v[k] * share for e in f], object)
            slope = np.array([[e.d[j][k] * share for j in range(self.n)] for e in f], object)
            if about is not None:
                other = about[k + 1][0] + slope @ (out[0][0] - about[0][0])
                value = np.array([_both(a, b) for a, b in zip(value, other, strict=True)], object)
            out.append((value, slope))
        return out

    def wide(self, start: Any, speed: Any, order: int) -> list[tuple[Any, Any]]:
        """Return the coefficients over a wide box."""
        return self.coefficients(start, speed, order, self.coefficients([x.mid() for x in start], speed, order))

    def trapped(self, start: Any, speed: Any) -> Any:
        """Return a box that holds the trajectories from a box up to time one; None where none is found."""
        share, box = self.arb(0.5, 0.5), list(start)
        for _ in range(TRIES):
            move = self.wide(box, speed, 1)[1][0]
            new = [x + share * m for x, m in zip(start, move, strict=True)]
            if not all(x.is_finite() for x in new):
                return None
            if all(a.contains(b) for a, b in zip(box, new, strict=True)):
                return box
            box = [x.union(y) + self.arb(0, 0.1) * x.rad() for x, y in zip(new, start, strict=True)]
        return None


def _both(a: Any, b: Any) -> Any:
    return a.intersection(b) if a.is_finite() and b.is_finite() else a * type(a)("nan")


class Turn:
    """The equations of one turn, and what polynomials leave out, over the box `alone` about the points."""

    def __init__(self, flow: Flow, turn: dict[str, Any], scale: list[float]) -> None:
        from flint import arb_mat

        self.flow, self.matrix, self.n = flow, arb_mat, flow.n
        arb = flow.arb
        self.count = len(turn["durations"])
        self.durations = [arb(x) for x in turn["durations"]]
        self.normal = turn["normal"]
        middle = 0.5 * (turn["factor"][0] + turn["factor"][1])
        self.center = [arb(x) for row in turn["points"] for x in row] + [arb(middle)]
        reach = [*(x for row in turn["alone"] for x in row), turn["alone_factor"]]
        self.alone = [c + arb(0, r) for c, r in zip(self.center, reach, strict=True)]
        self.left: list[Any] = []
        for i in range(self.count):
            box = flow.trapped(self.points(self.alone, i), self.speed(self.alone, i))
            if box is None:
                break
            found = flow.wide(box, self.speed(self.alone, i), ORDER + 1)
            self.left.append((box, found[-1][0], self._of_slopes(found, scale)))

    def points(self, z: list[Any], i: int) -> list[Any]:
        """Return the point at which step i begins, modulo a turn."""
        i %= self.count
        return z[self.n * i : self.n * i + self.n]

    def speed(self, z: list[Any], i: int) -> Any:
        """Return the duration of step i."""
        return z[-1] * self.durations[i]

    def _of_slopes(self, found: Any, scale: list[float]) -> Any:
        """Return what is left out of the derivatives: D x_(p+1) V, |V| <= exp(|f'|) in units of `scale`."""
        n, arb = self.n, self.flow.arb
        rows = [sum((abs(found[1][1][i, k]) * scale[k] for k in range(n)), arb(0)) / scale[i] for i in range(n)]
        largest = [row for row in rows if all(row.upper() >= other.upper() for other in rows)]
        factor = (largest[0].upper() if largest else arb("nan")).exp()  # nan compares with nothing
        last = [sum((abs(found[-1][1][i, k]) * scale[k] for k in range(n)), arb(0)) * factor for i in range(n)]
        sizes = [[(last[i] / scale[j]).abs_upper() for j in range(n)] for i in range(n)]
        return np.array([[arb(0, 1) * x for x in row] for row in sizes], object)

    def step(self, z: list[Any], i: int) -> tuple[Any, Any]:
        """Return the end of step i and its derivatives by the start."""
        parts = self.flow.coefficients(self.points(z, i), self.speed(z, i), ORDER)
        _, value, slopes = self.left[i]
        return sum((v for v, _ in parts), value), sum((d for _, d in parts), slopes)

    def terms(self, z: list[Any], i: int) -> list[Any]:
        """Return the coefficients (states) of the polynomials of step i, what they leave out the last one."""
        parts = self.flow.wide(self.points(z, i), self.speed(z, i), ORDER)
        return [*(v for v, _ in parts), self.left[i][1]]

    def equations(self, z: list[Any]) -> tuple[Any, Any]:
        """Return the equations and their derivatives."""
        n, m = self.n, self.n * self.count + 1
        values, slopes = self.matrix(m, 1), self.matrix(m, m)
        for i in range(self.count):
            end, slope = self.step(z, i)
            pace = self.flow.wide(list(end), self.durations[i], 1)[1][0]
            after = self.points(z, i + 1)
            for a in range(n):
                row = n * i + a
                values[row, 0] = end[a] - after[a]
                slopes[row, m - 1] = pace[a]
                for b in range(n):
                    slopes[row, n * i + b] = slope[a, b]
                column = n * ((i + 1) % self.count) + a
                slopes[row, column] = slopes[row, column] - 1
        for a in range(n):
            slopes[m - 1, a] = self.normal[a]
            values[m - 1, 0] = values[m - 1, 0] + self.normal[a] * (z[a] - self.center[a])
        return values, slopes

    def krawczyk(self) -> list[Any] | None:
        """Return a box that holds the only solution in the box `alone`; None where that is not verified."""
        m = len(self.center)
        values, slopes = self.equations(self.center)
        try:
            middle = [[float(slopes[i, k].mid()) for k in range(m)] for i in range(m)]
            inverse = self.matrix(np.linalg.inv(middle).tolist())
        except np.linalg.LinAlgError:
            return None
        unit = self.matrix(m, m)
        for i in range(m):
            unit[i, i] = 1
        shift, z = inverse * values, self.alone
        for round_ in range(ROUNDS):
            around = [x.union(c) for x, c in zip(z, self.center, strict=True)]  # the mean value theorem needs both
            near = unit - inverse * self.equations(around)[1]
            moved = self.matrix([[x - c] for x, c in zip(z, self.center, strict=True)])
            image = near * moved - shift
            new = [c + image[i, 0] for i, c in enumerate(self.center)]
            if round_ == 0 and not all(x.contains_interior(y) for x, y in zip(z, new, strict=True)):
                return None
            z = [x.intersection(y) for x, y in zip(z, new, strict=True)]
        return z


def check_cycle(system: Any, proof: dict[str, Any], say: Callable[[str], Any]) -> bool:
    """Verify the proof of one cycle."""
    flow = Flow(system, proof)
    cap = flow.ctx.cap
    try:
        return _checked(system, flow, proof["cycles"][0], say)
    finally:
        flow.ctx.cap = cap


def _checked(system: Any, flow: Flow, cycle: dict[str, Any], say: Callable[[str], Any]) -> bool:
    sides = [(cycle["min"][name][0], cycle["max"][name][1]) for name in system.variables]
    scale = [2.0 ** round(math.log2(b - a)) if b > a else 1.0 for a, b in sides]
    turn = Turn(flow, cycle["turn"], scale)
    z = turn.krawczyk() if len(turn.left) == turn.count else None
    if z is None:
        say("a cycle is not verified to be there")
        return False
    n, arb = flow.n, flow.arb
    stated = cycle["turn"]
    places, radii = ([x for row in stated[key] for x in row] for key in ("points", "radius"))
    good = all(abs(x - p) <= r for x, p, r in zip(z, places, radii, strict=False)) and _inside(z[-1], stated["factor"])
    good &= all(_inside(x, cycle["start"][name]) for x, name in zip(z, system.variables, strict=False))
    say("there is one cycle near the points" if good else "the cycle's points are not where they are said to be")
    period = _inside(z[-1] * sum(turn.durations, arb(0)), cycle["period"])
    say("the period is as stated" if period else "the period is not verified")
    polynomials = [turn.terms(z, i) for i in range(turn.count)]
    held = all(
        _reaches(
            [[sign * v[k] for v in terms] for terms in polynomials], [sign * x for x in cycle[key][name]], flow.arb
        )
        for k, name in enumerate(system.variables)
        for sign, key in ((1, "max"), (-1, "min"))
    )
    say("the extremes are as stated" if held else "the extremes are not verified")
    times = [arb((k + 0.5) / PARTS, 0.5 / PARTS) for k in range(PARTS)]
    tubes = [list(_at(terms, t)) for terms in polynomials for t in times]
    least = _least(flow, turn, z, tubes)
    say("the period is the least one" if least else "the period is not verified to be the least one")
    slopes = [turn.step(z, i)[1] for i in range(turn.count)]
    sizes = _multipliers(flow, turn, slopes)
    listed = cycle["multipliers"]
    known = len(sizes) == n - 1 == len(listed)
    known = known and all(_inside(x, side) for x, side in zip(sizes, listed, strict=True))
    outside = sum(bool(x > 1) for x in sizes)
    known = known and outside == cycle["unstable"] and (outside == 0) == cycle["stable"]
    say("the multipliers are as listed" if known else "the multipliers are not verified")
    return bool(good and period and held and least == cycle["least"] and known)


def _at(terms: list[Any], t: Any) -> Any:
    total = terms[-1]
    for term in terms[-2::-1]:
        total = total * t + term
    return total


def _reaches(polynomials: list[list[Any]], side: list[float], arb: Any) -> bool:
    """Say whether the largest value of polynomials on [0, 1] lies between two numbers."""
    low, high = min(side), max(side)
    slopes = [[k * term for k, term in enumerate(terms)][1:] for terms in polynomials]
    heap, reached = [(0.0, i, 0.0, 1.0) for i in range(len(polynomials))], False
    for _ in range(100 * len(heap) + 10_000):
        if not heap:
            return reached
        _, i, a, b = heapq.heappop(heap)  # where it is largest, as far as is known
        middle = 0.5 * (a + b)
        value = _at(polynomials[i], arb(middle))
        reached |= bool(value >= low)
        whole = value + _at(slopes[i], arb(middle, b - middle)) * arb(0, b - middle)
        if not whole <= high or (not reached and not whole < low):
            order = -float(value.mid())
            heapq.heappush(heap, (order, i, a, middle))
            heapq.heappush(heap, (order, i, middle, b))
    return False


def _inside(x: Any, side: Any) -> bool:
    return bool(x >= side[0]) and bool(x <= side[1])


def _least(flow: Flow, turn: Turn, z: list[Any], tubes: list[Any]) -> bool:
    """Say whether the cycle is verified not to come back to its first point before its end."""
    first = turn.points(z, 0)

    def onward(box: Any) -> bool:
        pace = flow.wide(box, flow.arb(1), 1)[1][0]
        return bool(sum((x * c for x, c in zip(pace, turn.normal, strict=True)), flow.arb(0)) > 0)

    after = next((i for i, part in enumerate(tubes) if not onward(part)), len(tubes))
    before = next((i for i, part in enumerate(tubes[::-1]) if not onward(part)), len(tubes))
    middle = tubes[after : len(tubes) - before]
    away = all(any(not x.overlaps(y) for x, y in zip(part, first, strict=True)) for part in middle)
    return 0 < after < len(tubes) and before > 0 and away


def _multipliers(flow: Flow, turn: Turn, slopes: list[Any]) -> list[Any]:
    """Return the sizes of the multipliers but for the trivial one, the largest first; none where they are not known."""
    n = flow.n
    if n == 2:
        total = flow.arb(1)
        for d in slopes:
            total = total * (d[0, 0] * d[1, 1] - d[0, 1] * d[1, 0])
        return [total] if total < 1 or total > 1 else []
    frames, q = [np.eye(n)] * len(slopes), np.eye(n)
    middles = [np.array([[float(x.mid()) for x in row] for row in d]) for d in slopes]
    for _ in range(8):  # orthogonal frames in which the steps are nearly triangular: bounds do not grow then
        for k, middle in enumerate(middles):
            frames[k] = q
            q = np.linalg.qr(middle @ q)[0]
    product: Any = None
    for k, d in enumerate(slopes):
        moved = turn.matrix(d.tolist()) * turn.matrix(frames[k].tolist())
        part = turn.matrix(frames[(k + 1) % len(slopes)].tolist()).solve(moved)
        product = part if product is None else part * product
    try:
        values = product.eig(multiple=True)
    except ValueError:
        return []
    trivial = [v for v in values if not (abs(v) < 1 or abs(v) > 1)]
    if len(trivial) != 1 or sum(v is trivial[0] or v.overlaps(trivial[0]) for v in values) != 1:
        return []
    return sorted((abs(v) for v in values if v is not trivial[0]), key=lambda size: -float(size.mid()))

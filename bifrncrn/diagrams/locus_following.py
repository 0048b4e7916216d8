"""Following a locus: the curve of folds or Hopf points in two parameters, and the points of codimension two on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.loci import codim2
from bifrncrn.curves.loci.codim2 import Local, Test, local
from bifrncrn.curves.loci.defining import Extended
from bifrncrn.curves.loci.starting import onto, units
from bifrncrn.diagrams.results import End
from bifrncrn.diagrams.tracing import Tracer
from bifrncrn.models.branch_events import Events
from bifrncrn.models.region import Region

ZERO = 1e-6
"""A test function that is not below this share of its values beside it has a pole there, not a zero."""
VECTOR = 0.1
"""The unit of length of entries of the unit vector, unless they are larger."""
REAL = 1e-7
"""A pair of eigenvalues whose imaginary parts are below this share of the largest eigenvalue is not imaginary."""


@dataclass(frozen=True, eq=False)
class Found:
    """A point of codimension two: what it is, its row on the locus, its coefficients; bracketed where not refined."""

    label: str
    row: int
    residual: float
    bracket: tuple[float, float] | None
    coefficients: dict[str, float]


@dataclass(frozen=True, eq=False)
class Zero:
    """A zero of a test function between two rows: the row after it, where it is, how small the test is there."""

    label: str
    row: int
    y: np.ndarray
    value: float
    bracket: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Locus:
    """A locus: points (k, N + 1), what is known at each, the points of codimension two, and why it ends."""

    extended: Extended
    points: np.ndarray
    locals: tuple[Local, ...]
    found: tuple[Found, ...]
    ended: tuple[End, End]


class _LocusTracer(Tracer):
    """A tracer whose units of length are no shorter than given ones, for what may be zero where a locus starts."""

    least: np.ndarray
    """The units of length of the states and of the vector of a defining system, (2n,)."""

    def _floor(self, y: np.ndarray) -> np.ndarray:
        floor = super()._floor(y)
        first = slice(len(self.least))
        floor[first] = np.maximum(floor[first], self.least)
        return floor


class Follower:
    """Follows the loci of one kind.

    Parameters
    ----------
    extended : Extended
    span : (float, float)
        The interval of the second parameter.
    options : Options
    room : (float, float)
        The interval of the first parameter.
    size : (n,) array
        Typical sizes of the states.
    """

    def __init__(
        self,
        extended: Extended,
        span: tuple[float, float],
        options: Options,
        room: tuple[float, float],
        size: np.ndarray,
    ) -> None:
        system = extended.system
        self.extended = extended
        self.problem = EquilibriumProblem(system, system.parameter_index(extended.second), stability=False)
        n, rest = extended.n, len(system.variables) - extended.n
        low, high = extended.base.lower, extended.base.upper
        free = np.full(rest - 1, np.inf)
        self.problem.region = Region(np.concatenate([low, -free, room[:1]]), np.concatenate([high, free, room[1:]]))
        hopf = extended.kind == "hopf"
        events = _vanishing(len(system.variables), len(system.parameters), 2 * n) if hopf else None
        self.tracer = _LocusTracer(
            self.problem, extended.second, span, options, 1, events=events, stop=frozenset({"UZ"} if hopf else ())
        )
        self.tracer.least = np.append(0.1 * size, np.full(n, VECTOR))

    def knows(self, y: np.ndarray) -> bool:
        """Say whether a point lies on a locus that was followed already; the vector's sign does not matter."""
        n = self.extended.n
        turned = y.copy()
        turned[n : 2 * n] *= -1.0
        return self.tracer.knows(y) or self.tracer.knows(turned)

    def follow(self, y: np.ndarray) -> Locus | None:
        """Return the locus through a point, followed in both directions; None where it cannot be followed."""
        before = len(self.tracer.lines)
        self.tracer.trace_through(y)
        if len(self.tracer.lines) == before:
            return None
        line, ends = self.tracer.lines[-1], self.tracer.branches[-1].ended
        zeros, points = self._zeros(line.points), line.points
        order = np.argsort([*range(len(points)), *(zero.row - 0.5 for zero in zeros)], kind="stable")
        places = {int(old): new for new, old in enumerate(order)}
        points = np.concatenate([points, *(zero.y[None] for zero in zeros)])[order]
        found = [self._found(zero, places[len(line) + k]) for k, zero in enumerate(zeros)]
        ends = tuple(self._end(end, line.points[row]) for end, row in zip(ends, (0, -1), strict=True))
        for end, row in zip(ends, (0, len(line) - 1), strict=True):
            if end.reason == "BT":
                found.append(self._found(Zero("BT", row, line.points[row], 0.0, None), places[row]))
        known = tuple(local(self.extended, y) for y in points)
        found.sort(key=lambda one: one.row)
        return Locus(self.extended, points, known, tuple(found), (ends[0], ends[1]))

    def _zeros(self, points: np.ndarray) -> list[Zero]:
        """Return the zeros of the test functions between the rows of a locus."""
        known = [local(self.extended, y) for y in points]
        out = []
        for label, test in codim2.TESTS[self.extended.kind].items():
            values = self._with_ends([test(self.extended, at) for at in known], known)
            for row in range(1, len(points)):
                a, b = values[row - 1], values[row]
                if a * b < 0.0 or (b == 0.0 and row < len(points) - 1):
                    zero = self._locate(label, test, row, points, (a, b))
                    if zero is not None:
                        out.append(zero)
        return out

    def _with_ends(self, values: list[float], known: list[Local]) -> list[float]:
        """Return the values of a test, at a Bogdanov-Takens end the sign that l1 has beside it (that of a b)."""
        for row, beside in ((0, 1), (-1, -2)):
            if np.isnan(values[row]) and len(values) > 1:
                a, b = codim2.takens_coefficients(self.extended, known[row])
                values[row] = float(np.copysign(values[beside], a * b))
        return values

    def _locate(self, label: str, test: Test, row: int, points: np.ndarray, ends: tuple[float, float]) -> Zero | None:
        """Return the zero of a test before a row, `ends` being its values there; None where it has a pole, or is none.

        Where the locus cannot be corrected between the rows, the zero is bracketed by them.
        """
        from scipy.optimize import brentq

        before, after = points[row - 1], points[row]
        scale = np.maximum(units(self.extended, before), units(self.extended, after))
        normal = (after - before) / scale**2

        def at(share: float) -> np.ndarray | None:
            return onto(self.problem, before + share * (after - before), normal, scale)

        def value(share: float) -> float:
            y = at(share)
            there = test(self.extended, local(self.extended, y)) if y is not None else np.nan
            return float(there) if np.isfinite(there) else ends[share > 0.5]

        first, last = value(0.0), value(1.0)
        # where a row is the zero itself, rounding decides its sign
        share = 0.0 if abs(first) < abs(last) else 1.0
        if first * last < 0.0:
            share = brentq(value, 0.0, 1.0, xtol=1e-15, rtol=1e-15)
        y, left = at(share), abs(value(share)) / max(map(abs, ends))
        if y is None:
            low, high = sorted((float(before[-1]), float(after[-1])))
            return Zero(label, row, after, left, (low, high))
        if left > ZERO or not self._is(label, local(self.extended, y)):
            return None
        return Zero(label, row, y, left, None)

    def _is(self, label: str, at: Local) -> bool:
        """Say whether a zero is the point it looks like: real eigenvalues of zero sum are no pair of a Hopf point."""
        if label == "HH" or (label == "ZH" and self.extended.kind == "fold"):
            i, j = np.triu_indices(len(at.others), 1)
            k = int(np.argmin(np.abs(at.others[i] + at.others[j])))
            size = max(float(np.max(np.abs(at.others))), abs(at.kappa) ** 0.5)
            return abs(float(at.others[i[k]].imag)) > REAL * size
        return at.kappa > 0.0 if self.extended.kind == "hopf" else True

    def _end(self, end: End, y: np.ndarray) -> End:
        """Return why a locus ends at y: Hopf points are stopped at by the march where kappa vanishes."""
        if end.reason != "stop":
            return end
        if codim2.has_double_zero(local(self.extended, y)):
            return End("BT", "it ends at a Bogdanov-Takens point; beyond are neutral saddles, no Hopf points")
        return End("step", "its imaginary pair of eigenvalues was lost here")

    def _found(self, zero: Zero, place: int) -> Found:
        """Return a zero as a point of codimension two, in row `place`, with its coefficients."""
        at, coefficients = local(self.extended, zero.y), {}
        if zero.label == "CP":
            coefficients["c"] = codim2.cusp_coefficient(self.extended, at)
        elif zero.label == "BT":
            coefficients["a"], coefficients["b"] = codim2.takens_coefficients(self.extended, at)
        residual = max(zero.value, self.problem.residual(zero.y))
        return Found(zero.label, place, residual, zero.bracket, coefficients)


def _vanishing(n: int, m: int, index: int) -> Events:
    """Return the event that a variable is zero."""

    def build() -> tuple[Graph, list[int]]:
        g = Graph()
        return g, [g.node("var", index)]

    return Events(("kappa = 0",), NativeModel(n, m, f"variable {index} of {n} with {m} parameters", build))

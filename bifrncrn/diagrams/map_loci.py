"""Folds, period doublings and Neimark-Sacker points of a map in two parameters: loci of f^k(x) - x."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.base.labels import map_locus_of
from bifrncrn.base.progress import progress
from bifrncrn.continuation.options import Options
from bifrncrn.curves.loci.problem import LocusProblem
from bifrncrn.curves.loci.starting import parts
from bifrncrn.diagrams.locus_collecting import MOST, Collector
from bifrncrn.diagrams.locus_following import Follower, Found, Locus
from bifrncrn.diagrams.locus_results import assembled
from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.models.maps import displaced, divisors, orbit
from bifrncrn.models.system import System

LOWER = 1e-4
"""Two points of a cycle nearer than this, in units of the states, have met: where a locus ends so, near a branch point
of its equations, its rows are not as good as elsewhere."""
ABOUT = 0.05
"""Where folds of cycles come to cycles of a lower period tangentially (GPD), steps become too small this far off."""
OPPOSITE = -0.9
"""The cosine between the ways from a point to another of its cycle, before and after both have met."""
FOLD, DOUBLING, TORUS = (map_locus_of(label) for label in ("LP", "PD", "NS"))
MEETING = {
    "R1": {FOLD: TORUS, TORUS: FOLD},
    "R2": {DOUBLING: TORUS, TORUS: DOUBLING},
    "LPPD": {FOLD: DOUBLING, DOUBLING: FOLD},
    "LPNS": {FOLD: TORUS, TORUS: FOLD},
    "PDNS": {DOUBLING: TORUS, TORUS: DOUBLING},
    "NSNS": {TORUS: TORUS},
}
"""The kind of curve that meets one of another kind at a point, by its label and the one's kind."""
COSINES = {"R1": 1.0, "R2": -1.0}
"""The cosine of the angle of the pair at points where it is real."""


class MapFollower(Follower):
    """Follows loci of cycles of one length of a map, up to where these become cycles of a lower period."""

    def __init__(
        self,
        problem: LocusProblem,
        span: tuple[float, float],
        room: tuple[float, float],
        options: Options,
        system: System,
        iterations: int,
    ) -> None:
        super().__init__(problem, span, room, options)
        self.map, self.iterations = system, iterations

    def _march(
        self, y: np.ndarray, ahead: np.ndarray, scale: np.ndarray, first_step: float | None = None
    ) -> Locus | None:
        locus = super()._march(y, ahead, scale, first_step)
        if locus is None or self.iterations == 1:
            return locus
        unit = scale[: self.problem.n]
        apart = [self._apart(locus.points, period) / unit for period in largest_parts(self.iterations)]
        row = min((first_meeting(gaps) for gaps in apart), default=len(locus.points))
        if row == len(locus.points):
            lost = locus.ended[1].reason == "step" and min(np.linalg.norm(gaps[-1]) for gaps in apart) <= ABOUT
            return replace(locus, ended=(locus.ended[0], self._lower(locus.points[-1]))) if lost else locus
        if row == 0:
            return None
        periods = divisors(self.iterations)
        own = [j for j in locus.junctions if min(self._returns(j.y, period, unit) for period in periods) > LOWER]
        return replace(
            locus,
            points=locus.points[:row],
            tangents=locus.tangents[:row],
            found=tuple(one for one in locus.found if one.row < row),
            junctions=tuple(own),
            ended=(locus.ended[0], self._lower(locus.points[row])),
        )

    def _lower(self, y: np.ndarray) -> End:
        where = f"{self.problem.first}={y[-2]:.6g}, {self.problem.second}={y[-1]:.6g}"
        return End("period", f"its cycles become those of a lower period near {where}")

    def _apart(self, points: np.ndarray, period: int) -> np.ndarray:
        """Return f^period(x) - x at points of a locus, (k, n)."""
        n, rows = self.problem.n, []
        for y in points:
            rows.append(orbit(self.map, y[:n], period + 1, self.problem.values(y))[-1] - y[:n])
        return np.array(rows)

    def _returns(self, y: np.ndarray, period: int, unit: np.ndarray) -> float:
        return float(np.max(np.abs(self._apart(y[None], period)[0] / unit)))


def largest_parts(count: int) -> list[int]:
    """Return the greatest periods below `count` that points of its cycles can have: `count` over its prime factors."""
    lower = divisors(count)
    return [k for k in lower if not any(other > k and other % k == 0 for other in lower)]


def first_meeting(apart: np.ndarray) -> int:
    """Return the first row at or before which the way (k, n) from a point to another of its cycle vanishes, or k."""
    size = np.linalg.norm(apart, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.sum(apart[1:] * apart[:-1], axis=1) / (size[1:] * size[:-1])
    met = [*np.flatnonzero(size <= LOWER)[:1].tolist(), *(1 + np.flatnonzero(cosine < OPPOSITE))[:1].tolist()]
    return min(met, default=len(apart))


class MapCollector(Collector):
    """Collects the loci of cycles of one length of a map, each curve once."""

    def __init__(
        self,
        points: Sequence[SpecialPoint],
        first: str,
        second: str,
        span: tuple[float, float],
        options: Options,
        room: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        assert points[0].system is not None
        self.map = points[0].system
        self.iterations: int = points[0].iterations or 1
        base = displaced(self.map, self.iterations)
        super().__init__([replace(point, system=base) for point in points], first, second, span, options, room)

    def add(self, point: SpecialPoint) -> None:
        """Follow a fold, doubling or Neimark-Sacker point; say so where it cannot be."""
        x = np.array([point.state[name] for name in self.base.variables])
        second = float(self.base.values[self.base.parameter_index(self.second)])
        extra = math.cos(point.theta) if point.theta is not None else _cosine(point.multipliers)
        if self._through(map_locus_of(point.label), x, point.parameters[self.first], second, extra):
            return
        self.notes.append(
            f"The {point.label} at {self.first}={point.parameters[self.first]:.6g} was not followed in two parameters: "
            "it is degenerate."
        )

    def add_crossing(self) -> None:
        """Follow the loci that meet those followed at points of codimension two, and so on."""
        done = 0
        while done < len(self.loci) < MOST:
            one = self.loci[done]
            done += 1
            for found in (point for point in one.found if point.bracket is None and point.label in MEETING):
                self._meet(one, found)
            self.switch_everywhere()

    def _follower(self, kind: str) -> Follower:
        if kind not in self.followers:
            problem = LocusProblem(self.base, kind, self.first, self.second, self.size)
            self.followers[kind] = MapFollower(
                problem, self.span, self.room, self.options, self.map, self.iterations or 1
            )
        return self.followers[kind]

    def _meet(self, one: Locus, found: Found) -> None:
        """Follow the locus that meets another at a point."""
        x, first, second, extra = parts(one.problem, one.points[found.row])
        kind = MEETING[found.label][one.problem.kind]
        if kind == FOLD and self._is_branch_point(self._follower(kind).problem, x, first, second):
            self.notes.append(
                f"At {self.first}={first:.6g}, {self.second}={second:.6g} the curve meets one of branch points, which "
                "is not followed."
            )
            return
        cosine = COSINES.get(found.label)
        if kind == TORUS and cosine is None:
            values = one.problem.matrix(x, first, second)[:, : one.problem.n]
            multipliers = np.linalg.eigvals(values).astype(complex) + 1.0
            cosine = _cosine(multipliers, extra if one.problem.kind == TORUS else None)
        self._through(kind, x, first, second, cosine or 0.0, kind != TORUS or found.label not in COSINES)

    def _known(self, kind: str, y: np.ndarray) -> bool:
        """Say whether a locus is known, by this or another of the points of the cycle."""
        values = np.array(self.map.values)
        values[[self.map.parameter_index(name) for name in (self.first, self.second)]] = y[-2:]
        n = len(self.map.variables)
        others = orbit(self.map, y[:n], self.iterations, values)
        return any(super(MapCollector, self)._known(kind, np.append(x, y[n:])) for x in others)


def _cosine(multipliers: np.ndarray, unlike: float | None = None) -> float:
    """Return the cosine of the angle of the pair nearest to the unit circle; of two that which is `unlike` a value."""
    pairs = multipliers[multipliers.imag > 0.0]
    if unlike is not None and len(pairs):
        pairs = np.delete(pairs, int(np.argmin(np.abs(pairs - complex(unlike, math.sqrt(1.0 - unlike**2))))))
    if not len(pairs):
        return 0.0
    nearest = pairs[np.argmin(np.abs(np.abs(pairs) - 1.0))]
    return float(nearest.real / abs(nearest))


def checked(point: SpecialPoint) -> SpecialPoint:
    """Return a point of a map in one parameter from which a locus starts; without what was divided out of the map.

    Raises
    ------
    InputError
        If it is none.
    """
    if not map_locus_of(point.label) or len(point.parameters) != 1:
        raise InputError(f"a {point.label} of a map is not followed in two parameters; give LP, PD or NS")
    if point.status != "converged":
        raise InputError(f"the {point.label} is not refined, so no curve starts there; give another")
    return point


def map_locus(point: SpecialPoint, second: str, span: tuple[float, float], options: Options) -> Diagram:
    """Return the locus through a point of a map, and those of its kind that cross it."""
    (first,) = point.parameters
    collector = MapCollector([point], first, second, span, options)
    collector.add(point)
    if not collector.loci:
        raise ConvergenceError(" ".join(collector.notes))
    collector.switch_everywhere()
    return assembled(collector, collector.map, point.reduction)


def loci_of(
    diagram: Diagram, second: str, span: tuple[float, float], options: Options, room: tuple[float, float]
) -> tuple[list[Branch], list[SpecialPoint], list[str]]:
    """Return the loci of LP, PD and NS of a diagram of a map, and those that meet them; what lies on them; notes."""
    assert diagram.system is not None
    chosen = [point for point in diagram.special_points if map_locus_of(point.label) and point.status == "converged"]
    branches: list[Branch] = []
    points: list[SpecialPoint] = []
    notes: list[str] = []
    with progress("following curves in two parameters", len(chosen)) as step:
        for iterations in sorted({point.iterations or 1 for point in chosen}):
            group = [point for point in chosen if (point.iterations or 1) == iterations]
            found = _of_one_length(group, diagram, second, span, options, room)
            count = len(diagram.branches) + len(branches)
            branches += [replace(branch, id=branch.id + count) for branch in found.branches]
            points += [replace(point, branch=point.branch + count) for point in found.special_points]
            notes += found.notes
            for _ in group:
                step()
    return branches, points, notes


def _of_one_length(
    group: list[SpecialPoint],
    diagram: Diagram,
    second: str,
    span: tuple[float, float],
    options: Options,
    room: tuple[float, float],
) -> Diagram:
    collector = MapCollector(group, diagram.parameter, second, span, options, room)
    for point in group:
        if options.late:
            where = f"{point.label} at {diagram.parameter}={point.parameters[diagram.parameter]:.9g}"
            collector.notes.append(f"the curve of the {where} was not followed: {options.said}")
        else:
            collector.add(point)
    collector.add_crossing()
    return assembled(collector, collector.map, diagram.reduction)

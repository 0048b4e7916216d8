"""Following a locus: the curve of one kind of points in two parameters, what lies on it, and where it ends."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.made import made
from bifrncrn.continuation import layout
from bifrncrn.continuation.ends import said
from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.loci.codim2 import is_real, refine
from bifrncrn.curves.loci.junctions import Junction, directions, locate
from bifrncrn.curves.loci.problem import EDGES, LocusProblem
from bifrncrn.curves.loci.starting import at_edge, edge_of, onto, parts, prepare, tangent, units
from bifrncrn.diagrams.results import End

ZERO = 1e-6
"""A test function that is not below this share of its values beside it has a pole there, not a zero."""
TYPICAL = 1e-3
"""One of those values may be next to zero by chance: this share of the median along the locus counts as well."""
BESIDE = 1e-2
"""How far from a point where two loci meet the second one is started, in units of the unknowns."""
EXACT = 1e-12
"""A start with smaller relative residuals is on the locus as it is."""
OFF = 0.02
"""A start may be off the locus by this much, in units of the unknowns: it may be a point that was only bracketed."""
AT_WALL = 1e-5
"""A curve that ends nearer to a bound than this, in units of the states, ends there: it meets another on the bound."""
NOTHING = 1e-5
"""A curve that is shorter than this, in units of the unknowns, is the rounding of a degenerate point."""
NOISE = 20
"""More junctions than this in one march are the sign of a determinant that is zero all along."""
CLOSE = 1e-4
"""A point that is only bracketed and a junction that are closer than this, in units of the unknowns, may be one."""
TOUCHING = 1e-6
"""A pair is real at a junction where its unknown is this near to where it is real, in units of its usual distance:
junctions are located to some 1e-8 of the parameters, of which it is a multiple there."""
FAR = 1e9
"""A state that grows to this multiple of its typical size is taken to go to infinity."""
SAME = 1e-6
"""Points of loci closer than this, in units of the unknowns, are one."""
LEAVING = (1e-2, 1e-3, 1e-4)
"""How far from a junction the first point of another curve is looked for, in units of the unknowns."""
NEAR = 0.5
"""A point further than this from all rows of a locus, in units of the unknowns, is not on it."""


@dataclass(frozen=True, eq=False)
class Found:
    """A point of codimension two: its label and row; `bracket` where it could not be refined."""

    label: str
    row: int
    bracket: tuple[float, float] | None = None

    def at(self, row: int) -> Found:
        """Return the same point at another row."""
        return made(Found, label=self.label, row=row, bracket=self.bracket)


@dataclass(frozen=True, eq=False)
class Locus:
    """A locus: points and tangents (k, u), the points of codimension two, where others meet it, and why it ends."""

    problem: LocusProblem
    points: np.ndarray
    tangents: np.ndarray
    found: tuple[Found, ...]
    junctions: tuple[Junction, ...]
    ended: tuple[End, End]

    def reversed(self) -> Locus:
        """Return the same locus traversed the other way."""
        last = len(self.points) - 1
        found = tuple([one.at(last - one.row) for one in reversed(self.found)])
        ends = self.ended[1], self.ended[0]
        return replace(self, points=self.points[::-1], tangents=-self.tangents[::-1], found=found, ended=ends)


def join(first: Locus, second: Locus) -> Locus:
    """Return one locus from two that follow one another."""
    found = (*first.found, *(one.at(one.row + len(first.points)) for one in second.found))
    return Locus(
        first.problem,
        np.concatenate([first.points, second.points]),
        np.concatenate([first.tangents, second.tangents]),
        found,
        first.junctions + second.junctions,
        (first.ended[0], second.ended[1]),
    )


class Follower:
    """Follows loci of one kind.

    Parameters
    ----------
    problem : LocusProblem
    span : (float, float)
        The interval of the second parameter.
    room : (float, float)
        The interval of the first parameter.
    options : Options
    """

    def __init__(
        self, problem: LocusProblem, span: tuple[float, float], room: tuple[float, float], options: Options
    ) -> None:
        self.problem, self.span, self.room, self.options = problem, span, room, options
        base = problem.base
        least, most = ([-1.0], [1.0]) if problem.of_map else ([0.0], [np.inf])  # of the pair's unknown
        least, most = (least, most) if problem.paired else ([], [])
        far = FAR * problem.size[: problem.n]
        self.walls = (
            np.concatenate([np.maximum(base.lower, -far), least, room[:1]]),
            np.concatenate([np.minimum(base.upper, far), most, room[1:]]),
        )

    def follow(self, y: np.ndarray, meets: bool = False) -> Locus | None:
        """Return the locus through a point, whose borders are set; None where it cannot be followed.

        Where the point `meets` another locus, the start is beside it: what is special there shows by a change of sign.
        """
        problem = self.problem
        scale = self._scale(y)
        y = self._start(y, scale)
        ahead, regular = tangent(problem, y, scale)
        if meets or not regular:
            ways = [ahead / scale] if regular else directions(problem, y, scale)
            for beside in self._beside(y, ways, scale):
                ahead, regular = tangent(problem, beside, scale)
                if regular:
                    y = beside
                    break
        if not regular:
            return None
        borders = problem.borders()
        forth = self._march(y, ahead, scale)
        if forth is None or forth.ended[1].reason == "closed":
            return forth
        problem.set_all_borders(borders)
        back = self._march(y, -ahead, scale)
        if back is None:
            return None
        whole = forth if len(back.points) < 2 else join(_without_last(back.reversed()), forth)
        if np.max(np.ptp(whole.points, axis=0) / scale) < NOTHING:
            return None
        return replace(whole, ended=(back.ended[1], forth.ended[1]))

    def switch(self, junction: Junction, other: Callable[[LocusProblem, np.ndarray], bool]) -> Locus | None:
        """Return the locus that crosses another at a junction; None where its points are of an `other` kind."""
        scale = self._scale(junction.y)
        ways = [self._leave(junction, -1.0, scale, other)]
        if ways[0] is not None and ways[0].ended[1].reason == "closed":  # past the junction to where it was left
            return replace(ways[0], ended=(ways[0].ended[1],) * 2)
        ways.append(self._leave(junction, 1.0, scale, other))
        here = Locus(self.problem, junction.y[None], junction.across[None], (), (), (START, START))
        back, forth = (way if way is not None and len(way.points) > 1 else None for way in ways)
        if back is None and forth is None:
            return None
        whole = here if back is None else join(back.reversed(), here)
        return whole if forth is None else join(whole, forth)

    def _leave(
        self, junction: Junction, sign: float, scale: np.ndarray, other: Callable[[LocusProblem, np.ndarray], bool]
    ) -> Locus | None:
        step = sign * junction.across / scale
        step = step / np.linalg.norm(step)
        for length in LEAVING:
            guess = junction.y + length * step * scale
            if prepare(self.problem, *parts(self.problem, guess)) is None:
                continue
            start = onto(self.problem, guess, step / scale, scale)
            if start is None or not np.linalg.norm((start - guess) / scale) < 0.5 * length or not self._inside(start):
                continue
            if other(self.problem, start):
                return None
            return self._march(start, step * scale, scale, length)
        return None

    def knows(self, locus: Locus, y: np.ndarray) -> bool:
        """Say whether a point lies on a locus: that is, beside its nearest row there is no other point of it."""
        scale = self._scale(y)
        gaps = (locus.points - y) / scale
        row = int(np.argmin(np.sum(gaps * gaps, axis=1)))
        if not np.linalg.norm(gaps[row]) <= NEAR:
            return False
        at, normal = locus.points[row], locus.tangents[row] / scale**2
        if prepare(self.problem, *parts(self.problem, at)) is None:
            return False
        along = locus.tangents[row] * (normal @ (y - at)) / (normal @ locus.tangents[row])
        there = onto(self.problem, at + along, normal, scale)
        return there is not None and bool(np.all(np.abs(there - y) <= SAME * scale))

    def _scale(self, y: np.ndarray) -> np.ndarray:
        scale = units(self.problem, y)
        scale[-1] = self.span[1] - self.span[0]
        return scale

    def _inside(self, y: np.ndarray) -> bool:
        low, high = self.walls
        return bool(self.span[0] <= y[-1] <= self.span[1] and np.all(y[:-1] >= low) and np.all(y[:-1] <= high))

    def _start(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the point of the locus with the same second parameter (at a real pair, the same one), if there is."""
        if self.problem.residual(y) <= EXACT:
            return y
        row = np.zeros(len(y))
        real = self.problem.paired and float(y[self.problem.n]) in EDGES[self.problem.kind]
        row[self.problem.n if real else -1] = 1.0
        found = onto(self.problem, y, row / scale, scale)
        near = found is not None and np.linalg.norm((found - y) / scale) < OFF
        return found if found is not None and near else y

    def _beside(self, y: np.ndarray, ways: list[np.ndarray], scale: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the points of loci a little further along unit tangents, in scaled unknowns, and back."""
        for way, sign in itertools.product(ways, (1.0, -1.0)):
            guess = y + sign * BESIDE * way * scale
            found = onto(self.problem, guess, way / scale, scale)
            if found is not None and np.linalg.norm((found - guess) / scale) < BESIDE and self._inside(found):
                yield found

    def _march(
        self, y: np.ndarray, ahead: np.ndarray, scale: np.ndarray, first_step: float | None = None
    ) -> Locus | None:
        """March one way; return None where there is no point at all."""
        floor = 0.1 * scale
        floor[-1] = scale[-1]
        if self.problem.kind == "map_torus":  # where the pair is real its coefficient has the sign it has beside
            step = ahead / scale
            self.problem.tests(y + BESIDE * step / np.linalg.norm(step) * scale)
        trace = march(self.problem.curve, y, ahead, self.span, self.walls, floor, self.options, first_step)
        trace = _finite(trace)
        if not len(trace.points):
            return None
        found, junctions = self._seen(trace, scale)
        end = self._end(trace)
        if end.reason in ("BT", "R1", "R2"):
            found.append(self._real_pair(trace.points, scale))
        return Locus(self.problem, trace.points, trace.tangents, tuple(found), tuple(junctions), (START, end))

    def _real_pair(self, points: np.ndarray, scale: np.ndarray) -> Found:
        """Return the point at the end of a march where the pair became real, its last row put there."""
        n, last = self.problem.n, len(points) - 1
        edge, label = edge_of(self.problem, points[-1])
        if points[-1, n] == edge:
            return Found(label, last)
        exact = at_edge(self.problem, points[-1], scale)
        if exact is not None:
            points[-1] = exact
            return Found(label, last)
        here, before = points[-1], points[max(last - 1, 0)]
        left = abs(here[n] - edge)
        beyond = here[-1] + (here[-1] - before[-1]) * left / (abs(before[n] - here[n]) or 1.0)
        low, high = sorted((float(here[-1]), float(2.0 * beyond - here[-1])))
        return Found(label, last, (low, high))

    def _seen(self, trace: Trace, scale: np.ndarray) -> tuple[list[Found], list[Junction]]:
        """Return the points of codimension two and the junctions that a march has seen."""
        marks, points = trace.marks[:, layout.MARK_EVENT], trace.points
        rows = np.flatnonzero(np.abs(marks) == layout.BRANCH).tolist()
        located = [self._junction(points, row, scale) for row in rows if len(rows) <= NOISE]
        junctions = [junction for junction in located if junction is not None]
        found = [one for row, junction in zip(rows, located) for one in self._touching(points, row, junction)]
        for row in np.flatnonzero(np.abs(marks) >= layout.USER_EVENT).tolist():
            which = abs(int(marks[row])) - layout.USER_EVENT
            label = self.problem.curve.labels[which]
            if (marks[row] < 0 and self._is_pole(trace, row, which)) or self._is_divided(trace, row, label, scale):
                continue
            if marks[row] < 0:
                low, high = sorted((float(points[row - 1, -1]), float(points[row, -1])))
                found.append(self._at_junction(Found(label, row, (low, high)), trace, junctions, scale))
            elif self._vanishes(trace, row, which):
                # where p'B(q, q) vanishes together with p'q, their ratio, the quadratic coefficient, does not: no cusp
                label = self.problem.curve.labels[1] if label == "CP" and self._vanishes(trace, row, 1) else label
                refined = refine(self.problem, points[row], label)
                points[row] = refined if np.all(np.isfinite(refined)) else points[row]
                found.append(Found(label, row))
        return found, junctions

    def _touching(self, points: np.ndarray, row: int, junction: Junction | None) -> list[Found]:
        """Return the point at which a pair becomes real only to be imaginary again beyond, as symmetry may make it."""
        n = self.problem.n
        if junction is None or not self.problem.paired:
            return []
        edge, label = edge_of(self.problem, junction.y)
        if not abs(junction.y[n] - edge) <= TOUCHING * float(np.median(np.abs(points[:, n] - edge))):
            return []
        points[row] = junction.y
        points[row, n] = edge
        return [Found(label, row)]

    def _junction(self, points: np.ndarray, row: int, scale: np.ndarray) -> Junction | None:
        """Return the junction before a row, between points further apart where those beside it are closer than it is.

        Where the corrector fails near it, the march halves its step until nothing is between them.
        """
        found = locate(self.problem, points[row - 1], points[row], scale)
        if found is not None or row < 2:
            return found
        off = np.linalg.norm((points - points[row]) / scale, axis=1) > CLOSE
        before, after = np.flatnonzero(off[:row]), row + np.flatnonzero(off[row:])
        if not len(before) or not len(after):
            return None
        return locate(self.problem, points[before[-1]], points[after[0]], scale)

    def _at_junction(self, one: Found, trace: Trace, junctions: list[Junction], scale: np.ndarray) -> Found:
        """Return a bracketed point as located, if it is a junction: there the corrector fails."""
        which = self.problem.curve.labels.index(one.label)
        typical = float(np.median(np.abs(trace.values[:, which])))
        for junction in junctions:
            if np.all(np.abs(junction.y - trace.points[one.row]) <= CLOSE * scale):
                known = prepare(self.problem, *parts(self.problem, junction.y)) is not None
                if known and abs(self.problem.tests(junction.y)[which]) <= ZERO * typical:
                    trace.points[one.row] = junction.y
                    return Found(one.label, one.row)
        return one

    def _is_pole(self, trace: Trace, row: int, which: int) -> bool:
        """Say whether a test changes its sign before a row without being small: the step was shrunk, so it has a pole.

        So has l1 at zero-Hopf points, and where kappa vanishes, where it is not defined either.
        """
        values = np.abs(trace.values[:, which])
        return bool(max(values[row - 1], values[row]) > np.median(values))

    def _vanishes(self, trace: Trace, row: int, which: int) -> bool:
        """Say whether a test that changes sign at a row is zero there only, and is what its label says."""
        values = np.abs(trace.values[:, which])
        beside = min(values[row - 1], values[min(row + 1, len(values) - 1)])  # one of them may be beside a pole
        typical = float(np.sort(values)[len(values) // 2])
        if typical == 0.0 or not values[row] <= ZERO * max(beside, TYPICAL * typical):
            return False  # a test that is zero all along tells nothing
        label = self.problem.curve.labels[which]
        return not is_real(self.problem, trace.points[row], label)

    def _is_divided(self, trace: Trace, row: int, label: str, scale: np.ndarray) -> bool:
        """Say whether a test vanishes at a row by what its pole was divided out with: there need not be a pole."""
        by = DIVIDED.get(label)
        if by is None or not self.problem.of_map:
            return False
        mark = layout.USER_EVENT + self.problem.curve.labels.index(by)
        others = trace.points[np.abs(trace.marks[:, layout.MARK_EVENT]) == mark]
        return bool(np.any(np.linalg.norm((others - trace.points[row]) / scale, axis=1) <= CLOSE))

    def _end(self, trace: Trace) -> End:
        """Say why a march ended."""
        problem, y = self.problem, trace.points[-1]
        if trace.reason == layout.BOUND and problem.paired and trace.wall == problem.n:
            return PAIR_ENDS[edge_of(problem, y)[1]]
        if trace.reason == layout.BOUND and trace.wall == problem.unknowns - 2:
            return End("bound", f"{problem.first} reached {y[-2]:.6g}, far outside its range")
        if trace.reason == layout.BOUND and abs(y[trace.wall]) >= 0.5 * FAR * problem.size[trace.wall]:
            name = problem.base.variables[trace.wall]
            return End("infinity", f"{name} reached {y[trace.wall]:.3g}: the curve seems to go to infinity")
        if trace.reason == layout.BOUND:
            return End("bound", f"{problem.base.variables[trace.wall]} reached its bound {y[trace.wall]:g}")
        if trace.reason != layout.SHORT:
            return End(*said(trace, problem.second, self.options))
        n, low, high = problem.n, problem.base.lower, problem.base.upper
        gap = np.minimum(y[:n] - low, high - y[:n]) / units(problem, y)[:n]
        if trace.reason == layout.SHORT and np.min(gap) <= AT_WALL:
            name = problem.base.variables[int(np.argmin(gap))]
            return End("bound", f"{name} came to its bound, where the curve meets branch points")
        if problem.paired and abs(y[n] - edge_of(problem, y)[0]) <= AT_WALL * units(problem, y)[n]:
            return End("step", "its pair of eigenvalues becomes real here")
        meets = "" if problem.paired else ", or meets one of branch points"
        return End("step", f"the step became too small: the curve is not smooth here{meets}")


DIVIDED = {"GPD": "LPPD", "CH": "LPNS"}
"""The tests of a map's curves that are multiplied by another, at whose zeros they may have poles."""
PAIR_ENDS = {
    "BT": End("BT", "it ends at a Bogdanov-Takens point; beyond are neutral saddles, no Hopf points"),
    "R1": End("R1", "it ends at a 1:1 resonance; beyond are neutral saddles, no Neimark-Sacker points"),
    "R2": End("R2", "it ends at a 1:2 resonance; beyond are neutral saddles, no Neimark-Sacker points"),
}
"""Why curves of pairs end where the pair becomes real."""
START = End("junction", "the curve starts where it crosses another of its kind")


def _finite(trace: Trace) -> Trace:
    """Return a march up to its first point that is not finite."""
    finite = np.isfinite(trace.points)
    if np.count_nonzero(finite) == finite.size:
        return trace
    count = int(np.argmin(np.all(finite, axis=1)))
    return replace(trace, rows=trace.rows[:count], marks=trace.marks[:count])


def _without_last(locus: Locus) -> Locus:
    return replace(locus, points=locus.points[:-1], tangents=locus.tangents[:-1])

"""Branches of fixed points of a map's iterates: traced like equilibria, their special points those of maps.

A branch of cycles of k points is one of fixed points of the k-th iterate, and holds one of the k points. It ends where
it meets a branch of a lower period: cycles of half the period at a period doubling, where it would go on with the
other points of the same cycles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line, join
from bifrncrn.continuation.options import Options
from bifrncrn.curves.fixed_points.problem import EVENTS, FixedPointProblem, multipliers_of
from bifrncrn.curves.fixed_points.start import unit_of
from bifrncrn.diagrams.beside_circle import clear_of_neutral, crossing_at
from bifrncrn.diagrams.junctions import Junction, in_natural_units
from bifrncrn.diagrams.neutral import is_one_value, neutral_fixed_points, on_circle, runs_of
from bifrncrn.diagrams.piecewise import BORDER, PiecewiseTracer
from bifrncrn.diagrams.refining import without_turns_of_rounding
from bifrncrn.diagrams.results import Branch, End, SpecialPoint
from bifrncrn.diagrams.tracing import Tracer
from bifrncrn.diagrams.track import SAME, scale_at
from bifrncrn.models.borders import borders_of
from bifrncrn.models.branch_events import Events
from bifrncrn.models.maps import SAME as RETURNED
from bifrncrn.models.maps import least_period
from bifrncrn.models.region import Region
from bifrncrn.models.system import System

MOTHER = 1 << 21
"""The kind of event where a branch meets that of half its period."""
AT_END = 1e-10
"""A multiplier this near to -1 at the end of the range is -1 but for rounding: no sign changes there."""
OPPOSITE = -0.9
"""The cosine between the ways from a point to another of its cycle, before and after both have met."""
BESIDE, LEVEL = 10, 1e-9
"""A turn is one of rounding where the parameter moves by less than this part of the range for so many rows about it.

Where a doubling is degenerate, b = 0, the doubled branch may be vertical, and rounding turns it to and fro.
"""
NEAR = 0.5
"""How far, in units of length, a row may be from a point that is to lie on the branch beside it."""
BORN = End("period doubling", "the branch starts at a period doubling")


class MapTracer(Tracer):
    """Collects the branches of cycles of one length."""

    every_border = True
    problem: FixedPointProblem
    ends_at: frozenset[str] = frozenset()
    """Labels of test functions at which a branch ends."""

    touching = ("a multiplier touches 1", "a multiplier touches the unit circle")

    @property
    def noun(self) -> str:
        """See `Tracer`."""
        count = self.problem.iterations
        return "fixed points" if count == 1 else f"fixed points of iterate {count}"

    def label(self, event: Event) -> str:
        """Return the label of an event."""
        if event.kind in (MOTHER, BORDER):
            return "PD" if event.kind == MOTHER else "BC"
        if event.kind < layout.USER_EVENT:
            return EVENTS[event.kind]
        return "PD" if event.kind == self._doubling else "UZ"

    @property
    def _doubling(self) -> int:
        """The kind of event of the test function of PD, which comes after the user's."""
        return layout.USER_EVENT + (len(self.events.names) if self.events else 0)

    def knows(self, y: np.ndarray, near: float = 0.5) -> bool:
        """Say whether a cycle, given by one of its points, is on a traced branch, or is one of lower period."""
        states = self.problem.states(y)
        if least_period(states, unit_of(states)) < self.problem.iterations:
            return True
        known = super().knows
        return any(known(np.append(x, y[-1]), near) for x in states)

    def doubling_of(self, point: SpecialPoint) -> int:
        """Return the kind of event of a period doubling of an earlier diagram on a branch of these cycles."""
        return self._doubling if point.iterations == self.problem.iterations else MOTHER

    def adopt(self, line: Line, ends: tuple[End, End], origin: np.ndarray | None) -> None:
        """See `Collector`; a doubled branch may have been switched to at a period doubling."""
        half = self.problem.iterations / 2
        if origin is not None:
            for place, point in enumerate(self.special):
                y = np.array([*point.state.values(), *point.parameters.values()])
                scale = scale_at(y, self.track.floor(y))
                if point.label == "PD" and point.iterations == half and np.max(np.abs(origin - y) / scale) < SAME:
                    self._add(line, ends, place, self.track.floor(line.points[0]))
                    return
        super().adopt(line, ends, origin)

    def follow_doubled(self, place: int, y: np.ndarray, q: np.ndarray) -> bool:
        """Follow the branch that leaves a period doubling; say whether there is one, new or known.

        Parameters
        ----------
        place : int
            The doubling's place among the special points; its cycles have half of the points of this tracer's.
        y : (n + 1,) array
        q : (n,) array
            The eigenvector of the multiplier -1.
        """
        self.prepare(y)
        scale = scale_at(y, self.track.floor(y))
        away = np.append(q, 0.0) / scale
        junction = Junction(y, np.zeros(self.problem.n), scale, place, self.problem.eigenvalues(y))
        self.came_to_known = False
        for sign in (1.0, -1.0):  # both lead to the same cycles, but one may lead out of the region
            there, ahead = in_natural_units(self.track, junction, sign * away / math.sqrt(away @ away))
            found = self._leave(there, ahead * there.scale)
            if self.came_to_known:
                return True
            if found is not None:
                line, end = found
                first = self._row(y, ahead * there.scale)
                self._add(join([first, line]), (BORN, end), place, there.scale)
                return True
        return False

    # -- following ----------------------------------------------------------------------------------------------

    def _march(
        self,
        y: np.ndarray,
        tangent: np.ndarray,
        floor: np.ndarray,
        first_step: float | None = None,
        closing: bool = True,
    ) -> tuple[Line, End]:
        line, end = super()._march(y, tangent, floor, first_step, closing)
        line = without_turns_of_rounding(line, LEVEL * (self.span[1] - self.span[0]), BESIDE)
        line = clear_of_neutral(self.track, line, self._doubling)
        line, end = self._until_lower_period(line, end, floor)
        line, end = self._once_round(line, end, floor)
        for event in line.events:
            if self.label(event) in self.ends_at:
                return line.head(event.row + 1), End("stop", "a special point was reached at which it was to stop")
        return line, end

    def _followed(
        self,
        y: np.ndarray,
        tangent: np.ndarray,
        floor: np.ndarray,
        options: Options,
        first_step: float | None,
        closing: bool,
    ) -> tuple[Line, End]:
        line, end = super()._followed(y, tangent, floor, options, first_step, closing)
        return (self._with_doubling_at_end(line) if end.reason == "range" else line), end

    def _counts(self, line: Line, ends: tuple[End, End]) -> np.ndarray:
        """Return how many multipliers of every row (k,) are outside the circle; -1 where that is not known.

        That is where some stay on it, as in maps that keep areas, and no other is outside.
        """
        if line.spectra == 0:
            return line.unstable
        moduli = 1.0 + line.eigenvalues.real
        neutral = neutral_fixed_points(moduli, [end.reason for end in ends])
        for run in runs_of(neutral):
            note = self._neutral_note(line.points[run, -1])
            self.notes.extend([note] if note not in self.notes else [])
        outside = np.sum((moduli > 1.0) & ~on_circle(moduli), axis=1)
        return np.where(neutral, np.where(outside == 0, -1, outside), line.unstable)

    def _neutral_note(self, values: np.ndarray) -> str:
        """Say why multipliers do not tell stability where one stays on the circle, at these values of the parameter."""
        if is_one_value(values, self.span):
            value = 0.0 if is_one_value(np.append(values, 0.0), self.span) else values[0]
            return (
                f"At {self.parameter}={value:.6g} {self.noun} form a line, all at this one value: whether these "
                "are stable is not told by multipliers."
            )
        return (
            f"A multiplier stays on the unit circle along {self.noun}, as in a map that keeps areas: whether these are "
            "stable is not told by multipliers. Others that pass the circle beside it are listed."
        )

    def _with_doubling_at_end(self, line: Line) -> Line:
        """Add a period doubling that lies on the last row, the end of the range, to rounding."""
        last = len(line) - 1
        if last < 1 or not line.spectra or any(event.row >= last - 1 for event in line.events):
            return line
        m0, m1 = (multipliers_of(line.spectrum(row)) for row in (last - 1, last))
        gap0, gap1 = (float(np.min(np.abs(m + 1.0))) for m in (m0, m1))
        if gap1 > AT_END * float(np.max(np.abs(m1))) or gap0 <= 10.0 * gap1:
            return line
        return line.with_events((*line.events, Event(last, self._doubling)))

    def _once_round(self, line: Line, end: End, floor: np.ndarray) -> tuple[Line, End]:
        """Cut a line where it comes to another point of the cycle it started from: what follows is known."""
        if self.problem.iterations == 1 or len(line) < 3:
            return line, end
        y = line.points[0]
        scale = scale_at(y, floor)
        others = [np.append(x, y[-1]) for x in self.problem.states(y)[1:]]
        passed = [(_row_before(line, z, scale), z) for z in others if self._beside(line, z, scale, NEAR)]
        row, z = min(passed, key=lambda pair: pair[0], default=(len(line), y))
        if row >= len(line):
            return line, end
        line = line.head(row).insert(row, z, self.problem.eigenvalues(z), int(line.unstable[0]), None)
        return line, End("closed", "the branch returned to its start, at another point of the same cycle")

    def _until_lower_period(self, line: Line, end: End, floor: np.ndarray) -> tuple[Line, End]:
        """Cut a line where it meets a branch of a lower period."""
        met = min(self._meetings(line, floor), default=None)
        if met is None:
            return line, end
        row, period, between = met
        if row == 0:
            return line.head(0), end
        at_border = any(event.row == row and event.kind == BORDER for event in line.events)
        halved = 2 * period == self.problem.iterations and not at_border
        end = self._end_at(period, float(line.points[row, -1]), halved, at_border)
        bracket = None
        if between:
            low, high = sorted(line.points[row - 1 : row + 1, -1].tolist())
            bracket, row = (low, high), row - 1
        kept = line.head(row + 1)
        events = [event for event in kept.events if event.row < row or event.kind == BORDER]
        events += [Event(row, MOTHER, bracket)] if halved else []
        return kept.with_events(events), end

    def _end_at(self, period: int, value: float, halved: bool, at_border: bool) -> End:
        """Say why a branch ends where its cycles become those of a lower period."""
        value = 0.0 if abs(value) < RETURNED**2 * (self.span[1] - self.span[0]) else value
        where = f"at {self.parameter}={value:.9g}"
        if halved:
            return End("period doubling", f"the branch meets that of half its period {where}")
        what = "fixed points" if period == 1 else f"cycles of {period} points"
        if at_border:
            return End("border", f"its cycles become {what} on a border, {where}")
        return End("period", f"its cycles become {what} {where}")

    def _meetings(self, line: Line, floor: np.ndarray) -> Iterator[tuple[int, int, bool]]:
        """Yield row and period where a line first meets branches of lower periods, and whether before that row."""
        if not len(line):
            return
        unit = np.maximum(np.abs(line.points[:, :-1]).max(axis=0), floor[:-1])
        for period in self.problem.lower_periods():
            apart = np.array([self.problem.apart(y, period) for y in line.points]) / unit
            size = np.sqrt(np.sum(apart * apart, axis=1))
            met = np.flatnonzero(size <= RETURNED)
            with np.errstate(invalid="ignore", divide="ignore"):
                cosine = np.sum(apart[1:] * apart[:-1], axis=1) / (size[1:] * size[:-1])
            passed = 1 + np.flatnonzero(cosine < OPPOSITE)
            first = min([*met[:1].tolist(), *passed[:1].tolist()], default=None)
            if first is not None and first in met[:1]:
                near = (e.row for e in line.events if e.row >= first and size[first : e.row + 1].max() <= RETURNED)
                yield min(near, default=first), period, False
            elif first is not None:
                yield first, period, True

    # -- results ------------------------------------------------------------------------------------------------

    def _branch(self, line: Line, ends: tuple[End, End], origin: int | None, number: int) -> Branch:
        return Branch(
            id=number,
            kind="fixed_point",
            columns=(self.parameter, *self.problem.map.variables),
            points=frozen(line.points.take(self.order, axis=1)),
            unstable=frozen(self._counts(line, ends), int),
            eigenvalues=frozen(np.empty((len(line), 0)), complex),
            multipliers=frozen(multipliers_of(line.eigenvalues), complex),
            origin=origin,
            ended=ends,
            tangents=frozen(line.tangents.take(self.order, axis=1)),
            iterations=self.problem.iterations,
        )

    def _seen(self, event: Event, y: np.ndarray, floor: np.ndarray) -> bool:
        if event.kind != MOTHER:
            return super()._seen(event, y, floor)
        half = self._half().states(y)
        unit = np.maximum(np.abs(y), floor)[:-1]
        width = self.span[1] - self.span[0]
        reach = SAME if event.bracket is None else self.options.event_step
        return any(
            point.label == "PD"
            and point.iterations == len(half)
            and abs(point.parameters[self.parameter] - y[-1]) < reach * width
            and bool(np.any(np.all(np.abs(half - np.array([*point.state.values()])) < 10.0 * reach * unit, axis=1)))
            for point in self.special
        )

    def _half(self) -> FixedPointProblem:
        """Return the problem of cycles of half the period."""
        own = self.problem
        return FixedPointProblem(own.map, own.iterations // 2, own.parameter, own.stability)

    def _facts(self, line: Line, event: Event, y: np.ndarray, floor: np.ndarray) -> dict[str, Any]:
        problem = self._half() if event.kind == MOTHER else self.problem
        label, coefficients = self.label(event), {}
        residual = problem.judged(y, floor)[0]
        m = problem.multipliers(y)
        size = max(1.0, float(np.max(np.abs(m))))
        passing = crossing_at(line, event.row) if label in ("PD", "NS") and event.kind != MOTHER else None
        at_circle = m if passing is None else multipliers_of(np.array([passing]))
        if event.bracket is not None:
            label = _seen_between(line, event.row) if event.kind == layout.PAIR else label
        elif label == "LP":
            coefficients["a"] = problem.examine(y, floor, layout.FOLD)[2]
            residual = max(residual, float(np.min(np.abs(m - 1.0))) / size)
        elif label == "PD":
            coefficients["b"] = problem.flip(y)
            residual = max(residual, float(np.min(np.abs(at_circle + 1.0))) / size)
        elif label == "NS":
            coefficients["theta"], coefficients["re_d"] = problem.torus(y, None if passing is None else at_circle[0])
            pairs = at_circle[at_circle.imag > 0.0]
            residual = max(residual, float(np.min(np.abs(np.abs(pairs) - 1.0), initial=size)) / size)
        return {
            "label": label,
            "residual": residual,
            "multipliers": frozen(m, complex),
            "iterations": problem.iterations,
            "states": frozen(problem.states(y)),
            **coefficients,
        }


class PiecewiseMapTracer(MapTracer, PiecewiseTracer):
    """The same for a piecewise smooth map, whose iterates have a border for each border of the map and each step."""

    def _classify(self, line: Line, event: Event, y: np.ndarray, number: int, floor: np.ndarray) -> SpecialPoint:
        if event.kind != MOTHER:
            return super()._classify(line, event, y, number, floor)
        return Tracer._classify(self, line, event, y, number, floor)


def _row_before(line: Line, z: np.ndarray, scale: np.ndarray) -> int:
    """Return the number of rows before a point of a line; that of all of them where it lies before or behind it."""
    nearest = int(np.argmin(np.sum(((line.points - z) / scale) ** 2, axis=1)))
    ahead = float((z - line.points[nearest]) / scale @ (line.tangents[nearest] / scale)) > 0.0
    row = nearest + int(ahead)
    return row if row > 0 else len(line)


def _seen_between(line: Line, row: int) -> str:
    """Return the label of two multipliers that leave the unit circle between a row and the one before, unresolved."""
    m = multipliers_of(line.spectrum(row))
    off = ~on_circle(np.abs(m)[None])[0]  # what stays on it did not leave
    m = m[off] if off.any() else m
    nearest = m[np.argsort(np.abs(np.abs(m) - 1.0))][:1]
    if np.any(nearest.imag != 0.0):
        return "NS"
    return "PD" if np.any(nearest.real < 0.0) else "BP"


def tracer(
    system: System,
    iterations: int,
    parameter: str,
    span: tuple[float, float],
    options: Options,
    max_branches: int,
    *,
    region: Region,
    events: Events | None = None,
    stop: frozenset[str] = frozenset(),
    stability: bool = True,
) -> MapTracer:
    """Return what traces the branches of cycles of one length of a map, which may be piecewise smooth."""
    index = system.parameter_index(parameter)
    problem = FixedPointProblem(system, iterations, index, stability, region)
    marched = frozenset({"HB" if label == "NS" else label for label in stop} - {"PD", "UZ"})  # as equilibria call them
    borders = borders_of(problem.system)
    made: MapTracer
    if borders is None:
        made = MapTracer(problem, parameter, span, options, max_branches, events, marched)
    else:
        held = FixedPointProblem(system, iterations, index, stability, region, borders.held)
        made = PiecewiseMapTracer(borders, problem, held, parameter, span, options, max_branches, events, marched)
    made.ends_at = stop & {"PD", "UZ"}
    return made

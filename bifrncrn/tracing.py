"""Branches of equilibria: traced in both directions, their special points classified, switched at branch points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibrium import EquilibriumProblem
from bifrncrn.line import Event, Line, from_trace, join
from bifrncrn.normal_forms import first_lyapunov, fold_coefficient, fold_gap
from bifrncrn.results import Branch, Diagram, End, SpecialPoint, frozen
from bifrncrn.systems.events import Events

LABELS = {layout.FOLD: "LP", layout.BRANCH: "BP", layout.PAIR: "HB", layout.REAL: "BP", layout.USER_EVENT: "UZ"}
"""The label of every kind of event the march knows; a zero eigenvalue without a turn of the tangent counts as BP."""
SAME = 1e-6
"""Two located branch points are one when they differ by less than this, in units of their scale."""
PARALLEL = 0.999
"""Two unit tangents at a branch point belong to one branch when their product exceeds this."""


@dataclass
class Junction:
    """A located branch point, its place in the list of special points, and the directions known to leave it."""

    y: np.ndarray
    left: np.ndarray
    scale: np.ndarray
    special: int
    known: list[np.ndarray] = field(default_factory=list)


class Tracer:
    """Collects the branches of one diagram.

    Parameters
    ----------
    problem : EquilibriumProblem
    parameter : str
        Name of the continuation parameter.
    span : (float, float)
        Its interval.
    options : Options
    max_branches : int
        No branch is switched to beyond this number.
    walls : two (n,) arrays, optional
        Bounds of the states instead of the system's own.
    events : Events, optional
        User-defined events.
    stop : set of str
        The labels at which a branch ends.
    engine : callable
        What follows the curve: `bifrncrn.continuation.march.march` or a function of the same signature.
    """

    def __init__(
        self,
        problem: EquilibriumProblem,
        parameter: str,
        span: tuple[float, float],
        options: Options,
        max_branches: int,
        walls: tuple[np.ndarray, np.ndarray] | None = None,
        events: Events | None = None,
        stop: frozenset[str] = frozenset(),
        engine: Callable[..., Trace] = march,
    ) -> None:
        self.problem = problem
        self.parameter = parameter
        self.span = span
        self.options = options
        self.max_branches = max_branches
        self.march = engine
        self.events = events
        self.stops = tuple(kind for kind, label in LABELS.items() if label in stop)
        self.curve = problem.curve(events)
        self.walls = walls or (problem.system.lower, problem.system.upper)
        self.branches: list[Branch] = []
        self.lines: list[Line] = []
        self.special: list[SpecialPoint] = []
        self.junctions: list[Junction] = []
        self.notes: list[str] = []
        self.counters = {"points": 0, "newton_iterations": 0, "rejected_steps": 0}

    def trace_through(self, y: np.ndarray) -> None:
        """Trace the branch through an equilibrium, in both directions."""
        floor = self._floor(y)
        tangent = self.problem.tangent(y, floor)
        forward, end = self._march(y, tangent, floor)
        if end.reason == "closed":
            self._add(forward, (end, end), None, floor)
            return
        backward, start = self._march(y, -tangent, floor)
        self._add(join([backward.reversed(), forward.tail()]), (start, end), None, floor)

    def march_from(self, y: np.ndarray, direction: np.ndarray) -> tuple[Line, End]:
        """Trace a branch from one of its points in a direction."""
        return self._march(y, direction, self._floor(y), closing=False)

    def adopt(self, line: Line, ends: tuple[End, End], origin: np.ndarray | None) -> None:
        """Keep a branch of an earlier diagram; `origin` is the branch point it was switched at."""
        where = None
        for junction in self.junctions:
            if origin is not None and np.max(np.abs(origin - junction.y) / junction.scale) < SAME:
                where = junction.special
                row = int(np.argmin(np.sum(((line.points - junction.y) / junction.scale) ** 2, axis=1)))
                junction.known.append(_unit(line.tangents[row] / junction.scale))
        self._add(line, ends, where, self._floor(line.points[0]))

    def switch_everywhere(self) -> None:
        """Follow the other branch at every branch point, and at those found on it, until none is new."""
        done = 0
        while done < len(self.junctions):
            junction = self.junctions[done]
            done += 1
            for direction in self.problem.directions(junction.y, junction.left, junction.scale):
                if any(abs(direction @ known) > PARALLEL for known in junction.known):
                    continue
                if len(self.branches) >= self.max_branches:
                    self.notes.append(f"Stopped after {self.max_branches} branches; more leave the branch points found.")
                    return
                junction.known.append(direction)
                self._switch(junction, direction)

    def knows(self, y: np.ndarray) -> bool:
        """Say whether an equilibrium lies on a branch that was traced already.

        From the nearest row of each branch the point beside `y` is computed (Newton's method in the hyperplane through
        `y` normal to the row's tangent); it must be `y` itself.
        """
        scale = self._floor(y)
        scale[:-1] = np.maximum(scale[:-1], np.abs(y[:-1]))
        return any(self._beside(line, y, scale) for line in self.lines)

    def _beside(self, line: Line, y: np.ndarray, scale: np.ndarray) -> bool:
        gaps = (line.points - y) / scale
        row = int(np.argmin(np.sum(gaps * gaps, axis=1)))
        normal = _unit(line.tangents[row] / scale)
        z = line.points[row] / scale
        z = z + normal * (normal @ (y / scale - z))
        if np.linalg.norm(z - y / scale) > 0.5:
            return False
        for _ in range(8):
            move = self.problem.beside(z * scale, normal / scale)
            if move is None:
                return False
            step = move / scale
            z = z + step
            if np.max(np.abs(step)) < 1e-10:
                return bool(np.max(np.abs(z - y / scale)) < SAME)
        return False

    def diagram(self, notes: list[str]) -> Diagram:
        """Return what was found."""
        return Diagram(
            model=self.problem.system.title,
            parameter=self.parameter,
            range=self.span,
            branches=tuple(self.branches),
            special_points=tuple(self.special),
            system=self.problem.system,
            notes=(*notes, *self.notes, *self.problem.notes()),
            counters=dict(self.counters),
        )

    def _switch(self, junction: Junction, direction: np.ndarray) -> None:
        """Trace the branch that leaves a branch point in a direction and in its opposite."""
        back = self._leave(junction, -direction * junction.scale)
        forth = self._leave(junction, direction * junction.scale)
        if back is None and forth is None:
            return
        here = End("branch point", "the branch starts at a branch point")
        lines, ends = [], [here, here]
        if back is not None:
            lines.append(back[0].reversed())
            ends[0] = back[1]
        lines.append(self._row(junction.y, direction * junction.scale))
        if forth is not None:
            lines.append(forth[0])
            ends[1] = forth[1]
        self._add(join(lines), (ends[0], ends[1]), junction.special, junction.scale)

    def _leave(self, junction: Junction, step: np.ndarray) -> tuple[Line, End] | None:
        """March away from a branch point along `step`; the first point is a small way off it."""
        n = self.problem.n
        for length in (1e-3, 1e-4, 1e-2):
            start = junction.y + length * step
            if np.any(start[:n] < self.walls[0]) or np.any(start[:n] > self.walls[1]) or not self.span[0] <= start[n] <= self.span[1]:
                continue
            line, end = self._march(start, step, junction.scale, first_step=length, closing=False)
            if len(line) < 2:
                continue
            away = (line.points[0] - junction.y) / junction.scale
            along = away @ (step / junction.scale)
            if along > 0.9 * np.linalg.norm(away):
                return line, end
        return None

    def _march(
        self, y: np.ndarray, tangent: np.ndarray, floor: np.ndarray, first_step: float | None = None, closing: bool = True
    ) -> tuple[Line, End]:
        """March one way; refine the branch points seen, and one that the branch ends at on a wall."""
        trace = self.march(self.curve, y, tangent, self.span, self.walls, floor, self.options, first_step, closing, self.stops)
        self.counters["points"] += len(trace.points)
        self.counters["newton_iterations"] += trace.newtons
        self.counters["rejected_steps"] += trace.rejected
        line = from_trace(trace)
        for event in reversed(line.events):
            if event.kind == layout.BRANCH:
                line = self._refine(line, event, floor)
        if trace.reason == layout.BOUND and len(line) > 1:
            line = self._refine_end(line, floor)
        return line, self._end(trace)

    def _refine(self, line: Line, event: Event, floor: np.ndarray) -> Line:
        """Replace a bracketed branch point by a located one, as a row of its own, if it converges where it was seen."""
        before, after = line.points[event.row - 1], line.points[event.row]
        scale = np.maximum(np.maximum(np.abs(before), np.abs(after)), floor)
        scale[-1] = floor[-1]
        found = self.problem.refine(0.5 * (before + after), scale)
        reach = np.linalg.norm((after - before) / scale)
        if found is None or np.linalg.norm((found[0] - before) / scale) > 2.0 * reach:
            return line
        rest = tuple(e for e in line.events if e is not event)
        unstable = int(min(line.unstable[event.row - 1], line.unstable[event.row]))
        clean = Line(line.points, line.tangents, line.eigenvalues, line.unstable, rest)
        return clean.insert(event.row, found[0], self.problem.eigenvalues(found[0]), unstable, Event(event.row, layout.BRANCH, None, found[1]))

    def _refine_end(self, line: Line, floor: np.ndarray) -> Line:
        """Add the branch point that a branch runs into on a wall (a species dies out there), if there is one."""
        last = line.points[-1]
        scale = np.maximum(np.abs(last), floor)
        scale[-1] = floor[-1]
        found = self.problem.refine(last, scale)
        if found is None or np.linalg.norm((found[0] - last) / scale) > 1e-3:
            return line
        y = found[0]
        n = self.problem.n
        y[:n] = np.clip(y[:n], *self.walls)
        row = len(line)
        return line.insert(row, y, self.problem.eigenvalues(y), int(line.unstable[-1]), Event(row, layout.BRANCH, None, found[1]))

    def _add(self, line: Line, ends: tuple[End, End], origin: int | None, floor: np.ndarray) -> None:
        """Keep a line as a branch, with its special points."""
        number = len(self.branches)
        self.lines.append(line)
        for event in line.events:
            y = line.points[event.row]
            if event.kind == layout.BRANCH and event.left is not None:
                self._meet(line, event, number, floor)
            else:
                self.special.append(self._classify(line, event, y, number))
        self.branches.append(
            Branch(
                id=number,
                kind="equilibrium",
                columns=(self.parameter, *self.problem.system.variables),
                points=frozen(np.column_stack([line.points[:, -1], line.points[:, :-1]])),
                unstable=frozen(line.unstable, int),
                eigenvalues=frozen(line.eigenvalues, complex),
                origin=origin,
                ended=ends,
            )
        )

    def _meet(self, line: Line, event: Event, number: int, floor: np.ndarray) -> None:
        """Note that a line passes a branch point, which may be known already."""
        assert event.left is not None
        y = line.points[event.row]
        tangent = line.tangents[event.row]
        for junction in self.junctions:
            if np.max(np.abs(y - junction.y) / junction.scale) < SAME:
                junction.known.append(_unit(tangent / junction.scale))
                return
        scale = np.maximum(np.abs(y), floor)
        scale[-1] = floor[-1]
        self.special.append(self._classify(line, event, y, number))
        self.junctions.append(Junction(y, event.left, scale, len(self.special) - 1, [_unit(tangent / scale)]))

    def _classify(self, line: Line, event: Event, y: np.ndarray, number: int) -> SpecialPoint:
        """Return the special point of an event, with its normal form coefficients."""
        problem, system = self.problem, self.problem.system
        label, a, omega, l1, residual = LABELS.get(event.kind, "UZ"), None, None, None, problem.residual(y)
        spectrum = line.eigenvalues[event.row]
        big = max(float(np.max(np.abs(spectrum), initial=0.0)), problem.largest(y))
        if event.kind == layout.FOLD:
            a = fold_coefficient(problem, y)
            gap = float(np.min(np.abs(spectrum))) if len(spectrum) else fold_gap(problem, y)
            residual = max(residual, gap / big)
        elif event.kind == layout.PAIR and event.bracket is None:
            omega, l1 = first_lyapunov(problem, y)
            pair = spectrum[np.argmin(np.where(spectrum.imag > 0.0, np.abs(spectrum.real), np.inf))]
            residual = max(residual, abs(float(pair.real)) / big)
        elif event.kind == layout.PAIR:
            label = "HB" if np.any(np.abs(spectrum.imag) > 0.0) else "BP"
        return SpecialPoint(
            label=label,
            branch=number,
            index=event.row,
            parameters={self.parameter: float(y[-1])},
            state={name: float(v) for name, v in zip(system.variables, y, strict=False)},
            status="converged" if event.bracket is None else "bracketed",
            residual=residual,
            omega=omega,
            l1=l1,
            a=a,
            bracket=event.bracket,
            event=self.events.names[event.kind - layout.USER_EVENT] if self.events and label == "UZ" else None,
            eigenvalues=frozen(spectrum, complex),
        )

    def _row(self, y: np.ndarray, tangent: np.ndarray) -> Line:
        """Return a branch point as a line of one row."""
        spectrum = self.problem.eigenvalues(y)
        big = float(np.max(np.abs(spectrum), initial=0.0))
        unstable = np.array([int(np.sum(spectrum.real > 1e-9 * big)) if self.problem.stability else -1])
        return Line(y[None], tangent[None], spectrum[None], unstable, ())

    def _floor(self, y: np.ndarray) -> np.ndarray:
        """Return the least unit of length of every component.

        A tenth of its start; of a state that is zero, a tenth of what the range makes of it to first order; of one
        that stays zero, a tenth of the largest other state.
        """
        width = self.span[1] - self.span[0]
        sizes = np.abs(y[:-1])
        tangent = self.problem.tangent(y, np.append(np.maximum(sizes, 1e-3), width))
        reach = np.abs(tangent[:-1]) / max(abs(tangent[-1]), 1e-300) * width
        own = np.where(sizes > 0.0, sizes, np.where(reach > 1e-9 * sizes.max(), np.minimum(reach, max(1.0, sizes.max())), 0.0))
        own[own == 0.0] = own.max() or 1.0
        return np.append(0.1 * own, width)

    def _end(self, trace: Trace) -> End:
        """Say why a march ended."""
        name = self.parameter
        if trace.reason == layout.RANGE:
            return End("range", f"{name} reached {trace.points[-1, -1]:.12g}")
        if trace.reason == layout.BOUND:
            variable, value = self.problem.system.variables[trace.wall], trace.points[-1, trace.wall]
            level = min(self.walls[0][trace.wall], self.walls[1][trace.wall], key=lambda wall: abs(wall - value))
            return End("bound", f"{variable} reached its bound {level:g}")
        if trace.reason == layout.STOPPED:
            return End("stop", "a special point was reached at which it was to stop")
        if trace.reason == layout.CLOSED:
            return End("closed", "the branch returned to its start")
        if trace.reason == layout.FULL:
            return End("points", f"the limit of {self.options.max_points} points was reached; raise max_points to go on")
        if trace.reason == layout.NOT_FINITE:
            return End("nan", "the model is not finite beyond this point; narrow the range or mend the equations")
        return End("step", "the step became too small: the Jacobian is singular or the branch is not smooth here")


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)

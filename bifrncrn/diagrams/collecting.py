"""The branches of a diagram as they are found: kept with their special points, and known again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bifrncrn.base.arrays import own
from bifrncrn.base.made import made
from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line
from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.diagrams.angles import not_listed, unwound
from bifrncrn.diagrams.facts import at_zero, facts_of
from bifrncrn.diagrams.junctions import Junction, grown, units_at
from bifrncrn.diagrams.marching import Marcher
from bifrncrn.diagrams.multiple import centres_beside, pairs_at
from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.diagrams.track import SAME, length, scale_at, unit
from bifrncrn.diagrams.unresolved import is_crowded
from bifrncrn.models.branch_events import Events

STRANDS = 4
"""So often a line may pass near a point that is looked for on it."""


class Collector(Marcher):
    """Keeps the branches of one diagram, and what is special on them.

    Parameters
    ----------
    problem, parameter, span, options, events, stop, engine
        As for `Marcher`.
    max_branches : int
        No branch is switched to beyond this number.
    """

    def __init__(
        self,
        problem: EquilibriumProblem,
        parameter: str,
        span: tuple[float, float],
        options: Options,
        max_branches: int,
        events: Events | None = None,
        stop: frozenset[str] = frozenset(),
        engine: Callable[..., Trace] = march,
    ) -> None:
        super().__init__(problem, parameter, span, options, events, stop, engine)
        self.max_branches = max_branches
        self.order = np.array([problem.n, *range(problem.n)])  # the parameter comes first in a branch
        self.branches: list[Branch] = []
        self.lines: list[Line] = []
        self.special: list[SpecialPoint] = []
        self.junctions: list[Junction] = []

    @property
    def noun(self) -> str:
        """What the points of a branch are."""
        return "equilibria"

    @property
    def searched(self) -> EquilibriumProblem:
        """The problem whose equilibria are searched for branches that are not connected."""
        return self.problem

    def adopt(self, line: Line, ends: tuple[End, End], origin: np.ndarray | None) -> None:
        """Keep a branch of an earlier diagram; `origin` is the branch point it was switched at."""
        where = None
        for junction in self.junctions:
            if origin is not None and np.max(np.abs(origin - junction.y) / junction.scale) < SAME:
                where = junction.special
                row = int(np.argmin(np.sum(((line.points - junction.y) / junction.scale) ** 2, axis=1)))
                junction.known.append(unit(line.tangents[row] / junction.scale))
        self._add(line, ends, where, self.track.floor(line.points[0]))

    def knows(self, y: np.ndarray, near: float = 0.5) -> bool:
        """Say whether an equilibrium lies on a branch that was traced already.

        From the nearest row of each branch the point beside `y` is computed (Newton's method in the hyperplane through
        `y` normal to the row's tangent); it must be `y` itself. Branches further than `near` are left out.
        """
        scale = self.track.floor(y)
        scale[:-1] = np.maximum(scale[:-1], np.abs(y[:-1]))
        return any(self._beside(line, y, scale, near) for line in self.lines)

    def _beside(self, line: Line, y: np.ndarray, scale: np.ndarray, near: float) -> bool:
        points = unwound(line.points, y, self.angles)
        gaps = (((points - y) / scale) ** 2).sum(axis=1)
        rows = [int(gaps.argmin())]
        if gaps[rows[0]] < near * near:  # a line may pass more than once
            around = np.concatenate([[np.inf], gaps, [np.inf]])
            turns = ((gaps <= around[:-2]) & (gaps < around[2:]) & (gaps < near * near)).nonzero()[0]
            rows += turns[np.argsort(gaps[turns])][1:STRANDS].tolist()
        return any(self._lies_at(points[k], line.tangents[k], y, scale, near) for k in rows)

    def _lies_at(self, row: np.ndarray, tangent: np.ndarray, y: np.ndarray, scale: np.ndarray, near: float) -> bool:
        normal = unit(tangent / scale)
        z = row / scale
        z = z + normal * (normal @ (y / scale - z))
        if length(z - y / scale) > near:
            return False
        there = self.problem.slide(self.region.clip(z * scale), normal / scale, scale)
        return there is not None and bool((np.abs(self.region.clip(there) - y) / scale).max() < SAME)

    def diagram(self, notes: list[str]) -> Diagram:
        """Return what was found."""
        return Diagram(
            model=self.problem.system.title,
            parameter=self.parameter,
            range=self.span,
            branches=tuple(self.branches),
            special_points=tuple(self.special),
            system=self.problem.system,
            notes=(
                *notes,
                *self.notes,
                *self._not_followed(),
                *not_listed(self.problem.system, self.lines),
                *self.problem.notes(),
            ),
            counters=dict(self.counters),
            options=self.options,
        )

    def _not_followed(self) -> list[str]:
        """Say where branches may leave that are not known."""
        where = [p.parameters[self.parameter] for p in self.special if p.label == "BP" and p.status == "bracketed"]
        if not where:
            return []
        listed = ", ".join(f"{value:.6g}" for value in where[:5]) + (", ..." if len(where) > 5 else "")
        return [
            f"Not simple, or not located: the branch point near {self.parameter}={listed}. "
            "Branches that leave it were not followed; all=True (--all) searches for them."
        ]

    def _add(self, line: Line, ends: tuple[End, End], origin: int | None, floor: np.ndarray) -> None:
        """Keep a line as a branch, with its special points."""
        number = len(self.branches)
        self.lines.append(line)
        for event in line.events:
            y = line.points[event.row]
            if event.kind == layout.BRANCH and event.left is not None:
                self._meet(line, event, number, floor)
            elif not self._seen(event, y, floor):
                self.special.append(self._classify(line, event, y, number, floor))
        if is_crowded(line):
            low, high = np.sort(line.points[[line.events[0].row, line.events[-1].row], -1]).tolist()
            self.notes.append(
                f"Between {self.parameter}={low:.6g} and {high:.6g} the special points lie as close as the steps: "
                "others may lie between; a smaller Options(step=...) looks closer."
            )
        self.branches.append(self._branch(line, ends, origin, number))

    def _branch(self, line: Line, ends: tuple[End, End], origin: int | None, number: int) -> Branch:
        return made(
            Branch,
            id=number,
            kind="equilibrium",
            columns=(self.parameter, *self.problem.system.variables),
            points=own(line.points.take(self.order, axis=1)),
            unstable=own(line.unstable.copy()),
            eigenvalues=own(line.eigenvalues),
            origin=origin,
            ended=ends,
            tangents=own(line.tangents.take(self.order, axis=1)),
        )

    def _seen(self, event: Event, y: np.ndarray, floor: np.ndarray) -> bool:
        """Say whether a branch point that is only bracketed is one that was met, and noted, on another branch."""
        if event.kind != layout.BRANCH:
            return False
        scale, reach = scale_at(y, floor), 2.0 * self.options.event_step
        for point in self.special:
            if point.label == "BP" and point.status == "bracketed" and point.branch != len(self.branches):
                at = np.array([*point.state.values(), *point.parameters.values()])
                if np.max(np.abs(at - y) / scale) < reach:
                    return True
        return False

    def _meet(self, line: Line, event: Event, number: int, floor: np.ndarray) -> None:
        """Note that a line passes a branch point, which may be known already."""
        assert event.left is not None
        y = line.points[event.row]
        tangent = line.tangents[event.row]
        for junction in self.junctions:
            if (np.abs(unwound(y, junction.y, self.angles) - junction.y) / junction.scale).max() < SAME:
                junction.known.append(unit(tangent / junction.scale))
                return
        scale = units_at(self.track, y, event.left, grown(self.track, line, scale_at(y, floor)))
        place, spectrum = len(self.special), line.spectrum(event.row)
        self.special.append(self._classify(line, event, y, number, floor))
        self.junctions.append(Junction(y, event.left, scale, place, spectrum, [unit(tangent / scale)]))

    def _classify(self, line: Line, event: Event, y: np.ndarray, number: int, floor: np.ndarray) -> SpecialPoint:
        """Return the special point of an event, with its normal form coefficients; `floor` are units of length."""
        y = at_zero(self.problem, event, y, self.span[1] - self.span[0])
        facts = self._facts(line, event, y, floor)
        named = self.events is not None and facts["label"] == "UZ"
        return made(
            SpecialPoint,
            branch=number,
            index=event.row,
            parameters={self.parameter: float(y[-1])},
            state=dict(zip(self.problem.system.variables, y.tolist(), strict=False)),
            status="converged" if event.bracket is None else "bracketed",
            bracket=event.bracket,
            event=self.events.names[event.kind - layout.USER_EVENT] if self.events and named else None,
            system=self.problem.system,
            along=line.points,
            range=self.span,
            **facts,
        )

    def _facts(self, line: Line, event: Event, y: np.ndarray, floor: np.ndarray) -> dict[str, Any]:
        """Return what is said of an event; of one at which several pairs cross a note says so."""
        facts = facts_of(self.problem, line, event, y, floor)
        if event.kind == layout.PAIR and (pairs := pairs_at(facts["eigenvalues"].tolist())) > 1:
            centres = len(centres_beside(line, event.row))
            crossing = max(pairs - centres, 1)
            beside = f" beside {centres} that stay{'s' * (centres == 1)} imaginary" if centres else " together"
            self.notes.append(
                f"{crossing} pair{'s' * (crossing > 1)} of eigenvalues cross{'es' * (crossing == 1)}{beside} at the "
                f"Hopf point at {self.parameter}={y[-1]:.6g}: several families of cycles leave it; at most one is "
                "followed, and which are stable is not computed."
            )
        return facts

    def _row(self, y: np.ndarray, tangent: np.ndarray, zeros: int = 1) -> Line:
        """Return a branch point as a line of one row."""
        spectrum = self.problem.eigenvalues(y)
        others = sorted(spectrum.tolist(), key=abs)[zeros:]  # the rest are zero but for rounding
        unstable = np.array([sum(v.real > 0.0 for v in others) if self.problem.stability else -1])
        return Line.of(y[None], tangent[None], spectrum[None], unstable, ())

"""Branches of equilibria: traced in both directions, and switched at branch points."""

from __future__ import annotations

import numpy as np

from bifrncrn.continuation.line import Line, join
from bifrncrn.diagrams.beginning import beside_special
from bifrncrn.diagrams.collecting import Collector
from bifrncrn.diagrams.ending import reached
from bifrncrn.diagrams.fan import SIDES, Fan, fan
from bifrncrn.diagrams.junctions import Junction, in_natural_units, unknown, up_to, without_rounding, without_turns
from bifrncrn.diagrams.multiple import zeros_of
from bifrncrn.diagrams.results import End
from bifrncrn.diagrams.track import SAME, length

LEAVING = (1e-4, 1e-5, 1e-6, 1e-3, 1e-2)
"""How far from a branch point the first point of a branch is looked for, in units of length."""
SHRINK = (1.0, 1e-3, 1e-6, 1e-9)
"""By so much the unit of a state that is zero at a branch point may have to be made smaller; tried in turn."""
AHEAD = 0.9
"""The first point of a branch lies ahead where the cosine between the way to it and the direction is at least this."""
ONE = 0.02
"""Points of a branch that leaves a branch point are known when a known branch passes them this near."""

APART = 1e-3
"""The same on a small sphere, in terms of its radius."""


class Tracer(Collector):
    """Traces all branches that hang together with the equilibria it is given; see `Collector` for its parameters."""

    came_to_known = False
    """Whether what left the last branch point is a branch that was followed already."""

    def trace_through(self, y: np.ndarray) -> None:
        """Trace the branch through an equilibrium, in both directions."""
        floor = self.track.floor(y)
        given = y
        y, tangent = beside_special(self.track, y, floor)
        floor = floor if y is given else np.maximum(floor, self.track.floor(y))
        forward, end = self._march(y, tangent, floor)
        if end.reason == "closed":
            self._add(forward, (end, end), None, floor)
            return
        if len(forward) > 1 and y is given and y[-1] == self.span[0 if tangent[-1] > 0.0 else 1]:
            self._add(forward, (reached(self.parameter, float(y[-1])), end), None, floor)  # the other way leads out
            return
        backward, start = self._march(y, -tangent, floor)
        if not len(forward) + len(backward):
            free = self.problem.degrees_of_freedom(y, np.maximum(np.abs(y), floor))
            why = (
                f"the {self.noun} there form a continuum of {free} dimensions (the Jacobian is singular all along it, "
                "as where a sum is conserved)"
                if free > 1
                else end.message
            )
            where = ", ".join(f"{name}={v:.6g}" for name, v in zip(self.problem.system.variables, y, strict=False))
            self.notes.append(
                f"The branch through {where} at {self.parameter}={y[-1]:.6g} could not be followed: {why}."
            )
            return
        self._add(join([backward.reversed(), forward.tail()]), (start, end), None, floor)

    def switch_everywhere(self) -> None:
        """Follow the other branch at every branch point, and at those found on it, until none is new."""
        done = 0
        while done < len(self.junctions):
            junction = self.junctions[done]
            done += 1
            if junction.left.ndim > 1:  # of several zeros, or where one touches zero
                self._switch_together(junction)
                continue
            for direction in unknown(
                self.problem.directions(junction.y, junction.left, junction.scale), junction.known
            ):
                if self.options.late:
                    self.notes.append(f"Not all branch points were switched at: {self.options.said}.")
                    return
                if len(self.branches) >= self.max_branches:
                    self.notes.append(
                        f"Stopped after {self.max_branches} branches; more leave the branch points found."
                    )
                    return
                junction.known.append(direction)
                self._switch(junction, direction)
            if len(junction.known) < 2:  # their tangents are one, or the second derivatives say nothing
                self.notes.append(
                    f"No second direction was found at the branch point at {self.parameter}={junction.y[-1]:.6g}, "
                    "where branches may touch; all=True (--all) searches for others."
                )

    def _switch(self, junction: Junction, direction: np.ndarray) -> None:
        """Trace the branch that leaves a branch point in a direction and in its opposite."""
        junction, direction = in_natural_units(self.track, junction, without_rounding(self.track, junction, direction))
        self.came_to_known = False
        back = self._leave(junction, -direction * junction.scale)
        if back is not None and back[1].reason == "closed":
            line = up_to(back[0], junction).reversed()
            self._add(
                join([line, self._row(junction.y, direction * junction.scale, zeros_of(junction.left))]),
                (back[1],) * 2,
                junction.special,
                junction.scale,
            )
            return
        forth = self._leave(junction, direction * junction.scale)
        if back is None and forth is None:
            reach = LEAVING[0] * np.abs(direction * junction.scale)
            around = (
                self.track.inside(junction.y + sign * LEAVING[0] * direction * junction.scale, reach)
                for sign in (-1, 1)
            )
            if not self._is_met(junction) and all(point is not None for point in around):
                self.notes.append(
                    f"A branch that leaves the branch point at {self.parameter}={junction.y[-1]:.6g} could not be "
                    "followed; all=True (--all) searches for it."
                )
            return
        here = End("branch point", "the branch starts at a branch point")
        lines, ends = [], [here, here]
        if back is not None:
            lines.append(back[0].reversed())
            ends[0] = back[1]
        lines.append(self._row(junction.y, direction * junction.scale, zeros_of(junction.left)))
        if forth is not None:
            lines.append(forth[0])
            ends[1] = forth[1]
        self._add(join(lines), (ends[0], ends[1]), junction.special, junction.scale)

    def _switch_together(self, junction: Junction) -> None:
        """Trace the branches that leave a point of several zeros."""
        around = fan(self.track, junction.y, junction.left, junction.scale) or Fan((), junction.scale, 1.0, False)
        where = f"{self.parameter}={junction.y[-1]:.6g}"
        here = End("branch point", "the branch starts at a branch point")
        lost, known, touched = False, 0, len(junction.left) == 1
        for sides in around.sides:
            lines, ends = [], [here, here]
            for place, (start, ahead) in enumerate(sides):
                if self.options.late or len(self.branches) >= self.max_branches:
                    self.notes.append(f"Not all branches that leave the branch point at {where} were followed.")
                    return
                begin = self.track.inside(start, SAME * around.scale)
                lost |= not self.span[0] <= start[-1] <= self.span[1]
                if begin is None or (self._passes(begin, around) if touched else self.knows(begin, near=ONE)):
                    known += begin is not None
                    continue
                line, end = self._march(begin, ahead, around.scale, first_step=around.radius)
                back = self._back_at(line, junction.y, around)
                if back < len(line):
                    line, end = line.head(back + 1), End("closed", "the branch returned to its start")
                lost |= len(line) < 2
                if len(line) > 1:
                    line = without_turns(self.track, line, junction.scale, (junction.y, junction.left))
                    row = self._row(junction.y, ahead if place else -ahead, zeros_of(junction.left))
                    lines += [line.reversed(), row] if place == 0 else [row, line]
                    ends[place] = end
                    if end.reason == "closed":  # its other side may be one of the sides that are looked at next
                        self._add(join(lines), (ends[0], ends[1]), junction.special, junction.scale)
                        lines, ends = [], [here, here]
            if lines:
                self._add(join(lines), (ends[0], ends[1]), junction.special, junction.scale)
        zeros = "one eigenvalue is" if touched else f"{len(junction.left)} eigenvalues are"
        lost |= known > SIDES  # more than the branch that came here: it is known, or too near to one that is
        if not around.whole or (lost and junction.y[-1] not in self.span):
            self.notes.append(
                f"Not all branches may have been found at the branch point at {where}, where "
                f"{zeros} zero; all=True (--all) searches for others."
            )

    def _back_at(self, line: Line, y: np.ndarray, around: Fan) -> int:
        """Return the row at which a branch that left a point of several zeros is back there; its length if never."""
        near = (((line.points - y) / around.scale) ** 2).sum(axis=1) < around.radius**2
        away = int(np.argmin(near)) if len(near) else 0
        return away + int(np.argmax(near[away:])) if near[away:].any() else len(line)

    def _passes(self, y: np.ndarray, around: Fan) -> bool:
        """Say whether a known line passes a point of a small sphere, nearer than others that cross it do."""
        return any(self._beside(line, y, around.scale, APART * around.radius) for line in self.lines)

    def _is_met(self, junction: Junction) -> bool:
        """Say whether what leaves a branch point is known, as another of the branches that pass it."""
        passing = (self._beside(line, junction.y, junction.scale, ONE) for line in self.lines)
        return self.came_to_known and sum(passing) > 1

    def _leave(self, junction: Junction, step: np.ndarray) -> tuple[Line, End] | None:
        """March away from a branch point along `step`; the first point is a small way off it.

        Of a state that is zero there nothing tells the size: where its unit of length proves too long, smaller ones are
        tried.
        """
        zero = np.abs(junction.y) < SAME * junction.scale
        zero[-1] = False
        for shrink in SHRINK if zero.any() else (1.0,):
            factor = np.where(zero, shrink, 1.0)
            scale, ahead = junction.scale * factor, step * factor
            left, settled = None, False
            for far in LEAVING:
                # a direction along a wall may point out of it by rounding
                start = self.track.inside(junction.y + far * ahead, SAME * far * scale)
                if start is None:
                    continue
                line, end = self._march(start, ahead, scale, first_step=far)
                if len(line) < 2:
                    continue
                line = without_turns(self.track, line, junction.scale, (junction.y, junction.left))
                away = (line.points[0] - junction.y) / scale
                onward = ahead / scale
                if away @ onward > AHEAD * length(away) * length(onward):
                    lost = end.reason in ("step", "points")  # it may have begun where rounding rules: try further off
                    if junction.opens(line) and not (lost and settled):
                        left, settled = (line, end), True
                        if not lost:
                            break
                    left = left or (line, end)
            if left is not None:
                # one of them may be another branch point
                rows = (share * (len(left[0]) - 1) // 4 for share in (1, 2, 3))
                known = all(self.knows(left[0].points[row], near=ONE) for row in rows)
                self.came_to_known |= known
                return None if known else left
        return None

"""The verb `extend`: go on with a diagram, a saved one too, over a wider range or with more points."""

from __future__ import annotations

import numpy as np

from bifrncrn.continuation import branch_point, layout
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibrium import EquilibriumProblem
from bifrncrn.diagrams import bounds_of
from bifrncrn.errors import InputError
from bifrncrn.line import Event, Line, join
from bifrncrn.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.systems.system import System
from bifrncrn.tracing import Tracer

KINDS = {"LP": layout.FOLD, "HB": layout.PAIR, "BP": layout.BRANCH}
AGREES = 1e-6


def extend(
    diagram: Diagram,
    bounds: tuple[float, float] | None = None,
    *,
    system: System | None = None,
    options: Options | None = None,
    max_branches: int = 50,
) -> Diagram:
    """Go on with every branch of a diagram that ended at the range, at a limit of points or where it was told to stop.

    What was computed is kept; new branch points are switched at as `diagram` does.

    Parameters
    ----------
    diagram : Diagram
        The diagram to go on with, computed or loaded.
    bounds : (float, float), optional
        The new range; it must contain the old one. By default the old one.
    system : System, optional
        Needed for a diagram that was loaded; it must be the system that the diagram belongs to.
    options : Options, optional
        Step control and limits of the new pieces.
    max_branches : int
        As for `diagram`.

    Raises
    ------
    InputError
        If the range does not contain the old one, or the diagram is not one of this system.
    """
    owner = system or diagram.system
    if owner is None:
        raise InputError("a loaded diagram does not hold its model; give it with system=...")
    span = bounds_of(diagram.parameter, bounds or diagram.range)
    if span[0] > diagram.range[0] or span[1] < diagram.range[1]:
        raise InputError(
            f"the range [{span[0]:g}, {span[1]:g}] does not contain the diagram's own, "
            f"[{diagram.range[0]:g}, {diagram.range[1]:g}]; a diagram can only be extended"
        )
    problem = EquilibriumProblem(owner, owner.parameter_index(diagram.parameter))
    _check_owner(diagram, problem)
    tracer = Tracer(problem, diagram.parameter, span, options or Options(), max_branches)
    for branch in diagram.branches:
        line, ends = _line(diagram, branch, problem)
        forward, last = _go_on(tracer, line, ends[1])
        backward, first = _go_on(tracer, forward.reversed(), ends[0])
        tracer.adopt(backward.reversed(), (first, last), _place(diagram, branch))
    tracer.switch_everywhere()
    return tracer.diagram(list(diagram.notes))


def _check_owner(diagram: Diagram, problem: EquilibriumProblem) -> None:
    columns = (diagram.parameter, *problem.system.variables)
    for branch in diagram.branches:
        if branch.columns != columns:
            raise InputError(f"the diagram has the columns {', '.join(branch.columns)}, the model {', '.join(columns)}; give the diagram's own model")
        worst = max(problem.residual(np.append(row[1:], row[0])) for row in branch.points[:: max(len(branch.points) // 10, 1)])
        if not worst < AGREES:
            raise InputError(f"the diagram's points are no equilibria of this model (residual {worst:.1e}); give the diagram's own model and parameter values")


def _line(diagram: Diagram, branch: Branch, problem: EquilibriumProblem) -> tuple[Line, tuple[End, ...]]:
    """Return a finished branch as a line that can be continued."""
    points = np.column_stack([branch.points[:, 1:], branch.points[:, 0]])
    scale = np.maximum(np.max(np.abs(points), axis=0), 1e-12)
    tangents = np.gradient(points, axis=0)
    events = []
    for special in diagram.special_points:
        if special.branch == branch.id and special.label in KINDS:
            events.append(_event(special, points[special.index], scale, problem))
    return Line(points, tangents, np.array(branch.eigenvalues), np.array(branch.unstable), tuple(events)), branch.ended


def _event(special: SpecialPoint, y: np.ndarray, scale: np.ndarray, problem: EquilibriumProblem) -> Event:
    left = None
    if special.label == "BP" and special.status == "converged":
        found = branch_point.refine(problem, y, scale)
        left = None if found is None else found[1]
    return Event(special.index, KINDS[special.label], special.bracket, left)


def _go_on(tracer: Tracer, line: Line, end: End) -> tuple[Line, End]:
    """Continue a line beyond its last row, if the reason it ended there no longer holds."""
    p = line.points[-1, -1]
    at_range = end.reason == "range" and tracer.span[0] < p < tracer.span[1]
    if not (at_range or end.reason in ("points", "stop")) or len(line) < 2:
        return line, end
    more, new_end = tracer.march_from(line.points[-1], line.points[-1] - line.points[-2])
    return join([line, more.tail()]), new_end


def _place(diagram: Diagram, branch: Branch) -> np.ndarray | None:
    """Return the branch point that a branch was switched at, as (x, p)."""
    if branch.origin is None:
        return None
    special = diagram.special_points[branch.origin]
    return np.array([*special.state.values(), special.parameters[diagram.parameter]])

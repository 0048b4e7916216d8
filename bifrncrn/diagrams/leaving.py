"""Branches of orbits that leave others: at period doublings, where one has twice the period, and at branch points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.orbits.branch import Place
from bifrncrn.curves.orbits.corrector import Corrector
from bifrncrn.curves.orbits.ends import Followed, Row
from bifrncrn.curves.orbits.following import Follower
from bifrncrn.curves.orbits.hopf import LEAST_SIZE
from bifrncrn.curves.orbits.switching import direction, doubled, leave
from bifrncrn.diagrams.asked import asked_of
from bifrncrn.diagrams.families import FIRST_STEP, Family, Left
from bifrncrn.diagrams.results import SpecialPoint
from bifrncrn.diagrams.setup import at_point
from bifrncrn.models.maps import require_flow
from bifrncrn.models.sizes import died_out

FLOOR = 0.05
"""Least unit of length of a state on the new branch, relative to its size where that leaves."""
NOTHING = 1e-6
"""A state this small beside the others is at zero, and of their size on the new branch."""
LEADING = 0.1
"""States that change by this part of the one that changes most, in units of the branch, tell the new one apart."""


def from_cycle_point(
    point: SpecialPoint, bounds: tuple[float, float] | None, options: Options, events: Sequence[str] = ()
) -> Family | str:
    """Follow the branch that leaves another at a period doubling or a branch point; return why not where there is none.

    At a branch point it is followed both ways.
    """
    (name,) = point.parameters
    value = point.parameters[name]
    if point.system is not None:
        require_flow(point.system, "a branch of orbits")
    where = f"the {point.label} at {name}={value:.9g}"
    if point.status != "converged":
        return f"{where} is not refined, so no branch was looked for there"
    if point.system is None or point.place is None or point.range is None:
        raise InputError(f"{where} has lost its orbit (it was loaded from a file); compute the branch again")
    task = at_point(point, bounds, None, options)
    index = task.index
    problem = EquilibriumProblem(task.system, index)
    corrector = Corrector(task.system, index, task.system.lower, options.until)
    start = doubled(point.place) if point.label == "PD" else point.place
    along = direction(problem, start)
    if along is None:
        return f"no branch was found at {where}"
    if _is_noise(corrector, start, along):
        return f"no branch was found at {where}: what leaves there differs from the branch itself by rounding alone"
    size = np.max(np.abs(start.orbit.nodes), axis=0)
    floor = FLOOR * np.where(size < NOTHING * size.max(), size.max(), size)
    asked = asked_of(task, events)
    sides: list[Followed] = []
    # after half the period orbits of doubled period are those of the other sign: one side is all
    for sign in (1.0,) if point.label == "PD" else (1.0, -1.0):
        first = leave(corrector, start, sign * along)
        if first is None:
            continue
        follower = Follower(corrector, task.span, floor, float(np.max(floor)), options, problem, value, asked)
        found = follower.follow(_settled(follower, first), FIRST_STEP, doubled=point.label == "PD")
        found.rows.insert(0, Row(start, corrector.extremes(start.orbit)))
        sides.append(found)
    if not sides:
        return f"{where} was not followed: {options.said}" if options.late else f"no branch was found at {where}"
    back = sides[1] if len(sides) > 1 else Left(point.label, value)
    return Family(task, problem, back, sides[0], corrector)


def _is_noise(corrector: Corrector, place: Place, along: np.ndarray) -> bool:
    """Say whether all states in which orbits leave are noise that fades, even far along either branch."""
    system, nodes, scale = corrector.system, place.orbit.nodes, place.metric.scale
    moves, tangent = (np.abs(v[:-2].reshape(nodes.shape)).max(axis=0) for v in (along, place.tangent))
    leading = moves / scale >= LEADING * (moves / scale).max()
    sizes = np.abs(nodes).max(axis=0) + np.where(leading, (moves + tangent) / LEAST_SIZE, 0.0)
    values = np.array(system.values, dtype=float)
    values[corrector.parameter] = place.orbit.parameter
    return bool(died_out(system, nodes[0], sizes, NOTHING, values)[leading].all())


def _settled(follower: Follower, first: Place) -> Place:
    """Return the first place in the metric of its own branch, its tangent away from where it left."""
    metric = follower.metric(follower.corrector.extremes(first.orbit))
    return replace(first, metric=metric).measured(metric)

"""Diagrams of periodically forced systems: the branch of periodic orbits through a start, and what leaves it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bifrncrn.base.errors import ConvergenceError
from bifrncrn.base.progress import progress
from bifrncrn.continuation.options import Options
from bifrncrn.diagrams.families import Family, from_cycle
from bifrncrn.diagrams.leaving import from_cycle_point
from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint
from bifrncrn.models.forcing import autonomous, check_periodic_over, period_of
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Cycle, describe_attractor, find_cycle, of_forced

SAME_PERIOD = 1e-6
"""The period of an orbit is that of the forcing to this."""
MOVED = 0.5
"""An orbit is the one at the start where it is closer than this, in terms of its own extent."""
TRANSIENTS = (1, 3, 10, 30, 100)
"""Periods after which an orbit is looked for near a trajectory that does not settle to one."""
AGAIN = 1e-6
"""A branch point at which a branch was met already, in terms of the range and of the extremes."""


def forced_diagram(
    system: System,
    name: str,
    span: tuple[float, float],
    start: np.ndarray,
    options: Options,
    most: int,
    events: Sequence[str] = (),
) -> Diagram:
    """Return the branch of periodic orbits of a forced system through a start, and those that leave at BPC.

    Parameters
    ----------
    system : System
        A forced one.
    name, span
        The parameter and its range.
    start : (n + 1,) array
        States at the time zero, and the parameter, from which an orbit is looked for.
    options : Options
    most : int
        Branches that are followed.
    events : sequence of str
        Located on them.

    Raises
    ------
    InputError
        If the equations do not have the period in all of the range.
    ConvergenceError
        If no periodic orbit is found.
    """
    system = system.with_(state=start[:-1], values={name: float(start[-1])})
    check_periodic_over(system, name, span)
    cycle, notes = _first(system)
    with progress("following periodic orbits"):
        family = from_cycle(of_forced(system, cycle), name, span, options, events)
    branches, points = [family.branch(0, None)], family.special_points(0)
    notes += family.notes(branches[0])
    counters = family.counters()
    _switch(branches, points, options, most, events, notes, counters)
    return Diagram(
        model=system.title,
        parameter=name,
        range=span,
        branches=tuple(branches),
        special_points=tuple(points),
        system=system,
        notes=(*notes, *system.notes),
        counters=counters,
        options=options,
    )


def _first(system: System) -> tuple[Cycle, list[str]]:
    """Return a periodic orbit of the system with an oscillator for its time, and notes on how it was found.

    Newton's method near the start, then what the trajectory settles to, then Newton's method along the trajectory.
    """
    whole, period = autonomous(system), period_of(system)
    near = find_cycle(whole, period=period)
    if near is not None and _simple(near, period) and _moved(near, system.state) < MOVED:
        return near, []
    settled = find_cycle(whole)
    if settled is not None:
        turns = round(settled.period / period)
        note = "The start was taken to the periodic orbit that the trajectory from it settles to."
        if turns > 1:
            note += f" It takes {turns} periods of the forcing."
        return settled, [note]
    for turns in TRANSIENTS:
        run = whole.simulate(turns * period)
        found = find_cycle(whole, period=period, state=run.x[-1]) if run.status == "completed" else None
        if found is not None and _simple(found, period):
            return found, [f"The start was taken to a periodic orbit near its trajectory after {turns} periods."]
    what = describe_attractor(whole)
    raise ConvergenceError(
        f"no periodic orbit was found from the start, whose trajectory settles to none (but: {what}); start elsewhere"
    )


def _simple(cycle: Cycle, period: float) -> bool:
    """Say whether an orbit takes one period of the forcing."""
    return abs(cycle.period / period - 1.0) < SAME_PERIOD


def _moved(cycle: Cycle, start: np.ndarray) -> float:
    """Return how far the orbit is from the start at the same phase, in terms of its extent."""
    n = len(start)
    k = int(np.argmax(cycle.points[:, -2]))  # the oscillator began at its greatest u
    size = np.maximum(cycle.max - cycle.min, 1e-3 * np.max(cycle.max[:n] - cycle.min[:n]))[:n]
    return float(np.max(np.abs(cycle.points[k, :n] - start) / (size + 1e-300)))


def _switch(
    branches: list[Branch],
    points: list[SpecialPoint],
    options: Options,
    most: int,
    events: Sequence[str],
    notes: list[str],
    counters: dict[str, int],
) -> None:
    """Follow what leaves at the branch points of cycles, and at those of what leaves, each once; add to the lists."""
    k = 0
    while k < len(points):
        point, k = points[k], k + 1
        if point.label != "BPC" or _met(branches, point):
            continue
        if len(branches) >= most:
            notes.append(f"Branches were followed up to the limit of {most}.")
            return
        family = from_cycle_point(point, None, options, events)
        if isinstance(family, str):
            notes.append(family)
            continue
        branch = family.branch(len(branches), k - 1)
        branches.append(branch)
        notes += family.notes(branch)
        points += family.special_points(branch.id)
        _count(counters, family)


def _met(branches: list[Branch], point: SpecialPoint) -> bool:
    """Say whether another branch than its own passes through a point."""
    own = branches[point.branch]
    row = own.points[point.index]
    for branch in branches:
        if branch is own or branch.columns != own.columns:
            continue
        size = np.maximum(np.ptp(branch.points, axis=0), np.abs(row)) + 1e-300
        if np.any(np.max(np.abs(branch.points - row) / size, axis=1) < AGAIN):
            return True
    return False


def _count(counters: dict[str, int], family: Family) -> None:
    for name, count in family.counters().items():
        counters[name] = counters.get(name, 0) + count

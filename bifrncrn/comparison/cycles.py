"""The cycles of a system over a range of its parameter: from Hopf points, and from what trajectories settle to."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.comparison.matching import places
from bifrncrn.comparison.outcomes import STRAY, corners, outcome, starts, stays
from bifrncrn.comparison.sections import section
from bifrncrn.comparison.side import Side
from bifrncrn.comparison.window import Window
from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.continuation.options import Options
from bifrncrn.diagrams.results import Diagram, SpecialPoint
from bifrncrn.models.system import System

PROBES = 3  # parameter values at which trajectories are watched
FINEST = 1_000  # parts of the range to which special points are told apart for that
SHRUNK = 2e-6  # of the range: a branch of cycles without a size that ends this near a Hopf point is its own
LIMIT = Options(max_points=2000)  # orbits in one direction; beside fast variables 800 lead through a plain range


def probes(sides: Sequence[Side], window: Window, tolerance: float) -> list[float]:
    """Return the middles of the longest intervals between special points, which are one within the tolerance.

    They are the same for special points that are nearly the same.
    """
    low, width = float(window.lower[0]), window.width
    marks = {0, FINEST}
    for side in sides:
        marks |= {
            round(FINEST * float(place[0] - low) / width) for _, place in places(side.diagram, side.names, window)
        }
    every = list(itertools.pairwise(sorted(marks)))
    gaps = [(a, b) for a, b in every if b - a > tolerance * FINEST] or every
    while len(gaps) < PROBES:
        left, right = gaps.pop(int(np.argmax([b - a for a, b in gaps])))
        gaps += [(left, (left + right) // 2), ((left + right) // 2, right)]
    gaps.sort(key=lambda gap: gap[0] - gap[1])
    return sorted(low + width * (a + b) / (2 * FINEST) for a, b in gaps[:PROBES])


def with_cycles(side: Side, window: Window, values: Sequence[float]) -> Side:
    """Return the side with all cycles that were found, and with what trajectories come to."""
    system = side.system
    if system is None:
        said = f"the model of the {side.word} is not known (its diagram was loaded), so cycles were not looked for"
        return replace(side, unjudged=(*side.unjudged, said))
    if len(system.variables) > DENSE_LIMIT:
        said = f"cycles are looked for in systems of up to {DENSE_LIMIT} variables; the {side.word} has more"
        return replace(side, unjudged=(*side.unjudged, said))
    return _settled(_from_hopf(side, window), system, window, values)


def _from_hopf(side: Side, window: Window) -> Side:
    """Return the side with the cycles that leave the Hopf points in the region."""
    from bifrncrn.diagrams.orbits import orbits

    if any(branch.kind == "periodic" for branch in side.diagram.branches):
        return side
    low, high = side.span
    window = window.wider(max(0.0, window.lower[0] - low, high - window.upper[0]) if side.reach else 0.0)
    for point, place in places(side.diagram, side.names, window):
        if point.label != "HB" or not window.judges(place[None])[0] or _is_end(point, side):
            continue
        try:
            found = orbits(point, side.span, options=LIMIT)
        except (ConvergenceError, InputError) as error:
            said = f"the cycles of the {side.word} at its Hopf point were not followed: {error}"
            side = replace(side, unjudged=(*side.unjudged, said))
            continue
        side = _joined(side, found)
    return side


def _is_end(point: SpecialPoint, side: Side) -> bool:
    """Say whether cycles that were followed shrink to this Hopf point."""
    diagram = side.diagram
    for branch in diagram.branches:
        for row in (0, -1):
            if branch.kind != "periodic":
                continue
            off = abs(branch.column(diagram.parameter)[row] - point.parameters[diagram.parameter])
            states = [abs(branch.column(f"max {name}")[row] - point.state[name]) for name in side.names]
            size = [abs(point.state[name]) for name in side.names]
            if off < SHRUNK * (diagram.range[1] - diagram.range[0]) and max(states) <= 1e-6 * max(size) + 1e-300:
                return True
    return False


def _joined(side: Side, found: Diagram) -> Side:
    """Return the side with the branch of cycles `found` as one more branch of its diagram."""
    diagram = side.diagram
    number = len(diagram.branches)
    branch = replace(found.branches[0], id=number)
    points = tuple(replace(point, branch=number) for point in found.special_points)
    whole = replace(diagram, branches=(*diagram.branches, branch), special_points=(*diagram.special_points, *points))
    return replace(side, diagram=whole)


def _settled(side: Side, system: System, window: Window, values: Sequence[float]) -> Side:
    """Return the side with what trajectories come to, and with the cycles they settle to that were not known."""
    fates, strays = dict(side.fates), []
    for value in values:
        here = system.with_(values={side.diagram.parameter: value})
        begins: list[np.ndarray | dict[str, float]] = [*starts(window)]
        begins += [] if window.bounded else [{}]  # its own start
        homes: list[np.ndarray] = []
        for k, begin in enumerate([*begins, *_unstable_equilibria(side, value, window)]):
            found, cycle, points = outcome(here, begin, side, window, value)
            homes += [] if points is None else [points]
            if cycle is not None:
                side = _followed(side, cycle)
            if found.kind == STRAY:
                strays.append(value)
                found = replace(found, kind="rest")
            if k < len(begins):
                fates[value, k] = found
        for k, corner in enumerate(corners(window), 1):
            fates[value, -k] = stays(here, corner, side, window, homes)
    if strays:
        said = (
            f"the {side.word} comes to rest, at {side.diagram.parameter} = "
            f"{', '.join(f'{v:.4g}' for v in dict.fromkeys(strays))}, where no branch of its diagram is; "
            "compare in a box to find all branches"
        )
        side = replace(side, unjudged=(*side.unjudged, said))
    return replace(side, fates=fates)


def _unstable_equilibria(side: Side, value: float, window: Window) -> list[dict[str, float]]:
    """Return the unstable equilibria in the region, from which trajectories leave to something else."""
    states = tuple(side.system.variables) if side.system else ()
    every = section(side.diagram, "equilibrium", side.names, value, window)
    whole = section(
        side.diagram, "equilibrium", states, value, replace(window, bounded=False, scale=np.ones(1 + len(states)))
    )
    if len(every.places) != len(whole.places):
        return []
    return [
        dict(zip(states, place.tolist()))
        for place, count, judged in zip(whole.places, whole.unstable, every.judged)
        if judged and count > 0
    ]


def _followed(side: Side, cycle: object) -> Side:
    """Return the side with the branch that a cycle lies on."""
    from bifrncrn.diagrams.orbits import orbits

    diagram = side.diagram
    try:
        found = orbits(cycle, side.span, parameter=diagram.parameter, options=LIMIT)  # type: ignore[arg-type]
    except (ConvergenceError, InputError) as error:
        said = f"a cycle of the {side.word} was not followed: {error}"
        return replace(side, unjudged=(*side.unjudged, said))
    return _joined(side, found)

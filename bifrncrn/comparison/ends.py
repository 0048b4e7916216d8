"""What is at the ends of branches and of the range: how cycles end, and what lies just outside.

A special point of one diagram within the tolerance of an end of the range may have its partner just outside in the
other. Whether it has is looked up there before it is called missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.comparison.sections import SAME_CYCLE, section
from bifrncrn.comparison.side import Side
from bifrncrn.comparison.window import Window
from bifrncrn.diagrams.results import Branch

DEATHS = {"homoclinic": "a homoclinic orbit", "snic": "a saddle-node on the cycle", "infinity": "growth to infinity"}
"""Ends of branches of cycles that are no special points."""
UNFINISHED = ("step", "points", "time", "not finite")  # ends of branches after which nobody looked


def near_an_end(values: Sequence[float], window: Window, room: float) -> bool:
    """Say whether one of the parameter values is within `room` of an end of the range."""
    ends = (window.lower[0], window.upper[0])
    return any(abs(value - end) <= room for value in values for end in ends)


def beyond(side: Side, window: Window, room: float) -> Side:
    """Return a side with its equilibria followed `room` beyond the range, and without cycles; as it was if it cannot.

    Its diagram keeps the range that is compared.
    """
    from bifrncrn.diagrams.extend import extend

    diagram = side.diagram
    if diagram.system is None or diagram.system.period:
        return side
    low, high = float(window.lower[0]), float(window.upper[0])
    reach = (min(diagram.range[0], low - room), max(diagram.range[1], high + room))
    try:
        found = extend(diagram, reach)
    except (ConvergenceError, InputError):
        return side
    return replace(side, diagram=replace(found, range=diagram.range), reach=reach)


def deaths(one: Side, two: Side, window: Window, room: float) -> list[tuple[float, str]]:
    """Return where cycles end without a special point as the other side's do not there, each with a sentence."""
    said = []
    for a, b in ((one, two), (two, one)):
        others = _ends(b, window.wider(room))
        for value, reason in _ends(a, window):
            if not any(abs(v - value) <= room and r == reason for v, r in others):
                text = f"cycles of the {a.word} end in {DEATHS[reason]} at {a.diagram.parameter} = {value:.6g}"
                said.append((value, f"{text}, those of the {b.word} do not"))
    return said


def _ends(side: Side, window: Window) -> list[tuple[float, str]]:
    """Return where and how the cycles in the region end other than in special points."""
    found = []
    for branch in side.diagram.branches:
        if branch.kind != "periodic":
            continue
        middle = [0.5 * (branch.column(f"min {name}") + branch.column(f"max {name}")) for name in side.names]
        rows = np.column_stack([branch.column(side.diagram.parameter), *middle])
        for row, end in zip((rows[0], rows[-1]), branch.ended):
            if end.reason in DEATHS and window.covers(row) and window.judges(row[None])[0]:
                found.append((float(row[0]), end.reason))
    return found


def unfinished(side: Side, window: Window) -> list[str]:
    """Return a sentence for every branch that ends inside the region for want of anything better."""
    said = []
    for branch in side.diagram.branches:
        columns = (side.diagram.parameter, *side.names)
        if branch.kind == "periodic":
            said += _unfinished_cycles(side, branch, window)
        if branch.kind != "equilibrium" or not set(columns) <= set(branch.columns):
            continue
        for row, end in zip((0, -1), branch.ended):
            place = np.array([branch.column(name)[row] for name in columns])
            if end.reason in UNFINISHED and window.holds(place[None])[0]:
                said.append(f"a branch of the {side.word} was not followed to its end: {end.message}")
    return said


def _unfinished_cycles(side: Side, branch: Branch, window: Window) -> list[str]:
    """Return a sentence for every end of a branch of cycles that was not followed on, by no other branch either."""
    said = []
    at = branch.column(side.diagram.parameter)
    columns = [f"{end} {name}" for end in ("min", "max") for name in side.names]
    for row, end in zip((0, -1), branch.ended):
        if end.reason not in UNFINISHED or not window.covers(at[row : row + 1 or None]):
            continue
        here = section(side.diagram, "periodic", side.names, float(at[row]), window)
        place = np.array([branch.column(name)[row] for name in columns])
        gaps = np.abs((here.places - place) / np.tile(window.scale[1:], 2)).max(axis=1, initial=0.0)
        if not ((gaps < SAME_CYCLE) & (here.branches != branch.id)).any():
            said.append(f"a branch of cycles of the {side.word} was not followed to its end: {end.message}")
    return said

"""Some of the computed cycles on a diagram's branches, each proved by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.proofs.cycles import near
from bifrncrn.proofs.result import ProvedCycle

PLACES = (0.25, 0.5, 0.75)
"""Where on a branch a cycle is looked at: away from its ends, at which cycles shrink to a point or grow very long."""
CONSERVED = "Its cycles are not looked at: they are not isolated where sums are conserved."


def of_branches(diagram: Any, deadline: float) -> tuple[tuple[ProvedCycle, ...], tuple[str, ...]]:
    """Return the cycles that are proved, and a sentence about each branch of cycles."""
    proved: list[ProvedCycle] = []
    notes: list[str] = []
    for branch in diagram.branches:
        if branch.kind != "periodic":
            continue
        if diagram.reduction is not None:
            return (), (CONSERVED,)
        found, looked_at, reason = _of_branch(diagram, branch, deadline)
        proved += found
        notes.append(
            f"Branch {branch.id}: of its {len(branch.points)} computed cycles {looked_at} were looked at, each by "
            f"itself, and {len(found)} are proved; nothing is said about the others{reason}."
        )
    return tuple(proved), tuple(notes)


def _of_branch(diagram: Any, branch: Any, deadline: float) -> tuple[list[ProvedCycle], int, str]:
    """Return the cycles of one branch that are proved, how many were looked at, and why no more were."""
    name, count = diagram.parameter, len(branch.points)
    if len(branch.profiles) != count or branch.columns[0] != name:
        return [], 0, " (the diagram does not hold them)"
    found: list[ProvedCycle] = []
    for looked_at, index in enumerate(sorted({int(share * (count - 1)) for share in PLACES})):
        if time.monotonic() > deadline:
            return found, looked_at, " (no time left)"
        value, profile = float(branch.points[index, 0]), branch.profiles[index]
        if profile.turns:
            return found, looked_at, " (an angle goes round along them, and proofs know closed curves only)"
        system = diagram.system.with_(values={name: value})
        stored = np.array(system.values)
        try:
            cycle, doubts = near(system, (stored, stored), profile.period, _interpolated(profile))
        except InputError as error:
            return found, looked_at, f" ({error})"
        if cycle is not None and not doubts:
            found.append(replace(cycle, parameters={name: value}, branch=branch.id))
    return found, len({int(share * (count - 1)) for share in PLACES}), ""


def _interpolated(profile: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return an orbit as a function of time: a guess, which the proof does not rest on."""
    from scipy.interpolate import CubicSpline

    times = np.append(profile.phases, 1.0) * profile.period
    states = np.append(profile.states, profile.states[:1], axis=0)
    spline = CubicSpline(times, states, bc_type="periodic")
    return lambda t: np.asarray(spline(t % profile.period), dtype=float)

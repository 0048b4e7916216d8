"""Name what happens at a special point where a stable equilibrium gives way to a cycle.

The law by which the period grows towards the point tells a fold on the cycle (a SNIC: the period grows without bound,
as one over the root of the distance) from a fold beside a cycle that is there already (Kuznetsov, Elements of Applied
Bifurcation Theory, 7.1); a Hopf point is told by its first Lyapunov coefficient.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.diagrams.results import SpecialPoint
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Cycle, describe_attractor, find_cycle

Kind = Literal["SNIC", "fold beside a cycle", "supercritical Hopf", "subcritical Hopf", "unclear"]

FIRST = 0.05
"""The first distance from the point, in units of that to the next special point or the end of the range."""
CLOSER = 4.0
LEVELS = 4
"""How much closer each look is than the one before, and how many there are."""
DOUBLING = (1.7, 2.3)
"""A period c/sqrt(d) + c0 grows twice as much from each look to the next, whatever c0; one that ends at a homoclinic
orbit by as much, at a fold of cycles by half as much, elsewhere by a quarter. This is 2 with room for higher terms."""
PASSES = 0.05
"""A cycle passes by the fold when it comes this near, in units of its size, in the closest look."""


@dataclass(frozen=True)
class Onset:
    """Where a stable equilibrium gives way to a cycle, and how.

    Attributes
    ----------
    kind : str
        `SNIC`, `fold beside a cycle` (both are stable before the fold: there is hysteresis), `supercritical Hopf`,
        `subcritical Hopf`, or `unclear`.
    parameter : str
    value : float
    growth : float or None
        At a fold: how much the period grows from the last look but one to the last (four times closer), over how much
        it did before; 2 for a SNIC.
    constant : float or None
        At a SNIC: c of the period c / sqrt(distance), time * sqrt(parameter).
    """

    kind: Kind
    parameter: str
    value: float
    growth: float | None = None
    constant: float | None = None

    def __str__(self) -> str:
        text = f"{self.kind} at {self.parameter} = {self.value:.6g}"
        if self.constant is None:
            return text
        return f"{text} (period ~ {self.constant:.3g}/sqrt(|{self.parameter} - {self.value:.6g}|))"


def find_onsets(
    system: System, parameter: str, points: Sequence[SpecialPoint], bounds: tuple[float, float]
) -> tuple[Onset, ...]:
    """Return the onsets among the folds and Hopf points of a system.

    A point is one when the trajectory from it, just to one side of it, comes to rest, and just to the other settles to
    a cycle.

    Parameters
    ----------
    system : System
    parameter : str
    points : sequence of SpecialPoint
        As `diagram` finds them; others than `LP` and `HB` only tell how near to look.
    bounds : (low, high)
        The range of the parameter.
    """
    require_kind(system, System, "a system")
    require_kind(points, Iterable, "a list of special points")
    for point in points:
        require_kind(point, SpecialPoint, "a special point")
    values = np.array([point.parameters[parameter] for point in points])
    found = []
    for point, value in zip(points, values):
        others = np.abs(np.array([*bounds, *values]) - value)
        apart = others[others > 0]
        if point.label in ("LP", "HB") and len(apart):
            onset = _onset(system, parameter, point, FIRST * float(apart.min()))
            found += [] if onset is None else [onset]
    return tuple(found)


def _onset(system: System, parameter: str, point: SpecialPoint, distance: float) -> Onset | None:
    value, state = point.parameters[parameter], np.array([point.state[name] for name in system.variables])
    kinds = {
        side: describe_attractor(system, state=state, values={parameter: value + side * distance})
        for side in (-1.0, 1.0)
    }
    side = next((side for side in kinds if (kinds[side], kinds[-side]) == ("cycle", "equilibrium")), None)
    if side is None:
        return None
    if point.label == "HB":
        kind: Kind = "unclear"
        if point.l1 is not None:
            kind = "supercritical Hopf" if point.l1 < 0 else "subcritical Hopf"
        return Onset(kind, parameter, value)
    distances = distance / CLOSER ** np.arange(LEVELS)
    cycles = []
    for step in distances:
        cycle = find_cycle(system, values={parameter: value + side * step}, state=state)
        if cycle is None:
            return Onset("unclear", parameter, value)
        if _there(cycle, state, {parameter: value - side * step}):
            return Onset("fold beside a cycle", parameter, value)
        cycles.append(cycle)
    periods = np.array([cycle.period for cycle in cycles])
    grown = np.diff(periods)
    growth = float(grown[-1] / grown[-2])
    if not (DOUBLING[0] < growth < DOUBLING[1] and _nearest(cycles[-1], state) < PASSES):
        return Onset("unclear", parameter, value, growth)
    constant = float(grown[-1] / np.diff(distances**-0.5)[-1])
    return Onset("SNIC", parameter, value, growth, constant)


def _there(cycle: Cycle, state: np.ndarray, values: dict[str, float]) -> bool:
    """Say whether there is a cycle at these parameter values as well: from the far end of `cycle`."""
    far = cycle.points[int(np.linalg.norm(cycle.points - state, axis=1).argmax())]
    return describe_attractor(cycle.system, state=far, values=values) == "cycle"


def _nearest(cycle: Cycle, state: np.ndarray) -> float:
    """Return how near a cycle comes to a state, in units of its size."""
    gap = np.linalg.norm(cycle.points - state, axis=1).min()
    return float(gap / np.linalg.norm(np.ptp(cycle.points, axis=0)))

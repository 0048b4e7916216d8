"""One cycle as a theorem: it exists, where and with which period, whether that is the least one, how stable it is.

The period is the least one where the cycle does not come back to u_0 in between: some steps from it on, and some before
it, go in the direction of l all the time, and the boxes of the others do not hold u_0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.forcing import refuse
from bifrncrn.proofs.balls import Ball
from bifrncrn.proofs.extremes import extremes
from bifrncrn.proofs.monodromy import multipliers
from bifrncrn.proofs.result import Interval, Proof, ProvedCycle, Undecided
from bifrncrn.proofs.rounding import above, around, check_arithmetic
from bifrncrn.proofs.shooting import Shot, shoot
from bifrncrn.proofs.taylor import Bounds, Taylor

if TYPE_CHECKING:
    from bifrncrn.models.system import System

Doubt = tuple[str, np.ndarray, np.ndarray]
NO_STABILITY = "whether the cycle is stable: a multiplier may be on the unit circle, or they are too far apart"
EVENTS = "The events of the model act in simulations only; this is about its equations."
DRAWN = 400
"""At so many places a guess is looked at, to say where it is."""
NOT_LEAST = "whether the period is the least one"


def of_cycle(cycle: Any, spread: float = 0.0) -> Proof:
    """Prove the cycle near a computed one, for all values of the parameters within a fraction of theirs."""
    system: System = cycle.system
    if system.period:
        raise refuse(system)
    if not system.has_formulas:
        raise InputError("nothing can be proved about a Python function: give the model by its equations")
    if cycle.orbit.offset is not None:
        names = ", ".join(name for name, turn in zip(system.variables, cycle.orbit.offset, strict=True) if turn)
        raise InputError(
            f"{names} goes round along this cycle, and proofs know closed curves only; "
            f"take its cosine and its sine as states in its place"
        )
    check_arithmetic()
    values = around(np.array(system.values), spread)
    found, doubts = near(system, values, cycle.period, cycle.at, spread)
    return _proof(system, values, () if found is None else (found,), doubts)


def near(
    system: System, values: Bounds, period: float, at: Callable[[np.ndarray], np.ndarray], spread: float = 0.0
) -> tuple[ProvedCycle | None, list[Doubt]]:
    """Prove a cycle near a guess, a function of times; return it, and what is not known of it."""
    with np.errstate(all="ignore"):
        taylor = Taylor(system, values)
        shot = shoot(taylor, period, at, spread)
        if isinstance(shot, str):
            states = at(np.linspace(0.0, period, DRAWN))
            return None, [(shot, states.min(axis=0), states.max(axis=0))]
        return _described(system, taylor, shot)


def _proof(
    system: System,
    values: Bounds,
    cycles: tuple[ProvedCycle, ...],
    doubts: list[Doubt],
) -> Proof:
    sides = [zip(low.tolist(), high.tolist(), strict=True) for _, low, high in doubts]
    return Proof(
        proved=not doubts,
        model=system.title,
        parameter="",
        range=(0.0, 0.0),
        box={},
        values={p: (float(a), float(b)) for p, a, b in zip(system.parameters, *values, strict=True)},
        branches=None,
        special_points=(),
        undecided=tuple(
            Undecided(reason, dict(zip(system.variables, box, strict=True)))
            for (reason, _, _), box in zip(doubts, sides, strict=True)
        ),
        notes=(EVENTS,) if system.transitions else (),
        cycles=cycles,
    )


def _described(system: System, taylor: Taylor, shot: Shot) -> tuple[ProvedCycle, list[Doubt]]:
    low, high = shot.left.low.min(axis=0), shot.left.high.max(axis=0)
    sizes, unstable = multipliers(shot)
    least = _is_least(taylor, shot)
    doubts = [(NOT_LEAST, low, high)] if not least else []
    doubts += [(NO_STABILITY, low, high)] if unstable is None else []
    total = sum(map(Fraction, shot.durations.tolist()), Fraction(0))
    ends = [float(Fraction(s) * total) for s in shot.factor]
    points = shot.points
    lows, highs = extremes(taylor, shot)
    return ProvedCycle(
        period=(math.nextafter(ends[0], -math.inf), math.nextafter(ends[1], math.inf)),
        least=least,
        multipliers=tuple(sizes),
        unstable=unstable,
        min=dict(zip(system.variables, lows, strict=True)),
        max=dict(zip(system.variables, highs, strict=True)),
        start=_sides(system, *(side[0] for side in points.ends())),
        turn={
            "durations": shot.durations.tolist(),
            "factor": list(shot.factor),
            "points": points.m.tolist(),
            "radius": points.r.tolist(),
            "normal": shot.normal.tolist(),
            "alone": shot.alone[:-1].reshape(points.m.shape).tolist(),
            "alone_factor": float(shot.alone[-1]),
        },
    ), doubts


def _sides(system: System, low: np.ndarray, high: np.ndarray) -> dict[str, Interval]:
    return {v: (float(a), float(b)) for v, a, b in zip(system.variables, low, high, strict=True)}


# -- the least period -------------------------------------------------------------------------------------------------


def _is_least(taylor: Taylor, shot: Shot) -> bool:
    """Say whether the cycle is proved not to come back to its first point before its end."""
    low, high = shot.left.low, shot.left.high
    first_low, first_high = (side[0] for side in shot.points.ends())
    away = ((low > first_high) | (high < first_low)).any(axis=1)
    pace = Ball.between(*taylor.field(low, high))
    reach = above((np.abs(shot.normal) * pace.r).sum(axis=1), len(shot.scale))
    rounding = above((np.abs(shot.normal) * np.abs(pace.m)).sum(axis=1), len(shot.scale)) * 2.0**-48
    onward = pace.m @ shot.normal - reach - rounding > 0.0
    count = len(away)
    after = int(np.argmin(onward)) if not onward.all() else count
    before = int(np.argmin(onward[::-1])) if not onward.all() else count
    return bool(0 < after < count and before > 0 and away[after : count - before].all())

"""One cycle as a theorem: it exists, where and with which period, whether that is the least one, how stable it is.

The derivatives of the flow over the steps of a proved turn (see `shooting`) multiply to the monodromy matrix. Its
eigenvalues but for one, which is 1, are the multipliers: of two states the other one is the determinant (Liouville), a
product of those of the steps; of more states discs enclose them (see `spectrum`), of which one has to be alone about 1.

The period is the least one where the cycle does not come back to u_0 in between: some steps from it on, and some before
it, go in the direction of l all the time, and the boxes of the others do not hold u_0.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.forcing import refuse
from bifrncrn.proofs.balls import Ball, added, convolved, matrices, scaled
from bifrncrn.proofs.extremes import extremes
from bifrncrn.proofs.of_diagram import around
from bifrncrn.proofs.result import Interval, Proof, ProvedCycle, Undecided
from bifrncrn.proofs.rounding import above, check_arithmetic, down, up
from bifrncrn.proofs.shooting import SLACK, Shot, shoot
from bifrncrn.proofs.spectrum import SHAKES, discs
from bifrncrn.proofs.taylor import Bounds, Taylor

if TYPE_CHECKING:
    from bifrncrn.models.system import System

NO_STABILITY = "whether the cycle is stable: a multiplier may be on the unit circle, or they are too far apart"
EVENTS = "The events of the model act in simulations only; this is about its equations."
NOT_LEAST = "whether the period is the least one"


def of_cycle(cycle: Any, spread: float = 0.0) -> Proof:
    """Prove the cycle near a computed one, for all values of the parameters within a fraction of theirs."""
    system: System = cycle.system
    if system.period:
        raise refuse(system)
    if not system.has_formulas:
        raise InputError("nothing can be proved about a Python function: give the model by its equations")
    check_arithmetic()
    with np.errstate(all="ignore"):
        values = around(system, spread)
        taylor = Taylor(system, values)
        shot = shoot(taylor, cycle.period, cycle.at, spread)
        if isinstance(shot, str):
            states = np.asarray(cycle.points)
            return _proof(system, values, (), [(shot, states.min(axis=0), states.max(axis=0))])
        proved, doubts = _described(system, taylor, shot)
    return _proof(system, values, (proved,), doubts)


def _proof(
    system: System,
    values: Bounds,
    cycles: tuple[ProvedCycle, ...],
    doubts: list[tuple[str, np.ndarray, np.ndarray]],
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


def _described(
    system: System, taylor: Taylor, shot: Shot
) -> tuple[ProvedCycle, list[tuple[str, np.ndarray, np.ndarray]]]:
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


# -- multipliers ------------------------------------------------------------------------------------------------------


def multipliers(shot: Shot) -> tuple[list[Interval], int | None]:
    """Return bounds of the multipliers' sizes, without the trivial one, and how many are outside the unit circle."""
    if len(shot.scale) == 2:
        sides = _determinant(shot.slopes)
        outside = 1 if sides[0] > 1.0 else 0 if sides[1] < 1.0 else None
        return [_wider(*sides)] if np.isfinite(sides).all() else [], outside
    turn = shot.slopes[0]
    for k in range(1, len(shot.durations)):
        turn = matrices(shot.slopes[k], turn)
    units = shot.scale / shot.scale[:, None]  # powers of two
    low, high = Ball(turn.m * units, turn.r * units).ends()
    for shake in SHAKES:
        found = _outside(*(part[0] for part in discs(low[None], high[None], shake)))
        if found is not None:
            return found
    return [], None


def _determinant(slopes: Ball) -> Interval:
    """Return bounds of the product of the determinants of matrices (k, 2, 2)."""
    a, b, c, d = (slopes[:, i, j][None, None] for i in (0, 1) for j in (0, 1))
    steps = added(convolved(a, d), -convolved(b, c))
    product = steps[:, :1]
    for k in range(1, steps.m.shape[1]):
        product = scaled(product, steps[:, k : k + 1])
    low, high = product.ends()
    return max(float(low[0, 0]), 0.0), float(high[0, 0])  # each determinant is positive


def _outside(centers: np.ndarray, radii: np.ndarray) -> tuple[list[Interval], int] | None:
    """Sort multipliers, known by discs (n,), of which one is 1; None where that cannot be done."""
    reach = above(radii, 1) + 2.0**-50 * (np.abs(centers) + 1.0)
    sizes = np.abs(centers)
    small, large = sizes + reach < 1.0, sizes - reach > 1.0
    trivial = np.flatnonzero(~small & ~large)
    if len(trivial) != 1 or not np.isfinite(radii).all():
        return None
    others = np.delete(np.arange(len(radii)), trivial)
    apart = np.abs(centers[others] - centers[trivial]) > (reach[others] + reach[trivial]) * (1.0 + 1e-12)
    if not apart.all():
        return None
    sides = zip(down(sizes - reach)[others].tolist(), up(sizes + reach)[others].tolist(), strict=True)
    return sorted((_wider(max(a, 0.0), b) for a, b in sides), reverse=True), int(large.sum())


def _wider(low: float, high: float) -> Interval:
    room = 0.5 * SLACK * (high - low)
    return max(low - room, 0.0), high + room


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

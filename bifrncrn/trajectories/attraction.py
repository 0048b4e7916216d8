"""Whether a cycle attracts, as far as the errors of its multipliers tell.

Where two cycles meet a multiplier is 1, and the place of the cycle is as uncertain as the distance of that multiplier
from 1 is small. With the return map s -> m s + b s^2 along the critical direction, an error d of the place is one of
2 b d of the multiplier.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from bifrncrn.models.field import Field
from bifrncrn.trajectories.recurrence import NEUTRAL, nontrivial
from bifrncrn.trajectories.shooting import Orbit, carried, newton_step

Attraction = Literal["stable", "unstable", "neutral", "unknown"]
CLOSE = 1e-3
"""The error of a multiplier this close to 1 is estimated; of others it is rounding."""
SHIFT = 1e-4
"""The cycle is shifted by this part of its size to see how the multiplier changes."""
FINER = 30.0
"""The last mesh has 1.5 times as many intervals as the one before, and the method is of order 9: its error is so many
times less than the change of the period tells."""
UNREFINED = 1e-10
"""The relative error of an orbit whose mesh was not refined."""
SURE = 4.0
"""A multiplier is told from 1 where it is so many times further off than the last change of the cycle tells: Newton's
method halves its step where two cycles meet, so that as much is left to go."""


def attraction(field: Field, orbit: Orbit, conserved: int = 0) -> Attraction:
    """Say whether a cycle attracts: all multipliers but the trivial (and those of conservation laws) are inside 1.

    Neutral is what has none outside, and one that cannot be told from the unit circle.
    """
    off = np.abs(nontrivial(orbit.monodromy, conserved)) - 1.0
    blur = np.full(len(off), NEUTRAL)
    if not conserved and len(off) and np.min(np.abs(off)) < CLOSE and np.isfinite(orbit.monodromy).all():
        critical, error = _critical(field, orbit)
        if abs(critical) < CLOSE:
            place = int(np.argmin(np.abs(off - critical)))
            off[place], blur[place] = critical, max(NEUTRAL, error)
    if np.any(off > blur):
        return "unstable"
    return "stable" if np.all(off < -blur) else "neutral"


def _critical(field: Field, orbit: Orbit) -> tuple[float, float]:
    """Return the real multiplier nearest to 1, less 1, and its error; (inf, 0) where there is none.

    It is one of the return map to the section across the flow: the monodromy matrix has the trivial one beside it, and
    may be no nearer to diagonal than a Jordan block.
    """
    scale, first = orbit.scale, orbit.nodes[0, 0]
    flow = field.rhs(0.0, first) / scale
    basis = np.linalg.svd(flow[None])[2][1:].T  # across the flow
    whole = orbit.monodromy * scale / scale[:, None]
    values, right = np.linalg.eig(basis.T @ whole @ basis)
    k = int(np.argmin(np.abs(values - 1.0)))
    if values[k].imag != 0.0:
        return np.inf, 0.0
    lefts, left = np.linalg.eig((basis.T @ whole @ basis).T)
    p, q = basis @ left[:, int(np.argmin(np.abs(lefts - values[k])))].real, basis @ right[:, k].real
    p = p / float(p @ q)

    def returned(shift: float) -> float:
        """Return <p, DP q> of the return map P where the first state is moved along q."""
        nodes = orbit.nodes + shift * carried(field, orbit, q * scale)
        moved = newton_step(field, orbit, nodes)
        if moved is None:
            return np.nan
        matrix = moved.monodromy * scale / scale[:, None]
        back = shift * whole @ q
        late = -float(flow @ back) / float(flow @ flow)
        f, jacobian = field.both(first + (back + late * flow) * scale)
        f, jacobian = f / scale, jacobian * scale / scale[:, None]
        there = matrix @ q
        there = there + late * jacobian @ there
        return float(p @ (there - f * (flow @ there) / (flow @ f)))

    step = newton_step(field, orbit, orbit.nodes)
    off = float(values[k].real) - 1.0
    if step is None or off == 0.0:
        return off, np.inf
    bend = (returned(SHIFT) - returned(-SHIFT)) / (2.0 * SHIFT)
    inexact = orbit.error / FINER if np.isfinite(orbit.error) else UNREFINED
    moved = abs(float(p @ (step.first / scale))) + inexact / abs(off)
    error = SURE * abs(bend) * moved
    return off, error if np.isfinite(error) else np.inf

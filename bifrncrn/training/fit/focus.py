"""More weight where the target bifurcates: samples in small boxes about its special points.

The value of a field near a special point says little, its derivatives decide; close samples of high weight teach both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.training.targets.behaviours import Behaviour, ChaosWanted, CycleWanted
from bifrncrn.training.targets.sampling import Samples, box_points, join
from bifrncrn.training.targets.target import FieldPart, Target

# half sides of the small boxes, in units of the box's sides and of the parameter's range
RADIUS = 2 / 15
REACH = 0.1
# samples a side, and values of the parameter
COUNT = 5
VALUES = (-1.0, 0.0, 1.0)
# attractors: a cycle's part of the share (chaos, which feels every error, takes all of it), how far from them samples
# lie, in units of their size, and at how many places
CYCLES = 1 / 3
TUBE = 0.04
PLACES = 400


def focused(target: Target, samples: Samples, points: Iterable[Any], share: float) -> Samples:
    """Return `samples` with others about the target's special `points`, which carry `share` of the whole weight.

    Points outside the box are passed over; without any inside, or with a share of 0, the samples come back as they are.
    """
    part = target.parts[0]
    if share == 0 or not isinstance(part, FieldPart) or target.bounds is None or len(part.names) != 1:
        return samples
    return _with(samples, [extra for point in points if (extra := _near(target, part, point)) is not None], share)


def focused_attractors(target: Target, samples: Samples, behaviours: Iterable[Behaviour], share: float) -> Samples:
    """Return `samples` with others in tubes about the attractors of the target's ODE, with `CYCLES` of the share.

    Periods and exponents are means along an attractor: they come out right when the field does there.
    """
    part = target.parts[0]
    if not isinstance(part, FieldPart):
        return samples
    attractors = [one for one in behaviours if isinstance(one, (ChaosWanted, CycleWanted)) and one.period is not None]
    chaos = any(isinstance(one, ChaosWanted) for one in attractors)
    tubes = [_tube(part, one.points, one.lam) for one in attractors]
    return _with(samples, tubes, share if chaos else CYCLES * share)


def _with(samples: Samples, others: list[Samples], share: float) -> Samples:
    """Return `samples` and `others`, which carry `share` of the whole weight."""
    if not others or share == 0:
        return samples
    extra = join(others)
    scale = share / (1 - share) * samples.weight.sum() / extra.weight.sum()
    return join([samples, Samples(extra.x, extra.lam, extra.field, extra.weight * scale)])


def _tube(part: FieldPart, points: Array, row: tuple[float, ...]) -> Samples:
    """Return samples on an attractor and moved off it along every axis."""
    points = points[:: len(points) // PLACES + 1]
    size = TUBE * np.ptp(points, axis=0)
    moves = np.vstack([np.zeros(len(size)), np.diag(size), -np.diag(size)])
    x = np.maximum((points[:, None] + moves).reshape(-1, len(size)), 0.0)
    lam = np.tile(np.array(row, dtype=float), (len(x), 1))
    return Samples(x, lam, part.field(x, lam), np.ones(len(x)))


def _near(target: Target, part: FieldPart, point: Any) -> Samples | None:
    """Return samples about one special point, or None when it lies outside the box."""
    assert target.bounds is not None
    low, high = np.array(part.box).T
    state = np.array([point.state[name] for name in part.system.variables])
    if (state < low).any() or (state > high).any():
        return None
    reach = RADIUS * (high - low)
    box = list(zip(np.maximum(state - reach, low).tolist(), np.minimum(state + reach, high).tolist()))
    places = box_points(box, COUNT)
    middle = float(point.parameters[part.names[0]])
    values = middle + REACH * (target.bounds[1] - target.bounds[0]) * np.array(VALUES)
    values = np.maximum(values, 0.0)
    x = np.repeat(places, len(values), axis=0)
    lam = np.tile(values[:, None], (len(places), 1))
    return Samples(x, lam, part.field(x, lam), np.ones(len(x)))

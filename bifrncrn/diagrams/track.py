"""A curve of equilibria over a range of its parameter: what lies within, and the units in which it is measured."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.models.region import Region

SAME = 1e-6
"""Two located branch points are one when they differ by less than this, in units of their scale."""
TINY = 1e-8
"""A state smaller than this part of the largest may be zero but for rounding; so may one smaller than this itself."""
FEW = 1e-3
"""A state that is zero is measured by this part of the largest where a tangent is looked for."""
REACHED = 1e-9
"""What the range makes of a state that is zero, to first order, counts from this part of the largest state on."""
ARRIVED = 1e-11
"""A point is on the curve when the last Newton step was smaller than this, in units of length."""


@dataclass(frozen=True, eq=False)
class Track:
    """The equilibria of a problem over the interval `span` of its parameter."""

    problem: EquilibriumProblem
    span: tuple[float, float]

    @property
    def region(self) -> Region:
        """Where the states may be."""
        return self.problem.region

    @property
    def width(self) -> float:
        """The unit of the parameter."""
        return self.span[1] - self.span[0]

    def onto(self, y: np.ndarray, ahead: np.ndarray, scale: np.ndarray, reach: float) -> np.ndarray | None:
        """Return the point of the curve in the plane through `y` normal to `ahead`, if within reach and inside."""
        at = self.problem.slide(y, ahead / scale, scale, 0.5 * reach, ARRIVED)
        return None if at is None else self.inside(at, SAME * reach * scale)

    def inside(self, y: np.ndarray, rounding: np.ndarray) -> np.ndarray | None:
        """Return a point if it is in region and range; what is outside by less than `rounding` is put inside."""
        if not self.span[0] <= y[-1] <= self.span[1]:
            return None
        inside = self.region.clip(y)
        if not self.region.open and (np.abs(inside - y) > rounding).any():
            return None
        return inside if self.region.holds(inside) else None

    def around(self, y: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the corners of the box about a point within a reach, the range and the walls."""
        low, high = self.region.clip(y - reach), self.region.clip(y + reach)
        low[-1], high[-1] = max(low[-1], self.span[0]), min(high[-1], self.span[1])
        return low, high

    def floor(self, y: np.ndarray) -> np.ndarray:
        """Return the least unit of length of every component.

        A tenth of its start; of a state that is zero, a tenth of what the range makes of it to first order; of one
        that stays zero, a tenth of the largest other state.
        """
        floor = np.abs(y)
        listed = floor.tolist()[:-1]
        largest = max(listed)
        least = TINY * max(largest, 1.0)
        floor *= 0.1
        floor[-1] = self.width
        if min(listed) >= least:  # all have sizes of their own
            return floor
        sizes = np.abs(y[:-1])
        tiny = [0.0 < size < least for size in listed]
        blur = self.problem.blur(y).tolist() if any(tiny) else [0.0] * len(listed)
        floor[:-1] = np.maximum(sizes, FEW * (largest or 1.0))
        *ahead, along = self.problem.tangent(y, floor).tolist()
        per_step = self.width / max(abs(along), 1e-300)
        own: list[float] = []
        for size, step, small, error in zip(listed, ahead, tiny, blur, strict=True):
            if size > 0.0 and not (small and size <= error):
                own.append(size)
            else:  # it is zero: what the range makes of it
                reach = abs(step) * per_step
                own.append(min(reach, max(1.0, largest)) if reach > max(REACHED * largest, error) else 0.0)
        rest = max(own) or 1.0
        floor[:-1] = [0.1 * (size or rest) for size in own]
        unknown = [place for place, size in enumerate(own) if not size]
        return self.with_followers(y, floor, unknown) if len(unknown) > 1 else floor

    def with_followers(self, y: np.ndarray, floor: np.ndarray, unknown: list[int]) -> np.ndarray:
        """Give states of unknown size that only follow others the size which these make them have, to first order."""
        drives = np.abs(self.problem.dense(y)[:, :-1])
        damping = drives.diagonal().tolist()
        drives.flat[:: len(drives) + 1] = 0.0
        driven = drives.any(axis=1).tolist()
        waiting = [place for place in unknown if driven[place] and damping[place] > 0.0]
        # one that influences nothing but others that wait is a follower; the last in the chain comes last
        inputs = {place: set(drives[place].nonzero()[0].tolist()) for place in waiting}
        while waiting:
            ready = [place for place in waiting if inputs[place].isdisjoint(waiting)]
            if not ready:
                break  # they depend on each other
            for place in ready:
                floor[place] = (drives[place] * floor[:-1]).max() / damping[place]
            waiting = [place for place in waiting if place not in ready]
        return floor


def scale_at(y: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return the units of length at a point: the sizes of the states, but at least `floor`; of the parameter that."""
    scale = np.maximum(np.abs(y), floor)
    scale[-1] = floor[-1]
    return scale


def length(v: np.ndarray) -> float:
    """Return the Euclidean length of a vector."""
    return math.sqrt(v.dot(v))


def unit(v: np.ndarray) -> np.ndarray:
    """Return a vector brought to length one."""
    return v / length(v)

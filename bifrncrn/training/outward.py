"""Where a learned field points outward: on a box twice as large as what was learned, nobody taught it anything.

A box on whose sides the field points inward keeps every trajectory of the reduced system that is in it. (That a side is
at zero needs no look: the influx is positive there.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import Array
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.training.targets.sampling import box_points
from bifrncrn.training.targets.target import FieldPart, Target
from bifrncrn.training.weights import Weights

# the box looked at is larger than the learned one by this factor
LARGER = 2.0
# points a side of a face by the number of its dimensions; in more, so many altogether
FACE = {0: 1, 1: 101, 2: 21}
MANY = 1024
# values of a parameter species that has a range
VALUES = 9


@dataclass(frozen=True, eq=False)
class Walls:
    """Points on the sides of a box, and the species and direction (-1 or 1) that point out of it at each.

    Attributes
    ----------
    low, high : (M,) arrays
        The box.
    x : (K, M) array
    lam : (K, P) array
    species : (K,) integer array
    direction : (K,) array
    """

    low: Array
    high: Array
    x: Array
    lam: Array
    species: NDArray[np.intp]
    direction: Array

    def outward(self, weights: Weights) -> Array:
        """Return the component of the reduced field that points out of the box, (K,)."""
        with np.errstate(all="ignore"):
            field = weights.field(self.x, self.lam)
        return self.direction * field[np.arange(len(field)), self.species]


@dataclass(frozen=True)
class Side:
    """A side of the box where a field points outward: which, on what share of it, and where most."""

    species: str
    value: float
    share: float
    lam: tuple[float, ...]

    def __str__(self) -> str:
        where = f", most at lam = {', '.join(f'{value:.3g}' for value in self.lam)}" if self.lam else ""
        return f"{self.species} = {self.value:.4g} ({100 * self.share:.2g} % of that side{where})"


@dataclass(frozen=True)
class Outward:
    """What was found on the sides of the larger box.

    Attributes
    ----------
    box : tuple of (low, high)
    points : int
        Looked at.
    sides : tuple of Side
        Where the reduced field points outward; empty means at none of the points.
    """

    box: tuple[tuple[float, float], ...]
    points: int
    sides: tuple[Side, ...]

    @property
    def bounded(self) -> bool:
        """Whether the field points inward at all points looked at."""
        return not self.sides

    def __str__(self) -> str:
        box = ", ".join(f"x{i} from {low:.4g} to {high:.4g}" for i, (low, high) in enumerate(self.box, 1))
        if self.bounded:
            return (
                f"bounded: at all {self.points} points looked at on the sides of {box} the reduced field points inward"
            )
        return (
            f"not bounded: on the sides of {box} the reduced field points outward at {'; '.join(map(str, self.sides))}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            "box": [list(side) for side in self.box],
            "points": self.points,
            "outward": [
                {"species": one.species, "value": one.value, "share": one.share, "lam": list(one.lam)}
                for one in self.sides
            ],
        }


def walls_of(target: Target) -> Walls:
    """Return points on the sides of a box twice as large as what is learned, at the values of the parameter species."""
    low, high = _region(target)
    middle, half = (low + high) / 2, LARGER * (high - low) / 2
    low, high = np.maximum(middle - half, 0.0), middle + half
    rows = _rows(target)
    faces = []
    for i in range(len(low)):
        for direction, value in ((-1.0, low[i]), (1.0, high[i])):
            if value > 0:
                places = np.insert(_face(np.delete(low, i), np.delete(high, i)), i, value, axis=1)
                faces.append((np.repeat(places, len(rows), axis=0), np.tile(rows, (len(places), 1)), i, direction))
    counts = [len(face[0]) for face in faces]
    return Walls(
        low,
        high,
        np.concatenate([face[0] for face in faces]),
        np.concatenate([face[1] for face in faces]),
        np.repeat([face[2] for face in faces], counts),
        np.repeat([face[3] for face in faces], counts),
    )


def look_outward(network: Network, walls: Walls) -> Outward:
    """Return where the reduced field of `network` points out of the box."""
    out = walls.outward(Weights.of(network))
    sides = []
    for i in range(walls.x.shape[1]):
        for direction, value in ((-1.0, walls.low[i]), (1.0, walls.high[i])):
            here = np.flatnonzero((walls.species == i) & (walls.direction == direction))
            wrong = here[~(out[here] < 0)]
            if len(wrong):
                worst = wrong[np.argmax(out[wrong])]
                lam = tuple(walls.lam[worst].tolist())
                sides.append(Side(f"x{i + 1}", float(value), len(wrong) / len(here), lam))
    box = tuple(zip(walls.low.tolist(), walls.high.tolist()))
    return Outward(box, len(walls.x), tuple(sides))


def _face(low: Array, high: Array) -> Array:
    """Return points (K, M - 1) on one side."""
    if not len(low):
        return np.zeros((1, 0))
    box = list(zip(low.tolist(), high.tolist()))
    if len(low) in FACE:
        return box_points(box, FACE[len(low)])
    return box_points(box, MANY, "sobol")


def _region(target: Target) -> tuple[Array, Array]:
    """Return the ends of the smallest box that holds all parts."""
    ends = []
    for part in target.parts:
        if isinstance(part, FieldPart):
            ends.append(np.array(part.box).T)
        else:
            x = part.samples("grid", None, 0).x
            ends.append(np.array([x.min(axis=0), x.max(axis=0)]))
    return np.min([low for low, _ in ends], axis=0), np.max([high for _, high in ends], axis=0)


def _rows(target: Target) -> Array:
    """Return the values of the parameter species at which to look, (L, P)."""
    if target.bounds is not None and target.sizes[1] == 1:
        return np.linspace(*target.bounds, VALUES)[:, None]
    return np.unique(np.concatenate([part.samples("grid", None, 0).lam for part in target.parts]), axis=0)

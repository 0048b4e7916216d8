"""Points to learn from: where a target field is sampled, and how much each sample weighs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.checks import Array, number
from bifrncrn.base.errors import InputError

METHODS = ("grid", "sobol", "lhs")
# samples that fit into memory together with what a fit computes from them
MOST = 2_000_000


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of a target field.

    Attributes
    ----------
    x : (K, M) array
        Concentrations of the executive species, not negative.
    lam : (K, P) array
        Values of the parameter species.
    field : (K, M) array
        The wanted rates of change, concentration/time.
    weight : (K,) array
        Positive; a loss is the weighted mean over the samples, so only ratios matter.

    Raises
    ------
    InputError
        If a point lies outside the positive orthant, or an entry is not finite.
    """

    x: Array
    lam: Array
    field: Array
    weight: Array

    def __post_init__(self) -> None:
        for name in ("x", "lam", "field", "weight"):
            values = np.array(getattr(self, name), dtype=float)
            if not np.isfinite(values).all():
                row = int(np.argwhere(~np.isfinite(values))[0][0])
                raise InputError(
                    f"sample {row} has a {name} that is not finite (x = {_text(self.x[row])}); "
                    "every sample must be finite: shrink the box or drop the sample"
                )
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if len(self.x) == 0:
            raise InputError("there are no samples; give at least as many as a network has unknown rates")
        if (self.x < 0).any():
            row = int(np.argwhere(self.x < 0)[0][0])
            raise InputError(
                f"sample {row} lies at x = {_text(self.x[row])}, but concentrations must not be negative; "
                "shift the target into the positive orthant"
            )
        if (self.weight <= 0).any():
            row = int(np.argwhere(self.weight <= 0)[0][0])
            raise InputError(
                f"sample {row} has weight {self.weight[row]:g}, but weights must be positive; drop it instead"
            )

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.x)


def join(parts: Sequence[Samples]) -> Samples:
    """Return all samples of `parts` as one set."""
    return Samples(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "lam", "field", "weight"))
    )


def thin(samples: Samples, count: int, rng: np.random.Generator) -> Samples:
    """Return at most `count` of the samples, drawn without repetition and kept in order."""
    if len(samples) <= count:
        return samples
    keep = np.sort(rng.choice(len(samples), size=count, replace=False))
    return Samples(samples.x[keep], samples.lam[keep], samples.field[keep], samples.weight[keep])


def check_box(box: Sequence[tuple[float, float]], names: Sequence[str]) -> tuple[tuple[float, float], ...]:
    """Return `box` as pairs of floats, one for each of `names`.

    Raises
    ------
    InputError
        If a side is missing, empty, not finite, or reaches below zero.
    """
    if len(box) != len(names):
        raise InputError(
            f"the box has {len(box)} sides but there are {len(names)} states; give one (low, high) for each"
        )
    sides = []
    for name, side in zip(names, box):
        if not isinstance(side, Sequence | np.ndarray) or isinstance(side, str) or len(side) != 2:
            raise InputError(f"the box side of {name} is {side!r:.60}; give a pair (low, high)")
        low, high = (number(f"the box side of {name}", end) for end in side)
        if low >= high:
            raise InputError(f"the box side of {name} is ({low:g}, {high:g}), which is empty; give low < high")
        if low < 0:
            raise InputError(
                f"the box side of {name} starts at {low:g}, but concentrations must not be negative; "
                "shift the target into the positive orthant"
            )
        sides.append((low, high))
    return tuple(sides)


def require_few(count: int) -> None:
    """Refuse more samples than fit into memory."""
    if count > MOST:
        raise InputError(f"{count:.3g} samples are more than can be fitted; take at most {MOST}")


def box_points(box: Sequence[tuple[float, float]], count: int, method: str = "grid", seed: int = 0) -> Array:
    """Return points (K, M) that fill `box`.

    Parameters
    ----------
    count : int
        Points a side for ``"grid"`` (ends included), points altogether for the others.
    method : {"grid", "sobol", "lhs"}
        A regular grid, a scrambled Sobol set, or a Latin hypercube (`scipy.stats.qmc`).
    seed : int
        Of the scrambling; a grid ignores it.
    """
    if method not in METHODS:
        raise InputError(f"sampling method {method!r} is unknown; choose one of {', '.join(METHODS)}")
    if count < 2:
        raise InputError(f"{count} samples are too few to fill a box; give at least 2")
    require_few(count ** len(box) if method == "grid" else count)
    low, high = np.array(box, dtype=float).T
    if method == "grid":
        axes = [np.linspace(a, b, count) for a, b in zip(low, high)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(low))
    from scipy.stats import qmc

    if method == "lhs":
        unit = qmc.LatinHypercube(len(low), seed=seed).random(count)
    else:
        # a Sobol set is balanced only at powers of two: draw the next one and keep the first `count`
        unit = qmc.Sobol(len(low), seed=seed).random_base2(math.ceil(math.log2(count)))[:count]
    return low + unit * (high - low)


def cell_points(box: Sequence[tuple[float, float]], count: int) -> Array:
    """Return the grid (K, M) of `count` points a side with the upper end left out, as in the published losses."""
    axes = [low + (high - low) / count * np.arange(count) for low, high in box]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def _text(values: Array) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in np.atleast_1d(values)) + ")"

"""Curves as they are drawn: smooth between the rows of a branch; and the norm along a branch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bifrncrn.diagrams.results import Branch

PER = 8
"""Points drawn for a step of a branch."""
CORNER = 0.5
"""Cosine of the turn at a row beyond which the curve has a corner there, and is not smoothed."""


def norm(branch: Branch) -> np.ndarray:
    """Return the length of the states; of a cycle, the root of the mean square over a period (NaN where it is lost)."""
    if branch.kind != "periodic":
        return np.linalg.norm(branch.points[:, 1:], axis=1)
    if not branch.profiles:
        return np.full(len(branch.points), np.nan)
    return np.array([_mean_size(profile.phases, profile.states) for profile in branch.profiles])


def _mean_size(phases: np.ndarray, states: np.ndarray) -> float:
    square = np.sum(states**2, axis=1)
    closed = np.append(square, square[0])
    return float(np.sqrt(np.sum(0.5 * (closed[1:] + closed[:-1]) * np.diff(np.append(phases, phases[0] + 1.0)))))


def smooth(x: np.ndarray, y: np.ndarray, extent: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return a smooth curve through points (k,): cubics over chord length, with corners kept.

    Near a Hopf point the extremes of cycles follow a square root of the parameter; along the curve they are smooth.

    Parameters
    ----------
    extent : (float, float)
        The sizes of the two axes.
    """
    points = np.column_stack([x / (extent[0] or 1.0), y / (extent[1] or 1.0)])
    if len(points) < 3 or not np.all(np.isfinite(points)):
        return x, y
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    keep = np.append(True, steps > 1e-12)
    points, steps = points[keep], steps[keep[1:]]
    if len(points) < 3:
        return x, y
    slopes = np.diff(points, axis=0) / steps[:, None]
    tangents = np.empty_like(points)
    weights = steps[1:, None] / (steps[1:] + steps[:-1])[:, None]
    tangents[1:-1] = weights * slopes[:-1] + (1.0 - weights) * slopes[1:]
    tangents[0], tangents[-1] = 2.0 * slopes[0] - tangents[1], 2.0 * slopes[-1] - tangents[-2]
    bent = np.append(np.append(False, np.sum(slopes[1:] * slopes[:-1], axis=1) < CORNER), False)
    s = np.linspace(0.0, 1.0, PER, endpoint=False)[:, None]
    h00, h10, h01, h11 = 2 * s**3 - 3 * s**2 + 1, s**3 - 2 * s**2 + s, 3 * s**2 - 2 * s**3, s**3 - s**2
    pieces = []
    for k, (a, b) in enumerate(itertools.pairwise(points)):
        first, last = (slopes[k] if bent[k + j] else tangents[k + j] for j in (0, 1))
        pieces.append(h00 * a + h01 * b + steps[k] * (h10 * first + h11 * last))
    out = np.concatenate([*pieces, points[-1:]])
    return out[:, 0] * (extent[0] or 1.0), out[:, 1] * (extent[1] or 1.0)


def states_of(branch: Branch) -> list[str]:
    """Return the names of the states of a branch."""
    if branch.kind == "equilibrium":
        return list(branch.columns[1:])
    return [name.removeprefix("min ") for name in branch.columns if name.startswith("min ")]


def crossings(values: np.ndarray, value: float) -> list[tuple[int, float]]:
    """Return where a branch passes a parameter value: the row before, and the share of the step."""
    first, last = values[:-1] - value, values[1:] - value
    found = np.flatnonzero((first * last < 0.0) | ((first == 0.0) & (last != 0.0)))
    out = [(int(k), float(first[k] / (first[k] - last[k]))) for k in found]
    return [*out, (len(values) - 2, 1.0)] if len(values) > 1 and values[-1] == value else out


def stability_between(branch: Branch, row: int) -> str:
    """Return the stability between two rows, from that which is no special point."""
    kinds = set(branch.stability[row : row + 2].tolist())
    if "unknown" in kinds:
        return "unknown"
    return kinds.pop() if len(kinds) == 1 else "at a change"


def cycle_between(branch: Branch, row: int, share: float, names: list[str]) -> list[np.ndarray]:
    """Return a cycle between two of a branch, as a closed curve of two states."""
    phase = np.linspace(0.0, 1.0, 101)
    columns = [states_of(branch).index(name) for name in names]
    pair = []
    for profile in branch.profiles[row : row + 2]:
        closed = np.append(profile.phases, profile.phases[0] + 1.0)
        states = np.vstack([profile.states, profile.last])
        pair.append([np.interp(phase, closed, states[:, k]) for k in columns])
    return [(1.0 - share) * a + share * b for a, b in zip(pair[0], pair[-1], strict=True)]

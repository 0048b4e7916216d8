"""How alike two cycles are: their curves, and where on them the system is at equal phases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bifrncrn.comparison.comparison import ComparedCycle
from bifrncrn.comparison.sections import Section, grown, pairs, values_of
from bifrncrn.comparison.side import Side
from bifrncrn.comparison.window import Window
from bifrncrn.diagrams.results import Branch
from bifrncrn.trajectories.cycles import hausdorff

SHARES = (0.15, 0.5, 0.95)  # of the parameters at which both have a cycle
PHASES = 256  # points a cycle is compared at


def profile(branch: Branch, row: int, columns: Sequence[int]) -> np.ndarray:
    """Return a cycle of a branch at `PHASES` equal steps of time, shape (PHASES, n)."""
    kept = branch.profiles[row]
    return resampled(kept.phases, kept.states[:, list(columns)])


def resampled(phases: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Return a closed curve given at phases in [0, 1) at equal steps of phase."""
    at = np.arange(PHASES) / PHASES
    return np.column_stack([np.interp(at, phases, states[:, k], period=1.0) for k in range(states.shape[1])])


def alike(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return how far apart two cycles are, in units of the first one's size in every direction.

    Parameters
    ----------
    first, second : (k, n) arrays
        At equal steps of phase.

    Returns
    -------
    float
        The Hausdorff distance of the curves.
    float
        The root mean square distance at equal phases, the phase of one shifted for the least.
    """
    extent = np.ptp(first, axis=0)
    scale = np.maximum(extent, 0.01 * extent.max())
    a, b = first / scale, second / scale
    one, two = (np.fft.rfft(curve - a.mean(axis=0), axis=0) for curve in (a, b))
    together = np.fft.irfft(one * two.conj(), len(a), axis=0).sum(axis=1)  # of the curves, one shifted by so many steps
    apart = a - np.roll(b, int(together.argmax()), axis=0)
    return hausdorff(a, b), float(np.sqrt(np.mean(np.sum(apart**2, axis=1))))


def compared_cycles(
    one: Side, two: Side, parts: Sequence[Sequence[Section]], window: Window, tolerance: float, allowed: float
) -> tuple[list[ComparedCycle], list[str]]:
    """Return corresponding cycles compared at up to three parameter values, and sentences where that failed.

    `parts` are the cycles of both at every value that is looked at.
    """
    reach = tolerance * window.width
    values = values_of(window, tolerance)
    found, failed = [], []
    chosen = [k for k, (a, b) in enumerate(parts) if a.judged.any() and b.judged.any()]
    for k in sorted({chosen[round(share * (len(chosen) - 1))] for share in SHARES}) if chosen else ():
        first, second = parts[k]
        for i, j in pairs(first, second, np.tile(window.scale[1:], 2)):
            if not (first.judged[i] or second.judged[j]):
                continue
            a = between(one, first, i, values[k], one.names)
            b = between(two, second, j, values[k], two.names)
            if a is None or b is None:
                word = (one if a is None else two).word
                failed.append(f"the cycle of the {word} at {one.diagram.parameter} = {values[k]:.4g} was not compared")
                continue
            apart = alike(a, b)
            if max(apart) > allowed:  # that of another parameter value may be alike, within the tolerance
                others = (alike(a, c) for c in _near(two, second.branches[j], values[k], reach))
                apart = min([apart, *others], key=max)
            found.append(ComparedCycle(float(values[k]), *apart, (float(first.periods[i]), float(second.periods[j]))))
    return found, failed


def between(side: Side, part: Section, index: int, value: float, names: Sequence[str]) -> np.ndarray | None:
    """Return the named states of a cycle at a parameter value from the two orbits of its branch on either side of it.

    They differ by one step of the march, and at phases that the march keeps aligned: interpolation (see `grown`) is
    good to a thousandth of their size.
    """
    branch = side.diagram.branches[part.branches[index]]
    if not branch.profiles or side.system is None:
        return None
    columns = [side.system.variables.index(name) for name in names]
    row = int(part.rows[index])
    away = branch.column(side.diagram.parameter)[row : row + 2] - value
    share = float(away[0] / (away[0] - away[1]))
    a, b = (profile(branch, k, columns) for k in (row, row + 1))
    middle = [curve.mean(axis=0) for curve in (a, b)]
    deviation = grown((a - middle[0]).reshape(1, -1), (b - middle[1]).reshape(1, -1), np.array([[share]]))
    return np.asarray(middle[0] + share * (middle[1] - middle[0]) + deviation.reshape(a.shape))


def _near(side: Side, number: int, value: float, reach: float) -> list[np.ndarray]:
    """Return the cycles of a branch at parameters within reach."""
    branch = side.diagram.branches[number]
    p = branch.column(side.diagram.parameter)
    variables = side.system.variables if side.system else ()
    columns = [variables.index(name) for name in side.names]
    rows = np.flatnonzero(np.abs(p - value) <= reach)
    return [profile(branch, int(row), columns) for row in rows if len(branch.profiles[row].phases) > 1]

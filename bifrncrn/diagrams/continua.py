"""Lines of equilibria at one value of the parameter: all on them are equilibria of one system."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Line
from bifrncrn.diagrams.track import Track

STILL = 1e-9
"""The parameter stays the same on a line where it moves by less than this part of its range, and its points solve the
equations at one value of it, but for this part of their terms: more is no rounding."""
ASKED = 9
"""At so many rows; half of them may be where the terms are rounding themselves."""
REACH = 30.0
"""Such a line is followed to this multiple of its first states' sizes, where steps are about as long as one size."""
WORTH = 10.0
"""Units of length are a tenth of what a state is worth."""


def is_continuum(track: Track, line: Line) -> bool:
    """Say whether the parameter stays the same along a line: its points are equilibria at one value, but for rounding.

    That the parameter hardly moves is not enough: it may be small itself, as where states are logarithms.
    """
    p = line.points[:, -1]
    if len(p) < 2 or np.ptp(p) > STILL * track.width:
        return False
    rows = line.points[np.unique(np.linspace(0, len(p) - 1, ASKED).astype(int))].copy()
    rows[:, -1] = np.median(p)
    return float(np.median([track.problem.residual(y) for y in rows])) <= STILL


def resting(line: Line) -> Line:
    """Return a line along which the parameter stays the same without turns, nor signs of the eigenvalue along it.

    The parameter turns by rounding there; the eigenvalue along the line is zero, and rounding signs it.
    """
    events = tuple(event for event in line.events if event.kind != layout.FOLD)
    if not line.spectra:
        return replace(line, events=events)
    values = line.eigenvalues
    growing = values.real > 0.0
    growing[np.arange(len(values)), np.abs(values).argmin(axis=1)] = False
    return replace(line, unstable=growing.sum(axis=1), events=events)


def within_reach(line: Line, floor: np.ndarray) -> int:
    """Return how many rows of such a line are worth following.

    Steps grow with the states: far out they would pass over what the equations do within one unit, as where a state is
    an angle.
    """
    sizes = np.abs(line.points[:, :-1])
    beyond = np.flatnonzero((sizes > REACH * np.maximum(sizes[0], WORTH * floor[:-1])).any(axis=1))
    return int(beyond[0]) + 1 if len(beyond) else len(line)

"""Where a branch is stable, unstable, neutral, or not known to be any of these."""

from __future__ import annotations

import numpy as np

ORDER = ("stable", "unstable", "neutral", "unknown")
"""What a point of a branch may be: `neutral` where nothing is unstable but something neither grows nor decays (a
centre), `unknown` where no stability was computed."""


def stability_runs(kinds: np.ndarray, special: set[int]) -> list[tuple[slice, str]]:
    """Split the rows of a branch into runs of one stability that meet in the special points.

    A special point has an eigenvalue on the imaginary axis, so the piece between two rows takes its stability from
    the row that is no special point.

    Parameters
    ----------
    kinds : (k,) array of str
        What every row is, one of `ORDER`.
    special : set of int
        Rows that are special points.

    Returns
    -------
    list of (slice, str)
        Rows of each run, ends included, and what it is.

    Examples
    --------
    >>> stability_runs(np.array(["stable", "stable", "unstable", "unstable"]), {1})
    [(slice(0, 2, None), 'stable'), (slice(1, 4, None), 'unstable')]
    """
    count = len(kinds)
    if count < 2:
        return [(slice(0, count), _together(kinds))] if count else []
    pieces = []
    for k in range(count - 1):
        ends = [row for row in (k, k + 1) if row not in special] or [k, k + 1]
        pieces.append(_together(kinds[ends]))
    runs, first = [], 0
    for k in range(1, count):
        if k == count - 1 or pieces[k] != pieces[first]:
            runs.append((slice(first, k + 1), pieces[first]))
            first = k
    return runs


def _together(kinds: np.ndarray) -> str:
    """Return what the ends of a piece are together."""
    found = set(kinds.tolist())
    return next((kind for kind in ("unknown", "unstable", "neutral") if kind in found), "stable")

"""Where a branch is stable, unstable, or not known to be either."""

from __future__ import annotations

import numpy as np


def stability_runs(unstable: np.ndarray, special: set[int]) -> list[tuple[slice, str]]:
    """Split the rows of a branch into runs of one stability that meet in the special points.

    A special point has an eigenvalue on the imaginary axis, so the piece between two rows takes its stability from
    the row that is no special point.

    Parameters
    ----------
    unstable : (k,) int array
        Number of unstable eigenvalues at each row, -1 where it was not computed.
    special : set of int
        Rows that are special points.

    Returns
    -------
    list of (slice, str)
        Rows of each run, ends included, and whether it is `stable`, `unstable` or `unknown`.

    Examples
    --------
    >>> stability_runs(np.array([0, 0, 1, 2, 2]), {2})
    [(slice(0, 3, None), 'stable'), (slice(2, 5, None), 'unstable')]
    """
    count = len(unstable)
    if count < 2:
        return [(slice(0, count), _stability(unstable))] if count else []
    pieces = []
    for k in range(count - 1):
        ends = [row for row in (k, k + 1) if row not in special] or [k, k + 1]
        pieces.append(_stability(unstable[ends]))
    runs, first = [], 0
    for k in range(1, count):
        if k == count - 1 or pieces[k] != pieces[first]:
            runs.append((slice(first, k + 1), pieces[first]))
            first = k
    return runs


def _stability(unstable: np.ndarray) -> str:
    """Return what numbers of unstable eigenvalues say together."""
    if (unstable < 0).any():
        return "unknown"
    return "unstable" if unstable.any() else "stable"

"""Where a branch begins whose start is a special point: beside it, for a change of sign shows between two points."""

from __future__ import annotations

import numpy as np

from bifrncrn.diagrams.track import Track, scale_at, unit

SPECIAL = 1e-6
"""A start is a special point where a real part, of the largest eigenvalue, or the tangent's parameter is below this."""
BESIDE = 1e-3
"""How far, in units of length, eigenvalues are followed to see whether one is about to vanish."""
AWAY = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""How far from a special point, in units of length, a branch begins; tried in turn, on both sides."""


def beside_special(track: Track, y: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where to start, and the tangent: `y`, or a point beside it on the branch where `y` is special.

    A change of sign shows between two points only.
    """
    tangent = track.problem.tangent(y, floor)
    scale = scale_at(y, floor)
    ahead = unit(tangent / scale)
    values, largest = track.problem.sized_eigenvalues(y)
    spectrum = values.tolist()
    big = max([*map(abs, spectrum), largest])
    near = [k for k, value in enumerate(spectrum) if abs(value.real) <= SPECIAL * big]
    if abs(ahead[-1]) > SPECIAL and not _vanish(track, y, ahead * scale, spectrum, near):
        return y, tangent
    # a state that the branch point makes zero may be tiny, not yet zero, at the start
    tiny = np.abs(y[:-1]) * abs(tangent[-1]) < SPECIAL * np.abs(tangent[:-1]) * floor[-1]
    reach = SPECIAL * scale + np.append(np.where(tiny, 2.0 * np.abs(y[:-1]), 0.0), 0.0)
    found = track.problem.refine(y, scale, track.around(y, reach))
    origin = y
    if found is not None:
        y = found[0]
        scale = scale_at(y, track.floor(y))
        ahead = max(track.problem.directions(found[0], found[1], scale), key=lambda v: abs(v[-1]), default=ahead)
    for length in (sign * size for size in AWAY for sign in (1.0, -1.0)):
        start = track.onto(y + length * ahead * scale, ahead, scale, abs(length))
        if start is not None:
            return start, ahead * scale
    return origin, tangent


def _vanish(track: Track, y: np.ndarray, ahead: np.ndarray, spectrum: list[complex], which: list[int]) -> bool:
    """Say whether the real part of one of these eigenvalues is zero within SPECIAL units along the branch."""
    if not which:
        return False
    there = track.problem.eigenvalues(track.region.clip(y + BESIDE * ahead))
    moved = [abs(there[k].real - spectrum[k].real) for k in which]
    far = (abs(spectrum[k].real) > SPECIAL / BESIDE * change for k, change in zip(which, moved, strict=True))
    return not all(far)

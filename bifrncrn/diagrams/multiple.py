"""Branch points at which several eigenvalues are zero together, as symmetry makes them: where, and what leaves.

With m of them the derivative of F(y), y = (x, p), has m left null vectors W. They and the point are what Gauss and
Newton's method finds for F(y) = 0, F_y' W = 0, W'W = 1. That is more equations than unknowns: they can hold where the
zeros belong together, not where m simple points only lie side by side.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.diagrams.refining import VANISHED, refined
from bifrncrn.diagrams.track import SAME, TINY, Track, scale_at, unit

MOST_STATES = 60
"""Larger systems have their simple branch points only: the derivatives of all null vectors are taken by differences."""
ITERATIONS = 12
DIFFERENCE = 1e-5
"""The step of central differences, in units of length; their error only slows Gauss and Newton's method down."""
BESIDE = 0.1
"""Where, in units of length, equations are measured that vanish at the point to first order."""
SLOW = 1e-6
"""Eigenvalues turn this slowly, beside the largest, where rounding alone may make them a pair: if not, no point of
several zeros is found."""
CONVERGED, SLOWLY, HOLDS = 1e-14, 1e-9, 1e-11
"""The point is found where a step is below the first, in units of length, or below the second and no shorter than the
one before: then rounding moves it. All equations hold where they are below the third, in units of their sizes: an
eigenvalue that is further from zero beside the others is no zero of the same point."""
STILL_IMAGINARY = 1e-9
"""A pair is imaginary where its real part is below this part of its size."""
ZERO = 1e-9
"""An eigenvalue is zero where it is below this part of the largest along the branch."""
AT_END = 1e-2
"""A line may end at a point of several zeros where more than one eigenvalue is below this part of the largest."""
NEAR = 1.0
"""How far from the rows between which it was seen it may be, in units of their distance."""
SIZES = (1.0, 1e3, 1e-3, 1e6, 1e-6, 1e9, 1e-9)
"""By so much the natural size of states that are zero at the point may differ from their unit; tried in turn."""
MORE_THAN_ONE = 2


def located(track: Track, parameter: str, line: Line, event: Event, floor: np.ndarray) -> tuple[Line, str]:
    """Return a line on which an event is located that the march left to be, if it can be, and a note, or none."""
    for refine in (refined_together, refined_pairs):
        found = refine(track, line, event, floor)
        if found is not None:
            return found, ""
    if event.kind != layout.BRANCH:
        return line, ""
    one = refined(track, line, event, floor)
    crossing = abs(int(line.unstable[event.row]) - int(line.unstable[event.row - 1]))
    if one is line or crossing < MORE_THAN_ONE:
        return one, ""
    return one, (
        f"Beside the branch point at {parameter}={one.points[event.row, -1]:.9g} {crossing} eigenvalues change sign: "
        "other special points, nearer than could be told apart, are not listed."
    )


def zeros_of(left: np.ndarray) -> int:
    """Return how many eigenvalues are zero at a branch point with these left null vectors."""
    return 1 if left.ndim == 1 else len(left)


def null_vectors(
    problem: EquilibriumProblem, y: np.ndarray, scale: np.ndarray, spectrum: np.ndarray, largest: float
) -> np.ndarray | None:
    """Return the left null vector (n,) at a branch point, or vectors (m, n) of one of several zeros; None if not found.

    `largest` is the size of the largest eigenvalue along the branch.
    """
    count = int((np.abs(spectrum) <= ZERO * largest).sum())
    for unit_of_length in units_to_try(np.abs(y), scale) if count >= MORE_THAN_ONE else ():
        there = _located(problem, y, count, unit_of_length)
        if there is not None and np.abs((there[0] - y) / unit_of_length).max() < SAME:
            return there[1]
    found = problem.refine(y, scale)
    return None if found is None else found[1]


def refined_together(track: Track, line: Line, event: Event, floor: np.ndarray) -> Line | None:
    """Return the line with a point at which several real eigenvalues change sign as one, located; None if it is none.

    The event is one that was bracketed, or a Hopf point whose eigenvalues hardly turn.
    """
    if event.kind == layout.FOLD or event.kind >= layout.USER_EVENT:
        return None
    first, last = _rows_around(line, event)
    count = _changing(line, first, last) if event.bracket is not None else _near_zero(line, first, event.row)
    if count < MORE_THAN_ONE or track.problem.n > MOST_STATES:
        return None
    before, after = line.points[first], line.points[last]
    size = np.maximum(np.abs(before), np.abs(after))
    for scale in units_to_try(size, scale_at(size, floor)):
        found = _located(track.problem, 0.5 * (before + after), count, scale)
        apart = np.abs((after - before) / scale).max()
        if found is None or np.abs((found[0] - before) / scale).max() > (1.0 + NEAR) * apart:
            continue
        stays = (before == 0.0) & (after == 0.0)
        stays[-1] = False
        y, left = np.where(stays & (np.abs(found[0]) < SAME * scale), 0.0, found[0]), found[1]
        spectrum = track.problem.eigenvalues(y)
        beside = np.sort(np.maximum(np.abs(line.spectrum(first)), np.abs(line.spectrum(last))))
        if (np.sort(np.abs(spectrum))[:count] <= VANISHED * beside[:count].max()).all():
            break
    else:
        return None
    unstable = min(line.unstable[[first, last]].tolist())
    if event.bracket is None:
        line = line.without(event.row)
    rest = line.with_events(one for one in line.events if one is not event)
    return rest.insert(first + 1, y, spectrum, unstable, Event(first + 1, layout.BRANCH, None, left))


def refined_pairs(track: Track, line: Line, event: Event, floor: np.ndarray) -> Line | None:
    """Return the line with a Hopf point at which several pairs cross as one, located; None if the event is none.

    There the mean of their real parts is zero, and so is each.
    """
    if event.bracket is None or event.row < 1:
        return None
    first, last = event.row - 1, event.row
    low, high = sorted((int(line.unstable[first]), int(line.unstable[last])))
    if low < 0 or high - low < 2 * MORE_THAN_ONE or (high - low) % 2:
        return None
    ends = np.array([line.spectrum(first), line.spectrum(last)])[:, low:high]
    if not ((ends.imag != 0.0).all() and (ends[0].real * ends[1].real < 0.0).all()):
        return None
    before, after = line.points[first], line.points[last]
    scale = scale_at(np.maximum(np.abs(before), np.abs(after)), floor)
    ahead = unit((after - before) / scale)

    def at(share: float) -> tuple[np.ndarray, np.ndarray]:
        guess = before + share * (after - before)
        there = track.problem.slide(guess, ahead / scale, scale)
        if there is None:
            raise ValueError("not on the branch")
        return there, track.problem.eigenvalues(there)

    from scipy.optimize import brentq

    try:
        y, spectrum = at(brentq(lambda share: float(at(share)[1][low:high].real.mean()), 0.0, 1.0, xtol=CONVERGED))
    except ValueError:  # not of two signs, or not on the branch: something else lies between the rows
        return None
    if (np.abs(spectrum[low:high].real) > VANISHED * np.abs(ends.real).max()).any():
        return None
    rest = line.with_events(one for one in line.events if one is not event)
    return rest.insert(event.row, y, spectrum, low, Event(event.row, layout.PAIR))


def pairs_at(spectrum: Iterable[complex]) -> int:
    """Return how many pairs of eigenvalues are imaginary, but for rounding, at a Hopf point."""
    return sum(value.imag > 0.0 and abs(value.real) <= STILL_IMAGINARY * abs(value) for value in spectrum)


def centres_beside(line: Line, row: int) -> np.ndarray:
    """Return the frequencies of the pairs that are imaginary at a row and on either side: they do not cross there."""
    sides = [line.spectrum(k) for k in (row - 1, row + 1) if 0 <= k < len(line)]
    found = [np.sort(_imaginary(side).imag) for side in sides]
    return min(found, key=len) if found else np.empty(0)


def crossing_frequency(line: Line, row: int) -> float:
    """Return the frequency of a pair that crosses at a row, where others may be imaginary on either side."""
    frequencies = _imaginary(line.spectrum(row)).imag
    for centre in centres_beside(line, row):
        if len(frequencies) > 1:
            frequencies = np.delete(frequencies, int(np.abs(frequencies - centre).argmin()))
    return float(frequencies[0])


def _imaginary(spectrum: np.ndarray) -> np.ndarray:
    """Return one of each pair that is imaginary, but for rounding."""
    pairs = spectrum[spectrum.imag > 0.0]
    return np.asarray(pairs[np.abs(pairs.real) <= STILL_IMAGINARY * np.abs(pairs)])


def _rows_around(line: Line, event: Event) -> tuple[int, int]:
    """Return the rows beside an event: one that was located has a row of its own."""
    return event.row - 1, event.row if event.bracket is not None else min(event.row + 1, len(line) - 1)


def _near_zero(line: Line, beside: int, row: int) -> int:
    """Return how many eigenvalues are so small, beside the largest, that they may be zeros of one point."""
    if beside < 0 or not line.spectra:
        return 0
    sizes = [abs(value) for value in line.values(row)]
    largest = max(*sizes, *(abs(value) for value in line.values(beside)))
    return sum(size <= SLOW * largest for size in sizes)


def located_end(
    track: Track, line: Line, floor: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return a point of several zeros at which a line ends, within a reach of its last row ahead, or None.

    That is the point, its left null vectors and its spectrum.
    """
    if len(line) < MORE_THAN_ONE or not line.spectra or track.problem.n > MOST_STATES:
        return None
    last = line.points[-1]
    size = np.sort(np.abs(line.spectrum(len(line) - 1)))
    largest = float(np.abs(line.spectrum(0)).max())
    if len(size) < MORE_THAN_ONE or not size[MORE_THAN_ONE - 1] <= AT_END * max(size[-1], largest):
        return None
    scale = scale_at(last, floor)
    count = MORE_THAN_ONE
    for _ in range(len(size)):
        found = _located(track.problem, last, count, scale)
        if found is None or np.abs((found[0] - last) / scale).max() > reach:
            return None
        spectrum = track.problem.eigenvalues(found[0])
        zeros = int((np.abs(spectrum) <= ZERO * max(float(np.abs(spectrum).max()), largest)).sum())
        if zeros == count:
            return (*found, spectrum)
        if zeros < count:
            return None
        count = zeros
    return None


def _changing(line: Line, first: int, last: int) -> int:
    """Return how many eigenvalues, real but for rounding, change sign between two rows."""
    if first < 0 or not line.spectra:
        return 0
    low, high = sorted((int(line.unstable[first]), int(line.unstable[last])))
    if low < 0 or high - low < MORE_THAN_ONE:
        return 0
    both = np.array([line.spectrum(first), line.spectrum(last)])
    values = both[:, low:high]
    real = (np.abs(values.imag) <= SLOW * np.abs(both).max()).all()
    return high - low if real and (values[0].real * values[1].real < 0.0).all() else 0


def units_to_try(size: np.ndarray, scale: np.ndarray) -> list[np.ndarray]:
    """Return units of length to try: of states that are zero but for rounding nothing tells the size."""
    largest = float(scale[:-1].max())
    zero = size < TINY * largest
    zero[-1] = False
    if not zero.any():
        return [scale]
    bases = [np.where(zero, largest, scale), *([scale] if (scale < largest)[zero].any() else [])]
    return [np.where(zero, factor * base, base) for factor, base in itertools.product(SIZES, bases)]


def derivative(problem: EquilibriumProblem, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the derivative of F by y at a point, (n, n + 1), in units of length."""
    return np.asarray(problem.dense(y)) * scale


def sizes_of(problem: EquilibriumProblem, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return units (n,) of the equations: what changes them about a point where they may not change at all."""
    size = np.zeros(problem.n)
    for away in (0.0, BESIDE, -BESIDE):
        rows = np.abs(derivative(problem, y + away * scale, scale)).max(axis=1)
        size = np.fmax(size, np.where(np.isfinite(rows), rows, 0.0))
    return np.maximum(size, SAME * size.max() or 1.0)


def _located(
    problem: EquilibriumProblem, y: np.ndarray, count: int, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the point with so many zeros near y, and its left null vectors as rows; None where there is none."""
    n, y = problem.n, y.copy()
    matrix = derivative(problem, y, scale)
    if not np.isfinite(matrix).all():
        return None
    size = sizes_of(problem, y, scale)
    w = np.linalg.svd(matrix / size[:, None])[0][:, -count:]
    last = step = np.inf
    for _ in range(ITERATIONS):
        f, matrix = problem.linearize(y)
        matrix = matrix * scale / size[:, None]
        rest = np.concatenate([f / size, (matrix.T @ w).ravel(), (w.T @ w - np.eye(count)).ravel()])
        if not np.isfinite(rest).all():
            return None
        if step < CONVERGED or last <= step < SLOWLY:
            return (y, (w / size[:, None]).T) if np.abs(rest).max() < HOLDS else None
        system = np.zeros((len(rest), n + 1 + n * count))
        system[:n, : n + 1] = matrix
        for j in range(n + 1):
            away = np.zeros(n + 1)
            away[j] = DIFFERENCE
            bend = (derivative(problem, y + scale * away, scale) - derivative(problem, y - scale * away, scale)) / size[
                :, None
            ]
            system[n : n + (n + 1) * count, j] = (bend.T @ w / (2.0 * DIFFERENCE)).ravel()
        system[n : n + (n + 1) * count, n + 1 :] = np.kron(matrix.T, np.eye(count))
        for (i, j), row in zip(itertools.product(range(count), repeat=2), system[-count * count :], strict=True):
            row[n + 1 + j :: count] += w[:, i]
            row[n + 1 + i :: count] += w[:, j]
        if not np.isfinite(system).all():
            return None
        change = np.linalg.lstsq(system, -rest, rcond=1e-12)[0]  # W may turn in its plane
        y += scale * change[: n + 1]
        w = w + change[n + 1 :].reshape(n, count)
        last, step = step, float(np.abs(change[: n + 1]).max())
    return None

"""Where an eigenvalue touches zero along a branch and turns back: nothing changes sign there, so no march sees it.

Along the branch such an eigenvalue, or the real part of a pair, is c s^2 + ...; its root, taken with the sign of s, is
smooth, and so is the branch. Polynomials through both from one side of the point, where the equations are regular,
lead to the point and beyond it, past the singular Jacobian that stops a march.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.continuation.line import Line
from bifrncrn.diagrams.multiple import derivative, sizes_of
from bifrncrn.diagrams.track import Track, scale_at, unit

RADII = (0.2, 0.5, 0.1, 1.0, 0.05, 0.02)
"""From so far, in units of length, the polynomials start; tried in turn."""
SAMPLES, DEGREE, WHOLE = 24, 9, 14
NEAREST = 0.25
"""No sample is nearer than this part of the radius: there the branch itself is known to fewer digits."""
AHEAD = 0.3
"""The point lies within this part of the radius of the row that it is looked for from."""
REAL = 1e-9
"""A zero of the polynomial is real where its imaginary part is below this: that of a simple one is rounding."""
REJECTED = 8
"""Before a touch the march takes more steps again than this, for what they may hide."""
DIP = 1e-4
"""At the row nearest to a touch an eigenvalue is below this part of its largest over so many rows to either side."""
ROWS = 20
NEARLY, TOUCHES = 1e-3, 1e-11
"""An eigenvalue touches zero where what is left of it is below this part of its largest: seen from one side, which only
says where to look from the other, and from both."""
SINGULAR = 1e-7
"""A real eigenvalue touches zero at a branch point: the smallest singular value of F's derivative (n, n + 1), in units
of the equations and of length, is below this; at a fold it is not."""
NEAR_EVENT = 2
"""So many rows beside a special point belong to it."""


@dataclass(frozen=True, eq=False)
class Touch:
    """A point of a branch at which an eigenvalue touches zero.

    Attributes
    ----------
    row : int
        The row of the line that it lies beside: that one and the ones before are on this side of it.
    y : (n + 1,) array
    spectrum : (n,) array
        The eigenvalues there.
    left : (m, n) array or None
        The left null vectors of F's derivative where real eigenvalues touch zero; None for a pair.
    onward : ((n + 1,) array, (n + 1,) array)
        A point of the branch beyond, and its direction there.
    """

    row: int
    y: np.ndarray
    spectrum: np.ndarray
    left: np.ndarray | None
    onward: tuple[np.ndarray, np.ndarray]


def touches_between(track: Track, line: Line, floor: np.ndarray) -> list[Touch]:
    """Return where eigenvalues touch zero along a line that goes on beyond."""
    sizes = _nearest(line)
    found = []
    for before in ((sizes[1:-1] <= sizes[:-2]) & (sizes[1:-1] < sizes[2:])).nonzero()[0].tolist():
        row = before + 1
        if any(abs(event.row - row) <= NEAR_EVENT for event in line.events):
            continue
        if not sizes[row] <= DIP * sizes[max(row - ROWS, 0) : row + ROWS + 1].max():
            continue
        one = touch_beside(track, line, row, floor)
        if one is not None:
            found.append(one)
    return found


def touch_beside(track: Track, line: Line, row: int, floor: np.ndarray) -> Touch | None:
    """Return the touch beside a row, which the rows before it lead to; None where there is none."""
    which = _which(line, row) if row > 0 else None
    if which is None:
        return None
    scale = scale_at(line.points[row], floor)
    for radius in RADII:
        touch = _fitted(track, line, row, which, scale, radius)
        if touch is not None:
            return touch
    return None


def _nearest(line: Line) -> np.ndarray:
    """Return the size (k,) of the real part nearest to zero on either side of it, infinite where that is not known."""
    count = line.spectra
    if not count or len(line) <= 2:
        return np.full(len(line), np.inf)
    sizes = np.full((len(line), count + 2), np.inf)  # there is none beyond either end, where -1, not known, leads too
    sizes[:, 1:-1] = np.abs(line.rows[:, 2 * line.size : 2 * line.size + count])
    sizes[np.isnan(sizes)] = np.inf
    rows = np.arange(len(line))
    return np.minimum(sizes[rows, line.unstable], sizes[rows, line.unstable + 1])


def _which(line: Line, row: int) -> int | None:
    """Return the place, by descending real part, of the eigenvalue nearest to the imaginary axis."""
    unstable = int(line.unstable[row])
    places = [place for place in (unstable - 1, unstable) if unstable >= 0 and 0 <= place < line.spectra]
    return min(places, key=lambda place: abs(line.values(row)[place].real), default=None)


def _fitted(track: Track, line: Line, row: int, which: int, scale: np.ndarray, radius: float) -> Touch | None:
    """Return the touch that polynomials from a distance on lead to."""
    last, ahead = line.points[row], unit(line.tangents[row] / scale)
    places = -np.linspace(1.0, NEAREST, SAMPLES)
    guesses = _behind(line, row, ahead, scale, radius * places)
    points = [] if guesses is None else _onto(track, guesses, ahead, scale, radius)
    before = _Curve.through(track, which, last, scale, places, points, DEGREE)
    if before is None or before.rest > NEARLY:
        return None
    beyond = before.zero - places[::-1]
    points += _onto(track, [before.at(place) for place in beyond], ahead, scale, radius)
    whole = _Curve.through(track, which, last, scale, np.append(places, beyond), points, WHOLE)
    if whole is None or whole.rest > TOUCHES or not track.span[0] < whole.y[-1] < track.span[1]:
        return None
    left = None
    if whole.spectrum[which].imag == 0.0:
        size = sizes_of(track.problem, whole.y, scale)
        ways, stretches, _ = np.linalg.svd(derivative(track.problem, whole.y, scale) / size[:, None])
        zeros = int((stretches <= SINGULAR).sum())
        if not zeros:
            return None
        left = (ways[:, -zeros:] / size[:, None]).T
    first, second = points[SAMPLES : SAMPLES + 2]
    return Touch(row, whole.y, whole.spectrum, left, (first, second - first))


def _behind(line: Line, row: int, ahead: np.ndarray, scale: np.ndarray, places: np.ndarray) -> list[np.ndarray] | None:
    """Return points (n + 1,) about on the line at these distances, below zero, from a row; None where it turns."""
    far = ((line.points[: row + 1] - line.points[row]) / scale) @ ahead
    outside = (far <= places[0]).nonzero()[0]
    if not len(outside) or not (np.diff(far[outside[-1] :]) > 0.0).all():
        return None
    rows = line.points[outside[-1] : row + 1]
    return list(np.array([np.interp(places, far[outside[-1] :], column) for column in rows.T]).T)


def _onto(
    track: Track, guesses: list[np.ndarray], ahead: np.ndarray, scale: np.ndarray, reach: float
) -> list[np.ndarray]:
    """Return the points of the branch beside guesses, as far as there are any."""
    found: list[np.ndarray] = []
    for guess in guesses:
        at = track.onto(guess, ahead * scale, scale, reach)
        if at is None:
            break
        found.append(at)
    return found


@dataclass(frozen=True, eq=False)
class _Curve:
    """Polynomials through points of a branch: the branch, and the signed root of an eigenvalue's real part.

    `zero` is where the root vanishes, `y` and `spectrum` what is there, `rest` the real part there as a part of the
    largest at the points.
    """

    last: np.ndarray
    scale: np.ndarray
    curves: np.ndarray
    zero: float
    y: np.ndarray
    spectrum: np.ndarray
    rest: float

    @classmethod
    def through(
        cls,
        track: Track,
        which: int,
        last: np.ndarray,
        scale: np.ndarray,
        places: np.ndarray,
        points: list[np.ndarray],
        degree: int,
    ) -> _Curve | None:
        """Return the curve through points at these places; None where there is no one zero between."""
        if len(points) < len(places):
            return None
        reals = np.array([track.problem.eigenvalues(at)[which].real for at in points])
        if not ((reals > 0.0).all() or (reals < 0.0).all()):
            return None
        roots = np.sqrt(np.abs(reals)) * np.where(np.arange(len(places)) < SAMPLES, -1.0, 1.0)
        zeros = np.roots(np.polyfit(places, roots, degree))
        zeros = zeros[(np.abs(zeros.imag) < REAL) & (np.abs(zeros.real) < AHEAD)].real
        if len(zeros) != 1:
            return None
        curves = np.polyfit(places, (np.array(points) - last) / scale, degree)
        y = _value(curves, float(zeros[0]), last, scale)
        spectrum = track.problem.eigenvalues(y)
        rest = float(np.abs(spectrum[which].real) / np.abs(reals).max())
        return cls(last, scale, curves, float(zeros[0]), y, spectrum, rest)

    def at(self, place: float) -> np.ndarray:
        """Return the point (n + 1,) at a place."""
        return _value(self.curves, place, self.last, self.scale)


def _value(curves: np.ndarray, place: float, last: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.asarray(last + scale * (place ** np.arange(len(curves) - 1, -1, -1) @ curves))

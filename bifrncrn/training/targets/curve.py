"""Curves that a user draws: from a formula, points, a CSV file or an SVG path."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import Array, array, as_mapping, numbers, whole
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import read_text
from bifrncrn.training.targets.sampling import require_few

# rows of segments tested for crossing at a time
_BLOCK = 256
# bytes; a million rows of two coordinates
LARGEST_CSV = 50_000_000
# a closed curve of formulas may miss its start by this share of its size (a range like 6.28 for 2 pi)
CLOSED = 1e-2


@dataclass(frozen=True, eq=False)
class Curve:
    """Samples of a curve in the positive orthant, in the order in which it is to be run through.

    Attributes
    ----------
    points : (K, n) array
        Distinct samples, K at least 3.
    tangents : (K, n) array
        Unit vectors along the curve.
    closed : bool
        Whether the last sample is followed by the first.

    Raises
    ------
    InputError
        If there are too few samples, one is not finite, leaves the positive orthant, or the curve stands still.
    """

    points: Array
    tangents: Array
    closed: bool = True

    def __post_init__(self) -> None:
        points, tangents = (numbers("a curve", a).copy() for a in (self.points, self.tangents))
        if points.ndim != 2 or points.shape != tangents.shape or points.shape[0] < 3 or points.shape[1] < 2:
            raise InputError(
                f"a curve of points of shape {points.shape} and tangents of shape {tangents.shape} is none; "
                "give at least 3 points in 2 or more dimensions"
            )
        if not (np.isfinite(points).all() and np.isfinite(tangents).all()):
            raise InputError("a curve has a point or tangent that is not finite; check its formula or data")
        low = points.min()
        if low < 0:
            k = int(points.min(axis=1).argmin())
            raise InputError(
                f"the curve leaves the positive orthant: sample {k} has the coordinate {low:.6g}; shift it up"
            )
        length = np.linalg.norm(tangents, axis=1)
        if (length == 0).any():
            raise InputError(f"the curve stands still at sample {int(length.argmin())}; leave that sample out")
        for name, value in (("points", points), ("tangents", tangents / length[:, None])):
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return self.points.shape[1]

    def require_simple(self) -> None:
        """Refuse a plane curve that crosses itself: no field can follow it.

        Raises
        ------
        InputError
            Naming the place of the first crossing found.
        """
        if self.dimension == 2 and (at := _crossing(self.points, self.closed)) is not None:
            raise InputError(
                f"the curve crosses itself near ({at[0]:.6g}, {at[1]:.6g}), where a field would need two directions; "
                "pull its strands apart or add a dimension"
            )

    def without(self, drop: NDArray[np.bool_]) -> Curve:
        """Return the curve without the samples where the mask `drop` (K,) is true (a cusp, a tip); it is then open."""
        return Curve(self.points[~drop], self.tangents[~drop], False)

    @classmethod
    def of(
        cls, place: Callable[[Array], Array], slope: Callable[[Array], Array], t: Array, closed: bool = True
    ) -> Curve:
        """Return the curve of functions of t (K,) that give points and derivatives (n, K)."""
        for function in (place, slope):
            if not callable(function):
                raise InputError(f"{function!r:.60} is no function; give functions of t that return points (n, K)")
        return cls(place(t).T, slope(t).T, closed)

    @classmethod
    def formula(
        cls, equations: Mapping[str, str], t: tuple[float, float], count: int = 629, closed: bool = True
    ) -> Curve:
        """Return the curve of expressions in `t`, for instance ``{"x1": "2 + cos(t)", "x2": "2 + sin(t)"}``.

        Parameters
        ----------
        equations : mapping of str to str
            An expression in ``t`` for every coordinate, in order, as in a model file.
        t : (first, last)
            Range of ``t``; the last value itself is left out when the curve is closed.
        count : int
            Number of samples.
        """
        from bifrncrn.models.system import System
        from bifrncrn.training.targets.target import field_of

        equations = as_mapping(equations, "the equations of a curve")
        system = System.from_equations(equations, {"t": 0.0}, dict.fromkeys(equations, 0.0))
        require_few(whole("count", count, 3))
        values = np.linspace(*t, count, endpoint=not closed)
        state = np.zeros(len(equations))
        points = field_of(system, np.zeros((count, len(state))), values[:, None])
        end = field_of(system, state[None], np.array([[t[1]]]))[0]
        apart = float(np.abs(end - points[0]).max())
        if closed and apart > CLOSED * np.ptp(points, axis=0).max():
            raise InputError(
                f"the curve ends {apart:.4g} away from where it starts; give a range of t that is a whole turn, "
                "or closed=False"
            )
        tangents = np.stack([system.derivatives(state, np.array([v]), state, np.ones(1))[0] for v in values])
        return cls(points, tangents, closed)

    @classmethod
    def through(cls, points: Array, closed: bool = True, count: int = 629) -> Curve:
        """Return the smooth curve (cubic spline over chord length) through `points` (k, n), k at least 4.

        Raises
        ------
        InputError
            If there are too few points or two neighbours coincide.
        """
        from scipy.interpolate import CubicSpline

        points = array("the points of a curve", points, 2)
        if len(points) < 4:
            raise InputError(
                f"points of shape {points.shape} make no smooth curve; give at least 4 rows of coordinates"
            )
        if closed and np.allclose(points[0], points[-1], rtol=0, atol=1e-12):
            points = points[:-1]
        every = np.vstack([points, points[:1]]) if closed else points
        chords = np.linalg.norm(np.diff(every, axis=0), axis=1)
        if (chords == 0).any():
            raise InputError(f"points {int(chords.argmin())} and the one after it coincide; leave one out")
        require_few(whole("count", count, 3))
        s = np.concatenate([[0.0], np.cumsum(chords)])
        spline = CubicSpline(s, every, bc_type="periodic" if closed else "not-a-knot")
        at = np.linspace(0.0, s[-1], count, endpoint=not closed)
        return cls(spline(at), spline(at, 1), closed)

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str], closed: bool = True, count: int = 629) -> Curve:
        """Return the smooth curve through the rows of a CSV file; a first row of words only is a header.

        Raises
        ------
        InputError
            If the file cannot be read or holds something else than rows of numbers.
        """
        text = read_text(path, LARGEST_CSV)
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        except csv.Error as error:
            raise InputError(f"{path} is no CSV file ({error}); give rows of coordinates with commas") from error
        points: list[list[float]] = []
        for number, row in enumerate(rows):
            if not number and all(_is_word(cell) for cell in row):
                continue
            try:
                points.append([float(cell) for cell in row])
            except ValueError as error:
                raise InputError(f"{path}, row {number + 1}: {error}; give rows of numbers") from error
        if len({len(point) for point in points}) != 1:
            raise InputError(f"{path} has no rows, or rows of different lengths; give one coordinate tuple a row")
        return cls.through(np.array(points), closed, count)

    @classmethod
    def from_svg(
        cls, path: str, scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0), count: int = 629
    ) -> Curve:
        """Return the curve of the text of an SVG path (its ``d`` attribute); y points up, as on paper.

        Parameters
        ----------
        path : str
            For instance ``"M 0 0 C 1 2 3 2 4 0 Z"``; lines, cubic and quadratic curves, arcs left out.
        scale, shift
            The drawing is scaled, then its lower left corner is put at `shift`.
        """
        from bifrncrn.training.targets.svg import flatten

        points, closed = flatten(path)
        points = points * np.array([1.0, -1.0])
        points = (points - points.min(axis=0)) * scale + np.array(shift)
        return cls.through(points, closed, count)

    @classmethod
    def from_svg_file(
        cls,
        path: str | os.PathLike[str],
        scale: float = 1.0,
        shift: tuple[float, float] = (0.0, 0.0),
        count: int = 629,
    ) -> Curve:
        """Return the curve of the one path in an SVG file; see `from_svg`.

        Raises
        ------
        InputError
            If the file cannot be read, holds no path or several, or one that is turned or scaled by its groups.
        """
        from bifrncrn.training.targets.svg import path_of

        return cls.from_svg(path_of(path), scale, shift, count)


def _is_word(cell: str) -> bool:
    """Say whether a cell of a CSV file can only be the name of a column."""
    start = cell.strip().strip("\"'")[:1]
    return (start.isalpha() or start == "_") and cell.strip().lower() not in ("nan", "inf", "infinity")


def _crossing(points: Array, closed: bool) -> Array | None:
    """Return a point where two segments of the polyline that are not neighbours cross, or None."""
    start = points if closed else points[:-1]
    end = np.roll(points, -1, axis=0) if closed else points[1:]
    count = len(start)
    index = np.arange(count)
    for at in range(0, count, _BLOCK):
        rows = index[at : at + _BLOCK, None]
        a, b = start[rows], end[rows]
        c, d = start[None], end[None]
        apart = (index[None] > rows + 1) & ~((rows == 0) & (index[None] == count - 1) & closed)
        hit = apart & (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
        if hit.any():
            i, _ = np.argwhere(hit)[0]
            return start[at + i]
    return None


def _side(a: Array, b: Array, c: Array) -> Array:
    """Return twice the signed area of the triangles a, b, c."""
    return (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])

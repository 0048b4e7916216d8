"""A curve of folds or Hopf points in two parameters."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

import numpy as np

from bifrncrn.continuation.curve import Curve
from bifrncrn.curves.loci import layout as at
from bifrncrn.curves.loci.engine import LOCI
from bifrncrn.curves.loci.model import PlaneModel
from bifrncrn.models.system import System

KINDS = {
    "fold": at.FOLD, "hopf": at.HOPF,
    "map_fold": at.MAP_FOLD, "map_doubling": at.MAP_DOUBLING, "map_torus": at.MAP_TORUS,
}  # fmt: skip
"""The kinds of curves; those of a map are of f^k(x) - x."""
LABELS = {
    "fold": ("CP", "BT", "ZH"),
    "hopf": ("GH", "ZH", "HH"),
    "map_fold": ("CP", "R1", "LPPD", "LPNS"),
    "map_doubling": ("GPD", "R2", "LPPD", "PDNS"),
    "map_torus": ("CH", "R3", "R4", "LPNS", "PDNS", "NSNS"),
}
"""What the test functions of each kind of locus find, in their order."""
EDGES = {"hopf": {0.0: "BT"}, "map_torus": {1.0: "R1", -1.0: "R2"}}
"""The values of the unknown of a pair (omega^2, the cosine of the angle) at which a locus ends, and what is there."""
LEAST = 1e-9
"""A state below this share of its typical size is rounding."""
KEPT = 1e-3
"""An equation counts as no smaller than this share of what it was elsewhere."""


class LocusProblem:
    """The defining system of a kind of special points in two parameters.

    The unknowns are y = (x, first, second) at folds, (x, kappa, first, second) with kappa = omega^2 at Hopf points. Of
    a map they are the first at folds and doublings, the second at Neimark-Sacker points, with the cosine of the angle
    in place of kappa. For one thread. Before anything is computed the borders must be set (`set_borders`).

    Attributes
    ----------
    base : System
        The system the points belong to; of a map that of f^k(x) - x.
    first, second : str
        Names of the two parameters.
    kind : {"fold", "hopf", "map_fold", "map_doubling", "map_torus"}
    paired : bool
        Whether its points have a critical pair of eigenvalues, and one unknown more for it.
    size : (n + 1,) array
        Typical sizes of the states and of the first parameter.
    n, unknowns : int
        Number of states and of unknowns, n + 2 or, with a pair, n + 3.
    """

    def __init__(self, base: System, kind: str, first: str, second: str, size: np.ndarray) -> None:
        self.base, self.kind, self.first, self.second, self.size = base, kind, first, second, size
        self.n = len(base.variables)
        self.paired = kind in EDGES
        self.unknowns = self.n + (3 if self.paired else 2)
        self.indices = base.parameter_index(first), base.parameter_index(second)
        self._model = _plane(base, *self.indices)
        native = base.native
        self._places, length = at.places(self.n, len(base.parameters))
        self._block = np.zeros(length)
        address = self._block.__array_interface__["data"][0]
        self._context = np.zeros(at.CONTEXT_SIZE, np.int64)
        self._context[: at.JET + 1] = (
            self.n, KINDS[kind], self.unknowns, *self.indices, self._model.plane, self._model.gradient,
            0 if kind in ("fold", "map_fold") else native.jet,
        )  # fmt: skip
        self._largest = np.zeros(self.n)
        self._array: dict[int, np.ndarray] = {}
        for name, (begin, end) in self._places.items():
            self._context[name] = address + 8 * begin
            self._array[name] = self._block[begin:end]
        self._array[at.VALUES][:] = base.values
        self._array[at.SIZE][:] = size
        self._at = self._context.__array_interface__["data"][0]
        self.point, self.out = np.zeros(self.unknowns), np.zeros((self.unknowns - 1) * (self.unknowns + 1))

    @property
    def of_map(self) -> bool:
        """Whether its points are those of a map."""
        return self.kind.startswith("map_")

    @property
    def shift(self) -> float:
        """What the number of a map's kind adds to the Jacobian: two at doublings; at a pair see `critical`."""
        return 2.0 if self.kind == "map_doubling" else 0.0

    def critical(self, jacobian: np.ndarray, extra: float) -> tuple[np.ndarray, float]:
        """Return the matrix that is singular at the points, or has the eigenvalues +-i omega there, and omega^2.

        `extra` is the unknown of the pair.
        """
        if self.kind == "map_torus":
            return jacobian + (1.0 - extra) * np.eye(self.n), (1.0 - extra) * (1.0 + extra)
        return jacobian + self.shift * np.eye(self.n), extra

    @property
    def sigma(self) -> float:
        """The unit of frequency of a curve of pairs."""
        return float(self._array[at.NUMBERS][at.SIGMA])

    def set_borders(self, left: np.ndarray, right: np.ndarray, sigma: float = 1.0) -> None:
        """Set the borders.

        Parameters
        ----------
        left : (n,) array
            A left null vector of the scaled Jacobian (of a Hopf point: the real part of one).
        right : (n,) array
            A right null vector, in units of the states (of a Hopf point: the real part of one).
        sigma : float
            The unit of frequency.
        """
        rows, array = self.equation_sizes(), self._array
        array[at.ROWS][:], array[at.LEFT][:] = rows, left * rows
        array[at.RIGHT][:], array[at.NUMBERS][at.SIGMA] = right, sigma

    def borders(self) -> np.ndarray:
        """Return all that belongs to the borders, to be set again."""
        first, last = self._places[at.ROWS][0], self._places[at.NUMBERS][1]
        return self._block[first:last].copy()

    def set_all_borders(self, saved: np.ndarray) -> None:
        """Set again what `borders` returned."""
        first, last = self._places[at.ROWS][0], self._places[at.NUMBERS][1]
        self._block[first:last] = saved

    def equation_sizes(self) -> np.ndarray:
        """Return the size of every equation, (n,), as last evaluated by `matrix`.

        A row of the Jacobian may vanish at a special point: what moves it elsewhere, the first parameter and what the
        row was before, counts as well.
        """
        rows = np.abs(self._jacobian[:, : self.n + 1]) @ self.size
        self._largest = np.maximum(self._largest, rows)
        rows = np.maximum(rows, KEPT * self._largest)
        return rows if np.count_nonzero(rows) == self.n else np.where(rows > 0.0, rows, rows.max() or 1.0)

    def know_sizes_of(self, other: LocusProblem) -> None:
        """Let the equations count as no smaller than they were to another problem of the same model.

        Where one vanishes at the first point that is evaluated nothing else tells its size.
        """
        self._largest = np.maximum(self._largest, other._largest)

    def row_sizes(self) -> np.ndarray:
        """Return the usual size of every equation of the defining system, (u - 1,): the scalar ones are of size one."""
        return np.append(self._array[at.ROWS], np.ones(self.unknowns - 1 - self.n))

    @property
    def _jacobian(self) -> np.ndarray:
        return self._array[at.MODEL][self.n :].reshape(self.n, self.n + 2)

    def matrix(self, x: np.ndarray, first: float, second: float) -> np.ndarray:
        """Return the derivative of f by states and both parameters, (n, n + 2)."""
        self.point[: self.n], self.point[-2:] = x, (first, second)
        LOCI.engine.call["locus_evaluate"](self._at, self.point.__array_interface__["data"][0])
        return self._jacobian.copy()

    def values(self, y: np.ndarray) -> np.ndarray:
        """Return the base's parameter values (m,) at a point."""
        values = np.array(self.base.values)
        values[list(self.indices)] = y[-2:]
        return values

    def along(self, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function that gives the first five derivatives of f at a point along a direction, (5, n)."""
        call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5)(self._model.fifth)
        arrays = np.array(y[: self.n]), self.values(y), np.zeros(self.n), np.zeros(self.n), np.empty((5, self.n))
        places = [array.ctypes.data for array in arrays]

        def derivatives(direction: np.ndarray) -> np.ndarray:
            arrays[2][:] = direction
            call(*places)
            return arrays[4].copy()

        return derivatives

    def accept(self, y: np.ndarray) -> bool:
        """Make the null vectors at a point the borders; say whether that was possible."""
        self.point[:] = y
        return not LOCI.engine.call["locus_accept"](self._at, self.point.__array_interface__["data"][0])

    def linearize(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F (u - 1,) and its derivative (u - 1, u), NaN where they are not finite."""
        self.point[:] = y
        status = LOCI.engine.call["locus_linearize"](
            self._at, self.point.__array_interface__["data"][0], self.out.__array_interface__["data"][0]
        )
        if status:
            self.out[:] = np.nan
        count = self.unknowns - 1
        return self.out[:count].copy(), self.out[count:].reshape(count, self.unknowns).copy()

    def residual(self, y: np.ndarray) -> float:
        """Return the largest residual of the defining equations, those of the model relative to their terms."""
        value, _ = self.linearize(y)
        n = self.n
        terms = np.append(np.maximum(np.abs(y[:n]), LEAST * self.size[:n]), np.abs(y[-2:]))
        size = np.abs(self._jacobian) @ terms + np.abs(value[:n])
        return float(max(np.max(np.abs(value[:n]) / np.where(size > 0.0, size, 1.0)), np.max(np.abs(value[n:]))))

    def tests(self, y: np.ndarray) -> np.ndarray:
        """Return the test functions at a point."""
        self.linearize(y)
        values = np.zeros(at.TESTS)
        place = self.point.__array_interface__["data"][0]
        LOCI.engine.call["locus_tests"](self._at, place, place, values.__array_interface__["data"][0])
        return values

    def spectra(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return eigenvalues (k, n) of points (k, u), and how many but the critical ones have positive real part.

        Of a map: multipliers, and how many are outside the unit circle.
        """
        rows, n = np.ascontiguousarray(points), self.n
        parts, unstable = np.empty((2, len(rows), n)), np.empty(len(rows), np.int64)
        places = [a.__array_interface__["data"][0] for a in (rows, parts, unstable)]
        LOCI.engine.call["locus_spectra"](
            self._at, places[0], len(rows), places[1], places[1] + 8 * len(rows) * n, places[2]
        )
        values = np.empty((len(rows), n), complex)
        values.real, values.imag = parts
        return values, unstable

    @functools.cached_property
    def curve(self) -> Curve:
        """The curve for the march."""
        call = LOCI.engine.address
        return Curve(
            size=self.unknowns,
            spectra=0,
            tests=len(LABELS[self.kind]),
            newton_step=call["locus_step"],
            solve_again=call["locus_solve"],
            spectrum=0,
            user_tests=call["locus_tests"],
            context=self._at,
            keep=(self.base.native, self._model, self._block, self._context, LOCI.engine),
            parameters=self._array[at.VALUES],
            accept=call["locus_accept"],
            turns=False,
            labels=LABELS[self.kind],
            memory=self.base.remembered.setdefault("memory of marches", {}),
        )


def _plane(base: System, first: int, second: int) -> PlaneModel:
    """Return the compiled functions for two parameters of a system, made once."""
    known = base.native.__dict__.setdefault("planes", {})
    if (first, second) not in known:
        known[first, second] = PlaneModel(base.native, first, second)
    model: PlaneModel = known[first, second]
    return model

"""Homoclinic orbits of a saddle, and orbits from one saddle to another, as a curve in two parameters.

The unknowns are an orbit over a finite time (collocation at Gauss points), the saddles, and both parameters. The orbit
begins in the first saddle's unstable subspace and ends in the stable one of the same or the second: projection
conditions; the integral of its distance from an orbit nearby, along that, vanishes. (Beyn, IMA J. Numer. Anal. 10,
1990, 379; Champneys, Kuznetsov & Sandstede, Int. J. Bifurcation and Chaos 6, 1996, 867, whose test functions are used
too.)
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from bifrncrn.continuation.callbacks import NOT_FINITE, SINGULAR, Callbacks
from bifrncrn.continuation.curve import Curve
from bifrncrn.continuation.kind import CurveKind
from bifrncrn.curves.homoclinic.arc import Arc
from bifrncrn.curves.homoclinic.sampler import Sampler
from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.layout import POINTS

NEWTONS, CONVERGED = 12, 1e-10
LABELS = ("NSS", "NDS", "NDU", "DRS", "DRU", "OFS", "OFU", "IFS", "IFU")


class HomoclinicCurve(CurveKind):
    """Homoclinic orbits near one, or heteroclinic orbits.

    Parameters
    ----------
    sampler : Sampler
        Of both parameters.
    names : (str, str)
        Of the parameters.
    arc : Arc
        The orbit nearby, whose mesh and time are taken.
    scale : (n,) array
        Units of the states.
    unit : float
        Of the first parameter; the second is measured as it is.
    """

    kind = "homoclinic"
    labels: tuple[str, ...] = LABELS

    def __init__(self, sampler: Sampler, names: tuple[str, str], arc: Arc, scale: np.ndarray, unit: float) -> None:
        self.sampler, self.arc, self.scale, self.unit = sampler, arc, scale, unit
        self.n = n = len(scale)
        self.size = (POINTS * arc.count + 1) * n
        self.rests = len(arc.rests)
        self.unknowns = (*(f"u{k}" for k in range(self.size)), *(f"x{k}" for k in range(self.rests * n)), *names)
        matrices = self.matrices_at(arc)
        stable = [int(np.sum(np.linalg.eigvals(matrix).real < 0.0)) for matrix in matrices]
        self.stable = stable[0] if len(set(stable)) == 1 else 0
        """Of the eigenvalues, as many at both saddles as such a connection at a point of a curve has; else 0."""
        self.slowness = 1.0 / float(np.max(np.abs(matrices)))
        self.labels = LABELS if self.rests == 1 else ()
        if self.stable:
            self._left, self._right = self._subspaces(matrices)  # what the bases are normalised by
        self._leading: dict[str, np.ndarray] = {}
        self._null: np.ndarray | None = None

    # -- the vector of unknowns ----------------------------------------------------------------------------------

    def vector(self, arc: Arc) -> np.ndarray:
        """Return the unknowns of an orbit on the mesh."""
        parts = (arc.nodes / self.scale).ravel(), (arc.rests / self.scale).ravel(), [arc.p[0] / self.unit, arc.p[1]]
        return np.concatenate(parts)

    def arc_of(self, y: np.ndarray) -> Arc:
        """Return the orbit with these unknowns."""
        nodes = y[: self.size].reshape(-1, self.n) * self.scale
        rests = y[self.size : -2].reshape(-1, self.n) * self.scale
        goal = rests[1] if self.rests == 2 else None
        return Arc(self.arc.edges, nodes, self.arc.time, rests[0], np.array([y[-2] * self.unit, y[-1]]), goal)

    def moved(self, direction: np.ndarray, other: HomoclinicCurve) -> np.ndarray:
        """Return a direction in these unknowns as one in those of another curve: of saddles and parameters only."""
        out = np.zeros(other.size + self.rests * self.n + 2)
        out[other.size : -2] = direction[self.size : -2] * np.tile(self.scale / other.scale, self.rests)
        out[-2:] = direction[-2] * self.unit / other.unit, direction[-1]
        return out

    # -- the equations -------------------------------------------------------------------------------------------

    def matrix_at(self, saddle: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return the Jacobian at a state, in units of the scale."""
        matrix: np.ndarray = self.sampler(saddle[None], p).jacobian[0] * self.scale / self.scale[:, None]
        return matrix

    def matrices_at(self, arc: Arc) -> np.ndarray:
        """Return the Jacobians at the saddle of an orbit, or at both, in units of the scale, (k, n, n)."""
        return np.array([self.matrix_at(rest, arc.p) for rest in arc.rests])

    def _subspaces(self, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return bases (n, k) of left invariant subspaces: of the stable eigenvalues where the orbit begins, and of the
        unstable ones where it ends.
        """
        from scipy.linalg import schur

        between = []
        for matrix in (matrices[0], matrices[-1]):
            real = np.sort(np.linalg.eigvals(matrix).real)
            between.append(0.5 * (real[self.stable - 1] + real[self.stable]))
        stable = schur(matrices[0].T, sort=lambda x, y=None: x.real < between[0])[1][:, : self.stable]
        unstable = schur(matrices[-1].T, sort=lambda x, y=None: x.real > between[1])[1][:, : self.n - self.stable]
        return stable, unstable

    def _projections(self, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what must vanish of the deviation at the begin, (k, n), and at the end, smooth in the matrix."""
        pairs = zip(self._subspaces(matrices), (self._left, self._right), strict=True)
        left, right = (np.linalg.solve(basis_.T @ near, basis_.T) for basis_, near in pairs)
        return left, right

    @functools.cached_property
    def _phase(self) -> np.ndarray:
        """The integral along the orbit nearby: a row for the nodes."""
        arc, table = self.arc, basis()
        slopes = np.einsum("kj,ijn->ikn", table.node_slopes, arc.blocks() / self.scale)  # by the phase, times the width
        weighted = slopes * table.weights[:, None]
        row = np.zeros((POINTS * arc.count + 1, self.n))
        for j in range(POINTS + 1):
            row[j : j + POINTS * arc.count : POINTS] += weighted[:, j]
        flat: np.ndarray = row.ravel()
        return flat / np.linalg.norm(flat)

    @functools.cached_property
    def _pattern(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The order of the entries by columns, their rows, and where each column begins; the last row is to spare."""
        from scipy.sparse import csc_matrix

        n, size, width = self.n, self.size, self.size + self.rests * self.n + 2
        i, k, j, a, b = np.ix_(*(np.arange(m) for m in (self.arc.count, POINTS, POINTS + 1, n, n)))
        shape = (self.arc.count, POINTS, POINTS + 1, n, n)
        rows = [np.broadcast_to((POINTS * i + k) * n + a, shape).ravel()]
        columns = [np.broadcast_to((POINTS * i + j) * n + b, shape).ravel()]
        head = size - n
        saddles = [size + n * k + np.arange(n) for k in range(self.rests)]
        first = head + self.rests * n  # of the conditions on the orbit's ends
        middle = first + self.stable
        parameters = [width - 2, width - 1]
        blocks = (
            (np.arange(head), np.array(parameters)),  # the parameters in the collocation equations
            *((head + at - size, np.append(at, parameters)) for at in saddles),
            (np.arange(first, middle), np.append(np.arange(n), saddles[0])),  # the begin of the orbit
            (np.arange(middle, first + n), np.append(np.arange(size - n, size), saddles[-1])),  # its end
            (np.array([first + n]), np.arange(size)),  # its phase
            (np.array([first + n + 1]), np.arange(width)),
        )
        for down, across in blocks:
            rows.append(np.repeat(down, len(across)))
            columns.append(np.tile(across, len(down)))
        place = np.concatenate(rows), np.concatenate(columns)
        numbers = np.arange(1.0, len(place[0]) + 1.0)
        matrix = csc_matrix((numbers, place), shape=(width, width))
        return matrix.data.astype(int) - 1, matrix.indices, matrix.indptr

    def equations(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F, and the entries of its derivative as the pattern has them, but for those of the row to spare."""
        arc, n, table = self.arc_of(y), self.n, basis()
        widths = np.diff(arc.edges) * arc.time
        blocks = arc.blocks()
        samples = self.sampler(np.einsum("kj,ijn->ikn", table.values, blocks).reshape(-1, n), arc.p)
        flow = samples.f.reshape(arc.count, POINTS, n) * widths[:, None, None]
        defect = (np.einsum("kj,ijn->ikn", table.slopes, blocks) - flow) / self.scale
        jacobian = samples.jacobian.reshape(arc.count, POINTS, n, n) * self.scale / self.scale[:, None]
        entries = -np.einsum("kj,ikab->ikjab", table.values, jacobian * widths[:, None, None, None])
        entries += table.slopes[:, :, None, None] * np.eye(n)
        units = np.array([self.unit, 1.0])
        rates = samples.rates.reshape(arc.count, POINTS, n, 2) * widths[:, None, None, None]
        last, rest = self._at_ends(arc, units)
        phase = self._phase @ ((arc.nodes - self.arc.nodes) / self.scale).ravel()
        value = np.concatenate([defect.ravel(), last, [phase]])
        return value, np.concatenate(
            [entries.ravel(), -(rates * units / self.scale[:, None]).ravel(), *rest, self._phase]
        )

    def _at_ends(self, arc: Arc, units: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the equations of the saddles and of the orbit's ends, and the entries of their derivatives.

        How the subspaces turn is left out there: it is multiplied by the distance from the saddle.
        """
        sample = self.sampler(arc.rests, arc.p)
        matrices = sample.jacobian * self.scale / self.scale[:, None]
        left, right = self._projections(matrices)
        first, last = ((arc.nodes[k] - arc.rests[k]) / self.scale for k in (0, -1))
        value = np.concatenate([(sample.f / self.scale * self.slowness).ravel(), left @ first, right @ last])
        rates = sample.rates * units / self.scale[:, None]
        saddles = np.concatenate([matrices, rates], axis=2) * self.slowness
        return value, [part.ravel() for part in (saddles, np.hstack([left, -left]), np.hstack([right, -right]))]

    # -- Newton and the march ------------------------------------------------------------------------------------

    @functools.cached_property
    def curve(self) -> Curve:
        """The curve for the march."""
        return _Sparse(self, len(self.unknowns)).curve(0, len(self.labels), {}, self.labels, turns=False)

    def solver(self, y: np.ndarray, row: np.ndarray) -> tuple[Any, np.ndarray] | None:
        """Return the factors of [F_y; row] and F, None where there are none."""
        from scipy.sparse import csc_matrix
        from scipy.sparse.linalg import splu

        try:
            value, entries = self.equations(y)
            if not (np.all(np.isfinite(value)) and np.all(np.isfinite(entries))):
                return None
            order, rows, begins = self._pattern
            matrix = csc_matrix((np.concatenate([entries, row])[order], rows, begins), shape=(len(y), len(y)))
            return splu(matrix), value
        except (RuntimeError, ValueError, np.linalg.LinAlgError):  # singular, or no invariant subspaces
            return None

    def on_row(self, y: np.ndarray, row: np.ndarray) -> np.ndarray | None:
        """Return the point of the curve near y at which row . y is what it is there; None where there is none."""
        before = np.inf
        for _ in range(NEWTONS):
            found = self.solver(y, row)
            if found is None:
                return None
            step = found[0].solve(np.append(-found[1], 0.0))
            length = float(np.max(np.abs(step)))
            if not (np.isfinite(length) and length < 10.0):
                return None
            y = y + step
            if length < CONVERGED or (length < 1e-7 and length > 0.5 * before):
                return y
            before = length
        return None

    def tangent(self, y: np.ndarray, row: np.ndarray) -> np.ndarray | None:
        """Return the direction of the curve along which row . y grows."""
        found = self.solver(y, row)
        if found is None:
            return None
        along: np.ndarray = found[0].solve(np.append(np.zeros(len(y) - 1), 1.0))
        return along / np.max(np.abs(along)) if np.all(np.isfinite(along)) else None

    # -- test functions ------------------------------------------------------------------------------------------

    def spectra(self, y: np.ndarray) -> np.ndarray:
        """Return the eigenvalues of the saddle, or of both, by falling real part, (k, n)."""
        values = np.linalg.eigvals(self.matrices_at(self.arc_of(y))).astype(complex)
        return np.array([row[np.lexsort((-row.imag, -row.real))] for row in values])

    def spectrum(self, y: np.ndarray) -> np.ndarray:
        """Return the eigenvalues of the saddle where the orbit begins, by falling real part."""
        first: np.ndarray = self.spectra(y)[0]
        return first

    def unstable(self, y: np.ndarray) -> int:
        """Return the number of unstable eigenvalues of the saddle."""
        return int(np.sum(self.spectrum(y).real > 0.0))

    def tests(self, y: np.ndarray, tangent: np.ndarray) -> np.ndarray:
        """Return the test functions in the order of `LABELS`.

        The saddle quantity; the sums of one leading eigenvalue and the two on the other side; the discriminants of both
        leading pairs; how the orbit arrives and how it leaves; how the bounded solution of the adjoint equation does.
        None of an orbit between two saddles.
        """
        if not self.labels:
            return np.zeros(0)
        arc, values = self.arc_of(y), self.spectrum(y)
        up, down = values[: self.n - self.stable][::-1], values[self.n - self.stable :]  # from the leading one on
        size = abs(up[0]) + abs(down[0])
        matrix = self.matrix_at(arc.saddle, arc.p)
        first, last = ((arc.nodes[k] - arc.saddle) / self.scale for k in (0, -1))
        before, after = self._adjoint(y, tangent, matrix, len(down) > 1 or len(up) > 1)
        return np.array(
            [
                (up[0].real + down[0].real) / size,
                _divergence(up[:1], down[:2]) / size,
                _divergence(up[:2], down[:1]) / size,
                _discriminant(down) / size**2,
                _discriminant(up) / size**2,
                self._along("down", matrix.T, down, last),
                self._along("up", matrix.T, up, first),
                self._along("before", matrix, down, before),
                self._along("after", matrix, up, after),
            ]
        )

    def _adjoint(
        self, y: np.ndarray, tangent: np.ndarray, matrix: np.ndarray, asked: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounded solution of the adjoint equation along the orbit, where that begins and where it ends.

        It is what the boundary conditions have in the left null vector of the equations, the parameters being fixed:
        then there is one more of them than unknowns. Zero where it is not asked for.
        """
        found = self.solver(y, tangent) if asked else None
        if found is None:
            return np.zeros(self.n), np.zeros(self.n)
        rhs = np.zeros(len(y))
        rhs[-2:] = tangent[-1], -tangent[-2]  # all that the equations' rows, normal to the tangent, add up to
        null = found[0].solve(rhs, trans="T")
        if self._null is None:
            self._null = null
        null = null if float(self._null @ null) >= 0.0 else -null
        left, right = self._projections(matrix[None])
        middle = self.size + self.stable
        return left.T @ null[self.size : middle], right.T @ null[middle : self.size + self.n]

    def _along(self, which: str, matrix: np.ndarray, values: np.ndarray, deviation: np.ndarray) -> float:
        """Return the share of the leading direction in a deviation at an end, positive where it was asked first.

        1 where there is no other direction, and where the leading eigenvalues are a pair. The direction's share is that
        along the eigenvector of the matrix that the others, of its transposed, are normal to.
        """
        if len(values) < 2 or values[0].imag != 0.0:
            return 1.0
        found, vectors = np.linalg.eig(matrix)
        left = vectors[:, int(np.argmin(np.abs(found - values[0])))].real
        value = float(left @ deviation) / float(np.linalg.norm(left) * np.linalg.norm(deviation) + 1e-300)
        known = self._leading.get(which)
        if known is None:
            self._leading[which] = left if value >= 0.0 else -left
            return abs(value)
        return value if float(known @ left) > 0.0 else -value


def _divergence(up: np.ndarray, down: np.ndarray) -> float:
    """Return the sum of the real parts, 1 where there is one on each side."""
    return float(np.sum(up.real) + np.sum(down.real)) if len(up) + len(down) > 2 else 1.0


def _discriminant(values: np.ndarray) -> float:
    """Return the square of the difference of the two leading eigenvalues, 1 where there is one alone."""
    if len(values) < 2:
        return 1.0
    if values[0].imag != 0.0:
        return -4.0 * float(values[0].imag) ** 2
    return float((values[0].real - values[1].real) ** 2) if values[1].imag == 0.0 else 1.0


class _Sparse(Callbacks):
    """The functions of the curve with sparse factors."""

    def __init__(self, kind: HomoclinicCurve, size: int) -> None:
        super().__init__(size)
        self.kind = kind
        self.factors: Any = None

    def newton(self, y: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, float] | int:
        found = self.kind.solver(y.copy(), row.copy())
        if found is None:
            return SINGULAR
        self.factors, value = found
        step: np.ndarray = self.factors.solve(np.append(-value, 0.0))
        return (step, 1.0) if np.all(np.isfinite(step)) else NOT_FINITE

    def solved(self, rhs: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.factors.solve(rhs)
        return found

    def tests(self, y: np.ndarray, tangent: np.ndarray) -> np.ndarray:
        return self.kind.tests(y.copy(), tangent)

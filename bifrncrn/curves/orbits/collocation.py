"""The linearised collocation equations of a periodic orbit as sparse matrices, and what is computed from them.

The equations at Gauss point k of interval i of width w are sum_j D_kj x_j - w T f(sum_j V_kj x_j; p) = 0, j = 0 to 4. A
variation v of the orbit obeys sum_j D_kj v_j - w T J v = 0, and closes up to a factor: 1, -1 where the period doubles,
exp(i theta) where a torus is born.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.layout import POINTS
from bifrncrn.curves.orbits.orbit import Orbit, blocks
from bifrncrn.models.system import System

STEP = 1e-5
"""Part of the states' size by which differences of the Jacobian are taken, for Newton's method only."""


@dataclass(frozen=True, eq=False)
class Samples:
    """The field at points (k, n): f (k, n), df/dx (k, n, n), and derivatives by some parameters (k, n, q)."""

    f: np.ndarray
    jacobian: np.ndarray
    rates: np.ndarray


class Sampler:
    """Evaluates the field of a system, its Jacobian and its derivatives by parameters. Not for several threads.

    Parameters
    ----------
    system : System
    indices : tuple of int
        The parameters that vary.
    """

    def __init__(self, system: System, indices: tuple[int, ...]) -> None:
        self.system, self.indices = system, indices
        self.n = len(system.variables)
        self._call = system.native.function("linearize")
        self._values = np.array(system.values, dtype=float)
        self._directions = [np.zeros_like(self._values) for _ in indices]
        for direction, index in zip(self._directions, indices, strict=True):
            direction[index] = 1.0

    def values_at(self, p: np.ndarray) -> np.ndarray:
        """Return all parameter values (m,) with the varied ones at p."""
        self._values[list(self.indices)] = p
        return self._values

    def __call__(self, points: np.ndarray, p: np.ndarray) -> Samples:
        """Return the field at points (k, n), the varied parameters being p."""
        n, count = self.n, len(points)
        x = np.ascontiguousarray(np.maximum(points, self.system.lower), dtype=float)
        f, jacobian = np.empty((count, n)), np.zeros((count, n, n))
        rates = np.empty((len(self.indices), count, n))
        values = _address(self.values_at(p))
        wide, deep = 8 * n, 8 * n * n
        first = [_address(array) for array in (x, f, jacobian)]
        for direction, rate in zip(self._directions, rates, strict=True):
            along, into = _address(direction), _address(rate)
            for i in range(count):
                self._call(
                    first[0] + i * wide, values, along, first[1] + i * wide, first[2] + i * deep, into + i * wide
                )
        return Samples(f, jacobian, np.moveaxis(rates, 0, -1))

    def jets(self, points: np.ndarray, directions: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return the first three derivatives of the field at points (k, n) in directions (k, n), (3, k, n)."""
        x = np.ascontiguousarray(np.maximum(points, self.system.lower), dtype=float)
        along = np.ascontiguousarray(directions, dtype=float)
        out, still = np.empty((len(x), 3, self.n)), np.zeros_like(self._values)
        values, fixed, wide = _address(self.values_at(p)), _address(still), 8 * self.n
        call = self.system.native.function("jet")
        first = [_address(array) for array in (x, along, out)]
        for i in range(len(x)):
            call(first[0] + i * wide, values, first[1] + i * wide, fixed, first[2] + 3 * i * wide)
        return np.moveaxis(out, 1, 0)


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def at_gauss(nodes: np.ndarray, factor: complex = 1.0) -> np.ndarray:
    """Return what is given at the nodes (4 N, n) at the Gauss points, (N, 4, n); it closes up to a factor."""
    whole = blocks(nodes)
    if factor != 1.0:
        whole = whole.astype(type(factor) if isinstance(factor, complex) else float)
        whole[-1, POINTS] *= factor
    values: np.ndarray = np.matmul(basis().values, whole)
    return values


def to_nodes(rows: np.ndarray) -> np.ndarray:
    """Return the transpose of `at_gauss` applied to values (N, 4, n): (4 N, n)."""
    spread = np.einsum("kj,ikn->ijn", basis().values, rows)
    out = spread[:, :POINTS].copy()
    out[:, 0] += np.concatenate([spread[-1:, POINTS], spread[:-1, POINTS]])
    count, _, n = out.shape
    return out.reshape(count * POINTS, n)


@functools.lru_cache(maxsize=8)
def _places(count: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the entries (N, 4, 5, n, n) of the matrix of variations."""
    i, k, j, a, b = np.ix_(*(np.arange(size) for size in (count, POINTS, POINTS + 1, n, n)))
    rows = (POINTS * i + k) * n + a
    columns = ((POINTS * i + j) % (POINTS * count)) * n + b
    shape = (count, POINTS, POINTS + 1, n, n)
    return np.broadcast_to(rows, shape).ravel(), np.broadcast_to(columns, shape).ravel()


@dataclass(frozen=True, eq=False)
class Linearised:
    """An orbit with the field at its Gauss points; states are measured in units `scale` (n,)."""

    orbit: Orbit
    scale: np.ndarray
    samples: Samples

    @classmethod
    def of(cls, sampler: Sampler, orbit: Orbit, p: np.ndarray, scale: np.ndarray) -> Linearised:
        """Return an orbit at values p of the varied parameters, linearised."""
        points = at_gauss(orbit.nodes)
        return cls(orbit, scale, sampler(points.reshape(-1, points.shape[2]), p))

    @property
    def steps(self) -> np.ndarray:
        """The durations of the intervals, (N, 1, 1)."""
        return (self.orbit.mesh.widths * self.orbit.period)[:, None, None]

    def rows(self, values: np.ndarray) -> np.ndarray:
        """Return values (k, n) at the Gauss points times the durations, in units of the scale, (N, 4, n)."""
        shaped: np.ndarray = values.reshape(self.orbit.count, POINTS, -1) * self.steps / self.scale
        return shaped

    @functools.cached_property
    def residual(self) -> np.ndarray:
        """The defects of the collocation equations, (4 N n,)."""
        slopes = np.matmul(basis().slopes, blocks(self.orbit.nodes)) / self.scale
        out: np.ndarray = (slopes - self.rows(self.samples.f)).ravel()
        return out

    @functools.cached_property
    def entries(self) -> np.ndarray:
        """The blocks of the matrix of variations, (N, 4, 5, n, n)."""
        n = len(self.scale)
        jacobian = self.samples.jacobian.reshape(self.orbit.count, POINTS, n, n) * self.scale / self.scale[:, None]
        table = basis()
        moved = self.steps[..., None] * jacobian
        blocks_: np.ndarray = (
            table.slopes[None, :, :, None, None] * np.eye(n) - table.values[None, :, :, None, None] * moved[:, :, None]
        )
        return blocks_

    def matrix(self, factor: complex = 1.0) -> Any:
        """Return the matrix (4 N n, 4 N n) of variations that close up to a factor, as a sparse array of columns."""
        from scipy.sparse import csc_matrix

        entries = self.entries
        if factor != 1.0:
            entries = entries.astype(type(factor) if isinstance(factor, complex) else float)
            entries[-1, :, POINTS] *= factor
        size = self.orbit.nodes.size
        return csc_matrix((entries.ravel(), _places(self.orbit.count, len(self.scale))), shape=(size, size))

    @functools.cached_property
    def flow(self) -> np.ndarray:
        """The derivative of the orbit by its phase at the nodes, of unit length, in units of the scale, (4 N n,)."""
        slopes = (self.orbit.slopes / self.scale).ravel()
        return slopes / (float(np.sqrt(slopes @ slopes)) or 1.0)

    @functools.cached_property
    def monodromy(self) -> np.ndarray:
        """The monodromy matrix (n, n) from the first node, in units of the scale."""
        n, count = len(self.scale), self.orbit.count
        entries = self.entries.transpose(0, 1, 3, 2, 4).reshape(count, POINTS * n, (POINTS + 1) * n)
        across = np.linalg.solve(entries[:, :, n:], -entries[:, :, :n])[:, -n:]
        product: np.ndarray = functools.reduce(lambda before, after: after @ before, across)
        return product


def null_vectors(matrix: Any, guesses: tuple[np.ndarray, np.ndarray] | None) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors that a nearly singular sparse matrix, and its adjoint, take to (almost) nothing.

    By the bordered system with guesses as borders; without them with any vectors, and then with what these give.
    """
    size = matrix.shape[0]
    if guesses is None:
        rng = np.random.default_rng(0)
        right, left = (rng.standard_normal((2, size)) / np.sqrt(size)).astype(matrix.dtype)
    else:
        right, left = guesses
    for _ in range(1 if guesses else 3):
        right, left, _ = bordered(matrix, right, left)
        right, left = right / np.linalg.norm(right), left / np.linalg.norm(left)
    return right, left


def bordered(matrix: Any, right: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray, complex]:
    """Return v, w and g of [A left; right^H 0] [v; g] = [0; 1] and its adjoint; g is 0 where A is singular."""
    from scipy.sparse import bmat, csc_matrix
    from scipy.sparse.linalg import splu

    whole = bmat([[matrix, csc_matrix(left[:, None])], [csc_matrix(right.conj()[None]), None]], format="csc")
    last = np.zeros(whole.shape[0], whole.dtype)
    last[-1] = 1.0
    factors = splu(whole)
    first, second = factors.solve(last), factors.solve(last, "H")
    return first[:-1], second[:-1], first[-1]

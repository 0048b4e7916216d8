"""The linearised equations of an orbit, from Python: eliminated once, then solved for variations that close in any way.

A variation of N intervals is an array (4 N + 1, n) in units of the scale; real or complex. Right-hand sides are what
stands on the right of v' - T J v at the Gauss points, times the widths of the intervals, (4 N n,).
"""

from __future__ import annotations

import numpy as np

from bifrncrn.curves.orbits import layout as at
from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.corrector import multipliers_in
from bifrncrn.curves.orbits.engine import VARIATIONS
from bifrncrn.curves.orbits.memory import Memory
from bifrncrn.curves.orbits.orbit import Orbit
from bifrncrn.models.system import System


class Variations:
    """The orbits of a system whose parameters of some indices vary, linearised one at a time. Not for several threads.

    Parameters
    ----------
    system : System
    indices : tuple of int
        The parameters that vary.
    units : array
        Theirs.

    Attributes
    ----------
    end : (n + 2, 2 n + 3) array
        What the elimination leaves: columns of the first state, of the last, of the logarithm of the period, of the
        parameter, and the right-hand side; the last two rows are the phase condition and the hyperplane.
    multipliers : (n,) complex array
        The trivial one first.
    residual : float
        What is left of the equations, relative to the terms they are the sums of.
    """

    def __init__(self, system: System, indices: tuple[int, ...], units: np.ndarray) -> None:
        self.system, self.indices, self.units = system, indices, units
        self.n = n = len(system.variables)
        self._memory = Memory(system, indices[0], system.lower)
        self._calls = VARIATIONS.engine.call
        self._address = self._memory.layout.ctypes.data
        self._moving, self._room = np.zeros(len(system.values)), 0
        self.end = np.zeros((n + 2, 2 * n + 3))
        self.multipliers, self.residual = np.empty(0, complex), np.inf

    def _call(self, name: str, *arrays: np.ndarray | int) -> int:
        addresses = (a if isinstance(a, int) else a.__array_interface__["data"][0] for a in arrays)
        done = int(self._calls[name](self._address, *addresses))
        self.system.native.check()
        return done

    def take(self, orbit: Orbit, p: np.ndarray, scale: np.ndarray) -> None:
        """Take an orbit at values p of the parameters; what was eliminated is kept."""
        memory, count = self._memory, orbit.count
        if count > self._room:
            memory.make_room(at.sizes(count, self.n))
            self._room = count
        memory.layout[at.INTERVALS] = count
        memory[at.WIDTHS][:count] = orbit.mesh.widths
        memory[at.SCALE][:] = scale
        memory[at.OFFSET][:] = 0.0 if orbit.offset is None else orbit.offset
        memory[at.NODES][: orbit.nodes.size] = orbit.nodes.ravel()
        memory[at.UNKNOWNS][:] = orbit.period, p[0]
        memory[at.VALUES][list(self.indices)] = p

    @property
    def values(self) -> np.ndarray:
        """The matrix that takes the values (5,) at the nodes of an interval to those at the points (4,) in use."""
        layout = self._memory.layout
        return basis().points(bool(layout[at.VALUES_AT] == layout[at.RADAU_VALUES]))[0]

    def aim(self, direction: np.ndarray) -> None:
        """Let the parameter of the equations be the one along a direction, in units of the parameters."""
        self._memory[at.DIRECTION][list(self.indices)] = direction * self.units

    def eliminate(self, near: Orbit, normal: np.ndarray) -> bool:
        """Eliminate at the orbit taken; return whether that was possible.

        Parameters
        ----------
        near : Orbit
            Changes are normal to its shift in phase.
        normal : (4 N n + 2,) array
            The hyperplane is normal to it: a change of the nodes in the units of the states, and of the two numbers.
        """
        memory = self._memory
        memory[at.SPARE][: near.nodes.size] = near.nodes.ravel()
        memory[at.TANGENT][: len(normal)] = normal
        if self._call("variations_eliminate", self.end) != 0 or not np.all(np.isfinite(self.end)):
            return False
        self.multipliers = multipliers_in(memory[at.MULTIPLIERS])[0]
        if not np.isfinite(self.multipliers[0]):
            self.multipliers[0] = 1.0
        self.residual = float(memory[at.INFO][at.INFO_RESIDUAL])
        return True

    def reduce(self, values: np.ndarray) -> np.ndarray:
        """Return the last right-hand sides (n + 2,) that belong to right-hand sides (4 N n,)."""
        if np.iscomplexobj(values):
            return self.reduce(values.real) + 1j * self.reduce(values.imag)
        out = np.empty(self.n + 2)
        self._call("variations_reduce", np.ascontiguousarray(values), out)
        return out

    def expand(
        self, first: np.ndarray, last: np.ndarray, numbers: np.ndarray | None = None, values: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the nodes of a variation from its ends, its two numbers, and the right-hand sides (none: nothing)."""
        numbers = np.zeros(2) if numbers is None else numbers
        if any(np.iscomplexobj(a) for a in (first, last, values) if a is not None):
            there = None if values is None else values.real
            real = self.expand(first.real, last.real, numbers.real, there)
            there = None if values is None else values.imag
            return real + 1j * self.expand(first.imag, last.imag, numbers.imag, there)
        if values is not None:
            self.reduce(values)
        return self._expanded(first, last, numbers, 0 if values is None else 1)

    def newton(self, first: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Return the nodes of the change that the equations themselves ask for; nothing is to be reduced before."""
        return self._expanded(first, first, numbers, 1)

    def _expanded(self, first: np.ndarray, last: np.ndarray, numbers: np.ndarray, known: int) -> np.ndarray:
        out = np.empty((self._memory.layout[at.INTERVALS] * at.POINTS + 1, self.n))
        self._call("variations_expand", known, np.concatenate([first, last, numbers]), out)
        return out

    def apply(self, v: np.ndarray, numbers: np.ndarray | None = None) -> np.ndarray:
        """Return the right-hand sides that a variation and its two numbers make at the orbit taken; NaN at a wall."""
        if np.iscomplexobj(v):
            return self.apply(v.real, numbers) + 1j * self.apply(v.imag)
        given = np.append(v, np.zeros(2) if numbers is None else numbers)
        out = np.empty((len(v) - 1) * self.n)
        return out if self._call("variations_apply", given, out) == 0 else np.full_like(out, np.nan)

    def jets(self, v: np.ndarray, moved: np.ndarray | None = None) -> np.ndarray:
        """Return the first three derivatives (3, 4 N n) of the right-hand sides along a real variation.

        `moved` is the change of the parameters along with it, in their units; none without it.
        """
        out = np.empty((3, (len(v) - 1) * self.n))
        self._moving[list(self.indices)] = 0.0 if moved is None else moved * self.units
        failed = self._call("variations_jets", int(self.system.native.jet), self._moving, np.ascontiguousarray(v), out)
        return out if failed == 0 else np.full_like(out, np.nan)

    def closed(self, factor: complex) -> np.ndarray:
        """Return the last equations (n, n) of variations that close up to a factor."""
        n = self.n
        return self.end[:n, :n] + factor * self.end[:n, n : 2 * n]

    def timed(self) -> np.ndarray:
        """Return the last equations (n + 1, n + 1) of variations that close up, the period and the phase with them."""
        n = self.n
        rows = self.end[: n + 1]
        return np.column_stack([rows[:, :n] + rows[:, n : 2 * n], rows[:, 2 * n]])

    def whole(self) -> np.ndarray:
        """Return the last equations (n + 2, n + 2) of changes of orbit, period and parameter."""
        n = self.n
        return np.column_stack([self.end[:, :n] + self.end[:, n : 2 * n], self.end[:, 2 * n : 2 * n + 2]])


def bordered(matrix: np.ndarray, borders: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
    """Return a nearly singular matrix with a column b and a row c^H; without borders by its own null vectors."""
    if borders is None:
        left, _, right = np.linalg.svd(matrix)
        borders = left[:, -1], right[-1].conj()
    b, c = borders
    size = len(matrix)
    out = np.zeros((size + 1, size + 1), np.result_type(matrix, b))
    out[:size, :size], out[:size, size], out[size, :size] = matrix, b, c.conj()
    return out

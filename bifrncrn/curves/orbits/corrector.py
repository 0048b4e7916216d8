"""Newton's method for orbits: the Python side of the compiled collocation."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from bifrncrn.compile.engine import Kernels
from bifrncrn.curves.orbits import layout as at
from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.multipliers import multipliers
from bifrncrn.curves.orbits.orbit import Mesh, Orbit
from bifrncrn.models.system import System

ORBITS = Kernels(
    "orbits", {"bifrncrn.curves.orbits.kernels": {"orbit_correct": 1, "orbit_extremes": 1, "orbit_pair": 1}}
)


@dataclass(frozen=True, eq=False)
class Metric:
    """Units of length: of the states (n,), and of the parameter. That of the period is the period itself."""

    scale: np.ndarray
    unit: float

    def dual(self, mesh: Mesh) -> np.ndarray:
        """Return what makes the inner product of two changes u, v of an orbit: u @ (dual * v)."""
        n = len(self.scale)
        states = mesh.weights[:, None] / (self.scale**2 * n)
        return np.concatenate([states.ravel(), [1.0, 1.0 / self.unit**2]])


@dataclass(frozen=True, eq=False)
class Corrected:
    """An orbit on the branch.

    Attributes
    ----------
    orbit : Orbit
    tangent : (4 N n + 2,) array
        Of the branch: change of the nodes, of the logarithm of the period, of the parameter; of unit length.
    pair : (2, n, n) array
        A0 and A1: a variation x_0, x_1 of the first and of the last state obeys A0 x_0 + A1 x_1 = 0 (in units of the
        metric's scale).
    velocity : (n,) array
        dx/dt at the first state, in the same units.
    growth : float
        The integral of the divergence over a period: the logarithm of the product of all multipliers (Liouville).
    newtons : int
    first, contraction : float
        Length of the first Newton step, and the worst ratio of two.
    """

    orbit: Orbit
    tangent: np.ndarray
    pair: np.ndarray
    velocity: np.ndarray
    growth: float
    newtons: int
    first: float
    contraction: float

    @functools.cached_property
    def spectrum(self) -> tuple[np.ndarray, float]:
        """The Floquet multipliers, the trivial one first, and the size up to which their signs are sure."""
        return multipliers(self.pair, self.velocity, self.growth)

    @property
    def multipliers(self) -> np.ndarray:
        """The Floquet multipliers, the trivial one first."""
        return self.spectrum[0]


class Corrector:
    """Newton's method for the orbits of a system in one parameter. Not to be shared between threads.

    Parameters
    ----------
    system : System
    parameter : int
        Index of the continuation parameter.
    lower : (n,) array
        Walls of the states, beyond which nothing is evaluated.
    tolerance : float
        Relative error of an orbit that is aimed for.

    Attributes
    ----------
    newtons : int
        Newton iterations spent.
    failure : int
        The reason of the last failure.
    lower : (n,) array
    """

    def __init__(self, system: System, parameter: int, lower: np.ndarray, tolerance: float = 1e-12) -> None:
        self.n = n = len(system.variables)
        self.newtons = self.failure = 0
        self.lower = np.array(lower, dtype=float)
        self._check = system.native.check
        self._call = ORBITS.engine.call
        self._layout = np.zeros(at.LAYOUT_SIZE, np.int64)
        constants = basis()
        values = np.array(system.values, dtype=float)
        direction = np.zeros_like(values)
        direction[parameter] = 1.0
        self._scale, self._unknowns, self._info = np.ones(n), np.zeros(2), np.zeros(at.INFO_SIZE)
        self._settings = np.array([1.0, tolerance])
        self._pair, self._velocity, self._extremes = np.zeros((2, n, n)), np.zeros(n), np.zeros((2, n))
        fixed = {
            at.VALUES: values, at.DIRECTION: direction, at.SCALE: self._scale, at.LOWER: self.lower,
            at.UNKNOWNS: self._unknowns, at.SETTINGS: self._settings, at.VALUES_AT: constants.values,
            at.SLOPES_AT: constants.slopes, at.MONOMIALS: constants.monomials, at.PAIR: self._pair,
            at.VELOCITY: self._velocity, at.EXTREMES: self._extremes, at.INFO: self._info,
        }  # fmt: skip
        self._keep = (system.native, fixed)
        for index, array in fixed.items():
            self._layout[index] = array.ctypes.data
        self._layout[at.STATES], self._layout[at.PARAMETER] = n, parameter
        self._layout[at.LINEARIZE] = system.native.linearize
        self._buffers: dict[int, np.ndarray] = {}
        self._resize(0)

    def _resize(self, count: int) -> None:
        """Make room for a mesh of `count` intervals."""
        self._count = count
        if count == 0:
            return
        for index, size in at.sizes(count, self.n).items():
            held = self._buffers.get(index)
            if held is None or held.size < size:
                kind = np.int64 if index == at.PIVOTS else float
                self._buffers[index] = held = np.zeros(size, kind)
                self._layout[index] = held.ctypes.data
        self._layout[at.INTERVALS] = count

    def _load(self, orbit: Orbit, metric: Metric) -> None:
        if orbit.count != self._count:
            self._resize(orbit.count)
        self._buffers[at.NODES][: orbit.nodes.size] = orbit.nodes.ravel()
        self._buffers[at.WIDTHS][: orbit.count] = orbit.mesh.widths
        self._scale[:] = metric.scale
        self._unknowns[:] = orbit.period, orbit.parameter
        self._settings[0] = metric.unit

    def correct(self, guess: Orbit, normal: np.ndarray, near: Orbit, metric: Metric) -> Corrected | int:
        """Bring a guess onto the branch.

        Parameters
        ----------
        guess : Orbit
        normal : (4 N n + 2,) array
            The correction is normal to it.
        near : Orbit
            An orbit on the same mesh: the correction is normal to its shift in phase too.
        metric : Metric

        Returns
        -------
        Corrected, or the reason of a failure (`bifrncrn.curves.orbits.layout`)
        """
        self._load(guess, metric)
        size, last = guess.nodes.size, guess.nodes.size + 2
        dual = metric.dual(guess.mesh)
        arc = self._buffers[at.ARC]
        units = np.tile(metric.scale, len(guess.nodes))
        arc[:last] = dual * normal
        arc[:size] *= units
        arc[size + 1] *= metric.unit
        weighted = dual[:size] * near.slopes.ravel() * units
        self._buffers[at.PHASE][:size] = weighted / (np.sqrt(np.sum(weighted * weighted)) or 1.0)
        self._buffers[at.WEIGHTS][: len(guess.nodes)] = guess.mesh.weights
        done = self._call["orbit_correct"](self._layout.ctypes.data)
        self._check()
        if done < 0:
            self.failure = int(done)
            return self.failure
        self.newtons += done
        tangent = self._buffers[at.TANGENT][:last].copy()
        tangent[:size] *= units
        tangent[size + 1] *= metric.unit
        orbit = Orbit(
            guess.mesh, self._buffers[at.NODES][:size].reshape(-1, self.n).copy(),
            float(self._unknowns[0]), float(self._unknowns[1]),
        )  # fmt: skip
        return Corrected(
            orbit, tangent, self._pair.copy(), self._velocity.copy(), float(self._info[at.INFO_GROWTH]),
            int(done), float(self._info[at.INFO_FIRST]), float(self._info[at.INFO_CONTRACTION]),
        )  # fmt: skip

    def damped_pair(self, orbit: Orbit, metric: Metric) -> np.ndarray | None:
        """Return the pair (2, n, n) that collocation at Radau points has along an orbit.

        Gauss points carry variations that decay much faster than the mesh resolves along almost undamped; Radau points
        damp them (L-stability; Hairer & Wanner, Solving Ordinary Differential Equations II, IV.3).
        """
        self._load(orbit, metric)
        kept = self._layout[[at.VALUES_AT, at.SLOPES_AT]]
        self._layout[at.VALUES_AT] = basis().radau_values.ctypes.data
        self._layout[at.SLOPES_AT] = basis().radau_slopes.ctypes.data
        failed = self._call["orbit_pair"](self._layout.ctypes.data)
        self._layout[[at.VALUES_AT, at.SLOPES_AT]] = kept
        self._check()
        return None if failed in (at.BAD_VALUE, at.OUTSIDE) else self._pair.copy()

    def extremes(self, orbit: Orbit) -> np.ndarray:
        """Return the least and the greatest value of every state, (2, n)."""
        self._load(orbit, Metric(self._scale, self._settings[0]))
        self._call["orbit_extremes"](self._layout.ctypes.data)
        return self._extremes.copy()

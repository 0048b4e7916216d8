"""Newton's method for orbits: the Python side of the compiled collocation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.orbits import layout as at
from bifrncrn.curves.orbits.memory import Memory
from bifrncrn.curves.orbits.orbit import Mesh, Orbit
from bifrncrn.models.system import System


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
    multipliers : (n,) complex array
        The Floquet multipliers, the trivial one first, NaN where rounding has spoilt it.
    sure : float
        The size up to which the signs of multipliers are sure, below 1 nothing is.
    newtons : int
    first, contraction : float
        Length of the first Newton step, and the worst ratio of two.
    rate : float
        The largest size of the Jacobian times the width of an interval, in units of the metric's scale.
    noise : float
        What rounding may move the multiplier by that is nearest to the unit circle.
    """

    orbit: Orbit
    tangent: np.ndarray
    pair: np.ndarray
    velocity: np.ndarray
    multipliers: np.ndarray
    sure: float
    newtons: int
    first: float
    contraction: float
    rate: float
    noise: float


def multipliers_in(found: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the multipliers that a kernel has written, and the size up to which their signs are sure."""
    n = len(found) // 2
    values = np.empty(n, complex)
    values.real, values.imag = found[:n], found[n:-1]
    return values, float(found[-1])


class Corrector:
    """Newton's method for the orbits of a system in one parameter. Not to be shared between threads.

    Parameters
    ----------
    system : System
    parameter : int
        Index of the continuation parameter.
    lower : (n,) array
        Walls of the states, beyond which nothing is evaluated.
    until : float, optional
        When time is up (`bifrncrn.curves.orbits.memory.Memory`).

    Attributes
    ----------
    newtons : int
        Newton iterations spent.
    failure : int
        The reason of the last failure.
    system, parameter, lower
    memory : Memory
    """

    def __init__(self, system: System, parameter: int, lower: np.ndarray, until: float | None = None) -> None:
        self.n = len(system.variables)
        self.newtons = self.failure = 0
        self.system, self.parameter = system, parameter
        self.lower = np.array(lower, dtype=float)
        self.memory = Memory(system, parameter, lower)
        self.memory.until = until

    def _load(self, orbit: Orbit, scale: np.ndarray, unit: float, room: int = 0) -> None:
        memory, count = self.memory, orbit.count
        memory.make_room(at.sizes(max(count, room), self.n))
        memory.layout[at.INTERVALS] = count
        memory[at.NODES][: orbit.nodes.size] = orbit.nodes.ravel()
        memory[at.WIDTHS][:count] = orbit.mesh.widths
        memory[at.SCALE][:] = scale
        memory[at.OFFSET][:] = 0.0 if orbit.offset is None else orbit.offset
        memory[at.UNKNOWNS][:] = orbit.period, orbit.parameter
        memory[at.SETTINGS][at.UNIT] = unit

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
        self._load(guess, metric.scale, metric.unit)
        memory, size = self.memory, guess.nodes.size
        memory[at.TANGENT][: size + 2] = normal
        memory[at.SPARE][:size] = near.nodes.ravel()
        done = memory.call("orbit_correct")
        if done < 0:
            self.failure = done
            return self.failure
        self.newtons += done
        nodes = memory[at.NODES][:size].reshape(-1, self.n).copy()
        period, parameter = memory[at.UNKNOWNS].tolist()
        info = memory[at.INFO]
        return Corrected(
            Orbit(guess.mesh, nodes, period, parameter, guess.offset), memory[at.TANGENT][: size + 2].copy(),
            memory[at.PAIR].copy(), memory[at.VELOCITY].copy(),
            *multipliers_in(memory[at.MULTIPLIERS]),
            done, float(info[at.INFO_FIRST]), float(info[at.INFO_CONTRACTION]),
            float(info[at.INFO_RATE]), float(info[at.INFO_NOISE]),
        )  # fmt: skip

    def multipliers(self, orbit: Orbit, metric: Metric, at_radau: bool) -> np.ndarray | None:
        """Return the multipliers (n,) of collocation at Gauss or at Radau points, along an orbit as it is."""
        self._load(orbit, metric.scale, metric.unit)
        failed = self.memory.call("orbit_multipliers", int(at_radau))
        return None if failed else multipliers_in(self.memory[at.MULTIPLIERS])[0]

    def extremes(self, orbit: Orbit) -> np.ndarray:
        """Return the least and the greatest value of every state, (2, n)."""
        self._load(orbit, np.maximum(np.ptp(orbit.nodes, axis=0), 1e-300), 1.0)
        self.memory.call("orbit_extremes")
        return self.memory[at.EXTREMES].copy()

    def mesh(self, orbit: Orbit, metric: Metric, count: int) -> Mesh:
        """Return a mesh of so many intervals that suits an orbit."""
        self._load(orbit, metric.scale, metric.unit, count)
        self.memory.call("orbit_mesh", count)
        return Mesh(self.memory[at.EDGES][: count + 1].copy())

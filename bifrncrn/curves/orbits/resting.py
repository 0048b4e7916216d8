"""Equilibria that an orbit passes slowly: what distinguishes a period without bound from a long one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.orbits.branch import Place
from bifrncrn.curves.orbits.orbit import Orbit

SLOW = 0.1
"""An orbit is slow where its speed is below this part of its mean."""
NEAR = 0.02
"""An orbit passes an equilibrium where it comes this close to it, relative to what the states sweep."""
TURN = 2.0 * np.pi
SAME = 1e-3
"""Equilibria closer together are one."""
NEWTON = 20


@dataclass(frozen=True, eq=False)
class Rest:
    """An equilibrium near an orbit: its state, its distance in units of the orbit's size, and its eigenvalues."""

    state: np.ndarray
    distance: float
    eigenvalues: np.ndarray

    @property
    def saddle(self) -> bool:
        """Whether it attracts in some directions and repels in others."""
        real = self.eigenvalues.real
        return bool(np.any(real > 0.0) and np.any(real < 0.0))


def saddles_passed(problem: EquilibriumProblem, place: Place) -> list[Rest]:
    """Return the saddles that an orbit comes near to, the nearest first."""
    return [rest for rest in equilibria_passed(problem, place) if rest.saddle]


def equilibria_passed(problem: EquilibriumProblem, place: Place) -> list[Rest]:
    """Return the equilibria that an orbit comes near to, the nearest first."""
    orbit, scale = place.orbit, np.maximum(np.ptp(place.orbit.nodes, axis=0), 1e-3 * place.metric.scale)
    speed = np.linalg.norm(orbit.slopes / scale, axis=1)
    lowest = (speed <= np.roll(speed, 1)) & (speed <= np.roll(speed, -1)) & (speed < SLOW * np.mean(speed))
    found: list[Rest] = []
    for x in orbit.nodes[lowest]:
        y = _equilibrium(problem, np.append(x, orbit.parameter), scale)
        if y is None:
            continue
        state = y[:-1]
        distance = _distance(orbit, state, scale)
        new = all(np.max(np.abs(_turned(orbit, rest.state - state)) / scale) > SAME for rest in found)
        if new and distance < NEAR:
            found.append(Rest(state, distance, np.linalg.eigvals(problem.linearize(y)[1][:, : problem.n])))
    return sorted(found, key=lambda rest: rest.distance)


def time_away(orbit: Orbit, rests: list[Rest], scale: np.ndarray) -> float:
    """Return the time of a period in which an orbit is near none of some equilibria; `scale` is the size of orbits."""
    gaps = [np.max(np.abs(_turned(orbit, orbit.nodes - rest.state)) / scale, axis=1) for rest in rests]
    return orbit.period * float(orbit.mesh.weights @ (np.min(gaps, axis=0) >= NEAR))


def _distance(orbit: Orbit, state: np.ndarray, scale: np.ndarray) -> float:
    """Return how close an orbit comes to a state."""
    return float(np.min(np.max(np.abs(_turned(orbit, orbit.nodes - state)) / scale, axis=1)))


def _turned(orbit: Orbit, gaps: np.ndarray) -> np.ndarray:
    """Return gaps between states; those of angles that go round along an orbit of less than half a turn."""
    if orbit.offset is None:
        return gaps
    return np.where(orbit.offset != 0.0, gaps - TURN * np.round(gaps / TURN), gaps)


def _equilibrium(problem: EquilibriumProblem, y: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Return the equilibrium that Newton's method finds without going far; `scale` is the size of the orbit."""
    at = y.copy()
    for _ in range(NEWTON):
        f, solve = problem.solver(at, scale)
        if solve is None:
            return None
        step = solve(-f)
        at[:-1] += step
        if not np.max(np.abs(at[:-1] - y[:-1]) / scale) < 1.0:
            return None
        if np.max(np.abs(step) / scale) < 1e-10:
            return at
    return None


def saddle_node(problem: EquilibriumProblem, place: Place) -> np.ndarray | None:
    """Return the fold of equilibria (x, p) beside which an orbit is slowest, None where there is none near.

    Newton's method for f = 0 and g = 0, where g borders the Jacobian by its vectors to the least singular value
    (Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, 3.2); the slope of g by differences.
    """
    orbit, n = place.orbit, problem.n
    scale = np.append(np.maximum(np.ptp(orbit.nodes, axis=0), 1e-3 * place.metric.scale), place.metric.unit)
    start = orbit.nodes[int(np.argmin(np.linalg.norm(orbit.slopes / scale[:-1], axis=1)))]
    y = np.append(start, orbit.parameter)
    rest = _equilibrium(problem, y, scale[:-1])
    if rest is not None and _distance(orbit, rest[:-1], scale[:-1]) < NEAR:
        return None  # the cycle exists beside it: where there is none yet, or no more, a saddle-node lies on it
    f, jacobian = problem.linearize(y)
    if not np.all(np.isfinite(jacobian)):
        return None
    left, _, right = np.linalg.svd(jacobian[:, :n])
    borders = (left[:, -1], right[-1])
    for _ in range(NEWTON):
        matrix = np.vstack([jacobian, _slope(problem, y, borders, scale)])
        try:
            step = np.linalg.solve(matrix, -np.append(f, _bordered(jacobian[:, :n], borders)))
        except np.linalg.LinAlgError:
            return None
        y = y + step
        if not (np.max(np.abs(y[:-1] - start) / scale[:-1]) < 0.5):
            return None
        f, jacobian = problem.linearize(y)
        if np.max(np.abs(step) / scale) < 1e-9:
            return y if _distance(orbit, y[:-1], scale[:-1]) < NEAR else None
        if not np.all(np.isfinite(jacobian)):
            return None
    return None


def _bordered(jacobian: np.ndarray, borders: tuple[np.ndarray, np.ndarray]) -> float:
    column, row = borders
    n = len(column)
    matrix = np.zeros((n + 1, n + 1))
    matrix[:n, :n], matrix[:n, n], matrix[n, :n] = jacobian, column, row
    try:
        return float(np.linalg.solve(matrix, np.append(np.zeros(n), 1.0))[n])
    except np.linalg.LinAlgError:
        return float("nan")


def _slope(
    problem: EquilibriumProblem, y: np.ndarray, borders: tuple[np.ndarray, np.ndarray], scale: np.ndarray
) -> np.ndarray:
    """Return the derivative of the bordered determinant by (x, p), by central differences."""
    out = np.empty(len(y))
    for k in range(len(y)):
        step = np.zeros(len(y))
        step[k] = 1e-5 * scale[k]
        ends = [_bordered(problem.linearize(at)[1][:, : problem.n], borders) for at in (y - step, y + step)]
        out[k] = (ends[1] - ends[0]) / (2.0 * step[k])
    return out

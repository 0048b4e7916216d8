"""From a rough start to a point of a cycle of given length: Newton's method, failing that iterating the map."""

from __future__ import annotations

import numpy as np

from bifrncrn.base.errors import ConvergenceError
from bifrncrn.curves.equilibria.start import ELSEWHERE, nearby, newton
from bifrncrn.curves.fixed_points.problem import FixedPointProblem
from bifrncrn.models.maps import least_period, orbit

STEPS = (100, 1_000, 10_000)
"""So many times the map is applied before it is looked whether it has settled."""
SETTLED = 1e-4
"""A state no further than this from a point of a cycle, relatively, has come to the cycle."""
ESCAPED = 1e9
"""States that have grown beyond this multiple of the start (or of one) are on their way to infinity."""
TRIED = 64
"""From so many states of an orbit, at most, Newton's method is tried where the orbit settles to nothing."""


def find_start(problem: FixedPointProblem, y: np.ndarray) -> tuple[np.ndarray, str]:
    """Return a point of a cycle of `problem.iterations` points for a rough start, and a sentence on how it was found.

    Raises
    ------
    ConvergenceError
        If neither Newton's method nor iterating the map leads to one.
    """
    k = problem.iterations
    noun = "fixed point" if k == 1 else f"cycle of {k} points"
    found = _of_least_period(problem, newton(problem, y))
    moved = np.inf if found is None else _gap(found, y)
    if moved > ELSEWHERE:
        beside = _of_least_period(problem, nearby(problem, y))
        if beside is not None:
            name = problem.map.parameters[problem.parameter]
            return beside, f"The start was moved to the {noun} beside it, at {name}={beside[-1]:.9g}."
    if found is not None and moved <= ELSEWHERE:
        return found, "" if moved < 1e-6 else "The start was corrected by Newton's method."
    settled, visited = _settled(problem, y)
    if settled is not None:
        return settled, f"The start was iterated until it settled to a {noun}."
    if found is not None:
        return found, f"The start does not settle to a {noun}; Newton's method led to one."
    for x in visited:
        found = _of_least_period(problem, newton(problem, np.append(x, y[-1])))
        if found is not None:
            return found, f"The start does not settle to a {noun}; one was found near the states that it comes to."
    where = ", ".join(f"{name}={value:g}" for name, value in zip(problem.map.variables, y, strict=False))
    name = problem.map.parameters[problem.parameter]
    raise ConvergenceError(
        f"no {noun} was found from the start {where} at {name}={y[-1]:g}: Newton's "
        "method and iterating the map both failed; give a start nearer to one with --start (start=...), or another "
        "value of the parameter"
    )


def unit_of(states: np.ndarray) -> np.ndarray:
    """Return the size (n,) of the states (k, n) of a cycle; one that is zero all along has that of the others."""
    sizes = np.abs(states).max(axis=0)
    return np.where(sizes > 1e-8 * (sizes.max() or 1.0), sizes, sizes.max() or 1.0)


def _of_least_period(problem: FixedPointProblem, y: np.ndarray | None) -> np.ndarray | None:
    """Return a point if it is one of a cycle of as many points as it should have."""
    if y is None:
        return None
    states = problem.states(y)
    if not np.isfinite(states).all() or least_period(states, unit_of(states)) != problem.iterations:
        return None
    return y


def _gap(found: np.ndarray, y: np.ndarray) -> float:
    """Return how far the states of two points are apart, relatively."""
    least = 1e-3 * (float(np.max(np.abs(y[:-1]))) or 1.0)
    return float(np.max(np.abs(found - y)[:-1] / (np.abs(y[:-1]) + least)))


def _settled(problem: FixedPointProblem, y: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the point of a cycle that the map comes to from y, None for none, and the states visited last."""
    x, values, done = y[:-1], problem.at(y[-1]), 0
    visited = np.empty((0, problem.n))
    for steps in STEPS:
        states = orbit(problem.map, x, steps - done + 1, values)
        if not np.all(np.abs(states) < ESCAPED * max(1.0, float(np.abs(y[:-1]).max()))):
            break
        x, done = states[-1], steps
        visited = states[-min(TRIED, len(states)) :]
        found = _of_least_period(problem, newton(problem, np.append(x, y[-1])))
        if found is not None and np.max(np.abs(found[:-1] - x) / unit_of(states)) < SETTLED:
            return found, visited
    return None, visited

"""From a rough start to an equilibrium: Newton's method, failing that settling by integration."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np

from bifrncrn.base.errors import ConvergenceError
from bifrncrn.curves.equilibria.newton import (
    ARRIVED,
    BY_ROUNDING,
    LEAST_DAMPING,
    NOWHERE,
    SHORT,
    SINGULAR,
    SMALL,
    STOPPED,
    TOLERANCE,
)
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.models.field import Field
from bifrncrn.models.observables import denominators

NEAR = 1e-3
"""A start that is an equilibrium but for rounding or few digits is not further from it than this, relatively."""
MUCH_LESS = 1e-6
"""Where the states are this part of those at the start, the start says nothing about their size."""
ELSEWHERE = 0.1
"""Newton's method has left the start where it has moved by more than this, relatively."""
SAMPLES = 33
"""At so many points between a start and an equilibrium a pole is looked for."""
ESCAPE = 1e9
"""A solution that grows beyond this multiple of the start (or of one) is taken to go to infinity."""
SPANS = (1.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6)
"""Times for which the solution is followed, one after the other."""
RESTED = 1e-6
"""An equilibrium no further than this, relative to the largest the states were, is where the solution is."""
UNRESOLVED = 1e2
"""A motion of so many times the tolerances of the integration, whose errors add up over its steps, is none."""
CLOSE = 1e-2
"""One no further than this is where the solution goes if it came twice as near while it was watched."""
ROUNDS = 100
STEADY = 1e-3
"""A solution along which an angle turns so often, in the later half as fast as in the earlier to this part, goes round
and round: one that slows down would have to turn hundreds of thousands of times until it rests."""
EVALUATIONS = 200_000
"""Settling is given up after this many evaluations of the field."""


class _Escaped(Exception):
    """The solution goes to infinity, or the integration does not come to an end."""


def newton(problem: EquilibriumProblem, y: np.ndarray, iterations: int = 50) -> np.ndarray | None:
    """Return the equilibrium at the parameter value of `y` that damped Newton iterations from `y` reach.

    None where they reach none, or one outside the problem's region.
    """
    found = _newton(problem, y, iterations)
    return found if found is not None and problem.region.holds(found) else None


def _newton(problem: EquilibriumProblem, y: np.ndarray, iterations: int) -> np.ndarray | None:
    """Return what damped Newton iterations converge to.

    The iterates stay inside the walls; a step is shortened until the residual, measured by the Newton step
    it would cause, decreases (natural monotonicity; Deuflhard, Newton Methods for Nonlinear Problems, 3.1).
    """
    at, ended, size = problem.descend(y, iterations)
    if ended == SINGULAR:
        at, ended, size = _least_squares(problem, at, float(np.abs(y[:-1]).max()), iterations)
    if ended == ARRIVED:
        return at
    if ended == NOWHERE:
        return None
    if ended == SHORT:  # a singular Jacobian makes a short step anywhere
        found = _rounded(problem, at, size) if problem.gap(at, np.append(size, 0.0)) < 1e-6 else None
        if found is not None and _is_nowhere(problem, found, y):
            return _newton(problem, found, iterations)
        return found
    return at if problem.vanishes(at) else None  # at the level of rounding nothing decreases any more


def _least_squares(
    problem: EquilibriumProblem, y: np.ndarray, first: float, iterations: int
) -> tuple[np.ndarray, int, np.ndarray]:
    """Do what `descend` does, with the steps of least squares where the Jacobian is singular; also of large systems.

    `first` is how large the states were at the start.
    """
    n = problem.n
    at, size = np.array(y, dtype=float), np.zeros(n)
    for _ in range(iterations):
        f, solve = problem.solver(at, _units(at[:n], first))
        if solve is None:
            return at, NOWHERE, size
        if not f.any():
            return at, ARRIVED, size
        step = solve(-f)
        # a state that goes to zero has no size of its own: then that of the others counts, or what it was
        size = np.abs(at[:n])
        size += SMALL * (max(float(size.max()), first) or float(np.abs(step).max()))
        if not size.any():  # F is not zero, and a singular Jacobian gives no step
            return at, NOWHERE, size
        length = float((np.abs(step) / size).max())
        if not math.isfinite(length):
            return at, NOWHERE, size
        if length < TOLERANCE:
            return at, SHORT, size
        damping = 1.0
        while True:
            trial = problem.region.clip(np.append(at[:n] + damping * step, at[n]))
            if _monotone(problem.field(trial), solve, size, damping, length):
                break
            damping *= 0.5
            if not damping > LEAST_DAMPING:
                return at, STOPPED, size
        at = trial
    return at, STOPPED, size


def _units(x: np.ndarray, first: float) -> np.ndarray:
    """Return units (n,) of the states, none of them zero."""
    size = np.abs(x)
    return np.asarray(size + (SMALL * max(float(size.max()), first) or 1.0))


def _is_nowhere(problem: EquilibriumProblem, found: np.ndarray, y: np.ndarray) -> bool:
    """Say whether what was found is so small beside the start that a step looked short from there, and no equilibrium.

    By the terms of the equations themselves it is none.
    """
    largest = float(np.abs(found[:-1]).max())
    return largest < MUCH_LESS * float(np.abs(y[:-1]).max()) and not problem.vanishes(found)


def _rounded(problem: EquilibriumProblem, y: np.ndarray, size: np.ndarray) -> np.ndarray | None:
    """Return an equilibrium with exact zeros for states that Newton's method has only brought near to zero.

    A state that is small and right satisfies the equations to rounding, whatever its size, and is kept. None where the
    equations are not defined at zero.
    """
    if problem.vanishes(y):
        return y
    zero = np.append(np.abs(y[: problem.n]) < TOLERANCE * size / SMALL, False)
    exact = np.where(zero, 0.0, y)
    if not zero.any():
        return y
    if not problem.gap(exact, np.append(size, 0.0)) < 1e-6:
        return None
    return exact if problem.vanishes(exact) else y


def _monotone(
    new_f: np.ndarray, solve: Callable[[np.ndarray], np.ndarray], size: np.ndarray, damping: float, length: float
) -> bool:
    if not np.all(np.isfinite(new_f)):
        return False
    new_length = float(np.max(np.abs(solve(-new_f)) / size))
    return new_length <= max(1.0 - 0.25 * damping, 0.5) * length or new_length < BY_ROUNDING


def settle(problem: EquilibriumProblem, y: np.ndarray) -> tuple[np.ndarray, str] | None:
    """Integrate from `y` for longer and longer, until it is clear what equilibrium belongs to the solution.

    It is the one that the solution comes to rest at, or, where the solution comes back again and again instead, one
    that Newton's method finds inside of what it goes around. One that is anywhere else is no answer: it may lie beyond
    a pole of the equations, where the solution cannot go.

    Returns
    -------
    (n + 1,) array and str, or None
        The equilibrium, and what the solution has to do with it.
    """
    from scipy.integrate import solve_ivp

    n = problem.n
    at = np.array(y, dtype=float)
    unit = float(np.max(np.abs(at[:n]))) or 1.0
    accuracy = {"rtol": 1e-8, "atol": 1e-10 * min(1.0, unit)}
    far = ESCAPE * max(1.0, unit)
    patience = iter(range(EVALUATIONS))
    model = Field(problem.system)
    model.at(problem.system.with_(values={problem.system.parameters[problem.parameter]: float(at[n])}).values)

    def field(t: float, x: np.ndarray) -> np.ndarray:
        if next(patience, None) is None or not np.abs(x).max() < far:
            raise _Escaped
        return model.rhs(t, x)

    def slope(_: float, x: np.ndarray) -> np.ndarray:
        f, matrix = problem.linearize(np.append(x, at[n]))
        if np.all(np.isfinite(f)):
            return matrix[:, :n]
        return problem.linearize(problem.region.clip(np.append(x, at[n])))[1][:, :n]  # it may not be defined beyond

    around = None
    for span in SPANS:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                run = solve_ivp(field, (0.0, span), at[:n], method=problem.integrator, jac=slope, **accuracy)
            except _Escaped:
                break
        if not run.success or not np.all(np.isfinite(run.y)):
            break
        if _rotates(problem, run.t, run.y):
            break
        at = problem.region.clip(np.append(run.y[:, -1], at[n]))
        found = newton(problem, at)
        if found is not None and _comes_to(found[:n], run.y.T):
            return found, "The start was settled by integration, then corrected by Newton's method."
        before, around = around, _inside(problem, run.t, run.y.T, at[n], accuracy)
        if before is not None and around is not None:
            break
    return None if around is None else (around, "The start oscillates; the equilibrium that it goes around was taken.")


def _rotates(problem: EquilibriumProblem, t: np.ndarray, x: np.ndarray) -> bool:
    """Say whether a state that is an angle goes round and round along the solution x (n, k)."""
    for name in problem.system.periodic:
        angle = x[problem.system.variables.index(name)]
        early, late = np.diff(np.interp([t[0], 0.5 * (t[0] + t[-1]), t[-1]], t, angle))
        if abs(late) > np.pi * ROUNDS and abs(late - early) < STEADY * abs(late):
            return True
    return False


def _comes_to(rest: np.ndarray, states: np.ndarray) -> bool:
    """Say whether the states (k, n) of a solution come to rest at an equilibrium."""
    size = np.maximum(np.abs(states).max(axis=0), 1e-300)
    distance = np.max(np.abs(states - rest) / size, axis=1)
    late = distance[-5:].max()  # of a few, lest a cycle that passes by count
    return bool(distance[-1] < RESTED or (late < CLOSE and late < 0.5 * distance.max()))


def _inside(
    problem: EquilibriumProblem, times: np.ndarray, states: np.ndarray, p: float, accuracy: dict[str, float]
) -> np.ndarray | None:
    """Return the equilibrium within the extremes that a solution repeats, or None.

    Some states may come to rest, to the accuracy of the integration, while others oscillate.
    """
    still = UNRESOLVED * (accuracy["atol"] + accuracy["rtol"] * np.abs(states).max(axis=0))
    later = states[times >= times[-1] / 2]
    early, late = np.ptp(states[times < times[-1] / 2], axis=0), np.ptp(later, axis=0)
    repeated = (early < 2.0 * late) & (late > still)
    if not np.all(late < 2.0 * early + still) or not np.any(repeated):
        return None
    found = newton(problem, problem.region.clip(np.append(later.mean(axis=0), p)))
    if found is None:
        return None
    x = found[: problem.n]
    return found if np.all((x >= later.min(axis=0) - still) & (x <= later.max(axis=0) + still)) else None


def nearby(problem: EquilibriumProblem, y: np.ndarray) -> np.ndarray | None:
    """Return the equilibrium next to `y` when the parameter may move too, or None where there is none very near.

    At a fold, and just beyond it, there is nothing regular to find at the parameter value given. Newton steps of least
    length lead to the branch beside it.
    """
    scale = np.abs(y)
    scale += 1e-3 * float(scale.max())
    scale[scale == 0.0] = 1.0
    at = np.array(y, dtype=float)
    for _ in range(20):
        step = problem.beside(at, problem.tangent(at, scale) / scale / scale, scale)
        if step is None:
            return None
        at = problem.region.clip(at + step)
        if not (np.abs(at - y) / scale).max() < NEAR:
            return None
        if (np.abs(step) / scale).max() < TOLERANCE:
            return at if problem.region.holds(at) and problem.gap(at, scale) < 1e-9 else None
    return None


def _pole_between(problem: EquilibriumProblem, y: np.ndarray, found: np.ndarray) -> bool:
    """Say whether the equations divide by something that changes sign on the straight way from one point to another."""
    divisors = denominators(problem.system)
    if not divisors.count:
        return False
    states = y[:-1] + np.linspace(0.0, 1.0, SAMPLES)[:, None] * (found - y)[:-1]
    values = np.array(problem.system.values)
    values[problem.parameter] = y[-1]
    along = divisors.along(states, values)
    return bool(np.any(along.min(axis=0) * along.max(axis=0) < 0.0))


def _moved(before: list[float], after: list[float]) -> float:
    """Return how far states have moved, relative to the size of each, or to a small part of the largest."""
    least = NEAR * (max(map(abs, before)) or 1.0)
    return max(abs(b - a) / (abs(a) + least) for a, b in zip(before, after, strict=True))


def find_start(problem: EquilibriumProblem, y: np.ndarray) -> tuple[np.ndarray, str]:
    """Return an equilibrium for a rough start, and a sentence that says how it was found.

    Raises
    ------
    ConvergenceError
        If neither Newton's method nor integration from the start reaches one.
    """
    name = problem.system.parameters[problem.parameter]
    found = newton(problem, y)
    moved = math.inf if found is None else _moved(y[:-1].tolist(), found[:-1].tolist())
    if moved > ELSEWHERE:
        beside = nearby(problem, y)
        if beside is not None:
            return beside, f"The start was moved to the equilibrium beside it, at {name}={beside[-1]:.9g}."
        if found is not None and _pole_between(problem, y, found):
            found = None  # no solution from the start goes there
    if found is not None:
        return found, "" if moved < 1e-6 else "The start was corrected by Newton's method."
    settled = settle(problem, y)
    if settled is not None:
        return settled
    system = problem.system
    where = ", ".join(f"{name}={value:g}" for name, value in zip(system.variables, y, strict=False))
    raise ConvergenceError(
        f"no equilibrium was found from the start {where} at {name}={y[-1]:g}: Newton's method and integration both "
        "failed; give a start nearer to an equilibrium with --start (start=...), or another value of the parameter"
    )

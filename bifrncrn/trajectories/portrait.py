"""The phase plane of a system of two states: field, equilibria, separatrices, cycles, trajectories."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import as_sides, require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import Reported, folded, format_table, printable
from bifrncrn.curves.equilibria.find import with_a_parameter
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.search import equilibria
from bifrncrn.models.field import Field
from bifrncrn.models.maps import require_flow
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Cycle, find_cycle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = 121
"""Points along a side at which the field is evaluated."""
OUTSIDE = 0.5
"""A curve is followed until it is this far outside the box, in terms of its sides."""
STEPS = 3000
NUDGE = 1e-4
"""Distance from an equilibrium at which a separatrix begins, in terms of the box."""
SETTLING = 10_000
"""Steps in which a cycle must have been found."""
ONE = 1e-5
"""Two cycles are one when their extremes differ by less, in terms of the box."""
WATCHED = 100.0
"""The time a trajectory is followed where nothing says what to show."""


@dataclass(frozen=True, eq=False)
class Rest:
    """An equilibrium: its state, eigenvalues, and what they make it."""

    state: np.ndarray
    eigenvalues: np.ndarray

    @property
    def kind(self) -> str:
        """`stable node`, `stable focus`, `saddle`, `unstable node`, `unstable focus`, or `neutral`."""
        real = self.eigenvalues.real
        if np.any(np.abs(real) <= 1e-9 * np.abs(self.eigenvalues).max()):
            return "neutral"
        if real.min() < 0.0 < real.max():
            return "saddle"
        shape = "focus" if np.any(self.eigenvalues.imag != 0.0) else "node"
        return f"{'stable' if real.max() < 0.0 else 'unstable'} {shape}"


@dataclass(frozen=True, eq=False, repr=False)
class Portrait(Reported):
    """A phase plane.

    Attributes
    ----------
    system : System
    box : two pairs of float
        What is shown of the two states.
    field : (2, m, m) array
        The right-hand sides on a grid: component, second state, first state.
    rests : tuple of Rest
        The equilibria in the box that were found.
    evidence : str
        What speaks for their being all.
    separatrices : tuple of (k, 2) arrays
        The curves along which trajectories leave and reach the saddles.
    cycles : tuple of Cycle
        Those found from the system's start and from beside the equilibria, in both directions of time.
    trajectories : tuple of (k, 2) arrays
    """

    system: System
    box: tuple[tuple[float, float], tuple[float, float]]
    field: np.ndarray
    rests: tuple[Rest, ...]
    evidence: str
    separatrices: tuple[np.ndarray, ...]
    cycles: tuple[Cycle, ...]
    trajectories: tuple[np.ndarray, ...]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw it; see `bifrncrn.plots.plane.plot_plane`."""
        from bifrncrn.plots.plane import plot_plane

        return plot_plane(self, ax)

    def __str__(self) -> str:
        names = self.system.variables
        sides = ", ".join(f"{n} in [{a:.4g}, {b:.4g}]" for n, (a, b) in zip(names, self.box, strict=True))
        lines = [f"{self.system.title or 'model'}: {sides}", ""]
        rows = [[rest.kind, *(f"{v:.8g}" for v in rest.state.tolist())] for rest in self.rests]
        lines.append(format_table(["equilibrium", *names], rows) if rows else "no equilibrium was found in the box")
        for cycle in self.cycles:
            lines.append(f"{cycle.stability} cycle, period {cycle.period:.8g}")
        return printable(folded("\n".join([*lines, f"({self.evidence})"])))

    def __repr__(self) -> str:
        return f"<Portrait: {len(self.rests)} equilibria, {len(self.cycles)} cycles>"


def portrait(
    system: System,
    *,
    box: Mapping[str, tuple[float, float]] | None = None,
    starts: Sequence[Mapping[str, float]] = (),
) -> Portrait:
    """Return the phase plane of a system of two states, at its parameter values.

    Parameters
    ----------
    system : System
    box : mapping of str to (float, float), optional
        What is shown of a state; by default what the trajectory from the system's start passes through.
    starts : sequence of mappings of str to float
        Start states (other states as the system's) of trajectories to draw.

    Raises
    ------
    InputError
        If the system has not two states, or a name or side of the box is not what it must be.

    Examples
    --------
    >>> model = System.from_equations({"x": "y", "y": "(1 - x^2)*y - x"}, state={"x": 1.0, "y": 0.0})
    >>> print(portrait(model, box={"x": (-3, 3), "y": (-4, 4)}))
    model: x in [-3, 3], y in [-4, 4]
    <BLANKLINE>
    equilibrium     x  y
    unstable focus  0  0
    stable cycle, period 6.6632869
    (the sum of their indices is what the field on the boundary of the box demands)
    """
    require_kind(system, System, "a system")
    require_flow(system, "a portrait")
    if len(system.variables) != 2:
        raise InputError(f"a phase plane needs a model of two states, and this has {len(system.variables)}")
    shown = _box(system, as_sides(box, "a box"))
    low, high = np.array(shown).T
    rests, evidence = _rests(system, low, high)
    forward, backward = Field(system), Field(system, backward=True)
    curves = [
        curve for rest in rests if rest.kind == "saddle" for curve in _manifolds(rest, forward, backward, low, high)
    ]
    begun = [system.with_(state=start).state for start in starts]
    runs = tuple(frozen(_follow(forward, np.array(x), low, high)) for x in begun)
    return Portrait(
        system,
        shown,
        _grid(forward, low, high),
        rests,
        evidence,
        tuple(curves),
        _cycles(system, rests, high - low),
        runs,
    )


def _box(system: System, given: dict[str, tuple[float, float]]) -> tuple[tuple[float, float], tuple[float, float]]:
    sides: list[tuple[float, float]] = []
    for name, (low, high) in given.items():
        system.variable_index(name)
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise InputError(f"the box of {name} must be two finite numbers, lower one first, not [{low:g}, {high:g}]")
    run = None if set(given) >= set(system.variables) else system.simulate(WATCHED).x
    for k, name in enumerate(system.variables):
        if name in given or run is None:
            sides.append(given[name])
            continue
        bottom, top = float(run[:, k].min()), float(run[:, k].max())
        room = 0.25 * (top - bottom) or 0.5 * abs(top) or 1.0
        sides.append((max(bottom - room, float(system.lower[k])), top + room))
    return sides[0], sides[1]


def _grid(field: Field, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    x, y = (np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True))
    with np.errstate(all="ignore"):
        values = field.many(np.column_stack([v.ravel() for v in np.meshgrid(x, y)]))
    return frozen(values.T.reshape(2, GRID, GRID))


def _rests(system: System, low: np.ndarray, high: np.ndarray) -> tuple[tuple[Rest, ...], str]:
    system = with_a_parameter(system)
    problem = EquilibriumProblem(system, 0)
    found = equilibria(problem, float(system.values[0]), low, high, problem.region)
    rests = [Rest(frozen(y[:2]), frozen(np.linalg.eigvals(system.jacobian(y[:2])), complex)) for y in found.points]
    return tuple(rests), found.evidence


def _manifolds(rest: Rest, forward: Field, backward: Field, low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
    """Return the two curves that leave a saddle and the two that reach it."""
    values, vectors = np.linalg.eig(forward.jacobian(0.0, rest.state))
    out = []
    for value, vector in zip(values.real, vectors.real.T, strict=True):
        step = NUDGE * vector / np.max(np.abs(vector) / (high - low))
        field = forward if value > 0.0 else backward
        out += [frozen(_follow(field, rest.state + sign * step, low, high)) for sign in (1.0, -1.0)]
    return out


def _follow(field: Field, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the states (k, 2) of a trajectory until it is far outside the box, or has gone on for long."""
    from scipy.integrate import LSODA

    points, size = [x], high - low
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a failed step ends the curve
        solver = LSODA(field.rhs, 0.0, x.copy(), 1e300, rtol=1e-7, atol=1e-9 * float(size.min()), jac=field.jacobian)
        for _ in range(STEPS):
            before = solver.t
            solver.step()
            y = solver.y.copy()
            if solver.status == "failed" or solver.t == before or not np.all(np.isfinite(y)):
                break
            points.append(y)
            if np.any(y < low - OUTSIDE * size) or np.any(y > high + OUTSIDE * size):
                break
            if len(points) > 50 and np.all(np.ptp(np.array(points[-50:]), axis=0) < 1e-6 * size):
                break  # at rest
    return np.array(points)


def _cycles(system: System, rests: Sequence[Rest], size: np.ndarray) -> tuple[Cycle, ...]:
    tries = [(system.state, False)]
    for rest in rests:
        beside = np.maximum(rest.state + 0.01 * size, system.lower)
        if rest.kind.startswith(("stable", "unstable")):
            tries.append((beside, rest.kind.startswith("stable")))
    found: list[Cycle] = []
    for state, backward in tries:
        cycle = find_cycle(system, state=state, backward=backward, max_steps=SETTLING)
        if cycle is None:
            continue
        ends = np.concatenate([cycle.min / size, cycle.max / size])
        if not any(np.allclose(ends, np.concatenate([c.min / size, c.max / size]), atol=ONE) for c in found):
            found.append(cycle)
    return tuple(found)

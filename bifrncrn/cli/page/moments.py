"""What a click on a point shows: a time series, or the cycle, and the phase plane at that parameter value."""

from __future__ import annotations

from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.cli.page.layers import Layer, number, rounded
from bifrncrn.diagrams.results import Branch
from bifrncrn.models.field import Field
from bifrncrn.models.observables import observables
from bifrncrn.models.system import System
from bifrncrn.plots.curves import crossings, cycle_between, stability_between, states_of
from bifrncrn.trajectories.simulation import simulate

SERIES = 4
"""States in the time series, at most."""
SAMPLES = 180
NUDGE = 0.03
"""How far beside an equilibrium the trajectory starts, in terms of the extent of its branch."""
LASTS = 9.0
"""The time that is shown, in units of the time in which the slowest deviation changes by a factor of e."""
SLOWEST = 0.05
"""Rates below this share of what is usual on the branch, such as those at a fold, do not make the time longer."""
STEPS = 1500
ACCURACY = 1e-5
"""Relative, of each step of a trajectory: a picture shows four digits."""
ROOM = 0.15
LEAST = 0.1
"""Room about what is in the phase plane, in terms of it; and the least size, in terms of the branches' extent."""
GRID = 31
"""Points a side at which the field is computed."""
ARROWS = 3
"""Every so many of them carry an arrow."""


def moment(layers: list[Layer], layer: Layer, branch: Branch, row: int, states: list[str]) -> dict[str, Any] | None:
    """Return the data of a click on a point, None where there is nothing to show."""
    system = layer.system
    value = float(branch.points[row, 0])
    shown = states[:SERIES]
    own = [layer.names[name] for name in shown]
    if branch.kind == "periodic":
        run = _cycle(branch, row, own)
        title = f"the cycle at {layer.diagram.parameter} = {value:.6g}, two periods"
    else:
        run = None if system is None else _departure(system.with_(values={layer.diagram.parameter: value}), branch, row)
        title = f"from beside the equilibrium at {layer.diagram.parameter} = {value:.6g}"
    if run is None:
        return None
    t, x, message = run
    names = states_of(branch)
    columns = [x[:, names.index(name)] for name in own]
    out: dict[str, Any] = {
        "title": f"{layer.word}: {title}" if layer.word else title,
        "message": message,
        "t": coarse(t),
        "x": [coarse(column) for column in columns],
    }
    if len(states) > 1:
        out["plane"] = _plane(layers, layer, value, states[:2], columns[:2])
    return out


def _cycle(branch: Branch, row: int, names: list[str]) -> tuple[np.ndarray, np.ndarray, str] | None:
    if not branch.profiles or not set(names) <= set(states_of(branch)):
        return None
    t, x = branch.orbit(row)
    keep = np.unique(np.linspace(0, len(t) - 1, min(len(t), SAMPLES // 2)).astype(int))
    t, x = t[keep], x[keep]
    return np.append(t, t[1:] + t[-1]), np.concatenate([x, x[1:]]), f"period {branch.profiles[row].period:.8g}"


def _departure(system: System, branch: Branch, row: int) -> tuple[np.ndarray, np.ndarray, str] | None:
    """Return times, states (k, n) of a trajectory that starts beside an equilibrium, and how it ended."""
    x = branch.points[row, 1:]
    if branch.eigenvalues.shape[1] == 0 or not np.all(np.isfinite(x)):
        return None
    try:
        values, vectors = np.linalg.eig(system.jacobian(x))
    except (InputError, np.linalg.LinAlgError):
        return None
    sizes = np.abs(branch.eigenvalues[:, 0])
    usual = float(np.median(sizes[np.isfinite(sizes)])) if np.any(np.isfinite(sizes)) else 0.0
    moving = np.abs(values) > 1e-9 * np.abs(values).max()  # sums that are conserved do not move
    if not moving.any() or not usual > 0.0:
        return None
    lead = int(np.argmax(np.where(moving, values.real, -np.inf)))
    direction = vectors[:, lead].real
    extent = np.maximum(np.ptp(branch.points[:, 1:], axis=0), 0.05 * np.abs(x).max() or 1.0)
    start = x + NUDGE * direction / np.max(np.abs(direction) / extent)
    rate = max(abs(values[lead].real), SLOWEST * usual)
    lasts = LASTS / rate * (2.0 if values[lead].real > 0.0 else 1.0)
    try:
        run = simulate(
            system, lasts, state=np.clip(start, system.lower, system.upper), rtol=ACCURACY, dense=False, max_steps=STEPS
        )
    except InputError:
        return None
    if len(run.t) < 2:
        return None
    keep = np.unique(np.linspace(0, len(run.t) - 1, min(len(run.t), SAMPLES)).astype(int))
    return run.t[keep], run.x[keep], "" if run.status == "completed" else f"it ended early: {run.message}"


def _plane(layers: list[Layer], layer: Layer, value: float, states: list[str], run: list[np.ndarray]) -> dict[str, Any]:
    """Return the phase plane of two states: what all layers have there, and of two states the field and nullclines."""
    rests, cycles = [], []
    for number_of, one in enumerate(layers):
        for branch in one.branches:
            for row, share in crossings(branch.points[:, 0], value):
                stability = stability_between(branch, row)
                if branch.kind == "equilibrium":
                    names = [branch.columns.index(one.names[name]) for name in states]
                    at = (1.0 - share) * branch.points[row, names] + share * branch.points[row + 1, names]
                    rests.append({"layer": number_of, "stability": stability, "at": rounded(at)})
                elif branch.profiles:
                    curve = cycle_between(branch, row, share, [one.names[name] for name in states])
                    cycles.append({"layer": number_of, "stability": stability, "x": [coarse(c) for c in curve]})
    out: dict[str, Any] = {"rests": rests, "cycles": cycles}
    system = layer.system
    if system is not None and len(system.variables) == 2:
        points = [np.array([run[0], run[1]]).T, *(np.array([r["at"]], float) for r in rests)]
        points += [np.array(c["x"], float).T for c in cycles]
        out |= _field(
            system.with_(values={layer.diagram.parameter: value}),
            layer,
            states,
            np.concatenate(points),
            _extents(layers, states),
        )
    return out


def _extents(layers: list[Layer], states: list[str]) -> np.ndarray:
    """Return how far two states extend on all branches."""
    values: list[list[np.ndarray]] = [[], []]
    for layer in layers:
        for branch in layer.branches:
            for k, name in enumerate(states):
                own = layer.names[name]
                columns = (f"min {own}", f"max {own}") if branch.kind == "periodic" else (own,)
                values[k] += [branch.column(column) for column in columns]
    sizes = [float(np.nanmax(np.concatenate(v)) - np.nanmin(np.concatenate(v))) for v in values]
    largest = [float(np.nanmax(np.abs(np.concatenate(v)))) for v in values]
    return np.array([size or most or 1.0 for size, most in zip(sizes, largest, strict=True)])


def _field(system: System, layer: Layer, states: list[str], points: np.ndarray, extents: np.ndarray) -> dict[str, Any]:
    """Return the direction of the field on a grid, and the nullclines, in a box about everything that is shown."""
    from contourpy import contour_generator

    order = [system.variables.index(layer.names[name]) for name in states]
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    room = ROOM * (high - low) + 0.5 * np.maximum(LEAST * extents - (high - low), 0.0)
    low, high = np.maximum(low - room, system.lower[order]), high + room
    x, y = (np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True))
    grid = np.empty((GRID * GRID, 2))
    grid[:, order] = np.column_stack([part.ravel() for part in np.meshgrid(x, y)])
    with np.errstate(all="ignore"):
        values = _rates(system, grid)[:, order].T.reshape(2, GRID, GRID)
        values = np.where(np.isfinite(values), values, np.nan)
        u, v = values[:, ::ARROWS, ::ARROWS] / (high - low)[:, None, None]
        length = np.hypot(u, v)
        u, v = u / length, v / length  # directions in units of the box, all of one length
    nullclines = []
    for name, part in zip(states, values, strict=True):
        lines = contour_generator(x, y, np.ma.masked_invalid(part)).lines(0.0)
        nullclines.append({"name": name, "lines": [[coarse(c) for c in np.asarray(line).T] for line in lines]})
    return {
        "box": [[number(a), number(b)] for a, b in zip(low, high, strict=True)],
        "arrows": [coarse(u.ravel()), coarse(v.ravel())],
        "grid": [coarse(x[::ARROWS]), coarse(y[::ARROWS])],
        "nullclines": nullclines,
    }


def _rates(system: System, x: np.ndarray) -> np.ndarray:
    """Return the right-hand sides at states (k, n)."""
    if not system.has_formulas:
        return Field(system).many(x)
    return observables(system, system.equations).along(x, np.tile(system.values, (len(x), 1)))


def coarse(values: np.ndarray) -> list[float | None]:
    """Return numbers with four digits of their extent, or of themselves where they have none."""
    values = np.asarray(values, float)
    finite = values[np.isfinite(values)]
    size = float(np.ptp(finite) or np.abs(finite).max()) if finite.size else 0.0
    if not size > 0.0:
        return [0.0 if np.isfinite(value) else None for value in values.tolist()]
    places = 4 - int(np.floor(np.log10(size)))
    return [value if value == value else None for value in np.round(values, places).tolist()]

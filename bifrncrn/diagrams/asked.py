"""The user's events on branches of periodic orbits, as functions of an orbit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from bifrncrn.curves.orbits.asked import Asked
from bifrncrn.curves.orbits.orbit import Orbit
from bifrncrn.diagrams.setup import Setup
from bifrncrn.models.cycle_events import compile_cycle_events
from bifrncrn.models.observables import observables

SAMPLES = 8
"""Phases per interval among which an extreme is looked for."""
NARROWER, PASSES = 0.1, 3
"""It is that of a parabola through three phases, so much closer together every time: the error is then rounding."""


def asked_of(task: Setup, events: Sequence[str]) -> Asked | None:
    """Return the events as functions of an orbit of `task.system`; None where there are none."""
    whole = task.whole if task.forced is None else task.system
    compiled = compile_cycle_events(whole, events)
    if compiled is None:
        return None
    index = whole.parameter_index(task.parameter) if task.parameter in whole.parameters else None
    own = task.system.variables
    computed = dict.fromkeys(name for _, name in compiled.extremes if name not in own)
    functions = observables(whole, {name: name for name in computed})
    column = {name: k for k, name in enumerate(computed)}

    def parameters(p: float) -> np.ndarray:
        values = np.array(whole.values)
        if index is not None:
            values[index] = p
        return values

    def along(orbit: Orbit, phases: np.ndarray, name: str) -> np.ndarray:
        states = task.states(orbit.at(phases), orbit.parameter)
        return functions.along(states, parameters(orbit.parameter))[:, column[name]]

    def extreme(orbit: Orbit, extremes: np.ndarray, kind: str, name: str) -> float:
        if name in own:
            return float(extremes[0 if kind == "min" else 1, own.index(name)])
        return _extreme(lambda phases: along(orbit, phases, name), orbit, kind)

    def values(orbit: Orbit, extremes: np.ndarray) -> np.ndarray:
        found = [extreme(orbit, extremes, kind, name) for kind, name in compiled.extremes]
        return compiled.values(np.array([orbit.period, *found]), parameters(orbit.parameter))

    return Asked(compiled.names, values)


def _extreme(value: Callable[[np.ndarray], np.ndarray], orbit: Orbit, kind: str) -> float:
    """Return the least or largest value of a function of the phase over an orbit."""
    edges, widths = orbit.mesh.edges[:-1, None], orbit.mesh.widths[:, None]
    phases = (edges + widths * np.arange(SAMPLES) / SAMPLES).ravel()
    sign = -1.0 if kind == "min" else 1.0
    found = sign * value(phases)
    k = int(np.argmax(found))
    best, at, step = float(found[k]), float(phases[k]), float(widths.ravel()[k // SAMPLES]) / SAMPLES
    for _ in range(PASSES):
        left, middle, right = (sign * value(at + step * np.array([-1.0, 0.0, 1.0]))).tolist()
        bend = left - 2.0 * middle + right
        shift = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
        at += step * min(max(shift, -1.0), 1.0)
        step *= NARROWER
    best = max(best, float(sign * value(np.array([at]))[0]))
    return sign * best

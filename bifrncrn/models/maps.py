"""Maps x -> f(x; p): their iterates, orbits and least periods."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.compile.iterates import displacement
from bifrncrn.compile.model import NativeModel
from bifrncrn.models.system import System

MAP = "map"
"""The kind of a system whose right-hand sides give the next state."""
SAME = 1e-7
"""Two states that differ by less than this part of their size are one: a cycle returns to its start so closely."""


def is_map(system: System) -> bool:
    """Say whether a system is a map."""
    return system.kind == MAP


def require_flow(system: System, what: str) -> None:
    """Raise InputError for what is no system, or a map, where `what` makes sense for differential equations only."""
    require_kind(system, System, "a system")
    if is_map(system):
        name = f"{system.title or 'the model'} is a map"
        rule = "diagram follows its fixed points and cycles, simulate iterates it"
        raise InputError(f"{what} is for differential equations, and {name}; {rule}")


def require_map(system: System) -> None:
    """Raise InputError for what is no map."""
    require_kind(system, System, "a system")
    if not is_map(system):
        raise InputError(f"{system.title or 'the model'} is no map, but the point is one of a map; give its map")


def displaced(system: System, count: int) -> System:
    """Return the system of f^count(x) - x, whose equilibria are the points of cycles of `count` points of a map.

    It shares names and values with the map; its compiled functions are its own.
    """
    if not system.has_formulas:
        from bifrncrn.models.function_maps import displaced_function
        from bifrncrn.models.function_system import FunctionSystem

        assert isinstance(system, FunctionSystem)
        return displaced_function(system, count)
    native = system.native
    key = json.dumps(["displacement", count, native.key])
    out = replace(system, kind="ode")
    out.__dict__["native"] = NativeModel(native.n, native.m, key, lambda: displacement(*native.graph, count))
    return out


def orbit(system: System, x: np.ndarray, count: int, values: np.ndarray | None = None) -> np.ndarray:
    """Return the states x, f(x), ... after 0 to `count` - 1 steps, (count, n). Not finite where f is not."""
    out = np.empty((count, len(x)))
    out[:1] = x
    for k in range(1, count):
        out[k] = system.rhs(out[k - 1], values)
    return out


def divisors(count: int) -> list[int]:
    """Return the periods that a point of a cycle of `count` points may have itself, ascending, without `count`."""
    return [k for k in range(1, count) if count % k == 0]


def least_period(states: np.ndarray, unit: np.ndarray) -> int:
    """Return the least period of a cycle, given as the orbit (k, n) of one of its points, in units of length (n,).

    Examples
    --------
    >>> least_period(np.array([[1.0], [2.0], [1.0], [2.0]]), np.ones(1))
    2
    """
    for period in divisors(len(states)):
        if np.max(np.abs(states[period] - states[0]) / unit) <= SAME:
            return period
    return len(states)

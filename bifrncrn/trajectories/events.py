"""Events of a simulation: when an expression of the states crosses zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.branch_events import compile_events
from bifrncrn.models.system import System


@dataclass(frozen=True)
class Event:
    """Something to be noticed in a simulation.

    Parameters
    ----------
    condition : str
        An equation such as ``"x1 = 0.5"``, or an expression of states, parameters and definitions that vanishes there.
    direction : {0, 1, -1}
        Whether left minus right must go from negative to positive (1), the other way (-1), or either (0).
    terminal : bool
        Whether the simulation ends there.
    """

    condition: str
    direction: int = 0
    terminal: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.condition, str):
            raise InputError(f"the condition of an event must be text such as 'x1 = 0.5', not {self.condition!r:.60}")
        if self.direction not in (-1, 0, 1):
            raise InputError(
                f"the direction of the event {self.condition!r} must be -1, 0 or 1, not {self.direction!r:.60}"
            )


@dataclass(frozen=True, eq=False)
class Occurrence:
    """An event that happened: its condition, the time, the state (n,), and whether it rose (1) or fell (-1)."""

    event: str
    t: float
    state: np.ndarray
    direction: int


class EventWatch:
    """The events of one simulation, compiled."""

    def __init__(self, system: System, events: Sequence[str | Event]) -> None:
        if isinstance(events, str | Event) or not isinstance(events, Iterable):
            raise InputError(f"events must be a list such as ['x1 = 0.5'], not {events!r:.60}")
        self.events = tuple(event if isinstance(event, Event) else Event(event) for event in events)
        self._lower = system.lower
        if self.events:
            native = compile_events(system, [event.condition for event in self.events]).native
            self._call = native.function("f")
            self._x, self._values, self._out = np.empty(native.n), np.array(system.values), np.empty(len(self.events))
            self._pointers = [a.__array_interface__["data"][0] for a in (self._x, self._values, self._out)]

    def __bool__(self) -> bool:
        return bool(self.events)

    def at(self, values: np.ndarray) -> None:
        """Take other parameter values (m,)."""
        if self.events:
            self._values[:] = values

    def values(self, x: np.ndarray) -> np.ndarray:
        """Return the value of every event at a state, a new array."""
        np.maximum(x, self._lower, out=self._x)
        self._call(*self._pointers)
        return self._out.copy()

    def _along(self, piece: Callable[[float], Any], i: int) -> Callable[[float], float]:
        return lambda s: float(self.values(np.asarray(piece(s)))[i])

    def between(
        self, before: np.ndarray, after: np.ndarray, start: float, end: float, piece: Callable[[float], Any]
    ) -> tuple[list[Occurrence], Occurrence | None]:
        """Return what happened in a step, in order, and the terminal event that ended it, if one did.

        An event that holds at the beginning of the step does not count: it did so at the end of the step before.
        """
        old, new = self.values(before), self.values(after)
        found: list[tuple[Occurrence, bool]] = []
        for i, event in enumerate(self.events):
            way = 1 if old[i] < 0 <= new[i] else -1 if old[i] > 0 >= new[i] else 0
            if way and event.direction in (0, way):
                when = crossing_time(self._along(piece, i), start, end)
                state = np.maximum(piece(when), self._lower)
                state.setflags(write=False)
                found.append((Occurrence(event.condition, when, state, way), event.terminal))
        found.sort(key=lambda item: item[0].t)
        happened: list[Occurrence] = []
        for occurrence, terminal in found:
            happened.append(occurrence)
            if terminal:
                return happened, occurrence
        return happened, None


def crossing_time(value: Callable[[float], Any], start: float, end: float) -> float:
    """Return where a function that changes sign between two times is zero, to rounding."""
    from scipy.optimize import brentq

    low, high = float(value(start)), float(value(end))
    if not low * high < 0:  # rounding: the zero is one of the ends
        return start if abs(low) < abs(high) else end
    return float(brentq(lambda s: float(value(s)), start, end, xtol=1e-300, rtol=4 * np.finfo(float).eps))

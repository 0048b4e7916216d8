"""A simulation in pieces: between sudden changes, and between the borders of equations that make choices."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.field import Field
from bifrncrn.models.observables import Observables, borders
from bifrncrn.models.system import System
from bifrncrn.trajectories.events import EventWatch, Occurrence
from bifrncrn.trajectories.integration import Effort, Run
from bifrncrn.trajectories.transitions import Machine

SAMPLES = 8
"""In how many places of a step it is looked whether a border was crossed: it may be crossed back within the step."""
PARTS = np.linspace(0.0, 1.0, SAMPLES + 1)
STEPS = 200
"""A step is at most this part of the time to simulate, so that no short condition is stepped over."""
TOGETHER = 1e-11
"""What happens within this part of the time to simulate happens at one time: rounding of times."""
AGAIN = 2.0
"""How far, in units of the last piece, the next is looked at first where nothing is integrated."""
BEYOND = 4
"""How many floating-point numbers beyond a border a piece begins, so that it begins on one side."""
CHATTER = 100
"""After so many borders at one time a state neither stays nor crosses."""


Stretch = tuple[list[float], list[np.ndarray], Callable[[Any], np.ndarray] | None, Run | None]
"""Times and states of a piece, how to evaluate it in between, and the run that made it."""


@dataclass(frozen=True, eq=False)
class Piece:
    """What was integrated at a stretch: from `start` on with these parameter values.

    `held` are the triggers that were true; it began with changes that came `lag` after their triggers (None: see
    `Waiting`, or several).
    """

    start: float
    end: float
    state: np.ndarray
    values: np.ndarray
    solution: Callable[[Any], np.ndarray] | None
    held: tuple[bool, ...] = ()
    lag: float | None = None

    def at(self, t: np.ndarray) -> np.ndarray:
        """Return the states (k, n) at times, those before the start counting as the start."""
        if self.solution is None:
            return np.broadcast_to(self.state, (t.size, self.state.size))
        return np.asarray(self.solution(np.clip(t, self.start, self.end))).T


@dataclass(eq=False)
class Flight:
    """A simulation in pieces: as a `Run`, with the parameter values of every point."""

    system: System
    times: list[float] = field(default_factory=list)
    states: list[np.ndarray] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    found: list[Occurrence] = field(default_factory=list)
    effort: Effort = field(default_factory=lambda: Effort(0, 0, 0, 0))
    status: str = ""
    message: str = ""
    together: float = 0.0
    machine: Machine | None = None

    def sample(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return states (k, n) and parameter values (k, m); where something changed at a time, what it changed to.

        A change whose trigger is not yet true at that time, such as `time > 2` at 2, comes just after it.
        """
        starts = np.array([piece.start for piece in self.pieces])
        which = np.maximum(np.searchsorted(starts, times + self.together, side="right") - 1, 0)
        exact: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for i in np.flatnonzero(np.abs(times - starts[which]) <= self.together).tolist():
            after = self.pieces[which[i]]
            if after.lag == 0.0:
                found = self._exactly(times[i], self._before(starts, times[i]), after)
                exact |= {} if found is None else {i: found}
            elif after.lag is not None and self._still(
                self._before(starts, times[i] - after.lag), times[i] - after.lag
            ):
                which[i] = max(int(np.searchsorted(starts, times[i] - self.together, side="left")) - 1, 0)
        states = np.empty((times.size, len(self.system.variables)))
        values = np.empty((times.size, len(self.system.parameters)))
        for k in np.unique(which).tolist():
            here = which == k
            states[here] = self.pieces[k].at(times[here])
            values[here] = self.pieces[k].values
        for i, (x, p) in exact.items():
            states[i], values[i] = x, p
        return states, values

    def _before(self, starts: np.ndarray, t: float) -> Piece:
        """Return the last piece that begins clearly before a time."""
        return self.pieces[max(int(np.searchsorted(starts, t - self.together, side="left")) - 1, 0)]

    def _still(self, piece: Piece, t: float) -> bool:
        """Say whether at the end of a piece, at exactly this time, no trigger is other than along it."""
        return self.machine is not None and self.machine.true_at(self._end(piece, t), piece.values) == piece.held

    def _end(self, piece: Piece, t: float) -> np.ndarray:
        """Return the state (n,) of a piece at exactly a time."""
        x = np.array(piece.at(np.array([t])))
        set_clocks(self.system, np.array([t]), x, self.times[0])
        return x[0]

    def _exactly(self, t: float, before: Piece, after: Piece) -> tuple[np.ndarray, np.ndarray] | None:
        """Return state and parameter values at exactly the time between two pieces; None where `after` has them.

        A piece begins just beyond a border, where triggers may be true that are not yet on it.
        """
        if self.machine is None:
            return None
        x = self._end(before, t)
        true = self.machine.true_at(x, before.values)
        if true == before.held:
            return x, before.values
        acting = [i for i, (now, then) in enumerate(zip(true, before.held, strict=True)) if now and not then]
        if true == after.held or not all(after.held[i] for i in acting):  # true on the border alone acts nowhere
            return None
        return self.machine.again(t, x, before.values, before.held)


class BorderWatch:
    """Watches a step for borders, and for the events asked for. It stops the step just beyond the first border."""

    def __init__(self, events: EventWatch, watched: list[Observables]) -> None:
        self.events = events
        self.watched = [item for item in watched if item.count]
        self.values = np.empty(0)
        self.now = np.empty(0)
        self.hit = False

    def __bool__(self) -> bool:
        return bool(self.watched) or bool(self.events)

    def begin(self, x: np.ndarray, values: np.ndarray) -> None:
        """Take the side of every border at the beginning of a piece."""
        self.values, self.hit = values, False
        self.events.at(values)
        self.now = self._sides(x[None])[0]

    def _sides(self, x: np.ndarray) -> np.ndarray:
        """Return on which side of every border states (k, n) are."""
        parts = [item.along(x, self.values) for item in self.watched]
        return np.hstack(parts) if len(parts) > 1 else parts[0] if parts else np.empty((len(x), 0))

    def _first(self, times: np.ndarray, piece: Callable[[Any], Any]) -> int | None:
        """Return which of several times is the first beyond a border, if any is."""
        across = (self._sides(np.asarray(piece(times)).T) != self.now).any(axis=1)
        return int(across.argmax()) if across.any() else None

    def between(
        self, before: np.ndarray, after: np.ndarray, start: float, end: float, piece: Callable[[float], Any]
    ) -> tuple[list[Occurrence], Occurrence | None]:
        """Return what happened in a step, and what ended it; see `EventWatch.between`."""
        happened, stop = self.events.between(before, after, start, end, piece) if self.events else ([], None)
        when = self._beyond(start, end if stop is None else stop.t, piece)
        if when is None:
            return happened, stop
        self.hit = True
        happened = [item for item in happened if item.t <= when]
        return happened, Occurrence("", when, np.asarray(piece(when)), 0)

    def _beyond(self, low: float, high: float, piece: Callable[[Any], Any]) -> float | None:
        """Return a time just after the first crossing between two times, to rounding; None where there is none."""
        times = low + (high - low) * PARTS
        times[-1] = high
        found = self._first(times[1:], piece)
        if found is None:
            return None
        while True:
            low, high = times[found], times[found + 1]
            times = low + (high - low) * PARTS
            if not low < times[1] or not times[-2] < high:
                break
            again = self._first(times[1:-1], piece)
            found = SAMPLES - 1 if again is None else again
        for _ in range(BEYOND):
            high = math.nextafter(high, math.inf)
        return float(high)


def fly(
    system: System, span: tuple[float, float], settings: dict[str, Any], events: EventWatch, max_steps: int
) -> Flight | None:
    """Integrate a system piece by piece; None where there is nothing that would end a piece."""
    walls = borders(system)
    if not walls.count and not system.transitions:
        return None
    if system.transitions:
        system = system.with_(nonnegative=False)  # a transition may set a state to anything
    return _Pilot(system, span, settings, BorderWatch(events, [walls]), max_steps).flight


def set_clocks(system: System, times: np.ndarray, states: np.ndarray, start: float) -> None:
    """Make variables that run like time exact: floor(time) must jump at the right one of the times asked for."""
    changed = {name for transition in system.transitions for name in transition.assignments}
    for i, name in enumerate(system.variables):
        if system.has_formulas and system.equations[name] == "1" and name not in changed:
            states[:, i] = system.state[i] + (times - start)


class _Pilot:
    """Goes from piece to piece."""

    def __init__(
        self, system: System, span: tuple[float, float], settings: dict[str, Any], watch: BorderWatch, max_steps: int
    ) -> None:
        length = span[1] - span[0]
        self.span, self.watch, self.max_steps = span, watch, max_steps
        self.settings = {**settings, "max_step": length / STEPS}
        together = TOGETHER * max(length, abs(span[0]), abs(span[1]))
        self.machine = Machine(system, together)
        watch.watched += [self.machine.triggers] if self.machine.triggers.count else []
        self.flight = Flight(system, together=together, machine=self.machine)
        self.t, self.x, self.p = span[0], np.array(system.state), np.array(system.values)
        self.still = 0
        self.reach = length / STEPS
        self.field = Field(system)
        self.rates = _constant_rates(system)
        self._go()

    def _go(self) -> None:
        flight = self.flight
        while not flight.status:
            self.x, self.p, settled = self.machine.act(self.t, self.x, self.p)
            self._note()
            if not settled:
                self._end("events", f"the events at t = {self.t:g} trigger each other without end")
            elif self.t >= self.span[1]:
                self._end("completed", f"t = {self.t:g} reached")
            else:
                self._piece(min(self.machine.next, self.span[1]))

    def _note(self) -> None:
        """Keep the point reached, after whatever happened there."""
        flight = self.flight
        flight.pieces.append(Piece(self.t, self.t, self.x, self.p, None, tuple(self.machine.held), self._lag()))
        same = flight.times and flight.times[-1] == self.t
        if same and np.array_equal(flight.states[-1], self.x) and np.array_equal(flight.values[-1], self.p):
            return
        flight.times.append(self.t)
        flight.states.append(self.x)
        flight.values.append(self.p)

    def _lag(self) -> float | None:
        """Return how long after their triggers the changes here came, if all after the same known time.

        A border met where something has just changed belongs to that change.
        """
        pieces, lags = self.flight.pieces, self.machine.lags
        if not pieces or len(lags) > 1:
            return None
        if not lags:
            return pieces[-1].lag if self.t - pieces[-1].start <= self.flight.together else 0.0
        return next(iter(lags))

    def _piece(self, end: float) -> None:
        """Go on until something happens, or to the end."""
        flight, begun = self.flight, self.t
        self.watch.begin(self.x, self.p)
        try:
            times, states, solution, run = self._straight(end) if self.rates is not None else self._integrated(end)
        except InputError as error:
            if len(flight.times) < 2:
                raise
            self._end("nan", str(error))
            return
        flight.pieces[-1] = replace(flight.pieces[-1], end=times[-1], solution=solution)
        flight.times += times[1:]
        flight.states += states[1:]
        flight.values += [self.p] * (len(times) - 1)
        self.t, self.x = times[-1], states[-1]
        self.still = self.still + 1 if self.watch.hit and self.t - begun <= flight.together else 0
        if self.still > CHATTER:
            self._end("border", f"at t = {self.t:g} the state neither stays on one side of a border nor crosses it")
        elif run is not None and run.status != "completed" and not self.watch.hit:
            self._end(run.status, run.message)

    def _integrated(self, end: float) -> Stretch:
        """Integrate a piece."""
        from scipy.integrate import OdeSolution

        flight = self.flight
        here = flight.system.with_(state=self.x, values=self.p)
        self.field.at(self.p)
        run = Run(here, (self.t, end), self.settings, self.watch, True, self.field)  # type: ignore[arg-type]
        run.march(self.max_steps)
        flight.found += run.found
        flight.effort = _added(flight.effort, run.effort)
        return run.times, run.states, OdeSolution(np.array(run.times), run.pieces) if run.pieces else None, run

    def _straight(self, end: float) -> Stretch:
        """Follow a piece in which every variable changes at a constant rate: events are all that happens."""
        begun, x, rates = self.t, self.x, np.asarray(self.rates)

        def solution(t: Any) -> np.ndarray:
            return (x + np.multiply.outer(np.asarray(t, dtype=float) - begun, rates)).T

        t, stop = begun, None
        while t < end and stop is None:
            after = min(t + self.reach, t + self.settings["max_step"], end)
            happened, stop = self.watch.between(solution(t), solution(after), t, after, solution)
            self.flight.found += happened
            self.reach *= 2.0
            t = after if stop is None else stop.t
        self.reach = max(AGAIN * (t - begun), self.flight.together)
        if stop is not None and not self.watch.hit:
            self._end("event", f"the event {stop.event} ended it at t = {t:g}")
        return [begun, t], [x, solution(t)], solution, None

    def _end(self, status: str, message: str) -> None:
        self.flight.status, self.flight.message = status, message


def _constant_rates(system: System) -> np.ndarray | None:
    """Return the rates (n,) of a system in which all are numbers, such as that of time; None for any other."""
    try:
        return np.array([float(system.equations[name]) for name in system.variables])
    except ValueError:
        return None


def _added(a: Effort, b: Effort) -> Effort:
    return Effort(
        a.steps + b.steps,
        a.evaluations + b.evaluations,
        a.jacobians + b.jacobians,
        a.factorisations + b.factorisations,
    )

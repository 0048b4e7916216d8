"""One integration in time: stepping, events, walls, and what is done where the equations are not finite."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.field import Field
from bifrncrn.models.sizes import units_if_unlike
from bifrncrn.models.system import System
from bifrncrn.trajectories.events import EventWatch, Occurrence, crossing_time

METHODS = ("LSODA", "Radau", "BDF", "RK45", "RK23", "DOP853")
EXPLICIT = ("RK45", "RK23", "DOP853")
SLACK = 1e3
"""A run ends where the equations push a state over its bound by more than this multiple of what counts as nothing; the
integrator's own error is not that large."""
NOTHING = 1e-10
"""What counts as nothing of a state: this part of the largest it was, or the absolute tolerance."""
NOISE = 1e-16
"""Nor does this part of the largest that any state was count: the rounding of the others."""
RESTARTS = 50
"""How often one run may begin anew, with a shorter step, after a trial state where the equations are not finite."""
ABSOLUTE = 1e-10
"""The absolute tolerance, in units of the sizes of the start."""
LEAST = 1e-10
"""A start value below this part of the largest, in units that are alike, has no size of its own: more digits cost steps
that rounding forbids."""
COUNTERS = ("nfev", "njev", "nlu")


def own_units(system: System, start: np.ndarray) -> np.ndarray:
    """Return units (n,) in which the states of a start are comparable; those that are zero do not count."""
    sizes = np.abs(start)
    return units_if_unlike(
        system, start, np.where(sizes > 0.0, sizes, sizes.max(initial=1.0) or 1.0), LEAST, apart=True
    )


def natural_tolerances(system: System, start: np.ndarray) -> np.ndarray:
    """Return absolute tolerances (n,) that suit the sizes of a start, 1e-10 at most.

    A state that starts at zero counts as the smallest other one; where all do, as what the rates make of them in the
    shortest time of the system.
    """
    sizes = np.abs(start)
    units = own_units(system, start)
    least = units * np.min((sizes / units)[sizes > 0.0], initial=1.0)
    if not (sizes > 0.0).any():
        rates, fastest = np.abs(system.rhs(start)), np.abs(system.jacobian(start)).max(initial=0.0)
        reach = rates / fastest if fastest > 0.0 else rates
        least = units * np.min(reach[(reach > 0.0) & np.isfinite(reach)], initial=1.0)
    natural = np.maximum(np.where(sizes > 0.0, sizes, least), LEAST * units * np.max(sizes / units, initial=0.0))
    return ABSOLUTE * np.minimum(natural, 1.0)


@dataclass(frozen=True)
class Effort:
    """What an integration took: accepted steps, evaluations of f and of its Jacobian, and factorisations."""

    steps: int
    evaluations: int
    jacobians: int
    factorisations: int


class Run:
    """One integration: its solver, the points so far, and why it ended."""

    def __init__(
        self,
        system: System,
        span: tuple[float, float],
        settings: dict[str, Any],
        watch: EventWatch,
        dense: bool,
        field: Field | None = None,
    ) -> None:
        self.system = system
        self.field = field or Field(system)
        self.watch = watch
        self.dense = dense
        self.end = span[1]
        self.settings = settings
        self.sizes = np.abs(system.state)
        self._check_start(span[0])
        self.times, self.states = [span[0]], [system.state.copy()]
        self.pieces: list[Any] = []
        self.found: list[Occurrence] = []
        self.counts = np.zeros(3, dtype=int)
        self.restarts = 0
        self.status, self.message = "", ""
        self.solver = self._solver()

    def _solver(self, first_step: float | None = None, t: float | None = None, x: np.ndarray | None = None) -> Any:
        """Return a solver that begins at t and x, by default the last ones accepted."""
        import scipy.integrate

        options = {key: value for key, value in self.settings.items() if key != "method"}
        method = self.settings["method"]
        if method not in EXPLICIT:
            options["jac"] = self.field.jacobian
        t, x = (self.times[-1], self.states[-1]) if t is None or x is None else (t, x)
        return getattr(scipy.integrate, method)(self.field.rhs, t, x.copy(), self.end, first_step=first_step, **options)

    @property
    def nothing(self) -> np.ndarray:
        """What is as good as zero, of every state, (n,)."""
        by_size = np.maximum(NOTHING * self.sizes, NOISE * np.max(self.sizes, initial=0.0))
        return np.maximum(self.settings["atol"], by_size)

    def _check_start(self, start: float) -> None:
        system = self.system
        low = np.flatnonzero(system.state < system.lower)
        if low.size:
            name = system.variables[low[0]]
            raise InputError(f"the start value of {name} is {system.state[low[0]]:g} but must not be negative")
        bad = np.flatnonzero(~np.isfinite(self.field.rhs(start, system.state)))
        if bad.size:
            name = system.variables[bad[0]]
            raise InputError(f"the derivative of {name} is not finite at the start state; start where it is defined")

    def march(self, max_steps: int) -> None:
        """Step to the end, or to what ends the run before."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a failed step is told by the status
            steps = 0
            while not self.status and self.solver.status == "running":
                if steps == max_steps:
                    said = f"{max_steps} steps reached only t = {self.times[-1]:g}; raise max_steps or the tolerances"
                    self._end("steps", said)
                    return
                try:
                    said = self.solver.step()
                except ValueError as error:
                    if "infs or NaNs" not in str(error):  # scipy's linear algebra refuses what is not finite
                        raise
                    said = str(error)
                    self.solver.y = np.full(self.field.n, np.nan)
                steps += 1
                self._accept(said)
        if not self.status:
            self._end("completed", f"t = {self.times[-1]:g} reached")

    def _accept(self, said: str | None) -> None:
        t, x = float(self.solver.t), self.solver.y.copy()
        if not np.all(np.isfinite(x)):
            self._retry(t)
            return
        if self.solver.status == "failed" or t == self.times[-1]:
            at = f"at t = {self.times[-1]:g}"
            reason = f"the step size became too small {at}, where the solution may grow without bound"
            self._end("step", f"{reason} ({said})" if said else reason)
            return
        piece = None
        if self.dense or self.watch:
            piece = self.solver.dense_output()
        self.sizes = np.maximum(self.sizes, np.abs(x))
        t, x = self._stop_at_bound(t, x)
        if not self.status:
            x = self._put_back(x)
        stop = None
        if piece is not None and self.watch:
            happened, stop = self.watch.between(self.states[-1], x, self.times[-1], t, piece)
            self.found += happened
        if stop is not None:
            t, x = stop.t, stop.state
            self._end("event", f"the event {stop.event} ended it at t = {t:g}")
        if t > self.times[-1]:  # an event or a bound may be met where the step began
            self.times.append(t)
            self.states.append(np.maximum(x, self.field.lower))
            if self.dense:
                self.pieces.append(piece)

    def _retry(self, reached: float) -> None:
        """Begin again where the last step began, with a tenth of it: a trial state was where f is not finite."""
        last = self.times[-1]
        step = 0.1 * min(reached - last, self.end - last)
        if self.restarts < RESTARTS and step > 1e-12 * max(abs(last), self.end - self.times[0]):
            self.restarts += 1
            self.counts += [int(getattr(self.solver, name)) for name in COUNTERS]
            self.solver = self._solver(step)
        else:
            self._end("nan", f"the equations are not finite after t = {last:g}, or the solution grows without bound")

    def _stop_at_bound(self, t: float, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the end of the step, or where in it the equations push a state below its bound."""
        out = np.flatnonzero(self.field.outward(x, SLACK * self.nothing)).tolist()
        if not out:
            return t, x
        piece, before = self.solver.dense_output(), self.times[-1]
        bounds = self.field.lower

        def above(i: int) -> Callable[[float], float]:
            return lambda s: float(piece(s)[i] - bounds[i])

        when, i = min((crossing_time(above(i), before, t), i) for i in out)
        name = self.system.variables[i]
        self._end("bound", f"{name}, which cannot be negative, became {bounds[i]:g} at t = {when:g} and would fall on")
        return when, np.asarray(piece(when))

    def _put_back(self, x: np.ndarray) -> np.ndarray:
        """Put states that only the integrator's error made negative back on their bound, and begin again from there."""
        below = x < self.field.lower - self.nothing
        if not below.any() or self.solver.status != "running":
            return x
        below &= ~self.field.outward(x, self.nothing)
        if not below.any():
            return x
        x = np.where(below, self.field.lower, x)
        t, step = self.solver.t, self.solver.t - self.times[-1]
        self.counts += [int(getattr(self.solver, name)) for name in COUNTERS]
        self.solver = self._solver(min(step, self.end - t), t, x)
        return x

    @property
    def effort(self) -> Effort:
        """What it took."""
        last = [int(getattr(self.solver, name)) for name in COUNTERS]
        return Effort(len(self.times) - 1, *(self.counts + last).tolist())

    def _end(self, status: str, message: str) -> None:
        self.status, self.message = status, message

"""Trajectories: integration in time with the compiled right-hand side and Jacobian, events, and dense output."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.errors import InputError
from bifrncrn.systems.field import Field
from bifrncrn.systems.system import System
from bifrncrn.systems.timeevents import Event, EventWatch, Occurrence, crossing_time

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

METHODS = ("LSODA", "Radau", "BDF", "RK45", "RK23", "DOP853")
EXPLICIT = ("RK45", "RK23", "DOP853")
SLACK = 1e3
"""Multiples of `atol` by which the integrator's error may push a state over its bound before the run ends there."""
RESTARTS = 50
"""How often one run may begin anew, with a shorter step, after a trial state where the equations are not finite."""


@dataclass(frozen=True)
class Effort:
    """What an integration took: accepted steps, evaluations of f and of its Jacobian, and factorisations."""

    steps: int
    evaluations: int
    jacobians: int
    factorisations: int


@dataclass(frozen=True, eq=False)
class Simulation:
    """A trajectory of a system.

    Attributes
    ----------
    system : System
        With the start state and parameter values that were integrated.
    t : (k,) array
        Times: the integrator's own steps, or the `times` asked for.
    x : (k, n) array
        The states at these times.
    events : tuple of Occurrence
        Where events happened, in the order of time.
    effort : Effort
    status : str
        `completed`; or why it ended before: `event` (a terminal one), `bound` (a state that cannot be negative became
        so), `nan` (the equations are not finite), `step` (the step size became too small), `steps` (too many).
    message : str
        The same as a sentence.
    """

    system: System
    t: np.ndarray
    x: np.ndarray
    events: tuple[Occurrence, ...]
    effort: Effort
    status: str
    message: str
    interpolant: Callable[[Any], np.ndarray] | None = field(default=None, repr=False)
    span: tuple[float, float] = (0.0, 0.0)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `x`."""
        return self.system.variables

    @property
    def title(self) -> str:
        """What was simulated."""
        return self.system.title

    def column(self, name: str) -> np.ndarray:
        """Return one state at the times `t`, (k,)."""
        return self.x[:, self.system.variable_index(name)]

    def at(self, t: Any) -> np.ndarray:
        """Return the state at time `t`, (n,), or at several, (k, n), as accurately as the integration itself.

        Raises
        ------
        InputError
            If a time is outside the simulated span, or the simulation was made with ``dense=False``.
        """
        if self.interpolant is None:
            raise InputError("the simulation kept no dense output; simulate with dense=True to evaluate it at any time")
        when = np.asarray(t, dtype=float)
        low, high = self.span
        if not np.all((when >= low) & (when <= high)):
            raise InputError(f"times must be between {low:g} and {high:g}, which was simulated, not {_short(t)}")
        return np.maximum(np.asarray(self.interpolant(when)).T, self.system.lower)

    def table(self) -> pd.DataFrame:
        """Return a pandas table with the columns `t` and one for each variable."""
        import pandas as pd

        return pd.DataFrame({"t": self.t, **{name: self.column(name) for name in self.columns}})

    def plot(self, show: str | Sequence[str] | None = None, against: str = "t", ax: Axes | None = None) -> Axes:
        """Draw states against time, or against another state (see `bifrncrn.plotting.plot_trajectory`)."""
        from bifrncrn.plotting import plot_trajectory

        return plot_trajectory(self, show, against, ax)


def simulate(
    system: System,
    t_span: float | Sequence[float],
    *,
    state: Mapping[str, float | str] | Sequence[float] | np.ndarray | None = None,
    values: Mapping[str, float | str] | Sequence[float] | np.ndarray | None = None,
    method: str = "LSODA",
    rtol: float = 1e-8,
    atol: float | Sequence[float] = 1e-10,
    events: Sequence[str | Event] = (),
    times: Sequence[float] | np.ndarray | None = None,
    dense: bool = True,
    max_steps: int = 100_000,
) -> Simulation:
    """Integrate a system in time.

    Parameters
    ----------
    system : System
    t_span : float or (start, end)
        The time to simulate to, from 0, or both ends, in the model's unit of time.
    state, values : mapping or array, optional
        Start state and parameter values that differ from the system's own; a mapping names the ones that do.
    method : {"LSODA", "Radau", "BDF", "RK45", "RK23", "DOP853"}
        LSODA switches between methods for stiff and for other problems; the last three are explicit, and hopeless for
        a full network with a small mu.
    rtol, atol : float
        Tolerances of the local error, relative and absolute (the latter in the unit of the states, or one each).
        Halving digits about halves the time of a run; the error of the result is some multiple of them.
    events : sequence of str or Event
        Equations of states and parameters, such as ``"x1 = 0.5"``; where they hold is located on the dense output.
    times : sequence of float, optional
        Ascending times at which to report; the integrator's own steps by default.
    dense : bool
        Whether to keep what `Simulation.at` needs.
    max_steps : int
        After so many steps the simulation ends with status `steps`.

    Returns
    -------
    Simulation
        One that could not be finished keeps its points, and its status and message say why.

    Raises
    ------
    InputError
        If a name, time, tolerance or start value is not what it must be, or the equations are not finite at the start.

    Notes
    -----
    In a system whose states cannot be negative the equations are never evaluated at negative states: a state that the
    integrator's error pushes below zero counts as zero. One that the equations themselves push below zero ends the
    simulation, at the time it became zero, with status `bound`.

    Examples
    --------
    >>> decay = System.from_equations({"x": "-k*x"}, {"k": 1.0}, {"x": 1.0})
    >>> run = decay.simulate(5.0, events=["x = 0.5"])
    >>> print(f"{run.at(1.0)[0]:.6f} {run.events[0].t:.6f}")
    0.367879 0.693147
    """
    system = system.with_(state=state, values=values)
    span = _span(t_span)
    wanted = None if times is None else _times(times, span)
    settings = _settings(system, method, rtol, atol, max_steps)
    watch = EventWatch(system, events)
    run = _Run(system, span, settings, watch, dense or wanted is not None)
    run.march(max_steps)
    return run.result(wanted, dense)


class _Run:
    """One integration: its solver, the points so far, and why it ended."""

    def __init__(
        self, system: System, span: tuple[float, float], settings: dict[str, Any], watch: EventWatch, dense: bool
    ) -> None:
        self.system = system
        self.field = Field(system)
        self.watch = watch
        self.dense = dense
        self.end = span[1]
        self.settings = settings
        self.slack = SLACK * np.broadcast_to(settings["atol"], self.field.n)
        self._check_start(span[0])
        self.times, self.states = [span[0]], [system.state.copy()]
        self.pieces: list[Any] = []
        self.found: list[Occurrence] = []
        self.counts = np.zeros(3, dtype=int)
        self.restarts = 0
        self.status, self.message = "", ""
        self.solver = self._solver()

    def _solver(self, first_step: float | None = None) -> Any:
        import scipy.integrate

        options = {key: value for key, value in self.settings.items() if key != "method"}
        method = self.settings["method"]
        if method not in EXPLICIT:
            options["jac"] = self.field.jacobian
        start = self.states[-1].copy()
        return getattr(scipy.integrate, method)(
            self.field.rhs, self.times[-1], start, self.end, first_step=first_step, **options
        )

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
                    self._end("steps", f"{max_steps} steps reached only t = {self.times[-1]:g}; raise max_steps or the tolerances")
                    return
                try:
                    said = self.solver.step()
                except ValueError as error:  # linear algebra of scipy refuses what is not finite
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
            reason = f"the step size became too small at t = {self.times[-1]:g}, where the solution may grow without bound"
            self._end("step", f"{reason} ({said})" if said else reason)
            return
        piece = None
        if self.dense or self.watch:
            piece = self.solver.dense_output()
        t, x = self._stop_at_bound(t, x)
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
            self._count()
            self.solver = self._solver(step)
        else:
            self._end("nan", f"the equations are not finite after t = {last:g}, or the solution grows without bound")

    def _count(self) -> None:
        self.counts += [int(getattr(self.solver, name)) for name in ("nfev", "njev", "nlu")]

    def _stop_at_bound(self, t: float, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the end of the step, or where in it the equations push a state below its bound."""
        below = x < self.field.lower - self.slack
        if not below.any():
            return t, x
        below &= self.field.rhs(t, x) < 0
        out = np.flatnonzero(below)
        if not out.size:
            return t, x
        piece, before = self.solver.dense_output(), self.times[-1]
        bounds = self.field.lower
        at = [(crossing_time(lambda s: piece(s)[i] - bounds[i], before, t), int(i)) for i in out]
        when, i = min(at)
        name = self.system.variables[i]
        self._end("bound", f"{name}, which cannot be negative, became {bounds[i]:g} at t = {when:g} and would fall below")
        return when, np.asarray(piece(when))

    def _end(self, status: str, message: str) -> None:
        self.status, self.message = status, message

    def result(self, wanted: np.ndarray | None, dense: bool) -> Simulation:
        """Return the simulation as it stands."""
        from scipy.integrate import OdeSolution

        times, states = np.array(self.times), np.array(self.states)
        solution = None
        if self.pieces:
            solution = OdeSolution(times, self.pieces)
        if wanted is not None:
            wanted = wanted[wanted <= times[-1]]
            inside = np.asarray(solution(wanted)).T if solution is not None else states[: wanted.size]
            states = np.maximum(inside, self.field.lower)
        reported = times if wanted is None else wanted
        for array in (reported, states):
            array.setflags(write=False)
        self._count()
        effort = Effort(len(self.times) - 1, *self.counts.tolist())
        kept = solution if dense else None
        span = (float(times[0]), float(times[-1]))
        return Simulation(self.system, reported, states, tuple(self.found), effort, self.status, self.message, kept, span)


def _span(t_span: Any) -> tuple[float, float]:
    ends = _numbers(t_span, "t_span")
    if ends.shape == ():
        ends = np.array([0.0, float(ends)])
    if ends.shape != (2,) or not np.all(np.isfinite(ends)):
        raise InputError(f"t_span must be the end time, or a pair (start, end), of finite numbers, not {_short(t_span)}")
    if not ends[1] > ends[0]:
        raise InputError(f"t_span must end after it starts (at 0 unless given), but it goes from {ends[0]:g} to {ends[1]:g}")
    return float(ends[0]), float(ends[1])


def _times(times: Any, span: tuple[float, float]) -> np.ndarray:
    wanted = np.array(_numbers(times, "times"))
    if wanted.ndim != 1 or not wanted.size or np.any(np.diff(wanted) <= 0):
        raise InputError(f"times must be ascending numbers, not {_short(times)}")
    if not (wanted[0] >= span[0] and wanted[-1] <= span[1]):
        raise InputError(
            f"times must lie in the simulated span, {span[0]:g} to {span[1]:g}, but go from {wanted[0]:g} to {wanted[-1]:g}"
        )
    return wanted


def _settings(system: System, method: Any, rtol: Any, atol: Any, max_steps: Any) -> dict[str, Any]:
    if method not in METHODS:
        raise InputError(f"method {_short(method)} is unknown; choose one of {', '.join(METHODS)}")
    relative, absolute = _numbers(rtol, "rtol"), _numbers(atol, "atol")
    if relative.shape != () or not 1e-13 <= relative <= 0.1:
        raise InputError(f"rtol must be a number between 1e-13 and 0.1, not {_short(rtol)}")
    n = len(system.variables)
    if absolute.shape not in ((), (n,)) or not np.all((absolute > 0) & np.isfinite(absolute)):
        raise InputError(f"atol must be a positive number, or one for each of the {n} variables, not {_short(atol)}")
    if isinstance(max_steps, bool) or not isinstance(max_steps, int | np.integer) or max_steps < 1:
        raise InputError(f"max_steps must be a positive whole number, not {_short(max_steps)}")
    return {"method": method, "rtol": float(relative), "atol": absolute if absolute.shape else float(absolute)}


def _numbers(value: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be made of numbers, not {_short(value)}") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

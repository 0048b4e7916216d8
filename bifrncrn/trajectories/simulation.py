"""Trajectories: integration in time with the compiled right-hand side and Jacobian, events, and dense output."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.base.tables import Reported, csv_text, folded, format_table, printable
from bifrncrn.models.forcing import timed
from bifrncrn.models.maps import is_map
from bifrncrn.models.observables import column_of
from bifrncrn.models.system import System
from bifrncrn.trajectories.events import Event, EventWatch, Occurrence
from bifrncrn.trajectories.hybrid import Flight, fly, set_clocks
from bifrncrn.trajectories.integration import METHODS, Effort, Run, natural_tolerances
from bifrncrn.trajectories.iteration import iterated

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


ROWS = 30
"""States, and events, that a report lists at most."""
GRAPH, MARGIN = 400, 0.1
"""The graph of a map is drawn at so many states, and beyond those of the run by this share of their range."""


@dataclass(frozen=True, eq=False, repr=False)
class Simulation(Reported):
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
    values : (k, m) array or None
        The parameter values at these times, where events changed them.
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
    values: np.ndarray | None = field(default=None, repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `x`."""
        return self.system.variables

    @property
    def observables(self) -> tuple[str, ...]:
        """What `column` knows beside the columns: definitions and parameters."""
        return (*self.system.definitions, *self.system.parameters)

    @property
    def title(self) -> str:
        """What was simulated."""
        return self.system.title

    def column(self, name: str) -> np.ndarray:
        """Return a variable, a parameter or a definition at the times `t`, (k,).

        Raises
        ------
        InputError
            If the system has nothing of that name.
        """
        system, x = self.system, self.x
        if system.period:
            system, x = timed(system), np.column_stack([x, self.t])
        values = np.broadcast_to(
            system.values if self.values is None else self.values, (len(self.t), system.values.size)
        )
        return column_of(system, name, x, values)

    def at(self, t: Any) -> np.ndarray:
        """Return the state at time `t`, (n,), or at several, (k, n), as accurately as the integration itself.

        Raises
        ------
        InputError
            If a time is outside the simulated span, or the simulation was made with ``dense=False``.
        """
        if self.interpolant is None:
            if is_map(self.system):
                raise InputError("a map has no states between its steps; read t and x")
            raise InputError("the simulation kept no dense output; simulate with dense=True to evaluate it at any time")
        when = np.asarray(t, dtype=float)
        low, high = self.span
        if not np.all((when >= low) & (when <= high)):
            raise InputError(f"times must be between {low:g} and {high:g}, which was simulated, not {_short(t)}")
        return np.maximum(np.asarray(self.interpolant(when)).T, self.system.lower)

    def table(self) -> pd.DataFrame:
        """Return a pandas table with the columns `t` (`t_` where a variable is called so) and one for each variable."""
        import pandas as pd

        return pd.DataFrame(
            {"t_" if "t" in self.columns else "t": self.t, **{name: self.column(name) for name in self.columns}}
        )

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the times and states, a row each."""
        head = "t_" if "t" in self.columns else "t"
        write_atomic(path, csv_text([head, *self.columns], np.column_stack([self.t, self.x]).tolist()))

    def __str__(self) -> str:
        low, high = self.span
        lines = [f"{self.title or 'model'}: {self.status} at t = {high:g} (from {low:g}): {self.message}"]
        if len(self.t):
            bounds = np.column_stack([self.x[0], self.x[-1], self.x.min(axis=0), self.x.max(axis=0)])
            rows = [[n, *(f"{v:.8g}" for v in row)] for n, row in zip(self.columns, bounds.tolist())][:ROWS]
            lines += ["", format_table(["state", "first", "last", "least", "largest"], rows)]
            lines += [f"({len(self.columns) - ROWS} more states)"] if len(self.columns) > ROWS else []
        for event in self.events[:ROWS]:
            lines.append(f"{event.event} at t = {event.t:.10g}, {'rising' if event.direction > 0 else 'falling'}")
        lines += [f"({len(self.events) - ROWS} more events)"] if len(self.events) > ROWS else []
        effort = self.effort
        lines += ["", f"{effort.steps} steps, {effort.evaluations} evaluations of the equations"]
        return printable(folded("\n".join(lines)))

    def __repr__(self) -> str:
        return f"<Simulation: {len(self.t)} times from {self.span[0]:g} to {self.span[1]:g}, {self.status}>"

    def plot(self, show: str | Sequence[str] | None = None, against: str = "t", ax: Axes | None = None) -> Axes:
        """Draw states against time, or against another state (see `bifrncrn.plots.trajectory.plot_trajectory`).

        Of a map the steps are points, and a map of one state against itself is drawn as a cobweb.
        """
        from bifrncrn.plots.iterations import plot_iterations
        from bifrncrn.plots.trajectory import plot_trajectory

        draw = plot_iterations if is_map(self.system) else plot_trajectory
        return draw(self, show, against, ax)

    def graph(self) -> tuple[np.ndarray, np.ndarray]:
        """Return states over the range of the run and what they become, (k,) each, of a map of one state.

        Raises
        ------
        InputError
            If it is something else.
        """
        if not is_map(self.system) or len(self.columns) != 1:
            raise InputError("only a map of one state has a graph of the next state against the state")
        low, high = float(self.x.min()), float(self.x.max())
        margin = MARGIN * ((high - low) or abs(high) or 1.0)
        states = np.linspace(low - margin, high + margin, GRAPH)
        return states, np.array([self.system.rhs(np.array([state]))[0] for state in states])


def simulate(
    system: System,
    t_span: float | Sequence[float],
    *,
    state: Mapping[str, float | str] | Sequence[float] | np.ndarray | None = None,
    values: Mapping[str, float | str] | Sequence[float] | np.ndarray | None = None,
    method: str = "LSODA",
    rtol: float = 1e-9,
    atol: float | Sequence[float] | None = None,
    events: Sequence[str | Event] = (),
    times: Sequence[float] | np.ndarray | None = None,
    dense: bool = True,
    max_steps: int = 100_000,
) -> Simulation:
    """Integrate a system in time; iterate a map, whose times are numbers of steps.

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
        Tolerances of the local error, relative and absolute (the latter in the unit of the states, or one each; by
        default 1e-10 of every start value, of the least of them for those that start at zero, and 1e-10 at most; start
        values below 1e-10 of the largest count as that; where all are zero, what the rates make of them in the
        shortest time counts).
        Halving digits about halves the time of a run; the error of the result is some multiple of them.
    events : sequence of str or Event
        Equations of states and parameters, such as ``"x1 = 0.5"``; where they hold is located on the dense output.
    times : sequence of float, optional
        Ascending times at which to report; the integrator's own steps by default.
    dense : bool
        Whether to keep what `Simulation.at` needs.
    max_steps : int
        After so many steps, since the last sudden change if there are any, the simulation ends with status `steps`.

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
    In a system whose states cannot be negative a state that the integrator's error pushes below zero, by more than what
    counts as nothing (`atol`, or 1e-10 of the largest it was), is put back to zero after the step. One that the
    equations themselves push below zero ends the simulation, at the time it became zero, with status `bound`. The
    equations are integrated as they are: only where they are not finite at a negative state are they evaluated at zero
    instead.

    Examples
    --------
    >>> decay = System.from_equations({"x": "-k*x"}, {"k": 1.0}, {"x": 1.0})
    >>> run = decay.simulate(5.0, events=["x = 0.5"])
    >>> print(f"{run.at(1.0)[0]:.6f} {run.events[0].t:.6f}")
    0.367879 0.693147
    """
    system = system.with_(state=state, values=values)
    span = _span(t_span)
    if system.period:
        return _forced(system, span, method=method, rtol=rtol, atol=atol, events=events, times=times, dense=dense,
                       max_steps=max_steps)  # fmt: skip
    wanted = None if times is None else _times(times, span)
    settings = _settings(system, method, rtol, atol, max_steps)
    if is_map(system):
        if len(events):
            raise InputError("events are located between the steps of an integration; leave them out for a map")
        t, x, status, message, effort = iterated(system, span, wanted, max_steps)
        return Simulation(system, t, x, (), effort, status, message, None, span)
    watch = EventWatch(system, events)
    flight = fly(system, span, settings, watch, max_steps)
    if flight is not None:
        return _in_pieces(flight, wanted, dense)
    run = Run(system, span, settings, watch, dense or wanted is not None)
    run.march(max_steps)
    return _result(run, wanted, dense)


def _forced(system: System, span: tuple[float, float], *, atol: Any, **options: Any) -> Simulation:
    """Return the simulation of a periodically forced system: of one in which time is a variable, left out again."""
    whole = timed(system)
    n = len(system.variables)
    start = np.append(system.state, span[0])
    if np.ndim(atol) == 1 and np.size(atol) == n:
        atol = [*atol, 1.0]
    run = simulate(whole, span, state=start, atol=atol, **options)
    inner = run.interpolant
    return replace(
        run,
        system=system,
        x=_frozen(run.x[:, :n].copy()),
        events=tuple(replace(event, state=event.state[:n]) for event in run.events),
        interpolant=None if inner is None else lambda t: np.asarray(inner(t))[:n],
    )


def _in_pieces(flight: Flight, wanted: np.ndarray | None, dense: bool) -> Simulation:
    """Return the simulation of a system with sudden changes or choices."""
    reached = flight.times[-1]
    if wanted is None:
        times, states, values = np.array(flight.times), np.array(flight.states), np.array(flight.values)
    else:
        times = wanted[wanted <= reached]
        states, values = flight.sample(times)
    set_clocks(flight.system, times, states, flight.times[0])
    return Simulation(
        flight.system,
        _frozen(times),
        _frozen(np.maximum(states, flight.system.lower)),
        tuple(flight.found),
        flight.effort,
        flight.status,
        flight.message,
        (lambda t: flight.sample(np.atleast_1d(t))[0].reshape(*np.shape(t), -1).T) if dense else None,
        (flight.times[0], reached),
        _frozen(values),
    )


def _result(run: Run, wanted: np.ndarray | None, dense: bool) -> Simulation:
    from scipy.integrate import OdeSolution

    times, states = np.array(run.times), np.array(run.states)
    solution = OdeSolution(times, run.pieces) if run.pieces else None
    if wanted is not None:
        wanted = wanted[wanted <= times[-1]]
        inside = np.asarray(solution(wanted)).T if solution is not None and wanted.size else states[: wanted.size]
        states = np.maximum(inside, run.system.lower)
    set_clocks(run.system, times if wanted is None else wanted, states, run.times[0])
    return Simulation(
        run.system,
        _frozen(times if wanted is None else wanted),
        _frozen(states),
        tuple(run.found),
        run.effort,
        run.status,
        run.message,
        solution if dense else None,
        (float(times[0]), float(times[-1])),
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _span(t_span: Any) -> tuple[float, float]:
    ends = _numbers(t_span, "t_span")
    if ends.shape == ():
        ends = np.array([0.0, float(ends)])
    if ends.shape != (2,) or not np.all(np.isfinite(ends)):
        raise InputError(f"t_span must be the end time or a pair (start, end) of finite numbers, not {_short(t_span)}")
    if not ends[1] > ends[0]:
        raise InputError(f"t_span must end after its start (0 unless given), but goes from {ends[0]:g} to {ends[1]:g}")
    return float(ends[0]), float(ends[1])


def _times(times: Any, span: tuple[float, float]) -> np.ndarray:
    wanted = np.array(_numbers(times, "times"))
    if wanted.ndim != 1 or not wanted.size or np.any(np.diff(wanted) <= 0):
        raise InputError(f"times must be ascending numbers, not {_short(times)}")
    if not (wanted[0] >= span[0] and wanted[-1] <= span[1]):
        ends = f"{wanted[0]:g} to {wanted[-1]:g}"
        raise InputError(f"times must lie in the simulated span, {span[0]:g} to {span[1]:g}, but go from {ends}")
    return wanted


def _settings(system: System, method: Any, rtol: Any, atol: Any, max_steps: Any) -> dict[str, Any]:
    if method not in METHODS:
        raise InputError(f"method {_short(method)} is unknown; choose one of {', '.join(METHODS)}")
    relative = _numbers(rtol, "rtol")
    absolute = natural_tolerances(system, system.state) if atol is None else _numbers(atol, "atol")
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
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be made of numbers, not {_short(value)}") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

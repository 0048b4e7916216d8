"""Cycles: found by settling and Newton's method, measured, compared with curves; and what a trajectory settles to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import numbers, require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.polylines import furthest
from bifrncrn.base.tables import Reported, folded, format_complex, format_table, printable
from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.models.conservation import conserved
from bifrncrn.models.field import Field
from bifrncrn.models.forcing import autonomous, period_of, phase_of, shown, timed
from bifrncrn.models.maps import require_flow
from bifrncrn.models.observables import column_of
from bifrncrn.models.system import System
from bifrncrn.trajectories.attraction import Attraction, attraction
from bifrncrn.trajectories.settling import Settled, settle, settle_angles
from bifrncrn.trajectories.shooting import Orbit, find_orbit, orbit_through, turns_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = Mapping[str, float | str] | Sequence[float] | np.ndarray | None
LISTED, ROWS = 8, 20
"""Parameters, and states, that a report lists at most."""
SHARP = 40
"""Samples per interval of an orbit among which its extremes are interpolated by parabolas."""


@dataclass(frozen=True, eq=False, repr=False)
class Cycle(Reported):
    """A periodic orbit of a system.

    Attributes
    ----------
    system : System
        With the parameter values it is a cycle of.
    period : float
    times : (k,) array
        Evenly from 0 to less than the period.
    points : (k, n) array
        The states at these times.
    multipliers : (n,) complex array
        Floquet multipliers, the trivial one (1) first, the others by falling size. Below about 1e-14 times the largest
        they are rounding.
    residual : float
        The largest of the equations' residuals, relative to the size of the cycle; rounding of large, opposed terms
        limits it in stiff systems (1e-9 at mu = 1e-4) and not the cycle, whose last Newton step was below 1e-12.
    error : float
        Estimated relative error of the period.
    min, max : (n,) arrays
        The extremes of every state.
    shift : float
        The phase of `orbit` at the time 0, which in a periodically forced system is that of the forcing.
    stability : {"stable", "unstable", "neutral", "unknown"}
        Neutral is a cycle with no multiplier outside the unit circle, but one that cannot be told from it, as where two
        cycles meet. Unknown is that of one whose multipliers are not.

    Of a periodically forced system `orbit` has two states more, those of an oscillator that stands for time; the period
    is a multiple of the forcing's, and the multipliers are those of its map: none is trivial.
    """

    system: System
    period: float
    times: np.ndarray
    points: np.ndarray
    multipliers: np.ndarray
    residual: float
    error: float
    min: np.ndarray
    max: np.ndarray
    orbit: Orbit = field(repr=False)
    shift: float = 0.0
    stability: Attraction = "unknown"

    @property
    def stable(self) -> bool:
        """Whether all multipliers but the trivial one are inside the unit circle, by more than their errors."""
        return self.stability == "stable"

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `points`."""
        return self.system.variables

    def plot(self, show: str | Sequence[str] | None = None, against: str = "t", ax: Axes | None = None) -> Axes:
        """Draw one turn against time, or against a state (see `bifrncrn.plots.trajectory.plot_trajectory`)."""
        from bifrncrn.plots.trajectory import plot_trajectory

        return plot_trajectory(_Turn(self), show, against, ax)

    def __str__(self) -> str:
        system, word = self.system, self.stability
        values = zip(system.parameters, system.values.tolist(), strict=True)
        where = ", ".join(f"{name} = {value:.6g}" for name, value in list(values)[:LISTED])
        lines = [f"{system.title or 'model'}: {word} cycle of period {self.period:.10g}"]
        lines += [f"at {where}{', ...' if len(system.parameters) > LISTED else ''}"] if where else []
        ends = zip(self.columns, self.min.tolist(), self.max.tolist(), strict=True)
        rows = [[name, f"{low:.8g}", f"{high:.8g}"] for name, low, high in list(ends)[:ROWS]]
        lines += ["", format_table(["state", "least", "largest"], rows)]
        lines += [f"({len(self.columns) - ROWS} more states)"] if len(self.columns) > ROWS else []
        lines += ["", f"Floquet multipliers {format_complex(self.multipliers[:ROWS].tolist())}"]
        lines.append(f"relative error of the period about {self.error:.1g}, residual {self.residual:.1g}")
        return printable(folded("\n".join(lines)))

    def at(self, t: ArrayLike) -> np.ndarray:
        """Return the states (k, n) at times (k,), or (n,) at one; times may be outside one period."""
        when = numbers("the times", t)
        states = self.orbit.at(when.ravel() / self.period + self.shift)[:, : len(self.columns)]
        return states.reshape(*when.shape, -1)


@dataclass(frozen=True, eq=False)
class _Turn:
    """One turn of a cycle, closed, as what can be drawn against time."""

    cycle: Cycle

    @property
    def t(self) -> np.ndarray:
        return np.append(self.cycle.times, self.cycle.period)

    @property
    def columns(self) -> tuple[str, ...]:
        return self.cycle.columns

    @property
    def observables(self) -> tuple[str, ...]:
        return tuple(self.cycle.system.definitions)

    @property
    def title(self) -> str:
        return self.cycle.system.title

    def column(self, name: str) -> np.ndarray:
        system, x = self.cycle.system, np.vstack([self.cycle.points, self.cycle.at(self.cycle.period)])
        if system.period:
            system, x = timed(system), np.column_stack([x, self.t])
        return column_of(system, name, x, np.broadcast_to(system.values, (len(x), system.values.size)))


def find_cycle(
    system: System,
    *,
    values: Values = None,
    state: Values = None,
    period: float | None = None,
    guess: ArrayLike | None = None,
    settle: float | None = None,
    backward: bool = False,
    samples: int = 400,
    tolerance: float = 1e-10,
    max_steps: int = 60_000,
) -> Cycle | None:
    """Find the stable cycle that the trajectory from a state settles to, or the cycle near a guess.

    The trajectory is followed until it returns to a section, the turn is corrected by Newton's method, and the cycle
    is accepted when it is stable and where the trajectory is. One that starts at an unstable equilibrium, or comes to
    rest at one, is pushed off it. In a periodically forced system the trajectory starts at the time 0.

    Parameters
    ----------
    system : System
    values, state : mapping or array, optional
        Parameter values and start state that differ from the system's own.
    period : float, optional
        A guess of the period: then `state` is a guess of a point of the cycle, nothing settles, and the cycle may be
        unstable.
    guess : (k, n) array, optional
        With `period`: points evenly in time along a guess of the whole cycle, for cycles that repel strongly; of a
        periodically forced system from the time 0 on.
    settle : float, optional
        Time that passes before a cycle is looked for; for trajectories that stay long near another cycle.
    backward : bool
        Whether to let time run backwards while settling, which finds cycles that repel. Not for stiff systems.
    samples : int
        The number of points of the result.
    tolerance : float
        Relative accuracy of the period.
    max_steps : int
        Of the integrator while settling, about 20 microseconds each.

    Returns
    -------
    Cycle, or None when there is no cycle to be found in this way

    Raises
    ------
    InputError
        If a name or number is not what it must be.

    Examples
    --------
    >>> model = System.from_equations({"x": "y", "y": "(1 - x^2)*y - x"}, state={"x": 1.0, "y": 0.0})
    >>> cycle = find_cycle(model)
    >>> print(f"{cycle.period:.10f} {cycle.stable}")
    6.6632868593 True
    """
    require_flow(system, "the search for a cycle")
    system = prepared(system, values, state)
    check_positive("samples", samples, whole=True)
    check_positive("tolerance", tolerance)
    if backward and period is not None:
        raise InputError("a guess of the period needs no settling, so leave out backward")
    if system.period:
        return _forced(system, period, guess, settle, backward, samples, tolerance, max_steps)
    if len(system.variables) < 2 and not system.periodic:
        return None
    if period is not None:
        orbit = _near(system, check_positive("period", period), guess, tolerance)
    elif guess is not None:
        raise InputError("a guess of the cycle needs a guess of its period; give period")
    else:
        orbit = _settled(system, settle, backward, max_steps).orbit
        if orbit is not None and (backward or orbit.error > tolerance):
            orbit = _again(system, orbit, backward, tolerance)
    if orbit is None:
        return None
    return measured(system, orbit, int(samples))


def describe_attractor(
    system: System,
    *,
    values: Values = None,
    state: Values = None,
    settle: float | None = None,
    max_steps: int = 60_000,
) -> str:
    """Say what the trajectory from a state settles to.

    Returns
    -------
    str
        `equilibrium`, `cycle`, `chaos or torus`, `rotation` (a state that is an angle goes round and round), `escape`
        (the state grows without bound, or leaves where the system is defined), or `undecided` when `max_steps` steps
        were too few.

    Examples
    --------
    >>> model = System.from_equations({"x": "lam - x^2"}, {"lam": 1.0}, {"x": 0.0})
    >>> describe_attractor(model), describe_attractor(model, values={"lam": -1.0})
    ('equilibrium', 'escape')
    """
    require_flow(system, "describe_attractor")
    return _settled(_alone(prepared(system, values, state)), settle, False, max_steps).kind


def _alone(system: System) -> System:
    """Return the system, with an oscillator for its time where it is forced."""
    return autonomous(system) if system.period else system


def _forced(
    system: System,
    period: float | None,
    guess: ArrayLike | None,
    settle: float | None,
    backward: bool,
    samples: int,
    tolerance: float,
    max_steps: int,
) -> Cycle | None:
    """Return a periodic orbit of a forced system; arguments as for `find_cycle`."""
    if backward:
        raise InputError("the time of a periodically forced model does not run backwards; leave backward out")
    if guess is not None and period is not None:
        points, turns = _curve(guess), round(check_positive("period", period) / period_of(system))
        if not turns:
            rule = f"the period of a forced model's cycle is a multiple of that of the forcing, {period_of(system):g}"
            raise InputError(f"the period is {period:g}, but {rule}")
        angle = 2.0 * np.pi * np.arange(len(points)) / len(points) * turns
        guess = np.column_stack([points, np.cos(angle), np.sin(angle)])
    found = find_cycle(
        autonomous(system), period=period, guess=guess, settle=settle,
        samples=samples, tolerance=tolerance, max_steps=max_steps,
    )  # fmt: skip
    return None if found is None else of_forced(system, found)


def of_forced(system: System, cycle: Cycle) -> Cycle:
    """Return a cycle of the system with an oscillator for its time as one of the forced system."""
    n, one = len(system.variables), period_of(system)
    turns = round(cycle.orbit.period / one)
    shift = float(-phase_of(cycle.orbit.at(np.zeros(1)))[0] % 1.0) / turns
    phases = np.linspace(0, 1, len(cycle.points), endpoint=False)
    return replace(
        cycle,
        system=system,
        period=turns * one,
        times=frozen(phases * turns * one),
        points=frozen(cycle.orbit.at(phases + shift)[:, :n]),
        multipliers=frozen(shown(cycle.multipliers), complex),
        min=frozen(cycle.min[:n]),
        max=frozen(cycle.max[:n]),
        shift=shift,
    )


def hausdorff(first: ArrayLike, second: ArrayLike, closed: bool = True) -> float:
    """Return the Hausdorff distance of two curves given by points: how far one gets from the other at most.

    Parameters
    ----------
    first, second : (k, n) and (l, n) arrays
        Points along the curves, such as `Cycle.points`; distances are measured to the lines between neighbours.
    closed : bool
        Whether the last point of each is joined to its first.

    Raises
    ------
    InputError
        If they are not points of the same space.

    Examples
    --------
    >>> angle = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle)])
    >>> print(f"{hausdorff(circle, 1.1 * circle):.4f}")
    0.1000
    """
    a, b = (_curve(points) for points in (first, second))
    if a.shape[1] != b.shape[1]:
        raise InputError(f"curves of {a.shape[1]} and of {b.shape[1]} dimensions have no distance; give both the same")
    return max(furthest(a, b, closed), furthest(b, a, closed))


def _curve(points: ArrayLike) -> np.ndarray:
    curve = numbers("a curve", points)
    if curve.ndim != 2 or not curve.size or not np.all(np.isfinite(curve)):
        raise InputError(f"a curve must be an array (points, dimensions) of finite numbers, not of shape {curve.shape}")
    return curve


def _conserved(system: System) -> int:
    return len(conserved(system, system.state))


def prepared(system: System, values: Values, state: Values) -> System:
    """Return the system with these values and start, checked: small enough, and finite where it starts."""
    require_kind(system, System, "a system")
    system = system.with_(state=state, values=values)
    n = len(system.variables)
    if n > DENSE_LIMIT:
        raise InputError(f"attractors are looked for in systems of up to {DENSE_LIMIT} variables, and this has {n}")
    low = np.flatnonzero(system.state < system.lower)
    if low.size:
        name = system.variables[low[0]]
        raise InputError(f"the start value of {name} is {system.state[low[0]]:g} but must not be negative")
    whole = _alone(system)
    if not np.all(np.isfinite(whole.rhs(whole.state))):
        raise InputError("the equations are not finite at the start state; start where they are defined")
    return system


def check_positive(name: str, value: Any, whole: bool = False) -> Any:
    """Return the value, a positive number; InputError if it is not."""
    kinds = int | np.integer if whole else int | float | np.integer | np.floating
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < np.inf:
        raise InputError(f"{name} must be a positive {'whole ' if whole else ''}number, not {value!r:.60}")
    return value


def _settled(system: System, discard: float | None, backward: bool, max_steps: int) -> Settled:
    time = 0.0 if discard is None else float(check_positive("settle", discard))
    steps = int(check_positive("max_steps", max_steps, whole=True))
    follow = settle_angles if system.periodic else settle
    return follow(Field(system, backward), system.state, time, steps)


def _near(system: System, period: float, guess: ArrayLike | None, tolerance: float) -> Orbit | None:
    """Return the orbit near the guess, or near the trajectory from the start over the guessed period."""
    if guess is None:
        run = system.simulate(period)
        if run.status != "completed":
            return None
        offset = turns_of(system, run.x[-1] - run.x[0])
        return find_orbit(Field(system), run.t, run.x, tolerance, offset)
    points = _curve(guess)
    if points.shape[1] != len(system.variables) or len(points) < 8:
        raise InputError(
            f"guess must have 8 points or more of {len(system.variables)} variables, but its shape is {points.shape}"
        )
    times = np.linspace(0, period, len(points) + 1)
    offset = turns_of(system, (points[-1] - points[0]) * len(points) / (len(points) - 1))
    end = points[0] if offset is None else points[0] + offset
    return find_orbit(Field(system), times, np.vstack([points, end]), tolerance, offset)


def _again(system: System, orbit: Orbit, backward: bool, tolerance: float) -> Orbit | None:
    """Return the orbit in forward time, to the tolerance."""
    phases = np.append(orbit.phases(8), 1.0)
    states = orbit.at(phases)
    if backward:
        phases, states = 1.0 - phases[::-1], states[::-1]
    return find_orbit(Field(system), phases * orbit.period, states, tolerance, turns_of(system, states[-1] - states[0]))


def measured(system: System, orbit: Orbit, samples: int) -> Cycle:
    """Return an orbit as a cycle of a system, with `samples` points."""
    phases = np.linspace(0, 1, samples, endpoint=False)
    multipliers = np.linalg.eigvals(orbit.monodromy)
    trivial = int(np.argmin(np.abs(multipliers - 1)))
    others = np.delete(multipliers, trivial)
    ordered = np.append(multipliers[trivial], others[np.argsort(-np.abs(others))])
    low, high = _extremes(orbit)
    return Cycle(
        system,
        orbit.period,
        frozen(phases * orbit.period),
        frozen(orbit.at(phases)),
        frozen(ordered, complex),
        orbit.residual,
        orbit.error,
        frozen(low),
        frozen(high),
        orbit,
        stability=attraction(Field(system), orbit, _conserved(system)),
    )


def cycle_through(
    system: System,
    times: np.ndarray,
    states: np.ndarray,
    multipliers: np.ndarray,
    stability: Attraction,
    samples: int = 400,
) -> Cycle:
    """Return the cycle that a branch of periodic orbits has computed: its times (k,) and states (k, n).

    The last state equals the first. How exact it is the branch knows: `residual` and `error` are NaN here.
    """
    orbit = orbit_through(Field(system), times, states)
    phases = np.linspace(0, 1, samples, endpoint=False)
    low, high = _extremes(orbit)
    return Cycle(
        system,
        orbit.period,
        frozen(phases * orbit.period),
        frozen(orbit.at(phases)),
        frozen(multipliers, complex),
        orbit.residual,
        np.nan,
        frozen(low),
        frozen(high),
        orbit,
        stability=stability,
    )


def _extremes(orbit: Orbit) -> tuple[np.ndarray, np.ndarray]:
    """Return minimum and maximum of every state: of the parabola through the extreme sample and its neighbours."""
    phases = orbit.phases(SHARP)
    x = orbit.at(phases)
    ends = []
    for pick, best in ((np.argmin, np.minimum), (np.argmax, np.maximum)):
        i = pick(x, axis=0)
        columns = np.arange(x.shape[1])
        around = np.array([x[(i + k) % len(phases), columns] for k in (-1, 0, 1)])
        times = np.array([phases[(i + k) % len(phases)] - phases[i] for k in (-1, 0, 1)])
        times = (times + 0.5) % 1.0 - 0.5
        ends.append(best(around[1], _vertex(times, around)))
    if orbit.offset is not None:  # what goes round takes all values of an angle
        for end, most in zip(ends, (-np.pi, np.pi), strict=True):
            end[:] = np.where(orbit.offset != 0.0, most, end)
    return ends[0], ends[1]


def _vertex(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the extreme value of the parabola through three points, (3, n) each; t[1] is 0."""
    left, right = (y[0] - y[1]) / t[0], (y[2] - y[1]) / t[2]
    curvature = (right - left) / (t[2] - t[0])
    slope = left - curvature * t[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = y[1] - slope**2 / (4 * curvature)
    return np.where(np.isfinite(value), value, y[1])

"""What a trajectory settles to: an equilibrium, a cycle, something more complicated, or nothing (it escapes)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bifrncrn.models.field import Field
from bifrncrn.models.sizes import died_out, natural_sizes
from bifrncrn.trajectories.integration import LEAST, natural_tolerances, own_units
from bifrncrn.trajectories.recurrence import (
    NEUTRAL,
    RETURNED,
    SLACK,
    crossings,
    cycle_of,
    repels,
    sizes_of_motion,
    upward,
)
from bifrncrn.trajectories.shooting import TURN, Orbit, find_orbit, hermite, turns_of
from bifrncrn.trajectories.stepper import Stepper
from bifrncrn.trajectories.steps_layout import ESCAPED, GOES_ON

RTOL, FINEST = 1e-6, 1e-12
"""Relative tolerance while settling, of the extent of the motion, and its least value, of the state; absolute ones suit
the start. What is found is then corrected by Newton's method."""
PATIENCE = 100
"""Steps of a stiff method where the explicit one finds a trajectory stiff; twice as many if it soon does so again."""
FEW = 40
"""The compiled stiff method factorises a dense Jacobian at every step; beside more states multistep methods pay."""
FIRST_CHUNK = 400
CHUNK_GROWTH = 1.5
"""Steps between two looks at the trajectory. Steps, not times: they adapt to the system's own time-scale."""
FAR = 1e8
"""A state this many times larger than the start (or than 1) counts as escaped."""
ARRIVED = 1e-6
"""A trajectory that stays this near an equilibrium, relative to the largest it was, rests there (or leaves it slowly,
if it repels). The last tenth of a chunk says so."""
TICKS = 16.0
"""What happens within so many of the clock's least differences happens now."""
HALVED = 40
"""So often the way to where the field is not defined any more is halved."""
MOVED = 8
"""How a state moves where no step can be made is told from so many steps before."""
UNSOLVED = 1e-8
"""A rate that a singular Newton step leaves is none if it is below this part of what the states' sizes make of it."""
SHORTER, NOT_SHORT = 60, 2.0
"""So often a first step is halved while it is longer than so many of the shortest time-scales at its end."""
COARSE = 1e-3
"""The clock's rounding may be this share of the system's shortest time-scale; what would happen within this share of
the time so far, where no step can be made, happens."""
FEWEST_TURNS = 3
"""What has not turned more often than this while it was watched is not said to go on for ever."""
NUDGE = 1e-3
LEAVES = 1e-9
"""A trajectory this far off an equilibrium that repels, relative to the state, leaves on the side where it is."""
ROTATION = "rotation"
SAMPLES = 100
ALIKE = 1e-3
"""Turns of an angle between which other states differ by no more, relatively, are tried as periods, the fewest first:
between the integrator's steps, which Newton's method does not depend on, states are known worse than at them."""
AGAIN = 3
"""So often a trajectory is followed on whose angles have grown too large, as after a long rest beside a saddle."""
ROUNDS = 20
UNCHANGED = 1e-5
"""An angle goes round and round where all else is the same so many turns later, but for errors of the integration: what
changes more, relatively, may slow down, over ten thousands of turns, and rest."""


@dataclass(frozen=True, eq=False)
class Settled:
    """What was found: `equilibrium`, `cycle`, `chaos or torus`, `escape`, or `undecided` within the steps allowed.

    Or what the caller recognised (`settle`). `state` is where it is, of an escape a state on the way. `times` (k,) and
    `trail` (k, n) are the last that was seen of a trajectory that neither rests nor repeats.
    """

    kind: str
    state: np.ndarray
    orbit: Orbit | None = None
    times: np.ndarray | None = None
    trail: np.ndarray | None = None


class _Trajectory:
    """A trajectory that goes on chunk by chunk: by the explicit method, and where it is stiff by others."""

    def __init__(self, field: Field, start: np.ndarray, multistep: bool = False) -> None:
        self.field = field
        self.multistep = multistep or field.n > FEW
        """Whether the methods for what is stiff are scipy's; else a compiled one."""
        self.was_stiff = False
        self.limit = FAR * (1.0 + float(np.abs(start).max()))
        self.units = own_units(field.system, start)
        self.atol = natural_tolerances(field.system, start)
        self.rtol = RTOL
        self.t = 0.0
        self.state = np.array(start, dtype=float)
        self.end = "escape"
        self._first: float | None = None
        self._patience = PATIENCE

    def begin(self, start: np.ndarray, t: float = 0.0) -> None:
        """Begin anew at a state, with a step as short as the system's shortest time-scale.

        Near rest the integrator would try one so long that it fails, which is taken for an escape; and after a rest,
        where steps grow without limit, the clock may be too coarse for any: then it begins at zero.
        """
        self.state, self.t = np.array(start, dtype=float), t
        fastest = float(np.abs(self.field.jacobian(t, start) * self.units / self.units[:, None]).max())
        self._first = None
        if np.isfinite(fastest) and fastest > 0:
            self._first = self._as_short_there(t, start, 1.0 / fastest)
            self.t = 0.0 if np.spacing(t) > COARSE / fastest else t

    def _as_short_there(self, t: float, start: np.ndarray, step: float) -> float:
        """Return the step, shortened until it is short for the time-scale where it ends too."""
        rates = self.field.rhs(t, start)
        for _ in range(SHORTER):
            there = self.field.jacobian(t, start + step * rates)
            fastest = float(np.abs(there * self.units / self.units[:, None]).max())
            if step * fastest <= NOT_SHORT:
                break
            step *= 0.5
        return step

    def sharpen(self, states: np.ndarray) -> None:
        """Begin anew with a smaller tolerance if the motion is small beside the state itself."""
        states_alike = states / self.units
        extent, size = np.ptp(states_alike, axis=0).max(), np.abs(states_alike).max()
        wanted = max(RTOL * float(extent / max(size, 1e-300)), FINEST)
        if wanted < 0.1 * self.rtol:
            self.rtol = wanted
            self.begin(states[-1], self.t)

    def advance(self, steps: int, until: float = np.inf) -> tuple[np.ndarray, np.ndarray] | None:
        """Return times (k,) and states (k, n) of some steps, or None when it ended; `end` says how."""
        times, states = np.array([self.t]), self.state[None].copy()
        while len(times) <= steps and self.t < until:
            for part in (self._by_explicit_method, self._by_stiff_method):
                followed = part(steps + 1 - len(times), until)
                if followed is None:
                    return None
                done, t, x = followed
                times, states = np.append(times, t[1:]), np.concatenate([states, x[1:]])
                self.state = x[-1].copy()
                if done:
                    return times, states
                if self._leaves(float(t[-1]), self.state, self._in_no_time(float(t[-1]))):
                    self.end = "escape"
                    return None
                self.begin(self.state, float(t[-1]))
                if self.t < times[-1]:  # the clock was set back: times must ascend
                    if len(times) > steps // 2:
                        return times, states
                    times, states = np.array([self.t]), self.state[None].copy()
        return times, states

    def _in_no_time(self, t: float) -> np.ndarray:
        """Return how far the state moves in a time that the clock cannot tell from now."""
        return np.asarray(TICKS * np.spacing(t) * self.field.rhs(t, self.state))

    def _by_explicit_method(self, steps: int, until: float) -> tuple[bool, np.ndarray, np.ndarray] | None:
        """Return whether nothing is left to do, times and states; None when the trajectory escaped."""
        run = self._stepper(stiff=False, longest=self._some_turns())
        status, times, states = run.advance(steps, until)
        self.t, self._first, self.state = run.t, run.step, run.state.copy()
        self._patience = PATIENCE if len(times) > PATIENCE else 2 * self._patience
        return None if status == ESCAPED else (status == GOES_ON, times, states)

    def _some_turns(self) -> float:
        """Return the longest step, of some turns of an angle: at constant speed no error would limit it."""
        rates = np.abs(self.field.rhs(self.t, self.state)[angles_of(self.field)])
        return TURN * ROUNDS / float(rates.max()) if rates.any() else np.inf

    def _coarse(self) -> float:
        """Return the time from which on the clock is too coarse: at rest steps would grow and grow. See `begin`."""
        fastest = float(np.abs(self.field.jacobian(self.t, self.state) * self.units / self.units[:, None]).max())
        return COARSE / (np.finfo(float).eps * fastest) if fastest > 0.0 else np.inf

    def _stepper(self, stiff: bool, longest: float = np.inf) -> Stepper:
        """Return a compiled method that goes on from here."""
        limits = self.rtol, self.atol, self.limit, SLACK
        return Stepper(self.field, self.state, self.t, *limits, self._first, stiff, longest)

    def _by_stiff_method(self, steps: int, until: float) -> tuple[bool, np.ndarray, np.ndarray] | None:
        """Return the same, some steps of a stiff method."""
        if not self.field.rhs(self.t, self.state).any():  # at rest, to the last digit
            ever = self.t + max(self._first or 1.0, 2.0 * np.spacing(self.t)) * np.arange(steps + 1)
            self.t = float(ever[-1])
            return True, ever, np.repeat(self.state[None], steps + 1, axis=0)
        if not self.multistep:
            self.was_stiff = True
            run = self._stepper(stiff=True, longest=min(self._coarse() / steps, self._some_turns()))
            status, times, states = run.advance(min(steps, self._patience), until)
            if status == ESCAPED:
                self.state = run.state.copy()
                return None
            if len(times) > 1:
                self.t = run.t
                return len(times) > steps or self.t >= until, times, states
        return self._by_multistep_method(steps, until)

    def _by_multistep_method(self, steps: int, until: float) -> tuple[bool, np.ndarray, np.ndarray] | None:
        """Return the same: by LSODA, and where that gives up, as beside rates of 1e10, by Radau's method."""
        from scipy.integrate import LSODA, Radau

        options = {"rtol": self.rtol, "atol": self.atol, "jac": self.field.jacobian, "first_step": self._first}
        solver: Any = LSODA(self.field.rhs, self.t, self.state.copy(), 1e300, **options)
        times, states = [self.t], [self.state]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a failed step is an end
            for _ in range(min(steps, self._patience)):
                if times[-1] >= until or solver.status == "finished":
                    break
                solver.step()
                if solver.status == "failed" and isinstance(solver, LSODA) and not self._escaped(solver.y):
                    solver = Radau(self.field.rhs, times[-1], states[-1].copy(), 1e300, **options)
                    solver.step()
                x = solver.y.copy()
                failed = solver.status == "failed" or solver.t == times[-1] or bool(np.isnan(x).any())
                if failed or self._escaped(x):
                    self.end = self._fate_of_failure(times, states) if failed else "escape"
                    self.state = states[-1] if failed else x
                    return None
                below = (x < self.field.lower - self.atol).any()
                times.append(solver.t)
                states.append(np.maximum(x, self.field.lower) if below else x)
                if below:  # by the integrator's error: the field does not push it there
                    break
        self.t = times[-1]
        return len(times) > steps or self.t >= until, np.array(times), np.array(states)

    def _fate_of_failure(self, times: list[float], states: list[np.ndarray]) -> str:
        """Say why no step could be made: the state is about to blow up, or to leave where the field is defined.

        Else it is not known: it slides along a discontinuity, say. The last states may be outside by error.
        """
        defined = [k for k, (t, x) in enumerate(zip(times, states, strict=True)) if self._is_defined(t, x)]
        if not defined:
            return "undecided"
        last, first = defined[-1], max(defined[-1] - MOVED, 0)
        t, x = times[last], states[last]
        rates = self.field.rhs(t, x)
        if last > first:  # to and fro is no motion
            moved = (x - states[first]) / (t - times[first])
            rates = np.where(np.abs(moved) < np.abs(rates), moved, rates)
        grows = (COARSE * np.abs(x) < np.spacing(t) * np.abs(rates)) & (np.abs(x) > SLACK * self.atol)
        return "escape" if grows.any() or self._leaves(t, x, COARSE * t * rates) else "undecided"

    def _leaves(self, t: float, x: np.ndarray, step: np.ndarray) -> bool:
        """Say whether the field is not defined a step ahead, and up to where it is drives the state on that way."""
        if not self._is_defined(t, x) or self._is_defined(t, np.maximum(x + step, self.field.lower)):
            return False
        low, high = 0.0, 1.0
        for _ in range(HALVED):
            middle = 0.5 * (low + high)
            here = self._is_defined(t, np.maximum(x + middle * step, self.field.lower))
            low, high = (middle, high) if here else (low, middle)
        rates = self.field.rhs(t, np.maximum(x + low * step, self.field.lower))
        with np.errstate(all="ignore"):  # far out their product may be too large for a number
            return bool(np.sum(rates / self.units * (step / np.abs(step / self.units).max() / self.units)) > 0.0)

    def _is_defined(self, t: float, x: np.ndarray) -> bool:
        return bool(np.isfinite(self.field.rhs(t, x)).all())

    def _escaped(self, x: np.ndarray) -> bool:
        return not np.abs(x).max() < self.limit or bool(self.field.outward(x, SLACK * self.atol).any())


def angles_of(field: Field) -> list[int]:
    """Return the places of the states that are angles."""
    return [field.system.variables.index(name) for name in field.system.periodic]


def _least_motion(run: _Trajectory, x: np.ndarray) -> np.ndarray:
    """Return the extents (n,) below which states hardly move; what is noise and fades hardly does at any size."""
    before, after = (np.abs(half).max(axis=0) for half in (x[: len(x) // 2 + 1], x[len(x) // 2 :]))
    sizes = np.maximum(before, after)
    least = SLACK * (run.rtol * sizes + run.atol)
    fades = died_out(run.field.system, x[-1], sizes, LEAST, run.field.values) & (after <= before)
    return np.where(fades, least.max(), least)


def settle(
    field: Field,
    start: np.ndarray,
    discard: float = 0.0,
    max_steps: int = 60_000,
    recognise: Callable[[np.ndarray, np.ndarray], str] | None = None,
    first_chunk: int = FIRST_CHUNK,
) -> Settled:
    """Follow a trajectory until it is clear what it settles to.

    Parameters
    ----------
    field : Field
    start : (n,) array
    discard : float
        Time that passes before the trajectory is looked at.
    max_steps : int
        Of the integrator, in all.
    recognise : callable, optional
        Given the times (k,) and states (k, n) of a part of the trajectory, says what it is on, if it knows; an empty
        text if not.
    first_chunk : int
        Steps before the first look.
    """
    options = (discard, max_steps, recognise, first_chunk)
    run = _Trajectory(field, start)
    found = _settled(run, start, *options)
    if found.kind == "undecided" and run.was_stiff:  # beside rates of 1e12 its steps may be too short to come anywhere
        return _settled(_Trajectory(field, start, multistep=True), start, *options)
    return found


def _settled(
    run: _Trajectory,
    start: np.ndarray,
    discard: float,
    max_steps: int,
    recognise: Callable[[np.ndarray, np.ndarray], str] | None,
    first_chunk: int,
) -> Settled:
    """Follow a trajectory until it is clear what it settles to; see `settle`."""
    field = run.field
    left, chunk = max_steps, first_chunk
    largest = np.abs(start)
    ranges: list[np.ndarray] = []
    nudges = 0
    drifting = False
    if discard:
        passed = run.advance(max_steps, discard)
        if passed is None:
            return Settled(run.end, run.state)
        left -= len(passed[0]) - 1
    t, x = np.zeros(1), start[None].copy()
    before = t, x
    while left > 0:
        steps = min(chunk, left)
        followed = run.advance(steps)
        if followed is None:
            return Settled(run.end, run.state)
        left, chunk = left - steps, int(CHUNK_GROWTH * chunk)
        before, (t, x) = (t, x), followed
        largest = np.maximum(largest, np.abs(x).max(axis=0))
        if recognise is not None and (known := recognise(t, x)):
            return Settled(known, x[-1], None, t, x)
        least = _least_motion(run, x)
        orbit = cycle_of(field, t, x, least)
        if orbit is not None:
            return Settled("cycle", orbit.nodes[0, 0], orbit)
        rest = _equilibrium(field, x, np.maximum(largest, 1e-2 * run.atol))
        if rest is not None:
            sizes = natural_sizes(field.system, rest, largest)
            away = _unstable_direction(field, rest, sizes, x[-1] - rest, (-1) ** nudges)
            if away is None:
                return Settled("equilibrium", rest)
            if nudges == 2:
                break
            far = NUDGE * (float(np.abs(rest / sizes).max()) + NUDGE)
            run.begin(np.maximum(rest + far * sizes * away, field.lower))
            nudges += 1
        else:
            run.sharpen(x)
            ranges.append(np.array([x.min(axis=0), x.max(axis=0)]))
            drifting = _drifting(field, t, x, least)
    steady = _steady(ranges, largest, least) and not drifting
    goes_on = steady and len(crossings(field, t, x, sizes_of_motion(x, least))) > FEWEST_TURNS
    kind = "chaos or torus" if goes_on else "undecided"
    joined = [np.concatenate([one[:-1], two]) for one, two in zip(before, (t, x), strict=True)]
    return Settled(kind, run.state, None, *joined)


def settle_angles(
    field: Field,
    start: np.ndarray,
    discard: float,
    max_steps: int,
    recognise: Callable[[np.ndarray, np.ndarray], str] | None = None,
) -> Settled:
    """Follow a trajectory, of which some states are angles, as `settle` does.

    What it settles to may be a `rotation`: an angle goes round and round, and all other states are what they were
    ROUNDS turns ago. The orbit is that of one turn, or of the fewest after which they are. Where they are not, what
    turns so often is undecided. An angle that has grown has not escaped: it is followed on from less.
    """
    angles = angles_of(field)

    def known(t: np.ndarray, x: np.ndarray) -> str:
        if any(_turns_on(field, t, x, k) for k in angles):
            return ROTATION
        return "" if recognise is None else recognise(t, x)

    found = settle(field, start, discard, max_steps, known)
    for _ in range(AGAIN):
        if found.kind != "escape" or not _only_turned(field, start, found.state):
            break
        found = settle(field, _within_a_turn(field, found.state), 0.0, max_steps, known)
    if found.kind == "escape" and _only_turned(field, start, found.state):
        return replace(found, kind="undecided")
    t, x = found.times, found.trail
    if found.kind == ROTATION and t is not None and x is not None:
        orbits = (_rotating(field, t, x, k) for k in angles if _turns_on(field, t, x, k))
        return replace(found, orbit=next((orbit for orbit in orbits if orbit is not None), None))
    turned = x is not None and bool((np.abs(x[-1] - x[0])[angles] > TURN * ROUNDS).any())
    return replace(found, kind="undecided") if turned and found.kind == "chaos or torus" else found


def _only_turned(field: Field, start: np.ndarray, end: np.ndarray) -> bool:
    """Say whether of the states of a trajectory that ended none but angles have grown without bound."""
    limit = 0.5 * FAR * (1.0 + float(np.abs(start).max()))  # the last step may be too long to be taken
    return bool(np.abs(_within_a_turn(field, end)).max() < limit <= np.abs(end[angles_of(field)]).max())


def _within_a_turn(field: Field, x: np.ndarray) -> np.ndarray:
    """Return a state with angles from 0 to 2 pi."""
    angles, inside = angles_of(field), x.copy()
    inside[angles] = x[angles] % TURN
    return inside


def _turns_on(field: Field, t: np.ndarray, x: np.ndarray, k: int) -> bool:
    """Say whether the angle k of a trajectory goes round and round."""
    return _turns_before(field, t, x, k, ROUNDS, UNCHANGED) is not None


def _turns_before(
    field: Field, t: np.ndarray, x: np.ndarray, k: int, rounds: int, same: float
) -> tuple[float, np.ndarray] | None:
    """Return time and state so many turns of the angle k before the last; None where other states were not the same."""
    way = 1.0 if x[-1, k] > x[0, k] else -1.0
    before = way * (x[:, k] - x[-1, k]) + TURN * rounds
    size = np.maximum(np.abs(x).max(axis=0), 1e-300)
    size[angles_of(field)] = TURN
    for when, there in upward(field, t, x, before, way * np.eye(field.n)[k]):
        gap = there - x[-1]
        turns = turns_of(field.system, gap)
        if np.all(np.delete(np.abs(gap if turns is None else gap - turns) / size, k) < same):
            return when, there
    return None


def _rotating(field: Field, t: np.ndarray, x: np.ndarray, k: int) -> Orbit | None:
    """Return the orbit that a trajectory goes along whose angle k goes round and round."""
    for rounds in range(1, ROUNDS + 1):
        begun = _turns_before(field, t, x, k, rounds, ALIKE)
        if begun is None:
            continue
        when, state = begun
        times, states = np.append(when, t[t > when]), np.vstack([state, x[t > when]])
        wound = turns_of(field.system, state)
        states = states if wound is None else states - wound
        last = len(times) - 1  # a turn may be a few steps, which are short where it is fast
        fine = np.interp(np.linspace(0, last, max(last + 1, SAMPLES)), np.arange(last + 1), times)
        states = hermite(times, states, field.many(states), fine)
        orbit = find_orbit(field, fine, states, offset=turns_of(field.system, x[-1] - state))
        if orbit is not None and not repels(orbit.monodromy):  # one that repels is passed by, every second turn say
            return orbit
    return None


def _steady(ranges: list[np.ndarray], largest: np.ndarray, least: np.ndarray) -> bool:
    """Say whether the trajectory filled the same range (2, n) in the last two chunks, and one larger than `least`."""
    if len(ranges) < 3:
        return False
    last, before = (np.asarray(each / np.maximum(largest, 1e-300)) for each in (ranges[-1], ranges[-2]))
    extent = last[1] - last[0]
    moves = ranges[-1][1] - ranges[-1][0] > least
    return bool((np.abs(last - before) <= 0.2 * extent.max()).all() and moves.any())


def _drifting(field: Field, t: np.ndarray, x: np.ndarray, least: np.ndarray) -> bool:
    """Say whether turn follows turn with little change: towards something, but too slowly to tell."""
    scale = sizes_of_motion(x, least)
    places = np.array([state for _, state in crossings(field, t, x, scale)[-20:]])
    return len(places) > 2 and float(np.median(np.max(np.abs(np.diff(places, axis=0)) / scale, axis=1))) < RETURNED


# -- equilibria ------------------------------------------------------------------------------------------------------


def _equilibrium(field: Field, x: np.ndarray, size: np.ndarray) -> np.ndarray | None:
    """Return the equilibrium that the trajectory x (k, n) is coming to rest at, or None."""
    rest = _newton(field, x[-1], size)
    if rest is None or not np.isfinite(field.jacobian(0.0, rest)).all():
        return None
    distance = np.max(np.abs(x - rest) / size, axis=1)
    third, tenth = max(len(x) // 3, 1), max(len(x) // 10, 1)
    early, late = distance[:third].max(), distance[-third:].max()
    return rest if distance[-tenth:].max() < ARRIVED or (late < 1e-3 and late < 0.5 * early) else None


def _newton(field: Field, start: np.ndarray, size: np.ndarray) -> np.ndarray | None:
    x = start.copy()
    for _ in range(20):
        f, matrix = field.linearize(x[None, :])
        if not (np.all(np.isfinite(f)) and np.all(np.isfinite(matrix))):
            return None
        scaled = matrix[0] * size
        rows = np.maximum(np.abs(scaled).max(axis=1), 1e-300)
        # conservation laws make it singular
        step = size * np.linalg.lstsq(scaled / rows[:, None], -f[0] / rows, rcond=1e-13)[0]
        solved = np.abs(f[0] + matrix[0] @ step) <= UNSOLVED * (np.abs(matrix[0]) @ np.maximum(size, np.abs(x)))
        x = np.maximum(x + step, field.lower)
        length = np.max(np.abs(step) / size)
        if length < 1e-10:
            return x if solved.all() else None
        if length > 1e3:
            return None
    return None


def _unstable_direction(
    field: Field, rest: np.ndarray, sizes: np.ndarray, off: np.ndarray, otherwise: float
) -> np.ndarray | None:
    """Return a unit vector, in terms of the sizes, along which the equilibrium repels most, or None if it does not.

    It points to the side where a state `off` the equilibrium is; where that is on neither, to the one with the sign
    `otherwise`.
    """
    jacobian = field.jacobian(0.0, rest) * sizes / sizes[:, None]
    values, vectors = np.linalg.eig(jacobian)
    leading = int(np.argmax(values.real))
    if values[leading].real <= NEUTRAL * np.abs(values).max():
        return None
    vector = vectors[:, leading].real
    vector = vector / np.linalg.norm(vector)
    side = otherwise
    if values[leading].imag == 0.0:  # the left eigenvector tells how much of `off` grows
        left_values, left = np.linalg.eig(jacobian.T)
        w = left[:, int(np.argmin(np.abs(left_values - values[leading])))].real
        grows = float(w @ (off / sizes)) / (float(w @ vector) or np.inf)
        side = np.sign(grows) if abs(grows) > LEAVES * np.abs(rest / sizes).max() else otherwise
    return side * vector

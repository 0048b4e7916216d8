"""The verb `attractors`: what trajectories from a box settle to, and what part of the box goes where."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import require_kind, whole
from bifrncrn.base.errors import InputError
from bifrncrn.base.polylines import furthest
from bifrncrn.base.progress import progress
from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.models.conservation import Reduction, conserved, reduce
from bifrncrn.models.field import Field
from bifrncrn.models.forcing import autonomous, period_of, phase_of, shown
from bifrncrn.models.maps import is_map
from bifrncrn.models.system import System
from bifrncrn.trajectories.attractor_results import Attractor, Attractors, exact_interval
from bifrncrn.trajectories.clouds import FEWEST, Cloud
from bifrncrn.trajectories.cycles import Cycle, Values, measured
from bifrncrn.trajectories.lyapunov import Exponent, largest_lyapunov
from bifrncrn.trajectories.map_attractors import MapSurvey
from bifrncrn.trajectories.recurrence import NEUTRAL
from bifrncrn.trajectories.settling import ROTATION, Settled, settle, settle_angles

FIRST_CHUNK = 100
"""Steps before the first look at a trajectory: most come to rest soon."""
APART = 1e-5
"""Equilibria, and cycles, are one where they differ by less than this part of the box, or of their own size."""
SAME_PERIOD = 1e-6
HARDLY = 1e-3
"""A state of a cycle counts as going this part of its size at least."""
ARRIVED, CLOSER, THERE = 1e-3, 0.9, 1e-4
"""A trajectory is at a known cycle where a turn of it is this close, in terms of the cycle's size, and closer than this
part of what the turn before was; or as close as the last number, about what the lines between its points are off."""
FEW = 8
CURVE = 100
"""Points of a cycle that are compared with another one."""
TRUSTED = 3
"""So many trajectories must stay on a chaotic set for all the steps allowed before others that come to it are taken to
stay there too."""
GROWN = 20.0
"""A set is chaotic where differences grow on it by so many powers of e while it is watched, and the exponent is ..."""
CLEAR = 3.0
"""... this many times its error."""
TRIES = 1000
"""Starts that are drawn for each one that the conserved sums allow."""
PRESERVED = 1e-6
"""The field contracts volumes where the mean of its divergence is below minus this part of its rates."""
PARTS, CERTAIN = 10, 6.0
"""Into so many parts of the time the mean is split, and so many of its standard errors must lie between it and zero: by
chance that is one case in 10,000 (Student's t, 9 degrees of freedom), of a few hundred trajectories."""

PLACES = (0.0, 0.31, 0.73, 1.0)
"""Where between two states it is seen whether one that is zero stays zero."""


def attractors(
    system: System,
    box: Mapping[str, tuple[float, float]],
    *,
    values: Values = None,
    samples: int = 200,
    seed: int = 0,
    max_steps: int = 60_000,
) -> Attractors:
    """Find the attractors of a system at given parameter values, and the shares of a box that their basins fill.

    Trajectories start evenly at random in the box and are followed until they come to rest at a stable equilibrium,
    repeat (the cycle is then corrected by Newton's method, and its multipliers say that it attracts), grow without
    bound, or have taken all their steps. Trajectories that neither rest nor repeat are on one set where they fill the
    same region; its largest Lyapunov exponent says whether it is chaotic. Those of a periodically forced system start
    at the time zero. Orbits of a map come to a stable fixed point, a stable cycle (of up to 64 points), or neither.

    Parameters
    ----------
    system : System
    box : mapping of str to (float, float)
        Least and greatest start of states; those that are not named start at the system's own start. Conserved sums
        are those of the system's start: trajectories begin where the box allows them.
    values : mapping or array, optional
        Parameter values that differ from the system's own.
    samples : int
        How many trajectories. The interval of a share is about 1 / sqrt(samples) wide.
    seed : int
        Of the generator of the starts: the same seed gives the same result.
    max_steps : int
        Of the integrator, for each trajectory, about 20 microseconds each; the orbits of a map take each step together,
        in about that time. Chaotic sets are watched so long.

    Returns
    -------
    Attractors

    Raises
    ------
    InputError
        If a name or number is not what it must be, or the conserved sums leave (almost) nothing of the box.

    Examples
    --------
    >>> model = System.from_equations({"x": "x - x^3"}, state={"x": 0.0})
    >>> found = attractors(model, {"x": (-1.0, 3.0)}, samples=100)
    >>> [(each.kind, round(float(each.state[0]), 9), each.count) for each in found]
    [('equilibrium', 1.0, 78), ('equilibrium', -1.0, 22)]
    """
    require_kind(system, System, "a system")
    system = system.with_(values=values)
    if system.transitions:
        raise InputError("attractors are looked for in models without sudden changes (events), and this has some")
    if len(system.variables) > DENSE_LIMIT:
        n = len(system.variables)
        raise InputError(f"attractors are looked for in systems of up to {DENSE_LIMIT} variables, and this has {n}")
    sides = _sides(system, box)
    count, steps = whole("samples", samples), whole("max_steps", max_steps)
    inner = autonomous(system) if system.period else system
    laws = conserved(inner, inner.state) if system.has_formulas else ()
    reduction = reduce(inner, np.asarray(laws), inner.state) if len(laws) else None
    starts = _starts(inner, sides, reduction, count, np.random.default_rng(whole("seed", seed, 0)))
    size = np.maximum(np.ptp(starts, axis=0), np.abs(starts).max(axis=0))
    followed = reduction.system if reduction else inner
    if is_map(system):
        return _of_map(MapSurvey(followed, size, steps), starts, system, reduction, sides, int(seed))
    survey = _Survey(followed, size, steps)
    with progress(f"following {count} trajectories"):
        survey.run(starts)
    found = sorted(survey.attracting, key=lambda seen: -seen.count)
    missing = [name for name in system.variables if name not in sides]
    notes = [reduction.sentence(system.variables)] if reduction else []
    notes += [f"{', '.join(missing)} started at the model's own start."] if missing and not reduction else []
    return Attractors(
        system,
        sides,
        tuple(_attractor(seen, survey.system, reduction, system, count) for seen in found),
        count,
        int(seed),
        survey.outcomes.count("escape"),
        survey.outcomes.count("neutral"),
        survey.outcomes.count("undecided"),
        sum(seen.left for seen in survey.seen),
        (*system.notes, *notes),
    )


def _of_map(
    survey: MapSurvey,
    starts: np.ndarray,
    system: System,
    reduction: Reduction | None,
    sides: dict[str, tuple[float, float]],
    seed: int,
) -> Attractors:
    """Return the attractors of a map."""
    with progress(f"following {len(starts)} orbits"):
        survey.run(starts)
    found = []
    for seen in sorted((each for each in survey.seen if each.count), key=lambda each: -each.count):
        points = seen.points
        if reduction is not None:
            points = reduction.states(points, np.tile(reduction.system.values, (len(points), 1)))
        found.append(
            Attractor(
                seen.kind, seen.count, seen.count / len(starts), exact_interval(seen.count, len(starts)),
                frozen(points[0]), frozen(points), frozen(points.min(axis=0)), frozen(points.max(axis=0)),
                None if seen.cloud else float(len(points)), frozen(seen.multipliers, complex), seen.exponent,
                float(seen.count * survey.steps) if seen.cloud else None,
            )
        )  # fmt: skip
    escaped, neutral, undecided = (survey.outcomes.count(word) for word in ("escape", "neutral", "undecided"))
    notes = [reduction.sentence(system.variables)] if reduction else []
    said = (*system.notes, *notes)
    return Attractors(system, sides, tuple(found), len(starts), seed, escaped, neutral, undecided, 0, said)


def _sides(system: System, box: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    require_kind(box, Mapping, 'a box: a mapping such as {"x": (0, 1)}')
    sides = {}
    for name, side in box.items():
        index = system.variable_index(name)
        try:
            low, high = (float(end) for end in side)
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"the box of {name} must be two numbers, the smaller first, not {side!r:.60}") from None
        if not (np.isfinite([low, high]).all() and low < high):
            raise InputError(
                f"the box of {name} must be two finite numbers, the smaller first, not [{low:g}, {high:g}]"
            )
        if low < system.lower[index]:
            raise InputError(f"the box of {name} begins at {low:g}, but {name} must not be negative; begin at 0")
        sides[name] = (low, high)
    if not sides:
        raise InputError('the box is empty; give the range of at least one state, such as {"x": (0, 1)}')
    return sides


def _starts(
    system: System,
    sides: Mapping[str, tuple[float, float]],
    reduction: Reduction | None,
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return starts (count, n) evenly in the box, without the states that conserved sums divided out.

    Sums are linear, so what is even in the states that are kept is even in the part of the box that the sums allow.
    """
    low, high = system.state.copy(), system.state.copy()
    for name, side in sides.items():
        index = system.variable_index(name)
        low[index], high[index] = side
    if reduction is None:
        return rng.uniform(low, high, (count, len(low)))
    kept, others = list(reduction.kept), list(reduction.eliminated)
    named = np.array([system.variables[i] in sides for i in others])
    low, high = low.copy(), high.copy()
    low[[i for i, given in zip(others, named) if not given]] = -np.inf  # what the box does not name, the sums decide
    high[[i for i, given in zip(others, named) if not given]] = np.inf
    found: list[np.ndarray] = []
    for _ in range(TRIES):
        drawn = rng.uniform(low[kept], high[kept], (count, len(kept)))
        states = reduction.states(drawn, np.tile(reduction.system.values, (count, 1)))
        floor = np.maximum(low[others], system.lower[others])
        inside = np.all((states[:, others] >= floor) & (states[:, others] <= high[others]), axis=1)
        found += list(drawn[inside])
        if len(found) >= count:
            return np.array(found[:count])
    raise InputError(
        "the conserved sums of the start leave (almost) nothing of the box; "
        f"choose another start or box ({reduction.sentence(system.variables)})"
    )


@dataclass(eq=False)
class _Seen:
    """A set that trajectories settled to."""

    kind: str
    state: np.ndarray
    cycle: Cycle | None = None
    size: np.ndarray | None = None
    """How far the cycle goes in every direction."""
    cloud: Cloud | None = None
    count: int = 0
    stayed: int = 0
    """How many trajectories were on it for all their steps, ..."""
    watched: float = 0.0
    """... and for how long."""
    left: bool = False
    """Whether one was on it and left."""
    exponent: Exponent | None = None
    early: list[int] = field(default_factory=list)
    """The samples that were taken to stay without being followed to the end."""


class _Survey:
    """Follows trajectories and keeps what they settle to.

    `outcomes` has for each sample the number of what it settled to, as text, or `escape`, `neutral`, `undecided`.
    """

    def __init__(self, system: System, size: np.ndarray, steps: int) -> None:
        self.system = system
        self.field = Field(system)
        self.size = np.where(size > 0.0, size, 1.0)
        self.steps = steps
        self.turning = np.array([name in system.periodic for name in system.variables])
        self.seen: list[_Seen] = []
        self.outcomes: list[str] = []

    @property
    def attracting(self) -> list[_Seen]:
        """What attracts, of what was seen."""
        return [each for each in self.seen if each.count and not each.left]

    def run(self, starts: np.ndarray) -> None:
        """Follow the trajectories from all starts (k, n)."""
        self.outcomes = [""] * len(starts)
        waiting = list(range(len(starts)))
        while waiting:
            sample = waiting.pop(0)
            outcome = self._follow(starts[sample], sample)
            self.outcomes[sample] = outcome
            for each in self.seen:
                if each.left and each.early:  # they were taken to stay on what is a transient
                    waiting += each.early
                    each.early = []
        for number, each in enumerate(self.seen):
            if each.left:
                self.outcomes = ["undecided" if outcome == str(number) else outcome for outcome in self.outcomes]
            each.count = self.outcomes.count(str(number))

    def _follow(self, start: np.ndarray, sample: int) -> str:
        touched: set[int] = set()

        def recognise(times: np.ndarray, states: np.ndarray) -> str:
            for number, each in enumerate(self.seen):
                if each.cycle is not None and each.size is not None and _comes_to(each.cycle, each.size, times, states):
                    return str(number)
                if each.cloud is not None and each.cloud.holds(states):
                    touched.add(number)
                    return str(number) if each.stayed >= TRUSTED and not each.left else ""
            return ""

        if self.turning.any():
            found = settle_angles(self.field, start, 0.0, self.steps, recognise)
        else:
            found = settle(self.field, start, 0.0, self.steps, recognise, FIRST_CHUNK)
        if self._crossed(start, found.state):
            return "undecided"
        if found.kind.isdigit():
            if self.seen[int(found.kind)].cloud is not None:
                self.seen[int(found.kind)].early.append(sample)
            return found.kind
        outcome = self._judged(found)
        for number in touched:
            self.seen[number].left |= outcome not in (str(number), "undecided")
        return outcome

    def _crossed(self, start: np.ndarray, end: np.ndarray) -> bool:
        """Say whether a trajectory has left the side of zero of a state that no trajectory leaves: by its errors.

        A species that is zero stays zero. Near heteroclinic cycles states are below any error for long, of either sign.
        """
        for k in np.flatnonzero((start * end < 0.0) & (np.abs(end) > APART * self.size)):
            between = [np.where(np.arange(len(end)) == k, 0.0, start + part * (end - start)) for part in PLACES]
            if all(self.field.rhs(0.0, x)[k] == 0.0 for x in between):
                return True
        return False

    def _judged(self, found: Settled) -> str:
        """Return what a trajectory settled to; what is new is kept."""
        if found.kind == "equilibrium":
            return self._equilibrium(found.state)
        if found.orbit is not None:
            return self._cycle(found)
        if found.kind == ROTATION:
            return "undecided"
        if found.kind == "chaos or torus":
            return self._cloud(found)
        return found.kind

    def _equilibrium(self, x: np.ndarray) -> str:
        eigenvalues = np.linalg.eigvals(self.field.jacobian(0.0, x))
        if not np.all(eigenvalues.real < -NEUTRAL * np.abs(eigenvalues).max()):
            return "neutral"
        for number, each in enumerate(self.seen):
            if each.kind == "equilibrium" and np.max(self._apart(each.state, x) / self.size) < APART:
                return str(number)
        return self._new(_Seen("equilibrium", x))

    def _cycle(self, found: Settled) -> str:
        assert found.orbit is not None
        cycle = measured(self.system, found.orbit, 400)
        if not cycle.stable:
            return "neutral"
        for number, each in enumerate(self.seen):
            if each.cycle is not None and each.size is not None and self._same(each.cycle, each.size, cycle):
                return str(number)
        size = np.maximum(found.orbit.scale, HARDLY * np.abs(cycle.points).max(axis=0))
        return self._new(_Seen("cycle", cycle.points[0], cycle, size))

    def _same(self, first: Cycle, size: np.ndarray, second: Cycle) -> bool:
        """Say whether two cycles are one: the same period, and points of the one lie on the other."""
        if abs(first.period - second.period) > SAME_PERIOD * first.period:
            return False
        phases = np.arange(CURVE) / CURVE * first.period
        other = second.at(phases)
        shift = phases[int(np.argmin(np.max(np.abs(self._apart(other, first.at(0.0))) / size, axis=1)))]
        step = first.period / CURVE
        for _ in range(40):  # the phase at which the second is where the first begins, by trisection
            trials = shift + step * np.array([-1.0, 0.0, 1.0])
            gaps = np.max(np.abs(self._apart(second.at(trials), first.at(0.0))) / size, axis=1)
            shift, step = trials[int(np.argmin(gaps))], 0.6 * step
        return bool(np.max(np.abs(self._apart(second.at(phases + shift), first.at(phases))) / size) < APART)

    def _cloud(self, found: Settled) -> str:
        assert found.trail is not None and found.times is not None
        if len(found.trail) < FEWEST:
            return "undecided"
        contracts = self._contracts(found.times, found.trail)
        if contracts is not True:
            return "undecided" if contracts is None else "neutral"
        cloud, watched = Cloud(found.trail), float(found.times[-1])
        for number, each in enumerate(self.seen):
            if each.cloud is not None and each.cloud.meets(cloud):
                each.stayed += 1
                each.watched += watched
                return str(number)
        span = float(found.times[-1] - found.times[0])
        exponent = largest_lyapunov(self.system, state=found.trail[-1], time=span, settle=0.1 * span)
        if not np.isfinite(exponent.value) or exponent.value * span < -GROWN:
            return "undecided"
        grows = exponent.value * span > GROWN and exponent.value > CLEAR * exponent.error
        kind = "chaotic" if grows else "quasiperiodic"
        return self._new(_Seen(kind, found.trail[-1], None, None, cloud, 0, 1, watched, exponent=exponent))

    def _contracts(self, times: np.ndarray, trail: np.ndarray) -> bool | None:
        """Say whether the field contracts volumes in the mean over a trajectory; None where the mean is not certain.

        On a set that attracts it does. The divergence may come and go, and cancel over the time, as it does on the sets
        of a reversible system: its mean must be clear of what the means over parts of the time scatter by.
        """
        _, matrices = self.field.linearize(trail)
        rates = PRESERVED * float(np.mean(np.abs(matrices).max(axis=(1, 2))))
        divergence = np.trace(matrices, axis1=1, axis2=2)
        if np.abs(divergence).max() <= rates:
            return False
        grown = np.append(0.0, np.cumsum(0.5 * (divergence[1:] + divergence[:-1]) * np.diff(times)))
        ends = np.linspace(times[0], times[-1], PARTS + 1)
        means = np.diff(np.interp(ends, times, grown)) / np.diff(ends)
        certain = CERTAIN * float(np.std(means, ddof=1)) / PARTS**0.5 + rates
        return True if means.mean() < -certain else None

    def _apart(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the distances of states, those of angles modulo a turn."""
        gap = np.abs(a - b)
        return np.where(self.turning, np.abs((gap + np.pi) % (2.0 * np.pi) - np.pi), gap)

    def _new(self, seen: _Seen) -> str:
        self.seen.append(seen)
        return str(len(self.seen) - 1)


def _comes_to(cycle: Cycle, size: np.ndarray, times: np.ndarray, states: np.ndarray) -> bool:
    """Say whether a trajectory is at a cycle that attracts: all along a turn it is close, and closer than before."""
    last, before = times >= times[-1] - cycle.period, times <= times[-1] - cycle.period
    before &= times >= times[-1] - 2.0 * cycle.period
    if times[-1] - times[0] < 2.0 * cycle.period or before.sum() < FEW or last.sum() < FEW:
        return False
    curve = cycle.points / size
    if np.max(np.abs(states[-1] / size - curve).max(axis=1).min()) > ARRIVED:
        return False
    now, then = (furthest((states[part] / size)[:: part.sum() // CURVE + 1], curve, True) for part in (last, before))
    return bool(now < ARRIVED and (now < CLOSER * then or now < THERE))


def _attractor(seen: _Seen, survey: System, reduction: Reduction | None, system: System, samples: int) -> Attractor:
    """Return what was seen of the surveyed system as a result.

    With the states that conserved sums divided out, without those that stand for time.
    """

    def complete(states: np.ndarray) -> np.ndarray:
        if reduction is not None:
            states = reduction.states(states, np.tile(reduction.system.values, (len(states), 1)))
        return states[:, : len(system.variables)]

    share, interval = seen.count / samples, exact_interval(seen.count, samples)
    attractor = functools.partial(Attractor, seen.kind, seen.count, share, interval)
    if seen.cycle is not None:
        cycle, multipliers = seen.cycle, seen.cycle.multipliers
        points, ends = complete(cycle.points), (cycle.min, cycle.max)
        if system.period:
            points = complete(cycle.at(cycle.times - phase_of(cycle.points[:1])[0] * period_of(system)))
            multipliers = shown(multipliers)
        low, high = ends if reduction is None else (points.min(axis=0), points.max(axis=0))
        count = len(system.variables)
        return attractor(
            frozen(points[0]), frozen(points), frozen(low[:count]), frozen(high[:count]), cycle.period,
            frozen(multipliers, complex),
        )  # fmt: skip
    points = complete(seen.state[None] if seen.cloud is None else seen.cloud.points)
    state = complete(seen.state[None])[0]
    eigenvalues = np.linalg.eigvals(survey.jacobian(seen.state)) if seen.cloud is None else np.empty(0)
    watched = None if seen.cloud is None else seen.watched
    return attractor(
        frozen(state), frozen(points), frozen(points.min(axis=0)), frozen(points.max(axis=0)), None,
        frozen(eigenvalues, complex), seen.exponent, watched,
    )  # fmt: skip

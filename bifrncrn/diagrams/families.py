"""Families of periodic orbits: followed from a Hopf point or from a cycle, and given back as branches."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.orbits.asked import LABEL
from bifrncrn.curves.orbits.branch import Place
from bifrncrn.curves.orbits.corrector import Corrected, Corrector, Metric
from bifrncrn.curves.orbits.ends import (
    ALONE,
    CENTRE,
    CLOSED,
    FULL,
    HETEROCLINIC,
    HOMOCLINIC,
    HOPF,
    INFINITY,
    KNOWN,
    MOTHER,
    NOT_FINITE,
    RANGE,
    SNIC,
    TIME,
    WALL,
    Followed,
    Row,
)
from bifrncrn.curves.orbits.following import Follower
from bifrncrn.curves.orbits.hopf import LEAST_SIZE, HopfPoint, amplitude_floor, first_place, hopf_point, vanishing_point
from bifrncrn.curves.orbits.layout import STIFF
from bifrncrn.curves.orbits.march import Step
from bifrncrn.curves.orbits.multipliers import damped
from bifrncrn.curves.orbits.normal_forms import coefficients
from bifrncrn.curves.orbits.orbit import Mesh, Orbit
from bifrncrn.diagrams.asked import asked_of
from bifrncrn.diagrams.results import Branch, End, Profile, SpecialPoint
from bifrncrn.diagrams.setup import Setup, at_state, bounds_of
from bifrncrn.models.forcing import autonomous, check_periodic_over, shown
from bifrncrn.models.sizes import unit_choices
from bifrncrn.trajectories.cycles import Cycle

APART = 1e-9
"""Two phases of an orbit closer than this are one."""
FINEST = 1e-14
"""A positive state that is smaller than this part of its greatest value on some of an orbit is not resolved there."""
FIRST_STEP = 0.02
"""Length of the first step along a branch."""
RESOLVED = 1.0
"""Variations that change by a factor of less than e in any interval come out by Gauss points to 4e-8 (the error of the
Pade approximation (4, 4) of exp), better than by Radau points."""
VERTICAL = 5
"""More orbits than this at one value of the parameter are a family around a centre."""
SAME = 1e-6
"""Two Hopf points are one when they differ by less than this, relative to the states and the range."""


def checked(task: Setup) -> Setup:
    """Raise InputError for a system too large for periodic orbits."""
    count = len(task.system.variables)
    if count > DENSE_LIMIT:
        raise InputError(
            f"periodic orbits are followed in systems of up to {DENSE_LIMIT} variables, and this has {count}"
        )
    return task


def check_inside(task: Setup, value: float, what: str) -> None:
    """Raise InputError if a parameter value is not in the range."""
    if not task.span[0] <= value <= task.span[1]:
        raise InputError(
            f"{what} at {task.parameter}={value:g} lies outside the range "
            f"[{task.span[0]:g}, {task.span[1]:g}]; widen it"
        )


def same(task: Setup, first: np.ndarray, second: np.ndarray) -> bool:
    """Say whether two Hopf points (x, p) are one."""
    size = float(np.max(np.abs(first[:-1]), initial=1e-300))
    near = float(np.max(np.abs(first[:-1] - second[:-1]), initial=0.0)) < SAME * size
    return near and abs(first[-1] - second[-1]) < SAME * task.unit


def from_hopf(
    task: Setup, point: SpecialPoint, events: Sequence[str] = (), known: Sequence[Followed] = ()
) -> Family | str:
    """Follow the orbits that leave a Hopf point, or up to the last of a branch `known`; return why not if none do."""
    index = task.system.parameter_index(task.parameter)
    problem = EquilibriumProblem(task.system, index)
    guess = task.coordinates(point)
    where = f"the Hopf point at {task.parameter}={guess[-1]:.9g}"
    failure = f"no periodic orbit was found near {where}"
    if point.omega is None or point.status != "converged":
        return f"{where} is not refined, so no periodic orbit was looked for there"
    start = hopf_point(problem, guess, point.omega)
    if start is None:
        return failure
    corrector = Corrector(task.system, index, task.system.lower, task.options.until)
    first = first_place(corrector, start, task.unit)
    if first is None:
        return f"the orbits of {where} were not followed: {task.options.said}" if task.options.late else failure
    floor, largest = amplitude_floor(start, first, task.unit)
    home = float(start.y[-1])
    asked = asked_of(task, events)
    follower = Follower(corrector, task.span, floor, largest, task.options, problem, home, asked, known)
    found = follower.follow(follower.begin(first), FIRST_STEP)
    return Family(task, problem, start, found, corrector)


def from_cycle(
    cycle: Cycle,
    parameter: str | None,
    bounds: tuple[float, float] | None,
    options: Options,
    events: Sequence[str] = (),
) -> Family:
    """Follow the branch of a cycle both ways."""
    name = cycle.system.varying(parameter)
    forced = cycle.system if cycle.system.period else None
    span = bounds_of(name, bounds)
    if forced is not None:
        check_periodic_over(forced, name, span)
    points = cycle.orbit.at(np.arange(len(cycle.points)) / len(cycle.points))
    own = cycle.system if forced is None else autonomous(forced)
    task = checked(replace(at_state(own, points[0], name, span, options), forced=forced))
    index = task.system.parameter_index(name)
    value = float(task.system.values[index])
    check_inside(task, value, "the cycle")
    kept = list(task.reduction.kept) if task.reduction else slice(None)
    corrector = Corrector(task.system, index, task.system.lower, options.until)
    problem = EquilibriumProblem(task.system, index)
    family = None
    for first, floor in _corrected_cycles(corrector, cycle, kept, value, task.unit):
        largest = float(np.max(floor))
        follower = Follower(corrector, task.span, floor, largest, options, problem, value, asked_of(task, events))
        family = _both_ways(task, problem, follower, first)
        if len(family.rows) > 1:
            break  # else a state that is zero but for rounding was taken for small
    if family is None:
        why = f"was not followed: {options.said}" if options.late else "could not be corrected by collocation"
        raise ConvergenceError(f"the cycle at {name}={value:.9g} {why}")
    return family


def _both_ways(task: Setup, problem: EquilibriumProblem, follower: Follower, first: Corrected) -> Family:
    """Follow a branch from one of its orbits in both directions."""
    corrector, start = follower.corrector, follower.begin(first)
    found = follower.follow(start, FIRST_STEP, closing=True)
    if found.reason == CLOSED:
        return Family(task, problem, found, found, corrector)
    back = follower.follow(replace(start, tangent=-start.tangent), FIRST_STEP)
    return Family(task, problem, back, found, corrector)


def _corrected_cycles(
    corrector: Corrector, cycle: Cycle, kept: list[int] | slice, value: float, unit: float
) -> Iterator[tuple[Corrected, np.ndarray]]:
    """Correct the cycle by collocation at its own parameter value; with it go least units (n,) of its states."""
    mesh = Mesh(np.concatenate([cycle.orbit.edges[:-1], [1.0]]))
    nodes = cycle.orbit.at(mesh.phases)[:, kept]
    offset = None if cycle.orbit.offset is None else cycle.orbit.offset[kept]
    guess = Orbit(mesh, nodes, cycle.period, value, offset)
    extent, size = np.ptp(nodes, axis=0), np.max(np.abs(nodes), axis=0)
    normal = np.append(np.zeros(nodes.size + 1), 1.0)
    for units in unit_choices(corrector.system, nodes[0], size, LEAST_SIZE):
        scale = np.maximum(extent, 0.1 * size)
        metric = Metric(np.maximum(scale, LEAST_SIZE * units * np.max(scale / units)), unit)
        done = corrector.correct(guess, normal, guess, metric)
        if not isinstance(done, int):
            yield done, np.maximum(0.01 * size, LEAST_SIZE * units * np.max(size / units))


@dataclass(frozen=True)
class Left:
    """A special point of another branch, at which a branch leaves it."""

    label: str
    value: float


@dataclass(frozen=True, eq=False)
class Family:
    """A followed branch: where it comes from, a special point or the way back from its start, and where it goes."""

    task: Setup
    problem: EquilibriumProblem
    back: HopfPoint | Left | Followed
    found: Followed
    corrector: Corrector

    @functools.cached_property
    def rows(self) -> list[Row | Step]:
        """The orbits in order along the branch."""
        if not isinstance(self.back, Followed) or self.back is self.found:
            return self.found.rows
        return [*self.back.rows[:0:-1], *self.found.rows]

    @functools.cached_property
    def vertical(self) -> bool:
        """Whether all orbits are at one value of the parameter: then 1 is a double multiplier."""
        values = [row.parameter for row in self.rows]
        return len(values) > VERTICAL and max(values) - min(values) < ALONE * self.task.unit

    @functools.cached_property
    def ends(self) -> tuple[HopfPoint | None, HopfPoint | None]:
        """The Hopf points at its ends, where there are any."""
        back = self.back
        first = back if isinstance(back, HopfPoint) else self._shrinks_to(back) if isinstance(back, Followed) else None
        return first, self._shrinks_to(self.found)

    def _shrinks_to(self, found: Followed) -> HopfPoint | None:
        if found.reason != HOPF or found.beyond is None:
            return None
        last = found.rows[-1].place
        guess = vanishing_point(last, found.beyond)
        return hopf_point(self.problem, guess, 2.0 * np.pi / last.orbit.period)

    def branch(self, number: int, origin: int | None) -> Branch:
        """Return the branch as a result."""
        task = self.task
        first, last = self.ends
        rows = [self._row(row) for row in self.rows]
        rows = [*([self._hopf_row(first)] if first else []), *rows, *([self._hopf_row(last)] if last else [])]
        columns = [task.parameter, "period"]
        for name in task.names:
            columns += [f"min {name}", f"max {name}"]
        return Branch(
            id=number,
            kind="periodic",
            columns=tuple(columns),
            points=frozen([point for point, _, _, _ in rows]),
            unstable=frozen([unstable for _, _, unstable, _ in rows], int),
            eigenvalues=frozen(np.empty((len(rows), 0)), complex),
            origin=origin,
            ended=(self._start(), self._end(self.found, last)),
            multipliers=frozen([values for _, values, _, _ in rows], complex),
            profiles=tuple(profile for _, _, _, profile in rows),
        )

    def special_points(self, number: int) -> list[SpecialPoint]:
        """Return the events on the branch."""
        first = 0 if self.ends[0] is None else 1
        return [self._special(row, number, index) for index, row in enumerate(self.rows, first) if row.event]

    def notes(self, branch: Branch) -> list[str]:
        """Return a sentence where multipliers are not told: no bifurcation shows there."""
        unknown = 0 if self.vertical else int(np.sum(branch.unstable < 0))
        if not unknown:
            return []
        return [
            f"The stability of {unknown} of {len(branch.unstable)} cycles on branch {branch.id} is not known: their "
            "multipliers are too far apart to be told, as at rates of very different size. PD, NS and BPC are not seen "
            "there."
        ]

    def counters(self) -> dict[str, int]:
        """Return what the branch cost."""
        rejected = self.found.rejected
        if isinstance(self.back, Followed) and self.back is not self.found:
            rejected += self.back.rejected
        return {
            "orbits": len(self.rows),
            "orbit_newton_iterations": self.corrector.newtons,
            "rejected_orbit_steps": rejected,
        }

    def _row(self, row: Row | Step) -> tuple[list[float], np.ndarray, int, Profile]:
        place, extremes = row.place, row.extremes
        orbit, count = place.orbit, len(self.task.names)
        states = self.task.states(orbit.nodes, orbit.parameter)
        turns = () if orbit.offset is None else _turns(self.task, orbit)
        if self.task.reduction is not None:
            extremes = np.array([states.min(axis=0), states.max(axis=0)])
            for k in np.flatnonzero(turns):
                extremes[:, k] = -np.pi, np.pi
        point = [orbit.parameter, orbit.period, *extremes[:, :count].T.ravel().tolist()]
        profile = Profile(orbit.period, orbit.mesh.phases, frozen(states[:, :count]), turns)
        if self.task.forced is not None:
            profile = self._timed(orbit, profile)
        return point, self._multipliers(row), -1 if self.vertical else place.unstable, profile

    def _timed(self, orbit: Orbit, profile: Profile) -> Profile:
        """Return the orbit of a forced system with its phases counted from the time zero, at which it begins."""
        zero = starting_phase(orbit)
        first = self.task.states(orbit.at(np.array([zero])), orbit.parameter)[:, : len(self.task.names)]
        phases = (profile.phases - zero) % 1.0
        order = np.argsort(phases)
        order = order[(phases[order] > APART) & (phases[order] < 1.0 - APART)]
        states = np.concatenate([first, profile.states[order]])
        if profile.turns:  # what comes before the time zero has gone round when it comes again
            before = np.append(False, profile.phases[order] < zero)
            states += np.outer(before, 2.0 * np.pi * np.array(profile.turns))
        return Profile(profile.period, frozen(np.append(0.0, phases[order])), frozen(states), profile.turns)

    def _multipliers(self, row: Row | Step) -> np.ndarray:
        """Return the multipliers to report: what the mesh does not resolve is damped, away from an event."""
        place, forced = row.place, self.task.forced is not None
        found = np.append(1.0, shown(place.multipliers)) if forced else place.multipliers
        coarse = not (place.corrected.rate < RESOLVED or place.corrected.rate > STIFF)
        if row.event in ("", LABEL) and len(place.multipliers) != 2 and coarse:
            radau = self._computed(place.orbit, place.metric, at_radau=True)
            if radau is not None:
                found = damped(found, radau, functools.partial(self._finer, place))
        return found[1:] if forced else found

    def _computed(self, orbit: Orbit, metric: Metric, at_radau: bool) -> np.ndarray | None:
        """Return the multipliers along an orbit as it is; those of a forced system with a 1 in front."""
        values = self.corrector.multipliers(orbit, metric, at_radau)
        return values if values is None or self.task.forced is None else np.append(1.0, shown(values))

    def _finer(self, place: Place) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the multipliers by Gauss and by Radau points on a mesh of half the widths."""
        orbit = place.orbit.on(place.orbit.mesh.halved())
        gauss, radau = (self._computed(orbit, place.metric, at_radau) for at_radau in (False, True))
        return None if gauss is None or radau is None else (gauss, radau)

    def _hopf_row(self, hopf: HopfPoint) -> tuple[list[float], np.ndarray, int, Profile]:
        """Return the row of an orbit of no extent: the multipliers are those of the linear flow."""
        period, p = 2.0 * np.pi / hopf.omega, float(hopf.y[-1])
        states = self.task.states(hopf.y[None, :-1], p)
        eigenvalues = np.linalg.eigvals(self.problem.linearize(hopf.y)[1][:, : self.problem.n]).astype(complex)
        pair = np.argsort(np.abs(eigenvalues.real) + np.abs(np.abs(eigenvalues.imag) - hopf.omega))[:2]
        others = np.exp(np.clip(np.delete(eigenvalues, pair).real, None, 700.0 / period) * period) * np.exp(
            1j * np.delete(eigenvalues, pair).imag * period
        )
        values = np.concatenate([[1.0, 1.0], others])
        values[1:] = values[1:][np.argsort(-np.abs(values[1:]), kind="stable")]
        point = [p, period, *np.repeat(states[0], 2).tolist()]
        return point, values, int(np.sum(np.abs(others) > 1.0)), Profile(period, frozen([0.0]), frozen(states))

    def _special(self, row: Row | Step, number: int, index: int) -> SpecialPoint:
        orbit = row.place.orbit
        states = self.task.states(orbit.nodes, orbit.parameter)
        top = states[int(np.argmax(states[:, 0]))]
        if self.task.forced is not None:
            top = self.task.states(orbit.at(np.array([starting_phase(orbit)])), orbit.parameter)[0]
        found: dict[str, Any] = {}
        if row.event in ("LPC", "PD", "NS") and row.bracket is None:
            at, place = {self.task.parameter: orbit.parameter}, row.place
            found = coefficients(row.event, self.task.system, orbit, at, place.metric.scale, place.multipliers)
        return SpecialPoint(
            label=row.event,
            branch=number,
            index=index,
            parameters={self.task.parameter: orbit.parameter},
            state=dict(zip(self.task.names, top.tolist(), strict=False)),
            status="converged" if row.bracket is None else "bracketed",
            residual=row.residual,
            period=orbit.period,
            bracket=row.bracket,
            event=row.asked or None,
            multipliers=frozen(
                row.place.multipliers if self.task.forced is None else shown(row.place.multipliers), complex
            ),
            system=self.task.forced or self.task.system,
            reduction=self.task.reduction,
            range=self.task.span,
            place=row.place,
            **found,
        )

    def _start(self) -> End:
        first = self.ends[0]
        if isinstance(self.back, Followed):
            return self._end(self.back, first)
        if isinstance(self.back, Left):
            what = "twice the period leave" if self.back.label == "PD" else "another branch leave"
            message = f"the orbits of {what} at the {self.back.label} at {self.task.parameter}={self.back.value:.9g}"
            return End(self.back.label, message)
        p = float(self.back.y[-1])
        return End("HB", f"the orbits grow from the Hopf point at {self.task.parameter}={p:.9g}")

    def _at_wall(self, found: Followed) -> str:
        """Say which state is at its bound."""
        place, lower = found.rows[-1].place, self.task.system.lower
        room = (np.min(place.orbit.nodes, axis=0) - lower) / place.metric.scale
        k = int(np.argmin(room))
        return f"{self.task.system.variables[k]} reached its bound {lower[k]:g}"

    def _too_fine(self, orbit: Orbit) -> str:
        """Say why no step is left: a state that is all but zero on a part of the orbit, or what else it may be."""
        states = self.task.states(orbit.nodes, orbit.parameter)
        least, most = states.min(axis=0), states.max(axis=0)
        for k in np.flatnonzero((least > 0.0) & (least < FINEST * most)):
            name = self.task.whole.variables[k]
            return (
                f"{name} comes down to {least[k]:.2g} on the orbit, too little beside its greatest value, "
                f"{most[k]:.2g}; with log({name}) as the state in its place the branch can be followed further"
            )
        return "the branch is not smooth here, or needs a finer mesh"

    def _end(self, found: Followed, end: HopfPoint | None) -> End:
        """Say why the branch ends."""
        name, last = self.task.parameter, found.rows[-1].place
        p, period, reason = last.orbit.parameter, last.orbit.period, found.reason
        here = f"{name}={p:.9g}"
        messages = {
            RANGE: f"{name} reached {p:.12g}",
            HOPF: f"the orbits shrink to a point near {here}",
            HOMOCLINIC: f"the period grows without bound ({period:.4g} at the end): a homoclinic orbit",
            HETEROCLINIC: f"the period grows without bound ({period:.4g} at the end): a heteroclinic cycle",
            SNIC: f"the period grows without bound ({period:.4g} at the end): a saddle-node on the cycle",
            CENTRE: f"the orbits exist at {name}={found.rows[0].parameter:.9g} alone: they surround a centre",
            MOTHER: "the orbits become such of half the period, gone round twice",
            CLOSED: "the branch returned to its start",
            KNOWN: f"at {here} it comes to the last orbit of another branch, and is that from there on",
            INFINITY: f"the orbits grow to infinity near {here}",
            TIME: self.task.options.said,
            FULL: f"the limit of {self.task.options.max_points} orbits was reached; raise max_points to go on",
            NOT_FINITE: f"the model is not finite beyond the orbit at {here}; narrow the range or mend the equations",
            WALL: f"{self._at_wall(found)} near {here}",
        }
        if end is not None:
            return End(reason, f"the orbits shrink to the Hopf point at {name}={float(end.y[-1]):.9g}")
        if reason in (HOMOCLINIC, HETEROCLINIC):
            return End(reason, f"{messages[reason]} near {name}={_limit(found):.9g}")
        if reason in (SNIC, MOTHER) and found.limit is not None:
            return End(reason, f"{messages[reason]} at {name}={found.limit:.9g}")
        default = f"the step became too small at {here}: {self._too_fine(last.orbit)}"
        return End(reason, messages.get(reason, default))


def _turns(task: Setup, orbit: Orbit) -> tuple[int, ...]:
    """Return how often every state of the results goes round in a period."""
    first, last = task.states(orbit.at(np.array([0.0, 1.0])), orbit.parameter)[:, : len(task.names)]
    return tuple(round(turns) for turns in ((last - first) / (2.0 * np.pi)).tolist())


def starting_phase(orbit: Orbit) -> float:
    """Return the first phase of an orbit of a forced system at which its time is a multiple of the forcing's period."""
    v = orbit.nodes[:, -1]
    places = np.flatnonzero((v < 0.0) & (np.roll(v, -1) >= 0.0))
    phases = orbit.mesh.phases
    low = float(phases[places[0]])
    high = float(phases[places[0] + 1]) if places[0] + 1 < len(phases) else 1.0
    for _ in range(60):  # the angle of the oscillator is exact to the accuracy of the orbit
        middle = 0.5 * (low + high)
        low, high = (middle, high) if orbit.at(np.array([middle]))[0, -1] < 0.0 else (low, middle)
    return high


def _limit(found: Followed) -> float:
    """Return the parameter to which the branch tends as the period grows, taken to be reached exponentially."""
    last, before = found.rows[-1].place, found.rows[-2].place
    rate, old = (place.tangent[-1] / (place.tangent[-2] * place.orbit.period) for place in (last, before))
    p, lapse = last.orbit.parameter, last.orbit.period - before.orbit.period
    if not 0.0 < rate / old < 1.0 or lapse <= 0.0:
        return p
    return float(p - rate * lapse / np.log(rate / old))

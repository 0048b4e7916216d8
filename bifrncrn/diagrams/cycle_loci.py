"""Loci of bifurcations of periodic orbits (LPC, PD, NS, BPC) as branches and special points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.errors import InputError
from bifrncrn.base.labels import locus_of
from bifrncrn.continuation.options import Options
from bifrncrn.curves.orbits.corrector import Corrector
from bifrncrn.curves.orbits.cycle_loci import BRANCHING, FIXED, FOLD, TORUS, CycleLocus
from bifrncrn.curves.orbits.locus_following import FLAT, LocusFollower, Point, Track
from bifrncrn.curves.orbits.locus_tests import unstable
from bifrncrn.curves.orbits.orbit import Orbit
from bifrncrn.curves.orbits.variations import Variations
from bifrncrn.diagrams.families import starting_phase
from bifrncrn.diagrams.results import Branch, End, SpecialPoint
from bifrncrn.models.forcing import autonomous, shown
from bifrncrn.models.system import System

CYCLES = ("LPC", "PD", "NS", "BPC")
"""Labels of points of branches of orbits whose loci are followed."""
ROOM = 10.0
"""How far a locus may leave the range of the first parameter, in units of its width."""
SURE = 1e-6
"""The end of a locus is known where its extrapolation is good to this, in terms of the ranges."""
SAME = 1e-6
"""A point lies on a locus that passes it closer than this, in terms of the ranges and of the period."""
HOPF = 1e-4
"""The real part of a pair of eigenvalues, relative to the imaginary one, where folds of cycles end at a Hopf point."""
NEWTONS = 20


@dataclass(frozen=True, eq=False)
class Task:
    """What is followed: a point's kind of locus, in two parameters, of a system without time and conserved sums."""

    point: SpecialPoint
    system: System
    names: tuple[str, ...]
    first: str
    second: str
    spans: tuple[tuple[float, float], tuple[float, float]]
    options: Options

    @property
    def kind(self) -> str:
        """The kind of the locus."""
        return locus_of(self.point.label) or FIXED

    def whole(self, states: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return states (k, n) with those that were divided out, without those that stand for time."""
        reduction = self.point.reduction
        if reduction is not None:
            values = np.array(self.system.values)
            values[[self.system.parameter_index(name) for name in (self.first, self.second)]] = p
            states = reduction.states(states, np.tile(values, (len(states), 1)))
        return states[:, : len(self.names)]


@dataclass(frozen=True, eq=False)
class Locus:
    """A locus that was followed both ways: its rows, and why it ends."""

    task: Task
    problem: CycleLocus
    follower: LocusFollower
    rows: list[Point]
    ends: tuple[Track, Track]

    def parameters(self) -> np.ndarray:
        """Return both parameters along it, (k, 2)."""
        return np.array([self.problem.parameters(row.state.z) for row in self.rows])

    def passes(self, point: SpecialPoint) -> bool:
        """Say whether it passes through a point of a branch of orbits in the first parameter."""
        task = self.task
        assert task.point.system is not None
        value = float(task.system.values[task.system.parameter_index(task.second)])
        p = self.parameters()
        units = self.problem.units
        for k in np.flatnonzero((p[:-1, 1] - value) * (p[1:, 1] - value) <= 0.0).tolist():
            here, there = self.rows[k].state, self.rows[k + 1].state
            if here.mesh is not there.mesh or here.scale is not there.scale:
                moved = self.follower.moved(here, there.mesh, there.scale)
                if moved is None:
                    continue
                here = moved
            at = self.follower.on_edge(here, there, 1, value)
            if at is None:
                continue
            off = abs(self.problem.parameters(at.z)[0] - point.parameters[task.first]) / units[0]
            period = at.orbit.period
            if off < SAME and abs(period - (point.period or 0.0)) < SAME * period:
                return True
        return False


def task_of(
    point: SpecialPoint,
    second: str,
    span: tuple[float, float],
    options: Options,
    room: tuple[float, float] | None = None,
) -> Task:
    """Return what is followed from a point; `room` bounds the first parameter.

    Raises
    ------
    InputError
        If the point has lost its orbit or is not refined.
    """
    (first,) = point.parameters
    where = f"the {point.label} at {first}={point.parameters[first]:.9g}"
    if point.system is None or point.place is None or point.range is None:
        raise InputError(f"{where} has lost its orbit (it was loaded from a file); compute the branch again")
    system, reduction = point.system, point.reduction
    inner = system
    if system.period:
        inner = autonomous(system) if reduction is None else reduction.system
    names = reduction.whole.variables if reduction is not None else inner.variables
    names = tuple(name for name in names if name not in inner.clock)
    low, high = point.range
    allowed = room or (low - ROOM * (high - low), high + ROOM * (high - low))
    return Task(point, inner, names, first, second, (allowed, span), options)


def follow(task: Task) -> Locus | None:
    """Follow the locus through a point both ways; None where it cannot be started."""
    point, system = task.point, task.system
    assert point.place is not None and point.range is not None
    indices = tuple(system.parameter_index(name) for name in (task.first, task.second))
    units = np.array([point.range[1] - point.range[0], task.spans[1][1] - task.spans[1][0]])
    variations, offset = Variations(system, indices, units), point.place.orbit.offset
    problem = CycleLocus(task.kind, variations, point.period or 1.0, offset)
    follower = LocusFollower(problem, task.spans, task.options)
    theta = 0.0
    if task.kind == TORUS:
        pairs = point.multipliers[point.multipliers.imag > 0.0]
        if not len(pairs):
            return None
        theta = float(np.angle(pairs[np.argmin(np.abs(np.abs(pairs) - 1.0))]))
    p = np.array([point.parameters[task.first], system.values[indices[1]]])
    start = follower.start(point.place.orbit, point.place.metric.scale, p, theta)
    if start is None:
        return None
    ahead = follower.follow(start, 1.0)
    back = ahead if ahead.reason == "closed" else follower.follow(start, -1.0)
    rows = ahead.rows if back is ahead else [*back.rows[:0:-1], *ahead.rows]
    if task.kind == BRANCHING and len(rows) == 1:  # where the second parameter moves it is no branch point any more
        return None
    return Locus(task, problem, follower, rows, (back, ahead))


def apart(task: Task) -> str:
    """Say what becomes of branch points of cycles as a second parameter moves, where no curve goes through one."""
    if task.kind != BRANCHING:
        return ""
    return (
        f"; as {task.second} moves the two branches of cycles come apart, into folds (LPC) or none, unless a symmetry "
        "or an invariant plane keeps them together"
    )


def branch_of(found: Locus, number: int) -> tuple[Branch, list[SpecialPoint]]:
    """Return a locus as a branch, and the points of codimension two on it."""
    task = found.task
    columns = [task.first, task.second, "period"]
    for name in task.names:
        columns += [f"min {name}", f"max {name}"]
    table, multipliers, counts = [], [], []
    for row in found.rows:
        p = found.problem.parameters(row.state.z)
        table.append([*p, row.state.orbit.period, *_extremes(task, row.state.orbit, p)])
        own = row.state.multipliers
        multipliers.append(shown(own) if task.system.clock else own)
        counts.append(unstable(found.problem, row.state))
    points = [_special(found, row, number, k, multipliers[k]) for k, row in enumerate(found.rows) if row.label]
    last = len(found.rows) - 1
    tracks = (
        [(found.ends[0], 0), (found.ends[1], last)] if found.ends[0] is not found.ends[1] else [(found.ends[1], last)]
    )
    points += [point for track, k in tracks for point in _at_end(found, track, number, k, multipliers[k])]
    branch = Branch(
        id=number,
        kind=task.kind,
        columns=tuple(columns),
        points=frozen(table),
        unstable=frozen(counts, int),
        eigenvalues=frozen(np.empty((len(table), 0)), complex),
        origin=None,
        ended=(_end(found, found.ends[0]), _end(found, found.ends[1])),
        multipliers=frozen(multipliers, complex),
    )
    return branch, points


def _extremes(task: Task, orbit: Orbit, p: np.ndarray) -> list[float]:
    """Return the least and the greatest value of every state of an orbit, in the order of the columns."""
    if task.point.reduction is None:
        system = task.system.with_(values={task.second: float(p[1])})
        corrector = Corrector(system, system.parameter_index(task.first), system.lower)
        ends = corrector.extremes(orbit)[:, : len(task.names)]
    else:
        states = task.whole(orbit.nodes, p)
        ends = np.array([states.min(axis=0), states.max(axis=0)])
    found: list[float] = ends.T.ravel().tolist()
    return found


def _special(found: Locus, row: Point, number: int, index: int, multipliers: np.ndarray) -> SpecialPoint:
    """Return a row as a special point."""
    task, orbit = found.task, row.state.orbit
    p = found.problem.parameters(row.state.z)
    states = task.whole(orbit.nodes, p)
    at = states[int(np.argmax(states[:, 0]))]
    if task.system.clock:
        at = task.whole(orbit.at(np.array([starting_phase(orbit)])), p)[0]
    bracket = None
    if row.bracket is not None:
        low, high = sorted(float(found.problem.parameters(state.z)[0]) for state in row.bracket)
        bracket = (low, high)
    return SpecialPoint(
        label=row.label,
        branch=number,
        index=index,
        parameters={task.first: float(p[0]), task.second: float(p[1])},
        state=dict(zip(task.names, at.tolist(), strict=True)),
        status="converged" if bracket is None else "bracketed",
        bracket=bracket,
        residual=row.state.residual,
        period=orbit.period,
        multipliers=frozen(multipliers, complex),
        system=task.point.system,
        reduction=task.point.reduction,
    )


def _at_end(found: Locus, track: Track, number: int, index: int, multipliers: np.ndarray) -> list[SpecialPoint]:
    """Return the point of codimension two that a locus ends at, extrapolated from its last rows."""
    label = {"R1": "R1", "shrunk": "GH" if found.problem.kind == FOLD else ""}.get(track.reason, "")
    if not label or track.limit is None:
        return []
    state, period = dict.fromkeys(found.task.names, float("nan")), None  # of R1 the orbit is not extrapolated
    if label == "GH":
        hopf = _hopf(found, track)
        if hopf is None:
            return []
        x, period = hopf
        state = dict(zip(found.task.names, found.task.whole(x[None], track.limit)[0].tolist(), strict=True))
    point = _special(found, replace(track.rows[-1], label=label), number, index, multipliers)
    p = track.limit
    blur = track.blur / found.problem.units.min()
    bracket = None
    if blur > SURE:
        bracket = (float(p[0] - track.blur), float(p[0] + track.blur))
    parameters = {found.task.first: float(p[0]), found.task.second: float(p[1])}
    status = "converged" if bracket is None else "bracketed"
    point = replace(point, parameters=parameters, state=state, period=period)
    return [replace(point, status=status, bracket=bracket, residual=blur)]


def _hopf(found: Locus, track: Track) -> tuple[np.ndarray, float] | None:
    """Return the equilibrium that the orbits shrink to and their last period, if it has imaginary eigenvalues."""
    assert track.limit is not None
    orbit = track.rows[-1].state.orbit
    system = found.task.system.with_(
        values=dict(zip((found.task.first, found.task.second), map(float, track.limit), strict=True))
    )
    x = orbit.mesh.weights @ orbit.nodes
    for _ in range(NEWTONS):
        step = np.linalg.lstsq(system.jacobian(x), -system.rhs(x), rcond=None)[0]
        x = np.maximum(x + step, system.lower)
    eigenvalues = np.linalg.eigvals(system.jacobian(x))
    omega = 2.0 * np.pi / orbit.period
    nearest = eigenvalues[np.argmin(np.abs(eigenvalues - 1j * omega))]
    if abs(nearest.real) < HOPF * omega and abs(nearest.imag - omega) < 0.1 * omega:
        return x, float(2.0 * np.pi / nearest.imag)
    return None


def _end(found: Locus, track: Track) -> End:
    """Say why a locus ends."""
    task = found.task
    p = found.problem.parameters(track.rows[-1].state.z)
    here = f"{task.first}={p[0]:.9g}, {task.second}={p[1]:.9g}"
    limit = p if track.limit is None else track.limit
    there = f"{task.first}={limit[0]:.9g}, {task.second}={limit[1]:.9g}"
    if track.reason == "flat":
        why = "the cycles come next to a homoclinic orbit, or to a canard explosion"
        return End("step", f"the fold is too flat to be told beyond {here}: {why}")
    if track.reason == "range":
        k = int(
            np.argmin([min(abs(p[i] - end) for end in span) / (span[1] - span[0]) for i, span in enumerate(task.spans)])
        )
        return End("range", f"{(task.first, task.second)[k]} reached {p[k]:.12g}")
    messages = {
        "shrunk": f"the orbits shrink to a point at {there}",
        "closed": "the curve returned to its start",
        "R1": f"a 1:1 resonance at {there}: both multipliers become 1",
        "R2": f"a 1:2 resonance at {there}: both multipliers become -1",
        "period": f"the period grows beyond {track.rows[-1].state.orbit.period:.4g} near {here}",
        "time": task.options.said,
        "points": f"the limit of {task.options.max_points} points was reached; raise max_points to go on",
    }
    default = f"the step became too small at {here}: the curve is not smooth here, or another one meets it"
    if found.problem.kind == FOLD and abs(track.rows[-1].state.bend) < FLAT:
        default = (
            f"the step became too small at {here}: the fold is too flat to be told, as in a canard explosion, where "
            "the cycles grow while the parameter hardly moves"
        )
    return End("HB" if track.reason == "shrunk" else track.reason, messages.get(track.reason, default))

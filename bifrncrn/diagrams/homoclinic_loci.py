"""Homoclinic and heteroclinic orbits in two parameters: from those found, or from the ends of branches of cycles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.continuation.options import Options
from bifrncrn.curves.homoclinic.arc import Arc, phases_of
from bifrncrn.curves.homoclinic.following import NEUTRAL, Follower, Row, Track
from bifrncrn.curves.homoclinic.sampler import Sampler
from bifrncrn.curves.orbits.layout import POINTS
from bifrncrn.curves.orbits.orbit import Mesh, interpolate
from bifrncrn.diagrams.noncentral import end_of
from bifrncrn.diagrams.results import Branch, Diagram, End, Profile, SpecialPoint
from bifrncrn.models.conservation import Reduction
from bifrncrn.models.system import System
from bifrncrn.trajectories.heteroclinic import Heteroclinic
from bifrncrn.trajectories.homoclinic import Homoclinic

GUESSED = 100
"""Intervals of the mesh of a guess."""
SAME = 1e-6
"""Two homoclinic orbits at one value of the second parameter are one where the first differs by less than this, in
terms of its range, or by less than a tenth of a step, and the saddles by less than half of the orbits' extent."""
UNIT = 0.1
"""Part of the first parameter's value that is its unit at least, where it was searched in a narrow range."""
SAMPLES, APART = 16, 1e-9


@dataclass(frozen=True, eq=False)
class Start:
    """An orbit about homoclinic, from which a curve starts.

    Attributes
    ----------
    system : System
        Without conserved sums.
    reduction : Reduction or None
    names : (str, str)
        The parameters.
    arc : Arc
    unit : float
        The width of the first parameter's range.
    """

    system: System
    reduction: Reduction | None
    names: tuple[str, str]
    arc: Arc
    unit: float

    def whole(self, states: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return states (k, n) with those that were divided out."""
        if self.reduction is None:
            return states
        return self.reduction.at(states, dict(zip(self.names, p.tolist(), strict=True)))


@dataclass(frozen=True, eq=False)
class Loop:
    """A curve of homoclinic orbits that was followed both ways."""

    start: Start
    rows: list[Row]
    tracks: tuple[Track, Track]
    spans: tuple[tuple[float, float], tuple[float, float]]
    options: Options

    @property
    def units(self) -> tuple[float, float]:
        """Of both parameters."""
        return self.start.unit, self.spans[1][1] - self.spans[1][0]

    def has(self, row: Row) -> bool:
        """Say whether an orbit lies on the curve: at its second parameter that has the same first one and saddle."""
        value, unit = row.arc.p[1], self.start.unit
        p = np.array([at.arc.p for at in self.rows])
        off = p[:, 1] - value
        for k in np.flatnonzero(off[:-1] * off[1:] <= 0.0).tolist():
            share = off[k] / (off[k] - off[k + 1]) if off[k] != off[k + 1] else 0.0
            first = p[k, 0] + share * (p[k + 1, 0] - p[k, 0])
            near = abs(first - row.arc.p[0]) < max(SAME, abs(p[k + 1, 0] - p[k, 0]) / unit * 0.1) * unit
            size = self.rows[k].arc.extent
            rests, others = self.rows[k].arc.rests, row.arc.rests
            if near and len(rests) == len(others) and np.max(np.abs(rests - others) / size) < 0.5:
                return True
        return False


def from_found(found: Homoclinic | Heteroclinic, second: str) -> Start:
    """Return the start from an orbit that `find_homoclinic` or `find_heteroclinic` found."""
    goal = np.array(found.target) if isinstance(found, Heteroclinic) else None
    saddle = np.array(found.source if isinstance(found, Heteroclinic) else found.saddle)
    backward = found.times[-1] < 0.0
    times, points = (
        (found.times[::-1] - found.times[-1], found.points[::-1]) if backward else (found.times, found.points)
    )
    time = float(times[-1])
    edges = np.linspace(0.0, 1.0, GUESSED + 1)
    flow = np.array([found.system.rhs(x) for x in points])

    def state(phase: np.ndarray) -> np.ndarray:
        from scipy.interpolate import CubicHermiteSpline

        values: np.ndarray = CubicHermiteSpline(times, points, flow)(phase * time)
        return values

    system = found.system
    p = np.array([found.value, system.values[system.parameter_index(second)]])
    arc = replace(_arc(state, time, saddle, p, edges), goal=goal)
    # the range is that of a search, and may be narrow
    unit = max(found.range[1] - found.range[0], UNIT * abs(found.value))
    return Start(system, None, (found.parameter, second), arc, unit)


def from_end(diagram: Diagram, branch: Branch, row: int, second: str) -> Start | None:
    """Return the start from the first (0) or last (-1) orbit of a branch whose period grows without bound.

    It is cut where it is slowest, near the saddle. None where the orbit is not known.
    """
    system = diagram.system
    if system is None or not branch.profiles:
        return None
    first = diagram.parameter
    value = float(branch.points[row, 0])
    profile = branch.profiles[row]
    kept = list(diagram.reduction.kept) if diagram.reduction is not None else slice(None)
    mesh = Mesh(np.append(profile.phases[::POINTS], 1.0))
    nodes = profile.states[:, kept]
    system = system.with_(values={first: value})
    extent = np.ptp(nodes, axis=0)
    extent = np.maximum(extent, 1e-3 * extent.max())
    fine = (mesh.edges[:-1, None] + mesh.widths[:, None] * np.arange(SAMPLES) / SAMPLES).ravel()
    offset = (profile.last - profile.states[0])[kept] if profile.turns else None
    states = interpolate(mesh, nodes, fine, offset)
    speed = np.array([np.linalg.norm(system.rhs(x) / extent) for x in states])
    cut, saddle = float(fine[int(np.argmin(speed))]), states[int(np.argmin(speed))]

    def state(phase: np.ndarray) -> np.ndarray:
        return interpolate(mesh, nodes, cut + phase, offset)

    edges = np.sort((mesh.edges[:-1] - cut) % 1.0)
    edges = np.concatenate([[0.0], edges[(edges > APART) & (edges < 1.0 - APART)], [1.0]])
    p = np.array([value, system.values[system.parameter_index(second)]])
    arc = _arc(state, profile.period, saddle, p, edges)
    if offset is not None:  # it ends in the same saddle a turn further on
        arc = replace(arc, goal=saddle + offset)
    return Start(system, diagram.reduction, (first, second), arc, diagram.range[1] - diagram.range[0])


def _arc(
    state: Callable[[np.ndarray], np.ndarray], time: float, saddle: np.ndarray, p: np.ndarray, edges: np.ndarray
) -> Arc:
    return Arc(edges, state(phases_of(edges)), time, saddle, p)


def follow(
    start: Start,
    spans: tuple[tuple[float, float], tuple[float, float]],
    options: Options,
    known: Sequence[Loop] = (),
) -> Loop | None:
    """Follow the homoclinic orbits through a start both ways; None where there is none.

    Where one of the curves that are `known` goes through the start, that is returned.
    """
    indices = tuple(start.system.parameter_index(name) for name in start.names)
    follower = Follower(Sampler(start.system, indices), start.names, spans, start.unit, options)
    found = follower.start(start.arc)
    if found is None:
        return None
    curve, y = found
    for loop in known:
        if loop.has(follower.row(curve, y)):
            return loop
    ahead = follower.follow(curve, y, 1.0)
    back = ahead if ahead.reason == "closed" else follower.follow(curve, y, -1.0)
    if back is not ahead:
        ahead, back = (_to_its_end(start, track, spans, options) for track in (ahead, back))
    rows = ahead.rows if back is ahead else [*back.rows[:0:-1], *ahead.rows]
    return Loop(start, rows, (back, ahead), spans, options)


def _to_its_end(
    start: Start, track: Track, spans: tuple[tuple[float, float], tuple[float, float]], options: Options
) -> Track:
    """Return a curve whose saddle becomes a saddle-node with the homoclinic orbit of that, if it is found."""
    if track.reason != "saddle" or start.arc.goal is not None:
        return track
    rows = [row for row in track.rows if row.label != "NCH"]  # what is bracketed stands for that
    found = end_of(start.system, start.names, rows, (start.unit, spans[1][1] - spans[1][0]), options)
    return track if found is None else Track([*rows, found], "saddle-node")


def branch_of(found: Loop, number: int) -> tuple[Branch, list[SpecialPoint]]:
    """Return a curve as a branch, and the points of codimension two on it."""
    start = found.start
    names = start.reduction.whole.variables if start.reduction is not None else start.system.variables
    table, profiles = [], []
    for row in found.rows:
        arc = row.arc
        table.append([*arc.p, *start.whole(arc.rests, arc.p).ravel()])
        profiles.append(Profile(arc.time, frozen(arc.phases[:-1]), frozen(start.whole(arc.nodes[:-1], arc.p))))
    points = [
        SpecialPoint(
            label=row.label,
            branch=number,
            index=k,
            parameters=dict(zip(start.names, row.arc.p.tolist(), strict=True)),
            state=dict(zip(names, table[k][2 : 2 + len(names)], strict=True)),
            status="converged" if row.bracket is None else "bracketed",
            residual=row.residual,
            bracket=row.bracket,
            eigenvalues=frozen(row.eigenvalues, complex),
            system=start.system,
            reduction=start.reduction,
        )
        for k, row in enumerate(found.rows)
        if row.label
    ]
    branch = Branch(
        id=number,
        kind="homoclinic" if start.arc.goal is None else "heteroclinic",
        columns=(*start.names, *names, *(f"to {name}" for name in names if start.arc.goal is not None)),
        points=frozen(table),
        unstable=frozen([int(np.sum(row.eigenvalues.real > 0.0)) for row in found.rows], int),
        eigenvalues=frozen([row.eigenvalues for row in found.rows], complex),
        origin=None,
        ended=(_end(found, found.tracks[0]), _end(found, found.tracks[1])),
        profiles=tuple(profiles),
    )
    return branch, points


def _end(found: Loop, track: Track) -> End:
    """Say why a curve ends."""
    first, second = found.start.names
    row = track.rows[-1]
    here = f"{first}={row.arc.p[0]:.9g}, {second}={row.arc.p[1]:.9g}"
    if track.reason == "saddle":
        return End("saddle", _at_slow_saddle(found, track, here))
    if track.reason == "saddle-node":
        return End(
            "saddle-node",
            f"the saddle becomes a saddle-node at {here} (NCH): from there on saddle-nodes on a circle (SNIC) lie on "
            "the curve of folds (LP)",
        )
    off = [min(abs(row.arc.p[i] - end) for end in found.spans[i]) / unit for i, unit in enumerate(found.units)]
    k = int(np.argmin(off))
    messages = {
        "range": f"{(first, second)[k]} reached {row.arc.p[k]:.12g}",
        "closed": "the curve returned to its start",
        "time": found.options.said,
        "points": f"the limit of {found.options.max_points} points was reached; raise max_points to go on",
    }
    default = f"the step became too small at {here}; why is not known: smaller steps or another start may tell"
    return End(track.reason, messages.get(track.reason, default))


def _at_slow_saddle(found: Loop, track: Track, here: str) -> str:
    """Say what is known where a curve ends for a saddle: an eigenvalue has passed zero, or is small, and no more."""
    row = track.rows[-1]
    slow = np.array([[np.min(np.abs(one.real)) for one in at.spectra] for at in track.rows])
    most = slow.max(axis=0)
    k = int(np.argmin(slow[-1] / most))
    joined = found.start.arc.goal is not None
    which = f"the equilibrium that the orbit {('comes from', 'goes to')[k]}" if joined else "the saddle"
    if row.label or slow[-1, k] >= NEUTRAL * most[k]:
        what = {"NCH": ": it becomes a saddle-node", "SH": ": it undergoes a Hopf bifurcation"}.get(row.label, "")
        whose = "one of both equilibria" if joined else which
        return f"an eigenvalue of {whose} passes zero in the step beyond {here}{what}"
    real = np.sort(np.abs(row.spectra[k].real))
    both = bool(len(real) > 1 and real[1] < 3.0 * real[0]) and _opposed(row.spectra[k])
    two = " (two are as small, as near a Bogdanov-Takens point)" if both else ""
    return (
        f"the slowest eigenvalue of {which} has come down to {slow[-1, k]:.3g} at {here}, from {most[k]:.3g} elsewhere "
        f"on the curve{two}: orbits come to it too slowly to be followed further; whether it goes to zero is not known"
    )


def _opposed(values: np.ndarray) -> bool:
    """Say whether the two slowest eigenvalues are real and of different sign."""
    slow = values[np.argsort(np.abs(values.real))][:2]
    return bool(np.all(slow.imag == 0.0) and slow[0].real * slow[1].real < 0.0)

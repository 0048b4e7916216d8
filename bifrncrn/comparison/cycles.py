"""The cycles of a system over a range of its parameter: from Hopf points, and from what trajectories settle to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.comparison.matching import places
from bifrncrn.comparison.sections import Section, section, size_error
from bifrncrn.comparison.window import Window, states_of
from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.continuation.options import Options
from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint
from bifrncrn.models.system import System

PROBES = 3  # parameter values at which trajectories are watched
CORNERS = (0.5, 0.25, 0.75)  # of the region's sides: where they start
STEPS = 20_000  # of the integrator for each of them
EDGE = 0.05  # of the region's sides: how far inside its corners trajectories start too
MOST_CORNERS = 8  # of more there are the two outmost are taken
CORNER_STEPS = 3_000  # of the integrator for each of them
LIMIT = Options(max_points=2000)  # orbits in one direction; beside fast variables 800 lead through a plain range
STRAY = "stray"  # at rest on no branch that is known
KNOWN = 0.02  # a cycle whose period and extents are this near those of a followed one is that one


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two systems: its diagram with cycles, and what could not be looked at.

    Attributes
    ----------
    word : str
        What it is called: `target`, `learned`, `first` or `second`.
    diagram : Diagram
    names : tuple of str
        Its names of the common states.
    fates : dict
        By (value, number of the start): what the trajectory came to, `rest`, `cycle`, `away` (out of the region) or
        another kind of motion. Starts in the corners of a region that was given have negative numbers; see `_stays`.
    unjudged : tuple of str
        Sentences.
    reach : (float, float) or None
        The range on which branches are followed, where that is wider than the one that is compared.
    """

    word: str
    diagram: Diagram
    names: tuple[str, ...]
    fates: Mapping[tuple[float, int], str] = field(default_factory=dict)
    unjudged: tuple[str, ...] = ()
    reach: tuple[float, float] | None = None

    @property
    def system(self) -> System | None:
        """The system with its conserved sums, if it is known."""
        reduction = self.diagram.reduction
        return self.diagram.system if reduction is None else reduction.whole

    @property
    def span(self) -> tuple[float, float]:
        """The range on which its branches are followed."""
        return self.reach or self.diagram.range


def probes(sides: Sequence[Side], window: Window, tolerance: float) -> list[float]:
    """Return the middles of the longest intervals between special points, which are one within the tolerance."""
    marks = {window.lower[0], window.upper[0]}
    for side in sides:
        marks |= {place[0] for _, place in places(side.diagram, side.names, window)}
    ends = sorted(float(mark) for mark in marks)
    every = list(itertools.pairwise(ends))
    gaps = [(a, b) for a, b in every if b - a > tolerance * window.width] or every
    while len(gaps) < PROBES:
        low, high = gaps.pop(int(np.argmax([b - a for a, b in gaps])))
        gaps += [(low, 0.5 * (low + high)), (0.5 * (low + high), high)]
    gaps.sort(key=lambda gap: gap[0] - gap[1])
    return sorted(0.5 * (a + b) for a, b in gaps[:PROBES])


def on_a_line(side: Side) -> bool:
    """Say whether nothing can turn: there is one state, and no period."""
    system = side.system
    count = len(states_of(side.diagram) if system is None else system.variables)
    return count < 2 and not (system and system.period)


def with_cycles(side: Side, window: Window, values: Sequence[float]) -> Side:
    """Return the side with all cycles that were found, and with what trajectories come to."""
    system = side.system
    if system is None:
        said = f"the model of the {side.word} is not known (its diagram was loaded), so cycles were not looked for"
        return replace(side, unjudged=(*side.unjudged, said))
    if len(system.variables) > DENSE_LIMIT:
        said = f"cycles are looked for in systems of up to {DENSE_LIMIT} variables; the {side.word} has more"
        return replace(side, unjudged=(*side.unjudged, said))
    return _settled(_from_hopf(side, window), system, window, values)


def _from_hopf(side: Side, window: Window) -> Side:
    """Return the side with the cycles that leave the Hopf points in the region."""
    from bifrncrn.diagrams.orbits import orbits

    if any(branch.kind == "periodic" for branch in side.diagram.branches):
        return side
    low, high = side.span
    window = window.wider(max(0.0, window.lower[0] - low, high - window.upper[0]) if side.reach else 0.0)
    for point, place in places(side.diagram, side.names, window):
        if point.label != "HB" or not window.judges(place[None])[0] or _is_end(point, side):
            continue
        try:
            found = orbits(point, side.span, options=LIMIT)
        except (ConvergenceError, InputError) as error:
            said = f"the cycles of the {side.word} at its Hopf point were not followed: {error}"
            side = replace(side, unjudged=(*side.unjudged, said))
            continue
        side = _joined(side, found)
    return side


def _is_end(point: SpecialPoint, side: Side) -> bool:
    """Say whether cycles that were followed shrink to this Hopf point."""
    diagram = side.diagram
    for branch in diagram.branches:
        for row in (0, -1):
            if branch.kind != "periodic":
                continue
            off = abs(branch.column(diagram.parameter)[row] - point.parameters[diagram.parameter])
            states = [abs(branch.column(f"max {name}")[row] - point.state[name]) for name in side.names]
            size = [abs(point.state[name]) for name in side.names]
            if off < KNOWN * 1e-4 * (diagram.range[1] - diagram.range[0]) and max(states) <= 1e-6 * max(size) + 1e-300:
                return True
    return False


def _joined(side: Side, found: Diagram) -> Side:
    """Return the side with the branch of cycles `found` as one more branch of its diagram."""
    diagram = side.diagram
    number = len(diagram.branches)
    branch = replace(found.branches[0], id=number)
    points = tuple(replace(point, branch=number) for point in found.special_points)
    whole = replace(diagram, branches=(*diagram.branches, branch), special_points=(*diagram.special_points, *points))
    return replace(side, diagram=whole)


def starts(window: Window, off: float = 0.0) -> list[np.ndarray]:
    """Return the common states at which trajectories start, or those `off` of the region's sides beside them."""
    low, high = window.lower[1:], window.upper[1:]
    if not np.isfinite([low, high]).all():
        return []
    return [low + (share + off) * (high - low) for share in CORNERS]


def _settled(side: Side, system: System, window: Window, values: Sequence[float]) -> Side:
    """Return the side with what trajectories come to, and with the cycles they settle to that were not known."""
    fates, strays = dict(side.fates), []
    for value in values:
        here = system.with_(values={side.diagram.parameter: value})
        begins = [dict(zip(side.names, x.tolist())) for x in starts(window)]
        begins += [] if window.bounded else [{}]  # its own start
        homes: list[np.ndarray] = []
        for k, begin in enumerate([*begins, *_unstable_equilibria(side, value, window)]):
            fate, cycle, points = _fate(here, begin, side, window, value)
            homes += [] if points is None else [points]
            if k < len(begins):
                fates[value, k] = fate
            if cycle is not None:
                side = _followed(side, cycle)
            if fate == STRAY:
                strays.append(value)
        for k, corner in enumerate(corners(window), 1):
            fates[value, -k] = _stays(here, dict(zip(side.names, corner.tolist())), side, window, homes)
    if strays:
        said = (
            f"the {side.word} comes to rest, at {side.diagram.parameter} = "
            f"{', '.join(f'{v:.4g}' for v in dict.fromkeys(strays))}, where no branch of its diagram is; "
            "compare in a box to find all branches"
        )
        side = replace(side, unjudged=(*side.unjudged, said))
    return replace(side, fates={key: "rest" if fate == STRAY else fate for key, fate in fates.items()})


def _unstable_equilibria(side: Side, value: float, window: Window) -> list[dict[str, float]]:
    """Return the unstable equilibria in the region, from which trajectories leave to something else."""
    states = tuple(side.system.variables) if side.system else ()
    every = section(side.diagram, "equilibrium", side.names, value, window)
    whole = section(
        side.diagram, "equilibrium", states, value, replace(window, bounded=False, scale=np.ones(1 + len(states)))
    )
    if len(every.places) != len(whole.places):
        return []
    return [
        dict(zip(states, place.tolist()))
        for place, count, judged in zip(whole.places, whole.unstable, every.judged)
        if judged and count > 0
    ]


def _fate(
    system: System, begin: Mapping[str, float], side: Side, window: Window, value: float
) -> tuple[str, object | None, np.ndarray | None]:
    """Return what a trajectory comes to, the cycle it settles to where that was not known, and where in the region."""
    from bifrncrn.models.field import Field
    from bifrncrn.models.forcing import autonomous
    from bifrncrn.trajectories.cycles import find_cycle
    from bifrncrn.trajectories.settling import settle

    here = system.with_(state=begin)
    here = here.with_(state=np.maximum(here.state, here.lower))
    whole = autonomous(here) if here.period else here
    found = settle(Field(whole), whole.state, 0.0, STEPS)
    index = [system.variables.index(name) for name in side.names]
    if found.kind == "equilibrium":
        rest = found.state[index]
        if not window.judges(np.append(value, rest)[None])[0]:
            return "away", None, None
        rests = section(side.diagram, "equilibrium", side.names, value, window).places
        size = KNOWN * np.maximum(window.scale[1:], np.abs(rest))
        return ("rest" if (np.abs(rests - rest) <= size).all(axis=1).any() else STRAY), None, rest[None]
    if found.kind == "escape":
        return "away", None, None
    if found.kind != "cycle" or found.orbit is None:
        return found.kind, None, None
    curve = found.orbit.at(found.orbit.phases(8))[:, index]
    low, high = curve.min(axis=0), curve.max(axis=0)
    if not window.judges(np.append(value, 0.5 * (low + high))[None])[0]:
        return "away", None, None
    known = section(side.diagram, "periodic", side.names, value, window)
    row = np.concatenate([[found.orbit.period], low, high])
    if any(_same(known, k, row, len(index)) for k in range(len(known.places))):
        return "cycle", None, curve
    # what a forced system is at depends on the time too: there it settles once more
    return "cycle", find_cycle(here if here.period else system.with_(state=found.state)), curve


def fate_beside(side: Side, window: Window, value: float, which: int, off: float) -> str:
    """Return what a trajectory comes to that starts `off` of the region's sides beside one of the `starts`."""
    assert side.system is not None
    here = side.system.with_(values={side.diagram.parameter: value})
    fate, _, _ = _fate(here, dict(zip(side.names, starts(window, off)[which].tolist())), side, window, value)
    return "rest" if fate == STRAY else fate


def corner_fate(side: Side, window: Window, value: float, which: int, edge: float) -> str:
    """Return what becomes of the trajectory from a corner, `edge` of the region's sides inside it; see `_stays`."""
    assert side.system is not None
    here = side.system.with_(values={side.diagram.parameter: value})
    return _stays(here, dict(zip(side.names, corners(window, edge)[which].tolist())), side, window, [])


def corners(window: Window, edge: float = EDGE) -> list[np.ndarray]:
    """Return the corners of a region that was given, a little inside; of one with many states the two outmost."""
    if not window.bounded:
        return []
    low, high = window.lower[1:], window.upper[1:]
    ends = np.stack([low + edge * (high - low), high - edge * (high - low)])
    n = len(low)
    sides = itertools.product((0, 1), repeat=n) if 2**n <= MOST_CORNERS else ((0,) * n, (1,) * n)
    return [ends[list(which), np.arange(n)] for which in sides]


def _stays(system: System, begin: Mapping[str, float], side: Side, window: Window, homes: Sequence[np.ndarray]) -> str:
    """Return whether a trajectory stays in the region: `stays`, `returns` after a while outside, `away`, or unknown.

    It need not be followed further than to one of the `homes` (k, n), where others settled.
    """
    from bifrncrn.models.field import Field
    from bifrncrn.models.forcing import autonomous
    from bifrncrn.trajectories.settling import settle

    here = system.with_(state=begin)
    here = autonomous(here) if here.period else here
    index, scale = [system.variables.index(name) for name in side.names], window.scale[1:]
    low, high = window.lower[1:] - KNOWN * scale, window.upper[1:] + KNOWN * scale
    was_out = False

    def home(times: np.ndarray, states: np.ndarray) -> str:
        nonlocal was_out
        x = states[:, index]
        was_out |= bool(((x < low) | (x > high)).any())
        near = (np.abs((curve - x[-1]) / scale).max(axis=1).min() < KNOWN for curve in homes)
        return "home" if any(near) else ""

    found = settle(Field(here), here.state, 0.0, CORNER_STEPS, home, CORNER_STEPS // 50)
    middle = found.state[index]
    if found.kind == "cycle" and found.orbit is not None:
        curve = found.orbit.at(found.orbit.phases(8))[:, index]
        middle = 0.5 * (curve.min(axis=0) + curve.max(axis=0))
    settled = found.kind in ("equilibrium", "cycle")
    if found.kind == "escape" or (settled and ((middle < low) | (middle > high)).any()):
        return "away"
    if found.kind not in ("home", "equilibrium", "cycle"):
        return found.kind
    return "returns" if was_out else "stays"


def _same(known: Section, k: int, row: np.ndarray, n: int) -> bool:
    return size_error(known.periods[k], known.places[k], row, n)[0] < KNOWN


def _followed(side: Side, cycle: object) -> Side:
    """Return the side with the branch that a cycle lies on."""
    from bifrncrn.diagrams.orbits import orbits

    diagram = side.diagram
    try:
        found = orbits(cycle, side.span, parameter=diagram.parameter, options=LIMIT)  # type: ignore[arg-type]
    except (ConvergenceError, InputError) as error:
        said = f"a cycle of the {side.word} was not followed: {error}"
        return replace(side, unjudged=(*side.unjudged, said))
    return _joined(side, found)


def branch_rows(branch: Branch, parameter: str, names: Sequence[str], low: float, high: float) -> np.ndarray:
    """Return rows (period, minima, maxima) of a branch of cycles at parameters from `low` to `high`."""
    p = branch.column(parameter)
    columns = ["period", *(f"{e} {name}" for e in ("min", "max") for name in names)]
    data = np.stack([branch.column(name) for name in columns], axis=1)
    return data[(p >= low) & (p <= high)]

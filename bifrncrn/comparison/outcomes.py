"""What trajectories from states of the region come to."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from bifrncrn.base.polylines import furthest
from bifrncrn.comparison.sections import Section, section, size_error
from bifrncrn.comparison.shapes import between
from bifrncrn.comparison.side import Outcome, Side
from bifrncrn.comparison.window import Window
from bifrncrn.models.system import System
from bifrncrn.trajectories.recurrence import NEAR

INSIDE = (0.5, 0.25, 0.75)  # of the region's sides: where trajectories start
STEPS = 20_000  # of the integrator for each of them
EDGE = 0.05  # of the region's sides: how far inside its corners trajectories start too, and how far others beside them
MOST_CORNERS = 8  # of more there are the two outmost are taken
CORNER_STEPS = 3_000  # of the integrator for each of them
# of `EDGE`: how far inside corners others start, the states in turn; so they are not alike where those from corners are
BESIDE = (0.6, 1.4)
FLAT = 1e-3  # of its size: a state that moves less along a cycle is compared in this unit; integration errs by less
KNOWN = 0.02  # a cycle whose period and extents are this near those of a followed one is that one
STRAY = "stray"  # at rest on no branch that is known
# steps by which hidden states come to rest, the factor from one to the next, and the relative one that moves no more
ROUNDS, GROWTH, RESTED = 200, 2.0, 1e-9


def starts(window: Window) -> list[np.ndarray]:
    """Return the common states at which trajectories start."""
    low, high = window.lower[1:], window.upper[1:]
    if not np.isfinite([low, high]).all():
        return []
    return [low + share * (high - low) for share in INSIDE]


def beside(start: np.ndarray, window: Window) -> list[np.ndarray]:
    """Return states `EDGE` of the region's sides beside one: all states moved alike, and every second one back."""
    side = EDGE * (window.upper[1:] - window.lower[1:])
    turns = [np.ones(len(side))] if len(side) == 1 else [np.ones(len(side)), (-1.0) ** np.arange(len(side))]
    return [start + sign * turn * side for turn in turns for sign in (-1, 1)]


def corners(window: Window, shares: Sequence[float] = (1.0,)) -> list[np.ndarray]:
    """Return the corners of a region that was given, a little inside; of one with many states the two outmost.

    They are `shares` of `EDGE` inside, which the states take in turn.
    """
    if not window.bounded:
        return []
    low, high = window.lower[1:], window.upper[1:]
    n = len(low)
    inside = EDGE * (high - low) * np.resize(shares, n)
    ends = np.stack([low + inside, high - inside])
    sides = itertools.product((0, 1), repeat=n) if 2**n <= MOST_CORNERS else ((0,) * n, (1,) * n)
    return [ends[list(which), np.arange(n)] for which in sides]


def begun(system: System, side: Side, common: np.ndarray) -> System:
    """Return the system started at common states, all others where they settle while those stand still.

    So the perceptrons of a network begin where they are in its reduced system. Others that do not settle begin where
    the system's own start has them.
    """
    here = system.with_(state=dict(zip(side.names, common.tolist())))
    here = here.with_(state=np.maximum(here.state, here.lower))
    hidden = np.array([k for k, name in enumerate(system.variables) if name not in side.names], dtype=int)
    if not len(hidden) or system.period:
        return here
    rested = _at_rest(here, hidden)
    return here if rested is None else here.with_(state=rested)


def _at_rest(system: System, hidden: np.ndarray) -> np.ndarray | None:
    """Return the state with the `hidden` ones where they settle, all others held, or None where they do not.

    Implicit Euler steps follow them, each twice as long as the one before but for what grows, and end as Newton's.
    """
    from bifrncrn.models.field import Field

    field = Field(system)
    x = system.state.copy()
    block = np.ix_(hidden, hidden)
    matrix = field.jacobian(0.0, x)[block]
    fastest = pace = float(np.abs(matrix).max())
    for _ in range(ROUNDS):
        if not np.isfinite(matrix).all() or fastest == 0:
            return None
        own = np.diag(matrix)  # all there is where hidden states do not act on one another
        growth = float((own if np.array_equal(matrix, np.diag(own)) else np.linalg.eigvals(matrix).real).max())
        slow = max(pace, 2.0 * growth) * np.eye(len(hidden)) - matrix
        try:
            step = np.linalg.solve(slow, field.rhs(0.0, x)[hidden])
        except np.linalg.LinAlgError:
            return None
        x[hidden] += step
        if not np.isfinite(x).all() or (x < system.lower).any():
            return None
        if growth < 0 and pace < RESTED * fastest and np.abs(step).max() <= RESTED * np.abs(x[hidden]).max():
            return x
        matrix, pace = field.jacobian(0.0, x)[block], pace / GROWTH
    return None


def outcome(
    system: System, common: np.ndarray | Mapping[str, float], side: Side, window: Window, value: float
) -> tuple[Outcome, object | None, np.ndarray | None]:
    """Return what a trajectory comes to, the cycle it settles to where that was not known, and where in the region.

    It starts at `common` states; from others, given by name, as they are.
    """
    from bifrncrn.models.field import Field
    from bifrncrn.models.forcing import autonomous
    from bifrncrn.trajectories.cycles import find_cycle
    from bifrncrn.trajectories.settling import settle

    here = system.with_(state=common) if isinstance(common, Mapping) else begun(system, side, common)
    here = here.with_(state=np.maximum(here.state, here.lower))
    whole = autonomous(here) if here.period else here
    index = [system.variables.index(name) for name in side.names]
    known = [] if here.period else _attracting(side, window, value)
    reached: list[np.ndarray] = []

    def follows(times: np.ndarray, states: np.ndarray) -> str:
        reached.extend(curve[:, index] for period, curve in known if _goes_round(times, states, period, curve))
        return "known" if reached else ""

    found = settle(Field(whole), whole.state, 0.0, STEPS, follows)
    if reached:
        return Outcome("cycle", reached[0].min(axis=0), reached[0].max(axis=0)), None, reached[0]
    if found.kind == "equilibrium":
        rest = found.state[index]
        if not window.judges(np.append(value, rest)[None])[0]:
            return Outcome("away"), None, None
        rests = section(side.diagram, "equilibrium", side.names, value, window).places
        size = KNOWN * np.maximum(window.scale[1:], np.abs(rest))
        there = bool((np.abs(rests - rest) <= size).all(axis=1).any())
        return Outcome("rest" if there else STRAY, rest, rest), None, rest[None]
    if found.kind == "escape":
        return Outcome("away"), None, None
    if found.kind != "cycle" or found.orbit is None:
        return Outcome(found.kind), None, None
    curve = found.orbit.at(found.orbit.phases(8))[:, index]
    low, high = curve.min(axis=0), curve.max(axis=0)
    if not window.judges(np.append(value, 0.5 * (low + high))[None])[0]:
        return Outcome("away"), None, None
    every = section(side.diagram, "periodic", side.names, value, window)
    row = np.concatenate([[found.orbit.period], low, high])
    if any(_same(every, k, row, len(index)) for k in range(len(every.places))):
        return Outcome("cycle", low, high), None, curve
    # what a forced system is at depends on the time too: there it settles once more
    cycle = find_cycle(here if here.period else system.with_(state=found.state))
    return Outcome("cycle", low, high), cycle, curve


def _attracting(side: Side, window: Window, value: float) -> list[tuple[float, np.ndarray]]:
    """Return periods and curves (k, n), all states, of the known cycles in the region that attract and stand alone."""
    assert side.system is not None
    every = section(side.diagram, "periodic", side.names, value, window)
    if not len(every.places):
        return []
    curves = [between(side, every, k, value, side.system.variables) for k in range(len(every.places))]
    if any(curve is None for curve in curves):
        return []
    known = [curve for curve in curves if curve is not None]
    return [
        (float(every.periods[k]), known[k])
        for k in np.flatnonzero((every.unstable == 0) & every.judged).tolist()
        if all(j == k or _apart(known[k], other) > 2.0 * NEAR for j, other in enumerate(known))
    ]


def _goes_round(times: np.ndarray, states: np.ndarray, period: float, curve: np.ndarray) -> bool:
    """Say whether a trajectory (k, n) was all along a cycle (l, n) for the last period, and all along it."""
    first = int(np.searchsorted(times, times[-1] - period, side="right")) - 1
    return first >= 0 and max(_apart(curve, states[first:]), _apart(curve, states[first:], back=True)) < NEAR


def _apart(curve: np.ndarray, other: np.ndarray, back: bool = False) -> float:
    """Return how far points get from a cycle at most, in units of its extents; `back` the cycle from their line."""
    extent = np.maximum(np.ptp(curve, axis=0), FLAT * np.abs(curve).max(axis=0))
    extent = np.where(extent > 0.0, extent, 1.0)
    return furthest(curve / extent, other / extent, False) if back else furthest(other / extent, curve / extent, True)


def _same(known: Section, k: int, row: np.ndarray, n: int) -> bool:
    return size_error(known.periods[k], known.places[k], row, n)[0] < KNOWN


def outcome_at(side: Side, window: Window, value: float, common: np.ndarray) -> Outcome:
    """Return what a trajectory from common states comes to at a value of the parameter."""
    assert side.system is not None
    found, _, _ = outcome(side.system.with_(values={side.diagram.parameter: value}), common, side, window, value)
    return Outcome("rest", found.low, found.high) if found.kind == STRAY else found


def corner_outcome(side: Side, window: Window, value: float, corner: np.ndarray) -> Outcome:
    """Return what becomes of the trajectory from a corner at a value of the parameter; see `stays`."""
    assert side.system is not None
    return stays(side.system.with_(values={side.diagram.parameter: value}), corner, side, window, [])


def stays(system: System, corner: np.ndarray, side: Side, window: Window, homes: Sequence[np.ndarray]) -> Outcome:
    """Return whether a trajectory from a corner stays in the region: `stays`, `returns`, `away`, or what is found else.

    It need not be followed further than to one of the `homes` (k, n), where others settled.
    """
    from bifrncrn.models.field import Field
    from bifrncrn.models.forcing import autonomous
    from bifrncrn.trajectories.settling import settle

    here = begun(system, side, corner)
    here = autonomous(here) if here.period else here
    index, scale = [system.variables.index(name) for name in side.names], window.scale[1:]
    low, high = window.lower[1:] - KNOWN * scale, window.upper[1:] + KNOWN * scale
    was_out, reached = False, np.empty((0, len(index)))

    def home(times: np.ndarray, states: np.ndarray) -> str:
        nonlocal was_out, reached
        x = states[:, index]
        was_out |= bool(((x < low) | (x > high)).any())
        for curve in homes:
            if np.abs((curve - x[-1]) / scale).max(axis=1).min() < KNOWN:
                reached = curve
                return "home"
        return ""

    found = settle(Field(here), here.state, 0.0, CORNER_STEPS, home, CORNER_STEPS // 50)
    if found.kind == "escape":
        return Outcome("away")
    if found.kind == "equilibrium":
        reached = found.state[index][None]
    elif found.kind == "cycle" and found.orbit is not None:
        reached = found.orbit.at(found.orbit.phases(8))[:, index]
    elif found.kind != "home":
        return Outcome(found.kind)
    least, most = reached.min(axis=0), reached.max(axis=0)
    middle = 0.5 * (least + most)
    if found.kind != "home" and ((middle < low) | (middle > high)).any():
        return Outcome("away")
    return Outcome("returns" if was_out else "stays", least, most)

"""Following a locus of bifurcations of periodic orbits: steps, meshes, points of codimension two, and where it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from bifrncrn.continuation.options import Options
from bifrncrn.curves.orbits.branch import swing
from bifrncrn.curves.orbits.corrector import Corrector, Metric
from bifrncrn.curves.orbits.cycle_loci import FOLD, TORUS, Borders, CycleLocus, State
from bifrncrn.curves.orbits.locus_tests import tests, value
from bifrncrn.curves.orbits.meshes import wanted
from bifrncrn.curves.orbits.orbit import Mesh, Orbit, interpolate

FIRST, LONGEST, SHORTEST = 0.01, 0.1, 1e-6
"""Steps, in units of the unknowns."""
ANGLE = 0.2
"""The tangent may turn by this in a step."""
RESIZED = 1.5
"""The units of the states are taken anew where an orbit has grown or shrunk by this factor."""
RESTING = 0.05
"""A state's unit is no smaller than this part of its first, shrunk as the orbit has; that of one that moves less than
this in that unit, being about at rest, stays the first."""
SMALL = 0.02
"""The orbits shrink to a point where they are this much smaller than the largest, ..."""
VANISHING = 6
"""... and the point is extrapolated from so many rows, in powers of the square of their size."""
SLOW = 100.0
"""The locus ends where the period is this many times the shortest."""
FLAT, TOO_FLAT = 1e-7, 3
"""A fold whose coefficient is smaller is made by rounding, as on cycles that are next to a homoclinic orbit, where it
falls exponentially with the period; so many in a row, for at a cusp it passes zero."""
LOCATED, ZERO = 1e-10, 1e-10
"""A point of codimension two is located to this part of a step, or until its test function is this part of what it is
beside it."""
POLE = 1e-3
"""A test function that is not below this part of the larger of its values beside it jumps there, and has no zero."""
NEAR_ONE = 0.35
"""A locus of tori that goes no further below this angle comes to a 1:1 resonance."""
BACK = 0.5
"""A closed locus is back where it passes its start closer than this part of a step."""


@dataclass(frozen=True, eq=False)
class Point:
    """A row of a locus: the state, its test functions, and its label if it is special.

    `bracket` has the two states between which a special point lies that could not be refined.
    """

    state: State
    values: dict[str, float]
    label: str = ""
    bracket: tuple[State, State] | None = None


@dataclass(eq=False)
class Track:
    """A locus followed one way: its rows, why it ends, and the parameters (2,) at the very end where they are known."""

    rows: list[Point]
    reason: str = ""
    limit: np.ndarray | None = None
    blur: float = field(default=0.0)
    """The error of that limit."""


class LocusFollower:
    """Follows one locus.

    Parameters
    ----------
    problem : CycleLocus
    room : two pairs of float
        The ranges of both parameters.
    options : Options
    """

    def __init__(
        self, problem: CycleLocus, room: tuple[tuple[float, float], tuple[float, float]], options: Options
    ) -> None:
        self.problem, self.room, self.options = problem, room, options
        system = problem.variations.system
        self._corrector = Corrector(system, problem.variations.indices[0], system.lower)  # for meshes
        n = problem.n  # units of the states at the start, and what they are at least while the orbit keeps its size
        self._first, self._least = np.ones(n), np.full(n, RESTING)

    def start(self, orbit: Orbit, scale: np.ndarray, p: np.ndarray, theta: float) -> Point | None:
        """Return the row at an orbit that is (almost) on the locus; the second parameter stays."""
        extent = np.ptp(orbit.nodes, axis=0)
        self._first, self._least = scale, np.where(extent < RESTING * scale, scale, RESTING * scale)
        z = self.problem.vector(orbit, scale, p, theta)
        borders = self.problem.first_borders(orbit, scale, p)
        if borders is None:
            return None
        for k in (1, 0):  # where the second parameter turns along the locus, the first stays
            row = self._row(z, k)
            state = self.problem.correct(orbit.mesh, z, borders, row, float(row @ z))
            if state is not None:
                return self._point(state)
        return None

    def follow(self, first: Point, sign: float) -> Track:
        """Follow the locus from its first row, in the direction of its tangent or against it."""
        state = replace(first.state, tangent=sign * first.state.tangent)
        here = replace(first, state=state)
        track = Track([here])
        h = FIRST
        while not track.reason:
            if self.options.late:
                track.reason = "time"
            elif len(track.rows) >= self.options.max_points:
                track.reason = "points"
            elif h < SHORTEST:
                self._stuck(track)
            else:
                here, h = self._advance(track, here, h)
        return track

    def _advance(self, track: Track, here: Point, h: float) -> tuple[Point, float]:
        state = here.state
        there = self._corrected(state, state.z + h * state.tangent, state.tangent)
        if there is None:
            return here, 0.4 * h
        turn = float(np.arccos(np.clip(self._inner(state.mesh, state.tangent, there.tangent), -1.0, 1.0)))
        if turn > ANGLE:
            return here, max(0.3, 0.8 * ANGLE / turn) * h
        if self._vanishes(state, there):
            track.reason, track.limit, track.blur = "shrunk", *self._limit(track.rows, self._size)
            return here, h
        ending = self._beyond(state, there)
        if ending is not None:
            k, level = ending
            edge = self.on_edge(state, there, k, level)
            if edge is None:
                return here, 0.5 * h
            there, track.reason = edge, "range"
        found = self._point(there)
        events = self._events(here, found)
        resonance = next(
            (k for k, event in enumerate(events) if event.label == "R2" and self.problem.kind == TORUS), None
        )
        if resonance is not None:  # beyond it the locus would go back, with the conjugate multiplier
            track.rows += events[: resonance + 1]
            track.reason = "R2"
            return here, h
        track.rows += events
        track.rows.append(found)
        if not track.reason:
            found = self._fitted(found)
            track.rows[-1] = found
            self._look_around(track)
        return found, min(h * min(2.0, 0.6 * ANGLE / max(turn, 1e-3)), LONGEST)

    def _look_around(self, track: Track) -> None:
        """See whether the locus has come round, to a resonance, or to where the period grows without bound."""
        first, last = track.rows[0].state, track.rows[-1].state
        if self.problem.kind == TORUS and not 0.0 < self.problem.theta(last.z) < np.pi:
            track.rows.pop()
            self._stuck(track)
            return
        if self._size(last) < SMALL * max(self._size(row.state) for row in track.rows):
            track.reason = "shrunk"
            track.limit, track.blur = self._limit(track.rows, self._size)
        periods = [row.state.orbit.period for row in track.rows]
        if periods[-1] > SLOW * min(periods):
            track.reason = "period"
        latest = [abs(row.state.bend) for row in track.rows[1:][-TOO_FLAT:]]
        if self.problem.kind == FOLD and len(latest) == TOO_FLAT and max(latest) < FLAT:
            del track.rows[-TOO_FLAT:]
            track.reason = "flat"
            return
        if len(track.rows) > 10 and first.mesh.count == last.mesh.count:
            gap = self._tail(first) - self._tail(last)
            step = self._tail(last) - self._tail(track.rows[-2].state)
            ahead = self._tail_of(last.tangent) @ self._tail_of(first.tangent)
            if ahead > 0.0 and np.linalg.norm(gap) < BACK * np.linalg.norm(step):
                sizes = [self._size(state) for state in (first, last)]
                if abs(sizes[0] - sizes[1]) < 0.1 * max(sizes):
                    track.rows.append(track.rows[0])
                    track.reason = "closed"

    def _stuck(self, track: Track) -> None:
        track.reason = "step"
        if self.problem.kind == TORUS and self.problem.theta(track.rows[-1].state.z) < NEAR_ONE:
            track.reason = "R1"
            track.limit, track.blur = self._limit(track.rows, lambda state: self.problem.theta(state.z))
        elif self._size(track.rows[-1].state) < SMALL * max(self._size(row.state) for row in track.rows):
            track.reason = "shrunk"
            track.limit, track.blur = self._limit(track.rows, self._size)

    # -- one step ------------------------------------------------------------------------------------------------

    def _corrected(self, state: State, z: np.ndarray, normal: np.ndarray) -> State | None:
        row = self.problem.weights(state.mesh) * normal
        return self.problem.correct(state.mesh, z, state.borders, row, float(row @ z))

    def _row(self, z: np.ndarray, k: int) -> np.ndarray:
        """Return the row that picks a parameter out of the unknowns."""
        row = np.zeros(len(z))
        row[len(z) - 2 - self.problem.extra + k] = 1.0
        return row

    def _beyond(self, here: State, there: State) -> tuple[int, float] | None:
        """Return which parameter has left its range in a step, and at which end."""
        p = self.problem.parameters(there.z)
        for k, (low, high) in enumerate(self.room):
            if not low <= p[k] <= high:
                return k, low if p[k] < low else high
        return None

    def on_edge(self, here: State, there: State, k: int, level: float) -> State | None:
        """Return the point between two where a parameter has a value."""
        a, b = (self.problem.parameters(state.z)[k] for state in (here, there))
        part = (level - a) / (b - a) if a != b else 0.0
        z = here.z + part * (there.z - here.z)
        row = self._row(z, k)
        found = self.problem.correct(here.mesh, z, here.borders, row, level / self.problem.units[k])
        if found is None:
            return None
        ahead = self._inner(here.mesh, found.tangent, there.tangent)
        return found if ahead > 0.0 else replace(found, tangent=-found.tangent)

    def _inner(self, mesh: Mesh, u: np.ndarray, v: np.ndarray) -> float:
        return float(np.sum(self.problem.weights(mesh) * u * v))

    def _tail(self, state: State) -> np.ndarray:
        return self._tail_of(state.z)

    def _tail_of(self, z: np.ndarray) -> np.ndarray:
        """Return what of the unknowns does not depend on the mesh: logarithm of the period, parameters, angle."""
        return z[len(z) - 3 - self.problem.extra :]

    def _size(self, state: State) -> float:
        """Return the size of an orbit: the mean square of its deviation from the mean."""
        around = swing(state.orbit)
        return float(np.sqrt(np.sum(state.mesh.weights[:, None] * around**2)))

    def _vanishes(self, here: State, there: State) -> bool:
        """Say whether the orbits shrink to a point in a step: they turn up again half a turn later."""
        first, second = swing(here.orbit), swing(there.orbit)
        return float(np.sum(here.mesh.weights[:, None] * first * second)) < 0.0

    def _limit(self, rows: list[Point], measure: Callable[[State], float]) -> tuple[np.ndarray, float]:
        """Return the parameters where a measure that only its square matters of vanishes, and their error.

        Extrapolated by the polynomials in the square through the last rows, and through one row less.
        """
        last = rows[-VANISHING:]
        s = np.array([measure(row.state) ** 2 for row in last])
        p = np.array([self.problem.parameters(row.state.z) for row in last])
        if len(last) < 3:
            return p[-1], float(np.max(np.abs(p[-1] - p[0])))
        results = [_at_zero(s[k:], p[k:]) for k in (0, 1)]
        return results[0], float(np.max(np.abs(results[0] - results[1])))

    # -- meshes --------------------------------------------------------------------------------------------------

    def _fitted(self, point: Point) -> Point:
        """Return a row on a mesh and in units that suit it, the same where they do."""
        state = point.state
        mesh, orbit, scale = state.mesh, state.orbit, state.scale
        count = wanted(orbit, scale)
        extent = np.ptp(orbit.nodes, axis=0)
        wide = np.maximum(extent, self._least * np.max(extent / self._first))
        sized = np.all((wide < RESIZED * scale) & (scale < RESIZED * wide))
        if count is None and sized:
            return point
        new = mesh if count is None else self._corrector.mesh(orbit, Metric(scale, 1.0), count)
        moved = self.moved(state, new, scale if sized else wide)
        return point if moved is None else replace(point, state=moved)

    def moved(self, state: State, mesh: Mesh, scale: np.ndarray) -> State | None:
        """Return a state on another mesh and in other units."""
        problem, size, old = self.problem, state.orbit.nodes.size, state.borders
        orbit = state.orbit.on(mesh)

        def nodes(given: np.ndarray, unit: np.ndarray | float) -> np.ndarray:
            return interpolate(state.mesh, given[:size].reshape(-1, problem.n) * unit, mesh.phases)

        tangent = np.append((nodes(state.tangent, state.scale) / scale).ravel(), state.tangent[size:])
        z = np.append((orbit.nodes / scale).ravel(), state.z[size:])
        normal = np.append(nodes(old.normal, 1.0).ravel(), old.normal[size:])
        row = problem.weights(mesh) * tangent
        return problem.correct(mesh, z, Borders(scale, orbit, normal, old.across, None), row, float(row @ z))

    # -- points of codimension two -------------------------------------------------------------------------------

    def _point(self, state: State) -> Point:
        return Point(state, tests(self.problem, state))

    def _events(self, here: Point, there: Point) -> list[Point]:
        """Return the special points between two rows, in order."""
        found: list[tuple[float, Point]] = []
        for label, before in here.values.items():
            after = there.values.get(label, np.nan)
            if np.isfinite(before) and np.isfinite(after) and before * after < 0.0:
                located = self._located(here, there, label)
                if located is not None:
                    found.append(located)
        return [point for _, point in sorted(found, key=lambda item: item[0])]

    def _located(self, here: Point, there: Point, label: str) -> tuple[float, Point] | None:
        """Return where a test function vanishes between two rows of one mesh (regula falsi, Illinois)."""
        a, fa, b, fb = 0.0, here.values[label], 1.0, there.values[label]
        least = min(abs(fa), abs(fb))
        best: tuple[float, State, float] | None = None
        for _ in range(40):
            part = (a * fb - b * fa) / (fb - fa)
            blend = (1.0 - part) * here.state.tangent + part * there.state.tangent
            state = self._corrected(here.state, here.state.z + part * (there.state.z - here.state.z), blend)
            if state is None:
                middle = replace(there, label=label, bracket=(here.state, there.state))
                return 0.5, middle
            now = value(self.problem, state, label)
            best = part, state, now
            if abs(now) < ZERO * least or now == 0.0:
                break
            if now * fb < 0.0:
                a, fa = b, fb
            else:
                fa *= 0.5
            shift, b, fb = abs(part - b), part, now
            if shift < LOCATED:
                break
        if best is None or not abs(best[2]) <= POLE * max(abs(here.values[label]), abs(there.values[label])):
            return None
        return best[0], replace(self._point(best[1]), label=label)


def _at_zero(s: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the polynomial through values p (k, 2) at s (k,), at s = 0 (Neville)."""
    table = p.copy()
    for width in range(1, len(s)):
        low, high = s[:-width, None], s[width:, None]
        table = (high * table[:-1] - low * table[1:]) / (high - low)
    out: np.ndarray = table[0]
    return out

"""The compiled march along a branch of orbits, from Python."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from bifrncrn.continuation.options import Options
from bifrncrn.curves.orbits import layout as at
from bifrncrn.curves.orbits.branch import Place
from bifrncrn.curves.orbits.corrector import Corrected, Corrector, Metric, multipliers_in
from bifrncrn.curves.orbits.memory import Memory
from bifrncrn.curves.orbits.orbit import Mesh, Orbit

ROWS_OF_STATES = 64
"""So many rows, divided by the number of states, are followed before they are looked at: the time limit is minded then,
and there is room for their records."""


@dataclass(frozen=True, eq=False)
class Units:
    """Units of length on a branch: the least (n,), and the extremes of every state so far, (n,) each."""

    floor: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def beside(self, extremes: np.ndarray) -> Units:
        """Return the units with another orbit on the branch; a tenth of what a state sweeps on it is the least."""
        low, high = np.minimum(self.low, extremes[0]), np.maximum(self.high, extremes[1])
        return Units(np.maximum(self.floor, 0.1 * (high - low)), low, high)


class Step:
    """What the march did: a place reached, the last one on another mesh, or one beyond an end (`layout.KIND`).

    A place that was reached is a row of the branch, and nothing is made of its record before that is asked for.

    Parameters
    ----------
    records : array
    first : int
        Where its record begins.
    n : int
        The number of states.
    unit : float
        Of the parameter.
    mesh : Mesh, optional
        That of the step before.
    offset : (n,) array, optional
        Of the orbits of the branch (`bifrncrn.curves.orbits.orbit.Orbit`).

    Attributes
    ----------
    kind : int
    period, parameter : float
    length : float
        Of the step.
    asks : int
        What is to be asked about it (`layout.ASKS`).
    turned : int
        The interval of the old mesh at which the new one starts.
    mesh : Mesh
    after : int
        Where the next record begins.
    event, residual, bracket, asked
        As of `bifrncrn.curves.orbits.ends.Row`.
    """

    event, residual, asked = "", 0.0, ""
    bracket: tuple[float, float] | None = None

    def __init__(
        self, records: np.ndarray, first: int, n: int, unit: float, mesh: Mesh | None, offset: np.ndarray | None
    ) -> None:
        head = records[first : first + at.HEAD].tolist()
        self.kind, self.period, self.parameter = int(head[at.KIND]), head[at.PERIOD], head[at.VALUE]
        self.length, self.asks, self.turned = head[at.LENGTH], int(head[at.ASKS]), int(head[at.TURNED])
        count = int(head[at.COUNT])
        self._records, self._first, self._n, self._unit, self._offset = records, first, n, unit, offset
        self._edges = first + at.record_size(0, n) - 3
        self._size = count * at.POINTS * n
        self._nodes = self._edges + count + 1
        self.after = self._nodes + 2 * self._size + 2
        if mesh is None or self.kind in (at.REMESHED, at.MOVED):
            mesh = Mesh(records[self._edges : self._nodes])
        self.mesh = mesh

    def _part(self, place: int, length: int) -> np.ndarray:
        return self._records[self._first + at.HEAD + place : self._first + at.HEAD + place + length]

    @property
    def nodes(self) -> np.ndarray:
        """The states (4 N, n)."""
        return self._records[self._nodes : self._nodes + self._size].reshape(-1, self._n)

    @property
    def extremes(self) -> np.ndarray:
        """The least and the greatest value of every state, (2, n)."""
        return self._part(4 * self._n, 2 * self._n).reshape(2, self._n)

    @property
    def units(self) -> Units:
        """The units of length on the branch."""
        n = self._n
        return Units(self._part(n, n), self._part(2 * n, n), self._part(3 * n, n))

    @property
    def rates(self) -> tuple[float, float]:
        """What the logarithm of the period and the parameter change by along the branch."""
        by_period, by_parameter = self._records[self.after - 2 : self.after].tolist()
        return by_period, by_parameter

    @functools.cached_property
    def place(self) -> Place:
        """The place, measured in its own units; on the mesh of the place before."""
        n, head = self._n, self._records[self._first : self._first + at.HEAD].tolist()
        pair, velocity = self._part(6 * n, 2 * n * n), self._part(6 * n + 2 * n * n, n)
        found = self._part(7 * n + 2 * n * n, 2 * n + 1)
        tangent = self._records[self._nodes + self._size : self.after]
        orbit = Orbit(self.mesh, self.nodes, self.period, self.parameter, self._offset)
        corrected = Corrected(
            orbit, tangent, pair.reshape(2, n, n), velocity, *multipliers_in(found), 0, head[at.FIRST],
            head[at.CONTRACTION], head[at.RATE], head[at.NOISE],
        )  # fmt: skip
        return Place(orbit, tangent, corrected, Metric(self._part(0, n), self._unit))


class March:
    """Marches along a branch.

    Parameters
    ----------
    corrector : Corrector
    span : (float, float)
        The range of the parameter.
    home, far : float
        The parameter at which the branch begins, and the size beyond which orbits go to infinity.
    options : Options

    Attributes
    ----------
    failure : int
        Why the last step failed, 0 where it did not.
    tried, rejected : int
        Steps.
    """

    def __init__(
        self, corrector: Corrector, span: tuple[float, float], home: float, far: float, options: Options
    ) -> None:
        self.n = n = corrector.n
        self.failure = self.tried = self.rejected = 0
        self.rows = max(ROWS_OF_STATES // n, 1)
        self._unit = span[1] - span[0]
        self._corrector, self._room = corrector, 0
        self._mesh: Mesh | None = None
        self._offset: np.ndarray | None = None
        self._memory = Memory(
            corrector.system,
            corrector.parameter,
            corrector.lower,
            {
                at.UNITS: 4 * n,
                at.MARCH: at.MARCH_SIZE,
                **dict.fromkeys((at.HERE_MULTIPLIERS, at.BEFORE_MULTIPLIERS), 2 * n + 1),
            },
        )
        self._memory.until = corrector.memory.until
        self._memory[at.SETTINGS][:] = (self._unit, options.angle, options.step, options.least_step, *span, far, home)
        self._numbers = self._memory[at.MARCH]

    def begin(self, extremes: np.ndarray, alone: bool) -> None:
        """Begin a branch with an orbit of these extremes, `alone` if it is at the parameter the branch begins at."""
        self._memory[at.UNITS][3 * self.n :] = extremes[1] - extremes[0]
        numbers = self._numbers
        numbers[at.FINER], numbers[at.SHORTEST], numbers[at.ALONE] = 1.0, np.inf, alone
        numbers[[at.TURNS, at.ROUGH, at.MARK]] = 0.0

    def start(
        self, here: Place, before: Place | None, h: float, units: Units, meshing: int = at.KEPT, loose: int = -1
    ) -> None:
        """Start from a place, with a step of a length; the place before lies on the same mesh.

        A place that was put on its mesh and not corrected is `loose`: that is the interval of the old at which it
        starts.
        """
        count, size = here.orbit.count, here.orbit.nodes.size
        self._make_room(count)
        memory, numbers = self._memory, self._numbers
        memory.layout[at.INTERVALS] = count
        memory[at.EDGES][: count + 1] = here.orbit.mesh.edges
        memory[at.WIDTHS][:count] = here.orbit.mesh.widths
        memory[at.SCALE][:] = here.metric.scale
        memory[at.OFFSET][:] = 0.0 if here.orbit.offset is None else here.orbit.offset
        self._offset = here.orbit.offset
        memory[at.UNITS][: 3 * self.n] = np.concatenate([units.floor, units.low, units.high])
        memory[at.PAIR][:], memory[at.VELOCITY][:] = here.corrected.pair, here.corrected.velocity
        numbers[at.HAS_BEFORE] = before is not None
        places = [(here, at.HERE, at.HERE_TANGENT, at.HERE_PERIOD, at.HERE_PARAMETER, at.HERE_MULTIPLIERS)]
        if before is not None:
            indices = (at.BEFORE, at.BEFORE_TANGENT, at.BEFORE_PERIOD, at.BEFORE_PARAMETER, at.BEFORE_MULTIPLIERS)
            places.append((before, *indices))
        for place, nodes, tangent, period, value, multipliers in places:
            memory[nodes][:size] = place.orbit.nodes.ravel()
            memory[tangent][: size + 2] = place.tangent
            numbers[period], numbers[value] = place.orbit.period, place.orbit.parameter
            values = place.corrected.multipliers
            memory[multipliers][:] = np.concatenate([values.real, values.imag, [place.corrected.sure]])
        numbers[at.NEXT], numbers[at.MESHING], numbers[at.LOOSE] = h, meshing, loose + 1
        self._mesh = here.orbit.mesh

    def shorten(self, h: float) -> None:
        """Take a shorter step from the place where the march stands."""
        self.rejected += 1
        self._numbers[at.NEXT] = h

    def run(self, rows: int) -> tuple[int, list[Step]]:
        """Follow the branch for at most so many rows; return why it pauses (`layout`), and what it did."""
        steps: list[Step] = []
        numbers = self._numbers
        numbers[at.ROWS] = rows
        numbers[[at.TRIED, at.REJECTED, at.NEWTONS]] = 0.0
        while True:
            status = self._memory.call("orbit_march")
            steps += self._read()
            if status != at.NO_ROOM:
                break
            self._make_room(int(numbers[at.WANTED]))
        self.failure = int(numbers[at.FAILURE])
        self.tried += int(numbers[at.TRIED])
        self.rejected += int(numbers[at.REJECTED])
        self._corrector.newtons += int(numbers[at.NEWTONS])
        return status, steps

    def _make_room(self, count: int) -> None:
        if count > self._room:
            self._room = room = max(count, 2 * self._room)
            sizes = at.sizes(room, self.n)
            shared = {index: sizes.pop(index) for index in (at.INNER, at.CHAIN)}  # nothing is kept there
            self._corrector.memory.make_room(shared)
            for index in shared:
                self._memory.put(index, self._corrector.memory[index])
            records = 3 * (self.rows + 1) * at.record_size(room, self.n)
            self._memory.make_room(sizes | at.march_sizes(room, self.n) | {at.RECORDS: records})
            self._numbers[at.MOST_INTERVALS] = room

    def _read(self) -> list[Step]:
        """Return what the kernel has recorded."""
        used = int(self._numbers[at.USED])
        records, first = self._memory[at.RECORDS][:used].copy(), 0
        steps: list[Step] = []
        while first < used:
            step = Step(records, first, self.n, self._unit, self._mesh, self._offset)
            self._mesh, first = step.mesh, step.after
            steps.append(step)
        return steps

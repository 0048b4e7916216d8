"""The compiled march along a branch of orbits, from Python."""

from __future__ import annotations

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


@dataclass(frozen=True, eq=False)
class Step:
    """What the march did: a place reached, the last one on another mesh, or one beyond an end (`layout.KIND`).

    Attributes
    ----------
    kind : int
    place : Place
        Measured in its own units; on the mesh of the place before.
    extremes : (2, n) array
    units : Units
    length : float
        Of the step.
    asks : int
        What is to be asked about it (`layout.ASKS`).
    turned : int
        The interval of the old mesh at which the new one starts.
    """

    kind: int
    place: Place
    extremes: np.ndarray
    units: Units
    length: float
    asks: int
    turned: int


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
        self._memory = Memory(
            corrector.system,
            corrector.parameter,
            corrector.lower,
            {at.UNITS: 4 * n, at.MARCH: at.MARCH_SIZE, at.HERE_MULTIPLIERS: 2 * n + 1},
        )
        self._memory[at.SETTINGS][:] = (self._unit, options.angle, options.step, options.least_step, *span, far, home)
        self._numbers = self._memory[at.MARCH]

    def begin(self, extremes: np.ndarray, alone: bool) -> None:
        """Begin a branch with an orbit of these extremes, `alone` if it is at the parameter the branch begins at."""
        self._memory[at.UNITS][3 * self.n :] = extremes[1] - extremes[0]
        numbers = self._numbers
        numbers[at.FINER], numbers[at.SHORTEST], numbers[at.ALONE] = 1.0, np.inf, alone
        numbers[[at.TURNS, at.ROUGH]] = 0.0

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
        memory[at.UNITS][: 3 * self.n] = np.concatenate([units.floor, units.low, units.high])
        memory[at.PAIR][:], memory[at.VELOCITY][:] = here.corrected.pair, here.corrected.velocity
        numbers[at.HAS_BEFORE] = before is not None
        places = [(here, at.HERE, at.HERE_TANGENT, at.HERE_PERIOD, at.HERE_PARAMETER)]
        if before is not None:
            places.append((before, at.BEFORE, at.BEFORE_TANGENT, at.BEFORE_PERIOD, at.BEFORE_PARAMETER))
        for place, nodes, tangent, period, value in places:
            memory[nodes][:size] = place.orbit.nodes.ravel()
            memory[tangent][: size + 2] = place.tangent
            numbers[period], numbers[value] = place.orbit.period, place.orbit.parameter
        values = here.corrected.multipliers
        memory[at.HERE_MULTIPLIERS][:] = np.concatenate([values.real, values.imag, [here.corrected.sure]])
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
        steps = []
        while first < used:
            step, first = self._step(records, first)
            steps.append(step)
        return steps

    def _step(self, records: np.ndarray, first: int) -> tuple[Step, int]:
        """Return the step that a record tells of, and where the next record begins."""
        n = self.n
        head = records[first : first + at.HEAD].tolist()
        kind, count = int(head[at.KIND]), int(head[at.COUNT])
        size = count * at.POINTS * n
        parts = []
        place = first + at.HEAD
        for length in (n, n, n, n, 2 * n, 2 * n * n, n, 2 * n + 1, count + 1, size, size + 2):
            parts.append(records[place : place + length])
            place += length
        scale, floor, low, high, extremes, pair, velocity, found, edges, nodes, tangent = parts
        if kind in (at.REMESHED, at.MOVED) or self._mesh is None:
            self._mesh = Mesh(edges)
        orbit = Orbit(self._mesh, nodes.reshape(-1, n), head[at.PERIOD], head[at.VALUE])
        corrected = Corrected(
            orbit, tangent, pair.reshape(2, n, n), velocity, *multipliers_in(found), 0, head[at.FIRST],
            head[at.CONTRACTION], head[at.RATE],
        )  # fmt: skip
        step = Step(
            kind, Place(orbit, tangent, corrected, Metric(scale, self._unit)), extremes.reshape(2, n),
            Units(floor, low, high), head[at.LENGTH], int(head[at.ASKS]), int(head[at.TURNED]),
        )  # fmt: skip
        return step, place

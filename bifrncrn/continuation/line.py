"""A branch while it is put together: rows in order along it, and the events at some of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.made import made
from bifrncrn.continuation import layout
from bifrncrn.continuation.march import Trace
from bifrncrn.continuation.rows import Rows


@dataclass(frozen=True, eq=False)
class Event:
    """What was seen at a row of a line.

    Attributes
    ----------
    row : int
    kind : int
        `layout.FOLD`, `BRANCH`, `PAIR`, `REAL`, or `USER_EVENT` + index.
    bracket : (float, float) or None
        Parameter values it lies between, where it could not be refined.
    left : array or None
        The left null vector (N,), or vectors (m, N), at a refined branch point.
    """

    row: int
    kind: int
    bracket: tuple[float, float] | None = None
    left: np.ndarray | None = None

    def at(self, row: int) -> Event:
        """Return the same event at another row."""
        return made(Event, row=row, kind=self.kind, bracket=self.bracket, left=self.left)


@dataclass(frozen=True, eq=False)
class Line(Rows):
    """A piece of a branch.

    Attributes
    ----------
    rows : (k, 2 N + 2 + 2 m) array
        Of every point: itself, its tangent, the real parts of its eigenvalues, and their imaginary parts.
    unstable : (k,) int array
    events : tuple of Event
        By their rows.
    """

    unstable: np.ndarray
    events: tuple[Event, ...]

    @classmethod
    def of(
        cls,
        points: np.ndarray,
        tangents: np.ndarray,
        eigenvalues: np.ndarray,
        unstable: np.ndarray,
        events: tuple[Event, ...],
    ) -> Line:
        """Return the line of these points (k, N + 1), tangents alike, and eigenvalues (k, m)."""
        rows = np.concatenate([points, tangents, eigenvalues.real, eigenvalues.imag], axis=1)
        return cls(rows, points.shape[1], unstable, events)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def spectra(self) -> int:
        """How many eigenvalues a point has."""
        return self.rows.shape[1] // 2 - self.size

    @property
    def eigenvalues(self) -> np.ndarray:
        """Their eigenvalues, (k, m) complex, as a new array."""
        return self._complex(self.rows)

    def spectrum(self, row: int) -> np.ndarray:
        """Return the eigenvalues (m,) of one point, as a new array."""
        return self._complex(self.rows[row])

    def values(self, row: int) -> list[complex]:
        """Return the same as a list, which is quicker to make and to look at."""
        parts = self.rows[row, 2 * self.size :].tolist()
        half = len(parts) // 2
        return [complex(*pair) for pair in zip(parts[:half], parts[half:], strict=True)]

    def _complex(self, rows: np.ndarray) -> np.ndarray:
        first, middle = 2 * self.size, rows.shape[-1] // 2 + self.size
        values = np.empty((*rows.shape[:-1], middle - first), complex)
        values.real, values.imag = rows[..., first:middle], rows[..., middle:]
        return values

    def part(self, rows: slice, events: tuple[Event, ...]) -> Line:
        """Return some rows with the events given."""
        return made(Line, rows=self.rows[rows], unstable=self.unstable[rows], events=events, size=self.size)

    def with_events(self, events: Iterable[Event]) -> Line:
        """Return the same rows with other events."""
        return made(Line, rows=self.rows, unstable=self.unstable, events=tuple(events), size=self.size)

    def reversed(self) -> Line:
        """Return the same branch traversed the other way."""
        last = len(self) - 1
        rows = self.rows[::-1].copy()
        tangents = rows[:, self.size : 2 * self.size]
        np.negative(tangents, out=tangents)
        events = tuple([event.at(last - event.row) for event in reversed(self.events)]) if self.events else ()
        return made(Line, rows=rows, unstable=self.unstable[::-1], events=events, size=self.size)

    def tail(self) -> Line:
        """Return the branch without its first row."""
        return self.part(slice(1, None), tuple([event.at(event.row - 1) for event in self.events if event.row > 0]))

    def head(self, count: int) -> Line:
        """Return the first rows of the branch."""
        return self.part(slice(count), tuple([event for event in self.events if event.row < count]))

    def insert(self, row: int, y: np.ndarray, eigenvalues: np.ndarray, unstable: int, event: Event | None) -> Line:
        """Return the branch with one more row before `row`, which may be an event."""
        moved = [e.at(e.row + 1) if e.row >= row else e for e in self.events]
        near = min(row, len(self) - 1)
        new = np.concatenate([y, self.tangents[near], eigenvalues.real, eigenvalues.imag])
        return made(
            Line,
            rows=np.concatenate([self.rows[:row], new[None], self.rows[row:]]),
            unstable=np.concatenate([self.unstable[:row], [unstable], self.unstable[row:]]),
            events=tuple(sorted([*moved, *([event.at(row)] if event else [])], key=lambda e: e.row)),
            size=self.size,
        )

    def without(self, row: int) -> Line:
        """Return the branch without a row and its events."""
        events = tuple(e.at(e.row - 1) if e.row > row else e for e in self.events if e.row != row)
        return Line(np.delete(self.rows, row, 0), self.size, np.delete(self.unstable, row), events)


def join(lines: list[Line]) -> Line:
    """Return one branch from consecutive pieces."""
    events: list[Event] = []
    offset = 0
    for line in lines:
        events += [event.at(event.row + offset) for event in line.events]
        offset += len(line.rows)
    return made(
        Line,
        rows=np.concatenate([line.rows for line in lines]),
        unstable=np.concatenate([line.unstable for line in lines]),
        events=tuple(events),
        size=lines[0].size,
    )


def from_trace(trace: Trace) -> Line:
    """Return what a march found, a mark that is negative as an event between its row and the one before."""
    marks = trace.marks[:, layout.MARK_EVENT]
    events = []
    for row in marks.nonzero()[0].tolist():
        kind = int(marks[row])
        bracket = None
        if kind < 0:
            low, high = sorted(trace.points[row - 1 : row + 1, -1].tolist())
            bracket = (low, high)
        events.append(made(Event, row=row, kind=abs(kind), bracket=bracket))
    rows = trace.rows[:, : 2 * (trace.size + trace.spectra)]
    unstable = trace.marks[:, layout.MARK_UNSTABLE]
    return made(Line, rows=rows, unstable=unstable, events=tuple(events), size=trace.size)

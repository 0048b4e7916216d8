"""A branch while it is put together: rows in order along it, and the events at some of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.base.made import made
from bifrncrn.continuation import layout
from bifrncrn.continuation.march import Trace


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
        The left null vector, at a refined branch point.
    """

    row: int
    kind: int
    bracket: tuple[float, float] | None = None
    left: np.ndarray | None = None

    def at(self, row: int) -> Event:
        """Return the same event at another row."""
        return made(Event, row=row, kind=self.kind, bracket=self.bracket, left=self.left)


@dataclass(frozen=True, eq=False)
class Line:
    """Rows of a branch: points (k, N + 1), tangents alike, eigenvalues (k, n), unstable (k,), and events."""

    points: np.ndarray
    tangents: np.ndarray
    eigenvalues: np.ndarray
    unstable: np.ndarray
    events: tuple[Event, ...]

    def __len__(self) -> int:
        return len(self.points)

    def reversed(self) -> Line:
        """Return the same branch traversed the other way."""
        last = len(self) - 1
        events = tuple([event.at(last - event.row) for event in reversed(self.events)]) if self.events else ()
        return Line(self.points[::-1], -self.tangents[::-1], self.eigenvalues[::-1], self.unstable[::-1], events)

    def tail(self) -> Line:
        """Return the branch without its first row."""
        events = tuple([event.at(event.row - 1) for event in self.events if event.row > 0]) if self.events else ()
        return Line(self.points[1:], self.tangents[1:], self.eigenvalues[1:], self.unstable[1:], events)

    def head(self, count: int) -> Line:
        """Return the first rows of the branch."""
        events = tuple(event for event in self.events if event.row < count)
        return Line(self.points[:count], self.tangents[:count], self.eigenvalues[:count], self.unstable[:count], events)

    def insert(self, row: int, y: np.ndarray, eigenvalues: np.ndarray, unstable: int, event: Event | None) -> Line:
        """Return the branch with one more row before `row`, which may be an event."""
        moved = tuple(e.at(e.row + 1) if e.row >= row else e for e in self.events)
        near = min(row, len(self) - 1)
        return Line(
            _insert(self.points, row, y),
            _insert(self.tangents, row, self.tangents[near]),
            _insert(self.eigenvalues, row, eigenvalues),
            _insert(self.unstable, row, np.array(unstable)),
            tuple(sorted((*moved, *([event.at(row)] if event else [])), key=lambda e: e.row)),
        )


def _insert(array: np.ndarray, row: int, new: np.ndarray) -> np.ndarray:
    return np.concatenate([array[:row], new[None], array[row:]])


def join(lines: list[Line]) -> Line:
    """Return one branch from consecutive pieces."""
    events: list[Event] = []
    offset = 0
    for line in lines:
        events += [event.at(event.row + offset) for event in line.events]
        offset += len(line.points)
    return made(
        Line,
        points=np.concatenate([line.points for line in lines]),
        tangents=np.concatenate([line.tangents for line in lines]),
        eigenvalues=np.concatenate([line.eigenvalues for line in lines]),
        unstable=np.concatenate([line.unstable for line in lines]),
        events=tuple(events),
    )


def from_trace(trace: Trace) -> Line:
    """Return what a march found, a mark that is negative as an event between its row and the one before."""
    marks = trace.marks[:, layout.MARK_EVENT]
    events = []
    for row in marks.nonzero()[0].tolist():
        kind = int(marks[row])
        bracket = None
        if kind < 0:
            low, high = sorted((float(trace.points[row - 1, -1]), float(trace.points[row, -1])))
            bracket = (low, high)
        events.append(made(Event, row=row, kind=abs(kind), bracket=bracket))
    return made(
        Line,
        points=trace.points,
        tangents=trace.tangents,
        eigenvalues=trace.eigenvalues,
        unstable=trace.marks[:, layout.MARK_UNSTABLE],
        events=tuple(events),
    )

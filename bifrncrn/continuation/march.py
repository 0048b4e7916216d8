"""Following a curve: the Python side of the compiled march."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bifrncrn.base.made import made
from bifrncrn.compile.engine import Kernels
from bifrncrn.continuation import layout as at
from bifrncrn.continuation.curve import Curve
from bifrncrn.continuation.options import Options
from bifrncrn.continuation.rows import Rows

TIME = 100
"""Why a march ends, beside the reasons of the kernels (`bifrncrn.continuation.layout`): the time limit."""
FIRST = 0.2
"""The first step is this part of the largest, where nothing else is asked."""
MARCH = Kernels("march", {"bifrncrn.continuation.march_kernels": {"march": 1}})


@dataclass(frozen=True, eq=False)
class Trace(Rows):
    """What one march found.

    Attributes
    ----------
    rows : (k, 2 N + 2 + 2 m + q) array
        Of every point: itself, its tangent, the real parts of its eigenvalues, their imaginary parts, its user tests.
    marks : (k, 6) int array
        Sign of the determinant, number of unstable eigenvalues, event, Newton iterations, and which states stay zero
        but would grow or shrink (`bifrncrn.continuation.layout`).
    spectra : int
        m.
    reason, wall : int
        Why it ended (`bifrncrn.continuation.layout`), and the index of the wall it ended on.
    newtons, rejected : int
        Newton iterations and rejected steps.
    limit : float
        Where the last unknown goes to as the others go to infinity, if that is why it ended.
    """

    marks: np.ndarray
    spectra: int
    reason: int
    wall: int
    newtons: int
    rejected: int
    limit: float = math.nan

    @property
    def values(self) -> np.ndarray:
        """Their user tests, (k, q)."""
        return self.rows[:, 2 * (self.size + self.spectra) :]


class _Plan(NamedTuple):
    """Where the arrays of a march are in one block: its length, every part, and the bytes before those in `layout`."""

    length: int
    parts: list[tuple[int, int, tuple[int, ...]]]
    offsets: np.ndarray


@functools.lru_cache
def _plan(size: int, spectra: int, tests: int, capacity: int) -> _Plan:
    rows = capacity + tests  # events that coincide take a row each
    width = max(size, spectra, tests, at.INFO_SIZE)
    shapes: tuple[tuple[int, ...], ...] = (
        (at.SETTINGS_SIZE,), (size,), (size,), (size,), (rows, 2 * size + 2 * spectra + tests), (rows, at.MARKS_SIZE),
        (len(at.VECTORS), width),
    )  # fmt: skip
    sizes = [math.prod(shape) for shape in shapes]
    ends = list(itertools.accumulate(sizes))
    parts = [(end - n, end, shape) for n, end, shape in zip(sizes, ends, shapes, strict=True)]
    *heads, first, marks, scratch = (begin for begin, _, _ in parts)
    blocks = itertools.accumulate((size, size, spectra, spectra), initial=first)
    return _Plan(ends[-1], parts, 8 * np.array([*heads, *blocks, marks, *range(scratch, ends[-1], width)]))


ROOM = 4000
"""Points there is room for at first; a longer branch gets more when it needs it."""


KEPT = 800_000
"""Numbers in the rows of a memory that is kept for the next march: one of a large system is made anew."""


class Memory:
    """The arrays of a march of up to `capacity` points, used again by the next one on a curve of the same sizes."""

    def __init__(self, curve: Curve, capacity: int) -> None:
        size, spectra, tests = curve.size, curve.spectra, curve.tests
        plan = _plan(size, spectra, tests, capacity)
        block = np.empty(plan.length)
        self.settings, self.lower, self.upper, self.floor, self.rows, marks, self.scratch = (
            block[first:end].reshape(shape) for first, end, shape in plan.parts
        )
        self.marks = marks.view(np.int64)
        self.start, self.tangent = self.rows[0, :size], self.rows[0, size : 2 * size]
        w = self.layout = np.zeros(at.LAYOUT_SIZE, np.int64)
        self.capacity = capacity
        self.serve(curve)
        w[at.STRIDE] = self.rows.shape[1]
        w[at.SETTINGS : at.INFO + 1] = block.__array_interface__["data"][0] + plan.offsets
        self.address = w.__array_interface__["data"][0]

    def serve(self, curve: Curve) -> None:
        """Become the memory of a curve."""
        self.layout[: at.SETTINGS] = (
            curve.size, curve.spectra, curve.tests, self.capacity, 0,
            curve.newton_step, curve.solve_again, curve.spectrum, curve.user_tests, curve.context,
        )  # fmt: skip

    def take_over(self, other: Memory) -> None:
        """Go on where a march that has filled its memory had to stop."""
        for name in ("settings", "lower", "upper", "floor", "scratch"):
            getattr(self, name)[:] = getattr(other, name)
        count = len(other.rows)
        self.rows[:count], self.marks[:count] = other.rows, other.marks
        self.layout[at.HOME] = other.layout[at.HOME]
        self.layout[at.COUNT : at.STRIDE] = other.layout[at.COUNT : at.STRIDE]
        self.layout[at.REASON] = 0


def march(
    curve: Curve,
    start: np.ndarray,
    tangent: np.ndarray,
    span: tuple[float, float],
    walls: tuple[np.ndarray, np.ndarray],
    floor: np.ndarray,
    options: Options,
    first_step: float | None = None,
    closing: bool = True,
    stops: tuple[int, ...] = (),
) -> Trace:
    """Follow `curve` from `start` in the direction of `tangent` until it ends.

    Parameters
    ----------
    start, tangent : (N + 1,) arrays
        A point near the curve, and a direction (its length does not matter).
    span : (float, float)
        The interval of the last unknown.
    walls : two (N,) arrays
        Lower and upper bounds of the other unknowns; nothing is evaluated beyond them.
    floor : (N + 1,) array
        The least unit of length of every unknown; of the last one, its unit.
    first_step : float, optional
        Length of the first step; by default FIRST times the largest.
    closing : bool
        Whether to stop on returning to the start.
    stops : tuple of int
        The events (`layout.FOLD`, ...) that end the march.
    """
    key, memory = _memory(curve, min(options.max_points, ROOM))
    first = memory
    memory.lower[:-1], memory.upper[:-1] = walls
    memory.floor[:] = floor
    memory.start[:], memory.tangent[:] = start, tangent
    memory.settings[:] = (
        *span, first_step or FIRST * options.step, options.least_step, options.step, options.event_step, options.angle,
        options.tolerance, 0.0, 0.0, 0.0, 0.0, 0.0,
    )  # fmt: skip
    memory.scratch[:] = 0.0
    w = memory.layout
    w[at.HOME] = closing
    w[at.COUNT : at.STRIDE] = 0
    if stops:
        w[at.STOPS] = sum(1 << event for event in stops)
    if curve.accept:
        w[at.ACCEPT] = curve.accept
    w[at.TURNS] = curve.turns
    _run(memory, curve, options)
    while w[at.REASON] == at.FULL and len(memory.marks) < options.max_points and not options.late:
        larger = Memory(curve, min(4 * len(memory.marks), options.max_points))
        larger.take_over(memory)
        memory, w = larger, larger.layout
        _run(memory, curve, options)
    trace = _found(memory, curve, options)
    if first.rows.size <= KEPT:
        curve.memory[key] = first  # what was found is copied: another thread may have it now
    return trace


def _found(memory: Memory, curve: Curve, options: Options) -> Trace:
    """Return what a march left in its memory."""
    count, reason, wall, _, newtons, rejected = memory.layout[at.COUNT : at.REJECTED + 1].tolist()
    return made(
        Trace,
        rows=memory.rows[:count].copy(),
        marks=memory.marks[:count].copy(),
        size=curve.size,
        spectra=curve.spectra,
        reason=TIME if reason == at.FULL and options.late else reason,
        wall=wall,
        newtons=newtons,
        rejected=rejected,
        limit=float(memory.settings[at.LIMIT]) if reason == at.INFINITY else math.nan,
    )


def _memory(curve: Curve, capacity: int) -> tuple[tuple[int, ...], Memory]:
    """Return the arrays for a march of up to `capacity` points, of an earlier one where they fit, and their key.

    They are taken out of the curve's store, so that no other thread has them meanwhile.
    """
    key = curve.size, curve.spectra, curve.tests, capacity
    memory = curve.memory.pop(key, None)
    if memory is None:
        return key, Memory(curve, capacity)
    memory.serve(curve)
    return key, memory


def _run(memory: Memory, curve: Curve, options: Options) -> None:
    """March on until the march ends, its memory is full or the time limit is reached."""
    call = MARCH.engine.call["march"]
    if options.until is None:
        call(memory.address)
    else:
        with _time_limit(memory.layout, options):
            call(memory.address)
    curve.check()


@contextlib.contextmanager
def _time_limit(w: np.ndarray, options: Options) -> Iterator[None]:
    """Let a march that still runs at the time limit end: its memory counts as full from then on."""
    assert options.until is not None
    capacity = int(w[at.CAPACITY])
    timer = None
    if options.late:
        w[at.CAPACITY] = 0
    else:
        timer = threading.Timer(options.until - time.monotonic(), w.__setitem__, (at.CAPACITY, 0))
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
            timer.join()
        w[at.CAPACITY] = capacity

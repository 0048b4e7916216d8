"""Following a curve: the Python side of the compiled march."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bifrncrn.compile.engine import Kernels
from bifrncrn.continuation import layout as at
from bifrncrn.continuation.curve import Curve
from bifrncrn.continuation.options import Options

TIME = 100
"""Why a march ends, beside the reasons of the kernels (`bifrncrn.continuation.layout`): the time limit."""
FIRST = 0.2
"""The first step is this part of the largest, where nothing else is asked."""
MARCH = Kernels("march", {"bifrncrn.continuation.march_kernels": {"march": 1}})


class Trace(NamedTuple):
    """What one march found.

    Attributes
    ----------
    points, tangents : (k, N + 1) arrays
    eigenvalues : (k, m) complex array
    values : (k, q) array of user tests
    marks : (k, 6) int array
        Sign of the determinant, number of unstable eigenvalues, event, Newton iterations, and which states stay zero
        but would grow or shrink (`bifrncrn.continuation.layout`).
    reason, wall : int
        Why it ended (`bifrncrn.continuation.layout`), and the index of the wall it ended on.
    newtons, rejected : int
        Newton iterations and rejected steps.
    limit : float
        Where the last unknown goes to as the others go to infinity, if that is why it ended.
    """

    points: np.ndarray
    tangents: np.ndarray
    eigenvalues: np.ndarray
    values: np.ndarray
    marks: np.ndarray
    reason: int
    wall: int
    newtons: int
    rejected: int
    limit: float = math.nan


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
        (at.SETTINGS_SIZE,), (size,), (size,), (size,), (rows, size), (rows, size), (rows, spectra), (rows, spectra),
        (rows, tests), (rows, at.MARKS_SIZE), (len(at.VECTORS), width),
    )  # fmt: skip
    sizes = [math.prod(shape) for shape in shapes]
    ends = list(itertools.accumulate(sizes))
    parts = [(end - n, end, shape) for n, end, shape in zip(sizes, ends, shapes, strict=True)]
    vectors = range(ends[-2], ends[-1], width)
    return _Plan(ends[-1], parts, 8 * np.array([*(first for first, _, _ in parts[:-1]), *vectors]))


ROOM = 4000
"""Points there is room for at first; a longer branch gets more when it needs it."""


KEPT = 200_000
"""Numbers in the points of a memory that is kept for the next march: one of a large system is made anew."""


class Memory:
    """The arrays of a march of up to `capacity` points, used again by the next one on a curve of the same sizes."""

    def __init__(self, curve: Curve, capacity: int) -> None:
        size, spectra, tests = curve.size, curve.spectra, curve.tests
        plan = _plan(size, spectra, tests, capacity)
        block = np.empty(plan.length)
        (
            self.settings, self.lower, self.upper, self.floor, self.points, self.tangents, self.reals, self.imags,
            self.values, marks, self.scratch,
        ) = (block[first:end].reshape(shape) for first, end, shape in plan.parts)  # fmt: skip
        self.marks = marks.view(np.int64)
        w = self.layout = np.zeros(at.LAYOUT_SIZE, np.int64)
        self.capacity = capacity
        self.serve(curve)
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
        count = len(other.points)
        for name in ("points", "tangents", "reals", "imags", "values", "marks"):
            getattr(self, name)[:count] = getattr(other, name)
        self.layout[at.HOME] = other.layout[at.HOME]
        self.layout[at.COUNT :] = other.layout[at.COUNT :]
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
    memory.points[0], memory.tangents[0] = start, tangent
    memory.settings[:] = (
        *span, first_step or FIRST * options.step, options.least_step, options.step, options.event_step, options.angle,
        options.tolerance, 0.0, 0.0, 0.0, 0.0, 0.0,
    )  # fmt: skip
    memory.scratch[:] = 0.0
    w = memory.layout
    w[at.HOME] = closing
    w[at.COUNT :] = 0
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
    if first.points.size <= KEPT:
        curve.memory[key] = first  # what was found is copied: another thread may have it now
    return trace


def _found(memory: Memory, curve: Curve, options: Options) -> Trace:
    """Return what a march left in its memory."""
    count, reason, wall, _, newtons, rejected = memory.layout[at.COUNT : at.REJECTED + 1].tolist()
    eigenvalues = np.empty((count, curve.spectra), complex)
    eigenvalues.real, eigenvalues.imag = memory.reals[:count], memory.imags[:count]
    return Trace(
        points=memory.points[:count].copy(),
        tangents=memory.tangents[:count].copy(),
        eigenvalues=eigenvalues,
        values=memory.values[:count].copy(),
        marks=memory.marks[:count].copy(),
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

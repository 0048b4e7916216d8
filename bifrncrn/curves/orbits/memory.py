"""The memory that Python shares with the compiled collocation (`bifrncrn.curves.orbits.layout`)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bifrncrn.curves.orbits import layout as at
from bifrncrn.curves.orbits.basis import basis
from bifrncrn.curves.orbits.engine import ORBITS
from bifrncrn.curves.orbits.lapack import dggev
from bifrncrn.models.system import System

LARGE = 30
"""From so many states on a single call may take seconds, and is stopped when time is up."""


class Memory:
    """The context of the kernels for the orbits of a system in one parameter. Not to be shared between threads.

    Parameters
    ----------
    system : System
    parameter : int
        Index of the continuation parameter.
    lower : (n,) array
        Walls of the states, beyond which nothing is evaluated.
    more : dict of int to int, optional
        Arrays that are needed besides those of a correction, and their sizes.

    Attributes
    ----------
    layout : (LAYOUT_SIZE,) array of int64
        Sizes and addresses.
    until : float, optional
        The time, by `time.monotonic`, from which on nothing is eliminated; None for ever.
    """

    def __init__(self, system: System, parameter: int, lower: np.ndarray, more: dict[int, int] | None = None) -> None:
        self.n = n = len(system.variables)
        self.until: float | None = None
        self.layout = np.zeros(at.LAYOUT_SIZE, np.int64)
        self._address = self.layout.ctypes.data
        self._call = ORBITS.engine.call
        self._native = system.native
        self._arrays: dict[int, np.ndarray] = {}
        constants = basis()
        values = np.array(system.values, dtype=float)
        direction = np.zeros_like(values)
        direction[parameter] = 1.0
        for index, array in {
            at.VALUES: values, at.DIRECTION: direction, at.SCALE: np.ones(n), at.LOWER: np.array(lower, dtype=float),
            at.UNKNOWNS: np.zeros(2), at.SETTINGS: np.zeros(at.SETTINGS_SIZE),
            at.VALUES_AT: constants.values, at.SLOPES_AT: constants.slopes, at.MONOMIALS: constants.monomials,
            at.GAUSS_VALUES: constants.values, at.GAUSS_SLOPES: constants.slopes,
            at.RADAU_VALUES: constants.radau_values, at.RADAU_SLOPES: constants.radau_slopes,
            at.NODE_SLOPES: constants.node_slopes, at.PAIR: np.zeros((2, n, n)),
            at.VELOCITY: np.zeros(n), at.OFFSET: np.zeros(n), at.EXTREMES: np.zeros((2, n)),
            at.INFO: np.zeros(at.INFO_SIZE),
            at.MULTIPLIERS: np.zeros(2 * n + 1), at.SPECTRUM: np.zeros(at.spectrum_size(n)),
            at.LAPACK_JOB: np.frombuffer(b"V", np.uint8),
            at.LAPACK_SIZES: np.array([n, n - 1, 8 * n + at.LAPACK_SPARE, 0], np.int32),
        }.items():  # fmt: skip
            self.put(index, array)
        for index, size in (more or {}).items():
            self.put(index, np.zeros(size))
        self[at.SETTINGS][at.UNIT] = 1.0
        self.layout[at.STATES], self.layout[at.PARAMETER] = n, parameter
        self.layout[at.LINEARIZE], self.layout[at.FIELD] = system.native.linearize, system.native.f
        self.layout[at.DGGEV] = dggev() if n > 2 else 0

    def __getitem__(self, index: int) -> np.ndarray:
        return self._arrays[index]

    def put(self, index: int, array: np.ndarray) -> None:
        """Let the kernels use an array."""
        self._arrays[index] = array
        self.layout[index] = array.__array_interface__["data"][0]

    def make_room(self, sizes: dict[int, int]) -> None:
        """Enlarge the arrays that are smaller; what is in them is kept."""
        for index, size in sizes.items():
            held = self._arrays.get(index)
            if held is None or held.size < size:
                larger = np.zeros(size, np.int64 if index == at.PIVOTS else float)
                larger[: 0 if held is None else held.size] = held if held is not None else 0
                self.put(index, larger)

    def call(self, name: str, *more: int) -> int:
        """Call a kernel; raise what a model written in Python raised."""
        if self.until is None or self.n < LARGE:
            done = int(self._call[name](self._address, *more))
        else:
            with _stopping(self.layout, self.until - time.monotonic()):
                done = int(self._call[name](self._address, *more))
        self._native.check()
        return done


@contextmanager
def _stopping(layout: np.ndarray, seconds: float) -> Iterator[None]:
    """Let what runs inside stop after so many seconds: the kernel sees the mark that another thread makes."""

    def stop() -> None:
        layout[at.STOP] = 1

    timer = threading.Timer(max(seconds, 0.0), stop)
    timer.daemon = True
    if seconds > 0.0:
        timer.start()
    else:
        stop()
    try:
        yield
    finally:
        timer.cancel()
        layout[at.STOP] = 0

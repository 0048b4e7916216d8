"""Following a curve: the Python side of the compiled march."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.compile.engine import engine
from bifrncrn.continuation import layout as at
from bifrncrn.continuation.curve import Curve
from bifrncrn.continuation.options import Options


@dataclass(frozen=True, eq=False)
class Trace:
    """What one march found.

    Attributes
    ----------
    points, tangents : (k, N + 1) arrays
    eigenvalues : (k, m) complex array
    values : (k, q) array of user tests
    marks : (k, 4) int array
        Sign of the determinant, number of unstable eigenvalues, event, Newton iterations.
    reason, wall : int
        Why it ended (`bifrncrn.continuation.layout`), and the index of the wall it ended on.
    newtons, rejected : int
        Newton iterations and rejected steps.
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
        Length of the first step; by default a fifth of the largest.
    closing : bool
        Whether to stop on returning to the start.
    stops : tuple of int
        The events (`layout.FOLD`, ...) that end the march.
    """
    size, spectra, tests, capacity = curve.size, curve.spectra, curve.tests, options.max_points
    lower, upper = np.append(walls[0], 0.0), np.append(walls[1], 0.0)
    points, tangents = np.empty((capacity, size)), np.empty((capacity, size))
    reals, imags = np.empty((capacity, spectra)), np.empty((capacity, spectra))
    values, marks = np.empty((capacity, tests)), np.empty((capacity, at.MARKS_SIZE), np.int64)
    points[0], tangents[0] = start, tangent
    settings = np.zeros(at.SETTINGS_SIZE)
    settings[at.LOW], settings[at.HIGH] = span
    settings[at.FIRST_STEP] = first_step or 0.2 * options.step
    settings[at.LEAST_STEP], settings[at.LARGEST_STEP] = options.least_step, options.step
    settings[at.EVENT_STEP], settings[at.ANGLE] = options.event_step, options.angle
    settings[at.TOLERANCE] = options.tolerance
    stride = max(size, spectra, tests, 4)
    scratch = np.zeros((len(at.VECTORS), stride))
    w = np.zeros(at.LAYOUT_SIZE, np.int64)
    w[: at.SETTINGS] = (
        size, spectra, tests, capacity, closing,
        curve.newton_step, curve.solve_again, curve.spectrum, curve.user_tests, curve.context,
    )  # fmt: skip
    for index, array in (
        (at.SETTINGS, settings), (at.LOWER, lower), (at.UPPER, upper), (at.FLOOR, floor), (at.POINTS, points),
        (at.TANGENTS, tangents), (at.REALS, reals), (at.IMAGS, imags), (at.VALUES, values), (at.MARKS, marks),
    ):  # fmt: skip
        w[index] = array.ctypes.data
    w[at.TRIAL : at.INFO + 1] = scratch.ctypes.data + 8 * stride * np.arange(len(at.VECTORS))
    w[at.STOPS] = sum(1 << event for event in stops)
    engine().march(w.ctypes.data)
    curve.check()
    count = int(w[at.COUNT])
    return Trace(
        points=points[:count].copy(),
        tangents=tangents[:count].copy(),
        eigenvalues=reals[:count] + 1j * imags[:count],
        values=values[:count].copy(),
        marks=marks[:count].copy(),
        reason=int(w[at.REASON]),
        wall=int(w[at.WALL]),
        newtons=int(w[at.NEWTONS]),
        rejected=int(w[at.REJECTED]),
    )

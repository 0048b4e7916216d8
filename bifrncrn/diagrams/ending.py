"""Why a branch of equilibria ends, in words."""

from __future__ import annotations

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.ends import said
from bifrncrn.continuation.line import Line
from bifrncrn.continuation.march import Trace
from bifrncrn.continuation.options import Options
from bifrncrn.diagrams.results import End
from bifrncrn.diagrams.track import SAME, Track

RESOLVED = 1e-10
"""A limit of the parameter nearer to zero than this, in units of its range, is zero."""


def end_of(track: Track, parameter: str, options: Options, trace: Trace, line: Line, far: float) -> End:
    """Say why a march ended."""
    at_branch_point = trace.reason == layout.SHORT and len(line) > 1 and line.points[-1, -1] in track.span
    if trace.reason == layout.RANGE or at_branch_point:
        return reached(parameter, float(line.points[-1, -1]))
    if trace.reason == layout.BOUND:
        variable, value = track.problem.system.variables[trace.wall], trace.points[-1, trace.wall]
        level = min(track.region.lower[trace.wall], track.region.upper[trace.wall], key=lambda wall: abs(wall - value))
        if abs(abs(value) - far) <= SAME * far and abs(level - value) > SAME * far:
            where = f"{parameter} near {trace.points[-1, -1]:.6g}"
            return End("infinity", f"{variable} reached {value:.3g}: the branch seems to go to infinity at {where}")
        return End("bound", f"{variable} reached its bound {level:g}")
    if trace.reason == layout.INFINITY:
        return to_infinity(track, parameter, trace.points[-1], trace.limit)
    if trace.reason != layout.SHORT:
        return End(*said(trace, parameter, options))
    return End("step", "the step became too small: the Jacobian is singular or the branch is not smooth here")


def reached(parameter: str, value: float) -> End:
    """Say that the parameter has come to an end of its range."""
    return End("range", f"{parameter} reached {value:.12g}")


def to_infinity(track: Track, parameter: str, y: np.ndarray, limit: float) -> End:
    """Say that a branch goes to infinity, at which value of the parameter."""
    largest = track.problem.system.variables[int(np.argmax(np.abs(y[:-1])))]
    limit = 0.0 if abs(limit) < RESOLVED * track.width else limit
    return End("infinity", f"{largest} grows without bound as {parameter} goes to {limit:.9g}")

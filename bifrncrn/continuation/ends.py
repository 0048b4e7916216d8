"""Why a march ends, in words: what is the same for every kind of curve."""

from __future__ import annotations

import math

from bifrncrn.continuation import layout
from bifrncrn.continuation.march import TIME, Trace
from bifrncrn.continuation.options import Options


def said(trace: Trace, parameter: str, options: Options) -> tuple[str, str]:
    """Return the reason and a sentence. Bounds, and what lies behind a step too small, each kind knows better."""
    value = trace.points[-1, -1] if len(trace.points) else math.nan
    return {
        layout.RANGE: ("range", f"{parameter} reached {value:.12g}"),
        layout.BOUND: ("bound", f"an unknown reached its bound at {parameter}={value:.9g}"),
        layout.INFINITY: ("infinity", f"the curve goes to infinity as {parameter} goes to {trace.limit:.9g}"),
        layout.STOPPED: ("stop", "a special point was reached at which it was to stop"),
        layout.CLOSED: ("closed", "the branch returned to its start"),
        layout.FULL: ("points", f"the limit of {options.max_points} points was reached; raise max_points to go on"),
        TIME: ("time", options.said),
        layout.NOT_FINITE: ("nan", "the model is not finite beyond this point; narrow the range or mend the equations"),
    }.get(trace.reason, ("step", "the step became too small: the curve is not smooth here"))

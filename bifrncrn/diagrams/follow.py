"""The verb `follow`: a curve of any kind, with its special points, as a diagram."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.continuation.ends import said
from bifrncrn.continuation.kind import CurveKind
from bifrncrn.continuation.line import Event, Line, from_trace, join
from bifrncrn.continuation.march import march
from bifrncrn.continuation.options import Options, begun
from bifrncrn.diagrams.results import Branch, Diagram, End, SpecialPoint
from bifrncrn.diagrams.setup import bounds_of

UNIT = 0.1
"""The unit of length of an unknown, in terms of its size at the start."""


def follow(
    kind: CurveKind,
    start: Mapping[str, float],
    bounds: tuple[float, float],
    *,
    walls: Mapping[str, tuple[float, float]] | None = None,
    options: Options | None = None,
) -> Diagram:
    """Follow a curve of any kind from a point near it, both ways.

    Parameters
    ----------
    kind : CurveKind
        What is followed.
    start : mapping of str to float
        A value for every unknown and the parameter; it need not be exact.
    bounds : (float, float)
        The interval of the parameter, the last unknown.
    walls : mapping of str to (float, float), optional
        Bounds of unknowns beyond which nothing is evaluated.

    Returns
    -------
    Diagram
        One branch of the kind's name, and its special points.

    Raises
    ------
    InputError
        If a value is missing, or the bounds are not what they should be.
    ConvergenceError
        If there is no point of the curve near the start.
    """
    require_kind(kind, CurveKind, "a kind of curve")
    options = begun(options)
    *names, parameter = kind.unknowns
    span = bounds_of(parameter, bounds)
    y = _start(kind, start)
    unit = np.append(UNIT * np.maximum(np.abs(y[:-1]), UNIT * (np.max(np.abs(y[:-1])) or 1.0)), span[1] - span[0])
    failure = f"no point of the curve was found near the start {_text(kind.unknowns, y)}"
    at = kind.corrected(y, unit)
    if at is None or not span[0] <= at[-1] <= span[1]:
        raise ConvergenceError(failure)
    tangent = unit * np.linalg.svd(kind.equations(at)[1] * unit)[2][-1]
    sides = np.array([(walls or {}).get(name, (-np.inf, np.inf)) for name in names]).reshape(-1, 2)
    traces = [
        march(kind.curve, at, sign * tangent, span, (sides[:, 0], sides[:, 1]), unit, options) for sign in (-1, 1)
    ]
    if not all(len(trace.points) for trace in traces):
        raise ConvergenceError(failure)
    back, onward = (from_trace(trace) for trace in traces)
    first, last = (End(*said(trace, parameter, options)) for trace in traces)
    if last.reason == "closed":
        line, first = onward, last
    else:
        line = join([back.reversed(), onward.tail()])
    return _diagram(kind, line, (first, last), span)


def _start(kind: CurveKind, start: Mapping[str, float]) -> np.ndarray:
    missing = [name for name in kind.unknowns if name not in start]
    if missing:
        raise InputError(f"the start has no value of {', '.join(missing)}; give one for each of the unknowns")
    y = np.array([start[name] for name in kind.unknowns], float)
    if not np.all(np.isfinite(y)):
        raise InputError(f"the start must be finite numbers, not {_text(kind.unknowns, y)}")
    return y


def _text(names: tuple[str, ...], y: np.ndarray) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in zip(names, y, strict=True))


def _diagram(kind: CurveKind, line: Line, ends: tuple[End, End], span: tuple[float, float]) -> Diagram:
    *names, parameter = kind.unknowns
    branch = Branch(
        id=0,
        kind=kind.kind,
        columns=(parameter, *names),
        points=frozen(np.column_stack([line.points[:, -1], line.points[:, :-1]])),
        unstable=frozen([kind.unstable(y) for y in line.points], int),
        eigenvalues=frozen(np.empty((len(line), 0)), complex),
        origin=None,
        ended=ends,
    )
    points = [_special(kind, line.points[event.row], event) for event in line.events if kind.curve.label(event.kind)]
    return Diagram(kind.kind, parameter, span, (branch,), tuple(points))


def _special(kind: CurveKind, y: np.ndarray, event: Event) -> SpecialPoint:
    value, matrix = kind.equations(y)
    size = np.abs(matrix) @ np.abs(y)
    *names, parameter = kind.unknowns
    return SpecialPoint(
        label=kind.curve.label(event.kind),
        branch=0,
        index=event.row,
        parameters={parameter: float(y[-1])},
        state=dict(zip(names, y.tolist(), strict=False)),
        status="converged" if event.bracket is None else "bracketed",
        residual=float(np.max(np.abs(value) / np.where(size > 0.0, size, 1.0), initial=0.0)),
        bracket=event.bracket,
    )

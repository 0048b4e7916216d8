"""The speed of each engine on a model, side by side in one process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrncrn.errors import ConvergenceError, InputError
from bifrncrn.texttable import format_number, format_table

if TYPE_CHECKING:
    from bifrncrn.results import Diagram
    from bifrncrn.systems.system import System

ENGINES = ("native", "pycont")
AGREEMENT = 1e-3  # of the range: special points of two engines further apart than this are not the same


@dataclass(frozen=True, eq=False)
class Timing:
    """What one engine did.

    Attributes
    ----------
    engine : str
        Its name.
    cold, warm : float
        Seconds for the first run in this process, and for the fastest later one.
    points : int
        Points on all branches.
    special_points, missed : int
        Special points found, and found by another engine only.
    worst_error : float or None
        Largest difference in the parameter to the same special point of another engine.
    error : str or None
        Why the engine did not run; the other fields are then zero or None.
    """

    engine: str
    cold: float = 0.0
    warm: float = 0.0
    points: int = 0
    special_points: int = 0
    missed: int = 0
    worst_error: float | None = None
    error: str | None = None

    @property
    def per_point(self) -> float | None:
        """Seconds per point of the fastest later run."""
        return self.warm / self.points if self.points else None

    def to_json(self) -> dict[str, Any]:
        """Return the measurements as plain JSON; times in seconds."""
        return {**self.__dict__, "per_point": self.per_point}


@dataclass(frozen=True, eq=False)
class Bench:
    """The measurements of all engines on one model."""

    model: str
    timings: tuple[Timing, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the measurements as plain JSON."""
        return {"schema": "bifrncrn.bench/1", "model": self.model, "engines": [t.to_json() for t in self.timings]}

    def __str__(self) -> str:
        header = [
            "engine",
            "cold ms",
            "warm ms",
            "points",
            "us per point",
            "special points",
            "missed",
            "worst difference",
        ]
        rows = [_row(timing) for timing in self.timings if timing.error is None]
        lines = [self.model, "", format_table(header, rows)]
        lines += [f"{timing.engine}: did not run: {timing.error}" for timing in self.timings if timing.error]
        lines.append("cold: first run in this process, with what is in the disk cache; warm: the fastest later run")
        lines.append(
            "missed: special points that another engine found; worst difference: in the parameter, to that engine"
        )
        return "\n".join(lines)


def bench(
    system: System,
    parameter: str | None,
    bounds: tuple[float, float],
    start: Mapping[str, float] | None = None,
    box: Mapping[str, tuple[float, float]] | None = None,
    engines: Sequence[str] = ENGINES,
    repeat: int = 5,
) -> Bench:
    """Trace one diagram by each engine and time it.

    Parameters
    ----------
    system : System
        The model.
    parameter, bounds, start, box
        As for `bifrncrn.diagram`.
    engines : sequence of str
        Their names.
    repeat : int
        Later runs of each engine, of which the fastest counts.

    Returns
    -------
    Bench
    """
    results: dict[str, Diagram] = {}
    times: dict[str, tuple[float, float]] = {}
    errors: dict[str, str] = {}
    for engine in engines:
        try:
            results[engine], times[engine] = _timed(system, parameter, bounds, start, box, engine, repeat)
        except (InputError, ConvergenceError) as error:
            errors[engine] = str(error)
    if not results:
        raise InputError(f"no engine traced the model: {'; '.join(dict.fromkeys(errors.values()))}")
    timings = [
        Timing(engine, error=errors[engine]) if engine in errors else _timing(engine, results, times[engine])
        for engine in engines
    ]
    return Bench(next(iter(results.values())).model, tuple(timings))


def _timed(
    system: System,
    parameter: str | None,
    bounds: tuple[float, float],
    start: Mapping[str, float] | None,
    box: Mapping[str, tuple[float, float]] | None,
    engine: str,
    repeat: int,
) -> tuple[Diagram, tuple[float, float]]:
    """Return the diagram and the seconds of the first and of the fastest later run."""
    from bifrncrn.diagrams import diagram

    seconds = []
    for _ in range(1 + repeat):
        began = time.perf_counter()
        result = diagram(system, parameter=parameter, bounds=bounds, start=start, box=box, engine=engine)
        seconds.append(time.perf_counter() - began)
    return result, (seconds[0], min(seconds[1:]))


def _timing(engine: str, results: Mapping[str, Diagram], seconds: tuple[float, float]) -> Timing:
    from bifrncrn.comparing import compare_diagrams

    own = results[engine]
    tolerance = AGREEMENT * (own.range[1] - own.range[0])
    others = [compare_diagrams(other, own, tolerance) for name, other in results.items() if name != engine]
    errors = [match.parameter_error for other in others for match in other.matched if match.ok]
    missed = [len(other.missing) + sum(not match.ok for match in other.matched) for other in others]
    return Timing(
        engine=engine,
        cold=seconds[0],
        warm=seconds[1],
        points=sum(len(branch.points) for branch in own.branches),
        special_points=sum(point.label != "EP" for point in own.special_points),
        missed=max(missed, default=0),
        worst_error=max(errors, default=None),
    )


def _row(timing: Timing) -> list[str]:
    per_point = None if timing.per_point is None else 1e6 * timing.per_point
    return [
        timing.engine,
        format_number(1e3 * timing.cold, 4),
        format_number(1e3 * timing.warm, 4),
        str(timing.points),
        format_number(per_point, 3),
        str(timing.special_points),
        str(timing.missed),
        format_number(timing.worst_error, 2),
    ]

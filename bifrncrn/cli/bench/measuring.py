"""Every engine in a fresh process of its own, one after the other, on the same problem."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrncrn.base.errors import InputError
from bifrncrn.base.processes import start
from bifrncrn.base.tables import Reported, folded, format_number, format_table
from bifrncrn.cli.bench.engines import ENGINES, Outcome, installed
from bifrncrn.cli.bench.judging import Known, judge, reference

if TYPE_CHECKING:
    from bifrncrn.models.system import System

LIMIT = 300.0
"""Seconds an engine has."""
HEADER = ("engine", "cold s", "warm ms", "fastest", "points", "us per point", "found", "missed", "false", "worst error")


@dataclass(frozen=True, eq=False)
class Timing:
    """What one engine did.

    Attributes
    ----------
    engine : str
        Its name.
    cold : float
        Seconds from the start of a fresh process to the first result.
    warm, least : float
        Seconds of a later call in that process: the median, and the fastest.
    points : int
        Points on all branches.
    special_points : int
        Special points it reported.
    found, missed, false : int
        Known special points among them and not among them, and reported ones that are none.
    worst_error : float or None
        The largest error of the parameter at the special points found, relative to the range.
    error : str or None
        Why the engine did not run; the other fields are then zero or None.
    """

    engine: str
    cold: float = 0.0
    warm: float = 0.0
    least: float = 0.0
    points: int = 0
    special_points: int = 0
    found: int = 0
    missed: int = 0
    false: int = 0
    worst_error: float | None = None
    error: str | None = None

    @property
    def per_point(self) -> float | None:
        """Seconds per point of a later call."""
        return self.warm / self.points if self.points else None

    def to_json(self) -> dict[str, Any]:
        """Return the measurements as plain JSON; times in seconds."""
        return {**self.__dict__, "per_point": self.per_point}


@dataclass(frozen=True, eq=False, repr=False)
class Bench(Reported):
    """The measurements of all engines on one model.

    Attributes
    ----------
    model : str
    timings : tuple of Timing
    known : tuple of Known
        What the engines are judged by.
    published : bool
        Whether `known` was given; otherwise it is what all engines together found, each point verified.
    """

    model: str
    timings: tuple[Timing, ...]
    known: tuple[Known, ...] = ()
    published: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the measurements as plain JSON."""
        return {
            "schema": "bifrncrn.bench/1",
            "model": self.model,
            "known": [{"label": k.label, "parameter": k.parameter, "state": list(k.state)} for k in self.known],
            "published": self.published,
            "engines": [timing.to_json() for timing in self.timings],
        }

    def __str__(self) -> str:
        rows = [_row(timing) for timing in self.timings if timing.error is None]
        lines = [self.model, "", format_table(HEADER, rows)]
        lines += [f"{timing.engine}: did not run: {timing.error}" for timing in self.timings if timing.error]
        lines += ["", *self._ratios()]
        lines.append(
            "cold: a fresh process to its first result, disk caches as they are; warm: a later call (median, fastest)"
        )
        if any(timing.engine == "auto" and timing.error is None for timing in self.timings):
            lines.append("auto: cold includes compiling the model; warm is AUTO's own clock, without starting it")
        judged = "known in closed form" if self.published else "any engine found and whose eigenvalues are right"
        lines.append(f"found, missed, false: against the {len(self.known)} special points {judged}")
        lines.append("worst error: of the parameter at the points found, relative to the range")
        return folded("\n".join(lines))

    def _ratios(self) -> list[str]:
        """Say how many times as long each other engine takes than the native one, fastest against fastest."""
        times = {timing.engine: timing.least for timing in self.timings if timing.error is None}
        own = times.pop("native", 0.0)
        return (
            [f"native is {value / own:.3g} times as fast as {name} (fastest calls)" for name, value in times.items()]
            if own
            else []
        )


def bench(
    system: System,
    parameter: str | None,
    bounds: tuple[float, float],
    start: Mapping[str, float] | None = None,
    engines: Sequence[str] | None = None,
    repeat: int = 5,
    known: Sequence[Known] | None = None,
) -> Bench:
    """Trace one diagram by each engine and time it.

    Each runs in a fresh process of its own: the time to the first result is its cold time, later calls in the same
    process are warm.

    Parameters
    ----------
    system : System
        The model, by its equations.
    parameter, bounds, start
        As for `bifrncrn.diagram`.
    engines : sequence of str, optional
        Their names; by default those installed among native, pycont, xpplab, jaxcont and auto (AUTO-07p).
    repeat : int
        Warm calls; fewer when they take longer than 20 s together, more when they take less than half a second.
    known : sequence of Known, optional
        The special points there are; by default what all engines together found, each point verified.

    Returns
    -------
    Bench

    Raises
    ------
    InputError
        If a name is unknown or no engine runs.
    """
    from bifrncrn.curves.equilibria.problem import EquilibriumProblem
    from bifrncrn.diagrams.setup import bounds_of, start_point
    from bifrncrn.models.toml import dumps

    engines = installed() if engines is None else engines
    unknown = [name for name in engines if name not in ENGINES]
    if unknown:
        raise InputError(f"there is no engine {unknown[0]!r}; the engines are {', '.join(ENGINES)}")
    parameter = system.varying(parameter)
    bounds = bounds_of(parameter, bounds)
    y = start_point(system, parameter, bounds, start or {})
    begun = system.with_(state=y[:-1])
    job = {
        "model": dumps(begun),
        "parameter": parameter,
        "bounds": list(bounds),
        "first": float(y[-1]),
        "repeat": repeat,
    }
    answers = {name: _run({**job, "engine": name}) for name in engines}
    ran = {name: Outcome(**answer["outcome"]) for name, answer in answers.items() if "outcome" in answer}
    if not ran:
        raise InputError(
            f"no engine traced the model: {'; '.join(dict.fromkeys(a['error'] for a in answers.values()))}"
        )
    width = bounds[1] - bounds[0]
    published = known is not None
    if known is None:
        known = reference(EquilibriumProblem(system, system.parameter_index(parameter)), ran.values(), width)
    timings = [
        _timing(name, answer, ran[name], known, width) if name in ran else Timing(name, error=answer["error"])
        for name, answer in answers.items()
    ]
    return Bench(system.title, tuple(timings), tuple(known), published)


def _run(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run one engine in a fresh process; return its outcome and times, or the error."""
    request = json.dumps({**job, "began": time.time()})
    pipe = subprocess.PIPE
    with start("bifrncrn.cli.bench.worker", stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            out, err = process.communicate(request, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return {"error": f"it took longer than {LIMIT:g} s"}
        finally:
            process.kill()
    answer: dict[str, Any] = json.loads(out or "{}")
    return answer or {"error": (err.strip().splitlines() or [f"it ended with code {process.returncode}"])[-1]}


def _timing(name: str, answer: Mapping[str, Any], outcome: Outcome, known: Sequence[Known], width: float) -> Timing:
    verdict = judge(outcome, known, width)
    return Timing(
        engine=name,
        cold=answer["cold"],
        warm=statistics.median(answer["warm"]),
        least=min(answer["warm"]),
        points=outcome.points,
        special_points=len(outcome.special),
        found=verdict.found,
        missed=verdict.missed,
        false=verdict.false,
        worst_error=verdict.worst_error,
    )


def _row(timing: Timing) -> list[str]:
    per_point = None if timing.per_point is None else 1e6 * timing.per_point
    return [
        timing.engine,
        format_number(timing.cold, 3),
        format_number(1e3 * timing.warm, 4),
        format_number(1e3 * timing.least, 4),
        str(timing.points),
        format_number(per_point, 3),
        str(timing.found),
        str(timing.missed),
        str(timing.false),
        format_number(timing.worst_error, 2),
    ]

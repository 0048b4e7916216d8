"""Periodically forced systems, whose right-hand sides depend on time: as systems that do not.

To simulate one, time becomes a variable that grows at the rate 1. To analyse one, it becomes the angle of an oscillator

    u' = w (u (1 - u^2 - v^2) - v),  v' = w (v (1 - u^2 - v^2) + u),  w = 2 pi / period,

whose circle attracts: t = period / (2 pi) atan2(v, u). The periodic orbits of both together are those of the forced
system, and its multipliers are theirs but for two: 1, of a shift in phase, and exp(-4 pi), of the oscillator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.equations import ModelError
from bifrncrn.models.observables import observables
from bifrncrn.models.system import System
from bifrncrn.models.words import names_used, shorten, suggest, tokenize

TIME = "t"
CONTRACTION = math.exp(-4.0 * math.pi)
"""The multiplier of a deviation from the circle of the oscillator."""
SAMPLES = 12
CHECKED = 5
"""Values of the parameter at which it is checked that the equations have the period."""
SAME, ROUNDED = 1e-9, 100.0
"""The equations are periodic where a period later they differ by less than this part of their size, or this many times
what rounding makes of their terms."""


def timed(system: System) -> System:
    """Return a forced system with time as its last variable, `t`, whose rate is 1."""
    return _derived(system, "timed").with_(state=np.append(system.state, 0.0), values=system.values)


def autonomous(system: System, phase: float = 0.0) -> System:
    """Return a forced system with an oscillator for its time; it stands at a phase, a part of the period."""
    angle = 2.0 * np.pi * phase
    state = np.concatenate([system.state, [np.cos(angle), np.sin(angle)]])
    return _derived(system, "autonomous").with_(state=state, values=system.values)


def period_of(system: System, values: np.ndarray | None = None) -> float:
    """Return the period at parameter values (m,), by default the system's own.

    Raises
    ------
    InputError
        If it is no positive number.
    """
    whole = timed(system)
    at = whole.values if values is None else values
    try:
        used = names_used(tokenize(system.period))
        unknown = [name for name in used if name not in system.parameters and name != "pi"]
        if unknown:
            rule = f"it is made of numbers, pi and parameters{suggest(unknown[0], system.parameters)}"
            raise InputError(f"it holds '{shorten(unknown[0])}', but {rule}")
        period = float(observables(whole, {"period": system.period})(whole.state, at)[0])
    except InputError as error:
        raise ModelError(f"the option period cannot be read: {error}", "options", "period") from None
    if not (math.isfinite(period) and period > 0.0):
        raise ModelError(
            f"the period {system.period} comes to {period:g}, but must be a positive number; "
            "mend it or the parameters it uses",
            "options",
            "period",
        )
    return period


def check_periodic(system: System, values: np.ndarray | None = None) -> None:
    """Raise InputError unless the right-hand sides are the same a period later, at parameter values (m,)."""
    whole = timed(system)
    at = whole.values if values is None else np.array(values, dtype=float)
    period = period_of(system, at)
    rng = np.random.default_rng(0)
    size = np.abs(system.state) + 0.1 * (np.abs(system.state).max() or 1.0)
    for _ in range(SAMPLES):
        x = np.maximum(system.state + size * rng.uniform(-1.0, 1.0, size.size), system.lower)
        now = rng.uniform(0.0, period)
        first, later = (whole.rhs(np.append(x, now + turns * period), at)[:-1] for turns in (0, 1))
        rounding = whole.rounding(np.append(x, now + period), at)[:-1]
        apart = np.abs(later - first) > SAME * (np.abs(first) + np.abs(later)) + ROUNDED * rounding
        apart &= np.isfinite(first) & np.isfinite(later)
        if np.any(apart):
            k = int(np.argmax(apart))
            raise ModelError(
                f"the equation of {system.variables[k]} does not have the period {system.period} = {period:.9g}: "
                f"at one state it is {first[k]:.6g} at t = {now:.4g} and {later[k]:.6g} a period later; "
                "give the period that all of the equations have",
                "options",
                "period",
            )


def check_periodic_over(system: System, name: str, span: tuple[float, float]) -> None:
    """Raise InputError unless the equations have the period all over the range of a parameter."""
    column = system.parameter_index(name)
    for value in np.linspace(*span, CHECKED):
        values = np.array(system.values)
        values[column] = value
        check_periodic(system, values)


def phase_of(states: np.ndarray) -> np.ndarray:
    """Return the phase, from 0 to less than 1, of states (k, n + 2) of the autonomous system."""
    phase: np.ndarray = np.arctan2(states[:, -1], states[:, -2]) / (2.0 * np.pi) % 1.0
    return phase


def shown(multipliers: np.ndarray) -> np.ndarray:
    """Return the multipliers (n,) of a forced system, by size, from those (n + 2,) of the autonomous one."""
    others = multipliers[1:]  # the first is that of a shift in phase
    clock = int(np.argmin(np.abs(others - CONTRACTION)))
    return np.delete(others, clock)


def _derived(system: System, kind: str) -> System:
    """Return one of the systems without time, made once for all copies of a forced one."""
    key = f"{kind} {system.nonnegative} {system.title}"
    if key not in system.remembered:
        system.remembered[key] = _timed(system) if kind == "timed" else _autonomous(system)
    made: System = system.remembered[key]
    return made


def _timed(system: System) -> System:
    return _made(system, {**system.equations, TIME: "1"}, system.definitions, (TIME,))


def _autonomous(system: System) -> System:
    u, v = _fresh(("clock_u", "clock_v"), {*system.variables, *system.parameters, *system.definitions, TIME})
    rate = f"2*pi/({system.period})"
    room = f"(1 - {u}^2 - {v}^2)"
    equations = {**system.equations, u: f"{rate}*({u}*{room} - {v})", v: f"{rate}*({v}*{room} + {u})"}
    definitions = {TIME: f"({system.period})/(2*pi)*atan2({v}, {u})", **system.definitions}
    return _made(system, equations, definitions, (u, v))


def _made(system: System, equations: dict[str, str], definitions: dict[str, str], clock: Sequence[str]) -> System:
    made = System.trusted(
        equations,
        dict(zip(system.parameters, system.values.tolist(), strict=True)),
        dict.fromkeys(equations, 0.0),
        definitions,
        [name for name, low in zip(system.variables, system.lower.tolist(), strict=True) if low == 0.0],
        system.title,
        None,
        system.periodic,
    )
    _ = made.native.graph
    return replace(made, clock=tuple(clock), notes=system.notes)


def _fresh(names: Sequence[str], taken: set[str]) -> list[str]:
    """Return names like these that nothing else has."""
    ending = ""
    while any(name + ending in taken for name in names):
        ending += "_"
    return [name + ending for name in names]


def check_forced(system: System, events: Sequence[object]) -> None:
    """Raise InputError unless a forced system is what it must be: readable, of a positive period, and periodic."""
    if events:
        raise ModelError("a model has events or the option period, not both; leave one out", "options", "period")
    for table in ("variables", "parameters", "definitions"):
        if TIME in getattr(system, table):
            raise ModelError(f"'{TIME}' is in {table}, but with the option period it is time; rename it", table, TIME)
    check_periodic(system)


def refuse(system: System) -> InputError:
    """Return the error of asking a forced system for what only systems without time have."""
    return InputError(
        f"{system.title or 'the model'} is periodically forced (period {system.period}), which this does not analyse; "
        "diagram, orbits, locus, find_cycle, compare, simulate and attractors do"
    )

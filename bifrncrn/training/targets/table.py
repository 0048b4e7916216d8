"""The `[training]` table of a model file that trains on the file's own model, read into a Target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bifrncrn.base.errors import InputError
from bifrncrn.models.system import System
from bifrncrn.training.targets.target import FieldPart, Target

KEYS = ("box", "parameter", "parameters", "values", "samples", "loss", "perceptrons", "mu", "range")


def target_from(system: System, name: str = "") -> Target:
    """Return the target that a model with a ``[training]`` table describes.

    The table holds ``box = {x1 = [lo, hi], ...}`` and may hold ``parameter`` (or ``parameters``), ``values``
    (numbers, or rows when there are several parameters), ``samples`` (a side), ``loss``, ``perceptrons``, ``mu`` and
    ``range``.

    Raises
    ------
    InputError
        If the table is missing, has an unknown key, or a value is wrong.
    """
    table = system.training
    if not table:
        raise InputError(
            f"model {system.title!r} has no [training] table; add one with a box, for instance box = {{x = [1, 2]}}"
        )
    if "curve" in table or "parts" in table:
        raise InputError(
            "[training] has curves or parts beside the file's own [equations]; give one part these equations and leave "
            "[variables] and [equations] out"
        )
    known_keys(table, KEYS)
    names = _parameter_names(table)
    rows = _rows(table, names, system)
    part = FieldPart(system, box_of(table, system), rows, names, count=integer(table, "samples", None))
    return Target(
        name=name or system.title or "model",
        title=system.title,
        parts=(part,),
        loss=table.get("loss", "field"),
        perceptrons=integer(table, "perceptrons", 5) or 5,
        mu=time_scale_of(table),
        state=tuple(system.state.tolist()),
        lam=rows[0],
        bounds=bounds_of(table, rows) if names else None,
    )


def known_keys(table: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Refuse a key that is none of `keys`."""
    for key in table:
        if key not in keys:
            raise InputError(f"[training] has the unknown key {key!r}; the keys are {', '.join(keys)}")


def _parameter_names(table: Mapping[str, Any]) -> tuple[str, ...]:
    if "parameter" in table and "parameters" in table:
        raise InputError("[training] has both parameter and parameters; give one of them")
    names = table.get("parameters", table.get("parameter", []))
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"[training] parameter is {names!r}; give the name of a parameter, or a list of names")
    return tuple(names)


def _rows(table: Mapping[str, Any], names: tuple[str, ...], system: System) -> tuple[tuple[float, ...], ...]:
    if not names:
        if "values" in table:
            raise InputError('[training] has values but names no parameter; add parameter = "..."')
        return ((),)
    values = table.get("values")
    if values is None:
        raise InputError(f"[training] names the parameter {names[0]!r} but no values; add values = [...]")
    if not isinstance(values, list) or not values:
        raise InputError(f"[training] values is {values!r}; give a list of numbers")
    rows = tuple(tuple(real("values", v) for v in (row if isinstance(row, list) else [row])) for row in values)
    for name in names:
        system.parameter_index(name)
    if any(len(row) != len(names) for row in rows):
        raise InputError(f"[training] values is {values!r}; give {len(names)} value(s) in every row, one a parameter")
    if min(value for row in rows for value in row) < 0:
        raise InputError(
            f"[training] values is {values!r}, but a parameter becomes a concentration and must not be negative; "
            "shift or flip the parameter"
        )
    return rows


def bounds_of(table: Mapping[str, Any], rows: Sequence[tuple[float, ...]]) -> tuple[float, float] | None:
    """Return the range of the first parameter species over which diagrams are compared, or None for a single value."""
    if "range" not in table:
        first = [row[0] for row in rows]
        return (min(first), max(first)) if min(first) < max(first) else None
    ends = table["range"]
    if not isinstance(ends, list) or len(ends) != 2:
        raise InputError(f"[training] range is {ends!r}; give [low, high]")
    low, high = (real("range", end) for end in ends)
    if not 0 <= low < high:
        raise InputError(
            f"[training] range is [{low:g}, {high:g}]; give the lower end first, and none below zero, for parameters "
            "become concentrations"
        )
    return low, high


def time_scale_of(table: Mapping[str, Any]) -> float | None:
    """Return the time-scale in the table, or None."""
    if "mu" not in table:
        return None
    mu = real("mu", table["mu"])
    if mu <= 0:
        raise InputError(f"[training] mu is {mu:g}; give a positive ratio of time-scales, for instance 0.01")
    return mu


def box_of(table: Mapping[str, Any], system: System) -> tuple[tuple[float, float], ...]:
    """Return the box in the table, its sides in the order of the system's variables."""
    box = table.get("box")
    if not isinstance(box, Mapping):
        raise InputError("[training] has no box; add box = {x = [low, high], ...} with one side for each variable")
    for name in box:
        system.variable_index(name)
    missing = [name for name in system.variables if name not in box]
    if missing:
        raise InputError(f"[training] box has no side for {missing[0]}; give {missing[0]} = [low, high]")
    sides = []
    for name in system.variables:
        side = box[name]
        if not isinstance(side, list) or len(side) != 2:
            raise InputError(f"[training] box side of {name} is {side!r}; give [low, high]")
        sides.append((real(f"box {name}", side[0]), real(f"box {name}", side[1])))
    return tuple(sides)


def real(what: str, value: Any) -> float:
    """Return `value` as a finite float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"[training] {what} is {value!r}, which is not a finite number")
    return float(value)


def integer(table: Mapping[str, Any], key: str, default: int | None) -> int | None:
    """Return a whole number above zero from the table, or the default."""
    value = table.get(key, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"[training] {key} is {value!r}; give a whole number above 0")
    return value

"""A diagram as a file that lacks nothing: model, orbits, options; and read back with every entry checked."""

from __future__ import annotations

import os
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import naming
from bifrncrn.base.errors import InputError
from bifrncrn.base.labels import KINDS, LABELS
from bifrncrn.base.records import Record, read_json
from bifrncrn.continuation.options import Options
from bifrncrn.diagrams.results import (
    COEFFICIENTS,
    SCHEMA,
    STATUSES,
    Branch,
    Diagram,
    End,
    Profile,
    SpecialPoint,
)
from bifrncrn.models import toml
from bifrncrn.models.conservation import Reduction, reduce

TURNS = 10**6
"""No angle goes round more often in a period: its states would be known to nine digits only."""

if TYPE_CHECKING:
    from bifrncrn.models.system import System


def model_out(diagram: Diagram) -> dict[str, Any]:
    """Return what is saved of the model: its text, and the sums that were divided out; None where it is code."""
    reduction = diagram.reduction
    system = diagram.system if reduction is None else reduction.whole
    if system is None or not system.has_formulas:
        return {"system": None}
    out: dict[str, Any] = {"system": toml.dumps(system)}
    if reduction is not None:
        out["conserved"] = {
            "laws": reduction.laws.tolist(),
            "state": [float(v) for v in _start(reduction)],
        }
    return out


def _start(reduction: Reduction) -> np.ndarray:
    """Return a state of the whole system with the totals that were divided out."""
    small = reduction.system
    return reduction.states(small.state[None], small.values[None])[0]


def load(path: str | os.PathLike[str], kind: type[Diagram]) -> Diagram:
    """Return the diagram in a file that `Diagram.save` or `--json` wrote.

    Raises
    ------
    InputError
        If the file is no diagram, or anything in it is not as it must be.
    """
    data = read_json(path)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise InputError(f"{path} is not a diagram: its schema is not {SCHEMA!r}; write one with --json")
    with naming(path):
        return _diagram(Record(data, "the diagram"), kind)


def _diagram(record: Record, kind: type[Diagram]) -> Diagram:
    parameter, span = record.text("parameter"), record.interval("range")
    second = record.text("second") if record.has("second") else None
    system, reduction = _model(record, parameter)
    entries = record.records("branches")
    count = len(record.items("special_points"))
    branches = tuple(_branch(entry, k, parameter, second, count) for k, entry in enumerate(entries))
    points = tuple(_point(entry, branches, span) for entry in record.records("special_points"))
    if system is not None:
        whole = system if reduction is None else reduction.whole
        _check_columns(branches, whole, parameter)
        points = tuple(_with_model(point, branches[point.branch], system, reduction) for point in points)
    counters = record.named_numbers("counters") if record.has("counters") else {}
    return kind(
        model=record.text("model"),
        parameter=parameter,
        range=span,
        branches=branches,
        special_points=points,
        system=system,
        notes=record.texts("notes") if record.has("notes") else (),
        counters={name: int(value) for name, value in counters.items() if np.isfinite(value)},
        reduction=reduction,
        second=second,
        second_range=record.interval("second_range") if second else None,
        options=_options(record),
    )


def _model(record: Record, parameter: str) -> tuple[System | None, Reduction | None]:
    """Return the analysed system, and what was divided out of it; None of files that hold no model."""
    if not record.has("system"):
        return None, None
    system = toml.loads(record.text("system"), "its model")
    if not record.has("conserved"):
        system.parameter_index(parameter)
        return system, None
    entry = Record(record.get("conserved"), "the conserved sums")
    n = len(system.variables)
    laws, (x,) = entry.rows("laws", width=n), Record({"state": [entry.get("state")]}, entry.where).rows("state", 1, n)
    alone = [np.any((row == 1.0) & (np.count_nonzero(laws, axis=0) == 1)) for row in laws]
    if not (len(laws) and np.all(np.isfinite(laws)) and np.all(np.isfinite(x)) and all(alone)):
        raise entry.fail("laws", "sums of which each has a variable of its own")
    reduction = reduce(system, laws, x)
    reduction.system.parameter_index(parameter)
    return reduction.system, reduction


def _options(record: Record) -> Options | None:
    if not record.has("options"):
        return None
    entry = Record(record.get("options"), "the options")
    known = {field.name for field in fields(Options)} - {"until"}
    values = {name: value for name, value in entry.data.items() if name in known}
    return Options(**values)


def options_out(options: Options | None) -> dict[str, Any] | None:
    """Return options as plain JSON."""
    return (
        None
        if options is None
        else {name: v for name, v in asdict(options).items() if v is not None and name != "until"}
    )


def _branch(record: Record, number: int, parameter: str, second: str | None, points: int) -> Branch:
    kind = record.text("kind", *KINDS)
    if record.whole("id") != number:
        raise record.fail("id", f"its place in the diagram, {number}")
    columns = record.texts("columns")
    first = (parameter,) if second is None or KINDS[kind].parameters == 1 else (parameter, second)
    if columns[: len(first)] != first or len(columns) == len(first):
        raise record.fail("columns", f"{', '.join(first)} and the states")
    table = record.rows("points", width=len(columns))
    count = len(table)
    unstable = record.items("unstable", count)
    if not all(v is None or (isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2**31) for v in unstable):
        raise record.fail("unstable", "a whole number or null for each point")
    ended = record.records("ended", 2)
    return Branch(
        id=number,
        kind=kind,
        columns=columns,
        points=table,
        unstable=frozen([-1 if v is None else v for v in unstable], int),
        eigenvalues=record.complex_rows("eigenvalues", count),
        multipliers=record.complex_rows("multipliers", count),
        origin=record.whole("from", points) if record.get("from") is not None else None,
        ended=tuple(End(end.text("reason"), end.text("message")) for end in ended),
        profiles=_profiles(
            record, count, (len(columns) - 2) // (2 if KINDS[kind].cycles or kind == "heteroclinic" else 1)
        ),
        iterations=_iterations(record) if record.has("iterations") else None,
        tangents=record.rows("tangents", count) if record.has("tangents") else frozen(np.empty((count, 0))),
    )


def _iterations(record: Record) -> int:
    count = record.whole("iterations")
    if count < 1:
        raise record.fail("iterations", "a whole number of at least 1")
    return count


def _profiles(record: Record, count: int, width: int) -> tuple[Profile, ...]:
    if not record.has("orbits"):
        return ()
    return tuple(_profile(entry, width) for entry in record.records("orbits", count))


def _profile(record: Record, width: int) -> Profile:
    period = record.number("period", null=False)
    phases = Record({"phases": [record.items("phases")]}, record.where).rows("phases", 1)[0]
    if not (period > 0.0 and len(phases) and phases[0] >= 0.0 and phases[-1] < 1.0 and np.all(np.diff(phases) > 0.0)):
        raise record.fail("phases", "ascending from 0 to less than 1, and the period positive")
    return Profile(period, frozen(phases), record.rows("states", len(phases), width), _turns(record, width))


def _turns(record: Record, width: int) -> tuple[int, ...]:
    """Return how often every state goes round in a period, nothing where none does."""
    if not record.has("turns"):
        return ()
    found = record.items("turns", width)
    if not all(isinstance(count, int) and not isinstance(count, bool) and abs(count) <= TURNS for count in found):
        raise record.fail("turns", f"a list of whole numbers from {-TURNS} to {TURNS}")
    return tuple(found)


def _point(record: Record, branches: tuple[Branch, ...], span: tuple[float, float]) -> SpecialPoint:
    label = record.text("label")
    if label not in LABELS:
        raise record.fail("label", f"one of {', '.join(LABELS)}")
    branch = branches[record.whole("branch", len(branches))]
    parameters, state = record.named_numbers("parameters"), record.named_numbers("state")
    if not parameters or branch.columns[0] not in parameters:
        raise record.fail("parameters", f"a value of {branch.columns[0]}, and of what else varies")
    if not state:
        raise record.fail("state", "the states by name")
    if branch.kind == "equilibrium" and not set(branch.columns[1:]) <= set(state):
        raise record.fail("state", f"the states {', '.join(branch.columns[1:])}")
    rest: dict[str, Any] = {name: record.number(name) for name in COEFFICIENTS if record.has(name)}
    if branch.iterations is not None:
        rest["iterations"] = _iterations(record)
        rest["states"] = record.rows("states", rest["iterations"], len(state))
    rest |= {"bracket": _bracket(record)} if record.has("bracket") else {}
    return SpecialPoint(
        label=label,
        branch=branch.id,
        index=record.whole("index", len(branch.points)),
        parameters=parameters,
        state=state,
        status=record.text("status", *STATUSES),
        residual=record.number("residual"),
        event=record.text("event") if record.has("event") else None,
        eigenvalues=record.complexes("eigenvalues"),
        multipliers=record.complexes("multipliers"),
        range=span,
        **rest,
    )


def _bracket(record: Record) -> tuple[float, float]:
    """Return the two parameter values between which a point was seen; on a vertical branch they may be one."""
    low, high = Record({"bracket": [record.items("bracket", 2)]}, record.where).rows("bracket", 1, 2)[0].tolist()
    return low, high


def _check_columns(branches: tuple[Branch, ...], whole: System, parameter: str) -> None:
    for branch in branches:
        names = whole.variables
        if branch.kind in ("equilibrium", "fixed_point") and branch.columns != (parameter, *names):
            theirs = ", ".join(branch.columns[1:])
            raise InputError(f"branch {branch.id} has the states {theirs}, but the model {', '.join(names)}")


def _with_model(point: SpecialPoint, branch: Branch, system: System, reduction: Reduction | None) -> SpecialPoint:
    """Return a point of a branch with what further computations start from."""
    if branch.kind == "periodic":
        return point
    along = None
    if branch.kind in ("equilibrium", "fixed_point"):
        names = [branch.columns.index(name) for name in system.variables]
        along = frozen(np.column_stack([branch.points[:, names], branch.points[:, 0]]))
    return replace(point, system=system, reduction=reduction, along=along)

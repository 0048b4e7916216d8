"""Results as plain JSON, schema `bifrncrn.diagram/1`, and as CSV."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.files import write_atomic
from bifrncrn.base.labels import KINDS
from bifrncrn.base.tables import csv_text
from bifrncrn.diagrams import saved
from bifrncrn.diagrams.results import COEFFICIENTS, SCHEMA

if TYPE_CHECKING:
    from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint


def point_json(point: SpecialPoint) -> dict[str, Any]:
    """Return a special point as plain JSON."""
    out: dict[str, Any] = {
        "label": point.label,
        "branch": point.branch,
        "index": point.index,
        "parameters": _plain(point.parameters),
        "state": _plain(point.state),
        "status": point.status,
        "residual": _number(point.residual),
    }
    out |= {name: _number(getattr(point, name)) for name in COEFFICIENTS}
    if point.bracket is not None:
        out["bracket"] = [_number(v) for v in point.bracket]
    if point.event is not None:
        out["event"] = point.event
    out["eigenvalues"] = _complex_out(point.eigenvalues)
    if len(point.multipliers):
        out["multipliers"] = _complex_out(point.multipliers)
    if point.iterations is not None:
        out["iterations"] = point.iterations
        out["states"] = [[_number(v) for v in row] for row in point.states.tolist()]
    return out


def branch_json(branch: Branch) -> dict[str, Any]:
    """Return a branch as plain JSON."""
    spectrum = "multipliers" if branch.kind in KINDS and KINDS[branch.kind].multipliers else "eigenvalues"
    return {
        "id": branch.id,
        "kind": branch.kind,
        **({} if branch.iterations is None else {"iterations": branch.iterations}),
        "columns": list(branch.columns),
        "points": [[_number(v) for v in row] for row in branch.points.tolist()],
        "unstable": [None if count < 0 else count for count in branch.unstable.tolist()],
        spectrum: [_complex_out(row) for row in getattr(branch, spectrum)],
        "from": branch.origin,
        "ended": [{"reason": end.reason, "message": end.message} for end in branch.ended],
        **({"orbits": [profile.to_json() for profile in branch.profiles]} if branch.profiles else {}),
        **(
            {"tangents": [[_number(v) for v in row] for row in branch.tangents.tolist()]}
            if branch.tangents.size
            else {}
        ),
    }


def diagram_json(diagram: Diagram) -> dict[str, Any]:
    """Return a diagram as plain JSON, with its model and its orbits."""
    return {
        "schema": SCHEMA,
        "model": diagram.model,
        "parameter": diagram.parameter,
        "range": list(diagram.range),
        **({"second": diagram.second, "second_range": list(diagram.second_range or ())} if diagram.second else {}),
        "branches": [branch.to_json() for branch in diagram.branches],
        "special_points": [point.to_json() for point in diagram.special_points],
        "notes": list(diagram.notes),
        "counters": dict(diagram.counters),
        "options": saved.options_out(diagram.options),
        **saved.model_out(diagram),
    }


def write_csv(diagram: Diagram, path: str | os.PathLike[str]) -> None:
    """Write every row of every branch; see `Diagram.to_csv`."""
    names = list(dict.fromkeys(name for branch in diagram.branches for name in branch.columns))
    own = [f"{name}_" if name in names else name for name in ("branch", "kind", "unstable", "label")]
    rows: list[list[object]] = []
    for branch in diagram.branches:
        labels: dict[int, list[str]] = {}
        for point in diagram.special_points:
            if point.branch == branch.id:
                labels.setdefault(point.index, []).append(point.label)
        for k, values in enumerate(branch.points.tolist()):
            here = dict(zip(branch.columns, values, strict=True))
            count = int(branch.unstable[k])
            ours = ["" if count < 0 else count, " ".join(labels.get(k, []))]
            rows.append([branch.id, branch.kind, *(here.get(name, "") for name in names), *ours])
    write_atomic(path, csv_text([*own[:2], *names, *own[2:]], rows))


def _number(value: float | None) -> float | None:
    """Return a finite float, else None (plain JSON has no NaN)."""
    return float(value) if value is not None and math.isfinite(value) else None


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in values.items()}


def _complex_out(values: Sequence[complex] | np.ndarray) -> list[list[float | None]]:
    return [[_number(v.real), _number(v.imag)] for v in np.asarray(values, complex).tolist()]

"""Model files to train on: an ODE of its own, or `[training]` with curves and other pieces.

Without `[equations]` a file says in `[training]` what is to be learned: one curve by the key ``curve``, or a list of
pieces ``[[training.parts]]``, each of which is a curve or has ``equations`` and a ``box``. ::

    [[training.parts]]
    curve = "leaf.svg"                         # or a .csv file, or { x = "2 + cos(t)", y = "2 + sin(t)" }
    at = 1.0                                   # the value of the parameter species, if there is one

    [[training.parts]]
    equations = { x = "1 - x", y = "1 - y" }
    box = { x = [0, 4], y = [0, 4] }
    at = 0.0
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bifrncrn.base.checks import naming
from bifrncrn.base.errors import InputError
from bifrncrn.models import toml as modelfile
from bifrncrn.models.system import System
from bifrncrn.training.targets.curve import Curve
from bifrncrn.training.targets.curve_part import CurvePart
from bifrncrn.training.targets.table import bounds_of, box_of, integer, known_keys, real, target_from, time_scale_of
from bifrncrn.training.targets.target import FieldPart, Part, Target

WHOLE = ("perceptrons", "loss", "mu", "range", "state")
PUSHES = ("eta", "kappa", "delta")
DRAWING = ("scale", "shift")
CURVE = (
    "curve", "at", "over", "t", "closed", "points", *DRAWING, *PUSHES, "layers", "push", "attractor", "samples",
    "weight",
)  # fmt: skip
FIELD = ("equations", "box", "at", "samples", "weight")


def target_from_file(path: str | os.PathLike[str]) -> Target:
    """Return the target that a model file describes; files of curves are looked for beside it.

    Raises
    ------
    InputError
        If a file cannot be read, or says something that cannot be learned.
    """
    document, place = modelfile.document(path), Path(path)
    if "training" not in document or "equations" in document or "variables" in document:
        system = System.from_file(path)
        with naming(path):
            return target_from(system, name=place.stem)
    with naming(path):
        for key in document:
            if key not in ("title", "training"):
                raise InputError(f"a file without [equations] holds a title and [training], but this has {key!r}")
        table, title = document["training"], document.get("title", place.stem)
        if not isinstance(table, dict) or not isinstance(title, str):
            raise InputError("a file without [equations] holds a title, which is text, and the table [training]")
        return _target(table, place.stem, title, place.parent)


def _target(table: Mapping[str, Any], name: str, title: str, folder: Path) -> Target:
    if "parts" in table:
        known_keys(table, (*WHOLE, "parts"))
        pieces = table["parts"]
        if not isinstance(pieces, list) or not pieces or not all(isinstance(piece, dict) for piece in pieces):
            raise InputError("[training] parts is no list of tables; head every one by the line [[training.parts]]")
    else:
        pieces = [{key: value for key, value in table.items() if key not in WHOLE}]
    parts = [_part(piece, folder, f"part {k}" if len(pieces) > 1 else "") for k, piece in enumerate(pieces, 1)]
    rows = [_row(piece) for piece in pieces]
    ends = [(end, *row[1:]) for piece, row in zip(pieces, rows) if "over" in piece for end in _interval(piece["over"])]
    return Target(
        name,
        title,
        tuple(parts),
        table.get("loss", "field"),
        integer(table, "perceptrons", 5) or 5,
        time_scale_of(table),
        state=_state(table, parts[0]),
        lam=rows[0],
        bounds=bounds_of(table, [*rows, *ends]) if rows[0] else None,
    )


def _part(piece: Mapping[str, Any], folder: Path, name: str) -> Part:
    with naming(name) if name else nullcontext():
        return _curve_part(piece, folder) if "curve" in piece else _field_part(piece)


def _state(table: Mapping[str, Any], part: Part) -> tuple[float, ...]:
    """Return the start of the executive species: by default the middle of the first part."""
    if "state" in table:
        return _numbers("state", table["state"])
    if isinstance(part, CurvePart):
        return tuple(part.curve.points.mean(axis=0).tolist())
    return tuple((low + high) / 2 for low, high in part.box) if isinstance(part, FieldPart) else ()


def _field_part(piece: Mapping[str, Any]) -> FieldPart:
    known_keys(piece, FIELD)
    equations = piece.get("equations")
    if not isinstance(equations, dict) or not all(isinstance(text, str) for text in equations.values()):
        raise InputError('[training] needs a curve, or equations like { x = "1 - x" } and a box')
    system = System.from_equations(equations)
    return FieldPart(
        system, box_of(piece, system), (_row(piece),), count=integer(piece, "samples", None), weight=_weight(piece)
    )


def _curve_part(piece: Mapping[str, Any], folder: Path) -> CurvePart:
    known_keys(piece, CURVE)
    options: dict[str, Any] = {key: real(key, piece[key]) for key in PUSHES if key in piece}
    options |= {key: integer(piece, key, None) for key in ("layers",) if key in piece}
    if "samples" in piece:
        options["count"] = integer(piece, "samples", None)
    if "push" in piece:
        options["push"] = piece["push"]
    if "over" in piece:
        options["over"] = _interval(piece["over"])
    attractor = _flag(piece, "attractor")
    return CurvePart(_curve(piece, folder), _row(piece), attractor=attractor, weight=_weight(piece), **options)


def _interval(value: Any) -> tuple[float, float]:
    """Return the interval of the first parameter species on which a curve is wanted."""
    ends = _numbers("over", value)
    if len(ends) != 2:
        raise InputError(f"[training] over is {value!r}; give the ends of an interval about `at`, such as [0.9, 1.1]")
    return ends[0], ends[1]


def _curve(piece: Mapping[str, Any], folder: Path) -> Curve:
    source, count, closed = piece["curve"], integer(piece, "points", 629) or 629, _flag(piece, "closed")
    if isinstance(source, dict):
        _only(piece, "a formula", ("t", "closed"))
        ends = _numbers("t", piece.get("t", [0.0, 2 * math.pi]))
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise InputError(f"[training] t is {piece['t']!r}; give [first, last]")
        return Curve.formula(source, (ends[0], ends[1]), count, closed)
    kind = Path(source).suffix.lower() if isinstance(source, str) else ""
    if kind == ".csv":
        _only(piece, "a CSV file", ("closed",))
        return Curve.from_csv(folder / source, closed, count)
    if kind == ".svg":
        _only(piece, "a drawing", DRAWING)
        shift = _numbers("shift", piece.get("shift", [0.0, 0.0]))
        if len(shift) != 2:
            raise InputError(f"[training] shift is {piece['shift']!r}; give [x, y]")
        return Curve.from_svg_file(folder / source, real("scale", piece.get("scale", 1.0)), (shift[0], shift[1]), count)
    raise InputError(
        f"[training] curve is {source!r:.60}; name a .csv or .svg file, or give formulas like "
        '{ x = "2 + cos(t)", y = "2 + sin(t)" }'
    )


def _only(piece: Mapping[str, Any], what: str, allowed: tuple[str, ...]) -> None:
    """Refuse the keys of another source of curves."""
    for key in ("t", "closed", *DRAWING):
        if key in piece and key not in allowed:
            raise InputError(f"[training] {key} does not go with {what}; leave it out")


def _row(piece: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the values of the parameter species at which a part is wanted."""
    row = _numbers("at", piece.get("at", []))
    if min(row, default=0.0) < 0:
        raise InputError(
            f"[training] at is {piece['at']!r}, but the parameter species are concentrations; shift them up"
        )
    return row


def _weight(piece: Mapping[str, Any]) -> float | None:
    if "weight" not in piece:
        return None
    weight = real("weight", piece["weight"])
    if weight <= 0:
        raise InputError(f"[training] weight is {weight:g}; give a positive number, or leave the part out")
    return weight


def _flag(piece: Mapping[str, Any], key: str) -> bool:
    value = piece.get(key, True)
    if not isinstance(value, bool):
        raise InputError(f"[training] {key} is {value!r}; give true or false")
    return value


def _numbers(key: str, value: Any) -> tuple[float, ...]:
    return tuple(real(key, entry) for entry in (value if isinstance(value, list) else [value]))

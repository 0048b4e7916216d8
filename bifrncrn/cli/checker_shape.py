"""Whether a file has the shape of a proof of a box, so that the checker can read it without a second look."""

from __future__ import annotations

from typing import Any

CORNERS = ("low", "high", "core_low", "core_high")
STATED = frozenset({"schema", "proved", "model", "parameter", "range", "box", "values", "branches", "special_points"})
STATED |= {"followed", "undecided", "notes", "counters", "arcs", "kind"}
"""What a file of a box may say; `followed` and `notes` are empty there."""
LARGEST = 1e300
"""Of the numbers in a file: sums and differences of a few of them are doubles then, whole numbers or not."""
OF_POINTS: dict[str, dict[str, type]] = {
    "LP": {"turns": str, "a": list},
    "HB": {"omega": list, "l1": list},
    "BP": {"kind": str, "plane": str, "turns": str},
}
"""What a special point may say besides its place, and the numbers of unstable eigenvalues on its two sides."""
WORDS = {"turns": ("minimum", "maximum"), "kind": ("transcritical", "pitchfork")}


def malformed(names: list[str], proof: Any) -> str:
    """Say what of a proof about these states is not as it must be; nothing if all is."""
    if not isinstance(proof, dict):
        return "it is no table of entries"
    for key, kind in (("box", dict), ("values", dict), ("special_points", list), ("undecided", list), ("arcs", dict)):
        if not isinstance(proof.get(key), kind):
            return f"it has no {key}, or one of another kind"
    if not isinstance(proof.get("proved"), bool) or not isinstance(proof.get("parameter"), str):
        return "it does not say what is proved, or in which parameter"
    if not isinstance(proof.get("branches"), int):
        return "it does not say how many branches there are"
    sides = [*proof["box"].values(), proof.get("range")]
    if not all(_interval(side) and side[0] < side[1] for side in sides):
        return "its box or range is not two numbers each, of at most 1e300, the smaller first"
    if not all(_interval(value) for value in proof["values"].values()):
        return "its values are not two numbers each, of at most 1e300, the smaller first"
    if not all(_point([*names, proof["parameter"]], point) for point in proof["special_points"]):
        return "a special point has no label, or a place that is not an interval for each state and the parameter"
    if not all(map(_detail, proof["special_points"])):
        return "a special point says something that no point of its label has, or that is no such thing"
    if proof.get("followed") or proof.get("notes") or not {*proof} <= STATED:
        return "it says something that no proof of a box says"
    if not _arcs(len(names), proof["arcs"]):
        return "its arcs are not lists of one length, of corners of boxes, with numbers of at most 1e300"
    return ""


def malformed_cycle(names: list[str], proof: dict[str, Any]) -> str:
    """Say what of a proof of a cycle with these states is not as it must be; nothing if all is."""
    if not {*proof} <= STATED | {"cycles"} or any(proof.get(key) for key in OF_BOXES):
        return "it says something that no proof of a cycle says"
    if not isinstance(proof.get("proved"), bool) or not isinstance(proof.get("undecided"), list):
        return "it does not say what is proved"
    values, cycles = proof.get("values"), proof["cycles"]
    if not isinstance(values, dict) or not all(map(_interval, values.values())):
        return "its values are not two numbers each, of at most 1e300, the smaller first"
    if not isinstance(cycles, list) or len(cycles) != 1 or not isinstance(cycles[0], dict):
        return "it is not about one cycle"
    if {*cycles[0]} != OF_CYCLES or not _cycle(names, cycles[0]):
        return "its cycle has not what a cycle must have, each of its kind, with numbers of at most 1e300"
    return ""


OF_BOXES = ("parameter", "range", "box", "branches", "special_points", "followed", "notes", "arcs", "counters")
LISTS, TABLES = ("durations", "factor", "normal"), ("points", "radius", "alone")
OF_CYCLES = {"period", "least", "multipliers", "unstable", "stable", "min", "max", "start", "turn"}


def _cycle(names: list[str], cycle: dict[str, Any]) -> bool:
    sides, turn, n = cycle["multipliers"], cycle["turn"], len(names)
    good = isinstance(sides, list) and all(map(_interval, sides)) and _interval(cycle["period"])
    good = good and all(isinstance(cycle[key], bool) for key in ("least", "stable")) and type(cycle["unstable"]) is int
    for key in ("min", "max", "start"):
        place = cycle[key]
        good = good and isinstance(place, dict) and {*place} == {*names} and all(map(_interval, place.values()))
    if not good or not isinstance(turn, dict) or {*turn} != {*LISTS, *TABLES, "alone_factor"}:
        return False
    if not all(isinstance(turn[key], list) for key in (*LISTS, *TABLES)) or not _finite(turn["alone_factor"]):
        return False
    count = len(turn["durations"])
    numbers = [(turn["durations"], count), (turn["normal"], n), (turn["factor"], 2)]
    for key in TABLES:
        if len(turn[key]) != count or not all(isinstance(row, list) for row in turn[key]):
            return False
        numbers += [(row, n) for row in turn[key]]
    if not all(len(row) == length and all(map(_finite, row)) for row, length in numbers):
        return False
    sizes = [*turn["durations"], *turn["factor"], turn["alone_factor"], *(x for row in turn["alone"] for x in row)]
    return count > 1 and all(size > 0 for size in sizes) and _interval(turn["factor"])


def _interval(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_finite, value)) and value[0] <= value[1]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def _point(names: list[str], point: Any) -> bool:
    if not isinstance(point, dict) or not isinstance(point.get("label"), str) or point.get("proved") is not True:
        return False
    state, parameters = point.get("state"), point.get("parameters")
    if not isinstance(state, dict) or not isinstance(parameters, dict):
        return False
    return [*sorted(state), *parameters] == [*sorted(names[:-1]), names[-1]] and all(
        _interval(side) for side in (*state.values(), *parameters.values())
    )


def _detail(point: dict[str, Any]) -> bool:
    """Say whether a point has what its label asks for, and nothing else."""
    allowed = OF_POINTS.get(point["label"], {})
    needed = {"HB": ["omega"], "BP": ["kind", "plane"]}.get(point["label"], [])
    said = {key: value for key, value in point.items() if key not in ("label", "parameters", "state", "proved")}
    counts = said.pop("unstable", None)
    if counts is not None and not (isinstance(counts, list) and len(counts) == 2):
        return False
    if any(key not in said for key in needed) or (said.get("kind") == "transcritical" and "turns" in said):
        return False
    for key, value in said.items():
        if key not in allowed or (value is None and key != "turns") or (value and not isinstance(value, allowed[key])):
            return False
        if key in WORDS and value is not None and value not in WORDS[key]:
            return False
        if allowed[key] is list and not _interval(value):
            return False
    return True


def _arcs(n: int, arcs: dict[str, Any]) -> bool:
    columns: list[Any] = [arcs.get(key) for key in (*CORNERS, "pivot", "on")]
    if not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
        return False
    *corners, pivots, on = columns
    rows = [row for column in corners for row in column]
    if not all(isinstance(row, list) and len(row) == n + 1 and all(map(_finite, row)) for row in rows):
        return False
    whole = all(isinstance(pivot, int) and not isinstance(pivot, bool) and 0 <= pivot <= n for pivot in pivots)
    return whole and all(isinstance(planes, list) and all(isinstance(name, str) for name in planes) for planes in on)

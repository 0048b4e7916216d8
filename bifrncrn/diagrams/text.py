"""Diagrams and their points as text for people: what they say first, then the tables, in lines of 80 columns."""

from __future__ import annotations

import textwrap

import numpy as np

from bifrncrn.base.labels import is_shown
from bifrncrn.base.tables import format_number, format_table, printable, without_rounding
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.fixed_points.problem import FixedPointProblem
from bifrncrn.diagrams.results import COEFFICIENTS, Branch, Diagram, SpecialPoint
from bifrncrn.diagrams.summary import elsewhere, summary

WIDTH = 80
STATES = 6  # columns of states shown at most
POINTS = 60  # special points listed at most; the others are in the file and in table()
COEFFICIENT_DIGITS = 6
ROUNDING = 1e-20  # of the largest state
SMALL, FEW = 1e-9, 20  # the rounding of terms is asked where a state is this part of the largest; of so many states


def describe(diagram: Diagram) -> str:
    """Return the summary, the branches, why they end, and the special points of a diagram as text."""
    low, high = diagram.range
    also = f", {diagram.second} in [{{:g}}, {{:g}}]".format(*diagram.second_range) if diagram.second_range else ""
    lines = [_wrapped(f"{diagram.model or 'model'}: {diagram.parameter} in [{low:g}, {high:g}]{also}")]
    says = summary(diagram)
    lines += [*(_wrapped(line) for line in (says, elsewhere(diagram)) if line), ""]
    if diagram.branches:
        header = ["branch", "kind", "from", "points", diagram.parameter, "unstable"]
        lines.append(format_table(header, [_branch_row(branch, diagram) for branch in diagram.branches]))
        if any(branch.iterations for branch in diagram.branches):
            lines.append(_wrapped("(unstable: the number of multipliers outside the unit circle)"))
        lines += [_wrapped(f"branch {b.id} ends: {_ends(b)}", "    ") for b in diagram.branches if b.ended] + [""]
    lines += _points([point for point in diagram.special_points if is_shown(point.label)], diagram)
    lines += [_wrapped(f"note: {note}", "    ") for note in diagram.notes]
    return printable("\n".join(lines))


def describe_point(point: SpecialPoint) -> str:
    """Return a special point in words."""
    where = ", ".join(f"{name} = {value:.10g}" for name, value in (point.parameters | point.state).items())
    facts = _coefficients(point)
    return printable(_wrapped(f"{point.label} at {where}{f' ({facts})' if facts else ''}", "    "))


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _branch_row(branch: Branch, diagram: Diagram) -> list[str]:
    values = branch.column(diagram.parameter)
    origin = "-" if branch.origin is None else diagram.special_points[branch.origin].label
    counts = sorted(set(branch.unstable.tolist()))
    width = diagram.range[1] - diagram.range[0]
    ends = [without_rounding(float(end), width) for end in (values.min(), values.max())] if len(values) else []
    extent = " ... ".join(f"{end:.6g}" for end in ends) or "-"
    unstable = ", ".join("?" if count < 0 else str(count) for count in counts)
    kind = branch.kind
    if (branch.iterations or 1) > 1:
        kind = f"{branch.iterations}-cycle" if kind == "fixed_point" else f"{kind} of {branch.iterations}-cycles"
    return [str(branch.id), kind, origin, str(len(values)), extent, textwrap.shorten(unstable, 16)]


def _ends(branch: Branch) -> str:
    return "; ".join(dict.fromkeys(end.message for end in branch.ended))


def _points(points: list[SpecialPoint], diagram: Diagram) -> list[str]:
    """Return the table of special points, with as many states as the lines have room for."""
    if not points:
        return ["no special point"]
    shown = points[:POINTS]
    states = list(dict.fromkeys(name for point in points for name in point.state))
    notes = [_coefficients(point) for point in shown]
    for count in range(min(STATES, len(states)), -1, -1):
        header = ["label", "branch", *_parameters(diagram), *states[:count]]
        table = format_table(header, [_point_row(point, diagram, states[:count]) for point in shown]).split("\n")
        width = max(map(len, table))
        if width <= WIDTH:
            break
    lines = [table[0]]
    for line, note in zip(table[1:], notes):
        if note and width + 2 + len(note) <= WIDTH:
            lines.append(f"{line.ljust(width)}  {note}")
        else:
            lines += [
                line,
                *([textwrap.fill(note, WIDTH, initial_indent="    ", subsequent_indent="    ")] if note else []),
            ]
    hidden = [f"{len(states) - count} more states"] if len(states) > count else []
    hidden += [f"{len(points) - POINTS} more special points"] if len(points) > POINTS else []
    return [*lines, *([f"({' and '.join(hidden)} are in table() and the --json file)"] if hidden else [])]


def _coefficients(point: SpecialPoint) -> str:
    facts = [
        f"{name} = {format_number(value, COEFFICIENT_DIGITS)}"
        for name in COEFFICIENTS
        if (value := getattr(point, name)) is not None
    ]
    facts = [f"{point.iterations}-cycle", *facts] if (point.iterations or 1) > 1 else facts
    kind = point.criticality
    facts += [kind] if kind else []
    if point.status != "converged":
        facts.append(f"{point.status}: not refined")
    return ", ".join([*facts, *([point.event] if point.event else [])])


def _point_row(point: SpecialPoint, diagram: Diagram, states: list[str]) -> list[str]:
    noise = _noise(point)
    return [
        point.label,
        str(point.branch),
        *(format_number(_parameter(point, diagram, name), 12) for name in _parameters(diagram)),
        *(format_number(_without_noise(point, name, noise), 8) for name in states),
    ]


def _parameters(diagram: Diagram) -> list[str]:
    return [diagram.parameter, *([diagram.second] if diagram.second else [])]


def _parameter(point: SpecialPoint, diagram: Diagram, name: str) -> float | None:
    """Return the value of a parameter at a point, the model's own where it was not varied."""
    if name in point.parameters or diagram.system is None:
        value, span = point.parameters.get(name), diagram.range if name == diagram.parameter else diagram.second_range
        return value if value is None or span is None else without_rounding(value, span[1] - span[0])
    return float(diagram.system.values[diagram.system.parameter_index(name)])


def _without_noise(point: SpecialPoint, name: str, noise: dict[str, float]) -> float | None:
    """Return a state, or 0 where it is rounding: beside the largest one, or of the terms of the equations."""
    value, largest = point.state.get(name), max(map(abs, point.state.values()), default=0.0)
    return 0.0 if value is not None and abs(value) < max(ROUNDING * largest, noise.get(name, 0.0)) else value


def _noise(point: SpecialPoint) -> dict[str, float]:
    """Return how far rounding may move the states of a point by name: of an equilibrium, or of a fixed point of a map.

    Nothing where no state is small beside the others.
    """
    system, sizes = point.system, [abs(value) for value in point.state.values() if value]
    if system is None or not sizes or min(sizes) > SMALL * max(sizes) or len(system.variables) > FEW:
        return {}
    if point.period is not None or len(point.parameters) != 1 or [*point.state] != [*system.variables]:
        return {}
    ((name, value),) = point.parameters.items()
    index = system.parameter_index(name)
    problem = (
        EquilibriumProblem(system, index)
        if point.iterations is None
        else FixedPointProblem(system, point.iterations, index)
    )
    with np.errstate(all="ignore"):
        blur = problem.blur(np.array([*point.state.values(), value]))
    return dict(zip(system.variables, blur.tolist(), strict=True)) if np.isfinite(blur).all() else {}

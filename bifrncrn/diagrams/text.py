"""A diagram as text for people."""

from __future__ import annotations

from bifrncrn.base.tables import format_number, format_table
from bifrncrn.diagrams.results import COEFFICIENTS, Branch, Diagram, SpecialPoint, criticality

STATES = 6  # columns of states shown: more do not fit a line
COEFFICIENT_DIGITS = 6
ROUNDING = 1e-20  # of the largest state


def describe(diagram: Diagram) -> str:
    """Return the branches, why they end, and the special points of a diagram as text."""
    low, high = diagram.range
    also = f", {diagram.second} in [{{:g}}, {{:g}}]".format(*diagram.second_range) if diagram.second_range else ""
    lines = [f"{diagram.model or 'model'}: {diagram.parameter} in [{low:g}, {high:g}]{also}", ""]
    header = ["branch", "kind", "from", "points", diagram.parameter, "unstable", "ends"]
    lines += [format_table(header, [_branch_row(branch, diagram) for branch in diagram.branches]), ""]
    shown = [point for point in diagram.special_points if point.label != "EP"]
    if not shown:
        lines.append("no special point")
    else:
        states = list(dict.fromkeys(name for point in shown for name in point.state))
        header = ["label", "branch", *_parameters(diagram), *states[:STATES], "coefficients"]
        lines.append(format_table(header, [_point_row(point, diagram, states[:STATES]) for point in shown]))
        if len(states) > STATES:
            lines.append(f"({len(states) - STATES} more states are in the --json file)")
    lines += [f"note: {note}" for note in diagram.notes]
    return "\n".join(lines)


def _branch_row(branch: Branch, diagram: Diagram) -> list[str]:
    values = branch.column(diagram.parameter)
    origin = "-" if branch.origin is None else diagram.special_points[branch.origin].label
    counts = sorted(set(branch.unstable.tolist()))
    extent = f"{values.min():.6g} ... {values.max():.6g}" if len(values) else "-"
    ends = "; ".join(dict.fromkeys(end.message for end in branch.ended))
    return [
        str(branch.id),
        branch.kind,
        origin,
        str(len(values)),
        extent,
        ", ".join("?" if count < 0 else str(count) for count in counts),
        ends,
    ]


def _point_row(point: SpecialPoint, diagram: Diagram, states: list[str]) -> list[str]:
    coefficients = [
        f"{name} = {format_number(value, COEFFICIENT_DIGITS)}"
        for name in COEFFICIENTS
        if (value := getattr(point, name)) is not None
    ]
    kind = criticality(point)
    coefficients += [kind] if kind else []
    if point.status != "converged":
        coefficients.append(f"{point.status}: not refined")
    return [
        point.label,
        str(point.branch),
        *(format_number(_parameter(point, diagram, name), 12) for name in _parameters(diagram)),
        *(format_number(_without_noise(point, name), 8) for name in states),
        ", ".join(coefficients),
    ]


def _parameters(diagram: Diagram) -> list[str]:
    return [diagram.parameter, *([diagram.second] if diagram.second else [])]


def _parameter(point: SpecialPoint, diagram: Diagram, name: str) -> float | None:
    """Return the value of a parameter at a point, the model's own where it was not varied."""
    if name in point.parameters or diagram.system is None:
        return point.parameters.get(name)
    return float(diagram.system.values[diagram.system.parameter_index(name)])


def _without_noise(point: SpecialPoint, name: str) -> float | None:
    """Return a state, or 0 where it is rounding beside the largest one."""
    value, largest = point.state.get(name), max(map(abs, point.state.values()), default=0.0)
    return 0.0 if value is not None and abs(value) < ROUNDING * largest else value

"""What a comparison of two diagrams found: tables, JSON, text."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.base.tables import format_number, format_table
from bifrncrn.diagrams.results import Diagram, SpecialPoint, criticality

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMA = "bifrncrn.comparison/1"


@dataclass(frozen=True, eq=False)
class Match:
    """A special point of the target and its partner in the learned diagram.

    Attributes
    ----------
    label : str
        Their common label.
    target, learned : SpecialPoint
        The two points.
    parameter_shift : float
        Learned minus target, in the parameter's unit.
    state_error : float or None
        Root mean square over the common states of their differences, each in units of the box's side (of the target
        diagram's extent where there is no box); None without a common state.
    tolerance : float
        The largest `parameter_error` that is within the tolerance.
    """

    label: str
    target: SpecialPoint
    learned: SpecialPoint
    parameter_shift: float
    state_error: float | None
    tolerance: float

    @property
    def parameter_error(self) -> float:
        """The size of the shift, in the parameter's unit."""
        return abs(self.parameter_shift)

    @property
    def within_tolerance(self) -> bool:
        """Whether the shift is no larger than the tolerance, but for rounding."""
        return self.parameter_error <= self.tolerance * (1 + 1e-9)

    @property
    def same_criticality(self) -> bool | None:
        """Whether both Hopf points are super- or both subcritical; None where that is not known."""
        a, b = criticality(self.target), criticality(self.learned)
        return None if a is None or b is None else a == b

    @property
    def ok(self) -> bool:
        """Whether the learned point is within the tolerance and not of another criticality."""
        return self.within_tolerance and self.same_criticality is not False

    def to_json(self) -> dict[str, Any]:
        """Return the pair as plain JSON."""
        return {
            "label": self.label,
            "target": self.target.to_json(),
            "learned": self.learned.to_json(),
            "parameter_error": self.parameter_error,
            "parameter_shift": self.parameter_shift,
            "state_error": self.state_error,
            "criticality": {"target": criticality(self.target), "learned": criticality(self.learned)},
            "ok": self.ok,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """What a learned diagram has in common with its target's, and what not.

    Attributes
    ----------
    target, learned : Diagram
        The two diagrams.
    tolerance : float
        How far a special point may be off, in the parameter's unit.
    box : dict of str to (float, float), or None
        The region of the target's states that was judged, if one was given.
    names : dict of str to str
        The learned diagram's name of each common state of the target.
    matched : tuple of Match
        Special points with a partner of the same label.
    missing, extra : tuple of SpecialPoint
        Points of the target, and of the learned diagram, without a partner.
    outside : tuple of SpecialPoint
        Points of either diagram that lie outside the box and have no partner: listed, not judged.
    branch_distance : float or None
        See `bifrncrn.comparison.branch_distance.branch_distance`; None when one diagram has no branch in the box.
    orbit_distance : float or None
        None: periodic orbits are not compared in this version.
    notes : tuple of str
        What a reader should know.
    """

    target: Diagram
    learned: Diagram
    tolerance: float
    box: dict[str, tuple[float, float]] | None
    names: dict[str, str]
    matched: tuple[Match, ...]
    missing: tuple[SpecialPoint, ...]
    extra: tuple[SpecialPoint, ...]
    outside: tuple[SpecialPoint, ...]
    branch_distance: float | None
    orbit_distance: float | None
    notes: tuple[str, ...]

    @property
    def parameter(self) -> str:
        """The name of the target's continuation parameter."""
        return self.target.parameter

    @property
    def verdict(self) -> bool:
        """Whether no special point is missing, extra, of another criticality or further off than the tolerance."""
        return not self.missing and not self.extra and all(match.ok for match in self.matched)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain JSON, schema `bifrncrn.comparison/1`."""
        return {
            "schema": SCHEMA,
            "target": self.target.model,
            "learned": self.learned.model,
            "parameter": self.parameter,
            "range": list(common_range(self.target, self.learned)),
            "box": None if self.box is None else {name: list(side) for name, side in self.box.items()},
            "tolerance": self.tolerance,
            "matched": [match.to_json() for match in self.matched],
            "missing": [point.to_json() for point in self.missing],
            "extra": [point.to_json() for point in self.extra],
            "outside": [point.to_json() for point in self.outside],
            "branch_distance": self.branch_distance,
            "orbit_distance": self.orbit_distance,
            "notes": list(self.notes),
            "verdict": self.verdict,
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the comparison as JSON; the file appears whole or not at all."""
        write_atomic(path, json.dumps(self.to_json(), allow_nan=False) + "\n")

    def plot(self, show: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw both diagrams over each other; see `bifrncrn.plots.plots.plot_comparison`."""
        from bifrncrn.plots.plots import plot_comparison

        return plot_comparison(self, show=show, ax=ax)

    def __str__(self) -> str:
        return _report(self)


def common_range(target: Diagram, learned: Diagram) -> tuple[float, float]:
    """Return the interval of the parameter that both diagrams cover."""
    low, high = max(target.range[0], learned.range[0]), min(target.range[1], learned.range[1])
    if not low < high:
        raise InputError(
            f"the ranges of the two diagrams, {list(target.range)} and {list(learned.range)}, do not overlap; "
            "trace both on one range"
        )
    return float(low), float(high)


def where(point: SpecialPoint, parameter: str) -> str:
    """Return a special point's label and place in words."""
    return f"{point.label} at {parameter} = {format_number(point.parameters[parameter])}"


def _report(comparison: Comparison) -> str:
    """Return the comparison as text for people."""
    low, high = common_range(comparison.target, comparison.learned)
    name, theirs = comparison.parameter, comparison.learned.parameter
    region = f"{name} in [{low:g}, {high:g}]"
    region += "".join(f", {key} in [{a:g}, {b:g}]" for key, (a, b) in (comparison.box or {}).items())
    lines = [f"target   {comparison.target.model}", f"learned  {comparison.learned.model}", f"region   {region}", ""]
    if comparison.matched:
        header = ["label", f"target {name}", f"learned {theirs}", "shift", "criticality", "within tolerance"]
        lines += [format_table(header, [_row(match, name, theirs) for match in comparison.matched]), ""]
    for word, points in (
        ("missing", comparison.missing),
        ("extra", comparison.extra),
        ("outside the box", comparison.outside),
    ):
        lines += [f"{word}: {where(p, name if name in p.parameters else theirs)}" for p in points]
    lines += [f"note: {note}" for note in comparison.notes]
    lines.append(
        f"branch distance {format_number(comparison.branch_distance, 3)} (root mean square, in units of the region)"
    )
    verdict = "agree" if comparison.verdict else "differ"
    lines.append(f"verdict: the special points {verdict} at tolerance {comparison.tolerance:g}")
    return "\n".join(lines)


def _row(match: Match, name: str, theirs: str) -> list[str]:
    ours, learned = criticality(match.target), criticality(match.learned)
    return [
        match.label,
        format_number(match.target.parameters[name]),
        format_number(match.learned.parameters[theirs]),
        f"{match.parameter_shift:+.4g}",
        (ours or "-") if ours == learned else f"{ours or '?'} -> {learned or '?'}",
        "yes" if match.within_tolerance else "no",
    ]

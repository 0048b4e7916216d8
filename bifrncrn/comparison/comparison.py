"""What a comparison of two diagrams found: tables, JSON, text."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrncrn.base.files import write_atomic
from bifrncrn.base.tables import Reported, folded, format_number, format_table, printable
from bifrncrn.comparison.window import common_range
from bifrncrn.diagrams.results import Diagram, SpecialPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifrncrn.proofs.result import Proof

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
    rate_error : float or None
        Relative difference of the frequencies at Hopf points, of the periods at points on cycles; None elsewhere.
    tolerance : float
        The largest `parameter_error` that is within the tolerance, in the parameter's unit.
    shape_tolerance : float
        The largest `state_error` and `rate_error` that is within the tolerance.
    """

    label: str
    target: SpecialPoint
    learned: SpecialPoint
    parameter_shift: float
    state_error: float | None
    rate_error: float | None
    tolerance: float
    shape_tolerance: float

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
        a, b = self.target.criticality, self.learned.criticality
        return None if a is None or b is None else a == b

    @property
    def ok(self) -> bool:
        """Whether the learned point is within the tolerances and not of another criticality."""
        errors = [error for error in (self.state_error, self.rate_error) if error is not None]
        near = all(error <= self.shape_tolerance for error in errors)
        return self.within_tolerance and near and self.same_criticality is not False

    def to_json(self) -> dict[str, Any]:
        """Return the pair as plain JSON."""
        return {
            "label": self.label,
            "target": self.target.to_json(),
            "learned": self.learned.to_json(),
            "parameter_error": self.parameter_error,
            "parameter_shift": self.parameter_shift,
            "state_error": self.state_error,
            "rate_error": self.rate_error,
            "criticality": {"target": self.target.criticality, "learned": self.learned.criticality},
            "ok": self.ok,
        }


@dataclass(frozen=True)
class Disagreement:
    """Something that differs over an interval of the parameter, and how it looks in its middle."""

    low: float
    high: float
    text: str


@dataclass(frozen=True, eq=False)
class Stability:
    """Where the two have other numbers of equilibria or cycles, or such of other stability.

    Attributes
    ----------
    equilibria, cycles : tuple of Disagreement
    values : tuple of float
        The parameter values that were looked at.
    """

    equilibria: tuple[Disagreement, ...]
    cycles: tuple[Disagreement, ...]
    values: tuple[float, ...]

    @property
    def agree(self) -> bool:
        """Whether there is no disagreement."""
        return not self.equilibria and not self.cycles

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "agree": self.agree,
            "equilibria": [vars(part) for part in self.equilibria],
            "cycles": [vars(part) for part in self.cycles],
            "values": len(self.values),
        }


@dataclass(frozen=True)
class ComparedCycle:
    """Two corresponding cycles at one parameter value.

    Attributes
    ----------
    value : float
        Of the parameter.
    hausdorff : float
        The Hausdorff distance of their curves, in units of the first one's size.
    distance : float
        Root mean square distance at equal phases, best shifted, in the same unit.
    periods : (float, float)
    """

    value: float
    hausdorff: float
    distance: float
    periods: tuple[float, float]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Reported):
    """What a learned diagram has in common with its target's, and what not.

    Attributes
    ----------
    target, learned : Diagram
        The two diagrams, with the cycles that were followed for the comparison.
    tolerance : float
        How far a special point may be off, relative to the width of the parameter's range.
    shape_tolerance : float
        How much all else may differ, relatively.
    words : (str, str)
        What the two are called: `target` and `learned`, or `first` and `second`.
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
        See `branch_distance.branch_distance`; None when one diagram has no branch in the box.
    orbit_distance : float or None
        The largest distance at equal phases of the cycles compared, in units of their size; None where none were.
    cycles : tuple of ComparedCycle
        Cycles whose shapes were compared.
    stability : Stability or None
        Number and stability of equilibria and cycles over the range; None where the two have no state in common.
    reasons : tuple of str
        A sentence for every disagreement.
    unjudged : tuple of str
        A sentence for everything that could not be judged.
    notes : tuple of str
        What else a reader should know.
    proof : Proof or None
        What is proved about the network's equilibria in the box, where it was asked for; no part of the verdict.
    """

    target: Diagram
    learned: Diagram
    tolerance: float
    shape_tolerance: float
    words: tuple[str, str]
    box: dict[str, tuple[float, float]] | None
    names: dict[str, str]
    matched: tuple[Match, ...]
    missing: tuple[SpecialPoint, ...]
    extra: tuple[SpecialPoint, ...]
    outside: tuple[SpecialPoint, ...]
    branch_distance: float | None
    orbit_distance: float | None
    cycles: tuple[ComparedCycle, ...]
    stability: Stability | None
    reasons: tuple[str, ...]
    unjudged: tuple[str, ...]
    notes: tuple[str, ...]
    proof: Proof | None = None

    @property
    def parameter(self) -> str:
        """The name of the target's continuation parameter."""
        return self.target.parameter

    @property
    def verdict(self) -> bool:
        """Whether special points, equilibria, their stability and cycles were all judged, and agree."""
        return not self.reasons and not self.unjudged

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain JSON, schema `bifrncrn.comparison/1`."""
        return {
            "schema": SCHEMA,
            "target": self.target.model,
            "learned": self.learned.model,
            "words": list(self.words),
            "parameter": self.parameter,
            "range": list(common_range(self.target, self.learned)),
            "box": None if self.box is None else {name: list(side) for name, side in self.box.items()},
            "tolerance": self.tolerance,
            "shape_tolerance": self.shape_tolerance,
            "matched": [match.to_json() for match in self.matched],
            "missing": [point.to_json() for point in self.missing],
            "extra": [point.to_json() for point in self.extra],
            "outside": [point.to_json() for point in self.outside],
            "branch_distance": self.branch_distance,
            "orbit_distance": self.orbit_distance,
            "cycles": [{**vars(cycle), "periods": list(cycle.periods)} for cycle in self.cycles],
            "stability": None if self.stability is None else self.stability.to_json(),
            "reasons": list(self.reasons),
            "unjudged": list(self.unjudged),
            "notes": list(self.notes),
            "verdict": self.verdict,
            **({} if self.proof is None else {"proof": self.proof.to_json()}),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the comparison as JSON; the file appears whole or not at all."""
        write_atomic(path, json.dumps(self.to_json(), allow_nan=False) + "\n")

    def plot(self, show: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw both diagrams over each other; see `bifrncrn.plots.comparison.plot_comparison`."""
        from bifrncrn.plots.comparison import plot_comparison

        return plot_comparison(self, show=show, ax=ax)

    def plot_phases(self, ax: Axes | None = None) -> Axes | None:
        """Draw the cycles of both in the plane of two states; see `bifrncrn.plots.comparison.plot_phases`."""
        from bifrncrn.plots.comparison import plot_phases

        return plot_phases(self, ax)

    def __str__(self) -> str:
        return _report(self) + ("" if self.proof is None else f"\n\n{self.proof}")


def where(point: SpecialPoint, parameter: str) -> str:
    """Return a special point's label and place in words."""
    return f"{point.label} at {parameter} = {format_number(point.parameters[parameter])}"


def _report(comparison: Comparison) -> str:
    """Return the comparison as text for people."""
    low, high = common_range(comparison.target, comparison.learned)
    name, theirs = comparison.parameter, comparison.learned.parameter
    one, two = comparison.words
    region = f"{name} in [{low:g}, {high:g}]"
    region += "".join(f", {key} in [{a:g}, {b:g}]" for key, (a, b) in (comparison.box or {}).items())
    models = [f"{word:<7}  {side.model}" for word, side in zip((one, two), (comparison.target, comparison.learned))]
    lines = [*models, f"region   {region}", ""]
    if comparison.matched:
        header = ["label", f"{one} {name}", f"{two} {theirs}", "shift", "criticality", "rate", "agrees"]
        lines += [format_table(header, [match_row(match, name, theirs) for match in comparison.matched]), ""]
    if comparison.cycles:
        header = [name, f"{one} period", f"{two} period", "curves apart", "at equal phases"]
        lines += [format_table(header, [cycle_row(cycle) for cycle in comparison.cycles]), ""]
    lines += [f"outside the box: {where(p, name if name in p.parameters else theirs)}" for p in comparison.outside]
    distances = [("branch", comparison.branch_distance, "region"), ("orbit", comparison.orbit_distance, "cycle")]
    lines += [
        f"{word} distance {format_number(value, 3)} (root mean square, in units of the {unit})"
        for word, value, unit in distances
        if value is not None or word == "branch"
    ]
    lines += [f"note: {note}" for note in comparison.notes]
    lines += [f"differs: {reason}" for reason in comparison.reasons]
    lines += [f"not judged: {reason}" for reason in comparison.unjudged]
    verdict = "differ" if comparison.reasons else "not wholly judged" if comparison.unjudged else "agree"
    lines.append(
        f"verdict: {'the two ' if verdict != 'not wholly judged' else ''}{verdict}, at tolerance "
        f"{comparison.tolerance:g} of the range and {comparison.shape_tolerance:g} for all else"
    )
    return printable(folded("\n".join(lines)))


def match_row(match: Match, name: str, theirs: str) -> list[str]:
    """Return a pair of special points as a row of the report's table."""
    ours, learned = match.target.criticality, match.learned.criticality
    return [
        match.label,
        format_number(match.target.parameters[name]),
        format_number(match.learned.parameters[theirs]),
        f"{match.parameter_shift:+.4g}",
        (ours or "-") if ours == learned else f"{ours or '?'} -> {learned or '?'}",
        "-" if match.rate_error is None else f"{100 * match.rate_error:.2g} % off",
        "yes" if match.ok else "no",
    ]


def cycle_row(cycle: ComparedCycle) -> list[str]:
    """Return a pair of cycles as a row of the report's table."""
    return [
        format_number(cycle.value, 5),
        *(format_number(period, 6) for period in cycle.periods),
        format_number(cycle.hausdorff, 3),
        format_number(cycle.distance, 3),
    ]

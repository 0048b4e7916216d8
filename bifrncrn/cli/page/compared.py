"""The report of a comparison."""

from __future__ import annotations

from bifrncrn.base.tables import format_number
from bifrncrn.cli.page.layers import Layer
from bifrncrn.cli.page.sections import Parts, branches, formulas, section, special_points, table, text
from bifrncrn.comparison.comparison import Comparison, cycle_row, match_row
from bifrncrn.diagrams.summary import summary


def parts_of(found: Comparison) -> Parts:
    """Return what the page of a comparison is made of."""
    layers = both(found)
    parts = [section("Comparison", verdict(found))]
    for layer in layers:
        title = f"{layer.word[:1].upper()}{layer.word[1:]}: {layer.diagram.model}"
        parts.append(section(title, special_points(layer.diagram), branches(layer.diagram)))
    for layer in layers:
        parts.append(section(f"Equations, {layer.word}", formulas(layer.system)))
    says = "; ".join(f"{layer.word}: {summary(layer.diagram) or 'no summary'}" for layer in layers)
    return Parts(f"{found.target.model} and {found.learned.model}", says, layers if found.names else [], parts)


def both(found: Comparison) -> list[Layer]:
    """Return the two diagrams, the states by the target's names."""
    one, two = found.words
    return [Layer(one, found.target, {name: name for name in found.names}), Layer(two, found.learned, found.names)]


def verdict(found: Comparison) -> str:
    """Return the verdict with its reasons, and the tables of points and cycles."""
    one, two = found.words
    word = "differ" if found.reasons else "not wholly judged" if found.unjudged else "agree"
    parts = [
        f'<p>Verdict: <span class="{"good" if found.verdict else "bad"}">{word}</span>, at tolerance '
        f"{found.tolerance:g} of the range and {found.shape_tolerance:g} for all else.</p>"
    ]
    listed = [f"differs: {reason}" for reason in found.reasons] + [f"not judged: {reason}" for reason in found.unjudged]
    parts += ["<ul>", *(f"<li>{text(line)}</li>" for line in listed), "</ul>"] if listed else []
    name, theirs = found.parameter, found.learned.parameter
    if found.matched:
        header = ["label", f"{one} {name}", f"{two} {theirs}", "shift", "criticality", "rate", "agrees"]
        parts.append(table(header, [match_row(match, name, theirs) for match in found.matched]))
    if found.cycles:
        header = [name, f"{one} period", f"{two} period", "curves apart", "at equal phases"]
        parts.append(table(header, [cycle_row(cycle) for cycle in found.cycles]))
    pairs = [("branch", found.branch_distance, "region"), ("orbit", found.orbit_distance, "cycle")]
    parts += [
        f"<p>{what} distance {format_number(value, 3)} (root mean square, in units of the {unit})</p>"
        for what, value, unit in pairs
        if value is not None
    ]
    return "".join(parts)

"""The parts of a report below its picture, as HTML: tables, equations, reactions, how it was computed."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bifrncrn import __version__
from bifrncrn.base.labels import is_shown, meaning
from bifrncrn.base.tables import format_number, printable
from bifrncrn.cli.page.layers import Layer
from bifrncrn.continuation.options import Options
from bifrncrn.diagrams.results import COEFFICIENTS, Diagram, SpecialPoint
from bifrncrn.models.system import System
from bifrncrn.models.typeset import display, equations

if TYPE_CHECKING:
    from bifrncrn.chemistry.reactions.network import ReactionNetwork

STATES = 8
ROWS = 200
FORMULAS = 60
LONGEST = 4000
"""Characters of a formula above which it is left out: nobody reads it."""
REACTIONS = 400


class Parts(NamedTuple):
    """What a page is made of: its title, a sentence, the diagrams of its picture, and sections of HTML."""

    title: str
    says: str
    layers: list[Layer]
    sections: list[str]


def text(value: str) -> str:
    """Return text as HTML that shows it, whatever it holds."""
    return escape(printable(value))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; what is too long is cut, and that is said."""
    head = "".join(f"<th>{text(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in rows[:ROWS])
    more = f'<p class="note">and {len(rows) - ROWS} more</p>' if len(rows) > ROWS else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}'


def section(title: str, *parts: str) -> str:
    """Return a part of the page under its title."""
    return f"<section><h2>{text(title)}</h2>{''.join(parts)}</section>"


def special_points(diagram: Diagram) -> str:
    """Return the table of special points."""
    points = [point for point in diagram.special_points if is_shown(point.label)]
    if not points:
        return "<p>no special point</p>"
    parameters = [diagram.parameter, *([diagram.second] if diagram.second else [])]
    states = list(dict.fromkeys(name for point in points for name in point.state))[:STATES]
    facts = [name for name in COEFFICIENTS if any(getattr(point, name) is not None for point in points)]
    header = ["label", "", "branch", *parameters, *states, *facts, "status"]
    return table(header, [_point(point, parameters, states, facts) for point in points])


def _point(point: SpecialPoint, parameters: list[str], states: list[str], facts: list[str]) -> list[str]:
    words = " ".join(word for word in (point.criticality, meaning(point.label)) if word)
    places = [format_number(point.parameters.get(name), 12) for name in parameters]
    return [
        point.label,
        point.event or words,
        str(point.branch),
        *places,
        *(format_number(point.state.get(name), 9) for name in states),
        *(format_number(getattr(point, name), 8) for name in facts),
        point.status,
    ]


def branches(diagram: Diagram) -> str:
    """Return the table of branches, with why each ends."""
    rows = []
    for branch in diagram.branches:
        values = branch.points[:, 0]
        counts = ", ".join("?" if count < 0 else str(count) for count in np.unique(branch.unstable).tolist())
        ends = "; ".join(dict.fromkeys(end.message for end in branch.ended))
        span = f"{values.min():.8g} to {values.max():.8g}" if len(values) else "-"
        rows.append([str(branch.id), branch.kind.replace("_", " "), str(len(values)), span, counts, ends])
    return table(["branch", "kind", "points", diagram.parameter, "unstable", "ends"], rows)


def formulas(system: System | None) -> str:
    """Return the equations of a model, its parameter values and start."""
    if system is None:
        return '<p class="note">The file holds no model.</p>'
    found = equations(system)
    if not found:
        return '<p class="note">The model is a function of the programming language; it has no formulas.</p>'
    shown = [one for one in found if len(one[1].latex) < LONGEST][:FORMULAS]
    parts = ['<div class="equations">', *(display(*one) for one in shown), "</div>"]
    if len(shown) < len(found):
        parts.append(f'<p class="note">{len(found) - len(shown)} more formulas are in the model.</p>')
    if any("rncrn_s(" in formula for formula in (*system.definitions.values(), *system.equations.values())):
        parts.append(
            '<p class="note">s(z, γ, τ) is the positive root s of τ s² − z s − γ = 0: a perceptron at rest.</p>'
        )
    values = [[name, f"{value:.12g}"] for name, value in zip(system.parameters, system.values.tolist(), strict=True)]
    parts += [table(["parameter", "value"], values)] if values else []
    return "".join(parts)


def reactions(network: ReactionNetwork) -> str:
    """Return the reactions of a network with their rates."""
    rows = [[str(one), f"{one.rate:.8g}"] for one in network.reactions[:REACTIONS]]
    note = (
        "" if network.mu is None else f'<p class="note">The fast species have the time-scale mu = {network.mu:g}.</p>'
    )
    return note + table(["reaction", "rate"], rows)


def computed(command: str | None, notes: Sequence[str], counters: dict[str, int], options: Options | None) -> str:
    """Return how the results came about."""
    steps = {k: v for k, v in asdict(options or Options()).items() if k != "until" and v is not None}
    rows = [["command", command]] if command else []
    rows.append(["versions", f"bifrncrn {__version__}, Python {platform.python_version()}, numpy {np.__version__}"])
    rows.append(["steps", ", ".join(f"{name} = {value:g}" for name, value in steps.items())])
    rows += [["effort", ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in counters.items())]] * bool(
        counters
    )
    said = "".join(f"<li>{text(note)}</li>" for note in notes)
    method = (
        "Branches are followed by pseudo-arclength continuation in compiled code; special points are located by "
        "Newton's method on their defining equations; cycles are computed by orthogonal collocation on adapted meshes. "
        "Time series start beside the equilibrium that was clicked, along its leading eigenvector; other equilibria "
        "and cycles in the phase plane are interpolated between neighbouring points of their branches. Numbers in the "
        "pictures are rounded to six digits."
    )
    return table(["", ""], rows) + (f"<ul>{said}</ul>" if said else "") + f'<p class="note">{method}</p>'

"""Write the report of a result as one HTML page: it loads nothing, and its policy lets it reach nothing."""

from __future__ import annotations

import json
import os
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrncrn.base.checks import file_name
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.cli.page import sections
from bifrncrn.cli.page.layers import Layer, chosen, curves, plane, point, states_of
from bifrncrn.cli.page.moments import moment
from bifrncrn.diagrams.results import Diagram
from bifrncrn.diagrams.summary import summary

if TYPE_CHECKING:
    from bifrncrn.chemistry.reactions.network import ReactionNetwork
    from bifrncrn.comparison.comparison import Comparison
    from bifrncrn.training.classifier import ClassifierFit
    from bifrncrn.training.controlled_fit import ControlledFit
    from bifrncrn.training.fit_result import Fit

SUFFIXES = (".html", ".htm")
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>{style}</style></head><body>
<h1>{title}</h1><p class="says">{says}</p>
{body}
<script type="application/json" id="data">{data}</script>
<script>{plotly}</script><script>{script}</script>
</body></html>
"""
FIGURE = """<div class="figure"><div>
<p class="hint">Point at a marker for its numbers; click it for what happens there. <label>vertical axis
<select id="show">{choices}</select></label></p><div id="diagram"></div></div>
<div><p class="moment" id="moment"></p><div id="series"></div><div id="plane"></div></div></div>"""


def check_page(path: str | os.PathLike[str]) -> None:
    """Raise InputError unless a report can be written under this name, and with what is installed."""
    if Path(file_name(path)).suffix.lower() not in SUFFIXES:
        raise InputError(f"cannot write a report to {str(path)!r}: name a file that ends in .html")
    _plotly()


def save_report(
    result: Diagram | Comparison | Fit | ControlledFit | ClassifierFit,
    path: str | os.PathLike[str],
    *,
    comparison: Comparison | None = None,
    reactions: ReactionNetwork | None = None,
    command: str | None = None,
) -> None:
    """Write a result as one HTML page that works without a network: pictures to click, tables, equations, methods.

    Needs plotly, the extra `report`.

    Parameters
    ----------
    result : Diagram, Comparison, Fit, ControlledFit or ClassifierFit
    path : str or path
        Ends in .html; the file appears whole or not at all.
    comparison : Comparison, optional
        With a fit: the trained network compared with its target, which is then in the picture.
    reactions : ReactionNetwork, optional
        The model as reactions, to be listed.
    command : str, optional
        How the result was made, to be quoted.

    Raises
    ------
    InputError
        If the result is of another kind, the name has another suffix, or plotly is not installed.
    """
    check_page(path)
    title, says, layers, parts = _parts(result, comparison)
    parts += [sections.section("Reactions", sections.reactions(reactions))] if reactions is not None else []
    diagram = layers[-1].diagram if layers else None
    notes, counters = (diagram.notes, diagram.counters) if diagram else ((), {})
    parts.append(
        sections.section(
            "How it was computed",
            sections.computed(command, notes, counters, diagram.options if diagram else None),
        )
    )
    data = _picture(layers)
    body = [_figure(data), *parts] if layers else parts
    text = PAGE.format(
        title=sections.text(title),
        policy=POLICY,
        style=_own("page.css"),
        says=sections.text(says),
        body="\n".join(body),
        data=json.dumps(data, allow_nan=False, separators=(",", ":")).replace("</", "<\\/"),
        plotly=_plotly().read_text(encoding="utf-8").replace("</script", "<\\/script"),
        script=_own("page.js"),
    )
    write_atomic(path, text)


def _parts(
    result: Diagram | Comparison | Fit | ControlledFit | ClassifierFit, comparison: Comparison | None
) -> sections.Parts:
    """Return what the page of a result is made of; what is heavy is loaded for its own kind only."""
    if isinstance(result, Diagram):
        return _of_diagram(result)
    from bifrncrn.cli.page import compared
    from bifrncrn.comparison.comparison import Comparison

    if isinstance(result, Comparison):
        return compared.parts_of(result)
    from bifrncrn.cli.page import trained
    from bifrncrn.training.classifier import ClassifierFit
    from bifrncrn.training.controlled_fit import ControlledFit
    from bifrncrn.training.fit_result import Fit

    if isinstance(result, Fit):
        return trained.parts_of(result, comparison)
    if isinstance(result, ControlledFit):
        return trained.parts_of_controlled(result)
    if isinstance(result, ClassifierFit):
        return trained.parts_of_classifier(result)
    raise InputError(f"a report is made of a diagram, a comparison or a fit, not of {type(result).__name__}")


def _of_diagram(diagram: Diagram) -> sections.Parts:
    names = states_of(diagram)
    layer = Layer("", diagram, {name: name for name in names})
    parts = [sections.section("Special points", sections.special_points(diagram))]
    parts.append(sections.section("Branches", sections.branches(diagram)))
    parts.append(sections.section("Equations", sections.formulas(layer.system)))
    low, high = diagram.range
    says = summary(diagram)
    where = f"{diagram.parameter} in [{low:g}, {high:g}]"
    return sections.Parts(diagram.model or "model", f"{where}: {says}" if says else where, [layer], parts)


def _picture(layers: list[Layer]) -> dict[str, Any]:
    """Return the data of the pictures."""
    if not layers:
        return {"layers": []}
    states = list(layers[0].names)
    points = []
    for number, branch, rows in chosen(layers):
        for row in rows:
            one = {"layer": number, **point(layers[number], branch, row, states)}
            points.append(one | {"moment": moment(layers, layers[number], branch, row, states)})
    # first shown is what oscillates where something does, else a special point
    order = sorted(range(len(points)), key=lambda k: (points[k]["moment"] is None, points[k]["kind"] != "periodic"))
    last = len(layers) - 1
    cycles = [
        k for k in order if points[k]["kind"] == "periodic" and points[k]["layer"] == last and points[k]["moment"]
    ]
    first = cycles[len(cycles) // 2] if cycles else order[0] if order else 0
    diagram = layers[0].diagram
    return {
        "parameter": diagram.parameter,
        "states": states,
        "layers": [layer.word for layer in layers],
        "curves": curves(layers, states),
        "points": points,
        "first": first,
        "second": plane(diagram),
        "secondName": diagram.second,
    }


def _figure(data: dict[str, Any]) -> str:
    shown = list(dict.fromkeys(curve["show"] for curve in data["curves"]))
    if not shown and not data["second"]:
        return "<p>no branch was found</p>"
    choices = "".join(f"<option>{sections.text(name)}</option>" for name in shown)
    parts = [FIGURE.format(choices=choices)] if shown else []
    title = f"In two parameters, {data['parameter']} and {data['secondName']}"
    parts += [sections.section(title, '<div id="second"></div>')] if data["second"] else []
    return "".join(parts)


def _own(name: str) -> str:
    return (files("bifrncrn.cli.page") / name).read_text(encoding="utf-8")


def _plotly() -> Path:
    """Return plotly's script as the package of that name ships it; nothing of the package is imported."""
    spec = find_spec("plotly")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    for place in places:
        script = Path(place) / "package_data" / "plotly.min.js"
        if script.is_file():
            return script
    raise InputError("a report needs plotly, which is not installed; pip install 'bifrncrn[report]'")

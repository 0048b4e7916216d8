"""Diagrams as the data of an interactive picture: curves, and points that can be pointed at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.base.labels import KINDS, is_shown, meaning
from bifrncrn.base.tables import format_number
from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint
from bifrncrn.models.system import System
from bifrncrn.plots.curves import smooth
from bifrncrn.plots.runs import stability_runs

DRAWN_KINDS = ("equilibrium", "periodic", "fixed_point")
STATES = 12
"""States that can be chosen for the vertical axis, at most: each is drawn beforehand."""
DRAWN = 40_000
"""Points of all curves together, beyond which they are not smoothed, but thinned."""
POINTED = 40
"""Points of all branches together that can be pointed at, beside the special ones."""
LEAST = 6
MARKER = 0.015
"""The size of a marker, in terms of the picture."""
DIGITS = 6


@dataclass(frozen=True)
class Layer:
    """A diagram of the picture.

    Attributes
    ----------
    word : str
        What it is called in the legend; empty where there is only one.
    diagram : Diagram
    names : dict of str to str
        For each state of the page, what this diagram calls it.
    """

    word: str
    diagram: Diagram
    names: Mapping[str, str]

    @property
    def system(self) -> System | None:
        """The model with all its variables."""
        reduction = self.diagram.reduction
        return self.diagram.system if reduction is None else reduction.whole

    @property
    def branches(self) -> list[Branch]:
        """Those of equilibria, of cycles and of fixed points."""
        return [branch for branch in self.diagram.branches if branch.kind in DRAWN_KINDS]


def states_of(diagram: Diagram) -> list[str]:
    """Return the names of the states of a diagram."""
    for branch in diagram.branches:
        names = (name.removeprefix("min ").removeprefix("max ") for name in branch.columns[1:])
        if branch.kind in DRAWN_KINDS:
            return [name for name in dict.fromkeys(names) if name not in (diagram.parameter, "period")]
    return []


def curves(layers: list[Layer], states: list[str]) -> list[dict[str, Any]]:
    """Return what is drawn: for each run of one stability, x and y for every quantity that can be shown."""
    shown = [*states[:STATES], "period"]
    rows = sum(len(b.points) * (1 + (b.kind == "periodic")) for layer in layers for b in layer.branches) * len(shown)
    stride = -(-rows // DRAWN)
    out = []
    for number, layer in enumerate(layers):
        for branch in layer.branches:
            special = {point.index for point in layer.diagram.special_points if point.branch == branch.id}
            runs = stability_runs(branch.stability, special)
            for name in shown:
                for values in _columns(branch, layer, name):
                    extent = (layer.diagram.range[1] - layer.diagram.range[0], _size(values))
                    for part, stability in runs:
                        x, y = branch.points[part, 0], values[part]
                        if stride > 1:
                            keep = np.unique(np.append(np.arange(0, len(x), stride), len(x) - 1))
                            x, y = x[keep], y[keep]
                        elif rows * 8 < DRAWN:
                            x, y = smooth(x, y, extent)
                        kind, xy = branch.kind, {"x": rounded(x), "y": rounded(y)}
                        out.append({"layer": number, "kind": kind, "stability": stability, "show": name, **xy})
    return out


def _size(values: np.ndarray) -> float:
    """Return the extent of a curve, of one that is constant to rounding a part of its value."""
    finite = values[np.isfinite(values)]
    return float(max(np.ptp(finite), 0.02 * np.abs(finite).max())) or 1.0 if finite.size else 1.0


def _columns(branch: Branch, layer: Layer, name: str) -> list[np.ndarray]:
    own = layer.names.get(name, name)
    if name == "period":
        return [branch.column("period")] if branch.kind == "periodic" else []
    wanted = (f"min {own}", f"max {own}") if branch.kind == "periodic" else (own,)
    return [branch.column(column) for column in wanted if column in branch.columns]


def chosen(layers: list[Layer]) -> list[tuple[int, Branch, list[int]]]:
    """Return the rows of every branch that can be pointed at: special points, and some between."""
    count = sum(len(layer.branches) for layer in layers) or 1
    some = max(LEAST, POINTED // count)
    out = []
    for number, layer in enumerate(layers):
        for branch in layer.branches:
            special = {point.index for point in layer.diagram.special_points if point.branch == branch.id}
            between = np.unique(np.linspace(0, len(branch.points) - 1, min(some, len(branch.points))).astype(int))
            out.append((number, branch, sorted(special | (set(between.tolist()) - _hidden(branch, special)))))
    return out


def _hidden(branch: Branch, special: set[int]) -> set[int]:
    """Return the rows that would lie under the marker of a special point: near one, and cycles that are a point yet."""
    sizes = np.ptp(branch.points, axis=0)
    scaled = branch.points / np.where(sizes > 0.0, sizes, 1.0)
    near = {
        row
        for other in special
        for row in np.flatnonzero(np.max(np.abs(scaled - scaled[other]), axis=1) < MARKER).tolist()
    }
    names = [name for name in branch.columns if name.startswith("min ")]
    if branch.kind == "periodic" and names:
        wide = np.max([branch.column(f"max {name[4:]}") - branch.column(name) for name in names], axis=0)
        near |= set(np.flatnonzero(wide < 0.1 * MARKER * np.max(wide)).tolist())
    return near


def point(layer: Layer, branch: Branch, row: int, states: list[str]) -> dict[str, Any]:
    """Return a point that can be pointed at: where it is for each quantity, and what is said of it."""
    heights = {name: [c[row] for c in _columns(branch, layer, name)] for name in (*states[:STATES], "period")}
    special = [s for s in layer.diagram.special_points if s.branch == branch.id and s.index == row]
    marks = [s for s in special if is_shown(s.label)]
    return {
        "kind": branch.kind,
        "stability": str(branch.stability[row]),
        "label": ", ".join(dict.fromkeys(s.label + ("" if s.status == "converged" else "?") for s in marks)),
        "x": number(branch.points[row, 0]),
        "y": {name: rounded(np.array(values)) for name, values in heights.items() if values},
        "says": _says(layer, branch, row, marks),
    }


def _says(layer: Layer, branch: Branch, row: int, special: list[SpecialPoint]) -> list[str]:
    """Return the lines that are shown beside a point."""
    kind = str(branch.stability[row])
    what = {"periodic": "cycle", "fixed_point": "fixed point"}.get(branch.kind, "equilibrium")
    what = f"{branch.iterations}-cycle" if (branch.iterations or 1) > 1 else what
    if special:
        # a special point has an eigenvalue or multiplier on the border of stability
        lines = [_described(s) for s in special]
    else:
        lines = [f"{what}, {'stability not computed' if kind == 'unknown' else kind}"]
    lines[0] = f"{layer.word}: {lines[0]}" if layer.word else lines[0]
    pairs = list(zip(branch.columns, branch.points[row].tolist(), strict=True))
    lines += [f"{name} = {format_number(value, 8)}" for name, value in pairs[:10]]
    lines += [f"({len(pairs) - 10} more)"] if len(pairs) > 10 else []
    word = "multipliers" if KINDS[branch.kind].multipliers else "eigenvalues"
    spectrum = getattr(branch, word)
    if spectrum.size and row < len(spectrum):
        lines.append(f"{word}: {_spectrum(spectrum[row])}")
    return lines


def _described(special: SpecialPoint) -> str:
    words = meaning(special.label)
    kind = special.criticality
    facts = [
        f"{name} = {format_number(v, 6)}" for name in ("omega", "l1", "a") if (v := getattr(special, name)) is not None
    ]
    facts += [kind] if kind else []
    facts += [] if special.status == "converged" else ["seen, not refined"]
    return f"{special.label}: {words}" + (f" ({', '.join(facts)})" if facts else "")


def _spectrum(values: np.ndarray) -> str:
    """Return eigenvalues as text, a pair of conjugate ones once."""
    out: list[str] = []
    for value in values.tolist():
        if value.imag < 0.0 and any(abs(value.conjugate() - other) < 1e-9 * abs(value) for other in values.tolist()):
            continue
        out.append(f"{value.real:.5g} ± {value.imag:.5g}i" if value.imag else f"{value.real:.5g}")
    return ", ".join(out[:8]) + (f" and {len(out) - 8} more" if len(out) > 8 else "")


def plane(diagram: Diagram) -> list[dict[str, Any]]:
    """Return the curves in two parameters, and the special points on them; empty where there are none."""
    if diagram.second is None:
        return []
    out: list[dict[str, Any]] = []
    for branch in diagram.branches:
        if diagram.second in branch.columns:
            x, y = branch.column(diagram.parameter), branch.column(diagram.second)
            out.append({"kind": branch.kind, "x": rounded(x), "y": rounded(y)})
    for special in diagram.special_points:
        if diagram.second in special.parameters:
            at = special.parameters[diagram.parameter], special.parameters[diagram.second]
            says = [_described(special), f"{diagram.parameter} = {at[0]:.8g}", f"{diagram.second} = {at[1]:.8g}"]
            out.append({"kind": "point", "label": special.label, "x": number(at[0]), "y": number(at[1]), "says": says})
    return out


def number(value: float) -> float | None:
    """Return a number with the digits that a picture needs; None for what is none."""
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def rounded(values: np.ndarray) -> list[float | None]:
    """Return numbers with the digits that a picture needs."""
    return [number(value) for value in np.asarray(values, float).tolist()]

"""Pictures of comparisons: a learned diagram over its target's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.plots.branches import Layer, draw_branches, finish, kinds_of, zoom
from bifrncrn.plots.curves import crossings, cycle_between, stability_between, states_of
from bifrncrn.plots.labels import add_labels
from bifrncrn.plots.style import (
    LEARNED,
    MARKER_SIZE,
    SIZE,
    TARGET,
    Style,
    add_legend,
    axes_of,
    dashes_of,
    form_of,
    line_keys,
    marker_key,
    name_axes,
    new_figure,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from bifrncrn.comparison.comparison import Comparison
    from bifrncrn.diagrams.results import Diagram

STREAM = 25
"""Points a side at which stream lines know their direction."""


def plot_comparison(comparison: Comparison, show: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw a learned diagram (thin, filled markers) over its target (broad and grey, hollow markers).

    Parameters
    ----------
    comparison : Comparison
        What to draw.
    show : str, optional
        The target's state on the vertical axis; by default the first that both have.
    ax : matplotlib axes, optional
        Where to draw; by default the only axes of a new figure.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagrams have no state in common, or no state `show`.
    """
    if not comparison.names:
        raise InputError("the two diagrams have no state in common, so they cannot be drawn over each other")
    name = next(iter(comparison.names)) if show is None else show
    if name not in comparison.names:
        raise InputError(f"there is no common state {name!r} to show; there are {', '.join(comparison.names)}")
    ax = axes_of(ax)
    target, learned = comparison.target, comparison.learned
    layers = [(target, name, TARGET), (learned, comparison.names[name], LEARNED)]
    for diagram, column, style in layers:
        draw_branches(ax, diagram, column, style)
    finish(
        ax, "; ".join(f"{word}: {one.model}" for word, one in zip(comparison.words, (target, learned))), name, layers
    )
    if comparison.box is not None and name in comparison.box:
        zoom(ax, comparison.box[name], layers)
    add_legend(ax, _keys(comparison, layers), columns=2)
    add_labels(ax, layers)
    return ax


def _keys(comparison: Comparison, layers: Sequence[Layer]) -> list[Line2D]:
    """Return the entries of the legend: a column for each diagram."""
    from matplotlib.lines import Line2D

    columns = []
    for word, (diagram, name, style) in zip(comparison.words, layers):
        keys = line_keys(style, kinds_of(diagram, name), f"{word}, ")
        if any(point.label != "EP" for point in diagram.special_points):
            keys.append(marker_key(style, f"{word}, special point"))
        columns.append(keys)
    short = len(columns[1]) - len(columns[0])
    return [*columns[0], *[Line2D([], [], color="none", label=" ")] * short, *columns[1]]


def plot_phases(comparison: Comparison, ax: Axes | None = None) -> Axes | None:
    """Draw the cycles and equilibria of both in the plane of two states, at the values where cycles were compared.

    Of a learned system of two states the stream lines at the middle value are drawn as well.

    Parameters
    ----------
    comparison : Comparison
    ax : matplotlib axes, optional
        Where to draw; by default the only axes of a new figure.

    Returns
    -------
    matplotlib axes, or None where no cycles were compared
    """
    values = [cycle.value for cycle in comparison.cycles]
    names = list(comparison.names.items())[:2]
    if not values or len(names) < 2:
        return None
    ax = axes_of(ax)
    sides = ((comparison.target, TARGET, 0), (comparison.learned, LEARNED, 1))
    for value in values:
        for diagram, style, which in sides:
            _draw_phase(ax, diagram, value, [pair[which] for pair in names], style)
    shown = ", ".join(f"{value:.4g}" for value in values)
    name_axes(ax, f"cycles at {comparison.parameter} = {shown}", *(pair[0] for pair in names))
    _stream(ax, comparison.learned, values[len(values) // 2], [pair[1] for pair in names])
    kinds = [
        [kind for kind in kinds_of(diagram, names[0][which]) if kind.endswith("cycle")] for diagram, _, which in sides
    ]
    words = zip(kinds, comparison.words, (TARGET, LEARNED))
    add_legend(ax, [key for found, word, style in words for key in _closed(style, found, word)], columns=2)
    return ax


def _closed(style: Style, kinds: list[str], word: str) -> list[Line2D]:
    """Return legend entries for cycles as closed curves, without the beads of their extremes."""
    from matplotlib.lines import Line2D

    dashes = {kind: dashes_of(kind.removesuffix(" cycle"), style) for kind in kinds}
    look: dict[str, Any] = {"color": style.cycles, "linewidth": style.width}
    return [Line2D([], [], label=f"{word}, {kind}", linestyle=line, **look) for kind, line in dashes.items()]


def _draw_phase(ax: Axes, diagram: Diagram, value: float, names: list[str], style: Style) -> None:
    for branch in diagram.branches:
        if branch.kind not in ("equilibrium", "periodic") or not set(names) <= set(states_of(branch)):
            continue
        for row, share in crossings(branch.column(diagram.parameter), value):
            kind = stability_between(branch, row)
            if branch.kind == "equilibrium":
                ends = np.array([[branch.column(name)[k] for name in names] for k in (row, row + 1)])
                look: dict[str, Any] = {"marker": "o", "markersize": MARKER_SIZE if style.filled else MARKER_SIZE + 4.0}
                face = style.colour if kind == "stable" else "white"
                at = (1.0 - share) * ends[0] + share * ends[1]
                ax.plot(*at, markerfacecolor=face, markeredgecolor=style.colour, zorder=style.layer + 1, **look)
            elif branch.profiles:
                curve = cycle_between(branch, row, share, names)
                dashes = dashes_of("unstable" if kind == "at a change" else kind, style)
                ax.plot(*curve, color=style.cycles, linewidth=style.width, linestyle=dashes, zorder=style.layer)


def _stream(ax: Axes, diagram: Diagram, value: float, names: list[str]) -> None:
    """Draw the stream lines of a system of these two states, in the limits of the axes."""
    system = diagram.system
    if system is None or diagram.reduction is not None or set(names) != set(system.variables):
        return
    limits = ax.get_xlim(), ax.get_ylim()
    x, y = (np.linspace(*ends, STREAM) for ends in limits)
    values = system.values.copy()
    values[system.parameter_index(diagram.parameter)] = value
    order = [names.index(name) for name in system.variables]
    with np.errstate(all="ignore"):
        rates = np.array([[system.rhs(np.array([a, b])[order], values) for a in x] for b in y])
    u, v = (rates[..., system.variables.index(name)] for name in names)
    if np.all(np.isfinite(rates)) and np.any(rates):
        ax.streamplot(x, y, u, v, color="#cccccc", linewidth=0.6, arrowsize=0.7, density=0.9, zorder=1)
    ax.set_xlim(*limits[0])
    ax.set_ylim(*limits[1])


def save_comparison(comparison: Comparison, path: str | os.PathLike[str], show: str | None = None) -> None:
    """Write the diagrams, and beside them the cycles where some were compared, to a PNG, PDF or SVG file."""
    form_of(path)
    figure = new_figure()
    phases = bool(comparison.cycles) and len(comparison.names) > 1
    if phases:
        figure.set_size_inches(1.75 * SIZE[0], SIZE[1])
    axes = figure.subplots(1, 1 + phases, squeeze=False, width_ratios=(4, 3)[: 1 + phases]).ravel()
    if phases:
        plot_phases(comparison, axes[1])
    plot_comparison(comparison, show=show, ax=axes[0])
    figure.set_layout_engine("none")
    save_figure(figure, path)

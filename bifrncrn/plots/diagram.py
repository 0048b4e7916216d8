"""Pictures of diagrams."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import printable
from bifrncrn.plots.branches import Layer, curves_of, draw_branches, finish, kinds_of, shown_of
from bifrncrn.plots.labels import add_labels
from bifrncrn.plots.loci import LOCI, plot_loci
from bifrncrn.plots.ranges import shade
from bifrncrn.plots.style import (
    FONT_SIZE,
    PLAIN,
    SIZE,
    add_legend,
    axes_of,
    form_of,
    line_keys,
    new_figure,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifrncrn.diagrams.results import Diagram


Range = tuple[str, float, float]


def plot_diagram(
    diagram: Diagram,
    show: str | None = None,
    ax: Axes | None = None,
    *,
    log: str = "",
    colour: str | None = None,
    label: str | None = None,
    ranges: Sequence[Range] = (),
) -> Axes:
    """Draw one state of a diagram against its parameter, or curves of folds and Hopf points in two parameters.

    Where a diagram has both, the curves in two parameters are left out (`save_diagram` draws both).

    Parameters
    ----------
    diagram : Diagram
        What to draw.
    show : str, optional
        What is on the vertical axis: a state (of periodic orbits its minimum and maximum are drawn), ``"max x"`` or
        ``"min x"`` of a state x, ``"norm"``, or ``"period"``; by default the first state.
    ax : matplotlib axes, optional
        Where to draw; by default the only axes of a new figure. What is drawn there already keeps its title and room.
    log : {"", "x", "y", "xy"}
        Axes that are logarithmic.
    colour, label : str, optional
        Colour of the diagram, and its name in the legend, where several are drawn over each other.
    ranges : sequence of (str, float, float)
        What the system does, from where to where, as `bifrncrn.diagrams.summary.ranges` says: shaded, in the legend.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If there is nothing to draw or nothing of the name `show`, or an axis to be logarithmic has no positive value.
    """
    if diagram.branches and all(branch.kind in LOCI for branch in diagram.branches):
        return plot_loci(diagram, axes_of(ax))
    diagram = without(diagram, LOCI)
    if not diagram.branches:
        return _plot_nothing(diagram, axes_of(ax))
    name = shown_of(diagram, show)
    layers = [(diagram, name, PLAIN if colour is None else replace(PLAIN, colour=colour, cycles=colour))]
    _check_log(log, layers)
    ax = axes_of(ax)
    before = _Before.of(ax)
    draw_branches(ax, *layers[0])
    finish(ax, diagram.model, name, layers, log)
    before.restore(ax)
    keys = line_keys(layers[0][2], kinds_of(diagram, name), f"{label}, " if label else "")
    add_legend(ax, [*before.keys, *keys, *shade(ax, ranges)])
    add_labels(ax, layers)
    return ax


@dataclass(frozen=True)
class _Before:
    """What stood in axes before a diagram was drawn there: title, limits and the entries of the legend."""

    title: str | None
    limits: tuple[float, float, float, float] | None
    keys: list[Any]

    @classmethod
    def of(cls, ax: Axes) -> _Before:
        if not ax.has_data():
            return cls(None, None, [])
        legend = ax.get_legend()
        return cls(ax.get_title(), (*ax.get_xlim(), *ax.get_ylim()), list(legend.legend_handles) if legend else [])

    def restore(self, ax: Axes) -> None:
        if self.limits is None:
            return
        ax.set_title(self.title or "", fontsize=FONT_SIZE + 1, parse_math=False)
        now = (*ax.get_xlim(), *ax.get_ylim())
        pick = (min, max, min, max)
        x0, x1, y0, y1 = (choose(a, b) for choose, a, b in zip(pick, self.limits, now, strict=True))
        ax.set_xlim(x0, x1)
        ax.set_ylim(y0, y1)


def _check_log(log: str, layers: Sequence[Layer]) -> None:
    if log not in ("", "x", "y", "xy"):
        raise InputError(f"log is {log!r:.40}; give the axes that are to be logarithmic: x, y or xy")
    if "x" in log and not all(diagram.range[0] > 0.0 for diagram, _, _ in layers):
        raise InputError("a logarithmic axis needs a range of positive parameters; leave log x out")
    if "y" in log and not any((v > 0.0).any() for d, name, _ in layers for b in d.branches for v in curves_of(b, name)):
        raise InputError(f"no value of {layers[0][1]} is positive, so no logarithmic axis can show it; leave log y out")


def save_diagram(
    diagram: Diagram,
    path: str | os.PathLike[str],
    show: str | Sequence[str] | None = None,
    log: str = "",
    ranges: Sequence[Range] = (),
) -> None:
    """Write `plot_diagram`'s picture to a PNG, PDF or SVG file, by its suffix; a panel for each that is shown."""
    form_of(path)
    figure = new_figure()
    names: list[str | None] = [show] if isinstance(show, str) else [*show] if show else [None]
    loci = tuple(branch for branch in diagram.branches if branch.kind in LOCI)
    panels = 0 if len(loci) == len(diagram.branches) > 0 else len(names)
    total = panels + bool(loci) or 1
    figure.set_size_inches(
        total * SIZE[0] if total < 3 else 2.0 * SIZE[0], SIZE[1] * (1 if total < 3 else (total + 1) // 2)
    )
    grid = figure.subplots((total + 1) // 2 if total > 2 else 1, min(total, 2), squeeze=False).ravel()
    for name, ax in zip(names[:panels], grid):
        plot_diagram(diagram, show=name, ax=ax, log=log, ranges=ranges)
    if loci:
        plot_loci(diagram, grid[panels])
    for ax in grid[total:]:
        ax.remove()
    figure.set_layout_engine("none")  # it is settled: the labels were placed by it
    save_figure(figure, path)


def _plot_nothing(diagram: Diagram, ax: Axes) -> Axes:
    """Draw the axes of a diagram that has no branch, and say so in them."""
    ax.set_xlim(*diagram.range)
    ax.set_yticks([])
    ax.set_xlabel(diagram.parameter, parse_math=False)
    ax.set_title(printable(diagram.model), parse_math=False)
    ax.text(0.5, 0.5, "no branch was found", transform=ax.transAxes, ha="center", va="center")
    return ax


def without(diagram: Diagram, kinds: Collection[str]) -> Diagram:
    """Return a diagram without the branches of some kinds."""
    left = tuple(branch for branch in diagram.branches if branch.kind not in kinds)
    numbers = {branch.id for branch in left}
    points = tuple(point for point in diagram.special_points if point.branch in numbers)
    return replace(diagram, branches=left, special_points=points)

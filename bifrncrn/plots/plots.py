"""Pictures of results: every matplotlib line of the package.

A solid line is stable, a dashed one unstable, a dotted one not known to be either; the label beside a marker is the
field's name of the special point, with a question mark where it was seen but not refined. Line width, grey level and
the filling of the markers carry the meaning, colour only repeats it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.base.labels import KINDS, LABELS, is_shown
from bifrncrn.base.tables import printable
from bifrncrn.plots.curves import norm, smooth
from bifrncrn.plots.label_placement import place_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from bifrncrn.comparison.comparison import Comparison
    from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint

SUFFIXES = {".png": "png", ".pdf": "pdf", ".svg": "svg"}
SIZE = (6.4, 4.4)  # inches
DPI = 200
COLUMNS = 3  # of a legend: more are wider than the figure
MARKER_SIZE = 6.5  # points
FONT_SIZE = 9.0  # points
COINCIDENT = 3.0  # pixels at 72 dpi: labels of points closer than this are written as one
LEGEND_DROP = 32.0  # points from the axes to the legend: the room of tick labels and the axis' name
ZERO = 1e-30  # a branch no larger than this is drawn as zero
FAR = 8.0  # points between a marker and its label beyond which a line joins them
SPACING = 4.0  # pixels: how densely curves are sampled as obstacles to labels


@dataclass(frozen=True)
class Style:
    """How one diagram is drawn.

    Attributes
    ----------
    colour : str
        Of lines and markers; distinct in grey too.
    width : float
        Of lines, in points.
    filled : bool
        Whether markers are filled.
    layer : float
        The matplotlib z-order; a higher one is drawn over a lower.
    cycles : str
        The colour of cycles, which are beads on a thin line: filled where they are stable.
    """

    colour: str
    width: float
    filled: bool
    layer: float
    cycles: str


PLAIN = Style("#000000", 1.4, True, 3.0, "#b2450e")
TARGET = Style("#9a9a9a", 4.0, False, 2.0, "#9a9a9a")
LEARNED = Style("#00509e", 1.4, True, 3.0, "#00509e")
ENDS = {"homoclinic": "HOM", "heteroclinic": "HET", "snic": "SNIC"}
"""What is written at the end of a branch of cycles that ends so."""
BEADS = 0.022
"""The distance of the beads along the extremes of cycles, in terms of the diagonal of the axes."""
LOCI: dict[str, Any] = {"fold": "solid", "hopf": (0, (6.0, 1.8, 1.2, 1.8))}


def plot_diagram(
    diagram: Diagram,
    show: str | None = None,
    ax: Axes | None = None,
    *,
    log: str = "",
    colour: str | None = None,
    label: str | None = None,
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

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If there is nothing to draw or nothing of the name `show`, or an axis to be logarithmic has no positive value.
    """
    if diagram.branches and all(branch.kind in LOCI for branch in diagram.branches):
        return _plot_loci(diagram, _axes() if ax is None else ax)
    diagram = _without(diagram, LOCI)
    if not diagram.branches:
        return _plot_nothing(diagram, _axes() if ax is None else ax)
    name = _shown(diagram, show)
    layers = [(diagram, name, PLAIN if colour is None else replace(PLAIN, colour=colour, cycles=colour))]
    _check_log(log, layers)
    ax = _axes() if ax is None else ax
    before = _Before.of(ax)
    _draw(ax, *layers[0])
    _finish(ax, diagram.model, name, layers, log)
    before.restore(ax)
    _add_legend(ax, [*before.keys, *_line_keys(layers[0][2], _kinds(diagram), f"{label}, " if label else "")])
    _add_labels(ax, layers)
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
    if "y" in log and not any((v > 0.0).any() for d, name, _ in layers for b in d.branches for v in _curves(b, name)):
        raise InputError(f"no value of {layers[0][1]} is positive, so no logarithmic axis can show it; leave log y out")


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
    ax = _axes() if ax is None else ax
    target, learned = comparison.target, comparison.learned
    layers = [(target, name, TARGET), (learned, comparison.names[name], LEARNED)]
    for diagram, column, style in layers:
        _draw(ax, diagram, column, style)
    _finish(
        ax, "; ".join(f"{word}: {one.model}" for word, one in zip(comparison.words, (target, learned))), name, layers
    )
    if comparison.box is not None and name in comparison.box:
        _zoom(ax, comparison.box[name], layers)
    kinds = _kinds(target, learned)
    keys = [
        (*_line_keys(style, kinds, f"{word}, "), _marker_key(style, f"{word}, special point"))
        for word, style in zip(comparison.words, (TARGET, LEARNED))
    ]
    _add_legend(ax, [key for pair in zip(*keys) for key in pair])
    _add_labels(ax, layers)
    return ax


def save_diagram(
    diagram: Diagram, path: str | os.PathLike[str], show: str | Sequence[str] | None = None, log: str = ""
) -> None:
    """Write `plot_diagram`'s picture to a PNG, PDF or SVG file, by its suffix; a panel for each that is shown."""
    _form(path)
    figure = _figure()
    names: list[str | None] = [show] if isinstance(show, str) else [*show] if show else [None]
    loci = tuple(branch for branch in diagram.branches if branch.kind in LOCI)
    panels = 0 if len(loci) == len(diagram.branches) > 0 else len(names)
    total = panels + bool(loci) or 1
    figure.set_size_inches(
        total * SIZE[0] if total < 3 else 2.0 * SIZE[0], SIZE[1] * (1 if total < 3 else (total + 1) // 2)
    )
    grid = figure.subplots((total + 1) // 2 if total > 2 else 1, min(total, 2), squeeze=False).ravel()
    for name, ax in zip(names[:panels], grid):
        plot_diagram(diagram, show=name, ax=ax, log=log)
    if loci:
        _plot_loci(diagram, grid[panels])
    for ax in grid[total:]:
        ax.remove()
    figure.set_layout_engine("none")  # it is settled: the labels were placed by it
    save_figure(figure, path)


def save_comparison(comparison: Comparison, path: str | os.PathLike[str], show: str | None = None) -> None:
    """Write `plot_comparison`'s picture to a PNG, PDF or SVG file, by its suffix."""
    _form(path)
    figure = _figure()
    plot_comparison(comparison, show=show, ax=figure.subplots())
    figure.set_layout_engine("none")
    save_figure(figure, path)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a PNG, PDF or SVG file; the file appears whole or not at all.

    Raises
    ------
    InputError
        If the suffix is another one or the file cannot be written.
    """
    form = _form(path)
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form, {})
    stream = io.BytesIO()
    figure.savefig(stream, format=form, dpi=DPI, metadata=undated)
    write_atomic(path, stream.getvalue())


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Raise InputError unless a picture can be written under this name."""
    _form(path)


def _form(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"cannot draw to {str(path)!r}: name a file that ends in .png, .pdf or .svg")
    return SUFFIXES[suffix]


def _figure() -> Figure:
    """Return a figure that no window system and no global state knows of."""
    from matplotlib.figure import Figure

    return Figure(figsize=SIZE, layout="constrained")


def _axes() -> Axes:
    """Return new axes of pyplot, which notebooks show by themselves."""
    from matplotlib import pyplot

    return pyplot.subplots(figsize=SIZE, layout="constrained")[1]


def _plot_nothing(diagram: Diagram, ax: Axes) -> Axes:
    """Draw the axes of a diagram that has no branch, and say so in them."""
    ax.set_xlim(*diagram.range)
    ax.set_yticks([])
    ax.set_xlabel(diagram.parameter, parse_math=False)
    ax.set_title(printable(diagram.model), parse_math=False)
    ax.text(0.5, 0.5, "no branch was found", transform=ax.transAxes, ha="center", va="center")
    return ax


def _root(ax: Axes) -> Figure:
    """Return the figure the axes are in, also from within a subfigure."""
    root = ax.get_figure(root=True)
    if root is None:
        raise InputError("the axes belong to no figure; make them with figure.subplots()")
    return root


def _shown(diagram: Diagram, show: str | None) -> str:
    names = [name for branch in diagram.branches for name in _states(branch, diagram.parameter)]
    if not names:
        raise InputError(f"the diagram of {diagram.model!r} has no branch to draw")
    if show is not None and not any(_curves(branch, show) for branch in diagram.branches):
        there = f"{', '.join(dict.fromkeys(names))}, max or min of one, norm, and of cycles period"
        raise InputError(f"there is no state {show!r} to show; there are {there}")
    return names[0] if show is None else show


def _states(branch: Branch, parameter: str) -> list[str]:
    names = (name.removeprefix("min ").removeprefix("max ") for name in branch.columns)
    return [name for name in dict.fromkeys(names) if name not in (parameter, "period")]


def _curves(branch: Branch, name: str) -> list[np.ndarray]:
    """Return the columns of a branch that show a state: itself, or the minimum and the maximum of a cycle."""
    known = {*branch.columns, name if name in branch.observables and branch.kind != "periodic" else ""}
    if name in branch.observables and branch.profiles:
        known |= {f"min {name}", f"max {name}"}
    found = [branch.column(column) for column in (name, f"min {name}", f"max {name}") if column in known]
    state = name.removeprefix("max ").removeprefix("min ")
    if not found and state != name and state in branch.columns[1:]:
        return [branch.column(state)]  # an equilibrium is its own extreme
    return [norm(branch)] if not found and name == "norm" else found


def _draw(ax: Axes, diagram: Diagram, name: str, style: Style) -> None:
    """Draw the branches and the markers of a diagram."""
    tall = float(np.ptp(_heights([(diagram, name, style)]))) or 1.0
    for branch in diagram.branches:
        special = {point.index for point in diagram.special_points if point.branch == branch.id}
        for values in _curves(branch, name):
            horizontal = branch.column(diagram.parameter)
            extent = (diagram.range[1] - diagram.range[0], tall)
            for rows, kind in stability_runs(branch.unstable, special):
                x, y = smooth(horizontal[rows], values[rows], extent)
                draw = _draw_cycles if branch.kind == "periodic" else _draw_run
                draw(ax, x, y, kind, style)
    for point, vertical in _marked(diagram, name, both=True):
        ax.plot(
            [point.parameters[diagram.parameter]],
            [vertical],
            zorder=style.layer + 2,
            label="_special",
            **_marker(style, point.label),
        )


def _without(diagram: Diagram, kinds: Collection[str]) -> Diagram:
    """Return a diagram without the branches of some kinds."""
    left = tuple(branch for branch in diagram.branches if branch.kind not in kinds)
    numbers = {branch.id for branch in left}
    points = tuple(point for point in diagram.special_points if point.branch in numbers)
    return replace(diagram, branches=left, special_points=points)


def _plot_loci(diagram: Diagram, ax: Axes) -> Axes:
    """Draw the curves of folds and Hopf points in the plane of the two parameters."""
    from matplotlib.lines import Line2D

    first, second = diagram.parameter, diagram.second
    assert second is not None
    plane = replace(diagram, branches=tuple(branch for branch in diagram.branches if branch.kind in LOCI))
    for branch in plane.branches:
        style = {"color": PLAIN.colour, "linewidth": PLAIN.width, "linestyle": LOCI[branch.kind]}
        ax.plot(branch.column(first), branch.column(second), zorder=PLAIN.layer, label="_branch", **style)
    marked = [point for point in diagram.special_points if second in point.parameters]
    layers = [(replace(plane, special_points=tuple(marked)), second, PLAIN)]
    for point, height in _marked(layers[0][0], second):
        ax.plot(
            [point.parameters[first]],
            [height],
            zorder=PLAIN.layer + 2,
            label="_special",
            **_marker(PLAIN, point.label),
        )
    _finish(ax, diagram.model, second, layers)
    _around(ax, diagram, first)
    kinds = dict.fromkeys(branch.kind for branch in plane.branches)
    keys = [Line2D([], [], color=PLAIN.colour, linestyle=LOCI[kind], label=KINDS[kind].meaning) for kind in kinds]
    _add_legend(ax, keys)
    _add_labels(ax, layers)
    return ax


def _around(ax: Axes, diagram: Diagram, first: str) -> None:
    """Set the horizontal limits to the range that was asked for and the special points, or to the curves."""
    loci = [branch.column(first) for branch in diagram.branches if branch.kind in LOCI]
    values = np.concatenate([*loci, diagram.range])
    special = [point.parameters[first] for point in diagram.special_points]
    low, high = min([*diagram.range, *special]), max([*diagram.range, *special])
    room = 0.1 * (high - low)
    ax.set_xlim(max(float(values.min()), low) - room / 5, min(float(values.max()), high) + room / 5)


def _draw_run(ax: Axes, x: np.ndarray, y: np.ndarray, kind: str, style: Style) -> None:
    ax.plot(
        x,
        y,
        color=style.colour,
        linewidth=style.width,
        linestyle=_dashes(kind, style),
        marker="none" if len(x) > 1 else "_",
        dash_capstyle="butt",
        solid_capstyle="butt",
        zorder=style.layer,
        label="_branch",
    )


def _draw_cycles(ax: Axes, x: np.ndarray, y: np.ndarray, kind: str, style: Style) -> None:
    """Draw an extreme of cycles: beads on a thin line, filled where they are stable."""
    ax.plot(
        x,
        y,
        markevery=(0.0, BEADS) if len(x) > 1 else None,
        zorder=style.layer,
        label="_branch",
        **_beads(kind, style),
    )


def _beads(kind: str, style: Style) -> dict[str, Any]:
    size = 3.2 if style.filled else 5.5
    return {
        "color": style.cycles,
        "linewidth": 0.5 * style.width,
        "linestyle": _dashes(kind, style),
        "marker": "o" if kind != "unknown" else "x",
        "markersize": size,
        "markerfacecolor": style.cycles if kind == "stable" else "white",
        "markeredgecolor": style.cycles,
        "markeredgewidth": 0.8,
    }


def stability_runs(unstable: np.ndarray, special: set[int]) -> list[tuple[slice, str]]:
    """Split the rows of a branch into runs of one stability that meet in the special points.

    A special point has an eigenvalue on the imaginary axis, so the piece between two rows takes its stability from
    the row that is no special point.

    Parameters
    ----------
    unstable : (k,) int array
        Number of unstable eigenvalues at each row, -1 where it was not computed.
    special : set of int
        Rows that are special points.

    Returns
    -------
    list of (slice, str)
        Rows of each run, ends included, and whether it is `stable`, `unstable` or `unknown`.

    Examples
    --------
    >>> stability_runs(np.array([0, 0, 1, 2, 2]), {2})
    [(slice(0, 3, None), 'stable'), (slice(2, 5, None), 'unstable')]
    """
    count = len(unstable)
    if count < 2:
        return [(slice(0, count), _stability(unstable))] if count else []
    pieces = []
    for k in range(count - 1):
        ends = [row for row in (k, k + 1) if row not in special] or [k, k + 1]
        pieces.append(_stability(unstable[ends]))
    runs, first = [], 0
    for k in range(1, count):
        if k == count - 1 or pieces[k] != pieces[first]:
            runs.append((slice(first, k + 1), pieces[first]))
            first = k
    return runs


def _stability(unstable: np.ndarray) -> str:
    """Return what numbers of unstable eigenvalues say together."""
    if (unstable < 0).any():
        return "unknown"
    return "unstable" if unstable.any() else "stable"


def _marked(diagram: Diagram, name: str, both: bool = False) -> list[tuple[SpecialPoint, float]]:
    """Return the special points that get a marker, with their height in the picture; of cycles the top, or both."""
    branches = {branch.id: branch for branch in diagram.branches}
    marked = []
    for point in diagram.special_points:
        if not is_shown(point.label):
            continue
        branch = branches.get(point.branch)
        if name in point.state and (branch is None or branch.kind != "periodic"):
            marked.append((point, point.state[name]))
        elif branch is not None:
            marked += [(point, float(values[point.index])) for values in _curves(branch, name)[0 if both else -1 :]]
    return marked


Layer = tuple["Diagram", str, Style]


def _heights(layers: Sequence[Layer]) -> np.ndarray:
    """Return all finite values on the vertical axis, without those of branches that run away to infinity.

    What such a branch has in common with the others is shown; without others, the greater part of it.
    """
    calm, wild, greater = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    for diagram, column, _ in layers:
        for branch in diagram.branches:
            runs = any(end.reason == "infinity" for end in branch.ended)
            shown = [values[np.isfinite(values)] for values in _curves(branch, column)]
            (wild if runs else calm).extend(shown)
            if runs:
                greater += [_greater_part(branch.points[np.isfinite(v), 0], v) for v in _curves(branch, column)]
    settled, away = np.concatenate(calm), np.concatenate(wild)
    if not away.size:
        return settled
    if not settled.size:
        return np.concatenate(greater)
    low, high = settled.min(), settled.max()
    room = max(2.0 * (high - low), abs(high), abs(low), 1e-300)
    return np.concatenate([settled, away[(away >= low - room) & (away <= high + room)]])


def _greater_part(parameters: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the values of all but the last 3 % of the parameter's way, as the values are ordered, at either end."""
    values = values[np.isfinite(values)]
    if len(values) < 3:
        return values
    order = np.argsort(values)
    way = np.cumsum(np.abs(np.gradient(parameters))[order])
    return values[order][(way >= 0.03 * way[-1]) & (way <= 0.97 * way[-1])]


def _finish(ax: Axes, title: str, name: str, layers: Sequence[Layer], log: str = "") -> None:
    """Set the axes' names and limits."""
    _name(ax, title, layers[0][0].parameter, name)
    low, high = min(d.range[0] for d, _, _ in layers), max(d.range[1] for d, _, _ in layers)
    ax.set_xlim(low - 0.02 * (high - low), high + 0.02 * (high - low))
    if "x" in log:
        ax.set_xscale("log")
        ax.set_xlim(low, high)
    heights = _heights(layers)
    if "y" in log:
        ax.set_yscale("log")
        heights = heights[heights > 0.0]
        ax.set_ylim(heights.min() / 1.3, heights.max() * 1.3)
    elif heights.size:
        bottom, top = float(heights.min()), float(heights.max())
        # A branch that is constant, or zero, to rounding is drawn as such, not blown up.
        largest = max(abs(bottom), abs(top))
        room = max(0.08 * (top - bottom), 0.02 * largest) if largest > ZERO else 1.0
        ax.set_ylim(bottom - room, top + room)


def _name(ax: Axes, title: str, horizontal: str, vertical: str = "") -> None:
    """Write the title and the axes' names as they are: a dollar sign in a model's title begins no formula."""
    ax.set_title(printable(title), fontsize=FONT_SIZE + 1, parse_math=False)
    ax.set_xlabel(horizontal, parse_math=False)
    ax.set_ylabel(vertical, parse_math=False)


def _zoom(ax: Axes, box: tuple[float, float], layers: Sequence[Layer]) -> None:
    """Set the vertical limits to what lies in the box, with some of the box around it."""
    low, high = box
    heights = np.concatenate([v for d, column, _ in layers for branch in d.branches for v in _curves(branch, column)])
    inside = heights[(heights >= low) & (heights <= high)]
    bottom, top = (inside.min(), inside.max()) if inside.size else (low, high)
    room = 0.15 * (high - low)
    ax.set_ylim(max(bottom - room, low - room / 3), min(top + room, high + room / 3))


def _kinds(*diagrams: Diagram) -> list[str]:
    """Return the kinds of lines a legend explains: both stabilities, or that none was computed."""
    kinds = []
    for cycles in (False, True):
        branches = [b for diagram in diagrams for b in diagram.branches if (b.kind == "periodic") == cycles]
        counts = np.concatenate([np.empty(0), *(branch.unstable for branch in branches)])
        found = ["stable", "unstable"] * bool((counts >= 0).any()) + ["unknown"] * bool((counts < 0).any())
        kinds += [f"{kind} cycle" if cycles else kind for kind in found]
    return kinds


def _line_keys(style: Style, kinds: Sequence[str], prefix: str = "") -> list[Line2D]:
    """Return legend entries for the lines of a style."""
    from matplotlib.lines import Line2D

    keys = []
    for kind in kinds:
        stability = kind.removesuffix(" cycle")
        word = kind.replace("unknown", "stability not computed")
        if kind != stability:
            drawn = _beads(stability, style)
        else:
            drawn = {"color": style.colour, "linewidth": style.width, "linestyle": _dashes(kind, style)}
        keys.append(Line2D([], [], label=f"{prefix}{word}", **drawn))
    return keys


def _marker_key(style: Style, word: str) -> Line2D:
    """Return the legend entry for the special points of a style."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=word, **_marker(style, "HB"))


def _dashes(kind: str, style: Style) -> Any:
    # matplotlib counts dashes in line widths; by the square root broad lines get longer dashes, but not in proportion.
    if kind == "unknown":
        return "dotted"
    return "solid" if kind == "stable" else (0, (3.2 / style.width**0.5, 2.4 / style.width**0.5))


def _marker(style: Style, label: str) -> dict[str, Any]:
    return {
        "linestyle": "none",
        "marker": LABELS[label].marker if label in LABELS else "o",
        "markersize": MARKER_SIZE if style.filled else MARKER_SIZE + 3.0,
        "markerfacecolor": style.colour if style.filled else "white",
        "markeredgecolor": style.colour if style.filled else "#4d4d4d",
        "markeredgewidth": 1.0 if style.filled else 1.6,
    }


def _add_legend(ax: Axes, keys: Sequence[Line2D]) -> None:
    """Put the legend below the axes, where it covers nothing."""
    from matplotlib.transforms import ScaledTranslation

    below = ScaledTranslation(0, -LEGEND_DROP / 72, _root(ax).dpi_scale_trans)
    ax.legend(
        handles=list(keys),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + below,
        ncols=min(max(len(keys) // 2, 2), COLUMNS) if len(keys) > 2 else 2,
        frameon=False,
        fontsize=FONT_SIZE,
        handlelength=4.0,
    )


def _add_labels(ax: Axes, layers: Sequence[Layer]) -> None:
    """Write the special points' labels where they cover nothing."""
    root = _root(ax)
    root.draw_without_rendering()  # settles the layout, which the places depend on
    frame = ax.get_window_extent()
    unit = root.dpi / 72
    entries = _label_entries(ax, layers, unit)
    if not entries:
        return
    obstacles = _obstacles(ax, layers)
    anchors = np.array([anchor for anchor, _, _ in entries])
    sizes = [_text_size(text, unit) for _, text, _ in entries]
    bounds = (frame.x0 + 2, frame.y0 + 2, frame.x1 - 2, frame.y1 - 2)
    centres = place_labels(anchors, sizes, obstacles, bounds, marker=0.6 * MARKER_SIZE * unit, unit=unit)
    for (anchor, text, style), size, centre in zip(entries, sizes, centres):
        shift = (np.array(centre) - anchor) / unit
        gap = np.abs(shift) - np.array(size) / unit / 2
        far = np.hypot(*np.maximum(gap, 0.0)) > FAR
        ax.annotate(
            text,
            tuple(ax.transData.inverted().transform(anchor)),
            xytext=(float(shift[0]), float(shift[1])),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=FONT_SIZE,
            color="black" if style.filled else "#4d4d4d",
            arrowprops={"arrowstyle": "-", "linewidth": 0.6, "color": "#4d4d4d", "shrinkB": 4.0} if far else None,
            zorder=style.layer + 3,
        )


def _label_entries(ax: Axes, layers: Sequence[Layer], unit: float) -> list[tuple[np.ndarray, str, Style]]:
    """Return anchor (pixels), text and style of each label; coincident points share one."""
    frame = ax.get_window_extent()
    entries: list[tuple[np.ndarray, list[str], Style]] = []
    for diagram, name, style in reversed(layers):
        for p, vertical, text in _named(diagram, name):
            anchor = ax.transData.transform((p, vertical))
            if not (frame.x0 <= anchor[0] <= frame.x1 and frame.y0 <= anchor[1] <= frame.y1):
                continue
            near = [texts for place, texts, _ in entries if np.hypot(*(place - anchor)) < COINCIDENT * unit]
            if not near:
                entries.append((anchor, [text], style))
            elif text not in near[0]:
                near[0].append(text)
    return [(anchor, ", ".join(texts), style) for anchor, texts, style in entries]


def _named(diagram: Diagram, name: str) -> list[tuple[float, float, str]]:
    """Return what is written in the picture, and where: labels of special points, and how branches of cycles end."""
    out = [
        (point.parameters[diagram.parameter], height, point.label if point.status == "converged" else f"{point.label}?")
        for point, height in _marked(diagram, name)
    ]
    for branch in diagram.branches:
        for row, end in zip((0, -1), branch.ended):
            if branch.kind == "periodic" and end.reason in ENDS and _curves(branch, name):
                p, height = branch.column(diagram.parameter)[row], _curves(branch, name)[-1][row]
                out.append((float(p), float(height), ENDS[end.reason]))
    return out


def _obstacles(ax: Axes, layers: Sequence[Layer]) -> np.ndarray:
    """Return points every few pixels along all curves, in pixels, shape (m, 2)."""
    found = [np.empty((0, 2))]
    for diagram, name, _ in layers:
        for branch in diagram.branches:
            for values in _curves(branch, name):
                pixels = ax.transData.transform(np.stack([branch.column(diagram.parameter), values], axis=1))
                found.append(_resample(pixels[np.isfinite(pixels).all(axis=1)]))
    return np.concatenate(found)


def _resample(points: np.ndarray) -> np.ndarray:
    if len(points) < 2:
        return points
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    count = int(min(along[-1] / SPACING, 1e5)) + 2
    places = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(places, along, points[:, k]) for k in (0, 1)], axis=1)


def _text_size(text: str, unit: float) -> tuple[float, float]:
    """Return the width and height of a label in pixels, a little padded."""
    from matplotlib.textpath import TextPath

    extent = TextPath((0, 0), text, size=FONT_SIZE).get_extents()
    return (extent.width + 3) * unit, (FONT_SIZE + 2) * unit


def save_bars(bars: Mapping[str, float], path: str | os.PathLike[str], axis: str, title: str) -> None:
    """Write a picture of positive values as horizontal bars on a logarithmic axis, each with its name and number."""
    labels, values = list(bars), list(bars.values())
    _form(path)
    figure = _figure()
    ax = figure.subplots()
    places = np.arange(len(labels))[::-1]
    ax.barh(places, values, height=0.5, color="#9a9a9a", edgecolor="black")
    ax.set_xscale("log")
    ax.set_xlim(min(values) / 5, max(values) * 5)
    ax.set_yticks(places, labels)
    _name(ax, title, axis)
    for place, value in zip(places, values):
        ax.annotate(
            f"{float(f'{value:.3g}'):,g}", (value, place), xytext=(4, 0), textcoords="offset points", va="center"
        )
    save_figure(figure, path)


class Trajectory(Protocol):
    """What can be drawn by `plot_trajectory`: times, and states with names."""

    @property
    def t(self) -> np.ndarray:
        """Times, (k,)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the states."""

    @property
    def observables(self) -> tuple[str, ...]:
        """What else `column` knows."""

    @property
    def title(self) -> str:
        """What it is."""

    def column(self, name: str) -> np.ndarray:
        """Return one state, (k,)."""


def save_trajectory(
    run: Trajectory, path: str | os.PathLike[str], show: str | Sequence[str] | None = None, against: str = "t"
) -> None:
    """Write `plot_trajectory`'s picture to a PNG, PDF or SVG file, by its suffix."""
    _form(path)
    figure = _figure()
    plot_trajectory(run, show, against, figure.subplots())
    save_figure(figure, path)


def plot_trajectory(
    run: Trajectory, show: str | Sequence[str] | None = None, against: str = "t", ax: Axes | None = None
) -> Axes:
    """Draw states of a simulation against time, or against one of the states.

    Parameters
    ----------
    run : Simulation or StochasticSimulation
    show : str or sequence of str, optional
        The states to draw; all but `against` by default.
    against : str
        What is on the horizontal axis: ``"t"``, or a state.
    ax : matplotlib axes, optional
        Where to draw; by default the only axes of a new figure.

    Raises
    ------
    InputError
        If there is no state of a given name.
    """
    names = (
        (show,) if isinstance(show, str) else tuple(n for n in run.columns if n != against) if show is None else show
    )
    for name in names:
        if name not in run.columns and name not in run.observables:
            known = ", ".join((*run.columns, *run.observables))
            raise InputError(f"there is no state {name!r} to show; there are {known}")
    if against != "t" and against not in run.columns:
        raise InputError(f"there is nothing called {against!r} to draw against; use t, {', '.join(run.columns)}")
    ax = _axes() if ax is None else ax
    x = run.t if against == "t" else run.column(against)
    for k, name in enumerate(names):
        dashes = ("-", "--", "-.", ":")[k % 4]
        ax.plot(x, run.column(name), dashes, linewidth=PLAIN.width, label=name)
    _name(ax, run.title, against, names[0] if len(names) == 1 else "state")
    if len(names) > 1:
        ax.legend(frameon=False, fontsize=FONT_SIZE)
    return ax

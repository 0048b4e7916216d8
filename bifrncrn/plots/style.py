"""How pictures look: colours, lines, markers, legends; new figures, and figures as files.

A solid line is stable, a dashed one unstable, a dotted one not known to be either; the label beside a marker is the
field's name of the special point, with a question mark where it was seen but not refined. Line width, grey level and
the filling of the markers carry the meaning, colour only repeats it.
"""

from __future__ import annotations

import io
import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.checks import file_name, require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.base.labels import LABELS
from bifrncrn.base.tables import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


SUFFIXES = {".png": "png", ".pdf": "pdf", ".svg": "svg"}
SIZE = (6.4, 4.4)  # inches
DPI = 200
NOT_COMPUTED = "stability not computed"
COLUMNS = 3  # of a legend: more are wider than the figure
MARKER_SIZE = 6.5  # points
NARROW = 4.2 * 72  # points: figures narrower than this get smaller letters
SMALL = 7.0  # points
FONT_SIZE = 9.0  # points
CLEAR = 0.7  # how opaque a legend is that lies over what is drawn
LEGEND_DROP = 32.0  # points from the axes to the legend: the room of tick labels and the axis' name


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


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a PNG, PDF or SVG file; the file appears whole or not at all.

    Raises
    ------
    InputError
        If the suffix is another one or the file cannot be written.
    """
    form = form_of(path)
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form, {})
    stream = io.BytesIO()
    figure.savefig(stream, format=form, dpi=DPI, metadata=undated)
    write_atomic(path, stream.getvalue())


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Raise InputError unless a picture can be written under this name."""
    form_of(path)


def form_of(path: str | os.PathLike[str]) -> str:
    """Return the format that a file's suffix names."""
    suffix = Path(file_name(path)).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"cannot draw to {str(path)!r}: name a file that ends in .png, .pdf or .svg")
    return SUFFIXES[suffix]


def new_figure() -> Figure:
    """Return a figure that no window system and no global state knows of."""
    from matplotlib.figure import Figure

    return Figure(figsize=SIZE, layout="constrained")


def new_axes() -> Axes:
    """Return new axes of pyplot, which notebooks show by themselves."""
    from matplotlib import pyplot

    return pyplot.subplots(figsize=SIZE, layout="constrained")[1]


def axes_of(ax: Axes | None) -> Axes:
    """Return the axes to draw in: those given, or new ones."""
    if ax is None:
        return new_axes()
    require_axes(ax)
    return ax


def require_axes(ax: Any) -> None:
    """Raise InputError unless something is matplotlib's axes."""
    from matplotlib.axes import Axes

    require_kind(ax, Axes, "matplotlib's axes")


def root_of(ax: Axes) -> Figure:
    """Return the figure the axes are in, also from within a subfigure."""
    root = ax.get_figure(root=True)
    if root is None:
        raise InputError("the axes belong to no figure; make them with figure.subplots()")
    return root


def name_axes(ax: Axes, title: str, horizontal: str, vertical: str = "") -> None:
    """Write the title and the axes' names as they are: a dollar sign in a model's title begins no formula."""
    room = room_of(ax)
    size = FONT_SIZE + 1 if room >= NARROW else SMALL + 1
    text = printable(title)
    if text_width(text, size) > room:  # a letter is about half as wide as high
        text = textwrap.fill(text, max(int(room / (0.55 * size)), 10), max_lines=3, placeholder=" ...")
    ax.set_title(text, fontsize=size, parse_math=False)
    ax.set_xlabel(horizontal, parse_math=False)
    ax.set_ylabel(vertical, parse_math=False)


def add_legend(ax: Axes, keys: Sequence[Any], columns: int | None = None) -> None:
    """Put the legend below the axes, where it covers nothing; in so many columns, or as many as there is room for.

    A figure of the user's that has no layout, and would cut it off, gets one that makes room; where axes were placed
    by hand it goes into them.
    """
    from matplotlib.transforms import ScaledTranslation

    below = ScaledTranslation(0, -LEGEND_DROP / 72, root_of(ax).dpi_scale_trans)
    room = room_of(ax)
    size = FONT_SIZE if room >= NARROW else SMALL
    wanted = columns or (min(max(len(keys) // 2, 2), COLUMNS) if len(keys) > 2 else 2)
    words = [str(key.get_label()) for key in keys]
    line = 4.0 if room >= NARROW else 2.5  # in terms of the size of letters
    while wanted > 1 and _legend_width(words, wanted, size, line) > room:
        wanted -= 1
    letters: dict[str, Any] = {"handles": list(keys), "fontsize": size, "handlelength": line}
    legend = ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + below,
        ncols=wanted,
        frameon=False,
        **letters,
    )
    root = root_of(ax)
    if root.get_layout_engine() is None and keys:
        root.draw_without_rendering()
        if legend.get_window_extent().y0 < root.bbox.y0 and ax.get_subplotspec() is not None:
            root.set_layout_engine("constrained")
        elif legend.get_window_extent().y0 < root.bbox.y0:
            ax.legend(loc="best", framealpha=CLEAR, **{**letters, "fontsize": SMALL})


def _legend_width(words: Sequence[str], columns: int, size: float, line: float) -> float:
    """Return about how wide a legend is, in points: as matplotlib fills it, column by column."""
    parts = np.array_split(np.array([text_width(word, size) for word in words]), columns)
    return sum(float(part.max(initial=0.0)) + (line + 0.8 + 2.0) * size for part in parts)


def text_width(text: str, size: float) -> float:
    """Return the width of a text in points."""
    from matplotlib.textpath import TextPath

    plain = text.replace("$", r"\$")  # no formula, as in `name_axes`
    return float(TextPath((0, 0), plain, size=size).get_extents().width) if text.strip() else 0.0


def room_of(ax: Axes) -> float:
    """Return how much of the figure's width there is for these axes and what belongs to them, in points."""
    figure, place = ax.get_figure(root=False), ax.get_subplotspec()
    width = root_of(ax).bbox.width if figure is None else figure.bbox.width
    return float(width) / root_of(ax).dpi * 72 / (1 if place is None else place.get_gridspec().ncols)


def line_keys(style: Style, kinds: Sequence[str], prefix: str = "") -> list[Line2D]:
    """Return legend entries for the lines of a style."""
    from matplotlib.lines import Line2D

    keys = []
    for kind in kinds:
        stability = kind.removesuffix(" cycle")
        word = kind if stability != "unknown" else f"cycle, {NOT_COMPUTED}" if kind != stability else NOT_COMPUTED
        if kind != stability:
            drawn = beads_of(stability, style)
        else:
            drawn = {"color": style.colour, "linewidth": style.width, "linestyle": dashes_of(kind, style)}
        keys.append(Line2D([], [], label=f"{prefix}{word}", **drawn))
    return keys


def marker_key(style: Style, word: str) -> Line2D:
    """Return the legend entry for the special points of a style."""
    from matplotlib.lines import Line2D

    return Line2D([], [], label=word, **marker_of(style, "HB"))


def dashes_of(kind: str, style: Style) -> Any:
    """Return the dashes of a line that is stable, unstable, neutral or not known to be any."""
    # matplotlib counts dashes in line widths; by the square root broad lines get longer dashes, but not in proportion.
    if kind == "unknown":
        return "dotted"
    if kind == "neutral":
        return "dashdot"
    return "solid" if kind == "stable" else (0, (3.2 / style.width**0.5, 2.4 / style.width**0.5))


def marker_of(style: Style, label: str) -> dict[str, Any]:
    """Return how the marker of a special point looks."""
    return {
        "linestyle": "none",
        "marker": LABELS[label].marker if label in LABELS else "o",
        "markersize": MARKER_SIZE if style.filled else MARKER_SIZE + 3.0,
        "markerfacecolor": style.colour if style.filled else "white",
        "markeredgecolor": style.colour if style.filled else "#4d4d4d",
        "markeredgewidth": 1.0 if style.filled else 1.6,
    }


def beads_of(kind: str, style: Style) -> dict[str, Any]:
    """Return how the line of an extreme of cycles looks."""
    size = 3.2 if style.filled else 5.5
    return {
        "color": style.cycles,
        "linewidth": 0.5 * style.width,
        "linestyle": dashes_of(kind, style),
        "marker": "o" if kind != "unknown" else "x",
        "markersize": size,
        "markerfacecolor": style.cycles if kind == "stable" else "white",
        "markeredgecolor": style.cycles,
        "markeredgewidth": 0.8,
    }

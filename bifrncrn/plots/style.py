"""How pictures look: colours, lines, markers, legends; new figures, and figures as files.

A solid line is stable, a dashed one unstable, a dotted one not known to be either; the label beside a marker is the
field's name of the special point, with a question mark where it was seen but not refined. Line width, grey level and
the filling of the markers carry the meaning, colour only repeats it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
FONT_SIZE = 9.0  # points
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
    suffix = Path(path).suffix.lower()
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


def root_of(ax: Axes) -> Figure:
    """Return the figure the axes are in, also from within a subfigure."""
    root = ax.get_figure(root=True)
    if root is None:
        raise InputError("the axes belong to no figure; make them with figure.subplots()")
    return root


def name_axes(ax: Axes, title: str, horizontal: str, vertical: str = "") -> None:
    """Write the title and the axes' names as they are: a dollar sign in a model's title begins no formula."""
    ax.set_title(printable(title), fontsize=FONT_SIZE + 1, parse_math=False)
    ax.set_xlabel(horizontal, parse_math=False)
    ax.set_ylabel(vertical, parse_math=False)


def add_legend(ax: Axes, keys: Sequence[Any], columns: int | None = None) -> None:
    """Put the legend below the axes, where it covers nothing; in so many columns, by default as many as fit."""
    from matplotlib.transforms import ScaledTranslation

    below = ScaledTranslation(0, -LEGEND_DROP / 72, root_of(ax).dpi_scale_trans)
    ax.legend(
        handles=list(keys),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + below,
        ncols=columns or (min(max(len(keys) // 2, 2), COLUMNS) if len(keys) > 2 else 2),
        frameon=False,
        fontsize=FONT_SIZE,
        handlelength=4.0,
    )


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
    """Return the dashes of a line that is stable, unstable or not known to be either."""
    # matplotlib counts dashes in line widths; by the square root broad lines get longer dashes, but not in proportion.
    if kind == "unknown":
        return "dotted"
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

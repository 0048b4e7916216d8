"""Pictures of a few panels: lines, points, a field's stream lines or an image in each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bifrncrn.plots.style import FONT_SIZE, name_axes, new_figure, save_figure

GREY, BLUE, RED = "#9a9a9a", "#00509e", "#b2450e"
WIDTH, HEIGHT = 3.4, 3.4  # inches of a panel


@dataclass(frozen=True)
class Line:
    """A curve: x and y (n,), what it is called in the legend, and how it looks."""

    x: np.ndarray
    y: np.ndarray
    label: str = ""
    colour: str = BLUE
    form: str = "-"
    width: float = 1.4


@dataclass(frozen=True)
class Panel:
    """One of the axes of a picture; `flow` is a grid x (k,), y (l,) and the field's components (l, k) on it."""

    title: str
    horizontal: str
    vertical: str
    lines: tuple[Line, ...] = ()
    flow: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None
    image: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    logarithmic: bool = False
    equal: bool = False
    limits: tuple[tuple[float, float], ...] = field(default=())


def save_panels(panels: Sequence[Panel], path: str | os.PathLike[str]) -> None:
    """Draw panels side by side into a PNG, PDF or SVG file."""
    figure = new_figure()
    figure.set_size_inches(WIDTH * len(panels) + 0.4, HEIGHT)
    for ax, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))).flat, panels, strict=True):
        name_axes(ax, panel.title, panel.horizontal, panel.vertical)
        if panel.flow is not None:
            ax.streamplot(*panel.flow, color="#c8c8c8", linewidth=0.6, arrowsize=0.7, density=0.9, zorder=1)
        if panel.image is not None:
            drawn = ax.pcolormesh(*panel.image, cmap="Greys", shading="nearest", edgecolors="face", zorder=1)
            figure.colorbar(drawn, ax=ax, ticks=np.unique(panel.image[2]))
        for line in panel.lines:
            solid = line.form in ("-", "--", ":", "-.")
            look: dict[str, Any] = (
                {"linestyle": line.form} if solid else {"linestyle": "none", "marker": line.form, "markersize": 5}
            )
            hollow: dict[str, Any] = {} if solid or line.width > 0 else {"markerfacecolor": "white"}
            ax.plot(line.x, line.y, color=line.colour, lw=line.width, label=line.label or None, **look, **hollow)
        if panel.logarithmic:
            ax.set_xscale("log")
        if panel.equal:
            ax.set_aspect("equal", adjustable="box")
        if panel.limits:
            ax.set_xlim(panel.limits[0])
            ax.set_ylim(panel.limits[1])
    keys = {text: handle for ax in figure.axes for handle, text in zip(*ax.get_legend_handles_labels(), strict=True)}
    if keys:  # below, where it covers nothing
        figure.legend(
            list(keys.values()),
            list(keys),
            loc="outside lower center",
            ncols=len(keys),
            frameon=False,
            fontsize=FONT_SIZE,
        )
    save_figure(figure, path)

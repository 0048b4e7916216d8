"""The phase plane as a picture: stream lines, nullclines, equilibria by stability, separatrices, cycles."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.plots.style import add_legend, axes_of, check_suffix, name_axes, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifrncrn.trajectories.portrait import Portrait

NULLCLINES: tuple[tuple[str, Any], ...] = (("#1b7837", "-."), ("#762a83", ":"))
CYCLES = "#b2450e"
COARSE = 4
"""Every so many points of the grid carry a stream line's direction."""


def plot_plane(portrait: Portrait, ax: Axes | None = None) -> Axes:
    """Draw a phase plane.

    Stream lines are light; the nullclines dash-dotted and dotted; equilibria filled where stable, hollow where not, a
    cross for a saddle; separatrices thin and dashed; cycles broad, solid where stable and dashed where not.

    Parameters
    ----------
    portrait : Portrait
    ax : matplotlib axes, optional
        Where to draw; by default the only axes of a new figure.
    """
    from matplotlib.lines import Line2D

    ax = axes_of(ax)
    (x0, x1), (y0, y1) = portrait.box
    x, y = np.linspace(x0, x1, portrait.field.shape[2]), np.linspace(y0, y1, portrait.field.shape[1])
    some = slice(None, None, COARSE)
    u, v = (np.where(np.isfinite(part), part, 0.0)[some, some] for part in portrait.field)
    if np.any(u) or np.any(v):
        ax.streamplot(x[some], y[some], u, v, color="#c8c8c8", linewidth=0.6, arrowsize=0.7, density=1.1, zorder=1)
    keys: list[Any] = []
    for name, values, (colour, dashes) in zip(portrait.system.variables, portrait.field, NULLCLINES, strict=True):
        finite = values[np.isfinite(values)]
        if finite.size and finite.min() < 0.0 < finite.max():
            ax.contour(x, y, values, [0.0], colors=colour, linestyles=dashes, linewidths=1.2, zorder=2)
            keys.append(Line2D([], [], color=colour, linestyle=dashes, label=f"{name}' = 0"))
    for curve in portrait.separatrices:
        ax.plot(*curve.T, color="#4d4d4d", linewidth=0.9, linestyle=(0, (5, 2)), zorder=3)
    keys += [Line2D([], [], color="#4d4d4d", linewidth=0.9, linestyle=(0, (5, 2)), label="separatrix")] * bool(
        portrait.separatrices
    )
    for curve in portrait.trajectories:
        ax.plot(*curve.T, color="#00509e", linewidth=1.2, zorder=4)
        ax.plot(*curve[0], "o", color="#00509e", markersize=3, zorder=4)
    keys += [Line2D([], [], color="#00509e", linewidth=1.2, label="trajectory")] * bool(portrait.trajectories)
    drawn = set()
    for cycle in portrait.cycles:
        style: dict[str, Any] = {"color": CYCLES, "linewidth": 2.0, "linestyle": "-" if cycle.stable else "--"}
        ax.plot(*np.vstack([cycle.points, cycle.at(cycle.period)]).T, zorder=5, **style)
        word = f"{cycle.stability} cycle"
        keys += [Line2D([], [], label=word, **style)] if word not in drawn else []
        drawn.add(word)
    for rest in portrait.rests:
        style = _rest_style(rest.kind)
        ax.plot(*rest.state, zorder=6, clip_on=False, **style)  # whole also on a side of the box
        word = rest.kind.split()[0]
        keys += [Line2D([], [], label=word, **style)] if word not in drawn else []
        drawn.add(word)
    ax.set_xlim(x0, x1)
    ax.set_ylim(y0, y1)
    name_axes(ax, portrait.system.title, *portrait.system.variables)
    add_legend(ax, keys)
    return ax


def save_plane(portrait: Portrait, path: str | os.PathLike[str]) -> None:
    """Write `plot_plane`'s picture to a PNG, PDF or SVG file, by its suffix."""
    check_suffix(path)
    figure = new_figure()
    plot_plane(portrait, figure.subplots())
    save_figure(figure, path)


def _rest_style(kind: str) -> dict[str, Any]:
    style = {"linestyle": "none", "markersize": 6.5, "markeredgecolor": "black", "markeredgewidth": 1.2, "marker": "o"}
    if kind == "saddle":
        return style | {"marker": "X", "markerfacecolor": "white", "markersize": 8.0}
    return style | {"markerfacecolor": "black" if kind.startswith("stable") else "white"}

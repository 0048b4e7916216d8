"""Orbits of maps: points, not lines; of one state against itself the staircase between the map and the diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bifrncrn.plots.style import PLAIN, add_legend, axes_of, name_axes
from bifrncrn.plots.trajectory import COLOURS, Trajectory, checked_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

JOINED = 100
"""The points of so few steps are joined by a thin line, which shows their order."""
THIN = 0.4
"""The width of such a line, in points."""
MARKERS = ("o", "s", "^", "D")
GREY = "#888888"


class MapOrbit(Trajectory, Protocol):
    """An orbit of a map, which knows the map."""

    def graph(self) -> tuple[np.ndarray, np.ndarray]:
        """Return states and what they become, (k,) each, of a map of one state."""


def plot_iterations(
    run: MapOrbit, show: str | Sequence[str] | None = None, against: str = "t", ax: Axes | None = None
) -> Axes:
    """Draw states of an orbit of a map against the number of the step, or against one of the states.

    Parameters
    ----------
    run : Simulation
    show : str or sequence of str, optional
        The states to draw; all but `against` by default.
    against : str
        What is on the horizontal axis: ``"t"``, or a state. Of a map of one state, that state: the staircase (cobweb)
        between the graph of the map and the diagonal.
    ax : matplotlib axes, optional
        Where to draw; by default the only axes of a new figure.

    Raises
    ------
    InputError
        If there is no state of a given name.
    """
    if show is None and run.columns == (against,):
        return _staircase(run, axes_of(ax))
    names = checked_names(run, show, against)
    ax = axes_of(ax)
    x = run.t if against == "t" else run.column(against)
    few = len(x) <= JOINED
    keys = []
    for k, name in enumerate(names):
        keys += ax.plot(
            x,
            run.column(name),
            linestyle="-" if few else "none",
            linewidth=THIN,
            color=COLOURS[k % len(COLOURS)],
            marker=MARKERS[k % len(MARKERS)],
            markersize=3.0 if few else 1.0,
            label=name,
        )
    name_axes(ax, run.title, "step" if against == "t" else against, names[0] if len(names) == 1 else "state")
    if len(names) > 1:
        add_legend(ax, keys)
    return ax


def _staircase(run: MapOrbit, ax: Axes) -> Axes:
    (name,) = run.columns
    states, images = run.graph()
    x = run.column(name)
    ax.plot(states, states, color=GREY, linewidth=THIN * 2.0, linestyle="--")
    ax.plot(states, images, color=PLAIN.colour, linewidth=PLAIN.width)
    stairs = np.repeat(x, 2)
    ax.plot(stairs[:-1], stairs[1:], color=PLAIN.cycles, linewidth=THIN * 2.0)
    ax.plot(x[:1], x[:1], marker="o", markersize=4.0, color=PLAIN.cycles)
    name_axes(ax, run.title, name, f"next {name}")
    return ax

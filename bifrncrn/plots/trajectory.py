"""Time series, and trajectories in the plane of two states."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bifrncrn.base.checks import as_texts
from bifrncrn.base.errors import InputError
from bifrncrn.plots.style import PLAIN, add_legend, axes_of, form_of, name_axes, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


APART = 5.0
"""States whose largest values differ by more than this factor have an axis each."""
COLOURS = ("#000000", "#b2450e", "#00509e", "#1b7837", "#762a83", "#8c6d00")


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


class Drawn(Protocol):
    """What draws itself."""

    def plot(self, show: str | Sequence[str] | None = None, against: str = "t", ax: Axes | None = None) -> Axes:
        """Draw states against time, or against one of them."""


def save_trajectory(
    run: Drawn, path: str | os.PathLike[str], show: str | Sequence[str] | None = None, against: str = "t"
) -> None:
    """Write the picture of a trajectory to a PNG, PDF or SVG file, by its suffix."""
    form_of(path)
    figure = new_figure()
    run.plot(show, against, figure.subplots())
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
    names = checked_names(run, show, against)
    ax = axes_of(ax)
    x = run.t if against == "t" else run.column(against)
    columns = [run.column(name) for name in names]
    small = _others(columns) if against == "t" else frozenset()
    second = ax.twinx() if small else ax
    keys = []
    for k, (name, column) in enumerate(zip(names, columns, strict=True)):
        look: dict[str, Any] = {"linestyle": ("-", "--", "-.", ":")[k % 4], "color": COLOURS[k % len(COLOURS)]}
        keys += (second if k in small else ax).plot(x, column, linewidth=PLAIN.width, label=name, **look)
    words = [", ".join(n for k, n in enumerate(names) if (k in small) == there) for there in (False, True)]
    name_axes(ax, run.title, against, words[0] if small or len(names) == 1 else "state")
    if small:
        second.set_ylabel(words[1], parse_math=False)
    if len(names) > 1:
        add_legend(ax, keys)
    return ax


def checked_names(run: Trajectory, show: str | Sequence[str] | None, against: str) -> Sequence[str]:
    """Return the names of what is drawn.

    Raises
    ------
    InputError
        If there is nothing of such a name, or nothing to draw against.
    """
    if show is None:
        names = tuple(n for n in run.columns if n != against)
    else:
        names = (show,) if isinstance(show, str) else as_texts(show, "what to show")
    for name in names:
        if name not in run.columns and name not in run.observables:
            known = ", ".join((*run.columns, *run.observables))
            raise InputError(f"there is no state {name!r} to show; there are {known}")
    if against != "t" and against not in run.columns:
        raise InputError(f"there is nothing called {against!r} to draw against; use t, {', '.join(run.columns)}")
    return names


def _others(columns: Sequence[np.ndarray]) -> frozenset[int]:
    """Return the states that need an axis of their own: beside the first one they would be flat, or make it flat."""
    sizes = [float(np.nanmax(np.abs(column))) for column in columns]
    extents = [float(np.ptp(column)) for column in columns]
    if len(columns) < 2 or not all(size > 0.0 for size in sizes):
        return frozenset()
    order = np.argsort(sizes)
    ratios = [sizes[b] / sizes[a] for a, b in itertools.pairwise(order)]
    cut = int(np.argmax(ratios))
    if ratios[cut] < APART or not any(extents):
        return frozenset()
    groups = frozenset(order[: cut + 1].tolist()), frozenset(order[cut + 1 :].tolist())
    return groups[0] if 0 in groups[1] else groups[1]

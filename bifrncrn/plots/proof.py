"""What a proof holds as a picture: its curves, its special points, and where something is undecided."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.plots.style import (
    PLAIN,
    add_legend,
    axes_of,
    check_suffix,
    marker_of,
    name_axes,
    new_figure,
    save_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifrncrn.proofs.result import Proof

UNDECIDED = "#c0392b"
LEAST = 0.012
"""An undecided box is drawn at least so large, as a share of the picture: most are too small to be seen."""


def plot_proof(proof: Proof, show: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw one state against the parameter: proved curves, proved special points, and hatched what is undecided.

    Parameters
    ----------
    proof : Proof
        Of a box.
    show : str, optional
        The state; by default the first.
    ax : matplotlib axes, optional
        Where to draw; by default the only axes of a new figure.

    Raises
    ------
    InputError
        If the proof is about no box, or there is no such state.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch, Rectangle

    if not proof.box:
        raise InputError("this proof is about a diagram or a cycle: draw that (diagram.plot(), cycle.plot())")
    names = [*proof.box]
    show = names[0] if show is None else show
    if show not in proof.box:
        raise InputError(f"the proof has no state {show!r}; it has {', '.join(names)}")
    ax = axes_of(ax)
    k, (left, right), (bottom, top) = names.index(show), proof.range, proof.box[show]
    low = np.array([*(side[0] for side in proof.box.values()), left])
    high = np.array([*(side[1] for side in proof.box.values()), right])
    for path in proof.paths:
        inside = np.all((path >= low) & (path <= high), axis=1, keepdims=True)
        shown = np.where(inside, path, np.nan)
        ax.plot(shown[:, -1], shown[:, k], color=PLAIN.colour, linewidth=PLAIN.width, zorder=2)
    what = "proved equilibria" if proof.kind == "ode" else "proved fixed points"
    keys: list[Any] = [Line2D([], [], color=PLAIN.colour, linewidth=PLAIN.width, label=what)]
    for label in dict.fromkeys(point.label for point in proof.special_points if point.proved):
        places = [
            (sum(point.parameters[proof.parameter]) / 2.0, sum(point.state[show]) / 2.0)
            for point in proof.special_points
            if point.proved and point.label == label
        ]
        ax.plot(*zip(*places, strict=True), zorder=4, **marker_of(PLAIN, label))
        keys.append(Line2D([], [], label=f"proved {label}", **marker_of(PLAIN, label)))
    least = LEAST * (right - left), LEAST * (top - bottom)
    look: dict[str, Any] = {"facecolor": "none", "edgecolor": UNDECIDED, "hatch": "////", "linewidth": 0.8}
    for item in proof.undecided:
        (a, b), (c, d) = item.box[proof.parameter], item.box[show]
        width, height = max(b - a, least[0]), max(d - c, least[1])
        corner = 0.5 * (a + b - width), 0.5 * (c + d - height)
        ax.add_patch(Rectangle(corner, width, height, zorder=3, **look))
    keys += [Patch(label="undecided", **look)] * bool(proof.undecided)
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    name_axes(ax, proof.model, proof.parameter, show)
    add_legend(ax, keys)
    return ax


def save_proof(proof: Proof, path: str | os.PathLike[str], show: str | None = None) -> None:
    """Write a proof's picture to a file."""
    check_suffix(path)
    figure = new_figure()
    plot_proof(proof, show, figure.subplots())
    save_figure(figure, path)

"""Curves in two parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.labels import KINDS
from bifrncrn.plots.branches import finish, marked_points, width_of
from bifrncrn.plots.labels import add_labels
from bifrncrn.plots.style import PLAIN, add_legend, marker_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifrncrn.diagrams.results import Diagram


_DOT_DASH = (0, (6.0, 1.8, 1.2, 1.8))
LOCI: dict[str, dict[str, Any]] = {
    "fold": {"color": PLAIN.colour, "linestyle": "solid"},
    "hopf": {"color": PLAIN.colour, "linestyle": _DOT_DASH},
    "branch_point": {"color": PLAIN.colour, "linestyle": "dotted"},
    "fold_of_cycles": {"color": PLAIN.cycles, "linestyle": "solid"},
    "period_doubling": {"color": PLAIN.cycles, "linestyle": (0, (3.0, 2.0))},
    "branch_point_of_cycles": {"color": PLAIN.cycles, "linestyle": (0, (1.0, 2.5))},
    "torus": {"color": PLAIN.cycles, "linestyle": _DOT_DASH},
    "fixed_period": {"color": PLAIN.cycles, "linestyle": (0, (8.0, 3.0)), "linewidth": 0.8 * PLAIN.width},
    "homoclinic": {"color": PLAIN.cycles, "linestyle": "dotted"},
    "heteroclinic": {"color": PLAIN.cycles, "linestyle": (0, (4.0, 1.5, 1.0, 1.5, 1.0, 1.5))},
    "snic": {"color": PLAIN.cycles, "linestyle": (0, (0.8, 0.8)), "linewidth": 2.5 * PLAIN.width},
    "map_fold": {"color": PLAIN.colour, "linestyle": "solid"},
    "map_doubling": {"color": PLAIN.colour, "linestyle": (0, (3.0, 2.0))},
    "map_torus": {"color": PLAIN.colour, "linestyle": _DOT_DASH},
}
"""The lines of curves in two parameters, by the kind of their branch."""


def plot_loci(diagram: Diagram, ax: Axes) -> Axes:
    """Draw the curves of folds and Hopf points in the plane of the two parameters."""
    from matplotlib.lines import Line2D

    first, second = diagram.parameter, diagram.second
    assert second is not None
    plane = replace(diagram, branches=tuple(branch for branch in diagram.branches if branch.kind in LOCI))
    for branch in plane.branches:
        style = {"linewidth": PLAIN.width, **LOCI[branch.kind]}
        ax.plot(branch.column(first), branch.column(second), zorder=PLAIN.layer, label="_branch", **style)
    marked = [point for point in diagram.special_points if second in point.parameters]
    layers = [(replace(plane, special_points=tuple(marked)), second, PLAIN)]
    for point, height in marked_points(layers[0][0], second):
        ax.plot(
            [point.parameters[first]],
            [height],
            zorder=PLAIN.layer + 2,
            label="_special",
            **marker_of(PLAIN, point.label),
        )
    finish(ax, diagram.model, second, layers)
    _around(ax, diagram, first)
    kinds = dict.fromkeys(branch.kind for branch in plane.branches)
    keys = [Line2D([], [], label=KINDS[kind].meaning, **LOCI[kind]) for kind in kinds]
    add_legend(ax, keys)
    add_labels(ax, layers)
    return ax


def _around(ax: Axes, diagram: Diagram, first: str) -> None:
    """Set the horizontal limits to the range that was asked for and the special points, or to the curves."""
    loci = [branch.column(first) for branch in diagram.branches if branch.kind in LOCI]
    values = np.concatenate([*loci, diagram.range])
    special = [point.parameters[first] for point in diagram.special_points]
    low, high = min([*diagram.range, *special]), max([*diagram.range, *special])
    room = 0.1 * width_of(low, high)
    ax.set_xlim(max(float(values.min()), low) - room / 5, min(float(values.max()), high) + room / 5)

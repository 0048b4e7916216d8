"""The branches and special points of diagrams, drawn into axes, and the limits of the axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.labels import is_shown
from bifrncrn.plots.curves import norm, smooth
from bifrncrn.plots.runs import ORDER, stability_runs
from bifrncrn.plots.style import Style, beads_of, dashes_of, marker_of, name_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifrncrn.diagrams.results import Branch, Diagram, SpecialPoint


ZERO = 1e-30  # a branch no larger than this is drawn as zero
ENDLESS = ("infinity", "continuum")
"""Why a branch ends that is cut somewhere on its way: where says nothing."""
BEADS = 0.022
"""The distance of the beads along the extremes of cycles, in terms of the diagonal of the axes."""
Layer = tuple["Diagram", str, Style]


def shown_of(diagram: Diagram, show: str | None) -> str:
    """Return the name of what is on the vertical axis, checked; by default the first state that goes round nowhere."""
    names = [name for branch in diagram.branches for name in _states(branch, diagram.parameter)]
    if not names:
        raise InputError(f"the diagram of {diagram.model!r} has no branch to draw")
    if show is not None:
        require_kind(show, str, "the name of a quantity")
    if show is not None and not any(curves_of(branch, show) for branch in diagram.branches):
        there = f"{', '.join(dict.fromkeys(names))}, max or min of one, norm, and of cycles period"
        raise InputError(f"there is no state {show!r} to show; there are {there}")
    return _telling(diagram, names) if show is None else show


def _telling(diagram: Diagram, names: list[str]) -> str:
    """Return the first state that is no angle which goes round on cycles: its extremes are -pi and pi all along."""
    angles = diagram.system.periodic if diagram.system is not None else ()
    cycles = [branch for branch in diagram.branches if branch.kind == "periodic"]
    round_ = {
        name
        for name in angles
        if any(np.allclose(one.column(f"max {name}") - one.column(f"min {name}"), 2.0 * np.pi) for one in cycles)
    }
    return next((name for name in names if name not in round_), names[0])


def _states(branch: Branch, parameter: str) -> list[str]:
    names = (name.removeprefix("min ").removeprefix("max ") for name in branch.columns)
    return [name for name in dict.fromkeys(names) if name not in (parameter, "period")]


def curves_of(branch: Branch, name: str) -> list[np.ndarray]:
    """Return the columns of a branch that show a state: itself, or the minimum and the maximum of a cycle.

    Of the cycles of a map, the state at each of their points.
    """
    known = {*branch.columns, name if name in branch.observables and branch.kind != "periodic" else ""}
    if name in branch.observables and branch.profiles:
        known |= {f"min {name}", f"max {name}"}
    if branch.kind == "fixed_point" and (branch.iterations or 1) > 1 and name in branch.columns[1:] and branch.system:
        return branch.phases(name)
    found = [branch.column(column) for column in (name, f"min {name}", f"max {name}") if column in known]
    state = name.removeprefix("max ").removeprefix("min ")
    if not found and state != name and state in branch.columns[1:]:
        return [branch.column(state)]  # an equilibrium is its own extreme
    return [norm(branch)] if not found and name == "norm" else found


def draw_branches(ax: Axes, diagram: Diagram, name: str, style: Style) -> None:
    """Draw the branches and the markers of a diagram."""
    bottom, top = _limits(_heights([(diagram, name, style)]))
    for branch in diagram.branches:
        special = {point.index for point in diagram.special_points if point.branch == branch.id}
        for values in curves_of(branch, name):
            horizontal = branch.column(diagram.parameter)
            extent = (diagram.range[1] - diagram.range[0], top - bottom)
            for rows, kind in stability_runs(branch.stability, special):
                x, y = smooth(horizontal[rows], values[rows], extent)
                draw = _draw_cycles if branch.kind == "periodic" else _draw_run
                draw(ax, x, y, kind, style)
    for point, vertical in marked_points(diagram, name, both=True):
        ax.plot(
            [point.parameters[diagram.parameter]],
            [vertical],
            zorder=style.layer + 2,
            label="_special",
            **marker_of(style, point.label),
        )


def _draw_run(ax: Axes, x: np.ndarray, y: np.ndarray, kind: str, style: Style) -> None:
    ax.plot(
        x,
        y,
        color=style.colour,
        linewidth=style.width,
        linestyle=dashes_of(kind, style),
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
        **beads_of(kind, style),
    )


def marked_points(diagram: Diagram, name: str, both: bool = False) -> list[tuple[SpecialPoint, float]]:
    """Return the special points that get a marker, with their height in the picture; of cycles the top, or both."""
    branches = {branch.id: branch for branch in diagram.branches}
    marked = []
    for point in diagram.special_points:
        if not is_shown(point.label):
            continue
        branch = branches.get(point.branch)
        if both and name in point.state and len(point.states) > 1:
            marked += [(point, value) for value in point.states[:, [*point.state].index(name)].tolist()]
        elif name in point.state and (branch is None or branch.kind != "periodic"):
            marked.append((point, point.state[name]))
        elif branch is not None:
            marked += [(point, float(values[point.index])) for values in curves_of(branch, name)[0 if both else -1 :]]
    return marked


def _heights(layers: Sequence[Layer]) -> np.ndarray:
    """Return all finite values on the vertical axis, without those of branches that have no end.

    What such a branch has in common with the others is shown; without others, the greater part of it.
    """
    calm, wild, greater = [np.empty(0)], [np.empty(0)], [np.empty(0)]
    for diagram, column, _ in layers:
        for branch in diagram.branches:
            runs = any(end.reason in ENDLESS for end in branch.ended)
            shown = [values[np.isfinite(values)] for values in curves_of(branch, column)]
            (wild if runs else calm).extend(shown)
            if runs:
                greater += [_greater_part(branch.points[np.isfinite(v), 0], v) for v in curves_of(branch, column)]
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


def width_of(low: float, high: float) -> float:
    """Return the width of an interval, and of one that is a single value (but for rounding) one that suits it."""
    size = max(abs(low), abs(high))
    return high - low if high - low > 1e-9 * size else size or 1.0


def finish(ax: Axes, title: str, name: str, layers: Sequence[Layer], log: str = "") -> None:
    """Set the axes' names and limits."""
    name_axes(ax, title, layers[0][0].parameter, name)
    low, high = min(d.range[0] for d, _, _ in layers), max(d.range[1] for d, _, _ in layers)
    room = width_of(low, high)
    ax.set_xlim(low - 0.02 * room, high + 0.02 * room)
    if "x" in log:
        ax.set_xscale("log")
        ax.set_xlim(low, high)
    heights = _heights(layers)
    if "y" in log:
        ax.set_yscale("log")
        heights = heights[heights > 0.0]
        ax.set_ylim(heights.min() / 1.3, heights.max() * 1.3)
    elif heights.size:
        ax.set_ylim(*_limits(heights))


def _limits(heights: np.ndarray) -> tuple[float, float]:
    """Return the ends of the vertical axis: what is constant, or zero, to rounding is drawn as such, not blown up."""
    if not heights.size:
        return 0.0, 1.0
    bottom, top = float(heights.min()), float(heights.max())
    largest = max(abs(bottom), abs(top))
    room = max(0.08 * (top - bottom), 0.02 * largest) if largest > ZERO else 1.0
    return bottom - room, top + room


def zoom(ax: Axes, box: tuple[float, float], layers: Sequence[Layer]) -> None:
    """Set the vertical limits to what lies in the box, with some of the box around it."""
    low, high = box
    heights = np.concatenate([v for d, column, _ in layers for branch in d.branches for v in curves_of(branch, column)])
    inside = heights[(heights >= low) & (heights <= high)]
    bottom, top = (inside.min(), inside.max()) if inside.size else (low, high)
    room = 0.15 * (high - low)
    ax.set_ylim(max(bottom - room, low - room / 3), min(top + room, high + room / 3))


def kinds_of(diagram: Diagram, name: str) -> list[str]:
    """Return the kinds of lines that show a state, which a legend explains: of equilibria, then of cycles."""
    found = set()
    for branch in diagram.branches:
        if curves_of(branch, name):
            special = {point.index for point in diagram.special_points if point.branch == branch.id}
            cycle = " cycle" * (branch.kind == "periodic")
            found |= {f"{kind}{cycle}" for _, kind in stability_runs(branch.stability, special)}
    return [f"{kind}{cycle}" for cycle in ("", " cycle") for kind in ORDER if f"{kind}{cycle}" in found]

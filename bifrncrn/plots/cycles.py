"""Pictures of cycles: a branch of them as small multiples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.plots.curves import states_of
from bifrncrn.plots.style import FONT_SIZE, PLAIN, dashes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bifrncrn.diagrams.results import Branch

ACROSS = 3
VISIBLE = 0.02
"""Cycles smaller than this share of the largest would be a dot."""


def plot_family(branch: Branch, states: tuple[str, str] | None = None, count: int = 6) -> np.ndarray:
    """Draw cycles of a branch, from its first to its last, each in the plane of two states.

    All have the same axes, so that they can be compared; solid where stable, dashed where not. The cycles are chosen
    evenly by size.

    Parameters
    ----------
    branch : Branch
    states : (str, str), optional
        By default the first two.
    count : int
        How many, from 2.

    Returns
    -------
    array of matplotlib axes

    Raises
    ------
    InputError
        If the branch holds no cycles, there are no such states, or the count is too small.
    """
    from matplotlib import pyplot

    if not branch.profiles:
        raise InputError("this branch holds no orbits: equilibria have none")
    known = states_of(branch)
    names = tuple(known[:2]) if states is None else tuple(states)
    if len(names) != 2 or not set(names) <= set(known):
        raise InputError(f"the plane of {names!r:.60} cannot be drawn; give two of {', '.join(known)}")
    if not isinstance(count, int) or count < 2:
        raise InputError(f"count is {count!r:.40}, but at least 2 cycles must be drawn")
    rows = _spread(branch, names, count)
    high = -(-len(rows) // ACROSS)
    _, grid = pyplot.subplots(
        high, ACROSS, figsize=(6.4, 2.2 * high + 0.4), sharex=True, sharey=True, layout="constrained", squeeze=False
    )
    columns = [known.index(name) for name in names]
    for row, ax in zip(rows, grid.ravel()):
        _draw(branch, row, columns, ax)
    for ax in grid.ravel()[len(rows) :]:
        ax.axis("off")
    for ax in grid[:, 0]:
        ax.set_ylabel(names[1], parse_math=False)
    for ax in grid[-1]:
        ax.set_xlabel(names[0], parse_math=False)
    axes: np.ndarray = grid
    return axes


def _spread(branch: Branch, names: tuple[str, ...], count: int) -> list[int]:
    """Return rows from the first to the last between which the cycles change by about the same."""
    ends = [branch.column(f"{end} {name}") for name in names for end in ("min", "max")]
    table = np.column_stack([branch.points[:, 0], branch.column("period"), *ends])
    sizes = np.ptp(table, axis=0)
    steps = np.linalg.norm(np.diff(table / np.where(sizes > 0.0, sizes, 1.0), axis=0), axis=1)
    along = np.append(0.0, np.cumsum(steps))
    wide = np.max([branch.column(f"max {name}") - branch.column(f"min {name}") for name in names], axis=0)
    seen = np.flatnonzero(wide > VISIBLE * np.max(wide))
    wanted = np.linspace(along[seen[0]], along[seen[-1]], count)
    return sorted({int(seen[np.argmin(np.abs(along[seen] - one))]) for one in wanted})


def _draw(branch: Branch, row: int, columns: list[int], ax: Axes) -> None:
    profile, kind = branch.profiles[row], str(branch.stability[row])
    closed = np.vstack([profile.states, profile.last])[:, columns]
    ax.plot(*closed.T, color=PLAIN.cycles, linewidth=PLAIN.width, linestyle=dashes_of(kind, PLAIN))
    said = f"{branch.columns[0]} = {branch.points[row, 0]:.5g}\nperiod {profile.period:.4g}"
    ax.set_title(said, fontsize=FONT_SIZE - 1, parse_math=False)

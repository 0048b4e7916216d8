"""What a system does over the range of its parameter, as shades behind a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEVERAL: dict[str, Any] = {"facecolor": "#e9e9e9", "edgecolor": "none", "linewidth": 0.0}
OSCILLATES: dict[str, Any] = {"facecolor": "none", "edgecolor": "#dcdcdc", "hatch": "///", "linewidth": 0.0}
BOTH: dict[str, Any] = {"facecolor": "#e9e9e9", "edgecolor": "#ffffff", "hatch": "///", "linewidth": 0.0}


def shade(ax: Axes, ranges: Sequence[tuple[str, float, float]]) -> list[Any]:
    """Shade where there are several attractors (grey) or a cycle (hatched); return the entries of the legend.

    Where there is one stable equilibrium, or nothing stable was found, the picture stays white.

    Parameters
    ----------
    ranges : sequence of (str, float, float)
        In words, and from where to where.
    """
    from matplotlib.patches import Patch

    keys: dict[str, Any] = {}
    left, right = ax.get_xlim()
    for word, low, high in ranges:
        look = look_of(word)
        if look is not None:
            ax.axvspan(low, high, zorder=0.5, label="_range", **look)
            short = word.replace("an equilibrium and a cycle", "rest, cycle")
            keys.setdefault(word, Patch(label=short, **{**look, "edgecolor": "#bdbdbd"}))
    ax.set_xlim(left, right)
    return list(keys.values())


def look_of(word: str) -> dict[str, Any] | None:
    """Return how a range is shaded, by what is said of it."""
    if "-cycle" in word or "fixed point" in word:  # of a map
        return SEVERAL if word[0].isdigit() or " and " in word else None
    cycle, several = "cycle" in word or word == "oscillates", word[0].isdigit() or word.startswith("bistable")
    return BOTH if cycle and several else OSCILLATES if cycle else SEVERAL if several else None

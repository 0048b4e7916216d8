"""What one check says: the published figure, ours, and whether it holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bifrncrn.plots.panels import Panel


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes
    ----------
    problem, what : str
        The problem's name in the library, and what is looked at.
    wanted : str
        What the target does.
    published : str
        What the published network does; empty where no figure is published.
    ours : str
        What the shipped (or newly trained) network does, by numpy and scipy.
    holds : bool
        Whether ours does what is wanted, within the tolerances of `checks`.
    """

    problem: str
    what: str
    wanted: str
    published: str
    ours: str
    holds: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "holds", bool(self.holds))  # numpy's has no JSON

    def to_json(self) -> dict[str, Any]:
        """Return the row as plain JSON data."""
        return asdict(self)


@dataclass(frozen=True)
class Checked:
    """The rows of a problem, and the panels of its figure."""

    rows: tuple[Row, ...]
    panels: tuple[Panel, ...]

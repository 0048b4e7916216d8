"""One of the two systems that are compared, with what was found out about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bifrncrn.comparison.window import states_of
from bifrncrn.diagrams.results import Diagram
from bifrncrn.models.system import System


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a trajectory came to.

    Attributes
    ----------
    kind : str
        From the inside of the region `rest`, `cycle`, `away` (out of it for good) or another kind of motion; from its
        corners `stays`, `returns` (after a while outside), `away`, or what else was found.
    low, high : (n,) arrays or None
        Between what the common states are there, where it is a rest (both are equal) or a cycle in the region.
    """

    kind: str
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two systems: its diagram with cycles, and what could not be looked at.

    Attributes
    ----------
    word : str
        What it is called: `target`, `learned`, `first` or `second`.
    diagram : Diagram
    names : tuple of str
        Its names of the common states.
    fates : dict of (float, int) to Outcome
        By value and number of the start, what the trajectory came to. Those from the corners of a region that was given
        have negative numbers.
    unjudged : tuple of str
        Sentences.
    reach : (float, float) or None
        The range on which branches are followed, where that is wider than the one that is compared.
    """

    word: str
    diagram: Diagram
    names: tuple[str, ...]
    fates: Mapping[tuple[float, int], Outcome] = field(default_factory=dict)
    unjudged: tuple[str, ...] = ()
    reach: tuple[float, float] | None = None

    @property
    def system(self) -> System | None:
        """The system with its conserved sums, if it is known."""
        reduction = self.diagram.reduction
        return self.diagram.system if reduction is None else reduction.whole

    @property
    def span(self) -> tuple[float, float]:
        """The range on which its branches are followed."""
        return self.reach or self.diagram.range


def on_a_line(side: Side) -> bool:
    """Say whether nothing can turn: there is one state, and no period."""
    system = side.system
    count = len(states_of(side.diagram) if system is None else system.variables)
    return count < 2 and not (system and system.period)

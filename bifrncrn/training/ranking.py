"""Rank networks by their diagrams: a lower loss is not a right bifurcation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bifrncrn.base.errors import ConvergenceError
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.training.targets.behaviours import Behaviour
from bifrncrn.training.targets.target import Target

if TYPE_CHECKING:
    from bifrncrn.comparison.judging import Points
    from bifrncrn.diagrams.results import Diagram

# a parameter error below this share of the range is none
EXACT = 1e-6
# parameter errors closer than this share of the range count as equal, so that the loss decides
RESOLUTION = 0.005
# errors of behaviours closer than this share (one over it) of what is allowed count as equal
FINENESS = 10
# special points further off than this share of the range are wrong ones
TOLERANCE = 0.25


@dataclass(frozen=True)
class Standing:
    """How a network compares with its target: by their diagrams, or by wanted behaviours.

    Attributes
    ----------
    wrong : int
        Special points missing, extra, or of another criticality; behaviours not shown.
    error : float
        The largest difference in the parameter of a matched special point; the largest error of a behaviour, in units
        of what is allowed.
    steps : int
        `error` in units of the ranking's resolution, rounded up.
    text : str
        In words.
    shown, missed : tuple of str
        The behaviours that were looked for beside special points: those the network shows, and those it does not.
    special : str
        What became of the special points, in words; empty where no diagram was compared.
    """

    wrong: int
    error: float
    steps: int
    text: str
    shown: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    special: str = ""

    @property
    def misplaced(self) -> int:
        """Number of special points that are wrong."""
        return self.wrong - len(self.missed)

    def also(self, other: Standing) -> Standing:
        """Return the standing of a diagram, this, with the behaviours of another looked for beside it.

        Which of them are shown counts, but not how nearly: the error stays that of the special points.
        """
        text = "; ".join(words for words in (self.text, other.text) if words)
        wrong = self.wrong + other.wrong
        return replace(self, wrong=wrong, text=text, shown=other.shown, missed=other.missed)

    @property
    def key(self) -> tuple[float, float]:
        """What candidates are ranked by."""
        return float(self.wrong), float(self.steps)

    def __str__(self) -> str:
        return self.text


def target_diagram(target: Target) -> Diagram | None:
    """Return the diagram of the target's ODE over its box and range, or None when it has no ODE or no range."""
    from bifrncrn.diagrams.diagram import diagram

    system = target.system
    if system is None or target.bounds is None or target.parameter is None:
        return None
    return diagram(system, parameter=target.parameter, bounds=target.bounds, box=target.box, all=True)


def standing(target: Target, reference: Diagram, network: Network, mu: float | None = None) -> Standing:
    """Return how the network's diagram compares with `reference`, the target's.

    A network whose diagram has no point to start from stands last.
    """
    from bifrncrn.comparison.compare import trace
    from bifrncrn.comparison.judging import paired_points

    low, high = reference.range
    try:
        learned = trace(reference, network, (low, high), mu, target.box)
        found = paired_points(reference, learned, TOLERANCE, target.box)
    except ConvergenceError:
        text = "no equilibrium found to start from"
        return Standing(len(reference.special_points) + 1, math.inf, 10**6, text, special=text)
    return judge(found, learned.parameter, high - low)


def behaving(behaviours: Sequence[Behaviour], network: Network, mu: float | None = None) -> Standing:
    """Return how many of the wanted behaviours the network shows, and how nearly."""
    verdicts = [behaviour.check(network, mu) for behaviour in behaviours]
    error = max((verdict.error for verdict in verdicts), default=0.0)
    steps = math.ceil(FINENESS * error) if math.isfinite(error) else 10**6
    shown = tuple(verdict.text for verdict in verdicts if verdict.ok)
    missed = tuple(verdict.text for verdict in verdicts if not verdict.ok)
    return Standing(len(missed), error, steps, "; ".join(verdict.text for verdict in verdicts), shown, missed)


def judge(found: Points, parameter: str, extent: float) -> Standing:
    """Return the standing that paired special points amount to; `extent` is the length of the parameter's range."""
    wrong = len(found.missing) + len(found.extra) + sum(1 for match in found.matched if not match.ok)
    error = max((match.parameter_error for match in found.matched), default=0.0)
    steps = 0 if error <= EXACT * extent else math.ceil(error / (RESOLUTION * extent))
    words = [f"{match.label} off by {match.parameter_error:.3g}" for match in found.matched]
    words += [f"{point.label} missing" for point in found.missing]
    words += [f"{point.label} extra at {point.parameters[parameter]:.4g}" for point in found.extra]
    text = ", ".join(words) or "no special point, as wanted"
    return Standing(wrong, error, steps, text, special=text)

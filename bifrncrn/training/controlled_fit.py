"""What training a controlled network returns: both parts, and what the whole does in environments it is meant for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.base.tables import Reported, folded
from bifrncrn.chemistry.networks.controlled import ControlledNetwork
from bifrncrn.training.classifier import ClassifierFit
from bifrncrn.training.fit_result import Fit
from bifrncrn.training.targets.behaviours import equilibria_in, stability, started
from bifrncrn.training.verification import Finding, holds

Box = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Seen:
    """What a network does at one value of its parameter species: stable equilibria in a box, and whether it cycles."""

    stable: int
    cycle: bool


@dataclass(frozen=True, eq=False)
class Demand:
    """What is wanted in some environments.

    Attributes
    ----------
    words : str
        For instance `rest in environments below 2.5`.
    environments : (K, P) array
    shows : callable
        Whether what was seen is what is wanted.
    """

    words: str
    environments: Array
    shows: Callable[[Seen], bool]


@dataclass(frozen=True, eq=False, repr=False)
class ControlledFit(Reported):
    """The outcome of training a controlled network.

    Attributes
    ----------
    network : ControlledNetwork
    fit : Fit
        Of the network that is driven.
    classifier : ClassifierFit
        Of the classifier that drives it.
    findings : tuple of Finding
        What the whole does: in how many environments what is wanted, on the outputs the classifier really has there.
    """

    network: ControlledNetwork
    fit: Fit
    classifier: ClassifierFit
    findings: tuple[Finding, ...]

    @property
    def reached(self) -> bool:
        """Whether the whole does what is wanted in every environment that was tried."""
        return holds(self.findings)

    @property
    def lines(self) -> list[str]:
        """What was verified and what not, in words."""
        return [f"{'verified' if one.ok else 'not reached'}: {one.text} ({one.lam})" for one in self.findings]

    def report(self) -> str:
        """Return the fit as text for people."""
        parts = [str(self.classifier), "", "the network that is driven:", str(self.fit)]
        return folded("\n".join([f"{'reached' if self.reached else 'not reached'}", *self.lines, "", *parts]))

    def to_json(self) -> dict[str, Any]:
        """Return the fit as plain JSON data of schema ``bifrncrn.controlled_fit/1``."""
        return {
            "schema": "bifrncrn.controlled_fit/1",
            "reached": self.reached,
            "behaviours": [{"behaviour": one.text, "lam": one.lam, "verified": one.ok} for one in self.findings],
            "classifier": {**self.classifier.record, "loss": self.classifier.loss},
            "fit": self.fit.to_json(),
            "network": self.network.to_json(),
        }

    def __str__(self) -> str:
        return self.report()


def meets(
    controlled: ControlledNetwork, box: Box, demands: Sequence[Demand], mu: float | None = None
) -> tuple[Finding, ...]:
    """Return, for every demand, in how many of its environments the network does what is wanted.

    The network is looked at where the classifier's outputs really are, not where they were wanted to be (they settle
    by themselves: the network does not act back on them); in the reduced system, and in the full one at `mu`.
    """
    found = []
    for demand, at in itertools.product(demands, (None,) if mu is None else (None, mu)):
        outputs = np.array([controlled.classifier.output(one) for one in demand.environments])
        right = np.array([demand.shows(_seen(controlled, tuple(row.tolist()), box, at)) for row in outputs])
        where = "reduced" if at is None else f"at mu = {at:.3g}"
        text = f"{demand.words}: in {int(right.sum())} of {len(right)}, {where}"
        if not right.all():
            wrong = demand.environments[~right]
            some = "; ".join(", ".join(f"{value:.3g}" for value in row) for row in wrong[:5])
            text += f", not at {some}{' ...' if len(wrong) > 5 else ''}"
        spans = ", ".join(f"{low:.4g} to {high:.4g}" for low, high in zip(outputs.min(axis=0), outputs.max(axis=0)))
        found.append(Finding(text, f"outputs of the classifier there: {spans}", bool(right.all())))
    return tuple(found)


def _seen(controlled: ControlledNetwork, lam: tuple[float, ...], box: Box, mu: float | None) -> Seen:
    """Look for stable equilibria in the box, and for a cycle from its middle and from the network's own start."""
    from bifrncrn.trajectories.cycles import find_cycle

    network, middle = controlled.network, np.array(box).mean(axis=1)
    points = equilibria_in(started(network, middle, lam, None), box)  # they are where they are at every mu
    stable = sum(stability(started(network, x, lam, mu)) == 1 for x in points)
    begins = (started(network, x, lam, mu) for x in (middle, network.state))
    return Seen(stable, len(middle) > 1 and any(find_cycle(system) is not None for system in begins))

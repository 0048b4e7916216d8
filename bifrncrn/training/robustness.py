"""How many copies of a network keep its behaviour when every rate is a little off.

A rate of a laboratory is never what was asked for. In each copy every rate of the reduced system is multiplied by a
factor of its own, uniform in 1 +- spread, and the question is the kind of what it does, not the numbers:

- of a diagram: the same special points, each within a quarter of the range, and no other, on the branches that the
  network itself has;
- of equilibria: each is still there, in the box, as stable as is wanted; where one is to be on the verge, there is a
  stable equilibrium or a stable cycle about it in the box;
- of cycles: one as stable, no further from the wanted one than half its size;
- of chaos: a positive largest Lyapunov exponent.

A copy of which no equilibrium is found from points along one of the network's branches has lost it. Whether what is
found from two of them are two branches is not looked at, nor are homoclinic orbits, or what happens between parts of a
target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.base.errors import ConvergenceError
from bifrncrn.base.threads import single_threaded
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.models.system import System
from bifrncrn.training.ranking import TOLERANCE, equilibrium_near, judge, traced, traced_along
from bifrncrn.training.targets.behaviours import (
    Behaviour,
    ChaosWanted,
    CycleWanted,
    EquilibriaWanted,
    equilibria_in,
    stability,
    started,
)
from bifrncrn.training.targets.target import Target

if TYPE_CHECKING:
    from bifrncrn.diagrams.results import Diagram

# rates are off by a tenth unless something else is asked for; copies
SPREAD, COPIES = 0.1, 100
# a cycle may be this far from the wanted one, in units of its size
NEARBY = 0.5
# the confidence of the interval
CONFIDENCE = 0.95
# spans of time that a Lyapunov exponent of a copy is averaged over, and before
AVERAGED, SETTLED = 1000.0, 200.0


@dataclass(frozen=True)
class Robustness:
    """How many copies keep the behaviour.

    Attributes
    ----------
    spread : float
        Every rate is times a factor uniform in 1 +- spread.
    copies, kept : int
        Looked at, and those of them that do what is wanted.
    seed : int
        Copy k depends on the seed and k only.
    """

    spread: float
    copies: int
    kept: int
    seed: int

    @property
    def share(self) -> float:
        """Share of the copies that keep the behaviour."""
        return self.kept / self.copies

    @property
    def interval(self) -> tuple[float, float]:
        """The exact (Clopper-Pearson) 95 % interval of the share of all copies there could be."""
        from scipy.special import betaincinv

        tail, k, n = (1 - CONFIDENCE) / 2, self.kept, self.copies
        low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
        return low, 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"robust: {self.kept} of {self.copies} copies with every rate off by up to {100 * self.spread:g} % keep "
            f"the kind of behaviour ({100 * low:.0f} to {100 * high:.0f} % with 95 % confidence; reduced system, seed "
            f"{self.seed})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            "copies": self.copies,
            "spread": self.spread,
            "keeps": self.share,
            "interval": list(self.interval),
            "seed": self.seed,
        }


def robustness(
    target: Target,
    network: Network,
    reference: Diagram | None,
    behaviours: Sequence[Behaviour],
    *,
    spread: float = SPREAD,
    copies: int = COPIES,
    seed: int = 0,
) -> Robustness:
    """Return how many copies of `network` keep what `target` does.

    Parameters
    ----------
    reference : Diagram or None
        The target's diagram.
    behaviours : sequence of Behaviour
        What is wanted beside it.
    """
    looks = _looks(target, network, reference, behaviours)
    with single_threaded():
        every = (perturbed(network, spread, np.random.default_rng([seed, k])) for k in range(copies))
        kept = sum(all(look(copy) for look in looks) for copy in every)
    return Robustness(spread, copies, kept, seed)


def perturbed(network: Network, spread: float, rng: np.random.Generator) -> Network:
    """Return a copy with every rate times a factor uniform in 1 +- `spread`."""
    weights: dict[str, Any] = {
        name: value * rng.uniform(1 - spread, 1 + spread, value.shape) for name, value in network.weights().items()
    }
    return Network(**weights, state=network.state, lam=network.lam, mu=network.mu, title=network.title)


Look = Callable[[Network], bool]


def _looks(target: Target, network: Network, reference: Diagram | None, behaviours: Sequence[Behaviour]) -> list[Look]:
    """Return what to look at in every copy."""
    looks: list[Look] = []
    if reference is not None:
        try:
            own = traced(target, reference, network, None)
        except ConvergenceError:
            return [lambda copy: False]
        looks.append(partial(_same_points, target, reference, own))
    for one in behaviours:
        if isinstance(one, EquilibriaWanted):
            low, high = np.array(one.box).T
            points = equilibria_in(started(network, 0.5 * (low + high), one.lam, None), one.box)
            looks.append(partial(_same_equilibria, one, points))
        elif isinstance(one, CycleWanted):
            looks.append(partial(_same_cycle, one))
        elif isinstance(one, ChaosWanted):
            looks.append(partial(_still_chaotic, one))
    return looks


def _same_points(target: Target, reference: Diagram, own: Diagram, copy: Network) -> bool:
    """Say whether a copy has the target's special points, on the branches that begin where the network's are."""
    from bifrncrn.comparison.judging import paired_points

    try:
        found = paired_points(reference, traced_along(own, copy, None), TOLERANCE, target.box)
    except ConvergenceError:
        return False
    low, high = reference.range
    return not judge(found, own.parameter, high - low).wrong


def _same_equilibria(wanted: EquilibriaWanted, points: Array, copy: Network) -> bool:
    """Say whether all wanted equilibria are there in a copy, in the box and as stable."""
    from scipy.optimize import linear_sum_assignment

    if len(points) != len(wanted.points):
        return False
    if not len(points):
        return True
    low, high = np.array(wanted.box).T
    gaps = np.abs((points[:, None] - wanted.points[None]) / (high - low)).max(axis=2)
    for row, column in zip(*linear_sum_assignment(gaps)):
        system = started(copy, points[row], wanted.lam, None)
        x = equilibrium_near(system)
        if x is None or (x < low).any() or (x > high).any():
            return False
        kind, asked = stability(system.with_(state=x)), wanted.stable[column]
        if kind != asked and not (asked == 0 and (kind == 1 or _cycles(system, x, low, high))):
            return False
    return True


def _cycles(system: System, x: Array, low: Array, high: Array) -> bool:
    """Say whether a stable cycle lies about an equilibrium, in the box."""
    from bifrncrn.trajectories.cycles import find_cycle

    cycle = find_cycle(system, state=x)
    return cycle is not None and cycle.stable and bool((cycle.min >= low).all() and (cycle.max <= high).all())


def _same_cycle(wanted: CycleWanted, copy: Network) -> bool:
    """Say whether a copy has a cycle about where it is wanted, as stable."""
    from bifrncrn.trajectories.cycles import hausdorff

    start = np.maximum(wanted.points[0], 0.0)
    cycle = copy.cycle(state=start, lam=np.array(wanted.lam), repelling=not wanted.attracts)
    if cycle is None or cycle.stable != wanted.attracts:
        return False
    return hausdorff(cycle.points, wanted.points) <= NEARBY * float(np.ptp(wanted.points, axis=0).max())


def _still_chaotic(wanted: ChaosWanted, copy: Network) -> bool:
    """Say whether a copy's largest Lyapunov exponent is positive, beyond its error."""
    from bifrncrn.trajectories.lyapunov import largest_lyapunov

    try:
        found = largest_lyapunov(started(copy, wanted.points[0], wanted.lam, None), time=AVERAGED, settle=SETTLED)
    except ConvergenceError:
        return False
    return bool(np.isfinite(found.value) and found.value > 2 * found.error)

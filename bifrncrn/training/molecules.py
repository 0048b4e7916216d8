"""Whether a learned network still does what it does when its molecules are counted.

From every attractor of the network (stable equilibria, and where there are none the cycle) one trajectory of single
reactions is followed. A rest survives where the state stays near it and never comes nearer to another; a cycle where it
stays near the curve and goes round as fast. One trajectory of a few turns shows what is frequent, not what is rare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.checks import Array, number, require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import Reported
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.chemistry.reactions.network import ReactionNetwork
from bifrncrn.training.targets.behaviours import equilibria_in, largest_real_part, stability, started
from bifrncrn.training.targets.curve_part import CurvePart
from bifrncrn.training.targets.target import FieldPart, Target

if TYPE_CHECKING:
    from bifrncrn.chemistry.reactions.stochastic import StochasticSimulation

# how long a trajectory is: turns of a cycle, relaxation times of a rest; and the most reactions of one
TURNS, RELAXATIONS, MOST = 10.0, 100.0, 2e7
# a state is near within this share of the box's sides, or of a cycle's size; so it is to be for this share of the time
NEAR, MOSTLY = 0.25, 0.95
# a cycle may be this much faster or slower
PACE = 0.25
SAMPLES = 2000
# values of a parameter species with a range at which attractors are looked for
ROWS = 3


@dataclass(frozen=True)
class Survival:
    """What became of one attractor.

    Attributes
    ----------
    text : str
    lam : tuple of float
    ok : bool
    """

    text: str
    lam: tuple[float, ...]
    ok: bool

    def __str__(self) -> str:
        at = f" at lam = {', '.join(f'{value:g}' for value in self.lam)}" if self.lam else ""
        return f"{'survives' if self.ok else 'lost'}{at}: {self.text}"


@dataclass(frozen=True)
class Stochastic(Reported):
    """What the attractors of a network become at finite numbers of molecules.

    Attributes
    ----------
    molecules_per_unit : float
        Molecules per unit of concentration.
    mu : float
    seed : int
    found : tuple of Survival
    """

    molecules_per_unit: float
    mu: float
    seed: int
    found: tuple[Survival, ...]

    @property
    def survives(self) -> bool:
        """Whether something was looked at, and all of it survives."""
        return bool(self.found) and all(one.ok for one in self.found)

    def __str__(self) -> str:
        head = (
            f"at {self.molecules_per_unit:g} molecules per unit of concentration, mu = {self.mu:.3g}, seed {self.seed}"
        )
        return "\n".join([f"{head}:", *(str(one) for one in self.found)] if self.found else [f"{head}: no attractor"])

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            "molecules_per_unit": self.molecules_per_unit,
            "mu": self.mu,
            "seed": self.seed,
            "survives": self.survives,
            "attractors": [{"text": one.text, "lam": list(one.lam), "survives": one.ok} for one in self.found],
        }


@dataclass(frozen=True, eq=False)
class _Attractor:
    """Points (k, M) of an attractor, the time of a turn or of relaxing, and what is near it, (M,)."""

    points: Array
    lam: tuple[float, ...]
    time: float
    near: Array
    others: Array

    @property
    def turns(self) -> bool:
        return len(self.points) > 1


def stochastic(
    target: Target, network: Network, mu: float, molecules_per_unit: float = 1000.0, seed: int = 0
) -> Stochastic:
    """Follow one trajectory of single reactions from each attractor of `network`; see `Fit.stochastic`."""
    require_kind(target, Target, "a target")
    require_kind(network, Network, "a network")
    volume = number("molecules_per_unit", molecules_per_unit)
    if volume <= 0:
        raise InputError(f"molecules_per_unit is {molecules_per_unit!r}; give a positive number, for instance 1000")
    found = tuple(_survival(network, one, mu, volume, seed) for one in _attractors(target, network))
    return Stochastic(volume, mu, seed, found)


def _attractors(target: Target, network: Network) -> Iterator[_Attractor]:
    for part in target.parts:
        if isinstance(part, FieldPart):
            rows = np.unique(np.linspace(0, len(part.lam) - 1, ROWS).round().astype(int))
            for row in rows:
                yield from _of_field(target, network, part, part.lam[row])
        elif isinstance(part, CurvePart):
            yield from _cycle(network, part.curve.points[0], part.lam)


def _of_field(target: Target, network: Network, part: FieldPart, lam: tuple[float, ...]) -> Iterator[_Attractor]:
    """Yield the stable equilibria in the box, or the cycle from the target's start where there are none."""
    low, high = np.array(part.box).T
    points = equilibria_in(started(network, 0.5 * (low + high), lam, None), part.box)
    rests = [x for x in points if stability(started(network, x, lam, None)) == 1]
    for k, x in enumerate(rests):
        time = 1.0 / -largest_real_part(started(network, x, lam, None))
        others = np.array([y for j, y in enumerate(rests) if j != k]).reshape(-1, len(low))
        yield _Attractor(x[None], lam, time, NEAR * (high - low), others)
    if not rests and len(low) > 1:
        start = np.array(target.state) if target.state else 0.5 * (low + high)
        yield from _cycle(network, start, lam)


def _cycle(network: Network, start: Array, lam: tuple[float, ...]) -> Iterator[_Attractor]:
    cycle = network.cycle(state=np.maximum(start, 0.0), lam=np.array(lam))
    if cycle is not None and cycle.stable:
        size = float(np.ptp(cycle.points, axis=0).max())
        none = np.zeros((0, len(start)))
        yield _Attractor(cycle.points, lam, cycle.period, np.full(len(start), NEAR * size), none)


def _survival(network: Network, attractor: _Attractor, mu: float, volume: float, seed: int) -> Survival:
    weights: dict[str, Any] = network.weights()
    there = Network(**weights, state=attractor.points[0], lam=np.array(attractor.lam), mu=mu)
    reactions = there.reactions(mu)
    time = attractor.time * (TURNS if attractor.turns else RELAXATIONS)
    time = min(time, MOST / (_pace(reactions) * volume))
    run = reactions.simulate_stochastic(time, volume=volume, samples=SAMPLES, seed=seed)
    x = np.column_stack([run.column(f"X_{i}") for i in range(1, len(there.beta) + 1)])
    return _around(attractor, run, x) if attractor.turns else _resting(attractor, run, x)


def _resting(attractor: _Attractor, run: StochasticSimulation, x: Array) -> Survival:
    here = attractor.points[0]
    away = np.abs(x - here) / attractor.near
    share = float((away.max(axis=1) <= 1).mean())
    own = np.linalg.norm(x - here, axis=1)
    gone = [np.linalg.norm(x - other, axis=1) < own for other in attractor.others]
    hops = bool(np.any(gone))
    text = (
        f"rest at {_text(here)}: within {_text(attractor.near)} of it for {100 * share:.3g} % of t = {run.t[-1]:.3g}, "
        f"standard deviation {_text(x.std(axis=0))}{', and it went over to another rest' if hops else ''}"
    )
    return Survival(text, attractor.lam, share >= MOSTLY and not hops)


def _around(attractor: _Attractor, run: StochasticSimulation, x: Array) -> Survival:
    points = attractor.points
    gaps = np.linalg.norm(x[:, None] - points[None], axis=2)
    nearest = gaps.argmin(axis=1)
    share = float((gaps.min(axis=1) <= attractor.near[0]).mean())
    phase = np.unwrap(2 * np.pi * nearest / len(points))
    done, asked = (phase[-1] - phase[0]) / (2 * np.pi), run.t[-1] / attractor.time
    ranges = "; ".join(f"{low:.3g} to {high:.3g}" for low, high in zip(x.min(axis=0), x.max(axis=0)))
    wanted = "; ".join(f"{low:.3g} to {high:.3g}" for low, high in zip(points.min(axis=0), points.max(axis=0)))
    text = (
        f"cycle: within {attractor.near[0]:.3g} of it for {100 * share:.3g} % of the time, {done:.3g} turns where "
        f"{asked:.3g} are made, ranges {ranges} for {wanted}"
    )
    return Survival(text, attractor.lam, share >= MOSTLY and abs(done / asked - 1) <= PACE)


def _pace(reactions: ReactionNetwork) -> float:
    """Return how many reactions happen at the start, per unit of time and per molecule in a unit of concentration."""
    speeds = [one.rate * np.prod([reactions.start[name] for name in one.reactants]) for one in reactions.reactions]
    return float(np.sum(speeds))


def _text(values: Array) -> str:
    return ", ".join(f"{value:.3g}" for value in values)

"""The library's controlled networks: a classifier of the environment selects what a network does.

Source: Dack, Plesa and Ouldridge, arXiv 2602.02374.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.chemistry.networks.controlled import ControlledNetwork
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.library import targets
from bifrncrn.training.classifier import ClassifierTarget, train_classifier
from bifrncrn.training.controlled_fit import Box, ControlledFit, Demand, meets
from bifrncrn.training.targets.behaviours import SwitchWanted
from bifrncrn.training.targets.target import FieldPart, Target


def xor_classifier(fold: float = 0.3) -> ClassifierTarget:
    """Return the classifier of XOR on [0, 2]^2: below `fold` where just one environment is above 1, else above it.

    The output is to keep a tenth of `fold` away from it, and to stay below 1, up to where the network is trained.
    """
    side = (np.arange(40) + 0.5) / 20
    places = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    one = ((places[:, 0] > 1) != (places[:, 1] > 1))[:, None]
    low, high = np.where(one, 0.0, 1.1 * fold), np.where(one, 0.9 * fold, 1.0)
    # an output is never quite 0
    within = 0.999 * (high - low) / 2
    return ClassifierTarget("xor_classifier", places, (low + high) / 2, 4, 0.1, within)


def step_classifier() -> ClassifierTarget:
    """Return the classifier that switches `eq_cycle`: 0.1 for environments below 2.5, 1 above, on [0, 5]."""
    places = (np.arange(400) + 0.5)[:, None] / 80
    return ClassifierTarget("step_classifier", places, np.where(places < 2.5, 0.1, 1.0), 3, 0.1)


def xor(seeds: int = 10, seed: int = 0, jobs: int | None = None) -> ControlledNetwork:
    """Return a trained network of two stable states where just one of two environments is above 1, else of one.

    The network is trained on `uni_bistable`, the classifier that drives it on `xor_classifier` at the network's fold.

    Raises
    ------
    ConvergenceError
        If the trained network has no fold between; more seeds may find one.
    """
    return train_controlled("xor", seeds, seed, jobs).network


def eq_cycle_controlled(seeds: int = 10, seed: int = 0, jobs: int | None = None) -> ControlledNetwork:
    """Return a trained network that rests while its environment is below 2.5 and cycles above."""
    return train_controlled("eq_cycle_controlled", seeds, seed, jobs).network


def _xor_demands() -> tuple[Demand, ...]:
    side = (np.arange(10) + 0.5) / 5
    places = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    one = (places[:, 0] > 1) != (places[:, 1] > 1)
    return (
        Demand("two stable states where just one environment is above 1", places[one], lambda seen: seen.stable == 2),
        Demand("one stable state elsewhere", places[~one], lambda seen: seen.stable == 1),
    )


def _step_demands() -> tuple[Demand, ...]:
    below, above = (np.linspace(*ends, 7)[:, None] for ends in ((0.25, 2.25), (2.75, 4.75)))
    return (
        Demand("rest in environments below 2.5", below, lambda seen: seen.stable == 1 and not seen.cycle),
        Demand("a cycle and no rest in environments above 2.5", above, lambda seen: seen.cycle and not seen.stable),
    )


CLASSIFIERS: dict[str, Callable[[], ClassifierTarget]] = {
    "xor_classifier": xor_classifier,
    "step_classifier": step_classifier,
}
Recipe = tuple[Callable[[], Target], Callable[[Target, Network], ClassifierTarget], Callable[[], tuple[Demand, ...]]]
CONTROLLED: dict[str, Recipe] = {
    "xor": (targets.uni_bistable, lambda target, network: xor_classifier(_fold(target, network)), _xor_demands),
    "eq_cycle_controlled": (targets.eq_cycle, lambda target, network: step_classifier(), _step_demands),
}
"""By name: what the network is trained on, the classifier that drives it, and what the whole is to do."""


def train_controlled(name: str, seeds: int = 10, seed: int = 0, jobs: int | None = None) -> ControlledFit:
    """Train a controlled network of the library, and look at what the whole does in its environments.

    Raises
    ------
    InputError
        If there is none of that name.
    ConvergenceError
        If the network cannot be driven as is wanted.
    """
    from bifrncrn.training.train import train

    if name not in CONTROLLED:
        raise InputError(f"there is no controlled network {name!r}; there are {', '.join(CONTROLLED)}")
    maker, classifier_of, demands = CONTROLLED[name]
    target = maker()
    fit = train(target, seeds=seeds, seed=seed, jobs=jobs)
    classifier = train_classifier(classifier_of(target, fit.network), seeds=seeds, seed=seed, jobs=jobs)
    whole = ControlledNetwork(classifier.classifier, fit.network)
    mu = target.mu or fit.largest_mu
    return ControlledFit(whole, fit, classifier, meets(whole, _box(target), demands(), mu))


def _box(target: Target) -> Box:
    return next(part.box for part in target.parts if isinstance(part, FieldPart))


def _fold(target: Target, network: Network) -> float:
    """Return the value of the first parameter species at which `network` folds, as `target` asks it to."""
    from bifrncrn.training.targets.wanted import behaviours_of

    folds = [fold for one in behaviours_of(target) if isinstance(one, SwitchWanted) for fold in one.values(network)]
    if not folds:
        raise ConvergenceError(f"the network trained on {target.name} has no fold to be switched at; try more seeds")
    return folds[0]

"""Classifiers and controlled networks as reactions, and back."""

from collections.abc import Iterator

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.networks.controlled import Classifier, ControlledNetwork
from bifrncrn.chemistry.networks.to_reactions import (
    EQUAL,
    Rates,
    counted,
    layer,
    network_start,
    network_terms,
    own_terms,
    recover_network,
    refuse_families,
    shared_scale,
    species_names,
)
from bifrncrn.chemistry.reactions.network import Reaction, ReactionNetwork


def classifier_terms(classifier: Classifier, mu: float) -> Iterator[Reaction]:
    """Yield every reaction of a classifier."""
    p, h, k = classifier.sizes
    environments, hidden, outputs = species_names("L", p), species_names("Z", h), species_names("R", k)
    gamma, tau = (np.full(max(h, k), value) for value in (classifier.gamma, classifier.tau))
    yield from layer(hidden, environments, classifier.first_layer.T, mu)
    yield from own_terms(hidden, classifier.first_biases, gamma, tau, mu)
    yield from layer(outputs, hidden, classifier.output_layer.T, mu)
    yield from own_terms(outputs, classifier.output_biases, gamma, tau, mu)


def classifier_start(classifier: Classifier) -> dict[str, float]:
    """Return start values of environments, hidden species and outputs (quasi-static)."""
    if (classifier.lam < 0).any():
        raise InputError(f"lam is {classifier.lam.tolist()} but the concentration of a species must not be negative")
    p, h, k = classifier.sizes
    start = dict(zip(species_names("L", p), classifier.lam.tolist()))
    start.update(zip(species_names("Z", h), classifier.hidden().tolist()))
    start.update(zip(species_names("R", k), classifier.output().tolist()))
    return start


def classifier_to_reactions(classifier: Classifier, mu: float) -> ReactionNetwork:
    """Return the reactions of a classifier; see `Classifier.reactions`."""
    terms = tuple(classifier_terms(classifier, mu))
    return ReactionNetwork(terms, classifier_start(classifier), mu=mu, title=classifier.title)


def controlled_to_reactions(model: ControlledNetwork, network_mu: float, classifier_mu: float) -> ReactionNetwork:
    """Return the reactions of a controlled network; see `ControlledNetwork.reactions`.

    A time-scale is recorded only when both parts share it.
    """
    terms = [*classifier_terms(model.classifier, classifier_mu), *network_terms(model.network, network_mu, "R")]
    start = {**classifier_start(model.classifier), **network_start(model.network, model.classifier.output())}
    shared = network_mu if network_mu == classifier_mu else None
    return ReactionNetwork(tuple(terms), start, mu=shared, title=model.title)


def classifier_from_reactions(reactions: ReactionNetwork, mu: float | None = None) -> Classifier:
    """Recover a classifier; see `Classifier.from_reactions`."""
    refuse_families(reactions, "LZR", "a classifier has species L_l, Z_j and R_k")
    rates = Rates.read(reactions)
    rates.only_couplings({"ZL", "RZ"}, "in a classifier L drives Z, and Z drives R")
    return _recover_classifier(reactions, rates, mu)


def controlled_from_reactions(reactions: ReactionNetwork, mu: float | None = None) -> ControlledNetwork:
    """Recover classifier and network; see `ControlledNetwork.from_reactions`."""
    refuse_families(reactions, "LZRXY", "a controlled network has species L_l, Z_j, R_k, X_i and Y_j")
    rates = Rates.read(reactions)
    rule = "in a controlled network L drives Z, Z drives R, X and R drive Y, and Y drives X"
    rates.only_couplings({"ZL", "RZ", "YR", "YX", "XY"}, rule)
    classifier = _recover_classifier(reactions, rates, mu)
    return ControlledNetwork(classifier, recover_network(reactions, rates, mu, driver="R"))


def _recover_classifier(reactions: ReactionNetwork, rates: Rates, mu: float | None) -> Classifier:
    environments, hidden, outputs = (counted(reactions, letter) for letter in "LZR")
    if not environments or not hidden or not outputs:
        raise InputError("the reactions hold no L_1, no Z_1 or no R_1, and a classifier needs all three")
    units = hidden + outputs
    rates.only("influx", "ZRXY", "an environment is constant")
    rates.only("linear", "ZRXY", "an environment is constant")
    tau = _shared("tau", "{0} + {0}->{0}", rates.vector("decay", units), units)
    gamma = _shared("gamma", "->{0}", rates.vector("influx", units), units)
    scale = shared_scale(np.array([tau]), mu, reactions.mu)
    return Classifier(
        first_layer=rates.matrix(hidden, environments).T * scale,
        first_biases=rates.vector("linear", hidden) * scale,
        output_layer=rates.matrix(outputs, hidden).T * scale,
        output_biases=rates.vector("linear", outputs) * scale,
        gamma=gamma * scale,
        tau=tau * scale,
        lam=[reactions.start.get(name, 0.0) for name in environments],
        mu=scale,
        title=reactions.title,
    )


def _shared(kind: str, form: str, values: Array, units: list[str]) -> float:
    """Return the rate all perceptrons share, refusing one that is missing or differs."""
    different = ~np.isclose(values, values[0], rtol=EQUAL, atol=0.0)
    if different.any() or values[0] == 0:
        name = units[int(np.argmax(different))] if different.any() else units[0]
        raise InputError(
            f"the reaction {form.format(name)} is missing or has another rate than that of {units[0]}, and all "
            f"perceptrons of a classifier share one {kind}; analyse the reactions as they are"
        )
    return float(values[0])

"""Classifiers and controlled networks as JSON."""

from typing import Any

from bifrncrn.chemistry.networks.controlled import Classifier, ControlledNetwork
from bifrncrn.chemistry.networks.json import network_from_json, network_to_json, numbers, require_schema, table, text

CLASSIFIER = "bifrncrn.classifier/1"
CONTROLLED = "bifrncrn.controlled/1"
ARRAYS = {"first_layer": 2, "first_biases": 1, "output_layer": 2, "output_biases": 1}


def classifier_to_json(classifier: Classifier) -> dict[str, Any]:
    """Return a classifier as plain JSON data."""
    return {
        "schema": CLASSIFIER,
        "title": classifier.title,
        **{name: getattr(classifier, name).tolist() for name in ARRAYS},
        "gamma": classifier.gamma,
        "tau": classifier.tau,
        "mu": classifier.mu,
        "lam": classifier.lam.tolist(),
    }


def classifier_from_json(data: Any) -> Classifier:
    """Build a classifier from JSON data."""
    record = table("the classifier", data, {"schema", *ARRAYS}, {"title", "gamma", "tau", "mu", "lam"})
    require_schema(record, CLASSIFIER)
    options: dict[str, Any] = {name: numbers(name, record[name], dimensions) for name, dimensions in ARRAYS.items()}
    if "lam" in record:
        options["lam"] = numbers("lam", record["lam"], 1)
    options.update({name: record[name] for name in ("gamma", "tau", "mu") if name in record})
    return Classifier(**options, title=text("title", record.get("title", "")))


def controlled_to_json(model: ControlledNetwork) -> dict[str, Any]:
    """Return a controlled network as plain JSON data."""
    return {
        "schema": CONTROLLED,
        "classifier": classifier_to_json(model.classifier),
        "network": network_to_json(model.network),
    }


def controlled_from_json(data: Any) -> ControlledNetwork:
    """Build a controlled network from JSON data."""
    record = table("the controlled network", data, {"schema", "classifier", "network"}, set())
    require_schema(record, CONTROLLED)
    return ControlledNetwork(classifier_from_json(record["classifier"]), network_from_json(record["network"]))

"""The equation texts of a network; they depend on its sizes only, so one compiled shape serves every network."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.base.checks import Array

if TYPE_CHECKING:
    from bifrncrn.chemistry.networks.network import Network

WEIGHTS = ("alpha", "omega", "psi", "theta", "beta", "gamma", "tau")


def names(prefix: str, count: int) -> list[str]:
    """Return ``prefix1 ... prefix<count>``."""
    return [f"{prefix}{i}" for i in range(1, count + 1)]


def lam_names(count: int) -> list[str]:
    """Return the names of the parameter species: ``lam`` alone, ``lam1``, ``lam2``, ... when there are several."""
    return ["lam"] if count == 1 else names("lam", count)


def named_entries(name: str, values: Array) -> dict[str, float]:
    """Return the entries of a weight array under names that count from 1, such as ``alpha_1_2``."""
    indices = (index for index in np.ndindex(values.shape))
    return {"_".join([name, *(str(i + 1) for i in index)]): float(values[index]) for index in indices}


def parameters(network: "Network") -> dict[str, float]:
    """Return the parameters of the network's systems: the parameter species first, then every weight."""
    values = dict(zip(lam_names(network.sizes[2]), network.lam.tolist()))
    for name, weights in network.weights().items():
        values.update(named_entries(name, weights))
    return values


def total(terms: Iterable[str]) -> str:
    """Join terms by plus signs."""
    return " + ".join(terms)


def driven_inputs(m: int, n: int, drivers: list[str], prefix: str = "z") -> dict[str, str]:
    """Return the inputs ``z_j`` of the perceptrons when species `drivers` stand for the parameter species."""
    return {
        f"{prefix}{j}": total(
            [
                f"theta_{j}",
                *(f"omega_{j}_{i}*x{i}" for i in range(1, m + 1)),
                *(f"psi_{j}_{k}*{driver}" for k, driver in enumerate(drivers, 1)),
            ]
        )
        for j in range(1, n + 1)
    }


def inputs(m: int, n: int, p: int) -> dict[str, str]:
    """Return the inputs ``z_j`` of the perceptrons."""
    return driven_inputs(m, n, lam_names(p))


def roots(n: int) -> dict[str, str]:
    """Return the quasi-static perceptrons ``s_j`` as functions of their inputs."""
    return {f"s{j}": f"rncrn_s(z{j}, gamma_{j}, tau_{j})" for j in range(1, n + 1)}


def reduced_definitions(m: int, n: int, p: int) -> dict[str, str]:
    """Return the inputs and the quasi-static perceptrons."""
    return {**inputs(m, n, p), **roots(n)}


def executive(m: int, n: int, perceptron: str) -> dict[str, str]:
    """Return the equations of the executive species, driven by ``perceptron1``, ``perceptron2``, ..."""
    return {
        f"x{i}": f"beta_{i} + x{i}*(" + total(f"alpha_{i}_{j}*{perceptron}{j}" for j in range(1, n + 1)) + ")"
        for i in range(1, m + 1)
    }


def fast(n: int, prefix: str = "z") -> dict[str, str]:
    """Return the equations of the perceptrons, with inputs ``prefix1``, ``prefix2``, ..."""
    return {f"y{j}": f"(gamma_{j} + y{j}*{prefix}{j} - tau_{j}*y{j}**2)/mu" for j in range(1, n + 1)}


def reduced(m: int, n: int) -> dict[str, str]:
    """Return the equations of the reduced system."""
    return executive(m, n, "s")


def full(m: int, n: int) -> dict[str, str]:
    """Return the equations of the full system."""
    return {**executive(m, n, "y"), **fast(n)}


def classifier_definitions(p: int, h: int, k: int) -> dict[str, str]:
    """Return hidden species ``h1``, ... and outputs ``r1``, ... of a classifier at their quasi-static values."""
    environments = lam_names(p)
    texts = {}
    for j in range(1, h + 1):
        drive = total([f"first_bias_{j}", *(f"first_{i}_{j}*{name}" for i, name in enumerate(environments, 1))])
        texts[f"h{j}"] = f"rncrn_s({drive}, classifier_gamma, classifier_tau)"
    for o in range(1, k + 1):
        drive = total([f"output_bias_{o}", *(f"output_{j}_{o}*h{j}" for j in range(1, h + 1))])
        texts[f"r{o}"] = f"rncrn_s({drive}, classifier_gamma, classifier_tau)"
    return texts

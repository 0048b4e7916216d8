"""The chemical classifier, and the network it controls."""

import os
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from bifrncrn.base.checks import Array, array, naming, number, quasi_static, require_kind, shaped, time_scale
from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.networks import equations
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.chemistry.reactions.network import ReactionNetwork
from bifrncrn.models.system import System


@dataclass(frozen=True, eq=False, init=False)
class Classifier:
    """A feed-forward network of chemical perceptrons: P environments drive H hidden species, these K outputs.

    Hidden species Z and outputs R obey the equation of a perceptron, with the layer before as input ::

        dZ_j/dt = (gamma + Z_j*(first_biases_j + sum_l first_layer_lj Lambda_l) - tau*Z_j**2) / mu
        dR_k/dt = (gamma + R_k*(output_biases_k + sum_j output_layer_jk Z_j) - tau*R_k**2) / mu

    Parameters
    ----------
    first_layer : array (P, H)
    first_biases : array (H,) or float
    output_layer : array (H, K)
    output_biases : array (K,) or float
    gamma, tau : float
        Influx and self-decay of every perceptron, positive.
    lam : array (P,) or float
        Values of the environments.
    mu : float, optional
        Time-scale of the perceptrons, if known.
    title : str

    Raises
    ------
    InputError
        If shapes disagree, an entry is not finite, or a positive quantity is not.

    Notes
    -----
    Dack, Plesa and Ouldridge, arXiv 2602.02374.
    """

    first_layer: Array
    first_biases: Array
    output_layer: Array
    output_biases: Array
    gamma: float
    tau: float
    lam: Array
    mu: float | None
    title: str

    def __init__(
        self,
        first_layer: ArrayLike,
        first_biases: ArrayLike,
        output_layer: ArrayLike,
        output_biases: ArrayLike = 0.0,
        gamma: float = 1.0,
        tau: float = 1.0,
        lam: ArrayLike = 1.0,
        mu: float | None = None,
        title: str = "",
    ) -> None:
        first = array("first_layer", first_layer, 2)
        output = array("output_layer", output_layer, 2)
        p, h = first.shape
        k = output.shape[1]
        if not p or not h or not k:
            raise InputError(
                f"first_layer has shape {first.shape} and output_layer {output.shape} but a classifier needs an "
                "environment, a hidden species and an output"
            )
        because = f"to agree with first_layer of shape {first.shape} and output_layer of shape {output.shape}"
        values: dict[str, Any] = {
            "first_layer": first,
            "first_biases": shaped("first_biases", first_biases, (h,), because),
            "output_layer": shaped("output_layer", output, (h, k), because),
            "output_biases": shaped("output_biases", output_biases, (k,), because),
            "gamma": number("gamma", gamma),
            "tau": number("tau", tau),
            "lam": shaped("lam", lam, (p,), because),
            "mu": None if mu is None else time_scale("mu", mu),
            "title": title,
        }
        for name in ("gamma", "tau"):
            if values[name] <= 0:
                raise InputError(f"{name} is {values[name]!r} but must be positive; try 1.0")
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of environments, hidden species and outputs (P, H, K)."""
        return (*self.first_layer.shape, self.output_layer.shape[1])

    def hidden(self, lam: ArrayLike | None = None) -> Array:
        """Return the quasi-static hidden species (H,) in the environments `lam` (P,)."""
        environment = self.lam if lam is None else shaped("lam", lam, self.lam.shape, "to agree with first_layer")
        return quasi_static(self.first_biases + environment @ self.first_layer, self.gamma, self.tau)

    def output(self, lam: ArrayLike | None = None) -> Array:
        """Return the quasi-static outputs (K,) in the environments `lam` (P,), the classifier's own by default."""
        return quasi_static(self.output_biases + self.hidden(lam) @ self.output_layer, self.gamma, self.tau)

    def full(self, mu: float | None = None) -> System:
        """Return the mass-action system of hidden species and outputs; `mu` defaults to the classifier's own."""
        return self.reactions(mu).to_system()

    def resolve_mu(self, mu: float | None) -> float:
        """Return `mu`, or the classifier's own time-scale when it is None."""
        chosen = self.mu if mu is None else mu
        if chosen is None:
            raise InputError("the classifier records no time-scale mu, and this needs one; give mu, for instance 0.01")
        return time_scale("mu", chosen)

    def reactions(self, mu: float | None = None) -> ReactionNetwork:
        """Return the classifier as mass-action reactions; every rate carries 1/mu."""
        from bifrncrn.chemistry.networks.controlled_to_reactions import classifier_to_reactions

        return classifier_to_reactions(self, self.resolve_mu(mu))

    @classmethod
    def from_reactions(cls, reactions: ReactionNetwork, mu: float | None = None) -> "Classifier":
        """Recover a classifier from reactions of L, Z and R; for `mu` see `Network.from_reactions`."""
        from bifrncrn.chemistry.networks.controlled_to_reactions import classifier_from_reactions

        return classifier_from_reactions(reactions, mu)

    def parameters(self) -> dict[str, float]:
        """Return environments, then weights, under the names of the reduced controlled system."""
        values = dict(zip(equations.lam_names(self.sizes[0]), self.lam.tolist()))
        arrays = {"first": self.first_layer, "first_bias": self.first_biases}
        arrays.update({"output": self.output_layer, "output_bias": self.output_biases})
        for name, weights in arrays.items():
            values.update(equations.named_entries(name, weights))
        return {**values, "classifier_gamma": self.gamma, "classifier_tau": self.tau}

    def to_json(self) -> dict[str, Any]:
        """Return the classifier as plain JSON data of schema ``bifrncrn.classifier/1``."""
        from bifrncrn.chemistry.networks.controlled_json import classifier_to_json

        return classifier_to_json(self)

    @classmethod
    def from_json(cls, data: Any) -> "Classifier":
        """Build a classifier from JSON data of schema ``bifrncrn.classifier/1``."""
        from bifrncrn.chemistry.networks.controlled_json import classifier_from_json

        return classifier_from_json(data)


@dataclass(frozen=True, eq=False)
class ControlledNetwork:
    """A network whose parameter species are the outputs of a classifier, so that environments select its behaviour.

    Raises
    ------
    InputError
        If the classifier has another number of outputs than the network has parameter species.
    """

    classifier: Classifier
    network: Network

    def __post_init__(self) -> None:
        require_kind(self.classifier, Classifier, "a classifier")
        require_kind(self.network, Network, "a network")
        outputs, drivers = self.classifier.sizes[2], self.network.sizes[2]
        if outputs != drivers:
            raise InputError(
                f"the classifier has {outputs} outputs but the network {drivers} parameter species; they must agree"
            )

    @property
    def title(self) -> str:
        """The title of the network."""
        return self.network.title

    def reduced(self) -> System:
        """Return the system of the executive species, with classifier and perceptrons at their quasi-static values."""
        m, n, p = self.network.sizes
        drivers = equations.names("r", p)
        own = equations.lam_names(p)
        weights = {k: v for k, v in equations.parameters(self.network).items() if k not in own}
        return System.trusted(
            equations.reduced(m, n),
            parameters={**self.classifier.parameters(), **weights},
            state=dict(zip(equations.names("x", m), self.network.state.tolist())),
            definitions={
                **equations.classifier_definitions(*self.classifier.sizes),
                **equations.driven_inputs(m, n, drivers),
                **equations.roots(n),
            },
            nonnegative=True,
            title=self.title,
        )

    def full(self, mu: float | None = None) -> System:
        """Return the mass-action system of executive species, perceptrons and classifier.

        `mu` is the time-scale of classifier and perceptrons alike; without it each keeps its own.
        """
        return self.reactions(mu).to_system()

    def reactions(self, mu: float | None = None) -> ReactionNetwork:
        """Return the controlled network as mass-action reactions; for `mu` see `full`."""
        from bifrncrn.chemistry.networks.controlled_to_reactions import controlled_to_reactions

        return controlled_to_reactions(self, self.network.resolve_mu(mu), self.classifier.resolve_mu(mu))

    @classmethod
    def from_reactions(cls, reactions: ReactionNetwork, mu: float | None = None) -> "ControlledNetwork":
        """Recover classifier and network from reactions of L, Z, R, X and Y; for `mu` see `Network.from_reactions`."""
        from bifrncrn.chemistry.networks.controlled_to_reactions import controlled_from_reactions

        return controlled_from_reactions(reactions, mu)

    def to_json(self) -> dict[str, Any]:
        """Return both parts as plain JSON data of schema ``bifrncrn.controlled/1``."""
        from bifrncrn.chemistry.networks.controlled_json import controlled_to_json

        return controlled_to_json(self)

    @classmethod
    def from_json(cls, data: Any) -> "ControlledNetwork":
        """Build a controlled network from JSON data of schema ``bifrncrn.controlled/1``."""
        from bifrncrn.chemistry.networks.controlled_json import controlled_from_json

        return controlled_from_json(data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write both parts to a JSON file; floats keep every digit."""
        from bifrncrn.base.records import write_json

        write_json(path, self.to_json())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "ControlledNetwork":
        """Read a controlled network from a JSON file."""
        from bifrncrn.base.records import read_json

        data = read_json(path)
        with naming(path):
            return cls.from_json(data)

"""Weights to reactions and back: every term of a network is one mass-action reaction with a positive rate."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.checks import Array, require_kind, time_scale
from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.chemistry.reactions.network import FAMILY_MEMBER, Reaction, ReactionNetwork, family

EQUAL = 1e-12  # relative difference under which two rates count as one, a few roundings


def species_names(letter: str, count: int) -> list[str]:
    """Return ``letter_1 ... letter_<count>``."""
    return [f"{letter}_{i}" for i in range(1, count + 1)]


def coupling(reactants: tuple[str, str], driver: str, weight: float, mu: float = 1.0) -> Iterator[Reaction]:
    """Yield the reaction by which `driver` makes (positive weight) or consumes the other reactant, if any."""
    target = reactants[1] if driver == reactants[0] else reactants[0]
    if weight:
        yield Reaction(reactants, (driver, target, target) if weight > 0 else (driver,), abs(weight) / mu)


def layer(targets: list[str], drivers: list[str], weights: Array, mu: float) -> Iterator[Reaction]:
    """Yield the couplings of perceptrons `targets` to `drivers` with weights (targets, drivers)."""
    for k, driver in enumerate(drivers):
        for j, target in enumerate(targets):
            yield from coupling((driver, target), driver, float(weights[j, k]), mu)


def own_terms(targets: list[str], bias: Array, gamma: Array, tau: Array, mu: float) -> Iterator[Reaction]:
    """Yield bias, influx and self-decay of perceptrons."""
    for target, weight in zip(targets, bias.tolist()):
        if weight:
            yield Reaction((target,), (target, target) if weight > 0 else (), abs(weight) / mu)
    for target, rate in zip(targets, gamma.tolist()):
        yield Reaction((), (target,), rate / mu)
    for target, rate in zip(targets, tau.tolist()):
        yield Reaction((target, target), (target,), rate / mu)


def network_terms(network: Network, mu: float, driver: str = "L") -> Iterator[Reaction]:
    """Yield every reaction of a network whose parameter species belong to the family `driver`."""
    m, n, p = network.sizes
    x, y = species_names("X", m), species_names("Y", n)
    yield from layer(y, species_names(driver, p), network.psi, mu)
    for i in range(m):
        for j in range(n):
            yield from coupling((x[i], y[j]), y[j], float(network.alpha[i, j]))
    yield from layer(y, x, network.omega, mu)
    for name, rate in zip(x, network.beta.tolist()):
        if rate:
            yield Reaction((), (name,), rate)
    yield from own_terms(y, network.theta, network.gamma, network.tau, mu)


def network_start(network: Network, lam: Array | None = None) -> dict[str, float]:
    """Return start values of executive species and perceptrons (quasi-static)."""
    m, n, _ = network.sizes
    start = dict(zip(species_names("X", m), network.state.tolist()))
    start.update(zip(species_names("Y", n), network.perceptrons(network.state, lam).tolist()))
    return start


def network_to_reactions(network: Network, mu: float) -> ReactionNetwork:
    """Return the reactions of a network; see `Network.reactions`."""
    if (network.lam < 0).any():
        raise InputError(f"lam is {network.lam.tolist()} but the concentration of a species must not be negative")
    start = dict(zip(species_names("L", network.sizes[2]), network.lam.tolist()))
    start.update(network_start(network))
    return ReactionNetwork(tuple(network_terms(network, mu)), start, mu=mu, title=network.title)


def network_from_reactions(reactions: ReactionNetwork, mu: float | None = None) -> Network:
    """Recover a network from its reactions; see `Network.from_reactions`."""
    require_kind(reactions, ReactionNetwork, "a network of reactions")
    refuse_families(reactions, "LXY", "a network has species X_i, Y_j and L_l")
    return recover_network(reactions, Rates.read(reactions), mu, driver="L")


def refuse_families(reactions: ReactionNetwork, letters: str, rule: str) -> None:
    """Refuse a species outside the named families."""
    for name in reactions.species:
        match = FAMILY_MEMBER.fullmatch(name)
        if not match or match[1] not in letters:
            raise InputError(f"the species {name} has no place here: {rule}; analyse the reactions as they are instead")


@dataclass(frozen=True)
class Rates:
    """The signed rates of reactions that each change one species by one."""

    influx: Mapping[str, float]
    linear: Mapping[str, float]
    decay: Mapping[str, float]
    couplings: Mapping[tuple[str, str], float]  # (target, driver)

    @classmethod
    def read(cls, reactions: ReactionNetwork) -> "Rates":
        """Sort reactions by what they do; refuse one that no term of a network stands for."""
        influx: dict[str, float] = defaultdict(float)
        linear: dict[str, float] = defaultdict(float)
        decay: dict[str, float] = defaultdict(float)
        couplings: dict[tuple[str, str], float] = defaultdict(float)
        for reaction in reactions.reactions:
            change = reaction.change()
            before = Counter(reaction.reactants)
            target, sign = next(iter(change.items())) if len(change) == 1 else ("", 0)
            others = [name for name in before if name != target]
            if abs(sign) != 1 or before.total() > 2 or len(others) > 1:
                raise InputError(_no_term(reaction))
            if not before and sign > 0:
                influx[target] += reaction.rate
            elif before == {target: 1}:
                linear[target] += sign * reaction.rate
            elif before == {target: 2} and sign < 0:
                decay[target] += reaction.rate
            elif before[target] == 1:
                couplings[target, others[0]] += sign * reaction.rate
            else:
                raise InputError(_no_term(reaction))
        return cls(influx, linear, decay, couplings)

    def matrix(self, targets: list[str], drivers: list[str]) -> Array:
        """Return the couplings (targets, drivers), 0 where there is no reaction."""
        values = [[self.couplings.get((t, d), 0.0) for d in drivers] for t in targets]
        return np.array(values, dtype=np.float64).reshape(len(targets), len(drivers))

    def vector(self, kind: str, targets: list[str]) -> Array:
        """Return the rates of one kind for `targets`, 0 where there is no reaction."""
        rates = getattr(self, kind)
        return np.array([rates.get(name, 0.0) for name in targets], dtype=np.float64)

    def only(self, kind: str, letters: str, rule: str) -> None:
        """Refuse a rate of one kind that belongs to another family than `letters`."""
        for name in getattr(self, kind):
            if name[0] not in letters:
                raise InputError(f"{rule}, so the {kind} reaction of {name} has no place in it")

    def only_couplings(self, pairs: set[str], rule: str) -> None:
        """Refuse a coupling whose families, target first, are none of `pairs`."""
        for target, driver in self.couplings:
            if target[0] + driver[0] not in pairs:
                raise InputError(f"{rule}, so {driver} has no way to drive {target}")


def _no_term(reaction: Reaction) -> str:
    return (
        f"the reaction {reaction} is no term of a network; its terms are D + S->D, D + S->D + S + S, S->, S->S + S, "
        "->S and S + S->S"
    )


def counted(reactions: ReactionNetwork, letter: str) -> list[str]:
    """Return all species of a family in order, refusing a gap in the numbers."""
    found = family(reactions.species, letter)
    expected = species_names(letter, len(found))
    missing = [name for name in expected if name not in found]
    if missing:
        raise InputError(f"the species {missing[0]} is missing; number the species {letter}_1, {letter}_2, ...")
    return expected


def shared_scale(tau: Array, given: float | None, recorded: float | None) -> float:
    """Return the time-scale behind the rates; see `Network.from_reactions` for the convention."""
    chosen = recorded if given is None else given
    if chosen is not None:
        return time_scale("mu", chosen)
    same = bool(np.allclose(tau, tau[0], rtol=EQUAL, atol=0.0)) and tau[0] > 0
    return float(1.0 / tau[0]) if same else 1.0


def recover_network(reactions: ReactionNetwork, rates: Rates, mu: float | None, driver: str) -> Network:
    """Build the network whose parameter species belong to the family `driver`."""
    x, y, lam = (counted(reactions, letter) for letter in ("X", "Y", driver))
    if not x or not y:
        raise InputError("the reactions hold no X_1 or no Y_1, and a network needs both; analyse them as they are")
    rates.only("linear", "YZR", "an executive species has no linear term of its own")
    rates.only("decay", "YZR", "an executive species has no decay of its own")
    tau, gamma = rates.vector("decay", y), rates.vector("influx", y)
    for kind, values, form in (("tau", tau, "{0} + {0}->{0}"), ("gamma", gamma, "->{0}")):
        if not values.all():
            name = y[int(np.argmin(values))]
            raise InputError(
                f"the reaction {form.format(name)} is missing, and {kind} of a perceptron must be positive"
            )
    scale = shared_scale(tau, mu, reactions.mu)
    if driver == "L":
        rates.only_couplings({"XY", "YX", "YL"}, "in a network Y drives X, and X and L drive Y")
        rates.only("influx", "XY", "a parameter species is constant")
    return Network(
        alpha=rates.matrix(x, y),
        omega=rates.matrix(y, x) * scale,
        psi=rates.matrix(y, lam) * scale,
        theta=rates.vector("linear", y) * scale,
        beta=rates.vector("influx", x),
        gamma=gamma * scale,
        tau=tau * scale,
        state=[reactions.start.get(name, 0.0) for name in x],
        lam=[reactions.start.get(name, 0.0) for name in lam],
        mu=scale,
        title=reactions.title,
    )

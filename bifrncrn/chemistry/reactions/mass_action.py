"""From reactions to a system of differential equations."""

from collections import Counter

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.networks.equations import lam_names, names
from bifrncrn.chemistry.reactions.network import FAMILIES, FAMILY_MEMBER, Reaction, ReactionNetwork, family
from bifrncrn.models.system import System

ORDER = "XYZR"


def mass_action_system(network: ReactionNetwork) -> System:
    """Return the mass-action system of `network`; see `ReactionNetwork.to_system`."""
    constants = set(network.constants)
    changing = ordered([name for name in network.species if name not in constants])
    if not changing:
        raise InputError("no reaction changes any species, so there is nothing to analyse; check the reaction list")
    fixed = ordered([name for name in network.species if name in constants])
    alias = system_names(network.species)
    rates = rate_names(len(network.reactions), set(alias.values()))
    values = {alias[name]: network.start.get(name, 0.0) for name in fixed}
    values.update(zip(rates, (reaction.rate for reaction in network.reactions)))
    return System.trusted(
        equation_texts(network.reactions, changing, alias, rates),
        parameters=values,
        state={alias[name]: network.start.get(name, 0.0) for name in changing},
        nonnegative=True,
        title=network.title,
    )


def ordered(species: list[str]) -> list[str]:
    """Sort the species of a network as L, X, Y, Z, R, each by number; others follow in their own order."""
    rank = {letter: i for i, letter in enumerate("L" + ORDER)}

    def key(name: str) -> tuple[int, int]:
        match = FAMILY_MEMBER.fullmatch(name)
        return (rank[match[1]], int(match[2])) if match else (len(rank), 0)

    return sorted(species, key=key)


def system_names(species: tuple[str, ...]) -> dict[str, str]:
    """Return the name of each species in the system; all keep their own when two would share one."""
    alias = {name: name for name in species}
    for letter, prefix in FAMILIES.items():
        alias.update({name: f"{prefix}{index}" for name, index in family(species, letter).items()})
    environments = family(species, "L")
    if list(environments.values()) == [1]:
        alias.update(dict.fromkeys(environments, lam_names(1)[0]))
    return alias if len(set(alias.values())) == len(alias) else {name: name for name in species}


def rate_names(count: int, taken: set[str]) -> list[str]:
    """Return names for the rates that no species has."""
    for prefix in ("k", "rate", "rate_of_reaction_"):
        found = names(prefix, count)
        if taken.isdisjoint(found):
            return found
    raise InputError("the species are called k1, rate1 and rate_of_reaction_1, which the rates need; rename a species")


def speed(reaction: Reaction, rate: str, alias: dict[str, str]) -> str:
    """Return the speed of a reaction, such as ``k3*x1*y2**2``."""
    powers = Counter(alias[name] for name in reaction.reactants)
    return "*".join([rate, *(name if count == 1 else f"{name}**{count}" for name, count in powers.items())])


def equation_texts(
    reactions: tuple[Reaction, ...], changing: list[str], alias: dict[str, str], rates: list[str]
) -> dict[str, str]:
    """Return the time derivative of each changing species."""
    terms: dict[str, list[str]] = {name: [] for name in changing}
    for reaction, rate in zip(reactions, rates):
        law = speed(reaction, rate, alias)
        for name, count in reaction.change().items():
            factor = "" if abs(count) == 1 else f"{abs(count)}*"
            sign = "-" if count < 0 else "+"
            if terms[name]:
                terms[name].append(f" {sign} {factor}{law}")
            else:
                terms[name].append(f"{sign}{factor}{law}".lstrip("+"))
    return {alias[name]: "".join(parts) for name, parts in terms.items()}

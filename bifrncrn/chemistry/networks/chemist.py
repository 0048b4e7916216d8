"""A network as a chemist needs it: what each species is for, and every reaction with its rate and unit."""

from __future__ import annotations

from bifrncrn.base.tables import format_table
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.chemistry.networks.to_reactions import network_terms, species_names
from bifrncrn.chemistry.reactions.network import Reaction

# rate constants further apart than this are beyond what a laboratory has
WIDE = 1e6
UNITS = {0: "c/t", 1: "1/t", 2: "1/(c t)"}


def network_report(network: Network) -> str:
    """Return the network as text: species, time-scale, spread of its rates, reactions."""
    m, n, p = network.sizes
    reactions = list(network_terms(network, 1.0))
    lines = [
        f"{network.title or 'network'}: {m} executive species, {n} perceptrons, {p} parameter species, "
        f"{len(reactions)} reactions",
        _time_scale(network),
        _spread(network),
        "",
        format_table(("species", "role", "start"), _species(network)),
        "",
        "units: c of concentration, t of time, as in the model the network stands for",
        format_table(("reaction", "rate", "unit"), [_row(reaction) for reaction in reactions]),
    ]
    return "\n".join(lines)


def rate_constants(network: Network) -> list[float]:
    """Return the rate constants of all reactions at the network's time-scale, or at mu = 1 where it has none."""
    return [reaction.rate for reaction in network_terms(network, network.mu or 1.0)]


def _time_scale(network: Network) -> str:
    """Say at which time-scales the network may run."""
    asked = "" if network.mu is None else f"mu = {network.mu:g} is what it was made for; "
    usable = network.training.get("largest_mu")
    if usable is None:
        return f"{asked}usable mu: not known (a fit that reached its target says it)"
    return f"{asked}usable mu: up to {usable:.3g}, where all that its target does was last seen"


def _spread(network: Network) -> str:
    rates = rate_constants(network)
    at = "with mu = 1" if network.mu is None else f"at mu = {network.mu:g}"
    text = f"rate constants {min(rates):.3g} to {max(rates):.3g} {at}"
    wide = max(rates) > WIDE * min(rates)
    return text + (f"; warning: they spread over more than {WIDE:g}, which is hard to build" if wide else "")


def _species(network: Network) -> list[tuple[str, str, str]]:
    m, n, p = network.sizes
    y = network.perceptrons(network.state)
    rows = [(x, "executive: what the network does", f"{v:.6g}") for x, v in zip(species_names("X", m), network.state)]
    rows += [(name, "perceptron: fast by 1/mu", f"{v:.6g}") for name, v in zip(species_names("Y", n), y)]
    given = zip(species_names("L", p), network.lam)
    return rows + [(name, "parameter: a catalyst, kept constant", f"{v:.6g}") for name, v in given]


def _row(reaction: Reaction) -> tuple[str, str, str]:
    """Return reaction, rate and unit; of those that change a perceptron the rate is divided by mu."""
    fast = any(name.startswith("Y_") for name in reaction.change())
    sides = (_side(reaction.reactants), _side(reaction.products))
    return f"{sides[0]} -> {sides[1]}", f"{reaction.rate:.8g}{'/mu' if fast else ''}", UNITS[len(reaction.reactants)]


def _side(names: tuple[str, ...]) -> str:
    counts = {name: names.count(name) for name in names}
    return " + ".join(name if count == 1 else f"{count} {name}" for name, count in counts.items()) or "nothing"

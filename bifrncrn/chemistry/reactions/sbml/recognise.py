"""Recognising mass action in an SBML model."""

from collections import Counter
from typing import Any

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.network import Reaction, ReactionNetwork
from bifrncrn.chemistry.reactions.sbml.math_in import operands
from bifrncrn.chemistry.reactions.sbml.model import SbmlModel
from bifrncrn.chemistry.reactions.sbml.write import SCALE

LARGEST_POWER = 100


def sbml_to_reactions(text: str, name: str = "the SBML document") -> ReactionNetwork:
    """Return an SBML model as mass-action reactions.

    A kinetic law must be a constant times concentrations, or the difference of two such products, which become a
    forward and a backward reaction. Concentrations beyond the reactants act as catalysts.

    Raises
    ------
    InputError
        If libSBML is not installed, the model has an error, or it is more than mass action; the message says what.
    """
    return model_reactions(SbmlModel(text, name))


def model_reactions(model: SbmlModel) -> ReactionNetwork:
    """Return an opened SBML model as mass-action reactions; see `sbml_to_reactions`."""
    if model.definitions or model.rates:
        rule = next(iter({**model.definitions, **model.rates}))
        raise model.error(
            f"{rule} has a rule, so the model is more than mass action; convert it to a model file (.toml)"
        )
    for identifier, species in model.species.items():
        if species.getHasOnlySubstanceUnits() and model.compartments[species.getCompartment()] != 1.0:
            raise model.error(f"{identifier} is an amount in a compartment of another size than 1; use concentrations")
    reactions = [step for reaction in model.reactions for step in _steps(model, reaction)]
    if not reactions:
        raise model.error("the model has no reactions")
    start = {identifier: model.start(identifier) for identifier in model.species}
    scale = model.parameters.get(SCALE)
    recorded = model.value(scale) if scale is not None and SCALE not in model.used else 0.0
    mu = recorded if recorded > 0 else None
    network = ReactionNetwork(tuple(reactions), start, mu=mu, title=str(model.model.getName() or ""))
    for identifier in model.species:
        if not model.moving(identifier) and identifier not in network.constants:
            raise model.error(f"{identifier} is held constant although reactions use it up; write it on both sides")
    return network


def _steps(model: SbmlModel, reaction: Any) -> list[Reaction]:
    """Return the elementary steps of one reaction."""
    law = model.law(reaction).getMath()
    reactants = _side(model, reaction, reaction.getListOfReactants())
    products = _side(model, reaction, reaction.getListOfProducts())
    kind = law.getCharacter() if law.isOperator() else ""
    if kind == "-" and law.getNumChildren() == 2:
        forward = _step(model, reaction, law.getChild(0), reactants, products)
        return [forward, _step(model, reaction, law.getChild(1), products, reactants)]
    return [_step(model, reaction, law, reactants, products)]


def _side(model: SbmlModel, reaction: Any, references: Any) -> Counter[str]:
    """Return one side of a reaction as counts of species."""
    counts: Counter[str] = Counter()
    for reference in references:
        count = model.stoichiometry(reaction, reference)
        if not count.is_integer() or not 0 <= count <= LARGEST_POWER:
            raise model.error(f"the reaction {reaction.getId()} has the stoichiometry {count:g}, which is not a count")
        counts[reference.getSpecies()] += int(count)
    return +counts


def _step(model: SbmlModel, reaction: Any, law: Any, reactants: Counter[str], products: Counter[str]) -> Reaction:
    """Return one elementary step, whose law must be a product."""
    rate, powers = _product(model, reaction, law)
    if not reactants <= powers:
        raise _not_mass_action(model, reaction)
    catalysts = powers - reactants
    sizes = {model.compartments[model.species[name].getCompartment()] for name in reactants | products | powers}
    if len(sizes) > 1:
        raise model.error(
            f"the reaction {reaction.getId()} crosses compartments of different size, which is not supported"
        )
    if not 0 < rate < float("inf"):
        raise model.error(f"the reaction {reaction.getId()} has rate {rate!r} but a mass-action rate must be positive")
    for size in sizes:
        rate /= size
    return Reaction(tuple((reactants + catalysts).elements()), tuple((products + catalysts).elements()), rate)


def _product(model: SbmlModel, reaction: Any, law: Any) -> tuple[float, Counter[str]]:
    """Return the constant factor and the powers of the species in a product."""
    rate = 1.0
    powers: Counter[str] = Counter()
    waiting = [law]
    while waiting:
        node = waiting.pop()
        if node.isOperator() and node.getCharacter() == "*":
            waiting += operands(node)
        elif _is_power(model, node):
            name, count = node.getChild(0).getName(), int(node.getChild(1).getValue())
            if name not in model.species or not 0 <= count <= LARGEST_POWER:
                raise _not_mass_action(model, reaction)
            powers[name] += count
        elif node.isName() and node.getName() in model.species:
            powers[node.getName()] += 1
        elif node.isNumber():
            rate *= float(node.getValue())
        elif node.isName() and node.getName() in model.parameters:
            rate *= model.value(model.parameters[node.getName()])
        elif node.isName() and node.getName() in model.compartments:
            rate *= model.compartments[node.getName()]
        else:
            raise _not_mass_action(model, reaction)
    return rate, powers


def _is_power(model: SbmlModel, node: Any) -> bool:
    """Tell whether a node is a name to a whole power."""
    if model.reader.codes.get(node.getType()) not in ("AST_POWER", "AST_FUNCTION_POWER") or node.getNumChildren() != 2:
        return False
    return bool(node.getChild(0).isName() and node.getChild(1).isInteger())


def _not_mass_action(model: SbmlModel, reaction: Any) -> InputError:
    return model.error(
        f"the rate of the reaction {reaction.getId()} is no constant times its reactants, so it is not mass action; "
        "convert the model to a model file (.toml) instead"
    )

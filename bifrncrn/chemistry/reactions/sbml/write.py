"""Reactions and systems as SBML (Level 3 Version 2), validated by libSBML."""

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.mass_action import rate_names
from bifrncrn.chemistry.reactions.network import NAME, Reaction, ReactionNetwork
from bifrncrn.chemistry.reactions.sbml.document import open_document
from bifrncrn.chemistry.reactions.sbml.math_out import (
    ROOT_FUNCTION,
    math_element,
    product,
    root_definition,
    truth_element,
)
from bifrncrn.chemistry.reactions.sbml.units import Units, declare_dimensionless, rate_unit
from bifrncrn.models.system import System
from bifrncrn.models.transitions import Transition

NAMESPACE = "http://www.sbml.org/sbml/level3/version2/core"
SCALE = "mu"
HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'


def reactions_to_sbml(network: ReactionNetwork, units: Units | None = None) -> str:
    """Return mass-action reactions as SBML, with a global parameter for every rate, and units of everything.

    The time-scale a network records becomes an unused parameter ``mu``.

    Parameters
    ----------
    network : ReactionNetwork
    units : Units, optional
        What one unit of concentration and of time are: moles per litre and seconds by default.

    Raises
    ------
    InputError
        If libSBML is not installed or finds an error.
    """
    rates = rate_names(len(network.reactions), set(network.species))
    taken = {*network.species, *rates}
    compartment = fresh("compartment", taken)
    root, model = _model(network.title)
    orders = [len(reaction.reactants) for reaction in network.reactions]
    (units or Units()).declare(model, set(orders))
    _compartment(model, compartment)
    constants = set(network.constants)
    species = SubElement(model, "listOfSpecies")
    for name in network.species:
        _species(species, name, compartment, network.start.get(name, 0.0), constant=name in constants)
    values = dict(zip(rates, (reaction.rate for reaction in network.reactions)))
    unit_of = dict(zip(rates, map(rate_unit, orders)))
    if network.mu is not None and records_scale(network):
        values[SCALE], unit_of[SCALE] = network.mu, "dimensionless"
    _parameters(model, values, unit_of)
    _reactions(model, network.reactions, rates, compartment, {*taken, compartment})
    return validated(root)


def system_to_sbml(system: System) -> str:
    """Return a system as SBML rate rules: concentrations become species, other variables parameters.

    Raises
    ------
    InputError
        If libSBML is not installed, or a name or function is not possible in SBML.
    """
    names = [*system.parameters, *system.definitions, *system.variables]
    for name in (*names, *(one.name for one in system.transitions)):
        if not NAME.fullmatch(name) or name == ROOT_FUNCTION:
            raise InputError(f"{name!r} cannot be a name in SBML; rename it with plain letters, digits and underscores")
    root, model = _model(system.title)
    declare_dimensionless(model)
    texts = {**system.definitions, **system.equations}
    if any(ROOT_FUNCTION in text for text in texts.values()):
        definition = SubElement(SubElement(model, "listOfFunctionDefinitions"), "functionDefinition", id=ROOT_FUNCTION)
        definition.append(root_definition())
    start = dict(zip(system.variables, system.state.tolist()))
    if system.nonnegative is True:
        compartment = fresh("compartment", set(names))
        _compartment(model, compartment)
        species = SubElement(model, "listOfSpecies")
        for name, value in start.items():
            _species(species, name, compartment, value, constant=False)
    values = dict(zip(system.parameters, system.values.tolist()))
    by_event = {name for one in system.transitions for name in one.assignments}
    changing: dict[str, float | None] = dict.fromkeys(system.definitions)
    changing |= {} if system.nonnegative is True else start
    changing |= {name: value for name, value in values.items() if name in by_event}
    _parameters(model, {name: value for name, value in values.items() if name not in by_event}, changing=changing)
    if system.starts:
        assignments = SubElement(model, "listOfInitialAssignments")
        for name, text in system.starts.items():
            SubElement(assignments, "initialAssignment", symbol=name).append(math_element(text, names))
    rules = SubElement(model, "listOfRules")
    for kind, entries in (("assignmentRule", system.definitions), ("rateRule", system.equations)):
        for name, text in entries.items():
            SubElement(rules, kind, variable=name).append(math_element(text, names))
    if system.transitions:
        _events(model, system.transitions, names)
    return validated(root)


def records_scale(network: ReactionNetwork) -> bool:
    """Tell whether the time-scale of a network can be written: it has one, and no species has its name."""
    return network.mu is not None and SCALE not in network.species


def fresh(name: str, taken: set[str]) -> str:
    """Return `name`, followed by underscores until nothing else has it."""
    while name in taken:
        name += "_"
    return name


def validated(root: Element) -> str:
    """Return the document as text, numbers in formulas without a unit, after libSBML has found no error in it."""
    for plain in root.iter("cn"):
        plain.set("sbml:units", "dimensionless")
    indent(root)
    text = HEADER + tostring(root, encoding="unicode") + "\n"
    open_document(text, "the SBML document written")
    return text


def _model(title: str) -> tuple[Element, Element]:
    root = Element("sbml", {"xmlns": NAMESPACE, "xmlns:sbml": NAMESPACE, "level": "3", "version": "2"})
    model = SubElement(root, "model", id="model")
    printable = "".join(c for c in title if c.isprintable())
    if printable:
        model.set("name", printable)
    return root, model


def _events(model: Element, transitions: Iterable[Transition], names: list[str]) -> None:
    group = SubElement(model, "listOfEvents")
    taken = set(names)
    for one in transitions:
        own = fresh(one.name, taken)
        taken.add(own)
        flags = {"id": own, "useValuesFromTriggerTime": _word(one.from_trigger)}
        event = SubElement(group, "event", flags)
        flags = {"initialValue": _word(one.initially), "persistent": _word(one.persistent)}
        SubElement(event, "trigger", flags).append(truth_element(one.trigger, names))
        for tag, text in (("priority", one.priority), ("delay", one.delay)):
            if text not in ("", "0"):
                SubElement(event, tag).append(math_element(text, names))
        changes = SubElement(event, "listOfEventAssignments")
        for name, text in one.assignments.items():
            SubElement(changes, "eventAssignment", variable=name).append(math_element(text, names))


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _compartment(model: Element, name: str) -> None:
    group = SubElement(model, "listOfCompartments")
    SubElement(group, "compartment", id=name, spatialDimensions="3", size="1", constant="true")


def _species(group: Element, name: str, compartment: str, start: float, constant: bool) -> None:
    word = _word(constant)
    SubElement(
        group,
        "species",
        id=name,
        compartment=compartment,
        initialConcentration=repr(start),
        hasOnlySubstanceUnits="false",
        boundaryCondition=word,
        constant=word,
    )


def _parameters(
    model: Element,
    fixed: dict[str, float],
    units: Mapping[str, str] | None = None,
    changing: dict[str, float | None] | None = None,
) -> None:
    """Write the parameters; those without a unit of their own are dimensionless."""
    group = SubElement(model, "listOfParameters")
    known = units or {}
    for name, value in fixed.items():
        unit = known.get(name, "dimensionless")
        SubElement(group, "parameter", id=name, value=repr(value), units=unit, constant="true")
    for name, start in (changing or {}).items():
        element = SubElement(group, "parameter", id=name, units="dimensionless", constant="false")
        if start is not None:
            element.set("value", repr(start))


def _reactions(
    model: Element, reactions: Iterable[Reaction], rates: list[str], compartment: str, taken: set[str]
) -> None:
    """Write the reactions; in SBML a speed is an amount by time, so the volume is a factor."""
    group = SubElement(model, "listOfReactions")
    for reaction, rate in zip(reactions, rates):
        identifier = fresh(f"reaction_{rate}", taken)
        element = SubElement(group, "reaction", id=identifier, name=str(reaction), reversible="false")
        for side, names in (("listOfReactants", reaction.reactants), ("listOfProducts", reaction.products)):
            counts = {name: names.count(name) for name in dict.fromkeys(names)}
            sides = SubElement(element, side) if counts else None
            for name, count in counts.items():
                if sides is not None:
                    SubElement(sides, "speciesReference", species=name, stoichiometry=str(count), constant="true")
        SubElement(element, "kineticLaw").append(product([compartment, rate, *reaction.reactants]))

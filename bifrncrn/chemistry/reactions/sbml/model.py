"""An opened SBML model: formulas as text, quantities as numbers, and what is not supported refused."""

from functools import cached_property
from typing import Any
from xml.etree.ElementTree import tostring

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.document import expanded_model, require
from bifrncrn.chemistry.reactions.sbml.math_in import FormulaReader
from bifrncrn.chemistry.reactions.sbml.math_out import ROOT_FUNCTION, root_definition

REFUSED = {
    "getNumEvents": "events",
    "getNumInitialAssignments": "initial assignments that cannot be evaluated",
}


HARMLESS = ("l3v2extendedmath",)  # only more functions; the reader of formulas refuses those it does not know


class SbmlModel:
    """An opened SBML model: its formulas as text, its quantities as numbers.

    Parameters
    ----------
    text : str
        The SBML document.
    name : str
        Stands for it in messages.

    Raises
    ------
    InputError
        If libSBML is not installed, the document has an error, or the model uses something that is not supported;
        the message names it.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.libsbml = require("libsbml", "reading SBML")
        self.document = expanded_model(text, name, keep=ROOT_FUNCTION)
        self.model = self.document.getModel()
        self.reader = FormulaReader(self.libsbml)
        self._refuse_unsupported()
        self.compartments = {c.getId(): self._size(c) for c in self.listed("Compartments")}
        self.species = {s.getId(): s for s in self.listed("Species")}
        rules = self.listed("Rules")
        texts = {r.getVariable(): self.formula(r, f"the rule of {r.getVariable()}") for r in rules}
        self.definitions = {r.getVariable(): texts[r.getVariable()] for r in rules if r.isAssignment()}
        self.rates = {r.getVariable(): texts[r.getVariable()] for r in rules if r.isRate()}
        self.reactions = self.listed("Reactions")
        self.parameters = {p.getId(): p for p in self.listed("Parameters")}
        for identifier in self.compartments:
            if identifier in self.definitions or identifier in self.rates:
                raise self.error(f"the compartment {identifier} changes its size, which is not supported")

    @property
    def title(self) -> str:
        """The name of the model, or its identifier."""
        return str(self.model.getName() or self.model.getId() or "")

    def error(self, problem: str) -> InputError:
        """Return an error about this file."""
        return InputError(f"{self.name}: {problem}")

    def formula(self, element: Any, where: str) -> str:
        """Return the formula of a rule or kinetic law as text."""
        return self.reader.text(element.getMath(), f"{self.name}: {where}")

    def start(self, identifier: str) -> float:
        """Return the start value of a species as its formulas mean it: amount or concentration."""
        species = self.species[identifier]
        size = self.compartments[species.getCompartment()]
        if species.isSetInitialConcentration():
            value = species.getInitialConcentration() * (size if species.getHasOnlySubstanceUnits() else 1.0)
        elif species.isSetInitialAmount():
            value = species.getInitialAmount() / (1.0 if species.getHasOnlySubstanceUnits() else size)
        else:
            raise self.error(f"the species {identifier} has no initial value; give it one")
        return self.finite(float(value), identifier)

    def value(self, parameter: Any) -> float:
        """Return the value of a parameter, refusing one without."""
        if not parameter.isSetValue():
            raise self.error(f"the parameter {parameter.getId()} has no value; give it one")
        return self.finite(float(parameter.getValue()), parameter.getId())

    def finite(self, value: float, identifier: str) -> float:
        """Return `value`, refusing nan and infinity."""
        if not abs(value) < float("inf"):
            raise self.error(f"the value of {identifier} is {value!r} but must be finite")
        return value

    def divisor(self, identifier: str) -> str:
        """Return the compartment a species' rate is divided by, or nothing when it makes no difference."""
        species = self.species[identifier]
        compartment = str(species.getCompartment())
        if species.getHasOnlySubstanceUnits():
            return ""
        return compartment if self.compartments[compartment] != 1.0 or compartment in self.used else ""

    @cached_property
    def used(self) -> set[str]:
        """The names that occur in formulas of rules and kinetic laws."""
        elements = [*self.listed("Rules"), *(r.getKineticLaw() for r in self.reactions if r.getKineticLaw())]
        return {name for element in elements for name in _names(element.getMath())}

    def moving(self, identifier: str) -> bool:
        """Tell whether reactions may change a species."""
        species = self.species[identifier]
        return not (species.getBoundaryCondition() or species.getConstant())

    def law(self, reaction: Any) -> Any:
        """Return the kinetic law of a reaction, refusing a reaction without one."""
        law = reaction.getKineticLaw()
        if law is None or law.getMath() is None:
            raise self.error(f"the reaction {reaction.getId()} has no kinetic law; give it one")
        return law

    def net(self, reaction: Any) -> dict[str, float]:
        """Return the net stoichiometry of a reaction for the species it may change."""
        change: dict[str, float] = {}
        for sign, side in ((-1, reaction.getListOfReactants()), (1, reaction.getListOfProducts())):
            for reference in side:
                name = reference.getSpecies()
                change[name] = change.get(name, 0.0) + sign * self.stoichiometry(reaction, reference)
        return {name: count for name, count in change.items() if count and self.moving(name)}

    def stoichiometry(self, reaction: Any, reference: Any) -> float:
        """Return the stoichiometry of one species reference, refusing one that is computed."""
        variable = reference.getId() in self.definitions or reference.getId() in self.rates
        count = float(reference.getStoichiometry())
        if reference.isSetStoichiometryMath() or variable or not abs(count) < float("inf"):
            raise self.error(f"the reaction {reaction.getId()} has a computed stoichiometry, which is not supported")
        return count

    def listed(self, what: str) -> list[Any]:
        """Return the elements of one list of the model, such as "Species"."""
        group = getattr(self.model, f"getListOf{what}")()
        return [group.get(i) for i in range(group.size())]

    def _size(self, compartment: Any) -> float:
        if not compartment.isSetSize():
            return 1.0 if compartment.getSpatialDimensions() == 0 else self._no_size(compartment)
        size = float(compartment.getSize())
        if not 0 < size < float("inf"):
            raise self.error(f"the compartment {compartment.getId()} has size {size!r} but a size must be positive")
        return size

    def _no_size(self, compartment: Any) -> float:
        raise self.error(f"the compartment {compartment.getId()} has no size; give it one")

    def _refuse_unsupported(self) -> None:
        model = self.model
        for method, what in REFUSED.items():
            if getattr(model, method)():
                raise self.error(f"the model has {what}, which are not supported")
        for rule in self.listed("Rules"):
            if rule.isAlgebraic():
                raise self.error("the model has an algebraic rule, which is not supported; write it as an assignment")
        for i in range(self.document.getNumPlugins()):
            package = self.document.getPlugin(i).getPackageName()
            if package not in HARMLESS and self.document.getPackageRequired(package):
                raise self.error(f"the model needs the SBML package {package}, which is not supported")
        if model.isSetConversionFactor() or any(s.isSetConversionFactor() for s in self.listed("Species")):
            raise self.error("the model has conversion factors, which are not supported")
        for reaction in self.listed("Reactions"):
            if reaction.isSetFast() and reaction.getFast():
                raise self.error(f"the reaction {reaction.getId()} is fast, which is not supported; give it a rate")
        for function in self.listed("FunctionDefinitions"):
            self._check_function(function)

    def _check_function(self, function: Any) -> None:
        """Let only our own definition of the quasi-static perceptron pass."""
        own = self.libsbml.readMathMLFromString(tostring(root_definition(), encoding="unicode"))
        if function.getId() != ROOT_FUNCTION or self._spelled(function.getMath()) != self._spelled(own):
            raise self.error(f"the function definition {function.getId()} cannot be expanded; write it out")

    def _spelled(self, node: Any) -> str:
        """Return a formula in libSBML's own spelling; a root of degree 2 has two."""
        return str(self.libsbml.formulaToL3String(node)).replace("root(2, ", "sqrt(")


def _names(node: Any) -> set[str]:
    """Return all names in a libSBML formula."""
    found: set[str] = set()
    waiting = [node] if node is not None else []
    while waiting:
        here = waiting.pop()
        if here.isName():
            found.add(str(here.getName()))
        waiting += [here.getChild(i) for i in range(here.getNumChildren())]
    return found

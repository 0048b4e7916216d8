"""Reading the content of a document that libSBML has opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import tostring

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.content import (
    Compartment,
    Content,
    Event,
    Parameter,
    Reaction,
    Reference,
    Species,
)
from bifrncrn.chemistry.reactions.sbml.document import open_document, require
from bifrncrn.chemistry.reactions.sbml.formula import (
    Formula,
    FunctionDefinition,
    TreeReader,
    expand_calls,
    name,
    substitute,
)
from bifrncrn.chemistry.reactions.sbml.math_out import ROOT_FUNCTION, root_definition

IGNORED = ("layout", "render", "l3v2extendedmath", "distrib", "groups", "comp", "multi")
"""Packages that add nothing to what a model computes once the document is flat, or whose additions are refused where
they stand in a formula."""


def read_content(text: str, name: str, folder: Path | None = None) -> Content:
    """Return the content of an SBML document, the arguments and errors being those of `open_document`."""
    return _ContentReader(open_document(text, name, folder), name).content()


class _ContentReader:
    """Walks an opened document once."""

    def __init__(self, document: Any, name: str) -> None:
        self.name = name
        self.document = document
        self.libsbml = require("libsbml", "reading SBML")
        self.trees = TreeReader(self.libsbml)
        self.model = document.getModel()
        self.notes: list[str] = []
        self.functions: dict[str, FunctionDefinition] = {}
        self.local: dict[str, Parameter] = {}

    def content(self) -> Content:
        """Return everything."""
        self._refuse_packages()
        self._read_functions()
        species = {s.getId(): self._species(s) for s in self._listed("Species")}
        parameters = {p.getId(): _parameter(p) for p in self._listed("Parameters")}
        compartments = {c.getId(): self._compartment(c) for c in self._listed("Compartments")}
        self.taken = {*species, *parameters, *compartments, *(r.getId() for r in self._listed("Reactions"))}
        reactions = tuple(self._reaction(r) for r in self._listed("Reactions"))
        rules = [r for r in self._listed("Rules") if self._has_math(r, "a rule")]
        return Content(
            name=self.name,
            title=str(self.model.getName() or self.model.getId() or ""),
            compartments=compartments,
            species=species,
            parameters={**parameters, **self.local},
            reactions=reactions,
            initial=self._assignments("InitialAssignments", "getSymbol", "the initial assignment of"),
            assigned=self._rules([r for r in rules if r.isAssignment()]),
            rates=self._rules([r for r in rules if r.isRate()]),
            algebraic=tuple(self._formula(r, "an algebraic rule") for r in rules if r.isAlgebraic()),
            events=tuple(self._event(e, i) for i, e in enumerate(self._listed("Events"))),
            conversion=str(self.model.getConversionFactor()) if self.model.isSetConversionFactor() else "",
            notes=tuple(self.notes),
        )

    def _listed(self, what: str) -> list[Any]:
        group = getattr(self.model, f"getListOf{what}")()
        return [group.get(i) for i in range(group.size())]

    def _error(self, problem: str) -> InputError:
        return InputError(f"{self.name}: {problem}")

    def _refuse_packages(self) -> None:
        for i in range(self.document.getNumPlugins()):
            package = self.document.getPlugin(i).getPackageName()
            if package not in IGNORED and self.document.getPackageRequired(package):
                raise self._error(f"the model needs the SBML package {package}, which is not supported")
            if package == "fbc" and self.model.getPlugin("fbc").getNumObjectives():
                raise self._error("the model is one of flux balances (package fbc), which are not supported")

    # -- formulas -----------------------------------------------------------------------------------------------

    def _has_math(self, element: Any, what: str) -> bool:
        """Tell whether an element has a formula; where Level 3 Version 2 lets it have none, it means nothing."""
        if element is not None and element.isSetMath():
            return True
        if element is not None:
            self.notes.append(f"{what[0].upper()}{what[1:]} has no formula and was left out.")
        return False

    def _formula(self, element: Any, where: str) -> Formula:
        said = f"{self.name}: {where}"
        formula = self.trees.read(element.getMath(), said)
        try:
            formula = expand_calls(formula, self.functions, ROOT_FUNCTION)
        except InputError as error:
            raise InputError(f"{said}: {error}") from None
        return formula

    def _read_functions(self) -> None:
        """Read the function definitions, each with the calls of others replaced; circles are refused."""
        waiting = {f.getId(): f for f in self._listed("FunctionDefinitions") if f.isSetMath()}
        own = self.libsbml.readMathMLFromString(tostring(root_definition(), encoding="unicode"))
        root = self._spelled(waiting[ROOT_FUNCTION].getMath()) if ROOT_FUNCTION in waiting else ""
        if root == self._spelled(own):
            waiting.pop(ROOT_FUNCTION)
        elif root:
            raise self._error(f"the function {ROOT_FUNCTION} is not the one of that name known here; rename it")
        while waiting:
            ready = [key for key, f in waiting.items() if not self._called(f.getMath()) & waiting.keys()]
            if not ready:
                raise self._error(f"the functions {', '.join(waiting)} call each other; write one of them out")
            for key in ready:
                self.functions[key] = self._function(waiting.pop(key))

    def _function(self, element: Any) -> FunctionDefinition:
        math = element.getMath()
        last = math.getNumChildren() - 1
        where = f"{self.name}: the function {element.getId()}"
        if not math.isLambda() or last < 0:
            raise InputError(f"{where} is no lambda; correct it")
        arguments = tuple(str(math.getChild(i).getName()) for i in range(last))
        body = expand_calls(self.trees.read(math.getChild(last), where), self.functions, ROOT_FUNCTION)
        return FunctionDefinition(arguments, body)

    def _called(self, node: Any) -> set[str]:
        """Return the functions a libSBML formula calls."""
        found: set[str] = set()
        waiting = [node]
        while waiting:
            here = waiting.pop()
            if self.trees.codes.get(here.getType()) == "FUNCTION":
                found.add(str(here.getName()))
            waiting += [here.getChild(i) for i in range(here.getNumChildren())]
        return found

    def _spelled(self, node: Any) -> str:
        """Return a formula in libSBML's own spelling, without units; a root of degree 2 has two."""
        spelled = str(self.libsbml.formulaToL3String(node))
        return spelled.replace(" dimensionless", "").replace("root(2, ", "sqrt(")

    def _assignments(self, group: str, method: str, where: str) -> dict[str, Formula]:
        found = {}
        for element in self._listed(group):
            target = str(getattr(element, method)())
            if self._has_math(element, f"{where} {target}"):
                found[target] = self._formula(element, f"{where} {target}")
        return found

    def _rules(self, rules: list[Any]) -> dict[str, Formula]:
        return {str(r.getVariable()): self._formula(r, f"the rule of {r.getVariable()}") for r in rules}

    # -- quantities ---------------------------------------------------------------------------------------------

    def _compartment(self, element: Any) -> Compartment:
        size = float(element.getSize()) if element.isSetSize() or self.model.getLevel() == 1 else None
        return Compartment(element.getId(), size, bool(element.getConstant()))

    def _species(self, element: Any) -> Species:
        amount, concentration = element.isSetInitialAmount(), element.isSetInitialConcentration()
        return Species(
            id=element.getId(),
            compartment=str(element.getCompartment()),
            amount=float(element.getInitialAmount()) if amount else None,
            concentration=float(element.getInitialConcentration()) if concentration else None,
            is_amount=bool(element.getHasOnlySubstanceUnits()),
            boundary=bool(element.getBoundaryCondition()),
            constant=bool(element.getConstant()),
            conversion=str(element.getConversionFactor()) if element.isSetConversionFactor() else "",
        )

    # -- reactions ----------------------------------------------------------------------------------------------

    def _reaction(self, element: Any) -> Reaction:
        if element.isSetFast() and element.getFast():
            raise self._error(f"the reaction {element.getId()} is fast, which is not supported; give it a rate")
        return Reaction(
            id=element.getId(),
            reactants=tuple(self._reference(r, element) for r in element.getListOfReactants()),
            products=tuple(self._reference(r, element) for r in element.getListOfProducts()),
            law=self._law(element),
        )

    def _reference(self, element: Any, reaction: Any) -> Reference:
        formula = None
        if element.isSetStoichiometryMath() and element.getStoichiometryMath().isSetMath():
            formula = self._formula(element.getStoichiometryMath(), f"a stoichiometry of {reaction.getId()}")
        given = element.isSetStoichiometry() or self.model.getLevel() < 3
        count = float(element.getStoichiometry()) / float(element.getDenominator()) if given else None
        constant = bool(element.getConstant()) if self.model.getLevel() > 2 else formula is None
        return Reference(str(element.getId()), str(element.getSpecies()), count, formula, constant)

    def _law(self, reaction: Any) -> Formula | None:
        """Return the rate of a reaction, its local parameters renamed and kept."""
        law = reaction.getKineticLaw()
        where = f"the rate of {reaction.getId()}"
        if law is None or not law.isSetMath():
            self.notes.append(f"The reaction {reaction.getId()} has no rate, so it changes nothing.")
            return None
        formula = self._formula(law, where)
        group = law.getListOfLocalParameters() if self.model.getLevel() > 2 else law.getListOfParameters()
        renamed = {}
        for i in range(group.size()):
            parameter = group.get(i)
            known = f"{reaction.getId()}_{parameter.getId()}"
            while known in self.taken:
                known += "_"
            self.taken.add(known)
            renamed[parameter.getId()] = name(known)
            self.local[known] = replace(_parameter(parameter), id=known, constant=True)
        return substitute(formula, renamed) if renamed else formula

    # -- events -------------------------------------------------------------------------------------------------

    def _event(self, element: Any, index: int) -> Event:
        known = str(element.getId() or f"event_{index + 1}")
        trigger = element.getTrigger()
        targets = [element.getEventAssignment(i) for i in range(element.getNumEventAssignments())]
        where = f"the event {known}"
        late = self.model.getLevel() > 2
        return Event(
            id=known,
            trigger=self._formula(trigger, f"the trigger of {where}") if self._has_math(trigger, f"{where}") else NEVER,
            delay=self._optional(element.getDelay(), f"the delay of {where}"),
            priority=self._optional(element.getPriority(), f"the priority of {where}") if late else None,
            assignments={
                str(a.getVariable()): self._formula(a, f"{where}, assigning {a.getVariable()}")
                for a in targets
                if self._has_math(a, f"{where}, assigning {a.getVariable()},")
            },
            persistent=bool(trigger.getPersistent()) if late and trigger is not None else True,
            initially=bool(trigger.getInitialValue()) if late and trigger is not None else True,
            from_trigger=bool(element.getUseValuesFromTriggerTime()),
        )

    def _optional(self, element: Any, where: str) -> Formula | None:
        return self._formula(element, where) if self._has_math(element, where) else None


NEVER = Formula("number", value=0.0)


def _parameter(element: Any) -> Parameter:
    value = float(element.getValue()) if element.isSetValue() else None
    return Parameter(element.getId(), value, bool(getattr(element, "getConstant", lambda: True)()))

"""Recognising mass action in an SBML model."""

from __future__ import annotations

from collections import Counter

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.network import Reaction as Step
from bifrncrn.chemistry.reactions.network import ReactionNetwork
from bifrncrn.chemistry.reactions.sbml.content import Content, Reaction, Reference
from bifrncrn.chemistry.reactions.sbml.contents import read_content
from bifrncrn.chemistry.reactions.sbml.formula import NAME, NUMBER, Formula, names_in
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
    return _Recogniser(read_content(text, name)).network()


class _Recogniser:
    """Takes the reactions of a document apart."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.sizes = {c.id: self._number(c.size, f"the size of {c.id}") for c in content.compartments.values()}
        self.constants = {p.id: p.value for p in content.parameters.values()}

    def network(self) -> ReactionNetwork:
        """Return the reactions."""
        content = self.content
        self._refuse_more()
        steps = [step for reaction in content.reactions for step in self._steps(reaction)]
        if not steps:
            raise content.error("the model has no reactions")
        start = {identifier: self._start(identifier) for identifier in content.species}
        used = {name for formula in content.formulas() for name in names_in(formula)}
        recorded = self.constants.get(SCALE) if SCALE not in used else None
        network = ReactionNetwork(
            tuple(steps), start, mu=recorded if recorded and recorded > 0 else None, title=content.title
        )
        for species in content.species.values():
            if (species.boundary or species.constant) and species.id not in network.constants:
                raise content.error(
                    f"{species.id} is held constant although reactions use it up; write it on both sides"
                )
        return network

    def _refuse_more(self) -> None:
        content = self.content
        ruled = {**content.assigned, **content.rates, **content.initial}
        for rule in ruled:
            raise content.error(
                f"{rule} has a rule, so the model is more than mass action; convert it to a model file (.toml)"
            )
        if content.algebraic or content.events or content.conversion:
            what = "algebraic rules" if content.algebraic else "events" if content.events else "a conversion factor"
            raise content.error(f"the model has {what}, so it is more than mass action; it cannot become reactions")
        for species in content.species.values():
            if species.is_amount and self.sizes[species.compartment] != 1.0:
                raise content.error(
                    f"{species.id} is an amount in a compartment of another size than 1; use concentrations"
                )

    def _number(self, value: float | None, what: str) -> float:
        value = 1.0 if value is None and what.startswith("the size") else value
        if value is None:
            raise self.content.error(f"{what} has no value; give it one")
        if not abs(value) < float("inf"):
            raise self.content.error(f"{what} is {value!r} but must be finite")
        return value

    def _start(self, identifier: str) -> float:
        species = self.content.species[identifier]
        if species.concentration is not None:
            return self._number(species.concentration, f"the start of {identifier}")
        return self._number(species.amount, f"the start of {identifier}") / self.sizes[species.compartment]

    def _steps(self, reaction: Reaction) -> list[Step]:
        """Return the elementary steps of one reaction."""
        law = reaction.law
        if law is None:
            raise self.content.error(f"the reaction {reaction.id} has no kinetic law; give it one")
        reactants, products = self._side(reaction, reaction.reactants), self._side(reaction, reaction.products)
        if law.kind == "minus" and len(law.operands) == 2:
            forward = self._step(reaction, law.operands[0], reactants, products)
            return [forward, self._step(reaction, law.operands[1], products, reactants)]
        return [self._step(reaction, law, reactants, products)]

    def _side(self, reaction: Reaction, references: tuple[Reference, ...]) -> Counter[str]:
        """Return one side of a reaction as counts of species."""
        counts: Counter[str] = Counter()
        for reference in references:
            count = reference.count
            if (
                reference.formula is not None
                or count is None
                or not count.is_integer()
                or not 0 <= count <= LARGEST_POWER
            ):
                shown = "a formula" if count is None or reference.formula is not None else f"{count:g}"
                raise self.content.error(
                    f"the reaction {reaction.id} has the stoichiometry {shown}, which is not a count"
                )
            counts[reference.species] += int(count)
        return +counts

    def _step(self, reaction: Reaction, law: Formula, reactants: Counter[str], products: Counter[str]) -> Step:
        """Return one elementary step, whose law must be a product."""
        rate, powers = self._product(reaction, law)
        if not reactants <= powers:
            raise self._not_mass_action(reaction)
        catalysts = powers - reactants
        species = self.content.species
        sizes = {self.sizes[species[name].compartment] for name in reactants | products | powers}
        if len(sizes) > 1:
            raise self.content.error(
                f"the reaction {reaction.id} crosses compartments of different size, which is not supported"
            )
        for size in sizes:
            rate /= size
        if not 0 < rate < float("inf"):
            raise self.content.error(
                f"the reaction {reaction.id} has rate {rate!r} but a mass-action rate must be positive"
            )
        return Step(tuple((reactants + catalysts).elements()), tuple((products + catalysts).elements()), rate)

    def _product(self, reaction: Reaction, law: Formula) -> tuple[float, Counter[str]]:
        """Return the constant factor and the powers of the species in a product."""
        rate = 1.0
        powers: Counter[str] = Counter()
        waiting = [law]
        while waiting:
            part = waiting.pop()
            if part.kind == "times":
                waiting += part.operands
            elif part.kind == NUMBER:
                rate *= part.value
            elif part.kind == NAME and part.name in self.content.species:
                powers[part.name] += 1
            elif part.kind == NAME and part.name in self.constants:
                rate *= self._number(self.constants[part.name], f"the parameter {part.name}")
            elif part.kind == NAME and part.name in self.sizes:
                rate *= self.sizes[part.name]
            else:
                name, count = self._power(reaction, part)
                powers[name] += count
        return rate, powers

    def _power(self, reaction: Reaction, part: Formula) -> tuple[str, int]:
        """Return a species and its whole exponent."""
        if part.kind == "power" and len(part.operands) == 2:
            base, exponent = part.operands
            whole = exponent.kind == NUMBER and exponent.value.is_integer() and 0 <= exponent.value <= LARGEST_POWER
            if base.kind == NAME and base.name in self.content.species and whole:
                return base.name, int(exponent.value)
        raise self._not_mass_action(reaction)

    def _not_mass_action(self, reaction: Reaction) -> InputError:
        return self.content.error(
            f"the rate of the reaction {reaction.id} is no constant times its reactants, so it is not mass action; "
            "convert the model to a model file (.toml) instead"
        )

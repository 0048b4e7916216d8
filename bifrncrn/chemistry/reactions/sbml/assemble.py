"""The content of an SBML document as a system of differential equations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.algebraic import solved
from bifrncrn.chemistry.reactions.sbml.content import Content, Event, Reaction, Reference, Species
from bifrncrn.chemistry.reactions.sbml.formula import (
    NAME,
    NUMBER,
    TIME,
    Formula,
    apply,
    name,
    names_in,
    number,
    parts,
    rewrite,
)
from bifrncrn.chemistry.reactions.sbml.formula_text import Renderer
from bifrncrn.chemistry.reactions.sbml.math_out import ROOT_FUNCTION
from bifrncrn.models.positivity import nonnegative_states
from bifrncrn.models.system import System
from bifrncrn.models.transitions import Transition, event_note

ONE = number(1)


class Assembly:
    """What a document says, sorted into variables, parameters and definitions.

    A quantity that a rate rule or reactions change is a variable; one that a rule determines is a definition; all
    others are parameters, also those that only events change. A species in a compartment that changes its size is
    followed by its amount, and its concentration is a definition.
    """

    def __init__(self, content: Content) -> None:
        self.content = content
        self.references = {
            ref.id: ref for reaction in content.reactions for ref in (*reaction.reactants, *reaction.products) if ref.id
        }
        self.taken = {*content.species, *content.parameters, *content.compartments, *self.references}
        self.taken |= {reaction.id for reaction in content.reactions}
        self.by_event = {target for event in content.events for target in event.assignments}
        self.by_reaction = {s for reaction in content.reactions if reaction.law for s in self._moved(reaction)}
        determined = {*content.assigned, *content.rates, *self.by_event, *self.by_reaction}
        self.assigned = {**content.assigned, **solved(content, determined)}
        self.varying = {c for c in content.compartments if c in {*self.assigned, *content.rates, *self.by_event}}
        self.amounts = {s.id: self._fresh(f"{s.id}_amount") for s in content.species.values() if self._by_amount(s)}
        self.clock = self._fresh("time")
        self.render = Renderer(self.clock, self.taken, ROOT_FUNCTION)
        self.rates_of: dict[str, str] = {}

    # -- what is what -------------------------------------------------------------------------------------------

    def _fresh(self, wanted: str) -> str:
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def _moved(self, reaction: Reaction) -> Iterator[str]:
        """Yield the species a reaction may change."""
        for ref in (*reaction.reactants, *reaction.products):
            species = self.content.species[ref.species]
            if not (species.boundary or species.constant):
                yield ref.species

    def _by_amount(self, species: Species) -> bool:
        ruled = species.id in self.assigned or species.id in self.content.rates
        return not species.is_amount and species.compartment in self.varying and not ruled

    @cached_property
    def changing(self) -> set[str]:
        """Identifiers of what differential equations change."""
        return {*self.content.rates, *(s for s in self.by_reaction if s not in self.assigned)}

    @cached_property
    def idle(self) -> set[str]:
        """Compartments of size one that no formula names: it makes no difference to divide by them."""
        used = {n for formula in self.content.formulas() for n in names_in(formula)}
        return {
            c.id
            for c in self.content.compartments.values()
            if c.size in (1.0, None) and c.id not in used | self.varying and c.id not in self.content.initial
        }

    def constant(self, formula: Formula, seen: frozenset[str] = frozenset()) -> bool:
        """Tell whether a formula is of parameters only, which nothing changes in the course of time."""
        if any(part.kind in (TIME, "rateOf") for part in parts(formula)):
            return False
        for used in names_in(formula):
            if used in seen or used in self.changing or used in self.by_event or used in self.amounts:
                return False
            inner = self.assigned.get(used) or self.content.initial.get(used) or self._law(used)
            if inner is not None and not self.constant(inner, seen | {used}):
                return False
        return True

    def _law(self, identifier: str) -> Formula | None:
        return next((r.law for r in self.content.reactions if r.id == identifier), None)

    # -- formulas -----------------------------------------------------------------------------------------------

    def text(self, formula: Formula, where: str) -> str:
        """Return the text of a formula, rateOf replaced by names."""
        try:
            return self.render.text(rewrite(formula, self._plain))
        except InputError as error:
            raise self.content.error(f"{where}: {error}") from None

    def condition(self, formula: Formula, where: str) -> str:
        """Return the text of a formula that is true or false."""
        try:
            return self.render.condition(rewrite(formula, self._plain))
        except InputError as error:
            raise self.content.error(f"{where}: {error}") from None

    def _plain(self, part: Formula) -> Formula:
        if part.kind == "delay":
            raise InputError("it holds a delay, which is not supported")
        if part.kind != "rateOf":
            return part
        if len(part.operands) != 1 or part.operands[0].kind != NAME:
            raise InputError("rateOf must be of a name; give it one")
        target = part.operands[0].name
        if target in self.assigned:
            raise InputError(f"it holds the rateOf {target}, which a rule assigns; give {target} a rate rule")
        if target not in self.changing and self.amounts.get(target) is None:
            return number(0)
        if target not in self.rates_of:
            self.rates_of[target] = self._fresh(f"rateOf_{target}")
        return name(self.rates_of[target])

    # -- rates --------------------------------------------------------------------------------------------------

    def rate(self, identifier: str) -> Formula:
        """Return the time derivative of something that changes, in the meaning its name has in formulas."""
        content = self.content
        if identifier in content.rates:
            return content.rates[identifier]
        species = content.species[identifier]
        total, size = self.change(identifier), name(species.compartment)
        if identifier in self.amounts:
            moving = apply("rateOf", size) if species.compartment in content.rates else number(0)
            if species.compartment in self.assigned:
                moving = apply("rateOf", size)  # refused where it is written
            return apply("divide", apply("minus", total, apply("times", name(identifier), moving)), size)
        plain = species.is_amount or species.compartment in self.idle
        return total if plain else apply("divide", total, size)

    def change(self, species: str) -> Formula:
        """Return how fast the amount of a species changes by reactions."""
        terms: list[tuple[bool, Formula]] = []
        for reaction in self.content.reactions:
            if reaction.law is None or species not in self._moved(reaction):
                continue
            terms += [(negative, factor) for negative, factor in self._shares(reaction, species)]
        total = _signed_sum(terms) if terms else number(0)
        factor = self.content.species[species].conversion or self.content.conversion
        return apply("times", name(factor), total) if factor and terms else total

    def _shares(self, reaction: Reaction, species: str) -> Iterator[tuple[bool, Formula]]:
        """Yield the terms of one reaction, with numbers of both sides put together."""
        plain = 0.0
        for sign, side in ((-1.0, reaction.reactants), (1.0, reaction.products)):
            for ref in side:
                if ref.species != species:
                    continue
                count = self.stoichiometry(reaction, ref)
                if count.kind == "number":
                    plain += sign * count.value
                else:
                    yield sign < 0, apply("times", count, name(reaction.id))
        if plain:
            size = abs(plain)
            yield plain < 0, name(reaction.id) if size == 1 else apply("times", number(size), name(reaction.id))

    def stoichiometry(self, reaction: Reaction, ref: Reference) -> Formula:
        """Return how many of a species take part: a number, or a name where it may be another."""
        if ref.formula is not None:
            return ref.formula
        if ref.id and self.is_quantity(ref.id):
            return name(ref.id)
        if ref.count is None:
            raise self.content.error(
                f"the stoichiometry of {ref.species} in the reaction {reaction.id} is missing; give it one"
            )
        return number(ref.count)

    def is_quantity(self, reference: str) -> bool:
        """Tell whether the identifier of a stoichiometry is used as a quantity."""
        if reference in self.content.initial or reference in self.assigned or reference in self.content.rates:
            return True
        return reference in self.by_event or reference in self._named

    @cached_property
    def _named(self) -> set[str]:
        return {n for formula in self.content.formulas() for n in names_in(formula)}

    # -- starts -------------------------------------------------------------------------------------------------

    def start(self, identifier: str) -> Formula:
        """Return the start of a quantity, in the meaning its name has in formulas."""
        content = self.content
        if identifier in content.initial:
            return content.initial[identifier]
        if identifier in content.species:
            return self._species_start(content.species[identifier])
        if identifier in content.compartments:
            return number(self._size(identifier))
        if identifier in self.references:
            ref = self.references[identifier]
            return ref.formula or number(self._given(ref.count, f"the stoichiometry {identifier}"))
        return number(self._given(content.parameters[identifier].value, f"the parameter {identifier}"))

    def _size(self, compartment: str) -> float:
        size = self.content.compartments[compartment].size
        return 1.0 if size is None else size

    def _given(self, value: float | None, what: str) -> float:
        if value is None:
            raise self.content.error(f"{what} has no value; give it one")
        if not abs(value) < float("inf"):
            raise self.content.error(f"the value of {what} is {value!r} but must be finite")
        return value

    def _species_start(self, species: Species) -> Formula:
        size = ONE if species.compartment in self.idle else name(species.compartment)
        what = f"the start of {species.id}"
        if species.concentration is not None:
            start = number(self._given(species.concentration, what))
            return apply("times", start, size) if species.is_amount and size != ONE else start
        start = number(self._given(species.amount, what))
        return start if species.is_amount or size == ONE or not start.value else apply("divide", start, size)

    def amount_start(self, identifier: str) -> Formula:
        """Return the start of the amount of a species."""
        species = self.content.species[identifier]
        if identifier not in self.content.initial and species.amount is not None:
            return number(self._given(species.amount, f"the start of {identifier}"))
        return apply("times", self.start(identifier), name(species.compartment))

    # -- the system ---------------------------------------------------------------------------------------------

    def quantities(self) -> list[str]:
        """Return the identifiers of all quantities, species first."""
        content = self.content
        named = [ref for ref in self.references if self.is_quantity(ref)]
        return [*content.species, *content.compartments, *content.parameters, *named]

    def system(self) -> System:
        """Return the system."""
        if not self.quantities():
            raise self.content.error(
                "the model has no species, compartments or parameters; check that it is the file meant"
            )
        parameters: dict[str, float | str] = {}
        state: dict[str, str] = {}
        equations: dict[str, str] = {}
        definitions = {n: self.text(f, f"the rule of {n}") for n, f in self.assigned.items()}
        for reaction in self.content.reactions:
            if reaction.law is not None:
                definitions[reaction.id] = self.text(reaction.law, f"the rate of {reaction.id}")
        for quantity in self.quantities():
            if quantity in self.assigned:
                continue
            if quantity in self.idle:
                definitions[quantity] = "1"
            elif quantity in self.amounts:
                self._place_amount(quantity, parameters, state, equations, definitions)
            else:
                self._place(quantity, parameters, state, equations, definitions)
        transitions = tuple(self._transition(event) for event in self.content.events)
        done: set[str] = set()
        while self.rates_of.keys() - done:  # writing one may need another
            target = next(t for t in self.rates_of if t not in done)
            done.add(target)
            definitions[self.rates_of[target]] = self.text(self.rate(target), f"the rate of {target}")
        self._place_clock(state, equations, definitions, transitions)
        try:
            system = System.from_equations(equations, parameters, state, definitions, title=self.content.title)
        except InputError as error:
            raise self.content.error(str(error)) from error
        species = {self.amounts.get(name, name) for name in self.content.species}
        instants = [event.id for event in self.content.events if _is_instant(event)]
        notes = (*self.content.notes, *([event_note(transitions)] if transitions else []))
        if instants:
            holds = "may hold at an instant only (==): simulations can pass it unseen"
            notes = (*notes, f"What triggers {', '.join(instants)} {holds}.")
        system = replace(system, transitions=transitions, notes=notes)
        return system.with_(nonnegative=nonnegative_states(system, species))

    def _place(
        self,
        quantity: str,
        parameters: dict[str, float | str],
        state: dict[str, str],
        equations: dict[str, str],
        definitions: dict[str, str],
    ) -> None:
        """Put a quantity where it belongs."""
        begin = self.start(quantity)
        text = self.text(begin, f"the start of {quantity}")
        if quantity in self.changing:
            equations[quantity] = self.text(self.rate(quantity), f"the rate of {quantity}")
            state[quantity] = text
        elif begin.kind == "number":
            parameters[quantity] = begin.value
        elif self.constant(begin) and quantity not in self.by_event:
            definitions[quantity] = text
        else:  # a function of other starts or of parameters that does not stay one: a variable at rest
            equations[quantity], state[quantity] = "0", text

    def _place_amount(
        self,
        quantity: str,
        parameters: dict[str, float | str],
        state: dict[str, str],
        equations: dict[str, str],
        definitions: dict[str, str],
    ) -> None:
        amount = self.amounts[quantity]
        definitions[quantity] = f"{amount}/{self.content.species[quantity].compartment}"
        begin = self.amount_start(quantity)
        if quantity in self.changing:
            equations[amount] = self.text(self.change(quantity), f"the rate of {quantity}")
            state[amount] = self.text(begin, f"the start of {quantity}")
        elif begin.kind == "number":
            parameters[amount] = begin.value
        else:
            equations[amount], state[amount] = "0", self.text(begin, f"the start of {quantity}")

    def _place_clock(
        self,
        state: dict[str, str],
        equations: dict[str, str],
        definitions: dict[str, str],
        transitions: tuple[Transition, ...],
    ) -> None:
        """Add time as a variable where the model names it, or has no other."""
        texts = [formula for formula in self.content.formulas() if any(p.kind == TIME for p in parts(formula))]
        if texts or not equations:
            equations[self.clock], state[self.clock] = "1", "0"

    # -- events -------------------------------------------------------------------------------------------------

    def _transition(self, event: Event) -> Transition:
        where = f"the event {event.id}"
        changed = dict(event.assignments)
        for species in self.content.species.values():
            # where a compartment jumps, amounts stay: concentrations that are followed themselves jump too
            if species.id in self.content.rates and not species.is_amount and species.compartment in event.assignments:
                old, new = name(species.compartment), event.assignments[species.compartment]
                value = changed.get(species.id, name(species.id))
                changed[species.id] = apply("divide", apply("times", value, old), new)
        assignments = {}
        for target, formula in changed.items():
            if target in self.amounts:
                size = name(self.content.species[target].compartment)
                assignments[self.amounts[target]] = self.text(apply("times", formula, size), where)
            else:
                assignments[target] = self.text(formula, where)
        return Transition(
            name=event.id,
            trigger=self.condition(_lasting(event), where),
            assignments=assignments,
            delay="0" if event.delay is None else self.text(event.delay, where),
            priority="" if event.priority is None else self.text(event.priority, where),
            persistent=event.persistent,
            initially=event.initially,
            from_trigger=event.from_trigger,
        )


def _lasting(event: Event) -> Formula:
    """Return the trigger of an event; `time == 2`, true at one instant only, becomes time >= 2, true from then on.

    It becomes true at the same time, and only that counts, unless the change is called off when it is false again.
    """
    trigger = event.trigger
    if trigger.kind != "eq" or len(trigger.operands) != 2 or not (event.persistent or event.delay is None):
        return trigger
    clock, when = sorted(trigger.operands, key=lambda part: part.kind != TIME)
    if clock.kind != TIME or when.kind != NUMBER or when.value < 0.0:
        return trigger
    return apply("geq", clock, when)


def _is_instant(event: Event) -> bool:
    """Say whether the trigger of an event may be true at single instants only, which a simulation passes unseen."""
    return any(part.kind == "eq" for part in parts(_lasting(event)))


def _signed_sum(terms: list[tuple[bool, Formula]]) -> Formula:
    """Return a sum of terms, those that are marked subtracted."""
    signed = [apply("minus", term) if negative else term for negative, term in terms]
    return signed[0] if len(signed) == 1 else apply("plus", *signed)

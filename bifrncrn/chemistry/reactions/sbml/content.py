"""What an SBML document says, as plain immutable values: every formula a tree, functions and local names resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.formula import Formula


@dataclass(frozen=True)
class Compartment:
    """A compartment; its size is None where the document gives none."""

    id: str
    size: float | None
    constant: bool


@dataclass(frozen=True)
class Species:
    """A species: its start as an amount or a concentration (or neither), and what its name means in formulas."""

    id: str
    compartment: str
    amount: float | None
    concentration: float | None
    is_amount: bool
    boundary: bool
    constant: bool
    conversion: str


@dataclass(frozen=True)
class Parameter:
    """A parameter; its value is None where the document gives none."""

    id: str
    value: float | None
    constant: bool


@dataclass(frozen=True)
class Reference:
    """A species of a reaction and how many of it; `id` names the stoichiometry where the document does."""

    id: str
    species: str
    count: float | None
    formula: Formula | None
    constant: bool


@dataclass(frozen=True)
class Reaction:
    """A reaction; its law is None where the document gives none."""

    id: str
    reactants: tuple[Reference, ...]
    products: tuple[Reference, ...]
    law: Formula | None


@dataclass(frozen=True)
class Event:
    """An event: when it is triggered, how long it waits, and what it then assigns."""

    id: str
    trigger: Formula
    delay: Formula | None
    priority: Formula | None
    assignments: Mapping[str, Formula]
    persistent: bool
    initially: bool
    from_trigger: bool


@dataclass(frozen=True)
class Content:
    """A model. All identifiers are of one name space."""

    name: str
    title: str
    compartments: Mapping[str, Compartment]
    species: Mapping[str, Species]
    parameters: Mapping[str, Parameter]
    reactions: tuple[Reaction, ...]
    initial: Mapping[str, Formula]
    assigned: Mapping[str, Formula]
    rates: Mapping[str, Formula]
    algebraic: tuple[Formula, ...]
    events: tuple[Event, ...]
    conversion: str
    notes: tuple[str, ...] = ()

    def error(self, problem: str) -> InputError:
        """Return an error about this document."""
        return InputError(f"{self.name}: {problem}")

    def formulas(self) -> list[Formula]:
        """Return every formula of the model."""
        references = [ref for reaction in self.reactions for ref in (*reaction.reactants, *reaction.products)]
        events = [
            formula
            for event in self.events
            for formula in (event.trigger, event.delay, event.priority, *event.assignments.values())
        ]
        optional = [*(r.law for r in self.reactions), *(ref.formula for ref in references), *events]
        given = [formula for formula in optional if formula is not None]
        return [*given, *self.initial.values(), *self.assigned.values(), *self.rates.values(), *self.algebraic]

"""Mass-action reactions: stoichiometry, conservation laws, and the system of differential equations."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import as_texts, number, require_kind, time_scale
from bifrncrn.base.errors import InputError
from bifrncrn.base.integer_nullspace import left_nullspace
from bifrncrn.base.tables import Reported, format_table, printable
from bifrncrn.models.system import System

if TYPE_CHECKING:
    from bifrncrn.chemistry.reactions.stochastic import StochasticSimulation

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
FAMILIES = {"L": "lam", "X": "x", "Y": "y", "Z": "z", "R": "r"}  # families of a network's species, as system names
FAMILY_MEMBER = re.compile(r"([LXYZR])_([1-9][0-9]{0,8})", re.ASCII)


ROWS = 40
"""Reactions that a report lists at most."""


@dataclass(frozen=True)
class Reaction:
    """One mass-action reaction: species names on either side, repeated for stoichiometry, and a positive rate.

    Its speed is ``rate`` times the product of all reactant concentrations (each to the power of its count, with
    no factorial). The names keep the order they were written in.
    """

    reactants: tuple[str, ...]
    products: tuple[str, ...]
    rate: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "reactants", as_texts(self.reactants, "the reactants"))
        object.__setattr__(self, "products", as_texts(self.products, "the products"))
        for name in (*self.reactants, *self.products):
            if not NAME.fullmatch(name):
                raise InputError(f"{name!r} is not a species name; use letters, digits and underscores, such as X_1")
        object.__setattr__(self, "rate", number(f"the rate of {self}", self.rate))
        if self.rate <= 0:
            raise InputError(f"the rate of {self} is {self.rate!r} but a mass-action rate must be positive")

    def __str__(self) -> str:
        return f"{' + '.join(self.reactants)}->{' + '.join(self.products)}"

    def change(self) -> dict[str, int]:
        """Return the net number of each species produced; species without a net change are left out."""
        net = Counter(self.products)
        net.subtract(self.reactants)
        return {name: count for name, count in net.items() if count}


@dataclass(frozen=True, repr=False)
class ReactionNetwork(Reported):
    """A list of mass-action reactions with start concentrations.

    Parameters
    ----------
    reactions : sequence of Reaction
        In the order they are to be written.
    start : mapping
        Start concentration by species; a species of the reactions that is not named starts at 0. Species that only
        stand here belong to the network too.
    mu : float, optional
        The time-scale of the fast species, when the rates were made with one.
    title : str
        One line for people.
    source : str
        The text the network was read from, if any; see `to_text`.
    """

    reactions: tuple[Reaction, ...]
    start: Mapping[str, float] = field(default_factory=dict)
    mu: float | None = None
    title: str = ""
    source: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        reactions = tuple(self.reactions) if isinstance(self.reactions, Iterable) else (self.reactions,)
        for reaction in reactions:
            require_kind(reaction, Reaction, "a reaction")
        require_kind(self.title, str, "a title")
        object.__setattr__(self, "reactions", reactions)
        start = {name: number(f"the start of {name}", value) for name, value in self.start.items()}
        for name, value in start.items():
            if not NAME.fullmatch(name):
                raise InputError(f"{name!r} is not a species name; use letters, digits and underscores, such as X_1")
            if value < 0:
                raise InputError(f"the start of {name} is {value!r} but a concentration must not be negative")
        object.__setattr__(self, "start", MappingProxyType(start))
        object.__setattr__(self, "title", " ".join(self.title.split()))
        if self.mu is not None:
            object.__setattr__(self, "mu", time_scale("mu", self.mu))

    def __hash__(self) -> int:
        return hash((self.reactions, tuple(self.start.items()), self.mu, self.title))

    def __str__(self) -> str:
        head = f"{self.title or 'reactions'}: {len(self.species)} species, {len(self.reactions)} reactions"
        head += "" if self.mu is None else f", mu = {self.mu:g}"
        rows = [[str(one), f"{one.rate:.8g}"] for one in self.reactions[:ROWS]]
        more = [f"({len(self.reactions) - ROWS} more reactions)"] if len(self.reactions) > ROWS else []
        return printable("\n".join([head, "", format_table(["reaction", "rate"], rows), *more]))

    @cached_property
    def species(self) -> tuple[str, ...]:
        """Every species: first those with a start value, then in the order the reactions name them."""
        used = (name for reaction in self.reactions for name in (*reaction.reactants, *reaction.products))
        return tuple(dict.fromkeys([*self.start, *used]))

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """The species no reaction changes: catalysts and environments, the parameters of the system."""
        changed = {name for reaction in self.reactions for name in reaction.change()}
        return tuple(name for name in self.species if name not in changed)

    @property
    def stoichiometry(self) -> NDArray[np.int64]:
        """Net production of each species (rows, as in `species`) by each reaction (columns)."""
        row = {name: i for i, name in enumerate(self.species)}
        matrix = np.zeros((len(row), len(self.reactions)), dtype=np.int64)
        for column, reaction in enumerate(self.reactions):
            for name, count in reaction.change().items():
                matrix[row[name], column] = count
        return matrix

    def conservation_laws(self) -> tuple[dict[str, int], ...]:
        r"""Return a basis of the linear combinations of species that no reaction changes, exact in integers.

        Examples
        --------
        >>> network = ReactionNetwork.from_text("E + S->C,1.0\nC->E + S,1.0\nC->E + P,2.0")
        >>> network.conservation_laws()
        ({'E': 1, 'C': 1}, {'S': 1, 'C': 1, 'P': 1})
        """
        species = self.species
        row = {name: i for i, name in enumerate(species)}
        changes = [{row[name]: count for name, count in reaction.change().items()} for reaction in self.reactions]
        return tuple({species[i]: c for i, c in sorted(law.items())} for law in left_nullspace(changes, len(species)))

    def to_system(self) -> System:
        """Return the system of differential equations by mass action.

        Species that no reaction changes become the first parameters, the rates ``k1``, ``k2``, ... the rest. The
        species of a network take the names of its systems: ``X_1`` is ``x1``, ``Y_1`` ``y1``, ``Z_1`` ``z1``,
        ``R_1`` ``r1`` and ``L_1`` ``lam`` (``lam1`` when there are several); other names stay.

        Raises
        ------
        InputError
            If no species changes.
        """
        from bifrncrn.chemistry.reactions.mass_action import mass_action_system

        return mass_action_system(self)

    def simulate_stochastic(self, t_end: float, *, volume: float, **options: Any) -> "StochasticSimulation":
        """Simulate molecule by molecule; see `bifrncrn.chemistry.reactions.stochastic.simulate_stochastic`.

        Parameters
        ----------
        t_end : float
            The end, in the network's unit of time.
        volume : float
            Molecules per unit of concentration.
        **options
            `start`, `samples`, `seed`.
        """
        from bifrncrn.chemistry.reactions.stochastic import simulate_stochastic

        return simulate_stochastic(self, t_end, volume=volume, **options)

    def to_text(self) -> str:
        """Return the reaction text.

        A network read from a text and not changed since gives that text back, byte for byte.
        """
        from bifrncrn.chemistry.reactions.text import canonical_text, parse_text

        if self.source and parse_text(self.source) == self:
            return self.source
        return canonical_text(self)

    @classmethod
    def from_text(cls, text: str, name: str = "the reaction text") -> "ReactionNetwork":
        """Read reaction text; `name` stands for it in messages.

        Raises
        ------
        InputError
            Naming the line, what it holds, and the rule it breaks.
        """
        from bifrncrn.chemistry.reactions.text import parse_text

        return parse_text(text, name)


def family(names: Iterable[str], letter: str) -> dict[str, int]:
    """Return the numbers of the names ``letter_1``, ``letter_2``, ... among `names`, counted from 1."""
    matches = ((name, FAMILY_MEMBER.fullmatch(name)) for name in names)
    return {name: int(match[2]) for name, match in matches if match and match[1] == letter}

"""Sudden changes of a system in the course of a simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from bifrncrn.base.errors import InputError
from bifrncrn.models.equations import ModelError, build_graph
from bifrncrn.models.words import listed, names_used, shorten, suggest, tokenize

if TYPE_CHECKING:
    from bifrncrn.models.system import System


@dataclass(frozen=True)
class Transition:
    """What happens when a condition becomes true: after a delay, variables and parameters get new values.

    The meaning is that of an event in SBML Level 3. All texts are expressions of the system's variables, parameters and
    definitions.

    Parameters
    ----------
    name : str
    trigger : str
        True where its value is not zero.
    assignments : mapping
        The new value of each variable or parameter that changes; all are evaluated before any is changed.
    delay : str
        The time from the trigger to the change, evaluated at the trigger.
    priority : str
        Of several changes due at one time, the one whose priority is largest comes first; without one, last.
    persistent : bool
        Whether the change also happens when the trigger is false again before the delay is over.
    initially : bool
        Whether the trigger counts as true before the start, so that it does not fire there.
    from_trigger : bool
        Whether new values are evaluated at the trigger, rather than when they are assigned.
    """

    name: str
    trigger: str
    assignments: Mapping[str, str] = field(default_factory=dict)
    delay: str = "0"
    priority: str = ""
    persistent: bool = True
    initially: bool = True
    from_trigger: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "assignments", MappingProxyType(dict(self.assignments)))

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Pickle the arguments; a read-only view of a mapping cannot be pickled itself."""
        rest = (self.delay, self.priority, self.persistent, self.initially, self.from_trigger)
        return type(self), (self.name, self.trigger, dict(self.assignments), *rest)

    def texts(self) -> dict[str, str]:
        """Return every expression, by what it is called in messages."""
        own = {"trigger": self.trigger, "delay": self.delay, "priority": self.priority or "0"}
        return {**own, **{f"new value of {name}": text for name, text in self.assignments.items()}}


def check_transitions(system: System, transitions: Sequence[Transition]) -> None:
    """Raise ModelError where a transition changes what is no variable or parameter, or holds what is no expression."""
    known = (*system.variables, *system.parameters)
    still = dict.fromkeys(system.variables, "0")  # no equations are needed
    for one in transitions:
        table = f"events.{one.name}"
        for name in one.assignments:
            if name not in known:
                hint = suggest(name, known) or listed(known)
                why = "a definition, which follows its formula" if name in system.definitions else "nothing known"
                problem = f"the event {one.name} changes '{shorten(name)}', which is {why}, no variable or parameter"
                raise ModelError(problem + hint, table, "assignments")
        for what, text in one.texts().items():
            try:
                build_graph(system.variables, system.parameters, still, {**system.definitions, "'": text})
            except InputError as error:
                problem = str(error).removeprefix("definition of ': ")
                raise ModelError(f"the {what} of the event {one.name}: {problem}", table, what) from None


def without_clock(system: System) -> System:
    """Return a system without the variables that only its events look at, such as time, and without the events.

    Those variables grow at one rate for ever, and diagrams leave events out. The system itself is returned where there
    are none, or nothing else.
    """
    if not system.transitions or system.period:
        return system
    clocks = {name for name, text in system.equations.items() if _is_rate(text)}
    rest = [name for name in system.variables if name not in clocks]
    needed = _reached(system, rest)
    if not clocks or not rest or clocks & needed:
        return system
    state = dict(zip(system.variables, system.state.tolist(), strict=True)) | system.starts
    smaller = type(system).from_equations(
        {name: system.equations[name] for name in rest},
        dict(zip(system.parameters, system.values.tolist(), strict=True)),
        {name: state[name] for name in rest},
        {name: text for name, text in system.definitions.items() if not _reached(system, [name]) & clocks},
        nonnegative=[name for name in rest if system.lower[system.variable_index(name)] == 0.0],
        title=system.title,
        periodic=[name for name in system.periodic if name in rest],
    )
    return replace(smaller, notes=system.notes)


def _is_rate(text: str) -> bool:
    try:
        return float(text) != 0.0
    except ValueError:
        return False


def _reached(system: System, names: Sequence[str]) -> set[str]:
    """Return every name that equations or definitions of these names use, through whatever definitions."""
    texts = {**system.definitions, **system.equations}
    waiting, seen = list(names), set[str]()
    while waiting:
        for name in names_used(tokenize(texts[waiting.pop()])):
            if name not in seen:
                seen.add(name)
                waiting += [name] if name in system.definitions else []
    return seen


def notes_out(system: System) -> tuple[str, ...]:
    """Return what a file that cannot hold them says of a model's notes and of the events left out."""
    if not system.transitions:
        return system.notes
    own = event_note(system.transitions)
    left_out = f"The events of the model ({', '.join(one.name for one in system.transitions)}) are left out here."
    return (*(note for note in system.notes if note != own), left_out)


def event_note(transitions: Sequence[Transition]) -> str:
    """Say that what happens suddenly is no part of a diagram."""
    listed_names = ", ".join(one.name for one in transitions)
    return f"The events of the model ({listed_names}) act in simulations only; diagrams leave them out."

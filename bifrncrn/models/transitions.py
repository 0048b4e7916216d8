"""Sudden changes of a system in the course of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


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

"""User-defined events: functions of the solution and the parameters whose zeros are located on a branch."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bifrncrn.base.errors import InputError
from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel
from bifrncrn.models.equations import build_graph
from bifrncrn.models.system import System

_CONDITION = re.compile(r"[<>]|[=!]=")


@dataclass(frozen=True, eq=False)
class Events:
    """Compiled events.

    Attributes
    ----------
    names : tuple of str
        The events as given.
    native : NativeModel
        Its `f` writes one value for each event; an event is where its value changes sign.
    """

    names: tuple[str, ...]
    native: NativeModel


def compile_events(system: System, events: Sequence[str]) -> Events:
    """Compile events such as `"u1 = 0.5"`, or an expression that vanishes, `"x1 - 2*x2"`.

    Raises
    ------
    InputError
        If an event is no equation or expression of the system's variables, parameters and definitions.
    """
    if isinstance(events, str):
        raise InputError(f"events must be a list of texts, not the text {events!r}; write [{events!r}]")
    texts = {f"event {event!r}": difference(event) for event in events}
    if len(texts) < len(events):
        raise InputError(f"an event is given twice among {', '.join(map(repr, events))}; give each once")

    def build() -> tuple[Graph, list[int]]:
        still = dict.fromkeys(system.variables, "0")  # events need no equations
        graph, _, nodes = build_graph(system.variables, system.parameters, still, {**system.definitions, **texts})
        return graph, [nodes[name] for name in texts]

    try:
        build()  # what is wrong with a text is said before anything is computed
    except InputError as error:
        raise InputError(str(error).removeprefix("definition of ")) from None
    key = json.dumps(["events", system.variables, system.parameters, system.definitions, list(texts.values())])
    return Events(tuple(events), NativeModel(len(system.variables), len(system.parameters), key, build))


def difference(event: str) -> str:
    """Return the expression that vanishes at an event, checked to be one."""
    if _CONDITION.search(event):
        raise InputError(
            f"the event {event!r} is a condition, which has no zero to be located; write '=' in place of its sign"
        )
    sides = event.split("=")
    if len(sides) > 2 or not all(side.strip() for side in sides):
        raise InputError(
            f"the event {event!r} is no equation: write 'left = right', or one expression that vanishes there"
        )
    return event if len(sides) == 1 else f"{sides[0]}-({sides[1]})"

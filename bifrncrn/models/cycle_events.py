"""User-defined events on branches of periodic orbits: equations of the period, of extremes and of the parameters.

On an equilibrium a state has one value, and `u1 = 0.5` is an event; along a cycle it has many, so that an event on
cycles names `max u1`, `min u1` or the `period`. An event of parameters alone is one on both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bifrncrn.base.checks import as_texts
from bifrncrn.base.errors import InputError
from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel
from bifrncrn.models.branch_events import difference
from bifrncrn.models.equations import build_graph
from bifrncrn.models.observables import Observables
from bifrncrn.models.system import System
from bifrncrn.models.words import listed, names_used, shorten, suggest, tokenize

PERIOD = "period"
_EXTREME = re.compile(r"\b(max|min)\s+([^\W\d]\w*)")


@dataclass(frozen=True, eq=False)
class CycleEvents:
    """Compiled events on periodic orbits.

    Attributes
    ----------
    names : tuple of str
        The events as given.
    extremes : tuple of (str, str)
        What they need besides the period and the parameters: `max` or `min`, and a variable or definition.
    values : Observables
        One value for each event, from the vector (period, extremes) and the parameter values; an event is where its
        value changes sign.
    """

    names: tuple[str, ...]
    extremes: tuple[tuple[str, str], ...]
    values: Observables


def split(system: System, events: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the events on equilibria, and those on cycles; an event of parameters alone is among both."""
    states = {*system.variables, *system.definitions}
    rest, cycles = [], []
    for event in events:
        about_cycles = _is_about_cycles(system, event)
        if about_cycles or not states & _names(event):
            cycles.append(event)
        if not about_cycles:
            rest.append(event)
    return tuple(rest), tuple(cycles)


def refuse_cycles(system: System, events: Sequence[str]) -> None:
    """Raise InputError where an event is one on cycles, for whom there are none."""
    for event in () if isinstance(events, str) else events:
        if _is_about_cycles(system, event):
            raise InputError(
                f"the event {event!r} is one on cycles; give it where those are followed: to orbits or with_orbits, or "
                "with --orbits or --cycle"
            )


def _is_about_cycles(system: System, event: str) -> bool:
    """Say whether an event names an extreme, or the period and no other thing called so."""
    if _EXTREME.search(event):
        return True
    own = PERIOD in system.parameters or PERIOD in system.variables or PERIOD in system.definitions
    return not own and PERIOD in _names(event)


def fixes_period(event: str) -> bool:
    """Say whether an event on cycles is an equation of the period alone."""
    return not _EXTREME.search(event) and _names(event) - {"pi"} == {PERIOD}


def _names(event: str) -> set[str]:
    """Return the names in an event, none where it cannot be read: who compiles it says why."""
    try:
        return set(names_used(tokenize(difference(event))))
    except InputError:
        return set()


def compile_cycle_events(system: System, events: Sequence[str]) -> CycleEvents | None:
    """Compile events such as `"period = 10"` or `"max u1 = 2*min u1"`; None where there are none.

    Raises
    ------
    InputError
        If one is no equation or expression of `period`, `max NAME`, `min NAME` and parameters.
    """
    events = as_texts(events, "events")
    if len(set(events)) < len(events):
        raise InputError(f"an event is given twice among {', '.join(map(repr, events))}; give each once")
    if not events:
        return None
    taken = {*system.variables, *system.parameters, *system.definitions}
    known: dict[tuple[str, str], str] = {}
    texts = {f"event {event!r}": _rewritten(system, event, known, taken) for event in events}
    quantities = [_fresh(PERIOD, taken), *known.values()]
    for event in events:
        _check_states(system, event)

    def build() -> tuple[Graph, list[int]]:
        still = dict.fromkeys(quantities, "0")
        graph, _, nodes = build_graph(quantities, system.parameters, still, texts)
        return graph, [nodes[name] for name in texts]

    try:
        build()
    except InputError as error:
        raise InputError(str(error).removeprefix("definition of ")) from None
    key = json.dumps(["cycle events", quantities, system.parameters, list(texts.values())])
    native = NativeModel(len(quantities), len(system.parameters), key, build)
    return CycleEvents(tuple(events), tuple(known), Observables(native, len(texts)))


def _rewritten(system: System, event: str, known: dict[tuple[str, str], str], taken: set[str]) -> str:
    """Return what vanishes at an event, each extreme by one name, which is added to those that are known."""

    def named(found: re.Match[str]) -> str:
        kind, inner = found[1], found[2]
        names = (*(name for name in system.variables if name not in system.clock), *system.definitions)
        if inner not in names:
            raise InputError(
                f"the event {event!r}: there is nothing called '{shorten(inner)}' that could have a {kind}"
                f"{suggest(inner, names) or listed(names)}"
            )
        if (kind, inner) not in known:
            known[kind, inner] = _fresh(f"{kind}_{inner}", taken)
            taken.add(known[kind, inner])
        return known[kind, inner]

    return difference(_EXTREME.sub(named, event))


def _fresh(name: str, taken: set[str]) -> str:
    """Return a name like this one that nothing else has."""
    while name in taken:
        name += "_"
    return name


def _check_states(system: System, event: str) -> None:
    """Raise InputError for an event that names a state, which has no one value along a cycle."""
    for name in names_used(tokenize(difference(_EXTREME.sub("0", event)))):
        if name in system.variables or name in system.definitions:
            raise InputError(
                f"the event {event!r}: {shorten(name)} has many values along a cycle; write 'max {shorten(name)}' or "
                f"'min {shorten(name)}'"
            )

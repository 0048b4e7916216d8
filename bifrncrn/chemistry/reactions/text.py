"""Reaction text: one ``reactants->products,rate`` a line, start values in ``#X_1=0.0,Y_1=0.0`` lines.

Lines that start with ``##`` are comments, and so is a ``#`` line without an equals sign. Two comments are understood:
``## mu 0.0075`` records the time-scale the rates were made with, ``## title ...`` the title.
"""

import math
import re

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.network import NAME, Reaction, ReactionNetwork

RULE = "a line is 'reactants->products,rate', such as 'X_1 + Y_1->Y_1,4.3', or '#X_1=0.0,Y_1=0.0' for start values"
TERM = re.compile(r"(?:([0-9]{1,4})\s*\*?\s*)?([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
LARGEST_COUNT = 1000


def parse_text(text: str, name: str = "the reaction text") -> ReactionNetwork:
    """Read reaction text; see `ReactionNetwork.from_text`."""
    require_kind(text, str, "reaction text")
    reactions: list[Reaction] = []
    start: dict[str, float] = {}
    record: dict[str, str] = {}
    for count, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        where = f"{name}, line {count}"
        if not line:
            continue
        if line.startswith("#") and (line.startswith("##") or "=" not in line):
            record.update(_record(line))
        elif line.startswith("#"):
            _add_start(start, line, where)
        else:
            reactions.append(_reaction(line, where))
    if not reactions:
        raise InputError(f"{name} holds no reaction; {RULE}")
    mu = _number(record["mu"], f"{name}, the recorded mu") if "mu" in record else None
    return ReactionNetwork(tuple(reactions), start, mu=mu, title=record.get("title", ""), source=text)


def canonical_text(network: ReactionNetwork) -> str:
    """Write a network as reaction text: comments, start values, reactions."""
    lines = []
    if network.title:
        lines.append("## title " + " ".join(network.title.split()))
    if network.mu is not None:
        lines.append(f"## mu {network.mu!r}")
    if network.start:
        lines.append("#" + ",".join(f"{name}={value!r}" for name, value in network.start.items()))
    lines += [f"{reaction},{reaction.rate!r}" for reaction in network.reactions]
    return "\n".join(lines) + "\n"


def _record(line: str) -> dict[str, str]:
    """Return what a comment records: its first word and the rest, when that word is one we know."""
    key, _, rest = line.lstrip("#").strip().partition(" ")
    return {key: rest.strip()} if line.startswith("##") and key in ("mu", "title") else {}


def _number(text: str, where: str) -> float:
    text = text.strip()
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {text!r:.60} is not a finite number; write one such as 4.3 or 1e-3")
    return value


def _add_start(start: dict[str, float], line: str, where: str) -> None:
    """Add the start values of one ``#`` line."""
    for item in line[1:].split(","):
        name, equals, value = item.partition("=")
        name = name.strip()
        if not equals or not NAME.fullmatch(name):
            raise InputError(
                f"{where}: {item.strip()!r:.60} is not a start value such as X_1=0.0; begin a comment with ##"
            )
        if name in start:
            raise InputError(f"{where}: the start of {name} is given twice; keep one")
        start[name] = _number(value, f"{where}, the start of {name}")
        if start[name] < 0:
            raise InputError(f"{where}: the start of {name} is {start[name]!r} but must not be negative")


def _reaction(line: str, where: str) -> Reaction:
    """Read one reaction line."""
    equation, comma, rate = line.rpartition(",")
    left, arrow, right = equation.partition("->")
    if not comma or not arrow:
        raise InputError(f"{where}: {line!r:.80} is not a reaction; {RULE}")
    value = _number(rate, f"{where}, the rate")
    if value <= 0:
        raise InputError(
            f"{where}: the rate is {value!r} but must be positive; a negative coefficient consumes instead"
        )
    return Reaction(_side(left, where), _side(right, where), value)


def _side(text: str, where: str) -> tuple[str, ...]:
    """Read one side of a reaction: nothing, or species joined by plus signs, with counts."""
    if not text.strip():
        return ()
    species: list[str] = []
    for term in text.split("+"):
        match = TERM.fullmatch(term.strip())
        if not match or int(match[1] or 1) > LARGEST_COUNT:
            raise InputError(
                f"{where}: {term.strip()!r:.60} is not a species; write names such as X_1, or 2 X_1 for two"
            )
        species += [match[2]] * int(match[1] or 1)
    return tuple(species)

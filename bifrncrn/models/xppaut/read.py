"""An XPPAUT file as a system."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

from bifrncrn.base.errors import ContinuationWarning, InputError
from bifrncrn.base.files import decoded, read_limited
from bifrncrn.models.system import System
from bifrncrn.models.xppaut.formula import Scope, translate
from bifrncrn.models.xppaut.lines import at, logical
from bifrncrn.models.xppaut.statements import Entry, Statements, collect

MAX_BYTES = 1_000_000
"""Ten times the largest file in public collections."""
_WORD = re.compile(r"[A-Za-z_]\w*")


def read(path: str | os.PathLike[str]) -> System:
    """Read an XPPAUT file.

    Raises
    ------
    InputError
        If there is no such file, or it is not an autonomous system of differential equations; names the line.
    """
    raw = read_limited(path, MAX_BYTES)
    try:
        text = decoded(raw)
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # files older than UTF-8, in whose comments it does not matter
    try:
        return loads(text)
    except InputError as error:
        raise InputError(f"{Path(path)}: {error}".replace(": line ", ", line ", 1)) from None


def loads(text: str) -> System:
    """Read the text of an XPPAUT file as XPPAUT means it.

    Names are found whatever their case, and are spelled as where they are defined. Numbers, derived parameters and
    fixed quantities become definitions; auxiliary quantities, options and sets of values are left out.
    """
    if re.match(r"\s*\d", text):
        raise at(1, "a file that begins with a number is of XPPAUT's old style, which is not read")
    found = collect(logical(text))
    texts = _texts(found)
    _check_time(found, texts)
    _check_order(found, texts)
    state = {entry.name: 0.0 for entry in found.equations.values()}
    for name, entry in found.start.items():
        if name not in found.equations:
            raise at(entry.number, f"there is no equation for {entry.name}, which is given a start value")
        state[found.equations[name].name] = float(entry.text)
    used = _reached(found, texts)
    return System.from_equations(
        {entry.name: texts[name] for name, entry in found.equations.items()},
        parameters={entry.name: float(entry.text) for entry in found.parameters.values()},
        state=state,
        definitions={
            entry.name: texts[name]
            for name, entry in {**found.numbers, **found.derived, **found.fixed}.items()
            if name in used
        },
    )


def _scope(found: Statements) -> Scope:
    """Return what the names of the file mean in its equations."""
    tables = (found.parameters, found.numbers, found.derived, found.fixed, found.equations)
    names = {name: entry.name for table in tables for name, entry in table.items()}
    variables = tuple(entry.name for entry in found.equations.values())
    fixed = tuple(entry.name for entry in found.fixed.values())
    unknown = {
        name: f"{name} is an auxiliary quantity (aux), which no equation can use"
        for name in found.auxiliary
        if name not in names
    }
    return Scope({**names, "t": "t"}, found.functions, [variables, fixed], unknown)


def _texts(found: Statements) -> dict[str, str]:
    """Return the formulas of all quantities in our language."""
    scope = _scope(found)
    texts = {}
    said = "a derived parameter (!) sees only parameters and those before it, not"
    known = {name: scope.names[name] for name in (*found.parameters, *found.numbers)}
    unknown = {name: f"{said} {name}" for name in scope.names if name not in known}
    before = Scope(known, scope.functions, [], unknown)
    for name, entry in {**found.numbers, **found.derived}.items():
        texts[name] = _translated(entry, before)
        known[name] = entry.name
        unknown.pop(name, None)
    for name, entry in {**found.fixed, **found.equations}.items():
        texts[name] = _translated(entry, scope)
    return texts


def _translated(entry: Entry, scope: Scope) -> str:
    try:
        return translate(entry.text, scope)
    except InputError as error:
        raise at(entry.number, str(error)) from None


def _uses(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _reached(found: Statements, texts: dict[str, str]) -> set[str]:
    """Return the quantities that the equations depend on."""
    seen: set[str] = set()
    stack = list(found.equations)
    while stack:
        for name in _uses(texts[stack.pop()]):
            if name in texts and name not in seen and name not in found.equations:
                seen.add(name)
                stack.append(name)
    return seen


def _check_time(found: Statements, texts: dict[str, str]) -> None:
    """Refuse equations that depend on time, through whatever."""
    entries = {**found.fixed, **found.derived, **found.equations}
    for name in sorted(
        [*_reached(found, texts), *found.equations], key=lambda n: entries[n].number if n in entries else 0
    ):
        if "t" in _uses(texts[name]):
            number = _line_of_time(found, entries[name])
            raise at(number, f"{entries[name].name} depends on time t; only autonomous models are analysed")


def _line_of_time(found: Statements, entry: Entry) -> int:
    """Return the line in which t stands: the quantity's own, or that of a function which it calls."""
    stack, seen = [entry.text], {entry.name.lower()}
    if "t" in _uses(entry.text):
        return entry.number
    while stack:
        for name in _uses(stack.pop()) & set(found.functions):
            function = found.functions[name]
            if "t" in _uses(function.text) - set(function.arguments):
                return found.function_lines[name]
            if name not in seen:
                seen.add(name)
                stack.append(function.text)
    return entry.number


def _check_order(found: Statements, texts: dict[str, str]) -> None:
    """Refuse fixed quantities that need each other; warn of one that XPPAUT would take from its previous evaluation."""
    waiting = {name: {other for other in _uses(texts[name]) if other in found.fixed} for name in found.fixed}
    users: dict[str, list[str]] = {name: [] for name in waiting}
    for name, needed in waiting.items():
        for other in needed:
            users[other].append(name)
    ready = [name for name, needed in waiting.items() if not needed]
    while ready:
        done = ready.pop()
        del waiting[done]
        for name in users[done]:
            waiting[name].discard(done)
            if not waiting[name]:
                ready.append(name)
    if waiting:
        entry = found.fixed[next(iter(waiting))]
        raise at(entry.number, f"the fixed quantities {', '.join(list(waiting)[:5])} need each other in a circle")
    places = {name: k for k, name in enumerate(found.fixed)}
    for name, place in places.items():
        late = [other for other in _uses(texts[name]) if places.get(other, -1) > place]
        if late:
            warnings.warn(
                f"line {found.fixed[name].number}: {name} uses {late[0]}, which is defined after it; it is read as it "
                "is meant, while XPPAUT takes its value of the evaluation before",
                ContinuationWarning,
                stacklevel=3,
            )

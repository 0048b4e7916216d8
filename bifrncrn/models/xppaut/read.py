"""An XPPAUT file as a system."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

from bifrncrn.base.errors import ContinuationWarning, InputError
from bifrncrn.base.files import read_limited
from bifrncrn.models.system import System
from bifrncrn.models.xppaut.formula import Scope, translate
from bifrncrn.models.xppaut.lines import at, logical
from bifrncrn.models.xppaut.statements import Entry, Statements, collect

MAX_BYTES = 5_000_000
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
        text = raw.decode("utf-8-sig")
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
    scope, texts = _scope(found), {}
    for name, entry in {**found.numbers, **found.derived, **found.fixed, **found.equations}.items():
        texts[name] = _translated(entry, _seen_by(name, found, scope))
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


def _seen_by(name: str, found: Statements, scope: Scope) -> Scope:
    """Return what a quantity may use: a derived parameter sees parameters, numbers and those before it."""
    if name not in found.derived:
        return scope
    before = list(found.derived)[: list(found.derived).index(name)]
    seen = {*found.parameters, *found.numbers, *before}
    said = "a derived parameter (!) sees only parameters and those before it, not"
    unknown = {other: f"{said} {other}" for other in scope.names if other not in seen}
    return Scope({k: v for k, v in scope.names.items() if k in seen}, scope.functions, [], unknown)


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
    done: set[str] = set()
    waiting = list(found.fixed)
    while waiting:
        ready = [name for name in waiting if not (_uses(texts[name]) & set(waiting))]
        if not ready:
            entry = found.fixed[waiting[0]]
            raise at(entry.number, f"the fixed quantities {', '.join(waiting[:5])} need each other in a circle")
        done.update(ready)
        waiting = [name for name in waiting if name not in done]
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

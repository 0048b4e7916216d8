"""What the lines of an XPPAUT file say, collected: values, functions, quantities and equations, each with its line."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field

from bifrncrn.base.errors import ContinuationWarning, InputError
from bifrncrn.models.xppaut.formula import RESERVED, Function
from bifrncrn.models.xppaut.lines import END, Line, at

_NAME = r"[A-Za-z_]\w*"
_PARAMETERS = ("p", "par", "param", "params", "parameter", "parameters")
_NUMBERS = ("n", "num", "number", "numbers")
_INITIAL = ("i", "init", "initial")
_IGNORED = ("only", "options", "set", "name", "author", "title")
REFUSED = {
    **dict.fromkeys(("global", "g"), "events (global)"),
    **dict.fromkeys(("wiener", "w"), "noise (wiener)"),
    **dict.fromkeys(("bndry", "b"), "boundary conditions (bndry)"),
    **dict.fromkeys(("solv", "dae"), "algebraic equations"),
    "table": "tables",
    "special": "network functions (special)",
    "markov": "Markov variables",
    "volt": "integral equations (volt)",
    "export": "export",
    "import": "import",
    "vector": "vectors",
}
_VALUE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
AS_MAP = 'write it as a model file (.toml) with kind = "map" in [options]'
_PRIME = re.compile(rf"({_NAME})\s*'\s*=(?!=)(.*)")
_LEIBNIZ = re.compile(rf"d({_NAME})\s*/\s*dt\s*=(?!=)(.*)", re.IGNORECASE)
_START = re.compile(rf"({_NAME})\s*\(\s*0\s*\)\s*=(?!=)(.*)")
_NEXT = re.compile(rf"{_NAME}\s*\(\s*t\s*\+\s*1\s*\)\s*=", re.IGNORECASE)
_FUNCTION = re.compile(rf"({_NAME})\s*\(([^()=]*)\)\s*=(?!=)(.*)")
_QUANTITY = re.compile(rf"({_NAME})\s*=(?!=)(.*)")


@dataclass(frozen=True)
class Entry:
    """A quantity of the file: its name as it is written, its text and its line."""

    name: str
    text: str
    number: int


@dataclass
class Statements:
    """Everything a file says, by lower-case names."""

    parameters: dict[str, Entry] = field(default_factory=dict)
    numbers: dict[str, Entry] = field(default_factory=dict)
    derived: dict[str, Entry] = field(default_factory=dict)
    fixed: dict[str, Entry] = field(default_factory=dict)
    equations: dict[str, Entry] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    function_lines: dict[str, int] = field(default_factory=dict)
    start: dict[str, Entry] = field(default_factory=dict)
    auxiliary: dict[str, int] = field(default_factory=dict)

    def owner(self, name: str) -> int | None:
        """Return the line that a name is defined in, if there is one."""
        for table in (self.parameters, self.numbers, self.derived, self.fixed, self.equations):
            if name in table:
                return table[name].number
        return self.function_lines.get(name)


def collect(lines: Iterable[Line]) -> Statements:
    """Read the lines.

    Raises
    ------
    InputError
        At what is not an autonomous system of differential equations, or means something else to XPPAUT than to its
        reader; the message names the line.
    """
    found = Statements()
    for line in lines:
        _read(line, found)
    if not found.equations:
        raise InputError("there is no equation in the file (x' = ... or dx/dt = ...)")
    return found


def _read(line: Line, found: Statements) -> None:
    text = line.text
    word = re.match(r"([A-Za-z_]\w*)(?=\s+[^\s=('])", text)
    if text.startswith("@"):
        return _option(line)
    if text.startswith("!"):
        return _quantity(line, text[1:].strip(), found.derived, found)
    if word:
        return _command(line, word[1].lower(), text[word.end() :].strip(), found)
    if re.search(r"\bint\s*[\[{]", text) or "{" in text:
        raise at(line.number, f"integrals and sets in braces are not supported: '{text[:40]}'")
    return _equation(line, found)


def _option(line: Line) -> None:
    method = re.search(r"\bmeth\w*\s*=\s*(\w+)", line.text, re.IGNORECASE)
    if method and method[1].lower().startswith("d"):
        raise at(line.number, f"meth={method[1]} makes the equations a map; {AS_MAP}")


def _command(line: Line, word: str, rest: str, found: Statements) -> None:
    if word in _PARAMETERS:
        _values(line, rest, found.parameters, found)
    elif word in _NUMBERS:
        _values(line, rest, found.numbers, found)
    elif word in _INITIAL:
        for name, value in _pairs(line, rest):
            found.start[name.lower()] = Entry(name, value, line.number)
    elif word == "aux":
        named = re.match(rf"\s*({_NAME})", rest)
        if named:
            found.auxiliary.setdefault(named[1].lower(), line.number)
    elif word in REFUSED:
        raise at(line.number, f"not read: {REFUSED[word]}; only differential equations are read")
    elif word in _IGNORED:
        return
    elif _DERIVATIVE_HEAD.match(line.text) or _QUANTITY.fullmatch(line.text):
        _equation(line, found)
    elif word[0] in "dpinwbg" or "=" in rest:
        meant = {"d": "the end of the file", "p": "par", "i": "init", "n": "number"}.get(word[0], "another command")
        raise at(
            line.number, f"'{line.text[:40]}' begins with a word that XPPAUT takes for {meant}; mend or delete the line"
        )
    else:
        _left_out(line)


_DERIVATIVE_HEAD = re.compile(rf"d{_NAME}\s*/\s*dt\s*=", re.IGNORECASE)


def _pairs(line: Line, text: str) -> list[tuple[str, str]]:
    """Return names and values of a list; a name without a value has 0."""
    text = re.sub(r"\s*=\s*", "=", text)
    found = []
    for item in re.split(r"[\s,]+", text.strip(" \t,")):
        name, equals, value = item.partition("=")
        if not re.fullmatch(_NAME, name):
            raise at(
                line.number,
                f"'{item[:40]}' is no name with a value; XPPAUT would make it one (# does not begin a comment here)",
            )
        if equals:
            _check_value(line, name, value)
        found.append((name, value if equals else "0"))
    return found


def _check_value(line: Line, name: str, value: str) -> None:
    if not _VALUE.fullmatch(value):
        read = _VALUE.match(value)
        meant = f"of which XPPAUT reads {read[0] if read else '0'}"
        raise at(line.number, f"the value of {name} is '{value[:40]}', {meant}; write a number")


def _values(line: Line, text: str, table: dict[str, Entry], found: Statements) -> None:
    for name, value in _pairs(line, text):
        _own(line, name, found)
        table[name.lower()] = Entry(name, value, line.number)


def _own(line: Line, name: str, found: Statements) -> None:
    """Refuse a name that is taken."""
    before = found.owner(name.lower())
    if before is not None:
        raise at(line.number, f"{name} is defined already, in line {before}")
    if name.lower() in RESERVED or name.lower() == "t":
        raise at(line.number, f"{name} is a word of XPPAUT and cannot be a name; rename it")


def _quantity(line: Line, text: str, table: dict[str, Entry], found: Statements) -> None:
    match = _QUANTITY.fullmatch(text)
    if not match:
        raise at(line.number, f"'{line.text[:40]}' is no definition; write name=formula")
    _own(line, match[1], found)
    table[match[1].lower()] = Entry(match[1], match[2], line.number)


def _equation(line: Line, found: Statements) -> None:
    text = line.text
    if text.lower() in END:
        return None
    derivative = _PRIME.fullmatch(text) or _LEIBNIZ.fullmatch(text)
    if derivative:
        _own(line, derivative[1], found)
        found.equations[derivative[1].lower()] = Entry(derivative[1], derivative[2], line.number)
        return None
    if re.match(r"0\s*=", text):
        raise at(line.number, "algebraic equations (0=...) are not supported, only differential equations are read")
    if _NEXT.match(text):
        raise at(line.number, f"x(t+1)=... is a map; {AS_MAP}")
    start = _START.fullmatch(text)
    if start:
        value = start[2].strip() or "0"
        if re.match(r"\s+-", start[2]):
            meant = f"XPPAUT reads {start[1]}(0) as 0, because of the blank before the minus; {value} is taken"
            warnings.warn(f"line {line.number}: {meant}", ContinuationWarning, stacklevel=2)
        _check_value(line, start[1], value)
        found.start[start[1].lower()] = Entry(start[1], value, line.number)
        return None
    function = _FUNCTION.fullmatch(text)
    if function:
        return _function(line, function, found)
    if _QUANTITY.fullmatch(text):
        return _quantity(line, text, found.fixed, found)
    if "=" in text:
        raise at(line.number, f"'{text[:40]}' is no equation, function or definition")
    return _left_out(line)


def _left_out(line: Line) -> None:
    text = f"line {line.number}: '{line.text[:40]}' is no statement of XPPAUT and is left out"
    warnings.warn(text, ContinuationWarning, stacklevel=2)


def _function(line: Line, match: re.Match[str], found: Statements) -> None:
    name, arguments = match[1], [argument.strip() for argument in match[2].split(",")]
    _own(line, name, found)
    if not all(re.fullmatch(_NAME, argument) for argument in arguments):
        raise at(line.number, f"the arguments of {name} must be names, not '{match[2][:40]}'")
    found.functions[name.lower()] = Function(tuple(argument.lower() for argument in arguments), match[3])
    found.function_lines[name.lower()] = line.number

"""Model files: a System as TOML, in and out.

A file has the tables [variables] (start values), [parameters], [equations] and, if wanted, [definitions], [options]
(`kind`, `nonnegative`, `periodic`, `period`), [events] (what happens suddenly in simulations, one table each) and
[training], and a title. Expressions are text for the safe reader.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from bifrncrn.base.checks import file_name, require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import decoded, write_atomic
from bifrncrn.models import advice
from bifrncrn.models.equations import ModelError
from bifrncrn.models.system import System
from bifrncrn.models.transitions import Transition
from bifrncrn.models.words import suggest, variable_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OTHERS = (".ode", ".xml", ".sbml", ".gz", ".ant", ".txt", ".json", ".mat")
"""Endings of the models that are no TOML."""
MAX_BYTES = 10_000_000
MAX_PARTS = 50
"""Parts of a dotted key: the time to read one grows with their square."""
_DOTTED = re.compile(rf"(?:\.[ \t]*[^\s.=,\[\]{{}}#]+[ \t]*){{{MAX_PARTS}}}")
TABLES = ("variables", "parameters", "definitions", "equations", "events", "options", "training")
KINDS = ("ode", "map")
OPTIONS = ("kind", "nonnegative", "periodic", "period")
XPPAUT = re.compile(
    r"^\s*(done|(param?s?|p|init|aux|number)\s+\w+\s*=.*|\w+'\s*=\s*[^\"'\s].*|@\s+\w+.*)$", re.M | re.I
)
"""A line that stands in XPPAUT files only."""
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def read(path: str | os.PathLike[str]) -> System:
    """Read a model file.

    Raises
    ------
    InputError
        If there is no such file, it is no TOML, or the model in it is wrong. Names the file, the line and the word.
    """
    text = _read_text(Path(file_name(path)))
    return loads(text, str(path))


def document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the tables of a model file as they stand there.

    Raises
    ------
    InputError
        If there is no such file, or it is no TOML.
    """
    return _parsed(_read_text(Path(file_name(path))), str(path))


def loads(text: str, name: str = "model") -> System:
    """Read a model from the text of a model file; `name` is what error messages call it."""
    require_kind(text, str, "the text of a model file")
    document = _parsed(text, name)
    try:
        return _from_document(document)
    except ModelError as error:
        line = find_line(text, error.table, error.key)
        raise InputError(f"{name}{f', line {line}' if line else ''}: {error}") from None


def write(system: System, path: str | os.PathLike[str]) -> None:
    """Write a system to a model file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    write_atomic(path, dumps(system))


def dumps(system: System) -> str:
    """Return the text of a model file; reading it gives the same system, digit for digit."""
    lines = [f"# {' '.join(note.split())}" for note in system.notes]
    if system.title:
        lines += [f"title = {_toml_value(system.title)}", ""]
    lines += _table("variables", {**dict(zip(system.variables, system.state.tolist(), strict=True)), **system.starts})
    if system.parameters:
        lines += _table("parameters", dict(zip(system.parameters, system.values.tolist(), strict=True)))
    if system.definitions:
        lines += _table("definitions", system.definitions)
    lines += _table("equations", system.equations)
    for one in system.transitions:
        lines += _table(f"events.{_toml_key(one.name)}", _event_out(one), nested=False)
    options: dict[str, Any] = {"nonnegative": system.nonnegative} if system.nonnegative else {}
    options |= {"periodic": system.periodic} if system.periodic else {}
    options |= {"period": system.period} if system.period else {}
    options |= {"kind": system.kind} if system.kind != "ode" else {}
    if options:
        lines += _table("options", options)
    if system.training is not None:
        lines += _table("training", system.training)
    return "\n".join(lines)


def find_line(text: str, table: str, key: str | None) -> int | None:
    """Return the line (from 1) of a key in a table of a TOML text, or of the table's head; None when not found."""
    current = ""
    head = None
    inside = None
    for number, line in enumerate(text.split("\n"), 1):
        if inside is not None:
            inside = None if inside in line else inside
            continue
        if line.lstrip().startswith("["):
            current = _unquote(line.strip().strip("[").partition("]")[0].strip())
            head = number if current == table else head
            continue
        entry = re.match(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^=\s#]+)\s*=""", line)
        if entry and key is not None:
            word = entry[1]
            if (current == table and variable_of(_unquote(word)) == variable_of(key)) or (
                not current and word == f"{table}.{key}"
            ):
                return number
        quotes = [mark for mark in ('"""', "'''") if line.count(mark) % 2]
        inside = quotes[0] if quotes else None
    return head


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise InputError(f"{path} is a folder, not a model file") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; name an existing model file") from None
    except ValueError:
        raise InputError(f"{str(path)!r} cannot be the name of a file") from None
    if len(raw) > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB, which no model file is")
    try:
        text = decoded(raw).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: not UTF-8 text; save the file in the encoding UTF-8") from None
    if "\0" in text:
        raise InputError(f"{path} holds a NUL character at position {text.index(chr(0))}: it is not a text file")
    return text


def _parsed(text: str, name: str) -> dict[str, Any]:
    dotted = _DOTTED.search(text)
    if dotted:
        line = text.count("\n", 0, dotted.start()) + 1
        raise InputError(f"{name}, line {line}: a key has more than {MAX_PARTS} parts; a model file needs two at most")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name} is not valid TOML: {_lower(error)}{_toml_hint(text, str(error), name)}") from None
    except RecursionError:
        raise InputError(f"{name}: lists or tables are nested too deep to be read; write them flat") from None
    except ValueError:  # a whole number of more digits than Python converts
        raise InputError(f"{name} holds a whole number of thousands of digits; write it like 1e10") from None


def _from_document(document: dict[str, Any]) -> System:
    for name, entry in document.items():
        if name == "title":
            continue
        if name not in TABLES:
            what = "table" if isinstance(entry, dict) else "entry"
            meant = advice.TABLES.get(name.lower(), name)
            hint = suggest(meant, ["title", *TABLES]) or f"; a model file has title and the tables {', '.join(TABLES)}"
            raise ModelError(f"unknown {what} '{name}'{hint}", *((name,) if what == "table" else ("", name)))
        if not isinstance(entry, dict):
            raise ModelError(f"'{name}' must be a table, headed by the line [{name}]", "", name)
    for name in ("variables", "equations"):
        if not document.get(name):
            raise ModelError(f"the table [{name}] is missing or empty; a model has at least one variable", name)
    _check_types(document)
    options = document.get("options", {})
    for name in options:
        if name not in OPTIONS:
            hint = suggest(name, OPTIONS) or f"; the options are {', '.join(OPTIONS)}"
            raise ModelError(f"unknown option '{name}'{hint}", "options", name)
    _check_kind(options)
    if options.get("kind") == "map":
        return _map_from(document, options)
    transitions = tuple(_event(name, entry) for name, entry in document.get("events", {}).items())
    return System.from_equations(
        document["equations"],
        parameters=document.get("parameters", {}),
        state=document["variables"],
        definitions=document.get("definitions", {}),
        nonnegative=options.get("nonnegative", False),
        title=document.get("title", ""),
        training=document.get("training"),
        periodic=options.get("periodic", ()),
        transitions=transitions,
        period=options.get("period", ""),
    )


def _event(name: str, entry: Any) -> Transition:
    """Read one of the tables [events.NAME]."""
    table = f"events.{name}"
    if not isinstance(entry, dict):
        raise ModelError(f"the event '{name}' must be a table, headed by the line [events.{name}]", "events", name)
    kinds = {item.name: item.type for item in fields(Transition) if item.name != "name"}
    for key, value in entry.items():
        if key not in kinds:
            hint = suggest(key, kinds) or f"; an event has {', '.join(kinds)}"
            raise ModelError(f"the event {name} has an unknown entry '{key}'{hint}", table, key)
        right = {"bool": bool, "str": str}.get(str(kinds[key]), dict)
        plain = not isinstance(value, bool) and isinstance(value, int | float) and right is str
        if not plain and not isinstance(value, right):
            meant = {bool: "true or false", str: "text", dict: 'a table of expressions like { x = "x/2" }'}[right]
            raise ModelError(f"'{key}' of the event {name} must be {meant}, not {_kind(value)}", table, key)
    if "trigger" not in entry or not entry.get("assignments"):
        rule = "an event has a trigger, a condition, and assignments, what it changes"
        raise ModelError(
            f"the event {name} lacks {'assignments' if 'trigger' in entry else 'a trigger'}; {rule}", table
        )
    said: dict[str, Any] = {key: str(value) if kinds[key] == "str" else value for key, value in entry.items()}
    said["assignments"] = {key: str(value) for key, value in entry["assignments"].items()}
    return Transition(name, **said)


def _event_out(one: Transition) -> dict[str, Any]:
    """Return the entries of an event that are not as they are by default."""
    usual = {item.name: item.default for item in fields(Transition)}
    entries = {name: getattr(one, name) for name in usual if name not in ("name", "assignments")}
    rest = {name: value for name, value in entries.items() if value != usual[name]}
    return {**rest, "assignments": dict(one.assignments)}


def _map_from(document: Mapping[str, Any], options: Mapping[str, Any]) -> System:
    """Read a map, which has no time between its steps."""
    for table, names in (("options", ("period", "periodic")), ("", ("events", "training"))):
        for name in names:
            if name in (options if table else document):
                rule = "is for differential equations, and this model is a map (kind); leave it out"
                raise ModelError(f"'{name}' {rule}", table or name, name if table else None)
    return System.from_map(
        document["equations"],
        parameters=document.get("parameters", {}),
        state=document["variables"],
        definitions=document.get("definitions", {}),
        nonnegative=options.get("nonnegative", False),
        title=document.get("title", ""),
    )


def _check_kind(options: Mapping[str, Any]) -> None:
    """Refuse what is neither a differential equation nor a map."""
    if options.get("kind", "ode") not in KINDS:
        rule = 'it is "ode" (differential equations) or "map" (the right-hand sides give the next state)'
        raise ModelError(f"the option kind is {options['kind']!r:.40}, but {rule}", "options", "kind")


def _check_types(document: dict[str, Any]) -> None:
    """Find entries of a wrong kind, dotted keys (which TOML reads as tables) among them."""
    for table in ("equations", "definitions"):
        for name, entry in document.get(table, {}).items():
            if not isinstance(entry, str) and (isinstance(entry, bool) or not isinstance(entry, int | float)):
                rule = f'write {name} = "..." with the expression in quotes'
                raise ModelError(f"'{name}' must be text, not {_kind(entry)}; {rule}", table, name)
    for table in ("variables", "parameters"):
        for name, entry in document.get(table, {}).items():
            if isinstance(entry, bool) or not isinstance(entry, int | float | str):
                rule = 'a number or a fraction as text ("8/3")'
                raise ModelError(f"'{name}' must be {rule}, not {_kind(entry)}", table, name)


def _kind(entry: Any) -> str:
    names = {bool: "true or false", list: "a list", dict: "a table", str: "text", int: "a number", float: "a number"}
    return names.get(type(entry), "a date or time")


def _lower(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text[0].lower() + text[1:]


def _toml_hint(text: str, error: str, name: str) -> str:
    """Say what to do about the commonest mistakes: a file of another format, an expression without quotes."""
    if name.lower().endswith(OTHERS):
        return "; System.from_file reads TOML model files only, bf.load_model reads the other formats"
    if XPPAUT.search(text) and not re.search(r"^\s*\[", text, re.M):
        return "; it looks like an XPPAUT file: give it a name that ends in .ode"
    found = re.search(r"line (\d+)", error)
    lines = text.split("\n")
    if found and 0 < int(found[1]) <= len(lines):
        line = lines[int(found[1]) - 1]
        left, _, right = line.partition("=")
        name = variable_of(left.strip())
        if len(line) < 1000 and name != left.strip() and right:
            right = right.strip().strip("\"'")
            return f'; write {name} = "{right[:60]}" (the name alone means its derivative)'
    if found and 0 < int(found[1]) <= len(lines) and len(lines[int(found[1]) - 1]) < 1000:
        comma = re.fullmatch(r"(\s*\w+\s*=\s*[-+]?\d+),(\d+)\s*(#.*)?", lines[int(found[1]) - 1])
        if comma:
            return f"; a number has a decimal point: {comma[1].strip()}.{comma[2]}"
        entry = re.fullmatch(r"\s*(\w+)\s*=\s*([^\"'#\[{]*[A-Za-z(*/^][^\"']*)", lines[int(found[1]) - 1])
        if entry:
            return f'; an expression stands in quotes: {entry[1]} = "{entry[2].strip()[:60]}"'
    return ""


def _unquote(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word


# -- writing ----------------------------------------------------------------------------------------------------


def _table(name: str, entries: dict[str, Any], nested: bool = True) -> list[str]:
    """Return the lines of a table; tables in it follow as tables of their own, or stand in their lines."""
    lines = [f"[{name}]"]
    plain = [(key, value) for key, value in entries.items() if not (nested and isinstance(value, dict))]
    lines += [f"{_toml_key(key)} = {_toml_value(value)}" for key, value in plain]
    lines.append("")
    if not nested:
        return lines
    for key, value in entries.items():
        if isinstance(value, dict):
            lines += _table(f"{name}.{_toml_key(key)}", value)
    return lines


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _toml_value(key)


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return '"' + "".join(_escape(character) for character in value) + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml_value(entry) for entry in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml_key(key)} = {_toml_value(entry)}" for key, entry in value.items()) + "}"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise InputError(f"{value!r} ({type(value).__name__}) cannot be written to a model file")


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character < " " or character == "\x7f":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\u{ord(character):04X}")
    return character

"""The words of an expression: how they are told apart, and how messages show them."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bifrncrn.base.errors import InputError
from bifrncrn.models.advice import bad_character, raised

MAX_LENGTH = 2_000_000
"""Characters of an expression: some half a million terms take seconds to read, and more of them no model has."""
_SHOWN = 60

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<operator>\*\*|[<>=!]=|[-+*/^(),<>])""",
    re.VERBOSE,
)
_NAME = re.compile(r"[^\W\d]\w*")
_DERIVATIVE = re.compile(r"\s*(?:([^\W\d]\w*)\s*'|d\s*\(\s*([^\W\d]\w*)\s*\)\s*/\s*dt|d([^\W\d]\w*)\s*/\s*dt)\s*")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of an expression: `kind` is number, name or operator; `start` its place in the text."""

    kind: str
    text: str
    start: int


def variable_of(left: str) -> str:
    """Return the variable on the left of an equation, written as its name, as x' or as dx/dt.

    >>> variable_of("x'"), variable_of("dx/dt"), variable_of("x")
    ('x', 'x', 'x')
    """
    derivative = _DERIVATIVE.fullmatch(left)
    return (derivative[1] or derivative[2] or derivative[3]) if derivative else left


def is_name(text: str) -> bool:
    """Tell whether a text can be a name in an expression."""
    return _NAME.fullmatch(text) is not None


def suggest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'name'?" for a close match among the known names, or an empty string."""
    candidates = [name for name in known if len(name) <= _SHOWN]
    if len(candidates) > 10_000 or len(word) > _SHOWN:
        return ""
    close = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6 if len(word) > 3 else 0.5)
    if not close:
        close = [name for name in candidates if name.lower() == word.lower()][:1]
    return f"; did you mean '{close[0]}'?" if close else ""


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return "; the names are a, b" with the first few known names."""
    shown = [name for name in names if len(name) <= _SHOWN]
    return f"; the names are {', '.join(shown[:most])}{', ...' if len(shown) > most else ''}" if shown else ""


def tokenize(text: str) -> list[Token]:
    """Split an expression into words.

    Raises
    ------
    InputError
        If it holds a character that no expression has, or is too long.
    """
    if not isinstance(text, str):
        raise InputError(f"an expression must be text, not {type(text).__name__} ({shorten(repr(text))})")
    if len(text) > MAX_LENGTH:
        raise InputError(f"the expression has {len(text)} characters but at most {MAX_LENGTH} are read; name its parts")
    tokens = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InputError(message_at(text, position, bad_character(text[position])))
        position = match.end()
        kind = match.lastgroup or ""
        if kind == "number" and _NAME.match(text, position):
            word = shorten(text[match.start() : position + _SHOWN])
            advice = raised(text[position]) or " (write * to multiply)"
            problem = f"'{word}' is neither a number nor a name{advice}"
            raise InputError(message_at(text, match.start(), problem))
        if kind != "space":
            tokens.append(Token(kind, match.group(), match.start()))
    return tokens


def names_used(tokens: list[Token]) -> list[str]:
    """Return the names in a tokenized expression that are not called as functions, each once, in order."""
    found: dict[str, None] = {}
    for i, token in enumerate(tokens):
        called = i + 1 < len(tokens) and tokens[i + 1].text == "("
        if token.kind == "name" and not called:
            found[token.text] = None
    return list(found)


def shorten(text: str) -> str:
    """Return a text for a message: its beginning when it is long."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def message_at(text: str, position: int, problem: str) -> str:
    """Append the place and the surrounding text to a description of the problem."""
    line = text.count("\n", 0, position) + 1
    start = text.rfind("\n", 0, position) + 1
    column = position - start + 1
    end = text.find("\n", position)
    whole = text[start : len(text) if end < 0 else end]
    left = max(0, min(position - start - _SHOWN // 2, len(whole) - _SHOWN))
    shown = ("..." if left else "") + whole[left : left + _SHOWN] + ("..." if left + _SHOWN < len(whole) else "")
    place = f"line {line}, column {column}" if "\n" in text.strip() else f"column {column}"
    return f"{problem} (at {place} of '{shown}')"

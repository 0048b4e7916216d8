"""XPPAUT's formulas as formulas of ours: its own precedence, functions put in, names found whatever their case.

Powers and comparisons bind alike and group from the left, so 2^3^2 is 64 and x + 1 > 2 is x + (1 > 2); `&` binds like
a product, `|` like a sum, and a sign between product and power. What XPPAUT itself refuses is refused (2*-3, +x, 2x).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bifrncrn.base.errors import InputError
from bifrncrn.models.expressions import parse_number

MAX_DEPTH = 60
"""Parentheses and functions in one another; more is no model's formula, and would exhaust Python's stack."""
MAX_LENGTH = 200_000
"""Characters of a formula with its functions put in."""
MOST_TERMS = 10_000
"""Terms of a sum over an index."""
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*'?)|(?P<op>\*\*|[<>=!]=|[-+*/^<>&|(),]))"
)
_SUM, _PRODUCT, _POWER = 1, 2, 3
_PRECEDENCE = {
    **dict.fromkeys("+-|", _SUM),
    **dict.fromkeys("*/&", _PRODUCT),
    **dict.fromkeys(("^", "**", "<", ">", "<=", ">=", "==", "!="), _POWER),
}
_WORDS = {"^": "**", "&": "and", "|": "or"}
_ATOM = 4
UNSUPPORTED = {
    **dict.fromkeys(("ran", "normal", "poisson", "rand"), "random numbers"),
    **dict.fromkeys(("delay", "del_shft"), "a delay"),
    "ishift": "shifts within arrays of integers",
    "hom_bcs": "boundary conditions",
}
_SAME = (
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"),
    *("exp", "log", "log10", "sqrt", "abs", "sign", "erf", "ceil"),
)
ONE_ARGUMENT = {
    **{name: name + "({0})" for name in _SAME},
    "ln": "log({0})",
    "heav": "piecewise(1, {0} >= 0, 0)",
    "flr": "floor({0})",
    "erfc": "(1 - erf({0}))",
    "not": "({0} == 0)",
}
TWO_ARGUMENTS = {
    "atan2": "atan2({0}, {1})",
    "max": "max({0}, {1})",
    "min": "min({0}, {1})",
    "besselj": "besselj({0}, {1})",
}
RESERVED = {*ONE_ARGUMENT, *TWO_ARGUMENTS, *UNSUPPORTED, "mod", "if", "then", "else", "sum", "of", "shift", "pi"}


@dataclass(frozen=True)
class Function:
    """A function of the file: its arguments, lower case, and its text."""

    arguments: tuple[str, ...]
    text: str


@dataclass
class Scope:
    """What the names of a file mean.

    Attributes
    ----------
    names : dict
        The spelling of every quantity by its name in lower case.
    functions : dict
        By lower-case name.
    shifts : list of tuples
        Names in the order that `shift` counts in: the variables, and the fixed quantities.
    unknown : dict
        What is said of names that mean something else, by lower-case name.
    """

    names: dict[str, str]
    functions: dict[str, Function]
    shifts: list[tuple[str, ...]] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A piece of a translated formula, and how tightly it holds together."""

    text: str
    level: int

    def inside(self, level: int) -> str:
        """Return the text, in parentheses unless it holds together tightly enough."""
        return self.text if self.level >= level else f"({self.text})"


def translate(text: str, scope: Scope) -> str:
    """Return a formula of XPPAUT in our language.

    Raises
    ------
    InputError
        Where XPPAUT would refuse it, or the meaning is not one of ours.
    """
    if len(text) > MAX_LENGTH:
        raise InputError(f"a formula of {len(text)} characters, of which at most {MAX_LENGTH} are read; name its parts")
    return _Reader(text, scope, {}, 0).whole().text


class _Reader:
    """Reads one formula; `given` are the meanings of the arguments of the function it belongs to."""

    def __init__(self, text: str, scope: Scope, given: Mapping[str, Part], depth: int) -> None:
        self.text = text
        self.scope = scope
        self.given = given
        self.depth = depth
        self.tokens = _tokens(text)
        self.place = 0

    def whole(self) -> Part:
        part = self._expression()
        if self.place < len(self.tokens):
            word = self.tokens[self.place]
            raise self._error(
                "the parentheses do not match" if word == ")" else f"an operator is missing before '{word}'"
            )
        return part

    # -- words --------------------------------------------------------------------------------------------------

    def _error(self, problem: str) -> InputError:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return InputError(f"{problem} in '{shown.strip()}'")

    def _peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def _next(self) -> str:
        word = self._peek()
        self.place += 1
        return word

    def _expect(self, word: str) -> None:
        found = self._next()
        if found.lower() != word:
            if word == ")" and not found:
                raise self._error("the parentheses do not match")
            raise self._error(f"'{word}' is expected, not '{found}'" if found else f"'{word}' is missing at the end")

    # -- grammar ------------------------------------------------------------------------------------------------

    def _expression(self) -> Part:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(f"formulas and functions are nested more than {MAX_DEPTH} deep")
        if self._peek() == "-":
            self._refuse_not(self._next())
            left = Part("-" + self._binary(self._factor(), _POWER).inside(_PRODUCT), _SUM)
        else:
            left = self._factor()
        part = self._binary(left, _SUM)
        self.depth -= 1
        self._check_length(len(part.text))
        return part

    def _check_length(self, length: int) -> None:
        if length > MAX_LENGTH:
            raise self._error(f"the formula with its functions put in is longer than {MAX_LENGTH} characters")

    def _binary(self, left: Part, least: int) -> Part:
        while _PRECEDENCE.get(self._peek(), 0) >= least:
            symbol = self._next()
            if self._peek() in ("-", "+"):
                raise self._error(f"the operator {symbol} is followed by a sign, put what follows in parentheses:")
            level = _PRECEDENCE[symbol]
            if level > _SUM:
                self._refuse_not(symbol)
            left = _joined(symbol, left, self._binary(self._factor(), level + 1))
        return left

    def _refuse_not(self, symbol: str) -> None:
        """Refuse `2*not(a)`: XPPAUT's engine takes it for not(a) of something else."""
        if self._peek().lower() == "not" and "not" not in self.scope.functions:
            raise self._error(f"XPPAUT misreads not() behind {symbol}; put it in parentheses of its own,")

    def _factor(self) -> Part:
        word = self._next()
        if word == "(":
            part = self._expression()
            self._expect(")")
            return part
        if not word:
            raise self._error("the formula ends where a value is expected")
        if word[0].isdigit() or word[0] == ".":
            return Part(word, _ATOM)
        if not (word[0].isalpha() or word[0] == "_"):
            raise self._error(f"a value is expected before '{word}'")
        return self._name(word)

    def _name(self, word: str) -> Part:
        name = word.lower()
        if name in self.given and self._peek() != "(":
            return self.given[name]
        if name in self.scope.names and self._peek() != "(":
            return Part(self.scope.names[name], _ATOM)
        if name == "pi":
            return Part("pi", _ATOM)
        if name == "if":
            return self._choice()
        if name == "sum":
            return self._sum()
        if name in UNSUPPORTED and name not in self.scope.functions:
            raise self._error(f"{name}() is not supported, {UNSUPPORTED[name]},")
        if self._peek() != "(":
            meaning = self.scope.unknown.get(name, f"unknown name '{word}'")
            raise self._error(f"{meaning},")
        arguments = self._arguments()
        if name == "shift":
            return self._shift(arguments)
        return self._call(name, arguments)

    def _arguments(self) -> list[Part]:
        self._expect("(")
        found = [self._expression()]
        while self._peek() == ",":
            self._next()
            found.append(self._expression())
        self._expect(")")
        return found

    def _call(self, name: str, arguments: list[Part]) -> Part:
        function = self.scope.functions.get(name)
        if function is not None:
            self._count(name, arguments, len(function.arguments))
            given = dict(zip(function.arguments, arguments, strict=True))
            return _Reader(function.text, self.scope, given, self.depth).whole()
        texts = [argument.inside(_SUM) for argument in arguments]
        if name in ONE_ARGUMENT:
            self._count(name, arguments, 1)
            tight = arguments[0].inside(_ATOM) if name in ("heav", "not") else texts[0]
            return Part(ONE_ARGUMENT[name].format(tight), _ATOM)
        if name in TWO_ARGUMENTS:
            self._count(name, arguments, 2)
            return Part(TWO_ARGUMENTS[name].format(*texts), _ATOM)
        if name == "mod":
            self._count(name, arguments, 2)
            return Part(_remainder(*(argument.inside(_ATOM) for argument in arguments)), _ATOM)
        raise self._error(f"unknown function '{name}'")

    def _count(self, name: str, arguments: list[Part], count: int) -> None:
        if len(arguments) != count:
            raise self._error(f"{name} takes {count} argument{'s' if count > 1 else ''}, not {len(arguments)},")

    def _choice(self) -> Part:
        parts = []
        for word in ("", "then", "else"):
            if word:
                self._expect(word)
            self._expect("(")
            parts.append(self._expression().text)
            self._expect(")")
        return Part(f"if({', '.join(parts)})", _ATOM)

    def _sum(self) -> Part:
        """Read sum(a, b)of(formula of i')."""
        first, last = (self._whole_number(part) for part in self._arguments())
        if last - first >= MOST_TERMS:
            raise self._error(f"a sum of more than {MOST_TERMS} terms")
        self._expect("of")
        start, length = self.place, 0
        terms: list[str] = []
        for i in range(first, last + 1):
            length += len(terms[-1]) if terms else 0
            self._check_length(length)
            self.place = start
            inner, self.given = self.given, {**self.given, "i'": Part(str(i) if i >= 0 else f"(-{-i})", _ATOM)}
            self._expect("(")
            terms.append(self._expression().inside(_PRODUCT))
            self._expect(")")
            self.given = inner
        if not terms:
            raise self._error("a sum over nothing")
        return Part(" + ".join(terms), _SUM)

    def _whole_number(self, part: Part) -> int:
        try:
            number = parse_number(part.text, "it")
        except InputError:
            number = math.nan
        if not number.is_integer():
            raise self._error(f"'{part.text[:20]}' must be a whole number")
        return int(number)

    def _shift(self, arguments: list[Part]) -> Part:
        """Return the quantity that stands so many places after another one."""
        self._count("shift", arguments, 2)
        by = self._whole_number(arguments[1])
        for order in self.scope.shifts:
            if arguments[0].text in order:
                place = order.index(arguments[0].text) + by
                if 0 <= place < len(order):
                    return Part(order[place], _ATOM)
        raise self._error(f"shift by {by} from '{arguments[0].text[:20]}' leads to no quantity")


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            character = text[place:].lstrip()[0]
            raise InputError(f"the character '{character}' has no meaning in '{text.strip()[:60]}'")
        found.append(match.group().strip())
        place = match.end()
    return found


def _joined(symbol: str, left: Part, right: Part) -> Part:
    word, level = _WORDS.get(symbol, symbol), _PRECEDENCE[symbol]
    if symbol in ("&", "|") or symbol in ("<", ">", "<=", ">=", "==", "!="):
        return Part(f"({left.inside(_ATOM)} {word} {right.inside(_ATOM)})", _ATOM)
    if level == _POWER:
        return Part(f"{left.inside(_ATOM)}**{right.inside(_ATOM)}", _POWER)
    return Part(f"{left.inside(level)} {word} {right.inside(level + 1)}", level)


def _remainder(a: str, b: str) -> str:
    """Return XPPAUT's mod: C's fmod, and the divisor added where that is negative."""
    if re.fullmatch(r"[\d.]+", b):
        return f"mod({a}, {b})"
    whole = f"if({a}/{b} >= 0, floor({a}/{b}), ceil({a}/{b}))"
    rest = f"({a} - {b}*{whole})"
    return f"if({rest} >= 0, {rest}, {rest} + {b})"

"""The parser of the command line, the kinds of words it reads, and options that several commands have."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from typing import Any, NoReturn, TypeAlias

from bifrncrn.base.errors import InputError

MODEL_HELP = (
    "a model file (.toml, .ode), a network (.json, .mat), reactions (.txt, .xml, .ant) or the name of a library system"
)
NAMES = "a=1,b=2"
SHIELD = "\0"
"""Put before a word that begins like a number, so that argparse does not read it as an option; no argument holds it."""


class Parser(argparse.ArgumentParser):
    """A parser that raises InputError, so that every bad input ends alike."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError."""
        raise InputError(f"{message.replace(SHIELD, '')}{_meant(self, message)}; see {self.prog} --help")

    def parse_known_args(self, args=None, namespace=None):
        """Parse the words given, those that begin like a number shielded; a command's parser is given them bare."""
        return super().parse_known_args([_shield(word) for word in args], namespace)

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        return super()._get_value(action, arg_string.removeprefix(SHIELD))


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def _meant(parser: argparse.ArgumentParser, message: str) -> str:
    """Return the option that is meant by an unknown one, as the end of the message that refuses it."""
    unknown = re.match(r"unrecognized arguments: (?:.* )?(--[\w-]+)", message)
    if unknown is None or parser._subparsers is None:
        return ""
    from difflib import get_close_matches

    commands: dict[str, argparse.ArgumentParser] = parser._subparsers._group_actions[0].choices  # type: ignore[assignment]
    known = {word for each in (parser, *commands.values()) for word in each._option_string_actions}
    close = get_close_matches(unknown[1], sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def command(commands: Commands, name: str, text: str, more: str = "", examples: Sequence[str] = ()):  # type: ignore[no-untyped-def]
    """Add a command and return its `add_argument`."""
    description = text[0].upper() + text[1:] + ". " + more
    epilog = "examples:\n" + "\n".join(f"  bifrncrn {name} {words}" for words in examples) if examples else None
    return commands.add_parser(
        name, help=text, description=description, epilog=epilog, allow_abbrev=False, formatter_class=_Formatter
    ).add_argument


class _Formatter(argparse.HelpFormatter):
    """Help as usual, but for the examples, which keep their lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)


def add_tracing(add, required: bool = True, engine: bool = True) -> None:  # type: ignore[no-untyped-def]
    """Add the options of what follows branches."""
    add("--parameter", metavar="NAME", help="the continuation parameter")
    add("--range", nargs=2, type=number, required=required, metavar=("LO", "HI"), help="its range")
    add("--start", type=assignments, action="append", metavar=NAMES, help="states and parameters to start from")
    if engine:
        add("--box", type=boxes, action="append", metavar="a=0:1,b=2:3", help="region of the states")
        add("--engine", choices=("native", "pycont"), default="native", help="what does the marching (default native)")


def add_output(add, schema: str, show: bool = False, plot: bool = True) -> None:  # type: ignore[no-untyped-def]
    """Add the options of what is written."""
    add(
        "--json",
        metavar="FILE",
        help=f"write {schema} as JSON; - is standard output, then nothing else is printed there",
    )
    if plot:
        add("--plot", metavar="FILE", help="draw a picture: .png, .pdf or .svg")
    if show:
        add(
            "--show",
            action="append",
            metavar="WHAT",
            help="what is on the picture's vertical axis: a state, 'max x', 'min x', norm or period; again for another "
            "panel (default the first state)",
        )


def add_report(add) -> None:  # type: ignore[no-untyped-def]
    """Add the option of a page."""
    add("--report", metavar="FILE.html", help="write a page with pictures to click, tables and equations")


def number(text: str) -> float:
    """Read a finite number or a fraction of two.

    >>> number("-1e-3"), number("8/4")
    (-0.001, 2.0)
    """
    above, slash, below = text.partition("/")
    try:
        value = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text.strip()!r} is no number; write one like 0.5, -1e-3 or 8/3") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text.strip()!r} is not finite; give a finite number")
    return value


def assignments(text: str) -> dict[str, float]:
    """Read `a=1,b=2`.

    >>> assignments("a=1,b=-8/4")
    {'a': 1.0, 'b': -2.0}
    """
    return {name: number(value) for name, value in _pairs(text, "a=1,b=2")}


def boxes(text: str) -> dict[str, tuple[float, float]]:
    """Read `a=0:1,b=2:3`.

    >>> boxes("a=0:1,b=-2:3")
    {'a': (0.0, 1.0), 'b': (-2.0, 3.0)}
    """
    out = {}
    for name, side in _pairs(text, "a=0:1,b=2:3"):
        low, colon, high = side.partition(":")
        if not colon:
            raise argparse.ArgumentTypeError(f"{name}={side} is no interval; write it like {name}=0:1")
        out[name] = number(low), number(high)
        if not out[name][0] < out[name][1]:
            raise argparse.ArgumentTypeError(f"the interval {name}={side} is empty; give the lower end first")
    return out


def _pairs(text: str, example: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for item in text.split(","):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not (name and equals and value):
            raise argparse.ArgumentTypeError(f"{item.strip()!r} is not of the form {example}")
        if name in dict(pairs):
            raise argparse.ArgumentTypeError(f"{name} is given twice; give it once")
        pairs.append((name, value))
    return pairs


def positive_integer(text: str) -> int:
    """Read a whole number of at least 1."""
    return _integer(text, 1)


def natural(text: str) -> int:
    """Read a whole number of at least 0."""
    return _integer(text, 0)


def _integer(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least or value > 2**31:
        raise argparse.ArgumentTypeError(f"{text.strip()!r} is no whole number of at least {least} (at most 2**31)")
    return value


def _shield(word: str) -> str:
    """Keep -1e-3, -8/3 or a file -1.json from being read as an option."""
    if word[:1] != "-" or word.startswith("--"):
        return word
    head = word[1:2]
    return SHIELD + word if head.isdigit() or head == "." or word[1:].lower() in ("inf", "infinity", "nan") else word

"""`bifrncrn list`."""

from __future__ import annotations

import textwrap
from argparse import Namespace
from collections.abc import Callable

from bifrncrn.cli.parser import Commands, command
from bifrncrn.cli.shared import OK, report

WIDTH = 80


def add(commands: Commands) -> None:
    """Add the command."""
    command(commands, "list", "list the systems and targets that are shipped, the file formats and the functions")


def run(options: Namespace) -> int:
    """List what there is."""
    from bifrncrn import library
    from bifrncrn.compile.functions import FUNCTIONS
    from bifrncrn.library.controlled import CLASSIFIERS, CONTROLLED
    from bifrncrn.library.formats import SUFFIXES

    lines = ["systems, for diagram, simulate, portrait, bench:"]
    lines += [_line(name) for name in library.names("textbook")]
    lines += ["", "targets, for train and compare:"]
    lines += [_line(name) for name in library.names("target")]
    lines += ["", "classifiers and controlled networks, for train:"]
    lines += [_described(name, maker) for name, maker in CLASSIFIERS.items()]
    lines += [_described(name, getattr(library, name)) for name in CONTROLLED]
    lines += ["", "files:", *(f"  {suffix:22s} {what}" for suffix, what in SUFFIXES.items())]
    functions = " ".join(sorted(name for name in FUNCTIONS if name.isidentifier() and not name.startswith("rncrn")))
    lines += ["", "functions in equations:"]
    lines.append(textwrap.fill(functions, WIDTH, initial_indent="  ", subsequent_indent="  "))
    lines.append("  piecewise(value, condition, ..., otherwise) if(condition, a, b)")
    report("\n".join(lines), None, None)
    return OK


def _line(name: str) -> str:
    from bifrncrn import library

    found = library.get(name)
    title = getattr(found, "title", "") or getattr(getattr(found, "system", None), "title", "")
    return _entry(name, title)


def _described(name: str, maker: Callable[..., object]) -> str:
    text = (maker.__doc__ or "").splitlines()[0].removeprefix("Return ")
    return _entry(name, text)


def _entry(name: str, text: str) -> str:
    """Return a name and what it is about, in lines of the usual width."""
    return textwrap.fill(f"  {name:22s} {text}", WIDTH, subsequent_indent=" " * 25, drop_whitespace=True).rstrip()

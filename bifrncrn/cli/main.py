"""The command line: parse, call, report. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

from bifrncrn.base.errors import ContinuationWarning, ConvergenceError, InputError
from bifrncrn.base.tables import printable
from bifrncrn.cli.parser import Parser
from bifrncrn.cli.stopping import INTERRUPTED, TERMINATED, Terminated, stopping

OK, FINDING, BAD_INPUT, BROKEN_PIPE = 0, 1, 2, 141

COMMANDS = (
    "diagram",
    "train",
    "compare",
    "prove",
    "simulate",
    "portrait",
    "convert",
    "bench",
    "demo",
    "reproduce",
    "list",
)
GREETING = """\
bifrncrn: bifurcation diagrams of differential equations and reaction networks

  bifrncrn diagram ab_reaction --parameter D --range 0 0.16 --orbits
  bifrncrn demo              a trained network against its target, in seconds
  bifrncrn list              the systems and targets shipped, formats, functions
  bifrncrn COMMAND --help    of one of the commands
                             {commands}

A model of your own is a text file; to begin with one, write
  bifrncrn convert ab_reaction my.toml
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    int
        0 success, 1 a finding, 2 bad input (one line on stderr), 130 interrupted, 141 nobody reads the output, 143
        terminated.
    """
    _tolerate_characters()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with warnings.catch_warnings(), stopping():
            warnings.simplefilter("always", ContinuationWarning)
            warnings.showwarning = _show_warning
            code = _run(arguments)
        sys.stdout.flush()
        return code
    except (InputError, ConvergenceError) as error:
        return _fail(str(error))
    except BrokenPipeError:
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        return _fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    except MemoryError:
        return _fail("this needs more memory than there is; ask for less, for instance fewer samples or points")
    except KeyboardInterrupt as stopped:
        kept = str(stopped) or "nothing was written"
        line = "\n" if sys.stderr.isatty() else ""  # after the ^C that the terminal shows
        sys.stderr.write(f"{line}bifrncrn: stopped; {printable(kept)}\n")
        return TERMINATED if isinstance(stopped, Terminated) else INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="bifrncrn",
        allow_abbrev=False,
        description="Train chemical reaction networks, trace bifurcation diagrams, compare them with their targets.",
        epilog="Exit codes: 0 success, 1 a finding (see compare and prove), 2 bad input. Try: bifrncrn demo",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name in COMMANDS:
        _module(name).add(commands)
    return parser


def _module(command: str) -> Any:
    return importlib.import_module(f"bifrncrn.cli.commands.{command}")


def _run(arguments: list[str]) -> int:
    if any("\0" in word for word in arguments):
        raise InputError("an argument holds a null character; leave it out")
    options = build_parser().parse_args(arguments)
    if options.version:
        sys.stdout.write(f"bifrncrn {_version()}\n")
        return OK
    if options.command is None:
        sys.stdout.write(GREETING.format(commands=textwrap.fill(", ".join(COMMANDS), 50, subsequent_indent=" " * 29)))
        return OK
    return int(_module(options.command).run(options))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bifrncrn")
    except PackageNotFoundError:
        return "(not installed)"


def _fail(message: str) -> int:
    sys.stderr.write(f"bifrncrn: error: {printable(' '.join(message.split()))}\n")
    return BAD_INPUT


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    sys.stderr.write(f"bifrncrn: warning: {printable(' '.join(str(message).split()))}\n")


def _tolerate_characters() -> None:
    """Let a terminal that lacks a character show an escape for it instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

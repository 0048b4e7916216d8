"""The command line: parse, call, report. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from bifrncrn.base.errors import ContinuationWarning, ConvergenceError, InputError
from bifrncrn.base.tables import printable

OK, FINDING, BAD_INPUT, INTERRUPTED, BROKEN_PIPE, TERMINATED = 0, 1, 2, 130, 141, 143

MODEL_HELP = (
    "a model file (.toml, .ode), a network (.json, .mat), reactions (.txt, .xml, .ant) or the name of a library system"
)
NAMES = "a=1,b=2"
SHIELD = "\0"
"""Put before a word that begins like a number, so that argparse does not read it as an option; no argument holds it."""


class _Parser(argparse.ArgumentParser):
    """A parser that raises InputError, so that every bad input ends alike."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message.replace(SHIELD, '')}{_meant(self, message)}; see {self.prog} --help")

    def parse_known_args(self, args=None, namespace=None):
        """Parse the words given, those that begin like a number shielded; a command's parser is given them bare."""
        return super().parse_known_args([_shield(word) for word in args], namespace)

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        return super()._get_value(action, arg_string.removeprefix(SHIELD))


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
        with warnings.catch_warnings(), _terminating():
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
        sys.stderr.write(f"\nbifrncrn: stopped; {printable(kept)}\n")
        return TERMINATED if isinstance(stopped, _Terminated) else INTERRUPTED


class _Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM): what was begun is put away as after an interrupt from the keyboard."""


@contextlib.contextmanager
def _terminating() -> Iterator[None]:
    """Let SIGTERM raise `_Terminated`, so that workers are ended and no temporary file stays."""
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> NoReturn:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="bifrncrn",
        allow_abbrev=False,
        description="Train chemical reaction networks, trace bifurcation diagrams, compare them with their targets.",
        epilog="Exit codes: 0 success, 1 a finding (see compare and prove), 2 bad input. Try: bifrncrn demo",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _add_diagram(commands)
    _add_train(commands)
    _add_compare(commands)
    _add_prove(commands)
    _add_bench(commands)
    _add_convert(commands)
    _add_demo(commands)
    return parser


def _run(arguments: list[str]) -> int:
    if any("\0" in word for word in arguments):
        raise InputError("an argument holds a null character; leave it out")
    options = build_parser().parse_args(arguments)
    if options.version:
        sys.stdout.write(f"bifrncrn {_version()}\n")
        return OK
    if options.command is None:
        raise InputError(
            "no command given; give one of diagram, train, compare, prove, bench, convert, demo, or --help"
        )
    from bifrncrn.cli import commands

    return int(getattr(commands, f"run_{options.command}")(options))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bifrncrn")
    except PackageNotFoundError:
        return "(not installed)"


def _add_diagram(commands: argparse._SubParsersAction[_Parser]) -> None:
    add = _command(commands, "diagram", "trace the branches of equilibria and their special points")
    add("model", metavar="MODEL", help=MODEL_HELP)
    _add_tracing(add)
    add("--set", type=assignments, action="append", metavar=NAMES, help="values of other parameters")
    add("--all", action="store_true", help="also find branches that are not connected to the start, inside --box")
    add("--event", action="append", metavar="EQUATION", help="mark the points where it holds as UZ, like 'u1 = 0.5'")
    add("--walls", type=boxes, action="append", metavar="a=0:1,b=2:3", help="bounds of states at which branches end")
    add("--stop", action="append", metavar="LABELS", help="end a branch at its first LP, BP, HB or UZ; like LP,HB")
    add("--max-points", type=_positive_integer, metavar="N", help="end a branch after so many points in one direction")
    add("--extend", metavar="OLD.json", help="go on with this saved diagram of MODEL, in the wider --range")
    add("--orbits", action="store_true", help="also follow the periodic orbits that leave every HB")
    add(
        "--doublings",
        type=_positive_integer,
        metavar="N",
        help="with --orbits: follow the doubled orbits at PD, N times over",
    )
    add("--cycle", action="store_true", help="settle to a cycle from the start and follow it")
    add("--second", metavar="PARAMETER", help="follow every LP and HB in a second parameter as well")
    add("--second-range", nargs=2, type=number, metavar=("LO", "HI"), help="range of the second parameter")
    add("--mu", type=number, help="analyse the full network at this ratio of time-scales")
    add("--no-stability", action="store_true", help="compute no eigenvalues: faster for large systems, finds no HB")
    _add_output(add, "bifrncrn.diagram/1", show=True)


def _add_train(commands: argparse._SubParsersAction[_Parser]) -> None:
    add = _command(
        commands,
        "train",
        "train a network on a target",
        "The best network is written, and exit code 0 is given, also when it misses the target; the report says so.",
    )
    add("target", metavar="TARGET", help="the name of a library target, or a model file with [training]")
    add("--perceptrons", type=_positive_integer, metavar="N", help="number of perceptrons (default: the target's own)")
    add("--seeds", type=_positive_integer, default=10, metavar="K", help="number of starts (default 10)")
    add("--seed", type=_natural, default=0, metavar="S", help="seed of the first start (default 0)")
    add("--loss", choices=("field", "relative"), help="what is made small (default: the target's own)")
    add("--ridge", type=number, help="penalty on large rates (default: follows the loss down)")
    add("--rate-bound", type=number, metavar="B", help="no alpha, omega, psi, theta or beta is larger in size")
    add("--samples", type=_positive_integer, metavar="N", help="samples a side of a grid, or altogether by --method")
    add("--method", choices=("grid", "sobol", "lhs"), default="grid", help="how boxes are sampled (default grid)")
    add("--evaluations", type=_positive_integer, default=400, metavar="N", help="limit of a descent (default 400)")
    add("--seconds", type=number, metavar="T", help="time limit of each start; it ends with the best it has")
    add("--jobs", type=_positive_integer, metavar="N", help="processes (default: all cores); changes no result")
    add("--no-refine", action="store_true", help="leave special points where the fit put them")
    add("--checkpoints", metavar="DIR", help="keep finished starts in this folder, and take them from there")
    add("--out", metavar="NET.json", help="write the network here")
    _add_output(add, "the training record", plot=False)


def _add_compare(commands: argparse._SubParsersAction[_Parser]) -> None:
    add = _command(
        commands,
        "compare",
        "compare the behaviour of a network with its target's, or any two systems",
        "Compared are special points, the number and stability of equilibria and cycles all over the range, and the "
        "cycles' periods, extents and shapes. Exit code 1 when something differs by more than the tolerances, or could "
        "not be judged; a sentence says each. Points outside the target's box that have no partner are listed, not "
        "judged.",
    )
    add("target", metavar="TARGET", help=MODEL_HELP)
    add("network", metavar="NETWORK", help=MODEL_HELP)
    _add_tracing(add, required=False)
    add("--mu", type=number, help="analyse the full network at this ratio of time-scales")
    add(
        "--tolerance",
        type=number,
        default=0.05,
        help="how far a special point may be off, relative to the width of the range (default %(default)s)",
    )
    add(
        "--shape-tolerance",
        type=number,
        default=0.1,
        help="how much all else may differ, relatively: frequencies, periods, extents, shapes (default %(default)s)",
    )
    _add_output(add, "bifrncrn.comparison/1", show=True)


def _add_prove(commands: argparse._SubParsersAction[_Parser]) -> None:
    add = _command(
        commands,
        "prove",
        "prove which equilibria, folds and Hopf points there are in a box",
        "Of models of up to three states; by interval arithmetic, so that no rounding error can make it wrong. Exit "
        "code 1 when something is left undecided; what it is, is listed.",
    )
    add("model", metavar="MODEL", help=MODEL_HELP)
    add("--parameter", metavar="NAME", help="the parameter that varies")
    add("--range", nargs=2, type=number, metavar=("LO", "HI"), help="its range (default: the target's)")
    add("--box", type=boxes, action="append", metavar="a=0:1,b=2:3", help="region of the states, all of them")
    add("--set", type=assignments, action="append", metavar=NAMES, help="values of other parameters")
    add("--spread", type=number, default=0.0, metavar="S", help="hold for other parameters within this fraction, too")
    add("--seconds", type=number, default=120.0, metavar="T", help="leave undecided what takes longer (default 120)")
    _add_output(add, "bifrncrn.proof/1", plot=False)


def _add_bench(commands: argparse._SubParsersAction[_Parser]) -> None:
    add = _command(
        commands,
        "bench",
        "measure the speed of each engine on a model",
        "Engines: native, pycont, and xpplab, jaxcont and AUTO-07p where installed; each in a process of its own.",
    )
    add("model", metavar="MODEL", help=MODEL_HELP)
    _add_tracing(add, engine=False)
    add("--set", type=assignments, action="append", metavar=NAMES, help="values of other parameters")
    add("--mu", type=number, help="analyse the full network at this ratio of time-scales")
    add(
        "--repeat",
        type=_positive_integer,
        default=5,
        metavar="N",
        help="the least number of warm runs, of which the median counts (default 5)",
    )
    _add_output(add, "the measurements")


def _add_convert(commands: argparse._SubParsersAction[_Parser]) -> None:
    add = _command(
        commands,
        "convert",
        "convert between network JSON, .mat, reaction text, SBML, Antimony and model files",
        "The suffixes say the formats: .json, .mat, .txt, .xml, .ant, .toml, .ode, and .f90 for AUTO. "
        "IN may also be a library name.",
    )
    add("source", metavar="IN", help="the file to read")
    add("destination", metavar="OUT", help="the file to write")
    add("--mu", type=number, help="the ratio of time-scales, where the written format needs one")
    add("--force", action="store_true", help="overwrite OUT also where it is a file of something else")
    add("--layout", type=int, choices=(1, 2, 3), help="of a .mat file: 1 or 2 for a network, 3 for a classifier")


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    add = _command(
        commands, "demo", "compare a network that is shipped with its target: figures and a table, in seconds"
    )
    add("--out", default="bifrncrn-demo", metavar="DIR", help="folder of the files written (default %(default)s)")
    _add_output(add, "bifrncrn.comparison/1", plot=False)


def _command(commands: argparse._SubParsersAction[_Parser], name: str, text: str, more: str = ""):  # type: ignore[no-untyped-def]
    """Add a command and return its `add_argument`."""
    description = text[0].upper() + text[1:] + ". " + more
    return commands.add_parser(name, help=text, description=description, allow_abbrev=False).add_argument


def _add_tracing(add, required: bool = True, engine: bool = True) -> None:  # type: ignore[no-untyped-def]
    add("--parameter", metavar="NAME", help="the continuation parameter")
    add("--range", nargs=2, type=number, required=required, metavar=("LO", "HI"), help="its range")
    add("--start", type=assignments, action="append", metavar=NAMES, help="states and parameters to start from")
    if engine:
        add("--box", type=boxes, action="append", metavar="a=0:1,b=2:3", help="region of the states")
        add("--engine", choices=("native", "pycont"), default="native", help="what does the marching (default native)")


def _add_output(add, schema: str, show: bool = False, plot: bool = True) -> None:  # type: ignore[no-untyped-def]
    add(
        "--json",
        metavar="FILE",
        help=f"write {schema} as JSON; - is standard output, then nothing else is printed there",
    )
    if plot:
        add("--plot", metavar="FILE", help="draw a picture: .png, .pdf or .svg")
    if show:
        add("--show", metavar="STATE", help="the state on the picture's vertical axis (default the first)")


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


def _positive_integer(text: str) -> int:
    return _integer(text, 1)


def _natural(text: str) -> int:
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

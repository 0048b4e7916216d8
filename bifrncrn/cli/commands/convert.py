"""`bifrncrn convert`."""

from __future__ import annotations

from argparse import Namespace

from bifrncrn.cli.parser import Commands, command, number
from bifrncrn.cli.shared import OK, check_outputs, report


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "convert",
        "convert between network JSON, .mat, reaction text, SBML, Antimony and model files",
        "The suffixes say the formats: .json, .mat, .txt, .xml, .ant, .toml, .ode, and .f90 for AUTO. "
        "IN may also be a library name.",
    )
    option("source", metavar="IN", help="the file to read")
    option("destination", metavar="OUT", help="the file to write")
    option("--mu", type=number, help="the ratio of time-scales, where the written format needs one")
    option("--force", action="store_true", help="overwrite OUT also where it is a file of something else")
    option("--layout", type=int, choices=(1, 2, 3), help="of a .mat file: 1 or 2 for a network, 3 for a classifier")


def run(options: Namespace) -> int:
    """Convert a file."""
    from bifrncrn.library.formats import convert

    check_outputs(None, None, options.destination)
    convert(options.source, options.destination, mu=options.mu, layout=options.layout, force=options.force)
    report("", None, None, options.destination)
    return OK

"""`bifrncrn reproduce`."""

from __future__ import annotations

from argparse import Namespace

from bifrncrn.cli.parser import Commands, add_output, command
from bifrncrn.cli.shared import FINDING, OK, check_outputs, report


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "reproduce",
        "the problems of the papers: shipped networks checked by numpy and scipy alone, one table and a figure each",
        "Exit code 1 says that a check does not hold. What is finished in the folder is not done again.",
        examples=("hopf homoclinic", "--out papers", "circle --train"),
    )
    option("names", nargs="*", metavar="NAME", help="problems (default: all)")
    option(
        "--out", default="bifrncrn-reproduced", metavar="DIR", help="folder of what is written (default %(default)s)"
    )
    option("--train", action="store_true", help="train the networks anew, ten starts each")
    add_output(option, "bifrncrn.reproduction/1", plot=False)


def run(options: Namespace) -> int:
    """Look at the problems."""
    from bifrncrn.library.reproduction.reproduce import reproduce

    check_outputs(options.json, None)
    found = reproduce(options.names, options.out, train=options.train)
    written = [*found.figures.values(), f"{options.out}/table.md"]
    text = "\n".join([str(found), "", *(f"wrote {path}" for path in written)])
    report(text, found.to_json(), options.json)
    return OK if all(row.holds for row in found.rows) else FINDING

"""`bifrncrn demo`."""

from __future__ import annotations

from argparse import Namespace

from bifrncrn.cli.parser import Commands, add_output, command
from bifrncrn.cli.shared import OK, check_outputs, report


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands, "demo", "compare a network that is shipped with its target: figures and a table, in seconds"
    )
    option("--out", default="bifrncrn-demo", metavar="DIR", help="folder of the files written (default %(default)s)")
    add_output(option, "bifrncrn.comparison/1", plot=False)


def run(options: Namespace) -> int:
    """Compare the shipped network with its target."""
    from bifrncrn.cli.demo import demo

    check_outputs(options.json, None)
    comparison, proof, written = demo(options.out)
    text = "\n".join([str(comparison), "", str(proof), "", *(f"wrote {path}" for path in written)])
    report(text, comparison.to_json() | {"proof": proof.to_json()}, options.json)
    return OK

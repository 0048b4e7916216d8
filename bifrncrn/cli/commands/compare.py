"""`bifrncrn compare`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from bifrncrn.base.errors import InputError
from bifrncrn.cli.parser import MODEL_HELP, Commands, add_output, add_report, add_tracing, command, number
from bifrncrn.cli.shared import (
    FINDING,
    OK,
    bounds_of,
    check_outputs,
    check_report,
    command_line,
    merged,
    reactions_of,
    report,
)

if TYPE_CHECKING:
    from bifrncrn.models.system import System
    from bifrncrn.training.targets.target import Target


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "compare",
        "compare the behaviour of a network with its target's, or any two systems",
        "Compared are special points, the number and stability of equilibria and cycles all over the range, and the "
        "cycles' periods, extents and shapes. Exit code 1 when something differs by more than the tolerances, or could "
        "not be judged; a sentence says each. Points outside the target's box that have no partner are listed, not "
        "judged.",
    )
    option("target", metavar="TARGET", help=MODEL_HELP)
    option("network", metavar="NETWORK", help=MODEL_HELP)
    add_tracing(option, required=False)
    option("--mu", type=number, help="analyse the full network at this ratio of time-scales")
    option(
        "--tolerance",
        type=number,
        default=0.05,
        help="how far a special point may be off, relative to the width of the range (default %(default)s)",
    )
    option(
        "--shape-tolerance",
        type=number,
        default=0.1,
        help="how much all else may differ, relatively: frequencies, periods, extents, shapes (default %(default)s)",
    )
    option(
        "--prove", action="store_true", help="also prove the reduced network's equilibria and special points in the box"
    )
    add_output(option, "bifrncrn.comparison/1", show=True)
    add_report(option)


def run(options: Namespace) -> int:
    """Compare a network with its target."""
    from bifrncrn.comparison.compare import compare

    check_outputs(options.json, options.plot, options.report)
    check_report(options.report)
    if options.prove and options.mu is not None:
        raise InputError("--prove is about the reduced network; leave --mu out, or --prove")
    target, network = side(options.target, None), side(options.network, options.mu)
    comparison = compare(
        target,
        network,
        parameter=options.parameter,
        bounds=bounds_of(options) if options.range else None,
        tolerance=options.tolerance,
        shape_tolerance=options.shape_tolerance,
        start=merged(options.start, "--start") or None,
        box=merged(options.box, "--box") or None,
        engine=options.engine,
        prove=options.prove,
    )
    if options.plot:
        from bifrncrn.plots.comparison import save_comparison

        save_comparison(comparison, options.plot, show=options.show[0] if options.show else None)
    if options.report:
        from bifrncrn.cli.page.write import save_report

        reactions = reactions_of(options.network, options.mu)
        save_report(comparison, options.report, reactions=reactions, command=command_line())
    report(str(comparison), comparison.to_json(), options.json, options.plot, options.report)
    proved = comparison.proof is None or comparison.proof.proved
    return OK if comparison.verdict and proved else FINDING


def side(word: str, mu: float | None) -> Target | System:
    """Return one side of a comparison: a target with its box where there is one, else a system."""
    from bifrncrn import library
    from bifrncrn.library.formats import load_model
    from bifrncrn.training.targets.table import target_from
    from bifrncrn.training.targets.target import Target

    if word in library.names("target"):
        found = library.get(word)
        if isinstance(found, Target) and found.system is not None:
            return found
    system = load_model(word, mu=mu)
    return target_from(system, name=Path(word).stem) if system.training else system

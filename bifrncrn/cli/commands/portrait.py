"""`bifrncrn portrait`."""

from __future__ import annotations

from argparse import Namespace

from bifrncrn.cli.parser import MODEL_HELP, NAMES, Commands, assignments, boxes, command, number
from bifrncrn.cli.shared import OK, check_outputs, merged, report, with_values


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "portrait",
        "draw the phase plane of a model of two states: field, nullclines, equilibria, separatrices, cycles",
        examples=("ab_reaction --set D=0.12 --box u1=0:1,u2=0:8 --plot plane.png",),
    )
    option("model", metavar="MODEL", help=MODEL_HELP)
    option("--set", type=assignments, action="append", metavar=NAMES, help="values of parameters")
    option("--start", type=assignments, action="append", metavar=NAMES, help="draw the trajectory from here as well")
    option("--box", type=boxes, action="append", metavar="a=0:1,b=2:3", help="what is shown (default: the attractors)")
    option("--mu", type=number, help="the full network at this ratio of time-scales")
    option("--plot", metavar="FILE", required=True, help="the picture: .png, .pdf or .svg")


def run(options: Namespace) -> int:
    """Draw a phase plane."""
    from bifrncrn.library.formats import load_model
    from bifrncrn.plots.plane import save_plane
    from bifrncrn.trajectories.portrait import portrait

    check_outputs(None, options.plot)
    system = with_values(load_model(options.model, mu=options.mu), options)
    start = merged(options.start, "--start")
    found = portrait(system, box=merged(options.box, "--box") or None, starts=[start] if start else ())
    save_plane(found, options.plot)
    report(str(found), None, None, options.plot)
    return OK

"""`bifrncrn simulate`."""

from __future__ import annotations

from argparse import Namespace

from bifrncrn.base.errors import InputError
from bifrncrn.cli.parser import MODEL_HELP, NAMES, Commands, assignments, command, number
from bifrncrn.cli.shared import OK, check_outputs, merged, report, with_values


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "simulate",
        "integrate a model in time",
        examples=(
            "ab_reaction --time 0 50 --set D=0.12 --plot run.png",
            "my.toml --time 100 --start x=2 --csv run.csv",
        ),
    )
    option("model", metavar="MODEL", help=MODEL_HELP)
    option("--time", nargs="+", type=number, required=True, metavar="T", help="the end, or the beginning and the end")
    option("--set", type=assignments, action="append", metavar=NAMES, help="values of parameters")
    option("--start", type=assignments, action="append", metavar=NAMES, help="start values of states")
    option("--mu", type=number, help="simulate the full network at this ratio of time-scales")
    option("--show", action="append", metavar="STATE", help="a state to draw; again for another (default all)")
    option("--against", metavar="STATE", default="t", help="draw against a state, not time; a map of one state: cobweb")
    option("--plot", metavar="FILE", help="draw a picture: .png, .pdf or .svg")
    option("--csv", metavar="FILE", help="write the times and states")


def run(options: Namespace) -> int:
    """Integrate a model."""
    from bifrncrn.library.formats import load_model
    from bifrncrn.trajectories.simulation import simulate

    if len(options.time) > 2:
        raise InputError("--time takes the end, or the beginning and the end; give one or two numbers")
    check_outputs(None, options.plot, options.csv)
    found = simulate(
        with_values(load_model(options.model, mu=options.mu), options),
        options.time[0] if len(options.time) == 1 else tuple(options.time),
        state=merged(options.start, "--start") or None,
    )
    if options.plot:
        from bifrncrn.plots.trajectory import save_trajectory

        save_trajectory(found, options.plot, show=options.show, against=options.against)
    if options.csv:
        found.to_csv(options.csv)
    report(str(found), None, None, options.plot, options.csv)
    return OK

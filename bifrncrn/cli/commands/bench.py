"""`bifrncrn bench`."""

from __future__ import annotations

from argparse import Namespace

from bifrncrn.cli.parser import (
    MODEL_HELP,
    NAMES,
    Commands,
    add_output,
    add_tracing,
    assignments,
    command,
    number,
    positive_integer,
)
from bifrncrn.cli.shared import OK, bounds_of, check_outputs, merged, report, with_values


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "bench",
        "measure the speed of each engine on a model",
        "Engines: native, pycont, and xpplab, jaxcont and AUTO-07p where installed; each in a process of its own.",
    )
    option("model", metavar="MODEL", help=MODEL_HELP)
    add_tracing(option, engine=False)
    option("--set", type=assignments, action="append", metavar=NAMES, help="values of other parameters")
    option("--mu", type=number, help="analyse the full network at this ratio of time-scales")
    option(
        "--repeat",
        type=positive_integer,
        default=5,
        metavar="N",
        help="the least number of warm runs, of which the median counts (default 5)",
    )
    add_output(option, "the measurements")


def run(options: Namespace) -> int:
    """Time the engines on a model."""
    from bifrncrn.cli.bench import bench, known_points
    from bifrncrn.library.formats import load_model

    check_outputs(options.json, options.plot)
    system = with_values(load_model(options.model, mu=options.mu), options)
    measured = bench(
        system,
        options.parameter,
        bounds_of(options),
        start=merged(options.start, "--start") or None,
        repeat=options.repeat,
        known=known_points(options.model) if not options.set and not options.start else None,
    )
    if options.plot:
        from bifrncrn.plots.bars import save_bars

        bars = {timing.engine: 1e6 * timing.per_point for timing in measured.timings if timing.per_point}
        save_bars(bars, options.plot, axis="microseconds per point", title=measured.model)
    report(str(measured), measured.to_json(), options.json, options.plot)
    return OK

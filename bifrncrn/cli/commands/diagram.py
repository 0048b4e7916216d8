"""`bifrncrn diagram`."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bifrncrn.base.errors import ConvergenceError, InputError
from bifrncrn.cli.parser import (
    MODEL_HELP,
    NAMES,
    Commands,
    add_output,
    add_report,
    add_tracing,
    assignments,
    boxes,
    command,
    number,
    positive_integer,
)
from bifrncrn.cli.shared import (
    OK,
    bounds_of,
    check_outputs,
    check_report,
    command_line,
    merged,
    reactions_of,
    report,
    with_values,
)

if TYPE_CHECKING:
    from bifrncrn.continuation.options import Options
    from bifrncrn.diagrams.results import Diagram
    from bifrncrn.models.system import System


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "diagram",
        "trace the branches of equilibria, or of fixed points of a map, and their special points",
        examples=(
            "ab_reaction --parameter D --range 0 0.16 --orbits --plot ab.png --report ab.html",
            "my.toml --parameter k --range 0 1 --all --box x=0:5,y=0:5",
            "ab_reaction --parameter D --range 0 0.16 --second beta --second-range 1 3 --json ab.json",
        ),
    )
    option("model", metavar="MODEL", help=MODEL_HELP)
    add_tracing(option)
    option("--set", type=assignments, action="append", metavar=NAMES, help="values of other parameters")
    option("--all", action="store_true", help="also find branches that are not connected to the start, inside --box")
    option(
        "--event",
        action="append",
        metavar="EQUATION",
        help="mark the points where it holds as UZ, like 'u1 = 0.5', on cycles 'period = 10' or 'max u1 = 2'",
    )
    option("--walls", type=boxes, action="append", metavar="a=0:1,b=2:3", help="bounds of states at which branches end")
    option(
        "--stop",
        action="append",
        metavar="LABELS",
        help="end a branch at its first LP, BP, HB, UZ (of a map PD, NS); like LP,HB",
    )
    option("--max-points", type=positive_integer, metavar="N", help="end a branch after so many points in a direction")
    option("--seconds", type=number, metavar="S", help="time limit; what was found until then is kept")
    option("--extend", metavar="OLD.json", help="go on with this saved diagram of MODEL, in the wider --range")
    option("--orbits", action="store_true", help="also follow the periodic orbits that leave every HB")
    option(
        "--doublings",
        type=positive_integer,
        metavar="N",
        help="follow the doubled orbits or cycles at PD, N times over",
    )
    option("--iterations", type=positive_integer, metavar="K", help="of a map: start on a cycle of K points")
    option("--cycle", action="store_true", help="settle to a cycle from the start and follow it")
    option(
        "--second",
        metavar="PARAMETER",
        help="follow LP and HB (LPC, PD, NS, BPC, homoclinic ends, SNIC) in a second parameter",
    )
    option("--second-range", nargs=2, type=number, metavar=("LO", "HI"), help="range of the second parameter")
    option("--mu", type=number, help="analyse the full network at this ratio of time-scales")
    option("--no-stability", action="store_true", help="compute no eigenvalues: faster for large systems, finds no HB")
    option("--csv", metavar="FILE", help="write every row of every branch")
    add_output(option, "bifrncrn.diagram/1", show=True)
    add_report(option)
    option("--log", choices=("x", "y", "xy"), help="logarithmic axes of the picture")


def run(options: Namespace) -> int:
    """Trace one diagram."""
    from bifrncrn.library.formats import load_model

    if bool(options.second) != bool(options.second_range):
        raise InputError("--second PARAMETER and --second-range LOW HIGH go together; give both or none")
    check_outputs(options.json, options.plot, options.csv, options.report)
    check_report(options.report)
    settings = _settings(options)
    system = with_values(load_model(options.model, mu=options.mu), options)
    _check_kind(system, options)
    events, on_cycles = _events(system, options)
    result = _with_cycles(_traced(system, options, events, settings), system, options, on_cycles, settings)
    if options.second:
        from bifrncrn.diagrams.locus import with_loci

        result = with_loci(result, options.second, tuple(options.second_range), settings)
    if options.plot:
        from bifrncrn.diagrams.summary import ranges
        from bifrncrn.plots.diagram import save_diagram

        save_diagram(result, options.plot, show=options.show, log=options.log or "", ranges=ranges(result))
    if options.csv:
        result.to_csv(options.csv)
    if options.report:
        from bifrncrn.cli.page.write import save_report

        save_report(result, options.report, reactions=reactions_of(options.model), command=command_line())
    data = result.to_json() if options.json else None
    report(str(result), data, options.json, options.plot, options.csv, options.report)
    return OK


def _check_kind(system: System, options: Namespace) -> None:
    """Refuse options that the kind of the model, a map or differential equations, does not have."""
    from bifrncrn.models.maps import is_map

    if not is_map(system):
        if options.iterations:
            raise InputError("--iterations is for maps, and the model has differential equations; leave it out")
        if options.doublings and not (options.orbits or options.cycle):
            raise InputError("--doublings goes on from the orbits of --orbits or --cycle; give one of them too")
        return
    for name, rule in (
        ("orbits", "its cycles are followed with --iterations K"),
        ("cycle", "its cycles are followed with --iterations K"),
    ):
        if getattr(options, name):
            raise InputError(f"--{name} is for differential equations, and the model is a map: {rule}; leave it out")


def _settings(options: Namespace) -> Options | None:
    """Return the limits that were given, that of time running."""
    from bifrncrn.continuation.options import Options, begun

    given = {"max_points": options.max_points, "seconds": options.seconds}
    limits = {name: value for name, value in given.items() if value is not None}
    return begun(Options(**limits)) if limits else None


def _events(system: System, options: Namespace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the events on what the diagram traces, and those on cycles followed after that."""
    from bifrncrn.models.cycle_events import compile_cycle_events, refuse_cycles, split

    given = tuple(options.event or ())
    if system.period:
        return given, given
    events, on_cycles = split(system, given)
    if not (options.orbits or options.cycle):
        refuse_cycles(system, given)
    compile_cycle_events(system, on_cycles)  # what is wrong with one is said before anything is computed
    return events, on_cycles


def _traced(system: System, options: Namespace, events: tuple[str, ...], settings: Options | None) -> Diagram | None:
    """Return the diagram without periodic orbits; None where no equilibrium is found and a cycle is asked for."""
    from bifrncrn.diagrams.diagram import diagram

    common: dict[str, Any] = {
        "events": events,
        "walls": merged(options.walls, "--walls") or None,
        "stop": [label.strip() for labels in options.stop or () for label in labels.split(",")],
    }
    if settings is not None:
        common["options"] = settings
    if options.iterations:
        common["iterations"] = options.iterations
    if options.doublings and not (options.orbits or options.cycle):  # of a map
        common["doublings"] = options.doublings
    if options.extend is not None:
        return _extended(system, options, common)
    try:
        return diagram(
            system,
            parameter=options.parameter,
            bounds=bounds_of(options),
            start=merged(options.start, "--start") or None,
            box=merged(options.box, "--box") or None,
            all=options.all,
            engine=options.engine,
            stability=not options.no_stability,
            **common,
        )
    except ConvergenceError:
        if not options.cycle:
            raise
        return None


def _with_cycles(
    traced: Diagram | None, system: System, options: Namespace, events: tuple[str, ...], steps: Options | None
) -> Diagram:
    """Add the branches of periodic orbits that are asked for; without equilibria, that of the cycle is alone."""
    if traced is not None and not (options.orbits or options.cycle):
        return traced
    from bifrncrn.diagrams.orbits import with_cycle, with_doublings, with_orbits

    result = traced
    if options.orbits and result is not None:
        result = with_orbits(result, events=events, options=steps)
    if options.cycle or result is None:
        start = merged(options.start, "--start") or None
        bounds = bounds_of(options)
        result = with_cycle(result, system, options.parameter, bounds, start=start, events=events, options=steps)
    if traced is None:
        result = replace(result, notes=(*result.notes, "No equilibrium was found from the start, which oscillates."))
    if options.doublings and (options.orbits or options.cycle):
        result = with_doublings(result, options.doublings, events=events, options=steps)
    return result


def _extended(system: System, options: Namespace, common: dict[str, Any]) -> Diagram:
    """Go on with a saved diagram."""
    from bifrncrn.diagrams.extend import extend
    from bifrncrn.diagrams.orbits import with_doublings
    from bifrncrn.diagrams.results import Diagram

    for name in ("start", "box", "all", "no_stability", "iterations"):
        if getattr(options, name):
            word = name.replace("_", "-")
            raise InputError(f"--extend goes on from the branches of {options.extend}; leave --{word} out")
    if options.engine != "native":
        raise InputError(f"--extend works with the native engine only; leave --engine {options.engine} out")
    old = Diagram.load(options.extend)
    if options.parameter not in (None, old.parameter):
        raise InputError(f"{options.extend} is a diagram in {old.parameter}, not in {options.parameter}; name that one")
    doublings = common.pop("doublings", 0)
    found = extend(old, bounds_of(options), system=system, **common)
    return with_doublings(found, doublings, options=common.get("options")) if doublings else found

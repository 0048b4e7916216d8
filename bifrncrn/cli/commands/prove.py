"""`bifrncrn prove`."""

from __future__ import annotations

from argparse import Namespace

from bifrncrn.base.errors import InputError
from bifrncrn.cli.commands.compare import side
from bifrncrn.cli.parser import MODEL_HELP, NAMES, Commands, add_output, assignments, boxes, command, number
from bifrncrn.cli.shared import FINDING, OK, bounds_of, check_outputs, merged, report, with_values


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "prove",
        "prove which equilibria and special points there are in a box, or those of a diagram",
        "All equilibria in a box, of models of up to three states (fixed points of maps of up to two); or, with "
        "--diagram, the branches and special points that a diagram from the model's start has, of any number of "
        "states, which says nothing about others; or, with --cycle, a cycle, its period and stability. By interval "
        "arithmetic, so that no rounding error can make it wrong. Exit code 1 when something is left undecided; what "
        "it is, is listed.",
        examples=(
            "ab_reaction --parameter D --range 0 0.16 --box u1=0:1,u2=0:8",
            "ab_reaction --parameter D --range 0 0.16 --diagram",
            "brusselator --cycle --set B=3",
        ),
    )
    option("model", metavar="MODEL", help=MODEL_HELP)
    option("--parameter", metavar="NAME", help="the parameter that varies")
    option("--range", nargs=2, type=number, metavar=("LO", "HI"), help="its range (default: the target's)")
    option("--box", type=boxes, action="append", metavar="a=0:1,b=2:3", help="region of the states, all of them")
    option("--diagram", action="store_true", help="trace the diagram from the start, and prove what it holds")
    option("--cycle", action="store_true", help="prove the cycle that the model settles to, at its values or --set's")
    option("--start", type=assignments, action="append", metavar=NAMES, help="with --cycle: settle from here")
    option("--set", type=assignments, action="append", metavar=NAMES, help="values of other parameters")
    option(
        "--spread", type=number, default=0.0, metavar="S", help="hold for other parameters within this fraction, too"
    )
    option("--seconds", type=number, default=120.0, metavar="T", help="leave undecided what takes longer (default 120)")
    add_output(option, "bifrncrn.proof/1")
    option("--show", metavar="NAME", help="the state on the picture's vertical axis (default: the first)")


def run(options: Namespace) -> int:
    """Prove what a box holds."""
    from bifrncrn.proofs.prove import prove

    check_outputs(options.json, options.plot)
    if options.diagram:
        return _of_diagram(options)
    if options.cycle:
        return _of_cycle(options)
    if options.start:
        raise InputError("--start goes with --cycle: a box needs no start")
    proof = prove(
        side(options.model, None),
        parameter=options.parameter,
        bounds=bounds_of(options) if options.range else None,
        box=merged(options.box, "--box") or None,
        values=merged(options.set, "--set") or None,
        spread=options.spread,
        seconds=options.seconds,
    )
    if options.plot:
        from bifrncrn.plots.proof import save_proof

        save_proof(proof, options.plot, options.show)
    report(str(proof), proof.to_json(), options.json, options.plot)
    return OK if proof.proved else FINDING


def _of_diagram(options: Namespace) -> int:
    """Prove what a diagram holds."""
    from bifrncrn.diagrams.diagram import diagram
    from bifrncrn.library.formats import load_model
    from bifrncrn.plots.diagram import save_diagram
    from bifrncrn.proofs.prove import prove

    if options.box or options.spread or options.cycle or options.start or not options.range:
        raise InputError(
            "--diagram goes with --range, without --box, --spread, --cycle and --start: it is about the traced branches"
        )
    system = with_values(load_model(options.model), options)
    traced = diagram(system, parameter=options.parameter, bounds=bounds_of(options))
    proof = prove(traced, seconds=options.seconds)
    if options.plot:
        save_diagram(traced, options.plot, show=[options.show] if options.show else None)
    report(str(proof), proof.to_json(), options.json, options.plot)
    return OK if proof.proved else FINDING


def _of_cycle(options: Namespace) -> int:
    """Prove the cycle that a model settles to."""
    from bifrncrn.library.formats import load_model
    from bifrncrn.proofs.prove import prove
    from bifrncrn.trajectories.cycles import find_cycle

    if options.box or options.range or options.parameter or options.plot:
        raise InputError("--cycle goes without --parameter, --range, --box and --plot: it is proved at given values")
    system = with_values(load_model(options.model), options)
    cycle = find_cycle(system, state=merged(options.start, "--start") or None)
    if cycle is None:
        raise InputError(
            "the model settles to no cycle from its start; give another with --start, or values with --set"
        )
    proof = prove(cycle, spread=options.spread)
    report(str(proof), proof.to_json(), options.json, None)
    return OK if proof.proved else FINDING

"""`bifrncrn train`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from bifrncrn.base.errors import InputError
from bifrncrn.cli.parser import Commands, add_output, add_report, command, natural, number, positive_integer
from bifrncrn.cli.shared import OK, check_outputs, check_report, command_line, report

if TYPE_CHECKING:
    from bifrncrn.training.classifier import ClassifierFit
    from bifrncrn.training.controlled_fit import ControlledFit
    from bifrncrn.training.fit.start import Start
    from bifrncrn.training.fit_result import Fit
    from bifrncrn.training.targets.target import Target


def add(commands: Commands) -> None:
    """Add the command."""
    option = command(
        commands,
        "train",
        "train a network on a target",
        "The best network is written, and exit code 0 is given, also when it misses the target; the report says so.",
    )
    option(
        "target",
        metavar="TARGET",
        help="a library target, system, classifier or controlled network, or a model file with [training]",
    )
    option(
        "--perceptrons", type=positive_integer, metavar="N", help="number of perceptrons (default: the target's own)"
    )
    option("--seeds", type=positive_integer, default=10, metavar="K", help="number of starts (default 10)")
    option("--seed", type=natural, default=0, metavar="S", help="seed of the first start (default 0)")
    option("--loss", choices=("field", "relative"), help="what is made small (default: the target's own)")
    option("--ridge", type=number, help="penalty on large rates (default: follows the loss down)")
    option("--rate-bound", type=number, metavar="B", help="no alpha, omega, psi, theta or beta is larger in size")
    option("--samples", type=positive_integer, metavar="N", help="samples a side of a grid, or altogether by --method")
    option("--method", choices=("grid", "sobol", "lhs"), default="grid", help="how boxes are sampled (default grid)")
    option("--evaluations", type=positive_integer, default=400, metavar="N", help="limit of a descent (default 400)")
    option("--seconds", type=number, metavar="T", help="time limit of each start; it ends with the best it has")
    option("--jobs", type=positive_integer, metavar="N", help="processes (default: all cores); changes no result")
    option("--no-refine", action="store_true", help="leave special points where the fit put them")
    option("--unbounded", action="store_true", help="do not turn the field inward about what was learned")
    option("--robust", type=number, metavar="R", help="fit what survives rates off by up to this share, such as 0.1")
    option("--checkpoints", metavar="DIR", help="keep finished starts in this folder, and take them from there")
    option("--out", metavar="NET.json", help="write the network here")
    add_output(option, "the training record", plot=False)
    add_report(option)


def run(options: Namespace) -> int:
    """Train a network."""
    from bifrncrn.training.train import train

    check_outputs(options.json, None, options.out, options.report)
    check_report(options.report)
    if options.out and Path(options.out).suffix != ".json":
        raise InputError(f"--out {options.out} must end in .json; bifrncrn convert writes the other formats")
    if (other := _other(options)) is not None:
        return other
    done = 0

    def watched(count: int, total: int, start: Start) -> None:
        nonlocal done
        done = count

    try:
        fit = train(
            load_target(options.target),
            perceptrons=options.perceptrons,
            seeds=options.seeds,
            seed=options.seed,
            loss=options.loss,
            ridge=options.ridge,
            rate_bound=options.rate_bound,
            samples=options.samples,
            method=options.method,
            evaluations=options.evaluations,
            seconds=options.seconds,
            jobs=options.jobs or (-1 if options.seeds > 1 else 1),
            refine=not options.no_refine,
            bounded=not options.unbounded,
            robust=options.robust,
            checkpoints=options.checkpoints,
            progress=watched,
        )
    except KeyboardInterrupt as stopped:
        if options.checkpoints and done:
            kept = f"{done} of {options.seeds} starts are kept in {options.checkpoints}"
            raise type(stopped)(f"{kept}; the same command goes on from there") from None
        raise
    if options.out:
        fit.network.save(options.out)
    if options.report:
        _save_report(fit, options.report)
    report(str(fit), fit.to_json(), options.json, options.out, options.report)
    return OK  # also where the target is not reached: the report says so


def _save_report(fit: Fit | ControlledFit | ClassifierFit, page: str) -> None:
    """Write the page of a fit, with its diagram against the target's where the target has one."""
    from bifrncrn.cli.page.write import save_report
    from bifrncrn.comparison.compare import compare
    from bifrncrn.training.fit_result import Fit

    if not isinstance(fit, Fit):
        save_report(fit, page, command=command_line())
        return
    drawn = fit.target.system is not None and fit.target.parameter is not None and fit.target.bounds is not None
    comparison = compare(fit.target, fit.network) if drawn else None
    save_report(fit, page, comparison=comparison, command=command_line())


def _other(options: Namespace) -> int | None:
    """Train a classifier or a controlled network of the library; return None where the target is neither."""
    from bifrncrn.base.records import write_json
    from bifrncrn.library.controlled import CLASSIFIERS, CONTROLLED, train_controlled
    from bifrncrn.training.classifier import train_classifier

    jobs = options.jobs or (-1 if options.seeds > 1 else 1)
    if options.target in CONTROLLED:
        whole = train_controlled(options.target, options.seeds, options.seed, jobs)
        if options.out:
            whole.network.save(options.out)
        if options.report:
            _save_report(whole, options.report)
        report(str(whole), whole.to_json(), options.json, options.out, options.report)
        return OK
    if options.target not in CLASSIFIERS:
        return None
    target = CLASSIFIERS[options.target]()
    fit = train_classifier(
        target,
        hidden=options.perceptrons,
        seeds=options.seeds,
        seed=options.seed,
        jobs=jobs,
        evaluations=options.evaluations,
    )
    if options.out:
        write_json(options.out, fit.classifier.to_json())
    if options.report:
        _save_report(fit, options.report)
    record = {"schema": "bifrncrn.classifier_fit/1", **fit.record, "loss": fit.loss}
    report(str(fit), record, options.json, options.out, options.report)
    return OK


def load_target(word: str) -> Target:
    """Return what a network is to be trained on: a library target, or a model file with a [training] table."""
    from bifrncrn import library
    from bifrncrn.training.targets.target import Target

    if Path(word).suffix == ".toml":
        return Target.from_file(word)
    if word not in library.names() and (Path(word).suffix or Path(word).exists()):
        raise InputError(
            f"{word} is no target; give a library target or a model file (.toml) with a [training] table, "
            "which may name a curve's .csv or .svg file"
        )
    if word in library.names("textbook"):
        from bifrncrn.library.textbook_target import textbook_target

        return textbook_target(word)
    found = library.get(word)
    assert isinstance(found, Target)  # every other name is a target's
    return found

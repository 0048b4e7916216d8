"""What the commands do: load, call the public verbs, print and write."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrncrn.base.errors import InputError
from bifrncrn.base.files import check_writable, write_atomic
from bifrncrn.base.tables import printable

if TYPE_CHECKING:
    from bifrncrn.continuation.options import Options
    from bifrncrn.diagrams.results import Diagram
    from bifrncrn.models.system import System
    from bifrncrn.training.fit.start import Start
    from bifrncrn.training.targets.target import Target

OK, FINDING = 0, 1


def run_diagram(options: Namespace) -> int:
    """Trace one diagram."""
    from bifrncrn.continuation.options import Options
    from bifrncrn.diagrams.diagram import diagram
    from bifrncrn.library.formats import load_model

    if bool(options.second) != bool(options.second_range):
        raise InputError("--second PARAMETER and --second-range LOW HIGH go together; give both or none")
    check_outputs(options.json, options.plot)
    system = _with_values(load_model(options.model, mu=options.mu), options)
    common: dict[str, Any] = {
        "events": options.event or (),
        "walls": merged(options.walls, "--walls") or None,
        "stop": [label.strip() for labels in options.stop or () for label in labels.split(",")],
    }
    if options.max_points is not None:
        common["options"] = Options(max_points=options.max_points)
    if options.doublings and not (options.orbits or options.cycle):
        raise InputError("--doublings goes on from the orbits of --orbits or --cycle; give one of them too")
    if options.extend is not None:
        result = _extended(system, options, common)
    else:
        result = diagram(
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
    if options.orbits or options.cycle:
        result = _with_cycles(result, system, options, common.get("options"))
    if options.second:
        from bifrncrn.diagrams.locus import with_loci

        result = with_loci(result, options.second, tuple(options.second_range), common.get("options"))
    if options.plot:
        from bifrncrn.plots.plots import save_diagram

        save_diagram(result, options.plot, show=options.show)
    report(str(result), result.to_json(), options.json)
    return OK


def _with_cycles(result: Diagram, system: System, options: Namespace, steps: Options | None) -> Diagram:
    """Add the branches of periodic orbits that are asked for."""
    from bifrncrn.diagrams.orbits import with_cycle, with_doublings, with_orbits

    if options.orbits:
        result = with_orbits(result, options=steps)
    if options.cycle:
        start = merged(options.start, "--start") or None
        result = with_cycle(result, system, options.parameter, bounds_of(options), start=start, options=steps)
    return with_doublings(result, options.doublings, options=steps) if options.doublings else result


def _extended(system: System, options: Namespace, common: dict[str, Any]) -> Diagram:
    """Go on with a saved diagram."""
    from bifrncrn.diagrams.extend import extend
    from bifrncrn.diagrams.results import Diagram

    for name in ("start", "box", "all", "no_stability"):
        if getattr(options, name):
            word = name.replace("_", "-")
            raise InputError(f"--extend goes on from the branches of {options.extend}; leave --{word} out")
    if options.engine != "native":
        raise InputError(f"--extend works with the native engine only; leave --engine {options.engine} out")
    old = Diagram.load(options.extend)
    if options.parameter not in (None, old.parameter):
        raise InputError(f"{options.extend} is a diagram in {old.parameter}, not in {options.parameter}; name that one")
    return extend(old, bounds_of(options), system=system, **common)


def run_compare(options: Namespace) -> int:
    """Compare a network with its target."""
    from bifrncrn.comparison.compare import compare

    check_outputs(options.json, options.plot)
    target, network = _side(options.target, None), _side(options.network, options.mu)
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
    )
    if options.plot:
        from bifrncrn.plots.plots import save_comparison

        save_comparison(comparison, options.plot, show=options.show)
    report(str(comparison), comparison.to_json(), options.json)
    return OK if comparison.verdict else FINDING


def run_prove(options: Namespace) -> int:
    """Prove what a box holds."""
    from bifrncrn.proofs.prove import prove

    check_outputs(options.json, None)
    target = _side(options.model, None)
    values = merged(options.set, "--set")
    proof = prove(
        target,
        parameter=options.parameter,
        bounds=bounds_of(options) if options.range else None,
        box=merged(options.box, "--box") or None,
        values=values or None,
        spread=options.spread,
        seconds=options.seconds,
    )
    report(str(proof), proof.to_json(), options.json)
    return OK if proof.proved else FINDING


def run_train(options: Namespace) -> int:
    """Train a network."""
    from bifrncrn.training.train import train

    check_outputs(options.json, None, options.out)
    if options.out and Path(options.out).suffix != ".json":
        raise InputError(f"--out {options.out} must end in .json; bifrncrn convert writes the other formats")
    done = 0

    def watched(count: int, total: int, start: Start) -> None:
        nonlocal done
        done = count
        if sys.stderr.isatty():
            _progress(count, total, start)

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
    report(str(fit), fit.to_json(), options.json)
    return OK  # also where the target is not reached: the report says so


def run_bench(options: Namespace) -> int:
    """Time the engines on a model."""
    from bifrncrn.cli.bench import bench, known_points
    from bifrncrn.library.formats import load_model

    check_outputs(options.json, options.plot)
    system = _with_values(load_model(options.model, mu=options.mu), options)
    measured = bench(
        system,
        options.parameter,
        bounds_of(options),
        start=merged(options.start, "--start") or None,
        repeat=options.repeat,
        known=known_points(options.model) if not options.set and not options.start else None,
    )
    if options.plot:
        from bifrncrn.plots.plots import save_bars

        bars = {timing.engine: 1e6 * timing.per_point for timing in measured.timings if timing.per_point}
        save_bars(bars, options.plot, axis="microseconds per point", title=measured.model)
    report(str(measured), measured.to_json(), options.json)
    return OK


def run_convert(options: Namespace) -> int:
    """Convert a file."""
    from bifrncrn.library.formats import convert

    check_outputs(None, None, options.destination)
    convert(options.source, options.destination, mu=options.mu, layout=options.layout, force=options.force)
    return OK


def run_demo(options: Namespace) -> int:
    """Compare the shipped network with its target."""
    from bifrncrn.cli.demo import demo

    check_outputs(options.json, None)
    comparison, written = demo(options.out)
    text = "\n".join([str(comparison), "", *(f"wrote {path}" for path in written)])
    report(text, comparison.to_json(), options.json)
    return OK


def check_outputs(json_file: str | None, *files: str | None) -> None:
    """Find out before the computation whether its results can be written.

    The second of the files and later ones may have any suffix; the first is a picture.
    """
    picture = files[0] if files else None
    if picture is not None:
        from bifrncrn.plots.plots import check_suffix

        check_suffix(picture)
    for name in (*files, None if json_file == "-" else json_file):
        if name is not None:
            check_writable(name)


def report(text: str, data: dict[str, Any], json_file: str | None) -> None:
    """Print the text, and write the data; with `--json -` print the data and nothing else."""
    if json_file is not None:
        plain = json.dumps(data, allow_nan=False) + "\n"
        if json_file == "-":
            sys.stdout.write(plain)
            return
        write_atomic(json_file, plain)
    sys.stdout.write(printable(text) + "\n")


def bounds_of(options: Namespace) -> tuple[float, float]:
    """Return the range that was asked for."""
    low, high = options.range
    if not low < high:
        raise InputError(f"--range {low:g} {high:g} is empty; give the lower end first and a higher one after it")
    return low, high


def merged(parts: list[dict[str, Any]] | None, option: str) -> dict[str, Any]:
    """Return the values of a repeated option together."""
    out: dict[str, Any] = {}
    for part in parts or []:
        for name in part:
            if name in out:
                raise InputError(f"{option} gives {name} twice; give it once")
        out |= part
    return out


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
    found = library.get(word)
    if not isinstance(found, Target):
        raise InputError(f"{word!r} is a system, not a target; the targets are {', '.join(library.names('target'))}")
    return found


def _side(word: str, mu: float | None) -> Target | System:
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


def _with_values(system: System, options: Namespace) -> System:
    values = merged(options.set, "--set")
    if options.parameter in values:
        raise InputError(
            f"--set gives {options.parameter}, the continuation parameter; give its first value by --start"
        )
    return system.with_(values=values) if values else system


def _progress(done: int, total: int, start: Start) -> None:
    end = "\n" if done == total else ""
    sys.stderr.write(f"\r{done} of {total} starts, loss {start.loss:.3g}   {end}")
    sys.stderr.flush()

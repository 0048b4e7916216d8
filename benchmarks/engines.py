"""Every installed engine on the textbook systems of the library, whose special points are known in closed form.

    python benchmarks/engines.py [--systems ab_reaction brusselator] [--engines native xpplab] [--out DIR]

Each engine runs each system in a fresh process; see `bifrncrn bench --help`. Prints one table; with --out also writes
engines.json and engines.svg (milliseconds of a warm call).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bifrncrn import library
from bifrncrn.base.tables import format_number, format_table
from bifrncrn.cli.bench import Bench, bench, known_points

SYSTEMS = ("cubic_fold", "pitchfork", "brusselator", "schlogl")


def measure(name: str, engines: list[str] | None, repeat: int) -> Bench:
    """Measure one system of the library."""
    problem = library.problem(name)
    known = known_points(name)
    return bench(problem.system, problem.parameter, problem.bounds, engines=engines, repeat=repeat, known=known)


def table(results: dict[str, Bench]) -> str:
    """Return one row for each system and engine."""
    header = ("system", "engine", "cold s", "warm ms", "times native", "points", "found", "missed", "false", "error")
    rows = []
    for name, result in results.items():
        own = next((t.least for t in result.timings if t.engine == "native"), 0.0)
        for t in result.timings:
            if t.error is not None:
                rows.append([name, t.engine, f"did not run: {t.error}", *[""] * 7])
                continue
            ratio = format_number(t.least / own if own else None, 3)
            counts = [str(v) for v in (t.points, t.found, t.missed, t.false)]
            times = [format_number(t.cold, 3), format_number(1e3 * t.warm, 4), ratio]
            rows.append([name, t.engine, *times, *counts, format_number(t.worst_error, 2)])
    return format_table(header, rows)


def save_plot(results: dict[str, Bench], path: Path) -> None:
    """Draw the warm times."""
    from bifrncrn.plots.bars import save_bars

    bars = {
        f"{name}, {t.engine}": 1e3 * t.warm for name, result in results.items() for t in result.timings if not t.error
    }
    save_bars(bars, path, axis="milliseconds of a warm call", title="whole diagrams by every engine")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", default=SYSTEMS)
    parser.add_argument("--engines", nargs="+")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    results = {name: measure(name, options.engines, options.repeat) for name in options.systems}
    print(table(results))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        data = {name: result.to_json() for name, result in results.items()}
        (options.out / "engines.json").write_text(json.dumps(data, indent=1))
        save_plot(results, options.out / "engines.svg")


if __name__ == "__main__":
    main()

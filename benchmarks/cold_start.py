"""From nothing to a result: `bifrncrn diagram MODEL` in a fresh process, with a warm disk cache.

    python benchmarks/cold_start.py [--runs 10] [--modules 15]

Prints the time of a whole process (best and median), that of an empty Python and of `import numpy` beside it, which
heavy packages were loaded although nobody needed them (there must be none), and the slowest imports.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HEAVY = ("numba", "sympy", "scipy", "matplotlib", "pandas", "joblib", "pycont")
MODEL = """\
title = "A -> B reaction in a stirred tank"
[variables]
u1 = 0.0
u2 = 0.0
[parameters]
D = 0.0
B = 14.0
beta = 2.0
[definitions]
heat = "D*(1 - u1)*exp(u2)"
[equations]
u1 = "-u1 + heat"
u2 = "-u2 + B*heat - beta*u2"
"""


def seconds(command: list[str], runs: int) -> list[float]:
    """Return the wall time of each run of a command in a fresh process."""
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return taken


def imports(command: list[str]) -> dict[str, int]:
    """Return the microseconds that each module took to import by itself."""
    python, *rest = command
    log = subprocess.run([python, "-X", "importtime", *rest], check=True, capture_output=True, text=True).stderr
    rows = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", log)
    return {name: int(own) for own, name in rows}


def measure(runs: int) -> dict[str, Any]:
    """Return the times of a diagram and of less, and the modules loaded."""
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.toml"
        model.write_text(MODEL)
        diagram = [python, "-m", "bifrncrn", "diagram", str(model), "--parameter", "D", "--range", "0", "0.16"]
        seconds(diagram, 1)  # fills the cache
        taken = seconds(diagram, runs)
        modules = imports(diagram)
    return {
        "best": min(taken),
        "median": statistics.median(taken),
        "empty_python": min(seconds([python, "-c", ""], runs)),
        "numpy": min(seconds([python, "-c", "import numpy"], runs)),
        "heavy": sorted({name.split(".")[0] for name in modules} & set(HEAVY)),
        "modules": modules,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--modules", type=int, default=15)
    options = parser.parse_args()
    result = measure(options.runs)
    print(f"diagram in a fresh process: best {result['best']:.3f} s, median {result['median']:.3f} s")
    print(f"an empty Python: {result['empty_python']:.3f} s; with numpy: {result['numpy']:.3f} s")
    print(f"heavy packages loaded: {', '.join(result['heavy']) or 'none'}")
    for name, own in sorted(result["modules"].items(), key=lambda item: -item[1])[: options.modules]:
        print(f"{own / 1000:8.1f} ms  {name}")


if __name__ == "__main__":
    main()

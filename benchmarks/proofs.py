"""Whole boxes proved, one row for each model: what is in them, and how long it took on one core.

    python benchmarks/proofs.py [--published DIR] [--repeat 3]

The shipped networks are taken in their reduced form, in the box and range of their target. With --published also the
RNCRN authors' own networks, read from a folder that holds their .mat files. Every proof is made in this process;
`first` holds what compiling the model's formulas takes, `again` is the least of the repetitions. Seconds of processor
time.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import bifrncrn as bf
from bifrncrn.base.tables import format_table
from bifrncrn.library import formats
from bifrncrn.proofs.prove import prove_learned

TOGGLE = {"u1": "a/(1 + u2^2) - u1", "u2": "a/(1 + u1^2) - u2"}
TANK = {"u1": "-u1 + D*(1 - u1)*exp(u2)", "u2": "-u2 + D*B*(1 - u1)*exp(u2) - beta*u2"}
BRUSSELATOR = {"x": "1 - (B + 1)*x + x^2*y", "y": "B*x - x^2*y"}
MODELS: dict[str, tuple[dict[str, str], dict[str, float], tuple[float, float], dict[str, tuple[float, float]]]] = {
    "A -> B": (TANK, {"D": 0.0, "B": 14.0, "beta": 2.0}, (0.0, 0.16), {"u1": (0, 1), "u2": (0, 12)}),
    "cubic": ({"x": "r + x - x^3"}, {"r": 0.0}, (-1.0, 1.0), {"x": (-2, 2)}),
    "Brusselator": (BRUSSELATOR, {"B": 1.0}, (1.0, 4.0), {"x": (0, 5), "y": (0, 5)}),
    "toggle switch": (TOGGLE, {"a": 1.0}, (0.5, 4.0), {"u1": (0, 5), "u2": (0, 5)}),
    "logistic map": ({"x": "r*x*(1 - x)"}, {"r": 1.0}, (0.5, 3.5), {"x": (-0.5, 1.5)}),
}
NETWORKS = ("hopf", "homoclinic", "uni_bistable")
DATA = Path(bf.library.__file__).parent / "data"


def problems(published: Path | None) -> dict[str, Callable[[], bf.Proof]]:
    """Return what proves each model."""
    found: dict[str, Callable[[], bf.Proof]] = {}
    for name, (equations, parameters, bounds, box) in MODELS.items():
        make = bf.System.from_map if "map" in name else bf.System.from_equations
        start = dict.fromkeys(equations, 0.0)
        varied = next(iter(parameters))
        model = make(equations, parameters, start)
        found[name] = functools.partial(bf.prove, model, parameter=varied, bounds=bounds, box=box)
    files = {f"{name} network": DATA / f"{name}_network.json" for name in NETWORKS}
    if published is not None:
        files |= {f"published {name}": published / f"{name}.mat" for name in NETWORKS}
    for name, path in files.items():
        if path.exists():
            target = getattr(bf.library, name.removesuffix(" network").removeprefix("published "))()
            found[name] = functools.partial(prove_learned, formats.load_model(str(path)), target)
    return found


def row(name: str, prove: Callable[[], bf.Proof], repeat: int) -> list[str]:
    """Prove one model, and return its row."""
    taken = []
    for _ in range(1 + repeat):
        start = time.process_time()
        proof = prove()
        taken.append(time.process_time() - start)
    kinds = Counter(point.detail.get("kind") or point.label for point in proof.special_points)
    points = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "none"
    decided = "yes" if proof.proved else f"no: {proof.undecided[0].reason}"
    numbers = [str(proof.branches), points, str(proof.counters["boxes"])]
    return [name, decided, *numbers, f"{taken[0]:.2f}", f"{min(taken[1:]):.2f}"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--published", type=Path, metavar="DIR", help="a folder with the published .mat files")
    parser.add_argument("--repeat", type=int, default=3, help="proofs after the first one")
    options = parser.parse_args()
    header = ("model", "proved", "branches", "special points", "boxes", "first s", "again s")
    rows = [row(name, prove, options.repeat) for name, prove in problems(options.published).items()]
    print(format_table(header, rows))


if __name__ == "__main__":
    main()

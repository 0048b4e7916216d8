"""How many points a second: 10,000 networks with rates perturbed by up to 10 %, each followed through its range.

    python benchmarks/throughput.py [--networks 10000] [--processes 2] [--step 0.05 0.01] [--json FILE]

One shape is compiled once; the weights are parameters, overwritten from network to network. The networks are shared
between processes: in threads, the Python around each short march would take turns. A march starts at the lower end of
the range from the equilibrium of the unperturbed network, ends at the range's other end, and locates the special
points on its way; they are counted, the points are not kept.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from bifrncrn.chemistry.networks.network import Network
from bifrncrn.continuation import layout
from bifrncrn.continuation.march import march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem, equilibrium_curve
from bifrncrn.curves.equilibria.start import find_start, newton
from bifrncrn.models.system import System

BOUNDS = (0.0, 4.0)
SPREAD = 0.1


@dataclass
class Count:
    """What a batch of marches did."""

    networks: int = 0
    started: int = 0
    points: int = 0
    special: int = 0
    complete: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


def bistable() -> System:
    """Return the reduced system of a network of one species and three perceptrons with two folds in lam's range."""
    network = Network(
        alpha=[[-1.6, -0.3, 1.0]],
        omega=[[1.1], [-1.7], [0.6]],
        psi=[[0.1], [0.5], [-1.2]],
        theta=[-3.1, 2.8, 1.7],
        beta=[0.5],
        gamma=[0.2, 0.2, 0.2],
        tau=[1.0, 1.0, 1.0],
        state=[5.758],
        lam=[0.0],
        mu=None,
        title="bistable network",
        training={},
    )
    return network.reduced()


def perturbed(system: System, count: int, seed: int = 0) -> np.ndarray:
    """Return parameter values (count, m), every rate within 10 % of its own; lam, the first, stays."""
    factors = np.random.default_rng(seed).uniform(1.0 - SPREAD, 1.0 + SPREAD, (count, len(system.values)))
    factors[:, 0] = 1.0
    return system.values * factors


def batch(system: System, rows: np.ndarray, options: Options) -> Count:
    """March once for every row of parameter values."""
    y, _ = find_start(EquilibriumProblem(system, 0), np.append(system.state, BOUNDS[0]))
    tangent = np.append(np.zeros(len(y) - 1), 1.0)  # the first correction keeps lam, the first step goes up
    floor = np.append(0.1 * np.abs(y[:-1]), BOUNDS[1] - BOUNDS[0])
    walls = (system.lower, system.upper)
    curve = equilibrium_curve(system, 0)
    assert curve.parameters is not None
    count = Count(networks=len(rows))
    for row in rows:
        curve.parameters[:] = row
        trace = march(curve, y, tangent, BOUNDS, walls, floor, options, closing=False)
        if not len(trace.points):  # too far for the march's own correction
            start = newton(EquilibriumProblem(system.with_(values=row), 0), y)
            if start is None:
                continue
            trace = march(curve, start, tangent, BOUNDS, walls, floor, options, closing=False)
        count.started += 1
        count.points += len(trace.points)
        count.special += int(np.count_nonzero(trace.marks[:, layout.MARK_EVENT]))
        count.complete += trace.reason == layout.RANGE
    return count


def measure(networks: int, processes: int, step: float) -> dict[str, float]:
    """Return what the processes did together, and how fast; their start is not counted."""
    system, options = bistable(), Options(step=step)
    rows = perturbed(system, networks)
    with Parallel(n_jobs=processes, batch_size=1) as pool:
        pool(delayed(batch)(system, rows[:10], options) for _ in range(2 * processes))  # compiled, loaded
        began = time.perf_counter()
        parts = pool(delayed(measured)(system, part, options) for part in np.array_split(rows, processes))
        seconds = time.perf_counter() - began
    total = sum((count for count, _ in parts), Count())
    rate = {
        "points_per_second": total.points / seconds,
        "seconds": seconds,
        "memory_grown_mb": max(m for _, m in parts),
    }
    return {"step": step, "processes": processes, **asdict(total), **rate}


def measured(system: System, rows: np.ndarray, options: Options) -> tuple[Count, float]:
    """Return what `batch` did and by how many megabytes the process grew meanwhile."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = batch(system, rows, options)
    return count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--step", type=float, nargs="+", default=[0.05, 0.01])
    parser.add_argument("--json")
    options = parser.parse_args()
    results = [measure(options.networks, options.processes, step) for step in options.step]
    for r in results:
        print(
            f"step {r['step']:g}, {r['processes']} processes: {r['networks']} networks, {r['started']} with a start, "
            f"{r['complete']} followed to the end: {r['points']} points, {r['special']} special, "
            f"in {r['seconds']:.2f} s, {r['points_per_second'] / 1e6:.2f} million points per second; "
            f"memory grew by {r['memory_grown_mb']:.0f} MB"
        )
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

"""Speed, with the accuracy beside it: python -m pytest benchmarks/test_speed.py (--benchmark-disable runs each once).

Every benchmark records points, microseconds per point and the largest error of a special point in `extra_info`.
"""

import math
from pathlib import Path

import cold_start
import numpy as np
import pytest
import throughput

import bifrncrn as bf
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.continuation import layout
from bifrncrn.continuation.march import march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.equilibria.problem import EquilibriumProblem, equilibrium_curve
from bifrncrn.curves.equilibria.start import find_start
from bifrncrn.curves.orbits.corrector import Corrector, Metric
from bifrncrn.curves.orbits.orbit import Mesh, Orbit
from bifrncrn.models.system import System

pytest.importorskip("pytest_benchmark")

B, BETA = 14.0, 2.0


def reaction() -> System:
    return System.from_equations(
        {"u1": "-u1 + D*(1-u1)*exp(u2)", "u2": "-u2 + D*B*(1-u1)*exp(u2) - beta*u2"},
        parameters={"D": 0.0, "B": B, "beta": BETA},
        state={"u1": 0.0, "u2": 0.0},
        title="A -> B reaction in a stirred tank",
    )


def known() -> list[tuple[str, float]]:
    """Return the special points in closed form: on the branch u2 = B u1 / (1 + beta), D = u1 exp(-u2) / (1 - u1).

    dD/du1 = 0 is u1 (1 - u1) = (1 + beta) / B, the trace vanishes where B u1^2 - (B + 1 + beta) u1 + 2 + beta = 0.
    """

    def parameter(u: float) -> float:
        return u / (1.0 - u) * math.exp(-B * u / (1.0 + BETA))

    fold, trace = math.sqrt(0.25 - (1.0 + BETA) / B), B + 1.0 + BETA
    hopf = (trace + math.sqrt(trace**2 - 4.0 * B * (2.0 + BETA))) / (2.0 * B)
    return [("LP", parameter(0.5 - fold)), ("LP", parameter(0.5 + fold)), ("HB", parameter(hopf))]


def record(benchmark, points: int, **more: float) -> None:
    benchmark.extra_info.update(points=points, **more)
    if benchmark.stats is not None:
        benchmark.extra_info["microseconds_per_point"] = 1e6 * benchmark.stats.stats.min / points


def test_whole_diagram(benchmark):
    system = reaction()
    diagram = benchmark(bf.diagram, system, "D", (0.0, 0.16))
    found = [(point.label, point.parameters["D"]) for point in diagram.special_points]
    assert [label for label, _ in found] == [label for label, _ in known()]
    error = max(abs(a - b) for (_, a), (_, b) in zip(found, known(), strict=True))
    record(benchmark, diagram.counters["points"], worst_error=error)
    assert error < 1e-12


def test_march_of_two_states(benchmark):
    system = reaction()
    curve = equilibrium_curve(system, 0)
    walls, floor, tangent = (system.lower, system.upper), np.array([0.1, 0.5, 0.16]), np.array([1.0, 14.0 / 3.0, 1.0])
    trace = benchmark(march, curve, np.zeros(3), tangent, (0.0, 0.16), walls, floor, Options())
    rows = np.flatnonzero(trace.marks[:, layout.MARK_EVENT])
    error = max(abs(float(trace.points[row, -1]) - p) for row, (_, p) in zip(rows, known(), strict=True))
    record(benchmark, len(trace.points), worst_error=error)
    assert error < 1e-12


def test_march_of_seven_states(benchmark):
    """The full network of two species and five perceptrons that is shipped."""
    system = Network.load(Path(bf.__file__).parent / "library" / "data" / "hopf_network.json").full(0.0075)
    y, _ = find_start(EquilibriumProblem(system, 0), np.append(system.state, 1.0))
    walls, floor = (system.lower, system.upper), np.append(0.1 * np.abs(y[:-1]), 2.0)
    options = Options(step=0.01)
    curve = equilibrium_curve(system, 0)
    trace = benchmark(march, curve, y, np.append(np.zeros(7), 1.0), (1.0, 3.0), walls, floor, options)
    record(benchmark, len(trace.points))
    assert np.count_nonzero(trace.marks[:, layout.MARK_EVENT]) == 1
    assert trace.reason == layout.RANGE


def test_diagram_by_pycont(benchmark):
    system = reaction()
    diagram = benchmark.pedantic(
        bf.diagram, (system, "D", (0.0, 0.16)), {"engine": "pycont"}, rounds=3, warmup_rounds=1
    )
    error = max(abs(point.parameters["D"] - p) for point, (_, p) in zip(diagram.special_points, known(), strict=True))
    record(benchmark, diagram.counters["points"], worst_error=error)
    assert error < 1e-10


def test_branch_of_periodic_orbits(benchmark):
    """From the Hopf point to the homoclinic orbit; AUTO-07p reports 0.33 ms an orbit with 70 intervals."""
    hopf = bf.diagram(reaction(), "D", (0.0, 0.16)).special("HB")[0]
    found = benchmark(bf.orbits, hopf)
    record(benchmark, found.counters["orbits"], newton_iterations=found.counters["orbit_newton_iterations"])
    assert "0.10550707" in found.ended[1].message


def test_newton_step_of_an_orbit(benchmark):
    """One correction of a known circle, two states and 50 intervals; points are Newton steps."""
    system = System.from_equations(
        {"x": "lam*x - y - x*(x^2 + y^2)", "y": "x + lam*y - y*(x^2 + y^2)"}, {"lam": 0.3}, {"x": 1.0, "y": 0.0}
    )
    mesh = Mesh(np.linspace(0.0, 1.0, 51))
    angle = 2.0 * np.pi * mesh.phases
    guess = Orbit(mesh, 0.5 * np.column_stack([np.cos(angle), np.sin(angle)]), 6.0, 0.3)
    corrector, normal = Corrector(system, 0, system.lower), np.append(np.zeros(guess.nodes.size + 1), 1.0)
    done = benchmark(corrector.correct, guess, normal, guess, Metric(np.ones(2), 1.0))
    error = float(np.max(np.abs(np.hypot(*done.orbit.nodes.T) - math.sqrt(0.3))))
    record(benchmark, done.newtons, worst_error=error)
    assert error < 1e-10


def test_throughput(benchmark):
    result = benchmark.pedantic(throughput.measure, (500, 2, 0.05), rounds=1)
    benchmark.extra_info.update(result)
    assert result["special"] == 1000
    assert result["memory_grown_mb"] < 100


def test_cold_start(benchmark):
    result = benchmark.pedantic(cold_start.measure, (2,), rounds=1)
    benchmark.extra_info.update(result)
    assert result["heavy"] == []

"""Proofs of cycles against closed forms, published values, integrations by scipy, and models that have none."""

import json
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifrncrn as bf

CIRCLE = {"x": "x - y - x*(x^2 + y^2)", "y": "x + y - y*(x^2 + y^2)"}
VAN_DER_POL, AMPLITUDE = 6.66328685932313, 2.00861986087484
"""The period and the amplitude at mu = 1 (Amore, Boyd and Fernández, J. Math. Phys. 59 (2018), and others)."""


def cycle_of(equations, parameters=None, state=None, **options):
    system = bf.System.from_equations(equations, parameters or {}, state)
    return bf.find_cycle(system, **options)


def holds(side, value, within):
    return side[0] <= value <= side[1] and side[1] - side[0] <= within


def integrated(proof, system, rtol=1e-12):
    """Return how far one turn of scipy's from the middle of the proved start ends from it, in units of the box."""
    (cycle,) = proof.cycles
    start = np.array([0.5 * (a + b) for a, b in cycle.start.values()])
    box = np.array([high[1] - low[0] for low, high in zip(cycle.min.values(), cycle.max.values())])
    period = 0.5 * sum(cycle.period)
    turn = solve_ivp(lambda t, x: system.rhs(x), (0, period), start, "DOP853", rtol=rtol, atol=1e-14 * box)
    return np.abs(turn.y[:, -1] - start) / box


def test_the_unit_circle():
    """r' = r (1 - r^2), phi' = 1: period 2 pi, exponent -2."""
    proof = bf.prove(cycle_of(CIRCLE, state={"x": 1.2, "y": 0.0}))
    (cycle,) = proof.cycles
    assert proof.proved and cycle.least and cycle.stable
    assert holds(cycle.period, 2 * math.pi, 1e-11)
    assert holds(cycle.multipliers[0], math.exp(-4 * math.pi), 1e-14)
    assert all(holds(side, 1.0, 1e-11) for side in cycle.max.values())
    points, radius = np.array(cycle.turn["points"]), np.array(cycle.turn["radius"])
    assert np.all(np.abs(np.hypot(*points.T) - 1.0) <= np.hypot(*radius.T) + 1e-15) and radius.max() < 1e-11


def test_a_cycle_that_repels():
    """The same with time turned round: its multiplier is exp(4 pi)."""
    equations = {name: f"-({text})" for name, text in CIRCLE.items()}
    proof = bf.prove(cycle_of(equations, state={"x": 0.9, "y": 0.0}, backward=True))
    assert proof.proved and proof.cycles[0].unstable == 1
    assert holds(proof.cycles[0].multipliers[0], math.exp(4 * math.pi), 1.0)


def test_van_der_pol():
    proof = bf.prove(cycle_of({"x": "y", "y": "(1 - x^2)*y - x"}, state={"x": 1.0, "y": 0.0}))
    assert proof.proved and holds(proof.cycles[0].period, VAN_DER_POL, 1e-10)
    assert holds(proof.cycles[0].max["x"], AMPLITUDE, 1e-10) and holds(proof.cycles[0].min["x"], -AMPLITUDE, 1e-10)
    assert "it is stable" in " ".join(str(proof).split())


@pytest.mark.parametrize("unit", [1.0, 1e9])
def test_brusselator(unit):
    """One turn of scipy's comes back; units do not matter."""
    x, y = f"(x/{unit})", f"(y*{unit})"
    equations = {"x": f"{unit}*(1 + {x}^2*{y} - (B + 1)*{x})", "y": f"(B*{x} - {x}^2*{y})/{unit}"}
    system = bf.System.from_equations(equations, {"B": 3.0}, {"x": unit, "y": 1.0 / unit})
    proof = bf.prove(bf.find_cycle(system))
    assert proof.proved and proof.cycles[0].stable
    assert integrated(proof, system).max() < 1e-9
    assert proof.cycles[0].period[1] - proof.cycles[0].period[0] < 1e-10


def test_three_states_and_functions():
    """Rössler's shortest cycle, which repels in chaos; and a ring of three genes, whose multipliers scipy gives."""
    rossler = {"x": "-y - z", "y": "x + 0.2*y", "z": "0.2 + z*(x - 5.7)"}
    cycle = cycle_of(rossler, state={"x": -8.0, "y": 0.0, "z": 0.02}, period=5.88)
    proof = bf.prove(cycle)
    assert proof.proved and proof.cycles[0].unstable == 1
    assert integrated(proof, cycle.system).max() < 1e-8
    ring = {"x": "exp(1.8)/(1 + w^3) - x", "y": "6/(1 + x^3) - y", "w": "6/(1 + y^2.9) - tanh(w)*w"}
    cycle = cycle_of(ring, state={"x": 1.0, "y": 2.0, "w": 3.0})
    proof = bf.prove(cycle)
    (found,) = proof.cycles
    assert proof.proved and found.stable and len(found.multipliers) == 2
    start, period = np.array([sum(side) / 2 for side in found.start.values()]), sum(found.period) / 2

    def flow(x):
        return solve_ivp(lambda t, u: cycle.system.rhs(u), (0, period), x, "DOP853", rtol=1e-13, atol=1e-14).y[:, -1]

    step = 1e-5 * np.eye(3)
    monodromy = np.array([(flow(start + e) - flow(start - e)) / 2e-5 for e in step]).T
    values = sorted(np.abs(np.linalg.eigvals(monodromy)), reverse=True)
    assert abs(values[1] - found.multipliers[0][0]) < 1e-7 and found.multipliers[0][1] - found.multipliers[0][0] < 1e-6


def test_a_stiff_cycle():
    """Van der Pol's at mu = 10: its multiplier is the exponential of the divergence's integral, which scipy takes."""
    cycle = cycle_of({"x": "y", "y": "10*(1 - x^2)*y - x"}, state={"x": 1.0, "y": 0.0})
    proof = bf.prove(cycle)
    (found,) = proof.cycles

    def extended(t, u):
        return [u[1], 10 * (1 - u[0] ** 2) * u[1] - u[0], 10 * (1 - u[0] ** 2)]

    start = [sum(side) / 2 for side in found.start.values()]
    turn = solve_ivp(extended, (0, sum(found.period) / 2), [*start, 0.0], "DOP853", rtol=1e-10, atol=1e-12)
    assert proof.proved and turn.y[2, -1] < -300
    assert all(abs(math.log(size) - turn.y[2, -1]) < 1e-3 for size in found.multipliers[0])


def test_multipliers_of_more_states():
    """A forced rotation that decays: exp(-0.2 pi) twice, exp(-4 pi); and a cycle about which neighbours turn much."""
    rotation = {**CIRCLE, "u": "-0.1*u - 1.7*v + x*u^2", "v": "1.7*u - 0.1*v"}
    (found,) = bf.prove(cycle_of(rotation, state={"x": 1.0, "y": 0.0, "u": 0.0, "v": 0.0}, period=6.28)).cycles
    truth = [math.exp(-0.2 * math.pi)] * 2 + [math.exp(-4 * math.pi)]
    assert found.stable and all(holds(*pair, 1e-9) for pair in zip(found.multipliers, truth))
    lorenz = {"x": "10*(y - x)", "y": "x*(160 - z) - y", "z": "x*y - 8/3*z"}
    cycle = cycle_of(lorenz, state={"x": 1.0, "y": 1.0, "z": 150.0})
    proof = bf.prove(cycle)
    (found,) = proof.cycles
    product = math.exp(-(10 + 1 + 8 / 3) * sum(found.period) / 2)  # the divergence is constant
    assert proof.proved and found.stable
    assert (
        found.multipliers[0][0] * found.multipliers[1][0] < product < found.multipliers[0][1] * found.multipliers[1][1]
    )


def test_what_must_not_be_proved():
    """Cycles that fill a plane, a double one, and two turns taken for one."""
    turns = np.linspace(0, 2 * math.pi, 1000, endpoint=False)
    shape = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    center = cycle_of({"x": "-y", "y": "x"}, state={"x": 1.0, "y": 0.0}, period=2 * math.pi, guess=shape)
    double = {"x": "-y + x*(x^2 + y^2 - 1)^2", "y": "x + y*(x^2 + y^2 - 1)^2"}
    touching = cycle_of(double, state={"x": 1.0, "y": 0.0}, period=2 * math.pi, guess=shape)
    for cycle in (center, touching):
        assert np.abs(np.hypot(*cycle.points.T) - 1.0).max() < 0.01  # it is found: what is refused is a cycle
        proof = bf.prove(cycle)
        assert not proof.proved and not proof.cycles
        assert all("it may not be isolated" in item.reason for item in proof.undecided) and proof.undecided
    twice = cycle_of(CIRCLE, state={"x": 1.0, "y": 0.0}, period=4 * math.pi, guess=np.tile(shape, (2, 1)))
    proof = bf.prove(twice)
    assert not proof.proved and [item.reason for item in proof.undecided] == ["whether the period is the least one"]
    assert holds(proof.cycles[0].period, 4 * math.pi, 1e-9) and not proof.cycles[0].least


def test_uncertain_parameters():
    """A turn of scipy's at the corners of the intervals has its period, and its extremes, in what is proved."""
    system = bf.System.from_equations(
        {"x": "A + x^2*y - (B + 1)*x", "y": "B*x - x^2*y"}, {"A": 1.0, "B": 3.0}, {"x": 1.0, "y": 1.0}
    )
    proof = bf.prove(bf.find_cycle(system), spread=1e-6)
    (found,) = proof.cycles
    assert proof.proved and found.stable and found.period[1] - found.period[0] < 1e-3
    for a in (-0.999e-6, 0.999e-6):
        for b in (-0.999e-6, 0.999e-6):
            other = bf.find_cycle(system.with_(values={"A": 1.0 + a, "B": 3.0 * (1.0 + b)}))
            assert found.period[0] < other.period < found.period[1]
            assert found.max["x"][0] < other.max[0] < found.max["x"][1]
            assert found.multipliers[0][0] < abs(other.multipliers[1]) < found.multipliers[0][1]
    assert bf.prove(bf.find_cycle(system), spread=0.01).undecided


def test_what_is_refused():
    rough = cycle_of({"x": "y", "y": "(1 - abs(x))*y - x"}, state={"x": 1.0, "y": 0.0})
    with pytest.raises(bf.InputError, match="corners or jumps"):
        bf.prove(rough)
    smooth = cycle_of(CIRCLE, state={"x": 1.2, "y": 0.0})
    with pytest.raises(bf.InputError, match="at the values it was found at"):
        bf.prove(smooth, values={"r": 1.0})


def test_the_checker_refuses_other_kinds_and_numbers():
    """A sentence, whatever the numbers are: some whose differences are no doubles, or hardly, whole ones as large."""
    pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
    cycle = cycle_of(CIRCLE, state={"x": 1.2, "y": 0.0})
    data = bf.prove(cycle).to_json()
    (found,) = data["cycles"]

    def answer(**entries):
        said = []
        assert not bf.check_proof(cycle.system, data | entries, said.append)
        return said[-1]

    for kind in ("map", None, ["ode"]):
        assert "no proof of a cycle of differential equations" in answer(kind=kind)

    def changes(large):
        yield {"min": found["min"] | {"x": [-large, 0.0]}, "max": found["max"] | {"x": [0.0, large]}}
        yield {"turn": found["turn"] | {"factor": [large, large]}}
        yield {"turn": found["turn"] | {"points": [[-large, large] for _ in found["turn"]["points"]]}}

    for large in (1e308, 10**308, 10**400):
        for part in changes(large):
            assert "numbers of at most 1e300" in answer(cycles=[found | part])
    for large in (1e300, 10**299):
        for part in changes(large):
            assert answer(cycles=[found | part])


@pytest.mark.slow
def test_the_checker_verifies_a_cycle():
    """In Arb's arithmetic; and no file that says anything else."""
    pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
    cycle = cycle_of({"x": "y", "y": "(1 - x^2)*y - x"}, state={"x": 1.0, "y": 0.0})
    data, said = bf.prove(cycle).to_json(), []
    assert bf.check_proof(cycle.system, data, said.append) and len(said) == 5
    (found,) = data["cycles"]
    (low, high), (small, large) = found["period"], found["multipliers"][0]
    (x_low, x_high), turn = found["max"]["x"], found["turn"]
    moved = [[x + 1e-9 for x in row] for row in turn["points"]]
    wrong = {
        "another period": {"period": [high, high + (high - low)]},
        "another extreme": {"max": found["max"] | {"x": [x_high, x_high + 1e-10]}},
        "an extreme that is passed": {"max": found["max"] | {"x": [x_low - 1e-10, x_low]}},
        "another multiplier": {"multipliers": [[large, large + (large - small)]]},
        "another stability": {"unstable": 1, "stable": False},
        "points beside it": {"turn": turn | {"points": moved}},
        "a claim that nobody proved": {"hyperbolic": True},
    }
    for name, part in wrong.items():
        assert not bf.check_proof(cycle.system, data | {"cycles": [found | part]}), name
    other = bf.System.from_equations({"x": "y", "y": "(1 - x^2)*y - 1.00000001*x"})
    assert not bf.check_proof(other, data)
    assert not bf.check_proof(bf.System.from_map({"x": "y", "y": "(1 - x^2)*y - x"}), data)
    cycle = cycle_of({"x": "y", "y": "(m - x^2)*y - x"}, {"m": 1.0}, {"x": 1.0, "y": 0.0})
    assert bf.check_proof(cycle.system, bf.prove(cycle, spread=1e-6).to_json())


def test_the_checker_verifies_a_cycle_of_three_states():
    pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
    cycle = cycle_of({"x": "-y - z", "y": "x + 0.2*y", "z": "0.2 + z*(x - 2.5)"}, state={"x": 1.0, "y": 1.0, "z": 0.1})
    assert bf.check_proof(cycle.system, bf.prove(cycle).to_json())


@pytest.mark.slow
def test_a_network(reference):
    """The published reduced network of the Hopf normal form, above its Hopf point."""
    network = bf.load_model(reference / "networks" / "hopf.mat")
    cycle = bf.find_cycle(network.with_(values={"lam": 2.7}))
    proof = bf.prove(cycle)
    assert proof.proved and proof.cycles[0].stable
    assert integrated(proof, cycle.system).max() < 1e-9


def test_command(tmp_path, capsys):
    file = tmp_path / "proof.json"
    assert bf.main(["prove", "brusselator", "--cycle", "--set", "B=3", "--json", str(file)]) == 0
    assert "There is a cycle" in capsys.readouterr().out
    data = json.loads(file.read_text())
    (cycle,) = data["cycles"]
    assert data["schema"] == "bifrncrn.proof/1" and data["proved"] and cycle["stable"] and cycle["least"]
    assert bf.main(["prove", "brusselator", "--cycle", "--set", "B=1"]) == 2
    assert "no cycle" in capsys.readouterr().err


def test_cycles_of_a_diagram():
    """Circles of radius sqrt(r): three of them are proved, and it is said that the others were not looked at."""
    system = bf.System.from_equations({"x": "r*x - y - x*(x^2 + y^2)", "y": "x + r*y - y*(x^2 + y^2)"}, {"r": -1})
    diagram = bf.with_orbits(bf.diagram(system, parameter="r", bounds=(-1, 1)))
    proof = bf.prove(diagram)
    assert proof.proved and len(proof.cycles) == 3 and len(proof.to_json()["cycles"]) == 3
    for cycle in proof.cycles:
        r = cycle.parameters["r"]
        assert cycle.stable and holds(cycle.period, 2 * math.pi, 1e-9) and holds(cycle.max["x"], math.sqrt(r), 1e-9)
        assert holds(cycle.multipliers[0], math.exp(-4 * math.pi * r), 1e-9)
    assert any("3 were looked at, each by itself, and 3 are proved" in note for note in proof.notes)
    assert "there is a cycle" in str(proof)

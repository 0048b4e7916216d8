"""Cycles of periodically forced models: found, followed from a cycle, compared; against closed forms and shooting.

`find_cycle` closes orbits within 1e-10; extremes and multipliers integrate over them (1e-9, 1e-8).
"""

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifrncrn as bf

# x' = -k x + cos(w t) has the one orbit x = (k cos w t + w sin w t)/(k^2 + w^2), multiplier exp(-2 pi k/w)
LINEAR = bf.System.from_equations(
    {"x": "-k*x + cos(w*t)"}, {"k": 0.5, "w": 2.0}, {"x": 3.0}, period="2*pi/w", definitions={"rate": "cos(w*t) - k*x"}
)
DUFFING = {"x": "y", "y": "-d*y + x - x^3 + F*cos(w*t)"}


def wells(**values):
    own = {"d": 0.3, "F": 0.1, "w": 1.2, **values}
    return bf.System.from_equations(DUFFING, own, {"x": 1.0, "y": 0.0}, period="2*pi/w")


def response(t, k, w):
    return (k * np.cos(w * t) + w * np.sin(w * t)) / (k**2 + w**2)


def test_a_cycle_in_closed_form():
    cycle = bf.find_cycle(LINEAR)
    assert cycle.period == np.pi and cycle.stable and cycle.columns == ("x",)
    assert cycle.times[0] == 0.0 and cycle.points.shape == (400, 1)
    assert cycle.points[:, 0] == pytest.approx(response(cycle.times, 0.5, 2.0), abs=1e-10)
    assert cycle.at([0.3, 7.0])[:, 0] == pytest.approx(response(np.array([0.3, 7.0]), 0.5, 2.0), abs=1e-10)
    assert cycle.multipliers == pytest.approx([np.exp(-0.5 * np.pi)], abs=1e-9)
    assert [cycle.min[0], cycle.max[0]] == pytest.approx([-1 / np.sqrt(4.25), 1 / np.sqrt(4.25)], abs=1e-8)
    assert bf.describe_attractor(LINEAR) == "cycle"
    assert "period 3.14159" in str(cycle)
    drawn = cycle.plot("rate").lines[0].get_xydata()
    rate = np.cos(2.0 * drawn[:, 0]) - 0.5 * response(drawn[:, 0], 0.5, 2.0)
    assert drawn[:, 1] == pytest.approx(rate, abs=1e-9)  # the states along the cycle are good to 1e-10


def test_a_cycle_that_repels_is_found_from_a_guess():
    model = bf.System.from_equations({"x": "k*x + cos(w*t)"}, {"k": 0.5, "w": 2.0}, {"x": 3.0}, period="2*pi/w")
    t = np.linspace(0, np.pi, 50, endpoint=False)
    cycle = bf.find_cycle(model, period=np.pi, guess=response(t, -0.5, 2.0)[:, None] + 0.01)
    assert not cycle.stable
    assert cycle.points[:, 0] == pytest.approx(response(cycle.times, -0.5, 2.0), abs=1e-9)
    with pytest.raises(bf.InputError, match="backward"):
        bf.find_cycle(model, backward=True)


def test_a_cycle_of_twice_the_period_and_its_branch():
    model = wells(F=0.28)
    cycle = bf.find_cycle(model)
    turns = round(cycle.period * 1.2 / (2 * np.pi))
    assert turns == 2 and cycle.stable
    run = solve_ivp(
        lambda t, x: [x[1], -0.3 * x[1] + x[0] - x[0] ** 3 + 0.28 * np.cos(1.2 * t)],
        (0, cycle.period), cycle.points[0], method="DOP853", rtol=1e-12, atol=1e-13, t_eval=[0.3, cycle.period],
    )  # fmt: skip
    assert run.y[:, 1] == pytest.approx(cycle.points[0], abs=1e-8)
    assert run.y[:, 0] == pytest.approx(cycle.at(0.3), abs=1e-8)
    branch = bf.orbits(cycle, (0.2, 0.3), parameter="F")
    assert branch.columns[:3] == ("F", "period", "min x") and branch.column("period")[0] == pytest.approx(cycle.period)
    # it begins where the orbits of one period double
    (doubling,) = bf.diagram(model, "F", (0.2, 0.3), start={"F": 0.2}).special("PD")[:1]
    assert min(abs(branch.points[:, 0] - doubling.parameters["F"])) < 1e-3


def test_a_diagram_with_the_cycle_that_the_start_settles_to():
    model = wells()
    found = bf.diagram(model, "F", (0.05, 0.2))
    other = bf.with_cycle(found, model, "F", (0.05, 0.2), start={"x": -1.0})
    assert len(other.branches) == len(found.branches) + 1
    left, right = other.branches[-1], found.branches[0]
    assert max(left.column("max x")) < 0 < min(right.column("min x"))
    again = bf.with_cycle(other, model, "F", (0.05, 0.2), start={"x": -1.0})
    assert len(again.branches) == len(other.branches) and "followed already" in again.notes[-1]


def test_two_forced_models_are_compared():
    same = bf.compare(wells(), wells(), parameter="F", bounds=(0.05, 0.2))
    assert same.verdict, str(same)
    assert same.orbit_distance < 1e-6
    other = bf.compare(wells(), wells(d=0.6), parameter="F", bounds=(0.05, 0.2))
    assert not other.verdict and any("extent" in reason or "cycle" in reason for reason in other.reasons)
    slower = bf.compare(wells(), wells(w=1.0), parameter="F", bounds=(0.05, 0.2))
    assert not slower.verdict


def test_the_command_line(tmp_path):
    model = tmp_path / "wells.toml"
    model.write_text(
        "[variables]\nx = 1.0\ny = 0.0\n[parameters]\nF = 0.1\n"
        '[equations]\nx = "y"\ny = "-0.3*y + x - x^3 + F*cos(1.2*t)"\n[options]\nperiod = "2*pi/1.2"\n'
    )
    words = ["diagram", str(model), "--parameter", "F", "--range", "0.05", "0.2", "--json", str(tmp_path / "out.json")]
    assert bf.main([*words, "--cycle", "--start", "x=-1"]) == 0
    data = json.loads((tmp_path / "out.json").read_text())
    assert [branch["kind"] for branch in data["branches"]] == ["periodic"]
    assert bf.main(["compare", str(model), str(model), "--parameter", "F", "--range", "0.05", "0.2"]) == 0


def test_a_period_that_is_no_multiple_of_the_forcing_s_is_refused():
    model = bf.System.from_equations({"x": "-x + cos(2*t)"}, state={"x": 0.0}, period="pi")
    with pytest.raises(bf.InputError, match="a multiple of that of the forcing"):
        bf.find_cycle(model, period=1.0, guess=np.zeros((8, 1)))

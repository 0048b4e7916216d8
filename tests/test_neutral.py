"""Centres and their like: nothing is unstable, and nothing is called stable; truths are closed forms."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import bifrncrn as bf

LOTKA_VOLTERRA = {"x": "a*x - x*y", "y": "x*y - y"}
BESIDE = {"x": "p*x - y - x*(x*x + y*y)", "y": "x + p*y - y*(x*x + y*y)", "u": "w*v", "v": "-w*u"}
"""A Hopf point at p = 0 with frequency 1, beside a centre with frequency w."""


@pytest.fixture(scope="module")
def predators():
    system = bf.System.from_equations(LOTKA_VOLTERRA, parameters={"a": 1.0})
    return bf.diagram(system, "a", (0.5, 2.0), start={"x": 1.0, "y": 1.0})


def test_a_centre_is_not_called_stable(predators):
    assert set(predators.branches[0].stability) == {"neutral"}
    assert (predators.branches[0].unstable == 0).all()  # no eigenvalue has a positive real part
    assert "neutral" in str(predators) and "stable throughout" not in str(predators)


def test_a_centre_is_drawn_in_a_line_of_its_own(predators):
    ax = predators.plot("x")
    drawn = {line.get_linestyle() for line in ax.get_lines() if line.get_label() == "_branch"}
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    plt.close(ax.figure)
    assert drawn == {"-."} and any("neutral" in word for word in words)


def test_a_centre_does_not_agree_with_what_attracts(predators):
    damped = bf.System.from_equations({"x": "a*x - x*y - 0.01*x*x", "y": "x*y - y"}, parameters={"a": 1.0})
    attracting = bf.diagram(damped, "a", (0.5, 2.0), start={"x": 1.0, "y": 0.99})
    compared = bf.compare(predators, attracting)
    assert not compared.verdict
    assert "the stability of equilibria of the first is not known" in " ".join(str(compared).split())


@pytest.mark.parametrize("start", [-1.0, 1.0])
@pytest.mark.parametrize("w", [1.0, 2.0])
def test_a_hopf_point_beside_a_centre(w, start):
    system = bf.System.from_equations(BESIDE, parameters={"p": start, "w": w})
    diagram = bf.diagram(system, "p", (-1.0, 1.0), start=dict.fromkeys("xyuv", 0.0))
    (point,) = diagram.special_points
    assert point.label == "HB" and abs(point.parameters["p"]) < 1e-12  # the accuracy of a located point
    assert abs(point.omega - 1.0) < 1e-12
    assert any("stays imaginary" in note for note in diagram.notes)
    branch = diagram.branches[0]
    p = branch.column("p")
    assert (branch.unstable[p > 1e-9] == 2).all() and (branch.stability[p < -1e-9] == "neutral").all()


def test_a_hopf_point_beside_a_centre_in_other_coordinates():
    rng = np.random.default_rng(7)
    q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    names = [f"z{k}" for k in range(4)]
    old = {name: " + ".join(f"({float(q[i, j])!r})*{names[j]}" for j in range(4)) for i, name in enumerate("xyuv")}
    rates = {name: BESIDE[name] for name in "xyuv"}
    equations = {
        names[j]: " + ".join(f"({float(q[i, j])!r})*d{name}" for i, name in enumerate("xyuv")) for j in range(4)
    }
    definitions = {**old, **{f"d{name}": rates[name] for name in "xyuv"}}
    system = bf.System.from_equations(equations, parameters={"p": -1.0, "w": 2.0}, definitions=definitions)
    diagram = bf.diagram(system, "p", (-1.0, 1.0), start=dict.fromkeys(names, 0.0))
    (point,) = diagram.special_points
    assert point.label == "HB" and abs(point.parameters["p"]) < 1e-12 and abs(point.omega - 1.0) < 1e-12


def test_elliptic_fixed_points_are_not_called_stable():
    system = bf.System.from_map({"x": "1 - a*x*x + y", "y": "-x"}, parameters={"a": 0.2})  # Henon's map, of area kept
    diagram = bf.diagram(system, "a", (0.1, 0.5), start={"x": 0.46, "y": -0.46})
    assert set(diagram.branches[0].stability) == {"neutral"}
    assert "neutral" in str(diagram)


def test_the_pendulum_whose_weight_changes_sign():
    """At a = 0 all angles are equilibria; a branch leaves at each multiple of pi, and what is between is nothing."""
    system = bf.System.from_equations({"x": "y", "y": "-a*sin(x)"}, parameters={"a": 1.0})
    diagram = bf.diagram(system, "a", (-1.0, 2.0), start={"x": 0.0, "y": 0.0})
    angles = np.sort([point.state["x"] for point in diagram.special("BP")]) / np.pi
    reach = round(angles[-1])
    assert reach >= 5 and np.allclose(angles, np.arange(-reach, reach + 1), atol=1e-9)
    assert len(diagram.branches) == 2 + 2 * reach
    assert diagram.branches[1].ended[0].reason == "continuum"
    assert "stable equilibria" not in str(diagram) and "neutral" in str(diagram)
    assert any('periodic=["x"]' in note for note in diagram.notes)


@pytest.mark.parametrize("a", ["x/a", "a*x"])
def test_competitors_that_are_alike(a):
    """Where competition is as strong as crowding, all of x + y = 1 are equilibria; there are no folds."""
    system = bf.System.from_equations({"x": "x*(1 - x - a*y)", "y": f"y*(1 - y - {a})"}, parameters={"a": 0.5})
    diagram = bf.diagram(system, "a", (0.5, 2.0), start={"x": 1.0, "y": 0.0})
    at_one = [p for p in diagram.special_points if abs(p.parameters["a"] - 1.0) < 1e-9]
    assert {p.label for p in diagram.special_points} == {"BP"} and len(at_one) == len(diagram.special_points)
    places = sorted((p.state["x"], p.state["y"]) for p in at_one)
    assert np.allclose(places[0], (0.0, 1.0), atol=1e-9) and np.allclose(places[-1], (1.0, 0.0), atol=1e-9)
    (line,) = [b for b in diagram.branches if np.ptp(b.column("a")) < 1e-9]
    assert np.allclose(line.column("x") + line.column("y"), 1.0, atol=1e-9)
    assert set(line.stability) == {"neutral"} and {end.reason for end in line.ended} == {"continuum"}
    ax = diagram.plot("x")
    low, high = ax.get_ylim()
    plt.close(ax.figure)
    assert -4.0 < low < 0.0 and 1.0 < high < 4.0  # how far the line was followed sets no limits


def test_the_endemic_state_of_an_epidemic_with_waning_immunity():
    """It leaves the state without disease at b = 1: I = (1 - 1/b) / 11, R = 10 I; the sum is kept."""
    equations = {"S": "-b*S*I + 0.1*R", "I": "b*S*I - I", "R": "I - 0.1*R"}
    system = bf.System.from_equations(equations, parameters={"b": 0.5})
    diagram = bf.diagram(system, "b", (0.5, 3.0), start={"S": 1.0, "I": 0.0, "R": 0.0})
    (point,) = diagram.special_points
    assert point.label == "BP" and abs(point.parameters["b"] - 1.0) < 1e-12
    free, endemic = diagram.branches
    assert (free.column("I") == 0.0).mean() > 0.9
    b = endemic.column("b")
    assert np.allclose(endemic.column("I"), (1.0 - 1.0 / b) / 11.0, atol=1e-9)
    assert b.min() == 0.5 and b.max() == 3.0
    assert (endemic.stability[b > 1.0 + 1e-6] == "stable").all()


def test_a_hopf_point_of_vertical_cycles_has_no_criticality():
    """May and Leonard's competitors, at a + b = 2 (SIAM J. Appl. Math. 29, 1975, 243)."""
    a, b = "a", "0.5"
    equations = {x: f"{x}*(1 - {x} - {a}*{y} - {b}*{z})" for x, y, z in ("xyz", "yzx", "zxy")}
    system = bf.System.from_equations(equations, parameters={"a": 0.6})
    start = dict.fromkeys("xyz", 1.0 / 2.1)
    (point,) = bf.diagram(system, "a", (0.6, 2.0), start=start).special("HB")
    assert abs(point.parameters["a"] - 1.5) < 1e-12 and abs(point.omega - np.sqrt(3.0) / 6.0) < 1e-12
    assert point.l1 == 0.0 and point.criticality is None

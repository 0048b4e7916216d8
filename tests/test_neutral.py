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


def mixed(equations, parameters):
    """Return a system in coordinates turned at random, and its start at zero."""
    n, old_names = len(equations), list(equations)
    q = np.linalg.qr(np.random.default_rng(7).normal(size=(n, n)))[0]
    names = [f"z{k}" for k in range(n)]

    def combined(column, parts):
        return " + ".join(f"({float(value)!r})*{part}" for value, part in zip(column, parts, strict=True))

    old = {name: combined(q[i], names) for i, name in enumerate(old_names)}
    rates = [f"d{name}" for name in old_names]
    turned = {names[j]: combined(q[:, j], rates) for j in range(n)}
    definitions = {**old, **dict(zip(rates, equations.values(), strict=True))}
    system = bf.System.from_equations(turned, parameters=parameters, definitions=definitions)
    return system, dict.fromkeys(names, 0.0)


def test_a_hopf_point_beside_a_centre_in_other_coordinates():
    system, start = mixed(BESIDE, {"p": -1.0, "w": 2.0})
    (point,) = bf.diagram(system, "p", (-1.0, 1.0), start=start).special_points
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


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_a_line_of_equilibria_between_walls_is_neutral_at_any_value(shift):
    """All of x + y = 1 are equilibria at a = shift; walls end the line before anything else does."""
    a = f"(a + {1.0 - shift})"
    equations = {"x": f"x*(1 - x - {a}*y)", "y": f"y*(1 - y - {a}*x)"}
    system = bf.System.from_equations(equations, parameters={"a": shift - 0.5})
    walls = {"x": (-0.5, 2.0), "y": (-0.5, 2.0)}
    diagram = bf.diagram(system, "a", (shift - 0.5, shift + 1.0), start={"x": 1.0, "y": 0.0}, walls=walls)
    (line,) = [b for b in diagram.branches if np.ptp(b.column("a")) < 1e-9]
    assert set(line.stability) == {"neutral"} and "continuum" not in {end.reason for end in line.ended}


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


@pytest.mark.parametrize("rate", [1e10, 1e11])
def test_an_l1_beside_fast_states_is_not_taken_for_rounding(rate):
    """The Brusselator with x in fast exchange with a dimer: l1 tends to a limit (-0.034499 at the rate 1e8)."""
    equations = {"x": "1 - (B + 1)*x + x^2*y - 2*K*(x^2 - d)", "y": "B*x - x^2*y", "d": "K*(x^2 - d)"}
    system = bf.System.from_equations(equations, {"B": 1.5, "K": rate}, {"x": 1.0, "y": 1.5, "d": 1.0})
    (point,) = bf.diagram(system, "B", (1.0, 8.0)).special("HB")
    # its terms, of the size of the rate, cancel: 1e-16 of 1e11 is 3e-4 of it, and there are some ten of them
    assert point.l1 == pytest.approx(-0.0345, rel=3e-3) and point.criticality == "supercritical"


def test_a_state_that_is_a_logarithm_is_on_no_line_of_equilibria():
    """x = log p, whose eigenvalue is p, from p = 1e-12 on."""
    system = bf.System.from_equations({"x": "exp(x) - p"}, {"p": 1e-12}, {"x": float(np.log(1e-12))})
    (branch,) = bf.diagram(system, "p", (-1.0, 1.0)).branches
    assert set(branch.stability) == {"unstable"} and "continuum" not in {end.reason for end in branch.ended}


def test_a_parameter_that_moves_by_a_small_part_of_itself():
    system = bf.System.from_equations({"x": "1/(1 + ((p - 2e14)/5e3)^2) - x"}, {"p": 2e14}, {"x": 1.0})
    (branch,) = bf.diagram(system, "p", (2e14 - 9e3, 2e14 + 9e3)).branches
    assert set(branch.stability) == {"stable"}


def test_a_state_whose_terms_saturate_is_no_angle():
    system = bf.System.from_equations({"x": "p - x^12/(1 + x^12)"}, {"p": 0.5}, {"x": 60.0})
    assert not any("2 pi" in note for note in bf.diagram(system, "p", (0.0, 1.0), start={"x": 1.0}).notes)


def test_crossings_of_rounding_are_one_hopf_point_that_is_not_located():
    """The same at the rate 1e12: real parts are known to 1e-3, and B to as much; the limit is B = 6."""
    equations = {"x": "1 - (B + 1)*x + x^2*y - 2*K*(x^2 - d)", "y": "B*x - x^2*y", "d": "K*(x^2 - d)"}
    system = bf.System.from_equations(equations, {"B": 1.5, "K": 1e12}, {"x": 1.0, "y": 1.5, "d": 1.0})
    diagram = bf.diagram(system, "B", (1.0, 8.0))
    (point,) = diagram.special_points
    assert (point.label, point.status) == ("HB", "bracketed") and point.bracket[0] < 6.0 < point.bracket[1]
    assert any("but rounding" in note for note in diagram.notes) and not any("2 pi" in note for note in diagram.notes)


def test_a_centre_beside_a_fast_state_in_no_coordinate_makes_no_hopf_points():
    """In mixed coordinates a rate of 1e6 moves real parts by 1e-10: those of the centre are rounding all along."""
    system, start = mixed(BESIDE | {"f": "-1e6*f"}, {"p": -1.0, "w": 2.0})
    diagram = bf.diagram(system, "p", (-1.0, 1.0), start=start, options=bf.Options(max_points=500))
    assert not [point for point in diagram.special_points if point.status == "converged"]
    assert "stable" not in set(diagram.branches[0].stability)
    assert any("but rounding" in note for note in diagram.notes)


def test_a_cycle_that_closes_by_errors_is_none():
    """Prey that fall to 1e-17 and below, under any error: what closes within errors is not closed in log N."""
    equations = {"N": "N*(1 - N/3) - N*P/(1 + N)", "P": "N*P/(1 + N) - m*P"}
    system = bf.System.from_equations(equations, {"m": 0.05}, {"N": 0.5, "P": 0.5})
    cycle = bf.find_cycle(system)
    assert cycle is None
    assert len(bf.attractors(system, {"N": (0.1, 3.0), "P": (0.1, 3.0)}, samples=3)) == 0

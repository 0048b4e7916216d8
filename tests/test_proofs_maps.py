"""Proofs about maps: closed forms lie in what is proved, and what is not proved is not said."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import bifrncrn as bf


def encloses(side, value):
    return side[0] <= value <= side[1]


def logistic(r, x):
    return bf.System.from_map({"x": "r*x*(1 - x)"}, parameters={"r": r}, state={"x": x})


def test_the_period_doubling_of_the_logistic_map():
    proof = bf.prove(bf.diagram(logistic(2.5, 0.6), "r", (1.5, 4.0)))
    (point,) = proof.special_points
    assert proof.proved and point.label == "PD"
    assert encloses(point.parameters["r"], 3.0) and encloses(point.state["x"], 2.0 / 3.0)
    assert encloses(point.detail["b"], 9.0) and point.detail["unstable"] == [0, 1]
    assert np.ptp(point.parameters["r"]) < 1e-10
    assert "multipliers are on the unit circle" in str(proof) and "eigenvalues" not in str(proof)


def test_a_period_doubling_of_a_two_cycle():
    """The 2-cycle of the logistic map doubles at 1 + sqrt(6)."""
    r = 3.2
    x = (r + 1.0 - math.sqrt((r - 3.0) * (r + 1.0))) / (2.0 * r)
    proof = bf.prove(bf.diagram(logistic(r, x), "r", (3.1, 3.6), iterations=2))
    (point,) = proof.special_points
    assert proof.proved and point.detail["iterations"] == 2
    assert encloses(point.parameters["r"], 1.0 + math.sqrt(6.0))


def test_a_fold_and_a_period_doubling_of_the_henon_map():
    """At a = -(1 - b)^2 / 4 and a = 3 (1 - b)^2 / 4."""
    henon = {"x": "1 - a*x^2 + y", "y": "b*x"}
    system = bf.System.from_map(henon, parameters={"a": 0.2, "b": 0.3}, state={"x": 0.6, "y": 0.2})
    diagram = bf.diagram(system, "a", (-0.2, 1.0), walls={"x": (-20.0, 20.0)})
    proof = bf.prove(diagram)
    found = {point.label: point for point in proof.special_points}
    assert encloses(found["LP"].parameters["a"], -0.1225) and encloses(found["PD"].parameters["a"], 0.3675)
    assert all(point.proved for point in found.values())


def test_the_torus_of_the_delayed_logistic_map():
    """At r = 2, with multipliers exp(+- i pi / 3) (Kuznetsov, Elements of Applied Bifurcation Theory, 4.7)."""
    system = bf.System.from_map({"x": "r*x*(1 - y)", "y": "x"}, parameters={"r": 1.5}, state={"x": 0.3, "y": 0.3})
    proof = bf.prove(bf.diagram(system, "r", (1.2, 2.3)))
    (point,) = proof.special_points
    assert proof.proved and point.label == "NS" and point.detail["unstable"] == [0, 2]
    assert encloses(point.parameters["r"], 2.0) and encloses(point.detail["theta"], math.pi / 3.0)
    assert encloses(point.detail["re_d"], -1.0)
    record = json.loads(json.dumps(proof.to_json()))
    assert record["kind"] == "map" and record["special_points"][0]["re_d"][1] < 0.0


def test_a_strong_resonance_is_not_proved():
    """x -> R (x + ...) turns by a quarter at the point: 1:4, where the coefficients decide nothing."""
    turn = {"x": "-a*y*(1 - x^2 - y^2)", "y": "a*x*(1 - x^2 - y^2)"}
    system = bf.System.from_map(turn, parameters={"a": 0.7}, state={"x": 0.0, "y": 0.0})
    proof = bf.prove(bf.diagram(system, "a", (0.5, 1.5)))
    assert not proof.proved
    assert not any(point.proved for point in proof.special_points if point.label == "NS")


@pytest.mark.parametrize("seed", range(3))
def test_coefficients_lie_in_what_is_proved(seed):
    """Random cubic maps of three states: the diagram's coefficients, computed another way, are in the enclosures."""
    rng = np.random.default_rng(seed)
    a = (rng.normal(size=(3, 3)) * 0.6).tolist()
    b, c = rng.normal(size=3).tolist(), rng.normal(size=3).tolist()
    f = {
        f"x{i}": " + ".join(f"({a[i][j]!r})*p*x{j}" for j in range(3))
        + f" + ({b[i]!r})*x{i}*x{(i + 1) % 3} + ({c[i]!r})*x{i}^3"
        for i in range(3)
    }
    system = bf.System.from_map(f, parameters={"p": 0.5}, state=dict.fromkeys(f, 0.0))
    diagram = bf.diagram(system, "p", (0.2, 6.0), max_branches=1)
    proof = bf.prove(diagram)
    shown = {(p.label, round(p.parameters["p"], 6)): p for p in diagram.special_points if p.branch == 0}
    proved = [point for point in proof.special_points if point.proved and point.label in ("PD", "NS")]
    assert proved
    for point in proved:
        own = shown[point.label, round(point.parameters["p"][0], 6)]
        name, value = ("b", own.b) if point.label == "PD" else ("re_d", own.re_d)
        low, high = point.detail[name]
        assert low - 1e-9 * abs(value) <= value <= high + 1e-9 * abs(value)


def test_a_fold_does_not_cover_for_a_period_doubling_that_is_left_out():
    """x + r - s x^2 folds at 0, and doubles at x = 1/s, so near that one box about the fold holds both multipliers."""
    system = bf.System.from_map({"x": "x + r - s*x^2"}, parameters={"r": 2e5, "s": 2e5}, state={"x": 1.0})
    diagram = bf.diagram(system, "r", (-1, 2e7))
    fold, doubling = diagram.special_points
    assert (fold.label, doubling.label) == ("LP", "PD") and bf.prove(diagram).proved
    assert not bf.prove(replace(diagram, special_points=(fold,))).proved


def in_box(equations, bounds, box, values=None):
    system = bf.System.from_map(equations, parameters={"r": bounds[0], **(values or {})}, state=dict.fromkeys(box, 0.5))
    return bf.prove(system, parameter="r", bounds=bounds, box=box)


def test_the_logistic_map_in_a_box():
    """x = 0 and x = 1 - 1/r cross at r = 1; the multiplier 2 - r is -1 at r = 3."""
    proof = in_box({"x": "r*x*(1 - x)"}, (0.5, 3.5), {"x": (-0.5, 1.5)})
    assert proof.proved and proof.branches == 2 and proof.kind == "map"
    assert [p.label for p in proof.special_points] == ["BP", "PD"]
    crossing, doubling = proof.special_points
    assert encloses(crossing.parameters["r"], 1.0) and crossing.detail["kind"] == "transcritical"
    assert encloses(doubling.parameters["r"], 3.0) and encloses(doubling.state["x"], 2 / 3)
    assert doubling.detail["unstable"] == [0, 1] and doubling.detail["b"][0] > 0
    assert "period doubling" in str(proof) and "equilibri" not in str(proof) and "eigenvalue" not in str(proof)


def test_the_henon_map_in_a_box():
    """b = 0.3: its fold at -(1 - b)^2/4, its period doubling at 3 (1 - b)^2/4."""
    proof = in_box({"x": "1 - r*x^2 + y", "y": "b*x"}, (-0.2, 1.4), {"x": (-3, 3), "y": (-1, 1)}, {"b": 0.3})
    assert proof.proved and [p.label for p in proof.special_points] == ["LP", "PD"]
    fold, doubling = (p.parameters["r"] for p in proof.special_points)
    assert fold[0] - 1e-12 < -0.1225 < fold[1] + 1e-12 and doubling[0] - 1e-12 < 0.3675 < doubling[1] + 1e-12


def test_the_delayed_logistic_map_in_a_box():
    """Its Neimark-Sacker point at r = 2 with angle pi/3; the determinant is one at real multipliers as well."""
    proof = in_box({"x": "r*x*(1 - y)", "y": "x"}, (0.5, 2.5), {"x": (-0.5, 1.5), "y": (-0.5, 1.5)})
    assert proof.proved and [p.label for p in proof.special_points] == ["BP", "NS"]
    torus = proof.special_points[1]
    assert encloses(torus.parameters["r"], 2.0) and encloses(torus.detail["theta"], math.pi / 3)
    neutral = in_box({"x": "(2 + r)*x + y", "y": "x + y"}, (-0.3, 0.35), dict.fromkeys("xy", (-1, 1)))
    assert neutral.proved and not neutral.special_points


@pytest.mark.parametrize(
    "equations",
    [
        {"x": "-(1 + r)*x + x^5"},  # b is zero
        {"x": "-(1 + r)*y + x^2", "y": "(1 + r)*x + x*y"},  # multipliers i and -i
        {"x": "x + r - x^2", "y": "-y + r*y + x*y"},  # a fold and a multiplier -1
    ],
)
def test_what_a_box_of_a_map_must_not_prove(equations):
    proof = in_box(equations, (-0.3, 0.35), dict.fromkeys(equations, (-1, 1)))
    assert not proof.proved and not proof.special_points and proof.undecided


def test_what_lies_just_outside_of_the_box():
    """x + r x - x^3: along x^2 = r the multiplier is 1 - 2 r, so there is a period doubling at r = 1."""
    for right in (0.35, 0.99, 1.25):
        proof = in_box({"x": "x + r*x - x^3"}, (-0.3, right), {"x": (-1.2, 1.2)})
        assert proof.proved and [p.label for p in proof.special_points] == ["BP"] + ["PD"] * (2 * (right > 1))

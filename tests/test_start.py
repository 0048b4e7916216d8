"""From a rough start to an equilibrium, and what is said when there is none."""

import numpy as np
import pytest

import bifrncrn as bf

system = bf.System.from_equations
BRUSSELATOR = system({"x": "a - (b+1)*x + x**2*y", "y": "b*x - x**2*y"}, {"a": 1, "b": 1}, {"x": 1, "y": 1})


def test_an_exact_start_is_not_spoken_of():
    assert bf.diagram(system({"x": "r - x"}, {"r": 1}, {"x": 1}), "r", (0, 2)).notes == ()


def test_a_correction_is_said():
    notes = bf.diagram(system({"x": "r - x"}, {"r": 1}, {"x": 7}), "r", (0, 2)).notes
    assert notes == ("The start was corrected by Newton's method.",)


def test_a_start_inside_a_limit_cycle():
    found = bf.diagram(BRUSSELATOR, "b", (0.5, 3), start={"x": 3, "y": 0.2, "b": 2.8})
    assert found.special("HB")[0].parameters["b"] == pytest.approx(2.0, abs=1e-10)


def test_a_start_in_the_middle_when_the_own_value_is_outside():
    found = bf.diagram(BRUSSELATOR, "b", (1.5, 3))
    assert "b=1 lies outside the range; the start was taken at b=2.25" in found.notes[0]


@pytest.mark.parametrize("b", [2.0, 2.0 + 1e-13])
def test_a_start_on_a_special_point(b):
    found = bf.diagram(BRUSSELATOR, "b", (0.5, 3), start={"b": b, "x": 1, "y": 2})
    (hopf,) = found.special_points
    assert hopf.label == "HB" and hopf.parameters["b"] == pytest.approx(2.0, abs=1e-9)


def test_a_start_on_a_fold():
    found = bf.diagram(system({"x": "r - x**2"}, {"r": 0}), "r", (-1, 1))
    (fold,) = found.special_points
    assert fold.label == "LP" and abs(fold.parameters["r"]) < 1e-12 and fold.residual < 1e-9


@pytest.mark.parametrize("equation", ["1 + x**2 + 0*r", "1 + r + 0*x", "exp(x) + 0*r", "1 + x**2 + r"])
def test_no_equilibrium_at_all(equation):
    with pytest.raises(bf.ConvergenceError, match=r"no equilibrium was found from the start x=0 at r=1.*--start"):
        bf.diagram(system({"x": equation}, {"r": 1}), "r", (0.5, 3))


def test_a_start_where_the_model_is_not_finite():
    with pytest.raises((bf.ConvergenceError, bf.InputError), match="x=-1"):
        bf.diagram(system({"x": "r - log(x)"}, {"r": 0}, {"x": -1}), "r", (-1, 1))


@pytest.mark.parametrize(
    ("start", "word"),
    [
        ({"x": float("nan")}, "finite number"),
        ({"x": float("inf")}, "finite number"),
        ({"x": "much"}, "finite number"),
        ({"x": None}, "finite number"),
        ({"q": 1}, "there is no variable 'q'"),
        ({"b": 7}, "outside its range"),
        ({"a": 7}, "no variable 'a'"),
    ],
)
def test_starts_that_are_none(start, word):
    with pytest.raises(bf.InputError, match=word):
        bf.diagram(BRUSSELATOR, "b", (0.5, 3), start=start)


def test_a_start_is_not_taken_to_where_the_equations_are_not_defined():
    model = bf.System.from_equations(
        {"x": "x*(1-x) - a*x*y/(0.2+x)", "y": "0.3*y*(1 - y/x)"}, {"a": 0.5}, {"x": 0.1, "y": 0.1}
    )
    rows = bf.diagram(model, bounds=(0.3, 1.5)).branches[0].points
    # x = y and (1 - x)(0.2 + x) = a x
    np.testing.assert_allclose((1 - rows[:, 1]) * (0.2 + rows[:, 1]), rows[:, 0] * rows[:, 1], atol=1e-10)
    assert rows[:, 1].min() > 0.1


def test_a_start_is_not_taken_to_the_far_side_of_a_pole():
    # s/(1 + s) + s/50 = v: from s = 40 at v = 0.3 Newton's method goes to s = -36, but the solution to s = 0.42
    model = system({"s": "v - s/(1 + s) - s/50"}, {"v": 0.3}, {"s": 40})
    found = bf.diagram(model, "v", (0.2, 0.9))
    (branch,) = found.branches
    np.testing.assert_allclose(
        branch.points[:, 1] / (1 + branch.points[:, 1]) + branch.points[:, 1] / 50, branch.points[:, 0]
    )
    assert branch.points[:, 1].min() > 0.2
    assert "integration" in found.notes[0]


def test_a_start_on_the_far_side_of_a_pole_stays_there():
    found = bf.diagram(system({"s": "v - s/(1 + s) - s/50"}, {"v": 0.3}, {"s": -36}), "v", (0.2, 0.9))
    assert found.branches[0].points[:, 1].max() < -5


@pytest.mark.parametrize("far", [1e30, 1e100, 1e300])
@pytest.mark.parametrize(("field", "x"), [("p - x", 1.0), ("p*exp(-x) - x", 0.5671432904097838)])
def test_a_start_of_any_size_leads_to_what_is_an_equilibrium(far, field, x):
    """From 1e30 on Newton's method comes to x = 0, from where every step is short beside the start."""
    system = bf.System.from_equations({"x": field}, parameters={"p": 1.0}, state={"x": far})
    (branch,) = bf.diagram(system, "p", (0.5, 2.0)).branches
    assert np.interp(1.0, branch.column("p"), branch.column("x")) == pytest.approx(x, abs=1e-3)  # between two rows


def test_a_state_at_rest_while_others_oscillate():
    """The cycle x^2 + y^2 = 1 goes around the origin, whose z and w stay at zero, or come to it."""
    pair = {"x": "x*(1 - x^2 - y^2) - p*y", "y": "y*(1 - x^2 - y^2) + p*x"}
    model = system({**pair, "z": "-z", "w": "-w"}, {"p": 1.0}, {"x": 1, "y": 0, "z": 0.3, "w": 0})
    found = bf.diagram(model, "p", (0.5, 2))
    assert "oscillates" in found.notes[0]
    np.testing.assert_allclose(found.branches[0].points[:, 1:], 0.0, atol=1e-9)  # Newton's method stops there


def test_a_start_at_the_end_of_the_range_but_for_rounding_is_at_it():
    system = bf.System.from_equations({"x": "p - x"}, {"p": 1.0}, {"x": 1.0})
    below = float(np.nextafter(1.0, 0.0))
    found = bf.diagram(system, "p", (1, 3), start={"p": below, "x": below})
    assert found.branches[0].column("p").min() == pytest.approx(1.0, abs=1e-15)  # corrected, to rounding
    with pytest.raises(bf.InputError, match="outside its range"):
        bf.diagram(system, "p", (1, 3), start={"p": 1.0 - 1e-9, "x": 1.0})

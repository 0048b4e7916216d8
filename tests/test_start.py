"""From a rough start to an equilibrium, and what is said when there is none."""

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.start import find_start, newton, settle

system = bf.System.from_equations
BRUSSELATOR = system({"x": "a - (b+1)*x + x**2*y", "y": "b*x - x**2*y"}, {"a": 1, "b": 1}, {"x": 1, "y": 1})


def problem(model, parameter=0):
    return EquilibriumProblem(model, parameter)


def test_newton_converges_quadratically_to_the_root():
    found = newton(problem(system({"x": "r - x**2"}, {"r": 2}, {"x": 5})), np.array([5.0, 2.0]))
    assert found == pytest.approx([np.sqrt(2), 2.0], rel=1e-15)


def test_newton_does_not_take_a_short_step_for_a_root():
    assert newton(problem(system({"x": "1 + x**2 + 0*r"}, {"r": 1})), np.array([0.0, 1.0])) is None
    assert newton(problem(system({"x": "1 + r + 0*x"}, {"r": 1})), np.array([0.0, 1.0])) is None


def test_newton_stays_inside_the_walls():
    model = system({"x": "log(x) - r"}, {"r": -3}, {"x": 2}, nonnegative=True)
    found = newton(problem(model), np.array([2.0, -3.0]))
    assert found[0] == pytest.approx(np.exp(-3.0), rel=1e-12)


def test_newton_rejects_a_root_outside_the_walls():
    model = system({"x": "x + r"}, {"r": 1}, {"x": 2}, nonnegative=True)
    assert newton(problem(model), np.array([2.0, 1.0])) is None


def test_an_exact_start_is_not_spoken_of():
    assert bf.diagram(system({"x": "r - x"}, {"r": 1}, {"x": 1}), "r", (0, 2)).notes == ()


def test_a_correction_is_said():
    notes = bf.diagram(system({"x": "r - x"}, {"r": 1}, {"x": 7}), "r", (0, 2)).notes
    assert notes == ("The start was corrected by Newton's method.",)


def test_settling_is_said():
    # Newton's method runs off from 3 on the far side of the maximum of the slope
    model = system({"x": "-tanh(4*x) + 0*r"}, {"r": 1}, {"x": 3})
    at, note = find_start(problem(model), np.array([3.0, 1.0]))
    assert abs(at[0]) < 1e-12
    assert "corrected" in note


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


def test_settling_does_not_cross_a_pole():
    """The solution grows towards x = 1 and ends there; the equilibrium at x = 3 + sqrt(2) lies beyond it."""
    model = bf.System.from_equations({"x": "lam + x^2/(1 - x)"}, {"lam": 8.0}, {"x": 0.9})
    # equilibria: x^2 - lam*x + lam = 0, x = 4 +- 2*sqrt(2): both beyond the pole at 1
    found = settle(problem(model), np.array([0.9, 8.0]))
    assert found is None


def test_settling_finds_the_equilibrium_inside_of_a_cycle():
    model = bf.System.from_equations({"x": "y", "y": "mu*(1 - x^2)*y - x"}, {"mu": 1.0}, {"x": 2.0, "y": 0.0})
    at, note = settle(problem(model), np.array([2.0, 0.0, 1.0]))
    assert np.allclose(at[:2], 0, atol=1e-12) and "oscillates" in note


def test_settling_waits_for_what_is_slow():
    """At rest after some 1e5 units of time."""
    model = bf.System.from_equations({"x": "1e-5*(1 - x)", "y": "x - y"}, {"mu": 1.0}, {"x": 100.0, "y": 0.0})
    at, note = settle(problem(model), np.array([100.0, 0.0, 1.0]))
    assert np.allclose(at[:2], 1) and "settled" in note


def test_a_start_is_not_taken_to_where_the_equations_are_not_defined():
    model = bf.System.from_equations(
        {"x": "x*(1-x) - a*x*y/(0.2+x)", "y": "0.3*y*(1 - y/x)"}, {"a": 0.5}, {"x": 0.1, "y": 0.1}
    )
    rows = bf.diagram(model, bounds=(0.3, 1.5)).branches[0].points
    # x = y and (1 - x)(0.2 + x) = a x
    np.testing.assert_allclose((1 - rows[:, 1]) * (0.2 + rows[:, 1]), rows[:, 0] * rows[:, 1], atol=1e-10)
    assert rows[:, 1].min() > 0.1

"""Maps of textbooks that went wrong once: against closed forms and scipy's own root finder."""

import numpy as np
import pytest
from scipy.optimize import brentq, fsolve

import bifrncrn as bf


def test_predators_that_died_out_but_for_rounding_come_back():
    """Ricker's prey with a predator: at K = 1 / a a branch of both leaves, and turns to a torus where det J = 1."""
    r, a = 1.0, 0.4
    system = bf.System.from_map(
        {"n": "n*exp(r*(1 - n/K) - a*p)", "p": "n*(1 - exp(-a*p))"},
        parameters={"r": r, "K": 2.0, "a": a},
        state={"n": 1.0, "p": 1.0},
    )

    def both(k):
        def gaps(x):
            n, p = x
            return r * (1.0 - n / k) - a * p, n * (1.0 - np.exp(-a * p)) - p

        return fsolve(gaps, (0.3 * k, 1.0), xtol=1e-12)

    def excess(k):
        n, p = both(k)
        fade = np.exp(-a * p)
        return (1.0 - r * n / k) * a * n * fade + a * n * (1.0 - fade) - 1.0

    diagram = bf.diagram(system, "K", (0.5, 12.0))
    (point,) = diagram.special("BP")
    assert point.parameters["K"] == pytest.approx(1.0 / a, abs=1e-10)
    (torus,) = diagram.special("NS")
    expected = brentq(excess, 5.0, 11.0, xtol=1e-13)
    assert torus.parameters["K"] == pytest.approx(expected, abs=1e-9)
    assert [*torus.state.values()] == pytest.approx(both(expected), abs=1e-8)
    assert not any("could not be followed" in note for note in diagram.notes)


def test_a_multiplier_that_comes_to_one_far_out_is_not_neutral():
    """Lozi's fixed point 1 / (1 + a - b) goes to infinity at a = b - 1, its multiplier to 1; the map keeps no areas."""
    system = bf.System.from_map({"x": "1 - a*abs(x) + y", "y": "b*x"}, {"a": 0.5, "b": 0.3}, {"x": 0.5, "y": 0.2})
    diagram = bf.diagram(system, "a", (-1.5, 1.8), doublings=1)
    branch = diagram.branches[0]
    assert branch.ended[0].reason == "infinity" or branch.ended[1].reason == "infinity"
    assert np.isin(branch.unstable, (0, 1)).all() and "neutral" not in branch.stability[np.abs(branch.points[:, 1]) > 9]
    assert not any("keeps areas" in note for note in diagram.notes)
    assert any("form a line" in note for note in diagram.notes)  # the two-cycles at a = 1 - b


@pytest.mark.parametrize("shift", [0.3, 0.0])
def test_a_line_of_two_cycles_is_one_at_any_value(shift):
    """Of x -> -(1 - shift + a) x every point is one of a two-cycle at a = shift."""
    system = bf.System.from_map({"x": f"-({1.0 - shift} + a)*x"}, {"a": 0.1}, {"x": 0.0})
    notes = bf.diagram(system, "a", (-0.5, 0.6), doublings=1).notes
    assert any(f"At a={shift:g} " in note and "form a line" in note for note in notes)
    assert not any("keeps areas" in note for note in notes)


GRAZING = {
    "root": {"x": "x/2 + y + rho", "y": "-x/10 - sqrt(max(x, 0))"},
    "choice": {"x": "if(x < 0, x/2 + y + rho, y + rho - sqrt(x) + x/2)", "y": "-x/10"},
}


@pytest.mark.parametrize("form", GRAZING)
@pytest.mark.parametrize("start", [-0.1, 0.1])
def test_a_grazing_map_goes_on_beyond_its_root(form, start):
    """Nordmark's: x = rho / 0.6 before rho = 0, 0.6 x + sqrt(x) = rho beyond; the derivative is infinite at once."""
    system = bf.System.from_map(GRAZING[form], {"rho": start}, {"x": 0.1 * start, "y": 0.0})
    diagram = bf.diagram(system, "rho", (-0.2, 0.2))
    (branch,) = diagram.branches
    assert [end.reason for end in branch.ended] == ["range", "range"]
    rho, x = branch.points[:, 0], branch.points[:, 1]
    closed = np.where(rho < 0, rho / 0.6, ((np.sqrt(1.0 + 2.4 * np.abs(rho)) - 1.0) / 1.2) ** 2)
    np.testing.assert_allclose(x, closed, atol=1e-10)
    (point,) = diagram.special_points
    assert point.label == "BC" and abs(point.parameters["rho"]) < 1e-12
    assert (branch.unstable[rho < -1e-6] == 0).all() and (branch.unstable[rho > 1e-6] > 0).all()


def test_a_tank_that_leaks_by_a_root():
    """Dh = q - sqrt(|h|) - h / 10: on both sides infinitely steep at h = 0, where it turns and loses its stability."""
    system = bf.System.from_equations({"h": "q - sqrt(abs(h)) - h/10"}, {"q": 1.0}, {"h": 0.8})
    diagram = bf.diagram(system, "q", (-1.0, 2.0))
    (branch,) = diagram.branches
    q, h = branch.points.T
    np.testing.assert_allclose(q, np.sqrt(np.abs(h)) + h / 10, atol=1e-10)
    (point,) = diagram.special_points
    assert point.label == "BC" and abs(point.parameters["q"]) < 1e-10
    assert (branch.unstable[h > 1e-9] == 0).all() and (branch.unstable[(h < -1e-9) & (h > -24)] == 1).all()
    assert h.min() < -1.0


def test_a_derivative_that_a_choice_makes_zero_is_zero():
    """Of sqrt(max(x, 0)) at x < 0, and to all orders."""
    system = bf.System.from_equations({"x": "sqrt(max(x, 0)) + max(x, 0)^0.3 - log(1 + max(x, 0))*x"}, {}, {"x": -1.0})
    assert system.jacobian([-1.0]) == pytest.approx(0.0, abs=0.0)
    assert not np.any(system.derivatives(np.array([-1.0]), system.values, np.array([1.0]), None))
    slope = 0.5 / 2.0 + 0.3 * 4.0**-0.7 - 4.0 / 5.0 - np.log(5.0)
    assert system.jacobian([4.0])[0, 0] == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize(
    "form", ["sqrt(if(y > 0, x^2, 0))", "log(if(y > 0, x^2, 1))", "sqrt(if(y > 0, x^2, 0) + max(-y, 0))"]
)
def test_a_derivative_that_is_zero_of_itself_is_none_where_the_function_is_steep(form):
    """Of sqrt(x^2) = |x| and log(x^2) at x = 0 there is none; where the choice is another one it is zero."""
    system = bf.System.from_equations({"x": form, "y": "-y"}, {}, {"x": 0.0, "y": 1.0})
    assert np.isnan(system.jacobian([0.0, 1.0])[0, 0])
    assert system.jacobian([0.0, -1.0])[0, 0] == 0.0
    assert abs(system.jacobian([2.0, 1.0])[0, 0]) == pytest.approx(1.0, rel=1e-14)

"""The compiled stiff method, against solutions known in closed form and scipy's Radau."""

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import bifrncrn as bf
from bifrncrn.models.field import Field
from bifrncrn.trajectories.settling import settle
from bifrncrn.trajectories.stepper import Stepper
from bifrncrn.trajectories.steps_layout import ESCAPED, GOES_ON


def stepped(system, until, rtol, atol=1e-12):
    field = Field(system)
    run = Stepper(field, system.state, 0.0, rtol, np.full(field.n, atol), 1e8, 1e3, None, stiff=True)
    return run.advance(50_000, until)


@pytest.mark.parametrize("fast", [1.0, 1e4, 1e8])
def test_a_fast_variable_follows_what_drives_it(fast):
    """Prothero and Robinson's problem, Math. Comp. 28 (1974) 145: y = cos t whatever the rate of y."""
    system = bf.System.from_equations(
        {"c": "-s", "s": "c", "y": "-fast*(y - c) - s"}, {"fast": fast}, {"c": 1.0, "s": 0.0, "y": 1.0}
    )
    counts, errors = [], []
    for rtol in (1e-5, 1e-7, 1e-9):
        status, t, x = stepped(system, 10.0, rtol)
        assert status == GOES_ON and t[-1] >= 10.0
        counts.append(len(t))
        errors.append(np.abs(x[:, 2] - np.cos(t)).max())
        assert errors[-1] < 30 * rtol  # over three turns the errors of some dozens of steps add up
    # the method has order 5 and its error estimate 4: a hundredth of the tolerance takes 2.5 times the steps
    assert all(later < 3.5 * earlier for earlier, later in itertools.pairwise(counts))


@pytest.mark.parametrize("mu", [1.0, 1e-2, 1e-4])
def test_relaxation_oscillations_as_radau_has_them(mu):
    model = bf.System.from_equations({"x": "y", "y": "((1 - x^2)*y - x)/mu"}, {"mu": mu}, {"x": 2.0, "y": -0.6})
    _, t, x = stepped(model, 3.0, 1e-9)
    field = Field(model)
    solved = solve_ivp(field.rhs, (0.0, t[-1]), model.state, method="Radau", jac=field.jacobian, rtol=1e-10, atol=1e-13)
    # errors of position on a stiff jump are those of time, 1e-8, times a speed of 1/mu; x is compared before and after
    assert x[-1, 0] == pytest.approx(solved.y[0, -1], abs=1e-6)


def test_blow_up_is_an_escape():
    system = bf.System.from_equations({"x": "x^2", "y": "-1e6*(y - x)"}, {}, {"x": 1.0, "y": 1.0})
    status, t, _ = stepped(system, 10.0, 1e-8)
    assert status == ESCAPED and t[-1] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("k", range(1, 13))
def test_rest_beside_fast_states_is_no_escape(k):
    """Steps grow for as long as a trajectory rests; the clock must not become too coarse to tell.

    With y = sqrt(b x + 0.3), which the fast equation gives, x rests at the one root of a + y - x^1.5, and stably so.
    """
    a, b = 0.1 * k, 1.0 / k
    model = bf.System.from_equations(
        {"x": "a + y - x*sqrt(x)", "y": "1e5*(b*x + 0.3 - y*y)"}, {"a": a, "b": b}, {"x": 2.0, "y": 1.0}
    )
    found = settle(Field(model), model.state)
    assert found.kind == "equilibrium"
    root = brentq(lambda x: a + np.sqrt(b * x + 0.3) - x**1.5, 0.1, 10.0, xtol=1e-14)
    assert found.state[0] == pytest.approx(root, rel=1e-9)

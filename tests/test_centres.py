"""Families of cycles around a centre: all at one value of the parameter, which would damp them."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import ellipk

import bifrncrn as bf


def family(equations, state, events):
    model = bf.System.from_equations(equations, {"damping": -0.4}, state)
    (hopf,) = bf.diagram(model, "damping", (-0.5, 0.5)).special("HB")
    return bf.orbits(hopf, events=events)


def test_the_pendulum():
    found = family({"x": "y", "y": "-sin(x) - damping*y"}, {"x": 0.0, "y": 0.0}, ["max x = 2", "period = 20"])
    assert np.abs(found.points[:, 0]).max() < 1e-10
    amplitude, period = found.column("max x")[1:], found.column("period")[1:]
    # extremes are good to 1e-9, and near the top the period's slope by the amplitude is above 1e3
    slow = amplitude < 3.0
    assert period[slow] == pytest.approx(4.0 * ellipk(np.sin(amplitude[slow] / 2.0) ** 2), rel=1e-6)
    first, last = found.special_points  # located by their own functions, which are good to 1e-9
    assert (first.event, last.event) == ("max x = 2", "period = 20")
    assert first.period == pytest.approx(4.0 * ellipk(np.sin(1.0) ** 2), rel=1e-9)
    assert last.period == pytest.approx(20.0, rel=1e-9)
    assert found.ended[1].reason == "heteroclinic" and period[-1] > 40.0
    assert set(found.unstable[1:]) == {-1}


def test_lotka_and_volterra():
    found = family({"x": "x*(1 - y) - damping*x*x", "y": "y*(x - 1)"}, {"x": 1.0, "y": 1.4}, ["period = 8"])
    (point,) = found.special_points  # and no fold or branch point of cycles, of which there are none
    assert point.event == "period = 8"
    # the integration is finer than what it judges: nodes of an orbit, good to 1e-8 or so on the meshes that are used
    run = solve_ivp(
        lambda t, z: [z[0] * (1 - z[1]), z[1] * (z[0] - 1)], (0, 8.0), list(point.state.values()),
        method="DOP853", rtol=1e-12, atol=1e-13,
    )  # fmt: skip
    assert run.y[:, -1] == pytest.approx(list(point.state.values()), abs=1e-7)
    assert np.abs(found.points[:, 0]).max() < 1e-10
    # x - log x is the same where x is least and where it is greatest; its slope at the least is up to 1e3
    low, high = found.column("min x")[1:], found.column("max x")[1:]
    near = low > 1e-3
    assert (low - np.log(low))[near] == pytest.approx((high - np.log(high))[near], abs=1e-5)
    assert found.ended[1].reason == "centre" and "damping=" in found.ended[1].message

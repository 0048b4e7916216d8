"""All Lyapunov exponents, against closed forms, multipliers of cycles and published values."""

import numpy as np
import pytest

import bifrncrn as bf


def test_a_linear_system():
    model = bf.System.from_equations({"x": "-x + 5*y", "y": "-3*y", "z": "-0.5*z"}, state={"x": 1, "y": 1, "z": 1})
    found = bf.lyapunov_spectrum(model, time=20.0, settle=30.0)
    assert found.exponents == pytest.approx([-0.5, -1.0, -3.0], abs=1e-6)
    assert found.divergence == pytest.approx(-4.5) and found.defect < 1e-8
    assert found.dimension == 0.0


def test_a_cycle_has_the_logarithms_of_its_multipliers():
    model = bf.System.from_equations({"x": "y", "y": "(1 - x^2)*y - x"}, state={"x": 2.0, "y": 0.0})
    cycle = bf.find_cycle(model)
    found = bf.lyapunov_spectrum(model, state=cycle.points[0], time=30 * cycle.period, settle=5 * cycle.period)
    wanted = np.log(np.abs(cycle.multipliers[1])) / cycle.period
    assert found.exponents == pytest.approx([0.0, wanted], abs=1e-6)
    assert found.dimension == pytest.approx(1.0, abs=1e-5)


def test_lorenz():
    model = bf.System.from_equations(
        {"x": "10*(y - x)", "y": "28*x - y - x*z", "z": "x*y - 8/3*z"}, state={"x": 1, "y": 1, "z": 1}
    )
    inside = []
    for start in (-5.0, 2.0, 7.0):
        found = bf.lyapunov_spectrum(model, state={"x": start}, time=60.0, settle=20.0)
        # published: 0.9056, 0, -14.5723 (Viswanath 1998), dimension 2.062
        inside += (np.abs(found.exponents - [0.9056, 0.0, -14.5723]) <= found.errors).tolist()
        inside.append(abs(found.dimension - 2.0621) <= found.dimension_error)
        assert found.divergence == pytest.approx(-41.0 / 3.0) and found.defect < 1e-6
    assert sum(inside) >= 11  # of 12 intervals of 95 per cent


def test_what_has_no_exponents_says_so():
    model = bf.System.from_equations({"x": "1 + x^2"}, state={"x": 0.0})
    found = bf.lyapunov_spectrum(model, time=10.0)
    assert np.isnan(found.exponents).all() and "escaped" in str(found)
    with pytest.raises(bf.InputError, match="time"):
        bf.lyapunov_spectrum(model, time=-1.0)

"""Homoclinic orbits: against closed forms, published values, and the networks' 1e-12 reference values."""

import json

import numpy as np
import pytest

import bifrncrn as bf

TARGET = bf.library.homoclinic()


def test_the_loop_of_the_target_is_where_it_is_known_to_be():
    found = bf.find_homoclinic(TARGET.system, "lam", (1.9, 2.3), saddle=[5, 5], steps=4)
    assert found.value == pytest.approx(2.0, abs=2e-9)
    assert found.gap < 1e-6
    np.testing.assert_allclose(found.saddle, 5.0, rtol=1e-12)
    np.testing.assert_allclose(found.eigenvalues.real, [0.2, -1.8], atol=1e-8)
    assert found.saddle_quantity == pytest.approx(-1.6, abs=1e-8)
    # the orbit: the algebraic curve of Sandstede's system through the saddle
    u, v = found.points.T - 5
    assert np.abs(found.points[-1] - 5).max() < 1e-6
    assert u.min() < -0.1 and v.min() < -0.5


def test_a_third_state_that_follows_changes_nothing():
    equations = {name: str(text) for name, text in TARGET.system.equations.items()}
    planar = TARGET.system
    equations = {**equations, "w": "3*(x1 - w) + 0.5*(x2 - 5)^2"}
    system = bf.System.from_equations(
        equations, {"lam": 1.9}, {"x1": 5.0, "x2": 5.0, "w": 5.0}, dict(planar.definitions), nonnegative=True
    )
    assert bf.find_homoclinic(system, bounds=(1.95, 2.06), steps=2).value == pytest.approx(2.0, abs=2e-9)


def test_lorenz():
    # rho = 13.926557407...: Sparrow, The Lorenz Equations (1982), and many since
    lorenz = {"x": "10*(y - x)", "y": "rho*x - y - x*z", "z": "x*y - 8/3*z"}
    system = bf.System.from_equations(lorenz, {"rho": 13.0}, {"x": 0.0, "y": 0.0, "z": 0.0})
    found = bf.find_homoclinic(system, bounds=(13, 15), steps=4)
    assert found.value == pytest.approx(13.926557407, abs=1e-7)


def with_mu(network, mu):
    """Return the network's system at (5, 5) and lam = 2."""
    there = bf.Network(**network.weights(), state=[5.0, 5.0], lam=[2.0], mu=network.mu)
    return there.reduced() if mu is None else there.full(float(mu))


@pytest.mark.parametrize("mu", [None, "0.0001", "0.01", "0.1"])
def test_published_network(reference, mu):
    truth = json.loads((reference / "rncrn_truth.json").read_text())["homoclinic"]
    wanted = truth["learned_reduced"]["lambda_hom"] if mu is None else truth["full_by_mu"][mu]["aitken"]
    network = bf.read_model(reference / "networks" / "homoclinic.mat")
    system = with_mu(network, mu)
    found = bf.find_homoclinic(system, "lam", (1.9, 2.1), steps=4)
    # the reference itself is good to 1e-9 at small mu and to 1e-6 above
    assert found.value == pytest.approx(wanted, abs=2e-9 if mu in (None, "0.0001") else 1e-6)


def test_no_loop_is_found_where_there_is_none():
    assert bf.find_homoclinic(TARGET.system, "lam", (2.05, 2.2), saddle=[5, 5], steps=3) is None
    # no saddle at all
    assert bf.find_homoclinic(bf.library.hopf().system, "lam", (1, 3)) is None


def test_bad_input():
    with pytest.raises(bf.InputError, match="lower first"):
        bf.find_homoclinic(TARGET.system, "lam", (2, 1))
    with pytest.raises(bf.InputError, match="steps must be"):
        bf.find_homoclinic(TARGET.system, "lam", (1, 2), steps=0)
    with pytest.raises(bf.InputError, match="2 to"):
        bf.find_homoclinic(bf.System.from_equations({"x": "lam - x"}, {"lam": 1.0}, {"x": 1.0}), "lam", (1, 2))


# the demonstrations cir and kpr of AUTO-07p's HomCont, with the values its manual prints
CIRCUIT = {
    "x": "(-(be + nu)*x + be*y - 0.328578*x^3 + 0.933578*(y - x)^3)/0.6",
    "y": "be*x - be*y - z - 0.933578*(y - x)^3",
    "z": "y",
}
KOPER = {"x": "(-0.15*y - x^3 + 3*x - lam)/0.1", "y": "x - 2*y + z", "z": "y - z"}


@pytest.mark.parametrize("backward", [False, True])
def test_a_homoclinic_orbit_to_a_saddle_focus(backward):
    # backwards in time the manifold of dimension one is the stable one
    equations = {name: f"-({text})" if backward else text for name, text in CIRCUIT.items()}
    model = bf.System.from_equations(equations, {"nu": -0.9, "be": 0.6}, {"x": 0.0, "y": 0.0, "z": 0.0})
    found = bf.find_homoclinic(model, "nu", (-0.76, -0.69))
    assert found.value == pytest.approx(-0.721309, abs=1e-6)
    assert found.gap < 1e-4
    assert found.saddle_quantity * (-1 if backward else 1) < 0.0  # Shilnikov's case is the other one


def test_a_homoclinic_orbit_that_the_leading_eigenvalue_hides():
    # u/s is 10: a passage at a distance of 1e-6 in the parameter is no nearer than a quarter of the orbit's size
    model = bf.System.from_equations(KOPER, {"lam": -1.85}, dict.fromkeys("xyz", -0.959))
    found = bf.find_homoclinic(model, "lam", (-1.8518, -1.85))
    assert found.value == pytest.approx(-1.851185, abs=1e-6)

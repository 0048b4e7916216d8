"""Pins: the rows are the network's value, Jacobian and motion with the time-scale, and the projection stays exact."""

from importlib.resources import files

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.training.fit.pins import Pinned, pins_at, rows
from bifrncrn.training.fit.projection import PIN_LENGTH, Projection, Ridge
from bifrncrn.training.fit.start import beta_floor
from bifrncrn.training.ranking import target_diagram
from bifrncrn.training.refine import special_points as refinement
from bifrncrn.training.refine.special_points import refine, wanted_points
from bifrncrn.training.targets.sampling import Samples
from bifrncrn.training.weights import Weights

TARGET = bf.library.hopf()
RNG = np.random.default_rng(7)
WEIGHTS = Weights(
    RNG.standard_normal((2, 5)), RNG.standard_normal((5, 2)), RNG.standard_normal((5, 1)), -RNG.random(5), np.ones(2)
)
SAMPLES = TARGET.samples("grid", 6)


@pytest.fixture(scope="module")
def pinned():
    return Pinned(pins_at(TARGET, target_diagram(TARGET).special_points), 81.0)


def jacobian(weights, x, lam):
    step = 1e-6
    moved = [weights.field((x + sign * step * np.eye(2)), np.tile(lam, (2, 1))) for sign in (1, -1)]
    return ((moved[0] - moved[1]) / (2 * step)).T


def test_the_target_is_pinned_at_its_hopf_point(pinned):
    (pin,) = pinned.pins
    np.testing.assert_allclose([*pin.state, *pin.lam], [5, 5, 2], atol=1e-9)
    np.testing.assert_allclose(pin.jacobian, [[0, -1], [1, 0]], atol=1e-8)
    assert pin.left @ pin.right == pytest.approx(1.0)
    assert pins_at(bf.library.circle(), []) == ()


@pytest.mark.parametrize("relative", [True, False])
def test_rows_are_the_value_and_the_jacobian(pinned, relative):
    (pin,) = pinned.pins
    problem = Projection(SAMPLES, relative, Ridge(1e-6, 0.0), 0.1, pinned=pinned)
    length = PIN_LENGTH * problem.half[:2]
    v = problem.scaled(WEIGHTS).reshape(5, -1)
    found = rows(pinned.pins, v, problem.centre, problem.half, length, relative)
    linear = np.hstack([WEIGHTS.alpha, WEIGHTS.beta[:, None]])
    got = np.einsum("iej,ij->ie", found.design, linear)
    by = pin.state if relative else np.ones(2)
    np.testing.assert_allclose(got[:, 0], WEIGHTS.field(pin.state[None], pin.lam[None])[0] / by)
    np.testing.assert_allclose(
        got[:, 1:], jacobian(WEIGHTS, pin.state, pin.lam) * length / by[:, None], rtol=1e-6, atol=1e-8
    )
    np.testing.assert_allclose(found.wanted[:, 1:], pin.jacobian * length / by[:, None])


def test_the_shares_add_up_to_the_motion_of_the_eigenvalue(pinned):
    (pin,) = pinned.pins
    steady = pin.steady(WEIGHTS)
    assert steady.shares.sum() == pytest.approx(0.0, abs=1e-12)
    # a network that has the pinned value and Jacobian: alpha and beta from the rows, the rest as it is
    problem = Projection(SAMPLES, False, Ridge(0.0, 0.0), 0.1, pinned=pinned)
    v = problem.scaled(WEIGHTS).reshape(5, -1)
    found = rows((steady,), v, problem.centre, problem.half, np.ones(2), False)
    for shares, moves in ((steady.shares, False), (steady.shares + 1.0, True)):
        wanted = found.wanted.copy()
        wanted[:, -1] = shares
        solved = [np.linalg.lstsq(a, b, rcond=None)[0] for a, b in zip(found.design, wanted)]
        network = bf.Network(
            alpha=np.array([s[:-1] for s in solved]),
            omega=WEIGHTS.omega,
            psi=WEIGHTS.psi,
            theta=WEIGHTS.theta,
            beta=np.array([abs(s[-1]) for s in solved]),
            lam=pin.lam,
            state=pin.state,
        )
        mu, alpha = 1e-6, network.alpha
        # the reduced problem of `defining`, to first order in mu
        z = WEIGHTS.omega @ pin.state + WEIGHTS.psi @ pin.lam + WEIGHTS.theta
        r = np.sqrt(z * z + 4)
        s = (z + r) / 2
        system = np.diag(alpha @ s) + pin.state[:, None] * ((alpha * s / (r + 1j * mu)) @ WEIGHTS.omega)
        values = np.linalg.eigvals(system)
        real = values[np.abs(values - 1j).argmin()].real
        # -i * i nu mu * (sum of the shares) = nu mu sum
        assert real == pytest.approx(mu * 2.0 if moves else 0.0, abs=1e-10)


@pytest.mark.parametrize("relative", [True, False])
def test_the_jacobian_is_exact_with_pins(pinned, relative):
    problem = Projection(SAMPLES, relative, Ridge(1e-5, 1e-5), 0.1, pinned=pinned.steady(WEIGHTS))
    v = problem.scaled(WEIGHTS)
    exact = problem.jacobian(v)
    for k in range(len(v)):
        step = 1e-6 * np.eye(len(v))[k]
        slope = (problem.residual(v + step) - problem.residual(v - step)) / 2e-6
        np.testing.assert_allclose(exact[:, k], slope, atol=1e-6 * max(1.0, np.abs(slope).max()))
    assert problem.misfit(v) > problem.loss(v)


def test_a_refinement_puts_an_influx_at_its_floor_instead_of_below(monkeypatch):
    network = Weights.of(bf.Network.load(str(files("bifrncrn.library") / "data" / "hopf_network.json")))
    plain = TARGET.samples("grid", 5)
    # a field lower by this much wants an influx of -2 of the first species
    samples = Samples(plain.x, plain.lam, plain.field - np.array([1.25, 0.0]), plain.weight)
    # the Newton steps alone would do, for the Hopf point is in its place
    monkeypatch.setattr(refinement, "CHEAP", -1.0)
    outcome = refine(network, samples, "relative", wanted_points(TARGET, TARGET.known))
    assert outcome.converged
    assert outcome.weights.beta[0] == pytest.approx(beta_floor(samples))
    assert outcome.after < 0.2 * outcome.before


def test_a_point_in_its_place_leaves_the_network_about_as_it_is():
    network = Weights.of(bf.Network.load(str(files("bifrncrn.library") / "data" / "hopf_network.json")))
    outcome = refine(network, TARGET.samples("grid", 5), "relative", wanted_points(TARGET, TARGET.known))
    assert outcome.converged
    assert outcome.after == pytest.approx(outcome.before, rel=refinement.CHEAP)
    # not exactly: the steps begin at the target's state, not at the network's
    np.testing.assert_allclose(outcome.weights.alpha, network.alpha, rtol=1e-3)

"""A pitchfork of two species that repress each other: x (1 + x^2) = lam, which loses its stability at x = 1, lam = 2.

Beyond it the states are (lam +- sqrt(lam^2 - 4))/2, for x y = 1 and x + y = lam.
"""

import numpy as np
import pytest
from scipy.optimize import brentq

import bifrncrn as bf


def toggle(count, values, perceptrons):
    system = bf.System.from_equations(
        {"x": "lam/(1 + y^2) - x", "y": "lam/(1 + x^2) - y"}, {"lam": 1.2}, {"x": 1.0, "y": 1.0}, nonnegative=True
    )
    rows = tuple((float(value),) for value in np.linspace(1.2, 3.2, values))
    part = bf.FieldPart(system, ((0.1, 3.5), (0.1, 3.5)), rows, ("lam",), count=count)
    return bf.Target("toggle", "toggle", (part,), perceptrons=perceptrons, lam=(1.2,), bounds=(1.2, 3.2))


def field(network, x, lam):
    z = network.omega @ x + network.psi @ np.array([lam]) + network.theta
    return network.beta + x * (network.alpha @ ((z + np.sqrt(z * z + 4)) / 2))


def settled(network, x, lam):
    """Return where the reduced network comes to rest, by explicit steps written out here."""
    for _ in range(100_000):  # near lam = 2 it takes hundreds of units of time
        rate = field(network, x, lam)
        if np.abs(rate).max() < 1e-9:
            return x
        x = x + 0.02 * rate
    raise AssertionError(f"not at rest after 2000 units of time: {rate}")


@pytest.mark.slow
def test_a_target_without_a_branch_point_is_not_made_symmetric():
    system = bf.System.from_equations({"x": "lam - x", "y": "lam - y"}, {"lam": 1.0})
    part = bf.FieldPart(system, ((0.5, 2.5), (0.5, 2.5)), ((1.0,), (1.5,), (2.0,)), ("lam",), count=5)
    fit = bf.train(bf.Target("t", "t", (part,), perceptrons=2, lam=(1.0,), bounds=(1.0, 2.0)), seeds=1, evaluations=20)
    assert not any("exchanged" in note for note in fit.notes)


@pytest.mark.slow
def test_a_switch_by_a_pitchfork_is_reached():
    fit = bf.train(toggle(None, 9, 6), seed=28)
    assert fit.reached, str(fit)
    assert any("unchanged when its species are exchanged" in note for note in fit.notes)
    network = fit.network
    for x, lam in (((0.4, 2.1), 1.5), ((3.0, 0.7), 2.9)):
        one, other = (field(network, np.array(state), lam) for state in (x, x[::-1]))
        np.testing.assert_allclose(one, other[::-1], rtol=1e-12)
    for lam in (1.5, 1.9):
        rest = settled(network, np.array([2.0, 0.5]), lam)
        x = rest.mean()
        assert abs(rest[0] - rest[1]) < 1e-6 and abs(x * (1 + x * x) - lam) < 0.1 * lam
    # 5 % of the largest state of the box, 3.4: the extent that a verdict asks for
    for lam in (2.2, 3.0):
        high, low = (lam + np.sqrt(lam**2 - 4)) / 2, (lam - np.sqrt(lam**2 - 4)) / 2
        np.testing.assert_allclose(settled(network, np.array([2.0, 0.5]), lam), [high, low], atol=0.05 * 3.4)
        np.testing.assert_allclose(settled(network, np.array([0.5, 2.0]), lam), [low, high], atol=0.05 * 3.4)


@pytest.mark.slow
def test_a_transcritical_point_of_one_species_is_reached():
    """x = 3 and x = lam + 1 exchange stability at lam = 2; a fit alone breaks that into two folds or none."""
    system = bf.System.from_equations({"x": "(x - 3)*(lam + 1 - x)"}, {"lam": 1.5}, {"x": 3.0}, nonnegative=True)
    part = bf.FieldPart(system, ((1.5, 4.5),), tuple((1 + k / 4,) for k in range(9)), ("lam",))
    target = bf.Target("crossing", "crossing", (part,), perceptrons=4, bounds=(1.0, 3.0), state=(3.0,), lam=(1.5,))
    fit = bf.train(target, seeds=1, seed=21)
    assert fit.reached and "for just these rates" in " ".join(str(fit).split())

    def field(x, lam):
        net = fit.network
        z = net.omega[:, 0] * x + net.psi[:, 0] * lam + net.theta
        return net.beta[0] + x * (net.alpha[0] @ ((z + np.sqrt(z * z + 4)) / 2))

    h = 1e-4
    at = field(3.0, 2.0), field(3.0 + h, 2.0) - field(3.0 - h, 2.0), field(3.0, 2.0 + h) - field(3.0, 2.0 - h)
    assert np.abs(at).max() < 1e-10  # of the differences, 2 h times the slope: h^3 of the third derivative, 1e-12
    for lam in (1.2, 1.8, 2.2, 2.8):
        roots = [brentq(field, x - 0.1, x + 0.1, (lam,)) for x in (3.0, lam + 1)]
        rising = [field(x + h, lam) > field(x - h, lam) for x in roots]
        assert np.allclose(roots, [3.0, lam + 1], atol=0.02) and rising == [lam > 2, lam < 2]

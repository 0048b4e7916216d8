"""A pitchfork of two species that repress each other: x (1 + x^2) = lam, which loses its stability at x = 1, lam = 2.

Beyond it the states are (lam +- sqrt(lam^2 - 4))/2, for x y = 1 and x + y = lam.
"""

import numpy as np
import pytest

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
    for _ in range(4000):
        x = x + 0.02 * field(network, x, lam)
    assert np.abs(field(network, x, lam)).max() < 1e-9
    return x


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

"""Cycles of networks at their time-scale, followed from those of the reduced system."""

import json
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifrncrn as bf


@pytest.mark.parametrize(
    ("name", "file", "lam", "mus"),
    [("circle", "circle.mat", [], ("0.0001", "0.1")), ("eqcycle_R1", "eqcycle.mat", [1.0], ("0.0075", "0.3"))],
)
def test_the_cycle_at_a_time_scale_is_that_of_the_reference(reference, name, file, lam, mus):
    """Periods computed by a shooting method of their own, from the published networks."""
    known = json.loads((reference / "rncrn_truth.json").read_text())["cycles"][name]
    network = bf.Network.load(reference / "networks" / file)
    start = np.array(known["reduced"]["max"])
    assert network.cycle(state=start, lam=lam).period == pytest.approx(known["reduced"]["period"], rel=1e-9)
    for mu in mus:
        found = network.cycle(float(mu), state=start, lam=lam)
        assert found.stable and found.period == pytest.approx(known["full_by_mu"][mu]["period"], rel=1e-9)


@pytest.fixture(scope="module")
def repeller():
    return bf.train(bf.library.repeller(), seeds=2, seed=1, rank="loss").network


@pytest.mark.parametrize("mu", [0.0001, 0.01])
def test_a_repelling_cycle_is_found_in_the_stiff_full_system(repeller, mu):
    """Piece by piece another integrator follows it; the largest multiplier is 1e17, so a whole turn nobody can."""
    cycle = repeller.cycle(mu, state=[3.0, 2.0], repelling=True)
    net, m, pieces = repeller, 2, 40

    def rates(t, state):
        x, y = state[:m], state[m:]
        return np.concatenate([net.beta + x * (net.alpha @ y), (1 + y * (net.theta + net.omega @ x) - y**2) / mu])

    assert not cycle.stable and np.abs(cycle.multipliers).max() > 1e6
    places = cycle.at(np.linspace(0, cycle.period, pieces + 1))
    for here, there in pairwise(places):
        run = solve_ivp(rates, (0, cycle.period / pieces), here, method="Radau", rtol=1e-9, atol=1e-11)
        assert np.abs(run.y[:m, -1] - there[:m]).max() < 1e-5 * np.ptp(places[:, 0])
    assert 1 < np.ptp(cycle.points[:, 0]) < 3  # about the unit circle


def test_a_repelling_cycle_that_ends_before_is_not_found(repeller):
    """The branch of this network's cycle ends at mu = 0.0168, where its period grows without bound."""
    assert repeller.cycle(0.02, state=[3.0, 2.0], repelling=True) is None


def test_a_cycle_that_is_returned_closes(repeller):
    """Shooting from a good guess: rounding leaves a gap of a fiftieth of the size, which is no cycle."""
    reduced = repeller.cycle(state=[3.0, 2.0], repelling=True)
    y = np.array([repeller.perceptrons(x) for x in reduced.points])
    found = bf.find_cycle(repeller.full(3e-4), guess=np.hstack([reduced.points, y]), period=reduced.period)
    if found is not None:
        gap = np.abs(found.at(found.period * (1 - 1e-9)) - found.at(0.0))
        assert gap.max() < 1e-6 * np.ptp(found.points[:, 0])


def test_no_cycle_is_said_where_there_is_none():
    rest = bf.Network([[-1.0]], [[1.0]], beta=[2.0])
    assert rest.cycle() is None and rest.cycle(0.01) is None
    with pytest.raises(bf.InputError, match="lam"):
        rest.cycle(lam=[1.0])

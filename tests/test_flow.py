"""Refinement along attractors: exact derivatives, and a cycle that moves onto the target's."""

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.training.judge import network_of
from bifrncrn.training.refine.flow import _misses, flows_of, refine_flow
from bifrncrn.training.refine.special_points import AllWeights
from bifrncrn.training.targets.wanted import behaviours_of


@pytest.fixture(scope="module")
def fitted():
    """Return the oscillator, what it asks for, and the weights of a quick fit."""
    target = bf.library.oscillator()
    fit = bf.train(target, seeds=2, rank="loss", evaluations=60)
    return target, behaviours_of(target), fit.best.start.weights


def test_trajectories_start_and_end_on_the_cycle(fitted):
    target, wanted, _ = fitted
    (flow,) = flows_of(target, wanted)
    np.testing.assert_allclose(flow.ends, flow.starts, atol=1e-4)  # a turn later, to the integrator's accuracy
    assert flow.time == pytest.approx(7.0234118, abs=1e-6)
    assert flows_of(bf.library.circle(), behaviours_of(bf.library.circle())) == ()


def test_derivatives_are_those_of_the_integrator(fitted):
    target, wanted, weights = fitted
    (flow,) = flows_of(target, wanted)
    problem = AllWeights(weights, target.samples(count=8), "field", (), 0.0, np.inf)
    direction, step = np.random.default_rng(0).normal(size=problem.size), 1e-6
    ends = [_misses(problem.weights(problem.flat + side * step * direction), flow)[0] for side in (1, -1)]
    slope = _misses(weights, flow, slopes=True)[1] @ problem.natural @ direction
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * step), slope, atol=1e-6 * np.abs(slope).max())


def test_a_refined_network_has_the_target_s_cycle(fitted):
    target, wanted, weights = fitted
    data, cycle = target.samples(), wanted[1]
    before = cycle.check(network_of(target, weights, {}), None)
    stages = list(refine_flow(weights, data, "field", flows_of(target, wanted), 2.0, np.inf))
    misses = [miss for miss, _ in stages]
    assert misses[-1] < 0.2 * misses[0]
    after = cycle.check(network_of(target, stages[-1][1], {}), None)
    assert not before.ok
    assert after.ok, after.text
    assert all(w.loss(data, "field") <= 2.0 * weights.loss(data, "field") for _, w in stages)
    assert all(w.beta.min() > 0 for _, w in stages)

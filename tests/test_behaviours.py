"""Behaviours: asked of targets, looked for in networks, and what a fit says about them."""

import json

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.training.fit.focus import focused_attractors
from bifrncrn.training.ranking import behaving
from bifrncrn.training.targets.behaviours import ChaosWanted, SwitchWanted, equilibria_in, stability, wanted_of_ode
from bifrncrn.training.targets.wanted import behaviours_of

# an attracting point at x1 = x2 = 5: dx = 30 + x (s(5 - x) - 7) at gamma = tau = 1
REST = bf.Network(
    alpha=-np.eye(2), omega=np.eye(2), theta=-5.0 * np.ones(2), beta=5.0 * np.ones(2), state=[5.0, 5.0], mu=0.1
)


def kinds(name):
    return [type(one) for one in behaviours_of(bf.library.get(name))]


def test_what_targets_ask_for():
    assert kinds("circle") == [bf.CycleWanted]
    assert kinds("two_cycles") == [bf.CycleWanted, bf.CycleWanted]
    assert kinds("heart") == [bf.CycleWanted]
    assert kinds("bistable") == [bf.EquilibriaWanted]
    assert kinds("uni_bistable") == [bf.EquilibriaWanted, bf.EquilibriaWanted, SwitchWanted]
    assert kinds("eq_cycle") == [bf.EquilibriaWanted, bf.CycleWanted, SwitchWanted]
    assert kinds("oscillator") == [bf.EquilibriaWanted, bf.CycleWanted]
    assert behaviours_of(bf.library.get("uni_bistable"))[-1].folds == 1
    assert not behaviours_of(bf.library.get("repeller"))[0].attracts


def test_equilibria_of_a_sine_are_asked_for_with_their_stability():
    (wanted,) = behaviours_of(bf.library.get("tristable"))
    np.testing.assert_allclose(wanted.points[:, 0], np.pi * np.arange(1, 6), atol=1e-9)
    assert wanted.stable.tolist() == [1, -1, 1, -1, 1]


def test_the_period_of_the_oscillator_is_asked_for():
    cycle = behaviours_of(bf.library.get("oscillator"))[1]
    assert cycle.period == pytest.approx(7.0234118, abs=1e-6)


def test_a_network_at_rest_has_no_cycle_and_one_equilibrium():
    points = bf.library.circle().parts[0].curve.points
    x = REST.reduced().state
    box = ((3.0, 7.0), (3.0, 7.0))
    rest = bf.EquilibriaWanted(x[None], np.array([1]), box)
    for mu in (None, 0.01):
        assert not bf.CycleWanted(points).check(REST, mu).ok
        assert rest.check(REST, mu).ok
    wrong = bf.EquilibriaWanted(x[None], np.array([-1]), box).check(REST, None)
    assert not wrong.ok
    assert "stability wrong" in wrong.text
    missing = bf.EquilibriaWanted(np.array([[4.0, 4.0], [5.0, 5.0]]), np.array([1, 1]), box).check(REST, None)
    assert "2 wanted" in missing.text
    standing = behaving([rest, bf.CycleWanted(points)], REST)
    assert (standing.wrong, len(standing.shown), len(standing.missed)) == (1, 1, 1)


def test_stability_of_a_focus_saddle_and_centre():
    for equations, expected in (
        ({"x": "-x", "y": "-y"}, 1),
        ({"x": "x", "y": "-y"}, -1),
        ({"x": "y", "y": "-x"}, 0),
    ):
        assert stability(bf.System.from_equations(equations, {}, {"x": 0.0, "y": 0.0})) == expected


def test_an_attractor_is_asked_for_where_no_equilibrium_is_stable():
    equations = {"x": "1 - 4*x + x^2*y", "y": "3*x - x^2*y"}
    system = bf.System.from_equations(equations, {}, {"x": 1.5, "y": 3.0}, nonnegative=True)
    wanted = wanted_of_ode(system, ((0.1, 5.0), (0.1, 6.0)), ())
    assert [type(one) for one in wanted] == [bf.EquilibriaWanted, bf.CycleWanted]
    assert wanted[1].period == pytest.approx(7.157, abs=0.01)


def test_samples_along_a_cycle_carry_their_share():
    target = bf.library.oscillator()
    data = target.samples(count=10)
    more = focused_attractors(target, data, behaviours_of(target), 0.9)
    extra = more.weight[len(data) :].sum() / more.weight.sum()
    assert extra == pytest.approx(0.3)
    assert focused_attractors(target, data, behaviours_of(target), 0.0) is data
    circle = bf.library.circle()
    assert len(focused_attractors(circle, circle.samples(), behaviours_of(circle), 0.9)) == len(circle.samples())


def test_a_fit_of_a_circle_says_what_was_verified():
    fit = bf.train(bf.library.circle(), seeds=2)
    assert fit.reached
    assert fit.best.standing.error * 0.1 < 0.035
    text = fit.report()
    assert "verified: stable cycle" in text
    assert "verified at mu = " in text
    data = json.loads(json.dumps(fit.to_json(), allow_nan=False))
    assert data["schema"] == "bifrncrn.fit/1"
    assert data["reached"] is True
    assert len(data["starts"]) == 2


def test_a_fit_that_does_not_reach_its_target_says_so():
    fit = bf.train(bf.library.circle(), seeds=1, perceptrons=1)
    assert fit.reached is False
    assert "the target is not reached" in fit.report()
    assert fit.network.sizes == (2, 1, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("circle", 0.132),
        ("heart", 0.150),
        ("two_cycles", 0.11),
        ("eq_cycle", 0.30),
        ("bistable", 0.01),
        ("tristable", 0.01),
        ("oscillator", 0.688),
    ],
)
def test_figures_of_the_papers_are_beaten(name, loss):
    fit = bf.train(bf.library.get(name), jobs=2)
    assert fit.loss < loss
    assert fit.reached, fit.report()


# one equilibrium that moves up with lam: x' = 1 + x (s(1 - x + 3 lam) - 1)
PASSING = bf.Network(
    alpha=[[1.0, -1.0]], omega=[[-1.0], [0.0]], psi=[[3.0], [0.0]], theta=[1.0, 0.0], beta=[1.0], state=[1.0], lam=[0.0]
)


def test_a_switch_does_not_pass_through_the_sides_of_the_box():
    system = PASSING.reduced()
    places = [equilibria_in(system.with_(values={"lam": lam}), ((0.1, 20.0),))[:, 0] for lam in (0.0, 1.0)]
    assert [len(place) for place in places] == [1, 1]
    low, high = places[0][0], places[1][0]
    assert high > low + 0.2
    wide, narrow = ((low - 0.1, high + 0.1),), ((low - 0.1, (low + high) / 2),)
    assert SwitchWanted((0.0, 1.0), wide, 0).check(PASSING, None).ok
    wrong = SwitchWanted((0.0, 1.0), narrow, 0).check(PASSING, None)
    assert not wrong.ok
    assert "1 times through the box's sides" in wrong.text


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_stable_states_become_one_at_a_fold(seed):
    fit = bf.train(bf.library.uni_bistable(), seed=seed)
    assert fit.loss < 0.05
    assert fit.reached, fit.report()
    # at the published time-scale too, the network being no more than fast
    assert fit.largest_mu >= 0.1
    (fold,) = behaviours_of(fit.target)[-1].values(fit.network)
    assert 0.02 < fold < 0.98


@pytest.mark.slow
def test_a_long_curve_on_a_torus_is_followed_into_its_cycle():
    fit = bf.train(bf.library.torus(), perceptrons=20, seeds=2, jobs=2)
    assert fit.loss < 0.35
    assert fit.reached, fit.report()
    assert fit.network.training["followed"] > 0


@pytest.mark.slow
def test_chaos_is_asked_for():
    wanted = behaviours_of(bf.library.hastings_powell())
    assert [type(one) for one in wanted] == [bf.EquilibriaWanted, ChaosWanted]
    assert wanted[1].exponent == pytest.approx(0.0160, abs=0.001)  # 0.0158 to 0.0163 over 20 000 from several starts
    # a mean over some 40 turns of different length, from states half a unit of time apart
    assert wanted[1].period == pytest.approx(18.1, abs=0.1)

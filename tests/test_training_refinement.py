"""Pins: the rows are the network's value, Jacobian and motion with the time-scale, and the projection stays exact."""

from importlib.resources import files

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.training.fit.focus import focused_attractors
from bifrncrn.training.fit.pins import Pinned, pins_at, rows
from bifrncrn.training.fit.projection import PIN_LENGTH, Projection, Ridge
from bifrncrn.training.fit.start import FitOptions, Start, beta_floor, run_start
from bifrncrn.training.fit_result import network_of
from bifrncrn.training.judge import distinct
from bifrncrn.training.ranking import behaving, standing, target_diagram
from bifrncrn.training.refine import special_points as refinement
from bifrncrn.training.refine.flow import _misses, flows_of, refine_flow
from bifrncrn.training.refine.pruning import pruned
from bifrncrn.training.refine.special_points import AllWeights, refine, wanted_points
from bifrncrn.training.symmetry import Tie, exchanges_of, moves_of
from bifrncrn.training.targets.behaviours import stability
from bifrncrn.training.targets.sampling import Samples
from bifrncrn.training.targets.wanted import loops_of, wanted_of_ode
from bifrncrn.training.verification import MUS, Finding, verify
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


@pytest.fixture(scope="module")
def oscillating():
    """Return the oscillator, what it asks for, and the weights of a quick fit."""
    target = bf.library.oscillator()
    fit = bf.train(target, seeds=2, rank="loss", evaluations=60)
    return target, bf.behaviours_of(target), fit.best.start.weights


def test_trajectories_start_and_end_on_the_cycle(oscillating):
    target, wanted, _ = oscillating
    (flow,) = flows_of(target, wanted)
    np.testing.assert_allclose(flow.ends, flow.starts, atol=1e-4)  # a turn later, to the integrator's accuracy
    assert flow.time == pytest.approx(7.0234118, abs=1e-6)
    assert flows_of(bf.library.circle(), bf.behaviours_of(bf.library.circle())) == ()


def test_derivatives_are_those_of_the_integrator(oscillating):
    target, wanted, weights = oscillating
    (flow,) = flows_of(target, wanted)
    problem = AllWeights(weights, target.samples(count=8), "field", (), 0.0, np.inf)
    direction, step = np.random.default_rng(0).normal(size=problem.size), 1e-6
    ends = [_misses(problem.weights(problem.flat + side * step * direction), [flow])[0] for side in (1, -1)]
    slope = _misses(weights, [flow], slopes=True)[1] @ problem.natural @ direction
    np.testing.assert_allclose((ends[0] - ends[1]) / (2 * step), slope, atol=1e-6 * np.abs(slope).max())


def test_a_refined_network_has_the_target_s_cycle(oscillating):
    target, wanted, weights = oscillating
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


def test_one_optimum_found_twice_is_kept_once():
    weights = Weights(np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 0)), np.ones(1), np.ones(1))
    starts = [Start(k, weights, loss, 0.0, 1, 0.0, "converged") for k, loss in enumerate((1.0, 1.0001, 1.1))]
    assert [start.index for start in distinct(starts)] == [0, 2]
    assert FitOptions(3, "field").rounds > 0


def test_a_network_without_the_hopf_point_stands_behind_one_with_it():
    target = bf.library.hopf()
    reference = target_diagram(target)
    assert [p.label for p in reference.special_points if p.label != "EP"] == ["HB"]
    # an attracting point at (5, 5) for every lam: dx_i = 30 + x_i (s(z_i) - 6.16228) with falling s
    weights = Weights(
        alpha=-np.eye(2),
        omega=np.eye(2),
        psi=np.zeros((2, 1)),
        theta=np.zeros(2),
        beta=np.full(2, 5 * (5 + np.sqrt(29)) / 2),
    )
    found = standing(target, reference, network_of(target, weights, {}))
    assert found.wrong == 1
    assert "HB missing" in str(found)


@pytest.mark.parametrize("perceptrons", [5, 6])
def test_a_network_made_to_be_as_symmetric_as_its_target_has_its_branch_point(perceptrons):
    """Two species that repress each other: x (1 + x^2) = lam, which loses its stability at x = 1, lam = 2."""
    system = bf.System.from_equations({"x": "lam/(1 + y^2) - x", "y": "lam/(1 + x^2) - y"}, {"lam": 1.2})
    rows = tuple((float(value),) for value in np.linspace(1.2, 3.2, 5))
    part = bf.FieldPart(system, ((0.1, 3.5), (0.1, 3.5)), rows, ("lam",), count=7)
    target = bf.Target("toggle", "toggle", (part,), perceptrons=perceptrons, lam=(1.2,), bounds=(1.2, 3.2))
    exchanges = exchanges_of(target)
    assert exchanges == ((0, 1), (1, 0))
    options = FitOptions(perceptrons, "field", evaluations=60, exchanges=exchanges)
    starts = [run_start(target.samples(), options, k, np.random.SeedSequence(k)) for k in range(4)]
    weights = min(starts, key=lambda start: start.loss).weights
    x, lam = np.array([[0.4, 2.1], [3.0, 0.7]]), np.array([[1.5], [2.9]])
    np.testing.assert_allclose(weights.field(x, lam), weights.field(x[:, ::-1], lam)[:, ::-1], rtol=1e-12)
    box = {"x1": (0.1, 3.5), "x2": (0.1, 3.5)}
    found = bf.diagram(network_of(target, weights, {}).reduced(), "lam", (1.2, 3.2), box=box, all=True)
    (point,) = found.special("BP")
    assert point.state["x1"] == pytest.approx(point.state["x2"], rel=1e-6)
    there = jacobian(weights, np.array([point.state["x1"], point.state["x2"]]), np.array([point.parameters["lam"]]))
    np.testing.assert_allclose(
        there @ [1, -1], 0, atol=1e-5
    )  # differences with steps of 1e-5 or so lose half of the digits


def test_weights_that_are_equal_by_symmetry_stay_equal():
    tie = Tie(((0, 1), (1, 0)), 5, 4)
    v = tie.spread @ np.random.default_rng(1).standard_normal(tie.spread.shape[1])
    rows = v.reshape(5, 4)
    alpha = np.array([[1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]])
    weights = Weights(alpha, rows[:, :2], rows[:, 2:3], rows[:, 3], np.ones(2))
    assert len(moves_of(weights)) == 2 and len(moves_of(WEIGHTS)) == 1
    samples = tie.symmetric(SAMPLES)
    problem = AllWeights(weights, samples, "field", (), 0.0, np.inf)
    assert problem.size == 5 + 5 + 3 + 3 + 1  # half of alpha and omega; psi and theta of two pairs and of one; beta
    moved = problem.start() + 0.1 * np.random.default_rng(2).standard_normal(problem.size)
    assert len(moves_of(problem.weights(moved))) == 2
    steps = 1e-6 * np.eye(problem.size)
    slopes = np.stack([(problem.errors(moved + h) - problem.errors(moved - h)) / 2e-6 for h in steps], axis=1)
    np.testing.assert_allclose(problem.slopes(moved), slopes, atol=1e-7)


@pytest.mark.slow
def test_the_hopf_network_of_this_project_beats_the_published_one():
    fit = bf.train(bf.library.hopf(), perceptrons=5, seeds=10)
    assert fit.loss < 7e-4  # published 3.43e-3
    assert fit.best.standing.wrong == 0
    assert fit.best.standing.error < 1e-6  # published 0.144
    assert fit.best.start.weights.largest < 25.5e3
    done = fit.network.training["refinement"]
    assert done["mu"] == [0.0, 0.0075]
    assert done["error_before"] < 0.01
    assert fit.to_json()["refinement"] == done
    assert f"by fitting alone they were {done['error_before']:.3g} off" in str(fit)
    reference = target_diagram(fit.target)
    for mu in done["mu"][1:]:
        assert standing(fit.target, reference, fit.network, mu=mu).error < 1e-6
    for system in (fit.network.reduced(), fit.network.full(0.0075)):
        (hopf,) = bf.diagram(system, "lam", (1.0, 3.0)).special("HB")
        assert hopf.l1 < 0  # as the target's


def test_the_shipped_network_is_what_its_record_says():
    from importlib.resources import files

    network = bf.Network.load(str(files("bifrncrn.library") / "data" / "hopf_network.json"))
    target = bf.library.hopf()
    assert network.sizes == (2, 5, 1)
    assert Weights.of(network).loss(target.definition(), "relative") == pytest.approx(
        network.training["loss"], rel=1e-9
    )
    assert network.training["loss"] < 1e-3


def looks(holds):
    """Return a look that finds what `holds(mu)` says, and the list of where it looked."""
    asked = []

    def look(mu):
        asked.append(mu)
        return (Finding("a behaviour", "lam from 1 to 3", holds(mu)),)

    return look, asked


def test_the_largest_time_scale_is_found_by_bisection():
    look, asked = looks(lambda mu: mu is None or mu <= 0.0185)
    found = verify(look, None)
    assert found.reached
    assert 0.0185 / 1.2 < found.largest_mu <= 0.0185
    assert found.largest_mu in asked and len(asked) == len(set(asked))


def test_what_holds_at_every_time_scale_of_the_list():
    look, _ = looks(lambda mu: True)
    assert verify(look, None).largest_mu == max(MUS)


def test_a_hole_below_is_not_passed_over():
    look, _ = looks(lambda mu: mu is None or mu >= 0.1 or mu < 0.01)
    found = verify(look, None)
    assert found.largest_mu < 0.01


def test_the_report_tells_what_fails_below_the_time_scale_that_is_wanted():
    def look(mu):
        return (Finding(f"at {mu}", "", mu != 1e-4),)

    found = verify(look, 0.01)
    assert not found.reached and found.largest_mu is None
    told = "\n".join(found.lines)
    assert "not reached at mu = 0.0001" in told and "verified at mu = 0.01: at 0.01" in told
    assert "not reached at mu = 0.0001: at 0.0001" in told


def test_what_fails_in_the_limit_is_not_reached_at_any_time_scale():
    look, _ = looks(lambda mu: mu == 0.01)
    found = verify(look, 0.01)
    assert not found.reached and found.largest_mu is None
    assert found.to_json()[0] == {"behaviour": "a behaviour", "lam": "lam from 1 to 3", "mu": None, "verified": False}


@pytest.mark.parametrize(("edge", "reached"), [(0.02, True), (0.005, False)])
def test_the_time_scale_the_target_asks_for_has_to_hold(edge, reached):
    look, asked = looks(lambda mu: mu is None or mu <= edge)
    found = verify(look, 0.01)
    assert found.reached is reached and 0.01 in asked
    assert found.largest_mu <= edge


def test_nothing_looked_at_is_not_reached():
    assert not verify(lambda mu: (), None).reached


def test_a_controlled_network_is_verified_on_the_outputs_its_classifier_has(reference):
    """The published pair: rest below 2.5, and above it the cycle that exists from lam = 0.80370669 on."""

    from bifrncrn.training.controlled_fit import Demand, meets

    folder = reference / "networks"
    whole = bf.ControlledNetwork(
        bf.read_model(folder / "eqcycle_classifier.mat"), bf.Network.load(folder / "eqcycle.mat")
    )
    places = np.array([[0.5], [4.5]])
    outputs = np.array([whole.classifier.output(place)[0] for place in places])
    demands = [
        Demand("rest", places[:1], lambda seen: seen.stable == 1 and not seen.cycle),
        Demand("cycle", places[1:], lambda seen: seen.cycle and not seen.stable),
        Demand("cycle", places[:1], lambda seen: seen.cycle),
    ]
    rest, cycle, wrong = meets(whole, ((0.0, 3.0), (0.0, 3.0)), demands)
    assert outputs[0] < 0.8037 < outputs[1]
    assert rest.ok and cycle.ok and not wrong.ok
    assert f"{outputs[1]:.4g}" in cycle.lam and "in 0 of 1, reduced, not at 0.5" in wrong.text


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
    assert [type(one) for one in wanted] == [bf.EquilibriaWanted, bf.CycleWanted, bf.AttractorsWanted]
    assert wanted[1].period == pytest.approx(7.157, abs=0.01)


def test_samples_along_a_cycle_carry_their_share():
    target = bf.library.oscillator()
    data = target.samples(count=10)
    more = focused_attractors(target, data, bf.behaviours_of(target), 0.9)
    extra = more.weight[len(data) :].sum() / more.weight.sum()
    assert extra == pytest.approx(0.3)
    assert focused_attractors(target, data, bf.behaviours_of(target), 0.0) is data
    circle = bf.library.circle()
    assert len(focused_attractors(circle, circle.samples(), bf.behaviours_of(circle), 0.9)) == len(circle.samples())


def test_the_target_asks_for_its_loop_and_the_published_network_misses_it(reference):
    (wanted,) = loops_of(bf.library.homoclinic())
    assert wanted.lam == 2.0 and wanted.within == pytest.approx(2e-3)
    assert loops_of(bf.library.hopf()) == ()
    network = bf.read_model(reference / "networks" / "homoclinic.mat")
    verdict = wanted.check(network, None)  # 0.0049 off
    assert not verdict.ok
    assert verdict.error == pytest.approx(0.0049095518894 / 2e-3, rel=1e-5)
    assert "homoclinic orbit at lam = 1.99509" in verdict.text
    assert bf.HomoclinicWanted(2.0, wanted.saddle, 0.005).check(network, 1e-4).ok
    assert "no homoclinic orbit" in bf.HomoclinicWanted(2.5, wanted.saddle, 0.005).check(network, None).text


# one equilibrium that moves up with lam: x' = 1 + x (s(1 - x + 3 lam) - 1)
PASSING = bf.Network(
    alpha=[[1.0, -1.0]], omega=[[-1.0], [0.0]], psi=[[3.0], [0.0]], theta=[1.0, 0.0], beta=[1.0], state=[1.0], lam=[0.0]
)


def test_a_switch_does_not_pass_through_the_sides_of_the_box():
    system = PASSING.reduced()
    places = [bf.find_equilibria(system, {"x1": (0.1, 20.0)}, values={"lam": lam}).points[:, 0] for lam in (0.0, 1.0)]
    assert [len(place) for place in places] == [1, 1]
    low, high = places[0][0], places[1][0]
    assert high > low + 0.2
    wide, narrow = ((low - 0.1, high + 0.1),), ((low - 0.1, (low + high) / 2),)
    assert bf.SwitchWanted((0.0, 1.0), wide, 0).check(PASSING, None).ok
    wrong = bf.SwitchWanted((0.0, 1.0), narrow, 0).check(PASSING, None)
    assert not wrong.ok
    assert "1 times through the box's sides" in wrong.text


def test_behaviours_shown_and_missed_are_counted():
    # an attracting point at x1 = x2 = 5: dx = 30 + x (s(5 - x) - 7) at gamma = tau = 1
    resting = bf.Network(
        alpha=-np.eye(2), omega=np.eye(2), theta=-5.0 * np.ones(2), beta=5.0 * np.ones(2), state=[5.0, 5.0], mu=0.1
    )
    rest = bf.EquilibriaWanted(resting.reduced().state[None], np.array([1]), ((3.0, 7.0), (3.0, 7.0)))
    standing = behaving([rest, bf.CycleWanted(bf.library.circle().parts[0].curve.points)], resting)
    assert (standing.wrong, len(standing.shown), len(standing.missed)) == (1, 1, 1)


def test_idle_rates_and_perceptrons_are_pruned():
    target = bf.library.hopf()
    samples = target.samples(count=5)
    full = Weights(np.ones((2, 3)), np.ones((3, 2)), np.ones((3, 1)), np.ones(3), np.ones(2))
    assert pruned(full, samples, "relative") is None
    idle = Weights(
        np.array([[1.0, 1e-15, 1.0], [1.0, 1e-14, -1e-13]]), np.array([[1.0, 1e-12], [3.0, 1.0], [1.0, 1.0]]),
        np.ones((3, 1)), np.ones(3), np.ones(2),
    )  # fmt: skip
    less = pruned(idle, samples, "relative")
    assert less.alpha.tolist() == [[1.0, 1.0], [1.0, 0.0]]
    assert less.omega.tolist() == [[1.0, 0.0], [1.0, 1.0]]
    assert less.loss(samples, "relative") == pytest.approx(idle.loss(samples, "relative"), rel=1e-9)


def test_what_exchanges_leave_unchanged_is_pruned_alike():
    # two perceptrons that exchanging x1 and x2 turns into one another, each with a slight alpha for the other species.
    # Where there are more samples with large x1 that rate matters for x1, and not for x2: one of the two would go
    weights = Weights(
        alpha=np.array([[-1.0, 1e-3], [1e-3, -1.0]]),
        omega=np.array([[1.0, 0.2], [0.2, 1.0]]),
        psi=np.zeros((2, 0)),
        theta=np.array([-3.0, -3.0]),
        beta=np.array([5.0, 5.0]),
    )
    x = np.array([[8.0, 0.1], [0.1, 0.1], [7.0, 0.2], [0.3, 0.4]])
    off = np.array([[0.08, -0.08], [0.08, 0.08], [-0.08, 0.08], [0.08, 0.08]])
    samples = Samples(x, np.zeros((4, 0)), weights.field(x, np.zeros((4, 0))) + off, np.ones(4))
    assert pruned(weights, samples, "field") is None

"""What a fit says beside its behaviour: how robust it is, where its field points outward, and what is ranked first."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve
from scipy.stats import binomtest

import bifrncrn as bf
from bifrncrn.training.fit.noise import noise
from bifrncrn.training.fit.start import Start
from bifrncrn.training.fit_result import Candidate
from bifrncrn.training.outward import look_outward, walls_of
from bifrncrn.training.ranking import Standing, joined, standing, target_diagram, traced, traced_along
from bifrncrn.training.refine.bounding import bound
from bifrncrn.training.robustness import Robustness, perturbed, robustness
from bifrncrn.training.targets.sampling import Samples
from bifrncrn.training.weights import Weights


def field(network, x, lam=()):
    z = network.omega @ x + network.psi @ np.array(lam) + network.theta
    return network.beta + x * (network.alpha @ ((z + np.sqrt(z * z + 4)) / 2))


def resting(sign=-1.0):
    """Return a network of one species, dx/dt = 5 s(5) + sign x s(x): with -1 it rests at 5, with +1 it explodes."""
    return bf.Network(alpha=[[sign]], omega=[[1.0]], theta=[0.0], beta=[5 * (5 + 29**0.5) / 2])


def target(equation="5 - x"):
    system = bf.System.from_equations({"x": equation}, state={"x": 5.0}, nonnegative=True)
    return bf.Target("rest", "one rest at 5", (bf.FieldPart(system, ((3.0, 7.0),)),), perceptrons=1, state=(5.0,))


def test_the_nearer_loop_is_ranked_first_and_not_the_one_refined_at_more_time_scales():
    weights = Weights(np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 0)), np.ones(1), np.ones(1))

    def candidate(index, loop, loss, mus):
        start = Start(index, weights, loss, 0.0, 1, 0.0, "converged")
        special = Standing(0, 1e-13, 0, "HB")
        beside = Standing(0, loop / 0.002, int(np.ceil(20 * loop / 0.002)), "loop")
        network = bf.Network([[1.0]], [[1.0]], training={"refinement": {"mu": mus}})
        return Candidate(start, loss, loss, special.also(beside), network)

    far, near = candidate(0, 6.6e-4, 6e-9, [0.0, 1e-4]), candidate(1, 3.9e-5, 1e-9, [0.0])
    assert min((far, near), key=lambda c: c.key) is near


def test_a_field_that_points_inward_on_the_larger_box_is_called_bounded_and_another_is_not():
    walls = walls_of(target())
    assert (walls.low[0], walls.high[0]) == (1.0, 9.0)
    inward, outward = look_outward(resting(), walls), look_outward(resting(1.0), walls)
    assert field(resting(), np.array([1.0]))[0] > 0 > field(resting(), np.array([9.0]))[0]
    assert inward.bounded and "at all 2 points" in str(inward)
    assert [(one.species, one.value, one.share) for one in outward.sides] == [("x1", 9.0, 1.0)]
    assert "not bounded" in str(outward) and "x1 = 9" in str(outward)


def test_a_field_is_turned_inward_and_keeps_its_loss(reference):
    """The published network of `eq_cycle` points outward at x1 = 4.5; judged by a formula of its own."""
    network, wanted = bf.Network.load(reference / "networks" / "eqcycle.mat"), bf.library.eq_cycle()
    walls = walls_of(wanted)
    old = Weights.of(network)
    assert not look_outward(network, walls).bounded
    new = bound(old, wanted.training_samples(), wanted.loss, walls, (), np.inf)
    turned = bf.Network(new.alpha, new.omega, new.psi, new.theta, new.beta)
    side = np.linspace(0.0, 4.5, 46)
    worst = max(field(turned, np.array(x), [lam])[i] for lam in (0.1, 0.6, 1.1) for s in side
                for i, x in enumerate(((4.5, s), (s, 4.5))))  # fmt: skip
    assert worst < 0
    assert new.loss(wanted.definition(), "field") <= 2 * old.loss(wanted.definition(), "field")


@pytest.mark.parametrize(("kept", "copies"), [(0, 30), (17, 20), (100, 100)])
def test_the_interval_is_that_of_clopper_and_pearson(kept, copies):
    known = binomtest(kept, copies).proportion_ci(0.95, method="exact")
    assert Robustness(0.1, copies, kept, 0).interval == pytest.approx((known.low, known.high), abs=1e-12)


def test_every_rate_of_a_copy_is_off_by_no_more_than_the_spread():
    network = resting()
    copy = perturbed(network, 0.1, np.random.default_rng(0))
    for name, value in network.weights().items():
        factor = copy.weights()[name][value != 0] / value[value != 0]
        assert (np.abs(factor - 1) <= 0.1).all() and (factor != 1).all()


def test_a_network_that_must_rest_does_so_in_every_copy_and_one_that_explodes_in_none():
    """dx/dt = beta - x s(x) falls in x for all positive rates: one stable rest; with + it has none."""
    wanted = bf.behaviours_of(target())
    for network, kept in ((resting(), 20), (resting(1.0), 0)):
        found = robustness(target(), network, None, wanted, copies=20)
        assert (found.copies, found.kept) == (20, kept)
        assert f"{kept} of 20 copies" in str(found)


def test_a_rest_on_the_edge_of_what_is_wanted_is_lost_in_half_of_the_copies():
    """The rest at 5 is wanted in a box that ends at 5: about half of the copies have it above."""
    from dataclasses import replace

    (wanted,) = bf.behaviours_of(target())
    edge = replace(wanted, box=((3.0, 5.0 + 1e-9),))
    found = robustness(target(), resting(), None, (edge,), copies=60)
    low, high = found.interval
    assert low < 0.5 < high


def learned_fold(low):
    """Return a target with a fold at 1.3, looked at from a parameter on, and a network that has learned it."""
    system = bf.System.from_equations({"x": "lam - 1.3 - 0.8*(x - 3.4)^2"}, {"lam": low}, {"x": 4.0}, nonnegative=True)
    rows = tuple((float(lam),) for lam in np.linspace(low, 2.3, 9))
    part = bf.FieldPart(system, ((1.5, 5.3),), rows, ("lam",))
    wanted = bf.Target("fold", "fold", (part,), state=(4.0,), lam=(low,), bounds=(low, 2.3))
    network = bf.Network(
        alpha=[[0.007788037746070764, -0.2722405941615294, -0.04626444710983356]],
        omega=[[-4.211969333845012], [-5.962954489401604], [7.412481124848922]],
        psi=[[19.83618855963491], [-1.2653698614080637], [-2.037051296684486]],
        theta=[-4.210931831740098, 16.365865035685385, -26.889887956895326],
        beta=[0.00043316890161576956],
        state=[4.0],
        lam=[low],
    )
    return wanted, network


def equilibria(copy, low):
    """Return parameters and how many equilibria there are in the box: changes of the field's sign on a grid."""
    x, lam = np.meshgrid(np.linspace(1.5, 5.3, 800), np.linspace(low, 2.3, 151))
    z = x[..., None] * copy.omega[:, 0] + lam[..., None] * copy.psi[:, 0] + copy.theta
    r = np.sqrt(z * z + 4 * copy.gamma * copy.tau)
    y = np.where(z > 0, (z + r) / (2 * copy.tau), 2 * copy.gamma / (r - z))
    rates = copy.beta[0] + x * (y @ copy.alpha[0])
    return lam[:, 0], (np.sign(rates[:, 1:]) != np.sign(rates[:, :-1])).sum(axis=1)


def test_copies_whose_fold_lies_beside_that_of_the_network_keep_it():
    """A learned fold: at its place the copies that have it to the right have nothing to start from."""
    wanted, network = learned_fold(0.8)

    def keeps(copy):
        """Say whether equilibria in the box go from none to two within a quarter."""
        lam, found = equilibria(copy, 0.8)
        (born,) = np.flatnonzero(np.diff(found) == 2) if (np.diff(found) == 2).sum() == 1 else (0,)
        return bool(born and abs(lam[born] - 1.3) < (2.3 - 0.8) / 4)

    every = [keeps(perturbed(network, 0.01, np.random.default_rng([101, k]))) for k in range(20)]
    found = robustness(wanted, network, target_diagram(wanted), (), spread=0.01, copies=20, seed=101)
    assert found.kept == sum(every) == 20


def test_copies_without_a_branch_of_the_network_do_not_keep_it():
    """One in which the parameter counts for 1.2 less has no equilibrium beside its wall, and so nothing to keep."""
    wanted, network = learned_fold(1.5)
    weights = network.weights()
    weights["theta"] = weights["theta"] - 1.2 * weights["psi"][:, 0]
    copy = bf.Network(**weights, state=network.state, lam=network.lam)
    assert (equilibria(network, 1.5)[1] == 2).all() and (equilibria(copy, 1.5)[1] == 0).all()
    beside = bf.diagram(network.reduced(), parameter=network.parameter, bounds=(1.5, 2.3), start={"x1": 1e-4})
    own = joined(beside, traced(wanted, target_diagram(wanted), network, None))
    with pytest.raises(bf.ConvergenceError, match="not there any more"):
        traced_along(own, copy, None)


def test_a_fit_says_where_its_field_points_outward_and_how_robust_it_is():
    fit = bf.train(target(), perceptrons=1, seeds=1)
    text, data = " ".join(str(fit).split()), fit.to_json()  # its lines are folded
    assert "the reduced field points" in text and "copies with every rate off by up to 10 %" in text
    assert data["robustness"][0]["copies"] == 100  # however fast the machine is
    assert data["robustness"][0]["spread"] == 0.1 and 0 <= data["robustness"][0]["keeps"] <= 1
    assert data["outward"]["points"] == 2
    assert fit.outward.bounded  # as its target is: 5 - x


def test_distances_at_the_target_s_time_scale_count_in_the_ranking(reference):
    """The published Hopf network: HB at 2.1437 and 2.1454 (mu = 0.0075), its rate 0.8965 and 0.7718 (reference data).

    In steps of 0.01 in lam and of 3 % of the rate these are 15 + 3 and 15 + 7, and the state, 0.085 of the region away,
    is one step of 5 % in both.
    """
    target = bf.library.hopf()
    diagram = target_diagram(target)
    network = bf.Network.load(reference / "networks" / "hopf.mat")
    reduced = standing(target, diagram, network)
    both = standing(target, diagram, network, also=0.0075)
    assert (reduced.wrong, reduced.steps) == (0, 19)
    assert (both.wrong, both.steps) == (0, 42)
    assert "its rate by 10 %" in str(reduced) and "at mu = 0.0075" in str(both) and "its rate by 23 %" in str(both)


def off(network, spread, rng):
    """Return the field of a copy with every rate off, by a formula of its own, as a function of states (K, M)."""

    def moved(value):
        return value * rng.uniform(1 - spread, 1 + spread, value.shape)

    alpha, omega, psi, theta, beta, gamma, tau = (
        moved(getattr(network, name)) for name in ("alpha", "omega", "psi", "theta", "beta", "gamma", "tau")
    )

    def field(x, lam):
        z = x @ omega.T + lam @ psi.T + theta
        return beta + x * (((z + np.sqrt(z * z + 4 * gamma * tau)) / (2 * tau)) @ alpha.T)

    return field


def expected(network, samples, spread, copies):
    """Return the mean loss of copies, and its standard error."""
    rng = np.random.default_rng(5)
    every = (off(network, spread, rng)(samples.x, samples.lam) - samples.field for _ in range(copies))
    losses = np.array([(error**2).mean() for error in every])
    return losses.mean(), losses.std() / np.sqrt(copies)


def test_what_errors_of_the_rates_do_to_a_loss_has_a_closed_form():
    """Of samples that a network has itself its loss is zero, and that of its copies what the errors do alone."""
    rng = np.random.default_rng(4)
    m, n, p = 2, 4, 1
    network = bf.Network(rng.normal(size=(m, n)), rng.normal(size=(n, m)), rng.normal(size=(n, p)), rng.normal(size=n),
                         rng.uniform(1, 2, m), lam=[0.0])  # fmt: skip
    x, lam = rng.uniform(1, 3, (200, m)), rng.uniform(0, 1, (200, p))
    samples = Samples(x, lam, Weights.of(network).field(x, lam), np.ones(200))
    mean, error = expected(network, samples, 0.01, 2000)
    rows = np.hstack([network.omega, network.psi, network.theta[:, None]])
    gain, influx = x.T / np.sqrt(200 * m), np.full((m, 200), 1 / np.sqrt(200 * m))
    found = noise(0.01, rows, np.hstack([x, lam, np.ones((200, 1))]), gain, influx)
    total = (found.alpha * network.alpha**2).sum() + (found.beta * network.beta**2).sum()
    assert abs(total - mean) < 4 * error  # second order: a hundredth of the spread, far below


def test_a_robust_fit_has_the_lower_loss_where_rates_are_off():
    """Judged by copies made here: 300 of each network, every rate off by up to 10 %."""
    wanted = bf.library.uni_bistable()
    samples = wanted.definition()
    plain, robust = (
        bf.train(wanted, seeds=1, seed=11, rank="loss", robust=share, evaluations=60).network for share in (None, 0.1)
    )
    (as_it_is, _), (allowing, error) = (expected(network, samples, 0.1, 300) for network in (plain, robust))
    assert allowing + 4 * error < as_it_is


@pytest.mark.slow
def test_a_critical_point_that_survives_errors_of_a_tenth():
    """Before such errors were allowed for, 3 to 18 of 100 copies kept it; judged by scipy, on copies made here."""
    fit = bf.train(bf.library.hopf_critical(), seed=11, seeds=1, robust=0.1)
    assert fit.reached and fit.robustness[0].copies == 100 and "in mind" in str(fit)
    rng, kept = np.random.default_rng(8), 0
    for _ in range(40):
        copy = off(fit.network, 0.1, rng)
        kept += rests_or_turns(lambda x, field=copy: field(x[None], np.zeros((1, 0)))[0])
    assert kept >= 32  # of a share of 0.9, no fewer in 98 of 100 draws


def rests_or_turns(field):
    """Say whether there is one rest in the box, stable, or with motion about it that stays in the box."""
    x = fsolve(field, [5.0, 5.0])
    if np.abs(field(x)).max() > 1e-6 or np.abs(x - 5).max() > 1.5:
        return False
    step = 1e-5 * np.eye(2)
    jacobian = np.stack([(field(x + e) - field(x - e)) / 2e-5 for e in step], axis=1)
    if np.linalg.eigvals(jacobian).real.max() < 0:
        return True
    run = solve_ivp(lambda _, y: field(y), (0, 100), x + 0.01, rtol=1e-8, t_eval=np.linspace(60, 100, 400))
    return bool(np.abs(run.y - 5).max() < 1.5)

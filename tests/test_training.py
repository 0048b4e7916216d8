"""The fit as a whole: reproducible, resumable, ranked by the diagram, and better than published."""

import numpy as np
import pytest

import bifrncrn as bf


def quick(target="uni_bistable", **options):
    return bf.train(bf.library.get(target), **{"seeds": 2, "rank": "loss", "evaluations": 30, **options})


def arrays(fit):
    return np.concatenate([a.ravel() for a in fit.network.weights().values()])


def test_a_fit_depends_on_its_seed_only():
    once, again, other = quick(seed=3), quick(seed=3), quick(seed=4)
    np.testing.assert_array_equal(arrays(once), arrays(again))
    assert not np.array_equal(arrays(once), arrays(other))


def test_starts_do_not_depend_on_how_many_there_are():
    few, many = quick(seeds=2), quick(seeds=4)
    losses = {c.start.index: c.start.weights.theta for c in few.candidates}
    polished = {c.start.index for c in few.candidates} & {c.start.index for c in many.candidates}
    assert polished == {0, 1}
    assert len(many.candidates) == 4
    assert all(np.isfinite(theta).all() for theta in losses.values())


def test_processes_change_nothing():
    from joblib import parallel_config

    with parallel_config(backend="threading", n_jobs=2):
        spread = quick(seed=1)
    np.testing.assert_array_equal(arrays(spread), arrays(quick(seed=1)))


def test_a_fit_is_resumed_from_its_checkpoints(tmp_path):
    seen = []
    whole = quick(
        checkpoints=str(tmp_path), progress=lambda done, total, start: seen.append((done, total, start.index))
    )
    assert [entry[:2] for entry in seen] == [(1, 2), (2, 2)]
    seen.clear()
    again = quick(checkpoints=str(tmp_path), progress=lambda *entry: seen.append(entry))
    assert seen == []
    np.testing.assert_array_equal(arrays(whole), arrays(again))


def test_a_fit_says_what_it_did():
    fit = quick()
    text = str(fit)
    assert "held out" in text
    assert "spread of rates" in text
    record = fit.network.training
    assert record["target"] == "uni_bistable"
    assert record["loss"] == fit.loss
    assert record["seed"] == 0
    assert set(record["versions"]) == {"bifrncrn", "numpy", "scipy", "python"}
    assert fit.best.held_out == pytest.approx(fit.loss, rel=0.5)
    assert [c.loss for c in fit.candidates] == sorted(c.loss for c in fit.candidates)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"perceptrons": 0}, "perceptrons is 0"),
        ({"perceptrons": True}, "perceptrons is True"),
        ({"perceptrons": "a"}, "perceptrons is 'a'"),
        ({"seed": -1}, "seed is -1"),
        ({"samples": 0}, "samples is 0"),
        ({"samples": 10**12}, "more than can be fitted"),
        ({"jobs": 0}, "jobs is 0"),
        ({"ridge": "x"}, "ridge is 'x', which is not a number"),
        ({"seeds": 0}, "seeds is 0"),
        ({"loss": "cubic"}, "loss 'cubic'"),
        ({"rank": "beauty"}, "rank 'beauty'"),
        ({"ridge": -1.0}, "ridge is -1.0"),
        ({"seconds": 0.0}, "seconds is 0.0"),
        ({"focus": 1.0}, "focus is 1.0"),
        ({"robust": 1.0}, "robust is 1.0"),
        ({"rate_bound": -1.0}, "rate_bound is -1.0"),
        ({"rate_bound": float("nan")}, "rate_bound is nan"),
        ({"rate_bound": 1e-3}, "least influx of this target"),
        ({"perceptrons": 101}, "fewer equations than the 405 unknown rates"),
        ({"method": "random"}, "sampling method 'random'"),
        ({"checkpoints": "/nowhere/at/all"}, "does not exist"),
    ],
)
def test_bad_options_are_refused(options, words):
    with pytest.raises(bf.InputError, match=words):
        quick(**options)


def test_a_rate_bound_holds_and_the_fit_says_that_it_is_active():
    fit = bf.train(bf.library.hopf(), seeds=1, rate_bound=20.0, evaluations=60, rank="loss")
    assert fit.best.start.weights.largest <= 20
    assert fit.record["rate_bound"] == 20
    assert fit.to_json()["starts"][0]["at_bound"] > 0
    assert "at the bound 20" in str(fit)


@pytest.mark.parametrize("thing", ["hopf", bf.library.get("schlogl"), None])
def test_only_a_target_is_trained_on(thing):
    with pytest.raises(bf.InputError, match="is no Target"):
        bf.train(thing)


@pytest.mark.parametrize(("field", "words"), [("0*x", "nothing to learn"), ("1e150*(1 - x)", "change the units")])
def test_rates_that_no_network_can_have_are_refused(field, words):
    system = bf.System.from_equations({"x": field})
    with pytest.raises(bf.InputError, match=words):
        bf.train(bf.Target("t", "t", (bf.FieldPart(system, ((0.0, 2.0),)),), perceptrons=2))


def test_two_parameter_species_are_compared_in_the_first():
    system = bf.System.from_equations({"x": "k - q*x"}, {"k": 1.0, "q": 1.0})
    rows = tuple((k, q) for k in (0.5, 0.625, 0.75, 0.875, 1.0) for q in (1.0, 2.0))
    part = bf.FieldPart(system, ((0.0, 2.0),), rows, ("k", "q"), count=20)
    target = bf.Target("t", "t", (part,), perceptrons=3, lam=(0.5, 1.0), bounds=(0.5, 1.0))
    fit = bf.train(target, seeds=2)
    assert fit.parameter == "lam1"
    assert fit.reached, fit.report()
    assert bf.compare(target, fit).verdict


def test_a_small_loss_with_its_equilibria_elsewhere_is_not_called_reached():
    """The equilibrium is x = k; of this short fit it is 0.26 away at k = 0.8, at a loss of 1e-3."""
    system = bf.System.from_equations({"x": "k - q*x"}, {"k": 1.0, "q": 1.0})
    rows = tuple((k, q) for k in (0.5, 1.0) for q in (1.0, 2.0))
    part = bf.FieldPart(system, ((0.0, 2.0),), rows, ("k", "q"), count=20)
    target = bf.Target("t", "t", (part,), perceptrons=3, lam=(0.5, 1.0), bounds=(0.5, 1.0))
    fit = bf.train(target, seeds=1, evaluations=30)
    reduced = fit.network.reduced().with_(values={"lam1": 0.8, "lam2": 1.0})
    x = np.linspace(0.0, 2.0, 2001)
    signs = np.sign([reduced.rhs(np.array([value]))[0] for value in x])
    rest = x[:-1][signs[:-1] > signs[1:]]
    assert fit.reached is bool(len(rest) == 1 and abs(rest[0] - 0.8) < 0.1)


def test_a_fit_that_is_wrong_between_its_samples_says_so():
    # a spike halfway between two samples, which only the loss by definition sees
    system = bf.System.from_equations({"x": "1 - x + 30*exp(-((x - 0.71)/0.05)^2)"})
    target = bf.Target("t", "t", (bf.FieldPart(system, ((0.5, 6.0),), count=14),), perceptrons=2)
    fit = bf.train(target, seeds=1, rank="loss")
    assert fit.loss > 100 * fit.best.start.loss
    assert any("take more samples" in note for note in fit.notes)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_fit_alone_has_the_hopf_point_near_the_target(seed):
    fit = bf.train(bf.library.hopf(), seed=seed, refine=False)
    assert fit.loss < 7e-4  # published 3.43e-3
    assert fit.best.standing.wrong == 0
    assert fit.best.standing.error < 0.01  # published 0.144


@pytest.mark.slow
def test_the_homoclinic_network_of_this_project_beats_the_published_one():
    fit = bf.train(bf.library.homoclinic(), perceptrons=10)
    assert fit.loss < 1e-8  # published 9.7e-7
    assert fit.reached
    assert fit.network.training["refinement"]["error_before"] < 1e-3
    # of the start with the nearest loop; a refinement at the time-scale too is not kept: HB is 4e-4 off there
    assert fit.network.training["refinement"]["mu"] == [0.0]
    assert fit.best.standing.error < 1e-6  # published 0.021
    for found in (fit.verification.reduced, fit.verification.full[1e-4]):
        assert all(one.ok for one in found) and found[-1].text.startswith("homoclinic orbit at lam = ")
    # published 0.005 off
    loop = bf.find_homoclinic(fit.network.reduced(), "lam", (1.98, 2.02), saddle=[5, 5])
    assert loop.value == pytest.approx(2.0, abs=1e-4)

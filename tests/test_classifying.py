"""Classifiers: exact Jacobian, reproducible, right about XOR; the networks they control."""

import numpy as np
import pytest

import bifrncrn as bf


def small(outputs=2, count=30):
    rng = np.random.default_rng(1)
    return bf.ClassifierTarget("small", rng.uniform(0, 2, (count, 2)), rng.uniform(0.1, 1, (count, outputs)), 3, 0.1)


def test_the_classifier_gives_what_was_fitted():
    target = small()
    fit = bf.train_classifier(target, seeds=2, evaluations=30)
    given = np.array([fit.classifier.output(place) for place in target.environments])
    assert np.mean((given - target.outputs) ** 2) == pytest.approx(fit.loss, rel=1e-9)
    assert fit.classifier.sizes == (2, 3, 2)
    assert "classifier 2-3-2" in str(fit)
    again = bf.train_classifier(target, seeds=2, evaluations=30)
    np.testing.assert_array_equal(fit.classifier.first_layer, again.classifier.first_layer)


def test_a_step_is_learned():
    fit = bf.train_classifier(bf.library.step_classifier(), seeds=3)
    low, high = fit.classifier.output([2.3])[0], fit.classifier.output([2.7])[0]
    assert fit.loss < 0.01
    assert low < 0.3
    assert high > 0.9


@pytest.mark.parametrize(
    ("environments", "outputs", "words"),
    [
        ([[0.0], [-1.0]], [[1.0], [1.0]], "holds -1"),
        ([[0.0], [1.0]], [[1.0], [0.0]], "must be positive"),
        ([[0.0], [np.nan]], [[1.0], [1.0]], "holds nan"),
        ([[0.0]], [[1.0], [1.0]], "one row"),
    ],
)
def test_bad_samples_are_refused(environments, outputs, words):
    with pytest.raises(bf.InputError, match=words):
        bf.ClassifierTarget("bad", np.array(environments), np.array(outputs), 2)


def test_nothing_is_asked_within_what_is_allowed():
    target = bf.ClassifierTarget("band", np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]]), 2, within=[[0.5], [0.0]])
    np.testing.assert_allclose(target.error(np.array([[1.4], [2.5]])), [[0.0], [0.5]])
    np.testing.assert_allclose(target.error(np.array([[0.2], [1.5]])), [[-0.3], [-0.5]])


@pytest.mark.parametrize(
    ("within", "words"), [([[-0.1]], "holds -0.1"), ([[1.0]], "less than the output"), ([[0.1, 0.1]], "one entry")]
)
def test_bad_bands_are_refused(within, words):
    with pytest.raises(bf.InputError, match=words):
        bf.ClassifierTarget("bad", np.array([[1.0]]), np.array([[1.0]]), 2, within=np.array(within))


@pytest.mark.parametrize("option", ["hidden", "seeds", "evaluations"])
def test_bad_options_are_refused(option):
    with pytest.raises(bf.InputError, match=f"{option} is 0"):
        bf.train_classifier(small(), **{option: 0})


def outputs(classifier, places):
    return np.array([classifier.output(place)[0] for place in places])


@pytest.mark.parametrize("fold", [0.1, 0.3])
def test_a_classifier_of_xor_switches_at_the_fold_it_is_made_for(fold):
    found = bf.train_classifier(bf.library.xor_classifier(fold), seeds=4).classifier
    side = (np.arange(60) + 0.5) / 30
    places = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    one = (places[:, 0] > 1) != (places[:, 1] > 1)
    assert np.mean((outputs(found, places) < fold) == one) > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_xor_network_is_right_almost_everywhere(seed):
    whole = bf.library.xor(seed=seed)
    assert whole.classifier.sizes == (2, 4, 1)
    side = (np.arange(100) + 0.5) / 50
    places = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    wanted = np.where((places[:, 0] > 1) != (places[:, 1] > 1), 3, 1)
    x = np.linspace(1.0, 9.0, 401)[:, None]
    found = np.array([_roots(field(whole.network, x, r)) for r in outputs(whole.classifier, places)])
    assert np.mean(found == wanted) > 0.98
    for k in range(0, len(places), 701):  # the whole itself, at some places
        system = whole.reduced().with_(values={"lam1": places[k, 0], "lam2": places[k, 1]})
        assert len(bf.find_equilibria(system, {"x1": (1.0, 9.0)})) == found[k]


def field(network, x, lam):
    """Return the reduced field at states x (K, 1), written out here."""
    w = x @ network.omega.T + lam * network.psi[:, 0] + network.theta
    s = (w + np.sqrt(w * w + 4 * network.gamma * network.tau)) / (2 * network.tau)
    return network.beta + x * (s @ network.alpha.T)


def _roots(field):
    return int((np.sign(field[1:]) != np.sign(field[:-1])).sum())


@pytest.mark.slow
def test_the_xor_network_depends_on_the_seed_alone():
    first = bf.library.xor(seeds=4, jobs=1).to_json()
    assert bf.library.xor(seeds=4, jobs=1).to_json() == first
    assert bf.library.xor(seeds=4, jobs=2).to_json() == first

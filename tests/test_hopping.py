"""Better optima from poor ones: the perceptron that is worth least is replaced."""

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.training.fit.hopping import hopped
from bifrncrn.training.fit.start import FitOptions, problem_of, run_start

TARGET = bf.library.uni_bistable()
SAMPLES = TARGET.training_samples()
OPTIONS = FitOptions(3, "field", evaluations=60)


@pytest.fixture(scope="module")
def start():
    return run_start(SAMPLES, OPTIONS, 0, np.random.SeedSequence(5))


def test_what_a_perceptron_is_worth_is_the_loss_without_it(start):
    problem = problem_of(SAMPLES, OPTIONS, 1e-9)
    v = problem.scaled(start.weights)
    for k, worth in enumerate(problem.worth(v)):
        less = np.delete(v.reshape(3, -1), k, axis=0).ravel()
        without = float((problem.residual(less) ** 2).sum())
        assert worth == pytest.approx(without - float((problem.residual(v) ** 2).sum()), rel=1e-5)


def test_hopping_finds_a_better_optimum_and_always_the_same(start):
    once, again = (hopped(SAMPLES, OPTIONS, start, 7, np.random.SeedSequence(1)) for _ in range(2))
    assert once.index == 7 and once.loss == again.loss
    assert once.loss < start.loss
    np.testing.assert_array_equal(once.weights.omega, again.weights.omega)


def test_a_replaced_perceptron_leaves_the_others_alone(start):
    problem = problem_of(SAMPLES, OPTIONS, 1e-9)
    v = problem.scaled(start.weights)
    new = problem.renewed(v, 1, 2.0, np.random.default_rng(0)).reshape(3, -1)
    old = v.reshape(3, -1)
    np.testing.assert_array_equal(new[[0, 2]], old[[0, 2]])
    assert np.linalg.norm(new[1, :-1]) == pytest.approx(2.0)

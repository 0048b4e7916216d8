"""Trajectories of networks at a small time-scale: right to first order in it, with exact derivatives."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifrncrn as bf
from bifrncrn.training.fit.hopping import hopped
from bifrncrn.training.fit.start import FitOptions, problem_of, run_start
from bifrncrn.training.refine.rollouts import advance, still
from bifrncrn.training.weights import Weights

NAMES = ("alpha", "omega", "psi", "theta", "beta")
RNG = np.random.default_rng(3)
ALPHA, OMEGA, PSI = (RNG.standard_normal(shape) for shape in ((2, 3), (3, 2), (3, 1)))
WEIGHTS = Weights(0.5 * ALPHA, OMEGA, PSI, RNG.random(3), np.ones(2))
START, LAM = np.array([[1.0, 0.8], [0.6, 1.3]]), np.array([[0.5], [1.0]])


def rolled(weights, mu, slopes=False):
    x, d = START, still(weights, START, slopes)
    for _ in range(50):
        x, d = advance(weights, LAM, x, d, 0.02, mu)
    return x, d


def full(mu, k):
    """Return where the full system ends, the perceptrons starting on their slow manifold to first order."""
    x, lam = START[k], LAM[k]
    z = WEIGHTS.omega @ x + WEIGHTS.psi @ lam + WEIGHTS.theta
    r = np.sqrt(z * z + 4)
    s = (z + r) / 2
    y = s - mu * s / r**2 * (WEIGHTS.omega @ (WEIGHTS.beta + x * (WEIGHTS.alpha @ s)))

    def rates(t, u):
        z = WEIGHTS.omega @ u[:2] + WEIGHTS.psi @ lam + WEIGHTS.theta
        return np.concatenate([WEIGHTS.beta + u[:2] * (WEIGHTS.alpha @ u[2:]), (1 + u[2:] * z - u[2:] ** 2) / mu])

    return solve_ivp(rates, (0, 1), [*x, *y], method="Radau", rtol=1e-10, atol=1e-12).y[:2, -1]


@pytest.mark.parametrize("k", [0, 1])
def test_the_error_falls_with_the_square_of_the_time_scale(k):
    off = [np.abs(rolled(WEIGHTS, mu)[0][k] - full(mu, k)).max() for mu in (4e-3, 1e-3)]
    assert 8 < off[0] / off[1] < 32  # 16 to second order
    assert off[1] < 0.05 * np.abs(rolled(WEIGHTS, 0.0)[0][k] - full(1e-3, k)).max()


@pytest.mark.parametrize("mu", [0.0, 0.01])
def test_derivatives_are_those_of_the_result(mu):
    _, d = rolled(WEIGHTS, mu, slopes=True)
    flat = np.concatenate([getattr(WEIGHTS, name).ravel() for name in NAMES])
    ends = np.cumsum([getattr(WEIGHTS, name).size for name in NAMES])[:-1]

    def moved(values):
        parts = np.split(values, ends)
        return rolled(Weights(*(p.reshape(getattr(WEIGHTS, n).shape) for p, n in zip(parts, NAMES))), mu)[0]

    for i, unit in enumerate(1e-6 * np.eye(len(flat))):
        np.testing.assert_allclose(d[:, :, i], (moved(flat + unit) - moved(flat - unit)) / 2e-6, rtol=1e-6, atol=1e-7)


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

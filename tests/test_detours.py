"""Targets whose trajectories leave the box for a while; truth by scipy from the published equations."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifrncrn as bf
from bifrncrn.training.fit.excursions import with_excursions

BOX = ((0.2, 3.0), (0.5, 4.5))
BOUNDS = (1.5, 2.5)


def brusselator(box=BOX):
    """The Hopf point of the Brusselator with a = 1 is at lam = 2, its frequency is 1."""
    system = bf.System.from_equations(
        {"x": "1 - (lam + 1)*x + x^2*y", "y": "lam*x - x^2*y"}, {"lam": BOUNDS[0]}, {"x": 1.6, "y": 2.5}
    )
    rows = tuple((float(value),) for value in np.linspace(*BOUNDS, 5))
    part = bf.FieldPart(system, box, names=("lam",), lam=rows)
    return bf.Target("brusselator", "Brusselator", (part,), perceptrons=6, mu=0.001, state=(1.6, 2.5), lam=(1.5,),
                     bounds=BOUNDS)  # fmt: skip


def field(t, x, lam):
    return [1 - (lam + 1) * x[0] + x[0] ** 2 * x[1], lam * x[0] - x[0] ** 2 * x[1]]


def test_detours_are_sampled_outside_of_the_box_and_nowhere_else():
    target = brusselator()
    inside = target.training_samples()
    every = with_excursions(target, inside)
    extra = slice(len(inside), None)
    low, high = np.array(BOX).T
    # far below what it is compared to: 0.06 of the sides
    run = solve_ivp(field, (0, 3), [2.916, 4.38], args=(2.0,), rtol=1e-10, atol=1e-10, dense_output=True)
    way = run.sol(np.linspace(0, 3, 3000)).T
    assert way[:, 0].max() > 4 and ((way[-1] > low) & (way[-1] < high)).all()  # out of the corner and back
    x = every.x[extra][every.lam[extra][:, 0] == 2.0]
    furthest = x[x[:, 0].argmax()]
    gap = np.abs((way - furthest) / (high - low)).max(axis=1).min()
    assert gap < 0.06  # samples lie a twentieth of the sides beside the detours at most
    wanted = [field(0, x, lam[0]) for x, lam in zip(every.x[extra], every.lam[extra])]
    # the same expression, evaluated here and by compiled code: rounding
    np.testing.assert_allclose(every.field[extra], wanted, rtol=1e-12, atol=1e-12)
    assert every.weight[extra].sum() < 0.01 * every.weight.sum()
    assert len(with_excursions(bf.library.hopf(), bf.library.hopf().samples())) == len(bf.library.hopf().samples())


@pytest.mark.slow
def test_trajectories_of_a_learned_brusselator_come_back():
    fit = bf.train(brusselator(), seeds=2, seed=31)
    assert fit.reached, fit.report()
    w = fit.network
    assert (w.gamma == 1).all() and (w.tau == 1).all()

    def learned(t, x, lam):
        z = w.omega @ x + w.psi[:, 0] * lam + w.theta
        return w.beta + x * (w.alpha @ ((z + np.sqrt(z * z + 4)) / 2))

    for lam in (1.7, 2.3):
        for corner in ((2.9, 4.4), (2.9, 0.6), (0.3, 4.4), (0.3, 0.6)):
            # two cycles are compared to 0.1 of a unit: any accuracy below that will do
            runs = [solve_ivp(f, (0, 60), corner, args=(lam,), method="LSODA", rtol=1e-8) for f in (field, learned)]
            ends = [run.y[:, run.t > 45] for run in runs]
            assert np.ptp(ends[1], axis=1) == pytest.approx(np.ptp(ends[0], axis=1), abs=0.1), (lam, corner)

"""Branch points: refinement, directions, and branches that leave them."""

import numpy as np
import pytest

import bifrncrn as bf


@pytest.mark.parametrize("gap", [0.3, 3e-2, 3e-3])
@pytest.mark.parametrize("nonnegative", [False, True])
def test_two_branch_points_close_together_are_two(gap, nonnegative):
    system = bf.System.from_equations(
        {"x": "x*(lam - x)", "y": f"y*(lam - {gap!r} - y - 2*x)"},
        {"lam": -1.0},
        {"x": 0, "y": 0},
        nonnegative=nonnegative,
    )
    found = bf.diagram(system, bounds=(-2, 3))
    on_the_first = sorted(p.parameters["lam"] for p in found.special("BP") if p.branch == 0)
    assert on_the_first == pytest.approx([0.0, gap], abs=1e-10)
    assert all(p.status == "converged" for p in found.special_points)


def test_the_branch_that_leaves_is_followed_both_ways():
    system = bf.System.from_equations({"x": "lam*x - x^3"}, {"lam": -1.0}, {"x": 0})
    found = bf.diagram(system, bounds=(-1, 1))
    outer = found.branches[1]
    assert found.special_points[outer.origin].label == "BP"
    assert outer.column("x").min() == pytest.approx(-1.0)
    assert outer.column("x").max() == pytest.approx(1.0)
    assert np.max(np.abs(outer.column("lam") - outer.column("x") ** 2)) < 1e-12


def test_a_branch_goes_on_beyond_a_branch_point_beside_which_rounding_moves_it():
    # a learned transcritical point: terms of size 1e3 cancel, so that 1e-4 beside the point the branch is known to 1e-9
    # only; from these starts it ended there, and half of it was missing
    alpha = np.array([-140.20084550676233, -170.68655690677275, 88.6412063120707, 20.199119002479037])
    omega = np.array([3.807867548456623, -5.916038303215158, 2.4511496176595635, 15.627472434828082])
    psi = np.array([-0.7208622478850331, 0.13358886721388474, 0.5446044126638063, -7.3532979856040654])
    theta = np.array([6.568098152596283, 0.5659629425651342, 5.380064764481919, 22.099682974636817])
    beta = np.array([31.35694212559369])
    weights = {"alpha": alpha[None], "omega": omega[:, None], "psi": psi[:, None], "theta": theta, "beta": beta}
    system = bf.Network(**weights, state=np.array([2.5]), lam=np.array([1.0])).reduced()
    for start in (1.01, 1.2, 1.4, 1.55, 1.9, 2.0, 2.2):
        found = bf.diagram(system, "lam", (1.0, 2.4), start={"lam": start, "x1": 2.5})
        assert [point.label for point in found.special_points] == ["BP"] and len(found.branches) == 2
        for branch in found.branches:
            lam, x = branch.column("lam"), branch.column("x1")
            assert (lam.min(), lam.max()) == (1.0, 2.4)
            # on the network's field, evaluated here; its rounding, 1e-12, over slopes of 1e-4 beside the point
            z = omega[:, None] * x + psi[:, None] * lam + theta[:, None]
            assert np.abs(beta + x * (alpha @ (z + np.sqrt(z * z + 4)) / 2)).max() < 1e-10
        slopes = {int(b.unstable[np.argmax(b.column("lam"))]) for b in found.branches}
        assert slopes == {0, 1}


def test_a_half_branch_that_rounding_throws_back_onto_its_branch_point_is_not_another_half():
    # the pitchfork of x = 0.3 at lam = 0.1, as a difference of numbers 1e5 times as large
    rate = "(lam - 0.1)*(x - 0.3) - (x - 0.3)^3"
    field = {"x": f"1e5*(sqrt(1 + (x - 0.3)^2) - sqrt(1 + (x - 0.3)^2 - ({rate})/1e5))"}
    found = bf.diagram(bf.System.from_equations(field, {"lam": -1.0}, {"x": 0.3}), "lam", (-1, 1))
    assert [point.label for point in found.special_points] == ["BP"]
    reach = 0.9**0.5
    states = found.branches[1].points[:, 1]
    assert [states.min(), states.max()] == pytest.approx(
        [0.3 - reach, 0.3 + reach],
        abs=1e-6,  # the rate is the rounding of numbers 1e5 times as large
    )

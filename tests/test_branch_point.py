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

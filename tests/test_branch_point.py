"""Branch points: refinement, directions, and branches that leave them."""

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.curves.equilibria import branch_point
from bifrncrn.curves.equilibria.problem import EquilibriumProblem


def problem(equations):
    return EquilibriumProblem(bf.System.from_equations(equations, {"lam": 0.0}, dict.fromkeys(equations, 0.0)), 0)


ONE = np.ones(2)


@pytest.mark.parametrize("equation", ["lam*x - x^2", "lam*x - x^3", "(lam - x)*(lam + 2*x) + x^3"])
def test_refinement_is_exact(equation):
    y, _, residual = branch_point.refine(problem({"x": equation}), np.array([0.05, -0.03]), ONE)
    assert y == pytest.approx(np.zeros(2), abs=1e-12)
    assert residual < 1e-12


def test_there_is_none_at_a_fold():
    assert branch_point.refine(problem({"x": "lam - x^2"}), np.array([0.02, 0.01]), ONE) is None


def test_there_is_none_at_a_regular_point():
    assert branch_point.refine(problem({"x": "lam - x"}), np.array([0.02, 0.01]), ONE) is None


def test_the_iterates_stay_in_the_box():
    box = (np.array([0.5, -1.0]), np.array([1.0, 1.0]))
    assert branch_point.refine(problem({"x": "lam*x - x^2"}), np.array([0.6, 0.6]), ONE, box) is None


@pytest.mark.parametrize(
    ("equation", "slopes"),
    [("lam*x - x^2", [0.0, 1.0]), ("(lam - x)*(lam + 2*x)", [1.0, -0.5]), ("lam*x - x^3", [0.0, np.inf])],
)
def test_directions(equation, slopes):
    model = problem({"x": equation})
    y, w, _ = branch_point.refine(model, np.array([0.01, 0.02]), ONE)
    found = branch_point.directions(model, y, w, ONE)
    angles = sorted(np.arctan2(v[0], v[1]) % np.pi % (np.pi - 1e-9) for v in found)
    assert angles == pytest.approx(sorted(np.arctan(slopes) % np.pi), abs=1e-9)


def test_no_directions_where_the_branches_are_imaginary():
    """x^2 + lam^2 = 0 is an isolated point."""
    model = problem({"x": "x^2 + lam^2"})
    y, w, _ = branch_point.refine(model, np.array([0.01, 0.02]), ONE)
    assert branch_point.directions(model, y, w, ONE) == []


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

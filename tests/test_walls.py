"""Bounds of the states: nothing is evaluated beyond them, and a branch ends exactly on them."""

import numpy as np
import pytest

import bifrncrn as bf


def watched(f, jacobian, by_parameter, names, parameters, state, **options):
    """Return a system, and the list of all states at which its derivatives are asked for."""
    seen = []

    def slopes(x, p):
        seen.append(np.array(x))
        return jacobian(x, p)

    model = bf.System.from_function(f, names, parameters, state, slopes, by_parameter, **options)
    return model, seen


def test_nothing_is_evaluated_below_zero():
    # the prey dies out at a branch point on the wall, the predator at another: refinement looks around both
    def f(x, p):
        return np.array([x[0] * (p[0] - x[0] - x[1]), x[1] * (x[0] - 0.5 - 0.1 * x[1])])

    def slopes(x, p):
        return np.array([[p[0] - 2 * x[0] - x[1], -x[0]], [x[1], x[0] - 0.5 - 0.2 * x[1]]])

    def by_parameter(x, p):
        return np.array([[x[0]], [0.0]])

    model, seen = watched(f, slopes, by_parameter, ["x", "y"], {"r": -1.0}, [0.0, 0.0], nonnegative=True)
    found = bf.diagram(model, "r", (-1, 2))
    assert [p.parameters["r"] for p in found.special("BP")] == pytest.approx([0.0, 0.5], abs=1e-7)
    assert len(found.branches) == 3
    assert len(seen) > 100 and np.min(seen) >= -1e-12


def test_nothing_is_evaluated_beyond_walls_given_by_the_user():
    def f(x, p):
        return np.array([p[0] - np.log(x[0])])

    model, seen = watched(
        f, lambda x, p: np.array([[-1 / x[0]]]), lambda x, p: np.ones((1, 1)), ["x"], {"r": 0.0}, [1.0]
    )
    found = bf.diagram(model, "r", (-30, 30), walls={"x": (0.2, 5.0)})
    assert np.min(seen) >= 0.2 - 1e-12 and np.max(seen) <= 5.0 + 1e-12
    (branch,) = found.branches
    assert [end.reason for end in branch.ended] == ["bound", "bound"]
    assert branch.points[[0, -1], 1] == pytest.approx([0.2, 5.0], abs=1e-15)
    assert branch.points[[0, -1], 0] == pytest.approx(np.log([0.2, 5.0]), abs=1e-13)


def test_the_end_says_which_bound():
    model = bf.System.from_equations({"x": "r - log(x)"}, {"r": 0}, {"x": 1}, nonnegative=True)
    found = bf.diagram(model, "r", (-2, 2), walls={"x": (0.5, np.inf)})
    assert found.branches[0].ended[0].message == "x reached its bound 0.5"
    assert found.branches[0].ended[1].reason == "range"


def test_a_singular_model_at_the_wall():
    model = bf.System.from_equations({"x": "r - sqrt(x)"}, {"r": 1}, {"x": 1}, nonnegative=True)
    found = bf.diagram(model, "r", (-1, 2))
    (branch,) = found.branches
    assert branch.ended[1].reason == "range"
    assert np.all(branch.column("x") >= 0.0) and branch.column("x")[0] < 1e-6


def test_a_species_that_is_zero_does_not_end_a_branch():
    model = bf.System.from_equations(
        {"x": "r - x", "y": "y*(x - 5 - y)", "z": "z*(y - 1)"}, {"r": 1}, {"x": 1, "y": 0, "z": 0}, nonnegative=True
    )
    found = bf.diagram(model, "r", (0, 4))
    (branch,) = found.branches
    assert np.all(branch.points[:, 2:] == 0.0)
    assert [end.reason for end in branch.ended] == ["range", "range"]


def test_a_branch_leaves_through_the_wall_at_a_positive_parameter():
    model = bf.System.from_equations({"x": "r - 0.25 - x"}, {"r": 1}, {"x": 1}, nonnegative=True)
    (branch,) = bf.diagram(model, "r", (0, 1)).branches
    assert branch.points[0] == pytest.approx([0.25, 0.0], abs=1e-14)
    assert branch.ended[0].reason == "bound" and "x reached its bound 0" in branch.ended[0].message


@pytest.mark.parametrize(
    ("walls", "word"),
    [
        ({"x": (5, 1)}, "lower one first"),
        ({"x": (1, 1)}, "lower one first"),
        ({"x": (float("nan"), 1)}, "lower one first"),
        ({"x": (-5, -1)}, "leave nothing"),
        ({"q": (0, 1)}, "no variable 'q'"),
    ],
)
def test_walls_that_are_none(walls, word):
    model = bf.System.from_equations({"x": "r - x"}, {"r": 1}, {"x": 1}, nonnegative=True)
    with pytest.raises(bf.InputError, match=word):
        bf.diagram(model, "r", (0, 1), walls=walls)


def test_a_start_beyond_the_walls():
    model = bf.System.from_equations({"x": "r - x"}, {"r": 1}, {"x": 1}, nonnegative=True)
    with pytest.raises(bf.InputError, match="x=-1, but x must not be below 0"):
        bf.diagram(model, "r", (0, 1), start={"x": -1})
    with pytest.raises(bf.InputError, match=r"x=1, but x must not be above 0\.5"):
        bf.diagram(model, "r", (0, 1), walls={"x": (0, 0.5)})

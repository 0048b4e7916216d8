"""Branches that are not connected to the start, and what speaks for their being all."""

import numpy as np
import pytest

import bifrncrn as bf

system = bf.System.from_equations


def search(model, p, low, high):
    box = dict(zip(model.variables, zip(low, high, strict=True), strict=True))
    return bf.find_equilibria(model, box, values={"r": p})


def test_all_roots_of_a_polynomial():
    model = system({"x": "(x-1)*(x-2)*(x-3)*(x-4)*(x-5)*r"}, {"r": 1})
    found = search(model, 1.0, [0], [6])
    assert found.points[:, 0] == pytest.approx([1, 2, 3, 4, 5], rel=1e-12) and found.complete


def test_roots_that_are_close_together():
    model = system({"x": "(x-1)*(x-1.0001)*(x-1.0002)*r", "y": "-y"}, {"r": 1})
    found = search(model, 1.0, [-5, -5], [5, 5])
    assert found.points[:, 0] == pytest.approx([1, 1.0001, 1.0002], rel=1e-10) and found.complete


def test_what_is_missing_is_said():
    # a box whose boundary says that there is a root, which the field keeps from Newton's method
    model = system({"x": "r*atan(1e9*(x - 0.12345678)) + 1e-9*x"}, {"r": 1})
    found = search(model, 1.0, [-1], [1])
    assert (len(found.points), found.complete) in ((1, True), (0, False))
    assert found.complete or "missing" in found.evidence


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_product_of_bistable_switches(n):
    model = system({f"x{i}": f"r*(x{i} - x{i}**3)" for i in range(n)}, {"r": 1})
    found = search(model, 1.0, [-2] * n, [2] * n)
    assert len(found.points) == 3**n
    assert found.complete is (True if n < 3 else None)
    assert np.allclose(np.abs(found.points[:, :n] * (1 - found.points[:, :n] ** 2)), 0.0, atol=1e-12)


def test_the_lost_branch_of_a_cubic():
    model = system({"x": "r + x - x**3"}, {"r": -1}, {"x": -1.3})
    alone = bf.diagram(model, "r", (-0.2, 0.2))
    assert len(alone.branches) == 1
    found = bf.diagram(model, "r", (-0.2, 0.2), all=True)
    assert len(found.branches) == 3
    at_zero = sorted(float(np.interp(0.0, b.column("r"), b.column("x"))) for b in found.branches)
    assert at_zero == pytest.approx([-1, 0, 1], abs=1e-3)
    assert all(branch.origin is None for branch in found.branches)


def test_nothing_is_listed_twice():
    model = system({"x": "r + x - x**3"}, {"r": -1}, {"x": -1.3})
    found = bf.diagram(model, "r", (-1, 1), all=True)  # the one branch passes everything there is
    assert len(found.branches) == 1 and len(found.special("LP")) == 2


@pytest.mark.parametrize("n", [1, 2, 3])
def test_an_isola_is_found_and_closed(n):
    equations = {"x0": "-x0*(x0 - 3)*((x0 - 1)**2 + r**2 - 0.1)"} | {f"x{i}": f"x0 - x{i}" for i in range(1, n)}
    model = system(equations, {"r": 0}, {f"x{i}": 3 for i in range(n)})
    found = bf.diagram(model, "r", (-1, 1), all=True)
    assert len(found.branches) == 3
    (isola,) = [b for b in found.branches if b.ended[0].reason == "closed"]
    assert sorted(p.parameters["r"] for p in found.special("LP")) == pytest.approx(
        [-np.sqrt(0.1), np.sqrt(0.1)], abs=1e-12
    )
    assert np.allclose((isola.column("x0") - 1) ** 2 + isola.column("r") ** 2, 0.1, atol=1e-10)


def test_the_box_says_where():
    model = system({"x": "r*sin(x)"}, {"r": 1})
    found = bf.diagram(model, "r", (0.5, 1.5), all=True, box={"x": (-10, 10)})
    assert sorted(round(b.points[0, 1] / np.pi) for b in found.branches) == [-3, -2, -1, 0, 1, 2, 3]
    assert any("Searched x in [-10, 10]" in note for note in found.notes)


def test_a_box_partly_outside_the_orthant():
    model = system({"x": "x*(x - 1)*(x - r)"}, {"r": 3}, {"x": 1}, nonnegative=True)
    found = bf.diagram(model, "r", (2, 4), all=True, box={"x": (-2, 5)})
    assert len(found.branches) == 3
    assert any("Searched x in [0, 5]" in note for note in found.notes)
    assert all(np.all(branch.column("x") >= 0.0) for branch in found.branches)


def test_search_stays_inside_the_walls():
    model = system({"x": "x*(x - 1)*(x - r)"}, {"r": 3}, {"x": 1})
    found = bf.diagram(model, "r", (2, 4), all=True, walls={"x": (0.5, 10)})
    assert len(found.branches) == 2


@pytest.mark.parametrize(
    ("box", "word"),
    [
        ({"x": (-2, -1)}, "lies outside"),
        ({"x": (2, 1)}, "smaller first"),
        ({"x": (0, float("inf"))}, "two finite numbers"),
        ({"q": (0, 1)}, "no variable 'q'"),
    ],
)
def test_boxes_that_are_none(box, word):
    model = system({"x": "r - x"}, {"r": 3}, {"x": 1}, nonnegative=True)
    with pytest.raises(bf.InputError, match=word):
        bf.diagram(model, "r", (2, 4), all=True, box=box)


def test_a_box_beyond_the_walls():
    model = system({"x": "r - x"}, {"r": 3}, {"x": 1})
    with pytest.raises(bf.InputError, match="beyond its walls"):
        bf.diagram(model, "r", (2, 4), all=True, box={"x": (6, 8)}, walls={"x": (0, 5)})


def test_the_notes_are_few():
    model = system({"x": "r + x - x**3"}, {"r": 0}, {"x": -1})
    found = bf.diagram(model, "r", (-1, 1), all=True)
    assert len(found.notes) == 2


def test_the_search_does_not_need_an_equilibrium_at_the_start():
    """x' = p - 2 - x^2 has none where the start is; the fold at p = 2 is found all the same."""
    system = bf.System.from_equations({"x": "p - 2 - x^2"}, parameters={"p": 0.0}, state={"x": 0.5})
    diagram = bf.diagram(system, "p", (0, 3), all=True, box={"x": (-3, 3)})
    assert [(point.label, round(point.parameters["p"], 9)) for point in diagram.special_points] == [("LP", 2.0)]
    assert any("found by the search" in note for note in diagram.notes)
    with pytest.raises(bf.ConvergenceError):
        bf.diagram(system, "p", (0, 1.9), all=True, box={"x": (-3, 3)})

"""Branch points: where they are, which branches leave them, and that no branch is listed twice."""

import math

import numpy as np
import pytest

import bifrncrn as bf

system = bf.System.from_equations


def labels(found, label):
    return [point.parameters[found.parameter] for point in found.special(label)]


def no_branch_twice(found):
    """Three rows of a branch do not all lie on another one, up to the distance of neighbouring points."""
    for one in found.branches:
        for other in found.branches:
            if one.id < other.id:
                size = np.ptp(np.concatenate([one.points, other.points]), axis=0) + 1e-12
                rows = other.points[[len(other.points) * k // 7 for k in (1, 3, 6)]]
                gaps = [np.min(np.max(np.abs(one.points - row) / size, axis=1)) for row in rows]
                if max(gaps) < 1e-2:
                    return False
    return True


def test_pitchfork_through_the_middle_of_a_symmetric_range():
    found = bf.diagram(system({"x": "r*x - x**3"}, {"r": -1}), "r", (-1, 1))
    assert labels(found, "BP") == pytest.approx([0.0], abs=1e-12)
    trunk, fork = found.branches
    assert trunk.origin is None and fork.origin == 0
    assert [end.reason for end in (*trunk.ended, *fork.ended)] == ["range"] * 4
    assert np.allclose(fork.column("r"), fork.column("x") ** 2, atol=1e-12)
    assert sorted(fork.column("x")[[0, -1]]) == pytest.approx([-1, 1])


@pytest.mark.parametrize("start", [{"r": 0.5, "x": 0.7}, {"r": 0.5, "x": -0.7}, {"r": -0.9}, {"r": 0.0, "x": 0.0}])
def test_pitchfork_from_anywhere(start):
    found = bf.diagram(system({"x": "r*x - x**3"}, {"r": -1}), "r", (-1, 1), start=start)
    assert len(found.branches) == 2 and len(found.special_points) == 1
    assert labels(found, "BP") == pytest.approx([0.0], abs=1e-9)


@pytest.mark.parametrize("bounds", [(-1, 1), (-1, 0.7), (-0.3, 2), (-1, 10)])
def test_transcritical(bounds):
    found = bf.diagram(system({"x": "r*x - x**2"}, {"r": -0.1}), "r", bounds)
    assert labels(found, "BP") == pytest.approx([0.0], abs=1e-12)
    assert len(found.branches) == 2 and no_branch_twice(found)
    other = found.branches[1]
    assert np.allclose(other.column("x"), other.column("r"), atol=1e-12)


def test_two_branch_points_are_not_taken_for_each_other():
    found = bf.diagram(system({"x": "r*x - x**3", "y": "(r - 0.5)*y - y**3"}, {"r": -1}), "r", (-1, 2))
    on_trunk = sorted(p.parameters["r"] for p in found.special("BP") if p.branch == 0)
    assert on_trunk == pytest.approx([0.0, 0.5], abs=1e-9)
    assert all(p.status == "converged" for p in found.special("BP"))
    ends = {tuple(np.round(b.points[k, 1:], 6) + 0.0) for b in found.branches for k in (0, -1) if b.points[k, 0] == 2.0}
    x, y = np.round(np.sqrt(2.0), 6), np.round(np.sqrt(1.5), 6)
    assert ends == {(i * x, j * y) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    assert no_branch_twice(found)


def test_the_tree_of_a_cascade():
    equations = {"x": "r*x - x**3", "y": "(r - 0.5)*y - y**3 + 0.1*x*x*y"}
    found = bf.diagram(system(equations, {"r": -1}), "r", (-1, 2))
    for branch in found.branches:
        if branch.origin is not None:
            point = found.special_points[branch.origin]
            at = np.array([point.parameters["r"], point.state["x"], point.state["y"]])
            assert np.min(np.max(np.abs(branch.points - at), axis=1)) < 1e-9
            assert point.branch < branch.id
    assert no_branch_twice(found)


def test_a_double_point_with_a_continuum_of_branches_is_located_and_said_not_to_be_followed():
    """With the symmetry of a circle no branch that leaves is isolated."""
    found = bf.diagram(system({"x": "r*x - x*(x**2 + y**2)", "y": "r*y - y*(x**2 + y**2)"}, {"r": -1}), "r", (-1, 1))
    (point,) = found.special_points
    assert (point.label, point.status) == ("BP", "converged") and abs(point.parameters["r"]) < 1e-12
    assert any("Not all branches" in note and "--all" in note for note in found.notes)
    assert len(found.branches) == 1 and found.branches[0].ended[1].reason == "range"


def test_the_branches_of_a_double_point_are_found_by_search():
    equations = {"x": "r*x - x**3 - 2*x*y**2", "y": "r*y - y**3 - 2*y*x**2"}
    found = bf.diagram(system(equations, {"r": -1}), "r", (-1, 1), all=True)
    ends = {tuple(np.round(b.points[k, 1:], 6) + 0.0) for b in found.branches for k in (0, -1) if b.points[k, 0] == 1.0}
    assert len(ends) == 9


def test_a_ring_of_three():
    equations = {f"x{i}": f"r*x{i} - x{i}**3 + x{(i + 1) % 3} + x{(i + 2) % 3} - 2*x{i}" for i in range(3)}
    found = bf.diagram(system(equations, {"r": -1}), "r", (-1, 4))
    simple, double = found.special("BP")
    assert simple.status == "converged" and simple.parameters["r"] == pytest.approx(0.0, abs=1e-9)
    assert double.status == "converged" and double.parameters["r"] == pytest.approx(3.0, abs=1e-12)
    # all alike; one against two others, three ways; one against another, three ways
    assert [branch.origin for branch in found.branches[1:]] == [0] + 6 * [1]


@pytest.mark.parametrize("step", [0.02, 0.05, 0.1])
def test_the_same_tree_at_every_step(step):
    equations = {"x": "r*x - x**3", "y": "(r - 0.5)*y - y**3"}
    found = bf.diagram(system(equations, {"r": -1}), "r", (-1, 2), options=bf.Options(step=step))
    assert len(found.special("BP")) == 4 and len(found.branches) == 5


def test_a_limit_of_branches_is_said():
    found = bf.diagram(system({"x": "r*x - x**3", "y": "(r - 0.5)*y - y**3"}, {"r": -1}), "r", (-1, 2), max_branches=1)
    assert len(found.branches) == 1
    assert any("Stopped after 1 branches" in note for note in found.notes)


# --- species that die out

HARVEST = {"u1": "p2*u1*(1-u1) - u1*u2 - p1*(1-exp(-p3*u1))", "u2": "-u2 + p4*u1*u2"}
RATES = {"p1": 0.0, "p2": 3.0, "p3": 5.0, "p4": 3.0}


@pytest.mark.parametrize("nonnegative", [False, True])
def test_the_coexistence_branch_is_found_through_two_branch_points_on_the_wall(nonnegative):
    """AUTO demo pp2; values recomputed to 50 digits."""
    found = bf.diagram(system(HARVEST, RATES, nonnegative=nonnegative), "p1", (0, 1))
    assert labels(found, "BP") == pytest.approx([0.6, 0.8219043453739908], abs=1e-10)
    assert labels(found, "LP") == pytest.approx([0.8329293222341568], abs=1e-10)
    (hopf,) = found.special("HB")
    assert hopf.parameters["p1"] == pytest.approx(0.6715938474788318, abs=1e-10)
    assert hopf.l1 == pytest.approx(-0.70980060656589, rel=1e-8)
    assert [branch.origin for branch in found.branches] == [None, 0, 1]
    if nonnegative:
        assert all(np.all(branch.points[:, 1:] >= 0.0) for branch in found.branches)


def test_a_food_chain_climbs_along_the_walls():
    equations = {
        "x": "x*(1 - x/K) - x*y/(1 + x)",
        "y": "y*(0.9*x/(1 + x) - 0.3) - 0.8*y*z/(1 + y)",
        "z": "z*(0.6*y/(1 + y) - 0.2)",
    }
    model = system(equations, {"K": 0.3}, {"x": 0.3, "y": 0, "z": 0}, nonnegative=True)
    found = bf.diagram(model, "K", (0.1, 8))
    assert labels(found, "BP") == pytest.approx([0.5, 0.75], abs=1e-10)
    alone, two, three = found.branches
    assert np.all(alone.points[:, 2:] == 0.0) and np.all(two.column("z") <= 1e-12)
    assert {end.reason for b in found.branches for end in b.ended} == {"range", "branch point"}
    assert np.all(three.points[:, 1:] >= 0.0) and three.column("z").max() > 0.5
    hopf = [p for p in found.special("HB") if p.branch == 1]
    assert hopf[0].parameters["K"] == pytest.approx(2.0, abs=1e-9)


@pytest.mark.parametrize("x", [0.0, 0.5])
def test_transcritical_on_the_wall(x):
    model = system({"x": "r*x - x**2"}, {"r": 0.5}, {"x": x}, nonnegative=True)
    found = bf.diagram(model, "r", (-1, 1))
    assert labels(found, "BP") == pytest.approx([0.0], abs=1e-12)
    assert len(found.branches) == 2
    assert all(np.all(branch.column("x") >= 0.0) for branch in found.branches)
    away = max(found.branches, key=lambda b: b.column("x").max())
    assert {away.points[0, 0], away.points[-1, 0]} == {0.0, 1.0}


def test_a_ring_whose_middle_is_its_other_branch_point():
    """(x - c) (r^2 - (p - a)^2 - (x - c - m)^2): the ring crosses the line x = c twice, half its length apart."""
    a, c, r, m = 0.6339311975508537, -1.1820163144346003, math.sqrt(0.7390887432485973), -0.22415458450664252
    k = 0.6436226122539428
    field = f"(x - {c})*({r * r!r} - (p - {a})^2 - ({k}*(x - {c}) - {m})^2)"
    found = bf.diagram(system({"x": field}, {"p": a - 1.0}, {"x": c}), "p", (a - 1.0, a + 1.1))
    gap = np.sqrt(r * r - m * m)
    assert labels(found, "BP") == pytest.approx([a - gap, a + gap], abs=1e-9)
    assert sorted(labels(found, "LP")) == pytest.approx([a - r, a + r], abs=1e-9)
    assert len(found.branches) == 2


def test_a_branch_that_touches_is_spoken_of():
    """x = p^3 and x = 0 touch at p = 0: one tangent; the search finds the other."""
    model = bf.System.from_equations({"x": "x*(x - p^3)"}, {"p": -1.0}, {"x": -1.0})
    found = bf.diagram(model, "p", (-1.5, 1.5))
    assert len(found.branches) == 1 and len(found.special("BP")) == 1
    assert "No second direction" in found.notes[0]
    every = bf.diagram(model, "p", (-1.5, 1.5), all=True, box={"x": (-4, 4)})
    assert sorted(abs(branch.column("x")).max() > 1 for branch in every.branches) == [False, True]


@pytest.mark.parametrize("reach", [2.0, 200.0, 2e4])
@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e4])
def test_lines_that_cross_in_any_units(reach, unit):
    """x = p - 1 and x = 1 - p cross at p = 1; in a wide range the angle between them is small in units of length."""
    text = f"(x/{unit} - p + 1)*(x/{unit} + p - 1)"
    model = bf.System.from_equations({"x": text}, {"p": 0.5}, {"x": 0.5 * unit})
    found = bf.diagram(model, "p", (-reach, reach))
    assert [point.label for point in found.special_points] == ["BP"]
    slopes = [np.polyfit(b.column("p"), b.column("x") / unit, 1)[0] for b in found.branches]
    np.testing.assert_allclose(sorted(slopes), [-1.0, 1.0], atol=1e-9)  # of points right to 1e-12 or so


def test_circles_that_cross():
    """Circles of radius 1 about x = 1/2 and -1/2 meet at p = +-sqrt(3/4), and turn at p = +-1."""
    model = bf.System.from_equations({"x": "((x - 0.5)^2 + p^2 - 1)*((x + 0.5)^2 + p^2 - 1)"}, {"p": 0.0}, {"x": 1.5})
    found = bf.diagram(model, "p", (-2, 2))
    folds = sorted((point.parameters["p"], point.state["x"]) for point in found.special("LP"))
    np.testing.assert_allclose(folds, [(-1, -0.5), (-1, 0.5), (1, -0.5), (1, 0.5)], atol=1e-8)  # Newton's method stops
    crossings = sorted(point.parameters["p"] for point in found.special("BP"))
    np.testing.assert_allclose(crossings, [-(0.75**0.5), 0.75**0.5], atol=1e-10)
    assert len(found.special_points) == 6 and len(found.branches) == 2

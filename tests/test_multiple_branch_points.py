"""Branch points at which several eigenvalues are zero together, as symmetry makes them: all that leaves is followed."""

import numpy as np
import pytest

import bifrncrn as bf

SYSTEMS = {
    # two pitchforks that do not know each other: x, y, and both together, two ways
    "pitchforks": ({"x": "x*(lam - x^2)", "y": "y*(lam - y^2)"}, 4),
    # three: 3 axes, 3 times 2 diagonals of planes, 4 diagonals of the cube
    "three pitchforks": ({"x": "x*(lam - x^2)", "y": "y*(lam - y^2)", "z": "z*(lam - z^2)"}, 13),
    "transcritical": ({"x": "x*(lam - x)", "y": "y*(lam - y)", "w": "-w"}, 3),
    # a branch of the pitchfork and one of both are tangent to each other
    "one of each": ({"x": "x*(lam - x^2)", "y": "y*(lam - y)"}, 3),
    # Golubitsky, Stewart, Schaeffer 1988, XIII and XV: the symmetries of a square and of a triangle
    "square": ({"x": "lam*x - x^3 - 2*x*y^2", "y": "lam*y - y^3 - 2*y*x^2"}, 4),
    "triangle": ({"x": "lam*x + x^2 - y^2 - x*(x^2 + y^2)", "y": "lam*y - 2*x*y - y*(x^2 + y^2)"}, 3),
    # four cells, all alike: one against three (4 ways), two against two (3 ways)
    "four cells": ({f"x{i}": f"lam*x{i} + x{i}^2 - x{i}^3 - 0.7*(x1 + x2 + x3 + x4)" for i in (1, 2, 3, 4)}, 7),
}


def mixed(equations, seed, size):
    """The same system in states that are random sums of its own, in units of another size."""
    names = list(equations)
    n = len(names)
    to = size * (np.eye(n) + 0.4 * np.random.default_rng(seed).uniform(-1, 1, (n, n)))
    back = np.linalg.inv(to)
    total = [" + ".join(f"({value!r})*z{j}" for j, value in enumerate(row)) for row in to.tolist()]
    definitions = dict(zip(names, total, strict=True)) | {f"rate{i}": equations[name] for i, name in enumerate(names)}
    return bf.System.from_equations(
        {f"z{i}": " + ".join(f"({v!r})*rate{j}" for j, v in enumerate(row)) for i, row in enumerate(back.tolist())},
        {"lam": -1.0},
        {f"z{i}": 0.0 for i in range(n)},
        definitions=definitions,
    )


@pytest.mark.parametrize("seed, size", [(1, 1.0), (2, 1e-6), (5, 1.0)])
@pytest.mark.parametrize("name", SYSTEMS)
def test_all_branches_leave_a_point_of_several_zeros(name, seed, size):
    equations, count = SYSTEMS[name]
    diagram = bf.diagram(mixed(equations, seed, size), "lam", (-1, 2), max_branches=60)
    first = [point for point in diagram.special_points if point.branch == 0 and point.label in ("BP", "HB")]
    here = [point for point in first if abs(point.parameters["lam"]) < 1e-12]
    assert [(point.label, point.status) for point in here] == [("BP", "converged")]
    assert sum(branch.origin == 0 for branch in diagram.branches) == count
    assert not any("may have been found" in note for note in diagram.notes)


def test_three_genes_that_repress_each_other():
    """At g = 1 / 4^(1/3), a = 3 g, the derivative of the Hill term by the sum of the others is 1: two zeros at once."""
    genes = [("g1", "g2", "g3"), ("g2", "g3", "g1"), ("g3", "g1", "g2")]
    equations = {one: f"a/(1 + ({two} + {three})^3) - {one}" for one, two, three in genes}
    model = bf.System.from_equations(equations, {"a": 0.5}, {"g1": 0.3, "g2": 0.3, "g3": 0.3}, nonnegative=True)
    diagram = bf.diagram(model, "a", (0.3, 10))
    (point,) = (p for p in diagram.special_points if p.label == "BP")
    assert point.parameters["a"] == pytest.approx(1.5 * 2 ** (1 / 3), rel=1e-12)
    assert [branch.origin for branch in diagram.branches[1:]] == [0, 0, 0]
    folds = [p for p in diagram.special_points if p.label == "LP"]
    assert len(folds) == 3 and np.ptp([p.parameters["a"] for p in folds]) < 1e-10
    assert sorted(int(np.argmax([*p.state.values()])) for p in folds) == [0, 1, 2]  # one of them is up in each
    longer = bf.extend(diagram, (0.3, 12))
    assert [branch.origin for branch in longer.branches] == [branch.origin for branch in diagram.branches]
    assert all(12.0 in branch.points[[0, -1], 0] for branch in longer.branches)


def test_two_points_side_by_side_are_not_one():
    model = bf.System.from_equations({"x": "x*(lam - x)", "y": "y*(lam - 1e-4 - y)"}, {"lam": -1.0}, {"x": 0, "y": 0})
    diagram = bf.diagram(model, "lam", (-1, 2))
    places = sorted(p.parameters["lam"] for p in diagram.special_points if p.label == "BP" and p.branch == 0)
    assert places == pytest.approx([0.0, 1e-4], abs=1e-12)


@pytest.mark.parametrize("slow", [1e-2, 1e-5])
def test_a_slow_pair_stays_a_pair(slow):
    """A Hopf point with a frequency that is small beside another rate is no branch point."""
    equations = {"x": "lam*x - w*y - x*(x^2 + y^2)", "y": "lam*y + w*x - y*(x^2 + y^2)", "z": "-z"}
    model = bf.System.from_equations(equations, {"lam": -1.0, "w": slow}, {"x": 0, "y": 0, "z": 0})
    (point,) = bf.diagram(model, "lam", (-1, 2)).special_points
    assert point.label == "HB" and point.omega == pytest.approx(slow, rel=1e-9)


@pytest.mark.parametrize("cells, count, place", [(3, 2, 2.6), (4, 2, 2.4)])
def test_pairs_that_cross_together_in_a_ring_of_oscillators(cells, count, place):
    """Brusselators that exchange both substances at rate d: mode k of the ring crosses at b = 2 + 8 d sin(pi k/n)^2."""
    d, equations = 0.1, {}
    for i in range(cells):
        j, k = (i + 1) % cells, (i - 1) % cells
        equations[f"x{i}"] = f"1 - (b + 1)*x{i} + x{i}^2*y{i} + {d}*(x{j} + x{k} - 2*x{i})"
        equations[f"y{i}"] = f"b*x{i} - x{i}^2*y{i} + {d}*(y{j} + y{k} - 2*y{i})"
    model = bf.System.from_equations(equations, {"b": 1.0}, dict.fromkeys(equations, 1.0), nonnegative=True)
    diagram = bf.diagram(model, "b", (1, 4))
    (point,) = (p for p in diagram.special("HB") if abs(p.parameters["b"] - place) < 0.1)
    assert point.status == "converged" and point.parameters["b"] == pytest.approx(place, abs=1e-12)
    # the determinant of a mode's block is 1 + e (1 + e) - b e + ..., with e = (b - 2)/2 exchanged: omega^2 = 1 - e^2
    assert point.omega == pytest.approx(np.sqrt(1 - ((place - 2) / 2) ** 2), abs=1e-10)
    assert np.isnan(point.l1) and any(f"{count} pairs of eigenvalues" in note for note in diagram.notes)


@pytest.mark.parametrize("high", [2.0, 3.0, 4.5, 7.0])
@pytest.mark.parametrize("genes, power, place, count", [(3, 3, 1.5 * 2 ** (1 / 3), 3), (4, 4, None, 7)])
def test_a_curved_branch_goes_on_through_the_point_in_any_range(genes, power, place, count, high):
    """g = a/(1 + ((n - 1) g)^h): the derivative by one other gene is -1 where h ((n - 1) g)^h = (n - 1)(1 + ...)."""
    equations = {
        f"g{i}": f"a/(1 + ({' + '.join(f'g{j}' for j in range(genes) if j != i)})^{power}) - g{i}" for i in range(genes)
    }
    model = bf.System.from_equations(equations, {"a": 0.5}, dict.fromkeys(equations, 0.3), nonnegative=True)
    diagram = bf.diagram(model, "a", (0.3, high))
    # with s = (n - 1) g: h s^h/(1 + s^h) = n - 1, for then a mode that is orthogonal to (1, ..., 1) has no rate
    s = ((genes - 1) / (power - genes + 1)) ** (1 / power)
    here = s / (genes - 1) * (1 + s**power)
    assert place is None or here == pytest.approx(place, rel=1e-14)
    (point,) = (p for p in diagram.special("BP") if p.branch == 0)
    assert point.status == "converged" and point.parameters["a"] == pytest.approx(here, rel=1e-12)
    assert [end.reason for end in diagram.branches[0].ended] == ["range", "range"]
    assert sum(branch.origin is not None for branch in diagram.branches) == count


@pytest.mark.parametrize("high", [1e-6, 1e-3, 0.0])
@pytest.mark.parametrize("name", ["pitchforks", "transcritical"])
def test_what_leaves_beside_the_end_of_the_range_is_followed_or_said(name, high):
    equations, count = SYSTEMS[name]
    model = bf.System.from_equations(equations, {"lam": -1.0}, dict.fromkeys(equations, 0.0))
    diagram = bf.diagram(model, "lam", (-1, high))
    (point,) = diagram.special("BP")
    assert point.status == "converged" and abs(point.parameters["lam"]) < 1e-12
    assert diagram.branches[0].ended[1].reason == "range"
    if high > 0.0:
        found = sum(branch.origin == 0 for branch in diagram.branches)
        assert found == count or any("may have been found" in note for note in diagram.notes)


@pytest.mark.parametrize("stop", ["HB", "BP"])
@pytest.mark.parametrize("seed", [1, 5])
def test_stops_are_judged_by_what_the_points_are(seed, stop):
    diagram = bf.diagram(mixed(SYSTEMS["square"][0], seed, 1.0), "lam", (-1, 2), stop=(stop,))
    assert not diagram.special("HB") and len(diagram.special("BP")) >= 1
    assert ("stop" in [end.reason for end in diagram.branches[0].ended]) is (stop == "BP")


def test_a_branch_keeps_its_origin_beside_a_fast_state():
    equations = {"x": "lam*x - x^3", "a": "x - 0.5*a", "w": "x - 0.1*w", "z": "1e9*(x - z)"}
    model = bf.System.from_equations(equations, {"lam": -1.0}, dict.fromkeys(equations, 0.0))
    diagram = bf.diagram(model, "lam", (-1, 1))
    assert [branch.origin for branch in bf.extend(diagram, (-1, 2)).branches] == [None, 0]


def test_more_branches_than_were_looked_for_are_said():
    """Six pitchforks at once: (3^6 - 1)/2 branches."""
    equations = {f"x{i}": f"x{i}*(lam - {1 + 0.1 * i}*x{i}^2)" for i in range(6)}
    model = bf.System.from_equations(equations, {"lam": -0.5}, dict.fromkeys(equations, 0.0))
    diagram = bf.diagram(model, "lam", (-0.5, 0.5), max_branches=30)
    assert any("Not all branches" in note for note in diagram.notes)

"""Going on with a diagram."""

import json

import numpy as np
import pytest

import bifrncrn as bf

system = bf.System.from_equations
CUBIC = system({"x": "r + x - x**3"}, {"r": -1}, {"x": -1.3})
FORK = system({"x": "r*x - x**3"}, {"r": -1})
BRUSSELATOR = system({"x": "a - (b+1)*x + x**2*y", "y": "b*x - x**2*y"}, {"a": 1, "b": 1}, {"x": 1, "y": 1})
FOLD = 2 / (3 * np.sqrt(3))


def special(found):
    """Return labels, branches and parameters, in the order of the parameter."""
    return sorted((p.label, round(p.parameters[found.parameter], 8) + 0.0, p.status) for p in found.special_points)


def check(found):
    """Special points are rows of their branches; branches leave branch points that exist."""
    for p in found.special_points:
        row = found.branches[p.branch].points[p.index]
        assert row == pytest.approx([*p.parameters.values(), *p.state.values()], abs=1e-12)
    for k, branch in enumerate(found.branches):
        assert branch.id == k and (branch.origin is None or found.special_points[branch.origin].label == "BP")
        assert len(branch.points) == len(branch.unstable) == len(branch.eigenvalues)


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize(
    ("model", "name", "small", "large", "options"),
    [
        (CUBIC, "r", (-1, 0.1), (-2, 2), {}),
        (CUBIC, "r", (-1, 0.5), (-2, 2), {}),
        (CUBIC, "r", (-1, 1), (-1, 1), {"options": bf.Options(max_points=10)}),
        (CUBIC, "r", (-1, 1), (-1, 2), {"options": bf.Options(max_points=40)}),
        (CUBIC, "r", (-1, 1), (-1, 1), {"stop": ["LP"]}),
        (FORK, "r", (-1, 1), (-2, 2), {}),
        (FORK, "r", (-1, -0.5), (-1, 1), {}),
        (FORK, "r", (-1, 1), (-1, 1), {"stop": ["BP"]}),
        (FORK, "r", (-1, 1), (-1, 1), {"options": bf.Options(max_points=8)}),
        (BRUSSELATOR, "b", (0.5, 1.5), (0.5, 3), {}),
        (BRUSSELATOR, "b", (0.5, 3), (0.2, 3), {"stop": ["HB"]}),
        (BRUSSELATOR, "b", (0.5, 2.5), (0.2, 3), {}),
    ],
)
def test_it_gives_what_one_run_gives(model, name, small, large, options, saved, tmp_path):
    old = bf.diagram(model, name, small, **options)
    if saved:
        old.save(tmp_path / "old.json")
        old = bf.Diagram.load(tmp_path / "old.json")
    found, whole = bf.extend(old, large, system=model), bf.diagram(model, name, large)
    assert special(found) == special(whole)
    assert len(found.branches) == len(whole.branches) and found.range == large
    assert sorted(end.reason for b in found.branches for end in b.ended) == sorted(
        end.reason for b in whole.branches for end in b.ended
    )
    check(found)


def test_what_was_computed_is_kept():
    old = bf.diagram(CUBIC, "r", (-1, 0.1))
    found = bf.extend(old, (-2, 2))
    rows = {tuple(row) for row in found.branches[0].points.tolist()}
    assert all(tuple(row) in rows for row in old.branches[0].points.tolist())
    assert found.branches[0].points[0, 0] == -2.0 and found.branches[0].points[-1, 0] == 2.0


def test_user_events_are_kept_and_go_on():
    old = bf.diagram(CUBIC, "r", (-1, 0.38), events=["x = -1.2", "x^2 = 0.25"])
    assert [p.event for p in old.special("UZ")] == ["x = -1.2"]
    found = bf.extend(old, (-1, 1), events=["x^2 = 0.25"])
    names = [p.event for p in found.special("UZ")]
    assert sorted(names) == ["x = -1.2", "x^2 = 0.25", "x^2 = 0.25"]
    check(found)


def test_two_branches_that_turn_out_to_be_one():
    old = bf.diagram(CUBIC, "r", (-0.2, 0.2), start={"r": 0, "x": -1}, all=True)
    assert len(old.branches) == 3
    found = bf.extend(old, (-1, 1))
    assert len(found.branches) == 1 and len(found.special("LP")) == 2


def test_a_branch_that_closes():
    circle = system({"x": "x**2 + r**2 - 1"}, {"r": 0}, {"x": 1})
    found = bf.extend(bf.diagram(circle, "r", (-0.5, 0.5), all=True), (-2, 2))
    (branch,) = found.branches
    assert [end.reason for end in branch.ended] == ["closed", "closed"]
    assert sorted(p.parameters["r"] for p in found.special("LP")) == pytest.approx([-1, 1], abs=1e-12)


def test_walls():
    old = bf.diagram(CUBIC, "r", (-1, 1), walls={"x": (-2, 0.2)})
    assert old.branches[0].ended[1].reason == "bound"
    assert special(bf.extend(old)) == special(old)  # no wider walls, nothing to do
    found = bf.extend(old, walls={"x": (-2, 2)})
    assert found.branches[0].ended[1].reason == "range" and len(found.special("LP")) == 2


def test_it_stops_where_it_is_told():
    found = bf.extend(bf.diagram(CUBIC, "r", (-1, 0.1)), (-1, 1), stop=["LP"])
    assert found.branches[0].ended[1].reason == "stop"
    assert found.branches[0].points[-1, 0] == pytest.approx(FOLD, abs=1e-12)


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize(("name", "small", "large"), [("b", (1.5, 3), (0.1, 4)), ("total_S", (0.8, 3), (0.1, 4))])
def test_a_closed_network(name, small, large, saved, tmp_path):
    model = system({"S": "-b*S*I + g*I", "I": "b*S*I - g*I"}, {"b": 2, "g": 1}, {"S": 0.5, "I": 0.5}, nonnegative=True)
    old = bf.diagram(model, name, small)
    if saved:
        old.save(tmp_path / "old.json")
        old = bf.Diagram.load(tmp_path / "old.json")
    found, whole = bf.extend(old, large, system=model if saved else None), bf.diagram(model, name, large)
    assert special(found) == special(whole) and len(found.branches) == len(whole.branches) == 2
    assert found.branches[0].columns == (name, "S", "I")
    assert sum("Conserved" in note for note in found.notes) == 1
    assert len(bf.extend(found, (0.05, 5)).branches) == 2


def test_bad_input(tmp_path):
    old = bf.diagram(CUBIC, "r", (-1, 1))
    old.save(tmp_path / "old.json")
    loaded = bf.Diagram.load(tmp_path / "old.json")
    assert len(bf.extend(loaded, (-2, 2)).branches) == len(bf.extend(old, (-2, 2)).branches)
    with pytest.raises(bf.InputError, match="does not contain the diagram's own"):
        bf.extend(old, (-0.5, 2))
    with pytest.raises(bf.InputError, match="no parameter 'r'"):
        bf.extend(loaded, (-2, 2), system=BRUSSELATOR)
    with pytest.raises(bf.InputError, match="has the columns r, x, the model r, y"):
        bf.extend(loaded, (-2, 2), system=system({"y": "r - y"}, {"r": 1}))
    with pytest.raises(bf.InputError, match="no equilibria of this model"):
        bf.extend(loaded, (-2, 2), system=system({"x": "r - x"}, {"r": 1}))
    with pytest.raises(bf.InputError, match="unknown name 'q'"):
        bf.extend(old, (-2, 2), events=["q = 1"])
    with pytest.raises(bf.InputError, match="cannot stop at"):
        bf.extend(old, (-2, 2), stop=["?"])


@pytest.mark.parametrize(
    ("model", "name", "small", "large"),
    [(CUBIC, "r", (-1, 0.1), (-2, 2)), (FORK, "r", (-1, 0.5), (-2, 2)), (BRUSSELATOR, "b", (0.5, 2.5), (0.2, 3))],
)
def test_a_loaded_diagram_goes_on_as_a_fresh_one(model, name, small, large, tmp_path):
    """To the last digit, tangents and all."""
    fresh = bf.diagram(model, name, small)
    fresh.save(tmp_path / "old.json")
    loaded = bf.Diagram.load(tmp_path / "old.json")
    for one, other in zip(bf.extend(fresh, large).branches, bf.extend(loaded, large).branches, strict=True):
        assert one.tangents.shape == one.points.shape
        for key in ("points", "tangents", "unstable", "eigenvalues"):
            np.testing.assert_array_equal(getattr(one, key), getattr(other, key))
        assert [end.message for end in one.ended] == [end.message for end in other.ended]


def test_a_closed_network_goes_on_as_a_fresh_one(tmp_path):
    model = system({"S": "-b*S*I + g*I", "I": "b*S*I - g*I"}, {"b": 2, "g": 1}, {"S": 0.5, "I": 0.5}, nonnegative=True)
    fresh = bf.diagram(model, "b", (1.5, 3))
    fresh.save(tmp_path / "old.json")
    pieces = [bf.extend(old, (0.1, 4)) for old in (fresh, bf.Diagram.load(tmp_path / "old.json"))]
    for one, other in zip(*(piece.branches for piece in pieces), strict=True):
        assert one.tangents.shape[1] == 2  # of b and the state that is left
        np.testing.assert_allclose(one.points, other.points, rtol=1e-13, atol=1e-15)


def test_tangents_are_those_of_the_branch():
    (branch,) = bf.diagram(CUBIC, "r", (-1, 1)).branches
    x = branch.points[:, 1]
    slope = branch.tangents[:, 0] / branch.tangents[:, 1]  # r = x^3 - x
    np.testing.assert_allclose(slope, 3 * x**2 - 1, atol=1e-6)
    assert np.all(np.sum(np.diff(branch.points, axis=0) * branch.tangents[:-1], axis=1) > 0)


def test_a_file_without_tangents_goes_on_too(tmp_path):
    path = tmp_path / "old.json"
    bf.diagram(CUBIC, "r", (-1, 0.1)).save(path)
    data = json.loads(path.read_text())
    for branch in data["branches"]:
        del branch["tangents"]
    path.write_text(json.dumps(data))
    found = bf.extend(bf.Diagram.load(path), (-2, 2))
    assert special(found) == special(bf.diagram(CUBIC, "r", (-2, 2)))

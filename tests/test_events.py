"""User-defined events and stops."""

import numpy as np
import pytest

import bifrncrn as bf

CUBIC = bf.System.from_equations({"x": "r + x - x**3"}, {"r": -1}, {"x": -1.3}, definitions={"square": "x*x"})
BRUSSELATOR = bf.System.from_equations(
    {"x": "a - (b+1)*x + x**2*y", "y": "b*x - x**2*y"}, {"a": 1, "b": 1}, {"x": 1, "y": 1}, definitions={"flux": "x*y"}
)
FOLD = 2 / (3 * np.sqrt(3))


def events(found):
    return [(p.event, p.parameters[found.parameter]) for p in found.special("UZ")]


@pytest.mark.parametrize(
    ("event", "x"),
    [
        ("x = 0.5", [0.5]),
        ("x - 0.5", [0.5]),
        ("square = 0.25", [-0.5, 0.5]),
        ("r = 0", [-1, 0, 1]),
        ("x^2 - 1/4", [-0.5, 0.5]),
        ("x = r", [0.0]),
        ("x = 99", []),
        ("r = 0.1 + r", []),
    ],
)
def test_an_event_is_located(event, x):
    found = bf.diagram(CUBIC, "r", (-1, 1), events=[event])
    points = found.special("UZ")
    assert [p.state["x"] for p in points] == pytest.approx(x, abs=1e-11)
    assert {p.event for p in points} <= {event}
    assert all(p.status == "converged" and p.residual < 1e-12 for p in points)
    for p in points:
        row = found.branches[p.branch].points[p.index]
        assert row.tolist() == [p.parameters["r"], p.state["x"]]
    assert [p.parameters["r"] for p in found.special("LP")] == pytest.approx([FOLD, -FOLD], abs=1e-12)


def test_an_event_on_a_fold():
    found = bf.diagram(CUBIC, "r", (-1, 1), events=["x = -1/sqrt(3)"])
    assert [(p.label, p.status) for p in found.special_points] == [
        ("LP", "converged"), ("UZ", "converged"), ("LP", "converged"),
    ]  # fmt: skip
    assert events(found)[0][1] == pytest.approx(FOLD, abs=1e-10)


def test_events_on_a_hopf_point():
    found = bf.diagram(BRUSSELATOR, "b", (0.5, 3), events=["b = 2", "flux = 2", "y=2"])
    assert sorted(p.label for p in found.special_points) == ["HB", "UZ", "UZ", "UZ"]
    assert all(p.status == "converged" for p in found.special_points)
    assert [value for _, value in events(found)] == pytest.approx([2, 2, 2], abs=1e-9)
    assert found.special("HB")[0].l1 == pytest.approx(
        bf.diagram(BRUSSELATOR, "b", (0.5, 3)).special("HB")[0].l1, rel=1e-6
    )


def test_an_event_on_a_branch_point():
    model = bf.System.from_equations({"x": "r*x - x**3"}, {"r": -1})
    found = bf.diagram(model, "r", (-1, 1), events=["r = 0"])
    assert [p.status for p in found.special("BP")] == ["converged"]
    assert len(found.branches) == 2
    assert events(found) and all(value == pytest.approx(0.0, abs=1e-6) for _, value in events(found))


def test_two_events_at_one_point():
    found = bf.diagram(CUBIC, "r", (-0.3, 0.3), start={"r": 0.2, "x": 0}, events=["r = 0", "x = 0"])
    assert sorted(events(found))[0] == ("r = 0", pytest.approx(0.0, abs=1e-9))
    assert not found.special("BP") and not found.special("HB")
    assert {name for name, _ in events(found)} == {"r = 0", "x = 0"}


def test_the_same_events_at_every_step():
    lists = [
        events(bf.diagram(CUBIC, "r", (-1, 1), events=["x = 0.5"], options=bf.Options(step=s)))
        for s in (0.02, 0.05, 0.2)
    ]
    assert all(one[0][1] == pytest.approx(-0.375, abs=1e-12) and len(one) == 1 for one in lists)


def test_events_reach_the_json(tmp_path):
    found = bf.diagram(CUBIC, "r", (-1, 1), events=["x = 0.5"])
    found.save(tmp_path / "d.json")
    again = type(found).load(tmp_path / "d.json")
    assert [p.event for p in again.special("UZ")] == ["x = 0.5"]


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ("x =", "is no equation"),
        ("= 1", "is no equation"),
        ("", "is no equation"),
        ("x = 1 = 2", "is no equation"),
        ("x == 1", "is a condition"),
        ("x +", "event 'x [+]'.*expression ends"),
        ("q = 1", "event 'q = 1'.*unknown name 'q'"),
        ("x > 1", "event 'x > 1' is a condition"),
        ("__import__('os')", "event"),
    ],
)
def test_events_that_are_none(event, word):
    with pytest.raises(bf.InputError, match=word):
        bf.diagram(CUBIC, "r", (-1, 1), events=[event])


def test_events_must_be_a_list_of_different_ones():
    with pytest.raises(bf.InputError, match="twice"):
        bf.diagram(CUBIC, "r", (-1, 1), events=["x=0", "x=0"])
    with pytest.raises(bf.InputError, match="list of texts"):
        bf.diagram(CUBIC, "r", (-1, 1), events="x=0")


# --- stops


def test_stop_at_folds_in_both_directions():
    found = bf.diagram(CUBIC, "r", (-1, 1), start={"r": 0, "x": 0}, stop=["LP"])
    (branch,) = found.branches
    assert [end.reason for end in branch.ended] == ["stop", "stop"]
    assert sorted(branch.points[[0, -1], 0]) == pytest.approx([-FOLD, FOLD], abs=1e-12)
    assert len(found.special("LP")) == 2


@pytest.mark.parametrize("stop", [["HB"], "HB", {"HB", "LP"}])
def test_stop_at_a_hopf_point(stop):
    found = bf.diagram(BRUSSELATOR, "b", (0.5, 3), stop=stop)
    (branch,) = found.branches
    assert branch.ended[1].reason == "stop" and branch.points[-1, 0] == pytest.approx(2.0, abs=1e-12)


def test_stop_at_an_event_before_a_hopf_point():
    found = bf.diagram(BRUSSELATOR, "b", (0.5, 3), events=["y = 1.5"], stop=["UZ"])
    assert [p.label for p in found.special_points] == ["UZ"]
    assert found.branches[0].points[-1, 0] == pytest.approx(1.5, abs=1e-12)


def test_stop_at_a_branch_point_ends_on_it():
    found = bf.diagram(bf.System.from_equations({"x": "r*x - x**2"}, {"r": -1}), "r", (-1, 1), stop=["BP"])
    trunk = found.branches[0]
    assert trunk.ended[1].reason == "stop" and trunk.points[-1, 0] == pytest.approx(0.0, abs=1e-12)


def test_stop_at_what_there_is_not():
    with pytest.raises(bf.InputError, match="cannot stop at 'XX': the labels are BP, HB, LP, UZ"):
        bf.diagram(CUBIC, "r", (-1, 1), stop=["XX"])


def test_stop_after_a_number_of_points():
    found = bf.diagram(CUBIC, "r", (-1, 1), options=bf.Options(max_points=10))
    assert found.branches[0].ended[1].reason == "points"
    assert "max_points" in found.branches[0].ended[1].message
    assert len(found.branches[0].points) <= 20

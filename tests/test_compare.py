"""Comparison of finished diagrams, and of what `compare` traces."""

import json
import math
import sys
import types

import numpy as np
import pytest
from handmade import branch, crowded_diagram, diagram, hopf_diagram, point
from hypothesis import given, settings
from hypothesis import strategies as st

import bifrncrn as bf

BOX = {"x1": (3.5, 6.5), "x2": (3.5, 6.5)}


def test_a_diagram_agrees_with_itself():
    found = bf.compare_diagrams(crowded_diagram(), crowded_diagram())
    assert not found.reasons
    assert len(found.matched) == 11
    assert not found.missing and not found.extra and not found.outside
    assert found.branch_distance == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("tolerance", "verdict"), [(0.025, False), (0.07184, False), (0.07185, True), (0.1, True)])
def test_a_shift_is_judged_by_the_tolerance(tolerance, verdict):
    found = bf.compare_diagrams(hopf_diagram(2.0), hopf_diagram(2.1437), tolerance, BOX)
    (match,) = found.matched
    assert match.parameter_error == pytest.approx(0.1437)
    assert match.parameter_shift == pytest.approx(0.1437)
    assert (not found.reasons) is verdict


def test_a_shift_of_just_the_tolerance_is_within_it_in_spite_of_rounding():
    assert 1.35 - 1.3 > 0.05
    assert not bf.compare_diagrams(hopf_diagram(1.3), hopf_diagram(1.35), 0.025).reasons


def test_the_sign_of_the_shift_is_kept():
    (match,) = bf.compare_diagrams(hopf_diagram(2.0), hopf_diagram(1.9)).matched
    assert match.parameter_shift == pytest.approx(-0.1)
    assert match.parameter_error == pytest.approx(0.1)


def test_another_criticality_is_a_finding():
    found = bf.compare_diagrams(hopf_diagram(l1=-1.0), hopf_diagram(l1=1.0))
    assert found.matched[0].same_criticality is False
    assert found.reasons
    assert "supercritical -> subcritical" in str(found)


def test_an_unknown_criticality_is_not_judged():
    found = bf.compare_diagrams(hopf_diagram(l1=-1.0), hopf_diagram(l1=None))
    assert found.matched[0].same_criticality is None
    assert not found.reasons


@pytest.mark.parametrize(("l1", "word"), [(-1.0, "supercritical"), (2.0, "subcritical"), (0.0, None), (math.nan, None)])
def test_criticality(l1, word):
    assert point("HB", 2, (5, 5), l1=l1).criticality == word


def test_missing_and_extra():
    plain = diagram([branch([[1, 5, 5], [3, 5, 5]], [0, 0])], model="plain")
    missing, extra = bf.compare_diagrams(hopf_diagram(), plain), bf.compare_diagrams(plain, hopf_diagram())
    assert [p.label for p in missing.missing] == ["HB"] and not missing.extra and missing.reasons
    assert [p.label for p in extra.extra] == ["HB"] and not extra.missing and extra.reasons


def test_points_too_far_apart_to_be_partners_are_missing_and_extra():
    found = bf.compare_diagrams(hopf_diagram(1.1), hopf_diagram(2.9))
    assert not found.matched and len(found.missing) == len(found.extra) == 1


def test_points_within_a_large_tolerance_are_partners():
    (match,) = bf.compare_diagrams(hopf_diagram(1.1), hopf_diagram(2.9), tolerance=1.0).matched
    assert match.ok


def test_a_changed_kind_is_noted():
    target = diagram([branch([[1, 5, 5], [3, 5, 5]], [0, 1])], [point("BP", 1.76, (5, 5))])
    learned = diagram([branch([[1.77, 5, 5], [3, 5, 5]], [0, 0])], [point("LP", 1.77, (5, 5), a=1.0)])
    found = bf.compare_diagrams(target, learned)
    assert [p.label for p in found.missing] == ["BP"] and [p.label for p in found.extra] == ["LP"]
    assert any("changed kind" in note and "LP at lam = 1.77" in note for note in found.notes)


def test_unmatched_points_outside_the_box_are_listed_and_not_judged():
    far = point("LP", 2.5, (80.0, 90.0), branch=1, a=1.0)
    base = hopf_diagram()
    learned = diagram([*base.branches, branch([[2.5, 80, 90], [3, 90, 99]], [0, 0], id=1)], [*base.special_points, far])
    boxed, unboxed = bf.compare_diagrams(hopf_diagram(), learned, box=BOX), bf.compare_diagrams(hopf_diagram(), learned)
    assert not boxed.reasons and boxed.outside == (far,) and not boxed.extra
    assert unboxed.reasons and unboxed.extra == (far,)
    assert "outside the box: LP at lam = 2.5" in str(boxed)


def test_a_point_seen_on_two_branches_counts_once():
    target = diagram([branch([[1, 5, 5], [3, 5, 5]], [0, 1])], [point("BP", 2, (5, 5))])
    twice = diagram(target.branches, [point("BP", 2, (5, 5)), point("BP", 2, (5, 5), branch=1)])
    assert not bf.compare_diagrams(target, twice).reasons
    assert not bf.compare_diagrams(twice, target).reasons


def test_partners_are_chosen_for_the_least_sum_not_one_by_one():
    line = branch([[1, 5, 5], [3, 5, 5]], [0, 0])
    target = diagram([line], [point("HB", 1.5, (5, 5)), point("HB", 1.6, (5, 5))])
    learned = diagram([line], [point("HB", 1.59, (5, 5)), point("HB", 1.75, (5, 5))])
    shifts = sorted(m.parameter_shift for m in bf.compare_diagrams(target, learned).matched)
    assert shifts == pytest.approx([0.09, 0.15])


def test_end_points_are_not_compared():
    base = hopf_diagram()
    ended = diagram(base.branches, [*base.special_points, point("EP", 1.0, (5, 5))])
    assert not bf.compare_diagrams(base, ended).reasons


def test_states_of_other_names_are_compared_in_order():
    lam = np.linspace(1, 3, 5)
    target = diagram([branch(np.column_stack([lam, lam, 2 * lam]), [0] * 5, columns=("lam", "u", "v"))])
    learned = diagram([branch(np.column_stack([lam, lam, 2 * lam]), [0] * 5)])
    found = bf.compare_diagrams(target, learned)
    assert found.names == {"u": "x1", "v": "x2"}
    assert found.branch_distance == pytest.approx(0, abs=1e-12)


def test_only_common_states_are_compared():
    wide = branch([[1, 5, 5, 900], [3, 5, 5, 1000]], [0, 0], columns=("lam", "x1", "x2", "y1"))
    found = bf.compare_diagrams(diagram([branch([[1, 5, 5], [3, 5, 5]], [0, 0])]), diagram([wide]))
    assert found.names == {"x1": "x1", "x2": "x2"} and found.branch_distance == pytest.approx(0, abs=1e-12)


def test_the_parameters_may_have_other_names():
    plain = hopf_diagram(2.0)
    ours = [branch(b.points, b.unstable, columns=("D", "x1", "x2")) for b in plain.branches]
    (at,) = plain.special_points
    there = point("HB", 2.0, (5, 5), index=at.index, l1=-1.0, omega=1.0, name="D")
    found = bf.compare_diagrams(
        diagram(ours, [there], parameter="D"), hopf_diagram(2.01), box=BOX, words=("target", "learned")
    )
    assert not found.reasons and "target D" in str(found) and "learned lam" in str(found)


def test_an_unrefined_point_is_noted():
    base = hopf_diagram()
    seen = point("HB", 2.0, (5, 5), status="bracketed")
    object.__setattr__(seen, "bracket", (1.9, 2.1))
    found = bf.compare_diagrams(base, diagram(base.branches, [seen]))
    assert any("could not be refined" in note for note in found.notes)


@pytest.mark.parametrize("tolerance", [0, -1, math.nan, math.inf, "wide", None])
def test_a_bad_tolerance(tolerance):
    with pytest.raises(bf.InputError, match="tolerance is"):
        bf.compare_diagrams(hopf_diagram(), hopf_diagram(), tolerance)


def test_a_box_of_an_unknown_state():
    with pytest.raises(bf.InputError, match="no state of the target; it has x1, x2"):
        bf.compare_diagrams(hopf_diagram(), hopf_diagram(), box={"u": (0, 1)})


@pytest.mark.parametrize("side", [(1, 1), (2, 1), (0, math.inf), (math.nan, 1)])
def test_a_bad_box(side):
    with pytest.raises(bf.InputError, match="two finite numbers"):
        bf.compare_diagrams(hopf_diagram(), hopf_diagram(), box={"x1": side})


def test_ranges_that_do_not_overlap():
    other = diagram([branch([[5, 5, 5], [6, 5, 5]], [0, 0])], bounds=(5.0, 6.0))
    with pytest.raises(bf.InputError, match="do not overlap"):
        bf.compare_diagrams(hopf_diagram(), other)


def test_json_is_plain_and_complete(tmp_path):
    found = bf.compare_diagrams(hopf_diagram(), hopf_diagram(2.1437), box=BOX)
    found.save(tmp_path / "out.json")
    data = json.loads((tmp_path / "out.json").read_text(), parse_constant=pytest.fail)
    assert data["schema"] == "bifrncrn.comparison/1"
    assert data["matched"][0]["label"] == "HB"
    assert data["matched"][0]["parameter_error"] == pytest.approx(0.1437)
    assert data["matched"][0]["target"]["parameters"] == {"lam": 2.0}
    assert data["matched"][0]["learned"]["parameters"] == {"lam": 2.1437}
    assert data["missing"] == data["extra"] == data["outside"] == []
    assert data["orbit_distance"] is None and data["verdict"] is False


# --- the distance of branches


@settings(max_examples=20)
@given(st.permutations(range(11)), st.booleans())
def test_order_and_direction_do_not_matter(order, backwards):
    base = crowded_diagram()
    points = [base.special_points[k] for k in order]
    branches = base.branches[::-1] if backwards else base.branches
    found = bf.compare_diagrams(base, diagram(branches, points))
    assert not found.reasons and len(found.matched) == 11


# --- compare traces what it is given


class FakeTarget:
    def __init__(self, system, box=None, bounds=None, parameter=None):
        self.system, self.box, self.bounds, self.parameter = system, box, bounds, parameter


class FakeNetwork:
    def __init__(self, system):
        self.system = system
        self.asked = []

    def reduced(self):
        self.asked.append(None)
        return self.system

    def full(self, mu):
        self.asked.append(mu)
        return self.system


@pytest.fixture
def traced(monkeypatch):
    """Replace the engine by one that writes down what it is asked and returns a Hopf diagram."""
    calls = []

    def trace(system, **options):
        calls.append((system, options))
        return hopf_diagram(2.0 if len(calls) == 1 else 2.03)

    module = types.ModuleType("bifrncrn.diagrams.diagram")
    module.diagram = trace
    monkeypatch.setitem(sys.modules, "bifrncrn.diagrams.diagram", module)
    return calls


def small_system(names=("x1", "x2"), parameter="lam"):

    equations = {name: f"{parameter} - {name}" for name in names}
    return bf.System.from_equations(equations, {parameter: 1.0}, dict.fromkeys(names, 5.0))


def test_compare_traces_both_sides_in_the_targets_box(traced):
    network = FakeNetwork(small_system())
    found = bf.compare(FakeTarget(small_system(), BOX, (1.0, 3.0), "lam"), network)
    assert not found.reasons and found.box == BOX and network.asked == [None]
    for _, options in traced:
        assert options["box"] == BOX and options["all"] and options["bounds"] == (1.0, 3.0)


def test_compare_analyses_the_full_network_with_mu(traced):
    network = FakeNetwork(small_system())
    bf.compare(small_system(), network, bounds=(1, 3), mu=0.0075)
    assert network.asked == [0.0075]
    assert not traced[1][1]["all"]


def test_compare_names_parameter_and_box_for_each_side(traced):
    target = FakeTarget(small_system(("u", "v"), "D"), {"u": (3, 6), "v": (3, 6)}, (1.0, 3.0), "D")
    with pytest.raises(bf.InputError, match="no state of the target"):  # the fake diagram has x1, x2
        bf.compare(target, FakeNetwork(small_system()), parameter="D", start={"u": 4.0, "x1": 5.0})
    assert [options["parameter"] for _, options in traced] == ["D", None]
    assert [options["start"] for _, options in traced] == [{"u": 4.0}, {"x1": 5.0}]
    assert traced[1][1]["box"] == {"x1": (3, 6), "x2": (3, 6)}


def test_compare_accepts_finished_diagrams(traced):
    assert not bf.compare(hopf_diagram(), hopf_diagram(2.01)).reasons
    assert not traced


def test_compare_needs_a_range():
    with pytest.raises(bf.InputError, match="give bounds"):
        bf.compare(small_system(), small_system())


def test_compare_rejects_what_it_cannot_trace():
    with pytest.raises(bf.InputError, match="cannot trace a str"):
        bf.compare(hopf_diagram(), "hopf")


# --- with the real engine


def test_the_published_hopf_network(reference):

    found = bf.compare(bf.library.get("hopf"), bf.load_model(reference / "networks" / "hopf.mat"))
    (match,) = found.matched
    assert match.label == "HB" and match.same_criticality
    assert match.learned.parameters["lam"] == pytest.approx(2.1436889037931, abs=1e-9)
    assert match.parameter_shift == pytest.approx(0.1437, abs=1e-4)
    assert not found.verdict and not found.missing and not found.extra
    assert 0 < found.branch_distance < 0.2


def test_a_system_agrees_with_itself_traced_from_the_other_end():

    problem = bf.library.problem("cubic_fold")
    high = {"x": 1.0, "lam": 0.5}
    one = bf.compare(problem.system, problem.system, bounds=problem.bounds)
    other = bf.compare(one.target, problem.system, bounds=problem.bounds, start=high)
    assert one.verdict and other.verdict
    assert len(other.matched) == 2
    assert max(match.parameter_error for match in other.matched) < 1e-10
    assert other.branch_distance < 1e-3

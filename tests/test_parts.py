"""Inner parts whose effect in public is too small or too late to be tested there."""

import io
import itertools
import json
import math
import sys
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import bifrncrn as bf
from bifrncrn.base import labels
from bifrncrn.base import progress as progressing
from bifrncrn.base.checks import quasi_static
from bifrncrn.cli import parser
from bifrncrn.cli.bench import auto07p, known_points
from bifrncrn.cli.bench.engines import ENGINES, Job, Outcome, installed, prepare
from bifrncrn.cli.bench.judging import judge, reference
from bifrncrn.comparison.branch_distance import Window, branch_distance
from bifrncrn.compile.graph import Graph
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.models.conservation import reduce
from bifrncrn.models.expressions import MAX_NESTING, parse, parse_number
from bifrncrn.models.field import Field
from bifrncrn.models.region import region_of
from bifrncrn.models.typeset import display, equations, typeset
from bifrncrn.plots.bars import save_bars
from bifrncrn.plots.curves import smooth
from bifrncrn.plots.label_placement import place_labels
from bifrncrn.plots.runs import ORDER, stability_runs
from bifrncrn.training.targets.curve_part import normals
from bifrncrn.training.targets.svg import flatten


def test_a_region():
    model = bf.System.from_equations({"x": "r - x", "y": "-y"}, {"r": 1}, nonnegative=True)
    region = region_of(model, {"y": (0.5, 2)})
    assert region.holds(np.array([0.0, 1.0, 9.0])) and not region.holds(np.array([0.0, 0.4, 9.0]))
    assert region.clip(np.array([-1.0, 3.0, -7.0])).tolist() == [0.0, 2.0, -7.0]
    assert region.slack(np.zeros((4, 3))).shape == (4, 0)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_seen_on_a_terminal_alone(monkeypatch, terminal):
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progressing, "AFTER", 0.05)
    monkeypatch.setattr(progressing, "OFTEN", 0.02)
    with progressing.progress("counting", 3) as step:
        step()
        time.sleep(0.5)
    assert ("counting" in stream.getvalue()) == terminal


signed = st.floats(-1e6, 1e6)


positive = st.floats(1e-6, 1e6)


@given(z=signed, g=positive, t=positive)
def test_quasi_static_root_keeps_its_digits(z, g, t):
    s = quasi_static(np.array(z), g, t)
    assert s > 0
    size = g + abs(s * z) + t * s * s
    assert abs(g + s * z - t * s * s) <= 1e-14 * size


def value(text: str, **names: float) -> float:
    """Evaluate an expression by the compiled code of a model with one equation."""
    system = bf.System.from_equations({"unused_": text}, parameters=names)
    return float(system.rhs([0.0])[0])


def test_nesting_is_limited_but_not_below_the_promise() -> None:
    deep = "(" * MAX_NESTING + "a" + ")" * MAX_NESTING
    assert value(deep, a=2.0) == 2.0
    for text in ("(" * 100_000 + "a", "sin(" * 100_000 + "a", "-" * 100_000 + "a", "2**" * 100_000 + "a", f"({deep})"):
        with pytest.raises(bf.InputError, match="nested more than"):
            value(text, a=2.0)


def test_long_sums_and_products_are_read_without_recursion() -> None:
    g = Graph()
    names = {"a": g.node("var", 0)}
    for operator in "+-*/":
        assert parse(g, operator.join(["a"] * 20_000), names) > 0


@pytest.mark.parametrize(
    "bad", [None, 1j, [1.0], {}, True, "x", "", "1e999", float("inf"), float("nan"), 10**400, b"1"]
)
def test_numbers_refused(bad: object) -> None:
    with pytest.raises(bf.InputError, match="start value"):
        parse_number(bad, "start value 'x'")


@pytest.mark.parametrize(
    ("good", "expected"), [("8/3", 8 / 3), ("-1e-3", -1e-3), (3, 3.0), (np.float64(2), 2.0), ("2*pi", 2 * math.pi)]
)
def test_numbers_read(good: object, expected: float) -> None:
    assert parse_number(good, "x") == expected


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="ab12.+-*/^(), \n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    g = Graph()
    try:
        node = parse(g, text, {"a": g.node("var", 0), "b": g.node("par", 0)})
    except bf.InputError as error:
        assert str(error)
    else:
        assert 0 <= node < len(g)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_normals_complete_an_orthonormal_frame(n):
    rng = np.random.default_rng(n)
    tangents = rng.standard_normal((50, n))
    tangents[0] = np.eye(n)[0]
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    sides = normals(tangents)
    frame = np.concatenate([tangents[:, None], sides], axis=1)
    np.testing.assert_allclose(frame @ np.swapaxes(frame, 1, 2), np.broadcast_to(np.eye(n), (50, n, n)), atol=1e-12)


def test_smooth_curves_keep_corners_and_go_through_every_point():
    x = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    y = np.abs(x - 2)
    fine_x, fine_y = smooth(x, y, (4.0, 2.0))
    assert np.max(np.abs(fine_y - np.abs(fine_x - 2))) < 0.07
    angle = np.linspace(0, np.pi, 12)
    fine_x, fine_y = smooth(np.cos(angle), np.sin(angle), (2.0, 1.0))
    assert np.max(np.abs(np.hypot(fine_x, fine_y) - 1)) < 2e-3
    for a, b in zip(np.cos(angle), np.sin(angle), strict=True):
        assert np.min(np.hypot(fine_x - a, fine_y - b)) < 1e-12


def test_every_label_has_its_own_marker():
    shapes = [label.marker for label in labels.LABELS.values() if label.marker]
    assert len(set(shapes)) == len(shapes)


@given(st.lists(st.tuples(st.floats(100, 500), st.floats(100, 300)), min_size=1, max_size=8))
def test_labels_placed_with_room_never_overlap(anchors):
    sizes = [(18.0, 11.0)] * len(anchors)
    centres = place_labels(np.array(anchors), sizes, np.empty((0, 2)), (0, 0, 600, 400), marker=4.0)
    for (ax, ay), (bx, by) in itertools.combinations(centres, 2):
        assert abs(ax - bx) >= 18 - 1e-9 or abs(ay - by) >= 11 - 1e-9
    for x, y in centres:
        assert all(abs(x - u) >= 9 or abs(y - v) >= 5.5 for u, v in anchors)


@given(st.lists(st.sampled_from(ORDER), min_size=1, max_size=12), st.sets(st.integers(0, 11)))
def test_runs_cover_a_branch_and_share_their_ends(kinds, special):
    runs = stability_runs(np.array(kinds), special)
    assert runs[0][0].start == 0 and runs[-1][0].stop == len(kinds)
    for (a, first), (b, second) in itertools.pairwise(runs):
        assert a.stop - 1 == b.start and first != second


def test_stability_not_computed_is_not_drawn_as_stable():
    assert stability_runs(np.array(["unknown", "unknown", "stable"]), set()) == [(slice(0, 3), "unknown")]


def test_bars(tmp_path):
    save_bars({"native": 0.5, "pycont": 2200.0}, tmp_path / "a.svg", "microseconds per point", "a model")
    ET.parse(tmp_path / "a.svg")


def van_der_pol():
    return bf.System.from_equations({"x": "y", "y": "mu*(1 - x^2)*y - x"}, {"mu": 1.0}, {"x": 1.0, "y": 0.0})


def test_backward_field():
    system = van_der_pol()
    forward, backward = Field(system), Field(system, backward=True)
    x = np.array([0.3, -0.7])
    np.testing.assert_array_equal(backward.rhs(0, x), -forward.rhs(0, x))
    np.testing.assert_array_equal(backward.jacobian(0, x), -forward.jacobian(0, x))
    for field, sign in ((forward, 1), (backward, -1)):
        f, matrices = field.linearize(np.array([x, 2 * x]))
        np.testing.assert_array_equal(f[1], sign * system.rhs(2 * x))
        np.testing.assert_array_equal(matrices[0], sign * system.jacobian(x))


def test_equations_are_not_evaluated_below_zero():
    system = bf.System.from_equations({"x": "-x*log(x + 1e-30)^2"}, {}, {"x": 1.0}, nonnegative=True)
    field = Field(system)
    assert np.isfinite(field.rhs(0.0, np.array([-1e-3])))
    np.testing.assert_array_equal(field.jacobian(0.0, np.array([-1e-3])), field.jacobian(0.0, np.array([0.0])))


PLANE = Window(np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([1.0, 1.0]))


def line(height, rows=2):
    x = np.linspace(0, 1, rows)
    return np.column_stack([x, np.full(rows, height)])


def test_the_distance_of_parallel_lines():
    assert branch_distance([line(0.5)], [line(0.6)], PLANE) == pytest.approx(0.1, rel=1e-9)


def test_the_distance_is_in_units_of_the_window():
    wide = Window(np.array([0.0, 0.0]), np.array([1.0, 10.0]), np.array([1.0, 10.0]))
    assert branch_distance([line(5.0)], [line(6.0)], wide) == pytest.approx(0.1, rel=1e-9)


def test_a_branch_that_one_diagram_lacks_counts_in_both_orders():
    one, two = [line(0.2)], [line(0.2), line(0.8)]
    expected = math.sqrt(0.6**2 / 2)
    assert branch_distance(one, two, PLANE) == pytest.approx(expected, rel=1e-9)
    assert branch_distance(two, one, PLANE) == pytest.approx(expected, rel=1e-9)


def test_what_lies_outside_the_window_does_not_count():
    up = np.array([[0.5, 0.5], [0.5, 1e9]])
    assert branch_distance([up], [up[:, :] * [1, 1]], PLANE) == pytest.approx(0, abs=1e-12)
    assert branch_distance([line(0.5)], [line(0.5), line(1e6)], PLANE) == pytest.approx(0, abs=1e-12)


def test_the_other_branch_may_leave_the_window():
    assert branch_distance([line(0.99)], [line(0.99), line(1.01)], PLANE) == pytest.approx(0, abs=1e-12)


def test_there_is_no_distance_without_a_branch_in_the_window():
    assert branch_distance([line(0.5)], [line(99.0)], PLANE) is None
    assert branch_distance([], [line(0.5)], PLANE) is None


def test_points_that_are_not_finite_are_left_out():
    broken = np.vstack([line(0.5, 5), [[np.nan, np.nan]]])
    assert branch_distance([broken], [line(0.5)], PLANE) == pytest.approx(0, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(-0.3, 0.3))
def test_the_distance_does_not_depend_on_the_points_of_a_line(extra, slope):
    def tilted(x):
        return np.column_stack([x, 0.5 + slope * (x - 0.5)])

    rows = np.unique(np.concatenate([[0.0, 1.0], extra]))
    assert branch_distance([tilted(rows)], [tilted(np.array([0.0, 1.0]))], PLANE) == pytest.approx(0, abs=1e-7)


def test_published_points(reference):
    """Every fold and Hopf point of up to seven states, with its coefficient, in a box of at most 1e-10."""
    from bifrncrn.proofs.points import Points
    from bifrncrn.proofs.problem import Problem

    count = 0
    for case in json.loads((reference / "cases.json").read_text())["cases"]:
        for point in case["expected"]:
            known = point.get("recomputed")
            if case["kind"] != "ode" or point["type"] not in ("LP", "H") or not known or len(case["variables"]) > 7:
                continue
            name = point.get("active", case["active"])
            values = {**case["parameters"], **point.get("fixed", {}), **known["params"]}
            system = bf.System.from_equations(case["equations"], values, dict.fromkeys(case["variables"], 0.0))
            prover = Points(Problem(system, name, (system.values, system.values)))
            y = np.append(known["state"], known["params"][name])
            found = prover.fold(y) if point["type"] == "LP" else prover.hopf(y)
            assert found.box is not None, (case["id"], found.reason)
            assert np.all(found.box[1] - found.box[0] <= 1e-10 * np.maximum(1.0, np.abs(y)))
            # the stored values are doubles near the exact ones
            assert np.all(np.abs(0.5 * (found.box[0] + found.box[1]) - y) <= 1e-9 * np.maximum(1.0, np.abs(y)))
            coefficient = known.get("l1_kuznetsov") if point["type"] == "H" else known.get("a")
            if coefficient:
                low, high = found.detail["l1" if point["type"] == "H" else "a"]
                truth = coefficient if point["type"] == "H" else abs(coefficient)
                assert low - 1e-6 * abs(truth) <= truth <= high + 1e-6 * abs(truth), case["id"]
            count += 1
    assert count >= 60


def test_degenerate_points_are_not_proved():
    """A generalised Hopf point, a cusp and a Bogdanov-Takens point, started at the exact place."""
    from bifrncrn.proofs.points import Points
    from bifrncrn.proofs.problem import Problem

    def prover(equations):
        system = bf.System.from_equations(equations, {"r": 0.0})
        return Points(Problem(system, "r", (system.values, system.values)))

    bautin = prover({"x": "r*x - y - x*(x^2 + y^2)^2", "y": "x + r*y - y*(x^2 + y^2)^2"})
    assert bautin.hopf(np.zeros(3)).box is None
    assert prover({"x": "r - x^3"}).fold(np.zeros(2)).box is None
    takens = prover({"x": "y", "y": "r + x^2 + x*y"})
    assert takens.fold(np.zeros(3)).box is None and takens.hopf(np.zeros(3)).box is None
    assert prover({"x": "r + x^2", "y": "0.001*r*y"}).fold(np.zeros(3)).box is None  # a second eigenvalue zero


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=12))
@example("1e999999999/1e-999")
@example("1_000")
@example("٣")
def test_numbers_are_finite_or_refused(text):
    import argparse
    import math

    for read in (parser.number, parser.assignments, parser.boxes):
        try:
            value = read(text)
        except argparse.ArgumentTypeError as error:
            assert str(error)
        else:
            assert isinstance(value, dict) or math.isfinite(value)


FOLD = bf.Known("LP", 0.385, (-0.577,))


CUBIC = bf.System.from_equations({"x": "p + x - x**3"}, parameters={"p": -1}, state={"x": -1.32}, title="cubic")


def test_points_found_missed_and_false():
    found = Outcome(10, [("LP", 0.385, [-0.577]), ("HB", 0.1, [0.0])])
    verdict = judge(found, [FOLD, bf.Known("LP", -0.385, (0.577,))], width=2.0)
    assert (verdict.found, verdict.missed, verdict.false) == (1, 1, 1)
    assert verdict.worst_error == 0.0


def test_a_point_found_twice_counts_once():
    twice = Outcome(10, [("LP", 0.385, [-0.577]), ("LP", 0.38500002, [-0.577])])
    verdict = judge(twice, [FOLD], width=2.0)
    assert (verdict.found, verdict.missed, verdict.false) == (1, 0, 0)


def test_a_misplaced_point_is_missed_and_false():
    verdict = judge(Outcome(10, [("LP", 0.4, [-0.577])]), [FOLD], width=2.0)
    assert (verdict.found, verdict.missed, verdict.false) == (0, 1, 1)
    verdict = judge(Outcome(10, [("LP", 0.385, [0.577])]), [FOLD], width=2.0)
    assert (verdict.found, verdict.missed, verdict.false) == (0, 1, 1)


def test_what_no_eigenvalue_confirms_is_no_reference():
    one = Outcome(10, [("LP", 0.3849001794597505, [-0.5773502691896258]), ("HB", 0.2, [1.09]), ("BP", 0.1, [1.05])])
    other = Outcome(10, [("LP", 0.384901, [-0.5773]), ("LP", -0.3849001794597505, [0.5773502691896258])])
    known = reference(EquilibriumProblem(CUBIC, 0), [one, other], width=2.0)
    assert [(k.label, round(k.parameter, 4)) for k in known] == [("LP", 0.3849), ("LP", -0.3849)]


@pytest.mark.parametrize("name", ["xpplab", "jaxcont"])
def test_other_packages_find_the_folds_too(name):
    pytest.importorskip(name)
    outcome = prepare(name, Job(CUBIC, "p", (-1.0, 1.0), -1.0))()
    assert sorted(round(p, 6) for label, p, _ in outcome.special if label == "LP") == [-0.3849, 0.3849]


BRANCHES = """   0   0.0000E+00  4.0000E-01  0.0000E+00  1.0000E+09
   0    PT  TY  LAB    PAR(1)             L2-NORM              U(1)               U(2)
   1    -1   9    1  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000
   1    -2   0    0  2.0360333434E-003  9.7905327667E-003  2.0514014088E-003  9.5732065744E-003
   1   -46   2    2  1.0573897827E-001  1.4843655620E+000  3.1101776354E-001  1.4514162299E+000
   1   103   3    4  1.3090004476E-001  4.2718681173E+000  8.9508063379E-001  4.1770429577E+000
   1  -113  -4    5  4.0000000000E-001  4.6493015562E+000  9.7416391831E-001  4.5460982855E+000
"""


REST = "      0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  2.5484471941E+001"


SOLUTIONS = f"""     1    46     2     2     1     1       1     3       6    1    0   11    0    2    1    0
      0.0000000000E+000  3.1101776354E-001  1.4514162299E+000
    1
     -4.3148958553E-008
      2.0952892639E-001  9.7780234687E-001
      1.0573897827E-001  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000
{REST}
     1   103     3     4     1     1       1     3       6    1    0   11    0    2    1    0
      0.0000000000E+000  8.9508063379E-001  4.1770429577E+000
    1
      1.6189651883E-001
      2.0676492665E-001  9.6490299129E-001
      1.3090004476E-001  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000
{REST}
     1   113    -4     5     1     1       1     3       6    1    0   11    0    2    1    0
      0.0000000000E+000  9.7416391831E-001  4.5460982855E+000
    1
      9.4669638915E-001
      6.7495020049E-002  3.1497676987E-001
      4.0000000000E-001  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000  0.0000000000E+000
{REST}
"""


def test_what_auto_writes_is_read():
    outcome = auto07p.parse(BRANCHES, SOLUTIONS, " 1 113 UZ 5 4.0E-01\n\n Total Time    0.956E-02\n")
    assert outcome.points == 5
    assert outcome.seconds == 0.00956
    assert outcome.special == [
        ("LP", 0.10573897827, [0.31101776354, 1.4514162299]),
        ("HB", 0.13090004476, [0.89508063379, 4.1770429577]),
    ]


def test_auto_that_does_not_finish_says_so():
    with pytest.raises(bf.ConvergenceError, match="AUTO did not finish: Segmentation fault"):
        auto07p.parse("", "", "\nSegmentation fault\n")


def test_every_function_is_written_in_c():
    text = "abs(x) + besselj(2, x) + max(x, p) + sign(p) + x**3 - q*x**0.3 + rncrn_s(x, 1, 2) + erf(x)"
    system = bf.System.from_equations({"x": text}, parameters={"p": -1, "q": -2.5}, state={"x": 1})
    source = auto07p.c_source(Job(system, "p", (-1.0, 1.0), -1.0))
    for word in (
        "fabs(u[0])",
        "jn((int) 2.0, u[0])",
        "fmax(u[0], par[0])",
        "signum(par[0])",
        "u[0]*u[0]*u[0]",
        "(-2.5)",
    ):
        assert word in source
    assert "root(u[0], 1.0, 2.0)" in source


@pytest.mark.skipif(auto07p.home() is None, reason="AUTO-07p is not installed")
def test_auto_evaluates_every_function():
    words = "abs(x-4) besselj(2,x) max(x-9,p-9) heaviside(x+4) sign(x-4) log1p(x+3) atan2(x,2) cbrt(x+5) (x+4)**(p/7)"
    more = "rncrn_s(x+9,1,q) rncrn_s(x-9,1,q) tanh(x)/cosh(x) (x+3)**-2 (x+3)**2.5 sqrt(x+8) min(x,q+9) erf(x)"
    small = " + ".join([*words.split(), *more.split()])
    system = bf.System.from_equations({"x": f"p - x**2 + ({small})/50"}, parameters={"p": 3, "q": 2}, state={"x": 2})
    job = Job(system, "p", (-3.0, 3.0), 3.0)
    auto, native = (prepare(name, job)().special for name in ("auto", "native"))
    assert [label for label, *_ in auto] == [label for label, *_ in native] == ["LP"]
    assert auto[0][1] == pytest.approx(native[0][1], abs=1e-8)


def test_the_reduced_system_has_the_same_field():
    """A binds B and C in turn: A + AB + AC, B + AB and C + AC are conserved."""
    equations = {
        "A": "-A*B + 2*AB - 3*A*C + AC", "B": "-A*B + 2*AB", "C": "-3*A*C + AC", "AB": "A*B - 2*AB", "AC": "3*A*C - AC"
    }  # fmt: skip
    model = bf.System.from_equations(equations, {}, {"A": 3.0, "B": 2.0, "C": 1.0, "AB": 0.25, "AC": 0.5})
    x = np.array(model.state) + np.linspace(1, 9, 5)
    reduction = reduce(model, bf.conserved(model, x), x)
    kept = list(reduction.kept)
    assert len(kept) == 2 and reduction.system.variables == tuple(model.variables[i] for i in kept)
    assert reduction.system.rhs(x[kept]) == pytest.approx(model.rhs(x)[kept], rel=1e-12)
    rows, offsets = reduction.solved()
    assert rows @ np.append(x[kept], 0.0) + offsets == pytest.approx(x[list(reduction.eliminated)])


def test_the_library_knows_its_special_points():
    points = known_points("cubic_fold")
    assert points is not None
    assert [k.label for k in points] == ["LP", "LP"]
    assert known_points("model.toml") is None


def test_an_engine_that_is_not_installed_says_so():
    missing = next((name for name in ENGINES if name not in installed()), None)
    if missing is None:
        pytest.skip("every engine is installed")
    with pytest.raises(bf.InputError, match="not installed"):
        prepare(missing, Job(CUBIC, "p", (-1.0, 1.0), -1.0))
    measured = bf.bench(CUBIC, "p", (-1.0, 1.0), engines=["native", missing], repeat=1)
    assert f"{missing}: did not run" in str(measured)


def test_an_svg_path_is_drawn_with_y_up():
    points, closed = flatten("M 0 0 H 2 V 2 h -2 z")
    assert closed
    np.testing.assert_allclose(points[[0, 16, 32, 48]], [[0, 0], [2, 0], [2, 2], [0, 2]])
    curve = bf.Curve.from_svg("M 0 0 C 0 1 1 2 2 2 S 4 1 4 0 Q 2 -2 0 0 Z", scale=0.5, shift=(1, 1))
    np.testing.assert_allclose(curve.points.min(axis=0), [1, 1], atol=0.05)


LETTERS = ["a", "b", "c", "beta", "lam"]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("(a*b)^c", r"\left(a \, b\right)^{c}"),
        ("a^b^c", r"a^{b^{c}}"),
        ("(a^b)^c", r"\left(a^{b}\right)^{c}"),
        ("-(a + b)", r"-\left(a + b\right)"),
        ("-a^2", r"-a^{2}"),
        ("(-a)^2", r"\left(-a\right)^{2}"),
        ("a/(b/c)", r"\frac{a}{\frac{b}{c}}"),
        ("a*(-b)", r"a \, \left(-b\right)"),
        ("2*3.5e-7*beta", r"2 \cdot 3.5 \times 10^{-7} \, \beta"),
        ("exp(-a)*sqrt(b + 1)", r"e^{-a} \, \sqrt{b + 1}"),
        ("abs(a - lam)", r"\left|a - \lambda\right|"),
        ("if(a > 1, b, c)", r"\begin{cases} c & 1 - a \ge 0 \\ b & \text{otherwise} \end{cases}"),
    ],
)
def test_latex(text, latex):
    assert typeset(text, LETTERS).latex == latex


@pytest.mark.parametrize("name", bf.library.names("textbook"))
def test_the_library_is_typeset_well_formed(name):
    found = bf.library.get(name)
    system = found if isinstance(found, bf.System) else found.system
    shown = [display(*one) for one in equations(system)]
    assert len(shown) == len(system.equations) + len(system.definitions)
    for text in shown:
        assert ET.fromstring(text).tag.endswith("math")


def two_circles(p):
    """Circles at r^2 = 1 - sqrt(p) and 1 + sqrt(p), the outer one stable; the angle's speed depends on r."""
    rate = f"({p!r} - (x^2 + y^2 - 1)^2)"
    equations = {"x": f"{rate}*x - (1 + x^2 + y^2)*y", "y": f"(1 + x^2 + y^2)*x + {rate}*y", "z": "x - z"}
    return bf.System.from_equations(equations, {}, {"x": 1.5, "y": 0.0, "z": 0.0})


def test_what_cannot_be_told_from_a_double_cycle_is_not_called_stable():
    # the orbit is that of p = 1e-12, inside; where p is zero it is only about one: the multiplier 1 - 1.3e-5 it has is
    # its error, as the true one is 1
    from bifrncrn.models.field import Field
    from bifrncrn.trajectories.attraction import attraction

    orbit = bf.find_cycle(two_circles(1e-12)).orbit
    assert attraction(Field(two_circles(1e-12)), orbit) == "stable"
    assert attraction(Field(two_circles(0.0)), orbit) == "neutral"

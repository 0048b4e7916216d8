"""Folds and Hopf points in two parameters, and the points of codimension two on them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import bifrncrn as bf

CUSP = bf.System.from_equations({"x": "p + q*x - x^3"}, {"p": -2.0, "q": 2.0}, {"x": -2.0}, title="cusp")
# folds at p = q^2/4, Hopf points at x = 0, p = 0, q < 0 (Kuznetsov, eq. 8.51)
TAKENS = bf.System.from_equations(
    {"x": "y", "y": "p + q*x + x^2 - x*y"}, {"p": -1.0, "q": -0.5}, {"x": 1.28, "y": 0.0}, title="Bogdanov-Takens"
)
# in z = x + i y: z' = (p + i) z + q z |z|^2 + z |z|^4
BAUTIN = bf.System.from_equations(
    {"x": "p*x - y + x*(q*r + r^2)", "y": "x + p*y + y*(q*r + r^2)"},
    {"p": -0.5, "q": -0.7},
    definitions={"r": "x^2 + y^2"},
    title="Bautin",
)
SHEAR = np.array([[1.0, 0.3, -0.2], [0.0, 1.0, 0.4], [0.1, 0.0, 1.0]])


def locus_of(system, label, bounds, second="q", span=(-1.0, 1.0), first="p"):
    found = bf.diagram(system, parameter=first, bounds=span).special(label)
    return bf.locus(found[0], second, bounds)


def only(diagram, label):
    (point,) = diagram.special(label)
    return point


def test_folds_of_the_cusp_are_followed_through_it():
    curve = locus_of(CUSP, "LP", (-1.0, 3.0), span=(-3.0, 3.0))
    (branch,) = curve.branches
    assert (branch.kind, branch.columns) == ("fold", ("p", "q", "x"))
    p, q = branch.column("p"), branch.column("q")
    np.testing.assert_allclose(p**2, 4 * q**3 / 27, atol=1e-12)  # closed form
    point = only(curve, "CP")
    assert [point.parameters["p"], point.parameters["q"], point.state["x"]] == pytest.approx([0, 0, 0], abs=1e-12)
    assert point.c == pytest.approx(-1.0, rel=1e-9)
    assert len(curve.special_points) == 1
    assert {end.reason for end in branch.ended} == {"range"}
    assert q.max() == pytest.approx(3.0)


def test_folds_of_the_takens_form():
    curve = locus_of(TAKENS, "LP", (-1.0, 1.0), span=(-2.0, 1.0))
    (branch,) = curve.branches
    np.testing.assert_allclose(branch.column("p"), branch.column("q") ** 2 / 4, atol=1e-12)
    point = only(curve, "BT")
    assert [*point.parameters.values(), *point.state.values()] == pytest.approx([0] * 4, abs=1e-12)
    # |q0| = 1: with J = [[0, 1], [0, 0]], a and b are those of the normal form
    assert (abs(point.a), abs(point.b)) == pytest.approx((1.0, 1.0), rel=1e-9)
    assert point.a * point.b < 0


def test_hopf_points_end_at_the_takens_point():
    curve = locus_of(TAKENS, "HB", (-1.0, 1.0), span=(-2.0, 1.0))
    (branch,) = curve.branches
    np.testing.assert_allclose(branch.column("p"), 0.0, atol=1e-12)
    assert branch.column("q").max() == pytest.approx(0.0, abs=1e-12)  # beyond are neutral saddles
    assert {end.reason for end in branch.ended} == {"range", "BT"}
    assert [point.label for point in curve.special_points] == ["BT"]


def test_all_loci_of_a_diagram_are_found_from_one_point():
    diagram = bf.diagram(TAKENS, parameter="p", bounds=(-2.0, -0.5))  # has neither fold nor Hopf point
    assert not bf.with_loci(diagram, "q", (-1.0, 1.0)).special_points
    diagram = bf.diagram(TAKENS, parameter="p", bounds=(-2.0, 1.0))
    folds = [point for point in diagram.special_points if point.label == "LP"]
    from dataclasses import replace

    whole = bf.with_loci(replace(diagram, special_points=tuple(folds)), "q", (-1.0, 1.0))
    assert [branch.kind for branch in whole.branches] == ["equilibrium", "fold", "hopf"]
    assert len(whole.special("BT")) == 1


def test_bautin_point_where_l1_changes_sign():
    curve = locus_of(BAUTIN, "HB", (-1.0, 1.0))
    point = only(curve, "GH")
    assert [point.parameters["p"], point.parameters["q"]] == pytest.approx([0, 0], abs=1e-12)
    assert point.omega == pytest.approx(1.0, rel=1e-12)
    assert len(curve.special_points) == 1


def sheared(equations, parameters):
    """Return the system of u = SHEAR x: the same special points."""
    inverse = np.linalg.inv(SHEAR)
    names = ("x", "y", "z")
    old = {name: " + ".join(f"({c!r})*u{j}" for j, c in enumerate(row)) for name, row in zip(names, inverse.tolist())}
    new = {
        f"u{i}": " + ".join(f"({c!r})*({equations[name]})" for c, name in zip(row, names))
        for i, row in enumerate(SHEAR.tolist())
    }
    return bf.System.from_equations(new, parameters, definitions=old)


def test_zero_hopf_on_both_loci():
    equations = {"x": "q*x - y - x*(x^2 + y^2)", "y": "x + q*y - y*(x^2 + y^2)", "z": "p - z^2 + x^2"}
    system = sheared(equations, {"p": 1.0, "q": -0.4}).with_(state=(SHEAR @ [0.0, 0.0, 1.0]))
    curve = locus_of(system, "LP", (-0.5, 0.5), span=(-1.0, 2.0))
    point = only(curve, "ZH")
    assert [point.parameters["p"], point.parameters["q"]] == pytest.approx([0, 0], abs=1e-11)
    whole = bf.with_loci(bf.diagram(system, parameter="p", bounds=(-1.0, 2.0)), "q", (-0.5, 0.5))
    assert sorted(b.kind for b in whole.branches) == ["equilibrium", "fold", "hopf"]  # Hopf points from the ZH point
    (hopf,) = (b for b in whole.branches if b.kind == "hopf")
    np.testing.assert_allclose(hopf.column("q"), 0.0, atol=1e-11)


def test_a_fold_with_a_neutral_saddle_is_no_zero_hopf():
    equations = {"x": "(q + 1)*x", "y": "-y", "z": "p - z^2"}
    system = sheared(equations, {"p": 1.0, "q": -0.4}).with_(state=(SHEAR @ [0.0, 0.0, 1.0]))
    curve = locus_of(system, "LP", (-0.8, 0.5), span=(-1.0, 2.0))  # 1 + q and -1 have the sum 0 at q = 0
    assert not curve.special_points


def test_double_hopf_and_the_other_locus_through_it():
    equations = {
        "x": "p*x - y - x^3", "y": "x + p*y - y^3",
        "u": "q*u - 2*v - u^3 + x^2", "v": "2*u + q*v - v^3",
    }  # fmt: skip
    system = bf.System.from_equations(equations, {"p": -0.5, "q": -0.3})
    diagram = bf.diagram(system, parameter="p", bounds=(-1.0, 1.0))
    whole = bf.with_loci(diagram, "q", (-1.0, 1.0))
    point = only(whole, "HH")
    assert [point.parameters["p"], point.parameters["q"]] == pytest.approx([0, 0], abs=1e-11)
    frequencies = sorted(abs(b.eigenvalues[0].imag).max() for b in whole.branches if b.kind == "hopf")
    assert len(frequencies) == 2


def test_the_hopf_points_of_the_stirred_tank_reach_its_takens_point():
    system = bf.library.problem("ab_reaction").system
    diagram = bf.diagram(system, parameter="D", bounds=(0, 0.16))
    whole = bf.with_loci(diagram, "beta", (1.5, 3.5))
    cusp, takens = only(whole, "CP"), only(whole, "BT")
    # closed form: at the cusp u1 = 1/2, u2 = 2, D = e^-2, beta = 5/2
    assert cusp.parameters == pytest.approx({"D": math.exp(-2), "beta": 2.5}, rel=1e-12)
    j = system.jacobian(list(takens.state.values()), [takens.parameters["D"], 14, takens.parameters["beta"]])
    assert abs(np.trace(j)) < 1e-10 and abs(np.linalg.det(j)) < 1e-10
    assert [b.kind for b in whole.branches].count("hopf") == 2  # the second leaves the Bogdanov-Takens point
    for branch in whole.branches[1:]:
        for row in branch.points[:: len(branch.points) // 7 + 1]:
            jacobian = system.jacobian(row[2:], [row[0], 14, row[1]])
            zero = np.linalg.det(jacobian) if branch.kind == "fold" else np.trace(jacobian)
            assert abs(zero) < 1e-9 * np.linalg.norm(jacobian)


def test_an_exponent_is_a_second_parameter():
    # the toggle switch with a Hill exponent: derivatives of powers are differentiated again
    equations = {"u": "a/(1 + v^n) - u", "v": "a/(1 + u^n) - v"}
    system = bf.System.from_equations(equations, {"a": 4.0, "n": 3.0}, {"u": 3.9, "v": 0.1}, nonnegative=True)
    diagram = bf.diagram(system, parameter="a", bounds=(0.5, 4.0))
    assert diagram.special("BP") and not bf.with_loci(diagram, "n", (2.0, 4.0)).special("BT")
    equations = {"x": "a*x^n/(1 + x^n) + 0.3 - x"}
    system = bf.System.from_equations(equations, {"a": 0.5, "n": 3.0}, {"x": 0.3}, nonnegative=True)
    whole = bf.with_loci(bf.diagram(system, parameter="a", bounds=(0.5, 6.0)), "n", (1.2, 5.0))
    cusp = only(whole, "CP")
    x, a, n = cusp.state["x"], cusp.parameters["a"], cusp.parameters["n"]
    h = x**n / (1 + x**n)
    slope = a * n * h * (1 - h) / x
    assert a * h + 0.3 - x == pytest.approx(0, abs=1e-12)
    assert slope == pytest.approx(1, rel=1e-12)
    assert n * (1 - 2 * h) == pytest.approx(1, rel=1e-9)  # where the slope is largest


def test_conserved_sums_stay_divided_out():
    # a switch: X is activated by itself; X + Y is conserved
    equations = {"X": "k*Y*(1 + a*X^2/(1 + X^2)) - X", "Y": "X - k*Y*(1 + a*X^2/(1 + X^2))"}
    system = bf.System.from_equations(equations, {"k": 0.02, "a": 60.0}, {"X": 0.1, "Y": 3.9}, nonnegative=True)
    diagram = bf.diagram(system, parameter="k", bounds=(0.001, 0.5))
    assert diagram.special("LP")
    whole = bf.with_loci(diagram, "a", (5.0, 80.0))
    (fold,) = [branch for branch in whole.branches if branch.kind == "fold"]
    np.testing.assert_allclose(fold.column("X") + fold.column("Y"), 4.0, atol=1e-9)
    assert only(whole, "CP").state.keys() == {"X", "Y"}


def test_the_time_scale_of_a_network_is_a_second_parameter():
    net = bf.Network.load(Path(bf.__file__).parent / "library/data/hopf_network.json")
    diagram = bf.diagram(net.full(0.0075), parameter="lam", bounds=(1, 3))
    curve = bf.locus(only(diagram, "HB"), "mu", (0.001, 0.05))
    (branch,) = curve.branches
    row = branch.points[len(branch.points) // 3]
    there = bf.diagram(net.full(row[1]), parameter="lam", bounds=(1, 3))
    assert only(there, "HB").parameters["lam"] == pytest.approx(row[0], abs=1e-9)


@pytest.mark.parametrize(
    ("second", "bounds", "words"),
    [
        ("p", (-1, 1), "which is the first as well"),
        ("nothing", (-1, 1), "no parameter 'nothing'"),
        ("q", (0.5, 1), "leaves out its value"),
        ("q", (1, -1), "lower end first"),
        ("q", (-1, float("nan")), "finite"),
    ],
)
def test_what_cannot_be_followed_is_said(second, bounds, words):
    point = bf.diagram(TAKENS, parameter="p", bounds=(-2.0, 1.0)).special("LP")[0]
    with pytest.raises(bf.InputError, match=words):
        bf.locus(point, second, bounds)


def test_other_points_and_models_are_refused():
    normal = bf.System.from_equations({"x": "r*x - x^2"}, {"r": -1.0, "s": 0.0})
    branch_point = bf.diagram(normal, parameter="r", bounds=(-1.5, 1)).special("BP")[0]
    with pytest.raises(bf.InputError, match="a BP is not followed"):
        bf.locus(branch_point, "s", (-1, 1))
    cubic = bf.System.from_function(
        lambda x, p: np.array([p[0] + p[1] * x[0] - x[0] ** 3]), ["x"], {"p": -2.0, "q": 2.0}, [-2.0]
    )
    with pytest.raises(bf.InputError, match="need the model's equations"):
        bf.locus(bf.diagram(cubic, parameter="p", bounds=(-3, 3)).special("LP")[0], "q", (-1, 3))


def test_command_line_file_and_picture(tmp_path, capsys):
    out, picture = tmp_path / "d.json", tmp_path / "d.png"
    words = ["diagram", "ab_reaction", "--parameter", "D", "--range", "0", "0.16", "--second", "beta"]
    assert bf.main([*words, "--second-range", "1.5", "3.5", "--json", str(out), "--plot", str(picture)]) == 0
    assert "CP" in capsys.readouterr().out
    data = json.loads(out.read_text())
    assert (data["second"], data["second_range"]) == ("beta", [1.5, 3.5])
    kinds = {branch["id"]: branch["kind"] for branch in data["branches"]}
    assert sorted(kinds.values()) == ["equilibrium", "fold", "hopf", "hopf"]
    (cusp,) = [point for point in data["special_points"] if point["label"] == "CP"]
    assert kinds[cusp["branch"]] == "fold" and cusp["c"] is not None
    again = bf.Diagram.load(out)
    assert again.second == "beta" and len(again.branches) == 4
    assert picture.stat().st_size > 10_000
    assert bf.main(words) == 2
    assert "go together" in capsys.readouterr().err


REFERENCE = Path(__file__).parents[2] / "shared/reference/cases.json"
CODIMENSION_TWO = {"CP", "BT", "GH", "ZH", "HH"}


def published():
    if not REFERENCE.exists():
        return []
    cases = json.loads(REFERENCE.read_text())["cases"]
    return [case for case in cases if any(point["type"] in CODIMENSION_TWO for point in case["expected"])]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the published problems are not here")
@pytest.mark.parametrize("case", published(), ids=lambda case: case["id"])
def test_published_points_of_codimension_two_are_found(case):
    first, second = case["active"], case["second"]
    system = bf.System.from_equations(
        case["equations"],
        case["parameters"] | case["start"]["params"],
        dict(zip(case["variables"], case["start"]["state"], strict=True)),
        nonnegative=bool(case.get("nonnegative")),
    )
    wanted = [point for point in case["expected"] if point["type"] in CODIMENSION_TWO]
    values = [point["recomputed"]["params"][second] for point in wanted]
    values.append(float(system.values[system.parameter_index(second)]))
    room = 0.3 * max(max(values) - min(values), 0.1)
    diagram = bf.diagram(system, parameter=first, bounds=case["range"], start={first: case["start"]["params"][first]})
    whole = bf.with_loci(diagram, second, (min(values) - room, max(values) + room))
    for point in wanted:
        truth = point["recomputed"]
        near = [
            other
            for other in whole.special(point["type"])
            if all(abs(other.parameters[k] - v) < 1e-9 * max(1.0, abs(v)) for k, v in truth["params"].items())
        ]
        assert len(near) == 1, (point["type"], truth["params"])
        for name in "abc":
            if truth.get(name) is not None:
                assert abs(getattr(near[0], name)) == pytest.approx(abs(truth[name]), rel=1e-6)


FORMS = {  # X of the parameters P, Q, with a point of codimension two at P = Q = 0; a start of (P, Q) and of X
    "CP": (["P + Q*X1 - X1^3", "0.3*X1^2 - X2"], (-2.0, 2.0), (-1.8, 0.9)),
    "BT": (["X2", "P + Q*X2 + X1^2 - X1*X2"], (-1.0, 0.4), (-1.0, 0.0)),
    "GH": (["P*X1 - X2 + X1*(Q*R + R^2)", "X1 + P*X2 + X2*(Q*R + R^2)"], (-0.5, -0.7), (0.0, 0.0)),
    "ZH": (["Q*X1 - X2 - X1*R", "X1 + Q*X2 - X2*R", "P - X3^2 + X1^2"], (1.0, -0.4), (0.0, 0.0, 1.0)),
    "HH": (
        ["P*X1 - X2 - X1*R", "X1 + P*X2 - X2*R", "Q*X3 - 1.7*X4 - X3^3 + X1^2", "1.7*X3 + Q*X4 - X4^3"],
        (-0.5, -0.3),
        (0.0, 0.0, 0.0, 0.0),
    ),
}


WIDE = [(seed, followers, 12) for seed in range(20, 40) for followers in (1, 3)]
"""Seeds, states that follow at rates of up to 1e9, and decades of units."""


def disguised(label, rng, followers=0, decades=3):
    """Return a form in other states and parameters (a, b), and the place (a, b) of its point.

    u = A w in units of so many decades, X1 = w1, X2 = w2 + c w1^2, (P, Q) = M (a - a0, b - b0); followers come to half
    of X1, at rates of up to 1e9.
    """
    rates, start, x = FORMS[label]
    m = len(rates)
    n = m + followers
    fast = 10 ** rng.uniform(0.3, 9, followers)
    rates = [*rates, *(f"({rate!r})*(0.5*X1 - X{m + k + 1})" for k, rate in enumerate(fast.tolist()))]
    a = np.eye(n)
    a[:m, :m] += 0.3 * np.triu(rng.standard_normal((m, m)))
    a[m:, :m] += 0.3 * rng.standard_normal((followers, m))
    units = 10 ** rng.uniform(-decades, decades, n)
    shift = np.array([[1.0, 0.0], [0.0, 1.0]]) + 0.3 * rng.uniform(-1, 1, (2, 2))
    place, c = rng.uniform(-3, 3, 2), float(0.3 * rng.standard_normal())

    def combined(row, names):
        return " + ".join(f"({value!r})*({name})" for value, name in zip(row.tolist(), names))

    shifted = [f"a - ({place[0].item()!r})", f"b - ({place[1].item()!r})"]
    names = [f"u{i}" for i in range(n)]
    definitions = {f"W{i + 1}": combined(row / units, names) for i, row in enumerate(np.linalg.inv(a))}
    definitions |= {f"X{i + 1}": f"W{i + 1}" + (f" + ({c!r})*W1^2" if i == 1 else "") for i in range(n)}
    definitions |= {"R": "X1^2 + X2^2", "P": combined(shift[0], shifted), "Q": combined(shift[1], shifted)}
    definitions |= {f"F{i + 1}": text for i, text in enumerate(rates)}
    moved = [f"F{i + 1}" + (f" - 2*({c!r})*W1*F1" if i == 1 else "") for i in range(n)]
    w = np.array(x) - c * np.array([x[0] ** 2 if i == 1 else 0.0 for i in range(m)])
    w = np.append(w, np.full(followers, 0.5 * x[0]))
    values = place + np.linalg.solve(shift, start)
    equations = {name: combined(row * unit, moved) for name, row, unit in zip(names, a, units)}
    state = dict(zip(names, units * (a @ w)))
    return bf.System.from_equations(equations, dict(zip("ab", values)), state, definitions), place


@pytest.mark.parametrize(("seed", "followers", "decades"), [(seed, 0, 3) for seed in range(20)] + WIDE)
def test_disguised_points_are_found_and_nothing_else(seed, followers, decades):
    label = list(FORMS)[seed % 5]
    system, place = disguised(label, np.random.default_rng(seed), followers, decades)
    a, b = system.values
    diagram = bf.diagram(system, parameter="a", bounds=(a - 6, a + 6))
    assert diagram.special_points  # the line of this b crosses a locus, by the choice of seeds
    whole = bf.with_loci(diagram, "b", (min(b, place[1]) - 1, max(b, place[1]) + 1))
    points = [point for point in whole.special_points if len(point.parameters) == 2]
    assert [point.label for point in points] == [label]
    assert [points[0].parameters[name] for name in "ab"] == pytest.approx(place, abs=1e-9)


def test_a_range_that_ends_at_the_value_of_the_model():
    system = bf.library.problem("ab_reaction").system
    diagram = bf.diagram(system, parameter="D", bounds=(0, 0.16))
    for bounds in ((2.0, 3.5), (1.5, 2.0)):
        whole = bf.with_loci(diagram, "beta", bounds)
        assert len([branch for branch in whole.branches if branch.kind == "fold"]) == (1 if bounds[1] > 2.0 else 2)
        assert not whole.notes
    (cusp,) = bf.with_loci(diagram, "beta", (2.0, 3.5)).special("CP")
    assert cusp.parameters["beta"] == pytest.approx(2.5, abs=1e-12)


def test_hopf_curves_that_cross_are_both_followed_and_the_transcritical_curve_is_no_fold():
    # on w = 0 Hopf points at p = 0, on w = q at p = -q; at q = 0 the two branches of w cross
    system = bf.System.from_equations(
        {"x": "(p + w)*x - y - x*(x^2 + y^2)", "y": "x + (p + w)*y - y*(x^2 + y^2)", "w": "w*(q - w)"},
        {"p": -0.5, "q": -0.5},
    )
    diagram = bf.diagram(system, parameter="p", bounds=(-1, 1))
    for curve in (bf.locus(only(diagram, "HB"), "q", (-1, 1)), bf.with_loci(diagram, "q", (-1, 1))):
        loci = [branch for branch in curve.branches if branch.kind != "equilibrium"]
        assert [branch.kind for branch in loci] == ["hopf", "hopf"]
        flat, slanted = loci
        np.testing.assert_allclose(flat.column("p"), 0.0, atol=1e-9)
        np.testing.assert_allclose(slanted.column("p") + slanted.column("q"), 0.0, atol=1e-9)
        assert slanted.column("q").min() == -1.0 and slanted.column("q").max() == 1.0
        point = only(curve, "ZH")
        assert [*point.parameters.values()] == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("fast", [[100.0, 137.0, 174.0], [1e3, 1e6, 1e9]], ids=["slow", "fast"])
def test_zero_hopf_points_are_found_beside_fast_states(fast):
    # folds at q = 3 x^2, p = -2 x^3, Hopf points at q + x = 0.3: both at 3 x^2 + x = 0.3
    equations = {
        "x": "p + q*x - x^3", "u": "(q + x - 0.3 - (u*u + v*v))*u - 2*v", "v": "(q + x - 0.3 - (u*u + v*v))*v + 2*u",
    } | {f"z{i}": f"{rate!r}*(x - z{i})" for i, rate in enumerate(fast)}  # fmt: skip
    system = bf.System.from_equations(equations, {"p": 0.0, "q": 0.5})
    whole = bf.with_loci(bf.diagram(system, parameter="p", bounds=(-1, 1)), "q", (-0.5, 1.5))
    found = sorted(whole.special("ZH"), key=lambda point: point.parameters["p"])
    x = [(-1.0 - math.sqrt(4.6)) / 6.0, (-1.0 + math.sqrt(4.6)) / 6.0]
    want = sorted((-2.0 * v**3, 3.0 * v * v) for v in x)
    assert [tuple(point.parameters.values()) for point in found] == [pytest.approx(at, abs=1e-10) for at in want]


def test_a_hopf_curve_near_a_takens_point_is_followed_once():
    system = bf.System.from_equations(
        {"x": "y", "y": "p + q*y + x^2 + x*y"}, {"p": -0.5, "q": 0.001}, {"x": -0.7071, "y": 0.0}
    )
    whole = bf.with_loci(bf.diagram(system, parameter="p", bounds=(-1, 1)), "q", (-1, 1))
    assert sorted(branch.kind for branch in whole.branches) == ["equilibrium", "fold", "hopf"]
    assert len(whole.special("BT")) == 1


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_bautin_points_in_any_units(unit):
    system = bf.System.from_equations(
        {"x": "p*x - y/u + q*x*R - x*R^2", "y": "u*(x + p*y/u + q*(y/u)*R - (y/u)*R^2)"},
        {"p": -0.5, "q": -0.5, "u": unit},
        definitions={"R": "x^2 + (y/u)^2"},
    )
    curve = bf.locus(only(bf.diagram(system, parameter="p", bounds=(-1, 1)), "HB"), "q", (-1, 1))
    assert only(curve, "GH").parameters["q"] == pytest.approx(0.0, abs=1e-10)


def test_a_loaded_point_is_followed_with_its_model(tmp_path):
    fresh = bf.diagram(TAKENS, parameter="p", bounds=(-2.0, 1.0))
    fresh.save(tmp_path / "d.json")
    loaded = bf.Diagram.load(tmp_path / "d.json")
    for label in ("LP", "HB"):
        again = bf.locus(only(loaded, label), "q", (-1.0, 1.0), system=TAKENS)
        first = bf.locus(only(fresh, label), "q", (-1.0, 1.0))
        assert [point.label for point in again.special_points] == [point.label for point in first.special_points]
        assert only(again, "BT").a == pytest.approx(only(first, "BT").a, rel=1e-9)
    with pytest.raises(bf.InputError, match="but the model has x"):
        bf.locus(only(loaded, "LP"), "q", (-1.0, 1.0), system=CUSP)


def test_what_is_no_point_is_refused():
    for wrong in ("HB", None, CUSP):
        with pytest.raises(bf.InputError, match="special point of a diagram"):
            bf.locus(wrong, "q", (0, 1))


@pytest.mark.parametrize(("fifth", "omega"), [(1.0, 1.0), (1.0, 2.0), (-3.0, 0.5)])
def test_second_lyapunov_coefficient(fifth, omega):
    # z' = (p + i omega) z + q z |z|^2 + fifth z |z|^4; for |q| = 1, x + i y = sqrt(2) z, so the fifth order gains 4;
    # w is the graph of a centre manifold that changes none of it, mixed into x by a shear
    system = bf.System.from_equations(
        {"x": f"p*x - {omega}*y + x*S", "y": f"{omega}*x + p*y + y*S", "w": "-3*(w - 0.7*R) + 1.4*(p*R + R*S)"},
        {"p": -0.5, "q": -0.7},
        definitions={"R": "x^2 + y^2", "S": f"q*R + ({fifth})*R^2"},
    )
    point = only(locus_of(system, "HB", (-1.0, 1.0)), "GH")
    assert point.l2 == pytest.approx(4.0 * fifth / omega, rel=1e-9)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the published problems are not here")
def test_published_second_lyapunov_coefficients():
    # MatCont prints Re c2, which is l2 omega, with seven digits
    for case in published():
        wanted = [point for point in case["expected"] if point["type"] == "GH"]
        found = {id(point): point["published"]["l2"] for point in wanted if point["published"].get("l2")}
        if not found:
            continue
        first, second = case["active"], case["second"]
        system = bf.System.from_equations(
            case["equations"], case["parameters"] | case["start"]["params"],
            dict(zip(case["variables"], case["start"]["state"], strict=True)), nonnegative=True,
        )  # fmt: skip
        values = [point["recomputed"]["params"].get(second) for point in case["expected"] if "recomputed" in point]
        values = [v for v in values if v] + [float(system.values[system.parameter_index(second)])]
        whole = bf.with_loci(
            bf.diagram(system, parameter=first, bounds=case["range"]), second, (min(values) - 0.1, max(values) + 0.1)
        )
        for point in wanted:
            at = point["recomputed"]["params"]
            near = min(whole.special("GH"), key=lambda other: abs(other.parameters[second] - at[second]))
            assert near.l2 * near.omega == pytest.approx(point["published"]["l2"], rel=1e-5)


def test_no_cusp_where_a_fold_meets_a_transcritical_point():
    # y = 0 stays; on it folds at x = 0, p = 0, where y grows at the rate q: at q = 0 zero is a double eigenvalue
    equations = {"x": "p - x^2 + y", "y": "y*(q + x - y)"}
    system = bf.System.from_equations(equations, {"p": 1.0, "q": -0.5}, {"x": 1.0, "y": 0.0})
    whole = bf.with_loci(bf.diagram(system, parameter="p", bounds=(-1, 2)), "q", (-1, 1))
    (flat,) = [branch for branch in whole.branches if branch.kind == "fold"]
    np.testing.assert_allclose(flat.points[:, [0, 2, 3]], 0.0, atol=1e-9)
    assert not whole.special("CP")
    for branch in (branch for branch in whole.branches if branch.kind != "equilibrium"):
        for row in branch.points:
            q, x, y = row[1:]
            jacobian = np.array([[-2 * x, 1.0], [y, q + x - 2 * y]])
            zero = np.linalg.det(jacobian) if branch.kind == "fold" else np.trace(jacobian)
            assert abs(zero) < 1e-9


@pytest.mark.parametrize("half", [0.03, 0.003])
@pytest.mark.parametrize("middle", [0.13, -0.37])
def test_two_points_inside_a_step_are_both_found(half, middle):
    # s vanishes at q = middle -+ half: BT points on folds, GH points on Hopf points, ZH points on folds
    form = {"s": f"(q - ({middle}))^2 - {half * half!r}", "R": "u^2 + v^2"}
    takens = {"x": "y", "y": "p - x^2 + y*s + x*y"}
    bautin = {"u": "p*u - v + u*R*(s + R)", "v": "u + p*v + v*R*(s + R)"}
    fold_hopf = {"x": "p - x^2", "u": "(s - R)*u - v", "v": "(s - R)*v + u"}
    for equations, start, label, kind in (
        (takens, {"p": 1.0, "q": -0.5}, "BT", "LP"),
        (bautin, {"p": -0.5, "q": -0.5}, "GH", "HB"),
        (fold_hopf, {"p": 1.0, "q": -0.5}, "ZH", "LP"),
    ):
        state = {name: float(name == "x") for name in equations}
        definitions = form if "u" in equations else {"s": form["s"]}
        system = bf.System.from_equations(equations, start, state, definitions=definitions)
        curve = locus_of(system, kind, (-1.0, 1.0), span=(-1.0, 2.0))
        assert [point.label for point in curve.special_points] == [label, label]
        found = sorted(point.parameters["q"] for point in curve.special_points)
        assert found == pytest.approx([middle - half, middle + half], abs=1e-10)


def test_a_curve_of_branch_points_is_not_followed_as_folds():
    # Lotka-Volterra equations: most zero eigenvalues belong to species that can invade, along curves of branch points
    equations = {
        "a": "a*(p - a - 0.5*b + 0.3*c)", "b": "b*(q + 0.4*a - b - 0.6*c)", "c": "c*(0.5 - 0.7*a + 0.2*b - c)",
    }  # fmt: skip
    system = bf.System.from_equations(equations, {"p": 0.3, "q": 0.2}, {"a": 0.3, "b": 0.2, "c": 0.3})
    whole = bf.with_loci(bf.diagram(system, parameter="p", bounds=(-1, 2)), "q", (-1, 1))
    for branch in whole.branches:
        if branch.kind == "fold":
            for row in branch.points:
                matrix = system.jacobian(row[2:], [row[0], row[1]])
                left = np.linalg.svd(matrix)[0][:, -1]
                assert abs(left[0] * row[2]) + abs(left[1] * row[3]) > 1e-6  # a parameter moves it
    assert not [point for point in whole.special_points if point.label in ("CP", "BT")]


def test_no_bautin_point_where_l1_has_a_pole():
    # at the zero-Hopf point p = q = 0, l1 changes its sign through infinity: z feeds back on the amplitude of (x, y)
    equations = {"x": "(q + z)*x - y - 3*x*R", "y": "x + (q + z)*y - 3*y*R", "z": "p - z^2 + R"}
    system = bf.System.from_equations(
        equations, {"p": 1.0, "q": 0.5}, {"x": 0.0, "y": 0.0, "z": 1.0}, definitions={"R": "x^2 + y^2"}
    )
    whole = bf.with_loci(bf.diagram(system, parameter="p", bounds=(-1, 2)), "q", (-0.7, 0.8))
    assert len(whole.special("ZH")) == 1
    # on z = -q the average of r' = (q + z) r - 3 r^3, z' = -2 z (z + q) + r^2 gives l1 ~ -3 - 1/(2 q) for small z + q
    assert only(whole, "GH").parameters["q"] == pytest.approx(-1.0 / 6.0, abs=1e-10)


FOOD_CHAIN = {"x": "x*(1 - x) - b*x*y", "y": "b*x*y - y/4 - 3*y*z - a*(1 - exp(-5*y))", "z": "3*y*z - z/2"}
"""AUTO-07p's demonstration ppp."""


@pytest.mark.parametrize("highest", [8.0, 15.0])
def test_where_the_hopf_points_of_a_face_meet_branch_points_no_folds_are_claimed(highest):
    model = bf.System.from_equations(FOOD_CHAIN, {"a": 0.0, "b": 3.0}, {"x": 1.0, "y": 0.0, "z": 0.0})
    found = bf.with_loci(bf.diagram(model, "a", (0, 0.6)), "b", (2.0, highest))
    # on the face z = 0 an eigenvalue is zero all along y = 1/6: transcritical, whatever a and b are
    for branch in found.branches:
        if branch.kind == "fold":
            assert np.all(np.abs(branch.column("y") - 1 / 6) > 1e-3) or np.ptp(branch.column("y")) > 1e-3
    assert any("branch points, which is not followed" in note for note in found.notes)
    assert len(set(found.notes)) == len(found.notes)
    # the Hopf points off the face are one closed curve through both points on it, gone round once
    (loop,) = [branch for branch in found.branches if branch.kind == "hopf" and np.ptp(branch.column("z")) > 0.01]
    assert {end.reason for end in loop.ended} == {"closed"} and len(loop.points) < 500
    assert loop.points[0] == pytest.approx(loop.points[-1], abs=1e-12)
    centre = loop.points.mean(axis=0)
    turned = np.unwrap(np.arctan2(loop.column("z") - centre[4], loop.column("x") - centre[2]))
    assert abs(turned[-1] - turned[0]) == pytest.approx(2 * np.pi, abs=1e-9)
    meeting = [p.parameters for p in found.special("ZH")]
    # BP on the curve of Hopf points in AUTO's demonstration, which prints six digits
    for a, b in ((0.362537, 3.34749), (0.0772928, 5.43448)):
        assert any(p["a"] == pytest.approx(a, abs=1e-5) and p["b"] == pytest.approx(b, abs=1e-4) for p in meeting)


def test_no_row_of_a_curve_is_not_a_number():
    model = bf.System.from_equations(FOOD_CHAIN, {"a": 0.0, "b": 3.0}, {"x": 1.0, "y": 0.0, "z": 0.0})
    found = bf.with_loci(bf.diagram(model, "a", (0, 0.6)), "b", (2.0, 7.0), bf.Options(max_points=600))
    assert all(np.all(np.isfinite(branch.points)) for branch in found.branches)


@pytest.mark.parametrize("rate", [1e3, 1e6, 1e9])
def test_hopf_curves_beside_states_that_follow_fast(rate):
    """Two oscillators, both critical at a = b = 0, with frequencies far below the rates of what follows one of them."""
    system = bf.System.from_equations(
        {
            "x": "(a + 0.1*b)*x - y - x*(x^2 + y^2)",
            "y": "x + (a + 0.1*b)*y - y*(x^2 + y^2)",
            "z": "(0.2*a + b)*z - 1.7*w - z^3 + x^2",
            "w": "1.7*z + (0.2*a + b)*w - w^3",
            **{f"v{k}": f"{k}*r*(0.5*x - v{k})" for k in (1, 2, 3)},
        },
        {"a": -2.0, "b": -0.8, "r": rate},
    )
    whole = bf.with_loci(bf.diagram(system, "a", (-2, 6)), "b", (-1, 1))
    point = only(whole, "HH")
    # the corrector's tolerance, and something for the rounding of rates up to 3e9; 4e-17 was seen
    assert [*point.parameters.values()] == pytest.approx([0.0, 0.0], abs=1e-10)
    assert [branch.kind for branch in whole.branches] == ["equilibrium", "hopf", "hopf"]
    assert not whole.notes


def test_a_hopf_curve_ends_exactly_at_a_bogdanov_takens_point():
    """u' = y, y' = p + g1 u + g2 u^2 + g3 u^3 - s (q - u) y: BT where g1 + 2 g2 u + 3 g3 u^2 = 0, at q = u.

    With these numbers the step on to the point itself once failed, and the curve ended 2e-7 before it.
    """
    g1, g2, g3 = 0.37423056641705404, -0.07400975076943687, -0.3035290731014602
    u, y = "(x - (-0.3596929500795989))", "(v - 0.014560636182701092)"
    system = bf.System.from_equations(
        {"x": y, "v": f"p + {g1}*{u} + ({g2})*{u}^2 + ({g3})*{u}^3 - 1.3986583473178476*(q - {u})*{y}"},
        {"p": -1.3837324488998264, "q": -0.9697625646926247},
        {"x": -2.359692950079599, "v": 0.014560636182701092},
    )
    whole = bf.with_loci(bf.diagram(system, "p", (-1.6837, 2.2758)), "q", (-1.6, 1.6))
    wanted = sorted(np.roots([3 * g3, 2 * g2, g1]))
    points = sorted(whole.special("BT"), key=lambda point: point.parameters["q"])
    assert [point.status for point in points] == ["converged"] * 2
    for point, q in zip(points, wanted, strict=True):
        place = [-(g1 * q + g2 * q**2 + g3 * q**3), q]
        # Newton's method at a regular point: rounding, a few times 1e-14
        assert [point.parameters[name] for name in "pq"] == pytest.approx(place, abs=1e-12)


@pytest.mark.parametrize("reach", [1.0, 100.0])
def test_hopf_curves_that_cross_where_both_parameters_are_zero(reach):
    """p = 0 on w = 0 and p = -q on w = q, which meet at a zero-Hopf point at the origin; both reach the ends."""
    pair = {"x": "(p + w)*x - y - x*(x^2 + y^2)", "y": "x + (p + w)*y - y*(x^2 + y^2)", "w": "w*(q - w)"}
    model = bf.System.from_equations(pair, {"p": -0.5, "q": -0.5}, {"x": 0.0, "y": 0.0, "w": 0.0})
    (point,) = bf.diagram(model, "p", (-reach, reach)).special("HB")
    found = bf.locus(point, "q", (-reach, reach))
    curves = [np.column_stack([b.column("p"), b.column("q")]) for b in found.branches if b.kind == "hopf"]
    assert len(curves) == 2 and [s.label for s in found.special_points] == ["ZH"]
    straight, slanted = sorted(curves, key=lambda curve: float(np.abs(curve[:, 0]).max()))
    # the corrector's tolerance, in units of the range
    np.testing.assert_allclose(straight[:, 0], 0.0, atol=1e-9 * reach)
    np.testing.assert_allclose(slanted.sum(axis=1), 0.0, atol=1e-9 * reach)
    for curve in curves:
        assert sorted(curve[[0, -1], 1]) == [-reach, reach]


def along(equations, parameters, state, first, span, second, reach):
    """Return the loci of a model, and the places (both parameters) of its points of codimension two by label."""
    model = bf.System.from_equations(equations, parameters=parameters, state=state)
    plane = bf.with_loci(bf.diagram(model, first, span), second, reach)
    points = [p for p in plane.special_points if len(p.parameters) == 2]
    return plane, [(p.label, *p.parameters.values()) for p in points]


DEGENERATE_HOPF = {
    # l1 is zero all along: around cycles of all sizes there is no Bautin point
    "three competitors (May and Leonard)": (
        {x: f"{x}*(1 - {x} - a*{y} - b*{z})" for x, y, z in ("xyz", "yzx", "zxy")},
        {"a": 0.5, "b": 0.7}, dict.fromkeys("xyz", 0.45), ("a", (0.1, 3)), ("b", (0.1, 3)),
        lambda a, b: a + b - 2.0,
    ),
    "prey and predators, the prey with a limit": (
        {"x": "x*(a - e*x - b*y)", "y": "y*(-c + b*x)"},
        {"a": 1, "b": 0.5, "c": 1, "e": 0.1}, {"x": 2.0, "y": 1.6}, ("e", (-0.2, 1)), ("a", (0.2, 2)),
        lambda e, a: e,
    ),
    "an oscillator with two wells": (
        {"x": "y", "y": "-d*y + m*x - x^3"},
        {"d": 0.3, "m": 1.0}, {"x": 1.0, "y": 0}, ("d", (-1, 1)), ("m", (-1, 2)),
        lambda d, m: d,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DEGENERATE_HOPF)
def test_no_bautin_points_where_l1_is_nothing_but_rounding(name):
    equations, parameters, state, first, second, closed = DEGENERATE_HOPF[name]
    plane, found = along(equations, parameters, state, *first, *second)
    curves = [branch for branch in plane.branches if branch.kind == "hopf"]
    assert curves and all(np.abs(closed(*b.points[:, :2].T)).max() < 1e-7 for b in curves)
    assert {label for label, *_ in found} <= {"BT"}


@pytest.mark.parametrize("equation", ["r*x + q*x^3 - x^5", "x*(r + q*x - x^2)"])
@pytest.mark.parametrize("x", [0.0, 1.3])
def test_folds_that_come_to_branch_points_have_no_cusp_there(equation, x):
    """Folds beside a pitchfork or a transcritical point, at r = -q^2/4; both are degenerate at r = q = 0."""
    plane, found = along({"x": equation}, {"r": 0.5, "q": 1.0}, {"x": x}, "r", (-1, 1), "q", (-1, 2))
    (curve,) = (branch for branch in plane.branches if branch.kind == "fold")
    r, q = curve.points[:, :2].T
    assert np.abs(r + q**2 / 4).max() < 1e-12 and q.max() == 2.0
    assert found == []
    assert [note for note in plane.notes if "At r=0, q=0 the folds meet a curve of branch points" in note]


def test_hopf_points_of_two_equilibria_that_become_one_by_symmetry_meet_at_a_bogdanov_takens_point():
    """x'' = m x + d x' - x^3 - x^2 x': Hopf points of x = 0 at d = 0, m < 0, of the two others at d = m > 0."""
    equations = {"x": "y", "y": "m*x + d*y - x^3 - x^2*y"}
    plane, found = along(equations, {"m": 0.5, "d": 0.2}, {"x": 0.7, "y": 0}, "d", (-1, 1), "m", (-1, 1))
    for curve in (branch for branch in plane.branches if branch.kind == "hopf"):
        d, m = curve.points[:, :2].T
        assert np.abs(d - np.maximum(m, 0.0)).max() < 1e-7
    ((label, d, m),) = found
    assert label == "BT" and abs(d) < 1e-7 and abs(m) < 1e-7

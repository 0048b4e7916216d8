"""Bifurcations of maps in two parameters: closed forms, under linear disguises, and independent eigenvalues."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

import bifrncrn as bf

HENON = bf.System.from_map(
    {"x": "1 - a*x^2 + y", "y": "b*x"}, {"a": 0.2, "b": 0.3}, {"x": 0.8, "y": 0.2}, title="Henon"
)


@pytest.fixture(scope="module")
def henon():
    return bf.with_loci(bf.diagram(HENON, "a", (-0.5, 1.5)), "b", (-1.5, 0.9))


def named(diagram):
    return [(p.label, *p.parameters.values()) for p in diagram.special_points if len(p.parameters) == 2]


def rotated(radius, angle, a, b):
    """Return the equations of (a, b) turned by an angle and stretched by `radius`."""
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return f"({radius})*({c!r}*{a} - {s!r}*{b})", f"({radius})*({s!r}*{a} + {c!r}*{b})"


def mixed(equations, start, seed):
    """Return a map whose states are a linear mixture of those of another, of different size, with a fast one more."""
    rng, names = np.random.default_rng(seed), list(equations)
    n = len(names)
    whole = np.round(rng.normal(size=(n, n)) + 3 * np.eye(n), 2) @ np.diag(10.0 ** (np.arange(n) % 3 - 1))
    inverse = np.linalg.inv(whole)
    definitions = {
        name: " + ".join(f"({float(whole[i, j])!r})*u{j}" for j in range(n)) for i, name in enumerate(names)
    } | {f"next_{name}": text for name, text in equations.items()}
    own = {f"u{j}": " + ".join(f"({float(inverse[j, i])!r})*next_{names[i]}" for i in range(n)) for j in range(n)}
    own["fast"] = "1e-3*fast + 0.5*u0"
    at = inverse @ [start[name] for name in names]
    state = {f"u{j}": float(at[j]) for j in range(n)} | {"fast": 0.5 * float(at[0])}
    return bf.System.from_map(own, {"p": 0.2, "q": 0.1}, state, definitions=definitions)


TURN, OTHER = rotated("1 + q + x", 1.2, "y", "z"), rotated("exp(p) - (y^2 + z^2)", 1.2, "y", "z")
FORMS = {
    # one state more than the normal form, coupled so that the other's multiplier moves along the curve
    "CP": ({"x": "x + p + q*x - x^3"}, {"x": 0.8}, {"CP"}),
    "GPD": ({"x": "-(1 + p)*x + q*x^3 - x^5"}, {"x": 0.0}, {"GPD"}),
    "LPPD": ({"x": "x + p - x^2", "y": "-(1 + q + x)*y + y^3"}, {"x": 0.45, "y": 0.0}, {"LPPD"}),
    "LPNS": ({"x": "x + p - x^2", "y": TURN[0], "z": TURN[1]}, {"x": 0.45, "y": 0, "z": 0}, {"LPNS"}),
    "PDNS": (
        {"x": "-exp(q)*x + x^3", "y": OTHER[0], "z": OTHER[1]}, {"x": 0, "y": 0, "z": 0}, {"PDNS"},
    ),
    "NSNS": (
        dict(zip("yzuv", (*OTHER, *rotated("exp(q)", 2.0, "u", "v")))), dict.fromkeys("yzuv", 0.0), {"NSNS"},
    ),
    "CH": (
        dict(zip("yz", rotated("1 + p + q*(y^2 + z^2) - (y^2 + z^2)^2", 1.2, "y", "z"))), {"y": 0, "z": 0}, {"CH"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_points_of_codimension_two_at_the_origin(name, seed):
    """Each normal form has its point at p = q = 0, whatever linear coordinates it is seen in, and no other."""
    equations, start, labels = FORMS[name]
    if seed is None:
        model = bf.System.from_map(equations, {"p": 0.2, "q": 0.1}, start)
    else:
        model = mixed(equations, start, seed)
    found = bf.with_loci(bf.diagram(model, "p", (-0.25, 0.25)), "q", (-0.3, 0.3))
    points = named(found)
    assert {label for label, _, _ in points} == labels
    for _, p, q in points:
        assert (p, q) == pytest.approx((0.0, 0.0), abs=1e-9)
    assert len(points) == 1


def test_the_resonances_of_the_henon_map(henon):
    """With b = -1 it keeps areas: LP at a = -(1 - b)^2/4, PD at 3 (1 - b)^2/4, the pair's cosine is -a x."""
    kinds = [b.kind for b in henon.branches if b.kind != "fixed_point"]
    assert sorted(kinds) == ["map_doubling", "map_fold", "map_torus"]
    for branch in henon.branches:
        a = branch.column("a")
        if branch.kind == "map_fold":
            np.testing.assert_allclose(a, -((1 - branch.column("b")) ** 2) / 4, atol=1e-10)
        elif branch.kind == "map_doubling":
            np.testing.assert_allclose(a, 3 * (1 - branch.column("b")) ** 2 / 4, atol=1e-10)
        elif branch.kind == "map_torus":
            np.testing.assert_allclose(branch.column("b"), -1.0, atol=1e-12)
    where = {"R1": -1.0, "R2": 3.0, "R3": 1.25, "R4": 0.0}
    points = named(henon)
    assert sorted(label for label, _, _ in points) == sorted(where)  # no CH: the coefficient is zero all along
    for label, a, b in points:
        assert (a, b) == pytest.approx((where[label], -1.0), abs=1e-9)


def test_the_multipliers_on_curves_are_those_of_numpy(henon):
    for branch in henon.branches[1:]:
        for row in range(0, len(branch.points), 40):
            a, b, x, _ = branch.points[row]
            own = np.sort_complex(np.linalg.eigvals([[-2 * a * x, 1.0], [b, 0.0]]).astype(complex))
            np.testing.assert_allclose(np.sort_complex(branch.multipliers[row]), own, atol=1e-6)
    (torus,) = (b for b in henon.branches if b.kind == "map_torus")
    assert set(torus.unstable.tolist()) == {0}


def test_doublings_of_cycles_in_two_parameters():
    """2-cycles of the Henon map double at a = (1 - b)^2 + (1 + b)^2/4."""
    diagram = bf.diagram(HENON, "a", (0.1, 1.0), doublings=1)
    (point,) = [p for p in diagram.special("PD") if p.iterations == 2]
    curve = bf.locus(point, "b", (-0.5, 0.8))
    (branch,) = curve.branches
    assert branch.kind == "map_doubling" and branch.iterations == 2
    b = branch.column("b")
    np.testing.assert_allclose(branch.column("a"), (1 - b) ** 2 + (1 + b) ** 2 / 4, atol=1e-9)
    assert (b.min(), b.max()) == pytest.approx((-0.5, 0.8), abs=1e-12)


def test_curves_of_a_map_are_saved_drawn_and_asked_for_on_the_command_line(henon, tmp_path, capsys):
    henon.save(tmp_path / "henon.json")
    again = bf.Diagram.load(tmp_path / "henon.json")
    assert str(again) == str(henon)
    ax = Figure().subplots()
    bf.with_loci(bf.diagram(HENON, "a", (-0.5, 1.5)), "b", (-0.5, 0.6)).plot(ax=ax)
    path = tmp_path / "henon.toml"
    path.write_text(HENON.to_toml())
    words = ["--parameter", "a", "--range", "-0.5", "1.5", "--second", "b", "--second-range", "-1.5", "0.9"]
    assert bf.main(["diagram", str(path), *words, "--json", "-"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {"R1", "R2", "R3", "R4"} <= {p["label"] for p in said["special_points"]}
    assert {branch["kind"] for branch in said["branches"]} == {"fixed_point", "map_fold", "map_doubling", "map_torus"}


def test_what_a_curve_of_a_map_does_not_start_from_is_said():
    logistic = bf.System.from_map({"x": "r*x*(1 - x) + c"}, {"r": 2, "c": 0}, {"x": 0.5})
    diagram = bf.diagram(logistic, "r", (0.5, 3.5))
    with pytest.raises(bf.InputError, match="BP of a map is not followed"):
        bf.locus(diagram.special("BP")[0], "c", (-0.1, 0.1))
    with pytest.raises(bf.InputError, match="leaves out its value"):
        bf.locus(diagram.special("PD")[0], "c", (1, 2))


def test_branch_points_are_followed_as_no_folds():
    """Prey x = 1 alone meets the predators (y) in a branch point at m = e for all r, and doubles at r = 2."""
    prey = bf.System.from_map(
        {"x": "x*exp(r*(1 - x) - y)", "y": "y*exp(1.5*x - m)"}, {"r": 1.5, "m": 0.6}, {"x": 0.4, "y": 0.9}
    )
    plane = bf.with_loci(bf.diagram(prey, "m", (0.1, 1.9)), "r", (0.5, 4))
    assert not [branch for branch in plane.branches if branch.kind == "map_fold"]
    assert any("one of branch points, which is not followed" in note for note in plane.notes)


def test_a_degenerate_doubling_beside_a_fold_is_not_passed_over():
    """GPD next to LPPD, where b has a pole: y doubles at q = 0, its cubic term is x - 0.01, and x folds at p = 0."""
    model = bf.System.from_map(
        {"x": "x + p - x^2", "y": "-exp(q)*y + (x - 0.01)*y^3 - y^5"}, {"p": 0.2, "q": 0.1}, {"x": 0.44, "y": 0}
    )
    plane = bf.with_loci(bf.diagram(model, "q", (-0.3, 0.3)), "p", (-0.1, 0.3))
    found = sorted((label, round(q, 8) + 0.0, round(p, 8) + 0.0) for label, q, p in named(plane))
    assert found == [("GPD", 0.0, 1e-4), ("LPPD", 0.0, 0.0)]


def test_a_coefficient_keeps_its_sign_where_the_pair_becomes_real():
    """The generalised Henon map: Re d, by differences in 60 digits, is 0.0041 up to R2 at a = 25.95, 0.27 beside R1."""
    model = bf.System.from_map(
        {"x": "y", "y": "a - b*x - y^2 - 0.1*x*y + 0.1*y^3"}, {"a": 0.1, "b": 0.3}, {"x": 0.1, "y": 0.1}
    )
    plane = bf.with_loci(bf.diagram(model, "a", (-2, 4)), "b", (-2.5, 2.5))
    assert {p.status for p in plane.special_points} == {"converged"}
    assert not plane.special("CH")
    assert sorted(round(p.parameters["a"], 3) for p in plane.special("R2")) == [3.420, 25.947]

"""Proofs against closed forms, published values, and models on which a proof must not succeed."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.proofs.prove import prove_learned

LINE = {"x": (-2, 2)}


def proved(equations, box, bounds=(-1, 1), parameters=None, **options):
    equations = {"x": equations} if isinstance(equations, str) else equations
    system = bf.System.from_equations(equations, {"r": 0.0, **(parameters or {})})
    return bf.prove(system, parameter="r", bounds=bounds, box=box, **options)


def holds(side, value, within=1e-9):
    """Say whether an interval holds a number and is narrow."""
    return side[0] <= value <= side[1] and side[1] - side[0] <= within


def labels(proof):
    return [point.label for point in proof.special_points]


def test_cubic():
    proof = proved("r + x - x^3", LINE)
    assert proof.proved and proof.branches == 1 and labels(proof) == ["LP", "LP"]
    x = 1 / math.sqrt(3)
    low, high = proof.special_points
    assert holds(low.state["x"], x) and holds(low.parameters["r"], x**3 - x)
    assert holds(high.state["x"], -x) and holds(high.parameters["r"], x - x**3)
    assert low.detail["turns"] == "minimum" and high.detail["turns"] == "maximum"
    assert sorted(low.detail["unstable"]) == sorted(high.detail["unstable"]) == [0, 1]


@pytest.mark.parametrize("power", [3, 6, 9])
def test_folds_that_nearly_meet(power):
    small = 10.0**-power
    proof = proved(f"r + {small!r}*x - x^3", LINE)
    x = math.sqrt(small / 3)
    assert proof.proved and labels(proof) == ["LP", "LP"]
    assert [holds(point.state["x"], place) for point, place in zip(proof.special_points, (x, -x))] == [True, True]


def test_tank():
    tank = bf.System.from_equations(
        {"u1": "-u1 + D*(1-u1)*exp(u2)", "u2": "-u2 + D*B*(1-u1)*exp(u2) - beta*u2"},
        {"D": 0, "B": 14, "beta": 2},
    )
    proof = bf.prove(tank, parameter="D", bounds=(0, 0.16), box={"u1": (0, 1), "u2": (0, 12)})
    assert proof.proved and proof.branches == 1 and labels(proof) == ["LP", "LP", "HB"]
    # at an equilibrium u2 = 14 u1 / 3, and a fold is where d/du1 of u1 exp(-u2)/(1 - u1) vanishes: u1 - u1^2 = 3/14
    u1 = [0.5 + math.sqrt(0.25 - 3 / 14), 0.5 - math.sqrt(0.25 - 3 / 14)]
    for point, u in zip(proof.special_points[:2], u1):
        assert holds(point.state["u1"], u) and holds(point.parameters["D"], u * math.exp(-14 * u / 3) / (1 - u))
    assert holds(proof.special_points[2].parameters["D"], 0.13090004482004333)
    assert holds(proof.special_points[2].detail["omega"], 4.007774662864486)
    assert proof.special_points[2].detail["unstable"] == [2, 0]


def test_brusselator():
    equations = {"x": "a + x^2*y - (r+1)*x", "y": "r*x - x^2*y"}
    proof = proved(equations, {"x": (0, 4), "y": (0, 5)}, (0.5, 3.5), {"a": 1.0})
    assert proof.proved and proof.branches == 1 and labels(proof) == ["HB"]
    point = proof.special_points[0]
    assert holds(point.parameters["r"], 2.0) and holds(point.detail["omega"], 1.0) and holds(point.state["y"], 2.0)


def test_published_hopf_network(reference):
    network = bf.load_model(reference / "networks" / "hopf.mat")
    proof = bf.prove(network, parameter="lam", bounds=(1, 3), box={"x1": (3.5, 6.5), "x2": (3.5, 6.5)})
    truth = json.loads((reference / "rncrn_truth.json").read_text())
    assert proof.proved and proof.branches == 1 and labels(proof) == ["HB"]
    assert "2.14368" in json.dumps(truth)
    assert holds(
        proof.special_points[0].parameters["lam"], bf.diagram(network, "lam", (1, 3)).special("HB")[0].parameters["lam"]
    )


@pytest.mark.parametrize(("name", "points", "most"), [("hopf", ["HB"], 6000), ("uni_bistable", ["LP"], 600)])
def test_shipped_networks(name, points, most):
    """The terms of a trained network cancel; derivatives enclosed by their own changes keep the boxes few."""
    target = getattr(bf.library, name)()
    network = bf.load_model(Path(bf.library.__file__).parent / "data" / f"{name}_network.json")
    proof = prove_learned(network, target)
    assert proof.proved and labels(proof) == points and proof.counters["boxes"] < most


@pytest.mark.slow
def test_the_shipped_homoclinic_network():
    """Ten perceptrons with weights up to 96: plain derivatives left it undecided after a million boxes."""
    network = bf.load_model(Path(bf.library.__file__).parent / "data" / "homoclinic_network.json")
    proof = prove_learned(network, bf.library.homoclinic())
    assert proof.proved and proof.branches == 2 and sorted(labels(proof)) == ["HB", "LP"]
    assert proof.counters["boxes"] < 60_000


def test_three_states():
    """A Hopf point of three states in closed form: the plane (x, y) with a stable third state."""
    equations = {"x": "r*x - y - x*z", "y": "x + r*y - y*z", "z": "-z + x^2 + y^2"}
    side = (-0.4, 0.5)
    proof = proved(equations, {"x": side, "y": side, "z": side}, (-0.3, 0.4))
    assert proof.proved and labels(proof) == ["HB"]
    assert holds(proof.special_points[0].parameters["r"], 0.0) and proof.special_points[0].detail["unstable"] == [0, 2]


def test_a_small_isola_is_found():
    """A circle of equilibria of radius 1e-6 beside a branch; without it there is only the branch."""
    circle = "(x + 1.1 - 0.1*r)*((x - 0.3)^2 + (r - 0.2)^2 {} 1e-12)"
    proof = proved(circle.format("-"), LINE)
    assert proof.proved and proof.branches == 2 and labels(proof) == ["LP", "LP"]
    assert holds(proof.special_points[0].parameters["r"], 0.2 - 1e-6, 1e-12)
    none = proved(circle.format("+"), LINE)
    assert none.proved and none.branches == 1 and not none.special_points


@pytest.mark.parametrize(
    "equation",
    [
        "(x + 1.1)*((x - 0.3)^2 + (r - 0.2)^2)",  # a single point
        "r - x^3",  # a cusp
        "r*x - sinh(x)^3",  # a pitchfork that is not seen to be one: sinh is not divided by x
        "r - abs(x)",  # a corner
        "r - heaviside(x)",  # a jump, with an equilibrium on it
        "(r - 0.503)*(x^2 + 1)",  # equilibria at one value of the parameter only
        "r - 0.5 - (x - 2)^2",  # a fold on the side of the box
        "(r - x^2)^2",  # every equilibrium is double
        "0*x",
        "sqrt(x^2)*(r - x)",
    ],
)
def test_what_must_not_be_proved(equation):
    proof = proved(equation, LINE, seconds=20)
    assert not proof.proved and proof.undecided and "Undecided" in str(proof)
    for item in proof.undecided:
        assert item.reason and set(item.box) == {"x", "r"}


def test_nothing_is_claimed_about_states_on_a_conserved_line():
    proof = proved({"x": "y - x", "y": "x - y"}, {"x": (0, 1), "y": (0, 1)}, seconds=5)
    assert not proof.proved and proof.branches is None


def test_a_curve_that_only_just_misses_the_box():
    outside, inside = (proved(f"r - 0.5 - (x - {at!r})^2", LINE) for at in (2.000001, 1.999999))
    assert outside.proved and not outside.special_points
    assert inside.proved and labels(inside) == ["LP"]


def test_functions_that_are_undefined_in_part_of_the_box():
    assert proved("r - 0.1/x", {"x": (0, 2)}).branches == 1
    assert proved("r - 0.5 - log(x)", {"x": (-1, 2)}, (-0.4, 0.4)).proved


@pytest.mark.parametrize(
    ("equation", "branches"),
    [
        ("r + 1/x", 2),  # the hyperbola
        ("r - x + 0.125/(x - 0.25)", 2),  # x = 0.25 + s with s^2 + (0.25 - r) s = 0.125: one on either side
        ("r - tan(x)", 1),  # poles at +-pi/2; beyond them tan is past -1 and 1 up to x = 2.3
    ],
)
def test_poles_in_the_box(equation, branches):
    proof = proved(equation, {"x": (-2, 2)})
    assert proof.proved and proof.branches == branches and not proof.special_points


def test_a_whole_exponent_that_is_a_parameter():
    """x^n with n = 2 is smooth at zero and below it; with n = 2.5 it is not a number there."""
    for n, decided in ((2.0, True), (2.5, False)):
        proof = proved("r*x - x^n", {"x": (-2, 2)}, parameters={"n": n})
        assert proof.proved == decided and labels(proof) == ["BP"] * decided


def test_a_pole_is_no_equilibrium():
    """(x - 1/4) (r - x) / (x - 1/4) is no number at x = 1/4, so nothing is claimed there."""
    proof = proved("(x - 0.25)*(r - x)/(x - 0.25)", {"x": (-2, 2)})
    assert not proof.proved and proof.undecided


def test_a_neutral_saddle_is_no_hopf_point():
    proof = proved({"x": "r*x + y", "y": "x - 0.3*y"}, {"x": (-1, 1), "y": (-1, 1)})
    assert proof.proved and not proof.special_points


def test_two_hopf_points_close_together_and_a_touching_one():
    box = {"x": (-1, 1), "y": (-1, 1)}
    assert labels(proved({"x": "(r^2 - 1e-8)*x - y", "y": "x"}, box)) == ["HB", "HB"]
    assert not proved({"x": "(r^2 + 1e-8)*x - y", "y": "x"}, box).special_points
    assert not proved({"x": "r^2*x - y", "y": "x"}, box).proved


@pytest.mark.parametrize("apart", [0.0, 0.125])
def test_a_fold_and_a_hopf_point_in_one(apart):
    """x turns at r = 0; the pair x - apart +- i is on the axis at r = apart^2: a zero-Hopf point where they meet."""
    equations = {
        "x": "r - x^2",
        "y": f"(x - {apart!r})*y - z - y*(y^2 + z^2)",
        "z": f"y + (x - {apart!r})*z - z*(y^2 + z^2)",
    }
    proof = proved(equations, {"x": (-2, 2), "y": (-2, 2), "z": (-2, 2)})
    if apart:
        assert proof.proved and labels(proof) == ["LP", "HB"]
        assert holds(proof.special_points[1].parameters["r"], apart**2)
    else:
        assert not proof.proved and not labels(proof)
        assert {item.reason.split(" (")[0] for item in proof.undecided} == {"two special points in one"}


def test_a_hopf_point_whose_criticality_is_not_known_says_so():
    """The cubic terms cancel: l1 = 0 for these numbers."""
    equations = {"x": "r*x - y - x*(x^2 + y^2)^2", "y": "x + r*y - y*(x^2 + y^2)^2"}
    proof = proved(equations, {"x": (-2, 2), "y": (-2, 2)})
    assert labels(proof) == ["HB"] and "l1" not in proof.special_points[0].detail
    assert "super- or subcritical is not decided" in " ".join(str(proof).split())


def test_beside_a_bogdanov_takens_point():
    equations = {"x": "y", "y": "r + a*y + x^2 + x*y"}
    box = {"x": (-1, 1), "y": (-1, 1)}
    proof = proved(equations, box, (-0.5, 0.1), {"a": 1e-3})
    assert proof.proved and sorted(labels(proof)) == ["HB", "LP"]
    assert holds(proof.special_points[labels(proof).index("HB")].parameters["r"], -1e-6)
    assert proof.special_points[labels(proof).index("HB")].detail["unstable"] == [0, 2]
    assert not proved(equations, box, (-0.5, 0.1), {"a": 0.0}).proved


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_do_not_matter(scale):
    proof = proved(f"r*{scale!r} + x - (x/{scale!r})^2*x", {"x": (-2 * scale, 2 * scale)})
    assert proof.proved and labels(proof) == ["LP", "LP"]
    assert holds(proof.special_points[0].state["x"], scale / math.sqrt(3), 1e-9 * scale)


def test_uncertain_parameters():
    equations, box = {"x": "a + x^2*y - (r+1)*x", "y": "r*x - x^2*y"}, {"x": (0.3, 3), "y": (0.3, 5)}
    proof = proved(equations, box, (1.5, 2.5), {"a": 1.0}, spread=1e-4)
    assert proof.proved and labels(proof) == ["HB"]
    low, high = proof.special_points[0].parameters["r"]
    assert low <= 1 + (1 - 1e-4) ** 2 and high >= 1 + (1 + 1e-4) ** 2 and high - low < 1e-2


def test_command(tmp_path, capsys):
    model = tmp_path / "fold.toml"
    model.write_text('[variables]\nx = 1.0\n[parameters]\nr = 1.0\n[equations]\nx = "r - x^2"\n')
    out = tmp_path / "proof.json"
    command = ["prove", str(model), "--parameter", "r", "--range", "-1", "2", "--json", str(out)]
    assert bf.main([*command, "--box", "x=-3:3"]) == 0
    data = json.loads(out.read_text())
    assert data["schema"] == "bifrncrn.proof/1" and data["proved"] is True and data["branches"] == 1
    assert data["special_points"][0]["label"] == "LP" and data["special_points"][0]["proved"] is True
    assert data["undecided"] == [] and data["box"] == {"x": [-3.0, 3.0]}
    assert "exactly one fold" in capsys.readouterr().out
    assert bf.main([*command, "--box", "x=0:3"]) == 1  # the fold is on the side of the box
    assert bf.main(command) == 2
    assert "interval for every state" in capsys.readouterr().err


def test_picture(tmp_path):
    """Undecided boxes are drawn, and seen however small they are; curves end where the box does."""
    cusp = proved("r - x^3", LINE)
    ax = cusp.plot()
    assert len(ax.patches) == len(cusp.undecided) > 0 and ax.patches[0].get_width() >= 0.01 * 2.0
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["proved equilibria", "undecided"]
    ax = proved("r + x - x^3", LINE).plot("x")
    points = np.concatenate([line.get_xydata() for line in ax.lines[:-1]])
    points = points[np.isfinite(points).all(axis=1)]
    assert not ax.patches and np.abs(points[:, 0]).max() <= 1.0
    assert np.allclose(points[:, 0], points[:, 1] ** 3 - points[:, 1], atol=1e-12)
    with pytest.raises(bf.InputError, match="no state 'z'"):
        cusp.plot("z")
    with pytest.raises(bf.InputError, match="about a diagram"):
        bf.prove(bf.diagram(bf.System.from_equations({"x": "r - x"}, {"r": 0.0}), "r", (0, 1))).plot()
    model = tmp_path / "fold.toml"
    model.write_text('[variables]\nx = 1.0\n[parameters]\nr = 1.0\n[equations]\nx = "r - x^2"\n')
    picture = tmp_path / "proof.png"
    command = ["prove", str(model), "--range", "-1", "2", "--box", "x=-3:3", "--plot", str(picture)]
    assert bf.main(command) == 0 and picture.stat().st_size > 1000


def test_points_of_a_diagram():
    """A Hopf point in closed form in four states, with l1: z' = (r + 2i) z - z |z|^2, and two stable ones."""
    equations = {
        "x": "r*x - 2*y - x*(x^2 + y^2)", "y": "2*x + r*y - y*(x^2 + y^2)", "u": "-u + x*y", "v": "-3*v + u^2"
    }  # fmt: skip
    system = bf.System.from_equations(equations, {"r": -0.5})
    proof = bf.prove(bf.diagram(system, "r", (-0.5, 0.5)))
    assert proof.proved and labels(proof) == ["HB"] and proof.branches is None
    point = proof.special_points[0]
    assert holds(point.parameters["r"], 0.0, 1e-10) and holds(point.detail["omega"], 2.0, 1e-10)
    # <q, q> = 1 makes the coefficient -2 (of z of length sqrt 2), and l1 is divided by the frequency
    assert holds(point.detail["l1"], -1.0) and point.detail["unstable"] == [0, 2]
    assert "no statement of completeness" in " ".join(str(proof).split()) and proof.followed[0].proved


def test_a_branch_point_that_nothing_keeps_together_is_not_proved():
    system = bf.System.from_equations({"x": "(x - r)*(x + r + r^2)"}, {"r": -0.5}, {"x": -0.5})
    proof = bf.prove(bf.diagram(system, "r", (-0.5, 1)))
    assert not proof.proved and [p["proved"] for p in proof.to_json()["special_points"] if p["label"] == "BP"] == [
        False
    ]
    assert "part under the slightest change" in proof.undecided[0].reason


def test_a_network_comes_with_its_proof(tmp_path, capsys):
    """The shipped network has its Hopf point where the target has it, and nothing else in the target's box."""
    network = tmp_path / "network.json"
    assert bf.main(["demo", "--out", str(tmp_path), "--json", str(tmp_path / "demo.json")]) == 0
    proof = json.loads((tmp_path / "demo.json").read_text())["proof"]
    assert proof["proved"] and proof["branches"] == 1 and [p["label"] for p in proof["special_points"]] == ["HB"]
    assert abs(proof["special_points"][0]["parameters"]["lam"][0] - 2.0) < 1e-11
    assert proof["special_points"][0]["l1"][1] < 0.0 and "All equilibria in the box" in capsys.readouterr().out
    (tmp_path / "hopf_network.json").rename(network)
    out = tmp_path / "comparison.json"
    assert bf.main(["compare", "hopf", str(network), "--prove", "--json", str(out)]) == 0
    assert json.loads(out.read_text())["proof"]["proved"] is True
    assert bf.main(["compare", "hopf", str(network), "--prove", "--mu", "0.01"]) == 2
    with pytest.raises(bf.InputError, match="reduced network"):
        bf.compare(bf.library.get("hopf"), bf.load_model(network), mu=0.01, prove=True)


def test_training_proves_what_it_trained():
    fit = bf.train(bf.library.get("uni_bistable"), seeds=1, rank="loss", prove=True)
    assert fit.proof is not None and fit.proof.proved and fit.to_json()["proof"]["schema"] == "bifrncrn.proof/1"
    stable = bf.diagram(fit.network.reduced(), "lam", (0, 1), all=True, box={"x1": (1, 9)})
    assert labels(fit.proof).count("LP") == len([p for p in stable.special("LP") if 1 <= p.state["x1"] <= 9])


def test_the_checker_verifies_true_proofs_and_no_others(tmp_path):
    """Arb and jets of its own, against a proof as it is, with a point left out, another count, a tube removed."""
    pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
    model = tmp_path / "cubic.toml"
    model.write_text('[variables]\nx = 0.0\n[parameters]\nr = 0.0\n[equations]\nx = "r + x - x^3"\n')
    system = bf.System.from_file(model)
    proof = bf.prove(system, bounds=(-1, 1), box=LINE)
    proof.save(tmp_path / "proof.json")
    command = [sys.executable, "-m", "bifrncrn.cli.checker", str(model), str(tmp_path / "proof.json")]
    assert subprocess.run(command, check=False).returncode == 0
    data = proof.to_json()
    assert not bf.check_proof(system, data | {"special_points": data["special_points"][1:]})
    assert not bf.check_proof(system, data | {"branches": 2})
    assert not bf.check_proof(system, data | {"arcs": {key: values[:3] for key, values in data["arcs"].items()}})
    first, *others = data["special_points"]
    turned = first | {"turns": {"minimum": "maximum", "maximum": "minimum"}[first["turns"]]}
    assert not bf.check_proof(system, data | {"special_points": [turned, *others]})
    wrong = bf.System.from_equations({"x": "r + x - x^3 + 1e-7*x^2"}, {"r": 0.0})
    assert not bf.check_proof(wrong, data)


def test_the_checker_verifies_a_hopf_point():
    """And what is listed of it; that its l1 was not looked at is said."""
    pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
    system = bf.System.from_equations({"x": "r*x - y - x*(x^2 + y^2)", "y": "x + r*y - y*(x^2 + y^2)"}, {"r": 0.0})
    proof = bf.prove(system, bounds=(-0.5, 0.4), box={"x": (-0.3, 0.4), "y": (-0.4, 0.3)})
    data, said = proof.to_json(), []
    assert proof.proved and bf.check_proof(system, data, said.append)
    assert "not looked at: l1" in said
    (point,) = data["special_points"]
    for wrong in ({"omega": [1.01, 1.02]}, {"unstable": [2, 0]}, {"parameters": {"r": [1e-10, 2e-10]}}):
        assert not bf.check_proof(system, data | {"special_points": [point | wrong]})
    assert not bf.check_proof(system, data | {"special_points": [point, point]})
    assert not bf.check_proof(system, data | {"proved": False})


def test_bad_arguments():
    model = bf.System.from_equations({"x": "r - x^2"}, {"r": 1.0})
    for options in ({"box": {"x": (1, 0)}}, {"box": {"z": (0, 1)}}, {"box": {"x": (0, math.inf)}}, {"spread": 2.0}):
        with pytest.raises(bf.InputError):
            bf.prove(model, bounds=(0, 1), **{"box": {"x": (0, 1)}, **options})
    with pytest.raises(bf.InputError, match="Python function"):
        function = bf.System.from_function(lambda x, p: p[0] - x, ["x"], {"r": 0.0})
        bf.prove(function, bounds=(0, 1), box={"x": (0, 1)})


def test_random_networks_do_not_contradict_the_diagram():
    """Every fold and Hopf point that the diagram finds in the box is among the proved ones."""
    rng = np.random.default_rng(5)
    checked = 0
    for _ in range(8):
        system = random_network(rng).reduced()
        box = {"x1": (0.05, 6.0), "x2": (0.05, 6.0)}
        proof = bf.prove(system, parameter="lam", bounds=(0, 1), box=box, seconds=20)
        if proof.proved and proof.branches:
            # a point of a proved curve is where the diagram starts
            core = [0.5 * (np.array(proof.arcs[end][0])) for end in ("core_low", "core_high")]
            start = dict(zip(("x1", "x2", "lam"), sum(core).tolist()))
            start["lam"] = min(max(start["lam"], 0.0), 1.0)
            agree(proof, bf.diagram(system, "lam", (0, 1), start=start, all=True, box=box), box)
            checked += 1
    assert checked > 2


def random_network(rng):
    return bf.Network(
        alpha=rng.normal(size=(2, 3)) - 0.6, omega=rng.normal(size=(3, 2)), psi=rng.normal(size=(3, 1)),
        theta=rng.normal(size=3), beta=np.full(2, 0.5), gamma=np.ones(3), tau=np.ones(3),
    )  # fmt: skip


def agree(proof, diagram, box):
    for point in diagram.special_points:
        inside = all(box[name][0] <= value <= box[name][1] for name, value in point.state.items())
        if inside and point.label in ("LP", "HB"):
            near = [
                p
                for p in proof.special_points
                if p.label == point.label
                and abs(p.parameters["lam"][0] - point.parameters["lam"]) < 1e-6
                and all(abs(p.state[name][0] - value) < 1e-5 for name, value in point.state.items())
            ]
            assert len(near) == 1, (point, proof)


def test_a_centre_all_along_is_called_one():
    """Of predators and prey the trace is zero at every equilibrium; at a degenerate Hopf point it is not."""
    box = {"x": (0.1, 4.0), "y": (0.1, 4.0)}
    preys = proved({"x": "x*(1 - y)", "y": "y*(r*x - 1)"}, box, bounds=(0.5, 2.0), parameters={"r": 1.0})
    assert not preys.proved
    assert preys.undecided and all("all along" in item["reason"] for item in preys.to_json()["undecided"])
    for multiple in ("r^2", "(r^2 - 0.6*r + 0.09)", "(r^3 - 0.9*r^2 + 0.27*r - 0.027)"):
        equations = {"x": f"{multiple}*x - y - x^3", "y": f"x + {multiple}*y - y^3"}
        degenerate = proved(equations, {"x": (-0.5, 0.5), "y": (-0.5, 0.5)})
        assert not degenerate.proved and "all along" not in json.dumps(degenerate.to_json())


DAMAGED = {
    "no table": lambda d: [d],
    "no arcs": lambda d: {key: value for key, value in d.items() if key != "arcs"},
    "no count": lambda d: {key: value for key, value in d.items() if key != "branches"},
    "a box that is turned round": lambda d: d | {"box": {"x": [2.0, -2.0]}},
    "a box of a number": lambda d: d | {"box": {"x": 3}},
    "a box whose width is no number": lambda d: d | {"box": {"x": [-1e308, 1e308]}},
    "an endless range": lambda d: d | {"range": [-1.0, math.inf]},
    "a point without a place": lambda d: d | {"special_points": [{"label": "LP"}]},
    "points that are none": lambda d: d | {"special_points": [None]},
    "a corner of one number": lambda d: d | {"arcs": d["arcs"] | {"low": [[1.0] for _ in d["arcs"]["low"]]}},
    "a pivot that is no place": lambda d: d | {"arcs": d["arcs"] | {"pivot": [7 for _ in d["arcs"]["pivot"]]}},
    "a number that is none": lambda d: d | {"values": {"r": [10**400, 10**400]}},
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_the_checker_says_that_a_file_is_damaged(damage):
    pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
    system = bf.System.from_equations({"x": "r + x - x^3"}, {"r": 0.0})
    data = bf.prove(system, bounds=(-1, 1), box=LINE).to_json()
    said = []
    assert not bf.check_proof(system, damage(data), said.append)
    assert len(said) == 1 and ("damaged" in said[0] or "no proof" in said[0])

"""Branch points that an invariant plane or a symmetry makes generic: proved as what they are, and nothing else is.

Truth is closed form throughout, or published (the Lorenz system's pitchfork at rho = 1, Bratu's at x = 3).
"""

import math

import exact
import hunt
import numpy as np
import pytest
from test_proofs import holds, labels, proved

import bifrncrn as bf

LINE = {"x": (-2, 2)}


def diagram_of(equations, bounds, parameters=None, start=None):
    state = {**dict.fromkeys(equations, 0.0), **(start or {})}
    system = bf.System.from_equations(equations, {"r": bounds[0], **(parameters or {})}, state)
    return bf.diagram(system, "r", bounds)


@pytest.mark.parametrize("shift", ["x", "(x - 0.3)", "(x - c)"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_normal_forms(shift, sign):
    """At r = 0 the curve x = c is crossed: transversally, or by a parabola with its vertex there."""
    for power, kind in ((2, "transcritical"), (3, "pitchfork")):
        proof = proved(f"r*{shift} + {sign}*{shift}^{power}", LINE, parameters={"c": 0.3})
        assert proof.proved and proof.branches == 2 and labels(proof) == ["BP"]
        point = proof.special_points[0]
        assert holds(point.parameters["r"], 0.0) and holds(point.state["x"], 0.0 if shift == "x" else 0.3)
        assert point.detail["kind"] == kind and point.detail["unstable"] == [0, 1]
        if kind == "pitchfork":
            assert point.detail["turns"] == ("minimum" if sign < 0 else "maximum")
        assert f"exactly one {kind} branch point" in " ".join(str(proof).split())


@pytest.mark.parametrize("box", [(0, 2), (-2, 0), (-1, 2)])
def test_a_plane_on_the_side_of_the_box(box):
    for equation, kind in (("r*x - x^2", "transcritical"), ("r*x - x^3", "pitchfork")):
        proof = proved(equation, {"x": box})
        assert proof.proved and labels(proof) == ["BP"] and proof.special_points[0].detail["kind"] == kind


def test_a_fold_close_to_a_crossing():
    """r x + e x^2 - x^3: transcritical at 0, and a fold at x = e/2, r = -e^2/4, whatever e is but zero."""
    for e in (1e-1, 1e-5, 1e-9):
        proof = proved(f"r*x + {e!r}*x^2 - x^3", LINE)
        assert proof.proved and sorted(labels(proof)) == ["BP", "LP"]
        fold = proof.special_points[labels(proof).index("LP")]
        assert holds(fold.state["x"], e / 2, 1e-12) and holds(fold.parameters["r"], -(e**2) / 4, 1e-12)
        assert {p.detail["kind"] for p in proof.special_points if p.label == "BP"} == {"transcritical"}


@pytest.mark.parametrize(
    "equation",
    [
        "r*x - x^3 + 1e-13",  # imperfect: two folds or one, too close to a pitchfork to be told as one
        "r*x - 0.3*r - x^2 + 0.6*x - 0.09",  # 0.3^2 is not 0.09 as numbers are stored: no invariant line
        "(x - r)*(x + r^2)",  # a crossing that no plane and no symmetry keeps together
        "r*x - x^4",  # the other curve is a cubic r = x^3: neither transcritical nor a pitchfork
        "r*x - x^5",  # a degenerate pitchfork
        "r^2*x - x^2",  # the eigenvalue touches zero
        "r^3*x - x^2",  # it crosses zero, degenerately
        "x*(r - x)*(r + x)",  # three curves in one point
        "x*abs(x) - r*x",  # not smooth there
        "x*log(x) - r*x",  # not defined there
    ],
)
def test_what_must_not_be_proved(equation):
    proof = proved(equation, LINE, seconds=20)
    assert not proof.proved or "BP" not in labels(proof), str(proof)
    assert proof.proved is False or equation.endswith("1e-13")


def test_two_species():
    """Competitors: the planes cross at r = 0, x alone is invaded at r = 0.3, y alone at r = 2."""
    equations = {"x": "x*(1 - x - 0.5*y)", "y": "y*(r - y - 0.3*x)"}
    proof = proved(equations, {"x": (0, 2), "y": (0, 2.5)}, (-1, 4))  # a neutral saddle at -1
    assert proof.proved and proof.branches == 4 and labels(proof) == ["BP"] * 3
    for point, r in zip(proof.special_points, (0.0, 0.3, 2.0), strict=True):
        assert holds(point.parameters["r"], r) and point.detail["kind"] == "transcritical"
    assert [point.detail["plane"] for point in proof.special_points] == ["y", "y", "x"]
    single = bf.prove(diagram_of(equations, (-0.9, 4), start={"x": 1.0}))
    assert single.proved and [point.detail["kind"] for point in single.special_points] == ["transcritical"] * 3


@pytest.mark.parametrize(
    ("equations", "box", "bounds"),
    [
        ({"x": "r*(x - 0.3) - (x - 0.3)^3"}, LINE, (-1, 1)),
        ({"x": "r*x - x^3"}, LINE, (-1, 1)),  # its middle is zero exactly
        ({"S": "0.125*(1 - S) - r*S*I", "I": "r*S*I - 0.875*I"}, {"S": (0, 1.5), "I": (0, 1)}, (0.25, 2)),
    ],
)
def test_the_checker_knows_planes(equations, box, bounds):
    """Proofs with crossings, in Arb's arithmetic; and false ones: no point, a second curve less, another model."""
    pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
    system = bf.System.from_equations(equations, {"r": bounds[0]}, dict.fromkeys(equations, 0.0))
    proof = bf.prove(system, bounds=bounds, box=box)
    data = proof.to_json()
    assert proof.proved and bf.check_proof(system, data)
    if len(equations) > 1:
        return  # it takes longer
    assert not bf.check_proof(system, data | {"special_points": []})
    assert not bf.check_proof(system, data | {"branches": 1})
    (point,) = data["special_points"]
    for wrong in ({"kind": "transcritical"}, {"unstable": [1, 0]}, {"turns": "maximum"}, {"label": "LP"}):
        assert not bf.check_proof(system, data | {"special_points": [point | wrong]})
    moved = [
        data["special_points"][0]
        | {"parameters": {"r": [v + 1e-6 for v in data["special_points"][0]["parameters"]["r"]]}}
    ]
    assert not bf.check_proof(system, data | {"special_points": moved})
    fewer = [i for i, on in enumerate(data["arcs"]["on"]) if on]  # the curves on planes alone
    assert not bf.check_proof(system, data | {"arcs": {k: [v[i] for i in fewer] for k, v in data["arcs"].items()}})
    other = {name: text.replace("r*", "(r + 1e-5)*") for name, text in equations.items()}
    assert not bf.check_proof(bf.System.from_equations(other, {"r": bounds[0]}, dict.fromkeys(equations, 0.0)), data)


def test_the_checker_believes_no_word_of_a_file():
    """A transcritical point called a pitchfork, of another plane or parameter, or with something that nobody proved."""
    pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
    system = bf.System.from_equations({"x": "r*x - x^2"}, {"r": 0.0})
    data = bf.prove(system, bounds=(-1, 1), box=LINE).to_json()
    (point,) = data["special_points"]
    assert point["kind"] == "transcritical" and bf.check_proof(system, data)
    for wrong in (
        {"kind": "pitchfork", "turns": "minimum"},
        {"kind": "pitchfork"},
        {"kind": "imperfect"},
        {"plane": "y"},
        {"parameters": {"s": point["parameters"]["r"]}},
        {"stable": True},
        {"omega": [1.0, 2.0]},
        {"proved": False},
    ):
        assert not bf.check_proof(system, data | {"special_points": [point | wrong]}), wrong
    assert not bf.check_proof(system, data | {"followed": [{"branch": 0, "proved": True}]})


def test_an_epidemic():
    """S' = m - r S I - m S, I' = r S I - (g + m) I: invasion at r = g + m; shifted by a constant, too."""
    for i, box in (("I", (0, 1)), ("(I - 3)", (2.5, 4))):
        equations = {"S": f"m - r*S*{i} - m*S", "I": f"r*S*{i} - g*{i} - m*{i}"}
        proof = proved(equations, {"S": (0, 1.5), "I": box}, (0.1, 3), {"m": 0.125, "g": 0.75})
        assert proof.proved and proof.branches == 2 and labels(proof) == ["BP"]
        point = proof.special_points[0]
        assert holds(point.parameters["r"], 0.875) and holds(point.state["S"], 1.0)
        assert point.detail["unstable"] == [0, 1]


def test_three_species():
    """A food chain without a top that survives: 8 parts, a transcritical point where the predator enters."""
    equations = {"x": "x*(1 - x - y)", "y": "y*(r*x - 0.5 - z)", "z": "z*(0.25*y - 0.5)"}
    proof = proved(equations, {"x": (0, 1.5), "y": (0, 1.5), "z": (0, 1)}, (0.1, 0.9))
    assert proof.proved
    point = next(p for p in proof.special_points if holds(p.state["x"], 1.0))
    assert holds(point.parameters["r"], 0.5) and point.detail["plane"] == "y"


def test_pitchforks_of_two_states():
    """y follows x^2: r = x^2 + a x. For a = 0 a symmetry keeps the fold on the plane, else it is at x = -a/2."""
    box = {"x": (-2, 2), "y": (-1, 5)}
    proof = proved({"x": "r*x - x*y", "y": "-y + x^2"}, box)
    assert proof.proved and labels(proof) == ["BP"] and proof.special_points[0].detail["kind"] == "pitchfork"
    proof = proved({"x": "r*x - x*y", "y": "-y + x^2 + 0.125*x"}, box)
    assert proof.proved and labels(proof) == ["LP", "BP"]
    assert holds(proof.special_points[0].state["x"], -0.0625)
    assert proof.special_points[1].detail["kind"] == "transcritical"


def test_published_pitchforks():
    lorenz = diagram_of(
        {"x": "s*(y - x)", "y": "r*x - y - x*z", "z": "x*y - b*z"}, (0.25, 2.0), {"s": 10.0, "b": 8 / 3}
    )
    bratu = diagram_of({"x": "y - 2*x + r*exp(x)", "y": "x - 2*y + r*exp(y)"}, (0.0, 1.0))
    for diagram, place, moved, turns in (
        (lorenz, 1.0, ["x", "y"], "minimum"),
        (bratu, 3 * math.exp(-3), ["x", "y"], "maximum"),
    ):
        proof = bf.prove(diagram)
        assert all(point.proved for point in proof.special_points) and labels(proof).count("BP") == 1
        # branches are not followed through the pitchfork of several states, and that is said
        assert all(item.reason.startswith("branch ") for item in proof.undecided)
        assert all(abs(item.box["r"][0] - place) < 1e-4 for item in proof.undecided)
        point = proof.special_points[labels(proof).index("BP")]
        assert point.detail["kind"] == "pitchfork" and point.detail["symmetry"] == moved
        assert holds(point.parameters["r"], place) and point.detail["turns"] == turns
        # the branches off the symmetric one lie on the side that is said
        beyond = [b.points[:, 0] for b in diagram.branches if b.id != 0]
        assert all(np.all((row - place) * (1 if turns == "minimum" else -1) > -1e-9) for row in beyond)
    # y' = ... - y: on the centre manifold x' = r x - x^3, and |(1, 0)| = 1
    proof = bf.prove(diagram_of({"x": "y", "y": "r*x - x^3 - y"}, (-1.0, 1.0)))
    point = proof.special_points[0]
    assert point.proved and point.detail["kind"] == "pitchfork" and holds(point.detail["c"], -1.0)


@pytest.mark.parametrize("seed", [1406, 6119])
def test_random_ecologies(seed):
    """Lotka-Volterra systems with known branch points: all that the diagram finds are proved, none is contradicted."""
    rng = np.random.default_rng(seed)
    polynomial, state = hunt.random_ecology(rng, int(rng.integers(1, 4)))
    system = polynomial.system(state, 1.0, True)
    diagram = bf.diagram(system, "lam", exact.SPAN)
    proof = bf.prove(diagram)
    kinds = [point.detail.get("kind") for point in proof.special_points if point.label == "BP" and point.proved]
    assert set(kinds) <= {"transcritical"} and len(kinds) == len(diagram.special("BP")), str(proof)
    assert proof.proved and all(branch.proved for branch in proof.followed)


def test_planes_of_exponentials():
    """Harvested prey (AUTO's demo pp2): f/u at u = 0 is 3 - 5 p, and 1 at (1/3, 0): p (1 - exp(-5/3)) = 2/3."""
    equations = {"u": "3*u*(1 - u) - u*v - r*(1 - exp(-5*u))", "v": "-v + 3*u*v"}
    diagram = diagram_of(equations, (0.0, 1.0))
    proof = bf.prove(diagram)
    assert proof.proved and all(branch.proved for branch in proof.followed)
    whole = proved(equations, {"u": (-0.25, 1.25), "v": (-0.25, 2)}, (0.125, 1))
    for places in (proof.special_points, whole.special_points):
        known = [point.parameters["r"] for point in places if point.label == "BP"]
        assert holds(known[0], 0.6) and holds(known[1], 2 / 3 / (1 - math.exp(-5 / 3)))
    # the root of tanh(a x) = x: a pitchfork at a = 1, c = -1/3, and x - x^3/3 has the other branches above
    proof = proved("-x + tanh((1 + r)*x)", LINE, (-0.5, 0.5))
    assert proof.proved and labels(proof) == ["BP"] and holds(proof.special_points[0].parameters["r"], 0.0)
    assert proof.special_points[0].detail["kind"] == "pitchfork"
    assert proof.special_points[0].detail["turns"] == "minimum"


def test_what_a_diagram_from_one_start_cannot_see():
    """x2 is invaded at lam = -1.604 along a branch that nothing joins to the origin's: both are found in the box."""
    a, b, c, d = 0.375, 0.0625, 0.75, 0.125
    e, f, g, h = 1.0, 0.75, 0.25, 2.0
    equations = {"x": f"x*({a} + {b}*r - {c}*x + {d}*y)", "y": f"y*({e} + {f}*r + {g}*x - {h}*y)"}
    proof = proved(equations, {"x": (0, 1.25), "y": (0, 1.25)}, (-2, 0))
    assert proof.proved and labels(proof) == ["BP", "BP"] and proof.branches == 4
    # 1 + 0.75 r + 0.25 x = 0 on x = (0.375 + 0.0625 r) / 0.75; and on x = 0
    r = -(e + g * a / c) / (f + g * b / c)
    assert holds(proof.special_points[0].parameters["r"], r) and holds(proof.special_points[1].parameters["r"], -e / f)
    seen = diagram_of(equations, (-2.0, 0.0), start={"y": 0.5}).special("BP")
    assert all(
        any(abs(s.parameters["r"] - sum(p.parameters["r"]) / 2) < 1e-9 for p in proof.special_points) for s in seen
    )


TOGGLE = {"u": "r/(1 + v^n) - u", "v": "r/(1 + u^n) - v"}


@pytest.mark.parametrize("box", [(0, 5), (-1, 4)])
def test_the_toggle_switch(box):
    """On the diagonal r = u + u^3; off it u v = 1 and u + v = r: a pitchfork at u = v = 1, r = 2."""
    proof = proved(TOGGLE, dict.fromkeys("uv", box), (0.5, 4), {"n": 2})
    assert proof.proved and proof.branches == 2 and labels(proof) == ["BP"]
    (point,) = proof.special_points
    assert holds(point.parameters["r"], 2.0) and holds(point.state["u"], 1.0) and holds(point.state["v"], 1.0)
    assert point.detail["kind"] == "pitchfork" and point.detail["turns"] == "minimum"
    assert point.detail["plane"] == "u - v" and point.detail["unstable"] == [0, 1]


@pytest.mark.parametrize("more", ["+ 1e-12*u", "- 1e-9*u^2"])
def test_a_toggle_switch_that_is_not_symmetric(more):
    """A perfect pitchfork does not outlive the slightest asymmetry: a fold, if anything, and two curves apart."""
    proof = proved(TOGGLE | {"u": TOGGLE["u"] + more}, dict.fromkeys("uv", (0, 5)), (0.5, 4), {"n": 2})
    assert "BP" not in labels(proof)
    if proof.proved:
        assert proof.branches == 2 and labels(proof) == ["LP"]


def test_a_pitchfork_on_a_diagonal_that_is_degenerate():
    """u' = r d - d^5 - s with d = u - v, s = u + v: off the diagonal r = d^4, no parabola."""
    for power in (3, 5):
        line = f"r*(u - v) - (u - v)^{power}"
        equations = {"u": f"{line} - (u + v)", "v": f"-({line}) - (u + v)"}
        proof = proved(equations, dict.fromkeys("uv", (-1, 1)), (-0.5, 0.6))
        assert proof.proved == (power == 3) and proof.branches == 2
        assert labels(proof) == (["BP"] if power == 3 else [])


def test_a_diagonal_that_is_crossed_without_symmetry():
    """On u = v, u = r; off it d = 2 r, with s = 2 r: transcritical at r = 0, as nothing turns the distance d."""
    line = "(u - v)*(2*r - (u - v))"
    equations = {"u": f"{line} + 2*r - (u + v)", "v": f"-{line} + 2*r - (u + v)"}
    proof = proved(equations, dict.fromkeys("uv", (-1, 1)), (-0.4, 0.3))
    assert proof.proved and proof.branches == 2 and labels(proof) == ["BP"]
    (point,) = proof.special_points
    assert holds(point.parameters["r"], 0.0) and point.detail["kind"] == "transcritical"


def test_a_plane_on_which_the_model_is_not_defined():
    """x log x is no number at x = 0, though its quotient by x is log x."""
    proof = proved("r*x - x*log(x)", {"x": (0, 2)})
    assert not proof.proved and proof.branches is None


def test_a_network_that_is_unchanged_when_its_species_are_swapped():
    """Its pitchfork on the diagonal stays where the engine finds it; with one weight changed a fold."""
    rng = np.random.default_rng(31)
    a, w, psi, theta = rng.normal(size=(2, 2)) * 6, rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2) * 4
    weights = {
        "alpha": np.stack([np.r_[a[0], a[1]], np.r_[a[1], a[0]]]),
        "omega": np.vstack([w, w[:, ::-1]]),
        "psi": np.r_[psi, psi][:, None],
        "theta": np.r_[theta, theta],
    }
    box = {"x1": (1, 8), "x2": (1, 8)}
    other = weights | {"theta": weights["theta"] + np.array([1e-5, 0, 0, 0])}
    for given, expected in ((weights, ["BP"]), (other, ["LP"])):
        model = bf.Network(**given, beta=1.0, gamma=1.0, state=np.full(2, 4.0), lam=[2.0]).reduced()
        proof = bf.prove(model, parameter="lam", bounds=(1, 3), box=box)
        assert proof.proved and proof.branches == 2 and labels(proof) == expected
        if expected == ["BP"]:
            (point,) = bf.diagram(model, "lam", (1, 3), all=True, box=box).special("BP")
            assert holds(proof.special_points[0].parameters["lam"], point.parameters["lam"], 1e-8)
            assert proof.special_points[0].detail["kind"] == "pitchfork"


@pytest.mark.parametrize(
    ("equations", "bounds", "branches", "points"),
    [
        ({"x": "x*(1 - x)*(r - x)"}, (-0.5, 1.5), 3, [(0.0, 0.0), (1.0, 1.0)]),
        ({"x": "r*x - r*x^2 - x^2 + x^3"}, (-0.5, 1.5), 3, [(0.0, 0.0), (1.0, 1.0)]),  # the same, multiplied out
        ({"x": "(1 - x^2)*(x - r)"}, (-1.25, 1.25), 3, [(-1.0, -1.0), (1.0, 1.0)]),
        # y (1 - y) (2 x - 1.2) beside it: x = 0 meets r = 2 y - x at y = 0, x = 1 at y = 1, and y = 1 there at x = 0.6
        (
            {"x": "x*(1 - x)*(r - 2*y + x)", "y": "y*(1 - y)*(2*x - 1.2)"},
            (-0.5, 1.75),
            7,
            [(0.0, 0.0), (1.0, 1.0), (1.4, 0.6)],
        ),
    ],
)
def test_two_planes_of_one_state(equations, bounds, branches, points):
    """Strategies of a game, alleles: none or all of a population stays so."""
    side = (-1.5, 1.5) if "(1 - x^2)*(x - r)" in equations.values() else (-0.25, 1.125)
    proof = proved(equations, dict.fromkeys(equations, side), bounds)
    assert proof.proved and proof.branches == branches and labels(proof) == ["BP"] * len(points)
    for point, (r, x) in zip(proof.special_points, points, strict=True):
        assert holds(point.parameters["r"], r) and holds(point.state["x"], x)
        assert point.detail["kind"] == "transcritical"

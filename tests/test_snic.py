"""Saddle-nodes on circles along curves of folds: against closed forms, published values and an own integration."""

import json

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import bifrncrn as bf

# Sandstede's plane (J. Dynam. Differ. Equ. 9, 1997, 269): where m and lam are zero x^2 (1 - x) = y^2 is invariant. With
# a = -1, b = 1 it leaves the origin along (1, 1), whose eigenvalue is zero, and comes back along (1, -1), whose is -2
PLANE = {
    "x": "lam - x + y + x^2 + m*x*(2 - 3*x)",
    "y": "x - y - 1.5*x^2 + 1.5*x*y - 2*m*y",
}
PENDULUM = {"th": "v", "v": "i - sin(th) - al*v"}
PREDATOR = {"u": "u*(1 - u/K)/2 - v*Z + K/100", "v": "0.6*Z*v - 0.15*v - GF*v^2/(v^2 + 0.25)"}


def backward(equations):
    """The same orbits, gone along the other way."""
    return {name: f"-({text})" for name, text in equations.items()}


def folds(equations, values, state, second, bounds, first=None, periodic=(), definitions=None, span=None):
    """The first curve of folds of a model in two parameters."""
    model = bf.System.from_equations(equations, values, state, definitions, periodic=periodic)
    first = first or next(iter(values))
    found = bf.diagram(model, first, span)
    return bf.locus(found.special("LP")[0], second, bounds)


def sections(found):
    return [branch for branch in found.branches if branch.kind == "snic"]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("rate", [0.0, 3.0, 1e10])
def test_a_noncentral_orbit_in_closed_form(turned, rate):
    equations, state = dict(PLANE), {"x": 0.0, "y": 0.0}
    if rate:  # a state that follows, in other units
        equations["w"] = f"{rate!r}*(1e4*(x^2 - y) - w)"
        state["w"] = 0.0
    equations = backward(equations) if turned else equations
    curve = folds(equations, {"lam": -0.01, "m": -0.02}, state, "m", (-0.1, 0.1), span=(-0.1, 0.1))
    found = bf.with_snic(curve)
    (point,) = found.special("NCH")
    assert point.status == "converged" and point.residual < 1e-12
    # the integrator's tolerance is 1e-11; the strong stable manifold bends off by the square of 1e-5
    assert abs(point.parameters["m"]) < 1e-9 and abs(point.parameters["lam"]) < 1e-12
    (section,) = sections(found)
    assert np.all(section.column("m") < 1e-9)  # the split is proportional to m, and so is c
    assert {end.reason for end in section.ended} == {"noncentral", "range"}
    row = 0 if section.ended[0].reason == "noncentral" else -1
    _, orbit = section.orbit(row)
    x, y = orbit[:, 0], orbit[:, 1]
    assert np.max(np.abs(x**2 * (1 - x) - y**2)) < 1e-4  # it begins 1e-3 from the saddle-node, on its tangent
    assert x.max() > 0.99  # nodes, even in the length of the orbit


def test_a_circle_all_along():
    # r = 1 is invariant and attracts, the angle turns by i - cos(angle): a SNIC at i = 1, whatever the rest is
    r2 = "(x^2 + y^2)"
    equations = {"x": f"k*x*(1 - {r2}) - y*(i - x)", "y": f"k*y*(1 - {r2}) + x*(i - x)"}
    model = bf.System.from_equations(equations, {"i": 0.5, "k": 1.0}, {"x": 0.5, "y": 0.75**0.5})
    whole = bf.with_snic(bf.locus(bf.diagram(model, "i", (0.1, 1.2)).special("LP")[0], "k", (0.5, 4.0)))
    (section,) = sections(whole)
    assert {end.reason for end in section.ended} == {"range"} and not whole.special("NCH")
    assert np.ptp(section.column("k")) == pytest.approx(3.5, abs=1e-12)
    assert np.max(np.abs(section.column("i") - 1.0)) < 1e-12
    for index in range(len(section.points)):
        states = section.orbit(index)[1]
        assert np.max(np.abs(np.hypot(*states.T) - 1.0)) < 1e-5  # it begins 1e-3 off, on the tangent


def test_a_driven_pendulum():
    # the saddle-node stays where it is, at i = 1. Levi, Hoppensteadt & Miranker (Quart. Appl. Math. 36, 1978, 167) and
    # Strogatz (Nonlinear Dynamics and Chaos, 8.5) give the damping where it ceases to lie on a circle as 1.19
    curve = folds(
        PENDULUM, {"i": 0.5, "al": 1.5}, {"th": 0.5, "v": 0.0}, "al", (0.5, 3.0), periodic=["th"], span=(0, 2)
    )
    found = bf.with_snic(curve)
    (point,) = found.special("NCH")
    (section,) = sections(found)
    assert np.min(section.column("al")) == point.parameters["al"]

    def missed(al):
        """Height over the strong stable manifold, both as graphs over the angle, half a turn on."""

        def flow(th, v):
            return (1.0 - np.sin(th)) / v - al

        near = 1e-4  # from the saddle-node: v = -al (th - end) + (th - end)^2/(2 * 2 al...) is below 1e-8 off
        out = solve_ivp(
            lambda _, u: [u[1], 1.0 - np.sin(u[0]) - al * u[1]],
            (0, 1e7),
            [np.pi / 2 + near, near**2 / (2 * al)],
            "LSODA",
            events=_at(1.5 * np.pi),
            rtol=1e-12,
            atol=1e-15,
        )
        end = 2.5 * np.pi
        back = solve_ivp(flow, (end - near, 1.5 * np.pi), [al * near], "DOP853", rtol=1e-12, atol=1e-15)
        return out.y_events[0][0][1] - back.y[0, -1]

    own = brentq(missed, 1.1, 1.3, xtol=1e-10)
    assert point.parameters["al"] == pytest.approx(own, abs=1e-7)  # the own start is a square of 1e-4 off
    assert point.parameters["al"] == pytest.approx(1.193, abs=5e-4)
    assert bf.Diagram.load(_saved(found)).special("NCH")[0].parameters == point.parameters


def test_a_driven_pendulum_with_a_state_that_follows():
    # what z does changes nothing: the other eigenvalues are -al and -100. Along the folds v and z are zero but for
    # rounding. The value is the own integration's of the test before
    equations = {**PENDULUM, "z": "-100*(z - cos(th))"}
    state = {"th": 0.5, "v": 0.0, "z": 0.5}
    curve = folds(equations, {"i": 0.5, "al": 1.5}, state, "al", (1.0, 2.0), periodic=["th"], span=(0, 1.5))
    found = bf.with_snic(curve)
    (point,) = found.special("NCH")
    assert point.parameters["al"] == pytest.approx(1.19304592, abs=1e-7)
    assert len(sections(found)) == 1 and not found.notes


TURNED = {"x": "x*(m - r2) - y*w", "y": "y*(m - r2) + x*w"}


def test_a_circle_whose_saddle_node_lies_on_an_axis():
    # r2 = m attracts, the angle turns by p - root(m)*cos(angle): a SNIC at p = root(m), where y is zero
    definitions = {"r2": "x^2 + y^2", "w": "p - x"}
    curve = folds(
        TURNED, {"p": 0.5, "m": 1.0}, {"x": 0.5, "y": 0.75**0.5}, "m", (0.25, 2.0), None, (), definitions, (0.2, 1.5)
    )
    found = bf.with_snic(curve)
    (section,) = sections(found)
    assert np.ptp(section.column("m")) == pytest.approx(1.75, abs=1e-12) and not found.notes
    assert np.max(np.abs(section.column("p") - np.sqrt(section.column("m")))) < 1e-12


@pytest.mark.parametrize("turned", [False, True])
def test_a_trajectory_that_ends_in_another_saddle_node(turned):
    # on the circle the angle turns by -2q (cos(angle) - 1/(-2q))^2 where p is at its fold: each of the mirror images is
    # where the trajectory that leaves the other ends, and nothing but rounding takes it past
    definitions = {"r2": "x^2 + y^2", "w": "p - x - q*(x^2 - y^2)"}
    equations = {name: text.replace("m", "1") for name, text in TURNED.items()}
    equations = backward(equations) if turned else equations
    model = bf.System.from_equations(equations, {"p": 0.9, "q": -1.0}, {"x": 0.25, "y": 0.968}, definitions)
    fold = next(at for at in bf.diagram(model, "p", (0.0, 1.2)).special("LP") if abs(at.state["y"]) > 0.1)
    curve = bf.locus(fold, "q", (-2.0, -0.3))
    found = bf.with_snic(curve)
    assert not sections(found) and not found.special("NCH")
    assert found.notes


def _at(angle):
    def reached(_, u):
        return u[0] - angle

    reached.terminal = True
    return reached


def _saved(found):
    import tempfile
    from pathlib import Path

    path = Path(tempfile.mkdtemp()) / "found.json"
    found.save(path)
    return path


def test_auto_07ps_demonstration_mtn():
    # its manual prints the non-central orbit at K = 6.61046, GF = 0.0693248, and starts from a central one at K = 6
    model = bf.System.from_equations(PREDATOR, {"GF": 0.07, "K": 6.0}, {"u": 5.7, "v": 0.5}, {"Z": "0.4*u/(0.6 + u)"})
    found = bf.diagram(model, "GF", (0.05, 0.09), start={"u": 5.738, "v": 0.511, "GF": 0.0674})
    (fold,) = found.special("LP")
    assert fold.parameters["GF"] == pytest.approx(0.06729762, abs=1e-8)
    whole = bf.with_snic(bf.locus(fold, "K", (5.5, 9.0)))
    (point,) = whole.special("NCH")
    assert point.parameters["K"] == pytest.approx(6.61046, abs=5e-6)
    assert point.parameters["GF"] == pytest.approx(0.0693248, abs=5e-8)
    (section,) = sections(whole)
    assert section.column("K").min() == pytest.approx(5.5, abs=1e-12)
    # beside the part on circles there are cycles beyond the fold, and beside the rest the fold ends in none
    values = {"K": 6.0, "GF": fold.parameters["GF"] - 1e-5}
    assert bf.find_cycle(model, values=values).period > 500.0


def test_a_state_that_is_small_on_the_folds_and_large_on_the_loops():
    # the plane again, its second state in a unit of its own: near zero along the folds, 1e6 on the loops
    equations = {"x": PLANE["x"].replace("y", "(1e-6*y)"), "y": "1e6*(" + PLANE["y"].replace("y", "(1e-6*y)") + ")"}
    curve = folds(
        equations, {"lam": -1e-4, "m": -2e-3}, {"x": -0.01, "y": -1e4}, "m", (-0.01, 0.01), span=(-1e-3, 1e-3)
    )
    found = bf.with_snic(curve)
    (point,) = found.special("NCH")
    assert abs(point.parameters["m"]) < 1e-9
    (section,) = sections(found)
    assert np.all(section.column("m") < 1e-9)


def test_folds_without_circles_are_said_to_have_none():
    model = bf.System.from_equations({"x": "p - x^2 - q*x^3", "y": "x - y"}, {"p": 1.0, "q": 0.1}, {"x": 1.0, "y": 1.0})
    found = bf.with_snic(bf.locus(bf.diagram(model, "p", (-1, 2)).special("LP")[0], "q", (0.05, 0.2)))
    assert not sections(found) and any("no saddle-node was seen" in note for note in found.notes)


def test_the_neuron_of_morris_and_lecar():
    # Rinzel & Ermentrout (Koch & Segev, Methods in Neuronal Modeling, 1998): with V3 = 12 and V4 = 17.4 firing begins
    # at a saddle-node on a circle for phi = 1/15, and at a homoclinic orbit of a saddle for phi = 0.23
    model = bf.System.from_equations(
        {
            "V": "(I - 2*(V + 60) - 4*m*(V - 120) - 8*w*(V + 84))/20",
            "w": "phi*(winf - w)*cosh((V - 12)/34.8)",
        },
        {"I": 30.0, "phi": 1 / 15},
        {"V": -35.0, "w": 0.005},
        {"m": "(1 + tanh((V + 1.2)/18))/2", "winf": "(1 + tanh((V - 12)/17.4))/2"},
    )
    curve = bf.locus(bf.diagram(model, "I", (20, 60)).special("LP")[0], "phi", (0.02, 0.4))
    found = bf.with_snic(curve)
    (section,), (point,) = sections(found), found.special("NCH")
    assert section.column("phi").min() == pytest.approx(0.02, abs=1e-12)
    assert 1 / 15 < point.parameters["phi"] < 0.23

    def settles(phi):
        """Whether the trajectory that leaves the saddle-node comes back to it from below, as scipy sees it."""
        here = model.with_(values={"I": point.parameters["I"], "phi": phi})
        x = np.array([point.state["V"], point.state["w"]])
        left, vectors = np.linalg.eig(here.jacobian(x))
        q = vectors[:, np.argmin(np.abs(left))].real
        q = q * np.sign(q[0])  # V rises

        def spike(_, u):
            return u[0] - 0.0

        spike.terminal, spike.direction = True, -1
        up = solve_ivp(lambda _, u: here.rhs(u), (0, 1e6), x + 1e-2 * q, "LSODA", events=spike, rtol=1e-10, atol=1e-12)
        down = solve_ivp(lambda _, u: here.rhs(u), (0, 300), up.y[:, -1], "LSODA", rtol=1e-10, atol=1e-12)
        return down.y[0, -1] < x[0]

    assert settles(point.parameters["phi"] - 2e-3) and not settles(point.parameters["phi"] + 2e-3)


def test_what_is_not_decided_and_what_is_refused():
    # one eigenvalue on either side of zero
    model = bf.System.from_equations(
        {"x": "p + q*0 - x^2", "y": "y + q*x", "z": "-z"}, {"p": 1.0, "q": 1.0}, {"x": 1.0, "y": -1.0, "z": 0.0}
    )
    found = bf.diagram(model, "p", (-1, 2))
    whole = bf.with_snic(bf.locus(found.special("LP")[0], "q", (0.5, 2.0)))
    assert not sections(whole)
    assert any("both sides" in note for note in whole.notes)
    with pytest.raises(bf.InputError, match="no curve of folds"):
        bf.with_snic(found)
    with pytest.raises(bf.InputError, match="diagram"):
        bf.with_snic(3)


def test_on_the_command_line(tmp_path):
    # the cycles of the circle end in a SNIC: in two parameters that is followed
    r2 = "(x^2 + y^2)"
    model = tmp_path / "circle.toml"
    model.write_text(
        "[variables]\nx = 0.5\ny = 0.866\n[parameters]\ni = 1.5\nk = 1.0\n[equations]\n"
        f'x = "k*x*(1 - {r2}) - y*(i - x)"\ny = "k*y*(1 - {r2}) + x*(i - x)"\n'
    )
    out, picture = tmp_path / "out.json", tmp_path / "out.png"
    words = ["--parameter", "i", "--range", "0.5", "2", "--cycle", "--all", "--box", "x=-2:2,y=-2:2"]
    words += ["--second", "k", "--second-range", "0.8", "1.2", "--json", str(out), "--plot", str(picture)]
    assert bf.main(["diagram", str(model), *words]) == 0
    data = json.loads(out.read_text())
    (section,) = [branch for branch in data["branches"] if branch["kind"] == "snic"]
    assert section["columns"] == ["i", "k", "x", "y"]
    assert all(row[0] == pytest.approx(1.0, abs=1e-12) for row in section["points"])
    assert picture.stat().st_size > 0

"""Branches of diagrams, proved from end to end; and diagrams that are not true, which must not be."""

import math
from dataclasses import replace

import numpy as np
import pytest

import bifrncrn as bf

TANK = {"u1": "-u1 + D*(1-u1)*exp(u2)", "u2": "-u2 + D*B*(1-u1)*exp(u2) - beta*u2"}


def tank(beta=2.0):
    return bf.System.from_equations(TANK, {"D": 0, "B": 14, "beta": beta}, {"u1": 0, "u2": 0})


@pytest.fixture(scope="module")
def diagram():
    return bf.diagram(tank(), "D", (0, 0.16))


def changed(diagram, **branch):
    return replace(diagram, branches=(replace(diagram.branches[0], **branch),))


def test_a_whole_branch(diagram):
    proof = bf.prove(diagram)
    assert proof.proved and [point.label for point in proof.special_points] == ["LP", "LP", "HB"]
    (branch,) = proof.followed
    assert branch.proved and branch.points == len(diagram.branches[0].points) and branch.error < 1e-13
    assert proof.branches is None and "no statement of completeness" in " ".join(str(proof).split())
    assert proof.to_json()["followed"][0]["branch"] == 0


def test_a_special_point_that_is_left_out(diagram):
    for left_out in range(3):
        points = tuple(point for i, point in enumerate(diagram.special_points) if i != left_out)
        proof = bf.prove(replace(diagram, special_points=points))
        assert not proof.proved and not proof.followed[0].proved
        place = diagram.special_points[left_out].parameters["D"]
        there = [item for item in proof.undecided if abs(item.box["D"][0] - place) < 1e-6]
        assert there == list(proof.undecided) and any("imaginary axis" in item.reason for item in there)


def test_a_wrong_stability(diagram):
    unstable = diagram.branches[0].unstable.copy()
    unstable[20:22] = 1
    proof = bf.prove(changed(diagram, unstable=unstable))
    assert not proof.proved and "the diagram has 1 unstable" in proof.undecided[0].reason


def test_points_that_are_not_on_the_curve(diagram):
    points = diagram.branches[0].points.copy()
    points[30, 1] += 1e-4
    assert any("off the curve" in item.reason for item in bf.prove(changed(diagram, points=points)).undecided)
    proof = bf.prove(replace(diagram, system=tank(2.001)))  # another model
    assert not proof.proved and not proof.followed[0].proved


def test_a_leap_to_another_branch():
    """x = -1 and x = 1 for all r, computed as if a step had leapt from one to the other."""
    diagram = bf.diagram(bf.System.from_equations({"x": "x^2 - 1 + 0*r"}, {"r": -1.0}, {"x": 1.0}), "r", (-1, 1))
    points = diagram.branches[0].points.copy()
    assert bf.prove(diagram).proved
    points[len(points) // 2 :, 1] *= -1.0
    unstable = np.where(points[:, 1] > 0.0, 1, 0)
    proof = bf.prove(changed(diagram, points=points, unstable=unstable))
    assert not proof.proved and proof.followed[0].proved is False


def test_command(tmp_path, capsys):
    model = tmp_path / "tank.toml"
    model.write_text(
        "[variables]\nu1 = 0\nu2 = 0\n[parameters]\nD = 0\nB = 14\nbeta = 2\n[equations]\n"
        + "".join(f'{name} = "{text}"\n' for name, text in TANK.items())
    )
    command = ["prove", str(model), "--parameter", "D", "--diagram"]
    assert bf.main([*command, "--range", "0", "0.12", "--plot", str(tmp_path / "tank.png")]) == 0
    assert "passes its" in " ".join(capsys.readouterr().out.split()) and (tmp_path / "tank.png").exists()
    assert bf.main([*command, "--range", "0", "0.12", "--box", "u1=0:1,u2=0:8"]) == 2
    assert bf.main(command) == 2


def test_branches_that_cross():
    equations = {"x": "x*(1 - x - 0.5*y)", "y": "y*(r - y - 0.3*x)"}
    system = bf.System.from_equations(equations, {"r": -1.0}, {"x": 1.0, "y": 0.0})
    proof = bf.prove(bf.diagram(system, "r", (-1, 5)))
    assert proof.proved and len(proof.followed) == 4 and all(branch.proved for branch in proof.followed)
    pitchfork = bf.prove(
        bf.diagram(bf.System.from_equations({"x": "r*x - x^3"}, {"r": -1.0}, {"x": 0.0}), "r", (-1, 1))
    )
    assert pitchfork.proved and len(pitchfork.followed) == 2


@pytest.mark.parametrize(
    ("equations", "bounds", "places"),
    [
        ({"u": "r/(1 + v^2) - u", "v": "r/(1 + u^2) - v"}, (0.5, 4), {"BP": 2.0}),
        ({"u": "r/(1 + v^2) - u", "v": "r/(1 + u^2) - v", "w": "u + v - w"}, (0.5, 4), {"BP": 2.0}),
        (
            {"u": "v - 2*u + r*exp(u)", "v": "u - 2*v + r*exp(v)"},
            (0, 0.5),
            {"LP": math.exp(-1), "BP": 3 * math.exp(-3)},
        ),
    ],
)
def test_branches_that_cross_on_a_diagonal(equations, bounds, places):
    """Toggle switches, and Bratu's two cells: on the diagonal r = u exp(-u), with a fold at 1 and a pitchfork at 3."""
    system = bf.System.from_equations(equations, {"r": bounds[0]}, dict.fromkeys(equations, 0.3))
    proof = bf.prove(bf.diagram(system, "r", bounds))
    assert proof.proved and len(proof.followed) == 2 and all(item.proved for item in proof.followed)
    assert {p.label: (p.parameters["r"][0] + p.parameters["r"][1]) / 2 for p in proof.special_points} == pytest.approx(
        places, abs=1e-9
    )


def test_a_branch_that_crosses_two_planes_of_one_state():
    system = bf.System.from_equations({"x": "x*(1 - x)*(r - x)"}, {"r": -0.5}, {"x": 0.0})
    proof = bf.prove(bf.diagram(system, "r", (-0.5, 1.5)))
    assert proof.proved and len(proof.followed) == 3 and [p.label for p in proof.special_points] == ["BP", "BP"]


def test_four_states():
    """Two coupled Brusselators: the first Hopf point of the synchronous state is that of one, b = 1 + a^2."""
    equations = {}
    for i, k in ((1, 2), (2, 1)):
        equations[f"x{i}"] = f"a - (b+1)*x{i} + x{i}^2*y{i} + 0.1*(x{k} - x{i})"
        equations[f"y{i}"] = f"b*x{i} - x{i}^2*y{i} + 0.2*(y{k} - y{i})"
    system = bf.System.from_equations(equations, {"a": 1.0, "b": 1.5}, {"x1": 1.0, "y1": 1.5, "x2": 1.0, "y2": 1.5})
    diagram = bf.diagram(system, "b", (1.5, 2.25))
    proof = bf.prove(diagram)
    assert proof.proved and [point.label for point in proof.special_points] == ["HB"] and proof.followed[0].proved
    low, high = proof.special_points[0].parameters["b"]
    assert low <= 2.0 <= high and high - low < 1e-12


@pytest.mark.parametrize("cells", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_many_states(cells):
    """The Brusselator by lines: Hopf points of its uniform state in closed form, each with l1 < 0.

    With k_j = 4 sin^2(j pi / (2 (cells + 1))) mode j has the trace b - 1 - a^2 - (dx + dy) k_j (cells+1)^2 / r^2.
    """
    a, b, dx, dy = 2.0, 5.45, 0.008, 0.004
    equations, state = {}, {}
    for i in range(cells):
        x, y = (
            [f"{v}{k}" if 0 <= k < cells else rest for k in (i - 1, i + 1)] for v, rest in (("x", "a"), ("y", "b/a"))
        )
        equations[f"x{i}"] = f"a + x{i}^2*y{i} - (b+1)*x{i} + dx*(m/r)^2*({x[0]} - 2*x{i} + {x[1]})"
        equations[f"y{i}"] = f"b*x{i} - x{i}^2*y{i} + dy*(m/r)^2*({y[0]} - 2*y{i} + {y[1]})"
        state |= {f"x{i}": a, f"y{i}": b / a}
    system = bf.System.from_equations(
        equations, {"r": 0.2, "a": a, "b": b, "dx": dx, "dy": dy, "m": cells + 1.0}, state
    )
    proof = bf.prove(bf.diagram(system, "r", (0.2, 1.1)))
    assert proof.proved and proof.followed[0].proved and len(proof.special_points) == 2
    for j, point in enumerate(proof.special_points, 1):
        k = 4.0 * np.sin(j * np.pi / (2 * (cells + 1))) ** 2
        r = (cells + 1) * np.sqrt((dx + dy) * k / (b - 1 - a**2))
        low, high = point.parameters["r"]
        assert point.label == "HB" and low - 1e-12 <= r <= high + 1e-12 and high - low < 1e-10
        assert point.detail["l1"][1] < 0.0 and point.detail["unstable"] == [2 * j - 2, 2 * j]


def test_nothing_is_called_proved_that_was_not_looked_at():
    """Curves in two parameters, cycles alone, and a coefficient whose sign is another one."""
    fold = bf.System.from_equations({"x": "r + s*x - x^3"}, {"r": -1.0, "s": 1.0})
    diagram = bf.diagram(fold, parameter="r", bounds=(-1, 1))
    with pytest.raises(bf.InputError, match="nothing of it can be proved"):
        bf.prove(bf.locus(diagram.special("LP")[0], "s", (-1, 2)))
    assert any("curves in two parameters" in note for note in bf.prove(bf.with_loci(diagram, "s", (-1, 2))).notes)
    hopf = bf.System.from_equations({"x": "r*x - y - x*(x^2 + y^2)", "y": "x + r*y - y*(x^2 + y^2)"}, {"r": -1})
    diagram = bf.diagram(hopf, parameter="r", bounds=(-1, 1))
    (point,) = diagram.special("HB")
    with pytest.raises(bf.InputError, match="nothing of it can be proved"):
        bf.prove(bf.orbits(point))
    assert bf.prove(diagram).proved
    turned = replace(diagram, special_points=(replace(point, l1=-point.l1),))
    proof = bf.prove(turned)
    assert not proof.proved and any("l1" in item.reason for item in proof.undecided)

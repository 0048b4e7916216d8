"""Piecewise smooth models: borders are found and passed, and nothing is found that is not there."""

import math

import numpy as np
import pytest
from piecewise_curved import complaints as curve_complaints
from piecewise_curved import random_curve
from piecewise_linear import complaints, random_case

import bifrncrn as bf


def run(equations: dict, parameters: dict, bounds: tuple, start: dict | None = None, **options) -> bf.Diagram:
    name = next(iter(parameters))
    return bf.diagram(bf.System.from_equations(equations, parameters, start), name, bounds, **options)


def labels(diagram: bf.Diagram) -> list[tuple]:
    return sorted(
        (p.label, *(round(v, 8) + 0.0 for v in (*p.parameters.values(), *p.state.values())))
        for p in diagram.special_points
    )


@pytest.mark.parametrize("text", ["abs(x)", "max(x, -x)", "-min(x, -x)", "piecewise(x, x > 0, -x)", "x*sign(x)"])
def test_a_corner_turn_is_a_border_collision(text):
    """lam = |x|: equilibria x = lam (stable) and -lam (unstable) meet at the corner."""
    diagram = run({"x": f"lam - {text}"}, {"lam": 1}, (-1, 1), {"x": 1})
    assert labels(diagram) == [("BC", 0.0, 0.0)]
    (branch,) = diagram.branches
    for row, unstable in zip(branch.points, branch.unstable, strict=True):
        assert abs(abs(row[1]) - row[0]) < 1e-12
        assert abs(row[1]) < 1e-7 or unstable == (row[1] < 0)


def test_the_two_sides_of_a_rectifier():
    """x = 0 for b < 0, and x = -b, unstable, which is there for b < 0 only as well (slope 2 on)."""
    diagram = run({"x": "-x + max(0, w*x + b)"}, {"b": -1, "w": 2}, (-1, 1))
    assert labels(diagram) == [("BC", 0.0, 0.0)]
    assert sorted(end.message for end in diagram.branches[0].ended) == ["b reached -1", "b reached -1"]


def test_a_border_that_is_merely_passed_is_no_special_point():
    diagram = run({"x": "a - x - max(0, x - 1)"}, {"a": 0}, (-3, 3), events=["x = 0.5", "abs(x) = 1.2"])
    assert labels(diagram) == [("UZ", -1.2, -1.2), ("UZ", 0.5, 0.5), ("UZ", 1.4, 1.2)]


def test_a_vertical_branch_between_two_borders():
    diagram = run({"x": "-k*x + a*0.5*(abs(x + 1) - abs(x - 1))"}, {"a": 0.5, "k": 1}, (0.5, 1.5))
    assert [p for p in labels(diagram) if p[0] != "BC"] == [("BP", 1.0, 0.0)]
    ends = {round(float(b.points[k, 1]), 9) for b in diagram.branches for k in (0, -1)}
    assert {1.5, -1.5} <= ends


def test_four_half_branches_meet_on_two_borders():
    """|x| = |lam|: a cross, of which every arm is there once."""
    diagram = run({"x": "abs(x) - abs(lam)"}, {"lam": 1}, (-1, 1), {"x": 1})
    assert labels(diagram) == [("BC", 0.0, 0.0)]
    arms = sorted(tuple(np.round(b.points[k]).tolist()) for b in diagram.branches for k in (0, -1))
    assert arms == [(-1, -1), (-1, 1), (1, -1), (1, 1)]


def test_a_branch_that_lies_on_a_border():
    """x' = lam x - x |x|: x = 0 lies on the border; +-lam leave it at lam = 0, a branch point."""
    diagram = run({"x": "lam*x - x*abs(x)"}, {"lam": -1}, (-1, 1))
    assert labels(diagram) == [("BP", 0.0, 0.0)]
    ends = sorted(tuple(np.round(b.points[k], 9).tolist()) for b in diagram.branches for k in (0, -1))
    assert ends == [(-1, 0), (1, -1), (1, 0), (1, 1)]


def test_a_closed_branch_across_borders():
    diagram = run({"x": "abs(x) + abs(lam) - 1"}, {"lam": 0.3}, (-2, 2), {"x": 0.7})
    assert labels(diagram) == [("BC", -1.0, 0.0), ("BC", 1.0, 0.0)]
    (branch,) = diagram.branches
    assert [end.reason for end in branch.ended] == ["closed", "closed"]


@pytest.mark.parametrize(
    ("text", "start", "last"),
    [
        ("a - if(x > 1, x, 2*x)", 0.5, 2.0),  # 2 x = a up to x = 1
        ("a - x - heaviside(x - 1)", 0.5, 1.0),  # x = a up to 1
        ("a - x - 0.1*floor(x)", 0.5, 1.0),
    ],
)
def test_a_jump_ends_a_branch(text, start, last):
    diagram = run({"x": text}, {"a": 0.7}, (0.5, 3), {"x": start})
    assert labels(diagram) == []
    (branch,) = diagram.branches
    end = branch.ended[1]
    assert end.reason == "border"
    assert "jumps where" in end.message
    assert branch.points[-1, 0] == pytest.approx(last, abs=1e-9)


def test_a_guard_against_division_by_zero_is_passed():
    """x/(1 - exp(-x)) is smooth at 0; the condition that guards it is no special point and no end."""
    text = "a - if(abs(v) < 1e-6, 1, v/(1 - exp(-v))) - v"
    diagram = run({"v": text}, {"a": -3}, (-6, 6), {"v": -4})
    assert labels(diagram) == []
    assert [end.reason for end in diagram.branches[0].ended] == ["range", "range"]


def test_no_equilibrium_where_the_field_jumps():
    """At a = 1 the field of a - x - sign(x - 1) points to x = 1 from both sides and is nowhere zero."""
    diagram = run({"x": "a - x - sign(x - 1)"}, {"a": 1}, (-3, 3), {"x": 2})
    assert diagram.branches == ()
    assert any("jumps" in note for note in diagram.notes)


def test_hopf_points_between_borders():
    """A threshold-linear pair: in the region of both active, trace 0.5 - 2/tau, zero at tau = 4."""
    equations = {"x1": "-x1 + max(0, 1.5*x1 - 1.5*x2 + 1)", "x2": "(-x2 + max(0, 2*x1 - x2))/tau"}
    diagram = run(equations, {"tau": 1}, (0.5, 8), {"x1": 1, "x2": 1})
    assert labels(diagram) == [("HB", 4.0, 1.0, 1.0)]
    assert diagram.special_points[0].omega == pytest.approx(math.sqrt((0.5 * -2 + 3) / 4), abs=1e-9)


def test_unconnected_pieces_are_searched_on_all_sides():
    """x = lam |x| ... : |x| - 1 - lam has the two branches x = +-(1 + lam) for lam > -1."""
    diagram = run({"x": "1 + lam - abs(x)"}, {"lam": 0}, (-0.5, 1), {"x": 1}, all=True, box={"x": (-3, 3)})
    assert len(diagram.branches) == 2


@pytest.mark.parametrize("block", range(4))
def test_piecewise_linear_systems(block):
    """Everything a diagram says of random piecewise linear systems is what an enumeration of regions finds."""
    judged = 0
    for seed in range(10 * block, 10 * block + 10):
        rng = np.random.default_rng([8, seed])
        wrong = complaints(random_case(rng), rng)
        assert not wrong, (seed, wrong)
        judged += wrong is not None
    assert judged >= 5


@pytest.mark.parametrize("block", range(2))
def test_piecewise_cubic_curves(block):
    """Folds inside pieces, corners, jumps: what is found is what the curve has, no more and no less."""
    for seed in range(8 * block, 8 * block + 8):
        rng = np.random.default_rng([9, seed])
        assert not (wrong := curve_complaints(random_curve(rng), rng)), (seed, wrong)


def test_a_fold_between_rows_that_are_close():
    """The march had put rows at its fold, between which the parameter did not move: the fold was dropped."""
    rng = np.random.default_rng(7486)
    assert not curve_complaints(random_curve(rng), rng)


def test_extending_keeps_border_collisions():
    diagram = run({"x": "lam - abs(x)"}, {"lam": 0.5}, (-0.5, 0.6), {"x": 0.5})
    wider = bf.extend(diagram, bounds=(-1, 2))
    assert labels(wider) == [("BC", 0.0, 0.0)]
    assert wider.branches[0].points[:, 0].max() == 2.0


def test_coefficients_are_not_claimed_where_there_are_no_second_derivatives():
    """v |v| is differentiable once at v = 0, where the Hopf point lies."""
    diagram = run({"x": "v", "v": "-x + mu*v - v*abs(v)"}, {"mu": -0.5}, (-1, 1))
    (point,) = diagram.special("HB")
    assert point.parameters["mu"] == pytest.approx(0.0, abs=1e-10)
    assert point.omega == pytest.approx(1.0, abs=1e-10)
    assert point.l1 is None


def test_a_corner_where_thirty_borders_meet():
    """A ring of threshold units: x = 0 for lam < 0, x = lam/0.3 beyond, where all are active; stable on both sides."""
    n = 30
    units = {f"x{i}": f"-x{i} + max(0, 1.2*x{(i + 1) % n} - 0.5*x{(i + 2) % n} + lam)" for i in range(n)}
    diagram = run(units, {"lam": -1}, (-1, 1))
    (branch,) = diagram.branches
    np.testing.assert_allclose(branch.points[-1, 1:], 1 / 0.3, rtol=1e-9)
    assert set(branch.unstable.tolist()) == {0}
    assert any("30 borders meet" in note for note in diagram.notes)


def test_a_branch_turns_at_a_border_with_an_infinite_derivative():
    """The derivative of sqrt(|x|) has no bound at x = 0, where a = 0: both halves x = a^2 and x = -a^2 meet there."""
    diagram = run({"x": "a - sqrt(abs(x))"}, {"a": 1}, (-1, 2), {"x": 1})
    (branch,) = diagram.branches
    assert [end.reason for end in branch.ended] == ["range", "range"]
    a, x = branch.points.T
    np.testing.assert_allclose(np.abs(x), a**2, atol=1e-9)  # points are known to 1e-11 of their units
    assert sorted([x[0], x[-1]]) == pytest.approx([-4.0, 4.0], abs=1e-9)  # as above
    (point,) = diagram.special_points
    assert point.label == "BC" and abs(point.parameters["a"]) < 1e-9


@pytest.mark.parametrize("at", [0.3, 1e-4])
@pytest.mark.parametrize("form", ["a - x - sqrt(max(x - {}, 0))", "a - x - sqrt(abs(x - {}))", "a - sqrt(abs(x - {}))"])
def test_steep_borders_are_passed_wherever_they_are(form, at):
    """On either side of x = c, a is a closed form of x; the border is passed at what it is there, to rounding."""
    slope = 1.0 if "- x -" in form else 0.0
    beyond = 0.0 if "max" in form else 1.0

    def closed(x):
        return slope * x + np.where(x > at, 1.0, beyond) * np.sqrt(np.abs(x - at))

    start = at + 1.0
    diagram = run({"x": form.format(at)}, {"a": float(closed(start))}, (-1, 3), {"x": start})
    (branch,) = diagram.branches
    assert [end.reason for end in branch.ended] == ["range", "range"]
    a, x = branch.points.T
    assert x.min() < at - 0.5 and x.max() > at + 0.5
    np.testing.assert_allclose(closed(x), a, atol=1e-7)  # x is known to 1e-16, and the root of that to 1e-8
    collisions = diagram.special("BC")
    assert len(collisions) == (0 if "max" in form else 1)  # with max(...) nothing turns nor changes its stability
    for point in collisions:
        assert point.state["x"] == pytest.approx(at, abs=1e-15)  # it is put on the border itself, but for rounding
        assert point.parameters["a"] == pytest.approx(slope * at, abs=1e-12)  # Newton's method along the border


def test_a_jump_beside_an_infinite_slope_is_one_and_a_slope_is_none():
    """At x = 0 the first jumps from 0 to -1; the second is continuous, and steeper than any power."""
    jump = run({"x": "if(x > 0, a - 1 - sqrt(abs(x)), a - x)"}, {"a": -1}, (-2, 3), {"x": -1})
    assert any("the model jumps where x changes sign, at a=0" in end.message for end in jump.branches[0].ended)
    for x in (-1.0, 1.0):
        a = x if x < 0 else -1.0 / np.log(x / 10)
        steep = run({"x": "if(x > 0, -1/log(x/10), x) - a"}, {"a": float(a)}, (-1, 0.5), {"x": x})
        assert not any("jumps" in end.message for branch in steep.branches for end in branch.ended)


def test_special_points_close_behind_a_border_are_seen():
    """Lorenz' model in two identical forms on both sides of rho = 0.9995, whose pitchfork at 1 and Hopf points stay."""
    smooth = bf.load_model("lorenz")
    equations = dict(smooth.equations)
    name = next(iter(equations))
    equations[name] = f"piecewise({equations[name]}, rho > 0.9995, 2*({equations[name]})/2)"
    values = dict(zip(smooth.parameters, smooth.values.tolist(), strict=True)) | {"rho": 0.5}
    both = bf.System.from_equations(equations, values, dict.fromkeys(smooth.variables, 0.0))
    assert labels(bf.diagram(both, "rho", (0, 30))) == labels(
        bf.diagram(smooth.with_(state=[0.0] * 3, values={"rho": 0.5}), "rho", (0, 30))
    )


@pytest.mark.parametrize("reach", [2.0, 200.0, 2e4])
def test_lines_that_cross_on_two_borders_in_a_wide_range(reach):
    """|x| = |p - 1|: two lines, whose angle is small in units of length where the range is wide."""
    model = bf.System.from_equations({"x": "abs(x) - abs(p - 1)"}, {"p": 0.5}, {"x": 0.5})
    found = bf.diagram(model, "p", (-reach, reach))
    assert [(point.label, round(point.parameters["p"], 9)) for point in found.special_points] == [("BC", 1.0)]
    covered = [(b.column("p").min(), b.column("p").max()) for b in found.branches]
    assert len(covered) == 2 and all(ends == (-reach, reach) for ends in covered)
    for branch in found.branches:  # the corrector's tolerance, in units of the range; 3e-14 was seen
        np.testing.assert_allclose(np.abs(branch.column("x")), np.abs(branch.column("p") - 1), rtol=1e-9, atol=1e-9)

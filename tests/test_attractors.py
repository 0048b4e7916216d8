"""`bf.attractors`: what trajectories from a box settle to, against basins and sets known in closed form."""

import json

import numpy as np
import pytest

import bifrncrn as bf


def inside(share, attractor):
    """Say whether a basin's true share lies in the interval that was counted for it."""
    low, high = attractor.interval
    return low <= share <= high


def lorenz(r):
    return bf.System.from_equations(
        {"x": "s*(y - x)", "y": "r*x - y - x*z", "z": "x*y - b*z"},
        {"s": 10, "r": r, "b": "8/3"},
        {"x": 1, "y": 1, "z": 1},
    )


LORENZ_BOX = {"x": (-20, 20), "y": (-20, 20), "z": (0, 40)}


def test_bistable_cubic():
    model = bf.System.from_equations({"x": "x - x^3"}, state={"x": 0.0})
    found = bf.attractors(model, {"x": (-1.0, 3.0)}, samples=60)
    assert [each.kind for each in found] == ["equilibrium", "equilibrium"]
    upper, lower = found
    assert (float(upper.state[0]), float(lower.state[0])) == pytest.approx((1.0, -1.0), abs=1e-9)
    assert inside(0.75, upper) and inside(0.25, lower)
    assert upper.count + lower.count == found.samples
    assert upper.eigenvalues == pytest.approx([-2.0])
    assert found.overlooked == pytest.approx(1 - 0.05 ** (1 / 60))


def test_rest_beside_fast_variables_is_not_called_an_escape():
    """FitzHugh and Nagumo's equations below their Hopf point, whose one equilibrium attracts, and two that follow."""
    equations = {"x": "3*((x-2) - (x-2)^3/3 - (y-2) + 0.216)", "y": "(x-2) + 0.7 - 0.8*(y-2)"}
    equations |= {f"w{k}": f"3e4*(1 + {k}*x - w{k}*(1+y))" for k in (1, 2)}
    model = bf.System.from_equations(equations, state={"x": 1.0, "y": 1.5, "w1": 1.0, "w2": 1.0})
    found = bf.attractors(model, {"x": (0, 4), "y": (1, 4)}, samples=60)
    assert [(each.kind, each.count) for each in found] == [("equilibrium", 60)]


def test_the_seed_decides_and_escapes_are_counted():
    model = bf.System.from_equations({"x": "x^2 - a"}, {"a": 1.0}, {"x": 0.0})
    found = bf.attractors(model, {"x": (-2.0, 2.0)}, samples=40, seed=3)
    again = bf.attractors(model, {"x": (-2.0, 2.0)}, samples=40, seed=3)
    assert found.to_json() == again.to_json()
    (only,) = found
    assert float(only.state[0]) == pytest.approx(-1.0) and inside(0.75, only)
    assert only.count + found.escaped == 40 and found.escaped > 0
    assert "grew without bound" in str(found)
    nothing = bf.attractors(model, {"x": (-2.0, 2.0)}, values={"a": -1.0}, samples=5)
    assert len(nothing) == 0 and nothing.escaped == 5


def test_van_der_pol():
    model = bf.System.from_equations({"x": "y", "y": "(1 - x^2)*y - x"}, state={"x": 0.0, "y": 0.0})
    found = bf.attractors(model, {"x": (-3, 3), "y": (-3, 3)}, samples=12)
    (cycle,) = found
    assert cycle.kind == "cycle" and cycle.count == 12
    assert cycle.period == pytest.approx(6.663286859323130, rel=1e-9)
    # by Liouville the other multiplier is the exponential of the divergence integrated over a period
    x = cycle.points[:, 0]
    assert cycle.eigenvalues[1].real == pytest.approx(np.exp(cycle.period * np.mean(1 - x**2)), rel=1e-6)


def test_cycles_of_one_period_are_told_apart():
    model = bf.System.from_equations(
        {"x": "x*(1 - x^2 - y^2) - y", "y": "y*(1 - x^2 - y^2) + x", "z": "z - z^3"}, state={"x": 1, "y": 0, "z": 0}
    )
    found = bf.attractors(model, {"x": (-2, 2), "y": (-2, 2), "z": (-1, 1)}, samples=16)
    assert [each.kind for each in found] == ["cycle", "cycle"]
    assert sorted(round(float(each.state[2]), 6) for each in found) == [-1.0, 1.0]
    assert all(inside(0.5, each) and each.period == pytest.approx(2 * np.pi) for each in found)


def test_angles_are_taken_modulo_a_turn():
    toml = """
    [variables]
    th = 0.0
    v = 0.0
    [equations]
    th = "v"
    v = "-sin(th) - v"
    [options]
    periodic = ["th"]
    """

    found = bf.attractors(bf.System.from_toml(toml), {"th": (-9.0, 9.0), "v": (-1, 1)}, samples=12)
    (rest,) = found
    assert rest.count == 12 and float(np.cos(rest.state[0])) == pytest.approx(1.0)


def test_what_neither_attracts_nor_repels_is_no_attractor():
    line = bf.System.from_equations({"x": "-x*(1 + y^2)", "y": "x*y"}, state={"x": 0.5, "y": 0.5})  # all of x = 0 rests
    found = bf.attractors(line, {"x": (0.5, 2), "y": (0.5, 2)}, samples=4)
    assert len(found) == 0 and found.neutral == 4
    assert "neither attracts nor repels" in str(found)
    predators = bf.System.from_equations({"u": "u - u*v", "v": "u*v - v"}, state={"u": 1.0, "v": 2.0})
    found = bf.attractors(predators, {"u": (0.5, 2), "v": (0.5, 2)}, samples=3, max_steps=2000)
    assert len(found) == 0 and found.neutral + found.undecided == 3


def test_conserved_sums_are_those_of_the_start():
    model = bf.System.from_equations({"a": "-2*a + b", "b": "2*a - b"}, state={"a": 3.0, "b": 0.0}, nonnegative=True)
    found = bf.attractors(model, {"a": (0, 2), "b": (0, 3)}, samples=5)
    (only,) = found
    assert only.state == pytest.approx([1.0, 2.0]) and only.count == 5
    with pytest.raises(bf.InputError, match="nothing of the box"):
        bf.attractors(model, {"a": (0, 0.5), "b": (0, 0.5)}, samples=5)


def test_chaos():
    found = bf.attractors(lorenz(28), LORENZ_BOX, samples=3, max_steps=10_000)
    (chaos,) = found
    assert chaos.kind == "chaotic" and chaos.count == 3
    # published: 0.9056 (Viswanath 1998)
    assert abs(chaos.exponent.value - 0.9056) < 2 * chaos.exponent.error
    assert chaos.watched > 0 and "not left" in str(found)


def test_transient_chaos_is_no_attractor():
    found = bf.attractors(lorenz(18), LORENZ_BOX, samples=6)
    assert {each.kind for each in found} == {"equilibrium"}
    r, b = 18.0, 8.0 / 3.0
    for each in found:
        assert np.abs(each.state) == pytest.approx([np.sqrt(b * (r - 1))] * 2 + [r - 1], rel=1e-6)


@pytest.mark.slow
def test_chaos_beside_equilibria():
    # between 24.06 and 24.74 the chaotic attractor and two stable equilibria coexist (Sparrow 1982)
    found = bf.attractors(lorenz(24.4), LORENZ_BOX, samples=40)
    assert sorted(each.kind for each in found) == ["chaotic", "equilibrium", "equilibrium"]
    assert found.transients == 0


def test_plain_json_and_bad_input():
    model = bf.System.from_equations({"x": "-x", "y": "-y"}, state={"x": 0.0, "y": 0.5}, nonnegative=["x"])
    found = bf.attractors(model, {"x": (0, 1)}, samples=3)
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert data["schema"] == "bifrncrn.attractors/1" and data["attractors"][0]["count"] == 3
    assert "y started at the model's own start" in str(found)
    for box, message in (
        ({}, "empty"),
        ({"z": (0, 1)}, "no variable 'z'"),
        ({"x": (1, 0)}, "smaller first"),
        ({"x": (-1, 1)}, "must not be negative"),
        ({"x": 1}, "two numbers"),
    ):
        with pytest.raises(bf.InputError, match=message):
            bf.attractors(model, box)
    with pytest.raises(bf.InputError, match="samples"):
        bf.attractors(model, {"x": (0, 1)}, samples=0)


def test_sets_of_a_reversible_system_are_no_attractors():
    """Nose and Hoover's oscillator: (x, y, z, t) -> (x, -y, -z, -t) takes solutions to solutions, volumes are kept."""
    equations = {"x": "y", "y": "-x - z*y", "z": "y*y - 1"}
    system = bf.System.from_equations(equations, state={"x": 0.0, "y": 1.5, "z": 0.0})
    found = bf.attractors(system, dict.fromkeys("xyz", (-2.5, 2.5)), samples=5, max_steps=20_000)
    assert found.attractors == () and found.neutral + found.undecided == 5


def test_a_torus_that_attracts_slowly():
    """Two van der Pol oscillators of weak damping, each with a cycle of its own: volumes shrink by the rate 0.1."""
    one, two = "0.05*(1 - x*x)*y - x", "0.05*(1 - u*u)*v - 2.1*u"
    system = bf.System.from_equations({"x": "y", "y": one, "u": "v", "v": two}, state=dict.fromkeys("xyuv", 0.5))
    (torus,) = bf.attractors(system, dict.fromkeys("xyuv", (-2.0, 2.0)), samples=3)
    assert torus.kind == "quasiperiodic" and torus.count == 3

"""Switching between branches of orbits: period doublings, branch points of cycles, and cycles without a Hopf point."""

import json

import numpy as np
import pytest

import bifrncrn as bf

TURN = 2.0 * np.pi
LORENZ = """
[variables]
x = -15
y = -20
z = 250
[parameters]
rho = 250.0
[equations]
x = "10*(y - x)"
y = "rho*x - y - x*z"
z = "x*y - 8/3*z"
"""
DOUBLED = [229.40670855954167, 218.21012777810597, 215.96593063, 215.49200894]
"""Of the Lorenz system with sigma = 10, beta = 8/3; the first two from shooting in 1e-13, the others checked below."""


def twisted(k):
    """Return a cycle of radius sqrt(lam) and period 2 pi, with a plane that turns by half and grows by -1/2 +- k*r.

    In the turned plane the growing direction saturates: the doubled orbits have that component squared k*r - 1/2.
    """
    return bf.System.from_equations(
        {
            "x": "lam*x - y - x*(x^2 + y^2)",
            "y": "x + lam*y - y*(x^2 + y^2)",
            "u": f"-u/2 - v/2 + ({k})*(x*u + y*v) - u*(u^2 + v^2)",
            "v": f"-v/2 + u/2 + ({k})*(y*u - x*v) - v*(u^2 + v^2)",
        },
        {"lam": -0.5},
        dict.fromkeys("xyuv", 0.0),
    )


def test_a_doubled_branch_is_the_known_one():
    whole = bf.orbits(bf.diagram(twisted("1"), bounds=(-0.5, 1.0)).special("HB")[0])
    (point,) = whole.special("PD")
    assert point.parameters["lam"] == pytest.approx(0.25, abs=1e-10)
    found = bf.orbits(point)
    np.testing.assert_array_equal(whole.branch(point).points, found.points)  # a branch of orbits is a diagram too
    lam = found.column("lam")
    assert found.ended[0].reason == "PD"
    assert found.ended[1].reason == "range"
    assert found.column("period") == pytest.approx(2.0 * TURN, abs=1e-8)
    assert found.column("max u") == pytest.approx(np.sqrt(np.maximum(np.sqrt(lam) - 0.5, 0.0)), abs=1e-6)
    assert not found.special_points


def test_a_doubled_branch_ends_where_it_meets_its_mother_and_is_followed_once():
    # k*r - 1/2 with k = 3 (1 - lam) vanishes twice, so that the doubled orbits run from one PD to the other
    whole = bf.with_orbits(bf.diagram(twisted("3*(1 - lam)"), bounds=(-0.5, 1.0)), doublings=2)
    values = [point.parameters["lam"] for point in whole.special("PD")]
    for value in values:
        assert 3.0 * (1.0 - value) * np.sqrt(value) == pytest.approx(0.5, abs=1e-8)
    assert len(values) == 2
    first, second = (branch for branch in whole.branches if branch.kind == "periodic")
    assert [end.reason for end in second.ended] == ["PD", "PD"]
    assert float(second.ended[1].message.split("lam=")[1]) == pytest.approx(max(values), abs=1e-4)
    assert second.column("lam").max() < max(values) + 1e-6
    assert len(second.points) < 3 * len(first.points)


@pytest.mark.parametrize("rate", [1.5, 4.0])
def test_the_branch_that_leaves_at_a_branch_point_of_cycles(rate):
    # u^2 = rate (1 - r^2), r^2 = lam, down to the Hopf points at r = 0 on both sides
    model = bf.System.from_equations(
        {
            "x": "(lam - x*x - y*y)*x - y",
            "y": "(lam - x*x - y*y)*y + x",
            "u": f"({rate} - {rate}*(x*x + y*y) - u*u)*u",
        },
        {"lam": -0.9},
        {"x": 0.0, "y": 0.0, "u": 0.0},
    )
    whole = bf.with_orbits(bf.diagram(model, bounds=(-1.0, 2.0)))
    found = whole.branch(whole.special("BPC")[0])
    lam, u = found.column("lam"), found.column("max u")
    assert np.max(np.abs(u**2 - rate * (1.0 - lam))) < 1e-6
    assert [end.reason for end in found.ended] == ["HB", "HB"]
    assert u.min() < -0.9 * np.sqrt(rate)
    assert u.max() > 0.9 * np.sqrt(rate)


def test_a_cascade_from_a_cycle_that_no_hopf_point_leads_to(tmp_path):
    path, out = tmp_path / "lorenz.toml", tmp_path / "out.json"
    path.write_text(LORENZ)
    words = ["diagram", str(path), "--parameter", "rho", "--range", "200", "260", "--cycle", "--doublings", "3"]
    assert bf.main([*words, "--json", str(out)]) == 0
    data = json.loads(out.read_text())
    values = sorted((p["parameters"]["rho"] for p in data["special_points"] if p["label"] == "PD"), reverse=True)
    assert values[:2] == pytest.approx(DOUBLED[:2], abs=1e-8)
    assert values == pytest.approx(DOUBLED, abs=1e-6)
    doubled = [b for b in data["branches"] if b["kind"] == "periodic" and b["from"] is not None]
    assert len(doubled) == 3


@pytest.mark.parametrize("index", range(4))
def test_the_doublings_by_shooting_with_variational_equations(index):
    """Check a PD of the cascade by an integration that knows nothing of collocation."""
    model = bf.System.from_equations(
        {"x": "10*(y - x)", "y": "rho*x - y - x*z", "z": "x*y - 8/3*z"}, {"rho": 250.0}, {"x": -15, "y": -20, "z": 250}
    )
    found = bf.orbits(bf.find_cycle(model), (205.0, 255.0), parameter="rho")
    for _ in range(index):
        found = bf.orbits(found.special("PD")[0])
    (point,) = found.special("PD")
    times, states = found.orbit(point.index)
    closing, monodromy = _shot(states[0], times[-1], point.parameters["rho"])
    assert closing < 1e-6 * np.ptp(states)
    assert np.min(np.abs(np.linalg.eigvals(monodromy) + 1.0)) < 1e-4


def _shot(start, period, rho):
    """Return by how much a trajectory of the Lorenz system misses its start, and its monodromy matrix."""
    from scipy.integrate import solve_ivp

    def field(_, w):
        x, y, z = w[:3]
        jacobian = np.array([[-10.0, 10.0, 0.0], [rho - z, -1.0, -x], [y, x, -8.0 / 3.0]])
        f = [10.0 * (y - x), rho * x - y - x * z, x * y - 8.0 / 3.0 * z]
        return np.concatenate([f, (jacobian @ w[3:].reshape(3, 3)).ravel()])

    w = np.concatenate([start, np.eye(3).ravel()])
    end = solve_ivp(field, (0.0, period), w, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
    return np.max(np.abs(end[:3] - start)), end[3:].reshape(3, 3)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--doublings", "2"], "--orbits or --cycle"),
        (["--cycle", "--start", "x=0,y=0,z=0,rho=205"], "settles to no cycle"),
    ],
)
def test_what_cannot_be_followed_is_said(words, says, tmp_path, capsys):
    path = tmp_path / "model.toml"
    path.write_text(LORENZ.replace("rho*x", "0.5*x + 0*rho"))
    assert bf.main(["diagram", str(path), "--parameter", "rho", "--range", "200", "260", *words]) == 2
    assert says in capsys.readouterr().err


def test_the_next_doubling_is_not_jumped_where_the_range_is_wide():
    # 229.407, 218.210 and 215.966: AUTO-07p's demonstration lor. Where the second doubled branch leaves, its first
    # orbit was looked for so far away, in terms of the range, that the third was behind it.
    lorenz = bf.System.from_equations(
        {"x": "10*(y - x)", "y": "r*x - y - x*z", "z": "x*y - 8/3*z"}, {"r": 250.0}, {"x": 1.0, "y": 5.0, "z": 290.0}
    )
    cycles = bf.orbits(bf.find_cycle(lorenz), (200.0, 305.0), parameter="r")
    found = bf.with_doublings(cycles, 2)
    values = sorted({round(point.parameters["r"], 3) for point in found.special("PD")}, reverse=True)
    assert values == [229.407, 218.210, 215.966]

"""Oscillators of the textbooks, typed as they stand there: cycles beside centres, and near states that are zero."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifrncrn as bf

VAN_DER_POL = {"x": "y", "y": "mu*(1 - x^2)*y - x"}
RAYLEIGH = {"x": "y", "y": "mu*(y - y^3/3) - x"}
TWO_CYCLES = {"x": "y", "y": "mu*(1 - x^2 + x^4/10)*y - x"}


def diagram(equations):
    model = bf.System.from_equations(equations, {"mu": 0.5}, {"x": 0.0, "y": 0.0})
    return bf.with_orbits(bf.diagram(model, "mu", (-1, 5)))


def test_the_cycle_of_van_der_pol():
    found = diagram(VAN_DER_POL)
    (hopf,) = found.special("HB")
    assert hopf.parameters["mu"] == 0.0 and hopf.l1 == 0.0 and hopf.criticality is None  # a linear centre
    *_, cycle = found.branches
    mu, amplitude = cycle.column("mu"), cycle.column("max x")
    assert mu.min() == -1.0 and mu.max() == 5.0
    (branching,) = found.special("BPC")  # of all circles that of radius 2 persists (averaging)
    assert abs(branching.parameters["mu"]) < 1e-9
    near = np.abs(mu) < 0.05
    assert near.any() and amplitude[near] == pytest.approx(2.0, abs=1e-3)  # 2 + mu^2/96 and terms of fourth order
    assert (cycle.unstable[mu > 1e-6] == 0).all() and (cycle.unstable[mu < -1e-6] == 1).all()
    last = int(np.argmax(mu))
    times, states = cycle.orbit(last)
    run = solve_ivp(
        lambda t, z: [z[1], 5.0 * (1 - z[0] ** 2) * z[1] - z[0]],
        (0, times[-1]),
        states[0],
        "Radau",
        rtol=1e-10,
        atol=1e-12,
    )
    assert run.y[:, -1] == pytest.approx(states[0], abs=1e-5)  # nodes are good to 1e-6 or so on a mesh of this many
    assert "oscillates for mu > 0" in " ".join(str(found).split())


def test_the_cycle_of_rayleigh():
    *_, cycle = diagram(RAYLEIGH).branches
    mu = cycle.column("mu")
    near = np.abs(mu) < 0.05
    assert near.any() and cycle.column("max y")[near] == pytest.approx(2.0, abs=1e-3)  # its derivative is van der Pol's


def test_cycles_around_each_other_beside_a_centre():
    # averaging: 1 - A^2/4 + A^4/80 = 0 has two roots (and terms of order mu); each is stable on one side of mu = 0
    inner, outer = np.sqrt(10.0 * (1.0 - np.sqrt(0.2))), np.sqrt(10.0 * (1.0 + np.sqrt(0.2)))
    found = [branch for branch in diagram(TWO_CYCLES).branches if branch.kind == "periodic" and branch.origin is None]
    assert len(found) == 2
    for branch, amplitude, side in zip(found, (inner, outer), (1, -1), strict=True):
        mu = branch.column("mu")
        near = np.abs(mu) < 0.02
        assert near.any() and branch.column("max x")[near] == pytest.approx(amplitude, abs=0.01)
        beside = side * mu > 1e-6
        assert beside.any() and (branch.unstable[beside] == 0).all()


def test_no_cycle_beside_the_damped_pendulum():
    model = bf.System.from_equations({"x": "y", "y": "-c*y - sin(x)"}, {"c": 0.5}, {"x": 0.0, "y": 0.0})
    found = bf.with_orbits(bf.diagram(model, "c", (-1, 1)))
    assert [branch.kind for branch in found.branches] == ["equilibrium", "periodic"]


def test_a_cycle_that_comes_near_to_zero_is_not_homoclinic():
    # Rosenzweig & MacArthur: the cycle exists for all m below the Hopf point at 0.5 (Cheng, SIAM J. Math. Anal. 12,
    # 1981, 541), slower the smaller m, and passes two saddles at which the prey is all but gone
    equations = {"N": "N*(1 - N/3) - N*P/(1 + N)", "P": "N*P/(1 + N) - m*P"}
    model = bf.System.from_equations(equations, {"m": 0.4}, {"N": 1.0, "P": 1.0})
    (hopf,) = bf.diagram(model, "m", (0.05, 1.0)).special("HB")
    end = bf.orbits(hopf).ended[1]
    assert end.reason == "step" and "log(N)" in end.message
    # the logarithm in its place
    other = {"u": "1 - exp(u)/3 - P/(1 + exp(u))", "P": "exp(u)*P/(1 + exp(u)) - m*P"}
    model = bf.System.from_equations(other, {"m": 0.4}, {"u": 0.0, "P": 1.0})
    (hopf,) = bf.diagram(model, "m", (0.05, 1.0)).special("HB")
    found = bf.orbits(hopf)
    assert found.ended[1].reason == "range" and found.column("m")[-1] == pytest.approx(0.05)


def test_a_branch_that_ends_where_its_orbits_go_round_twice_does_not_come_back():
    # Hindmarsh & Rose: two spikes in one burst become two equal ones, and the spiking goes on with half the period
    equations = {"x": "y - x^3 + 3*x^2 - z + I", "y": "1 - 5*x^2 - y", "z": "r*(4*(x + 1.6) - z)"}
    model = bf.System.from_equations(equations, {"I": 3.9, "r": 0.01}, {"x": 1.3, "y": -6.0, "z": 3.5})
    spiking = bf.with_cycle(None, model, "I", (3.2, 4.0))
    (doubling,) = [point for point in spiking.special("PD") if point.parameters["I"] > 3.5]
    near = {"I": doubling.parameters["I"] - 0.02}
    cycle = bf.find_cycle(model, values=near, state=list(doubling.state.values()))  # supercritical: it attracts
    assert cycle.stable and cycle.period > 1.8 * doubling.period
    doubled = bf.with_cycle(None, model.with_(values=near, state=cycle.points[0]), "I", (3.5, 4.0))
    assert not doubled.special("BPC")
    (end,) = [end for end in doubled.branches[0].ended if end.reason == "PD"]
    value = float(end.message.split("=")[-1])
    assert value == pytest.approx(doubling.parameters["I"], abs=1e-6)  # interpolated in the last step


def test_a_trajectory_that_errors_take_through_a_plane_it_cannot_leave_comes_to_nothing():
    # May & Leonard, SIAM J. Appl. Math. 29, 1975, 243: competitors near a heteroclinic cycle; none becomes negative
    equations = {"x": "x*(1 - x - a*y - b*z)", "y": "y*(1 - b*x - y - a*z)", "z": "z*(1 - a*x - b*y - z)"}
    model = bf.System.from_equations(equations, {"a": 0.8, "b": 1.5}, {"x": 0.3, "y": 0.4, "z": 0.35})
    sides = dict.fromkeys("xyz", (0.01, 1.0))
    found = bf.attractors(model, sides, samples=12)
    assert len(found) == 0 and found.undecided == 12
    # beside a species that does die out nothing changes
    alone = bf.System.from_equations({"x": "x*(1 - x)", "y": "y*(0.5 - x)"}, state={"x": 0.5, "y": 0.5})
    (rest,) = bf.attractors(alone, {"x": (0.1, 2.0), "y": (0.1, 2.0)}, samples=12)
    assert rest.count == 12 and rest.state == pytest.approx([1.0, 0.0], abs=1e-9)


def test_forcing_that_grows_from_nothing_at_a_rest_state_typed_exactly():
    equations = {"x": "y", "y": "-0.3*y + x - x^3 + F*cos(1.2*t)"}
    model = bf.System.from_equations(equations, {"F": 0.0}, {"x": 1.0, "y": 0.0}, period="2*pi/1.2")
    branch = bf.diagram(model, "F", (0, 0.2)).branches[0]
    assert [end.reason for end in branch.ended] == ["range", "range"] and (branch.unstable == 0).all()
    times, states = branch.orbit(len(branch.points) - 1)

    def field(t, z):
        return [z[1], -0.3 * z[1] + z[0] - z[0] ** 3 + branch.column("F")[-1] * np.cos(1.2 * t)]

    run = solve_ivp(field, (0, times[-1]), states[0], "DOP853", rtol=1e-11, atol=1e-13)
    assert run.y[:, -1] == pytest.approx(states[0], abs=1e-6)  # nodes are good to 1e-7 or so on a mesh of this many

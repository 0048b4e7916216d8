"""Points of codimension two of cycles where two multipliers or pairs are critical, on cycles that are known exactly.

Rows are corrected to 1e-10 on meshes that have the orbits to 1e-9; what is located between rows is good to 1e-8.
"""

import numpy as np
import pytest

import bifrncrn as bf

FOLDING = {"x": "x*(mu + nu*s - s^2) - y", "y": "y*(mu + nu*s - s^2) + x"}
TURN = {"x": "x*(1 - x^2 - y^2) - 2*y", "y": "y*(1 - x^2 - y^2) + 2*x"}


def mode(names, rate, turn):
    """Return the equations of w = first + i second: w' = (rate + i turn) w - w |w|^2."""
    p, q = names
    size = f"({p}^2 + {q}^2)"
    return {p: f"({rate} - {size})*{p} - {turn}*{q}", q: f"({rate} - {size})*{q} + {turn}*{p}"}


def halved(rate):
    """Return the equations and definitions of what turns by half while the cycle r = 1 goes round once."""
    definitions = {"ap": "0.5*(p*(1 + x) + q*y)", "aq": "0.5*(p*y + q*(1 - x))", "a2": "p*ap + q*aq"}
    equations = {"p": f"({rate} - a2)*ap - 0.6*(p - ap) - q", "q": f"({rate} - a2)*aq - 0.6*(q - aq) + p"}
    return equations, definitions


def model(equations, definitions, **parameters):
    state = dict.fromkeys(equations, 0.0) | {"x": 1.0}
    return bf.System.from_equations(equations, parameters, state, definitions=definitions)


def point(system, label, bounds, which=0):
    return bf.orbits(bf.find_cycle(system), bounds, parameter="mu").special(label)[which]


def where(curve, label):
    return [tuple(found.parameters.values()) for found in curve.special(label)]


def test_a_fold_and_a_torus_meet():
    # s = r^2 on the cycle: mu + nu s - s^2 = 0, a fold at nu = 2 s; the torus at mu + 0.3 s + 0.1 = 0: both at s = 1/2
    system = model(FOLDING | mode("pq", "(mu + 0.3*s + 0.1)", 0.37), {"s": "x^2 + y^2"}, mu=-0.3, nu=1.1)
    wanted = [pytest.approx((-0.25, 1.0), abs=1e-8)]
    folds = bf.locus(point(system, "LPC", (-0.4, 0.2)), "nu", (0.8, 1.3))
    assert where(folds, "LPNS") == wanted
    # of the tori at s = 0.65 and s = 0.16 the first, beside the fold
    which = bf.orbits(bf.find_cycle(system), (-0.4, 0.2), parameter="mu").special("NS")
    tori = bf.locus(min(which, key=lambda found: found.parameters["mu"]), "nu", (0.94, 1.3))
    assert where(tori, "LPNS") == wanted
    mu, nu = tori.branches[0].column("mu"), tori.branches[0].column("nu")
    s = -(mu + 0.1) / 0.3
    assert mu + nu * s == pytest.approx(s * s, abs=1e-9)


def test_a_period_doubling_and_a_torus_meet():
    equations, definitions = halved("mu")
    system = model(TURN | equations | mode("uv", "(s + 2*mu - 0.1)", 0.37), definitions, mu=-0.3, s=-0.1)
    wanted = [pytest.approx((0.0, 0.1), abs=1e-8)]
    assert where(bf.locus(point(system, "PD", (-0.4, 0.3)), "s", (-0.2, 0.3)), "PDNS") == wanted
    tori = bf.locus(point(system, "NS", (-0.4, 0.3)), "s", (-0.2, 0.3))
    assert where(tori, "PDNS") == wanted
    mu, s = tori.branches[0].column("mu"), tori.branches[0].column("s")
    assert s + 2.0 * mu == pytest.approx(np.full(len(mu), 0.1), abs=1e-9)


def test_two_tori_meet():
    system = model(TURN | mode("pq", "mu", 0.37) | mode("uv", "(s + 2*mu - 0.1)", 0.23), {}, mu=-0.3, s=-0.1)
    first, second = (bf.locus(point(system, "NS", (-0.4, 0.3), k), "s", (-0.2, 0.3)) for k in (0, 1))
    wanted = [pytest.approx((0.0, 0.1), abs=1e-8)]
    assert where(first, "NSNS") == wanted and where(second, "NSNS") == wanted
    # what is unstable besides changes there, by two
    for curve in (first, second):
        assert set(curve.branches[0].unstable.tolist()) == {0, 2}


def leaving(rest, **parameters):
    """Return the cycle r = 1 in the plane z = 0, with z' = rest, which the cycle moves too: the rate depends on x."""
    return model(TURN | {"z": rest}, {}, mu=-0.4, **parameters)


@pytest.mark.parametrize("rest", ["(mu - s^2 + x)*z - z^3", "(mu - s^2 + x)*z - z^2"])
def test_branch_points_of_cycles_in_two_parameters(rest):
    # x is nothing in the mean: the multiplier is exp((mu - s^2) T)
    start = point(leaving(rest, s=0.2), "BPC", (-0.5, 0.5))
    curve = bf.locus(start, "s", (-0.5, 0.6))
    (branch,) = curve.branches
    assert branch.kind == "branch_point_of_cycles" and {end.reason for end in branch.ended} == {"range"}
    mu, s = branch.column("mu"), branch.column("s")
    assert mu == pytest.approx(s * s, abs=1e-8)
    assert sorted(s[[0, -1]]) == pytest.approx([-0.5, 0.6], abs=1e-9)
    assert branch.column("max z") == pytest.approx(np.zeros(len(s)), abs=1e-8)


def test_a_branch_point_of_cycles_that_is_one_at_one_value_has_no_curve():
    system = leaving("mu*z - z^2 + s", s=0.0)
    diagram = bf.orbits(bf.find_cycle(system), (-0.5, 0.5), parameter="mu")
    curves = bf.with_loci(diagram, "s", (-0.3, 0.3))
    assert len(diagram.special("BPC")) == 1
    assert [branch.kind for branch in curves.branches] == ["periodic"]
    assert any("BPC" in note and "could not be started" in note for note in curves.notes)

"""Orbits from one saddle to another: against closed forms, and what is refused."""

import numpy as np
import pytest

import bifrncrn as bf

# the front of Nagumo's equation, u'' + c u' + u (1 - u) (u - a) = 0: u' = u (1 - u)/sqrt(2) for c = (2 a - 1)/sqrt(2)
FRONT = {"u": "v", "v": "-c*v - u*(1 - u)*(u - a)"}
VALUES = {"c": 0.0, "a": 0.25}


def backward(equations):
    return {name: f"-({text})" for name, text in equations.items()}


def front(turned=False, third=False):
    equations, state = dict(FRONT), {"u": 0.0, "v": 0.0}
    if third:  # a state that follows, and one of its own
        equations |= {"w": "3*(u*v - w)"}
        state |= {"w": 0.0}
    return bf.System.from_equations(backward(equations) if turned else equations, VALUES, state)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("third", [False, True])
def test_the_front_of_nagumos_equation(turned, third):
    model = front(turned, third)
    low, high = np.zeros(2 + third), np.eye(2 + third)[0]
    # of u from 0 to 1: what is backward goes the other way
    source, target = (high, low) if turned else (low, high)
    found = bf.find_heteroclinic(model, "c", (-1.0, 0.1), source=source, target=target)
    # the root is looked for to 1e-10 of the interval
    assert found.value == pytest.approx((2 * 0.25 - 1) / np.sqrt(2), abs=1e-9)
    assert found.times[0] == 0.0 and np.all(np.diff(found.times) > 0.0)
    u, v = found.points[:, 0], found.points[:, 1]
    assert np.max(np.abs(v - u * (1 - u) / np.sqrt(2))) < 1e-4  # it begins 1e-5 from the saddle, on its tangent
    (branch,) = bf.locus(found, "a", (0.05, 0.45)).branches
    assert branch.kind == "heteroclinic"
    assert branch.columns[:4] == ("c", "a", "u", "v") and branch.columns[-2:] == (
        ("to v", "to w") if third else ("to u", "to v")
    )
    a = branch.column("a")
    # both ends of the range, but for rounding
    assert a.min() == pytest.approx(0.05, abs=1e-12) and a.max() == pytest.approx(0.45, abs=1e-12)
    # the orbits are cut 1e-4 of their extent from the saddles, which counts squared
    assert np.max(np.abs(branch.column("c") - (2 * a - 1) / np.sqrt(2))) < 1e-7
    assert np.max(np.abs(branch.column("u") - source[0])) < 1e-12
    assert np.max(np.abs(branch.column("to u") - target[0])) < 1e-12
    _, states = branch.orbit(3)
    assert np.max(np.abs(states[:, 1] - states[:, 0] * (1 - states[:, 0]) / np.sqrt(2))) < 1e-6
    assert abs(states[0, 0] - source[0]) < 1e-3 and abs(states[-1, 0] - target[0]) < 2e-2


def test_the_curve_is_kept_in_a_file_and_drawn(tmp_path):
    found = bf.locus(bf.find_heteroclinic(front(), "c", (-1, 0), target=[1, 0]), "a", (0.2, 0.3))
    found.save(tmp_path / "front.json")
    loaded = bf.Diagram.load(tmp_path / "front.json")
    assert np.array_equal(loaded.branches[0].points, found.branches[0].points)
    assert np.array_equal(loaded.branches[0].orbit(0)[1], found.branches[0].orbit(0)[1])
    assert found.plot().lines
    assert "heteroclinic" in str(found)


def test_a_saddle_that_becomes_a_node_ends_the_curve():
    # where a passes 1 the rest at u = 1 meets that at u = a, and is no saddle any more
    found = bf.find_heteroclinic(front(), "c", (-0.5, 0.5), target=[1, 0], values={"a": 0.6})
    (branch,) = bf.locus(found, "a", (0.5, 1.2)).branches
    ends = {end.reason: end.message for end in branch.ended}
    assert set(ends) == {"range", "saddle"}
    assert 0.9 < branch.column("a").max() < 1.0
    # the curve stops short of a = 1, where u = 1 has the eigenvalue zero: no more is said than what was seen
    assert "the equilibrium that the orbit goes to has come down to" in ends["saddle"]
    assert "is not known" in ends["saddle"] and "near" not in ends["saddle"]
    told = float(ends["saddle"].split("come down to ")[1].split()[0])
    a = branch.column("a").max()
    # the Jacobian at (1, 0), with the front's speed
    c = (2 * a - 1) / np.sqrt(2)
    assert told == pytest.approx(np.min(np.abs(np.linalg.eigvals([[0.0, 1.0], [1.0 - a, -c]]))), rel=1e-2)  # 3 digits


def test_the_end_of_a_family_of_cycles_at_a_heteroclinic_cycle_is_said():
    h = "(y^2/2 + x^2/2 - x^4/4 - lam)"
    equations = {"x": f"y - {h}*k*(x - x^3)", "y": f"-(x - x^3) - {h}*k*y"}
    model = bf.System.from_equations(equations, {"lam": 0.05, "k": 1.0}, {"x": 0.3, "y": 0.0})
    cycles = bf.orbits(bf.find_cycle(model), (0.02, 0.5), parameter="lam")
    assert any(end.reason == "heteroclinic" for end in cycles.ended)
    noted = bf.with_loci(cycles, "k", (0.5, 2.0))
    assert any("find_heteroclinic" in note for note in noted.notes)
    # the saddles are joined at lam = 1/4, whatever k is
    found = bf.find_heteroclinic(model, "lam", (0.15, 0.4), source=[-1, 0], target=[1, 0])
    assert found.value == pytest.approx(0.25, abs=1e-9)
    (branch,) = bf.locus(found, "k", (0.5, 2.0)).branches
    assert np.max(np.abs(branch.column("lam") - 0.25)) < 1e-7


def test_what_is_refused():
    model = front()
    assert bf.find_heteroclinic(model, "c", (0.1, 1.0), target=[1, 0], steps=3) is None
    with pytest.raises(bf.InputError, match="lower first"):
        bf.find_heteroclinic(model, "c", (1, 0), target=[1, 0])
    with pytest.raises(bf.InputError, match="parameter"):
        bf.find_heteroclinic(model, "d", (0, 1), target=[1, 0])
    found = bf.find_heteroclinic(model, "c", (-1, 0), target=[1, 0])
    with pytest.raises(bf.InputError, match="leaves out its value"):
        bf.locus(found, "a", (0.3, 0.4))

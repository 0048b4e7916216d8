"""Whether a network's behaviour survives when its molecules are counted."""

import re

import numpy as np
import pytest

import bifrncrn as bf


def resting():
    """dx/dt = 5 s(5) - x s(x): one rest, at 5."""
    network = bf.Network(alpha=[[-1.0]], omega=[[1.0]], theta=[0.0], beta=[5 * (5 + 29**0.5) / 2])
    system = bf.System.from_equations({"x": "5 - x"}, state={"x": 5.0}, nonnegative=True)
    part = bf.FieldPart(system, ((3.0, 7.0),))
    return bf.Target("rest", "one rest at 5", (part,), perceptrons=1, state=(5.0,)), network


def test_fluctuations_fall_with_the_root_of_the_number_of_molecules():
    pytest.importorskip("rebop")
    few, many = (bf.stochastic(*resting(), 0.1, volume) for volume in (10, 1000))
    spread = [float(re.search(r"deviation ([\d.e-]+)", str(one))[1]) for one in (few, many)]
    assert spread[0] / spread[1] == pytest.approx(10, rel=0.3)
    assert many.survives and not few.survives  # at 50 molecules a fifth of them come and go
    assert many.to_json()["attractors"][0]["survives"] and "1000 molecules per unit" in str(many)


def test_the_same_seed_gives_the_same_trajectory():
    pytest.importorskip("rebop")
    once, again, other = (bf.stochastic(*resting(), 0.1, 100, seed) for seed in (1, 1, 2))
    assert str(once) == str(again) and once.found != other.found


def test_a_network_that_leaves_its_rest_for_another_is_said_to():
    """Noise as large as the distance between two rests at 2 and 4 in a box of 1 to 5, 10 molecules a unit."""
    pytest.importorskip("rebop")
    system = bf.System.from_equations({"x": "-(x - 2)*(x - 3)*(x - 4)"}, state={"x": 2.0}, nonnegative=True)
    target = bf.Target("two", "two rests", (bf.FieldPart(system, ((1.0, 5.0),), count=150),), perceptrons=4)
    network = bf.train(target, seeds=3, rank="loss").network
    lost = bf.stochastic(target, network, 0.1, 10)
    assert len(lost.found) == 2 and not lost.survives
    assert any("went over to another rest" in one.text for one in lost.found)


def test_without_a_positive_number_of_molecules_it_says_so():
    target, network = resting()
    with pytest.raises(bf.InputError, match="molecules_per_unit is 0"):
        bf.stochastic(target, network, 0.1, 0)


def test_a_fit_says_that_nobody_counted_and_does_when_asked():
    pytest.importorskip("rebop")
    target, _ = resting()
    fit = bf.train(target, perceptrons=1, seeds=1)
    assert "not looked at: numbers of molecules" in " ".join(str(fit).split())
    assert fit.largest_mu is not None
    found = fit.stochastic(molecules_per_unit=300)
    assert found.mu == fit.largest_mu and len(found.found) == 1
    assert np.isclose(found.molecules_per_unit, 300)

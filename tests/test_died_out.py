"""States that died out: what is left of them is noise, which tells no unit, and hides no branch and no cycle."""

import warnings

import numpy as np
import pytest

import bifrncrn as bf

RING = {"x": "x*(1 - r) - y", "y": "y*(1 - r) + x"}
"""The cycle (cos t, sin t)."""
SQUARE = {"r": "x^2 + y^2"}
RATES = [None, 1e2, 1e5, 1e9]


def on_the_ring(others, start, parameters, rate, of):
    """Return the ring with other states, and one that follows x and one of them at a rate, if any."""
    fast = {} if rate is None else {"z": f"{rate!r}*(x + {of} - z)"}
    state = {"x": 1.0, "y": 0.0, **start, **dict.fromkeys(fast, 1.0)}
    return bf.System.from_equations({**RING, **others, **fast}, parameters, state, definitions=SQUARE)


def beside(growth, w, rate=None, p=-0.5):
    """Return the ring beside w' = w (growth + 0.3 cos t - w^2)."""
    return on_the_ring({"w": f"w*({growth} + 0.3*x - w^2)"}, {"w": w}, {"p": p}, rate, "w")


def largest(growth):
    """Return the largest w of its cycle: v = 1/w^2 is the periodic solution of v' = 2 - 2 (growth + 0.3 cos t) v."""
    t = np.linspace(0.0, 2.0 * np.pi, 20001)
    factor = np.exp(2.0 * (growth * t + 0.3 * np.sin(t)))
    driven = np.append(0.0, np.cumsum((factor[1:] + factor[:-1]) * np.diff(t)))
    v = (driven[-1] / (factor[-1] - 1.0) + driven) / factor
    return v.min() ** -0.5


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("w", [0.0, 0.3])
def test_the_branch_that_leaves_a_cycle_on_which_a_state_died_out(w, rate):
    whole = bf.orbits(bf.find_cycle(beside("p - 0.1", w, rate)), (-0.5, 0.5), parameter="p")
    (point,) = whole.special("BPC")
    assert point.parameters["p"] == pytest.approx(0.1, abs=1e-9)  # as good as multipliers beside the fast state are
    found = bf.orbits(point, (-0.5, 0.5))
    assert [end.reason for end in found.ended] == ["range", "range"]
    sizes = np.abs(found.branches[0].profiles[-1].states[:, 2])
    assert sizes.max() == pytest.approx(largest(0.4), rel=1e-4)  # at nodes, which miss the top


@pytest.mark.parametrize("rate", RATES)
def test_the_doubled_branch_of_a_cycle_on_which_a_pair_died_out(rate):
    # in a plane that turns by half, one direction grows at p - 0.1: |(u, v)| is the root of that
    pair = {
        "u": "(p - 1.1)/2*u + (p + 0.9)/2*(x*u + y*v) - v/2 - u*(u^2 + v^2)",
        "v": "(p - 1.1)/2*v + (p + 0.9)/2*(y*u - x*v) + u/2 - v*(u^2 + v^2)",
    }
    system = on_the_ring(pair, {"u": 0.2, "v": 0.2}, {"p": -0.2}, rate, "u")
    (point,) = bf.orbits(bf.find_cycle(system), (-0.2, 0.5), parameter="p").special("PD")
    found = bf.orbits(point, (-0.2, 0.5))
    p = found.column("p")
    assert p[-1] == 0.5
    u, v = found.branches[0].profiles[-1].states[:, 2:4].T
    # the nodes of a mesh that is refined for the events, not for these
    assert np.hypot(u, v) == pytest.approx(np.full(len(u), np.sqrt(0.4)), abs=1e-5)


@pytest.mark.parametrize("unit", [1e-15, 1.0])
def test_the_branch_without_a_state_is_found_from_that_with_it(unit):
    growth = {"w": f"w*(p + 0.3*x - w/{unit!r})"}
    system = on_the_ring(growth, {"w": 0.7 * unit}, {"p": 0.7}, None, "w")
    (point,) = bf.orbits(bf.find_cycle(system), (-0.5, 0.8), parameter="p").special("BPC")
    found = bf.orbits(point, (-0.5, 0.8))
    assert np.ptp(found.column("p")) == pytest.approx(1.3, abs=1e-9)  # both ends of the range, but for rounding
    assert np.abs(found.column("max w")).max() < 1e-6 * unit


@pytest.mark.parametrize("w", [1e-15, 1e-30, 1e-60])
@pytest.mark.parametrize("rate", [None, 1e4])
def test_what_a_trajectory_settles_to_while_a_state_dies_out(w, rate):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bf.describe_attractor(beside("-0.6", w, rate)) == "cycle"


@pytest.mark.parametrize("w", [1e-15, 1e-30])
@pytest.mark.parametrize("rate", [None, 1e2])
def test_what_grows_from_next_to_nothing_is_no_noise(w, rate):
    cycle = bf.find_cycle(beside("0.4", w, rate))
    assert cycle.points[:, 2].max() == pytest.approx(largest(0.4), rel=1e-4)  # at points that miss the top, as above

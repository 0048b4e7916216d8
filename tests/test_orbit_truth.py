"""Branches of orbits say nothing that is not so: points where they are, pairs of them, and the reasons of ends."""

import numpy as np
import pytest

import bifrncrn as bf

TURN = 2.0 * np.pi


def rotor(growth, value=-0.5, more=None, definitions=None, **state):
    """Return a planar system whose radius grows at a rate given in s = x^2 + y^2 and lam, and that turns evenly."""
    equations = {"x": f"({growth})*x - y", "y": f"({growth})*y + x"} | (more or {})
    spelled = {name: text.replace("s", "(x*x + y*y)") if name in "xy" else text for name, text in equations.items()}
    return bf.System.from_equations(spelled, {"lam": value}, {name: state.get(name, 0.0) for name in spelled})


def followed(model, bounds):
    return bf.orbits(bf.diagram(model, bounds=bounds).special("HB")[0])


def folds_of(growth, bounds):
    """Return the located folds, each at its own row."""
    found = followed(rotor(growth), bounds)
    points = found.special("LPC")
    assert len(points) == len(found.special_points)
    for point in points:
        assert point.status == "converged"
        assert found.column("lam")[point.index] == point.parameters["lam"]
    return sorted(point.parameters["lam"] for point in points)


@pytest.mark.parametrize(("a", "b"), [(1.5, 1.6), (0.9, 0.93), (2.0, 2.3), (0.31, 0.35)])
def test_two_folds_of_cycles_in_one_step_are_both_found(a, b):
    # lam = P(s) with P' = (s - a)(s - b)
    p = np.polynomial.Polynomial([0.0, a * b, -(a + b) / 2.0, 1.0 / 3.0])
    growth = f"lam - (s^3/3 - {(a + b) / 2.0!r}*s^2 + {a * b!r}*s)"
    assert folds_of(growth, (-1.0, 4.0)) == pytest.approx(sorted([p(a), p(b)]), abs=1e-9)


@pytest.mark.parametrize(("low", "high"), [(0.02, 0.03), (0.002, 0.004)])
def test_folds_close_to_the_hopf_point_are_not_jumped(low, high):
    p = np.polynomial.Polynomial([0.0, low * high, -(low + high) / 2.0, 1.0 / 3.0])
    growth = f"lam - (s^3/3 - {(low + high) / 2.0!r}*s^2 + {low * high!r}*s)*100"
    assert folds_of(growth, (-1.0, 1.0)) == pytest.approx(sorted([100 * p(low), 100 * p(high)]), abs=1e-9)


@pytest.mark.parametrize("gap", [0.01, -0.01, 0.001, -0.001])
@pytest.mark.parametrize("label", ["PD", "BPC"])
def test_a_torus_and_another_point_in_one_step_are_both_found(label, gap):
    # on the circles s = lam the pair exp(2 pi (1 + gap - s +- 0.7i)) comes in at 1 + gap; a real multiplier goes out at
    # 1: -exp(pi (sqrt(s) - 1)), of what turns by half a turn a period, or exp(2 pi (s - 1)), of what does not turn
    size = f"{1.0 + gap!r} - (x*x + y*y) - u*u - v*v"
    more = {"u": f"({size})*u - 0.7*v", "v": f"({size})*v + 0.7*u"}
    if label == "PD":
        more["m"] = "-(0.5 + m*m + n*n)*m + 0.5*(x*m + y*n) - n/2"
        more["n"] = "-(0.5 + m*m + n*n)*n + 0.5*(y*m - x*n) + m/2"
    else:
        more["w"] = "(x*x + y*y - 1 - w*w)*w"
    found = followed(rotor("lam - s", more=more), (-1.0, 3.0))
    expected = sorted([(1.0 + gap, "NS"), (1.0, label)])
    assert [point.label for point in found.special_points] == [name for _, name in expected]
    assert [p.parameters["lam"] for p in found.special_points] == pytest.approx([v for v, _ in expected], abs=1e-9)
    assert all(point.status == "converged" for point in found.special_points)


def test_parameters_do_not_turn_where_they_only_slow_down():
    assert folds_of("lam - (s^3/3 - 1.55*s^2 + 2.4026*s)", (-1.0, 3.0)) == []  # P' = (s - 1.55)^2 + 1e-4


@pytest.mark.parametrize("rate", [1.5, 6.0])
def test_a_branch_point_of_cycles_is_on_its_row_and_in_its_bracket(rate):
    # u grows like rate (1 - r^2) along the orbits u = 0: a multiplier exp(2 pi rate (1 - lam)) passes 1 at lam = 1
    more = {"u": f"({rate} - {rate}*(x*x + y*y) - u*u)*u"}
    found = followed(rotor("lam - s", value=-0.9, more=more), (-1.0, 4.0))
    (point,) = found.special_points
    assert (point.label, point.status) == ("BPC", "converged")
    assert point.parameters["lam"] == pytest.approx(1.0, abs=1e-9)
    assert found.column("lam")[point.index] == point.parameters["lam"]
    assert found.column("max x")[point.index] == pytest.approx(1.0, abs=1e-7)


def test_every_point_is_its_row_and_inside_its_bracket():
    # AUTO's torus example (Freire et al.), where branch points and folds of cycles accumulate at a homoclinic orbit
    model = bf.System.from_equations(
        {
            "x": "(-(be + nu)*x + be*y - 0.328578*x^3 + 0.933578*(y - x)^3)/0.6",
            "y": "be*x - (be + ga)*y - z - 0.933578*(y - x)^3",
            "z": "y",
        },
        {"nu": -0.9, "be": 0.5, "ga": -0.6},
        {"x": 0.0, "y": 0.0, "z": 0.0},
    )
    found = bf.orbits(bf.diagram(model, parameter="nu", bounds=(-0.9, -0.5)).special("HB")[0])
    assert found.special_points
    for point in found.special_points:
        value = point.parameters["nu"]
        assert found.column("nu")[point.index] == value
        assert point.bracket is None or point.bracket[0] <= value <= point.bracket[1]
    branching = [point.parameters["nu"] for point in found.special("BPC") if point.status == "converged"]
    assert min(abs(value + 0.8324379304) for value in branching) < 1e-8


@pytest.mark.parametrize("offset", [1e-4, 1e-7])
def test_a_hopf_point_beside_the_origin_has_no_centre(offset):
    model = bf.System.from_equations(
        {"x": f"lam*x - y - x*(x*x + y*y) + {offset!r}", "y": "lam*y + x - y*(x*x + y*y)"},
        {"lam": -0.5},
        {"x": 0.0, "y": 0.0},
    )
    found = followed(model, (-1.0, 1.0))
    assert found.ended[1].reason == "range"
    assert found.column("max x")[-1] == pytest.approx(1.0, abs=2.0 * offset)
    assert not found.special_points


@pytest.mark.parametrize("k", [1.0, 0.3])
def test_a_family_that_ends_at_a_heteroclinic_cycle_says_so(k):
    # H = lam is a cycle; through the saddles at x = -1 and x = 1 it is H = 1/4
    h = "(y^2/2 + x^2/2 - x^4/4 - lam)"
    model = bf.System.from_equations(
        {"x": f"y - {h}*{k!r}*(x - x^3)", "y": f"-(x - x^3) - {h}*{k!r}*y"}, {"lam": 0.05}, {"x": 0.3, "y": 0.0}
    )
    end = followed(model, (-0.1, 0.5)).ended[1]
    assert end.reason == "heteroclinic"
    assert "0.25" in end.message


def test_a_family_that_ends_at_a_saddle_node_on_the_cycle_says_so():
    # theta' = lam - cos(theta) on the unit circle in the plane, and a Hopf point inside that gives the cycle birth:
    # the period is 2 pi / sqrt(lam^2 - 1) and the saddle-node is at lam = 1
    model = bf.System.from_equations(
        {"x": "x*(1 - x*x - y*y) - y*(lam - x)", "y": "y*(1 - x*x - y*y) + x*(lam - x)"},
        {"lam": 2.0},
        {"x": 1.0, "y": 0.0},
    )
    found = bf.orbits(bf.find_cycle(model), (0.5, 3.0))
    period, lam = found.column("period"), found.column("lam")
    assert np.max(np.abs(period[lam > 1.01] / (TURN / np.sqrt(lam[lam > 1.01] ** 2 - 1.0)) - 1.0)) < 1e-7
    (end,) = [end for end in found.ended if end.reason != "range"]
    assert end.reason == "snic"
    assert float(end.message.split("lam=")[1]) == pytest.approx(1.0, abs=1e-8)


def test_multipliers_that_rounding_has_spoilt_make_no_labels():
    # the Oregonator's canards, where variations grow by more than 1e10 and decay again
    model = bf.System.from_equations(
        {
            "x": "(0.0008*y - x*y + x*(1 - x))/0.04",
            "y": "(-0.0008*y - x*y + f*z)/0.0004",
            "z": "x - z",
        },
        {"f": 0.3},
        {"x": 0.5, "y": 0.5, "z": 0.5},
    )
    whole = bf.with_orbits(bf.diagram(model, parameter="f", bounds=(0.3, 3.0)))
    points = [point for point in whole.special_points if point.period is not None]
    # f goes back twice, at the canards at both ends: where it stands still to rounding there is one fold, not many
    assert [point.label for point in points] == ["LPC", "LPC"]
    (branch,) = [branch for branch in whole.branches if branch.kind == "periodic"]
    assert -1 in branch.unstable  # where it is not known how many are unstable, this says so
    assert not np.any(branch.unstable[1 : points[0].index] == 0)


@pytest.mark.slow
def test_canards_past_a_saddle_are_no_homoclinic_orbits():
    # the Oregonator with the constants of the reaction: the canards at both ends pass equilibria of saddle type, and
    # their period grows, but not by the time spent there; all cycles are one family from one Hopf point to the other
    model = bf.System.from_equations(
        {"x": "(q*y - x*y + x*(1 - x))/0.0099", "y": "(-q*y - x*y + f*z)/2e-5", "z": "x - z"},
        {"f": 0.3, "q": 8e-4},
        {"x": 0.5, "y": 0.3, "z": 0.5},
    )
    whole = bf.with_orbits(bf.diagram(model, parameter="f", bounds=(0.3, 3.0)))
    (branch,) = [branch for branch in whole.branches if branch.kind == "periodic"]
    assert [end.reason for end in branch.ended] == ["HB", "HB"]
    # the first Hopf point is subcritical, the second is not: the parameter goes back once
    assert [point.label for point in whole.special_points] == ["HB", "HB", "LPC"]


def test_a_family_met_again_from_its_other_end_is_one_family():
    # the Oregonator of two states; its first branch ends by the limit of points short of the second HB
    q, eps = 0.002, 0.05
    model = bf.System.from_equations(
        {"x": f"(x*(1 - x) - f*z*(x - {q})/(x + {q}))/{eps}", "z": "x - z"}, {"f": 1.0}, {"x": 0.1, "z": 0.1}
    )
    rests = bf.diagram(model, "f", (0.1, 4.0))
    whole = bf.with_orbits(rests, options=bf.Options(max_points=1000))
    first, second = (branch for branch in whole.branches if branch.kind == "periodic")
    assert first.ended[1].reason == "points" and f"branch {second.id} goes on" in first.ended[1].message
    assert second.ended[1].reason == "known" and f"branch {first.id} goes on" in second.ended[1].message
    assert np.array_equal(first.points[-1], second.points[-1])
    assert "oscillates for 0.53171 < f < 2.3087" in " ".join(str(whole).split())
    for f in (0.6, 1.0, 2.0):  # from inside and from outside to one cycle, on one of the branches
        periods = [_settled_period(q, eps, f, start) for start in ((0.9, 0.01), (0.02, 0.3))]
        found = []
        for branch in (first, second):
            stable = (branch.unstable == 0) & (np.arange(len(branch.unstable)) > 0)
            values, times = branch.column("f")[stable], branch.column("period")[stable]
            up = np.argsort(values)
            if values.min() < f < values.max():
                found.append(np.interp(f, values[up], times[up]))
        assert len(found) == 1
        assert periods == pytest.approx([found[0], found[0]], rel=1e-4)  # the line between rows is off by this


def test_a_parameter_that_trembles_makes_no_second_cycle():
    # cycles of the plane whose multipliers are 1e-100 do not fold (implicit function theorem), but along the canard at
    # the second Hopf point f trembles by more than 1e-6 of this range
    model = bf.System.from_equations(
        {"x": "(x*(1 - x) - f*z*(x - 0.0008)/(x + 0.0008))/0.04", "z": "x - z"}, {"f": 2.4}, {"x": 0.002, "z": 0.002}
    )
    whole = bf.with_orbits(bf.diagram(model, "f", (2.25, 2.45)))
    cycles = whole.branches[-1]
    f = cycles.column("f")
    assert np.sum(np.maximum(np.diff(f), 0.0)) > 1e-6 * 0.2  # it does go back
    assert cycles.ended[1].reason == "range" and np.all(cycles.unstable[1:] == 0)
    words = " ".join(str(whole).split())
    assert "oscillates for f < 2.338" in words and "stable cycles" not in words


def _settled_period(q, eps, f, start):
    """Return the time between the last two passages upwards of x = z, by an independent integration."""
    from scipy.integrate import solve_ivp

    def passes(_, y):
        return y[0] - y[1]

    passes.direction = 1.0
    run = solve_ivp(
        lambda _, y: [(y[0] * (1 - y[0]) - f * y[1] * (y[0] - q) / (y[0] + q)) / eps, y[0] - y[1]],
        (0.0, 40.0),
        start,
        "LSODA",
        events=passes,
        rtol=1e-9,
        atol=1e-12,
    )
    return run.t_events[0][-1] - run.t_events[0][-2]


def test_cycles_go_on_across_the_borders_of_a_piecewise_linear_model():
    # an excitatory and an inhibitory population: inside the linear region the orbits at the Hopf point tauI = 4 are all
    # of one value; those that leave it bend back, and turn where they meet the next border
    model = bf.System.from_equations(
        {"x": "-x + max(0, 1.5*x - 1.5*y + 1)", "y": "(-y + max(0, 2*x - y))/tau"}, {"tau": 1.0}, {"x": 1.0, "y": 1.0}
    )
    found = bf.orbits(bf.diagram(model, parameter="tau", bounds=(0.5, 8.0)).special("HB")[0])
    (fold,) = found.special_points
    assert fold.label == "LPC"
    assert fold.parameters["tau"] == pytest.approx(3.796, abs=1e-3)
    assert found.ended[1].reason == "range"
    tau, period = found.column("tau"), found.column("period")
    for k in range(fold.index + 20, len(tau), 40):
        _, states = found.orbit(k)
        assert _return(states[0], period[k], tau[k]) < 2e-4 * np.ptp(states)


def _return(start, period, tau):
    """Return by how much a trajectory misses its start after a period, by an independent integration."""
    from scipy.integrate import solve_ivp

    def field(_, z):
        x, y = z
        return [-x + max(0.0, 1.5 * x - 1.5 * y + 1.0), (-y + max(0.0, 2.0 * x - y)) / tau]

    run = solve_ivp(field, (0.0, period), start, rtol=1e-10, atol=1e-12, max_step=period / 500.0)
    return np.max(np.abs(run.y[:, -1] - start))


def test_a_canard_explosion_is_passed():
    # the period after it, and at the end of the range, against shooting
    model = bf.System.from_equations({"x": "y - (x^3/3 - x)", "y": "0.01*(a - x)"}, {"a": 1.2}, {"x": 1.2, "y": -0.6})
    found = bf.orbits(bf.diagram(model, parameter="a", bounds=(0.0, 1.5)).special("HB")[0])
    assert found.ended[1].reason == "range"
    assert not [point for point in found.special_points if point.label in ("PD", "NS", "BPC")]
    for index in (int(np.argmin(np.abs(found.column("a") - 0.9))), len(found.points) - 1):
        cycle = bf.find_cycle(model, values={"a": found.column("a")[index]}, state={"x": 2.0, "y": 0.0})
        assert found.column("period")[index] == pytest.approx(cycle.period, rel=1e-7)


@pytest.mark.parametrize("hopf", [0, 1])
def test_a_change_of_stability_along_a_canard_has_a_label(hopf):
    """FitzHugh and Nagumo's neuron: both families are born unstable and turn in canards, vertical but for rounding."""
    model = bf.System.from_equations(
        {"v": "v - v^3/3 - w + I", "w": "0.08*(v + 0.7 - 0.8*w)"}, {"I": 0.0}, {"v": -1.2, "w": -0.6}
    )
    branch = (orbits := bf.orbits(bf.diagram(model, "I", (0, 2)).special("HB")[hopf])).branches[0]
    inner = np.arange(2, len(branch.unstable) - 1)  # the ends are Hopf points
    changes = inner[branch.unstable[inner] != branch.unstable[inner - 1]]
    folds = [point.index for point in orbits.special("LPC")]
    assert len(changes) == 2 and len(folds) == 2
    assert all(min(abs(row - fold) for fold in folds) <= 1 for row in changes)
    assert np.unique(branch.unstable[folds[0] + 1 : folds[1]]).tolist() == [0]


def test_no_fold_where_the_parameter_trembles_along_a_canard():
    """Van der Pol's cycles are stable, all of them: there is no fold where their multiplier is 1e-120."""
    model = bf.System.from_equations({"x": "y - x^3/3 + x", "y": "0.01*(a - x)"}, {"a": 1.2}, {"x": 1.2, "y": -0.624})
    orbits = bf.orbits(bf.diagram(model, "a", (0, 1.2)).special("HB")[0])
    assert not orbits.special("LPC") and np.all(orbits.branches[0].unstable[1:] == 0)


@pytest.mark.parametrize(("first", "second"), [(1e6, 1.0), (1.0, 1e-6), (1e4, 1e-4), (1e13, 1e-11)])
def test_a_torus_is_found_whatever_the_units_of_the_states_that_make_it(first, second):
    """A circle of squared radius p; beside it, at rest, an oscillator that begins to move where p = 1/2."""
    model = bf.System.from_equations(
        {
            "x": "x*(p - s) - y",
            "y": "y*(p - s) + x",
            "u": f"(a*(s - 0.5 - a^2 - b^2) - 0.3*b)/{first!r}",
            "v": f"(b*(s - 0.5 - a^2 - b^2) + 0.3*a)/{second!r}",
            "f": "100*(x*y + 0.4*x - f)",
        },
        {"p": -0.5},
        dict.fromkeys("xyuvf", 0.0),
        definitions={"s": "x^2 + y^2", "a": f"u*{first!r}", "b": f"v*{second!r}"},
    )
    found = followed(model, (-0.5, 2.0))
    (torus,) = found.special_points
    assert torus.label == "NS" and torus.status == "converged"
    assert torus.parameters["p"] == pytest.approx(0.5, abs=1e-9)  # the mesh's error, as of periods
    for row, (p, unstable) in enumerate(zip(found.column("p"), found.unstable, strict=True)):
        assert row == torus.index or unstable == (2 if p > 0.5 else 0)


@pytest.mark.parametrize("label", ["NS", "BPC"])
@pytest.mark.parametrize("other", [0.555, 0.6])
def test_what_leaves_the_unit_circle_hides_not_what_enters_it(label, other):
    """On a circle of squared radius p one oscillator, or state, begins to move at p = 0.55, and another stops beyond.

    As many multipliers are outside before as are after both; those of the two pass at the same angle.
    """
    equations = {"x": "x*(p - s) - y", "y": "y*(p - s) + x"}
    for name, growth, rate in (("u", "(s - 0.55)", 0.7), ("v", f"({other!r} - s)", 0.3)):
        if label == "NS":
            a, b = f"{name}1", f"{name}2"
            equations[a] = f"{a}*({growth} - {a}^2 - {b}^2) - {rate!r}*{b}"
            equations[b] = f"{b}*({growth} - {a}^2 - {b}^2) + {rate!r}*{a}"
        else:
            equations[name] = f"{name}*({growth} - {name}^2)"
    model = bf.System.from_equations(
        equations, {"p": -0.5}, dict.fromkeys(equations, 0.0), definitions={"s": "x^2 + y^2"}
    )
    points = followed(model, (-0.5, 2.0)).special_points
    assert [point.label for point in points] == [label, label]
    assert [point.parameters["p"] for point in points] == pytest.approx([0.55, other], abs=1e-9)  # as above


@pytest.mark.parametrize("bend", [1e-3, 1e-4])
def test_folds_close_to_the_hopf_points_at_both_ends_are_found(bend):
    """Circles of squared radius s with lam*(1 - lam) = s^2 - bend*s: folds beyond lam = 0 and lam = 1."""
    found = followed(rotor(f"lam*(1 - lam) + {bend!r}*s - s*s"), (-1.0, 2.0))
    assert [end.reason for end in found.ended] == ["HB", "HB"]
    depth = 0.5 * (np.sqrt(1.0 + bend**2) - 1.0)
    folds = found.special_points
    assert [fold.label for fold in folds] == ["LPC", "LPC"] and folds[0].parameters["lam"] < 0.0
    # a parameter is good to 1e-10 of its range, less by far where the orbit is small
    assert [fold.parameters["lam"] for fold in folds] == pytest.approx([-depth, 1.0 + depth], abs=1e-12)


def test_a_huge_multiplier_takes_no_other_ones_place():
    """On a circle of squared radius p: one pair in a frame that turns half as fast, one that turns, one fast state."""
    size, turn = "(m^2 + n^2)", "(u^2 + v^2)"
    model = bf.System.from_equations(
        {
            "x": "x*(p - s) - y",
            "y": "y*(p - s) + x",
            "m": f"m*(-1 - {size}) + 5*(x*m + y*n) - n/2",
            "n": f"n*(-1 - {size}) + 5*(y*m - x*n) + m/2",
            "u": f"u*(0.4*(s - 0.5) - {turn}) - 0.3*v",
            "v": f"v*(0.4*(s - 0.5) - {turn}) + 0.3*u",
            "f": "2000*(x*y + 0.4*x - f)",
        },
        {"p": -0.5},
        dict.fromkeys("xymnuvf", 0.0),
        definitions={"s": "x^2 + y^2"},
    )
    found = bf.orbits(bf.diagram(model, "p", (-0.5, 2.5)).special("HB")[0])
    for p, own in zip(found.column("p")[1:], found.multipliers[1:], strict=True):
        doubled = -np.exp(2 * np.pi * (-1 + 5 * np.sqrt(p)))
        torus = np.exp(2 * np.pi * (0.4 * (p - 0.5) + 0.3j))
        for value in (torus, np.conj(torus)):
            assert np.sum(np.abs(own - value) < 1e-4 * abs(value)) == 1
        # beyond 1e9 they are rounding
        assert abs(doubled) > 1e9 or np.sum(np.abs(own - doubled) < 1e-3 * abs(doubled)) == 1


@pytest.mark.parametrize("rate", [1e4, 1e6])
def test_stability_is_known_at_a_fold_beside_a_fast_state(rate):
    """Circles of squared radius s with p = s^2 - s; a fast velocity has the orbit's error times its rate."""
    model = bf.System.from_equations(
        {"x": "x*g - y*(1 + s/2)", "y": "y*g + x*(1 + s/2)", "f": f"{rate!r}*(x*y + 0.4*x - f)"},
        {"p": -0.5},
        dict.fromkeys("xyf", 0.0),
        definitions={"s": "x^2 + y^2", "g": "p + s - s^2"},
    )
    found = followed(model, (-0.5, 1.0))
    (fold,) = found.special_points
    assert fold.label == "LPC" and fold.parameters["p"] == pytest.approx(-0.25, abs=1e-10)
    assert found.multipliers[fold.index, 1] == pytest.approx(1.0, abs=1e-6) and not np.any(found.unstable < 0)
    after = np.arange(len(found.points)) > fold.index
    apart = np.delete(np.arange(len(found.points)), [0, fold.index])
    assert np.array_equal(found.unstable[apart], np.where(after, 0, 1)[apart])


@pytest.mark.parametrize(("first", "second"), [(1e12, 1e-12), (1e-14, 1e-3), (1e9, 1.0)])
@pytest.mark.parametrize("start", [(0.0, 0.0), (2.0, -1.0)])
def test_folds_of_cycles_are_found_whatever_the_units_of_the_states(first, second, start):
    """Circles of squared radius s around the start with p = s^2 - 0.6 s, each coordinate in a unit of its own."""
    model = bf.System.from_equations(
        {"x": f"{first!r}*(a*g - b)", "y": f"{second!r}*(b*g + a)"},
        {"p": -0.2},
        {"x": first * start[0], "y": second * start[1]},
        definitions={
            "a": f"x/{first!r} - ({start[0]!r})",
            "b": f"y/{second!r} - ({start[1]!r})",
            "s": "a^2 + b^2",
            "g": "p + 0.6*s - s^2",
        },
    )
    found = bf.orbits(bf.diagram(model, "p", (-0.3, 1.0)).special("HB")[0])
    (fold,) = found.special_points
    assert (fold.label, fold.status) == ("LPC", "converged")
    assert fold.parameters["p"] == pytest.approx(-0.09, abs=1e-10)
    assert [end.reason for end in found.ended] == ["HB", "range"]
    again = bf.orbits(
        bf.find_cycle(model, values={"p": 0.5}, state=[first * (start[0] + 1.0), second * start[1]]), (-0.3, 1.0)
    )
    assert [point.label for point in again.special_points] == ["LPC"]


@pytest.mark.parametrize(("rest", "unit"), [(1e6, 1e-3), (1e9, 1.0)])
def test_cycles_are_found_however_large_a_state_is_that_rests(rest, unit):
    """Circles of squared radius s, in a small unit, with p = s^2 - 0.6 s, and a state that rests at a large value."""
    model = bf.System.from_equations(
        {"x": f"{unit!r}*(a*g - b)", "y": f"{unit!r}*(b*g + a)", "z": f"{rest!r} - z"},
        {"p": -0.2},
        {"x": 0.0, "y": 0.0, "z": rest},
        definitions={"a": f"x/{unit!r}", "b": f"y/{unit!r}", "s": "a^2 + b^2", "g": "p + 0.6*s - s^2"},
    )
    found = followed(model, (-0.3, 1.0))
    (fold,) = found.special_points
    assert fold.label == "LPC" and fold.parameters["p"] == pytest.approx(-0.09, abs=1e-10)
    assert [end.reason for end in found.ended] == ["HB", "range"]


def test_a_branch_point_is_located_beside_multipliers_that_are_too_large_for_numbers():
    """On a circle of squared radius p a state begins to move at p = 1/2, and a pair grows by e^50 in a turn."""
    model = bf.System.from_equations(
        {
            "x": "x*(p - s) - y",
            "y": "y*(p - s) + x",
            "w": "w*(s - 0.5 - w^2)",
            "u": "u*(8 - u^2 - v^2) - 0.3*v",
            "v": "v*(8 - u^2 - v^2) + 0.3*u",
        },
        {"p": -0.5},
        dict.fromkeys("xywuv", 0.0),
        definitions={"s": "x^2 + y^2"},
    )
    (point,) = followed(model, (-0.5, 1.0)).special_points
    assert point.label == "BPC" and point.status == "converged"
    assert point.parameters["p"] == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("rate", [1e4, 1e6, 1e8, 1e10, 1e11])
def test_cycles_beside_a_very_fast_state_have_no_bifurcations_of_their_own(rate):
    """r' = r (p - r^2), turning at rate 1, and what follows: multipliers 1, exp(-4 pi p) and next to nothing."""
    model = bf.System.from_equations(
        {"x": "x*(p - s) - y", "y": "y*(p - s) + x", "v": f"{rate!r}*(x + 0.3*y^2 - v)"},
        {"p": -0.5},
        dict.fromkeys("xyv", 0.0),
        definitions={"s": "x^2 + y^2"},
    )
    found = followed(model, (-0.5, 1.0))
    assert not found.special_points and len(found.branches[0].points) < 100
    assert np.all(found.branches[0].unstable <= 0)
    sizes = np.sort(np.abs(found.branches[0].multipliers), axis=1)
    wanted = np.exp(-4.0 * np.pi * found.branches[0].column("p"))
    # to what rounding of the fast rate leaves: 2.2e-16 times it, in a turn
    assert sizes[:, 1] == pytest.approx(wanted, abs=max(1e-8, 1e-15 * rate))
    unknown = int(np.sum(found.branches[0].unstable < 0))
    assert bool(unknown) == any("is not known" in note for note in found.notes)


@pytest.mark.parametrize("rate", [1e6, 1e9, 1e12])
def test_bifurcations_of_cycles_are_located_beside_very_fast_states(rate):
    """Beside the cycle r = 1 a state begins to move at p = 0.1 - q (x is nothing in the mean), a pair at 0.3 + q^2."""
    model = bf.System.from_equations(
        {
            "x": "x*(1 - s) - y",
            "y": "y*(1 - s) + x",
            "w": "w*(p - 0.1 + q + 0.3*x - w^2)",
            "u": "u*(p - 0.3 - q^2 - u^2 - v^2) - 0.3*v",
            "v": "v*(p - 0.3 - q^2 - u^2 - v^2) + 0.3*u",
            "z": f"{rate!r}*(x + w + u - z)",
        },
        {"p": 0.0, "q": 0.0},
        {"x": 1.0, "y": 0.0, "w": 0.0, "u": 0.0, "v": 0.0, "z": 1.0},
        definitions={"s": "x^2 + y^2"},
    )
    found = bf.orbits(bf.find_cycle(model), (0.0, 0.5), parameter="p")
    assert [(point.label, point.status) for point in found.special_points] == [
        ("BPC", "converged"),
        ("NS", "converged"),
    ]
    places = [point.parameters["p"] for point in found.special_points]
    assert places == pytest.approx([0.1, 0.3], abs=1e-10)  # what a parameter of an event is good to
    branching, torus = (bf.locus(point, second="q", bounds=(-0.4, 0.4)) for point in found.special_points)
    for curve, wanted in ((branching, lambda q: 0.1 - q), (torus, lambda q: 0.3 + q * q)):
        (branch,) = curve.branches
        q = branch.column("q")
        assert [end.reason for end in branch.ended] == ["range", "range"]
        assert branch.column("p") == pytest.approx(wanted(q), abs=1e-10)
    # they cross where q^2 + q + 0.2 = 0
    (crossing,) = torus.special_points
    assert crossing.label == "LPNS"
    assert crossing.parameters["q"] == pytest.approx(0.5 * (np.sqrt(0.2) - 1.0), abs=1e-8)  # a double multiplier


@pytest.mark.parametrize("rate", [1e8, 1e11])
def test_folds_of_cycles_are_passed_and_followed_beside_very_fast_states(rate):
    """Circles of squared radius s with p = s^2 - q s: folds at p = -q^2/4."""
    model = bf.System.from_equations(
        {
            "x": "x*g - y*(1 + s/2)",
            "y": "y*g + x*(1 + s/2)",
            "v": f"{rate!r}*(x*y + 0.4*x - v)",
            "w": f"{30.0 * rate!r}*(y + v - w)",
        },
        {"p": -0.5, "q": 1.0},
        dict.fromkeys("xyvw", 0.0),
        definitions={"s": "x^2 + y^2", "g": "p + q*s - s^2"},
    )
    found = bf.orbits(bf.diagram(model, "p", (-0.5, 1.0)).special("HB")[0])
    (fold,) = found.special_points
    assert [end.reason for end in found.ended] == ["HB", "range"]
    assert (fold.label, fold.status) == ("LPC", "converged")
    assert fold.parameters["p"] == pytest.approx(-0.25, abs=1e-10)
    (curve,) = bf.locus(fold, second="q", bounds=(0.2, 2.0)).branches
    assert [end.reason for end in curve.ended] == ["range", "range"]
    assert curve.column("p") == pytest.approx(-0.25 * curve.column("q") ** 2, abs=1e-9)  # the mesh's error


def test_a_shallow_fold_beside_the_hopf_point_is_found_from_the_cycles_too():
    # r' = r (mu + 3e-5 r^2 - r^4): the fold is at mu = -(3e-5 / 2)^2
    model = bf.System.from_equations(
        {"x": "mu*x - y + x*(3e-5 - s)*s", "y": "x + mu*y + y*(3e-5 - s)*s"},
        {"mu": 1.0}, {"x": 1.0, "y": 0.0}, definitions={"s": "x^2 + y^2"},
    )  # fmt: skip
    found = bf.orbits(bf.find_cycle(model), (-0.5, 1.5), parameter="mu")
    (point,) = found.special_points
    assert point.label == "LPC"
    assert point.parameters["mu"] == pytest.approx(-2.25e-10, abs=1e-14)  # what mu is known to beside 1.5

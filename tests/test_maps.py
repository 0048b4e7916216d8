"""Maps: fixed points, cycles and their bifurcations, against closed forms and independent computations."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from piecewise_cycles import tried

import bifrncrn as bf

DELAYED = bf.System.from_map({"x": "r*x*(1 - y)", "y": "x"}, {"r": 1.5}, {"x": 0.3, "y": 0.3}, title="delayed logistic")
LOGISTIC = bf.System.from_map({"x": "r*x*(1 - x)"}, {"r": 2}, {"x": 0.5}, title="logistic")
HENON = bf.System.from_map({"x": "1 - a*x^2 + y", "y": "b*x"}, {"a": 0.2, "b": 0.3}, {"x": 0.8, "y": 0.2})
TENT = bf.System.from_map({"x": "l*min(x, 0) + r*max(x, 0) + mu"}, {"l": 0.5, "r": -1.5, "mu": 1}, {"x": 0.4})


@pytest.fixture(scope="module")
def doubled():
    return bf.diagram(LOGISTIC, "r", (0.5, 4), doublings=3)


def found(diagram, label, iterations=1):
    return [p for p in diagram.special_points if p.label == label and p.iterations == iterations]


def values(points):
    return [next(iter(p.parameters.values())) for p in points]


def test_the_doublings_of_the_logistic_map(doubled):
    """r = 3 and 1 + sqrt(6) in closed form; the others: Strogatz, Nonlinear Dynamics and Chaos, section 10.2."""
    published = {1: 3.0, 2: 1 + np.sqrt(6), 4: 3.54409035955192, 8: 3.56440726609543}
    assert {p.iterations: values([p])[0] for p in doubled.special("PD")} == pytest.approx(published, abs=1e-11)
    assert values(doubled.special("BP")) == pytest.approx([1.0], abs=1e-12)
    assert len(doubled.special_points) == 5
    assert [b.iterations for b in doubled.branches] == [1, 1, 2, 4, 8]
    assert [b.kind for b in doubled.branches] == ["fixed_point"] * 5
    for branch in doubled.branches[2:]:
        assert branch.ended[0].reason == "period doubling"


def test_multipliers_count_outside_the_unit_circle(doubled):
    branch = doubled.branches[0] if doubled.branches[0].points[-1, 1] > 0.5 else doubled.branches[1]
    r, x = branch.points.T
    away = np.abs(np.abs(2 - r) - 1) > 1e-6
    np.testing.assert_allclose(branch.multipliers[:, 0].real, r * (1 - 2 * x), atol=1e-9)
    assert np.array_equal(branch.unstable[away], (np.abs(r * (1 - 2 * x)) > 1)[away])


def test_the_coefficient_of_a_doubling(doubled):
    """For a map of one variable b = (f''/2)^2 + f'''/6 at a multiplier -1: r^2 = 9 at the first doubling."""
    first = found(doubled, "PD")[0]
    assert first.b == pytest.approx(9.0, abs=1e-9)
    assert first.criticality == "supercritical"
    second = found(doubled, "PD", 2)[0]
    r, x = second.parameters["r"], second.state["x"]
    inner = np.polynomial.Polynomial([0, r, -r])
    twice = inner(inner)
    assert second.b == pytest.approx((twice.deriv(2)(x) / 2) ** 2 + twice.deriv(3)(x) / 6, rel=1e-9)
    np.testing.assert_allclose(np.sort(second.states[:, 0]), np.sort([x, inner(x)]), atol=1e-12)


def test_a_cycle_of_three_points_is_born_in_a_fold():
    r = 1 + np.sqrt(8)
    diagram = bf.diagram(LOGISTIC, "r", (3.5, 4), start={"x": 0.16, "r": 3.83}, iterations=3)
    fold, doubling = found(diagram, "LP", 3)[0], found(diagram, "PD", 3)[0]
    assert fold.parameters["r"] == pytest.approx(r, abs=1e-11)
    assert doubling.parameters["r"] == pytest.approx(
        3.8414990075435078, abs=1e-11
    )  # the cubic's discriminant, 50 digits
    assert len(diagram.special_points) == 2
    p = np.polynomial.Polynomial([0, 1])
    for _ in range(3):
        p = fold.parameters["r"] * p * (1 - p)
    assert abs(fold.a) == pytest.approx(abs(p.deriv(2)(fold.state["x"])) / 2, rel=1e-6)


def test_henon_in_closed_form():
    diagram = bf.diagram(HENON, "a", (-0.5, 1.0))
    assert values(found(diagram, "LP")) == pytest.approx([-(0.7**2) / 4], abs=1e-12)  # Henon (1976)
    assert values(found(diagram, "PD")) == pytest.approx([3 * 0.7**2 / 4], abs=1e-12)
    assert len(diagram.special_points) == 2


def test_the_neimark_sacker_point_of_the_delayed_logistic_map():
    """At r = 2, with multipliers exp(+-i pi/3) and Re d = -1 (Kuznetsov, chapter 4, exercise 2)."""
    diagram = bf.diagram(DELAYED, "r", (0.5, 2.6))
    (point,) = diagram.special("NS")
    assert point.parameters["r"] == pytest.approx(2.0, abs=1e-12)
    assert point.theta == pytest.approx(np.pi / 3, abs=1e-9)
    assert point.re_d == pytest.approx(-1.0, abs=1e-6)
    assert point.criticality == "supercritical"
    assert sorted(p.label for p in diagram.special_points) == ["BP", "NS"]


def test_no_neutral_saddle_is_a_neimark_sacker_point():
    """Two real multipliers m and 1/m: their product passes through one, and nothing happens."""
    saddle = bf.System.from_map({"x": "(2 + a)*x", "y": "0.5*y"}, {"a": 0.1}, {"x": 0, "y": 0})
    assert bf.diagram(saddle, "a", (-0.5, 0.5)).special_points == ()


def test_strong_resonance_has_no_coefficient():
    """Multipliers that leave the circle at a third root of one."""
    c, s = -0.5, float(np.sqrt(0.75))
    turn = {"x": f"(1 + a)*({c!r}*x - {s!r}*y) + x^2 - y^2", "y": f"(1 + a)*({s!r}*x + {c!r}*y) - 2*x*y"}
    diagram = bf.diagram(bf.System.from_map(turn, {"a": -0.05}, {"x": 0, "y": 0}), "a", (-0.1, 0.1))
    (point,) = diagram.special("NS")
    assert point.theta == pytest.approx(2 * np.pi / 3, abs=1e-9)
    assert not np.isfinite(point.re_d)
    assert "strong resonance" in str(diagram)


def test_two_multipliers_that_pass_minus_one_are_no_torus():
    """Two uncoupled logistic maps, one a little behind the other."""
    pair = {"x": "r*x*(1 - x)", "y": "(r - 0.001)*y*(1 - y)"}
    diagram = bf.diagram(bf.System.from_map(pair, {"r": 2.5}, {"x": 0.6, "y": 0.6}), "r", (2, 3.4))
    assert values(found(diagram, "PD")) == pytest.approx([3.0, 3.001], abs=1e-10)
    assert not diagram.special("NS")


def test_a_doubled_branch_that_comes_home_stops_there():
    """Two doublings joined by a branch of 2-cycles: r (1 - r/4) passes 3/4 twice, at 1 and 3, in x -> 4 q x (1 - x)."""
    bubble = bf.System.from_map({"x": "(2 + 4*s*(2 - s)*0.5)*x*(1 - x)"}, {"s": 0.1}, {"x": 0.5})
    diagram = bf.diagram(bubble, "s", (0.05, 1.95), doublings=1)
    ends = sorted(values(found(diagram, "PD")))
    assert ends == pytest.approx([1 - np.sqrt(0.5), 1 + np.sqrt(0.5)], abs=1e-10)
    (cycle,) = [b for b in diagram.branches if b.iterations == 2]
    assert [end.reason for end in cycle.ended] == ["period doubling"] * 2
    assert len(found(diagram, "PD")) == 2
    assert not found(diagram, "BP", 2)


def test_a_border_collision_of_the_skew_tent_map():
    diagram = bf.diagram(TENT, "mu", (-1, 1))
    (point,) = diagram.special_points
    assert point.label == "BC"
    assert point.parameters["mu"] == pytest.approx(0.0, abs=1e-12)
    branch = diagram.branches[0]
    assert {round(float(m), 9) for m in branch.multipliers[:, 0].real[[0, -1]]} == {0.5, -1.5}
    assert set(branch.unstable[branch.points[:, 0] < -1e-6]) == {0}
    assert set(branch.unstable[branch.points[:, 0] > 1e-6]) == {1}


def test_the_cycle_born_in_a_border_collision():
    """x -> l x + mu for x < 0, r x + mu for x > 0: the 2-cycle has x = mu (1 + l) / (1 - l r), multiplier l r."""
    diagram = bf.diagram(TENT, "mu", (-1, 1), start={"x": -0.29, "mu": 1}, iterations=2)
    (cycle,) = [b for b in diagram.branches if b.iterations == 2]
    mu, x = cycle.points[np.argmax(cycle.points[:, 0])]
    assert mu == pytest.approx(1.0, abs=1e-14)
    assert sorted([x, (0.5 if x < 0 else -1.5) * x + 1]) == pytest.approx([-0.5 / 1.75, 1.5 / 1.75], abs=1e-12)
    np.testing.assert_allclose(cycle.multipliers[1:-1].real, -0.75, atol=1e-9)
    assert cycle.points[:, 0].min() == pytest.approx(0.0, abs=1e-9)
    assert not diagram.special("PD")


def test_a_start_on_a_cycle_must_lead_to_one_of_that_length():
    with pytest.raises(bf.ConvergenceError, match="no cycle of 2 points"):
        bf.diagram(LOGISTIC, "r", (0.5, 2.9), iterations=2)
    with pytest.raises(bf.InputError, match="iterations"):
        bf.diagram(LOGISTIC, "r", (0.5, 2.9), iterations=0)


def test_events_and_stops_on_maps():
    diagram = bf.diagram(LOGISTIC, "r", (1.5, 3.5), events=["x = 0.6"], stop=["PD"])
    (event,) = diagram.special("UZ")
    assert event.parameters["r"] == pytest.approx(2.5, abs=1e-11)
    assert diagram.branches[0].points[:, 0].max() == pytest.approx(3.0, abs=1e-11)
    assert {end.reason for end in diagram.branches[0].ended} == {"range", "stop"}


def test_a_diagram_of_a_map_is_saved_whole(doubled, tmp_path):
    doubled.save(tmp_path / "map.json")
    again = bf.Diagram.load(tmp_path / "map.json")
    assert again.system.kind == "map"
    assert str(again) == str(doubled)
    for one, other in zip(doubled.branches, again.branches, strict=True):
        assert np.array_equal(one.multipliers, other.multipliers)
        assert one.iterations == other.iterations
    for one, other in zip(doubled.special_points, again.special_points, strict=True):
        assert np.array_equal(one.states, other.states)
    more = bf.with_doublings(again, 1)
    assert values(found(more, "PD", 16)) == pytest.approx([3.56875941954382], abs=1e-9)  # Strogatz, section 10.2
    assert again.branch(found(again, "PD")[0]).branches[0].iterations == 2


def test_the_report_of_a_map(doubled, tmp_path):
    text = str(doubled)
    assert "multipliers outside the unit circle" in text
    assert "stable 4-cycle for 3.4495 < r < 3.5441" in " ".join(text.split())
    assert "eigenvalue" not in text
    ax = Figure().subplots()
    assert doubled.plot(ax=ax) is ax
    drawn = [line for line in ax.lines if line.get_label() == "_special"]
    assert len(drawn) == 1 + sum(p.iterations for p in doubled.special("PD"))  # at every point of a cycle
    doubled.to_csv(tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text().count("fixed_point") == sum(len(b.points) for b in doubled.branches)


def test_iterating_a_map():
    run = LOGISTIC.simulate(3, state=[0.25], values={"r": 4})
    assert run.t.tolist() == [0, 1, 2, 3]
    assert run.x[:, 0] == pytest.approx([0.25, 0.75, 0.75, 0.75])
    with pytest.raises(bf.InputError, match="whole numbers"):
        LOGISTIC.simulate(2.5)


@pytest.mark.parametrize(
    "verb",
    [
        lambda m, d: bf.orbits(d.special("PD")[0]),
        lambda m, d: bf.with_orbits(d),
        lambda m, d: bf.find_cycle(m),
        lambda m, d: bf.compare_diagrams(d, d),
        lambda m, d: bf.find_equilibria(m, {"x": (0, 1)}),
    ],
)
def test_what_is_for_differential_equations_refuses_a_map(verb, doubled):
    with pytest.raises(bf.InputError, match=r"differential equations") as error:
        verb(LOGISTIC, doubled)
    assert "logistic is a map" in str(error.value) or "of a map" in str(error.value)


def test_a_map_is_a_model_file(tmp_path, capsys):
    path = tmp_path / "logistic.toml"
    path.write_text(LOGISTIC.to_toml())
    assert bf.System.from_file(path).kind == "map"
    done = bf.main(
        ["diagram", str(path), "--parameter", "r", "--range", "0.5", "3.5", "--doublings", "1", "--json", "-"]
    )
    said = json.loads(capsys.readouterr().out)
    assert done == 0
    assert [p["iterations"] for p in said["special_points"] if p["label"] == "PD"] == [1, 2]
    assert said["branches"][0]["iterations"] == 1
    assert len(said["branches"][0]["multipliers"]) == len(said["branches"][0]["points"])
    for words in (["--orbits"], ["--cycle"]):
        assert bf.main(["diagram", str(path), "--parameter", "r", "--range", "1", "3", *words]) == 2
        assert "is a map" in capsys.readouterr().err
    with pytest.raises(bf.InputError, match="kind"):
        bf.System.from_toml(LOGISTIC.to_toml().replace('"map"', '"mop"'))
    for target in ("logistic.ode", "logistic.xml"):
        with pytest.raises(bf.InputError, match="differential equations"):
            bf.convert(path, tmp_path / target)


NECKLACES = {1: 2, 2: 1, 3: 2, 4: 3, 5: 6, 6: 9, 7: 18, 8: 30}
"""Cycles of the full tent map: of 2^k symbol sequences those of least period k, rotations once."""


def test_all_cycles_of_the_tent_map():
    tent = bf.System.from_map({"x": "min(2*x, 2 - 2*x)"}, state={"x": 0.3})
    for period, count in NECKLACES.items():
        found = bf.cycles(tent, period=period)
        assert len(found) == count, period
        assert found.exhaustive
        for cycle in found:
            assert np.abs(cycle.multipliers) == pytest.approx([2.0**period])
            x = cycle.states[:, 0]
            np.testing.assert_allclose(np.minimum(2 * x, 2 - 2 * x), np.roll(x, -1), atol=1e-12)
    assert "exhaustive" in str(found)


@pytest.mark.parametrize("seed", range(4))
def test_all_cycles_of_small_networks_as_by_trying_every_sequence(seed):
    rng = np.random.default_rng(seed)
    n, m = 2, 3
    a, outer, inner = rng.uniform(-0.9, 0.9, n), 1.5 * rng.normal(size=(n, m)), rng.normal(size=(m, n))
    h1, h2 = rng.normal(size=n), rng.normal(size=m)
    shallow = bf.System.shplrnn(a, outer, inner, h1, h2)
    plain = bf.System.plrnn(a, outer[:, :2], h1)
    for period in (1, 2, 3):
        wanted = tried(a, outer, inner, h1, h2, period), tried(a, outer[:, :2], np.eye(2), h1, np.zeros(2), period)
        assert (len(bf.cycles(shallow, period=period)), len(bf.cycles(plain, period=period))) == wanted


def test_an_enumeration_that_is_not_exhaustive_says_so():
    lozi = bf.System.from_map({"x": "1 - a*abs(x) + y", "y": "b*x"}, {"a": 1.7, "b": 0.5}, {"x": 0, "y": 0})
    whole, part = bf.cycles(lozi, period=6), bf.cycles(lozi, period=6, limit=10)
    assert whole.exhaustive
    assert not part.exhaustive
    assert "not exhaustive" in part.evidence
    every = np.concatenate([cycle.states for cycle in whole])
    near = [np.abs(every - state).max(axis=1).min() for cycle in part for state in cycle.states]
    assert near and max(near) < 1e-9  # what the search finds is among all there are
    turn = bf.System.from_map({"x": "-y", "y": "x"}, state={"x": 1, "y": 0})
    every = bf.cycles(turn, period=4)
    assert not every.exhaustive
    assert "lines" in every.evidence
    with pytest.raises(bf.InputError, match="not linear"):
        bf.cycles(LOGISTIC, period=1)


def test_a_network_as_a_map():
    """The fixed point and its border collision: z2 = (w h1/(1 - a1) + h2)/(1 - a2) = 0."""
    net = bf.System.plrnn([-0.02, 0.96], [[0, -0.64], [0.52, 0]], [0.37, -0.98])
    np.testing.assert_allclose(net.rhs([1.0, 2.0]), [-0.02 - 1.28 + 0.37, 1.92 + 0.52 - 0.98])
    diagram = bf.diagram(net, "h2", (-1, -0.1), start={"z1": 0.36, "z2": -22})
    (point,) = diagram.special_points
    assert point.label == "BC"
    assert point.parameters["h2"] == pytest.approx(-0.52 * 0.37 / 1.02, abs=1e-12)
    with pytest.raises(bf.InputError, match="shape"):
        bf.System.plrnn([1, 2], [[1, 2]], [1, 2])


def test_no_fixed_point_is_made_up_where_there_is_none():
    """z -> 0.78 z + 1.1 max(z, 0) + h has none for h > 0, and goes to infinity."""
    with pytest.raises(bf.ConvergenceError, match="no fixed point"):
        bf.diagram(bf.System.plrnn([0.78], [[1.1]], [1.45]), "h1", (-3, 3))


def test_a_vertical_branch_of_doubled_cycles_has_no_folds():
    """The Lozi map is linear beside its fixed point, whose doubling at a = 1 - b all 2-cycles leave at once."""
    lozi = bf.System.from_map({"x": "1 - a*abs(x) + y", "y": "b*x"}, {"a": 0.2, "b": 0.3}, {"x": 0.5, "y": 0.1})
    diagram = bf.diagram(lozi, "a", (-0.6, 1.2), doublings=1)
    (point,) = diagram.special("PD")
    assert point.parameters["a"] == pytest.approx(0.7, abs=1e-9)
    assert point.b == pytest.approx(0.0, abs=1e-9)
    assert {p.label for p in diagram.special_points} == {"PD", "BC"}


def test_a_closed_branch_of_cycles_is_followed_once():
    """The 7-cycles of the delayed logistic map exist between two folds, where all 7 points take turns."""
    diagram = bf.diagram(DELAYED, "r", (0.5, 2.6), start={"x": 0.12, "y": 0.54, "r": 2.2}, iterations=7)
    folds = sorted(values(diagram.special("LP")))
    assert folds[0] == pytest.approx(2.1763981144421703, abs=1e-10)  # of the extended system, in 50 digits
    assert len(folds) == len(diagram.special_points) == 2
    assert {end.reason for end in diagram.branches[0].ended} == {"closed"}


def test_searching_for_cycles_that_are_not_connected():
    """The Henon map at a = 1.2 has one 4-cycle from the cascade; nothing of a lower period is listed."""
    henon = HENON.with_(values={"a": 1.2})
    diagram = bf.diagram(henon, "a", (0.92, 1.3), all=True, box={"x": (-2, 2), "y": (-1, 1)}, iterations=4)
    assert {branch.iterations for branch in diagram.branches} == {4}
    assert all(len(np.unique(np.round(p.states[:, 0], 6))) == 4 for p in diagram.special_points)


def test_out_of_phase_doubling_of_coupled_maps():
    """Multipliers of the fixed point in phase: 2 - r and 2 - r - 2 e, so doublings at r = 3 and 3 - 2 e."""
    pair = {"x": "r*x*(1 - x) + e*(y - x)", "y": "r*y*(1 - y) + e*(x - y)"}
    system = bf.System.from_map(pair, {"r": 2, "e": 0.1}, {"x": 0.5, "y": 0.5})
    diagram = bf.diagram(system, "r", (1.5, 3.2))
    assert values(found(diagram, "PD"))[:2] == pytest.approx([2.8, 3.0], abs=1e-10)


def test_lyapunov_exponents_of_maps():
    """Logistic map at r = 4: log 2; Henon map: 0.4192 (Sprott, Chaos and Time-Series Analysis), sum log b."""
    chaos = bf.lyapunov_spectrum(LOGISTIC, values={"r": 4}, state={"x": 0.3}, time=4000)
    assert abs(chaos.exponents[0] - np.log(2)) < 2 * chaos.errors[0] < 0.05
    henon = bf.lyapunov_spectrum(HENON, values={"a": 1.4}, state={"x": 0.1, "y": 0.1}, time=6000)
    assert abs(henon.exponents[0] - 0.4192) < 2 * henon.errors[0] < 0.05
    assert henon.exponents.sum() == pytest.approx(np.log(0.3), abs=1e-10)
    stable = bf.lyapunov_spectrum(LOGISTIC, values={"r": 2.5}, time=500)
    assert stable.exponents[0] == pytest.approx(np.log(0.5), abs=1e-9)
    assert "escaped" in str(bf.lyapunov_spectrum(LOGISTIC, values={"r": 4.5}, state={"x": 0.4}))
    with pytest.raises(bf.InputError, match="steps"):
        bf.lyapunov_spectrum(LOGISTIC, time=10.5)


@pytest.mark.parametrize(("field", "period"), [("max(x, 1)", 1), ("max(3 - x, 0.5*x)", 2), ("abs(x)", 1)])
def test_a_line_of_cycles_is_no_exhaustive_list(field, period):
    """Every x >= 1 is fixed; all of [1, 2] but 1.5 are 2-cycles; every x >= 0 is fixed."""
    found = bf.cycles(bf.System.from_map({"x": field}, state={"x": 0.3}), period=period)
    assert not found.exhaustive and "whole lines" in str(found)


@pytest.mark.parametrize("field", ["x", "max(x, 0.2)"])
def test_where_nothing_can_be_followed_a_note_says_so(field):
    """All states are fixed, whatever p is: there is no curve of fixed points."""
    diagram = bf.diagram(bf.System.from_map({"x": field}, {"p": 1.0}, {"x": 0.5}), "p", (0.5, 2))
    assert not diagram.branches and any("continuum" in note for note in diagram.notes)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda m: m.simulate(3, method="nonsense"), "method 'nonsense' is unknown"),
        (lambda m: m.simulate(3).at(0.5), "no states between its steps"),
        (lambda m: bf.diagram(m, "r", (2.5, 3.2), doublings=-1), "doublings is -1; give a whole number"),
        (lambda m: bf.find_equilibria(m, {"x": (0, 1)}), "find_equilibria is for differential equations"),
        (lambda m: bf.extend(bf.diagram(m, "r", (2.5, 3.2)), (2.6, 3.5)), "does not contain the diagram's own"),
        (lambda m: bf.System.plrnn(A=[1, 2], W=[1, 2], h=[0, 0]), "W must be of shape 2 x 2"),
    ],
)
def test_what_does_not_fit_a_map_is_said(wrong, says):
    with pytest.raises(bf.InputError) as caught:
        wrong(bf.System.from_map({"x": "r*x*(1 - x)"}, {"r": 2.8}, {"x": 0.6}))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("equations", "parameter", "span", "state", "special"),
    [
        # the axis y = 0 has the multiplier -1 for all d (a = 3), the equilibrium y > 0 leaves it at d = 3/2
        ({"x": "3*x*(1 - x) - 3.5*x*y", "y": "d*x*y"}, "d", (1.0, 1.4), {"x": 2 / 3, "y": 0}, []),
        ({"x": "-x", "y": "y + d - y^2"}, "d", (0.1, 0.8), {"x": 0, "y": 0.7}, []),
        ({"x": "x + p + d*sin(x)", "p": "p + d*sin(x)"}, "d", (0.5, 3.5), {"x": np.pi, "p": 0}, []),
        ({"x": "0.6*x - 0.8*y", "y": "0.8*x + 0.6*y", "z": "z + d - z^2"}, "d", (0.2, 1.5), {"z": 0.7}, [("PD", 1.0)]),
    ],
)
def test_multipliers_that_stay_on_the_circle_tell_no_stability(equations, parameter, span, state, special):
    """What rounding puts in or out of the circle is no event, and nobody knows whether the points are stable."""
    start = {name: state.get(name, 0.0) for name in equations}
    diagram = bf.diagram(bf.System.from_map(equations, {parameter: span[0] + 0.1}, start), parameter, span)
    assert [(p.label, round(p.parameters[parameter], 9)) for p in diagram.special_points] == special
    assert set(diagram.branches[0].unstable.tolist()) <= {-1, 1}
    assert -1 in diagram.branches[0].unstable
    assert "stays on the unit circle" in " ".join(str(diagram).split())
    assert "stable fixed point" not in str(diagram)


STAYS = {
    "flip": {"u": "-u"},
    "turn": {"u": "0.6*u - 0.8*(v - u^2)", "v": "0.8*u + 0.6*(v - u^2)"},  # the area-keeping map of Henon
}


@pytest.mark.parametrize("beside", STAYS)
def test_what_crosses_the_circle_beside_multipliers_that_stay_on_it(beside):
    """The logistic map doubles at r = 3, the delayed one has its torus at r = 2 with multipliers exp(+- i pi / 3)."""
    rest = dict.fromkeys(STAYS[beside], 0.0)
    line = bf.System.from_map({"x": "r*x*(1 - x)"} | STAYS[beside], {"r": 2.5}, {"x": 0.6} | rest)
    (doubling,) = bf.diagram(line, "r", (2, 3.5)).special_points
    assert (doubling.label, doubling.status) == ("PD", "converged")
    assert doubling.parameters["r"] == pytest.approx(3.0, abs=1e-12)
    if beside == "flip":  # two multipliers of -1 have no normal form of one
        assert np.isnan(doubling.b)
    else:
        assert doubling.b == pytest.approx(9.0, abs=1e-9)  # r^2, as there is no third derivative
    plane = bf.System.from_map(
        {"x": "r*x*(1 - y)", "y": "x"} | STAYS[beside], {"r": 1.5}, {"x": 1 / 3, "y": 1 / 3} | rest
    )
    diagram = bf.diagram(plane, "r", (1.2, 3))
    (torus,) = diagram.special_points
    assert (torus.label, torus.status) == ("NS", "converged")
    assert torus.parameters["r"] == pytest.approx(2.0, abs=1e-12)
    assert (torus.theta, torus.re_d) == pytest.approx((np.pi / 3, -1.0), abs=1e-9)
    r, unstable = diagram.branches[0].column("r"), diagram.branches[0].unstable
    assert set(unstable[r < 2 - 1e-9]) == {-1} and set(unstable[r > 2 + 1e-9]) == {2}


def test_two_crossings_at_once_beside_one_that_stays_are_bracketed():
    three = {"x": "r*x*(1 - x)", "y": "r*y*(1 - y)", "u": "-u"}
    start = {"x": 0.6, "y": 0.6, "u": 0.0}
    (both,) = bf.diagram(bf.System.from_map(three, {"r": 2.5}, start), "r", (2, 3.4)).special_points
    assert (both.label, both.status) == ("PD", "bracketed")
    low, high = both.bracket
    assert low <= 3 <= high


def test_coefficients_beside_a_slow_mode_and_of_terms_that_all_but_cancel():
    """A slaved y = -x^2 gives b = -1 exactly; of -x + x^2 - (1 - g) x^3 it is g (rounding: 1e-15 of that)."""
    slow = {"x": "-(1 + p)*x + y*x", "y": "(1 - e)*y - e*x^2"}
    for e in (1e-6, 1e-7):
        system = bf.System.from_map(slow, {"p": -0.3, "e": e}, {"x": 0, "y": 0})
        (point,) = bf.diagram(system, "p", (-0.5, 0.5)).special("PD")
        assert point.b == pytest.approx(-1.0, abs=1e-15 / e)
    tiny = {"x": "-(1 + p)*x + k*x^2 - (1 - g)*k^2*x^3"}
    for k, g in ((1.0, 1e-11), (1e6, -1e-11), (1e-5, 1e-11)):
        system = bf.System.from_map(tiny, {"p": -0.3, "k": k, "g": g}, {"x": 0})
        (point,) = bf.diagram(system, "p", (-0.5, 0.5)).special("PD")
        assert point.b == pytest.approx(g * k**2, rel=1e-15 / abs(g) * 4)


def test_a_coefficient_of_rounding_has_no_sign():
    """x -> a + 1/x is its own inverse at a = 0: all points are 2-cycles, and b = 0."""
    diagram = bf.diagram(bf.System.from_map({"x": "a + 1/x"}, {"a": 1.0}, {"x": 1.6}), "a", (-2, 2))
    (point,) = diagram.special("PD")
    assert point.b == 0.0
    assert point.criticality is None


def test_a_sum_that_a_map_keeps_is_divided_out():
    """Infected I' = I + b S I - g I of N = S + I = 1: I = 0 has 1 + b - g, I = 1 - g/b has 1 - b + g."""
    model = bf.System.from_map(
        {"S": "S - b*S*I + g*I", "I": "I + b*S*I - g*I"}, {"b": 0.5, "g": 0.3}, {"S": 0.6, "I": 0.4}
    )
    diagram = bf.diagram(model, "b", (0.1, 3), doublings=1)
    found = [(p.label, p.iterations, round(p.parameters["b"], 9)) for p in diagram.special_points]
    assert sorted(found) == [
        ("BP", 1, 0.3),
        ("PD", 1, 2.3),
        ("PD", 2, round(0.3 + np.sqrt(6), 9)),
    ]  # as the logistic map
    assert "total_S = S + I" in str(diagram)
    (second,) = [p for p in diagram.special("PD") if p.iterations == 2]
    np.testing.assert_allclose(second.states.sum(axis=1), 1.0, atol=1e-12)
    once = bf.with_doublings(bf.diagram(model, "b", (0.1, 3)), 1)
    assert [p.label for p in once.special_points] == [p.label for p in diagram.special_points]
    assert once.branch(once.special("PD")[0]).branches[0].columns == ("b", "S", "I")


def test_a_rate_of_change_is_no_next_state():
    with pytest.raises(bf.InputError, match="rate of change"):
        bf.System.from_map({"dx/dt": "r*x*(1 - x)"}, {"r": 2}, {"x": 0.5})
    assert bf.System.from_map({"x'": "r*x*(1 - x)"}, {"r": 2}, {"x": 0.5}).rhs([0.5])[0] == 0.5


def test_a_diagram_of_a_map_goes_on_over_a_wider_range(tmp_path, capsys):
    whole = bf.diagram(LOGISTIC, "r", (0.2, 3.9), doublings=1)
    part = bf.diagram(LOGISTIC, "r", (0.5, 3.3), doublings=1)
    part.save(tmp_path / "part.json")
    for one in (part, bf.Diagram.load(tmp_path / "part.json")):
        wider = bf.extend(one, (0.2, 3.9))
        assert [(b.iterations, b.origin) for b in wider.branches] == [(b.iterations, b.origin) for b in whole.branches]
        for a, b in zip(wider.special_points, whole.special_points, strict=True):
            assert (a.label, a.iterations) == (b.label, b.iterations)
            assert a.parameters["r"] == pytest.approx(b.parameters["r"], abs=1e-11)
    again = bf.with_doublings(wider, 1)
    assert [b.iterations for b in again.branches] == [1, 1, 2, 4]
    model = tmp_path / "logistic.toml"
    model.write_text(LOGISTIC.to_toml())
    words = [
        "diagram",
        str(model),
        "--parameter",
        "r",
        "--extend",
        str(tmp_path / "part.json"),
        "--range",
        "0.2",
        "3.9",
    ]
    assert bf.main([*words, "--doublings", "1", "--json", "-"]) == 0
    assert len(json.loads(capsys.readouterr().out)["branches"]) == 4
    assert bf.main([*words, "--iterations", "2"]) == 2
    assert "leave --iterations out" in capsys.readouterr().err
    henon = bf.with_loci(bf.diagram(HENON, "a", (0.1, 0.3)), "b", (0, 0.5))
    assert [p.label for p in bf.extend(henon, (-0.5, 1)).special_points] == ["LP", "PD"]


def test_the_largest_exponent_of_a_map():
    """The logistic map at r = 4: log 2; at a fixed point the logarithm of the multiplier |2 - r|."""
    chaos = bf.largest_lyapunov(LOGISTIC, values={"r": 4}, state={"x": 0.3}, time=20_000)
    assert chaos.value == pytest.approx(np.log(2), abs=3 * chaos.error)
    assert 0 < chaos.error < 0.01
    assert bf.largest_lyapunov(LOGISTIC, values={"r": 2.5}).value == pytest.approx(np.log(0.5), abs=1e-12)
    assert bf.largest_lyapunov(LOGISTIC, values={"r": 2}).value == -np.inf  # its derivative at x = 1/2 is zero
    assert "escaped" in str(bf.largest_lyapunov(LOGISTIC, values={"r": 5}))
    with pytest.raises(bf.InputError, match="whole number"):
        bf.largest_lyapunov(LOGISTIC, time=10.5)


@pytest.mark.parametrize("given", [(), ("jacobian",), ("jacobian", "parameter_derivative")])
def test_a_python_function_as_a_map(given):
    """The delayed logistic map: NS at r = 2 with theta = pi/3 and Re d = -1 (Kuznetsov, chapter 4, exercise 2)."""
    derivatives = {
        "jacobian": lambda x, p: np.array([[p[0] * (1 - x[1]), -p[0] * x[0]], [1.0, 0.0]]),
        "parameter_derivative": lambda x, p: np.array([[x[0] * (1 - x[1])], [0.0]]),
    }
    delayed = bf.System.from_map(
        lambda x, p: [p[0] * x[0] * (1 - x[1]), x[0]], {"r": 1.5}, {"x": 0.3, "y": 0.3},
        **{name: derivatives[name] for name in given},
    )  # fmt: skip
    diagram = bf.diagram(delayed, "r", (0.5, 2.6))
    assert sorted(p.label for p in diagram.special_points) == ["BP", "NS"]
    (point,) = diagram.special("NS")
    assert point.parameters["r"] == pytest.approx(2.0, abs=1e-8)
    assert (point.theta, point.re_d) == pytest.approx((np.pi / 3, -1.0), abs=1e-4)
    assert "The map is a Python function" in str(diagram)


def test_cycles_of_a_python_function():
    logistic = bf.System.from_map(lambda x, p: p[0] * x * (1 - x), {"r": 2.0}, {"x": 0.5})
    diagram = bf.diagram(logistic, "r", (0.5, 3.6), doublings=2)
    published = [3.0, 1 + np.sqrt(6), 3.54409035955192]  # Strogatz, section 10.2
    assert values(diagram.special("PD")) == pytest.approx(published, abs=1e-8)
    assert [b.iterations for b in bf.extend(diagram, (0.2, 3.6)).branches] == [1, 1, 2, 4]
    assert logistic.simulate(2, state=[0.25], values={"r": 4}).x.ravel().tolist() == [0.25, 0.75, 0.75]
    for verb, says in (
        (lambda: bf.cycles(logistic, period=2), "Python function"),
        (lambda: bf.with_loci(diagram, "r", (0, 1)), "need the model's equations"),
        (lambda: bf.System.from_map(lambda x, p: x, {}), "needs its start"),
        (lambda: bf.System.from_map({"x": "x/2"}, jacobian=lambda x, p: x), "leave it out"),
    ):
        with pytest.raises(bf.InputError, match=says):
            verb()


def test_pictures_of_orbits_of_maps(tmp_path):
    run = LOGISTIC.simulate(40, state=[0.1], values={"r": 3.8})
    (line,) = run.plot(ax=Figure().subplots()).lines
    assert line.get_marker() == "o" and len(line.get_xdata()) == 41
    _, graph, stairs, _ = run.plot(against="x", ax=Figure().subplots()).lines
    x, after = graph.get_data()
    np.testing.assert_allclose(after, 3.8 * x * (1 - x), atol=1e-12)
    corners = np.column_stack(stairs.get_data())
    np.testing.assert_allclose(corners[1::2, 1], 3.8 * corners[1::2, 0] * (1 - corners[1::2, 0]), atol=1e-12)
    np.testing.assert_array_equal(corners[::2, 0], corners[::2, 1])  # every other corner is on the diagonal
    attractor = HENON.simulate(500, values={"a": 1.4}, state=[0.1, 0.1]).plot(against="x", ax=Figure().subplots())
    assert [line.get_linestyle() for line in attractor.lines] == ["None"]
    model = tmp_path / "logistic.toml"
    model.write_text(LOGISTIC.to_toml())
    words = ["simulate", str(model), "--time", "40", "--against", "x", "--plot", str(tmp_path / "cobweb.png")]
    assert bf.main(words) == 0
    assert (tmp_path / "cobweb.png").stat().st_size > 10_000
    with pytest.raises(bf.InputError, match="map of one state"):
        HENON.simulate(5).graph()


def test_attractors_of_maps():
    box = {"x": (0.0, 1.0)}
    (rest,) = bf.attractors(LOGISTIC, box, values={"r": 2.5}, samples=50)
    assert (rest.kind, rest.count, rest.period) == ("fixed point", 50, 1.0)
    assert (rest.state[0], rest.eigenvalues[0].real) == pytest.approx((0.6, -0.5), abs=1e-9)
    (cycle,) = bf.attractors(LOGISTIC, box, values={"r": 3.2}, samples=50)
    assert (cycle.kind, cycle.period) == ("cycle", 2.0)
    ends = (4.2 + np.array([-1, 1]) * np.sqrt(4.2 * 0.2)) / 6.4  # (r + 1 -+ sqrt((r + 1) (r - 3))) / 2 r
    np.testing.assert_allclose(np.sort(cycle.points[:, 0]), ends, atol=1e-12)
    assert cycle.eigenvalues[0].real == pytest.approx(4 + 2 * 3.2 - 3.2**2, abs=1e-9)  # 4 + 2 r - r^2
    (chaos,) = bf.attractors(LOGISTIC, box, values={"r": 4}, samples=20, max_steps=3000)
    assert chaos.kind == "chaotic"
    assert chaos.exponent.value == pytest.approx(np.log(2), abs=3 * chaos.exponent.error)
    slow, gone = (bf.attractors(LOGISTIC, box, values={"r": r}, samples=20, max_steps=2000) for r in (3, 5))
    assert (len(slow), slow.neutral, gone.escaped) == (0, 20, 20)
    odd = bf.System.from_map({"x": "r*x - x^3"}, {"r": 2.2}, {"x": 0.5})
    both = bf.attractors(odd, {"x": (-1.5, 1.5)}, samples=100)
    assert [each.period for each in both] == [2.0, 2.0]
    np.testing.assert_allclose(np.sort(both[0].points[:, 0]), np.sort(-both[1].points[:, 0]), atol=1e-10)


@pytest.mark.parametrize("r", [3.8284, 3.7446, 3.56995])
def test_a_unimodal_map_has_one_attractor(r):
    """Singer, SIAM J. Appl. Math. 35 (1978), 260. Orbits stay long on parts of it, or differences hardly grow on it."""
    (only,) = bf.attractors(LOGISTIC, {"x": (0.1, 0.9)}, values={"r": r}, samples=60)
    assert (only.kind, only.count) == ("chaotic", 60)


def test_sets_of_maps_that_lie_apart_or_that_stretch_areas():
    """Of x -> a x - x^3 one lies on each side of zero below a = 3 sqrt(3) / 2: the largest value is below sqrt(a)."""
    odd = bf.System.from_map({"x": "a*x - x^3"}, {"a": 2.5}, {"x": 0.5})
    sets = bf.attractors(odd, {"x": (-1.2, 1.2)}, samples=40)
    assert [each.kind for each in sets] == ["chaotic", "chaotic"]
    assert min(each.max[0] for each in sets) < 0 < max(each.min[0] for each in sets)
    twice = bf.System.from_map({"x": "4*x*(1 - x)", "y": "3.9*y*(1 - y)"}, state={"x": 0.3, "y": 0.4})
    (both,) = bf.attractors(twice, {"x": (0.1, 0.9), "y": (0.1, 0.9)}, samples=10, max_steps=2000)
    assert both.kind == "chaotic"
    assert both.exponent.value == pytest.approx(np.log(2), abs=3 * both.exponent.error)


def test_attractors_that_are_tori_or_none():
    """The delayed logistic map has an invariant curve beyond its Neimark-Sacker point; the standard map keeps areas."""
    found = bf.attractors(DELAYED, {"x": (0.3, 0.6), "y": (0.3, 0.6)}, values={"r": 2.1}, samples=10, max_steps=3000)
    assert [each.kind for each in found] == ["quasiperiodic"]
    assert abs(found[0].exponent.value) < 1e-3
    standard = bf.System.from_map({"x": "x + p + sin(x)", "p": "p + sin(x)"}, state={"x": 3, "p": 0})
    around = bf.attractors(standard, {"x": (3.0, 3.3), "p": (-0.1, 0.1)}, samples=10, max_steps=1000)
    assert (len(around), around.neutral) == (0, 10)


def test_invariant_curves_of_the_lyness_map_are_no_attractors():
    """It keeps dx dy / (x y) and has an integral; areas change at every step, and not in the mean."""
    lyness = bf.System.from_map({"x": "y", "y": "(a + y)/x"}, {"a": 2.0}, {"x": 1.0, "y": 1.0})
    found = bf.attractors(lyness, {"x": (0.5, 4.0), "y": (0.5, 4.0)}, samples=10, max_steps=1000)
    assert len(found) == 0 and found.neutral + found.undecided == 10


@pytest.mark.parametrize(
    ("option", "advice"), [({"periodic": ["x"]}, r"mod\(x \+ p, 2\*pi\)"), ({"period": "1"}, "no time")]
)
def test_what_is_an_option_of_flows_only_says_what_to_do_in_a_map(option, advice):
    with pytest.raises(bf.InputError, match=f"'{next(iter(option))}' is for differential equations.*{advice}"):
        bf.System.from_map({"p": "p + k*sin(x)", "x": "x + p + k*sin(x)"}, {"k": 0.5}, {"p": 0, "x": 3}, **option)
    turned = bf.System.from_map({"x": "mod(x + w, 2*pi)"}, {"w": 5.0}, {"x": 3})  # as the advice says
    assert abs(turned.rhs([3.0])[0] - (8.0 - 2.0 * np.pi)) < 1e-15

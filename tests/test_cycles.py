"""Cycles against closed forms, literature and the published networks; attractors; distances; Lyapunov exponents."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import bifrncrn as bf

make = bf.System.from_equations


def van_der_pol():
    return make({"x": "y", "y": "mu*(1 - x^2)*y - x"}, {"mu": 1.0}, {"x": 1.0, "y": 0.0})


def lorenz():
    return make(
        {"x": "s*(y - x)", "y": "x*(r - z) - y", "z": "x*y - b*z"},
        {"s": 10, "r": 28, "b": "8/3"},
        {"x": 1, "y": 1, "z": 20},
    )


def rossler(c):
    return make(
        {"x": "-y - z", "y": "x + a*y", "z": "b + z*(x - c)"}, {"a": 0.2, "b": 0.2, "c": c}, {"x": 1, "y": 1, "z": 0}
    )


def repeller():
    return make({"x": "-(1 - x^2 - y^2)*x - y", "y": "-(1 - x^2 - y^2)*y + x"}, {}, {"x": 0.5, "y": 0.0})


def unit_circle(k=50):
    angle = np.linspace(0, 2 * np.pi, k, endpoint=False)
    return np.column_stack([np.cos(angle), np.sin(angle)])


# -- closed forms and literature -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lam", [2.0001, 2.01, 2.25, 2.5, 3.0])
def test_hopf_normal_form_has_a_circle_of_period_two_pi(lam):
    system = bf.library.hopf().system  # starts in its unstable equilibrium
    cycle = bf.find_cycle(system, values={"lam": lam})
    radius = math.sqrt(lam - 2)
    assert cycle.period == pytest.approx(2 * math.pi, rel=1e-12)
    np.testing.assert_allclose(np.hypot(*(cycle.points - 5).T), radius, rtol=1e-7)
    np.testing.assert_allclose(cycle.min, 5 - radius, atol=1e-9)
    np.testing.assert_allclose(cycle.max, 5 + radius, atol=1e-9)
    # the radius obeys r' = (lam - 2) r - r^3, so the multiplier is exp(-2 (lam - 2) 2 pi)
    assert cycle.multipliers[1] == pytest.approx(math.exp(-4 * math.pi * (lam - 2)), rel=1e-7)
    assert cycle.stable and cycle.multipliers[0] == pytest.approx(1, abs=1e-10)


# periods: mu = 1 from high-precision series (Amore 2010); 10 and 100 by the same integration at 1e-13, to its digits
@pytest.mark.parametrize(("mu", "period"), [(1, 6.6632868593231), (10, 19.0783695669), (100, 162.837071092)])
def test_van_der_pol(mu, period):
    cycle = bf.find_cycle(van_der_pol(), values={"mu": mu})
    assert cycle.period == pytest.approx(period, rel=1e-11)
    assert cycle.stable and cycle.residual < 1e-12 and cycle.error < 1e-10
    assert cycle.max[0] == pytest.approx(2.0086198608748 if mu == 1 else 2.01, abs=1e-8 if mu == 1 else 0.01)


def two_circles(p):
    """Circles at r^2 = 1 - sqrt(p) and 1 + sqrt(p), the outer one stable; the angle's speed depends on r."""
    rate = "(p - (x^2 + y^2 - 1)^2)"
    equations = {"x": f"{rate}*x - (1 + x^2 + y^2)*y", "y": f"(1 + x^2 + y^2)*x + {rate}*y", "z": "x - z"}
    return bf.System.from_equations(equations, {"p": p}, {"x": 1.5, "y": 0.0, "z": 0.0})


@pytest.mark.parametrize("p", [1e-12, 1e-8, 1e-4])
def test_stable_right_beside_where_two_cycles_meet(p):
    cycle = bf.find_cycle(two_circles(p))
    s = math.sqrt(p)
    assert cycle.stability == "stable" and cycle.stable
    truth = math.expm1(-4 * s * (1 + s) * 2 * math.pi / (2 + s))  # r' = r (p - (r^2 - 1)^2), over one turn
    # at p = 1e-12 that is -1.3e-5, the difference of a multiplier from 1 that is itself good to 1e-9 or so
    assert cycle.multipliers[1].real - 1 == pytest.approx(truth, rel=1e-3)


def test_result_is_sampled_evenly_and_obeys_the_equations():
    system = van_der_pol()
    cycle = bf.find_cycle(system, samples=64)
    assert cycle.points.shape == (64, 2) and cycle.columns == ("x", "y")
    np.testing.assert_allclose(np.diff(cycle.times), cycle.period / 64)
    np.testing.assert_allclose(cycle.at(cycle.times + cycle.period), cycle.points, atol=1e-12)
    h = 1e-4
    slopes = (cycle.at(cycle.times + h) - cycle.at(cycle.times - h)) / (2 * h)
    np.testing.assert_allclose(slopes, [system.rhs(x) for x in cycle.points], atol=1e-6)
    run = system.simulate(cycle.period, state=cycle.points[0], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(run.x[-1], cycle.points[0], atol=1e-8)
    with pytest.raises(ValueError, match="read-only"):
        cycle.points[0] = 0


def test_multipliers_multiply_to_the_exponential_of_the_divergence():
    system = rossler(2.5)
    cycle = bf.find_cycle(system, samples=4000)
    divergence = np.mean([np.trace(system.jacobian(x)) for x in cycle.points]) * cycle.period
    assert np.prod(cycle.multipliers).real == pytest.approx(math.exp(divergence), rel=1e-4)


def test_period_doublings_give_the_doubled_cycle():
    once, twice, four = (bf.find_cycle(rossler(c)) for c in (2.5, 3.5, 4.0))
    assert once.stable and twice.stable and four.stable
    assert twice.period == pytest.approx(2 * once.period, rel=0.02)
    assert four.period == pytest.approx(2 * twice.period, rel=0.02)
    assert once.multipliers[1].real < 0  # on its way to -1


def test_cycle_that_repels():
    assert bf.find_cycle(repeller()) is None
    backwards = bf.find_cycle(repeller(), backward=True)
    guessed = bf.find_cycle(repeller(), guess=1.1 * unit_circle(), period=6.0)
    for cycle in (backwards, guessed):
        assert cycle.period == pytest.approx(2 * math.pi, rel=1e-12)
        assert not cycle.stable
        assert cycle.multipliers[1] == pytest.approx(math.exp(4 * math.pi), rel=1e-9)


AT_REST = {
    "centre": (("y", "-x"), (1.0, 0.0)),
    "centre elsewhere": (("y - 3", "5 - x"), (6.0, 3.0)),
    "centre in other units": (("1e9*y", "-1e-9*x"), (1e9, 0.0)),
    "focus": (("y - x/9", "-x - y/9"), (1.0, 0.0)),
}


@pytest.mark.parametrize(("equations", "start"), AT_REST.values(), ids=AT_REST.keys())
def test_an_equilibrium_is_no_cycle(equations, start):
    """In a centre every turn closes, and Newton's method may go to where nothing moves; a focus has nothing else."""
    system = make(dict(zip("xy", equations)), {}, dict(zip("xy", start)))
    found = bf.find_cycle(system, period=2 * math.pi)
    assert found is None or np.ptp(found.points, axis=0).min() > 0.1


def test_conservation_law_is_no_instability():
    equations = {"x": "A - (B + 1)*x + x^2*y", "y": "B*x - x^2*y", "u": "-u + v*x", "v": "u - v*x"}
    system = make(equations, {"A": 1, "B": 3}, {"x": 1, "y": 1, "u": 1, "v": 2}, nonnegative=True)
    alone = make({k: equations[k] for k in "xy"}, {"A": 1, "B": 3}, {"x": 1, "y": 1}, nonnegative=True)
    cycle = bf.find_cycle(system)
    assert cycle.stable
    np.testing.assert_allclose(cycle.multipliers[:2], 1, atol=1e-8)
    np.testing.assert_allclose(cycle.points[:, 2:].sum(axis=1), 3.0, atol=1e-4)
    assert cycle.period == pytest.approx(bf.find_cycle(alone).period, rel=1e-10)


@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_units_do_not_matter(scale):
    system = make({"x": "y", "y": f"(1 - (x/{scale})^2)*y - x"}, {}, {"x": scale, "y": 0.0})
    cycle = bf.find_cycle(system)
    assert cycle.period == pytest.approx(6.6632868593231, rel=1e-10)
    assert cycle.max[0] == pytest.approx(2.0086198608748 * scale, rel=1e-7)


def test_time_scale_does_not_matter():
    for rate in (1e-5, 1e5):
        system = make({"x": f"{rate}*y", "y": f"{rate}*((1 - x^2)*y - x)"}, {}, {"x": 1.0, "y": 0.0})
        assert bf.find_cycle(system).period == pytest.approx(6.6632868593231 / rate, rel=1e-10)


# -- what a trajectory settles to ----------------------------------------------------------------------------------

PAIR = {"x": "x*(1 - x^2 - y^2) - y", "y": "y*(1 - x^2 - y^2) + x"}
ATTRACTORS = {
    "fixed point": (lorenz().with_(values={"r": 10}), "equilibrium"),
    "decay to zero": (make({"x": "-x", "y": "-2*y"}, {}, {"x": 1, "y": 1}, nonnegative=True), "equilibrium"),
    "from a saddle": (make({"x": "x - x^3", "y": "-y"}, {}, {"x": 0, "y": 1}), "equilibrium"),
    "one state": (make({"x": "x - x^3"}, {}, {"x": 0.0}), "equilibrium"),
    "conserved": (make({"x": "-x + y", "y": "x - y"}, {}, {"x": 1, "y": 0}, nonnegative=True), "equilibrium"),
    "periodic window": (lorenz().with_(values={"r": 160}), "cycle"),
    "small beside its place": (
        make(
            {"x": "(1e-4 - u^2 - v^2)*u - v", "y": "(1e-4 - u^2 - v^2)*v + u"},
            {},
            {"x": 1000.1, "y": 1000},
            definitions={"u": "x - 1000", "v": "y - 1000"},
        ),
        "cycle",
    ),
    "blow-up": (make({"x": "x^2", "y": "-y"}, {}, {"x": 1, "y": 1}), "escape"),
    "growth": (make({"x": "x - y", "y": "x + y"}, {}, {"x": 1, "y": 1}), "escape"),
    "leaves the orthant": (make({"x": "-1", "y": "-y"}, {}, {"x": 1, "y": 1}, nonnegative=True), "escape"),
    "blow-up at once": (make({"x": "x^5"}, {}, {"x": 1}), "escape"),
    "blow-up from a slow start": (make({"x": "1 + x^2"}, {}, {"x": 0}), "escape"),
    "leaves its domain": (make({"x": "-sqrt(x)", "y": "x - y"}, {}, {"x": 1, "y": 0.1}), "escape"),
    "leaves it at a pole": (make({"x": "-1", "y": "log(x) - y"}, {}, {"x": 1, "y": 1}), "escape"),
    "rests at the border of its domain": (make({"x": "-x", "y": "sqrt(x) - y"}, {}, {"x": 1, "y": 1}), "equilibrium"),
    "rests at a bound, another moves": (
        make({"x": "-sqrt(x)", "y": "1 - y"}, {}, {"x": 1, "y": 0.1}, nonnegative=True),
        "undecided",
    ),
    "slides beside where it is not defined": (
        make({"x": "-1000*sign(x - 0.5)", "y": "log(x - 0.3) - y"}, {}, {"x": 1000.9, "y": 0.3}),
        "undecided",
    ),
    "slides": (make({"x": "0.1*y - sign(x)", "y": "0.3 - y"}, {}, {"x": 1, "y": 0.1}), "undecided"),
    "neutral cycles": (make({"x": "x - x*y", "y": "x*y - y"}, {}, {"x": 2, "y": 1}, nonnegative=True), "undecided"),
}


@pytest.mark.parametrize("name", ATTRACTORS)
def test_attractors(name):
    system, kind = ATTRACTORS[name]
    assert bf.describe_attractor(system, max_steps=15_000) == kind
    if kind != "cycle":
        assert bf.find_cycle(system, max_steps=3000) is None


@pytest.mark.slow
def test_chaos_and_torus():
    assert bf.describe_attractor(lorenz()) == "chaos or torus"
    assert bf.describe_attractor(rossler(5.7)) == "chaos or torus"
    assert bf.describe_attractor(bf.library.hastings_powell().system) == "chaos or torus"
    other = {"z": "z*(1 - z^2 - w^2) - sqrt(2)*w", "w": "w*(1 - z^2 - w^2) + sqrt(2)*z"}
    assert bf.describe_attractor(make({**PAIR, **other}, {}, {"x": 1, "y": 0, "z": 0.3, "w": 0.1})) == "chaos or torus"


@pytest.mark.parametrize(
    ("torque", "damping", "speed", "kind"),
    [
        (2.0, 1.5, 1.5, "rotation"),
        (-2.0, 1.5, 1.5, "rotation"),
        (0.5, 1.5, 1.5, "equilibrium"),
        (0.0, 1e-3, 200.0, "undecided"),  # it slows down, over a million turns
    ],
)
def test_a_pendulum_that_turns_on_and_on(torque, damping, speed, kind):
    """With damping 1.5 a pendulum rests where the torque is below 1, its greatest weight, and rotates above it."""
    turning = {"th": "v", "v": "torque - sin(th) - damping*v"}
    start = {"th": 0.0, "v": speed}
    model = bf.System.from_equations(turning, {"torque": torque, "damping": damping}, start, periodic=["th"])
    assert bf.describe_attractor(model) == kind


def test_too_slow_to_tell():
    system = make({"x": "-1e-5*x - y", "y": "x - 1e-5*y"}, {}, {"x": 1, "y": 1})
    assert bf.describe_attractor(system, max_steps=5000) == "undecided"


def test_bistable_start_decides():
    # radius: r' = -r (r^2 - 1) (r^2 - 4), so 0 and r = 2 attract and r = 1 repels
    rate = "-(r2 - 1)*(r2 - 4)"
    system = make({"x": f"{rate}*x - y", "y": f"{rate}*y + x"}, {}, {"x": 1, "y": 0}, definitions={"r2": "x^2 + y^2"})
    assert bf.describe_attractor(system, state={"x": 0.9}) == "equilibrium"
    assert bf.describe_attractor(system, state={"x": 1.1}) == "cycle"
    assert bf.find_cycle(system, state={"x": 1.1}).max[0] == pytest.approx(2, abs=1e-8)


def test_guess_of_a_point_and_the_period():
    # r' = r (r^2 - 1) (4 - r^2) / 20: the unit circle repels slowly
    rate = "(r2 - 1)*(4 - r2)/20"
    system = make({"x": f"{rate}*x - y", "y": f"{rate}*y + x"}, {}, {"x": 1, "y": 0}, definitions={"r2": "x^2 + y^2"})
    cycle = bf.find_cycle(system, state=[1.02, 0.0], period=6.2)
    np.testing.assert_allclose(np.hypot(*cycle.points.T), 1.0, atol=1e-8)
    assert not cycle.stable and cycle.multipliers[1] == pytest.approx(math.exp(0.6 * math.pi), rel=1e-9)


# -- distances -----------------------------------------------------------------------------------------------------


def test_hausdorff_of_circles():
    circle = unit_circle(400)
    assert bf.hausdorff(circle, circle) == 0
    assert bf.hausdorff(circle, unit_circle(399)) < 1e-4
    assert bf.hausdorff(circle, 1.25 * circle) == pytest.approx(0.25, abs=1e-4)
    assert bf.hausdorff(circle, circle + [0.3, 0]) == pytest.approx(0.3, abs=1e-4)
    assert bf.hausdorff(1.25 * circle, circle) == bf.hausdorff(circle, 1.25 * circle)


def test_hausdorff_is_not_one_sided():
    line, half = [[0, 0], [1, 0], [2, 0]], [[0, 0], [1, 0]]
    assert bf.hausdorff(line, half, closed=False) == bf.hausdorff(half, line, closed=False) == 1.0
    assert bf.hausdorff([[0, 0, 0]], [[3, 4, 0]]) == 5.0


# -- published networks --------------------------------------------------------------------------------------------

STARTS = {"circle": [3, 2], "heart": [2.5, 2], "hopf": [5.2, 5], "homoclinic": [4.9, 4.9], "eqcycle": [1.5, 0.5]}
SOME = ["circle", "heart", "hopf_l3", "hopf_l2.15", "homoclinic_l1.99", "eqcycle_R1", "eqcycle_R0.804", "p1_osc"]
ALL = [f"hopf_l{lam}" for lam in (2.2, 2.25, 2.5, 2.75, 3.5, 4)]
ALL += [f"homoclinic_l{lam}" for lam in (1.83, 1.85, 1.875, 1.9, 1.925, 1.95, 1.97, 1.98)]
ALL += [f"eqcycle_R{r}" for r in (1.1, 0.9, 0.85, 0.82, 0.81, 0.805, 0.8038, 0.80375)]


def published(reference, name):
    if name == "oscillatory":  # its rates were rounded to three decimals by its authors
        net = bf.read_model(reference / "networks/oscillatory.mat")
        rounded = {key: np.round(getattr(net, key), 3) for key in ("alpha", "omega", "theta", "beta", "gamma", "tau")}
        return bf.Network(**rounded, state=[5.0, 4.0])
    return bf.read_model(reference / f"networks/{name}.mat")


def check(system, expected, start, rtol):
    lam = {"lam": expected["lam"]} if "lam" in system.parameters else None
    cycle = bf.find_cycle(system, values=lam, state=start)
    assert cycle.period == pytest.approx(expected["period"], rel=rtol)
    assert cycle.stable
    if "min" in expected:  # theirs are of samples
        np.testing.assert_allclose(cycle.min[:2], expected["min"], atol=2e-5)
        np.testing.assert_allclose(cycle.max[:2], expected["max"], atol=2e-5)
    if "multipliers" in expected:
        known = [m if isinstance(m, float) else complex(m["re"], m["im"]) for m in expected["multipliers"]]
        atol = 1e-6 if rtol > 1e-10 else 1e-9
        np.testing.assert_allclose(cycle.multipliers[:2], known[:2], rtol=1e-3, atol=atol)
    return cycle


def networks(reference, key, scales):
    truth = json.loads((reference / "rncrn_truth.json").read_text())["cycles"][key]
    base = {"p1": "oscillatory"}.get(key.split("_")[0], key.split("_")[0])
    net = published(reference, base)
    start = dict(zip(("x1", "x2"), STARTS.get(base, [5, 4])))
    rtol = 1e-9 if base == "heart" else 1e-11
    yield check(net.reduced(), truth["reduced"], start, rtol), truth["reduced"]
    for mu, expected in truth["full_by_mu"].items():
        if float(mu) in scales and "period" in expected:
            yield check(net.full(float(mu)), expected, start, 1e-11 if base != "heart" else 1e-7), expected


@pytest.mark.parametrize("key", SOME)
def test_published_cycles(reference, key):
    assert len(list(networks(reference, key, (0.01,)))) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("key", ALL + SOME)
def test_all_published_cycles(reference, key):
    assert list(networks(reference, key, (1e-4, 0.0075, 0.1)))


@pytest.mark.slow
def test_very_stiff_cycle_that_the_reference_did_not_find(reference):
    net = published(reference, "heart")
    cycle = bf.find_cycle(net.full(1e-4), state={"x1": 2.5, "x2": 2})
    assert cycle.period == pytest.approx(bf.find_cycle(net.reduced(), state=[2.5, 2]).period, rel=1e-5)
    run = cycle.system.simulate(cycle.period, state=cycle.points[0], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(run.x[-1], cycle.points[0], rtol=1e-5)


@pytest.mark.parametrize("key", ["eqcycle_R1"])
def test_published_distance_to_the_design(reference, key):
    pairs = list(networks(reference, key, (0.0075, 0.1)))
    design = unit_circle(2000) + 1.5
    for cycle, expected in pairs[1:]:
        assert bf.hausdorff(cycle.points[:, :2], design) == pytest.approx(expected["hausdorff"], abs=1e-4)


def test_target_cycle(reference):
    expected = json.loads((reference / "rncrn_truth.json").read_text())["cycles"]["p1_osc_target"]
    cycle = check(bf.library.oscillator().system, expected, [5.0, 6.0], 1e-12)
    assert len(cycle.multipliers) == 2


# -- Lyapunov exponents --------------------------------------------------------------------------------------------


def test_exponent_of_a_linear_system_is_its_largest_eigenvalue():
    system = make({"x": "-0.5*x + y", "y": "-2*y"}, {}, {"x": 1, "y": 1})
    exponent = bf.largest_lyapunov(system, time=50.0, settle=20.0)
    assert exponent.value == pytest.approx(-0.5, abs=1e-6)
    assert exponent.error < 1e-6


def test_exponent_of_a_cycle_is_zero():
    exponent = bf.largest_lyapunov(van_der_pol(), time=300.0, settle=30.0)
    assert abs(exponent.value) < 5e-3
    assert exponent.running[-1] == pytest.approx(exponent.value) and exponent.t[-1] == pytest.approx(300)


def test_exponent_of_what_escapes():
    exponent = bf.largest_lyapunov(make({"x": "x^2"}, {}, {"x": 1.0}), time=10.0, settle=1.0)
    assert math.isnan(exponent.value) and "escaped" in exponent.message


@pytest.mark.parametrize(
    ("system", "value", "time"),
    [
        pytest.param(lorenz(), 0.9056, 200.0),  # Viswanath 1998: 0.90563
        pytest.param(lorenz(), 0.9056, 1500.0, marks=pytest.mark.slow),
        pytest.param(rossler(5.7), 0.0714, 3000.0, marks=pytest.mark.slow),  # Sprott 2003
    ],
)
def test_exponents_of_the_literature(system, value, time):
    exponent = bf.largest_lyapunov(system, time=time, settle=50.0)
    assert exponent.value == pytest.approx(value, abs=1.5 * exponent.error + 1e-3)
    assert exponent.error < 0.15 * value


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: bf.find_cycle(s, values={"nu": 1}), "no parameter 'nu'"),
        (lambda s: bf.find_cycle(s, state={"z": 1}), "no variable 'z'"),
        (lambda s: bf.find_cycle(s, state=[1, 2, 3]), "array of 2"),
        (lambda s: bf.find_cycle(s, period=-1.0), "period must be a positive number"),
        (lambda s: bf.find_cycle(s, samples=2.5), "samples must be a positive whole number"),
        (lambda s: bf.find_cycle(s, settle=math.nan), "settle"),
        (lambda s: bf.find_cycle(s, max_steps=0), "max_steps"),
        (lambda s: bf.find_cycle(s, guess=unit_circle()), "give period"),
        (lambda s: bf.find_cycle(s, guess=unit_circle(5), period=6.0), "8 points"),
        (lambda s: bf.find_cycle(s, period=6.0, backward=True), "backward"),
        (lambda s: bf.hausdorff([[0, 0]], [[0, 0, 0]]), "dimensions"),
        (lambda s: bf.hausdorff([], [[0, 0]]), "array"),
        (lambda s: bf.hausdorff([[math.nan, 0]], [[0, 0]]), "finite"),
        (lambda s: bf.largest_lyapunov(s, time=0.0), "time must be a positive number"),
        (lambda s: bf.describe_attractor(s, state={"x": math.inf}), "finite"),
    ],
)
def test_bad_input_is_one_sentence(call, message):
    with pytest.raises(bf.InputError, match=message) as caught:
        call(van_der_pol())
    assert "\n" not in str(caught.value)


def test_start_outside():
    system = make({"x": "-x", "y": "log(y)"}, {}, {"x": 1, "y": 1})
    with pytest.raises(bf.InputError, match="not finite at the start"):
        bf.find_cycle(system, state={"y": -1})
    with pytest.raises(bf.InputError, match="must not be negative"):
        bf.find_cycle(system.with_(nonnegative=True), state={"x": -1})


def test_one_state_has_no_cycle():
    assert bf.find_cycle(make({"x": "1 - x"}, {}, {"x": 0.0})) is None


def test_import_loads_nothing_heavy():
    code = "import sys\nfrom bifrncrn.trajectories import cycles, lyapunov, simulation\n"
    code += "assert not {'scipy', 'numba', 'sympy', 'matplotlib', 'pandas', 'rebop'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


@pytest.mark.parametrize(("m", "period"), [(3.0, 8.8590955), (100.0, 162.83707109)])
def test_a_cycle_is_settled_to_where_it_is_stiff_and_where_it_is_not(m, period):
    """Van der Pol's oscillator; the periods are those of scipy's Radau method at a tolerance of 1e-11."""
    oscillator = bf.System.from_equations(
        {"x": "y", "y": "m*(1 - x**2)*y - x"}, parameters={"m": m}, state={"x": 2.0, "y": 0.1}
    )
    assert bf.find_cycle(oscillator).period == pytest.approx(period, rel=1e-9)  # the digits that are given


@pytest.mark.parametrize(("ux", "uy"), [(1e-12, 1e-12), (1e-15, 1e-15), (1e15, 1e15), (1e-12, 1.0), (1e-6, 1e6)])
def test_units_do_not_matter_to_a_cycle_that_trajectories_settle_to(ux, uy):
    """The Brusselator, concentrations in units of their own: where 1e-10 was nothing, trajectories seemed to escape."""
    x, y = f"(x/{ux!r})", f"(y/{uy!r})"
    system = bf.System.from_equations(
        {"x": f"{ux!r}*(1 + {x}^2*{y} - 4*{x})", "y": f"{uy!r}*(3*{x} - {x}^2*{y})"},
        state={"x": 1.2 * ux, "y": 3.0 * uy},
    )
    cycle = bf.find_cycle(system)
    assert cycle.stable and cycle.period == pytest.approx(7.156919921180, rel=1e-11)  # scipy's DOP853 at 1e-13
    found = bf.attractors(system, {"x": (0.1 * ux, 3 * ux), "y": (0.1 * uy, 5 * uy)}, samples=5)
    assert [(one.kind, one.share) for one in found] == [("cycle", 1.0)]


@pytest.mark.parametrize("exponent", [1.2, 1.5, 1.8, 2.5])
def test_what_comes_to_a_bound_at_which_nothing_moves_rests_there(exponent):
    model = bf.System.from_equations({"x": f"-x^{exponent}"}, state={"x": 1.0}, nonnegative=["x"])
    assert bf.describe_attractor(model) == "equilibrium"


def test_a_rest_without_a_slope_ends_in_no_error():
    """The root's slope is infinite at zero, which is reached at t = 2."""
    model = bf.System.from_equations({"x": "-sqrt(x)", "y": "1 - y"}, state={"x": 1.0, "y": 0.0})
    assert bf.describe_attractor(model) in ("escape", "undecided")


UNLIKE = [(1e-8, 1e-12, 1e13, 1e-10), (1e-10, 1e-15, 1e-12, 1e14), (1e-10, 1e-8, 1e11, 1e14)]


@pytest.mark.parametrize("units", UNLIKE)
def test_units_however_unlike_do_not_matter_to_what_a_trajectory_settles_to(units):
    """A circle of radius 1 passed evenly, and a pair of states that it drives, each in a unit of its own."""
    names, inner = ("x", "y", "v", "w"), ("a", "b", "c", "d")
    equations = (
        "a*(1 - s) - b",
        "b*(1 - s) + a",
        "-0.3*(c - 1) - 2*(d + 1) + 0.3*a*(c - 1)",
        "-0.3*(d + 1) + 2*(c - 1)",
    )
    start = np.array([1.2, 0.1, 1.0, -1.0]) * units
    model = bf.System.from_equations(
        {name: f"{unit!r}*({text})" for name, unit, text in zip(names, units, equations, strict=True)},
        state=dict(zip(names, start.tolist(), strict=True)),
        definitions={a: f"{name}/{unit!r}" for a, name, unit in zip(inner, names, units, strict=True)}
        | {"s": "a^2 + b^2"},
    )
    assert bf.describe_attractor(model) == "cycle"
    cycle = bf.find_cycle(model)
    # find_cycle asks for 1e-10 and is mostly far below; a unit that is taken wrongly costs six digits and more
    assert cycle.stable and cycle.period == pytest.approx(2.0 * np.pi, rel=1e-11)
    assert cycle.max[:2] / np.array(units[:2]) == pytest.approx([1.0, 1.0], rel=1e-6)  # between points of the mesh


FOLLOWERS = [  # what was called chaos, and twice an escape, as LSODA gives up at such rates
    ((1.8e11, (-0.65, -0.17, 1.66, 0.66)), (3.9e10, (-1.64, -0.01, -0.62, 0.15))),
    ((1.4e11, (1.35, 0.34, -1.16, -0.19)), (8.4e10, (-0.34, -0.23, 0.6, -1.28))),
    ((5.1e9, (-1.01, 1.6, 1.92, -0.02)), (2.3e11, (-0.94, -0.59, -0.09, -1.09))),
]


@pytest.mark.parametrize("followers", FOLLOWERS)
def test_what_very_fast_states_follow_neither_escapes_nor_is_chaos(followers):
    """A circle passed at the rate 1.43, and a pair at rest; two states follow all of them."""
    start = {"x": 1.86, "y": -0.13, "m": -0.18, "n": 0.23}
    equations = {
        "x": "0.36*a*(1 - s) - 1.43*b",
        "y": "0.36*b*(1 - s) + 1.43*a",
        "m": "-0.4*(m + 0.18) - 0.7*(n - 0.23)",
        "n": "-0.4*(n - 0.23) + 0.7*(m + 0.18)",
    }
    for name, (rate, shares) in zip("vw", followers, strict=True):
        led = " + ".join(f"({share})*{state}" for share, state in zip(shares, "xymn", strict=True))
        equations[name] = f"{rate!r}*({led} - {name})"
    for name, (_, shares) in zip("vw", followers, strict=True):
        start[name] = float(np.array(shares) @ [start[state] for state in "xymn"])
    model = bf.System.from_equations(
        equations, state=start, definitions={"a": "x - 0.86", "b": "y + 0.13", "s": "a^2 + b^2"}
    )
    assert bf.describe_attractor(model) == "cycle"
    # as above
    assert bf.find_cycle(model).period == pytest.approx(2.0 * np.pi / 1.43, rel=1e-11)


@pytest.mark.parametrize("units", [(1e7, 1e-3, 1e-10), (1e12, 1e10, 1e-12), (1.0, 1.0, 1e-12)])
def test_what_is_stiff_is_judged_in_units_of_each_state(units):
    """A circle, and what follows it at a rate of 1e5, in a unit that is small beside its own."""
    equations = ("a*(1 - s) - b", "b*(1 - s) + a", "1e5*(a - 0.7*b - c)")
    model = bf.System.from_equations(
        {name: f"{unit!r}*({text})" for name, unit, text in zip("xyv", units, equations, strict=True)},
        state=dict(zip("xyv", (np.array([1.2, 0.1, 1.13]) * units).tolist(), strict=True)),
        definitions={a: f"{name}/{unit!r}" for a, name, unit in zip("abc", "xyv", units, strict=True)}
        | {"s": "a^2 + b^2"},
    )
    # so many steps of an explicit method are a hundredth of a turn
    assert bf.describe_attractor(model, max_steps=4000) == "cycle"

"""Interval code against Arb, which computes with balls of any precision: never is a value outside its bounds."""

import math

import numpy as np
import pytest

import bifrncrn as bf
from bifrncrn.compile.exact import ExactGraph
from bifrncrn.compile.interval_model import IntervalFunction
from bifrncrn.models.expressions import parse

flint = pytest.importorskip("flint", reason="python-flint is not installed: pip install 'bifrncrn[proof]'")
arb = flint.arb


def root(x, k):
    return -((-x).root(k)) if x < 0 else x.root(k)


def perceptron(z, g, t):
    return (z + (z * z + 4 * g * t).sqrt()) / (2 * t)


NAMES = [
    "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "asinh", "acosh", "atanh", "erf",
]  # fmt: skip
ONE = {name: getattr(arb, name) for name in NAMES}
CASES = {f"{name}(x)": function for name, function in ONE.items()} | {
    "log2(x)": lambda x: x.log() / arb(2).log(),
    "log10(x)": lambda x: x.log() / arb(10).log(),
    "cbrt(x)": lambda x: root(x, 3),
    "besselj(0, x)": lambda x: x.bessel_j(0),
    "besselj(3, x)": lambda x: x.bessel_j(3),
    "abs(x)": abs,
    "floor(x)": lambda x: x.floor(),
    "x^2": lambda x: x**2,
    "x^3": lambda x: x**3,
    "x^7": lambda x: x**7,
    "x^-3": lambda x: 1 / x**3,
    "x^2.5": lambda x: x ** arb(2.5),
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x*y": lambda x, y: x * y,
    "x/y": lambda x, y: x / y,
    "x^y": lambda x, y: x**y,
    "min(x, y)": lambda x, y: x if x < y else y,
    "max(x, y)": lambda x, y: x if x > y else y,
    "atan2(y, x)": lambda x, y: arb.atan2(y, x),
    "rncrn_s(x, y, z)": perceptron,
    "x*exp(-y)/(1 + z^2) - tanh(x)*sin(y)": lambda x, y, z: x * (-y).exp() / (1 + z**2) - x.tanh() * y.sin(),
}
UNIT = {"asin(x)", "acos(x)", "atanh(x)"}
POSITIVE = {"log(x)", "log2(x)", "log10(x)", "sqrt(x)", "x^2.5", "x^y", "rncrn_s(x, y, z)"}


def boxes(rng, text, count):
    """Return boxes of many sizes and widths, a third of them points."""
    size = 10.0 ** rng.uniform(-8, 2.5, (count, 3))
    center = rng.normal(size=(count, 3)) * size
    width = size * 10.0 ** rng.uniform(-16, 1, (count, 3)) * (rng.random((count, 1)) > 0.3)
    if text in UNIT:
        center, width = rng.uniform(-1, 1, (count, 3)), width * 1e-3
    if text in POSITIVE:
        center, width = np.abs(center), np.minimum(width, 0.9 * np.abs(center))
    if text == "x^y":
        center[:, 1] = rng.uniform(-3, 3, count)
    if text == "acosh(x)":
        center = 1 + np.abs(center)
    if text == "rncrn_s(x, y, z)":
        center[:, 0] *= rng.choice([-1, 1], count)
    return center - width, center + width


def violations(text, truth, count, seed):
    """Return how many values lie outside their bounds, and how many boxes had bounds."""
    g = ExactGraph()
    names = {name: g.node("var", i) for i, name in enumerate("xyz")}
    arguments = truth.__code__.co_argcount if hasattr(truth, "__code__") else 1
    nodes = [parse(g, text, names)]
    functions = [IntervalFunction(g, nodes, 3, loose) for loose in (False, True)]
    rng = np.random.default_rng(seed)
    low, high = boxes(rng, text, count)
    none = np.zeros(0), np.zeros(0)
    bounds = [function(low, high, none) for function in functions]
    share = rng.random((count, 3))
    # the ends are likeliest to be missed
    share = np.where(rng.random((count, 3)) < 0.4, np.round(share), share)
    at = np.clip(low + share * (high - low), low, high)
    wrong = known = 0
    for i, row in enumerate(at.tolist()):
        value = truth(*[arb(v) for v in row[:arguments]])
        for below, over in bounds:
            least, most = float(below[i, 0]), float(over[i, 0])
            known += math.isfinite(least) and math.isfinite(most) and least <= most
            wrong += not value.is_nan() and value.is_finite() and bool(arb(least) > value or value > arb(most))
            if value.is_nan() and least <= most and function_is_strict(bounds, below):
                wrong += 1  # the strict reading says that it is defined everywhere in the box
    return wrong, known


def function_is_strict(bounds, below):
    return below is bounds[0][0]


@pytest.mark.parametrize("text", CASES)
def test_no_value_is_outside_its_bounds(text):
    flint.ctx.prec = 120
    wrong, known = violations(text, CASES[text], 400, 1)
    assert wrong == 0 and known > 200


@pytest.mark.parametrize("order", range(5))
def test_means_of_exponentials(order):
    """The integral of t^n exp(t x) over [0, 1] is 1F1(n + 1, n + 2, x) / (n + 1) (Abramowitz and Stegun 13.2.1)."""
    flint.ctx.prec = 200
    g = ExactGraph()
    function = IntervalFunction(g, [g.call("expmean", (g.const(order), g.node("var", 0)))], 1)
    rng = np.random.default_rng(order)
    x = rng.normal(size=500) * 10.0 ** rng.uniform(-9, 2.5, 500)
    x[:8] = [0.0, 1.0, -1.0, math.nextafter(1, 2), math.nextafter(-1, -2), 5e-324, -700.0, 700.0]
    low, high = (side[:, 0] for side in function(x[:, None], x[:, None], (np.zeros(0), np.zeros(0))))
    truth = [arb(v).hypgeom_1f1(order + 1, order + 2) / (order + 1) for v in x.tolist()]
    assert all(arb(a) <= t <= arb(b) for a, t, b in zip(low.tolist(), truth, high.tolist(), strict=True))
    assert np.all(high - low <= 1e-12 * low)  # each step of the recursion loses no more than a digit
    low, high = function((x - abs(x))[:, None], (x + abs(x))[:, None], (np.zeros(0), np.zeros(0)))
    assert all(arb(a) <= t <= arb(b) for a, t, b in zip(low[:, 0].tolist(), truth, high[:, 0].tolist(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("text", CASES)
def test_no_value_is_outside_its_bounds_on_a_million_boxes(text):
    flint.ctx.prec = 120
    wrong, _ = violations(text, CASES[text], 1_000_000 // len(CASES), 2)
    assert wrong == 0


@pytest.mark.parametrize("text", ["exp(x)", "sin(x)", "tanh(x)", "x^2.5", "log(x)", "x*y", "x/y", "rncrn_s(x, y, z)"])
def test_bounds_at_points_are_narrow(text):
    """Some tens of roundings, relative to the value or to one."""
    g = ExactGraph()
    names = {name: g.node("var", i) for i, name in enumerate("xyz")}
    function = IntervalFunction(g, [parse(g, text, names)], 3)
    points = np.random.default_rng(3).uniform(0.1, 5.0, (200, 3))
    low, high = function(points, points, (np.zeros(0), np.zeros(0)))
    assert np.all(high - low <= 2e-14 * np.maximum(1.0, np.abs(low)))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("1/x", -1, 1), ("1/x", 0, 1), ("log(x)", 0, 1), ("sqrt(x)", -1, 1), ("tan(x)", 1, 2), ("sign(x)", -1, 1)],
)
def test_what_is_not_defined_or_not_smooth_has_no_bounds(text, low, high):
    g = ExactGraph()
    function = IntervalFunction(g, [parse(g, text, {"x": g.node("var", 0)})], 1)
    below, over = function(np.array([[low]]), np.array([[high]]), (np.zeros(0), np.zeros(0)))
    assert not below[0, 0] <= over[0, 0]


def test_the_same_disguised_claims_point_by_point():
    for equation in ("(x - r)*(x + r^2)", "r*x - x^4", "r*x - x^5", "r^3*x - x^2", "x*(r - x)*(r + x)"):
        system = bf.System.from_equations({"x": equation}, {"r": 0.0}, {"x": 0.0})
        from bifrncrn.proofs.branch_points import prove_branch_point
        from bifrncrn.proofs.of_diagram import prepared

        prover = prepared(system, "r", (system.values, system.values))
        assert prove_branch_point(prover, np.zeros(2)).box is None
        # and a place that is no branch point at all
        assert prove_branch_point(prover, np.array([0.0, 0.5])).box is None

"""Fold coefficients and first Lyapunov coefficients against closed forms."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bifrncrn as bf


def at_origin(label, equations):
    """Return the special point at the origin and lam = 0 of equations that say where it is."""
    system = bf.System.from_equations(equations, {"lam": 0.0}, dict.fromkeys(equations, 0.0))
    found = bf.diagram(system, "lam", (-0.01, 0.01)).special(label)
    (point,) = [p for p in found if abs(p.parameters["lam"]) < 1e-9 and max(map(abs, p.state.values())) < 1e-6]
    assert point.status == "converged"
    return point


def hopf(equations):
    """Return omega and l1 of a Hopf point at the origin, which x and y pass at lam = 0."""
    point = at_origin("HB", equations | {name: f"lam*{name} + {equations[name]}" for name in "xy"})
    return point.omega, point.l1


@settings(max_examples=20)
@given(st.floats(-5, 5).filter(lambda v: abs(v) > 0.1))
def test_a_of_the_fold_normal_form(a):
    assert abs(at_origin("LP", {"x": f"lam + {a!r}*x^2"}).a) == pytest.approx(abs(a), rel=1e-12)


def test_a_does_not_see_a_stable_direction():
    found = at_origin("LP", {"x": "lam + 3*x^2", "y": "-2*y"}).a
    assert abs(found) == pytest.approx(3.0, rel=1e-12)


def test_a_with_oblique_null_vectors():
    """With J = [[0, 1], [0, -1]]: q = (1, 0), p = (1, 1), so a = (f_xx + g_xx)/2."""
    found = at_origin("LP", {"x": "y + 2*x^2", "y": "-y + 5*x^2 + lam"}).a
    assert abs(found) == pytest.approx(7.0, rel=1e-12)


@settings(max_examples=20)
@given(st.floats(0.1, 10), st.floats(-3, 3).filter(lambda v: abs(v) > 1e-3))
def test_l1_of_the_hopf_normal_form(omega, s):
    """z' = i w z + s z |z|^2 with q of unit length, |x|^2 + |y|^2 = 2 |z q|^2: Re c1 = 2 s and l1 = 2 s / w."""
    equations = {"x": f"-{omega!r}*y + {s!r}*x*(x^2+y^2)", "y": f"{omega!r}*x + {s!r}*y*(x^2+y^2)"}
    frequency, l1 = hopf(equations)
    assert frequency == pytest.approx(omega, rel=1e-12)
    assert l1 == pytest.approx(2.0 * s / omega, rel=1e-10)


def planar_l1(f, g, omega):
    """Return l1 of x' = -w y + f, y' = w x + g by the planar formula of Guckenheimer and Holmes (3.4.11).

    `f`, `g` hold the partial derivatives by name. Their a is Re c1 with |q|^2 = 2, so Re c1 = 2 a here.
    """
    cubic = f["xxx"] + f["xyy"] + g["xxy"] + g["yyy"]
    quadratic = f["xy"] * (f["xx"] + f["yy"]) - g["xy"] * (g["xx"] + g["yy"]) - f["xx"] * g["xx"] + f["yy"] * g["yy"]
    return 2.0 * (cubic + quadratic / omega) / 16.0 / omega


@settings(max_examples=30)
@given(st.lists(st.integers(-3, 3), min_size=14, max_size=14), st.sampled_from([0.5, 1.0, 3.0]))
def test_l1_of_planar_systems(c, omega):
    monomials = ("x^2", "x*y", "y^2", "x^3", "x^2*y", "x*y^2", "y^3")
    weights = {
        "x^2": ("xx", 2),
        "x*y": ("xy", 1),
        "y^2": ("yy", 2),
        "x^3": ("xxx", 6),
        "x^2*y": ("xxy", 2),
        "x*y^2": ("xyy", 2),
        "y^3": ("yyy", 6),
    }
    texts = [" + ".join(f"({k})*{m}" for k, m in zip(part, monomials)) for part in (c[:7], c[7:])]
    parts = [{weights[m][0]: weights[m][1] * k for k, m in zip(part, monomials)} for part in (c[:7], c[7:])]
    equations = {"x": f"-{omega!r}*y + {texts[0]}", "y": f"{omega!r}*x + {texts[1]}"}
    assert hopf(equations)[1] == pytest.approx(planar_l1(*parts, omega), rel=1e-9, abs=1e-11)


def test_l1_does_not_see_a_decoupled_stable_state():
    plane = {"x": "-2*y + x^2 - x*y^2", "y": "2*x + x*y + y^3"}
    alone = hopf(plane)
    more = hopf({**plane, "z": "-5*z + z^2"})
    assert more == pytest.approx(alone, rel=1e-11)


def test_time_scales_omega_and_leaves_l1():
    slow = {"x": "-y - x*(x^2+y^2)", "y": "x - y*(x^2+y^2)"}
    fast = {name: f"1000*({text})" for name, text in slow.items()}
    a, b = hopf(slow), hopf(fast)
    assert b == pytest.approx((1000.0 * a[0], a[1]), rel=1e-11)


def test_brusselator_is_supercritical():
    system = bf.System.from_equations(
        {"x": "1 - (B+1)*x + x^2*y", "y": "B*x - x^2*y"}, {"B": 2.0}, {"x": 1.0, "y": 2.0}
    )
    (point,) = bf.diagram(system, "B", (1.5, 2.5)).special("HB")
    assert point.parameters["B"] == pytest.approx(2.0, abs=1e-12)
    assert point.omega == pytest.approx(1.0, abs=1e-12)
    assert point.l1 < 0.0


@pytest.mark.parametrize("angle", [0.3, 0.7, 1.1, 2.0])
def test_a_fold_at_a_double_zero_has_no_coefficient(angle):
    """x' = y, y' = r - x^2 + x y at r = 0, turned: left and right null vector are orthogonal (Kuznetsov, 8.4)."""
    c, s = math.cos(angle), math.sin(angle)
    x, y = f"({c!r}*u + {s!r}*v)", f"({-s!r}*u + {c!r}*v)"
    second = f"(r - {x}^2 + {x}*{y})"
    turned = {"u": f"{c!r}*{y} - {s!r}*{second}", "v": f"{s!r}*{y} + {c!r}*{second}"}
    model = bf.System.from_equations(turned, {"r": 1.0}, {"u": c, "v": s})
    (fold,) = bf.diagram(model, "r", (-1, 1)).special("LP")
    assert abs(fold.parameters["r"]) < 1e-12 and math.isnan(fold.a)

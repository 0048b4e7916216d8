"""Bifurcations of cycles in two parameters, and their normal forms, for cycles that are known exactly.

The cycle is r = 1 of x' = x (1 - r^2) - w y, y' = y (1 - r^2) + w x, with w = 2 and so the period pi; what is added
lives in coordinates that turn with it.
"""

import numpy as np
import pytest

import bifrncrn as bf

TURN = {"x": "x*(1 - x^2 - y^2) - 2*y", "y": "y*(1 - x^2 - y^2) + 2*x"}
PERIOD = np.pi


def doubling(rate, cubic, **parameters):
    """Return the cycle with (a, b) that turn by half as it goes round once: a' = rate a + cubic a^3, b' = -k b.

    a e_a is what of (p, q) is along the direction e_a at half the angle; its square a2 and itself have the period of
    the cycle.
    """
    definitions = {
        "ap": "0.5*(p*(1 + x) + q*y)", "aq": "0.5*(p*y + q*(1 - x))", "a2": "p*ap + q*aq",
        "rate": rate, "cubic": cubic,
    }  # fmt: skip
    equations = TURN | {
        "p": "(rate + cubic*a2)*ap - k*(p - ap) - q",
        "q": "(rate + cubic*a2)*aq - k*(q - aq) + p",
    }
    state = {"x": 1, "y": 0, "p": 0.01, "q": 0}
    return bf.System.from_equations(equations, {"k": 0.6, **parameters}, state, definitions=definitions)


def torus(rate, turn, real, imaginary, **parameters):
    """Return the cycle with w = p + i q: w' = (rate + i turn) w + (real + i imaginary) w |w|^2."""
    definitions = {"rate": rate, "turn": turn, "real": real, "imag": imaginary, "w2": "p^2 + q^2"}
    equations = TURN | {
        "p": "rate*p - turn*q + w2*(real*p - imag*q)",
        "q": "rate*q + turn*p + w2*(real*q + imag*p)",
    }
    return bf.System.from_equations(equations, parameters, {"x": 1, "y": 0, "p": 0.01, "q": 0}, definitions=definitions)


def special(model, label, bounds=(-0.5, 0.3)):
    (point,) = bf.orbits(bf.find_cycle(model), bounds, parameter="mu").special(label)
    return point


def found(curve):
    return {point.label: tuple(point.parameters.values()) for point in curve.special_points}


@pytest.mark.parametrize(("cubic", "word"), [(-0.7, "supercritical"), (0.4, "subcritical")])
def test_the_coefficient_of_a_period_doubling(cubic, word):
    point = special(doubling("mu", "nu", mu=-0.3, nu=cubic), "PD")
    assert point.parameters["mu"] == pytest.approx(0.0, abs=1e-9)
    assert point.b == pytest.approx(cubic, rel=1e-8)  # e_a has length 1 all along
    assert point.criticality == word and word in str(point)


@pytest.mark.parametrize(("real", "word"), [(-0.8, "supercritical"), (0.3, "subcritical")])
def test_the_coefficient_of_a_torus(real, word):
    point = special(torus("mu", "0.37", "re", "0.5", mu=-0.2, re=real), "NS")
    # the critical variation (1, -i)/sqrt(2) has mean square 1, so |w|^2 = 2 |xi|^2
    assert point.re_d == pytest.approx(2.0 * real, rel=1e-8)
    assert point.theta == pytest.approx(0.37 * PERIOD, rel=1e-9)
    assert point.criticality == word and word in str(point)


RADIAL = bf.System.from_equations(
    {"x": "x*(mu + nu*s - s^2) - y", "y": "y*(mu + nu*s - s^2) + x"},
    {"mu": 0.1, "nu": 1.0},
    {"x": 1, "y": 0},
    definitions={"s": "x^2 + y^2"},
)


def test_folds_of_cycles_end_at_a_bautin_point():
    point = special(RADIAL, "LPC")
    assert point.a == pytest.approx(np.sqrt(2.0), rel=1e-7)  # half of the second derivative of r (mu + r^2 - r^4)
    curve = bf.locus(point, "nu", (-1.0, 2.0))
    (branch,) = curve.branches
    assert branch.kind == "fold_of_cycles" and branch.columns[:3] == ("mu", "nu", "period")
    mu, nu = branch.column("mu"), branch.column("nu")
    assert mu == pytest.approx(-(nu**2) / 4.0, abs=1e-9)
    assert branch.column("max x") == pytest.approx(np.sqrt(nu / 2.0), rel=1e-5)
    assert nu.max() == 2.0 and set(branch.unstable) == {0}
    assert found(curve) == {"GH": pytest.approx((0.0, 0.0), abs=1e-8)}
    (end,) = curve.special_points
    assert list(end.state.values()) == pytest.approx([0.0, 0.0], abs=1e-9) and end.period == pytest.approx(2 * np.pi)


def test_a_bautin_point_of_two_curves_is_listed_once():
    # folds of cycles end where the first Lyapunov coefficient of the Hopf points is zero: mu = nu = 0
    rests = bf.diagram(RADIAL, "mu", (-1, 1), start={"x": 0.0})
    curves = bf.with_loci(bf.with_orbits(rests), "nu", (-1.0, 2.0))
    assert {"hopf", "fold_of_cycles"} <= {branch.kind for branch in curves.branches}
    (bautin,) = curves.special("GH")
    assert list(bautin.parameters.values()) == pytest.approx(
        [0.0, 0.0], abs=1e-10
    )  # a hundred times what points are located to


def test_folds_where_small_cycles_explode():
    # FitzHugh-Nagumo: the parameter bends ever less along the cycles, 1e-6 of what they grow at c = 3, 1e-7 at c = 3.3.
    # The Bautin point by Kuznetsov's l1 of the plane: b^2 - 2 b c^2 + c^2 = 0, so c^2 = 16/15 at b = 4/5
    model = bf.System.from_equations(
        {"x": "c*(x - x^3/3 + y)", "y": "-(x - a + b*y)/c"}, {"a": 0.0, "b": 0.8, "c": 3.0}, {"x": 0.0, "y": 0.0}
    )
    (fold,) = bf.with_orbits(bf.diagram(model, "a", (0, 1))).special("LPC")
    found = bf.locus(fold, "c", (1.0, 3.3))
    (branch,) = found.branches
    assert {end.reason for end in branch.ended} == {"range", "HB"} and len(branch.points) < 100
    (end,) = found.special("GH")
    assert end.parameters["c"] == pytest.approx(np.sqrt(16 / 15), abs=1e-8)  # as at other Bautin points
    row = int(np.argmax(branch.column("c")))
    assert branch.points[row, 1] == pytest.approx(3.3, rel=1e-14)
    (other,) = bf.with_orbits(bf.diagram(model.with_(values={"c": 3.3}), "a", (0, 1))).special("LPC")
    # two meshes: cycles are good to 1e-9; where along the cycles the fold is, so flat, is hardly known
    assert branch.points[row, 0] == pytest.approx(other.parameters["a"], abs=1e-9)


@pytest.mark.slow
def test_cusps_of_cycles():
    model = bf.System.from_equations(
        {"x": "x*g - y", "y": "y*g + x"},
        {"mu": 0.2, "nu": 0.5},
        {"x": 1.2, "y": 0},
        definitions={"s": "x^2 + y^2 - 1", "g": "mu + nu*s - s^3"},
    )
    points = bf.orbits(bf.find_cycle(model), (-0.4, 0.4), parameter="mu").special("LPC")
    curve = bf.locus(points[0], "nu", (-0.2, 0.8))
    mu, nu = curve.branches[0].column("mu"), curve.branches[0].column("nu")
    assert 27.0 * mu**2 == pytest.approx(4.0 * nu**3, abs=1e-8)
    assert found(curve) == {"CPC": pytest.approx((0.0, 0.0), abs=1e-8)}
    assert mu.min() < 0.0 < mu.max()  # both folds are on one curve


def test_generalised_period_doublings():
    point = special(doubling("mu - s^2", "s - 0.7", mu=-0.3, s=0.2), "PD")
    curve = bf.locus(point, "s", (-0.1, 0.8))
    (branch,) = curve.branches
    assert branch.kind == "period_doubling"
    assert branch.column("mu") == pytest.approx(branch.column("s") ** 2, abs=1e-9)
    assert found(curve) == {"GPD": pytest.approx((0.49, 0.7), abs=1e-8)}


def test_a_second_multiplier_at_period_doublings():
    # (a, b) turn by half together: b' = (s - 0.1) b gets the multiplier -1 as well
    model = doubling("mu", "-1", mu=-0.3, s=0.0)
    equations = {
        **model.equations,
        "p": "(rate - a2)*ap + (s - 0.1)*(p - ap) - q",
        "q": "(rate - a2)*aq + (s - 0.1)*(q - aq) + p",
    }
    model = bf.System.from_equations(
        equations, {"mu": -0.3, "s": 0.0}, model_state(model), definitions=model.definitions
    )
    curve = bf.locus(special(model, "PD"), "s", (-0.2, 0.05))
    assert curve.branches[0].column("mu") == pytest.approx(np.zeros(len(curve.branches[0].points)), abs=1e-8)


def model_state(model):
    return dict(zip(model.variables, model.state.tolist()))


def test_strong_resonances_and_a_chenciner_point():
    model = torus("mu - s^2", "s", "s - 0.8", "0.5", mu=-0.3, s=0.37)
    curve = bf.locus(special(model, "NS"), "s", (0.3, 1.2))
    (branch,) = curve.branches
    assert branch.kind == "torus"
    assert branch.column("mu") == pytest.approx(branch.column("s") ** 2, abs=1e-8)
    # the multiplier is exp(i s pi)
    wanted = {"R4": 1 / 2, "R3": 2 / 3, "CH": 0.8, "R2": 1.0}
    assert found(curve) == {name: pytest.approx((s * s, s), abs=1e-7) for name, s in wanted.items()}
    assert branch.ended[1].reason == "R2" or branch.ended[0].reason == "R2"


def test_where_a_fold_and_a_doubling_meet():
    definitions = {
        "s": "x^2 + y^2", "g": "mu + nu*s - s^2", "cx": "x/sqrt(s)", "cy": "y/sqrt(s)",
        "ap": "0.5*(p*(1 + cx) + q*cy)", "aq": "0.5*(p*cy + q*(1 - cx))", "a2": "p*ap + q*aq",
    }  # fmt: skip
    model = bf.System.from_equations(
        {
            "x": "x*g - y",
            "y": "y*g + x",
            "p": "(nu - 1.3 - a2)*ap - 0.6*(p - ap) - 0.5*q",
            "q": "(nu - 1.3 - a2)*aq - 0.6*(q - aq) + 0.5*p",
        },
        {"mu": 0.1, "nu": 1.0},
        {"x": 1, "y": 0, "p": 0.01, "q": 0},
        definitions=definitions,
    )
    curve = bf.locus(special(model, "LPC"), "nu", (0.6, 1.6))
    assert found(curve) == {"LPPD": pytest.approx((-(1.3**2) / 4, 1.3), abs=1e-7)}


def duffing(F):
    return bf.System.from_equations(
        {"x": "y", "y": "-d*y - x - x^3 + F*cos(omega*t)"},
        {"d": 0.1, "F": F, "omega": 1.0},
        {"x": 0, "y": 0},
        period="2*pi/omega",
    )


@pytest.mark.slow
def test_folds_of_a_forced_response_are_one_curve():
    diagram = bf.diagram(duffing(0.5), "omega", (0.8, 2.6))
    assert len(diagram.special("LPC")) == 2
    curves = bf.with_loci(diagram, "F", (0.04, 0.6))
    assert [branch.kind for branch in curves.branches] == ["periodic", "fold_of_cycles"]
    assert len(curves.special("CPC")) == 1
    branch = curves.branches[1]
    ends = sorted(branch.column("omega")[[0, -1]])
    again = bf.diagram(duffing(0.6), "omega", (0.8, 2.6)).special("LPC")
    assert ends == pytest.approx(sorted(p.parameters["omega"] for p in again), rel=1e-8)


def test_curves_are_saved_drawn_and_reported(tmp_path):
    curve = bf.locus(special(RADIAL, "LPC"), "nu", (0.5, 1.2))
    curve.save(tmp_path / "curve.json")
    again = bf.Diagram.load(tmp_path / "curve.json")
    assert again.branches[0].columns == curve.branches[0].columns
    assert again.branches[0].multipliers == pytest.approx(curve.branches[0].multipliers)
    assert "fold_of_cycles" in str(curve)
    assert curve.plot().lines


@pytest.mark.slow
def test_folds_and_tori_of_the_forced_van_der_pol_oscillator_meet_at_a_resonance():
    def model(**values):
        return bf.System.from_equations(
            {"x": "y", "y": "mu*(1 - x^2)*y - x + F*cos(omega*t)"},
            {"mu": 0.5, **values},
            {"x": 1, "y": 0},
            period="2*pi/omega",
        )

    torus = bf.diagram(model(F=1.0, omega=1.1), "omega", (1.0, 1.6)).special("NS")[0]
    assert torus.criticality == "supercritical"
    (end,) = bf.locus(torus, "F", (0.05, 1.2)).special("R1")
    fold = bf.diagram(model(F=0.48, omega=1.0), "omega", (0.9, 1.3)).special("LPC")[-1]
    curve = bf.locus(fold, "F", (0.3, 0.8))
    assert len(curve.special("CPC")) == 2
    ways = [tuple(point.parameters.values()) for point in curve.special("R1")]
    # two ways to the same point: a third multiplier 1 on the folds, the angle 0 of the tori, which is extrapolated
    assert min(np.hypot(a - end.parameters["omega"], b - end.parameters["F"]) for a, b in ways) < 1e-8


ROUND = {"x": "x - y - x*(x^2 + y^2)", "y": "x + y - y*(x^2 + y^2)"}  # a circle of period 2 pi


def branching(u, start, q):
    """The BPC of the circle with a third state, and the model."""
    model = bf.System.from_equations({**ROUND, "u": u}, {"p": -0.2, "q": q}, {"x": 1.0, "y": 0.0, "u": start})
    (point,) = bf.orbits(bf.find_cycle(model), (-0.3, 0.3), parameter="p").special("BPC")
    return point


def test_branch_points_where_both_branches_move():
    # the circles at u = p and at u = q - p meet at p = q/2, which holds for every q: the field stays a product
    curve = bf.locus(branching("-(u - p)*(u + p - q)", 0.3, 0.1), "q", (-0.3, 0.3)).branches[0]
    assert curve.kind == "branch_point_of_cycles"
    assert {end.message for end in curve.ended} == {"q reached -0.3", "q reached 0.3"}
    assert len(curve.points) < 100  # u rests along every cycle: its unit is not to shrink with that
    q = curve.column("q")
    assert np.max(np.abs(curve.column("p") - q / 2)) < 1e-9
    assert np.max(np.abs(curve.column("max u") - q / 2)) < 1e-6  # a double root of the field


def test_branch_points_that_come_apart_are_said_to():
    # u' = u (p - u) + q: for q > 0 no two cycles meet, for q < 0 there are two folds
    point = branching("u*(p - u) + q", 0.01, 0.0)
    with pytest.raises(bf.ConvergenceError, match="come apart"):
        bf.locus(point, "q", (-0.3, 0.3))


def test_folds_of_cycles_end_where_these_become_homoclinic():
    """Morris and Lecar's neuron: at V3 = 18.85 the saddle of the homoclinic orbit is neutral, and no folds are beyond.

    Beyond it trace J > 0 at the saddle, so cycles next to the homoclinic orbit are unstable, as from the Hopf point on.
    """
    model = bf.System.from_equations(
        {"V": "(I - 2*(V + 60) - 8*w*(V + 84) - 4*m*(V - 120))/20", "w": "0.0667*cosh((V - V3)/34.8)*(n - w)"},
        parameters={"I": 0, "V3": 12},
        state={"V": -50, "w": 0},
        definitions={"m": "0.5*(1 + tanh((V + 1.2)/18))", "n": "0.5*(1 + tanh((V - V3)/17.4))"},
    )
    diagram = bf.with_orbits(bf.diagram(model, "I", (-20, 120), start={"V": -50, "w": 0, "I": -20}))
    plane = bf.locus(diagram.special("LPC")[0], "V3", (8, 20))
    (curve,) = plane.branches
    assert 18.5 < curve.column("V3").max() < 18.85 and plane.special_points == ()
    assert any("too flat to be told" in end.message for end in curve.ended)

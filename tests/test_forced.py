"""Periodically forced models: simulations, response curves and their bifurcations, against shooting with scipy."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifrncrn as bf

DUFFING = {"x": "y", "y": "-d*y - a*x - b*x^3 + F*cos(omega*t)"}
HARDENING = {"d": 0.1, "a": 1.0, "b": 1.0, "F": 0.5, "omega": 1.0}


def duffing(**values):
    return bf.System.from_equations(DUFFING, {**HARDENING, **values}, {"x": 0, "y": 0}, period="2*pi/omega")


def duffing_field(p):
    def field(t, x):
        return np.array([x[1], -p["d"] * x[1] - p["a"] * x[0] - p["b"] * x[0] ** 3 + p["F"] * np.cos(p["omega"] * t)])

    def jacobian(t, x):
        return np.array([[0.0, 1.0], [-p["a"] - 3.0 * p["b"] * x[0] ** 2, -p["d"]]])

    return field, jacobian


def shot(field, jacobian, x, period):
    """Return where a state is a period later, and the derivative of that by the state."""
    n = len(x)

    def both(t, z):
        return np.concatenate([field(t, z[:n]), (jacobian(t, z[:n]) @ z[n:].reshape(n, n)).ravel()])

    start = np.concatenate([x, np.eye(n).ravel()])
    end = solve_ivp(both, (0, period), start, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    return end[:n], end[n:].reshape(n, n)


def in_order(multipliers):
    """Return complex numbers in an order that rounding does not change."""
    values = np.asarray(multipliers, complex)
    return values[np.lexsort((values.real, values.imag.round(5)))]


def agrees(point, fields, values, wanted):
    """Check a special point by shooting: it returns, and has the multiplier that is wanted."""
    at = {**values, **point.parameters}
    x = np.array(list(point.state.values()))
    end, monodromy = shot(*fields(at), x, point.period)
    multipliers = np.linalg.eigvals(monodromy)
    assert end == pytest.approx(x, abs=1e-6)
    # shooting integrates to about 1e-11, and a multiplier changes by up to 1e5 times that near a fold
    assert np.min(np.abs(multipliers - wanted)) < 1e-5
    assert in_order(point.multipliers) == pytest.approx(in_order(multipliers), abs=1e-5)


def test_simulation():
    model = duffing(omega=1.2)
    run = model.simulate(30.0, rtol=1e-10, atol=1e-12, events=["x = 0.3"])
    field, _ = duffing_field({**HARDENING, "omega": 1.2})
    truth = solve_ivp(field, (0, 30), [0, 0], method="DOP853", rtol=1e-12, atol=1e-13, dense_output=True)
    assert run.columns == ("x", "y") and run.x.shape[1] == 2
    assert run.x[-1] == pytest.approx(truth.y[:, -1], abs=1e-7)
    assert run.at(11.0) == pytest.approx(truth.sol(11.0), abs=1e-7)
    assert len(run.events) > 2 and all(len(event.state) == 2 for event in run.events)
    later = model.simulate((5.0, 12.0), state=truth.sol(5.0), rtol=1e-10, atol=1e-12)
    assert later.x[-1] == pytest.approx(truth.sol(12.0), abs=1e-7)


def test_definitions_may_hold_time():
    model = bf.System.from_equations(
        {"x": "-x + push"}, {"w": 2.0}, definitions={"push": "sin(w*t)"}, period="2*pi/w", state={"x": 0.0}
    )
    run = model.simulate(4.0, times=[0.0, 1.0, 4.0])
    assert run.column("push") == pytest.approx(np.sin(2.0 * run.t))
    w = 2.0
    exact = (np.sin(w * run.t) - w * np.cos(w * run.t) + w * np.exp(-run.t)) / (1 + w * w)
    assert run.x[:, 0] == pytest.approx(exact, abs=1e-7)


def test_linear_response_in_closed_form():
    model = bf.System.from_equations(
        {"x": "y", "y": "-2*z*y - x + cos(w*t)"}, {"z": 0.1, "w": 0.5}, {"x": 0, "y": 0}, period="2*pi/w"
    )
    found = bf.diagram(model, "w", (0.4, 2.0))
    (branch,) = found.branches
    assert branch.kind == "periodic" and branch.columns == ("w", "period", "min x", "max x", "min y", "max y")
    w = branch.column("w")
    assert branch.column("period") == pytest.approx(2 * np.pi / w, rel=1e-9)
    amplitude = 1 / np.sqrt((1 - w**2) ** 2 + (0.2 * w) ** 2)
    assert branch.column("max x") == pytest.approx(amplitude, rel=1e-4)
    # the multipliers are exponentials of the eigenvalues, over a period
    root = -0.1 + 1j * np.sqrt(1 - 0.01)
    for period, own in zip(branch.column("period"), branch.multipliers):
        exact = np.exp(np.array([root, root.conjugate()]) * period)
        assert in_order(own) == pytest.approx(in_order(exact), abs=1e-7)
    assert not found.special_points and set(branch.unstable) == {0}
    # an orbit's own times are those of the forcing
    times, states = branch.orbit(5)
    phase = np.angle(1 / (1 - w[5] ** 2 + 0.2j * w[5]))
    assert states[:, 0] == pytest.approx(amplitude[5] * np.cos(w[5] * times + phase), abs=1e-6)


def test_folds_of_the_duffing_response():
    found = bf.diagram(duffing(), "omega", (0.8, 2.5))
    folds = found.special("LPC")
    assert len(folds) == len(found.special_points) == 2
    for point in folds:
        agrees(point, duffing_field, HARDENING, 1.0)
        # by Liouville the multipliers' product is exp(-d T)
        assert np.prod(point.multipliers).real == pytest.approx(np.exp(-0.1 * point.period), rel=1e-7)
    assert "2 stable cycles for 1.4387 < omega < 2.2119" in " ".join(str(found).split())


def test_period_doublings_of_the_double_well():
    values = {"d": 0.3, "a": -1.0, "b": 1.0, "F": 0.2, "omega": 1.2}
    model = duffing(**values).with_(state={"x": 1.0})
    found = bf.with_doublings(bf.diagram(model, "F", (0.1, 0.3)), 1)
    first, second = found.special("PD")
    assert second.period == pytest.approx(2 * first.period)
    for point in (first, second):
        agrees(point, duffing_field, values, -1.0)
    assert found.branches[1].kind == "periodic" and found.branches[1].column("period")[-1] == pytest.approx(
        4 * np.pi / 1.2
    )
    alone = found.branch(first)
    assert alone.branches[0].columns == found.branches[0].columns
    assert alone.system.period == "2*pi/omega"


def test_a_torus_leaves_the_forced_van_der_pol_oscillator():
    values = {"mu": 0.5, "F": 1.0, "omega": 1.1}
    model = bf.System.from_equations(
        {"x": "y", "y": "mu*(1 - x^2)*y - x + F*cos(omega*t)"}, values, {"x": 1, "y": 0}, period="2*pi/omega"
    )
    (point,) = bf.diagram(model, "omega", (1.0, 1.6)).special_points

    def fields(p):
        return (
            lambda t, x: np.array([x[1], p["mu"] * (1 - x[0] ** 2) * x[1] - x[0] + p["F"] * np.cos(p["omega"] * t)]),
            lambda t, x: np.array([[0, 1], [-1 - 2 * p["mu"] * x[0] * x[1], p["mu"] * (1 - x[0] ** 2)]]),
        )

    assert point.label == "NS" and np.abs(point.multipliers) == pytest.approx([1.0, 1.0], abs=1e-9)
    agrees(point, fields, values, point.multipliers[0])


def test_symmetry_breaking_of_the_forced_pendulum():
    model = bf.System.from_equations(
        {"x": "y", "y": "-d*y - sin(x) + F*cos(omega*t)"},
        {"d": 0.25, "F": 0.4, "omega": 2.0 / 3.0},
        {"x": 0, "y": 0},
        period="2*pi/omega",
    )
    found = bf.diagram(model, "F", (0.5, 0.64))
    (point,) = found.special("BPC")
    assert len(found.branches) == 2 and found.branches[1].origin is not None
    main, broken = found.branches
    assert main.column("max x") == pytest.approx(-main.column("min x"), abs=1e-5)
    assert np.max(np.abs(broken.column("max x") + broken.column("min x"))) > 0.1
    assert not any(broken.unstable[np.abs(broken.column("F") - point.parameters["F"]) > 1e-3])


def test_a_pulse_of_any_form():
    model = bf.System.from_equations(
        {"x": "-k*x + exp(-20*(mod(t, T) - T/2)^2)"}, {"k": 0.5, "T": 3.0}, {"x": 1.0}, period="T"
    )
    found = bf.diagram(model, "k", (0.4, 0.8))
    (branch,) = found.branches
    for k in (0, -1):
        rate = float(branch.column("k")[k])
        assert branch.multipliers[k] == pytest.approx([np.exp(-3 * rate)], rel=1e-6)
        times, states = branch.orbit(k)
        assert (times[0], times[-1]) == (0.0, pytest.approx(3.0))
        end = solve_ivp(pulsed, (0, 3), states[0], args=(rate,), rtol=1e-11, atol=1e-12, max_step=0.1).y[:, -1]
        assert end == pytest.approx(states[0], abs=1e-6)


def pulsed(t, x, rate):
    return -rate * x + np.exp(-20 * (t - 1.5) ** 2)


def test_attractors_of_a_forced_system():
    found = bf.attractors(duffing(omega=1.8), {"x": (-3, 3), "y": (-3, 3)}, samples=12)
    assert len(found) == 2  # the large and the small response; one gone round twice is no third
    field, jacobian = duffing_field({**HARDENING, "omega": 1.8})
    for each in found:
        assert each.period == pytest.approx(2 * np.pi / 1.8, rel=1e-9)
        end, monodromy = shot(field, jacobian, each.state, each.period)
        assert end == pytest.approx(each.state, abs=1e-7)
        assert in_order(each.eigenvalues) == pytest.approx(in_order(np.linalg.eigvals(monodromy)), abs=1e-6)


FILE = """
[variables]
x = 0.0
y = 0.0
[parameters]
omega = 1.0
F = 0.5
[equations]
x = "y"
y = "-0.1*y - x - x^3 + F*cos(omega*t)"
[options]
period = "2*pi/omega"
"""


def test_model_files_and_saved_diagrams(tmp_path):
    path = tmp_path / "duffing.toml"
    path.write_text(FILE)
    model = bf.System.from_file(path)
    assert model.period == "2*pi/omega" and bf.System.from_file(path).to_toml() == model.to_toml()
    found = bf.diagram(model, "omega", (1.0, 1.6))
    found.save(tmp_path / "saved.json")
    again = bf.Diagram.load(tmp_path / "saved.json")
    assert again.system.period == model.period and again.branches[0].columns == found.branches[0].columns
    assert [p.label for p in again.special_points] == [p.label for p in found.special_points]


def test_what_is_refused():
    for period, message in (
        ("2*pi", "does not have the period"),
        ("2*pi/omegga", "did you mean 'omega'"),
        ("x", "holds 'x'"),
        ("-1", "positive"),
    ):
        with pytest.raises(bf.InputError, match=message):
            bf.System.from_equations(DUFFING, {**HARDENING, "omega": 1.3}, {"x": 0, "y": 0}, period=period)
    with pytest.raises(bf.InputError, match="with the option period it is time"):
        bf.System.from_equations({"x": "-x + t"}, {"t": 1.0}, period="1")
    with pytest.raises(bf.InputError, match="the models analysed here are autonomous"):
        bf.System.from_equations({"x": "-x + sin(t)"})
    # a period that is right at one value only
    wrong = bf.System.from_equations(DUFFING, HARDENING, {"x": 0, "y": 0}, period="2*pi")
    with pytest.raises(bf.InputError, match="does not have the period"):
        bf.diagram(wrong, "omega", (0.8, 1.5))
    model = duffing()
    for refused in (lambda: model.rhs([0, 0]), lambda: model.source):
        with pytest.raises(bf.InputError, match="periodically forced"):
            refused()
    with pytest.raises(bf.InputError, match="equilibria"):
        bf.diagram(model, "omega", (0.8, 1.5), all=True)


def test_a_proof_about_a_forced_model_is_refused():
    model = bf.System.from_equations({"x": "-k*x + cos(t)"}, {"k": 1.0}, {"x": 0.5}, period="2*pi")
    with pytest.raises(bf.InputError, match="periodically forced"):
        bf.prove(bf.diagram(model, "k", (0.5, 3)))

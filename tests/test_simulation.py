"""Trajectories: against closed forms, events, dense output, ends, bad input, published networks; stochastic runs."""

import dataclasses
import math

import numpy as np
import pytest
from matplotlib.figure import Figure

import bifrncrn as bf

System = bf.System


def decay(**changes):
    return System.from_equations({"x": "-k*x"}, {"k": 1.0}, {"x": 1.0}, title="decay", **changes)


def circle():
    return System.from_equations({"x": "y", "y": "-x"}, {}, {"x": 1.0, "y": 0.0})


def stiff():
    """Robertson's problem (Hairer & Wanner II, IV.1)."""
    equations = {
        "a": "-0.04*a + 1e4*b*c",
        "b": "0.04*a - 1e4*b*c - 3e7*b^2",
        "c": "3e7*b^2",
    }
    return System.from_equations(equations, {}, {"a": 1.0, "b": 0.0, "c": 0.0}, nonnegative=True)


@pytest.mark.parametrize("method", ["LSODA", "Radau", "BDF", "RK45", "RK23", "DOP853"])
def test_methods_follow_the_exact_solution(method):
    run = circle().simulate(5.0, method=method)
    assert run.status == "completed"
    exact = np.column_stack([np.cos(run.t), -np.sin(run.t)])
    np.testing.assert_allclose(run.x, exact, atol=2e-6)
    assert run.t[0] == 0 and run.t[-1] == 5.0
    when = np.linspace(0, 5, 101)
    np.testing.assert_allclose(run.at(when)[:, 0], np.cos(when), atol=5e-6)
    assert run.at(1.0).shape == (2,)


def test_error_falls_with_the_tolerance():
    errors = [abs(decay().simulate(3.0, rtol=r, atol=1e-3 * r).x[-1, 0] - math.exp(-3)) for r in (1e-4, 1e-6, 1e-8)]
    assert errors[1] < 0.2 * errors[0] and errors[2] < 0.2 * errors[1] and errors[2] < 1e-8


@pytest.mark.parametrize("method", ["LSODA", "Radau", "BDF"])
def test_stiff_problem(method):
    run = stiff().simulate(40.0, method=method, atol=1e-12)
    # reference: Hairer & Wanner II, IV.10, at t = 40
    np.testing.assert_allclose(run.x[-1], [0.7158270688, 9.185534765e-6, 0.2841637457], rtol=1e-5)
    assert run.effort.steps == len(run.t) - 1
    assert 0 < run.effort.jacobians <= run.effort.factorisations <= run.effort.evaluations < 5000


def test_result_is_frozen_and_tabulated():
    run = circle().simulate((2.0, 3.0), times=[2.0, 2.5, 2.75])
    assert run.t.tolist() == [2.0, 2.5, 2.75]
    assert run.span == (2.0, 3.0)
    assert list(run.table().columns) == ["t", "x", "y"]
    np.testing.assert_allclose(run.table()["x"], np.cos(run.t - 2), atol=1e-7)
    np.testing.assert_array_equal(run.column("y"), run.x[:, 1])
    with pytest.raises(ValueError, match="read-only"):
        run.x[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.status = "other"


def test_state_and_values_are_of_this_run_only():
    system = decay()
    run = system.simulate(1.0, state={"x": 2.0}, values={"k": 2.0})
    assert run.x[-1, 0] == pytest.approx(2 * math.exp(-2), abs=1e-7)
    assert run.system.values[0] == 2.0 and system.values[0] == 1.0 and system.state[0] == 1.0


# -- events ------------------------------------------------------------------------------------------------------


def test_events_are_located_in_order_and_by_direction():
    events = ["x = 0", bf.Event("y", direction=1), bf.Event("2*x = 1", direction=-1)]
    run = circle().simulate(2 * math.pi, rtol=1e-10, atol=1e-12, events=events)
    found = [(e.event, e.t / math.pi, e.direction) for e in run.events]
    expected = [("2*x = 1", 1 / 3, -1), ("x = 0", 1 / 2, -1), ("y", 1.0, 1), ("x = 0", 3 / 2, 1)]
    assert [(name, way) for name, _, way in found] == [(name, way) for name, _, way in expected]
    np.testing.assert_allclose([t for _, t, _ in found], [t for _, t, _ in expected], atol=1e-8)
    np.testing.assert_allclose(run.events[1].state, [0, -1], atol=1e-8)


def test_terminal_event_ends_the_run_there():
    run = circle().simulate(10.0, events=[bf.Event("x + y = 0", terminal=True), "x = 0"])
    assert run.status == "event" and "x + y = 0" in run.message
    assert run.t[-1] == pytest.approx(math.pi / 4, abs=1e-7)
    np.testing.assert_allclose(run.x[-1], [math.sqrt(0.5), -math.sqrt(0.5)], atol=1e-7)
    assert [e.event for e in run.events] == ["x + y = 0"]
    assert run.at(run.t[-1]) == pytest.approx(run.x[-1])
    with pytest.raises(bf.InputError, match=r"between 0 and 0\.785"):
        run.at(1.0)


def test_event_that_holds_at_the_start_is_not_counted_there():
    run = circle().simulate(7.0, events=["y = 0"])
    np.testing.assert_allclose([e.t for e in run.events], [math.pi, 2 * math.pi], atol=1e-6)


def test_events_know_definitions_and_parameters():
    system = System.from_equations({"x": "-rate"}, {"k": 2.0}, {"x": 1.0}, definitions={"rate": "k*x"})
    (event,) = system.simulate(3.0, events=["rate = k/2"]).events
    assert event.t == pytest.approx(math.log(2) / 2, abs=1e-7)


# -- ends ----------------------------------------------------------------------------------------------------------


def test_blow_up_keeps_its_points():
    run = System.from_equations({"x": "x^2"}, {}, {"x": 1.0}).simulate(2.0)
    assert run.status in ("step", "nan") and "without bound" in run.message
    assert run.t[-1] == pytest.approx(1.0, abs=1e-5)
    assert np.all(np.isfinite(run.x)) and len(run.t) > 50
    assert run.at(0.5)[0] == pytest.approx(2.0, rel=1e-6)


@pytest.mark.parametrize("method", ["LSODA", "Radau", "BDF", "RK45", "RK23", "DOP853"])
def test_where_the_equations_stop_being_finite(method):
    run = System.from_equations({"x": "-sqrt(x)"}, {}, {"x": 2.0}).simulate(50.0, method=method)
    assert run.status in ("nan", "step")
    assert run.t[-1] >= math.sqrt(8) - 1e-3
    # implicit methods solve x + h sqrt(x) = x0, which has a positive root always: x may go on, at nothing
    assert np.all(run.x[run.t > math.sqrt(8) + 1e-3] < 1e-9)
    assert run.t[-1] <= math.sqrt(8) + (1e-3 if method in ("RK45", "RK23", "DOP853") else 1.0)


def test_state_that_would_become_negative_stops_at_zero():
    system = System.from_equations({"x": "-1", "y": "x"}, {}, {"x": 2.0, "y": 0.0}, nonnegative=True)
    run = system.simulate(5.0)
    assert run.status == "bound" and "x, which cannot be negative" in run.message
    assert run.t[-1] == pytest.approx(2.0, abs=1e-8)
    np.testing.assert_allclose(run.x[-1], [0.0, 2.0], atol=1e-7)
    assert run.x.min() >= 0


def test_nonnegative_states_stay_so():
    run = decay(nonnegative=True).simulate(1000.0, rtol=1e-3, atol=1e-3)
    assert run.status == "completed"
    assert run.x.min() >= 0 and run.at(np.linspace(0, 1000, 5000)).min() >= 0


def test_too_many_steps():
    run = circle().simulate(1000.0, max_steps=50)
    assert run.status == "steps" and "50 steps" in run.message and len(run.t) == 51


def test_times_beyond_the_end_are_dropped():
    run = System.from_equations({"x": "-1"}, {}, {"x": 2.0}, nonnegative=True).simulate(5.0, times=[0.0, 1.0, 3.0])
    assert run.t.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"t_span": 0.0}, "end after its start"),
        ({"t_span": -1.0}, "end after its start"),
        ({"t_span": (2.0, 1.0)}, "goes from 2 to 1"),
        ({"t_span": math.nan}, "finite"),
        ({"t_span": "long"}, "made of numbers"),
        ({"t_span": (1, 2, 3)}, "pair"),
        ({"times": [1.0, 0.5]}, "ascending"),
        ({"times": [0.5, 2.0]}, "simulated span"),
        ({"times": []}, "ascending"),
        ({"method": "euler"}, "LSODA"),
        ({"rtol": 0.0}, "rtol"),
        ({"rtol": math.nan}, "rtol"),
        ({"atol": -1.0}, "atol"),
        ({"atol": [1e-6, 1e-6]}, "each of the 1"),
        ({"max_steps": 0}, "max_steps"),
        ({"state": {"z": 1.0}}, "no variable 'z'"),
        ({"state": {"x": math.inf}}, "finite"),
        ({"state": {"x": -1.0}}, "must not be negative"),
        ({"values": {"K": 1.0}}, "no parameter 'K'"),
        ({"values": {"k": 1e400}}, "finite"),
        ({"events": "x = 0.5"}, "list"),
        ({"events": ["q = 0.5"]}, "q"),
        ({"events": ["x = 0.5", "x = 0.5"]}, "twice"),
        ({"events": [3.0]}, "text"),
    ],
)
def test_bad_input_is_one_sentence(options, message):
    with pytest.raises(bf.InputError, match=message) as caught:
        decay(nonnegative=True).simulate(**{"t_span": 1.0, **options})
    assert "\n" not in str(caught.value)


def test_start_where_the_equations_are_not_finite():
    with pytest.raises(bf.InputError, match="derivative of x is not finite"):
        System.from_equations({"x": "log(x)"}, {}, {"x": -1.0}).simulate(1.0)


def test_direction_of_an_event():
    with pytest.raises(bf.InputError, match="-1, 0 or 1"):
        bf.Event("x", direction=2)


def test_without_dense_output():
    run = decay().simulate(1.0, dense=False, times=[0.5])
    assert run.x[0, 0] == pytest.approx(math.exp(-0.5), abs=1e-7)
    with pytest.raises(bf.InputError, match="dense=True"):
        run.at(0.5)


def test_function_model_and_its_own_error():
    system = System.from_function(lambda x, p: -p[0] * x, ["x"], {"k": 1.0}, state=[1.0])
    assert system.simulate(1.0).x[-1, 0] == pytest.approx(math.exp(-1), abs=1e-6)

    def broken(x, p):
        if x[0] < 0.5:
            raise ZeroDivisionError("mine")
        return -x

    with pytest.raises(ZeroDivisionError, match="mine"):
        System.from_function(broken, ["x"], {"k": 1.0}, state=[1.0]).simulate(1.0)


# -- pictures ------------------------------------------------------------------------------------------------------


def test_plot():
    run = circle().simulate(6.0)
    ax = run.plot(ax=Figure().subplots())
    assert [line.get_label() for line in ax.lines] == ["x", "y"] and ax.get_xlabel() == "t"
    plane = run.plot("y", against="x", ax=Figure().subplots())
    np.testing.assert_array_equal(plane.lines[0].get_xdata(), run.x[:, 0])
    assert (plane.get_xlabel(), plane.get_ylabel()) == ("x", "y")
    with pytest.raises(bf.InputError, match="no state 'z'"):
        run.plot("z")
    with pytest.raises(bf.InputError, match="nothing called 'z'"):
        run.plot(against="z")


# -- networks ------------------------------------------------------------------------------------------------------


def test_full_network_approaches_the_reduced_one():
    net = bf.Network(alpha=[[-1.0, 1.0]], omega=[[1.0], [-1.0]], theta=[-5.0, 5.0], beta=1.0, state=2.0)
    times = np.linspace(0.1, 3, 20)
    slow = net.reduced().simulate(3.0, times=times).x[:, 0]
    gaps = [np.abs(net.full(mu).simulate(3.0, times=times).x[:, 0] - slow).max() for mu in (1e-2, 1e-3, 1e-4)]
    np.testing.assert_allclose(np.log10(gaps[:-1]) - np.log10(gaps[1:]), 1.0, atol=0.1)  # first order in mu


def test_stiff_published_network_takes_few_evaluations(reference):
    net = bf.read_model(reference / "networks/circle.mat")
    full = net.full(1e-4).with_(state={"x1": 3.0, "x2": 2.0})
    run = full.simulate(6.4, rtol=1e-6)  # one turn of the cycle
    assert run.status == "completed"
    assert run.effort.evaluations < 2500
    with_radau = full.simulate(6.4, rtol=1e-6, method="Radau")
    np.testing.assert_allclose(run.x[-1], with_radau.x[-1], rtol=1e-3)
    explicit = full.simulate(6.4, rtol=1e-6, method="RK45", max_steps=3000)
    assert explicit.status == "steps"


# -- molecules -----------------------------------------------------------------------------------------------------

BIRTH_DEATH = "#A=5.0,B=3.0\n->A,2.0\nA->,0.4\nA + A->A,0.3"


def test_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rebop", None)
    with pytest.raises(bf.InputError, match=r"pip install bifrncrn\[stochastic\]"):
        bf.ReactionNetwork.from_text(BIRTH_DEATH).simulate_stochastic(1.0, volume=10.0)


def test_molecules_follow_the_equations_as_the_volume_grows():
    pytest.importorskip("rebop")
    network = bf.ReactionNetwork.from_text(BIRTH_DEATH)
    run = network.simulate_stochastic(200.0, volume=2000.0, seed=1)
    late = run.column("A")[100:]
    assert late.mean() == pytest.approx(network.to_system().simulate(50.0).x[-1, 0], rel=0.01)
    # linear noise: D / (2 gamma volume), D = 2 + 0.8 + 1.2, gamma = 0.4 + 1.2
    assert late.var() * run.volume == pytest.approx(4 / 3.2, rel=0.25)
    assert run.counts[0].tolist() == [10000, 6000] and np.all(run.column("B") == 3.0)
    assert run.concentrations.shape == (1001, 2) and list(run.table().columns) == ["t", "A", "B"]
    again = network.simulate_stochastic(200.0, volume=2000.0, seed=1)
    np.testing.assert_array_equal(run.counts, again.counts)
    assert run.plot("A", ax=Figure().subplots()).lines[0].get_xdata()[-1] == 200.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"t_end": -1.0}, "t_end must be positive"),
        ({"volume": 0.0}, "volume must be positive"),
        ({"samples": 0}, "at least 1"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"start": {"Q": 1.0}}, "no species 'Q'"),
        ({"start": {"A": -1.0}}, "the start of A"),
        ({"start": {"A": math.nan}}, "not finite"),
    ],
)
def test_bad_stochastic_input(options, message):
    pytest.importorskip("rebop")
    with pytest.raises(bf.InputError, match=message):
        bf.ReactionNetwork.from_text(BIRTH_DEATH).simulate_stochastic(**{"t_end": 1.0, "volume": 10.0, **options})


BINDING = {
    "T": "-k1*m*T*Lm*RT",
    "LT": "k2*T*m-(k4+k3)*LT-k5*m*T*LT*Rm",
    "RT": "k6-k7*RT-k8*RT*SL",
    "m": "-k1*m*T*LT*Rm",
    "Lm": "k10-(k3+k4)*Lm-k5*m*T*Lm*RT",
    "Rm": "k6-k7*Rm-k8*Rm*SL",
    "SL": "k3*(Lm*m+LT*T)-k11*SL-k9*(Rm*m+RT*T)*SL",
}
RATES = {
    "k1": 8.38e-10, "k2": 0.006, "k3": 5.9413, "k4": 0.35, "k5": 2.52e-9, "k6": 2244.0,
    "k7": 0.35, "k8": 1.92e10, "k9": 8.73e9, "k10": 3110.0, "k11": 13.9,
}  # fmt: skip


@pytest.mark.parametrize("nonnegative", [True, False])
@pytest.mark.parametrize("method", ["LSODA", "Radau", "BDF"])
def test_a_bound_changes_no_solution_that_keeps_to_it(nonnegative, method):
    """A bound state far below `atol`: 60315.38 is what CVODE gives at tolerances of 1e-10 for this published model."""
    start = {"T": 500, "LT": 0, "RT": 1e4, "m": 500, "Lm": 1000, "Rm": 1000, "SL": 0}
    system = System.from_equations(BINDING, RATES, start, nonnegative=nonnegative)
    run = system.simulate(5.0, method=method)
    assert run.status == "completed"
    assert run.column("SL")[-1] == pytest.approx(60315.38, rel=1e-4)


def test_noise_below_zero_does_not_grow():
    """x is eaten to exp(-50), then grows again, in the limit cycle of Lotka and Volterra; the integral is exact."""
    system = System.from_equations({"x": "x*(1 - y)", "y": "y*(x - 1)"}, {}, {"x": 12.0, "y": 1.0}, nonnegative=True)
    run = system.simulate(60.0, rtol=1e-10, atol=1e-13)
    assert run.status == "completed" and run.x.min() >= 0
    integral = run.x - np.log(run.x)
    assert np.ptp(integral.sum(axis=1)) < 1e-3 * integral.sum(axis=1)[0]


def test_a_root_that_ends_at_zero():
    """x' = -sqrt(x): x = (1 - t/2)^2 until 2, zero from there; the equation has no value below."""
    run = System.from_equations({"x": "-sqrt(x)"}, {}, {"x": 1.0}, nonnegative=True).simulate(4.0)
    assert run.status == "completed" and run.t[-1] == 4.0
    np.testing.assert_allclose(run.x[:, 0], np.maximum(1 - run.t / 2, 0) ** 2, atol=1e-6)


def test_a_trajectory_that_ends_before_the_first_time_asked_for():
    run = System.from_equations({"x": "x^2"}, {}, {"x": 1.0}).simulate((0, 3), times=np.linspace(2, 3, 5))
    assert run.status in ("step", "nan") and run.t.shape == (0,) and run.x.shape == (0, 1)
    assert len(run.table()) == 0


def test_state_and_values_cannot_be_swapped():
    system = System.from_equations({"x": "lam - x^2"}, {"lam": 1.0}, {"x": 0.0})
    for verb in (bf.describe_attractor, bf.find_cycle, bf.largest_lyapunov):
        with pytest.raises(TypeError):
            verb(system, [-1.0])


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e-15, 1e9])
def test_states_are_as_exact_in_any_unit(unit):
    """a -> b -> nothing beside a large state: b = (exp(-t) - exp(-3 t)) / 2 in units of a's start."""
    model = System.from_equations(
        {"a": "-a", "b": "a - 3*b", "large": "-0.1*large"}, {}, {"a": unit, "b": 0.0, "large": 1e-3}
    )
    run = model.simulate(6.0, times=np.linspace(0, 6, 7))
    np.testing.assert_allclose(run.column("b"), 0.5 * unit * (np.exp(-run.t) - np.exp(-3 * run.t)), rtol=1e-6)


def test_a_start_value_that_is_almost_nothing_asks_for_no_digits():
    """b is emptied when a has fallen to 70, at t = log(74/70), then filled by a again; z is nothing beside them."""
    model = bf.System.from_equations(
        {"a": "-a", "b": "a - b", "z": "-z"},
        {},
        {"a": 74.0, "b": 0.0, "z": 1e-28},
        transitions=[bf.Transition("empty", "a <= 70", {"b": "0"})],
    )
    run = model.simulate((0.0, 1.0))
    since = 1.0 - np.log(74 / 70)
    assert run.status == "completed"
    assert run.x[-1, 1] == pytest.approx(70 * since * np.exp(-since), rel=1e-7)

"""Cycles along which an angle goes round: against closed forms, Melnikov's integral and an own integration."""

import functools
import json
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import bifrncrn as bf

TURN = 2.0 * math.pi
JUNCTION = {"phi": "v", "v": "i - sin(phi) - g*v"}


def junction(i, g):
    """A Josephson junction, or a damped pendulum under a constant torque."""
    return bf.System.from_equations(JUNCTION, {"i": i, "g": g}, {"phi": 0.0, "v": 3.0}, periodic=["phi"])


@functools.cache
def rotations():
    """Those of the junction with damping 1/2, followed in the current."""
    return bf.orbits(bf.find_cycle(junction(1.5, 0.5)), (0.1, 3.0), parameter="i")


def missed(i, g):
    """By how much the orbit that leaves the saddle misses it a turn further on: its speed there, or the way left."""
    saddle = math.pi - math.asin(i)
    rates, vectors = np.linalg.eig([[0.0, 1.0], [-math.cos(saddle), -g]])
    along = vectors[:, np.argmax(rates)]
    start = np.array([saddle, 0.0]) + 1e-7 * along / along[0]

    def round_(_, x):
        return x[0] - saddle - TURN + 1e-7

    def stops(_, x):
        return x[1]

    round_.terminal = stops.terminal = True
    stops.direction = -1
    run = solve_ivp(
        lambda _, x: [x[1], i - math.sin(x[0]) - g * x[1]], (0.0, 500.0), start, rtol=1e-12, atol=1e-14,
        events=[round_, stops],
    )  # fmt: skip
    return run.y[1, -1] if len(run.t_events[0]) else run.y[0, -1] - saddle - TURN


def turned(speed, i, g):
    """Speed and time after a turn from phi = 0."""

    def round_(_, x):
        return x[0] - TURN

    round_.terminal = True
    run = solve_ivp(
        lambda _, x: [x[1], i - math.sin(x[0]) - g * x[1]], (0.0, 500.0), [0.0, speed], rtol=1e-12, atol=1e-13,
        events=round_,
    )  # fmt: skip
    return run.y[1, -1], run.t[-1]


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_rotation_is_a_cycle(way):
    i, g = way * 1.5, 0.5
    model = bf.System.from_equations(JUNCTION, {"i": i, "g": g}, {"phi": 0.0, "v": 2.0 * way}, periodic=["phi"])
    assert bf.describe_attractor(model) == "rotation"
    cycle = bf.find_cycle(model)
    speed = brentq(lambda v: turned(v, 1.5, g)[0] - v, 1.0, 6.0, xtol=1e-13)
    period = turned(speed, 1.5, g)[1]
    assert cycle.stable
    assert cycle.period == pytest.approx(period, rel=1e-9)  # what the integration is good to
    assert cycle.multipliers[1].real == pytest.approx(math.exp(-g * period), rel=1e-8)  # Liouville
    first, last = cycle.at([0.0, cycle.period])
    assert last - first == pytest.approx([way * TURN, 0.0], abs=1e-9)
    assert (cycle.min[0], cycle.max[0]) == (-math.pi, math.pi)


def test_rotations_end_where_the_saddle_is_met():
    found = rotations()
    (end,) = [end for end in found.ended if end.reason != "range"]
    assert end.reason == "homoclinic"
    limit = brentq(missed, 0.3, 0.9, args=(0.5,), xtol=1e-12)
    assert float(end.message.split("i=")[1]) == pytest.approx(limit, abs=1e-8)  # as many digits are printed
    for k in range(0, len(found.points), 25):
        times, states = found.orbit(k)
        assert states[-1] - states[0] == pytest.approx([TURN, 0.0], abs=1e-8)
        period, multiplier = times[-1], found.multipliers[k, 1].real
        assert math.log(multiplier) == pytest.approx(-0.5 * period, rel=1e-8)


def test_overdamped_rotations_end_at_the_saddle_node():
    found = bf.orbits(bf.find_cycle(junction(1.5, 2.0)), (0.1, 3.0), parameter="i")
    (end,) = [end for end in found.ended if end.reason != "range"]
    assert end.reason == "snic"
    assert float(end.message.split("i=")[1]) == pytest.approx(1.0, abs=1e-8)


def test_their_homoclinic_orbits_in_two_parameters():
    found = bf.with_loci(rotations(), "g", (0.05, 2.0))
    (curve,) = [branch for branch in found.branches if branch.kind == "heteroclinic"]
    current, damping = curve.points[:, 0], curve.points[:, 1]
    for k in np.flatnonzero(damping < 0.8)[::4]:
        limit = brentq(missed, current[k] - 0.02, current[k] + 0.02, args=(damping[k],), xtol=1e-12)
        assert current[k] == pytest.approx(limit, abs=1e-9)
    k = int(np.argmin(damping))  # 4 g / pi is Melnikov's first order, the next is of the order g^3
    assert current[k] == pytest.approx(4.0 * damping[k] / math.pi, abs=damping[k] ** 3)


def test_they_are_kept(tmp_path):
    found = rotations()
    found.save(tmp_path / "d.json")
    again = bf.Diagram.load(tmp_path / "d.json").branches[0]
    for k in (0, 40, -1):
        assert np.array_equal(again.orbit(k)[1], found.orbit(k)[1])
    data = json.loads((tmp_path / "d.json").read_text())
    for turns in (10**400, 10**30, 1.0, True):
        data["branches"][0]["orbits"][0]["turns"] = [turns, 0]
        (tmp_path / "bad.json").write_text(json.dumps(data))
        with pytest.raises(bf.InputError, match="whole numbers from -1000000"):
            bf.Diagram.load(tmp_path / "bad.json")
    with pytest.raises(bf.InputError, match="goes round"):
        bf.prove(bf.find_cycle(junction(1.5, 0.5)))


def test_one_state_that_goes_round(tmp_path, capsys):
    """The period of th' = w - sin(th) is 2 pi / sqrt(w^2 - 1)."""
    path = tmp_path / "model.toml"
    path.write_text(
        '[variables]\nth = 0\n[parameters]\nw = 2\n[equations]\nth = "w - sin(th)"\n[options]\nperiodic = ["th"]\n'
    )
    command = ["diagram", str(path), "--parameter", "w", "--range", "0.5", "3", "--cycle", "--json"]
    assert bf.main([*command, str(tmp_path / "d.json")]) == 0
    capsys.readouterr()
    branch = bf.Diagram.load(tmp_path / "d.json").branches[-1]
    w, period = branch.column("w"), branch.column("period")
    far = w > 1.01
    assert np.max(np.abs(period[far] / (TURN / np.sqrt(w[far] ** 2 - 1.0)) - 1.0)) < 1e-7
    assert {end.reason for end in branch.ended} == {"snic", "range"}


def test_locked_rotations_double():
    """A pendulum driven by a periodic torque that turns once in a period of it (Baker & Gollub, Chaotic Dynamics)."""
    model = bf.System.from_equations(
        {"phi": "v", "v": "-sin(phi) - v/2 + a*cos(w*t)"}, {"a": 1.4, "w": "2/3"}, {"phi": 0.0, "v": 1.0},
        periodic=["phi"], period="2*pi/w",
    )  # fmt: skip
    found = bf.orbits(bf.find_cycle(model), (1.35, 1.45), parameter="a")
    (point,) = [point for point in found.special_points if point.label == "PD"]
    states = found.orbit(point.index)[1]
    a = point.parameters["a"]

    def field(t, x):
        phi, v, *rest = x
        m = np.reshape(rest, (2, 2))
        return [v, -math.sin(phi) - v / 2.0 + a * math.cos(2.0 * t / 3.0), *m[1], *(-math.cos(phi) * m[0] - m[1] / 2.0)]

    run = solve_ivp(field, (0.0, 3.0 * math.pi), [*states[0], 1.0, 0.0, 0.0, 1.0], rtol=1e-11, atol=1e-12)
    turn = run.y[0, -1] - states[0, 0]
    assert abs(turn) == pytest.approx(TURN, abs=1e-7) and run.y[1, -1] == pytest.approx(states[0, 1], abs=1e-7)
    values = np.sort(np.linalg.eigvals(run.y[2:, -1].reshape(2, 2)).real)
    assert values == pytest.approx([-1.0, -math.exp(-1.5 * math.pi)], abs=1e-6)
    twice = bf.orbits(point, (1.35, 1.45))
    states = twice.orbit(-1)[1]
    assert abs(states[-1, 0] - states[0, 0]) == pytest.approx(2.0 * TURN, abs=1e-8)
    for branch in (found, twice):  # an angle takes all its values, however often it goes round
        assert np.all(branch.column("min phi") == -math.pi) and np.all(branch.column("max phi") == math.pi)


def test_what_is_drawn_is_no_angle_that_goes_round(tmp_path, capsys):
    model, out = tmp_path / "junction.toml", tmp_path / "diagram.json"
    model.write_text(junction(1.5, 0.5).to_toml(), encoding="utf-8")
    words = [
        "diagram",
        str(model),
        "--parameter",
        "i",
        "--range",
        "1.2",
        "2",
        "--cycle",
        "--orbits",
        "--json",
        str(out),
    ]
    assert bf.main(words) == 0 and "periodic" in capsys.readouterr().out
    whole = bf.Diagram.load(out)
    assert whole.plot().get_ylabel() == "v"
    assert whole.plot(show="phi").get_ylabel() == "phi"


@pytest.mark.parametrize(
    ("equations", "values", "state", "period"),
    [
        ({"th": "1"}, {}, {"th": 0.0}, TURN),
        ({"r": "r*(1 - r^2)", "th": "r"}, {}, {"r": 1e-9, "th": 0.0}, TURN),
        ({"th": "w - sin(th)"}, {"w": 1.000001}, {"th": 0.0}, TURN / math.sqrt(1.000001**2 - 1.0)),
    ],
)
def test_at_constant_speed_and_through_a_bottleneck(equations, values, state, period):
    model = bf.System.from_equations(equations, values, state, periodic=["th"])
    assert bf.describe_attractor(model) == "rotation"
    assert bf.find_cycle(model).period == pytest.approx(period, rel=1e-8)  # of w - 1 ten digits are left


def test_two_angles_that_never_come_back_together_escape_nowhere():
    model = bf.System.from_equations({"p": "1", "q": "sqrt(2)"}, {}, {"p": 0.0, "q": 0.0}, periodic=["p", "q"])
    assert bf.describe_attractor(model, max_steps=5000) == "undecided"
    assert bf.find_cycle(model, max_steps=5000) is None


def test_rotations_are_attractors():
    """A pendulum rests or turns, by where it starts: as an own integration says of the same starts."""
    found = bf.attractors(junction(0.7, 0.5), {"phi": (-math.pi, math.pi), "v": (-2.0, 3.0)}, samples=20)
    starts = np.random.default_rng(0).uniform([-math.pi, -2.0], [math.pi, 3.0], (20, 2))
    turns = 0
    for start in starts:
        run = solve_ivp(lambda _, x: [x[1], 0.7 - math.sin(x[0]) - 0.5 * x[1]], (0.0, 100.0), start, rtol=1e-8)
        turns += run.y[1, -1] > 0.1
    assert {each.kind: each.count for each in found} == {"equilibrium": 20 - turns, "cycle": turns}
    (cycle,) = [each for each in found if each.kind == "cycle"]
    speed, period = 2.5, 0.0
    for _ in range(12):  # every turn leaves a fourteenth of what it is off
        speed, period = turned(speed, 0.7, 0.5)
    assert cycle.period == pytest.approx(period, rel=1e-9)
    assert (cycle.min[0], cycle.max[0]) == (-math.pi, math.pi)

"""User-defined events on branches of periodic orbits, where everything is known in closed form.

Events are located to 1e-9 of what they ask for; what they do not ask for is as good as an orbit on the branch's mesh.
"""

import json

import numpy as np
import pytest

import bifrncrn as bf

# s = x^2 + y^2 obeys s' = 2 s (lam + s - s^2), and the angle's rate is 1 + w (s - 1)^2: the cycles are circles with
# lam = s^2 - s, fold at s = 1/2, lam = -1/4, and the period 2 pi / (1 + w (s - 1)^2), longest at s = 1, lam = 0.
CIRCLES = bf.System.from_equations(
    {"x": "x*(lam + s - s^2) - y*(1 + w*(s - 1)^2)", "y": "y*(lam + s - s^2) + x*(1 + w*(s - 1)^2)"},
    {"lam": -1.0, "w": 0.5},
    {"x": 0.0, "y": 0.0},
    definitions={"s": "x^2 + y^2", "product": "x*y"},
)


@pytest.fixture(scope="module")
def hopf():
    (point,) = bf.diagram(CIRCLES, "lam", (-1, 1)).special("HB")
    return point


def radii(found, event):
    """The squares of the radii at which an event is marked, in order along the branch."""
    points = [p for p in found.special_points if p.event == event]
    assert all(p.label == "UZ" and p.status == "converged" and p.residual < 1e-9 for p in points)
    rows = [found.points[p.index] for p in points]
    assert [row[0] for row in rows] == [p.parameters["lam"] for p in points]
    return [row[found.columns.index("max x")] ** 2 for row in rows]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("max x = 0.6", [0.36]),
        ("max x - min y = 2.4", [1.44]),
        ("lam = -0.2", [0.5 - np.sqrt(0.05), 0.5 + np.sqrt(0.05)]),
        # so close to the fold that one step passes both
        ("lam = -0.24999", [0.5 - np.sqrt(1e-5), 0.5 + np.sqrt(1e-5)]),
        ("max product = 0.3", [0.6]),
        ("period = 2*pi/1.125", [0.5, 1.5]),
        # so close to the longest period that one step passes both
        ("period = 2*pi/(1 + w*1e-6)", [0.999, 1.001]),
        ("period = 2*pi/0.99", []),
    ],
)
def test_an_event_on_cycles_is_located(hopf, event, expected):
    found = bf.orbits(hopf, events=[event])
    # a parameter of the branch is good to 1e-10 of its range, and s moves by up to 160 times as much as lam
    assert radii(found, event) == pytest.approx(expected, abs=2e-8)
    assert [p.label for p in found.special_points if p.label != "UZ"] == ["LPC"]


def test_the_end_of_the_range_is_landed_on_exactly(hopf):
    found = bf.orbits(hopf, events=["lam = 1"])
    (marked,) = found.special("UZ")
    assert marked.parameters["lam"] == found.points[-1, 0] == 1.0
    # an ordinary orbit of the branch; its mesh, not refined for the event, has it to 1e-6
    assert found.column("max x")[-1] ** 2 == pytest.approx(0.5 + np.sqrt(1.25), abs=1e-6)


def test_events_keep_their_order_and_change_nothing_else(hopf):
    events = ["max x = 0.6", "max x = 0.7", "max x = 0.72", "lam = -0.24"]
    found, plain = bf.orbits(hopf, events=events), bf.orbits(hopf)
    marked = list(found.special_points)
    assert [p.index for p in marked] == sorted(p.index for p in marked)
    assert [p.event or p.label for p in marked] == [
        "max x = 0.6", "lam = -0.24", "max x = 0.7", "LPC", "max x = 0.72", "lam = -0.24",
    ]  # fmt: skip
    rest = np.delete(found.points, [p.index for p in marked if p.event], axis=0)
    assert np.array_equal(rest, plain.points)


def test_a_branch_that_starts_at_an_event():
    cycle = bf.find_cycle(CIRCLES, values={"lam": 0.5}, state={"x": 1.0})
    found = bf.orbits(cycle, (0.3, 0.7), parameter="lam", events=["lam = 0.5"])
    # the first orbit is corrected at the parameter given, which Newton's method may move by its tolerance
    assert [(p.event, p.parameters["lam"]) for p in found.special_points] == [
        ("lam = 0.5", pytest.approx(0.5, abs=1e-11))
    ]


def test_an_event_on_doubled_orbits():
    model = bf.System.from_equations(  # Roessler's system
        {"x": "-y - z", "y": "x + a*y", "z": "0.2 + z*(x - c)"}, {"c": 2.5, "a": 0.2}, {"x": 2.0, "y": 0.0, "z": 0.0}
    )
    found = bf.orbits(bf.find_cycle(model), (2.0, 3.3), parameter="c", events=["period = 11.537"])
    (doubling,) = found.special("PD")
    twice = bf.orbits(doubling, events=["period = 11.537"])
    (marked,) = twice.special("UZ")
    own = bf.find_cycle(model, values=marked.parameters, state=marked.state, period=11.537)
    # the event's period is good to 1e-9; shooting closes its orbit within 1e-10, which moves the period a little more
    assert own.period == pytest.approx(11.537, abs=1e-7)
    assert not found.special("UZ")


def test_an_event_of_a_forced_model():
    model = bf.System.from_equations({"x": "-k*x + cos(t)"}, {"k": 1.0}, {"x": 0.5}, period="2*pi")
    found = bf.diagram(model, "k", (0.5, 3), events=["max x = 0.4"])
    (marked,) = found.special("UZ")
    assert marked.parameters["k"] == pytest.approx(np.sqrt(1 / 0.16 - 1), abs=1e-9)  # the amplitude is 1/sqrt(1 + k^2)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("x = 0.5", "write 'max x'"),
        ("max q = 0.5", "nothing called 'q'"),
        ("period = = 3", "no equation"),
        ("period > 3", "condition"),
        ("period = foo", "foo"),
    ],
)
def test_what_is_no_event_on_cycles_is_refused(hopf, event, said):
    with pytest.raises(bf.InputError, match=said):
        bf.orbits(hopf, events=[event])


def test_an_event_on_cycles_has_none_without_cycles():
    with pytest.raises(bf.InputError, match="with_orbits"):
        bf.diagram(CIRCLES, "lam", (-1, 1), events=["period = 3"])


def test_a_parameter_called_period_is_one():
    model = bf.System.from_equations({"x": "period - x"}, {"period": 0.0}, {"x": 0.0})
    (marked,) = bf.diagram(model, "period", (-1, 1), events=["period = 0.5"]).special("UZ")
    assert marked.state["x"] == pytest.approx(0.5, abs=1e-12)


def test_the_command_line_takes_both_kinds(tmp_path, capsys):
    model = tmp_path / "circles.toml"
    model.write_text(
        '[variables]\nx = 0.0\ny = 0.0\n[parameters]\nlam = -1.0\n[definitions]\ns = "x^2 + y^2"\n'
        '[equations]\nx = "x*(lam + s - s^2) - y"\ny = "y*(lam + s - s^2) + x"\n'
    )
    out = tmp_path / "out.json"
    words = ["diagram", str(model), "--parameter", "lam", "--range", "-1", "1", "--json", str(out)]
    events = ["--event", "x = 0.5", "--event", "max x = 0.6", "--event", "lam = 0.5"]
    assert bf.main([*words, *events, "--orbits"]) == 0
    data = json.loads(out.read_text())
    kinds = {branch["id"]: branch["kind"] for branch in data["branches"]}
    marked = [(kinds[p["branch"]], p["event"]) for p in data["special_points"] if p["label"] == "UZ"]
    assert sorted(marked) == [("equilibrium", "lam = 0.5"), ("periodic", "lam = 0.5"), ("periodic", "max x = 0.6")]
    assert bf.main([*words, *events]) == 2
    assert "--orbits or --cycle" in capsys.readouterr().err


def test_cycles_of_one_period_in_two_parameters(hopf):
    event = "period = 2*pi/1.08"
    for point, side in zip(bf.orbits(hopf, events=[event]).special("UZ"), (-1, 1), strict=True):
        assert point.event == event
        found = bf.locus(point, "w", (0.2, 0.9))
        (curve,) = found
        assert curve.kind == "fixed_period"
        w, lam, period = (curve.column(name) for name in ("w", "lam", "period"))
        assert [w.min(), w.max()] == pytest.approx([0.2, 0.9], abs=1e-12)
        assert point.period == pytest.approx(2 * np.pi / 1.08, rel=1e-9)
        assert period == pytest.approx(point.period, rel=1e-12)
        s = 1 + side * np.sqrt(0.08 / w)
        # a mesh of twenty intervals carries ordinary cycles to some 1e-7
        assert lam == pytest.approx(s**2 - s, abs=1e-6)
        clear = np.abs(s - 0.5) > 1e-3  # cycles with s below 1/2 are unstable
        assert np.array_equal(curve.unstable[clear], np.where(s < 0.5, 1, 0)[clear])


def test_other_events_on_cycles_lead_to_no_curve(hopf):
    (point,) = bf.orbits(hopf, events=["max x = 0.6"]).special("UZ")
    with pytest.raises(bf.InputError, match="not followed in two parameters"):
        bf.locus(point, "w", (0.2, 0.9))

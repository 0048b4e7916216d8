"""An event whose condition is strict comes just after its time; one that holds at its time comes at it."""

import numpy as np
import pytest

import bifrncrn as bf

MODEL = """
[equations]
x = "-k * x"
time = "1"

[parameters]
k = 0

[variables]
x = 1
time = 0

[events.kick]
trigger = "{trigger}"
assignments.x = "5"
"""


@pytest.mark.parametrize(
    ("trigger", "at", "expected"),
    [
        ("time > 2", 2, [1, 5]),
        ("time >= 2", 2, [5, 5]),
        ("not (time <= 2)", 2, [1, 5]),
        ("time > 0", 0, [1, 5]),
        ("time > 2 and x < 2", 2, [1, 5]),
    ],
)
@pytest.mark.parametrize("k", [0, 0.25])
def test_a_strict_condition_is_not_met_at_its_time(tmp_path, trigger, at, expected, k):
    (tmp_path / "m.toml").write_text(MODEL.format(trigger=trigger))
    system = bf.load_model(tmp_path / "m.toml").with_(values={"k": k})
    run = system.simulate((0, 4), times=[at, at + 1])
    x = np.asarray(run.column("x"))
    first, second = expected
    before = np.exp(-k * at) if first == 1 else 5.0
    assert x == pytest.approx([before, second * np.exp(-k)], rel=1e-6)


@pytest.mark.parametrize(
    ("trigger", "at", "expected"),
    [("time > 2", 3, 1), ("time >= 2", 3, 5), ("time > 0", 1, 1), ("time >= 0", 1, 5)],
)
def test_so_is_its_change_when_that_comes_later(tmp_path, trigger, at, expected):
    text = MODEL.format(trigger=trigger) + 'delay = "1"\ninitially = false\n'
    (tmp_path / "m.toml").write_text(text)
    run = bf.load_model(tmp_path / "m.toml").simulate((0, 4), times=[at - 0.125, at, at + 0.125])
    assert run.column("x").tolist() == [1, expected, 5]


@pytest.mark.parametrize("k", [0, 0.25])
def test_of_two_conditions_only_the_strict_one_is_not_met(tmp_path, k):
    events = '[events.late]\ntrigger = "time > 2"\nassignments.y = "5"\n'
    text = (
        MODEL.format(trigger="time >= 2").replace('time = "1"', 'y = "0"\ntime = "1"').replace("x = 1", "x = 1\ny = 1")
    )
    (tmp_path / "m.toml").write_text(text + events)
    run = bf.load_model(tmp_path / "m.toml").with_(values={"k": k}).simulate((0, 4), times=[1, 2, 3])
    assert run.column("x") == pytest.approx([np.exp(-k), 5, 5 * np.exp(-k)], rel=1e-6)
    assert list(run.column("y")) == [1, 1, 5]

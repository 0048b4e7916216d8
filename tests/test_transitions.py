"""Events of models: kept in every file that can hold them, said where they are left out, checked where read."""

import numpy as np
import pytest

import bifrncrn as bf

SAW = """
[variables]
x = 1.0
[parameters]
k = 1.0
full = 1.0
[definitions]
half = "full/2"
[equations]
x = "-k*x"
[events.refill]
trigger = "x <= half"
assignments = { x = "full" }
"""
RICH = """
[variables]
x = 1.0
s = 0.0
[parameters]
k = 1
[equations]
x = "1 - x"
s = "1"
[events.late]
trigger = "s >= 1"
delay = 0.5
priority = "2"
persistent = false
initially = false
from_trigger = false
assignments = { x = "x + s", k = "2*k" }
[events."at once"]
trigger = "s >= 1 and not x > 5"
assignments = { k = "k + 1" }
"""
TIMES = np.linspace(0.0, 3.0, 61)


def sawtooth(t):
    """x decays from 1 at rate 1 and is filled up whenever half is left: the closed form."""
    return np.exp(-np.mod(t, np.log(2.0)))


def written(tmp_path, text, suffix):
    (tmp_path / "model.toml").write_text(text)
    bf.convert(tmp_path / "model.toml", tmp_path / f"again{suffix}")
    return bf.load_model(tmp_path / f"again{suffix}")


@pytest.mark.parametrize("suffix", [".toml", ".xml", ".ant"])
def test_events_go_through_files(tmp_path, suffix):
    if suffix != ".toml":
        pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    if suffix == ".ant":
        pytest.importorskip("antimony", reason="antimony is not installed")
    run = written(tmp_path, SAW, suffix).simulate((0.0, 3.0), times=TIMES, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(run.column("x"), sawtooth(TIMES), rtol=1e-7)


def test_every_entry_is_kept(tmp_path):
    again = written(tmp_path, RICH, ".toml")
    late, at_once = again.transitions
    assert (late.delay, late.priority) == ("0.5", "2")
    assert (late.persistent, late.initially, late.from_trigger) == (False, False, False)
    assert dict(late.assignments) == {"x": "x + s", "k": "2*k"}
    assert at_once.name == "at once"
    assert (at_once.persistent, at_once.initially, at_once.from_trigger) == (True, True, True)
    assert "act in simulations only" in again.note


def test_in_sbml_they_keep_delay_priority_and_flags(tmp_path):
    """s reaches 1: k + 1 at once, later x + s and 2 k with what x and s are half a unit on (k: 1 -> 2 -> 4)."""
    pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    again = written(tmp_path, RICH.replace('"at once"', "soon"), ".xml")
    run = again.simulate((0.0, 2.0), times=[0.5, 1.25, 1.75])
    np.testing.assert_array_equal(run.column("k"), [1.0, 2.0, 4.0])
    assert run.column("x")[-1] == pytest.approx(1.0 + 1.5 * np.exp(-0.25), rel=1e-6)


@pytest.mark.parametrize("suffix", [".ode", ".f90"])
def test_where_they_cannot_be_written_it_is_said(tmp_path, suffix):
    (tmp_path / "model.toml").write_text(SAW)
    bf.convert(tmp_path / "model.toml", tmp_path / f"again{suffix}")
    assert "The events of the model (refill) are left out here." in (tmp_path / f"again{suffix}").read_text()


def test_a_saved_diagram_keeps_them(tmp_path):
    (tmp_path / "model.toml").write_text(SAW.replace('"-k*x"', '"1 - k*x"'))
    diagram = bf.diagram(bf.load_model(tmp_path / "model.toml"), "k", (0.5, 2.0))
    assert any("(refill) act in simulations only" in note for note in diagram.notes)
    diagram.save(tmp_path / "d.json")
    assert [one.name for one in bf.Diagram.load(tmp_path / "d.json").system.transitions] == ["refill"]


def test_they_are_made_in_python_too():
    refill = bf.Transition("refill", "x <= 1/2", {"x": "1"})
    saw = bf.System.from_equations({"x": "-x"}, state={"x": 1}, transitions=[refill])
    run = saw.simulate((0.0, 3.0), times=TIMES, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(run.column("x"), sawtooth(TIMES), rtol=1e-7)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('trigger = "x <= half"\n', "", "line 10: the event refill lacks a trigger"),
        ('assignments = { x = "full" }', "", "line 10: the event refill lacks assignments"),
        ("trigger =", "triger =", "line 11: .*unknown entry 'triger'; did you mean 'trigger'"),
        ('{ x = "full" }', '"full"', "line 12: 'assignments' .* must be a table of expressions"),
        ('{ x = "full" }', '{ y = "full" }', "line 12: .*changes 'y', which is nothing known"),
        ('{ x = "full" }', '{ half = "full" }', "line 12: .*changes 'half', which is a definition"),
        ('{ x = "full" }', '{ x = "ful" }', "the new value of x of the event refill: unknown name 'ful'"),
        ("x <= half", "x <=", "line 11: the trigger of the event refill: the expression ends"),
        ("[events.refill]", "[events.refill]\npersistent = 1", "line 11: 'persistent' .* must be true or false"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, says):
    assert old in SAW
    (tmp_path / "model.toml").write_text(SAW.replace(old, new).lstrip("\n"))
    with pytest.raises(bf.InputError, match=says):
        bf.load_model(tmp_path / "model.toml")


def test_time_that_only_events_look_at_is_no_part_of_a_diagram(tmp_path):
    """x + y is conserved and at rest x/y = b/a; the clock grows for ever, but nothing else knows of it."""
    dose = bf.Transition("dose", "clock > 5 or late > 1", {"x": "x + 1"})
    model = bf.System.from_equations(
        {"x": "b*y - a*x", "y": "a*x - b*y", "clock": "1"},
        {"a": 1, "b": 2, "s": 3},
        {"x": "s", "y": 0, "clock": 0},
        definitions={"late": "clock - 2*a"},
        transitions=[dose],
    )
    diagram = bf.diagram(model, "a", (0.5, 4))
    (branch,) = diagram.branches
    np.testing.assert_allclose(branch.column("x"), 6 / (2 + branch.column("a")), rtol=1e-10)
    assert any("(dose) act in simulations only" in note for note in diagram.notes)
    assert model.simulate((0.0, 6.0), times=[6.0]).column("x")[0] == pytest.approx(8 / 3, abs=0.1)
    needed = bf.System.from_equations(
        {"x": "-x*exp(-clock)", "clock": "1"},
        state={"x": 1, "clock": 0},
        transitions=[bf.Transition("e", "x < 0", {"x": "1"})],
    )
    with pytest.raises(bf.InputError, match="clock grows at the rate 1"):
        bf.diagram(needed, "k", (0, 1))

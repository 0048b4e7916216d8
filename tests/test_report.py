"""Diagrams and measurements as text for people."""

import sys
import types

import pytest
from handmade import branch, crowded_diagram, diagram, hopf_diagram, point

from bifrncrn.bench import bench
from bifrncrn.errors import InputError
from bifrncrn.report import describe


def test_a_diagram_in_words():
    text = describe(hopf_diagram(2.0))
    assert text.startswith("hopf: lam in [1, 3]")
    row = next(line for line in text.splitlines() if line.startswith("HB"))
    assert row.split()[:5] == ["HB", "0", "2", "5", "5"]
    assert "omega = 1, l1 = -1, supercritical" in row
    assert "lam reached its lower end" in text


def test_the_origin_of_a_branch_is_named():
    lines = describe(crowded_diagram()).splitlines()
    assert next(line for line in lines if line.startswith("2 ")).split()[2] == "BP"


def test_no_special_point_is_said():
    assert "no special point" in describe(diagram([branch([[1, 5, 5], [3, 5, 5]], [0, 0])]))


def test_an_unrefined_point_is_said_to_be_one():
    base = hopf_diagram()
    assert "not refined" in describe(diagram(base.branches, [point("HB", 2, (5, 5), status="bracketed")]))


def test_many_states_are_cut_and_said_to_be():
    state = tuple(range(10))
    columns = ("lam", *(f"x{k}" for k in range(1, 11)))
    wide = branch([[1, *state], [3, *state]], [0, 0], columns=columns)
    assert "(4 more states" in describe(diagram([wide], [point("HB", 2, state)]))


def test_rounding_is_shown_as_zero():
    flat = branch([[1, 5, 0], [3, 5, 0]], [0, 0])
    row = describe(diagram([flat], [point("BP", 2, (5, -2.8e-29))])).splitlines()
    assert next(line for line in row if line.startswith("BP")).split() == ["BP", "0", "2", "5", "0"]


# --- bench


@pytest.fixture
def engines(monkeypatch):
    """Make every engine return the diagram, or raise the error, that the test puts here."""
    outcome = {}

    def trace(system, engine, **options):
        if isinstance(outcome[engine], Exception):
            raise outcome[engine]
        return outcome[engine]

    module = types.ModuleType("bifrncrn.diagrams")
    module.diagram = trace
    monkeypatch.setitem(sys.modules, "bifrncrn.diagrams", module)
    return outcome


def test_special_points_an_engine_misses_are_counted(engines):
    base = hopf_diagram(2.0)
    engines |= {"native": base, "pycont": diagram(base.branches)}
    native, pycont = bench(None, "lam", (1, 3), repeat=1).timings
    assert (native.special_points, native.missed) == (1, 0)
    assert (pycont.special_points, pycont.missed) == (0, 1)


def test_a_misplaced_special_point_is_missed(engines):
    engines |= {"native": hopf_diagram(2.0), "pycont": hopf_diagram(2.1)}
    assert [timing.missed for timing in bench(None, "lam", (1, 3), repeat=1).timings] == [1, 1]


def test_the_worst_difference_of_what_both_found(engines):
    engines |= {"native": hopf_diagram(2.0), "pycont": hopf_diagram(2.0001)}
    native, pycont = bench(None, "lam", (1, 3), repeat=1).timings
    assert native.worst_error == pycont.worst_error == pytest.approx(1e-4)
    assert native.missed == pycont.missed == 0


def test_an_engine_that_does_not_run_is_reported(engines):
    engines |= {"native": hopf_diagram(), "pycont": InputError("pycont is not installed")}
    measured = bench(None, "lam", (1, 3), repeat=1)
    assert "pycont: did not run: pycont is not installed" in str(measured)
    assert measured.to_json()["engines"][1]["error"] == "pycont is not installed"


def test_no_engine_runs(engines):
    engines |= {"native": InputError("no"), "pycont": InputError("no")}
    with pytest.raises(InputError, match="no engine traced the model: no"):
        bench(None, "lam", (1, 3), repeat=1)

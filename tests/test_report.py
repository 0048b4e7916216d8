"""Diagrams and measurements as text for people."""

from handmade import branch, crowded_diagram, diagram, hopf_diagram, point

from bifrncrn.diagrams.text import describe


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

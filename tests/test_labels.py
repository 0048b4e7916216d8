"""One table of labels: what it says is what the package does."""

import numpy as np
import pytest
from handmade import branch, diagram, point
from matplotlib.figure import Figure

import bifrncrn as bf

PLANE = bf.System.from_equations(
    {"x": "a + b*x + x^2*(1 - x)", "y": "(a - y^2 - 1)*y - z", "z": "y"}, {"a": -0.5, "b": 0.2}
)


def test_markers_are_all_different_and_drawn():
    shown = [label for label in bf.LABELS.values() if label.marker]
    assert len({label.marker for label in shown}) == len(shown) == len(bf.LABELS) - 1
    line = branch(np.column_stack([np.linspace(1, 3, 9), np.full(9, 5.0), np.full(9, 5.0)]), np.zeros(9, int))
    points = [point(name, 1.0 + 2.0 * k / 15, (5, 5), index=0) for k, name in enumerate(bf.LABELS)]
    ax = Figure().subplots()
    diagram([line], points).plot(ax=ax)
    drawn = [line.get_marker() for line in ax.lines if line.get_label() == "_special"]
    assert drawn == [label.marker for label in bf.LABELS.values() if label.marker]


def test_a_curve_in_two_parameters_starts_where_the_table_says():
    found = {p.label: p for p in bf.diagram(PLANE, "a", (-1, 3)).special_points}
    followed = {name for name in bf.LABELS if bf.LABELS[name].locus}
    of_cycles = {"LPC", "PD", "NS", "BPC"}  # see the tests of their loci
    assert followed - of_cycles == {"LP", "HB"} <= set(found)
    for name in followed - of_cycles:
        assert bf.locus(found[name], "b", (0.0, 0.3)).branches[0].kind == bf.LABELS[name].locus
    for name in of_cycles:
        with pytest.raises(bf.InputError, match="lost its orbit"):
            bf.locus(point(name, 2.0, (5, 5)), "b", (0.0, 0.3))
    for name in set(bf.LABELS) - followed:
        with pytest.raises(bf.InputError, match="not followed in two parameters"):
            bf.locus(point(name, 2.0, (5, 5)), "b", (0.0, 0.3))


@pytest.mark.parametrize("name", [name for name, label in bf.LABELS.items() if "periodic" in label.on])
def test_orbits_leave_where_the_table_says(name):
    refused = "lost its orbit" if bf.LABELS[name].switches else "start at a Hopf point"
    with pytest.raises(bf.InputError, match=refused):
        bf.orbits(point(name, 2.0, (5, 5)))


def test_what_is_no_property_of_the_system_is_not_compared():
    line = branch([[1, 5, 5], [2, 5, 5], [3, 5, 5]], [0, 0, 0])
    for name, label in bf.LABELS.items():
        with_it, without = diagram([line], [point(name, 2.0, (5, 5), index=1)]), diagram([line])
        assert len(bf.compare_diagrams(with_it, without).missing) == label.judged, name

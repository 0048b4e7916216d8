"""Pictures: what is drawn, that nothing overlaps, and that nothing global is touched."""

import itertools
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from handmade import branch, crowded_diagram, diagram, hopf_diagram, point
from matplotlib import pyplot
from matplotlib.figure import Figure

import bifrncrn as bf

BOX = {"x1": (3.5, 6.5), "x2": (3.5, 6.5)}


@pytest.fixture
def ax():
    return Figure(figsize=(6.4, 4.4), layout="constrained").subplots()


def lines(ax):
    return [line for line in ax.lines if line.get_label() == "_branch"]


def markers(ax):
    return [line for line in ax.lines if line.get_label() == "_special"]


def test_stable_is_solid_and_unstable_dashed_and_they_meet_in_the_special_point(ax):
    hopf_diagram(2.0).plot(ax=ax)
    stable, unstable = lines(ax)
    assert stable.get_linestyle() == "-" and unstable.get_linestyle() == "--"
    assert stable.get_xdata()[-1] == unstable.get_xdata()[0] == 2.0
    (marker,) = markers(ax)
    assert marker.get_xdata() == [2.0] and marker.get_ydata() == [5.0]


def test_labels_are_the_fields(ax):
    crowded_diagram().plot(ax=ax)
    assert sorted(text.get_text() for text in ax.texts) == ["BP"] + ["HB"] * 8 + ["LP"] * 2


def test_an_unrefined_point_carries_a_question_mark(ax):
    base = hopf_diagram()
    diagram(base.branches, [point("HB", 2, (5, 5), index=20, status="bracketed")]).plot(ax=ax)
    assert [text.get_text() for text in ax.texts] == ["HB?"]


def test_coincident_points_share_a_label(ax):
    base = hopf_diagram()
    diagram(base.branches, [*base.special_points, *base.special_points, point("BP", 2, (5, 5))]).plot(ax=ax)
    assert [text.get_text() for text in ax.texts] == ["HB, BP"]


def test_end_points_are_not_marked(ax):
    base = hopf_diagram()
    diagram(base.branches, [point("EP", 1, (5, 5))]).plot(ax=ax)
    assert not markers(ax) and not ax.texts


def test_the_state_to_show(ax):
    values = np.array([[1, 5, 7], [3, 5, 8]])
    diagram([branch(values, [0, 0])]).plot(show="x2", ax=ax)
    assert ax.get_ylabel() == "x2" and ax.get_xlabel() == "lam"
    assert lines(ax)[0].get_ydata().tolist() == [7, 8]


def test_periodic_branches_show_minimum_and_maximum(ax):
    columns = ("lam", "period", "min x1", "max x1", "min x2", "max x2")
    cycle = branch([[2, 6, 4, 6, 4, 6], [3, 6, 3, 7, 3, 7]], [0, 0], id=1, columns=columns, kind="periodic")
    diagram([*hopf_diagram().branches, cycle]).plot(ax=ax)
    assert sorted(line.get_ydata().tolist() for line in lines(ax)[2:]) == [[4, 3], [6, 7]]


def test_an_unknown_state(ax):
    with pytest.raises(bf.InputError, match="there are x1, x2"):
        hopf_diagram().plot(show="y", ax=ax)


def test_a_diagram_without_a_branch_says_so(ax):
    assert diagram([]).plot(ax=ax).texts[0].get_text() == "no branch was found"


def test_no_common_state(ax):
    other = diagram([branch([[1, 5], [3, 5]], [0, 0], columns=("lam", "z"))])
    with pytest.raises(bf.InputError, match="no state in common"):
        bf.compare_diagrams(other, diagram([branch([[1, 5], [3, 5]], [0, 0], columns=("lam", "w"))])).plot(ax=ax)


# --- a target and what learned it


def grey(colour):
    """Relative luminance of a colour, 0 black to 1 white."""
    return float(np.dot(mpl.colors.to_rgb(colour), [0.2126, 0.7152, 0.0722]))


def test_target_and_learned_differ_without_colour(ax):
    bf.compare_diagrams(hopf_diagram(2.0), hopf_diagram(2.2), box=BOX).plot(ax=ax)
    wide, narrow = (max(line.get_linewidth() for line in lines(ax)), min(line.get_linewidth() for line in lines(ax)))
    (of_target,) = {line.get_color() for line in lines(ax) if line.get_linewidth() == wide}
    (of_learned,) = {line.get_color() for line in lines(ax) if line.get_linewidth() == narrow}
    assert abs(grey(of_target) - grey(of_learned)) > 0.25 and wide > 2 * narrow
    target, learned = markers(ax)
    assert target.get_markerfacecolor() == "white" and learned.get_markerfacecolor() == of_learned
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words[0] == "first, stable" and words[3] == "second, stable" and len(words) == 6


def test_a_comparison_zooms_to_the_box(ax):
    far = branch([[1, 900, 900], [3, 990, 990]], [0, 0], id=1)
    learned = diagram([*hopf_diagram().branches, far])
    bf.compare_diagrams(hopf_diagram(), learned, box=BOX).plot(ax=ax)
    low, high = ax.get_ylim()
    assert 3 < low < 5 < high < 7


# --- labels


def drawn(result):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    result.plot(ax=axes)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    # an annotation's own extent includes its leader line; the label is the text's alone
    extents = [mpl.text.Text.get_window_extent(text, renderer) for text in axes.texts]
    return axes, extents


@pytest.mark.parametrize("compared", [False, True])
def test_labels_overlap_neither_each_other_nor_markers_nor_leave_the_axes(compared):
    if compared:
        found = bf.compare_diagrams(crowded_diagram(), crowded_diagram(0.08))
        axes, extents = drawn(found)
    else:
        axes, extents = drawn(crowded_diagram())
    assert len(extents) >= 11
    for a, b in itertools.combinations(extents, 2):
        assert not a.overlaps(b)
    frame = axes.get_window_extent()
    for extent in extents:
        assert frame.x0 <= extent.x0 and extent.x1 <= frame.x1 and frame.y0 <= extent.y0 and extent.y1 <= frame.y1
        for marker in markers(axes):
            place = axes.transData.transform((marker.get_xdata()[0], marker.get_ydata()[0]))
            assert not extent.contains(*place)


def test_labels_keep_off_curves_where_there_is_room():
    axes, extents = drawn(crowded_diagram())
    covered = 0
    for line in lines(axes):
        pixels = axes.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
        covered += sum(extent.contains(x, y) for extent in extents for x, y in pixels)
    assert covered == 0


def test_the_legend_covers_nothing():
    axes, _ = drawn(bf.compare_diagrams(hopf_diagram(), hopf_diagram(2.1)))
    legend = axes.get_legend().get_window_extent()
    assert legend.y1 < axes.xaxis.label.get_window_extent().y0
    assert legend.x0 >= 0 and legend.x1 <= axes.figure.bbox.x1 and legend.y0 >= 0


# --- files and global state


@pytest.mark.parametrize("suffix", ["png", "PDF", "svg"])
def test_files_by_suffix(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    bf.save_diagram(crowded_diagram(), path)
    start = path.read_bytes()[:5]
    assert start == {"png": b"\x89PNG\r", "PDF": b"%PDF-", "svg": b"<?xml"}[suffix]
    if suffix == "svg":
        ET.parse(path)


@pytest.mark.parametrize("name", ["a.gif", "a", "a.png.txt", ".png"])
def test_an_unknown_suffix(tmp_path, name):
    with pytest.raises(bf.InputError, match=r"\.png, \.pdf or \.svg"):
        bf.save_diagram(hopf_diagram(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_saving_touches_nothing_global(tmp_path):
    before = dict(mpl.rcParams)
    bf.save_diagram(hopf_diagram(), tmp_path / "a.png")
    assert dict(mpl.rcParams) == before
    assert not pyplot.get_fignums()


def test_plotting_without_axes_makes_a_figure_and_shows_nothing(monkeypatch):
    monkeypatch.setattr(pyplot, "show", lambda *_, **__: pytest.fail("show was called"))
    axes = hopf_diagram().plot("x2")
    try:
        assert axes.get_ylabel() == "x2" and pyplot.get_fignums()
    finally:
        pyplot.close(axes.figure)


def test_a_comparison_plots_itself(ax):
    assert bf.compare_diagrams(hopf_diagram(), hopf_diagram()).plot(ax=ax) is ax


def test_axes_in_a_subfigure(ax):
    figure = Figure(layout="constrained")
    axes = figure.subfigures(1, 2)[0].subplots()
    hopf_diagram().plot(ax=axes)
    assert len(axes.texts) == 1


def test_branches_of_one_point_and_with_nan(ax):
    diagram([branch([[2, 5, 5]], [0]), branch([[1, 5, 5], [2, np.nan, 5]], [0, 0], id=1)]).plot(ax=ax)
    assert np.isfinite(ax.get_ylim()).all()

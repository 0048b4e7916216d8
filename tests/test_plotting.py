"""Pictures: what is drawn, that nothing overlaps, and that nothing global is touched."""

import itertools
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from handmade import branch, crowded_diagram, diagram, hopf_diagram, point
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.figure import Figure

import bifrncrn as bf
from bifrncrn.plots import plots as plotting
from bifrncrn.plots.label_placement import place_labels
from bifrncrn.plots.plots import LEARNED, TARGET, plot_comparison, plot_diagram, save_bars, save_diagram, stability_runs

BOX = {"x1": (3.5, 6.5), "x2": (3.5, 6.5)}


@pytest.fixture
def ax():
    return Figure(figsize=(6.4, 4.4), layout="constrained").subplots()


def lines(ax):
    return [line for line in ax.lines if line.get_label() == "_branch"]


def markers(ax):
    return [line for line in ax.lines if line.get_label() == "_special"]


def test_stable_is_solid_and_unstable_dashed_and_they_meet_in_the_special_point(ax):
    plot_diagram(hopf_diagram(2.0), ax=ax)
    stable, unstable = lines(ax)
    assert stable.get_linestyle() == "-" and unstable.get_linestyle() == "--"
    assert stable.get_xdata()[-1] == unstable.get_xdata()[0] == 2.0
    (marker,) = markers(ax)
    assert marker.get_xdata() == [2.0] and marker.get_ydata() == [5.0]


def test_labels_are_the_fields(ax):
    plot_diagram(crowded_diagram(), ax=ax)
    assert sorted(text.get_text() for text in ax.texts) == ["BP"] + ["HB"] * 8 + ["LP"] * 2


def test_every_label_has_its_own_marker():
    shapes = list(plotting.MARKERS.values())
    assert len(set(shapes)) == len(shapes)


def test_an_unrefined_point_carries_a_question_mark(ax):
    base = hopf_diagram()
    plot_diagram(diagram(base.branches, [point("HB", 2, (5, 5), index=20, status="bracketed")]), ax=ax)
    assert [text.get_text() for text in ax.texts] == ["HB?"]


def test_coincident_points_share_a_label(ax):
    base = hopf_diagram()
    plot_diagram(diagram(base.branches, [*base.special_points, *base.special_points, point("BP", 2, (5, 5))]), ax=ax)
    assert [text.get_text() for text in ax.texts] == ["HB, BP"]


def test_end_points_are_not_marked(ax):
    base = hopf_diagram()
    plot_diagram(diagram(base.branches, [point("EP", 1, (5, 5))]), ax=ax)
    assert not markers(ax) and not ax.texts


def test_the_state_to_show(ax):
    values = np.array([[1, 5, 7], [3, 5, 8]])
    plot_diagram(diagram([branch(values, [0, 0])]), show="x2", ax=ax)
    assert ax.get_ylabel() == "x2" and ax.get_xlabel() == "lam"
    assert lines(ax)[0].get_ydata().tolist() == [7, 8]


def test_periodic_branches_show_minimum_and_maximum(ax):
    columns = ("lam", "period", "min x1", "max x1", "min x2", "max x2")
    cycle = branch([[2, 6, 4, 6, 4, 6], [3, 6, 3, 7, 3, 7]], [0, 0], id=1, columns=columns, kind="periodic")
    plot_diagram(diagram([*hopf_diagram().branches, cycle]), ax=ax)
    assert sorted(line.get_ydata().tolist() for line in lines(ax)[2:]) == [[4, 3], [6, 7]]


def test_an_unknown_state(ax):
    with pytest.raises(bf.InputError, match="there are x1, x2"):
        plot_diagram(hopf_diagram(), show="y", ax=ax)


def test_a_diagram_without_a_branch_says_so(ax):
    assert plot_diagram(diagram([]), ax=ax).texts[0].get_text() == "no branch was found"


def test_no_common_state(ax):
    other = diagram([branch([[1, 5], [3, 5]], [0, 0], columns=("lam", "z"))])
    with pytest.raises(bf.InputError, match="no state in common"):
        plot_comparison(
            bf.compare_diagrams(other, diagram([branch([[1, 5], [3, 5]], [0, 0], columns=("lam", "w"))])), ax=ax
        )


# --- a target and what learned it


def grey(colour):
    """Relative luminance of a colour, 0 black to 1 white."""
    return float(np.dot(mpl.colors.to_rgb(colour), [0.2126, 0.7152, 0.0722]))


def test_target_and_learned_differ_without_colour(ax):
    assert abs(grey(TARGET.colour) - grey(LEARNED.colour)) > 0.25
    assert TARGET.width > 2 * LEARNED.width
    plot_comparison(bf.compare_diagrams(hopf_diagram(2.0), hopf_diagram(2.2), box=BOX), ax=ax)
    target, learned = markers(ax)
    assert target.get_markerfacecolor() == "white" and learned.get_markerfacecolor() == LEARNED.colour
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words[:2] == ["first, stable", "second, stable"] and len(words) == 6


def test_a_comparison_zooms_to_the_box(ax):
    far = branch([[1, 900, 900], [3, 990, 990]], [0, 0], id=1)
    learned = diagram([*hopf_diagram().branches, far])
    plot_comparison(bf.compare_diagrams(hopf_diagram(), learned, box=BOX), ax=ax)
    low, high = ax.get_ylim()
    assert 3 < low < 5 < high < 7


# --- labels


def drawn(make, *args, **kwargs):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    make(*args, ax=axes, **kwargs)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    # an annotation's own extent includes its leader line; the label is the text's alone
    extents = [mpl.text.Text.get_window_extent(text, renderer) for text in axes.texts]
    return axes, extents


@pytest.mark.parametrize("compared", [False, True])
def test_labels_overlap_neither_each_other_nor_markers_nor_leave_the_axes(compared):
    if compared:
        found = bf.compare_diagrams(crowded_diagram(), crowded_diagram(0.08))
        axes, extents = drawn(plot_comparison, found)
    else:
        axes, extents = drawn(plot_diagram, crowded_diagram())
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
    axes, extents = drawn(plot_diagram, crowded_diagram())
    covered = 0
    for line in lines(axes):
        pixels = axes.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]))
        covered += sum(extent.contains(x, y) for extent in extents for x, y in pixels)
    assert covered == 0


def test_the_legend_covers_nothing():
    axes, _ = drawn(plot_comparison, bf.compare_diagrams(hopf_diagram(), hopf_diagram(2.1)))
    legend = axes.get_legend().get_window_extent()
    assert legend.y1 < axes.xaxis.label.get_window_extent().y0
    assert legend.x0 >= 0 and legend.x1 <= axes.figure.bbox.x1 and legend.y0 >= 0


@given(st.lists(st.tuples(st.floats(100, 500), st.floats(100, 300)), min_size=1, max_size=8))
def test_labels_placed_with_room_never_overlap(anchors):
    sizes = [(18.0, 11.0)] * len(anchors)
    centres = place_labels(np.array(anchors), sizes, np.empty((0, 2)), (0, 0, 600, 400), marker=4.0)
    for (ax, ay), (bx, by) in itertools.combinations(centres, 2):
        assert abs(ax - bx) >= 18 - 1e-9 or abs(ay - by) >= 11 - 1e-9
    for x, y in centres:
        assert all(abs(x - u) >= 9 or abs(y - v) >= 5.5 for u, v in anchors)


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=12), st.sets(st.integers(0, 11)))
def test_runs_cover_a_branch_and_share_their_ends(unstable, special):
    runs = stability_runs(np.array(unstable), special)
    assert runs[0][0].start == 0 and runs[-1][0].stop == len(unstable)
    for (a, first), (b, second) in itertools.pairwise(runs):
        assert a.stop - 1 == b.start and first != second


def test_stability_not_computed_is_not_drawn_as_stable():
    assert stability_runs(np.array([-1, -1, 0]), set()) == [(slice(0, 3), "unknown")]


# --- files and global state


@pytest.mark.parametrize("suffix", ["png", "PDF", "svg"])
def test_files_by_suffix(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    save_diagram(crowded_diagram(), path)
    start = path.read_bytes()[:5]
    assert start == {"png": b"\x89PNG\r", "PDF": b"%PDF-", "svg": b"<?xml"}[suffix]
    if suffix == "svg":
        ET.parse(path)


@pytest.mark.parametrize("name", ["a.gif", "a", "a.png.txt", ".png"])
def test_an_unknown_suffix(tmp_path, name):
    with pytest.raises(bf.InputError, match=r"\.png, \.pdf or \.svg"):
        save_diagram(hopf_diagram(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_saving_touches_nothing_global(tmp_path):
    before = dict(mpl.rcParams)
    save_diagram(hopf_diagram(), tmp_path / "a.png")
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
    plot_diagram(hopf_diagram(), ax=axes)
    assert len(axes.texts) == 1


def test_bars(tmp_path):
    save_bars({"native": 0.5, "pycont": 2200.0}, tmp_path / "a.svg", "microseconds per point", "a model")
    ET.parse(tmp_path / "a.svg")


def test_branches_of_one_point_and_with_nan(ax):
    plot_diagram(diagram([branch([[2, 5, 5]], [0]), branch([[1, 5, 5], [2, np.nan, 5]], [0, 0], id=1)]), ax=ax)
    assert np.isfinite(ax.get_ylim()).all()

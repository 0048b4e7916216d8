"""What is in the pictures: cycles as a kind of their own, panels, logarithmic axes, several diagrams, limits."""

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.text import Text

import bifrncrn as bf

BAUTIN = {"x": "lam*x - y + x*(x^2 + y^2) - x*(x^2 + y^2)^2", "y": "x + lam*y + y*(x^2 + y^2) - y*(x^2 + y^2)^2"}


@pytest.fixture(scope="module")
def cycles():
    """Cycles of radius r with lam = r^4 - r^2: unstable from the Hopf point at 0 to the fold at -1/4, then stable."""
    model = bf.System.from_equations(BAUTIN, {"lam": -0.4}, {"x": 0, "y": 0}, title="Bautin")
    return bf.with_orbits(bf.diagram(model, bounds=(-0.5, 0.5)))


def axes():
    return Figure().subplots()


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_cycles_are_a_kind_of_their_own(cycles):
    ax = cycles.plot("x", ax=axes())
    assert legend(ax)[:4] == ["stable", "unstable", "stable cycle", "unstable cycle"]
    beads = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) > 2]
    filled = {line.get_markerfacecolor() == line.get_color() for line in beads}
    assert len(beads) == 4 and filled == {True, False}  # two extremes, two stabilities
    marked = sorted(float(line.get_ydata()[0]) for line in ax.lines if line.get_marker() == "p")
    assert marked == pytest.approx([-(0.5**0.5), 0.5**0.5], abs=1e-6)  # the fold, on both extremes


def test_what_the_system_does_is_shaded(cycles):
    """Stable cycles from the fold at -1/4, with the stable equilibrium up to the Hopf point at 0, alone beyond."""
    ax = cycles.plot("x", ax=axes())
    spans = sorted((patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches)
    assert np.allclose(spans, [(-0.25, 0.0), (0.0, 0.5)], atol=1e-6)
    assert legend(ax)[4:] == ["bistable (rest, cycle)", "oscillates"]
    assert not cycles.plot("x", ax=axes(), shade=False).patches
    busy = axes()
    busy.plot([0, 1], [0, 1])
    assert not cycles.plot("x", ax=busy).patches


def test_a_legend_names_only_what_is_drawn():
    model = bf.System.from_equations({"x": "lam - x"}, {"lam": 0.0}, {"x": 0.0})
    assert legend(bf.diagram(model, bounds=(-1, 1)).plot(ax=axes())) == ["stable"]


def test_a_legend_names_no_lines_that_do_not_show_what_is_shown(cycles):
    """Equilibria have no period."""
    assert legend(cycles.plot("period", ax=axes(), shade=False)) == ["stable cycle", "unstable cycle"]


@pytest.mark.parametrize("size", [(3.0, 2.4), (5.0, 3.6), (7.0, 4.9)])
@pytest.mark.parametrize("panels", [1, 2])
def test_nothing_is_cut_off_in_a_figure_without_a_layout(cycles, size, panels):
    figure = Figure(figsize=(size[0] * panels, size[1]))
    for ax in np.ravel(figure.subplots(1, panels)):
        cycles.plot("x", ax=ax)
    figure.draw_without_rendering()
    for ax in figure.axes:
        for thing in (ax.get_legend(), ax.xaxis.label, ax.yaxis.label, ax.title, *ax.texts):
            box = thing.get_window_extent()
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, thing


def test_axes_placed_by_hand_stay_where_they_are(cycles):
    ax = Figure(figsize=(5, 4)).add_axes((0.15, 0.15, 0.8, 0.75))
    cycles.plot("x", ax=ax)
    assert ax.get_position().bounds == pytest.approx((0.15, 0.15, 0.8, 0.75))
    frame, box = ax.get_window_extent(), ax.get_legend().get_window_extent()
    assert frame.x0 <= box.x0 and frame.y0 <= box.y0 and box.x1 <= frame.x1 and box.y1 <= frame.y1


def test_labels_make_room_for_a_second_diagram(cycles):
    """The first's labels stand on no line of the second, which is drawn after them, and on no other label."""
    ax = axes()
    cycles.plot("x", ax=ax, label="first")
    wider = {name: text.replace("(x^2 + y^2)^2", "0.8*(x^2 + y^2)^2") for name, text in BAUTIN.items()}
    model = bf.System.from_equations(wider, {"lam": -0.4}, {"x": 0, "y": 0})
    bf.with_orbits(bf.diagram(model, bounds=(-0.5, 0.5))).plot("x", ax=ax, colour="#00509e", label="second")
    ax.figure.draw_without_rendering()
    labels = [Text.get_window_extent(text) for text in ax.texts]  # without the line to its point
    assert len(labels) == 3  # the Hopf point is that of both
    for label in labels:
        assert sum(label.overlaps(other) for other in labels) == 1
        for line in ax.lines:
            assert not any(label.contains(x, y) for x, y in ax.transData.transform(np.asarray(line.get_xydata())))


def test_what_is_constant_to_rounding_stays_on_its_branch(cycles):
    """The period is 2 pi all along; what is drawn of it ends where the branch does, at the fold."""
    ax = cycles.plot("period", ax=axes())
    assert min(float(np.min(line.get_xdata())) for line in ax.lines) > -0.2501


def test_a_family_of_cycles_as_small_multiples():
    model = bf.System.from_equations(BAUTIN, {"lam": -0.4}, {"x": 0, "y": 0})
    family = bf.orbits(bf.diagram(model, bounds=(-0.5, 0.5)).special("HB")[0])
    grid = family.plot_family(count=5)
    drawn = [line for ax in grid.ravel() for line in ax.lines]
    assert len(drawn) == 5 and {line.get_linestyle() for line in drawn} == {"-", "--"}
    for line in drawn:
        radius = np.hypot(line.get_xdata(), line.get_ydata())
        assert np.ptp(radius) < 1e-3 * radius.max()  # circles
    with pytest.raises(bf.InputError, match="two of x, y"):
        family.plot_family(("x", "z"))
    pyplot.close(grid[0, 0].figure)


def test_states_of_different_sizes_have_axes_of_their_own():
    model = bf.System.from_equations({"x": "-x", "y": "-y"}, {}, {"x": 1.0, "y": 100.0})
    ax = model.simulate(3.0).plot(ax=(figure := Figure()).subplots())
    assert [one.get_ylabel() for one in figure.axes] == ["x", "y"] and legend(ax) == ["x", "y"]
    ax = model.simulate(3.0, state={"y": 2.0}).plot(ax=(figure := Figure()).subplots())
    assert len(figure.axes) == 1


def test_a_comparison_shows_the_cycles_of_both():
    def hopf(speed):
        field = {"x": f"lam*x - {speed}*y - x*(x^2 + y^2)", "y": f"{speed}*x + lam*y - y*(x^2 + y^2)"}
        return bf.System.from_equations(field, {"lam": -1.0}, {"x": 0, "y": 0})

    found = bf.compare(hopf(1), hopf(1.02), bounds=(-1, 1))
    ax = found.plot_phases(axes())
    values = [cycle.value for cycle in found.cycles]
    closed = [line for line in ax.lines if len(line.get_xdata()) > 20]
    assert len(closed) == 2 * len(values) > 0
    for line, value in zip(closed, np.repeat(values, 2), strict=True):
        assert np.allclose(np.hypot(line.get_xdata(), line.get_ydata()), value**0.5, atol=5e-3)
    assert {line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"} == {"white"}  # unstable


@pytest.mark.parametrize("width", [3.0, 7.0])
def test_narrow_and_wide_pictures_have_room_for_everything(cycles, width):
    figure = Figure(figsize=(width, 0.8 * width), layout="constrained")
    ax = cycles.plot("x", ax=figure.subplots())
    figure.draw_without_rendering()
    frame, box, key = figure.bbox, ax.get_window_extent(), ax.get_legend().get_window_extent()
    assert box.width > 0.6 * frame.width and box.height > 0.3 * frame.height
    assert key.x0 >= 0 and key.x1 <= frame.width and key.y0 >= 0 and key.y1 < box.y0
    title = ax.title.get_window_extent()
    assert title.x0 >= 0 and title.x1 <= frame.width


def test_the_curve_of_cycles_is_smooth(cycles):
    """What is drawn between the rows keeps to lam = r^4 - r^2, near the Hopf point, too."""
    ax = cycles.plot("max x", ax=axes())
    for line in ax.lines:
        x, y = np.array(line.get_xdata(), float), np.array(line.get_ydata(), float)
        if line.get_color() == "#b2450e" and len(x) > 2:
            assert np.max(np.abs(y**4 - y**2 - x)) < 2e-3  # a fifth of a pixel


def test_what_else_can_be_shown(cycles, tmp_path):
    (period,) = {line.get_color() for line in cycles.plot("period", ax=axes()).lines if len(line.get_xdata()) > 2}
    assert period == "#b2450e"
    heights = np.concatenate([line.get_ydata() for line in cycles.plot("norm", ax=axes()).lines])
    assert heights.max() == pytest.approx(cycles.branches[1].column("max x").max(), rel=1e-3)  # circles: the radius
    bf.save_diagram(cycles, tmp_path / "p.png", show=["x", "period", "norm"])
    assert (tmp_path / "p.png").stat().st_size > 10_000
    with pytest.raises(bf.InputError, match="norm"):
        cycles.plot("z", ax=axes())


def test_the_names_of_the_model_win():
    model = bf.System.from_equations({"norm": "period - norm^2"}, {"period": 1.0}, {"norm": 1.0})
    ax = bf.diagram(model, bounds=(0.25, 4)).plot("norm", ax=axes())
    assert max(float(np.max(line.get_ydata())) for line in ax.lines) == pytest.approx(2.0)


def test_ends_are_named():
    tank = bf.with_orbits(bf.diagram(bf.library.get("ab_reaction"), parameter="D", bounds=(0, 0.16)))
    ax = tank.plot("u1", ax=axes())
    assert "HOM" in {text.get_text() for text in ax.texts}


def test_logarithmic_axes():
    model = bf.System.from_equations({"x": "lam^2 - x"}, {"lam": 1.0}, {"x": 1.0})
    found = bf.diagram(model, bounds=(0.01, 100))
    ax = found.plot(ax=axes(), log="xy")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log") and ax.get_xlim()[0] > 0
    with pytest.raises(bf.InputError, match="positive"):
        bf.diagram(model, bounds=(-1, 1)).plot(ax=axes(), log="x")
    with pytest.raises(bf.InputError, match="x, y or xy"):
        found.plot(ax=axes(), log="z")


def test_several_diagrams_in_one_picture():
    def cubic(a):
        return bf.diagram(
            bf.System.from_equations({"x": f"lam + {a}*x - x^3"}, {"lam": -1.0}, {"x": -1.3}), bounds=(-1, 1)
        )

    ax = axes()
    ax.plot([-2, 2], [3, 3])
    ax.set_title("mine")
    cubic(1).plot(ax=ax, label="one")
    cubic(0.5).plot(ax=ax, label="two", colour="#b2182b")
    assert ax.get_title() == "mine" and ax.get_ylim()[1] >= 3 and ax.get_xlim()[0] <= -2
    assert [word for word in legend(ax) if word.startswith(("one", "two"))] == [
        "one, stable", "one, unstable", "two, stable", "two, unstable",
    ]  # fmt: skip


def test_a_branch_that_goes_to_infinity_does_not_flatten_the_picture():
    """x = 1/lam: of the range up to 2, values to some tens are seen."""
    model = bf.System.from_equations({"x": "1 - lam*x"}, {"lam": 1.0}, {"x": 1.0})
    ax = bf.diagram(model, bounds=(0, 2)).plot(ax=axes())
    assert 2 < ax.get_ylim()[1] < 100

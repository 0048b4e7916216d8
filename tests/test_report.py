"""Diagrams and measurements as text for people."""

import numpy as np
import pytest
from handmade import branch, crowded_diagram, diagram, hopf_diagram, point

import bifrncrn as bf


def test_a_diagram_in_words():
    text = str(hopf_diagram(2.0))
    assert text.startswith("hopf: lam in [1, 3]")
    row = next(line for line in text.splitlines() if line.startswith("HB"))
    assert row.split()[:5] == ["HB", "0", "2", "5", "5"]
    assert "omega = 1, l1 = -1, supercritical" in row
    assert "lam reached its lower end" in text


def test_the_origin_of_a_branch_is_named():
    lines = str(crowded_diagram()).splitlines()
    assert next(line for line in lines if line.startswith("2 ")).split()[2] == "BP"


def test_no_special_point_is_said():
    assert "no special point" in str(diagram([branch([[1, 5, 5], [3, 5, 5]], [0, 0])]))


def test_an_unrefined_point_is_said_to_be_one():
    base = hopf_diagram()
    assert "not refined" in str(diagram(base.branches, [point("HB", 2, (5, 5), status="bracketed")]))


def test_many_states_are_cut_and_said_to_be():
    state = tuple(range(10))
    columns = ("lam", *(f"x{k}" for k in range(1, 11)))
    wide = branch([[1, *state], [3, *state]], [0, 0], columns=columns)
    assert "(4 more states" in str(diagram([wide], [point("HB", 2, state)]))


def test_rounding_is_shown_as_zero():
    flat = branch([[1, 5, 0], [3, 5, 0]], [0, 0])
    row = str(diagram([flat], [point("BP", 2, (5, -2.8e-29))])).splitlines()
    assert next(line for line in row if line.startswith("BP")).split() == ["BP", "0", "2", "5", "0"]


def test_the_summary_comes_first_and_is_right():
    """The tank of Uppal, Ray and Poore; folds and Hopf point as published (Doedel's demo `ab`)."""
    tank = bf.diagram(bf.library.get("ab_reaction"), parameter="D", bounds=(0, 0.16))
    says = " ".join(str(tank).split("\n\n")[0].split())
    assert "stable for D < 0.10574; nothing stable found for 0.10574 < D < 0.1309; stable for D > 0.1309" in says
    assert "cycles were not followed" in says
    says = " ".join(str(bf.with_orbits(tank)).split("\n\n")[0].split())
    # 2 pi / 4.00777 at the Hopf point; 13.04 at the fold by interpolation between orbits computed there
    assert "oscillates for 0.10574 < D < 0.1309, period 1.57 to 13" in says
    assert "bistable (an equilibrium and a cycle) for 0.10551 < D < 0.10574, period 13 to" in says


def test_bistable_is_said():
    """x' = lam + x - x^3: two stable equilibria between the folds at +-2/sqrt(27)."""
    model = bf.System.from_equations({"x": "lam + x - x^3"}, {"lam": -1.0}, {"x": -1.3})
    says = " ".join(str(bf.diagram(model, bounds=(-1, 1))).split("\n\n")[0].split())
    assert "stable for lam < -0.3849; bistable for -0.3849 < lam < 0.3849; stable for lam > 0.3849" in says


@pytest.mark.parametrize("name", bf.library.names("textbook"))
def test_reports_fit_a_terminal(name):
    system = bf.library.get(name)
    system = system if isinstance(system, bf.System) else system.system
    parameter = "lam" if "lam" in system.parameters else system.parameters[0]
    value = float(system.values[system.parameter_index(parameter)])
    try:
        found = bf.diagram(system, parameter=parameter, bounds=(value - 0.1, value + 0.1 + abs(value)))
    except bf.ConvergenceError:
        pytest.skip("no equilibrium at the model's own start")
    assert max(map(len, str(found).split("\n"))) <= 80
    assert len(repr(found)) < 300 and "<pre" in found._repr_html_()
    for special in found.special_points:
        assert special.label in str(special) and len(repr(special)) < 120


def test_a_result_in_a_notebook_is_text_not_markup():
    model = bf.System.from_equations({"x": "lam - x^2"}, {"lam": 1.0}, {"x": 1.0}, title="<script>alert(1)</script>")
    shown = bf.diagram(model, bounds=(-1, 1))._repr_html_()
    assert "<script" not in shown and "&lt;script" in shown


def results():
    """Return one result of every kind that is quick to make."""
    tank = bf.library.get("ab_reaction")
    network = library_network()
    yield tank.simulate(5.0, values={"D": 0.12})
    yield (cycle := bf.find_cycle(tank, values={"D": 0.12}))
    found = bf.diagram(tank, parameter="D", bounds=(0, 0.16))
    yield from (found, found.branches[0], found.special("HB")[0], bf.orbits(cycle, (0.11, 0.125), parameter="D"))
    yield bf.portrait(tank.with_(values={"D": 0.12}), box={"u1": (0, 1), "u2": (0, 8)})
    cubic = bf.System.from_equations({"x": "lam + x - x^3"}, {"lam": -1.0}, {"x": -1.3}, title="a title " * 20)
    yield bf.compare(cubic, cubic, bounds=(-1, 1))
    yield bf.prove(cubic, bounds=(-1, 1), box={"x": (-2, 2)})
    yield bf.largest_lyapunov(tank, time=20.0)
    yield bf.find_homoclinic(bf.library.homoclinic().system, "lam", (1.9, 2.1), saddle={"x1": 5, "x2": 5})
    yield from (network, network.reactions(0.01), network.reduced(), tank)


def library_network():
    from importlib.resources import files

    return bf.Network.load(files("bifrncrn.library") / "data" / "hopf_network.json")


def test_every_result_is_its_report():
    for result in results():
        said, shown, html = str(result), repr(result), result._repr_html_()
        assert max(map(len, said.split("\n"))) <= 80, said
        assert "<script" not in html and ("<pre" in html or "<math" in html)
        if not isinstance(result, bf.System):
            assert len(shown) < 300 and "array(" not in shown and shown.startswith("<"), shown


def test_what_a_cycle_says():
    """Of the tank at D = 0.12; the period from integrating a turn of it independently (scipy, DOP853)."""
    import numpy as np
    from scipy.integrate import solve_ivp

    cycle = bf.find_cycle(bf.library.get("ab_reaction"), values={"D": 0.12})

    def field(t, u):
        heat = 0.12 * (1 - u[0]) * np.exp(u[1])
        return [-u[0] + heat, -u[1] + 14 * heat - 2 * u[1]]

    def crosses(t, u):
        return u[0] - 0.8

    crosses.direction = 1.0
    times = solve_ivp(field, (0, 60), [0.8, 4.0], method="DOP853", rtol=1e-12, atol=1e-13, events=crosses).t_events[0]
    assert f"stable cycle of period {times[-1] - times[-2]:.7g}" in str(cycle)
    from matplotlib.figure import Figure

    ax = cycle.plot(ax=Figure().subplots())
    assert (
        float(ax.lines[0].get_xdata()[-1]) == cycle.period and ax.lines[0].get_ydata()[0] == ax.lines[0].get_ydata()[-1]
    )


def test_where_nothing_stable_was_found_the_report_says_where_to_look():
    spiral = bf.System.from_equations({"x": "a*x - y", "y": "x + a*y"}, {"a": -1.0})
    said = str(bf.diagram(spiral, "a", (0.5, 1.0), start={"x": 0.0, "y": 0.0}))
    assert "nothing stable found" in said and "--all" in said and "--cycle" in said
    said = str(
        bf.diagram(spiral, "a", (0.5, 1.0), start={"x": 0.0, "y": 0.0}, all=True, box={"x": (-1, 1), "y": (-1, 1)})
    )
    assert "--all" not in said and "--cycle" in said
    assert "--cycle" not in str(bf.diagram(spiral, "a", (-1.0, -0.5), start={"x": 0.0, "y": 0.0}))
    growth = bf.System.from_map({"x": "r*x"}, {"r": 2.0})
    assert "bf.attractors" in str(bf.diagram(growth, "r", (1.5, 2.5), start={"x": 0.0}))


def test_a_table_shows_rounding_as_zero():
    """The collision at mu = 0, x = 0 is computed to 1e-19."""
    form = {"x": "if(x < 0, x/2, -1.2*x) + y + mu", "y": "if(x < 0, -0.3*x, -0.4*x)"}
    system = bf.System.from_map(form, {"mu": -1.0}, {"x": -1.0, "y": 0.3})
    diagram = bf.diagram(system, "mu", (-1.0, 1.0))
    (point,) = diagram.special("BC")
    assert abs(point.parameters["mu"]) < 1e-15
    (row,) = (line for line in str(diagram).splitlines() if line.startswith("BC"))
    assert row.split()[2] == "0"


def test_the_words_of_stability_are_strings_to_numpy(tmp_path):
    growth = bf.System.from_equations({"x": "a*x"}, {"a": -1.0})
    branch = bf.diagram(growth, "a", (-1.0, -0.5), start={"x": 0.0}).branches[0]
    assert (branch.stability == "stable").all() and np.char.startswith(branch.stability, "st").all()
    np.savez(tmp_path / "words.npz", stability=branch.stability)
    with np.load(tmp_path / "words.npz", allow_pickle=False) as kept:
        assert (kept["stability"] == branch.stability).all()

"""Branches of periodic orbits: exact problems, published ones, what ends them, and what must not be reported."""

import json
from pathlib import Path

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp
from test_cases import build

import bifrncrn as bf

FILE = Path(__file__).resolve().parents[2] / "shared" / "reference" / "cases.json"
CASES = json.loads(FILE.read_text())["cases"] if FILE.is_file() else []
TURN = 2.0 * np.pi
PLANAR = {"x": "lam*x - y - x*(x^2 + y^2)", "y": "x + lam*y - y*(x^2 + y^2)"}
EARLY = {"x": "(lam + 1/2)*x - y - x*(x^2 + y^2)", "y": "x + (lam + 1/2)*y - y*(x^2 + y^2)"}
"""A cycle of radius sqrt(lam + 1/2) and period 2 pi, on which other directions are put whose growth is known."""


def system(equations, parameter="lam", value=-1.0, **state):
    names = list(equations)
    return bf.System.from_equations(equations, {parameter: value}, {name: state.get(name, 0.0) for name in names})


def family(equations, bounds=(-1, 1), which=0, **state):
    return bf.orbits(bf.diagram(system(equations, **state), bounds=bounds).special("HB")[which])


def mixed(equations, matrix):
    """Return the system in other coordinates, so that nothing decouples."""
    names = sympy.symbols(list(equations))
    new = sympy.symbols([f"z{k}" for k in range(len(names))])
    a = sympy.Matrix(matrix)
    old = dict(zip(names, a * sympy.Matrix(new), strict=True))
    field = sympy.Matrix([sympy.sympify(text.replace("^", "**")) for text in equations.values()]).subs(old)
    return system({str(z): str(sympy.expand(f)) for z, f in zip(new, a.inv() * field, strict=True)})


def only(found, label):
    points = [p for p in found.special_points if p.label == label]
    assert len(points) == 1
    assert points[0].status == "converged"
    return points[0]


# -- exact problems -------------------------------------------------------------------------------------------------


def test_the_hopf_normal_form_has_its_known_orbits():
    found = family(PLANAR)
    lam = found.column("lam")[1:]  # the first row is the Hopf point
    assert np.max(np.abs(found.column("period") - TURN)) < 1e-9
    # between mesh points the error is that of the polynomials, of order 5 and not 8
    assert np.max(np.abs(found.column("max x")[1:] / np.sqrt(lam) - 1.0)) < 1e-7
    assert np.max(np.abs(found.column("min y")[1:] / np.sqrt(lam) + 1.0)) < 1e-7
    assert np.max(np.abs(np.log(found.multipliers[1:, 1].real) + 2.0 * TURN * lam)) < 1e-6
    assert np.max(np.abs(found.multipliers[:, 0] - 1.0)) < 1e-6
    assert not found.unstable.any()
    assert not found.special_points


def test_a_subcritical_branch_turns_at_the_fold_of_cycles():
    equations = {
        "x": "lam*x - y + x*(x^2 + y^2) - x*(x^2 + y^2)^2",
        "y": "x + lam*y + y*(x^2 + y^2) - y*(x^2 + y^2)^2",
    }
    found = family(equations)
    fold = only(found, "LPC")
    assert fold.parameters["lam"] == pytest.approx(-0.25, abs=1e-11)
    assert fold.period == pytest.approx(TURN, abs=1e-9)
    assert found.column("max x")[fold.index] == pytest.approx(np.sqrt(0.5), abs=1e-6)  # r^2 = 1/2
    assert set(found.unstable[1 : fold.index]) == {1}
    assert not found.unstable[fold.index + 1 :].any()


@pytest.mark.parametrize(
    ("size", "time", "shift"), [(1e6, 1.0, 0.0), (1e-4, 1e3, 0.0), (1.0, 1e-4, 0.0), (1.0, 1.0, 1000.0)]
)
def test_units_and_origin_change_no_result(size, time, shift):
    x, y = (f"(({name} - {shift!r})/{size!r})" for name in "xy")
    field = {
        "x": f"lam*{x} - {y} + {x}*({x}^2 + {y}^2) - {x}*({x}^2 + {y}^2)^2",
        "y": f"{x} + lam*{y} + {y}*({x}^2 + {y}^2) - {y}*({x}^2 + {y}^2)^2",
    }
    found = family({name: f"{size * time!r}*({text})" for name, text in field.items()}, x=shift, y=shift)
    fold = only(found, "LPC")
    assert fold.parameters["lam"] == pytest.approx(-0.25, abs=1e-10)
    assert fold.period * time == pytest.approx(TURN, rel=1e-9)
    assert (found.column("max x")[fold.index] - shift) / size == pytest.approx(np.sqrt(0.5), abs=1e-6)


def test_a_torus_is_born_where_the_damping_of_a_rotation_changes_sign():
    more = {"u": "lam*u - sqrt(2)*v - u*(u^2 + v^2)", "v": "sqrt(2)*u + lam*v - v*(u^2 + v^2)"}
    point = only(family(EARLY | more), "NS")
    assert point.parameters["lam"] == pytest.approx(0.0, abs=1e-11)
    pair = point.multipliers[np.abs(np.abs(point.multipliers) - 1.0) < 1e-9]
    assert np.min(np.abs(pair - np.exp(1j * TURN * np.sqrt(2)))) < 1e-6


def test_a_period_doubles_where_the_known_multiplier_is_minus_one():
    # in a frame that turns by half with the cycle the directions grow like -1/2 +- r
    more = {"u": "-u/2 - v/2 + x*u + y*v", "v": "-v/2 + u/2 + y*u - x*v"}
    point = only(family(PLANAR | more), "PD")
    assert point.parameters["lam"] == pytest.approx(0.25, abs=1e-11)
    assert np.min(np.abs(point.multipliers + 1.0)) < 1e-8


@pytest.mark.parametrize("growth", ["s*(lam - 3/10) - s^3 + x*s/2", "s*(lam - 3/10) - s^2 + x*s/2"])
def test_branch_points_of_cycles_in_coordinates_that_do_not_decouple(growth):
    model = mixed(EARLY | {"s": growth}, [[1, "1/2", "1/3"], [0, 1, "-1/4"], ["1/5", 0, 1]])
    points = [bf.orbits(hopf).special("BPC") for hopf in bf.diagram(model, bounds=(-1, 1)).special("HB")]
    planar = [group for group in points if group]  # the orbits with s = 0
    assert planar
    for group in planar:
        assert [p.status for p in group] == ["converged"]
        assert group[0].parameters["lam"] == pytest.approx(0.3, abs=1e-10)


def test_a_neutral_saddle_cycle_is_not_reported():
    # real multipliers whose product is 1 at lam = 0, neither of them on the unit circle
    found = family(EARLY | {"a": "a*(2/5 + lam/10)", "b": "b*(-2/5 + 3*lam/10)"})
    product = np.abs(found.multipliers[:, 1] * found.multipliers[:, 2])
    assert product.min() < 1.0 < product.max()
    assert not found.special_points


# -- against other methods --------------------------------------------------------------------------------------------


def test_van_der_pol_against_integration():
    model = system({"x": "y", "y": "lam*(1 - x^2)*y - x"}, value=1.0, x=2.0)
    found = bf.orbits(bf.find_cycle(model), (0.5, 20))
    assert [end.reason for end in found.ended] == ["range", "range"]
    for index, lam in ((0, 0.5), (-1, 20.0)):
        times, states = found.orbit(index)
        assert found.points[index, 0] == lam
        run = model.simulate(times[-1], state=states[0], values={"lam": lam}, rtol=1e-12, atol=1e-12)
        assert run.x[-1] == pytest.approx(states[0], rel=1e-6, abs=1e-6)


def test_multipliers_agree_with_shooting():
    model = bf.library.problem("ab_reaction").system
    found = bf.orbits(bf.diagram(model, "D", (0, 0.16)).special("HB")[0])
    index = int(np.argmin(np.abs(found.column("D") - 0.125)))
    times, states = found.orbit(index)
    cycle = bf.find_cycle(model, values={"D": found.column("D")[index]}, state=states[0], period=times[-1])
    assert cycle.period == pytest.approx(times[-1], rel=1e-9)
    assert cycle.multipliers[1].real == pytest.approx(found.multipliers[index, 1].real, rel=1e-5)
    assert cycle.min == pytest.approx(found.points[index, 2::2], rel=1e-6)
    assert cycle.max == pytest.approx(found.points[index, 3::2], rel=1e-6)


def test_one_is_found_beside_huge_multipliers():
    # growth 30 off a plane of period 2 pi: exp(60 pi) = 7e81, and a decay as fast
    found = family(PLANAR | {"a": "5*a", "b": "-5*b"})
    assert np.max(np.abs(found.multipliers[:, 0] - 1.0)) < 1e-6
    assert np.all(found.multipliers[:, 1].real > 1e13)
    assert set(found.unstable) == {1}


def test_multipliers_of_a_stiff_system_are_not_those_of_the_mesh():
    # Gauss points alone would carry the decay of z, exp(-1e4 T) in truth, as about 0.9
    found = family(PLANAR | {"z": "10000*(x^2 + y^2 - z)"})
    lam = found.column("lam")[1:]
    assert found.multipliers[1:, 1].real == pytest.approx(np.exp(-2.0 * TURN * lam), abs=1e-6)
    assert np.max(np.abs(found.multipliers[1:, 2])) < 1e-10
    assert not found.unstable.any()


# -- what ends a branch -----------------------------------------------------------------------------------------------


def test_a_stiff_relaxation_cycle_is_followed_to_the_end_of_the_range():
    model = bf.library.problem("brusselator").system
    found = bf.orbits(bf.diagram(model, "B", (0.5, 30)).special("HB")[0])
    assert found.ended[1].reason == "range"
    assert found.column("B")[-1] == 30.0
    times, states = found.orbit(-1)
    cycle = bf.find_cycle(model, values={"B": 30.0}, state=states[0])
    assert cycle.period == pytest.approx(times[-1], rel=1e-7)
    assert (found.column("min x") > 0.0).all()


def test_extremes_are_as_exact_as_periods():
    # radius sqrt(lam) exactly, in coordinates in which no node is an extreme; and a relaxation cycle against an
    # integration to 1e-12 over one more period
    found = family(PLANAR)
    lam = found.column("lam")[1:]
    assert np.max(np.abs(found.column("max x")[1:] / np.sqrt(lam) - 1.0)) < 1e-9
    assert np.max(np.abs(found.column("min y")[1:] / np.sqrt(lam) + 1.0)) < 1e-9
    pulses = bf.orbits(bf.diagram(bf.library.problem("ab_reaction").system, "D", (0, 0.16)).special("HB")[0])
    for index in range(5, len(pulses.points), 6):
        times, states = pulses.orbit(index)
        d = pulses.column("D")[index]

        def field(_, u, d=d):
            heat = d * (1.0 - u[0]) * np.exp(u[1])
            return [-u[0] + heat, -3.0 * u[1] + 14.0 * heat]

        def turns(t, u):
            return field(t, u)[1]

        run = solve_ivp(field, (0, times[-1]), states[0], method="DOP853", rtol=1e-12, atol=1e-13, events=turns)
        top = np.max(run.y_events[0][:, 1])
        assert pulses.column("max u2")[index] == pytest.approx(top, rel=1e-8)


def test_a_homoclinic_end_of_the_reaction():
    found = bf.orbits(bf.diagram(bf.library.problem("ab_reaction").system, "D", (0, 0.16)).special("HB")[0])
    assert found.ended[1].reason == "homoclinic"
    assert "0.10550707" in found.ended[1].message
    assert not found.special_points
    assert not found.unstable.any()


def test_the_lorenz_branch_is_unstable_up_to_its_homoclinic_orbit():
    whole = bf.with_orbits(bf.diagram(bf.library.problem("lorenz").system, "rho", (0, 30)))
    families = [branch for branch in whole.branches if branch.kind == "periodic"]
    assert len(families) == 2  # one around each of the two equilibria
    for branch in families:
        assert branch.ended[1].reason == "homoclinic"
        assert "13.926557" in branch.ended[1].message  # Sparrow 1982: 13.926
        assert set(branch.unstable) <= {1, -1, 0}
        assert set(branch.unstable[1:-5]) == {1}
    assert not [p for p in whole.special_points if p.label in ("LPC", "PD", "NS", "BPC")]


def test_a_centre_is_not_followed():
    found = family({"x": "lam*x + y", "y": "-x + lam*y"})
    assert found.ended[1].reason == "centre"
    assert not found.special_points


def test_the_limit_of_points():

    hopf = bf.diagram(system(PLANAR), bounds=(-1, 1)).special("HB")[0]
    found = bf.orbits(hopf, options=bf.Options(max_points=5))
    assert found.ended[1].reason == "points"
    assert len(found.points) == 6  # and the Hopf point


# -- results ----------------------------------------------------------------------------------------------------------


def test_every_family_once_and_in_the_same_file(tmp_path):
    model = bf.System.from_equations(
        {"x": "y", "y": "mu*(1 - mu)*y*4 - x - x^2*y"}, {"mu": -0.5}, {"x": 0.0, "y": 0.0}, title="bubble"
    )
    plain = bf.diagram(model, bounds=(-0.5, 1.5))
    whole = bf.with_orbits(plain)
    first, last = (p.parameters["mu"] for p in plain.special("HB"))
    (branch,) = [b for b in whole.branches if b.kind == "periodic"]
    assert branch.columns == ("mu", "period", "min x", "max x", "min y", "max y")
    assert branch.column("mu")[[0, -1]] == pytest.approx([first, last], abs=1e-12)
    assert whole.special_points[branch.origin].label == "HB"
    assert [end.reason for end in branch.ended] == ["HB", "HB"]
    path = tmp_path / "whole.json"
    whole.save(path)
    again = bf.Diagram.load(path)
    data = json.loads(path.read_text())["branches"][branch.id]
    assert len(data["multipliers"]) == len(data["points"])
    assert again.branches[branch.id].multipliers == pytest.approx(branch.multipliers)
    assert bf.orbits(again.special("HB")[0], system=model).points == pytest.approx(branch.points)


def test_the_command_line_draws_and_writes_them(tmp_path, capsys):
    files = [str(tmp_path / name) for name in ("a.json", "a.png")]
    words = ["diagram", "ab_reaction", "--parameter", "D", "--range", "0", "0.16", "--orbits"]
    assert bf.main([*words, "--json", files[0], "--plot", files[1]]) == 0
    assert "the period grows without bound" in " ".join(capsys.readouterr().out.split())
    data = json.loads(Path(files[0]).read_text())
    (branch,) = [b for b in data["branches"] if b["kind"] == "periodic"]
    assert branch["columns"] == ["D", "period", "min u1", "max u1", "min u2", "max u2"]
    assert {len(row) for row in branch["multipliers"]} == {2}
    assert data["special_points"][branch["from"]]["label"] == "HB"
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_a_diagram_with_orbits_is_extended_without_them():
    model = bf.library.problem("ab_reaction").system
    whole = bf.with_orbits(bf.diagram(model, "D", (0, 0.14)))
    assert {branch.kind for branch in whole.branches} == {"equilibrium", "periodic"}
    longer = bf.extend(whole, (0, 0.16))
    assert {branch.kind for branch in longer.branches} == {"equilibrium"}
    assert [p.label for p in longer.special_points] == ["LP", "LP", "HB"]
    assert {branch.kind for branch in bf.with_orbits(longer).branches} == {"equilibrium", "periodic"}


def test_orbits_are_closed_and_solve_the_equations():
    found = family(PLANAR)
    times, states = found.orbit(10)
    assert times[0] == 0.0
    assert times[-1] == found.column("period")[10]
    assert states[0] == pytest.approx(states[-1])
    lam = found.column("lam")[10]
    assert np.hypot(*states.T) == pytest.approx(np.sqrt(lam), rel=1e-6)


def test_conserved_sums_are_divided_out_and_given_back():
    # the pair (p, q) turns into each other and stays 1 together; x and y oscillate about p
    equations = PLANAR | {"p": "q - p", "q": "p - q"}
    model = bf.System.from_equations(equations, {"lam": -1.0}, {"x": 0.0, "y": 0.0, "p": 0.25, "q": 0.75})
    found = bf.orbits(bf.diagram(model, bounds=(-1, 1)).special("HB")[0])
    assert found.columns[2:] == ("min x", "max x", "min y", "max y", "min p", "max p", "min q", "max q")
    assert found.column("max q") == pytest.approx(0.5)
    assert found.orbit(3)[1].shape[1] == 4


def test_a_python_function_is_a_model_too():
    def field(x, p):
        r = x[0] ** 2 + x[1] ** 2
        return np.array([p[0] * x[0] - x[1] - x[0] * r, x[0] + p[0] * x[1] - x[1] * r])

    model = bf.System.from_function(field, ["x", "y"], {"lam": -1.0}, [0.0, 0.0])
    found = bf.orbits(bf.diagram(model, bounds=(-1, 0.5)).special("HB")[0])
    assert found.column("max x")[-1] == pytest.approx(np.sqrt(0.5), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda d: bf.orbits(d.special("LP")[0]), "start at a Hopf point"),
        (lambda d: bf.orbits("HB"), "start at a Hopf point"),
        (lambda d: bf.orbits(d.special("HB")[0], (0.0, 0.1)), "lies outside the range"),
        (lambda d: bf.orbits(d.special("HB")[0], parameter="B"), "is in D"),
        (lambda d: d.branches[0].orbit(0), "holds no orbits"),
        (lambda d: bf.orbits(d.special("HB")[0]).orbit(10**6), "there is no orbit"),
    ],
)
def test_what_is_wrong_is_said(call, words):
    with pytest.raises(bf.InputError, match=words):
        call(bf.diagram(bf.library.problem("ab_reaction").system, "D", (0, 0.16)))


def test_effort():
    found = bf.orbits(bf.diagram(bf.library.problem("ab_reaction").system, "D", (0, 0.16)).special("HB")[0])
    counters = found.counters
    # linearisations: those of steps with the factors of the one before are not counted
    assert counters["orbit_newton_iterations"] < 2.6 * counters["orbits"]  # measured 2.2
    assert counters["rejected_orbit_steps"] < 0.1 * counters["orbits"]
    assert counters["orbits"] < 120  # measured 87


# -- published problems -----------------------------------------------------------------------------------------------


def published():
    """Yield (case, fixed values, orbits) for the cases whose published cycles hang together with a Hopf point."""
    reached = {"LPC", "PD", "NS", "BPC"}
    for case in CASES:
        groups = {}
        for orbit in case.get("periodic_orbits") or []:
            if orbit["type"] in reached and orbit.get("recomputed") and not orbit.get("active"):
                groups.setdefault(json.dumps(orbit.get("fixed") or {}, sort_keys=True), []).append(orbit)
        for fixed, group in groups.items():
            yield pytest.param(case, json.loads(fixed), group, id=f"{case['id']}{fixed}")


DOUBLED = {0.5796298408947491, 0.044719661630713683, 0.044949123857945035, 218.21012777810597}
"""Parameters of points on branches of doubled period, which leave at PD and are not switched to."""


@pytest.mark.skipif(not CASES, reason="the reference folder is absent")
@pytest.mark.parametrize(("case", "fixed", "group"), list(published()))
def test_published_bifurcations_of_cycles(case, fixed, group):
    start = case["start"].get("state")
    model, values = build(case | {"start": {**case["start"], "state": start or group[0]["recomputed"]["x0"]}}, fixed)
    name, bounds = case["active"], tuple(float(sympy.sympify(v)) for v in case["range"])
    whole = bf.with_orbits(bf.diagram(model, name, bounds)) if start else None
    if whole is not None and whole.special("HB"):
        points = whole.special_points
    else:  # an isola, from one of its orbits, or cycles far from any Hopf point, from what a trajectory settles to
        seeds = [o for o in case["periodic_orbits"] if o["type"] == "PO" and (o.get("fixed") or {}) == fixed]
        seed = seeds[0]["recomputed"] if seeds else {"p": values[name], "x0": model.state, "period": None}
        cycle = bf.find_cycle(model, values={name: seed["p"]}, state=seed["x0"], period=seed["period"])
        points = bf.orbits(cycle, bounds, parameter=name).special_points
    for orbit in group:
        truth = orbit["recomputed"]
        if truth["p"] in DOUBLED:
            continue
        near = [
            p
            for p in points
            if p.label == orbit["type"] and p.status == "converged"
            and abs(p.parameters[name] - truth["p"]) < 1e-9 * (bounds[1] - bounds[0])
        ]  # fmt: skip
        assert near, f"{orbit['type']} at {truth['p']}"
        assert min(abs(p.period / truth["period"] - 1.0) for p in near) < 1e-7

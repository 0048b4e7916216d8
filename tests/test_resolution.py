"""What is claimed where rounding, fast unknowns, small units, poles and infinity make signs hard to tell.

All truths are closed forms; a tolerance is what double precision allows, with its reason where it is not 1e-9.
"""

import itertools

import numpy as np
import pytest

import bifrncrn as bf


def model(equations, start, parameters=None, **states):
    """Return a system in `p`, which starts at `start`."""
    return bf.System.from_equations(equations, parameters={"p": start, **(parameters or {})}, state=states)


def points(diagram):
    """Return (label, parameter) of all special points but ends, sorted; none may be bracketed."""
    assert all(point.status == "converged" for point in diagram.special_points)
    return sorted((point.label, point.parameters["p"]) for point in diagram.special_points)


def assert_points(diagram, known, tolerance=1e-9):
    """Assert that the special points are these and no others."""
    found = points(diagram)
    assert [label for label, _ in found] == [label for label, _ in sorted(known)], found
    assert [p for _, p in found] == pytest.approx([p for _, p in sorted(known)], abs=tolerance)


def rows(diagram):
    """Return the number of rows of all branches."""
    return sum(len(branch.points) for branch in diagram.branches)


def reasons(diagram):
    """Return the reasons for which branches end."""
    return {end.reason for branch in diagram.branches for end in branch.ended}


# -- fast unknowns ---------------------------------------------------------------------------------------------------

HOPF = {"x": "p*x - y - x*(x^2 + y^2)", "y": "x + p*y - y*(x^2 + y^2)"}
FAST = {
    "alone": ({"z": "-K*z"}, [[0, 0]], [[-1]]),
    "driven": ({"z": "K*(x - z)"}, [[1, 0]], [[-1]]),
    "driven by both, nonlinear": ({"z": "K*(x + y - z - z^3)"}, [[1, 1]], [[-1]]),
    "two that turn": ({"z": "K*(x - z - w)", "w": "K*(z - w + y)"}, [[1, 0], [0, 1]], [[-1, -1], [1, -1]]),
}
"""Equations of fast unknowns, and how they depend on x, y and on themselves, in units of their rate."""


@pytest.mark.parametrize("rate", [1e3, 1e6, 1e9, 1e12, 1e14])
@pytest.mark.parametrize("kind", FAST)
def test_fast_unknowns_hide_no_hopf_point(kind, rate):
    fast, drive, own = FAST[kind]
    state = dict.fromkeys([*HOPF, *fast], 0.0)
    d = bf.diagram(model({**HOPF, **fast}, -1.0, {"K": rate}, **state), "p", (-1, 1))
    assert_points(d, [("HB", 0.0)], 1e-10)
    hopf = d.special("HB")[0]
    q = np.array([1.0, -1.0j])  # and what the fast ones make of it is in the norm of the eigenvector: <q, q> = 1
    z = np.linalg.solve(1j / rate * np.eye(len(fast)) - np.array(own), np.array(drive) @ q)
    assert hopf.l1 == pytest.approx(-4.0 / (2.0 + np.linalg.norm(z) ** 2), rel=1e-8)
    assert hopf.omega == pytest.approx(1.0, rel=1e-10)
    p, unstable = d.branches[0].column("p"), d.branches[0].unstable
    assert set(unstable[p < -1e-6].tolist()) == {0}
    assert set(unstable[p > 1e-6].tolist()) == {2}


@pytest.mark.parametrize("rate", [1e3, 1e6, 1e9, 1e12])
def test_slow_unknowns_feel_what_fast_ones_do(rate):
    """By Hurwitz: with y' = x - y/3 the trace of x and y vanishes where p - 1 + (1 - p) = 1/3 does, as K grows."""
    equations = {"x": "p*x - 2*y - x^3 - z", "y": "x - y/3", "z": "K*(x/2 - z)"}
    d = bf.diagram(model(equations, 0.1, {"K": rate}, x=0.0, y=0.0, z=0.0), "p", (0.1, 3))
    assert [point.label for point in d.special_points if point.label == "HB"] == ["HB"]

    def hurwitz(p):
        trace = p - 1.0 / 3.0 - rate
        minors = 2.0 - p / 3.0 + rate * (0.5 - p) + rate / 3.0
        determinant = -rate * (2.0 - p / 3.0) - rate / 6.0
        return trace * minors - determinant

    (point,) = d.special("HB")
    p = point.parameters["p"]
    assert hurwitz(p - 1e-9) * hurwitz(p + 1e-9) < 0.0


@pytest.mark.parametrize("rate", [1e6, 1e9, 1e12, 1e14])
@pytest.mark.parametrize("fast", ["-K*z", "K*(x - z)", "K*(p - x^2 - z)"])
def test_fast_unknowns_hide_no_fold(rate, fast):
    start = {"-K*z": 0.0, "K*(x - z)": -1.0, "K*(p - x^2 - z)": -2.0}[fast]
    d = bf.diagram(model({"x": "p + x^2", "z": fast}, -1.0, {"K": rate}, x=-1.0, z=start), "p", (-1, 0.5))
    assert_points(d, [("LP", 0.0)])
    assert abs(d.special("LP")[0].a) == pytest.approx(1.0, rel=1e-6) or fast != "-K*z"


@pytest.mark.parametrize("rate", [1e4, 1e8, 1e10])
@pytest.mark.parametrize("slow", [1.0, 1e-6])
def test_sums_are_conserved_however_different_the_rates(rate, slow):
    system = model(
        {"x": "K*(y - p*x)", "y": "K*(p*x - y)", "z": "e*(x - z)"}, 1.0, {"K": rate, "e": slow}, x=1.0, y=1.0, z=0.5
    )
    d = bf.diagram(system, "p", (0.1, 2))
    assert_points(d, [])
    assert any("x + y" in note for note in d.notes)
    branch = d.branches[0]
    assert branch.column("x") == pytest.approx(2.0 / (1.0 + branch.column("p")), rel=1e-9)
    assert set(branch.unstable.tolist()) == {0}


def test_a_slow_leak_beside_fast_exchange_is_no_conserved_sum():
    """The total of x and y decays at the rate e/2, ten orders below that of their exchange."""
    system = model({"x": "K*(y - x) - e*(x - p)", "y": "K*(x - y)"}, 1.0, {"K": 1e6, "e": 1e-4}, x=1.0, y=1.0)
    d = bf.diagram(system, "p", (0.1, 2))
    assert not any("Conserved" in note for note in d.notes)
    assert d.branches[0].column("x") == pytest.approx(d.branches[0].column("p"), rel=1e-6)


# -- units -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [1e-15, 1e-9, 1.0, 1e9, 1e15])
def test_units_are_the_users(unit):
    system = model({"x": "u*(p + 3*(x/u) - (x/u)^3)"}, -3.0, {"u": unit}, x=-2.1 * unit)
    d = bf.diagram(system, "p", (-3, 3))
    assert_points(d, [("LP", -2.0), ("LP", 2.0)])
    assert rows(d) < 400


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_states_of_very_different_units(unit):
    """Two folds in x, a pitchfork of y where x = 1: the second state has a unit of its own."""
    system = model({"x": "p - x", "y": "(x - 1)*y - y^3/u^2"}, 0.0, {"u": unit}, x=0.0, y=0.0)
    d = bf.diagram(system, "p", (0, 2))
    assert_points(d, [("BP", 1.0)])
    assert len(d.branches) == 2
    assert np.max(np.abs(d.branches[1].column("y"))) == pytest.approx(unit, rel=1e-9)


@pytest.mark.parametrize("start", [1e-6, 1e-10, 1e-16, -1e-8])
def test_a_start_that_is_zero_up_to_rounding(start):
    d = bf.diagram(model({"x": "exp(x) - 1 - p*x"}, 0.5, x=start), "p", (0.1, 0.9))
    assert_points(d, [])
    assert np.ptp(d.branches[0].column("p")) == pytest.approx(0.8)
    assert np.max(np.abs(d.branches[0].column("x"))) < 1e-12


# -- closed branches and pitchforks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("middle", "folds"), [(0.0, []), (0.5, [-1.0, 1.0]), (-0.3, [-1.0, 1.0])])
def test_a_closed_branch_is_followed_once(middle, folds):
    """x = 0 and a circle about (0, middle)."""
    d = bf.diagram(model({"x": f"x*(1 - p^2 - (x - ({middle}))^2)"}, -2.0, x=0.0), "p", (-2, 2))
    crossing = np.sqrt(1.0 - middle**2)
    assert_points(d, [("BP", -crossing), ("BP", crossing), *(("LP", p) for p in folds)])
    assert len(d.branches) == 2
    assert [end.reason for end in d.branches[1].ended] == ["closed", "closed"]
    assert rows(d) < 900


@pytest.mark.parametrize("states", [2, 3])
def test_closed_branches_in_more_states(states):
    """The circle in (p, x), mixed into all states."""
    rng = np.random.default_rng(states)
    mixing = rng.normal(size=(states, states)) + 2.0 * np.eye(states)
    names = [f"z{i}" for i in range(states)]
    u = [
        "(" + " + ".join(f"({c!r})*{name}" for c, name in zip(row, names)) + ")"
        for row in np.linalg.inv(mixing).tolist()
    ]
    fields = [f"{u[0]}*(1 - p^2 - {u[0]}^2)", *(f"{u[0]} - {k + 1}*{u[k]}" for k in range(1, states))]
    equations = {
        name: " + ".join(f"({c!r})*({f})" for c, f in zip(row, fields)) for name, row in zip(names, mixing.tolist())
    }
    d = bf.diagram(model(equations, -2.0, **dict.fromkeys(names, 0.0)), "p", (-2, 2))
    assert_points(d, [("BP", -1.0), ("BP", 1.0)])
    assert [len(d.branches), reasons(d)] == [2, {"closed", "range"}]


@pytest.mark.parametrize(("x", "span"), [(1.0, (-1, 1)), (0.7, (-0.49, 0.3)), (2.0, (-4, 1)), (-1.3, (-1.69, 2))])
def test_a_turn_at_a_pitchfork_is_no_fold(x, span):
    d = bf.diagram(model({"x": "-x^3 - p*x"}, -(x**2), x=x), "p", span)
    assert_points(d, [("BP", 0.0)])


def test_a_turn_at_a_pitchfork_of_a_symmetric_system():
    equations = {"x": "-x^3 - p*x + x*(y - 1)", "y": "1 + x^2/2 - y"}
    d = bf.diagram(model(equations, -1.0, x=np.sqrt(2.0), y=2.0), "p", (-1, 1))
    assert_points(d, [("BP", 0.0)])


@pytest.mark.parametrize("gap", [1e-4, 1e-7, 1e-10, 1e-12])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_broken_pitchfork_has_a_fold_and_no_branch_point(gap, sign):
    system = model({"x": "(p - 1)*(x - 3) - (x - 3)^3 + g"}, 0.0, {"g": sign * gap}, x=3.0)
    d = bf.diagram(system, "p", (0, 2), all=True)
    assert_points(d, [("LP", 1.0 + 3.0 * (gap / 2.0) ** (2.0 / 3.0))])
    assert len(d.branches) == 2


def test_a_degenerate_fold_is_a_fold():
    d = bf.diagram(model({"x": "p - x^4"}, 1.0, x=1.0), "p", (-1, 1))
    assert [point.label for point in d.special_points] == ["LP"]
    assert d.special("LP")[0].parameters["p"] == pytest.approx(0.0, abs=1e-9)
    assert abs(d.special("LP")[0].a) < 1e-6


def test_a_double_zero_of_the_field_is_no_heap_of_branch_points():
    for start in (0.3, 0.0, 1.0):
        d = bf.diagram(model({"x": "(x - p)^2"}, start, x=start), "p", (-1, 2))
        assert len(d.special_points) <= 1
        assert rows(d) < 1000


# -- infinity and poles -----------------------------------------------------------------------------------------------

ENDLESS = {
    "with cancellation": ({"x": "p - 2*x*(sqrt(x^2 + 1) - x)"}, 0.5, {"x": 0.3535533905932738}, (0, 2), 1.0),
    "a hyperbola": ({"x": "1 - (2 - p)*x"}, 1.0, {"x": 1.0}, (0, 3), 2.0),
    "slowly": ({"x": "1 - (2 - p)^2*x"}, 1.0, {"x": 1.0}, (0, 3), 2.0),
    "of two states": ({"x": "1 - (2 - p)*y", "y": "x - y"}, 1.0, {"x": 1.0, "y": 1.0}, (0, 3), 2.0),
    "at saturation": ({"x": "p - x/(1 + x)"}, 0.5, {"x": 1.0}, (0.1, 2), 1.0),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_branch_to_infinity_ends_with_its_limit(kind):
    equations, start, state, span, limit = ENDLESS[kind]
    d = bf.diagram(model(equations, start, **state), "p", span)
    assert_points(d, [])
    ends = [end for end in d.branches[0].ended if end.reason == "infinity"]
    assert len(ends) == 1
    assert f"{limit:g}" in ends[0].message or f"p near {limit:g}" in ends[0].message
    assert max(d.branches[0].column("p")) == pytest.approx(limit, abs=1e-4)
    assert rows(d) < 1500


def test_no_bifurcations_from_the_noise_on_the_way_to_infinity():
    equations = {"x": "y*z + p*x", "y": "x^2 - y + p*y", "z": "1 - 4*x + p*z"}
    d = bf.diagram(model(equations, 0.0, x=0.25, y=0.0625, z=0.0), "p", (-1, 1))
    assert all(point.status == "converged" for point in d.special_points)
    assert not d.special("BP")
    assert rows(d) < 3000


POLES = {
    "x/(1 + x) - 0.5": ([1.0], (-2, 2)),
    "1/(x + 1) + 1": ([-2.0], (-2.5, 2)),
    "(x - 1)/(x + 1)^3": ([1.0], (-2, 2)),
    "tan(x)": ([0.0], (-2.0, 1.55)),
}


@pytest.mark.parametrize("growth", POLES)
def test_a_pole_is_no_branch_point(growth):
    """The branch that starts at the right ends at the pole; what lies beyond is not connected."""
    zeros, span = POLES[growth]
    pole = -np.pi / 2 if "tan" in growth else -1.0
    d = bf.diagram(model({"x": "p - x", "z": f"z*({growth})"}, 1.5, x=1.5, z=0.0), "p", span)
    assert_points(d, [("BP", p) for p in zeros if p > pole])
    (end,) = (end for end in d.branches[0].ended if end.reason == "pole")
    assert f"{d.branches[0].column('p').min():.4g}" == f"{pole:.4g}", end.message


# -- rows, limits, size -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("span", "start"), list(itertools.product([(-1, 1), (-2, 1), (-1, 3)], [-1.0, -0.5])))
def test_a_hopf_point_on_a_row(span, start):
    equations = {**HOPF, "z": "-z + x", "w": "-2*w + x + 0.3*z"}
    d = bf.diagram(model(equations, start, x=0.0, y=0.0, z=0.0, w=0.0), "p", span)
    assert_points(d, [("HB", 0.0)], 1e-10)


def test_a_limit_of_points_takes_no_memory():
    options = bf.Options(max_points=10**9)
    d = bf.diagram(model({"x": "p - x^2"}, 1.0, x=1.0), "p", (-1, 1), options=options)
    assert_points(d, [("LP", 0.0)])


def test_a_branch_longer_than_the_room_at_first():
    """The same rows whether they fit at once or not, and none twice."""
    system = model({"x": "p - x - 0.3*sin(20*x)"}, 0.0, x=0.0)
    fine = bf.diagram(system, "p", (0, 100), options=bf.Options(step=2e-4, max_points=30_000))
    coarse = bf.diagram(system, "p", (0, 100), options=bf.Options(step=1e-3, max_points=30_000))
    assert rows(fine) > 4000
    assert fine.branches[0].ended[1].reason == "range"
    assert_points(fine, points(coarse))
    assert np.all(np.any(np.diff(fine.branches[0].points, axis=0) != 0.0, axis=1))


def test_no_cliff_where_full_matrices_end():
    n = 140
    equations = {f"x{i}": f"p - x{i} + 0.1*x{(i + 1) % n}^2" for i in range(n)}
    d = bf.diagram(model(equations, 0.0, **dict.fromkeys(equations, 0.0)), "p", (0, 1))
    x = d.branches[0].column("x0")
    assert d.branches[0].column("p") == pytest.approx(x - 0.1 * x**2, abs=1e-9)
    assert np.max(d.branches[0].column("p")) == pytest.approx(1.0)


def test_a_continuum_of_equilibria_is_named(tmp_path):
    equations = {"S": "-p*S*I", "I": "p*S*I - I", "R": "I"}
    d = bf.diagram(model(equations, 0.5, S=0.99, I=0.01, R=0.0), "p", (0.1, 2))
    assert not d.branches
    assert any("continuum" in note for note in d.notes)
    d.plot()


def test_a_function_in_single_precision_is_refused():
    def field(x, p):
        return p[:1].astype("f4") + x.astype("f4") - x.astype("f4") ** 3

    system = bf.System.from_function(field, variables=["x"], parameters={"p": -1.0}, state={"x": -1.3})
    with pytest.raises(bf.InputError, match="single precision"):
        bf.diagram(system, "p", (-1, 1))


def test_points_as_close_as_the_steps_are_said_to_hide_others():
    # Hopf points at sin(300 p) = 0, 191 of them; a fine march finds them all and still says how close they are
    field = {"x": "sin(300*p)*x/10 - y", "y": "x + sin(300*p)*y/10 - y^3"}
    system = model(field, -1.0, x=0.0, y=0.0)
    found = bf.diagram(system, parameter="p", bounds=(-1, 1))
    assert len(found.special("HB")) < 191 and any("others may lie between" in note for note in found.notes)
    fine = bf.diagram(system, parameter="p", bounds=(-1, 1), options=bf.Options(step=0.002))
    known = np.pi / 300.0 * np.arange(-95, 96)
    assert [p for _, p in points(fine)] == pytest.approx(known, abs=1e-10)
    slow = bf.diagram(
        model({name: rate.replace("300", "30") for name, rate in field.items()}, -1.0, x=0.0, y=0.0), "p", (-1, 1)
    )
    assert not any("others may lie between" in note for note in slow.notes)

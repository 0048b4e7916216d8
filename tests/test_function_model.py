"""A Python function as a model: the same results as from equations, honest errors."""

import pickle

import numpy as np
import pytest

import bifrncrn as bf

TANK = {"u1": "-u1 + D*(1 - u1)*exp(u2)", "u2": "-u2 + D*B*(1 - u1)*exp(u2) - beta*u2"}
VALUES = {"D": 0.0, "B": 14.0, "beta": 2.0}


def tank(x, p):
    heat = p[0] * (1 - x[0]) * np.exp(x[1])
    return [-x[0] + heat, -x[1] + p[1] * heat - p[2] * x[1]]


def tank_jacobian(x, p):
    e = p[0] * np.exp(x[1])
    return [[-1 - e, (1 - x[0]) * e], [-p[1] * e, -1 + p[1] * (1 - x[0]) * e - p[2]]]


def tank_by_parameters(x, p):
    e = (1 - x[0]) * np.exp(x[1])
    return [[e, 0, 0], [p[1] * e, p[0] * e, -x[1]]]


def function_tank(**more):
    return bf.System.from_function(tank, ["u1", "u2"], VALUES, title="tank", **more)


def special(diagram):
    return [(p.label, p.parameters["D"], p.state["u1"], p.a, p.omega, p.l1) for p in diagram.special_points]


@pytest.fixture(scope="module")
def exact():
    system = bf.System.from_equations(TANK, VALUES, {"u1": 0, "u2": 0})
    return special(bf.diagram(system, "D", (0, 0.16)))


@pytest.mark.parametrize("given_derivatives", [False, True])
def test_same_special_points_as_from_equations(exact, given_derivatives):
    more = {"jacobian": tank_jacobian, "parameter_derivative": tank_by_parameters} if given_derivatives else {}
    diagram = bf.diagram(function_tank(**more), "D", (0, 0.16))
    found = special(diagram)
    assert [row[0] for row in found] == [row[0] for row in exact]
    for row, wanted in zip(found, exact, strict=True):
        assert row[1] == pytest.approx(wanted[1], rel=1e-12 if row[0] == "LP" or given_derivatives else 1e-8)
        assert row[2] == pytest.approx(wanted[2], rel=1e-8)
        for value, value_wanted, tolerance in zip(row[3:], wanted[3:], (1e-6, 1e-8, 1e-4), strict=True):
            assert value == (None if value_wanted is None else pytest.approx(value_wanted, rel=tolerance))
    assert any("Python function" in note for note in diagram.notes)


def test_compiled_functions_by_address():
    numba = pytest.importorskip("numba")
    pointer = numba.types.CPointer(numba.types.float64)

    @numba.cfunc(numba.types.void(pointer, pointer, pointer))
    def field(x, p, out):
        out[0] = p[0] - x[0] * x[0]

    @numba.njit
    def jitted(x, p):
        return p[0] - x * x

    for function in (field, field.address, jitted):
        system = bf.System.from_function(function, 1, {"r": 1.0}, state=[1.0])
        (fold,) = bf.diagram(system, "r", (-1, 1)).special_points
        assert fold.label == "LP"
        assert fold.parameters["r"] == pytest.approx(0.0, abs=1e-12)
        assert fold.a == pytest.approx(-1.0, rel=1e-8)


def test_interface_of_a_system():
    system = function_tank(state={"u1": 0.2})
    symbolic = bf.System.from_equations(TANK, VALUES)
    x, p = np.array([0.3, 2.0]), np.array([0.1, 12.0, 1.5])
    assert system.rhs(x, p) == pytest.approx(symbolic.rhs(x, p), rel=1e-15)
    assert system.jacobian(x, p) == pytest.approx(symbolic.jacobian(x, p), rel=1e-9)
    dx, dp = np.array([0.3, -0.4]), np.array([0.1, 0.0, 0.2])
    found, wanted = system.derivatives(x, p, dx, dp), symbolic.derivatives(x, p, dx, dp)
    for row, exact_row, tolerance in zip(found, wanted, (1e-10, 1e-8, 1e-6), strict=True):
        assert row == pytest.approx(exact_row, rel=tolerance)
    other = system.with_(values={"B": 10}, state={"u2": 1.0})
    assert other.native is system.native
    assert other.rhs([0.3, 2.0]) == pytest.approx(symbolic.with_(values={"B": 10}).rhs([0.3, 2.0]))
    copy = pickle.loads(pickle.dumps(system))
    assert copy.jacobian(x, p) == pytest.approx(system.jacobian(x, p))


def test_events_and_walls():
    diagram = bf.diagram(function_tank(nonnegative=True), "D", (0, 0.16), events=["u1 = 0.25"])
    (point,) = [p for p in diagram.special_points if p.label == "UZ"]
    assert point.state["u1"] == pytest.approx(0.25, abs=1e-10)


def test_nothing_is_evaluated_below_zero():
    seen = []

    def field(x, p):
        seen.append(float(x.min()))
        return p[0] - np.sqrt(x) * (1 + x)

    system = bf.System.from_function(field, 1, {"r": 1.0}, state=[0.5], nonnegative=True)
    system.jacobian([1e-9])
    assert min(seen) >= 0.0


def test_what_a_function_raises_is_passed_on():
    calls = []

    def field(x, p):
        calls.append(1)
        if p[0] > 0.05:
            raise KeyError("no table for this value")
        return tank(x, p)

    with pytest.raises(KeyError, match="no table"):
        bf.diagram(bf.System.from_function(field, 2, VALUES), "D", (0, 0.16))
    system = bf.System.from_function(field, 2, VALUES)
    calls.clear()
    with pytest.raises(KeyError, match="no table"):
        system.rhs([0, 0], [0.1, 1, 1])
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f": 3.5}, "must be a function"),
        ({"f": lambda x, p: x[:1]}, "must return 2 numbers"),
        ({"jacobian": lambda x, p: x}, "must have shape"),
        ({"parameter_derivative": lambda x, p: x}, "a column for each parameter"),
        ({"sparsity": np.ones((3, 3))}, "must have shape"),
        ({"scale": -1.0}, "must be positive"),
        ({"state": [1.0]}, "one for each variable"),
        ({"variables": ["u", "u u"]}, "not a name"),
    ],
)
def test_bad_input_says_what_is_wrong(change, message):
    arguments = {"f": tank, "variables": 2, "parameters": VALUES, **change}
    with pytest.raises(bf.InputError, match=message):
        bf.diagram(bf.System.from_function(**arguments), "D", (0, 0.16))


def test_wrong_jacobian_or_structure_is_noticed():
    def wrong(x, p):
        return np.array(tank_jacobian(x, p)).T

    with pytest.warns(bf.ContinuationWarning, match="disagrees"):
        bf.System.from_function(tank, 2, VALUES | {"D": 0.1}, state=[0.5, 1.0], jacobian=wrong)
    with pytest.warns(bf.ContinuationWarning, match="row 2 of the Jacobian"):
        bf.System.from_function(lambda x, p: [-x[0], x[0] - x[1]], 2, {"r": 0.0}, sparsity=np.eye(2))


def test_full_jacobian_of_many_variables():
    n = 300
    coupling = np.ones((n, n)) / n

    def field(x, p):
        return p[0] - x**2 + coupling @ x - x.mean()

    system = bf.System.from_function(field, n, {"r": 1.0}, state=np.ones(n))
    diagram = bf.diagram(system, "r", (0.5, 1), stability=False)
    assert diagram.branches[0].points[:, 1] ** 2 == pytest.approx(diagram.branches[0].points[:, 0])


def test_no_equations_to_write():
    system = function_tank()
    for ask in (system.to_toml, system.sympy, lambda: system.source, lambda: system.equations["u1"]):
        with pytest.raises(bf.InputError, match="Python function"):
            ask()


def test_structure_is_required_above_a_thousand():
    with pytest.raises(bf.InputError, match="sparsity"):
        bf.System.from_function(lambda x, p: -x, 1001, {"r": 1.0})

"""Systems: what is accepted, what is refused, and the forms a system can take."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import bifrncrn as bf

TANK = {"u1": "-u1 + heat", "u2": "-u2 + B*heat - beta*u2"}
HEAT = {"heat": "D*(1 - u1)*exp(u2)"}
VALUES = {"D": 0.1, "B": 14, "beta": "8/4"}


def tank() -> bf.System:
    """Return the stirred tank."""
    return bf.System.from_equations(TANK, VALUES, {"u1": 0.3, "u2": "7/10"}, HEAT, title="tank")


def test_values_and_jacobian() -> None:
    system = tank()
    heat = 0.1 * 0.7 * math.exp(0.7)
    np.testing.assert_allclose(system.rhs([0.3, 0.7]), [-0.3 + heat, -0.7 + 14 * heat - 1.4], rtol=1e-15)
    slope = 0.1 * math.exp(0.7)
    np.testing.assert_allclose(
        system.jacobian(system.state), [[-1 - slope, heat], [-14 * slope, -1 + 14 * heat - 2]], rtol=1e-14
    )
    assert system.rhs([0.3, 0.7], [0.0, 0.0, 0.0]).tolist() == [-0.3, -0.7]


def test_arrays_are_read_only_and_fractions_exact() -> None:
    system = tank()
    assert system.values.tolist() == [0.1, 14.0, 2.0]
    assert system.state.tolist() == [0.3, 0.7]
    for array in (system.values, system.state, system.native.rows, system.native.cols):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_order_of_the_variables_is_that_of_the_start_values() -> None:
    system = bf.System.from_equations({"b": "1", "a": "2"}, state={"a": 0, "b": 0})
    assert system.variables == ("a", "b")
    assert list(system.equations) == ["a", "b"]
    assert system.rhs(system.state).tolist() == [2.0, 1.0]
    assert bf.System.from_equations({"b": "1", "a": "2"}).variables == ("b", "a")


def test_bounds() -> None:
    assert tank().lower.tolist() == [-math.inf, -math.inf]
    positive = bf.System.from_equations(TANK, VALUES, None, HEAT, nonnegative=True)
    assert positive.lower.tolist() == [0.0, 0.0]
    assert positive.upper.tolist() == [math.inf, math.inf]


def test_copies_share_the_compiled_code() -> None:
    system = tank()
    other = system.with_(state={"u2": 1}, values={"D": "1/8"}, nonnegative=True, title="other")
    assert other.native is system.native
    assert other.state.tolist() == [0.3, 1.0]
    assert other.values.tolist() == [0.125, 14.0, 2.0]
    assert (other.nonnegative, other.title, system.title) == (True, "other", "tank")
    assert system.with_(values=[1, 2, 3]).values.tolist() == [1.0, 2.0, 3.0]
    assert not other.values.flags.writeable


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": {"u3": 1}}, "no variable 'u3'; did you mean 'u[12]'"),
        ({"values": {"gamma": 1}}, "no parameter 'gamma'; there are D, B, beta"),
        ({"values": {"D": math.inf}}, "parameter 'D' must be a finite number"),
        ({"state": [1, 2, 3]}, "array of 2 numbers"),
        ({"state": "abc"}, "array of 2 numbers"),
        ({"state": [1, math.nan]}, "finite"),
    ],
)
def test_copies_refuse(change: dict, words: str) -> None:
    with pytest.raises(bf.InputError, match=words):
        tank().with_(**change)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"equations": {}}, "the model is empty"),
        ({"equations": "x"}, "equations must be a mapping"),
        ({"equations": {"x": "x"}, "state": {"x": 1, "y": 2}}, "no equation for the variable 'y'"),
        ({"equations": {"x": "x", "y": "1"}, "state": {"x": 1}}, "equation for 'y', which is no variable"),
        ({"equations": {"x": "x"}, "parameters": {"x": 1}}, "'x' is both in variables and in parameters"),
        ({"equations": {"x": "x"}, "definitions": {"x": "1"}}, "'x' is both in variables and in definitions"),
        ({"equations": {"2x": "1"}}, "is not a name"),
        ({"equations": {"x y": "1"}}, "is not a name"),
        ({"equations": {"": "1"}}, "is not a name"),
        ({"equations": {"x" * 100_000: "y" * 100_000}}, "unknown name 'yyy"),
        ({"equations": {"x": "x"}, "parameters": {"-" * 100_000: 1}}, "is not a name"),
        ({"equations": {"x": None}}, "equation of x must be text or a sympy expression, not NoneType"),
        ({"equations": {"x": ["x"]}}, "not list"),
        ({"equations": {"x": True}}, "not bool"),
        ({"equations": {"x": "y"}}, "equation of x: unknown name 'y'"),
        ({"equations": {"x": "x"}, "definitions": {"d": "zz"}}, "definition of d: unknown name 'zz'"),
        ({"equations": {"x": "a"}, "definitions": {"a": "b", "b": "c+1", "c": "a"}}, "a -> b -> c -> a"),
        ({"equations": {"x": "a"}, "definitions": {"a": "a + 1"}}, "a -> a need each other"),
        ({"equations": {"x": "x"}, "parameters": {"k": "1/0"}}, "parameter 'k': division by zero"),
        ({"equations": {"x": "x"}, "parameters": {"k": math.nan}}, "parameter 'k' must be a finite number"),
        ({"equations": {"x": "x"}, "state": {"x": None}}, "start value of 'x' must be a number"),
        ({"equations": {"x": "x"}, "nonnegative": "yes"}, "nonnegative must be true, false or a list"),
        ({"equations": {"x": "x"}, "title": 3}, "title must be text"),
    ],
)
def test_refused(arguments: dict, words: str) -> None:
    with pytest.raises(bf.InputError, match=words) as caught:
        bf.System.from_equations(**arguments)
    assert len(str(caught.value)) < 500


def test_a_cycle_of_ten_thousand_definitions_is_named_briefly() -> None:
    definitions = {f"d{i}": f"d{(i + 1) % 10_000} + x" for i in range(10_000)}
    with pytest.raises(bf.InputError, match="need each other") as caught:
        bf.System.from_equations({"x": "d0"}, definitions=definitions)
    assert len(str(caught.value)) < 200


def test_a_long_chain_of_definitions_is_no_problem() -> None:
    definitions = {f"d{i}": f"0.5*d{i + 1} + x" for i in range(3000)} | {"d3000": "x"}
    system = bf.System.from_equations({"x": "d0"}, definitions=definitions)
    assert system.rhs([1.0])[0] == pytest.approx(2.0)
    assert system.jacobian([1.0])[0, 0] == pytest.approx(2.0)
    np.testing.assert_allclose(system.derivatives([1.0], None, [1.0], None).ravel(), [2.0, 0.0, 0.0], atol=1e-15)


def test_unused_definitions_are_fine_but_are_read() -> None:
    assert bf.System.from_equations({"x": "1"}, definitions={"unused": "x**2"}).rhs([0.0]).tolist() == [1.0]


def test_trusted_systems_are_read_on_first_use() -> None:
    system = bf.System.trusted({"x": "x +"})
    with pytest.raises(bf.InputError, match="ends where a value is expected"):
        system.rhs([1.0])


@pytest.mark.parametrize("bad", [[1.0], [1.0, 2.0, 3.0], "ab", [[1.0, 2.0]], None])
def test_wrong_points_are_refused(bad: object) -> None:
    with pytest.raises(bf.InputError, match="x must be an array of 2 numbers"):
        tank().rhs(bad)


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(bf.InputError, match="no parameter 'bta'; did you mean 'beta'"):
        tank().parameter_index("bta")
    with pytest.raises(bf.InputError, match="no variable 'D'; there are u1, u2"):
        tank().variable_index("D")
    assert (tank().parameter_index("beta"), tank().variable_index("u2")) == (2, 1)


# -- source ---------------------------------------------------------------------------------------------------------

AWKWARD = bf.System.from_equations(
    {
        "x": "lambda*x**3/(math + out**2) - t1*p + x**pi",
        "out": "rncrn_s(x - 2*out, lambda, f)*max(x, out) - cbrt(x - p)*sign(p - x) + abs(out - x) + 2e-7",
        "p": "atan2(out, x)*besselj(2, p*math) + x**(out/2) - 2**(lambda*p) + -(x + p)/-out - heaviside(x) + log2(x)",
    },
    parameters={"lambda": 0.8, "math": 1.3, "f": 0.7, "pi": 2.5},
    state={"x": 1.2, "out": 0.6, "p": 0.9},
    definitions={"t1": "tanh(x - out)*def", "def": "log(1 + x**2*math)", "β": "min(x, p)"},
)
"""Every name that could clash with the printed functions' own."""


@pytest.mark.parametrize("system", [tank(), AWKWARD], ids=["tank", "awkward"])
@pytest.mark.parametrize("compiled", [False, True], ids=["python", "numba"])
def test_source_gives_the_same_numbers(system: bf.System, compiled: bool) -> None:
    space: dict = {}
    exec(compile(system.source, "model", "exec"), space)
    f, jacobian = space["f"], space["jacobian"]
    if compiled:
        numba = pytest.importorskip("numba")
        f, jacobian = numba.njit(f), numba.njit(jacobian)
    n = len(system.variables)
    out, matrix = np.empty(n), np.full((n, n), 7.0)
    f(system.state, system.values, out)
    jacobian(system.state, system.values, matrix)
    np.testing.assert_allclose(out, system.rhs(system.state), rtol=1e-14)
    np.testing.assert_allclose(matrix, system.jacobian(system.state), rtol=1e-13, atol=1e-15)


def test_source_is_readable() -> None:
    text = tank().source
    assert "heat = D*" in text
    assert "out[1] = -u2 + B*heat - beta*u2" in text
    assert "u1 = x[0]" in text


def test_source_of_long_sums_can_be_compiled() -> None:
    system = bf.System.from_equations({"x": " + ".join(f"k*x**{i % 5}" for i in range(20_000))}, parameters={"k": 1e-4})
    space: dict = {}
    exec(compile(system.source, "model", "exec"), space)
    out = np.empty(1)
    space["f"]([0.9], [1e-4], out)
    assert out[0] == pytest.approx(system.rhs([0.9])[0], rel=1e-12)


# -- sympy ----------------------------------------------------------------------------------------------------------


def test_sympy_in() -> None:
    sympy = pytest.importorskip("sympy")
    x, k = sympy.symbols("x k")
    expression = (
        sympy.Rational(8, 3) * x**2 / k
        - sympy.Abs(x - k) * sympy.exp(-x)
        + sympy.besselj(1, x) * sympy.Max(x, k, 0)
        + sympy.Heaviside(x) * sympy.pi * sympy.E
        + sympy.Float(0.1) * sympy.sqrt(x) / (1 - k) ** sympy.Rational(3, 2)
        + sympy.log(x, 2) * sympy.tanh(x) ** -2
        + sympy.Float(1e-30)
        + sympy.sign(x) * sympy.atan2(x, k)
    )
    system = bf.System.from_equations({"x": expression, "y": 2}, parameters={"k": 0.3}, definitions={"d": x + 1})
    truth = float(expression.subs({x: sympy.Float("1.7", 30), k: sympy.Float("0.3", 30)}).evalf(25))
    assert system.rhs([1.7, 0.0])[0] == pytest.approx(truth, rel=1e-14)
    assert system.definitions == {"d": "x + 1"}
    again = bf.System.from_equations(system.sympy(), parameters={"k": 0.3})
    assert again.rhs([1.7, 0.0])[0] == pytest.approx(truth, rel=1e-14)


def test_sympy_names_and_constants_do_not_clash() -> None:
    sympy = pytest.importorskip("sympy")
    pi, E = sympy.symbols("pi E")
    system = bf.System.from_equations({"pi": pi + sympy.pi, "E": E + sympy.E})
    np.testing.assert_allclose(system.rhs([1.0, 1.0]), [1 + math.pi, 1 + math.e], rtol=1e-15)


@pytest.mark.parametrize("text", ["I*x", "oo", "nan", "zoo", "gamma(x)", "Integral(x)"])
def test_sympy_refused(text: str) -> None:
    sympy = pytest.importorskip("sympy")
    with pytest.raises(bf.InputError, match="equation of x: the sympy expression holds"):
        bf.System.from_equations({"x": sympy.sympify(text), "I": "1"})


def test_sympy_out_substitutes_definitions() -> None:
    sympy = pytest.importorskip("sympy")
    u1, u2, D, B, beta = sympy.symbols("u1 u2 D B beta")
    heat = D * (1 - u1) * sympy.exp(u2)
    found = tank().sympy()
    assert sympy.simplify(found["u1"] - (heat - u1)) == 0
    assert sympy.simplify(found["u2"] - (B * heat - u2 - beta * u2)) == 0


# -- published problems ---------------------------------------------------------------------------------------------


def test_published_equations_agree_with_sympy(reference: Path) -> None:
    sympy = pytest.importorskip("sympy")
    rng = np.random.default_rng(1)
    cases = json.loads((reference / "cases.json").read_text())["cases"]
    assert len(cases) >= 30
    for case in cases:
        names = [*case["variables"], *case["parameters"]]
        symbols = {name: sympy.Symbol(name) for name in names}
        system = bf.System.from_equations(case["equations"], case["parameters"], dict.fromkeys(case["variables"], 0.0))
        x = rng.uniform(0.2, 1.0, len(system.variables))
        point = {symbols[name]: value for name, value in zip(names, [*x, *system.values])}
        exact = [sympy.sympify(case["equations"][name], locals=symbols) for name in system.variables]
        np.testing.assert_allclose(
            system.rhs(x), [float(e.subs(point)) for e in exact], rtol=1e-11, atol=1e-11, err_msg=case["id"]
        )
        truth = [[float(e.diff(symbols[name]).subs(point)) for name in system.variables] for e in exact]
        np.testing.assert_allclose(system.jacobian(x), truth, rtol=1e-10, atol=1e-10, err_msg=case["id"])

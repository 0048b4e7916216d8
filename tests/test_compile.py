"""Compiled functions against independent values, and the disk cache."""

import ctypes
import math
import multiprocessing
import os
import pickle
import stat
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bifrncrn as bf
from bifrncrn.compile import cache as compiled
from bifrncrn.compile import native
from bifrncrn.compile.functions import FUNCTIONS
from bifrncrn.compile.model import ARGUMENTS, DENSE_LIMIT

IR = "define double @twice(double %x) {\n%y = fadd double %x, %x\nret double %y\n}\n"

UNARY = {  # where each function is smooth
    **dict.fromkeys(["exp", "expm1", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "asinh", "erf"], 0.7),
    **dict.fromkeys(["log", "log2", "log10", "log1p", "sqrt", "cbrt"], 0.7),
    **dict.fromkeys(["asin", "acos", "atanh"], 0.3),
    "acosh": 1.7,
    "abs": -0.7,
    "sign": -0.7,
    "heaviside": 0.7,
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and nothing in memory that another test has not let go of yet."""
    monkeypatch.setenv("BIFRNCRN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("bifrncrn.compile.model._ALIVE", weakref.WeakValueDictionary())
    return tmp_path / "cache"


def chain() -> bf.System:
    """Return a small system that uses most operations."""
    return bf.System.from_equations(
        {
            "x": "a*x**3/(b + y**2) - sqrt(1 + x*x)*d + x**c",
            "y": "exp(-a*y)*sin(b*x) - rncrn_s(x - 2*y, a, b)/(1 + x) + d*max(x, y)",
            "z": "atan2(y, x)*besselj(1, z*b) + x**(y/2) + z**2.5 - 2**(a*z) + abs(z - x)*min(x*a, 3)",
        },
        parameters={"a": 0.8, "b": 1.3, "c": 1.7},
        state={"x": 1.2, "y": 0.6, "z": 0.9},
        definitions={"d": "tanh(x - y)*e", "e": "log(1 + x**2*b)"},
    )


def sympy_derivatives(
    system: bf.System, x: np.ndarray, p: np.ndarray, dx: np.ndarray, dp: np.ndarray
) -> list[list[float]]:
    """Return f and its first three derivatives along a direction by sympy's own differentiation, to 30 digits."""
    import sympy

    e = sympy.Symbol("epsilon_", real=True)
    line = {sympy.Symbol(n): sympy.Float(v, 40) + e * sympy.Float(d, 40) for n, v, d in zip(system.variables, x, dx)}
    line |= {sympy.Symbol(n): sympy.Float(v, 40) + e * sympy.Float(d, 40) for n, v, d in zip(system.parameters, p, dp)}
    along = [expr.xreplace(line) for expr in system.sympy().values()]
    rows = []
    for order in range(4):
        derivatives = [sympy.diff(expr, e, order) if order else expr for expr in along]
        rows.append([float(sympy.N(d.subs(e, 0), 30)) for d in derivatives])
    return rows


def test_all_functions_agree_with_sympy() -> None:
    system = chain()
    rng = np.random.default_rng(3)
    dx, dp = rng.normal(size=3), rng.normal(size=3)
    truth = sympy_derivatives(system, system.state, system.values, dx, dp)
    np.testing.assert_allclose(system.rhs(system.state), truth[0], rtol=1e-13)
    np.testing.assert_allclose(system.derivatives(system.state, None, dx, dp), truth[1:], rtol=1e-12)
    jacobian = system.jacobian(system.state)
    columns = [sympy_derivatives(system, system.state, system.values, unit, 0 * dp)[1] for unit in np.eye(3)]
    np.testing.assert_allclose(jacobian, np.transpose(columns), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", sorted(UNARY))
def test_each_function_and_three_derivatives(name: str) -> None:
    import mpmath

    special = {"abs": abs, "log2": lambda v: mpmath.log(v, 2), "sign": mpmath.sign, "heaviside": lambda v: 1.0}
    special |= {"log1p": lambda v: mpmath.log(1 + v)}
    exact = special.get(name) or getattr(mpmath, name)
    system = bf.System.from_equations({"x": f"{name}(x)"}, state={"x": UNARY[name]})
    assert math.isclose(FUNCTIONS[name].fold(UNARY[name]), system.rhs(system.state)[0], rel_tol=4e-16)
    found = [system.rhs(system.state), *system.derivatives(system.state, None, [1.0], None)]
    with mpmath.workdps(60):
        truth = [float(mpmath.diff(exact, mpmath.mpf(UNARY[name]), k)) for k in range(4)]
    np.testing.assert_allclose(np.ravel(found), truth, rtol=1e-13, atol=1e-25)


@pytest.mark.parametrize("z", [-1e9, -1e3, -1.0, 0.0, 1e-8, 2.0, 1e9])
def test_rncrn_s_has_no_cancellation(z: float) -> None:
    import mpmath

    system = bf.System.from_equations({"z": "rncrn_s(z, g, t)"}, parameters={"g": 0.7, "t": 1.9})
    with mpmath.workdps(60):
        g, t = mpmath.mpf(0.7), mpmath.mpf(1.9)
        point = mpmath.mpf(z)

        def s(z: object, g: object, t: object) -> object:
            return (z + mpmath.sqrt(z * z + 4 * g * t)) / (2 * t)

        truth = s(point, g, t)
        partial = [float(mpmath.diff(s, (point, g, t), order)) for order in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    assert system.rhs([z])[0] == pytest.approx(float(truth), rel=1e-15)
    for direction, expected in zip(np.eye(3), partial):
        found = system.derivatives([z], None, direction[:1], direction[1:])[0, 0]
        assert found == pytest.approx(expected, rel=1e-14)


def test_powers_of_zero_with_a_parameter_as_exponent_stay_finite() -> None:
    """A Hill function at x = 0 has derivatives though log(x) has none."""
    system = bf.System.from_equations({"x": "x**h/(K**h + x**h) - k*x"}, parameters={"h": 2.0, "K": 1.5, "k": 0.3})
    found = system.derivatives([0.0], None, [1.0], [0.0, 0.0, 1.0])
    np.testing.assert_allclose(found.ravel(), [-0.3, 2 / 1.5**2 - 2.0, 0.0], atol=1e-15)
    assert system.jacobian([0.0])[0, 0] == -0.3


def test_exponent_derivative_is_there_when_asked_for() -> None:
    system = bf.System.from_equations({"x": "x**h"}, parameters={"h": 2.0})
    log = math.log(3.0)
    np.testing.assert_allclose(
        system.derivatives([3.0], None, [0.0], [1.0]).ravel(), [9 * log, 9 * log**2, 9 * log**3], rtol=1e-14
    )


def test_not_a_number_propagates() -> None:
    system = bf.System.from_equations({"x": "log(x)", "y": "max(x, y) + min(x, y)", "z": "sqrt(z) + sign(x)"})
    with np.errstate(all="raise"):
        assert np.isnan(system.rhs([-1.0, 0.0, -1.0])[[0, 2]]).all()
        assert np.isnan(system.rhs([math.nan, 0.0, 0.0])).all()
        assert np.isnan(system.rhs([0.0, math.nan, 0.0])[1])
        assert system.rhs([0.0, 0.0, 0.0])[0] == -math.inf


def test_all_functions_of_a_model_agree_with_each_other() -> None:
    system = chain()
    model = system.native
    n, m = 3, 3
    dp = np.array([0.3, -0.2, 0.5])
    dense, rates, along = np.full((n, n), 7.0), np.full(n, 7.0), np.full(n, 7.0)
    run(model, "linearize", x=system.state, p=system.values, dp=dp, F=rates, J=dense, Fp=along)
    alone = np.full((n, n), 7.0)
    run(model, "J", x=system.state, p=system.values, J=alone)
    entries, rates2, along2 = np.empty(model.rows.size), np.empty(n), np.empty(n)
    run(model, "sparse", x=system.state, p=system.values, dp=dp, F=rates2, V=entries, Fp=along2)
    scattered = np.zeros((n, n))
    scattered[model.rows, model.cols] = entries
    np.testing.assert_array_equal(dense, alone)
    np.testing.assert_array_equal(dense, scattered)
    np.testing.assert_array_equal(rates, system.rhs(system.state))
    np.testing.assert_array_equal(rates, rates2)
    np.testing.assert_array_equal(along, along2)
    np.testing.assert_allclose(along, system.derivatives(system.state, None, np.zeros(n), dp)[0], rtol=1e-14)
    assert (model.n, model.m) == (n, m)


def run(model: object, name: str, **arrays: np.ndarray) -> None:
    """Call a function of a model by its address."""
    signature = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(ARGUMENTS[name]))
    signature(getattr(model, name))(*[arrays[argument].ctypes.data for argument in ARGUMENTS[name]])


def bratu(n: int) -> dict[str, str]:
    """Return the discretised Bratu problem."""
    names = ["0", *(f"x{i}" for i in range(1, n + 1)), "0"]
    return {names[i]: f"{names[i - 1]} - 2*{names[i]} + {names[i + 1]} + lam*exp({names[i]})" for i in range(1, n + 1)}


@pytest.mark.parametrize("n", [DENSE_LIMIT, 1000])
def test_large_sparse_systems(n: int) -> None:
    """Long functions are cut into pieces; the pieces must hand everything on."""
    system = bf.System.from_equations(bratu(n), parameters={"lam": 0.5})
    x = np.linspace(0, 1, n)
    padded = np.concatenate([[0.0], x, [0.0]])
    np.testing.assert_allclose(
        system.rhs(x), padded[:-2] - 2 * x + padded[2:] + 0.5 * np.exp(x), rtol=1e-12, atol=1e-14
    )
    jacobian = system.jacobian(x)
    expected = np.diag(0.5 * np.exp(x) - 2) + np.eye(n, k=1) + np.eye(n, k=-1)
    np.testing.assert_allclose(jacobian, expected, rtol=1e-14)
    assert system.native.rows.size == 3 * n - 2
    assert (system.native.J == 0) == (n > DENSE_LIMIT)
    assert (system.native.linearize == 0) == (n > DENSE_LIMIT)
    jets = system.derivatives(x, None, np.ones(n), [1.0])
    # lam exp(x) along (1, 1): k-th derivative (lam + k) exp(x)
    np.testing.assert_allclose(jets[2], 3.5 * np.exp(x), rtol=1e-14)


def test_values_cross_pieces(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    whole = chain()
    reference = whole.derivatives(whole.state, None, np.ones(3), np.ones(3)), whole.jacobian(whole.state)
    monkeypatch.setenv("BIFRNCRN_CACHE_DIR", str(cache / "pieces"))
    monkeypatch.setattr("bifrncrn.compile.codegen.PIECE", 5)
    pieces = chain()
    assert pieces.native.ir("jet").count("define internal") > 10
    np.testing.assert_array_equal(pieces.derivatives(pieces.state, None, np.ones(3), np.ones(3)), reference[0])
    np.testing.assert_array_equal(pieces.jacobian(pieces.state), reference[1])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 2.0), st.floats(-2.0, 2.0))
def test_first_derivatives_agree_with_complex_step(seed: int, u: float, v: float) -> None:
    rng = np.random.default_rng(seed)
    text = random_expression(rng, 4)
    system = bf.System.from_equations({"u": text, "v": "u"}, parameters={"k": 1.5})
    names = {name: getattr(np, name) for name in ("exp", "sin", "cos", "tanh", "sqrt", "log")}
    step = 1e-30
    for i, direction in enumerate(np.eye(2)):
        point = dict(zip("uv", np.array([u, v]) + 1j * step * direction), k=1.5)
        with np.errstate(all="ignore"):
            truth = np.imag(eval(text, {"__builtins__": {}}, names | point)) / step
        found = system.jacobian([u, v])[0, i]
        if np.isfinite(truth) and abs(truth) < 1e8:
            assert found == pytest.approx(truth, rel=1e-8, abs=1e-8)


def random_expression(rng: np.random.Generator, depth: int) -> str:
    """Return the text of a random expression of u, v and k."""
    if depth == 0:
        return str(rng.choice(["u", "v", "k", "2.5", "0.3"]))
    kind = rng.integers(4)
    left, right = random_expression(rng, depth - 1), random_expression(rng, depth - 1)
    if kind == 0:
        return f"{rng.choice(['sin', 'cos', 'tanh'])}({left})"
    if kind == 1:
        return f"sqrt(1 + ({left})**2)*log(2 + cos({right}))"
    return f"({left} {rng.choice(['+', '-', '*'])} {right})"


def test_numba_calls_the_compiled_functions() -> None:
    numba = pytest.importorskip("numba")
    system = chain()
    f = system.native.function("f")

    @numba.njit
    def many(x: np.ndarray, p: np.ndarray, out: np.ndarray) -> float:
        total = 0.0
        for _ in range(3):
            f(x.ctypes, p.ctypes, out.ctypes)
            total += out.sum()
        return total

    out = np.empty(3)
    total = many(system.state, system.values, out)
    np.testing.assert_array_equal(out, system.rhs(system.state))
    assert total == pytest.approx(3 * out.sum())


# -- the disk cache -------------------------------------------------------------------------------------------------


def entries(folder: Path) -> list[Path]:
    """Return the files in a cache folder that hold compiled code, its locks left out."""
    return sorted(path for path in folder.rglob("*.bin") if path.is_file())


def test_machine_code_is_made_once(cache: Path) -> None:
    made = []

    def make() -> bytes:
        made.append(1)
        return native.compile_ir(IR)

    for _ in range(2):
        library = native.load(native.cached("twice", make))
        twice = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(library.address("twice"))
        assert twice(1.5) == 3.0
    assert made == [1]
    assert len(entries(cache)) == 1
    with pytest.raises(KeyError):
        library.address("thrice")


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "foreign", "folder"])
def test_damaged_entries_are_made_again(cache: Path, damage: str) -> None:
    assert native.cached("key", lambda: b"data" * 100) == b"data" * 100
    (path,) = entries(cache)
    raw = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"cut": raw[:-7], "changed": raw[:-1] + b"?", "empty": b"", "foreign": b"#!" + raw}[damage])
    assert native.cached("key", lambda: b"new" * 100) == b"new" * 100
    if damage != "folder":
        assert native.cached("key", lambda: b"never") == b"new" * 100


def test_cached_model_needs_no_parse_and_no_compiler(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = chain()
    reference = first.rhs(first.state), first.jacobian(first.state), first.native.rows
    again = bf.System.trusted(
        first.equations,
        dict(zip(first.parameters, first.values)),
        dict(zip(first.variables, first.state)),
        first.definitions,
    )
    monkeypatch.setattr("bifrncrn.models.system.build_graph", None)
    monkeypatch.setattr("bifrncrn.compile.model.compile_ir", None)
    np.testing.assert_array_equal(again.rhs(again.state), reference[0])
    np.testing.assert_array_equal(again.jacobian(again.state), reference[1])
    np.testing.assert_array_equal(again.native.rows, reference[2])


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "getuid"), reason="needs POSIX permissions")
def test_folder_that_cannot_be_written(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache.mkdir()
    cache.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        system = chain()
        with caplog.at_level("DEBUG"):
            assert np.isfinite(system.rhs(system.state)).all()
        if os.getuid() != 0:
            assert "not kept" in caplog.text
            assert entries(cache) == []
    finally:
        cache.chmod(stat.S_IRWXU)


def test_folder_that_is_a_file(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache.write_text("in the way")
    system = chain()
    with caplog.at_level("DEBUG"):
        assert np.isfinite(system.rhs(system.state)).all()
    assert "not kept" in caplog.text


def test_another_version_uses_another_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    native.cached("key", lambda: b"old")
    native.environment_key.cache_clear()
    monkeypatch.setattr("llvmlite.__version__", "999")
    try:
        assert native.cached("key", lambda: b"new") == b"new"
    finally:
        native.environment_key.cache_clear()
    assert len({path.parent for path in entries(cache)}) == 2


def test_many_processes_at_once(cache: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        values = pool.map(_evaluate, range(6))
    assert len(set(values)) == 1
    assert not [path for path in entries(cache) if path.name.startswith(".")]


def _evaluate(_: int) -> bytes:
    system = chain()
    return bytes(system.jacobian(system.state).tobytes())


@pytest.mark.parametrize(("system", "expected"), [("win32", "Local"), ("darwin", "Caches"), ("linux", ".cache")])
def test_default_folder(monkeypatch: pytest.MonkeyPatch, system: str, expected: str) -> None:
    for name in ("BIFRNCRN_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", system)
    folder = str(compiled.cache_folder())
    assert expected in folder
    assert folder.endswith("bifrncrn")


def test_compiling_needs_neither_numba_nor_sympy() -> None:
    code = (
        "import sys; from bifrncrn.models.system import System;"
        "System.from_equations({'x': 'exp(-x)'}).jacobian([1.0]);"
        "heavy = {'numba', 'sympy', 'scipy', 'matplotlib', 'pandas'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_pickled_system_compiles_again() -> None:
    system = chain()
    reference = system.rhs(system.state)
    again = pickle.loads(pickle.dumps(system))
    np.testing.assert_array_equal(again.rhs(again.state), reference)
    assert not again.state.flags.writeable

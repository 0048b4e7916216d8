"""XPPAUT's files: read as XPPAUT means them or refused with the line, and written so that XPPAUT and AUTO agree."""

import contextlib
import json
import math
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest

import bifrncrn as bf

REFERENCE = Path(__file__).parent.parent.parent / "shared" / "reference" / "ode.json"

PATCH = """# a patch of membrane
par gl=2.5,vl=-60  c=2
p i0=10
number vh=-20,k=8
act(u)=1/(1+exp(-(u-vh)/k))
!total=gl*2
Ileak=gl*(V-vl)
dV/dt=(i0-ILEAK \\
   -total*w)/c
w'=0.1*(act(v)-w)
init v=-55
w(0)=0.25
aux sec=t/1000
set quiet {i0=0}
@ total=100,meth=stiff
done
w'=never read
"""


def loads(text: str) -> bf.System:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.ode"
        path.write_text(text, encoding="utf-8")
        return bf.load_model(path)


def written(system: bf.System, name: str) -> str:
    """Return the text of the file `name` when the system is written as XPPAUT's model.ode or AUTO's model.f90."""
    with tempfile.TemporaryDirectory() as folder:
        bf.write_model(system, Path(folder) / f"model.{'ode' if name.endswith('ode') else 'f90'}")
        return (Path(folder) / name).read_text(encoding="utf-8")


def value(formula: str, x: float = 0.0, y: float = 0.0) -> float:
    return float(loads(f"par a=3\nx'={formula}\ny'=-y\n").rhs([x, y])[0])


def test_a_whole_file():
    system = loads(PATCH)
    assert (system.variables, system.parameters) == (("V", "w"), ("gl", "vl", "c", "i0"))
    assert system.state.tolist() == [-55.0, 0.25]
    v, w = -30.0, 0.4
    expected = [(10 - 2.5 * (v + 60) - 5.0 * w) / 2, 0.1 * (1 / (1 + math.exp(-(v + 20) / 8)) - w)]
    np.testing.assert_allclose(system.rhs([v, w]), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("2^3^2", 64.0),
        ("-2^2", -4.0),
        ("x+1>2", 0.5),  # 0.5 + (1 > 2)
        ("2*x>1", 0.0),  # 2 (0.5 > 1)
        ("1<2<3", 1.0),  # (1 < 2) < 3
        ("-x&y", 1.0),
        ("x|y*0", 1.0),
        ("7/2", 3.5),
        ("heav(0)", 1.0),
        ("sign(0)", 0.0),
        ("flr(-1.5)", -2.0),
        ("mod(-1,3)", 2.0),
        ("mod(-5,-3)", -5.0),
        ("log(2)-ln(2)+log10(100)", 2.0),
        ("1+if(x>1)then(2)else(3)*10", 31.0),
        ("sum(1,3)of(i'*a)", 18.0),
        ("shift(x,1)", 2.0),
        ("X*A", 1.5),
        ("2**3**2", 64.0),
        ("12/a*2-1", 7.0),
    ],
)
def test_formulas_mean_what_xppaut_computes(formula, expected):
    assert value(formula, 0.5, 2.0) == pytest.approx(expected, rel=1e-14)


def test_arrays_and_loops():
    system = loads("par k=2\n%[1..2]\nx[j]'=[j]*k-x[j]\ny[j]'=x[j-1]\n%\nx0'=1\nz[1..3]'=z[j]+[j]\ninit z[1..3]=4\n")
    assert system.variables == ("x1", "y1", "x2", "y2", "x0", "z1", "z2", "z3")
    assert system.rhs(np.arange(1.0, 9.0)).tolist() == [1.0, 5.0, 1.0, 1.0, 1.0, 7.0, 9.0, 11.0]
    assert system.state.tolist() == [0.0] * 5 + [4.0] * 3


def test_a_function_of_an_argument_called_t():
    assert loads("par a=3\ns(t)=a*t^2\nx'=s(x)-s(2)\n").rhs([1.0]).tolist() == [-9.0]


def test_an_index_behind_a_range():
    system = loads("init u[1..2]=3,v[j]=4,w=5\nu[1..2]'=1\nv[1..2]'=1\nw'=1\n")
    assert system.state.tolist() == [3.0, 3.0, 4.0, 4.0, 5.0]


def test_a_start_behind_a_blank_is_read_as_meant_with_a_warning():
    with pytest.warns(bf.ContinuationWarning, match="blank before the minus"):
        system = loads("x(0) = -65\nx'=-x\n")
    assert system.state.tolist() == [-65.0]


def test_a_percent_sign_begins_a_comment_unless_it_makes_a_state():
    assert loads("% for a=3 see below\npar a=1\nx'=-a*x\n").values.tolist() == [1.0]


def test_a_quantity_defined_too_late_is_read_as_meant_with_a_warning():
    with pytest.warns(bf.ContinuationWarning, match="flux uses dif"):
        system = loads("par k=0.5\nflux=k*dif\ndif=x-1\nx'=1-flux\n")
    assert system.rhs([3.0]).tolist() == [0.0]


HEAD = "# a text\npar a=1.5\ninit x=0.1\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (HEAD + "x(t+1)=a*x\n", 4, "map"),
        (HEAD + "x'=a*x\n@ meth=discrete\n", 5, "map"),
        (HEAD + "x'=-delay(x,2)\n", 4, "delay"),
        (HEAD + "table g file.tab\nx'=g(x)\n", 4, "tables"),
        (HEAD + "x'=a\nglobal 1 x-1 {x=0}\n", 5, "events"),
        (HEAD + "x(t)=int{exp(-t)#x}\n", 4, "integral"),
        (HEAD + "x'=y\n0=y-a\n", 5, "algebraic"),
        (HEAD + "x'=normal(0,a)\n", 4, "random"),
        (HEAD + "wiener w\nx'=w\n", 4, "noise"),
        (HEAD + "x'=sin(t)\n", 4, "autonomous"),
        (HEAD + "push=sin(t)\nx'=push\n", 4, "autonomous"),
        (HEAD + "f(u)=u+t\ng(u)=f(u)\nx'=g(x)\n", 4, "autonomous"),
        (HEAD + "s(t)=sin(t)\nx'=s(t)\n", 5, "autonomous"),
        (HEAD + "x'=-a\nx'=2\n", 5, "defined already, in line 4"),
        (HEAD + "par A=2\nx'=-a\n", 4, "defined already"),
        (HEAD + "f(u,v)=u\nx'=f(x)\n", 5, "takes 2 arguments"),
        (HEAD + "aux y=2\nx'=y\n", 5, "auxiliary"),
        (HEAD + "x'=-a*(x+1\n", 4, "parentheses"),
        (HEAD + "p1=q1+x\nq1=p1\nx'=q1\n", 4, "circle"),
        (HEAD + "!b=x\nx'=b\n", 4, "derived parameter"),
        ("par a=1/3,b=2\nx'=-a*x+b\n", 1, "reads 1"),
        ("par a=1\ninit x=a\nx'=-x\n", 2, "reads 0"),
        ("par a=1 # rate b=2\nx'=-a\n", 1, "XPPAUT would make it one"),
        ("par a=1;b=2\nx'=-a\n", 1, "reads 1"),
        ("par a=1\n%v'=3\nx'=-a\n", 2, "no comment"),
        (HEAD + "x'=a*-x\n", 4, "followed by a sign"),
        (HEAD + "x'=2*not(x)\n", 4, "misreads"),
        (HEAD + "x'=2x\n", 4, "operator is missing"),
        (HEAD + "x'=-a*x # slow\n", 4, "no meaning"),
        (HEAD + "x[0..2]'=x[j-1]\n", 4, "would subtract"),
        ("par a=1\n# constant \\tau\nx'=-a\ny'=x\n", 3, "backslash"),
        (HEAD + "damping is next\nx'=-a\n", 4, "the end of the file"),
        (HEAD + "x'=-b\n", 4, "unknown name 'b'"),
        (HEAD + "f(u)=f(u)\nx'=f(x)\n", 5, "nested"),
        ("1\nv x=2\n", 1, "old style"),
    ],
)
def test_what_is_refused_names_its_line(text, line, says, tmp_path):
    path = tmp_path / "m.ode"
    path.write_text(text)
    with pytest.raises(bf.InputError) as error:
        bf.load_model(path)
    assert f"line {line}:" in str(error.value)
    assert says in str(error.value)


def test_functions_that_double_in_each_other_are_refused():
    doubling = "f0(x)=x+x\n" + "".join(f"f{k}(x)=f{k - 1}(x)+f{k - 1}(x)\n" for k in range(1, 40))
    with pytest.raises(bf.InputError, match=r"line 41: .*longer than"):
        loads(f"{doubling}x'=f39(x)\n")


def test_a_diagram_straight_from_the_file(tmp_path):
    """The Brusselator's Hopf point is at B = 1 + A^2."""
    path = tmp_path / "b.ode"
    path.write_text("par A=1.2,B=2\nx(0)=1.3\ny(0)=1.5\ndx/dt=A-(B+1)*x+x**2*y\ndy/dt=B*x-x**2*y\ndone\n")
    out = tmp_path / "d.json"
    assert bf.main(["diagram", str(path), "--parameter", "B", "--range", "0.5", "5", "--json", str(out)]) == 0
    (point,) = json.loads(out.read_text())["special_points"]
    assert (point["label"], point["parameters"]["B"]) == ("HB", pytest.approx(2.44, abs=1e-10))


@pytest.mark.parametrize("entry", json.loads(REFERENCE.read_text()) if REFERENCE.exists() else [None])
def test_reference_texts(entry):
    if entry is None:
        pytest.skip("the reference texts (../shared/reference/ode.json) are not there")
    if entry.get("refuse"):
        with pytest.raises(bf.InputError) as error:
            loads(entry["text"])
        assert entry["refuse"]["line"] is None or f"line {entry['refuse']['line']}:" in str(error.value)
        return
    late = entry["id"] in ("outoforder", "spaced")  # read as meant, which XPPAUT does not
    with pytest.warns(bf.ContinuationWarning) if late else contextlib.nullcontext():
        system = loads(entry["text"])
    np.testing.assert_allclose(system.state, entry["initial"], rtol=1e-12)
    for row in entry["rhs"]:
        np.testing.assert_allclose(system.rhs(row["state"]), row["values"], rtol=1e-11, atol=1e-13)


# -- written ------------------------------------------------------------------------------------------------------

AWKWARD = bf.System.from_equations(
    {
        "x": "-x + heat",
        "a_name_that_is_too_long": "heat*x - exp(y)",
        "y": "sin(x)*cos(y) - if(x > 1 and y < 2, x^3, abs(y)^1.5)",
        "z": " + ".join(f"{k}.5*sin({k}*x)/(1 + x^{k % 5 + 2} + z^2)" for k in range(1, 40)),
        "u": "asinh(x) + cbrt(y) + log1p(x*x) + expm1(y) + atan2(x, y) + besselj(2, x) + log2(2 + x*x)",
        "v": "mod(x, 2) + erf(y) - sign(x) + tanh(x) + heaviside(z) - min(x, y) + 1e-5*u",
    },
    {"a": -1.5, "A": 2e-5, "sin": 3},
    {"x": -0.5, "a_name_that_is_too_long": 1, "y": 2, "z": 0, "u": 0, "v": 0},
    {"heat": "a*max(x, y) + A*heaviside(x) + sin*floor(x*3)"},
    title="awkward \\ to write",
)
POINTS = np.random.default_rng(5).uniform(-2.0, 2.0, (5, 6))


def systems() -> list[bf.System]:
    names = ("brusselator", "lorenz", "ab_reaction", "bratu")
    return [AWKWARD, *(bf.load_model(name) for name in names if name in bf.library.names())]


@pytest.mark.parametrize("system", systems(), ids=lambda system: system.title)
def test_what_is_written_for_xppaut_is_read_again(system):
    again = loads(written(system, "model.ode"))
    for point in POINTS:
        x = point[: len(system.variables)]
        np.testing.assert_allclose(again.rhs(x), system.rhs(x), rtol=1e-12, atol=1e-13)
    assert again.state.tolist() == system.state.tolist()
    assert again.values.tolist() == system.values.tolist()


@pytest.mark.parametrize("system", systems(), ids=lambda system: system.title)
def test_xppauts_own_engine_reads_what_is_written(system):
    xpplab = pytest.importorskip("xpplab", reason="XPPAUT's engine (the package xpplab) is not installed")
    model = xpplab.Model.from_text(written(system, "model.ode"))
    for point in POINTS:
        x = point[: len(system.variables)]
        np.testing.assert_allclose(model.rhs(x.tolist()), system.rhs(x), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("system", systems(), ids=lambda system: system.title)
def test_the_fortran_computes_the_same(system):
    """The statements of FUNC, evaluated in Python: Fortran's numbers and functions have Python's meaning put in."""
    text = written(system, "model.f90").replace("&\n    &", "")
    assert max(map(len, written(system, "model.f90").splitlines())) <= 132
    body = text[text.index("DFDP(NDIM,*)") : text.index("END SUBROUTINE FUNC")]
    statements = [line.strip() for line in body.splitlines()[1:] if " = " in line]
    for point in POINTS:
        x = point[: len(system.variables)]
        names = _fortran_names(x, system.values)
        for statement in statements:
            left, _, right = statement.partition(" = ")
            python = re.sub(r"(\d)d([-+]?\d)", r"\1e\2", right)
            result = eval(python, names)
            if left.startswith("F("):
                names["out"][int(left[2:-1])] = result
            else:
                names[left] = result
        found = [names["out"][i + 1] for i in range(len(x))]
        np.testing.assert_allclose(found, system.rhs(x), rtol=1e-11, atol=1e-12)


def _fortran_names(x: np.ndarray, values: np.ndarray) -> dict:
    from scipy.special import erf, jv

    functions = {name: getattr(np, name) for name in ("exp", "log", "log10", "sin", "cos", "tan", "tanh", "sqrt")}
    functions |= {
        "asinh": np.arcsinh,
        "atan2": np.arctan2,
        "bessel_jn": jv,
        "erf": erf,
        "real": lambda v, kind: float(v),
    }
    return {
        **functions,
        "abs": abs, "min": min, "max": max, "out": {},
        "floor": lambda v, kind: math.floor(v),
        "sign": math.copysign,
        "merge": lambda a, b, condition: a if condition else b,
        "U": lambda i: float(x[i - 1]),
        "PAR": lambda i: float(values[i - 1]),
    }  # fmt: skip


def test_parameters_keep_clear_of_autos_own():
    many = bf.System.from_equations(
        {"x": " + ".join(f"p{k}" for k in range(14)) + " - x"}, {f"p{k}": k for k in range(14)}
    )
    assert "PAR(10) = 9.0d0" in written(many, "model.f90")
    assert "PAR(37) = 10.0d0" in written(many, "model.f90")
    assert "NPAR = 40" in written(many, "c.model")


def test_convert_writes_all_three(tmp_path):
    source = tmp_path / "m.toml"
    source.write_text(bf.load_model("brusselator").to_toml())
    for name in ("m.ode", "m.f90", "m.f90"):
        assert bf.main(["convert", str(source), str(tmp_path / name)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.m", "m.f90", "m.ode", "m.toml"]
    assert bf.load_model(tmp_path / "m.ode").rhs([1, 2]).tolist() == bf.load_model(source).rhs([1, 2]).tolist()


def test_a_python_function_cannot_be_written():
    system = bf.System.from_function(lambda x, p: -x, ["x"], {"a": 1.0})
    for name in ("model.ode", "model.f90"):
        with pytest.raises(bf.InputError, match="no equations to write"):
            written(system, name)


# -- kinds of files, against XPPAUT's own engine --------------------------------------------------------------------

KINDS = {
    "bang": "par a=2 b=3\n!c=a*b\n!d=c+1\nx'=-d*x+c\ninit x=0.5\ndone\n",
    "arrayring": "par d=.3\nu0=u6\nu7=u1\nu[1..6]'=d*(u[j-1]-2*u[j]+u[j+1])-u[j]^3+u[j]\ninit u[1..6]=0.2\ndone\n",
    "loop": "par e=.2\n%[1..3]\nf[j]=x[j]*(1-x[j])*(x[j]-e)\nx[j]'=f[j]-y[j]\ny[j]'=0.1*(x[j]-y[j])\n%\ndone\n",
    "cmp": "x'=(x>0)*y-(y>=1)*(x!=2)\ny'=2*(x<1)+3*(x==0)-y\ndone\n",
    "prec": "x'=-x^2+2^3^2*y-2^x\ny'=-y^2/3/2*x-x-y-1\nz'=x/y*z-z^2^.5\ninit x=1,y=2,z=.4\ndone\n",
    "flr": "x'=flr(x)+flr(-x*3.3)-mod(x,2)\ny'=mod(-x,3)-mod(y*5,-3)-y\ndone\n",
    "sum1": "par w=.2\nx[0..4]'=-x[j]+w*sum(0,4)of(shift(x0,i'))\ndone\n",
    "shadow": "par a=3\nf(a)=a^2\nx'=-f(x)+a\ndone\n",
    "twoarg": "f(x,y)=x*y+1\ng(u)=f(u,u)^2\nx'=-g(x)+f(x,y)\ny'=f(y,x)-y\ndone\n",
    "initj": "x[1..3]'=-x[j]\nx[1..3](0)=[j]\ndone\n",
    "fixp": "par a=2\np1=a*x\nd2=p1+x\ni3=d2*2\nx'=-i3\ndone\n",
    "loopfn": "par a=1\n%[1..3]\nz[j]=y[j]^[j]\ny[j]'=a-z[j]\n%\ndone\n",
    "fnarr": "f(a,b)=a-b\nu[1..3]'=f(u[j],[j])\ndone\n",
    "andor": "x'=((x>0)|(y>0)&(x<1))-x\ny'=-y\ndone\n",
    "sumf": "x'=sum(1,3)of(x^i'/i')-x*10\ndone\n",
    "modneg": "x'=mod(x,0.7)-mod(0.7,x+3)-x\ndone\n",
    "shiftx": "par a=1,b=2\nx'=-shift(x,1)\ny'=shift(x,0)-y\ndone\n",
    "derivedpi": "number c=3\npar a=2\n!b=a*c*pi\nx'=-b*x\ndone\n",
}


@pytest.mark.parametrize("kind", KINDS)
def test_xppauts_own_engine_computes_the_same(kind):
    xpplab = pytest.importorskip("xpplab", reason="XPPAUT's engine (the package xpplab) is not installed")
    model, system = xpplab.Model.from_text(KINDS[kind]), loads(KINDS[kind])
    for point in np.random.default_rng(1).uniform(-2.0, 2.0, (4, len(system.variables))):
        np.testing.assert_allclose(system.rhs(point), model.rhs(point.tolist()), rtol=1e-9, atol=1e-11)


def test_an_index_in_a_sum_may_be_computed(tmp_path):
    path = tmp_path / "m.ode"
    path.write_text(
        "# own\npar a=2\nx[1..3]'=-x[j]\ny'=a*sum(1,3)of(i'*shift(x1,i'-1))-y\ninit x1=.5,x2=3,x3=7\ndone\n"
    )
    system = bf.load_model(path)
    assert system.rhs(system.state)[-1] == pytest.approx(2 * (0.5 + 2 * 3 + 3 * 7), rel=1e-12)
    path.write_text("# own\npar a=2\nx'=shift(x,a-1)\ndone\n")
    with pytest.raises(bf.InputError, match=r"line 3.*whole number"):
        bf.load_model(path)

"""Files built to exhaust a reader get one sentence, soon."""

import time

import pytest

import bifrncrn as bf

SOON = 10.0
"""Seconds: each takes a tenth of it or less on an idle machine, and without a limit a minute or more."""
HEAD = "[variables]\nx = 1\n[equations]\nx = '-x'\n"
TOML = {
    "terms": ("[variables]\nx = 1\n[equations]\nx = '" + "x + " * 2_000_000 + "x'", "larger than|at most"),
    "depth": ("[variables]\nx = 1\n[equations]\nx = '" + "sin(" * 7000 + "x" + ")" * 7000 + "'", "nested more than"),
    "choices": (
        "[variables]\nx = 1\n[equations]\nx = '" + "piecewise(1, x < 1, " * 7000 + "x" + ")" * 7000 + "'",
        "nested more than",
    ),
    "lists": (HEAD + "[training]\nbox = " + "[" * 7000 + "]" * 7000, "nested too deep"),
    "tables": (HEAD + "[training]\nbox = " + "{a=" * 7000 + "1" + "}" * 7000, "nested too deep"),
    "keys": (HEAD + "[training" + ".a" * 70_000 + "]\nb = 1\n", "more than 50 parts"),
    "dotted": (HEAD + "a" + " . a" * 70_000 + " = 1\n", "more than 50 parts"),
    "digits": (HEAD + "[parameters]\na = " + "9" * 1_000_000, "thousands of digits"),
    "number": (HEAD + "[parameters]\na = '" + "9" * 1_000_000 + "'", "no number needs"),
}
ODE = "par a=1\ninit x=1\n"
XPPAUT = {
    "terms": (ODE + "x'=" + "x*a+" * 100_000 + "x\n", "at most"),
    "depth": (ODE + "x'=" + "(" * 7000 + "x" + ")" * 7000 + "\n", "nested more than"),
    "sum": (ODE + "x'=sum(0,1000000000)of(x*i')\n", "more than 10000 terms"),
    "sums": (ODE + "x'=sum(0,1000)of(sum(0,1000)of(x*i'))\n", "longer than"),
    "range": (ODE + "y[1..1000000000]'=-y[j]\nx'=-x\n", "at most 10000"),
    "circle": (
        ODE + "\n".join(f"b{i}=x+b{(i + 1) % 5000}" for i in range(5000)) + "\nx'=-b0\n",
        "need each other in a circle",
    ),
}


def refused(path, text, says):
    path.write_text(text)
    begun = time.perf_counter()
    with pytest.raises(bf.InputError, match=says) as caught:
        bf.load_model(path)
    assert time.perf_counter() - begun < SOON
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("kind", TOML)
def test_model_files(kind, tmp_path):
    refused(tmp_path / "m.toml", *TOML[kind])


@pytest.mark.parametrize("kind", XPPAUT)
def test_xppaut_files(kind, tmp_path):
    refused(tmp_path / "m.ode", *XPPAUT[kind])


def test_reactions_and_antimony(tmp_path):
    refused(tmp_path / "m.txt", "A + " * 2_000_000 + "A -> B,1.0", "larger than")
    pytest.importorskip("antimony", reason="antimony is not installed")
    refused(tmp_path / "m.ant", "model m\n x = 1;\n x' = " + "x + " * 500_000 + "x;\nend\n", "a statement of")


def test_many_conditions_are_read_in_time():
    """Joined by `and` they were looked through again at every word."""
    begun = time.perf_counter()
    text = " and ".join(f"x < {k}" for k in range(1, 5000))
    model = bf.System.from_equations({"x": f"if({text}, 1, 2)"})
    assert time.perf_counter() - begun < SOON
    assert model.rhs([0.5])[0] == 1.0
    assert model.rhs([1.5])[0] == 2.0


def test_thousands_of_fixed_quantities_in_reverse_order(tmp_path):
    """XPPAUT's fixed quantities are sorted in one pass: b0 = x + b1, ..., b2000 = x makes b0 = 2001 x."""
    lines = [f"b{i}=x+b{i + 1}" for i in range(2000)] + ["b2000=x", "x'=-b0"]
    (tmp_path / "m.ode").write_text("\n".join(lines))
    with pytest.warns(match="defined after it"):
        model = bf.load_model(tmp_path / "m.ode")
    assert model.rhs([1.0])[0] == pytest.approx(-2001.0, rel=1e-12)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<g>" * 7000 + '<path d="M 2 2 L 3 2 L 3 3 L 2 3 Z"/>' + "</g>" * 7000, None),
        ('<path d="M 0 0' + " L 1 1" * 500_000 + '"/>', "characters, more than"),
        ("<!-- " + "x" * 21_000_000 + " -->", "larger than"),
    ],
    ids=["depth", "path", "size"],
)
def test_drawings(body, says, tmp_path):
    """A path below 7,000 groups is a path; what is too large is refused."""
    path = tmp_path / "curve.svg"
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">{body}</svg>')
    begun = time.perf_counter()
    if says is None:
        assert bf.Curve.from_svg_file(path, shift=(2.0, 2.0)).points.min() > 0
    else:
        with pytest.raises(bf.InputError, match=says):
            bf.Curve.from_svg_file(path)
    assert time.perf_counter() - begun < SOON

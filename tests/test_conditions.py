"""Models as people write them: conditions, equations written as derivatives, angles, and advice on what is not read."""

import math
from pathlib import Path

import numpy as np
import pytest
import sympy

import bifrncrn as bf


def value(text: str, x: float) -> float:
    return float(bf.System.from_equations({"x": text}).rhs([x])[0])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("if(x > 1, x, 2*x)", lambda x: x if x > 1 else 2 * x),
        ("piecewise(1, x < 0, 2, x >= 0 and x < 1, 3)", lambda x: 1 if x < 0 else 2 if x < 1 else 3),
        ("piecewise(1, x < 0 or x > 1, 2)", lambda x: 1 if x < 0 or x > 1 else 2),
        ("if(not (x == 1), 5, 7)", lambda x: 5 if x != 1 else 7),
        ("if(not x != 1 or x <= -1, 5, 7)", lambda x: 5 if x == 1 or x <= -1 else 7),
        ("2*(x > 1) - 3*(x <= 0.5)", lambda x: 2 * (x > 1) - 3 * (x <= 0.5)),
        ("if(x + 1 > 2*x, 1, 0)", lambda x: float(x + 1 > 2 * x)),
        ("if(x and x < 2, 1, 0)", lambda x: float(x != 0 and x < 2)),
        ("mod(x, 3) + 10*floor(x) + 100*ceil(x)", lambda x: x % 3 + 10 * math.floor(x) + 100 * math.ceil(x)),
    ],
)
def test_conditions_mean_what_they_mean_in_python(text, rule):
    for x in (-1.5, -1.0, 0.0, 0.25, 0.5, 1.0, 1.5, 2.5, 7.0):
        assert value(text, x) == pytest.approx(rule(x), abs=1e-12)  # mod is computed by a division, good to rounding


def test_sympy_conditions_in_and_out():
    x, a = sympy.symbols("x a")
    whole = sympy.Mod(x, 3) + sympy.floor(x)
    expression = sympy.Piecewise((x, x > 1), (a - x, (x < 0) | sympy.Eq(x, sympy.Rational(1, 2))), (whole, True))
    system = bf.System.from_equations({"x": expression}, parameters={"a": 1})
    again = bf.System.from_equations({"x": system.sympy()["x"]}, parameters={"a": 1})
    for at in (-0.7, 0.25, 0.5, 0.9, 1.5):
        expected = float(expression.subs({x: at, a: 1}))
        assert system.rhs([at])[0] == again.rhs([at])[0] == pytest.approx(expected, abs=1e-12)
    with pytest.raises(bf.InputError, match="close it with"):
        bf.System.from_equations({"x": sympy.Piecewise((x, x > 1))})


MODEL = "[variables]\nx = 1.0\n[parameters]\na = 1.0\n[equations]\n"


@pytest.mark.parametrize("left", ["x", '"x\'"', '"dx/dt"', '"d(x)/dt"'])
def test_an_equation_may_be_written_as_a_derivative(left, tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(f'{MODEL}{left} = "a - 2*x"\n')
    assert bf.load_model(path).rhs([3.0])[0] == -5.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('dx/dt = "a - x"', 'x = "a - x"'),
        ("x' = a - x", 'x = "a - x"'),
        ('x = "a - x"\n"x\'" = "1"', "two equations for 'x'"),
        ('x = "sin(t)"', "autonomous"),
        ('x = "a - x(t - 2)"', "delay"),
        ('x = "delay(x, 2)"', "delay"),
        ('x = "a - x(t)"', "its name alone"),
        ('x = "if(0 < x < 1, 1, 2)"', "write a < b and b < c"),
        ('x = "if(x > 1, 2)"', "a condition and two values"),
        ('x = "piecewise(1, x > 1)"', "the value otherwise"),
        ('x = "if(x = 1, 1, 2)"', "a condition with =="),
        ('x = "if(x > 1 & x < 2, 1, 2)"', "the word and"),
        ('x = "a - x²"', "write ^2"),
        ('x = "a - 3²*x"', "write ^2"),
        ('x = "a - (x + 1)³"', "write ^3"),
        ('x = "a - |x|"', "abs(x)"),
        ('x = "a if x > 1 else -x"', "if(condition, a, b)"),
        ('x = "np.float64(0.5) - x"', "format a numpy number as float(x)"),
        ('x = "a - x"\n[options]\nkind = "flow"', 'or "map"'),
        ('x = "a - x"\n[options]\nperiodic = ["y"]', "no variable"),
        ('x = "a - x"\n[options]\nnonnegative = "x"', "true, false or a list"),
    ],
)
def test_common_mistakes_get_advice(text, says, tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(MODEL + text)
    with pytest.raises(bf.InputError) as error:
        bf.load_model(path)
    assert says in str(error.value)
    assert "line" in str(error.value)


@pytest.mark.parametrize("given", ["10 mM", "0.1 /s", "1e3 s^-1", "5%"])
def test_a_unit_in_a_value_is_named(given, tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(MODEL.replace("a = 1.0", f'a = "{given}"') + 'x = "a - x"\n')
    with pytest.raises(bf.InputError, match=r"line 4.*without a unit"):
        bf.load_model(path)


def test_an_xppaut_text_under_another_name_is_recognised(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text("par a=1\ninit x=2\nx'=a-x\ndone\n")
    with pytest.raises(bf.InputError, match=r"ends in \.ode"):
        bf.load_model(path)


@pytest.mark.parametrize(("word", "meant"), [("--orbit", "--orbits"), ("--paramter", "--parameter")])
def test_a_misspelt_option_is_recognised(word, meant, capsys):
    assert bf.main(["diagram", "brusselator", "--parameter", "B", "--range", "1", "2", word]) == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_single_states_may_be_nonnegative(tmp_path: Path):
    system = bf.System.from_equations({"x": "a - x", "y": "-y"}, {"a": 1}, nonnegative=["x"], state={"x": 1, "y": 0})
    assert system.lower.tolist() == [0.0, -math.inf]
    path = tmp_path / "m.toml"
    path.write_text(system.to_toml())
    assert bf.load_model(path).nonnegative == ("x",)
    diagram = bf.diagram(system, "a", (-1, 1))
    assert "bound" in {end.reason for end in diagram.branches[0].ended}


def test_a_branch_of_angles_closes_after_a_turn():
    """w = sin(th) - k cos(2 th) turns where cos(th) (1 + 4 k sin(th)) = 0: four folds a turn."""
    system = bf.System.from_equations(
        {"th": "w - sin(th) + k*cos(2*th)"}, {"w": 0, "k": 0.3}, {"th": 0}, periodic=["th"]
    )
    diagram = bf.diagram(system, "w", (-3, 3))
    (branch,) = diagram.branches
    assert [end.reason for end in branch.ended] == ["closed", "closed"]
    assert branch.points[-1, 1] - branch.points[0, 1] == pytest.approx(2 * math.pi, abs=1e-9)
    folds = sorted(point.parameters["w"] for point in diagram.special("LP"))
    low = -1 / 1.2
    expected = [low - 0.3 * (1 - 2 * low**2)] * 2 + [-1 + 0.3, 1 + 0.3]
    np.testing.assert_allclose(folds, expected, atol=1e-9)


def test_angles_of_unconnected_branches_are_searched_once():
    """sin(th) = 0: two equilibria on the circle, found once each however wide the box is."""
    system = bf.System.from_equations({"th": "-k*sin(th)"}, {"k": 1}, {"th": 0}, periodic=["th"])
    diagram = bf.diagram(system, "k", (0.5, 2), all=True, box={"th": (-10, 10)})
    assert len(diagram.branches) == 2


def test_what_is_no_angle_is_refused():
    system = bf.System.from_equations({"th": "w - th"}, {"w": 0}, periodic=["th"])
    with pytest.raises(bf.InputError, match="not the same a turn"):
        bf.diagram(system, "w", (-1, 1))

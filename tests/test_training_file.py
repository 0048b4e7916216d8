"""Model files that say what is to be learned by curves and pieces, in Python and from the command line."""

import json

import numpy as np
import pytest

import bifrncrn as bf

LEAF = "x,y\n1,1\n3,1.2\n3.5,2.5\n2,3\n1.1,2.2\n"
DRAWING = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg"><defs><path d="M 0 0 L 1 1"/></defs>
<g transform="translate(2, 3)"><path style="fill:none" d="M 10 10 C 40 0 60 20 50 50 S 10 60 10 10 Z"/></g></svg>
"""
MIXTURE = """title = "rest, then run"
[training]
perceptrons = 6
mu = 0.01
[[training.parts]]
curve = "leaf.csv"
at = 1
samples = 300
[[training.parts]]
equations = { x = "1 - x", y = "1 - y" }
box = { x = [0, 4], y = [0, 4] }
at = 0
weight = 10
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "leaf.csv").write_text(LEAF)
    (tmp_path / "leaf.svg").write_text(DRAWING)

    def write(text):
        (tmp_path / "mine.toml").write_text(text)
        return tmp_path / "mine.toml"

    return write


def test_a_curve_of_points_beside_the_file(file):
    target = bf.Target.from_file(file('[training]\ncurve = "leaf.csv"\nperceptrons = 7\nlayers = 3\n'))
    (part,) = target.parts
    assert isinstance(part, bf.CurvePart)
    assert (target.perceptrons, part.layers, target.sizes, target.name) == (7, 3, (2, 0), "mine")
    np.testing.assert_allclose(part.curve.points[0], [1, 1])
    assert target.state == pytest.approx(part.curve.points.mean(axis=0))


def test_a_drawing_is_scaled_and_shifted(file):
    target = bf.Target.from_file(file('[training]\ncurve = "leaf.svg"\nscale = 0.1\nshift = [1, 2]\n'))
    points = target.parts[0].curve.points
    np.testing.assert_allclose(points.min(axis=0), [1, 2], atol=0.1)  # the spline rounds the drawing's corner
    assert 3 < np.ptp(points, axis=0).max() < 6
    assert points[:, 1].argmin() != 0  # y points up: the path begins at the top of the drawing


def test_a_formula_is_a_whole_turn_by_default(file):
    target = bf.Target.from_file(file('[training]\ncurve = { a = "2 + cos(t)", b = "3 + sin(t)" }\npoints = 100\n'))
    points = target.parts[0].curve.points
    assert len(points) == 100
    np.testing.assert_allclose(np.linalg.norm(points - [2, 3], axis=1), 1.0)


def test_a_mixture(file):
    target = bf.Target.from_file(file(MIXTURE))
    curve, field = target.parts
    assert isinstance(curve, bf.CurvePart) and isinstance(field, bf.FieldPart)
    assert (target.sizes, target.lam, target.bounds, target.mu) == ((2, 1), (1.0,), (0.0, 1.0), 0.01)
    assert (curve.lam, field.lam, field.weight) == ((1.0,), ((0.0,),), 10.0)


def test_a_curve_on_an_interval(file):
    target = bf.Target.from_file(file(MIXTURE.replace("at = 1", "at = 1\nover = [0.9, 1.2]")))
    assert (target.parts[0].lam, target.parts[0].over, target.bounds) == ((1.0,), (0.9, 1.2), (0.0, 1.2))
    assert [one.over for one in bf.behaviours_of(target) if isinstance(one, bf.CycleWanted)] == [(0.9, 1.2)]


def test_the_command_line_trains_on_a_drawn_curve(file, tmp_path, capsys):
    path = file('[training]\ncurve = "leaf.csv"\nperceptrons = 5\n')
    code = bf.main(["train", str(path), "--seeds", "1", "--jobs", "1", "--out", str(tmp_path / "net.json")])
    out = capsys.readouterr().out
    assert code == 0 and ("verified: stable cycle" in out or "not reached" in out)
    assert json.loads((tmp_path / "net.json").read_text())["training"]["target"] == "mine"


@pytest.mark.slow
def test_a_fit_that_does_not_reach_its_target_says_so(file, tmp_path, capsys):
    path = file('[training]\ncurve = "leaf.csv"\n')
    words = ["train", str(path), "--perceptrons", "1", "--seeds", "1", "--jobs", "1"]
    assert bf.main([*words, "--out", str(tmp_path / "net.json")]) == 0
    assert "the target is not reached" in capsys.readouterr().out
    assert (tmp_path / "net.json").exists()


CURVE = '[training]\ncurve = "leaf.csv"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[training]\nbox = { x = [0, 1] }\n", "needs a curve, or equations"),
        ('[training]\ncurve = "leaf.png"\n', "curve is 'leaf.png'; name a .csv or .svg file"),
        ('[training]\ncurve = "none.csv"\n', "none.csv: cannot be read .No such file"),
        ('[training]\ncurve = "none.svg"\n', "none.svg: cannot be read .No such file"),
        (CURVE + "kapa = 1\n", "unknown key 'kapa'; the keys are curve, at"),
        (CURVE + "scale = 2\n", "scale does not go with a CSV file"),
        (CURVE + "closed = 1\n", "closed is 1; give true or false"),
        (CURVE + "at = -1\n", "at is -1, but the parameter species"),
        (CURVE + "at = 1\nover = 2\n", "over is 2; give the ends of an interval about `at`"),
        (CURVE + "at = 1\nover = [2, 3]\n", "give an interval around the first parameter species"),
        (CURVE + "weight = 0\n", "weight is 0; give a positive number"),
        (CURVE + "state = [1]\n", "has 1 entries but there are 2 species"),
        (CURVE + "state = [1, -1]\n", "start state is .*must not be negative"),
        (CURVE + "layers = 1000000000000000000000000000000\n", "more than can be fitted"),
        (CURVE + "points = 1000000000000\n", "more than can be fitted"),
        (CURVE + "layers = 500\n", "leave the positive orthant"),
        ('[training]\ncurve = { x = "2 + cos(t)", y = "2 + sin(2*t)" }\n', "crosses itself"),
        ('[training]\ncurve = { x = "cos(t)", y = "2 + sin(t)" }\n', "leaves the positive orthant"),
        ('[training]\ncurve = { x = "2 + cos(t)", y = "2 + sin(t)" }\nt = [0, 3]\n', "ends 1.99 away from where it"),
        ('[training]\ncurve = { x = "2 + cos(t)", y = "2 + sin(t)" }\nt = [3, 0]\n', r"t is \[3, 0\]; give"),
        ("[training]\nparts = 3\n", "no list of tables"),
        (MIXTURE.replace("at = 0", "at = [0, 1]"), "parts of target 'mine' disagree"),
        (MIXTURE.replace('"1 - y"', '"1 - z"'), "part 2: equation of y: unknown name 'z'"),
        (CURVE + '[variables]\nx = 1\n[equations]\nx = "1 - x"\n', "curves or parts beside the file's own"),
        (CURVE + "[parameters]\nk = 1\n", "holds a title and .training., but this has 'parameters'"),
    ],
)
def test_what_cannot_be_learned_is_refused(file, text, words):
    with pytest.raises(bf.InputError, match=words) as caught:
        bf.Target.from_file(file(text))
    assert str(caught.value).count("mine.toml") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<svg/>", "holds 0 paths"),
        ('<svg><path d="M0 0L1 0L1 1Z"/><path d="M0 0L1 0L1 1Z"/></svg>', "holds 2 paths"),
        ('<svg><g transform="scale(2)"><path d="M0 0L1 0L1 1L0 1Z"/></g></svg>', "turned or scaled"),
        ("<svg", "cannot read"),
        ('<!DOCTYPE svg [<!ENTITY a "aa">]><svg>&a;</svg>', "XML entities"),
    ],
)
def test_files_that_are_no_single_path_are_refused(tmp_path, text, words):
    (tmp_path / "a.svg").write_text(text)
    with pytest.raises(bf.InputError, match=words):
        bf.Curve.from_svg_file(tmp_path / "a.svg")

"""Options of `bifrncrn diagram`: events, stops, walls, numbers of points, going on with a saved diagram."""

import json

import pytest

import bifrncrn as bf

MODEL = """
title = "a cubic"
[variables]
x = -1.3
[parameters]
r = -1
[equations]
x = "r + x - x**3"
"""
FOLD = 2 / 27**0.5


@pytest.fixture
def run(tmp_path, capsys):
    (tmp_path / "cubic.toml").write_text(MODEL)

    def call(*words, ranges=("-1", "1")):
        out = tmp_path / "out.json"
        start = ["diagram", str(tmp_path / "cubic.toml"), "--parameter", "r", "--range", *ranges, "--json", str(out)]
        code = bf.main([*start, *(str(word) for word in words)])
        err = capsys.readouterr().err
        return code, json.loads(out.read_text()) if out.exists() else None, err

    return call


def labelled(data, label):
    return [p for p in data["special_points"] if p["label"] == label]


def test_events(run):
    code, data, _ = run("--event", "x = 0.5", "--event", "r = 0")
    assert code == 0
    assert sorted(p["event"] for p in labelled(data, "UZ")) == ["r = 0", "r = 0", "r = 0", "x = 0.5"]


@pytest.mark.parametrize("words", [("--stop", "LP"), ("--stop", "HB,LP"), ("--stop", "HB", "--stop", "LP")])
def test_stop(run, words):
    _, data, _ = run(*words)
    (branch,) = data["branches"]
    assert branch["ended"][1]["reason"] == "stop" and branch["points"][-1][0] == pytest.approx(FOLD, abs=1e-12)


def test_walls(run):
    _, data, _ = run("--walls", "x=-2:0.2")
    (branch,) = data["branches"]
    assert branch["ended"][1]["message"] == "x reached its bound 0.2" and branch["points"][-1][1] == 0.2


def test_a_number_of_points(run):
    _, data, _ = run("--max-points", 10)
    assert data["branches"][0]["ended"][1]["reason"] == "points"


def test_all_in_a_box(run):
    _, data, _ = run("--all", "--box", "x=-2:2", ranges=("-0.2", "0.2"))
    assert len(data["branches"]) == 3


def test_extend(run, tmp_path):
    _, old, _ = run(ranges=("-1", "0.1"))
    assert not old["special_points"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    code, data, _ = run("--extend", tmp_path / "old.json", "--event", "x = 0.5")
    assert code == 0 and data["range"] == [-1, 1]
    assert [p["label"] for p in data["special_points"]] == ["LP", "UZ", "LP"]
    assert all(row in data["branches"][0]["points"] for row in old["branches"][0]["points"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--event", "q = 1"), "unknown name 'q'"),
        (("--event", "x ="), "is no equation"),
        (("--stop", "LP,XX"), "cannot stop at 'XX'"),
        (("--stop", "LP,"), "cannot stop at ''"),
        (("--walls", "q=0:1"), "no variable 'q'"),
        (("--walls", "x=1:0"), "is empty"),
        (("--max-points", "0"), "at least 1"),
        (("--max-points", "1"), "max_points"),
        (("--extend", "nowhere.json"), "nowhere.json: cannot be read"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(run, words, said):
    code, data, err = run(*words)
    assert code == 2 and data is None
    assert said in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--all",), "leave --all out"),
        (("--start", "x=1"), "leave --start out"),
        (("--box", "x=0:1"), "leave --box out"),
        (("--engine", "pycont"), "leave --engine pycont out"),
        (("--range", "0", "1"), "does not contain"),
        (("--parameter", "s"), "is a diagram in r, not in s"),
    ],
)
def test_options_that_do_not_go_with_extend(run, tmp_path, words, said):
    _, old, _ = run()
    (tmp_path / "old.json").write_text(json.dumps(old))
    (tmp_path / "out.json").unlink()
    code, data, err = run("--extend", tmp_path / "old.json", *words)
    assert code == 2 and data is None
    assert said in err and err.count("\n") == 1


WITHOUT_REST = """
[variables]
x = 1
y = 0
z = 0.1
[parameters]
p = 1
[equations]
x = "x*(p - x^2 - y^2) - y"
y = "y*(p - x^2 - y^2) + x"
z = "log(x^2 + y^2 + 0.1*x) - z"
"""


def test_a_cycle_needs_no_equilibrium(tmp_path, capsys):
    """The cycle r^2 = p, of period 2*pi, goes around the origin, where the logarithm has no value."""
    model, out = tmp_path / "model.toml", tmp_path / "out.json"
    model.write_text(WITHOUT_REST)
    common = ["diagram", str(model), "--parameter", "p", "--range", "0.8", "1.5", "--json", str(out)]
    assert bf.main([*common, "--orbits", "--cycle"]) == 0
    assert "No equilibrium was found" in capsys.readouterr().out
    (branch,) = json.loads(out.read_text())["branches"]
    rows = [dict(zip(branch["columns"], row, strict=True)) for row in branch["points"]]
    assert branch["kind"] == "periodic" and {rows[0]["p"], rows[-1]["p"]} == {0.8, 1.5}
    for row in rows:
        assert row["max y"] == pytest.approx(row["p"] ** 0.5, rel=1e-6)  # the tolerance orbits are refined to
        assert row["period"] == pytest.approx(2 * 3.141592653589793, rel=1e-6)  # the period is refined to that too

"""The command line: exit codes, messages, files, and that nothing it is given makes a traceback."""

import contextlib
import io
import json
import subprocess
import sys
import types

import pytest
from handmade import hopf_diagram
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import bifrncrn as bf

RANGE = ["--range", "1", "3"]


@pytest.fixture
def engine(monkeypatch):
    """Replace the engine by one that writes down what it is asked and returns a Hopf diagram."""
    calls = []

    def trace(system, **options):
        calls.append((system, options))
        return hopf_diagram(2.0, model=system.title)

    module = types.ModuleType("bifrncrn.diagrams.diagram")
    module.diagram = trace
    monkeypatch.setitem(sys.modules, "bifrncrn.diagrams.diagram", module)
    return calls


@pytest.fixture
def run(capsys):
    def call(*words):
        code = bf.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def one_sentence(err):
    return err.startswith("bifrncrn: error: ") and err.count("\n") == 1 and "Traceback" not in err


# --- help and start-up


@pytest.mark.parametrize("command", ["diagram", "train", "compare", "bench", "convert", "demo"])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        bf.main([command, "--help"])
    assert stop.value.code == 0
    assert command in capsys.readouterr().out


def test_help_loads_nothing_heavy():
    heavy = "('numpy', 'scipy', 'sympy', 'numba', 'llvmlite', 'matplotlib', 'pandas')"
    code = (
        "import sys\nfrom bifrncrn import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print('loaded', [m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("loaded []")


def test_a_diagram_without_cycles_loads_nothing_about_them():
    others = "('numpy.ma', 'bifrncrn.diagrams.orbits', 'bifrncrn.curves.orbits', 'bifrncrn.trajectories')"
    heavy = "('scipy', 'sympy', 'numba', 'matplotlib', 'pandas')"
    code = (
        "import sys\nfrom bifrncrn import main\n"
        "main(['diagram', 'ab_reaction', '--parameter', 'D', '--range', '0', '0.16'])\n"
        f"print('loaded', [m for m in (*{others}, *{heavy}) if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("loaded []")


def test_version(run):
    code, out, _ = run("--version")
    assert code == 0 and out.startswith("bifrncrn ")


def test_the_module_runs_too():
    done = subprocess.run([sys.executable, "-m", "bifrncrn", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("bifrncrn ")


# --- diagram


def test_diagram_prints_the_special_points(engine, run):
    code, out, err = run("diagram", "hopf", "--parameter", "lam", *RANGE)
    assert code == 0 and not err
    assert "HB" in out and "l1 = -1" in out and "supercritical" in out


def test_diagram_hands_its_options_to_the_engine(engine, run):
    words = ["--start", "x1=4.5,lam=-1e-3", "--box", "x1=-1:6", "--box", "x2=0:1/2", "--engine", "pycont", "--all"]
    words += ["--event", "x1 = 5.5", "--event", "x2", "--walls", "x1=0:9", "--stop", "HB"]
    assert run("diagram", "hopf", "--parameter", "lam", "--range", "-1e-3", "8/3", *words)[0] == 0
    ((_, options),) = engine
    assert options == {
        "parameter": "lam",
        "bounds": (-1e-3, 8 / 3),
        "start": {"x1": 4.5, "lam": -1e-3},
        "box": {"x1": (-1.0, 6.0), "x2": (0.0, 0.5)},
        "all": True,
        "engine": "pycont",
        "events": ("x1 = 5.5", "x2"),
        "walls": {"x1": (0.0, 9.0)},
        "stop": ["HB"],
        "stability": True,
    }


def test_diagram_sets_parameters(engine, run):
    assert run("diagram", "hopf", *RANGE, "--set", "lam=-2.5")[0] == 0
    assert engine[0][0].values[0] == -2.5


def test_json_on_standard_output_is_alone(engine, run):
    code, out, _ = run("diagram", "hopf", *RANGE, "--json", "-")
    assert code == 0 and json.loads(out)["schema"] == "bifrncrn.diagram/1"


def test_files_are_written(engine, run, tmp_path):
    code, out, _ = run("diagram", "hopf", *RANGE, "--json", tmp_path / "a.json", "--plot", tmp_path / "a.png")
    assert code == 0 and "HB" in out
    assert json.loads((tmp_path / "a.json").read_text())["special_points"][0]["label"] == "HB"
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.png"]


# --- bad input

BAD = {
    "unknown command": ["trace"],
    "unknown option": ["diagram", "hopf", *RANGE, "--colour", "red"],
    "abbreviated option": ["diagram", "hopf", *RANGE, "--param", "lam"],
    "no range": ["diagram", "hopf"],
    "half a range": ["diagram", "hopf", "--range", "1"],
    "zero width": ["diagram", "hopf", "--range", "1", "1"],
    "reversed": ["diagram", "hopf", "--range", "3", "1"],
    "word in range": ["diagram", "hopf", "--range", "one", "3"],
    "infinite range": ["diagram", "hopf", "--range", "-inf", "3"],
    "nan range": ["diagram", "hopf", "--range", "1", "nan"],
    "division by zero": ["diagram", "hopf", "--range", "1/0", "3"],
    "huge": ["diagram", "hopf", "--range", "1", "1e999"],
    "unknown model": ["diagram", "hopff", *RANGE],
    "no such file": ["diagram", "absent.toml", *RANGE],
    "folder": ["diagram", ".", *RANGE],
    "unknown parameter in set": ["diagram", "hopf", *RANGE, "--set", "B=1"],
    "set the continuation parameter": ["diagram", "hopf", "--parameter", "lam", *RANGE, "--set", "lam=1"],
    "start without value": ["diagram", "hopf", *RANGE, "--start", "x1"],
    "start twice": ["diagram", "hopf", *RANGE, "--start", "x1=1,x1=2"],
    "start twice in two options": ["diagram", "hopf", *RANGE, "--start", "x1=1", "--start", "x1=2"],
    "empty start": ["diagram", "hopf", *RANGE, "--start", ""],
    "box without colon": ["diagram", "hopf", *RANGE, "--box", "x1=1"],
    "reversed box": ["diagram", "hopf", *RANGE, "--box", "x1=2:1"],
    "engine": ["diagram", "hopf", *RANGE, "--engine", "auto"],
    "second": ["diagram", "hopf", *RANGE, "--second", "beta", "--second-range", "1", "3"],
    "picture format": ["diagram", "hopf", *RANGE, "--plot", "a.gif"],
    "picture without suffix": ["diagram", "hopf", *RANGE, "--plot", "a"],
    "picture in no folder": ["diagram", "hopf", *RANGE, "--plot", "absent/a.png"],
    "json in no folder": ["diagram", "hopf", *RANGE, "--json", "absent/a.json"],
    "json is a folder": ["diagram", "hopf", *RANGE, "--json", "."],
    "unknown state to show": ["diagram", "hopf", *RANGE, "--plot", "a.png", "--show", "z"],
    "mu of a system": ["diagram", "hopf", *RANGE, "--mu", "0.1"],
    "tolerance": ["compare", "hopf", "hopf", "--tolerance", "-1"],
    "tolerance zero": ["compare", "hopf", "hopf", "--tolerance", "0"],
    "compare without network": ["compare", "hopf"],
    "compare with an unknown model": ["compare", "hopf", "absent.mat"],
    "train on a textbook system": ["train", "pitchfork"],
    "train on nothing": ["train", "absent"],
    "no perceptrons": ["train", "hopf", "--perceptrons", "0"],
    "too many seeds": ["train", "hopf", "--seeds", "99999999999999999999"],
    "convert from nothing": ["convert", "absent.json", "a.mat"],
    "convert to nothing": ["convert", "hopf", "a.doc"],
    "convert in no folder": ["convert", "hopf", "absent/a.toml"],
    "bench": ["bench", "hopf", *RANGE, "--repeat", "0"],
}


@pytest.mark.parametrize("words", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_sentence_and_exit_2(engine, run, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert code == 2 and not out and one_sentence(err), err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["diagram", "hopff", *RANGE], "did you mean 'hopf'"),
        (["diagram", "hopf", "--range", "1", "1"], "--range 1 1 is empty"),
        (["diagram", "hopf", "--range", "one", "3"], "'one' is no number"),
        (["diagram", "hopf", *RANGE, "--plot", "a.gif"], ".png, .pdf or .svg"),
        (["diagram", "hopf", *RANGE, "--start", "x1"], "'x1' is not of the form a=1,b=2"),
    ],
)
def test_messages_say_what_to_do(engine, run, words, part):
    assert part in run(*words)[2]


def test_errors_of_the_engine_are_one_sentence(monkeypatch, run):
    def fail(system, **options):
        raise bf.ConvergenceError("the start does not\nconverge; give another one with --start")

    module = types.ModuleType("bifrncrn.diagrams.diagram")
    module.diagram = fail
    monkeypatch.setitem(sys.modules, "bifrncrn.diagrams.diagram", module)
    code, out, err = run("diagram", "hopf", *RANGE)
    assert code == 2 and not out
    assert err == "bifrncrn: error: the start does not converge; give another one with --start\n"


def test_an_interrupt_says_what_was_kept(monkeypatch, run):
    def stop(system, **options):
        raise KeyboardInterrupt

    module = types.ModuleType("bifrncrn.diagrams.diagram")
    module.diagram = stop
    monkeypatch.setitem(sys.modules, "bifrncrn.diagrams.diagram", module)
    assert run("diagram", "hopf", *RANGE) == (130, "", "bifrncrn: stopped; nothing was written\n")


def test_warnings_are_one_line(monkeypatch, run):
    import warnings

    def warn(system, **options):
        warnings.warn("a step was\ntaken twice", bf.ContinuationWarning, stacklevel=2)
        return hopf_diagram()

    module = types.ModuleType("bifrncrn.diagrams.diagram")
    module.diagram = warn
    monkeypatch.setitem(sys.modules, "bifrncrn.diagrams.diagram", module)
    code, _, err = run("diagram", "hopf", *RANGE)
    assert code == 0 and err == "bifrncrn: warning: a step was taken twice\n"


def test_a_reader_that_goes_away_is_no_error():
    code = "import sys; from bifrncrn import main; sys.exit(main(['--version']))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait() in (0, 141) and not err


WORDS = [
    *("diagram", "compare", "convert", "bench", "train", "--parameter", "lam", "--range", "1", "3", "-1e-3", "nan"),
    *("-inf", "--start", "x1=1", "x1=", "=", ",", "--box", "x1=0:1", "x1=:", "--set", "lam=1/0", "hopf", "absent.toml"),
    *("a.png", "--json", "-", "--plot", "--show", "x1", "--mu", "--all", "--orbits", "--second", "--tolerance", "--"),
    *("", "\x00", "--seeds", "\udcff", "é", "--perceptrons", "--version", "--engine", "native"),
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), max_size=8))
@example(words=["diagram", "\x00", "--range", "1", "3"])
@example(words=["diagram", "hopf", "--range", "1", "3", "--json", "\x00"])
@example(words=["diagram", "a\x00.toml", "--range", "1", "3"])
@example(words=["convert", "hopf", "\x00.toml"])
@example(words=["demo", "--out", "\x00"])
def test_no_words_make_a_traceback(engine, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "train" in words or "-h" in words or "--help" in words:
        return
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = bf.main(words)
    assert code in (0, 1, 2)
    if code == 2:
        assert one_sentence(err.getvalue()) and not out.getvalue()


# --- compare, convert


def test_compare_exits_0_when_the_two_agree(run):
    code, out, _ = run("compare", "hopf", "hopf", *RANGE)
    assert code == 0 and "the two agree" in out and "x1 in [3.5, 6.5]" in out


def test_convert_writes_a_model_file(run, tmp_path):
    code, out, _ = run("convert", "hopf", tmp_path / "hopf.toml")
    assert code == 0 and out == f"wrote {tmp_path / 'hopf.toml'}\n"
    assert "[equations]" in (tmp_path / "hopf.toml").read_text()


# --- greeting, list, simulate, rows, time limit


def test_alone_it_greets(run):
    code, out, err = run()
    assert code == 0 and not err and "diagram" in out and "--help" in out
    assert max(map(len, out.splitlines())) <= 80


def test_list_has_a_line_for_everything(run):
    import bifrncrn as bf

    code, out, err = run("list")
    lines = out.splitlines()
    assert code == 0 and not err and max(map(len, lines)) <= 80
    for name in bf.library.names():
        assert any(line.split()[:1] == [name] for line in lines), name
    assert {".toml", "exp", "besselj"} <= set(out.split())


def test_simulate_writes_rows_and_a_picture(run, tmp_path):
    """x' = -k x: the last state is exp(-k t)."""
    import csv
    import math

    model = tmp_path / "m.toml"
    model.write_text('[variables]\nx = 1.0\n[parameters]\nk = 1.0\n[equations]\nx = "-k*x"\n')
    rows, picture = tmp_path / "r.csv", tmp_path / "r.png"
    words = ["--set", "k=2", "--start", "x=3", "--csv", rows, "--plot", picture]
    code, out, err = run("simulate", model, "--time", 0, 1.5, *words)
    assert code == 0 and not err and f"wrote {rows}" in out and f"wrote {picture}" in out
    table = list(csv.reader(rows.read_text().splitlines()))
    assert table[0] == ["t", "x"] and float(table[-1][0]) == 1.5
    assert float(table[-1][1]) == pytest.approx(3 * math.exp(-3), rel=1e-6)
    assert picture.read_bytes().startswith(b"\x89PNG")
    for wrong in (["--time", 1, 2, 3], ["--time", 0], ["--time", 1, "--show", "zz", "--plot", picture]):
        assert run("simulate", model, *wrong)[0] == 2


def test_every_row_is_in_the_csv(run, tmp_path):
    import csv

    words = ["--range", 0, 0.16, "--orbits", "--csv", tmp_path / "d.csv", "--json", tmp_path / "d.json"]
    assert run("diagram", "ab_reaction", "--parameter", "D", *words)[0] == 0
    table = list(csv.DictReader((tmp_path / "d.csv").read_text().splitlines()))
    data = json.loads((tmp_path / "d.json").read_text())
    assert len(table) == sum(len(branch["points"]) for branch in data["branches"])
    assert [float(row["D"]) for row in table] == [row[0] for b in data["branches"] for row in b["points"]]
    assert {row["label"] for row in table} >= {"", "LP", "HB"}
    assert {row["kind"] for row in table} == {"equilibrium", "periodic"}


def test_a_time_limit_keeps_what_was_found(run, tmp_path):
    """A chain of 30 states along which a wave of 3,000 periods passes: it takes many seconds to follow."""
    import time

    names = [f"x{k}" for k in range(30)]
    lines = ["[variables]", *(f"{name} = 0.0" for name in names), "[parameters]", "lam = 0.0", "[equations]"]
    lines += ['x0 = "sin(1000*lam) - x0"', *(f'x{k} = "x{k - 1} - x{k}"' for k in range(1, 30))]
    model = tmp_path / "m.toml"
    model.write_text("\n".join(lines))
    assert run("diagram", model, "--range", -0.01, 0.01)[0] == 0  # compiles, if need be
    began = time.monotonic()
    words = ["--range", -10, 10, "--max-points", 500_000, "--seconds", 0.2]
    code, out, _ = run("diagram", model, *words, "--json", tmp_path / "d.json")
    assert code == 0 and time.monotonic() - began < 30
    data = json.loads((tmp_path / "d.json").read_text())
    assert "time" in [end["reason"] for end in data["branches"][0]["ended"]]
    assert len(data["branches"][0]["points"]) > 1  # how many fit into the time depends on the machine's load
    assert "the time limit of 0.2 s was reached" in " ".join(out.split())


def test_a_time_limit_holds_for_orbits_and_loci(run, tmp_path):
    words = ["--range", 0, 0.16, "--orbits", "--second", "beta", "--second-range", 1, 3, "--seconds", 1e-3]
    code, out, _ = run("diagram", "ab_reaction", "--parameter", "D", *words)
    assert code == 0 and "time limit" in " ".join(out.split())
    assert run("diagram", "ab_reaction", "--parameter", "D", "--range", 0, 1, "--seconds", 0)[0] == 2


# --- the real thing


def test_the_verdict_on_the_published_network_is_the_exit_code(reference, run, tmp_path):
    words = ["compare", "hopf", reference / "networks" / "hopf.mat", "--parameter", "lam", *RANGE]
    code, out, err = run(*words, "--json", tmp_path / "a.json")
    assert code == 1 and not err and "+0.1437" in out
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["verdict"] is False and data["matched"][0]["parameter_error"] == pytest.approx(0.1437, abs=1e-4)
    assert run(*words, "--tolerance", "0.1", "--shape-tolerance", "0.25")[0] == 0


def test_demo_agrees_and_writes_its_files(run, tmp_path):
    code, out, err = run("demo", "--out", tmp_path / "made" / "here")
    assert code == 0 and not err and "agree" in out
    names = {path.name for path in (tmp_path / "made" / "here").iterdir()}
    assert names == {"hopf.png", "hopf.pdf", "hopf_comparison.json", "hopf_network.json", "hopf_proof.json"}


def test_demo_in_a_place_that_is_no_folder(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, out, err = run("demo", "--out", tmp_path / "file")
    assert code == 2 and not out and one_sentence(err)


def test_bench_measures_the_engines_that_are_there(run, tmp_path):
    code, out, _ = run(
        "bench", "hopf", *RANGE, "--repeat", "1", "--json", tmp_path / "a.json", "--plot", tmp_path / "a.svg"
    )
    data = json.loads((tmp_path / "a.json").read_text())
    assert code == 0 and [row["engine"] for row in data["engines"]][:2] == [
        "native",
        "pycont",
    ]  # others where installed
    native = data["engines"][0]
    assert native["points"] > 5 and native["special_points"] == 1 and native["missed"] == 0 and native["error"] is None
    assert "us per point" in out


def test_a_short_training_is_reported(run, tmp_path):
    words = ["train", "uni_bistable", "--seeds", "1", "--perceptrons", "4", "--out", tmp_path / "net.json"]
    code, out, _ = run(*words, "--json", tmp_path / "fit.json")
    fit = json.loads((tmp_path / "fit.json").read_text())
    assert code == 0 and "loss" in out
    assert json.loads((tmp_path / "net.json").read_text())["schema"] == "bifrncrn.network/1"
    assert fit["network"]["schema"] == "bifrncrn.network/1"
    assert run("diagram", tmp_path / "net.json", "--parameter", "lam", "--range", 0, 1)[0] == 0

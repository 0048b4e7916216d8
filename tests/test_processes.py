"""Child processes and the cache of compiled code: what may be run, and that nothing is left running."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bifrncrn as bf

posix = pytest.mark.skipif(os.name != "posix", reason="owners, modes and signals of POSIX")
TRAIN = ["train", "circle", "--perceptrons", "3", "--seeds", "20", "--jobs", "2"]


def command(*words):
    return [sys.executable, "-m", "bifrncrn", *words]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["diagram", "ab_reaction", "--parameter", "D", "--range", "0", "0.1"],
        ["train", "circle", "--perceptrons", "3", "--seeds", "2", "--jobs", "2", "--evaluations", "3"],
        ["bench", "ab_reaction", "--parameter", "D", "--range", "0", "0.1"],
    ],
)
def test_nothing_in_the_current_folder_is_run(tmp_path, words):
    for name in ("json", "numpy", "numba", "typing", "subprocess", "joblib", "bifrncrn"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w'); raise SystemExit(9)")
    script = Path(sys.executable).with_name("bifrncrn")
    if not script.exists():
        pytest.skip("the command is not installed beside the interpreter")
    done = subprocess.run([str(script), *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


def test_nothing_in_the_current_folder_is_run_by_the_module(tmp_path):
    for name in ("json", "typing", "argparse", "warnings2", "re2", "numpy"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w'); raise SystemExit(9)")
    done = subprocess.run(command("convert", "ab_reaction", "a.toml"), cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0 and not (tmp_path / "ran").exists() and (tmp_path / "a.toml").exists()


@posix
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_their_parent(tmp_path, sent):
    process = subprocess.Popen(
        command(*TRAIN, "--checkpoints", str(tmp_path)), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(workers(process.pid)) >= 2
    process.send_signal(sent)
    began = time.monotonic()
    said = process.communicate(timeout=60)[1]
    while workers(process.pid) and time.monotonic() < began + 60:
        time.sleep(0.05)
    took = time.monotonic() - began
    assert not workers(process.pid)
    assert took < 5.0  # a second on an idle machine
    if sent != signal.SIGKILL:
        assert process.returncode == (143 if sent == signal.SIGTERM else 130)
        assert f"starts are kept in {tmp_path}" in said and "Traceback" not in said


@posix
@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_computation_in_compiled_code_ends_at_once(tmp_path, sent, code):
    n = 90
    rows = "".join(f"x{i} = 'sin(20*p + x{(i + 1) % n}*x{(7 * i) % n}) - x{i}'\n" for i in range(n))
    starts = "".join(f"x{i} = 0.1\n" for i in range(n))
    (tmp_path / "m.toml").write_text(f"[variables]\n{starts}[parameters]\np = 0.1\n[equations]\n{rows}")
    words = ("diagram", "m.toml", "--parameter", "p", "--range", "0", "1", "--json", "d.json")
    process = subprocess.Popen(command(*words), cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    time.sleep(6)  # it runs for half a minute
    process.send_signal(sent)
    began = time.monotonic()
    said = process.communicate(timeout=60)[1]
    assert time.monotonic() - began < 3.0  # half a second on an idle machine
    assert process.returncode == code and "bifrncrn: stopped" in said and "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["m.toml"]


def workers(session):
    """Return the processes of a session that still run, but for its leader, by the files of /proc."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        tracker = b"resource_tracker" in words  # joblib's own; it ends when it has cleaned up
        if int(fields[3]) == session and int(folder.name) != session and fields[0] != "Z" and not tracker:
            found.append(int(folder.name))
    return found


# -- the cache


def test_a_diagram_needs_no_cache(monkeypatch, tmp_path):
    """Where the folder is somebody's file, everything still works."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIFRNCRN_CACHE_DIR", str(tmp_path / "file"))
    model = bf.System.from_equations({"x": "p - x^2 + 0.125*x^3"}, {"p": 1.0}, {"x": 1.0})
    assert model.rhs([2.0])[0] == -2.0

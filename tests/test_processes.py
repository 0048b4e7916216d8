"""Child processes and the cache of compiled code: what may be run, and that nothing is left running."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bifrncrn as bf
from bifrncrn.compile.cache import cache_folder, cached

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


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BIFRNCRN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "env"


def kept(make=lambda: b"new", key="key"):
    return cached(key, "env", make)


def never():
    raise AssertionError("it was kept, and must not be made again")


def test_an_entry_is_made_once(folder):
    assert kept() == b"new" and kept(never) == b"new"
    assert kept(lambda: b"other", "another key") == b"other"


@posix
def test_only_this_user_can_write_the_cache(folder):
    kept()
    assert not folder.stat().st_mode & 0o077
    assert all(not path.stat().st_mode & 0o077 for path in folder.iterdir())


@posix
@pytest.mark.parametrize("where", ["folder", "file"])
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_what_others_can_write_is_not_read(folder, where, mode):
    kept()
    entry = next(folder.glob("*.bin"))
    (folder if where == "folder" else entry).chmod(mode)
    assert kept(lambda: b"again") == b"again"


@posix
def test_an_entry_of_another_owner_is_not_read(folder, monkeypatch):
    kept()
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    assert kept(lambda: b"mine") == b"mine"


def test_an_entry_under_another_name_is_not_taken_for_it(folder):
    kept(lambda: b"first", "first")
    first = next(folder.glob("*.bin"))
    kept(lambda: b"second", "second")
    (second,) = (path for path in folder.glob("*.bin") if path != first)
    os.replace(first, second)
    assert kept(lambda: b"again", "second") == b"again"


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-1], lambda raw: raw[:20], lambda raw: b"", lambda raw: raw + b"x"]
)
def test_a_damaged_entry_is_made_again(folder, damage):
    kept()
    entry = next(folder.glob("*.bin"))
    entry.write_bytes(damage(entry.read_bytes()))
    assert kept(lambda: b"again") == b"again" and kept(never) == b"again"


@posix
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_file_is_not_read(folder, tmp_path, kind):
    kept()
    entry = next(folder.glob("*.bin"))
    entry.rename(tmp_path / "elsewhere")
    if kind == "pipe":
        os.mkfifo(entry, 0o600)
    elif kind == "link":
        entry.symlink_to(tmp_path / "elsewhere")
    else:
        entry.mkdir()
    assert kept(lambda: b"again") == b"again"  # and it does not wait for a writer


def test_a_relative_path_is_no_cache(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIFRNCRN_CACHE_DIR", "here")
    assert cache_folder() is None and kept() == b"new" and kept(lambda: b"again") == b"again"
    monkeypatch.delenv("BIFRNCRN_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "there")
    monkeypatch.setenv("LOCALAPPDATA", "there")
    found = cache_folder()
    assert found is None or found.is_absolute()
    assert not list(tmp_path.iterdir())


MANY = """
import sys, time
from pathlib import Path
from bifrncrn.compile.cache import cached
def make():
    Path(sys.argv[1], f"made{time.time_ns()}").touch()
    time.sleep(0.5)
    return b"once"
assert cached("key", "env", make) == b"once"
"""


@posix
def test_of_fifty_processes_one_compiles(folder, tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    children = [subprocess.Popen([sys.executable, "-c", MANY, str(made)]) for _ in range(50)]
    assert not any(child.wait(120) for child in children)
    assert len(list(made.iterdir())) == 1


@posix
def test_a_lock_that_is_never_let_go_does_not_hold_for_ever(folder, monkeypatch):
    import fcntl

    monkeypatch.setattr("bifrncrn.compile.cache.PATIENCE", 0.2)
    folder.mkdir(parents=True, mode=0o700)
    held = [(folder / f"{digit:x}.lock").open("w") for digit in range(16)]
    for lock in held:
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert kept() == b"new"
    for lock in held:
        lock.close()


def test_a_diagram_needs_no_cache(monkeypatch, tmp_path):
    """Where the folder is somebody's file, everything still works."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIFRNCRN_CACHE_DIR", str(tmp_path / "file"))
    model = bf.System.from_equations({"x": "p - x^2 + 0.125*x^3"}, {"p": 1.0}, {"x": 1.0})
    assert model.rhs([2.0])[0] == -2.0

"""The compiled engine: what it is made of, what is shipped of it, and that it can be made anew."""

import os
import subprocess
import sys
from types import FunctionType

import pytest

from bifrncrn.compile import engine, shipped
from bifrncrn.compile.cache import cache_folder, cached
from bifrncrn.compile.rows import ROWS
from bifrncrn.continuation.march import MARCH
from bifrncrn.curves.equilibria.engine import POINTS
from bifrncrn.curves.loci.engine import LOCI
from bifrncrn.curves.orbits.engine import ORBITS
from bifrncrn.trajectories.stepper import STEPPING

SETS = {kernels.name: kernels for kernels in (MARCH, POINTS, ORBITS, LOCI, ROWS, STEPPING)}


def _reached(function, seen):
    """Collect the modules of the package whose functions a Python function can call, by its global names."""
    if function in seen:
        return
    seen.add(function)
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        value = getattr(value, "py_func", value)
        if isinstance(value, FunctionType) and value.__module__.startswith("bifrncrn."):
            _reached(value, seen)


@pytest.mark.parametrize("name", SETS)
def test_every_source_that_a_kernel_reaches_is_part_of_its_key(name):
    seen = set()
    for module, kernels in SETS[name].modules.items():
        __import__(module)
        for kernel in kernels:
            _reached(getattr(sys.modules[module], kernel).py_func, seen)
    assert {function.__module__ for function in seen} <= set(engine.sources(SETS[name].modules))


@pytest.mark.parametrize("name", SETS)
def test_an_edit_of_any_source_changes_the_key(name, monkeypatch):
    before = SETS[name].digest
    texts = engine.sources(SETS[name].modules)
    for edited in texts:
        changed = {**texts, edited: texts[edited] + b"# edited\n"}
        monkeypatch.setattr(engine, "sources", lambda modules, changed=changed: changed)
        assert engine.Kernels(name, SETS[name].modules).digest != before


def test_shipped_kernels_are_used_only_for_their_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "ir")
    assert shipped.read("toy", "1") is None
    shipped.write("toy", "1", "; some\n; text")
    assert shipped.read("toy", "1") == "; some\n; text"
    assert shipped.read("toy", "2") is None
    monkeypatch.setattr(shipped, "llvm_version", lambda: [0, 0, 0])
    assert shipped.read("toy", "1") is None


def test_a_damaged_shipped_file_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    shipped.write("toy", "1", "; some text")
    whole = (tmp_path / "toy.xz").read_bytes()
    for damage in (b"", whole[: len(whole) // 2], b"no archive"):
        (tmp_path / "toy.xz").write_bytes(damage)
        assert shipped.read("toy", "1") is None


def test_where_nothing_is_shipped_numba_compiles_the_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setenv("BIFRNCRN_CACHE_DIR", str(tmp_path / "cache"))
    toy = engine.Kernels("toy", {"bifrncrn.curves.equilibria.step_kernels": {"user_tests": 4}})
    assert "bifrncrn_user_tests" in toy.ir()
    assert toy.engine.address["user_tests"] != 0


@pytest.mark.parametrize("name", SETS)
def test_what_is_shipped_was_made_from_the_sources(name):
    """After an edit of a kernel `.ci/ship` writes the files anew."""
    assert shipped.made_from(name) == SETS[name].digest


posix = pytest.mark.skipif(os.name != "posix", reason="owners, modes and signals of POSIX")


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

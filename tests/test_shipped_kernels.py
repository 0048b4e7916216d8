"""The compiled engine: what it is made of, what is shipped of it, and that it can be made anew."""

import sys
from types import FunctionType

import pytest

from bifrncrn.compile import engine, shipped
from bifrncrn.continuation.march import MARCH
from bifrncrn.curves.equilibria.engine import POINTS
from bifrncrn.curves.loci.engine import LOCI
from bifrncrn.curves.orbits.corrector import ORBITS

SETS = {kernels.name: kernels for kernels in (MARCH, POINTS, ORBITS, LOCI)}


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

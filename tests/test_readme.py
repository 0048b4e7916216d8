"""Every block of the README and of docs/ runs: model files are read, commands and Python are executed in order."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import bifrncrn as bf

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8") if README.exists() else ""
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
DOCS = sorted(README.parent.glob("docs/*.md"))
INDEX = README.parent / "docs" / "index.md"
DOCS_INDEX = INDEX.read_text(encoding="utf-8") if INDEX.exists() else ""


def file_of(text):
    """Return the name that the README gives to a model file: only one of them has equations of its own."""
    return "tank.toml" if "[equations]" in text else "leaf.toml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("readme")
    for language, text in BLOCKS:
        if language == "toml":
            (place / file_of(text)).write_text(text, encoding="utf-8")
    return place


def call(words, folder):
    env = dict(os.environ, MPLBACKEND="Agg", PYTHONPATH=str(README.parent))
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)


def test_there_is_one_block_of_every_kind():
    assert {language for language, _ in BLOCKS} == {"bash", "python", "toml"}
    assert "<!-- ci:main -->" in TEXT and "<!-- ci:test -->" in TEXT


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_block_runs(number, folder):
    language, text = BLOCKS[number]
    if language == "toml":
        name = file_of(text)
        if name == "tank.toml":
            assert call(["-m", "bifrncrn", "convert", name, "again.toml"], folder).returncode == 0
        else:
            assert bf.Target.from_file(folder / name).sizes == (2, 1)
        return
    if language == "python":
        done = call(["-c", text], folder)
        assert done.returncode == 0, done.stderr
        return
    # what installs is run by CI, in an environment of its own; here run the package that is under test
    commands = [part.strip() for line in text.splitlines() for part in line.split("&&") if part.strip()]
    for command in commands:
        words = shlex.split(command)
        if words[0] == "python":
            continue
        assert words[0] == "bifrncrn", f"the README runs {words[0]!r}, which this test does not know"
        done = call(["-m", "bifrncrn", *words[1:]], folder)
        assert done.returncode == 0, f"{command}: {done.stderr or done.stdout}"


DRIVER = """
import json, shlex, sys
import bifrncrn as bf
shared = {}
for language, text in json.load(sys.stdin):
    if language == "python":
        exec(compile(text, "block", "exec"), shared)
        continue
    for line in text.splitlines():
        words = shlex.split(line)
        if words[0] != "bifrncrn":
            raise SystemExit(f"a page runs {words[0]!r}, which this test does not know")
        if bf.main(words[1:]) != 0:
            raise SystemExit(line)
"""
SEPARATE = ("gallery.md",)
"""Pages whose commands another test runs."""


@pytest.mark.parametrize("page", [page for page in DOCS if page.name not in SEPARATE], ids=lambda page: page.name)
def test_page_of_docs_runs(page, tmp_path):
    """In order and in one process, as a reader goes through it; a model file begins with a comment that names it."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for language, text in blocks:
        named = re.match(r"# (?:file: )?(\w+\.toml)\n", text)
        if language == "toml" and named:
            (tmp_path / named[1]).write_text(text, encoding="utf-8")
    program = [block for block in blocks if block[0] in ("python", "bash")]
    if not program:
        pytest.skip("the page has nothing to run")
    env = dict(os.environ, MPLBACKEND="Agg", PYTHONPATH=str(README.parent))
    command, text = [sys.executable, "-c", DRIVER], json.dumps(program)
    done = subprocess.run(
        command, input=text, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr or done.stdout[-2000:]


def test_every_page_is_reached_from_the_first():
    pages = {page.stem for page in DOCS}
    assert not pages or pages - {"index"} <= set(re.findall(r"^(\w+)$", DOCS_INDEX, re.MULTILINE))

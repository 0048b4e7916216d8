"""The gallery: its commands run as they stand, what is known of its models is found, its page is up to date."""

import importlib.util
import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest

import bifrncrn as bf

DOCS = Path(__file__).parent.parent / "docs"
if not (DOCS / "gallery.py").is_file():
    pytest.skip("the documents are not here", allow_module_level=True)


def gallery():
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["gallery"] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module


GALLERY = gallery()


@pytest.mark.parametrize("entry", GALLERY.ENTRIES, ids=lambda entry: entry.name)
def test_entry(entry, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(DOCS / "gallery" / f"{entry.name}.toml", tmp_path)
    assert bf.main([*shlex.split(entry.command)[1:], "--json", "found.json"]) == 0
    points = json.loads((tmp_path / "found.json").read_text())["special_points"]
    for label, value in set(entry.known):
        near = [
            p for p in points if p["label"] == label and abs(p["parameters"][entry.parameter] - value) <= entry.digits
        ]
        assert len(near) >= entry.known.count((label, value)), (label, value)
        assert all(p["status"] == "converged" for p in near)


def test_the_page_and_the_pictures_are_those_of_the_entries():
    assert (DOCS / "gallery.md").read_text(encoding="utf-8") == GALLERY.page()
    pictures = {path.stem for path in (DOCS / "pictures" / "gallery").glob("*.png")}
    models = {path.stem for path in (DOCS / "gallery").glob("*.toml")}
    assert pictures == models == {entry.name for entry in GALLERY.ENTRIES}

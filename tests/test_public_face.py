"""The tests speak as users do: moving a file of the package breaks hardly any of them."""

import ast
import importlib
from pathlib import Path

import pytest

import bifrncrn as bf

TESTS = sorted(Path(__file__).parent.glob("*.py"))


def private_imports(path):
    """Return the modules of the package that a file imports beside the package itself, in any scope."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bifrncrn":
            found += [node.module] if "." in node.module else []
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.startswith("bifrncrn.")]
    return found


def test_at_most_a_tenth_of_the_tests_know_the_package_from_inside():
    """Kernels, compiled code and inner parts without a face may be tested by themselves, all in a few files."""
    inside = [path.name for path in TESTS if private_imports(path)]
    assert len(inside) <= 0.1 * len(TESTS), inside


@pytest.mark.parametrize("name", sorted(set(bf.__all__) - {"__version__"}))
def test_every_public_name_is_there_and_says_what_it_is(name):
    thing = getattr(bf, name)
    assert (thing.__doc__ or "").strip()
    assert name in dir(bf)


def test_the_public_names_for_type_checkers_are_the_same():
    tree = ast.parse(Path(importlib.import_module("bifrncrn").__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    known = {
        alias.asname or alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert known - {"Any"} == set(bf.__all__) - {"__version__"}

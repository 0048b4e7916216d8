"""Known systems and targets by name: `hopf()`, `circle()`, ..., `get(name)`, `names()`, `problem(name)`."""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    """Hand over what stands in `targets`, which loads networks and training: not before it is asked for."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("bifrncrn.library.targets"), name)


def __dir__() -> list[str]:
    targets = importlib.import_module("bifrncrn.library.targets")
    return [name for name in dir(targets) if not name.startswith("_")]

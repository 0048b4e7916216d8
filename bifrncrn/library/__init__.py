"""Known systems and targets by name: `hopf()`, `circle()`, ..., `get(name)`, `names()`, `problem(name)`."""

from __future__ import annotations

import importlib
from typing import Any

_CONTROLLED = ("xor", "eq_cycle_controlled", "xor_classifier", "step_classifier", "train_controlled")


def __getattr__(name: str) -> Any:
    """Hand over what stands in `targets` or `controlled`, which load training: not before it is asked for."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    owner = "controlled" if name in _CONTROLLED else "targets"
    return getattr(importlib.import_module(f"bifrncrn.library.{owner}"), name)


def __dir__() -> list[str]:
    targets = importlib.import_module("bifrncrn.library.targets")
    return [*(name for name in dir(targets) if not name.startswith("_")), *_CONTROLLED]

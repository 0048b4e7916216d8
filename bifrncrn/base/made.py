"""Instances of frozen dataclasses, made quickly."""

import functools
from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")


@functools.cache
def _factories(kind: Any) -> dict[str, Any]:
    """Return the defaults of a dataclass that its class does not hold."""
    return {one.name: one.default_factory() for one in fields(kind) if one.default_factory is not MISSING}


def made(kind: type[T], /, **values: Any) -> T:
    """Return what `kind(**values)` does, a frozen dataclass without `__post_init__`, some four times as fast.

    A constructor sets every attribute of its own; here all are taken over at once. What has a default by a factory
    shares it with others, so that must be immutable.
    """
    hashable: Any = kind
    instance, shared = object.__new__(kind), _factories(hashable)
    object.__setattr__(instance, "__dict__", {**shared, **values} if shared else values)
    return instance

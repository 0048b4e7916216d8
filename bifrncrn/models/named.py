"""The names of a system's variables and parameters, and what they may be."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.models.words import shorten, suggest

CUSTOMARY = "lam"
"""What the field calls the parameter that varies, so that it need not be named."""


class Named:
    """What has variables and parameters: their places, and the bounds of the variables."""

    variables: tuple[str, ...]
    parameters: tuple[str, ...]
    nonnegative: bool | tuple[str, ...]

    def variable_index(self, name: str) -> int:
        """Return the place of a variable; InputError with a suggestion when there is none of that name."""
        return _index(name, self.variables, "variable")

    def parameter_index(self, name: str) -> int:
        """Return the place of a parameter; InputError with a suggestion when there is none of that name."""
        return _index(name, self.parameters, "parameter")

    def varying(self, name: str | None = None) -> str:
        """Return the parameter that is to vary: the one named, else that of the CUSTOMARY name, or the only one.

        Raises
        ------
        InputError
            If there is no such parameter, or more than one to choose from.
        """
        if name is None:
            only = self.parameters if len(self.parameters) == 1 else ()
            name = next((each for each in (CUSTOMARY, *only) if each in self.parameters), None)
        if name is None:
            choice = ", ".join(self.parameters) or "none: the model has no parameters"
            raise InputError(f"which parameter should vary? Name one of {choice}")
        require_kind(name, str, "the name of a parameter")
        self.parameter_index(name)
        return name

    @functools.cached_property
    def lower(self) -> np.ndarray:
        """Lower bounds of the variables, (n,), read-only."""
        if isinstance(self.nonnegative, bool):
            return _constant(len(self.variables), 0.0 if self.nonnegative else -np.inf)
        bounds = np.array([0.0 if name in self.nonnegative else -np.inf for name in self.variables])
        bounds.setflags(write=False)
        return bounds

    @functools.cached_property
    def upper(self) -> np.ndarray:
        """Upper bounds of the variables, (n,), read-only."""
        return _constant(len(self.variables), np.inf)

    @functools.cached_property
    def remembered(self) -> dict[str, Any]:
        """What other modules found out about the system and need not find out again; lost when it is pickled."""
        return {}


def _constant(size: int, value: float) -> np.ndarray:
    array = np.full(size, value)
    array.setflags(write=False)
    return array


def _index(name: str, names: tuple[str, ...], what: str) -> int:
    try:
        return names.index(name)
    except ValueError:
        listed = ", ".join(shorten(name) for name in names[:10]) + (", ..." if len(names) > 10 else "")
        hint = suggest(str(name), names) or (f"; there are {listed}" if names else "; there are none")
        raise InputError(f"there is no {what} '{shorten(str(name))}'{hint}") from None

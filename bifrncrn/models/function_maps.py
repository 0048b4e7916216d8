"""Python functions as maps: made from what the user gives, and their iterates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.models.equations import as_mapping
from bifrncrn.models.function_system import FunctionModel, Functions, FunctionSystem, from_function

DERIVATIVES = ("jacobian", "parameter_derivative", "scale")
"""What may be given beside the function, as in `System.from_function`."""
OF_TIME = {
    "periodic": "leave it out, and where a state is an angle take it so in its equation, as in x = mod(x + p, 2*pi)",
    "period": "leave it out: a map has no time between its steps",
}
"""What is no option of a map, and what to do."""


def map_from_function(
    f: Any, parameters: Any, state: Any, definitions: Any, nonnegative: Any, title: str, given: Mapping[str, Any]
) -> FunctionSystem:
    """Make a map that is a Python function; see `System.from_map`."""
    for name in given:
        if name in OF_TIME:
            raise InputError(f"'{name}' is for differential equations, and this is a map; {OF_TIME[name]}")
        if name not in DERIVATIVES:
            raise InputError(f"a map takes no {name!r:.60}; of a Python function there are {', '.join(DERIVATIVES)}")
    if not callable(f):
        given_too = ", ".join(given)
        raise InputError(f"{given_too}: for a map that is a Python function, and this has equations; leave it out")
    if definitions:
        raise InputError("a map that is a Python function has no definitions; compute them in the function")
    if not isinstance(nonnegative, bool):
        raise InputError(
            f"nonnegative of a map that is a Python function is True or False, of all states, not {nonnegative!r:.60}"
        )
    start = as_mapping(state, 'the start of a map that is a Python function, such as {"x": 0.5}')
    if not start:
        raise InputError("a map that is a Python function needs its start, which names the variables: state={...}")
    jacobian, by_parameters, scale = (given.get(name) for name in DERIVATIVES)
    return from_function(
        f, list(start), parameters or {}, start, jacobian, by_parameters, None, scale, nonnegative, title, "map"
    )


def displaced_function(system: FunctionSystem, count: int) -> FunctionSystem:
    """Return the system of f^count(x) - x for a map that is a Python function."""
    model, own = system.model, system.model.functions

    def rhs(x: np.ndarray, p: np.ndarray) -> np.ndarray:
        y = x
        for _ in range(count):
            y = model.value(y.copy(), p)
        return y - x

    def jacobian(x: np.ndarray, p: np.ndarray) -> np.ndarray:
        total, y = np.eye(model.n), x
        for _ in range(count):
            total = model.matrix(y, p) @ total
            y = model.value(y.copy(), p)
        return total - np.eye(model.n)

    def by_parameters(x: np.ndarray, p: np.ndarray) -> np.ndarray:
        total, y = np.zeros((model.n, model.m)), x
        for _ in range(count):
            assert own.by_parameters is not None
            total = model.matrix(y, p) @ total + np.asarray(own.by_parameters(y.copy(), p), dtype=float)
            y = model.value(y.copy(), p)
        return total

    exact = own.jacobian is not None
    functions = Functions(
        rhs, jacobian if exact else None, by_parameters if exact and own.by_parameters is not None else None
    )
    composed = FunctionModel(functions, model.size, np.array(system.values), np.array(system.lower), None, True)
    return replace(system, kind="ode", model=composed)

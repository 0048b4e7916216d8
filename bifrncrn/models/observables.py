"""Expressions of the state of a system, compiled: its definitions, and whatever else is to be watched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel
from bifrncrn.models.equations import build_graph
from bifrncrn.models.words import listed, shorten, suggest

if TYPE_CHECKING:
    from bifrncrn.models.system import System

Build = Callable[[], tuple[Graph, list[int]]]

JUMPING = ("call:sign", "call:heaviside", "call:floor")
"""Operations whose value jumps, beside choices."""
JUMPS = re.compile(r"[<>=]|\b(?:piecewise|if|sign|heaviside|floor|ceil|mod|factorial)\s*\(")
"""What an expression that jumps holds."""


class Observables:
    """Several functions of variables and parameters, compiled into one. Not to be shared between threads."""

    def __init__(self, native: NativeModel | None, count: int) -> None:
        self.count = count
        if native is None or not count:
            return
        self._call = native.function("f")
        self._x, self._p = np.empty(native.n), np.empty(native.m)
        self._out = np.empty(count)
        self._pointers = [a.__array_interface__["data"][0] for a in (self._x, self._p, self._out)]
        self._many = self._room(16)

    def __call__(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return every value at a state (n,) and parameter values (m,), a new array (count,)."""
        if not self.count:
            return np.empty(0)
        self._x[:] = x
        self._p[:] = p
        self._call(*self._pointers)
        return self._out.copy()

    def along(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return the values at states (k, n) and parameter values (m,) or (k, m), as an array (k, count)."""
        k = len(x)
        if not self.count:
            return np.empty((k, 0))
        if k > len(self._many[0]):
            self._many = self._room(k)
        states, values, out, at, here, into = self._many
        states[:k] = x
        values[:k] = p
        wide, deep, high = states.strides[0], values.strides[0], out.strides[0]
        call = self._call
        for _ in range(k):
            call(at, here, into)
            at, here, into = at + wide, here + deep, into + high
        return out[:k].copy()

    def _room(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int, int]:
        """Return arrays for k states, their parameter values and what is found there, and where they begin."""
        arrays = np.empty((k, self._x.size)), np.empty((k, self._p.size)), np.empty((k, self.count))
        begin = [array.__array_interface__["data"][0] for array in arrays]
        return (*arrays, begin[0], begin[1], begin[2])


def _native(system: System, key: str, build: Build) -> NativeModel:
    return NativeModel(len(system.variables), len(system.parameters), key, build)


def observables(system: System, texts: Mapping[str, str]) -> Observables:
    """Compile expressions of a system's variables, parameters and definitions; the keys stand for them in messages.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    entries = {f"'{name}'": text for name, text in texts.items()}

    def build() -> tuple[Graph, list[int]]:
        still = dict.fromkeys(system.variables, "0")  # no equations are needed
        graph, _, nodes = build_graph(system.variables, system.parameters, still, {**system.definitions, **entries})
        return graph, [nodes[name] for name in entries]

    key = json.dumps(["observables", system.variables, system.parameters, system.definitions, list(texts.values())])
    return Observables(_native(system, key, build), len(entries))


def borders(system: System) -> Observables:
    """Compile what jumps in the equations: every choice they make (1 or 0), every sign and every whole part."""
    texts = (*system.equations.values(), *system.definitions.values()) if system.has_formulas else ()
    if not any(JUMPS.search(text) for text in texts):
        return Observables(None, 0)
    graph, roots = system.native.graph
    found = []
    for node in graph.reachable(roots):
        if graph.op[node] == "where":
            found.append(graph.where(graph.args[node][0], graph.one, graph.zero))
        elif graph.op[node] in JUMPING:
            found.append(node)
    found = list(dict.fromkeys(found))
    key = json.dumps(["borders", system.variables, system.parameters, system.definitions, system.equations])
    return Observables(_native(system, key, lambda: (graph, found)), len(found))


def denominators(system: System) -> Observables:
    """Compile what the equations divide by, factor by factor; nothing of a Python function."""
    if not system.has_formulas:
        return Observables(None, 0)
    if "denominators" not in system.remembered:
        graph, roots = system.native.graph
        found = _divisors(graph, roots)
        key = json.dumps(["denominators", system.variables, system.parameters, system.definitions, system.equations])
        system.remembered["denominators"] = _native(system, key, lambda: (graph, found)), len(found)
    return Observables(*system.remembered["denominators"])


def _divisors(graph: Graph, roots: list[int]) -> list[int]:
    """Return the nodes that something is divided by, factor by factor, but for numbers and parameters."""
    waiting = [graph.args[node][1] for node in graph.reachable(roots) if graph.op[node] == "div"]
    waiting += [graph.args[node][0] for node in graph.reachable(roots) if _inverts(graph, node)]
    found: dict[int, None] = {}
    while waiting:
        node = waiting.pop()
        if graph.op[node] in ("mul", "ipow", "neg"):
            waiting += graph.operands(node)
        elif graph.op[node] not in ("const", "par"):
            found[node] = None
    return list(found)


def _inverts(graph: Graph, node: int) -> bool:
    return graph.op[node] == "ipow" and graph.args[node][1] < 0


def column_of(system: System, name: str, x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return a variable, parameter or definition at states (k, n) and parameter values (k, m), as (k,).

    Raises
    ------
    InputError
        If the system has nothing of that name.
    """
    if name in system.variables:
        return x[:, system.variables.index(name)]
    if name in system.parameters:
        return values[:, system.parameters.index(name)]
    if name in system.definitions:
        return observables(system, {name: name}).along(x, values)[:, 0]
    known = (*system.variables, *system.definitions, *system.parameters)
    raise InputError(f"there is nothing called '{shorten(name)}'{suggest(name, known) or listed(known)}")

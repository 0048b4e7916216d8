"""The borders of a piecewise smooth system, and the system with the sides of its borders held."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.compile.borders import Held, borders, copied
from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel
from bifrncrn.models.branch_events import Events
from bifrncrn.models.system import System

_WORDS = re.compile(r"\b(abs|sign|heaviside|min|max|piecewise|if|floor|ceil|mod)\s*\(|[<>=]")
"""What a formula with a border has in it."""


@dataclass(frozen=True, eq=False)
class Borders:
    """The borders of a system.

    Attributes
    ----------
    system : System
    held : System
        The system with further parameters: the side of every border (1 or -1, or the whole part), then for every
        border whether it is watched (1 or 0). On the sides given it is smooth.
    whole : (k,) bool array
        Whether the whole part decides, not the sign.
    """

    system: System
    held: System
    whole: np.ndarray
    _deciding: NativeModel
    _graph: Held

    def __len__(self) -> int:
        return len(self.whole)

    def deciding(self, y: np.ndarray, parameter: int) -> np.ndarray:
        """Return what decides on the sides at a point (x, p), (k,)."""
        out, values = np.empty(len(self)), np.array(self.system.values)
        values[parameter] = y[-1]
        x = np.ascontiguousarray(y[:-1])
        self._deciding.function("f")(x.ctypes.data, values.ctypes.data, out.ctypes.data)
        return out

    @functools.cached_property
    def held_deciding(self) -> NativeModel:
        """The functions of what decides on the borders, (k,), where the sides are held."""
        graph = self._graph
        key = json.dumps(["held deciding", self.held.native.key])
        n, m = len(self.held.variables), len(self.held.parameters)
        return NativeModel(n, m, key, lambda: (graph.graph, graph.deciding))

    def at(self, x: np.ndarray) -> np.ndarray:
        """Return the sides of a state (n,) at the system's own parameter values, (k,)."""
        out, values = np.empty(len(self)), np.array(self.system.values)
        point = np.ascontiguousarray(x, dtype=float)
        self._deciding.function("f")(point.ctypes.data, values.ctypes.data, out.ctypes.data)
        return self.sides(out)

    def sides(self, deciding: np.ndarray) -> np.ndarray:
        """Return the sides that go with what decides."""
        return np.where(self.whole, np.floor(deciding), np.where(deciding >= 0.0, 1.0, -1.0))

    def tests(self, events: Events | None) -> Events:
        """Return tests of the system held: one for each border, positive on the side held, then the user's events."""
        count, first = len(self), len(self.system.parameters)

        def build() -> tuple[Graph, list[int]]:
            held = self._graph
            g = held.graph
            roots = []
            for k, (node, whole) in enumerate(zip(held.deciding, held.whole, strict=True)):
                side, watched = g.node("par", first + k), g.node("par", first + count + k)
                inside = g.mul(side, node)
                if whole:
                    inside = g.mul(g.sub(node, side), g.sub(g.add([side, g.one]), node))
                roots.append(g.where(g.sub(watched, g.const(0.5)), inside, g.one))
            return g, [*roots, *(_moved(g, *events.native.graph) if events else [])]

        names = events.names if events else ()
        key = json.dumps(["border tests", self.held.native.key, events.native.key if events else ""])
        native = NativeModel(len(self.system.variables), len(self.held.parameters), key, build)
        return Events(("border",) * count + names, native)

    def text(self, which: int) -> str:
        """Return what decides on a border as a formula."""
        from bifrncrn.models.symbolic import to_sympy

        g, nodes = self._deciding.graph
        (formula,) = to_sympy(g, [nodes[which]], self.system.variables, self.system.parameters)
        return str(formula)


def borders_of(system: System) -> Borders | None:
    """Return the borders of a system; None where it is smooth, or a Python function, whose borders nobody knows."""
    if "borders" not in system.remembered:
        system.remembered["borders"] = _borders_of(system)
    found: Borders | None = system.remembered["borders"]
    return found


def _borders_of(system: System) -> Borders | None:
    if not system.has_formulas:
        return None
    texts = [*system.equations.values(), *system.definitions.values()]
    if not any(_WORDS.search(text) for text in texts):
        return None
    g, roots = system.native.graph
    kinds = list(dict.fromkeys(border for border, _ in borders(g, roots).values()))
    if not kinds:
        return None
    n, m, count = len(system.variables), len(system.parameters), len(kinds)
    graph = Held(g, roots, m)
    names = tuple(f"{what} of border {k + 1}" for what in ("side", "watch") for k in range(count))
    held = replace(system, parameters=(*system.parameters, *names), values=np.append(system.values, np.ones(2 * count)))
    key = json.dumps(["held", system.native.key])
    model = NativeModel(n, m + 2 * count, key, lambda: (graph.graph, graph.roots))
    held.__dict__["native"] = system.native.shared(model)
    deciding = NativeModel(n, m, json.dumps(["deciding", system.native.key]), lambda: (g, [b.node for b in kinds]))
    return Borders(system, held, np.array(graph.whole), system.native.shared(deciding), graph)


def _moved(target: Graph, g: Graph, roots: list[int]) -> list[int]:
    """Return the nodes of one graph in another."""
    made: dict[int, int] = {}
    for node in g.reachable(roots):
        made[node] = copied(target, g, node, tuple(made[arg] for arg in g.operands(node)))
    return [made[root] for root in roots]

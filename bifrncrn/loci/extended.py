"""Defining systems: equations whose solutions are the folds, or the Hopf points, of a system in two parameters.

Each is a system of its own, made on the expression graph of the first, so that the march follows it like any other: the
states are those of the system, a vector, and the first parameter; the second parameter is the continuation parameter
(Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, sections 4.1 and 4.3).

- Folds: f = 0, J v = 0, v . v = 1.
- Hopf points: f = 0, (J^2 + kappa) v = 0, v . v = 1, phase . v = 0, with kappa = omega^2. They are regular also where
  kappa passes zero (Bogdanov-Takens), which the form with omega is not. `phase` is a constant vector.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bifrncrn.compile.derivatives import jacobian
from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel
from bifrncrn.systems.equations import build_graph
from bifrncrn.systems.system import System

KAPPA = "omega^2"
"""The name of the unknown kappa."""


@dataclass(frozen=True, eq=False)
class Extended:
    """The defining system of a kind of special point.

    Attributes
    ----------
    base : System
        The system the points belong to.
    first, second : str
        Names of the two parameters.
    kind : {"fold", "hopf"}
    system : System
        States: the base's (n), v (n), for Hopf points kappa, the first parameter. Parameters: the base's others, for
        Hopf points the phase vector (n).
    """

    base: System
    first: str
    second: str
    kind: str
    system: System

    @property
    def n(self) -> int:
        """Number of states of the base."""
        return len(self.base.variables)

    def values(self, y: np.ndarray) -> np.ndarray:
        """Return the base's parameter values (m,) at a point y = (x, v, ..., first, second)."""
        values = np.array(self.base.values)
        values[self.base.parameter_index(self.first)] = y[-2]
        values[self.base.parameter_index(self.second)] = y[-1]
        return values

    def jacobian(self, y: np.ndarray) -> np.ndarray:
        """Return the base's Jacobian (n, n) at a point."""
        return self.base.jacobian(y[: self.n], self.values(y))


def fold_system(base: System, first: str, second: str) -> Extended:
    """Return the defining system of folds in two parameters."""
    names = [f"v {name}" for name in base.variables]

    def build() -> tuple[Graph, list[int]]:
        g, f, rows, v = _linearized(base, first, names, [])
        along = [g.add([g.mul(node, v[j]) for j, node in row.items()]) for row in rows]
        return g, [*f, *along, _unit(g, v)]

    return _extended("fold", base, first, second, names, {}, build)


def hopf_system(base: System, first: str, second: str, phase: np.ndarray) -> Extended:
    """Return the defining system of Hopf points in two parameters, v being normal to `phase` (n,)."""
    names = [f"v {name}" for name in base.variables]
    anchors = {f"phase {name}": value for name, value in zip(base.variables, phase.tolist(), strict=True)}

    def build() -> tuple[Graph, list[int]]:
        g, f, rows, v = _linearized(base, first, [*names, KAPPA], list(anchors))
        kappa = g.node("var", 2 * len(v))
        along = [g.add([g.mul(node, v[j]) for j, node in row.items()]) for row in rows]
        twice = [g.add([g.mul(node, along[j]) for j, node in row.items()]) for row in rows]
        eigen = [g.add([twice[i], g.mul(kappa, v[i])]) for i in range(len(v))]
        start = len(base.parameters) - 1
        turned = g.add([g.mul(g.node("par", start + i), v[i]) for i in range(len(v))])
        return g, [*f, *eigen, _unit(g, v), turned]

    return _extended("hopf", base, first, second, [*names, KAPPA], anchors, build)


def _linearized(
    base: System, first: str, unknowns: list[str], constants: list[str]
) -> tuple[Graph, list[int], list[dict[int, int]], list[int]]:
    """Return the graph with the first parameter as a variable, f, the rows of its Jacobian by x, and the nodes of v."""
    n = len(base.variables)
    variables = [*base.variables, *unknowns, first]
    parameters = [name for name in base.parameters if name != first]
    still = dict.fromkeys(variables, "0")
    g, roots, _ = build_graph(variables, [*parameters, *constants], {**still, **base.equations}, base.definitions)
    f = roots[:n]
    rows = [{j: node for j, node in row.items() if j < n} for row in jacobian(g, f)]
    return g, f, rows, [g.node("var", n + i) for i in range(n)]


def _unit(g: Graph, v: list[int]) -> int:
    return g.add([*(g.mul(node, node) for node in v), g.const(-1.0)])


def _extended(
    kind: str,
    base: System,
    first: str,
    second: str,
    unknowns: list[str],
    constants: dict[str, float],
    build: Callable[[], tuple[Graph, list[int]]],
) -> Extended:
    """Return the system of a graph; the equations have no text."""
    variables = (*base.variables, *unknowns, first)
    kept = [name for name in base.parameters if name != first]
    values = [float(base.values[base.parameter_index(name)]) for name in kept] + list(constants.values())
    system = System(
        title=base.title,
        variables=variables,
        parameters=(*kept, *constants),
        equations={},
        definitions={},
        state=np.zeros(len(variables)),
        values=np.array(values),
    )
    key = json.dumps([kind, first, base.variables, base.parameters, base.equations, base.definitions])
    system.__dict__["native"] = NativeModel(len(variables), len(system.parameters), key, build)
    return Extended(base, first, second, kind, system)

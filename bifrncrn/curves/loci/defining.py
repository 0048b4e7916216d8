"""Defining systems: equations whose solutions are the folds, or the Hopf points, of a system in two parameters.

Each is a system of its own, made on the expression graph of the first, so that the march follows it like any other: the
states are those of the system, a vector, and the first parameter; the second parameter is the continuation parameter
(Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, sections 4.1 and 4.3).

- Folds: f = 0, J D v = 0, v . v = 1.
- Hopf points: f = 0, (J^2 + kappa) D v = 0, v . v = 1, phase . v = 0, with kappa = omega^2. They are regular also where
  kappa passes zero (Bogdanov-Takens), which the form with omega is not.

The diagonal matrix D holds typical sizes of the states, so that no entry of v is tiny; D and `phase` are constant.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bifrncrn.compile.derivatives import jacobian
from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel
from bifrncrn.models.equations import build_graph
from bifrncrn.models.system import System

FORM = "vector in units of the states' sizes"
"""Names these equations in the cache of compiled code; to be changed with them."""
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
    size : (n,) array
        The typical sizes of the states.
    system : System
        States: the base's (n), v (n), for Hopf points kappa, the first parameter. Parameters: the base's others, the
        sizes (n), for Hopf points the phase vector (n).
    """

    base: System
    first: str
    second: str
    kind: str
    size: np.ndarray
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

    def scaled(self, matrix: np.ndarray) -> np.ndarray:
        """Return the Jacobian (n, n) of states in units of their sizes."""
        out: np.ndarray = matrix * self.size / self.size[:, None]
        return out


def fold_system(base: System, first: str, second: str, size: np.ndarray) -> Extended:
    """Return the defining system of folds in two parameters."""
    names = [f"v {name}" for name in base.variables]

    def build() -> tuple[Graph, list[int]]:
        g, f, rows, v, units = _linearized(base, first, names, [*constants])
        along = _times(g, rows, [g.mul(unit, node) for unit, node in zip(units, v)])
        return g, [*f, *along, _unit(g, v)]

    constants = {f"size {name}": value for name, value in zip(base.variables, size.tolist(), strict=True)}
    return _extended("fold", base, first, second, names, constants, size, build)


def hopf_system(base: System, first: str, second: str, size: np.ndarray, phase: np.ndarray) -> Extended:
    """Return the defining system of Hopf points in two parameters, v being normal to `phase` (n,)."""
    names = [f"v {name}" for name in base.variables]
    constants = {f"size {name}": value for name, value in zip(base.variables, size.tolist(), strict=True)}
    constants |= {f"phase {name}": value for name, value in zip(base.variables, phase.tolist(), strict=True)}

    def build() -> tuple[Graph, list[int]]:
        g, f, rows, v, units = _linearized(base, first, [*names, KAPPA], list(constants))
        kappa = g.node("var", 2 * len(v))
        vector = [g.mul(unit, node) for unit, node in zip(units, v)]
        twice = _times(g, rows, _times(g, rows, vector))
        eigen = [g.add([node, g.mul(kappa, entry)]) for node, entry in zip(twice, vector)]
        start = len(base.parameters) - 1 + len(v)
        turned = g.add([g.mul(g.node("par", start + i), v[i]) for i in range(len(v))])
        return g, [*f, *eigen, _unit(g, v), turned]

    return _extended("hopf", base, first, second, [*names, KAPPA], constants, size, build)


def _linearized(
    base: System, first: str, unknowns: list[str], constants: list[str]
) -> tuple[Graph, list[int], list[dict[int, int]], list[int], list[int]]:
    """Return the graph with the first parameter as a variable, f, the rows of its Jacobian by x, v and the sizes."""
    n = len(base.variables)
    variables = [*base.variables, *unknowns, first]
    parameters = [name for name in base.parameters if name != first]
    still = dict.fromkeys(variables, "0")
    g, roots, _ = build_graph(variables, [*parameters, *constants], {**still, **base.equations}, base.definitions)
    f = roots[:n]
    rows = [{j: node for j, node in row.items() if j < n} for row in jacobian(g, f)]
    units = [g.node("par", len(parameters) + i) for i in range(n)]
    return g, f, rows, [g.node("var", n + i) for i in range(n)], units


def _times(g: Graph, rows: list[dict[int, int]], vector: list[int]) -> list[int]:
    return [g.add([g.mul(node, vector[j]) for j, node in row.items()]) for row in rows]


def _unit(g: Graph, v: list[int]) -> int:
    return g.add([*(g.mul(node, node) for node in v), g.const(-1.0)])


def _extended(
    kind: str,
    base: System,
    first: str,
    second: str,
    unknowns: list[str],
    constants: dict[str, float],
    size: np.ndarray,
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
    key = json.dumps([FORM, kind, first, base.variables, base.parameters, base.equations, base.definitions])
    system.__dict__["native"] = NativeModel(len(variables), len(system.parameters), key, build)
    return Extended(base, first, second, kind, size, system)

"""The equations of a proof: f(x, p) = 0 in n states and one parameter, with what decides folds and Hopf points."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.compile.derivatives import jacobian
from bifrncrn.compile.exact import ExactGraph, copied
from bifrncrn.compile.interval_model import IntervalFunction

if TYPE_CHECKING:
    from bifrncrn.models.system import System

Bounds = tuple[np.ndarray, np.ndarray]


class Problem:
    """f over boxes of y = (x, p), enclosed by compiled code.

    Attributes
    ----------
    names : tuple of n + 1 names
        The states, then the parameter.
    n : int
    values : (m,) and (m,) arrays
        Bounds of the model's parameters; those of the varied one are not used.
    graph, roots
        The exact graph, in which the varied parameter is variable n, and the nodes of f.
    """

    def __init__(self, system: System, parameter: str, values: Bounds) -> None:
        self.n = len(system.variables)
        self.names = (*system.variables, parameter)
        self.values = values
        self.graph = ExactGraph()
        varied = ("par", system.parameter_index(parameter))
        g, roots = system.native.graph
        self.roots = copied(g, roots, {varied: self.graph.node("var", self.n)}, self.graph)

    @functools.cached_property
    def rows(self) -> list[list[int]]:
        """The nodes of the derivatives of f by y, n rows of n + 1."""
        return self.gradients(self.roots)

    def gradients(self, nodes: Sequence[int]) -> list[list[int]]:
        """Return the nodes of the derivatives of nodes by y."""
        found = jacobian(self.graph, list(nodes))
        return [[row.get(k, self.graph.zero) for k in range(self.n + 1)] for row in found]

    def compiled(self, nodes: Sequence[int], loose: bool = False) -> IntervalFunction:
        """Compile nodes."""
        return IntervalFunction(self.graph, list(nodes), self.n + 1, loose)

    # -- f and its derivatives ----------------------------------------------------------------------------------

    @functools.cached_property
    def _values(self) -> IntervalFunction:
        return self.compiled(self.roots, loose=True)

    @functools.cached_property
    def _linear(self) -> IntervalFunction:
        return self.compiled([*self.roots, *(node for row in self.rows for node in row)])

    def field(self, low: np.ndarray, high: np.ndarray) -> Bounds:
        """Return bounds (k, n) of f over boxes (k, n + 1), wherever it is defined there."""
        return self._values(low, high, self.values)

    def linear(self, low: np.ndarray, high: np.ndarray) -> tuple[Bounds, Bounds]:
        """Return bounds of f (k, n) and its derivatives (k, n, n + 1); nan unless f is smooth on the box."""
        n = self.n
        below, over = self._linear(low, high, self.values)
        slopes = below[:, n:].reshape(-1, n, n + 1), over[:, n:].reshape(-1, n, n + 1)
        return (below[:, :n], over[:, :n]), slopes

    # -- what vanishes at folds and at Hopf points ----------------------------------------------------------------

    @functools.cached_property
    def tests(self) -> Tests:
        """The test functions of one, two or three states."""
        return Tests(self)


class Tests:
    """Test functions along curves of equilibria, as polynomials of the Jacobian's entries.

    The characteristic polynomial of the Jacobian is z^n + c1 z^(n-1) + ... + cn. `fold` is its determinant; `hopf`
    vanishes where two eigenvalues add up to zero, and they are imaginary where `square`, then the square of their
    imaginary part, is positive: trace and determinant of two states, c1 c2 - c3 and c2 of three.
    """

    def __init__(self, problem: Problem) -> None:
        g, n = problem.graph, problem.n
        matrix = [row[:n] for row in problem.rows]
        minors = [_principal(g, matrix, k) for k in range(1, n + 1)]  # sums of the principal minors of each order
        self.count = 1 if n == 1 else 2
        nodes = [minors[-1]]
        if n == 2:
            nodes += [minors[0], minors[1]]
        if n == 3:
            nodes += [g.sub(g.mul(minors[0], minors[1]), minors[2]), minors[1]]
        slopes = problem.gradients(nodes[: self.count])
        self._problem = problem
        self._function = problem.compiled([*nodes, *(node for row in slopes for node in row)])
        self._plain = problem.compiled(nodes)

    def values(self, low: np.ndarray, high: np.ndarray) -> Bounds:
        """Return bounds (k, 1 or 3) of fold, hopf, square."""
        return self._plain(low, high, self._problem.values)

    def with_slopes(self, low: np.ndarray, high: np.ndarray) -> tuple[Bounds, Bounds]:
        """Return bounds as `values` does, and of the derivatives of fold and hopf by y, (k, 1 or 2, n + 1)."""
        below, over = self._function(low, high, self._problem.values)
        head, m = (1 if self.count == 1 else 3), self._problem.n + 1
        slopes = below[:, head:].reshape(-1, self.count, m), over[:, head:].reshape(-1, self.count, m)
        return (below[:, :head], over[:, :head]), slopes


def _principal(g: ExactGraph, matrix: list[list[int]], order: int) -> int:
    """Return the sum of the principal minors of one order."""
    places = combinations(range(len(matrix)), order)
    return g.add([determinant(g, [[matrix[i][k] for k in chosen] for i in chosen]) for chosen in places])


def determinant(g: ExactGraph, matrix: list[list[int]]) -> int:
    """Return the determinant by expansion along the first row."""
    if len(matrix) == 1:
        return matrix[0][0]
    terms = []
    for k, entry in enumerate(matrix[0]):
        rest = determinant(g, [[*row[:k], *row[k + 1 :]] for row in matrix[1:]])
        term = g.mul(entry, rest)
        terms.append(g.neg(term) if k % 2 else term)
    return g.add(terms)

"""Systems of N equations in N unknowns that define special points, and proofs of their solutions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bifrncrn.compile.derivatives import jacobian
from bifrncrn.compile.exact import ExactGraph, copied
from bifrncrn.compile.interval_model import IntervalFunction
from bifrncrn.proofs.arcs import ROOMS, prove_arcs, to_curve
from bifrncrn.proofs.problem import Bounds

ROOM_OF_VECTORS = 1e-4
"""Eigenvectors change by a multiple of what the point is moved by, so they get more room, relative to the largest."""
ROOM = 1e-6
"""A solution is proved to be alone in a box of this size, relative to the unknowns, where that works."""
SHARES = (1.0, 1e-3)
"""Else in one of so much of that size."""


class Square:
    """Equations whose unknowns are some variables of a graph; the other variables are known to lie in intervals.

    It looks like a curve's problem of N + 1 coordinates whose last one is not used, so that the same proof serves both.

    Parameters
    ----------
    g, equations : the graph and N nodes
    unknowns, known : numbers of variables
    parameters : number of the model's parameters
    """

    def __init__(
        self,
        g: ExactGraph,
        equations: Sequence[int],
        unknowns: Sequence[int],
        known: Sequence[int],
        parameters: int,
    ) -> None:
        self.n = len(unknowns)
        self._parameters = parameters
        graph = ExactGraph()
        self._leaves = {("var", k): graph.node("var", i) for i, k in enumerate(unknowns)}
        self._leaves |= {("var", k): graph.node("par", parameters + i) for i, k in enumerate(known)}
        self._source, self._graph = g, graph
        nodes = copied(g, list(equations), self._leaves, graph)
        rows = [[row.get(k, graph.zero) for k in range(self.n)] for row in jacobian(graph, nodes)]
        self._function = self._compiled([*nodes, *(node for row in rows for node in row)])
        self._values: Bounds | None = None
        self._others: dict[tuple[int, ...], IntervalFunction] = {}

    def _compiled(self, nodes: list[int]) -> IntervalFunction:
        return IntervalFunction(self._graph, nodes, self.n + 1)

    def evaluated(self, nodes: Sequence[int], solution: Bounds) -> Bounds:
        """Return bounds of nodes of the graph at a solution, (nodes,) each."""
        assert self._values is not None
        key = tuple(nodes)
        if key not in self._others:
            self._others[key] = self._compiled(copied(self._source, list(nodes), self._leaves, self._graph))
        low, high = (np.append(side, 0.0)[None] for side in solution)
        below, over = self._others[key](low, high, self._values)
        return below[0], over[0]

    def linear(self, low: np.ndarray, high: np.ndarray) -> tuple[Bounds, Bounds]:
        """Return bounds of the equations (k, N) and of their derivatives (k, N, N + 1), the last column zero."""
        assert self._values is not None
        n = self.n
        sides = self._function(low, high, self._values)
        slopes = [np.zeros((len(low), n, n + 1)) for _ in sides]
        for slope, side in zip(slopes, sides, strict=True):
            slope[:, :, :n] = side[:, n:].reshape(-1, n, n)
        return (sides[0][:, :n], sides[1][:, :n]), (slopes[0], slopes[1])

    def known(self) -> list[tuple[int, tuple[float, float]]]:
        """Return no unknowns: none is fixed."""
        return []

    def sharper(self, low: np.ndarray, high: np.ndarray, middle: np.ndarray, at: Bounds, slopes: Bounds) -> Bounds:
        """Return bounds of the derivatives as they are."""
        return slopes

    def solve(
        self, start: np.ndarray, values: Bounds, known: Bounds, sizes: np.ndarray | None = None
    ) -> tuple[Bounds, Bounds] | None:
        """Prove a solution near `start`.

        Parameters
        ----------
        start : (N,) array
        values : bounds of the model's parameters
        known : bounds of the known variables
        sizes : (m,) array, optional
            Of the first m unknowns, where they are not as large as usual: the box in which nothing else is is wider.
            The others are taken to be vectors.

        Returns
        -------
        The box that holds a solution, and a box in which there is no other one; None where nothing is proved.
        """
        self._values = np.concatenate([values[0], known[0]]), np.concatenate([values[1], known[1]])
        pivot, none = np.array([self.n]), np.zeros(1)
        center = np.append(start, 0.0)[None]
        with np.errstate(all="ignore"):
            point, done = to_curve(self, pivot, center)  # type: ignore[arg-type]
            if not np.isfinite(point).all():
                return None
            size = np.abs(point)
            room = ROOM * np.maximum(size, 1e-3 * size.max())
            if sizes is not None:
                m = len(sizes)
                room[0, :m] = np.maximum(room[0, :m], ROOM * sizes)
                room[0, m:] = np.maximum(room[0, m:], ROOM_OF_VECTORS * size[0, m:].max(initial=0.0))
            for share in SHARES:
                found, proved = prove_arcs(self, pivot, none, none, point, share * room)  # type: ignore[arg-type]
                if not proved[0]:
                    return None
                if ((found.high - found.low) > ROOMS[-1] * share * room)[0, :-1].any():
                    break
            sharp, sharper = prove_arcs(self, pivot, none, none, point, within=(found.low, found.high))  # type: ignore[arg-type]
        del done
        n = self.n
        core = sharp if sharper[0] else found
        return (core.core_low[0, :n], core.core_high[0, :n]), (found.low[0, :n], found.high[0, :n])

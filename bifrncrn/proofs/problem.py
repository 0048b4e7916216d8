"""The equations of a proof: f(x, p) = 0 in n states and one parameter, with what decides folds and Hopf points.

Where f_i vanishes on the plane x_i = c (a species that stays extinct), f_i = (x_i - c) g_i, and the equilibria fall
into *parts*: for every set of such planes those that lie on these planes, at which g_i = 0 for all others. (Where f_i
and f_j are the same on the diagonal x_i = x_j, likewise, with f_i - f_j and f_i + f_j in place of the two.) Each part
has n equations of its own, which are regular where f itself is not: where two parts cross.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.compile.derivatives import jacobian
from bifrncrn.compile.exact import ExactGraph, copied
from bifrncrn.compile.interval_model import IntervalFunction
from bifrncrn.compile.numerators import numerators
from bifrncrn.proofs.rounding import above, down, radius, size, up

if TYPE_CHECKING:
    from bifrncrn.compile.graph import Graph
    from bifrncrn.models.system import System
    from bifrncrn.proofs.planes import Plane

Bounds = tuple[np.ndarray, np.ndarray]


MOST_CURVED, MOST_NODES = 3, 2000
"""Second derivatives are enclosed of up to so many states, and of first ones of so many operations: what boxes need. Of
more they take longer to compile than they save."""


def along(g: ExactGraph, nodes: Sequence[int], variables: Sequence[int], direction: Sequence[int]) -> list[int]:
    """Return the derivatives of nodes by some variables (their numbers), in a direction given by nodes."""
    out = []
    for row in jacobian(g, list(nodes)):
        out.append(g.add([g.mul(row[k], d) for k, d in zip(variables, direction, strict=True) if k in row]))
    return out


class Problem:
    """f over boxes of y = (x, p), enclosed by compiled code.

    Attributes
    ----------
    names : tuple of n + 1 names
        The states, then the parameter.
    n : int
    values : (m,) and (m,) arrays
        Bounds of the model's parameters; those of the varied one are not used.
    graph, field
        The exact graph, in which the varied parameter is variable n, and the nodes of f.
    roots
        The nodes of the equations: those of f, or of one of its parts.
    planes : dict
        The invariant planes that were divided out, by numbers.
    on : frozenset
        The numbers of the planes that this part lies on.
    circle : bool
        Whether f(x) + x is an iterate of a map: stable is then what has all multipliers, the eigenvalues of f's
        Jacobian plus one, inside the unit circle.
    """

    def __init__(self, system: System, parameter: str, values: Bounds, circle: bool = False) -> None:
        self.circle = circle
        self.n = len(system.variables)
        self.names = (*system.variables, parameter)
        self.values = values
        self.graph = ExactGraph()
        varied = ("par", system.parameter_index(parameter))
        g, roots = system.native.graph
        leaves = {**self._same(varied[1]), **self._exponents(g, roots), varied: self.graph.node("var", self.n)}
        self.field = self.roots = copied(g, roots, leaves, self.graph)
        self.planes: Mapping[int, Plane] = {}
        self.on: frozenset[int] = frozenset()

    def _same(self, varied: int) -> dict[tuple[str, int], int]:
        """Return one node for all parameters of one number, so that a symmetry of a network's weights is seen."""
        first: dict[float, int] = {}
        nodes = {}
        for i, (low, high) in enumerate(zip(*self.values, strict=True)):
            if low == high and i != varied:
                nodes["par", i] = self.graph.node("par", first.setdefault(float(low), i))
        return nodes

    def _exponents(self, g: Graph, roots: list[int]) -> dict[tuple[str, int], int]:
        """Return nodes of the numbers of parameters that are exponents and whole: x^n is smooth at zero then."""
        used = [g.args[node][1] for node in g.reachable(list(roots)) if g.op[node] == "pow"]
        numbers = {int(g.args[k][0]) for k in used if g.op[k] == "par"}
        known = {i: self.values[0][i] for i in numbers if self.values[0][i] == self.values[1][i]}
        return {("par", i): self.graph.const(value) for i, value in known.items() if float(value).is_integer()}

    def part(self, planes: Mapping[int, Plane], on: Iterable[int]) -> Problem:
        """Return the part of the equilibria that lies on some planes, and off the others of those given."""
        other = copy.copy(self)
        for name in ("rows", "field_rows", "_values", "_linear", "_curved", "_field_linear", "_bent", "tests"):
            other.__dict__.pop(name, None)
        other.planes, other.on = planes, frozenset(on)
        other.roots = list(self.field)
        for plane in planes.values():
            other.roots[plane.state] = plane.rest
            if plane.partner is not None:
                other.roots[plane.partner[0]] = plane.partner[1]
        for k in other.on:
            other.roots[planes[k].state] = planes[k].distance
        return other

    def known(self) -> list[tuple[int, tuple[float, float]]]:
        """Return the states that this part fixes at numbers, with bounds of these."""
        bounds = ((self.planes[k].state, self.planes[k].bounds(self)) for k in sorted(self.on))
        return [(state, sides) for state, sides in bounds if sides is not None]

    @functools.cached_property
    def rows(self) -> list[list[int]]:
        """The nodes of the derivatives of f by y, n rows of n + 1."""
        return self.gradients(self.roots)

    @functools.cached_property
    def field_rows(self) -> list[list[int]]:
        """The same of f, whatever the part."""
        return self.gradients(self.field) if self.planes else self.rows

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
        return self.compiled([*self.roots, *numerators(self.graph, self.roots)], loose=True)

    @functools.cached_property
    def _field_linear(self) -> IntervalFunction:
        return self.compiled([node for row in self.field_rows for node in row[: self.n]])

    @functools.cached_property
    def _linear(self) -> IntervalFunction:
        return self.compiled([*self.roots, *(node for row in self.rows for node in row)])

    def loosely(self, low: np.ndarray, high: np.ndarray) -> Bounds:
        """Return bounds (k, 2 n) of the equations and of their numerators over boxes, wherever they are defined there.

        At an equilibrium all of them are zero.
        """
        return self._values(low, high, self.values)

    def linear(self, low: np.ndarray, high: np.ndarray) -> tuple[Bounds, Bounds]:
        """Return bounds of the equations (k, n) and derivatives (k, n, n + 1); nan unless smooth on the box."""
        n = self.n
        below, over = self._linear(low, high, self.values)
        slopes = below[:, n:].reshape(-1, n, n + 1), over[:, n:].reshape(-1, n, n + 1)
        return (below[:, :n], over[:, :n]), slopes

    @functools.cached_property
    def _curved(self) -> IntervalFunction | None:
        """The second derivatives, where they are worth it."""
        if self.n > MOST_CURVED or len(self.graph.reachable([node for row in self.rows for node in row])) > MOST_NODES:
            return None
        second = [self.gradients(row) for row in self.rows]
        return self.compiled([part[a][b] for part in second for a in range(self.n + 1) for b in range(a, self.n + 1)])

    def sharper(self, low: np.ndarray, high: np.ndarray, middle: np.ndarray, at: Bounds, slopes: Bounds) -> Bounds:
        """Return sharper bounds of the derivatives over boxes (k, n + 1), from those `at` a point of each.

        They lie in J(m) + H(Y) (Y - m), H the second derivatives: where the terms of a sum cancel, as in a network of
        many perceptrons, that is much less than the plain bounds `slopes`, to which they are cut.
        """
        if self._curved is None:
            return slopes
        n, m = self.n, self.n + 1
        most = size(*self._curved(low, high, self.values)).reshape(-1, n, m * (m + 1) // 2)
        reach = radius(low, high, middle)
        change = np.zeros((len(low), n, m))
        pairs = ((a, b) for a in range(m) for b in range(a, m))
        for i, (a, b) in enumerate(pairs):
            change[:, :, a] += most[:, :, i] * reach[:, b, None]
            if a != b:
                change[:, :, b] += most[:, :, i] * reach[:, a, None]
        change = above(change, m)
        below, over = down(at[0] - change), up(at[1] + change)
        known = np.isfinite(below + over)  # where f is smooth twice
        low, high = np.where(known, below, -np.inf), np.where(known, over, np.inf)
        return np.maximum(low, slopes[0]), np.minimum(high, slopes[1])

    def jacobian(self, low: np.ndarray, high: np.ndarray) -> Bounds:
        """Return bounds of the derivatives of f by the states (k, n, n), whatever the part; nan unless smooth."""
        n = self.n
        if not self.planes:
            slopes = self.linear(low, high)[1]
            return slopes[0][:, :, :n], slopes[1][:, :, :n]
        below, over = self._field_linear(low, high, self.values)
        return below.reshape(-1, n, n), over.reshape(-1, n, n)

    @functools.cached_property
    def _bent(self) -> IntervalFunction:
        m = self.n + 1
        entries = [node for row in self.field_rows for node in row[: self.n]]
        direction = [self.graph.node("var", m + k) for k in range(m)]
        return IntervalFunction(self.graph, along(self.graph, entries, range(m), direction), 2 * m)

    def bent(self, box: Bounds, direction: Bounds) -> Bounds:
        """Return bounds (k, n, n) of how f's Jacobian changes over boxes, in directions (k, n + 1)."""
        n = self.n
        low, high = (np.concatenate(pair, axis=1) for pair in zip(box, direction, strict=True))
        below, over = self._bent(low, high, self.values)
        return below.reshape(-1, n, n), over.reshape(-1, n, n)

    # -- what vanishes at folds and at Hopf points ----------------------------------------------------------------

    @functools.cached_property
    def tests(self) -> Tests:
        """The test functions of one, two or three states (of a map, two)."""
        return Tests(self)


FOLD = 0
"""The number of the first test."""


class Tests:
    """Test functions along curves of equilibria, as polynomials of the Jacobian's entries.

    The characteristic polynomial of the Jacobian is z^n + c1 z^(n-1) + ... + cn. `LP` is its determinant (that of the
    equations of a part). `HB` vanishes where two eigenvalues add up to zero, and they are imaginary where `square`,
    then the square of their imaginary part, is positive: trace and determinant of two states, c1 c2 - c3 and c2 of
    three. Of a map of one or two states, whose multipliers are these eigenvalues plus one, `PD` vanishes where one of
    them is -1, and `NS` where the product of two is one; they are on the unit circle, and not real, where `square`,
    four less the square of their sum, is positive. A part on a plane crosses another one where the plane's g is zero;
    off a plane, where the distance is. The determinant of f's Jacobian is the product of LP, all g and all distances
    (twice that, with a diagonal's).

    Attributes
    ----------
    labels : tuple of str
        Of the tests that come first: `LP` and those of above that the model has.
    pair : int
        The number of the test for a pair of eigenvalues (`HB` or `NS`), or -1.
    count : int
        These and the g come first, `count` of them: their roots are what is looked for.
    crossing : list of int
        The planes whose g are the tests from number `count - len(crossing)` on.
    square : int
        The column of the square of the frequency, where there is a pair.
    """

    def __init__(self, problem: Problem) -> None:
        g, n = problem.graph, problem.n
        minors = _minors(g, problem.field_rows, n)
        nodes = [minors[-1] if not problem.planes else determinant(g, [row[:n] for row in problem.rows])]
        others, squares = (_of_map if problem.circle else _of_flow)(problem, minors)
        nodes += others.values()
        self.labels = ("LP", *others)
        self.pair = len(others) if squares else -1
        self.crossing = sorted(problem.on)
        nodes += [problem.planes[k].rest for k in self.crossing]
        self.count = len(nodes)
        self.walls = sorted(set(problem.planes) - problem.on)
        nodes += [problem.planes[k].distance for k in self.walls]
        self.square = len(nodes)
        slopes = problem.gradients(nodes[: self.count])
        nodes += squares
        self._problem, self._width = problem, len(nodes)
        self._function = problem.compiled([*nodes, *(node for row in slopes for node in row)])
        self._plain = problem.compiled(nodes)

    def values(self, low: np.ndarray, high: np.ndarray) -> Bounds:
        """Return bounds (k, tests) of the tests, the distances from planes, and the square."""
        return self._plain(low, high, self._problem.values)

    def with_slopes(self, low: np.ndarray, high: np.ndarray) -> tuple[Bounds, Bounds]:
        """Return bounds as `values` does, and of the derivatives of the first `count` by y, (k, count, n + 1)."""
        below, over = self._function(low, high, self._problem.values)
        head, m = self._width, self._problem.n + 1
        slopes = below[:, head:].reshape(-1, self.count, m), over[:, head:].reshape(-1, self.count, m)
        return (below[:, :head], over[:, :head]), slopes


def _of_flow(problem: Problem, minors: list[int]) -> tuple[dict[str, int], list[int]]:
    """Return the nodes of the tests besides the fold's, and that of the square, if there is a pair."""
    g, n = problem.graph, problem.n
    if n == 1:
        return {}, []
    return {"HB": minors[0] if n == 2 else g.sub(g.mul(minors[0], minors[1]), minors[2])}, [minors[1]]


def _of_map(problem: Problem, minors: list[int]) -> tuple[dict[str, int], list[int]]:
    """Return the same of a map of one or two states: the pair comes last."""
    g, n = problem.graph, problem.n
    two = g.const(2.0)
    moved = [
        [g.add([e, two]) if i == k else e for k, e in enumerate(row[:n])] for i, row in enumerate(problem.field_rows)
    ]
    found = {"PD": determinant(g, moved)}
    if n == 1:
        return found, []
    trace = minors[0]  # the multipliers' sum is two more, their product one more than the sum of both minors
    square = g.neg(g.mul(trace, g.add([trace, g.const(4.0)])))
    return found | {"NS": g.add([minors[0], minors[1]])}, [square]


def _minors(g: ExactGraph, rows: list[list[int]], n: int) -> list[int]:
    """Return the coefficients of the characteristic polynomial: sums of the principal minors of each order."""
    matrix = [row[:n] for row in rows]
    return [_principal(g, matrix, k) for k in range(1, n + 1)]


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

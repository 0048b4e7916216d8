"""Single special points of models of any size: each exists, is alone in a box, and is of the kind that is said.

A fold is a solution of f = 0, J v = 0, l v = 1; a Hopf point one of f = 0, J (v + i w) = i omega (v + i w) with a
condition on length and phase. Krawczyk's operator proves a solution and that it is the only one in a box of all these
unknowns. Anywhere in the (x, p) of that solution the vectors are enclosed again, from x alone, and lie in that box: so
the point is the only one of its kind in the box of (x, p). What makes it generic (the coefficients, the simple
eigenvalue, the other eigenvalues off the axis) is enclosed at the solution; auxiliary vectors (the left null vector and
the like) solve linear systems whose coefficients are the intervals found.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bifrncrn.compile.exact import ExactGraph
from bifrncrn.proofs.problem import Bounds, Problem, along
from bifrncrn.proofs.spectrum import SHAKES, one_spectrum, sides
from bifrncrn.proofs.square import Square

Side = tuple[float, float]

SAME_POINT = 1e-5
"""A proved point further off, relative to the coordinates' sizes, is not the one that was computed."""


@dataclass(frozen=True)
class Proved:
    """A proved point, or why it is not proved.

    Attributes
    ----------
    box : two (n + 1,) arrays, or None
        It holds the point.
    detail : dict
        What is known about it.
    reason : str
    room : (box, function), optional
        A box, and whether the point is alone in parts of it, in the sense of `wide`.
    """

    box: Bounds | None
    detail: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    room: tuple[Bounds, Callable[[Bounds], bool]] | None = field(default=None, repr=False)

    @functools.cached_property
    def wide(self) -> Bounds | None:
        """A box in which it is the only one with an eigenvalue on the border of stability (axis, or unit circle)."""
        return None if self.box is None or self.room is None else _widest(self.box, *self.room)


class Layout:
    """Variables of a graph by name: the states and the parameter, then vectors and numbers added to them."""

    def __init__(self, problem: Problem) -> None:
        self.g: ExactGraph = problem.graph
        self.n = problem.n
        self.count = problem.n + 1
        self.states = list(range(problem.n))

    def vector(self) -> tuple[list[int], list[int]]:
        """Return the numbers and the nodes of n new variables."""
        return self.numbers(self.n)

    def numbers(self, count: int) -> tuple[list[int], list[int]]:
        """Return the numbers and the nodes of new variables."""
        places = list(range(self.count, self.count + count))
        self.count += count
        return places, [self.g.node("var", k) for k in places]

    def dot(self, a: list[int], b: list[int]) -> int:
        """Return the node of a b."""
        return self.g.add([self.g.mul(x, y) for x, y in zip(a, b, strict=True)])

    def derivative(self, nodes: list[int], direction: list[int]) -> list[int]:
        """Return the derivatives by the states in a direction."""
        return along(self.g, nodes, self.states, direction)

    def total(self, *terms: list[int]) -> list[int]:
        """Return the sum of vectors."""
        return [self.g.add(list(parts)) for parts in zip(*terms, strict=True)]

    def scaled(self, factor: int, a: list[int]) -> list[int]:
        """Return a vector times a number."""
        return [self.g.mul(factor, x) for x in a]

    def minus(self, a: list[int]) -> list[int]:
        """Return -a."""
        return [self.g.neg(x) for x in a]


def transposed(layout: Layout, rows: list[list[int]], a: list[int]) -> list[int]:
    """Return J^T a."""
    n = layout.n
    return [layout.dot([rows[i][k] for i in range(n)], a) for k in range(n)]


class Points:
    """Proofs of the special points of one model in one parameter; what is compiled serves all of them.

    Attributes
    ----------
    sizes : (n + 1,) array or None
        How large states and parameter usually are.
    """

    sizes: np.ndarray | None = None

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.parameters = len(problem.values[0])

    def is_at(self, box: Bounds, y: np.ndarray) -> bool:
        """Say whether a point that is proved in a box is the one that was computed, at y (n + 1,)."""
        sizes = np.abs(y) if self.sizes is None else np.maximum(np.abs(y), self.sizes)
        off = np.abs(0.5 * (box[0] + box[1]) - y)
        return bool((off <= SAME_POINT * np.maximum(sizes, 1e-3 * sizes.max()) + 1e-100).all())

    # -- folds --------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _fold(self) -> tuple[Square, Square, Square, list[int]]:
        problem = self.problem
        at = Layout(problem)
        g, rows, n = at.g, problem.rows, problem.n
        v_at, v = at.vector()
        l_at, length = at.vector()
        w_at, w = at.vector()
        e_at, (slack,) = at.numbers(1)
        turned = at.derivative(problem.roots, v)
        first = [*problem.roots, *turned, g.sub(at.dot(length, v), g.one)]
        states = list(range(n + 1))
        left = at.total(transposed(at, rows, w), at.scaled(slack, v))
        second = [*left, g.sub(at.dot(w, v), g.one)]
        null = [*at.total(turned, at.scaled(slack, w)), g.sub(at.dot(length, v), g.one)]
        bend = at.dot(w, at.derivative(turned, v))
        push = at.dot(w, [rows[i][n] for i in range(n)])
        size = g.call("sqrt", (at.dot(v, v),))
        coefficient = g.div(g.mul(g.const(0.5), bend), size)
        return (
            Square(g, first, [*states, *v_at], l_at, self.parameters),
            Square(g, second, [*w_at, *e_at], [*states, *v_at], self.parameters),
            Square(g, null, [*v_at, *e_at], [*states, *l_at, *w_at], self.parameters),
            [coefficient, push],
        )

    def fold(self, y: np.ndarray) -> Proved:
        """Prove a fold near y (n + 1,)."""
        start = null_vectors(self.jacobian(y))
        if start is None:
            return Proved(None, reason=NO_SOLUTION)
        right, left = start
        equations, linear, null, nodes = self._fold
        solution = equations.solve(np.append(y, right), self.problem.values, (right, right), self.sizes)
        if solution is None:
            return Proved(None, reason=NO_SOLUTION)
        other = linear.solve(np.append(left, 0.0), self.problem.values, solution[0])
        if other is None:
            return Proved(None, reason=DOUBLE)
        below, over = linear.evaluated(nodes, other[0])
        if not nonzero(below[0], over[0]) or not nonzero(below[1], over[1]):
            return Proved(None, reason="degenerate, or nearly so: a fold coefficient may be zero")
        size = sorted((abs(float(below[0])), abs(float(over[0]))))
        return self.settled(solution, 1, self.alone_by(null, right, left, solution[1]), {"a": (size[0], size[1])})

    def alone_by(self, null: Square, right: np.ndarray, left: np.ndarray, room: Bounds) -> Callable[[Bounds], bool]:
        """Return what says whether the null vector of every (x, p) in a box is in the room of the one that was proved.

        `null` encloses that vector from (x, p) alone, bordered by approximate null vectors.
        """
        n = self.problem.n
        vectors = room[0][n + 1 :], room[1][n + 1 :]

        def alone(box: Bounds) -> bool:
            known = (np.concatenate([side, right, left]) for side in box)
            again = null.solve(np.append(right, 0.0), self.problem.values, (next(known), next(known)))
            return again is not None and inside([side[:n] for side in again[0]], vectors)

        return alone

    def settled(
        self,
        solution: tuple[Bounds, Bounds],
        critical: int,
        alone: Callable[[Bounds], bool],
        detail: dict[str, Any],
        grows: tuple[float, float] | None = None,
    ) -> Proved:
        """Return a point whose critical eigenvalues, `critical` of them, are alone on the border of stability.

        Where they cross it, `grows` are bounds of the rate at which they become unstable with the parameter, but for a
        positive factor: the side of the smaller parameter is then counted first.
        """
        n = self.problem.n
        (low, high), (alone_low, alone_high) = solution
        box, room = (low[: n + 1], high[: n + 1]), (alone_low[: n + 1], alone_high[: n + 1])
        counts = self.counts(box, critical)
        if counts is None:
            return Proved(None, reason=NOT_SIMPLE)
        if not alone(box):
            return Proved(None, reason=NOT_ALONE)
        if grows is not None and grows[1] < 0.0:
            counts.reverse()
        check = (room, lambda around: self.counts(around, critical) is not None and alone(around))
        return Proved(box, detail | {"unstable": counts}, room=check)

    # -- Hopf points --------------------------------------------------------------------------------------------

    @functools.cached_property
    def _hopf(self) -> tuple[Square, Square, Square, list[int]]:
        problem = self.problem
        at = Layout(problem)
        g, rows, n, f = at.g, problem.rows, problem.n, problem.roots
        states = list(range(n + 1))
        v_at, v = at.vector()
        w_at, w = at.vector()
        o_at, (omega,) = at.numbers(1)
        l_at, length = at.vector()
        a, b = at.derivative(f, v), at.derivative(f, w)  # J v, J w
        first = [
            *f,
            *at.total(a, at.scaled(omega, w)),
            *at.total(b, at.minus(at.scaled(omega, v))),
            g.sub(at.dot(length, v), g.one),
            at.dot(length, w),
        ]
        m_at, (mu,) = at.numbers(1)
        pair = [
            *at.total(a, at.scaled(omega, w), at.minus(at.scaled(mu, v))),
            *at.total(b, at.minus(at.scaled(omega, v)), at.minus(at.scaled(mu, w))),
            *first[-2:],
        ]
        # the adjoint p = r + i s with <p, v + i w> = 1, and two numbers that are zero at the solution
        r_at, r = at.vector()
        s_at, s = at.vector()
        e_at, (e, d) = at.numbers(2)
        second = [
            *at.total(
                transposed(at, rows, r), at.minus(at.scaled(omega, s)), at.scaled(e, v), at.minus(at.scaled(d, w))
            ),
            *at.total(transposed(at, rows, s), at.scaled(omega, r), at.scaled(e, w), at.scaled(d, v)),
            g.sub(g.add([at.dot(r, v), at.dot(s, w)]), g.one),
            g.sub(at.dot(r, w), at.dot(s, v)),
        ]
        # q = v + i w: B(q, conj q) = aa + bb, B(q, q) = (aa - bb) + 2 i ab
        aa, bb, ab = at.derivative(a, v), at.derivative(b, w), at.derivative(a, w)
        h_at, h = at.vector()  # J h = B(q, conj q)
        second += at.total(at.derivative(f, h), at.minus(at.total(aa, bb)))
        c_at, c = at.vector()  # (2 i omega - J)(c + i k) = B(q, q)
        k_at, k = at.vector()
        twice = g.mul(g.const(2.0), omega)
        second += at.total(at.minus(at.derivative(f, c)), at.minus(at.scaled(twice, k)), at.minus(aa), bb)
        second += at.total(at.minus(at.derivative(f, k)), at.scaled(twice, c), at.minus(ab), at.minus(ab))
        x_at, x = at.vector()  # J x' = -f_p
        second += at.total(at.derivative(f, x), [rows[i][n] for i in range(n)])
        nodes = self._hopf_nodes(at, (v, w), (r, s), (a, b), (aa, bb), h, (c, k), x)
        unknown = [*r_at, *s_at, *e_at, *h_at, *c_at, *k_at, *x_at]
        return (
            Square(g, first, [*states, *v_at, *w_at, *o_at], l_at, self.parameters),
            Square(g, second, unknown, [*states, *v_at, *w_at, *o_at], self.parameters),
            Square(g, pair, [*v_at, *w_at, *o_at, *m_at], [*states, *l_at], self.parameters),
            [g.div(nodes[0], omega), nodes[1]],
        )

    def _hopf_nodes(
        self,
        at: Layout,
        q: tuple[list[int], list[int]],
        p: tuple[list[int], list[int]],
        jq: tuple[list[int], list[int]],
        second: tuple[list[int], list[int]],
        h: list[int],
        ck: tuple[list[int], list[int]],
        x: list[int],
    ) -> list[int]:
        """Return the nodes of Re c1 and of the rate at which the pair crosses the axis.

        Kuznetsov's c1 = <p, C(q, q, conj q) - 2 B(q, h) + B(conj q, c + i k)> / 2, for <q, q> = 1.
        """
        g, (v, w), (r, s), (a, b) = at.g, q, p, jq
        real, imaginary = cubic(at, q, jq, second, h, ck)
        length = g.add([at.dot(v, v), at.dot(w, w)])
        c1 = g.div(g.mul(g.const(0.5), g.add([at.dot(r, real), at.dot(s, imaginary)])), length)
        # the derivative of J along the branch, times q: by x in the direction x', and by the parameter
        everything = [*at.states, at.n]
        direction = [*x, g.one]
        moved = [along(g, part, everything, direction) for part in (a, b)]
        return [c1, g.add([at.dot(r, moved[0]), at.dot(s, moved[1])])]

    def hopf(self, y: np.ndarray) -> Proved:
        """Prove a Hopf point near y (n + 1,)."""
        n = self.problem.n
        start = _hopf_start(self.jacobian(y))
        if start is None:
            return Proved(None, reason=NO_SOLUTION)
        vector, omega, length = start
        equations, linear, pair, nodes = self._hopf
        guess = np.concatenate([y, vector.real, vector.imag, [omega]])
        solution = equations.solve(guess, self.problem.values, (length, length), self.sizes)
        if solution is None:
            return Proved(None, reason=NO_SOLUTION)
        (low, high), (alone_low, alone_high) = solution
        if not low[-1] > 0.0:
            return Proved(None, reason="the frequency may be zero")
        other = linear.solve(np.zeros(linear.n), self.problem.values, (low, high))
        if other is None:
            return Proved(None, reason="the adjoint vector is not enclosed")
        below, over = linear.evaluated(nodes, other[0])
        if not nonzero(below[0], over[0]):
            return Proved(None, reason="l1 may be zero: a generalised Hopf point, or nearly so")
        if not nonzero(below[1], over[1]):
            return Proved(None, reason="the pair of eigenvalues may not cross the axis")

        def alone(box: Bounds) -> bool:
            known = (np.concatenate([side, length]) for side in box)
            found = pair.solve(np.append(low[n + 1 :], 0.0), self.problem.values, (next(known), next(known)))
            vectors = alone_low[n + 1 :], alone_high[n + 1 :]
            if found is None or not inside([side[:-1] for side in found[0]], vectors):
                return False
            imaginary, real = 0.5 * (found[0][0] + found[0][1])[-2:]
            reach = float(np.sum((found[0][1] - found[0][0])[-2:]))
            return self.is_critical(box, complex(real, imaginary), reach)

        detail = {"omega": (float(low[-1]), float(high[-1])), "l1": (float(below[0]), float(over[0]))}
        return self.settled(solution, 2, alone, detail, (float(below[1]), float(over[1])))

    # -- eigenvalues --------------------------------------------------------------------------------------------

    def jacobian(self, y: np.ndarray) -> np.ndarray:
        """Return the derivatives of the equations by the states at y, approximately."""
        _, (low, high) = self.problem.linear(y[None], y[None])
        matrix: np.ndarray = 0.5 * (low + high)[0][:, : self.problem.n]
        return matrix

    def is_critical(self, box: Bounds, eigenvalue: complex, reach: float) -> bool:
        """Say whether an eigenvalue, known within `reach`, is one of those that may be on the border of stability."""
        for shake in SHAKES:
            centers, radii = one_spectrum(self.problem, box, shake)
            off = np.logical_or(*sides(self.problem, centers, radii))
            far = np.abs(centers - eigenvalue) > (radii + reach) * (1.0 + 1e-12)
            if np.isfinite(radii).all() and far[off].all():
                return True
        return False

    def counts(self, box: Bounds, critical: int) -> list[int] | None:
        """Return the numbers of unstable eigenvalues on the two sides: `critical` of them are on the border.

        None where others may be as well, or where the discs of the critical ones are not alone.
        """
        for shake in SHAKES:
            centers, radii = one_spectrum(self.problem, box, shake)
            unstable, stable = sides(self.problem, centers, radii)
            on = ~(unstable | stable)
            # a single critical multiplier is 1 or -1: a disc that may hold both does not tell which
            if critical == 1 and self.problem.circle and not (radii[on] < 1.0).all():
                continue
            if on.sum() == critical and np.isfinite(radii).all() and _separate(centers, radii, on):
                return [int(unstable.sum()), int(unstable.sum()) + critical]
        return None


def cubic(
    at: Layout,
    q: tuple[list[int], list[int]],
    jq: tuple[list[int], list[int]],
    second: tuple[list[int], list[int]],
    h: list[int],
    ck: tuple[list[int], list[int]],
) -> tuple[list[int], list[int]]:
    """Return real and imaginary part of C(q, q, conj q) - 2 B(q, h) + B(conj q, c + i k), q = v + i w."""
    (v, w), (a, b), (aa, bb), (c, k), two = q, jq, second, ck, at.g.const(2.0)
    # C(q, q, conj q) = C(v,v,v) + C(v,w,w) + i (C(v,v,w) + C(w,w,w))
    real = at.total(at.derivative(aa, v), at.derivative(bb, v), at.minus(at.scaled(two, at.derivative(a, h))))
    imaginary = at.total(at.derivative(aa, w), at.derivative(bb, w), at.minus(at.scaled(two, at.derivative(b, h))))
    # B(v - i w, c + i k)
    real = at.total(real, at.derivative(a, c), at.derivative(b, k))
    return real, at.total(imaginary, at.derivative(a, k), at.minus(at.derivative(b, c)))


def _separate(centers: np.ndarray, radii: np.ndarray, which: np.ndarray) -> bool:
    """Say whether some discs meet no others, nor each other."""
    for i in np.flatnonzero(which):
        apart = np.abs(centers - centers[i]) > (radii + radii[i]) * (1.0 + 1e-12)
        apart[i] = True
        if not apart.all():
            return False
    return True


NO_SOLUTION = "no solution of its defining equations is proved near it"
DOUBLE = "the eigenvalue zero may be a double one: a Bogdanov-Takens point, or nearly so"
NOT_SIMPLE = "another eigenvalue may be critical as well"
NOT_ALONE = "it is not proved to be the only one in its box"


SHARES = (1.0, 0.1, 0.01, 1e-3, 1e-4)
"""How much of the room is tried to find a box in which a point is alone."""


def _widest(box: Bounds, room: Bounds, alone: Callable[[Bounds], bool]) -> Bounds | None:
    """Return the widest box between two for which `alone` holds, of some that are tried."""
    for share in SHARES:
        around = tuple(inner + share * (outer - inner) for inner, outer in zip(box, room, strict=True))
        wide = np.minimum(around[0], box[0]), np.maximum(around[1], box[1])
        if inside(wide, room) and alone(wide):
            return wide
    return None


def inside(box: Sequence[np.ndarray], other: Bounds) -> bool:
    """Say whether a box lies in another."""
    return bool(((box[0] >= other[0]) & (box[1] <= other[1])).all())


def nonzero(low: float, high: float) -> bool:
    """Say whether an interval excludes zero."""
    return bool(low > 0.0 or high < 0.0)


def null_vectors(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return approximate null vectors, right and left, of length one, the left one scaled to left right = 1."""
    if not np.isfinite(matrix).all():
        return None
    left, _, right = np.linalg.svd(matrix)
    v, w = right[-1], left[:, -1]
    return (v, w / (w @ v)) if w @ v else None


def _hopf_start(matrix: np.ndarray) -> tuple[np.ndarray, float, np.ndarray] | None:
    """Return v + i w with l v = 1 and l w = 0, the frequency, and l, of the pair nearest to the imaginary axis."""
    if not np.isfinite(matrix).all():
        return None
    values, vectors = np.linalg.eig(matrix)
    upper = np.flatnonzero(values.imag > 1e-12 * np.abs(values).max())
    if not len(upper):
        return None
    i = upper[np.argmin(np.abs(values[upper].real))]
    vector, length = phased(vectors[:, i])
    return vector, float(values[i].imag), length


def phased(vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a complex vector v + i w scaled so that l v = 1 and l w = 0, and l."""
    vector = vector / np.linalg.norm(vector)
    length = vector.real.copy()
    if length @ length < 0.25:  # turn it so that its real part is not small
        vector = vector * 1j
        length = vector.real.copy()
    return vector / (length @ vector), length

"""Single period doublings and Neimark-Sacker points of maps, and folds: proofs as in `points`, with the unit circle.

With F = f^k - x (a k-cycle is a fixed point of the k-th iterate) and J its Jacobian, J + 1 has the multipliers. A
period doubling is a solution of F = 0, J v + 2 v = 0, l v = 1; a Neimark-Sacker point one of F = 0,
(J + 1)(v + i w) = (c + i s)(v + i w), c^2 + s^2 = 1, with a condition on length and phase. The coefficients are those
of Kuznetsov, Elements of Applied Bifurcation Theory, 3rd edition, (5.44) and (5.53).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from bifrncrn.proofs.points import (
    NO_SOLUTION,
    Layout,
    Points,
    Proved,
    cubic,
    inside,
    nonzero,
    null_vectors,
    phased,
    transposed,
)
from bifrncrn.proofs.problem import Bounds, along
from bifrncrn.proofs.square import Square

RESONANT = "a strong resonance, or nearly so: the multipliers may be roots of one of order 1 to 4"
NO_CROSSING = "the multipliers may not cross the unit circle"


class Multipliers(Points):
    """Proofs of the special points of one iterate of a map in one parameter."""

    # -- period doublings ---------------------------------------------------------------------------------------

    @functools.cached_property
    def _flip(self) -> tuple[Square, Square, Square, list[int]]:
        problem = self.problem
        at = Layout(problem)
        g, rows, n, f = at.g, problem.rows, problem.n, problem.roots
        two, states = g.const(2.0), list(range(n + 1))
        v_at, v = at.vector()
        l_at, length = at.vector()
        w_at, w = at.vector()
        e_at, (slack,) = at.numbers(1)
        h_at, h = at.vector()  # J h = B(v, v)
        x_at, x = at.vector()  # J x' = -F_p
        slope = at.derivative(f, v)
        turned = at.total(slope, at.scaled(two, v))
        norm = g.sub(at.dot(length, v), g.one)
        bent = at.derivative(slope, v)
        second = [
            *at.total(transposed(at, rows, w), at.scaled(two, w), at.scaled(slack, v)),
            g.sub(at.dot(w, v), g.one),
            *at.total(at.derivative(f, h), at.minus(bent)),
            *at.total(at.derivative(f, x), [row[n] for row in rows]),
        ]
        null = [*at.total(turned, at.scaled(slack, w)), norm]
        third = at.total(at.derivative(bent, v), at.minus(at.scaled(g.const(3.0), at.derivative(slope, h))))
        coefficient = g.div(at.dot(w, third), g.mul(g.const(6.0), at.dot(v, v)))
        rate = at.dot(w, along(g, slope, [*at.states, n], [*x, g.one]))
        count = self.parameters
        return (
            Square(g, [*f, *turned, norm], [*states, *v_at], l_at, count),
            Square(g, second, [*w_at, *e_at, *h_at, *x_at], [*states, *v_at], count),
            Square(g, null, [*v_at, *e_at], [*states, *l_at, *w_at], count),
            [coefficient, rate],
        )

    def flip(self, y: np.ndarray) -> Proved:
        """Prove a period doubling near y (n + 1,)."""
        n, values = self.problem.n, self.problem.values
        start = null_vectors(self.jacobian(y) + 2.0 * np.eye(n))
        if start is None:
            return Proved(None, reason=NO_SOLUTION)
        right, left = start
        equations, linear, null, nodes = self._flip
        solution = equations.solve(np.append(y, right), values, (right, right), self.sizes)
        if solution is None:
            return Proved(None, reason=NO_SOLUTION)
        other = linear.solve(np.concatenate([left, np.zeros(linear.n - n)]), values, solution[0])
        if other is None:
            return Proved(None, reason="the vectors of its normal form are not enclosed")
        below, over = linear.evaluated(nodes, other[0])
        if not nonzero(below[0], over[0]):
            return Proved(None, reason="b may be zero: a generalised period doubling, or nearly so")
        if not nonzero(below[1], over[1]):
            return Proved(None, reason=NO_CROSSING)
        alone = self.alone_by(null, right, left, solution[1])
        grows = (float(-over[1]), float(-below[1]))  # the modulus of a multiplier about -1
        return self.settled(solution, 1, alone, {"b": (float(below[0]), float(over[0]))}, grows)

    # -- Neimark-Sacker points ----------------------------------------------------------------------------------

    @functools.cached_property
    def _torus(self) -> tuple[Square, Square, Square, list[int]]:
        problem = self.problem
        at = Layout(problem)
        g, rows, n, f = at.g, problem.rows, problem.n, problem.roots
        states = list(range(n + 1))
        v_at, v = at.vector()
        w_at, w = at.vector()
        m_at, (c, s) = at.numbers(2)
        l_at, length = at.vector()
        a, b = at.derivative(f, v), at.derivative(f, w)
        pair = [
            *at.total(a, v, at.minus(at.scaled(c, v)), at.scaled(s, w)),
            *at.total(b, w, at.minus(at.scaled(s, v)), at.minus(at.scaled(c, w))),
            g.sub(at.dot(length, v), g.one),
            at.dot(length, w),
        ]
        unit = g.sub(g.add([g.mul(c, c), g.mul(s, s)]), g.one)
        adjoint_at, (r, t), second = _adjoint(at, rows, (v, w), (c, s))
        aa, bb, ab = at.derivative(a, v), at.derivative(b, w), at.derivative(a, w)
        h_at, h = at.vector()  # J h = B(q, conj q)
        second += at.total(at.derivative(f, h), at.minus(at.total(aa, bb)))
        k_at, k = at.vector()  # (lambda^2 - A)(k + i j) = B(q, q)
        j_at, j = at.vector()
        real, imaginary = g.sub(g.mul(c, c), g.mul(s, s)), g.mul(g.const(2.0), g.mul(c, s))
        second += at.total(
            at.scaled(real, k), at.minus(at.scaled(imaginary, j)), at.minus(at.derivative(f, k)), at.minus(k),
            at.minus(aa), bb,
        )  # fmt: skip
        second += at.total(
            at.scaled(imaginary, k), at.scaled(real, j), at.minus(at.derivative(f, j)), at.minus(j),
            at.minus(ab), at.minus(ab),
        )  # fmt: skip
        x_at, x = at.vector()  # J x' = -F_p
        second += at.total(at.derivative(f, x), [row[n] for row in rows])
        form = cubic(at, (v, w), (a, b), (aa, bb), h, (k, j))
        moved = [along(g, part, [*at.states, n], [*x, g.one]) for part in (a, b)]
        size = g.add([at.dot(v, v), at.dot(w, w)])
        nodes = [g.div(g.mul(g.const(0.5), _turned(at, (c, s), (r, t), form)), size)]
        nodes += [_turned(at, (c, s), (r, t), moved), g.call("acos", (c,))]
        known = [*states, *v_at, *w_at, *m_at]
        unknown = [*adjoint_at, *h_at, *k_at, *j_at, *x_at]
        return (
            Square(g, [*f, *pair, unit], known, l_at, self.parameters),
            Square(g, second, unknown, known, self.parameters),
            Square(g, pair, [*v_at, *w_at, *m_at], [*states, *l_at], self.parameters),
            nodes,
        )

    def torus(self, y: np.ndarray) -> Proved:
        """Prove a Neimark-Sacker point near y (n + 1,)."""
        n, values = self.problem.n, self.problem.values
        start = _torus_start(self.jacobian(y) + np.eye(n))
        if start is None:
            return Proved(None, reason=NO_SOLUTION)
        vector, multiplier, length = start
        equations, linear, pair, nodes = self._torus
        guess = np.concatenate([y, vector.real, vector.imag, [multiplier.real, multiplier.imag]])
        solution = equations.solve(guess, values, (length, length), self.sizes)
        if solution is None:
            return Proved(None, reason=NO_SOLUTION)
        (low, high), (alone_low, alone_high) = solution
        c, s = (low[-2], high[-2]), (low[-1], high[-1])
        if not (s[0] > 0.0 and nonzero(*c) and nonzero(c[0] + 0.5, c[1] + 0.5)):
            return Proved(None, reason=RESONANT)
        other = linear.solve(np.zeros(linear.n), values, (low, high))
        if other is None:
            return Proved(None, reason="the adjoint vector is not enclosed")
        below, over = linear.evaluated(nodes, other[0])
        if not nonzero(below[0], over[0]):
            return Proved(None, reason="re_d may be zero: a Chenciner point, or nearly so")

        def alone(box: Bounds) -> bool:
            known = (np.concatenate([side, length]) for side in box)
            found = pair.solve(guess[n + 1 :], values, (next(known), next(known)))
            if found is None or not inside(found[0], (alone_low[n + 1 :], alone_high[n + 1 :])):
                return False
            middle, width = 0.5 * (found[0][0] + found[0][1])[-2:], (found[0][1] - found[0][0])[-2:]
            return self.is_critical(box, complex(middle[0] - 1.0, middle[1]), float(width.sum()) + 2.0**-50)

        if not nonzero(below[1], over[1]):
            return Proved(None, reason=NO_CROSSING)
        detail = {"theta": (float(below[2]), float(over[2])), "re_d": (float(below[0]), float(over[0]))}
        return self.settled(solution, 2, alone, detail, (float(below[1]), float(over[1])))


def _adjoint(
    at: Layout, rows: list[list[int]], q: tuple[list[int], list[int]], multiplier: Sequence[int]
) -> tuple[list[int], tuple[list[int], list[int]], list[int]]:
    """Return the unknowns and the equations of p = r + i t, the adjoint eigenvector with <p, q> = 1, and p itself.

    Two of the unknowns are numbers that are zero at the solution.
    """
    g, (v, w), (c, s) = at.g, q, multiplier
    r_at, r = at.vector()
    t_at, t = at.vector()
    e_at, (e, d) = at.numbers(2)
    equations = [
        *at.total(
            transposed(at, rows, r),
            r,
            at.minus(at.total(at.scaled(c, r), at.scaled(s, t))),
            at.scaled(e, v),
            at.minus(at.scaled(d, w)),
        ),
        *at.total(
            transposed(at, rows, t),
            t,
            at.minus(at.total(at.scaled(c, t), at.minus(at.scaled(s, r)))),
            at.scaled(e, w),
            at.scaled(d, v),
        ),
        g.sub(g.add([at.dot(r, v), at.dot(t, w)]), g.one),
        g.sub(at.dot(r, w), at.dot(t, v)),
    ]
    return [*r_at, *t_at, *e_at], (r, t), equations


def _turned(at: Layout, unit: tuple[int, int], p: tuple[list[int], list[int]], z: Sequence[list[int]]) -> int:
    """Return the node of Re(conj(c + i s) <p, z>)."""
    g, (c, s), (r, t) = at.g, unit, p
    real = g.add([at.dot(r, z[0]), at.dot(t, z[1])])
    imaginary = g.sub(at.dot(r, z[1]), at.dot(t, z[0]))
    return g.add([g.mul(c, real), g.mul(s, imaginary)])


def _torus_start(multipliers: np.ndarray) -> tuple[np.ndarray, complex, np.ndarray] | None:
    """Return v + i w with l v = 1 and l w = 0, the multiplier, and l, of the pair nearest to the unit circle."""
    if not np.isfinite(multipliers).all():
        return None
    values, vectors = np.linalg.eig(multipliers)
    upper = np.flatnonzero(values.imag > 1e-12 * np.abs(values).max())
    if not len(upper):
        return None
    i = upper[np.argmin(np.abs(np.abs(values[upper]) - 1.0))]
    vector, length = phased(vectors[:, i])
    return vector, complex(values[i]), length

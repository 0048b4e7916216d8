"""Pitchforks of symmetric models of any size.

A map S of the states with S S = 1 that changes signs (of x_k - c_k) and swaps pairs, and f(S x) = S f(x). The vectors
with S v = -v and those with S v = v are invariant subspaces of the Jacobian wherever S x = x. There a solution of

    f = 0 (S x = x),  J v = 0 (S v = -v),  l v = 1

at which the eigenvalue zero is simple and alone on the axis, crosses it along the curve of symmetric equilibria, and

    c = <w, C(v, v, v) + 3 B(v, h)> / 6,  w J = 0, w v = 1, J h = -B(v, v) (S h = h)

is not zero, is a pitchfork: Kuznetsov, Elements of Applied Bifurcation Theory, 3rd edition, theorem 7.7 and (7.19).
"""

from __future__ import annotations

import numpy as np

from bifrncrn.proofs.planes import Symmetry
from bifrncrn.proofs.points import NO_SOLUTION, NOT_ALONE, NOT_SIMPLE, Layout, Points, Proved, nonzero, null_vectors
from bifrncrn.proofs.points import inside as lies_inside
from bifrncrn.proofs.problem import along
from bifrncrn.proofs.square import Square


class Pitchforks:
    """Proofs of pitchforks of one symmetry."""

    def __init__(self, prover: Points, symmetry: Symmetry) -> None:
        self.prover, self.symmetry = prover, symmetry
        n = prover.problem.n
        odd = np.zeros((n, len(symmetry.turned) + len(symmetry.swapped)))
        even = np.zeros((n, n - odd.shape[1]))
        partner = dict(symmetry.swapped)
        self.leaders = [*symmetry.turned, *partner]  # a state for every dimension of S v = -v
        for column, k in enumerate(self.leaders):
            odd[k, column] = 1.0
            if k in partner:
                odd[partner[k], column] = -1.0
        self.followers = [k for k in range(n) if k not in symmetry.turned and k not in partner.values()]
        for column, k in enumerate(self.followers):
            even[k, column] = 1.0
            if k in partner:
                even[partner[k], column] = 1.0
        self.odd, self.even = odd, even
        self._equations()

    def _vector(self, at: Layout, basis: np.ndarray) -> tuple[list[int], list[int]]:
        """Return the numbers of new variables, and the nodes of basis @ these."""
        places, unknown = at.numbers(basis.shape[1])
        g = at.g
        signed = {1.0: lambda node: node, -1.0: g.neg}
        return places, [
            g.add([signed[basis[i, c]](unknown[c]) for c in range(basis.shape[1]) if basis[i, c]]) for i in range(at.n)
        ]

    def _equations(self) -> None:
        problem, partner = self.prover.problem, dict(self.symmetry.swapped)
        at = Layout(problem)
        g, rows, n, f = at.g, problem.rows, problem.n, problem.roots
        x = [g.node("var", k) for k in range(n)]
        odd, even = self.leaders, self.followers
        v_at, v = self._vector(at, self.odd)
        l_at, length = at.numbers(len(odd))
        w_at, w = self._vector(at, self.odd)
        e_at, (slack,) = at.numbers(1)
        h_at, h = self._vector(at, self.even)
        t_at, t = self._vector(at, self.even)  # the curve's direction: J t = -f_p
        symmetric = [g.sub(x[k], self.symmetry.turned.get(k, x[partner.get(k, k)])) for k in odd]
        turned = at.derivative(f, v)
        norm = g.sub(at.dot(length, [v[k] for k in odd]), g.one)
        states = list(range(n + 1))
        first = [*symmetric, *(f[k] for k in even), *(turned[k] for k in odd), norm]
        left = at.total([at.dot([rows[i][k] for i in range(n)], w) for k in range(n)], at.scaled(slack, v))
        bent = at.derivative(turned, v)
        second = [
            *(left[k] for k in odd),
            g.sub(at.dot(w, v), g.one),
            *(at.total(at.derivative(f, h), bent)[k] for k in even),
            *(at.total(at.derivative(f, t), [row[n] for row in rows])[k] for k in even),
        ]
        null = [*(at.total(turned, at.scaled(slack, w))[k] for k in odd), norm]
        cubic = at.total(at.derivative(bent, v), at.scaled(g.const(3.0), at.derivative(turned, h)))
        coefficient = g.div(at.dot(w, cubic), g.mul(g.const(6.0), at.dot(v, v)))
        rate = at.dot(w, along(g, turned, [*at.states, n], [*t, g.one]))
        count = self.prover.parameters
        self.first = Square(g, first, [*states, *v_at], l_at, count)
        self.second = Square(g, second, [*w_at, *e_at, *h_at, *t_at], [*states, *v_at], count)
        self.null = Square(g, null, [*v_at, *e_at], [*states, *l_at, *w_at], count)
        self.nodes = [coefficient, rate]

    def prove(self, y: np.ndarray) -> Proved:
        """Prove a pitchfork near y (n + 1,)."""
        problem, n, m = self.prover.problem, self.prover.problem.n, len(self.leaders)
        jacobian = self.prover.jacobian(y)
        # J restricted: its rows and columns of the leaders, a swapped state being minus its partner
        vectors = null_vectors((jacobian @ self.odd)[self.leaders])
        if vectors is None:
            return Proved(None, reason=NO_SOLUTION)
        right, left = vectors
        doubled = (self.odd**2).sum(axis=0)
        solution = self.first.solve(np.append(y, right), problem.values, (right, right))
        if solution is None:
            return Proved(None, reason=NO_SOLUTION)
        (low, high), (alone_low, alone_high) = solution
        start = np.concatenate([left / doubled, np.zeros(1 + 2 * len(self.followers))])
        other = self.second.solve(start, problem.values, (low, high))
        if other is None:
            return Proved(None, reason="the vectors of its normal form are not enclosed")
        below, over = self.second.evaluated(self.nodes, other[0])
        if not nonzero(below[0], over[0]):
            return Proved(None, reason="degenerate, or nearly so: the coefficient of the pitchfork may be zero")
        if not nonzero(below[1], over[1]):
            return Proved(None, reason="the eigenvalue may not cross the axis")
        box = low[: n + 1], high[: n + 1]
        counts = self.prover.counts(box, 1)
        if counts is None:
            return Proved(None, reason=NOT_SIMPLE)
        known = (np.concatenate([side, right, left / doubled]) for side in box)
        again = self.null.solve(np.append(right, 0.0), problem.values, (next(known), next(known)))
        vectors_of = alone_low[n + 1 :], alone_high[n + 1 :]
        if again is None or not lies_inside([side[:m] for side in again[0]], vectors_of):
            return Proved(None, reason=NOT_ALONE)
        if over[1] < 0.0:
            counts.reverse()  # along the symmetric curve, the side of the smaller parameter first
        turns = "minimum" if (below[0] > 0.0) != (below[1] > 0.0) else "maximum"
        names = [problem.names[k] for k in sorted({*self.symmetry.turned, *sum(self.symmetry.swapped, ())})]
        detail = {"kind": "pitchfork", "symmetry": names, "turns": turns, "unstable": counts}
        return Proved(box, detail | {"c": (float(below[0]), float(over[0]))})

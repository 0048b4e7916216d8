"""The second Lyapunov coefficient of a Bautin point, from derivatives of up to fifth order along real directions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

Array = np.ndarray
Along = Callable[[Array], Array]
"""Returns the first five derivatives of f along a real direction, (5, n)."""


class Forms:
    """Symmetric multilinear forms of complex vectors, by polarisation of derivatives along real directions.

    Parameters
    ----------
    along : callable
    size : (n,) array
        Typical sizes of the states: directions are brought to one length in these units.
    """

    def __init__(self, along: Along, size: Array) -> None:
        self.along, self.size = along, size

    def __call__(self, *vectors: Array) -> Array:
        """Return the form of order `len(vectors)`, (n,): B(u, v), C(u, v, w), ..."""
        order = len(vectors)
        lengths = [float(np.linalg.norm(vector / self.size)) for vector in vectors]
        if not all(lengths):
            return np.zeros(len(self.size), complex)
        units = [vector / length for vector, length in zip(vectors, lengths, strict=True)]
        total = np.zeros(len(self.size), complex)
        for signs in itertools.product((1.0, -1.0), repeat=order - 1):
            step = units[0] + sum(sign * unit for sign, unit in zip(signs, units[1:], strict=True))
            total += math.prod(signs) * self._power(step, order)
        return total * (math.prod(lengths) / (math.factorial(order) * 2.0 ** (order - 1)))

    def _power(self, z: Array, order: int) -> Array:
        """Return the form of z = a + i b with itself, from those of a + t b: a polynomial in t, at t = i."""
        nodes = np.arange(order + 1) - 0.5 * order
        values = np.array([self.along(z.real + t * z.imag)[order - 1] for t in nodes])
        coefficients = np.linalg.solve(np.vander(nodes, increasing=True), values)
        out: Array = (1j ** np.arange(order + 1)) @ coefficients
        return out


def second_lyapunov(jacobian: Array, omega: float, size: Array, along: Along) -> float:
    """Return l2 = Re c2 / omega at a Bautin point, <q, q> = <p, q> = 1, p and q as for l1.

    By the homological equation (Kuznetsov, SIAM J. Numer. Anal. 36, 1999; Elements of Applied Bifurcation Theory,
    8.7.3): z' = i omega z + c1 z |z|^2 + c2 z |z|^4 on the centre manifold, with Re c1 = 0.
    """
    n, form = len(jacobian), Forms(along, size)
    similar = jacobian * size / size[:, None]
    q, p = _eigenvectors(similar, omega, size)
    q = q / np.linalg.norm(q)
    p = p / np.conj(np.vdot(p, q))
    qb = q.conj()

    def solve(k: int, rhs: Array) -> Array:
        matrix = 1j * k * omega * np.eye(n) - similar
        return size * np.linalg.solve(matrix, rhs / size)

    def solve_critical(rhs: Array) -> Array:
        matrix = np.zeros((n + 1, n + 1), complex)
        matrix[:n, :n] = 1j * omega * np.eye(n) - similar
        matrix[:n, n], matrix[n, :n] = q / size, p.conj() * size
        return size * np.linalg.solve(matrix, np.append(rhs / size, 0.0))[:n]

    h20, h11 = solve(2, form(q, q)), solve(0, form(q, qb))
    h20b = h20.conj()
    cubic = form(q, q, qb) + form(qb, h20) + 2.0 * form(q, h11)
    g21 = np.vdot(p, cubic)
    h21, h30 = solve_critical(cubic - g21 * q), solve(3, form(q, q, q) + 3.0 * form(q, h20))
    h21b = h21.conj()
    h31 = solve(
        2,
        form(q, q, q, qb) + 3.0 * (form(q, q, h11) + form(q, qb, h20) + form(h20, h11) + form(q, h21))
        + form(qb, h30) - 3.0 * g21 * h20,
    )  # fmt: skip
    h22 = solve(
        0,
        form(q, q, qb, qb) + 4.0 * form(q, qb, h11) + form(qb, qb, h20) + form(q, q, h20b)
        + 2.0 * (form(h11, h11) + form(q, h21b) + form(qb, h21)) + form(h20b, h20) - 4.0 * g21.real * h11,
    )  # fmt: skip
    fifth = (
        form(q, q, q, qb, qb) + form(q, q, q, h20b) + 3.0 * form(q, qb, qb, h20) + 6.0 * form(q, q, qb, h11)
        + form(qb, qb, h30) + 3.0 * form(q, q, h21b) + 6.0 * form(q, qb, h21) + 3.0 * form(q, h20b, h20)
        + 6.0 * form(q, h11, h11) + 6.0 * form(qb, h20, h11) + 2.0 * form(qb, h31) + 3.0 * form(q, h22)
        + form(h20b, h30) + 3.0 * form(h21b, h20) + 6.0 * form(h11, h21)
    )  # fmt: skip
    return float(np.vdot(p, fifth).real) / (12.0 * omega)


def _eigenvectors(similar: Array, omega: float, size: Array) -> tuple[Array, Array]:
    """Return q with J q = i omega q and p with J' p = -i omega p."""
    found = []
    for matrix in (similar, similar.T):
        values, columns = np.linalg.eig(matrix)
        found.append(columns[:, int(np.argmin(np.abs(values - 1j * omega)))])
    return found[0] * size, found[1].conj() / size

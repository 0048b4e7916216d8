"""Linear conservation laws: found numerically, and divided out so that the Jacobian is regular again.

A closed reaction network keeps some sums of its species constant. Its Jacobian is singular everywhere, and equilibria
come in families, one for every value of the totals. Each conserved sum removes one variable: it becomes a definition,
and the total becomes a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.systems.system import System

SAMPLES = 6
NULL = 1e-10
"""Singular values below this fraction of the largest count as zero."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """A system without its conserved sums.

    Attributes
    ----------
    system : System
        The reduced system; its parameters are the original ones and the totals `total_1`, `total_2`, ... .
    laws : (r, n) array
        The conserved sums: laws @ x is constant. In each, the eliminated variable has coefficient 1 and the other
        eliminated ones 0.
    eliminated : tuple of int
        The variables that became definitions, one for each law.
    kept : tuple of int
        The others.
    totals : tuple of str
        The names of the new parameters.
    """

    system: System
    laws: np.ndarray
    eliminated: tuple[int, ...]
    kept: tuple[int, ...]
    totals: tuple[str, ...]

    def sentence(self, names: tuple[str, ...]) -> str:
        """Say what is conserved."""
        sums = [f"{total} = {_sum(law, names)}" for law, total in zip(self.laws, self.totals, strict=True)]
        return f"Conserved and divided out: {'; '.join(sums)}. The totals are parameters, set by the start."


def conserved(system: System, x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the conserved sums of a system as rows, shape (r, n), r = 0 for most systems.

    A sum c is conserved when c f(x) = 0 for all x, so c is a common left null vector of f and its Jacobian at random
    points (seeded, so the answer is the same every time).
    """
    n = len(x)
    if n == 1 or not _singular(system.jacobian(x, values)):
        return np.zeros((0, n))
    rng = np.random.default_rng(0)
    size = np.abs(x) + 0.1 * np.max(np.abs(x)) + 0.1
    columns = []
    for _ in range(SAMPLES):
        point = size * rng.uniform(0.5, 1.5, n)
        block = np.column_stack([system.rhs(point, values), system.jacobian(point, values)])
        if np.all(np.isfinite(block)):
            columns.append(block)
    if not columns:
        return np.zeros((0, n))
    left, sizes, _ = np.linalg.svd(np.column_stack(columns))
    rank = int(np.sum(sizes > NULL * sizes[0]))
    return _echelon(left[:, rank:].T)


def reduce(system: System, laws: np.ndarray, x: np.ndarray) -> Reduction:
    """Return the system with its conserved sums divided out, the totals taken at `x`.

    Parameters
    ----------
    laws : (r, n) array
        As `conserved` returns them.
    """
    names = system.variables
    eliminated = tuple(int(np.argmax(_alone(laws, row))) for row in range(len(laws)))
    kept = tuple(i for i in range(len(names)) if i not in eliminated)
    taken = {*names, *system.parameters, *system.definitions}
    totals = []
    for row in range(len(laws)):
        name = f"total_{row + 1}"
        while name in taken:
            name += "_"
        taken.add(name)
        totals.append(name)
    definitions = dict(system.definitions)
    for law, index, total in zip(laws, eliminated, totals, strict=True):
        rest = "".join(f" - ({float(law[i])!r})*{names[i]}" for i in kept if law[i] != 0.0)
        definitions[names[index]] = total + rest
    parameters = dict(zip(system.parameters, system.values.tolist(), strict=True))
    parameters |= dict(zip(totals, (laws @ x).tolist(), strict=True))
    smaller = System.from_equations(
        {names[i]: system.equations[names[i]] for i in kept},
        parameters=parameters,
        state={names[i]: float(x[i]) for i in kept},
        definitions=definitions,
        nonnegative=system.nonnegative,
        title=system.title,
    )
    return Reduction(smaller, laws, eliminated, kept, tuple(totals))


def _singular(jacobian: np.ndarray) -> bool:
    if not np.all(np.isfinite(jacobian)):
        return False
    sizes = np.linalg.svd(jacobian / np.maximum(np.max(np.abs(jacobian), axis=1, keepdims=True), 1e-300), compute_uv=False)
    return bool(sizes[-1] <= NULL * sizes[0])


def _echelon(rows: np.ndarray) -> np.ndarray:
    """Return the same row space with a unit column for each row, pivoting on the largest entry."""
    rows = rows.copy()
    pivots: list[int] = []
    for k in range(len(rows)):
        free = [j for j in range(rows.shape[1]) if j not in pivots]
        column = free[int(np.argmax(np.abs(rows[k, free])))]
        rows[k] /= rows[k, column]
        for other in range(len(rows)):
            if other != k:
                rows[other] -= rows[other, column] * rows[k]
        pivots.append(column)
    nice = np.round(rows * 12.0) / 12.0  # stoichiometric coefficients are small fractions
    rows = np.where(np.abs(rows - nice) < 1e-9, nice, rows) + 0.0
    positive = _without_minus(rows)
    return positive if all(_alone(positive, row).any() for row in range(len(rows))) else rows


def _without_minus(rows: np.ndarray) -> np.ndarray:
    """Add sums without negative entries to those that have some: S - E and E + C become the total S + C and E + C."""
    rows = rows.copy()
    for row in rows:
        for other in rows:
            if other is not row and np.all(other >= 0.0):
                both = (row < 0.0) & (other > 0.0)
                if both.any():
                    row += np.max(-row[both] / other[both]) * other
    return rows


def _alone(laws: np.ndarray, row: int) -> np.ndarray:
    """Return a mask of the columns in which only this row is not zero, where it is one."""
    mask: np.ndarray = (laws[row] == 1.0) & (np.count_nonzero(laws, axis=0) == 1)
    return mask


def _sum(law: np.ndarray, names: tuple[str, ...]) -> str:
    terms = [(c, name) for c, name in zip(law.tolist(), names, strict=True) if c != 0.0]
    text = " ".join(f"{'-' if c < 0 else '+'} {'' if abs(c) == 1 else f'{abs(c):.6g} '}{name}" for c, name in terms)
    return text.removeprefix("+ ")

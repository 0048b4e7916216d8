"""Linear conservation laws: found numerically, and divided out so that the Jacobian is regular again.

A closed reaction network keeps some sums of its species constant. Its Jacobian is singular everywhere, and equilibria
come in families, one for every value of the totals. Each conserved sum removes one variable: it becomes a definition,
and the total becomes a parameter.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from bifrncrn.models.region import Region
from bifrncrn.models.system import System

SAMPLES = 6
NULL = 1e-12
"""Singular values below this fraction of the largest count as zero."""
TRIED = 5000
"""The most combinations of species tried to write conserved sums without negative terms."""
CANCELS = 1e-8
"""A sum is conserved when its terms cancel to this fraction of them, in f and in every column of the Jacobian."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """A system without its conserved sums.

    Attributes
    ----------
    whole : System
        The system with all its variables.
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

    whole: System
    system: System
    laws: np.ndarray
    eliminated: tuple[int, ...]
    kept: tuple[int, ...]
    totals: tuple[str, ...]

    def solved(self, parameter: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Return the eliminated variables as functions of y = (kept variables, `parameter`): rows @ y + offsets."""
        values = dict(zip(self.system.parameters, self.system.values.tolist(), strict=True))
        varied = np.array([name == parameter for name in self.totals])
        rows = np.column_stack([-self.laws[:, list(self.kept)], varied])
        return rows, np.where(varied, 0.0, [values[name] for name in self.totals])

    def sentence(self, names: tuple[str, ...]) -> str:
        """Say what is conserved."""
        sums = [f"{total} = {_sum(law, names)}" for law, total in zip(self.laws, self.totals, strict=True)]
        return f"Conserved and divided out: {'; '.join(sums)}. The totals are parameters, set by the start."


def conserved(
    system: System, x: np.ndarray, region: Region | None = None, varied: tuple[int, float, float] | None = None
) -> np.ndarray:
    """Return the conserved sums of a system as rows, shape (r, n), r = 0 for most systems.

    A sum c is conserved when c f(x) = 0 for all x, so c is a common left null vector of f and its Jacobian at random
    points (seeded, so the answer is the same every time).

    Parameters
    ----------
    x : (n,) array
        The start, whose size says where to look.
    region : Region, optional
        Where the states may be.
    varied : (int, float, float), optional
        Index and range of a parameter that will vary: the sum must be conserved for all its values.
    """
    n = len(x)
    none = np.zeros((0, n))
    start = x.tobytes()
    if n == 1 or system.remembered.get("regular at") == start:
        return none
    if not _singular(system.jacobian(x), np.abs(x)):
        system.remembered["regular at"] = start
        return none
    columns = _samples(system, x, region or Region(system.lower, system.upper), varied)
    if not columns.shape[1]:
        return none
    rows = np.max(np.abs(columns), axis=1)
    rows[rows == 0.0] = 1.0
    scaled = columns / rows[:, None]
    widths = np.max(np.abs(scaled), axis=0)
    left, sizes, _ = np.linalg.svd(scaled / np.where(widths > 0.0, widths, 1.0))
    rank = int(np.sum(sizes > NULL * sizes[0]))
    laws = _echelon(left[:, rank:].T / rows) if rank < n else none
    cancels = np.abs(laws @ columns) <= CANCELS * (np.abs(laws) @ np.abs(columns))
    laws = laws[np.all(cancels, axis=1)]
    return _natural(laws) if len(laws) else laws


def _samples(system: System, x: np.ndarray, region: Region, varied: tuple[int, float, float] | None) -> np.ndarray:
    """Return f and the columns of the Jacobian at random points, (n, k); without those where they are not finite."""
    n = len(x)
    rng = np.random.default_rng(0)
    own = np.where(np.abs(x) > 1e-14 * np.max(np.abs(x)), np.abs(x), 0.1 * np.max(np.abs(x)) or 0.1)
    columns = [np.zeros((n, 0))]
    for sample in range(2 * SAMPLES):
        # of several sizes: in a state that is far too large, nothing but the highest power of it would count
        size = own * 10.0 ** (-2.0 * (sample // 2 % 4))
        # half of them near the start, should the model be defined only there
        point = size * rng.uniform(0.5, 1.5, n) if sample % 2 else x + 0.1 * size * rng.uniform(-1.0, 1.0, n)
        point, at = region.clip(point), np.array(system.values)
        if varied is not None:
            at[varied[0]] = rng.uniform(*varied[1:])
        block = np.column_stack([system.rhs(point, at), system.jacobian(point, at)])
        if np.all(np.isfinite(block)):
            columns.append(block)
    return np.hstack(columns)


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
        nonnegative=[names[i] for i in kept if system.lower[i] == 0.0],
        periodic=[name for name in system.periodic if name in {names[i] for i in kept}],
        title=system.title,
    )
    return Reduction(system, smaller, laws, eliminated, kept, tuple(totals))


def _singular(jacobian: np.ndarray, sizes: np.ndarray) -> bool:
    """Say whether a Jacobian is singular, whatever the units of states and equations."""
    if not np.all(np.isfinite(jacobian)):
        return True  # it is not known: look elsewhere
    scaled = jacobian * np.maximum(sizes, 1e-3 * np.max(sizes) or 1.0)
    scaled = scaled / np.maximum(np.max(np.abs(scaled), axis=1, keepdims=True), 1e-300)
    values = np.linalg.svd(scaled, compute_uv=False)
    return bool(values[-1] <= 1e3 * NULL * values[0])


def _echelon(rows: np.ndarray) -> np.ndarray:
    """Return the reduced row echelon form, which depends on the space the rows span only."""
    rows = rows.copy()
    column = 0
    for k in range(len(rows)):
        size = np.max(np.abs(rows[k:]))
        while np.max(np.abs(rows[k:, column])) <= 1e-9 * size:
            column += 1
        best = k + int(np.argmax(np.abs(rows[k:, column])))
        rows[[k, best]] = rows[[best, k]]
        rows[k] /= rows[k, column]
        for other in range(len(rows)):
            if other != k:
                rows[other] -= rows[other, column] * rows[k]
    return _rounded(rows)


def _rounded(rows: np.ndarray) -> np.ndarray:
    """Return the rows without rounding errors: stoichiometric coefficients are small fractions."""
    nice = np.round(rows * 12.0) / 12.0
    return np.where(np.abs(rows - nice) < 1e-9, nice, rows) + 0.0


def _natural(laws: np.ndarray) -> np.ndarray:
    """Return the same sums as totals of what is conserved: without negative terms, in the order of the variables.

    They are extreme rays of the cone of non-negative sums, each of which is zero in all but one dimension of the
    space of sums. Where there are none, or too many to try, the sums are returned as they are.
    """
    r, n = laws.shape
    if math.comb(n, r - 1) > TRIED:
        return laws
    rays: dict[tuple[float, ...], np.ndarray] = {}
    for zeros in itertools.combinations(range(n), r - 1):
        _, sizes, right = np.linalg.svd(laws[:, zeros].T, full_matrices=True)
        if np.sum(sizes > 1e-9) < r - 1:
            continue
        ray = right[-1] @ laws
        ray = ray * np.sign(ray[np.argmax(np.abs(ray))])
        ray[np.abs(ray) < 1e-9 * np.max(ray)] = 0.0
        if np.all(ray >= 0.0):
            ray = _rounded(ray / np.min(ray[ray > 0.0]))
            rays[tuple(np.round(ray, 9).tolist())] = ray
    chosen: list[np.ndarray] = []
    for ray in sorted(rays.values(), key=lambda c: (np.count_nonzero(c), int(np.argmax(c > 0.0)))):
        if np.linalg.matrix_rank(np.array([*chosen, ray])) > len(chosen):
            chosen.append(ray)
    if len(chosen) < r:
        return laws
    found = np.array(sorted(chosen, key=lambda c: int(np.argmax(c > 0.0))))
    for row in range(r):
        alone = (found[row] != 0.0) & (np.count_nonzero(found, axis=0) == 1)
        if not alone.any():
            return laws
        if not np.any(found[row][alone] == 1.0):
            found[row] /= found[row][alone][0]
    return found


def _alone(laws: np.ndarray, row: int) -> np.ndarray:
    """Return a mask of the columns in which only this row is not zero, where it is one."""
    mask: np.ndarray = (laws[row] == 1.0) & (np.count_nonzero(laws, axis=0) == 1)
    return mask


def _sum(law: np.ndarray, names: tuple[str, ...]) -> str:
    terms = [(c, name) for c, name in zip(law.tolist(), names, strict=True) if c != 0.0]
    text = " ".join(f"{'-' if c < 0 else '+'} {'' if abs(c) == 1 else f'{abs(c):.6g} '}{name}" for c, name in terms)
    return text.removeprefix("+ ")

"""Linear conservation laws: found numerically, and divided out so that the Jacobian is regular again.

A closed reaction network keeps some sums of its species constant. Its Jacobian is singular everywhere, and equilibria
come in families, one for every value of the totals. Each conserved sum removes one variable: it becomes a definition,
and the total becomes a parameter.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.models.cancelling import Terms, TooLargeError
from bifrncrn.models.expressions import parse_number
from bifrncrn.models.maps import displaced, is_map
from bifrncrn.models.observables import Observables, observables
from bifrncrn.models.region import Region
from bifrncrn.models.starts import at_start
from bifrncrn.models.system import System
from bifrncrn.models.words import listed, shorten, suggest

SAMPLES = 6
NULL = 1e-12
"""Singular values below this fraction of the largest count as zero."""
NOISE = (1e-14, 1e-11, 0.0)
"""Entries of a null vector below this are rounding, in units of the rows; tried in turn."""
LARGEST = 100
"""The most states of a system whose sums are divided out: larger ones are followed whole, by sparse arithmetic."""
FASTER = 1e3
"""A variable this much faster than the first of a sum is solved for in its place."""
TRIED = 5000
"""The most combinations of species tried to write conserved sums without negative terms."""
SAME_TOTAL = 1e-7
"""A state has the total of the start when it agrees to this fraction: equilibria and orbits keep sums that well."""
LINEAR = 1e-9
"""A total is linear in a parameter when it bends by no more than this fraction: rounding."""
CANCELS = 1e-8
"""A sum is conserved when its terms cancel to this fraction of them, in every column of the Jacobian ..."""
WITHIN = 16.0
"""... and in f to this multiple of what rounding makes of them: slow terms beside fast ones are no rounding."""


@dataclass(frozen=True, eq=False)
class Reduction:
    """A system without its conserved sums.

    Attributes
    ----------
    whole : System
        The system with all its variables.
    system : System
        The reduced system; its parameters are the original ones and the totals, `total_E` for the sum in which E is the
        first variable of no other sum.
    laws : (r, n) array
        The conserved sums: laws @ x is constant. In each, the eliminated variable has coefficient 1 and the other
        eliminated ones 0.
    eliminated : tuple of int
        The variables that became definitions, one for each law: the first that only it has, or a far faster one.
    kept : tuple of int
        The others.
    totals : tuple of str
        The names of what they are: new parameters, or definitions where the starts are functions of parameters.
    """

    whole: System
    system: System
    laws: np.ndarray
    eliminated: tuple[int, ...]
    kept: tuple[int, ...]
    totals: tuple[str, ...]

    @property
    def parts(self) -> tuple[System, np.ndarray, tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
        """All but the whole system, of which it can be made again."""
        return self.system, self.laws, self.eliminated, self.kept, self.totals

    def solved(self, parameter: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Return the eliminated variables as functions of y = (kept variables, `parameter`): rows @ y + offsets.

        A total that is no linear function of the parameter is taken as not a number, which bounds nothing.
        """
        system = self.system
        column = system.parameters.index(parameter) if parameter in system.parameters else None
        values = np.tile(system.values, (3, 1))
        if column is not None:
            values[:, column] += np.arange(3) * (abs(values[0, column]) or 1.0)
        at = self._totals_at(values)
        step = values[1, column] - values[0, column] if column is not None else 1.0
        slopes = (at[1] - at[0]) / step
        bent = np.abs(at[2] - 2.0 * at[1] + at[0]) > LINEAR * np.max(np.abs(at), axis=0)
        offsets = at[0] - (slopes * values[0, column] if column is not None else 0.0)
        rows = np.column_stack([-self.laws[:, list(self.kept)], slopes])
        return rows, np.where(bent, np.nan, offsets)

    def states(self, kept: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return all variables (k, n) at kept ones (k, kept) and parameter values (k, m) of the reduced system."""
        out = np.empty((len(kept), self.laws.shape[1]))
        out[:, list(self.kept)] = kept
        out[:, list(self.eliminated)] = self._totals_at(values) - kept @ self.laws[:, list(self.kept)].T
        return out

    def at(self, kept: np.ndarray, values: Mapping[str, float]) -> np.ndarray:
        """Return all variables (k, n) at kept ones (k, kept), some parameters having these values."""
        return self.states(kept, np.tile(self.system.with_(values=values).values, (len(kept), 1)))

    def along(self, kept: np.ndarray, parameter: str, p: np.ndarray) -> np.ndarray:
        """Return all variables (k, n) at kept ones (k, kept), a parameter at p (k,), the others as they are."""
        values = np.tile(self.system.values, (len(kept), 1))
        values[:, self.system.parameter_index(parameter)] = p
        return self.states(kept, values)

    def _totals_at(self, values: np.ndarray) -> np.ndarray:
        """Return the totals (k, r) at parameter values (k, m)."""
        names = self.system.parameters
        if all(total in names for total in self.totals):
            return values[:, [names.index(total) for total in self.totals]]
        return self._observed.along(np.zeros((len(values), len(self.kept))), values)

    @functools.cached_property
    def _observed(self) -> Observables:
        return observables(self.system, {total: total for total in self.totals})

    def sentence(self, names: tuple[str, ...]) -> str:
        """Say what is conserved."""
        sums = [f"{total} = {_sum(law, names)}" for law, total in zip(self.laws, self.totals, strict=True)]
        follow = [total for total in self.totals if total in self.system.definitions]
        free = "The totals are parameters, set by the start."
        if follow:
            free = (
                f"{', '.join(follow)} follow{'s' * (len(follow) == 1)} the parameters that the starts are functions of"
            )
            free += "; the other totals are parameters." if len(follow) < len(self.totals) else "."
        return f"Conserved and divided out: {'; '.join(sums)}. {free}"


def conserved(
    system: System, x: np.ndarray, region: Region | None = None, varied: tuple[int, float, float] | None = None
) -> np.ndarray:
    """Return the conserved sums of a system as rows, shape (r, n), r = 0 for most systems.

    A sum c is conserved when c f(x) = 0 for all x (of a map: c (f(x) - x) = 0, so f(x) - x takes the place of f), so c
    is a common left null vector of f and its Jacobian at random points (seeded, so the answer is the same every time).
    Where the formulas can be multiplied out, their terms must cancel too, and sums that are read from the terms alone
    count as well (`bifrncrn.models.cancelling`).

    Parameters
    ----------
    x : (n,) array
        The start, whose size says where to look.
    region : Region, optional
        Where the states may be.
    varied : (int, float, float), optional
        Index and range of a parameter that will vary: the sum must be conserved for all its values.
    """
    require_kind(system, System, "a system")
    if not isinstance(x, np.ndarray) or x.shape != (len(system.variables),):
        raise InputError(f"x is {x!r:.60}; give an array of {len(system.variables)} numbers, the start")
    if is_map(system):  # a map keeps a sum where f(x) - x does not change it
        system = displaced(system, 1)
    n = len(x)
    none = np.zeros((0, n))
    start = x.tobytes()
    if n == 1 or system.remembered.get("regular at") == start:
        return none
    if not _singular(system.jacobian(x), np.abs(x)):
        system.remembered["regular at"] = start
        return none
    points = _points(system, x, region or Region(system.lower, system.upper), varied)
    columns, fields, errors = _samples(system, points)
    if not columns.shape[1]:
        return none
    rows = np.max(np.abs(columns), axis=1)
    rows[rows == 0.0] = 1.0
    terms = _terms(system, varied)
    exact = _echelon(terms.laws()) if terms else none
    found = _null_vectors(columns, rows, fields, errors)
    if terms:
        found = found[[terms.cancel(law, points) for law in found]]
    laws = found if len(found) > len(exact) else exact
    return _natural(laws) if len(laws) else none


def _terms(system: System, varied: tuple[int, float, float] | None) -> Terms | None:
    """Return the right-hand sides multiplied out; None where that is too much."""
    if not system.has_formulas:
        return None
    try:
        return Terms(*system.native.graph, system.values, varied[0] if varied else None)
    except TooLargeError:
        return None


def _null_vectors(columns: np.ndarray, rows: np.ndarray, fields: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return the common left null vectors (r, n) of columns (n, k) with entries of size `rows` (n,)."""
    n = len(rows)
    scaled = columns / rows[:, None]
    widths = np.max(np.abs(scaled), axis=0)
    left, sizes, _ = np.linalg.svd(scaled / np.where(widths > 0.0, widths, 1.0))
    for null in (NULL, 1e-2 * NULL):
        rank = int(np.sum(sizes > null * sizes[0]))
        for noise in NOISE if rank < n else ():
            vectors = left[:, rank:].T
            laws = _echelon(np.where(np.abs(vectors) > noise, vectors, 0.0) / rows)
            cancels = np.all(np.abs(laws @ columns) <= CANCELS * (np.abs(laws) @ np.abs(columns)), axis=1)
            cancels &= np.all(np.abs(laws @ fields) <= WITHIN * (np.abs(laws) @ errors), axis=1)
            if cancels.all() or (noise == NOISE[-1] and cancels.any()):
                return laws[cancels]
    return np.zeros((0, n))


def _points(
    system: System, x: np.ndarray, region: Region, varied: tuple[int, float, float] | None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return random points: states and parameters."""
    n = len(x)
    rng = np.random.default_rng(0)
    own = np.where(np.abs(x) > 1e-14 * np.max(np.abs(x)), np.abs(x), 0.1 * np.max(np.abs(x)) or 0.1)
    points = []
    for sample in range(2 * SAMPLES):
        # of several sizes: in a state that is far too large, nothing but the highest power of it would count
        size = own * 10.0 ** (-2.0 * (sample // 2 % 4))
        # half of them near the start, should the model be defined only there
        point = size * rng.uniform(0.5, 1.5, n) if sample % 2 else x + 0.1 * size * rng.uniform(-1.0, 1.0, n)
        point, at = region.clip(point), np.array(system.values)
        if varied is not None:
            at[varied[0]] = rng.uniform(*varied[1:])
        points.append((point, at))
    return points


def _samples(system: System, points: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return f and the columns of the Jacobian at points, (n, k); without those where they are not finite.

    Then f alone, and what rounding may make of it, (n, points) each.
    """
    n = len(system.variables)
    columns, fields, errors = [np.zeros((n, 0))], [np.zeros((n, 0))], [np.zeros((n, 0))]
    for point, at in points:
        block = np.column_stack([system.rhs(point, at), system.jacobian(point, at)])
        if np.all(np.isfinite(block)):
            columns.append(block)
            fields.append(block[:, :1])
            errors.append(system.rounding(point, at)[:, None])
    return np.hstack(columns), np.hstack(fields), np.hstack(errors)


def reduce(system: System, laws: np.ndarray, x: np.ndarray, at: Mapping[str, float] | None = None) -> Reduction:
    """Return the system with its conserved sums divided out, the totals taken at `x`.

    Where the starts of a sum are functions of parameters and x agrees with them, the total follows these parameters.

    Parameters
    ----------
    laws : (r, n) array
        As `conserved` returns them.
    at : mapping, optional
        Parameter values that belong to x, where they are not the system's own.
    """
    names = system.variables
    totals = _total_names(system, _eliminated(laws))
    eliminated = _fastest(system, laws)
    kept = tuple(i for i in range(len(names)) if i not in eliminated)
    definitions = dict(system.definitions)
    for law, index, total in zip(laws, eliminated, totals, strict=True):
        rest = "".join(f" - ({float(law[i])!r})*{names[i]}" for i in kept if law[i] != 0.0)
        definitions[names[index]] = total + rest
    parameters = dict(zip(system.parameters, system.values.tolist(), strict=True))
    for total, law in zip(totals, laws, strict=True):
        followed = _followed(system, law, x, at or {})
        if followed is None:
            parameters[total] = float(law @ x)
        else:
            definitions[total] = followed
    smaller = System.trusted(
        {names[i]: system.equations[names[i]] for i in kept},
        parameters=parameters,
        state={names[i]: float(x[i]) for i in kept},
        definitions=definitions,
        nonnegative=[names[i] for i in kept if system.lower[i] == 0.0],
        periodic=[name for name in system.periodic if name in {names[i] for i in kept}],
        title=system.title,
        kind=system.kind,
    )
    smaller = replace(smaller, notes=system.notes, clock=system.clock)
    smaller.__dict__["native"] = system.native.shared(smaller.native)
    return Reduction(system, smaller, laws, eliminated, kept, tuple(totals))


def conserved_totals(system: System) -> dict[str, float]:
    """Return the conserved sums of a system at its start, by the names they have as parameters of diagrams.

    Examples
    --------
    >>> pair = System.from_equations({"E": "C - E", "C": "E - C"}, state={"E": 2, "C": 1})
    >>> conserved_totals(pair)
    {'total_E': 3.0}
    """
    laws = _laws(system)
    sums = (laws @ system.state).tolist()
    return dict(zip(_total_names(system, _eliminated(laws)), sums, strict=True))


def with_totals(system: System, totals: Mapping[str, float]) -> System:
    """Return the system with a start that has other conserved sums; in each, the variable it is named after changes.

    Raises
    ------
    InputError
        If there is no such sum, or its variable would become negative although it is a quantity that cannot.
    """
    laws = _laws(system)
    eliminated = _eliminated(laws)
    rows = {name: row for row, name in enumerate(_total_names(system, eliminated))}
    changed = {}
    for name, value in totals.items():
        if name not in rows:
            hint = suggest(name, rows) or (listed(rows) if rows else "; nothing is conserved")
            raise InputError(f"there is no conserved sum '{shorten(name)}'{hint}")
        value = parse_number(value, name)
        law, index = laws[rows[name]], eliminated[rows[name]]
        variable = system.variables[index]
        changed[variable] = float(system.state[index] + value - law @ system.state)
        if changed[variable] < system.lower[index]:
            raise InputError(
                f"{name} = {value:g} is less than the other terms of {_sum(law, system.variables)} at the start, so "
                f"{variable} would be {changed[variable]:g}; give them smaller starts"
            )
    return system.with_(state=changed)


def _laws(system: System) -> np.ndarray:
    """Return the conserved sums that diagrams would divide out, (r, n)."""
    n = len(system.variables)
    if n > LARGEST or not system.has_formulas:
        return np.zeros((0, n))
    return conserved(system, np.array(system.state))


def _eliminated(laws: np.ndarray) -> tuple[int, ...]:
    """Return for each sum the first variable that is in no other, with coefficient one."""
    return tuple(int(np.argmax(_alone(laws, row))) for row in range(len(laws)))


def _fastest(system: System, laws: np.ndarray) -> tuple[int, ...]:
    """Return for each sum the variable to be solved for: the first, unless its equation is far slower than another's.

    The equation that is left out follows from the others. Left out a slow one, what it says would have to come from the
    difference of fast ones, and drown in their rounding.
    """
    rates = np.abs(np.diagonal(system.jacobian(system.state)))
    rates = np.where(np.isfinite(rates), rates, 0.0)
    chosen = []
    for row, first in enumerate(_eliminated(laws)):
        fastest = int(np.argmax(np.where(_alone(laws, row), rates, -1.0)))
        chosen.append(fastest if rates[fastest] > FASTER * rates[first] else first)
    return tuple(chosen)


def _total_names(system: System, eliminated: tuple[int, ...]) -> list[str]:
    """Return names for the totals that nothing else has, after the variable that only they have."""
    taken = {*system.variables, *system.parameters, *system.definitions}
    totals = []
    for index in eliminated:
        name = f"total_{system.variables[index]}"
        while name in taken:
            name += "_"
        taken.add(name)
        totals.append(name)
    return totals


def _followed(system: System, law: np.ndarray, x: np.ndarray, at: Mapping[str, float]) -> str | None:
    """Return a total as a function of parameters; None where its starts are numbers, or x is another state."""
    used = [i for i in np.flatnonzero(law).tolist() if system.variables[i] in system.starts]
    if not used:
        return None
    known = {n: system.starts.get(n, f"({v!r})") for n, v in zip(system.variables, system.state.tolist(), strict=True)}
    terms = [f"({float(law[i])!r})*{system.variables[i]}" for i in np.flatnonzero(law).tolist()]
    text = at_start(" + ".join(terms), system.parameters, system.definitions, known)
    if text is None:
        return None
    changed = {name: value for name, value in at.items() if name in system.parameters}
    total = float(law @ system.with_(values=changed).state)
    return text if abs(total - law @ x) <= SAME_TOTAL * (np.abs(law) @ np.abs(x)) else None


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

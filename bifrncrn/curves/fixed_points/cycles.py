"""The verb `cycles`: all cycles of a given length of a piecewise linear map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import Reported, folded, format_complex, format_table, printable
from bifrncrn.curves.fixed_points.regions import GivenUp, Polyhedron, Regions, Sides, nearest
from bifrncrn.models.maps import is_map, least_period, orbit
from bifrncrn.models.pieces import pieces_of
from bifrncrn.models.system import System

ALIKE = 1e-7
"""Two cycles whose states differ by less than this, relatively, are one; so exactly one returns to its start."""
SINGULAR = 1e-12
"""A matrix whose least singular value is below this part of the largest has no inverse."""
TRIALS, CORRECTIONS = 500, 30
"""Random starts, and corrections of the sequence of pieces from each, where not all sequences can be looked at."""
TRANSIENT = 100
"""Steps after which the orbit of a random start is looked at."""
SHOWN = 40


@dataclass(frozen=True, eq=False)
class MapCycle:
    """A cycle of a map.

    Attributes
    ----------
    states : (k, n) array
        Its points in their order.
    multipliers : (n,) complex array
        The eigenvalues of the derivative of the k-th iterate, by descending size.
    """

    states: np.ndarray
    multipliers: np.ndarray

    @property
    def stable(self) -> bool:
        """Whether all multipliers are inside the unit circle."""
        return bool(np.all(np.abs(self.multipliers) < 1.0))


@dataclass(frozen=True, eq=False, repr=False)
class MapCycles(Reported):
    """All cycles of one length of a map, or those that were found.

    Attributes
    ----------
    system : System
    period : int
    found : tuple of MapCycle
    exhaustive : bool
        Whether every sequence of pieces was looked at: there are no others then.
    evidence : str
        How they were found, and what is left open, as a sentence.
    checks : int
        How many polyhedra were looked at.
    """

    system: System
    period: int
    found: tuple[MapCycle, ...]
    exhaustive: bool
    evidence: str
    checks: int = field(default=0)

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[MapCycle]:
        return iter(self.found)

    def __getitem__(self, index: int) -> MapCycle:
        return self.found[index]

    def __str__(self) -> str:
        noun = "fixed point" if self.period == 1 else f"{self.period}-cycle"
        count = len(self.found)
        lines = [f"{self.system.title or 'model'}: {count} {noun}{'s' * (count != 1)}", ""] if count else []
        lines = lines or [f"{self.system.title or 'model'}: no {noun}", ""]
        rows = [
            [
                "stable" if cycle.stable else "unstable",
                ", ".join(f"{value:.8g}" for value in cycle.states[0].tolist()[:4]),
                format_complex(cycle.multipliers[:4]),
            ]
            for cycle in self.found[:SHOWN]
        ]
        lines += [format_table(["stability", "first point", "multipliers"], rows)] if rows else []
        lines += [f"({count - SHOWN} more)"] if count > SHOWN else []
        return printable(folded("\n".join([*lines, f"({self.evidence})"])))


def cycles(system: System, *, period: int, limit: int = 50_000) -> MapCycles:
    """Return all cycles of a piecewise linear map that have a given least period.

    A map is piecewise linear if it is linear between its borders, where `max`, `min`, `abs` or a condition change sides
    (`System.plrnn`, `System.shplrnn`, the tent map). A cycle is the fixed point of the composition of the pieces it
    passes through. All sequences of pieces are looked at that an orbit can follow: those for which the states whose
    orbits do so, a polyhedron, are not none. Where there are more of them than `limit` allows, cycles are searched from
    random starts instead (as Eisenmann, Monfared, Goering & Durstewitz, NeurIPS 2023, do), and the result says so.

    Parameters
    ----------
    system : System
        A map, at its own parameter values.
    period : int
        The least period, at least 1.
    limit : int
        How many polyhedra may be looked at; a thousand take some half a second.

    Raises
    ------
    InputError
        If the system is no map, or is not linear between its borders.

    Examples
    --------
    >>> tent = System.from_map({"x": "min(2*x, 2 - 2*x)"}, state={"x": 0.3})
    >>> [len(cycles(tent, period=k)) for k in (1, 2, 3, 4)]
    [2, 1, 2, 3]
    """
    require_kind(system, System, "a system")
    if not is_map(system):
        raise InputError("cycles enumerates those of a map, and the model has differential equations; see find_cycle")
    if not system.has_formulas:
        raise InputError(
            "cycles reads the borders of a piecewise linear map in its equations, and this one is a Python function; "
            "diagram follows those that a start leads to"
        )
    for name, value in (("period", period), ("limit", limit)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} is {value!r:.40}; give a whole number of at least 1")
    regions = Regions(pieces_of(system), limit)
    collected = _Collected(system, period)
    try:
        _enumerate(regions, period, collected)
    except GivenUp:
        _search(regions, period, collected)
        what = f"{TRIALS} random starts; not exhaustive: there are more sequences of pieces than limit={limit} allows"
        return MapCycles(system, period, tuple(collected.found), False, f"from {what}", limit)
    checks = limit - regions.left
    evidence = "exhaustive: all sequences of pieces that an orbit can follow were looked at"
    if collected.continuum:
        evidence = "not exhaustive: whole lines of states return after so many steps, and no cycle on them is listed"
    return MapCycles(system, period, tuple(collected.found), not collected.continuum, evidence, checks)


class _Collected:
    """The cycles found so far, each once."""

    def __init__(self, system: System, period: int) -> None:
        self.system, self.period = system, period
        self.found: list[MapCycle] = []
        self.continuum = False

    def solve(self, M: np.ndarray, b: np.ndarray, region: Polyhedron | None = None) -> np.ndarray | None:
        """Return the fixed point of x -> M x + b, None where there is none or a whole line of them.

        Of a line it is noted where it meets the region given: the states that follow the sequence of pieces.
        """
        matrix = np.eye(len(b)) - M
        u, s, vh = np.linalg.svd(matrix)
        if s[-1] > SINGULAR * max(s[0], 1.0):
            return np.asarray(vh.T @ ((u.T @ b) / s))
        kept = s > SINGULAR * max(s[0], 1.0)
        x = vh.T[:, kept] @ ((u.T @ b)[kept] / s[kept])
        solvable = np.linalg.norm(matrix @ x - b) <= ALIKE * (np.linalg.norm(b) + np.linalg.norm(x))
        if solvable and region is not None:
            line = vh.T[:, ~kept]
            # without borders the region is everywhere
            self.continuum |= not len(region.G) or nearest(region.G @ line, region.G @ x + region.h) is not None
        return None

    def offer(self, x: np.ndarray, M: np.ndarray) -> None:
        """Keep the cycle of a state, if it is one of the right least period, and new."""
        states = self._returns(x)
        if states is None:
            return
        unit = np.maximum(np.abs(states).max(axis=0), np.abs(states).max() * ALIKE) + 1e-300
        if least_period(states, unit) != self.period:
            return
        for other in self.found:
            if np.any(np.all(np.abs(other.states - states[0]) <= 10.0 * ALIKE * unit, axis=1)):
                return
        values = np.linalg.eigvals(M).astype(complex)
        order = np.argsort(-np.abs(values), kind="stable")
        self.found.append(MapCycle(frozen(states), frozen(values[order], complex)))

    def _returns(self, x: np.ndarray) -> np.ndarray | None:
        """Return the orbit of a state if it comes back to it, as the map itself goes."""
        states = orbit(self.system, x, self.period + 1)
        if not np.isfinite(states).all():
            return None
        size = float(np.abs(states).max())
        return states[:-1] if np.max(np.abs(states[-1] - states[0])) <= ALIKE * size else None


def _enumerate(regions: Regions, period: int, collected: _Collected) -> None:
    """Look at all closed sequences of pieces, each from its first piece only.

    Raises
    ------
    GivenUp
        Where there are too many.
    """
    eye, zero = np.eye(regions.n), np.zeros(regions.n)
    cells = dict(regions.entered(regions.everywhere(), eye, zero))
    order = {sides: k for k, sides in enumerate(cells)}
    if period == 1:
        for sides, cell in cells.items():
            _close(regions, [sides], cell, collected)
        return
    follows = {sides: [to for to, _ in regions.entered(cell, *regions.affine(sides))] for sides, cell in cells.items()}
    for first, cell in cells.items():
        steps = _steps_to(first, follows, order)
        waiting: list[tuple[list[Sides], Polyhedron, np.ndarray, np.ndarray]] = [([first], cell, eye, zero)]
        while waiting:
            path, region, M, b = waiting.pop()
            if len(path) == period:
                _close(regions, path, region, collected)
                continue
            step, shift = regions.affine(path[-1])
            M, b = step @ M, step @ b + shift
            for to in follows[path[-1]]:
                if order[to] < order[first] or steps.get(to, period) > period - len(path):
                    continue
                part = regions.within(region, to, M, b)
                if part is not None:
                    waiting.append(([*path, to], part, M, b))


def _steps_to(goal: Sides, follows: dict[Sides, list[Sides]], order: dict[Sides, int]) -> dict[Sides, int]:
    """Return how many steps it takes at least from every piece to one, through pieces not before it in the order."""
    comes: dict[Sides, list[Sides]] = {}
    for sides, after in follows.items():
        for to in after:
            if order[sides] >= order[goal]:
                comes.setdefault(to, []).append(sides)
    steps: dict[Sides, int] = {}
    last, count = [goal], 0
    while last:
        count += 1
        last = [sides for sides in dict.fromkeys(s for to in last for s in comes.get(to, ())) if sides not in steps]
        steps.update(dict.fromkeys(last, count))
    return steps


def _close(regions: Regions, path: list[Sides], region: Polyhedron, collected: _Collected) -> None:
    """Offer the cycle that passes through the pieces of a path, as the states of a region do."""
    M, b = _composed(regions, path)
    if not np.isfinite(M).all():
        return
    x = collected.solve(M, b, region)
    if x is not None and _keeps_to(regions, x, path):
        collected.offer(x, M)


def _composed(regions: Regions, path: list[Sides]) -> tuple[np.ndarray, np.ndarray]:
    M, b = np.eye(regions.n), np.zeros(regions.n)
    for sides in path:
        step, shift = regions.affine(sides)
        M, b = step @ M, step @ b + shift
    return M, b


def _keeps_to(regions: Regions, x: np.ndarray, path: list[Sides]) -> bool:
    """Say whether the orbit of a state goes through the pieces of a path, or on their borders but for rounding."""
    for sides in path:
        for k, side in enumerate(sides):
            g, c = regions.border(sides[:k])
            if side * (g @ x + c) < -ALIKE * (np.abs(g) @ np.abs(x) + abs(c)):
                return False
        step, shift = regions.affine(sides)
        x = step @ x + shift
    return True


def _search(regions: Regions, period: int, collected: _Collected) -> None:
    """Look for cycles from random starts: guess the pieces, solve, take those of the solution's orbit, and so on."""
    rng = np.random.default_rng(0)
    pieces, system = regions.pieces, regions.pieces.system
    size = float(np.abs(pieces.affine(pieces.sides(np.zeros(regions.n)))[1]).max()) or 1.0
    for _ in range(TRIALS):
        x = size * 10.0 ** rng.uniform(-1, 1) * rng.standard_normal(regions.n)
        states = orbit(system, x, TRANSIENT)
        states = states[np.isfinite(states).all(axis=1)]
        x = states[rng.integers(len(states))]
        seen: set[tuple[Sides, ...]] = set()
        for _ in range(CORRECTIONS):
            states = orbit(system, x, period)
            if not np.isfinite(states).all():
                break
            path = [pieces.sides(state) for state in states]
            if tuple(path) in seen:
                break
            seen.add(tuple(path))
            M, b = _composed(regions, path)
            solved = collected.solve(M, b)
            if solved is None:
                break
            collected.offer(solved, M)
            x = solved

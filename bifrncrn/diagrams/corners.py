"""Points on the borders of a piecewise smooth system: which branches leave them, and on which sides."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.models.borders import Borders
from bifrncrn.models.branch_events import Events

ON_BORDER = 1e-8
"""A point this near to a border, in units of length, is on it: borders are located to 1e-11."""
LEAVING = (1e-4, 1e-6, 1e-8)
"""How far inside a region a branch that leaves a border must be, in units of length."""
BESIDE = (1e-9, 1e-8, 1e-7)
"""How far off a point the march begins, in units of length: off the rounding of what decides."""
STAYS = 1e-6
"""A branch that goes no further off a border than this fraction of its length lies on the border."""
JUMP = 1e-6
"""An equilibrium of one side, with a gap above this on the other side, is none there: the model jumps."""
BARELY = 1e-14
"""How far off a border, in units of length, a side is looked at that is not defined, or infinitely steep, on it."""
ASIDE = 0.1
"""How far off a border, in units of length, it is asked how much the equations change within a unit of length."""
ABRUPT = 0.1
"""Derivatives on a border and next to it that differ by more than this part of them are those of an infinite slope."""
STEEP = (1e-4, 1e-3, 1e-2, 1e-1), 1e-9
"""Such a side is entered at the first of these lengths at which a branch is further off the border than the last
number, in units of length: a root grows slowly at first, and points are known to 1e-11."""
NARROW = (1e-6, 1e-5, 1e-4)
"""Widths, in units of length, of what a branch may pass where a model is patched: around a removable singularity."""
SINGULAR = 1e-9
"""A derivative whose least singular value is below this fraction of the largest has another branch through it."""
NEWTON_STEPS = 4
"""Steps along a border to the point on it: each squares what is missing, 1e-7 at most."""
MOST_BORDERS = 8
"""The most borders that meet in a point whose regions (two to the power of their number) are looked at."""
TRIES = 30
"""Steps of the fixed point iteration for the sides beyond a corner of many borders."""
SAME = 1e-6
"""Two corners, or two unit directions that leave one, are one when they differ by less, in units of length."""
PARALLEL = 0.999
"""Two unit directions on the same sides are one half-branch when their product exceeds this."""


@dataclass(frozen=True, eq=False)
class Half:
    """A branch that leaves a point: its first point a little way off, unit direction, sides, and borders watched."""

    start: np.ndarray
    direction: np.ndarray
    sides: np.ndarray
    watched: np.ndarray

    def is_same(self, other: Half, sign: float = 1.0) -> bool:
        """Say whether another half-branch is this one, or with `sign` -1 its continuation backwards."""
        return bool(np.array_equal(self.sides, other.sides) and sign * (self.direction @ other.direction) > PARALLEL)


@dataclass(eq=False)
class Corner:
    """A point on a border where more than two half-branches meet, its units of length, and those not yet followed."""

    y: np.ndarray
    scale: np.ndarray
    halves: list[Half]
    origin: int | None = None
    left: list[Half] = field(default_factory=list)

    def is_at(self, y: np.ndarray) -> bool:
        """Say whether a point is this corner."""
        return bool(np.max(np.abs(y - self.y) / self.scale) < SAME)


OntoBranch = Callable[[np.ndarray, np.ndarray, np.ndarray, float], np.ndarray | None]


class Sides:
    """Which sides of its borders a problem is held on, and what is found out about points on borders.

    Parameters
    ----------
    borders : Borders
    problem : EquilibriumProblem
        Of the held system.
    tests : Events
        As `Borders.tests` returns them.
    onto : callable
        `onto(y, ahead, scale, reach)` returns the point of the branch in the plane through y normal to `ahead`.
    """

    def __init__(self, borders: Borders, problem: EquilibriumProblem, tests: Events, onto: OntoBranch) -> None:
        self.borders = borders
        self.problem = problem
        self.onto = onto
        values = problem.values
        first, count = len(borders.system.parameters), len(borders)
        self.values = values
        self.sides, self.watched = values[first : first + count], values[first + count : first + 2 * count]
        self._tests = tests.native.function("f")
        self._out = np.empty(len(tests.names))
        self._regular = True

    def hold(self, sides: np.ndarray, watched: np.ndarray | float = 1.0) -> None:
        """Hold the problem on these sides."""
        self.sides[:], self.watched[:] = sides, watched

    def at(self, y: np.ndarray) -> np.ndarray:
        """Return the sides a point is on."""
        return self.borders.sides(self.borders.deciding(y, self.problem.parameter))

    def hold_at(self, y: np.ndarray) -> None:
        """Hold the problem on the sides of a point."""
        self.hold(self.at(y))

    def inside(self, y: np.ndarray) -> np.ndarray:
        """Return how far a point is inside the sides held, in the units of what decides."""
        point = np.ascontiguousarray(y)
        self.values[self.problem.parameter] = y[-1]
        self._tests(point.ctypes.data, self.values.ctypes.data, self._out.ctypes.data)
        return self._out[: len(self.borders)].copy()

    def sizes(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return by how much what decides changes in a unit of length, (k,)."""
        here, h = self.borders.deciding(y, self.problem.parameter), 1e-6
        total = np.zeros(len(here))
        for j, unit in enumerate(scale):
            moved = y.copy()
            moved[j] += h * unit
            total += np.abs(self.borders.deciding(moved, self.problem.parameter) - here) / h
        return total

    def active(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the borders that a point is on."""
        deciding = self.borders.deciding(y, self.problem.parameter)
        gap = np.abs(np.where(self.borders.whole, deciding - np.round(deciding), deciding))
        return np.flatnonzero(gap <= ON_BORDER * self.sizes(y, scale))

    def _patterns(self, y: np.ndarray, active: np.ndarray) -> Iterator[np.ndarray]:
        deciding = self.borders.deciding(y, self.problem.parameter)
        sides, whole = self.borders.sides(deciding), self.borders.whole
        for signs in itertools.product((1.0, -1.0), repeat=len(active)):
            for k, sign in zip(active, signs, strict=True):
                sides[k] = np.round(deciding[k]) + (0.0 if sign > 0.0 else -1.0) if whole[k] else sign
            yield sides.copy()

    def halves(self, y: np.ndarray, scale: np.ndarray, branch_point: bool = False) -> list[Half]:
        """Return the half-branches that leave a point on borders, in every region beside it.

        `branch_point` says that it is known to be one on some sides; else the derivative tells.
        """
        active = self.active(y, scale)
        allowed = max(JUMP, 10.0 * self.problem.gap(y, scale))
        if len(active) > MOST_BORDERS:
            return self._some_halves(y, scale, active)
        found: list[Half] = []
        for sides in self._patterns(y, active):
            self.hold(sides)
            smooth = self._is_smooth(y, scale, active)
            at = y if smooth else self._off(y, scale, active)
            if not self.problem.gap(at, scale) <= allowed:
                continue
            for direction in self._directions(at, scale, branch_point):
                for sign in (1.0, -1.0):
                    self._keep(found, at, sign * direction, scale, active if smooth else None, sides)
        return found

    def jumps(self, y: np.ndarray, scale: np.ndarray) -> bool:
        """Say whether the equations have other values on another side of the borders a point is on.

        They are compared on the borders themselves, or next to them where they are not defined there; their unit is
        what they change by within a unit of length a little way off, as slopes on a border may be infinite.
        """
        before = self.sides.copy(), self.watched.copy()
        active, values, units = self.active(y, scale), [], []
        for sides in self._patterns(y, active[:MOST_BORDERS]):
            self.hold(sides)
            here = self._value(self._off(y, scale, active, 0.0))
            values.append(here if np.isfinite(here).all() else self._value(self._off(y, scale, active)))
            units.append(self._row_sizes(self._off(y, scale, active, ASIDE), scale))
        self.hold(*before)
        known = [unit for unit in units if np.isfinite(unit).all()]
        unit = np.max(known, axis=0) if known else np.ones(self.problem.n)
        return any(np.any(~(np.abs(value - values[0]) <= JUMP * unit)) for value in values[1:])

    def _value(self, y: np.ndarray) -> np.ndarray:
        """Return the equations' values (n,) on the sides held."""
        return np.asarray(self.problem.linearize(y)[0])

    def _row_sizes(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return by how much the equations (n,) change within a unit of length on the sides held."""
        return np.asarray(abs(self.problem.linearize(y)[1]) @ scale)

    def hold_smooth(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Hold sides on which a point on borders has derivatives, by preference its own; return it, or one next to it.

        Next to it where all sides are infinitely steep.
        """
        active = self.active(y, scale)
        for sides in (self.at(y), *self._patterns(y, active[:MOST_BORDERS])):
            self.hold(sides)
            if self._is_smooth(y, scale, active):
                return y
        self.hold_at(y)
        return self._off(y, scale, active)

    def _is_smooth(self, y: np.ndarray, scale: np.ndarray, active: np.ndarray) -> bool:
        """Say whether a point on borders has derivatives on the sides held, which next to it are the same."""
        here, beside = (self.problem.linearize(at)[1] for at in (y, self._off(y, scale, active)))
        if not isinstance(here, np.ndarray) or not isinstance(beside, np.ndarray):
            return True
        with np.errstate(invalid="ignore"):
            change = np.max(np.abs((beside - here) * scale), axis=1)
            largest = np.max(np.abs(here * scale), axis=1) + np.max(np.abs(beside * scale), axis=1)
        return bool(np.isfinite(largest).all() and np.all(change <= ABRUPT * largest))

    def _off(self, y: np.ndarray, scale: np.ndarray, active: np.ndarray, by: float = BARELY) -> np.ndarray:
        """Return a point on the sides held, so far off borders that a point is on (0: the nearest on them)."""
        here, towards = self.borders.deciding(y, self.problem.parameter), self._slopes(y, scale, active)
        sides = np.where(self.borders.whole[active], 2.0 * (self.sides[active] - np.round(here[active])) + 1.0, 1.0)
        sides *= np.where(self.borders.whole[active], 1.0, self.sides[active])
        wanted = by * sides * np.linalg.norm(towards, axis=1)
        gap = np.where(self.borders.whole[active], here[active] - np.round(here[active]), here[active])
        return y + scale * np.linalg.lstsq(towards, wanted - gap, rcond=None)[0]

    def _slopes(self, y: np.ndarray, scale: np.ndarray, active: np.ndarray) -> np.ndarray:
        """Return the slopes (k, n + 1) of what decides on these borders, by units of length."""
        here, slopes, h = self.borders.deciding(y, self.problem.parameter), [], 1e-6
        for j, unit in enumerate(scale):
            moved = y.copy()
            moved[j] += h * unit
            slopes.append((self.borders.deciding(moved, self.problem.parameter) - here)[active] / h)
        return np.array(slopes).T

    def _keep(
        self,
        found: list[Half],
        y: np.ndarray,
        ahead: np.ndarray,
        scale: np.ndarray,
        active: np.ndarray | None,
        sides: np.ndarray,
    ) -> None:
        """Add the half-branch along a direction, if there is one that is new; `active` is None where it is steep."""
        self.hold(sides)
        sizes = self.sizes(y, scale)
        half = self._steep(y, ahead, scale, sizes) if active is None else self._half(y, ahead, scale, sizes, active)
        if half is not None and not any(np.linalg.norm(half.direction - other.direction) < SAME for other in found):
            found.append(half)

    def _some_halves(self, y: np.ndarray, scale: np.ndarray, active: np.ndarray) -> list[Half]:
        """Return half-branches where too many borders meet to try all regions: those that a fixed point leads to.

        The tangent on some sides leads to other sides, and so on, until it stays on its own.
        """
        found: list[Half] = []
        here = self.at(y)
        opposite = here.copy()
        opposite[active] = np.where(self.borders.whole[active], here[active] - 1.0, -here[active])
        for sides, sign in itertools.product((here, opposite), (1.0, -1.0)):
            for _ in range(TRIES):
                self.hold(sides)
                if not self.problem.gap(y, scale) <= JUMP:
                    break
                ahead = sign * self._directions(y, scale)[0]
                ahead = ahead if ahead[-1] * sign >= 0.0 else -ahead
                reached = self.at(y + LEAVING[0] * ahead * scale)
                if np.array_equal(reached, sides):
                    self._keep(found, y, ahead, scale, active, sides)
                    break
                sides = reached
        return found

    def _directions(self, y: np.ndarray, scale: np.ndarray, singular: bool = False) -> list[np.ndarray]:
        """Return the unit tangents of the branches through a point on the sides held."""
        self._regular = True
        _, matrix = self.problem.linearize(y)
        if not isinstance(matrix, np.ndarray) or not np.isfinite(matrix).all():
            return [_unit(self.problem.tangent(y, scale) / scale)]
        scaled = matrix * scale
        rows = np.max(np.abs(scaled), axis=1)
        rows[rows == 0.0] = 1.0
        u, s, v = np.linalg.svd(scaled / rows[:, None])
        if s[-1] > SINGULAR * s[0] and not singular:
            return [v[-1]]
        self._regular = False  # too near to a branch point the march does not find its way
        found = self.problem.directions(y, u[:, -1] / rows, scale)
        return found or ([v[-1]] if singular else [])

    def _half(
        self, y: np.ndarray, direction: np.ndarray, scale: np.ndarray, sizes: np.ndarray, active: np.ndarray
    ) -> Half | None:
        """Return the half-branch along a direction on the sides held; None where it does not stay on them."""
        for length in LEAVING:
            start = self.onto(y + length * direction * scale, direction, scale, length)
            if start is None:
                continue
            inside = self.inside(start)
            on = np.zeros(len(inside), dtype=bool)
            on[active] = np.abs(inside[active]) <= STAYS * length * sizes[active]
            if np.all((inside > 0.0) | on):
                if np.any(self.sides[on & ~self.borders.whole] < 0.0):
                    return None  # the same branch, on the border, is found on the other side of it
                nearer = self.beside(y, direction, scale, on) if self._regular else None
                return Half(start if nearer is None else nearer, direction, self.sides.copy(), np.where(on, 0.0, 1.0))
        return None

    def _steep(self, y: np.ndarray, direction: np.ndarray, scale: np.ndarray, sizes: np.ndarray) -> Half | None:
        """Return the half-branch along a direction on sides that are infinitely steep at their border."""
        lengths, clear = STEEP
        for length in lengths:
            start = self.onto(y + length * direction * scale, direction, scale, length)
            if start is not None and np.all(self.inside(start) > clear * sizes):
                return Half(start, direction, self.sides.copy(), np.ones(len(sizes)))
        return None

    def corner(self, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Return the point of the branch on the borders that y is next to; y where that is not told.

        Across a border a side may be infinitely steep, so Newton's method moves along it alone.
        """
        active = self.active(y, scale)
        across = self._slopes(y, scale, active)
        along = np.linalg.svd(across)[2][np.linalg.matrix_rank(across) :].T
        at = y
        for _ in range(NEWTON_STEPS):
            at = self._off(self._off(at, scale, active, 0.0), scale, active, 0.0)
            value, matrix = self._value(at), self.problem.linearize(self._off(at, scale, active))[1]
            if not isinstance(matrix, np.ndarray) or not (np.isfinite(value).all() and np.isfinite(matrix).all()):
                return y
            at = at - scale * (along @ np.linalg.lstsq(matrix * scale @ along, value, rcond=None)[0])
        return at if np.max(np.abs(at - y) / scale) < SAME else y

    def beside(self, y: np.ndarray, direction: np.ndarray, scale: np.ndarray, on: np.ndarray) -> np.ndarray | None:
        """Return the nearest point of a branch that is clearly inside, but for the borders it lies on."""
        for length in BESIDE:
            start = self.onto(y + length * direction * scale, direction, scale, length)
            if start is not None and np.all((self.inside(start) > 0.0) | on):
                return start
        return None

    def beyond(self, y: np.ndarray, direction: np.ndarray, scale: np.ndarray) -> Half | None:
        """Return the half-branch on the far side of something narrow that a branch meets."""
        for length in NARROW:
            ahead = y + length * direction * scale
            self.hold_at(ahead)
            start = self.onto(ahead, direction, scale, length)
            if start is not None and np.all(self.inside(start) > 0.0) and self.problem.gap(start, scale) <= JUMP:
                return Half(start, direction, self.sides.copy(), np.ones(len(self.sides)))
        return None


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.sqrt(v @ v)

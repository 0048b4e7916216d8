"""What leaves a branch point at which several eigenvalues are zero together.

Near it the equilibria are those of the reduced equations on the null space (Kuznetsov, Elements of Applied Bifurcation
Theory, 5.1; Golubitsky, Stewart, Schaeffer, Singularities and Groups in Bifurcation Theory II, 1988, XIII), whatever
the order of their first terms: one on each side of every branch is looked for on a small sphere there.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.diagrams.multiple import derivative, sizes_of, units_to_try
from bifrncrn.diagrams.track import SAME, Track, unit

SPHERES = (1e-2, 1e-3, 1e-1, 1e-4, 1e-5)
"""Radii of the sphere, in units of length, tried in turn: small beside what ends the neighbourhood, such as an end of
the range, but where terms of higher order alone tell branches apart, large beside rounding."""
TOUCHED = (1e-2, 3e-3)
"""Where one eigenvalue is touched a branch leaves if it crosses both of these: one that only passes near does not cross
the smaller one. The reduced equation is of third order: on still smaller spheres it is rounding."""
SIZES_TOUCHED = 3
"""Of a state that is zero there so many sizes are tried."""
REGULAR, REGULAR_TOUCHED = 1e-9, 1e-3
"""An equilibrium on the sphere lies on one branch where no other singular value is below this part of the largest;
where one eigenvalue is touched the smallest is about the square of the radius: it is above this part of that."""
FLAT = 1e-3
"""Half of the starts have a parameter that moves by this much of the radius only, as at pitchforks."""
FIRST_STARTS, STARTS, ALL_STARTS = 24, 120, 600
"""So many starts are tried on a sphere; more where less goes out of it than comes in, or a late one found something."""
MANY = 60
"""Where so many cross one sphere no other is tried: they are found slowly."""
LATE = 2 / 3
"""Nothing new may be found after this part of the starts."""
ITERATIONS = 36
STILL, APART = 1e-9, 1e-6
"""Newton's method has converged where it moves by less than the first part of the radius; two equilibria on the sphere
are two where they differ by more than the second."""
OPPOSITE = 0.1
"""Two that are opposite to each other but for this part of the radius may be two sides of one branch."""
SIDES = 2
"""One branch alone crosses the sphere so often."""


@dataclass(frozen=True, eq=False)
class Fan:
    """The equilibria on a small sphere about a point of several zeros, one on each branch that leaves it.

    `sides` are pairs of the opposite sides of branches, or single ones: points (n + 1,) and the directions in which
    they leave. `scale` are units of length in which states that are zero at the point have grown to about `radius`.
    `whole` says whether as many branches come in as go out, and the last third of the starts found none of them new.
    """

    sides: tuple[tuple[tuple[np.ndarray, np.ndarray], ...], ...]
    scale: np.ndarray
    radius: float
    whole: bool


def fan(track: Track, y: np.ndarray, left: np.ndarray, scale: np.ndarray) -> Fan | None:
    """Return what leaves a point of several zeros, or of one that is touched; None if nothing does.

    `left` (m, n) are the left null vectors there. The spheres are tried until one is whole, all that crosses it is
    within the range, and every branch has two sides.
    """
    if len(left) == 1:
        return _touched(track, y, scale)
    problem, at_end = track.problem, min(abs(y[-1] - end) for end in track.span) <= SAME * track.width
    best, most = None, (False, False, False)
    for unit_of_length, radius in itertools.product(units_to_try(np.abs(y), scale), SPHERES):
        sphere = _Sphere(problem, y, len(left), unit_of_length, radius)
        found = sphere.crossings()
        if len(found) <= SIDES:
            continue
        here = _fan_on(sphere, found)
        within = at_end or all(track.span[0] <= side[-1] <= track.span[1] for pair in here.sides for side, _ in pair)
        good = (here.whole, within, all(len(pair) == SIDES for pair in here.sides))
        if best is None or good > most:
            best, most = here, good
        if all(good) or len(found) > MANY:
            break
    return best


def _touched(track: Track, y: np.ndarray, scale: np.ndarray) -> Fan | None:
    """Return what leaves a point at which one eigenvalue is touched; None if nothing does."""
    for unit_of_length in units_to_try(np.abs(y), scale)[:SIZES_TOUCHED]:
        spheres = [_Sphere(track.problem, y, 1, unit_of_length, radius) for radius in TOUCHED]
        found = spheres[0].crossings()
        inner = spheres[1].crossings() if len(found) > SIDES else []
        if len(inner) == len(found) > SIDES:
            return _fan_on(spheres[1], inner)
    return None


def _fan_on(sphere: _Sphere, found: list[np.ndarray]) -> Fan:
    sides = tuple(tuple((sphere.point(z), sphere.outwards(z)) for z in pair) for pair in _paired(found, sphere))
    grown = np.abs(found).max(axis=0) / sphere.radius
    units = sphere.scale * np.where((sphere.y == 0.0) & (grown > 0.0), np.minimum(grown, 1.0), 1.0)
    return Fan(sides, units, sphere.radius, sphere.settled and sphere.balance(found) == 0)


def _paired(found: list[np.ndarray], sphere: _Sphere) -> list[tuple[np.ndarray, ...]]:
    """Return the points in pairs of opposite ones, the most opposite first, and those that have none.

    On both sides of a pitchfork the parameter moves the same way; such sides are paired where none is opposite.
    """
    inside = [sphere.basis @ z for z in found]
    gaps = sorted(
        (bent, float(np.abs(inside[i] + sign * inside[j]).max()), i, j)
        for i, j in itertools.combinations(range(len(found)), 2)
        for bent, sign in ((False, np.ones_like(inside[j])), (True, sphere.mirror))
    )
    free = set(range(len(found)))
    pairs: list[tuple[np.ndarray, ...]] = []
    for _, gap, i, j in gaps:
        if gap < OPPOSITE * sphere.radius and {i, j} <= free:
            free -= {i, j}
            pairs.append((found[i], found[j]))
    return [*pairs, *((found[i],) for i in sorted(free))]


class _Sphere:
    """A sphere of a radius, in the null space, about a point with so many zeros."""

    def __init__(
        self, problem: EquilibriumProblem, y: np.ndarray, count: int, scale: np.ndarray, radius: float
    ) -> None:
        self.problem, self.y, self.scale, self.radius = problem, y, scale, radius
        self.settled = False
        self.size = sizes_of(problem, y, scale)
        basis = np.linalg.svd(derivative(problem, y, scale) / self.size[:, None])[2][-count - 1 :]
        # the last one is the only one in which the parameter moves
        along = unit(basis[:, -1]) if np.abs(basis[:, -1]).max() > 0.0 else np.eye(count + 1)[-1]
        self.mirror = np.append(np.ones(count), -1.0)
        self.basis = np.vstack([np.linalg.svd(along[None])[2][1:], along[None]]) @ basis

    def crossings(self) -> list[np.ndarray]:
        """Return the equilibria that Newton's method finds on the sphere, relative to the point, in units of length.

        None where one is not regular, or the first starts find no more than the two sides of a branch.
        """
        found: list[np.ndarray] = []
        newest = number = 0
        for number, start in enumerate(self._starts()):
            if number == FIRST_STARTS and len(found) <= SIDES:
                return []
            if number >= STARTS and len(self.basis) == SIDES:
                break  # a circle
            if number >= STARTS and newest < LATE * number and self.balance(found) == 0:
                break
            z = self._solved(start)
            if z is not None and all(np.abs(z - other).max() > APART * self.radius for other in found):
                if not self.is_regular(z):
                    return []
                found.append(z)
                newest = number
        self.settled = newest < LATE * number
        return found

    def point(self, z: np.ndarray) -> np.ndarray:
        """Return an equilibrium on the sphere as a point; a state that is zero there but for rounding is zero."""
        y = self.y + self.scale * z
        return np.where((np.abs(z) < STILL * self.radius) & (np.abs(self.y) < SAME * self.scale), 0.0, y)

    def is_regular(self, z: np.ndarray) -> bool:
        """Say whether one branch alone crosses the sphere there."""
        sizes = np.linalg.svd(self._matrix(z), compute_uv=False)
        if len(self.basis) == SIDES:  # one eigenvalue is touched: the equations, in their units, may vanish all about
            return bool(sizes[-1] > REGULAR_TOUCHED * self.radius**2)
        return bool(sizes[-1] > REGULAR * sizes[0])

    def outwards(self, z: np.ndarray) -> np.ndarray:
        """Return the direction (n + 1,) in which the branch there leaves the sphere."""
        tangent = np.linalg.svd(self._matrix(z))[2][-1]
        return np.asarray(self.scale * tangent * (1.0 if (self.basis @ tangent) @ (self.basis @ z) > 0.0 else -1.0))

    def balance(self, found: list[np.ndarray]) -> int:
        """Return how many more branches, oriented by the equations, go out of the sphere than come in: none, if all."""
        inside = self.basis.T @ self.basis
        return sum(int(np.linalg.slogdet(np.vstack([self._matrix(z), inside @ z]))[0]) for z in found)

    def _matrix(self, z: np.ndarray) -> np.ndarray:
        return derivative(self.problem, self.y + self.scale * z, self.scale) / self.size[:, None]

    def _starts(self) -> np.ndarray:
        """Return points (k, m + 1) of the sphere, in the null space."""
        points = np.random.default_rng(0).standard_normal((ALL_STARTS, len(self.basis)))
        points[::2, -1] *= FLAT
        return np.asarray(self.radius * points / np.linalg.norm(points, axis=1, keepdims=True))

    def _solved(self, start: np.ndarray) -> np.ndarray | None:
        """Return the equilibrium on the sphere that Newton's method finds."""
        z, radius = self.basis.T @ start, self.radius
        for _ in range(ITERATIONS):
            f, matrix = self.problem.linearize(self.y + self.scale * z)
            inside = self.basis @ z
            rest = np.append(f / self.size, 0.5 * (inside @ inside / radius**2 - 1.0))
            whole = np.vstack([matrix * self.scale / self.size[:, None], inside @ self.basis / radius**2])
            if not (np.isfinite(whole).all() and np.isfinite(rest).all()):
                return None
            try:
                step = np.linalg.solve(whole, -rest)
            except np.linalg.LinAlgError:
                return None
            longest = float(np.abs(step).max())
            z = z + step * min(1.0, 0.5 * radius / max(longest, 1e-300))
            if longest < STILL * radius:
                return np.asarray(z)
            if np.abs(z).max() > 10.0 * radius:
                return None
        return None

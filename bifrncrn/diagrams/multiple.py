"""Branch points at which several eigenvalues are zero together, as symmetry makes them: where they are, what leaves them.

With m of them the derivative of F(y), y = (x, p), has m left null vectors W. They and the point are what Gauss and
Newton's method finds for F(y) = 0, F_y' W = 0, W'W = 1. That is more equations than unknowns: they can hold where the
zeros belong together, not where m simple points only lie side by side. Near the point the equilibria are those of the
reduced equations on the null space (Kuznetsov, Elements of Applied Bifurcation Theory, 5.1; Golubitsky, Stewart,
Schaeffer, Singularities and Groups in Bifurcation Theory II, 1988, XIII), whatever the order of their first terms: the
directions of the branches are looked for on a small sphere there.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.diagrams.track import SAME, Track, scale_at, unit

MOST_STATES = 60
"""Larger systems have their simple branch points only: the derivatives of all null vectors are taken by differences."""
ITERATIONS = 12
DIFFERENCE = 1e-5
"""The step of central differences, in units of length; their error only slows Gauss and Newton's method down."""
BESIDE = 0.1
"""Where, in units of length, equations are measured that vanish at the point to first order."""
CONVERGED, SLOWLY, HOLDS = 1e-14, 1e-9, 1e-9
"""The point is found where a step is below the first, in units of length, or below the second and no shorter than the
one before: then rounding moves it. All equations hold where they are below the third, in units of their sizes: an eigenvalue that is so far from zero beside the others is no zero of the same."""
NEAR = 1.0
"""How far from the rows between which it was seen it may be, in units of their distance."""
SPHERES = (1e-2, 1e-3, 1e-1)
"""Radii of the sphere, in units of length, tried in turn: small beside what ends the neighbourhood, but where terms of
higher order alone tell branches apart, large beside rounding."""
SIZES = (1.0, 1e3, 1e-3, 1e6, 1e-6, 1e9, 1e-9)
"""By so much the natural size of states that are zero at the point may differ from their unit; tried in turn."""
REGULAR = 1e-9
"""An equilibrium on the sphere lies on one branch where no other singular value is below this part of the largest."""
FLAT = 1e-3
"""Half of the starts have a parameter that moves by this much of the radius only, as at pitchforks."""
STARTS = 120
MORE_THAN_ONE = 3
"""One branch alone crosses the sphere twice."""
STILL, APART = 1e-9, 1e-6
"""Newton's method has converged where it moves by less than the first part of the radius; two equilibria on the sphere are two where they differ by more than the second."""
OPPOSITE = 0.1
"""Two that are opposite to each other but for this part of the radius may be two sides of one branch."""


def zeros_of(left: np.ndarray) -> int:
    """Return how many eigenvalues are zero at a branch point with these left null vectors."""
    return 1 if left.ndim == 1 else len(left)


def refined_together(track: Track, line: Line, event: Event, floor: np.ndarray) -> Line:
    """Replace a bracketed point at which several real eigenvalues change sign by a located one, if they do so together."""
    count = changing(line, event.row)
    if count < 2 or track.problem.n > MOST_STATES:
        return line
    before, after = line.points[event.row - 1], line.points[event.row]
    scale = scale_at(np.maximum(np.abs(before), np.abs(after)), floor)
    found = _located(track.problem, 0.5 * (before + after), count, scale)
    if found is None or np.abs((found[0] - before) / scale).max() > (1.0 + NEAR) * np.abs((after - before) / scale).max():
        return line
    y, left = found
    spectrum = track.problem.eigenvalues(y)
    unstable = min(line.unstable[event.row - 1 : event.row + 1].tolist())
    rest = tuple(one for one in line.events if one is not event)
    return replace(line, events=rest).insert(event.row, y, spectrum, unstable, Event(event.row, layout.BRANCH, None, left))


def changing(line: Line, row: int) -> int:
    """Return how many real eigenvalues change sign between a row and the one before."""
    if not line.eigenvalues.shape[1]:
        return 0
    low, high = sorted(line.unstable[row - 1 : row + 1].tolist())
    values = line.eigenvalues[row - 1 : row + 1, low:high]
    crossing = (values.imag == 0.0).all() and (values[0].real * values[1].real < 0.0).all()
    return high - low if low >= 0 and crossing else 0


def _scaled(problem: EquilibriumProblem, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.asarray(problem.dense(y)) * scale


def _sizes(problem: EquilibriumProblem, y: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return units (n,) of the equations: what they change by about the point, where itself they may not change at all."""
    size = np.zeros(problem.n)
    for away in (0.0, BESIDE, -BESIDE):
        rows = np.abs(_scaled(problem, y + away * scale, scale)).max(axis=1)
        size = np.fmax(size, np.where(np.isfinite(rows), rows, 0.0))
    return np.maximum(size, SAME * size.max() or 1.0)


def _located(
    problem: EquilibriumProblem, y: np.ndarray, count: int, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the point with so many zeros near y, and its left null vectors as rows; None where there is none."""
    n, y = problem.n, y.copy()
    matrix = _scaled(problem, y, scale)
    if not np.isfinite(matrix).all():
        return None
    size = _sizes(problem, y, scale)
    w = np.linalg.svd(matrix / size[:, None])[0][:, -count:]
    last = step = np.inf
    for _ in range(ITERATIONS):
        f, matrix = problem.linearize(y)
        matrix = matrix * scale / size[:, None]
        rest = np.concatenate([f / size, (matrix.T @ w).ravel(), (w.T @ w - np.eye(count)).ravel()])
        if not np.isfinite(rest).all():
            return None
        if step < CONVERGED or last <= step < SLOWLY:
            return (y, (w / size[:, None]).T) if np.abs(rest).max() < HOLDS else None
        system = np.zeros((len(rest), n + 1 + n * count))
        system[:n, : n + 1] = matrix
        for j in range(n + 1):
            away = np.zeros(n + 1)
            away[j] = DIFFERENCE
            bend = (_scaled(problem, y + scale * away, scale) - _scaled(problem, y - scale * away, scale)) / size[:, None]
            system[n : n + (n + 1) * count, j] = (bend.T @ w / (2.0 * DIFFERENCE)).ravel()
        system[n : n + (n + 1) * count, n + 1 :] = np.kron(matrix.T, np.eye(count))
        for (i, j), row in zip(itertools.product(range(count), repeat=2), system[-count * count :], strict=True):
            row[n + 1 + j :: count] += w[:, i]
            row[n + 1 + i :: count] += w[:, j]
        if not np.isfinite(system).all():
            return None
        change = np.linalg.lstsq(system, -rest, rcond=1e-12)[0]  # W may turn in its plane
        y += scale * change[: n + 1]
        w = w + change[n + 1 :].reshape(n, count)
        last, step = step, float(np.abs(change[: n + 1]).max())
    return None


@dataclass(frozen=True, eq=False)
class Fan:
    """The equilibria on a small sphere about a point of several zeros, one on each branch that leaves it.

    `sides` are pairs of the opposite sides of branches, or single ones: points (n + 1,) and the directions in which
    they leave, in units `scale`, of unit length. `whole` says whether as many branches come in as go out.
    """

    sides: tuple[tuple[tuple[np.ndarray, np.ndarray], ...], ...]
    scale: np.ndarray
    radius: float
    whole: bool


def fan(problem: EquilibriumProblem, y: np.ndarray, left: np.ndarray, scale: np.ndarray) -> Fan | None:
    """Return what leaves a point of several zeros; `left` are its left null vectors (m, n). None where nothing is seen."""
    zero = np.abs(y) < SAME * scale
    zero[-1] = False
    best = None
    for size, radius in itertools.product(SIZES if zero.any() else SIZES[:1], SPHERES):
        unit_of_length = np.where(zero, size * scale, scale)
        sphere = _Sphere(problem, y, len(left), unit_of_length, radius)
        found = sphere.crossings()
        if len(found) < MORE_THAN_ONE or not all(sphere.is_regular(z) for z in found):
            continue
        sides = tuple(tuple((y + unit_of_length * z, sphere.outwards(z)) for z in pair) for pair in _paired(found, radius))
        best = Fan(sides, unit_of_length, radius, sphere.balance(found) == 0)
        if best.whole:
            break
    return best


def _paired(found: list[np.ndarray], radius: float) -> list[tuple[np.ndarray, ...]]:
    """Return the points in pairs of opposite ones, the most opposite first, and those that have none."""
    gaps = sorted(
        (float(np.abs(found[i] + found[j]).max()), i, j) for i, j in itertools.combinations(range(len(found)), 2)
    )
    free = set(range(len(found)))
    pairs: list[tuple[np.ndarray, ...]] = []
    for gap, i, j in gaps:
        if gap < OPPOSITE * radius and {i, j} <= free:
            free -= {i, j}
            pairs.append((found[i], found[j]))
    return [*pairs, *((found[i],) for i in sorted(free))]


class _Sphere:
    """A sphere of a radius, in the null space, about a point with so many zeros."""

    def __init__(
        self, problem: EquilibriumProblem, y: np.ndarray, count: int, scale: np.ndarray, radius: float
    ) -> None:
        self.problem, self.y, self.scale, self.radius = problem, y, scale, radius
        self.size = _sizes(problem, y, scale)
        basis = np.linalg.svd(_scaled(problem, y, scale) / self.size[:, None])[2][-count - 1 :]
        # the last one is the only one in which the parameter moves
        along = unit(basis[:, -1]) if np.abs(basis[:, -1]).max() > 0.0 else np.eye(count + 1)[-1]
        self.basis = np.vstack([np.linalg.svd(along[None])[2][1:], along[None]]) @ basis

    def crossings(self) -> list[np.ndarray]:
        """Return the equilibria that Newton's method finds on the sphere, relative to the point, in units of length."""
        found: list[np.ndarray] = []
        for start in self._starts():
            z = self._solved(start)
            if z is not None and all(np.abs(z - other).max() > APART * self.radius for other in found):
                found.append(z)
        return found

    def is_regular(self, z: np.ndarray) -> bool:
        """Say whether one branch alone crosses the sphere there."""
        sizes = np.linalg.svd(self._matrix(z), compute_uv=False)
        return bool(sizes[-1] > REGULAR * sizes[0])

    def outwards(self, z: np.ndarray) -> np.ndarray:
        """Return the unit tangent of the branch there that leaves the sphere."""
        tangent = np.linalg.svd(self._matrix(z))[2][-1]
        return np.asarray(tangent * (1.0 if (self.basis @ tangent) @ (self.basis @ z) > 0.0 else -1.0))

    def balance(self, found: list[np.ndarray]) -> int:
        """Return how many more branches, oriented by the equations, go out of the sphere than come in: none, if all."""
        inside = self.basis.T @ self.basis
        return sum(int(np.linalg.slogdet(np.vstack([self._matrix(z), inside @ z]))[0]) for z in found)

    def _matrix(self, z: np.ndarray) -> np.ndarray:
        return _scaled(self.problem, self.y + self.scale * z, self.scale) / self.size[:, None]

    def _starts(self) -> np.ndarray:
        """Return points (k, m + 1) of the sphere, in the null space."""
        points = np.random.default_rng(0).standard_normal((STARTS, len(self.basis)))
        points[::2, -1] *= FLAT
        return np.asarray(self.radius * points / np.linalg.norm(points, axis=1, keepdims=True))

    def _solved(self, start: np.ndarray) -> np.ndarray | None:
        """Return the equilibrium on the sphere that Newton's method finds."""
        z, radius = self.basis.T @ start, self.radius
        for _ in range(3 * ITERATIONS):
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

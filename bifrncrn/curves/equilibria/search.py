"""Equilibria in a box at one parameter value, wherever they are: multi-start Newton with deflation."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from bifrncrn.compile import rows
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.start import newton
from bifrncrn.models.region import Region

GRID = {1: 2001, 2: 41, 3: 13}
"""Grid points along each side of the box, for up to three states; beyond, quasi-random starts."""
STARTS = 800
ITERATIONS = 30
ROUNDS = 20
APART = 1e-6
"""Two equilibria are one when they differ by less than this, in units of the box."""


@dataclass(frozen=True, eq=False)
class Found:
    """The equilibria found in a box at one parameter value.

    Attributes
    ----------
    points : (k, n + 1) array
    evidence : str
        What speaks for their being all: the sum of their indices against the degree of the field on the boundary.
    complete : bool or None
        Whether the two agree; None where the degree was not computed (three and more states).
    """

    points: np.ndarray
    evidence: str
    complete: bool | None


def equilibria(
    problem: EquilibriumProblem,
    p: float,
    low: np.ndarray,
    high: np.ndarray,
    region: Region | None = None,
    seed: int = 0,
) -> Found:
    """Find the equilibria with low <= x <= high at parameter value p, those outside `region` left out.

    For up to three states the starts are the cells of a grid in which every component of the field changes sign;
    for more, quasi-random points. Starts that run into an equilibrium already found are run again on the deflated
    field (Farrell, Birkisson & Funke, SIAM J. Sci. Comput. 37, 2015, A2026).
    """
    n = problem.n
    size = high - low
    starts = _grid_starts(problem, p, low, high) if n in GRID else np.empty((0, n))
    count = STARTS if n > 3 else 40
    points: list[np.ndarray] = []
    _run(problem, p, np.concatenate([starts, low + size * _spread(count, n, seed)]), low, high, points, deflate=False)
    _deflate(problem, p, low, high, points, count, seed)
    for attempt in range(3):
        found = np.array(points).reshape(len(points), n + 1)
        if not len(found) or _evidence(problem, p, low, high, found)[1] is not False:
            break
        # what is missing is often close to what was found
        near = (found[:, None, :n] + 10.0 ** (-1 - 2 * attempt) * size * (_spread(20, n, attempt) - 0.5)).reshape(-1, n)
        _run(problem, p, problem.region.clip(near), low, high, points, deflate=True)
        _deflate(problem, p, low, high, points, STARTS, seed + attempt + 1)
    found = np.array(points).reshape(len(points), n + 1)
    found = found[np.lexsort(found[:, ::-1].T)]
    inside = [region is None or region.holds(y) for y in found]
    if region is not None and not region.covers(low, high, p):
        return Found(found[inside], "completeness was not checked (conserved sums bound what was searched)", None)
    return Found(found[inside], *_evidence(problem, p, low, high, found))


def _deflate(
    problem: EquilibriumProblem,
    p: float,
    low: np.ndarray,
    high: np.ndarray,
    points: list[np.ndarray],
    count: int,
    seed: int,
) -> None:
    """Run deflated Newton iterations from ever new starts, until twice nothing is found."""
    idle = 0
    for round_ in range(ROUNDS):
        before = len(points)
        starts = low + (high - low) * _spread(count, problem.n, seed + 7 * round_)
        _run(problem, p, starts, low, high, points, deflate=True)
        idle = idle + 1 if len(points) == before else 0
        if idle == 2:
            return


def _spread(count: int, n: int, seed: int) -> np.ndarray:
    """Return quasi-random points of the unit cube: Roberts' additive recurrence."""
    root = 2.0
    for _ in range(40):
        root = (1.0 + root) ** (1.0 / (n + 1))
    alpha = root ** -np.arange(1.0, n + 1)
    return (0.5 + seed * 0.618034 + np.arange(1, count + 1)[:, None] * alpha) % 1.0


def _field(problem: EquilibriumProblem, points: np.ndarray, p: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the field (k, n) and its Jacobian (k, n, n) at many points."""
    values = problem.values.copy()
    values[problem.parameter] = p
    return rows.linearize(problem.system.native, points, values)


def _grid_starts(problem: EquilibriumProblem, p: float, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the centres of the grid cells at whose corners no component of the field keeps one sign."""
    n = problem.n
    count = GRID[n]
    axes = [np.linspace(a, b, count) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = _field(problem, grid.reshape(-1, n), p)[0].reshape(*grid.shape)
    corners = [values[tuple(slice(o, count - 1 + o) for o in offset)] for offset in itertools.product((0, 1), repeat=n)]
    least, most = np.minimum.reduce(corners), np.maximum.reduce(corners)
    with np.errstate(invalid="ignore"):
        cells = np.all((least <= 0.0) & (most >= 0.0), axis=-1)
    index = np.argwhere(cells)
    return (
        np.stack([0.5 * (axis[i] + axis[i + 1]) for axis, i in zip(axes, index.T, strict=True)], axis=-1)
        if len(index)
        else np.empty((0, n))
    )


def _run(
    problem: EquilibriumProblem,
    p: float,
    starts: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    points: list[np.ndarray],
    deflate: bool,
) -> None:
    """Run (deflated) Newton iterations from all starts at once; add to `points` what is new and inside the box."""
    n = problem.n
    size = high - low
    at = starts.copy()
    known = np.array([y[:n] for y in points]).reshape(len(points), n)
    alive = np.ones(len(at), bool)
    for _ in range(ITERATIONS):
        where = np.flatnonzero(alive)
        if not len(where):
            break
        f, jacobian = _field(problem, at[where], p)
        usable = np.all(np.isfinite(f), axis=1) & np.all(np.isfinite(jacobian), axis=(1, 2))
        alive[where[~usable]] = False
        where, f, jacobian = where[usable], f[usable], jacobian[usable]
        step = _solve(jacobian, -f)
        if deflate and len(known):
            step *= _deflation(at[where], step, known, size)[:, None]
        step *= np.minimum(1.0, 0.3 / np.maximum(np.max(np.abs(step) / size, axis=1), 1e-300))[:, None]
        at[where] = problem.region.clip(at[where] + step)
        away = np.any((at[where] < low - 0.5 * size) | (at[where] > high + 0.5 * size), axis=1)
        done = np.max(np.abs(step) / size, axis=1) < 1e-8
        alive[where[away]] = False
        for i in where[done & ~away]:
            alive[i] = False
            _add(problem, p, at[i], low, high, points)


def _add(
    problem: EquilibriumProblem, p: float, x: np.ndarray, low: np.ndarray, high: np.ndarray, points: list[np.ndarray]
) -> None:
    size = high - low
    if any(np.max(np.abs(y[:-1] - x) / size) < APART for y in points):
        return
    y = newton(problem, np.append(x, p))
    if y is None or np.any(y[:-1] < low - 1e-9 * size) or np.any(y[:-1] > high + 1e-9 * size):
        return
    if all(np.max(np.abs(other[:-1] - y[:-1]) / size) >= APART for other in points):
        points.append(y)


def _solve(jacobian: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(jacobian, rhs[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return (np.linalg.pinv(jacobian) @ rhs[:, :, None])[:, :, 0]


def _deflation(x: np.ndarray, step: np.ndarray, known: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the factor that turns the Newton step into that of the field times prod(1 + 1/|x - x_k|^2)."""
    gap = (x[:, None] - known[None]) / size
    square = np.maximum(np.sum(gap * gap, axis=2), 1e-300)
    # the logarithmic derivative of the deflation along the step
    slope = np.sum(-2.0 * np.sum(gap * (step / size)[:, None], axis=2) / (square * (square + 1.0)), axis=1)
    denominator = 1.0 - slope
    return 1.0 / np.where(np.abs(denominator) > 1e-12, denominator, 1e-12)


def _evidence(
    problem: EquilibriumProblem, p: float, low: np.ndarray, high: np.ndarray, found: np.ndarray
) -> tuple[str, bool | None]:
    """Compare the sum of the indices sign(det J) with the degree of the field on the boundary of the box."""
    n = problem.n
    if n > 2:
        return "completeness was not checked (three or more states)", None
    slopes = _field(problem, found[:, :n], p)[1]
    total = int(np.sum(np.sign(np.linalg.det(slopes)))) if len(found) else 0
    degree = _degree(problem, p, low, high)
    if degree is None:
        return "completeness was not checked (the field vanishes or is not finite on the boundary of the box)", None
    if degree == total:
        return "the sum of their indices is what the field on the boundary of the box demands", True
    text = f"the sum of their indices is {total}, but the field on the boundary of the box demands {degree}"
    return f"{text}: some are missing", False


def _degree(problem: EquilibriumProblem, p: float, low: np.ndarray, high: np.ndarray) -> int | None:
    """Return the topological degree of the field on the box: end signs (n = 1) or winding number (n = 2)."""
    n = problem.n
    if n == 1:
        ends = _field(problem, np.stack([low, high]), p)[0][:, 0]
        if not np.all(np.isfinite(ends)) or np.any(ends == 0.0):
            return None
        return int((np.sign(ends[1]) - np.sign(ends[0])) / 2)
    s = np.linspace(0.0, 1.0, 2000, endpoint=False)
    one, zero = np.ones_like(s), np.zeros_like(s)
    path = np.concatenate([np.stack(side, 1) for side in ((s, zero), (one, s), (1.0 - s, one), (zero, 1.0 - s))])
    f = _field(problem, low + path * (high - low), p)[0]
    if not np.all(np.isfinite(f)) or np.any(np.hypot(f[:, 0], f[:, 1]) == 0.0):
        return None
    angle = np.arctan2(f[:, 1], f[:, 0])
    turn = np.angle(np.exp(1j * np.diff(np.append(angle, angle[0]))))
    if np.max(np.abs(turn)) > 2.0:
        return None  # turns too fast between neighbours to be counted safely
    return round(float(np.sum(turn)) / (2.0 * np.pi))

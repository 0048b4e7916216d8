"""Junctions: where two loci of one kind cross, simple branch points of their defining system."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.equilibria.branch_point import branching_directions
from bifrncrn.curves.loci.problem import LocusProblem
from bifrncrn.curves.loci.starting import onto, parts, prepare

STEPS = 4
"""Secant steps on the determinant: each squares the error, and nearer than rounding allows is no use."""
SPREAD = 1e-3
"""How much smaller than the largest the smallest equation is allowed to count."""
DIFFERENCE = 1e-4
"""The step of the differences for second derivatives, in units of the unknowns."""
PARALLEL = 0.999
"""Two unit tangents belong to one locus when their product exceeds this."""


@dataclass(frozen=True, eq=False)
class Junction:
    """A junction y (u,), and the tangent of the locus that crosses the one it was seen on."""

    y: np.ndarray
    across: np.ndarray


def locate(problem: LocusProblem, before: np.ndarray, after: np.ndarray, scale: np.ndarray) -> Junction | None:
    """Return the junction between two points of a locus; None where there is none, or no simple one."""
    chord = (after - before) / scale
    length = float(np.linalg.norm(chord))
    if not length > 0.0 or prepare(problem, *parts(problem, before)) is None:
        return None
    unit = chord / length
    size = equation_units(problem.linearize(before)[1] * scale)

    def determinant(y: np.ndarray) -> float:
        whole = np.vstack([problem.linearize(y)[1] * scale / size, unit])
        return float(np.linalg.det(whole)) if np.isfinite(whole).all() else np.nan

    shares = [0.0, 1.0]
    values = [determinant(y) for y in (before, after)]
    y = before
    for _ in range(STEPS):
        a, b = values[-2:]
        if not np.isfinite(a + b) or a == b:
            break
        share = shares[-1] - b * (shares[-1] - shares[-2]) / (b - a)
        if not 0.0 <= share <= 1.0:
            return None
        guess = before + share * (after - before)
        found = onto(problem, guess, unit / scale, scale)
        y = guess if found is None or np.linalg.norm((found - guess) / scale) > length else found
        shares.append(share)
        values.append(determinant(y))
        if abs(shares[-1] - shares[-2]) < 1e-7:
            break
    ways = [way for way in directions(problem, y, scale, size) if abs(way @ unit) < PARALLEL]
    return Junction(y, min(ways, key=lambda way: abs(way @ unit)) * scale) if ways else None


def directions(
    problem: LocusProblem, y: np.ndarray, scale: np.ndarray, size: np.ndarray | None = None
) -> list[np.ndarray]:
    """Return the unit tangents, in scaled unknowns, of the curves through a junction: of the branching equation.

    `size` are the units of the equations, (u - 1, 1). The list is empty where y is no simple branch point.
    """
    value, plain = problem.linearize(y)
    if not (np.isfinite(plain).all() and np.isfinite(value).all()):
        return []
    if size is None:
        size = equation_units(plain * scale)
    left, sizes, right = np.linalg.svd(plain * scale / size)
    if len(sizes) > 1 and not sizes[-1] < 1e-3 * sizes[-2]:
        return []
    first, second, null = right[-2], right[-1], left[:, -1]

    def form(u: np.ndarray, v: np.ndarray) -> float:
        ahead, behind = (problem.linearize(y + sign * DIFFERENCE * u * scale)[1] for sign in (1.0, -1.0))
        return float(null @ ((ahead - behind) * scale / size @ v)) / (2.0 * DIFFERENCE)

    forms = form(first, first), form(first, second), form(second, second)
    return branching_directions(forms, first, second) if np.isfinite(forms).all() else []


def equation_units(matrix: np.ndarray) -> np.ndarray:
    """Return the sizes of the rows of a matrix, (u - 1, 1); a row may vanish at a junction."""
    size = np.linalg.norm(matrix, axis=1, keepdims=True)
    out: np.ndarray = np.maximum(size, SPREAD * size.max())
    return out

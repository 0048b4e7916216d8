"""What an engine found against what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bifrncrn.cli.bench.engines import Outcome
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.start import newton

AGREEMENT = 1e-3
"""A special point this far from a known one, relative to the range and the size of the state, is not that one."""
ZERO = 1e-3
"""What should vanish at a special point, relative to what it belongs to, does where it is smaller than this."""


@dataclass(frozen=True)
class Known:
    """A special point that is there: label, value of the parameter, state."""

    label: str
    parameter: float
    state: tuple[float, ...]


@dataclass(frozen=True)
class Verdict:
    """How many of the known points were found and missed, how many found were false, and the largest error."""

    found: int
    missed: int
    false: int
    worst_error: float | None


def judge(outcome: Outcome, known: Sequence[Known], width: float) -> Verdict:
    """Compare an outcome with the known points; points found twice count once.

    The error is that of the parameter relative to the range's width.
    """
    errors = [_nearest(point, outcome, width) for point in known]
    found = [error for error in errors if error is not None]
    false = sum(not any(_same(label, p, x, point, width) for point in known) for label, p, x in outcome.special)
    return Verdict(len(found), len(errors) - len(found), false, max(found, default=None))


def reference(problem: EquilibriumProblem, outcomes: Iterable[Outcome], width: float) -> list[Known]:
    """Return the special points that any engine found and that are ones: what other models are judged by.

    Each is corrected onto the branch, and must there have the eigenvalues of its kind.
    """
    known: list[Known] = []
    for outcome in outcomes:
        for label, p, x in outcome.special:
            if not any(_same(label, p, x, point, width) for point in known) and _genuine(problem, label, p, x, width):
                known.append(Known(label, p, tuple(x)))
    return known


def known_points(word: str) -> list[Known] | None:
    """Return the special points that the library knows a system to have; None for any other model."""
    from bifrncrn.library.textbook import TEXTBOOK

    if word not in TEXTBOOK:
        return None
    return [Known(point.label, point.parameter, point.state) for point in TEXTBOOK[word]().known]


def _nearest(point: Known, outcome: Outcome, width: float) -> float | None:
    errors = [abs(p - point.parameter) / width for label, p, x in outcome.special if _same(label, p, x, point, width)]
    return min(errors, default=None)


def _same(label: str, p: float, x: Sequence[float], point: Known, width: float) -> bool:
    size = np.abs(point.state) + (float(np.max(np.abs(point.state))) or 1.0)
    # a fold is found to the square root of the parameter's error in the state
    near = np.all(np.abs(np.array(x) - point.state) <= np.sqrt(AGREEMENT) * size)
    return label == point.label and abs(p - point.parameter) <= AGREEMENT * width and bool(near)


def _genuine(problem: EquilibriumProblem, label: str, p: float, x: Sequence[float], width: float) -> bool:
    y = np.append(x, p)
    at = newton(problem, y)
    size = np.append(np.abs(y[:-1]) + 1e-3 * (float(np.max(np.abs(y[:-1]))) or 1.0), width)
    if at is not None and np.all(np.abs(at - y) <= ZERO * size):  # at a fold it may have left the branch
        y = at
    if label == "HB":  # a slow pair may be one, however fast the others are
        values = problem.eigenvalues(y)
        return bool(np.any((values.imag > 0.0) & (np.abs(values.real) < ZERO * values.imag)))
    # near a fold all is off by the square root of the parameter's error
    if label == "LP":
        ahead = problem.tangent(y, size) / size
        return bool(abs(ahead[-1]) < np.sqrt(ZERO) * np.linalg.norm(ahead))
    matrix = problem.dense(y) * size
    sizes = np.linalg.svd(matrix / np.maximum(np.max(np.abs(matrix), axis=1, keepdims=True), 1e-300))[1]
    return bool(sizes[-1] < np.sqrt(ZERO) * max(sizes[0], 1e-300))

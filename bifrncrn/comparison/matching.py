"""Pair the special points of two diagrams, and say what sets the partners apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bifrncrn.base.labels import is_judged
from bifrncrn.comparison.comparison import Match, where
from bifrncrn.comparison.window import Window
from bifrncrn.diagrams.results import Diagram, SpecialPoint

REACH = 0.5  # of the range and box: special points further apart than this are never partners
SAME_POINT = 1e-6  # of the range and box: special points of one label closer than this are one point seen twice

Place = tuple[SpecialPoint, np.ndarray]


def places(diagram: Diagram, names: Sequence[str], window: Window) -> list[Place]:
    """Return the bifurcations in the range with their coordinates (parameter, common states), each once."""
    kept: list[Place] = []
    for point in diagram.special_points:
        if not is_judged(point.label) or diagram.parameter not in point.parameters:
            continue
        values = [point.state.get(name, math.nan) for name in names]
        place = np.array([point.parameters[diagram.parameter], *values])
        if not window.covers(place):
            continue
        if not any(point.label == p.label and distance(place, q, window) < SAME_POINT for p, q in kept):
            kept.append((point, place))
    return kept


def distance(a: np.ndarray, b: np.ndarray, window: Window) -> float:
    """Return the distance of two places by which partners are found."""
    gap = (a - b) / window.scale
    state = root_mean_square(gap[1:])
    return math.hypot(gap[0], 0.0 if state is None else state)


def root_mean_square(values: np.ndarray) -> float | None:
    """Return the root of the mean square of what is finite; None where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if known.size else None


def assigned(cost: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs (row, column) of least total cost, where staying alone costs half of `REACH` on each side."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = cost.shape
    if rows <= 1 and columns <= 1:
        return [(0, 0)] if cost.size and cost[0, 0] < REACH else []
    whole = np.full((rows + columns,) * 2, REACH / 2)
    whole[rows:, columns:] = 0.0
    whole[:rows, :columns] = cost
    return [(int(i), int(j)) for i, j in zip(*linear_sum_assignment(whole)) if i < rows and j < columns]


def paired(
    rows: list[Place], columns: list[Place], window: Window
) -> tuple[list[tuple[Place, Place]], list[Place], list[Place]]:
    """Return the pairs of least total distance of one label, and the rows and the columns left alone."""
    pairs = []
    for label in sorted({p.label for p, _ in rows}):
        left = [k for k, (p, _) in enumerate(rows) if p.label == label]
        right = [k for k, (p, _) in enumerate(columns) if p.label == label]
        cost = np.array([[distance(rows[a][1], columns[b][1], window) for b in right] for a in left])
        pairs += [(left[i], right[j]) for i, j in assigned(cost.reshape(len(left), len(right)))]
    matched_rows, matched_columns = {i for i, _ in pairs}, {j for _, j in pairs}
    alone = [place for k, place in enumerate(rows) if k not in matched_rows]
    strangers = [place for k, place in enumerate(columns) if k not in matched_columns]
    return [(rows[i], columns[j]) for i, j in sorted(pairs)], alone, strangers


def match(first: Place, second: Place, tolerance: float, shape_tolerance: float, window: Window) -> Match:
    """Return two partners with their differences; `tolerance` is in the parameter's unit."""
    gap = second[1] - first[1]
    return Match(
        label=first[0].label,
        target=first[0],
        learned=second[0],
        parameter_shift=float(gap[0]),
        state_error=root_mean_square(gap[1:] / window.scale[1:]),
        rate_error=_rate_error(first[0], second[0]),
        tolerance=float(tolerance),
        shape_tolerance=float(shape_tolerance),
    )


def _rate_error(first: SpecialPoint, second: SpecialPoint) -> float | None:
    """Return the relative difference of the frequencies at Hopf points, of the periods at points on cycles."""
    a, b = (p.omega if p.label == "HB" else p.period for p in (first, second))
    if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)) or a == 0:
        return None
    return abs(b / a - 1)


def differences(pair: Match, words: tuple[str, str], parameter: str) -> list[str]:
    """Return a sentence for everything that sets two partners apart by more than is allowed."""
    one, two = words
    at = where(pair.target, parameter)
    said = []
    if not pair.within_tolerance:
        said.append(
            f"{at} of the {one} lies {pair.parameter_error:.4g} away in the {two} (allowed {pair.tolerance:.4g})"
        )
    if pair.same_criticality is False:
        said.append(f"{at} is {pair.target.criticality} in the {one} and {pair.learned.criticality} in the {two}")
    if pair.rate_error is not None and pair.rate_error > pair.shape_tolerance:
        word = "frequency" if pair.label == "HB" else "period"
        a, b = (p.omega if pair.label == "HB" else p.period for p in (pair.target, pair.learned))
        said.append(f"at {at} the {word} is {a:.4g} in the {one} and {b:.4g} in the {two}")
    if pair.state_error is not None and pair.state_error > pair.shape_tolerance:
        said.append(f"the state at {at} is {pair.state_error:.2g} of the region away in the {two}")
    return said


def unknown(pair: Match, words: tuple[str, str], parameter: str) -> list[str]:
    """Return a sentence for everything about two partners that could not be judged."""
    said = []
    for point, word in zip((pair.target, pair.learned), words):
        at = f"{pair.label} at {next(iter(point.parameters.values())):.10g}"
        if pair.label == "HB" and point.criticality is None:
            said.append(f"the criticality of {at} of the {word} is not known")
        if pair.label == "HB" and not (point.omega and math.isfinite(point.omega)):
            said.append(f"the frequency of {at} of the {word} is not known")
        if point.bracket and abs(point.bracket[1] - point.bracket[0]) > pair.tolerance:
            said.append(
                f"{at} of the {word} is only known to lie between {point.bracket[0]:g} and {point.bracket[1]:g}"
            )
    return said

"""Compare the bifurcations of a learned system with those of its target.

Everything but `compare` works on finished diagrams only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.comparison.branch_distance import Window, branch_distance, polylines
from bifrncrn.comparison.comparison import Comparison, Match, common_range, where
from bifrncrn.diagrams.results import Diagram, SpecialPoint

if TYPE_CHECKING:
    from bifrncrn.models.system import System

UNJUDGED = ("EP", "UZ")  # labels that are no bifurcations
REACH = 0.5  # of the range and box: special points further apart than this are never partners
SAME_POINT = 1e-6  # of the range and box: special points of one label closer than this are one point seen twice

Box = Mapping[str, tuple[float, float]]


def compare(
    target: Any,
    network: Any,
    parameter: str | None = None,
    bounds: tuple[float, float] | None = None,
    mu: float | None = None,
    tolerance: float = 0.05,
    *,
    start: Mapping[str, float] | None = None,
    box: Box | None = None,
    engine: str = "native",
) -> Comparison:
    """Trace the diagrams of a target and of a network that learned it, and compare them.

    Parameters
    ----------
    target : Target, System or Diagram
        What was to be learned. A `Target` brings its training box and its range.
    network : Network, Fit, System or Diagram
        What learned it.
    parameter : str, optional
        The continuation parameter; by default the diagram's, the target's or the only sensible one. A side that does
        not know it (a network whose `lam` stands for the target's `D`) uses its own default.
    bounds : (float, float), optional
        The range of the parameter; by default the target's.
    mu : float, optional
        Analyse the full network at this ratio of time-scales; by default the reduced one (mu to 0).
    tolerance : float
        How far a special point may be off, in the parameter's unit.
    start : mapping of str to float, optional
        Where both diagrams start; by default each system's own start values.
    box : mapping of str to (float, float), optional
        Region of the target's states; by default the target's training box. In a box all branches are compared,
        connected to the start or not; without one, those connected to it.
    engine : str
        `native` or `pycont`.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If an argument is not one of the above, or the tolerance is not positive.
    ConvergenceError
        If a diagram has no point to start from.
    """
    _check_tolerance(tolerance)
    box = getattr(target, "box", None) if box is None else box
    bounds = _bounds_of(target) if bounds is None else bounds
    sides = []
    for thing in (target, network):
        if isinstance(thing, Diagram):
            sides.append(thing)
            continue
        if bounds is None:
            raise InputError("the range of the parameter is not known; give bounds=(low, high)")
        system = _system_of(thing, mu)
        name = parameter if parameter in system.parameters else getattr(thing, "parameter", None)
        region = None if box is None else _renamed(box, _names_of(target), system.variables)
        sides.append(_trace(system, name, bounds, start, region, engine))
    return compare_diagrams(sides[0], sides[1], tolerance=tolerance, box=box)


def compare_diagrams(target: Diagram, learned: Diagram, tolerance: float = 0.05, box: Box | None = None) -> Comparison:
    """Compare two finished diagrams.

    Special points of one label are paired so that the sum of their distances is smallest. The distance of two points
    adds, in quadrature, their parameters' difference (in units of the range, or of four tolerances if that is more)
    and the root mean square of their common states' differences (in units of the box's sides, or of the extent of the
    target's branches where there is no box). A pair further apart than 0.5 is no pair: one is missing, the other extra.

    A learned network has equilibria far from where it was trained, so a point outside the box that has no partner is
    listed as `outside` and not judged; a pair is judged wherever it lies.

    Parameters
    ----------
    target, learned : Diagram
        They are compared on the range they have in common. States of the same name are compared; if there are none,
        the target's first states are taken to be `x1`, `x2`, ... of the network.
    tolerance : float
        How far a special point may be off, in the parameter's unit.
    box : mapping of str to (float, float), optional
        The region of the target's states that is judged; by default all of them.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the tolerance is not positive, the box names an unknown state or the ranges do not overlap.
    """
    _check_tolerance(tolerance)
    names = _same_states(_states(target), _states(learned))
    box = None if box is None else {name: (float(low), float(high)) for name, (low, high) in box.items()}
    _check_box(box, target)
    window = _window(target, learned, names, box, tolerance)
    rows = _places(_bifurcations(target), target.parameter, tuple(names), window)
    columns = _places(_bifurcations(learned), learned.parameter, tuple(names.values()), window)
    pairs, alone, strangers = _assign(rows, columns, window)
    missing = [p for p, place in alone if box is None or window.holds(place[None])[0]]
    extra = [p for p, place in strangers if box is None or window.holds(place[None])[0]]
    judged = {id(p) for p in missing + extra}
    matched = tuple(_match(a, b, tolerance, window) for a, b in pairs)
    curves = polylines(target, (target.parameter, *names)), polylines(learned, (learned.parameter, *names.values()))
    distance = branch_distance(*curves, window)
    return Comparison(
        target=target,
        learned=learned,
        tolerance=float(tolerance),
        box=box,
        names=names,
        matched=matched,
        missing=tuple(missing),
        extra=tuple(extra),
        outside=tuple(p for p, _ in alone + strangers if id(p) not in judged),
        branch_distance=distance,
        orbit_distance=None,
        notes=_notes(missing, extra, strangers, alone, window, target, learned, distance),
    )


Place = tuple[SpecialPoint, np.ndarray]


def _bifurcations(diagram: Diagram) -> list[SpecialPoint]:
    return [point for point in diagram.special_points if point.label not in UNJUDGED]


def _places(points: Sequence[SpecialPoint], parameter: str, names: tuple[str, ...], window: Window) -> list[Place]:
    """Return the points inside the range with their coordinates (parameter, common states), each once."""
    kept: list[Place] = []
    for point in points:
        place = np.array([point.parameters[parameter], *(point.state.get(name, math.nan) for name in names)])
        if not window.lower[0] <= place[0] <= window.upper[0]:
            continue
        if not any(point.label == p.label and _distance(place, q, window) < SAME_POINT for p, q in kept):
            kept.append((point, place))
    return kept


def _distance(a: np.ndarray, b: np.ndarray, window: Window) -> float:
    """Return the distance of two places by which partners are found."""
    gap = (a - b) / window.scale
    state = _root_mean_square(gap[1:])
    return math.hypot(gap[0], 0.0 if state is None else state)


def _root_mean_square(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if known.size else None


def _assign(
    rows: list[Place], columns: list[Place], window: Window
) -> tuple[list[tuple[Place, Place]], list[Place], list[Place]]:
    """Return the pairs of least total distance, and the rows and the columns left alone."""
    from scipy.optimize import linear_sum_assignment

    pairs = []
    for label in sorted({p.label for p, _ in rows}):
        left = [k for k, (p, _) in enumerate(rows) if p.label == label]
        right = [k for k, (p, _) in enumerate(columns) if p.label == label]
        # Beside the real partners each point has one of its own that costs half of REACH: staying alone.
        cost = np.full((len(left) + len(right),) * 2, REACH / 2)
        cost[len(left) :, len(right) :] = 0.0
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                cost[i, j] = _distance(rows[a][1], columns[b][1], window)
        chosen = zip(*linear_sum_assignment(cost))
        pairs += [(left[i], right[j]) for i, j in chosen if i < len(left) and j < len(right)]
    matched_rows, matched_columns = {i for i, _ in pairs}, {j for _, j in pairs}
    alone = [place for k, place in enumerate(rows) if k not in matched_rows]
    strangers = [place for k, place in enumerate(columns) if k not in matched_columns]
    return [(rows[i], columns[j]) for i, j in sorted(pairs)], alone, strangers


def _match(target: Place, learned: Place, tolerance: float, window: Window) -> Match:
    gap = learned[1] - target[1]
    return Match(
        label=target[0].label,
        target=target[0],
        learned=learned[0],
        parameter_shift=float(gap[0]),
        state_error=_root_mean_square(gap[1:] / window.scale[1:]),
        tolerance=float(tolerance),
    )


def _notes(
    missing: list[SpecialPoint],
    extra: list[SpecialPoint],
    strangers: list[Place],
    alone: list[Place],
    window: Window,
    target: Diagram,
    learned: Diagram,
    distance: float | None,
) -> tuple[str, ...]:
    """Return what a reader should know beside the tables."""
    notes = []
    for point, place in alone:
        near = [p for p, q in strangers if p in extra and _distance(place, q, window) < REACH / 2]
        if point in missing and near:
            notes.append(
                f"{where(point, target.parameter)} has changed kind: near it the learned diagram has "
                + ", ".join(where(p, learned.parameter) for p in near)
            )
    bracketed = [p for d in (target, learned) for p in d.special_points if p.status == "bracketed"]
    notes += [f"the {p.label} between {p.bracket} could not be refined" for p in bracketed if p.bracket]
    if distance is None:
        notes.append("a diagram has no branch inside the compared region, so there is no branch distance")
    return tuple(notes)


def _window(target: Diagram, learned: Diagram, names: Mapping[str, str], box: Box | None, tolerance: float) -> Window:
    """Return the compared region: the common range, and the box or else the target's extent, on the common states."""
    low, high = common_range(target, learned)
    lower, upper, scale = [low], [high], [max(high - low, 4 * tolerance)]
    for name in names:
        if box is not None and name in box:
            a, b = box[name]
            side = b - a
        else:
            values = [branch.column(name) for branch in target.branches if name in branch.columns]
            a, b, side = _extent(np.concatenate(values) if values else np.empty(0))
        lower.append(a)
        upper.append(b)
        scale.append(side)
    return Window(np.array(lower), np.array(upper), np.array(scale))


def _extent(values: np.ndarray) -> tuple[float, float, float]:
    """Return the ends of the values and their scale: their span, but not less than half of the largest of them."""
    values = values[np.isfinite(values)]
    if not values.size:
        return -math.inf, math.inf, 1.0
    low, high = float(values.min()), float(values.max())
    scale = max(high - low, 0.5 * max(abs(low), abs(high))) or 1.0
    return low - 0.25 * scale, high + 0.25 * scale, scale


def _same_states(theirs: Sequence[str], ours: Sequence[str]) -> dict[str, str]:
    """Return for each state of the target its name in the learned system: the same, or else its number's `x1`, ..."""
    same = {name: name for name in theirs if name in ours}
    return same or {name: f"x{k}" for k, name in enumerate(theirs, 1) if f"x{k}" in ours}


def _states(diagram: Diagram) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for branch in diagram.branches:
        names |= dict.fromkeys(branch.columns)
    for point in diagram.special_points:
        names |= dict.fromkeys(point.state)
    return tuple(name for name in names if name != diagram.parameter and " " not in name and name != "period")


def _check_tolerance(tolerance: float) -> None:
    if not (isinstance(tolerance, int | float) and math.isfinite(tolerance) and tolerance > 0):
        raise InputError(f"tolerance is {tolerance}; it must be a positive number in the parameter's unit")


def _check_box(box: Box | None, target: Diagram) -> None:
    for name, (low, high) in (box or {}).items():
        if name not in _states(target):
            raise InputError(
                f"the box names {name!r}, which is no state of the target; it has {', '.join(_states(target))}"
            )
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InputError(f"the box of {name!r} is {low} to {high}; give two finite numbers, the lower first")


def _bounds_of(thing: Any) -> tuple[float, float] | None:
    return thing.range if isinstance(thing, Diagram) else getattr(thing, "bounds", None)


def _system_of(thing: Any, mu: float | None) -> System:
    """Return the system to trace: of a target its field, of a network or fit the reduced or the full system."""
    from bifrncrn.models.system import System

    if isinstance(thing, System):
        return thing
    network = getattr(thing, "network", thing)
    if hasattr(network, "reduced"):
        return network.reduced() if mu is None else network.full(mu)
    if hasattr(thing, "system"):
        return thing.system
    raise InputError(f"cannot trace a {type(thing).__name__}; give a Target, a System, a Network, a Fit or a Diagram")


def _names_of(target: Any) -> tuple[str, ...]:
    return _states(target) if isinstance(target, Diagram) else _system_of(target, None).variables


def _renamed(box: Box, theirs: Sequence[str], variables: Sequence[str]) -> Box:
    """Return the box of the target's states in the names of a system's variables."""
    names = _same_states(theirs, variables)
    return {names[name]: side for name, side in box.items() if name in names}


def _trace(
    system: System,
    parameter: str | None,
    bounds: tuple[float, float],
    start: Mapping[str, float] | None,
    box: Box | None,
    engine: str,
) -> Diagram:
    """Trace a system from its start, or everywhere in the box."""
    from bifrncrn.diagrams.diagram import diagram

    known = (*system.variables, *system.parameters)
    begin = {name: value for name, value in (start or {}).items() if name in known} or None
    return diagram(system, parameter=parameter, bounds=bounds, start=begin, box=box, all=box is not None, engine=engine)

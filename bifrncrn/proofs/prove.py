"""`prove`: all equilibria, folds and Hopf points of a model in a box, as a theorem."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.proofs import special
from bifrncrn.proofs.arcs import Arcs
from bifrncrn.proofs.cover import Cover, cover
from bifrncrn.proofs.linking import Curves, linked
from bifrncrn.proofs.points import Points, Proved
from bifrncrn.proofs.problem import Problem
from bifrncrn.proofs.result import MEANING, Interval, Proof, ProvedPoint, Undecided
from bifrncrn.proofs.rounding import check_arithmetic, down, midpoint, up

if TYPE_CHECKING:
    from bifrncrn.models.system import System

MOST_STATES = 3
"""Whole boxes are covered for up to so many states: the number of boxes grows exponentially with it."""
MOST_BOXES = (100_000, 2_000_000, 20_000_000)
"""For one, two and three states."""
SECONDS = 120.0
MOST_JOINED = 2000
"""More undecided boxes than this are joined to one."""
EQUILIBRIA = "what equilibria there are"
NO_EQUATIONS = "nothing can be proved about a Python function: give the model by its equations"
REDUCED = "That these sums are conserved is taken for granted; the statements are about the model without them."
ONE_CURVE, ENTERS = "whether two curves are one", "whether a curve enters the box"


def prove(
    model: Any,
    *,
    parameter: str | None = None,
    bounds: tuple[float, float] | None = None,
    box: Mapping[str, tuple[float, float]] | None = None,
    values: Mapping[str, float | str] | None = None,
    spread: float = 0.0,
    seconds: float = SECONDS,
) -> Proof:
    """Prove what equilibria, folds and Hopf points a model has in a box; nothing rests on floating-point luck.

    Every equilibrium in the box lies on one of the proof's curves; every special point that is listed exists, and is
    the only one in its small box; there is no other one. What could not be decided is listed, and then `proved` is
    false. See docs/proofs.md for what a statement means and how it is found.

    Parameters
    ----------
    model : System, Target, Network or Diagram
        Of up to three states. A network is taken in its reduced form. Of a diagram its folds and Hopf points are
        proved, one by one and of any number of states, and nothing is said about what the diagram may have missed.
    parameter : str, optional
        The parameter that varies; by default `lam`, or the only one.
    bounds : (float, float), optional
        Its interval; by default the target's.
    box : mapping of str to (float, float), optional
        The interval of every state; by default the target's box.
    values : mapping of str to float, optional
        Values of other parameters, in place of the model's own.
    spread : float
        Prove it for all values of the other parameters within this fraction of those stored (0.01 for 1 %).
    seconds : float
        What is not decided by then stays undecided.

    Returns
    -------
    Proof

    Raises
    ------
    InputError
        If an argument is wrong, a state has no interval, or the model is not made of equations.

    Examples
    --------
    >>> import bifrncrn as bf
    >>> model = bf.System.from_equations({"x": "r - x^2"}, parameters={"r": 1})
    >>> proof = bf.prove(model, parameter="r", bounds=(-1, 2), box={"x": (-3, 3)})
    >>> proof.proved, proof.branches, [point.label for point in proof.special_points]
    (True, 1, ['LP'])
    """
    if hasattr(model, "special_points") and hasattr(model, "reduction"):
        return _of_points(model, model.special_points)
    system, bounds, box = _taken(model, bounds, box)
    name = _parameter(system, parameter)
    if values and name in values:
        raise InputError(f"{name} varies over its range; give it no value")
    system = system.with_(values=values) if values else system
    span = _interval(f"the range of {name}", bounds)
    sides = _sides(system, box)
    n = len(system.variables)
    if n > MOST_STATES:
        raise InputError(f"boxes of up to {MOST_STATES} states are covered, this model has {n}; reduce it, or fix some")
    if not (math.isfinite(spread) and 0.0 <= spread < 1.0):
        raise InputError(f"the spread must be a fraction between 0 and 1, not {spread!r}")
    check_arithmetic()
    stored = np.array(system.values)
    reach = up(np.abs(stored) * spread)
    between = (down(stored - reach), up(stored + reach)) if spread else (stored, stored)
    with np.errstate(all="ignore"):
        problem = _prepared(system, name, between).problem
        low, high = (np.array([*(sides[v][i] for v in system.variables), span[i]]) for i in (0, 1))
        found = cover(problem, low, high, MOST_BOXES[n - 1], seconds)
        return _concluded(system, name, problem, found, low, high)


def prove_learned(
    network: Any,
    target: Any,
    *,
    parameter: str | None = None,
    bounds: tuple[float, float] | None = None,
    box: Mapping[str, tuple[float, float]] | None = None,
) -> Proof:
    """Prove what a network does in its target's box and range, where none are given.

    Parameters
    ----------
    network : Network or System
        A network is taken in its reduced form; its states correspond to the target's in order.
    target : Target or System

    Raises
    ------
    InputError
        If there is no box or no range.
    """
    system = network.reduced() if callable(getattr(network, "reduced", None)) else network
    box = getattr(target, "box", None) if box is None else box
    sides = [*box.values()] if box else [_hull(axis) for axis in zip(*_boxes(target), strict=True)]
    box = dict(zip(system.variables, sides, strict=False))
    bounds = getattr(target, "bounds", None) if bounds is None else bounds
    if parameter not in system.parameters:
        parameter = None  # the target's name of it; the network has its own
    return prove(system, parameter=parameter, bounds=bounds, box=box)


def _boxes(target: Any) -> list[Any]:
    """Return the boxes of a target's parts, where it has several systems and no box of its own."""
    return [part.box for part in getattr(target, "parts", ()) if getattr(part, "box", None)]


def _hull(sides: Iterable[Interval]) -> Interval:
    lows, highs = zip(*sides, strict=True)
    return min(lows), max(highs)


def _concluded(system: System, name: str, problem: Problem, found: Cover, low: np.ndarray, high: np.ndarray) -> Proof:
    """Put together what the arcs hold."""
    arcs = found.arcs
    whole = not len(found.undecided[0])
    curves = linked(problem, arcs, low, high) if whole else Curves(np.full(len(arcs), -1), 0, [], [])
    analysis = special.analyse(problem, arcs, low, high)
    undecided = _joined_boxes(problem, found)
    undecided += _joined_pieces(problem, analysis)
    points, doubts = _points(_prepared(system, name, problem.values), analysis.roots, low, high)
    undecided += doubts
    for reason, which in ((ONE_CURVE, curves.doubtful), (ENTERS, curves.outside)):
        boxes = _joined([(arcs.core_low[i], arcs.core_high[i]) for i in which])
        undecided += [_undecided(problem, reason, *box) for box in boxes]
    return Proof(
        proved=not undecided,
        model=system.title,
        parameter=name,
        range=(float(low[-1]), float(high[-1])),
        box={v: (float(low[i]), float(high[i])) for i, v in enumerate(system.variables)},
        values=_stored(system, problem.values, name),
        branches=None if not whole or curves.doubtful or curves.outside else curves.count,
        special_points=tuple(points),
        undecided=tuple(undecided),
        counters={"boxes": found.boxes, "arcs": len(arcs)},
        arcs=_certificate(arcs, curves),
    )


def _certificate(arcs: Arcs, curves: Curves) -> dict[str, list]:
    return {
        "pivot": arcs.pivot.tolist(),
        "low": arcs.low.tolist(),
        "high": arcs.high.tolist(),
        "core_low": arcs.core_low.tolist(),
        "core_high": arcs.core_high.tolist(),
        "curve": curves.of.tolist(),
    }


def _undecided(problem: Problem, reason: str, low: np.ndarray, high: np.ndarray) -> Undecided:
    return Undecided(reason, {v: (float(a), float(b)) for v, a, b in zip(problem.names, low, high, strict=True)})


def _joined_boxes(problem: Problem, found: Cover) -> list[Undecided]:
    reason = EQUILIBRIA if found.finished else f"{EQUILIBRIA} (given up: too many boxes, or no time left)"
    return [_undecided(problem, reason, *box) for box in _joined(zip(*found.undecided, strict=True))]


def _joined_pieces(problem: Problem, analysis: special.Analysis) -> list[Undecided]:
    sorts: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for _, arc, reason in analysis.unknown:
        sorts.setdefault(reason, []).append((arc.core_low[0], arc.core_high[0]))
    return [_undecided(problem, reason, *box) for reason, boxes in sorts.items() for box in _joined(boxes)]


def _joined(boxes: Iterable[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Join boxes that touch; all of them where there are too many."""
    listed = list(boxes)
    clusters: list[tuple[np.ndarray, np.ndarray]] = []
    if len(listed) > MOST_JOINED:
        lows, highs = (np.array([box[i] for box in listed]) for i in (0, 1))
        return [(lows.min(axis=0), highs.max(axis=0))]
    for low, high in listed:
        gap = high - low
        for k, (c_low, c_high) in enumerate(clusters):
            if ((low - gap <= c_high) & (high + gap >= c_low)).all():
                clusters[k] = np.minimum(c_low, low), np.maximum(c_high, high)
                break
        else:
            clusters.append((low, high))
    return clusters


def _points(
    prover: Points, roots: list[special.Root], low: np.ndarray, high: np.ndarray
) -> tuple[list[ProvedPoint], list[Undecided]]:
    """Return the special points in the box, each once."""
    points: list[ProvedPoint] = []
    problem = prover.problem
    kept: list[special.Root] = []
    doubts: list[Undecided] = []
    for root in roots:
        r_low, r_high = root.arc.core_low[0], root.arc.core_high[0]
        if (r_low > high).any() or (r_high < low).any():
            continue
        if (r_low < low).any() or (r_high > high).any():
            doubts.append(_undecided(problem, "whether a special point lies in the box", r_low, r_high))
            continue
        same = [_same(root, other) for other in kept if other.test == root.test]
        if True in same:
            continue
        if None in same:
            doubts.append(_undecided(problem, "whether two special points are one", r_low, r_high))
            continue
        kept.append(root)
        points.append(_point(prover, root))
    order = sorted(range(len(points)), key=lambda i: points[i].parameters[problem.names[-1]])
    return [points[i] for i in order], doubts


def _same(one: special.Root, other: special.Root) -> bool | None:
    """Say whether two roots are one; None where it is not known."""
    for first, second in ((one, other), (other, one)):
        low, high = first.arc.core_low[0], first.arc.core_high[0]
        if ((low >= second.piece.low[0]) & (high <= second.piece.high[0])).all():
            return True  # in the tube of a piece that has a single root
    apart = (one.arc.core_low[0] > other.arc.core_high[0]) | (one.arc.core_high[0] < other.arc.core_low[0])
    return False if apart.any() else None


def _point(prover: Points, root: special.Root) -> ProvedPoint:
    """Describe a root; with the coefficients of its normal form, where they are proved for the same point."""
    problem, arc, piece = prover.problem, root.arc, root.piece
    low, high = arc.core_low[0], arc.core_high[0]
    beside = special.sides(problem, root)
    detail: dict[str, Any] = {"unstable": beside.unstable}
    if root.test == special.FOLD:
        detail["turns"] = beside.turns
    else:
        detail["omega"] = special.frequency(root.square)
    at = midpoint(low, high)
    again = prover.fold(at) if root.test == special.FOLD else prover.hopf(at)
    if again.box is not None and ((again.box[0] >= piece.low[0]) & (again.box[1] <= piece.high[0])).all():
        # in the tube of a piece that holds a single one
        low, high = np.maximum(low, again.box[0]), np.minimum(high, again.box[1])
        detail |= again.detail
    sides = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    label = "LP" if root.test == special.FOLD else "HB"
    names = problem.names
    return ProvedPoint(label, {names[-1]: sides[-1]}, dict(zip(names[:-1], sides[:-1], strict=True)), detail)


# -- the points of a diagram ----------------------------------------------------------------------------------------


def _of_points(diagram: Any, points: Iterable[Any]) -> Proof:
    """Prove special points one by one; nothing is said about what lies elsewhere."""
    reduction = diagram.reduction
    system = diagram.system if reduction is None else reduction.system
    if system is None:
        raise InputError("a diagram that was loaded holds no model; trace it again, or prove its model in a box")
    if not system.equations:
        raise InputError(NO_EQUATIONS)
    check_arithmetic()
    name, values = diagram.parameter, (np.array(system.values), np.array(system.values))
    prover = _prepared(system, name, values)
    proofs, undecided = [], []
    for point in points:
        if point.label not in MEANING:
            continue
        at = [*(point.state[v] for v in system.variables), point.parameters[name]]
        found, reason = _one(prover, point, np.array(at, float))
        proofs.append(found)
        if reason:
            sides = {v: (float(a), float(a)) for v, a in zip(prover.problem.names, at, strict=True)}
            undecided.append(Undecided(f"{point.label}: {reason}", sides))
    notes = () if reduction is None else (reduction.sentence(reduction.whole.variables), REDUCED)
    return Proof(
        proved=not undecided,
        model=diagram.model,
        parameter=name,
        range=(float(diagram.range[0]), float(diagram.range[1])),
        box={},
        values=_stored(system, values, name),
        branches=None,
        special_points=tuple(proofs),
        undecided=tuple(undecided),
        notes=notes,
    )


def _one(prover: Points, point: Any, at: np.ndarray) -> tuple[ProvedPoint, str]:
    """Prove one special point; return it with the reason why it is not proved, if it is not."""
    names = prover.problem.names
    if point.label == "BP":
        found = Proved(None, reason="branch points vanish under the slightest change: none is proved")
    elif not np.isfinite(at).all() or point.status != "converged":
        found = Proved(None, reason="its place is not known well enough")
    else:
        with np.errstate(all="ignore"):
            found = prover.fold(at) if point.label == "LP" else prover.hopf(at)
    box = (at, at) if found.box is None else found.box
    sides = [(float(a), float(b)) for a, b in zip(*box, strict=True)]
    state = dict(zip(names[:-1], sides[:-1], strict=True))
    return ProvedPoint(point.label, {names[-1]: sides[-1]}, state, found.detail, not found.reason), found.reason


def _stored(system: System, values: tuple[np.ndarray, np.ndarray], name: str) -> dict[str, Interval]:
    varied = system.parameter_index(name)
    pairs = zip(system.parameters, *values, strict=True)
    return {p: (float(a), float(b)) for i, (p, a, b) in enumerate(pairs) if i != varied}


def _prepared(system: System, name: str, values: tuple[np.ndarray, np.ndarray]) -> Points:
    """Return what proves points of a system, made once for each parameter and its values."""
    key = "proof", name, values[0].tobytes(), values[1].tobytes()
    known = system.remembered.get("proof")
    if known is None or known[0] != key:
        known = system.remembered["proof"] = key, Points(Problem(system, name, values))
    prover: Points = known[1]
    return prover


# -- arguments ------------------------------------------------------------------------------------------------------


def _taken(model: Any, bounds: Any, box: Any) -> tuple[System, Any, Any]:
    """Return the system of a model, with the range and the box that it brings along."""
    from bifrncrn.models.system import System

    if hasattr(model, "reduced") and callable(model.reduced):
        model = model.reduced()
    if not isinstance(model, System) and isinstance(getattr(model, "system", None), System):
        bounds = getattr(model, "bounds", None) if bounds is None else bounds
        box = getattr(model, "box", None) if box is None else box
        model = model.system
    if not isinstance(model, System):
        raise InputError(f"prove takes a System, a Target or a Network, not {type(model).__name__}")
    if not model.equations:
        raise InputError(NO_EQUATIONS)
    return model, bounds, box


def _parameter(system: System, name: str | None) -> str:
    if name is None:
        name = "lam" if "lam" in system.parameters else None
        if name is None and len(system.parameters) == 1:
            name = system.parameters[0]
        if name is None:
            raise InputError(f"which parameter should vary? Name one of {', '.join(system.parameters) or 'none'}")
    system.parameter_index(name)
    return name


def _interval(what: str, given: Any) -> Interval:
    try:
        low, high = (float(v) for v in given)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} must be two numbers, not {given!r}; give (low, high)") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(f"{what} must be two finite numbers, the lower first, not [{low:g}, {high:g}]")
    return low, high


def _sides(system: System, box: Mapping[str, tuple[float, float]] | None) -> dict[str, Interval]:
    if not isinstance(box, Mapping):
        box = {} if box is None else dict(zip(system.variables, box))
    for name in box:
        system.variable_index(name)
    missing = [name for name in system.variables if name not in box]
    if missing:
        raise InputError(f"a proof needs an interval for every state; {', '.join(missing[:5])} has none: give box")
    return {name: _interval(f"the box of {name}", box[name]) for name in system.variables}

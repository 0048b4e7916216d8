"""`prove`: all equilibria, or fixed points, and special points of a model in a box, as a theorem."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.models.forcing import refuse
from bifrncrn.models.maps import is_map
from bifrncrn.proofs.box import held
from bifrncrn.proofs.cycles import of_cycle
from bifrncrn.proofs.of_diagram import NO_EQUATIONS, of_diagram, prepared, stored_values
from bifrncrn.proofs.result import Interval, Proof
from bifrncrn.proofs.rounding import around, check_arithmetic

if TYPE_CHECKING:
    from bifrncrn.models.system import System

MOST_STATES = 3
"""Whole boxes are covered for up to so many states, of a map one less: the number of boxes grows exponentially."""
MOST_BOXES = (100_000, 2_000_000, 20_000_000)
"""For one, two and three states."""
SECONDS = 120.0


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
    """Prove what equilibria and special points a model has in a box; nothing rests on floating-point luck.

    Every equilibrium (of a map: fixed point) in the box lies on one of the proof's curves; every special point that is
    listed exists, and is the only one in its small box; there is no other one. What could not be decided is listed, and
    then `proved` is false. See docs/proofs.md for what a statement means and how it is found.

    Parameters
    ----------
    model : System, Target, Network, Diagram or Cycle
        Differential equations in up to three states, or a map in up to two; a network is taken in its reduced form. Or
        a diagram, also of a map, of any number of states: its special points and branches are proved one by one, and
        nothing is said about what it may have missed. Or a cycle (see `find_cycle`) of a smooth model: that there is
        one near by, its period, multipliers and stability; it takes seconds, and `seconds` is not looked at.
    parameter : str, optional
        The parameter that varies; by default `lam`, or the only one.
    bounds : (float, float), optional
        Its interval; by default the target's.
    box : mapping of str to (float, float), optional
        The interval of every state; by default the target's box.
    values : mapping of str to float, optional
        Values of other parameters, in place of the model's own.
    spread : float
        Prove it for all values of the other parameters within this fraction of those stored (0.01 for 1 %); of a cycle
        for all parameters, of which only small intervals (1e-6, say) can be decided.
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
        return of_diagram(model, seconds)
    if hasattr(model, "orbit") and hasattr(model, "multipliers"):
        if (parameter, bounds, box, values) != (None,) * 4:
            raise InputError("a cycle is proved at the values it was found at: give the cycle, and at most a spread")
        return of_cycle(model, _fraction(spread))
    system, bounds, box = _taken(model, bounds, box)
    name = system.varying(parameter)
    if values and name in values:
        raise InputError(f"{name} varies over its range; give it no value")
    system = system.with_(values=values) if values else system
    span = _interval(f"the range of {name}", bounds)
    sides = _sides(system, box)
    n = len(system.variables)
    most = MOST_STATES - is_map(system)
    if n > most:
        raise InputError(f"boxes of up to {most} states are covered, this model has {n}; reduce it, or fix some")
    between = around(np.array(system.values), _fraction(spread))
    check_arithmetic()
    with np.errstate(all="ignore"):
        low, high = (np.array([*(sides[v][i] for v in system.variables), span[i]]) for i in (0, 1))
        prover = prepared(system, name, between, 1 if is_map(system) else None)
        found = held(prover, low, high, MOST_BOXES[n - 1], seconds)
    return Proof(
        proved=not found.undecided,
        model=system.title,
        parameter=name,
        range=span,
        box=sides,
        values=stored_values(system, between, name),
        branches=found.branches,
        special_points=found.points,
        undecided=found.undecided,
        counters={"boxes": found.boxes, "arcs": found.arcs},
        arcs=found.certificate,
        paths=found.paths,
        kind=system.kind,
    )


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
        raise InputError(f"prove takes a System, a Target, a Network, a Diagram or a Cycle, not {type(model).__name__}")
    if model.period:
        raise refuse(model)
    if not model.has_formulas:
        raise InputError(NO_EQUATIONS)
    return model, bounds, box


def _fraction(spread: float) -> float:
    if not (math.isfinite(spread) and 0.0 <= spread < 1.0):
        raise InputError(f"the spread must be a fraction between 0 and 1, not {spread!r}")
    return spread


def _interval(what: str, given: Any) -> Interval:
    try:
        low, high = (float(v) for v in given)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{what} must be two numbers, not {given!r}; give (low, high)") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(f"{what} must be two finite numbers, the lower first, not [{low:g}, {high:g}]")
    return low, high


def _sides(system: System, box: Mapping[str, tuple[float, float]] | None) -> dict[str, Interval]:
    if box is not None and not isinstance(box, Mapping):
        require_kind(box, Iterable, 'a box such as {"x": (0, 1)}')
        box = dict(zip(system.variables, box))
    box = box or {}
    for name in box:
        system.variable_index(name)
    missing = [name for name in system.variables if name not in box]
    if missing:
        raise InputError(f"a proof needs an interval for every state; {', '.join(missing[:5])} has none: give box")
    return {name: _interval(f"the box of {name}", box[name]) for name in system.variables}

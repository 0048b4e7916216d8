"""Compare the behaviour of a learned system with that of its target, or any two systems."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bifrncrn.base.checks import as_mapping, as_sides, require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.comparison.comparison import Comparison
from bifrncrn.comparison.judging import judged
from bifrncrn.comparison.window import Box, check_box, common_states, states_of
from bifrncrn.diagrams.results import Diagram

if TYPE_CHECKING:
    from bifrncrn.models.system import System

PLAIN, TRAINED = ("first", "second"), ("target", "learned")


def compare(
    target: Any,
    network: Any,
    parameter: str | None = None,
    bounds: tuple[float, float] | None = None,
    mu: float | None = None,
    tolerance: float = 0.05,
    *,
    shape_tolerance: float = 0.1,
    start: Mapping[str, float] | None = None,
    box: Box | None = None,
    engine: str = "native",
    prove: bool = False,
) -> Comparison:
    """Trace the diagrams of a target and of a network that learned it, follow their cycles, and compare all of it.

    Compared are special points (label, parameter, criticality, frequency, state), the number, place and stability of
    equilibria and cycles all over the range, the cycles' periods, extents and shapes, and what trajectories from a few
    states of the region come to: in number and kind, and to which of several. States that only one side has, such as
    perceptrons, start where they settle while the others stand still. The verdict is true only where all of that was
    looked at and agrees; what differs on the border of two basins is a note.

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
        How far a special point may be off, relative to the width of the parameter's range. What differs over less of
        the range than this does not count either.
    shape_tolerance : float
        How much all else may differ, relatively: frequencies at Hopf points, periods and extents of cycles; states at
        special points and branches in units of the region; shapes of cycles in units of their size.
    start : mapping of str to float, optional
        Where both diagrams start; by default each system's own start values.
    box : mapping of str to (float, float), optional
        Region of the target's states; by default the target's training box. In a box all branches are compared,
        connected to the start or not; without one, those connected to it.
    engine : str
        `native` or `pycont`.
    prove : bool
        Also prove which equilibria and special points the reduced network has in the box, as `proof` of the result.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If an argument is not one of the above, neither side has the parameter, or a tolerance is not positive.
    ConvergenceError
        If a diagram has no point to start from.
    """
    _check_tolerances(tolerance, shape_tolerance)
    if prove and (mu is not None or isinstance(network, Diagram)):
        raise InputError("a proof is about the reduced network: give the network itself, and no mu")
    box = getattr(target, "box", None) if box is None else as_sides(box, "a box")
    start = as_mapping(start, 'a start such as {"x": 0.5}')
    bounds = _bounds_of(target) if bounds is None else bounds
    systems = [thing if isinstance(thing, Diagram) else _system_of(thing, mu) for thing in (target, network)]
    _check_parameter(parameter, systems)
    traced = []
    for thing, system in zip((target, network), systems):
        if isinstance(system, Diagram):
            traced.append(system)
            continue
        if bounds is None:
            raise InputError("the range of the parameter is not known; give bounds=(low, high)")
        name = parameter if parameter in system.parameters else getattr(thing, "parameter", None)
        region = None if box is None else _renamed(box, _names_of(target), system.variables)
        traced.append(_trace(system, name, bounds, start, region, engine))
    trained = any(not isinstance(thing, Diagram) and not _is_plain(thing) for thing in (target, network))
    found = compare_diagrams(
        traced[0], traced[1], tolerance, box, shape_tolerance=shape_tolerance, words=TRAINED if trained else PLAIN
    )
    if not prove:
        return found
    from bifrncrn.proofs.prove import prove_learned

    proof = prove_learned(getattr(network, "network", network), target, parameter=parameter, bounds=bounds, box=box)
    return replace(found, proof=proof)


def compare_diagrams(
    target: Diagram,
    learned: Diagram,
    tolerance: float = 0.05,
    box: Box | None = None,
    *,
    shape_tolerance: float = 0.1,
    words: tuple[str, str] = PLAIN,
) -> Comparison:
    """Compare two finished diagrams; see `compare`.

    Special points of one label are paired so that the sum of their distances is smallest. The distance of two points
    adds, in quadrature, their parameters' difference (in units of the range, or of four tolerances if that is more)
    and the root mean square of their common states' differences (in units of the box's sides, or of the extent of the
    target's branches where there is no box). A pair further apart than 0.5 is no pair: one is missing, the other extra.

    A learned network has equilibria far from where it was trained, so what lies outside the box and has no partner is
    listed as `outside` and not judged; a pair is judged wherever it lies.

    Parameters
    ----------
    target, learned : Diagram
        They are compared on the range they have in common. States of the same name are compared; if there are none,
        the target's first states are taken to be `x1`, `x2`, ... of the network. Cycles are followed where a diagram
        still has its model.
    tolerance, shape_tolerance : float
        As in `compare`.
    box : mapping of str to (float, float), optional
        The region of the target's states that is judged; by default all of them.
    words : (str, str)
        What the two are called in sentences.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If a tolerance is not positive, the box names an unknown state or the ranges do not overlap.
    """
    _check_tolerances(tolerance, shape_tolerance)
    for side in (target, learned):
        require_kind(side, Diagram, "a diagram")
        if any(branch.kind == "fixed_point" for branch in side.branches):
            what = f"the diagram of {side.model or 'the model'} is that of a map"
            raise InputError(f"{what}; only diagrams of differential equations are compared")
    box = None if box is None else as_sides(box, "a box")
    check_box(box, states_of(target))
    return judged(target, learned, float(tolerance), float(shape_tolerance), box, words)


def _check_tolerances(tolerance: float, shape_tolerance: float) -> None:
    for name, value in (("tolerance", tolerance), ("shape_tolerance", shape_tolerance)):
        if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value}; it must be a positive number, a share such as 0.05")


def _check_parameter(parameter: str | None, systems: list[Any]) -> None:
    """Raise InputError where a parameter is named that neither side has."""
    known = [(s.parameter,) if isinstance(s, Diagram) else tuple(s.parameters) for s in systems]
    if parameter is None or any(parameter in names for names in known):
        return
    first, second = (", ".join(names) or "none" for names in known)
    raise InputError(f"neither side has a parameter {parameter!r}; the first has {first} and the second has {second}")


def _is_plain(thing: Any) -> bool:
    """Say whether something is neither a target to be learned nor a network that learned one."""
    from bifrncrn.models.system import System

    return isinstance(thing, System)


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
    if getattr(thing, "system", None) is not None:
        return thing.system
    raise InputError(f"cannot trace a {type(thing).__name__}; give a Target, a System, a Network, a Fit or a Diagram")


def _names_of(target: Any) -> tuple[str, ...]:
    return states_of(target) if isinstance(target, Diagram) else _system_of(target, None).variables


def _renamed(box: Box, theirs: tuple[str, ...], variables: tuple[str, ...]) -> Box:
    """Return the box of the target's states in the names of a system's variables."""
    names = common_states(theirs, variables)
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
    if system.period:  # nothing is searched in a box: what trajectories from it settle to is compared later
        return diagram(system, parameter=parameter, bounds=bounds, start=begin, engine=engine)
    return diagram(system, parameter=parameter, bounds=bounds, start=begin, box=box, all=box is not None, engine=engine)

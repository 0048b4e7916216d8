"""What every verb begins with: names, range, start, region and conserved sums; and all variables given back."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.checks import as_mapping, as_texts
from bifrncrn.base.errors import InputError
from bifrncrn.continuation.options import Options, begun
from bifrncrn.curves.equilibria.choose import equilibrium_problem, is_large
from bifrncrn.curves.equilibria.problem import EVENTS, EquilibriumProblem
from bifrncrn.diagrams.expansion import contract, expand
from bifrncrn.diagrams.results import Diagram, SpecialPoint
from bifrncrn.models.conservation import Reduction, conserved, reduce
from bifrncrn.models.maps import is_map, require_flow
from bifrncrn.models.region import Region, region_of
from bifrncrn.models.system import System

ROUNDED = 1e-12
"""The last row of a branch, from which another may start, is at the end of the range but for this part of it."""


@dataclass(frozen=True, eq=False)
class Setup:
    """A system in one parameter over a range, ready to be analysed.

    Attributes
    ----------
    whole : System
        With all its variables.
    system : System
        The same without its conserved sums: what is analysed.
    reduction : Reduction or None
        What was divided out.
    parameter : str
        What varies.
    span : (float, float)
        Its interval.
    options : Options
        Step control and limits; a time limit runs already.
    walls : mapping of str to (float, float) or None
        Bounds that narrow those of the variables.
    forced : System or None
        The periodically forced system that `system` stands for, if it stands for one.
    """

    whole: System
    system: System
    reduction: Reduction | None
    parameter: str
    span: tuple[float, float]
    options: Options
    walls: Mapping[str, tuple[float, float]] | None = None
    forced: System | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of the results."""
        return tuple(name for name in self.whole.variables if name not in self.whole.clock)

    @property
    def index(self) -> int:
        """The parameter's index among those of the system."""
        return self.system.parameter_index(self.parameter)

    @property
    def unit(self) -> float:
        """The unit of the parameter."""
        return self.span[1] - self.span[0]

    @functools.cached_property
    def region(self) -> Region:
        """Where the states of `system` may be."""
        return self.region_within(self.walls)

    def region_within(self, walls: Mapping[str, tuple[float, float]] | None) -> Region:
        """Return the region within other walls, given for all variables."""
        return region_of(self.whole, walls, self.reduction, self.parameter)

    def problem(self, stability: bool = True) -> EquilibriumProblem:
        """Return the equations of its equilibria."""
        return equilibrium_problem(self.system, self.index, stability, self.region)

    def coordinates(self, point: SpecialPoint) -> np.ndarray:
        """Return a point as (x, p), without what was divided out."""
        return np.array([*(point.state[name] for name in self.system.variables), point.parameters[self.parameter]])

    def states(self, rows: np.ndarray, p: float) -> np.ndarray:
        """Return all variables (k, n) at states (k, kept) of `system`."""
        if self.reduction is None:
            return rows
        return self.reduction.along(rows, self.parameter, np.full(len(rows), p))

    def expanded(self, diagram: Diagram) -> Diagram:
        """Return a diagram of `system` with all variables."""
        return expand(diagram, self.reduction, self.whole) if self.reduction else diagram

    def contracted(self, diagram: Diagram) -> Diagram:
        """Return a diagram of all variables as one of `system`."""
        return contract(diagram, self.reduction, self.whole) if self.reduction else diagram


def begin(
    system: System,
    parameter: str | None,
    bounds: tuple[float, float] | None,
    options: Options | None,
    start: Mapping[str, float],
    walls: Mapping[str, tuple[float, float]] | None,
) -> tuple[Setup, dict[str, float]]:
    """Return the setup of a system, the totals of conserved sums as at its start, and what is left of the start."""
    options = begun(options)
    total = parameter is not None and parameter not in system.parameters  # a conserved sum perhaps
    name = parameter if total or not system.parameters else system.varying(parameter)
    check_at_rest(system)
    span = bounds_of(name or "the parameter", bounds)
    asked = parameter, span, *start.items(), walls and (*walls.items(),)
    known = system.remembered.get("begun")
    if known is not None and known[0] == asked:
        _, name, rest, divided_out = known
        reduction = Reduction(system, *divided_out) if divided_out else None
        return Setup(system, reduction.system if reduction else system, reduction, name, span, options, walls), rest
    own = system
    system, start = with_totals(system, name, start)
    region = region_of(system, walls)
    x = np.array(system.state)
    for key, value in start.items():
        if key in system.variables:
            x[system.variable_index(key)] = value
    reduction = divided(system, x, name, span, start, region)
    owner = reduction.system if reduction else system
    rest = {key: value for key, value in start.items() if not reduction or key not in system.variables}
    setup = Setup(system, owner, reduction, owner.varying(name), span, options, walls)
    if system is own:  # what was found holds the next time, too; without the system itself, which holds it
        parts = None if reduction is None else reduction.parts
        own.remembered["begun"] = asked, setup.parameter, rest, parts
    return setup, rest


def with_totals(system: System, name: str | None, start: Mapping[str, float]) -> tuple[System, dict[str, float]]:
    """Return the system with the conserved sums that the start gives, and the rest of the start."""
    known = {*system.variables, *system.parameters, name}
    totals = {key: value for key, value in start.items() if key.startswith("total_") and key not in known}
    rest = {key: value for key, value in start.items() if key not in totals}
    states = {key: value for key, value in rest.items() if key in system.variables}
    return (system.with_(totals=totals, state=states) if totals else system), rest


def at_state(
    system: System,
    x: np.ndarray,
    parameter: str,
    span: tuple[float, float],
    options: Options,
    at: Mapping[str, float] | None = None,
) -> Setup:
    """Return the setup of a system, the totals of conserved sums as at a state and parameter values `at`."""
    reduction = divided(system, x, parameter, span, at)
    return Setup(system, reduction.system if reduction else system, reduction, parameter, span, options)


def at_point(
    point: SpecialPoint, bounds: tuple[float, float] | None, system: System | None, options: Options | None
) -> Setup:
    """Return the setup of what a special point belongs to; `system` replaces its own, which a file may not hold."""
    for one in (system, point.system):
        if one is not None:
            require_flow(one, "what starts at a special point")
    (name,) = point.parameters
    span = bounds_of(name, bounds or point.range)
    options = begun(options)
    if system is not None:
        if set(point.state) != set(system.variables):
            raise InputError(
                f"the point has the states {', '.join(point.state)}, but the model has {', '.join(system.variables)}; "
                "give the model of its diagram"
            )
        x = np.array([point.state[key] for key in system.variables])
        return at_state(system.with_(values=point.parameters), x, name, span, options, point.parameters)
    if point.system is None:
        raise InputError("the point has lost its model (it was loaded from a file that holds none); give it: system=")
    own, forced = point.system, None
    if own.period:  # an oscillator stands for its time
        from bifrncrn.models.forcing import autonomous

        forced, own = own, point.reduction.system if point.reduction else autonomous(own)
    whole = point.reduction.whole if point.reduction else own
    return Setup(whole, own, point.reduction, name, span, options, forced=forced)


def divided(
    system: System,
    x: np.ndarray,
    parameter: str | None,
    span: tuple[float, float],
    at: Mapping[str, float] | None = None,
    region: Region | None = None,
) -> Reduction | None:
    """Return the system without its conserved sums, the totals as at x; None where nothing is conserved."""
    if is_large(system) or not system.has_formulas:
        return None  # too large to look for sums, or a Python function, from which nothing can be divided out
    varied = (system.parameter_index(parameter), *span) if parameter in system.parameters else None
    laws = conserved(system, x, region, varied)
    return reduce(system, laws, x, at) if len(laws) else None


def check_at_rest(system: System) -> None:
    """Raise InputError for a system with a variable that grows at one rate in every state, such as time."""
    if "comes to rest" in system.remembered:
        return
    for name, text in system.equations.items() if system.has_formulas and not is_map(system) else ():
        try:
            rate = float(text)
        except ValueError:
            continue
        if rate:
            rule = "a model that depends on time, or in which nothing else changes, can be simulated only"
            raise InputError(f"{name} grows at the rate {rate:g} in every state, so there is no equilibrium: {rule}")
    system.remembered["comes to rest"] = True


def checked_start(start: Mapping[str, float] | None) -> dict[str, float]:
    """Return the start values as finite numbers; none for None."""
    out = {}
    for key, value in as_mapping(start, 'a start such as {"x": 0.5}').items():
        try:
            out[key] = float(value)
        except (TypeError, ValueError, OverflowError):
            out[key] = float("nan")
        if not math.isfinite(out[key]):
            raise InputError(f"the start value of {key} must be a finite number, not {value!r}; give a number")
    return out


def labels(stop: Collection[str]) -> frozenset[str]:
    """Return the labels to stop at, checked."""
    given = (stop,) if isinstance(stop, str) else as_texts(stop, "stop")
    if not given:
        return frozenset()
    known = {*EVENTS.values(), "UZ"}
    for label in given:
        if label not in known:
            raise InputError(f"cannot stop at {label!r:.40}: the labels are {', '.join(sorted(known))}")
    return frozenset(given)


def common(
    first: Mapping[str, tuple[float, float]] | None, second: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return the bounds that two sets of them have in common."""
    out = dict(first or {})
    for name, (low, high) in second.items():
        least, most = out.get(name, (low, high))
        out[name] = max(low, least), min(high, most)
        if not out[name][0] < out[name][1]:
            raise InputError(
                f"the box of {name}, [{low:g}, {high:g}], lies beyond its walls, [{least:g}, {most:g}]; give another"
            )
    return out


def bounds_of(name: str, bounds: tuple[float, float] | None) -> tuple[float, float]:
    """Return the range of the parameter `name`, checked."""
    if bounds is None:
        raise InputError(f"the range of {name} is missing: give two numbers, bounds=(low, high) or --range LOW HIGH")
    try:
        low, high = (float(v) for v in bounds)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"the range of {name} must be two numbers, not {bounds!r}; give (low, high)") from error
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"the range of {name} must be finite, not [{low:g}, {high:g}]; give two finite numbers")
    if not low < high:
        raise InputError(f"the range of {name} must have its lower end first and some width, not [{low:g}, {high:g}]")
    return low, high


def start_point(system: System, name: str, span: tuple[float, float], start: Mapping[str, float]) -> np.ndarray:
    """Return the start (x, p): the system's own values, replaced by those given.

    Where the system's value of the parameter lies outside the range, the middle of the range is taken.
    """
    y = np.empty(len(system.state) + 1)
    y[:-1], y[-1] = system.state, system.values[system.parameter_index(name)]
    if not span[0] <= y[-1] <= span[1]:
        y[-1] = 0.5 * (span[0] + span[1])
    for key, value in start.items():
        if key == name:
            inside = min(max(value, span[0]), span[1])
            if not abs(value - inside) <= ROUNDED * (span[1] - span[0]):
                raise InputError(
                    f"the start has {name}={value:g} outside its range [{span[0]:g}, {span[1]:g}]; start inside it"
                )
            y[-1] = inside
        else:
            y[system.variable_index(key)] = value
    return y

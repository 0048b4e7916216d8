"""The verb `diagram`: all branches of equilibria that hang together with a start point."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from bifrncrn.continuation.march import Trace, march
from bifrncrn.continuation.options import Options
from bifrncrn.curves.choose import SPARSE_ABOVE, equilibrium_problem, is_large
from bifrncrn.curves.equilibrium import EquilibriumProblem
from bifrncrn.curves.start import find_start
from bifrncrn.errors import InputError
from bifrncrn.expansion import expand
from bifrncrn.results import Diagram
from bifrncrn.systems.conservation import conserved, reduce
from bifrncrn.systems.events import compile_events
from bifrncrn.systems.system import System
from bifrncrn.tracing import LABELS, Tracer

SEARCHED = (0.013, 0.25, 0.5, 0.75, 0.987)
"""Where in the range of the parameter `all` searches: not at its ends, where special points like to be."""


def diagram(
    system: System,
    parameter: str | None = None,
    bounds: tuple[float, float] | None = None,
    *,
    start: Mapping[str, float] | None = None,
    all: bool = False,
    box: Mapping[str, tuple[float, float]] | None = None,
    engine: str = "native",
    events: Sequence[str] = (),
    walls: Mapping[str, tuple[float, float]] | None = None,
    stop: Collection[str] = (),
    stability: bool = True,
    options: Options | None = None,
    max_branches: int = 50,
) -> Diagram:
    """Compute the bifurcation diagram of equilibria through a start point.

    The branch through the start is followed in both directions to the ends of the range; every fold, branch point and
    Hopf point on it is located and classified, and at every simple branch point the other branch is followed too.

    Parameters
    ----------
    system : System
        What is analysed.
    parameter : str, optional
        The continuation parameter; by default `lam`, or the only one there is.
    bounds : (float, float)
        The interval of the parameter.
    start : mapping of str to float, optional
        Start values of states (and of the parameter) that replace the system's own. They need not be exact.
    all : bool
        Also find branches that are not connected to the start: equilibria are searched in `box` at several values of
        the parameter (`bifrncrn.search`), and those on no known branch are followed.
    box : mapping of str to (float, float), optional
        The region to search; a state that is not named is searched around the branches already found.
    engine : str
        `native`, or `pycont` for the points of the package pycont, corrected and examined by this package.
    events : sequence of str
        Equations such as `"u1 = 0.5"`, or expressions, whose zeros on a branch are located and labelled UZ.
    walls : mapping of str to (float, float), optional
        Bounds of states beyond which nothing is evaluated; a branch ends there. They narrow the system's own.
    stop : collection of str
        Labels (LP, BP, HB, UZ) at which a branch ends.
    stability : bool
        Whether to compute eigenvalues: all of a small system, a few rightmost ones of a large one. Without them a
        large system is followed much faster, but Hopf points are not found and `unstable` is -1.
    options : Options, optional
        Step control and limits, among them the greatest number of points.
    max_branches : int
        Stop switching after this many branches; a note says so.

    Returns
    -------
    Diagram

    Raises
    ------
    InputError
        If a name is unknown, or bounds, walls, box or events are not what they should be.
    ConvergenceError
        If no equilibrium is found from the start.
    """
    full = _full_start(system, parameter, start or {})
    laws = np.zeros((0, full.size)) if is_large(system) else conserved(system, full, system.values)
    if len(laws):
        reduction = reduce(system, laws, full)
        rest = {key: value for key, value in (start or {}).items() if key not in system.variables}
        inner = diagram(
            reduction.system, parameter, bounds, start=rest, all=all, box=box, engine=engine, events=events, walls=walls,
            stop=stop, stability=stability, options=options, max_branches=max_branches,
        )  # fmt: skip
        return expand(inner, reduction, system)
    name = _parameter(system, parameter)
    span = bounds_of(name, bounds)
    problem = equilibrium_problem(system, system.parameter_index(name), stability)
    if all and is_large(system):
        raise InputError(f"all: unconnected branches are searched in systems of up to {SPARSE_ABOVE} states, not {problem.n}; leave it out")
    y = start_point(system, name, span, start or {})
    tracer = Tracer(
        problem, name, span, options or Options(), max_branches,
        walls=_walls(system, walls or {}), events=compile_events(system, events) if events else None, stop=_labels(stop),
        engine=_engine(engine, problem),
    )  # fmt: skip
    at, note = find_start(problem, y)
    tracer.trace_through(at)
    tracer.switch_everywhere()
    notes = [note] if note else []
    if all:
        notes += _search(tracer, box or {})
    return tracer.diagram(notes)


def _engine(name: str, problem: EquilibriumProblem) -> Callable[..., Trace]:
    """Return what follows the curves."""
    if name == "native":
        return march
    if name == "pycont":
        from bifrncrn.continuation.engine_pycont import pycont_march

        return pycont_march(problem)
    raise InputError(f"there is no engine {name!r}; choose native or pycont")


def _full_start(system: System, parameter: str | None, start: Mapping[str, float]) -> np.ndarray:
    """Return the states of the start, before anything is divided out."""
    x = np.array(system.state)
    for key, value in start.items():
        if key in system.variables:
            x[system.variable_index(key)] = value
    return x


def _walls(system: System, walls: Mapping[str, tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return lower and upper bounds of the states: the system's own, narrowed by those given."""
    lower, upper = system.lower.copy(), system.upper.copy()
    for name, (a, b) in walls.items():
        index = system.variable_index(name)
        if not a < b:
            raise InputError(f"the walls of {name} must have the lower one first, not [{a:g}, {b:g}]; give low < high")
        lower[index], upper[index] = max(lower[index], a), min(upper[index], b)
    return lower, upper


def _labels(stop: Collection[str]) -> frozenset[str]:
    known = set(LABELS.values())
    for label in stop:
        if label not in known:
            raise InputError(f"cannot stop at {label!r}: the labels are {', '.join(sorted(known))}")
    return frozenset(stop)


def _search(tracer: Tracer, box: Mapping[str, tuple[float, float]]) -> list[str]:
    """Follow the branches through equilibria in the box that lie on no known branch; return notes about the search."""
    from bifrncrn.search import equilibria

    low, high = _box(tracer, box)
    names = tracer.problem.system.variables
    region = ", ".join(f"{name} in [{a:.4g}, {b:.4g}]" for name, a, b in zip(names, low, high, strict=True))
    notes = [f"Searched {region} at {len(SEARCHED)} values of {tracer.parameter}."]
    for fraction in SEARCHED:
        p = tracer.span[0] + fraction * (tracer.span[1] - tracer.span[0])
        found = equilibria(tracer.problem, p, low, high)
        for y in found.points:
            if not tracer.knows(y):
                tracer.trace_through(y)
                tracer.switch_everywhere()
        notes.append(f"At {tracer.parameter}={p:.6g}: {len(found.points)} equilibria in the box; {found.evidence}.")
    return notes


def _box(tracer: Tracer, box: Mapping[str, tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of the box: as given, elsewhere twice the extent of the known branches."""
    system = tracer.problem.system
    rows = np.concatenate([line.points[:, :-1] for line in tracer.lines]) if tracer.lines else system.state[None]
    low, high = rows.min(axis=0), rows.max(axis=0)
    size = np.maximum(high - low, np.maximum(np.abs(high), np.maximum(np.abs(low), 1e-3)))
    low, high = np.maximum(low - size, system.lower), np.minimum(high + size, system.upper)
    for name, (a, b) in box.items():
        index = system.variable_index(name)
        if not (np.isfinite(a) and np.isfinite(b) and a < b):
            raise InputError(f"the box of {name} must be two finite numbers, the smaller first, not [{a:g}, {b:g}]; give low < high")
        low[index], high[index] = max(a, system.lower[index]), min(b, system.upper[index])
        if not low[index] < high[index]:
            raise InputError(f"the box of {name}, [{a:g}, {b:g}], lies outside what the state may be (at least {system.lower[index]:g})")
    return low, high


def _parameter(system: System, name: str | None) -> str:
    if name is None:
        name = "lam" if "lam" in system.parameters else None
        if name is None and len(system.parameters) == 1:
            name = system.parameters[0]
        if name is None:
            raise InputError(f"which parameter should vary? Name one of {', '.join(system.parameters) or 'none: the model has no parameters'}")
    system.parameter_index(name)
    return name


def bounds_of(name: str, bounds: tuple[float, float] | None) -> tuple[float, float]:
    """Return the range of the parameter `name`, checked."""
    if bounds is None:
        raise InputError(f"the range of {name} is missing: give two numbers, bounds=(low, high) or --range LOW HIGH")
    try:
        low, high = (float(v) for v in bounds)
    except (TypeError, ValueError) as error:
        raise InputError(f"the range of {name} must be two numbers, not {bounds!r}; give (low, high)") from error
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"the range of {name} must be finite, not [{low:g}, {high:g}]; give two finite numbers")
    if not low < high:
        raise InputError(f"the range of {name} must have its lower end first and some width, not [{low:g}, {high:g}]; give low < high")
    return low, high


def start_point(system: System, name: str, span: tuple[float, float], start: Mapping[str, float]) -> np.ndarray:
    """Return the start (x, p): the system's own values, replaced by those given.

    Where the system's value of the parameter lies outside the range, the middle of the range is taken.
    """
    y = np.append(system.state, system.values[system.parameter_index(name)])
    if not span[0] <= y[-1] <= span[1]:
        y[-1] = 0.5 * (span[0] + span[1])
    for key, value in start.items():
        if key == name:
            if not span[0] <= value <= span[1]:
                raise InputError(f"the start has {name}={value:g} outside its range [{span[0]:g}, {span[1]:g}]; start inside the range")
            y[-1] = value
        else:
            index = system.variable_index(key)
            if not np.isfinite(value):
                raise InputError(f"the start value of {key} must be finite, not {value!r}; give a number")
            y[index] = value
    low = system.lower
    for i, variable in enumerate(system.variables):
        if y[i] < low[i]:
            raise InputError(f"the start has {variable}={y[i]:g}, but states must not be below {low[i]:g} here; start inside")
    return y

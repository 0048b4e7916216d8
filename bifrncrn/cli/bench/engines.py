"""Every engine behind one small interface: a job in, a function out that runs it once and returns what it found.

The engines of other packages get the equations as text of their own. Their tolerances are set as tight as they allow
(so that special points come out to 1e-8 or better where they can), their largest step to a twentieth of the size of
the problem, as ours is.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.errors import InputError

if TYPE_CHECKING:
    from bifrncrn.models.system import System

STEP = 0.05
"""The largest step, relative to the largest of the range's width, the start's states, and 1."""


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be traced: all branches connected to the start, in both directions.

    Attributes
    ----------
    system : System
        Its state is the start.
    parameter : str
    bounds : (float, float)
    first : float
        The value of the parameter at the start.
    """

    system: System
    parameter: str
    bounds: tuple[float, float]
    first: float

    @property
    def step(self) -> float:
        """The largest step of engines that measure it in the units of the problem."""
        return STEP * max(self.bounds[1] - self.bounds[0], float(np.max(np.abs(self.system.state))), 1.0)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an engine found: the number of points, and the special points as (label, parameter, state).

    `seconds` is what the engine's own clock says it took, where it is a program of its own; None otherwise.
    """

    points: int
    special: list[tuple[str, float, list[float]]] = field(default_factory=list)
    seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"points": self.points, "special": self.special, "seconds": self.seconds}


Run = Callable[[], Outcome]


def _own(job: Job, engine: str) -> Run:
    from bifrncrn.diagrams.diagram import diagram

    start = {job.parameter: job.first}

    def run() -> Outcome:
        result = diagram(job.system, job.parameter, job.bounds, start=start, engine=engine)
        special = [(s.label, s.parameters[job.parameter], list(s.state.values())) for s in result.special_points]
        return Outcome(sum(len(branch.points) for branch in result.branches), special)

    return run


def native(job: Job) -> Run:
    """Prepare this package's own engine."""
    return _own(job, "native")


def pycont(job: Job) -> Run:
    """Prepare pycont behind this package's detection."""
    return _own(job, "pycont")


def xpplab(job: Job) -> Run:
    """Prepare XPPAUT's AUTO through the package xpplab."""
    import xpplab

    equations, states, parameters = _renamed(job.system)
    active = parameters[job.parameter]
    lines = [f"{states[name]}'={_text(expression)}" for name, expression in equations.items()]
    values = dict(zip(job.system.parameters, job.system.values.tolist(), strict=True))
    values[job.parameter] = job.first
    lines += [f"par {parameters[name]}={value!r}" for name, value in values.items()]
    lines += [f"init {states[n]}={v!r}" for n, v in zip(job.system.variables, job.system.state.tolist(), strict=True)]
    model = xpplab.Model.from_text("\n".join([*lines, "done", ""]))
    low, high = job.bounds
    settings = {"dsmin": 1e-6 * job.step, "dsmax": job.step, "parmin": low, "parmax": high, "nmax": 4000, "npr": 10**6}
    settings |= {"epsl": 1e-8, "epsu": 1e-8, "epss": 1e-8, "itmx": 20, "itnw": 10, "normmax": 1e9}

    def run() -> Outcome:
        model.auto.reset()
        points: list[Any] = []
        for name, value in zip(job.system.variables, job.system.state.tolist(), strict=True):
            model.initial_conditions[states[name]] = value
        for sign, end in ((1.0, high), (-1.0, low)):
            if job.first != end:
                model.parameters[active] = job.first
                points += list(model.auto.equilibria(active, ds=sign * 0.1 * job.step, **settings))
        special = [
            (point.type, point.value, list(point.u0.values()))
            for point in points
            if point.type in ("LP", "HB", "BP") and low <= point.value <= high
        ]
        return Outcome(len(points), special)

    return run


def jaxcont(job: Job) -> Run:
    """Prepare the package jaxcont, in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import jaxcont
    import sympy

    equations, states, parameters = _renamed(job.system)
    rest = {parameters[n]: v for n, v in zip(job.system.parameters, job.system.values.tolist(), strict=True)}
    active = parameters[job.parameter]
    del rest[active]
    fixed = [expression.subs({sympy.Symbol(n): v for n, v in rest.items()}) for expression in equations.values()]
    symbols = [sympy.Symbol(name) for name in (*states.values(), active)]
    field_ = sympy.lambdify(symbols, fixed, modules="jax")
    settings = jaxcont.ContinuationPar(
        ds=0.1 * job.step, ds_min=1e-6 * job.step, ds_max=job.step, max_steps=1000, newton_tol=1e-10
    )
    events = [jaxcont.Fold(), jaxcont.Hopf()]
    labels = {"fold": "LP", "hopf": "HB"}
    low, high = job.bounds

    def run() -> Outcome:
        points, special = 0, []
        for end in (high, low):
            if job.first == end:
                continue
            problem = jaxcont.bif_problem(
                lambda u, p, args: jnp.stack([jnp.asarray(v, u.dtype) for v in field_(*u, p)]),
                u0=jnp.array(job.system.state),
                p0=job.first,
            )
            result = jaxcont.continuation(problem, p_span=(job.first, end), settings=settings, events=events)
            points += int(result.branch.n_valid)
            special += [
                (labels[hit.kind], float(hit.p), np.asarray(hit.u).tolist())
                for hit in result.events
                if low <= float(hit.p) <= high
            ]
        return Outcome(points, special)

    return run


def auto(job: Job) -> Run:
    """Prepare AUTO-07p, a program of its own."""
    from bifrncrn.cli.bench import auto07p

    return auto07p.prepare(job)


ENGINES: dict[str, Callable[[Job], Run]] = {
    "native": native,
    "pycont": pycont,
    "xpplab": xpplab,
    "jaxcont": jaxcont,
    "auto": auto,
}
"""Every engine by its name; those of other packages run where the package, or AUTO's executable, is installed."""


def installed() -> tuple[str, ...]:
    """Return the names of the engines that are installed."""
    return tuple(name for name in ENGINES if _is_installed(name))


def _is_installed(name: str) -> bool:
    if name == "auto":
        from bifrncrn.cli.bench import auto07p

        return auto07p.home() is not None
    return name == "native" or importlib.util.find_spec(name) is not None


def prepare(name: str, job: Job) -> Run:
    """Return a function that runs a job by an engine.

    Raises
    ------
    InputError
        If the engine is unknown, or its package is not installed.
    """
    if name not in ENGINES:
        raise InputError(f"there is no engine {name!r}; the engines are {', '.join(ENGINES)}")
    try:
        return ENGINES[name](job)
    except ImportError as error:
        raise InputError(f"the package {error.name or name} is not installed") from error


def _renamed(system: System) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """Return the equations in names that every engine accepts, and the new names of states and parameters."""
    import sympy

    states = {name: f"vx{k}" for k, name in enumerate(system.variables, 1)}
    parameters = {name: f"kp{k}" for k, name in enumerate(system.parameters, 1)}
    symbols = {sympy.Symbol(old): sympy.Symbol(new) for old, new in (*states.items(), *parameters.items())}
    equations = {name: expression.xreplace(symbols) for name, expression in system.sympy().items()}
    return equations, states, parameters


def _text(expression: Any) -> str:
    """Write an expression as XPPAUT reads it; it knows no capital letters, and `ln` beside `log`."""
    return str(expression).lower().replace(" ", "")

"""A system of ordinary differential equations, or a map: names, start values, and its compiled functions."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.compile.graph import Graph
from bifrncrn.compile.model import NativeModel
from bifrncrn.models import starts as starting
from bifrncrn.models.equations import (
    ModelError,
    as_mapping,
    as_numbers,
    as_period,
    as_texts,
    build_graph,
    by_variable,
    check_names,
    chosen,
    which,
)
from bifrncrn.models.evaluated import Evaluated
from bifrncrn.models.numbers import changed_numbers

if TYPE_CHECKING:
    import sympy

    from bifrncrn.models.transitions import Transition
    from bifrncrn.trajectories.simulation import Simulation


@dataclass(frozen=True, eq=False)
class System(Evaluated):
    """A system dx/dt = f(x; p), made by `from_equations` or `from_file`; autonomous, or forced periodically.

    Or a map x -> f(x; p), made by `from_map`.

    Attributes
    ----------
    title : str
    variables : tuple of n names
    parameters : tuple of m names
    equations : dict
        The right-hand side of every variable, as text.
    definitions : dict
        Named intermediate expressions, as text.
    state : (n,) array
        Start values, read-only.
    values : (m,) array
        Parameter values, read-only.
    nonnegative : bool or tuple of names
        Whether states are quantities that cannot be negative (concentrations); the names where only some are.
    training : dict or None
        The [training] table of a model file, as it stands there.
    periodic : tuple of names
        The variables that are angles: a turn (2 pi) further on they are where they were.
    period : str
        Of a periodically forced system, whose equations hold the time `t`: their period, an expression of parameters.
        Such a system has no right-hand side of the state alone, so `rhs` and what needs it refuse it.
    clock : tuple of names
        The variables that stand for the time of a forced system (`bifrncrn.models.forcing`); results leave them out.
    starts : dict
        The start values that are expressions of parameters, as text; `state` holds what they come to.
    transitions : tuple of Transition
        What happens suddenly in simulations (see `bifrncrn.models.transitions`); diagrams leave it out.
    notes : tuple of str
        What a reader of results must know about the model.
    kind : str
        `ode`, or `map`: the right-hand sides give the next state.

    Examples
    --------
    >>> tank = System.from_equations({"u": "r - u*v", "v": "u*v - v"}, parameters={"r": "3/2"}, state={"u": 1, "v": 2})
    >>> tank.rhs([1.0, 1.5])
    array([0., 0.])
    >>> tank.jacobian([1.0, 1.5])
    array([[-1.5, -1. ],
           [ 1.5,  0. ]])
    """

    title: str
    variables: tuple[str, ...]
    parameters: tuple[str, ...]
    equations: dict[str, str]
    definitions: dict[str, str]
    state: np.ndarray
    values: np.ndarray
    nonnegative: bool | tuple[str, ...] = False
    training: dict[str, Any] | None = field(default=None, repr=False)
    periodic: tuple[str, ...] = ()
    period: str = ""
    clock: tuple[str, ...] = ()
    starts: dict[str, str] = field(default_factory=dict)
    transitions: tuple[Transition, ...] = ()
    notes: tuple[str, ...] = ()
    kind: str = "ode"

    # -- construction -------------------------------------------------------------------------------------------

    @classmethod
    def from_equations(
        cls,
        equations: Mapping[str, str | sympy.Expr],
        parameters: Mapping[str, float | str] | None = None,
        state: Mapping[str, float | str] | None = None,
        definitions: Mapping[str, str | sympy.Expr] | None = None,
        nonnegative: bool | Sequence[str] = False,
        title: str = "",
        training: dict[str, Any] | None = None,
        periodic: Sequence[str] = (),
        transitions: Sequence[Transition] = (),
        period: str = "",
    ) -> System:
        """Make a system from its equations.

        Parameters
        ----------
        equations : mapping
            For every variable its time derivative, as text or as a sympy expression. Unless `state` is given, its
            order is the order of the variables. The keys x, x' and dx/dt mean the same.
        parameters : mapping, optional
            Value of every parameter: a number, or an exact fraction as text ("8/3").
        state : mapping, optional
            Start value of every variable; its order is the order of the variables. Zero by default. A start may be an
            expression of parameters, definitions and other starts, which it follows.
        definitions : mapping, optional
            Named expressions that equations and other definitions may use, in any order.
        nonnegative : bool or sequence of str
            Whether the variables are quantities that cannot be negative, or which of them are.
        title : str
        training : dict, optional
            What the system is to be learned on; kept as it is.
        periodic : sequence of str
            The variables that are angles, modulo 2 pi.
        transitions : sequence of Transition
            What happens suddenly in simulations; diagrams leave it out, and say so.
        period : str, optional
            The period of a periodically forced system, such as "2*pi/omega": the equations may then hold the time `t`.

        Raises
        ------
        InputError
            If a name is not one, is used twice or unknown, an equation is missing or cannot be read, a definition
            needs itself, or a number is not finite.
        """
        system = cls.trusted(equations, parameters, state, definitions, nonnegative, title, training, periodic, period)
        if system.period:
            from bifrncrn.models.forcing import check_forced

            check_forced(system, transitions)
        else:
            _ = system.native.graph
        if not transitions:
            return system
        from bifrncrn.models.transitions import check_transitions, event_note

        check_transitions(system, transitions)
        return replace(system, transitions=tuple(transitions), notes=(event_note(transitions),))

    @classmethod
    def trusted(
        cls,
        equations: Mapping[str, str | sympy.Expr],
        parameters: Mapping[str, float | str] | None = None,
        state: Mapping[str, float | str] | None = None,
        definitions: Mapping[str, str | sympy.Expr] | None = None,
        nonnegative: bool | Sequence[str] = False,
        title: str = "",
        training: dict[str, Any] | None = None,
        periodic: Sequence[str] = (),
        period: str = "",
        kind: str = "ode",
    ) -> System:
        """Make a system as `from_equations` does, without reading the equations before they are compiled.

        For equations written by a program. Names and numbers are checked all the same; a mistake in an equation is
        found on first use.
        """
        parameters = as_mapping(parameters, "parameters")
        equations = by_variable(as_texts(equations, "equations"), kind == "map")
        definitions = as_texts(definitions, "definitions")
        start = dict.fromkeys(equations, 0.0) if state is None else as_mapping(state, "state")
        start, starts = starting.split(start)
        check_names(start, parameters, definitions, equations)
        if not isinstance(title, str):
            raise ModelError(f"the title must be text, not {title!r}", "", "title")
        system = cls(
            title=title,
            variables=tuple(start),
            parameters=tuple(parameters),
            equations={name: equations[name] for name in start},
            definitions=definitions,
            state=as_numbers(start, "start value of", "variables"),
            values=as_numbers(parameters, "parameter", "parameters"),
            nonnegative=which(nonnegative, tuple(start)),
            training=training,
            periodic=chosen("periodic", periodic, tuple(start)),
            period=as_period(period),
            starts=starts,
            kind=kind,
        )
        return replace(system, state=system._started(system.state)) if starts else system

    @classmethod
    def from_map(
        cls,
        equations: Mapping[str, str | sympy.Expr] | Callable[[np.ndarray, np.ndarray], Any],
        parameters: Mapping[str, float | str] | None = None,
        state: Mapping[str, float | str] | None = None,
        definitions: Mapping[str, str | sympy.Expr] | None = None,
        nonnegative: bool | Sequence[str] = False,
        title: str = "",
        **derivatives: Any,
    ) -> System:
        """Make a map from its equations: for every variable its next value. All else is as in `from_equations`.

        Or from a Python function `f(x, p)` that returns the next state, with `jacobian`, `parameter_derivative` and
        `scale` as in `from_function`; the names of `state` are then those of the variables.

        Examples
        --------
        >>> henon = System.from_map({"x": "1 - a*x^2 + y", "y": "b*x"}, {"a": 1.4, "b": 0.3}, {"x": 0, "y": 0})
        >>> henon.rhs([1.0, 0.5])
        array([0.1, 0.3])
        """
        if callable(equations) or derivatives:
            from bifrncrn.models.function_maps import map_from_function

            return map_from_function(equations, parameters, state, definitions, nonnegative, title, derivatives)
        system = cls.trusted(equations, parameters, state, definitions, nonnegative, title, kind="map")
        _ = system.native.graph
        return system

    @classmethod
    def plrnn(cls, A: Any, W: Any, h: Any, title: str = "") -> System:
        """Make the map z -> A z + W relu(z) + h of a piecewise linear recurrent network.

        Its states are `z1`, `z2`, ...; its parameters `A1`, `W1_2` and `h1`, with indices from 1.

        Parameters
        ----------
        A : (n,) array
            The diagonal of a matrix.
        W : (n, n) array
        h : (n,) array
        title : str
        """
        from bifrncrn.models.recurrent import plrnn

        return plrnn(A, W, h, title)

    @classmethod
    def shplrnn(cls, A: Any, W1: Any, W2: Any, h1: Any, h2: Any, title: str = "") -> System:
        """Make the map z -> A z + W1 relu(W2 z + h2) + h1 of a shallow piecewise linear recurrent network.

        Its states are `z1`, `z2`, ...; its parameters `A1`, `W1_1_2`, `W2_2_1`, `h1_1` and `h2_2`, indices from 1.

        Parameters
        ----------
        A, h1 : (n,) arrays
            A is the diagonal of a matrix.
        W1 : (n, m) array
        W2 : (m, n) array
        h2 : (m,) array
        title : str
        """
        from bifrncrn.models.recurrent import shplrnn

        return shplrnn(A, W1, W2, h1, h2, title)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> System:
        """Read a model from a TOML file (see `bifrncrn.models.toml`).

        Raises
        ------
        InputError
            Names the file, the line, the word and what would be right.
        """
        from bifrncrn.models.toml import read

        return read(path)

    @classmethod
    def from_toml(cls, text: str) -> System:
        """Read a model from the text of a model file, as `to_toml` writes it; errors are those of `from_file`."""
        from bifrncrn.models.toml import loads

        return loads(text)

    @classmethod
    def from_function(
        cls,
        f: Any,
        variables: Sequence[str] | int,
        parameters: Mapping[str, float | str],
        state: Mapping[str, float] | Sequence[float] | np.ndarray | None = None,
        jacobian: Any = None,
        parameter_derivative: Any = None,
        sparsity: Any = None,
        scale: float | Sequence[float] | np.ndarray | None = None,
        nonnegative: bool = False,
        title: str = "",
    ) -> System:
        """Make a system whose right-hand side is a Python function.

        Every evaluation is a call from compiled code into Python: about 10 microseconds beside the function's own time,
        so small models are followed some seven times slower than from equations, and some thirty times slower where
        derivatives are not given either. Those are differences (fourth order): a Jacobian takes four calls for every
        group of its columns, where columns that share no row are in one group; without `sparsity` every column is a
        group of its own. With them folds are as accurate as with exact derivatives, the parameters of branch points and
        Hopf points good to about 1e-8 of their size, `a` to 1e-6, `l1` to 1e-4; `Diagram.notes` says so. Differences
        look up to 2 % of a state's size beyond a point, so f must be defined there (Jacobians of a nonnegative system
        stay inside). A given Jacobian or structure that contradicts f at the start is warned of.

        Parameters
        ----------
        f : callable
            `f(x, p)` returns dx/dt, shape (n,), for arrays of states and parameter values (in their order below): numpy
            code or a jitted function. Or the address of a compiled `void f(double *x, double *p, double *out)`, or an
            object that has it as `.address` (numba's `cfunc`).
        variables : sequence of str, or int
            Names of the states, or their number (then x1, x2, ...).
        parameters : mapping
            Name and value of every parameter.
        state : mapping or (n,) array, optional
            Start values; zero by default.
        jacobian : callable, optional
            `jacobian(x, p)` returns df/dx, shape (n, n), an array or a scipy sparse array; or an address as for `f`.
        parameter_derivative : callable, optional
            `parameter_derivative(x, p)` returns df/dp, shape (n, m); or an address.
        sparsity : (n, n) array or sparse array, optional
            Not zero wherever the Jacobian may be. Required above 1,000 variables unless the Jacobian is sparse.
        scale : float or (n,) array, optional
            Typical sizes of the states, for the steps of differences; by default those of the start.
        nonnegative, title
            As in `from_equations`.

        Raises
        ------
        InputError
            If names or numbers are wrong, or the function does not return n numbers at the start. What the function
            itself raises is passed on.

        Examples
        --------
        >>> fold = System.from_function(lambda x, p: p[0] - x**2, ["x"], {"r": 1.0}, state=[1.0])
        >>> fold.jacobian([1.0]).round(9)
        array([[-2.]])
        """
        from bifrncrn.models.function_system import from_function

        return from_function(
            f, variables, parameters, state, jacobian, parameter_derivative, sparsity, scale, nonnegative, title
        )

    def with_(
        self,
        state: Mapping[str, float | str] | Sequence[float] | np.ndarray | None = None,
        values: Mapping[str, float | str] | Sequence[float] | np.ndarray | None = None,
        nonnegative: bool | Sequence[str] | None = None,
        title: str | None = None,
        totals: Mapping[str, float] | None = None,
    ) -> System:
        """Return a copy with other start or parameter values, sharing the compiled functions.

        Parameters
        ----------
        state, values : mapping or array, optional
            A mapping changes the named entries only. A start that is an expression follows, unless it is given.
        totals : mapping, optional
            Conserved sums by their names (see `totals`): in each, the start of the variable it is named after changes.
        """
        if totals is not None and (totals := as_mapping(totals, "conserved sums such as {'total_E': 1}")):
            from bifrncrn.models.conservation import with_totals

            return with_totals(self.with_(state, values, nonnegative, title), totals)
        given = self.variables if state is not None and not isinstance(state, Mapping) else tuple(state or ())
        changed = replace(
            self,
            state=changed_numbers(self.state, state, self.variable_index, "start value of"),
            values=changed_numbers(self.values, values, self.parameter_index, "parameter"),
            starts={name: text for name, text in self.starts.items() if name not in given},
            nonnegative=self.nonnegative if nonnegative is None else which(nonnegative, self.variables),
            title=self.title if title is None else title,
        )
        if changed.starts and (state is not None or values is not None):
            changed = replace(changed, state=changed._started(changed.state))
        if self.period:
            changed.__dict__["remembered"] = self.remembered  # the systems without time that were made of it
        else:
            changed.__dict__["native"] = self.native
        return changed

    def _started(self, state: np.ndarray) -> np.ndarray:
        """Return a start with the values that are expressions evaluated."""
        return starting.evaluated(self.variables, self.parameters, self.definitions, self.starts, state, self.values)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what the system is, not its compiled code (the disk cache has that)."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        self.__dict__.update(saved)
        self.state.setflags(write=False)
        self.values.setflags(write=False)

    @property
    def has_formulas(self) -> bool:
        """Whether the right-hand sides are formulas, from which others can be derived, rather than code alone."""
        return True

    @property
    def note(self) -> str:
        """What a reader of results must know about how the system is evaluated; empty where it is exact."""
        return " ".join(self.notes)

    @property
    def totals(self) -> dict[str, float]:
        """The conserved sums at the start, by name: those of a closed network, which are parameters of its diagrams."""
        from bifrncrn.models.conservation import conserved_totals

        return conserved_totals(self)

    @functools.cached_property
    def native(self) -> NativeModel:
        """The compiled functions; each is compiled, or fetched from the disk cache, when first used."""
        if self.period:
            from bifrncrn.models.forcing import refuse

            raise refuse(self)
        key = json.dumps([self.variables, self.parameters, self.equations, self.definitions])
        return NativeModel(len(self.variables), len(self.parameters), key, self._graph)

    def _graph(self) -> tuple[Graph, list[int]]:
        return build_graph(self.variables, self.parameters, self.equations, self.definitions)[:2]

    def check_precision(self) -> None:
        """Do nothing: what was compiled from equations is computed in double precision."""

    def simulate(self, t_span: float | Sequence[float], **options: Any) -> Simulation:
        """Integrate the system in time from its start state; see `bifrncrn.trajectories.simulation.simulate`.

        Parameters
        ----------
        t_span : float or (start, end)
            The time to simulate to, from 0, or both ends.
        **options
            `state`, `values`, `method`, `rtol`, `atol`, `events`, `times`, `dense`, `max_steps`.
        """
        from bifrncrn.trajectories.simulation import simulate

        return simulate(self, t_span, **options)

    @property
    def source(self) -> str:
        """Python text of `f(x, p, out)` and `jacobian(x, p, out)`, to be read, or pasted into a numba program.

        Both take contiguous float arrays and fill the last; pass them through `numba.njit` for speed.
        """
        from bifrncrn.compile.source import python_source

        return python_source(self.variables, self.parameters, *self._graph_and_definitions())

    def _graph_and_definitions(self) -> tuple[Graph, list[int], dict[str, int]]:
        _ = self.native  # refuses a forced system
        return build_graph(self.variables, self.parameters, self.equations, self.definitions)

    def __str__(self) -> str:
        from bifrncrn.models.typeset import described

        return described(self)

    def _repr_html_(self) -> str:
        from bifrncrn.models.typeset import html_of

        return html_of(self)

    def sympy(self) -> dict[str, sympy.Expr]:
        """Return the right-hand sides as sympy expressions of plain symbols, definitions substituted."""
        from bifrncrn.models.symbolic import to_sympy

        graph, roots, _ = self._graph_and_definitions()
        return dict(zip(self.variables, to_sympy(graph, roots, self.variables, self.parameters), strict=True))

    def to_toml(self) -> str:
        """Return the system as the text of a model file; reading it gives the same system."""
        from bifrncrn.models.toml import dumps

        return dumps(self)

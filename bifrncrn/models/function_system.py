"""A Python function as a model: the addresses of `NativeModel`, with Python behind them."""

from __future__ import annotations

import ctypes
import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from bifrncrn.base.checks import as_texts
from bifrncrn.base.errors import ContinuationWarning, InputError
from bifrncrn.compile.carried import Carried, view
from bifrncrn.compile.interface import ARGUMENTS, ModelFunctions
from bifrncrn.models.differences import EPS, JET_STEP, STEP, Differences, jet, noise, slope
from bifrncrn.models.equations import as_mapping, as_numbers, check_names
from bifrncrn.models.system import System

FULL_LIMIT = 1000
"""Largest number of variables for which a Jacobian without known structure is accepted."""
COARSE = 1e-10
"""A function whose values jump by more than this part of their size is not one in double precision."""
_POINTER = ctypes.c_void_p


@dataclass(frozen=True, eq=False)
class Functions:
    """What the user gives: f(x, p) -> (n,), and perhaps J(x, p) and df/dp(x, p) -> (n, m)."""

    rhs: Callable[[np.ndarray, np.ndarray], Any]
    jacobian: Callable[[np.ndarray, np.ndarray], Any] | None
    by_parameters: Callable[[np.ndarray, np.ndarray], Any] | None


class FunctionModel(ModelFunctions):
    """The functions of a model under the names and addresses of `bifrncrn.compile.model.NativeModel`.

    What a function raises is kept, its results are NaN, and `check` raises it.

    Parameters
    ----------
    functions : Functions
    size : (n,) array
        The least size of every state, for the steps of differences.
    values : (m,) array
        Typical parameter values.
    lower : (n,) array
        Lower bounds of the states.
    pattern : two (nnz,) int arrays, or None
        Rows and columns of the structural nonzeros of the Jacobian, row by row; None for a full one.
    of_map : bool
        Whether the functions are those of a map, or of its iterates.
    """

    def __init__(
        self,
        functions: Functions,
        size: np.ndarray,
        values: np.ndarray,
        lower: np.ndarray,
        pattern: tuple[np.ndarray, np.ndarray] | None,
        of_map: bool = False,
    ) -> None:
        self.of_map = of_map
        self.n, self.m = len(size), len(values)
        self.functions = functions
        self.size, self._typical, self._lower = size, np.where(values == 0.0, 1.0, np.abs(values)), lower
        full = np.divmod(np.arange(self.n**2 if pattern is None else 0), max(self.n, 1))
        rows, cols = full if pattern is None else pattern
        self.rows, self.cols = rows.astype(np.int32), cols.astype(np.int32)
        self._start()

    def _start(self) -> None:
        self._carried = Carried()
        self._made: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what belongs to this process."""
        own = ("_carried", "_made", "differences")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        self.__dict__.update(saved)
        self._start()

    # -- what ModelFunctions asks for --------------------------------------------------------------------------

    def function(self, name: str) -> Any:
        """Return a function as a ctypes object that takes pointers."""
        if name not in self._made:
            kind = ctypes.CFUNCTYPE(None, *[_POINTER] * len(ARGUMENTS[name]))
            self._made[name] = kind(getattr(self, f"_call_{name}"))
        return self._made[name]

    def check(self) -> None:
        """Raise what one of the functions raised."""
        self._carried.check()

    def _address(self, name: str) -> int:
        return ctypes.cast(self.function(name), _POINTER).value or 0

    # -- values -------------------------------------------------------------------------------------------------

    @functools.cached_property
    def differences(self) -> Differences:
        """What computes the Jacobian where there is no function for it."""
        return Differences(self.rows.astype(int), self.cols.astype(int), self.size, self._lower)

    def value(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return f(x, p), shape (n,)."""
        out = np.asarray(self.functions.rhs(x, p), dtype=float)
        if out.shape != (self.n,):
            raise InputError(
                f"the function must return {self.n} numbers, one for each variable, not an array of shape {out.shape}"
            )
        return out

    def entries(self, x: np.ndarray, p: np.ndarray, f0: np.ndarray) -> np.ndarray:
        """Return the Jacobian at (rows, cols)."""
        if self.functions.jacobian is None:
            return self.differences.jacobian(lambda at: self.value(at, p), x, f0)
        return self._at_pattern(self.functions.jacobian(x, p))

    def matrix(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return the Jacobian, (n, n), of a model that has a function for it."""
        assert self.functions.jacobian is not None
        return self._full(self._at_pattern(self.functions.jacobian(x.copy(), p)))

    def _at_pattern(self, matrix: Any) -> np.ndarray:
        if getattr(matrix, "shape", None) is None:
            matrix = np.asarray(matrix, dtype=float)
        if matrix.shape != (self.n, self.n):
            raise InputError(
                f"the Jacobian must have shape ({self.n}, {self.n}), not {matrix.shape}; row i belongs to equation i"
            )
        if not hasattr(matrix, "tocsr"):
            return np.asarray(matrix, dtype=float)[self.rows, self.cols]
        rows, cols, data = coordinates(matrix)
        if len(rows) == len(self.rows) and np.array_equal(cols, self.cols) and np.array_equal(rows, self.rows):
            return data
        where = np.searchsorted(self._places, rows.astype(np.int64) * self.n + cols)
        known = self._places[np.minimum(where, len(self._places) - 1)] == rows.astype(np.int64) * self.n + cols
        if np.any(data[~known] != 0.0):
            raise InputError(
                "the Jacobian has an entry where it had none at the start; give the places of all entries as sparsity"
            )
        values = np.zeros(len(self.rows))
        values[where[known]] = data[known]
        return values

    @functools.cached_property
    def _places(self) -> np.ndarray:
        return self.rows.astype(np.int64) * self.n + self.cols

    def along(self, x: np.ndarray, p: np.ndarray, dp: np.ndarray) -> np.ndarray:
        """Return (df/dp) dp, shape (n,)."""
        if not np.any(dp):
            return np.zeros(self.n)
        if self.functions.by_parameters is not None:
            matrix = np.asarray(self.functions.by_parameters(x, p), dtype=float)
            if matrix.shape != (self.n, self.m):
                raise InputError(
                    f"parameter_derivative must return shape ({self.n}, {self.m}), a column for each parameter, not "
                    f"{matrix.shape}"
                )
            return matrix @ dp
        return slope(lambda e: self.value(x, p + e * dp), STEP / self._speed(x, p, np.zeros(self.n), dp))

    def derivatives(self, x: np.ndarray, p: np.ndarray, dx: np.ndarray, dp: np.ndarray) -> np.ndarray:
        """Return the first three derivatives by e of f(x + e dx, p + e dp), (3, n)."""
        speed = self._speed(x, p, dx, dp)
        if speed == 0.0:
            return np.zeros((3, self.n))
        return jet(lambda e: self.value(x + e * dx, p + e * dp), JET_STEP / speed)

    def _speed(self, x: np.ndarray, p: np.ndarray, dx: np.ndarray, dp: np.ndarray) -> float:
        """Return the length of a direction in units of the sizes of states and parameters."""
        states = np.max(np.abs(dx) / np.maximum(np.abs(x), self.size))
        return float(max(states, np.max(np.abs(dp) / np.maximum(np.abs(p), self._typical), initial=0.0)))

    # -- behind the addresses -----------------------------------------------------------------------------------

    def _inputs(self, x: int, p: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Copy state and parameters: a function may keep its arguments, the memory of the march it may not."""
        return self._read(x, self.n), self._read(p, self.m)

    @staticmethod
    def _read(address: int | None, size: int) -> np.ndarray:
        return view(address, size).copy() if address else np.empty(0)

    @staticmethod
    def _write(address: int, values: np.ndarray) -> None:
        view(address, values.size)[:] = values.ravel()

    def _call_f(self, x: int, p: int, out: int) -> None:
        result = np.full(self.n, np.nan)
        with self._carried:
            result = self.value(*self._inputs(x, p))
        self._write(out, result)

    def _call_J(self, x: int, p: int, out: int) -> None:
        result = np.full((self.n, self.n), np.nan)
        with self._carried:
            state, parameters = self._inputs(x, p)
            entries = self.entries(state, parameters, self.value(state, parameters))
            result = self._full(entries)
        self._write(out, result)

    def _call_linearize(self, x: int, p: int, dp: int, f: int, jacobian: int, fp: int) -> None:
        value, entries, along = self._all(x, p, dp)
        self._write(f, value)
        self._write(jacobian, self._full(entries))
        self._write(fp, along)

    def _call_sparse(self, x: int, p: int, dp: int, f: int, values: int, fp: int) -> None:
        value, entries, along = self._all(x, p, dp)
        self._write(f, value)
        self._write(values, entries)
        self._write(fp, along)

    def _call_jet(self, x: int, p: int, dx: int, dp: int, out: int) -> None:
        result = np.full((3, self.n), np.nan)
        with self._carried:
            directions = self._read(dx, self.n), self._read(dp, self.m)
            result = self.derivatives(*self._inputs(x, p), *directions)
        self._write(out, result)

    def _all(self, x: int, p: int, dp: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = np.full(self.n, np.nan), np.full(len(self.rows), np.nan), np.full(self.n, np.nan)
        if self._carried.error is not None:
            return found
        with self._carried:
            state, parameters = self._inputs(x, p)
            value = self.value(state, parameters)
            along = self.along(state, parameters, self._read(dp, self.m))
            return value, self.entries(state, parameters, value), along
        return found

    def bounds(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return estimates (n,) of the rounding errors in f, and of x in it, in units of that of the number one."""
        value = self.value(x, p)
        inputs = np.bincount(self.rows, np.abs(self.entries(x, p, value) * x[self.cols]), self.n)
        own = noise(lambda e: self.value(x + e * np.maximum(np.abs(x), self.size), p))
        return np.asarray(np.abs(value) + inputs + own / EPS)

    def _call_rounding(self, x: int, p: int, out: int) -> None:
        result = np.full(self.n, np.nan)
        with self._carried:
            result = self.bounds(*self._inputs(x, p))
        self._write(out, result)

    def _full(self, entries: np.ndarray) -> np.ndarray:
        matrix = np.zeros((self.n, self.n))
        matrix[self.rows, self.cols] = entries
        return matrix


class NoEquations(dict[str, str]):
    """Stands where a system keeps its equations."""

    def __reduce__(self) -> tuple[Any, ...]:
        return NoEquations, ()

    def __missing__(self, name: str) -> NoReturn:
        _refuse()

    def items(self) -> NoReturn:
        """Raise InputError."""
        _refuse()

    def values(self) -> NoReturn:
        """Raise InputError."""
        _refuse()


def _refuse() -> NoReturn:
    raise InputError(
        "the model is a Python function and has no equations: it cannot be written to a file, nor can conserved sums "
        "be divided out of it; give the equations instead (System.from_equations)"
    )


@dataclass(frozen=True, eq=False)
class FunctionSystem(System):
    """A system whose right-hand side is a Python function; made by `System.from_function`."""

    model: FunctionModel = field(kw_only=True, repr=False)

    @property
    def native(self) -> FunctionModel:  # type: ignore[override]
        """The functions behind addresses, as those of a compiled system."""
        return self.model

    @property
    def has_formulas(self) -> bool:
        """There is code alone."""
        return False

    @property
    def note(self) -> str:
        """How accurate the results are."""
        if self.model.of_map:
            return (
                "The map is a Python function; derivatives that it does not give are differences: LP are as accurate "
                "as with exact ones, the parameters of BP, PD and NS good to about 1e-8 of their size, coefficients to "
                "1e-4."
            )
        if self.model.functions.jacobian is None:
            calls = 4 * self.model.differences.groups + 5
            return (
                f"The model is a Python function, its Jacobian differences ({calls} calls for each Newton step). "
                "LP are as accurate as with exact derivatives, the parameters of BP and HB good to about 1e-8 of their "
                "size, a to 1e-6 and l1 to 1e-4."
            )
        return (
            "The model is a Python function; its second and third derivatives are differences: coefficients a are good "
            "to about 1e-6 of their size, l1 to 1e-4."
        )

    @property
    def source(self) -> str:
        """There is none that could be printed: InputError."""
        _refuse()

    def sympy(self) -> NoReturn:
        """Raise InputError: there are no equations."""
        _refuse()

    def to_toml(self) -> NoReturn:
        """Raise InputError: there are no equations."""
        _refuse()

    def check_precision(self) -> None:
        """Raise InputError where the function's values are not good to double precision: branches need that."""
        model, x, p = self.model, np.array(self.state), np.array(self.values)
        value, size = model.value(x, p), np.maximum(np.abs(x), model.size)
        if not np.all(np.isfinite(value)):
            return
        terms = np.abs(value) + np.bincount(model.rows, np.abs(model.entries(x, p, value)) * size[model.cols], model.n)
        own = noise(lambda e: model.value(x + e * size, p))
        worst = float(np.max(own / np.maximum(terms, 1e-300)))
        if worst > COARSE:
            raise InputError(
                f"the function is computed in single precision: its values jump by {worst:.1g} of their size; compute "
                "in double precision (float64; JAX: jax.config.update('jax_enable_x64', True))"
            )

    def _call(self, name: str, *arrays: np.ndarray) -> None:
        super()._call(name, *arrays)
        self.model.check()


def from_function(
    f: Any,
    variables: Sequence[str] | int,
    parameters: Mapping[str, float | str],
    state: Mapping[str, float] | Sequence[float] | np.ndarray | None,
    jacobian: Any,
    parameter_derivative: Any,
    sparsity: Any,
    scale: float | Sequence[float] | np.ndarray | None,
    nonnegative: bool,
    title: str,
    kind: str = "ode",
) -> FunctionSystem:
    """Make the system; see `System.from_function`."""
    if isinstance(variables, int):
        names = [f"x{i + 1}" for i in range(variables)]
    else:
        names = [*as_texts(variables, "variables")]
    start = dict.fromkeys(names, 0.0)
    if state is not None:
        start |= as_mapping(state, "state") if isinstance(state, Mapping) else _numbered(state, names)
    parameters = as_mapping(parameters, "parameters")
    check_names(start, parameters, {}, dict.fromkeys(names, ""))
    x, p = as_numbers(start, "start value of", "variables"), as_numbers(parameters, "parameter", "parameters")
    n, m = len(x), len(p)
    functions = Functions(
        _callable(f, "f", (n,)),
        None if jacobian is None else _callable(jacobian, "jacobian", (n, n)),
        None if parameter_derivative is None else _callable(parameter_derivative, "parameter_derivative", (n, m)),
    )
    pattern = _pattern(sparsity, functions, x, p)
    lower = np.zeros(n) if nonnegative else np.full(n, -np.inf)
    model = FunctionModel(functions, _sizes(scale, x), p, lower, pattern, kind == "map")
    model.value(x.copy(), p.copy())  # what is wrong with the function is said now
    _compare(model, x.copy(), p.copy())
    return FunctionSystem(
        title=title,
        variables=tuple(start),
        parameters=tuple(parameters),
        equations=NoEquations(),
        definitions={},
        state=x,
        values=p,
        nonnegative=bool(nonnegative),
        kind=kind,
        model=model,
    )


def _compare(model: FunctionModel, x: np.ndarray, p: np.ndarray) -> None:
    """Warn where the Jacobian, or the structure it is to have, disagrees with differences of f in one direction."""
    f0 = model.value(x, p)
    v = model.size * np.random.default_rng(1).uniform(0.5, 1.0, model.n)
    terms = model.entries(x, p, f0) * v[model.cols]
    given, size = np.bincount(model.rows, terms, model.n), np.bincount(model.rows, np.abs(terms), model.n)
    found = slope(lambda e: model.value(x + e * v, p), STEP, forward=True)
    off = np.abs(given - found) - 1e-4 * (size + np.abs(found)) - 1e-9 * np.max(np.abs(f0), initial=0.0)
    worst = int(np.argmax(off))
    if off[worst] > 0.0:
        warnings.warn(
            f"row {worst + 1} of the Jacobian disagrees with differences of f at the start ({given[worst]:.6g} and "
            f"{found[worst]:.6g} in a test direction); check jacobian and sparsity",
            ContinuationWarning,
            stacklevel=4,
        )


def _numbered(state: Any, names: list[str]) -> dict[str, Any]:
    values = np.asarray(state, dtype=float)
    if values.shape != (len(names),):
        raise InputError(f"the state must be {len(names)} numbers, one for each variable, not of shape {values.shape}")
    return dict(zip(names, values.tolist(), strict=True))


def _callable(function: Any, name: str, shape: tuple[int, ...]) -> Callable[[np.ndarray, np.ndarray], Any]:
    """Return a Python callable: as it is, or around the address of `void (double *x, double *p, double *out)`."""
    address = getattr(function, "address", None) if not isinstance(function, int) else function
    if isinstance(address, int) and not isinstance(function, bool):
        return _Address(function, address, shape)
    if not callable(function):
        kind = type(function).__name__
        raise InputError(f"{name} must be a function of (x, p), or the address of a compiled one, not {kind}")
    return function


class _Address:
    """A compiled function `void (double *x, double *p, double *out)`, such as numba's `cfunc` makes, as a callable."""

    def __init__(self, owner: Any, address: int, shape: tuple[int, ...]) -> None:
        self._owner = owner  # keeps the code alive
        self._shape = shape
        self._function = ctypes.CFUNCTYPE(None, _POINTER, _POINTER, _POINTER)(address)

    def __call__(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        out = np.empty(self._shape)
        self._function(x.ctypes.data, p.ctypes.data, out.ctypes.data)
        return out


def _pattern(sparsity: Any, functions: Functions, x: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return rows and columns of the Jacobian's structure: as given, or as a sparse Jacobian has it at the start."""
    n = len(x)
    given = sparsity
    if given is None and functions.jacobian is not None:
        matrix = functions.jacobian(x.copy(), p.copy())
        given = matrix if hasattr(matrix, "tocsr") else None
    if given is None:
        if n > FULL_LIMIT:
            raise InputError(
                f"a Jacobian of {n} variables needs its structure: give sparsity (the pattern of its entries), or a "
                "jacobian that returns a scipy sparse array"
            )
        return None
    if not hasattr(given, "tocsr"):
        from scipy.sparse import csr_array

        given = csr_array(np.asarray(given) != 0)
    if given.shape != (n, n):
        raise InputError(f"the sparsity must have shape ({n}, {n}), not {given.shape}; row i belongs to equation i")
    return coordinates(given)[:2]


def coordinates(matrix: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows, columns and entries of a sparse matrix, row by row, columns ascending."""
    csr = matrix.tocsr()
    if not csr.has_canonical_format:
        csr = csr.copy()
        csr.sum_duplicates()
    rows = np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr))
    return rows, csr.indices, csr.data.astype(float, copy=False)


def _sizes(scale: float | Sequence[float] | np.ndarray | None, x: np.ndarray) -> np.ndarray:
    """Return the least size of every state: as given, or its start, or where that is zero the largest start, or 1."""
    if scale is None:
        largest = float(np.max(np.abs(x)))
        return np.where(x == 0.0, largest or 1.0, np.abs(x))
    sizes = np.array(np.broadcast_to(np.asarray(scale, dtype=float), x.shape))
    if not (np.all(np.isfinite(sizes)) and np.all(sizes > 0.0)):
        raise InputError("the scale must be positive numbers, the sizes of the states: one for all or one for each")
    return sizes

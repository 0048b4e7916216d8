"""The compiled functions of a model, each made when it is first asked for."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bifrncrn.compile.interface import ARGUMENTS, DENSE_LIMIT, ModelFunctions
from bifrncrn.compile.native import Library, cached, compile_ir, load

if TYPE_CHECKING:
    import numpy as np

    from bifrncrn.compile.codegen import Output
    from bifrncrn.compile.graph import Graph

# the code generator is imported where something has to be compiled: what is in the cache is ready without it

FAST_COMPILE_ABOVE = 2_000_000
"""Characters of IR above which LLVM does not optimise: 30 times faster to compile, measured no slower to run."""

_ALIVE: weakref.WeakValueDictionary[str, Library] = weakref.WeakValueDictionary()
"""What is in memory, by function and model: networks of one shape have one, and copies of them come by the hundred."""


class NativeModel(ModelFunctions):
    """Addresses of the C functions of a model with n variables and m parameters.

    Every function is `void name(double* ...)`, allocates nothing, is reentrant and needs no Python; arrays are
    contiguous doubles, and the outputs must not overlap the inputs. The addresses are valid while this object lives.
    What is not a number stays so: nothing is ever caught or clipped.

    Parameters
    ----------
    n, m : int
        Number of variables and of parameters.
    key : str
        Identifies the equations in the disk cache.
    build : callable
        Returns the graph and the right-hand sides; called only when something has to be compiled.
    """

    def __init__(self, n: int, m: int, key: str, build: Callable[[], tuple[Graph, list[int]]]) -> None:
        self.n = n
        self.m = m
        self.key = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        self._derived: dict[str, NativeModel] = {}
        self._build = build
        self._lock = threading.RLock()
        self._libraries: list[Library] = []
        self._addresses: dict[str, int] = {}
        self._functions: dict[str, Any] = {}

    def shared(self, derived: NativeModel) -> NativeModel:
        """Return a model that was made of this one, or what is the same and was made of it before.

        Systems that differ in numbers alone have one model, and so have those made of them.
        """
        return self._derived.setdefault(derived.key, derived)

    @functools.cached_property
    def graph(self) -> tuple[Graph, list[int]]:
        """The expression graph and the nodes of the right-hand sides."""
        return self._build()

    @functools.cached_property
    def _jacobian(self) -> list[dict[int, int]]:
        from bifrncrn.compile.derivatives import jacobian

        return jacobian(*self.graph)

    @functools.cached_property
    def _pattern(self) -> np.ndarray:
        import numpy as np

        data = cached(f"pattern {self.key}", self._make_pattern)
        pattern = np.frombuffer(data, dtype="<i4").reshape(2, -1).astype(np.int32)
        pattern.setflags(write=False)
        return pattern

    @property
    def rows(self) -> np.ndarray:
        """Row of every structural nonzero of the Jacobian, (nnz,) int32, in ascending order."""
        return self._pattern[0]

    @property
    def cols(self) -> np.ndarray:
        """Column of every structural nonzero of the Jacobian, (nnz,) int32, ascending in each row."""
        return self._pattern[1]

    def function(self, name: str) -> Any:
        """Return a function as a ctypes object that takes pointers (c_void_p, in the order of the attribute above).

        numba's compiled code can call it too, with `array.ctypes` for each pointer. It keeps this model alive.
        """
        if name not in self._functions:
            signature = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(ARGUMENTS[name]))
            address = getattr(self, name)
            if not address:
                raise ValueError(f"there is no dense {name} for more than {DENSE_LIMIT} variables; use sparse")
            function = signature(address)
            function.model = self  # type: ignore[attr-defined]
            self._functions[name] = function
        return self._functions[name]

    def _address(self, name: str) -> int:
        with self._lock:
            if name not in self._addresses:
                label = f"{name} {self.key}"
                library = _ALIVE.get(label)
                if library is None:
                    library = _ALIVE[label] = load(cached(label, lambda: self._compile(name)))
                self._libraries.append(library)
                self._addresses[name] = library.address(name)
            return self._addresses[name]

    def _compile(self, name: str) -> bytes:
        """Compile without LLVM's passes: the graph is simplified already, and measured, they only cost time.

        Jets and bounds of errors are needed at few points only: for them the fastest way to compile is best, too.
        """
        text = self.ir(name)
        fast = name in ("jet", "rounding") or len(text) > FAST_COMPILE_ABOVE
        return compile_ir(text, opt=0 if fast else 1, passes=False)

    def ir(self, name: str) -> str:
        """Return the LLVM IR of one of the functions."""
        from bifrncrn.compile.codegen import Output, function_ir
        from bifrncrn.compile.derivatives import Directional, rounding

        g, roots = self.graph
        outputs: list[Output] = []
        if name == "f":
            outputs = [Output("F", i, root) for i, root in enumerate(roots)]
        elif name == "rounding":
            outputs = [Output("E", i, bound) for i, bound in enumerate(rounding(g, roots))]
        elif name == "jet":
            orders = Directional(g, state=True, parameters=True).derivatives(roots, 3)
            outputs = [Output("out", k * self.n + i, orders[k][i]) for i in range(self.n) for k in range(3)]
        else:
            return self._linearization(name)
        return function_ir(g, name, ARGUMENTS[name], outputs)

    def _linearization(self, name: str) -> str:
        """Write `J`, `linearize` or `sparse`, row after row so that what a row shares is close together."""
        from bifrncrn.compile.codegen import Output, function_ir
        from bifrncrn.compile.derivatives import Directional

        g, roots = self.graph
        outputs, clear, place = [], {}, 0
        if name != "J":
            (along,) = Directional(g, state=False, parameters=True).derivatives(roots, 1)
        for i, row in enumerate(self._jacobian):
            for column, node in row.items():
                outputs.append(Output("V", place, node) if name == "sparse" else Output("J", i * self.n + column, node))
                place += 1
            if name != "J":
                outputs += [Output("F", i, roots[i]), Output("Fp", i, along[i])]
        if name != "sparse" and place < self.n**2:
            clear = {"J": self.n**2}
        return function_ir(g, name, ARGUMENTS[name], outputs, clear)

    def _make_pattern(self) -> bytes:
        import numpy as np

        rows = [i for i, row in enumerate(self._jacobian) for _ in row]
        cols = [column for row in self._jacobian for column in row]
        return np.array([rows, cols], dtype="<i4").tobytes()

"""Nodes of an exact graph as machine code on intervals: one call encloses them over many boxes."""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifrncrn.base.errors import InputError
from bifrncrn.compile.codegen import Output, Step, Writer, assign_slots, literal, pieces
from bifrncrn.compile.functions import CALL, FUNCTIONS, INNER
from bifrncrn.compile.graph import Graph
from bifrncrn.compile.interval_code import PAIR, Module
from bifrncrn.compile.interval_functions import INTERVALS, POINTS, interval_function
from bifrncrn.compile.native import cached, compile_ir, load

if TYPE_CHECKING:
    import numpy as np

_POINTERS = ("xl", "xh", "pl", "ph", "ol", "oh")


class IntervalFunction:
    """Encloses nodes of a graph over boxes of its variables.

    Parameters
    ----------
    g : ExactGraph
    nodes : list of int
        What is enclosed.
    variables : int
        Number of variables.
    loose : bool
        Enclose the values only where the nodes are defined (see `interval_functions`); else nan says that they are
        not defined, or not differentiable, somewhere in the box.

    Raises
    ------
    InputError
        If a function has no enclosure.
    """

    def __init__(self, g: Graph, nodes: list[int], variables: int, loose: bool = False) -> None:
        import numpy as np

        # each node is computed and stored once; Jacobians of extended systems are mostly zeros and repetitions
        places = {node: i for i, node in enumerate(dict.fromkeys(nodes))}
        self.variables, self.outputs = variables, len(places)
        self._places = None if len(places) == len(nodes) else np.array([places[node] for node in nodes])
        text = _module(g, list(places), variables, loose)
        key = "interval " + hashlib.sha256(text.encode()).hexdigest()
        # without LLVM's passes: nothing is reordered, and measured, it compiles six times faster
        self._library = load(cached(key, lambda: compile_ir(text, opt=1, passes=False)))
        signature = ctypes.CFUNCTYPE(None, ctypes.c_int64, *[ctypes.c_void_p] * len(_POINTERS))
        self._function = signature(self._library.address("enclose"))

    def __call__(
        self, low: np.ndarray, high: np.ndarray, parameters: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds (k, nodes) over boxes (k, variables), and the parameters in their intervals."""
        import numpy as np

        arrays = [np.ascontiguousarray(a, dtype=float) for a in (low, high, *parameters)]
        out = np.empty((2, len(arrays[0]), self.outputs))
        pointers = [a.ctypes.data for a in (*arrays, out[0], out[1])]
        self._function(len(arrays[0]), *pointers)
        if self._places is not None:
            return out[0][:, self._places], out[1][:, self._places]
        return out[0], out[1]


def _module(g: Graph, nodes: list[int], variables: int, loose: bool) -> str:
    writer = _IntervalWriter(g, loose)
    outputs = [Output("o", i, node) for i, node in enumerate(nodes)]
    parts = pieces(g, writer, outputs)
    slots, size = assign_slots(g, writer, parts)
    bodies = [writer.piece(part, slots) for part in parts]
    passed = ", ".join(f"ptr %{name}" for name in (*_POINTERS, "work"))
    texts = [writer.functions.text()]
    for i, body in enumerate(bodies):
        texts.append("\n".join([f"define internal void @piece{i}({passed}) nounwind {{", *body, "ret void", "}"]))
    texts.append(_loop(len(bodies), size, variables, len(nodes)))
    return "\n".join(texts)


def _loop(count: int, size: int, variables: int, outputs: int) -> str:
    """Return the function that goes through the boxes."""
    steps = {"xl": variables, "xh": variables, "pl": 0, "ph": 0, "ol": outputs, "oh": outputs}
    lines = [
        f"define void @enclose(i64 %count, {', '.join(f'ptr %{name}' for name in _POINTERS)}) nounwind {{",
        f"start:\n%work = alloca double, i64 {max(2 * size, 1)}, align 16\nbr label %head",
        "head:\n%i = phi i64 [0, %start], [%next, %body]\n%go = icmp slt i64 %i, %count",
        "br i1 %go, label %body, label %end\nbody:",
    ]
    for name, step in steps.items():
        lines.append(f"%at_{name} = mul i64 %i, {step}\n%{name}_i = getelementptr double, ptr %{name}, i64 %at_{name}")
    passed = ", ".join([*(f"ptr %{name}_i" for name in _POINTERS), "ptr %work"])
    lines += [f"call void @piece{k}({passed})" for k in range(count)]
    lines.append("%next = add i64 %i, 1\nbr label %head\nend:\nret void\n}")
    return "\n".join(lines)


@dataclass
class _Ends:
    low: str
    high: str


class _IntervalWriter(Writer):
    """Writes pieces in which every node has two registers."""

    def __init__(self, g: Graph, loose: bool) -> None:
        super().__init__(g, "", ())
        self.functions = Module(interval_function, POINTS.__getitem__)
        self._loose = loose
        self._pairs: dict[int, _Ends] = {}
        self._slopes: dict[int, int] = {}

    def needs(self, node: int) -> tuple[int, ...]:
        """Return the nodes that must be computed before this one."""
        self._find_slope(node)
        if node in self._slopes:
            return self.g.args[self._slopes[node]]
        return self.g.operands(node)

    def _find_slope(self, node: int) -> None:
        """Notice the product that is the slope of a function, where that is enclosed more sharply as a whole."""
        g = self.g
        if g.op[node] != "mul" or node in self._slopes:
            return
        for root, other in (g.args[node], g.args[node][::-1]):
            if not g.op[root].startswith(CALL):
                continue
            factor = (FUNCTIONS | INNER)[g.op[root].removeprefix(CALL)].with_slope
            if factor is not None and other == factor(g, g.args[root]):
                self._slopes[node] = root

    def piece(self, steps: list[Step], slots: dict[int, int]) -> list[str]:
        """Return the instructions of one piece."""
        self._lines, self._pairs, self._count = [], {}, 0
        self._slots = slots
        for step in steps:
            if isinstance(step, Output):
                self._store(self._pair(step.node), f"{step.pointer}l", f"{step.pointer}h", step.index, step.index)
                continue
            self._pairs[step] = self._enclose(step)
            if step in slots:
                self._store(self._pairs[step], "work", "work", 2 * slots[step], 2 * slots[step] + 1)
        return self._lines

    def _store(self, ends: _Ends, low: str, high: str, i: int, k: int) -> None:
        self._lines.append(f"store double {ends.low}, ptr {self._address(low, i)}")
        self._lines.append(f"store double {ends.high}, ptr {self._address(high, k)}")

    def _pair(self, node: int) -> _Ends:
        ends = self._pairs.get(node)
        if ends is None:
            op = self.g.op[node]
            if op == "const":
                value = literal(self.g.args[node][0])
                return _Ends(value, value)
            if op in ("var", "par"):
                name, i = ("x" if op == "var" else "p"), self.g.args[node][0]
                places = (f"{name}l", i), (f"{name}h", i)
            else:
                places = ("work", 2 * self._slots[node]), ("work", 2 * self._slots[node] + 1)
            low, high = (self._new(f"load double, ptr {self._address(*place)}") for place in places)
            ends = self._pairs[node] = _Ends(low, high)
        return ends

    def _enclose(self, node: int) -> _Ends:
        g, op, args = self.g, self.g.op[node], self.g.args[node]
        if node in self._slopes:
            root = self._slopes[node]
            return self._function(f"{g.op[root].removeprefix(CALL)}'", [self._pair(arg) for arg in g.args[root]])
        if op in ("call:besselj", "call:expmean"):
            family = "bessel" if op == "call:besselj" else "expmean"
            return self._function(f"{family}{int(g.args[args[0]][0])}", [self._pair(args[1])])
        ends = [self._pair(arg) for arg in g.operands(node)]
        if op == "neg":
            return _Ends(self._new(f"fneg double {ends[0].high}"), self._new(f"fneg double {ends[0].low}"))
        if op == "add":
            total = ends[0]
            for term in ends[1:]:
                total = self._function("add", [total, term])
            return total
        if op == "ipow":
            return self._function(f"power{args[1]}", ends)
        return self._function(op.removeprefix("call:"), ends)

    def _function(self, name: str, args: list[_Ends]) -> _Ends:
        if self._loose and f"{name}~" in INTERVALS:
            name = f"{name}~"
        try:
            symbol = self.functions.interval(name)
        except KeyError:
            raise InputError(f"nothing can be proved about the function {name}: it has no enclosure yet") from None
        listed = ", ".join(f"double {end}" for arg in args for end in (arg.low, arg.high))
        both = self._new(f"call {PAIR} @{symbol}({listed})")
        low, high = (self._new(f"extractvalue {PAIR} {both}, {i}") for i in (0, 1))
        return _Ends(low, high)

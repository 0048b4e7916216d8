"""LLVM IR text for straight-line functions of graph nodes.

A function reads its inputs through pointers to doubles and stores every output through another. A long one is cut
into pieces that hand intermediate values on through a work array on the stack: LLVM needs more than linear time for
a single long block.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bifrncrn.base.errors import InputError
from bifrncrn.compile.functions import FUNCTIONS, lowered
from bifrncrn.compile.graph import LEAVES, Graph

PIECE = 1000
"""Operations in one piece of a function: measured, the size at which LLVM is fastest and the code no slower."""

MAX_WORK = 60_000
"""Doubles in the work array of a function: what fits the smallest stack that threads have by default (512 kB)."""

INPUTS = {"var": "x", "par": "p", "dvar": "dx", "dpar": "dp"}


@dataclass(frozen=True)
class Output:
    """One number to store: `pointer[index] = node`."""

    pointer: str
    index: int
    node: int


def function_ir(
    g: Graph, name: str, arguments: tuple[str, ...], outputs: list[Output], clear: dict[str, int] | None = None
) -> str:
    """Return the IR module of one function `void name(double* ...)`.

    Parameters
    ----------
    arguments : names of the pointers, in order: inputs are called x, p, dx and dp, all others are outputs.
    outputs : what to store. Their order decides the order of the computation: keep together what shares operations.
    clear : for each of these output pointers, the number of doubles set to zero first.
    """
    writer = Writer(g, name, arguments)
    parts = pieces(g, writer, outputs)
    slots, size = assign_slots(g, writer, parts)
    if size > MAX_WORK:
        raise InputError(
            f"the equations share {size} intermediate values, at most {MAX_WORK} can be kept; split the model"
        )
    bodies = [writer.piece(piece, slots) for piece in parts]
    return writer.module(bodies, size, clear or {})


Step = int | Output
"""Compute a node, or store an output."""


def _steps(g: Graph, writer: "Writer", outputs: list[Output]) -> Iterator[Step]:
    """Yield each operation once, right before it is first needed, and each output as soon as it is known."""
    done: set[int] = set()
    for output in outputs:
        stack = [output.node]
        while stack:
            node = stack[-1]
            if node in done or g.op[node] in LEAVES:
                stack.pop()
                continue
            missing = [n for n in writer.needs(node) if n not in done and g.op[n] not in LEAVES]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            done.add(node)
            yield node
        yield output


def pieces(g: Graph, writer: "Writer", outputs: list[Output]) -> list[list[Step]]:
    """Cut the steps of a function into pieces of limited length."""
    found: list[list[Step]] = [[]]
    weight = 0
    for step in _steps(g, writer, outputs):
        if weight >= PIECE:
            found.append([])
            weight = 0
        found[-1].append(step)
        weight += 1 if isinstance(step, Output) else len(writer.needs(step))
    return found


def assign_slots(g: Graph, writer: "Writer", parts: list[list[Step]]) -> tuple[dict[int, int], int]:
    """Give a place in the work array to every value that outlives its piece; places are used again."""
    born: dict[int, int] = {}
    last: dict[int, int] = {}
    for i, piece in enumerate(parts):
        for step in piece:
            used = [step.node] if isinstance(step, Output) else writer.needs(step)
            if not isinstance(step, Output):
                born[step] = i
            for node in used:
                if node in born:
                    last[node] = i
    ends: dict[int, list[int]] = {}
    starts: dict[int, list[int]] = {}
    for node, i in born.items():
        if last.get(node, i) > i:
            starts.setdefault(i, []).append(node)
            ends.setdefault(last[node], []).append(node)
    slots: dict[int, int] = {}
    free: list[int] = []
    size = 0
    for i in range(len(parts)):
        for node in starts.get(i, ()):
            if not free:
                free.append(size)
                size += 1
            slots[node] = free.pop()
        free.extend(slots[node] for node in ends.get(i, ()))
    return slots, size


def literal(value: float) -> str:
    """Return a double in LLVM's exact hexadecimal notation."""
    return "0x" + struct.pack(">d", value).hex().upper()


class Writer:
    """Writes the pieces of one function and remembers which externals they call."""

    def __init__(self, g: Graph, name: str, arguments: tuple[str, ...]) -> None:
        self.g = g
        self.name = name
        self.arguments = arguments
        self.declared: dict[str, None] = {}
        self._needs: dict[int, tuple[int, ...]] = {}
        self._lowered: dict[int, int] = {}
        self._lines: list[str] = []
        self._names: dict[int, str] = {}
        self._powers: dict[tuple[int, int], str] = {}
        self._count = 0

    def needs(self, node: int) -> tuple[int, ...]:
        """Return the nodes that must be computed before this one (a negated term is subtracted, never negated)."""
        found = self._needs.get(node)
        if found is not None:
            return found
        g, op = self.g, self.g.op[node]
        if op == "add":
            found = tuple(g.args[arg][0] if g.op[arg] == "neg" else arg for arg in g.args[node])
        elif (instead := lowered(g, node)) is not None:
            self._lowered[node] = instead
            found = (instead,)
        else:
            found = g.operands(node)
        self._needs[node] = found
        return found

    # -- the pieces ---------------------------------------------------------------------------------------------

    def piece(self, steps: list[Step], slots: dict[int, int]) -> list[str]:
        """Return the instructions of one piece."""
        self._lines, self._names, self._powers, self._count = [], {}, {}, 0
        self._slots = slots
        for step in steps:
            if isinstance(step, Output):
                value = self._name(step.node)
                self._lines.append(f"store double {value}, ptr {self._address(step.pointer, step.index)}")
                continue
            self._names[step] = self._compute(step)
            if step in slots:
                address = self._address("work", slots[step])
                self._lines.append(f"store double {self._names[step]}, ptr {address}")
        return self._lines

    def module(self, bodies: list[list[str]], size: int, clear: dict[str, int]) -> str:
        """Return the function, which clears the sparse outputs first; several pieces become functions that it calls."""
        head = []
        if size:
            head.append(f"%work = alloca double, i64 {size}, align 16")
        for pointer, count in clear.items():
            self.declared.setdefault("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
            head.append(f"call void @llvm.memset.p0.i64(ptr align 8 %{pointer}, i8 0, i64 {8 * count}, i1 false)")
        if len(bodies) == 1:
            return "\n".join([self._define(f"void @{self.name}", self.arguments, head + bodies[0]), *self.declared, ""])
        passed = ", ".join([f"ptr %{a}" for a in self.arguments] + [f"ptr {'%work' if size else 'null'}"])
        head.extend(f"call void @{self.name}_{i}({passed})" for i in range(len(bodies)))
        parts = [
            self._define(f"internal void @{self.name}_{i}", (*self.arguments, "work"), body)
            for i, body in enumerate(bodies)
        ]
        return "\n".join([*parts, self._define(f"void @{self.name}", self.arguments, head), *self.declared, ""])

    @staticmethod
    def _define(what: str, arguments: tuple[str, ...], lines: list[str]) -> str:
        names = ", ".join(f"ptr noalias %{a}" for a in arguments)
        return "\n".join([f"define {what}({names}) noinline nounwind {{", *lines, "ret void", "}"])

    # -- single operations --------------------------------------------------------------------------------------

    def _new(self, text: str) -> str:
        self._count += 1
        name = f"%v{self._count}"
        self._lines.append(f"{name} = {text}")
        return name

    def _address(self, pointer: str, index: int) -> str:
        return self._new(f"getelementptr double, ptr %{pointer}, i64 {index}") if index else f"%{pointer}"

    def _name(self, node: int) -> str:
        """Return the register of a node, loading it when it is an input or comes from an earlier piece."""
        name = self._names.get(node)
        if name is None:
            op = self.g.op[node]
            if op == "const":
                return literal(self.g.args[node][0])
            place = (INPUTS[op], self.g.args[node][0]) if op in INPUTS else ("work", self._slots[node])
            name = self._names[node] = self._new(f"load double, ptr {self._address(*place)}")
        return name

    def _compute(self, node: int) -> str:
        g, op, args = self.g, self.g.op[node], self.g.args[node]
        if op == "add":
            return self._sum(args)
        if op == "ipow":
            return self._power(args[0], args[1])
        if op.startswith("call:"):
            return self._call(op[5:], node)
        names = [self._name(arg) for arg in g.operands(node)]
        if op == "mul":
            return self._new(f"fmul double {names[0]}, {names[1]}")
        if op == "div":
            return self._new(f"fdiv double {names[0]}, {names[1]}")
        if op == "neg":
            return self._new(f"fneg double {names[0]}")
        if op == "mulz":
            product = self._new(f"fmul double {names[0]}, {names[1]}")
            test = self._new(f"fcmp oeq double {names[0]}, 0.0")
            return self._new(f"select i1 {test}, double 0.0, double {product}")
        if op == "where":
            test = self._new(f"fcmp oge double {names[0]}, 0.0")
            return self._new(f"select i1 {test}, double {names[1]}, double {names[2]}")
        return self._external("pow", names)

    def _sum(self, terms: tuple[int, ...]) -> str:
        g = self.g
        if g.op[terms[0]] == "neg" and g.op[terms[1]] != "neg":
            terms = (terms[1], terms[0], *terms[2:])  # -a + b as b - a: the same number, one operation less
        first = terms[0]
        if g.op[first] == "neg":
            total = self._new(f"fneg double {self._name(g.args[first][0])}")
        else:
            total = self._name(first)
        for term in terms[1:]:
            if g.op[term] == "neg":
                total = self._new(f"fsub double {total}, {self._name(g.args[term][0])}")
            else:
                total = self._new(f"fadd double {total}, {self._name(term)}")
        return total

    def _power(self, base: int, exponent: int) -> str:
        """Multiply by repeated squaring; the powers of one base share their squares."""
        if exponent == 1:
            return self._name(base)
        name = self._powers.get((base, exponent))
        if name is None:
            half = self._power(base, exponent // 2)
            name = self._new(f"fmul double {half}, {half}")
            if exponent % 2:
                name = self._new(f"fmul double {name}, {self._name(base)}")
            self._powers[base, exponent] = name
        return name

    def _external(self, symbol: str, names: list[str]) -> str:
        self.declared.setdefault(f"declare double @{symbol}({', '.join(['double'] * len(names))})")
        return self._new(f"call double @{symbol}({', '.join('double ' + n for n in names)})")

    def _call(self, name: str, node: int) -> str:
        args = self.g.args[node]
        if node in self._lowered:
            return self._name(self._lowered[node])
        if name == "besselj":
            self.declared.setdefault("declare double @jn(i32, double)")
            return self._new(f"call double @jn(i32 {int(self.g.args[args[0]][0])}, double {self._name(args[1])})")
        names = [self._name(arg) for arg in args]
        if name in ("sqrt", "abs"):
            return self._external({"sqrt": "llvm.sqrt.f64", "abs": "llvm.fabs.f64"}[name], names)
        if name in ("min", "max"):
            return self._extremum(name, *names)
        if name == "sign":
            return self._steps_at_zero(names[0], "-1.0", "1.0", names[0])
        if name == "heaviside":
            return self._steps_at_zero(names[0], "0.0", "1.0", self._new(f"fadd double {names[0]}, 0.5"))
        return self._external(FUNCTIONS[name].symbol, names)

    def _steps_at_zero(self, x: str, below: str, above: str, otherwise: str) -> str:
        negative = self._new(f"fcmp olt double {x}, 0.0")
        inner = self._new(f"select i1 {negative}, double {below}, double {otherwise}")
        positive = self._new(f"fcmp ogt double {x}, 0.0")
        return self._new(f"select i1 {positive}, double {above}, double {inner}")

    def _extremum(self, name: str, a: str, b: str) -> str:
        """Return the smaller or larger number, nan when either is nan."""
        test = self._new(f"fcmp {'olt' if name == 'min' else 'ogt'} double {a}, {b}")
        chosen = self._new(f"select i1 {test}, double {a}, double {b}")
        unordered = self._new(f"fcmp uno double {a}, {b}")
        total = self._new(f"fadd double {a}, {b}")
        return self._new(f"select i1 {unordered}, double {total}, double {chosen}")

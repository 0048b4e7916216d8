"""Readable Python of a model's right-hand side and Jacobian, printed from its graph."""

import keyword
import math
from collections.abc import Iterator, Mapping, Sequence

from bifrncrn.compile.derivatives import jacobian
from bifrncrn.compile.functions import FUNCTIONS, lowered
from bifrncrn.compile.graph import LEAVES, Graph

TERMS_PER_LINE = 20

_BESSEL = """import ctypes
import os

jn = ctypes.CDLL("ucrtbase" if os.name == "nt" else None)["_jn" if os.name == "nt" else "jn"]
jn.argtypes, jn.restype = (ctypes.c_int, ctypes.c_double), ctypes.c_double
"""

_ATOM, _POWER, _SIGN, _PRODUCT, _SUM = range(5)
"""How tightly a printed expression holds together."""


def python_source(
    variables: Sequence[str],
    parameters: Sequence[str],
    g: Graph,
    roots: list[int],
    definitions: Mapping[str, int],
) -> str:
    """Return Python text of `f(x, p, out)` and `jacobian(x, p, out)`.

    It needs only the standard library, and `numba.njit` compiles it. Names of the model are used where Python allows
    them; definitions keep their names, other expressions that occur several times are called t1, t2, ...

    Parameters
    ----------
    variables, parameters : names in the order of x and p.
    g, roots : the graph and the nodes of the right-hand sides.
    definitions : the node of every definition.
    """
    rows = jacobian(g, roots)
    n = len(roots)
    nodes = g.reachable([*roots, *(node for row in rows for node in row.values())])
    head = "import math\n" + (_BESSEL if any(g.op[node] == "call:besselj" for node in nodes) else "")
    names = _safe_names([*variables, *parameters, *definitions])
    values = [(f"out[{i}]", root) for i, root in enumerate(roots)]
    entries = [(f"out[{i}, {k}]", node) for i, row in enumerate(rows) for k, node in row.items()]
    listed = ", ".join(variables[:8]) + (", ..." if n > 8 else "")
    right = _Printer(g, variables, parameters, definitions, names)
    derivative = _Printer(g, variables, parameters, definitions, names)
    parts = [
        head,
        right.function("f", f"Store the time derivatives of {listed} in out[{n}].", values, False),
        derivative.function(
            "jacobian", f"Store the derivatives of f by x in out[{n}, {n}].", entries, len(entries) < n * n
        ),
    ]
    return "\n\n".join(parts)


def _safe_names(wanted: list[str]) -> dict[str, str]:
    """Map every name of the model to a Python name that clashes with nothing."""
    reserved = {"math", "jn", "ctypes", "os", "f", "jacobian", "abs", "min", "max", "float"}
    used: set[str] = set()
    names = {}
    for name in wanted:
        plain = name if name.isascii() and name.isidentifier() else "_".join(str(ord(c)) for c in name)
        if not plain.isidentifier():
            plain = "v" + plain
        while keyword.iskeyword(plain) or plain in reserved or plain in used or (plain != name and plain in wanted):
            plain += "_"
        used.add(plain)
        names[name] = plain
    return names


class _Printer:
    """Prints one function."""

    def __init__(
        self,
        g: Graph,
        variables: Sequence[str],
        parameters: Sequence[str],
        definitions: Mapping[str, int],
        names: Mapping[str, str],
    ) -> None:
        self.g = g
        self.leaves = {"var": variables, "par": parameters}
        self.names = names
        self.taken = set(names.values())
        self.arguments = [self._fresh(name) for name in ("x", "p", "out")]
        self.named = {node: names[name] for name, node in definitions.items() if g.op[node] not in LEAVES}
        self.lowered: dict[int, int | None] = {}
        self.text: dict[int, tuple[str, int]] = {}
        self.lines: list[str] = []
        self.count = 0

    def function(self, title: str, doc: str, outputs: list[tuple[str, int]], clear: bool) -> str:
        """Return the text of a function that stores the outputs, a list of (target, node)."""
        targets = [(target.replace("out", self.arguments[2], 1), node) for target, node in outputs]
        order = list(self._order([node for _, node in targets]))
        uses = self._count_uses(order, [node for _, node in targets])
        x, p, out = self.arguments
        self.lines = [f"def {title}({x}, {p}, {out}):", f'    """{doc}"""']
        self._unpack(order, [node for _, node in targets])
        if clear:
            self._line(f"{out}[:, :] = 0.0")
        for node in order:
            self._define(node, uses[node])
        for target, node in targets:
            self._line(f"{target} = {self._text(node)[0]}")
        return "\n".join([*self.lines, ""])

    def _count_uses(self, order: list[int], outputs: list[int]) -> dict[int, int]:
        """Count how often each node will be printed (a sign is printed with what it stands before)."""
        uses: dict[int, int] = {}
        for node in outputs:
            uses[node] = uses.get(node, 0) + 1
        for node in reversed(order):
            passed = uses[node] if self.g.op[node] == "neg" and node not in self.named else 1
            for operand in self._operands(node):
                uses[operand] = uses.get(operand, 0) + passed
        return uses

    def _unpack(self, order: list[int], outputs: list[int]) -> None:
        used = set(outputs)
        for node in order:
            used.update(self._operands(node))
        for node in sorted(used):
            op = self.g.op[node]
            if op in self.leaves:
                i = self.g.args[node][0]
                name = self.names[self.leaves[op][i]]
                self.text[node] = (name, _ATOM)
                self._line(f"{name} = {self.arguments[0 if op == 'var' else 1]}[{i}]")

    def _define(self, node: int, uses: int) -> None:
        """Give a node a line of its own when it has a name, is used again, or is long."""
        name = self.named.get(node)
        op = self.g.op[node]
        if op == "add" and len(self.g.args[node]) > TERMS_PER_LINE:
            self._long_sum(node, name or self._temporary())
            return
        text, level = self._format(node)
        if name is None and (op == "neg" or (uses < 2 and len(text) < 100)):
            self.text[node] = (text, level)
            return
        name = name or self._temporary()
        self._line(f"{name} = {text}")
        self.text[node] = (name, _ATOM)

    def _long_sum(self, node: int, name: str) -> None:
        terms = self.g.args[node]
        for start in range(0, len(terms), TERMS_PER_LINE):
            text = self._sum(terms[start : start + TERMS_PER_LINE], continued=start > 0)
            self._line(f"{name} = {name}{text}" if start else f"{name} = {text}")
        self.text[node] = (name, _ATOM)

    def _temporary(self) -> str:
        while True:
            self.count += 1
            name = f"t{self.count}"
            if name not in self.taken:
                return name

    def _fresh(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def _line(self, text: str) -> None:
        self.lines.append("    " + text)

    # -- the graph ----------------------------------------------------------------------------------------------

    def _operands(self, node: int) -> tuple[int, ...]:
        if node not in self.lowered:
            self.lowered[node] = lowered(self.g, node)
        instead = self.lowered[node]
        return self.g.operands(node) if instead is None else (instead,)

    def _order(self, roots: list[int]) -> Iterator[int]:
        """Yield the operations so that each follows what it needs, in the order of the roots."""
        done: set[int] = set()
        stack = list(reversed(roots))
        while stack:
            node = stack[-1]
            missing = [] if node in done else [n for n in self._operands(node) if n not in done]
            if missing:
                stack.extend(reversed(missing))
                continue
            stack.pop()
            if node not in done:
                done.add(node)
                if self.g.op[node] not in LEAVES:
                    yield node

    # -- printing -----------------------------------------------------------------------------------------------

    def _text(self, node: int) -> tuple[str, int]:
        if self.g.op[node] == "const":
            return _constant(self.g.args[node][0])
        return self.text[node]

    def _inside(self, node: int, level: int) -> str:
        """Return an operand, in parentheses unless it holds together tightly enough."""
        text, own = self._text(node)
        return text if own <= level else f"({text})"

    def _format(self, node: int) -> tuple[str, int]:
        g, op, args = self.g, self.g.op[node], self.g.args[node]
        if op == "add":
            return self._sum(args), _SUM
        if op == "neg":
            return "-" + self._inside(args[0], _PRODUCT), _SIGN
        if op == "mul":
            return f"{self._inside(args[0], _PRODUCT)}*{self._inside(args[1], _POWER)}", _PRODUCT
        if op == "div":
            return f"{self._inside(args[0], _PRODUCT)}/{self._inside(args[1], _POWER)}", _PRODUCT
        if op == "ipow":
            return f"{self._inside(args[0], _ATOM)}**{args[1]}", _POWER
        if op == "pow":
            return f"{self._inside(args[0], _ATOM)}**{self._inside(args[1], _ATOM)}", _POWER
        if op == "mulz":
            first, second = self._inside(args[0], _PRODUCT), self._inside(args[1], _POWER)
            return f"(0.0 if {first} == 0.0 else {first}*{second})", _ATOM
        if op == "where":
            c, a, b = (self._text(arg)[0] for arg in args)
            return f"({a} if {c} >= 0.0 else {b})", _ATOM
        instead = self.lowered.get(node)
        if instead is not None:
            return self._text(instead)
        if op == "call:besselj":
            return f"jn({int(g.args[args[0]][0])}, {self._text(args[1])[0]})", _ATOM
        template = FUNCTIONS[op.removeprefix("call:")].python
        # a template repeats its argument, or compares it, unless it is just a call
        simple = template.count("{0}") == 1
        return template.format(*(self._text(arg)[0] if simple else self._inside(arg, _ATOM) for arg in args)), _ATOM

    def _sum(self, terms: Sequence[int], continued: bool = False) -> str:
        text = ""
        for term in terms:
            minus = self.g.op[term] == "neg" and term not in self.named
            shown = self._inside(self.g.args[term][0] if minus else term, _PRODUCT)
            if shown.startswith("-") and not minus:
                minus, shown = True, shown[1:]
            elif shown.startswith("-"):
                shown = f"({shown})"
            text += (" - " if minus else " + ") + shown
        if continued:
            return text
        return text[3:] if text.startswith(" + ") else "-" + text[3:]


def _constant(value: float) -> tuple[str, int]:
    if not math.isfinite(value):
        return f'float("{value}")', _ATOM
    text = repr(value)
    return (text, _SIGN) if text.startswith("-") else (text, _ATOM)

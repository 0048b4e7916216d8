"""A model's graph as assignments in another language: short formulas, each value that is used again under a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bifrncrn.base.errors import InputError
from bifrncrn.compile.functions import lowered
from bifrncrn.compile.graph import LEAVES, Graph

LONGEST = 100
"""Characters of a formula above which it becomes a quantity of its own: other programs read short lines."""
_SUM, _PRODUCT, _ATOM = range(3)


@dataclass(frozen=True)
class Dialect:
    """How a language writes what differs.

    Attributes
    ----------
    number : callable
        The text of a number that is not negative.
    power : str
        The operator of powers.
    calls : dict
        Templates of functions by name, with {0}, {1}; each holds together by itself.
    choice : str
        Template of "{1} where {0} >= 0, else {2}".
    name : str
        The language, for messages.
    """

    number: Callable[[float], str]
    power: str
    calls: Mapping[str, str]
    choice: str
    name: str


@dataclass(frozen=True)
class _Part:
    text: str
    level: int

    def inside(self, level: int) -> str:
        return self.text if self.level >= level else f"({self.text})"


class Assignments:
    """Prints nodes of a graph.

    Parameters
    ----------
    g : Graph
    roots : list of int
        The nodes wanted.
    names : dict of int to str
        What the leaves are called, and operations that have a name of their own.
    temporary : callable
        `temporary(k)` returns the name of the k-th unnamed quantity, from 1.

    Attributes
    ----------
    lines : list of (str, str)
        Names and formulas, in an order in which they can be computed.
    outputs : list of str
        The formulas of the roots.
    """

    def __init__(
        self, g: Graph, roots: list[int], names: Mapping[int, str], temporary: Callable[[int], str], dialect: Dialect
    ) -> None:
        self.g = g
        self.dialect = dialect
        self.temporary = temporary
        self.lines: list[tuple[str, str]] = []
        self._parts: dict[int, _Part] = {}
        self._count = 0
        instead = {node: lowered(g, node) for node in g.reachable(roots)}
        self._lowered = {node: lower for node, lower in instead.items() if lower is not None}
        order = self._order(roots)
        uses: dict[int, int] = {}
        for node in order:
            for operand in self._operands(node):
                uses[operand] = uses.get(operand, 0) + 1
        for node in order:
            self._define(node, names.get(node), uses.get(node, 0))
        self.outputs = [self._parts[root].text for root in roots]

    def _operands(self, node: int) -> tuple[int, ...]:
        return (self._lowered[node],) if node in self._lowered else self.g.operands(node)

    def _order(self, roots: list[int]) -> list[int]:
        """Return the nodes so that each follows what it needs."""
        done: dict[int, None] = {}
        stack = list(reversed(roots))
        while stack:
            node = stack[-1]
            missing = [n for n in self._operands(node) if n not in done]
            if missing and node not in done:
                stack.extend(missing)
                continue
            done[stack.pop()] = None
        return list(done)

    def _define(self, node: int, name: str | None, uses: int) -> None:
        op, args = self.g.op[node], self.g.args[node]
        if op in LEAVES:
            self._parts[node] = self._constant(args[0]) if op == "const" else _Part(str(name), _ATOM)
            return
        part = self._format(node)
        if name is not None:
            self._named(node, name, part)
        elif op != "neg" and (uses > 1 or len(part.text) > LONGEST):
            self._named(node, self._fresh(), part)
        else:
            self._parts[node] = part

    def _named(self, node: int, name: str, part: _Part) -> None:
        self.lines.append((name, part.text))
        self._parts[node] = _Part(name, _ATOM)

    def _fresh(self) -> str:
        self._count += 1
        return self.temporary(self._count)

    def _constant(self, value: float) -> _Part:
        return (
            _Part(self.dialect.number(value), _ATOM) if value >= 0.0 else _Part(f"-{self.dialect.number(-value)}", _SUM)
        )

    def _format(self, node: int) -> _Part:
        g, op, args = self.g, self.g.op[node], self.g.args[node]
        if node in self._lowered:
            return self._parts[self._lowered[node]]
        if op == "add":
            return self._sum(args)
        parts = [self._parts[arg] for arg in g.operands(node)]
        if op == "neg":
            return _Part("-" + parts[0].inside(_PRODUCT), _SUM)
        if op in ("mul", "div"):
            symbol = "*" if op == "mul" else "/"
            return _Part(parts[0].inside(_PRODUCT) + symbol + parts[1].inside(_ATOM), _PRODUCT)
        if op == "ipow":
            return _Part(f"({parts[0].inside(_ATOM)}{self.dialect.power}{args[1]})", _ATOM)
        if op == "pow":
            return _Part(f"({parts[0].inside(_ATOM)}{self.dialect.power}{parts[1].inside(_ATOM)})", _ATOM)
        if op == "where":
            return _Part(self.dialect.choice.format(parts[0].inside(_ATOM), parts[1].text, parts[2].text), _ATOM)
        return self._call(op.removeprefix("call:"), args)

    def _call(self, name: str, args: tuple[int, ...]) -> _Part:
        template = self.dialect.calls.get(name)
        if template is None:
            raise InputError(
                f"the function {name} cannot be written for {self.dialect.name}; write the model without it"
            )
        if name == "besselj":
            return _Part(template.format(int(self.g.args[args[0]][0]), self._parts[args[1]].text), _ATOM)
        repeats = template.count("{0}") > 1
        texts = [self._parts[arg].inside(_ATOM) for arg in args]
        if repeats and len(texts[0]) > LONGEST // 3:
            name = self._fresh()
            self.lines.append((name, texts[0]))
            texts[0] = name
        return _Part(template.format(*texts), _ATOM)

    def _sum(self, terms: tuple[int, ...]) -> _Part:
        text = ""
        for term in terms:
            part, sign = self._parts[term], "+"
            if self.g.op[term] == "neg" and part.text.startswith("-"):
                part, sign = _Part(part.text[1:], _PRODUCT), "-"
            elif self.g.op[term] == "const" and part.text.startswith("-"):
                part, sign = _Part(part.text[1:], _ATOM), "-"
            shown = sign + part.inside(_PRODUCT)
            if text and len(text) + len(shown) > LONGEST:
                name = self._fresh()
                self.lines.append((name, text))
                text = name
            text += shown if text or sign == "-" else shown[1:]
        return _Part(text, _SUM)


def short_names(wanted: list[str], longest: int, taken: set[str]) -> dict[str, str]:
    """Return a name of letters, digits and _ for each, at most so long and different whatever the case."""
    used, out = {name.lower() for name in taken}, {}
    for name in wanted:
        plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
        plain = plain if plain[0].isalpha() else "v" + plain
        short, k = plain[:longest], 1
        while short.lower() in used:
            k += 1
            short = f"{plain[: longest - len(str(k))]}{k}"
        used.add(short.lower())
        out[name] = short
    return out

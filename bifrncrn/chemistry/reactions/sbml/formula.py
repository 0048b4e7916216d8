"""Formulas of an SBML document as immutable trees: read from libSBML once, then only substituted and looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bifrncrn.base.errors import InputError

MAX_DEPTH = 150
"""Deeper formulas are refused: the reader of expressions takes 200 parentheses."""
MAX_SIZE = 300_000
"""Larger formulas are refused: functions that call functions grow like powers of two."""
AVOGADRO = 6.02214179e23
"""What SBML Level 3 fixes for its symbol avogadro (specification of Version 1, section 3.4.6)."""

NUMBER, NAME, TIME, CALL = "number", "name", "time", "call"
OPERATIONS = {
    "PLUS": "plus",
    "MINUS": "minus",
    "TIMES": "times",
    "DIVIDE": "divide",
    "POWER": "power",
    "FUNCTION_POWER": "power",
    "FUNCTION_LN": "ln",
    **{
        f"FUNCTION_{name.upper()}": name
        for name in (
            *("abs", "exp", "log", "root", "floor", "ceiling", "factorial", "min", "max", "quotient", "rem"),
            *("piecewise", "delay", "sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "sech", "csch"),
            *("coth", "arcsin", "arccos", "arctan", "arcsec", "arccsc", "arccot", "arcsinh", "arccosh", "arctanh"),
            *("arcsech", "arccsch", "arccoth"),
        )
    },
    "FUNCTION_RATE_OF": "rateOf",
    **{f"RELATIONAL_{name.upper()}": name for name in ("eq", "neq", "lt", "leq", "gt", "geq")},
    **{f"LOGICAL_{name.upper()}": name for name in ("and", "or", "xor", "not", "implies")},
}
CONSTANTS = {"CONSTANT_TRUE": 1.0, "CONSTANT_FALSE": 0.0, "NAME_AVOGADRO": AVOGADRO}
SYMBOLS = {"CONSTANT_PI": "pi", "CONSTANT_E": "e"}


@dataclass(frozen=True, slots=True)
class Formula:
    """An operation on formulas, a number, a name, or the symbol of time.

    Attributes
    ----------
    kind : str
        `number`, `name`, `time`, `pi`, `e`, `call` (of a function definition), or a word of MathML.
    operands : tuple of Formula
    name : str
        The identifier of a `name` or of the function of a `call`.
    value : float
        The value of a `number`.
    size, depth : int
        The number of nodes, shared ones counted every time, and of levels.
    """

    kind: str
    operands: tuple[Formula, ...] = ()
    name: str = ""
    value: float = 0.0
    size: int = field(init=False, compare=False, repr=False)
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", 1 + sum(part.size for part in self.operands))
        object.__setattr__(self, "depth", 1 + max((part.depth for part in self.operands), default=0))
        if self.size > MAX_SIZE:
            raise InputError(f"a formula has more than {MAX_SIZE} parts; simplify the functions it calls")
        if self.depth > MAX_DEPTH:
            raise InputError(f"a formula is nested more than {MAX_DEPTH} deep; name its parts by assignment rules")


def number(value: float) -> Formula:
    """Return a number as a formula."""
    return Formula(NUMBER, value=float(value))


def name(identifier: str) -> Formula:
    """Return a name as a formula."""
    return Formula(NAME, name=identifier)


def apply(kind: str, *operands: Formula) -> Formula:
    """Return an operation on formulas."""
    return Formula(kind, operands)


class TreeReader:
    """Turns libSBML's trees into formulas."""

    def __init__(self, libsbml: Any) -> None:
        self.codes = {getattr(libsbml, key): key.removeprefix("AST_") for key in dir(libsbml) if key.startswith("AST_")}

    def read(self, node: Any, where: str) -> Formula:
        """Return the formula of a libSBML node.

        Raises
        ------
        InputError
            If it is too deep or large, or holds something that is no mathematics.
        """
        try:
            return self._read(node, 0)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    def _read(self, node: Any, depth: int) -> Formula:
        if depth > 4 * MAX_DEPTH:  # chains of one sum, which are joined below, are deeper than what they stand for
            raise InputError(f"the formula is nested more than {MAX_DEPTH} deep; name its parts by assignment rules")
        code = self.codes.get(node.getType(), "UNKNOWN")
        leaf = self._leaf(node, code)
        if leaf is not None:
            return leaf
        children = [self._read(child, depth + 1) for child in _children(node)]
        if code == "FUNCTION":
            return Formula(CALL, tuple(children), str(node.getName()))
        kind = OPERATIONS.get(code)
        if kind is None:
            raise InputError(f"the formula holds {code.lower().replace('_', ' ')}, which is not supported")
        return Formula(kind, tuple(children))

    @staticmethod
    def _leaf(node: Any, code: str) -> Formula | None:
        if code == "NAME":
            return name(str(node.getName()))
        if code == "NAME_TIME":
            return Formula(TIME)
        if code in CONSTANTS:
            return number(CONSTANTS[code])
        if code in SYMBOLS:
            return Formula(SYMBOLS[code])
        if code == "INTEGER":
            return number(node.getInteger())
        if code == "RATIONAL":
            return apply("divide", number(node.getNumerator()), number(node.getDenominator()))
        if code in ("REAL", "REAL_E"):
            return number(node.getReal())
        return None


def _children(node: Any) -> list[Any]:
    """Return the operands of a libSBML node; chains of the same sum or product count as one."""
    kind = node.getType()
    chain = node.isOperator() and node.getCharacter() in ("+", "*")
    found: list[Any] = []
    waiting = [node.getChild(i) for i in reversed(range(node.getNumChildren()))]
    while waiting:
        child = waiting.pop()
        if chain and child.getType() == kind and child.getNumChildren():
            waiting += [child.getChild(i) for i in reversed(range(child.getNumChildren()))]
        else:
            found.append(child)
    return found


def names_in(formula: Formula) -> frozenset[str]:
    """Return the names a formula uses (of quantities, not of functions)."""
    return frozenset(part.name for part in parts(formula) if part.kind == NAME)


def parts(formula: Formula) -> list[Formula]:
    """Return a formula and everything in it, each object once."""
    seen: dict[int, Formula] = {}
    waiting = [formula]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen[id(part)] = part
            waiting += part.operands
    return list(seen.values())


def rewrite(formula: Formula, change: Callable[[Formula], Formula]) -> Formula:
    """Return a formula with `change` applied to all its parts, from the leaves up."""
    known: dict[int, Formula] = {}

    def changed(part: Formula) -> Formula:
        found = known.get(id(part))
        if found is None:
            operands = tuple(changed(operand) for operand in part.operands)
            same = all(new is old for new, old in zip(operands, part.operands, strict=True))
            found = change(part if same else Formula(part.kind, operands, part.name, part.value))
            known[id(part)] = found
        return found

    return changed(formula)


def substitute(formula: Formula, values: Mapping[str, Formula]) -> Formula:
    """Return a formula with names replaced by formulas."""
    return rewrite(formula, lambda part: values.get(part.name, part) if part.kind == NAME else part)


@dataclass(frozen=True)
class FunctionDefinition:
    """A function of the document: the names of its arguments and its formula."""

    arguments: tuple[str, ...]
    body: Formula


def expand_calls(formula: Formula, functions: Mapping[str, FunctionDefinition], keep: str) -> Formula:
    """Return a formula with every call replaced by what the function means; calls of `keep` stay."""

    def change(part: Formula) -> Formula:
        if part.kind != CALL or part.name == keep:
            return part
        function = functions.get(part.name)
        if function is None:
            raise InputError(f"the function {part.name} is not defined; define it, or correct the name")
        if len(function.arguments) != len(part.operands):
            count = len(function.arguments)
            raise InputError(f"the function {part.name} takes {count} arguments, not {len(part.operands)}")
        return substitute(function.body, dict(zip(function.arguments, part.operands, strict=True)))

    return rewrite(formula, change)


def linear_in(formula: Formula, unknown: str) -> tuple[Formula, Formula] | None:
    """Return (a, b) with formula = a * unknown + b, neither holding the unknown; None where it is not so."""
    if unknown not in names_in(formula):
        return number(0), formula
    if formula.kind == NAME:
        return number(1), number(0)
    split = [linear_in(part, unknown) for part in formula.operands]
    if any(part is None for part in split):
        return None
    pairs = [part for part in split if part is not None]
    if formula.kind in ("plus", "minus"):
        return tuple(apply(formula.kind, *(pair[i] for pair in pairs)) for i in (0, 1))  # type: ignore[return-value]
    holding = [i for i, part in enumerate(formula.operands) if unknown in names_in(part)]
    if formula.kind == "times" and len(holding) == 1:
        rest = [part for i, part in enumerate(formula.operands) if i != holding[0]]
        slope, constant = pairs[holding[0]]
        return apply("times", slope, *rest), apply("times", constant, *rest)
    if formula.kind == "divide" and holding == [0]:
        slope, constant = pairs[0]
        return apply("divide", slope, formula.operands[1]), apply("divide", constant, formula.operands[1])
    return None

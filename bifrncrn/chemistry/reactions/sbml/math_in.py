"""Formulas of an SBML model as expression text."""

from typing import Any

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.math_out import OPERATORS, ROOT_FUNCTION

MAX_DEPTH = 150
SUM, PRODUCT, SIGN, POWER, ATOM = range(1, 6)
UNSUPPORTED = {
    "AST_NAME_TIME": "depends on time, but only autonomous models can be analysed",
    "AST_FUNCTION_DELAY": "holds a delay, which is not supported",
    "AST_FUNCTION_RATE_OF": "holds a rateOf, which is not supported",
    "AST_FUNCTION_PIECEWISE": "holds a piecewise expression, which is not supported; write a smooth one",
}
OWN_RULE = ("log", "root")  # SBML's words that take a base or a degree


class FormulaReader:
    """Turns libSBML formulas into text; `where` in messages says which formula."""

    def __init__(self, libsbml: Any) -> None:
        self.codes = {getattr(libsbml, key): key for key in dir(libsbml) if key.startswith("AST_")}
        words = {sbml: ours for ours, sbml in OPERATORS.items() if sbml not in OWN_RULE}
        self.functions = {f"AST_FUNCTION_{sbml.upper()}": ours for sbml, ours in words.items()}

    def text(self, node: Any, where: str) -> str:
        """Return the text of a formula.

        Raises
        ------
        InputError
            If it holds something the expression language has no word for.
        """
        if node is None:
            raise InputError(f"{where} has no formula; give it one")
        return self._render(node, where, 0)[0]

    def _render(self, node: Any, where: str, depth: int) -> tuple[str, int]:
        """Return text and how tightly its outermost operator binds."""
        if depth > MAX_DEPTH:
            raise InputError(f"{where} is nested more than {MAX_DEPTH} deep; name its parts by assignment rules")
        code = self.codes.get(node.getType(), "an unknown symbol")
        if code in UNSUPPORTED:
            raise InputError(f"{where} {UNSUPPORTED[code]}")
        atom = self._atom(node, code)
        if atom is not None:
            return atom
        parts = [self._render(child, where, depth + 1) for child in operands(node)]
        if code in ("AST_PLUS", "AST_TIMES"):
            return _joined(parts, code)
        if code in ("AST_MINUS", "AST_DIVIDE") and parts:
            return _difference(parts) if code == "AST_MINUS" else _quotient(parts)
        if code in ("AST_POWER", "AST_FUNCTION_POWER") and len(parts) == 2:
            return _power(parts[0], parts[1])
        if code == "AST_FUNCTION_ROOT":
            return _root(node, parts)
        if code == "AST_FUNCTION_LOG":
            return _logarithm(parts)
        name = self.functions.get(code)
        if code == "AST_FUNCTION" and node.getName() == ROOT_FUNCTION:
            name = ROOT_FUNCTION
        if name is None:
            raise InputError(f"{where} holds {_shown(node, code)}, which is not supported")
        return f"{name}({', '.join(text for text, _ in parts)})", ATOM

    def _atom(self, node: Any, code: str) -> tuple[str, int] | None:
        if code == "AST_NAME":
            return node.getName(), ATOM
        if code == "AST_CONSTANT_PI":
            return "pi", ATOM
        if code == "AST_CONSTANT_E":
            return "exp(1)", ATOM
        if code == "AST_INTEGER":
            return _number(node.getInteger())
        if code == "AST_RATIONAL":
            return f"{node.getNumerator()}/{node.getDenominator()}", SUM
        if code in ("AST_REAL", "AST_REAL_E", "AST_NAME_AVOGADRO"):
            return _number(node.getReal())
        return None


def operands(node: Any) -> list[Any]:
    """Return the operands of a formula; chains of the same sum or product count as one."""
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


def _shown(node: Any, code: str) -> str:
    name = node.getName() if code == "AST_FUNCTION" else None
    return f"the function {name}" if name else code.removeprefix("AST_").lower().replace("_", " ")


def _number(value: float) -> tuple[str, int]:
    return repr(value), ATOM if value >= 0 else SUM


def _wrapped(part: tuple[str, int], level: int) -> str:
    return part[0] if part[1] >= level else f"({part[0]})"


def _joined(parts: list[tuple[str, int]], code: str) -> tuple[str, int]:
    if not parts:
        return ("0", ATOM) if code == "AST_PLUS" else ("1", ATOM)
    if len(parts) == 1:
        return parts[0]
    symbol, level = (" + ", SUM) if code == "AST_PLUS" else ("*", PRODUCT)
    rest = [_wrapped(part, level + 1 if part[0].startswith("-") else level) for part in parts[1:]]
    return symbol.join([_wrapped(parts[0], level), *rest]), level


def _difference(parts: list[tuple[str, int]]) -> tuple[str, int]:
    if len(parts) == 1:
        return "-" + _wrapped(parts[0], POWER), SUM
    return f"{parts[0][0]} - {_wrapped(parts[1], PRODUCT)}", SUM


def _quotient(parts: list[tuple[str, int]]) -> tuple[str, int]:
    if len(parts) != 2:
        raise InputError("a division in the SBML model has not two operands; correct the SBML file")
    return f"{_wrapped(parts[0], PRODUCT)}/{_wrapped(parts[1], POWER)}", PRODUCT


def _power(base: tuple[str, int], exponent: tuple[str, int]) -> tuple[str, int]:
    return f"{_wrapped(base, ATOM)}**{_wrapped(exponent, ATOM)}", POWER


def _logarithm(parts: list[tuple[str, int]]) -> tuple[str, int]:
    base, argument = parts if len(parts) == 2 else [("10", ATOM), parts[-1]]
    if base[0] == "10":
        return f"log10({argument[0]})", ATOM
    return f"log({argument[0]})/log({base[0]})", PRODUCT


def _root(node: Any, parts: list[tuple[str, int]]) -> tuple[str, int]:
    if node.isSqrt() or len(parts) == 1:
        return f"sqrt({parts[-1][0]})", ATOM
    degree, argument = parts
    return f"{_wrapped(argument, ATOM)}**(1/{_wrapped(degree, ATOM)})", POWER

"""Formulas as text of the expression language."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

from bifrncrn.base.errors import InputError
from bifrncrn.chemistry.reactions.sbml.formula import CALL, NAME, NUMBER, TIME, Formula

OR, AND, NOT, COMPARED, SUM, SIGN, PRODUCT, POWER, ATOM = range(1, 10)
Text = tuple[str, int]  # a text, and how tightly its outermost operator binds

SAME = {
    **{word: word for word in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs", "min", "max")},
    "floor": "floor",
    "ceiling": "ceil",
    "factorial": "factorial",
    "ln": "log",
    **{f"arc{word}": f"a{word}" for word in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
}
RECIPROCAL = {"sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh"}
COMPARISONS = {"lt": "<", "leq": "<=", "gt": ">", "geq": ">=", "eq": "==", "neq": "!="}
LOGICAL = (*COMPARISONS, "and", "or", "xor", "not", "implies")


class Renderer:
    """Writes formulas; `clock` is the name of time.

    Parameters
    ----------
    clock : str
        What time is called.
    taken : set of str
        Names that quantities have, so that `pi` can be written as a number where it is one of them.
    kept : str
        The one function of documents that the expression language has too.
    """

    def __init__(self, clock: str, taken: set[str], kept: str) -> None:
        self.clock = clock
        self.pi = repr(math.pi) if "pi" in taken else "pi"
        self.kept = kept

    def text(self, formula: Formula) -> str:
        """Return the text of a formula.

        Raises
        ------
        InputError
            If it holds something the expression language has no word for.
        """
        return self._render(formula)[0]

    def condition(self, formula: Formula) -> str:
        """Return the text of a formula that is true or false: 1 or 0."""
        return self._condition(formula)[0]

    def _render(self, formula: Formula) -> Text:
        kind, operands = formula.kind, formula.operands
        leaf = self._leaf(formula)
        if leaf is not None:
            return leaf
        if kind in LOGICAL:
            return self._condition(formula)
        if kind == "piecewise":
            return self._piecewise(operands)
        written: Callable[[list[Text]], Text] | None = WRITTEN.get(kind)
        parts = [self._render(operand) for operand in operands]
        if written is not None:
            return written(parts)
        if kind in ("min", "max") and len(parts) == 1:
            return parts[0]
        if kind in SAME and parts:
            return _called(SAME[kind], parts)
        if kind == CALL and formula.name == self.kept:
            return _called(self.kept, parts)
        raise InputError(f"it holds {kind} of {len(operands)} operands, which is not supported; write it differently")

    def _leaf(self, formula: Formula) -> Text | None:
        if formula.kind == NUMBER:
            return _number(formula.value)
        if formula.kind == NAME:
            return formula.name, ATOM
        symbols = {TIME: self.clock, "pi": self.pi, "e": "exp(1)"}
        return (symbols[formula.kind], ATOM) if formula.kind in symbols else None

    def _piecewise(self, operands: tuple[Formula, ...]) -> Text:
        """Write a choice; without a last value, it has none where no condition holds, so 0/0 would be right there."""
        pairs, rest = len(operands) // 2, len(operands) % 2
        if not rest:
            raise InputError("a piecewise has no otherwise, so it has no value where no condition holds; give it one")
        words = []
        for i in range(pairs):
            words += [self._render(operands[2 * i])[0], self._condition(operands[2 * i + 1])[0]]
        if not pairs:
            return self._render(operands[-1])
        return f"piecewise({', '.join([*words, self._render(operands[-1])[0]])})", ATOM

    def _condition(self, formula: Formula) -> Text:
        """Write something true or false as 1 or 0."""
        kind, operands = formula.kind, formula.operands
        if kind in COMPARISONS:
            return self._comparison(kind, [self._render(operand) for operand in operands])
        if kind in ("and", "or", "xor"):
            return self._logic(kind, [self._condition(operand) for operand in operands])
        if kind == "not" and len(operands) == 1:
            return f"not {_wrapped(self._condition(operands[0]), COMPARED)}", NOT
        if kind == "implies" and len(operands) == 2:
            return self._condition(Formula("or", (Formula("not", operands[:1]), operands[1])))
        if kind == NUMBER:
            return ("1" if formula.value else "0"), ATOM
        if kind in LOGICAL:
            raise InputError(f"it holds {kind} of {len(operands)} operands; correct the formula")
        return self._comparison("neq", [self._render(formula), ("0", ATOM)])

    def _comparison(self, kind: str, parts: list[Text]) -> Text:
        if len(parts) < 2:
            return "1", ATOM
        pairs = [f"{_wrapped(a, SUM)} {COMPARISONS[kind]} {_wrapped(b, SUM)}" for a, b in itertools.pairwise(parts)]
        return " and ".join(pairs), AND if len(pairs) > 1 else COMPARED

    @staticmethod
    def _logic(kind: str, parts: list[Text]) -> Text:
        if not parts:
            return ("1" if kind == "and" else "0"), ATOM
        if len(parts) == 1:
            return parts[0]
        if kind == "and":
            return " and ".join(_wrapped(part, AND) for part in parts), AND
        if kind == "or":
            return " or ".join(_wrapped(part, OR) for part in parts), OR
        text = parts[0]
        for part in parts[1:]:
            text = f"{_wrapped(text, SUM)} != {_wrapped(part, SUM)}", COMPARED
        return text


def _number(value: float) -> Text:
    if not math.isfinite(value):
        raise InputError(f"it holds the number {value}, but numbers must be finite; replace it")
    whole = value.is_integer() and abs(value) < 1e15
    return str(int(value)) if whole else repr(value), ATOM if value >= 0 else SIGN


def _wrapped(part: Text, level: int) -> str:
    return part[0] if part[1] >= level else f"({part[0]})"


def _called(function: str, parts: list[Text]) -> Text:
    return f"{function}({', '.join(text for text, _ in parts)})", ATOM


def _sum(parts: list[Text]) -> Text:
    if len(parts) < 2:
        return parts[0] if parts else ("0", ATOM)
    text = parts[0][0]
    for word, level in parts[1:]:
        text += f" - {word[1:]}" if level == SIGN else f" + {_wrapped((word, level), PRODUCT)}"
    return text, SUM


def _product(parts: list[Text]) -> Text:
    if len(parts) < 2:
        return parts[0] if parts else ("1", ATOM)
    return "*".join([_wrapped(parts[0], PRODUCT), *(_wrapped(part, PRODUCT) for part in parts[1:])]), PRODUCT


def _difference(parts: list[Text]) -> Text:
    if len(parts) == 1:
        return "-" + _wrapped(parts[0], PRODUCT), SIGN
    return f"{parts[0][0]} - {_wrapped(_two(parts, 'minus')[1], PRODUCT)}", SUM


def _quotient(parts: list[Text]) -> Text:
    above, below = _two(parts, "divide")
    return f"{_wrapped(above, PRODUCT)}/{_wrapped(below, POWER)}", PRODUCT


def _power(parts: list[Text]) -> Text:
    base, exponent = _two(parts, "power")
    return f"{_wrapped(base, ATOM)}**{_wrapped(exponent, ATOM)}", POWER


def _two(parts: list[Text], kind: str) -> list[Text]:
    if len(parts) != 2:
        raise InputError(f"it holds {kind} of {len(parts)} operands instead of 2; correct the formula")
    return parts


def _logarithm(parts: list[Text]) -> Text:
    base, argument = parts if len(parts) == 2 else [("10", ATOM), parts[-1]]
    if base[0] == "10":
        return f"log10({argument[0]})", ATOM
    return f"log({argument[0]})/log({base[0]})", PRODUCT


def _root(parts: list[Text]) -> Text:
    if len(parts) == 1 or parts[0][0] == "2":
        return f"sqrt({parts[-1][0]})", ATOM
    degree, argument = _two(parts, "root")
    return f"{_wrapped(argument, ATOM)}**(1/{_wrapped(degree, ATOM)})", POWER


def _ratio(function: str) -> Callable[[list[Text]], Text]:
    return lambda parts: (f"1/{function}({parts[0][0]})", PRODUCT)


def _of_reciprocal(function: str) -> Callable[[list[Text]], Text]:
    return lambda parts: (f"{function}(1/{_wrapped(parts[0], POWER)})", ATOM)


def _integer_quotient(parts: list[Text]) -> Text:
    """Divide towards zero, as MathML's quotient does."""
    ratio = _quotient(parts)[0]
    return f"sign({ratio})*floor(abs({ratio}))", PRODUCT


def _remainder(parts: list[Text]) -> Text:
    """What MathML's quotient leaves; it has the sign of the dividend."""
    dividend, divisor = _two(parts, "rem")
    return f"{_wrapped(dividend, PRODUCT)} - {_wrapped(divisor, PRODUCT)}*{_integer_quotient(parts)[0]}", SUM


WRITTEN: dict[str, Callable[[list[Text]], Text]] = {
    "plus": _sum,
    "times": _product,
    "minus": _difference,
    "divide": _quotient,
    "power": _power,
    "log": _logarithm,
    "root": _root,
    "quotient": _integer_quotient,
    "rem": _remainder,
    **{word: _ratio(function) for word, function in RECIPROCAL.items()},
    **{f"arc{word}": _of_reciprocal(f"a{function}") for word, function in RECIPROCAL.items()},
}

"""sympy expressions in and out. sympy is imported inside the functions only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bifrncrn.base.errors import InputError
from bifrncrn.compile.functions import FUNCTIONS
from bifrncrn.compile.graph import Graph

if TYPE_CHECKING:
    import sympy


def to_text(expression: sympy.Expr) -> str:
    """Return a sympy expression as text for the expression reader, with all its digits.

    Raises
    ------
    InputError
        If the expression holds something that formulas do not have (a derivative, a piecewise function, infinity).
    """
    try:
        _check(expression)
        text: str = _printer().doprint(expression)
    except RecursionError:
        raise InputError("the sympy expression is nested too deep; give it as text, its parts named") from None
    return text


def _check(expression: Any) -> None:
    """Refuse whatever the reader would not know, or would take for a name of the user's (sympy's I, E, nan, oo)."""
    import sympy
    from sympy.core.relational import Relational
    from sympy.functions.elementary.piecewise import ExprCondPair
    from sympy.logic.boolalg import ITE, And, BooleanAtom, Not, Or

    numbers = (sympy.Symbol, sympy.Rational, sympy.Float, type(sympy.pi), type(sympy.E))
    plain = (sympy.Add, sympy.Mul, sympy.Pow, *numbers, Relational, And, Or, Not, ITE, BooleanAtom, ExprCondPair)
    known = {function.sympy for function in FUNCTIONS.values()} | {"Piecewise"}
    for part in sympy.preorder_traversal(expression):
        if isinstance(part, sympy.Float) and not math.isfinite(float(part)):
            raise InputError(f"the sympy expression holds the number {part}, which is not finite in double precision")
        if isinstance(part, sympy.Piecewise) and part.args[-1].cond != sympy.true:
            raise InputError(f"{part} has no value where none of its conditions holds; close it with (value, True)")
        if not isinstance(part, plain) and type(part).__name__ not in known:
            names = ", ".join(sorted(known))
            raise InputError(f"the sympy expression holds {part} ({type(part).__name__}); the functions are {names}")


def _printer() -> Any:
    from sympy.printing.str import StrPrinter

    names = {function.sympy: name for name, function in FUNCTIONS.items()}

    class Printer(StrPrinter):
        """Prints what the expression reader reads; constants as numbers, for their names may be the user's."""

        def _print_Float(self, expr: Any) -> str:
            text = repr(float(expr))
            return f"({text})" if "e" in text or text.startswith("-") else text

        def _print_Exp1(self, expr: Any) -> str:
            return "exp(1)"

        def _print_Pi(self, expr: Any) -> str:
            return repr(math.pi)

        def _print_Function(self, expr: Any) -> str:
            name = names[type(expr).__name__]
            # Heaviside carries its value at zero as a second argument
            args = expr.args[:1] if name == "heaviside" else expr.args
            return f"{name}({', '.join(self._print(arg) for arg in args)})"

        def _print_Piecewise(self, expr: Any) -> str:
            *pairs, last = expr.args
            parts = [f"{self._print(value)}, {self._print(condition)}" for value, condition in pairs]
            return (
                f"piecewise({', '.join([*parts, self._print(last.expr)])})" if parts else f"({self._print(last.expr)})"
            )

        def _print_Relational(self, expr: Any) -> str:
            return f"({self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)})"

        def _print_And(self, expr: Any) -> str:
            return f"({' and '.join(self._print(arg) for arg in expr.args)})"

        def _print_Or(self, expr: Any) -> str:
            return f"({' or '.join(self._print(arg) for arg in expr.args)})"

        def _print_Not(self, expr: Any) -> str:
            return f"(not {self._print(expr.args[0])})"

        def _print_ITE(self, expr: Any) -> str:
            return f"if({', '.join(self._print(arg) for arg in expr.args)})"

        def _print_BooleanTrue(self, expr: Any) -> str:
            return "1"

        def _print_BooleanFalse(self, expr: Any) -> str:
            return "0"

        _print_Mod = _print_floor = _print_ceiling = _print_Function
        _print_Min = _print_Max = _print_Abs = _print_besselj = _print_Heaviside = _print_sign = _print_Function

    return Printer()


def to_sympy(g: Graph, roots: list[int], variables: Sequence[str], parameters: Sequence[str]) -> list[sympy.Expr]:
    """Return nodes of a graph as sympy expressions of plain symbols named as the variables and parameters are."""
    import sympy

    made: dict[int, Any] = {}
    names = {"var": variables, "par": parameters}
    for node in g.reachable(roots):
        op = g.op[node]
        if op in names:
            made[node] = sympy.Symbol(names[op][g.args[node][0]])
        elif op == "const":
            value = g.args[node][0]
            made[node] = sympy.Integer(int(value)) if value.is_integer() and abs(value) < 2**53 else sympy.Float(value)
        else:
            made[node] = _operation(sympy, g, node, [made[operand] for operand in g.operands(node)])
    return [made[root] for root in roots]


def _operation(sympy: Any, g: Graph, node: int, values: list[Any]) -> Any:
    op = g.op[node]
    if op == "add":
        return sympy.Add(*values)
    if op == "neg":
        return -values[0]
    if op == "mul":
        return values[0] * values[1]
    if op == "div":
        return values[0] / values[1]
    if op == "ipow":
        return values[0] ** g.args[node][1]
    if op == "pow":
        return values[0] ** values[1]
    if op == "where":
        return sympy.Piecewise((values[1], values[0] >= 0), (values[2], True))
    name = op.removeprefix("call:")
    special: dict[str, Callable[..., Any]] = {
        "rncrn_s": lambda z, g, t: (z + sympy.sqrt(z**2 + 4 * g * t)) / (2 * t),
        "cbrt": lambda x: sympy.sign(x) * sympy.Abs(x) ** sympy.Rational(1, 3),
        "log2": lambda x: sympy.log(x) / sympy.log(2),
        "log10": lambda x: sympy.log(x) / sympy.log(10),
        "log1p": lambda x: sympy.log(1 + x),
        "expm1": lambda x: sympy.exp(x) - 1,
    }
    function = special[name] if name in special else getattr(sympy, FUNCTIONS[name].sympy)
    return function(*values)

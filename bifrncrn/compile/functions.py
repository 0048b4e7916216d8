"""The functions a formula may use: how each is folded, called in machine code, differentiated and printed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bifrncrn.compile.graph import Graph

Partial = Callable[["Graph", int, tuple[int, ...], int], int]


@dataclass(frozen=True)
class Function:
    """One function of the expression language.

    Attributes
    ----------
    arity : number of arguments (`min` and `max` take more: the reader folds them pairwise).
    fold : its value for numbers, or None when it is never folded.
    partial : `partial(graph, node, args, i)` gives the derivative by argument i; None for those that branch.
    python : source text with `{0}`, `{1}`, ... for the arguments.
    sympy : its name in sympy.
    symbol : its name in the C library; "" when machine code is generated for it instead.
    lower : `lower(graph, args)` gives the node of the same in elementary operations, which are what is compiled;
        None for what is a function of its own.
    with_slope : `with_slope(graph, args)` gives the node that it is multiplied by in its slope, where the product
        has a sharper enclosure of its own (the name with a prime); None where it has none.
    """

    arity: int
    fold: Callable[..., float] | None
    partial: Partial | None
    python: str
    sympy: str
    symbol: str = ""
    lower: Callable[[Graph, tuple[int, ...]], int] | None = None
    with_slope: Callable[[Graph, tuple[int, ...]], int] | None = None


def sign(x: float) -> float:
    """Return -1, 0 or 1 (and nan for nan)."""
    return math.copysign(1.0, x) if abs(x) > 0 else x


def heaviside(x: float) -> float:
    """Return 0, 1/2 or 1 for negative, zero and positive numbers."""
    return 0.5 * (1.0 + sign(x))


def cbrt(x: float) -> float:
    """Return the real cube root."""
    root = math.copysign(abs(x) ** (1.0 / 3.0), x)
    return root if root == 0 or math.isinf(root) else root - (root - x / (root * root)) / 3.0


def rncrn_s(z: float, g: float, t: float) -> float:
    """Return the positive root s of t s^2 - z s - g = 0 without cancellation for either sign of z."""
    q = math.sqrt(z * z + 4.0 * g * t)
    return (z + q) / (2.0 * t) if z >= 0 else 2.0 * g / (q - z)


def _square(g: Graph, a: int) -> int:
    return g.node("ipow", a, 2) if g.value(a) is None else g.mul(a, a)


def _inverse(g: Graph, a: int) -> int:
    return g.div(g.one, a)


def _zero(g: Graph, w: int, args: tuple[int, ...], i: int) -> int:
    return g.zero


def _atan2(g: Graph, w: int, args: tuple[int, ...], i: int) -> int:
    y, x = args
    radius = g.add([_square(g, x), _square(g, y)])
    return g.div(x, radius) if i == 0 else g.neg(g.div(y, radius))


def _gauss(g: Graph) -> int:
    """Return 2 / sqrt(pi), as 1 / sqrt(arctan 1): a formula, so that it is exact in a graph that does not round."""
    return _inverse(g, g.call("sqrt", (g.call("atan", (g.one,)),)))


def _besselj(g: Graph, w: int, args: tuple[int, ...], i: int) -> int:
    """J_k' = (J_(k-1) - J_(k+1)) / 2 (Abramowitz and Stegun 9.1.27); the order is a constant."""
    order = int(g.args[args[0]][0])
    if order == 0:
        return g.neg(g.call("besselj", (g.one, args[1])))
    below, above = (g.call("besselj", (g.const(order + step), args[1])) for step in (-1, 1))
    return g.mul(g.const(0.5), g.sub(below, above))


def _expmean(g: Graph, w: int, args: tuple[int, ...], i: int) -> int:
    """Differentiate the mean of t^n exp(t x) over t in [0, 1]: it is the next one; n is a constant."""
    return g.call("expmean", (g.const(int(g.args[args[0]][0]) + 1), args[1]))


def _discriminant_root(g: Graph, args: tuple[int, ...]) -> int:
    """Return the node sqrt(z^2 + 4 g t) that `rncrn_s` and its derivatives share."""
    z, gamma, tau = args
    return g.call("sqrt", (g.add([_square(g, z), g.mul(g.const(4.0), g.mul(gamma, tau))]),))


def _rncrn_s(g: Graph, w: int, args: tuple[int, ...], i: int) -> int:
    """Differentiate t s^2 - z s - g = 0 implicitly: (s, 1, -s^2) / (2 t s - z), and 2 t s - z = sqrt(z^2 + 4 g t)."""
    r = _inverse(g, _discriminant_root(g, args))
    return (g.mul(w, r), r, g.neg(g.mul(g.mul(w, w), r)))[i]


def _lower_rncrn_s(g: Graph, args: tuple[int, ...]) -> int:
    """Return `rncrn_s` in elementary operations, with one division."""
    z, gamma, tau = args
    q = _discriminant_root(g, args)
    two = g.const(2.0)
    return g.div(
        g.where(z, g.add([z, q]), g.mul(two, gamma)),
        g.where(z, g.mul(two, tau), g.sub(q, z)),
    )


def _unary(
    fold: Callable[[float], float],
    derivative: Callable[[Graph, int, int], int],
    name: str,
    symbol: str | None = None,
    python: str | None = None,
    sympy: str | None = None,
) -> Function:
    return Function(
        arity=1,
        fold=fold,
        partial=lambda g, w, args, i: derivative(g, w, args[0]),
        python=python or f"math.{name}({{0}})",
        sympy=sympy or name,
        symbol=name if symbol is None else symbol,
    )


FUNCTIONS: dict[str, Function] = {
    "exp": _unary(math.exp, lambda g, w, a: w, "exp"),
    "expm1": _unary(math.expm1, lambda g, w, a: g.add([w, g.one]), "expm1"),
    "log": _unary(math.log, lambda g, w, a: _inverse(g, a), "log"),
    "log1p": _unary(math.log1p, lambda g, w, a: _inverse(g, g.add([g.one, a])), "log1p"),
    "log2": _unary(math.log2, lambda g, w, a: g.div(_inverse(g, g.call("log", (g.const(2.0),))), a), "log2"),
    "log10": _unary(math.log10, lambda g, w, a: g.div(_inverse(g, g.call("log", (g.const(10.0),))), a), "log10"),
    "sqrt": _unary(math.sqrt, lambda g, w, a: g.div(g.const(0.5), w), "sqrt", symbol=""),
    "cbrt": _unary(
        cbrt,
        lambda g, w, a: _inverse(g, g.mul(g.const(3.0), _square(g, w))),
        "cbrt",
        python="math.copysign(abs({0})**(1.0/3.0), {0})",
    ),
    "sin": _unary(math.sin, lambda g, w, a: g.call("cos", (a,)), "sin"),
    "cos": _unary(math.cos, lambda g, w, a: g.neg(g.call("sin", (a,))), "cos"),
    "tan": _unary(math.tan, lambda g, w, a: g.add([g.one, _square(g, w)]), "tan"),
    "asin": _unary(math.asin, lambda g, w, a: _inverse(g, g.call("sqrt", (g.sub(g.one, _square(g, a)),))), "asin"),
    "acos": _unary(
        math.acos, lambda g, w, a: g.neg(_inverse(g, g.call("sqrt", (g.sub(g.one, _square(g, a)),)))), "acos"
    ),
    "atan": _unary(math.atan, lambda g, w, a: _inverse(g, g.add([g.one, _square(g, a)])), "atan"),
    "sinh": _unary(math.sinh, lambda g, w, a: g.call("cosh", (a,)), "sinh"),
    "cosh": _unary(math.cosh, lambda g, w, a: g.call("sinh", (a,)), "cosh"),
    "tanh": _unary(math.tanh, lambda g, w, a: g.sub(g.one, _square(g, w)), "tanh"),
    "asinh": _unary(math.asinh, lambda g, w, a: _inverse(g, g.call("sqrt", (g.add([_square(g, a), g.one]),))), "asinh"),
    "acosh": _unary(math.acosh, lambda g, w, a: _inverse(g, g.call("sqrt", (g.sub(_square(g, a), g.one),))), "acosh"),
    "atanh": _unary(math.atanh, lambda g, w, a: _inverse(g, g.sub(g.one, _square(g, a))), "atanh"),
    "erf": _unary(
        math.erf,
        lambda g, w, a: g.mul(_gauss(g), g.call("exp", (g.neg(_square(g, a)),))),
        "erf",
    ),
    "abs": _unary(abs, lambda g, w, a: g.call("sign", (a,)), "abs", symbol="", python="abs({0})", sympy="Abs"),
    "sign": Function(1, sign, _zero, "(1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else {0})", "sign"),
    "heaviside": Function(1, heaviside, _zero, "(1.0 if {0} > 0.0 else 0.0 if {0} < 0.0 else {0} + 0.5)", "Heaviside"),
    "floor": Function(1, lambda x: float(math.floor(x)), _zero, "float(math.floor({0}))", "floor", "floor"),
    "ceil": Function(1, None, None, "", "ceiling"),  # the reader writes it, and `mod`, with `floor`
    "mod": Function(2, None, None, "", "Mod"),
    "min": Function(2, min, None, "min({0}, {1})", "Min"),
    "max": Function(2, max, None, "max({0}, {1})", "Max"),
    "atan2": Function(2, math.atan2, _atan2, "math.atan2({0}, {1})", "atan2", "atan2"),
    "besselj": Function(2, None, _besselj, "jn({0}, {1})", "besselj"),
    "rncrn_s": Function(
        3,
        rncrn_s,
        _rncrn_s,
        "",
        "rncrn_s",
        lower=_lower_rncrn_s,
        with_slope=lambda g, args: _inverse(g, _discriminant_root(g, args)),
    ),
}
"""Every function, by the name a formula uses."""
INNER: dict[str, Function] = {"expmean": Function(2, None, _expmean, "", "")}
"""Functions that no formula uses: `expmean(n, x)`, the integral of t^n exp(t x) over t from 0 to 1.

(exp(a) - exp(b)) / (a - b) = exp(b) expmean(0, a - b), where a = b too.
"""
CALL = "call:"
"""What the operation of a call begins with."""


def lowered(g: Graph, node: int) -> int | None:
    """Return what a node is compiled as instead, in elementary operations; None for itself."""
    lower = FUNCTIONS[g.op[node].removeprefix(CALL)].lower if g.op[node].startswith(CALL) else None
    return None if lower is None else lower(g, g.args[node])


ALIASES = {
    "ln": "log",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
}
"""Other spellings."""

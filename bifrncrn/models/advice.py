"""What to do instead of the commonest mistakes in formulas and values."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![eE]\d)"
_UNIT = re.compile(rf"\s*({_NUMBER})(?!\s*pi\b)(\s*[^\W\d_][^()*]*|\s*[%µ°].*|\s+/.*[^\W\d].*)", re.DOTALL)

TIME = ("t", "time")
AUTONOMOUS = (
    "if time is meant: the models analysed here are autonomous, their right-hand sides do not depend on time; "
    "replace it by a parameter, or a forcing by an oscillator of two more variables; a periodic forcing may hold t "
    "where the option period gives its period"
)
NO_DELAY = "equations with a delay are not read, only ordinary differential equations"
EULER = dict.fromkeys(("e", "E"), "; write exp(x) for powers of e")
HINTS = {
    **dict.fromkeys(("delay", "delayed", "lag"), f": {NO_DELAY}"),
    **dict.fromkeys(("where", "ifelse", "ite", "cond", "Piecewise"), "; write if(condition, a, b) or piecewise(...)"),
    **dict.fromkeys(("step", "H", "heav", "Heaviside", "theta"), "; write heaviside(x), or piecewise(1, x >= 0, 0)"),
    **dict.fromkeys(("hill", "Hill"), "; write x^n/(K^n + x^n)"),
    **dict.fromkeys(("pow", "power"), "; write a^b"),
    **EULER,
    "diff": "; an equation gives the derivative itself, its right-hand side holds none",
}

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
TABLES = {
    **dict.fromkeys(("states", "state", "species", "vars", "initial", "init", "start"), "variables"),
    **dict.fromkeys(("constants", "rates", "pars"), "parameters"),
    **dict.fromkeys(("odes", "ode", "model", "dynamics", "system", "rhs"), "equations"),
    **dict.fromkeys(("functions", "expressions", "algebraic"), "definitions"),
}
"""What people call the tables of a model file."""
CHOICE = "a choice is written if(condition, a, b) or piecewise(a, condition, b), not a if condition else b"


def bad_character(character: str) -> str:
    """Say that a character has no meaning in a formula, and what is written instead."""
    hints = {
        "=": "; an equation is written without '=', only its right-hand side, and a condition with ==",
        "[": "; there is no indexing, give every quantity a name",
        ".": "; there are no attributes, only numbers, names, operators and functions: write exp(x), not np.exp(x); "
        "format a numpy number as float(x)",
        "'": "; there are no texts in an expression",
        '"': "; there are no texts in an expression",
        "{": "; use round parentheses",
        "&": "; join conditions by the word and",
        "|": "; join conditions by the word or, and write abs(x) for an absolute value",
        "!": "; write not, or != for unequal",
        "?": "; write if(condition, a, b)",
        "%": "; write mod(a, b) for a remainder",
        **dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}", "; write -"),
        **dict.fromkeys("\N{MIDDLE DOT}\N{DOT OPERATOR}\N{MULTIPLICATION SIGN}\N{BULLET OPERATOR}", "; write *"),
        "\N{DIVISION SIGN}": "; write /",
        "\N{SQUARE ROOT}": "; write sqrt(x)",
        "\N{LESS-THAN OR EQUAL TO}": "; write <=",
        "\N{GREATER-THAN OR EQUAL TO}": "; write >=",
    }
    return f"character {character!r} has no meaning here{hints.get(character, '')}"


def raised(word: str) -> str:
    """Return how a power is written where a word holds a raised digit; empty where it holds none."""
    digit = next((character for character in word if character in _RAISED), "")
    return f"; write ^{unicodedata.digit(digit)} for the power {digit}" if digit else ""


def without_unit(value: str) -> str:
    """Return what to do about a number with a unit behind it; empty where a text is none."""
    found = _UNIT.fullmatch(value)
    if not found:
        return ""
    return f"a value is a number without a unit: write {found[1]}, and '{found[2].strip()[:40]}' in a comment"

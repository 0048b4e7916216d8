"""A system as an XPPAUT file."""

from __future__ import annotations

from bifrncrn.base.errors import InputError
from bifrncrn.models.equations import build_graph
from bifrncrn.models.forcing import refuse
from bifrncrn.models.formulas_out import Assignments, Dialect, short_names
from bifrncrn.models.system import System
from bifrncrn.models.transitions import notes_out
from bifrncrn.models.xppaut.formula import RESERVED

LONGEST_NAME = 9
"""XPPAUT knows names of up to ten characters."""


def _number(value: float) -> str:
    text = repr(value)
    return text.removesuffix(".0") if "e" not in text else text


_PLAIN = (
    *("exp", "log10", "sin", "cos", "tan", "asin", "acos", "atan"),
    *("sinh", "cosh", "tanh", "erf", "sqrt", "abs", "sign"),
)
XPPAUT = Dialect(
    number=_number,
    power="^",
    calls={
        **{name: name + "({0})" for name in _PLAIN},
        "log": "ln({0})",
        "log2": "(ln({0})/ln(2))",
        "log1p": "ln(1+{0})",
        "expm1": "(exp({0})-1)",
        "cbrt": "(sign({0})*(abs({0})^(1/3)))",
        "asinh": "(sign({0})*ln(abs({0})+sqrt({0}*{0}+1)))",
        "acosh": "ln({0}+sqrt({0}*{0}-1))",
        "atanh": "(0.5*ln((1+{0})/(1-{0})))",
        "heaviside": "(0.5*(1+sign({0})))",
        "floor": "flr({0})",
        "min": "min({0},{1})",
        "max": "max({0},{1})",
        "atan2": "atan2({0},{1})",
        "besselj": "besselj({0},{1})",
    },
    choice="if({0}>=0)then({1})else({2})",
    name="XPPAUT",
)


def dumps(system: System) -> str:
    """Return the text of an XPPAUT file with the same right-hand sides, parameters and start.

    Definitions become fixed quantities. Names that XPPAUT would not know are changed, and a comment says so.

    Raises
    ------
    InputError
        If the system is a Python function, or uses a function that XPPAUT lacks.
    """
    if not system.has_formulas:
        raise InputError("a Python function has no equations to write into an XPPAUT file")
    if system.period:
        raise refuse(system)
    g, roots, nodes = build_graph(system.variables, system.parameters, system.equations, system.definitions)
    names = short_names([*system.variables, *system.parameters, *system.definitions], LONGEST_NAME, {*RESERVED, "t"})
    labels = {g.node("var", i): names[name] for i, name in enumerate(system.variables)}
    labels |= {g.node("par", i): names[name] for i, name in enumerate(system.parameters)}
    labels |= {node: names[name] for name, node in nodes.items() if node not in labels and g.operands(node)}
    taken = {name.lower() for name in names.values()}

    def temporary(k: int) -> str:
        name = f"q_{k}"
        while name in taken:
            name += "_"
        return name

    printed = Assignments(g, roots, labels, temporary, XPPAUT)
    lines = [f"# {' '.join((system.title or 'a model').split())}".replace("\\", "/")]
    lines += [f"# {' '.join(note.split())}".replace("\\", "/") for note in notes_out(system)]
    lines += [f"# {short} is {name}".replace("\\", "/") for name, short in names.items() if short != name]
    lines += [f"par {names[n]}={float(v)!r}" for n, v in zip(system.parameters, system.values, strict=True)]
    lines += [f"{name}={text}" for name, text in printed.lines]
    lines += [f"{names[n]}'={text}" for n, text in zip(system.variables, printed.outputs, strict=True)]
    lines += [f"init {names[n]}={float(v)!r}" for n, v in zip(system.variables, system.state, strict=True)]
    return "\n".join([*lines, "done", ""])

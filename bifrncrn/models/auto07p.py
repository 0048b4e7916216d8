"""A system for AUTO-07p: its equations in Fortran, and a file of constants to follow its equilibria there."""

from __future__ import annotations

from bifrncrn.base.errors import InputError
from bifrncrn.models.equations import build_graph
from bifrncrn.models.forcing import refuse
from bifrncrn.models.formulas_out import Assignments, Dialect, short_names
from bifrncrn.models.system import System
from bifrncrn.models.transitions import notes_out

MAX_PARAMETERS = 36
"""AUTO keeps numbers 11 to 36 of its parameters for itself (11 is the period): parameters leave them out."""
OWN = range(11, MAX_PARAMETERS + 1)
_LINE = 100


def _number(value: float) -> str:
    text = repr(float(value))
    return text.replace("e", "d") if "e" in text else text + "d0"


_PLAIN = (
    *("exp", "log", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh"),
    *("tanh", "asinh", "acosh", "atanh", "erf", "sqrt", "abs"),
)
FORTRAN = Dialect(
    number=_number,
    power="**",
    calls={
        **{name: name + "({0})" for name in _PLAIN},
        "log2": "(log({0})/log(2d0))",
        "log1p": "log(1d0+{0})",
        "expm1": "(exp({0})-1d0)",
        "cbrt": "sign(abs({0})**(1d0/3d0), {0})",
        "sign": "merge(0d0, sign(1d0, {0}), {0}==0d0)",
        "heaviside": "merge(0.5d0, merge(1d0, 0d0, {0}>0d0), {0}==0d0)",
        "floor": "real(floor({0}, 8), 8)",
        "min": "min({0}, {1})",
        "max": "max({0}, {1})",
        "atan2": "atan2({0}, {1})",
        "besselj": "bessel_jn({0}, {1})",
    },
    choice="merge({1}, {2}, {0}>=0d0)",
    name="AUTO-07p",
)


def numbers(system: System) -> dict[str, int]:
    """Return the number of every parameter in AUTO, from 1, those that AUTO keeps for itself left out."""
    free = [k for k in range(1, len(system.parameters) + len(OWN) + 1) if k not in OWN]
    return dict(zip(system.parameters, free, strict=False))


def fortran(system: System) -> str:
    """Return the equations as AUTO-07p's file of Fortran (FUNC and STPNT; the other routines do nothing).

    Raises
    ------
    InputError
        If the system is a Python function, or uses a function that Fortran lacks.
    """
    if not system.has_formulas:
        raise InputError("a Python function has no equations to write into a Fortran file for AUTO")
    if system.period:
        raise refuse(system)
    g, roots, nodes = build_graph(system.variables, system.parameters, system.equations, system.definitions)
    place = numbers(system)
    labels = {g.node("var", i): f"U({i + 1})" for i in range(len(system.variables))}
    labels |= {g.node("par", i): f"PAR({place[name]})" for i, name in enumerate(system.parameters)}
    names = short_names([*system.definitions], 30, {"ndim", "u", "icp", "par", "ijac", "f", "dfdu", "dfdp", "t"})
    own = {node: "d_" + names[name] for name, node in nodes.items() if node not in labels and g.operands(node)}
    printed = Assignments(g, roots, {**labels, **own}, lambda k: f"t{k}", FORTRAN)
    declared = [f"    DOUBLE PRECISION {name}" for name in dict.fromkeys(name for name, _ in printed.lines)]
    body = [_folded(f"{name} = {text}") for name, text in printed.lines]
    body += [_folded(f"F({i + 1}) = {text}") for i, text in enumerate(printed.outputs)]
    start = [
        f"    U({i + 1}) = {_signed(v)}  ! {n}"
        for i, (n, v) in enumerate(zip(system.variables, system.state, strict=True))
    ]
    start += [
        f"    PAR({place[n]}) = {_signed(v)}  ! {n}" for n, v in zip(system.parameters, system.values, strict=True)
    ]
    comments = [system.title or "a model", *notes_out(system)]
    head = "\n".join(f"! {' '.join(text.split())}" for text in comments)
    return _TEMPLATE.format(head=head, declared="\n".join(declared), body="\n".join(body), start="\n".join(start))


def constants(system: System) -> str:
    """Return AUTO-07p's file of constants: equilibria in the first parameter; change ICP, RL0, RL1 and DS as needed."""
    place = numbers(system)
    states = ", ".join(f"{i + 1}: '{name}'" for i, name in enumerate(system.variables))
    parameters = ", ".join(f"{k}: '{name}'" for name, k in place.items())
    size = max(1e-3, abs(float(system.values[0]))) if len(system.values) else 1.0
    return f"""unames = {{{states}}}
parnames = {{{parameters}}}
NDIM = {len(system.variables)}, IPS = 1, IRS = 0, ILP = 1
ICP = [1]
NTST = 50, NCOL = 4, IAD = 3, ISP = 2, ISW = 1, IPLT = 0, NBC = 0, NINT = 0
NMX = 1000, NPR = 1000, MXBF = 10, IID = 2, ITMX = 9, ITNW = 7, NWTN = 3, JAC = 0
EPSL = 1e-08, EPSU = 1e-08, EPSS = 1e-06
DS = {0.01 * size!r}, DSMIN = {1e-6 * size!r}, DSMAX = {0.1 * size!r}, IADS = 1
NPAR = {max(MAX_PARAMETERS, *place.values(), 0)}, THL = {{11: 0.0}}, THU = {{}}
"""


def _signed(value: float) -> str:
    return _number(value) if value >= 0.0 else "-" + _number(-value)


def _folded(text: str) -> str:
    """Return a statement in lines short enough for Fortran."""
    lines = []
    while len(text) > _LINE:
        cut = max(text.rfind(mark, 1, _LINE) for mark in "+*-/,") + 1 or _LINE
        lines.append(text[:cut] + "&")
        text = "&" + text[cut:]
    return "\n".join("    " + line for line in [*lines, text])


_TEMPLATE = """{head}
SUBROUTINE FUNC(NDIM,U,ICP,PAR,IJAC,F,DFDU,DFDP)
    IMPLICIT NONE
    INTEGER, INTENT(IN) :: NDIM, ICP(*), IJAC
    DOUBLE PRECISION, INTENT(IN) :: U(NDIM), PAR(*)
    DOUBLE PRECISION, INTENT(OUT) :: F(NDIM)
    DOUBLE PRECISION, INTENT(INOUT) :: DFDU(NDIM,NDIM), DFDP(NDIM,*)
{declared}
{body}
END SUBROUTINE FUNC

SUBROUTINE STPNT(NDIM,U,PAR,T)
    IMPLICIT NONE
    INTEGER, INTENT(IN) :: NDIM
    DOUBLE PRECISION, INTENT(INOUT) :: U(NDIM), PAR(*)
    DOUBLE PRECISION, INTENT(IN) :: T
{start}
END SUBROUTINE STPNT

SUBROUTINE BCND
END SUBROUTINE BCND

SUBROUTINE ICND
END SUBROUTINE ICND

SUBROUTINE FOPT
END SUBROUTINE FOPT

SUBROUTINE PVLS
END SUBROUTINE PVLS
"""

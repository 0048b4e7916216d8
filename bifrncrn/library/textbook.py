"""Textbook systems with the special points they are known to have, in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from bifrncrn.models.system import System


@dataclass(frozen=True)
class Known:
    """A known special point of a textbook system: its label, parameter, state and, where closed, coefficients."""

    label: str
    parameter: float
    state: tuple[float, ...]
    omega: float | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """A system, the range of a parameter, and every special point on the branch through its start.

    Attributes
    ----------
    name : str
    system : System
        Its start state is an equilibrium at its parameter values.
    parameter : str
    bounds : (low, high)
    known : tuple of Known
        All special points of the branches connected to the start inside the bounds; empty means there is none.
    source : str
    """

    name: str
    system: System
    parameter: str
    bounds: tuple[float, float]
    known: tuple[Known, ...]
    source: str


def cubic_fold() -> Problem:
    """Return lam + x - x^3, folds at lam = -+2/(3 sqrt 3)."""
    lam, x = 2 / (3 * math.sqrt(3)), 1 / math.sqrt(3)
    system = System.from_equations({"x": "lam + x - x^3"}, {"lam": 0.0}, {"x": -1.0}, title="cubic with two folds")
    return Problem(
        "cubic_fold", system, "lam", (-1, 1), (Known("LP", lam, (-x,)), Known("LP", -lam, (x,))), "closed form"
    )


def pitchfork() -> Problem:
    """Return lam x - x^3, a branch point at 0."""
    system = System.from_equations({"x": "lam*x - x^3"}, {"lam": -1.0}, {"x": 0.0}, title="pitchfork normal form")
    return Problem("pitchfork", system, "lam", (-1, 1), (Known("BP", 0.0, (0.0,)),), "closed form")


def transcritical() -> Problem:
    """Return lam x - x^2, a branch point at 0."""
    system = System.from_equations({"x": "lam*x - x^2"}, {"lam": -1.0}, {"x": 0.0}, title="transcritical normal form")
    return Problem("transcritical", system, "lam", (-1, 1), (Known("BP", 0.0, (0.0,)),), "closed form")


def hopf_normal_form() -> Problem:
    """Return the Hopf normal form with frequency 1, HB at 0."""
    equations = {"x": "lam*x - y - x*(x^2 + y^2)", "y": "x + lam*y - y*(x^2 + y^2)"}
    system = System.from_equations(equations, {"lam": -1.0}, {"x": 0.0, "y": 0.0}, title="Hopf normal form")
    return Problem("hopf_normal_form", system, "lam", (-1, 1), (Known("HB", 0.0, (0.0, 0.0), 1.0),), "closed form")


def bogdanov_takens() -> Problem:
    """Return the Bogdanov-Takens normal form x' = y, y' = b1 + b2 x + x^2 - x y at b2 = -1.

    Fold at b1 = b2^2/4, x = -b2/2; Hopf at b1 = 0, x = 0 (Kuznetsov, Elements of Applied Bifurcation Theory, 8.4).
    """
    equations = {"x": "y", "y": "b1 + b2*x + x^2 - x*y"}
    start = {"x": 0.5 - math.sqrt(0.75), "y": 0.0}
    system = System.from_equations(equations, {"b1": -0.5, "b2": -1.0}, start, title="Bogdanov-Takens normal form")
    known = (Known("HB", 0.0, (0.0, 0.0), 1.0), Known("LP", 0.25, (0.5, 0.0)))
    return Problem("bogdanov_takens", system, "b1", (-0.6, 0.5), known, "Kuznetsov, section 8.4")


def brusselator() -> Problem:
    """Return the Brusselator with A = 1, HB at B = 1 + A^2 with frequency A."""
    equations = {"x": "A - (B + 1)*x + x^2*y", "y": "B*x - x^2*y"}
    system = System.from_equations(
        equations, {"A": 1.0, "B": 1.0}, {"x": 1.0, "y": 1.0}, nonnegative=True, title="Brusselator"
    )
    return Problem(
        "brusselator", system, "B", (0.5, 3), (Known("HB", 2.0, (1.0, 2.0), 1.0),), "closed form: B = 1 + A^2"
    )


def schnakenberg() -> Problem:
    """Return the Schnakenberg system with a = 0.1; HB where b - a = (a + b)^3."""
    # trace = (b - a)/(a + b) - (a + b)^2 vanishes; with w = a + b this is w^3 - w + 2 a = 0
    a = 0.1
    angle = math.acos(-3 * math.sqrt(3) * a) / 3
    known = tuple(
        Known("HB", w - a, (w, (w - a) / w**2), w)
        for w in (2 / math.sqrt(3) * math.cos(angle - 2 * math.pi * k / 3) for k in (1, 0))
    )
    system = System.from_equations(
        {"u": "a - u + u^2*v", "v": "b - u^2*v"},
        {"a": a, "b": 0.05},
        {"u": 0.15, "v": 0.05 / 0.15**2},
        nonnegative=True,
        title="Schnakenberg",
    )
    return Problem("schnakenberg", system, "b", (0.02, 1.5), known, "closed form: b - a = (a + b)^3")


def schlogl() -> Problem:
    """Return the Schloegl model -x^3 + 6x^2 - 11x + b, folds at x = 2 -+ 1/sqrt 3."""
    x = tuple(2 + sign / math.sqrt(3) for sign in (-1, 1))
    known = tuple(Known("LP", v**3 - 6 * v**2 + 11 * v, (v,)) for v in x)
    system = System.from_equations(
        {"x": "-x^3 + 6*x^2 - c*x + b"}, {"b": 0.0, "c": 11.0}, {"x": 0.0}, nonnegative=True, title="Schloegl"
    )
    return Problem("schlogl", system, "b", (0, 10), known, "closed form: db/dx = 3x^2 - 12x + 11 = 0")


def lorenz() -> Problem:
    """Return the Lorenz system, BP at rho = 1, HB at sigma (sigma + beta + 3)/(sigma - beta - 1) on both sides."""
    sigma, beta = 10.0, 8 / 3
    rho = sigma * (sigma + beta + 3) / (sigma - beta - 1)
    x = math.sqrt(beta * (rho - 1))
    omega = math.sqrt(beta * (rho + sigma))
    equations = {"x": "sigma*(y - x)", "y": "rho*x - y - x*z", "z": "x*y - beta*z"}
    values: dict[str, float | str] = {"rho": 0.0, "sigma": 10.0, "beta": "8/3"}
    system = System.from_equations(equations, values, {"x": 0.0, "y": 0.0, "z": 0.0}, title="Lorenz")
    hopf = tuple(Known("HB", rho, (s * x, s * x, rho - 1), omega) for s in (1, -1))
    return Problem(
        "lorenz", system, "rho", (0, 30), (Known("BP", 1.0, (0.0, 0.0, 0.0)), *hopf), "Lorenz 1963, Sparrow 1982"
    )


def bratu2() -> Problem:
    """Return the two-cell Bratu problem: fold at 1/e, branch points at x = 1 and at x = 3 on the symmetric branch."""
    equations = {"x": "y - 2*x + a*exp(x)", "y": "x - 2*y + a*exp(y)"}
    system = System.from_equations(equations, {"a": 0.0}, {"x": 0.0, "y": 0.0}, title="two-cell Bratu")
    # symmetric branch a = x exp(-x): symmetric eigenvalue x - 1, antisymmetric x - 3
    known = (Known("LP", math.exp(-1), (1.0, 1.0)), Known("BP", 3 * math.exp(-3), (3.0, 3.0)))
    return Problem("bratu2", system, "a", (0, 0.5), known, "closed form")


def ab_reaction() -> Problem:
    """Return the A -> B reaction in a stirred tank, B = 14, beta = 2 (Uppal, Ray and Poore 1974): two LP and one HB.

    On the branch u2 = r u1 with r = B/(1 + beta) and D = u1 exp(-r u1)/(1 - u1). At the folds u1 (1 - u1) = 1/r, at the
    Hopf point the trace B u1 - (1 + beta) - 1/(1 - u1) vanishes (its other root is a neutral saddle).
    """
    b, beta = 14.0, 2.0
    equations = {"u1": "-u1 + D*(1 - u1)*exp(u2)", "u2": "-u2 + B*D*(1 - u1)*exp(u2) - beta*u2"}
    system = System.from_equations(
        equations,
        {"D": 0.0, "B": b, "beta": beta},
        {"u1": 0.0, "u2": 0.0},
        nonnegative=True,
        title="A -> B reaction in a stirred tank",
    )
    ratio = b / (1 + beta)

    def at(u1: float) -> tuple[float, tuple[float, ...]]:
        return u1 * math.exp(-ratio * u1) / (1 - u1), (u1, ratio * u1)

    # u1 (1 - u1) = 1/ratio
    folds = tuple(Known("LP", *at((1 + sign * math.sqrt(1 - 4 / ratio)) / 2)) for sign in (-1, 1))
    # trace: -1/(1 - u1) + B u1 - (1 + beta) = 0, so B u1^2 - (B + 1 + beta) u1 + 2 + beta = 0
    p = b + 1 + beta
    u1 = (p + math.sqrt(p * p - 4 * b * (2 + beta))) / (2 * b)
    determinant = (1 + beta) / (1 - u1) - b * u1
    known = (*folds, Known("HB", *at(u1), math.sqrt(determinant)))
    return Problem("ab_reaction", system, "D", (0, 0.4), known, "Uppal, Ray and Poore 1974; closed form")


TEXTBOOK: dict[str, Callable[[], Problem]] = {
    maker.__name__: maker
    for maker in (
        cubic_fold,
        pitchfork,
        transcritical,
        hopf_normal_form,
        bogdanov_takens,
        brusselator,
        schnakenberg,
        schlogl,
        lorenz,
        bratu2,
        ab_reaction,
    )
}

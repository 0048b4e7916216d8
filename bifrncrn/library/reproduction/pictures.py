"""The panels of the problems' figures, from plain numpy fields."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.library.reproduction.independent import Plain, equilibria
from bifrncrn.plots.panels import BLUE, GREY, RED, Line, Panel

GRID = 30
Box = tuple[tuple[float, float], ...]


def plane(title: str, plain: Plain, lam: Array, box: Box, lines: tuple[Line, ...], margin: float = 0.0) -> Panel:
    """Return a phase plane of the reduced network: stream lines, equilibria, and the lines given."""
    sides = [np.linspace(low - margin * (high - low), high + margin * (high - low), GRID) for low, high in box]
    x, y = np.meshgrid(*sides)
    places = np.column_stack([x.ravel(), y.ravel()])
    u, v = plain.reduced_many(places, np.tile(lam, (len(places), 1))).T.reshape(2, GRID, GRID)
    limits = tuple((float(side[0]), float(side[-1])) for side in sides)
    return Panel(
        title,
        "x1",
        "x2",
        (*lines, *rest_points(plain, lam, box)),
        (sides[0], sides[1], u, v),
        limits=limits,
        equal=True,
    )


def rest_points(plain: Plain, lam: Array, box: Box) -> tuple[Line, ...]:
    """Return the equilibria as points, hollow where they are unstable."""
    out = []
    for x in equilibria(plain, lam, box):
        form = "o" if plain.stable(x, lam) else "s"
        out.append(Line(x[:1], x[1:2], colour=BLUE, form=form, width=1.0 if form == "o" else 0.0))
    return tuple(out)


def ring(points: Array, label: str, colour: str = BLUE, axes: tuple[int, int] = (0, 1)) -> Line:
    """Return a closed curve; the target's is broad and grey."""
    closed = np.vstack([points, points[:1]])
    return Line(closed[:, axes[0]], closed[:, axes[1]], label, colour, "-", 4.0 if colour == GREY else 1.4)


def fields(title: str, plain: Plain, lam: Array, side: tuple[float, float], wanted: Callable[[Array], Array]) -> Panel:
    """Return a field of one species over its range, the wanted one and the learned."""
    x = np.linspace(*side, 300)
    learned = plain.reduced_many(x[:, None], np.tile(lam, (len(x), 1)))[:, 0]
    rest = [float(e[0]) for e in equilibria(plain, lam, (side,))]
    stable = np.array([e for e in rest if plain.stable(np.array([e]), lam)])
    other = np.array([e for e in rest if e not in stable])
    lines = (
        Line(x, wanted(x), "target", GREY, "-", 4.0),
        Line(x, learned, "learned"),
        Line(x, np.zeros_like(x), colour="#000000", width=0.6),
        Line(stable, np.zeros_like(stable), colour=BLUE, form="o"),
        Line(other, np.zeros_like(other), colour=BLUE, form="o", width=0.0),
    )
    top = 1.3 * np.abs(wanted(x)).max()
    return Panel(title, "x", "dx/dt", lines, limits=(side, (-top, top)))


def dots(x: Array, y: Array, label: str) -> Line:
    """Return points that a check found."""
    return Line(np.asarray(x), np.asarray(y), label, RED, "o")

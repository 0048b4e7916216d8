"""The pieces of a piecewise linear map: affine on each side of its borders."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.compile.derivatives import jacobian
from bifrncrn.compile.model import NativeModel
from bifrncrn.models.borders import Borders, borders_of
from bifrncrn.models.system import System


@dataclass(frozen=True, eq=False)
class Pieces:
    """A piecewise linear map, piece by piece. A piece is told by the sides of all borders, each 1 or -1.

    Attributes
    ----------
    system : System
    borders : Borders or None
        None for a map that is linear everywhere.
    """

    system: System
    borders: Borders | None

    @functools.cached_property
    def nested(self) -> bool:
        """Whether what decides on some border depends on the sides of others."""
        if self.borders is None:
            return False
        g, nodes = self.borders.held_deciding.graph
        first = len(self.system.parameters)
        return any(g.op[node] == "par" and g.args[node][0] >= first for node in g.reachable(nodes))

    @property
    def count(self) -> int:
        """The number of borders."""
        return 0 if self.borders is None else len(self.borders)

    def affine(self, sides: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return M (n, n) and b (n,) of the map x -> M x + b on these sides."""
        system = self.system if self.borders is None else self.borders.held
        values = self._values(sides)
        zero = np.zeros(len(system.variables))
        return system.jacobian(zero, values), system.rhs(zero, values)

    def border(self, which: int, sides: tuple[int, ...]) -> tuple[np.ndarray, float]:
        """Return g (n,) and c of what decides on a border, g x + c; it may depend on the sides of those before it."""
        assert self.borders is not None
        n = len(self.system.variables)
        values = self._values((*sides, *[1] * (self.count - len(sides))))
        function, out = self.borders.held_deciding.function("f"), np.empty(self.count)
        found = []
        for x in (np.zeros(n), *np.eye(n)):
            function(x.ctypes.data, values.ctypes.data, out.ctypes.data)
            found.append(float(out[which]))
        return np.array(found[1:]) - found[0], found[0]

    def sides(self, x: np.ndarray) -> tuple[int, ...]:
        """Return the sides that a state is on."""
        if self.borders is None:
            return ()
        return tuple(self.borders.at(x).astype(int).tolist())

    def _values(self, sides: tuple[int, ...]) -> np.ndarray:
        return np.concatenate([self.system.values, np.array(sides, float), np.ones(self.count)])


def pieces_of(system: System) -> Pieces:
    """Return the pieces of a piecewise linear map.

    Raises
    ------
    InputError
        If it is none: names the equation.
    """
    borders = borders_of(system)
    if borders is not None and borders.whole.any():
        raise InputError("the map takes whole parts (floor, mod), so it has infinitely many pieces; use min and max")
    held = system if borders is None else borders.held
    _check_linear(held.native, system.variables, "the equation of {}")
    if borders is not None:
        texts = tuple(f"{k + 1}" for k in range(len(borders)))
        _check_linear(borders.held_deciding, texts, "what decides on border {}")
    return Pieces(system, borders)


def _check_linear(native: NativeModel, names: tuple[str, ...], what: str) -> None:
    g, roots = native.graph
    for name, row in zip(names, jacobian(g, roots), strict=True):
        if any(g.op[node] == "var" for node in g.reachable([*row.values()])):
            raise InputError(
                f"{what.format(name)} is not linear between the borders of the map, so its cycles cannot be "
                "enumerated; diagram follows those that a start leads to"
            )

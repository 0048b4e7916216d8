"""A kind of curve as a class: its equations and test functions, and nothing of how it is followed."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.callbacks import NOT_FINITE, SINGULAR, Callbacks
from bifrncrn.continuation.curve import Curve

NEWTONS = 20
"""Steps in which a start is corrected."""
CORRECTED = 1e-12
"""A start is on the curve when a Newton step moves it by less than this, in units of its size."""


class CurveKind:
    """N equations in N + 1 unknowns, the last of which is the parameter: what a kind of curve has to say.

    To make one:

    1. Choose the unknowns and say their names in `unknowns`, the parameter last; the kind's name in `kind`.
    2. Write `equations`. This is all that must be there.
    3. Where turns of the parameter mean something, give them a label: `turn`; and `crossing`, where the sign of the
       determinant changes.
    4. For other special points write test functions that change their sign there, `tests`, and give their labels in
       the same order in `labels`.
    5. Where stability makes sense, say how many eigenvalues make a point unstable: `unstable`.

    `bifrncrn.follow` does the rest: predictor, corrector, step control, location of the special points, ends and their
    reasons. A kind for which Python is too slow gives compiled functions instead: it has a property `curve` of its own,
    as those of equilibria and loci have.
    """

    kind: str = "curve"
    unknowns: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    turn: str = ""
    crossing: str = ""

    def equations(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F, shape (N,), and its derivative by y, shape (N, N + 1)."""
        raise NotImplementedError

    def tests(self, y: np.ndarray, tangent: np.ndarray) -> np.ndarray:
        """Return the test functions, one for each of `labels`."""
        return np.empty(0)

    def unstable(self, y: np.ndarray) -> int:
        """Return how many eigenvalues or multipliers make the point unstable; -1 where that is not known."""
        return -1

    @property
    def events(self) -> Mapping[int, str]:
        """The labels of what the march sees by itself."""
        return {kind: label for kind, label in ((layout.FOLD, self.turn), (layout.BRANCH, self.crossing)) if label}

    @functools.cached_property
    def curve(self) -> Curve:
        """The curve for the march."""
        callbacks = _Dense(self, len(self.unknowns))
        return callbacks.curve(0, len(self.labels), self.events, self.labels, turns=bool(self.turn))

    def corrected(self, y: np.ndarray, unit: np.ndarray) -> np.ndarray | None:
        """Return a point on the curve near y by Newton's method, at y's parameter if there is one; None for none."""
        for free in (np.append(unit[:-1], 0.0), unit):
            found = self._newton(np.array(y, float), free)
            if found is not None:
                return found
        return None

    def _newton(self, y: np.ndarray, unit: np.ndarray) -> np.ndarray | None:
        """Take the shortest steps in units of length, those of length zero being held."""
        for _ in range(NEWTONS):
            value, matrix = (np.asarray(part, float) for part in self.equations(y))
            if not (np.all(np.isfinite(value)) and np.all(np.isfinite(matrix))):
                return None
            step = np.linalg.lstsq(matrix * unit, -value, rcond=None)[0]
            y = y + step * unit
            solved = np.all(np.abs(value) <= CORRECTED * (np.abs(matrix) @ (np.abs(y) + unit)))
            if solved and np.max(np.abs(step)) < CORRECTED:
                return y
        return None


class _Dense(Callbacks):
    """The functions of a kind with full matrices."""

    def __init__(self, kind: CurveKind, size: int) -> None:
        super().__init__(size)
        self.kind = kind
        self.matrix = np.eye(size)

    def newton(self, y: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, float] | int:
        value, derivative = self.kind.equations(y)
        self.matrix = np.vstack([derivative, row])
        rhs = np.append(-np.asarray(value, float), 0.0)
        if not (np.all(np.isfinite(rhs)) and np.all(np.isfinite(self.matrix))):
            return NOT_FINITE
        sign = float(np.linalg.slogdet(self.matrix)[0])
        return (np.linalg.solve(self.matrix, rhs), sign) if sign else SINGULAR

    def solved(self, rhs: np.ndarray) -> np.ndarray:
        return np.linalg.solve(self.matrix, rhs)

    def tests(self, y: np.ndarray, tangent: np.ndarray) -> np.ndarray:
        return np.asarray(self.kind.tests(y, tangent), float)

"""What the march knows of a curve."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bifrncrn.continuation import layout


def _no_check() -> None:
    """Compiled functions raise nothing."""


@dataclass(frozen=True)
class Curve:
    """N equations in N + 1 unknowns, behind addresses; the last unknown is the continuation parameter.

    Attributes
    ----------
    size : int
        The number of unknowns, N + 1.
    spectra : int
        The number of eigenvalues of a point.
    tests : int
        The number of user test functions.
    newton_step : int
        `int64 f(context, y, row, step, info)`: writes to step the solution of [F_y; row] step = [-F(y); 0], to info[0]
        the sign of the determinant; returns 0, 1 where F is not finite, 2 where the matrix is singular. On entry step
        holds the units of the unknowns.
    solve_again : int
        `int64 f(context, rhs)`: solves with the same matrix again, in place.
    spectrum : int
        `int64 f(context, reals, imags, 0)`: the eigenvalues at the same point by descending real part; 0 for none.
    user_tests : int
        `int64 f(context, y, tangent, values)`: the user tests; 0 for none.
    context : int
        Handed to every function.
    accept : int
        `int64 f(context, y)`: hears of every point that was accepted; 0 for none.
    turns : bool
        Whether a turn of the continuation parameter is an event.
    keep : tuple
        What must stay alive as long as the curve does.
    check : callable
        Called after a march: raises what the functions behind the addresses could not.
    parameters : array, optional
        The values of all parameters of the model. They may be overwritten between two marches.
    events : mapping of int to str
        The labels of what the march itself sees on it: turns of the parameter (`layout.FOLD`), changes of the sign of
        the determinant (`BRANCH`), pairs and single eigenvalues that cross the imaginary axis (`PAIR`, `REAL`).
    labels : tuple of str
        The labels of the zeros of its test functions; those of others are `UZ`.
    memory : dict
        What marches use again, by sizes. Curves of several threads may share it; for the context's sake, a curve
        belongs to one thread.
    """

    size: int
    spectra: int
    tests: int
    newton_step: int
    solve_again: int
    spectrum: int
    user_tests: int
    context: int
    keep: tuple[Any, ...]
    check: Callable[[], None] = _no_check
    parameters: np.ndarray | None = None
    accept: int = 0
    turns: bool = True
    events: Mapping[int, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    memory: dict[tuple[int, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def label(self, event: int) -> str:
        """Return the label of an event of a march: one of `events` (empty where it means nothing), or of a test."""
        which = event - layout.USER_EVENT
        if which < 0:
            return self.events.get(event, "")
        return self.labels[which] if which < len(self.labels) else "UZ"

"""Many steps of a trajectory in one call: the Python side of the compiled explicit method."""

from __future__ import annotations

import numpy as np

from bifrncrn.compile.engine import Kernels
from bifrncrn.models.field import Field
from bifrncrn.trajectories import explicit_layout as at

EXPLICIT = Kernels("trajectories", {"bifrncrn.trajectories.explicit_kernels": {"advance": 1}})
BEGIN = 1e-2
"""The first step changes the state by about this part of its size, where nothing else is asked for."""


class Explicit:
    """A trajectory followed by Dormand and Prince's method of order 5, until it is no method for it.

    Parameters
    ----------
    field : Field
    start : (n,) array
    t : float
        The time there.
    rtol : float
        The relative tolerance of a step.
    atol : (n,) array
        The absolute ones.
    limit, slack : float
        A state of size `limit` has escaped, and so has one that the field drives on further below a bound than `slack`
        absolute tolerances.
    first_step : float, optional
    """

    def __init__(
        self,
        field: Field,
        start: np.ndarray,
        t: float,
        rtol: float,
        atol: np.ndarray,
        limit: float,
        slack: float,
        first_step: float | None = None,
    ) -> None:
        n = field.n
        self.field = field
        self.state = np.array(start, dtype=float)
        self.values = field.values.copy()
        self.lower = np.array(field.lower, dtype=float)
        self.atol = np.array(atol, dtype=float)
        self._work = np.empty(at.WORK_VECTORS * n)
        self._clock = np.empty(at.CLOCK_SIZE)
        self._context = np.zeros(at.CONTEXT_SIZE, np.int64)
        self._clock[:] = t, first_step or self._first(rtol, atol), rtol, np.inf, limit, slack, at.LEAST_ERROR
        self._context[: at.TIMES] = (
            field.system.native.f, field.sign, n, _address(self.values), _address(self.state), _address(self._clock),
            _address(self.lower), _address(self.atol),
        )  # fmt: skip
        self._context[at.WORK] = _address(self._work)

    @property
    def t(self) -> float:
        """The time."""
        return float(self._clock[at.TIME])

    @property
    def step(self) -> float:
        """The length of the next step."""
        return float(self._clock[at.STEP])

    def _first(self, rtol: float, atol: np.ndarray) -> float:
        """Return a first step (Hairer, Norsett, Wanner, section II.4, the first guess)."""
        rates = self.field.rhs(0.0, self.state)
        size = atol + rtol * np.abs(self.state)
        with np.errstate(all="ignore"):
            far, fast = (float(np.sqrt(np.mean((v / size) ** 2))) for v in (self.state, rates))
        return BEGIN * far / fast if min(far, fast) > 1e-5 and max(far, fast) < np.inf else 1e-6

    def advance(self, steps: int, until: float = np.inf) -> tuple[int, np.ndarray, np.ndarray]:
        """Make steps; return how they ended (`explicit_layout`), and times (k,) and states (k, n) from here on."""
        times, trail = np.empty(steps + 1), np.empty((steps + 1, self.field.n))
        times[0], trail[0] = self._clock[at.TIME], self.state
        self._clock[at.UNTIL] = until
        self._context[at.TIMES], self._context[at.TRAIL] = _address(times), _address(trail)
        self._context[at.STEPS] = steps
        status = EXPLICIT.engine.call["advance"](_address(self._context))
        self.field.check()
        count = int(self._context[at.COUNT]) + 1
        return status, times[:count], trail[:count]


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address

"""Many steps of a trajectory in one call: the Python side of the compiled methods."""

from __future__ import annotations

import functools

import numpy as np

from bifrncrn.compile.engine import Kernels
from bifrncrn.models.field import Field
from bifrncrn.trajectories import steps_layout as at

STEPPING = Kernels(
    "trajectories",
    {
        "bifrncrn.trajectories.explicit_kernels": {"advance": 1},
        "bifrncrn.trajectories.rosenbrock_kernels": {"advance_stiff": 1},
    },
)
BEGIN = 1e-2
"""The first step changes the state by about this part of its size, where nothing else is asked for."""


class Stepper:
    """A trajectory followed by Dormand and Prince's method of order 5, until it is no method for it.

    Or, where it is stiff, by Rodas5P (see `rosenbrock_kernels`).

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
    stiff : bool
    longest : float
        The longest step.
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
        stiff: bool = False,
        longest: float = np.inf,
    ) -> None:
        n = field.n
        self.field = field
        self.state = np.array(start, dtype=float)
        self.values = field.values.copy()
        self.lower = np.array(field.lower, dtype=float)
        self.atol = np.array(atol, dtype=float)
        self._kernel = "advance_stiff" if stiff else "advance"
        room = at.IMPLICIT_VECTORS * n + at.IMPLICIT_MATRICES * n * n if stiff else at.WORK_VECTORS * n
        self._work = np.empty(room)
        self._still = np.zeros(self.values.size)
        self._clock = np.empty(at.CLOCK_SIZE)
        self._context = np.zeros(at.CONTEXT_SIZE, np.int64)
        self._clock[:] = t, first_step or self._first(rtol, atol), rtol, np.inf, limit, slack, at.LEAST_ERROR, longest
        self._context[: at.TIMES] = (
            field.system.native.f, field.sign, n, _address(self.values), _address(self.state), _address(self._clock),
            _address(self.lower), _address(self.atol),
        )  # fmt: skip
        self._context[at.WORK] = _address(self._work)
        if stiff:
            self._tableau = _rodas5p()
            self._context[at.LINEARIZE] = field.system.native.linearize
            self._context[at.STILL], self._context[at.TABLEAU] = _address(self._still), _address(self._tableau)

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
        """Make steps; return how they ended (`steps_layout`), and times (k,) and states (k, n) from here on."""
        times, trail = np.empty(steps + 1), np.empty((steps + 1, self.field.n))
        times[0], trail[0] = self._clock[at.TIME], self.state
        self._clock[at.UNTIL] = until
        self._context[at.TIMES], self._context[at.TRAIL] = _address(times), _address(trail)
        self._context[at.STEPS] = steps
        status = STEPPING.engine.call[self._kernel](_address(self._context))
        self.field.check()
        count = int(self._context[at.COUNT]) + 1
        return status, times[:count], trail[:count]


@functools.cache
def _rodas5p() -> np.ndarray:
    """Return the coefficients A, then C, (2, 8, 8), of Rodas5P (Steinebach 2023), for increments times 1/gamma."""
    a, c = np.zeros((2, at.STAGES, at.STAGES))
    a[1, :1] = 3.0
    a[2, :2] = 2.849394379747939, 0.45842242204463923
    a[3, :3] = -6.954028509809101, 2.489845061869568, -10.358996098473584
    a[4, :4] = 2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641
    a[5:, :5] = (
        -7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946,
    )  # fmt: skip
    a[6:, 5] = a[7, 6] = 1.0
    c[1, :1] = -14.155112264123755
    c[2, :2] = -17.97296035885952, -2.859693295451294
    c[3, :3] = 147.12150275711716, -1.41221402718213, 71.68940251302358
    c[4, :4] = 165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306
    c[5, :5] = 24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471
    c[6, :6] = (
        30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
        -28.087943162872662,
    )  # fmt: skip
    c[7, :7] = (
        37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
        -54.66780262877968, -9.48861652309627,
    )  # fmt: skip
    table = np.stack([a, c])
    table.setflags(write=False)
    return table


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address

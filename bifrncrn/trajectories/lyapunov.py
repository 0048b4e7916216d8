"""The largest Lyapunov exponent of a system."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.tables import Reported
from bifrncrn.models.field import Field
from bifrncrn.models.maps import is_map
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Values, check_positive, prepared
from bifrncrn.trajectories.iteration import growth, whole_steps

BLOCKS = 20
SAMPLES = 2000
CONFIDENCE = 2.09
"""Student's t for 19 degrees of freedom and 95 per cent."""


@dataclass(frozen=True, eq=False, repr=False)
class Exponent(Reported):
    """The largest Lyapunov exponent.

    Attributes
    ----------
    value : float
        Mean rate of growth of a small difference, per unit of time: positive on a chaotic attractor, 0 on a cycle or
        torus, negative at a stable equilibrium. Not a number when the trajectory escaped.
    error : float
        Half of the 95 per cent confidence interval, from the means over 20 equal spans of time.
    time : float
        The time averaged over.
    t, running : (k,) arrays
        The mean up to each time: whether it has settled can be seen.
    message : str
        Empty, or why there is no value.
    """

    value: float
    error: float
    time: float
    t: np.ndarray
    running: np.ndarray
    message: str = ""

    def __str__(self) -> str:
        if self.message:
            return f"no largest Lyapunov exponent: {self.message}"
        return f"largest Lyapunov exponent {self.value:.5g} +- {self.error:.2g} (95 %), averaged over {self.time:.6g}"


def largest_lyapunov(
    system: System,
    *,
    values: Values = None,
    state: Values = None,
    time: float = 1000.0,
    settle: float = 100.0,
    rtol: float = 1e-7,
    atol: float = 1e-9,
) -> Exponent:
    """Return the largest Lyapunov exponent on the attractor that a trajectory settles to; of a map, per step.

    Together with the state x a direction v of the linearised system is followed, v' = J v - (v.J v) v, which stays of
    length one; the exponent is the time average of v.J v (Benettin et al., Meccanica 15, 1980, 9, in the limit of
    renormalising without pause; Christiansen & Rugh, Nonlinearity 10, 1997, 1063). Of a map it is the mean logarithm of
    what each step does to the length of a direction; minus infinity where a step makes it zero.

    Parameters
    ----------
    system : System
    values, state : mapping or array, optional
        Parameter values and start state that differ from the system's own.
    time : float
        Time to average over, of a map a number of steps. The error falls with its square root.
    settle : float
        Time to pass before, for state and direction to settle.
    rtol, atol : float
        Tolerances of the integration (LSODA); a map needs none.

    Raises
    ------
    InputError
        If a name or number is not what it must be.

    Examples
    --------
    >>> cycle = System.from_equations({"x": "y", "y": "(1 - x^2)*y - x"}, state={"x": 2.0, "y": 0.0})
    >>> exponent = largest_lyapunov(cycle, time=200.0, settle=50.0)
    >>> abs(exponent.value) < 1e-2
    True
    """
    system = prepared(system, values, state)
    for name, number in (("time", time), ("settle", settle), ("rtol", rtol), ("atol", atol)):
        check_positive(name, number)
    if is_map(system):
        return _of_map(system, whole_steps("settle", settle), whole_steps("time", time))
    times = np.append(0.0, settle + np.linspace(0.0, time, SAMPLES + 1))
    grown = _follow(system, times, rtol, atol)
    grown = grown[1:] - grown[1]
    t = times[2:] - settle
    if not np.all(np.isfinite(grown)):
        message = "the trajectory escaped, or could not be followed, so there is no exponent"
        return Exponent(np.nan, np.nan, float(time), t, grown[1:] / t, message)
    means = np.diff(grown[:: SAMPLES // BLOCKS]) / (time / BLOCKS)
    error = CONFIDENCE * float(np.std(means, ddof=1)) / BLOCKS**0.5
    return Exponent(float(grown[-1] / time), error, float(time), t, grown[1:] / t)


def _of_map(system: System, settle: int, steps: int) -> Exponent:
    """Return the exponent of a map, its running means after every step."""
    t = np.arange(1.0, steps + 1.0)
    grown = growth(system, settle, steps)
    if grown is None:
        message = "the orbit escaped, so there is no exponent"
        return Exponent(np.nan, np.nan, float(steps), t, np.full(steps, np.nan), message)
    running = np.cumsum(grown) / t
    if not np.isfinite(running[-1]):
        return Exponent(-np.inf, 0.0, float(steps), t, running)
    means = np.array([part.mean() for part in np.array_split(grown, BLOCKS)]) if steps >= BLOCKS else grown
    error = CONFIDENCE * float(np.std(means, ddof=1)) / len(means) ** 0.5 if len(means) > 1 else np.nan
    return Exponent(float(running[-1]), error, float(steps), t, running)


def _follow(system: System, times: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Return the logarithm of the growth of a difference from times[0] to every time; nan after an escape."""
    from scipy.integrate import ODEintWarning, odeint

    field = Field(system)
    n = field.n
    out = np.empty(2 * n + 1)

    def slope(_time: float, y: np.ndarray) -> np.ndarray:
        f, matrix = field.both(y[:n])
        v = y[n : 2 * n]
        square = v @ v
        stretched = matrix @ v
        rate = v @ stretched / square
        out[:n], out[n : 2 * n], out[2 * n] = f, stretched - (rate + square - 1) * v, rate  # and |v| is drawn to 1
        return out

    direction = np.random.default_rng(0).normal(size=n)  # any but a special one
    start = np.concatenate([system.state, direction / np.linalg.norm(direction), [0.0]])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ODEintWarning)  # said by the message of the result
        y, said = odeint(slope, start, times, tfirst=True, rtol=rtol, atol=atol, mxstep=100_000, full_output=True)
    done = said["message"] == "Integration successful."
    return y[:, 2 * n] if done else np.full(times.size, np.nan)

"""All Lyapunov exponents of a system, and the dimension of Kaplan and Yorke."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import Reported, printable
from bifrncrn.models.field import Field
from bifrncrn.models.maps import is_map
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Values, check_positive, prepared
from bifrncrn.trajectories.iteration import stretching, whole_steps

FOLDED = 2.0
"""Directions are made orthogonal again before the fastest grows against the slowest by more than this power of e."""
LEAST_SPANS = 200
"""The time is divided in at least so many spans."""
ZERO = 1e-5
"""An exponent below this part of the largest is zero to the accuracy of the integration."""
BLOCKS = 16
"""Averages over so many parts of the time, ..."""
STUDENT = 2.13
"""... and Student's t for one fewer and 95 per cent."""
CORRELATED = 3
"""How many times the parts are joined in pairs to see whether they are independent: the error that is told is the
largest of those from all."""


@dataclass(frozen=True, eq=False, repr=False)
class LyapunovSpectrum(Reported):
    """All Lyapunov exponents.

    Attributes
    ----------
    exponents, errors : (n,) arrays
        By descending size, and half of the 95 per cent confidence intervals. NaN when the trajectory escaped.
    dimension, dimension_error : float
        The Kaplan-Yorke dimension, exponents that are zero to their error being taken as zero, and what the errors of
        the others make of it.
    divergence : float
        The mean divergence of the field, of a map the mean logarithm of what a step does to volumes: the sum of the
        exponents must be that, which is computed independently.
    defect : float
        By how much it is not, relative to the largest exponent: the error of the integration.
    time : float
        The time averaged over.
    message : str
        Empty, or why there are no exponents.
    """

    exponents: np.ndarray
    errors: np.ndarray
    dimension: float
    dimension_error: float
    divergence: float
    defect: float
    time: float
    message: str = ""

    def __str__(self) -> str:
        if self.message:
            return self.message
        lines = [
            f"exponent {k}: {value:.6g} +- {error:.2g}"
            for k, (value, error) in enumerate(zip(self.exponents.tolist(), self.errors.tolist()), 1)
        ]
        lines.append(f"Kaplan-Yorke dimension: {self.dimension:.5g} +- {self.dimension_error:.2g}")
        lines.append(f"averaged over a time of {self.time:g}; their sum is the mean divergence to {self.defect:.1g}")
        return printable("\n".join(lines))

    def __repr__(self) -> str:
        return f"<LyapunovSpectrum: {np.array2string(self.exponents, precision=5)}>"


def lyapunov_spectrum(
    system: System,
    *,
    values: Values = None,
    state: Values = None,
    time: float = 1000.0,
    settle: float = 100.0,
    rtol: float = 1e-9,
    atol: float = 1e-11,
) -> LyapunovSpectrum:
    """Return all Lyapunov exponents on the attractor that a trajectory settles to; of a map, per step.

    Together with the state as many directions as there are states are followed by the linearised equations, and made
    orthogonal again before they grow apart (Benettin et al., Meccanica 15, 1980, 9; Shimada & Nagashima, Prog. Theor.
    Phys. 61, 1979, 1605). The error is that of the mean over parts of the time, the largest that joining parts gives:
    correlations longer than a part would make it too small.

    Parameters
    ----------
    system : System
    values, state : mapping or array, optional
        Parameter values and start state that differ from the system's own.
    time : float
        Time to average over, of a map a number of steps. The errors fall with its square root.
    settle : float
        Time to pass before, for state and directions to settle.
    rtol, atol : float
        Tolerances of the integration (LSODA); a map needs none.

    Raises
    ------
    InputError
        If a name or number is not what it must be.

    Examples
    --------
    >>> linear = System.from_equations({"x": "-x", "y": "-3*y"}, state={"x": 1.0, "y": 1.0})
    >>> lyapunov_spectrum(linear, time=20.0, settle=20.0).exponents.round(6)
    array([-1., -3.])
    """
    system = prepared(system, values, state)
    for name, number in (("time", time), ("settle", settle), ("rtol", rtol), ("atol", atol)):
        check_positive(name, number)
    n = len(system.variables)
    followed = _followed(system, float(settle), float(time), rtol, atol)
    if followed is None:
        nothing = np.full(n, np.nan)
        said = "the trajectory escaped, or could not be followed, so there are no exponents"
        if is_map(system):
            said = "the orbit escaped, or met a singular derivative, so there are no exponents"
        return LyapunovSpectrum(nothing, nothing, np.nan, np.nan, np.nan, np.nan, float(time), said)
    lengths, growths, spread = followed
    exponents = growths.sum(axis=0) / lengths.sum()
    errors = np.array([_error(lengths, growths[:, k]) for k in range(n)])
    order = np.argsort(-exponents)
    exponents, errors = exponents[order], errors[order]
    divergence = float(spread.sum() / lengths.sum())
    size = float(np.max(np.abs(exponents))) or 1.0
    none = np.abs(exponents) <= np.maximum(errors, ZERO * size)  # that along the trajectory is zero, and known so well
    known = np.where(none, 0.0, exponents)
    dimension = kaplan_yorke(known)
    ends = [kaplan_yorke(np.sort(known + sign * np.where(none, 0.0, errors))[::-1]) for sign in (-1.0, 1.0)]
    return LyapunovSpectrum(
        exponents, errors, dimension, max(abs(end - dimension) for end in ends), divergence,
        abs(float(exponents.sum()) - divergence) / size, float(time),
    )  # fmt: skip


def _followed(
    system: System, settle: float, time: float, rtol: float, atol: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return what `_follow` does, of a map step by step."""
    if not is_map(system):
        return _follow(system, settle, time, rtol, atol)
    steps, before = whole_steps("time", time), whole_steps("settle", settle)
    if time < BLOCKS * 2**CORRELATED:
        raise InputError(f"time is {time:g}; a map needs at least {BLOCKS * 2**CORRELATED} steps for the errors")
    found = stretching(system, before, steps)
    return None if found is None else (np.ones(steps), *found)


def kaplan_yorke(exponents: np.ndarray) -> float:
    """Return the Kaplan-Yorke dimension of exponents (n,) in descending order.

    Examples
    --------
    >>> kaplan_yorke(np.array([0.9, 0.0, -1.8]))
    2.5
    """
    sums = np.cumsum(exponents)
    if sums[0] < 0.0:
        return 0.0
    k = int(np.flatnonzero(sums >= 0.0)[-1])
    if k + 1 == len(exponents):
        return float(len(exponents))
    return k + 1 + float(sums[k]) / abs(float(exponents[k + 1]))


def _error(lengths: np.ndarray, growths: np.ndarray) -> float:
    """Return half of the 95 per cent interval of the mean rate: by parts of the time, by pairs of them, and so on."""
    found = []
    count = BLOCKS * 2**CORRELATED
    parts = [
        (float(t.sum()), float(g.sum())) for t, g in zip(np.array_split(lengths, count), np.array_split(growths, count))
    ]
    while len(parts) >= BLOCKS:
        means = np.array([g / t for t, g in parts if t > 0.0])
        found.append(STUDENT * float(np.std(means, ddof=1)) / math.sqrt(len(means)))
        parts = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(parts[::2], parts[1::2])]
    return max(found)


def _follow(
    system: System, settle: float, time: float, rtol: float, atol: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return lengths of spans (k,), the growth of each direction (k, n) and of volumes (k,); None after an escape."""
    from scipy.integrate import ODEintWarning, odeint

    field = Field(system)
    n = field.n
    out = np.empty(n + n * n + 1)

    def slope(_time: float, y: np.ndarray) -> np.ndarray:
        f, matrix = field.both(y[:n])
        out[:n] = f
        np.matmul(matrix, y[n:-1].reshape(n, n), out=out[n:-1].reshape(n, n))
        out[-1] = np.trace(matrix)
        return out

    x, frame = system.state.copy(), np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
    span, left, done = time / LEAST_SPANS, settle, False
    lengths, growths, spread = [], [], []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ODEintWarning)  # said by the message of the result
        while True:
            step = min(span, left)
            start = np.concatenate([x, frame.ravel(), [0.0]])
            y, said = odeint(
                slope, start, [0.0, step], tfirst=True, rtol=rtol, atol=atol, mxstep=50_000, full_output=True
            )
            end = y[-1]
            if said["message"] != "Integration successful." or not np.all(np.isfinite(end)):
                return None
            frame, upper = np.linalg.qr(end[n:-1].reshape(n, n))
            grown = np.log(np.abs(np.diag(upper)))
            if not np.all(np.isfinite(grown)):
                span *= 0.5  # a direction has shrunk to nothing within the span
                if span < 1e-12 * time:
                    return None
                frame = start[n:-1].reshape(n, n)
                continue
            x, left = end[:n], left - step
            if done:
                lengths.append(step)
                growths.append(grown)
                spread.append(float(end[-1]))
            wide = float(np.ptp(grown)) or 1e-3
            span = min(time / LEAST_SPANS, max(step, 1e-300) * min(max(FOLDED / wide, 0.2), 2.0))
            if left <= 1e-12 * time:
                if done:
                    return np.array(lengths), np.array(growths), np.array(spread)
                done, left = True, time

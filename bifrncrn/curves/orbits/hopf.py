"""Where branches of orbits begin and end: Hopf points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.orbits.branch import Place, swing
from bifrncrn.curves.orbits.corrector import Corrected, Corrector, Metric
from bifrncrn.curves.orbits.layout import FEWEST
from bifrncrn.curves.orbits.orbit import Mesh, Orbit
from bifrncrn.models.sizes import units_if_unlike

FIRST_SWINGS = (0.05, 0.0125, 3e-3, 7e-4, 1e-4, 1e-5, 1e-6)
"""Sizes of the first orbit, relative to the unit of length, tried in turn."""
UNKNOWN_SIZES = (1.0, 1e-2, 1e2, 1e-4, 1e4, 1e-6, 1e6)
"""Units of length tried where the equilibrium is at zero and tells none."""
SMALLER = (1.0, 1e-3, 1e-6, 1e-9)
"""Parts of the greatest state tried as unit of length: what oscillates may be measured in others than what rests."""
LEAST_SIZE = 1e-3
"""A state counts for this part of the largest, in units that are alike, at least."""
NOTHING = 1e-12
"""An equilibrium smaller than this, in units of its states, is at zero."""
FIRST_MOVE = 1e-5
"""The first orbit is so large that the parameter has moved by about this part of its range."""
LEAST, LARGEST = 1e-4, 1e9
"""How much smaller or larger than the unit of length it may be made for that."""
RESIZES = 8
NO_MOVE = 1e-11
"""A parameter that moves by less than this part of its range tells nothing."""
SHALLOW = 1e-10
"""A fold between a Hopf point and an orbit beside it that turns the parameter by less than this part of its range is
rounding."""
REACH = 1e3
"""The branch is not expected to become larger than this many times its first orbit."""


@dataclass(frozen=True, eq=False)
class HopfPoint:
    """A Hopf point: y = (x, p), the angular frequency, the complex eigenvector, and units of the states (n,)."""

    y: np.ndarray
    omega: float
    vector: np.ndarray
    units: np.ndarray


def hopf_point(problem: EquilibriumProblem, y: np.ndarray, omega: float) -> HopfPoint | None:
    """Find the Hopf point near y = (x, p) with about this angular frequency, to rounding.

    The parameter by the secant method on the real part of the eigenvalue nearest to i omega, the equilibrium by
    Newton's method at each.
    """
    p, step = float(y[-1]), 1e-7 * max(abs(float(y[-1])), 1e-3)
    at = _equilibrium(problem, y, p)
    value = None if at is None else _real_part(problem, at, omega)
    for _ in range(30):
        if at is None or value is None:
            return None
        after = _equilibrium(problem, at, p + step)
        if after is None:
            return None
        new = _real_part(problem, after, omega)
        rate = (new - value) / step
        p, at, value = p + step, after, new
        if rate == 0.0 or not np.isfinite(rate):
            break
        step = -value / rate
        if abs(step) < 1e-14 * max(abs(p), 1e-3):
            break
    if at is None:
        return None
    eigenvalue, q = _near(problem, at, omega)
    if not abs(eigenvalue.real) < 1e-7 * abs(eigenvalue.imag):
        return None
    units = units_if_unlike(problem.system, at[:-1], np.abs(at[:-1]), LEAST_SIZE)
    return HopfPoint(np.append(at[:-1], p), float(eigenvalue.imag), q / np.linalg.norm(q / units), units)


def first_place(corrector: Corrector, hopf: HopfPoint, unit: float) -> Corrected | None:
    """Return the first orbit of the branch that leaves a Hopf point, its tangent away from it.

    The parameter goes with the square of the amplitude, which tells how large the orbit is to be: so that the parameter
    has moved by FIRST_MOVE. `unit` is that of the parameter, the width of its range. Where the equilibrium is at zero
    it tells no unit of length, and several are tried; smaller ones elsewhere too, where none is found.
    """
    x = np.abs(hopf.y[:-1]) / hopf.units
    zero = bool(x.max() < NOTHING)
    for length in UNKNOWN_SIZES if zero else tuple(float(x.max()) * part for part in SMALLER):
        for size in FIRST_SWINGS:
            found = _small(corrector, hopf, _metric(hopf, length, unit), size)
            if found is not None:
                return _resized(corrector, hopf, length, size, found, unit)
    return None


def _resized(
    corrector: Corrector, hopf: HopfPoint, length: float, size: float, found: Corrected, unit: float
) -> Corrected:
    """Return the orbit whose parameter is about FIRST_MOVE away from the Hopf point, or the nearest that is found."""
    at, least, most = length, length * LEAST, length * LARGEST
    for _ in range(RESIZES):
        moved = _moved(hopf, found, unit)
        if FIRST_MOVE / 4.0 < abs(moved) < 4.0 * FIRST_MOVE:
            break
        factor = float(np.sqrt(FIRST_MOVE / abs(moved))) if abs(moved) > NO_MOVE else 100.0
        wanted = min(max(at * min(factor, 100.0), least), most)
        other = _near_hopf(corrector, hopf, _metric(hopf, wanted, unit), size)
        if other is None or wanted == at:
            break
        if abs(moved) > NO_MOVE and not 0.8 < _moved(hopf, other, unit) / moved * (at / wanted) ** 2 < 1.25:
            break
        at, found = wanted, other
    return found


def _metric(hopf: HopfPoint, length: float, unit: float) -> Metric:
    q = np.abs(hopf.vector) / hopf.units
    q /= np.max(q)
    return Metric(np.maximum(np.abs(hopf.y[:-1]), hopf.units * length * np.maximum(0.1 * q, LEAST_SIZE)), unit)


def _moved(hopf: HopfPoint, found: Corrected, unit: float) -> float:
    """Return how far an orbit's parameter is beyond that of the Hopf point, in its unit."""
    return (found.orbit.parameter - float(hopf.y[-1])) / unit


def _small(corrector: Corrector, hopf: HopfPoint, metric: Metric, size: float) -> Corrected | None:
    """Return the orbit of a size if it is so small that the parameter goes with its square (at GH fourth power)."""
    found = _near_hopf(corrector, hopf, metric, size)
    half = None if found is None else _near_hopf(corrector, hopf, metric, 0.5 * size)
    if found is None or half is None:
        return None
    whole, part = _moved(hopf, found, metric.unit), _moved(hopf, half, metric.unit)
    if abs(whole) < NO_MOVE:
        return found
    ratio = whole / part if abs(part) > 1e-300 else np.inf
    small = 3.5 < ratio < 4.6 or 13.0 < ratio < 18.0
    return found if small and not _turns(whole, part) else None


def _turns(whole: float, part: float) -> bool:
    """Say whether the parameter, which has moved by so much at an orbit and one of half its size, turns before.

    By squares and fourth powers of the size.
    """
    square = (16.0 * part - whole) / 3.0
    return _fold_inside(square, whole - square)


def _fold_inside(square: float, fourth: float) -> bool:
    """Say whether square * s + fourth * s^2 turns for s between 0 and 1, and by more than rounding."""
    return square * fourth < 0.0 and abs(square) < 2.0 * abs(fourth) and square**2 > 4.0 * SHALLOW * abs(fourth)


def _near_hopf(corrector: Corrector, hopf: HopfPoint, metric: Metric, size: float) -> Corrected | None:
    mesh = Mesh(np.linspace(0.0, 1.0, FEWEST + 1))
    turn = np.exp(2j * np.pi * mesh.phases)[:, None]
    mode = (turn * hopf.vector).real
    tangent = np.append(mode.ravel(), [0.0, 0.0])
    dual = metric.dual(mesh)
    tangent /= np.sqrt(tangent @ (dual * tangent))
    nodes = hopf.y[:-1] + size * tangent[:-2].reshape(mode.shape)
    guess = Orbit(mesh, nodes, 2.0 * np.pi / hopf.omega, float(hopf.y[-1]))
    done = corrector.correct(guess, tangent, guess, metric)
    if isinstance(done, int) or done.contraction > 0.2:
        return None
    change = (done.orbit.nodes - nodes).ravel()
    near = np.sqrt(change @ (dual[:-2] * change)) < 0.5 * size and abs(_moved(hopf, done, metric.unit)) < 0.02
    return done if near and abs(np.log(done.orbit.period / guess.period)) < 0.2 else None


def amplitude_floor(hopf: HopfPoint, first: Corrected, unit: float) -> tuple[np.ndarray, float]:
    """Return the least units of length (n,) of the branch, and a tenth of the largest state that is expected on it.

    They are a tenth of a state's size at the Hopf point, or of what the state is expected to sweep where that is less.
    The amplitude grows like the square root of the parameter's distance, so the first orbit tells how large it is at
    the far end of the range.
    """
    moved = abs(_moved(hopf, first, unit))
    reach = min(1.0 / np.sqrt(moved), REACH) if moved > 0.0 else REACH
    sizes, swept = np.abs(hopf.y[:-1]) / hopf.units, reach * np.ptp(first.orbit.nodes, axis=0) / hopf.units
    largest = 0.1 * float(np.max(hopf.units * np.maximum(sizes, swept)))
    sizes = np.where(sizes < NOTHING, swept, np.maximum(np.minimum(sizes, swept), 1e-3 * sizes))
    return 0.1 * hopf.units * np.maximum(sizes, LEAST_SIZE * sizes.max()), largest


def turns_before_vanishing(before: Place, here: Place) -> bool:
    """Say whether the parameter turns between an orbit and the point that it shrinks to, by the rates at two places.

    By squares and fourth powers of the size.
    """
    (first, from_), (last, to) = ((_rate(place, here.metric)) for place in (before, here))
    if not abs(from_ - to) > 1e-3 * to:
        return False
    bend = (first - last) / (from_ - to)
    return _fold_inside((last - bend * to) * to, 0.5 * bend * to * to)


def _rate(place: Place, metric: Metric) -> tuple[float, float]:
    """Return the change of the parameter, in its unit, with the square of an orbit's size, and that square."""
    weights, size = place.orbit.mesh.weights[:, None] / metric.scale**2, place.orbit.nodes.size
    deviation, change = swing(place.orbit), place.tangent[:size].reshape(place.orbit.nodes.shape)
    square, growth = float(np.sum(weights * deviation**2)), 2.0 * float(np.sum(weights * deviation * change))
    return float(place.tangent[-1]) / metric.unit / growth if growth != 0.0 else np.inf, square


def vanishing_point(here: Place, beyond: Place) -> np.ndarray:
    """Return a guess of the equilibrium (x, p) to which the orbit shrinks between two places."""
    first, second = (float(np.max(np.abs(swing(place.orbit)) / here.metric.scale)) for place in (here, beyond))
    share = first / (first + second)
    means = [place.orbit.nodes - swing(place.orbit) for place in (here, beyond)]
    x = (1.0 - share) * means[0][0] + share * means[1][0]
    p0, p1 = here.orbit.parameter, beyond.orbit.parameter
    # the parameter is even in the amplitude, which changes sign: the parabola through both
    gap = second**2 - first**2
    p = p0 - first**2 * (p1 - p0) / gap if abs(gap) > 1e-3 * max(first, second) ** 2 else 0.5 * (p0 + p1)
    return np.append(x, p)


def _equilibrium(problem: EquilibriumProblem, y: np.ndarray, p: float) -> np.ndarray | None:
    at = np.append(y[:-1], p)
    scale = np.maximum(np.abs(at[:-1]), 1e-6 * np.max(np.abs(at[:-1]), initial=1e-12) + 1e-12)
    previous = np.inf
    for _ in range(20):
        f, solve = problem.solver(at, scale)
        if solve is None:
            return None
        step = solve(-f)
        at[:-1] += step
        size = float(np.max(np.abs(step) / scale))
        if size < 1e-13 or (size < 1e-9 and size > 0.5 * previous):
            return at
        previous = size
    return None


def _near(problem: EquilibriumProblem, y: np.ndarray, omega: float) -> tuple[complex, np.ndarray]:
    """Return the eigenvalue nearest to i omega and its eigenvector."""
    values, vectors = np.linalg.eig(problem.linearize(y)[1][:, : problem.n])
    k = int(np.argmin(np.abs(values - 1j * omega)))
    return complex(values[k]), vectors[:, k]


def _real_part(problem: EquilibriumProblem, y: np.ndarray, omega: float) -> float:
    return _near(problem, y, omega)[0].real

"""What happens along loci of bifurcations of periodic orbits: test functions, and the labels of their zeros."""

from __future__ import annotations

import itertools

import numpy as np

from bifrncrn.curves.orbits.cycle_loci import BRANCHING, DOUBLING, FIXED, FOLD, TORUS, CycleLocus, State
from bifrncrn.curves.orbits.normal_forms import NormalForm

REAL = 1e-9
"""An imaginary part below this of a multiplier is rounding."""


def tests(problem: CycleLocus, state: State) -> dict[str, float]:
    """Return the values of the test functions by the labels of their zeros."""
    return {label: value(problem, state, label) for label in LABELS[problem.kind]}


LABELS = {
    FOLD: ("CPC", "R1", "LPPD", "LPNS"),
    DOUBLING: ("GPD", "R2", "LPPD", "PDNS"),
    BRANCHING: (),
    FIXED: (),
    TORUS: ("CH", "R2", "R3", "R4", "LPNS", "PDNS", "NSNS"),
}
"""What is looked for along each kind of locus."""
ANGLES = {"R2": np.pi, "R3": 2.0 * np.pi / 3.0, "R4": 0.5 * np.pi}
"""The angles of the multipliers at strong resonances."""


def value(problem: CycleLocus, state: State, label: str) -> float:
    """Return the value of one test function."""
    kind, multipliers = problem.kind, state.multipliers
    n = len(multipliers)
    if label == "CPC":
        return state.bend
    if label in ("GPD", "CH"):
        try:
            form = NormalForm(problem.variations, state.orbit, problem.parameters(state.z), state.scale)
            return form.period_doubling() if label == "GPD" else form.torus(problem.theta(state.z)).real
        except (RuntimeError, np.linalg.LinAlgError):  # singular: at a strong resonance the coefficient has a pole
            return np.nan
    if kind == TORUS and label in ANGLES:
        return ANGLES[label] - problem.theta(state.z)
    others = n - len(_critical(problem, state))
    if label in ("R1", "R2"):
        return _symmetric(multipliers + (1.0 if label == "R2" else -1.0), others if label == "R1" else n - 1)
    if label == "LPPD":
        return _symmetric(multipliers + 1.0, n) if kind == FOLD else _symmetric(multipliers - 1.0, n - 1)
    if label == "LPNS" and kind == TORUS:
        return _symmetric(multipliers - 1.0, n - 1)
    if label == "PDNS" and kind == TORUS:
        return _symmetric(multipliers + 1.0, n)
    return _pairs(_without(multipliers, _critical(problem, state)))


def _critical(problem: CycleLocus, state: State) -> np.ndarray:
    """Return the trivial multiplier and those that are on the unit circle all along."""
    if problem.kind == TORUS:
        factor = problem.factor(state.z)
        return np.array([1.0, factor, np.conj(factor)])
    if problem.kind == FIXED:
        return np.array([1.0], complex)
    return np.array([1.0, -1.0 if problem.kind == DOUBLING else 1.0], complex)


def unstable(problem: CycleLocus, state: State) -> int:
    """Return how many multipliers but the trivial and the critical ones are outside the unit circle."""
    return int(np.sum(np.abs(_without(state.multipliers, _critical(problem, state))) > 1.0))


def _without(multipliers: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Return the multipliers less those nearest to given values."""
    left = list(multipliers)
    for value in taken:
        if left:
            left.pop(int(np.argmin([abs(m - value) for m in left])))
    return np.array(left, complex)


def _symmetric(values: np.ndarray, order: int) -> float:
    """Return the elementary symmetric polynomial of an order, each factor bounded: values over 1 + |values|.

    Of order n less the number of those that vanish all along it is the product of the others, and smooth where one of
    them vanishes too, however the double zero is split by rounding.
    """
    if order <= 0:
        return 1.0
    bounded = values / (1.0 + np.abs(values))
    coefficients = np.poly(-bounded)  # the product of (x + value)
    return float(coefficients[order].real)


def _pairs(rest: np.ndarray) -> float:
    """Return the product of m_i m_j - 1 over pairs, which changes sign where a complex pair crosses the unit circle.

    A real pair with product one changes it too; it is not one that crosses, and counts as nothing.
    """
    value = 1.0
    for a, b in itertools.combinations(rest, 2):
        conjugate = abs(a.imag) > REAL * abs(a) and abs(a - np.conj(b)) <= REAL * abs(a)
        value *= float((a * b).real - 1.0) if conjugate else 1.0
    return value

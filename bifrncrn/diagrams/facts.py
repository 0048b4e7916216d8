"""What is said of a special point: its label, residual, spectrum and the coefficients of its normal form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bifrncrn.base.arrays import own
from bifrncrn.continuation import layout
from bifrncrn.continuation.line import Event, Line
from bifrncrn.curves.equilibria.problem import EVENTS, EquilibriumProblem
from bifrncrn.diagrams.multiple import crossing_frequency, pairs_at
from bifrncrn.diagrams.neutral import IMAGINARY

EPS = float(np.finfo(float).eps)


def at_zero(problem: EquilibriumProblem, event: Event, y: np.ndarray, width: float) -> np.ndarray:
    """Return a Hopf point with its parameter at zero where that is as good a solution, and y where it is not.

    A system that is a centre there has coefficients of the size of the parameter; those of its rounding have a sign.
    """
    if event.kind != layout.PAIR or event.bracket is not None or not 0.0 < abs(y[-1]) < EPS * width:
        return y
    zero = np.append(y[:-1], 0.0)
    if not problem.vanishes(zero):
        return y
    spectrum, old = (np.asarray(problem.eigenvalues(at)) for at in (zero, y))
    pairs, before = (values[values.imag > 0.0] for values in (spectrum, old))
    if pairs.size == 0 or before.size == 0:
        return y
    real = (np.min(np.abs(values.real / values)) for values in (pairs, before))
    return zero if next(real) <= max(next(real), IMAGINARY) else y


def facts_of(problem: EquilibriumProblem, line: Line, event: Event, y: np.ndarray, floor: np.ndarray) -> dict[str, Any]:
    """Return the label of an event, its residual and spectrum, and the coefficients of its normal form."""
    label, a, omega, l1 = EVENTS.get(event.kind, "UZ"), None, None, None
    located = event.bracket is None or event.kind == layout.FOLD
    residual, largest, first, second = problem.examine(y, floor, event.kind if located else 0)
    eigenvalues = own(line.spectrum(event.row))
    spectrum = eigenvalues.tolist()
    big = max([*map(abs, spectrum), largest])
    if event.kind == layout.FOLD:
        a, gap = first, second
        residual = max(residual, min(map(abs, spectrum), default=gap) / big)
    elif event.kind == layout.PAIR and located:
        omega, l1 = first, second
        if pairs_at(spectrum) > 1:  # the coefficient would be that of one alone
            omega, l1 = crossing_frequency(line, event.row), math.nan
        residual = max(residual, min((abs(value.real) for value in spectrum if value.imag > 0.0), default=0.0) / big)
    elif event.kind == layout.PAIR:
        label = "HB" if any(value.imag != 0.0 for value in spectrum) else "BP"
    return {"label": label, "residual": residual, "a": a, "omega": omega, "l1": l1, "eigenvalues": eigenvalues}

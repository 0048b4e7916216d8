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


def facts_of(problem: EquilibriumProblem, line: Line, event: Event, y: np.ndarray, floor: np.ndarray) -> dict[str, Any]:
    """Return the label of an event, its residual and spectrum, and the coefficients of its normal form."""
    label, a, omega, l1 = EVENTS.get(event.kind, "UZ"), None, None, None
    located = event.bracket is None or event.kind == layout.FOLD
    residual, largest, first, second = problem.examine(y, floor, event.kind if located else 0)
    spectrum = line.values(event.row)
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
    eigenvalues = own(np.array(spectrum, complex))
    return {"label": label, "residual": residual, "a": a, "omega": omega, "l1": l1, "eigenvalues": eigenvalues}

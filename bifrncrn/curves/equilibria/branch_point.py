"""The directions of the branches that meet at a simple branch point."""

from __future__ import annotations

import math

import numpy as np

DOUBLE = 1e-16
"""Two directions are one where the discriminant is below this, relative to the squares of the coefficients."""


def branching_directions(forms: tuple[float, float, float], first: np.ndarray, second: np.ndarray) -> list[np.ndarray]:
    """Solve a s^2 + 2 b s t + c t^2 = 0, forms = (a, b, c), in the plane of two orthonormal null vectors."""
    a, b, c = forms
    gap = b * b - a * c
    big = max(abs(a), abs(b), abs(c))
    if not gap > DOUBLE * big * big:
        return []
    root = math.sqrt(gap)
    t = -(b + root) if b >= 0 else -(b - root)  # both roots without cancellation
    found = []
    for s_value, t_value in ((t, a), (c, t)):
        v = s_value * first + t_value * second
        found.append(v / math.sqrt(v @ v))
    return found

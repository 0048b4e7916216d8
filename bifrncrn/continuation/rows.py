"""Rows of numbers along a curve, as the march writes them, cut into what they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Rows:
    """Points along a curve, one a row.

    Attributes
    ----------
    rows : (k, 2 N + 2 + ...) array
        Of every point: itself, its tangent, and what else is known of it.
    size : int
        N + 1.
    """

    rows: np.ndarray
    size: int

    @property
    def points(self) -> np.ndarray:
        """The points, (k, N + 1)."""
        return self.rows[:, : self.size]

    @property
    def tangents(self) -> np.ndarray:
        """Their tangents, (k, N + 1)."""
        return self.rows[:, self.size : 2 * self.size]

"""Constants of the polynomials of degree 4 through 5 even points of an interval, the coordinate running 0 to 1."""

import functools
from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.orbits.layout import POINTS


@dataclass(frozen=True, eq=False)
class Basis:
    """Matrices that take the values (5,) at the even points to something else.

    Attributes
    ----------
    gauss : (4,) array
        The Gauss points.
    values, slopes : (4, 5) arrays
        To values and derivatives at the Gauss points.
    radau_values, radau_slopes : (4, 5) arrays
        The same at the Radau points, of which the last is the right end.
    node_slopes : (5, 5) array
        To the derivatives at the even points.
    monomials : (5, 5) array
        To the coefficients of 1, t, ..., t^4.
    top : (5,) array
        To the fourth derivative.
    weights : (5,) array
        Boole's rule: to the integral.
    """

    gauss: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    radau_values: np.ndarray
    radau_slopes: np.ndarray
    node_slopes: np.ndarray
    monomials: np.ndarray
    top: np.ndarray
    weights: np.ndarray

    def points(self, radau: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the matrices to values and derivatives at the Radau points, or else at the Gauss points."""
        return (self.radau_values, self.radau_slopes) if radau else (self.values, self.slopes)


@functools.cache
def basis() -> Basis:
    """Return the constants."""
    gauss = 0.5 + 0.5 * np.polynomial.legendre.leggauss(POINTS)[0]
    even = np.arange(POINTS + 1) / POINTS
    powers = np.arange(POINTS + 1)
    radau = _radau()
    monomials = np.linalg.inv(even[:, None] ** powers)
    return Basis(
        gauss=gauss,
        values=np.ascontiguousarray(gauss[:, None] ** powers @ monomials),
        slopes=np.ascontiguousarray(_slopes(gauss) @ monomials),
        radau_values=np.ascontiguousarray(radau[:, None] ** powers @ monomials),
        radau_slopes=np.ascontiguousarray(_slopes(radau) @ monomials),
        node_slopes=np.ascontiguousarray(_slopes(even) @ monomials),
        monomials=np.ascontiguousarray(monomials),
        top=24.0 * monomials[-1],
        weights=np.array([7.0, 32.0, 12.0, 32.0, 7.0]) / 90.0,
    )


def _slopes(t: np.ndarray) -> np.ndarray:
    powers = np.arange(1, POINTS + 1)
    return np.column_stack([np.zeros_like(t), powers * t[:, None] ** (powers - 1)])


def _radau() -> np.ndarray:
    """Return the Radau points of (0, 1], the zeros of P_3 - P_4 (Hairer & Wanner, Solving ODEs II, IV.5)."""
    zeros = np.polynomial.legendre.legroots([0.0, 0.0, 0.0, 1.0, -1.0])
    return 0.5 + 0.5 * np.append(np.sort(zeros.real)[:-1], 1.0)

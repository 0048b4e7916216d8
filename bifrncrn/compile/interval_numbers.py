"""Numbers that no double is: as long as none is that close, the neighbouring doubles enclose the true number, too."""

from __future__ import annotations

from fractions import Fraction

PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706")
LOG2 = Fraction("0.69314718055994530941723212145817656807550013436025525412068000949339362196969471560586332699641868")
"""More than 90 digits each."""


def pieces(number: Fraction, bits: int, count: int) -> tuple[list[float], Fraction]:
    """Return leading pieces of a number, of so few bits that small multiples of them are exact, and the rest."""
    parts = []
    for k in range(1, count + 1):
        unit = Fraction(1, 2 ** (bits * k))
        parts.append(float(number // unit * unit))
        number -= Fraction(parts[-1])
    return parts, number

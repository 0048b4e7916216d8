"""Exact integer null spaces."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd, lcm

Row = dict[int, Fraction]


def left_nullspace(columns: Iterable[Mapping[int, int | Fraction]], rows: int) -> list[dict[int, int]]:
    """Return an integer basis of the row vectors that every rational column annihilates.

    Parameters
    ----------
    columns : iterable of mappings
        The nonzero entries of each column, by row.
    rows : int
        Number of rows.

    Returns
    -------
    list of dict
        Sparse vectors in lowest terms, the first nonzero entry positive, one for each free row.
    """
    pivots = _reduced_rows(columns)
    free = [row for row in range(rows) if row not in pivots]
    return [_integers({f: Fraction(1), **{p: -eq[f] for p, eq in pivots.items() if f in eq}}) for f in free]


def _reduced_rows(equations: Iterable[Mapping[int, int | Fraction]]) -> dict[int, Row]:
    """Reduce the equations to reduced echelon form; the result maps each pivot to its equation.

    The pivot of an equation is its largest index, so that laws are anchored at the species named first. Every
    equation is sparse and most repeat up to sign, which keeps this fast for networks with thousands of reactions.
    """
    pivots: dict[int, Row] = {}
    seen: set[frozenset[tuple[int, int | Fraction]]] = set()
    for equation in equations:
        key = frozenset(equation.items())
        if key in seen:
            continue
        seen.add(key)
        row = {index: Fraction(value) for index, value in equation.items() if value}
        for index in [i for i in row if i in pivots]:
            _subtract(row, pivots[index], row[index])
        if not row:
            continue
        pivot = max(row)
        scale = row[pivot]
        row = {index: value / scale for index, value in row.items()}
        for other in pivots.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        pivots[pivot] = row
    return pivots


def _subtract(row: Row, other: Row, factor: Fraction) -> None:
    """Subtract `factor` times `other` from `row`, in place."""
    for index, value in other.items():
        new = row.get(index, Fraction(0)) - factor * value
        if new:
            row[index] = new
        else:
            row.pop(index, None)


def _integers(vector: Row) -> dict[int, int]:
    """Scale a rational vector to coprime integers whose first entry is positive."""
    scale = lcm(*(value.denominator for value in vector.values()))
    whole = {index: int(value * scale) for index, value in vector.items()}
    divisor = gcd(*whole.values())
    if whole[min(whole)] < 0:
        divisor = -divisor
    return {index: value // divisor for index, value in whole.items()}

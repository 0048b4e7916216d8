"""Folds of cycles where the parameter hardly moves: as many as its direction tells, whatever rounding makes of it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from bifrncrn.curves.orbits.branch import Place
from bifrncrn.curves.orbits.ends import ALONE, HOPF, Followed, Row
from bifrncrn.curves.orbits.events import FOLD, NO_SLOPE, changes
from bifrncrn.curves.orbits.hopf import SHALLOW
from bifrncrn.curves.orbits.march import Step

ROUNDED = 1e-14
"""What a multiplier is off 1 by beside a Hopf point says nothing below this: it is a product of some fifty factors."""


def as_told(found: Followed, width: float) -> None:
    """Leave of the folds of a branch those that its parameter tells, in a range of a width.

    Along a canard the parameter stands still to rounding while orbits change, and a multiplier near 1 crosses it again
    and again: there is one fold where the parameter goes back afterwards, none where it goes on. Beside a Hopf point at
    which the branch ends its rounding makes folds too, through which no multiplier passes 1.
    """
    rows = found.rows
    _count_turns(rows, width)
    if found.reason == HOPF:
        for k in range(len(rows) - 1, 0, -1):
            if abs(rows[k].parameter - rows[-1].parameter) >= SHALLOW * width:
                break
            if rows[k].event == FOLD and not _passes(rows[k - 1].place, rows[k + 1].place):
                rows[k] = _doubted(rows[k])


def _count_turns(rows: list[Row | Step], width: float) -> None:
    """Make the folds where the parameter stands still one or none."""
    still = [abs(row.rates[1]) <= NO_SLOPE * width for row in rows]
    for k, row in enumerate(rows):
        if row.event == FOLD and row.bracket is not None:
            for side in (-1, 1):
                at = k
                while 0 <= at < len(rows) and abs(rows[at].parameter - row.parameter) < ALONE * width:
                    still[at] = True
                    at += side
    for stands, group in itertools.groupby(range(len(rows)), lambda k: still[k]):
        stretch = list(group)
        if stands and stretch[0] > 0 and stretch[-1] + 1 < len(rows):
            _settle(rows, stretch[0], stretch[-1] + 1)


def _settle(rows: list[Row | Step], first: int, last: int) -> None:
    """Make the folds of the rows from `first` to before `last`, along which the parameter stands still, one or none."""
    seen = [k for k in range(first, last) if rows[k].event == FOLD]
    inexact = [k for k in seen if rows[k].bracket is not None]
    before = rows[first - 1].rates[1]
    turns = _turns(rows[first - 1], rows[last])
    if (len(seen) - len(inexact)) % 2 == 1:
        turns = not turns
    if len(inexact) == turns:
        return
    for k in range(inexact[0], inexact[-1] + 1) if inexact else ():
        if k in inexact or not rows[k].event:
            rows[k] = _doubted(rows[k])
    if turns:
        values = [row.parameter for row in rows[first:last]]
        level = max(values) if before > 0.0 else min(values)
        at = inexact[0] if inexact else first + values.index(level)
        rows[at] = Row(rows[at].place, rows[at].extremes, FOLD, bracket=(min(values), max(values)))


def _turns(here: Row | Step, there: Row | Step) -> bool:
    """Say whether a fold lies between two rows: a multiplier has passed 1, or, if that is not known, by the slopes."""
    known = changes(here.place, there.place) if here.place.decided and there.place.decided else None
    return here.rates[1] * there.rates[1] < 0.0 if known is None else known[0] % 2 == 1


def _passes(here: Place, there: Place) -> bool:
    """Say whether a multiplier is on one side of 1 at a place and on the other at the next, by more than rounding."""
    sides = []
    for place in (here, there):
        others = place.multipliers[1:]
        off = float(others[np.argmin(np.abs(others - 1.0))].real) - 1.0
        sides.append(np.sign(off) if place.trusted and abs(off) > max(place.corrected.noise, ROUNDED) else 0.0)
    return bool(sides[0] * sides[1] < 0.0)


def _doubted(row: Row | Step) -> Row:
    """Return the row without its event, its multipliers not to be trusted."""
    place = replace(row.place, corrected=replace(row.place.corrected, sure=0.0))
    return Row(place, row.extremes)

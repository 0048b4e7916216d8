"""The least and the largest value of every state on a proved cycle, enclosed.

Over a step a state is a polynomial of the time t in [0, 1], whose coefficients are balls; the last one, another number
for every t, stands for what the expansion leaves out. On an interval T about m the state lies in p(m) + p'(T) (T - m).
Intervals that cannot hold the largest value are dropped, the others cut in two.
"""

from __future__ import annotations

import numpy as np

from bifrncrn.proofs.balls import Ball, added, scaled
from bifrncrn.proofs.flow import ORDER
from bifrncrn.proofs.result import Interval
from bifrncrn.proofs.rounding import above, up
from bifrncrn.proofs.shooting import SLACK, Shot
from bifrncrn.proofs.taylor import Taylor

CUTS, MOST_PARTS = 30, 4000
"""How often intervals are cut; with more intervals left (of a state that nearly rests) what is known then must do."""


def extremes(taylor: Taylor, shot: Shot) -> tuple[list[Interval], list[Interval]]:
    """Return bounds of the least and of the largest value of every state."""
    factor = Ball.between(np.array([[shot.factor[0]]]), np.array([[shot.factor[1]]]))
    speed = scaled(Ball.exact(shot.durations[:, None]), factor)
    parts = [part[:, 0] for part in taylor.coefficients(shot.points, speed, ORDER)]
    parts.append(Ball(shot.left.value.m.T, shot.left.value.r.T))
    terms = Ball(np.stack([part.m for part in parts]), np.stack([part.r for part in parts]))
    largest = [_largest(terms[:, i]) for i in range(taylor.n)]
    least = [_largest(-terms[:, i]) for i in range(taylor.n)]
    return [(-high, -low) for low, high in least], largest


def _largest(terms: Ball) -> Interval:
    """Return bounds of the largest value of polynomials on [0, 1], given by coefficients (order + 1, k)."""
    count = terms.m.shape[1]
    numbers = np.arange(1.0, len(terms.m))[:, None]
    slopes = scaled(terms[1:], Ball.exact(np.broadcast_to(numbers, terms.m[1:].shape)))
    left, right, which = np.zeros(count), np.ones(count), np.arange(count)
    least = float(terms[0].ends()[0].max())
    for _ in range(CUTS):
        middle = 0.5 * (left + right)  # exact, as are the halves
        half = right - middle
        value = _at(terms[:, which], Ball.exact(middle))
        reach = above(_at(slopes[:, which], Ball(middle, half)).most() * half, 1)
        most = up(value.ends()[1] + reach)
        least = max(least, float(value.ends()[0].max()))
        kept = ~(most < least)
        largest = float(most[kept].max())
        if 2 * int(kept.sum()) > MOST_PARTS:
            break
        left, middle, right, which = left[kept], middle[kept], right[kept], which[kept]
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        which = np.concatenate([which, which])
    room = 0.5 * SLACK * (largest - least)
    return least - room, largest + room


def _at(terms: Ball, t: Ball) -> Ball:
    total = terms[-1]
    for k in range(len(terms.m) - 2, -1, -1):
        total = added(scaled(total, t), terms[k])
    return total

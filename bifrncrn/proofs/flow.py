"""The flow of a system over one step from each of many boxes, with its derivatives, enclosed.

A box E that holds B + [0, 1] s f(E) holds the trajectories of x' = s f(x) from B up to time one (Picard). Then

    x(1) lies in the sum of x_k(B), k = 0 to p, plus x_(p+1)(E)        (Taylor, with Lagrange's remainder)

and the derivative by the start, V' = s f'(x) V, in the same with derivatives: the remainder is D x_(p+1)(E) V(t), as
the coefficients along a trajectory are functions of its point, and |V(t)| <= exp(s |f'(E)|) in a norm of scaled states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.proofs.balls import Ball, added, scaled
from bifrncrn.proofs.rounding import above, down, up
from bifrncrn.proofs.taylor import Taylor

ORDER = 16
"""Of the expansions."""
TRIES, GROW = 30, 1.1
"""How often a box for the trajectories is widened before it is given up, and by how much beyond what it asks for."""


@dataclass(frozen=True)
class Rest:
    """What expansions leave out, over steps from k boxes.

    Attributes
    ----------
    low, high : (k, n) arrays
        The boxes E; nan where none is known.
    value : (k, n) balls
    slopes : (k, n, n) array
        Bounds of what is left out of the derivatives.
    """

    low: np.ndarray
    high: np.ndarray
    value: Ball
    slopes: np.ndarray


def rest(taylor: Taylor, start: Ball, speed: Ball, scale: np.ndarray) -> Rest:
    """Bound what expansions of x' = s f(x) up to time one leave out.

    Parameters
    ----------
    start : (k, n) balls
    speed : (k, 1) balls, s > 0
    scale : (n,) array of powers of two
        The units in which the states are compared.
    """
    low, high = trapped(taylor, start, speed)
    found = beyond(taylor, low, high, speed)
    last = found[-1]
    # |sum over l of D_il V_lj| <= (sum over l of |D_il| scale_l) |V| / scale_j
    sizes = above((last[:, 1:].most() * scale[:, None]).sum(axis=1), len(scale))
    error = above(sizes * _growth(found[1], scale), 1)[:, None] / scale[:, None]
    return Rest(low, high, Ball(last.m[:, 0].T, last.r[:, 0].T), error.transpose(2, 0, 1))


def steps(taylor: Taylor, start: Ball, speed: Ball, left: Rest) -> tuple[Ball, Ball]:
    """Return the end points (k, n) of steps, and their derivatives by the start (k, n, n).

    What is left out is known for starts and speeds that hold these.
    """
    parts = taylor.coefficients(start, speed, ORDER)
    values = added(*(Ball(part.m[:, 0].T, part.r[:, 0].T) for part in parts), left.value)
    slopes = added(*(part[:, 1:] for part in parts))
    turned = Ball(slopes.m.transpose(2, 0, 1), slopes.r.transpose(2, 0, 1))
    return values, Ball(turned.m, above(turned.r + left.slopes, 2))


def beyond(taylor: Taylor, low: np.ndarray, high: np.ndarray, speed: Ball) -> list[Ball]:
    """Return the coefficients over boxes (k, n) that are wide, with the one that is not in the expansions."""
    around = Ball.between(low, high)
    about = taylor.coefficients(Ball.exact(around.m), speed, ORDER + 1)
    return taylor.coefficients(around, speed, ORDER + 1, about)


def _growth(first: Ball, scale: np.ndarray) -> np.ndarray:
    """Return bounds (k,) of the derivatives by the start up to time one, from the coefficients 1 over the boxes E.

    exp(a) <= 1 / (1 - a / 8)^8 for 0 <= a < 8.
    """
    n = len(scale)
    rows = above((first[:, 1:].most() * scale[:, None]).sum(axis=1), n) / scale[:, None]
    share = 1.0 - up(rows.max(axis=0) / 8.0)
    eighth = up(1.0 / np.where(share > 0.0, down(share), np.nan))
    square = up(eighth * eighth)
    fourth = up(square * square)
    return up(fourth * fourth)


def trapped(taylor: Taylor, start: Ball, speed: Ball) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (k, n) that trajectories from the boxes of starts do not leave up to time one; nan where none is."""
    b_low, b_high = start.ends()
    low, high = b_low, b_high
    held: np.ndarray = np.zeros(len(low), bool)
    for _ in range(TRIES):
        below, over = taylor.field(low, high)
        move = scaled(Ball.between(below, over), speed)
        m_low, m_high = move.ends()
        new_low, new_high = down(b_low + np.minimum(m_low, 0.0)), up(b_high + np.maximum(m_high, 0.0))
        held = np.asarray(((new_low >= low) & (new_high <= high)).all(axis=1))
        if held.all():
            break
        wider = (GROW - 1.0) * (new_high - new_low)
        lost = ~held[:, None]
        low, high = np.where(lost, new_low - wider, low), np.where(lost, new_high + wider, high)
    return np.where(held[:, None], low, np.nan), np.where(held[:, None], high, np.nan)

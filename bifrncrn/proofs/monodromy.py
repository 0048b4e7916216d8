"""Floquet multipliers of a proved cycle, enclosed.

The derivatives D_i of the flow over the steps of a turn (see `shooting`) multiply to the monodromy matrix, one of whose
eigenvalues is 1. Of two states the other one is the determinant (Liouville), a product of those of the steps. Of more
states the product is taken in moving frames, in which every step is nearly triangular, so that bounds do not grow
(Lohner's method); discs enclose the eigenvalues (see `spectrum`), of which one has to be alone about 1.
"""

from __future__ import annotations

import numpy as np

from bifrncrn.proofs.balls import Ball, added, convolved, matrices, scaled
from bifrncrn.proofs.result import Interval
from bifrncrn.proofs.rounding import above, down, up
from bifrncrn.proofs.shooting import SLACK, Shot
from bifrncrn.proofs.spectrum import SHAKES, discs

TURNS = 8
"""So many turns the frames go round until they are those that stay."""


def multipliers(shot: Shot) -> tuple[list[Interval], int | None]:
    """Return bounds of the multipliers' sizes, without the trivial one, and how many are outside the unit circle."""
    if len(shot.scale) == 2:
        sides = _determinant(shot.slopes)
        outside = 1 if sides[0] > 1.0 else 0 if sides[1] < 1.0 else None
        return [_wider(*sides)] if np.isfinite(sides).all() else [], outside
    turn = _turn(shot)
    low, high = turn.ends()
    for shake in SHAKES:
        found = _outside(*(part[0] for part in discs(low[None], high[None], shake)))
        if found is not None:
            return found
    return [], None


def _turn(shot: Shot) -> Ball:
    """Return the monodromy matrix in a basis P_0: the product of inverse(P_(i+1)) D_i P_i over the steps, P_N = P_0."""
    units = shot.scale / shot.scale[:, None]  # powers of two
    slopes = Ball(shot.slopes.m * units, shot.slopes.r * units)
    frames = _frames(slopes.m)
    turned = matrices(slopes, Ball.exact(frames))
    following = np.roll(frames, -1, axis=0)
    back = Ball.exact(np.ascontiguousarray(following.transpose(0, 2, 1)))
    moved = matrices(back, turned)
    # the transposed is nearly the inverse: |(I + E)^-1 X - X| <= eps / (1 - eps) times the largest of each column
    n = len(shot.scale)
    unit = matrices(back, Ball.exact(following))
    off = above(np.abs(unit.m - np.eye(n)) + unit.r + 2.0**-52, 3)
    epsilon = above(off.sum(axis=2).max(axis=1), n)[:, None, None]
    error = above(2.0 * epsilon * moved.most().max(axis=1, keepdims=True), 2)
    moved = Ball(moved.m, np.where(epsilon < 0.5, above(moved.r + error, 1), np.inf))
    total = moved[0]
    for k in range(1, len(moved.m)):
        total = matrices(moved[k], total)
    return total


def _frames(slopes: np.ndarray) -> np.ndarray:
    """Return orthogonal matrices (k, n, n) in which each step is nearly triangular: Q of QR, after some turns."""
    q = np.eye(slopes.shape[-1])
    frames = np.zeros_like(slopes)
    for _ in range(TURNS):
        for k, slope in enumerate(slopes):
            frames[k] = q
            q = np.linalg.qr(slope @ q)[0]
    return frames


def _determinant(slopes: Ball) -> Interval:
    """Return bounds of the product of the determinants of matrices (k, 2, 2)."""
    a, b, c, d = (slopes[:, i, j][None, None] for i in (0, 1) for j in (0, 1))
    steps = added(convolved(a, d), -convolved(b, c))
    product = steps[:, :1]
    for k in range(1, steps.m.shape[1]):
        product = scaled(product, steps[:, k : k + 1])
    low, high = product.ends()
    return max(float(low[0, 0]), 0.0), float(high[0, 0])  # each determinant is positive


def _outside(centers: np.ndarray, radii: np.ndarray) -> tuple[list[Interval], int] | None:
    """Sort multipliers, known by discs (n,), of which one is 1; None where that cannot be done."""
    reach = above(radii, 1) + 2.0**-50 * (np.abs(centers) + 1.0)
    sizes = np.abs(centers)
    small, large = sizes + reach < 1.0, sizes - reach > 1.0
    trivial = np.flatnonzero(~small & ~large)
    if len(trivial) != 1 or not np.isfinite(radii).all():
        return None
    others = np.delete(np.arange(len(radii)), trivial)
    apart = np.abs(centers[others] - centers[trivial]) > (reach[others] + reach[trivial]) * (1.0 + 1e-12)
    if not apart.all():
        return None
    low, high = down(sizes - reach)[others], up(sizes + reach)[others]
    gaps = np.abs(centers[others][:, None] - centers[others]) * (1.0 - 1e-12)
    touching = gaps <= reach[others][:, None] + reach[others]
    for _ in others:  # of discs that touch it is not known which holds how many
        low = np.where(touching, low, np.inf).min(axis=1)
        high = np.where(touching, high, -np.inf).max(axis=1)
    sides = zip(low.tolist(), high.tolist(), strict=True)
    return sorted((_wider(max(a, 0.0), b) for a, b in sides), reverse=True), int(large.sum())


def _wider(low: float, high: float) -> Interval:
    room = 0.5 * SLACK * (high - low)
    return max(low - room, 0.0), high + room

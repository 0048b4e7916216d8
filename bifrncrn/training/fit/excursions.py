"""Samples where the target's trajectories leave the box for a while and come back.

A network is taught in a box, and does what it likes outside. Where the target's trajectories from the box make a detour
outside of it, those of a network that was taught nothing there may never come back. Where they do not, the field is
sampled along such detours too, with little weight.
"""

from __future__ import annotations

import itertools

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.base.errors import ConvergenceError
from bifrncrn.training.targets.sampling import Samples, join
from bifrncrn.training.targets.target import FieldPart, Target

# of the box's sides: how far inside its corners trajectories start, and how far from them samples lie
EDGE, TUBE = 0.03, 0.05
# of more corners than this there are the two outmost are taken
CORNERS = 8
# how long they are followed, in times that a state at the median rate takes along the box's longest side
PATIENCE = 10.0
# detours that lead further away than this many of the box's sides are left out: too much to learn beside the box
FAR = 2.0
# samples along each of the detours, evenly by their length
PLACES = 24
# all of them carry this share of the weight: that is enough (of a Brusselator at 0.02 the loss in the box doubles)
SHARE = 0.003


def with_excursions(target: Target, samples: Samples) -> Samples:
    """Return `samples` with others along the detours that the target's trajectories make outside of its box."""
    part = target.parts[0]
    if not isinstance(part, FieldPart) or len(target.parts) > 1 or part.dimension < 2:
        return samples
    low, high = np.array(part.box).T
    rate = float(np.median(np.abs(samples.field / (high - low)).max(axis=1)))
    if not rate > 0:
        return samples
    found = [
        _samples(part, x, row, typical=float(np.sqrt((samples.field**2).mean())))
        for row in part.lam
        for corner in _corners(low, high)
        if len(x := _detour(part, corner, row, PATIENCE / rate))
    ]
    if not found:
        return samples
    extra = join(found)
    scale = SHARE / (1 - SHARE) * samples.weight.sum() / extra.weight.sum()
    return join([samples, Samples(extra.x, extra.lam, extra.field, extra.weight * scale)])


def _corners(low: Array, high: Array) -> list[Array]:
    """Return the corners of the box, a little inside."""
    n = len(low)
    inside = EDGE * (high - low)
    ends = np.stack([low + inside, high - inside])
    which = itertools.product((0, 1), repeat=n) if 2**n <= CORNERS else ((0,) * n, (1,) * n)
    return [ends[list(one), np.arange(n)] for one in which]


def _detour(part: FieldPart, start: Array, row: tuple[float, ...], time: float) -> Array:
    """Return places (k, M) outside of the box on the trajectory from a state, up to where it has come back last."""
    low, high = np.array(part.box).T
    system = part.system.with_(values=dict(zip(part.names, row)) or None)
    try:
        x = system.simulate((0.0, time), state=start).x
    except ConvergenceError:
        return np.empty((0, len(low)))
    inside = ((x >= low) & (x <= high)).all(axis=1)
    out = np.flatnonzero(~inside[: np.flatnonzero(inside)[-1]]) if inside.any() else np.empty(0, dtype=int)
    if not len(out):
        return np.empty((0, len(low)))
    way = x[max(out[0] - 1, 0) : out[-1] + 2]
    if (np.maximum(low - way, way - high) > FAR * (high - low)).any():
        return np.empty((0, len(low)))
    length = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(way / (high - low), axis=0), axis=1)))
    even = np.linspace(0.0, length[-1], PLACES)
    places = np.column_stack([np.interp(even, length, column) for column in way.T])
    return np.asarray(places[~((places >= low) & (places <= high)).all(axis=1)])


def _samples(part: FieldPart, places: Array, row: tuple[float, ...], typical: float) -> Samples:
    """Return samples at places and beside them; rates far above the `typical` count less, as shares of themselves."""
    side = TUBE * np.ptp(np.array(part.box), axis=1)
    moves = np.vstack([np.zeros(len(side)), np.diag(side), -np.diag(side)])
    x = np.maximum((places[:, None] + moves).reshape(-1, len(side)), 0.0)
    lam = np.tile(np.array(row, dtype=float), (len(x), 1))
    field = part.field(x, lam)
    weight = 1.0 / (1.0 + (field**2).mean(axis=1) / typical**2)
    kept = np.isfinite(field).all(axis=1) & (x > 0).all(axis=1)
    return Samples(x[kept], lam[kept], field[kept], weight[kept])

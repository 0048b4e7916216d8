"""Sizes of states: of those that are zero, what balances the equations."""

from __future__ import annotations

import numpy as np

from bifrncrn.compile.interface import DENSE_LIMIT
from bifrncrn.models.system import System

ZERO = 1e-12
"""A state below this share of what balances the others is zero, and tells nothing of its size."""
AROUND = (0.0, 0.3, -0.17)
"""Where around a point, in units of the states, it is looked which of them act on each other."""
SWEEPS = 50
UNFELT = 1e-8
"""States without which no equation changes by more than this share tell no more of their size than errors do."""
GAPS = 8
"""So many of the widest gaps among the sizes of the states are tried as that between noise and the rest."""


def natural_sizes(system: System, x: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return sizes of the states around x, (n,): those given, of states that are zero what balances the Jacobian.

    Where all are zero the largest is one.
    """
    if not np.any(sizes <= ZERO * sizes.max()):
        return sizes
    balanced = _in_balance(_couplings(system, x, sizes), sizes, False)
    return np.where(sizes <= ZERO * balanced, balanced, sizes)


def units_if_unlike(system: System, x: np.ndarray, sizes: np.ndarray, share: float, apart: bool = False) -> np.ndarray:
    """Return ones (n,) where all sizes of states around x are within a share of the largest, else what balances them.

    A state below this share of the largest is next to nothing in these units. With `apart` states that act on others in
    no way have units of their own.
    """
    if sizes.min() >= share * sizes.max() > 0.0:
        return np.ones(len(sizes))
    return _in_balance(_couplings(system, x, sizes), sizes, apart)


def unit_choices(
    system: System, x: np.ndarray, sizes: np.ndarray, share: float, values: np.ndarray | None = None
) -> list[np.ndarray]:
    """Return units (n,) of the states to be tried in turn: zero but for rounding looks like small.

    `x` (n,) is where states have these sizes; the parameter values are the system's own by default. States of parts of
    the system that do not act on each other are large in units of their own, or small, or they are noise and all units
    are alike. States that are zero, or died out, have none.
    """
    gone = died_out(system, x, sizes, share, values)
    x, sizes = np.where(gone, 0.0, x), np.where(gone, 0.0, sizes)
    if not (sizes > 0.0).any() or sizes[sizes > 0.0].min() >= share * sizes.max():
        return [np.ones(len(sizes))]
    acts = _couplings(system, x, sizes, values)
    acts[np.ix_(gone, ~gone)] = 0.0
    return [_in_balance(acts, sizes, apart) for apart in (True, False)] + [np.ones(len(sizes))]


def died_out(
    system: System, x: np.ndarray, sizes: np.ndarray, share: float, values: np.ndarray | None = None
) -> np.ndarray:
    """Say which states (n,), all below a share of the largest, are noise: what decays towards zero for ever.

    Without them nothing drives them, and they feel each other in proportion to themselves; the others do not feel them.
    What is small because its unit is large is driven by others, limits itself, or is felt by others.
    """
    gone = np.zeros(len(sizes), dtype=bool)
    most = int(np.sum(sizes < share * sizes.max(initial=0.0)))
    if len(sizes) > DENSE_LIMIT or not most:
        return gone
    order = np.argsort(sizes)
    decades = np.log10(np.maximum(sizes[order], np.finfo(float).tiny))
    widest = np.argsort(decades[:most] - decades[1 : most + 1])[:GAPS]
    for last in sorted(widest.tolist(), reverse=True):
        gone[:] = False
        gone[order[: last + 1]] = True
        if all(_unfelt(system, x + part * sizes, sizes, gone, values) for part in AROUND):
            return gone
    return np.zeros_like(gone)


def _unfelt(system: System, x: np.ndarray, sizes: np.ndarray, gone: np.ndarray, values: np.ndarray | None) -> bool:
    """Say whether states change nothing at x but themselves, and those in proportion."""
    there, without = (np.clip(at, system.lower, system.upper) for at in (x, np.where(gone, 0.0, x)))
    if without[gone].any():
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        acts, rates = system.jacobian(there, values) * sizes, np.abs(system.rhs(without, values))
        change = np.abs(acts - system.jacobian(without, values) * sizes)[np.ix_(gone, gone)].sum(axis=1)
        whole, share = np.abs(acts).sum(axis=1), np.abs(acts[:, gone]).sum(axis=1)
    if not np.isfinite([*whole, *rates, *change]).all():
        return False
    felt = share[~gone] > UNFELT * (whole + rates)[~gone]
    driven = rates[gone] > UNFELT * share[gone] + system.rounding(without, values)[gone]
    return not (felt.any() or driven.any() or (change > UNFELT * share[gone]).any())


def _in_balance(acts: np.ndarray, sizes: np.ndarray, apart: bool) -> np.ndarray:
    """Return sizes of the states that balance how much they act on each other, on the whole as large as those given.

    With `apart` that holds of each part of the system that acts on no other.
    """
    balance, there = balancing(acts), sizes > 0.0
    if not apart:
        return _ratio(sizes[there], balance[there]) * balance
    out = np.empty_like(balance)
    for group in np.unique(_reach(acts + acts.T), axis=0):
        known = there & (group if (there & group).any() else True)
        out[group] = _ratio(sizes[known], balance[known]) * balance[group]
    return out


def _ratio(sizes: np.ndarray, units: np.ndarray) -> float:
    """Return how many units large states are on the whole; one where there are none."""
    return float(np.exp(np.median(np.log(sizes / units)))) if sizes.size else 1.0


def _couplings(system: System, x: np.ndarray, sizes: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    """Return how much states act on each other around a point: at a special point itself an entry may vanish."""
    total = np.zeros((len(x), len(x)))
    for share in AROUND:
        at = np.abs(system.jacobian(np.clip(x + share * sizes, system.lower, system.upper), values))
        total += np.where(np.isfinite(at).all(), at, 0.0)
    return total


def balancing(matrix: np.ndarray) -> np.ndarray:
    """Return units of the states, (n,), in which what acts on each in a Jacobian is of one size; the largest is one.

    States that act on each other, on the way round through others perhaps, have units in which rows and columns are of
    one size (Parlett & Reinsch, Numer. Math. 13, 1969); those that only follow them have the size that these give them.
    """
    acts = np.where(np.isfinite(matrix), np.abs(matrix), 0.0)
    reach = _reach(acts)
    mutual = reach & reach.T
    units = _balanced(np.where(mutual, acts, 0.0))
    waiting = list(np.unique(mutual, axis=0))
    while waiting:
        ahead = next(k for k, group in enumerate(waiting) if not any(_drives(acts, o, group) for o in waiting))
        group = waiting.pop(ahead)
        own, driven = acts[np.ix_(group, group)] @ units[group], acts[np.ix_(group, ~group)] @ units[~group]
        told = (own > 0.0) & (driven > 0.0)
        if told.any():
            units[group] *= float((driven[told] / own[told]).max())
    return units / units.max()


def _reach(acts: np.ndarray) -> np.ndarray:
    """Say which states are acted on by which, perhaps by way of others, (n, n)."""
    reach = (acts > 0.0) | np.eye(len(acts), dtype=bool)
    for _ in range(len(acts).bit_length()):
        reach = reach @ reach
    return reach


def _drives(acts: np.ndarray, first: np.ndarray, second: np.ndarray) -> bool:
    """Say whether states of one group act on those of another."""
    return first is not second and bool(acts[np.ix_(second, first)].any())


def _balanced(scaled: np.ndarray) -> np.ndarray:
    """Return units in which rows and columns of a matrix, which is overwritten, are of one size."""
    units = np.ones(len(scaled))
    np.fill_diagonal(scaled, 0.0)
    for _ in range(SWEEPS):
        before = units.copy()
        for i in range(len(units)):
            row, column = scaled[i].sum(), scaled[:, i].sum()
            if row > 0.0 and column > 0.0:
                factor = np.sqrt(row / column)
                scaled[:, i] *= factor
                scaled[i] /= factor
                units[i] *= factor
        if np.all(np.abs(np.log(units / before)) < 0.1):
            break
    return units

"""Which states can never become negative: asked of the equations, not assumed."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from bifrncrn.models.system import System

SAMPLES = 120
"""States tried for each variable, a third of the others at zero."""
SIZES = (-6.0, 2.0)
"""Decades about the size of the start in which states are tried."""
WITHIN = 16.0
"""A rate below zero by no more than this many times what rounding makes of its terms is zero."""


def nonnegative_states(system: System, candidates: Collection[str]) -> tuple[str, ...]:
    """Return those of the candidates that the equations keep from becoming negative, as long as they all are not.

    Where one of them is zero its rate must not be negative, whatever the other candidates (zero or more) and the
    other variables (of either sign) are. Tried at random states, the same every time. A candidate that starts below
    zero is none.
    """
    held = [i for i, name in enumerate(system.variables) if name in candidates and system.state[i] >= 0.0]
    states = _states(system.state)
    signs = np.random.default_rng(1).choice([-1.0, 1.0], size=states.shape)
    while held:
        signed = states * np.where(np.isin(np.arange(states.shape[1]), held), 1.0, signs)
        lost = [i for i in held if _falls(system, signed, i)]
        if not lost:
            break
        held = [i for i in held if i not in lost]
    return tuple(system.variables[i] for i in held)


def _states(start: np.ndarray) -> np.ndarray:
    """Return states (k, n) about the sizes of the start, some of them zero."""
    rng = np.random.default_rng(0)
    sizes = np.abs(start)
    typical = np.where(sizes > 0.0, sizes, np.max(sizes, initial=0.0) or 1.0)
    factors = 10.0 ** rng.uniform(*SIZES, size=(SAMPLES, start.size))
    return typical * np.where(rng.random((SAMPLES, start.size)) < 1.0 / 3.0, 0.0, factors)


def _falls(system: System, states: np.ndarray, i: int) -> bool:
    """Tell whether variable i falls anywhere where it is zero."""
    at = states.copy()
    at[:, i] = 0.0
    falling = (x for x in at if system.rhs(x)[i] < 0.0)
    return any(system.rhs(x)[i] < -WITHIN * system.rounding(x)[i] for x in falling)

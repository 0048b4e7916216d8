"""Cycles of a network's full system, followed from those of the reduced one in the time-scale mu.

The full system is stiff, and trajectories of it cannot be followed backwards, so cycles that repel are out of reach of
settling. Where mu is small they lie next to those of the reduced system: to first order the perceptrons lag behind
their quasi-static values s(z) by mu s' dz/dt / r, with r the rate at which they settle. From there Newton's method
follows the cycle as mu grows, or, where neighbours part so fast that shooting cannot (a multiplier of 1e17 has been
seen), collocation does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bifrncrn.base.checks import Array, quasi_static, shaped, time_scale
from bifrncrn.base.errors import ConvergenceError
from bifrncrn.chemistry.networks.network import Network

if TYPE_CHECKING:
    from bifrncrn.trajectories.attraction import Attraction
    from bifrncrn.trajectories.cycles import Cycle

# the first time-scale at which a cycle is looked for by shooting, and by collocation, unless mu is smaller
FIRST, SLOWEST = 1e-3, 1e-4
# intervals of a guess of the whole cycle
INTERVALS = 80
# the factor of mu from one cycle to the next, and how often its logarithm is halved where Newton's method fails
FACTOR, HALVINGS = 3.0, 2
# neighbours differ by less than these shares of their period and size, or they may be different cycles
SLOWER, MOVED = 0.25, 0.25
# a branch in mu is followed from this share of where it begins, for its start has to lie inside
BELOW = 0.9


def network_cycle(
    network: Network,
    mu: float | None = None,
    *,
    state: ArrayLike | None = None,
    lam: ArrayLike | None = None,
    repelling: bool = False,
) -> Cycle | None:
    """Return the cycle of a network at `mu`; see `Network.cycle`."""
    from bifrncrn.trajectories.cycles import find_cycle

    there = _placed(network, state, lam)
    reduced = find_cycle(there.reduced(), backward=repelling)
    if mu is None or reduced is None:
        return reduced
    scale = time_scale("mu", mu)
    at = min(scale, FIRST)
    cycle = find_cycle(there.full(at), guess=_lagging(there, reduced, at), period=reduced.period)
    if cycle is not None and _same(reduced, cycle):
        return _followed(there, cycle, at, scale)
    at = min(scale, SLOWEST)
    return _by_collocation(there, _guess(there, reduced, at), at, scale)


def _guess(network: Network, reduced: Cycle, mu: float) -> Cycle:
    """Return about where the cycle of the full system is; its multipliers are not known."""
    from bifrncrn.trajectories.cycles import cycle_through

    y = _lagging(network, reduced, mu)
    rows = np.linspace(0, len(y), INTERVALS, endpoint=False).astype(int)
    times = np.append(reduced.times[rows], reduced.period)
    states = y[np.append(rows, 0)]
    return cycle_through(network.full(mu), times, states, np.full(y.shape[1], np.nan), "unknown")


def _followed(network: Network, cycle: Cycle, at: float, scale: float) -> Cycle | None:
    """Return the cycle at time-scale `scale` that one at `at` becomes, or None."""
    from bifrncrn.trajectories.cycles import find_cycle

    step, least = math.log(FACTOR), math.log(FACTOR) / 2**HALVINGS
    while at < scale:
        following = min(at * math.exp(step), scale)
        found = find_cycle(network.full(following), guess=cycle.points, period=cycle.period)
        if found is not None and _same(cycle, found):
            at, cycle = following, found
        elif step > least:
            step /= 2
        else:
            return _by_collocation(network, cycle, at, scale)
    return cycle


def _by_collocation(network: Network, cycle: Cycle, at: float, scale: float) -> Cycle | None:
    """Return the cycle at `scale` on the branch of the one at `at`, or None where the branch ends before."""
    from bifrncrn.diagrams.orbits import orbits
    from bifrncrn.trajectories.cycles import cycle_through

    try:
        branch = orbits(cycle, (BELOW * at, scale), parameter="mu").branches[0]
    except ConvergenceError:
        return None
    row = int(np.argmax(branch.column("mu")))
    if branch.column("mu")[row] < scale or branch.unstable[row] < 0:
        return None
    times, states = branch.orbit(row)
    stability: Attraction = "unstable" if branch.unstable[row] else "stable"
    return cycle_through(network.full(scale), times, states, branch.multipliers[row], stability)


def _placed(network: Network, state: ArrayLike | None, lam: ArrayLike | None) -> Network:
    """Return the network with another start and other values of the parameter species."""
    m, _, p = network.sizes
    x = network.state if state is None else shaped("state", state, (m,), "one for each executive species")
    weights: dict[str, Any] = network.weights()
    values = network.lam if lam is None else shaped("lam", lam, (p,), "one for each parameter species")
    return Network(**weights, state=x, lam=values, mu=network.mu, title=network.title)


def _lagging(network: Network, reduced: Cycle, mu: float) -> Array:
    """Return states (k, M + N) of the full system along a cycle of the reduced one, right to first order in mu."""
    x = reduced.points
    z = network.theta + x @ network.omega.T + network.psi @ network.lam
    s = quasi_static(z, network.gamma, network.tau)
    settling = np.sqrt(z * z + 4 * network.gamma * network.tau)
    speed = (network.beta + x * (s @ network.alpha.T)) @ network.omega.T  # dz/dt
    # ds/dz = s / settling
    y = s - mu * s / settling**2 * speed
    return np.hstack([x, np.maximum(y, 0.5 * s)])


def _same(first: Cycle, second: Cycle) -> bool:
    """Say whether two cycles, of systems that differ little, are so near that one continues the other."""
    from bifrncrn.trajectories.cycles import hausdorff

    m = min(first.points.shape[1], second.points.shape[1])
    one, two = first.points[:, :m], second.points[:, :m]
    near = hausdorff(one, two) <= MOVED * float(np.ptp(one, axis=0).max())
    return near and abs(second.period / first.period - 1) <= SLOWER

"""Behaviours a target asks for beside its special points, and whether a network shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.base.errors import ConvergenceError
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.models.system import System

if TYPE_CHECKING:
    from bifrncrn.diagrams.onset import Onset
    from bifrncrn.diagrams.results import Branch, Diagram
    from bifrncrn.trajectories.attractor_results import Attractor
    from bifrncrn.trajectories.cycles import Cycle

# a period, and a Lyapunov exponent, may differ from the target's by this share
PERIOD, EXPONENT = 0.005, 0.2
# a homoclinic orbit is looked for within this multiple of the distance allowed
SOUGHT = 10.0
# an equilibrium may be this share of the box's sides away from the target's
PLACE = 0.05
# real parts of eigenvalues below this are neither stable nor unstable
NEUTRAL = 1e-9
# a real part that is to be zero is, below this (1/time)
STANDING = 1e-6
# spans of time over which a Lyapunov exponent is averaged, the target's over the last: of the food chain, whose turn
# takes 18, it is then known to a twentieth (the stiff full system has to do with the first); and the time before, in
# which transients pass
AVERAGED = (4000.0, 20000.0)
SETTLED = 400.0
# trajectories that are followed from a box to see what they come to, and the integrator's steps for each (a fifth of a
# second): an attractor whose basin is a third of the box is overlooked by all of them once in fifty times
FOLLOWED, PATIENCE = 10, 5000
# of the way between two parts: a switch this near one of them leaves it next to no room
NARROW = 0.05
# a cycle this near to a wanted one, in units of its size, is that one; how near it is said elsewhere
ALIKE = 0.5


@dataclass(frozen=True)
class Verdict:
    """Whether a network shows a behaviour.

    Attributes
    ----------
    ok : bool
    error : float
        How far it is from what is wanted, in units of what is allowed.
    text : str
        What was found, in words.
    """

    ok: bool
    error: float
    text: str


class Behaviour(Protocol):
    """Something a network is wanted to do."""

    def check(self, network: Network, mu: float | None) -> Verdict:
        """Say whether `network` does it, in the full system at `mu` or, without, in the reduced one."""


def started(network: Network, x: Array, lam: tuple[float, ...], mu: float | None) -> System:
    """Return the network's system, the executive species starting at `x` (M,), parameter species at `lam` (P,)."""
    weights: dict[str, Any] = dict(network.weights())
    there = Network(
        **weights,
        state=np.maximum(x, 0.0),
        lam=np.array(lam, dtype=float),
        mu=network.mu,
        title=network.title,
    )
    return there.reduced() if mu is None else there.full(mu)


def _at(lam: tuple[float, ...]) -> str:
    return f" at lam = {', '.join(f'{value:g}' for value in lam)}" if lam else ""


@dataclass(frozen=True, eq=False)
class CycleWanted:
    """A cycle along a curve.

    Attributes
    ----------
    points : (k, M) array
        Points along the closed curve, in order.
    lam : tuple of float
        Values of the parameter species.
    attracts : bool
    within : float
        The Hausdorff distance allowed, concentration.
    period : float or None
        The wanted period, if the speed along the curve matters.
    over : (float, float) or None
        Interval of the first parameter species on which the cycle is wanted; None is at `lam` alone.
    """

    points: Array
    lam: tuple[float, ...] = ()
    attracts: bool = True
    within: float = 0.1
    period: float | None = None
    over: tuple[float, float] | None = None

    def check(self, network: Network, mu: float | None) -> Verdict:
        """Look for the cycle from a point of the curve; for repelling ones see `Network.cycle`."""
        from bifrncrn.trajectories.cycles import find_cycle, hausdorff

        where = _at(self.lam)
        cycle = find_cycle(started(network, self.points[0], self.lam, mu)) if self.attracts else None
        if cycle is None:
            start = np.maximum(self.points[0], 0.0)
            cycle = network.cycle(mu, state=start, lam=np.array(self.lam), repelling=not self.attracts)
        if cycle is None:
            return Verdict(False, np.inf, f"no cycle found{where}")
        distance = hausdorff(cycle.points[:, : self.points.shape[1]], self.points)
        error, ok = distance / self.within, cycle.stable == self.attracts
        kind = "stable" if cycle.stable else "unstable"
        text = f"{kind} cycle{where} {distance:.3g} from the wanted one, period {cycle.period:.5g}"
        if self.period is not None:
            off = abs(cycle.period / self.period - 1)
            error = max(error, off / PERIOD)
            text += f" ({100 * off:.2g} % off)"
        found = Verdict(ok and error <= 1, error, text)
        return found if self.over is None or not ok else self._along(cycle, found)

    def _along(self, cycle: Cycle, here: Verdict) -> Verdict:
        """Follow the cycle over the whole interval: it has to be there, and as stable; its shape is stated at `lam`."""
        from bifrncrn.diagrams.orbits import orbits
        from bifrncrn.trajectories.cycles import hausdorff

        assert self.over is not None
        name = cycle.system.parameters[0]
        on = f"for {name} from {self.over[0]:g} to {self.over[1]:g}"
        try:
            branch = orbits(cycle, self.over, parameter=name).branches[0]
        except ConvergenceError as failure:
            return Verdict(False, np.inf, f"{here.text}; not followed {on}: {failure}")
        reached = sorted(float(branch.column(name)[row]) for row in (0, -1))
        if not np.allclose(reached, self.over, rtol=1e-9) or any(end.reason != "range" for end in branch.ended):
            return Verdict(
                False, np.inf, f"cycle {on} wanted, but it is there only from {reached[0]:.4g} to {reached[1]:.4g}"
            )
        turned = np.flatnonzero(branch.stability != ("stable" if self.attracts else "unstable"))
        if len(turned):
            at = float(branch.column(name)[turned[0]])
            return Verdict(False, np.inf, f"cycle {on}, but its stability is wrong at {at:.4g}")
        m = self.points.shape[1]
        worst = max(hausdorff(branch.orbit(row)[1][:-1, :m], self.points) for row in range(len(branch.points)))
        periods = branch.column("period")
        kind = "stable" if self.attracts else "unstable"
        turn = f"period {periods.min():.4g} to {periods.max():.4g}"
        text = f"{here.text}; {kind} all {on}, at most {worst:.3g} from it, {turn}"
        return replace(here, text=text)


@dataclass(frozen=True, eq=False)
class EquilibriaWanted:
    """The equilibria in a box, all of them and no others.

    Attributes
    ----------
    points : (k, M) array
    stable : (k,) array of -1, 0 or 1
        1 stable, -1 unstable, 0 neutral: the largest real part of an eigenvalue is zero.
    box : ((low, high), ...)
    lam : tuple of float
    within : float
        How far each may be from its place, in units of the box's sides.
    """

    points: Array
    stable: Array
    box: tuple[tuple[float, float], ...]
    lam: tuple[float, ...] = ()
    within: float = PLACE

    @property
    def critical(self) -> bool:
        """Whether one is to be neutral: that can hold at single time-scales only."""
        return bool((self.stable == 0).any())

    def check(self, network: Network, mu: float | None) -> Verdict:
        """Compare number, places and stability; the places do not depend on `mu`."""
        low, high = np.array(self.box).T
        reduced = started(network, 0.5 * (low + high), self.lam, None)
        points = equilibria_in(reduced, self.box)
        parts = np.array([largest_real_part(started(network, x, self.lam, mu)) for x in points])
        kinds = np.array([stability(started(network, x, self.lam, mu)) for x in points])
        where = _at(self.lam)
        stable = int((kinds == 1).sum())
        noun = "equilibrium" if len(points) == 1 else "equilibria"
        text = f"{len(points)} {noun} in the box{where}, {stable} of them stable"
        if len(points) != len(self.points):
            return Verdict(False, np.inf, f"{text} ({len(self.points)} wanted)")
        if not len(points):
            return Verdict(True, 0.0, text)
        from scipy.optimize import linear_sum_assignment

        gaps = np.abs((points[:, None] - self.points[None]) / (high - low)).max(axis=2)
        rows, columns = linear_sum_assignment(gaps)
        error = float(gaps[rows, columns].max()) / self.within
        asked = self.stable[columns]
        bound = mu in (None, network.mu) or network.mu is None
        # a point is critical at the time-scale it was made for, and in the limit; made for none, at whatever is asked
        neutral = (np.abs(parts[rows]) <= STANDING) | (not bound)
        same = bool(np.all(np.where(asked == 0, neutral, asked == kinds[rows])))
        text += f", at most {error * self.within:.2g} of a side away" + ("" if same else ", stability wrong")
        if self.critical:
            worst = float(np.abs(parts[rows][asked == 0]).max())
            text += f", the real part that is to be zero {'' if bound else 'at another mu '}{worst:.2g}"
            error = max(error, worst / STANDING) if bound else error
        return Verdict(same and error <= 1, error, text)


@dataclass(frozen=True)
class SwitchWanted:
    """Something must happen between two values of the parameter species, said by its special points.

    Attributes
    ----------
    bounds : (low, high)
    box : ((low, high), ...)
        Region of the states in which special points count.
    folds : int or None
        Number of folds there must be, and no equilibrium may leave or enter the box between; None asks for a fold or
        Hopf point at which a stable equilibrium gives way to a cycle.
    """

    bounds: tuple[float, float]
    box: tuple[tuple[float, float], ...]
    folds: int | None = None

    def check(self, network: Network, mu: float | None) -> Verdict:
        """Trace the network's diagram; in the full system the box bounds the executive species."""
        from bifrncrn.diagrams.onset import find_onsets

        try:
            system, found, box = self._trace(network, mu)
        except ConvergenceError:
            return Verdict(False, np.inf, "no equilibrium found to start a diagram from")
        points = [p for p in found.special_points if p.label != "EP" and _inside(p.state, box)]
        words = [f"{p.label} at {found.parameter} = {p.parameters[found.parameter]:.6g}" for p in points]
        folds = sum(p.label == "LP" for p in points)
        if self.folds is None:
            # a fold or Hopf point alone is not enough: the network may come to rest elsewhere
            onsets = find_onsets(system, found.parameter, points, self.bounds)
            ok, wrong = any(onset.kind != "unclear" for onset in onsets), np.inf
            named = [f"switch by {'; '.join(map(str, onsets))}" if onsets else "none leads from rest to a cycle"]
            named += self._narrow(onsets)
        else:
            through = sum(_crossings(branch, box) for branch in found.branches)
            words += [f"{through} times through the box's sides"] if through else []
            ok, wrong, named = (
                folds == self.folds == len(points) and not through,
                float(max(1, len(points) + through)),
                [],
            )
        text = "; ".join([", ".join(words) or "no special point", *named])
        return Verdict(ok, 0.0 if ok else wrong, f"between: {text}")

    def _narrow(self, onsets: Sequence[Onset]) -> list[str]:
        """Return a sentence for every onset so near an end that the motion wanted there is hardly anywhere else."""
        room = NARROW * (self.bounds[1] - self.bounds[0])
        gaps = [(one, end, abs(one.value - end)) for one in onsets for end in self.bounds if one.kind != "unclear"]
        return [
            f"that is only {gap:.2g} from {one.parameter} = {end:g}; what is to hold about it needs an interval, `over`"
            for one, end, gap in gaps
            if gap < room
        ]

    def values(self, network: Network) -> list[float]:
        """Return the values of the first parameter species at the folds in the box."""
        _, found, box = self._trace(network, None)
        return [p.parameters[found.parameter] for p in found.special("LP") if _inside(p.state, box)]

    def _trace(self, network: Network, mu: float | None) -> tuple[System, Diagram, dict[str, tuple[float, float]]]:
        from bifrncrn.diagrams.diagram import diagram

        system = started(network, network.state, (self.bounds[0], *network.lam[1:].tolist()), mu)
        box = dict(zip(system.variables, self.box))
        found = diagram(system, parameter=system.parameters[0], bounds=self.bounds, box=box, all=mu is None)
        return system, found, box


def _crossings(branch: Branch, box: dict[str, tuple[float, float]]) -> int:
    """Return how often a branch passes through the sides of the box."""
    inside = np.ones(len(branch.points), bool)
    for name, (low, high) in box.items():
        inside &= (branch.column(name) >= low) & (branch.column(name) <= high)
    return int((inside[1:] != inside[:-1]).sum())


def _inside(state: dict[str, float], box: dict[str, tuple[float, float]]) -> bool:
    return all(low <= state[name] <= high for name, (low, high) in box.items())


@dataclass(frozen=True, eq=False)
class ChaosWanted:
    """A chaotic attractor of a given largest Lyapunov exponent.

    Attributes
    ----------
    exponent : float
    points : (k, M) array
        States on it.
    period : float
        Mean time of a turn.
    lam : tuple of float
    """

    exponent: float
    points: Array
    period: float
    lam: tuple[float, ...] = ()

    def check(self, network: Network, mu: float | None) -> Verdict:
        """Average the exponent over a trajectory, longer and longer until it is clear whether it is right."""
        from bifrncrn.trajectories.lyapunov import largest_lyapunov

        system = started(network, self.points[0], self.lam, mu)
        allowed = EXPONENT * self.exponent
        for time in AVERAGED if mu is None else AVERAGED[:1]:
            found = largest_lyapunov(system, time=time, settle=SETTLED)
            if not np.isfinite(found.value):
                return Verdict(False, np.inf, found.message)
            if abs(found.value - self.exponent) > allowed + found.error:
                break
        error = abs(found.value - self.exponent) / allowed
        text = f"largest Lyapunov exponent {found.value:.3g} +- {found.error:.1g} (wanted {self.exponent:.3g})"
        return Verdict(error <= 1, error, text)


@dataclass(frozen=True, eq=False)
class AttractorsWanted:
    """Nothing else attracts: what trajectories from a box come to is what those of the target come to.

    The equilibria in a box are all found (`EquilibriaWanted`). A cycle about a rest, or a way out of the box, shows in
    trajectories only; those with small basins may be overlooked.

    Attributes
    ----------
    box : ((low, high), ...)
    cycles : tuple of (k, M) array
        The attracting cycles of the target in the box.
    leave : bool
        Whether some of its trajectories leave the box for good.
    lam : tuple of float
    """

    box: tuple[tuple[float, float], ...]
    cycles: tuple[Array, ...] = ()
    leave: bool = False
    lam: tuple[float, ...] = ()

    def check(self, network: Network, mu: float | None) -> Verdict:
        """Follow trajectories from the box; perceptrons start where they settle in its middle."""
        from bifrncrn.trajectories.cycles import hausdorff

        found = attracting(started(network, np.array(self.box).mean(axis=1), self.lam, mu), self.box)
        count = len(self.box)
        strange = [
            one.kind
            for one in found.inside
            if one.kind != "equilibrium"
            and all(hausdorff(one.points[:, :count], cycle) > ALIKE * _size(cycle) for cycle in self.cycles)
        ]
        where = _at(self.lam)
        wrong = [f"some come to a {kind} that the target has not" for kind in dict.fromkeys(strange)]
        if found.left and not self.leave:
            wrong.append(f"{found.left} leave it for good, none of the target's does")
        text = "; ".join(wrong) or "come to what the target's come to"
        return Verdict(not wrong, np.inf if wrong else 0.0, f"{FOLLOWED} trajectories from the box{where}: {text}")


@dataclass(frozen=True, eq=False)
class Attracting:
    """What trajectories from a box come to: attractors in it, and the number of those that leave it for good."""

    inside: tuple[Attractor, ...]
    left: int


def attracting(system: System, box: tuple[tuple[float, float], ...]) -> Attracting:
    """Return what trajectories from `box`, sides of the first states, come to."""
    from bifrncrn.trajectories.attractors import attractors

    found = attractors(system, dict(zip(system.variables, box)), samples=FOLLOWED, max_steps=PATIENCE)
    low, high = np.array(box).T
    room = PLACE * (high - low)

    def holds(one: Attractor) -> bool:
        middle = (0.5 * (one.min + one.max))[: len(low)]
        return bool(((middle >= low - room) & (middle <= high + room)).all())

    inside = tuple(one for one in found if holds(one))
    return Attracting(inside, found.escaped + sum(one.count for one in found if not holds(one)))


@dataclass(frozen=True, eq=False)
class HomoclinicWanted:
    """A homoclinic orbit of a saddle, at a value of the parameter species.

    Attributes
    ----------
    lam : float
    saddle : (M,) array
        Where the saddle is about.
    within : float
        How far off the value may be, in its own unit.
    """

    lam: float
    saddle: Array
    within: float

    def check(self, network: Network, mu: float | None) -> Verdict:
        """Locate the orbit within ten times the distance allowed."""
        from bifrncrn.trajectories.homoclinic import find_homoclinic

        system = started(network, self.saddle, (self.lam,), mu)
        name, reach = system.parameters[0], SOUGHT * self.within
        bounds = (max(self.lam - reach, 0.0), self.lam + reach)
        found = find_homoclinic(system, name, bounds, steps=2)
        if found is None:
            return Verdict(False, np.inf, f"no homoclinic orbit for {name} from {bounds[0]:g} to {bounds[1]:g}")
        off = abs(found.value - self.lam)
        text = f"homoclinic orbit at {name} = {found.value:.8g}, {off:.2g} off"
        return Verdict(off <= self.within, off / self.within, text)


def checked(behaviours: Sequence[Behaviour], network: Network, mu: float | None) -> list[Verdict]:
    """Return what was found of the behaviours; what else attracts is looked for only where all the rest is there."""
    verdicts = [one.check(network, mu) for one in behaviours if not isinstance(one, AttractorsWanted)]
    if all(verdict.ok for verdict in verdicts):
        verdicts += [one.check(network, mu) for one in behaviours if isinstance(one, AttractorsWanted)]
    return verdicts


def stability(system: System) -> int:
    """Return 1 when the start state, an equilibrium, is stable, -1 when it is unstable, 0 when it is neither."""
    real = np.linalg.eigvals(system.jacobian(system.state)).real
    scale = NEUTRAL * max(1.0, float(np.abs(real).max()))
    return 1 if real.max() < -scale else -1 if real.max() > scale else 0


def largest_real_part(system: System) -> float:
    """Return the largest real part of the eigenvalues at the start state, an equilibrium."""
    return float(np.linalg.eigvals(system.jacobian(system.state)).real.max())


def equilibria_in(system: System, box: tuple[tuple[float, float], ...]) -> Array:
    """Return all equilibria (k, n) found in `box`."""
    from bifrncrn.curves.equilibria.find import find_equilibria

    return find_equilibria(system, dict(zip(system.variables, box, strict=True))).points


def allowed(points: Array) -> float:
    """Return the distance that a cycle may keep from a curve unless something else is said: a twentieth of its size."""
    return 0.05 * _size(points)


def _size(points: Array) -> float:
    """Return the longest side of the box about points (k, M)."""
    return float(np.ptp(points, axis=0).max())

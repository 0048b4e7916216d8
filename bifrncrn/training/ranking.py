"""Rank networks by their diagrams: a lower loss is not a right bifurcation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import Array
from bifrncrn.base.errors import ConvergenceError
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.models.system import System
from bifrncrn.training.targets.behaviours import Behaviour, checked
from bifrncrn.training.targets.target import Target
from bifrncrn.training.verification import SHAPED, TIMED

if TYPE_CHECKING:
    from bifrncrn.comparison.comparison import Match
    from bifrncrn.comparison.judging import Points
    from bifrncrn.diagrams.results import Branch, Diagram

# a parameter error below this share of the range is none
EXACT = 1e-6
# parameter errors closer than this share of the range count as equal, so that the loss decides
RESOLUTION = 0.005
# errors of behaviours closer than this share (one over it) of what is allowed count as equal: for the loop of the
# homoclinic target that is 1e-4 in lam, what is to be reached
FINENESS = 20
# special points further off than this share of the range are wrong ones
TOLERANCE = 0.25
# what a special point of the target's that a network has not counts in distances: more than the largest there is
MISSING = 100
# what a special point that is wrong at the target's time-scale counts in distances
AMISS = 1000
# Newton's steps from an equilibrium of one network to that of another, and the relative step at which it has arrived
STEPS, ARRIVED = 40, 1e-10
# where Newton's method fails from the middles of a branch, about so many other points of it are tried
OTHERS = 10
# a branch that comes this near a point, relatively, passes through it: branches are polylines
PASSES = 1e-3


@dataclass(frozen=True)
class Standing:
    """How a network compares with its target: by their diagrams, or by wanted behaviours.

    Attributes
    ----------
    wrong : int
        Special points missing, extra, or of another criticality; behaviours not shown.
    error : float
        The largest difference in the parameter of a matched special point; the largest error of a behaviour, in units
        of what is allowed.
    steps : int
        All distances in units of the ranking's resolution: of the special points' parameters rounded up, their
        frequencies and states rounded down, and added to it, of the behaviours beside them, rounded up.
    text : str
        In words.
    shown, missed : tuple of str
        The behaviours that were looked for beside special points: those the network shows, and those it does not.
    special : str
        What became of the special points, in words; empty where no diagram was compared.
    """

    wrong: int
    error: float
    steps: int
    text: str
    shown: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    special: str = ""

    @property
    def misplaced(self) -> int:
        """Number of special points that are wrong."""
        return self.wrong - len(self.missed)

    def also(self, other: Standing) -> Standing:
        """Return the standing of a diagram, this, with the behaviours of another looked for beside it.

        Which of them are shown counts, and how nearly; the error stays that of the special points.
        """
        text = "; ".join(words for words in (self.text, other.text) if words)
        wrong, steps = self.wrong + other.wrong, self.steps + other.steps
        return replace(self, wrong=wrong, steps=steps, text=text, shown=other.shown, missed=other.missed)

    @property
    def key(self) -> tuple[float, float]:
        """What candidates are ranked by."""
        return float(self.wrong), float(self.steps)

    def __str__(self) -> str:
        return self.text


def target_diagram(target: Target) -> Diagram | None:
    """Return the diagram of the target's ODE over its box and range, or None when it has no ODE or no range."""
    from bifrncrn.diagrams.diagram import diagram

    system = target.system
    if system is None or target.bounds is None or target.parameter is None:
        return None
    return diagram(system, parameter=target.parameter, bounds=target.bounds, box=target.box, all=True)


def standing(
    target: Target, reference: Diagram, network: Network, mu: float | None = None, also: float | None = None
) -> Standing:
    """Return how the network's diagram compares with `reference`, the target's.

    A network whose diagram has no point to start from stands last. With a time-scale `also` the distances there are
    added; special points that are wrong there are so many distances, for a refinement may put them right.
    """
    from bifrncrn.comparison.judging import paired_points

    low, high = reference.range
    try:
        learned = traced(target, reference, network, mu)
        pairs = paired_points(reference, learned, TOLERANCE, target.box, outside=True)
        found = judge(pairs, learned.parameter, high - low)
        if also is None or found.wrong:
            return found
        slow = traced_along(learned, network, also)
        pairs = paired_points(reference, slow, TOLERANCE, target.box, outside=True)
        there = judge(pairs, learned.parameter, high - low)
    except ConvergenceError:
        text = "no equilibrium found to start from"
        return Standing(len(reference.special_points) + 1, math.inf, 10**6, text, special=text)
    text = f"{found.text}; at mu = {also:g} {there.text}"
    return replace(found, steps=found.steps + there.steps + AMISS * there.wrong, text=text)


def traced(target: Target, reference: Diagram, network: Network, mu: float | None) -> Diagram:
    """Return the network's diagram over the reference's range, all its branches in the target's box.

    The full system has the equilibria of the reduced one, where searching is easier: it is traced from those.
    """
    from bifrncrn.diagrams.diagram import diagram

    system = network.reduced()
    box = None if target.box is None else dict(zip(system.variables, target.box.values()))
    found = diagram(system, network.parameter, reference.range, box=box, all=box is not None)
    return found if mu is None else traced_along(found, network, mu)


def traced_along(reduced: Diagram, network: Network, mu: float | None) -> Diagram:
    """Return the diagram of `network` on the branches that begin where those of a reduced system's are.

    That of the full system at `mu`, or of the reduced one of another network with rates near these.

    Raises
    ------
    ConvergenceError
        If none of them can be begun; of another network with rates near these if one of them cannot.
    """
    from bifrncrn.diagrams.diagram import diagram

    names = network.reduced().variables
    system = network.reduced() if mu is None else network.full(mu)
    whole: Diagram | None = None
    for branch in reduced.branches:
        rows = _between(branch, reduced)
        begun, few = mu is not None, len(rows)
        rows += list(branch.points[:: len(branch.points) // OTHERS + 1])
        for k, row in enumerate(rows if mu is None else rows[:1]):
            if k >= few and begun:
                break
            start = dict(zip(branch.columns, row.tolist()))
            x = np.array([start[name] for name in names])
            lam = np.array([start[reduced.parameter], *network.lam[1:]])
            if mu is not None:  # its equilibria are those of the reduced system
                start |= dict(zip(system.variables[len(x) :], network.perceptrons(x, lam).tolist()))
            else:
                there = equilibrium_near(system.with_(state=x, values={reduced.parameter: float(lam[0])}))
                if there is None:
                    continue
                start |= dict(zip(names, there.tolist()))
                begun = True
            if whole is None:
                whole = diagram(system, reduced.parameter, reduced.range, start=start)
            elif not _on(whole, start, names):
                whole = joined(whole, diagram(system, reduced.parameter, reduced.range, start=start))
        if not begun:
            raise ConvergenceError("no equilibrium was found near those of a branch; it is not there any more")
    if whole is None:
        raise ConvergenceError("no equilibrium was found near those of the branches; there is nothing to start from")
    return whole


def _between(branch: Branch, found: Diagram) -> list[Array]:
    """Return rows of a branch as far from its special points as from one another and the ends, the furthest first.

    At a special point itself is no place to start from: beside a fold another network may have no equilibrium.
    """
    at = [p.index for p in found.special_points if p.branch == branch.id and p.label in ("LP", "BP")]
    ends = sorted({0, *(k for k in at if k is not None), len(branch.points) - 1})
    lam = branch.column(found.parameter)
    parts = sorted(pairwise(ends), key=lambda part: -abs(lam[part[1]] - lam[part[0]]))
    middles = [a + int(np.abs(lam[a : b + 1] - (lam[a] + lam[b]) / 2).argmin()) for a, b in parts] or [0]
    return [branch.points[k] for k in middles]


def equilibrium_near(system: System) -> Array | None:
    """Return the equilibrium to which Newton's method leads from the start, or None."""
    x = system.state.copy()
    for _ in range(STEPS):
        try:
            step = np.linalg.solve(system.jacobian(x), system.rhs(x))
        except np.linalg.LinAlgError:
            return None
        x = x - step
        if not np.isfinite(x).all() or (x < 0).any():
            return None
        if np.abs(step).max() <= ARRIVED * np.abs(x).max():
            return x
    return None


def _on(found: Diagram, start: dict[str, float], names: Sequence[str]) -> bool:
    """Say whether one of the branches passes through a point."""
    columns = (found.parameter, *names)
    place = np.array([start[name] for name in columns])
    size = np.maximum(np.abs(place), 1e-300)
    for branch in found.branches:
        rows = np.stack([branch.column(name) for name in columns], axis=1)
        if _furthest((rows - place) / size) < PASSES:
            return True
    return False


def _furthest(rows: NDArray[np.float64]) -> float:
    """Return the distance of a polyline from the origin."""
    a, d = rows[:-1], np.diff(rows, axis=0)
    length = np.einsum("kn,kn->k", d, d)
    t = np.clip(-np.einsum("kn,kn->k", a, d) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    return float(np.sqrt(np.min(np.sum((a + t[:, None] * d) ** 2, axis=1), initial=np.inf)))


def joined(first: Diagram, second: Diagram) -> Diagram:
    """Return two diagrams of one system as one."""
    shift, places = len(first.branches), len(first.special_points)
    branches = [
        replace(b, id=b.id + shift, origin=None if b.origin is None else b.origin + places) for b in second.branches
    ]
    points = [replace(point, branch=point.branch + shift) for point in second.special_points]
    return replace(first, branches=(*first.branches, *branches), special_points=(*first.special_points, *points))


def behaving(behaviours: Sequence[Behaviour], network: Network, mu: float | None = None) -> Standing:
    """Return how many of the wanted behaviours the network shows, and how nearly."""
    verdicts = checked(behaviours, network, mu)
    error = max((verdict.error for verdict in verdicts), default=0.0)
    steps = math.ceil(FINENESS * error) if math.isfinite(error) else 10**6
    shown = tuple(verdict.text for verdict in verdicts if verdict.ok)
    missed = tuple(verdict.text for verdict in verdicts if not verdict.ok)
    return Standing(len(missed), error, steps, "; ".join(verdict.text for verdict in verdicts), shown, missed)


def judge(found: Points, parameter: str, extent: float) -> Standing:
    """Return the standing that paired special points amount to; `extent` is the length of the parameter's range."""
    wrong = len(found.missing) + len(found.extra) + sum(1 for match in found.matched if not match.ok)
    error = max((match.parameter_error for match in found.matched), default=0.0)
    steps = 0 if error <= EXACT * extent else math.ceil(error / (RESOLUTION * extent))
    steps += max((_beside(match) for match in found.matched), default=0)
    # of networks with as many wrong points the one without a point of the target's stands last
    steps += MISSING * len(found.missing)
    words = [_matched(match) for match in found.matched]
    words += [f"{point.label} missing" for point in found.missing]
    words += [f"{point.label} extra at {point.parameters[parameter]:.4g}" for point in found.extra]
    text = ", ".join(words) or "no special point, as wanted"
    return Standing(wrong, error, steps, text, special=text)


def _beside(match: Match) -> int:
    """Return how far a special point's frequency and state are off, in whole units of what a verification allows."""
    return int((match.rate_error or 0.0) / TIMED) + int((match.state_error or 0.0) / SHAPED)


def _matched(match: Match) -> str:
    """Say how far a special point is off, its frequency and state where that is more than a verification allows."""
    words = f"{match.label} off by {match.parameter_error:.3g}"
    if (match.rate_error or 0.0) >= TIMED:
        words += f" (its rate by {100 * (match.rate_error or 0.0):.2g} %)"
    if (match.state_error or 0.0) >= SHAPED:
        words += f" (its state by {match.state_error:.2g} of the region)"
    return words

"""Verify what a trained network does: on the target's whole interval, in the reduced system and at time-scales.

Nothing counts as shown that was not looked at. The largest time-scale at which all of it holds is found by going up a
list until something does not, then by bisection: what holds there holds at all smaller ones of the list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bifrncrn.base.errors import ConvergenceError
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.training.targets.behaviours import Behaviour, checked
from bifrncrn.training.targets.target import Target

if TYPE_CHECKING:
    from bifrncrn.comparison.comparison import ComparedCycle, Match
    from bifrncrn.comparison.judging import Seen
    from bifrncrn.diagrams.results import Diagram

# time-scales that are tried, and how often the gap between the last that holds and the first that fails is halved (in
# the logarithm): the largest is then known to 15 %
MUS = (1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
BISECTIONS = 3
# tolerances: of special points, relative to the range; of states, branches, extents and shapes; of periods
PLACED, SHAPED, TIMED = 0.01, 0.05, 0.03


@dataclass(frozen=True)
class Finding:
    """What was found of one behaviour.

    Attributes
    ----------
    text : str
        In words.
    lam : str
        At which parameter species, in words.
    ok : bool
    off : float
        How far it is from what is wanted, in units of what is allowed.
    """

    text: str
    lam: str
    ok: bool
    off: float = math.inf


@dataclass(frozen=True)
class Verification:
    """What a network does, and where that was looked at.

    Attributes
    ----------
    reduced : tuple of Finding
        In the reduced system.
    full : dict of float to tuple of Finding
        In the full system, by time-scale mu, falling.
    largest_mu : float or None
        The largest time-scale looked at where all of it holds, as it does at the smaller ones looked at; None where
        it does not hold in the reduced system or at none.
    wanted_mu : float or None
        The time-scale the target asks for.
    """

    reduced: tuple[Finding, ...]
    full: dict[float, tuple[Finding, ...]] = field(default_factory=dict)
    largest_mu: float | None = None
    wanted_mu: float | None = None

    @property
    def reached(self) -> bool:
        """Whether all holds in the reduced system and down from a time-scale, the target's where it asks for one."""
        if not self.reduced or not holds(self.reduced) or self.largest_mu is None:
            return False
        return self.wanted_mu is None or holds(self.full.get(self.wanted_mu, ()))

    @property
    def lines(self) -> list[str]:
        """Lines for people."""
        out = [_line(finding, "") for finding in self.reduced]
        if self.largest_mu is not None and len(self.full) == 1:
            out.append(f"verified at mu = {self.largest_mu:.3g}; no other was looked at")
        elif self.largest_mu is not None:
            looked = ", ".join(f"{mu:.3g}" for mu in self.full if mu <= self.largest_mu)
            out.append(f"verified at mu = {looked}; the largest mu at which all of it holds is {self.largest_mu:.3g}")
        elif self._failed():
            out.append(f"not reached at mu = {', '.join(f'{mu:.3g}' for mu in self._failed())}")
        for mu in self._told():
            out += [_line(finding, f" at mu = {mu:g}") for finding in self.full[mu]]
        return out

    def _told(self) -> list[float]:
        """Return the time-scales whose findings are told: the wanted one, and the smallest that leaves none usable."""
        wanted = [] if self.wanted_mu is None or self.wanted_mu not in self.full else [self.wanted_mu]
        failed = self._failed()[:1] if self.largest_mu is None else []
        return list(dict.fromkeys((*wanted, *failed)))

    def _failed(self) -> list[float]:
        """Return the time-scales at which something does not hold, the smallest first."""
        return sorted(mu for mu, findings in self.full.items() if not holds(findings))

    def to_json(self) -> list[dict[str, Any]]:
        """Return every behaviour with where it was looked at, and whether it was shown there."""
        places: list[tuple[float | None, tuple[Finding, ...]]] = [(None, self.reduced), *self.full.items()]
        return [
            {"behaviour": one.text, "lam": one.lam, "mu": mu, "verified": one.ok}
            for mu, findings in places
            for one in findings
        ]


def holds(findings: Sequence[Finding]) -> bool:
    """Say whether something was looked at, and all of it is as wanted."""
    return bool(findings) and all(finding.ok for finding in findings)


def _line(finding: Finding, where: str) -> str:
    return f"{'verified' if finding.ok else 'not reached'}{where}: {finding.text}{finding.lam and f' ({finding.lam})'}"


Look = Callable[[float | None], tuple[Finding, ...]]


def verify(look: Look, wanted_mu: float | None, scales: Sequence[float] = MUS) -> Verification:
    """Return what `look` finds in the reduced system, and at rising time-scales for as long as that is as wanted."""
    reduced = look(None)
    seen: dict[float, tuple[Finding, ...]] = {} if wanted_mu is None else {wanted_mu: look(wanted_mu)}

    def good(mu: float) -> bool:
        if mu not in seen:
            seen[mu] = look(mu)
        return holds(seen[mu])

    largest = None
    for mu in sorted({*scales, *seen}) if holds(reduced) else ():
        if not good(mu):
            largest = None if largest is None else _between(good, largest, mu)
            break
        largest = mu
    return Verification(reduced, dict(sorted(seen.items(), reverse=True)), largest, wanted_mu)


def _between(good: Callable[[float], bool], holding: float, failing: float) -> float:
    """Return the largest time-scale that is found to hold, by bisection in the logarithm."""
    for _ in range(BISECTIONS):
        middle = math.sqrt(holding * failing)
        holding, failing = (middle, failing) if good(middle) else (holding, middle)
    return holding


def findings(
    target: Target,
    reference: Diagram | None,
    behaviours: Sequence[Behaviour],
    network: Network,
    mu: float | None,
    trace: Callable[[float | None], Diagram],
    seen: Seen | None = None,
) -> tuple[Finding, ...]:
    """Return what a network does of all that the target does, in the full system at `mu` or in the reduced one.

    `trace` returns the network's diagram there; in `seen` what was found of the target is kept.
    """
    found = [] if reference is None else _as_the_target(target, reference, network, mu, trace, seen)
    if any(not finding.ok for finding in found):
        return tuple(found)  # the rest would not change the answer
    verdicts = checked(behaviours, network, mu)
    return (*found, *(Finding(verdict.text, "", verdict.ok, verdict.error) for verdict in verdicts))


def _as_the_target(
    target: Target, reference: Diagram, network: Network, mu: float | None, trace: Callable[[float | None], Diagram],
    seen: Seen | None,
) -> list[Finding]:  # fmt: skip
    """Return the disagreements of whole diagrams, or one finding that there are none."""
    from bifrncrn.comparison.comparison import where
    from bifrncrn.comparison.judging import judged, paired_points

    low, high = reference.range
    on = f"{network.parameter} from {low:g} to {high:g}"
    try:
        learned = trace(mu)
    except ConvergenceError as error:
        return [Finding(f"no diagram: {error}", on, False)]
    quick = paired_points(reference, learned, PLACED, target.box, TIMED, outside=True)
    wrong = [Finding(f"{point.label} is missing", on, False) for point in quick.missing]
    wrong += [Finding(f"{where(point, learned.parameter)} is not the target's", on, False) for point in quick.extra]
    wrong += [_elsewhere(match, on, PLACED * (high - low)) for match in quick.matched if not match.ok]
    if wrong:
        return wrong
    whole = judged(reference, learned, PLACED, SHAPED, target.box, ("target", "network"), seen)
    slow = [
        f"the period at {reference.parameter} = {cycle.value:.4g} is {cycle.periods[1]:.5g}, the target's "
        f"{cycle.periods[0]:.5g}"
        for cycle in whole.cycles
        if abs(cycle.periods[1] / cycle.periods[0] - 1) > TIMED
    ]
    off = max((_off(cycle) for cycle in whole.cycles), default=0.0)
    if whole.verdict and not slow:
        return [Finding(_summary(whole), on, True, off)]
    return [
        Finding(text, on, False, off) for text in (*whole.reasons, *slow, *(f"not judged: {t}" for t in whole.unjudged))
    ]


def _elsewhere(match: Match, on: str, allowed: float) -> Finding:
    """Return the finding of a special point whose place, rate or state is not the target's."""
    rate, state = match.rate_error or 0.0, match.state_error or 0.0
    text = (
        f"{match.label} is {match.parameter_error:.3g} off, its rate by {100 * rate:.2g} %, its state by {state:.2g} "
        "of the region"
    )
    off = max(match.parameter_error / allowed, rate / TIMED, state / SHAPED)
    return Finding(text, on, False, math.inf if match.same_criticality is False else off)


def _off(cycle: ComparedCycle) -> float:
    """Return how far a cycle is from the target's, in units of what is allowed."""
    return max(max(cycle.hausdorff, cycle.distance) / SHAPED, abs(cycle.periods[1] / cycle.periods[0] - 1) / TIMED)


def _summary(whole: Any) -> str:
    """Say what agrees, and how nearly."""
    words = [f"{match.label} {match.parameter_error:.2g} off" for match in whole.matched]
    words.append("number and stability of equilibria and cycles as the target's")
    if whole.branch_distance is not None:
        words.append(f"branches {whole.branch_distance:.2g} of the region apart")
    if whole.cycles:
        slow = max(abs(cycle.periods[1] / cycle.periods[0] - 1) for cycle in whole.cycles)
        size = max(cycle.hausdorff for cycle in whole.cycles)
        words.append(f"cycles' periods {100 * slow:.2g} % off, their curves {size:.2g} of their size apart")
    return ", ".join(words)

"""Choose among the starts of a fit: measure, rank by diagrams, refine the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.processes import spread
from bifrncrn.base.threads import single_threaded
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.comparison.fates import LEAVES
from bifrncrn.training.fit.pins import Pinned
from bifrncrn.training.fit.start import FitOptions, Start, polish
from bifrncrn.training.fit_result import Candidate, network_of
from bifrncrn.training.ranking import Standing, behaving, standing, traced, traced_along
from bifrncrn.training.refine.cycles import follow
from bifrncrn.training.refine.defining import Wanted
from bifrncrn.training.refine.flow import Flow, cycles_of, flows_of, refine_flow
from bifrncrn.training.refine.special_points import Refined, kept, neutral_points, refine, shared, wanted_points
from bifrncrn.training.robustness import Robustness, robustness
from bifrncrn.training.targets.behaviours import Behaviour, CycleWanted, EquilibriaWanted
from bifrncrn.training.targets.sampling import Samples
from bifrncrn.training.targets.target import FieldPart, Target
from bifrncrn.training.verification import MUS, Finding, Verification, findings, holds, verify
from bifrncrn.training.weights import Weights

if TYPE_CHECKING:
    from bifrncrn.comparison.judging import Seen
    from bifrncrn.diagrams.results import Diagram

# starts that are looked at (their diagrams traced, their cycles found) at a time, and altogether
TRACED = 5
MOST = 20
# candidates that are looked at as a whole
VERIFIED = 3
# how far off one is that does all that it should: at none of the places, by nothing
ALL = (0, 0.0)
# losses closer than this, relatively, are one optimum found twice
SAME = 1e-3
# candidates that are refined
REFINED = 3
# a refinement may cost this factor in the loss
SPOILT = 2.0
# one along attractors, which share the weights with all the rest of the box, no more than this
COSTS = 2.0
# candidates that are followed along their cycles, and for how many turns, one after the other
FOLLOWED = 3
TURNS = (0.1, 0.3, 1.0, 2.0)
# a flow that is fitted costs loss: it is kept where less fails, or what fails is nearer by this factor
NEARER = 0.75
# the first entries of the key of one that has all special points exactly
EXACT = (0.0, 0.0)
# entries of a candidate's record that later stages do not change
KEPT = ("refinement", "flow", "followed", "bounded")
# random points of the box on which the held-out loss is taken
HELD_OUT = 4096


@dataclass(frozen=True, eq=False)
class Judge:
    """Everything candidates are measured by.

    Attributes
    ----------
    target : Target
    options : FitOptions
    record : dict
        The training record that networks carry.
    definition, held_out : Samples
    reference, shown : Diagram or None
        The target's diagram, if candidates are ranked by theirs, and the same with its cycles.
    behaviours : tuple of Behaviour
        What candidates are ranked by where there is no diagram, and beside it.
    pinned : Pinned
        The target's special points, as the fit was asked for them.
    jobs : int or None
        Processes, as joblib's ``n_jobs``.
    looked : dict
        What was found of which network, reduced and at time-scales.
    diagrams : dict
        Of networks that were looked at, reduced: those at a time-scale are traced from them.
    seen : dict
        What was found of the target's own cycles and trajectories.
    """

    target: Target
    options: FitOptions
    record: dict[str, Any]
    definition: Samples
    held_out: Samples
    reference: Diagram | None
    shown: Diagram | None
    behaviours: tuple[Behaviour, ...]
    pinned: Pinned
    jobs: int | None
    looked: dict[tuple[Network, float | None], tuple[Finding, ...]] = field(default_factory=dict)
    diagrams: dict[Network, Diagram] = field(default_factory=dict)
    seen: Seen = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        target: Target,
        options: FitOptions,
        record: dict[str, Any],
        reference: Diagram | None,
        shown: Diagram | None,
        behaviours: tuple[Behaviour, ...],
        pinned: Pinned,
        seed: int,
        jobs: int | None,
    ) -> Judge:
        """Return the judge of a fit with random seed `seed`, which works in `jobs` processes."""
        held_out = target.samples("sobol", HELD_OUT, seed + 1)
        return cls(target, options, record, target.definition(), held_out, reference, shown, behaviours, pinned, jobs)

    def allowing(self, spread: float) -> Judge:
        """Return the judge of a fit that allows for errors of the rates by up to `spread`."""
        return replace(self, options=replace(self.options, spread=spread), record={**self.record, "spread": spread})

    @property
    def sees(self) -> bool:
        """Whether there is anything but the loss to rank by."""
        return self.reference is not None or bool(self.behaviours)

    def standing(self, network: Network, mu: float | None = None) -> Standing | None:
        """Return how `network` compares with the target, in the full system at `mu` or in the reduced one."""
        behaviour = behaving(self.behaviours, network, mu) if self.behaviours else None
        if self.reference is None:
            return behaviour
        there = standing(self.target, self.reference, network, mu, self.target.mu if mu is None else None)
        return there if behaviour is None else there.also(behaviour)

    def candidate(self, start: Start, seen: bool, **extra: Any) -> Candidate:
        """Return `start` measured, with its standing if it is `seen`; `extra` goes into the record."""
        with single_threaded():
            kind = self.options.loss
            value, held = start.weights.loss(self.definition, kind), start.weights.loss(self.held_out, kind)
            record = {**self.record, "loss": value, "held_out": held, "start": start.index, **extra}
            network = network_of(self.target, start.weights, record)
            return Candidate(start, value, held, self.standing(network) if seen else None, network)

    def rank(self, starts: Sequence[Start]) -> list[Candidate]:
        """Return all starts as candidates, best first.

        The distinct ones of low loss are looked at, a few at a time, until one does what the target does; only the
        first few where `refine` can mend them.
        """
        found: dict[int, Candidate] = {}
        most = TRACED if flows_of(self.target, self.behaviours) else MOST
        ordered = distinct(sorted(starts, key=lambda start: start.loss))[:most] if self.sees else []
        for at in range(0, len(ordered), TRACED):
            seen = self._spread(self.candidate, [(start, True) for start in ordered[at : at + TRACED]])
            found |= {candidate.start.index: candidate for candidate in seen}
            if any(shows_all(candidate) for candidate in seen):
                break
        every = (found.get(start.index) or self.candidate(start, False) for start in starts)
        return sorted(every, key=lambda c: c.key)

    def follow(self, candidates: Sequence[Candidate], data: Samples) -> list[Candidate]:
        """Return the candidates ranked anew, those of lowest loss taught to stay near wanted cycles (see `following`).

        Only where attracting cycles of no given period are wanted, and those that miss something though their loss is
        lower than that of the best one that does not.
        """
        cycles = [one for one in self.behaviours if isinstance(one, CycleWanted) and one.attracts and not one.period]
        if not cycles:
            return list(candidates)
        enough = candidates[0].loss if shows_all(candidates[0]) else np.inf
        seen = sorted((c for c in candidates if c.standing is not None and c.loss < enough), key=lambda c: c.loss)
        followed = self._spread(self._followed, [(candidate, data, cycles) for candidate in seen[:FOLLOWED]])
        done = {candidate.start.index: candidate for candidate in followed}
        return sorted((done.get(c.start.index, c) for c in candidates), key=lambda c: c.key)

    def refine(self, candidates: Sequence[Candidate], data: Samples) -> list[Candidate]:
        """Return the candidates ranked anew, the first ones with their special points moved onto the target's.

        Only candidates that have the right special points are refined, for moving those removes no wrong one; but of a
        target with branch points, which a fit breaks, others too.
        """
        if self.reference is None and not self._neutral((0.0,), False):
            return self._refine_flows(candidates, data)
        worth = [c for c in candidates if c.standing is not None and (self._breaks or not c.standing.misplaced)]
        done: dict[int, Candidate] = {}
        for candidate in worth[:REFINED]:
            if any(c.key[:2] == EXACT and c.loss <= candidate.loss for c in done.values()):
                continue  # it could be as exact, but for a loss above its own
            done[candidate.start.index] = self._refined(candidate, data)
        return sorted((done.get(c.start.index, c) for c in candidates), key=lambda c: c.key)

    @property
    def _breaks(self) -> bool:
        """Whether the target has branch points, and a fit breaks them: where symmetry does not keep them."""
        points = () if self.reference is None else self.reference.special_points
        return len(self.options.exchanges) < 2 and any(point.label == "BP" for point in points)

    def _refine_flows(self, candidates: Sequence[Candidate], data: Samples) -> list[Candidate]:
        """Return the candidates ranked anew, the flow of some along the target's attractors fitted to the target's.

        Nothing is to be done where one does what the target does; else those of lowest loss are refined until one does.
        """
        flows = flows_of(self.target, self.behaviours)
        if not flows or any(shows_all(c) for c in candidates):
            return list(candidates)
        done = {c.start.index: c for c in candidates}
        for candidate in sorted((c for c in candidates if c.standing is not None), key=lambda c: c.loss)[:REFINED]:
            refined = self._flowing(candidate, data, flows)
            done[candidate.start.index] = refined
            if shows_all(refined):
                break
        return sorted(done.values(), key=lambda c: c.key)

    def chosen(
        self,
        candidates: Sequence[Candidate],
        data: Samples,
        refine: bool,
        robust: float | None,
    ) -> list[Candidate]:
        """Return the candidates with that of the best behaviour first.

        The first few, of those with the right special points, are looked at as a whole until one does all of it. If
        none does and `refine`, their flow along the target's cycles is fitted to the target's, and they are looked at
        again. With `robust` the first few are looked at in the order of how many copies keep the behaviour.
        """
        if candidates[0].standing is None:
            return list(candidates)
        worth = [c for c in candidates if c.standing is not None and not c.standing.wrong][:VERIFIED] or candidates[:1]
        if robust is not None:
            worth = sorted(worth, key=lambda c: -self.robustness(c, robust).share)
        best, off = self._first(worth)
        assert best is not None
        flows = self._cycle_flows() if off > ALL and refine else ()
        if flows:
            again, nearer = self._first(self._cycling(best, data, flows))
            best = again if again is not None and nearer < (off[0], NEARER * off[1]) else best
        return [best, *(c for c in candidates if c.start.index != best.start.index)]

    def verification(self, best: Candidate) -> Verification | None:
        """Return all that is found out about a candidate's behaviour."""
        if best.standing is None:
            return None
        critical = any(isinstance(one, EquilibriaWanted) and one.critical for one in self.behaviours)
        mu = self.target.mu
        return verify(partial(self._found, best.network), mu, (mu,) if critical and mu is not None else MUS)

    def strays(self, candidate: Candidate) -> bool:
        """Say whether trajectories of a candidate, right else, leave the region for good where the target's do not."""
        if self.reference is None or not shows_all(candidate):
            return False
        return any(LEAVES in finding.text for finding in self._found(candidate.network, None) if not finding.ok)

    def robustness(self, candidate: Candidate, spread: float) -> Robustness:
        """Return how many copies of a candidate with rates off by up to `spread` keep the kind of its behaviour."""
        return robustness(
            self.target, candidate.network, self.reference, self.behaviours, spread=spread, seed=self.record["seed"]
        )

    def noted(self, candidate: Candidate, **extra: Any) -> Candidate:
        """Return the candidate with more in its network's record."""
        network = candidate.network
        record = {**network.training, **extra}
        return replace(candidate, network=network_of(self.target, candidate.start.weights, record))

    def kept_points(self, fitted: Candidate) -> tuple[Wanted, ...]:
        """Return the special points that a refinement has put where they are wanted."""
        done = fitted.network.training.get("refinement")
        return kept(self._wanted(done["mu"], done["held"]), fitted.start.weights) if done else ()

    def unless_spoilt(
        self, fitted: Candidate, weights: Weights, data: Samples, costs: float, **extra: Any
    ) -> Candidate:
        """Return the candidate with other weights, or as it was where they cost more or do less."""
        kept = {name: fitted.network.training[name] for name in KEPT if name in fitted.network.training}
        moved = replace(fitted.start, weights=weights, loss=weights.loss(data, self.options.loss))
        changed = self.candidate(moved, True, **extra, **kept)
        assert fitted.standing is not None and changed.standing is not None
        if changed.loss > costs * fitted.loss or changed.standing.key > fitted.standing.key:
            return fitted
        return fitted if self._first([fitted])[1] < self._first([changed])[1] else changed

    def _first(self, candidates: Iterable[Candidate]) -> tuple[Candidate | None, tuple[int, float]]:
        """Return the first candidate that does all of it, or the nearest, and how far off that is."""
        best: Candidate | None = None
        least = (len(self._places), np.inf)
        for candidate in candidates:
            off = self.off(candidate)
            if best is None or off < least:
                best, least = candidate, off
            if off == ALL:
                break
        return best, least

    @property
    def _places(self) -> tuple[float | None, ...]:
        """Where a candidate is to do all of it: in the reduced system, and at the time-scale the target asks for."""
        return (None,) if self.target.mu is None else (None, self.target.mu)

    def off(self, candidate: Candidate) -> tuple[int, float]:
        """Return at how many of the places a candidate fails, and how far off it is where it is furthest."""
        failed, worst = 0, 0.0
        for mu in self._places:
            found = self._found(candidate.network, mu)
            if not holds(found):
                failed, worst = failed + 1, max(worst, *(one.off for one in found if not one.ok))
            if worst == np.inf:
                return len(self._places), worst
        return failed, worst

    def _found(self, network: Network, mu: float | None) -> tuple[Finding, ...]:
        """Return what a network does, looked at once."""
        if (network, mu) not in self.looked:
            with single_threaded():
                trace = partial(self._traced, network)
                what = (self.target, self.shown, self.behaviours)
                self.looked[network, mu] = findings(*what, network, mu, trace, self.seen)
        return self.looked[network, mu]

    def _traced(self, network: Network, mu: float | None) -> Diagram:
        """Return a network's diagram over the target's range, in the full system at `mu` or in the reduced one."""
        assert self.shown is not None
        if network not in self.diagrams:
            self.diagrams[network] = traced(self.target, self.shown, network, None)
        return self.diagrams[network] if mu is None else traced_along(self.diagrams[network], network, mu)

    def _cycle_flows(self) -> tuple[Flow, ...]:
        """Return the flows along the target's cycles over its range, to be had reduced and at the target's mu."""
        flows = flows_of(self.target, cycles_of(self.shown, self.target.sizes[1]))
        slow = [] if self.target.mu is None else [replace(flow, mu=self.target.mu) for flow in flows]
        return (*flows, *slow)

    def _cycling(self, fitted: Candidate, data: Samples, flows: tuple[Flow, ...]) -> Iterator[Candidate]:
        """Yield the candidate with its flow along the target's cycles nearer and nearer to the target's.

        Its special points stay where they are wanted.
        """
        done = fitted.network.training.get("refinement", {})
        wanted = kept(self._wanted(done.get("mu", (0.0,)), done.get("held", True)), fitted.start.weights)
        stages = refine_flow(fitted.start.weights, data, self.options.loss, flows, COSTS, self.options.bound, wanted)
        for miss, weights in stages:
            loss = weights.loss(data, self.options.loss)
            if wanted:
                with single_threaded():
                    outcome = self.moved(weights, data, wanted)
                if not outcome.converged:
                    continue
                weights, loss = outcome.weights, outcome.after
            record = {"refinement": done} if done else {}
            moved = replace(fitted.start, weights=weights, loss=loss)
            stage = self.candidate(moved, True, flow={"miss": miss, "loss_before": fitted.loss}, **record)
            if stage.loss <= SPOILT * fitted.loss and stage.standing is not None and not stage.standing.wrong:
                yield stage

    def _spread(self, call: Callable[..., Candidate], tasks: Sequence[tuple[Any, ...]]) -> list[Candidate]:
        """Return the outcome of `call` for every one of `tasks`, in order, computed in as many processes as allowed."""
        return list(spread(call, tasks, self.jobs))

    def _followed(self, fitted: Candidate, data: Samples, cycles: Sequence[CycleWanted]) -> Candidate:
        """Return the best that the candidate becomes when it is followed for longer and longer, or as it was."""
        best, start = fitted, fitted.start
        for turns in TURNS:
            with single_threaded():
                weights = follow(start.weights, data, self.options.loss, start.ridge, cycles, turns, self.options.bound)
            start = replace(start, weights=weights)
            candidate = self.candidate(start, True, followed=turns)
            best = min(best, candidate, key=lambda c: c.key)
            if candidate.standing is not None and not candidate.standing.wrong:
                break
        return best

    def _refined(self, fitted: Candidate, data: Samples) -> Candidate:
        """Return the candidate refined in the reduced system and at the target's mu at once, or in the reduced one.

        As it was, when that fails, spoils the loss or the diagram.
        """
        assert fitted.standing is not None
        done = {"loss_before": fitted.loss, "error_before": fitted.standing.error}
        for mus, held, both, start in self._attempts(fitted, data):
            wanted = shared(self._wanted(mus, held), start.weights, both)
            if not wanted:
                break
            with single_threaded():
                outcome = self.moved(start.weights, data, wanted)
            if not outcome.converged or outcome.after > SPOILT * outcome.before:
                continue
            moved = replace(start, weights=outcome.weights, loss=outcome.after)
            record = {"mu": list(mus), "held": held, **done}
            refined = self.candidate(moved, True, refinement=record)
            better = refined.standing is not None and refined.standing.key <= fitted.standing.key
            if better and refined.loss <= SPOILT * fitted.loss:
                return refined
        return fitted

    def moved(self, weights: Weights, data: Samples, wanted: Sequence[Wanted]) -> Refined:
        """Return the weights with the special points where they are wanted."""
        options = self.options
        return refine(weights, data, options.loss, wanted, rate_bound=options.bound, spread=options.spread)

    def _wanted(self, mus: Sequence[float], held: bool) -> tuple[Wanted, ...]:
        """Return what a refinement asks for: the special points of a diagram, or equilibria on the verge."""
        if self.reference is None:
            return self._neutral(mus, held)
        points = [point for point in self.reference.special_points if point.label != "BP" or self._breaks]
        return wanted_points(self.target, points, mus, held)

    def _neutral(self, mus: Sequence[float], held: bool) -> tuple[Wanted, ...]:
        systems = {
            row: part.system.with_(values=dict(zip(part.names, row)) or None)
            for part in self.target.parts
            if isinstance(part, FieldPart)
            for row in part.lam
        }
        return neutral_points(self.behaviours, systems, mus, held)

    def _attempts(self, fitted: Candidate, data: Samples) -> Iterator[tuple[tuple[float, ...], bool, bool, Start]]:
        """Yield what to try, the best outcome first.

        The time-scales of a refinement, whether states and frequencies are held too, whether frequencies are to be near
        at the first time-scale and the last (see `shared`), and where it begins.
        """
        if self.target.mu:
            ends = (0.0, self.target.mu)
            # of many weights and a tiny loss it cannot find the few that keep Hopf points where they are; a fit can
            steady = polish(data, self.options, fitted.start, self.pinned.steady(fitted.start.weights))
            for both in (True, False):
                yield ends, True, both, fitted.start
                yield ends, True, both, steady
            yield ends, False, False, fitted.start
            yield ends, False, False, steady
        yield (0.0,), True, False, fitted.start
        yield (0.0,), False, False, fitted.start

    def _flowing(self, fitted: Candidate, data: Samples, flows: tuple[Flow, ...]) -> Candidate:
        """Return the first stage of the refinement along the flows that does what the target does, or the best."""
        best = fitted
        stages = refine_flow(fitted.start.weights, data, self.options.loss, flows, COSTS, self.options.bound)
        for miss, weights in stages:
            done = {"miss": miss, "loss_before": fitted.loss}
            stage = self.candidate(replace(fitted.start, weights=weights), True, flow=done)
            best = min(best, stage, key=lambda c: c.key)
            if shows_all(stage):
                return stage
        return best


def shows_all(candidate: Candidate) -> bool:
    """Say whether a candidate was looked at and does what the target does."""
    return candidate.standing is not None and not candidate.standing.wrong


def distinct(ordered: Sequence[Start]) -> list[Start]:
    """Return the starts without those that found the same optimum as the one before (an equal loss)."""
    kept: list[Start] = []
    for start in ordered:
        if not kept or start.loss > kept[-1].loss * (1 + SAME):
            kept.append(start)
    return kept

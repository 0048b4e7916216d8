"""Choose among the starts of a fit: measure, rank by diagrams, refine the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.rncrn.fit import Candidate
from bifrncrn.rncrn.fitter import Start
from bifrncrn.rncrn.network import Network
from bifrncrn.rncrn.ranking import standing
from bifrncrn.rncrn.refinement import refine, wanted_points
from bifrncrn.rncrn.sampling import Samples
from bifrncrn.rncrn.target import Target
from bifrncrn.rncrn.threads import single_threaded
from bifrncrn.rncrn.weights import Weights

if TYPE_CHECKING:
    from bifrncrn.results import Diagram

# starts whose diagrams are traced
TRACED = 5
# losses closer than this, relatively, are one optimum found twice
SAME = 1e-3
# candidates that are refined
REFINED = 3
# a refinement may cost this factor in the loss
SPOILT = 2.0
# random points of the box on which the held-out loss is taken
HELD_OUT = 4096


@dataclass(frozen=True, eq=False)
class Judge:
    """Everything candidates are measured by.

    Attributes
    ----------
    target : Target
    loss : {"field", "relative"}
    record : dict
        The training record that networks carry.
    definition, held_out : Samples
    reference : Diagram or None
        The target's diagram, if candidates are ranked by theirs.
    """

    target: Target
    loss: str
    record: dict[str, Any]
    definition: Samples
    held_out: Samples
    reference: Diagram | None

    @classmethod
    def of(cls, target: Target, loss: str, record: dict[str, Any], reference: Diagram | None, seed: int) -> Judge:
        """Return the judge of a fit with random seed `seed`."""
        return cls(target, loss, record, target.definition(), target.samples("sobol", HELD_OUT, seed + 1), reference)

    def candidate(self, start: Start, traced: bool, **extra: Any) -> Candidate:
        """Return `start` measured, with its diagram's standing if `traced`; `extra` goes into the record."""
        value, held = start.weights.loss(self.definition, self.loss), start.weights.loss(self.held_out, self.loss)
        record = {**self.record, "loss": value, "held_out": held, "start": start.index, **extra}
        network = network_of(self.target, start.weights, record)
        compared = standing(self.target, self.reference, network) if traced and self.reference is not None else None
        return Candidate(start, value, held, compared, network)

    def rank(self, starts: Sequence[Start]) -> list[Candidate]:
        """Return all starts as candidates, best first; only the distinct ones of low loss are traced."""
        chosen = {start.index for start in distinct(sorted(starts, key=lambda start: start.loss))[:TRACED]}
        return sorted((self.candidate(start, start.index in chosen) for start in starts), key=lambda c: c.key)

    def refine(self, candidates: Sequence[Candidate], data: Samples) -> list[Candidate]:
        """Return the candidates ranked anew, the first ones with their special points moved onto the target's.

        Only candidates that have the right special points are refined, for moving those removes no wrong one; of them
        the ones of lowest loss, for after it all are equally far off.
        """
        if self.reference is None:
            return list(candidates)
        worth = sorted((c for c in candidates if c.standing is not None and not c.standing.wrong), key=lambda c: c.loss)
        done = {c.start.index: self._refined(c, data) for c in worth[:REFINED]}
        return sorted((done.get(c.start.index, c) for c in candidates), key=lambda c: c.key)

    def _refined(self, fitted: Candidate, data: Samples) -> Candidate:
        """Return the candidate refined in the reduced system and at the target's mu at once, or in the reduced one.

        As it was, when that fails, spoils the loss or the diagram.
        """
        assert self.reference is not None and fitted.standing is not None
        for mus in ((0.0, self.target.mu), (0.0,)) if self.target.mu else ((0.0,),):
            wanted = wanted_points(self.target, self.reference.special_points, mus)
            if not wanted:
                break
            with single_threaded():
                outcome = refine(fitted.start.weights, data, self.loss, wanted)
            if not outcome.converged or outcome.after > SPOILT * outcome.before:
                continue
            done = {"mu": list(mus), "loss_before": fitted.loss, "error_before": fitted.standing.error}
            refined = self.candidate(replace(fitted.start, weights=outcome.weights), True, refinement=done)
            better = refined.standing is not None and refined.standing.key <= fitted.standing.key
            if better and refined.loss <= SPOILT * fitted.loss:
                return refined
        return fitted


def distinct(ordered: Sequence[Start]) -> list[Start]:
    """Return the starts without those that found the same optimum as the one before (an equal loss)."""
    kept: list[Start] = []
    for start in ordered:
        if not kept or start.loss > kept[-1].loss * (1 + SAME):
            kept.append(start)
    return kept


def network_of(target: Target, weights: Weights, record: dict[str, Any]) -> Network:
    """Return the network of fitted weights, started where the target says."""
    return Network(
        alpha=weights.alpha,
        omega=weights.omega,
        psi=weights.psi,
        theta=weights.theta,
        beta=weights.beta,
        state=np.array(target.state) if target.state else 1.0,
        lam=np.array(target.lam, dtype=float),
        mu=target.mu,
        title=f"{target.name}, learned",
        training=record,
    )

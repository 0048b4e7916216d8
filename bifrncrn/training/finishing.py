"""Last touches to the best candidate of a fit: a field that points inward, no idle rates.

Neither may spoil what the candidate does.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifrncrn.base.threads import single_threaded
from bifrncrn.training.fit_result import Candidate
from bifrncrn.training.judge import SPOILT, Judge
from bifrncrn.training.outward import Walls, look_outward
from bifrncrn.training.refine.bounding import bound
from bifrncrn.training.refine.pruning import pruned
from bifrncrn.training.targets.sampling import Samples
from bifrncrn.training.weights import Weights

# leaving idle rates out may cost this share of the loss
IDLE = 0.01


def finished(judge: Judge, candidates: Sequence[Candidate], data: Samples, walls: Walls | None) -> list[Candidate]:
    """Return the candidates, the first one finished; one of which nothing is known but its loss is left as it is."""
    best, *rest = candidates
    if best.standing is not None:
        best = best if walls is None else _bounded(judge, best, data, walls)
        best = _pruned(judge, best, data)
    return [best, *rest]


def _held(judge: Judge, fitted: Candidate, weights: Weights, data: Samples) -> Weights | None:
    """Return weights with the special points where a refinement of the candidate has put them; None if that fails."""
    wanted = judge.kept_points(fitted)
    if not wanted:
        return weights
    with single_threaded():
        outcome = judge.moved(weights, data, wanted)
    return outcome.weights if outcome.converged else None


def _bounded(judge: Judge, fitted: Candidate, data: Samples, walls: Walls) -> Candidate:
    """Return the candidate with its field turned inward on the walls, or as it was where that spoils something."""
    if look_outward(fitted.network, walls).bounded:
        return fitted
    options = judge.options
    with single_threaded():
        limits = (options.bound, options.spread)
        weights = bound(fitted.start.weights, data, options.loss, walls, judge.kept_points(fitted), *limits)
    if weights is None:
        return fitted
    return judge.unless_spoilt(fitted, weights, data, SPOILT, bounded={"loss_before": fitted.loss})


def _pruned(judge: Judge, fitted: Candidate, data: Samples) -> Candidate:
    """Return the candidate without rates that contribute nothing, the rest refitted, or as it was."""
    weights = pruned(fitted.start.weights, data, judge.options.loss)
    if weights is not None:
        weights = _held(judge, fitted, weights, data)
    if weights is None:
        return fitted
    return judge.unless_spoilt(fitted, weights, data, 1 + IDLE, pruned=True)

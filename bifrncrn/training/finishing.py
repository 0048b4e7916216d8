"""Last touches to the best candidate of a fit: terms that cancel less, a field that points inward, no idle rates.

None of them may spoil what the candidate does.
"""

from __future__ import annotations

from collections.abc import Sequence

from bifrncrn.base.threads import single_threaded
from bifrncrn.training.fit.start import Start, polish
from bifrncrn.training.fit_result import Candidate
from bifrncrn.training.judge import ALL, SPOILT, Judge, shows_all
from bifrncrn.training.outward import Walls, look_outward
from bifrncrn.training.refine.bounding import bound
from bifrncrn.training.refine.pruning import pruned
from bifrncrn.training.targets.sampling import Samples
from bifrncrn.training.weights import Weights

# leaving idle rates out may cost this share of the loss
IDLE = 0.01
# shares of the errors of the rates asked for that are allowed for at last, rising, each from where the one before led
PARTS = (0.001, 0.003, 0.01, 0.03)


def finished(
    judge: Judge, candidates: Sequence[Candidate], data: Samples, walls: Walls | None, robust: float | None
) -> list[Candidate]:
    """Return the candidates, the first one finished; one of which nothing is known but its loss is left as it is."""
    best, *rest = candidates
    if best.standing is not None:
        if robust is not None and not judge.options.spread:
            judge, best = _steadied(judge, best, data, robust)
        best = best if walls is None else _bounded(judge, best, data, walls)
        best = _pruned(judge, best, data)
    return [best, *rest]


def _steadied(judge: Judge, fitted: Candidate, data: Samples, robust: float) -> tuple[Judge, Candidate]:
    """Return the candidate with terms that cancel each other less, so that errors of its rates do less, and its judge.

    The loss to be expected with errors of the rates (see `noise`) is minimised for larger and larger ones, far below
    those asked for, and of these the largest is taken with which the network still does all that it should.
    """
    if judge.off(fitted) != ALL:
        return judge, fitted
    stages: list[tuple[Judge, Start]] = []
    start = fitted.start
    for part in PARTS:
        allowing = judge.allowing(part * robust)
        start = polish(data, allowing.options, start, judge.pinned)
        stages.append((allowing, start))
    for allowing, start in reversed(stages):
        weights = _held(allowing, fitted, start.weights, data)
        steady = None if weights is None else allowing.changed(fitted, weights, data)
        if steady is not None and shows_all(steady) and allowing.off(steady) == ALL:
            return allowing, steady
    return judge, fitted


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

"""What a reader of a fit should know beside its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrncrn.chemistry.networks.chemist import WIDE, rate_constants
from bifrncrn.training.fit_result import Candidate
from bifrncrn.training.judge import shows_all
from bifrncrn.training.symmetry import moves_of
from bifrncrn.training.verification import Verification

if TYPE_CHECKING:
    from bifrncrn.diagrams.results import Diagram

# a fit whose loss by definition is this much above that on its samples is wrong between them; weights do less
OVERFITTED = 100.0


def noted(
    best: Candidate,
    verification: Verification | None,
    robust: float | None,
    reference: Diagram | None,
    ranked: bool,
) -> tuple[str, ...]:
    """Return sentences on the best of a fit; `ranked` says whether diagrams and behaviours were to be looked at."""
    return (
        *_notes(best, ranked),
        *_short(best, verification),
        *_expecting(best, robust),
        *_symmetric(best, reference),
        *_overfitted(best),
        *_spread(best),
    )


def _notes(best: Candidate, ranked: bool) -> tuple[str, ...]:
    """Return what a reader should know about the outcome."""
    if best.standing is None:
        words = "the target has no diagram or behaviour to compare with, so the starts are ranked by loss alone"
        return (words,) if ranked else ()
    if best.standing.missed:
        return ("the target is not reached: no start shows all that is wanted; try more seeds or more perceptrons",)
    if best.standing.wrong:
        words = "the target is not reached: no start has just its special points"
        return (f"{words}; try more seeds, more perceptrons or more samples",)
    flow, done = best.network.training.get("flow"), best.network.training.get("refinement")
    if flow is not None:
        return (
            "the flow along the target's attractor was fitted to the target's: after a turn it is "
            f"{flow['miss']:.2g} of the attractor's size off; the loss was {flow['loss_before']:.4g} before",
        )
    if done is None:
        return ()
    where = " and ".join(f"at mu = {mu:g}" if mu else "in the reduced system" for mu in done["mu"])
    return (
        f"special points moved onto the target's {where}; by fitting alone they were {done['error_before']:.3g} off, "
        f"at a loss of {done['loss_before']:.4g}",
    )


def _short(best: Candidate, verification: Verification | None) -> tuple[str, ...]:
    """Say what to try where what was looked for first is right, and the rest of it is not.

    A toggle switch whose folds were right with five perceptrons had its branches 15 % off, with eight it did all of it.
    """
    if verification is None or verification.reached or not shows_all(best):
        return ()
    return (
        "the special points, or what stands for them, are the target's, but not all else; more perceptrons (half as "
        "many again) lower the loss, and with it how far branches and cycles are off",
    )


def _expecting(best: Candidate, robust: float | None) -> tuple[str, ...]:
    """Say which errors of the rates the loss allowed for, where it was asked to."""
    if not robust:
        return ()
    errors = best.network.training["spread"]
    if not errors:
        words = "no network that was fitted with errors of the rates in mind does what the target does"
        return (f"{words}; this one was fitted without",)
    return (f"fitted with errors of every rate by up to {100 * errors:g} % in mind",)


def _symmetric(best: Candidate, reference: Diagram | None) -> tuple[str, ...]:
    """Say what keeps branch points: that exchanging species leaves the network unchanged, or its very rates."""
    moves = moves_of(best.start.weights)[1:]
    points = () if reference is None else reference.special_points
    if not moves and shows_all(best) and any(point.label == "BP" for point in points):
        return ("branch points are there for just these rates; where rates are off, they become folds or nothing",)
    if not moves:
        return ()
    orders = "; ".join(", ".join(f"x{k + 1}" for k in exchange) for exchange, _ in moves)
    return (
        f"the network is unchanged when its species are exchanged (their orders: {orders}), as the target is, whose "
        "branch points need that; where rates are off, a branch point becomes a fold",
    )


def _overfitted(best: Candidate) -> tuple[str, ...]:
    """Return a warning when the loss by definition has nothing to do with the one on the samples."""
    if best.loss <= OVERFITTED * best.start.loss:
        return ()
    return ("the loss by definition is far above that on the samples: take more samples or fewer perceptrons",)


def _spread(best: Candidate) -> tuple[str, ...]:
    """Return a warning when the rates spread further than a laboratory can build."""
    rates = rate_constants(best.network)
    if max(rates) <= WIDE * min(rates):
        return ()
    words = f"the rate constants spread over {max(rates) / min(rates):.2g}, which is hard to build"
    return (f"{words}; a rate_bound, or fewer perceptrons, may help",)

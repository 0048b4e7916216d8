"""Train a network on a target: many starts, ranked by what their diagrams do."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.checks import number, whole
from bifrncrn.base.errors import InputError
from bifrncrn.base.processes import spread
from bifrncrn.base.progress import progress as shown
from bifrncrn.comparison.judging import completed
from bifrncrn.training.finishing import finished
from bifrncrn.training.fit import checkpoint
from bifrncrn.training.fit.excursions import with_excursions
from bifrncrn.training.fit.focus import focused, focused_attractors
from bifrncrn.training.fit.hopping import hopped
from bifrncrn.training.fit.pins import Pinned, pins_at, pins_beside_curves
from bifrncrn.training.fit.start import FitOptions, Start, beta_floor, polish, run_start
from bifrncrn.training.fit_result import Candidate, Fit
from bifrncrn.training.judge import Judge, distinct, shows_all
from bifrncrn.training.notes import noted
from bifrncrn.training.outward import Walls, look_outward, walls_of
from bifrncrn.training.ranking import target_diagram
from bifrncrn.training.robustness import SPREAD, Robustness
from bifrncrn.training.symmetry import Exchange, exchanges_of
from bifrncrn.training.targets.behaviours import Behaviour
from bifrncrn.training.targets.sampling import Samples
from bifrncrn.training.targets.target import LOSSES, Target
from bifrncrn.training.targets.wanted import behaviours_of, loops_of
from bifrncrn.training.verification import PLACED, Verification

if TYPE_CHECKING:
    from bifrncrn.diagrams.results import Diagram
    from bifrncrn.proofs.result import Proof

# starts with the lowest losses that are polished
SHORTLIST = 3
# starts from which better ones are looked for where none does what the target does
HOPPED = 5
# shares of the error of the rates that is asked for, one after the other, that a fit allows for: a network that does
# less than its target for being robust to all of it may do all of it at a part
SPREADS = (1.0, 0.5, 0.25, 0.1, 0.0)
# rates of change whose squares leave the range of numbers, or nearly
EXTREME = (1e-100, 1e100)

# where fewer copies than this share keep the behaviour, smaller errors of the rates are looked at too
FRAGILE, LEAST = 0.5, 0.01

Progress = Callable[[int, int, Start], None]


def train(
    target: Target,
    *,
    perceptrons: int | None = None,
    seeds: int = 10,
    seed: int = 0,
    loss: str | None = None,
    ridge: float | None = None,
    rate_bound: float | None = None,
    method: str = "grid",
    samples: int | None = None,
    rank: str = "diagram",
    focus: float = 0.9,
    refine: bool = True,
    jobs: int | None = None,
    evaluations: int = 400,
    seconds: float | None = None,
    checkpoints: str | None = None,
    progress: Progress | None = None,
    prove: bool = False,
    bounded: bool = True,
    robust: float | None = None,
) -> Fit:
    """Train a network on `target` and return the ranked outcome of all starts.

    alpha and beta are eliminated by variable projection, the inputs of the perceptrons are found by
    `scipy.optimize.least_squares` with the exact Jacobian; gamma = tau = 1. Of a target that has branch points and is
    unchanged when species are exchanged, networks are made that are unchanged too (`bifrncrn.training.symmetry`). The
    starts with the lowest losses are polished, and ranked by comparing their diagrams with the target's: the number of
    special points that are missing, extra or of another criticality, then how far off they are (parameters in steps of
    half a percent of the range, frequencies, states), then the loss, then the spread of the rates; homoclinic orbits
    that the target is known to have are looked for as well. Where no start does what the target does, better ones are
    looked for from the best, one perceptron after the other replaced. Targets without a diagram (curves, an ODE at one
    value) are ranked by what they ask for instead: cycles near the designed curves, equilibria and their stability,
    periods (see `behaviours_of`).

    Parameters
    ----------
    target : Target
        For instance `library.hopf()`.
    perceptrons : int, optional
        Number of perceptrons; the default is the target's.
    seeds : int
        Number of starts. Start k depends on `seed` and k only, not on how many there are or where they run.
    seed : int
        Of all random numbers.
    loss : {"field", "relative"}, optional
        The default is the target's.
    ridge : float, optional
        Penalty on the sum of squares of alpha, relative to the target's mean square. By default it follows the loss
        down, so that the penalty is a fiftieth of the loss, for as long as that lowers the loss.
    rate_bound : float, optional
        No alpha, omega, psi, theta or beta becomes larger than this in size (in the full network those of the
        perceptrons are divided by mu). The search keeps inside; a refinement that would not is left out, and
        so is symmetry.
    method : {"grid", "sobol", "lhs"}
        How the boxes are sampled.
    samples : int, optional
        Samples a side (grid) or altogether, for each value of the parameter species; the default is the target's.
    rank : {"diagram", "loss"}
        ``"loss"`` leaves diagrams and behaviours out.
    focus : float
        Share F of the weight that samples close about the target's special points carry (a third of it, those along
        its cycles), from 0 to below 1; the value and the Jacobian at the points themselves weigh (F/(1 - F))^2 times
        as much as all samples. With 0 a fit has special points a hundred times further off, at about the same loss.
        Only with ``rank="diagram"``.
    refine : bool
        Move the best network's special points exactly onto the target's afterwards (see `refinement`): in the reduced
        system and, where that costs less than a factor of ten in the loss, at the target's time-scale as well. Where
        the target is an ODE with a cycle or chaos, and no start shows it, fit the flow along it to the target's
        instead (see `flow`). Only with ``rank="diagram"``.
    jobs : int, optional
        Processes for the starts, as joblib's ``n_jobs``; None obeys `joblib.parallel_config` and is 1 outside of one.
    evaluations : int
        Limit of evaluations for each descent.
    seconds : float, optional
        Time limit of each start; a fit that meets it is not reproducible. It returns the best it had.
    checkpoints : str, optional
        An existing folder: every finished start is kept in it, and not computed again when the same call is repeated.
    progress : callable, optional
        Called with (number done, number of starts, the start just done), in the order of completion.
    bounded : bool
        Turn the best network's field inward on the sides of a box twice as large as what it was taught, where that
        costs less than a factor of two in the loss and none of the behaviour. The report says what became of it.
    robust : float, optional
        Minimise the loss that is to be expected when every rate is multiplied by a factor of its own, uniform in
        1 +- this, and prefer, of the starts that do what the target does, the one of which most copies keep doing it.
        Where none does, half of that error is taken, then a quarter, a tenth, none: up to five fits in place of one.
        The share of copies is in every report.
    prove : bool
        Also prove which equilibria, folds and Hopf points the best network has, reduced, in the target's box.

    Raises
    ------
    InputError
        If an option is out of range, a sample is not finite or outside the positive orthant, or there are
        fewer samples than unknowns.

    Examples
    --------
    >>> from bifrncrn import library
    >>> fit = train(library.get("uni_bistable"), seeds=1, rank="loss")
    >>> fit.network.sizes
    (1, 4, 1)
    """
    began = time.perf_counter()
    options = _options(target, perceptrons, loss, ridge, rate_bound, evaluations, seconds)
    _check(options, rank, focus, robust)
    _check_counts(seeds, seed, samples, jobs)
    data = target.training_samples(method, samples, seed)
    _check_size(data, options.perceptrons)
    _check_bound(data, options.rate_bound)
    asked = _Asked.of(target, rank, focus, data)
    options = options if options.rate_bound is not None else replace(options, exchanges=asked.exchanges(target))
    walls = walls_of(target)
    record = _record(target, options, asked.data, method, seeds, seed)
    judge = Judge.of(target, options, record, asked.reference, asked.shown, asked.wanted, asked.pinned, seed, jobs)
    for share in SPREADS if robust else (0.0,):
        judge = judge.allowing(share * (robust or 0.0))
        candidates, verification = _found(
            judge, data, asked, checkpoints, progress, refine, walls if bounded else None, robust
        )
        if verification is None or verification.reached:
            break
    if verification is not None:
        usable = {"reached": verification.reached, "largest_mu": verification.largest_mu}
        candidates[0] = judge.noted(candidates[0], **usable)
    best = candidates[0]
    notes = noted(best, verification, robust, asked.reference, rank == "diagram")
    proof = _proof(best, target) if prove else None
    outward, copies = look_outward(best.network, walls), _copies(judge, best, robust)
    took = time.perf_counter() - began
    return Fit(target, tuple(candidates), judge.record, took, notes, verification, proof, outward, copies)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What a fit is asked for beside its samples.

    Attributes
    ----------
    reference, shown : Diagram or None
        The target's diagram, and the same with its cycles.
    wanted : tuple of Behaviour
    data : Samples
        With more weight where the target bifurcates and along its attractors. Random starts are not fitted to these:
        the weight makes more poor local minima for them to fall into.
    pinned : Pinned
    """

    reference: Diagram | None
    shown: Diagram | None
    wanted: tuple[Behaviour, ...]
    data: Samples
    pinned: Pinned

    @classmethod
    def of(cls, target: Target, rank: str, focus: float, data: Samples) -> _Asked:
        """Return what `target` asks for; with ``rank="loss"`` nothing."""
        if rank != "diagram":
            return cls(None, None, (), data, Pinned((), 0.0))
        weight = (focus / (1 - focus)) ** 2
        reference = target_diagram(target)
        if reference is None:
            wanted = behaviours_of(target)
            rests = pins_beside_curves(target) if focus > 0 else ()
            return cls(None, None, wanted, focused_attractors(target, data, wanted, focus), Pinned(rests, weight))
        wanted = loops_of(target)
        data = focused_attractors(target, focused(target, data, reference.special_points, focus), wanted, focus)
        pins = pins_at(target, reference.special_points) if focus > 0 else ()
        return cls(reference, completed(reference, PLACED, target.box), wanted, data, Pinned(pins, weight))

    def exchanges(self, target: Target) -> tuple[Exchange, ...]:
        """Return the exchanges of species that are to leave a network unchanged: branch points need the target's."""
        points = () if self.reference is None else self.reference.special_points
        return exchanges_of(target) if any(point.label == "BP" for point in points) else ()


def _options(
    target: Any,
    perceptrons: int | None,
    loss: str | None,
    ridge: float | None,
    rate_bound: float | None,
    evaluations: int,
    seconds: float | None,
) -> FitOptions:
    """Return how each start is fitted, with the target's own numbers where none are given."""
    if not isinstance(target, Target):
        raise InputError(
            f"{target!r:.60} is no Target; give one of the library, or a Target of parts: a system on its box, a curve"
        )
    return FitOptions(
        perceptrons=target.perceptrons if perceptrons is None else perceptrons,
        loss=loss or target.loss,
        ridge=ridge,
        rate_bound=rate_bound,
        evaluations=evaluations,
        seconds=seconds,
    )


def _found(
    judge: Judge, data: Samples, asked: _Asked, checkpoints: str | None, progress: Progress | None, refine: bool,
    walls: Walls | None, robust: float | None,
) -> tuple[list[Candidate], Verification | None]:  # fmt: skip
    """Return the candidates of a fit, the best first, and what is found out about that."""
    options, seed, jobs = judge.options, judge.record["seed"], judge.jobs
    store = checkpoint.Store(checkpoints, checkpoint.fingerprint(data, options, seed))
    starts = _run(data, options, judge.record["seeds"], seed, jobs, store, progress)
    candidates = _judged(judge, _polish(asked.data, options, starts, asked.pinned, jobs), asked.data, refine)
    if judge.sees and not options.spread and not any(shows_all(one) for one in candidates):
        better = _polish(asked.data, options, _hopped(data, options, starts, seed, jobs), asked.pinned, jobs)
        candidates = sorted([*candidates, *_judged(judge, better, asked.data, refine)], key=lambda c: c.key)
    candidates, taught = _returning(judge, asked, starts, candidates, refine)
    candidates = finished(judge, judge.chosen(candidates, taught, refine, robust), taught, walls)
    return candidates, judge.verification(candidates[0])


def _returning(
    judge: Judge, asked: _Asked, starts: Sequence[Start], candidates: list[Candidate], refine: bool
) -> tuple[list[Candidate], Samples]:
    """Return candidates of which trajectories come back to the box as the target's do, and what they were taught.

    Where they did so already, or cannot be taught it, they are those that came.
    """
    data = with_excursions(judge.target, asked.data) if judge.strays(candidates[0]) else asked.data
    if len(data) == len(asked.data):
        return candidates, data
    better = _judged(judge, _polish(data, judge.options, starts, asked.pinned, judge.jobs), data, refine)
    return (better, data) if shows_all(better[0]) and not judge.strays(better[0]) else (candidates, asked.data)


def _judged(judge: Judge, starts: Sequence[Start], data: Samples, refine: bool) -> list[Candidate]:
    """Return the starts as candidates, best first."""
    candidates = judge.follow(judge.rank(starts), data)
    return judge.refine(candidates, data) if refine else candidates


def _hopped(data: Samples, options: FitOptions, starts: Sequence[Start], seed: int, jobs: int | None) -> list[Start]:
    """Return better starts found from those of the lowest losses."""
    short = distinct(sorted(starts, key=lambda start: start.loss))[:HOPPED]
    sequences = np.random.SeedSequence([seed, len(starts)]).spawn(len(short))
    tasks = ((data, options, start, len(starts) + k, sequences[k]) for k, start in enumerate(short))
    return list(spread(hopped, tasks, jobs))


def _copies(judge: Judge, best: Candidate, robust: float | None) -> tuple[Robustness, ...]:
    """Return how robust the best network is; where most copies fail, also how robust to errors of a hundredth."""
    if best.standing is None or best.standing.wrong:
        return ()
    first = judge.robustness(best, SPREAD if robust is None else robust)
    return (first,) if first.share >= FRAGILE or first.spread <= LEAST else (first, judge.robustness(best, LEAST))


def _proof(best: Candidate, target: Target) -> Proof:
    """Return what is proved about the best network."""
    from bifrncrn.proofs.prove import prove_learned

    return prove_learned(best.network, target)


def _check(options: FitOptions, rank: str, focus: float, robust: float | None) -> None:
    for name, value in (("perceptrons", options.perceptrons), ("evaluations", options.evaluations)):
        whole(name, value)
    if options.loss not in LOSSES:
        raise InputError(f"loss {options.loss!r} is unknown; choose one of {', '.join(LOSSES)}")
    if rank not in ("diagram", "loss"):
        raise InputError(f"rank {rank!r} is unknown; choose diagram or loss")
    if options.ridge is not None and number("ridge", options.ridge) < 0:
        raise InputError(f"ridge is {options.ridge!r}; give a number that is not negative, for instance 1e-8")
    if not 0 <= number("focus", focus) < 1:
        raise InputError(f"focus is {focus!r}; give a share of the weight from 0 to below 1, for instance 0.9")
    if robust is not None and not 0 < number("robust", robust) < 1:
        raise InputError(f"robust is {robust!r}; give the share by which rates may be off, for instance 0.1")
    if options.seconds is not None and number("seconds", options.seconds) <= 0:
        raise InputError(f"seconds is {options.seconds!r}; give a positive time limit")


def _check_counts(seeds: int, seed: int, samples: int | None, jobs: int | None) -> None:
    whole("seeds", seeds)
    whole("seed", seed, 0)
    if samples is not None:
        whole("samples", samples)
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs == 0):
        raise InputError(f"jobs is {jobs!r}; give a number of processes, or -1 for all cores")


def _check_size(data: Samples, perceptrons: int) -> None:
    largest = float(np.abs(data.field).max())
    if not EXTREME[0] < largest < EXTREME[1]:
        hint = "change the units" if largest else "there is nothing to learn"
        raise InputError(f"the largest rate of change at any sample is {largest:g}; {hint}")
    m, p = data.x.shape[1], data.lam.shape[1]
    unknowns = perceptrons * (2 * m + p + 1) + m
    if len(data) * m < unknowns:
        raise InputError(
            f"{len(data)} samples of {m} species are fewer equations than the {unknowns} unknown rates of "
            f"{perceptrons} perceptrons; take more samples or fewer perceptrons"
        )


def _check_bound(data: Samples, bound: float | None) -> None:
    if bound is not None and not number("rate_bound", bound) > (least := beta_floor(data)):
        raise InputError(
            f"rate_bound is {bound!r}, but it must be above the least influx of this target, {least:.3g}; try 1000"
        )


def _run(
    data: Samples,
    options: FitOptions,
    seeds: int,
    seed: int,
    jobs: int | None,
    store: checkpoint.Store,
    progress: Progress | None,
) -> list[Start]:
    """Return the starts in order, those of a checkpoint folder without computing them again."""
    sequences = np.random.SeedSequence(seed).spawn(seeds)
    done = {k: start for k in range(seeds) if (start := store.read(k)) is not None}
    tasks = ((data, options, k, sequences[k]) for k in range(seeds) if k not in done)
    with shown("starts of the fit", seeds) as step:
        for start in spread(run_start, tasks, jobs, ordered=False):
            store.write(start)
            done[start.index] = start
            if progress is not None:
                progress(len(done), seeds, start)
            step()
    return [done[k] for k in range(seeds)]


def _polish(
    data: Samples, options: FitOptions, starts: Sequence[Start], pinned: Pinned, jobs: int | None
) -> list[Start]:
    """Return the starts with those of the lowest losses polished."""
    short = distinct(sorted(starts, key=lambda start: start.loss))[:SHORTLIST]
    chosen = {start.index for start in short}
    polished = spread(polish, ((data, options, start, pinned) for start in short), jobs)
    return [*polished, *(start for start in starts if start.index not in chosen)]


def _record(target: Target, options: FitOptions, data: Samples, method: str, seeds: int, seed: int) -> dict[str, Any]:
    import scipy

    import bifrncrn

    return {
        "target": target.name,
        "loss_kind": options.loss,
        "samples": {
            "method": method,
            "count": len(data),
            "low": data.x.min(axis=0).tolist(),
            "high": data.x.max(axis=0).tolist(),
        },
        "parameter_values": np.unique(data.lam, axis=0).tolist(),
        "perceptrons": options.perceptrons,
        "seeds": seeds,
        "seed": seed,
        "ridge": options.ridge,
        "rate_bound": options.rate_bound,
        "versions": {
            "bifrncrn": bifrncrn.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "python": platform.python_version(),
        },
    }

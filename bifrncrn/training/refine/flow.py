"""Attractor-aware refinement: a network's flow along the target's attractor is fitted to the target's own.

A period, the place of a cycle and the exponent of a chaotic attractor are decided by how the errors of the field add up
over a turn, which no sample of the field says. So trajectories of a turn from states all along the attractor are
compared with the target's where they end, and the difference joins the loss, ever heavier. The derivatives are those of
the integrator itself, a Runge-Kutta method of fixed step on all trajectories at once; the reduced system is not stiff.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.base.threads import single_threaded
from bifrncrn.training.fit.start import beta_floor
from bifrncrn.training.refine.defining import Wanted
from bifrncrn.training.refine.rollouts import advance, still
from bifrncrn.training.refine.special_points import AllWeights
from bifrncrn.training.targets.behaviours import Behaviour, ChaosWanted, CycleWanted
from bifrncrn.training.targets.sampling import Samples, thin
from bifrncrn.training.targets.target import FieldPart, Target
from bifrncrn.training.weights import Weights

if TYPE_CHECKING:
    from bifrncrn.diagrams.results import Diagram

# trajectories along one attractor, and steps of the integrator in each: enough for an error of 1e-5 in a turn
TRAJECTORIES = 40
STEPS = 60
# weight of the mean square difference at the ends, in units of the attractor's size, beside the loss reached; stages
# are a factor of three apart, from where the difference weighs a twentieth of the loss
HEAVY = tuple(10.0 ** (k / 2) for k in range(-2, 11))
FELT = 0.05
# heaviness of the equations of special points, in units of the root mean square of the target
POINTS = 1e2
# samples that are enough to keep a loss that is already small
ENOUGH = 1000
EVALUATIONS = 12
# where in the range of a target's cycles they are followed
SHARES = (0.15, 0.5, 0.85, 1.0)
# penalty on relative changes of the weights, as a share of the loss: else those that matter little run off
KEPT = 0.01


@dataclass(frozen=True, eq=False)
class Flow:
    """Where trajectories of the target end.

    Attributes
    ----------
    starts, ends : (k, M) arrays
    lam : (P,) array
    time : float
    size : (M,) array
        The attractor's extent.
    mu : float
        The time-scale at which the network is to do so, to first order; 0 is the reduced system.
    """

    starts: Array
    ends: Array
    lam: Array
    time: float
    size: Array
    mu: float = 0.0


def cycles_of(shown: Diagram | None, inputs: int) -> list[CycleWanted]:
    """Return the stable cycles of a target's diagram at a few values of its one parameter species."""
    found: list[CycleWanted] = []
    for branch in () if shown is None or inputs != 1 else shown.branches:
        rows = np.flatnonzero(branch.stability == "stable")
        if branch.kind != "periodic" or not len(rows):
            continue
        p = branch.column(branch.columns[0])[rows]
        for share in SHARES:
            row = int(rows[np.argmin(np.abs(p - (p.min() + share * np.ptp(p))))])
            points = branch.profiles[row].states
            if len(points) > 1:
                lam = (float(branch.points[row, 0]),)
                found.append(CycleWanted(points, lam, True, period=branch.profiles[row].period))
    return found


def flows_of(target: Target, behaviours: Iterable[Behaviour]) -> tuple[Flow, ...]:
    """Return trajectories of a turn along every attractor of the target's ODE that is asked for with its motion."""
    part = target.parts[0]
    if not isinstance(part, FieldPart):
        return ()
    return tuple(
        _flow(part, one) for one in behaviours if isinstance(one, (ChaosWanted, CycleWanted)) and one.period is not None
    )


def _flow(part: FieldPart, wanted: ChaosWanted | CycleWanted) -> Flow:
    assert wanted.period is not None
    starts = wanted.points[:: len(wanted.points) // TRAJECTORIES + 1]
    system = part.system.with_(values=dict(zip(part.names, wanted.lam)) or None)
    ends = [system.simulate((0.0, wanted.period), state=x).x[-1] for x in starts]
    return Flow(starts, np.array(ends), np.array(wanted.lam), wanted.period, np.ptp(wanted.points, axis=0))


def refine_flow(
    weights: Weights,
    samples: Samples,
    loss: str,
    flows: Sequence[Flow],
    spoilt: float,
    rate_bound: float,
    wanted: Sequence[Wanted] = (),
) -> Iterator[tuple[float, Weights]]:
    """Refine with ever heavier flows, for as long as the loss stays below `spoilt` times what it was.

    Parameters
    ----------
    weights : Weights
        A fitted network, gamma = tau = 1.
    samples : Samples
        What it was fitted to.
    loss : {"field", "relative"}
    flows : sequence of Flow
    spoilt, rate_bound : float
        A stage that exceeds the bound in any rate is not yielded, but those after it may be.
    wanted : sequence of Wanted
        Special points the network has and is to keep, nearly: a last step of `special_points.refine` is left to do.

    Yields
    ------
    (float, Weights)
        After every stage: how far trajectories end from the target's, root mean square in units of the attractor's
        size, and the weights.
    """
    before = weights.loss(samples, loss)
    problem = AllWeights(
        weights, thin(samples, ENOUGH, np.random.default_rng(0)), loss, wanted, beta_floor(samples), rate_bound
    )
    problem.heavy = POINTS * problem.power
    unknowns = problem.start()
    now = _missed(weights, flows)
    for heavy in (one for one in HEAVY if one * now**2 > FELT or one == HEAVY[-1]):
        with single_threaded():
            unknowns = _stage(problem, unknowns, flows, heavy * before, KEPT * before)
            refined = problem.weights(unknowns)
            if not refined.loss(samples, loss) <= spoilt * before:
                return
            if refined.largest > rate_bound:
                continue
            miss = _missed(refined, flows)
        yield miss, refined


def _missed(weights: Weights, flows: Sequence[Flow]) -> float:
    """Return how far trajectories end from the target's, root mean square over all flows."""
    return float(np.linalg.norm(_misses(weights, flows)[0])) / len(flows) ** 0.5


def _stage(problem: AllWeights, unknowns: Array, flows: Sequence[Flow], heavy: float, kept: float) -> Array:
    """Return the unknowns of least loss + `heavy` * mean square miss + `kept` * mean square relative change."""
    from scipy.optimize import least_squares

    scale, size = np.sqrt(heavy), np.maximum(np.abs(unknowns), 0.01 * np.abs(unknowns).max())
    keep = np.sqrt(kept / len(unknowns)) / size

    def residual(w: Array) -> Array:
        weights = problem.weights(w)
        misses = scale * _misses(weights, flows)[0]
        out = np.concatenate([problem.residual(w), keep * (w - unknowns), misses])
        return out if np.isfinite(out).all() else np.full(out.shape, 1e3 * scale)

    def jacobian(w: Array) -> Array:
        weights = problem.weights(w)
        slopes = _misses(weights, flows, slopes=True)[1]
        by_weights = scale * (slopes @ problem.natural) * problem.free
        beside = np.zeros((len(slopes), len(w) - problem.size))
        top = problem.jacobian(w) if problem.wanted else problem.slopes(w)
        return np.vstack([top, np.diag(keep), np.hstack([by_weights, beside])])

    found = least_squares(
        residual, unknowns, jacobian, method="lm", x_scale="jac", max_nfev=EVALUATIONS, ftol=1e-6, xtol=1e-8
    )
    return problem.floored(found.x)


def _misses(weights: Weights, flows: Sequence[Flow], slopes: bool = False) -> tuple[Array, Array]:
    """Return how far the network's trajectories end from the target's, flat, and the derivatives by all weights.

    Both are such that the sum of squares of a flow is a mean over its trajectories and species, in units of the
    attractor's size.
    """
    counts = [len(flow.starts) for flow in flows]
    x = np.concatenate([flow.starts for flow in flows])
    lam = np.repeat([flow.lam for flow in flows], counts, axis=0)
    step, mu = (np.repeat(each, counts)[:, None] for each in ([f.time / STEPS for f in flows], [f.mu for f in flows]))
    d = still(weights, x, slopes)
    with np.errstate(all="ignore"):  # a wild trial step may overflow; the caller answers for it
        for _ in range(STEPS):
            x, d = advance(weights, lam, x, d, step, mu)
    ends = np.concatenate([flow.ends for flow in flows])
    unit = np.repeat([flow.size * np.sqrt(flow.starts.size) for flow in flows], counts, axis=0)
    return ((x - ends) / unit).ravel(), (d / unit[:, :, None]).reshape(x.size, -1)

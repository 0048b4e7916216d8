"""From one optimum of a fit to a better one: the perceptron that is worth least is replaced, again and again.

Random starts of few perceptrons end in poor optima more often than not; from one of them the way to a better is short,
for most of its perceptrons are where they should be. A replacement is kept where a short descent lowers the loss.
"""

from __future__ import annotations

import time

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.training.fit.projection import Projection
from bifrncrn.training.fit.start import (
    SCALES,
    SCREENED,
    STARTED,
    FitOptions,
    Start,
    descend,
    following_ridge,
    problem_of,
)
from bifrncrn.training.targets.sampling import Samples, thin

# replacements that are tried, and evaluations of the descent from each
HOPS, SHORT = 60, 30
# the one worth least is replaced in this share of the hops, in the others the one after it
LEAST = 0.6


def hopped(samples: Samples, options: FitOptions, start: Start, index: int, seed: np.random.SeedSequence) -> Start:
    """Return a better start found from `start`, with another `index`; it depends on nothing but the arguments."""
    began = time.perf_counter()
    deadline = np.inf if options.seconds is None else began + options.seconds
    rng = np.random.default_rng(seed)
    quick = problem_of(thin(samples, SCREENED, rng), options, start.ridge)
    v = quick.scaled(start.weights)
    if options.ridge is None:
        following_ridge(quick, v)
    v = _better(quick, v, rng, deadline)
    problem = problem_of(thin(samples, STARTED, rng), options, quick.ridge.alpha)
    v = problem.scaled(quick.weights(v))
    if options.ridge is None:
        following_ridge(problem, v)
    v, reason = descend(problem, v, options.evaluations, deadline)
    evaluations = start.evaluations + quick.evaluations + problem.evaluations
    took = start.seconds + time.perf_counter() - began
    return Start(index, problem.weights(v), problem.loss(v), problem.ridge.alpha, evaluations, took, reason)


def _better(problem: Projection, v: Array, rng: np.random.Generator, deadline: float) -> Array:
    """Return the point of least penalised loss among those that replacements lead to."""
    best = float((problem.residual(v) ** 2).sum())
    for _ in range(HOPS):
        if time.perf_counter() > deadline:
            break
        order = np.argsort(problem.worth(v))
        which = int(order[0 if len(order) == 1 or rng.random() < LEAST else 1])
        scale = float(np.exp(rng.uniform(*np.log(SCALES))))
        tried, _ = descend(problem, problem.renewed(v, which, scale, rng), SHORT, deadline)
        cost = float((problem.residual(tried) ** 2).sum())
        if cost < best:
            v, best = tried, cost
    return v

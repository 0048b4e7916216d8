"""Train chemical classifiers: environments in, values of the parameter species out."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifrncrn.base.checks import Array, numbers, quasi_static, require_kind, whole
from bifrncrn.base.errors import InputError
from bifrncrn.base.processes import spread
from bifrncrn.base.tables import Reported, folded
from bifrncrn.base.threads import single_threaded
from bifrncrn.chemistry.networks.controlled import Classifier

# penalty on the sum of squares of the scaled weights, relative to the mean square of the outputs
RIDGE = 1e-8
# sizes of the scaled weights a start draws from (log-uniform)
SCALES = (1.0, 10.0)


@dataclass(frozen=True, eq=False)
class ClassifierTarget:
    """What a classifier is to learn.

    Attributes
    ----------
    name : str
    environments : (K, P) array
        Samples of the environments Lambda, not negative.
    outputs : (K, O) array
        The wanted outputs there, positive.
    hidden : int
        Number of hidden perceptrons.
    mu : float or None
        Time-scale of the classifier.
    within : (K, O) array or None
        How far from the wanted output it may be at no cost, less than the output itself; None asks for the output
        alone. What drives a network needs to be on the right side of its fold, no more.

    Raises
    ------
    InputError
        If the arrays disagree or hold something that no classifier can see or give.
    """

    name: str
    environments: Array
    outputs: Array
    hidden: int
    mu: float | None = None
    within: Array | None = None

    def __post_init__(self) -> None:
        for name, bound in (("environments", 0.0), ("outputs", np.nextafter(0.0, 1.0))):
            values = numbers(name, getattr(self, name)).copy()
            if values.ndim != 2 or not values.size or len(values) != len(numbers("outputs", self.outputs)):
                raise InputError(f"{name} has shape {values.shape}; give one row for each of the samples")
            if not np.isfinite(values).all() or (values < bound).any():
                worst = values[~(np.isfinite(values) & (values >= bound))][0]
                rule = "must not be negative" if name == "environments" else "must be positive"
                raise InputError(f"{name} holds {worst:g}, but concentrations must be finite and {rule}")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        self._check_within()

    def _check_within(self) -> None:
        within = np.zeros_like(self.outputs) if self.within is None else np.array(self.within, dtype=float)
        if within.shape != self.outputs.shape:
            raise InputError(f"within has shape {within.shape}; give one entry for each of the outputs")
        bad = ~((within >= 0) & (within < self.outputs))
        if bad.any():
            raise InputError(
                f"within holds {within[bad][0]:g} for an output of {self.outputs[bad][0]:g}; it must not be negative, "
                "and be less than the output"
            )
        within.setflags(write=False)
        object.__setattr__(self, "within", within)

    def error(self, given: Array) -> Array:
        """Return how far outputs `given` (K, O) are from where they may be, signed; 0 within it."""
        off = given - self.outputs
        return np.asarray(np.sign(off) * np.maximum(np.abs(off) - self.within, 0.0))


@dataclass(frozen=True, eq=False, repr=False)
class ClassifierFit(Reported):
    """The outcome of `train_classifier`.

    Attributes
    ----------
    classifier : Classifier
    loss : float
        Mean square error of the outputs over the samples, of those beyond `within` of what is wanted.
    losses : tuple of float
        Of all starts, in their order.
    seconds : float
    record : dict
    """

    classifier: Classifier
    loss: float
    losses: tuple[float, ...]
    seconds: float
    record: dict[str, Any]

    def report(self) -> str:
        """Return the fit as text for people."""
        p, h, k = self.classifier.sizes
        return folded(
            f"{self.record['target']}: classifier {p}-{h}-{k}, mean square error {self.loss:.4g}, "
            f"best of {len(self.losses)} starts, {self.seconds:.1f} s, seed {self.record['seed']}"
        )

    def __str__(self) -> str:
        return self.report()


def train_classifier(
    target: ClassifierTarget,
    *,
    hidden: int | None = None,
    seeds: int = 10,
    seed: int = 0,
    jobs: int | None = None,
    evaluations: int = 400,
) -> ClassifierFit:
    """Train a classifier on `target` by least squares with the exact Jacobian, from several starts.

    Parameters
    ----------
    target : ClassifierTarget
    hidden : int, optional
        Number of hidden perceptrons; the default is the target's.
    seeds : int
        Number of starts. Start k depends on `seed` and k only.
    seed : int
    jobs : int, optional
        Processes, as joblib's ``n_jobs``.
    evaluations : int
        Limit for each start.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    began = time.perf_counter()
    require_kind(target, ClassifierTarget, "the target of a classifier")
    count = target.hidden if hidden is None else hidden
    for name, value in (("hidden", count), ("seeds", seeds), ("evaluations", evaluations)):
        whole(name, value)
    whole("seed", seed, 0)
    sequences = np.random.SeedSequence(seed).spawn(seeds)
    found = list(spread(_start, ((target, count, sequence, evaluations) for sequence in sequences), jobs))
    losses = tuple(loss for _, loss in found)
    best = int(np.argmin(losses))
    record = {"target": target.name, "hidden": count, "seeds": seeds, "seed": seed, "samples": len(target.outputs)}
    classifier = _Problem(target, count).classifier(found[best][0])
    return ClassifierFit(classifier, losses[best], losses, time.perf_counter() - began, record)


def _start(
    target: ClassifierTarget, hidden: int, seed: np.random.SeedSequence, evaluations: int
) -> tuple[Array, float]:
    from scipy.optimize import least_squares

    problem = _Problem(target, hidden)
    v = problem.random(np.random.default_rng(seed))
    with single_threaded():
        outcome = least_squares(
            problem.residual, v, problem.jacobian, method="lm", x_scale="jac", max_nfev=evaluations, ftol=1e-10
        )
        v = outcome.x
        return v, problem.loss(v)


class _Problem:
    """Errors of the outputs, and their exact Jacobian, in the weights of both layers on inputs scaled to [-1, 1]."""

    def __init__(self, target: ClassifierTarget, hidden: int) -> None:
        self.target, self.hidden = target, hidden
        low, high = target.environments.min(axis=0), target.environments.max(axis=0)
        self.centre = (low + high) / 2
        self.half = np.where(high > low, (high - low) / 2, 1.0)
        scaled = (target.environments - self.centre) / self.half
        self.inputs = np.hstack([scaled, np.ones((len(scaled), 1))])
        self.width, self.outputs = self.inputs.shape[1], target.outputs.shape[1]
        self.first = hidden * self.width
        self.root = 1 / np.sqrt(target.outputs.size)
        self.penalty = np.sqrt(RIDGE * float((target.outputs**2).mean()))

    def random(self, rng: np.random.Generator) -> Array:
        """Return a random start, each hidden perceptron's kink at a random sample."""
        v = rng.standard_normal((self.hidden, self.width - 1))
        scale = np.exp(rng.uniform(math.log(SCALES[0]), math.log(SCALES[1]), size=(self.hidden, 1)))
        v *= scale / np.linalg.norm(v, axis=1, keepdims=True)
        at = self.inputs[rng.integers(len(self.inputs), size=self.hidden), :-1]
        first = np.hstack([v, -(v * at).sum(axis=1, keepdims=True)])
        return np.concatenate([first.ravel(), rng.standard_normal(self.outputs * (self.hidden + 1))])

    def residual(self, v: Array) -> Array:
        """Return the errors, the penalties last."""
        r = self._forward(v)[3]
        return np.concatenate([self.root * self.target.error(r).ravel(), self.penalty * v])

    def loss(self, v: Array) -> float:
        """Return the mean square error."""
        return float((self.target.error(self._forward(v)[3]) ** 2).mean())

    def jacobian(self, v: Array) -> Array:
        """Return the exact Jacobian of `residual`."""
        z, s, w, r = self._forward(v)
        layer = self._layers(v)[1]
        counted = self.target.error(r) != 0 if np.any(self.target.within) else 1.0
        slope_r = counted * r * self.root / np.sqrt(w * w + 4)
        slope_s = s / np.sqrt(z * z + 4)
        extended = np.hstack([s, np.ones((len(s), 1))])
        out = np.zeros((len(s), self.outputs, v.size))
        for k in range(self.outputs):
            through = (slope_r[:, k, None] * slope_s) * layer[k, :-1]
            out[:, k, : self.first] = (through[:, :, None] * self.inputs[:, None, :]).reshape(len(s), -1)
            at = self.first + k * (self.hidden + 1)
            out[:, k, at : at + self.hidden + 1] = slope_r[:, k, None] * extended
        return np.vstack([out.reshape(-1, v.size), self.penalty * np.eye(v.size)])

    def classifier(self, v: Array) -> Classifier:
        """Return the classifier in natural units, gamma = tau = 1."""
        first, second = self._layers(v)
        weights = first[:, :-1] / self.half
        return Classifier(
            first_layer=weights.T,
            first_biases=first[:, -1] - weights @ self.centre,
            output_layer=second[:, :-1].T,
            output_biases=second[:, -1],
            lam=self.target.environments[0],
            mu=self.target.mu,
            title=f"{self.target.name}, learned",
        )

    def _layers(self, v: Array) -> tuple[Array, Array]:
        return v[: self.first].reshape(self.hidden, -1), v[self.first :].reshape(self.outputs, -1)

    def _forward(self, v: Array) -> tuple[Array, Array, Array, Array]:
        first, second = self._layers(v)
        z = self.inputs @ first.T
        s = quasi_static(z, 1.0, 1.0)
        w = s @ second[:, :-1].T + second[:, -1]
        return z, s, w, quasi_static(w, 1.0, 1.0)

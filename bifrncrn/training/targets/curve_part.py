"""Designer dynamics: fields that run along a curve and push towards it, or away from it.

Source: Dack, Plesa and Ouldridge, arXiv 2602.02374, designer dynamics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bifrncrn.base.checks import Array, concentrations, number, require_kind, whole
from bifrncrn.base.errors import InputError
from bifrncrn.training.targets.curve import Curve
from bifrncrn.training.targets.sampling import Samples, require_few

# parameter values of an interval at which a curve is sampled
VALUES = 5


@dataclass(frozen=True, eq=False)
class CurvePart:
    """A limit cycle (or any curve) to be followed.

    At every sample of the curve the field is `eta` along the tangent. At the distances `i * delta`, i = 1..`layers`,
    to both sides along every normal direction a push of ``eta * exp(kappa * i * delta)``, or
    ``eta * kappa * i * delta``, is added.

    Attributes
    ----------
    curve : Curve
    lam : (P,) tuple of float
        Values of the parameter species at which the curve is wanted.
    eta : float
        Speed along the curve, concentration/time.
    kappa : float
        Growth of the push with the distance, 1/concentration.
    delta : float
        Distance of the layers, concentration.
    layers : int
        Number of layers on each side.
    push : {"exp", "linear"}
    attractor : bool
        Push towards the curve; otherwise away from it.
    count : int
        About how many samples to learn from (the loss is stated on all).
    weight : float or None
        Of this part's whole set of samples; None weighs every sample alike.
    over : (float, float) or None
        Interval of the first parameter species on which the curve is wanted; None is at `lam` alone. The loss is stated
        at `lam` in either case.

    Raises
    ------
    InputError
        If an option is out of range, the curve crosses itself, or a layer leaves the positive orthant.
    """

    curve: Curve
    lam: tuple[float, ...] = ()
    eta: float = 1.0
    kappa: float = 1.0
    delta: float = 0.01
    layers: int = 20
    push: str = "exp"
    attractor: bool = True
    count: int = 2500
    weight: float | None = None
    over: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("eta", "kappa", "delta"):
            if number(name, getattr(self, name)) <= 0:
                raise InputError(f"{name} is {getattr(self, name)!r}; give a positive number")
        require_kind(self.curve, Curve, "a curve")
        for name in ("layers", "count"):
            whole(name, getattr(self, name))
        object.__setattr__(self, "lam", concentrations("lam of a curve", self.lam))
        if self.over is not None:
            self._check_over(self.over)
        if self.push not in ("exp", "linear"):
            raise InputError(f"push {self.push!r} is unknown; choose exp or linear")
        require_few(len(self.curve.points) * self._around)
        self.curve.require_simple()
        if self.curve.points.min() < self.delta * self.layers:
            self._all()  # which refuses layers outside the positive orthant

    def _check_over(self, over: tuple[float, float]) -> None:
        low, high = concentrations("over of a curve", over)
        if not self.lam or not low <= self.lam[0] <= high or low == high:
            raise InputError(
                f"a curve is wanted at lam = {self.lam} and for lam from {low:g} to {high:g}; give an interval "
                "around the first parameter species, the lower end first"
            )
        object.__setattr__(self, "over", (low, high))

    @property
    def dimension(self) -> int:
        """Number of executive species."""
        return self.curve.dimension

    @property
    def inputs(self) -> int:
        """Number of parameter species."""
        return len(self.lam)

    def definition(self) -> Samples:
        """Return all samples of the curve and its layers."""
        return self._all()

    def samples(self, method: str = "grid", count: int | None = None, seed: int = 0) -> Samples:
        """Return about `count` samples to learn from; None takes the part's own.

        ``"grid"`` takes every k-th of all samples, k prime to the number of layers so that the layers are taken in
        turn; the other methods draw random places between the samples of the curve and random distances.
        """
        chosen = count or self.count
        if method != "grid":
            return self._spread(self._drawn(chosen, np.random.default_rng(seed)))
        every = self._all()
        step = max(1, len(every) // chosen)
        while math.gcd(step, self._around) != 1:
            step += 1
        keep = slice(step // 2, None, step)
        weight = every.weight[keep] * (every.weight.sum() / every.weight[keep].sum())
        return self._spread(Samples(every.x[keep], every.lam[keep], every.field[keep], weight))

    def _spread(self, samples: Samples) -> Samples:
        """Return the samples at parameter values of the whole interval, which they take in turn."""
        if self.over is None:
            return samples
        lam = samples.lam.copy()
        lam[:, 0] = np.resize(np.linspace(*self.over, VALUES), len(lam))
        return Samples(samples.x, lam, samples.field, samples.weight)

    @property
    def _around(self) -> int:
        """Samples at every sample of the curve."""
        return 1 + 2 * self.layers * (self.dimension - 1)

    def _all(self) -> Samples:
        points, tangents = self.curve.points, self.curve.tangents
        sides = normals(tangents)
        x, g = [points], [self.eta * tangents]
        for direction in range(self.dimension - 1):
            for layer in range(1, self.layers + 1):
                for sign in (1.0, -1.0):
                    side = sign * sides[:, direction]
                    x.append(points + layer * self.delta * side)
                    g.append(self.eta * tangents + self._push(np.full(len(points), layer * self.delta))[:, None] * side)
        stacked = np.stack(x, axis=1), np.stack(g, axis=1)
        return self._samples(*(a.reshape(-1, self.dimension) for a in stacked))

    def _drawn(self, count: int, rng: np.random.Generator) -> Samples:
        require_few(count)
        pieces = len(self.curve.points) if self.curve.closed else len(self.curve.points) - 1
        k, u = rng.integers(pieces, size=count), rng.random((count, 1))
        after = (k + 1) % len(self.curve.points)
        points = (1 - u) * self.curve.points[k] + u * self.curve.points[after]
        tangents = (1 - u) * self.curve.tangents[k] + u * self.curve.tangents[after]
        tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
        side = normals(tangents)[np.arange(count), rng.integers(self.dimension - 1, size=count)]
        side *= rng.choice([-1.0, 1.0], size=(count, 1))
        distance = rng.random(count) * self.layers * self.delta
        push = self._push(distance)
        return self._samples(points + distance[:, None] * side, self.eta * tangents + push[:, None] * side)

    def _push(self, distance: Array) -> Array:
        size = np.exp(self.kappa * distance) if self.push == "exp" else self.kappa * distance
        return (-self.eta if self.attractor else self.eta) * size

    def _samples(self, x: Array, g: Array) -> Samples:
        weight = np.full(len(x), 1.0 if self.weight is None else self.weight / len(x))
        if (x < 0).any():
            raise InputError(
                f"the layers around the curve reach x = {x.min():.6g} and leave the positive orthant; "
                "shift the curve up or take fewer layers"
            )
        return Samples(x, np.tile(np.array(self.lam, dtype=float), (len(x), 1)), g, weight)


def normals(tangents: Array) -> Array:
    """Return for unit `tangents` (K, n) the normal directions (K, n-1, n): the rest of the orthonormal QR basis."""
    count, n = tangents.shape
    frame = np.zeros((count, n, n))
    frame[:, :, 0] = tangents
    # complete with the unit vectors furthest from the tangent: never nearly dependent on it
    order = np.argsort(np.abs(tangents), axis=1)
    for column in range(1, n):
        frame[np.arange(count), order[:, column - 1], column] = 1.0
    q, _ = np.linalg.qr(frame)
    return np.swapaxes(q[:, :, 1:], 1, 2)

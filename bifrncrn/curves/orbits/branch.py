"""Places on a branch of orbits, and how the branch is measured and interpolated between them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.curves.orbits.corrector import Corrected, Metric
from bifrncrn.curves.orbits.layout import POINTS
from bifrncrn.curves.orbits.orbit import Mesh, Orbit, interpolate

ONE = 1e-7
"""A multiplier this close to the unit circle is not said to be inside or outside of it."""


@dataclass(frozen=True, eq=False)
class Place:
    """An orbit of a branch.

    Attributes
    ----------
    orbit : Orbit
    tangent : (4 N n + 2,) array
        Of the branch (`bifrncrn.curves.orbits.corrector.Corrected`).
    corrected : Corrected
        What Newton's method left behind there.
    metric : Metric
    known : (n,) array, optional
        The multipliers, where they do not come from there.
    """

    orbit: Orbit
    tangent: np.ndarray
    corrected: Corrected
    metric: Metric
    known: np.ndarray | None = None

    @classmethod
    def of(cls, corrected: Corrected, metric: Metric) -> Place:
        """Return the place that Newton's method reached."""
        return cls(corrected.orbit, corrected.tangent, corrected, metric)

    @property
    def multipliers(self) -> np.ndarray:
        """The Floquet multipliers, the trivial one first."""
        return self.corrected.multipliers if self.known is None else self.known

    @functools.cached_property
    def dual(self) -> np.ndarray:
        """What makes the inner product."""
        return self.metric.dual(self.orbit.mesh)

    @functools.cached_property
    def coordinates(self) -> np.ndarray:
        """The orbit as a vector: nodes, logarithm of the period, parameter."""
        return np.concatenate([self.orbit.nodes.ravel(), [np.log(self.orbit.period), self.orbit.parameter]])

    @functools.cached_property
    def unstable(self) -> int:
        """How many multipliers but the trivial one are outside the unit circle, -1 where rounding has spoilt them."""
        return sum(abs(value) > 1.0 for value in self.multipliers[1:].tolist()) if self.trusted else -1

    @property
    def trusted(self) -> bool:
        """Whether the multipliers mean something: those of two states do, of more where the trivial one is 1.

        Along canards, where variations grow by more than 1e10 before they decay, rounding decides about them.
        """
        return len(self.multipliers) == 2 or bool(np.isfinite(self.multipliers[0]) and self.sure > 1.0)

    @property
    def sure(self) -> float:
        """The size up to which the signs of multipliers are sure."""
        return self.corrected.sure

    @functools.cached_property
    def decided(self) -> bool:
        """Whether every multiplier but the trivial one is clearly inside or outside the unit circle."""
        gaps = np.abs(np.abs(self.multipliers[1:]) - 1.0)
        return self.trusted and bool(np.all(gaps > ONE))

    def length(self, v: np.ndarray) -> float:
        """Return the length of a change."""
        return float(np.sqrt(v @ (self.dual * v)))

    def without_shift(self, v: np.ndarray, other: Orbit | None = None) -> np.ndarray:
        """Return the change `v` less the shift in phase (of `other`) that makes it normal to this orbit's own."""
        flow, size = self.orbit.slopes.ravel(), self.orbit.nodes.size
        along = flow if other is None else other.slopes.ravel()
        weighted = self.dual[:size] * flow
        out = v.copy()
        out[:size] -= (weighted @ v[:size]) / (weighted @ along) * along
        return out

    def across(self, v: np.ndarray) -> np.ndarray:
        """Return the change `v` less what it moves every state along the orbit."""
        flow = self.orbit.slopes / self.metric.scale
        states = v[:-2].reshape(flow.shape) / self.metric.scale
        along = np.sum(states * flow, axis=1) / np.maximum(np.sum(flow * flow, axis=1), 1e-300)
        return np.append(((states - along[:, None] * flow) * self.metric.scale).ravel(), v[-2:])

    def measured(self, metric: Metric) -> Place:
        """Return this place in a metric, its tangent normal to its own shift in phase, and of unit length."""
        place = replace(self, metric=metric)
        tangent = place.without_shift(self.tangent)
        tangent /= place.length(tangent)
        return replace(place, tangent=tangent)

    def beside(self, other: Place) -> Place:
        """Return this place in the metric of another, its tangent normal to the other's shift in phase."""
        if self.metric is other.metric:
            return self
        tangent = other.without_shift(self.tangent)
        return replace(self, metric=other.metric, tangent=tangent / other.length(tangent))

    def on(self, mesh: Mesh) -> Place:
        """Return this place interpolated to another mesh, not corrected there."""
        n = self.orbit.nodes.shape[1]
        states = interpolate(self.orbit.mesh, self.tangent[:-2].reshape(-1, n), mesh.phases)
        tangent = np.concatenate([states.ravel(), self.tangent[-2:]])
        return replace(self, orbit=self.orbit.on(mesh), tangent=tangent)

    def rolled(self, count: int) -> Place:
        """Return the place with the phase counted from the start of interval `count`."""
        orbit, n = self.orbit, self.orbit.nodes.shape[1]
        nodes = np.roll(orbit.nodes, -POINTS * count, axis=0)
        if orbit.offset is not None and count:
            nodes[-POINTS * count :] += orbit.offset
        states = np.roll(self.tangent[:-2].reshape(-1, n), -POINTS * count, axis=0)
        tangent = np.concatenate([states.ravel(), self.tangent[-2:]])
        return replace(self, orbit=replace(orbit, mesh=orbit.mesh.rolled(count), nodes=nodes), tangent=tangent)


def orbit_from(like: Orbit, coordinates: np.ndarray) -> Orbit:
    """Return the orbit with these coordinates (`Place.coordinates`) on the mesh of another."""
    nodes = coordinates[:-2].reshape(like.nodes.shape)
    return replace(like, nodes=nodes, period=float(np.exp(coordinates[-2])), parameter=float(coordinates[-1]))


def between(here: Place, there: Place, theta: float) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates and a normal at a fraction theta of the way between two places (cubic Hermite)."""
    y0, y1, t0, t1 = here.coordinates, there.coordinates, here.tangent, there.tangent
    length = here.length(y1 - y0)
    u = 1.0 - theta
    a, b = u * u * (1.0 + 2.0 * theta), theta * theta * (3.0 - 2.0 * theta)
    at = a * y0 + b * y1 + length * (theta * u * u * t0 - theta * theta * u * t1)
    return at, u * t0 + theta * t1


def swing(orbit: Orbit) -> np.ndarray:
    """Return what is left of the nodes, (4 N, n), after taking away their mean over time."""
    return orbit.nodes - orbit.mesh.weights @ orbit.nodes

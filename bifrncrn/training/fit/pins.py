"""Equations on a fit that hold at single points: the target's value and Jacobian at its bifurcations, or its rests.

Where a Hopf point or a fold lies is decided by the field and its Jacobian there, which samples about the point teach
only up to the field's own wiggles. For given inputs of the perceptrons both are linear in alpha and beta, as the field
is, so they are rows of the same linear problem (see `projection`), and heavy ones.

At a Hopf point there can be a third: with critical eigenvectors p, q of the Jacobian (p.q = 1), perceptrons of a
small time-scale mu move the critical eigenvalue i*nu, to first order, by

    -i nu mu sum_i p_i x_i sum_j alpha_ij s_j / r_j^2 (w_j . q)

(see `defining`). The Hopf point is at the same place in the reduced system and in the full one when the imaginary part
of the sum vanishes; every species is asked for its share of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bifrncrn.base.checks import Array
from bifrncrn.training.refine.defining import Complex
from bifrncrn.training.targets.behaviours import equilibria_in
from bifrncrn.training.targets.curve_part import CurvePart
from bifrncrn.training.targets.target import FieldPart, Target
from bifrncrn.training.weights import Weights

LABELS = ("HB", "LP", "BP")


@dataclass(frozen=True, eq=False)
class Pin:
    """A point where a network is to have a value and a Jacobian.

    Attributes
    ----------
    state : (M,) array
    lam : (P,) array
    field : (M,) array
    jacobian : (M, M) array
    left, right : (M,) complex arrays or None
        Critical eigenvectors at a Hopf point, left . right = 1.
    shares : (M,) array or None
        What each species is to add to the imaginary part of the sum above, or None when that is not asked for.
    """

    state: Array
    lam: Array
    field: Array
    jacobian: Array
    left: Complex | None = None
    right: Complex | None = None
    shares: Array | None = None

    @property
    def count(self) -> int:
        """Number of equations for each species."""
        return 1 + len(self.state) + (self.shares is not None)

    def steady(self, weights: Weights) -> Pin:
        """Return the pin that asks for no motion with the time-scale as well; the species move as little as possible.

        A pin that is no Hopf point is returned as it is: folds do not move.
        """
        if self.left is None or self.right is None:
            return self
        z = weights.omega @ self.state + weights.psi @ self.lam + weights.theta
        slow = _root(z)[0] / (z * z + 4.0) * np.imag(self.left[:, None] * (weights.omega @ self.right))
        now = self.state * (weights.alpha * slow).sum(axis=1)
        return replace(self, shares=now - now.mean())


@dataclass(frozen=True, eq=False)
class Pinned:
    """Pins, and how many times the loss the square of the error of each of their equations counts."""

    pins: tuple[Pin, ...] = ()
    weight: float = 0.0

    def steady(self, weights: Weights) -> Pinned:
        """Return the same with Hopf points that do not move with the time-scale, starting from `weights`."""
        return replace(self, pins=tuple(pin.steady(weights) for pin in self.pins))


NOTHING = Pinned()


def pins_at(target: Target, points: Iterable[Any]) -> tuple[Pin, ...]:
    """Return pins at the target's special `points`; those outside its box, and other labels, are passed over."""
    system, name, box = target.system, target.parameter, target.box
    if system is None or name is None or box is None or target.sizes[1] != 1:
        return ()
    pins = []
    for point in points:
        state = np.array([point.state[variable] for variable in system.variables])
        inside = all(low <= value <= high for value, (low, high) in zip(state, box.values()))
        if point.label not in LABELS or not inside:
            continue
        lam = float(point.parameters[name])
        there = system.with_(values={name: lam})
        jacobian = there.jacobian(state)
        pin = Pin(state, np.array([lam]), there.rhs(state), jacobian)
        pins.append(_hopf(pin) if point.label == "HB" else pin)
    return tuple(pins)


def pins_beside_curves(target: Target) -> tuple[Pin, ...]:
    """Return pins at the equilibria of the ODEs that a target has beside curves.

    The many samples of a curve drown the few that say where an equilibrium is. One without some species is left out: in
    a network, which has influx of all, it cannot be.
    """
    if not any(isinstance(part, CurvePart) for part in target.parts):
        return ()
    pins = []
    for part in (one for one in target.parts if isinstance(one, FieldPart)):
        for row in part.lam:
            system = part.system.with_(values=dict(zip(part.names, row)) or None)
            points = [x for x in equilibria_in(system, part.box) if (x > 0).all()]
            pins += [Pin(x, np.array(row, dtype=float), np.zeros(len(x)), system.jacobian(x)) for x in points]
    return tuple(pins)


def _hopf(pin: Pin) -> Pin:
    """Return the pin with the eigenvectors of the pair nearest the imaginary axis."""
    values, vectors = np.linalg.eig(pin.jacobian)
    pairs = np.flatnonzero(values.imag > 0)
    k = pairs[np.abs(values[pairs].real).argmin()]
    return replace(pin, left=np.linalg.inv(vectors)[k].astype(complex), right=vectors[:, k].astype(complex))


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of the linear problem of each species, as they depend on the inputs' scaled weights.

    Attributes
    ----------
    design : (M, e, N + 1) array
        Factors of alpha_i1, ..., alpha_iN, beta_i.
    slope : (M, e, N, width) array
        Derivative of entry j of `design` in the scaled weights of perceptron j.
    wanted : (M, e) array
    """

    design: Array
    slope: Array
    wanted: Array


def rows(pins: Sequence[Pin], v: Array, centre: Array, half: Array, length: Array, relative: bool) -> Rows:
    """Return the rows of all pins at scaled weights `v` (N, width).

    Jacobians are multiplied by `length` (M,), so that every row is an error of the field (relative: of the field
    divided by the concentration).
    """
    each = [_rows(pin, v, centre, half, length, relative) for pin in pins]
    joined = (np.concatenate([getattr(one, name) for one in each], axis=1) for name in ("design", "slope", "wanted"))
    return Rows(*joined)


def _root(z: Array) -> tuple[Array, Array]:
    """Return s(z) at gamma = tau = 1, and r = sqrt(z^2 + 4)."""
    r = np.sqrt(z * z + 4.0)
    return np.where(z >= 0, (z + r) / 2, 2 / (r - np.minimum(z, 0))), r


def _rows(pin: Pin, v: Array, centre: Array, half: Array, length: Array, relative: bool) -> Rows:
    m, n = len(pin.state), len(v)
    at = np.append((np.append(pin.state, pin.lam) - centre) / half, 1.0)
    omega = v[:, :m] / half[:m]
    z = v @ at
    s, r = _root(z)
    first, second = s / r, s / r**2 - s * z / r**3  # derivatives of s
    design, slope = np.zeros((m, pin.count, n + 1)), np.zeros((m, pin.count, n, len(at)))
    wanted = np.zeros((m, pin.count))
    gain = np.ones(m) if relative else pin.state
    influx = 1 / pin.state if relative else np.ones(m)
    for i in range(m):
        design[i, 0] = np.append(gain[i] * s, influx[i])
        slope[i, 0] = gain[i] * first[:, None] * at
        wanted[i, 0] = influx[i] * pin.field[i]
        for k in range(m):
            design[i, 1 + k, :n] = gain[i] * length[k] * first * omega[:, k]
            slope[i, 1 + k] = gain[i] * length[k] * (second * omega[:, k])[:, None] * at
            slope[i, 1 + k, :, k] += gain[i] * length[k] * first / half[k]
            wanted[i, 1 + k] = influx[i] * length[k] * pin.jacobian[i, k]
        # the Jacobian's diagonal has the rate of X_i itself too
        design[i, 1 + i, :n] += influx[i] * length[i] * s
        slope[i, 1 + i] += influx[i] * length[i] * first[:, None] * at
        if pin.shares is not None and pin.left is not None and pin.right is not None:
            scale = gain[i] * length.mean()
            along = np.imag(pin.left[i] * (omega @ pin.right))
            design[i, -1, :n] = scale * s / r**2 * along
            slope[i, -1] = scale * ((first / r**2 - 2 * s * z / r**4) * along)[:, None] * at
            slope[i, -1, :, :m] += scale * (s / r**2)[:, None] * np.imag(pin.left[i] * pin.right) / half[:m]
            wanted[i, -1] = influx[i] * length.mean() * pin.shares[i]
    return Rows(design, slope, wanted)

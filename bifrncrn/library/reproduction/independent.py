"""Networks in plain numpy and scipy: fields, equilibria, cycles and loops, by other means than the package's engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, root
from scipy.spatial import cKDTree

from bifrncrn.base.checks import Array
from bifrncrn.chemistry.networks.controlled import Classifier
from bifrncrn.chemistry.networks.network import Network

Field = Callable[[Array], Array]
TIGHT = {"rtol": 1e-9, "atol": 1e-11}
SAME = 1e-6
"""Equilibria closer than this, in units of the box, are one."""
ROOT = 1e-9
"""A field smaller than this, in units of its size in the box, is zero."""
STARTS = 200
"""Random starts of Newton's method in a box."""
SCANNED = 2000
"""Places at which the rate of a single species is looked at."""
CLOSED = 1e-3
"""A curve is closed where it returns to this part of its extent in one period ..."""
MOVING = 1e-3
"""... and a cycle where that is more than this part of its distance from the origin: slow decay is no cycle."""
POINTS = 800
LEFT = 1.2
"""A solution has left a loop where it is further from its inside than this multiple of the saddle's distance."""


@dataclass(frozen=True)
class Plain:
    """The equations of a network, written down once more; see `Network` for their meaning."""

    alpha: Array
    omega: Array
    psi: Array
    theta: Array
    beta: Array
    gamma: Array
    tau: Array

    @classmethod
    def of(cls, network: Network) -> Plain:
        """Take the weights of a network."""
        return cls(*(np.array(getattr(network, name)) for name in cls.__dataclass_fields__))

    def inputs(self, x: Array, lam: Array) -> Array:
        """Return z (N,) at x (M,) and lam (P,)."""
        return np.asarray(self.theta + self.omega @ x + self.psi @ lam)

    def fast(self, z: Array) -> tuple[Array, Array]:
        """Return the positive root of gamma + y z - tau y^2 = 0 and its derivative by z."""
        r = np.sqrt(z * z + 4.0 * self.gamma * self.tau)
        y = np.where(z >= 0.0, (z + r) / (2.0 * self.tau), 2.0 * self.gamma / np.where(z >= 0.0, 1.0, r - z))
        return y, y / r

    def reduced(self, x: Array, lam: Array) -> Array:
        """Return dx/dt (M,) with the perceptrons at rest."""
        return np.asarray(self.beta + x * (self.alpha @ self.fast(self.inputs(x, lam))[0]))

    def at(self, lam: Array) -> Field:
        """Return `reduced` with the parameter species held."""
        return lambda x: self.reduced(x, lam)

    def reduced_many(self, x: Array, lam: Array) -> Array:
        """Return dx/dt (K, M) at states (K, M) and parameter species (K, P)."""
        y, _ = self.fast(self.theta + x @ self.omega.T + lam @ self.psi.T)
        return np.asarray(self.beta + x * (y @ self.alpha.T))

    def reduced_slope(self, x: Array, lam: Array) -> Array:
        """Return the Jacobian (M, M) of `reduced`."""
        y, slope = self.fast(self.inputs(x, lam))
        return np.diag(self.alpha @ y) + x[:, None] * ((self.alpha * slope) @ self.omega)

    def full(self, state: Array, lam: Array, mu: float) -> Array:
        """Return the rates (M + N,) of executive species and perceptrons."""
        m = len(self.beta)
        x, y = state[:m], state[m:]
        fast = (self.gamma + y * self.inputs(x, lam) - self.tau * y * y) / mu
        return np.concatenate([self.beta + x * (self.alpha @ y), fast])

    def full_slope(self, state: Array, lam: Array, mu: float) -> Array:
        """Return the Jacobian (M + N, M + N) of `full`."""
        m = len(self.beta)
        x, y = state[:m], state[m:]
        z = self.inputs(x, lam)
        top = np.hstack([np.diag(self.alpha @ y), x[:, None] * self.alpha])
        below = np.hstack([y[:, None] * self.omega, np.diag(z - 2.0 * self.tau * y)]) / mu
        return np.vstack([top, below])

    def rest(self, x: Array, lam: Array) -> Array:
        """Return the whole state (M + N,) with the perceptrons at rest."""
        return np.concatenate([x, self.fast(self.inputs(x, lam))[0]])

    def stable(self, x: Array, lam: Array, mu: float | None = None) -> bool:
        """Say whether an equilibrium attracts."""
        slope = self.reduced_slope(x, lam) if mu is None else self.full_slope(self.rest(x, lam), lam, mu)
        return bool(np.linalg.eigvals(slope).real.max() < 0.0)


def outputs(classifier: Classifier, environment: Array) -> Array:
    """Return what a classifier comes to (K,) in an environment (P,)."""
    gamma, tau = classifier.gamma, classifier.tau

    def at_rest(z: Array) -> Array:
        return (z + np.sqrt(z * z + 4.0 * gamma * tau)) / (2.0 * tau)

    hidden = at_rest(classifier.first_biases + environment @ classifier.first_layer)
    return np.asarray(at_rest(classifier.output_biases + hidden @ classifier.output_layer))


def equilibria(plain: Plain, lam: Array, box: tuple[tuple[float, float], ...], starts: int = STARTS) -> list[Array]:
    """Return the equilibria in a box: of one species where its rate changes sign, of more by Newton from random places.

    They are in the order of the first species.
    """
    if len(box) == 1:
        return _zeros(plain, lam, *box[0])
    low, high = (np.array(side) for side in zip(*box))
    places = np.random.default_rng(0).uniform(low, high, (starts, len(low)))
    size = np.abs(plain.reduced_many(places, np.tile(lam, (starts, 1)))).max() or 1.0
    found: list[Array] = []
    for place in places:
        end = root(plain.reduced, place, (lam,), jac=plain.reduced_slope, tol=1e-12).x
        good = np.all(end >= low) and np.all(end <= high) and np.abs(plain.reduced(end, lam)).max() < ROOT * size
        if good and all(np.abs((end - other) / (high - low)).max() > SAME for other in found):
            found.append(end)
    return sorted(found, key=lambda x: float(x[0]))


def _zeros(plain: Plain, lam: Array, low: float, high: float) -> list[Array]:
    """Return where the rate of one species changes its sign on a grid."""
    x = np.linspace(low, high, SCANNED)
    rate = plain.reduced_many(x[:, None], np.tile(lam, (SCANNED, 1)))[:, 0]
    change = np.flatnonzero((rate[:-1] < 0.0) != (rate[1:] < 0.0))
    return [np.array([brentq(lambda v: plain.reduced(np.array([v]), lam)[0], x[k], x[k + 1])]) for k in change]


def follow(field: Field, start: Array, times: Array, slope: Field | None = None) -> Array | None:
    """Return the states (K, n) at times, or None where the solution ends before (it runs away)."""
    run = solve_ivp(
        lambda _, x: field(x),
        (times[0], times[-1]),
        start,
        "LSODA",
        t_eval=times,
        jac=None if slope is None else lambda _, x: slope(x),
        **TIGHT,
    )
    return run.y.T if run.success and len(run.t) == len(times) else None


def settled_cycle(
    field: Field, start: Array, rest: float, window: float, slope: Field | None = None
) -> tuple[float, Array] | None:
    """Return period and points (K, n) of the cycle that a solution comes to; None where it comes to none.

    The solution settles for `rest`, and is then looked at for `window`, which must be more than two periods: the period
    is the time between upward crossings of the middle of the species that varies most.
    """
    before = follow(field, start, np.array([0.0, rest]), slope)
    if before is None:
        return None
    times = np.linspace(0.0, window, 20 * POINTS)
    states = follow(field, before[-1], times, slope)
    if states is None:
        return None
    extent = np.ptp(states, axis=0)
    k = int(extent.argmax())
    if extent[k] < MOVING * np.abs(states).max():
        return None
    level = states[:, k] - 0.5 * (states[:, k].min() + states[:, k].max())
    up = np.flatnonzero((level[:-1] < 0.0) & (level[1:] >= 0.0))
    if len(up) < 2:
        return None
    crossings = times[up] - level[up] * (times[up + 1] - times[up]) / (level[up + 1] - level[up])
    for turns in range(1, len(crossings)):
        period = float(crossings[-1] - crossings[-1 - turns])
        last = np.linspace(crossings[-1] - period, crossings[-1], POINTS)
        points = np.column_stack([np.interp(last, times, column) for column in states.T])
        if np.abs(points[-1] - points[0]).max() < CLOSED * extent[k]:
            return period, points
    return None


def furthest(points: Array, curve: Array) -> float:
    """Return the Hausdorff distance of two curves given by points."""
    there, back = cKDTree(_dense(curve)).query(points)[0], cKDTree(_dense(points)).query(curve)[0]
    return float(max(there.max(), back.max()))


def _dense(points: Array) -> Array:
    """Return a closed curve with points between its points, so that distances are those of the curve."""
    ring = np.vstack([points, points[:1]])
    part = np.linspace(0.0, 1.0, 8, endpoint=False)[:, None, None]
    return np.asarray((ring[:-1] + part * (ring[1:] - ring[:-1])).reshape(-1, points.shape[1]))


def hopf_value(
    plain: Plain, guess: Array, span: tuple[float, float], mu: float | None = None
) -> tuple[float, Array] | None:
    """Return where in a range of lam a pair of eigenvalues of the equilibrium near `guess` crosses; None if nowhere."""
    place = np.array(guess)

    def at(value: float) -> tuple[float, Array]:
        lam = np.array([value])
        x = root(plain.reduced, place, (lam,), jac=plain.reduced_slope, tol=1e-13).x
        slope = plain.reduced_slope(x, lam) if mu is None else plain.full_slope(plain.rest(x, lam), lam, mu)
        values = np.linalg.eigvals(slope)
        pairs = values[np.abs(values.imag) > 0.0]
        return (float(pairs.real.max()) if len(pairs) else np.nan), x

    grid = np.linspace(*span, 41)
    real = np.empty(len(grid))
    for k, value in enumerate(grid):
        real[k], place = at(value)
    change = np.flatnonzero(real[:-1] * real[1:] < 0.0)
    if not len(change):
        return None
    k = int(change[0])
    value = float(brentq(lambda lam: at(lam)[0], grid[k], grid[k + 1], xtol=1e-12))
    return value, at(value)[1]


def loop_value(plain: Plain, near: Array, inside: Array, span: tuple[float, float], rounds: int = 30) -> float | None:
    """Return where in a range of lam the saddle near `near` has a homoclinic loop around `inside`; None if nowhere.

    On one side of it the saddle's unstable manifold winds inward to the attractor in the loop, on the other it leaves.
    """

    def stays(value: float) -> bool:
        lam = np.array([value])
        x = root(plain.reduced, near, (lam,), jac=plain.reduced_slope, tol=1e-13).x
        values, vectors = np.linalg.eig(plain.reduced_slope(x, lam))
        out = vectors[:, int(values.real.argmax())].real
        out = out * np.sign(out @ (inside - x))
        end = follow(lambda y: plain.reduced(y, lam), x + 1e-6 * out, np.array([0.0, 200.0]))
        return end is not None and bool(np.abs(end[-1] - inside).max() < LEFT * np.abs(x - inside).max())

    low, high = span
    first = stays(low)
    if first == stays(high):
        return None
    for _ in range(rounds):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if stays(middle) == first else (low, middle)
    return 0.5 * (low + high)


def lyapunov(field: Field, start: Array, rest: float, steps: int, every: float) -> tuple[float, Array] | None:
    """Return the largest Lyapunov exponent, by two solutions brought together again and again, and the states."""
    before = follow(field, start, np.array([0.0, rest]))
    if before is None:
        return None
    n, apart = len(start), 1e-7
    x, other = before[-1], before[-1] + apart * np.eye(n)[0]
    total, states = 0.0, [x]

    def both(state: Array) -> Array:
        return np.concatenate([field(state[:n]), field(state[n:])])

    for _ in range(steps):
        ends = follow(both, np.concatenate([x, other]), np.array([0.0, every]))
        if ends is None:
            return None
        x, other = ends[-1][:n], ends[-1][n:]
        size = float(np.linalg.norm(other - x))
        total += np.log(size / apart)
        other = x + (other - x) * (apart / size)
        states.append(x)
    return total / (steps * every), np.array(states)

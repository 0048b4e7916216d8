"""Normal forms of bifurcations of periodic orbits, by solving the linearised collocation equations.

Kuznetsov, Govaerts, Doedel & Dhooge, SIAM J. Numer. Anal. 43, 2005, 1407: on the centre manifold u(t, xi) of the orbit,
with the time along the orbit slowed by a |xi|^2, the coefficients follow from the solvability of the equations order by
order. Here the left null vectors of the discretised equations stand for the adjoint eigenfunctions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bifrncrn.curves.orbits.collocation import Linearised, Sampler, at_gauss, null_vectors
from bifrncrn.curves.orbits.orbit import Orbit
from bifrncrn.models.system import System


@dataclass(frozen=True, eq=False)
class _Along:
    """Derivatives of the field at the Gauss points of an orbit, in directions (N, 4, n)."""

    sampler: Sampler
    points: np.ndarray
    p: np.ndarray

    def along(self, direction: np.ndarray) -> np.ndarray:
        """Return the first three derivatives in a direction, (3, N, 4, n)."""
        n = self.points.shape[2]
        found = self.sampler.jets(self.points.reshape(-1, n), direction.reshape(-1, n), self.p)
        return found.reshape(3, *self.points.shape)

    def second(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return B(u, v) of complex directions."""
        if not (np.iscomplexobj(u) or np.iscomplexobj(v)):
            both: np.ndarray = 0.25 * (self.along(u + v)[1] - self.along(u - v)[1])
            return both
        a, b = u.real, u.imag
        if not np.iscomplexobj(v):
            return self.second(a, v) + 1j * self.second(b, v)
        c, d = v.real, v.imag
        real = self.second(a, c) - self.second(b, d)
        return real + 1j * (self.second(a, d) + self.second(b, c))

    def powers(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return B(v, v), B(v, conj(v)) and C(v, v, conj(v))."""
        a, b = v.real, v.imag
        alone, other, plus, minus = (self.along(u) for u in (a, b, a + b, a - b))
        cross = 0.5 * (plus[1] - minus[1])  # 2 B(a, b)
        abb, aab = (plus[2] + minus[2] - 2.0 * alone[2]) / 6.0, (plus[2] - minus[2] - 2.0 * other[2]) / 6.0
        return alone[1] - other[1] + 1j * cross, alone[1] + other[1], alone[2] + abb + 1j * (other[2] + aab)


class NormalForm:
    """The normal form at an orbit that is at a bifurcation.

    Parameters
    ----------
    sampler : Sampler
    orbit : Orbit
    p : array
        The values of the varied parameters.
    scale : (n,) array
        The states' units of length for the linear algebra; results do not depend on them.
    """

    def __init__(self, sampler: Sampler, orbit: Orbit, p: np.ndarray, scale: np.ndarray) -> None:
        self.at = Linearised.of(sampler, orbit, p, scale)
        self._field = _Along(sampler, at_gauss(orbit.nodes), p)
        self._weights = orbit.mesh.weights

    # what is written x . y below is the sum of left null vector times durations times values: the integral

    def _integral(self, left: np.ndarray, values: np.ndarray) -> complex:
        return complex(np.vdot(left, self.at.rows(values.reshape(-1, values.shape[-1])).ravel()))

    def _unit(self, v: np.ndarray) -> np.ndarray:
        """Return a variation of the nodes (4 N n,), in units of the scale, of mean square 1 over time, in states."""
        states = v.reshape(-1, len(self.at.scale)) * self.at.scale
        mean = float(np.sum(self._weights[:, None] * np.abs(states) ** 2))
        out: np.ndarray = v / np.sqrt(mean)
        return out

    def _gauss(self, v: np.ndarray, factor: complex = 1.0) -> np.ndarray:
        """Return a variation at the Gauss points, in the units of the states."""
        return at_gauss(v.reshape(-1, len(self.at.scale)) * self.at.scale, factor)

    def _moved(self, v: np.ndarray) -> np.ndarray:
        """Return J v at the Gauss points."""
        n = v.shape[2]
        out: np.ndarray = np.einsum("kab,kb->ka", self.at.samples.jacobian, v.reshape(-1, n)).reshape(v.shape)
        return out

    def _shifted(self) -> tuple[np.ndarray, np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        """Return f at the Gauss points, the left null vector of periodic variations, and how to solve for them."""
        from scipy.sparse import bmat, csc_matrix
        from scipy.sparse.linalg import splu

        matrix = self.at.matrix()
        flow = self.at.flow
        _, left = null_vectors(matrix, (flow, flow))
        whole = bmat([[matrix, csc_matrix(left[:, None])], [csc_matrix(flow[None]), None]], format="csc")
        factors = splu(whole)

        def solve(values: np.ndarray) -> np.ndarray:
            right = np.append(self.at.rows(values.reshape(-1, values.shape[-1])).ravel(), 0.0)
            found: np.ndarray = factors.solve(right)[:-1]
            return found

        return self.at.samples.f.reshape(self._field.points.shape), left, solve

    def period_doubling(self) -> float:
        """Return c of xi' = c xi^3: negative where the doubled orbits are stable (if nothing else is unstable)."""
        right, w = null_vectors(self.at.matrix(-1.0), None)
        v = self._gauss(self._unit(right), -1.0)
        f, left, solve = self._shifted()
        _, bvv, cvvv = self._field.along(v)
        a = 0.5 * self._integral(left, bvv).real / self._integral(left, f).real
        h2 = self._gauss(solve(bvv - 2.0 * a * f))
        rest = cvvv + 3.0 * self._field.second(v, h2) - 6.0 * a * self._moved(v)
        return float((self._integral(w, rest) / self._integral(w, v)).real / 6.0)

    def torus(self, theta: float) -> complex:
        """Return d of xi' = d xi |xi|^2: its real part is negative where the torus is stable; as above."""
        from scipy.sparse.linalg import splu

        factor = complex(np.exp(1j * theta))
        right, w = null_vectors(self.at.matrix(factor), None)
        v = self._gauss(self._unit(right), factor)
        f, left, solve = self._shifted()
        bvv, across, cubic = self._field.powers(v)
        a = self._integral(left, across).real / self._integral(left, f).real
        h11 = self._gauss(solve(across - a * f))
        twice = splu(self.at.matrix(factor * factor))
        h20 = self._gauss(twice.solve(self.at.rows(bvv.reshape(-1, bvv.shape[-1])).ravel()), factor * factor)
        rest = cubic + 2.0 * self._field.second(v, h11) + self._field.second(v.conj(), h20)
        rest = rest - 2.0 * a * self._moved(v)
        return self._integral(w, rest) / self._integral(w, v) / 2.0

    def fold(self, toward: np.ndarray | None = None) -> float:
        """Return b of xi' = b xi^2, xi the mean size of the null vector.

        The null vector points towards a variation of the nodes (4 N, n), without one to where b is positive.
        """
        from scipy.sparse import bmat, csc_matrix

        n = len(self.at.scale)
        column = -self.at.rows(self.at.samples.f).ravel()[:, None]
        matrix = bmat([[self.at.matrix(), csc_matrix(column)], [csc_matrix(self.at.flow[None]), None]], format="csc")
        right, left = null_vectors(matrix, None)
        size = np.sqrt(np.sum(self._weights[:, None] * np.abs(right[:-1].reshape(-1, n) * self.at.scale) ** 2))
        right = right / size
        v, slower = self._gauss(right[:-1]), float(right[-1])
        rest = self._field.along(v)[1] + 2.0 * slower * self._moved(v)
        w = left[:-1]
        b = float((self._integral(w, rest) / self._integral(w, v)).real / 2.0)
        if toward is None:
            return abs(b)
        return b if np.vdot(right[:-1].reshape(-1, n) * self.at.scale, toward).real >= 0.0 else -b


def coefficients(
    label: str, system: System, orbit: Orbit, p: dict[str, float], scale: np.ndarray, multipliers: np.ndarray
) -> dict[str, float]:
    """Return the coefficients of an LPC (a), a PD (b) or an NS (re_d and theta); nothing where they are not found.

    Parameters
    ----------
    label : str
    system : System
        With its parameters at `p`, but for the one that varies.
    orbit : Orbit
    p : dict
        The parameter that varies, and its value.
    scale : (n,) array
    multipliers : (n,) array
        All of them.
    """
    sampler = Sampler(system, tuple(system.parameter_index(name) for name in p))
    try:
        form = NormalForm(sampler, orbit, np.array(list(p.values())), scale)
        if label == "LPC":
            found = {"a": form.fold()}
        elif label == "PD":
            found = {"b": form.period_doubling()}
        else:
            pairs = multipliers[multipliers.imag > 0.0]
            theta = float(np.angle(pairs[np.argmin(np.abs(np.abs(pairs) - 1.0))]))
            found = {"re_d": form.torus(theta).real, "theta": theta}
    except (RuntimeError, ValueError, np.linalg.LinAlgError):  # singular: a point of higher codimension
        return {}
    return found if all(np.isfinite(value) for value in found.values()) else {}

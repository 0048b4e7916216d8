"""Normal forms of bifurcations of periodic orbits, by solving the linearised collocation equations.

Kuznetsov, Govaerts, Doedel & Dhooge, SIAM J. Numer. Anal. 43, 2005, 1407: on the centre manifold u(t, xi) of the orbit,
with the time along the orbit slowed by a |xi|^2, the coefficients follow from the solvability of the equations order by
order. What stands for the adjoint eigenfunctions is the border of a bordered system: the number beside its solution is
the integral of the right-hand side with one of them, up to a factor that drops out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bifrncrn.curves.orbits.orbit import Orbit
from bifrncrn.curves.orbits.variations import Variations, bordered
from bifrncrn.models.system import System


class NormalForm:
    """The normal form at an orbit that is at a bifurcation.

    Parameters
    ----------
    variations : Variations
    orbit : Orbit
    p : array
        The values of the varied parameters.
    scale : (n,) array
        The states' units of length for the linear algebra; results do not depend on them.

    Raises
    ------
    RuntimeError
        If the equations cannot be eliminated there.
    """

    def __init__(self, variations: Variations, orbit: Orbit, p: np.ndarray, scale: np.ndarray) -> None:
        self._at, self._orbit, self._scale = variations, orbit, scale
        variations.take(orbit, p, scale)
        if not variations.eliminate(orbit, np.ones(orbit.nodes.size + 2)):
            raise RuntimeError("the equations cannot be eliminated at this orbit")

    def _unit(self, v: np.ndarray) -> float:
        """Return what makes a variation one of mean square 1 over time, in the units of the states."""
        mean = np.sum(self._orbit.mesh.weights[:, None] * np.abs(v[:-1] * self._scale) ** 2)
        return 1.0 / float(np.sqrt(mean))

    def _itself(self, v: np.ndarray) -> np.ndarray:
        """Return a variation as right-hand sides, in the place of J v."""
        windows = np.lib.stride_tricks.sliding_window_view(v, 5, axis=0)[::4]  # (N, n, 5)
        steps = self._orbit.mesh.widths * self._orbit.period
        values: np.ndarray = np.einsum("kj,inj->ikn", self._at.values, windows) * steps[:, None, None]
        return values.ravel()

    def _second(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return B(u, v) of complex directions."""
        if not (np.iscomplexobj(u) or np.iscomplexobj(v)):
            both: np.ndarray = 0.25 * (self._at.jets(u + v)[1] - self._at.jets(u - v)[1])
            return both
        a, b = u.real, u.imag
        if not np.iscomplexobj(v):
            return self._second(a, v) + 1j * self._second(b, v)
        c, d = v.real, v.imag
        real = self._second(a, c) - self._second(b, d)
        return real + 1j * (self._second(a, d) + self._second(b, c))

    def _powers(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return B(v, v), B(v, conj(v)) and C(v, v, conj(v))."""
        a, b = v.real, v.imag
        alone, other, plus, minus = (self._at.jets(u) for u in (a, b, a + b, a - b))
        cross = 0.5 * (plus[1] - minus[1])  # 2 B(a, b)
        abb, aab = (plus[2] + minus[2] - 2.0 * alone[2]) / 6.0, (plus[2] - minus[2] - 2.0 * other[2]) / 6.0
        return alone[1] - other[1] + 1j * cross, alone[1] + other[1], alone[2] + abb + 1j * (other[2] + aab)

    def _shifted(self, values: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the periodic h with h' - T J h = values + s f, and s: what slows the time along the orbit."""
        n = self._at.n
        found = np.linalg.solve(self._at.timed(), self._at.reduce(values)[: n + 1])
        numbers = np.array([found[n], 0.0])
        return self._at.expand(found[:n], found[:n], numbers, values), float(found[n])

    def _critical(self, factor: complex) -> tuple[np.ndarray, Callable[[np.ndarray], complex]]:
        """Return the variation that closes up to a factor, of unit length, and the integral with its adjoint."""
        n = self._at.n
        matrix = bordered(self._at.closed(factor))
        first = np.linalg.solve(matrix, np.append(np.zeros(n), 1.0))[:n]
        v = self._at.expand(first, factor * first)

        def integral(values: np.ndarray) -> complex:
            return complex(np.linalg.solve(matrix, np.append(self._at.reduce(values)[:n], 0.0))[n])

        return v * self._unit(v), integral

    def period_doubling(self) -> float:
        """Return c of xi' = c xi^3: negative where the doubled orbits are stable (if nothing else is unstable)."""
        v, integral = self._critical(-1.0)
        _, bvv, cvvv = self._at.jets(v)
        h2, slower = self._shifted(bvv)
        rest = cvvv + 3.0 * self._second(v, h2) + 3.0 * slower * self._at.apply(v)
        return float((integral(rest) / integral(self._itself(v))).real / 6.0)

    def torus(self, theta: float) -> complex:
        """Return d of xi' = d xi |xi|^2: its real part is negative where the torus is stable; as above."""
        factor = complex(np.exp(1j * theta))
        v, integral = self._critical(factor)
        bvv, across, cubic = self._powers(v)
        h11, slower = self._shifted(across)
        twice = factor * factor
        first = np.linalg.solve(self._at.closed(twice), self._at.reduce(bvv)[: self._at.n])
        h20 = self._at.expand(first, twice * first, values=bvv)
        rest = cubic + 2.0 * self._second(v, h11) + self._second(v.conj(), h20) + 2.0 * slower * self._at.apply(v)
        return integral(rest) / integral(self._itself(v)) / 2.0

    def fold(self) -> float:
        """Return b of xi' = b xi^2, xi the mean size of the null vector, which points to where b is positive."""
        n = self._at.n
        matrix = bordered(self._at.timed())
        found = np.linalg.solve(matrix, np.append(np.zeros(n + 1), 1.0))
        v = self._at.expand(found[:n], found[:n], np.array([found[n], 0.0]))
        unit = self._unit(v)
        v, slower = v * unit, float(found[n]) * unit

        def integral(values: np.ndarray) -> float:
            return float(np.linalg.solve(matrix, np.append(self._at.reduce(values)[: n + 1], 0.0))[n + 1])

        rest = self._at.jets(v)[1] + 2.0 * slower * self._at.apply(v)
        return abs(integral(rest) / integral(self._itself(v)) / 2.0)


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
    variations = Variations(system, tuple(system.parameter_index(name) for name in p), np.ones(len(p)))
    try:
        form = NormalForm(variations, orbit, np.array(list(p.values())), scale)
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

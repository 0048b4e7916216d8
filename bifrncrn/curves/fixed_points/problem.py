"""The curve of fixed points f^k(x, p) = x of a map's k-th iterate in one parameter, y = (x, p)."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import numpy as np

from bifrncrn.continuation import layout
from bifrncrn.continuation.curve import Curve
from bifrncrn.curves.equilibria.problem import EquilibriumProblem
from bifrncrn.curves.equilibria.work import JET_DIRECTION, TESTS, Work
from bifrncrn.curves.fixed_points.engine import MULTIPLIERS
from bifrncrn.models.branch_events import Events
from bifrncrn.models.maps import displaced, divisors, orbit
from bifrncrn.models.region import Region
from bifrncrn.models.system import System

EVENTS = {layout.FOLD: "LP", layout.BRANCH: "BP", layout.PAIR: "NS", layout.REAL: "BP"}
"""The labels of what the march sees; that of the test behind the user's is PD."""
RESONANT = 1e-6
"""At a pair of multipliers whose first to fourth power is nearer to 1 than this there is no normal form of a torus."""
SINGULAR = 1e-10
"""A matrix whose least singular value is below this part of the largest multiplier, in balanced units, is not divided
by: rounding would leave less than six digits of the quotient."""
VANISHED = 1e-13
"""A coefficient that is a smaller share of the terms it is the sum of is zero but for their rounding; so is one that is
as small a share as rounding is of the matrices that are divided by, or as the multiplier is off the circle."""
DEGENERATE = 1e-9
"""Left and right null vector with a smaller product belong to a multiplier that is double."""


def multipliers_of(growth: np.ndarray) -> np.ndarray:
    """Return the multipliers for what the march knows of them: |m| - 1 + i arg m, -pi standing for negative ones.

    Examples
    --------
    >>> multipliers_of(np.array([0.5 - 1j * np.pi, -0.5 + 0j])).real
    array([-1.5,  0.5])
    """
    radius, angle = 1.0 + growth.real, growth.imag
    return np.where(angle == -math.pi, -radius + 0j, radius * np.exp(1j * angle))


def growth_of(multipliers: np.ndarray) -> np.ndarray:
    """Return what the march knows of multipliers: the inverse of `multipliers_of`."""
    values = np.asarray(multipliers, complex)
    real = values.imag == 0.0
    angle = np.where(real, np.where(values.real < 0.0, -math.pi, 0.0), np.angle(values))
    return np.asarray(np.abs(values) - 1.0 + 1j * angle)


class FixedPointProblem(EquilibriumProblem):
    """Values and derivatives of F(x, p) = f^k(x, p) - x, of which a cycle of k points is a zero.

    Attributes
    ----------
    map : System
    iterations : int
        k; every point of the curve has this least period, or lies where it meets a curve of a lower one.
    """

    def __init__(
        self,
        system: System,
        iterations: int,
        parameter: int,
        stability: bool = True,
        region: Region | None = None,
        model: System | None = None,
    ) -> None:
        self.map, self.iterations = system, iterations
        super().__init__(model or displaced(system, iterations), parameter, stability, region)

    def at(self, p: float) -> np.ndarray:
        """Return the map's parameter values (m,) where the continuation parameter is p."""
        values = np.array(self.map.values)
        values[self.parameter] = p
        return values

    def states(self, y: np.ndarray) -> np.ndarray:
        """Return all points of the cycle that y = (x, p) is on, (k, n), x being the first."""
        return orbit(self.map, y[:-1], self.iterations, self.at(y[-1]))

    def lower_periods(self) -> list[int]:
        """Return the greatest periods below k that its points can have: k divided by its prime factors."""
        lower = divisors(self.iterations)
        return [k for k in lower if not any(other > k and other % k == 0 for other in lower)]

    def apart(self, y: np.ndarray, period: int) -> np.ndarray:
        """Return f^period(x) - x, (n,)."""
        return orbit(self.map, y[:-1], period + 1, self.at(y[-1]))[-1] - y[:-1]

    # -- what the march needs -----------------------------------------------------------------------------------

    def curve(self, events: Events | None = None) -> Curve:
        """Return the curve for the march; the last of its test functions is that of PD."""
        like, kernels = super().curve(events), MULTIPLIERS.engine.address
        count = len(events.names) if events else 0
        context = np.append(self._work.context[: JET_DIRECTION + 1], count)
        context[TESTS] = events.native.f if events else 0
        return replace(
            like,
            tests=count + 1,
            spectrum=kernels["growth"] if self.stability else 0,
            user_tests=kernels["doubling_tests"],
            context=context.__array_interface__["data"][0],
            keep=(*like.keep, context),
            events=EVENTS,
        )

    def _spectrum(self, work: Work) -> None:
        MULTIPLIERS.engine.call["growth"](work.at, work.at_row, work.at_out, 0)

    # -- normal forms -------------------------------------------------------------------------------------------

    def derivative(self, y: np.ndarray) -> np.ndarray:
        """Return the derivative of f^k by the states, (n, n)."""
        return self.dense(y)[:, :-1] + np.eye(self.n)

    def multipliers(self, y: np.ndarray) -> np.ndarray:
        """Return the multipliers of the cycle, (n,), by descending size."""
        values = np.linalg.eigvals(self.derivative(y)).astype(complex)
        return values[np.argsort(-np.abs(values), kind="stable")]

    def flip(self, y: np.ndarray) -> float:
        """Return b = <p, C(q, q, q) + 3 B(q, (I - A)^-1 B(q, q))> / 6 at a period doubling.

        NaN where it has none: another multiplier is 1 or -1, or this one is double.

        A q = -q, A' p = -p, <q, q> = <p, q> = 1 (Kuznetsov, Elements of Applied Bifurcation Theory, eq. 5.49). Positive
        b is supercritical: the doubled cycle is then stable where nothing else is unstable.
        """
        a = self.derivative(y)
        found, blur = _null_vectors(a + np.eye(self.n)), _blur(a, 1.0)
        gaps = np.sort(np.abs(np.linalg.eigvals(a) + 1.0))
        if found is None or math.isinf(blur) or np.any(gaps[1:] < SINGULAR):
            return math.nan
        off = float(gaps[0])
        q, p = found[0].real, found[1].real
        forms = _Forms(self, y)
        second, third = forms.along(q)
        inner = _solve(np.eye(self.n) - a, second)
        if inner is None:
            return math.nan
        return _sum(off + blur, p * third / 6.0, p * forms.second(q, inner) / 2.0)

    def torus(self, y: np.ndarray, near: complex | None = None) -> tuple[float, float]:
        """Return (theta, Re d) at a Neimark-Sacker point; Re d is NaN in strong resonance.

        The multiplier is that next to `near`, which tells it from others on the circle, or that next to the circle.

        d = e^(-i theta) <p, C(q, q, q') + 2 B(q, (I - A)^-1 B(q, q')) + B(q', (e^(2 i theta) I - A)^-1 B(q, q))> / 2
        with A q = e^(i theta) q, A' p = e^(-i theta) p, <q, q> = <p, q> = 1, q' the conjugate of q (Kuznetsov, eq.
        5.57). Negative Re d is supercritical: the invariant curve is then stable where nothing else is unstable.
        """
        a, eye = self.derivative(y), np.eye(self.n)
        values = [m for m in np.linalg.eigvals(a).tolist() if m.imag > 0.0]
        if not values:
            return math.nan, math.nan
        m = min(values, key=lambda value: abs(abs(value) - 1.0 if near is None else value - near))
        theta = math.atan2(m.imag, m.real)
        unit = complex(math.cos(theta), math.sin(theta))
        found = _null_vectors(a - m * eye)
        strong = any(abs(unit**k - 1.0) < RESONANT for k in (1, 2, 3, 4))
        blur = _blur(a, 1.0) + _blur(a, unit**2)
        if found is None or strong or math.isinf(blur):
            return theta, math.nan
        q, p = found
        forms = _Forms(self, y)
        steady = _solve(eye - a, forms.second(q, q.conj()))
        double = _solve(unit**2 * eye - a, forms.second(q, q))
        if steady is None or double is None:
            return theta, math.nan
        terms = forms.third(q), 2.0 * forms.second(q, steady), forms.second(q.conj(), double)
        return theta, _sum(blur + abs(abs(m) - 1.0), *((0.5 * p.conj() * term / unit).real for term in terms))


class _Forms:
    """The second and third derivatives of f^k by the states at a point, by polarisation of Taylor coefficients."""

    def __init__(self, problem: FixedPointProblem, y: np.ndarray) -> None:
        values = np.array(problem.values)
        values[problem.parameter] = y[-1]
        self.derivatives = functools.partial(problem.system.derivatives, y[:-1], values)

    def along(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return B(v, v) and C(v, v, v), (n,) each, of a real direction."""
        _, second, third = self.derivatives(v, None)
        return second, third

    def _real(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        a, b = float(np.linalg.norm(u)), float(np.linalg.norm(v))
        if a == 0.0 or b == 0.0:
            return np.zeros(len(u))
        plus, minus = self.along(u / a + v / b)[0], self.along(u / a - v / b)[0]
        return 0.25 * a * b * (plus - minus)

    def second(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return B(u, v), (n,), of real or complex directions."""
        if not (np.iscomplexobj(u) or np.iscomplexobj(v)):
            return self._real(u, v)
        real = self._real(u.real, v.real) - self._real(u.imag, v.imag)
        return real + 1j * (self._real(u.real, v.imag) + self._real(u.imag, v.real))

    def third(self, q: np.ndarray) -> np.ndarray:
        """Return C(q, q, q'), (n,), q' being the conjugate of q = a + i b.

        It is C(a,a,a) + C(a,b,b) + i (C(a,a,b) + C(b,b,b)).
        """
        a, b = q.real, q.imag
        (_, aaa), (_, bbb) = self.along(a), self.along(b)
        (_, plus), (_, minus) = self.along(a + b), self.along(a - b)
        aab, abb = (plus - minus - 2.0 * bbb) / 6.0, (plus + minus - 2.0 * aaa) / 6.0
        return aaa + abb + 1j * (aab + bbb)


def _blur(a: np.ndarray, value: complex) -> float:
    """Return what rounding is of value I - a, which is to be divided by; infinite where it is singular but for that."""
    from scipy.linalg import matrix_balance

    if not np.isfinite(a).all():
        return math.inf
    balanced = matrix_balance(a, permute=False)[0]
    least = np.linalg.svd(value * np.eye(len(a)) - balanced, compute_uv=False)[-1]
    share = float(least) / max(1.0, float(np.abs(np.linalg.eigvals(balanced)).max()))
    return math.inf if share < SINGULAR else float(np.finfo(float).eps) / share


def _sum(blur: float, *terms: np.ndarray) -> float:
    """Return the sum of all entries of arrays (n,), zero where it is the rounding of the entries, or their blur."""
    every = np.concatenate(terms)
    total = float(np.sum(every))
    return total if abs(total) > (VANISHED + blur) * float(np.sum(np.abs(every))) else 0.0


def _null_vectors(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return q and p with matrix q = 0, matrix' p = 0, <q, q> = <p, q> = 1; None where zero is a double eigenvalue."""
    if not np.isfinite(matrix).all():
        return None
    u, _, vh = np.linalg.svd(matrix)
    q, p = vh[-1].conj(), u[:, -1]
    product = complex(np.vdot(p, q))
    if abs(product) < DEGENERATE:
        return None
    return q, p / product.conjugate()


def _solve(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray | None:
    try:
        found = np.linalg.solve(matrix, rhs)
    except np.linalg.LinAlgError:
        return None
    return found if np.isfinite(found).all() else None

"""Loci of bifurcations of periodic orbits in two parameters: minimally augmented systems on the collocation equations.

The unknowns are the orbit, the logarithm of its period, both parameters, and of a torus the angle of the multiplier. To
the equations of the orbit comes g = 0. At a fold (LPC) g is the parameter's component of the tangent of the branch of
orbits in one parameter; where the period doubles (PD) or a torus is born (NS) it is the number beside the solution of
the bordered equations of variations that close up to the factor -1, or exp(i theta); then g is complex. Doedel,
Govaerts & Kuznetsov, SIAM J. Numer. Anal. 41, 2003, 401.

A branch point of cycles (BPC) is one along a curve where something keeps it so, as a symmetry or an invariant subspace
does; else a change of the second parameter makes it two folds, or none. Its equations are those of the orbit less a
number times a fixed vector, the border of the equations of periodic variations: that number has no slope there, neither
along the critical variation nor by the parameter. If it is not zero all along, the point was not one of a curve.

Newton's method needs one elimination an iteration (`bifrncrn.curves.orbits.variations`): its step is a sum of what the
equations of the orbit ask for, of the tangent of the branch, of what the second parameter moves, and of the angle, the
last with factors that g = 0 and the hyperplane tell. So is the tangent of the locus.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bifrncrn.curves.orbits.orbit import Mesh, Orbit
from bifrncrn.curves.orbits.variations import Variations, bordered

FOLD, DOUBLING, TORUS = "fold_of_cycles", "period_doubling", "torus"
FIXED = "fixed_period"
"""Cycles of one period, which is no bifurcation: g is what the logarithm of the period is off."""
BRANCHING = "branch_point_of_cycles"
NEWTONS = 8
CONVERGED = 1e-10
"""The next Newton step, in units of the unknowns, would be no longer at a point on the locus."""
SLOW = 0.5
"""Newton steps must shrink by this."""
ROUGH, FAST = 1e-4, 0.05
"""After a step smaller than the first, and than the second times the one before, the slopes of g are those from before
it: they are half of the work."""
ORBIT_FIRST = 1e-8
"""Where the orbit is further off than this, it alone is corrected first. Along a canard the parameter hardly moves, and
g and its slopes are as small as what an orbit off the branch makes of them.
"""
ROUNDED = 1e-13
"""What rounding makes of the g of a fold, a sum of terms up to 1 over the nodes: Newton's steps do not become smaller
than this over the slope of g, which along a canard is small."""
VAGUE = 1e-6
"""A cycle of a fold must be known to this, in its units. Along the curve the parameters move as much, beside it by the
square."""
IMPERFECT = 1e-6
"""What may be left of the equations of an orbit at a branch point, in units of the states."""
STANDING = 1e-3
"""Where less than this part of the tangent is in the parameters, as at a cusp, their directions stay."""


@dataclass(frozen=True, eq=False)
class Borders:
    """What the equations at a point are made with.

    Attributes
    ----------
    scale : (n,) array
        Units of the states.
    near : Orbit
        It fixes the phase.
    normal : (4 N n + 2,) array
        The tangent of the branch of orbits there, in the units of the states.
    across : (2,) array
        The direction in the plane of the parameters, in their units, in which that branch is taken. At folds it is
        normal to the locus: along the locus the parameters do not unfold the fold.
    small : two arrays, optional
        Borders of the last equations (n,) of the critical variations, of a branch point (n + 1,); None: their own null
        vectors.
    """

    scale: np.ndarray
    near: Orbit
    normal: np.ndarray
    across: np.ndarray
    small: tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True, eq=False)
class State:
    """A point of a locus.

    Attributes
    ----------
    mesh : Mesh
    z : array
        Nodes in units of the scale, logarithm of the period, parameters in their units, angle of a torus.
    orbit : Orbit
    scale : (n,) array
    borders : Borders
        Made there.
    tangent : array
    multipliers : (n,) array
        The trivial one first.
    residual : float
        What is left of the equations, relative to the terms they are the sums of.
    bend : float
        How fast g changes along the branch of orbits in one parameter: nothing at a cusp.
    """

    mesh: Mesh
    z: np.ndarray
    orbit: Orbit
    scale: np.ndarray
    borders: Borders
    tangent: np.ndarray
    multipliers: np.ndarray
    residual: float
    bend: float


@dataclass(frozen=True, eq=False)
class _Parts:
    """The parts of a Newton step at an orbit, as changes of the unknowns, and g with its slope along any change.

    `imperfect` is what must be added to the equations of the orbit for a branch point.
    """

    own: np.ndarray
    others: list[np.ndarray]
    g: np.ndarray
    along: Callable[[np.ndarray], np.ndarray]
    imperfect: float = 0.0

    def slopes(self) -> np.ndarray:
        """Return the slopes of g along the parts but the first, one a column."""
        return np.column_stack([self.along(part) for part in self.others])


class CycleLocus:
    """The defining equations of one kind of locus.

    Parameters
    ----------
    kind : str
    variations : Variations
        In both parameters.
    period : float
        That of all cycles, where it is fixed.
    offset : (n,) array, optional
        What their states grow by in a period.
    """

    def __init__(
        self, kind: str, variations: Variations, period: float = 1.0, offset: np.ndarray | None = None
    ) -> None:
        self.kind, self.variations, self.units = kind, variations, variations.units
        self.held, self.offset = math.log(period), offset
        self.n = variations.n
        self.extra = 1 if kind == TORUS else 0

    # -- a vector of unknowns ------------------------------------------------------------------------------------

    def vector(self, orbit: Orbit, scale: np.ndarray, p: np.ndarray, theta: float) -> np.ndarray:
        """Return the unknowns of an orbit."""
        rest = [np.log(orbit.period), *(p / self.units), *([theta] if self.extra else [])]
        return np.append((orbit.nodes / scale).ravel(), rest)

    def parameters(self, z: np.ndarray) -> np.ndarray:
        """Return the parameters (2,)."""
        size = len(z) - 3 - self.extra
        out: np.ndarray = z[size + 1 : size + 3] * self.units
        return out

    def theta(self, z: np.ndarray) -> float:
        """Return the angle of the multiplier of a torus."""
        return float(z[-1])

    def factor(self, z: np.ndarray) -> complex:
        """Return that to which the critical variation closes up."""
        if self.kind == TORUS:
            return complex(np.exp(1j * self.theta(z)))
        return -1.0 if self.kind == DOUBLING else 1.0

    def orbit(self, mesh: Mesh, z: np.ndarray, scale: np.ndarray) -> Orbit:
        """Return the orbit of the unknowns."""
        size = len(z) - 3 - self.extra
        period, p = float(np.exp(z[size])), float(self.parameters(z)[0])
        return Orbit(mesh, z[:size].reshape(-1, self.n) * scale, period, p, self.offset)

    def weights(self, mesh: Mesh) -> np.ndarray:
        """Return the weights of the inner product of changes of the unknowns."""
        states = np.repeat(mesh.weights / self.n, self.n)
        return np.append(states, np.ones(3 + self.extra))

    # -- the equations -------------------------------------------------------------------------------------------

    def first_borders(self, orbit: Orbit, scale: np.ndarray, p: np.ndarray) -> Borders | None:
        """Return the borders at an orbit of which nothing is known, None where the equations are singular there."""
        at, n, across = self.variations, self.n, np.array([1.0, 0.0])
        start = np.random.default_rng(0).standard_normal(orbit.nodes.size + 2)
        start[:-2] *= np.tile(scale, orbit.nodes.shape[0])
        at.take(orbit, p, scale)
        at.aim(across)
        if not at.eliminate(orbit, start):
            return None
        if self.kind == BRANCHING:  # the hyperplane has no part in its equations
            return Borders(scale, orbit, start, across, None)
        ends = np.linalg.solve(at.whole(), np.eye(n + 2)[:, n + 1])
        nodes = at.expand(ends[:n], ends[:n], ends[n:])
        return Borders(scale, orbit, _unit(orbit.mesh, nodes[:-1] * scale, ends[n:], scale), across, None)

    def _eliminated(self, mesh: Mesh, z: np.ndarray, b: Borders) -> Borders | None:
        """Eliminate at an orbit; return the borders with null vectors of its own where they have none."""
        at = self.variations
        at.take(self.orbit(mesh, z, b.scale), self.parameters(z), b.scale)
        at.aim(b.across)
        if not at.eliminate(b.near, b.normal):
            return None
        return replace(b, small=self._null(z)) if b.small is None and self.kind not in (FOLD, FIXED) else b

    def _critical(self, z: np.ndarray) -> np.ndarray:
        """Return the last equations of the critical variations."""
        return self.variations.timed() if self.kind == BRANCHING else self.variations.closed(self.factor(z))

    def _null(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        left, _, right = np.linalg.svd(self._critical(z))
        return left[:, -1], right[-1].conj()

    def _parts(self, z: np.ndarray, b: Borders) -> _Parts:
        """Return the parts of a Newton step, where the equations were eliminated."""
        if self.kind == BRANCHING:
            return self._parts_of_branching(b)
        at, n = self.variations, self.n
        whole = np.linalg.inv(at.whole())
        ends = whole @ at.end[:, -1]
        own = self._change(at.newton(ends[:n], ends[n:]), ends[n], ends[n + 1] * b.across)
        ends = whole[:, n + 1]
        tangent = at.expand(ends[:n], ends[:n], ends[n:])
        others = [self._change(tangent, ends[n], ends[n + 1] * b.across)]
        beside = np.array([-b.across[1], b.across[0]])
        at.aim(beside)
        values = at.apply(np.zeros_like(tangent), np.array([0.0, 1.0]))
        at.aim(b.across)
        moved = whole @ at.reduce(values)
        second = at.expand(moved[:n], moved[:n], moved[n:], values)
        others.append(self._change(second, moved[n], moved[n + 1] * b.across + beside))
        if self.kind == FIXED:
            size = len(z) - 3
            return _Parts(own, others, np.array([z[size] - self.held]), lambda change: change[size : size + 1])
        if self.kind == FOLD:
            return _Parts(
                own, others, ends[n + 1 :].copy(),
                lambda change: (whole @ at.reduce(self._derivative(b, change, tangent, ends[n:])))[n + 1 :],
            )  # fmt: skip
        factor = self.factor(z)
        matrix = np.linalg.inv(bordered(at.closed(factor), b.small))
        first, g = matrix[:n, n], matrix[n, n]
        v = at.expand(first, factor * first)
        turned = -1j * factor * (at.end[:n, n : 2 * n] @ first)

        def along(change: np.ndarray) -> np.ndarray:
            value = matrix[n, :n] @ at.reduce(self._derivative(b, change, v, np.zeros(2)))[:n]
            turning = change[-1] * (matrix[n, :n] @ turned) if self.extra else 0.0
            return _real(value + turning, self.extra)

        if self.extra:
            others.append(np.append(np.zeros(len(z) - 1), 1.0))
        return _Parts(own, others, _real(g, self.extra), along)

    def _parts_of_branching(self, b: Borders) -> _Parts:
        """Return the same at a branch point: beside its own part the critical variation, and both parameters."""
        at, n = self.variations, self.n
        matrix = np.linalg.inv(bordered(at.timed(), b.small))
        own = matrix[:, : n + 1] @ at.end[: n + 1, -1]
        changes = [self._change(at.newton(own[:n], np.array([own[n], 0.0])), own[n], np.zeros(2))]
        beside = np.array([-b.across[1], b.across[0]])
        critical = matrix[:, n + 1]
        v = at.expand(critical[:n], critical[:n], np.array([critical[n], 0.0]))
        changes.append(self._change(v, critical[n], np.zeros(2)))
        moved = []
        for direction in (b.across, beside):
            at.aim(direction)
            values = at.apply(np.zeros_like(v), np.array([0.0, 1.0]))
            ends = matrix[:, : n + 1] @ at.reduce(values)[: n + 1]
            nodes = at.expand(ends[:n], ends[:n], np.array([ends[n], 0.0]), values)
            moved.append((ends, nodes))
            changes.append(self._change(nodes, ends[n], direction))
        at.aim(b.across)
        ends, nodes = moved[0]
        both = [(v, np.array([critical[n], 0.0])), (nodes, np.array([ends[n], 1.0]))]

        def along(change: np.ndarray) -> np.ndarray:
            sides = [at.reduce(self._derivative(b, change, v, numbers))[: n + 1] for v, numbers in both]
            return np.array([matrix[n + 1, : n + 1] @ side for side in sides])

        return _Parts(changes[0], changes[1:], np.array([critical[n + 1], ends[n + 1]]), along, float(own[n + 1]))

    def _change(self, nodes: np.ndarray, by_period: float, by_parameters: np.ndarray) -> np.ndarray:
        return np.concatenate([nodes[:-1].ravel(), [by_period], by_parameters, np.zeros(self.extra)])

    def _derivative(self, b: Borders, change: np.ndarray, v: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Return the derivative along a change of what a variation and its numbers make of the right-hand sides.

        Second derivatives of the field in two directions at once are those in their sum and difference; differences of
        its Jacobian would not do where variations grow by orders of magnitude along the orbit.
        """
        if np.iscomplexobj(v):
            return self._derivative(b, change, v.real, numbers) + 1j * self._derivative(
                b, change, v.imag, 0.0 * numbers
            )
        size = len(change) - 3 - self.extra
        nodes, longer, moved = change[:size].reshape(-1, self.n), change[size], change[size + 1 : size + 3]
        along = np.concatenate([nodes, nodes[:1]])
        by_period, direction = numbers[0], numbers[1] * b.across
        even = max(float(np.abs(v).max()), float(np.abs(direction).max()))
        even /= max(float(np.abs(along).max()), float(np.abs(moved).max())) or 1.0  # both of one size
        plus = self.variations.jets(v + even * along, direction + even * moved)
        minus = self.variations.jets(v - even * along, direction - even * moved)
        out: np.ndarray = 0.25 * (plus[1] - minus[1]) + by_period * 0.5 * (plus[0] - minus[0])
        out /= even or 1.0
        if longer != 0.0:
            out += longer * (0.5 * (plus[0] + minus[0]))
            if by_period != 0.0:
                out += longer * self.variations.apply(np.zeros_like(v), np.array([by_period, 0.0]))
        return out

    # -- Newton --------------------------------------------------------------------------------------------------

    def correct(self, mesh: Mesh, z: np.ndarray, b: Borders, row: np.ndarray, level: float) -> State | None:
        """Return the point of the locus at which row . z is a level; None where Newton's method does not converge."""
        try:
            found = self._corrected(mesh, z, b, row, level)
            return None if found is None else self._state(mesh, *found, row)
        except np.linalg.LinAlgError:  # exactly singular
            return None

    def _corrected(
        self, mesh: Mesh, z: np.ndarray, b: Borders, row: np.ndarray, level: float
    ) -> tuple[np.ndarray, Borders] | None:
        weights, last, ratio, slopes = self.weights(mesh), np.inf, 1.0, None
        for k in range(NEWTONS):
            made = self._eliminated(mesh, z, b)
            if made is None:
                return None
            b, parts = made, self._parts(z, made)
            if self.kind == FOLD and k == 0 and ORBIT_FIRST < float(np.sqrt(np.sum(weights * parts.own**2))) < 1.0:
                z = z + parts.own
                continue
            slopes = parts.slopes() if slopes is None or last > ROUGH or ratio > FAST else slopes
            matrix = np.vstack([slopes, [row @ part for part in parts.others]])
            defects = np.append(parts.g + parts.along(parts.own), row @ (z + parts.own) - level)
            if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(defects))):
                return None
            shares = np.linalg.solve(matrix, -defects)
            step = parts.own + sum(share * part for share, part in zip(shares, parts.others, strict=True))
            length = float(np.sqrt(np.sum(weights * step**2)))
            stands, flat = length > SLOW * last, self.kind == FOLD and length * np.max(np.abs(slopes)) < ROUNDED
            flat = flat and length < VAGUE
            if not length < 1.0 or (stands and length > 1e-7 and not flat):
                return None
            z = z + step
            ratio = min(length / last, 1.0) if np.isfinite(last) else 1.0
            if length * ratio < CONVERGED or (stands and (length < 1e-8 or flat)):
                return z, b
            last = length
        return None

    def _state(self, mesh: Mesh, z: np.ndarray, b: Borders, row: np.ndarray) -> State | None:
        """Return a point with the borders that belong to it, its tangent so that the row ascends along it."""
        if self._eliminated(mesh, z, b) is None:
            return None
        at, n = self.variations, self.n
        multipliers, residual = at.multipliers.copy(), at.residual
        parts = self._parts(z, b)
        slopes = parts.slopes()
        if not np.all(np.isfinite(slopes)) or abs(parts.imperfect) > IMPERFECT:
            return None
        shares = np.linalg.svd(slopes)[2][-1]  # g stays 0
        tangent: np.ndarray = sum(share * part for share, part in zip(shares, parts.others, strict=True))
        tangent = tangent / np.sqrt(np.sum(self.weights(mesh) * tangent**2))
        tangent = tangent if row @ tangent >= 0.0 else -tangent
        orbit = self.orbit(mesh, z, b.scale)
        size, normal = orbit.nodes.size, b.normal
        if self.kind != BRANCHING:
            along = parts.others[0]
            numbers = np.array([along[size], along[size + 1 : size + 3] @ b.across])
            normal = _unit(mesh, along[:size].reshape(-1, n) * b.scale, numbers, b.scale)
        small = None if self.kind in (FOLD, FIXED) else self._null(z)
        made = Borders(b.scale, orbit, normal, self._across(tangent[size + 1 : size + 3], b.across), small)
        return State(mesh, z, orbit, b.scale, made, tangent, multipliers, residual, float(slopes[0, 0]))

    def _across(self, direction: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the direction of the parameters normal to the locus, as close to the one before as that is."""
        length = float(np.hypot(*direction))
        if self.kind not in (FOLD, BRANCHING) or length < STANDING:
            return before
        normal = np.array([-direction[1], direction[0]]) / length
        return normal if normal @ before >= 0.0 else -normal


def _real(value: complex, extra: int) -> np.ndarray:
    """Return g as real numbers: of a torus two."""
    return np.array([value.real, value.imag] if extra else [value.real])


def _unit(mesh: Mesh, nodes: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return a change of orbit, period and parameter as a vector of unit length."""
    square = float(np.sum(mesh.weights[:, None] * (nodes / scale) ** 2)) / len(scale) + float(numbers @ numbers)
    return np.append(nodes.ravel(), numbers) / np.sqrt(square)

"""What a computation returns: frozen arrays, tables, save and load."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.arrays import NO_NUMBERS, frozen
from bifrncrn.base.checks import require_kind
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic
from bifrncrn.base.labels import LABELS
from bifrncrn.base.tables import Reported
from bifrncrn.models.words import suggest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bifrncrn.continuation.options import Options
    from bifrncrn.curves.orbits.branch import Place
    from bifrncrn.models.conservation import Reduction
    from bifrncrn.models.system import System

SCHEMA = "bifrncrn.diagram/1"
STATUSES = ("converged", "bracketed")
COEFFICIENTS = ("omega", "l1", "l2", "a", "b", "c", "re_d", "theta", "period")


@dataclass(frozen=True, eq=False, repr=False)
class SpecialPoint(Reported):
    """A located special point of a branch.

    Attributes
    ----------
    label : str
        `LP`, `BP`, `HB`, `UZ`; on periodic orbits `LPC`, `PD`, `NS`, `BPC`.
    branch, index : int
        The branch it lies on and the row of that branch's points which it is.
    parameters, state : dict of str to float
        Where it is, in the model's own units. Of a periodic orbit: where the first variable is largest; of a
        periodically forced system: at the time 0.
    status : str
        `converged`, or `bracketed`: seen between the two parameter values `bracket`, not refined.
    residual : float
        The largest of the defining equations' residuals, relative to the size of their terms.
    omega, l1 : float or None
        At a Hopf point its angular frequency (per unit time) and first Lyapunov coefficient
        (Kuznetsov, Elements of Applied Bifurcation Theory, eq. 3.20; negative is supercritical).
    a : float or None
        At a fold the quadratic coefficient <p, B(q, q)>/2 with <p, q> = <q, q> = 1; at a fold of cycles (LPC) that of
        the normal form xi' = a xi^2, not negative.
    l2 : float or None
        At a Bautin point the second Lyapunov coefficient, Re c2 / omega.
    b, c : float or None
        The second coefficient of a Bogdanov-Takens point (its first is `a`), and that of a cusp. At a period doubling
        `b` is that of the normal form xi' = b xi^3: negative is supercritical, doubled orbits are then stable where
        nothing else is unstable.
    re_d, theta : float or None
        At NS the real part of d in ``xi' = d xi |xi|^2`` (negative is supercritical: the torus is then stable where
        nothing else is unstable), and the angle of the multiplier. xi is measured by the critical variation, whose mean
        square over a period is 1 (Kuznetsov, Govaerts, Doedel & Dhooge, SIAM J. Numer. Anal. 43, 2005, 1407).
    period : float or None
        Of a periodic orbit.
    eigenvalues : (n,) complex array
        Of the Jacobian at the point.
    system : System or None
        The model, so that a point can start further computations.
    reduction : Reduction or None
        The conserved sums that were divided out of it.
    along : (k, n + 1) array or None
        The states of `system` and the parameter along the branch, by which sizes are judged.
    range : (float, float) or None
        That of its diagram.
    multipliers : (n,) complex array
        Floquet multipliers of a periodic orbit, the trivial one first; a periodically forced system has none such.
    place : Place or None
        The periodic orbit itself, from which other branches start.
    iterations : int or None
        Of a point of a map: how many points its cycle has, 1 for a fixed point. `multipliers` are those of that
        iterate of the map, and so are the coefficients, as Kuznetsov's chapter 4 has them (there positive `b` is
        supercritical).
    states : (iterations, n) array
        Of a point of a map: all points of the cycle, `state` first.
    """

    label: str
    branch: int
    index: int
    parameters: dict[str, float]
    state: dict[str, float]
    status: str
    residual: float
    omega: float | None = None
    l1: float | None = None
    a: float | None = None
    b: float | None = None
    c: float | None = None
    l2: float | None = None
    re_d: float | None = None
    theta: float | None = None
    period: float | None = None
    bracket: tuple[float, float] | None = None
    event: str | None = None
    eigenvalues: np.ndarray = field(default_factory=lambda: NO_NUMBERS, repr=False)
    system: System | None = field(default=None, repr=False)
    reduction: Reduction | None = field(default=None, repr=False)
    along: np.ndarray | None = field(default=None, repr=False)
    range: tuple[float, float] | None = field(default=None, repr=False)
    multipliers: np.ndarray = field(default_factory=lambda: NO_NUMBERS, repr=False)
    place: Place | None = field(default=None, repr=False)
    iterations: int | None = None
    states: np.ndarray = field(default_factory=lambda: frozen(np.empty((0, 0))), repr=False)

    @property
    def criticality(self) -> str | None:
        """`supercritical` or `subcritical` for an HB, PD or NS whose coefficient (l1, b, re_d) is known, else None."""
        decides = {"HB": self.l1, "PD": self.b, "NS": self.re_d}.get(self.label, self.l1)
        if decides is None or not math.isfinite(decides) or decides == 0:
            return None
        opposite = self.label == "PD" and self.iterations is not None  # of a map x -> -x + b x^3
        return "supercritical" if (decides < 0) != opposite else "subcritical"

    def to_json(self) -> dict[str, Any]:
        """Return the point as plain JSON."""
        from bifrncrn.diagrams.written import point_json

        return point_json(self)

    def __str__(self) -> str:
        from bifrncrn.diagrams.text import describe_point

        return describe_point(self)

    def __repr__(self) -> str:
        where = ", ".join(f"{name}={value:.9g}" for name, value in self.parameters.items())
        return f"<{self.label} at {where}, {self.status}>"


@dataclass(frozen=True)
class End:
    """Why a branch ends: a short `reason` for programs and a sentence for people."""

    reason: str
    message: str


@dataclass(frozen=True, eq=False)
class Profile:
    """A periodic orbit at phases (k,) from 0 to less than 1: its period, and its states (k, n).

    `turns` has how often every state, an angle, goes round in a period; it is empty where none does.
    """

    period: float
    phases: np.ndarray
    states: np.ndarray
    turns: tuple[int, ...] = ()

    @property
    def last(self) -> np.ndarray:
        """The state (n,) after a period: the first, but for turns."""
        first: np.ndarray = self.states[0]
        return first + 2.0 * np.pi * np.array(self.turns) if self.turns else first

    def to_json(self) -> dict[str, Any]:
        """Return the orbit as plain JSON."""
        found = {"period": self.period, "phases": self.phases.tolist(), "states": self.states.tolist()}
        return found | ({"turns": list(self.turns)} if self.turns else {})


@dataclass(frozen=True, eq=False, repr=False)
class Branch(Reported):
    """A branch of solutions.

    Attributes
    ----------
    id : int
        Its place in the diagram.
    kind : str
        `equilibrium`, `periodic`, or `fixed_point`, of a map; of a curve in two parameters what it is a curve of, such
        as `fold`, `hopf`, `torus` or `homoclinic`.
    columns : tuple of str
        The names of the columns of `points`: the parameter, then the states; of periodic orbits the parameter,
        `period`, and `min <name>` and `max <name>` of every state.
    points : (k, columns) array
        The points in order along the branch; special points are rows of it.
    unstable : (k,) int array
        The number of eigenvalues with positive real part, or of multipliers outside the unit circle but for the trivial
        one (-1 where it was not computed, or is lost in rounding).
    eigenvalues : (k, n) complex array
        Of the Jacobian at every point, by descending real part; no columns for periodic orbits.
    origin : int or None
        The index, in the diagram, of the special point this branch was switched at.
    ended : (End, End)
        Why it ends at its first and at its last point.
    multipliers : (k, n) complex array
        Of a map's fixed points by descending size. Of periodic orbits the Floquet multipliers, the trivial one first
        and the others by descending size; of a periodically forced system those of the map of one period alone. Below
        about 1e-14 times the largest they are rounding.
    profiles : tuple of Profile
        The periodic orbits themselves.
    system : System or None
        The model with all its variables, for columns that are computed from the states.
    tangents : (k, m) array
        Directions along the branch: of the parameter and of the states of the analysed system, without those that
        conserved sums make superfluous. No columns where they are not known.
    iterations : int or None
        Of a branch of fixed points of a map, how many points the cycle has of which its points are one.
    range : (float, float) or None
        That of its diagram.
    """

    id: int
    kind: str
    columns: tuple[str, ...]
    points: np.ndarray
    unstable: np.ndarray
    eigenvalues: np.ndarray
    origin: int | None
    ended: tuple[End, ...]
    multipliers: np.ndarray = field(default_factory=lambda: frozen(np.empty((0, 0)), complex), repr=False)
    profiles: tuple[Profile, ...] = field(default=(), repr=False)
    system: System | None = field(default=None, repr=False)
    tangents: np.ndarray = field(default_factory=lambda: frozen(np.empty((0, 0))), repr=False)
    iterations: int | None = None
    range: tuple[float, float] | None = field(default=None, repr=False)

    @property
    def stability(self) -> np.ndarray:
        """What every point is, (k,) of a dtype of strings: `stable`, `unstable`, `neutral` or `unknown`.

        A point is neutral where nothing is unstable, but to rounding an eigenvalue is on the imaginary axis (a
        multiplier on the unit circle), as at a centre: the linear terms do not tell whether it is stable.
        """
        kinds = np.where(self.unstable < 0, "unknown", np.where(self.unstable > 0, "unstable", "stable"))
        return np.where((kinds != "unstable") & self._neutral(), "neutral", kinds)

    def _neutral(self) -> np.ndarray:
        """Say of every point whether something neither grows nor decays there; where no spectrum is kept, nothing."""
        from bifrncrn.diagrams.neutral import is_continuum, neutral_equilibria, neutral_fixed_points

        count = len(self.points)
        if self.kind == "equilibrium" and len(self.eigenvalues) == count:
            return neutral_equilibria(self.eigenvalues) | (
                any(end.reason == "continuum" for end in self.ended)
                or (self.range is not None and is_continuum(self.points[:, 0], self.range, self.eigenvalues))
            )
        if self.kind == "fixed_point" and len(self.multipliers) == count:
            return neutral_fixed_points(np.abs(self.multipliers), [end.reason for end in self.ended])
        return np.zeros(count, bool)  # of cycles beside others, which neither grow nor decay, the march counts nothing

    def orbit(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return times (k,), from 0 to the period, and states (k, n) of one of the periodic orbits.

        Of a curve of homoclinic orbits, or of those between two saddles: over the time that they are followed.

        Raises
        ------
        InputError
            If there are no orbits (of equilibria, or in a file of an earlier version), or none of that number.
        """
        if not self.profiles:
            raise InputError("this branch holds no orbits: equilibria have none")
        if not -len(self.profiles) <= index < len(self.profiles):
            raise InputError(f"there is no orbit {index}; the branch has {len(self.profiles)}, counted from 0")
        profile = self.profiles[index]
        if self.kind == "heteroclinic":  # it does not close
            return profile.phases * profile.period, profile.states
        times = np.append(profile.phases, 1.0) * profile.period
        return times, np.vstack([profile.states, profile.last])

    def column(self, name: str) -> np.ndarray:
        """Return one column of the points by its name, shape (k,).

        Beside the columns there are the definitions of the model: of equilibria by their names, of periodic orbits
        their `min` and `max`.
        """
        require_kind(name, str, "the name of a column")
        if name in self.columns:
            return self.points[:, self.columns.index(name)]
        kind, _, inner = name.partition(" ")
        definitions = self.observables
        if name in definitions and self.kind != "periodic":
            return self._observed(name)
        if inner in definitions and kind in ("min", "max") and self.profiles:
            return self._extreme(inner, np.min if kind == "min" else np.max)
        raise InputError(f"the branch has no column {name!r}; it has {', '.join((*self.columns, *definitions))}")

    @property
    def observables(self) -> tuple[str, ...]:
        """What can be computed from the states beside the columns: the definitions of the model."""
        return () if self.system is None else tuple(self.system.definitions)

    def _observed(self, name: str) -> np.ndarray:
        """Return a definition at every point of a branch of states."""
        from bifrncrn.models.observables import column_of

        system = self.system
        assert system is not None
        x = np.column_stack([self.column(variable) for variable in system.variables])
        return column_of(system, name, x, self._values(len(x)))

    def phases(self, name: str) -> list[np.ndarray]:
        """Return a state at all points of the cycles of a map, (k,) for each; the first is the column itself."""
        from bifrncrn.models.maps import orbit

        system, count = self.system, self.iterations
        if system is None or count is None:
            raise InputError("this branch holds no cycles of a map")
        place, rows = system.variable_index(name), zip(self.points[:, 1:], self._values(len(self.points)), strict=True)
        return list(np.array([orbit(system, x, count, values)[:, place] for x, values in rows]).T)

    def _extreme(self, name: str, extreme: Callable[..., Any]) -> np.ndarray:
        """Return the least or largest value of a definition on every orbit."""
        from bifrncrn.models.observables import column_of

        system = self.system
        assert system is not None
        rows = zip(self.profiles, self._values(len(self.profiles)), strict=True)
        found = [column_of(system, name, p.states, np.tile(values, (len(p.states), 1))) for p, values in rows]
        return np.array([extreme(values) for values in found])

    def _values(self, count: int) -> np.ndarray:
        """Return the parameter values (k, m) of the points."""
        system = self.system
        assert system is not None
        values = np.tile(system.values, (count, 1))
        for i, name in enumerate(system.parameters):
            if name in self.columns:
                values[:, i] = self.points[:, self.columns.index(name)]
        return values

    def to_json(self) -> dict[str, Any]:
        """Return the branch as plain JSON."""
        from bifrncrn.diagrams.written import branch_json

        return branch_json(self)

    def __repr__(self) -> str:
        values = self.points[:, 0]
        kind = f"{self.kind} of iterate {self.iterations}" if (self.iterations or 1) > 1 else self.kind
        extent = f", {self.columns[0]} from {values[0]:.6g} to {values[-1]:.6g}" if len(values) else ""
        return f"<Branch {self.id}: {kind}, {len(values)} points{extent}>"


@dataclass(frozen=True, eq=False, repr=False)
class Diagram(Reported):
    """A bifurcation diagram: branches, and the special points on them.

    Attributes
    ----------
    model, parameter : str
        The model's title and the name of the continuation parameter.
    range : (float, float)
        The interval of the parameter that was asked for.
    branches : tuple of Branch
    special_points : tuple of SpecialPoint
    system : System or None
        The analysed system, so that a result can start further computations; None where a file holds none.
    notes : tuple of str
        Sentences a reader of the diagram should see (how the start was found, what was left out).
    counters : dict of str to int
        Points, Newton iterations and evaluations spent.
    reduction : Reduction or None
        The conserved sums that were divided out; `system` is then the reduced one.
    second, second_range : str and (float, float), or None
        The second parameter of the loci among the branches, and its interval.
    options : Options or None
        How the branches were followed.
    """

    model: str
    parameter: str
    range: tuple[float, float]
    branches: tuple[Branch, ...]
    special_points: tuple[SpecialPoint, ...]
    system: System | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    reduction: Reduction | None = field(default=None, repr=False)
    second: str | None = None
    second_range: tuple[float, float] | None = None
    options: Options | None = None

    def __post_init__(self) -> None:
        whole = self.reduction.whole if self.reduction is not None else self.system
        if whole is not None and (whole.definitions or whole.kind == "map") and not whole.period:
            known = tuple(b if b.system is whole else replace(b, system=whole) for b in self.branches)
            object.__setattr__(self, "branches", known)
        within = tuple(b if b.range == self.range else replace(b, range=self.range) for b in self.branches)
        object.__setattr__(self, "branches", within)

    def __iter__(self) -> Iterator[Branch]:
        return iter(self.branches)

    def special(self, label: str) -> list[SpecialPoint]:
        """Return the special points with this label, one of `bifrncrn.LABELS`, in the diagram's order."""
        if not isinstance(label, str) or label not in LABELS:
            close = suggest(label.upper(), LABELS) if isinstance(label, str) else ""
            hint = close or f"; the labels are {', '.join(LABELS)}"
            raise InputError(f"there is no label {label!r:.40}{hint}")
        return [point for point in self.special_points if point.label == label]

    def branch(self, point: SpecialPoint, *, options: Options | None = None) -> Diagram:
        """Return the branch of periodic orbits that leaves at a special point, HB, PD or BPC; of a map, at PD.

        See `bifrncrn.orbits`; the range is that of this diagram. Branches of equilibria are switched to while the
        diagram is traced.
        """
        require_kind(point, SpecialPoint, "a special point")
        if point.iterations is not None:
            from bifrncrn.diagrams.maps import doubled_at

            return doubled_at(self, point, options)
        from bifrncrn.diagrams.orbits import orbits

        return orbits(point, self.range, options=options)

    def table(self) -> pd.DataFrame:
        """Return the special points as a pandas table, one row a point.

        The model's names win: where one is called like a column of ours (`a`, `omega`, `label`), ours gets an
        underscore (`a_`).
        """
        import pandas as pd

        rows = []
        for point in self.special_points:
            theirs = {**point.parameters, **point.state}
            own = {name: getattr(point, name) for name in ("label", "branch", *COEFFICIENTS, "status", "residual")}
            own = {f"{name}_" if name in theirs else name: value for name, value in own.items()}
            first = {name: own.pop(name) for name in list(own)[:2]}
            rows.append(first | theirs | own)
        return pd.DataFrame(rows)

    def plot(self, show: str | None = None, ax: Axes | None = None, *, shade: bool = True, **options: Any) -> Axes:
        """Draw one state, or another quantity, against the parameter; see `bifrncrn.plots.diagram.plot_diagram`.

        Where there are several attractors, or a cycle, is shaded, unless the axes hold something already or `shade` is
        False. Options are `log`, and `colour` and `label` for diagrams over each other.
        """
        from bifrncrn.diagrams.summary import ranges
        from bifrncrn.plots.diagram import plot_diagram
        from bifrncrn.plots.style import require_axes

        if ax is not None:
            require_axes(ax)
        shaded = shade and not options.get("label") and (ax is None or not ax.has_data())
        return plot_diagram(self, show=show, ax=ax, ranges=ranges(self) if shaded else (), **options)

    def to_json(self) -> dict[str, Any]:
        """Return the diagram as plain JSON, schema `bifrncrn.diagram/1`, with its model and its orbits."""
        from bifrncrn.diagrams.written import diagram_json

        return diagram_json(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the diagram as JSON; the file appears whole or not at all."""
        write_atomic(path, json.dumps(self.to_json(), allow_nan=False) + "\n")

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write every row of every branch: its branch, kind and columns, unstable eigenvalues or multipliers, label.

        A name of the model keeps its column; where it is one of ours, ours gets an underscore (`branch_`).
        """
        from bifrncrn.diagrams.written import write_csv

        write_csv(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Diagram:
        """Read a diagram that `save` or `--json` wrote.

        A file that an earlier version wrote may hold no model; further computations then need `system=`.

        Raises
        ------
        InputError
            If the file is no diagram of schema `bifrncrn.diagram/1`, or anything in it is not as it must be.
        """
        from bifrncrn.diagrams import saved

        return saved.load(path, cls)

    def __str__(self) -> str:
        from bifrncrn.diagrams.text import describe

        return describe(self)

    def __repr__(self) -> str:
        low, high = self.range
        counts = Counter(point.label for point in self.special_points)
        rows = sum(len(branch.points) for branch in self.branches)
        found = "".join(f", {count} {label}" for label, count in counts.items())
        name = f"{type(self).__name__} {self.model[:60]!r}" if self.model else type(self).__name__
        return f"<{name}: {self.parameter} in [{low:g}, {high:g}], {len(self.branches)} branches, {rows} points{found}>"

"""What a computation returns: frozen arrays, tables, save and load."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.errors import InputError
from bifrncrn.base.files import write_atomic

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from bifrncrn.models.conservation import Reduction
    from bifrncrn.models.system import System

SCHEMA = "bifrncrn.diagram/1"
COEFFICIENTS = ("omega", "l1", "a", "b", "c", "period")


@dataclass(frozen=True, eq=False)
class SpecialPoint:
    """A located special point of a branch.

    Attributes
    ----------
    label : str
        `LP`, `BP`, `HB`, `UZ`; on periodic orbits `LPC`, `PD`, `NS`, `BPC`.
    branch, index : int
        The branch it lies on and the row of that branch's points which it is.
    parameters, state : dict of str to float
        Where it is, in the model's own units. Of a periodic orbit: where the first variable is largest.
    status : str
        `converged`, or `bracketed`: seen between the two parameter values `bracket`, not refined.
    residual : float
        The largest of the defining equations' residuals, relative to the size of their terms.
    omega, l1 : float or None
        At a Hopf point its angular frequency (per unit time) and first Lyapunov coefficient
        (Kuznetsov, Elements of Applied Bifurcation Theory, eq. 3.20; negative is supercritical).
    a : float or None
        At a fold the quadratic coefficient <p, B(q, q)>/2 with <p, q> = <q, q> = 1.
    b, c : float or None
        The second coefficient of a Bogdanov-Takens point (its first is `a`), and that of a cusp.
    period : float or None
        Of a periodic orbit.
    eigenvalues : (n,) complex array
        Of the Jacobian at the point.
    system : System or None
        The model, so that a point can start further computations; None after loading.
    reduction : Reduction or None
        The conserved sums that were divided out of it.
    along : (k, n + 1) array or None
        The states of `system` and the parameter along the branch, by which sizes are judged; None after loading.
    range : (float, float) or None
        That of its diagram.
    multipliers : (n,) complex array
        Floquet multipliers of a periodic orbit, the trivial one first.
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
    period: float | None = None
    bracket: tuple[float, float] | None = None
    event: str | None = None
    eigenvalues: np.ndarray = field(default_factory=lambda: frozen([], complex), repr=False)
    system: System | None = field(default=None, repr=False)
    reduction: Reduction | None = field(default=None, repr=False)
    along: np.ndarray | None = field(default=None, repr=False)
    range: tuple[float, float] | None = field(default=None, repr=False)
    multipliers: np.ndarray = field(default_factory=lambda: frozen([], complex), repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return the point as plain JSON."""
        out: dict[str, Any] = {
            "label": self.label,
            "branch": self.branch,
            "index": self.index,
            "parameters": _plain(self.parameters),
            "state": _plain(self.state),
            "status": self.status,
            "residual": _number(self.residual),
        }
        out |= {name: _number(getattr(self, name)) for name in COEFFICIENTS}
        if self.bracket is not None:
            out["bracket"] = [_number(v) for v in self.bracket]
        if self.event is not None:
            out["event"] = self.event
        out["eigenvalues"] = _complex_out(self.eigenvalues)
        if len(self.multipliers):
            out["multipliers"] = _complex_out(self.multipliers)
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SpecialPoint:
        """Build the point from `to_json`'s form."""
        known: dict[str, Any] = {k: data[k] for k in ("label", "branch", "index", "parameters", "state", "status")}
        residual = float("nan") if data["residual"] is None else data["residual"]
        rest: dict[str, Any] = {name: data.get(name) for name in COEFFICIENTS}
        bracket = tuple(data["bracket"]) if data.get("bracket") else None
        eigenvalues = _complex_in(data.get("eigenvalues", []))
        rest |= {"event": data.get("event"), "multipliers": _complex_in(data.get("multipliers", []))}
        return cls(**known, residual=residual, bracket=bracket, eigenvalues=eigenvalues, **rest)


def criticality(point: SpecialPoint) -> str | None:
    """Return `supercritical` or `subcritical` for a Hopf point whose first Lyapunov coefficient is known, else None."""
    if point.l1 is None or not math.isfinite(point.l1) or point.l1 == 0:
        return None
    return "supercritical" if point.l1 < 0 else "subcritical"


@dataclass(frozen=True)
class End:
    """Why a branch ends: a short `reason` for programs and a sentence for people."""

    reason: str
    message: str


@dataclass(frozen=True, eq=False)
class Profile:
    """A periodic orbit at phases (k,) from 0 to less than 1: its period, and its states (k, n)."""

    period: float
    phases: np.ndarray
    states: np.ndarray


@dataclass(frozen=True, eq=False)
class Branch:
    """A branch of solutions.

    Attributes
    ----------
    id : int
        Its place in the diagram.
    kind : str
        `equilibrium` or `periodic`.
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
        Floquet multipliers of periodic orbits, the trivial one first, the others by descending size. Below about 1e-14
        times the largest they are rounding.
    profiles : tuple of Profile
        The periodic orbits themselves; empty after loading.
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

    def orbit(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return times (k,), from 0 to the period, and states (k, n) of one of the periodic orbits.

        Raises
        ------
        InputError
            If there are no orbits (of equilibria, or after loading), or none of that number.
        """
        if not self.profiles:
            raise InputError("this branch holds no orbits: equilibria have none, and saved diagrams keep none")
        if not -len(self.profiles) <= index < len(self.profiles):
            raise InputError(f"there is no orbit {index}; the branch has {len(self.profiles)}, counted from 0")
        profile = self.profiles[index]
        times = np.append(profile.phases, 1.0) * profile.period
        return times, np.append(profile.states, profile.states[:1], axis=0)

    def column(self, name: str) -> np.ndarray:
        """Return one column of the points by its name, shape (k,)."""
        if name not in self.columns:
            raise InputError(f"the branch has no column {name!r}; it has {', '.join(self.columns)}")
        return self.points[:, self.columns.index(name)]

    def to_json(self) -> dict[str, Any]:
        """Return the branch as plain JSON."""
        spectrum = "multipliers" if self.kind == "periodic" else "eigenvalues"
        return {
            "id": self.id,
            "kind": self.kind,
            "columns": list(self.columns),
            "points": [[_number(v) for v in row] for row in self.points.tolist()],
            "unstable": [None if count < 0 else count for count in self.unstable.tolist()],
            spectrum: [_complex_out(row) for row in getattr(self, spectrum)],
            "from": self.origin,
            "ended": [{"reason": end.reason, "message": end.message} for end in self.ended],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Branch:
        """Build the branch from `to_json`'s form."""
        count = len(data["points"])
        eigenvalues, multipliers = (
            frozen([_complex_in(row) for row in data.get(name, [])] or np.empty((count, 0)), complex)
            for name in ("eigenvalues", "multipliers")
        )
        return cls(
            id=data["id"],
            kind=data["kind"],
            columns=tuple(data["columns"]),
            points=frozen(data["points"]).reshape(count, -1),
            unstable=frozen([-1 if count is None else count for count in data["unstable"]], int),
            eigenvalues=eigenvalues.reshape(count, -1),
            multipliers=multipliers.reshape(count, -1),
            origin=data["from"],
            ended=tuple(End(e["reason"], e["message"]) for e in data["ended"]),
        )


@dataclass(frozen=True, eq=False)
class Diagram:
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
        The analysed system, so that a result can start further computations; None after loading.
    notes : tuple of str
        Sentences a reader of the diagram should see (how the start was found, what was left out).
    counters : dict of str to int
        Points, Newton iterations and evaluations spent.
    reduction : Reduction or None
        The conserved sums that were divided out; `system` is then the reduced one. None after loading.
    second, second_range : str and (float, float), or None
        The second parameter of the loci among the branches, and its interval.
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

    def __iter__(self) -> Iterator[Branch]:
        return iter(self.branches)

    def special(self, label: str) -> list[SpecialPoint]:
        """Return the special points with this label, in the diagram's order."""
        return [point for point in self.special_points if point.label == label]

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

    def plot(self, show: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw one state against the parameter; see `bifrncrn.plots.plots.plot_diagram`."""
        from bifrncrn.plots.plots import plot_diagram

        return plot_diagram(self, show=show, ax=ax)

    def to_json(self) -> dict[str, Any]:
        """Return the diagram as plain JSON, schema `bifrncrn.diagram/1`."""
        return {
            "schema": SCHEMA,
            "model": self.model,
            "parameter": self.parameter,
            "range": list(self.range),
            **({"second": self.second, "second_range": list(self.second_range or ())} if self.second else {}),
            "branches": [branch.to_json() for branch in self.branches],
            "special_points": [point.to_json() for point in self.special_points],
            "notes": list(self.notes),
            "counters": dict(self.counters),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the diagram as JSON; the file appears whole or not at all."""
        write_atomic(path, json.dumps(self.to_json(), allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Diagram:
        """Read a diagram that `save` or `--json` wrote.

        Raises
        ------
        InputError
            If the file is not a diagram of schema `bifrncrn.diagram/1`.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            if not isinstance(data, dict) or data.get("schema") != SCHEMA:
                raise InputError(f"{path} is not a diagram: its schema is not {SCHEMA!r}; write one with --json")
            return cls(
                model=data["model"],
                parameter=data["parameter"],
                range=(data["range"][0], data["range"][1]),
                second=data.get("second"),
                second_range=tuple(data["second_range"]) if data.get("second") else None,
                branches=tuple(Branch.from_json(b) for b in data["branches"]),
                special_points=tuple(
                    replace(SpecialPoint.from_json(p), range=(data["range"][0], data["range"][1]))
                    for p in data["special_points"]
                ),
                notes=tuple(data.get("notes", ())),
                counters=dict(data.get("counters", {})),
            )
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}; give a file that --json wrote") from error
        except (KeyError, IndexError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise InputError(f"{path} is not a whole diagram file ({error}); write one with --json") from error


def _number(value: float | None) -> float | None:
    """Return a finite float, else None (plain JSON has no NaN)."""
    return float(value) if value is not None and np.isfinite(value) else None


def _plain(values: dict[str, float]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in values.items()}


def _complex_out(values: Sequence[complex] | np.ndarray) -> list[list[float | None]]:
    return [[_number(v.real), _number(v.imag)] for v in np.asarray(values, complex).tolist()]


def _complex_in(pairs: list[list[float | None]]) -> np.ndarray:
    nan = float("nan")
    return frozen([complex(nan if re is None else re, nan if im is None else im) for re, im in pairs], complex)

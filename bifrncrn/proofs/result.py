"""What was proved: the statement, its special points, and what was left undecided."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.files import write_atomic
from bifrncrn.base.labels import meaning
from bifrncrn.base.tables import Reported, folded, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMA = "bifrncrn.proof/1"

Interval = tuple[float, float]


@dataclass(frozen=True)
class ProvedPoint:
    """A special point that exists, once and only once, in a small box.

    Attributes
    ----------
    label : str
        `LP`, `HB` or `BP`; of maps `LP`, `PD`, `NS` or `BP`.
    parameters, state : dict of str to (float, float)
        The sides of the box that holds it.
    detail : dict
        What else is proved: of LP `turns` (`minimum` or `maximum`: what the parameter has there along the branch) or
        the size of `a`, of HB `omega` and `l1`, of PD `b`, of NS `theta` and `re_d`, of BP its `kind`
        (`transcritical` or `pitchfork`) with the state of the invariant `plane` or those that the `symmetry` moves, and
        `turns`, `c` of a pitchfork; of all `unstable`: the numbers of unstable eigenvalues on the two sides, where they
        are known (at HB, PD and NS, and at BP along the curve on the plane, that of the smaller parameter first); of
        maps `iterations`.
    proved : bool
        False of a diagram's point about which nothing was proved.
    """

    label: str
    parameters: dict[str, Interval]
    state: dict[str, Interval]
    detail: dict[str, Any] = field(default_factory=dict)
    proved: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the point as plain JSON."""
        sides = {k: list(v) if isinstance(v, tuple) else v for k, v in self.detail.items()}
        return {
            "label": self.label,
            "parameters": {name: list(side) for name, side in self.parameters.items()},
            "state": {name: list(side) for name, side in self.state.items()},
            "proved": self.proved,
            **sides,
        }


@dataclass(frozen=True)
class ProvedBranch:
    """What is proved about one branch of a diagram.

    Attributes
    ----------
    branch : int
        Its number in the diagram.
    proved : bool
        Whether it is one smooth curve on which eigenvalues are on the imaginary axis (multipliers on the unit circle)
        at proved special points only.
    points, pieces : int
        How many computed points it has, and how many arcs were proved.
    error : float or None
        The curve passes each computed point at less than this, in each coordinate relative to its largest size.
    """

    branch: int
    proved: bool
    points: int
    pieces: int
    error: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class ProvedCycle:
    """A periodic orbit that exists, and is the only one near by.

    Attributes
    ----------
    period : (float, float)
    least : bool
        Whether no part of the period is one.
    multipliers : tuple of (float, float)
        The sizes of the Floquet multipliers but for the trivial one, which is simple; empty where they are not known.
        Of two states the other multiplier is the number itself, which is positive.
    unstable : int or None
        How many of them are outside the unit circle, where none is on it: with none the cycle is stable.
    min, max, start : dict of str to (float, float)
        The least and the largest value of every state, and a point of the cycle.
    turn : dict
        The certificate: after times that are `factor` times the sums of the first `durations` the cycle lies within
        `radius` of `points`, exactly on the plane normal . (x - first point) = 0 at first. No other one that begins on
        that plane has all points within `alone` of these, and a factor within `alone_factor`.
    parameters : dict of str to float
        Of a diagram's cycle the varied parameter.
    branch : int or None
        Of a diagram's cycle the number of its branch.
    """

    period: Interval
    least: bool
    multipliers: tuple[Interval, ...]
    unstable: int | None
    min: dict[str, Interval]
    max: dict[str, Interval]
    start: dict[str, Interval]
    turn: dict[str, Any] = field(repr=False)
    parameters: dict[str, float] = field(default_factory=dict)
    branch: int | None = None

    @property
    def stable(self) -> bool | None:
        """Whether it is stable; None where that is not known."""
        return None if self.unstable is None else self.unstable == 0

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "period": list(self.period),
            "least": self.least,
            "multipliers": [list(side) for side in self.multipliers],
            "unstable": self.unstable,
            "stable": self.stable,
            "min": {name: list(side) for name, side in self.min.items()},
            "max": {name: list(side) for name, side in self.max.items()},
            "start": {name: list(side) for name, side in self.start.items()},
            "turn": self.turn,
            **({} if self.branch is None else {"parameters": self.parameters, "branch": self.branch}),
        }


@dataclass(frozen=True)
class Undecided:
    """A part of the box about which something is not known, and what."""

    reason: str
    box: dict[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"reason": self.reason, "box": {name: list(side) for name, side in self.box.items()}}


@dataclass(frozen=True, eq=False, repr=False)
class Proof(Reported):
    """A statement about all equilibria (of a map, fixed points) of a model in a box, and whether it was proved.

    Attributes
    ----------
    proved : bool
        Whether everything was decided: the statement `str(proof)` makes is then a theorem. Of a diagram's cycles, of
        which some are looked at, `notes` say how many are proved.
    model, parameter : str
        The parameter is empty where a cycle at fixed values was proved.
    range : (float, float)
    box : dict of str to (float, float)
        The sides of the box of states; empty where only what a diagram holds was proved.
    values : dict of str to (float, float)
        The other parameters: each the double that is stored, twice, or the interval that the statement holds for.
    branches : int or None
        Number of connected smooth curves that all equilibria in the box lie on, and that cross only at the branch
        points listed; None where that is undecided. Pieces in the box that are joined just outside of it, in a tube
        of the proof, are one curve; those joined farther out are different ones.
    special_points : tuple of ProvedPoint
    followed : tuple of ProvedBranch
        Of a diagram: what is proved about its branches of equilibria.
    undecided : tuple of Undecided
        Empty if `proved`.
    notes : tuple of str
    counters : dict of str to int
        Boxes looked at and arcs proved.
    kind : str
        `ode`, or `map`: the curves are then of fixed points of its iterates, and multipliers are what is counted.
    paths : tuple of (k, n + 1) arrays
        Points along the arcs, for pictures; these are not proved.
    arcs : dict of str to list
        The certificate: pivot, tube and core of every arc, its curve, and the states whose planes it lies `on`.
    cycles : tuple of ProvedCycle
        The cycle that was proved; of a diagram some of its cycles, each by itself.
    """

    proved: bool
    model: str
    parameter: str
    range: Interval
    box: dict[str, Interval]
    values: dict[str, Interval]
    branches: int | None
    special_points: tuple[ProvedPoint, ...]
    undecided: tuple[Undecided, ...]
    notes: tuple[str, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    arcs: dict[str, list] = field(default_factory=dict, repr=False)
    followed: tuple[ProvedBranch, ...] = ()
    paths: tuple[np.ndarray, ...] = field(default=(), repr=False)
    kind: str = "ode"
    cycles: tuple[ProvedCycle, ...] = ()

    def __str__(self) -> str:
        return printable(folded("\n".join(_report(self))))

    def plot(self, show: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw one state against the parameter, with undecided boxes; see `bifrncrn.plots.proof.plot_proof`."""
        from bifrncrn.plots.proof import plot_proof

        return plot_proof(self, show, ax)

    def to_json(self) -> dict[str, Any]:
        """Return the proof as plain JSON, schema `bifrncrn.proof/1`."""
        return {
            "schema": SCHEMA,
            "proved": self.proved,
            "model": self.model,
            "parameter": self.parameter or None,
            "range": list(self.range) if self.parameter else None,
            "box": {name: list(side) for name, side in self.box.items()},
            "values": {name: list(side) for name, side in self.values.items()},
            "branches": self.branches,
            "special_points": [point.to_json() for point in self.special_points],
            "followed": [item.to_json() for item in self.followed],
            "undecided": [item.to_json() for item in self.undecided],
            "notes": list(self.notes),
            "counters": self.counters,
            "arcs": self.arcs,
            **({} if self.kind == "ode" else {"kind": self.kind}),
            **({} if self.parameter and not self.cycles else {"cycles": [cycle.to_json() for cycle in self.cycles]}),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the proof as JSON; the file appears whole or not at all."""
        write_atomic(path, json.dumps(self.to_json(), allow_nan=False) + "\n")


def side(interval: Interval) -> str:
    """Return an interval as text, a double in it exactly as stored."""
    return f"[{interval[0]!r}, {interval[1]!r}]"


def _report(proof: Proof) -> list[str]:
    title = proof.model or "The model"
    given = [f"{name} = {v[0]!r}" for name, v in proof.values.items() if v[0] == v[1]]
    given += [f"{name} in {side(v)}" for name, v in proof.values.items() if v[0] != v[1]]
    where = [f"{name} in {side(v)}" for name, v in [*proof.box.items(), (proof.parameter, proof.range)]]
    shown = ", ".join(given[:8]) + (f" and {len(given) - 8} more parameters as stored" if len(given) > 8 else "")
    place = f"Box: {', '.join(where)}" if proof.box else f"Branches and points of a diagram in {proof.parameter}"
    place = place if proof.parameter else "A cycle near a computed one"
    lines = [title, place + (f"; {shown}" if shown else "")]
    claims = [_curves(proof)] if proof.branches is not None else []
    claims += [_branch(item, proof.kind) for item in proof.followed if item.proved]
    claims += [_point(point) for point in proof.special_points if point.proved]
    claims += [_cycle(cycle) for cycle in proof.cycles]
    if proof.proved and proof.box:
        sorts = "Hopf point" if proof.kind == "ode" else "period doubling, Neimark-Sacker point"
        claims.append(
            f"There is no {'other ' if proof.special_points else ''}fold, {sorts} or branch point in the box."
        )
    if claims:
        lines.append("Proved, for these numbers exactly as they are stored:")
        lines += [f"- {claim}" for claim in claims]
    if not proof.proved:
        lines.append(f"Undecided ({len(proof.undecided)}):")
        for item in proof.undecided[:10]:
            lines.append(f"- {item.reason}, in {', '.join(f'{name} {side(v)}' for name, v in item.box.items())}")
        if len(proof.undecided) > 10:
            lines.append(f"- and {len(proof.undecided) - 10} more")
    if not proof.parameter:
        lines.append("Nothing is said about other cycles.")
    elif not proof.box:
        lines.append("Nothing is said about what the diagram may have missed: this is no statement of completeness.")
    return [*lines, *proof.notes]


def _curves(proof: Proof) -> str:
    one, all_of = ("equilibrium", "equilibria") if proof.kind == "ode" else ("fixed point", "fixed points")
    if proof.branches == 0:
        return f"There is no {one} in the box."
    if proof.branches == 1:
        return f"All {all_of} in the box lie on one connected smooth curve, which has points in the box."
    crossed = any(point.label == "BP" for point in proof.special_points)
    meet = "they cross at the branch points below and nowhere else" if crossed else "they do not meet in the box"
    text = f"All {all_of} in the box lie on {proof.branches} connected smooth curves, each of which has points in it; "
    return text + (f"{meet}. " if proof.proved else "") + APART


def _branch(item: ProvedBranch, kind: str) -> str:
    what, border = ("fixed points", "multipliers are on the unit circle")
    if kind == "ode":
        what, border = ("equilibria", "eigenvalues are on the imaginary axis")
    return (
        f"Branch {item.branch}: one smooth curve of {what} passes its {item.points} computed points, at less than "
        f"{item.error:.1e} of their size; {border} at proved points below only, and "
        "elsewhere as many are unstable as the diagram says"
    )


def _cycle(cycle: ProvedCycle) -> str:
    start = ", ".join(f"{name} in {side(v)}" for name, v in cycle.start.items())
    sides = zip(cycle.min.items(), cycle.max.values(), strict=True)
    whole = ", ".join(f"{name} from {side(low)} to {side(high)}" for (name, low), high in sides)
    text = "".join(f"Branch {cycle.branch}, {name} = {value!r}: " for name, value in cycle.parameters.items())
    text += "there" if text else "There"
    text += " is a cycle, the only one that follows the computed one so closely, with period in "
    text += side(cycle.period) + (", which is its least one" if cycle.least else "")
    text += f"; it has a point with {start}, and reaches over {whole}"
    if cycle.stable is not None:
        word = (
            "stable" if cycle.stable else f"unstable: {cycle.unstable} of its multipliers are outside the unit circle"
        )
        text += f"; it is {word}"
    if cycle.multipliers:
        sizes = ", ".join(side(v) for v in cycle.multipliers)
        text += f"; sizes of its Floquet multipliers but for the trivial one: {sizes}"
    return text


APART = "Curves that are joined farther outside of the box are counted as different ones."


def _point(point: ProvedPoint) -> str:
    where = ", ".join(f"{name} in {side(v)}" for name, v in [*point.parameters.items(), *point.state.items()])
    detail = point.detail
    kind = f"{detail['kind']} " if detail.get("kind") else ""
    cycle = f"{detail['iterations']}-cycle: " if (detail.get("iterations") or 1) > 1 else ""
    text = f"{point.label}: {cycle}exactly one {kind}{meaning(point.label)} with {where}"
    if detail.get("plane"):
        text += f"; the curve on which {detail['plane']} is constant is crossed by another one"
    if detail.get("turns"):
        text += f"; the parameter has a {detail['turns']} there" + (" along the other one" if kind else "")
    if detail.get("omega"):
        text += f"; angular frequency in {side(detail['omega'])}"
    if detail.get("l1"):
        kind = "subcritical" if detail["l1"][0] > 0.0 else "supercritical"
        text += f"; {kind}, l1 in {side(detail['l1'])}"
    elif point.label == "HB":
        text += "; whether it is super- or subcritical is not decided"
    if detail.get("theta"):
        text += f"; angle in {side(detail['theta'])}"
    for name, supercritical in (("b", 1.0), ("re_d", -1.0)):
        if detail.get(name):
            kind = "supercritical" if detail[name][0] * supercritical > 0.0 else "subcritical"
            text += f"; {kind}, {name} in {side(detail[name])}"
    if detail.get("unstable"):
        along = " along the first" if detail.get("kind") else ""
        what = "multipliers" if detail.get("iterations") else "eigenvalues"
        text += f"; unstable {what} on its two sides{along}: {detail['unstable'][0]} and {detail['unstable'][1]}"
    return text

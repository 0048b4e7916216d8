"""The attractors that were found in a box, and the shares of their basins."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bifrncrn.base.tables import Reported, format_table, printable
from bifrncrn.models.system import System
from bifrncrn.trajectories.lyapunov import Exponent

SCHEMA = "bifrncrn.attractors/1"
CONFIDENCE = 0.95
NAMED = 6
"""States that a line of the report shows at most."""

Interval = tuple[float, float]


@dataclass(frozen=True, eq=False, repr=False)
class Attractor:
    """What trajectories settle to.

    Attributes
    ----------
    kind : str
        `equilibrium`, `cycle`, `chaotic`, or `quasiperiodic`: neither rests nor repeats, and its largest Lyapunov
        exponent is zero to its error (a torus, or a cycle longer than was looked for). Of a map `fixed point` stands
        for `equilibrium`.
    count : int
        How many trajectories of the sample settled to it.
    share, interval : float, (float, float)
        The part of the box that its basin fills: the estimate, and the exact 95 per cent interval of it
        (Clopper & Pearson, Biometrika 26, 1934, 404).
    state : (n,) array
        A point of it; of a cycle of a periodically forced system that at the time zero.
    points : (k, n) array
        The equilibrium; one turn of the cycle, evenly in time, of a map all its points; the trajectory on a chaotic
        set.
    min, max : (n,) arrays
    period : float or None
        Of a cycle; of a map the number of its points.
    eigenvalues : complex array
        Of an equilibrium those of the Jacobian, of a cycle the Floquet multipliers, the trivial one first, of a map
        its multipliers; conserved sums divided out.
    exponent : Exponent or None
        The largest Lyapunov exponent of a set that is neither.
    watched : float or None
        Of such a set: for how long, in all, trajectories were on it that were followed to the end. None left it.
    """

    kind: str
    count: int
    share: float
    interval: Interval
    state: np.ndarray
    points: np.ndarray
    min: np.ndarray
    max: np.ndarray
    period: float | None = None
    eigenvalues: np.ndarray = field(default_factory=lambda: np.empty(0, complex))
    exponent: Exponent | None = None
    watched: float | None = None

    def __repr__(self) -> str:
        return f"<Attractor: {self.kind}, share {self.share:.3g}>"

    def to_json(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return it as plain JSON; `names` are those of the states."""
        out: dict[str, Any] = {
            "kind": self.kind,
            "count": self.count,
            "share": self.share,
            "interval": list(self.interval),
            "state": _named(names, self.state),
            "min": _named(names, self.min),
            "max": _named(names, self.max),
            "period": self.period,
            "eigenvalues": [[float(v.real), float(v.imag)] for v in self.eigenvalues],
            "watched": self.watched,
            "exponent": None,
        }
        if self.exponent is not None:
            out["exponent"] = {"value": _plain(self.exponent.value), "error": _plain(self.exponent.error)}
        return out


@dataclass(frozen=True, eq=False, repr=False)
class Attractors(Reported):
    """The attractors that a sample of trajectories settled to; a sequence of `Attractor`, the largest basin first.

    Attributes
    ----------
    system : System
        With the parameter values they belong to.
    box : dict of str to (float, float)
        Where the trajectories started, evenly at random; states that it does not name started at `system.state`.
    attractors : tuple of Attractor
    samples, seed : int
        How many trajectories, and the seed of the generator of their starts.
    escaped, neutral, undecided : int
        How many grew without bound or left where the equations are defined; came to equilibria, cycles or sets that
        neither attract nor repel; or could not be judged within the steps allowed.
    transients : int
        How many chaotic sets were seen that trajectories were also seen to leave; they are no attractors.
    notes : tuple of str
    """

    system: System
    box: dict[str, Interval]
    attractors: tuple[Attractor, ...]
    samples: int
    seed: int
    escaped: int = 0
    neutral: int = 0
    undecided: int = 0
    transients: int = 0
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.attractors)

    def __iter__(self) -> Iterator[Attractor]:
        return iter(self.attractors)

    def __getitem__(self, index: int) -> Attractor:
        return self.attractors[index]

    @property
    def overlooked(self) -> float:
        """The share of the box that a basin may have and still be missed by all samples, at 95 per cent."""
        return float(1.0 - (1.0 - CONFIDENCE) ** (1.0 / self.samples))

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain JSON, schema `bifrncrn.attractors/1`."""
        system = self.system
        return {
            "schema": SCHEMA,
            "model": system.title,
            "parameters": _named(system.parameters, system.values),
            "box": {name: list(side) for name, side in self.box.items()},
            "samples": self.samples,
            "seed": self.seed,
            "attractors": [each.to_json(system.variables) for each in self.attractors],
            "escaped": self.escaped,
            "neutral": self.neutral,
            "undecided": self.undecided,
            "transients": self.transients,
            "overlooked": self.overlooked,
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        return f"<Attractors: {', '.join(each.kind for each in self.attractors) or 'none'}>"

    def __str__(self) -> str:
        return printable("\n".join(_report(self)))


def exact_interval(count: int, samples: int) -> Interval:
    """Return the exact 95 per cent interval of a share of which `count` of `samples` were counted."""
    from scipy.special import betaincinv

    tail = (1.0 - CONFIDENCE) / 2.0
    low = 0.0 if count == 0 else float(betaincinv(count, samples - count + 1, tail))
    high = 1.0 if count == samples else float(betaincinv(count + 1, samples - count, 1.0 - tail))
    return low, high


def _named(names: tuple[str, ...], values: np.ndarray) -> dict[str, float | None]:
    return {name: _plain(float(value)) for name, value in zip(names, values.tolist(), strict=True)}


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _report(found: Attractors) -> list[str]:
    system = found.system
    at = ", ".join(f"{n}={v:.6g}" for n, v in zip(system.parameters, system.values.tolist()))
    sides = ", ".join(f"{name} in [{a:g}, {b:g}]" for name, (a, b) in found.box.items())
    lines = [f"{system.title or 'model'}: attractors" + (f" at {_short(at, 300)}" if at else "")]
    lines += [f"{found.samples} trajectories from starts evenly at random in {_short(sides, 300)} (seed {found.seed})"]
    rows = []
    for number, each in enumerate(found, 1):
        rows.append([str(number), each.kind, _share(each.count, found.samples), _where(each, system.variables)])
    lines += ["", format_table(["", "attractor", "share of the box (95 %)", "where"], rows)] if rows else []
    others = (
        ("grew without bound, or left where the equations are defined", found.escaped),
        ("came to what neither attracts nor repels (a family of equilibria, cycles or tori)", found.neutral),
        ("could not be judged within the steps allowed", found.undecided),
    )
    lines += [f"{_share(count, found.samples)} {what}" for what, count in others if count]
    lines.append(f"\nA basin of less than {100.0 * found.overlooked:.2g} % of the box may have been missed (at 95 %).")
    for number, each in enumerate(found, 1):
        if each.watched is not None:
            lines.append(
                f"Set {number} was watched for a time of {each.watched:.4g} in all and not left: were it a transient, "
                f"trajectories would leave it after {each.watched / -math.log(1.0 - CONFIDENCE):.3g} or more in the "
                "mean (at 95 %)."
            )
    if found.transients:
        lines.append(
            f"{found.transients} chaotic set{'s were' if found.transients > 1 else ' was'} seen that trajectories "
            "leave (transient chaos)."
        )
    return [*lines, *found.notes]


def _share(count: int, samples: int) -> str:
    low, high = exact_interval(count, samples)
    return f"{count / samples:.3f} ({low:.3f} to {high:.3f})"


def _where(each: Attractor, names: tuple[str, ...]) -> str:
    states = list(zip(names, each.state.tolist(), each.min.tolist(), each.max.tolist(), strict=True))[:NAMED]
    if each.kind in ("equilibrium", "fixed point"):
        text = ", ".join(f"{name}={x:.6g}" for name, x, _, _ in states)
    else:
        text = ", ".join(f"{name} in [{a:.4g}, {b:.4g}]" for name, _, a, b in states)
    text += ", ..." if len(names) > NAMED else ""
    if each.period is not None and each.kind != "fixed point":
        text = f"period {each.period:.8g}; {text}"
    if each.exponent is not None:
        text = f"exponent {each.exponent.value:.3g} +- {each.exponent.error:.1g}; {text}"
    return text


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 4] + " ..."

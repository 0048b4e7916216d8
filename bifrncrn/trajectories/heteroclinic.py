"""Connections from one saddle to another: heteroclinic orbits, found by where a manifold passes the other saddle.

The trajectory that leaves the first saddle along its one unstable direction ends in the second, which has one unstable
direction too: that happens at single values of a parameter. Or, backward in time, the same of the one stable direction
of the second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bifrncrn.base.arrays import frozen
from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import Reported, folded, format_complex, printable
from bifrncrn.models.maps import require_flow
from bifrncrn.models.system import System
from bifrncrn.trajectories.cycles import Values, check_positive
from bifrncrn.trajectories.passages import BACK, Manifold, Passage, along, checked_bounds

ONE = 1e-6
"""Two saddles that are nearer than this, relative to their size, are one: the orbit is homoclinic."""


@dataclass(frozen=True, eq=False, repr=False)
class Heteroclinic(Reported):
    """A heteroclinic orbit: it goes from one saddle to another.

    Attributes
    ----------
    system : System
        With the parameter value of the orbit; its state is the first saddle.
    parameter : str
    value : float
        Of the parameter, to about 1e-9 of the range (stiff systems 1e-8).
    source, target : (n,) arrays
        The saddles it goes from and to.
    source_eigenvalues, target_eigenvalues : (n,) complex arrays
        By falling real part.
    points : (k, n) array
        Along the orbit, forward in time, from near the one to near the other.
    times : (k,) array
        Of the points, rising from 0.
    gap : float
        How near it comes to where it ends, or begins where it was followed backwards, in units of its size.
    range : (float, float)
        In which it was looked for.
    """

    system: System
    parameter: str
    value: float
    source: np.ndarray
    target: np.ndarray
    source_eigenvalues: np.ndarray
    target_eigenvalues: np.ndarray
    points: np.ndarray = field(repr=False)
    times: np.ndarray = field(repr=False)
    gap: float
    range: tuple[float, float]

    def __str__(self) -> str:
        names = self.system.variables
        lines = [f"{self.system.title or 'model'}: heteroclinic orbit at {self.parameter} = {self.value:.10g}"]
        for word, saddle, values in (
            ("from", self.source, self.source_eigenvalues),
            ("to", self.target, self.target_eigenvalues),
        ):
            place = ", ".join(f"{name} = {value:.8g}" for name, value in zip(names, saddle.tolist(), strict=True))
            lines.append(f"{word} {place}: eigenvalues {format_complex(values.tolist())}")
        return printable(folded("\n".join([*lines, f"closed to {self.gap:.2g} of its size"])))


def find_heteroclinic(
    system: System,
    parameter: str | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    source: Values = None,
    target: Values,
    values: Values = None,
    steps: int = 10,
    max_steps: int = 20_000,
) -> Heteroclinic | None:
    """Find a parameter value at which an orbit goes from one saddle to another.

    Both branches of the first saddle's unstable manifold are followed at evenly spaced values of the parameter; where
    one passes the second saddle on different sides at two neighbours, the value between is located. Where that finds
    nothing the stable manifold of the second is followed backwards.

    Parameters
    ----------
    system : System
        Of up to 400 variables. Both saddles must have one eigenvalue with a positive real part, or both one with a
        negative.
    parameter : str, optional
        By default the system's first.
    bounds : (low, high)
        Where to look.
    source, target : mapping or array
        Where the saddles are about, from which the orbit goes (by default the start state), and to which. They are
        followed by Newton's method.
    values : mapping or array, optional
        Values of other parameters that differ from the system's own.
    steps : int
        Number of intervals that `bounds` are divided into.
    max_steps : int
        Of the integrator along each trajectory, about 20 microseconds each.

    Returns
    -------
    Heteroclinic, or None when none was found: no saddles there, the manifold never comes near, or no side is exchanged

    Raises
    ------
    InputError
        If a name or number is not what it must be.

    Notes
    -----
    Two connections between neighbouring values are not seen; take more steps.

    Examples
    --------
    The front of Nagumo's equation moves with c = (1 - 2 a) / sqrt(2).

    >>> front = {"u": "v", "v": "-c*v - u*(1 - u)*(u - a)"}
    >>> model = System.from_equations(front, {"c": 0.0, "a": 0.25}, {"u": 0.0, "v": 0.0})
    >>> found = find_heteroclinic(model, "c", (-1, 0), target=[1, 0])
    >>> print(f"{found.value:.8f}")
    -0.35355339
    """
    require_flow(system, "the search for a heteroclinic orbit")
    there = system.with_(state=target, values=values)
    here = system.with_(state=source, values=values)
    name = here.parameters[0] if parameter is None and here.parameters else parameter
    if name is None:
        raise InputError("the system has no parameter along which a heteroclinic orbit could be looked for")
    here.parameter_index(name)
    low, high = checked_bounds(here, bounds, "heteroclinic orbits")
    grid = np.linspace(low, high, check_positive("steps", steps, whole=True) + 1)
    check_positive("max_steps", max_steps, whole=True)
    for backward, start, goal in ((False, here, there), (True, there, here)):
        for back in BACK:
            for side in (1.0, -1.0):
                manifold = Manifold(start, name, side, max_steps, back, np.array(goal.state), backward)
                found = along(manifold, grid)
                if found is not None and _are_two(found[1]):
                    return _orbit(here, name, (low, high), backward, *found)
    return None


def _are_two(passage: Passage) -> bool:
    """Say whether the saddles of a connection are not the same."""
    size = max(np.abs(passage.start).max(), np.abs(passage.goal).max())
    return bool(np.abs(passage.start - passage.goal).max() > ONE * size)


def _orbit(
    system: System, name: str, range: tuple[float, float], backward: bool, value: float, passage: Passage
) -> Heteroclinic:
    """Return a connection that was found, forward in time."""
    order = slice(None, None, -1) if backward else slice(None)
    ends = (passage.start, passage.goal)[order]
    spectra = (passage.eigenvalues, passage.passed)[order]
    times = passage.times[order]
    return Heteroclinic(
        system.with_(state=ends[0], values={name: value}),
        name,
        value,
        frozen(ends[0]),
        frozen(ends[1]),
        frozen(spectra[0], complex),
        frozen(spectra[1], complex),
        frozen(passage.points[order]),
        frozen(times - times[0]),
        passage.gap,
        range,
    )

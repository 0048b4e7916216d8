"""Homoclinic orbits of a saddle with a one-dimensional manifold, found by where that passes it again.

At a homoclinic bifurcation the trajectory that leaves a saddle along its unstable direction comes back to it
(Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., chapter 6). For other values of the parameter it passes the
saddle on one side or on the other (`passages`).
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
from bifrncrn.trajectories.passages import BACK, Manifold, along, checked_bounds


@dataclass(frozen=True, eq=False, repr=False)
class Homoclinic(Reported):
    """A homoclinic orbit.

    Attributes
    ----------
    system : System
        With the parameter value of the orbit; its state is the saddle.
    parameter : str
    value : float
        Of the parameter, to about 1e-9 of the range (stiff systems 1e-8).
    saddle : (n,) array
    eigenvalues : (n,) complex array
        Of the saddle, by falling real part.
    points : (k, n) array
        Along the orbit, from the saddle to where it is nearest to it again; backwards where only one is stable.
    gap : float
        How near that is, in units of the orbit's size.
    times : (k,) array
        Of the points, from 0 on; falling where the orbit was followed backwards.
    range : (float, float)
        In which it was looked for.
    """

    system: System
    parameter: str
    value: float
    saddle: np.ndarray
    eigenvalues: np.ndarray
    points: np.ndarray = field(repr=False)
    gap: float
    times: np.ndarray = field(repr=False)
    range: tuple[float, float]

    @property
    def saddle_quantity(self) -> float:
        """Sum of the real parts of the two eigenvalues nearest to zero on each side.

        When it is negative at a saddle with one unstable eigenvalue, the cycle that ends here is stable.
        """
        real = self.eigenvalues.real
        return float(np.min(real[real > 0.0]) + np.max(real[real < 0.0]))

    def __str__(self) -> str:
        names = self.system.variables
        place = ", ".join(f"{name} = {value:.8g}" for name, value in zip(names, self.saddle.tolist(), strict=True))
        lines = [f"{self.system.title or 'model'}: homoclinic orbit at {self.parameter} = {self.value:.10g}"]
        lines.append(f"saddle at {place}")
        lines.append(f"eigenvalues {format_complex(self.eigenvalues.tolist())}")
        quantity = f"saddle quantity {self.saddle_quantity:.6g}"
        if np.count_nonzero(self.eigenvalues.real > 0.0) == 1:
            quantity += f": the cycle that ends here is {'stable' if self.saddle_quantity < 0.0 else 'unstable'}"
        return printable(folded("\n".join([*lines, quantity, f"closed to {self.gap:.2g} of its size"])))


def find_homoclinic(
    system: System,
    parameter: str | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    saddle: Values = None,
    values: Values = None,
    steps: int = 10,
    max_steps: int = 20_000,
) -> Homoclinic | None:
    """Find a parameter value at which a saddle has a homoclinic orbit.

    Both branches of the saddle's one-dimensional manifold are followed at evenly spaced values of the parameter; where
    one passes the saddle on different sides at two neighbours, the value between is located.

    Parameters
    ----------
    system : System
        Of up to 400 variables. The saddle must have one eigenvalue with a positive real part, or one with a negative.
    parameter : str, optional
        By default the system's first.
    bounds : (low, high)
        Where to look.
    saddle : mapping or array, optional
        Where the saddle is about; by default the start state. It is followed by Newton's method.
    values : mapping or array, optional
        Values of other parameters that differ from the system's own.
    steps : int
        Number of intervals that `bounds` are divided into.
    max_steps : int
        Of the integrator along each trajectory, about 20 microseconds each.

    Returns
    -------
    Homoclinic, or None when none was found: no saddle there, its manifold never returns, or no side is exchanged

    Raises
    ------
    InputError
        If a name or number is not what it must be.

    Notes
    -----
    Two homoclinic orbits between neighbouring values are not seen (take more steps), nor are loops that pass the
    saddle before they close.

    Examples
    --------
    >>> loop = {"x": "y", "y": "x - x^2 + 0.1*(lam + x)*y"}
    >>> found = find_homoclinic(System.from_equations(loop, {"lam": -0.8}, {"x": 0, "y": 0}), bounds=(-1, -0.7))
    >>> print(f"{found.value:.2f} {found.gap < 1e-4}")
    -0.86 True
    """
    require_flow(system, "the search for a homoclinic orbit")
    system = system.with_(state=saddle, values=values)
    name = system.parameters[0] if parameter is None and system.parameters else parameter
    if name is None:
        raise InputError("the system has no parameter along which a homoclinic orbit could be looked for")
    system.parameter_index(name)
    low, high = checked_bounds(system, bounds, "homoclinic orbits")
    grid = np.linspace(low, high, check_positive("steps", steps, whole=True) + 1)
    check_positive("max_steps", max_steps, whole=True)
    for back in BACK:
        for side in (1.0, -1.0):
            found = along(Manifold(system, name, side, max_steps, back), grid)
            if found is not None:
                value, passage = found
                return Homoclinic(
                    system.with_(state=passage.start, values={name: value}),
                    name,
                    value,
                    frozen(passage.start),
                    frozen(passage.eigenvalues, complex),
                    frozen(passage.points),
                    passage.gap,
                    frozen(passage.times),
                    (low, high),
                )
    return None

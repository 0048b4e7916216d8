"""Stochastic simulation of reaction networks: molecules are counted, and reactions happen one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.checks import number
from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import Reported, format_table, printable
from bifrncrn.chemistry.reactions.network import Reaction, ReactionNetwork

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_MOLECULES = 2**53


@dataclass(frozen=True, eq=False, repr=False)
class StochasticSimulation(Reported):
    """One realisation of a reaction network as a jump process.

    Attributes
    ----------
    network : ReactionNetwork
    volume : float
        Molecules per unit of concentration.
    t : (k,) array
        Times, in the network's unit.
    counts : (k, n) integer array
        Molecules of every species, in the order of `network.species`.
    """

    network: ReactionNetwork
    volume: float
    t: np.ndarray
    counts: np.ndarray

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of `counts`: all species."""
        return self.network.species

    @property
    def observables(self) -> tuple[str, ...]:
        """What `column` knows beside the columns: nothing."""
        return ()

    @property
    def title(self) -> str:
        """What was simulated."""
        return self.network.title

    def __str__(self) -> str:
        first, last = (f"{self.t[k]:g}" for k in (0, -1))
        head = f"{self.title or 'reactions'}: one realisation, t = {first} to {last}, volume {self.volume:g}"
        bounds = np.column_stack([self.counts[0], self.counts[-1], self.counts.min(axis=0), self.counts.max(axis=0)])
        rows = [[name, *map(str, row)] for name, row in zip(self.columns, bounds.tolist(), strict=True)]
        return printable(f"{head}\n\n{format_table(['molecules of', 'first', 'last', 'least', 'most'], rows)}")

    @property
    def concentrations(self) -> np.ndarray:
        """Molecules divided by the volume, (k, n)."""
        return self.counts / self.volume

    def column(self, name: str) -> np.ndarray:
        """Return the concentration of one species at the times `t`, (k,)."""
        if name not in self.columns:
            raise InputError(f"there is no species {name!r:.60}; there are {', '.join(self.columns)}")
        return self.counts[:, self.columns.index(name)] / self.volume

    def table(self) -> pd.DataFrame:
        """Return a pandas table with the columns `t` and one of concentrations for each species."""
        import pandas as pd

        return pd.DataFrame({"t": self.t, **{name: self.column(name) for name in self.columns}})

    def plot(self, show: str | Sequence[str] | None = None, against: str = "t", ax: Axes | None = None) -> Axes:
        """Draw concentrations against time, or against another (see `bifrncrn.plots.trajectory.plot_trajectory`)."""
        from bifrncrn.plots.trajectory import plot_trajectory

        return plot_trajectory(self, show, against, ax)


def simulate_stochastic(
    network: ReactionNetwork,
    t_end: float,
    *,
    volume: float,
    start: Mapping[str, float] | None = None,
    samples: int = 1000,
    seed: int | None = None,
) -> StochasticSimulation:
    """Simulate a reaction network as a jump process, exactly (Gillespie, J. Phys. Chem. 81, 1977, 2340).

    A concentration x is x * volume molecules, rounded. A reaction of rate k between r molecules happens at the rate
    k * volume**(1 - r) * n * (n - 1) * ..., so that concentrations follow the differential equations as the volume
    grows. For concentrations in nanomoles per litre the volume is 0.602 times that of the vessel in cubic micrometres.

    Parameters
    ----------
    network : ReactionNetwork
    t_end : float
        The end, in the network's unit of time.
    volume : float
        Molecules per unit of concentration.
    start : mapping, optional
        Start concentrations that differ from the network's own.
    samples : int
        The number of equal spans of time at whose ends the state is kept.
    seed : int, optional
        For the same realisation again, with the same version of the library.

    Raises
    ------
    InputError
        If a number is not what it must be, a species unknown, or the library is not installed.

    Notes
    -----
    The work is proportional to the number of reactions that happen: proportional to the volume, and for a network of
    time-scale mu to 1 / mu.
    """
    try:
        from rebop import Gillespie
    except ImportError:
        raise InputError("stochastic simulation needs the library rebop: pip install bifrncrn[stochastic]") from None
    end, size = _positive("t_end", t_end), _positive("volume", volume)
    for name, value in (("samples", samples), ("seed", seed)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0):
            raise InputError(f"{name} must be a whole number that is not negative, not {value!r:.60}")
    if samples < 1:
        raise InputError("samples must be at least 1, and was 0")
    system = Gillespie()
    for reaction in network.reactions:
        system.add_reaction(_constant(reaction, size), list(reaction.reactants), list(reaction.products))
    used = {name for reaction in network.reactions for name in (*reaction.reactants, *reaction.products)}
    molecules = _molecules(network, start, size)
    found = system.run({name: molecules[name] for name in sorted(used)}, end, int(samples), rng=seed)
    t = np.array(found["time"], dtype=float)
    still = {name: np.full(t.size, count) for name, count in molecules.items() if name not in used}
    counts = np.column_stack([still[name] if name in still else found[name] for name in network.species]).astype(
        np.int64
    )
    for array in (t, counts):
        array.setflags(write=False)
    return StochasticSimulation(network, size, t, counts)


def _constant(reaction: Reaction, volume: float) -> float:
    return reaction.rate * volume ** (1 - len(reaction.reactants))


def _molecules(network: ReactionNetwork, start: Mapping[str, float] | None, volume: float) -> dict[str, int]:
    """Return the number of molecules of every species at the start."""
    changed = dict(start or {})
    for name in changed:
        if name not in network.species:
            raise InputError(f"there is no species {name!r:.60}; there are {', '.join(network.species)}")
    molecules = {}
    for name in network.species:
        value = number(f"the start of {name}", changed.get(name, network.start.get(name, 0.0)))
        if not 0 <= value * volume < MOST_MOLECULES:
            raise InputError(
                f"the start of {name} is {value!r}, {value * volume:g} molecules; it must be 0 to 9e15 of them"
            )
        molecules[name] = round(value * volume)
    return molecules


def _positive(name: str, value: Any) -> float:
    given = number(name, value)
    if not given > 0:
        raise InputError(f"{name} must be positive, not {given!r}")
    return given

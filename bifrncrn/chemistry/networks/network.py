"""The recurrent neural chemical reaction network: named weights, and the two systems they define."""

import copy
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bifrncrn.base.checks import Array, array, quasi_static, require_positive, shaped, time_scale
from bifrncrn.base.errors import InputError
from bifrncrn.base.tables import Reported, folded
from bifrncrn.chemistry.networks import equations
from bifrncrn.chemistry.reactions.network import ReactionNetwork
from bifrncrn.models.system import System

if TYPE_CHECKING:
    from bifrncrn.trajectories.cycles import Cycle


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Network(Reported):
    """A recurrent neural chemical reaction network with M executive species, N perceptrons and P parameter species.

    The executive species X, the perceptrons Y and the constant parameter species Lambda obey ::

        dX_i/dt = beta_i + X_i * sum_j alpha_ij Y_j
        dY_j/dt = (gamma_j + Y_j*z_j - tau_j*Y_j**2) / mu
        z_j     = theta_j + sum_i omega_ji X_i + sum_l psi_jl Lambda_l

    Parameters
    ----------
    alpha : array (M, N)
        Effect of the perceptrons on the executive species, 1/(concentration time), of any sign.
    omega : array (N, M)
        Effect of the executive species on the perceptrons, 1/(concentration time), of any sign.
    psi : array (N, P), optional
        Effect of the parameter species on the perceptrons, 1/(concentration time), of any sign; absent means P = 0.
    theta : array (N,) or float
        Bias of the perceptrons, 1/time, of any sign.
    beta : array (M,) or float
        Influx of the executive species, concentration/time, not negative.
    gamma, tau : array (N,) or float
        Influx (concentration/time) and self-decay (1/(concentration time)) of the perceptrons, positive.
    state : array (M,) or float
        Start concentrations of the executive species, not negative.
    lam : array (P,) or float
        Values of the parameter species.
    mu : float, optional
        Time-scale of the perceptrons the network was designed for, if known.
    title : str
        One line for people.
    training : dict
        How the network came about; anything JSON can hold.

    Raises
    ------
    InputError
        If shapes disagree, an entry is not finite, or a positive quantity is not.

    Notes
    -----
    Dack, Plesa and Ouldridge, arXiv 2406.03456 and arXiv 2602.02374.

    Examples
    --------
    >>> net = Network(alpha=[[-1.0, 1.0]], omega=[[1.0], [-1.0]], theta=[-5.0, 5.0], beta=1.0)
    >>> net.sizes
    (1, 2, 0)
    >>> net.reduced().variables
    ('x1',)
    """

    alpha: Array
    omega: Array
    psi: Array
    theta: Array
    beta: Array
    gamma: Array
    tau: Array
    state: Array
    lam: Array
    mu: float | None
    title: str
    training: dict[str, Any]

    def __init__(
        self,
        alpha: ArrayLike,
        omega: ArrayLike,
        psi: ArrayLike | None = None,
        theta: ArrayLike = 0.0,
        beta: ArrayLike = 1.0,
        gamma: ArrayLike = 1.0,
        tau: ArrayLike = 1.0,
        state: ArrayLike = 1.0,
        lam: ArrayLike = 1.0,
        mu: float | None = None,
        title: str = "",
        training: dict[str, Any] | None = None,
    ) -> None:
        first = array("alpha", alpha, 2)
        m, n = first.shape
        if m == 0 or n == 0:
            raise InputError(f"alpha has shape {first.shape} but a network needs an executive species and a perceptron")
        because = f"to agree with alpha of shape {first.shape}"
        drivers = array("psi", np.zeros((n, 0)) if psi is None else psi, 2)
        arrays = {
            "alpha": first,
            "omega": shaped("omega", omega, (n, m), because),
            "psi": shaped("psi", drivers, (n, drivers.shape[1]), because),
            "theta": shaped("theta", theta, (n,), because),
            "beta": shaped("beta", beta, (m,), because),
            "gamma": shaped("gamma", gamma, (n,), because),
            "tau": shaped("tau", tau, (n,), because),
            "state": shaped("state", state, (m,), because),
            "lam": shaped("lam", lam, (drivers.shape[1],), f"to agree with psi of shape {drivers.shape}"),
        }
        for name in ("gamma", "tau"):
            require_positive(name, arrays[name])
        for name in ("beta", "state"):
            require_positive(name, arrays[name], zero_allowed=True)
        scale = None if mu is None else time_scale("mu", mu)
        if not isinstance(title, str):
            raise InputError(f"title is {title!r:.60} but must be a text")
        if not isinstance(training, dict | None):
            raise InputError(f"training is {training!r:.60} but must be a dict, the record of how the network was made")
        record = copy.deepcopy(training or {})
        for name, value in {**arrays, "mu": scale, "title": title, "training": record}.items():
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        """Return what a chemist needs: species, reactions, rates."""
        from bifrncrn.chemistry.networks.chemist import network_report

        return folded(network_report(self))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of executive species, perceptrons and parameter species (M, N, P)."""
        return (*self.alpha.shape, self.psi.shape[1])

    @property
    def parameter(self) -> str | None:
        """Name of the first parameter species in the systems, the one diagrams are compared in; None without one."""
        return next(iter(equations.lam_names(self.sizes[2])), None)

    def weights(self) -> dict[str, Array]:
        """Return the weight arrays by name, in the order of the system's parameters."""
        return {name: getattr(self, name) for name in equations.WEIGHTS}

    def perceptrons(self, x: Array, lam: Array | None = None) -> Array:
        """Return the quasi-static perceptron concentrations (N,) at executive species `x` (M,) and `lam` (P,)."""
        z = self.theta + self.omega @ np.asarray(x, float) + self.psi @ (self.lam if lam is None else np.asarray(lam))
        return quasi_static(z, self.gamma, self.tau)

    def reduced(self) -> System:
        """Return the quasi-static system of the executive species, the limit mu -> 0."""
        m, n, p = self.sizes
        return System.trusted(
            equations.reduced(m, n),
            parameters=equations.parameters(self),
            state=dict(zip(equations.names("x", m), self.state.tolist())),
            definitions=equations.reduced_definitions(m, n, p),
            nonnegative=True,
            title=self.title,
        )

    def full(self, mu: float | None = None) -> System:
        """Return the mass-action system of executive species and perceptrons with time-scale `mu`.

        The perceptrons start at their quasi-static values. `mu` defaults to the network's own.

        Raises
        ------
        InputError
            If no time-scale is given and the network has none, or it is not positive.
        """
        m, n, p = self.sizes
        scale = self.resolve_mu(mu)
        state = dict(zip(equations.names("x", m), self.state.tolist()))
        state.update(zip(equations.names("y", n), self.perceptrons(self.state).tolist()))
        return System.trusted(
            equations.full(m, n),
            parameters={**equations.parameters(self), "mu": scale},
            state=state,
            definitions=equations.inputs(m, n, p),
            nonnegative=True,
            title=self.title,
        )

    def cycle(
        self,
        mu: float | None = None,
        *,
        state: ArrayLike | None = None,
        lam: ArrayLike | None = None,
        repelling: bool = False,
    ) -> "Cycle | None":
        """Return the cycle of the reduced system, or the one of the full system at `mu` that it becomes.

        The reduced system's cycle is found by settling, in backward time where it is `repelling`, and followed as mu
        grows: it is found where it repels, too, and where the full system is stiff.

        Parameters
        ----------
        mu : float, optional
            Without it, the cycle of the reduced system is returned.
        state : (M,) array, optional
            Start of the executive species, other than the network's own.
        lam : (P,) array, optional
            Values of the parameter species, other than the network's own.
        repelling : bool
            Whether to look for a cycle that repels in every direction.

        Returns
        -------
        Cycle, or None when the reduced system has none to be found so, or it ends before `mu`
        """
        from bifrncrn.chemistry.networks.cycles import network_cycle

        return network_cycle(self, mu, state=state, lam=lam, repelling=repelling)

    def resolve_mu(self, mu: float | None) -> float:
        """Return `mu`, or the network's own time-scale when it is None."""
        chosen = self.mu if mu is None else mu
        if chosen is None:
            raise InputError("the network records no time-scale mu, and this needs one; give mu, for instance 0.01")
        return time_scale("mu", chosen)

    def reactions(self, mu: float | None = None) -> ReactionNetwork:
        """Return the network as mass-action reactions; the rates of the perceptrons carry 1/mu."""
        from bifrncrn.chemistry.networks.to_reactions import network_to_reactions

        return network_to_reactions(self, self.resolve_mu(mu))

    @classmethod
    def from_reactions(cls, reactions: ReactionNetwork, mu: float | None = None) -> "Network":
        """Recover the named weights from reactions of network form.

        The rates only fix ``omega/mu`` and the like. `mu` is, in this order: the argument; the value the
        reactions record; the reciprocal of the rate of ``Y_j + Y_j->Y_j`` when all perceptrons share it (then
        ``tau = 1``, the convention of the published lists); otherwise 1, with the rates as weights.

        Raises
        ------
        InputError
            If a reaction has no place in a network; the message names it.
        """
        from bifrncrn.chemistry.networks.to_reactions import network_from_reactions

        return network_from_reactions(reactions, mu)

    def to_json(self) -> dict[str, Any]:
        """Return the network as plain JSON data of schema ``bifrncrn.network/1``."""
        from bifrncrn.chemistry.networks.json import network_to_json

        return network_to_json(self)

    @classmethod
    def from_json(cls, data: Any) -> "Network":
        """Build a network from JSON data of schema ``bifrncrn.network/1``.

        Raises
        ------
        InputError
            If a key is missing, unknown, or holds something else than the schema says.
        """
        from bifrncrn.chemistry.networks.json import network_from_json

        return network_from_json(data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a JSON file; floats keep every digit."""
        from bifrncrn.base.records import write_json

        write_json(path, self.to_json())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Network":
        """Read a network from a file: network JSON, a ``.mat`` file, or reactions of network form (``.txt``).

        Raises
        ------
        InputError
            If the file cannot be read or is not a network.
        """
        from bifrncrn.chemistry.networks.loading import load_network

        return load_network(path)

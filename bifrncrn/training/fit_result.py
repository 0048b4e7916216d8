"""What training returns: the ranked starts, the best network, and a report of both."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrncrn.base.tables import Reported, folded
from bifrncrn.chemistry.networks.network import Network
from bifrncrn.proofs.result import Proof
from bifrncrn.training.fit.start import Start
from bifrncrn.training.outward import Outward
from bifrncrn.training.ranking import Standing
from bifrncrn.training.robustness import Robustness
from bifrncrn.training.targets.target import Target
from bifrncrn.training.verification import Verification
from bifrncrn.training.weights import Weights

if TYPE_CHECKING:
    from bifrncrn.training.molecules import Stochastic


@dataclass(frozen=True, eq=False)
class Candidate:
    """One start with everything that was measured on it.

    Attributes
    ----------
    start : Start
        The fitted weights and how the search went.
    loss, held_out : float
        The loss by the target's definition, and on random points of the box that were not trained on.
    standing : Standing or None
        How its diagram compares with the target's, where that was traced.
    network : Network
    """

    start: Start
    loss: float
    held_out: float
    standing: Standing | None
    network: Network

    @property
    def key(self) -> tuple[float, ...]:
        """What candidates are ranked by, ascending.

        Wrong special points, parameter error, not being exact at the time-scale as well, loss, spread of rates.
        """
        first = (float("inf"), float("inf")) if self.standing is None else self.standing.key
        exact = len(self.network.training.get("refinement", {}).get("mu", ()))
        return (*first, -exact, self.loss, self.start.weights.spread)


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Reported):
    """The outcome of `train`.

    Attributes
    ----------
    target : Target
    candidates : tuple of Candidate
        All starts, best first.
    record : dict
        The training record (also in `network.training`): target, samples, losses, seed, versions.
    seconds : float
        Wall-clock time of the whole fit.
    notes : tuple of str
        What a reader should know, for instance that the target was not reached.
    verification : Verification or None
        What the best network does, and where that was looked at; None where nothing was looked at but the loss.
    proof : Proof or None
        What is proved about the best network, where it was asked for.
    outward : Outward or None
        Where the best network's field points out of a box twice as large as what it was taught.
    robustness : tuple of Robustness
        How many copies with rates a little off keep the behaviour; empty where nothing was looked at but the loss.
    """

    target: Target
    candidates: tuple[Candidate, ...]
    record: dict[str, Any]
    seconds: float
    notes: tuple[str, ...] = field(default_factory=tuple)
    verification: Verification | None = None
    proof: Proof | None = None
    outward: Outward | None = None
    robustness: tuple[Robustness, ...] = ()

    @property
    def best(self) -> Candidate:
        """The first of the candidates."""
        return self.candidates[0]

    @property
    def network(self) -> Network:
        """The best network."""
        return self.best.network

    @property
    def parameter(self) -> str | None:
        """The network's parameter in which it is compared with its target."""
        return self.network.parameter

    @property
    def loss(self) -> float:
        """The best network's loss by the target's definition."""
        return self.best.loss

    def report(self) -> str:
        """Return the fit as text for people."""
        best, m, n, p = self.best, *self.network.sizes
        bound = self.record["rate_bound"]
        bounded = "" if bound is None else f", {best.start.weights.at_bound(bound)} at the bound {bound:g}"
        lines = [
            f"{self.target.title}: {m} executive species, {n} perceptrons, {p} parameter species",
            f"{self.record['loss_kind']} loss {best.loss:.4g} by definition, {best.held_out:.4g} held out, "
            f"{best.start.loss:.4g} on the samples it was trained on",
            f"largest rate {best.start.weights.largest:.4g}, spread of rates {best.start.weights.spread:.3g}{bounded}",
            f"best of {len(self.candidates)} starts, {self.seconds:.1f} s, seed {self.record['seed']}",
        ]
        lines += [] if self.verification is None else [*self._reached(), *self.verification.lines]
        lines += [] if self.outward is None else [str(self.outward)]
        lines += [str(one) for one in self.robustness]
        lines += ["not looked at: numbers of molecules; fit.stochastic(molecules_per_unit=1000) does"]
        lines += [f"note: {note}" for note in self.notes]
        lines += [] if self.proof is None else ["", str(self.proof)]
        lines += ["", "rank start       loss   held out  largest rate  behaviour"]
        for rank, candidate in enumerate(self.candidates, start=1):
            standing = "not looked at" if candidate.standing is None else str(candidate.standing)
            lines.append(
                f"{rank:4d} {candidate.start.index:5d} {candidate.loss:10.4g} {candidate.held_out:10.4g} "
                f"{candidate.start.weights.largest:13.4g}  {standing}"
            )
        return folded("\n".join([*lines, "", str(self.network)]))

    @property
    def reached(self) -> bool | None:
        """Whether the best network does all that the target does, on the target's whole interval.

        That is in the reduced system and in the full one, at `largest_mu` and, where the target names a time-scale, at
        that. None where nothing was looked at but the loss.
        """
        return None if self.verification is None else self.verification.reached

    @property
    def largest_mu(self) -> float | None:
        """The largest time-scale at which all wanted behaviours hold, of those looked at; None where there is none."""
        return None if self.verification is None else self.verification.largest_mu

    def handover(
        self,
        folder: str | os.PathLike[str],
        *,
        mu: float | None = None,
        concentration: str = "uM",
        time: str = "min",
    ) -> tuple[Path, ...]:
        """Write what a laboratory needs into a folder and return the files.

        They are README.md (what the network does, where that was verified, how robust it is, how to measure it),
        reactions.csv (names, rate constants with units, what each reaction does), network.xml (SBML with units, where
        libSBML is installed), reactions.txt and network.json.

        Parameters
        ----------
        folder : path
            It is made if it is not there.
        mu : float, optional
            The time-scale of the rates; by default the largest at which all that is wanted was seen.
        concentration : str
            What one unit of concentration is: "M", "mM", "uM" or "nM".
        time : str
            What one unit of time is: "s", "min" or "h".

        Raises
        ------
        InputError
            If the folder cannot be made, a unit is another, or no time-scale is known.
        """
        from bifrncrn.training.handover import handover

        return handover(self, folder, mu, concentration, time)

    def stochastic(self, molecules_per_unit: float = 1000.0, *, mu: float | None = None, seed: int = 0) -> Stochastic:
        """Say whether the attractors of the best network survive at finite numbers of molecules.

        From each, one trajectory of single reactions is followed (Gillespie's method; the library rebop, installed
        by ``pip install bifrncrn[stochastic]``), of ten turns of a cycle or a hundred relaxation times of a rest, less
        where that were more than 2e7 reactions. It shows what is frequent, not what is rare.

        Parameters
        ----------
        molecules_per_unit : float
            Molecules per unit of concentration.
        mu : float, optional
            Time-scale of the perceptrons; the default is the largest usable one, or else the target's. The work
            grows with `molecules_per_unit` / `mu`.
        seed : int

        Raises
        ------
        InputError
            If rebop is not installed, or no time-scale is known.
        """
        from bifrncrn.training.molecules import stochastic

        scale = self.network.resolve_mu(mu or self.largest_mu)
        return stochastic(self.target, self.network, scale, molecules_per_unit, seed)

    def to_json(self) -> dict[str, Any]:
        """Return the fit as plain JSON data of schema ``bifrncrn.fit/1``; what is not finite is None."""
        seen = [] if self.verification is None else self.verification.to_json()
        reduced = [one for one in seen if one["mu"] is None]
        return {
            "schema": "bifrncrn.fit/1",
            **self.record,
            "loss": self.loss,
            "held_out": self.best.held_out,
            "trained_on": self.best.start.loss,
            "reached": self.reached,
            "largest_mu": self.largest_mu,
            "verified": [one["behaviour"] for one in reduced if one["verified"]],
            "not_reached": [one["behaviour"] for one in reduced if not one["verified"]],
            "behaviours": seen,
            "outward": None if self.outward is None else self.outward.to_json(),
            "robustness": [one.to_json() for one in self.robustness],
            "refinement": self.network.training.get("refinement"),
            "notes": list(self.notes),
            "seconds": self.seconds,
            "proof": None if self.proof is None else self.proof.to_json(),
            "starts": [
                {
                    "start": candidate.start.index,
                    "loss": candidate.loss,
                    "held_out": candidate.held_out,
                    "largest_rate": candidate.start.weights.largest,
                    "spread_of_rates": candidate.start.weights.spread,
                    "at_bound": candidate.start.weights.at_bound(self.record["rate_bound"]),
                    "reason": candidate.start.reason,
                    "wrong": candidate.standing.wrong if candidate.standing else None,
                    "behaviour": candidate.standing.text if candidate.standing else None,
                }
                for candidate in self.candidates
            ],
            "network": self.network.to_json(),
        }

    def _reached(self) -> list[str]:
        """Return the line that says whether the target is reached."""
        if self.reached and self.verification is not None:
            where = "at" if len(self.verification.full) == 1 else "up to"
            return [f"reached: all that the target does, {where} mu = {self.largest_mu:.3g}"]
        return ["not reached: the lines below say what is missing"]

    def __str__(self) -> str:
        return self.report()


def network_of(target: Target, weights: Weights, record: dict[str, Any]) -> Network:
    """Return the network of fitted weights, started where the target says."""
    return Network(
        alpha=weights.alpha,
        omega=weights.omega,
        psi=weights.psi,
        theta=weights.theta,
        beta=weights.beta,
        state=np.array(target.state) if target.state else 1.0,
        lam=np.array(target.lam, dtype=float),
        mu=target.mu,
        title=f"{target.name}, learned",
        training=record,
    )

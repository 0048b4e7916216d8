"""What training returns: the ranked starts, the best network, and a report of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bifrncrn.chemistry.networks.network import Network
from bifrncrn.training.fit.start import Start
from bifrncrn.training.ranking import Standing
from bifrncrn.training.targets.target import Target


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


@dataclass(frozen=True, eq=False)
class Fit:
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
    at_scale : (float, Standing) or None
        A time-scale mu, and how the best network compares with the target in the full system there.
    """

    target: Target
    candidates: tuple[Candidate, ...]
    record: dict[str, Any]
    seconds: float
    notes: tuple[str, ...] = field(default_factory=tuple)
    at_scale: tuple[float, Standing] | None = None

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
        lines += self._behaviour()
        lines += [f"note: {note}" for note in self.notes]
        lines += ["", "rank start       loss   held out  largest rate  behaviour"]
        for rank, candidate in enumerate(self.candidates, start=1):
            standing = "not looked at" if candidate.standing is None else str(candidate.standing)
            lines.append(
                f"{rank:4d} {candidate.start.index:5d} {candidate.loss:10.4g} {candidate.held_out:10.4g} "
                f"{candidate.start.weights.largest:13.4g}  {standing}"
            )
        return "\n".join(lines)

    @property
    def reached(self) -> bool | None:
        """Whether the best network does what the target does; None where nothing was looked at but the loss."""
        return None if self.best.standing is None else not self.best.standing.wrong

    def to_json(self) -> dict[str, Any]:
        """Return the fit as plain JSON data of schema ``bifrncrn.fit/1``; what is not finite is None."""
        best, there = self.best.standing, self.at_scale
        return {
            "schema": "bifrncrn.fit/1",
            **self.record,
            "loss": self.loss,
            "held_out": self.best.held_out,
            "trained_on": self.best.start.loss,
            "reached": self.reached,
            "verified": list(best.shown) if best else [],
            "not_reached": list(best.missed) if best else [],
            "refinement": self.network.training.get("refinement"),
            "full": {"mu": there[0], "wrong": there[1].wrong, "text": there[1].text} if there else None,
            "notes": list(self.notes),
            "seconds": self.seconds,
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

    def _behaviour(self) -> list[str]:
        """Return lines about what the best network does, reduced and at its time-scale."""
        places = [("", self.best.standing)]
        if self.at_scale is not None:
            places.append((f" at mu = {self.at_scale[0]:g}", self.at_scale[1]))
        lines = []
        for where, standing in places:
            if standing is None:
                continue
            if standing.special:
                lines.append(f"diagram{where}: {standing.special}")
            lines += [f"verified{where}: {text}" for text in standing.shown]
            lines += [f"not reached{where}: {text}" for text in standing.missed]
        return lines

    def __str__(self) -> str:
        return self.report()

"""Sudden changes in a simulation: which are waiting, which come next, and what they change."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bifrncrn.models.observables import Observables, observables
from bifrncrn.models.system import System
from bifrncrn.models.transitions import Transition
from bifrncrn.models.words import names_used, tokenize

MOST_AT_ONCE = 10_000
"""So many changes at one time never come to an end."""
SEED = 0
"""Lots decide between changes of one priority, as SBML demands; always the same, so that a run can be repeated."""


@dataclass
class Waiting:
    """A change that was triggered and is yet to come: when, which, and its values where they are known already.

    `lag` is how long after its trigger it comes; None where that is not known to the last digit, as the delay depends
    on the state, and where it was triggered at the start.
    """

    when: float
    lag: float | None
    index: int
    values: np.ndarray | None


class Machine:
    """The transitions of one simulation, and which of them wait.

    Parameters
    ----------
    system : System
    together : float
        Changes closer in time than this come at one time.
    """

    def __init__(self, system: System, together: float) -> None:
        self.transitions = system.transitions
        self.together = together
        self.triggers = observables(system, {f"the trigger of {t.name}": t.trigger for t in self.transitions})
        self.effects = [_Effect(system, t) for t in self.transitions]
        self.held = [t.initially for t in self.transitions]
        self.waiting: list[Waiting] = []
        self.started = False
        self.lags: set[float | None] = set()  # how long after their triggers came the changes that came last
        self.lots = np.random.default_rng(SEED)

    @property
    def next(self) -> float:
        """When the next change is due; infinity when none waits."""
        return min((item.when for item in self.waiting), default=math.inf)

    def act(self, t: float, x: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """Return state and parameter values after all that happens at a time, and whether it came to an end."""
        if not self.transitions:
            return x, p, True
        self.lags = set()
        for _ in range(MOST_AT_ONCE):
            self._notice(t, x, p)
            due = [item for item in self.waiting if item.when <= t + self.together]
            if not due:
                self.started = True
                return x, p, True
            first = self._first(due, x, p)
            self.waiting.remove(first)
            self.lags.add(first.lag)
            effect = self.effects[first.index]
            x, p = effect.applied(x, p, effect.values(x, p) if first.values is None else first.values)
        return x, p, False

    def true_at(self, x: np.ndarray, p: np.ndarray) -> tuple[bool, ...]:
        """Return which triggers are true at a state."""
        return tuple((self.triggers(x, p) != 0.0).tolist())

    def again(self, t: float, x: np.ndarray, p: np.ndarray, held: tuple[bool, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Return state and parameter values after what is triggered at exactly a time, these having been true before.

        For use after the simulation: nothing is left waiting, and lots are drawn anew.
        """
        self.held, self.waiting, self.lots = list(held), [], np.random.default_rng(SEED)
        x, p, _ = self.act(t, x, p)
        return x, p

    def _first(self, due: list[Waiting], x: np.ndarray, p: np.ndarray) -> Waiting:
        """Return the change of the highest priority; of several, the first without one, by lot with one."""
        if len(due) == 1:
            return due[0]
        ranks = [self.effects[item.index].priority(x, p) for item in due]
        best = [item for item, rank in zip(due, ranks, strict=True) if rank == max(ranks)]
        return best[0] if max(ranks) == -math.inf else best[int(self.lots.integers(len(best)))]

    def _notice(self, t: float, x: np.ndarray, p: np.ndarray) -> None:
        """See which triggers have become true, and which false."""
        for i, value in enumerate(self.triggers(x, p).tolist()):
            true, before = value != 0.0, self.held[i]
            self.held[i] = true
            if true and not before:
                effect = self.effects[i]
                known = effect.values(x, p) if self.transitions[i].from_trigger else None
                delay = effect.delay(x, p)
                lag = delay if self.started and effect.steady else None
                self.waiting.append(Waiting(t + delay, lag, i, known))
            elif before and not true and not self.transitions[i].persistent:
                self.waiting = [item for item in self.waiting if item.index != i]


class _Effect:
    """What one transition does, compiled."""

    def __init__(self, system: System, transition: Transition) -> None:
        self._prioritised = bool(transition.priority)
        self.steady = set(names_used(tokenize(transition.delay))) <= {*system.parameters, "pi"}
        where = f"the event {transition.name}"
        texts = {f"the delay of {where}": transition.delay, f"the priority of {where}": transition.priority or "0"}
        texts |= {f"{where}, assigning {name}": text for name, text in transition.assignments.items()}
        self._all: Observables = observables(system, texts)
        names = list(transition.assignments)
        self._states = [(k, system.variables.index(name)) for k, name in enumerate(names) if name in system.variables]
        self._values = [(k, system.parameters.index(name)) for k, name in enumerate(names) if name in system.parameters]

    def delay(self, x: np.ndarray, p: np.ndarray) -> float:
        return float(self._all(x, p)[0])

    def priority(self, x: np.ndarray, p: np.ndarray) -> float:
        return float(self._all(x, p)[1]) if self._prioritised else -math.inf

    def values(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        return self._all(x, p)[2:]

    def applied(self, x: np.ndarray, p: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, p = x.copy(), p.copy()
        for k, i in self._states:
            x[i] = new[k]
        for k, i in self._values:
            p[i] = new[k]
        return x, p

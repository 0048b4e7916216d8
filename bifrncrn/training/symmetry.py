"""Networks that exchanging species leaves unchanged, as it does their target.

Where a stable state that treats two species alike gives way to two that do not (a pitchfork), the symmetry is what
makes the branch point: in a network that was fitted without it, it breaks into a fold beside a branch that passes by.
So perceptrons come in sets whose members exchanges of species turn into one another, and one or a few that look at all
species alike. For such perceptrons the linear problem of alpha and beta has a symmetric solution by itself, if the
samples are symmetric. It fails for symmetries that are no exchanges of species, reflections for instance: a species
multiplies its own reactions, so no network has those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from bifrncrn.base.checks import Array
from bifrncrn.training.targets.sampling import Samples, join
from bifrncrn.training.targets.target import FieldPart, Target
from bifrncrn.training.weights import Weights

Exchange = tuple[int, ...]
"""Species k of an exchanged state is species `exchange[k]` of the state."""
Move = tuple[Exchange, Exchange]
"""An exchange of species, and where it takes each perceptron."""
Indices = NDArray[np.intp]

# all orders of more species than this are too many to try
MOST = 4
# a field that is this near its image, relative to its largest rate, is its image: rounding, no more
EQUAL = 1e-9
NAMES = ("alpha", "omega", "psi", "theta", "beta")


def exchanges_of(target: Target) -> tuple[Exchange, ...]:
    """Return all orders of the species, the given one first, that leave the target's ODE and its box unchanged."""
    part, m = target.parts[0], target.sizes[0]
    identity = tuple(range(m))
    box = target.box
    if box is None or not isinstance(part, FieldPart) or not 2 <= m <= MOST:
        return (identity,)
    sides = list(box.values())
    samples = part.samples("sobol", 64, 0)
    size = EQUAL * np.abs(samples.field).max()

    def unchanged(order: Exchange) -> bool:
        there = part.field(samples.x[:, order], samples.lam)
        return [sides[k] for k in order] == sides and bool(np.abs(there - samples.field[:, order]).max() <= size)

    return tuple(order for order in permutations(identity) if unchanged(order))


@dataclass(frozen=True, eq=False)
class Tie:
    """Perceptrons that `exchanges` turn into one another: sets of as many, and as many unchanged ones as are left over.

    Attributes
    ----------
    exchanges : tuple of Exchange
        All of a group, the unchanged order first.
    perceptrons, width : int
        The inputs' weights and bias are an array (perceptrons, width), species first.
    """

    exchanges: tuple[Exchange, ...]
    perceptrons: int
    width: int

    @property
    def _sets(self) -> int:
        return self.perceptrons // len(self.exchanges)

    def leader(self, perceptron: int) -> int:
        """Return the first perceptron of its set."""
        order = len(self.exchanges)
        return perceptron - perceptron % order if perceptron < self._sets * order else perceptron

    @cached_property
    def spread(self) -> Array:
        """The matrix from what can be chosen to the weights of all inputs, flattened."""
        blocks = [[self._turned(exchange) for exchange in self.exchanges]] * self._sets
        together = np.array([min(exchange[k] for exchange in self.exchanges) for k in range(self._species)])
        alike = np.zeros((self.width, self.width))
        alike[np.arange(self._species), together] = 1.0
        alike[range(self._species, self.width), range(self._species, self.width)] = 1.0
        alike = alike[:, alike.any(axis=0)]
        blocks += [[alike]] * (self.perceptrons - self._sets * len(self.exchanges))
        columns = np.cumsum([0, *(block[0].shape[1] for block in blocks)])
        out, row = np.zeros((self.perceptrons * self.width, columns[-1])), 0
        for block, at in zip(blocks, columns):
            for member in block:
                out[row : row + self.width, at : at + member.shape[1]] = member
                row += self.width
        return out

    def chosen(self, every: Array) -> Array:
        """Return what was chosen for the weights of all inputs, flattened: those of the first of each set."""
        width, order = self.width, len(self.exchanges)
        end = self._sets * order
        kept = [every[j * width : (j + 1) * width] for j in range(0, end, order)]
        rest = every[end * width :]
        if len(rest):
            alone = self.spread[end * width :, self._sets * width :]
            kept.append(alone.T @ rest / alone.sum(axis=0))
        return np.concatenate(kept)

    def symmetric(self, samples: Samples) -> Samples:
        """Return samples with all their images."""
        return join(
            [
                Samples(samples.x[:, order], samples.lam, samples.field[:, order], samples.weight)
                for order in self.exchanges
            ]
        )

    def exact(self, weights: Weights) -> Weights:
        """Return weights that are symmetric to rounding exactly so."""
        return copied(weights, classes(weights, self._moves()))

    @property
    def _species(self) -> int:
        return len(self.exchanges[0])

    def _turned(self, exchange: Exchange) -> Array:
        out = np.eye(self.width)
        out[: self._species, : self._species] = np.eye(self._species)[list(exchange)]
        return out

    def _moves(self) -> tuple[Move, ...]:
        number = {exchange: k for k, exchange in enumerate(self.exchanges)}
        moves = []
        for exchange in self.exchanges:
            back = _inverse(exchange)
            turned = [number[tuple(member[k] for k in back)] for member in self.exchanges]
            order = len(turned)
            places = [j * order + turned[k] for j in range(self._sets) for k in range(order)]
            moves.append((exchange, (*places, *range(len(places), self.perceptrons))))
        return tuple(moves)


def moves_of(weights: Weights) -> tuple[Move, ...]:
    """Return the exchanges of species under which weights are unchanged, to the last digit; at least the one of none.

    Those of a network that was fitted without a tie are not.
    """
    m, n = weights.alpha.shape
    found: list[Move] = [(tuple(range(m)), tuple(range(n)))]
    for exchange in tuple(permutations(range(m)))[1:] if m <= MOST else ():
        back = _inverse(exchange)
        place = {_key(weights, j, list(range(m))): j for j in range(n)}
        images = [place.get(_key(weights, j, back)) for j in range(n)]
        if None not in images and np.array_equal(weights.beta[back], weights.beta):
            found.append((exchange, tuple(j for j in images if j is not None)))
    return tuple(found)


def _inverse(exchange: Exchange) -> list[int]:
    return [exchange.index(k) for k in range(len(exchange))]


def _key(weights: Weights, j: int, order: list[int]) -> bytes:
    parts = (weights.omega[j][order], weights.psi[j], weights.theta[j : j + 1], weights.alpha[order, j])
    return np.concatenate(parts).tobytes()


def classes(weights: Weights, moves: Sequence[Move]) -> Indices:
    """Return for every weight, all flattened one after the other, the first of those that it is equal to."""
    sizes = [getattr(weights, name).shape for name in NAMES]
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in sizes)])
    alpha, omega, psi, theta, beta = (
        np.arange(start, end, dtype=np.intp).reshape(shape) for start, end, shape in zip(ends, ends[1:], sizes)
    )
    images = [
        np.concatenate(
            [
                alpha[np.ix_(exchange, places)].ravel(),
                omega[np.ix_(places, exchange)].ravel(),
                psi[list(places)].ravel(),
                theta[list(places)],
                beta[list(exchange)],
            ]
        )
        for exchange, places in moves
    ]
    return np.asarray(np.min(images, axis=0))


def flattened(weights: Weights) -> Array:
    """Return all weights one after the other, in the order of `NAMES`."""
    return np.concatenate([getattr(weights, name).ravel() for name in NAMES])


def copied(weights: Weights, equal: Indices) -> Weights:
    """Return weights each of which is the first of those it is equal to, as `classes` says."""
    return unflattened(flattened(weights)[equal], [getattr(weights, name).shape for name in NAMES])


def unflattened(flat: Array, shapes: Sequence[tuple[int, ...]]) -> Weights:
    """Return weights of given shapes that were `flattened`."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return Weights(*(part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes)))

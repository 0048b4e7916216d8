"""The field of a system at many points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifrncrn.models.system import System


@dataclass(frozen=True, eq=False)
class Samples:
    """The field at points (k, n): f (k, n), df/dx (k, n, n), and derivatives by some parameters (k, n, q)."""

    f: np.ndarray
    jacobian: np.ndarray
    rates: np.ndarray


class Sampler:
    """Evaluates the field of a system, its Jacobian and its derivatives by parameters. Not for several threads.

    Parameters
    ----------
    system : System
    indices : tuple of int
        The parameters that vary.
    """

    def __init__(self, system: System, indices: tuple[int, ...]) -> None:
        self.lower, self.indices = system.lower, indices
        self._call = system.native.function("linearize")
        self._values = np.array(system.values, dtype=float)
        self._directions = np.zeros((len(indices), self._values.size))
        self._directions[np.arange(len(indices)), list(indices)] = 1.0

    def __call__(self, points: np.ndarray, p: np.ndarray) -> Samples:
        """Return the field at points (k, n), the varied parameters being p."""
        count, n = points.shape
        self._values[list(self.indices)] = p
        x = np.ascontiguousarray(np.maximum(points, self.lower), dtype=float)
        f, jacobian = np.empty((count, n)), np.zeros((count, n, n))
        rates = np.empty((len(self.indices), count, n))
        values = _address(self._values)
        wide, deep = 8 * n, 8 * n * n
        first = [_address(array) for array in (x, f, jacobian)]
        for direction, rate in zip(self._directions, rates, strict=True):
            along, into = _address(direction), _address(rate)
            for i in range(count):
                self._call(
                    first[0] + i * wide, values, along, first[1] + i * wide, first[2] + i * deep, into + i * wide
                )
        return Samples(f, jacobian, np.moveaxis(rates, 0, -1))


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address

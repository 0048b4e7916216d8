"""The memory of the compiled functions of an equilibrium curve; apart from them, so that nobody needs numba for it."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bifrncrn.compile.model import NativeModel

STATES, PARAMETER, LINEARIZE, VALUES, DIRECTION, WORK, PIVOTS, TESTS, JET, JET_DIRECTION, ROUNDING = range(11)
"""The context: number of states, index of the continuation parameter, and the addresses of the model's `linearize`,
the parameter values, the unit vector of the continuation parameter, the work space, 4 n + 4 places (int64), the user
tests (0 for none), the model's `jet`, the step of the parameters for it, and the model's `rounding`."""
CONTEXT_SIZE = ROUNDING + 1
VECTORS = 16
"""Vectors of scratch beside the matrix, each of 2 n + 2 doubles."""


def work_size(n: int) -> int:
    """Return the doubles of work space for n states.

    F, Fp, row scales, J, bordered matrix, copy of J; the scratch of single points: a square matrix, and vectors.
    """
    m = 2 * n + 2
    return 2 * n + (n + 1) + n * n + (n + 1) * (n + 1) + n * n + m * m + VECTORS * m


@functools.cache
def _places(n: int, parameters: int) -> tuple[list[tuple[int, int]], int]:
    """Return where each array of `Work` begins and ends in its block, and the length of the block."""
    sizes = (
        parameters, parameters, parameters, n + 1, n + 1, n + 1, 2 * n + 4, 6 * n + 3, work_size(n),
        CONTEXT_SIZE + 4 * n + 4,
    )  # fmt: skip
    ends = list(itertools.accumulate(sizes))
    return [(end - size, end) for size, end in zip(sizes, ends, strict=True)], ends[-1]


class Work:
    """The context of a system, and arrays for what goes in and out, in one block; for one thread.

    Attributes
    ----------
    values : (k,) array
        The parameter values.
    y, row, out : (n + 1,) arrays
        A point, a second vector, and results.
    f, slope, jacobian : arrays
        As last evaluated.
    found : (2 n + 4,) array
        What is found at a special point.
    bounds : (6 n + 3,) array
        Units of unknowns and equations, a box and the walls, as `bifrncrn.curves.equilibria.branch_kernels.refine` has
        them.
    context : int64 array
        The entries above, then the pivots.
    at : int
        The address of the context; `at_values`, `at_y`, `at_row`, `at_out`, `at_found`, `at_bounds`: of the arrays.
    """

    def __init__(self, native: NativeModel, parameter: int, values: np.ndarray) -> None:
        n = native.n
        self._native = native
        places, count = _places(n, len(values))
        block = np.zeros(count)
        base = block.__array_interface__["data"][0]
        parts = [block[first:end] for first, end in places]
        addresses = [base + 8 * first for first, _ in places]
        self.values, direction, _, self.y, self.row, self.out, self.found, self.bounds, work, context = parts
        self.at_values, at_direction, at_step, self.at_y, self.at_row, self.at_out, *rest = addresses
        self.at_found, self.at_bounds, at_work, self.at = rest
        self.values[:] = values
        direction[parameter] = 1.0
        self._n, self._space = n, work
        self.context = context.view(np.int64)
        at_pivots = self.at + 8 * CONTEXT_SIZE
        self.context[:CONTEXT_SIZE] = (
            n, parameter, native.linearize, self.at_values, at_direction, at_work, at_pivots, 0, 0, at_step, 0,
        )  # fmt: skip

    @functools.cached_property
    def f(self) -> np.ndarray:
        """F, (n,)."""
        return self._space[: self._n]

    @functools.cached_property
    def slope(self) -> np.ndarray:
        """dF/dp, (n,)."""
        return self._space[self._n : 2 * self._n]

    @functools.cached_property
    def jacobian(self) -> np.ndarray:
        """dF/dx, (n, n)."""
        first = 3 * self._n + 1
        return self._space[first : first + self._n**2].reshape(self._n, self._n)

    @functools.cached_property
    def at_to_judge(self) -> int:
        """The address of the context, the model's bounds of rounding errors in it: compiled when first asked for."""
        self.context[ROUNDING] = self._native.rounding
        return self.at

    @functools.cached_property
    def at_with_jet(self) -> int:
        """The address of the context, the model's jet in it: compiled when first asked for."""
        self.context[JET] = self._native.jet
        return self.at_to_judge

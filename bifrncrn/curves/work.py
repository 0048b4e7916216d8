"""The size of the work space of the equilibrium kernels; apart from them, so that nobody needs numba to know it."""


def work_size(n: int) -> int:
    """Return the doubles of work space for n states: F, Fp, row scales, J, bordered matrix, copy of J."""
    return 2 * n + (n + 1) + n * n + (n + 1) * (n + 1) + n * n

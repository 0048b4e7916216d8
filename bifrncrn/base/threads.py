"""One thread for linear algebra: small matrices are fastest so, and results do not depend on the number of threads."""

from __future__ import annotations

from contextlib import AbstractContextManager


def single_threaded() -> AbstractContextManager[object]:
    """Return a context in which BLAS and LAPACK use one thread."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits

"""One thread for linear algebra: a fit's small matrices are fastest so, and its result does not depend on their number."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext


def single_threaded() -> AbstractContextManager[object]:
    """Return a context in which BLAS and LAPACK use one thread, or one that does nothing where threadpoolctl is absent."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return threadpool_limits(limits=1)

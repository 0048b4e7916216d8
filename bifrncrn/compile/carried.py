"""For Python functions that compiled code calls: its memory as arrays, and their exceptions."""

from __future__ import annotations

import ctypes
from types import TracebackType

import numpy as np


def view(address: int, size: int) -> np.ndarray:
    """Return the `size` doubles at an address as an array that shares their memory."""
    memory = (ctypes.c_double * size).from_address(address)
    return np.frombuffer(memory)  # type: ignore[call-overload]


class Carried:
    """Carries an exception over compiled code, which cannot pass it on.

    The block of a `with` statement never raises: its first exception is kept, and raised by `check`.

    Examples
    --------
    >>> carried = Carried()
    >>> with carried:
    ...     1 / 0
    >>> carried.check()
    Traceback (most recent call last):
        ...
    ZeroDivisionError: division by zero
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = self.error or error
        return True

    def check(self) -> None:
        """Raise what was kept, once."""
        error, self.error = self.error, None
        if error is not None:
            raise error

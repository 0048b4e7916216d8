"""Reading MATLAB files without trusting them."""

import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

from bifrncrn.errors import InputError

# What the reader of scipy raises on bytes that are no valid file: it checks little itself.
BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    Warning,
    struct.error,
    zlib.error,
)
HEADER = 128


def read_variables(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the variables of a version 5 ``.mat`` file by name.

    Raises
    ------
    InputError
        If the file cannot be read, is of another version, or is corrupt.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    except ValueError as error:
        raise InputError(f"{path!r}: is no file name; check the name") from error
    if raw[:HEADER].startswith(b"MATLAB 7.3") or raw.startswith(b"\x89HDF"):
        raise InputError(f"{path}: is a version 7.3 (HDF5) file; save it in MATLAB with the option '-v7'")
    if not raw.startswith(b"MATLAB 5.0") or len(raw) < HEADER:
        raise InputError(f"{path}: is not a MATLAB version 5 file; save it in MATLAB with the option '-v7'")
    from scipy.io import loadmat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            variables = loadmat(io.BytesIO(raw))
    except BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: is a corrupt MATLAB file ({reason:.120}); save or copy it again") from error
    return {key: value for key, value in variables.items() if not key.startswith("__")}
